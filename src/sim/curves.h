/* Metrics of equity curves: what the loop over bars (curve.c, once per build) hands to metrics.c.
 */
#ifndef HARRIER_SIM_CURVES_H
#define HARRIER_SIM_CURVES_H

#include "sim/ledger.h"

/* Row arrays over lanes, carried from bar to bar.  A DROP is a run of bars with equity below its
 * peak. */
struct curve_rows {
    LANE_ALIGNED double equity[LANES_MAX]; /* at the bar before, like the benchmark's close */
    double close[LANES_MAX];
    double peak[LANES_MAX];
    double sum_equity[LANES_MAX];
    double sum_r[LANES_MAX], sum_b[LANES_MAX], sum_rb[LANES_MAX], sum_bb[LANES_MAX];
    double sum_depth_squares[LANES_MAX];
    double depth[LANES_MAX]; /* of the present drop, share of the peak */
    double drop[LANES_MAX];  /* its bars so far */
    double drop_longest[LANES_MAX];

    /* Sums over drops that are over. */
    double depths[LANES_MAX], durations[LANES_MAX], duration_longest[LANES_MAX];
    uint32_t drops[LANES_MAX];
};

struct curve_block {
    size_t bar, bar_count;          /* of the account */
    const double *equity, *close;   /* [t][lane] */
    const int64_t *time[LANES_MAX]; /* of the account's bars; NULL where not known */
};

/* A drop that is over on bar `end`, where equity is back or the curve stops: bt's definition, by
 * which it begins on the bar of its peak. */
static inline void drop_over(struct curve_rows *rows, const int64_t *time, int lane, size_t end,
                             size_t begin)
{
    rows->drops[lane]++;
    rows->depths[lane] += rows->depth[lane];
    if (time) {
        double duration = (double)(time[end] - time[begin]);
        rows->durations[lane] += duration;
        rows->duration_longest[lane] = MAX(rows->duration_longest[lane], duration);
    }
}

/* Hoare's selection: the k-th smallest of values, which it reorders; what stands before it is not
 * greater, what stands behind it not less (market.c). */
double select_kth(double *values, size_t count, size_t k);

#endif
