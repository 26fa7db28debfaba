/* A sweep gives each parameter set the bits that a batch gives it, however the work is cut. */
#include "market.h"

#include <sys/resource.h>

enum { ROWS_MAX = 20000, AXES_BYTES = 1 << 20 };

struct surface {
    struct sweep_row *rows;
    size_t count;
};

static enum status add_rows(void *context, const struct sweep_row *rows, size_t count,
                            struct error *err)
{
    struct surface *surface = context;

    (void)err;
    memcpy(surface->rows + surface->count, rows, count * sizeof *rows);
    surface->count += count;
    return STATUS_OK;
}

static void make_grid(struct grid *grid, struct arena *arena, const struct rule *rule,
                      const char *const *axes)
{
    double values[RULE_PARAMETERS_MAX];
    struct error err;

    usual_parameters(rule, values);
    grid_init(grid, rule, values);
    for (; *axes; axes++)
        if (grid_add(grid, arena, text_of(*axes), &err) != STATUS_OK) {
            print_error("%s\n", err.text);
            CHECK(false);
        }
}

static void run_sweep(struct sweep *sweep, struct sweep_result *result, struct surface *surface)
{
    struct error err;

    surface->count = 0;
    sweep->surface = add_rows;
    sweep->surface_context = surface;
    sweep->keep = MAX(sweep->keep, (size_t)1);
    sweep->jobs = MAX(sweep->jobs, 1);
    sweep->env = env_posix();
    CHECK_OK(sweep_run(sweep, result, &err));
}

/* Mean of a metric over batch results, added in the order of the symbols. */
static double mean(const struct batch_result *results, size_t count, int metric)
{
    double sum = 0;
    size_t defined = 0;

    for (size_t s = 0; s < count; s++)
        if (results[s].status == STATUS_OK && !isnan(results[s].sim.metric[metric])) {
            sum += results[s].sim.metric[metric];
            defined++;
        }
    return defined ? sum / (double)defined : (double)NAN;
}

static void check_against_batches(const struct sweep *sweep, const struct surface *surface,
                                  const char *source)
{
    static struct batch_result results[MARKET_SYMBOLS_MAX];
    bool all = !metric_rows[sweep->rank].ranking;
    double values[RULE_PARAMETERS_MAX], trades = 0;
    struct batch_runner *runner;
    struct error err;

    CHECK_OK(batch_runner_new(&runner, env_posix(), 1, &err));
    for (size_t r = 0; r < surface->count; r++) {
        const struct sweep_row *row = &surface->rows[r];
        struct batch batch = {.rule = sweep->grid->rule,
                              .parameters = values,
                              .options = sweep->options,
                              .symbols = sweep->symbols,
                              .symbol_count = sweep->symbol_count,
                              .want = all ? WANT_ALL_METRICS | WANT_QUANTILES : 0,
                              .env = env_posix()};

        grid_values(sweep->grid, row->combination, values);
        CHECK_OK(batch_runner_run(runner, &batch, results, &err));
        for (int m = 0; m < METRIC_COUNT; m++) {
            double expected = mean(results, sweep->symbol_count, m);
            if (memcmp(&row->metric[m], &expected, sizeof expected) &&
                !(isnan(expected) && isnan(row->metric[m])))
                print_error("combination %llu of\n%s\n%s\n", (unsigned long long)row->combination,
                            source, metric_rows[m].name);
            CHECK_SAME_BITS(&row->metric[m], &expected, 1);
        }
        trades += mean(results, sweep->symbol_count, METRIC_TRADES);
        batch_results_deinit(results, sweep->symbol_count);
    }
    CHECK(trades > (double)surface->count / 2); /* on average: it compares something */
    batch_runner_free(runner);
}

/* Rules with parameters in every place, and grids over them. */
static const struct {
    const char *source, *axes[5];
    bool next_open;
} cases[] = {
    {"param period = 14\nparam oversold = 30\nparam overbought = 70\nr = rsi(close, period)\n"
     "buy when crossunder(r, oversold)\nsell when crossover(r, overbought)\n",
     {"period=3..12", "oversold=35..45:2.5", "overbought={55, 60, 65}"},
     false},
    {"param fast = 5\nparam slow = 12\nrequire fast < slow\nbuy when crossover(ema(close, fast), "
     "ema(close, slow))\n"
     "sell when crossunder(ema(close, fast), ema(close, slow))\n",
     {"fast=2..9", "slow=4..22:2"},
     true},
    {"param a = 3\nparam b = 7\nparam c = 4\nline, signal, _ = macd(close, a, b, c)\nbuy when "
     "crossover(line, signal)\n"
     "sell when crossunder(line, signal)\n",
     {"a=2..5", "b=6..9", "c=3..5"},
     false},
    {"param n = 9\nparam s = 5%\nparam t = 10%\nparam w = 2\nbuy when close > sma(close, n)\nsell "
     "when close < sma(close, n)\n"
     "stop s\ntarget t\ntrail w * atr(5)\n",
     {"n={3, 8}", "s=2%..6%:2%", "t={5%, 10%}", "w=1..3:0.5"},
     true},
    {"param n = 9\nparam m = 5\nbuy when close > ema(close, n)\nshort when close < ema(close, "
     "n)\nstop atr(m) * 2\n"
     "target ema(high - low, n) * 3\nexit after m bars\nsize 40%\n",
     {"n=2..20", "m=3..7"},
     true},
    {"param n = 9\nparam k = 3\nparam z = 50%\nup = not (ema(nz(close - close[n], 0), 4) < 0)\n"
     "buy when up and count(close > open, n) > k\nsell when barssince(up) > 2 or weekday == "
     "k\nsize z\nstop high - low\n",
     {"n={4, 6, 9}", "k=1..4:1", "z=25%..100%:25%"},
     true},
    {"param k = 3\nparam x = 4\nbuy when bar_index > k and close > open\nsell when k < x and close "
     "< open\nexit after x bars\n",
     {"k=1..6:1", "x=2..5"},
     false},
    {"param k = 3\nbuy when close > close[k]\nsell when close < close[k]\nstop volume / 10000\n",
     {"k=1..5"},
     true},
};

static const size_t lengths[] = {300, 0, 129, 1, 200, 65};

TEST(every_combination_of_a_sweep_has_the_bits_of_a_batch)
{
    struct surface surface = {.rows = mem_alloc(ROWS_MAX * sizeof *surface.rows)};
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    struct market market;

    market_init(&market, ARRAY_COUNT(lengths), lengths, 1);
    market.symbols[4].begin = 77;
    for (size_t c = 0; c < ARRAY_COUNT(cases); c++)
        for (int symbols = 1; symbols <= (int)market.count; symbols += (int)market.count - 1) {
            struct arena arena;
            struct grid grid;
            struct sweep_result result;

            arena_init(&arena, memory, AXES_BYTES);
            make_grid(&grid, &arena, rule_of(cases[c].source), cases[c].axes);
            struct sweep sweep = {.grid = &grid,
                                  .options = cases[c].next_open ? open_fills : close_fills,
                                  .symbols = market.symbols,
                                  .symbol_count = (size_t)symbols,
                                  .rank = METRIC_TOTAL_RETURN,
                                  .keep = 7};
            run_sweep(&sweep, &result, &surface);
            CHECK_INT(result.evaluated + result.skipped, grid.combinations);
            CHECK_INT(surface.count, result.evaluated);
            CHECK_INT(result.failed, symbols > 1);
            check_against_batches(&sweep, &surface, cases[c].source);
            sweep_result_deinit(&result);
        }
    market_deinit(&market);
    mem_free(memory);
    mem_free(surface.rows);
}

static void check_rows(const struct sweep_row *a, const struct sweep_row *b, size_t count)
{
    for (size_t r = 0; r < count; r++) {
        CHECK_INT(a[r].combination, b[r].combination);
        CHECK_INT(a[r].symbols, b[r].symbols);
        CHECK_SAME_BITS(a[r].metric, b[r].metric, METRIC_COUNT);
    }
}

TEST(a_sweep_has_the_same_bits_for_all_threads_waves_blocks_and_builds)
{
    static const size_t many[] = {100, 40, 65, 7,  30, 90, 64, 12, 33, 80,
                                  20,  64, 10, 50, 70, 25, 61, 40, 15, 5};
    struct surface expected = {.rows = mem_alloc(ROWS_MAX * sizeof *expected.rows)};
    struct surface surface = {.rows = mem_alloc(ROWS_MAX * sizeof *surface.rows)};
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    struct market market;
    const char *isas[8];
    size_t isa_count = kernels_list(isas, 8);

    market_init(&market, ARRAY_COUNT(many), many, 2);
    for (size_t c = 0; c < ARRAY_COUNT(cases); c++)
        for (size_t symbols = 1; symbols <= market.count; symbols += market.count - 1) {
            static const size_t waves[] = {0, 1, 7, 64}, blocks[] = {0, 1, 7, 1000};
            struct arena arena;
            struct grid grid;
            struct sweep_result first, result;

            arena_init(&arena, memory, AXES_BYTES);
            make_grid(&grid, &arena, rule_of(cases[c].source), cases[c].axes);
            struct sweep sweep = {.grid = &grid,
                                  .options = cases[c].next_open ? open_fills : close_fills,
                                  .symbols = market.symbols,
                                  .symbol_count = symbols,
                                  .rank = METRIC_SHARPE,
                                  .keep = 5};
            run_sweep(&sweep, &first, &expected);
            for (size_t i = 0; i < 12; i++) {
                sweep.jobs = (int)(1 + i % 5);
                sweep.wave = waves[i % 4];
                sweep.block_bars = blocks[i / 3];
                sweep.isa = isas[i % isa_count];
                run_sweep(&sweep, &result, &surface);
                CHECK_INT(surface.count, expected.count);
                check_rows(surface.rows, expected.rows, surface.count);
                CHECK_INT(result.best_count, first.best_count);
                check_rows(result.best, first.best, result.best_count);
                sweep_result_deinit(&result);
            }
            sweep_result_deinit(&first);
        }
    market_deinit(&market);
    mem_free(memory);
    mem_free(expected.rows);
    mem_free(surface.rows);
}

static enum metric order_metric;

static int compare_rows(const void *a, const void *b)
{
    return sweep_row_before(a, b, order_metric) ? -1 : 1;
}

TEST(the_best_rows_are_the_first_of_the_sorted_surface)
{
    static const enum metric metrics[] = {METRIC_TOTAL_RETURN, METRIC_MAX_DRAWDOWN, METRIC_WIN_RATE,
                                          METRIC_TRADES, METRIC_PROFIT_FACTOR};
    static const size_t keeps[] = {1, 2, 3, 10, 149, 150, 151, 5000};
    struct surface surface = {.rows = mem_alloc(ROWS_MAX * sizeof *surface.rows)};
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    struct arena arena;
    struct grid grid;
    struct market market;

    market_init(&market, 3, (size_t[]){100, 60, 30}, 3);
    arena_init(&arena, memory, AXES_BYTES);
    make_grid(&grid, &arena, rule_of(cases[0].source), cases[0].axes);
    for (size_t m = 0; m < ARRAY_COUNT(metrics); m++)
        for (size_t k = 0; k < ARRAY_COUNT(keeps); k++) {
            struct sweep sweep = {.grid = &grid,
                                  .options = close_fills,
                                  .symbols = market.symbols,
                                  .symbol_count = market.count,
                                  .rank = metrics[m],
                                  .keep = keeps[k],
                                  .jobs = 2};
            struct sweep_result result;

            run_sweep(&sweep, &result, &surface);
            CHECK_INT(surface.count, 150);
            CHECK_INT(result.best_count, MIN(keeps[k], (size_t)150));
            order_metric = metrics[m];
            qsort(surface.rows, surface.count, sizeof *surface.rows, compare_rows);
            check_rows(result.best, surface.rows, result.best_count);
            sweep_result_deinit(&result);
        }
    market_deinit(&market);
    mem_free(memory);
    mem_free(surface.rows);
}

TEST(a_metric_that_needs_the_whole_curve_is_the_batch_s_too)
{
    struct surface surface = {.rows = mem_alloc(ROWS_MAX * sizeof *surface.rows)};
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    struct market market;

    market_init(&market, 3, (size_t[]){300, 170, 64}, 4);
    market.symbols[1].begin = 50;
    for (size_t c = 0; c < 5; c++) {
        struct arena arena;
        struct grid grid;
        struct sweep_result result;

        arena_init(&arena, memory, AXES_BYTES);
        make_grid(&grid, &arena, rule_of(cases[c].source), cases[c].axes);
        struct sweep sweep = {.grid = &grid,
                              .options = cases[c].next_open ? open_fills : close_fills,
                              .symbols = market.symbols,
                              .symbol_count = market.count,
                              .rank = METRIC_ULCER,
                              .keep = 3,
                              .jobs = (int)(1 + c % 3)};
        run_sweep(&sweep, &result, &surface);
        check_against_batches(&sweep, &surface, cases[c].source);
        CHECK(!isnan(result.best[0].metric[METRIC_ULCER]));
        sweep_result_deinit(&result);
    }
    market_deinit(&market);
    mem_free(memory);
    mem_free(surface.rows);
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = ((const struct sweep_row *)a)->combination,
             y = ((const struct sweep_row *)b)->combination;

    return x < y ? -1 : x > y;
}

TEST(random_combinations_are_different_ones_and_follow_from_the_seed)
{
    struct surface all = {.rows = mem_alloc(ROWS_MAX * sizeof *all.rows)};
    struct surface drawn = {.rows = mem_alloc(ROWS_MAX * sizeof *drawn.rows)};
    struct surface again = {.rows = mem_alloc(ROWS_MAX * sizeof *again.rows)};
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    struct arena arena;
    struct grid grid;
    struct market market;
    struct sweep_result result;

    market_init(&market, 1, (size_t[]){100}, 5);
    arena_init(&arena, memory, AXES_BYTES);
    make_grid(&grid, &arena, rule_of(cases[1].source), cases[1].axes);
    struct sweep sweep = {.grid = &grid,
                          .options = close_fills,
                          .symbols = market.symbols,
                          .symbol_count = 1,
                          .rank = METRIC_TOTAL_RETURN,
                          .keep = 3};
    run_sweep(&sweep, &result, &all);
    CHECK(result.skipped > 0);
    sweep_result_deinit(&result);
    sweep.random = 20;
    sweep.seed = 7;
    run_sweep(&sweep, &result, &drawn);
    CHECK_INT(result.evaluated, 20);
    sweep_result_deinit(&result);
    sweep.jobs = 3;
    run_sweep(&sweep, &result, &again);
    check_rows(drawn.rows, again.rows, 20);
    sweep_result_deinit(&result);
    for (size_t r = 1; r < 20; r++)
        CHECK(drawn.rows[r].combination > drawn.rows[r - 1].combination);
    for (size_t r = 0; r < 20; r++)
        check_rows(&drawn.rows[r],
                   bsearch(&drawn.rows[r], all.rows, all.count, sizeof *all.rows, compare_numbers),
                   1);
    sweep.seed = 8;
    run_sweep(&sweep, &result, &again);
    CHECK(memcmp(again.rows, drawn.rows, 20 * sizeof *again.rows) != 0);
    sweep_result_deinit(&result);
    sweep.random = 100000; /* more than there are: all of them */
    sweep.wave = 9;
    run_sweep(&sweep, &result, &again);
    CHECK_INT(again.count, all.count);
    qsort(again.rows, again.count, sizeof *again.rows, compare_numbers);
    check_rows(again.rows, all.rows, all.count);
    sweep_result_deinit(&result);
    market_deinit(&market);
    mem_free(memory);
    mem_free(all.rows);
    mem_free(drawn.rows);
    mem_free(again.rows);
}

static long resident_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

TEST(a_million_combinations_take_no_more_memory_than_a_thousand)
{
#if SANITIZED
    SKIP("a sanitizer has memory of its own");
#endif
    static const char *const axes[] = {"period=2..51", "oversold=10..49.8:0.2",
                                       "overbought=50..89.6:0.4", NULL};
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    const struct rule *rule = rule_of(cases[0].source);
    struct market market;
    long before = resident_kib(), few;

    market_init(&market, 1, (size_t[]){128}, 6);
    for (int pass = 0; pass < 2; pass++) {
        struct arena arena;
        struct grid grid;
        struct sweep_result result;
        struct error err;

        arena_init(&arena, memory, AXES_BYTES);
        make_grid(&grid, &arena, rule, pass ? axes : cases[0].axes);
        struct sweep sweep = {.grid = &grid,
                              .options = close_fills,
                              .symbols = market.symbols,
                              .symbol_count = 1,
                              .rank = METRIC_TOTAL_RETURN,
                              .keep = 10,
                              .jobs = 2,
                              .env = env_posix()};
        CHECK_OK(sweep_run(&sweep, &result, &err));
        CHECK_INT(result.evaluated, pass ? 1000000 : 150);
        sweep_result_deinit(&result);
        CHECK(resident_kib() - before < 32 * 1024);
        if (!pass)
            few = resident_kib();
        else
            CHECK(resident_kib() - few < 8 * 1024);
    }
    market_deinit(&market);
    mem_free(memory);
}

static void stop_on_progress(void *context, uint64_t done, uint64_t all)
{
    CHECK(done <= all);
    atomic_store((atomic_bool *)context, true);
}

TEST(a_cancelled_sweep_keeps_the_waves_that_are_done)
{
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    struct arena arena;
    struct grid grid;
    struct market market;

    market_init(&market, 1, (size_t[]){100}, 7);
    arena_init(&arena, memory, AXES_BYTES);
    make_grid(&grid, &arena, rule_of(cases[0].source), cases[0].axes);
    for (int jobs = 1; jobs < 4; jobs++) {
        atomic_bool stop = false;
        struct env env = {.calls = env_posix()->calls, .stop = &stop};
        struct sweep_result result;
        struct error err;
        struct sweep sweep = {.grid = &grid,
                              .options = close_fills,
                              .symbols = market.symbols,
                              .symbol_count = 1,
                              .rank = METRIC_TOTAL_RETURN,
                              .keep = 200,
                              .wave = 20,
                              .jobs = jobs,
                              .progress = stop_on_progress,
                              .progress_context = &stop,
                              .env = &env};

        CHECK_STATUS(sweep_run(&sweep, &result, &err), STATUS_INTERRUPTED);
        CHECK(result.evaluated < 150 && result.evaluated % 20 == 0);
        CHECK_INT(result.best_count, result.evaluated);
        sweep_result_deinit(&result);
    }
    market_deinit(&market);
    mem_free(memory);
}

TEST(a_sweep_that_finds_no_allowed_combination_can_be_cancelled_too)
{
    static const char *const axes[] = {"a=1..9000", "b=1..9000", NULL};
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    atomic_bool stop = true;
    struct env env = {.calls = env_posix()->calls, .stop = &stop};
    struct arena arena;
    struct grid grid;
    struct market market;
    struct sweep_result result;
    struct error err;

    market_init(&market, 1, (size_t[]){100}, 9);
    arena_init(&arena, memory, AXES_BYTES);
    make_grid(&grid, &arena,
              rule_of("param a = 1 in 1..9000\nparam b = 2 in 1..9000\nrequire a + b < 0\n"
                      "buy when close > close[a]\nsell when close > close[b]\n"),
              axes);
    struct sweep sweep = {.grid = &grid,
                          .options = close_fills,
                          .symbols = market.symbols,
                          .symbol_count = 1,
                          .rank = METRIC_TOTAL_RETURN,
                          .keep = 1,
                          .jobs = 1,
                          .env = &env};
    CHECK_STATUS(sweep_run(&sweep, &result, &err), STATUS_INTERRUPTED);
    CHECK_INT(result.evaluated, 0);
    sweep_result_deinit(&result);
    market_deinit(&market);
    mem_free(memory);
}

static enum status refuse(void *context, const struct sweep_row *rows, size_t count,
                          struct error *err)
{
    (void)context, (void)rows, (void)count;
    return fail(err, STATUS_FULL, "the disk is full");
}

TEST(a_sweep_that_cannot_go_on_says_why)
{
    static const char *const axes[] = {"period=3..5", NULL};
    unsigned char *memory = mem_alloc_aligned(64, AXES_BYTES);
    struct arena arena;
    struct grid grid;
    struct market market;
    struct sweep_result result;
    struct error err;
    enum status status = STATUS_MEMORY;

    market_init(&market, 2, (size_t[]){100, 0}, 8);
    arena_init(&arena, memory, AXES_BYTES);
    make_grid(&grid, &arena, rule_of(cases[0].source), axes);
    struct sweep sweep = {.grid = &grid,
                          .options = close_fills,
                          .symbols = market.symbols,
                          .symbol_count = 1,
                          .rank = METRIC_TOTAL_RETURN,
                          .keep = 3,
                          .jobs = 1,
                          .surface = refuse,
                          .env = env_posix()};
    CHECK_STATUS(sweep_run(&sweep, &result, &err), STATUS_FULL);
    CHECK_CONTAINS(err.text, "disk is full");
    sweep_result_deinit(&result);
    sweep.surface = NULL;
    sweep.symbols = &market.symbols[1];
    CHECK_STATUS(sweep_run(&sweep, &result, &err), STATUS_MISSING);
    sweep_result_deinit(&result);
    sweep.symbols = market.symbols;
    sweep.keep = 0;
    CHECK_STATUS(sweep_run(&sweep, &result, &err), STATUS_USAGE);
    sweep_result_deinit(&result);
    sweep.keep = 3;
    sweep.isa = "mmx";
    CHECK_STATUS(sweep_run(&sweep, &result, &err), STATUS_USAGE);
    sweep_result_deinit(&result);
    sweep.isa = NULL;
    for (long nth = 1; status != STATUS_OK; nth++) {
        CHECK(nth < 1000);
        mem_fail_at(nth, 0);
        status = sweep_run(&sweep, &result, &err);
        mem_fail_at(0, 0);
        CHECK(status == STATUS_OK || status == STATUS_MEMORY);
        sweep_result_deinit(&result);
    }
    market_deinit(&market);
    mem_free(memory);
}
