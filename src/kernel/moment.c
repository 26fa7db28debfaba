/* Population variance of the last n values and its root: var, stddev.
 *
 * n² variances are n Σ d² - (Σ d)² for d = x - a, whatever a is; with a value of the window for a,
 * no digits are lost to a large price, and a window of equal values gives exactly 0.  Both sums are
 * folded (fold.h): the head's are about its first value, the tail's about its last, which comes
 * just before it. */
#include "kernel/fold.h"

struct moment {
    struct drive drive;
    double at[LANES] ROW_ALIGNED, head[LANES] ROW_ALIGNED, sum[LANES] ROW_ALIGNED,
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

static void moment_turn(struct op *op, int newest, int n, int lane, const i64x4 *mask)
{
    struct moment *s = op->state;
    f64x4 anchor = load(fold_back(&s->fold, newest, 1) + lane), sum = splat(0.0),
          square = splat(0.0);

    for (int k = 1; k <= n; k++) {
        double *row = fold_back(&s->fold, newest, k) + lane;
        f64x4 away = load(row) - anchor;
        sum += away;
        square += away * away;
        keep4(row, sum, mask);
        keep4(row + LANES, square, mask);
    }
    keep4(s->tail + lane, anchor, mask);
}

INLINE void moment_bars(struct op *op, bool root, enum fold_way way, size_t first, size_t end,
                        int lane, int count, const i64x4 *mask)
{
    struct moment *s = op->state;
    struct operand in = op->in[0];
    double *out = op->out[0] + lane;
    struct fold_places places = fold_load(&s->fold, s->at + lane, way, first, count);
    f64x4 head[ROW], sum[ROW], square[ROW], zero = splat(0.0);

    in.at += lane;
    EACH(v, count) {
        head[v] = load(s->head + lane + v * VECTOR);
        sum[v] = load(s->sum + lane + v * VECTOR);
        square[v] = load(s->square + lane + v * VECTOR);
        if (fold_opens(&places, way)) {
            head[v] = input4(in, first, v);
            sum[v] = square[v] = zero;
        }
    }
    for (size_t bar = first; bar < end; bar++) {
        EACH(v, count) {
            int l = lane + v * VECTOR;
            struct fold_bar b = fold_bar(&s->fold, way, l, &places, v);
            f64x4 x = input4(in, bar, v), inverse = load(s->inverse + l);
            f64x4 away, shift, moved, tail, all, value;

            if (b.begin) {
                fold_turn(op, &s->fold, &b, way, places.row, l, MASK(mask, v), moment_turn);
                head[v] = select4(b.begins, x, head[v]);
                sum[v] = select4(b.begins, zero, sum[v]);
                square[v] = select4(b.begins, zero, square[v]);
            }
            away = x - head[v];
            shift = load(s->tail + l) - head[v];
            moved = b.older * shift;
            tail = fold_tail(&s->fold, &b, way, 0);
            sum[v] += away;
            square[v] += away * away;
            all = sum[v] + (tail + moved);
            value = square[v] + (fold_tail(&s->fold, &b, way, 1) + shift * (tail + tail + moved));
            value = max4((value - all * all * inverse) * inverse, zero);
            if (root)
                value = sqrt4(value) * load(s->scale + l);
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
        keep4(s->square + lane + v * VECTOR, square[v], MASK(mask, v));
    }
}

#define MOMENT_KERNEL(id, root)                                                                 \
    INLINE void id##_bars(struct op *op, enum fold_way way, size_t first, size_t end, int lane, \
                          int count, const i64x4 *mask)                                         \
    {                                                                                           \
        moment_bars(op, root, way, first, end, lane, count, mask);                              \
    }                                                                                           \
    FOLD_KERNEL(id, moment, 1, moment_bytes, moment_start, moment_turn, id##_bars, square,      \
                fold_no_fresh)

MOMENT_KERNEL(VAR, false);
MOMENT_KERNEL(STDDEV, true);
