/* The journal: loaded, checked, added to, renewed.  It never changes what a reader may have read:
 * records are written behind the end, and a new journal takes the old one's name. */
#include "store/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- state ----------------------------------------------------------------------------------- */

void state_deinit(struct state *state)
{
    mem_free(state->rows);
    mem_free(state->undo);
    *state = (struct state){0};
}

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_MEMORY, "no memory for the state of the market");
}

enum status state_copy(struct state *copy, const struct state *state, struct error *err)
{
    *copy = *state;
    copy->row_capacity = state->row_count;
    copy->undo_capacity = state->undo_count;
    copy->rows = mem_alloc(state->row_count * sizeof *copy->rows);
    copy->undo = mem_alloc(state->undo_count * sizeof *copy->undo);
    if (!copy->rows || !copy->undo) {
        state_deinit(copy);
        return no_memory(err);
    }
    if (state->row_count)
        memcpy(copy->rows, state->rows, state->row_count * sizeof *copy->rows);
    if (state->undo_count)
        memcpy(copy->undo, state->undo, state->undo_count * sizeof *copy->undo);
    return STATUS_OK;
}

/* Where `name` is in the sorted rows, or would be. */
static size_t lower_bound(const struct row *rows, size_t count, const char *name)
{
    size_t begin = 0;

    while (count > 0) {
        size_t half = count / 2;

        if (strcmp(rows[begin + half].name, name) < 0) {
            begin += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return begin;
}

const struct row *state_find(const struct state *state, const char *name)
{
    size_t at = lower_bound(state->rows, state->row_count, name);

    return at < state->row_count && strcmp(state->rows[at].name, name) == 0 ? &state->rows[at]
                                                                            : NULL;
}

static enum status merge_rows(struct state *state, const struct row *rows, size_t row_count,
                              struct error *err)
{
    size_t capacity = state->row_count + row_count, count = 0, old = 0;
    struct row *merged = mem_alloc(capacity * sizeof *merged);

    if (!merged)
        return no_memory(err);
    for (size_t i = 0; i < row_count; i++) {
        while (old < state->row_count && strcmp(state->rows[old].name, rows[i].name) < 0)
            merged[count++] = state->rows[old++];
        if (old < state->row_count && strcmp(state->rows[old].name, rows[i].name) == 0)
            old++;
        if (rows[i].number != 0)
            merged[count++] = rows[i];
    }
    while (old < state->row_count)
        merged[count++] = state->rows[old++];
    mem_free(state->rows);
    state->rows = merged;
    state->row_count = count;
    state->row_capacity = capacity;
    return STATUS_OK;
}

/* What brings `now` back to what it was.  Rows that a reader was shown are never overwritten, so
 * the mark of the most shown stays with the file. */
static struct row undo_of(const struct row *was, const struct row *now)
{
    struct row undo;

    if (was) {
        undo = *was;
        undo.journaled = 0;
        if (was->number == now->number)
            undo.high = MAX(was->high, now->high);
        return undo;
    }
    undo = (struct row){0};
    memcpy(undo.name, now->name, sizeof undo.name);
    return undo;
}

enum status state_apply(struct state *state, const struct row *rows, size_t row_count,
                        struct error *err)
{
    struct row *undo = mem_alloc(row_count * sizeof *undo);
    size_t at = 0;
    bool same_names = state->rows != NULL;

    if (!undo)
        return no_memory(err);
    for (size_t i = 0; i < row_count; i++) {
        const struct row *was = at < state->row_count ? &state->rows[at] : NULL;

        if (!was ||
            strcmp(was->name, rows[i].name) != 0) /* a batch of all symbols needs no search */
            was = state_find(state, rows[i].name);
        undo[i] = undo_of(was, &rows[i]);
        same_names &= was && rows[i].number != 0;
        at = was ? (size_t)(was - state->rows) + 1 : at;
    }
    if (same_names) {
        for (size_t i = 0; i < row_count; i++)
            state->rows[lower_bound(state->rows, state->row_count, rows[i].name)] = rows[i];
    } else {
        enum status status = merge_rows(state, rows, row_count, err);

        if (status != STATUS_OK) {
            mem_free(undo);
            return status;
        }
    }
    mem_free(state->undo);
    state->undo = undo;
    state->undo_count = state->undo_capacity = row_count;
    return STATUS_OK;
}

/* ---- loading --------------------------------------------------------------------------------- */

void journal_deinit(struct journal *journal)
{
    mem_free(journal->bytes);
    state_deinit(&journal->state);
    *journal = (struct journal){0};
}

static const struct record_head *record_at(const struct journal *journal, size_t at)
{
    return (const void *)(journal->bytes + at);
}

static const struct row *record_rows(const struct record_head *head)
{
    return (const void *)(head + 1);
}

static const struct row *record_undo(const struct record_head *head)
{
    return record_rows(head) + head->row_count;
}

static const struct disk_bar *record_bars(const struct record_head *head)
{
    return (const void *)(record_undo(head) + head->undo_count);
}

static size_t record_bytes(const struct record_head *head)
{
    return sizeof *head + (size_t)(head->row_count + head->undo_count) * sizeof(struct row) +
           (size_t)head->bar_count * sizeof(struct disk_bar);
}

/* Rows that follow the rules of the format, so that nothing after needs to ask again. */
static bool rows_are_sound(const struct record_head *head, const struct row *rows, uint64_t count,
                           bool absent)
{
    uint64_t journaled = 0;

    for (uint64_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];

        if (row->name[0] == 0 || row->name[SYMBOL_BYTES_MAX - 1] != 0 || row->number > head->number)
            return false;
        if (i > 0 && strcmp(rows[i - 1].name, row->name) >= 0)
            return false;
        if (row->number == 0 ? !absent || row->journaled > 0
                             : row->count < 1 || row->count > row->high || row->high > ROWS_MAX ||
                                   row->journaled > row->count || row->first_ms > row->last_ms)
            return false;
        journaled += row->journaled;
    }
    return rows == record_undo(head) || journaled == head->bar_count;
}

/* NULL where a whole record of the chain stands at `at`. */
static const char *record_fault(const struct journal *journal, size_t at, bool with_bars)
{
    const struct record_head *head = record_at(journal, at);
    size_t room = journal->length - at;
    bool is_base = at == HEADER_BYTES;

    if (room < sizeof *head || head->magic != RECORD_MAGIC || !SEALED(head))
        return "no whole record begins here";
    if (head->chain != journal->chain || (head->kind == RECORD_BASE) != is_base ||
        head->kind > RECORD_UNDO)
        return "the record does not belong behind the one before";
    if (head->row_count > JOURNAL_ROWS_MAX || head->undo_count > JOURNAL_ROWS_MAX ||
        head->bar_count > JOURNAL_BYTES_MAX / sizeof(struct disk_bar) || record_bytes(head) > room)
        return "the record is cut";
    if (!is_base && (head->number <= journal->state.number || head->undo_count > 0))
        return "the record's number is not after the one before";
    if (head->rows_check !=
        hash_bytes(record_rows(head),
                   (size_t)(head->row_count + head->undo_count) * sizeof(struct row), 0))
        return "the record's symbols are damaged";
    if (with_bars &&
        head->bars_check !=
            hash_bytes(record_bars(head), (size_t)head->bar_count * sizeof(struct disk_bar), 0))
        return "the record's bars are damaged";
    if (!rows_are_sound(head, record_rows(head), head->row_count, !is_base) ||
        !rows_are_sound(head, record_undo(head), head->undo_count, true))
        return "the record's symbols are not in order";
    return NULL;
}

static enum status apply_record(struct journal *journal, const struct record_head *head,
                                struct error *err)
{
    struct state *state = &journal->state;

    TRY(state_apply(state, record_rows(head), (size_t)head->row_count, err));
    if (head->kind == RECORD_BASE) {
        struct row *undo = mem_alloc((size_t)head->undo_count * sizeof *undo);

        if (!undo)
            return no_memory(err);
        memcpy(undo, record_undo(head), (size_t)head->undo_count * sizeof *undo);
        mem_free(state->undo);
        state->undo = undo;
        state->undo_count = state->undo_capacity = (size_t)head->undo_count;
    }
    state->number = head->number;
    state->time_ms = head->time_ms;
    memcpy(state->who, head->who, sizeof state->who);
    state->who[sizeof state->who - 1] = 0;
    journal->chain = head->check;
    return STATUS_OK;
}

/* Reads records until the stop, or the first that is none.  Before `known` every record was once
 * synced, so one that is damaged there is damage, and not the trace of a power cut. */
static enum status scan(struct journal *journal, size_t known, size_t stop,
                        enum journal_purpose purpose, const char *path, struct error *err)
{
    const struct journal_head *head = (const void *)journal->bytes;

    journal->chain = head->salt;
    journal->end = HEADER_BYTES;
    while (journal->end < stop) {
        /* A writer lays the bars into the files, now or at the checkpoint. */
        bool with_bars = purpose != FOR_READING || journal->end >= journal->applied;
        const char *fault = record_fault(journal, journal->end, with_bars);

        if (fault && (journal->end < known || journal->end == HEADER_BYTES))
            return fail(err, STATUS_CORRUPT,
                        "%s: at byte %zu: %s; harrier verify --repair may save it", path,
                        journal->end, fault);
        if (fault)
            break;
        TRY(apply_record(journal, record_at(journal, journal->end), err));
        journal->end += record_bytes(record_at(journal, journal->end));
        journal->record_count++;
    }
    if (journal->end < known || journal->record_count == 0 || journal->end > MAX(stop, known))
        return fail(err, STATUS_CORRUPT, "%s: it ends at byte %zu, before its last batch does",
                    path, journal->end);
    return STATUS_OK;
}

static enum status read_bytes(struct journal *journal, struct env *env, struct env_file *file,
                              const char *path, struct error *err)
{
    struct file_info info;

    mem_free(journal->bytes);
    journal->bytes = NULL;
    TRY(env->calls->info(env, file, &info, err));
    if (info.bytes > JOURNAL_BYTES_MAX)
        return fail(err, STATUS_CORRUPT, "%s: %" PRIu64 " bytes are too many for a journal", path,
                    info.bytes);
    journal->capacity = (size_t)info.bytes;
    journal->bytes = mem_alloc(journal->capacity);
    if (!journal->bytes)
        return fail(err, STATUS_MEMORY, "%s: no memory for its %zu bytes", path, journal->capacity);
    return env->calls->read(env, file, journal->bytes, journal->capacity, 0, &journal->length, err);
}

static const struct journal_stamp *stamp_of(const struct journal *journal)
{
    return (const void *)(journal->bytes + STAMP_AT);
}

static enum status check_head(const struct journal *journal, const char *path, struct error *err)
{
    const struct journal_head *head = (const void *)journal->bytes;

    ASSERT(head);
    if (journal->length < sizeof head->guard)
        return fail(err, STATUS_CORRUPT, "%s: %zu bytes cannot hold a header", path,
                    journal->length);
    TRY(guard_check(&head->guard, JOURNAL_MAGIC, path, err));
    if (journal->length < HEADER_BYTES || !SEALED(head))
        return fail(err, STATUS_CORRUPT,
                    "%s: its header is damaged; harrier verify --repair may save it", path);
    return STATUS_OK;
}

/* A reader may come while the writer writes the stamp or the file grows: then it looks again. */
static enum status read_settled(struct journal *journal, struct env *env, struct env_file *file,
                                const char *path, struct error *err)
{
    enum { ATTEMPTS = 20 };

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        const struct journal_stamp *stamp;

        TRY(read_bytes(journal, env, file, path, err));
        TRY(check_head(journal, path, err));
        stamp = stamp_of(journal);
        journal->stamp_valid = SEALED(stamp);
        if (journal->stamp_valid && stamp->end <= journal->length)
            break;
    }
    return STATUS_OK;
}

static enum status load(struct journal *journal, struct env *env, struct env_file *file,
                        enum journal_purpose purpose, const char *path, struct error *err)
{
    const struct journal_stamp *stamp;
    unsigned char boot[16];
    size_t known = 0, stop;

    TRY(read_settled(journal, env, file, path, err));
    stop = journal->length;
    stamp = stamp_of(journal);
    env->calls->boot_id(env, boot);
    if (journal->stamp_valid) {
        known = (size_t)MIN(stamp->end, JOURNAL_BYTES_MAX);
        if (memcmp(stamp->boot, boot, sizeof boot) == 0) {
            journal->applied = known;
            if (purpose == FOR_READING)
                stop = MIN(stop, known);
        }
    }
    return scan(journal, known, stop, purpose, path, err);
}

enum status journal_load(struct journal *journal, const struct place *place,
                         enum journal_purpose purpose, struct error *err)
{
    struct env *env = place->env;
    char path[PATH_BYTES_MAX];
    struct env_file *file;
    enum status status;

    *journal = (struct journal){0};
    place_file(place, "journal", path);
    TRY(env->calls->open(env, &file, path, OPEN_READ, err));
    status = load(journal, env, file, purpose, path, err);
    env->calls->close(env, file);
    if (status != STATUS_OK)
        journal_deinit(journal);
    return status;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void record_begin(struct record_head *head, const struct batch_mark *mark, uint64_t chain)
{
    *head = (struct record_head){.magic = RECORD_MAGIC,
                                 .kind = mark->kind,
                                 .number = mark->number,
                                 .chain = chain,
                                 .time_ms = mark->time_ms};
    memcpy(head->who, mark->who, sizeof head->who);
}

static void record_seal(struct record_head *head)
{
    head->rows_check = hash_bytes(
        record_rows(head), (size_t)(head->row_count + head->undo_count) * sizeof(struct row), 0);
    head->bars_check = hash_bytes(record_bars(head),
                                  (size_t)head->bar_count * sizeof(struct disk_bar), 0);
    SEAL(head);
}

static enum status make_room(struct journal *journal, size_t bytes, struct error *err)
{
    void *grown = journal->bytes;

    if (bytes > JOURNAL_BYTES_MAX - journal->end)
        return fail(err, STATUS_LIMIT, "the batch is larger than a journal may be (%d bytes)",
                    JOURNAL_BYTES_MAX);
    if (mem_grow(&grown, &journal->capacity, journal->end + bytes, 1) != 0)
        return fail(err, STATUS_MEMORY, "no memory for a batch of %zu bytes", bytes);
    journal->bytes = grown;
    return STATUS_OK;
}

enum status journal_add(struct journal *journal, const struct batch_mark *mark,
                        const struct row *rows, size_t row_count,
                        const struct disk_bar *const *bars, struct error *err)
{
    struct record_head head;
    uint64_t bar_count = 0;
    struct record_head *record;
    struct disk_bar *out;

    for (size_t i = 0; i < row_count; i++)
        bar_count += rows[i].journaled;
    record_begin(&head, mark, journal->chain);
    head.row_count = row_count;
    head.bar_count = bar_count;
    TRY(make_room(journal, record_bytes(&head), err));
    record = (void *)(journal->bytes + journal->end);
    *record = head;
    memcpy(record + 1, rows, row_count * sizeof *rows);
    out = (void *)(journal->bytes + journal->end + sizeof head + row_count * sizeof *rows);
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].journaled > 0) {
            memcpy(out, bars[i], (size_t)rows[i].journaled * sizeof *out);
            out += rows[i].journaled;
        }
    record_seal(record);
    journal->length = journal->end + record_bytes(record);
    return STATUS_OK;
}

enum status journal_push(struct journal *journal, struct env *env, struct env_file *file,
                         struct error *err)
{
    const struct journal_stamp none = {.end = 0};
    struct error ignored;
    enum status status = env->calls->write(env, file, journal->bytes + journal->end,
                                           journal->length - journal->end, journal->end, err);

    if (status == STATUS_OK)
        status = env->calls->sync(env, file, err);
    if (status != STATUS_OK) {
        /* Nobody may find later what the caller was told is not there: without a stamp the next
         * writer looks at the whole journal and makes certain of it. */
        env->calls->truncate(env, file, journal->end, &ignored);
        env->calls->write(env, file, &none, sizeof none, STAMP_AT, &ignored);
        journal->length = journal->end;
        return status;
    }
    journal->chain = record_at(journal, journal->end)->check;
    journal->end = journal->length;
    journal->record_count++;
    return STATUS_OK;
}

static struct journal_stamp stamp_make(const struct writer_mark *mark, size_t end, uint64_t number)
{
    struct journal_stamp stamp = {.writer = mark->writer, .end = end, .number = number};

    memcpy(stamp.boot, mark->boot, sizeof stamp.boot);
    SEAL(&stamp);
    return stamp;
}

enum status journal_stamp(struct journal *journal, struct env *env, struct env_file *file,
                          const struct writer_mark *mark, struct error *err)
{
    struct journal_stamp stamp = stamp_make(mark, journal->end, journal->state.number);

    TRY(env->calls->write(env, file, &stamp, sizeof stamp, STAMP_AT, err));
    journal->applied = journal->end;
    return STATUS_OK;
}

static void fill_base(char *bytes, size_t length, const struct state *state,
                      const struct writer_mark *mark, uint64_t salt)
{
    struct journal_head *head = (void *)bytes;
    struct journal_stamp stamp = stamp_make(mark, length, state->number);
    struct record_head *record = (void *)(bytes + HEADER_BYTES);
    struct batch_mark base = {
        .kind = RECORD_BASE, .number = state->number, .time_ms = state->time_ms};
    struct row *rows = (void *)(record + 1);

    guard_make(&head->guard, JOURNAL_MAGIC);
    head->salt = salt;
    SEAL(head);
    memcpy(bytes + STAMP_AT, &stamp, sizeof stamp);
    memcpy(base.who, state->who, sizeof base.who);
    record_begin(record, &base, salt);
    record->row_count = state->row_count;
    record->undo_count = state->undo_count;
    if (state->row_count)
        memcpy(rows, state->rows, state->row_count * sizeof *rows);
    if (state->undo_count)
        memcpy(rows + state->row_count, state->undo, state->undo_count * sizeof *rows);
    for (size_t i = 0; i < state->row_count; i++)
        rows[i].journaled = 0;
    record_seal(record);
}

static enum status write_new(struct env *env, const char *path, const char *bytes, size_t length,
                             struct error *err)
{
    struct env_file *file;
    enum status status;

    TRY(env->calls->open(env, &file, path, OPEN_CREATE, err));
    status = env->calls->truncate(env, file, 0, err);
    if (status == STATUS_OK)
        status = env->calls->write(env, file, bytes, length, 0, err);
    if (status == STATUS_OK)
        status = env->calls->sync(env, file, err);
    env->calls->close(env, file);
    return status;
}

enum status journal_renew(const struct place *place, const struct state *state,
                          const struct writer_mark *mark, struct error *err)
{
    struct env *env = place->env;
    size_t length = HEADER_BYTES + sizeof(struct record_head) +
                    (state->row_count + state->undo_count) * sizeof(struct row);
    char path[PATH_BYTES_MAX], new_path[PATH_BYTES_MAX];
    char *bytes = mem_zero(1, length);
    uint64_t salt;
    enum status status;

    if (!bytes)
        return no_memory(err);
    env->calls->random_bytes(env, &salt, sizeof salt);
    fill_base(bytes, length, state, mark, salt);
    place_file(place, "journal", path);
    place_file(place, "journal.new", new_path);
    status = write_new(env, new_path, bytes, length, err);
    mem_free(bytes);
    TRY(status);
    TRY(env->calls->rename(env, new_path, path, err));
    return env->calls->sync_directory(env, place->path, err);
}

/* ---- bars that the journal holds ------------------------------------------------------------- */

/* The row of the state, or else of its undo, that refers to this file: its place in rows, then
 * undo. */
static bool place_of_file(const struct state *state, const struct row *file, size_t *place)
{
    size_t at = lower_bound(state->rows, state->row_count, file->name);

    *place = at;
    if (at < state->row_count && strcmp(state->rows[at].name, file->name) == 0 &&
        state->rows[at].number == file->number)
        return true;
    at = lower_bound(state->undo, state->undo_count, file->name);
    *place = state->row_count + at;
    return at < state->undo_count && strcmp(state->undo[at].name, file->name) == 0 &&
           state->undo[at].number == file->number;
}

enum status journal_changed(const struct journal *journal, struct row **rows, size_t *count,
                            struct error *err)
{
    const struct state *state = &journal->state;
    size_t all = state->row_count + state->undo_count, place;
    bool *changed = mem_zero(all, sizeof *changed);

    *count = 0;
    *rows = mem_alloc(all * sizeof **rows);
    if (!*rows || !changed) {
        mem_free(*rows);
        mem_free(changed);
        return no_memory(err);
    }
    for (size_t at = HEADER_BYTES; at < journal->end; at += record_bytes(record_at(journal, at))) {
        const struct record_head *head = record_at(journal, at);

        for (size_t i = 0; i < head->row_count && head->kind != RECORD_BASE; i++)
            if (record_rows(head)[i].number && place_of_file(state, &record_rows(head)[i], &place))
                changed[place] = true;
    }
    for (size_t i = 0; i < all; i++)
        if (changed[i])
            (*rows)[(*count)++] = i < state->row_count ? state->rows[i]
                                                       : state->undo[i - state->row_count];
    mem_free(changed);
    return STATUS_OK;
}

struct tail tail_begin(const struct journal *journal, const struct row *row)
{
    return (struct tail){.journal = journal, .row = row, .at = HEADER_BYTES};
}

bool tail_next(struct tail *tail, struct tail_piece *piece)
{
    while (tail->at < tail->journal->end) {
        const struct record_head *head = record_at(tail->journal, tail->at);
        const struct row *rows = record_rows(head);
        size_t at = lower_bound(rows, (size_t)head->row_count, tail->row->name);

        tail->at += record_bytes(head);
        if (head->kind != RECORD_BATCH || at == head->row_count ||
            strcmp(rows[at].name, tail->row->name) != 0 || rows[at].number != tail->row->number ||
            rows[at].journaled == 0)
            continue;
        piece->from = rows[at].count - rows[at].journaled;
        piece->count = rows[at].journaled;
        piece->bars = record_bars(head);
        for (size_t i = 0; i < at; i++)
            piece->bars += rows[i].journaled;
        return true;
    }
    return false;
}
