/* sweep: one rule over a whole market (batch), or over a grid of parameters (sweep): plans, shares common
 * work, cuts it into shards that any number of threads may take, in any order, to the same bits. */
#ifndef HARRIER_SWEEP_H
#define HARRIER_SWEEP_H

#include "rule/program.h"
#include "sim/sim.h"
#include "sys/sys.h"

/* One symbol to trade: all its bars (those before `begin` only warm up), traded from `begin` to `end`. */
struct batch_symbol {
    const char *name;
    struct bars bars;
    size_t begin, end;
};

/* What a result points to is its own until batch_results_deinit. */
struct batch_result {
    enum status status;        /* STATUS_OK, or why this symbol failed; the others go on */
    char *problem;             /* sentence; NULL if ok */
    char *note;                /* "fewer bars (10) than the look-back (14): …"; NULL if none */
    struct sim_result sim;
    struct trade *trades;      /* where wanted; bars are indices into the symbol's bars */
    size_t trade_count;
    double *equity;            /* where wanted: end - begin values */
};

enum batch_want {
    WANT_RANKING = 0,
    WANT_ALL_METRICS = 1, WANT_QUANTILES = 2, WANT_TRADES = 4, WANT_EQUITY = 8
};

struct batch {
    const struct rule *rule;
    const double *parameters;           /* [rule->parameter_count] */
    struct sim_options options;
    const struct batch_symbol *symbols;
    size_t symbol_count;
    unsigned want;
    int jobs;                           /* threads, ≥ 1; 1: sequential, in the calling thread */
    const char *isa;                    /* NULL: the best */
    const struct bars *benchmark;       /* NULL: each symbol's own closes */
    size_t block_bars;                  /* 0: BLOCK_BARS; tests take others */
    int lanes;                          /* 0: chosen by the number of symbols */
    const int *cancel;                  /* read with atomic loads; non-zero: stop soon.  NULL: never */
    void (*progress)(void *context, size_t symbols_done); /* from any thread; NULL */
    void *progress_context;
    struct env *env;
};

/* results[symbol_count] in the order of the symbols.  STATUS_INTERRUPTED after a cancel: symbols that were
 * not reached have that status, the others are whole. */
enum status batch_run(const struct batch *batch, struct batch_result *results, struct error *err);
void batch_results_deinit(struct batch_result *results, size_t count);

/* The same for who runs many batches: threads and memory stay from one to the next.  `jobs` of the batches
 * is not looked at.  One batch at a time. */
struct batch_runner;
enum status batch_runner_new(struct batch_runner **runner, struct env *env, int jobs, struct error *err);
void batch_runner_free(struct batch_runner *runner);
enum status batch_runner_run(struct batch_runner *runner, const struct batch *batch,
                             struct batch_result *results, struct error *err);

#endif
