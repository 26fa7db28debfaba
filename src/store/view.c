/* Views: mapped files, with the journal's bars over them where it must be. */
#include "store/view.h"

#include <string.h>

static bool have_same_bits(double a, double b)
{
    uint64_t a_bits, b_bits;

    memcpy(&a_bits, &a, sizeof a_bits);
    memcpy(&b_bits, &b, sizeof b_bits);
    return a_bits == b_bits;
}

static bool file_has(const struct bars *bars, const struct tail_piece *piece)
{
    for (uint64_t i = 0; i < piece->count && piece->from + i < bars->count; i++) {
        const struct disk_bar *bar = &piece->bars[i];
        uint64_t at = piece->from + i;

        if (bars->time[at] != bar->time_ms)
            return false;
        for (int c = 0; c < BAR_COLUMNS; c++)
            if (!have_same_bits(bars->column[c][at], bar->column[c]))
                return false;
    }
    return true;
}

bool view_has_journal(const struct bars *bars, const struct journal *journal, const struct row *row)
{
    struct tail tail = tail_begin(journal, row);
    struct tail_piece piece;

    while (tail_next(&tail, &piece))
        if (!file_has(bars, &piece))
            return false;
    return true;
}

enum status view_lay_over(struct view *view, const struct journal *journal, const struct row *row,
                          struct error *err)
{
    size_t count = (size_t)row->count;
    struct tail tail = tail_begin(journal, row);
    struct tail_piece piece;
    int64_t *time;

    view->block = mem_alloc(count * sizeof(struct disk_bar));
    if (!view->block)
        return fail(err, STATUS_MEMORY, "%s: no memory for %zu bars", row->name, count);
    time = (void *)view->block;
    memcpy(time, view->bars.time, count * sizeof *time);
    for (int c = 0; c < BAR_COLUMNS; c++)
        memcpy(view->block + (size_t)(1 + c) * count, view->bars.column[c], count * sizeof(double));
    while (tail_next(&tail, &piece))
        for (uint64_t i = 0; i < piece.count && piece.from + i < count; i++) {
            time[piece.from + i] = piece.bars[i].time_ms;
            for (int c = 0; c < BAR_COLUMNS; c++)
                view->block[(size_t)(1 + c) * count + piece.from + i] = piece.bars[i].column[c];
        }
    view->bars.time = time;
    for (int c = 0; c < BAR_COLUMNS; c++)
        view->bars.column[c] = view->block + (size_t)(1 + c) * count;
    return STATUS_OK;
}

static enum status fill(struct view *view, const struct place *place, const struct journal *journal,
                        const struct row *row, struct error *err)
{
    const struct bars *bars = &view->bars;

    if (!view_has_journal(bars, journal, row))
        TRY(view_lay_over(view, journal, row, err));
    if (bars->time[0] != row->first_ms || bars->time[row->count - 1] != row->last_ms)
        return fail(err, STATUS_CORRUPT, "%s/%s: its first or last bar is not that of the journal",
                    place->market, row->name);
    return STATUS_OK;
}

enum status view_open(struct view *view, const struct place *place, const struct journal *journal,
                      const struct row *row, struct error *err)
{
    bool is_applied = journal->applied == journal->end;
    enum status status = STATUS_OK;

    *view = (struct view){0};
    TRY(column_map(&view->file, place, row, is_applied, err));
    view->bars = view->file.bars;
    if (!is_applied)
        status = fill(view, place, journal, row, err);
    if (status != STATUS_OK)
        view_close(view, place->env);
    return status;
}

void view_close(struct view *view, struct env *env)
{
    column_unmap(&view->file, env);
    mem_free(view->block);
    *view = (struct view){0};
}
