/* Strength after Wilder: rsi, cmo. */
#include "kernel/drive.h"

/* ---- rsi, cmo -----------------------------------------------------------------------------------
 * Wilder's means of gains and losses.  Only their ratio is reported, so both are kept n times
 * as large: (mean * (n - 1) + x) / n becomes sum * ((n - 1) / n) + x, which saves two divides a
 * bar. The value of a market that never moved is 0 / 0, NaN; its sums go on.  rsi_raw has
 * TA-Lib's 0 there, for what is reckoned from the RSI. */

enum rsi_kind { RSI_WILDER, RSI_ZERO, RSI_CMO };

struct rsi {
    struct drive drive;
    double gain[LANES] ROW_ALIGNED, loss[LANES] ROW_ALIGNED, last[LANES] ROW_ALIGNED,
        kept[LANES] ROW_ALIGNED;
    int period[LANES], seen[LANES];
};

static size_t rsi_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct rsi);
}

static void rsi_start(struct op *op)
{
    struct rsi *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        s->period[l] = period_of(op, 0, l, 1);
        s->kept[l] = (s->period[l] - 1.0) / s->period[l];
    }
}

INLINE double rsi_value(double gain, double loss, enum rsi_kind kind)
{
    double total = gain + loss, value = 100.0 * ((kind == RSI_CMO ? gain - loss : gain) / total);
    return kind == RSI_ZERO && total == 0 ? 0.0 : value;
}
INLINE f64x4 rsi_value4(f64x4 gain, f64x4 loss, enum rsi_kind kind)
{
    f64x4 total = gain + loss, part = gain, value;
    if (kind == RSI_CMO)
        part -= loss;
    value = splat(100.0) * (part / total);
    return kind == RSI_ZERO ? select4(total == splat(0.0), splat(0.0), value) : value;
}

INLINE bool rsi_bar(struct op *op, size_t bar, int lane, enum rsi_kind kind)
{
    struct rsi *s = op->state;
    double x = input(op, 0, bar, lane), change = x - s->last[lane], gain = max_of(change, 0.0);
    int period = s->period[lane], seen = s->seen[lane];

    if (seen > period) {
        s->gain[lane] = s->gain[lane] * s->kept[lane] + gain;
        s->loss[lane] = s->loss[lane] * s->kept[lane] + (gain - change);
    } else {
        if (seen > 0) {
            s->gain[lane] += gain;
            s->loss[lane] += gain - change;
        }
        s->seen[lane] = ++seen;
    }
    s->last[lane] = x;
    output(op, 0, bar, lane, seen > period ? rsi_value(s->gain[lane], s->loss[lane], kind) : NAN);
    return seen > period;
}

/* Two vectors at a time: four rows of state for sixteen lanes would not stay in AVX2's registers.
 */
enum { RSI_CHUNK = ROW < 2 ? ROW : 2 };

INLINE void rsi_bars(struct op *op, size_t first, size_t end, enum rsi_kind kind)
{
    struct rsi *s = op->state;
    struct operand in = op->in[0];
    double *restrict out = op->out[0];

    for (int chunk = 0; chunk < ROW; chunk += RSI_CHUNK) {
        f64x4 gain[RSI_CHUNK], loss[RSI_CHUNK], last[RSI_CHUNK], kept[RSI_CHUNK];

        EACH(v, RSI_CHUNK) {
            gain[v] = load(s->gain + (chunk + v) * VECTOR);
            loss[v] = load(s->loss + (chunk + v) * VECTOR);
            last[v] = load(s->last + (chunk + v) * VECTOR);
            kept[v] = load(s->kept + (chunk + v) * VECTOR);
        }
        for (size_t bar = first; bar < end; bar++)
            EACH(v, RSI_CHUNK) {
                f64x4 x = input4(in, bar, chunk + v), change = x - last[v],
                      up = max4(change, splat(0.0));
                last[v] = x;
                gain[v] = gain[v] * kept[v] + up;
                loss[v] = loss[v] * kept[v] + (up - change);
                output4(out, bar, chunk + v, rsi_value4(gain[v], loss[v], kind));
            }
        EACH(v, RSI_CHUNK) {
            store(s->gain + (chunk + v) * VECTOR, gain[v]);
            store(s->loss + (chunk + v) * VECTOR, loss[v]);
            store(s->last + (chunk + v) * VECTOR, last[v]);
        }
    }
}

#define RSI_KERNEL(id, kind)                                                    \
    static bool id##_step(struct op *op, size_t bar, int lane)                  \
    {                                                                           \
        return rsi_bar(op, bar, lane, kind);                                    \
    }                                                                           \
    static void id##_hot(struct op *op, size_t first, size_t end)               \
    {                                                                           \
        rsi_bars(op, first, end, kind);                                         \
    }                                                                           \
    KERNEL_DRIVEN(id, rsi_bytes, rsi_start, .step = id##_step, .hot = id##_hot, \
                  .changed = DRIVE_ROWS(struct rsi, last))

RSI_KERNEL(RSI, RSI_WILDER);
RSI_KERNEL(RSI_RAW, RSI_ZERO);
RSI_KERNEL(CMO, RSI_CMO);
