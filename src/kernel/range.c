/* Range of the bars: trange, atr, natr, cci, ultosc. */
#include "kernel/range.h"

#include "kernel/fold.h"
#include "kernel/window.h"

/* ---- trange: the bar and the gap before it; atr: Wilder's mean of it, from the second bar on;
 * natr: that in percent ------------------------------------------------------------------------ */

enum range_kind { RANGE_TRUE, RANGE_MEAN, RANGE_PERCENT };

struct range {
    struct drive drive;
    double mean[LANES] ROW_ALIGNED, last[LANES] ROW_ALIGNED; /* mean: the sum while it warms up */
    double kept[LANES] ROW_ALIGNED, share[LANES] ROW_ALIGNED;
    int period[LANES], seen[LANES];
};

static size_t range_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct range);
}

static void trange_start(struct op *op)
{
    struct range *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
}

static void atr_start(struct op *op)
{
    struct range *s = op->state;

    trange_start(op);
    for (int l = 0; l < LANES; l++) {
        s->period[l] = period_of(op, 0, l, 1);
        s->kept[l] = (s->period[l] - 1.0) / s->period[l];
        s->share[l] = 1.0 / s->period[l];
    }
}

static bool trange_step(struct op *op, size_t bar, int lane)
{
    struct range *s = op->state;
    double range = true_range(input(op, 0, bar, lane), input(op, 1, bar, lane), s->last[lane]);

    output(op, 0, bar, lane, s->drive.fresh >> lane & 1 ? NAN : range);
    s->last[lane] = input(op, 2, bar, lane);
    return true;
}

INLINE bool atr_bar(struct op *op, size_t bar, int lane, enum range_kind kind)
{
    struct range *s = op->state;
    double range = true_range(input(op, 0, bar, lane), input(op, 1, bar, lane), s->last[lane]);
    double close = input(op, 2, bar, lane), value;
    int period = s->period[lane], seen = s->seen[lane];

    if (seen > period) {
        s->mean[lane] = s->mean[lane] * s->kept[lane] + range * s->share[lane];
    } else {
        if (seen > 0)
            s->mean[lane] += range;
        if (seen == period)
            s->mean[lane] *= s->share[lane];
        s->seen[lane] = ++seen;
    }
    s->last[lane] = close;
    value = s->mean[lane];
    /* TA-Lib's natr of period 1 is the range itself; hot() knows no such lane */
    if (kind == RANGE_PERCENT)
        value = period == 1 ? range : close != 0 ? 100.0 * (value / close) : NAN;
    output(op, 0, bar, lane, seen > period ? value : NAN);
    return seen > period && !(kind == RANGE_PERCENT && period == 1);
}

INLINE void range_bars(struct op *op, size_t first, size_t end, enum range_kind kind)
{
    struct range *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1], closes = op->in[2];
    double *restrict out = op->out[0];
    f64x4 mean[ROW], last[ROW];

    EACH_VECTOR(v) {
        mean[v] = load(s->mean + v * VECTOR);
        last[v] = load(s->last + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++)
        EACH_VECTOR(v) {
            f64x4 value = true_range4(input4(highs, bar, v), input4(lows, bar, v), last[v]);
            last[v] = input4(closes, bar, v);
            if (kind != RANGE_TRUE)
                value = mean[v] = mean[v] * load(s->kept + v * VECTOR) +
                                  value * load(s->share + v * VECTOR);
            if (kind == RANGE_PERCENT)
                value = splat(100.0) * divide4(value, last[v], splat(NAN));
            output4(out, bar, v, value);
        }
    EACH_VECTOR(v) {
        store(s->mean + v * VECTOR, mean[v]);
        store(s->last + v * VECTOR, last[v]);
    }
}

static bool atr_step(struct op *op, size_t bar, int lane)
{
    return atr_bar(op, bar, lane, RANGE_MEAN);
}
static bool natr_step(struct op *op, size_t bar, int lane)
{
    return atr_bar(op, bar, lane, RANGE_PERCENT);
}

static void trange_hot(struct op *op, size_t first, size_t end)
{
    range_bars(op, first, end, RANGE_TRUE);
}
static void atr_hot(struct op *op, size_t first, size_t end)
{
    range_bars(op, first, end, RANGE_MEAN);
}
static void natr_hot(struct op *op, size_t first, size_t end)
{
    range_bars(op, first, end, RANGE_PERCENT);
}

KERNEL_DRIVEN(TRANGE, range_bytes, trange_start, .step = trange_step, .hot = trange_hot,
              .changed = DRIVE_ROWS(struct range, last));
KERNEL_DRIVEN(ATR, range_bytes, atr_start, .step = atr_step, .hot = atr_hot,
              .changed = DRIVE_ROWS(struct range, last));
KERNEL_DRIVEN(NATR, range_bytes, atr_start, .step = natr_step, .hot = natr_hot,
              .changed = DRIVE_ROWS(struct range, last));

/* ---- cci: the typical price's distance from its mean, in mean distances -------------------------
 * Both passes go over the window anew: a running mean would keep rounding, and over a market
 * that stands still rounding divided by rounding is ±66.67. Mean distances that are rounding
 * count as 0, and 0 / 0 is NaN. */

struct cci {
    struct drive drive;
    double period[LANES] ROW_ALIGNED, inverse[LANES] ROW_ALIGNED; /* n, 1 / n */
    int shared;                                                   /* n of all lanes, or 0 */
    int longest;
    int seen[LANES];
    struct window window ROW_ALIGNED;
};

static const double CCI_SCALE = 0.015, CCI_ROUNDING = 1e-14, TYPICAL = 1.0 / 3.0;

static size_t cci_bytes(const struct op *op)
{
    return sizeof(struct cci) + window_bytes((size_t)period_longest(op, 0, 1), 1);
}

static void cci_start(struct op *op)
{
    struct cci *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    window_start(&s->window, s + 1, (size_t)period_longest(op, 0, 1), 1);
    s->shared = period_shared(op, 0, 1);
    s->longest = period_longest(op, 0, 1);
    for (int l = 0; l < LANES; l++) {
        s->period[l] = period_of(op, 0, l, 1);
        s->inverse[l] = 1.0 / s->period[l];
    }
}

WINDOW_FUNCTIONS(cci, cci, 0)

/* x of the n-th last row, and 0 in lanes whose own windows do not reach it. */
INLINE f64x4 cci_within(const struct cci *s, f64x4 x, f64x4 n, int lane, bool own)
{
    return own ? (f64x4)((i64x4)x & (n <= load(s->period + lane))) : x;
}

/* Windows of n bars, or of n at the most. */
INLINE void cci_bars(struct op *op, size_t first, size_t end, int n, bool own, int lane, int count,
                     const i64x4 *mask)
{
    struct cci *s = op->state;
    double *out = op->out[0] + lane;

    for (size_t bar = first; bar < end; bar++) {
        double *row = window_row(&s->window, (ptrdiff_t)bar) + lane;
        const double *oldest = row - (ptrdiff_t)(n - 1) * LANES;
        f64x4 now[ROW], mean[ROW], away[ROW], k = splat(n), one = splat(1.0);

        EACH(v, count) {
            now[v] = splat(0.0);
            for (int i = 0; i < 3; i++)
                now[v] += load(op->in[i].at + bar * op->in[i].step + lane + v * VECTOR);
            now[v] *= splat(TYPICAL);
            keep4(row + v * VECTOR, now[v], mask);
            mean[v] = away[v] = splat(0.0);
        }
        for (const double *at = oldest; at <= row; at += LANES, k -= one)
            EACH(v, count)
                mean[v] += cci_within(s, load(at + v * VECTOR), k, lane + v * VECTOR, own);
        EACH(v, count)
            mean[v] *= load(s->inverse + lane + v * VECTOR);
        k = splat(n);
        for (const double *at = oldest; at <= row; at += LANES, k -= one)
            EACH(v, count) {
                f64x4 distance = abs4(load(at + v * VECTOR) - mean[v]);
                away[v] += cci_within(s, distance, k, lane + v * VECTOR, own);
            }
        EACH(v, count) {
            f64x4 distance = away[v] * load(s->inverse + lane + v * VECTOR);
            i64x4 moved = distance > splat(CCI_ROUNDING) * abs4(mean[v]);
            keep4(out + bar * LANES + v * VECTOR,
                  select4(moved, (now[v] - mean[v]) / (splat(CCI_SCALE) * distance), splat(NAN)),
                  mask);
        }
    }
}

static bool cci_step(struct op *op, size_t bar, int lane)
{
    struct cci *s = op->state;
    i64x4 mask = lane_mask(lane);
    int period = (int)s->period[lane];

    cci_bars(op, bar, bar + 1, period, false, lane_vector(lane), 1, &mask);
    s->seen[lane] += s->seen[lane] < period;
    if (s->seen[lane] == period)
        return true;
    output(op, 0, bar, lane, NAN);
    return false;
}

static void cci_hot(struct op *op, size_t first, size_t end)
{
    const struct cci *s = op->state;

    if (s->shared)
        cci_bars(op, first, end, s->shared, false, 0, ROW, NULL);
    else
        cci_bars(op, first, end, s->longest, true, 0, ROW, NULL);
}

KERNEL_DRIVEN(CCI, cci_bytes, cci_start, .step = cci_step, .hot = cci_hot, .skip = cci_skip,
              .push = cci_push, .changed = DRIVE_NO_ROWS);

/* ---- ultosc: buying pressure over true range, of three windows ----------------------------------
 * Running sums; a window without any range is exactly 0, whatever rounding left of earlier bars. */

enum { ULTOSC_WINDOWS = 3 };

struct ultosc {
    struct drive drive;
    double pressure[ULTOSC_WINDOWS][DRIVE_ROW] ROW_ALIGNED;
    double range[ULTOSC_WINDOWS][DRIVE_ROW] ROW_ALIGNED;
    double last[LANES] ROW_ALIGNED, still[LANES] ROW_ALIGNED; /* still: bars since the last range */
    double period[ULTOSC_WINDOWS][LANES] ROW_ALIGNED;         /* rising */
    int shared[ULTOSC_WINDOWS]; /* the period of all lanes; all 0 where one differs */
    int32_t offset[ULTOSC_WINDOWS][LANES];
    int moves[LANES];
    struct window window ROW_ALIGNED; /* two series: pressure, range */
};

static int ultosc_longest(const struct op *op)
{
    int longest = 1;
    for (int k = 0; k < ULTOSC_WINDOWS; k++)
        longest = period_longest(op, k, 1) > longest ? period_longest(op, k, 1) : longest;
    return longest;
}

static size_t ultosc_bytes(const struct op *op)
{
    return sizeof(struct ultosc) + window_bytes((size_t)ultosc_longest(op), 2);
}

static void ultosc_start(struct op *op)
{
    struct ultosc *s = op->state;
    bool same = true;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    window_start(&s->window, s + 1, (size_t)ultosc_longest(op), 2);
    for (int l = 0; l < LANES; l++) {
        for (int k = 0; k < ULTOSC_WINDOWS; k++) {
            int period = period_of(op, k, l, 1), at = k;
            for (; at > 0 && s->period[at - 1][l] > period; at--)
                s->period[at][l] = s->period[at - 1][l];
            s->period[at][l] = period;
        }
        for (int k = 0; k < ULTOSC_WINDOWS; k++) {
            s->offset[k][l] = l % VECTOR - (int)s->period[k][l] * 2 * LANES;
            same &= s->period[k][l] == s->period[k][0];
        }
    }
    for (int k = 0; k < ULTOSC_WINDOWS; k++)
        s->shared[k] = same ? (int)s->period[k][0] : 0;
}

WINDOW_FUNCTIONS(ultosc, ultosc, 0)

INLINE void ultosc_bars(struct op *op, bool shared, size_t first, size_t end, int lane, int count,
                        const i64x4 *mask)
{
    struct ultosc *s = op->state;
    double *out = op->out[0] + lane;
    static const double weight[ULTOSC_WINDOWS] = {4, 2, 1};

    for (size_t bar = first; bar < end; bar++)
        EACH(v, count) {
            int l = lane + v * VECTOR;
            f64x4 high = load(op->in[0].at + bar * op->in[0].step + l);
            f64x4 low = load(op->in[1].at + bar * op->in[1].step + l);
            f64x4 close = load(op->in[2].at + bar * op->in[2].step + l), last = load(s->last + l);
            f64x4 range = true_range4(high, low, last), pressure = close - min4(low, last);
            f64x4 still = select4(range == splat(0.0), load(s->still + l) + splat(1.0), splat(0.0));
            f64x4 total = splat(0.0);
            double *row = window_row(&s->window, (ptrdiff_t)bar) + l;

            keep4(row, pressure, mask);
            keep4(row + LANES, range, mask);
            keep4(s->last + l, close, mask);
            keep4(s->still + l, still, mask);
            for (int k = 0; k < ULTOSC_WINDOWS; k++) {
                const double *old = row - s->shared[k] * 2 * LANES;
                i64x4 empty = still >= load(s->period[k] + l);
                f64x4 sum = load(s->pressure[k] + l) +
                            (pressure - (shared ? load(old) : gather4(row, s->offset[k] + l)));
                f64x4 ranges = load(s->range[k] + l) +
                               (range - (shared ? load(old + LANES)
                                                : gather4(row + LANES, s->offset[k] + l)));
                sum = select4(empty, splat(0.0), sum);
                ranges = select4(empty, splat(0.0), ranges);
                keep4(s->pressure[k] + l, sum, mask);
                keep4(s->range[k] + l, ranges, mask);
                total += splat(weight[k]) * (sum / ranges);
            }
            keep4(out + bar * LANES + v * VECTOR, total * splat(100.0 / 7.0), mask);
        }
}

static bool ultosc_step(struct op *op, size_t bar, int lane)
{
    struct ultosc *s = op->state;
    i64x4 mask = lane_mask(lane);

    if (s->drive.fresh >> lane & 1) {
        double *row = window_row(&s->window, (ptrdiff_t)bar) + lane;
        row[0] = row[LANES] = 0;
        s->last[lane] = input(op, 2, bar, lane);
        output(op, 0, bar, lane, NAN);
        return false;
    }
    ultosc_bars(op, false, bar, bar + 1, lane_vector(lane), 1, &mask);
    s->moves[lane] += s->moves[lane] < s->period[ULTOSC_WINDOWS - 1][lane];
    if (s->moves[lane] == s->period[ULTOSC_WINDOWS - 1][lane])
        return true;
    output(op, 0, bar, lane, NAN);
    return false;
}

static void ultosc_hot(struct op *op, size_t first, size_t end)
{
    const struct ultosc *s = op->state;

    if (s->shared[0])
        ultosc_bars(op, true, first, end, 0, ROW, NULL);
    else
        ultosc_bars(op, false, first, end, 0, ROW, NULL);
}

KERNEL_DRIVEN(ULTOSC, ultosc_bytes, ultosc_start, .step = ultosc_step, .hot = ultosc_hot,
              .skip = ultosc_skip, .push = ultosc_push,
              .changed = DRIVE_ROWS(struct ultosc, still));
