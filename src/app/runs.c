/* Commands on kept runs: runs, run show, run compare, run rm. */
#include <math.h>
#include <string.h>

#include "app/app.h"
#include "app/ranking.h"

enum { RUNS_SHOWN = 20 };

static enum status run_id(const char *text, int64_t *id, struct error *err)
{
    if (!text_to_int64(text_of(text), id) || *id < 1)
        return fail(err, STATUS_USAGE, "`%s` is not the number of a run: `harrier runs` lists them",
                    text);
    return STATUS_OK;
}

static bool has_results(struct app *app)
{
    char path[PATH_BYTES_MAX + 16];
    struct file_info info;
    struct error ignored;

    snprintf(path, sizeof path, "%s/results.db", app->data);
    return app->env->calls->path_info(app->env, path, &info, &ignored) != STATUS_MISSING;
}

/* Opens the database; that there is none yet is said. */
static enum status open_results(struct app *app, struct results **results, bool write,
                                struct error *err)
{
    char path[PATH_BYTES_MAX + 16];
    struct file_info info;
    struct error ignored;
    enum status status;

    snprintf(path, sizeof path, "%s/results.db", app->data);
    if (app->env->calls->path_info(app->env, path, &info, &ignored) == STATUS_OK &&
        !info.is_regular)
        return fail(err, STATUS_CORRUPT,
                    "%s is a directory or a device: kept runs are a file of this name", path);
    status = results_open(results, app->data, write, err);
    if (status == STATUS_MISSING && !has_results(app))
        return fail(err, STATUS_MISSING, "no run is kept in %s yet: `harrier backtest` keeps each",
                    app->data);
    return status;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static const struct sheet_column run_columns[] = {
    {"run", false, 0, false},   {"when", true, 3, false},     {"rule", true, 0, false},
    {"market", true, 0, false}, {"symbols", false, 2, false}, {"failed", false, 5, false},
    {"bars", false, 4, false},  {"ms", false, 6, false},      {"parameters", true, 7, false},
};

static void run_json(struct json *json, const struct run *run)
{
    char time[TIME_TEXT_BYTES];

    time_to_text(run->created_ms, false, time);
    json_begin(json, NULL, '{');
    json_int(json, "id", run->id);
    json_text(json, "created_at", time);
    json_text(json, "engine", run->engine);
    json_text(json, "rule", run->rule);
    json_text(json, "rule_hash", run->rule_hash);
    json_raw(json, "parameters", run->parameters);
    json_text(json, "parameters_hash", run->parameters_hash);
    json_text(json, "market", run->market);
    json_raw(json, "options", run->options);
    json_text(json, "bars_hash", run->bars_hash);
    json_int(json, "symbols", run->symbol_count);
    json_int(json, "successful", run->successful);
    json_int(json, "failed", run->failed);
    json_int(json, "bars", run->bars);
    json_number(json, "calculation_time_ms", run->calculation_ms);
    json_number(json, "total_time_ms", run->total_ms);
    json_end(json, '}');
}

static void run_row(struct sheet *table, const struct run *run)
{
    char time[TIME_TEXT_BYTES], text[NUMBER_TEXT_BYTES];

    time_to_text(run->created_ms / 1000 * 1000, false, time);
    sheet_add(table, "%lld", (long long)run->id);
    sheet_add(table, "%s", time);
    sheet_add(table, "%s", run->rule);
    sheet_add(table, "%s", run->market);
    sheet_add(table, "%lld", (long long)run->symbol_count);
    sheet_add(table, "%lld", (long long)run->failed);
    sheet_add(table, "%s", with_commas((double)run->bars, 0, false, text));
    sheet_add(table, "%.1f", run->calculation_ms);
    sheet_add(table, "%s", run->parameters);
}

/* An empty list is an answer. */
static enum status no_runs(struct app *app, struct error *err)
{
    struct buffer out = {0};
    struct json json = {0};

    json_begin(&json, NULL, '{');
    json_begin(&json, "runs", '[');
    json_end(&json, ']');
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    buffer_addf(&out, "no run is kept in %s: `harrier backtest` keeps each\n", app->data);
    return app_answer(app, &json, &out, err);
}

static enum status list_runs(struct app *app, struct results *results, struct arena *arena,
                             struct error *err)
{
    size_t limit = conf_is_set(app->conf, OPT_TOP) ? (size_t)conf_whole(app->conf, OPT_TOP)
                                                   : RUNS_SHOWN,
           count;
    struct buffer out = {0};
    struct json json = {0};
    struct sheet table;
    struct run *runs;

    TRY(results_list(results, arena, limit, &runs, &count, err));
    if (count == 0)
        return no_runs(app, err);
    sheet_init(&table, run_columns, ARRAY_COUNT(run_columns));
    json_begin(&json, NULL, '{');
    json_begin(&json, "runs", '[');
    for (size_t i = 0; i < count; i++) {
        run_json(&json, &runs[i]);
        run_row(&table, &runs[i]);
    }
    json_end(&json, ']');
    buffer_add_text(&json.out, "}\n");
    if (!app->json) {
        sheet_print(&table, &out, app->width);
        buffer_addf(&out, "\nnext: harrier run show %lld\n", (long long)runs[0].id);
    }
    out.failed |= table.failed;
    sheet_deinit(&table);
    return app_answer(app, &json, &out, err);
}

/* Opens results to read and an arena around one of the functions below. */
static enum status with_results(struct app *app, struct error *err,
                                enum status (*work)(struct app *, struct results *, struct arena *,
                                                    struct error *))
{
    struct results *results;
    struct arena arena;
    enum status status;

    TRY(open_results(app, &results, false, err));
    status = app_arena_open(&arena, err);
    if (status == STATUS_OK) {
        status = work(app, results, &arena, err);
        app_arena_close(&arena);
    }
    results_close(results);
    return status;
}

static enum status runs_command(struct app *app, struct error *err)
{
    return has_results(app) ? with_results(app, err, list_runs) : no_runs(app, err);
}

const struct command command_runs = {
    .name = "runs",
    .summary = "the runs that were kept, newest first",
    .help = "  harrier runs\n"
            "  harrier runs --top 100 --json\n",
    .options = {OPT_TOP, OPT_JSON, OPT_DATA, OPT_HELP},
    .run = runs_command,
};

/* ---- run show -------------------------------------------------------------------------------- */

static enum status trades_text(struct results *results, struct arena *arena, int64_t id, bool daily,
                               struct buffer *out, struct error *err)
{
    struct kept_trade *trades;
    size_t count;

    TRY(results_trades(results, arena, id, &trades, &count, err));
    buffer_add_text(out, TRADE_CSV_HEADER);
    for (size_t i = 0; i < count; i++)
        trade_csv(out, trades[i].symbol, &trades[i].trade, trades[i].entry_ms, trades[i].exit_ms,
                  daily);
    return STATUS_OK;
}

static enum status equity_text(struct results *results, struct arena *arena,
                               const struct ranking *ranking, struct buffer *out, struct error *err)
{
    size_t curves = 0;

    buffer_add_text(out, EQUITY_CSV_HEADER);
    for (size_t i = 0; i < ranking->count; i++) {
        size_t mark = arena_mark(arena), count;
        int64_t *time;
        double *equity;
        enum status status = results_equity(results, arena, ranking->run->id, i, &equity, &time,
                                            &count, err);

        if (status == STATUS_MISSING)
            continue; /* it failed */
        TRY(status);
        equity_csv(out, ranking->symbols[i].symbol, equity, time, count, ranking->daily);
        arena_reset(arena, mark);
        curves++;
    }
    if (!curves)
        return fail(err, STATUS_MISSING,
                    "run %lld keeps no equity: ask it again with `backtest --equity FILE`",
                    (long long)ranking->run->id);
    return STATUS_OK;
}

/* To the file of the option; `status` is how making the text went. */
static enum status write_text(struct app *app, enum option option, struct buffer *text,
                              enum status status, struct error *err)
{
    if (status == STATUS_OK)
        return output_whole(app, option, text, err);
    buffer_deinit(text);
    return status;
}

/* The files that were asked for. */
static enum status write_files(struct app *app, struct results *results, struct arena *arena,
                               const struct ranking *ranking, struct error *err)
{
    struct buffer text = {0};
    enum status status;

    if (conf_is_set(app->conf, OPT_TRADES)) {
        status = trades_text(results, arena, ranking->run->id, ranking->daily, &text, err);
        TRY(write_text(app, OPT_TRADES, &text, status, err));
    }
    if (conf_is_set(app->conf, OPT_EQUITY)) {
        status = equity_text(results, arena, ranking, &text, err);
        TRY(write_text(app, OPT_EQUITY, &text, status, err));
    }
    return STATUS_OK;
}

static enum status show_ranking(struct app *app, const struct ranking *ranking, struct error *err)
{
    struct buffer out = {0};

    if (app->json)
        ranking_json(ranking, &out);
    else if (app->csv)
        ranking_csv(ranking, &out);
    else if (ranking->count == 1)
        ranking_statistics(ranking, &ranking->symbols[0], &out);
    else
        ranking_table(ranking, &out);
    return app_print(app, &out, err);
}

/* Runs that were kept before the sentences were have their JSON. */
static const char *headline_of(const struct run *run)
{
    return run->headline[0] ? run->headline : run->rule;
}

static const char *fills_of(const struct run *run)
{
    return run->fills[0] ? run->fills : run->options;
}

static enum status show_run(struct app *app, struct results *results, struct arena *arena,
                            struct error *err)
{
    struct ranking ranking = {.app = app, .cached = true, .color = app_color(app)};
    struct buffer out = {0};
    struct market_name market;
    struct run run;
    int64_t id;

    TRY(run_id(app->operands[0], &id, err));
    TRY(results_load(results, arena, id, NULL, &run, &ranking.symbols, &ranking.count, err));
    TRY(market_parse(&market, text_of(run.market), err));
    ranking.run = &run;
    ranking.daily = timeframe_is_daily_or_longer(market.frame);
    ranking.top = conf_is_set(app->conf, OPT_TOP) ? (size_t)conf_whole(app->conf, OPT_TOP) : 0;
    ranking.headline = headline_of(&run);
    ranking.fills = fills_of(&run);
    TRY(write_files(app, results, arena, &ranking, err));
    if (conf_flag(app->conf, OPT_SHOW_TRADES))
        TRY(trades_text(results, arena, id, ranking.daily, &out, err));
    else if (conf_flag(app->conf, OPT_SOURCE))
        buffer_add_text(&out, run.rule_source);
    else
        return show_ranking(app, &ranking, err);
    return app_write(&out, err);
}

static enum status run_show_command(struct app *app, struct error *err)
{
    TRY(output_check(app, NULL, err));
    return with_results(app, err, show_run);
}

const struct command command_run_show = {
    .name = "run show",
    .operands = "ID",
    .least = 1,
    .most = 1,
    .summary = "a kept run: its ranking, its trades or its rule's text",
    .help = "  harrier run show 3\n"
            "  harrier run show 3 --trades-csv > trades.csv\n"
            "  harrier run show 3 --trades trades.csv --equity equity.csv\n"
            "  harrier run show 3 --source\n",
    .options = {OPT_TOP, OPT_SHOW_TRADES, OPT_TRADES, OPT_EQUITY, OPT_SOURCE, OPT_JSON, OPT_CSV,
                OPT_COLOR, OPT_DATA, OPT_HELP},
    .run = run_show_command,
};

/* ---- run compare ----------------------------------------------------------------------------- */

static const struct run_symbol *same_symbol(const struct run_symbol *symbols, size_t count,
                                            const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (symbols[i].ok && !strcmp(symbols[i].symbol, name))
            return &symbols[i];
    return NULL;
}

struct compared {
    struct run run;
    struct run_symbol *symbols;
    size_t count;
};

static void compare_counts(const struct compared side[2], struct buffer *out)
{
    size_t both = 0, better = 0;

    for (size_t i = 0; i < side[0].count; i++) {
        const struct run_symbol *other = same_symbol(side[1].symbols, side[1].count,
                                                     side[0].symbols[i].symbol);

        if (!side[0].symbols[i].ok || !other)
            continue;
        both++;
        better += other->sim.metric[METRIC_TOTAL_RETURN] >
                  side[0].symbols[i].sim.metric[METRIC_TOTAL_RETURN];
    }
    buffer_addf(out, "\n%zu symbols in both; run %lld returned more on %zu of them\n", both,
                (long long)side[1].run.id, better);
}

static const struct sheet_column compare_columns[] = {{"", true, 0, false},
                                                      {"first", false, 0, false},
                                                      {"second", false, 0, false},
                                                      {"difference", false, 0, false}};

static void compare_table(const struct app *app, const struct compared side[2], struct buffer *out)
{
    struct sheet table;

    sheet_init(&table, compare_columns, ARRAY_COUNT(compare_columns));
    for (int s = 0; s < 2; s++)
        buffer_addf(out, "run %lld: %s\n  %s\n", (long long)side[s].run.id,
                    headline_of(&side[s].run), fills_of(&side[s].run));
    buffer_add_text(out, "\nmedian over the symbols\n");
    for (int m = 0; m < METRIC_COUNT; m++) {
        double a = metric_median(side[0].symbols, side[0].count, m);
        double b = metric_median(side[1].symbols, side[1].count, m);
        char text[NUMBER_TEXT_BYTES];

        sheet_add(&table, "%s", metric_rows[m].title);
        sheet_add(&table, "%s", metric_words(m, a, false, text));
        sheet_add(&table, "%s", metric_words(m, b, false, text));
        sheet_add(&table, "%s",
                  metric_rows[m].unit == UNIT_DURATION ? "" : with_commas(b - a, 2, true, text));
    }
    sheet_print(&table, out, app->width);
    out->failed |= table.failed;
    sheet_deinit(&table);
    compare_counts(side, out);
}

static void compare_json(const struct compared side[2], struct buffer *out)
{
    struct json json = {.out = *out};

    json_begin(&json, NULL, '{');
    json_begin(&json, "runs", '[');
    for (int s = 0; s < 2; s++)
        run_json(&json, &side[s].run);
    json_end(&json, ']');
    json_begin(&json, "medians", '{');
    for (int m = 0; m < METRIC_COUNT; m++) {
        json_begin(&json, metric_rows[m].name, '[');
        for (int s = 0; s < 2; s++)
            json_number(&json, NULL, metric_median(side[s].symbols, side[s].count, m));
        json_end(&json, ']');
    }
    json_end(&json, '}');
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    *out = json.out;
}

static enum status compare_runs(struct app *app, struct results *results, struct arena *arena,
                                struct error *err)
{
    struct compared side[2];
    struct buffer out = {0};

    for (int s = 0; s < 2; s++) {
        int64_t id;

        TRY(run_id(app->operands[s], &id, err));
        TRY(results_load(results, arena, id, NULL, &side[s].run, &side[s].symbols, &side[s].count,
                         err));
    }
    if (app->json)
        compare_json(side, &out);
    else
        compare_table(app, side, &out);
    return app_print(app, &out, err);
}

static enum status run_compare_command(struct app *app, struct error *err)
{
    return with_results(app, err, compare_runs);
}

const struct command command_run_compare = {
    .name = "run compare",
    .operands = "A B",
    .least = 2,
    .most = 2,
    .summary = "two kept runs side by side",
    .help = "  harrier run compare 3 4\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = run_compare_command,
};

/* ---- run rm ---------------------------------------------------------------------------------- */

static enum status remove_runs(struct app *app, struct results *results, struct json *json,
                               struct error *err)
{
    json_begin(json, NULL, '{');
    json_begin(json, "removed", '[');
    for (size_t i = 0; i < app->operand_count; i++) {
        int64_t id;

        TRY(run_id(app->operands[i], &id, err));
        TRY(results_remove(results, id, err));
        json_int(json, NULL, id);
    }
    json_end(json, ']');
    json_end(json, '}');
    buffer_add_char(&json->out, '\n');
    return STATUS_OK;
}

static enum status run_rm_command(struct app *app, struct error *err)
{
    struct results *results;
    struct json json = {0};
    enum status status;

    TRY(open_results(app, &results, true, err));
    status = remove_runs(app, results, &json, err);
    results_close(results);
    if (status == STATUS_OK && app->json)
        return app_write(&json.out, err);
    buffer_deinit(&json.out);
    return status;
}

const struct command command_run_rm = {
    .name = "run rm",
    .operands = "ID…",
    .least = 1,
    .most = 100000,
    .summary = "forget kept runs",
    .help = "  harrier run rm 3 4\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = run_rm_command,
};
