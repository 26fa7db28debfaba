/* Recovery and checkpoints: bars that only the journal holds for certain go into the column files.
 */
#include "store/writer.h"

#include <string.h>

/* A file that is gone or damaged must not hold up the others: its readers are told, verify repairs
 * it, and until then no checkpoint cuts off the bars that the journal has of it. */
static enum status settle_or_leave(struct writer *writer, const struct row *row, struct error *err)
{
    enum status status = column_settle(&writer->place, row, &writer->journal, false, err);

    if (status == STATUS_OK)
        status = column_show(&writer->place, row, writer->journal.state.number, &writer->mark, err);
    return status == STATUS_CORRUPT || status == STATUS_MISSING ? STATUS_OK : status;
}

static enum status settle_changed(struct writer *writer, struct error *err)
{
    struct row *rows;
    size_t count;
    enum status status = STATUS_OK;

    TRY(journal_changed(&writer->journal, &rows, &count, err));
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = settle_or_leave(writer, &rows[i], err);
    mem_free(rows);
    return status;
}

/* Records that the stamp does not vouch for, or all of them where the machine has started since,
 * are written again and synced: that a sync failed, or was never made, cannot be seen from what is
 * read. */
static enum status recover(struct writer *writer, struct env_file *file, struct error *err)
{
    struct env *env = writer->env;
    struct journal *journal = &writer->journal;
    size_t from = journal->applied ? journal->applied : HEADER_BYTES;

    if (journal->length > journal->end)
        TRY(env->calls->truncate(env, file, journal->end, err));
    TRY(env->calls->write(env, file, journal->bytes + from, journal->end - from, from, err));
    TRY(env->calls->sync(env, file, err));
    journal->length = journal->end;
    TRY(settle_changed(writer, err));
    return journal_stamp(journal, env, file, &writer->mark, err);
}

enum status writer_recover(struct writer *writer, struct error *err)
{
    struct env *env = writer->env;
    struct journal *journal = &writer->journal;
    char path[PATH_BYTES_MAX];
    struct env_file *file;
    enum status status;

    if (journal->applied == journal->end && journal->length == journal->end)
        return STATUS_OK;
    place_file(&writer->place, "journal", path);
    TRY(env->calls->open(env, &file, path, OPEN_WRITE, err));
    status = recover(writer, file, err);
    env->calls->close(env, file);
    return status;
}

/* ---- checkpoint ------------------------------------------------------------------------------ */

/* Writing and syncing one file, as a job of a crew. */
struct sync_work {
    struct writer *writer;
    enum status (*write)(struct writer *writer, const struct row *row, struct error *err);
};

static enum status write_and_sync(void *context, const struct row *row, struct error *err)
{
    struct sync_work *work = context;

    if (work->write)
        TRY(work->write(work->writer, row, err));
    return column_sync(&work->writer->place, row->name, row->number, err);
}

static enum status sync_by_crew(struct sync_work *work, const struct row *rows, size_t count,
                                struct error *err)
{
    struct crew crew;
    enum status status = crew_init(&crew, work->writer->env, write_and_sync, work, err);

    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        crew_add(&crew, &rows[i]);
    if (status == STATUS_OK) {
        status = crew_finish(&crew, err);
        work->writer->failed |= status != STATUS_OK;
    }
    crew_deinit(&crew);
    return status;
}

enum status writer_sync_rows(struct writer *writer, const struct row *rows, size_t count,
                             enum status (*write)(struct writer *writer, const struct row *row,
                                                  struct error *err),
                             struct error *err)
{
    struct env *env = writer->env;
    struct sync_work work = {.writer = writer, .write = write};
    enum status status = STATUS_OK;

    if (count == 0)
        return STATUS_OK;
    if (count < SYNC_ALL_FILES)
        return sync_by_crew(&work, rows, count, err);
    for (size_t i = 0; i < count && write; i++)
        TRY(write(writer, &rows[i], err));
    /* The lock's file was opened before anything was written. */
    status = env->calls->sync_all(env, writer->lock, err);
    writer->failed |= status != STATUS_OK;
    return status;
}

static enum status settle_one(struct writer *writer, const struct row *row, struct error *err)
{
    return column_settle(&writer->place, row, &writer->journal, true, err);
}

enum status writer_settle(struct writer *writer, const struct row *rows, size_t count,
                          struct error *err)
{
    return writer_sync_rows(writer, rows, count, settle_one, err);
}

/* Gives a file more room before it is full, so that no batch of single bars must wait for one that
 * grows. */
static enum status grow(struct writer *writer, struct row *row, bool *grown, struct error *err)
{
    struct column_view view;
    struct row larger = *row;
    uint64_t capacity;
    enum status status = STATUS_OK;

    *grown = false;
    TRY(column_map(&view, &writer->place, row, true, err));
    capacity = (view.map_bytes - HEADER_BYTES) / sizeof(struct disk_bar);
    if (capacity - row->count < CAPACITY_SPARE) {
        larger.number = writer->number + 1;
        larger.high = larger.count;
        status = column_create(&writer->place, &larger, &view.bars, 1, err);
        status = writer_trust(writer, &view, row->name, status, err);
        *grown = status == STATUS_OK;
    }
    column_unmap(&view, writer->env);
    if (*grown) {
        *row = larger;
        writer->number++;
    }
    return status;
}

/* `larger` has room for all of them. */
static enum status grow_all(struct writer *writer, struct state *next, const struct row *changed,
                            size_t count, struct row *larger, struct error *err)
{
    size_t larger_count = 0;
    bool grown;

    for (size_t i = 0; i < count; i++) {
        struct row *row = (struct row *)state_find(next, changed[i].name);

        if (!row || row->number != changed[i].number)
            continue; /* of the undo: it will not grow again */
        TRY(grow(writer, row, &grown, err));
        if (grown)
            larger[larger_count++] = *row;
    }
    next->number = writer->number;
    if (larger_count == 0)
        return STATUS_OK;
    TRY(writer_sync_rows(writer, larger, larger_count, NULL, err));
    return writer->env->calls->sync_directory(writer->env, writer->place.path, err);
}

enum status writer_renew(struct writer *writer, const struct state *next, struct error *err)
{
    struct journal old = writer->journal;
    enum status status = journal_renew(&writer->place, next, &writer->mark, err);

    if (status == STATUS_OK)
        status = journal_load(&writer->journal, &writer->place, FOR_WRITING, err);
    if (status == STATUS_OK)
        journal_deinit(&old);
    else
        writer->journal = old;
    writer->failed |= status != STATUS_OK;
    return status;
}

/* Files that grown ones have replaced, unless undo needs them. */
static void remove_outgrown(struct writer *writer, const struct row *changed, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!writer_refers_to(writer, &changed[i]))
            writer_remove_file(writer, changed[i].name, changed[i].number);
}

static enum status checkpoint(struct writer *writer, const struct row *changed, size_t count,
                              struct error *err)
{
    struct state next;
    struct row *larger;
    enum status status;

    TRY(writer_settle(writer, changed, count, err));
    TRY(state_copy(&next, &writer->journal.state, err));
    larger = mem_alloc(count * sizeof *larger);
    status = larger ? grow_all(writer, &next, changed, count, larger, err)
                    : fail(err, STATUS_MEMORY, "no memory for a checkpoint of %zu files", count);
    mem_free(larger);
    if (status == STATUS_OK)
        status = writer_renew(writer, &next, err);
    if (status == STATUS_OK)
        remove_outgrown(writer, changed, count);
    state_deinit(&next);
    return status;
}

enum status writer_checkpoint(struct writer *writer, struct error *err)
{
    struct row *changed;
    size_t count;
    enum status status;

    TRY(writer_check(writer, err));
    if (writer->change_count > 0)
        return fail(err, STATUS_USAGE, "a checkpoint stands between batches");
    if (writer->journal.record_count <= 1)
        return STATUS_OK;
    TRY(journal_changed(&writer->journal, &changed, &count, err));
    status = checkpoint(writer, changed, count, err);
    mem_free(changed);
    return status;
}
