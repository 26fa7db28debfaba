/* The inside of a ledger, for the sources of this folder alone.
 *
 * What the vectors touch are rows over the lanes (struct marks, struct levels); what only a fill
 * touches is one struct account a lane.
 *
 * The walk leaves its fills as CHANGES: for a bar on which an account's units or cash changed, the
 * new ones and a bit for the lane.  The mark takes them up as it comes to the bar.  So a fill costs
 * the mark no more than two blends, and finding fills never disturbs the sums, which stay in
 * registers for the whole block. */
#ifndef HARRIER_SIM_LEDGER_H
#define HARRIER_SIM_LEDGER_H

#include "sim/sim.h"

enum {
    ORDER_WAIT_BARS = 5, /* how long an entry waits for a bar with volume */
    MARK_LANES = 4, /* that a mark takes at a time: with more, flat ones wait for one that is not */
    WALK_LANES = 4  /* the same of the walk: more lanes a walk are more interruptions for all */
};

#define LANE_ALIGNED _Alignas(64)

/* Row arrays: what marking carries from bar to bar. */
struct marks {
    LANE_ALIGNED double units[LANES_MAX];
    double cash[LANES_MAX];
    double equity[LANES_MAX]; /* at the close before */
    double peak[LANES_MAX];
    double low[LANES_MAX]; /* least equity since that peak */

    /* The deepest drawdown before that peak: its equity and the peak that it is measured from, a
     * pair, compared by cross-multiplication and divided once at the end. */
    double worst[LANES_MAX], worst_peak[LANES_MAX];
    double sum[LANES_MAX]; /* of r, r^2, min(r, 0)^2 */
    double sum_squares[LANES_MAX];
    double sum_down[LANES_MAX];
};

/* Row arrays: when the next bar touches a level.  A bar touches where low <= floor or high >=
 * ceiling.  Stop and trail of a long are its floor and the target its ceiling; of a short the other
 * way round.  A flat lane has infinite levels and scales that keep them so. */
struct levels {
    LANE_ALIGNED double floor[LANES_MAX];
    double ceiling[LANES_MAX];
    double best_high[LANES_MAX];  /* since entry, for the trail of a long: */
    double high_scale[LANES_MAX]; /* floor = max(floor, best_high * scale + shift) */
    double high_shift[LANES_MAX];
    double best_low[LANES_MAX]; /* the same of a short, for the ceiling */
    double low_scale[LANES_MAX];
    double low_shift[LANES_MAX];
    double units[LANES_MAX]; /* of shorts, which borrow and can be ruined */
    double cash[LANES_MAX];
};

struct changes {
    LANE_ALIGNED double units[BLOCK_BARS][LANES_MAX];
    double cash[BLOCK_BARS][LANES_MAX];
    uint16_t lanes[BLOCK_BARS]; /* bit l: lane l changed on the bar */
};

struct mark_block {
    size_t begin, end;   /* bars of the block */
    const double *close; /* a register, or one price a bar where shared */
    double *equity;      /* out */
    size_t equity_step;  /* 0: not wanted, all bars go to one row */
    double borrow;       /* share a bar */
    const struct changes *changes;
    uint64_t changed; /* bit t: changes->lanes[t] has a lane of the chunk */
    uint64_t held;    /* bit t: some lane of the chunk holds a position at the close of bar t */
};

struct walk_block {
    size_t bar_count;
    const double *high, *low, *close; /* registers, or one price a bar where shared */
    double borrow;
};

/* Bars begin…stop - 1 in lanes lane…lane + WALK: leaves at the first bar that touches a level, else
 * at `stop`. `forced`: the first bar has been dealt with and is not tested.  Returns the bar, and
 * in `touched` the lanes (bit 0: `lane`) that it touches.  The bar itself is not taken in yet. */
typedef size_t walk_function(struct levels *levels, const struct walk_block *block, size_t lane,
                             size_t begin, size_t stop, bool forced, unsigned *touched);
typedef void mark_function(struct marks *marks, const struct mark_block *block, size_t lane);

struct curve_rows;
struct curve_block;
typedef void curve_function(struct curve_rows *rows, const struct curve_block *block);

/* One build of what is compiled per instruction set and width. */
struct sim_kernels {
    const char *isa;
    int lanes;
    mark_function *mark[2][2][2]; /* [shared][careful][downside] */
    walk_function *walk[2][2][2]; /* [shared][shorts][trail] */
    curve_function *curve;
};

/* The build of the same instruction set and width. */
const struct sim_kernels *sim_kernels_of(const struct kernels *kernels);

/* ---- accounts -------------------------------------------------------------------------------- */

struct order {
    bool leave;               /* an exit that waits for volume has no limit */
    bool leave_missed;        /* it met a bar without volume, and was counted */
    int enter;                /* +1 long, -1 short, 0 none */
    int waited;               /* bars without volume that the entry met */
    double level[SIM_LEVELS]; /* of the entry, as they were at its signal bar */
};

enum stance { FLAT, LONG, SHORT, DONE, STANCES }; /* DONE: ruined, at its end, or no account */

struct account {
    double units, cash;
    enum stance stance;
    size_t alarm;      /* the next bar on which something happens without a signal */
    size_t due;        /* bar of the time exit; SIZE_MAX: none */
    size_t exit_after; /* bars; 0: none */
    struct bars bars;
    struct order order;

    /* The open position. */
    size_t entry_bar;
    double entry_price, entry_fee, entry_cash /* after it */, entry_value;
    double stop; /* fixed; the trail is in struct levels */
    double target, scale, shift;

    /* Sums of closed trades. */
    uint32_t trades, wins, refused, unfilled, pending;
    uint32_t reasons[REASON_COUNT];
    double fees, fills_value;
    double gain, loss;                  /* profits above and below 0 */
    double profit_mean, profit_squares; /* Welford's: mean, sum of squared distances from it */
    double return_sum, return_best, return_worst;
    double growth;           /* product of 1 + R, kept in range: */
    int64_t growth_exponent; /* times 2^this */
    uint64_t bars_held, bars_exposed;
    size_t exposed_until; /* first bar not yet counted */
    double duration_sum, duration_max;
    bool ruined;
};

struct ledger {
    const struct sim_kernels *kernels;
    const struct sim_options *options;
    const struct sim_plan *plan;
    const struct trade_sink *sink;
    bool durations, downside, plain, valued, levelled, shorts, trailed, careful;
    double borrow;                        /* share a bar */
    size_t bar;                           /* bars run so far */
    size_t alarm[LANES_MAX], first_alarm; /* copies of the accounts', and the least of them */
    uint8_t stance[LANES_MAX];
    uint64_t carry[SIM_SIGNALS][LANES_MAX]; /* signals of the last bar run */
    double carried[SIM_LEVELS][LANES_MAX];  /* levels of the last bar run */
    double first_equity[LANES_MAX];         /* E_1 */
    struct marks marks;
    struct levels levels;
    struct changes changes; /* of the block that runs */
    struct account account[LANES_MAX];
};

/* ---- fill.c: one account at one bar ---------------------------------------------------------- */

/* One account on one bar: the orders that the signals and the clock give, and the levels inside the
 * bar. */
struct moment {
    struct ledger *ledger;
    int lane;
    size_t bar;               /* of the account */
    unsigned signals;         /* bits 1 << SIM_…, that decide on this bar's orders */
    double level[SIM_LEVELS]; /* at the signal bar */
};

void account_start(struct ledger *ledger, int lane, const struct ledger_lane *from);

/* Everything of one bar but the trail's best price.  Levels of a position entered at the close are
 * left infinite: levels_arm sets them once the bar is over. */
void account_bar(const struct moment *moment);

/* The same for a signal of accounts of which accounts_are_plain: in half of the time. */
void account_bar_plain(struct moment *moment);
bool accounts_are_plain(const struct sim_options *options, const struct sim_plan *plan);

void account_finish(
    const struct moment *moment); /* the bar behind its last: `signals` become pending */
void levels_arm(struct ledger *ledger, int lane);

/* What is open at the end: its row for the sink, its part of fees and exposure. */
void account_close_books(struct ledger *ledger, int lane);

#endif
