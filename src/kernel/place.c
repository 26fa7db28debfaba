/* Where the price stands among the highs and lows of the last n bars: willr, aroon.  The extremes
 * are folded (fold.h); among equals the newest wins. */
#include "kernel/fold.h"

/* ---- willr: -100 (highest high - close) / (highest high - lowest low) ------------------------ */

struct willr {
    struct drive drive;
    double high[LANES] ROW_ALIGNED, low[LANES] ROW_ALIGNED;
    struct fold fold; /* two series: highs, lows */
};

static size_t willr_bytes(const struct op *op)
{
    return sizeof(struct willr) + fold_bytes(period_longest(op, 0, 1), 2);
}

static void willr_start(struct op *op)
{
    struct willr *s = op->state;
    int window[LANES];

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++)
        window[l] = period_of(op, 0, l, 1);
    fold_start(&s->fold, s + 1, window, 2);
    for (int l = 0; l < LANES; l++) { /* the empty tail */
        fold_row(&s->fold, window[l])[l] = -INFINITY;
        fold_row(&s->fold, window[l])[l + LANES] = INFINITY;
    }
}

INLINE void willr_turn(struct op *op, int lane, const i64x4 *mask, int n)
{
    struct willr *s = op->state;
    f64x4 high = splat(-INFINITY), low = splat(INFINITY);

    for (int k = n - 1; k >= 0; k--) {
        double *row = fold_row(&s->fold, k) + lane;
        high = max4(load(row), high);
        low = min4(load(row + LANES), low);
        keep4(row, high, mask);
        keep4(row + LANES, low, mask);
    }
}

INLINE void willr_bars(struct op *op, size_t first, size_t end, int at, int lane, int count,
                       const i64x4 *mask)
{
    struct willr *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1], closes = op->in[2];
    double *out = op->out[0] + lane;
    f64x4 high[ROW], low[ROW];

    highs.at += lane;
    lows.at += lane;
    closes.at += lane;
    EACH(v, count) {
        high[v] = at == 0 ? splat(-INFINITY) : load(s->high + lane + v * VECTOR);
        low[v] = at == 0 ? splat(INFINITY) : load(s->low + lane + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++, at++) {
        double *row = fold_row(&s->fold, at) + lane, *after = fold_row(&s->fold, at + 1) + lane;
        EACH(v, count) {
            f64x4 h = input4(highs, bar, v), l = input4(lows, bar, v), top, bottom;

            high[v] = max4(high[v], h);
            low[v] = min4(low[v], l);
            top = max4(load(after + v * VECTOR), high[v]);
            bottom = min4(load(after + v * VECTOR + LANES), low[v]);
            keep4(row + v * VECTOR, h, mask);
            keep4(row + v * VECTOR + LANES, l, mask);
            keep4(out + bar * LANES + v * VECTOR,
                  splat(-100.0) * ((top - input4(closes, bar, v)) / (top - bottom)), mask);
        }
    }
    EACH(v, count) {
        keep4(s->high + lane + v * VECTOR, high[v], mask);
        keep4(s->low + lane + v * VECTOR, low[v], mask);
    }
}

static bool willr_step(struct op *op, size_t bar, int lane)
{
    struct willr *s = op->state;
    struct fold *f = &s->fold;
    i64x4 mask = lane_mask(lane);

    if (f->at[lane] == 0)
        willr_turn(op, lane_vector(lane), &mask, f->window[lane]);
    willr_bars(op, bar, bar + 1, f->at[lane], lane_vector(lane), 1, &mask);
    if (fold_next(f, lane))
        return true;
    output(op, 0, bar, lane, NAN);
    return false;
}

static void willr_turn_all(struct op *op, int lane, const i64x4 *mask)
{
    const struct willr *s = op->state;
    willr_turn(op, lane, mask, s->fold.shared);
}

static void willr_bars_all(struct op *op, size_t first, size_t end, int at)
{
    willr_bars(op, first, end, at, 0, ROW, NULL);
}

static void willr_hot(struct op *op, size_t first, size_t end)
{
    struct willr *s = op->state;
    fold_hot(op, &s->fold, first, end, (struct folded){willr_turn_all, willr_bars_all, willr_step});
}

KERNEL_DRIVEN(WILLR, willr_bytes, willr_start, .step = willr_step, .hot = willr_hot);

/* ---- aroon: how long ago the extremes of the last n + 1 bars were -------------------------------
 * Beside each extreme stands its place: the row in this segment, or, in the tail, row - (n + 1).
 * The age is then the row of now minus the place. */

struct aroon {
    struct drive drive;
    double high[LANES] ROW_ALIGNED, high_place[LANES] ROW_ALIGNED;
    double low[LANES] ROW_ALIGNED, low_place[LANES] ROW_ALIGNED;
    double factor[LANES] ROW_ALIGNED; /* 100 / n */
    struct fold fold;                 /* four series: highs, their places, lows, their places */
};

static size_t aroon_bytes(const struct op *op)
{
    return sizeof(struct aroon) + fold_bytes(period_longest(op, 0, 1) + 1, 4);
}

static void aroon_start(struct op *op)
{
    struct aroon *s = op->state;
    int window[LANES];

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        window[l] = period_of(op, 0, l, 1) + 1;
        s->factor[l] = 100.0 / (window[l] - 1);
    }
    fold_start(&s->fold, s + 1, window, 4);
    for (int l = 0; l < LANES; l++) { /* the empty tail */
        fold_row(&s->fold, window[l])[l] = -INFINITY;
        fold_row(&s->fold, window[l])[l + 2 * LANES] = INFINITY;
    }
}

/* The newer extreme unless the older is beyond it. */
INLINE void aroon_fold(f64x4 *value, f64x4 *place, f64x4 older, f64x4 older_place, i64x4 beyond)
{
    *value = select4(beyond, older, *value);
    *place = select4(beyond, older_place, *place);
}

INLINE void aroon_turn(struct op *op, int lane, const i64x4 *mask, int n)
{
    struct aroon *s = op->state;
    f64x4 high = splat(-INFINITY), low = splat(INFINITY), high_place = splat(0.0),
          low_place = splat(0.0);

    for (int k = n - 1; k >= 0; k--) {
        double *row = fold_row(&s->fold, k) + lane;
        f64x4 h = load(row), l = load(row + 2 * LANES), place = splat(k - n);
        aroon_fold(&high, &high_place, h, place, h > high);
        aroon_fold(&low, &low_place, l, place, l < low);
        keep4(row, high, mask);
        keep4(row + LANES, high_place, mask);
        keep4(row + 2 * LANES, low, mask);
        keep4(row + 3 * LANES, low_place, mask);
    }
}

INLINE void aroon_bars(struct op *op, size_t first, size_t end, int at, int n, int lane, int count,
                       const i64x4 *mask)
{
    struct aroon *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1];
    double *down = op->out[0] + lane, *up = op->out[1] + lane;
    f64x4 high[ROW], high_place[ROW], low[ROW], low_place[ROW];

    highs.at += lane;
    lows.at += lane;
    EACH(v, count) {
        high[v] = at == 0 ? splat(-INFINITY) : load(s->high + lane + v * VECTOR);
        low[v] = at == 0 ? splat(INFINITY) : load(s->low + lane + v * VECTOR);
        high_place[v] = load(s->high_place + lane + v * VECTOR);
        low_place[v] = load(s->low_place + lane + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++, at++) {
        double *row = fold_row(&s->fold, at) + lane, *after = fold_row(&s->fold, at + 1) + lane;
        f64x4 now = splat(at), since = splat(n - 1 - at); /* n - 1 - age = since + place */

        EACH(v, count) {
            f64x4 h = input4(highs, bar, v), l = input4(lows, bar, v), top, top_place, bottom,
                  bottom_place;
            f64x4 factor = load(s->factor + lane + v * VECTOR);
            i64x4 higher = h >= high[v], lower = l <= low[v];

            high[v] = select4(higher, h, high[v]);
            high_place[v] = select4(higher, now, high_place[v]);
            low[v] = select4(lower, l, low[v]);
            low_place[v] = select4(lower, now, low_place[v]);
            top = load(after + v * VECTOR);
            top_place = select4(top > high[v], load(after + LANES + v * VECTOR), high_place[v]);
            bottom = load(after + 2 * LANES + v * VECTOR);
            bottom_place = select4(bottom < low[v], load(after + 3 * LANES + v * VECTOR),
                                   low_place[v]);
            keep4(row + v * VECTOR, h, mask);
            keep4(row + 2 * LANES + v * VECTOR, l, mask);
            keep4(down + bar * LANES + v * VECTOR, factor * (since + bottom_place), mask);
            keep4(up + bar * LANES + v * VECTOR, factor * (since + top_place), mask);
        }
    }
    EACH(v, count) {
        keep4(s->high + lane + v * VECTOR, high[v], mask);
        keep4(s->high_place + lane + v * VECTOR, high_place[v], mask);
        keep4(s->low + lane + v * VECTOR, low[v], mask);
        keep4(s->low_place + lane + v * VECTOR, low_place[v], mask);
    }
}

static bool aroon_step(struct op *op, size_t bar, int lane)
{
    struct aroon *s = op->state;
    struct fold *f = &s->fold;
    i64x4 mask = lane_mask(lane);

    if (f->at[lane] == 0)
        aroon_turn(op, lane_vector(lane), &mask, f->window[lane]);
    aroon_bars(op, bar, bar + 1, f->at[lane], f->window[lane], lane_vector(lane), 1, &mask);
    if (fold_next(f, lane))
        return true;
    output(op, 0, bar, lane, NAN);
    output(op, 1, bar, lane, NAN);
    return false;
}

static void aroon_turn_all(struct op *op, int lane, const i64x4 *mask)
{
    const struct aroon *s = op->state;
    aroon_turn(op, lane, mask, s->fold.shared);
}

static void aroon_bars_all(struct op *op, size_t first, size_t end, int at)
{
    const struct aroon *s = op->state;
    aroon_bars(op, first, end, at, s->fold.shared, 0, ROW, NULL);
}

static void aroon_hot(struct op *op, size_t first, size_t end)
{
    struct aroon *s = op->state;
    fold_hot(op, &s->fold, first, end, (struct folded){aroon_turn_all, aroon_bars_all, aroon_step});
}

KERNEL_DRIVEN(AROON, aroon_bytes, aroon_start, .step = aroon_step, .hot = aroon_hot);
