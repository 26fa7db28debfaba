/* store: column files of bars, mapped read-only by all, written by one.
 *
 *     DATA/venue/1d/            a market
 *         BTCUSDT.17.bars       header with two commit slots, then six columns with room to grow
 *         journal               what the symbols are, and every batch since the last checkpoint
 *         lock                  held by who writes, with its name
 *
 * The format is doc/store-format.md.  A reader opens a SNAPSHOT: one consistent view without locks,
 * by reading the journal alone; files are mapped when they are asked for.  A writer holds the
 * market's lock for one BATCH, which becomes durable and visible as a whole. */
#ifndef HARRIER_STORE_H
#define HARRIER_STORE_H

#include "model/model.h"
#include "sys/sys.h"

/* ---- reading --------------------------------------------------------------------------------- */

struct snapshot;

/* STATUS_MISSING with a sentence that lists the markets there are, if this one is not. */
enum status snapshot_open(struct snapshot **snapshot, struct env *env, const char *data_dir,
                          const struct market_name *market, struct error *err);
void snapshot_close(struct snapshot *snapshot); /* every view from it ends here */

/* Symbols in order of their names (bytes). */
size_t snapshot_symbol_count(const struct snapshot *snapshot);
const char *snapshot_symbol_name(const struct snapshot *snapshot, size_t symbol);
ptrdiff_t snapshot_symbol_find(const struct snapshot *snapshot, struct text name); /* -1 */

/* What is known of a symbol without touching its file; equal hashes, equal bars.  Borrowed. */
struct symbol_info {
    size_t bar_count; /* at least 1 */
    int64_t first_ms, last_ms;
    struct hash128 hash;
};
struct symbol_info snapshot_symbol_info(const struct snapshot *snapshot, size_t symbol);

/* Rises with every batch: a market whose number is the same has not changed. */
uint64_t snapshot_number(const struct snapshot *snapshot);

/* Bars of a symbol; maps its file at the first call (thread-safe).  A file that is corrupt fails
 * here, and the other symbols go on.  Checked are its header, its length and the times of its first
 * and last bar; what stands between is checked by snapshot_check alone.  STATUS_BUSY where the
 * symbol was written anew twice since the snapshot was opened and its file is gone: open another
 * one.  A snapshot that is to be looked at for long is asked for all its symbols at once. */
enum status snapshot_bars(struct snapshot *snapshot, size_t symbol, struct bars *bars,
                          struct error *err);

/* Asked when the bars were used and before what was made of them is shown or kept: STATUS_CORRUPT
 * where another program has cut a file while it was mapped here, so that bars may have been read as
 * zeros (maps_outlive_cuts). */
enum status snapshot_whole(const struct snapshot *snapshot, struct error *err);

/* Reads every bar of a symbol: STATUS_CORRUPT where they are not what was committed. */
enum status snapshot_check(struct snapshot *snapshot, size_t symbol, struct error *err);

/* Markets of a data directory, in order; mem_free(*markets). */
enum status store_markets(struct env *env, const char *data_dir, struct market_name **markets,
                          size_t *count, struct error *err);

/* ---- writing --------------------------------------------------------------------------------- */

struct writer;

/* Takes the market's lock (makes the market where it is new), waiting up to 5 s: then STATUS_BUSY
 * with the name of who holds it.  `who` is what others are told: "harrier import". */
enum status writer_open(struct writer **writer, struct env *env, const char *data_dir,
                        const struct market_name *market, const char *who, struct error *err);

/* What a put found. */
struct put_result {
    size_t added, same, replaced, contradicted; /* rows */
    size_t first_contradicted;                  /* index in the rows put, where contradicted > 0 */
};

/* Merges rows (times strictly rising, sane) into a symbol, in the batch alone until writer_commit:
 * new rows anywhere in time, rows equal to stored ones counted, rows that contradict stored ones
 * counted and left, or replaced where `replace`.  Borrowed until the call returns. */
enum status writer_put(struct writer *writer, struct text symbol, const struct bars *rows,
                       bool replace, struct put_result *result, struct error *err);
enum status writer_remove(struct writer *writer, struct text symbol, struct error *err);
enum status writer_rename(struct writer *writer, struct text from, struct text to,
                          struct error *err);

/* Makes the whole batch durable and visible: one journal sync for appended bars, whatever the
 * number of symbols; new or rewritten files are synced together.  After a failed sync the writer
 * refuses all. */
enum status writer_commit(struct writer *writer, struct error *err);
/* Writes what the journal alone holds into the column files, syncs them (by a few threads) and
 * begins a new journal.  writer_close does it when the journal has grown; nobody needs to call it.
 */
enum status writer_checkpoint(struct writer *writer, struct error *err);
void writer_close(
    struct writer *writer); /* what was not committed is dropped; gives the lock back */

/* Bars of a symbol as the batch sees them (put rows included); STATUS_MISSING where it has none.
 * Borrowed until the symbol is put to or removed, the batch is committed, or the writer closed. */
enum status writer_bars(struct writer *writer, struct text symbol, struct bars *bars,
                        struct error *err);

/* Takes the last batch back: the market is as it was before it.  Only the last one can be; taken
 * back once more, it is there again.  STATUS_MISSING where there is none. */
struct undo_report {
    char who[48];                      /* wrote the batch */
    int64_t time_ms;                   /* when it was committed */
    size_t removed, restored, changed; /* symbols */
};
enum status store_undo(struct env *env, const char *data_dir, const struct market_name *market,
                       const char *who, struct undo_report *report, struct error *err);

/* Whole markets.  A market keeps its timeframe: STATUS_USAGE otherwise. */
enum status store_market_remove(struct env *env, const char *data_dir,
                                const struct market_name *market, struct error *err);
enum status store_market_rename(struct env *env, const char *data_dir,
                                const struct market_name *from, const struct market_name *to,
                                struct error *err);

/* ---- checking -------------------------------------------------------------------------------- */

struct verify_problem {
    char symbol[SYMBOL_BYTES_MAX];
    char text[512];
};

struct verify_report {
    size_t symbols, bars, bytes;
    struct verify_problem
        *problems; /* symbol "": the market; after a repair, what became of each stands here */
    size_t problem_count, problem_capacity;
    size_t repaired; /* of them, how many are there no more */
};

/* Reads and hashes every committed byte of a market, checks order and sanity of every bar.
 * STATUS_OK with `problem_count` where it is damaged.  With `repair`: replays the journal, takes
 * the older slot where the newer is bad, then the file before the last batch, sets what cannot be
 * saved aside (SYMBOL.17.bars.corrupt) and says what it did; a journal that cannot be read is made
 * anew from the files. After a repair nothing is left for store_undo. */
enum status store_verify(struct env *env, const char *data_dir, const struct market_name *market,
                         bool repair, struct verify_report *report, struct error *err);
void verify_report_deinit(struct verify_report *report);

/* Copies a market as one snapshot shows it, whoever writes meanwhile, into a data directory that
 * has none of this name; then reads the copy back and compares.  Bars are copied, and not what
 * store_undo would bring back.  A symbol that is damaged is left out and is a problem of the
 * report, which else says what the copy holds.  On failure the report is empty. */
enum status store_copy(struct env *env, const char *data_dir, const struct market_name *market,
                       const char *to_dir, struct verify_report *report, struct error *err);

#endif
