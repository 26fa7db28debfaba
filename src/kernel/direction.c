/* Wilder's directional movement: plus_dm, minus_dm, plus_di, minus_di, dx, adx, adxr.
 *
 * Movement up, movement down and true range are summed as Wilder did: the plain sum of the first n
 * - 1, and from then on sum - sum / n + x.  Of a market that never moved the indices are 0 / 0: NaN
 * is reported, and the means of dx go on with 0. */
#include "kernel/fold.h"
#include "kernel/range.h"
#include "kernel/window.h"

enum direction_kind {
    DIRECTION_PLUS_DM,
    DIRECTION_MINUS_DM,
    DIRECTION_PLUS_DI,
    DIRECTION_MINUS_DI,
    DIRECTION_DX,
    DIRECTION_ADX,
    DIRECTION_ADXR
};

struct direction {
    struct drive drive;
    double up[LANES] ROW_ALIGNED, down[LANES] ROW_ALIGNED,
        range[LANES] ROW_ALIGNED; /* Wilder's sums */
    double high[LANES] ROW_ALIGNED, low[LANES] ROW_ALIGNED,
        close[LANES] ROW_ALIGNED;   /* of the bar before */
    double mean[LANES] ROW_ALIGNED; /* of dx; its sum while it warms up */
    double kept[LANES] ROW_ALIGNED, share[LANES] ROW_ALIGNED, scale[LANES] ROW_ALIGNED;
    int shared; /* the period of all lanes, or 0 */
    int period[LANES], moves[LANES];
    int32_t offset[LANES]; /* adxr: from the vector of a lane to its adx n - 1 bars back */
    struct window window ROW_ALIGNED; /* adxr: adx */
};

static size_t direction_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct direction);
}

static size_t adxr_bytes(const struct op *op)
{
    return sizeof(struct direction) + window_bytes((size_t)period_longest(op, 0, 1), 1);
}

static void direction_start(struct op *op)
{
    struct direction *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    s->shared = period_shared(op, 0, 1);
    for (int l = 0; l < LANES; l++) {
        s->period[l] = period_of(op, 0, l, 1);
        s->kept[l] = (s->period[l] - 1.0) / s->period[l];
        s->share[l] = 1.0 / s->period[l];
        s->scale[l] = s->period[l] == 1 ? 1.0
                                        : 100.0; /* TA-Lib's index of period 1 is no percentage */
        s->offset[l] = l % VECTOR - (s->period[l] - 1) * LANES;
    }
}

static void adxr_start(struct op *op)
{
    struct direction *s = op->state;

    direction_start(op);
    window_start(&s->window, s + 1, (size_t)period_longest(op, 0, 1), 1);
}

WINDOW_FUNCTIONS(adxr, direction, 0)

/* How many moves a value needs. */
INLINE int direction_needs(enum direction_kind kind, int period)
{
    switch (kind) {
    case DIRECTION_PLUS_DM:
    case DIRECTION_MINUS_DM:
        return period > 1 ? period - 1 : 1;
    case DIRECTION_ADX:
        return 2 * period - 1;
    case DIRECTION_ADXR:
        return 3 * period - 2;
    default:
        return period;
    }
}

INLINE double direction_value(struct direction *s, enum direction_kind kind, size_t bar, int lane)
{
    double up = s->up[lane], down = s->down[lane], range = s->range[lane], dx;
    int period = s->period[lane], moves = s->moves[lane];

    switch (kind) {
    case DIRECTION_PLUS_DM:
        return up;
    case DIRECTION_MINUS_DM:
        return down;
    case DIRECTION_PLUS_DI:
        return s->scale[lane] * (up / range);
    case DIRECTION_MINUS_DI:
        return s->scale[lane] * (down / range);
    case DIRECTION_DX:
        return 100.0 * (fabs(up - down) / (up + down));
    default:
        break;
    }
    if (moves < period)
        return NAN;
    dx = up + down == 0 ? 0.0 : 100.0 * (fabs(up - down) / (up + down));
    if (moves >= 2 * period)
        s->mean[lane] = s->mean[lane] * s->kept[lane] + dx * s->share[lane];
    else
        s->mean[lane] += dx;
    if (moves == 2 * period - 1)
        s->mean[lane] /= period;
    double value = s->mean[lane];
    if (kind == DIRECTION_ADXR) {
        double *row = window_row(&s->window, (ptrdiff_t)bar) + lane_vector(lane);
        row[lane - lane_vector(lane)] = value;
        value = 0.5 * (value + row[s->offset[lane]]);
    }
    return up + down == 0 ? NAN : value;
}

INLINE bool direction_step(struct op *op, enum direction_kind kind, size_t bar, int lane)
{
    struct direction *s = op->state;
    bool fresh = s->drive.fresh >> lane & 1, moved_only = kind <= DIRECTION_MINUS_DM;
    double high = input(op, 0, bar, lane), low = input(op, 1, bar, lane), last = s->close[lane];
    double rise = high - s->high[lane], fall = s->low[lane] - low, value = NAN;
    int period = s->period[lane], needs = direction_needs(kind, period);

    s->high[lane] = high;
    s->low[lane] = low;
    s->close[lane] = moved_only ? 0.0 : input(op, 2, bar, lane);
    if (!fresh) {
        double kept = ++s->moves[lane] < period ? 1.0 : s->kept[lane];
        s->up[lane] = s->up[lane] * kept + (rise > 0 && rise > fall ? rise : 0.0);
        s->down[lane] = s->down[lane] * kept + (fall > 0 && fall > rise ? fall : 0.0);
        s->range[lane] = s->range[lane] * kept + true_range(high, low, last);
        value = direction_value(s, kind, bar, lane);
    }
    bool shown = s->moves[lane] >= needs;
    output(op, 0, bar, lane, shown ? value : NAN);
    if (s->moves[lane] > 3 * period)
        s->moves[lane] = 3 * period;
    return shown && s->moves[lane] >= (kind >= DIRECTION_ADX ? 2 * period : period);
}

/* Many rows of state: one or two vectors at a time. */
enum { DIRECTION_CHUNK = ROW < 2 ? ROW : 2 };

INLINE f64x4 direction_mean(f64x4 *mean, f64x4 up, f64x4 down, f64x4 kept, f64x4 share)
{
    f64x4 total = up + down, dx = splat(100.0) * (abs4(up - down) / total);
    *mean = *mean * kept + select4(total == splat(0.0), splat(0.0), dx) * share;
    return total;
}

INLINE void direction_chunk(struct op *op, enum direction_kind kind, size_t first, size_t end,
                            int lane)
{
    struct direction *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1], closes = op->in[2];
    double *out = op->out[0] + lane;
    f64x4 up[DIRECTION_CHUNK], down[DIRECTION_CHUNK], range[DIRECTION_CHUNK], mean[DIRECTION_CHUNK];
    f64x4 high[DIRECTION_CHUNK], low[DIRECTION_CHUNK], close[DIRECTION_CHUNK],
        kept[DIRECTION_CHUNK];
    const bool ranged = kind == DIRECTION_PLUS_DI ||
                        kind == DIRECTION_MINUS_DI; /* dx needs no range */

    EACH(v, DIRECTION_CHUNK) {
        int l = lane + v * VECTOR;
        up[v] = load(s->up + l), down[v] = load(s->down + l), range[v] = load(s->range + l);
        high[v] = load(s->high + l), low[v] = load(s->low + l), close[v] = load(s->close + l);
        mean[v] = load(s->mean + l), kept[v] = load(s->kept + l);
    }
    for (size_t bar = first; bar < end; bar++)
        EACH(v, DIRECTION_CHUNK) {
            int l = lane + v * VECTOR;
            f64x4 h = load(highs.at + bar * highs.step + l),
                  low_now = load(lows.at + bar * lows.step + l);
            f64x4 rise = h - high[v], fall = low[v] - low_now, zero = splat(0.0), value;

            up[v] = up[v] * kept[v] + select4((rise > zero) & (rise > fall), rise, zero);
            down[v] = down[v] * kept[v] + select4((fall > zero) & (fall > rise), fall, zero);
            high[v] = h;
            low[v] = low_now;
            if (ranged) {
                range[v] = range[v] * kept[v] + true_range4(h, low_now, close[v]);
                close[v] = load(closes.at + bar * closes.step + l);
                value = load(s->scale + l) *
                        ((kind == DIRECTION_PLUS_DI ? up[v] : down[v]) / range[v]);
            } else if (kind == DIRECTION_DX) {
                value = splat(100.0) * (abs4(up[v] - down[v]) / (up[v] + down[v]));
            } else if (kind == DIRECTION_ADX || kind == DIRECTION_ADXR) {
                f64x4 total = direction_mean(&mean[v], up[v], down[v], kept[v], load(s->share + l));
                value = mean[v];
                if (kind == DIRECTION_ADXR) {
                    double *row = window_row(&s->window, (ptrdiff_t)bar) + l;
                    store(row, value);
                    value = splat(0.5) * (value + (s->shared ? load(row - (s->shared - 1) * LANES)
                                                             : gather4(row, s->offset + l)));
                }
                value = select4(total == zero, splat(NAN), value);
            } else {
                value = kind == DIRECTION_PLUS_DM ? up[v] : down[v];
            }
            output4(out, bar, v, value);
        }
    EACH(v, DIRECTION_CHUNK) {
        int l = lane + v * VECTOR;
        store(s->up + l, up[v]), store(s->down + l, down[v]), store(s->range + l, range[v]);
        store(s->high + l, high[v]), store(s->low + l, low[v]), store(s->close + l, close[v]);
        store(s->mean + l, mean[v]);
    }
}

#define DIRECTION_KERNEL(id, kind, bytes, start, ...)                      \
    static bool id##_step(struct op *op, size_t bar, int lane)             \
    {                                                                      \
        return direction_step(op, kind, bar, lane);                        \
    }                                                                      \
    static void id##_hot(struct op *op, size_t first, size_t end)          \
    {                                                                      \
        for (int lane = 0; lane < LANES; lane += DIRECTION_CHUNK * VECTOR) \
            direction_chunk(op, kind, first, end, lane);                   \
    }                                                                      \
    KERNEL_DRIVEN(id, bytes, start, .step = id##_step, .hot = id##_hot,    \
                  .changed = DRIVE_ROWS(struct direction, mean), __VA_ARGS__)

DIRECTION_KERNEL(PLUS_DM, DIRECTION_PLUS_DM, direction_bytes, direction_start);
DIRECTION_KERNEL(MINUS_DM, DIRECTION_MINUS_DM, direction_bytes, direction_start);
DIRECTION_KERNEL(PLUS_DI, DIRECTION_PLUS_DI, direction_bytes, direction_start);
DIRECTION_KERNEL(MINUS_DI, DIRECTION_MINUS_DI, direction_bytes, direction_start);
DIRECTION_KERNEL(DX, DIRECTION_DX, direction_bytes, direction_start);
DIRECTION_KERNEL(ADX, DIRECTION_ADX, direction_bytes, direction_start);
DIRECTION_KERNEL(ADXR, DIRECTION_ADXR, adxr_bytes, adxr_start, .skip = adxr_skip,
                 .push = adxr_push);
