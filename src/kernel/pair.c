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
    double at[LANES] ROW_ALIGNED;
    double sum[PAIR_SUMS][DRIVE_ROW] ROW_ALIGNED;
    double head[2][DRIVE_ROW] ROW_ALIGNED, tail[2][DRIVE_ROW] ROW_ALIGNED; /* anchors of x and y */
    double last[2][DRIVE_ROW] ROW_ALIGNED; /* prices of the bar before */
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

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    KERNEL(fold_start)(&s->fold, op, 0, s + 1, PAIR_SUMS);
    for (int l = 0; l < LANES; l++)
        s->inverse[l] = 1.0 / s->fold.warmup.needed[l];
}

INLINE void pair_add(f64x4 sum[PAIR_SUMS], f64x4 x, f64x4 y)
{
    sum[PAIR_X] += x;
    sum[PAIR_Y] += y;
    sum[PAIR_XX] += x * x;
    sum[PAIR_YY] += y * y;
    sum[PAIR_XY] += x * y;
}

OUTLINE void pair_turn(struct op *op, int newest, int n, int lane, const i64x4 *mask)
{
    struct pair *s = op->state;
    const double *last = fold_back(&s->fold, newest, 1) + lane;
    f64x4 x = load(last), y = load(last + LANES), sum[PAIR_SUMS];

    for (int k = 0; k < PAIR_SUMS; k++)
        sum[k] = splat(0.0);
    for (int i = 1; i <= n; i++) {
        double *row = fold_back(&s->fold, newest, i) + lane;
        pair_add(sum, load(row) - x, load(row + LANES) - y);
        for (int k = 0; k < PAIR_SUMS; k++)
            keep4(row + k * LANES, sum[k], mask);
    }
    keep4(s->tail[0] + lane, x, mask);
    keep4(s->tail[1] + lane, y, mask);
}

/* The sums of the window from those of the head, and those of the tail, moved by dx and dy. */
INLINE f64x4 pair_value(enum pair_kind kind, const f64x4 head[PAIR_SUMS], const struct fold *f,
                        const struct fold_bar *b, enum fold_way way, f64x4 dx, f64x4 dy,
                        f64x4 inverse, i64x4 at_one_price)
{
    f64x4 tx = fold_tail(f, b, way, PAIR_X), ty = fold_tail(f, b, way, PAIR_Y), older = b->older;
    f64x4 x = head[PAIR_X] + (tx + older * dx), y = head[PAIR_Y] + (ty + older * dy);
    f64x4 xx = head[PAIR_XX] + (fold_tail(f, b, way, PAIR_XX) + dx * (tx + tx + older * dx));
    f64x4 yy = head[PAIR_YY] + (fold_tail(f, b, way, PAIR_YY) + dy * (ty + ty + older * dy));
    f64x4 xy = head[PAIR_XY] + (fold_tail(f, b, way, PAIR_XY) + (dx * ty + dy * (tx + older * dx)));
    f64x4 zero = splat(0.0), both = xy - x * y * inverse;
    f64x4 own = max4(xx - x * x * inverse, zero), others = max4(yy - y * y * inverse, zero);
    f64x4 still = select4((own == zero) & (others == zero) & at_one_price, splat(NAN), zero);

    return divide4(both, kind == PAIR_BETA ? own : sqrt4(own * others), still);
}

/* One vector: the sums fill the registers. */
INLINE void pair_vector(struct op *op, enum pair_kind kind, enum fold_way way, size_t first,
                        size_t end, int lane, const i64x4 *mask)
{
    struct pair *s = op->state;
    double *out = op->out[0] + lane;
    struct fold_places places = fold_load(&s->fold, s->at + lane, way, first, 1);
    f64x4 sum[PAIR_SUMS], last[2], head[2] = {load(s->head[0] + lane), load(s->head[1] + lane)};

    for (int k = 0; k < PAIR_SUMS; k++)
        sum[k] = load(s->sum[k] + lane);
    for (int i = 0; i < 2; i++)
        last[i] = load(s->last[i] + lane);
    for (size_t bar = first; bar < end; bar++) {
        struct fold_bar b = fold_bar(&s->fold, way, lane, &places, 0);
        f64x4 value[2], price[2];

        for (int i = 0; i < 2; i++) {
            value[i] = price[i] = load(op->in[i].at + bar * op->in[i].step + lane);
            if (kind == PAIR_BETA)
                value[i] = (price[i] - last[i]) / last[i];
            last[i] = price[i];
        }
        bool opens = fold_opens(&places, way);
        for (int k = 0; opens && k < PAIR_SUMS; k++)
            sum[k] = splat(0.0);
        for (int i = 0; opens && i < 2; i++)
            head[i] = value[i];
        if (b.begin) {
            fold_turn(op, &s->fold, &b, way, places.row, lane, mask, pair_turn);
            for (int k = 0; k < PAIR_SUMS; k++)
                sum[k] = select4(b.begins, splat(0.0), sum[k]);
            for (int i = 0; i < 2; i++)
                head[i] = select4(b.begins, value[i], head[i]);
        }
        pair_add(sum, value[0] - head[0], value[1] - head[1]);
        keep4(out + bar * LANES,
              pair_value(kind, sum, &s->fold, &b, way, load(s->tail[0] + lane) - head[0],
                         load(s->tail[1] + lane) - head[1], load(s->inverse + lane),
                         price[0] == price[1]),
              mask);
        for (int i = 0; i < 2; i++)
            keep4(b.row + i * LANES, value[i], mask);
        fold_next(&places, &b, way, 0);
        fold_next_bar(&s->fold, &places, way);
    }
    fold_store(s->at + lane, &places, way, 1, mask);
    for (int k = 0; k < PAIR_SUMS; k++)
        keep4(s->sum[k] + lane, sum[k], mask);
    for (int i = 0; i < 2; i++) {
        keep4(s->head[i] + lane, head[i], mask);
        keep4(s->last[i] + lane, last[i], mask);
    }
}

/* The first bar has no return. */
INLINE bool beta_fresh(struct op *op, size_t bar, int lane)
{
    struct pair *s = op->state;
    double *row = fold_back(&s->fold, fold_row(&s->fold, bar), 0) + lane;

    if (!(s->drive.fresh >> lane & 1))
        return false;
    for (int k = 0; k < PAIR_SUMS; k++)
        row[k * LANES] = 0;
    for (int i = 0; i < 2; i++)
        s->last[i][lane] = input(op, i, bar, lane);
    output(op, 0, bar, lane, NAN);
    return true;
}

#define PAIR_KERNEL(id, kind, fresh)                                                            \
    INLINE void id##_bars(struct op *op, enum fold_way way, size_t first, size_t end, int lane, \
                          int count, const i64x4 *mask)                                         \
    {                                                                                           \
        for (int v = 0; v < count; v++)                                                         \
            pair_vector(op, kind, way, first, end, lane + v * VECTOR, MASK(mask, v));           \
    }                                                                                           \
    FOLD_KERNEL(id, pair, pair_bytes, pair_start, pair_turn, id##_bars, last, fresh)

PAIR_KERNEL(CORREL, PAIR_CORREL, fold_no_fresh);
PAIR_KERNEL(BETA, PAIR_BETA, beta_fresh);
