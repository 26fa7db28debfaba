/* One symbol's way through a plan.  Tasks are numbered so that each depends on earlier ones alone:
 *
 *     evaluate span 0 |
 *     ledgers 0…h of span 0, evaluate span 1, ledgers h… of span 0 |
 *     ledgers 0…h of span 1, evaluate span 2, … |
 *     end of ledger 0, 1, …
 *
 * Whoever takes a task that has to wait for another waits for a thread that is at work on it.  It
 * hardly ever happens: a ledger's next task is a whole round of ledgers later. */
#include <sched.h>
#include <string.h>

#include "rule/program_bind.h"
#include "sweep/plan.h"

size_t plan_curves_bytes(const struct plan *plan, const struct batch_symbol *symbol)
{
    size_t bars = symbol->end - symbol->begin;

    return (bars * plan->lanes * sizeof(double) + 63) / 64 * 64 + metrics_scratch_bytes(bars);
}

/* ---- spans ---------------------------------------------------------------------------------- */

/* Bars of the symbol; spans do not reach over the begin of the accounts. */
struct span {
    size_t begin, end;
};

static struct span span_at(const struct pass *pass, size_t number)
{
    const struct batch_symbol *symbol = pass->symbol;
    size_t bars = pass->plan->span_blocks * pass->block_bars;

    if (number < pass->history_spans)
        return (struct span){number * bars, MIN((number + 1) * bars, symbol->begin)};
    number -= pass->history_spans;
    return (struct span){symbol->begin + number * bars,
                         MIN(symbol->begin + (number + 1) * bars, symbol->end)};
}

/* Words and levels of a span's blocks, side by side in its store. */
static void evaluate(struct pass *pass, size_t number)
{
    struct plan *plan = pass->plan;
    struct program *program = &plan->program;
    struct span span = span_at(pass, number);
    unsigned char *kept = plan->store[number % PLAN_STORES];

    for (size_t bar = span.begin, bars; bar < span.end; bar += bars, kept += plan->kept_bytes) {
        bars = MIN(pass->block_bars, span.end - bar);
        program_keep_at(program, kept);
        for (int c = 0; c < RULE_COLUMNS; c++)
            if (program->column[c])
                lanes_column(&pass->lanes, plan->setup.kernels, (enum rule_column)c, bar, bars,
                             program->column[c]);
        program_block(program, bars);
    }
}

/* ---- ledgers -------------------------------------------------------------------------------- */

static struct operand level_operand(const struct level *level, size_t lanes, double *gathered,
                                    const unsigned char *kept, size_t bars)
{
    if (level->source == SOURCE_ROW)
        return (struct operand){level->row, 0};
    if (level->source == SOURCE_KEPT)
        return (struct operand){(const double *)(kept + level->at), lanes};
    for (size_t l = 0; l < lanes; l++) {
        const double *from = (const double *)(kept + level->lane_at[l]);
        for (size_t t = 0; t < bars; t++)
            gathered[t * lanes + l] = from[t * lanes];
    }
    return (struct operand){gathered, lanes};
}

/* One group of accounts over the blocks of a span. */
static void trade(const struct pass *pass, const struct account_group *accounts, size_t number)
{
    _Alignas(64) double gathered[LEVELS][BLOCK_BARS * LANES_MAX];
    const struct plan *plan = pass->plan;
    const struct batch_symbol *symbol = pass->symbol;
    const unsigned char *kept = plan->store[number % PLAN_STORES];
    struct span span = span_at(pass, number);
    struct ledger_block block = {.shared = true};

    for (size_t bar = span.begin; bar < span.end; bar += block.bar_count) {
        block.bar_count = MIN(pass->block_bars, span.end - bar);
        for (int c = 0; c < BAR_COLUMNS; c++)
            block.price[c] = symbol->bars.column[c] + bar;
        for (int s = 0; s < SIGNALS; s++)
            for (size_t l = 0; l < accounts->used && plan->sim.has[s]; l++)
                block.signal[s][l] = *(const uint64_t *)(kept + accounts->signal[s][l]);
        for (int l = 0; l < LEVELS; l++)
            if (accounts->level[l].source != SOURCE_NONE)
                block.level[l] = level_operand(&accounts->level[l], plan->lanes, gathered[l], kept,
                                               block.bar_count);
        if (plan->setup.curves)
            block.equity = (double *)pass->curves + (bar - symbol->begin) * plan->lanes;
        ledger_run(accounts->ledger, &block);
        kept += plan->kept_bytes;
    }
}

static void end_accounts(const struct pass *pass, size_t group)
{
    const struct plan *plan = pass->plan;
    struct sim_result *results = pass->results + group * plan->lanes;

    for (size_t l = 0; l < plan->accounts[group].used; l++)
        ledger_end(plan->accounts[group].ledger, (int)l, &results[l]);
}

/* ---- tasks ---------------------------------------------------------------------------------- */

static bool cancelled(struct pass *pass)
{
    if (env_is_stopped(pass->env))
        atomic_store(&pass->stop, true);
    return atomic_load_explicit(&pass->stop, memory_order_relaxed);
}

/* False: cancelled on the way. */
static bool wait_for(struct pass *pass, atomic_size_t *count, size_t least)
{
    while (atomic_load_explicit(count, memory_order_acquire) < least) {
        if (cancelled(pass))
            return false;
        sched_yield();
    }
    return true;
}

/* After the span before, and after all ledgers have left the span whose store this one takes. */
static bool task_evaluate(struct pass *pass, size_t number)
{
    struct plan *plan = pass->plan;

    if (number >= pass->span_count)
        return true;
    if (!wait_for(pass, &pass->evaluated, number))
        return false;
    for (size_t g = 0; g < plan->account_count && number >= PLAN_STORES; g++)
        if (!wait_for(pass, &plan->accounts[g].done, number - PLAN_STORES + 1))
            return false;
    evaluate(pass, number);
    atomic_store_explicit(&pass->evaluated, number + 1, memory_order_release);
    return true;
}

static bool task_trade(struct pass *pass, size_t number, size_t group)
{
    struct account_group *accounts = &pass->plan->accounts[group];

    if (!wait_for(pass, &accounts->done, number))
        return false;
    if (number == pass->span_count) {
        end_accounts(pass, group);
        return true;
    }
    if (!wait_for(pass, &pass->evaluated, number + 1))
        return false;
    if (number >= pass->history_spans)
        trade(pass, accounts, number);
    atomic_store_explicit(&accounts->done, number + 1, memory_order_release);
    return true;
}

static bool run_task(struct pass *pass, size_t task)
{
    size_t groups = pass->plan->account_count, half = groups / 2;
    size_t number = (task - 1) / (groups + 1), place = (task - 1) % (groups + 1);

    if (task == 0)
        return task_evaluate(pass, 0);
    if (place == half)
        return task_evaluate(pass, number + 1);
    return task_trade(pass, number, place < half ? place : place - 1);
}

void pass_work(struct pass *pass)
{
    size_t task;

    while ((task = atomic_fetch_add(&pass->next, 1)) < pass->task_count)
        if (cancelled(pass) || !run_task(pass, task))
            return;
}

/* ---- begin and end -------------------------------------------------------------------------- */

static void start_accounts(const struct pass *pass)
{
    const struct plan *plan = pass->plan;
    const struct batch_symbol *symbol = pass->symbol;
    const struct bars own = bars_slice(&symbol->bars, symbol->begin, symbol->end);

    for (size_t g = 0; g < plan->account_count; g++) {
        struct account_group *accounts = &plan->accounts[g];
        struct ledger_setup setup = {.kernels = plan->setup.kernels,
                                     .options = plan->setup.options,
                                     .plan = &plan->sim,
                                     .lanes = accounts->lanes,
                                     .durations = plan->setup.curves,
                                     .downside = plan->setup.curves || plan->setup.downside};

        for (size_t l = 0; l < plan->lanes; l++)
            accounts->lanes[l].bars = l < accounts->used ? own : (struct bars){0};
        atomic_store(&accounts->done, 0);
        ledger_start(accounts->ledger, &setup);
    }
}

void pass_begin(struct pass *pass)
{
    struct plan *plan = pass->plan;
    const struct batch_symbol *symbol = pass->symbol;
    size_t bars = plan->span_blocks * pass->block_bars;

    lanes_init(&pass->lanes, symbol, &(uint32_t){0}, 1, (int)plan->lanes, plan->edge);
    pass->history_spans = (symbol->begin + bars - 1) / bars;
    pass->span_count = pass->history_spans + (symbol->end - symbol->begin + bars - 1) / bars;
    pass->task_count = 1 + (pass->span_count + 1) * (plan->account_count + 1);
    atomic_store(&pass->next, 0);
    atomic_store(&pass->evaluated, 0);
    atomic_store(&pass->stop, false);
    program_start(&plan->program);
    start_accounts(pass);
}

bool pass_end(struct pass *pass)
{
    const struct plan *plan = pass->plan;

    if (atomic_load(&pass->stop))
        return false;
    if (!plan->setup.curves)
        return true;

    size_t bars = pass->symbol->end - pass->symbol->begin;
    struct metrics_curves curves = {.lanes = (int)plan->lanes,
                                    .equity = pass->curves,
                                    .lane = plan->accounts[0].lanes,
                                    .benchmark = pass->benchmark,
                                    .quantiles = true};
    struct sim_result results[LANES_MAX];
    size_t equity_bytes = (bars * plan->lanes * sizeof(double) + 63) / 64 * 64;

    memcpy(results, pass->results, plan->count * sizeof *results);
    metrics_from_curves(&curves, plan->setup.kernels, plan->setup.options,
                        (unsigned char *)pass->curves + equity_bytes, results);
    memcpy(pass->results, results, plan->count * sizeof *results);
    return true;
}
