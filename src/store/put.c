/* Putting rows into a batch, taking symbols out of it.  A put that fails leaves the batch as it
 * was: what it wrote stands behind the rows that count, or in a file that nothing refers to. */
#include <stdio.h>
#include <string.h>

#include "store/writer.h"

static enum status check_symbol(struct text symbol, char name[SYMBOL_BYTES_MAX], struct error *err)
{
    TRY(symbol_check(symbol, err));
    memset(name, 0, SYMBOL_BYTES_MAX);
    memcpy(name, symbol.at, symbol.length);
    return STATUS_OK;
}

/* ---- merging --------------------------------------------------------------------------------- */

static bool bars_are_equal(const struct bars *a, size_t i, const struct bars *b, size_t j)
{
    for (int c = 0; c < BAR_COLUMNS; c++)
        if (a->column[c][i] != b->column[c][j])
            return false;
    return true;
}

/* How rows lie to those stored. */
struct comparison {
    size_t inner; /* new, before the last stored one */
    size_t after; /* new, behind it: the last so many of the rows */
    size_t same;
    size_t contradicted, first_contradicted;
};

static struct comparison compare(const struct bars *old, const struct bars *rows)
{
    struct comparison found = {0};
    size_t i = rows->count ? bars_find(old, rows->time[0]) : 0, j = 0;

    while (j < rows->count && i < old->count) {
        if (old->time[i] < rows->time[j]) {
            i++;
        } else if (old->time[i] > rows->time[j]) {
            found.inner++;
            j++;
        } else {
            if (bars_are_equal(old, i, rows, j))
                found.same++;
            else if (found.contradicted++ == 0)
                found.first_contradicted = j;
            i++;
            j++;
        }
    }
    found.after = rows->count - j;
    return found;
}

/* Columns of our own in one block. */
struct columns {
    double *block;
    size_t room, count;
};

static void columns_add(struct columns *columns, const struct bars *from, size_t i)
{
    double *at = columns->block + columns->count++;

    memcpy(at, &from->time[i], sizeof *at);
    for (int c = 0; c < BAR_COLUMNS; c++)
        at[(size_t)(1 + c) * columns->room] = from->column[c][i];
}

static struct bars columns_bars(const struct columns *columns)
{
    struct bars bars = {.count = columns->count, .time = (const void *)columns->block};

    for (int c = 0; c < BAR_COLUMNS; c++)
        bars.column[c] = columns->block + (size_t)(1 + c) * columns->room;
    return bars;
}

static void merge(struct columns *merged, const struct bars *old, const struct bars *rows,
                  bool replace)
{
    size_t i = 0, j = 0;

    while (i < old->count || j < rows->count) {
        if (j == rows->count || (i < old->count && old->time[i] < rows->time[j])) {
            columns_add(merged, old, i++);
        } else if (i == old->count || old->time[i] > rows->time[j]) {
            columns_add(merged, rows, j++);
        } else {
            columns_add(merged, replace ? rows : old, replace ? j : i);
            i++;
            j++;
        }
    }
}

/* ---- putting --------------------------------------------------------------------------------- */

static void drop_journaled(struct writer *writer, struct change *change)
{
    writer->journaled_bytes -= (size_t)change->row.journaled * sizeof *change->bars;
    change->row.journaled = 0;
}

/* Room to remember files that are given up, so that afterwards nothing can fail. */
static enum status reserve_garbage(struct writer *writer, size_t more, struct error *err)
{
    void *grown = writer->garbage;

    if (mem_grow(&grown, &writer->garbage_capacity, writer->garbage_count + more,
                 sizeof *writer->garbage) != 0)
        return fail(err, STATUS_MEMORY, "no memory for the batch");
    writer->garbage = grown;
    return STATUS_OK;
}

static void give_up_file(struct writer *writer, struct change *change)
{
    if (change->made && change->row.number)
        writer->garbage[writer->garbage_count++] = change->row;
    drop_journaled(writer, change);
}

/* The symbol becomes a file of its own, made of pieces; `row` has the hash. */
static enum status put_file(struct writer *writer, struct change *change, struct row row,
                            const struct bars *pieces, size_t piece_count, struct error *err)
{
    const struct bars *last = &pieces[piece_count - 1];

    ASSERT(pieces[0].time && last->time);
    TRY(reserve_garbage(writer, 1, err));
    row.number = writer->number + 1;
    row.count = 0;
    for (size_t i = 0; i < piece_count; i++)
        row.count += pieces[i].count;
    row.high = row.count;
    row.journaled = 0;
    row.first_ms = pieces[0].time[0];
    row.last_ms = last->time[last->count - 1];
    TRY(column_create(&writer->place, &row, pieces, piece_count, err));
    give_up_file(writer, change);
    change->row = row;
    change->made = true;
    writer->number++;
    writer->made_files = true;
    change->unsynced = true;
    return STATUS_OK;
}

static enum status put_grown(struct writer *writer, struct change *change, struct row row,
                             const struct bars *rows, struct error *err)
{
    struct column_view view;
    struct bars pieces[2];
    enum status status;

    TRY(column_map(&view, &writer->place, &change->row, true, err));
    pieces[0] = view.bars;
    pieces[1] = *rows;
    status = put_file(writer, change, row, pieces, 2, err);
    status = writer_trust(writer, &view, change->row.name, status, err);
    column_unmap(&view, writer->env);
    return status;
}

/* Keeps the new rows for the record, if they are few. */
static enum status keep_for_record(struct writer *writer, struct change *change, struct row *row,
                                   const struct bars *rows, bool *kept, struct error *err)
{
    bool all_kept = change->row.journaled == change->row.count - change->from;
    void *grown = change->bars;
    struct disk_bar *out;

    *kept = !change->made && all_kept &&
            change->row.journaled + rows->count <= JOURNALED_BARS_MAX &&
            writer->journaled_bytes + rows->count * sizeof *out <= JOURNALED_BYTES_MAX;
    if (!*kept)
        return STATUS_OK;
    if (mem_grow(&grown, &change->bar_capacity, (size_t)row->journaled + rows->count,
                 sizeof *out) != 0)
        return fail(err, STATUS_MEMORY, "no memory for %zu bars", rows->count);
    change->bars = grown;
    out = change->bars + row->journaled;
    for (size_t i = 0; i < rows->count; i++, out++) {
        out->time_ms = rows->time[i];
        for (int c = 0; c < BAR_COLUMNS; c++)
            out->column[c] = rows->column[c][i];
    }
    row->journaled += rows->count;
    return STATUS_OK;
}

/* Rows behind the last one: into the same file, where no reader was ever shown more of it than
 * there is now (after an undo one was) and there is room. */
static enum status put_behind(struct writer *writer, struct change *change, const struct bars *rows,
                              struct error *err)
{
    struct row row = change->row;
    bool fits = false, kept;

    row.hash = bars_hash(row.hash, rows, row.count);
    if (row.count >= row.high)
        TRY(column_append(&writer->place, &change->row, rows, &fits, err));
    if (!fits)
        return put_grown(writer, change, row, rows, err);
    TRY(keep_for_record(writer, change, &row, rows, &kept, err));
    row.count += rows->count;
    row.last_ms = rows->time[rows->count - 1];
    if (kept) {
        writer->journaled_bytes += rows->count * sizeof *change->bars;
    } else {
        drop_journaled(writer, change);
        row.journaled = 0;
        change->unsynced = true;
    }
    change->row = row;
    return STATUS_OK;
}

static enum status put_merged(struct writer *writer, struct change *change, const struct bars *old,
                              const struct bars *rows, bool replace, struct error *err)
{
    /* Room for whatever is found: a map whose file is cut may change under us. */
    size_t count = old->count + rows->count;
    struct columns merged = {.room = count};
    struct row row = change->row;
    struct bars bars;
    enum status status;

    if (count > SIZE_MAX / sizeof(struct disk_bar))
        return fail(err, STATUS_LIMIT, "%zu bars are more than memory can hold", count);
    merged.block = mem_alloc(count * sizeof(struct disk_bar));
    if (!merged.block)
        return fail(err, STATUS_MEMORY, "no memory for %zu bars", count);
    merge(&merged, old, rows, replace);
    bars = columns_bars(&merged);
    row.hash = bars_hash((struct hash128){0}, &bars, 0);
    status = put_file(writer, change, row, &bars, 1, err);
    mem_free(merged.block);
    return status;
}

static enum status put_between(struct writer *writer, struct change *change,
                               const struct bars *rows, bool replace, struct put_result *result,
                               struct error *err)
{
    struct column_view view;
    struct comparison found;
    struct bars after;
    enum status status = STATUS_OK;

    TRY(column_map(&view, &writer->place, &change->row, true, err));
    found = compare(&view.bars, rows);
    after = bars_slice(rows, rows->count - found.after, rows->count);
    if (found.inner > 0 || (replace && found.contradicted > 0))
        status = put_merged(writer, change, &view.bars, rows, replace, err);
    else if (found.after > 0)
        status = put_behind(writer, change, &after, err);
    status = writer_trust(writer, &view, change->row.name, status, err);
    column_unmap(&view, writer->env);
    *result = (struct put_result){.added = found.inner + found.after,
                                  .same = found.same,
                                  .replaced = replace ? found.contradicted : 0,
                                  .contradicted = replace ? 0 : found.contradicted,
                                  .first_contradicted = found.first_contradicted};
    return status;
}

enum status writer_put(struct writer *writer, struct text symbol, const struct bars *rows,
                       bool replace, struct put_result *result, struct error *err)
{
    char name[SYMBOL_BYTES_MAX];
    struct change *change;
    const char *fault;
    size_t at;

    *result = (struct put_result){0};
    TRY(writer_check(writer, err));
    TRY(check_symbol(symbol, name, err));
    fault = bars_fault(rows, &at);
    if (fault)
        return fail(err, STATUS_REFUSED, "%s: bar %zu of %zu cannot be stored: %s", name, at + 1,
                    rows->count, fault);
    if (rows->count == 0)
        return STATUS_OK;
    TRY(change_add(writer, &change, name, err));
    column_unmap(&change->view, writer->env);
    if (change->row.number && rows->time[0] <= change->row.last_ms)
        return put_between(writer, change, rows, replace, result, err);
    result->added = rows->count;
    if (change->row.number)
        return put_behind(writer, change, rows, err);
    change->row.hash = bars_hash((struct hash128){0}, rows, 0);
    return put_file(writer, change, change->row, rows, 1, err);
}

/* ---- other changes --------------------------------------------------------------------------- */

static enum status not_there(const struct writer *writer, const char *name, struct error *err)
{
    return fail(err, STATUS_MISSING, "there is no symbol %s in %s", name, writer->place.market);
}

static enum status remove_symbol(struct writer *writer, const char *name, struct error *err)
{
    struct change *change;

    TRY(change_add(writer, &change, name, err));
    TRY(reserve_garbage(writer, 1, err));
    column_unmap(&change->view, writer->env);
    give_up_file(writer, change);
    memset(&change->row, 0, sizeof change->row);
    row_rename(&change->row, text_of(name));
    change->made = change->unsynced = false;
    return STATUS_OK;
}

enum status writer_remove(struct writer *writer, struct text symbol, struct error *err)
{
    char name[SYMBOL_BYTES_MAX];

    TRY(writer_check(writer, err));
    TRY(check_symbol(symbol, name, err));
    if (!writer_row(writer, name))
        return not_there(writer, name, err);
    return remove_symbol(writer, name, err);
}

enum status writer_bars(struct writer *writer, struct text symbol, struct bars *bars,
                        struct error *err)
{
    char name[SYMBOL_BYTES_MAX];
    struct change *change;

    TRY(writer_check(writer, err));
    TRY(check_symbol(symbol, name, err));
    if (!writer_row(writer, name))
        return not_there(writer, name, err);
    TRY(change_add(writer, &change, name, err));
    if (!change->view.map)
        TRY(column_map(&change->view, &writer->place, &change->row, true, err));
    *bars = change->view.bars;
    return STATUS_OK;
}

/* A file says whose it is, so the bars go to a new one. */
enum status writer_rename(struct writer *writer, struct text from, struct text to,
                          struct error *err)
{
    char name[SYMBOL_BYTES_MAX], new_name[SYMBOL_BYTES_MAX];
    struct change *change;
    struct bars bars = {0};
    enum status status;

    TRY(writer_check(writer, err));
    TRY(check_symbol(from, name, err));
    TRY(check_symbol(to, new_name, err));
    if (writer_row(writer, new_name))
        return fail(err, STATUS_REFUSED, "there is a symbol %s in %s already", new_name,
                    writer->place.market);
    TRY(reserve_garbage(writer, 2, err));
    TRY(writer_bars(writer, from, &bars, err));
    TRY(change_add(writer, &change, new_name, err));
    change->row.hash = writer_row(writer, name)->hash;
    status = put_file(writer, change, change->row, &bars, 1, err);
    TRY(writer_trust(writer, &change_find(writer, name)->view, name, status, err));
    return remove_symbol(writer, name, err);
}
