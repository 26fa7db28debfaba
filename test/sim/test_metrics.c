/* Metrics of curves against their formulas, written slowly, and against themselves in every build.
 */
#include <math.h>
#include <stdlib.h>

#include "test.h"

#include "sim/sim.h"
#include "source.h"

enum { BARS_MAX = 1200 };

static struct random random_;
static double column[LANES_MAX][BAR_COLUMNS][BARS_MAX];
static int64_t bar_time[BARS_MAX];
static struct sim_options options = {.cash = 10000, .year_bars = 252};
static double *equity; /* [bar * lanes + lane] */
static struct ledger_lane lanes[LANES_MAX];

/* A curve that stands still now and then, and one in eight is ruined. */
static void make_curves(int width, uint64_t seed, size_t longest)
{
    random_init(&random_, 7, seed);
    for (size_t t = 0; t < BARS_MAX; t++)
        bar_time[t] = (int64_t)(t + 2 * (t / 5)) * DAY_MS;
    for (int l = 0; l < LANES_MAX; l++) {
        size_t count = l ? 1 + random_below(&random_, longest) : longest;
        double money = l == 3 ? 9990 : 10000, price = 50,
               drift = (random_unit(&random_) - 0.5) / 50;
        for (size_t t = 0; t < longest; t++) {
            price *= 1 + (random_unit(&random_) - 0.5) / 20;
            if (t > 0 && t < count && random_below(&random_, 3) > 0)
                money += money * ((random_unit(&random_) - 0.5) / 10 + drift);
            if (l % 8 == 5 && t >= 30)
                money = 0;
            if (l < width)
                equity[t * (size_t)width + (size_t)l] = money;
            for (int c = 0; c < BAR_COLUMNS; c++)
                column[l][c][t] = price;
        }
        lanes[l] = (struct ledger_lane){.bars = {.count = count, .time = bar_time}};
        for (int c = 0; c < BAR_COLUMNS; c++)
            lanes[l].bars.column[c] = column[l][c];
    }
}

static void run_metrics(const struct kernels *kernels, const struct bars *benchmark,
                        struct sim_result results[])
{
    void *scratch = mem_alloc_aligned(64, metrics_scratch_bytes(BARS_MAX));
    struct metrics_curves curves = {.lanes = kernels->lanes,
                                    .equity = equity,
                                    .lane = lanes,
                                    .benchmark = benchmark,
                                    .quantiles = true};

    for (int l = 0; l < LANES_MAX; l++) {
        results[l] = (struct sim_result){.fills_value = 12345};
        for (int i = 0; i < METRIC_COUNT; i++)
            results[l].metric[i] = (double)NAN;
    }
    metrics_from_curves(&curves, kernels, &options, scratch, results);
    mem_free(scratch);
}

/* ---- the formulas, slowly -------------------------------------------------------------------- */

struct curve {
    size_t n;
    double e[BARS_MAX], r[BARS_MAX], b[BARS_MAX], depth[BARS_MAX];
};

static void read_curve(struct curve *curve, int lane, int width)
{
    double peak = options.cash;

    curve->n = lanes[lane].bars.count;
    for (size_t t = 0; t < curve->n; t++) {
        double e = curve->e[t] = equity[t * (size_t)width + (size_t)lane];
        const double *close = column[lane][BAR_CLOSE];
        peak = fmax(peak, e);
        curve->depth[t] = 1 - e / peak;
        if (t > 0) {
            curve->r[t] = curve->e[t - 1] > 0 ? e / curve->e[t - 1] - 1 : 0;
            curve->b[t] = close[t] / close[t - 1] - 1;
        }
    }
}

static void check_drops(const struct curve *c, const double *metric)
{
    double depths = 0, days = 0, longest_days = 0, longest_bars = 0;
    int drops = 0;

    for (size_t t = 0; t < c->n;) {
        size_t end = t;
        double deepest = 0;
        while (end < c->n && c->depth[end] > 0)
            deepest = fmax(deepest, c->depth[end++]);
        longest_bars = fmax(longest_bars, (double)(end - t));
        if (end > t && (end < c->n || end - t >= 2)) {
            size_t last = MIN(end, c->n - 1), first = t ? t - 1 : 0;
            double span = (double)(bar_time[last] - bar_time[first]);
            drops++;
            depths += deepest;
            days += span;
            longest_days = fmax(longest_days, span);
        }
        t = end + 1;
    }
    CHECK_NEAR(metric[METRIC_MAX_DRAWDOWN_BARS], longest_bars, 1e-15);
    CHECK_NEAR(metric[METRIC_AVG_DRAWDOWN], drops ? depths / drops * 100 : (double)NAN, 1e-12);
    CHECK_NEAR(metric[METRIC_MAX_DRAWDOWN_DURATION], drops ? longest_days : (double)NAN, 1e-15);
    CHECK_NEAR(metric[METRIC_AVG_DRAWDOWN_DURATION], drops ? days / drops : (double)NAN, 1e-12);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void check_tail(const struct curve *c, const double *metric)
{
    static double sorted[BARS_MAX];
    size_t m = c->n - 1, k = (size_t)((double)(m - 1) * 0.05);
    double part = (double)(m - 1) * 0.05 - (double)k, sum = 0, count = 0;

    memcpy(sorted, c->r + 1, m * sizeof(double));
    qsort(sorted, m, sizeof(double), compare);
    double next = k + 1 < m ? sorted[k + 1] : sorted[k];
    double quantile = sorted[k] + (next - sorted[k]) * part;
    for (size_t i = 0; i < m; i++)
        if (sorted[i] <= quantile + 1e-15) {
            sum += sorted[i];
            count++;
        }
    CHECK_NEAR(metric[METRIC_VAR_95] + 1, 1 - quantile * 100, 1e-12);
    CHECK_NEAR(metric[METRIC_CVAR_95] + 1, 1 - sum / count * 100, 1e-12);
}

static void check_beta(const struct curve *c, const double *metric)
{
    long double mean_r = 0, mean_b = 0, together = 0, variance = 0, m = (long double)c->n - 1;

    for (size_t t = 1; t < c->n; t++) {
        mean_r += c->r[t] / m;
        mean_b += c->b[t] / m;
    }
    for (size_t t = 1; t < c->n; t++) {
        together += (c->r[t] - mean_r) * (c->b[t] - mean_b);
        variance += (c->b[t] - mean_b) * (c->b[t] - mean_b);
    }
    double beta = (double)(together / variance);
    double alpha = (double)((mean_r - beta * mean_b) * 252 * 100);
    CHECK(fabs(metric[METRIC_BETA] - beta) <= 1e-9 * fmax(1, fabs(beta)));
    CHECK(fabs(metric[METRIC_ALPHA] - alpha) <= 1e-9 * fmax(1, fabs(alpha)));
}

static void check_lane(int lane, int width, const struct sim_result *result)
{
    static struct curve curve;
    long double sum = 0, squares = 0;

    read_curve(&curve, lane, width);
    for (size_t t = 0; t < curve.n; t++) {
        sum += curve.e[t];
        if (t > 0)
            squares += curve.depth[t] * curve.depth[t];
    }
    if (sum > 0)
        CHECK_NEAR(result->metric[METRIC_TURNOVER], (double)(12345 / (sum / curve.n)), 1e-12);
    check_drops(&curve, result->metric);
    if (curve.n >= 2)
        check_tail(&curve, result->metric);
    if (curve.n >= 3) {
        double ulcer = sqrt((double)squares / ((double)curve.n - 2)) * 100;
        CHECK_NEAR(result->metric[METRIC_ULCER], ulcer, 1e-12);
        check_beta(&curve, result->metric);
    }
}

TEST(metrics_of_random_curves_are_their_formulas_in_every_build)
{
    static struct sim_result results[LANES_MAX], again[LANES_MAX];
    const char *names[8];
    size_t builds = kernels_list(names, ARRAY_COUNT(names));

    equity = mem_alloc_aligned(64, sizeof(double) * LANES_MAX * BARS_MAX);
    for (uint64_t seed = 0; seed < 60; seed++)
        for (int width = LANES_NARROW; width <= LANES_WIDE; width *= 4) {
            make_curves(width, seed, seed % 3 ? 300 : BARS_MAX);
            run_metrics(kernels_select(NULL, width), NULL, results);
            for (int l = 0; l < width; l++)
                check_lane(l, width, &results[l]);
            for (size_t b = 0; b < builds; b++) {
                run_metrics(kernels_select(names[b], width), NULL, again);
                for (int l = 0; l < width; l++)
                    CHECK_SAME_BITS(again[l].metric, results[l].metric, METRIC_COUNT);
            }
        }
    mem_free(equity);
}

TEST(a_benchmark_is_joined_by_time_at_or_before_each_bar)
{
    static struct sim_result own[LANES_MAX], other[LANES_MAX];
    static double close[2 * BARS_MAX];
    static int64_t time[2 * BARS_MAX];
    const struct kernels *kernels = kernels_select(NULL, LANES_NARROW);

    equity = mem_alloc_aligned(64, sizeof(double) * LANES_MAX * BARS_MAX);
    make_curves(LANES_NARROW, 1, BARS_MAX);
    run_metrics(kernels, NULL, own);
    for (size_t t = 0; t < BARS_MAX; t++) { /* half a day before, and at the bar itself */
        time[2 * t] = bar_time[t] - DAY_MS / 2;
        time[2 * t + 1] = bar_time[t];
        close[2 * t] = 1e9;
        close[2 * t + 1] = column[0][BAR_CLOSE][t];
    }
    struct bars benchmark = {.count = ARRAY_COUNT(time), .time = time, .column[BAR_CLOSE] = close};
    run_metrics(kernels, &benchmark, other);
    CHECK_SAME_BITS(&other[0].metric[METRIC_BETA], &own[0].metric[METRIC_BETA], 1);
    CHECK_SAME_BITS(&other[0].metric[METRIC_ALPHA], &own[0].metric[METRIC_ALPHA], 1);
    CHECK(other[1].metric[METRIC_BETA] != own[1].metric[METRIC_BETA]);

    time[1] = time[2]; /* begins after the account does: not defined */
    benchmark.time += 2;
    benchmark.column[BAR_CLOSE] += 2;
    benchmark.count -= 2;
    run_metrics(kernels, &benchmark, other);
    CHECK(isnan(other[0].metric[METRIC_BETA]));
    mem_free(equity);
}

TEST(every_metric_is_found_by_its_name_and_has_a_formula)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = &metric_rows[i];
        CHECK_INT(metric_find(text_of(row->name)), i);
        CHECK(row->title[0] && row->formula[0]);
        CHECK(row->better >= -1 && row->better <= 1);
    }
    CHECK_INT(metric_find(TEXT("sharp")), -1);
}

TEST(the_manual_of_metrics_is_the_rows)
{
    static const char *const units[] = {"money", "percent", "ratio", "count", "bars", "duration"};
    static const char *const better[] = {"less", "", "more"};
    static char manual[64 << 10], path[SOURCE_PATH_BYTES];
    FILE *file = fopen(source_path(path, "doc/metrics.md"), "rb");

    CHECK(file != NULL);
    size_t length = fread(manual, 1, sizeof manual - 1, file);
    fclose(file);
    CHECK(length < sizeof manual - 1);
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = &metric_rows[i];
        char line[1024];
        snprintf(line, sizeof line, "| `%s` | %s | %s | %s | %s | %s |\n", row->name, row->title,
                 units[row->unit], better[row->better + 1], row->ranking ? "yes" : "",
                 row->formula);
        CHECK_CONTAINS(manual, line);
    }
}
