/* What follows from two sums over the last n values: the straight line through them by least
 * squares (linearreg, linearreg_slope, linearreg_intercept, linearreg_angle, tsf), the weighted
 * mean (wma), and the population variance and its root (var, stddev).
 *
 * Of values x_0 … x_{n-1}, oldest first, they are S = Σ (x_i - a), and R = Σ i (x_i - a) for the
 * line, Q = Σ (x_i - a)² for the variance.  The anchor a is a value of the window: a price of 10^9
 * that moves by 1 loses no digits, and a window of equal values has a variance of exactly 0.  The
 * sums are folded (fold.h): the head's are about its first value, the tail's about its last, which
 * comes just before it. */
#include "kernel/fold.h"

struct sums {
    struct drive drive;
    double at[LANES] ROW_ALIGNED, head[LANES] ROW_ALIGNED; /* head: its anchor */
    double sum[LANES] ROW_ALIGNED, second[LANES] ROW_ALIGNED;
    double tail[LANES] ROW_ALIGNED;    /* the tail's anchor */
    double inverse[LANES] ROW_ALIGNED; /* 1 / n */
    double spread[LANES] ROW_ALIGNED;  /* 1 / Σ (i - mean of i)² */
    double weight[LANES] ROW_ALIGNED;  /* 1 / (1 + 2 + … + n) */
    double ahead[LANES] ROW_ALIGNED;   /* of the line: bars from its middle to where it is read */
    double scale[LANES] ROW_ALIGNED;   /* of stddev */
    struct fold fold; /* two series: values, folded to S; R counted from each row's own value, Q */
};

enum sums_kind { SUMS_WEIGHTED, SUMS_LINE, SUMS_SLOPE, SUMS_VARIANCE };

static size_t sums_bytes(const struct op *op)
{
    return sizeof(struct sums) + fold_bytes(period_longest(op, 0, 1), 2);
}

static void sums_start(struct op *op)
{
    struct sums *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        double n = period_of(op, 0, l, 1);
        s->inverse[l] = 1.0 / n;
        s->spread[l] = n > 1 ? 12.0 / (n * (n * n - 1.0)) : 0.0;
        s->weight[l] = 2.0 / (n * (n + 1.0));
        s->scale[l] = op->kernel == KERNEL_STDDEV ? parameter(op, 1, l) : 1.0;
        s->ahead[l] = 0.5 * (n - 1.0);
        if (op->kernel == KERNEL_LINEARREG_INTERCEPT)
            s->ahead[l] = -s->ahead[l];
        if (op->kernel == KERNEL_TSF)
            s->ahead[l] += 1.0;
    }
    KERNEL(fold_start)(&s->fold, op, 0, s + 1, 2);
}

INLINE void sums_turn(struct op *op, bool squares, int newest, int n, int lane, const i64x4 *mask)
{
    struct sums *s = op->state;
    f64x4 anchor = load(fold_back(&s->fold, newest, 1) + lane), sum = splat(0.0),
          second = splat(0.0);

    for (int k = 1; k <= n; k++) {
        double *row = fold_back(&s->fold, newest, k) + lane;
        f64x4 away = load(row) - anchor;
        if (squares)
            second += away * away;
        else
            second += sum;
        sum += away;
        keep4(row, sum, mask);
        keep4(row + LANES, second, mask);
    }
    keep4(s->tail + lane, anchor, mask);
}

OUTLINE void line_turn(struct op *op, int newest, int n, int lane, const i64x4 *mask)
{
    sums_turn(op, false, newest, n, lane, mask);
}
OUTLINE void variance_turn(struct op *op, int newest, int n, int lane, const i64x4 *mask)
{
    sums_turn(op, true, newest, n, lane, mask);
}

INLINE f64x4 variance_value(f64x4 sum, f64x4 square, const struct sums *s, int lane)
{
    f64x4 inverse = load(s->inverse + lane);
    return max4((square - sum * sum * inverse) * inverse, splat(0.0));
}

/* The arc tangent in degrees: Cephes' atan (Moshier 1984) for all lanes at once.  The C library's
 * takes three times as long, and need not give the same bits on each machine. */
INLINE f64x4 angle4(f64x4 slope)
{
    static const double over[] = {-8.750608600031904122785e-1, -1.615753718733365076637e1,
                                  -7.500855792314704667340e1, -1.228866684490136173410e2,
                                  -6.485021904942025371773e1};
    static const double under[] = {1.0,
                                   2.485846490142306297962e1,
                                   1.650270098316988542046e2,
                                   4.328810604912902668951e2,
                                   4.853903996359136964868e2,
                                   1.945506571482613964425e2};
    const f64x4 zero = splat(0.0), one = splat(1.0), quarter = splat(M_PI_4);
    const f64x4 rest = splat(3.061616997868382943065e-17); /* of π/4, behind its last digit */
    i64x4 sign = (i64x4)slope & splat_i(INT64_MIN);
    f64x4 x = abs4(slope), p = splat(over[0]), q = splat(under[0]), square, begin, more;
    i64x4 steep = x > splat(2.41421356237309504880), flat = x <= splat(0.66); /* tan(3π/8) */

    /* about 0, π/4 or π/2, of which the tangent of what is left is small */
    begin = select4(flat, zero, select4(steep, quarter + quarter, quarter));
    more = select4(flat, zero, select4(steep, rest + rest, rest));
    x = select4(steep, -one, select4(flat, x, x - one)) /
        select4(flat, one, select4(steep, x, x + one));
    square = x * x;
    for (size_t i = 1; i < ARRAY_COUNT(over); i++)
        p = p * square + splat(over[i]);
    for (size_t i = 1; i < ARRAY_COUNT(under); i++)
        q = q * square + splat(under[i]);
    x = begin + (x * (square * p / q) + x + more);
    return splat(180.0 / M_PI) * (f64x4)((i64x4)x ^ sign);
}

INLINE f64x4 line_value(enum sums_kind kind, f64x4 anchor, f64x4 sum, f64x4 moment,
                        const struct sums *s, int lane)
{
    f64x4 centre = splat(0.5) * load(s->fold.newest + lane);
    f64x4 slope = (moment - centre * sum) * load(s->spread + lane);
    f64x4 mean = anchor + sum * load(s->inverse + lane);

    if (kind == SUMS_WEIGHTED)
        return anchor + (moment + sum) * load(s->weight + lane);
    if (kind == SUMS_LINE)
        return mean + load(s->ahead + lane) * slope;
    return slope;
}

/* What stddev makes of the variance, and linearreg_angle of the slope: bodies of their own would be
 * ten times this. */
static void sums_finish(struct op *op, size_t first, size_t end, int lane, int count,
                        const i64x4 *mask)
{
    const struct sums *s = op->state;

    for (int v = 0; v < count; v++) {
        f64x4 scale = load(s->scale + lane + v * VECTOR);
        for (size_t bar = first; bar < end; bar++) {
            double *at = op->out[0] + bar * LANES + lane + v * VECTOR;
            f64x4 value = load(at);
            if (op->kernel == KERNEL_STDDEV)
                value = sqrt4(value) * scale;
            else
                value = angle4(value);
            keep4(at, value, MASK(mask, v));
        }
    }
}

INLINE void sums_bars(struct op *op, enum sums_kind kind, enum fold_way way, size_t first,
                      size_t end, int lane, int count, const i64x4 *mask)
{
    struct sums *s = op->state;
    struct operand in = op->in[0];
    double *out = op->out[0] + lane;
    struct fold_places places = fold_load(&s->fold, s->at + lane, way, first, count);
    f64x4 head[ROW], sum[ROW], second[ROW], shift[ROW], zero = splat(0.0);
    const bool squares = kind == SUMS_VARIANCE;

    in.at += lane;
    EACH(v, count) {
        head[v] = load(s->head + lane + v * VECTOR);
        sum[v] = load(s->sum + lane + v * VECTOR);
        second[v] = load(s->second + lane + v * VECTOR);
        if (fold_opens(&places, way)) {
            head[v] = input4(in, first, v);
            sum[v] = second[v] = zero;
        }
        shift[v] = load(s->tail + lane + v * VECTOR) - head[v];
    }
    for (size_t bar = first; bar < end; bar++) {
        EACH(v, count) {
            int l = lane + v * VECTOR;
            struct fold_bar b = fold_bar(&s->fold, way, l, &places, v);
            f64x4 x = input4(in, bar, v), away, tail, tail_second, moved, all, value;

            if (b.begin) {
                fold_turn(op, &s->fold, &b, way, places.row, l, MASK(mask, v),
                          squares ? variance_turn : line_turn);
                head[v] = select4(b.begins, x, head[v]);
                sum[v] = select4(b.begins, zero, sum[v]);
                second[v] = select4(b.begins, zero, second[v]);
                shift[v] = load(s->tail + l) - head[v];
            }
            away = x - head[v];
            tail = fold_tail(&s->fold, &b, way, 0);
            tail_second = fold_tail(&s->fold, &b, way, 1);
            moved = b.older * shift[v];
            sum[v] += away;
            all = sum[v] + (tail + moved);
            if (squares) {
                second[v] += away * away;
                value = second[v] + (tail_second + shift[v] * (tail + tail + moved));
                value = variance_value(all, value, s, l);
            } else {
                second[v] += b.at * away;
                moved = splat(0.5) * b.older * (b.older - splat(1.0)) * shift[v];
                value = (second[v] + b.older * sum[v]) + (tail_second + moved);
                value = line_value(kind, head[v], all, value, s, l);
            }
            keep4(b.row, x, MASK(mask, v));
            keep4(out + bar * LANES + v * VECTOR, value, MASK(mask, v));
            fold_next(&places, &b, way, v);
        }
        fold_next_bar(&s->fold, &places, way);
    }
    fold_store(s->at + lane, &places, way, count, mask);
    EACH(v, count) {
        keep4(s->head + lane + v * VECTOR, head[v], MASK(mask, v));
        keep4(s->sum + lane + v * VECTOR, sum[v], MASK(mask, v));
        keep4(s->second + lane + v * VECTOR, second[v], MASK(mask, v));
    }
    if (op->kernel == KERNEL_STDDEV || op->kernel == KERNEL_LINEARREG_ANGLE)
        sums_finish(op, first, end, lane, count, mask);
}

#define SUMS_KERNEL(id, kind, turn)                                                             \
    INLINE void id##_bars(struct op *op, enum fold_way way, size_t first, size_t end, int lane, \
                          int count, const i64x4 *mask)                                         \
    {                                                                                           \
        sums_bars(op, kind, way, first, end, lane, count, mask);                                \
    }                                                                                           \
    FOLD_KERNEL(id, sums, sums_bytes, sums_start, turn, id##_bars, second, fold_no_fresh)

SUMS_KERNEL(WMA, SUMS_WEIGHTED, line_turn);
SUMS_KERNEL(LINEARREG, SUMS_LINE, line_turn);
SUMS_KERNEL(LINEARREG_SLOPE, SUMS_SLOPE, line_turn);
SUMS_KERNEL(VAR, SUMS_VARIANCE, variance_turn);

/* The same line read elsewhere, the slope's angle, the variance's root: see sums_start() and
 * sums_finish(). */
KERNEL_DEFINE(LINEARREG_INTERCEPT, sums_bytes, sums_start, LINEARREG_run);
KERNEL_DEFINE(TSF, sums_bytes, sums_start, LINEARREG_run);
KERNEL_DEFINE(LINEARREG_ANGLE, sums_bytes, sums_start, LINEARREG_SLOPE_run);
KERNEL_DEFINE(STDDEV, sums_bytes, sums_start, VAR_run);
