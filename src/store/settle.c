/* Recovery and checkpoints: bars that only the journal holds for certain go into the column files. */
#include "store/writer.h"

#include <string.h>

/* A file that is gone or damaged must not hold up the others: its readers are told, verify repairs it, and
 * until then no checkpoint cuts off the bars that the journal has of it. */
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

/* Records that the stamp does not vouch for, or all of them where the machine has started since, are written
 * again and synced: that a sync failed, or was never made, cannot be seen from what is read. */
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

/* ---- checkpoint ---------------------------------------------------------------------------------------- */

static enum status settle_and_sync(void *context, const struct row *row, struct error *err)
{
    struct writer *writer = context;

    return column_settle(&writer->place, row, &writer->journal, true, err);
}

enum status writer_settle(struct writer *writer, const struct row *rows, size_t count, struct error *err)
{
    struct crew crew;
    enum status status = crew_init(&crew, writer->env, settle_and_sync, writer, err);

    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        crew_add(&crew, &rows[i]);
    if (status == STATUS_OK) {
        status = crew_finish(&crew, err);
        writer->failed |= status != STATUS_OK;
    }
    crew_deinit(&crew);
    return status;
}

/* Gives a file more room before it is full, so that no batch of single bars must wait for one that grows. */
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
        *grown = status == STATUS_OK;
    }
    column_unmap(&view, writer->env);
    if (*grown) {
        *row = larger;
        writer->number++;
    }
    return status;
}

static enum status grow_all(struct writer *writer, struct state *next, const struct row *changed, size_t count,
                            struct error *err)
{
    bool any = false, grown;

    for (size_t i = 0; i < count; i++) {
        struct row *row = (struct row *)state_find(next, changed[i].name);

        if (!row || row->number != changed[i].number)
            continue; /* of the undo: it will not grow again */
        TRY(grow(writer, row, &grown, err));
        if (grown)
            TRY(column_sync(&writer->place, row->name, row->number, err));
        any |= grown;
    }
    next->number = writer->number;
    return any ? writer->env->calls->sync_directory(writer->env, writer->place.path, err) : STATUS_OK;
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

static enum status checkpoint(struct writer *writer, const struct row *changed, size_t count, struct error *err)
{
    struct state next;
    enum status status;

    TRY(writer_settle(writer, changed, count, err));
    TRY(state_copy(&next, &writer->journal.state, err));
    status = grow_all(writer, &next, changed, count, err);
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
