/* Ratios of two sums over the last n bars: cutler_rsi, mfi, cmf, vwma.  Both sums are folded
 * (fold.h), so that 0 / 0 is seen for what it is. */
#include "kernel/fold.h"

enum ratio_kind { RATIO_CUTLER, RATIO_MFI, RATIO_CMF, RATIO_VWMA };

struct ratio {
    struct drive drive;
    double at[LANES] ROW_ALIGNED;
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

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    KERNEL(fold_start)(&s->fold, op, 0, s + 1, 2);
}

OUTLINE void ratio_turn(struct op *op, int newest, int n, int lane, const i64x4 *mask)
{
    const struct ratio *s = op->state;
    f64x4 above = splat(0.0), below = splat(0.0);

    for (int k = 1; k <= n; k++) {
        double *row = fold_back(&s->fold, newest, k) + lane;
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

INLINE void ratio_bars(struct op *op, enum ratio_kind kind, enum fold_way way, size_t first,
                       size_t end, int lane, int count, const i64x4 *mask)
{
    struct ratio *s = op->state;
    double *out = op->out[0] + lane;
    struct fold_places places = fold_load(&s->fold, s->at + lane, way, first, count);
    f64x4 last[ROW], above[ROW], below[ROW], zero = splat(0.0);

    EACH(v, count) {
        last[v] = load(s->last + lane + v * VECTOR);
        above[v] = load(s->above + lane + v * VECTOR);
        below[v] = load(s->below + lane + v * VECTOR);
        if (fold_opens(&places, way))
            above[v] = below[v] = zero;
    }
    for (size_t bar = first; bar < end; bar++) {
        EACH(v, count) {
            int l = lane + v * VECTOR;
            struct fold_bar b = fold_bar(&s->fold, way, l, &places, v);
            f64x4 more, less;

            if (b.begin) {
                fold_turn(op, &s->fold, &b, way, places.row, l, MASK(mask, v), ratio_turn);
                above[v] = select4(b.begins, zero, above[v]);
                below[v] = select4(b.begins, zero, below[v]);
            }
            ratio_parts(kind, op, bar, l, &last[v], &more, &less);
            above[v] += more;
            below[v] += less;
            keep4(out + bar * LANES + v * VECTOR,
                  ratio_value(kind, above[v] + fold_tail(&s->fold, &b, way, 0),
                              below[v] + fold_tail(&s->fold, &b, way, 1)),
                  MASK(mask, v));
            keep4(b.row, more, MASK(mask, v));
            keep4(b.row + LANES, less, MASK(mask, v));
            fold_next(&places, &b, way, v);
        }
        fold_next_bar(&s->fold, &places, way);
    }
    fold_store(s->at + lane, &places, way, count, mask);
    EACH(v, count) {
        keep4(s->last + lane + v * VECTOR, last[v], MASK(mask, v));
        keep4(s->above + lane + v * VECTOR, above[v], MASK(mask, v));
        keep4(s->below + lane + v * VECTOR, below[v], MASK(mask, v));
    }
}

/* The first bar of what compares with the bar before: it has none. */
INLINE bool ratio_fresh(struct op *op, enum ratio_kind kind, size_t bar, int lane)
{
    struct ratio *s = op->state;
    i64x4 mask = lane_mask(lane);
    f64x4 last, above, below;
    double *row = fold_back(&s->fold, fold_row(&s->fold, bar), 0) + lane;

    if (!(s->drive.fresh >> lane & 1))
        return false;
    ratio_parts(kind, op, bar, lane_vector(lane), &last, &above, &below);
    keep4(s->last + lane_vector(lane), last, &mask);
    row[0] = row[LANES] = 0;
    output(op, 0, bar, lane, NAN);
    return true;
}

INLINE bool cutler_fresh(struct op *op, size_t bar, int lane)
{
    return ratio_fresh(op, RATIO_CUTLER, bar, lane);
}
INLINE bool mfi_fresh(struct op *op, size_t bar, int lane)
{
    return ratio_fresh(op, RATIO_MFI, bar, lane);
}

#define RATIO_KERNEL(id, kind, fresh)                                                           \
    INLINE void id##_bars(struct op *op, enum fold_way way, size_t first, size_t end, int lane, \
                          int count, const i64x4 *mask)                                         \
    {                                                                                           \
        ratio_bars(op, kind, way, first, end, lane, count, mask);                               \
    }                                                                                           \
    FOLD_KERNEL(id, ratio, ratio_bytes, ratio_start, ratio_turn, id##_bars, below, fresh)

RATIO_KERNEL(CUTLER_RSI, RATIO_CUTLER, cutler_fresh);
RATIO_KERNEL(MFI, RATIO_MFI, mfi_fresh);
RATIO_KERNEL(CMF, RATIO_CMF, fold_no_fresh);
RATIO_KERNEL(VWMA, RATIO_VWMA, fold_no_fresh);
