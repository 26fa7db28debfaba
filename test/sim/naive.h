/* A slow and obvious account: one symbol, one bar at a time, every question asked on every bar.  It
 * shares no code with src/sim and is written from doc/simulation.md; tests compare it with the
 * ledger bit for bit. */
#ifndef TEST_SIM_NAIVE_H
#define TEST_SIM_NAIVE_H

#include <math.h>
#include <stdlib.h>

#include "sim/sim.h"

enum { NAIVE_BARS_MAX = 8192, NAIVE_TRADES_MAX = 4096 };

struct naive_input {
    struct bars bars;
    const bool *signal[SIM_SIGNALS]; /* [bar]; NULL: none */
    const double *level[SIM_LEVELS]; /* [bar]; NULL: none */
    int exit_after;
    const struct sim_options *options;
    const struct sim_plan *plan;
};

struct naive_output {
    double equity[NAIVE_BARS_MAX];
    struct trade trade[NAIVE_TRADES_MAX];
    int trades; /* with the open one at the end */
    double max_drawdown, sum, squares, down;
    double fees, value;
    unsigned pending;
    uint32_t refused, unfilled;
    int exposed;
    bool ruined;
    double units;
};

struct naive {
    const struct naive_input *in;
    struct naive_output *out;
    double units, cash;
    int side, entry_bar;
    double entry_price, entry_fee, cash_after_entry;
    double stop, target, best, trail;
    bool trails, trail_is_percent;
    bool want_leave, leave_missed;
    int want_side, waited;
    double want[SIM_LEVELS];
    bool dead;
};

static double naive_fee(const struct naive *n, double value, bool entry)
{
    const struct sim_options *o = n->in->options;
    double fee = entry && o->fee_mode == FEE_DEDUCT ? value * o->fee / (1 - o->fee)
                                                    : value * o->fee;

    return fee < o->fee_min ? o->fee_min : fee;
}

/* The trade's excursions, from the bars themselves. */
static void naive_excursions(const struct naive *n, struct trade *t, bool whole_exit_bar)
{
    double worst = 0, best = 0;

    for (int b = n->entry_bar; b <= (int)t->exit_bar; b++) {
        double prices[3] = {t->entry_price, t->entry_price, t->entry_price};
        bool entry_counts = n->in->options->fill == FILL_OPEN || b > n->entry_bar;
        if (entry_counts && (b < (int)t->exit_bar || whole_exit_bar)) {
            prices[0] = n->in->bars.column[BAR_LOW][b];
            prices[1] = n->in->bars.column[BAR_HIGH][b];
        }
        if (b == (int)t->exit_bar)
            prices[2] = t->exit_price;
        for (int i = 0; i < 3; i++) {
            double move = prices[i] / t->entry_price - 1;
            if (n->side < 0)
                move = 0 - move;
            worst = move < worst ? move : worst;
            best = move > best ? move : best;
        }
    }
    t->mae = worst;
    t->mfe = best;
}

static void naive_leave(struct naive *n, int bar, double price, bool slips,
                        enum trade_reason reason, bool whole)
{
    double p = slips ? price * (1 + -n->side * n->in->options->slippage) : price;
    double value = fabs(n->units) * p, fee = naive_fee(n, value, false);
    double borrowed = n->cash_after_entry - n->cash;
    struct trade t = {
        .entry_bar = (uint32_t)n->entry_bar,
        .exit_bar = (uint32_t)bar,
        .entry_price = n->entry_price,
        .exit_price = p,
        .units = n->units,
        .fees = n->entry_fee + borrowed + fee,
        .reason = reason,
    };

    t.profit = n->units * (p - n->entry_price) - t.fees;
    naive_excursions(n, &t, whole);
    n->cash += n->units * p - fee;
    n->out->fees += fee + borrowed;
    n->out->value += value;
    n->out->trade[n->out->trades++] = t;
    n->units = 0;
    n->side = 0;
    n->want_leave = n->leave_missed = false;
}

/* Units of an entry, or 0 where it cannot be. */
static double naive_size(const struct naive *n, double p)
{
    const struct sim_options *o = n->in->options;
    const struct sim_plan *plan = n->in->plan;
    bool deduct = o->fee_mode == FEE_DEDUCT;
    double most = deduct ? n->cash * (1 - o->fee) / p : n->cash / (p * (1 + o->fee));
    double units, x = n->want[SIM_SIZE];

    if (o->fee_min > 0 && (n->cash - o->fee_min) / p < most)
        most = (n->cash - o->fee_min) / p;
    if (plan->level[SIM_SIZE] == SIM_LEVEL_NONE)
        units = most;
    else if (plan->size == SIM_SIZE_EQUITY)
        units = deduct ? x * n->cash * (1 - o->fee) / p : x * n->cash / (p * (1 + o->fee));
    else if (plan->size == SIM_SIZE_UNITS)
        units = x;
    else if (plan->size == SIM_SIZE_CASH)
        units = deduct ? x * (1 - o->fee) / p : x / p;
    else
        units = x * n->cash /
                (plan->level[SIM_STOP] == SIM_LEVEL_PERCENT ? p * n->want[SIM_STOP]
                                                            : n->want[SIM_STOP]);
    if (units > most)
        units = most;
    if (o->lot > 0 && units > 0)
        units = floor(units / o->lot * (1 + 1e-12)) * o->lot;
    return units > 0 && !(units * p < o->min_notional) ? units : 0;
}

static void naive_enter(struct naive *n, int bar, double p, double units)
{
    const struct sim_plan *plan = n->in->plan;
    int s = n->want_side;
    double value = units * p, fee = naive_fee(n, value, true);

    n->side = s;
    n->units = s * units;
    n->cash -= s * value + fee;
    if (s > 0 && n->cash < 0)
        n->cash = 0;
    n->cash_after_entry = n->cash;
    n->entry_bar = bar;
    n->entry_price = n->best = p;
    n->entry_fee = fee;
    n->out->fees += fee;
    n->out->value += value;
    n->stop = -s * HUGE_VAL;
    n->target = s * HUGE_VAL;
    if (plan->level[SIM_STOP])
        n->stop = p - s * (plan->level[SIM_STOP] == SIM_LEVEL_PERCENT ? p * n->want[SIM_STOP]
                                                                      : n->want[SIM_STOP]);
    if (plan->level[SIM_TARGET])
        n->target = p + s * (plan->level[SIM_TARGET] == SIM_LEVEL_PERCENT ? p * n->want[SIM_TARGET]
                                                                          : n->want[SIM_TARGET]);
    n->trails = plan->level[SIM_TRAIL] != SIM_LEVEL_NONE;
    n->trail_is_percent = plan->level[SIM_TRAIL] == SIM_LEVEL_PERCENT;
    n->trail = n->want[SIM_TRAIL];
}

/* What is wanted at the close of `bar`. */
static void naive_decide(struct naive *n, int bar)
{
    bool s[SIM_SIGNALS];
    int side = 0;

    for (int i = 0; i < SIM_SIGNALS; i++)
        s[i] = n->in->signal[i] && n->in->signal[i][bar];
    if (n->side == 0) {
        side = s[SIM_BUY] ? 1 : s[SIM_SHORT] ? -1 : 0;
    } else if (n->side > 0) {
        n->want_leave = n->want_leave || s[SIM_SELL] || s[SIM_SHORT];
        side = s[SIM_SHORT] ? -1 : 0;
    } else {
        n->want_leave = n->want_leave || s[SIM_COVER] || s[SIM_BUY];
        side = s[SIM_BUY] ? 1 : 0;
    }
    if (side == 0) {
        if ((n->want_side > 0 && s[SIM_SELL]) || (n->want_side < 0 && s[SIM_COVER]))
            n->want_side = 0;
        return;
    }
    n->want_side = side;
    n->waited = 0;
    for (int i = 0; i < SIM_LEVELS; i++)
        if (n->in->plan->level[i]) {
            n->want[i] = n->in->level[i][bar];
            if (!(n->want[i] > 0))
                n->want_side = 0;
        }
    if (n->want_side == 0)
        n->out->refused++;
}

static void naive_fill(struct naive *n, int bar, double price, bool at_close)
{
    const struct sim_options *o = n->in->options;
    bool timed = n->side && n->in->exit_after && bar >= n->entry_bar + n->in->exit_after;
    bool leaving = n->side && (n->want_leave || timed);
    double p, units = 0;

    if (o->require_volume && n->in->bars.column[BAR_VOLUME][bar] == 0) {
        if (leaving && !n->leave_missed) {
            n->out->unfilled++;
            n->leave_missed = true;
        }
        if (n->want_side) {
            if (n->waited == 0)
                n->out->unfilled++;
            n->waited++;
            if (n->waited == 6)
                n->want_side = 0;
        }
        return;
    }
    if (leaving)
        naive_leave(n, bar, price, true, n->want_leave ? REASON_SIGNAL : REASON_TIME, at_close);
    if (n->want_side && n->side == 0) {
        p = price * (1 + n->want_side * o->slippage);
        units = naive_size(n, p);
        if (units > 0) {
            if (leaving)
                n->out->trade[n->out->trades - 1].reason = REASON_REVERSE;
            naive_enter(n, bar, p, units);
        } else if (n->cash > 0) {
            n->out->refused++;
        }
    }
    n->want_side = 0;
}

/* Gap, then inside. */
static void naive_levels(struct naive *n, int bar)
{
    const double *const *c = n->in->bars.column;
    double open = c[BAR_OPEN][bar], high = c[BAR_HIGH][bar], low = c[BAR_LOW][bar];
    double level = n->stop;
    enum trade_reason why = REASON_STOP;

    if (n->in->options->require_volume && c[BAR_VOLUME][bar] == 0)
        return;
    if (n->trails) {
        double trail = n->trail_is_percent ? n->best * (1 - n->side * n->trail)
                                           : n->best - n->side * n->trail;
        if (n->side > 0 ? trail > level : trail < level) {
            level = trail;
            why = REASON_TRAIL;
        }
    }
    if (n->side > 0 ? open <= level : open >= level)
        naive_leave(n, bar, open, true, why, false);
    else if (n->side > 0 ? open >= n->target : open <= n->target)
        naive_leave(n, bar, open, false, REASON_TARGET, false);
    else if (n->side > 0 ? low <= level : high >= level)
        naive_leave(n, bar, level, true, why, false);
    else if (n->side > 0 ? high >= n->target : low <= n->target)
        naive_leave(n, bar, n->target, false, REASON_TARGET, false);
}

static void naive_ruin(struct naive *n, int bar)
{
    const struct sim_options *o = n->in->options;
    double close = n->in->bars.column[BAR_CLOSE][bar];
    double cash = n->cash;

    if (n->side < 0)
        cash = cash + n->units * (o->borrow / o->year_bars) * close;
    if (n->units * close + cash > 0)
        return;
    n->cash = cash;
    if (n->side)
        naive_leave(n, bar, close, true, REASON_RUINED, true);
    n->dead = n->out->ruined = true;
    n->want_side = 0;
}

/* The deepest of all falls from a peak to the lowest equity before the next one, in percent.  Two
 * are compared without dividing. */
static double naive_max_drawdown(const double *equity, size_t count, double cash)
{
    double peak = cash, low = cash, worst = 1, worst_peak = 1;

    for (size_t t = 0; t <= count; t++) {
        if (t == count || equity[t] > peak) {
            if (low * worst_peak < worst * peak) {
                worst = low;
                worst_peak = peak;
            }
            peak = low = t < count ? equity[t] : 0;
        }
        low = t < count && equity[t] < low ? equity[t] : low;
    }
    return (worst_peak - worst) / worst_peak * 100;
}

/* Equity at the close: curve, returns. */
static void naive_mark(struct naive *n, int bar)
{
    const struct sim_options *o = n->in->options;
    double close = n->in->bars.column[BAR_CLOSE][bar];

    if (n->side < 0)
        n->cash += n->units * (o->borrow / o->year_bars) * close;
    double now = n->units * close + n->cash;
    n->out->equity[bar] = now;
    if (bar > 0 && n->out->equity[bar - 1] > 0) {
        double before = n->out->equity[bar - 1], r = (now - before) / before, loss = r < 0 ? r : 0;
        n->out->sum += r;
        n->out->squares += r * r;
        n->out->down += loss * loss;
    }
}

static void naive_end(struct naive *n, bool *inside)
{
    int last = (int)n->in->bars.count - 1;

    if (n->want_leave && n->side)
        n->out->pending |= 1u << (n->side > 0 ? SIM_SELL : SIM_COVER);
    if (n->want_side)
        n->out->pending |= 1u << (n->want_side > 0 ? SIM_BUY : SIM_SHORT);
    if (n->side) {
        double close = n->in->bars.column[BAR_CLOSE][last],
               borrowed = n->cash_after_entry - n->cash;
        struct trade t = {
            .entry_bar = (uint32_t)n->entry_bar,
            .exit_bar = (uint32_t)last,
            .entry_price = n->entry_price,
            .exit_price = close,
            .units = n->units,
            .fees = n->entry_fee + borrowed,
            .reason = REASON_END,
        };
        t.profit = n->units * (close - n->entry_price) - t.fees;
        naive_excursions(n, &t, true);
        n->out->fees += borrowed;
        n->out->trade[n->out->trades++] = t;
    }
    n->out->units = n->units;
    for (int i = 0; i < n->out->trades; i++)
        for (uint32_t b = n->out->trade[i].entry_bar; b <= n->out->trade[i].exit_bar; b++)
            inside[b] = true;
    for (int b = 0; b <= last; b++)
        n->out->exposed += inside[b];
}

__attribute__((unused)) static void naive_run(const struct naive_input *in,
                                              struct naive_output *out)
{
    const double *const *c = in->bars.column;
    struct naive n = {.in = in, .out = out, .cash = in->options->cash};
    bool inside[NAIVE_BARS_MAX] = {false};

    memset(out, 0, sizeof *out);
    for (int bar = 0; bar < (int)in->bars.count; bar++) {
        if (!n.dead && in->options->fill == FILL_OPEN) {
            if (bar > 0)
                naive_decide(&n, bar - 1);
            naive_fill(&n, bar, c[BAR_OPEN][bar], false);
        }
        if (!n.dead && n.side)
            naive_levels(&n, bar);
        if (!n.dead && in->options->fill == FILL_CLOSE) {
            if (n.side)
                naive_ruin(&n, bar);
            if (!n.dead) {
                naive_decide(&n, bar);
                naive_fill(&n, bar, c[BAR_CLOSE][bar], true);
            }
        }
        if (!n.dead)
            naive_ruin(&n, bar);
        naive_mark(&n, bar);
        bool before_close = in->options->fill == FILL_OPEN || bar > n.entry_bar;
        if (n.side && before_close)
            n.best = n.side > 0 ? fmax(n.best, c[BAR_HIGH][bar]) : fmin(n.best, c[BAR_LOW][bar]);
    }
    if (!n.dead && in->options->fill == FILL_OPEN)
        naive_decide(&n, (int)in->bars.count - 1);
    out->max_drawdown = naive_max_drawdown(out->equity, in->bars.count, in->options->cash);
    naive_end(&n, inside);
}

#endif
