/* Writers: a batch from the lock to the commit, recovery before it and the checkpoint after it.
 *
 * The order of a commit is what makes it one:
 *   1. rows are written to the column files behind what readers are shown, new files are written
 *      whole; what the record will not hold is synced, and the directory with it
 *   2. the record is written to the journal and synced: the batch is durable
 *   3. the stamp is written: the batch is visible
 * Everything that can fail for want of space or memory stands before 2. */
#include "store/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the changes of a batch ------------------------------------------------------------------ */

enum status writer_check(const struct writer *writer, struct error *err)
{
    if (writer->failed)
        return fail(err, STATUS_SYSTEM,
                    "%s: nothing more is written after a failure; open the market again",
                    writer->place.market);
    return STATUS_OK;
}

static size_t change_index(const struct writer *writer, const char *name)
{
    size_t begin = 0, count = writer->change_count;

    while (count > 0) {
        size_t half = count / 2;

        if (strcmp(writer->changes[begin + half]->row.name, name) < 0) {
            begin += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return begin;
}

struct change *change_find(const struct writer *writer, const char *name)
{
    size_t at = change_index(writer, name);

    return at < writer->change_count && strcmp(writer->changes[at]->row.name, name) == 0
               ? writer->changes[at]
               : NULL;
}

enum status change_add(struct writer *writer, struct change **change, const char *name,
                       struct error *err)
{
    const struct row *row = state_find(&writer->journal.state, name);
    size_t at = change_index(writer, name);
    void *grown = writer->changes;

    *change = change_find(writer, name);
    if (*change)
        return STATUS_OK;
    if (mem_grow(&grown, &writer->change_capacity, writer->change_count + 1,
                 sizeof(struct change *)) != 0)
        return fail(err, STATUS_MEMORY, "no memory for a batch of %zu symbols",
                    writer->change_count + 1);
    writer->changes = grown;
    *change = mem_zero(1, sizeof **change);
    if (!*change)
        return fail(err, STATUS_MEMORY, "no memory for a batch of %zu symbols",
                    writer->change_count + 1);
    if (row)
        (*change)->row = *row;
    else
        row_rename(&(*change)->row, text_of(name));
    (*change)->row.journaled = 0;
    (*change)->from = (*change)->row.count;
    memmove(&writer->changes[at + 1], &writer->changes[at],
            (writer->change_count - at) * sizeof(struct change *));
    writer->changes[at] = *change;
    writer->change_count++;
    return STATUS_OK;
}

const struct row *writer_row(const struct writer *writer, const char *name)
{
    const struct change *change = change_find(writer, name);

    if (change)
        return change->row.number ? &change->row : NULL;
    return state_find(&writer->journal.state, name);
}

enum status writer_trust(struct writer *writer, const struct column_view *view, const char *name,
                         enum status status, struct error *err)
{
    enum status whole = column_whole(view, &writer->place, name, err);

    writer->failed |= whole != STATUS_OK;
    return whole == STATUS_OK ? status : whole;
}

void writer_remove_file(struct writer *writer, const char *name, uint64_t number)
{
    char path[PATH_BYTES_MAX];
    struct error ignored; /* the next writer finds it again */

    place_column_file(&writer->place, name, number, path);
    writer->env->calls->remove(writer->env, path, &ignored);
}

/* Forgets the changes, and removes what is left of files that the batch gave up. */
static void batch_end(struct writer *writer)
{
    for (size_t i = 0; i < writer->garbage_count; i++)
        writer_remove_file(writer, writer->garbage[i].name, writer->garbage[i].number);
    for (size_t i = 0; i < writer->change_count; i++) {
        column_unmap(&writer->changes[i]->view, writer->env);
        mem_free(writer->changes[i]->bars);
        mem_free(writer->changes[i]);
    }
    writer->change_count = writer->garbage_count = 0;
    writer->journaled_bytes = 0;
    writer->made_files = false;
}

void batch_drop(struct writer *writer)
{
    /* After a failed commit the record may yet be found on the disk; its files stay until a writer
     * knows. */
    for (size_t i = 0; i < writer->change_count && !writer->failed; i++)
        if (writer->changes[i]->made && writer->changes[i]->row.number)
            writer_remove_file(writer, writer->changes[i]->row.name,
                               writer->changes[i]->row.number);
    if (writer->failed)
        writer->garbage_count = 0;
    batch_end(writer);
}

/* ---- opening --------------------------------------------------------------------------------- */

bool writer_refers_to(const struct writer *writer, const struct row *file)
{
    const struct state *state = &writer->journal.state;
    const struct row *row = state_find(state, file->name);

    if (row && row->number == file->number)
        return true;
    row = state->undo_count
              ? bsearch(file, state->undo, state->undo_count, sizeof *row, row_compare)
              : NULL;
    return row && row->number == file->number;
}

/* Removes the files that no state refers to: those of a batch that never came to be.  `*found`
 * counts all. */
static void clear_names(struct writer *writer, char **names, size_t count, bool remove,
                        size_t *found)
{
    struct row file;

    for (size_t i = 0; i < count; i++) {
        memset(&file, 0, sizeof file);
        if (!file_name_parse(names[i], file.name, &file.number))
            continue;
        writer->number = MAX(writer->number, file.number);
        if (writer_refers_to(writer, &file))
            continue;
        ++*found;
        if (remove)
            writer_remove_file(writer, file.name, file.number);
    }
}

static enum status clear_leftovers(struct writer *writer, struct error *err)
{
    struct env *env = writer->env;
    char **names;
    size_t count, found = 0;

    TRY(env->calls->list(env, writer->place.path, &names, &count, err));
    clear_names(writer, names, count, true, &found);
    names_free(names, count);
    return STATUS_OK;
}

/* A market is made with an empty journal, so that files without a journal always mean that one was
 * lost. */
static enum status make_market(struct writer *writer, struct error *err)
{
    struct env *env = writer->env;
    struct state empty = {0};
    char **names;
    size_t count, found = 0;

    TRY(env->calls->list(env, writer->place.path, &names, &count, err));
    clear_names(writer, names, count, false, &found);
    names_free(names, count);
    if (found > 0)
        return fail(
            err, STATUS_CORRUPT,
            "%s: %zu files of bars and no journal; harrier verify --repair puts them together",
            writer->place.path, found);
    TRY(journal_renew(&writer->place, &empty, &writer->mark, err));
    return journal_load(&writer->journal, &writer->place, FOR_WRITING, err);
}

/* A writer that was killed in a checkpoint, or when it made the market, may not have synced the
 * name of this journal, which has no batch yet: after a power cut the old one would be back, or
 * none, without the batches to come and with files that are leftovers now. */
static enum status sync_names(struct writer *writer, struct error *err)
{
    struct env *env = writer->env;
    char path[PATH_BYTES_MAX];
    bool is_new = writer->journal.state.number == 0;

    TRY(env->calls->sync_directory(env, writer->place.path, err));
    snprintf(path, sizeof path, "%s", writer->place.path);
    for (int above = 0; above < 2 && is_new; above++) { /* the venue's, the data directory */
        *strrchr(path, '/') = 0;
        TRY(env->calls->sync_directory(env, path, err));
    }
    return STATUS_OK;
}

static enum status open_market(struct writer *writer, struct error *err)
{
    enum status status = journal_load(&writer->journal, &writer->place, FOR_WRITING, err);

    if (status == STATUS_MISSING)
        status = make_market(writer, err);
    TRY(status);
    writer->number = MAX(writer->number, writer->journal.state.number);
    TRY(writer_recover(writer, err));
    if (writer->journal.record_count <= 1)
        TRY(sync_names(writer, err));
    return clear_leftovers(writer, err);
}

enum status writer_open(struct writer **opened, struct env *env, const char *data_dir,
                        const struct market_name *market, const char *who, struct error *err)
{
    struct writer *writer = mem_zero(1, sizeof *writer);
    enum status status;

    if (!writer)
        return fail(err, STATUS_MEMORY, "no memory to write to the store");
    writer->env = env;
    snprintf(writer->who, sizeof writer->who, "%s", who);
    env->calls->boot_id(env, writer->mark.boot);
    writer->mark.writer = (uint64_t)getpid();
    status = place_init(&writer->place, env, data_dir, market, err);
    if (status == STATUS_OK)
        status = lock_take(&writer->lock, &writer->place, who, err);
    if (status == STATUS_OK)
        status = open_market(writer, err);
    if (status != STATUS_OK) {
        writer->failed = true;
        writer_close(writer);
        return status;
    }
    *opened = writer;
    return STATUS_OK;
}

/* ---- commit ---------------------------------------------------------------------------------- */

static bool changes_nothing(const struct writer *writer, const struct change *change)
{
    const struct row *was = state_find(&writer->journal.state, change->row.name);

    if (change->row.number == 0)
        return !was;
    return was && was->number == change->row.number && was->count == change->row.count;
}

/* The batch as rows and their bars, in order of names; both are the caller's to free. */
struct batch {
    struct row *rows;
    const struct disk_bar **bars;
    size_t count;
    struct row *unsynced; /* of them, those whose files must be synced first */
    size_t unsynced_count;
};

static void batch_free(struct batch *batch)
{
    mem_free(batch->rows);
    mem_free(batch->bars);
    mem_free(batch->unsynced);
}

static enum status batch_collect(struct batch *batch, const struct writer *writer,
                                 struct error *err)
{
    batch->rows = mem_alloc(writer->change_count * sizeof *batch->rows);
    batch->bars = mem_alloc(writer->change_count * sizeof(const struct disk_bar *));
    batch->unsynced = mem_alloc(writer->change_count * sizeof *batch->unsynced);
    if (!batch->rows || !batch->bars || !batch->unsynced)
        return fail(err, STATUS_MEMORY, "no memory for a batch of %zu symbols",
                    writer->change_count);
    for (size_t i = 0; i < writer->change_count; i++) {
        const struct change *change = writer->changes[i];

        if (changes_nothing(writer, change))
            continue;
        batch->rows[batch->count] = change->row;
        batch->rows[batch->count].high = MAX(change->row.high, change->row.count);
        batch->bars[batch->count++] = change->bars;
        if (change->unsynced)
            batch->unsynced[batch->unsynced_count++] = change->row;
    }
    return STATUS_OK;
}

/* Files that only the undo of the state before referred to. */
static void remove_unreferred(struct writer *writer, const struct state *before)
{
    for (size_t i = 0; i < before->undo_count; i++)
        if (before->undo[i].number && !writer_refers_to(writer, &before->undo[i]))
            writer_remove_file(writer, before->undo[i].name, before->undo[i].number);
}

/* Tells who reads the files without the journal. */
static enum status show_rows(struct writer *writer, struct error *err)
{
    for (size_t i = 0; i < writer->change_count; i++) {
        const struct change *change = writer->changes[i];

        if (change->row.number && !change->made && !changes_nothing(writer, change))
            TRY(column_show(&writer->place, &change->row, writer->number, &writer->mark, err));
    }
    return STATUS_OK;
}

/* Steps 2 and 3.  `next` is the state after the batch, and afterwards the one before it.  Where
 * something fails after the record was synced the next writer finds it, and does the rest. */
static enum status publish(struct writer *writer, struct state *next, struct env_file *file,
                           struct error *err)
{
    struct journal *journal = &writer->journal;
    struct state before;

    TRY(journal_push(journal, writer->env, file, err));
    TRY(show_rows(writer, err));
    before = journal->state;
    journal->state = *next;
    *next = before;
    return journal_stamp(journal, writer->env, file, &writer->mark, err);
}

static enum status commit_rows(struct writer *writer, const struct batch *batch,
                               enum record_kind kind, struct error *err)
{
    struct env *env = writer->env;
    struct batch_mark mark = {
        .kind = kind, .number = writer->number + 1, .time_ms = clock_now_ms(env)};
    char path[PATH_BYTES_MAX];
    struct state next;
    struct env_file *file;
    enum status status;

    memcpy(mark.who, writer->who, sizeof mark.who);
    TRY(journal_add(&writer->journal, &mark, batch->rows, batch->count, batch->bars, err));
    TRY(state_copy(&next, &writer->journal.state, err));
    status = state_apply(&next, batch->rows, batch->count, err);
    next.number = writer->number = mark.number;
    next.time_ms = mark.time_ms;
    memcpy(next.who, mark.who, sizeof next.who);
    place_file(&writer->place, "journal", path);
    if (status == STATUS_OK)
        status = env->calls->open(env, &file, path, OPEN_WRITE, err);
    if (status == STATUS_OK) {
        status = publish(writer, &next, file, err);
        writer->failed = status != STATUS_OK;
        env->calls->close(env, file);
        if (status == STATUS_OK)
            remove_unreferred(writer, &next);
    }
    state_deinit(&next);
    return status;
}

/* Step 1: what the record will refer to and not hold. */
static enum status sync_files(struct writer *writer, const struct batch *batch, struct error *err)
{
    enum status status = writer_sync_rows(writer, batch->unsynced, batch->unsynced_count, NULL,
                                          err);

    if (status == STATUS_OK && writer->made_files && batch->unsynced_count < SYNC_ALL_FILES) {
        status = writer->env->calls->sync_directory(writer->env, writer->place.path, err);
        writer->failed = status != STATUS_OK;
    }
    return status;
}

enum status batch_commit(struct writer *writer, enum record_kind kind, struct error *err)
{
    struct batch batch = {0};
    enum status status;

    TRY(writer_check(writer, err));
    status = batch_collect(&batch, writer, err);
    if (status == STATUS_OK)
        status = sync_files(writer, &batch, err);
    if (status == STATUS_OK && batch.count > 0)
        status = commit_rows(writer, &batch, kind, err);
    batch_free(&batch);
    if (status == STATUS_OK)
        batch_end(writer);
    return status;
}

enum status writer_commit(struct writer *writer, struct error *err)
{
    struct error ignored; /* what the batch was to do is done */

    TRY(batch_commit(writer, RECORD_BATCH, err));
    if (writer->journal.end > 8 * JOURNAL_BYTES_USUAL)
        writer_checkpoint(writer, &ignored);
    return STATUS_OK;
}

/* ---- closing --------------------------------------------------------------------------------- */

/* A market in which nothing was ever committed is none; but the journal goes last. */
static void unmake_market(struct writer *writer)
{
    static const char *const files[] = {"journal", "journal.new", "lock"};
    struct env *env = writer->env;
    char path[PATH_BYTES_MAX], **names;
    struct error ignored;
    size_t count, found = 0;

    if (env->calls->list(env, writer->place.path, &names, &count, &ignored) != STATUS_OK)
        return;
    clear_names(writer, names, count, true, &found);
    names_free(names, count);
    if (found > 0)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        place_file(&writer->place, files[i], path);
        env->calls->remove(env, path, &ignored);
    }
    env->calls->remove(env, writer->place.path, &ignored);
    snprintf(path, sizeof path, "%s", writer->place.path);
    *strrchr(path, '/') = 0;
    env->calls->remove(env, path, &ignored); /* of the venue, where it is empty */
}

void writer_close(struct writer *writer)
{
    const struct journal *journal = &writer->journal;
    struct error ignored; /* the journal stays as long as it must */

    if (!writer)
        return;
    batch_drop(writer);
    if (!writer->failed &&
        (journal->end > JOURNAL_BYTES_USUAL || journal->record_count > JOURNAL_RECORDS_USUAL))
        writer_checkpoint(writer, &ignored);
    if (!writer->failed && journal->state.number == 0)
        unmake_market(writer);
    journal_deinit(&writer->journal);
    if (writer->lock)
        lock_give_back(writer->lock, writer->env);
    mem_free(writer->changes);
    mem_free(writer->garbage);
    mem_free(writer);
}
