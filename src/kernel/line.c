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
    double at[LANES] ROW_ALIGNED, head[LANES] ROW_ALIGNED, sum[LANES] ROW_ALIGNED,
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

static void line_turn(struct op *op, int newest, int n, int lane, const i64x4 *mask)
{
    struct line *s = op->state;
    f64x4 anchor = load(fold_back(&s->fold, newest, 1) + lane), sum = splat(0.0),
          moment = splat(0.0);

    for (int k = 1; k <= n; k++) {
        double *row = fold_back(&s->fold, newest, k) + lane;
        moment += sum;
        sum += load(row) - anchor;
        keep4(row, sum, mask);
        keep4(row + LANES, moment, mask);
    }
    keep4(s->tail + lane, anchor, mask);
}

INLINE f64x4 line_value(enum line_kind kind, f64x4 anchor, f64x4 sum, f64x4 moment,
                        const struct line *s, int lane)
{
    f64x4 centre = splat(0.5) * load(s->fold.newest + lane);
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

INLINE void line_bars(struct op *op, enum line_kind kind, enum fold_way way, size_t first,
                      size_t end, int lane, int count, const i64x4 *mask)
{
    struct line *s = op->state;
    struct operand in = op->in[0];
    double *out = op->out[0] + lane;
    struct fold_places places = fold_load(&s->fold, s->at + lane, way, first, count);
    f64x4 head[ROW], sum[ROW], moment[ROW], shift[ROW], zero = splat(0.0);

    in.at += lane;
    EACH(v, count) {
        head[v] = load(s->head + lane + v * VECTOR);
        sum[v] = load(s->sum + lane + v * VECTOR);
        moment[v] = load(s->moment + lane + v * VECTOR);
        if (fold_opens(&places, way)) {
            head[v] = input4(in, first, v);
            sum[v] = moment[v] = zero;
        }
        shift[v] = load(s->tail + lane + v * VECTOR) - head[v];
    }
    for (size_t bar = first; bar < end; bar++) {
        EACH(v, count) {
            int l = lane + v * VECTOR;
            struct fold_bar b = fold_bar(&s->fold, way, l, &places, v);
            f64x4 x = input4(in, bar, v), away, all, moved;

            if (b.begin) {
                fold_turn(op, &s->fold, &b, way, places.row, l, MASK(mask, v), line_turn);
                head[v] = select4(b.begins, x, head[v]);
                sum[v] = select4(b.begins, zero, sum[v]);
                moment[v] = select4(b.begins, zero, moment[v]);
                shift[v] = load(s->tail + l) - head[v];
            }
            away = x - head[v];
            sum[v] += away;
            moment[v] += b.at * away;
            all = sum[v] + (fold_tail(&s->fold, &b, way, 0) + b.older * shift[v]);
            moved = fold_tail(&s->fold, &b, way, 1) +
                    splat(0.5) * b.older * (b.older - splat(1.0)) * shift[v];
            keep4(b.row, x, MASK(mask, v));
            keep4(out + bar * LANES + v * VECTOR,
                  line_value(kind, head[v], all, (moment[v] + b.older * sum[v]) + moved, s, l),
                  MASK(mask, v));
            fold_next(&places, &b, way, v);
        }
        fold_next_bar(&s->fold, &places, way);
    }
    fold_store(s->at + lane, &places, way, count, mask);
    EACH(v, count) {
        keep4(s->head + lane + v * VECTOR, head[v], MASK(mask, v));
        keep4(s->sum + lane + v * VECTOR, sum[v], MASK(mask, v));
        keep4(s->moment + lane + v * VECTOR, moment[v], MASK(mask, v));
    }
}

#define LINE_KERNEL(id, kind)                                                                   \
    INLINE void id##_bars(struct op *op, enum fold_way way, size_t first, size_t end, int lane, \
                          int count, const i64x4 *mask)                                         \
    {                                                                                           \
        line_bars(op, kind, way, first, end, lane, count, mask);                                \
    }                                                                                           \
    FOLD_KERNEL(id, line, 1, line_bytes, line_start, line_turn, id##_bars, moment, fold_no_fresh)

LINE_KERNEL(WMA, LINE_WMA);
LINE_KERNEL(LINEARREG, LINE_END);
LINE_KERNEL(LINEARREG_SLOPE, LINE_SLOPE);
LINE_KERNEL(LINEARREG_INTERCEPT, LINE_INTERCEPT);
LINE_KERNEL(LINEARREG_ANGLE, LINE_ANGLE);
LINE_KERNEL(TSF, LINE_NEXT);
