/* harrier import: files into the store, and what was found in them. */
#include "import/import.h"

#include <string.h>

#include "app/app.h"

enum { FILES_SHOWN = 10 };

static void on_progress(void *context, const struct import_progress *done)
{
    struct progress *progress = context;

    progress->total = (size_t)(done->bytes_total / 1000000);
    progress_update(progress, (size_t)(done->bytes_done / 1000000));
}

static void layout_lines(const struct import_report *report, struct buffer *out)
{
    for (size_t i = 0; i < report->layout_count; i++) {
        const struct import_layout *layout = &report->layouts[i];

        if (layout->files == 1)
            buffer_addf(out, "read %s as: %s\n", report->files[layout->first_file].name,
                        layout->text);
        else
            buffer_addf(out, "read %zu files as: %s\n", layout->files, layout->text);
    }
}

static void file_lines(const struct import_report *report, struct buffer *out)
{
    size_t shown = 0, more = 0;

    for (size_t i = 0; i < report->file_count; i++) {
        const struct import_file *file = &report->files[i];

        if (!file->text || file->state == IMPORT_FILE_SKIPPED)
            continue;
        if (shown++ < FILES_SHOWN)
            buffer_addf(out, "%s: %s\n", file->name, file->text);
        else
            more++;
    }
    if (more)
        buffer_addf(out, "… and %zu more files\n", more);
}

static void reject_lines(const struct import_report *report, struct buffer *out)
{
    for (size_t i = 0; i < report->reject_count; i++)
        buffer_addf(out, "%s:%u: %s\n", report->rejects[i].file, report->rejects[i].line,
                    report->rejects[i].text);
    for (int r = 0; r < IMPORT_REASON_COUNT; r++)
        if (report->counts.rejected[r])
            buffer_addf(out, "%8llu rejected: %s\n", (unsigned long long)report->counts.rejected[r],
                        import_reason_words(r));
}

static void counted(struct buffer *out, uint64_t count, const char *words)
{
    char text[NUMBER_TEXT_BYTES];

    if (count)
        buffer_addf(out, ", %s %s", with_commas((double)count, 0, false, text), words);
}

static void summary(const struct app *app, const struct import_report *report, const char *market,
                    struct buffer *out)
{
    double seconds = (double)(clock_ticks_ns(app->env) - app->begin_ns) * 1e-9;
    const struct import_counts *c = &report->counts;
    char a[NUMBER_TEXT_BYTES], b[NUMBER_TEXT_BYTES];

    buffer_addf(out, "%s: %s bars added to %s symbol%s", market,
                with_commas((double)c->added, 0, false, a),
                with_commas((double)report->symbols, 0, false, b), report->symbols == 1 ? "" : "s");
    counted(out, c->same, "there already");
    counted(out, c->replaced, "replaced");
    counted(out, c->doubled, "said twice");
    counted(out, c->blank, "blank");
    counted(out, c->left_out, "left out by --where");
    counted(out, c->dropped, "newest left out by --drop-last");
    counted(out, c->rejected_all, "rejected");
    buffer_addf(out, "; %zu file%s", report->files_read, report->files_read == 1 ? "" : "s");
    counted(out, report->files_empty, "empty");
    counted(out, report->files_skipped, "skipped, their names do not match");
    counted(out, report->files_not_picked,
            conf_list_count(app->conf, OPT_FILES)
                ? "not picked by --files"
                : "left out, not named like data (--files '*' takes all)");
    counted(out, report->links_back, "left out, a link to a folder that it is in");
    counted(out, report->files_failed, "failed");
    buffer_addf(out, "; %.1f MB in %.2f s\n", (double)report->bytes * 1e-6, seconds);
}

static void summary_json(const struct import_report *report, const char *market, struct buffer *out)
{
    const struct import_counts *c = &report->counts;
    struct json json = {.out = *out};

    json_begin(&json, NULL, '{');
    json_text(&json, "market", market);
    json_int(&json, "files", (int64_t)report->files_read);
    json_int(&json, "files_failed", (int64_t)report->files_failed);
    json_int(&json, "files_empty", (int64_t)report->files_empty);
    json_int(&json, "files_skipped", (int64_t)report->files_skipped);
    json_int(&json, "files_not_picked", (int64_t)report->files_not_picked);
    json_int(&json, "links_back", (int64_t)report->links_back);
    json_int(&json, "symbols", (int64_t)report->symbols);
    json_int(&json, "rows", (int64_t)c->rows);
    json_int(&json, "added", (int64_t)c->added);
    json_int(&json, "same", (int64_t)c->same);
    json_int(&json, "replaced", (int64_t)c->replaced);
    json_int(&json, "doubled", (int64_t)c->doubled);
    json_int(&json, "blank", (int64_t)c->blank);
    json_int(&json, "left_out", (int64_t)c->left_out);
    json_int(&json, "dropped", (int64_t)c->dropped);
    json_int(&json, "rejected", (int64_t)c->rejected_all);
    json_begin(&json, "layouts", '[');
    for (size_t i = 0; i < report->layout_count; i++)
        json_text(&json, NULL, report->layouts[i].text);
    json_end(&json, ']');
    json_begin(&json, "rejects", '[');
    for (size_t i = 0; i < report->reject_count; i++) {
        json_begin(&json, NULL, '{');
        json_text(&json, "file", report->rejects[i].file);
        json_int(&json, "line", report->rejects[i].line);
        json_text(&json, "reason", import_reason_words(report->rejects[i].reason));
        json_text(&json, "text", report->rejects[i].text);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    *out = json.out;
}

/* What went wrong stands on standard error, the result on standard output. */
static enum status show(struct app *app, const struct import_report *report, const char *market,
                        struct error *err)
{
    struct buffer out = {0}, problems = {0};

    reject_lines(report, &problems);
    if (report->file_count > 1) /* what is wrong with the only one ends the program */
        file_lines(report, &problems);
    if (problems.length) {
        problems.length--; /* a note ends its line itself */
        app_note("%s", buffer_text(&problems));
    }
    buffer_deinit(&problems);
    if (app->json) {
        summary_json(report, market, &out);
    } else {
        layout_lines(report, &out);
        summary(app, report, market, &out);
        if (report->counts.rejected[IMPORT_CONTRADICTS])
            buffer_addf(&out,
                        "rows that contradict stored ones were left: --replace lets them in\n");
    }
    return app_print(app, &out, err);
}

/* A list option as the array that import takes. */
static const char *const *list_of(struct app *app, struct arena *arena, enum option option,
                                  size_t *count)
{
    const char **items;

    *count = conf_list_count(app->conf, option);
    items = ARENA_ARRAY(arena, const char *, *count + 1);
    if (!items)
        *count = 0;
    for (size_t i = 0; i < *count; i++)
        items[i] = conf_list(app->conf, option, i);
    return items;
}

static enum status import_files(struct app *app, const struct market_name *market,
                                struct arena *arena, struct error *err)
{
    struct import_report report = {0};
    struct progress progress;
    char market_text[MARKET_TEXT_BYTES];
    enum status status, shown = STATUS_OK;
    struct import_options options = {
        .env = app->env,
        .data_dir = app->data,
        .market = *market,
        .paths = app->operands,
        .path_count = app->operand_count,
        .format = conf_text(app->conf, OPT_FORMAT),
        .zone = conf_text(app->conf, OPT_ZONE),
        .symbol = conf_text(app->conf, OPT_SYMBOL),
        .symbol_from = conf_text(app->conf, OPT_SYMBOL_FROM),
        .scale = conf_text(app->conf, OPT_SCALE),
        .drop_last = conf_flag(app->conf, OPT_DROP_LAST),
        .replace = conf_flag(app->conf, OPT_REPLACE),
        .threads = app_jobs(app),
        .progress = on_progress,
        .progress_context = &progress,
    };

    options.columns = list_of(app, arena, OPT_COLUMN, &options.column_count);
    options.wheres = list_of(app, arena, OPT_WHERE, &options.where_count);
    options.globs = list_of(app, arena, OPT_FILES, &options.glob_count);
    progress_begin(&progress, app, "MB", 0);
    app_stop_words(COMMIT_STOP_WORDS);
    status = import_run(&options, &report, err);
    app_stop_words(NULL);
    progress_end(&progress);
    market_to_text(market, market_text);
    if (report.file_count)
        shown = show(app, &report, market_text, err);
    import_report_deinit(&report);
    return status != STATUS_OK ? status : shown;
}

static enum status undo(struct app *app, const struct market_name *market, struct error *err)
{
    char time[TIME_TEXT_BYTES];
    struct undo_report report = {0};
    struct buffer out = {0};
    struct json json = {0};

    TRY(store_undo(app->env, app->data, market, "harrier import --undo", &report, err));
    time_to_text(report.time_ms / 1000 * 1000, false, time);
    json_begin(&json, NULL, '{');
    json_text(&json, "undone", report.who);
    json_text(&json, "time", time);
    json_int(&json, "removed", (int64_t)report.removed);
    json_int(&json, "restored", (int64_t)report.restored);
    json_int(&json, "changed", (int64_t)report.changed);
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    buffer_addf(
        &out,
        "the batch of `%s`, %s, is taken back: %zu symbols removed, %zu restored, %zu changed\n",
        report.who, time, report.removed, report.restored, report.changed);
    buffer_addf(&out, "the same once more brings it back\n");
    return app_answer(app, &json, &out, err);
}

static enum status import_command(struct app *app, struct error *err)
{
    struct market_name market;
    struct arena arena;
    enum status status;

    if (!conf_text(app->conf, OPT_AS))
        return fail(err, STATUS_USAGE, "import needs --as MARKET, such as --as bybit/1d");
    TRY(app_market(app, conf_text(app->conf, OPT_AS), &market, err));
    if (conf_flag(app->conf, OPT_UNDO)) {
        if (app->operand_count)
            return fail(err, STATUS_USAGE,
                        "--undo takes no files: harrier import --undo --as MARKET");
        return undo(app, &market, err);
    }
    if (!app->operand_count)
        return fail(err, STATUS_USAGE,
                    "import needs files, folders, archives, or - for standard input");
    TRY(app_arena_open(&arena, err));
    status = import_files(app, &market, &arena, err);
    app_arena_close(&arena);
    return status;
}

const struct command command_import = {
    .name = "import",
    .operands = "PATH…",
    .least = 0,
    .most = 1000000,
    .summary = "read bars from files, folders, archives or standard input",
    .help =
        "CSV with any header, delimiter, order and unit of time, Binance kline files, freqtrade's "
        "JSON, MetaTrader\n"
        "exports; .gz, .zst and .tar of them. What was recognised is said; what cannot be told "
        "apart is an error that\n"
        "names the option which decides it. Rows that make no sense are reported with file and "
        "line, the rest is\n"
        "stored, in one commit. The same import twice changes nothing.\n"
        "\n"
        "  harrier import bars/*.csv --as mine/1d\n"
        "  harrier import crypto_daily_bybit_perp.tar.zst --as bybit/1d\n"
        "  harrier import us.tar.zst --as us/1d --symbol-from '^([^.]+)'\n"
        "  harrier import nse.tar.zst --as nse/1d --where Series=EQ\n"
        "  harrier import EURUSDh1.csv --as fx/1h --scale 1/100000 --zone +02:00 --symbol EURUSD\n"
        "  psql -c \"COPY (SELECT …) TO STDOUT\" | harrier import - --as db/1d\n"
        "  harrier import --undo --as mine/1d\n",
    .options = {OPT_AS, OPT_FORMAT, OPT_ZONE, OPT_COLUMN, OPT_SYMBOL, OPT_SYMBOL_FROM, OPT_WHERE,
                OPT_SCALE, OPT_DROP_LAST, OPT_FILES, OPT_REPLACE, OPT_UNDO, OPT_JOBS, OPT_JSON,
                OPT_DATA, OPT_HELP},
    .run = import_command,
};
