/* The straight line through the last n values by least squares, and the weighted mean: wma,
 * linearreg, linearreg_slope, linearreg_intercept, linearreg_angle, tsf.
 *
 * With values x_0 … x_{n-1}, oldest first, all of them follow from S = Σ (x_i - a) and R = Σ i (x_i
 * - a), where the anchor a is a value of the window: a price of 10^9 that moves by 1 loses no
 * digits.  Both sums are folded (fold.h): the head's are about its first value, the tail's about
 * its last. */
#include "kernel/fold.h"

struct line {
    struct drive drive;
    double head[LANES] ROW_ALIGNED, sum[LANES] ROW_ALIGNED,
        moment[LANES] ROW_ALIGNED;  /* head: its anchor */
    double tail[LANES] ROW_ALIGNED; /* the tail's anchor */
    double inverse[LANES] ROW_ALIGNED,
        spread[LANES] ROW_ALIGNED;    /* 1 / n; 1 / Σ (i - mean of i)² */
    double weight[LANES] ROW_ALIGNED; /* 1 / (1 + 2 + … + n) */
    struct fold fold; /* two series: values, folded to S; R counted from each row's own value */
};

enum line_kind { LINE_WMA, LINE_END, LINE_SLOPE, LINE_INTERCEPT, LINE_ANGLE, LINE_NEXT };

static const double DEGREES = 57.29577951308232;

static size_t line_bytes(const struct op *op)
{
    return sizeof(struct line) + fold_bytes(period_longest(op, 0, 1), 2);
}

static void line_start(struct op *op)
{
    struct line *s = op->state;
    int window[LANES];

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        double n = window[l] = period_of(op, 0, l, 1);
        s->inverse[l] = 1.0 / n;
        s->spread[l] = n > 1 ? 12.0 / (n * (n * n - 1.0)) : 0.0;
        s->weight[l] = 2.0 / (n * (n + 1.0));
    }
    fold_start(&s->fold, s + 1, window, 2);
}

INLINE void line_turn(struct op *op, int lane, const i64x4 *mask, int n)
{
    struct line *s = op->state;
    f64x4 anchor = load(fold_row(&s->fold, n - 1) + lane), sum = splat(0.0), moment = splat(0.0);

    for (int k = n - 1; k >= 0; k--) {
        double *row = fold_row(&s->fold, k) + lane;
        moment += sum;
        sum += load(row) - anchor;
        keep4(row, sum, mask);
        keep4(row + LANES, moment, mask);
    }
    keep4(s->tail + lane, anchor, mask);
}

INLINE f64x4 line_value(enum line_kind kind, f64x4 anchor, f64x4 sum, f64x4 moment, int n,
                        const struct line *s, int lane)
{
    f64x4 centre = splat(0.5 * (n - 1));
    f64x4 slope = (moment - centre * sum) * load(s->spread + lane);
    f64x4 mean = anchor + sum * load(s->inverse + lane);

    switch (kind) {
    case LINE_WMA:
        return anchor + (moment + sum) * load(s->weight + lane);
    case LINE_END:
        return mean + centre * slope;
    case LINE_INTERCEPT:
        return mean - centre * slope;
    case LINE_NEXT:
        return mean + (centre + splat(1.0)) * slope;
    case LINE_ANGLE:
        return splat(DEGREES) * map4(atan, slope);
    case LINE_SLOPE:
        break;
    }
    return slope;
}

/* Values to rows at… of a window of n. */
INLINE void line_bars(struct op *op, enum line_kind kind, size_t first, size_t end, int at, int n,
                      int lane, int count, const i64x4 *mask)
{
    struct line *s = op->state;
    struct operand in = op->in[0];
    double *out = op->out[0] + lane;
    f64x4 head[ROW], sum[ROW], moment[ROW];

    in.at += lane;
    EACH(v, count) {
        head[v] = at == 0 ? input4(in, first, v) : load(s->head + lane + v * VECTOR);
        sum[v] = at == 0 ? splat(0.0) : load(s->sum + lane + v * VECTOR);
        moment[v] = at == 0 ? splat(0.0) : load(s->moment + lane + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++, at++) {
        double *row = fold_row(&s->fold, at) + lane, *after = fold_row(&s->fold, at + 1) + lane;
        f64x4 older = splat(n - 1 - at), pairs = splat(0.5 * (n - 1 - at) * (n - 2 - at));

        EACH(v, count) {
            f64x4 x = input4(in, bar, v), away = x - head[v];
            f64x4 shift = load(s->tail + lane + v * VECTOR) - head[v];
            f64x4 tail = load(after + v * VECTOR), tail_moment = load(after + v * VECTOR + LANES);

            keep4(row + v * VECTOR, x, mask);
            sum[v] += away;
            moment[v] += splat(at) * away;
            keep4(out + bar * LANES + v * VECTOR,
                  line_value(kind, head[v], sum[v] + (tail + older * shift),
                             (moment[v] + older * sum[v]) + (tail_moment + pairs * shift), n, s,
                             lane + v * VECTOR),
                  mask);
        }
    }
    EACH(v, count) {
        keep4(s->head + lane + v * VECTOR, head[v], mask);
        keep4(s->sum + lane + v * VECTOR, sum[v], mask);
        keep4(s->moment + lane + v * VECTOR, moment[v], mask);
    }
}

INLINE bool line_step(struct op *op, enum line_kind kind, size_t bar, int lane)
{
    struct line *s = op->state;
    struct fold *f = &s->fold;
    i64x4 mask = lane_mask(lane);

    if (f->at[lane] == 0)
        line_turn(op, lane_vector(lane), &mask, f->window[lane]);
    line_bars(op, kind, bar, bar + 1, f->at[lane], f->window[lane], lane_vector(lane), 1, &mask);
    if (fold_next(f, lane))
        return true;
    output(op, 0, bar, lane, NAN);
    return false;
}

static void line_turn_all(struct op *op, int lane, const i64x4 *mask)
{
    const struct line *s = op->state;
    line_turn(op, lane, mask, s->fold.shared);
}

#define LINE_KERNEL(id, kind)                                                                     \
    static bool id##_step(struct op *op, size_t bar, int lane)                                    \
    {                                                                                             \
        return line_step(op, kind, bar, lane);                                                    \
    }                                                                                             \
    static void id##_bars(struct op *op, size_t first, size_t end, int at)                        \
    {                                                                                             \
        const struct line *s = op->state;                                                         \
        line_bars(op, kind, first, end, at, s->fold.shared, 0, ROW, NULL);                        \
    }                                                                                             \
    static void id##_hot(struct op *op, size_t first, size_t end)                                 \
    {                                                                                             \
        struct line *s = op->state;                                                               \
        fold_hot(op, &s->fold, first, end, (struct folded){line_turn_all, id##_bars, id##_step}); \
    }                                                                                             \
    KERNEL_DRIVEN(id, line_bytes, line_start, .step = id##_step, .hot = id##_hot)

LINE_KERNEL(WMA, LINE_WMA);
LINE_KERNEL(LINEARREG, LINE_END);
LINE_KERNEL(LINEARREG_SLOPE, LINE_SLOPE);
LINE_KERNEL(LINEARREG_INTERCEPT, LINE_INTERCEPT);
LINE_KERNEL(LINEARREG_ANGLE, LINE_ANGLE);
LINE_KERNEL(TSF, LINE_NEXT);
