/* harrier verify: reads every stored byte and checks it. */
#include "app/app.h"

static void verify_json(const char *market, const struct verify_report *report, size_t lost,
                        struct json *json)
{
    json_begin(json, NULL, '{');
    json_text(json, "market", market);
    json_int(json, "symbols", (int64_t)report->symbols);
    json_int(json, "bars", (int64_t)report->bars);
    json_int(json, "bytes", (int64_t)report->bytes);
    json_int(json, "repaired", (int64_t)report->repaired);
    json_int(json, "lost_bars", (int64_t)lost);
    json_begin(json, "problems", '[');
    for (size_t i = 0; i < report->problem_count; i++) {
        json_begin(json, NULL, '{');
        json_text(json, "symbol", report->problems[i].symbol);
        json_text(json, "text", report->problems[i].text);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_end(json, '}');
}

/* What a market holds after a repair, in place of what it should have held before; returns how many
 * bars that are fewer. */
static enum status recount(struct app *app, const struct market_name *market,
                           struct verify_report *report, size_t *lost, struct error *err)
{
    struct verify_report now = {0};

    TRY(store_verify(app->env, app->data, market, false, &now, err));
    *lost = report->bars > now.bars ? report->bars - now.bars : 0;
    report->symbols = now.symbols;
    report->bars = now.bars;
    report->repaired = report->problem_count - MIN(report->problem_count, now.problem_count);
    verify_report_deinit(&now);
    return STATUS_OK;
}

static void verify_text(const char *market, const struct verify_report *report, bool repair,
                        size_t lost, struct buffer *out)
{
    char bars[NUMBER_TEXT_BYTES], gone[NUMBER_TEXT_BYTES];
    size_t left = report->problem_count - report->repaired;

    for (size_t i = 0; i < report->problem_count; i++)
        buffer_addf(out, "%s%s%s: %s\n", market, report->problems[i].symbol[0] ? " " : "",
                    report->problems[i].symbol, report->problems[i].text);
    buffer_addf(out, "%s: %zu symbol%s, %s bars: ", market, report->symbols,
                report->symbols == 1 ? "" : "s", with_commas((double)report->bars, 0, false, bars));
    if (!left)
        buffer_addf(out, "all as %s written", report->problem_count ? "it is now" : "it was");
    else
        buffer_addf(out, "%zu problem%s%s", left, left == 1 ? "" : "s",
                    repair ? " left" : "; --repair mends what can be mended");
    if (lost)
        buffer_addf(out, "; %s bars are lost: import them again",
                    with_commas((double)lost, 0, false, gone));
    buffer_add_char(out, '\n');
}

/* Text is written market by market, JSON as the one document that it is.  *unwritten: the answer
 * had no place, which ends all. */
static enum status verify_one(struct app *app, const struct market_name *market, struct json *json,
                              bool *unwritten, struct error *err)
{
    bool repair = conf_flag(app->conf, OPT_REPAIR);
    struct verify_report report = {0};
    char name[MARKET_TEXT_BYTES];
    struct buffer out = {0};
    struct error failure;
    size_t lost = 0;
    enum status status;

    market_to_text(market, name);
    TRY(store_verify(app->env, app->data, market, repair, &report, err));
    status = repair && report.problem_count ? recount(app, market, &report, &lost, err) : STATUS_OK;
    if (status == STATUS_OK && (report.problem_count > report.repaired || lost))
        status = STATUS_PARTIAL;
    if (app->json)
        verify_json(name, &report, lost, json);
    else
        verify_text(name, &report, repair, lost, &out);
    verify_report_deinit(&report);
    *unwritten = app_print(app, &out, &failure) != STATUS_OK;
    if (*unwritten)
        *err = failure;
    return *unwritten ? err->status : status;
}

/* A market that cannot be read is said, and the others go on. */
static enum status verify_all(struct app *app, struct json *json, struct error *err)
{
    struct market_name *markets;
    enum status status = STATUS_OK;
    size_t count;

    TRY(store_markets(app->env, app->data, &markets, &count, err));
    for (size_t i = 0; i < count && (status == STATUS_OK || status == STATUS_PARTIAL); i++) {
        bool unwritten = false;
        enum status got = verify_one(app, &markets[i], json, &unwritten, err);

        if (got == STATUS_INTERRUPTED || unwritten)
            status = got;
        else if (got != STATUS_OK)
            status = STATUS_PARTIAL;
        if (got != STATUS_OK && got != STATUS_PARTIAL && got != status)
            app_note("harrier: %s", err->text);
    }
    if (status == STATUS_OK || status == STATUS_PARTIAL)
        err->text[0] = '\0';
    mem_free(markets);
    return status;
}

static enum status verify_command(struct app *app, struct error *err)
{
    struct json json = {0};
    struct market_name market;
    struct error failure;
    bool unwritten = false;
    enum status status;

    json_begin(&json, NULL, '{');
    json_begin(&json, "markets", '[');
    if (app->operand_count) {
        status = app_market(app, app->operands[0], &market, err);
        if (status == STATUS_OK)
            status = verify_one(app, &market, &json, &unwritten, err);
    } else {
        status = verify_all(app, &json, err);
    }
    json_end(&json, ']');
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    if (app->json && (status == STATUS_OK || status == STATUS_PARTIAL) &&
        app_write(&json.out, &failure) != STATUS_OK) {
        *err = failure;
        status = err->status;
    }
    buffer_deinit(&json.out);
    return status;
}

const struct command command_verify = {
    .name = "verify",
    .operands = "[MARKET]",
    .most = 1,
    .reads = true,
    .summary = "read every stored byte and check it",
    .help =
        "Finds truncated and rotten files by their checksums, and bars that make no sense: exit "
        "code 1. --repair saves\n"
        "what can be saved, sets the damaged file aside, and says what is lost.\n"
        "\n"
        "  harrier verify\n"
        "  harrier verify bybit/1d --repair\n",
    .options = {OPT_REPAIR, OPT_JSON, OPT_DATA, OPT_HELP},
    .run = verify_command,
};
