/* engine: the evaluator's own figures, one line each:  name  value  unit
 *
 *     engine DATA [REPEATS] [ONLY]
 *
 * DATA holds batch_{o,h,l,c,v}.f64 (211 symbols × 1,828 bars, symbol after symbol), sweep_*.f64
 * (100,000 bars) and big_*.f64 (1,000,000 bars): raw little-endian doubles.  Each figure is the
 * least of REPEATS (51) runs, sweeps of a tenth of them; ONLY runs the lines whose names begin with
 * it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/sweep.h"

enum {
    BATCH_SYMBOLS = 211,
    BATCH_BARS = 1828,
    SWEEP_BARS = 100000,
    BIG_BARS = 1000000,
    REPEATS_MAX = 1001
};
enum { LIVE_TICKERS = 396 };

struct bench {
    const char *directory, *only;
    int repeats;
    double taken[REPEATS_MAX];
    struct batch_symbol symbols[BATCH_SYMBOLS];
    struct batch_result results[BATCH_SYMBOLS];
    int64_t *times;
};

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "%s: %s\n", what, err ? err->text : "failed");
    exit(1);
}

static double *load(const struct bench *bench, const char *set, char column, size_t count)
{
    char path[4096];
    double *numbers = mem_alloc_aligned(64, (count + 64) * sizeof *numbers);
    FILE *file;

    snprintf(path, sizeof path, "%s/%s_%c.f64", bench->directory, set, column);
    file = fopen(path, "rb");
    if (!file || fread(numbers, sizeof *numbers, count, file) != count)
        die(path, NULL);
    fclose(file);
    return numbers;
}

static void load_symbols(struct bench *bench, const char *set, size_t symbols, size_t bars)
{
    static const char columns[] = "ohlcv";

    for (int c = 0; c < BAR_COLUMNS; c++) {
        const double *numbers = load(bench, set, columns[c], symbols * bars);
        for (size_t s = 0; s < symbols; s++)
            bench->symbols[s].bars.column[c] = numbers + s * bars;
    }
    for (size_t s = 0; s < symbols; s++) {
        bench->symbols[s].name = set;
        bench->symbols[s].bars.count = bench->symbols[s].end = bars;
        bench->symbols[s].bars.time = bench->times;
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
    if (rule_compile(&rule, &arena, text_of(source), "bench", &err) != STATUS_OK)
        die("rule", &err);
    return rule;
}

static const struct sim_options options = {
    .cash = 10000, .fee = 0.001, .fill = FILL_CLOSE, .year_bars = 365};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool wanted(const struct bench *bench, const char *name)
{
    return !bench->only || !strncmp(name, bench->only, strlen(bench->only));
}

/* Prints the least and the median of bench->taken[count], in `unit`s of so many ns; or, with
 * `per_second`, how many a ns. */
static double print(struct bench *bench, const char *name, int count, double unit_ns,
                    const char *unit)
{
    qsort(bench->taken, (size_t)count, sizeof(double), compare);
    printf("%-28s %10.4f  %-14s median %10.4f\n", name, bench->taken[0] / unit_ns, unit,
           bench->taken[count / 2] / unit_ns);
    fflush(stdout);
    return bench->taken[0];
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
    double least = print(bench, name, bench->repeats, unit_ns, unit);
    printf("  # trades %.0f\n", trades);
    return least;
}

static const char rsi_source[] = "param period     = 14 in 2..50\n"
                                 "param oversold   = 30 in 10..45 step 5\n"
                                 "param overbought = 70 in 55..90 step 5\n"
                                 "r = rsi(close, period)\n"
                                 "buy  when crossunder(r, oversold)\n"
                                 "sell when crossover(r, overbought)\n";

static void batches(struct bench *bench)
{
    const struct rule *rsi = compile(rsi_source);
    char stops_source[1024];
    snprintf(stops_source, sizeof stops_source, "%sstop 8%%\ntarget 20%%\ntrail 10%%\n",
             rsi_source);
    const struct rule *stops = compile(stops_source);
    const struct rule *rule12 = compile(
        "fast = ema(close, 9)\nslow = ema(close, 21)\na = atr(14)\n"
        "top = highest(high, 20)\n"
        "buy when fast > slow and close - slow > a * 0.5 and high >= top\n"
        "sell when crossunder(fast, slow)\n");
    struct sim_options next_open = options;

    next_open.fill = FILL_OPEN;
    load_symbols(bench, "batch", BATCH_SYMBOLS, BATCH_BARS);
    struct batch plain = {
        .rule = rsi, .options = options, .symbol_count = BATCH_SYMBOLS, .jobs = 1};
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
    load_symbols(bench, "big", 1, BIG_BARS);
    struct batch big = {.rule = rsi, .options = options, .symbol_count = 1, .jobs = 1};
    batch(bench, "batch_one_symbol", &big, BIG_BARS, "ns/bar");
}

/* ---- sweeps --------------------------------------------------------------------------------- */

static double sweep(struct bench *bench, const char *name, int jobs)
{
    static unsigned char memory[1 << 20];
    struct arena arena;
    const struct rule *rsi = compile(rsi_source);
    double values[RULE_PARAMETERS_MAX] = {14, 30, 70};
    int repeats = MAX(bench->repeats / 10, 3);
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
    double least = print(bench, name, repeats, 1e6, "ms");
    printf("%-28s %10.4f  G/s\n", "sweep_rate", (double)SWEEP_BARS * 1000 / least);
    return least;
}

static void sweeps(struct bench *bench)
{
    if (!wanted(bench, "sweep") && !wanted(bench, "sweep_two"))
        return;
    load_symbols(bench, "sweep", 1, SWEEP_BARS);
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
    load_symbols(bench, "batch", BATCH_SYMBOLS, BATCH_BARS);
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
                        bench->symbols[(p / (int)RULES * LANES_WIDE + l) % BATCH_SYMBOLS]
                            .bars.column[c][bar];
        int64_t begin = clock_ticks_ns(env);
        for (int p = 0; p < (int)(GROUPS * RULES); p++)
            program_block(programs[p], 1);
        if (bar >= 500 && count < bench->repeats * 10 && count < REPEATS_MAX)
            bench->taken[count++] = (double)(clock_ticks_ns(env) - begin);
    }
    print(bench, "live", count, 1e3, "us");
}

int main(int argc, char **argv)
{
    static struct bench bench;

    if (argc < 2) {
        fprintf(stderr, "usage: engine DATA [REPEATS] [ONLY]\n");
        return 2;
    }
    bench.directory = argv[1];
    bench.repeats = argc > 2 ? MAX(1, MIN(atoi(argv[2]), REPEATS_MAX)) : 51;
    bench.only = argc > 3 ? argv[3] : NULL;
    bench.times = mem_alloc(BIG_BARS * sizeof *bench.times);
    for (int64_t t = 0; t < BIG_BARS; t++)
        bench.times[t] = t * DAY_MS;
    batches(&bench);
    sweeps(&bench);
    live(&bench);
    return 0;
}
