/* plan: a rule over many parameter sets of one symbol at a time.
 *
 *     rsi(close, period)       20 periods        2 groups of lanes
 *     crossunder(r, oversold)  × 10 thresholds   10 × 2 groups: lanes as in the RSI's groups, the
 *                                                threshold is a row, so nothing moves
 *     ledger                   1,000 sets        63 groups; takes word columns by their offsets
 *
 * Where the parameter sets of an op's inputs do not nest (`ema(fast) > ema(slow)`), one input is
 * spread over the lanes of the other.
 *
 * Words are collected for a SPAN of some thousand bars, then each ledger goes over them, so that a
 * ledger stays in the cache.  A PASS is one symbol's way through the plan; any number of threads
 * take its tasks, spans and ledgers, from one counter. */
#ifndef HARRIER_SWEEP_PLAN_H
#define HARRIER_SWEEP_PLAN_H

#include <stdatomic.h>

#include "sweep/lanes.h"

enum { PLAN_STORES = 2 }; /* spans in memory: one that ledgers go over, one that is evaluated */

/* What a ledger's level is: the same on every bar, lanes of one kept register, lanes of several. */
enum source { SOURCE_NONE, SOURCE_ROW, SOURCE_KEPT, SOURCE_GATHERED };
struct level {
    enum source source;
    const double *row;
    size_t at;             /* SOURCE_KEPT: bytes from the begin of a block's kept area */
    const size_t *lane_at; /* SOURCE_GATHERED: the same, a lane */
};

/* The accounts of up to 16 combinations. */
struct account_group {
    struct ledger *ledger;
    size_t used; /* lanes with an account */
    struct ledger_lane lanes[LANES_MAX];
    uint32_t signal[SIGNALS][LANES_MAX]; /* bytes from the begin of a block's kept area */
    struct level level[LEVELS];
    atomic_size_t done; /* spans */
};

struct plan_setup {
    const struct grid *grid;
    const struct kernels *kernels;
    const uint64_t *combinations; /* [count]; borrowed until plan_new returns */
    size_t count;
    const struct sim_options *options;
    bool curves;   /* every metric, not those for ranking alone: one group of lanes at most */
    bool downside; /* Sortino's ratio beside those for ranking */
};

struct plan {
    struct plan_setup setup;
    const struct rule *rule;
    size_t count, lanes;
    struct sim_plan sim;
    struct program program;
    size_t kept_bytes, span_blocks;
    unsigned char *store[PLAN_STORES]; /* [span_blocks][kept_bytes] */
    struct account_group *accounts;
    size_t account_count;
    void *edge;
};

/* Everything lives in `arena`; STATUS_MEMORY where that is full. */
enum status plan_new(struct plan **plan, struct arena *arena, const struct plan_setup *setup,
                     struct error *err);

struct pass {
    struct plan *plan;
    const struct batch_symbol *symbol;
    const struct bars *benchmark;
    size_t block_bars;
    const struct env *env;
    void *curves;               /* plan_curves_bytes, where the plan has curves */
    struct sim_result *results; /* out: [plan->count] */

    struct lanes lanes; /* the rest is the pass's own */
    size_t history_spans, span_count, task_count;
    atomic_size_t next, evaluated;
    atomic_bool stop;
};

size_t plan_curves_bytes(const struct plan *plan, const struct batch_symbol *symbol);

/* One thread begins, any number work until nothing is left, one ends.  False: cancelled. */
void pass_begin(struct pass *pass);
void pass_work(struct pass *pass);
bool pass_end(struct pass *pass);

#endif
