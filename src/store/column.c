/* Column files: made, mapped, appended to.  Knows nothing of batches, and never shortens a file. */
#include "store/column.h"

#include <stdio.h>
#include <string.h>

#include "store/journal.h"

enum status place_init(struct place *place, struct env *env, const char *data_dir,
                       const struct market_name *market, struct error *err)
{
    int length;

    place->env = env;
    market_to_text(market, place->market);
    length = snprintf(place->path, sizeof place->path, "%s/%s", data_dir, place->market);
    if (length < 0 || (size_t)length >= sizeof place->path)
        return fail(err, STATUS_LIMIT, "the path of the data directory is longer than %zu bytes",
                    sizeof place->path - MARKET_TEXT_BYTES);
    return STATUS_OK;
}

void place_file(const struct place *place, const char *name, char path[PATH_BYTES_MAX])
{
    snprintf(path, PATH_BYTES_MAX, "%s/%s", place->path, name);
}

void place_column_file(const struct place *place, const char *symbol, uint64_t number,
                       char path[PATH_BYTES_MAX])
{
    char name[FILE_NAME_BYTES_MAX];

    file_name_make(name, symbol, number);
    place_file(place, name, path);
}

static enum status check_map(struct column_view *view, const struct row *row, uint64_t file_bytes,
                             bool check_times, const char *path, struct error *err)
{
    const struct column_head *head = view->map;
    const int64_t *time;

    TRY(column_head_check(head, row, file_bytes, path, err));
    view->bars = column_bars(view->map, head->capacity, row->count);
    time = view->bars.time;
    if (check_times && (time[0] != row->first_ms || time[row->count - 1] != row->last_ms))
        return fail(err, STATUS_CORRUPT, "%s: its first or last bar is not that of the journal",
                    path);
    return STATUS_OK;
}

static enum status map_open(struct column_view *view, struct env *env, struct env_file *file,
                            const char *path, struct file_info *info, struct error *err)
{
    TRY(env->calls->info(env, file, info, err));
    if (info->bytes < HEADER_BYTES || info->bytes > SIZE_MAX / 2)
        return fail(err, STATUS_CORRUPT, "%s: %llu bytes cannot hold a header", path,
                    (unsigned long long)info->bytes);
    view->map_bytes = (size_t)info->bytes;
    return env->calls->map(env, file, view->map_bytes, &view->map, err);
}

static enum status map_named(struct column_view *view, const struct place *place,
                             const char *symbol, uint64_t number, char path[PATH_BYTES_MAX],
                             struct file_info *info, struct error *err)
{
    struct env *env = place->env;
    struct env_file *file;
    enum status status;

    *view = (struct column_view){.number = number};
    place_column_file(place, symbol, number, path);
    TRY(env->calls->open(env, &file, path, OPEN_READ, err));
    status = map_open(view, env, file, path, info, err);
    env->calls->close(env, file);
    return status;
}

enum status column_map_damaged(struct column_view *view, const struct place *place,
                               const char *symbol, uint64_t number, struct error *err)
{
    char path[PATH_BYTES_MAX];
    struct file_info info;
    const struct column_head *head;
    uint64_t capacity;

    TRY(map_named(view, place, symbol, number, path, &info, err));
    head = view->map;
    capacity = SEALED(head) ? head->capacity
                            : (info.bytes - HEADER_BYTES) / sizeof(struct disk_bar);
    if (capacity <= ROWS_MAX && capacity % CAPACITY_STEP == 0 &&
        info.bytes >= column_file_bytes(capacity)) {
        view->bars = column_bars(view->map, capacity, capacity);
        return STATUS_OK;
    }
    column_unmap(view, place->env);
    return fail(err, STATUS_CORRUPT, "%s: it is cut", path);
}

enum status column_map(struct column_view *view, const struct place *place, const struct row *row,
                       bool check_times, struct error *err)
{
    char path[PATH_BYTES_MAX];
    struct file_info info;
    enum status status;

    TRY(map_named(view, place, row->name, row->number, path, &info, err));
    status = check_map(view, row, info.bytes, check_times, path, err);
    if (status != STATUS_OK)
        column_unmap(view, place->env);
    return status;
}

/* A file keeps its length as long as it has its name.  The length tells of a cut that no look met,
 * or one inside the last page, which reads as zeros; the first bytes of one that was met, even
 * where the file is long again. */
enum status column_whole(const struct column_view *view, const struct place *place,
                         const char *symbol, struct error *err)
{
    char path[PATH_BYTES_MAX];
    struct file_info info;
    enum status status;

    place_column_file(place, symbol, view->number, path);
    status = place->env->calls->path_info(place->env, path, &info, err);
    if (status != STATUS_OK && status != STATUS_MISSING)
        return status;
    if ((status == STATUS_OK && info.bytes < view->map_bytes) ||
        bytes_are_zero(view->map, sizeof(struct guard)))
        return fail(err, STATUS_CORRUPT,
                    "%s was cut by another program while it was read; `harrier verify %s --repair` "
                    "saves what can be saved",
                    path, place->market);
    return STATUS_OK;
}

void column_unmap(struct column_view *view, struct env *env)
{
    if (view->map)
        env->calls->unmap(env, view->map, view->map_bytes);
    *view = (struct column_view){0};
}

static enum status write_rows(struct env *env, struct env_file *file, uint64_t capacity,
                              uint64_t from, const struct bars *rows, struct error *err)
{
    if (rows->count == 0)
        return STATUS_OK;
    TRY(env->calls->write(env, file, rows->time, rows->count * sizeof *rows->time,
                          column_at(capacity, 0, from), err));
    for (unsigned c = 0; c < BAR_COLUMNS; c++)
        TRY(env->calls->write(env, file, rows->column[c], rows->count * sizeof *rows->column[c],
                              column_at(capacity, 1 + c, from), err));
    return STATUS_OK;
}

static struct column_slot slot_of(const struct row *row, uint64_t generation)
{
    return (struct column_slot){.generation = generation,
                                .count = row->count,
                                .first_ms = row->first_ms,
                                .last_ms = row->last_ms,
                                .hash = row->hash};
}

static enum status fill(struct env *env, struct env_file *file, const struct row *row,
                        const struct bars *pieces, size_t piece_count, struct error *err)
{
    _Alignas(8) unsigned char header[SLOT_A_AT + sizeof(struct column_slot)] = {0};
    struct column_head head = {.number = row->number, .capacity = capacity_for(row->count)};
    struct column_slot slot = slot_of(row, row->number);
    uint64_t from = 0;

    guard_make(&head.guard, COLUMN_MAGIC);
    memcpy(head.symbol, row->name, sizeof head.symbol);
    SEAL(&head);
    SEAL(&slot);
    memcpy(header, &head, sizeof head);
    memcpy(header + SLOT_A_AT, &slot, sizeof slot);

    TRY(env->calls->truncate(env, file, column_file_bytes(head.capacity), err));
    TRY(env->calls->write(env, file, header, sizeof header, 0, err));
    for (size_t p = 0; p < piece_count; p++) {
        TRY(write_rows(env, file, head.capacity, from, &pieces[p], err));
        from += pieces[p].count;
    }
    ASSERT(from == row->count);
    return STATUS_OK;
}

enum status column_create(const struct place *place, const struct row *row,
                          const struct bars *pieces, size_t piece_count, struct error *err)
{
    struct env *env = place->env;
    char path[PATH_BYTES_MAX];
    struct env_file *file;
    enum status status;

    place_column_file(place, row->name, row->number, path);
    TRY(env->calls->open(env, &file, path, OPEN_NEW, err));
    status = fill(env, file, row, pieces, piece_count, err);
    env->calls->close(env, file);
    if (status != STATUS_OK) {
        struct error ignored; /* the next writer clears what cannot be removed now */

        env->calls->remove(env, path, &ignored);
    }
    return status;
}

/* Opens a file to be written behind row `row->count`; the head is checked. */
static enum status open_checked(struct env_file **file, struct column_head *head,
                                const struct place *place, const struct row *row, const char *path,
                                struct error *err)
{
    struct env *env = place->env;
    struct file_info info;
    size_t got = 0;
    enum status status;

    TRY(env->calls->open(env, file, path, OPEN_WRITE, err));
    status = env->calls->info(env, *file, &info, err);
    if (status == STATUS_OK)
        status = env->calls->read(env, *file, head, sizeof *head, 0, &got, err);
    if (status == STATUS_OK && got != sizeof *head)
        status = fail(err, STATUS_CORRUPT, "%s: %zu bytes cannot hold a header", path, got);
    if (status == STATUS_OK)
        status = column_head_check(head, row, info.bytes, path, err);
    if (status != STATUS_OK)
        env->calls->close(env, *file);
    return status;
}

enum status column_append(const struct place *place, const struct row *row, const struct bars *rows,
                          bool *fits, struct error *err)
{
    struct env *env = place->env;
    char path[PATH_BYTES_MAX];
    struct env_file *file;
    struct column_head head;
    enum status status = STATUS_OK;

    place_column_file(place, row->name, row->number, path);
    TRY(open_checked(&file, &head, place, row, path, err));
    *fits = rows->count <= head.capacity - row->count;
    if (*fits)
        status = write_rows(env, file, head.capacity, row->count, rows, err);
    env->calls->close(env, file);
    return status;
}

enum status column_show(const struct place *place, const struct row *row, uint64_t generation,
                        const struct writer_mark *mark, struct error *err)
{
    struct env *env = place->env;
    char path[PATH_BYTES_MAX];
    struct env_file *file;
    struct column_slot slot = slot_of(row, generation);
    enum status status;

    slot.writer = mark->writer;
    memcpy(slot.boot, mark->boot, sizeof slot.boot);
    SEAL(&slot);
    place_column_file(place, row->name, row->number, path);
    TRY(env->calls->open(env, &file, path, OPEN_WRITE, err));
    status = env->calls->write(env, file, &slot, sizeof slot, VISIBLE_AT, err);
    env->calls->close(env, file);
    return status;
}

/* Writes the older of the two slots, unless the newer one says the same already. */
static enum status write_slot(struct env *env, struct env_file *file, const struct row *row,
                              uint64_t generation, struct error *err)
{
    static const uint64_t at[2] = {SLOT_A_AT, SLOT_B_AT};
    struct column_slot slots[2] = {{0}}, slot = slot_of(row, generation);
    const struct column_slot *newer;
    size_t got;

    for (int i = 0; i < 2; i++) {
        TRY(env->calls->read(env, file, &slots[i], sizeof slots[i], at[i], &got, err));
        if (got != sizeof slots[i] || !SEALED(&slots[i]))
            slots[i] = (struct column_slot){0};
    }
    newer = &slots[slots[1].generation > slots[0].generation];
    if (newer->count == row->count && hash128_equal(newer->hash, row->hash))
        return STATUS_OK;
    SEAL(&slot);
    return env->calls->write(env, file, &slot, sizeof slot, at[newer == &slots[0]], err);
}

/* Bars of the journal, in rows, into columns of the file. */
static enum status write_bars(struct env *env, struct env_file *file, uint64_t capacity,
                              const struct tail_piece *piece, struct error *err)
{
    enum { CHUNK = 128 };
    int64_t time[CHUNK];
    double column[BAR_COLUMNS][CHUNK];
    struct bars rows = {.time = time};

    for (int c = 0; c < BAR_COLUMNS; c++)
        rows.column[c] = column[c];
    for (uint64_t begin = 0; begin < piece->count; begin += rows.count) {
        rows.count = (size_t)MIN(piece->count - begin, CHUNK);
        for (size_t i = 0; i < rows.count; i++) {
            time[i] = piece->bars[begin + i].time_ms;
            for (int c = 0; c < BAR_COLUMNS; c++)
                column[c][i] = piece->bars[begin + i].column[c];
        }
        TRY(write_rows(env, file, capacity, piece->from + begin, &rows, err));
    }
    return STATUS_OK;
}

static enum status settle(struct env *env, struct env_file *file, uint64_t capacity,
                          const struct row *row, const struct journal *journal, bool slot,
                          struct error *err)
{
    struct tail tail = tail_begin(journal, row);
    struct tail_piece piece;

    while (tail_next(&tail, &piece)) {
        if (piece.from + piece.count > capacity)
            return fail(err, STATUS_CORRUPT,
                        "%s: the journal has bars that its file %llu has no room for", row->name,
                        (unsigned long long)row->number);
        TRY(write_bars(env, file, capacity, &piece, err));
    }
    return slot ? write_slot(env, file, row, journal->state.number, err) : STATUS_OK;
}

enum status column_settle(const struct place *place, const struct row *row,
                          const struct journal *journal, bool slot, struct error *err)
{
    char path[PATH_BYTES_MAX];
    struct env_file *file;
    struct column_head head;
    enum status status;

    place_column_file(place, row->name, row->number, path);
    TRY(open_checked(&file, &head, place, row, path, err));
    status = settle(place->env, file, head.capacity, row, journal, slot, err);
    place->env->calls->close(place->env, file);
    return status;
}

enum status column_sync(const struct place *place, const char *symbol, uint64_t number,
                        struct error *err)
{
    struct env *env = place->env;
    char path[PATH_BYTES_MAX];
    struct env_file *file;
    enum status status;

    place_column_file(place, symbol, number, path);
    TRY(env->calls->open(env, &file, path, OPEN_WRITE, err));
    status = env->calls->sync(env, file, err);
    env->calls->close(env, file);
    return status;
}
