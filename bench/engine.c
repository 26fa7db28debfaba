/* engine: the evaluator's own figures, one line each:  name  value  unit
 *
 *     engine DATA [REPEATS [NAME...]]
 *
 * DATA holds batch_{o,h,l,c,v}.f64 (211 symbols × 1,828 bars, symbol after symbol), sweep_*.f64
 * (100,000 bars) and big_*.f64 (1,000,000 bars): raw little-endian doubles.  They are stored once,
 * in DATA/engine-store, and read as every command reads them: mapped.  The rule is the built-in
 * `rsi`.  Each figure is the least of REPEATS (51) runs, sweeps of a tenth of them and 7 at least;
 * with names, only the lines of these. */
#include <string.h>

#include "bench.h"
#include "store/store.h"
#include "sweep/sweep.h"

enum { SYMBOLS_MAX = 211, REPEATS_MAX = 1001, SWEEP_REPEATS_MIN = 7, LIVE_TICKERS = 396 };

struct set {
    const char *name, *market;
    size_t symbols, bars;
    int64_t step_ms;
};
static const struct set batch_set = {"batch", "batch/1d", SYMBOLS_MAX, 1828, DAY_MS};
static const struct set sweep_set = {"sweep", "sweep/1m", 1, 100000, 60000};
static const struct set big_set = {"big", "big/1m", 1, 1000000, 60000};

struct bench {
    const char *directory;
    char **only;
    int only_count, repeats;
    double taken[REPEATS_MAX];
    struct snapshot *snapshot; /* of the market that `symbols` are of */
    struct batch_symbol symbols[SYMBOLS_MAX];
    struct batch_result results[SYMBOLS_MAX];
};

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "%s: %s\n", what, err ? err->text : "failed");
    exit(1);
}

#define MUST(call)               \
    do {                         \
        if ((call) != STATUS_OK) \
            die(#call, &err);    \
    } while (0)

static double *read_column(const struct bench *bench, const struct set *set, char column)
{
    size_t count = set->symbols * set->bars;
    double *numbers = mem_alloc(count * sizeof *numbers);
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s_%c.f64", bench->directory, set->name, column);
    file = fopen(path, "rb");
    if (!file || fread(numbers, sizeof *numbers, count, file) != count)
        die(path, NULL);
    fclose(file);
    return numbers;
}

static void store_set(const struct bench *bench, const struct set *set, const char *data_dir,
                      const struct market_name *market)
{
    double *column[BAR_COLUMNS];
    int64_t *times = mem_alloc(set->bars * sizeof *times);
    struct bars bars = {.count = set->bars, .time = times};
    struct put_result put;
    struct writer *writer;
    struct error err;

    for (size_t t = 0; t < set->bars; t++)
        times[t] = INT64_C(17532) * DAY_MS + (int64_t)t * set->step_ms; /* from 2018-01-01 */
    for (int c = 0; c < BAR_COLUMNS; c++)
        column[c] = read_column(bench, set, "ohlcv"[c]);
    MUST(writer_open(&writer, env_posix(), data_dir, market, "bench", &err));
    for (size_t s = 0; s < set->symbols; s++) {
        char name[32];

        snprintf(name, sizeof name, "S%03zu", s + 1);
        for (int c = 0; c < BAR_COLUMNS; c++)
            bars.column[c] = column[c] + s * set->bars;
        MUST(writer_put(writer, text_of(name), &bars, false, &put, &err));
    }
    MUST(writer_commit(writer, &err));
    writer_close(writer);
    for (int c = 0; c < BAR_COLUMNS; c++)
        mem_free(column[c]);
    mem_free(times);
}

/* Maps the set's market into bench->symbols, storing it where that was not done yet. */
static void open_set(struct bench *bench, const struct set *set)
{
    char data_dir[4096];
    struct market_name market;
    struct error err;
    enum status status;

    if (bench->snapshot)
        snapshot_close(bench->snapshot);
    snprintf(data_dir, sizeof data_dir, "%s/engine-store", bench->directory);
    MUST(market_parse(&market, text_of(set->market), &err));
    status = snapshot_open(&bench->snapshot, env_posix(), data_dir, &market, &err);
    if (status == STATUS_MISSING) {
        store_set(bench, set, data_dir, &market);
        status = snapshot_open(&bench->snapshot, env_posix(), data_dir, &market, &err);
    }
    MUST(status);
    for (size_t s = 0; s < set->symbols; s++) {
        struct batch_symbol *symbol = &bench->symbols[s];

        *symbol = (struct batch_symbol){.name = snapshot_symbol_name(bench->snapshot, s)};
        MUST(snapshot_bars(bench->snapshot, s, &symbol->bars, &err));
        symbol->end = symbol->bars.count;
    }
}

static const struct rule *compile(const char *source)
{
    static unsigned char memory[64 << 20];
    static struct arena arena;
    const struct rule *rule;
    struct error err;

    if (!arena.memory)
        arena_init(&arena, memory, sizeof memory);
    MUST(rule_compile(&rule, &arena, text_of(source), "bench", &err));
    return rule;
}

static const char *rsi_source(void)
{
    return rule_builtin_find(TEXT("rsi"))->source;
}

static const struct sim_options options = {
    .cash = 10000, .fee = 0.001, .fill = FILL_CLOSE, .year_bars = 365};

static bool wanted(const struct bench *bench, const char *name)
{
    bool found = bench->only_count == 0;

    for (int i = 0; i < bench->only_count; i++)
        found |= strcmp(name, bench->only[i]) == 0;
    return found;
}

/* ---- batches -------------------------------------------------------------------------------- */

static double batch(struct bench *bench, const char *name, struct batch *batch, double unit_ns,
                    const char *unit)
{
    struct batch_runner *runner;
    struct error err;
    double parameters[RULE_PARAMETERS_MAX];

    if (!wanted(bench, name))
        return 0;
    for (int p = 0; p < batch->rule->parameter_count; p++)
        parameters[p] = batch->rule->parameters[p].value;
    batch->parameters = parameters;
    batch->symbols = bench->symbols;
    batch->env = env_posix();
    if (batch_runner_new(&runner, batch->env, batch->jobs, &err) != STATUS_OK)
        die(name, &err);
    for (int r = -1; r < bench->repeats; r++) {
        int64_t begin = clock_ticks_ns(batch->env);

        if (batch_runner_run(runner, batch, bench->results, &err) != STATUS_OK)
            die(name, &err);
        if (r >= 0)
            bench->taken[r] = (double)(clock_ticks_ns(batch->env) - begin);
        if (r < bench->repeats - 1)
            batch_results_deinit(bench->results, batch->symbol_count);
    }
    double trades = 0;
    for (size_t s = 0; s < batch->symbol_count; s++)
        trades += bench->results[s].sim.metric[METRIC_TRADES];
    batch_results_deinit(bench->results, batch->symbol_count);
    batch_runner_free(runner);
    printf("%s_trades %.0f\n", name, trades);
    return figure(name, bench->taken, bench->repeats, unit_ns, unit);
}

static void batches(struct bench *bench)
{
    const struct rule *rsi = compile(rsi_source());
    char stops_source[1024];
    snprintf(stops_source, sizeof stops_source, "%sstop 8%%\ntarget 20%%\ntrail 10%%\n",
             rsi_source());
    const struct rule *stops = compile(stops_source);
    const struct rule *rule12 = compile(
        "fast = ema(close, 9)\nslow = ema(close, 21)\na = atr(14)\n"
        "top = highest(high, 20)\n"
        "buy when fast > slow and close - slow > a * 0.5 and high >= top\n"
        "sell when crossunder(fast, slow)\n");
    struct sim_options next_open = options;

    next_open.fill = FILL_OPEN;
    open_set(bench, &batch_set);
    struct batch plain = {
        .rule = rsi, .options = options, .symbol_count = batch_set.symbols, .jobs = 1};
    struct batch all = plain, quantiles = plain, stop = plain, twelve = plain;
    all.want = WANT_ALL_METRICS;
    quantiles.want = WANT_ALL_METRICS | WANT_QUANTILES;
    stop.rule = stops;
    stop.options = next_open;
    twelve.rule = rule12;
    double one = batch(bench, "batch", &plain, 1e6, "ms");
    batch(bench, "batch_all", &all, 1e6, "ms");
    batch(bench, "batch_quantiles", &quantiles, 1e6, "ms");
    batch(bench, "batch_stop", &stop, 1e6, "ms");
    batch(bench, "batch_rule12", &twelve, 1e6, "ms");
    plain.jobs = 2;
    double two = batch(bench, "batch_two", &plain, 1e6, "ms");
    if (one > 0 && two > 0)
        printf("%-28s %10.4f  times\n", "batch_two_speedup", one / two);
    if (!wanted(bench, "batch_one_symbol"))
        return;
    open_set(bench, &big_set);
    struct batch big = {.rule = rsi, .options = options, .symbol_count = 1, .jobs = 1};
    batch(bench, "batch_one_symbol", &big, (double)big_set.bars, "ns/bar");
}

/* ---- sweeps --------------------------------------------------------------------------------- */

static double sweep(struct bench *bench, const char *name, int jobs)
{
    static unsigned char memory[1 << 20];
    struct arena arena;
    const struct rule *rsi = compile(rsi_source());
    double values[RULE_PARAMETERS_MAX] = {14, 30, 70};
    int repeats = MAX(bench->repeats / 10, SWEEP_REPEATS_MIN);
    struct grid grid;
    struct sweep_result result;
    struct error err;

    if (!wanted(bench, name))
        return 0;
    arena_init(&arena, memory, sizeof memory);
    grid_init(&grid, rsi, values);
    if (grid_add(&grid, &arena, TEXT("period=5..24"), &err) != STATUS_OK ||
        grid_add(&grid, &arena, TEXT("oversold=15..37.5:2.5"), &err) != STATUS_OK ||
        grid_add(&grid, &arena, TEXT("overbought=60..80:5"), &err) != STATUS_OK)
        die(name, &err);
    struct sweep work = {.grid = &grid,
                         .options = options,
                         .symbols = bench->symbols,
                         .symbol_count = 1,
                         .rank = METRIC_TOTAL_RETURN,
                         .keep = 10,
                         .jobs = jobs,
                         .env = env_posix()};
    for (int r = -1; r < repeats; r++) {
        int64_t begin = clock_ticks_ns(work.env);

        if (sweep_run(&work, &result, &err) != STATUS_OK)
            die(name, &err);
        if (r >= 0)
            bench->taken[r] = (double)(clock_ticks_ns(work.env) - begin);
        if (r == repeats - 1)
            printf(
                "  # best %llu of %llu: %.4f %%\n", (unsigned long long)result.best[0].combination,
                (unsigned long long)result.evaluated, result.best[0].metric[METRIC_TOTAL_RETURN]);
        sweep_result_deinit(&result);
    }
    figure_rate("sweep_rate", bench->taken, repeats, (double)sweep_set.bars * 1000, "G/s");
    return figure(name, bench->taken, repeats, 1e6, "ms");
}

static void sweeps(struct bench *bench)
{
    if (!wanted(bench, "sweep") && !wanted(bench, "sweep_two"))
        return;
    open_set(bench, &sweep_set);
    double one = sweep(bench, "sweep", 1), two = sweep(bench, "sweep_two", 2);
    if (one > 0 && two > 0)
        printf("%-28s %10.4f  times\n", "sweep_two_speedup", one / two);
}

/* ---- live ----------------------------------------------------------------------------------- */

/* The six rules of the prototype as rules of their own: thirty operations. */
static const char *const live_rules[] = {
    "r = rsi(close, 14)\nbuy when crossunder(r, 30)\nsell when crossover(r, 70)\n",
    "a = ema(close, 9)\nb = ema(close, 21)\nbuy when crossover(a, b)\nsell when crossunder(a, b)\n",
    "m = ema(close, 12) - ema(close, 26)\ns = ema(m, 9)\nbuy when crossover(m, s)\nsell when "
    "crossunder(m, s)\n",
    "mid = sma(close, 20)\nv = sma(close * close, 20) - mid * mid\nd = close - mid\n"
    "buy when d * d > 4 * v\nsell when d > 0\n",
    "buy when close - ema(close, 21) > atr(14)\n",
    "buy when (highest(high, 14) - close) / atr(14) > 1\n",
};

static void live(struct bench *bench)
{
    enum { GROUPS = (LIVE_TICKERS + LANES_WIDE - 1) / LANES_WIDE, RULES = ARRAY_COUNT(live_rules) };
    static struct program *programs[GROUPS * RULES];
    static struct arena arena;
    const struct kernels *kernels = kernels_select(NULL, LANES_WIDE);
    static const double parameters[RULE_PARAMETERS_MAX][LANES_MAX];
    struct env *env = env_posix();
    struct error err;
    int count = 0;

    if (!wanted(bench, "live"))
        return;
    open_set(bench, &batch_set);
    arena_init(&arena, mem_alloc_aligned(4096, 256 << 20), 256 << 20);
    for (int g = 0; g < GROUPS; g++)
        for (size_t r = 0; r < RULES; r++) {
            struct program_setup setup = {.kernels = kernels, .parameters = parameters};
            if (program_new(&programs[g * (int)RULES + (int)r], &arena, compile(live_rules[r]),
                            &setup, &err))
                die("live", &err);
            program_start(programs[g * (int)RULES + (int)r]);
        }
    for (size_t bar = 0; bar < 1500; bar++) {
        for (int p = 0; p < (int)(GROUPS * RULES); p++)
            for (int c = 0; c < BAR_COLUMNS; c++)
                for (int l = 0; l < LANES_WIDE && programs[p]->column[c]; l++)
                    programs[p]->column[c][l] =
                        bench->symbols[(p / (int)RULES * LANES_WIDE + l) % SYMBOLS_MAX]
                            .bars.column[c][bar];
        int64_t begin = clock_ticks_ns(env);
        for (int p = 0; p < (int)(GROUPS * RULES); p++)
            program_block(programs[p], 1);
        if (bar >= 500 && count < bench->repeats * 10 && count < REPEATS_MAX)
            bench->taken[count++] = (double)(clock_ticks_ns(env) - begin);
    }
    figure("live", bench->taken, count, 1e3, "us");
}

int main(int argc, char **argv)
{
    static struct bench bench;

    if (argc < 2) {
        fprintf(stderr, "usage: engine DATA [REPEATS [NAME...]]\n");
        return 2;
    }
    bench.directory = argv[1];
    bench.repeats = argc > 2 ? MAX(1, MIN(atoi(argv[2]), REPEATS_MAX)) : 51;
    bench.only = argv + 3;
    bench.only_count = MAX(argc - 3, 0);
    batches(&bench);
    sweeps(&bench);
    live(&bench);
    return 0;
}
