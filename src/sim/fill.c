/* One account at one bar: which orders there are, at which price they fill, how many units, what it
 * costs. This scalar code is the definition; doc/simulation.md says the same in words.  It never
 * looks behind the bar that it is at. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "sim/ledger.h"

/* The way of every order is compiled twice from the same text.  `plain` accounts have none of what
 * only some rules and options ask for: shorts, levels, sizes, time exits, lots, least fees and
 * notionals, a fee taken out of the amount, a wait for volume.  Then most of the questions below
 * have one answer, and a fill takes half as many instructions. */
#define EITHER static inline __attribute__((always_inline))

/* ---- money ----------------------------------------------------------------------------------- */

EITHER double entry_fee(const struct sim_options *options, double value, bool plain)
{
    if (plain)
        return value * options->fee;

    double fee = options->fee_mode == FEE_DEDUCT ? value * options->fee / (1 - options->fee)
                                                 : value * options->fee;

    return MAX(fee, options->fee_min);
}

EITHER double exit_fee(const struct sim_options *options, double value, bool plain)
{
    if (plain)
        return value * options->fee;
    return MAX(value * options->fee, options->fee_min);
}

/* Units that an amount of money buys, its fee (without the least fee) included. */
EITHER double units_of(const struct sim_options *options, double amount, double price, bool plain)
{
    if (!plain && options->fee_mode == FEE_DEDUCT)
        return amount * (1 - options->fee) / price;
    return amount / (price * (1 + options->fee));
}

/* All-in: no fill ever costs more than there is. */
static double units_most(const struct sim_options *options, double cash, double price)
{
    double units = units_of(options, cash, price, false);

    if (options->fee_min > 0)
        units = MIN(units, (cash - options->fee_min) / price);
    return units;
}

static double units_wanted(const struct ledger *ledger, const struct account *account, double price)
{
    const struct sim_options *options = ledger->options;
    const struct sim_plan *plan = ledger->plan;
    const double *level = account->order.level;

    if (plan->level[SIM_SIZE] == SIM_LEVEL_NONE)
        return units_of(options, account->cash, price, false);
    switch (plan->size) {
    case SIM_SIZE_UNITS:
        return level[SIM_SIZE];
    case SIM_SIZE_CASH:
        if (options->fee_mode == FEE_DEDUCT)
            return units_of(options, level[SIM_SIZE], price, false);
        return level[SIM_SIZE] / price;
    case SIM_SIZE_RISK:
        if (plan->level[SIM_STOP] == SIM_LEVEL_PERCENT)
            return level[SIM_SIZE] * account->cash / (price * level[SIM_STOP]);
        return level[SIM_SIZE] * account->cash / level[SIM_STOP];
    default:
        return units_of(options, level[SIM_SIZE] * account->cash, price, false);
    }
}

/* Whole lots.  A count that rounding put a hair below a whole number is that number. */
static double units_in_lots(const struct sim_options *options, double units)
{
    return floor(units / options->lot * (1 + 1e-12)) * options->lot;
}

/* Units (above 0) of an entry at a price with slippage; 0 where there is no trade. */
static double units_sized(const struct ledger *ledger, const struct account *account, double price)
{
    const struct sim_options *options = ledger->options;
    double most = units_most(options, account->cash, price);
    double units = units_wanted(ledger, account, price);

    units = MIN(units, most);
    if (options->lot > 0 && units > 0)
        units = units_in_lots(options, units);
    return units * price < options->min_notional ? 0 : units;
}

EITHER double entry_units(const struct ledger *ledger, const struct account *account, double price,
                          bool plain)
{
    double units = plain ? units_of(ledger->options, account->cash, price, true)
                         : units_sized(ledger, account, price);

    return units > 0 && units <= DBL_MAX ? units : 0; /* at a price of 0 they are infinite */
}

/* ---- levels ---------------------------------------------------------------------------------- */

static void levels_disarm(struct levels *levels, int lane)
{
    levels->floor[lane] = -HUGE_VAL;
    levels->ceiling[lane] = HUGE_VAL;
    levels->best_high[lane] = levels->best_low[lane] = 0;
    levels->high_scale[lane] = levels->low_scale[lane] = 0;
    levels->high_shift[lane] = -HUGE_VAL;
    levels->low_shift[lane] = HUGE_VAL;
}

void levels_arm(struct ledger *ledger, int lane)
{
    const struct account *account = &ledger->account[lane];
    struct levels *levels = &ledger->levels;
    double trail = account->entry_price * account->scale + account->shift;

    if (account->stance == LONG) {
        levels->floor[lane] = MAX(account->stop, trail);
        levels->ceiling[lane] = account->target;
        levels->best_high[lane] = account->entry_price;
        levels->high_scale[lane] = account->scale;
        levels->high_shift[lane] = account->shift;
    } else {
        levels->ceiling[lane] = MIN(account->stop, trail);
        levels->floor[lane] = account->target;
        levels->best_low[lane] = account->entry_price;
        levels->low_scale[lane] = account->scale;
        levels->low_shift[lane] = account->shift;
    }
}

/* Distance of a stop or target from the entry price; endless where the rule has none. */
static double distance(const struct ledger *ledger, const struct account *account, int level)
{
    double value = account->order.level[level];

    switch (ledger->plan->level[level]) {
    case SIM_LEVEL_PERCENT:
        return account->entry_price * value;
    case SIM_LEVEL_DISTANCE:
        return value;
    default:
        return HUGE_VAL;
    }
}

static void levels_fix(const struct ledger *ledger, struct account *account)
{
    double side = account->stance == LONG ? 1 : -1;
    double trail = account->order.level[SIM_TRAIL];

    account->stop = account->entry_price - side * distance(ledger, account, SIM_STOP);
    account->target = account->entry_price + side * distance(ledger, account, SIM_TARGET);
    account->scale = 0;
    account->shift = -side * HUGE_VAL;
    if (ledger->plan->level[SIM_TRAIL] == SIM_LEVEL_PERCENT) {
        account->scale = 1 - side * trail;
        account->shift = 0;
    } else if (ledger->plan->level[SIM_TRAIL] == SIM_LEVEL_DISTANCE) {
        account->scale = 1;
        account->shift = -side * trail;
    }
}

/* ---- closed trades --------------------------------------------------------------------------- */

/* Worst and best price while the position was held, as shares of the entry price.  The entry bar
 * counts under next-open fills alone; the exit bar up to the fill price alone, but whole where the
 * exit is its close. */
static void excursions(const struct ledger *ledger, const struct account *account,
                       struct trade *trade, bool at_close)
{
    size_t first = account->entry_bar + (ledger->options->fill == FILL_CLOSE);
    size_t end = trade->exit_bar + at_close;
    double low = MIN(trade->entry_price, trade->exit_price);
    double high = MAX(trade->entry_price, trade->exit_price);

    for (size_t bar = first; bar < end; bar++) {
        low = MIN(low, account->bars.column[BAR_LOW][bar]);
        high = MAX(high, account->bars.column[BAR_HIGH][bar]);
    }
    double down = low / trade->entry_price - 1, up = high / trade->entry_price - 1;
    trade->mae = trade->units > 0 ? down : 0 - up;
    trade->mfe = trade->units > 0 ? up : 0 - down;
}

EITHER void book_exposure(struct account *account, size_t exit_bar)
{
    size_t first = MAX(account->entry_bar, account->exposed_until);

    if (exit_bar + 1 > first)
        account->bars_exposed += exit_bar + 1 - first;
    account->exposed_until = MAX(account->exposed_until, exit_bar + 1);
}

/* The product of 1 + R of many trades leaves the range of a double. */
EITHER void book_growth(struct account *account, double factor)
{
    int exponent;

    account->growth *= factor;
    if (account->growth > 1e100 || account->growth < 1e-100) {
        account->growth = frexp(account->growth, &exponent);
        account->growth_exponent += exponent;
    }
}

static void book_duration(struct account *account, const struct trade *trade)
{
    double span = (double)(account->bars.time[trade->exit_bar] -
                           account->bars.time[trade->entry_bar]);

    account->duration_sum += span;
    account->duration_max = MAX(account->duration_max, span);
}

EITHER void book(struct ledger *ledger, int lane, struct trade *trade, bool at_close)
{
    struct account *account = &ledger->account[lane];
    double return_ = trade->profit / account->entry_value;
    double off = trade->profit - account->profit_mean;

    account->trades++;
    account->wins += trade->profit > 0;
    account->reasons[trade->reason]++;
    account->gain += MAX(trade->profit, 0.0);
    account->loss += MIN(trade->profit, 0.0);
    account->profit_mean += off / account->trades;
    account->profit_squares += off * (trade->profit - account->profit_mean);
    account->return_sum += return_;
    account->return_best = MAX(account->return_best, return_);
    account->return_worst = MIN(account->return_worst, return_);
    book_growth(account, 1 + return_);
    account->bars_held += trade->exit_bar - trade->entry_bar;
    book_exposure(account, trade->exit_bar);
    if (ledger->durations)
        book_duration(account, trade);
    if (ledger->sink) {
        excursions(ledger, account, trade, at_close);
        ledger->sink->add(ledger->sink->context, lane, trade);
    }
}

/* ---- exits and entries ----------------------------------------------------------------------- */

/* Turns the position into cash and tells the trade, whose reason may yet change.  Slippage is the
 * caller's. */
EITHER void leave(const struct moment *moment, double price, enum trade_reason reason,
                  struct trade *trade, bool plain)
{
    struct ledger *ledger = moment->ledger;
    struct account *account = &ledger->account[moment->lane];
    double value = fabs(account->units) * price;
    double fee = exit_fee(ledger->options, value, plain);
    double borrowed = account->entry_cash - account->cash;

    trade->entry_bar = (uint32_t)account->entry_bar;
    trade->exit_bar = (uint32_t)moment->bar;
    trade->entry_price = account->entry_price;
    trade->exit_price = price;
    trade->units = account->units;
    trade->fees = account->entry_fee + borrowed + fee;
    trade->reason = reason;
    trade->profit = account->units * (price - account->entry_price) - trade->fees;
    account->cash += account->units * price - fee;
    account->fees += fee + borrowed;
    account->fills_value += value;
    account->units = 0;
    account->stance = FLAT;
    account->due = SIZE_MAX;
    account->order.leave = account->order.leave_missed = false;
    if (!plain && ledger->levelled)
        levels_disarm(&ledger->levels, moment->lane);
}

EITHER double slipped(const struct ledger *ledger, double price, int direction)
{
    return price * (1 + direction * ledger->options->slippage);
}

/* Leaves at a price that slips. */
static void leave_slipped(const struct moment *moment, double price, enum trade_reason reason,
                          bool at_close)
{
    struct ledger *ledger = moment->ledger;
    int side = ledger->account[moment->lane].units > 0 ? 1 : -1;
    struct trade trade;

    leave(moment, slipped(ledger, price, -side), reason, &trade, false);
    book(ledger, moment->lane, &trade, at_close);
}

/* Targets wait in the market: they do not slip. */
static void leave_at(const struct moment *moment, double price, enum trade_reason reason)
{
    struct trade trade;

    leave(moment, price, reason, &trade, false);
    book(moment->ledger, moment->lane, &trade, false);
}

EITHER void enter(struct ledger *ledger, int lane, size_t bar, double price, double units,
                  bool plain)
{
    struct account *account = &ledger->account[lane];
    double value = units * price;
    double fee = entry_fee(ledger->options, value, plain);
    int side = plain ? 1 : account->order.enter;

    account->units = side * units;
    account->stance = side > 0 ? LONG : SHORT;
    account->cash -= side * value + fee;
    if (side > 0 && account->cash < 0) /* by a rounding */
        account->cash = 0;
    account->entry_bar = bar;
    account->entry_price = price;
    account->entry_value = value;
    account->entry_fee = fee;
    account->entry_cash = account->cash;
    account->fees += fee;
    account->fills_value += value;
    account->order.enter = 0;
    if (plain)
        return;
    account->due = account->exit_after ? bar + account->exit_after : SIZE_MAX;
    if (ledger->levelled)
        levels_fix(ledger, account);
}

/* ---- orders ---------------------------------------------------------------------------------- */

static bool has_levels(const struct sim_plan *plan, const double *level)
{
    for (int i = 0; i < SIM_LEVELS; i++)
        if (plan->level[i] != SIM_LEVEL_NONE && !(level[i] > 0))
            return false;
    return true;
}

EITHER void order_entry(struct account *account, const struct moment *moment, int side, bool plain)
{
    account->order.enter = 0;
    account->order.waited = 0;
    if (!plain && moment->ledger->valued && !has_levels(moment->ledger->plan, moment->level)) {
        account->refused++;
        return;
    }
    account->order.enter = side;
    if (!plain && moment->ledger->valued)
        memcpy(account->order.level, moment->level, sizeof account->order.level);
}

/* What the rule wants at the close of the signal bar.  A new entry takes the place of one that
 * waits; the exit signal of a waiting entry's own direction withdraws it. */
EITHER void decide(struct account *account, const struct moment *moment, bool plain)
{
    bool buy = moment->signals >> SIM_BUY & 1, sell = moment->signals >> SIM_SELL & 1;
    bool short_ = !plain && moment->signals >> SIM_SHORT & 1;
    bool cover = !plain && moment->signals >> SIM_COVER & 1;
    int enter = 0;

    if (account->stance == FLAT) {
        enter = buy ? 1 : short_ ? -1 : 0;
    } else if (plain || account->stance == LONG) {
        account->order.leave |= sell || short_;
        enter = short_ ? -1 : 0;
    } else {
        account->order.leave |= cover || buy;
        enter = buy ? 1 : 0;
    }

    if (enter)
        order_entry(account, moment, enter, plain);
    else if (!plain && (account->order.enter > 0 ? sell : cover))
        account->order.enter = 0;
}

/* No fill on a bar without volume.  The orders wait, and each is counted once. */
static void postpone(struct account *account, bool leaving)
{
    struct order *order = &account->order;

    if (leaving && !order->leave_missed) {
        order->leave_missed = true;
        account->unfilled++;
    }
    if (order->enter) {
        account->unfilled += order->waited == 0;
        if (++order->waited > ORDER_WAIT_BARS)
            order->enter = 0;
    }
}

/* Fills what is ordered at a price of this bar: exits first, then entries. */
EITHER void fill_orders(const struct moment *moment, double price, bool at_close, bool plain)
{
    struct ledger *ledger = moment->ledger;
    struct account *account = &ledger->account[moment->lane];
    int side = plain || account->stance == LONG ? 1 : -1;
    bool signalled = account->order.leave;
    bool leaving = account->stance != FLAT &&
                   (signalled || (!plain && moment->bar >= account->due));
    struct trade trade;

    if (!plain && ledger->options->require_volume &&
        !(account->bars.column[BAR_VOLUME][moment->bar] > 0)) {
        postpone(account, leaving);
        return;
    }
    if (leaving)
        leave(moment, slipped(ledger, price, -side), signalled ? REASON_SIGNAL : REASON_TIME,
              &trade, plain);

    double units = 0, entry_price = slipped(ledger, price, plain ? 1 : account->order.enter);
    if (account->order.enter && account->stance == FLAT) {
        units = entry_units(ledger, account, entry_price, plain);
        account->refused += units == 0 && account->cash > 0; /* without money it is ruin */
    }
    if (leaving) {
        if (units > 0)
            trade.reason = REASON_REVERSE;
        book(ledger, moment->lane, &trade, at_close);
    }
    if (units > 0)
        enter(ledger, moment->lane, moment->bar, entry_price, units, plain);
    account->order.enter = 0;
}

/* ---- one bar --------------------------------------------------------------------------------- */

/* A gap through a level fills at the open: nobody could trade at a price that never was.  Where
 * stop and target both lie inside the bar the stop is taken: the bar does not say which came first.
 */
static void fill_levels(const struct moment *moment)
{
    struct ledger *ledger = moment->ledger;
    const struct account *account = &ledger->account[moment->lane];
    const double *const *column = account->bars.column;
    size_t bar = moment->bar;
    double open = column[BAR_OPEN][bar], low = column[BAR_LOW][bar], high = column[BAR_HIGH][bar];
    bool is_long = account->stance == LONG;
    double floor = ledger->levels.floor[moment->lane],
           ceiling = ledger->levels.ceiling[moment->lane];
    double stop = is_long ? floor : ceiling;
    enum trade_reason why = stop == account->stop ? REASON_STOP : REASON_TRAIL;

    if (!(low <= floor || high >= ceiling))
        return;
    if (ledger->options->require_volume && !(column[BAR_VOLUME][bar] > 0))
        return;

    bool below = open <= floor, above = open >= ceiling;
    if (is_long ? below : above) {
        leave_slipped(moment, open, why, false);
    } else if (is_long ? above : below) {
        leave_at(moment, open, REASON_TARGET);
    } else if (is_long ? low <= floor : high >= ceiling) {
        leave_slipped(moment, stop, why, false);
    } else {
        leave_at(moment, is_long ? ceiling : floor, REASON_TARGET);
    }
}

/* Equity of 0 or below at a close ends the account: what is open is closed there. */
static void settle_low(const struct moment *moment)
{
    struct ledger *ledger = moment->ledger;
    struct account *account = &ledger->account[moment->lane];
    double close = account->bars.column[BAR_CLOSE][moment->bar];
    double charged = account->cash + MIN(account->units, 0.0) * ledger->borrow * close;

    if (account->units * close + charged > 0)
        return;
    if (account->stance != FLAT) {
        account->cash = charged;
        leave_slipped(moment, close, REASON_RUINED, true);
    }
    account->ruined = true;
    account->stance = DONE;
    account->order.enter = 0;
}

/* A long cannot get there, since its cash is never below 0. */
EITHER void settle(const struct moment *moment)
{
    const struct account *account = &moment->ledger->account[moment->lane];

    if (account->stance != LONG && !(account->stance == FLAT && account->cash > 0))
        settle_low(moment);
}

EITHER void set_alarm(struct account *account, size_t bar, bool plain)
{
    size_t alarm = account->bars.count;

    if (!plain && (account->order.leave || account->order.enter || account->due <= bar))
        alarm = bar + 1;
    else if (!plain)
        alarm = MIN(alarm, account->due);
    account->alarm = account->stance == DONE ? SIZE_MAX : alarm;
}

EITHER void run_bar(const struct moment *moment, bool plain)
{
    struct ledger *ledger = moment->ledger;
    struct account *account = &ledger->account[moment->lane];
    const double *const *column = account->bars.column;
    bool levelled = !plain && ledger->levelled, at_close = ledger->options->fill == FILL_CLOSE;

    if (!at_close) {
        decide(account, moment, plain);
        fill_orders(moment, column[BAR_OPEN][moment->bar], false, plain);
        if (levelled && account->stance != FLAT && account->entry_bar == moment->bar)
            levels_arm(ledger, moment->lane);
    }
    if (levelled && account->stance != FLAT)
        fill_levels(moment);
    if (at_close) {
        if (account->stance != FLAT)
            settle(moment);
        if (account->stance != DONE) {
            decide(account, moment, plain);
            fill_orders(moment, column[BAR_CLOSE][moment->bar], true, plain);
        }
    }
    if (account->stance != DONE)
        settle(moment);
    set_alarm(account, moment->bar, plain);
}

void account_bar(const struct moment *moment)
{
    run_bar(moment, false);
}

/* Its event can only be the signal that the stance waits for, which makes one straight way of each.
 */
void account_bar_plain(struct moment *moment)
{
    if (moment->ledger->account[moment->lane].stance == FLAT) {
        moment->signals = 1u << SIM_BUY;
        run_bar(moment, true);
    } else {
        moment->signals = 1u << SIM_SELL;
        run_bar(moment, true);
    }
}

bool accounts_are_plain(const struct sim_options *options, const struct sim_plan *plan)
{
    bool levels = false;

    for (int i = 0; i < SIM_LEVELS; i++)
        levels |= plan->level[i] != SIM_LEVEL_NONE;
    return !levels && !plan->has[SIM_SHORT] && !plan->exit_after && !options->require_volume &&
           options->fee_mode == FEE_ADD && options->fee_min <= 0 && options->lot <= 0 &&
           options->min_notional <= 0;
}

/* ---- begin and end --------------------------------------------------------------------------- */

void account_start(struct ledger *ledger, int lane, const struct ledger_lane *from)
{
    struct account *account = &ledger->account[lane];

    *account = (struct account){
        .cash = ledger->options->cash,
        .stance = from->bars.count ? FLAT : DONE,
        .alarm = from->bars.count ? from->bars.count : SIZE_MAX,
        .due = SIZE_MAX,
        .exit_after = ledger->plan->exit_after && from->exit_after >= 1 ? (size_t)from->exit_after
                                                                        : 0,
        .bars = from->bars,
        .return_best = -HUGE_VAL,
        .return_worst = HUGE_VAL,
        .growth = 1,
    };
    levels_disarm(&ledger->levels, lane);
}

void account_finish(const struct moment *moment)
{
    struct account *account = &moment->ledger->account[moment->lane];

    decide(account, moment, false);
    if (account->order.leave)
        account->pending |= 1u << (account->stance == LONG ? SIM_SELL : SIM_COVER);
    if (account->order.enter)
        account->pending |= 1u << (account->order.enter > 0 ? SIM_BUY : SIM_SHORT);
    account->stance = DONE;
    account->alarm = SIZE_MAX;
    levels_disarm(&moment->ledger->levels, moment->lane);
}

void account_close_books(struct ledger *ledger, int lane)
{
    struct account *account = &ledger->account[lane];

    if (account->units == 0)
        return;

    size_t last = account->bars.count - 1;
    double close = account->bars.column[BAR_CLOSE][last];
    double borrowed = account->entry_cash - account->cash;
    struct trade trade = {
        .entry_bar = (uint32_t)account->entry_bar,
        .exit_bar = (uint32_t)last,
        .entry_price = account->entry_price,
        .exit_price = close,
        .units = account->units,
        .fees = account->entry_fee + borrowed,
        .reason = REASON_END,
    };
    trade.profit = account->units * (close - account->entry_price) - trade.fees;
    account->fees += borrowed;
    account->reasons[REASON_END]++;
    book_exposure(account, last);
    if (ledger->sink) {
        excursions(ledger, account, &trade, true);
        ledger->sink->add(ledger->sink->context, lane, &trade);
    }
}
