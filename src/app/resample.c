/* harrier resample: a coarser timeframe of the same venue. */
#include "app/app.h"
#include "import/import.h"

static void resample_progress(void *context, size_t done, size_t symbols)
{
    struct progress *progress = context;

    progress->total = symbols;
    progress_update(progress, done);
}

static void resample_line(const struct resample_options *options,
                          const struct resample_report *report, const char *from,
                          struct buffer *out)
{
    char a[NUMBER_TEXT_BYTES], b[NUMBER_TEXT_BYTES];

    buffer_addf(out, "%s to %s/%s: %zu symbols, %s bars into %s; %llu new, %llu there already",
                from, options->from.venue, timeframe_name(options->to), report->symbols,
                with_commas((double)report->bars_from, 0, false, a),
                with_commas((double)report->bars_to, 0, false, b),
                (unsigned long long)report->added, (unsigned long long)report->same);
    if (report->replaced)
        buffer_addf(out, ", %llu replaced", (unsigned long long)report->replaced);
    buffer_add_char(out, '\n');
}

static void resample_json(const struct resample_options *options,
                          const struct resample_report *report, const char *from,
                          struct buffer *out)
{
    struct json json = {.out = *out};

    json_begin(&json, NULL, '{');
    json_text(&json, "from", from);
    json_text(&json, "to", timeframe_name(options->to));
    json_int(&json, "symbols", (int64_t)report->symbols);
    json_int(&json, "failed", (int64_t)report->failed);
    json_int(&json, "bars", (int64_t)report->bars_to);
    json_int(&json, "added", (int64_t)report->added);
    json_int(&json, "same", (int64_t)report->same);
    json_int(&json, "replaced", (int64_t)report->replaced);
    json_int(&json, "contradicted", (int64_t)report->contradicted);
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    *out = json.out;
}

static enum status resample_command(struct app *app, struct error *err)
{
    struct resample_options options = {.env = app->env, .data_dir = app->data};
    struct resample_report report = {0};
    struct progress progress;
    struct buffer out = {0};
    char from[MARKET_TEXT_BYTES];
    enum status status;

    TRY(app_market(app, app->operands[0], &options.from, err));
    if (!conf_text(app->conf, OPT_TARGET))
        return fail(err, STATUS_USAGE, "resample needs --to TIMEFRAME, such as --to 1h");
    TRY(timeframe_parse(&options.to, text_of(conf_text(app->conf, OPT_TARGET)), err));
    options.closed = conf_flag(app->conf, OPT_CLOSED);
    options.replace = conf_flag(app->conf, OPT_REPLACE);
    options.progress = resample_progress;
    options.progress_context = &progress;
    progress_begin(&progress, app, "symbols", 0);
    app_stop_words(COMMIT_STOP_WORDS);
    status = resample_run(&options, &report, err);
    app_stop_words(NULL);
    progress_end(&progress);
    if (status != STATUS_OK && status != STATUS_PARTIAL)
        return status;
    market_to_text(&options.from, from);
    (app->json ? resample_json : resample_line)(&options, &report, from, &out);
    if (report.failed)
        app_note("harrier: %zu symbols failed: %s", report.failed, report.first_failure);
    if (report.contradicted)
        app_note("harrier: %llu stored bars differ and were left (--replace replaces them): %s",
                 (unsigned long long)report.contradicted, report.first_contradicted);
    TRY(app_print(app, &out, err));
    return status;
}

const struct command command_resample = {
    .name = "resample",
    .operands = "MARKET",
    .least = 1,
    .most = 1,
    .summary = "derive a coarser timeframe of the same venue, exactly",
    .help = "Every period with at least one bar; weeks begin on Monday, months are calendar "
            "months, days are UTC days.\n"
            "Once more after new bars: the newest period is completed, the new ones are added.\n"
            "\n"
            "  harrier resample binance/1h --to 1d\n"
            "  harrier resample binance/1m --to 1w --closed\n",
    .options = {OPT_TARGET, OPT_CLOSED, OPT_REPLACE, OPT_JSON, OPT_DATA, OPT_HELP},
    .run = resample_command,
};
