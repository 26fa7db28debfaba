/* What several commands need: output, progress, rules, markets, symbols. */
#include "app/app.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum status stream_write(FILE *stream, const struct buffer *text, struct error *err)
{
    if ((fwrite(text->at, 1, text->length, stream) == text->length && fflush(stream) == 0) ||
        errno == EPIPE)
        return STATUS_OK;
    if (errno == EBADF)
        return fail(err, STATUS_REFUSED, "standard output is closed: the answer has no place");
    return fail_errno(err, errno, "cannot write the answer");
}

enum status app_write(struct buffer *out, struct error *err)
{
    enum status status = STATUS_OK;

    if (out->failed)
        status = fail(err, STATUS_MEMORY, "no memory for the answer");
    else
        status = stream_write(stdout, out, err);
    buffer_deinit(out);
    *out = (struct buffer){0};
    return status;
}

enum status app_print(const struct app *app, struct buffer *out, struct error *err)
{
    lines_fold(out, app->width);
    return app_write(out, err);
}

enum status app_answer(const struct app *app, struct json *json, struct buffer *text,
                       struct error *err)
{
    buffer_deinit(app->json ? text : &json->out);
    return app_print(app, app->json ? &json->out : text, err);
}

int terminal_width(int fd)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");

    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return columns && atoi(columns) > 0 ? atoi(columns) : 80;
}

void app_note(const char *format, ...)
{
    struct buffer note = {0};
    va_list args, again;
    int length;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    note.at = mem_alloc((size_t)length + 1);
    if (note.at) {
        note.capacity = (size_t)length + 1;
        note.length = (size_t)vsnprintf(note.at, note.capacity, format, again);
        lines_fold(&note, terminal_width(STDERR_FILENO));
        fprintf(stderr, "%s\n", buffer_text(&note));
    }
    va_end(again);
    va_end(args);
    buffer_deinit(&note);
}

enum status app_arena_open(struct arena *arena, struct error *err)
{
    size_t bytes = (size_t)1 << APP_ARENA_BYTES_LOG2;
    void *memory = NULL;

    while (!memory && bytes >= (size_t)1
                                   << 20) { /* a limit on address space may refuse the first */
        memory = memory_reserve(bytes);
        if (!memory)
            bytes /= 4;
    }
    if (!memory)
        return fail(err, STATUS_MEMORY, "cannot reserve memory");
    arena_init(arena, memory, bytes);
    return STATUS_OK;
}

void app_arena_close(struct arena *arena)
{
    if (arena->memory)
        memory_release(arena->memory, arena->bytes);
    arena->memory = NULL;
}

/* ---- progress -------------------------------------------------------------------------------- */

enum { PROGRESS_AFTER_MS = 500, PROGRESS_EVERY_MS = 100 };

void progress_begin(struct progress *progress, struct app *app, const char *what, size_t total)
{
    *progress = (struct progress){.app = app, .what = what, .total = total};
    progress->begin_ns = clock_ticks_ns(app->env);
}

void progress_update(struct progress *progress, size_t done)
{
    int64_t now, shown = __atomic_load_n(&progress->shown_ns, __ATOMIC_RELAXED);
    double seconds, rate;
    char number[NUMBER_TEXT_BYTES], all[NUMBER_TEXT_BYTES], per_second[NUMBER_TEXT_BYTES];

    if (!progress->app->terminal)
        return;
    now = clock_ticks_ns(progress->app->env);
    if (now - progress->begin_ns < PROGRESS_AFTER_MS * 1000000LL ||
        now - shown < PROGRESS_EVERY_MS * 1000000LL)
        return;
    if (!__atomic_compare_exchange_n(&progress->shown_ns, &shown, now, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return; /* another thread shows it */
    seconds = (double)(now - progress->begin_ns) * 1e-9;
    rate = (double)done / seconds;
    with_commas((double)done, 0, false, number);
    with_commas(rate, 0, false, per_second);
    if (progress->total && rate > 0)
        fprintf(stderr, "\r%3.0f %%  %s of %s %s, %s/s, %.0f s left \033[K",
                100.0 * (double)done / (double)progress->total, number,
                with_commas((double)progress->total, 0, false, all), progress->what, per_second,
                ((double)progress->total - (double)done) / rate);
    else
        fprintf(stderr, "\r%s %s, %s/s \033[K", number, progress->what, per_second);
    progress->shown = true;
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
}

/* ---- rules ----------------------------------------------------------------------------------- */

void app_builtin_names(struct buffer *out, const char *between)
{
    for (size_t i = 0; i < rule_builtin_count; i++)
        buffer_addf(out, "%s%s", i ? between : "", rule_builtins[i].name);
}

static enum status unknown_rule(const char *name, struct error *err)
{
    const char *nearest = rule_builtin_nearest(text_of(name));
    struct buffer list = {0};

    app_builtin_names(&list, ", ");
    if (nearest)
        fail(err, STATUS_USAGE,
             "no built-in rule `%s`; did you mean `%s`? (a file needs a path or a suffix: ./%s)",
             name, nearest, name);
    else
        fail(err, STATUS_USAGE,
             "no built-in rule `%s`: there are %s; a file needs a path or a suffix (./%s, %s.rule)",
             name, buffer_text(&list), name, name);
    buffer_deinit(&list);
    return err->status;
}

static enum status read_standard_input(const struct env *env, char **bytes, size_t *length,
                                       struct error *err)
{
    struct buffer in = {0};
    char piece[65536];
    size_t got;

    while ((got = fread(piece, 1, sizeof piece, stdin)) > 0 && in.length <= RULE_SOURCE_BYTES_MAX)
        buffer_add(&in, piece, got);
    if (in.failed || ferror(stdin)) {
        buffer_deinit(&in);
        if (env_is_stopped(env))
            return fail(err, STATUS_INTERRUPTED, "interrupted");
        return errno == EBADF
                   ? fail(err, STATUS_USAGE, "standard input is closed: it holds no rule")
                   : fail_errno(err, errno, "cannot read the rule from standard input");
    }
    *bytes = in.at;
    *length = in.length;
    return STATUS_OK;
}

static enum status compile_bytes(char *bytes, size_t length, const char *name, struct arena *arena,
                                 const struct rule **rule, struct error *err)
{
    enum status status;
    char *kept;

    if (length > RULE_SOURCE_BYTES_MAX)
        status = fail(err, STATUS_USAGE, "%s: a rule has at most %d bytes", name,
                      RULE_SOURCE_BYTES_MAX);
    else if (!(kept = arena_copy_text(arena, bytes ? bytes : "", length)))
        status = fail(err, STATUS_MEMORY, "no memory for the rule");
    else
        status = rule_compile(rule, arena, (struct text){kept, length}, name, err);
    mem_free(bytes);
    return status;
}

enum status app_rule(struct app *app, const char *name, struct arena *arena,
                     const struct rule **rule, struct error *err)
{
    const struct rule_builtin *builtin = rule_builtin_find(text_of(name));
    enum status status;
    char *bytes = NULL;
    size_t length = 0;

    if (builtin)
        return rule_compile(rule, arena, text_of(builtin->source), builtin->name, err);
    if (!strcmp(name, "-")) {
        TRY(read_standard_input(app->env, &bytes, &length, err));
        return compile_bytes(bytes, length, "standard input", arena, rule, err);
    }
    if (!strchr(name, '/') && !strchr(name, '.'))
        return unknown_rule(name, err);
    status = file_read_whole(app->env, name, RULE_SOURCE_BYTES_MAX, &bytes, &length, err);
    if (status != STATUS_OK)
        return err->status = status == STATUS_MISSING ? STATUS_MISSING : STATUS_USAGE;
    return compile_bytes(bytes, length, name, arena, rule, err);
}

/* ---- markets, symbols, parameters ------------------------------------------------------------ */

enum status app_market(struct app *app, const char *text, struct market_name *market,
                       struct error *err)
{
    if (!text || !*text)
        return fail(err, STATUS_USAGE,
                    "%s needs a market: --on venue/timeframe, such as --on sample/1d",
                    app->command->name);
    return market_parse(market, text_of(text), err);
}

static enum status set_one(const struct rule *rule, const char *assignment, double *values,
                           bool *set, struct error *err)
{
    const char *equal = strchr(assignment, '=');
    struct text name, value;
    int parameter;

    if (!equal || equal == assignment || !equal[1])
        return fail(err, STATUS_USAGE, "--set %s: expected NAME=VALUE, such as --set period=21",
                    assignment);
    name = text_trim((struct text){assignment, (size_t)(equal - assignment)});
    value = text_trim(text_of(equal + 1));
    parameter = rule_parameter_find(rule, name, err);
    if (parameter < 0)
        return err->status = STATUS_USAGE;
    if (set[parameter])
        return fail(err, STATUS_USAGE, "--set %s: %s is set twice; leave one out", assignment,
                    rule->parameters[parameter].name);
    set[parameter] = true;
    if (rule_parameter_read(rule, parameter, value, &values[parameter], err) != STATUS_OK)
        return err->status = STATUS_USAGE;
    return STATUS_OK;
}

enum status app_parameters(struct app *app, const struct rule *rule, double *values, bool *set,
                           struct error *err)
{
    for (int p = 0; p < rule->parameter_count; p++) {
        values[p] = rule->parameters[p].value;
        set[p] = false;
    }
    for (size_t i = 0; i < conf_list_count(app->conf, OPT_SET); i++)
        TRY(set_one(rule, conf_list(app->conf, OPT_SET, i), values, set, err));
    return STATUS_OK;
}

enum status app_no_such_symbol(const struct snapshot *snapshot, const char *pattern,
                               struct error *err)
{
    size_t count = snapshot_symbol_count(snapshot);
    const char **names = mem_alloc((count ? count : 1) * sizeof *names), *nearest;

    if (!names)
        return fail(err, STATUS_MEMORY, "no memory");
    for (size_t i = 0; i < count; i++)
        names[i] = snapshot_symbol_name(snapshot, i);
    nearest = text_nearest(text_of(pattern), names, count);
    if (nearest)
        fail(err, STATUS_MISSING, "no symbol `%s` in this market; did you mean `%s`?", pattern,
             nearest);
    else
        fail(err, STATUS_MISSING, "no symbol `%s` in this market: `harrier symbols` lists its %zu",
             pattern, count);
    mem_free(names);
    return err->status;
}

enum status app_symbols(struct app *app, const struct snapshot *snapshot, struct arena *arena,
                        size_t **chosen, size_t *count, struct error *err)
{
    size_t all = snapshot_symbol_count(snapshot),
           patterns = conf_list_count(app->conf, OPT_SYMBOLS);
    bool *wanted = ARENA_ARRAY(arena, bool, all + 1);

    *chosen = ARENA_ARRAY(arena, size_t, all + 1);
    *count = 0;
    if (!wanted || !*chosen)
        return fail(err, STATUS_MEMORY, "no memory");
    for (size_t p = 0; p < patterns; p++) {
        const char *pattern = conf_list(app->conf, OPT_SYMBOLS, p);
        bool any = false;

        for (size_t i = 0; i < all; i++)
            if (text_matches_glob(text_of(snapshot_symbol_name(snapshot, i)), pattern))
                any = wanted[i] = true;
        if (!any)
            return app_no_such_symbol(snapshot, pattern, err);
    }
    for (size_t i = 0; i < all; i++)
        if (!patterns || wanted[i])
            (*chosen)[(*count)++] = i;
    return STATUS_OK;
}

/* A word as a shell reads it back. */
static void shell_word(struct buffer *out, const char *word)
{
    bool plain = *word != '\0';

    for (const char *c = word; *c; c++)
        plain &= isalnum((unsigned char)*c) || strchr("_./%=,:+-", *c) != NULL;
    buffer_add_text(out, plain ? " " : " '");
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            buffer_add_text(out, "'\\''");
        else
            buffer_add_char(out, *c);
    if (!plain)
        buffer_add_char(out, '\'');
}

void app_same_option(struct app *app, enum option option, struct buffer *out)
{
    const struct option_row *row = &option_rows[option];
    size_t count = row->type == OPTION_LIST ? conf_list_count(app->conf, option) : 1;

    if (conf_source(app->conf, option) != FROM_COMMAND_LINE)
        return;
    for (size_t n = 0; n < count; n++) {
        buffer_addf(out, " --%s", row->flag);
        if (row->type == OPTION_LIST)
            shell_word(out, conf_list(app->conf, option, n));
        else if (row->type != OPTION_FLAG)
            shell_word(out, conf_text(app->conf, option));
    }
}

void app_same_options(struct app *app, struct buffer *out)
{
    static const enum option asked[] = {
        OPT_SET,     OPT_FROM,           OPT_TO,       OPT_COLD,      OPT_CASH, OPT_FEE,
        OPT_FEE_MIN, OPT_FEE_MODE,       OPT_SLIPPAGE, OPT_FILL,      OPT_LOT,  OPT_MIN_NOTIONAL,
        OPT_BORROW,  OPT_REQUIRE_VOLUME, OPT_YEAR,     OPT_BENCHMARK, OPT_DATA,
    };

    for (size_t i = 0; i < ARRAY_COUNT(asked); i++)
        app_same_option(app, asked[i], out);
}

int app_jobs(struct app *app)
{
    return conf_is_set(app->conf, OPT_JOBS) ? (int)conf_whole(app->conf, OPT_JOBS)
                                            : processors_usable();
}

bool app_color(struct app *app)
{
    const char *when = conf_text(app->conf, OPT_COLOR), *no = getenv("NO_COLOR");

    if (!strcmp(when, "always"))
        return true;
    return strcmp(when, "never") != 0 && app->width > 0 && !(no && *no);
}
