/* Column files: one symbol's bars, each column contiguous.  Rows are only ever written behind those
 * that readers were shown, so a map stays true while the file grows. */
#ifndef HARRIER_STORE_COLUMN_H
#define HARRIER_STORE_COLUMN_H

#include "store/format.h"

enum { PATH_BYTES_MAX = 4096 };

/* The directory of a market. */
struct place {
    struct env *env;
    char market[MARKET_TEXT_BYTES];
    char path[PATH_BYTES_MAX - FILE_NAME_BYTES_MAX - 2]; /* so that every name fits behind it */
};

enum status place_init(struct place *place, struct env *env, const char *data_dir,
                       const struct market_name *market, struct error *err);
void place_file(const struct place *place, const char *name, char path[PATH_BYTES_MAX]);
void place_column_file(const struct place *place, const char *symbol, uint64_t number,
                       char path[PATH_BYTES_MAX]);

/* Who writes, in this boot. */
struct writer_mark {
    unsigned char boot[16];
    uint64_t writer;
};

/* A file mapped.  The header and the size are checked, and where asked the times of the first and
 * the last bar; the rows between by bars_hash alone. */
struct column_view {
    const void *map;
    size_t map_bytes;
    uint64_t number; /* of the file */
    struct bars bars;
};
enum status column_map(struct column_view *view, const struct place *place, const struct row *row,
                       bool check_times, struct error *err);

/* A file mapped as it is found: the header may say anything, and the columns lie where it says if
 * it is whole, otherwise where the file's length puts them.  `bars.count` is the room of the file.
 */
enum status column_map_damaged(struct column_view *view, const struct place *place,
                               const char *symbol, uint64_t number, struct error *err);

/* STATUS_CORRUPT where another program has cut the file while it was mapped: the map may be zeros
 * (maps_outlive_cuts), so what was made of it is nothing.  Asked after the bars were used. */
enum status column_whole(const struct column_view *view, const struct place *place,
                         const char *symbol, struct error *err);
void column_unmap(struct column_view *view, struct env *env);

/* Makes the file of `row` out of pieces that follow each other.  Not synced; removed again if it
 * fails. */
enum status column_create(const struct place *place, const struct row *row,
                          const struct bars *pieces, size_t piece_count, struct error *err);

/* Writes rows behind the `row->count` that there are; `*fits` is false, and nothing written, where
 * the file has no room.  Not synced, and not shown. */
enum status column_append(const struct place *place, const struct row *row, const struct bars *rows,
                          bool *fits, struct error *err);

/* Tells who reads the file itself how many rows it has now. */
enum status column_show(const struct place *place, const struct row *row, uint64_t generation,
                        const struct writer_mark *mark, struct error *err);

/* Writes rows again that the journal holds, and where `slot` the slot that is the older one. */
struct journal;
enum status column_settle(const struct place *place, const struct row *row,
                          const struct journal *journal, bool slot, struct error *err);

/* Syncs a file by its name. */
enum status column_sync(const struct place *place, const char *symbol, uint64_t number,
                        struct error *err);

#endif
