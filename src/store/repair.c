/* Repair: what a damaged file still holds for certain goes into a new one.  A bar is kept only
 * where a hash vouches for it.  Nothing is thrown away: what cannot be used is renamed to
 * *.corrupt. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/verify.h"
#include "store/view.h"
#include "store/writer.h"

static void set_aside(const struct place *place, const char *name)
{
    char path[PATH_BYTES_MAX], aside[PATH_BYTES_MAX + 16];
    struct error ignored;

    place_file(place, name, path);
    snprintf(aside, sizeof aside, "%s.corrupt", path);
    place->env->calls->rename(place->env, path, aside, &ignored);
}

/* The larger count first: of what the file's own header says, which holds. */
static void slots_by_count(const void *map, struct column_slot slots[3])
{
    static const size_t at[3] = {VISIBLE_AT, SLOT_A_AT, SLOT_B_AT};

    for (int i = 0; i < 3; i++) {
        struct column_slot slot;
        int to = i;

        memcpy(&slot, (const char *)map + at[i], sizeof slot);
        if (!SEALED(&slot))
            slot.count = 0;
        for (; to > 0 && slots[to - 1].count < slot.count; to--)
            slots[to] = slots[to - 1];
        slots[to] = slot;
    }
}

/* Whether the first `count` bars are those that the hash stands for. */
static bool bars_hold(const struct bars *bars, uint64_t count, struct hash128 hash)
{
    struct bars first;
    size_t at;

    if (count == 0 || count > bars->count)
        return false;
    first = bars_slice(bars, 0, (size_t)count);
    return hash128_equal(bars_hash((struct hash128){0}, &first, 0), hash) &&
           !bars_fault(&first, &at);
}

/* ---- a journal that cannot be read ----------------------------------------------------------- */

/* The most that a file holds for certain by its own header. */
static bool row_of_file(struct row *row, const struct place *place)
{
    struct column_view view;
    struct column_slot slots[3];
    struct error ignored;
    bool found = false;

    if (column_map_damaged(&view, place, row->name, row->number, &ignored) != STATUS_OK)
        return false;
    slots_by_count(view.map, slots);
    for (int i = 0; i < 3 && !found; i++)
        if (bars_hold(&view.bars, slots[i].count, slots[i].hash)) {
            row->count = row->high = slots[i].count;
            row->first_ms = slots[i].first_ms;
            row->last_ms = slots[i].last_ms;
            row->hash = slots[i].hash;
            found = true;
        }
    column_unmap(&view, place->env);
    return found;
}

static enum status salvage_file(struct state *state, const struct place *place, const char *name,
                                struct error *err)
{
    struct row row = {.journaled = 0};
    const struct row *other;

    if (!file_name_parse(name, row.name, &row.number))
        return STATUS_OK;
    state->number = MAX(state->number, row.number);
    if (!row_of_file(&row, place)) {
        set_aside(place, name);
        return STATUS_OK;
    }
    other = state_find(state, row.name);
    return other && other->number > row.number ? STATUS_OK : state_apply(state, &row, 1, err);
}

/* The state as the files tell it: of every symbol the latest file that holds. */
static enum status salvage(struct state *state, const struct place *place, struct error *err)
{
    char **names;
    size_t count;
    enum status status;

    TRY(place->env->calls->list(place->env, place->path, &names, &count, err));
    status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = salvage_file(state, place, names[i], err);
    names_free(names, count);
    state->number++;
    state->undo_count = 0;
    return status;
}

static enum status renew_journal(const struct place *place, struct verify_report *report,
                                 struct error *err)
{
    struct env *env = place->env;
    struct writer_mark mark = {.writer = 0};
    struct state state = {0};
    char text[256];
    enum status status = salvage(&state, place, err);

    env->calls->boot_id(env, mark.boot);
    snprintf(state.who, sizeof state.who, "harrier verify");
    state.time_ms = clock_now_ms(env);
    if (status == STATUS_OK) {
        set_aside(place, "journal");
        status = journal_renew(place, &state, &mark, err);
    }
    snprintf(text, sizeof text,
             "the journal was lost: %zu symbols were put together from their files; what was "
             "removed last may be "
             "there again",
             state.row_count);
    if (status == STATUS_OK)
        status = report_problem(report, "", text, err);
    report->repaired += status == STATUS_OK;
    state_deinit(&state);
    return status;
}

static enum status make_journal_readable(const struct place *place, struct verify_report *report,
                                         struct error *err)
{
    struct env_file *lock;
    struct journal journal;
    enum status status;

    TRY(lock_take(&lock, place, "harrier verify", err));
    status = journal_load(&journal, place, FOR_WRITING, err);
    if (status == STATUS_OK)
        journal_deinit(&journal);
    else if (status == STATUS_CORRUPT || status == STATUS_MISSING)
        status = renew_journal(place, report, err);
    lock_give_back(lock, place->env);
    return status;
}

/* ---- files that do not hold what they should ------------------------------------------------- */

/* A damaged symbol, and what becomes of it. */
struct rescue {
    struct row row;    /* as it was */
    struct row better; /* as it will be; number 0: lost */
    bool whole;        /* no bar is lost */
};

/* What was written is read again, for the damaged file may be cut while it is mapped. */
static enum status rescue_bars(struct writer *writer, struct rescue *rescue,
                               const struct bars *bars, struct hash128 hash, struct error *err)
{
    struct row better = rescue->row;

    better.number = writer->number + 1;
    better.count = better.high = bars->count;
    better.first_ms = bars->time[0];
    better.last_ms = bars->time[bars->count - 1];
    better.hash = hash;
    TRY(column_create(&writer->place, &better, bars, 1, err));
    TRY(file_verify(&writer->place, &writer->journal, &better, err));
    TRY(column_sync(&writer->place, better.name, better.number, err));
    writer->number++;
    rescue->better = better;
    rescue->whole = bars->count == rescue->row.count;
    return STATUS_OK;
}

/* Of bars that may be damaged, as many as the journal's hash vouches for, or else one of the file's
 * own. */
static struct column_slot find_held(const struct bars *bars, const struct row *row,
                                    const void *header)
{
    struct column_slot slots[3];

    if (bars_hold(bars, row->count, row->hash))
        return (struct column_slot){.count = row->count, .hash = row->hash};
    slots_by_count(header, slots);
    for (int i = 0; i < 3; i++)
        if (slots[i].count <= row->count && bars_hold(bars, slots[i].count, slots[i].hash))
            return slots[i];
    return (struct column_slot){0};
}

/* The most that can be had of the damaged file, as it is or with the journal's bars over it. */
static enum status rescue_from_file(struct writer *writer, struct rescue *rescue, struct error *err)
{
    struct view view = {0};
    const struct row *row = &rescue->row;
    struct error ignored;
    struct bars plain, kept;
    struct column_slot held, held_over;
    enum status status;

    if (column_map_damaged(&view.file, &writer->place, row->name, row->number, &ignored) !=
        STATUS_OK)
        return STATUS_OK;
    view.bars = plain = view.file.bars;
    status = row->count <= plain.count ? view_lay_over(&view, &writer->journal, row, err)
                                       : STATUS_OK;
    if (status == STATUS_OK && row->count <= plain.count) {
        view.bars.count = (size_t)row->count;
        held = find_held(&plain, row, view.file.map);
        held_over = find_held(&view.bars, row, view.file.map);
        kept = held.count >= held_over.count ? plain : view.bars;
        held = held.count >= held_over.count ? held : held_over;
        kept = bars_slice(&kept, 0, (size_t)held.count);
        if (kept.count > 0)
            status = rescue_bars(writer, rescue, &kept, held.hash, err);
    }
    view_close(&view, writer->env);
    return status;
}

/* The file that the symbol had before the last batch. */
static void rescue_from_undo(const struct writer *writer, struct rescue *rescue)
{
    const struct state *state = &writer->journal.state;
    struct error ignored;

    for (size_t i = 0; i < state->undo_count; i++) {
        const struct row *undo = &state->undo[i];

        if (strcmp(undo->name, rescue->row.name) == 0 && undo->number &&
            undo->number != rescue->row.number &&
            file_verify(&writer->place, &writer->journal, undo, &ignored) == STATUS_OK)
            rescue->better = *undo;
    }
}

static enum status rescue_symbol(struct writer *writer, struct rescue *rescue, struct error *err)
{
    rescue->better = rescue->row;
    rescue->better.number = 0;
    TRY(rescue_from_file(writer, rescue, err));
    if (rescue->better.number == 0)
        rescue_from_undo(writer, rescue);
    return STATUS_OK;
}

static enum status report_rescue(struct verify_report *report, const struct rescue *rescue,
                                 struct error *err)
{
    const struct row *row = &rescue->row, *better = &rescue->better;
    char text[256];

    if (rescue->whole)
        snprintf(text, sizeof text, "all %" PRIu64 " bars were saved", row->count);
    else if (better->number > row->number)
        snprintf(text, sizeof text,
                 "the first %" PRIu64 " of %" PRIu64
                 " bars were saved; the file was set aside (*.corrupt)",
                 better->count, row->count);
    else if (better->number)
        snprintf(text, sizeof text,
                 "it has the %" PRIu64
                 " bars from before the last batch again; the file was set aside (*.corrupt)",
                 better->count);
    else
        snprintf(text, sizeof text, "%" PRIu64 " bars are lost; the file was set aside (*.corrupt)",
                 row->count);
    report->repaired++;
    return report_problem(report, row->name, text, err);
}

/* Everything that stands well is settled, and a new journal begins without what was damaged. */
static enum status begin_anew(struct writer *writer, const struct rescue *rescues, size_t count,
                              struct error *err)
{
    struct state next;
    struct row *changed;
    size_t changed_count, kept = 0;
    enum status status = STATUS_OK;

    TRY(state_copy(&next, &writer->journal.state, err));
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = state_apply(&next, &rescues[i].better, 1, err);
    next.undo_count = 0;
    next.number = ++writer->number;
    if (status == STATUS_OK)
        status = journal_changed(&writer->journal, &changed, &changed_count, err);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < changed_count; i++) {
            const struct row *row = state_find(&next, changed[i].name);

            if (row && row->number == changed[i].number)
                changed[kept++] = changed[i];
        }
        status = writer_settle(writer, changed, kept, err);
        mem_free(changed);
    }
    if (status == STATUS_OK)
        status = writer->env->calls->sync_directory(writer->env, writer->place.path, err);
    if (status == STATUS_OK)
        status = writer_renew(writer, &next, err);
    state_deinit(&next);
    return status;
}

/* The damaged files, now that nothing refers to them. */
static enum status clear_damaged(struct writer *writer, const struct rescue *rescues, size_t count,
                                 struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        char name[FILE_NAME_BYTES_MAX];

        file_name_make(name, rescues[i].row.name, rescues[i].row.number);
        if (rescues[i].whole)
            writer_remove_file(writer, rescues[i].row.name, rescues[i].row.number);
        else
            set_aside(&writer->place, name);
    }
    return writer->env->calls->sync_directory(writer->env, writer->place.path, err);
}

static enum status rescue_symbols(struct writer *writer, struct verify_report *report,
                                  struct error *err)
{
    const struct state *state = &writer->journal.state;
    struct rescue *rescues = mem_zero(state->row_count, sizeof *rescues);
    struct error problem;
    size_t count = 0;
    enum status status = STATUS_OK;

    if (!rescues)
        return fail(err, STATUS_MEMORY, "no memory to repair the market");
    for (size_t i = 0; i < state->row_count && status == STATUS_OK; i++) {
        if (file_verify(&writer->place, &writer->journal, &state->rows[i], &problem) == STATUS_OK)
            continue;
        if (problem.status != STATUS_CORRUPT && problem.status != STATUS_MISSING) {
            *err = problem;
            status = problem.status;
            break;
        }
        rescues[count].row = state->rows[i];
        status = rescue_symbol(writer, &rescues[count], err);
        if (status == STATUS_OK)
            status = report_rescue(report, &rescues[count++], err);
    }
    if (status == STATUS_OK)
        status = begin_anew(writer, rescues, count, err);
    if (status == STATUS_OK)
        status = clear_damaged(writer, rescues, count, err);
    mem_free(rescues);
    return status;
}

enum status market_repair(struct env *env, const char *data_dir, const struct market_name *market,
                          struct verify_report *report, struct error *err)
{
    struct place place;
    struct writer *writer;
    size_t found = report->problem_count;
    enum status status;

    report->problem_count = 0;
    TRY(place_init(&place, env, data_dir, market, err));
    TRY(make_journal_readable(&place, report, err));
    TRY(writer_open(&writer, env, data_dir, market, "harrier verify", err));
    status = rescue_symbols(writer, report, err);
    writer_close(writer);
    if (status == STATUS_OK && report->problem_count == 0) {
        /* The journal's header, or what undo needs: beginning anew has mended it. */
        report->repaired = found;
        status = report_problem(report, "", "the journal was written anew", err);
        report->repaired = report->problem_count;
    }
    return status;
}
