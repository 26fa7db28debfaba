/* sweep: one rule over a whole market (batch), or over a grid of parameters (sweep): plans, shares
 * common work, cuts it into shards that any number of threads may take, in any order, to the same
 * bits.
 *
 *     batch   lanes are symbols           one parameter set      a result a symbol
 *     sweep   lanes are parameter sets    one symbol at a time   a result a parameter set */
#ifndef HARRIER_SWEEP_H
#define HARRIER_SWEEP_H

#include "rule/program.h"
#include "sim/sim.h"
#include "sys/sys.h"

/* One symbol to trade: all its bars (those before `begin` only warm up), traded from `begin` to
 * `end`. */
struct batch_symbol {
    const char *name;
    struct bars bars;
    size_t begin, end;
};

/* What a result points to is its own until batch_results_deinit. */
struct batch_result {
    enum status status; /* STATUS_OK, or why this symbol failed; the others go on */
    char *problem;      /* sentence; NULL if ok */
    char *note;         /* "fewer bars (10) than the look-back (14): …"; NULL if none */
    struct sim_result sim;
    struct trade *trades; /* where wanted; bars are indices into the symbol's bars */
    size_t trade_count;
    double *equity; /* where wanted: end - begin values */
};

enum batch_want {
    WANT_RANKING = 0,
    WANT_ALL_METRICS = 1,
    WANT_QUANTILES = 2,
    WANT_TRADES = 4,
    WANT_EQUITY = 8,
    WANT_SORTINO = 16 /* beside the ranking metrics: one more sum a bar; part of all metrics */
};

struct batch {
    const struct rule *rule;
    const double *parameters; /* [rule->parameter_count] */
    struct sim_options options;
    const struct batch_symbol *symbols;
    size_t symbol_count;
    unsigned want;
    int jobs;                     /* threads, ≥ 1; 1: sequential, in the calling thread */
    const char *isa;              /* NULL: the best */
    const struct bars *benchmark; /* NULL: each symbol's own closes */
    size_t block_bars;            /* 0: BLOCK_BARS; tests take others */
    int lanes;                    /* 0: chosen by the number of symbols */
    void (*progress)(void *context, size_t symbols_done); /* from any thread; NULL */
    void *progress_context;
    struct env *env;
};

/* results[symbol_count] in the order of the symbols.  STATUS_INTERRUPTED where the env is stopped:
 * symbols that were not reached have that status, the others are whole. */
enum status batch_run(const struct batch *batch, struct batch_result *results, struct error *err);
void batch_results_deinit(struct batch_result *results, size_t count);

/* The same for who runs many batches: threads and memory stay from one to the next.  `jobs` of the
 * batches is not looked at.  One batch at a time. */
struct batch_runner;
enum status batch_runner_new(struct batch_runner **runner, struct env *env, int jobs,
                             struct error *err);
void batch_runner_free(struct batch_runner *runner);
enum status batch_runner_run(struct batch_runner *runner, const struct batch *batch,
                             struct batch_result *results, struct error *err);

/* ---- grids: parameter sets that are counted, never stored ----------------------------------- */

enum { GRID_AXIS_VALUES_MAX = 65536 }; /* of one parameter */

struct grid_axis {
    int parameter;
    size_t count;
    const double *values;
};

/* Combination n of the grid: the axes are the digits of n, in the order of the rule's parameters,
 * the last one turning fastest. */
struct grid {
    const struct rule *rule;
    double fixed[RULE_PARAMETERS_MAX];          /* of parameters without an axis */
    struct grid_axis axes[RULE_PARAMETERS_MAX]; /* [parameter]; count 0: none */
    uint64_t combinations;                      /* 1 … RULE_GRID_MAX */
};

/* No axis yet, one combination: `values` (one a parameter). */
void grid_init(struct grid *grid, const struct rule *rule, const double *values);

/* An axis as users write it: `period=5..24`, `oversold=15..40:2.5`, `stop={4%, 8%}`.  Without a
 * step: the rule's own, or 1 for whole numbers.  Values live in `arena`. */
enum status grid_add(struct grid *grid, struct arena *arena, struct text source, struct error *err);

/* The rule's own ranges, for every parameter that has one and is not `set` (NULL: none is). */
enum status grid_add_ranges(struct grid *grid, struct arena *arena, const bool *set,
                            struct error *err);

void grid_values(const struct grid *grid, uint64_t combination, double values[RULE_PARAMETERS_MAX]);

/* ---- sweep ---------------------------------------------------------------------------------- */

enum { SWEEP_KEEP_MAX = 10000 };

/* What one parameter set came to.  With several symbols every metric is the mean over the symbols
 * for which it is defined; the order of addition is that of the symbols, whatever the threads. */
struct sweep_row {
    uint64_t combination;
    size_t symbols;              /* for which the metric ranked by is defined */
    double metric[METRIC_COUNT]; /* NaN: defined for none, or not computed */
};

struct sweep {
    const struct grid *grid;
    uint64_t random, seed; /* random 0: all; else that many different ones, drawn by the seed */
    struct sim_options options;
    const struct batch_symbol *symbols; /* those without bars in begin…end count as failed */
    size_t symbol_count;
    enum metric rank; /* one that is not `ranking` makes every metric be computed, and costs that */
    size_t keep;      /* 1 … SWEEP_KEEP_MAX */
    int jobs;
    const char *isa;
    const struct bars *benchmark;
    size_t block_bars; /* 0: BLOCK_BARS */
    size_t wave;       /* combinations at work at a time, 0: chosen; tests take others */

    /* The whole surface, on request: rows in the order in which they are done (by number, or as
     * drawn), from the calling thread; another status than STATUS_OK ends the sweep with it. */
    enum status (*surface)(void *context, const struct sweep_row *rows, size_t count,
                           struct error *err);
    void *surface_context;
    void (*progress)(void *context, uint64_t done,
                     uint64_t all); /* combinations; from the calling thread */
    void *progress_context;
    struct env *env;
};

struct sweep_result {
    struct sweep_row *best; /* best first; equals by their number */
    size_t best_count;
    uint64_t evaluated, skipped; /* skipped: they break a `require` */
    size_t failed;               /* symbols */
};

/* STATUS_INTERRUPTED where the env is stopped: what was done until then is in the result. */
enum status sweep_run(const struct sweep *sweep, struct sweep_result *result, struct error *err);
void sweep_result_deinit(struct sweep_result *result);

/* Whether row a stands before row b in a ranking by a metric. */
bool sweep_row_before(const struct sweep_row *a, const struct sweep_row *b, enum metric rank);

#endif
