/* Verify: reads and hashes every committed byte of a market.  It changes nothing; repair.c does. */
#include "store/verify.h"

#include <stdio.h>
#include <string.h>

#include "store/market.h"
#include "store/view.h"

/* ---- one file -------------------------------------------------------------------------------- */

static bool slot_is_sound(const unsigned char *header, size_t at)
{
    struct column_slot slot;

    memcpy(&slot, header + at, sizeof slot);
    return SEALED(&slot) || bytes_are_zero(&slot, sizeof slot);
}

/* What stands between the parts of a header is zero. */
static bool gaps_are_zero(const unsigned char *header)
{
    static const struct {
        size_t begin, end;
    } gaps[] = {
        {sizeof(struct column_head), SLOT_A_AT},
        {SLOT_A_AT + sizeof(struct column_slot), SLOT_B_AT},
        {SLOT_B_AT + sizeof(struct column_slot), VISIBLE_AT},
        {VISIBLE_AT + sizeof(struct column_slot), HEADER_BYTES},
    };

    for (size_t i = 0; i < ARRAY_COUNT(gaps); i++)
        if (!bytes_are_zero(header + gaps[i].begin, gaps[i].end - gaps[i].begin))
            return false;
    return true;
}

/* A writer may be writing a slot just now: what is wrong must stay wrong. */
static enum status header_verify(const struct place *place, const struct row *row, const void *map,
                                 struct error *err)
{
    enum { ATTEMPTS = 5, PAUSE_MS = 2 };
    const unsigned char *header = map;

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (slot_is_sound(header, SLOT_A_AT) && slot_is_sound(header, SLOT_B_AT) &&
            slot_is_sound(header, VISIBLE_AT) && gaps_are_zero(header))
            return STATUS_OK;
        place->env->calls->sleep_ms(place->env, PAUSE_MS);
    }
    return fail(err, STATUS_CORRUPT, "%s/%s: the header of its file %llu is damaged", place->market,
                row->name, (unsigned long long)row->number);
}

static enum status bars_verify(const struct place *place, const struct row *row,
                               const struct bars *bars, struct error *err)
{
    const char *fault;
    size_t at;

    if (env_is_stopped(place->env))
        return fail(err, STATUS_INTERRUPTED, "interrupted: not every bar was read");
    if (!hash128_equal(bars_hash((struct hash128){0}, bars, 0), row->hash))
        return fail(err, STATUS_CORRUPT,
                    "%s/%s: the bars in its file %llu are not those that were committed",
                    place->market, row->name, (unsigned long long)row->number);
    fault = bars_fault(bars, &at);
    if (fault)
        return fail(err, STATUS_CORRUPT, "%s/%s: bar %zu of %zu: %s", place->market, row->name,
                    at + 1, bars->count, fault);
    return STATUS_OK;
}

enum status file_verify(const struct place *place, const struct journal *journal,
                        const struct row *row, struct error *err)
{
    struct view view;
    enum status status;

    TRY(view_open(&view, place, journal, row, err));
    status = bars_verify(place, row, &view.bars, err);
    if (status == STATUS_OK && !view_has_journal(&view.bars, journal, row))
        status = fail(err, STATUS_CORRUPT, "%s/%s: the journal has other bars than its file %llu",
                      place->market, row->name, (unsigned long long)row->number);
    if (status == STATUS_OK)
        status = header_verify(place, row, view.file.map, err);
    view_close(&view, place->env);
    return status;
}

/* ---- a market -------------------------------------------------------------------------------- */

enum status report_problem(struct verify_report *report, const char *symbol, const char *text,
                           struct error *err)
{
    void *grown = report->problems;
    struct verify_problem *problem;

    if (mem_grow(&grown, &report->problem_capacity, report->problem_count + 1, sizeof *problem) !=
        0)
        return fail(err, STATUS_MEMORY, "no memory for the report");
    report->problems = grown;
    problem = &report->problems[report->problem_count++];
    snprintf(problem->symbol, sizeof problem->symbol, "%.*s", (int)sizeof problem->symbol - 1,
             symbol);
    snprintf(problem->text, sizeof problem->text, "%.*s", (int)sizeof problem->text - 1, text);
    return STATUS_OK;
}

void verify_report_deinit(struct verify_report *report)
{
    mem_free(report->problems);
    *report = (struct verify_report){0};
}

static bool journal_header_is_sound(const struct journal *journal)
{
    const char *bytes = journal->bytes;
    size_t head = sizeof(struct journal_head), stamp_end = STAMP_AT + sizeof(struct journal_stamp);

    return bytes_are_zero(bytes + head, STAMP_AT - head) &&
           bytes_are_zero(bytes + stamp_end, HEADER_BYTES - stamp_end);
}

static enum status verify_row(struct verify_report *report, const struct place *place,
                              const struct journal *journal, const struct row *row,
                              struct error *err)
{
    struct error problem;
    enum status status = file_verify(place, journal, row, &problem);

    report->bytes += HEADER_BYTES + (size_t)row->count * sizeof(struct disk_bar);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (status == STATUS_MEMORY || status == STATUS_INTERRUPTED)
        return fail(err, status, "%s", problem.text);
    return report_problem(report, row->name, problem.text, err);
}

static enum status verify_rows(struct verify_report *report, const struct place *place,
                               const struct journal *journal, struct error *err)
{
    const struct state *state = &journal->state;

    if (!journal->stamp_valid || !journal_header_is_sound(journal))
        TRY(report_problem(report, "",
                           "the header of the journal is damaged; nothing is lost by it", err));
    for (size_t i = 0; i < state->row_count; i++) {
        TRY(verify_row(report, place, journal, &state->rows[i], err));
        report->symbols++;
        report->bars += (size_t)state->rows[i].count;
    }
    for (size_t i = 0; i < state->undo_count; i++) {
        const struct row *undo = &state->undo[i], *row = state_find(state, undo->name);

        if (undo->number && !(row && row->number == undo->number))
            TRY(verify_row(report, place, journal, undo, err));
    }
    return STATUS_OK;
}

/* One look.  A journal that cannot be read is a problem, too. */
static enum status look(struct verify_report *report, const struct place *place, uint64_t *number,
                        struct error *err)
{
    struct journal journal;
    enum status status = journal_load(&journal, place, FOR_WRITING, err);

    *number = 0;
    if (status == STATUS_CORRUPT)
        return report_problem(report, "", err->text, err);
    TRY(status);
    *number = journal.state.number;
    report->bytes += journal.end;
    status = verify_rows(report, place, &journal, err);
    journal_deinit(&journal);
    return status;
}

/* Files without a journal are a market whose journal was lost. */
static enum status look_at_lost(struct verify_report *report, const struct place *place, bool *lost,
                                struct error *err)
{
    char **names, symbol[SYMBOL_BYTES_MAX];
    size_t count;
    uint64_t number;
    struct error ignored;

    *lost = false;
    if (place->env->calls->list(place->env, place->path, &names, &count, &ignored) != STATUS_OK)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++)
        *lost |= file_name_parse(names[i], symbol, &number);
    names_free(names, count);
    return *lost ? report_problem(report, "", "the journal is missing", err) : STATUS_OK;
}

/* What is found while others write may be their batch and no problem: then look once more. */
static enum status verify_market(struct verify_report *report, const struct place *place,
                                 struct error *err)
{
    enum { ATTEMPTS = 3 };
    uint64_t before, after = 0;

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct journal journal;
        struct error ignored;

        verify_report_deinit(report);
        TRY(look(report, place, &before, err));
        if (report->problem_count == 0)
            break;
        if (journal_load(&journal, place, FOR_WRITING, &ignored) == STATUS_OK) {
            after = journal.state.number;
            journal_deinit(&journal);
        }
        if (after == before)
            break;
    }
    return STATUS_OK;
}

enum status store_verify(struct env *env, const char *data_dir, const struct market_name *market,
                         bool repair, struct verify_report *report, struct error *err)
{
    struct place place;
    enum status status;
    bool lost = false;

    *report = (struct verify_report){0};
    TRY(place_init(&place, env, data_dir, market, err));
    status = verify_market(report, &place, err);
    if (status == STATUS_MISSING) {
        status = look_at_lost(report, &place, &lost, err);
        if (status == STATUS_OK && !lost)
            status = market_missing(env, data_dir, market, err);
    }
    if (status == STATUS_OK && repair && report->problem_count > 0)
        status = market_repair(env, data_dir, market, report, err);
    if (status != STATUS_OK)
        verify_report_deinit(report);
    return status;
}
