/* store: column files of bars, mapped read-only by all, written by one.
 *
 *     DATA/venue/1d/            a market
 *         BTCUSDT.bars          header with two commit slots, then six columns with room to grow
 *         journal               appended batches, until a checkpoint
 *         lock                  held by who writes, with its name
 *
 * The format is doc/store.md.  A reader opens a SNAPSHOT: one consistent view without locks.  A writer holds
 * the market's lock for one BATCH, which becomes visible and durable as a whole. */
#ifndef HARRIER_STORE_H
#define HARRIER_STORE_H

#include "model/model.h"
#include "sys/sys.h"

/* ---- reading ---------------------------------------------------------------------------------------- */

struct snapshot;

/* STATUS_MISSING with a sentence that lists the markets there are, if this one is not. */
enum status snapshot_open(struct snapshot **snapshot, struct env *env, const char *data_dir,
                          const struct market_name *market, struct error *err);
void snapshot_close(struct snapshot *snapshot); /* every view from it ends here */

/* Symbols in order of their names (bytes). */
size_t snapshot_symbol_count(const struct snapshot *snapshot);
const char *snapshot_symbol_name(const struct snapshot *snapshot, size_t symbol);
ptrdiff_t snapshot_symbol_find(const struct snapshot *snapshot, struct text name); /* -1 */

/* Bars of a symbol; maps its file at the first call (thread-safe).  A file that is corrupt fails here, and
 * the other symbols go on. */
enum status snapshot_bars(struct snapshot *snapshot, size_t symbol, struct bars *bars, struct error *err);

/* Hash of the symbol's committed bars, from the header: equal hashes, equal bars. */
enum status snapshot_hash(struct snapshot *snapshot, size_t symbol, struct hash128 *hash, struct error *err);

/* Markets of a data directory, in order; mem_free(*markets). */
enum status store_markets(struct env *env, const char *data_dir, struct market_name **markets,
                          size_t *count, struct error *err);

/* ---- writing ---------------------------------------------------------------------------------------- */

struct writer;

/* Takes the market's lock (makes the market where it is new), waiting up to 5 s: then STATUS_BUSY with the
 * name of who holds it.  `who` is what others are told: "harrier import". */
enum status writer_open(struct writer **writer, struct env *env, const char *data_dir,
                        const struct market_name *market, const char *who, struct error *err);

/* What a put found. */
struct put_result {
    size_t added, same, replaced, contradicted; /* rows */
    size_t first_contradicted;                  /* index in the rows put, where contradicted > 0 */
};

/* Merges rows (times strictly rising, sane) into a symbol, in the batch alone until writer_commit: new rows
 * anywhere in time, rows equal to stored ones counted, rows that contradict stored ones counted and left,
 * or replaced where `replace`.  Borrowed until the call returns. */
enum status writer_put(struct writer *writer, struct text symbol, const struct bars *rows, bool replace,
                       struct put_result *result, struct error *err);
enum status writer_remove(struct writer *writer, struct text symbol, struct error *err);
enum status writer_rename(struct writer *writer, struct text from, struct text to, struct error *err);

/* Makes the whole batch durable and visible: one journal sync for appended bars, whatever the number of
 * symbols; new or rewritten files are synced together.  After a failed sync the writer refuses all. */
enum status writer_commit(struct writer *writer, struct error *err);
void writer_close(struct writer *writer); /* what was not committed is dropped; gives the lock back */

/* Bars of a symbol as the batch sees them (put rows included). */
enum status writer_bars(struct writer *writer, struct text symbol, struct bars *bars, struct error *err);

/* Whole markets. */
enum status store_market_remove(struct env *env, const char *data_dir, const struct market_name *market,
                                struct error *err);
enum status store_market_rename(struct env *env, const char *data_dir, const struct market_name *from,
                                const struct market_name *to, struct error *err);

/* ---- checking --------------------------------------------------------------------------------------- */

struct verify_problem {
    char symbol[SYMBOL_BYTES_MAX];
    char text[512];
};

struct verify_report {
    size_t symbols, bars, bytes;
    struct verify_problem *problems; /* mem_free */
    size_t problem_count;
    size_t repaired;
};

/* Reads and hashes every committed byte of a market, checks order and sanity of every bar.  With `repair`:
 * takes the older slot where the newer is bad, replays the journal, sets what cannot be saved aside
 * (SYMBOL.bars.corrupt) and says so. */
enum status store_verify(struct env *env, const char *data_dir, const struct market_name *market,
                         bool repair, struct verify_report *report, struct error *err);
void verify_report_deinit(struct verify_report *report);

#endif
