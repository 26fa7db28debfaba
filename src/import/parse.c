/* parse: chunks of a file to rows.  A line (or a row of JSON) that a chunk cuts is carried over to
 * the next. */
#include "import/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/json.h"
#include "import/rows.h"

enum {
    LINE_BYTES_USUAL = 24, /* at least, for the first guess of how many rows there are */
    JSON_SAMPLE_ROWS = 64,
    JSON_SAMPLE_FIELDS = JSON_SAMPLE_ROWS * 16
};

/* The file as a window that moves: bytes [begin, end) of the buffer are there and not used yet. */
struct input {
    const struct parse_plan *plan;
    struct parse_job *job;
    struct env_file *file;
    char *buffer;
    size_t begin, end;
    uint64_t at; /* read so far */
    bool ended;  /* nothing follows */
    void (*tick)(void *context);
    void *context;
};

/* ---- plan ---------------------------------------------------------------------------------- */

enum status parse_plan_init(struct parse_plan *plan, const struct import_options *options,
                            atomic_uint_least64_t *bytes_read, struct error *err)
{
    *plan = (struct parse_plan){.options = options, .bytes_read = bytes_read};
    TRY(layout_wish_init(&plan->wish, options, err));
    if (options->symbol && options->symbol_from)
        return fail(err, STATUS_USAGE, "--symbol and --symbol-from: only one of them");
    if (options->symbol)
        TRY(symbol_check(text_of(options->symbol), err));
    if (options->symbol_from) {
        int code = regcomp(&plan->symbol_from, options->symbol_from, REG_EXTENDED);
        char words[128];

        if (code != 0) {
            regerror(code, &plan->symbol_from, words, sizeof words);
            return fail(err, STATUS_USAGE, "--symbol-from %s: %s", options->symbol_from, words);
        }
        plan->has_symbol_from = true;
    }
    if (zone_open(&plan->zone, options->env, text_of(options->zone ? options->zone : "UTC"), err) ==
        STATUS_OK)
        return STATUS_OK;
    parse_plan_deinit(plan);
    error_prefix(err, "--zone: ");
    return err->status;
}

void parse_plan_deinit(struct parse_plan *plan)
{
    if (plan->has_symbol_from)
        regfree(&plan->symbol_from);
    plan->has_symbol_from = false;
    zone_close(&plan->zone);
}

/* ---- bytes --------------------------------------------------------------------------------- */

static enum status read_some(struct input *input, char *bytes, size_t length, size_t *got,
                             struct error *err)
{
    struct source_file *file = &input->job->file;
    struct env *env = input->plan->options->env;

    *got = 0;
    if (file->kind == SOURCE_PATH) {
        TRY(env->calls->read(env, input->file, bytes, length, input->at, got, err));
        atomic_fetch_add_explicit(input->plan->bytes_read, *got, memory_order_relaxed);
    } else if (input->at < file->length) {
        *got = MIN(length, file->length - input->at);
        memcpy(bytes, file->bytes + input->at, *got);
    } else if (file->kind == SOURCE_STREAM) {
        TRY(unpack_read(file->archive, bytes, length, got, err));
    }
    input->at += *got;
    return STATUS_OK;
}

/* Moves what is left to the front and fills the rest of the chunk. */
static enum status fill(struct input *input, struct error *err)
{
    size_t got;

    if (env_is_stopped(input->plan->options->env))
        return fail(err, STATUS_INTERRUPTED, "interrupted");
    if (input->tick)
        input->tick(input->context);
    memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
    input->end -= input->begin;
    input->begin = 0;
    while (!input->ended && input->end < IMPORT_CHUNK_BYTES) {
        TRY(read_some(input, input->buffer + input->end, IMPORT_CHUNK_BYTES - input->end, &got,
                      err));
        input->end += got;
        input->ended = got == 0;
        if (input->job->file.kind == SOURCE_PATH && input->end < IMPORT_CHUNK_BYTES)
            input->ended = true; /* a file is read whole but for its end */
    }
    memset(input->buffer + input->end, 0, NUMBER_SLACK_BYTES);
    return STATUS_OK;
}

/* ---- what it is ---------------------------------------------------------------------------- */

static enum status check_text(struct input *input, struct error *err)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *what;
    } others[] = {
        {"\x28\xb5\x2f\xfd", 4, "compressed with zstd: name it .zst, or unpack it"},
        {"\x1f\x8b", 2, "compressed with gzip: name it .gz, or unpack it"},
        {"PK\x03\x04", 4, "a zip archive or a spreadsheet: name it .zip, or write it as CSV"},
        {"\xfd"
         "7zXZ",
         5, "compressed with xz: name it .xz, or unpack it"},
        {"PAR1", 4, "Parquet: write it as CSV (pandas.read_parquet(…).to_csv(…))"},
        {"ARROW1", 6, "Feather: write it as CSV (pandas.read_feather(…).to_csv(…))"},
        {"SQLite format 3", 15,
         "a database of SQLite: pipe a SELECT of it into `harrier import -`"},
        {"\xff\xfe", 2, "UTF-16: write it as UTF-8"},
        {"\xfe\xff", 2, "UTF-16: write it as UTF-8"},
    };

    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (input->end >= others[i].length &&
            memcmp(input->buffer, others[i].magic, others[i].length) == 0)
            return fail(err, STATUS_CORRUPT, "not text: %s", others[i].what);
    if (memchr(input->buffer, '\0', input->end))
        return fail(err, STATUS_CORRUPT, "not text: it has bytes of value 0");
    if (input->end >= 3 && memcmp(input->buffer, "\xef\xbb\xbf", 3) == 0)
        input->begin = 3;
    return STATUS_OK;
}

static bool looks_like_json(const struct input *input)
{
    static const char blanks[4] = {' ', '\t', '\r', '\n'};

    for (size_t i = input->begin; i < input->end; i++)
        if (!memchr(blanks, input->buffer[i], sizeof blanks))
            return input->buffer[i] == '[' || input->buffer[i] == '{';
    return false;
}

static const char not_matching[] = "its name does not match --symbol-from";

static bool is_skipped(const struct parse_plan *plan, const struct source_file *file)
{
    char name[1024];

    snprintf(name, sizeof name, "%.*s", (int)MIN(file->base_length, sizeof name - 1),
             file->name + file->base);
    return plan->has_symbol_from && regexec(&plan->symbol_from, name, 0, NULL, 0) != 0;
}

/* The symbol of the whole file; length 0 where the layout's column says it row by row. */
static enum status symbol_of_file(const struct parse_plan *plan, const struct parse_job *job,
                                  const struct layout *layout, char symbol[SYMBOL_BYTES_MAX],
                                  struct text *found, struct error *err)
{
    const char *base = job->file.name + job->file.base;
    size_t length = job->file.base_length;
    regmatch_t match[2];
    char name[1024];

    *found = (struct text){symbol, 0};
    if (plan->options->symbol) {
        *found = text_of(plan->options->symbol);
        return STATUS_OK;
    }
    if (!plan->has_symbol_from) {
        if (layout->column[FIELD_SYMBOL] >= 0)
            return STATUS_OK;
        if (length == 0)
            return fail(err, STATUS_USAGE,
                        "there is no column of symbols: say --symbol NAME or --column symbol=NAME");
        for (size_t i = length; i-- > 1;)
            if (base[i] == '.') {
                length = i;
                break;
            }
        *found = (struct text){base, length};
    } else {
        snprintf(name, sizeof name, "%.*s", (int)MIN(length, sizeof name - 1), base);
        if (regexec(&plan->symbol_from, name, 2, match, 0) != 0)
            return fail(err, STATUS_USAGE, "%s", not_matching);
        match[0] = match[1].rm_so >= 0 ? match[1] : match[0];
        *found = (struct text){base + match[0].rm_so, (size_t)(match[0].rm_eo - match[0].rm_so)};
    }
    TRY(symbol_check(*found, err));
    memcpy(symbol, found->at, found->length);
    found->at = symbol;
    return STATUS_OK;
}

/* What only the rows could tell. */
static void describe_rows(struct parse_job *job, const struct layout *layout,
                          const struct rows *rows, bool zone_given)
{
    static const char *const orders[] = {[ORDER_ONE_ROW] = "",
                                         [ORDER_OLDEST_FIRST] = "",
                                         [ORDER_NEWEST_FIRST] = "; newest row first",
                                         [ORDER_MIXED] = "; rows not in order of time, sorted"};
    struct buffer text = {0};
    const char *separator = "; times ";

    buffer_add_text(&text, layout->text);
    for (int style = 0; style < STYLE_COUNT; style++)
        if (rows->styles >> style & 1) {
            buffer_addf(&text, "%s%s", separator, moment_style_words((enum moment_style)style));
            separator = " and ";
        }
    if (rows->styles & (1u << STYLE_LOCAL) && !zone_given)
        buffer_add_text(&text, ", taken as UTC (--zone says otherwise)");
    else if (rows->styles & (1u << STYLE_LOCAL))
        buffer_addf(&text, ", of the zone %s", rows->zone->name);
    buffer_add_text(&text, orders[job->table.order]);
    if (job->table.phase_ms != 0)
        buffer_addf(&text, "; bars begin %lld s after the full %s, every one",
                    (long long)(job->table.phase_ms / 1000),
                    timeframe_ms(job->table.frame) >= 3600000 ? "hour"
                                                              : timeframe_name(job->table.frame));
    job->no_memory |= text.failed;
    job->layout = mem_copy_text(buffer_text(&text));
    job->no_memory |= job->layout == NULL;
    buffer_deinit(&text);
}

static enum status rows_begin(struct input *input, struct rows *rows, const struct layout *layout,
                              struct error *err)
{
    struct parse_job *job = input->job;
    char symbol[SYMBOL_BYTES_MAX] = "";
    struct text found;

    TRY(symbol_of_file(input->plan, job, layout, symbol, &found, err));
    return rows_init(rows, layout, &input->plan->zone, &job->table, found, err);
}

static enum status rows_end(struct input *input, struct rows *rows, const struct layout *layout,
                            struct error *err)
{
    struct parse_job *job = input->job;

    if (rows->full)
        return fail(err, STATUS_LIMIT, "more than %d rows of one symbol: split the file",
                    IMPORT_ROWS_MAX);
    if (job->table.no_memory)
        return fail(err, STATUS_MEMORY, "no memory for its rows");
    table_finish(&job->table);
    if (job->table.no_memory)
        return fail(err, STATUS_MEMORY, "no memory to sort its rows");
    describe_rows(job, layout, rows, input->plan->options->zone != NULL);
    return STATUS_OK;
}

/* ---- CSV ----------------------------------------------------------------------------------- */

/* The end of the last whole line of the window; at the file's end the last line gets its line end.
 */
static size_t whole_lines(struct input *input)
{
    const char *last;

    if (input->ended && input->end > input->begin && input->buffer[input->end - 1] != '\n') {
        input->buffer[input->end++] = '\n';
        memset(input->buffer + input->end, 0, NUMBER_SLACK_BYTES);
    }
    last = memrchr(input->buffer + input->begin, '\n', input->end - input->begin);
    return last ? (size_t)(last + 1 - input->buffer) : input->begin;
}

static enum status long_line(const struct rows *rows, struct error *err)
{
    return fail(err, STATUS_CORRUPT, "line %u is longer than %d bytes: not a table of bars",
                (unsigned)rows->line + 1, IMPORT_CHUNK_BYTES);
}

/* Room for all rows at once, as long as the first lines are; a little too much costs nothing. */
static void reserve_rows(const struct input *input, struct rows *rows, const char *at, size_t bytes)
{
    const struct source_file *file = &input->job->file;
    uint64_t all = file->kind == SOURCE_PATH ? file->disk_bytes : file->length;
    size_t lines = 0, seen = 0;

    for (; lines < 64 && seen < bytes; lines++) {
        const char *newline = memchr(at + seen, '\n', bytes - seen);

        seen = newline ? (size_t)(newline + 1 - at) : bytes;
    }
    if (rows->series && seen > 0)
        series_reserve(rows->series, MIN(all / MAX(seen / lines, LINE_BYTES_USUAL) * 17 / 16 + 64,
                                         IMPORT_ROWS_MAX));
}

static enum status parse_csv(struct input *input, struct error *err)
{
    struct layout layout;
    struct rows rows = {0};
    size_t stop = whole_lines(input);

    if (stop == input->begin)
        return long_line(&rows, err);
    TRY(layout_of_csv(&layout, &input->plan->wish,
                      (struct text){input->buffer + input->begin, stop - input->begin}, err));
    if (input->begin + layout.data_at == stop && input->ended) {
        input->job->state = IMPORT_FILE_EMPTY;
        return STATUS_OK;
    }
    TRY(rows_begin(input, &rows, &layout, err));
    input->begin += layout.data_at;
    reserve_rows(input, &rows, input->buffer + input->begin, stop - input->begin);
    for (;;) {
        rows_read_lines(&rows, input->buffer + input->begin, input->buffer + stop);
        input->begin = stop;
        if (input->ended || input->job->table.no_memory || rows.full)
            break;
        TRY(fill(input, err));
        stop = whole_lines(input);
        if (stop == input->begin && input->end > input->begin)
            return long_line(&rows, err);
    }
    return rows_end(input, &rows, &layout, err);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static enum status json_failed(const struct json *json, struct error *err)
{
    return fail(err, STATUS_CORRUPT, "not JSON of bars: %s at byte %llu", json->problem,
                (unsigned long long)json->problem_at + 1);
}

/* Rows of the first window, to see what their columns are. */
static enum status json_layout(struct input *input, struct layout *layout, bool *none,
                               struct error *err)
{
    struct text *fields = mem_alloc(JSON_SAMPLE_FIELDS * sizeof *fields);
    unsigned counts[JSON_SAMPLE_ROWS], rows = 0, used = 0;
    const char *at = input->buffer + input->begin;
    struct json json;
    enum json_step step = JSON_ROW;
    enum status status = STATUS_OK;

    if (!fields)
        return fail(err, STATUS_MEMORY, "no memory for the first rows");
    json_init(&json);
    while (rows < JSON_SAMPLE_ROWS) {
        step = json_next(&json, &at, input->buffer + input->end, input->ended);
        if (step != JSON_ROW || used + json.count > JSON_SAMPLE_FIELDS)
            break;
        memcpy(fields + used, json.fields, json.count * sizeof *fields);
        counts[rows++] = json.count;
        used += json.count;
    }
    *none = rows == 0;
    if (rows == 0 && step == JSON_BAD)
        status = json_failed(&json, err);
    else if (rows > 0)
        status = layout_of_json(layout, &input->plan->wish, fields, counts, rows, err);
    mem_free(fields);
    return status;
}

/* Walks to the end of a text that began without rows: they may come later, or it is JSON of
 * something else. */
static enum status no_bars(struct input *input, struct error *err)
{
    const char *start = input->buffer + input->begin;
    bool is_exchange_info = memmem(start, input->end - input->begin, "\"rateLimits\"", 12) &&
                            memmem(start, input->end - input->begin, "\"serverTime\"", 12);

    return fail(err, STATUS_CORRUPT,
                "JSON without bars in its first %d bytes: no list [[time, open, high, low, close, "
                "volume], …]%s",
                IMPORT_CHUNK_BYTES,
                is_exchange_info ? " (it is an exchange's exchangeInfo: symbols, no "
                                   "prices)"
                                 : "");
}

static enum status parse_json(struct input *input, struct error *err)
{
    struct layout layout;
    struct rows rows;
    struct json json;
    enum json_step step = JSON_MORE;
    bool none = true;

    TRY(json_layout(input, &layout, &none, err));
    if (none)
        return no_bars(input, err);
    TRY(rows_begin(input, &rows, &layout, err));
    json_init(&json);
    while (step != JSON_END && step != JSON_BAD && !input->job->table.no_memory && !rows.full) {
        const char *at = input->buffer + input->begin, *before = at;

        while ((step = json_next(&json, &at, input->buffer + input->end, input->ended)) ==
               JSON_ROW) {
            rows.line++;
            rows_read_fields(&rows, json.fields, json.count, false);
        }
        input->begin += (size_t)(at - before);
        if (step == JSON_MORE) {
            if (input->begin == 0 && input->end == IMPORT_CHUNK_BYTES)
                return fail(err, STATUS_CORRUPT, "a value of more than %d bytes: not JSON of bars",
                            IMPORT_CHUNK_BYTES);
            TRY(fill(input, err));
        }
    }
    if (step == JSON_BAD)
        return json_failed(&json, err);
    return rows_end(input, &rows, &layout, err);
}

/* ---- one file ------------------------------------------------------------------------------ */

static enum status parse_open_file(struct input *input, struct error *err)
{
    TRY(fill(input, err));
    if (input->end == 0) {
        input->job->state = IMPORT_FILE_EMPTY;
        return STATUS_OK;
    }
    TRY(check_text(input, err));
    if (!input->plan->wish.csv && (input->plan->wish.json || looks_like_json(input)))
        return parse_json(input, err);
    return parse_csv(input, err);
}

/* A file whose rows are all refused for one reason that is the file's: wrong timeframe. */
static bool is_refused_whole(const struct table *table)
{
    return table->series_count == 1 && table->series[0].count == 0 &&
           table->counts.rejected[IMPORT_SPACING] > 0;
}

/* The system's sentences begin with the path, which the report puts in front of every one. */
static void set_failed(struct parse_job *job, const struct error *err)
{
    const char *text = err->text;
    size_t length = strlen(job->file.name);

    if (strncmp(text, job->file.name, length) == 0 && strncmp(text + length, ": ", 2) == 0)
        text += length + 2;
    job->status = err->status;
    job->state = IMPORT_FILE_FAILED;
    job->text = mem_copy_text(text);
    job->no_memory |= job->text == NULL;
    table_deinit(&job->table);
}

void parse_file(const struct parse_plan *plan, struct parse_job *job, char *buffer,
                void (*tick)(void *context), void *context)
{
    struct input input = {
        .plan = plan, .job = job, .buffer = buffer, .tick = tick, .context = context};
    const struct import_options *options = plan->options;
    enum status status = STATUS_OK;
    struct error err;

    table_init(&job->table, options->market.frame,
               options->rejects_shown ? options->rejects_shown : IMPORT_REJECTS_SHOWN);
    job->state = IMPORT_FILE_READ;
    if (job->file.kind == SOURCE_FAILED) {
        set_failed(job, job->file.err);
        return;
    }
    if (is_skipped(plan, &job->file)) {
        job->state = IMPORT_FILE_SKIPPED;
        job->text = mem_copy_text(not_matching);
        job->no_memory = job->text == NULL;
        return;
    }
    if (job->file.kind == SOURCE_PATH)
        status = options->env->calls->open(options->env, &input.file, job->file.path, OPEN_READ,
                                           &err);
    if (status == STATUS_OK)
        status = parse_open_file(&input, &err);
    if (input.file)
        options->env->calls->close(options->env, input.file);
    job->bytes = input.at;
    mem_free(job->file.bytes); /* bars are what is wanted from here on */
    job->file.bytes = NULL;
    if (status == STATUS_OK && is_refused_whole(&job->table)) {
        status = fail(&err, STATUS_USAGE, "%s", "");
        for (size_t i = 0; i < job->table.reject_count; i++)
            if (job->table.rejects[i].reason == IMPORT_SPACING)
                fail(&err, STATUS_USAGE, "%s", job->table.rejects[i].text);
    }
    if (status != STATUS_OK)
        set_failed(job, &err);
}

void parse_job_deinit(struct parse_job *job)
{
    source_file_deinit(&job->file);
    table_deinit(&job->table);
    mem_free(job->text);
    mem_free(job->layout);
    *job = (struct parse_job){.no_memory = false};
}
