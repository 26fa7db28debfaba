/* Stops that follow a trend: sar, supertrend. */
#include "kernel/fold.h"
#include "kernel/range.h"

/* ---- sar: Wilder's parabolic --------------------------------------------------------------------
 * A falling trend is a rising one of the negated prices, so the body knows only the rising one;
 * `sign` has the sign bit where the trend falls.  Negation is exact, so nothing is lost by it. */

struct sar {
    struct drive drive;
    double stop[LANES] ROW_ALIGNED, extreme[LANES] ROW_ALIGNED, factor[LANES] ROW_ALIGNED;
    double high[LANES] ROW_ALIGNED, low[LANES] ROW_ALIGNED; /* of the bar before */
    int64_t sign[LANES] ROW_ALIGNED;
    double step[LANES] ROW_ALIGNED, limit[LANES] ROW_ALIGNED;
    int seen[LANES];
};

static size_t sar_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct sar);
}

static void sar_start(struct op *op)
{
    struct sar *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        s->limit[l] = parameter(op, 1, l);
        s->step[l] = min_of(parameter(op, 0, l), s->limit[l]);
    }
}

INLINE f64x4 flip4(f64x4 x, i64x4 sign)
{
    return (f64x4)((i64x4)x ^ sign);
}

INLINE void sar_bars(struct op *op, size_t first, size_t end, int lane, int count,
                     const i64x4 *mask)
{
    struct sar *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1];
    double *out = op->out[0] + lane;
    f64x4 stop[ROW], extreme[ROW], factor[ROW], high[ROW], low[ROW];
    i64x4 sign[ROW];

    highs.at += lane;
    lows.at += lane;
    EACH(v, count) {
        stop[v] = load(s->stop + lane + v * VECTOR);
        extreme[v] = load(s->extreme + lane + v * VECTOR);
        factor[v] = load(s->factor + lane + v * VECTOR);
        high[v] = load(s->high + lane + v * VECTOR);
        low[v] = load(s->low + lane + v * VECTOR);
        sign[v] = (i64x4)load((const double *)s->sign + lane + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++)
        EACH(v, count) {
            f64x4 h = input4(highs, bar, v), l = input4(lows, bar, v);
            f64x4 step = load(s->step + lane + v * VECTOR),
                  limit = load(s->limit + lane + v * VECTOR);
            i64x4 falls = sign[v] != 0;
            /* as if the trend rose */
            f64x4 top = flip4(select4(falls, l, h), sign[v]),
                  bottom = flip4(select4(falls, h, l), sign[v]);
            f64x4 last_top = flip4(select4(falls, low[v], high[v]), sign[v]);
            f64x4 last_bottom = flip4(select4(falls, high[v], low[v]), sign[v]);
            f64x4 level = flip4(stop[v], sign[v]), best = flip4(extreme[v], sign[v]);
            i64x4 turned = bottom <= level, better = top > best;
            f64x4 reach = max4(last_top, top), rise, next;

            level = select4(turned, max4(best, reach), level);
            keep4(out + bar * LANES + v * VECTOR, flip4(level, sign[v]), mask);
            rise = select4(better, min4(factor[v] + step, limit), factor[v]);
            factor[v] = select4(turned, step, rise);
            best = select4(turned, bottom, select4(better, top, best));
            next = level + factor[v] * (best - level);
            next = select4(turned, max4(next, reach), min4(next, min4(last_bottom, bottom)));
            stop[v] = flip4(next, sign[v]);
            extreme[v] = flip4(best, sign[v]);
            sign[v] ^= turned & splat_i(INT64_MIN);
            high[v] = h;
            low[v] = l;
        }
    EACH(v, count) {
        keep4(s->stop + lane + v * VECTOR, stop[v], mask);
        keep4(s->extreme + lane + v * VECTOR, extreme[v], mask);
        keep4(s->factor + lane + v * VECTOR, factor[v], mask);
        keep4(s->high + lane + v * VECTOR, high[v], mask);
        keep4(s->low + lane + v * VECTOR, low[v], mask);
        keep4((double *)s->sign + lane + v * VECTOR, (f64x4)sign[v], mask);
    }
}

static bool sar_step(struct op *op, size_t bar, int lane)
{
    struct sar *s = op->state;
    double high = input(op, 0, bar, lane), low = input(op, 1, bar, lane);
    i64x4 mask = lane_mask(lane);

    if (s->seen[lane] == 0) {
        s->high[lane] = high;
        s->low[lane] = low;
        s->seen[lane] = 1;
        output(op, 0, bar, lane, NAN);
        return false;
    }
    if (s->seen[lane] == 1) { /* falls at first only if the low fell by more than the high rose */
        double fall = s->low[lane] - low;
        bool falls = fall > 0 && fall > high - s->high[lane];
        s->sign[lane] = falls ? INT64_MIN : 0;
        s->extreme[lane] = falls ? low : high;
        s->stop[lane] = falls ? s->high[lane] : s->low[lane];
        s->factor[lane] = s->step[lane];
        s->high[lane] = high;
        s->low[lane] = low;
        s->seen[lane] = 2;
    }
    sar_bars(op, bar, bar + 1, lane_vector(lane), 1, &mask);
    return true;
}

static void sar_hot(struct op *op, size_t first, size_t end)
{
    sar_bars(op, first, end, 0, ROW, NULL);
}

KERNEL_DRIVEN(SAR, sar_bytes, sar_start, .step = sar_step, .hot = sar_hot,
              .changed = DRIVE_ROWS(struct sar, sign));

/* ---- supertrend: bands of some ATRs around the middle of the bar, each kept until passed ------
 */

struct supertrend {
    struct drive drive;
    double mean[LANES] ROW_ALIGNED,
        last[LANES] ROW_ALIGNED; /* true range: sum while it warms up; last close */
    double upper[LANES] ROW_ALIGNED, lower[LANES] ROW_ALIGNED, trend[LANES] ROW_ALIGNED;
    double kept[LANES] ROW_ALIGNED, share[LANES] ROW_ALIGNED, multiplier[LANES] ROW_ALIGNED;
    int period[LANES], seen[LANES];
};

static size_t supertrend_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct supertrend);
}

static void supertrend_start(struct op *op)
{
    struct supertrend *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        s->period[l] = period_of(op, 0, l, 1);
        s->kept[l] = (s->period[l] - 1.0) / s->period[l];
        s->share[l] = 1.0 / s->period[l];
        s->multiplier[l] = parameter(op, 1, l);
        s->trend[l] = 1.0;
        s->upper[l] = INFINITY; /* so that the first bands are taken as they are */
        s->lower[l] = -INFINITY;
    }
}

INLINE void supertrend_bars(struct op *op, bool seed, size_t first, size_t end, int lane, int count,
                            const i64x4 *mask)
{
    struct supertrend *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1], closes = op->in[2];
    double *lines = op->out[0] + lane, *trends = op->out[1] + lane;
    f64x4 mean[ROW], last[ROW], upper[ROW], lower[ROW], trend[ROW];

    highs.at += lane;
    lows.at += lane;
    closes.at += lane;
    EACH(v, count) {
        mean[v] = load(s->mean + lane + v * VECTOR);
        last[v] = load(s->last + lane + v * VECTOR);
        upper[v] = load(s->upper + lane + v * VECTOR);
        lower[v] = load(s->lower + lane + v * VECTOR);
        trend[v] = load(s->trend + lane + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++)
        EACH(v, count) {
            f64x4 high = input4(highs, bar, v), low = input4(lows, bar, v),
                  close = input4(closes, bar, v);
            f64x4 range = true_range4(high, low, last[v]),
                  share = load(s->share + lane + v * VECTOR);
            f64x4 middle = (high + low) * splat(0.5), width, top, bottom;
            i64x4 rises = trend[v] > splat(0.0);

            mean[v] = seed ? (mean[v] + range) * share
                           : mean[v] * load(s->kept + lane + v * VECTOR) + range * share;
            width = load(s->multiplier + lane + v * VECTOR) * mean[v];
            top = middle + width;
            bottom = middle - width;
            upper[v] = select4((top < upper[v]) | (last[v] > upper[v]), top, upper[v]);
            lower[v] = select4((bottom > lower[v]) | (last[v] < lower[v]), bottom, lower[v]);
            if (!seed)
                rises = (rises & ~(close < lower[v])) | (~rises & (close > upper[v]));
            trend[v] = select4(rises, splat(1.0), splat(-1.0));
            last[v] = close;
            keep4(lines + bar * LANES + v * VECTOR, select4(rises, lower[v], upper[v]), mask);
            keep4(trends + bar * LANES + v * VECTOR, trend[v], mask);
        }
    EACH(v, count) {
        keep4(s->mean + lane + v * VECTOR, mean[v], mask);
        keep4(s->last + lane + v * VECTOR, last[v], mask);
        keep4(s->upper + lane + v * VECTOR, upper[v], mask);
        keep4(s->lower + lane + v * VECTOR, lower[v], mask);
        keep4(s->trend + lane + v * VECTOR, trend[v], mask);
    }
}

static bool supertrend_step(struct op *op, size_t bar, int lane)
{
    struct supertrend *s = op->state;
    double high = input(op, 0, bar, lane), low = input(op, 1, bar, lane), last = s->last[lane];
    int period = s->period[lane], seen = s->seen[lane]++;
    i64x4 mask = lane_mask(lane);

    if (seen >= period) {
        s->seen[lane] = period + 1;
        if (seen == period)
            supertrend_bars(op, true, bar, bar + 1, lane_vector(lane), 1, &mask);
        else
            supertrend_bars(op, false, bar, bar + 1, lane_vector(lane), 1, &mask);
        return true;
    }
    if (seen > 0)
        s->mean[lane] += true_range(high, low, last);
    s->last[lane] = input(op, 2, bar, lane);
    output(op, 0, bar, lane, NAN);
    output(op, 1, bar, lane, NAN);
    return false;
}

static void supertrend_hot(struct op *op, size_t first, size_t end)
{
    supertrend_bars(op, false, first, end, 0, ROW, NULL);
}

KERNEL_DRIVEN(SUPERTREND, supertrend_bytes, supertrend_start, .step = supertrend_step,
              .hot = supertrend_hot, .changed = DRIVE_ROWS(struct supertrend, trend));
