/* harrier sweep: every parameter set of a rule over every symbol. */
#include <math.h>
#include <string.h>

#include "app/question.h"
#include "app/ranking.h"

enum {
    SWEEP_TOP_USUAL = 10,
    SURFACE_PIECE_BYTES = 1 << 20,
    FAILURES_SHOWN = 5,
    SURFACE_CELL_BYTES = 10, /* about */
    SURFACE_SAID_BYTES = 100 << 20
};

struct sweeping {
    struct app *app;
    struct question q;
    struct grid grid;
    struct sweep sweep;
    struct sweep_result result;
    const char **problems; /* of each symbol: why it could not be read; NULL: it was */
    struct progress progress;
    double calculation_ms;
    struct buffer surface; /* the CSV of every combination, as far as it is not written */
    struct output surface_file;
    bool surface_is_open;
    bool interrupted;
};

/* ---- the grid -------------------------------------------------------------------------------- */

static enum status build_grid(struct sweeping *s, struct error *err)
{
    struct conf *conf = s->app->conf;

    grid_init(&s->grid, s->q.rule, s->q.parameters);
    if (conf_list_count(conf, OPT_GRID) == 0)
        TRY(grid_add_ranges(&s->grid, &s->q.arena, s->q.set, err));
    for (size_t i = 0; i < conf_list_count(conf, OPT_GRID); i++)
        TRY(grid_add(&s->grid, &s->q.arena, text_of(conf_list(conf, OPT_GRID, i)), err));
    for (int p = 0; p < s->q.rule->parameter_count; p++)
        if (s->q.set[p] && s->grid.axes[p].count)
            return fail(err, STATUS_USAGE,
                        "%s stands in --set and in --grid: --set holds it still, --grid walks it; "
                        "leave one out",
                        s->q.rule->parameters[p].name);
    if (s->grid.combinations < 2 && conf_list_count(conf, OPT_GRID) == 0)
        return fail(err, STATUS_USAGE,
                    "nothing to sweep: give --grid NAME=LO..HI, or ranges in the rule (`param "
                    "period = 14 in 2..50`)");
    return STATUS_OK;
}

/* ---- the surface ----------------------------------------------------------------------------- */

/* A rank that needs the curves has every metric computed; Sortino's ratio costs a sum a bar, 7 % of
 * the whole, and is computed where it is the rank. */
static bool is_computed(const struct sweeping *s, int m)
{
    return !metric_rows[s->sweep.rank].ranking ||
           (metric_rows[m].ranking && (m != METRIC_SORTINO || s->sweep.rank == METRIC_SORTINO));
}

static bool has_column(const struct sweeping *s, int m)
{
    return (metric_rows[m].ranking || m == (int)s->sweep.rank) && is_computed(s, m);
}

static void surface_header(struct sweeping *s)
{
    for (int p = 0; p < s->q.rule->parameter_count; p++)
        buffer_addf(&s->surface, "%s,", s->q.rule->parameters[p].name);
    buffer_add_text(&s->surface, "symbols");
    for (int m = 0; m < METRIC_COUNT; m++)
        if (has_column(s, m))
            buffer_addf(&s->surface, ",%s", metric_rows[m].name);
    buffer_add_char(&s->surface, '\n');
}

static void surface_row(struct sweeping *s, const struct sweep_row *row)
{
    double values[RULE_PARAMETERS_MAX];

    grid_values(&s->grid, row->combination, values);
    for (int p = 0; p < s->q.rule->parameter_count; p++) {
        buffer_add_double(&s->surface, values[p]);
        buffer_add_char(&s->surface, ',');
    }
    buffer_addf(&s->surface, "%zu", row->symbols);
    for (int m = 0; m < METRIC_COUNT; m++)
        if (has_column(s, m)) {
            buffer_add_char(&s->surface, ',');
            if (isfinite(row->metric[m]))
                buffer_add_double(&s->surface, row->metric[m]);
        }
    buffer_add_char(&s->surface, '\n');
}

static enum status surface_rows(void *context, const struct sweep_row *rows, size_t count,
                                struct error *err)
{
    struct sweeping *s = context;

    for (size_t i = 0; i < count; i++)
        surface_row(s, &rows[i]);
    return s->surface.length > SURFACE_PIECE_BYTES ? output_add(&s->surface_file, &s->surface, err)
                                                   : STATUS_OK;
}

/* Hours of writing are not begun where they cannot end. */
static enum status surface_room(const struct sweeping *s, struct error *err)
{
    const char *path = conf_text(s->app->conf, OPT_SURFACE);
    double rows = (double)s->grid.combinations, bytes, room = (double)disk_free_bytes(path);
    int columns = s->q.rule->parameter_count + 1;
    char count[NUMBER_TEXT_BYTES];

    if (s->sweep.random)
        rows = fmin(rows, (double)s->sweep.random);
    for (int m = 0; m < METRIC_COUNT; m++)
        columns += has_column(s, m);
    bytes = rows * columns * SURFACE_CELL_BYTES;
    with_commas(rows, 0, false, count);
    if (bytes > room)
        return fail(err, STATUS_FULL,
                    "--surface %s: %s combinations would take about %.1f GB, and there is room for "
                    "%.1f GB; --random N draws some of them",
                    path, count, bytes * 1e-9, room * 1e-9);
    if (bytes > SURFACE_SAID_BYTES && room < (double)UINT64_MAX)
        app_note("--surface %s: %s combinations will take about %.1f GB, and there is room for "
                 "%.1f GB",
                 path, count, bytes * 1e-9, room * 1e-9);
    return STATUS_OK;
}

static enum status surface_open(struct sweeping *s, struct error *err)
{
    if (!conf_is_set(s->app->conf, OPT_SURFACE))
        return STATUS_OK;
    TRY(surface_room(s, err));
    TRY(output_open(&s->surface_file, s->app, OPT_SURFACE, err));
    s->surface_is_open = true;
    s->sweep.surface = surface_rows;
    s->sweep.surface_context = s;
    surface_header(s);
    return STATUS_OK;
}

static enum status surface_close(struct sweeping *s, struct error *err)
{
    enum status status = STATUS_OK;

    if (s->surface_is_open && s->surface.length)
        status = output_add(&s->surface_file, &s->surface, err);
    output_close(&s->surface_file);
    buffer_deinit(&s->surface);
    s->surface = (struct buffer){0};
    s->surface_is_open = false;
    return status;
}

/* No row stays where a file was cut while it was read. */
static enum status surface_check(struct sweeping *s, struct error *err)
{
    struct error ignored;
    enum status status = snapshot_whole(s->q.snapshot, err);

    if (status != STATUS_OK) {
        s->surface.length = 0;
        (void)output_empty(&s->surface_file, &ignored);
    }
    return status;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static int sweep_columns(const struct sweeping *s, struct sheet_column *columns,
                         int axes[RULE_PARAMETERS_MAX])
{
    static const enum metric shown[] = {METRIC_TOTAL_RETURN, METRIC_MAX_DRAWDOWN, METRIC_SHARPE,
                                        METRIC_TRADES, METRIC_WIN_RATE};
    int count = 0;

    columns[count++] = (struct sheet_column){"#", false, 0, false};
    for (int p = 0; p < s->q.rule->parameter_count && count < SHEET_COLUMNS_MAX - 7; p++)
        if (s->grid.axes[p].count > 1) {
            axes[count] = p;
            columns[count++] = (struct sheet_column){s->q.rule->parameters[p].name, false, 0,
                                                     false};
        }
    axes[0] = count; /* where metrics begin */
    if (s->sweep.rank != METRIC_TOTAL_RETURN && s->sweep.rank != METRIC_SHARPE) {
        axes[count] = (int)s->sweep.rank;
        columns[count++] = (struct sheet_column){metric_rows[s->sweep.rank].name, false, 0, false};
    }
    for (size_t i = 0; i < ARRAY_COUNT(shown); i++)
        if (shown[i] != s->sweep.rank || shown[i] == METRIC_TOTAL_RETURN ||
            shown[i] == METRIC_SHARPE) {
            axes[count] = (int)shown[i];
            columns[count++] = (struct sheet_column){metric_rows[shown[i]].name, false, (int)i,
                                                     shown[i] == METRIC_TOTAL_RETURN};
        }
    return count;
}

static void sweep_row_cells(const struct sweeping *s, struct sheet *table, const int axes[],
                            int count, size_t place, const struct sweep_row *row)
{
    double values[RULE_PARAMETERS_MAX];
    char text[NUMBER_TEXT_BYTES];

    grid_values(&s->grid, row->combination, values);
    sheet_add(table, "%zu", place);
    for (int c = 1; c < axes[0]; c++)
        if (s->q.rule->parameters[axes[c]].percent)
            sheet_add(table, "%.6g%%", values[axes[c]] * 100);
        else
            sheet_add(table, "%.10g", values[axes[c]]);
    for (int c = axes[0]; c < count; c++)
        sheet_add(
            table, "%s",
            metric_words(axes[c], row->metric[axes[c]], axes[c] == METRIC_TOTAL_RETURN, text));
}

static void sweep_table(const struct sweeping *s, size_t top, struct buffer *out)
{
    struct sheet_column columns[SHEET_COLUMNS_MAX];
    int axes[SHEET_COLUMNS_MAX + RULE_PARAMETERS_MAX];
    int count = sweep_columns(s, columns, axes);
    struct sheet table;

    sheet_init(&table, columns, count);
    table.color = app_color(s->app);
    for (size_t i = 0; i < s->result.best_count && i < top; i++)
        sweep_row_cells(s, &table, axes, count, i + 1, &s->result.best[i]);
    sheet_print(&table, out, s->app->width);
    out->failed |= table.failed;
    sheet_deinit(&table);
}

static void next_line(const struct sweeping *s, struct buffer *out)
{
    double values[RULE_PARAMETERS_MAX];

    if (!s->result.best_count)
        return;
    grid_values(&s->grid, s->result.best[0].combination, values);
    buffer_addf(out, "next: harrier backtest %s --on %s", s->app->operands[0], s->q.market_text);
    app_same_options(s->app, out);
    app_same_option(s->app, OPT_SYMBOLS, out);
    for (int p = 0; p < s->q.rule->parameter_count; p++)
        if (s->grid.axes[p].count) {
            buffer_addf(out, " --set %s=", s->q.rule->parameters[p].name);
            buffer_add_double(out, values[p]);
        }
    buffer_add_char(out, '\n');
}

/* Every combination holds the same market: the first says how that went.  NaN where none is. */
static double market_held(const struct sweeping *s)
{
    return s->result.best_count ? s->result.best[0].metric[METRIC_BUY_HOLD_RETURN] : (double)NAN;
}

/* Why a symbol is not in the sweep; NULL: it is. */
static const char *failure_of(const struct sweeping *s, size_t symbol)
{
    if (s->problems[symbol])
        return s->problems[symbol];
    return s->sweep.symbols[symbol].begin < s->sweep.symbols[symbol].end
               ? NULL
               : "it has no bars in the time asked for";
}

static void failure_lines(const struct sweeping *s, struct buffer *out)
{
    size_t count = 0;

    for (size_t i = 0; i < s->sweep.symbol_count; i++)
        if (failure_of(s, i))
            failure_line(out, &count, s->sweep.symbols[i].name, failure_of(s, i));
    failures_end(out, count);
}

static void sweep_text(const struct sweeping *s, size_t top, struct buffer *out)
{
    char a[NUMBER_TEXT_BYTES], b[NUMBER_TEXT_BYTES];
    double bars = 0, seconds = s->calculation_ms * 1e-3;

    for (size_t i = 0; i < s->sweep.symbol_count; i++)
        bars += (double)(s->sweep.symbols[i].end - s->sweep.symbols[i].begin);
    buffer_addf(out, "%s on %s, %s", s->q.rule->name, s->q.market_text,
                with_commas((double)s->result.evaluated, 0, false, a));
    if (s->result.evaluated != s->grid.combinations)
        buffer_addf(out, " of %s", with_commas((double)s->grid.combinations, 0, false, a));
    buffer_addf(out, " combinations%s, best %s%s\n\n", s->sweep.random ? " by chance" : "",
                metric_rows[s->sweep.rank].name,
                s->sweep.symbol_count > 1 ? " (means over the symbols)" : "");
    if (s->result.best_count)
        sweep_table(s, top, out);
    buffer_add_char(out, '\n');
    if (s->result.best_count)
        buffer_addf(out, "%s: %s %%\n",
                    s->sweep.symbol_count > 1 ? "the whole market held in equal parts"
                                              : "the symbol held",
                    with_commas(market_held(s), 1, true, a));
    failure_lines(s, out);
    buffer_addf(out, "%s combinations × %s bars in %.3f s (%.2f billion a second), %d thread%s",
                with_commas((double)s->result.evaluated, 0, false, a),
                with_commas(bars, 0, false, b), seconds,
                (double)s->result.evaluated * bars / seconds * 1e-9, s->q.jobs,
                s->q.jobs == 1 ? "" : "s");
    if (s->result.skipped)
        buffer_addf(out, "; %s break a `require`",
                    with_commas((double)s->result.skipped, 0, false, a));
    if (s->result.failed)
        buffer_addf(out, "; %zu symbol%s failed", s->result.failed,
                    s->result.failed == 1 ? "" : "s");
    buffer_add_char(out, '\n');
    if (s->result.evaluated == 0 && !s->interrupted)
        buffer_add_text(out, "no combination keeps every `require`: nothing was evaluated\n");
    else if (s->result.evaluated > 1)
        buffer_add_text(
            out, "the best of many is partly luck: prefer a broad plateau to a lonely peak\n");
    next_line(s, out);
}

static void sweep_json(const struct sweeping *s, size_t top, struct buffer *out)
{
    struct json json = {.out = *out};

    json_begin(&json, NULL, '{');
    json_text(&json, "engine", "harrier " HARRIER_VERSION);
    json_text(&json, "rule", s->q.rule->name);
    json_text(&json, "market", s->q.market_text);
    json_raw(&json, "options", s->q.options_json);
    json_text(&json, "rank", metric_rows[s->sweep.rank].name);
    json_begin(&json, "summary", '{');
    json_int(&json, "combinations", (int64_t)s->grid.combinations);
    json_int(&json, "evaluated", (int64_t)s->result.evaluated);
    json_int(&json, "skipped", (int64_t)s->result.skipped);
    json_int(&json, "symbols", (int64_t)s->sweep.symbol_count);
    json_int(&json, "failed", (int64_t)s->result.failed);
    json_number(&json, "market_return", market_held(s));
    json_bool(&json, "interrupted", s->interrupted);
    json_number(&json, "calculation_time_ms", s->calculation_ms);
    json_end(&json, '}');
    json_begin(&json, "failures", '[');
    for (size_t i = 0; i < s->sweep.symbol_count; i++)
        if (failure_of(s, i)) {
            json_begin(&json, NULL, '{');
            json_text(&json, "symbol", s->sweep.symbols[i].name);
            json_text(&json, "error", failure_of(s, i));
            json_end(&json, '}');
        }
    json_end(&json, ']');
    json_begin(&json, "best", '[');
    for (size_t i = 0; i < s->result.best_count && i < top; i++) {
        const struct sweep_row *row = &s->result.best[i];
        double values[RULE_PARAMETERS_MAX];

        grid_values(&s->grid, row->combination, values);
        json_begin(&json, NULL, '{');
        json_begin(&json, "parameters", '{');
        for (int p = 0; p < s->q.rule->parameter_count; p++)
            json_number(&json, s->q.rule->parameters[p].name, values[p]);
        json_end(&json, '}');
        json_int(&json, "symbols", (int64_t)row->symbols);
        for (int m = 0; m < METRIC_COUNT; m++)
            if (is_computed(s, m))
                json_number(&json, metric_rows[m].name, row->metric[m]);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    *out = json.out;
}

static void on_progress(void *context, uint64_t done, uint64_t all)
{
    struct progress *progress = context;

    progress->total = (size_t)all;
    progress_update(progress, (size_t)done);
}

static enum status calculate(struct sweeping *s, struct error *err)
{
    struct conf *conf = s->app->conf;
    struct batch_symbol *symbols;
    int64_t begin;
    enum status status;

    TRY(question_symbols(&s->q, &symbols, &s->problems, err));
    s->sweep.grid = &s->grid;
    s->sweep.random = conf_is_set(conf, OPT_RANDOM) ? (uint64_t)conf_whole(conf, OPT_RANDOM) : 0;
    s->sweep.seed = (uint64_t)conf_whole(conf, OPT_SEED);
    s->sweep.options = s->q.options;
    s->sweep.symbols = symbols;
    s->sweep.symbol_count = s->q.symbol_count;
    s->sweep.jobs = s->q.jobs;
    s->sweep.isa = conf_text(conf, OPT_ISA);
    s->sweep.progress = on_progress;
    s->sweep.progress_context = &s->progress;
    s->sweep.env = s->app->env;
    TRY(question_benchmark(&s->q, &s->sweep.benchmark, err));
    TRY(surface_open(s, err));
    progress_begin(&s->progress, s->app, "combinations", 0);
    begin = clock_ticks_ns(s->app->env);
    status = sweep_run(&s->sweep, &s->result, err);
    s->calculation_ms = (double)(clock_ticks_ns(s->app->env) - begin) * 1e-6;
    progress_end(&s->progress);
    s->interrupted = status == STATUS_INTERRUPTED;
    return s->interrupted ? STATUS_OK : status;
}

static enum status answer(struct sweeping *s, struct error *err)
{
    size_t top = conf_is_set(s->app->conf, OPT_TOP) ? (size_t)conf_whole(s->app->conf, OPT_TOP)
                                                    : SWEEP_TOP_USUAL;
    struct buffer out = {0};

    if (top > SWEEP_KEEP_MAX)
        return fail(err, STATUS_USAGE,
                    "--top %zu: a sweep keeps the best %d at most; --surface FILE writes every "
                    "combination",
                    top, SWEEP_KEEP_MAX);
    s->sweep.keep = top;
    TRY(build_grid(s, err));
    TRY(calculate(s, err));
    TRY(surface_check(s, err));
    TRY(surface_close(s, err));
    if (s->app->json)
        sweep_json(s, top, &out);
    else if (s->result.evaluated || !s->interrupted)
        sweep_text(s, top, &out);
    TRY(answer_write(s->app, &out, s->q.snapshot, err));
    if (s->interrupted && !s->result.evaluated)
        return fail(err, STATUS_INTERRUPTED, "interrupted before the first combinations were done");
    if (s->interrupted)
        return fail(err, STATUS_INTERRUPTED,
                    "interrupted: the best of %llu combinations stand above",
                    (unsigned long long)s->result.evaluated);
    return s->result.failed ? STATUS_PARTIAL : STATUS_OK;
}

static enum status sweep_command(struct app *app, struct error *err)
{
    struct sweeping s = {.app = app};
    int rank;
    struct error ignored;
    enum status status;

    TRY(ranking_metric(app, OPT_RANK, METRIC_COUNT, &rank, err));
    s.sweep.rank = (enum metric)rank;
    TRY(output_check(app, app->operands[0], err));
    TRY(question_open(&s.q, app, err));
    status = answer(&s, err);
    (void)surface_close(&s, &ignored);
    sweep_result_deinit(&s.result);
    question_close(&s.q);
    return status;
}

const struct command command_sweep = {
    .name = "sweep",
    .operands = "RULE",
    .least = 1,
    .most = 1,
    .reads = true,
    .summary = "every parameter set of a rule over every symbol",
    .help =
        "Without --grid the rule's own ranges are walked, but for what --set holds still. "
        "Combinations are counted,\n"
        "not stored: a million take the memory of a thousand, and 100 million are the most. With "
        "several symbols a\n"
        "metric is the mean over them.\n"
        "\n"
        "  harrier sweep rsi --on sample/1d\n"
        "  harrier sweep rsi --on sample/1m --grid period=5..24 --grid oversold=15..37.5:2.5 "
        "--rank sharpe\n"
        "  harrier sweep macd --on us/1d --random 1000 --seed 7 --top 20\n"
        "  harrier sweep rsi --on sample/1d --symbols S001 --surface surface.csv\n",
    .options = {OPT_ON,       OPT_GRID,           OPT_RANK,    OPT_TOP,       OPT_RANDOM,
                OPT_SEED,     OPT_SURFACE,        OPT_SYMBOLS, OPT_SET,       OPT_FROM,
                OPT_TO,       OPT_COLD,           OPT_CASH,    OPT_FEE,       OPT_FEE_MIN,
                OPT_FEE_MODE, OPT_SLIPPAGE,       OPT_FILL,    OPT_LOT,       OPT_MIN_NOTIONAL,
                OPT_BORROW,   OPT_REQUIRE_VOLUME, OPT_YEAR,    OPT_BENCHMARK, OPT_JOBS,
                OPT_ISA,      OPT_JSON,           OPT_COLOR,   OPT_DATA,      OPT_HELP},
    .run = sweep_command,
};
