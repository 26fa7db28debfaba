/* result: kept runs.  One SQLite database, DATA/results.db, holds each run with its rule's text,
 * parameters, options, the hash of its bars, its row for every symbol, its trades and its equity
 * curves.
 *
 * A run is found again by its KEY: a hash of everything that its result depends on (rule,
 * parameters, options, symbols and the hashes of their bars, engine version).  So the same question
 * is answered from here, and a change of anything asks the engine.
 *
 * SQLite opens, writes and syncs this file itself, outside the seam of sys.h: the simulated disks
 * and power cuts that the store is tested with do not reach it.  What stands for them is SQLite's
 * own care (write-ahead log, synchronous = FULL: a run that results_save has acknowledged is there
 * after a power cut) and tests that fail its writes, syncs and allocations one by one.  Nothing in
 * it is needed to answer: where it is lost, runs are computed and kept anew. */
#ifndef HARRIER_RESULT_H
#define HARRIER_RESULT_H

#include "model/model.h"
#include "sim/sim.h"
#include "sys/sys.h"

struct results; /* the open database */

enum { SPARKLINE_BYTES = 48, SPARKLINE_POINTS = 10 };

struct run_symbol {
    const char *symbol;
    bool ok;
    const char *error, *note; /* NULL if none */
    int64_t bars, from_ms, to_ms;
    struct sim_result sim;
    char sparkline[SPARKLINE_BYTES];
    const struct trade *trades; /* of result_save; a loaded run's come through results_trades */
    size_t trade_count;
    const double *equity;      /* `bars` values; NULL: not kept */
    const int64_t *time;       /* `bars` open times of the equity */
    const int64_t *trade_time; /* open times that the bars of a trade are indices into */
};

struct run {
    int64_t id, created_ms;
    const char *engine, *rule, *rule_source, *rule_hash, *parameters,
        *parameters_hash;                     /* parameters: JSON */
    const char *market, *options, *bars_hash; /* options: JSON */
    const char *headline, *fills;             /* the same as sentences: "rsi (period 14) on …" */
    char key[HASH128_TEXT_BYTES];
    double calculation_ms, total_ms;
    int64_t symbol_count, successful, failed, bars;
    double market_return; /* percent, the whole market held in equal parts */
};

/* STATUS_MISSING where nothing was ever kept and `write` is not set; STATUS_NEWER where a newer
 * harrier wrote it.  What an older one wrote is brought up to date, by reading too. */
enum status results_open(struct results **results, const char *data_dir, bool write,
                         struct error *err);
void results_close(struct results *results);

/* Writes a run in one transaction; run->id is set (0 on failure).  Where the key is kept already,
 * the run keeps its id and rows, which are the same by the key's meaning; curves are added if it
 * has none. */
enum status results_save(struct results *results, struct run *run, const struct run_symbol *symbols,
                         size_t symbol_count, struct error *err);

/* Loads a run by id, or by key where id is 0: STATUS_MISSING if there is none.  Everything lives in
 * `arena`. */
enum status results_load(struct results *results, struct arena *arena, int64_t id, const char *key,
                         struct run *run, struct run_symbol **symbols, size_t *symbol_count,
                         struct error *err);

/* Runs, newest first; at most `limit`. */
enum status results_list(struct results *results, struct arena *arena, size_t limit,
                         struct run **runs, size_t *count, struct error *err);

/* A trade as it was kept. */
struct kept_trade {
    const char *symbol;
    int64_t entry_ms, exit_ms;
    struct trade trade;
};
enum status results_trades(struct results *results, struct arena *arena, int64_t id,
                           struct kept_trade **trades, size_t *count, struct error *err);

/* Equity of one symbol of a run (its index in results_load's array): values at the closes and their
 * open times.  STATUS_MISSING where none was kept. */
enum status results_equity(struct results *results, struct arena *arena, int64_t id,
                           size_t position, double **equity, int64_t **time, size_t *count,
                           struct error *err);

/* Copies all kept runs, as they are at one moment, into a data directory that has none; *count of
 * them. */
enum status results_copy(struct results *results, const char *to_dir, int64_t *count,
                         struct error *err);

enum status results_remove(struct results *results, int64_t id, struct error *err);

#endif
