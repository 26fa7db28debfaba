/* Plays the transcripts of dirty.txt: files, what `import` says of them, what is stored afterwards.
 */
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/import.h"

enum { ARGS_MAX = 64, TRANSCRIPT_BYTES_MAX = 1 << 20 };

struct args {
    char text[2048];
    const char *word[ARGS_MAX];
    size_t count;
};

/* Words at blanks; "…" holds blanks together. */
static void split_args(struct args *args, const char *line)
{
    char *to = args->text;

    args->count = 0;
    while (*line) {
        bool quoted = false;

        while (*line == ' ')
            line++;
        if (!*line)
            break;
        CHECK(args->count < ARGS_MAX);
        args->word[args->count++] = to;
        for (; *line && (quoted || *line != ' '); line++) {
            if (*line == '"')
                quoted = !quoted;
            else
                *to++ = *line;
        }
        *to++ = '\0';
    }
}

struct import_words {
    const char *paths[16], *columns[16], *wheres[16], *globs[16];
    struct import_options options;
};

static void read_options(struct import_words *words, const struct args *args)
{
    struct import_options *o = &words->options;
    const struct {
        const char *name, **single, *const *list;
        const char **items;
        size_t *count;
    } rows[] = {
        {"--zone", &o->zone, NULL, NULL, NULL},
        {"--format", &o->format, NULL, NULL, NULL},
        {"--scale", &o->scale, NULL, NULL, NULL},
        {"--symbol", &o->symbol, NULL, NULL, NULL},
        {"--symbol-from", &o->symbol_from, NULL, NULL, NULL},
        {"--column", NULL, NULL, words->columns, &o->column_count},
        {"--where", NULL, NULL, words->wheres, &o->where_count},
        {"--files", NULL, NULL, words->globs, &o->glob_count},
    };
    struct error err;

    *o = (struct import_options){.env = env_posix(),
                                 .data_dir = "store",
                                 .paths = words->paths,
                                 .columns = words->columns,
                                 .wheres = words->wheres,
                                 .globs = words->globs,
                                 .threads = 2};
    CHECK_OK(market_parse(&o->market, TEXT("x/1d"), &err));
    for (size_t i = 1; i < args->count; i++) {
        const char *word = args->word[i];
        bool taken = false;

        for (size_t r = 0; r < ARRAY_COUNT(rows); r++)
            if (strcmp(word, rows[r].name) == 0) {
                taken = true;
                if (rows[r].single)
                    *rows[r].single = args->word[++i];
                else
                    rows[r].items[(*rows[r].count)++] = args->word[++i];
                break;
            }
        if (taken)
            continue;
        if (strcmp(word, "--as") == 0)
            CHECK_OK(market_parse(&o->market, text_of(args->word[++i]), &err));
        else if (strcmp(word, "--drop-last") == 0)
            o->drop_last = true;
        else if (strcmp(word, "--replace") == 0)
            o->replace = true;
        else
            words->paths[o->path_count++] = word;
    }
}

static void say_counts(const struct import_counts *counts, struct buffer *out)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"rows", counts->rows},
        {"blank", counts->blank},
        {"left out", counts->left_out},
        {"dropped", counts->dropped},
        {"doubled", counts->doubled},
        {"added", counts->added},
        {"same", counts->same},
        {"replaced", counts->replaced},
        {"rejected", counts->rejected_all},
    };
    const char *separator = "";

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (rows[i].value) {
            buffer_addf(out, "%s%s %llu", separator, rows[i].name,
                        (unsigned long long)rows[i].value);
            separator = ", ";
        }
}

static void run_import(const struct args *args, struct buffer *out)
{
    static const char *const states[] = {"read", "empty", "skipped", "failed"};
    struct import_words words = {.paths = {NULL}};
    struct import_report report;
    struct error err;
    enum status status;

    read_options(&words, args);
    status = import_run(&words.options, &report, &err);
    for (size_t i = 0; i < report.layout_count; i++)
        buffer_addf(out, "%s\n", report.layouts[i].text);
    for (size_t i = 0; i < report.file_count; i++)
        if (report.files[i].state != IMPORT_FILE_READ)
            buffer_addf(out, "%s %s%s%s\n", report.files[i].name, states[report.files[i].state],
                        report.files[i].text ? ": " : "",
                        report.files[i].text ? report.files[i].text : "");
    for (size_t i = 0; i < report.reject_count; i++)
        buffer_addf(out, "%s:%u: %s: %s\n", report.rejects[i].file,
                    (unsigned)report.rejects[i].line, import_reason_words(report.rejects[i].reason),
                    report.rejects[i].text);
    say_counts(&report.counts, out);
    buffer_addf(out, "%s%s\n",
                report.counts.rows + report.counts.blank + report.counts.left_out ? ": " : "",
                status_text(status));
    if (status != STATUS_OK && status != STATUS_PARTIAL)
        buffer_addf(out, "%s\n", err.text);
    import_report_deinit(&report);
}

static void run_resample(const struct args *args, struct buffer *out)
{
    struct resample_options options = {.env = env_posix(), .data_dir = "store"};
    struct resample_report report;
    struct error err;
    enum status status;

    CHECK_OK(market_parse(&options.from, text_of(args->word[1]), &err));
    CHECK_OK(timeframe_parse(&options.to, text_of(args->word[3]), &err));
    for (size_t i = 4; i < args->count; i++) {
        options.closed |= strcmp(args->word[i], "--closed") == 0;
        options.replace |= strcmp(args->word[i], "--replace") == 0;
    }
    status = resample_run(&options, &report, &err);
    buffer_addf(out, "%llu bars of %llu, added %llu, same %llu, replaced %llu: %s\n",
                (unsigned long long)report.bars_to, (unsigned long long)report.bars_from,
                (unsigned long long)report.added, (unsigned long long)report.same,
                (unsigned long long)report.replaced, status_text(status));
    if (status != STATUS_OK)
        buffer_addf(out, "%s\n", err.text);
}

static void run_bars(const struct args *args, struct buffer *out)
{
    struct market_name market;
    struct snapshot *snapshot;
    struct error err;

    CHECK_OK(market_parse(&market, text_of(args->word[1]), &err));
    if (snapshot_open(&snapshot, env_posix(), "store", &market, &err) != STATUS_OK) {
        buffer_add_text(out, "no such market\n");
        return;
    }
    for (size_t symbol = 0; symbol < snapshot_symbol_count(snapshot); symbol++) {
        struct bars bars;

        CHECK_OK(snapshot_bars(snapshot, symbol, &bars, &err));
        for (size_t i = 0; i < bars.count; i++) {
            buffer_addf(out, "%s ", snapshot_symbol_name(snapshot, symbol));
            bars_csv_row(out, &bars, i, market.frame);
            buffer_add_char(out, '\n');
        }
    }
    snapshot_close(snapshot);
}

static void run_command(const char *line, struct buffer *out)
{
    struct args args;

    split_args(&args, line);
    CHECK(args.count >= 2);
    if (strcmp(args.word[0], "import") == 0)
        run_import(&args, out);
    else if (strcmp(args.word[0], "resample") == 0)
        run_resample(&args, out);
    else if (strcmp(args.word[0], "bars") == 0)
        run_bars(&args, out);
    else {
        print_error("no command: %s\n", line);
        CHECK(false);
    }
}

/* \r \t \0 \\ \xHH, and \c for "no line end". */
static void write_line(FILE *file, const char *line)
{
    for (; *line; line++) {
        unsigned byte;

        if (*line != '\\') {
            fputc(*line, file);
            continue;
        }
        switch (*++line) {
        case 'r':
            fputc('\r', file);
            break;
        case 't':
            fputc('\t', file);
            break;
        case '0':
            fputc('\0', file);
            break;
        case '\\':
            fputc('\\', file);
            break;
        case 'c':
            return;
        case 'x':
            CHECK(sscanf(line + 1, "%2x", &byte) == 1);
            fputc((int)byte, file);
            line += 2;
            break;
        default:
            print_error("unknown escape \\%c\n", *line);
            CHECK(false);
        }
    }
    fputc('\n', file);
}

struct transcript {
    char sentence[4096];
    FILE *file; /* that is being written */
    struct buffer expected, actual;
    bool commanded; /* a command has run: lines are its output */
    int cases, failed, commands;
};

/* Compares what the last command said, and forgets it. */
static void compare(struct transcript *t)
{
    if (t->commanded && strcmp(buffer_text(&t->expected), buffer_text(&t->actual)) != 0) {
        print_error("%s\n--- expected\n%s--- got\n%s\n", t->sentence, buffer_text(&t->expected),
                    buffer_text(&t->actual));
        t->failed++;
    }
    t->expected.length = t->actual.length = 0;
    t->commanded = false;
}

static void close_file(struct transcript *t)
{
    if (t->file)
        fclose(t->file);
    t->file = NULL;
}

static void begin_case(struct transcript *t, const char *sentence, const char *directory)
{
    char path[1024];

    snprintf(t->sentence, sizeof t->sentence, "%s", sentence);
    snprintf(path, sizeof path, "%s/case%d", directory, t->cases++);
    CHECK(mkdir(path, 0777) == 0 && chdir(path) == 0);
}

static void play_line(struct transcript *t, const char *line, const char *directory)
{
    if (strncmp(line, "=== ", 4) == 0) {
        compare(t);
        close_file(t);
        begin_case(t, line + 4, directory);
    } else if (strncmp(line, "file ", 5) == 0) {
        compare(t);
        close_file(t);
        t->file = fopen(line + 5, "wb");
        CHECK(t->file != NULL);
    } else if (line[0] == '|' && t->file) {
        write_line(t->file, line + 1);
    } else if (strncmp(line, "$ ", 2) == 0) {
        compare(t);
        close_file(t);
        run_command(line + 2, &t->actual);
        t->commanded = true;
        t->commands++;
    } else if (line[0] != '\0' && line[0] != '#') {
        buffer_addf(&t->expected, "%s\n", line);
    }
}

TEST(every_dirty_input_is_stored_or_rejected_as_its_transcript_says)
{
    char directory[512], before[512], line[4096];
    struct transcript t = {.file = NULL};
    FILE *table = fopen(IMPORT_TEST_DIRECTORY "/dirty.txt", "r");

    CHECK(table != NULL);
    CHECK(getcwd(before, sizeof before) != NULL);
    snprintf(directory, sizeof directory, "%s", test_directory());
    while (fgets(line, sizeof line, table)) {
        line[strcspn(line, "\n")] = '\0';
        play_line(&t, line, directory);
    }
    compare(&t);
    fclose(table);
    CHECK(chdir(before) == 0);
    buffer_deinit(&t.expected);
    buffer_deinit(&t.actual);
    CHECK(t.cases >= 50 && t.commands > t.cases);
    CHECK_INT(t.failed, 0);
}
