/* The journal of a market: what its symbols are, and every batch since the last checkpoint.
 *
 *     head · stamp │ base: all symbols, and what undo brings back │ batch │ batch │ … end
 *
 * It alone says what is committed: a batch is one record, durable after one sync.  The records'
 * checks are chained, so what is left of older contents behind the end never counts.  The stamp
 * says up to where the column files hold the same in this boot; what lies behind it, or all where
 * the machine has started since, is laid over them from the records. */
#ifndef HARRIER_STORE_JOURNAL_H
#define HARRIER_STORE_JOURNAL_H

#include "store/column.h"
#include "store/format.h"

/* Limits: a checkpoint is due at the first two, a journal of more than the last is none. */
enum {
    JOURNAL_BYTES_USUAL = 2 << 20,
    JOURNAL_RECORDS_USUAL = 1024,
    JOURNAL_BYTES_MAX = 1 << 30,
    JOURNAL_ROWS_MAX = 1 << 22, /* symbols of a market */
};

/* The symbols after a batch, and what those that it changed were before. */
struct state {
    struct row *rows; /* in order of names */
    size_t row_count, row_capacity;
    struct row *undo; /* the same; number 0: was not there */
    size_t undo_count, undo_capacity;
    uint64_t number; /* of the last batch: no file has a higher one */
    int64_t time_ms;
    char who[WHO_BYTES_MAX];
};

void state_deinit(struct state *state);
enum status state_copy(struct state *copy, const struct state *state, struct error *err);

/* Sets rows (in order of names; number 0 removes one); on failure the state is as before. */
enum status state_apply(struct state *state, const struct row *rows, size_t row_count,
                        struct error *err);
const struct row *state_find(const struct state *state, const char *name);

struct journal {
    char *bytes; /* as they lie; records from HEADER_BYTES to `end` */
    size_t length, capacity, end;
    size_t record_count;
    uint64_t chain;
    size_t applied; /* the column files hold what stands before it */
    bool stamp_valid;
    struct state state;
};

enum journal_purpose {
    FOR_READING, /* up to the stamp of this boot */
    FOR_WRITING  /* up to the last whole record, and every checksum there is */
};

/* STATUS_MISSING where there is no journal. */
enum status journal_load(struct journal *journal, const struct place *place,
                         enum journal_purpose purpose, struct error *err);
void journal_deinit(struct journal *journal);

/* What a record says besides its rows. */
struct batch_mark {
    enum record_kind kind;
    uint64_t number;
    int64_t time_ms;
    char who[WHO_BYTES_MAX];
};

/* Puts a record behind the end in memory; journal_push then writes and syncs it, and it counts.
 * Rows are in order of names, and bars in order of the rows that have them journaled. */
enum status journal_add(struct journal *journal, const struct batch_mark *mark,
                        const struct row *rows, size_t row_count,
                        const struct disk_bar *const *bars, struct error *err);
enum status journal_push(struct journal *journal, struct env *env, struct env_file *file,
                         struct error *err);

/* Writes the stamp: the column files hold everything up to `end`. */
enum status journal_stamp(struct journal *journal, struct env *env, struct env_file *file,
                          const struct writer_mark *mark, struct error *err);

/* Puts a new journal in the old one's place, with the state as its base.  Every row that the old
 * one alone held must have been synced. */
enum status journal_renew(const struct place *place, const struct state *state,
                          const struct writer_mark *mark, struct error *err);

/* The rows of the state and its undo whose files a batch of the journal changed; mem_free(*rows).
 */
enum status journal_changed(const struct journal *journal, struct row **rows, size_t *count,
                            struct error *err);

/* The bars of one file that stand in the journal, oldest first.  Pieces follow each other. */
struct tail {
    const struct journal *journal;
    const struct row *row;
    size_t at;
};
struct tail_piece {
    uint64_t from, count; /* rows of the file */
    const struct disk_bar *bars;
};
struct tail tail_begin(const struct journal *journal, const struct row *row);
bool tail_next(struct tail *tail, struct tail_piece *piece);

#endif
