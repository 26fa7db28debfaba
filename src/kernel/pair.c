/* How two prices go together over the last n bars: correl, beta.
 *
 * Both follow from the sums of x - a, y - b, their squares and their product; with values of the
 * window for a and b no digits are lost to a large price.  The sums are folded (fold.h): the head's
 * are about its first values, the tail's about its last, and are moved there.
 *
 * Where one of the two stands still the value is TA-Lib's 0; where both do, at one price (high and
 * low of a dead market), it is NaN. */
#include "kernel/fold.h"

enum { PAIR_X, PAIR_Y, PAIR_XX, PAIR_YY, PAIR_XY, PAIR_SUMS };
enum pair_kind { PAIR_CORREL, PAIR_BETA };

struct pair {
    struct drive drive;
    double sum[PAIR_SUMS][LANES] ROW_ALIGNED;
    double head[2][LANES] ROW_ALIGNED, tail[2][LANES] ROW_ALIGNED; /* anchors of x and y */
    double last[2][LANES] ROW_ALIGNED;                             /* prices of the bar before */
    double inverse[LANES] ROW_ALIGNED;
    struct fold fold; /* PAIR_SUMS series; x and y until a segment is full */
};

static size_t pair_bytes(const struct op *op)
{
    return sizeof(struct pair) + fold_bytes(period_longest(op, 0, 1), PAIR_SUMS);
}

static void pair_start(struct op *op)
{
    struct pair *s = op->state;
    int window[LANES];

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        window[l] = period_of(op, 0, l, 1);
        s->inverse[l] = 1.0 / window[l];
    }
    fold_start(&s->fold, s + 1, window, PAIR_SUMS);
}

INLINE void pair_add(f64x4 sum[PAIR_SUMS], f64x4 x, f64x4 y)
{
    sum[PAIR_X] += x;
    sum[PAIR_Y] += y;
    sum[PAIR_XX] += x * x;
    sum[PAIR_YY] += y * y;
    sum[PAIR_XY] += x * y;
}

INLINE void pair_turn(struct op *op, int lane, const i64x4 *mask, int n)
{
    struct pair *s = op->state;
    const double *newest = fold_row(&s->fold, n - 1) + lane;
    f64x4 x = load(newest), y = load(newest + LANES), sum[PAIR_SUMS];

    for (int k = 0; k < PAIR_SUMS; k++)
        sum[k] = splat(0.0);
    for (int i = n - 1; i >= 0; i--) {
        double *row = fold_row(&s->fold, i) + lane;
        pair_add(sum, load(row) - x, load(row + LANES) - y);
        for (int k = 0; k < PAIR_SUMS; k++)
            keep4(row + k * LANES, sum[k], mask);
    }
    keep4(s->tail[0] + lane, x, mask);
    keep4(s->tail[1] + lane, y, mask);
}

/* The sums of the window from those of the head, and those of the tail, `older` values, moved by dx
 * and dy. */
INLINE f64x4 pair_value(enum pair_kind kind, const f64x4 head[PAIR_SUMS], const double *tail,
                        f64x4 older, f64x4 dx, f64x4 dy, f64x4 inverse, i64x4 at_one_price)
{
    f64x4 tx = load(tail + PAIR_X * LANES), ty = load(tail + PAIR_Y * LANES);
    f64x4 x = head[PAIR_X] + (tx + older * dx), y = head[PAIR_Y] + (ty + older * dy);
    f64x4 xx = head[PAIR_XX] + (load(tail + PAIR_XX * LANES) + dx * (tx + tx + older * dx));
    f64x4 xy = head[PAIR_XY] + (load(tail + PAIR_XY * LANES) + (dx * ty + dy * (tx + older * dx)));
    f64x4 yy = head[PAIR_YY] + (load(tail + PAIR_YY * LANES) + dy * (ty + ty + older * dy));
    f64x4 zero = splat(0.0), both = xy - x * y * inverse;
    f64x4 own = max4(xx - x * x * inverse, zero), others = max4(yy - y * y * inverse, zero);
    f64x4 still = select4((own == zero) & (others == zero) & at_one_price, splat(NAN), zero);

    return divide4(both, kind == PAIR_BETA ? own : sqrt4(own * others), still);
}

/* Values to rows at… of a window of n. */
INLINE void pair_bars(struct op *op, enum pair_kind kind, size_t first, size_t end, int at, int n,
                      int lane, const i64x4 *mask)
{
    struct pair *s = op->state;
    double *out = op->out[0] + lane;
    f64x4 sum[PAIR_SUMS], last[2], head[2] = {load(s->head[0] + lane), load(s->head[1] + lane)};

    for (int k = 0; k < PAIR_SUMS; k++)
        sum[k] = at == 0 ? splat(0.0) : load(s->sum[k] + lane);
    for (int i = 0; i < 2; i++)
        last[i] = load(s->last[i] + lane);
    for (size_t bar = first; bar < end; bar++, at++) {
        double *row = fold_row(&s->fold, at) + lane;
        f64x4 value[2], price[2];

        for (int i = 0; i < 2; i++) {
            value[i] = price[i] = load(op->in[i].at + bar * op->in[i].step + lane);
            if (kind == PAIR_BETA)
                value[i] = (price[i] - last[i]) / last[i];
            last[i] = price[i];
            head[i] = at == 0 ? value[i] : head[i];
            keep4(row + i * LANES, value[i], mask);
        }
        pair_add(sum, value[0] - head[0], value[1] - head[1]);
        value[0] = pair_value(kind, sum, fold_row(&s->fold, at + 1) + lane, splat(n - 1 - at),
                              load(s->tail[0] + lane) - head[0], load(s->tail[1] + lane) - head[1],
                              load(s->inverse + lane), price[0] == price[1]);
        keep4(out + bar * LANES, value[0], mask);
    }
    for (int k = 0; k < PAIR_SUMS; k++)
        keep4(s->sum[k] + lane, sum[k], mask);
    for (int i = 0; i < 2; i++) {
        keep4(s->head[i] + lane, head[i], mask);
        keep4(s->last[i] + lane, last[i], mask);
    }
}

INLINE bool pair_step(struct op *op, enum pair_kind kind, size_t bar, int lane)
{
    struct pair *s = op->state;
    struct fold *f = &s->fold;
    i64x4 mask = lane_mask(lane);

    if (kind == PAIR_BETA && s->drive.fresh >> lane & 1) {
        for (int i = 0; i < 2; i++)
            s->last[i][lane] = input(op, i, bar, lane);
        output(op, 0, bar, lane, NAN);
        return false;
    }
    if (f->at[lane] == 0)
        pair_turn(op, lane_vector(lane), &mask, f->window[lane]);
    pair_bars(op, kind, bar, bar + 1, f->at[lane], f->window[lane], lane_vector(lane), &mask);
    if (fold_next(f, lane))
        return true;
    output(op, 0, bar, lane, NAN);
    return false;
}

static void pair_turn_all(struct op *op, int lane, const i64x4 *mask)
{
    const struct pair *s = op->state;
    pair_turn(op, lane, mask, s->fold.shared);
}

/* One vector at a time: the sums fill the registers. */
#define PAIR_KERNEL(id, kind)                                                                     \
    static bool id##_step(struct op *op, size_t bar, int lane)                                    \
    {                                                                                             \
        return pair_step(op, kind, bar, lane);                                                    \
    }                                                                                             \
    static void id##_bars(struct op *op, size_t first, size_t end, int at)                        \
    {                                                                                             \
        const struct pair *s = op->state;                                                         \
        for (int lane = 0; lane < LANES; lane += VECTOR)                                          \
            pair_bars(op, kind, first, end, at, s->fold.shared, lane, NULL);                      \
    }                                                                                             \
    static void id##_hot(struct op *op, size_t first, size_t end)                                 \
    {                                                                                             \
        struct pair *s = op->state;                                                               \
        fold_hot(op, &s->fold, first, end, (struct folded){pair_turn_all, id##_bars, id##_step}); \
    }                                                                                             \
    KERNEL_DRIVEN(id, pair_bytes, pair_start, .step = id##_step, .hot = id##_hot)

PAIR_KERNEL(CORREL, PAIR_CORREL);
PAIR_KERNEL(BETA, PAIR_BETA);
