/* Runs the accounts of one group of lanes over blocks of bars: walk, then mark (sim.h).  Which
 * fills there are is fill.c's, how equity is marked is mark.c's; here is the way through the block.
 */
#include <math.h>
#include <string.h>

#include "sim/ledger.h"

/* One block on its way through the ledger. */
struct run {
    const struct ledger_block *block;
    size_t first, count; /* the account's bar of the block's first; bars of the block */
    const uint64_t *signal[SIM_SIGNALS]; /* [lane], bit t: decides on orders of bar t */
    const uint64_t *event[STANCES]; /* [lane], bit t: some order for an account that stands so */
    uint64_t changed[LANES_MAX], held[LANES_MAX];
    uint64_t changed_any; /* bit t: the changes of bar t are of this block */
    uint64_t shifted[SIM_SIGNALS][LANES_MAX],
        joined[STANCES][LANES_MAX]; /* where they had to be made */
    struct changes *changes;
};

/* ---- signals --------------------------------------------------------------------------------- */

/* Under next-open fills the signals of bar t - 1 decide on bar t's orders: words move up by one
 * bar. */
static const uint64_t *shift_signals(struct ledger *ledger, const struct ledger_block *block,
                                     int signal, uint64_t shifted[LANES_MAX])
{
    uint64_t mask = ~(uint64_t)0 >> (BLOCK_BARS - block->bar_count);
    const uint64_t *word = block->signal[signal];
    uint64_t *carry = ledger->carry[signal];

    for (int l = 0; l < LANES_MAX; l++) {
        shifted[l] = (word[l] << 1 | carry[l]) & mask;
        carry[l] = word[l] >> (block->bar_count - 1) & 1;
    }
    return shifted;
}

static void take_signals(struct ledger *ledger, struct run *run)
{
    static const uint64_t none[LANES_MAX];
    const uint64_t **signal = run->signal;

    for (int s = 0; s < SIM_SIGNALS; s++) {
        if (!ledger->plan->has[s])
            signal[s] = none;
        else if (ledger->options->fill == FILL_CLOSE)
            signal[s] = run->block->signal[s];
        else
            signal[s] = shift_signals(ledger, run->block, s, run->shifted[s]);
    }
    run->event[FLAT] = signal[SIM_BUY];
    run->event[LONG] = signal[SIM_SELL];
    run->event[SHORT] = run->event[DONE] = none;
    if (!ledger->shorts)
        return;

    for (int l = 0; l < LANES_MAX; l++) {
        run->joined[FLAT][l] = signal[SIM_BUY][l] | signal[SIM_SHORT][l];
        run->joined[LONG][l] = signal[SIM_SELL][l] | signal[SIM_SHORT][l];
        run->joined[SHORT][l] = signal[SIM_COVER][l] | signal[SIM_BUY][l];
    }
    for (int stance = FLAT; stance <= SHORT; stance++)
        run->event[stance] = run->joined[stance];
}

/* Levels of the block's last bar, for a signal there that fills in the next block. */
static void carry_levels(struct ledger *ledger, const struct ledger_block *block)
{
    for (int i = 0; i < SIM_LEVELS; i++)
        if (ledger->plan->level[i] != SIM_LEVEL_NONE)
            memcpy(ledger->carried[i],
                   block->level[i].at + (block->bar_count - 1) * block->level[i].step,
                   sizeof(double) * (size_t)ledger->kernels->lanes);
}

static unsigned signals_at(const struct run *run, int lane, size_t bar)
{
    unsigned signals = 0;

    for (int s = 0; s < SIM_SIGNALS; s++)
        signals |= (unsigned)(run->signal[s][lane] >> bar & 1) << s;
    return signals;
}

/* Levels are asked for where an entry is. */
static void levels_at(const struct ledger *ledger, const struct run *run, int lane, size_t bar,
                      double level[])
{
    bool at_close = ledger->options->fill == FILL_CLOSE;

    for (int i = 0; i < SIM_LEVELS; i++) {
        const struct operand *from = &run->block->level[i];
        if (ledger->plan->level[i] == SIM_LEVEL_NONE)
            continue;
        level[i] = at_close || bar
                       ? from->at[(at_close ? bar : bar - 1) * from->step + (size_t)lane]
                       : ledger->carried[i][lane];
    }
}

/* ---- walk ------------------------------------------------------------------------------------ */

/* The first bar from `from` on for which an account has orders or an alarm; the block's end if
 * none. */
static inline size_t next_event(const struct ledger *ledger, const struct run *run, int lane,
                                size_t from)
{
    uint64_t events = from < BLOCK_BARS ? run->event[ledger->stance[lane]][lane] >> from << from
                                        : 0;
    size_t event = events ? (size_t)__builtin_ctzll(events) : run->count;
    size_t alarm = ledger->alarm[lane] - run->first;

    return MIN(MIN(event, alarm), run->count);
}

static void note_change(struct run *run, int lane, size_t bar, double units, double cash)
{
    struct changes *changes = run->changes;
    uint64_t here = (uint64_t)1 << bar, from_here = ~(uint64_t)0 << bar;

    changes->units[bar][lane] = units;
    changes->cash[bar][lane] = cash;
    changes->lanes[bar] = (uint16_t)((run->changed_any & here ? changes->lanes[bar] : 0) |
                                     1u << lane);
    run->changed_any |= here;
    run->changed[lane] |= here;
    run->held[lane] = units != 0 ? run->held[lane] | from_here : run->held[lane] & ~from_here;
}

/* Behind its last bar an account is frozen: flat, with its equity as cash, so that later bars
 * change nothing whatever their prices are. */
static void finish(struct run *run, const struct moment *moment, size_t bar)
{
    struct account *account = &moment->ledger->account[moment->lane];

    account_finish(moment);
    if (account->units != 0) {
        double close = account->bars.column[BAR_CLOSE][account->bars.count - 1];
        note_change(run, moment->lane, bar, 0, account->units * close + account->cash);
    }
}

static void step(struct ledger *ledger, struct run *run, int lane, size_t bar)
{
    struct account *account = &ledger->account[lane];
    double units = account->units, cash = account->cash;
    struct moment moment;

    moment.ledger = ledger;
    moment.lane = lane;
    moment.bar = run->first + bar;
    if (ledger->plain && moment.bar < account->bars.count) {
        account_bar_plain(&moment);
    } else {
        moment.signals = signals_at(run, lane, bar);
        if (ledger->valued && moment.signals & (1u << SIM_BUY | 1u << SIM_SHORT))
            levels_at(ledger, run, lane, bar, moment.level);
        if (moment.bar == account->bars.count)
            finish(run, &moment, bar);
        else
            account_bar(&moment);
    }
    if (account->units != units || account->cash != cash)
        note_change(run, lane, bar, account->units, account->cash);
    ledger->alarm[lane] = account->alarm;
    ledger->stance[lane] = (uint8_t)account->stance;
}

/* Lanes with a signal or an alarm in the block. */
static unsigned busy_lanes(const struct ledger *ledger, const struct run *run)
{
    unsigned busy = 0;

    if (ledger->first_alarm < run->first + run->count)
        return (1u << ledger->kernels->lanes) - 1;
    for (int l = 0; l < LANES_MAX; l++)
        busy |= (unsigned)(run->event[ledger->stance[l]][l] != 0) << l;
    return busy;
}

/* Without levels and shorts nothing but signals and alarms can happen. */
static void walk_signals(struct ledger *ledger, struct run *run)
{
    for (unsigned busy = busy_lanes(ledger, run); busy; busy &= busy - 1) {
        int lane = __builtin_ctz(busy);
        size_t bar = next_event(ledger, run, lane, 0);
        while (bar < run->count) {
            step(ledger, run, lane, bar);
            bar = next_event(ledger, run, lane, bar + 1);
        }
    }
}

static void watch_alarms(struct ledger *ledger)
{
    ledger->first_alarm = SIZE_MAX;
    for (int l = 0; l < LANES_MAX; l++)
        ledger->first_alarm = MIN(ledger->first_alarm, ledger->alarm[l]);
}

/* Shorts pay for borrowing and so have their cash in the walk's rows. */
static inline void step_levels(struct ledger *ledger, struct run *run, int lane, size_t bar)
{
    struct account *account = &ledger->account[lane];
    struct levels *levels = &ledger->levels;

    if (ledger->shorts)
        account->cash = levels->cash[lane];
    step(ledger, run, lane, bar);
    levels->cash[lane] = account->cash;
    levels->units[lane] = account->stance == DONE ? 0 : account->units;
}

/* A walk's way from event to event. */
struct walker {
    int lane;                /* the first of its lanes */
    size_t next[WALK_LANES]; /* bar of each lane's next event */
    unsigned held;           /* bit l: lane + l holds a position */
};

/* The lanes of the chunk to which something happens on the bar, one by one.  Returns those that
 * entered at its close. */
static unsigned step_chunk(struct ledger *ledger, struct run *run, struct walker *walker,
                           unsigned lanes, size_t bar)
{
    bool at_close = ledger->options->fill == FILL_CLOSE;
    unsigned entered = 0;

    for (; lanes; lanes &= lanes - 1) {
        int l = __builtin_ctz(lanes), lane = walker->lane + l;
        unsigned bit = 1u << l;
        step_levels(ledger, run, lane, bar);
        walker->next[l] = next_event(ledger, run, lane, bar + 1);
        if (!(run->held[lane] >> bar & 1)) {
            walker->held &= ~bit;
            continue;
        }
        walker->held |= bit;
        if (at_close && ledger->account[lane].entry_bar == run->first + bar)
            entered |= bit;
    }
    return entered;
}

/* WALK_LANES lanes: from one event of any of them to the next. */
static void walk_chunk(struct ledger *ledger, struct run *run, const struct walk_block *block,
                       int lane)
{
    walk_function *walk =
        ledger->kernels->walk[run->block->shared][ledger->shorts][ledger->trailed];
    struct walker walker = {.lane = lane};
    size_t bar = 0;
    bool forced = false;

    for (int l = 0; l < WALK_LANES; l++) {
        walker.next[l] = next_event(ledger, run, lane + l, 0);
        walker.held |= (unsigned)(run->held[lane + l] & 1) << l;
    }
    for (;;) {
        size_t stop = run->count;
        for (int l = 0; l < WALK_LANES; l++)
            stop = MIN(stop, walker.next[l]);

        unsigned lanes = 0;
        bar = walker.held ? walk(&ledger->levels, block, (size_t)lane, bar, stop, forced, &lanes)
                          : stop;
        if (bar >= run->count)
            break;
        for (int l = 0; l < WALK_LANES; l++)
            lanes |= (unsigned)(walker.next[l] == bar) << l;
        unsigned entered = step_chunk(ledger, run, &walker, lanes, bar);
        forced = true;

        /* What was bought at this close has its levels from the next bar on: the others take this
         * bar in first. */
        if (entered && ledger->levelled) {
            bar = walk(&ledger->levels, block, (size_t)lane, bar, bar + 1, true, &lanes);
            for (int l = 0; l < WALK_LANES; l++)
                if (entered >> l & 1)
                    levels_arm(ledger, lane + l);
            forced = false;
        }
    }
}

static void walk_block(struct ledger *ledger, struct run *run)
{
    const struct ledger_block *block = run->block;

    if (!ledger->levelled && !ledger->shorts) {
        walk_signals(ledger, run);
        return;
    }
    const double *close = block->price[BAR_CLOSE];
    struct walk_block walked = {
        .bar_count = block->bar_count,
        .high = ledger->levelled ? block->price[BAR_HIGH] : close,
        .low = ledger->levelled ? block->price[BAR_LOW] : close,
        .close = close,
        .borrow = ledger->borrow,
    };
    for (int lane = 0; lane < ledger->kernels->lanes; lane += WALK_LANES)
        walk_chunk(ledger, run, &walked, lane);
}

/* ---- mark ------------------------------------------------------------------------------------ */

/* The first bar has no return: its equity is the base of the second's. */
static void mark_first(struct ledger *ledger, mark_function *mark, struct mark_block *marked,
                       size_t lane)
{
    struct marks *marks = &ledger->marks;
    size_t end = marked->end, bytes = sizeof(double) * MARK_LANES;

    marked->end = 1;
    mark(marks, marked, lane);
    memcpy(ledger->first_equity + lane, marks->equity + lane, bytes);
    memset(marks->sum + lane, 0, bytes);
    memset(marks->sum_squares + lane, 0, bytes);
    memset(marks->sum_down + lane, 0, bytes);
    marked->begin = 1;
    marked->end = end;
}

static void mark_block(struct ledger *ledger, const struct run *run)
{
    const struct ledger_block *block = run->block;
    mark_function *mark = ledger->kernels->mark[block->shared][ledger->careful][ledger->downside];
    int lanes = ledger->kernels->lanes;
    LANE_ALIGNED double unwanted[LANES_MAX];

    for (int lane = 0; lane < lanes; lane += MARK_LANES) {
        struct mark_block marked = {
            .end = block->bar_count,
            .close = block->price[BAR_CLOSE],
            .equity = block->equity ? block->equity : unwanted,
            .equity_step = block->equity ? (size_t)lanes : 0,
            .borrow = ledger->borrow,
            .changes = run->changes,
        };
        for (int l = lane; l < lane + MARK_LANES; l++) {
            marked.changed |= run->changed[l];
            marked.held |= run->held[l];
        }
        if (!block->equity && !marked.changed && !marked.held && run->first)
            continue;
        if (!run->first)
            mark_first(ledger, mark, &marked, (size_t)lane);
        mark(&ledger->marks, &marked, (size_t)lane);
    }
}

/* ---- the ledger ------------------------------------------------------------------------------ */

unsigned ledger_columns(const struct sim_plan *plan)
{
    unsigned columns = 1u << BAR_CLOSE;

    if (plan->level[SIM_STOP] || plan->level[SIM_TARGET] || plan->level[SIM_TRAIL])
        columns |= 1u << BAR_HIGH | 1u << BAR_LOW;
    return columns;
}

size_t ledger_bytes(void)
{
    return sizeof(struct ledger);
}

void ledger_start(struct ledger *ledger, const struct ledger_setup *setup)
{
    const struct sim_options *options = setup->options;
    const struct sim_plan *plan = setup->plan;

    memset(ledger, 0, sizeof *ledger);
    ledger->kernels = sim_kernels_of(setup->kernels);
    ledger->options = options;
    ledger->plan = plan;
    ledger->sink = setup->sink;
    ledger->durations = setup->durations;
    ledger->downside = setup->downside;
    ledger->plain = accounts_are_plain(options, plan);
    ledger->trailed = plan->level[SIM_TRAIL] != SIM_LEVEL_NONE;
    ledger->levelled = ledger->trailed || plan->level[SIM_STOP] || plan->level[SIM_TARGET];
    ledger->valued = ledger->levelled || plan->level[SIM_SIZE];
    ledger->shorts = plan->has[SIM_SHORT];
    ledger->careful = ledger->shorts || options->fee_min > 0;
    ledger->borrow = ledger->shorts ? options->borrow / options->year_bars : 0;
    for (int l = 0; l < LANES_MAX; l++) {
        static const struct ledger_lane none;
        account_start(ledger, l, l < ledger->kernels->lanes ? &setup->lanes[l] : &none);
        ledger->alarm[l] = ledger->account[l].alarm;
        ledger->stance[l] = (uint8_t)ledger->account[l].stance;
        ledger->marks.cash[l] = ledger->marks.equity[l] = ledger->marks.peak[l] =
            ledger->marks.low[l] = options->cash;
        ledger->marks.worst[l] = ledger->marks.worst_peak[l] = 1;
        ledger->levels.cash[l] = options->cash;
    }
    watch_alarms(ledger);
}

void ledger_run(struct ledger *ledger, const struct ledger_block *block)
{
    struct run run;

    run.block = block;
    run.first = ledger->bar;
    run.count = block->bar_count;
    for (int l = 0; l < LANES_MAX; l++) {
        run.changed[l] = 0;
        run.held[l] = ledger->marks.units[l] != 0 ? ~(uint64_t)0 : 0;
    }
    run.changed_any = 0;
    run.changes = &ledger->changes;

    take_signals(ledger, &run);
    walk_block(ledger, &run);
    watch_alarms(ledger);
    mark_block(ledger, &run);
    if (ledger->valued && ledger->options->fill == FILL_OPEN)
        carry_levels(ledger, block);
    ledger->bar += block->bar_count;
}
