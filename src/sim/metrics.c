/* Metrics that need the equity curve, and the tail of the returns by selection. */
#include <math.h>
#include <string.h>

#include "sim/curves.h"

/* A cursor through the benchmark, one a lane: its close at the time of each of the account's bars.
 */
struct scratch {
    struct curve_rows rows;
    LANE_ALIGNED double close[BLOCK_BARS * LANES_MAX];
    LANE_ALIGNED double column[LANES_MAX][BLOCK_BARS];
    size_t cursor[LANES_MAX];
    double tail[]; /* 3 * bars_max */
};

size_t metrics_scratch_bytes(size_t bars_max)
{
    return sizeof(struct scratch) + 3 * bars_max * sizeof(double);
}

/* ---- the benchmark --------------------------------------------------------------------------- */

/* The benchmark's last close at or before each bar; NaN before its first. */
static void benchmark_closes(const struct bars *benchmark, const struct bars *bars, size_t *cursor,
                             size_t bar, size_t count, double *close)
{
    for (size_t t = 0; t < count; t++) {
        int64_t time = bars->time[bar + t];
        while (*cursor < benchmark->count && benchmark->time[*cursor] <= time)
            ++*cursor;
        close[t] = *cursor ? benchmark->column[BAR_CLOSE][*cursor - 1] : (double)NAN;
    }
}

/* Closes of bars bar…bar + count - 1 into the register; behind a lane's end its last one stands. */
static void fill_closes(const struct metrics_curves *curves, const struct kernels *kernels,
                        struct scratch *scratch, size_t bar, size_t count)
{
    const double *from[LANES_MAX];

    for (int l = 0; l < curves->lanes; l++) {
        const struct bars *bars = &curves->lane[l].bars;
        double *column = scratch->column[l];
        size_t own = bar < bars->count ? MIN(count, bars->count - bar) : 0;

        from[l] = column;
        if (curves->benchmark && own)
            benchmark_closes(curves->benchmark, bars, &scratch->cursor[l], bar, own, column);
        else if (own == count)
            from[l] = bars->column[BAR_CLOSE] + bar;
        else if (own)
            memcpy(column, bars->column[BAR_CLOSE] + bar, own * sizeof(double));
        for (size_t t = own; t < count && from[l] == column; t++)
            column[t] = t ? column[t - 1] : scratch->rows.close[l];
    }
    kernels->transpose(scratch->close, from, 0, count);
}

/* ---- the curve ------------------------------------------------------------------------------- */

/* The first bar is the base of the second's return, and falls from the starting cash. */
static void rows_start(const struct metrics_curves *curves, const struct kernels *kernels,
                       double cash, struct scratch *scratch)
{
    struct curve_rows *rows = &scratch->rows;

    memset(rows, 0, sizeof *rows);
    memset(scratch->cursor, 0, sizeof scratch->cursor);
    fill_closes(curves, kernels, scratch, 0, 1);
    for (int l = 0; l < curves->lanes; l++) {
        double equity = curves->equity[l];
        rows->equity[l] = rows->sum_equity[l] = equity;
        rows->close[l] = scratch->close[l];
        rows->peak[l] = MAX(cash, equity);
        if (equity < cash) {
            rows->depth[l] = 1 - equity / cash;
            rows->drop[l] = rows->drop_longest[l] = 1;
        }
    }
}

static void metrics_of_drops(struct curve_rows *rows, const struct bars *bars, int lane,
                             double metric[])
{
    size_t last = bars->count - 1, drop = (size_t)rows->drop[lane];

    if (drop >= 2) /* one that began on the last bar is left out */
        drop_over(rows, bars->time, lane, last, last > drop ? last - drop : 0);
    metric[METRIC_MAX_DRAWDOWN_BARS] = rows->drop_longest[lane];
    if (rows->drops[lane] == 0)
        return;
    metric[METRIC_AVG_DRAWDOWN] = rows->depths[lane] / rows->drops[lane] * 100;
    if (bars->time) {
        metric[METRIC_MAX_DRAWDOWN_DURATION] = rows->duration_longest[lane];
        metric[METRIC_AVG_DRAWDOWN_DURATION] = rows->durations[lane] / rows->drops[lane];
    }
}

/* A lane at its end. */
static void lane_over(struct curve_rows *rows, const struct bars *bars, int lane, double year,
                      struct sim_result *result)
{
    double *metric = result->metric;
    double n = (double)bars->count, m = n - 1;

    metrics_of_drops(rows, bars, lane, metric);
    if (rows->sum_equity[lane] > 0)
        metric[METRIC_TURNOVER] = result->fills_value / (rows->sum_equity[lane] / n);
    if (n >= 3)
        metric[METRIC_ULCER] = sqrt(rows->sum_depth_squares[lane] / (m - 1)) * 100;
    if (m >= 2) {
        double sum_r = rows->sum_r[lane], sum_b = rows->sum_b[lane];
        double variance = rows->sum_bb[lane] - sum_b * sum_b / m;
        double beta = (rows->sum_rb[lane] - sum_r * sum_b / m) / variance;
        if (variance > 0) {
            metric[METRIC_BETA] = beta;
            metric[METRIC_ALPHA] = (sum_r / m - beta * (sum_b / m)) * year * 100;
        }
    }
}

/* ---- the tail -------------------------------------------------------------------------------- */

/* Values below a bound, in their order; branch-free, since half of the branches would go wrong. */
static size_t values_below(const double *values, size_t count, double bound, double *below)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        below[kept] = values[i];
        kept += values[i] < bound;
    }
    return kept;
}

/* A bound with about an eighth of the values below it, from a sample. */
static double tail_bound(const double *values, size_t count)
{
    enum { SAMPLE = 64 };
    double sample[SAMPLE];

    for (size_t i = 0; i < SAMPLE; i++)
        sample[i] = values[i * count / SAMPLE];
    return select_kth(sample, SAMPLE, SAMPLE / 8);
}

/* The 5 % quantile by linear interpolation, and the mean of what is not above it.  Most values are
 * left out before the selection. */
static void metrics_of_tail(const double *returns, size_t count, double *tail, double *work,
                            double metric[])
{
    double place = (double)(count - 1) * 0.05;
    size_t k = (size_t)place;
    size_t kept = count >= 256 ? values_below(returns, count, tail_bound(returns, count), tail) : 0;

    if (kept < k + 2) {
        memcpy(tail, returns, count * sizeof(double));
        kept = count;
    }
    memcpy(work, tail, kept * sizeof(double));
    double value = select_kth(work, kept, k), next = value;
    if (k + 1 < kept) {
        next = work[k + 1];
        for (size_t i = k + 2; i < kept; i++)
            next = MIN(next, work[i]);
    }
    double quantile = value + (next - value) * (place - (double)k), sum = 0, below = 0;
    for (size_t i = 0; i < kept; i++)
        if (tail[i] <= quantile) {
            sum += tail[i];
            below++;
        }
    metric[METRIC_VAR_95] = 0 - quantile * 100;
    metric[METRIC_CVAR_95] = 0 - sum / below * 100;
}

static void lane_tail(const struct metrics_curves *curves, int lane, struct scratch *scratch,
                      double metric[])
{
    size_t count = curves->lane[lane].bars.count, lanes = (size_t)curves->lanes;
    double *returns = scratch->tail, before = curves->equity[lane];

    if (count < 2)
        return;
    for (size_t t = 1; t < count; t++) {
        double now = curves->equity[t * lanes + (size_t)lane];
        returns[t - 1] = before > 0 ? (now - before) / before : 0;
        before = now;
    }
    metrics_of_tail(returns, count - 1, returns + count, returns + 2 * count, metric);
}

/* ---- all together ---------------------------------------------------------------------------- */

void metrics_from_curves(const struct metrics_curves *curves, const struct kernels *kernels,
                         const struct sim_options *options, void *memory,
                         struct sim_result results[])
{
    const struct sim_kernels *build = sim_kernels_of(kernels);
    struct scratch *scratch = memory;
    size_t longest = 0;

    for (int l = 0; l < curves->lanes; l++)
        longest = MAX(longest, curves->lane[l].bars.count);
    if (longest == 0)
        return;

    rows_start(curves, kernels, options->cash, scratch);
    for (size_t bar = 1;;) {
        size_t end = MIN(bar + BLOCK_BARS, longest);
        for (int l = 0; l < curves->lanes; l++) {
            const struct bars *bars = &curves->lane[l].bars;
            if (bars->count == bar)
                lane_over(&scratch->rows, bars, l, options->year_bars, &results[l]);
            else if (bars->count > bar)
                end = MIN(end, bars->count);
        }
        if (bar == longest)
            break;
        fill_closes(curves, kernels, scratch, bar, end - bar);
        struct curve_block block = {.bar = bar,
                                    .bar_count = end - bar,
                                    .close = scratch->close,
                                    .equity = curves->equity + bar * (size_t)curves->lanes};
        for (int l = 0; l < curves->lanes; l++)
            block.time[l] = curves->lane[l].bars.time;
        build->curve(&scratch->rows, &block);
        bar = end;
    }
    for (int l = 0; l < curves->lanes && curves->quantiles; l++)
        lane_tail(curves, l, scratch, results[l].metric);
}
