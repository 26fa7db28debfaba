/* The ledger's two loops over bars, compiled per instruction set and width.  No fill is decided
 * here. */
#include "kernel/vector.h"
#include "sim/ledger.h"

enum { /* vectors that a mark and a walk keep in registers */
       MARK = MARK_LANES / VECTOR,
       WALK = WALK_LANES / VECTOR
};
#define EACH_MARK(v) EACH(v, MARK)
#define EACH_WALK(v) EACH(v, WALK)

/* ---- mark ------------------------------------------------------------------------------------ */

/* Lanes that changed on a bar take up their new units and cash. */
INLINE f64x4 changed4(const double *row, unsigned lanes, f64x4 old)
{
    static const LANE_ALIGNED int64_t bits[] = {1, 2, 4, 8};
    const i64x4 bit = *(const i64x4 *)bits;

    return select4((splat_i(lanes) & bit) == bit, load(row), old);
}

INLINE size_t next_change(uint64_t changed, size_t bar, size_t end)
{
    uint64_t rest = bar < 63 ? changed >> (bar + 1) : 0;
    size_t next = rest ? bar + 1 + (size_t)__builtin_ctzll(rest) : end;

    return next < end ? next : end;
}

/* What the mark keeps in registers. */
struct mark_state {
    f64x4 units[MARK], cash[MARK], equity[MARK];
    f64x4 peak[MARK], low[MARK], worst[MARK], worst_peak[MARK];
    f64x4 sum[MARK], squares[MARK], down[MARK];
};

INLINE void mark_load(struct mark_state *state, const struct marks *marks, size_t lane)
{
    EACH_MARK(v) {
        size_t at = lane + VECTOR * (size_t)v;
        state->units[v] = load(marks->units + at);
        state->cash[v] = load(marks->cash + at);
        state->equity[v] = load(marks->equity + at);
        state->peak[v] = load(marks->peak + at);
        state->low[v] = load(marks->low + at);
        state->worst[v] = load(marks->worst + at);
        state->worst_peak[v] = load(marks->worst_peak + at);
        state->sum[v] = load(marks->sum + at);
        state->squares[v] = load(marks->sum_squares + at);
        state->down[v] = load(marks->sum_down + at);
    }
}

INLINE void mark_store(const struct mark_state *state, struct marks *marks, size_t lane)
{
    EACH_MARK(v) {
        size_t at = lane + VECTOR * (size_t)v;
        store(marks->units + at, state->units[v]);
        store(marks->cash + at, state->cash[v]);
        store(marks->equity + at, state->equity[v]);
        store(marks->peak + at, state->peak[v]);
        store(marks->low + at, state->low[v]);
        store(marks->worst + at, state->worst[v]);
        store(marks->worst_peak + at, state->worst_peak[v]);
        store(marks->sum + at, state->sum[v]);
        store(marks->sum_squares + at, state->squares[v]);
        store(marks->sum_down + at, state->down[v]);
    }
}

/* A drawdown is over where equity passes its peak, which few bars do: only there it is compared
 * with the deepest one, or that chain of a product, a comparison and a choice would cross every
 * bar. */
INLINE void mark_peak(struct mark_state *state, int v, f64x4 now)
{
    i64x4 higher = now > state->peak[v];

    if (any4(higher)) {
        i64x4 deeper = higher &
                       (state->low[v] * state->worst_peak[v] < state->worst[v] * state->peak[v]);
        state->worst[v] = select4(deeper, state->low[v], state->worst[v]);
        state->worst_peak[v] = select4(deeper, state->peak[v], state->worst_peak[v]);
        state->peak[v] = select4(higher, now, state->peak[v]);
        state->low[v] = select4(higher, now, state->low[v]);
    }
    state->low[v] = min4(state->low[v], now);
}

/* One close, in the v-th vector.  `careful`: shorts pay for borrowing, and after ruin (equity 0 or
 * below) there are no returns. */
INLINE f64x4 mark_close(struct mark_state *state, int v, f64x4 price, double borrow, bool careful,
                        bool downside)
{
    const f64x4 zero = {0};

    if (careful)
        state->cash[v] += min4(state->units[v], zero) * splat(borrow) * price;
    f64x4 now = state->units[v] * price + state->cash[v];

    mark_peak(state, v, now);

    f64x4 r = (now - state->equity[v]) / state->equity[v];
    if (careful)
        r = (f64x4)((i64x4)r & (state->equity[v] > zero));
    state->sum[v] += r;
    state->squares[v] += r * r;
    if (downside) {
        f64x4 loss = min4(r, zero);
        state->down[v] += loss * loss;
    }
    state->equity[v] = now;
    return now;
}

/* Units and cash are constant from one change to the next, so that only short chains cross bars.
 * While every lane is flat equity repeats exactly and no step would change anything: those bars are
 * skipped. */
INLINE void mark(struct marks *restrict marks, const struct mark_block *restrict block, size_t lane,
                 bool shared, bool careful, bool downside)
{
    struct mark_state state;

    mark_load(&state, marks, lane);
    for (size_t bar = block->begin, next; bar < block->end; bar = next) {
        bool changed = block->changed >> bar & 1;
        if (changed)
            EACH_MARK(v) {
                size_t at = lane + VECTOR * (size_t)v;
                unsigned lanes = block->changes->lanes[bar] >> at;
                state.units[v] = changed4(block->changes->units[bar] + at, lanes, state.units[v]);
                state.cash[v] = changed4(block->changes->cash[bar] + at, lanes, state.cash[v]);
            }
        next = next_change(block->changed, bar, block->end);
        size_t stop = block->held >> bar & 1 ? next : bar + changed;

        const double *restrict close = block->close + (shared ? bar : bar * LANES + lane);
        double *restrict out = block->equity + bar * block->equity_step + lane;
        for (size_t t = bar; t < stop; t++) {
            EACH_MARK(v) {
                f64x4 price = shared ? splat(*close) : load(close + VECTOR * v);
                store(out + VECTOR * v,
                      mark_close(&state, v, price, block->borrow, careful, downside));
            }
            close += shared ? 1 : LANES;
            out += block->equity_step;
        }
        if (block->equity_step)
            for (size_t t = stop; t < next; t++, out += block->equity_step)
                EACH_MARK(v)
                    store(out + VECTOR * v, state.equity[v]);
    }
    mark_store(&state, marks, lane);
}

#define MARK_FUNCTION(name, shared, careful, downside)                                 \
    static void name(struct marks *marks, const struct mark_block *block, size_t lane) \
    {                                                                                  \
        mark(marks, block, lane, shared, careful, downside);                           \
    }
MARK_FUNCTION(mark_lanes, false, false, false)
MARK_FUNCTION(mark_lanes_downside, false, false, true)
MARK_FUNCTION(mark_lanes_careful, false, true, false)
MARK_FUNCTION(mark_lanes_careful_downside, false, true, true)
MARK_FUNCTION(mark_shared, true, false, false)
MARK_FUNCTION(mark_shared_downside, true, false, true)
MARK_FUNCTION(mark_shared_careful, true, true, false)
MARK_FUNCTION(mark_shared_careful_downside, true, true, true)

/* ---- walk ------------------------------------------------------------------------------------ */

INLINE f64x4 price4(const double *prices, size_t bar, size_t lane, bool shared)
{
    return shared ? splat(prices[bar]) : load(prices + bar * LANES + lane);
}

/* A walk keeps what it compares in registers, and tests one bar with one branch. */
INLINE size_t walk(struct levels *restrict levels, const struct walk_block *restrict block,
                   size_t lane, size_t begin, size_t stop, bool forced, unsigned *touched,
                   bool shared, bool shorts, bool trail)
{
    f64x4 floor[WALK], ceiling[WALK], best_high[WALK], best_low[WALK], cash[WALK], units[WALK];
    const f64x4 zero = {0};
    size_t bar = begin;

    EACH_WALK(v) {
        size_t at = lane + VECTOR * (size_t)v;
        floor[v] = load(levels->floor + at);
        ceiling[v] = load(levels->ceiling + at);
        best_high[v] = load(levels->best_high + at);
        best_low[v] = load(levels->best_low + at);
        cash[v] = load(levels->cash + at);
        units[v] = load(levels->units + at);
    }

    *touched = 0;
    for (; bar < block->bar_count; bar++) {
        i64x4 hit[WALK], any = {0};
        f64x4 charged[WALK];
        EACH_WALK(v) {
            size_t at = lane + VECTOR * (size_t)v;
            f64x4 low = price4(block->low, bar, at, shared),
                  high = price4(block->high, bar, at, shared);
            hit[v] = (low <= floor[v]) | (high >= ceiling[v]);
            if (shorts) {
                f64x4 close = price4(block->close, bar, at, shared);
                charged[v] = cash[v] + min4(units[v], zero) * splat(block->borrow) * close;
                hit[v] |= (units[v] * close + charged[v] <= zero) & (units[v] < zero);
            }
            any |= hit[v];
        }
        if ((bar >= stop || __builtin_expect(any4(any), 0)) && !(forced && bar == begin)) {
            EACH_WALK(v)
                *touched |= bits4(hit[v]) << (VECTOR * v);
            break;
        }
        EACH_WALK(v) {
            size_t at = lane + VECTOR * (size_t)v;
            if (trail) {
                best_high[v] = max4(best_high[v], price4(block->high, bar, at, shared));
                floor[v] = max4(floor[v], best_high[v] * load(levels->high_scale + at) +
                                              load(levels->high_shift + at));
            }
            if (trail && shorts) {
                best_low[v] = min4(best_low[v], price4(block->low, bar, at, shared));
                ceiling[v] = min4(ceiling[v], best_low[v] * load(levels->low_scale + at) +
                                                  load(levels->low_shift + at));
            }
            if (shorts)
                cash[v] = charged[v];
        }
    }

    EACH_WALK(v) {
        size_t at = lane + VECTOR * (size_t)v;
        if (trail) {
            store(levels->floor + at, floor[v]);
            store(levels->best_high + at, best_high[v]);
        }
        if (trail && shorts) {
            store(levels->ceiling + at, ceiling[v]);
            store(levels->best_low + at, best_low[v]);
        }
        if (shorts)
            store(levels->cash + at, cash[v]);
    }
    return bar;
}

#define WALK_FUNCTION(name, shared, shorts, trail)                                             \
    static size_t name(struct levels *levels, const struct walk_block *block, size_t lane,     \
                       size_t begin, size_t stop, bool forced, unsigned *touched)              \
    {                                                                                          \
        return walk(levels, block, lane, begin, stop, forced, touched, shared, shorts, trail); \
    }
WALK_FUNCTION(walk_lanes, false, false, false)
WALK_FUNCTION(walk_lanes_trail, false, false, true)
WALK_FUNCTION(walk_lanes_shorts, false, true, false)
WALK_FUNCTION(walk_lanes_shorts_trail, false, true, true)
WALK_FUNCTION(walk_shared, true, false, false)
WALK_FUNCTION(walk_shared_trail, true, false, true)
WALK_FUNCTION(walk_shared_shorts, true, true, false)
WALK_FUNCTION(walk_shared_shorts_trail, true, true, true)

curve_function KERNEL(sim_curve); /* curve.c */

extern const struct sim_kernels KERNEL(sim_kernels);
const struct sim_kernels KERNEL(sim_kernels) = {
    .isa = KERNEL_ISA,
    .lanes = LANES,
    .mark = {{{mark_lanes, mark_lanes_downside}, {mark_lanes_careful, mark_lanes_careful_downside}},
             {{mark_shared, mark_shared_downside},
              {mark_shared_careful, mark_shared_careful_downside}}},
    .walk = {{{walk_lanes, walk_lanes_trail}, {walk_lanes_shorts, walk_lanes_shorts_trail}},
             {{walk_shared, walk_shared_trail}, {walk_shared_shorts, walk_shared_shorts_trail}}},
    .curve = KERNEL(sim_curve),
};
