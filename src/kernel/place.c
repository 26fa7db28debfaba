/* Where the price stands among the highs and lows of the last n bars: willr, aroon.  The extremes
 * are folded (fold.h); among equals the newest wins. */
#include "kernel/fold.h"

/* ---- willr: -100 (highest high - close) / (highest high - lowest low) ------------------------ */

struct willr {
    struct drive drive;
    double at[LANES] ROW_ALIGNED;
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

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    KERNEL(fold_start)(&s->fold, op, 0, s + 1, 2);
    for (int l = 0; l < LANES; l++) {
        s->fold.empty[l] = -INFINITY;
        s->fold.empty[l + LANES] = INFINITY;
    }
}

OUTLINE void willr_turn(struct op *op, int newest, int n, int lane, const i64x4 *mask)
{
    const struct willr *s = op->state;
    f64x4 high = splat(-INFINITY), low = splat(INFINITY);

    for (int k = 1; k <= n; k++) {
        double *row = fold_back(&s->fold, newest, k) + lane;
        high = max4(load(row), high);
        low = min4(load(row + LANES), low);
        keep4(row, high, mask);
        keep4(row + LANES, low, mask);
    }
}

INLINE void willr_bars(struct op *op, enum fold_way way, size_t first, size_t end, int lane,
                       int count, const i64x4 *mask)
{
    struct willr *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1], closes = op->in[2];
    double *out = op->out[0] + lane;
    struct fold_places places = fold_load(&s->fold, s->at + lane, way, first, count);
    f64x4 high[ROW], low[ROW];

    highs.at += lane;
    lows.at += lane;
    closes.at += lane;
    EACH(v, count) {
        high[v] = load(s->high + lane + v * VECTOR);
        low[v] = load(s->low + lane + v * VECTOR);
        if (fold_opens(&places, way)) {
            high[v] = splat(-INFINITY);
            low[v] = splat(INFINITY);
        }
    }
    for (size_t bar = first; bar < end; bar++) {
        EACH(v, count) {
            struct fold_bar b = fold_bar(&s->fold, way, lane + v * VECTOR, &places, v);
            f64x4 h = input4(highs, bar, v), l = input4(lows, bar, v), top, bottom;

            if (b.begin) {
                fold_turn(op, &s->fold, &b, way, places.row, lane + v * VECTOR, MASK(mask, v),
                          willr_turn);
                high[v] = select4(b.begins, h, high[v]);
                low[v] = select4(b.begins, l, low[v]);
            }
            high[v] = max4(high[v], h);
            low[v] = min4(low[v], l);
            top = max4(fold_tail(&s->fold, &b, way, 0), high[v]);
            bottom = min4(fold_tail(&s->fold, &b, way, 1), low[v]);
            keep4(out + bar * LANES + v * VECTOR,
                  splat(-100.0) * ((top - input4(closes, bar, v)) / (top - bottom)), MASK(mask, v));
            keep4(b.row, h, MASK(mask, v));
            keep4(b.row + LANES, l, MASK(mask, v));
            fold_next(&places, &b, way, v);
        }
        fold_next_bar(&s->fold, &places, way);
    }
    fold_store(s->at + lane, &places, way, count, mask);
    EACH(v, count) {
        keep4(s->high + lane + v * VECTOR, high[v], MASK(mask, v));
        keep4(s->low + lane + v * VECTOR, low[v], MASK(mask, v));
    }
}

FOLD_KERNEL(WILLR, willr, willr_bytes, willr_start, willr_turn, willr_bars, low, fold_no_fresh);

/* ---- aroon: how long ago the extremes of the last n + 1 bars were -------------------------------
 * Beside each extreme stands its place: that in its segment, and, in the tail, minus a segment. The
 * age is then the place of now minus that place. */

struct aroon {
    struct drive drive;
    double at[LANES] ROW_ALIGNED;
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

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    KERNEL(fold_start)(&s->fold, op, 1, s + 1, 4);
    for (int l = 0; l < LANES; l++) {
        s->factor[l] = 100.0 / s->fold.newest[l];
        s->fold.empty[l] = -INFINITY;
        s->fold.empty[l + 2 * LANES] = INFINITY;
    }
}

OUTLINE void aroon_turn(struct op *op, int newest, int n, int lane, const i64x4 *mask)
{
    const struct aroon *s = op->state;
    f64x4 high = splat(-INFINITY), low = splat(INFINITY), high_place = high, low_place = high;

    for (int k = 1; k <= n; k++) {
        double *row = fold_back(&s->fold, newest, k) + lane;
        f64x4 h = load(row), l = load(row + 2 * LANES), place = splat(-k);
        high_place = select4(h > high, place, high_place);
        high = select4(h > high, h, high);
        low_place = select4(l < low, place, low_place);
        low = select4(l < low, l, low);
        keep4(row, high, mask);
        keep4(row + LANES, high_place, mask);
        keep4(row + 2 * LANES, low, mask);
        keep4(row + 3 * LANES, low_place, mask);
    }
}

/* One vector on one bar, of which high and low are new. */
INLINE void aroon_bar(struct op *op, const struct fold_bar *b, enum fold_way way, f64x4 high,
                      f64x4 high_place, f64x4 low, f64x4 low_place, size_t bar, int lane,
                      const i64x4 *mask)
{
    const struct aroon *s = op->state;
    f64x4 factor = load(s->factor + lane), since = load(s->fold.newest + lane) - b->at;
    i64x4 higher = fold_tail(&s->fold, b, way, 0) > high,
          lower = fold_tail(&s->fold, b, way, 2) < low;

    /* n - age, and age is at - place */
    high_place = since + select4(higher, fold_tail(&s->fold, b, way, 1), high_place);
    low_place = since + select4(lower, fold_tail(&s->fold, b, way, 3), low_place);
    keep4(op->out[0] + bar * LANES + lane, factor * low_place, mask);
    keep4(op->out[1] + bar * LANES + lane, factor * high_place, mask);
}

INLINE void aroon_bars(struct op *op, enum fold_way way, size_t first, size_t end, int lane,
                       int count, const i64x4 *mask)
{
    struct aroon *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1];
    struct fold_places places = fold_load(&s->fold, s->at + lane, way, first, count);
    f64x4 high[ROW], high_place[ROW], low[ROW], low_place[ROW];

    highs.at += lane;
    lows.at += lane;
    EACH(v, count) {
        high[v] = load(s->high + lane + v * VECTOR);
        high_place[v] = load(s->high_place + lane + v * VECTOR);
        low[v] = load(s->low + lane + v * VECTOR);
        low_place[v] = load(s->low_place + lane + v * VECTOR);
        if (fold_opens(&places, way)) {
            high[v] = splat(-INFINITY);
            low[v] = splat(INFINITY);
        }
    }
    for (size_t bar = first; bar < end; bar++) {
        EACH(v, count) {
            struct fold_bar b = fold_bar(&s->fold, way, lane + v * VECTOR, &places, v);
            f64x4 h = input4(highs, bar, v), l = input4(lows, bar, v);
            i64x4 higher, lower;

            if (b.begin) {
                fold_turn(op, &s->fold, &b, way, places.row, lane + v * VECTOR, MASK(mask, v),
                          aroon_turn);
                high[v] = select4(b.begins, h, high[v]);
                low[v] = select4(b.begins, l, low[v]);
            }
            higher = h >= high[v];
            lower = l <= low[v];
            high[v] = select4(higher, h, high[v]);
            high_place[v] = select4(higher, b.at, high_place[v]);
            low[v] = select4(lower, l, low[v]);
            low_place[v] = select4(lower, b.at, low_place[v]);
            aroon_bar(op, &b, way, high[v], high_place[v], low[v], low_place[v], bar,
                      lane + v * VECTOR, MASK(mask, v));
            keep4(b.row, h, MASK(mask, v));
            keep4(b.row + 2 * LANES, l, MASK(mask, v));
            fold_next(&places, &b, way, v);
        }
        fold_next_bar(&s->fold, &places, way);
    }
    fold_store(s->at + lane, &places, way, count, mask);
    EACH(v, count) {
        keep4(s->high + lane + v * VECTOR, high[v], MASK(mask, v));
        keep4(s->high_place + lane + v * VECTOR, high_place[v], MASK(mask, v));
        keep4(s->low + lane + v * VECTOR, low[v], MASK(mask, v));
        keep4(s->low_place + lane + v * VECTOR, low_place[v], MASK(mask, v));
    }
}

FOLD_KERNEL(AROON, aroon, aroon_bytes, aroon_start, aroon_turn, aroon_bars, low_place,
            fold_no_fresh);
