/* plan: a rule over many parameter sets of one symbol at a time.
 *
 * A node of the graph is evaluated once for each TUPLE of the parameters that it depends on, and
 * its tuples lie side by side in groups of lanes:
 *
 *     rsi(close, period)       20 periods        2 groups
 *     crossunder(r, oversold)  × 10 thresholds   10 × 2 groups: lanes as in the RSI's groups, the
 *                                                threshold is a row, so nothing moves
 *     ledger                   1,000 sets        63 groups; takes word columns by their offsets
 *
 * Where the parameter sets of an op's inputs do not nest (`ema(fast) > ema(slow)`), one input is
 * spread over the lanes of the other.  Words are collected for some thousand bars, then each ledger
 * goes over them, so that a ledger stays in the cache. */
#ifndef HARRIER_SWEEP_PLAN_H
#define HARRIER_SWEEP_PLAN_H

#include "rule/program.h"
#include "sweep/sweep.h"

struct plan;

struct plan_setup {
    const struct grid *grid;
    const struct kernels *kernels;
    const uint64_t *combinations; /* [count], rising; borrowed until plan_new returns */
    size_t count;
    const struct sim_options *options;
    bool curves;   /* every metric, not those for ranking alone: one group of lanes at most */
    bool downside; /* Sortino's ratio beside those for ranking */
};

/* Everything lives in `arena`; STATUS_MEMORY where that is full. */
enum status plan_new(struct plan **plan, struct arena *arena, const struct plan_setup *setup,
                     struct error *err);

/* All combinations over one symbol: results[count].  `curves` is memory for plan_curves_bytes,
 * where the setup asked for curves.  False: cancelled on the way. */
struct plan_run {
    const struct batch_symbol *symbol;
    const struct bars *benchmark;
    size_t block_bars;
    const int *cancel;
    void *curves;
};
size_t plan_curves_bytes(const struct plan *plan, const struct batch_symbol *symbol);
bool plan_run(struct plan *plan, const struct plan_run *run, struct sim_result *results);

/* The parameters that the narrowest indicators of a rule depend on: combinations with equal values
 * of them share the most work. */
uint64_t plan_shared_parameters(const struct grid *grid);

/* A number for the values that a combination has for some parameters: equal where they are. */
uint64_t grid_tuple(const struct grid *grid, uint64_t combination, uint64_t parameters);

#endif
