/* The one loop over equity curves, compiled per instruction set and width. */
#include "kernel/vector.h"
#include "sim/curves.h"

/* Lanes whose drop is over on `bar`.  Rare: a branch a bar pays for it. */
static void drops_over(struct curve_rows *rows, const struct curve_block *block, size_t lane,
                       unsigned over, size_t bar)
{
    for (; over; over &= over - 1) {
        int l = (int)lane + __builtin_ctz(over);
        size_t before = (size_t)rows->drop[l] + 1; /* bars from the peak to this one */
        drop_over(rows, block->time[l], l, bar, bar > before ? bar - before : 0);
    }
}

/* Three divisions a bar bind this loop, so one vector of lanes is enough to keep the divider busy.
 */
static void curve_lanes(struct curve_rows *restrict rows, const struct curve_block *restrict block,
                        size_t lane)
{
    f64x4 equity = load(rows->equity + lane), close = load(rows->close + lane),
          peak = load(rows->peak + lane);
    f64x4 sum = load(rows->sum_equity + lane), sum_r = load(rows->sum_r + lane);
    f64x4 sum_b = load(rows->sum_b + lane), sum_rb = load(rows->sum_rb + lane);
    f64x4 sum_bb = load(rows->sum_bb + lane), squares = load(rows->sum_depth_squares + lane);
    f64x4 depth = load(rows->depth + lane), drop = load(rows->drop + lane);
    f64x4 longest = load(rows->drop_longest + lane);
    const f64x4 zero = {0}, one = splat(1);

    for (size_t t = 0; t < block->bar_count; t++) {
        f64x4 now = load(block->equity + t * LANES + lane),
              price = load(block->close + t * LANES + lane);
        f64x4 r = (f64x4)((i64x4)((now - equity) / equity) & (equity > zero));
        f64x4 b = (price - close) / close;
        sum += now;
        sum_r += r;
        sum_b += b;
        sum_rb += r * b;
        sum_bb += b * b;
        equity = now;
        close = price;

        peak = max4(peak, now);
        i64x4 below = now < peak;
        unsigned over = bits4(~below & (drop > zero));
        if (over) {
            store(rows->depth + lane, depth);
            store(rows->drop + lane, drop);
            drops_over(rows, block, lane, over, block->bar + t);
        }
        f64x4 fallen = one - now / peak;
        squares += fallen * fallen;
        depth = (f64x4)((i64x4)max4(depth, fallen) & below);
        drop = (f64x4)((i64x4)(drop + one) & below);
        longest = max4(longest, drop);
    }

    store(rows->equity + lane, equity);
    store(rows->close + lane, close);
    store(rows->peak + lane, peak);
    store(rows->sum_equity + lane, sum);
    store(rows->sum_r + lane, sum_r);
    store(rows->sum_b + lane, sum_b);
    store(rows->sum_rb + lane, sum_rb);
    store(rows->sum_bb + lane, sum_bb);
    store(rows->sum_depth_squares + lane, squares);
    store(rows->depth + lane, depth);
    store(rows->drop + lane, drop);
    store(rows->drop_longest + lane, longest);
}

curve_function KERNEL(sim_curve);
void KERNEL(sim_curve)(struct curve_rows *rows, const struct curve_block *block)
{
    for (size_t lane = 0; lane < LANES; lane += VECTOR)
        curve_lanes(rows, block, lane);
}
