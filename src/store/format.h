/* What lies on the disk, byte for byte (doc/store-format.md tells it to users), and what makes and
 * checks it in memory.  Nothing here touches a file.
 *
 *     SYMBOL.NUMBER.bars      head · slot A · slot B · visible · six columns of `capacity` values
 *     journal                 head · stamp · records: one base, then one a batch
 *
 * Every number is little-endian.  Every struct below ends with a check over what stands before it.
 */
#ifndef HARRIER_STORE_FORMAT_H
#define HARRIER_STORE_FORMAT_H

#include "store/store.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the store is read as it lies: little-endian");

enum {
    FORMAT_VERSION = 1,
    HEADER_BYTES = 4096, /* of both kinds of file: a page */
    STAMP_AT = 512,      /* each of these has a sector to itself: a torn write hurts nothing else */
    SLOT_A_AT = 512,
    SLOT_B_AT = 1024,
    VISIBLE_AT = 1536,
    CAPACITY_STEP = 512,   /* rows: columns begin on pages */
    CAPACITY_SPARE = 1024, /* rows: with less room than this a checkpoint makes a larger file */
    COLUMN_COUNT = 1 + BAR_COLUMNS,
    WHO_BYTES_MAX = 48,
    FILE_NAME_BYTES_MAX = 256,
};

/* Rows of a symbol: 2^40 bars are 48 TiB; a bound that keeps every product below within 64 bits. */
#define ROWS_MAX (UINT64_C(1) << 40)

/* The first 16 bytes of every file, in every version to come. */
struct guard {
    char magic[8];
    uint32_t version, check;
};
#define COLUMN_MAGIC "HARRIERB"
#define JOURNAL_MAGIC "HARRIERJ"

/* ---- the file of a symbol -------------------------------------------------------------------- */

struct column_head {
    struct guard guard;
    uint64_t number, capacity; /* rows */
    char symbol[SYMBOL_BYTES_MAX];
    unsigned char zero[24];
    uint64_t check;
};

/* How many of the rows count.  Two slots, written in turn at checkpoints; the valid one of the
 * higher generation holds.  The third, `visible`, runs ahead of them while the machine runs: it
 * counts only where `boot` is this boot's, for its rows were not synced here (the journal has
 * them). */
struct column_slot {
    uint64_t generation; /* number of the batch */
    uint64_t count;
    int64_t first_ms, last_ms;
    struct hash128 hash; /* of the rows counted */
    unsigned char boot[16];
    uint64_t writer; /* its process */
    uint64_t check;
};

/* ---- the journal ----------------------------------------------------------------------------- */

struct journal_head {
    struct guard guard;
    uint64_t salt; /* the chain of the first record */
    uint64_t check;
};

/* Up to here this boot's column files hold what the records say. */
struct journal_stamp {
    unsigned char boot[16];
    uint64_t writer;
    uint64_t end;    /* bytes of the journal */
    uint64_t number; /* of the last batch */
    uint64_t check;
};

/* The state of one symbol after a batch. */
struct row {
    char name[SYMBOL_BYTES_MAX]; /* zeros behind it */
    uint64_t number;             /* of its file; 0: the symbol is not there */
    uint64_t count;              /* rows, at least 1 */
    uint64_t high;               /* most rows that any reader of this file was ever shown */
    uint64_t journaled;          /* the last so many rows stand in this record too */
    int64_t first_ms, last_ms;
    struct hash128 hash;
};

enum record_kind { RECORD_BASE = 1, RECORD_BATCH, RECORD_UNDO };
#define RECORD_MAGIC 0x43455248u

/* Then `row_count` rows and `undo_count` rows, both in order of names, then `bar_count` bars in the
 * order of the rows that have them journaled. */
struct record_head {
    uint32_t magic, kind;
    uint64_t number;
    uint64_t chain; /* check of the record before */
    uint64_t row_count, undo_count, bar_count;
    int64_t time_ms;
    char who[WHO_BYTES_MAX];
    uint64_t rows_check, bars_check;
    uint64_t check;
};

struct disk_bar {
    int64_t time_ms;
    double column[BAR_COLUMNS];
};

_Static_assert(sizeof(struct column_head) == 128, "layout");
_Static_assert(sizeof(struct column_slot) == 80, "layout");
_Static_assert(sizeof(struct journal_head) == 32, "layout");
_Static_assert(sizeof(struct journal_stamp) == 48, "layout");
_Static_assert(sizeof(struct row) == 128, "layout");
_Static_assert(sizeof(struct record_head) == 128, "layout");
_Static_assert(sizeof(struct disk_bar) == 48, "layout");

/* ---- making and checking --------------------------------------------------------------------- */

void guard_make(struct guard *guard, const char *magic);

/* CORRUPT or NEWER, with a sentence that begins with the file's path. */
enum status guard_check(const struct guard *guard, const char *magic, const char *path,
                        struct error *err);

/* The check of a struct whose last member is `uint64_t check`. */
#define SEAL(thing) ((thing)->check = seal_of((thing), sizeof *(thing)))
#define SEALED(thing) ((thing)->check == seal_of((thing), sizeof *(thing)))
uint64_t seal_of(const void *thing, size_t bytes);
bool bytes_are_zero(const void *bytes, size_t length);

/* Size of a column file, and where a column's row stands in it. */
uint64_t column_file_bytes(uint64_t capacity);
uint64_t column_at(uint64_t capacity, unsigned column, uint64_t row);
uint64_t capacity_for(uint64_t row_count); /* with room to grow */

/* CORRUPT where the head is not that of `row`'s file or its columns do not fit in the file's bytes.
 */
enum status column_head_check(const struct column_head *head, const struct row *row,
                              uint64_t file_bytes, const char *path, struct error *err);

/* The columns of a whole column file in memory. */
struct bars column_bars(const void *file, uint64_t capacity, uint64_t count);

/* Sum modulo 2^128 of the XXH3 hashes of (index, row): rows are added to it without reading those
 * before, and every row's place counts.  `from` is the index of the first row. */
struct hash128 bars_hash(struct hash128 before, const struct bars *bars, uint64_t from);
bool hash128_equal(struct hash128 a, struct hash128 b);

/* NULL if every bar is sane and times rise strictly; otherwise what is wrong with bar `*index`. */
const char *bars_fault(const struct bars *bars, size_t *index);

void row_rename(struct row *row, struct text name);
int row_compare(const void *a, const void *b); /* by name, for qsort and bsearch */

/* "BTC%2FUSDT.17.bars"; all but letters, digits, `_`, `-` and inner dots are written as %XX. */
void file_name_make(char name[FILE_NAME_BYTES_MAX], const char *symbol, uint64_t number);
bool file_name_parse(const char *name, char symbol[SYMBOL_BYTES_MAX], uint64_t *number);

#endif
