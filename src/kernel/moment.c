/* Population variance of the last n values and its root: var, stddev.
 *
 * n² variances are n Σ d² - (Σ d)² for d = x - a, whatever a is; with a value of the window for a,
 * no digits are lost to a large price, and a window of equal values gives exactly 0.  Both sums are
 * folded (fold.h): the head's are about its first value, the tail's about its last, which comes
 * just before it. */
#include "kernel/fold.h"

struct moment {
    struct drive drive;
    double head[LANES] ROW_ALIGNED, sum[LANES] ROW_ALIGNED,
        square[LANES] ROW_ALIGNED;  /* head: its anchor */
    double tail[LANES] ROW_ALIGNED; /* the tail's anchor */
    double inverse[LANES] ROW_ALIGNED, scale[LANES] ROW_ALIGNED;
    struct fold fold; /* two series: values, folded to Σ d; Σ d² */
};

static size_t moment_bytes(const struct op *op)
{
    return sizeof(struct moment) + fold_bytes(period_longest(op, 0, 1), 2);
}

static void moment_start(struct op *op)
{
    struct moment *s = op->state;
    int window[LANES];

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        window[l] = period_of(op, 0, l, 1);
        s->inverse[l] = 1.0 / window[l];
        s->scale[l] = parameter(op, 1, l);
    }
    fold_start(&s->fold, s + 1, window, 2);
}

INLINE void moment_turn(struct op *op, int lane, const i64x4 *mask, int n)
{
    struct moment *s = op->state;
    f64x4 anchor = load(fold_row(&s->fold, n - 1) + lane), sum = splat(0.0), square = splat(0.0);

    for (int k = n - 1; k >= 0; k--) {
        double *row = fold_row(&s->fold, k) + lane;
        f64x4 away = load(row) - anchor;
        sum += away;
        square += away * away;
        keep4(row, sum, mask);
        keep4(row + LANES, square, mask);
    }
    keep4(s->tail + lane, anchor, mask);
}

INLINE void moment_bars(struct op *op, bool root, size_t first, size_t end, int at, int n, int lane,
                        int count, const i64x4 *mask)
{
    struct moment *s = op->state;
    struct operand in = op->in[0];
    double *out = op->out[0] + lane;
    f64x4 head[ROW], sum[ROW], square[ROW], zero = splat(0.0);

    in.at += lane;
    EACH(v, count) {
        head[v] = at == 0 ? input4(in, first, v) : load(s->head + lane + v * VECTOR);
        sum[v] = at == 0 ? zero : load(s->sum + lane + v * VECTOR);
        square[v] = at == 0 ? zero : load(s->square + lane + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++, at++) {
        double *row = fold_row(&s->fold, at) + lane, *after = fold_row(&s->fold, at + 1) + lane;
        f64x4 older = splat(n - 1 - at);

        EACH(v, count) {
            f64x4 x = input4(in, bar, v), away = x - head[v],
                  inverse = load(s->inverse + lane + v * VECTOR);
            f64x4 shift = load(s->tail + lane + v * VECTOR) - head[v], moved = older * shift;
            f64x4 tail = load(after + v * VECTOR), tail_square = load(after + v * VECTOR + LANES),
                  all, value;

            keep4(row + v * VECTOR, x, mask);
            sum[v] += away;
            square[v] += away * away;
            all = sum[v] + (tail + moved);
            value = square[v] + (tail_square + shift * (tail + tail + moved));
            value = max4((value - all * all * inverse) * inverse, zero);
            if (root)
                value = sqrt4(value) * load(s->scale + lane + v * VECTOR);
            keep4(out + bar * LANES + v * VECTOR, value, mask);
        }
    }
    EACH(v, count) {
        keep4(s->head + lane + v * VECTOR, head[v], mask);
        keep4(s->sum + lane + v * VECTOR, sum[v], mask);
        keep4(s->square + lane + v * VECTOR, square[v], mask);
    }
}

INLINE bool moment_step(struct op *op, bool root, size_t bar, int lane)
{
    struct moment *s = op->state;
    struct fold *f = &s->fold;
    i64x4 mask = lane_mask(lane);

    if (f->at[lane] == 0)
        moment_turn(op, lane_vector(lane), &mask, f->window[lane]);
    moment_bars(op, root, bar, bar + 1, f->at[lane], f->window[lane], lane_vector(lane), 1, &mask);
    if (fold_next(f, lane))
        return true;
    output(op, 0, bar, lane, NAN);
    return false;
}

static void moment_turn_all(struct op *op, int lane, const i64x4 *mask)
{
    const struct moment *s = op->state;
    moment_turn(op, lane, mask, s->fold.shared);
}

#define MOMENT_KERNEL(id, root)                                              \
    static bool id##_step(struct op *op, size_t bar, int lane)               \
    {                                                                        \
        return moment_step(op, root, bar, lane);                             \
    }                                                                        \
    static void id##_bars(struct op *op, size_t first, size_t end, int at)   \
    {                                                                        \
        const struct moment *s = op->state;                                  \
        moment_bars(op, root, first, end, at, s->fold.shared, 0, ROW, NULL); \
    }                                                                        \
    static void id##_hot(struct op *op, size_t first, size_t end)            \
    {                                                                        \
        struct moment *s = op->state;                                        \
        fold_hot(op, &s->fold, first, end,                                   \
                 (struct folded){moment_turn_all, id##_bars, id##_step});    \
    }                                                                        \
    KERNEL_DRIVEN(id, moment_bytes, moment_start, .step = id##_step, .hot = id##_hot)

MOMENT_KERNEL(VAR, false);
MOMENT_KERNEL(STDDEV, true);
