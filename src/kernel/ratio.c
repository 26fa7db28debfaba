/* Ratios of two sums over the last n bars: cutler_rsi, mfi, cmf, vwma.  Both sums are folded
 * (fold.h), so that 0 / 0 is seen for what it is. */
#include "kernel/fold.h"

enum ratio_kind { RATIO_CUTLER, RATIO_MFI, RATIO_CMF, RATIO_VWMA };

struct ratio {
    struct drive drive;
    double last[LANES] ROW_ALIGNED; /* what the next bar is compared with */
    double above[LANES] ROW_ALIGNED, below[LANES] ROW_ALIGNED;
    struct fold fold; /* two series */
};

static size_t ratio_bytes(const struct op *op)
{
    return sizeof(struct ratio) + fold_bytes(period_longest(op, 0, 1), 2);
}

static void ratio_start(struct op *op)
{
    struct ratio *s = op->state;
    int window[LANES];

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++)
        window[l] = period_of(op, 0, l, 1);
    fold_start(&s->fold, s + 1, window, 2);
}

INLINE void ratio_turn(struct op *op, int lane, const i64x4 *mask, int n)
{
    struct ratio *s = op->state;
    f64x4 above = splat(0.0), below = splat(0.0);

    for (int k = n - 1; k >= 0; k--) {
        double *row = fold_row(&s->fold, k) + lane;
        above += load(row);
        below += load(row + LANES);
        keep4(row, above, mask);
        keep4(row + LANES, below, mask);
    }
}

static const double THIRD = 1.0 / 3.0;

/* TA-Lib's: typical prices that differ by rounding are equal. */
static const double MFI_EQUAL = 1e-14;

/* What a bar of the kernel adds to the two sums. */
INLINE void ratio_parts(enum ratio_kind kind, const struct op *op, size_t bar, int lane,
                        f64x4 *last, f64x4 *above, f64x4 *below)
{
    f64x4 in[4] = {splat(0.0), splat(0.0), splat(0.0), splat(0.0)}, zero = splat(0.0);

    for (int i = 0; i < (kind == RATIO_CUTLER ? 1 : kind == RATIO_VWMA ? 2 : 4); i++)
        in[i] = load(op->in[i].at + bar * op->in[i].step + lane);
    switch (kind) {
    case RATIO_CUTLER: { /* price */
        f64x4 change = in[0] - *last;
        *above = max4(change, zero);
        *below = *above - change;
        *last = in[0];
        return;
    }
    case RATIO_MFI: { /* high, low, close, volume */
        f64x4 typical = (in[0] + in[1] + in[2]) * splat(THIRD), change = typical - *last;
        f64x4 flow = typical * in[3], equal = abs4(typical) * splat(MFI_EQUAL);
        *above = select4(change > equal, flow, zero);
        *below = select4(change < -equal, flow, zero);
        *last = typical;
        return;
    }
    case RATIO_CMF: { /* high, low, close, volume */
        f64x4 place = ((in[2] - in[1]) - (in[0] - in[2])) / (in[0] - in[1]);
        *above = select4(in[0] > in[1], place * in[3], zero);
        *below = in[3];
        return;
    }
    case RATIO_VWMA: /* close, volume */
        *above = in[0] * in[1];
        *below = in[1];
        return;
    }
}

INLINE f64x4 ratio_value(enum ratio_kind kind, f64x4 above, f64x4 below)
{
    if (kind == RATIO_CUTLER || kind == RATIO_MFI)
        return divide4(splat(100.0) * above, above + below, splat(NAN));
    return divide4(above, below, splat(kind == RATIO_CMF ? 0.0 : NAN)); /* cmf: TA-Lib's 0 */
}

INLINE void ratio_bars(struct op *op, enum ratio_kind kind, size_t first, size_t end, int at,
                       int lane, int count, const i64x4 *mask)
{
    struct ratio *s = op->state;
    double *out = op->out[0] + lane;
    f64x4 last[ROW], above[ROW], below[ROW];

    EACH(v, count) {
        last[v] = load(s->last + lane + v * VECTOR);
        above[v] = at == 0 ? splat(0.0) : load(s->above + lane + v * VECTOR);
        below[v] = at == 0 ? splat(0.0) : load(s->below + lane + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++, at++) {
        double *row = fold_row(&s->fold, at) + lane, *after = fold_row(&s->fold, at + 1) + lane;
        EACH(v, count) {
            f64x4 a, b;
            ratio_parts(kind, op, bar, lane + v * VECTOR, &last[v], &a, &b);
            keep4(row + v * VECTOR, a, mask);
            keep4(row + v * VECTOR + LANES, b, mask);
            above[v] += a;
            below[v] += b;
            keep4(out + bar * LANES + v * VECTOR,
                  ratio_value(kind, above[v] + load(after + v * VECTOR),
                              below[v] + load(after + v * VECTOR + LANES)),
                  mask);
        }
    }
    EACH(v, count) {
        keep4(s->last + lane + v * VECTOR, last[v], mask);
        keep4(s->above + lane + v * VECTOR, above[v], mask);
        keep4(s->below + lane + v * VECTOR, below[v], mask);
    }
}

INLINE bool ratio_step(struct op *op, enum ratio_kind kind, size_t bar, int lane)
{
    struct ratio *s = op->state;
    struct fold *f = &s->fold;
    i64x4 mask = lane_mask(lane);

    if ((kind == RATIO_CUTLER || kind == RATIO_MFI) && s->drive.fresh >> lane & 1) {
        f64x4 last = splat(0.0), above, below; /* the first bar has none before it */
        ratio_parts(kind, op, bar, lane_vector(lane), &last, &above, &below);
        keep4(s->last + lane_vector(lane), last, &mask);
        output(op, 0, bar, lane, NAN);
        return false;
    }
    if (f->at[lane] == 0)
        ratio_turn(op, lane_vector(lane), &mask, f->window[lane]);
    ratio_bars(op, kind, bar, bar + 1, f->at[lane], lane_vector(lane), 1, &mask);
    if (fold_next(f, lane))
        return true;
    output(op, 0, bar, lane, NAN);
    return false;
}

static void ratio_turn_all(struct op *op, int lane, const i64x4 *mask)
{
    const struct ratio *s = op->state;
    ratio_turn(op, lane, mask, s->fold.shared);
}

#define RATIO_KERNEL(id, kind)                                                                     \
    static bool id##_step(struct op *op, size_t bar, int lane)                                     \
    {                                                                                              \
        return ratio_step(op, kind, bar, lane);                                                    \
    }                                                                                              \
    static void id##_bars(struct op *op, size_t first, size_t end, int at)                         \
    {                                                                                              \
        ratio_bars(op, kind, first, end, at, 0, ROW, NULL);                                        \
    }                                                                                              \
    static void id##_hot(struct op *op, size_t first, size_t end)                                  \
    {                                                                                              \
        struct ratio *s = op->state;                                                               \
        fold_hot(op, &s->fold, first, end, (struct folded){ratio_turn_all, id##_bars, id##_step}); \
    }                                                                                              \
    KERNEL_DRIVEN(id, ratio_bytes, ratio_start, .step = id##_step, .hot = id##_hot)

RATIO_KERNEL(CUTLER_RSI, RATIO_CUTLER);
RATIO_KERNEL(MFI, RATIO_MFI);
RATIO_KERNEL(CMF, RATIO_CMF);
RATIO_KERNEL(VWMA, RATIO_VWMA);
