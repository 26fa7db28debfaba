/* harrier backtest: one strategy over every symbol of a market, ranked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/question.h"
#include "app/ranking.h"

/* Curves are kept with a run up to this many bars; beyond it a run keeps its numbers and trades. */
enum { KEPT_CURVE_BARS_MAX = 4000000 };

struct backtest {
    struct app *app;
    struct question q;
    struct run run;
    struct run_symbol *symbols;
    struct batch_symbol *batch_symbols;
    struct batch_result *batch_results;
    size_t count;
    int sort;
    bool cached, keep_curves, interrupted;
    struct progress progress;
};

/* ---- words ----------------------------------------------------------------------------------- */

static void share_words(double share, char text[NUMBER_TEXT_BYTES])
{
    double percent = share * 100;

    snprintf(text, NUMBER_TEXT_BYTES, "%.4g %%", percent);
}

static void describe_headline(const struct question *q, struct buffer *out)
{
    buffer_add_text(out, q->rule->name);
    for (int p = 0; p < q->rule->parameter_count; p++) {
        buffer_addf(out, "%s%s ", p ? ", " : " (", q->rule->parameters[p].name);
        if (q->rule->parameters[p].percent)
            buffer_addf(out, "%.6g %%", q->parameters[p] * 100);
        else
            buffer_add_double(out, q->parameters[p]);
    }
    buffer_addf(out, "%s on %s", q->rule->parameter_count ? ")" : "", q->market_text);
}

static void describe_span(const struct backtest *b, struct buffer *out)
{
    int64_t from = INT64_MAX, to = INT64_MIN;
    bool daily = timeframe_is_daily_or_longer(b->q.market.frame);
    char text[TIME_TEXT_BYTES];

    for (size_t i = 0; i < b->count; i++)
        if (b->symbols[i].bars) {
            from = MIN(from, b->symbols[i].from_ms);
            to = MAX(to, b->symbols[i].to_ms);
        }
    if (from > to)
        return;
    time_to_text(from, daily, text);
    buffer_addf(out, ", %s", text);
    time_to_text(to, daily, text);
    buffer_addf(out, " to %s", text);
}

static void describe_fills(const struct question *q, struct buffer *out)
{
    const struct sim_options *o = &q->options;
    char text[NUMBER_TEXT_BYTES];

    share_words(o->fee, text);
    buffer_addf(out, "%s fills, fee %s", o->fill == FILL_OPEN ? "next-open" : "same-close", text);
    if (o->fee_mode == FEE_DEDUCT)
        buffer_add_text(out, " out of the amount");
    if (o->fee_min > 0)
        buffer_addf(out, " (at least %s)", with_commas(o->fee_min, 2, false, text));
    if (o->slippage > 0) {
        share_words(o->slippage, text);
        buffer_addf(out, ", slippage %s", text);
    }
    buffer_addf(out, ", %s each; a year has %d days", with_commas(o->cash, 0, false, text),
                q->year_days);
}

/* ---- the engine ------------------------------------------------------------------------------ */

static void on_progress(void *context, size_t done)
{
    progress_update(context, done);
}

static enum status calculate(struct backtest *b, struct error *err)
{
    struct batch batch = {
        .rule = b->q.rule,
        .parameters = b->q.parameters,
        .options = b->q.options,
        .symbols = b->batch_symbols,
        .symbol_count = b->q.symbol_count,
        .want = WANT_ALL_METRICS | WANT_QUANTILES | WANT_TRADES |
                (b->keep_curves ? WANT_EQUITY : 0u),
        .jobs = b->q.jobs,
        .isa = conf_text(b->app->conf, OPT_ISA),
        .progress = on_progress,
        .progress_context = &b->progress,
        .env = b->app->env,
    };
    int64_t begin;
    enum status status;

    TRY(question_benchmark(&b->q, &batch.benchmark, err));
    b->batch_results = ARENA_ARRAY(&b->q.arena, struct batch_result, b->q.symbol_count + 1);
    if (!b->batch_results)
        return fail(err, STATUS_MEMORY, "no memory for %zu results", b->q.symbol_count);
    progress_begin(&b->progress, b->app, "symbols", b->q.symbol_count);
    begin = clock_ticks_ns(b->app->env);
    status = batch_run(&batch, b->batch_results, err);
    b->run.calculation_ms = (double)(clock_ticks_ns(b->app->env) - begin) * 1e-6;
    progress_end(&b->progress);
    b->interrupted = status == STATUS_INTERRUPTED;
    return b->interrupted ? STATUS_OK : status;
}

/* Into the next row.  A symbol that was not reached before the signal has none. */
static void take_result(struct backtest *b, size_t i, const char *problem)
{
    const struct batch_symbol *symbol = &b->batch_symbols[i];
    const struct batch_result *result = &b->batch_results[i];
    struct run_symbol *s = &b->symbols[b->count];
    size_t bars = symbol->end - symbol->begin;

    if (!problem && result->status == STATUS_INTERRUPTED)
        return;
    b->count++;
    *s = (struct run_symbol){.symbol = symbol->name, .sim = result->sim, .note = result->note};
    s->ok = !problem && result->status == STATUS_OK;
    if (!s->ok)
        s->error = problem           ? problem
                   : result->problem ? result->problem
                                     : status_text(result->status);
    if (!s->ok || !bars)
        return;
    s->bars = (int64_t)bars;
    s->time = symbol->bars.time + symbol->begin;
    s->trade_time = symbol->bars.time;
    s->from_ms = s->time[0];
    s->to_ms = s->time[bars - 1];
    s->trades = result->trades;
    s->trade_count = result->trade_count;
    s->equity = result->equity;
    if (s->equity)
        sparkline(s->equity, bars, SPARKLINE_POINTS, s->sparkline, sizeof s->sparkline);
}

static enum status sum_up(struct backtest *b, struct error *err)
{
    double *hold = ARENA_ARRAY(&b->q.arena, double, b->count + 1);

    if (!hold)
        return fail(err, STATUS_MEMORY, "no memory for %zu symbols", b->count);
    b->run.symbol_count = (int64_t)b->q.symbol_count;
    for (size_t i = 0; i < b->count; i++) {
        b->run.successful += b->symbols[i].ok;
        b->run.failed += !b->symbols[i].ok;
        b->run.bars += b->symbols[i].bars;
        hold[i] = b->symbols[i].ok ? b->symbols[i].sim.metric[METRIC_BUY_HOLD_RETURN] : (double)NAN;
    }
    b->run.market_return = b->interrupted ? (double)NAN : market_return(hold, b->count);
    return STATUS_OK;
}

static enum status run_engine(struct backtest *b, struct error *err)
{
    const char **problems;
    size_t bars = 0;

    TRY(question_symbols(&b->q, &b->batch_symbols, &problems, err));
    for (size_t i = 0; i < b->q.symbol_count; i++)
        bars += b->batch_symbols[i].bars.count;
    b->keep_curves = bars <= KEPT_CURVE_BARS_MAX || conf_is_set(b->app->conf, OPT_EQUITY);
    b->symbols = ARENA_ARRAY(&b->q.arena, struct run_symbol, b->q.symbol_count + 1);
    if (!b->symbols)
        return fail(err, STATUS_MEMORY, "no memory for %zu symbols", b->q.symbol_count);
    TRY(calculate(b, err));
    for (size_t i = 0; i < b->q.symbol_count; i++)
        take_result(b, i, problems[i]);
    return sum_up(b, err);
}

/* ---- what is kept ---------------------------------------------------------------------------- */

static enum status fill_run(struct backtest *b, struct error *err)
{
    struct arena *arena = &b->q.arena;
    struct hash128 bars;
    char *text = arena_alloc(arena, 3 * HASH128_TEXT_BYTES);
    struct buffer key = {0};

    TRY(question_bars_hash(&b->q, &bars, err));
    if (!text)
        return fail(err, STATUS_MEMORY, "no memory");
    hash128_to_text(b->q.rule->hash, text);
    hash128_to_text(b->q.parameters_hash, text + HASH128_TEXT_BYTES);
    hash128_to_text(bars, text + 2 * HASH128_TEXT_BYTES);
    b->run.engine = "harrier " HARRIER_VERSION;
    b->run.rule = b->q.rule->name;
    b->run.rule_source = arena_copy_text(arena, b->q.rule->source.at, b->q.rule->source.length);
    b->run.rule_hash = text;
    b->run.parameters = b->q.parameters_json;
    b->run.parameters_hash = text + HASH128_TEXT_BYTES;
    b->run.market = b->q.market_text;
    b->run.options = b->q.options_json;
    b->run.bars_hash = text + 2 * HASH128_TEXT_BYTES;
    buffer_addf(&key, "%s|%s|%s|%s|%s|%s|%s", b->run.engine, b->run.rule, b->run.rule_hash,
                b->run.parameters_hash, b->run.market, b->run.options, b->run.bars_hash);
    if (key.failed || !b->run.rule_source)
        err->status = fail(err, STATUS_MEMORY, "no memory");
    else
        hash128_to_text(hash128_bytes(key.at, key.length), b->run.key);
    buffer_deinit(&key);
    return b->run.key[0] ? STATUS_OK : STATUS_MEMORY;
}

/* True where the same question was answered before. */
static bool answer_from_results(struct backtest *b)
{
    struct results *results;
    struct error ignored;
    size_t mark = arena_mark(&b->q.arena);
    struct run kept;

    if (conf_flag(b->app->conf, OPT_NO_CACHE) || conf_is_set(b->app->conf, OPT_TRADES) ||
        conf_is_set(b->app->conf, OPT_EQUITY))
        return false;
    if (results_open(&results, b->app->data, false, &ignored) != STATUS_OK)
        return false;
    if (results_load(results, &b->q.arena, 0, b->run.key, &kept, &b->symbols, &b->count,
                     &ignored) == STATUS_OK) {
        b->cached = true;
        b->run = kept;
    } else {
        arena_reset(&b->q.arena, mark);
    }
    results_close(results);
    return b->cached;
}

/* Keeping is a service: where it cannot be done the answer stands, and a note says why it will be
 * asked anew. */
static void keep(struct backtest *b)
{
    struct results *results;
    struct error err, ignored;
    enum status status = results_open(&results, b->app->data, true, &err);

    if (status == STATUS_OK) {
        status = results_save(results, &b->run, b->symbols, b->count, &err);
        if (status == STATUS_OK && snapshot_whole(b->q.snapshot, &err) != STATUS_OK) {
            status = err.status; /* the times of its trades and curves may be none */
            (void)results_remove(results, b->run.id, &ignored);
        }
        results_close(results);
    }
    if (status != STATUS_OK)
        app_note("harrier: this run is not kept: %s", err.text);
}

/* ---- files ----------------------------------------------------------------------------------- */

static enum status write_file(struct backtest *b, enum option option, struct buffer *out,
                              struct error *err)
{
    if (snapshot_whole(b->q.snapshot, err) == STATUS_OK)
        return output_whole(b->app, option, out, err);
    buffer_deinit(out);
    return err->status;
}

static enum status write_trades(struct backtest *b, struct error *err)
{
    bool daily = timeframe_is_daily_or_longer(b->q.market.frame);
    struct buffer out = {0};

    buffer_add_text(&out, TRADE_CSV_HEADER);
    for (size_t i = 0; i < b->count; i++) {
        const struct run_symbol *s = &b->symbols[i];

        for (size_t t = 0; t < s->trade_count; t++)
            trade_csv(&out, s->symbol, &s->trades[t], s->trade_time[s->trades[t].entry_bar],
                      s->trade_time[s->trades[t].exit_bar], daily);
    }
    return write_file(b, OPT_TRADES, &out, err);
}

static enum status write_equity(struct backtest *b, struct error *err)
{
    bool daily = timeframe_is_daily_or_longer(b->q.market.frame);
    struct buffer out = {0};

    buffer_add_text(&out, EQUITY_CSV_HEADER);
    for (size_t i = 0; i < b->count; i++)
        if (b->symbols[i].equity)
            equity_csv(&out, b->symbols[i].symbol, b->symbols[i].equity, b->symbols[i].time,
                       (size_t)b->symbols[i].bars, daily);
    return write_file(b, OPT_EQUITY, &out, err);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void next_line(const struct backtest *b, struct buffer *out)
{
    if (b->count < 2 || !b->symbols[0].ok)
        return;
    buffer_addf(out, "next: harrier backtest %s --on %s", b->app->operands[0], b->q.market_text);
    app_same_options(b->app, out);
    buffer_addf(out, " --symbols %s     one symbol in full\n", b->symbols[0].symbol);
}

static enum status show(struct backtest *b, struct error *err)
{
    struct buffer out = {0}, headline = {0}, fills = {0};
    struct ranking ranking = {
        .app = b->app,
        .rule = b->q.rule,
        .run = &b->run,
        .symbols = b->symbols,
        .count = b->count,
        .top = conf_is_set(b->app->conf, OPT_TOP) ? (size_t)conf_whole(b->app->conf, OPT_TOP) : 0,
        .cached = b->cached,
        .color = app_color(b->app),
        .jobs = b->q.jobs,
        .daily = timeframe_is_daily_or_longer(b->q.market.frame),
    };

    describe_headline(&b->q, &headline);
    describe_span(b, &headline);
    describe_fills(&b->q, &fills);
    ranking.headline = buffer_text(&headline);
    ranking.fills = buffer_text(&fills);
    b->run.headline = arena_copy_text(&b->q.arena, ranking.headline, strlen(ranking.headline));
    b->run.fills = arena_copy_text(&b->q.arena, ranking.fills, strlen(ranking.fills));
    b->run.total_ms = (double)(clock_ticks_ns(b->app->env) - b->app->begin_ns) * 1e-6;
    if (b->app->json) {
        ranking_json(&ranking, &out);
    } else if (b->app->csv) {
        ranking_csv(&ranking, &out);
    } else if (b->run.symbol_count == 1 && b->count == 1) {
        ranking_statistics(&ranking, &b->symbols[0], &out);
    } else if (b->count) {
        ranking_table(&ranking, &out);
        next_line(b, &out);
    }
    buffer_deinit(&headline);
    buffer_deinit(&fills);
    return answer_write(b->app, &out, b->q.snapshot, err);
}

/* What was done is kept under a key that no question has: it answers none. */
static enum status interrupted(struct backtest *b, struct error *err)
{
    char name[17], kept[64] = "are not kept";

    if (!b->count)
        return fail(err, STATUS_INTERRUPTED, "interrupted before the first of %zu symbols was done",
                    b->q.symbol_count);
    if (!conf_flag(b->app->conf, OPT_NO_CACHE)) {
        env_random_name(b->app->env, name);
        hash128_to_text(hash128_bytes(name, strlen(name)), b->run.key);
        keep(b);
        if (b->run.id)
            snprintf(kept, sizeof kept, "are kept as run %lld, which answers no later question",
                     (long long)b->run.id);
    }
    return fail(err, STATUS_INTERRUPTED, "interrupted: %zu of %zu symbols were done and %s",
                b->count, b->q.symbol_count, kept);
}

static enum status answer(struct backtest *b, struct error *err)
{
    TRY(fill_run(b, err));
    if (!answer_from_results(b))
        TRY(run_engine(b, err));
    ranking_sort(b->symbols, b->count, b->sort);
    if (!b->cached)
        b->run.created_ms = clock_now_ms(b->app->env);
    TRY(show(b, err));
    if (conf_is_set(b->app->conf, OPT_TRADES))
        TRY(write_trades(b, err));
    if (conf_is_set(b->app->conf, OPT_EQUITY))
        TRY(write_equity(b, err));
    if (b->interrupted)
        return interrupted(b, err);
    if (!b->cached && !conf_flag(b->app->conf, OPT_NO_CACHE))
        keep(b);
    return b->run.failed ? STATUS_PARTIAL : STATUS_OK;
}

static enum status backtest_run(struct app *app, struct error *err)
{
    struct backtest b = {.app = app};
    enum status status;

    TRY(ranking_metric(app, OPT_SORT, SORT_COUNT, &b.sort, err));
    TRY(output_check(app, app->operands[0], err));
    TRY(question_open(&b.q, app, err));
    status = rule_require_check(b.q.rule, b.q.parameters, err);
    if (status == STATUS_OK)
        status = answer(&b, err);
    if (b.batch_results)
        batch_results_deinit(b.batch_results, b.q.symbol_count);
    question_close(&b.q);
    return status;
}

const struct command command_backtest = {
    .name = "backtest",
    .operands = "RULE",
    .least = 1,
    .most = 1,
    .reads = true,
    .summary = "one strategy over every symbol of a market, ranked",
    .help =
        "Every symbol is an account of its own. Signals are decided at a bar's close and filled at "
        "the next bar's\n"
        "open, unless --fill close. The same question is answered from the kept results; a change "
        "of any bar, the\n"
        "rule or an option asks anew.\n"
        "\n"
        "  harrier backtest rsi --on sample/1d\n"
        "  harrier backtest rsi --on sample/1d --set period=21 --set oversold=25 --sort sharpe\n"
        "  harrier backtest mine.rule --on bybit/1d --symbols BTCUSDT --trades trades.csv --equity "
        "equity.csv\n"
        "  harrier backtest macd --on us/1d --from 2015-01-01 --fee 5bps --slippage 2bps --top 50\n"
        "  harrier backtest donchian --on us/1d --json | jq '.results[0]'\n",
    .options = {OPT_ON,      OPT_SYMBOLS,      OPT_SET,      OPT_FROM,
                OPT_TO,      OPT_COLD,         OPT_CASH,     OPT_FEE,
                OPT_FEE_MIN, OPT_FEE_MODE,     OPT_SLIPPAGE, OPT_FILL,
                OPT_LOT,     OPT_MIN_NOTIONAL, OPT_BORROW,   OPT_REQUIRE_VOLUME,
                OPT_YEAR,    OPT_BENCHMARK,    OPT_SORT,     OPT_TOP,
                OPT_TRADES,  OPT_EQUITY,       OPT_NO_CACHE, OPT_JOBS,
                OPT_ISA,     OPT_JSON,         OPT_CSV,      OPT_COLOR,
                OPT_DATA,    OPT_HELP},
    .run = backtest_run,
};
