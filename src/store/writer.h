/* A batch in the making: what changes, before the journal says so. */
#ifndef HARRIER_STORE_WRITER_H
#define HARRIER_STORE_WRITER_H

#include "store/crew.h"
#include "store/journal.h"
#include "store/lock.h"

enum {
    /* Up to so many new bars of a symbol stand in the batch's record, and their file is synced
     * later; more are synced in their file at once. */
    JOURNALED_BARS_MAX = 256,
    JOURNALED_BYTES_MAX = 16 << 20, /* of a batch */

    /* From so many files on the whole file system is synced at once: 500 files of 90 KB take 60 ms
     * then, on a busy disk 80; by 16 threads 75 and 350, one after the other 230 and 2,700. */
    SYNC_ALL_FILES = 64,
};

struct change {
    struct row row;        /* as the batch leaves it; number 0: removed */
    bool made;             /* its file was made in this batch */
    bool unsynced;         /* its file must be synced before the record is */
    uint64_t from;         /* where not: rows of the file before it */
    struct disk_bar *bars; /* row.journaled of them */
    size_t bar_capacity;
    struct column_view view; /* for writer_bars */
};

struct writer {
    struct env *env;
    struct place place;
    char who[WHO_BYTES_MAX];
    struct env_file *lock;
    struct writer_mark mark;
    struct journal journal;
    bool failed; /* after a sync that failed, or when the journal may not say what memory says */
    uint64_t number;         /* the highest given to a file or a batch */
    struct change **changes; /* in order of names */
    size_t change_count, change_capacity;
    size_t journaled_bytes;
    bool made_files;
    struct row *garbage; /* files made in this batch and given up again */
    size_t garbage_count, garbage_capacity;
};

enum status writer_check(const struct writer *writer,
                         struct error *err); /* refuses after a failure */

/* The change of a symbol, or NULL; a new one begins as the state has it (number 0 where it does
 * not). */
struct change *change_find(const struct writer *writer, const char *name);
enum status change_add(struct writer *writer, struct change **change, const char *name,
                       struct error *err);

/* The row of a symbol as the batch sees it; NULL where it is not there. */
const struct row *writer_row(const struct writer *writer, const char *name);

/* The status of what was made of a map; but where the map's file was cut meanwhile STATUS_CORRUPT,
 * and the writer refuses all: nothing of the batch can be trusted then. */
enum status writer_trust(struct writer *writer, const struct column_view *view, const char *name,
                         enum status status, struct error *err);

/* Whether the state or its undo needs this file. */
bool writer_refers_to(const struct writer *writer, const struct row *file);
void writer_remove_file(struct writer *writer, const char *name, uint64_t number);

/* Calls for each row, a file of it, that is then durable: by a crew, or all at once. */
enum status writer_sync_rows(struct writer *writer, const struct row *rows, size_t count,
                             enum status (*write)(struct writer *writer, const struct row *row,
                                                  struct error *err),
                             struct error *err);

/* Writes and syncs what the journal holds of these files.  And begins a new journal with `next`. */
enum status writer_settle(struct writer *writer, const struct row *rows, size_t count,
                          struct error *err);
enum status writer_renew(struct writer *writer, const struct state *next, struct error *err);

/* Makes certain of what the stamp does not vouch for (settle.c). */
enum status writer_recover(struct writer *writer, struct error *err);

/* Drops the whole batch, and removes the files it made. */
void batch_drop(struct writer *writer);

/* Makes the batch a record of this kind. */
enum status batch_commit(struct writer *writer, enum record_kind kind, struct error *err);

#endif
