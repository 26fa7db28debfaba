/* Snapshots: the journal read once, files mapped when asked for.  Takes no lock and writes nothing.
 */
#include <stdatomic.h>
#include <string.h>

#include "store/market.h"
#include "store/view.h"

struct snapshot {
    struct place place;
    struct journal journal;
    _Atomic(struct view *) *views; /* each made once, and the same for every thread */
};

/* ---- opening --------------------------------------------------------------------------------- */

static enum status open_journal(struct snapshot *snapshot, const char *data_dir,
                                const struct market_name *market, struct error *err)
{
    struct env *env = snapshot->place.env;
    enum status status = journal_load(&snapshot->journal, &snapshot->place, FOR_READING, err);
    const struct state *state = &snapshot->journal.state;

    if (status == STATUS_MISSING || (status == STATUS_OK && state->number == 0))
        return market_missing(env, data_dir, market, err);
    TRY(status);
    snapshot->views = mem_zero(state->row_count, sizeof *snapshot->views);
    return snapshot->views ? STATUS_OK : fail(err, STATUS_MEMORY, "no memory to read the market");
}

enum status snapshot_open(struct snapshot **opened, struct env *env, const char *data_dir,
                          const struct market_name *market, struct error *err)
{
    struct snapshot *snapshot = mem_zero(1, sizeof *snapshot);
    enum status status;

    if (!snapshot)
        return fail(err, STATUS_MEMORY, "no memory to read the market");
    status = place_init(&snapshot->place, env, data_dir, market, err);
    if (status == STATUS_OK)
        status = open_journal(snapshot, data_dir, market, err);
    if (status != STATUS_OK) {
        snapshot_close(snapshot);
        return status;
    }
    *opened = snapshot;
    return STATUS_OK;
}

static void view_free(struct view *view, struct env *env)
{
    if (!view)
        return;
    view_close(view, env);
    mem_free(view);
}

void snapshot_close(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (size_t i = 0; snapshot->views && i < snapshot->journal.state.row_count; i++)
        view_free(snapshot->views[i], snapshot->place.env);
    mem_free(snapshot->views);
    journal_deinit(&snapshot->journal);
    mem_free(snapshot);
}

/* ---- what the journal says ------------------------------------------------------------------- */

static const struct row *row_of(const struct snapshot *snapshot, size_t symbol)
{
    ASSERT(symbol < snapshot->journal.state.row_count);
    return &snapshot->journal.state.rows[symbol];
}

size_t snapshot_symbol_count(const struct snapshot *snapshot)
{
    return snapshot->journal.state.row_count;
}

const char *snapshot_symbol_name(const struct snapshot *snapshot, size_t symbol)
{
    return row_of(snapshot, symbol)->name;
}

ptrdiff_t snapshot_symbol_find(const struct snapshot *snapshot, struct text name)
{
    char ended[SYMBOL_BYTES_MAX] = {0};
    const struct row *row;

    if (name.length >= sizeof ended)
        return -1;
    memcpy(ended, name.at, name.length);
    row = state_find(&snapshot->journal.state, ended);
    return row ? row - snapshot->journal.state.rows : -1;
}

struct symbol_info snapshot_symbol_info(const struct snapshot *snapshot, size_t symbol)
{
    const struct row *row = row_of(snapshot, symbol);

    return (struct symbol_info){.bar_count = (size_t)row->count,
                                .first_ms = row->first_ms,
                                .last_ms = row->last_ms,
                                .hash = row->hash};
}

uint64_t snapshot_number(const struct snapshot *snapshot)
{
    return snapshot->journal.state.number;
}

/* ---- bars ------------------------------------------------------------------------------------ */

static enum status view_make(struct view **made, const struct snapshot *snapshot,
                             const struct row *row, struct error *err)
{
    struct view *view = mem_zero(1, sizeof *view);
    enum status status;

    if (!view)
        return fail(err, STATUS_MEMORY, "%s: no memory to map its file", row->name);
    status = view_open(view, &snapshot->place, &snapshot->journal, row, err);
    if (status == STATUS_OK)
        *made = view;
    else
        mem_free(view);
    return status;
}

/* The file that the snapshot means is gone.  Where the symbol has another one by now that begins
 * with the same bars, as after it grew, that serves as well. */
static enum status view_make_again(struct view **made, const struct snapshot *snapshot,
                                   const struct row *row, struct error *err)
{
    struct snapshot now = {.place = snapshot->place};
    struct error ignored;
    const struct row *new_row = NULL;
    struct row wanted;
    enum status status = journal_load(&now.journal, &now.place, FOR_READING, &ignored);

    if (status == STATUS_OK)
        new_row = state_find(&now.journal.state, row->name);
    if (new_row && new_row->number != row->number && new_row->count >= row->count) {
        wanted = *row;
        wanted.number = new_row->number;
        status = view_make(made, &now, &wanted, &ignored);
        if (status == STATUS_OK &&
            !hash128_equal(bars_hash((struct hash128){0}, &(*made)->bars, 0), row->hash)) {
            view_free(*made, snapshot->place.env);
            status = STATUS_BUSY;
        }
    } else if (new_row && new_row->number == row->number) {
        status = STATUS_CORRUPT;
    } else {
        status = STATUS_BUSY;
    }
    journal_deinit(&now.journal);
    if (status == STATUS_CORRUPT)
        return fail(err, STATUS_CORRUPT,
                    "%s/%s: its file %llu is gone; harrier verify --repair may save it",
                    snapshot->place.market, row->name, (unsigned long long)row->number);
    if (status != STATUS_OK)
        return fail(err, STATUS_BUSY, "%s/%s was written anew while it was read; try again",
                    snapshot->place.market, row->name);
    return STATUS_OK;
}

enum status snapshot_bars(struct snapshot *snapshot, size_t symbol, struct bars *bars,
                          struct error *err)
{
    const struct row *row = row_of(snapshot, symbol);
    _Atomic(struct view *) *slot = &snapshot->views[symbol];
    struct view *view = atomic_load_explicit(slot, memory_order_acquire), *other = NULL;

    if (!view) {
        enum status status = view_make(&view, snapshot, row, err);

        if (status == STATUS_MISSING)
            status = view_make_again(&view, snapshot, row, err);
        TRY(status);
        if (!atomic_compare_exchange_strong_explicit(slot, &other, view, memory_order_acq_rel,
                                                     memory_order_acquire)) {
            view_free(view, snapshot->place.env);
            view = other;
        }
    }
    ASSERT(view);
    *bars = view->bars;
    return STATUS_OK;
}

enum status snapshot_whole(const struct snapshot *snapshot, struct error *err)
{
    for (size_t i = 0; i < snapshot->journal.state.row_count; i++) {
        const struct view *view = atomic_load_explicit(&snapshot->views[i], memory_order_acquire);

        if (view)
            TRY(column_whole(&view->file, &snapshot->place, row_of(snapshot, i)->name, err));
    }
    return STATUS_OK;
}

enum status snapshot_check(struct snapshot *snapshot, size_t symbol, struct error *err)
{
    const struct row *row = row_of(snapshot, symbol);
    struct bars bars;
    const char *fault;
    size_t at;

    TRY(snapshot_bars(snapshot, symbol, &bars, err));
    if (!hash128_equal(bars_hash((struct hash128){0}, &bars, 0), row->hash))
        return fail(err, STATUS_CORRUPT, "%s/%s: its bars are not those that were committed",
                    snapshot->place.market, row->name);
    fault = bars_fault(&bars, &at);
    if (fault)
        return fail(err, STATUS_CORRUPT, "%s/%s: bar %zu of %zu: %s", snapshot->place.market,
                    row->name, at + 1, bars.count, fault);
    return STATUS_OK;
}
