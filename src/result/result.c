/* Kept runs in SQLite.  It computes nothing: what it gives back is what was put in, to the bit. */
#include "result/result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "db/db.h"
#include "result/schema.h"

struct results {
    struct db *db;
};

enum { SQL_BYTES_MAX = 8192, ZSTD_LEVEL = 1 };

#define RUN_COLUMNS                                                                               \
    "id, created_ms, key, engine, rule, rule_source, rule_hash, parameters, parameters_hash, "    \
    "market, "                                                                                    \
    "options, bars_hash, calculation_time_ms, total_time_ms, symbols, successful, failed, bars, " \
    "market_return, headline, fills"
#define SYMBOL_COLUMNS                                                                     \
    "symbol, status, error, note, bars, from_ms, to_ms, open_position, pending, refused, " \
    "unfilled, "                                                                           \
    "ruined, sparkline"
enum { SYMBOL_FIXED = 13 };

/* ---- opening --------------------------------------------------------------------------------- */

/* The first column of the only row, or 0 where there is none. */
static enum status ask_number(struct db_query *query, int64_t *number, struct error *err)
{
    enum db_step step = db_step(query, err);

    *number = step == DB_ROW ? db_int(query, 0) : 0;
    db_reset(query);
    return step == DB_FAILED ? err->status : STATUS_OK;
}

/* How many columns of run_symbol have this name, or how many there are where it is NULL. */
static enum status ask_columns(struct results *results, const char *name, int64_t *count,
                               struct error *err)
{
    struct db_query *query;
    enum status status;

    TRY(db_prepare(
        &query, results->db,
        "SELECT count(*) FROM pragma_table_info('run_symbol') WHERE ?1 IS NULL OR name = ?1", err));
    db_bind_text(query, 1, name);
    status = ask_number(query, count, err);
    db_finish(query);
    return status;
}

static enum status ask_schema(struct results *results, int *version, bool *whole, struct error *err)
{
    int64_t columns;

    TRY(db_version(results->db, version, err));
    TRY(ask_columns(results, NULL, &columns, err));
    *whole = *version == (int)ARRAY_COUNT(schema_steps) &&
             columns == 2 + SYMBOL_FIXED + METRIC_COUNT;
    return STATUS_OK;
}

static enum status add_metric_columns(struct results *results, struct error *err)
{
    int added = 0;

    for (int m = 0; m < METRIC_COUNT; m++) {
        char sql[256];
        int64_t there;

        TRY(ask_columns(results, metric_rows[m].name, &there, err));
        if (there)
            continue;
        snprintf(sql, sizeof sql, "ALTER TABLE run_symbol ADD COLUMN \"%s\" REAL",
                 metric_rows[m].name);
        TRY(db_run(results->db, sql, err));
        added++;
    }
    return added ? db_run(results->db, schema_views, err) : STATUS_OK;
}

static enum status prepare_schema(struct results *results, struct error *err)
{
    int version;
    bool whole;

    TRY(ask_schema(results, &version, &whole, err));
    if (whole)
        return STATUS_OK;
    TRY(db_migrate(results->db, schema_steps, ARRAY_COUNT(schema_steps), err));
    TRY(db_run(results->db, "BEGIN IMMEDIATE", err));
    TRY(add_metric_columns(results, err));
    return db_run(results->db, "COMMIT", err);
}

static enum status open_with(struct results *results, const char *path, bool write,
                             struct error *err)
{
    TRY(db_open(&results->db, path, write ? DB_WRITE : DB_READ, err));
    return write ? prepare_schema(results, err) : STATUS_OK;
}

/* An older schema is brought up to date, which reading cannot. */
static enum status check_version(struct results *results, const char *path, struct error *err)
{
    int version;
    bool whole;

    TRY(ask_schema(results, &version, &whole, err));
    if (version > (int)ARRAY_COUNT(schema_steps))
        return db_newer(results->db, version, (int)ARRAY_COUNT(schema_steps), err);
    if (version == 0)
        return fail(err, STATUS_MISSING, "%s holds no runs", path);
    if (whole)
        return STATUS_OK;
    db_close(results->db);
    results->db = NULL;
    return open_with(results, path, true, err);
}

enum status results_open(struct results **opened, const char *data_dir, bool write,
                         struct error *err)
{
    struct results *results = mem_zero(1, sizeof *results);
    char path[4096];
    enum status status;

    if (!results)
        return fail(err, STATUS_MEMORY, "no memory for the results");
    snprintf(path, sizeof path, "%s/results.db", data_dir);
    status = open_with(results, path, write, err);
    if (status == STATUS_OK && !write)
        status = check_version(results, path, err);
    if (status != STATUS_OK) {
        results_close(results);
        return status;
    }
    *opened = results;
    return STATUS_OK;
}

void results_close(struct results *results)
{
    if (!results)
        return;
    db_close(results->db);
    mem_free(results);
}

/* ---- writing --------------------------------------------------------------------------------- */

static enum status step_once(struct db_query *query, struct error *err)
{
    enum db_step step = db_step(query, err);

    db_reset(query);
    return step == DB_FAILED ? err->status : STATUS_OK;
}

static enum status ask_key(struct results *results, const char *key, int64_t *id, struct error *err)
{
    struct db_query *query;
    enum status status;

    TRY(db_prepare(&query, results->db, "SELECT id FROM run WHERE key = ?1", err));
    db_bind_text(query, 1, key);
    status = ask_number(query, id, err);
    db_finish(query);
    return status;
}

static enum status ask_curves(struct results *results, int64_t id, int64_t *count,
                              struct error *err)
{
    struct db_query *query;
    enum status status;

    TRY(db_prepare(&query, results->db, "SELECT count(*) FROM equity WHERE run = ?1", err));
    db_bind_int(query, 1, id);
    status = ask_number(query, count, err);
    db_finish(query);
    return status;
}

static enum status save_run(struct results *results, struct run *run, struct error *err)
{
    struct db_query *query;
    enum status status;
    int i = 1;

    TRY(db_prepare(&query, results->db,
                   "INSERT INTO run (" RUN_COLUMNS ") VALUES "
                   "(NULL,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20)",
                   err));
    db_bind_int(query, i++, run->created_ms);
    db_bind_text(query, i++, run->key);
    db_bind_text(query, i++, run->engine);
    db_bind_text(query, i++, run->rule);
    db_bind_text(query, i++, run->rule_source);
    db_bind_text(query, i++, run->rule_hash);
    db_bind_text(query, i++, run->parameters);
    db_bind_text(query, i++, run->parameters_hash);
    db_bind_text(query, i++, run->market);
    db_bind_text(query, i++, run->options);
    db_bind_text(query, i++, run->bars_hash);
    db_bind_double(query, i++, run->calculation_ms);
    db_bind_double(query, i++, run->total_ms);
    db_bind_int(query, i++, run->symbol_count);
    db_bind_int(query, i++, run->successful);
    db_bind_int(query, i++, run->failed);
    db_bind_int(query, i++, run->bars);
    db_bind_double(query, i++, run->market_return);
    db_bind_text(query, i++, run->headline ? run->headline : "");
    db_bind_text(query, i++, run->fills ? run->fills : "");
    status = step_once(query, err);
    db_finish(query);
    run->id = db_last_id(results->db);
    return status;
}

/* SELECT or INSERT text with the fixed columns and then every metric's. */
static void symbol_sql(char sql[SQL_BYTES_MAX], bool insert)
{
    int at = snprintf(sql, SQL_BYTES_MAX,
                      insert ? "INSERT INTO run_symbol (run, position, " SYMBOL_COLUMNS
                             : "SELECT " SYMBOL_COLUMNS);

    for (int m = 0; m < METRIC_COUNT; m++)
        at += snprintf(sql + at, SQL_BYTES_MAX - (size_t)at, ", \"%s\"", metric_rows[m].name);
    if (insert) {
        at += snprintf(sql + at, SQL_BYTES_MAX - (size_t)at, ") VALUES (?1, ?2");
        for (int c = 0; c < SYMBOL_FIXED + METRIC_COUNT; c++)
            at += snprintf(sql + at, SQL_BYTES_MAX - (size_t)at, ", ?%d", c + 3);
        snprintf(sql + at, SQL_BYTES_MAX - (size_t)at, ")");
    } else {
        snprintf(sql + at, SQL_BYTES_MAX - (size_t)at,
                 " FROM run_symbol WHERE run = ?1 ORDER BY position");
    }
}

static void bind_symbol(struct db_query *query, int64_t run, int64_t position,
                        const struct run_symbol *s)
{
    int i = 1;

    db_bind_int(query, i++, run);
    db_bind_int(query, i++, position);
    db_bind_text(query, i++, s->symbol);
    db_bind_text(query, i++, s->ok ? "ok" : "failed");
    db_bind_text(query, i++, s->error);
    db_bind_text(query, i++, s->note);
    db_bind_int(query, i++, s->bars);
    db_bind_int(query, i++, s->from_ms);
    db_bind_int(query, i++, s->to_ms);
    db_bind_double(query, i++, s->sim.open_position);
    db_bind_int(query, i++, s->sim.pending);
    db_bind_int(query, i++, s->sim.refused);
    db_bind_int(query, i++, s->sim.unfilled);
    db_bind_int(query, i++, s->sim.ruined);
    db_bind_text(query, i++, s->sparkline);
    for (int m = 0; m < METRIC_COUNT; m++)
        db_bind_double(query, i++, s->ok ? s->sim.metric[m] : (double)NAN);
}

static enum status save_trades(struct db_query *query, int64_t run, int64_t position,
                               const struct run_symbol *s, struct error *err)
{
    for (size_t n = 0; n < s->trade_count; n++) {
        const struct trade *t = &s->trades[n];
        int i = 1;

        db_bind_int(query, i++, run);
        db_bind_int(query, i++, position);
        db_bind_int(query, i++, (int64_t)n);
        db_bind_int(query, i++, s->trade_time[t->entry_bar]);
        db_bind_int(query, i++, s->trade_time[t->exit_bar]);
        db_bind_int(query, i++, t->entry_bar);
        db_bind_int(query, i++, t->exit_bar);
        db_bind_double(query, i++, t->entry_price);
        db_bind_double(query, i++, t->exit_price);
        db_bind_double(query, i++, t->units);
        db_bind_double(query, i++, t->fees);
        db_bind_double(query, i++, t->profit);
        db_bind_double(query, i++, t->mae);
        db_bind_double(query, i++, t->mfe);
        db_bind_text(query, i++, trade_reason_name(t->reason));
        TRY(step_once(query, err));
    }
    return STATUS_OK;
}

/* ---- curves: packed to a third of what zstd alone makes of them (1.1 MB for 386,000 bars) ------
 */

/* What each value adds to what those before it let expect: a curve that stands still and times in
 * step are zeros then.  Bytes of one significance stand together. */
static void to_planes(const void *column, size_t count, bool in_step, unsigned char *planes)
{
    uint64_t before = 0, step = 0, now;

    for (size_t i = 0; i < count; i++) {
        memcpy(&now, (const char *)column + i * sizeof now, sizeof now);
        uint64_t told = in_step ? now - before - step : now ^ before;

        step = now - before;
        before = now;
        for (size_t k = 0; k < sizeof now; k++)
            planes[k * count + i] = (unsigned char)(told >> 8 * k);
    }
}

static void from_planes(const unsigned char *planes, size_t count, bool in_step, void *column)
{
    uint64_t before = 0, step = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t told = 0, now;

        for (size_t k = 0; k < sizeof now; k++)
            told |= (uint64_t)planes[k * count + i] << 8 * k;
        now = in_step ? before + step + told : before ^ told;
        step = now - before;
        before = now;
        memcpy((char *)column + i * sizeof now, &now, sizeof now);
    }
}

static enum status save_curve(struct db_query *query, int64_t run, const struct run_symbol *s,
                              struct error *err)
{
    size_t count = (size_t)s->bars, half = count * sizeof(double);
    size_t room = ZSTD_compressBound(2 * half), packed;
    unsigned char *planes = mem_alloc(2 * half), *block = mem_alloc(room);
    enum status status;

    if (!planes || !block) {
        mem_free(planes);
        mem_free(block);
        return fail(err, STATUS_MEMORY, "no memory to keep an equity curve of %zu bars", count);
    }
    to_planes(s->time, count, true, planes);
    to_planes(s->equity, count, false, planes + half);
    packed = ZSTD_compress(block, room, planes, 2 * half, ZSTD_LEVEL);
    if (ZSTD_isError(packed)) {
        status = fail(err, STATUS_SYSTEM, "cannot compress an equity curve: %s",
                      ZSTD_getErrorName(packed));
    } else {
        db_bind_int(query, 1, run);
        db_bind_text(query, 2, s->symbol);
        db_bind_int(query, 3, s->bars);
        db_bind_blob(query, 4, block, packed);
        status = step_once(query, err);
    }
    mem_free(planes);
    mem_free(block);
    return status;
}

/* By name: the run may have been kept in another order. */
static enum status save_curves(struct results *results, int64_t run,
                               const struct run_symbol *symbols, size_t count, struct error *err)
{
    struct db_query *query;
    enum status status = STATUS_OK;
    int64_t kept;

    TRY(ask_curves(results, run, &kept, err));
    if (kept)
        return STATUS_OK;
    TRY(db_prepare(&query, results->db,
                   "INSERT INTO equity SELECT run, position, ?3, ?4 FROM run_symbol"
                   " WHERE run = ?1 AND symbol = ?2",
                   err));
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (symbols[i].ok && symbols[i].equity && symbols[i].bars > 0)
            status = save_curve(query, run, &symbols[i], err);
    db_finish(query);
    return status;
}

/* ---- all of a run ---------------------------------------------------------------------------- */

static enum status save_symbols_with(struct db_query *symbol, struct db_query *trade, int64_t run,
                                     const struct run_symbol *symbols, size_t count,
                                     struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        bind_symbol(symbol, run, (int64_t)i, &symbols[i]);
        TRY(step_once(symbol, err));
        if (symbols[i].ok)
            TRY(save_trades(trade, run, (int64_t)i, &symbols[i], err));
    }
    return STATUS_OK;
}

static enum status save_symbols(struct results *results, int64_t run,
                                const struct run_symbol *symbols, size_t count, struct error *err)
{
    struct db_query *symbol = NULL, *trade = NULL;
    char sql[SQL_BYTES_MAX];
    enum status status;

    symbol_sql(sql, true);
    status = db_prepare(&symbol, results->db, sql, err);
    if (status == STATUS_OK)
        status = db_prepare(
            &trade, results->db,
            "INSERT INTO trade VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)", err);
    if (status == STATUS_OK)
        status = save_symbols_with(symbol, trade, run, symbols, count, err);
    db_finish(symbol);
    db_finish(trade);
    return status;
}

/* Within a transaction. */
static enum status save(struct results *results, struct run *run, const struct run_symbol *symbols,
                        size_t count, struct error *err)
{
    TRY(ask_key(results, run->key, &run->id, err));
    if (!run->id) {
        TRY(save_run(results, run, err));
        TRY(save_symbols(results, run->id, symbols, count, err));
    }
    TRY(save_curves(results, run->id, symbols, count, err));
    return db_run(results->db, "COMMIT", err);
}

enum status results_save(struct results *results, struct run *run, const struct run_symbol *symbols,
                         size_t symbol_count, struct error *err)
{
    struct error ignored;
    enum status status;

    TRY(db_run(results->db, "BEGIN IMMEDIATE", err));
    status = save(results, run, symbols, symbol_count, err);
    if (status != STATUS_OK) {
        (void)db_run(results->db, "ROLLBACK", &ignored);
        run->id = 0;
    }
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* NULL stays NULL, and a copy that found no room is NULL too: the caller tells them apart. */
static const char *copied(struct arena *arena, struct db_query *query, int column)
{
    const char *text = db_text(query, column);

    return db_is_null(query, column) ? NULL : arena_copy_text(arena, text, strlen(text));
}

static enum status out_of_room(struct error *err)
{
    return fail(err, STATUS_MEMORY, "not enough memory for this run");
}

static enum status read_run(struct run *run, struct arena *arena, struct db_query *query,
                            struct error *err)
{
    int c = 0;

    *run = (struct run){0};
    run->id = db_int(query, c++);
    run->created_ms = db_int(query, c++);
    snprintf(run->key, sizeof run->key, "%s", db_text(query, c++));
    run->engine = copied(arena, query, c++);
    run->rule = copied(arena, query, c++);
    run->rule_source = copied(arena, query, c++);
    run->rule_hash = copied(arena, query, c++);
    run->parameters = copied(arena, query, c++);
    run->parameters_hash = copied(arena, query, c++);
    run->market = copied(arena, query, c++);
    run->options = copied(arena, query, c++);
    run->bars_hash = copied(arena, query, c++);
    run->calculation_ms = db_double(query, c++);
    run->total_ms = db_double(query, c++);
    run->symbol_count = db_int(query, c++);
    run->successful = db_int(query, c++);
    run->failed = db_int(query, c++);
    run->bars = db_int(query, c++);
    run->market_return = db_double(query, c++);
    run->headline = copied(arena, query, c++);
    run->fills = copied(arena, query, c++);
    return run->engine && run->rule && run->rule_source && run->rule_hash && run->parameters &&
                   run->parameters_hash && run->market && run->options && run->bars_hash &&
                   run->headline && run->fills
               ? STATUS_OK
               : out_of_room(err);
}

static enum status read_symbol(struct run_symbol *s, struct arena *arena, struct db_query *query,
                               struct error *err)
{
    int c = 0;

    *s = (struct run_symbol){0};
    s->symbol = copied(arena, query, c++);
    s->ok = !strcmp(db_text(query, c++), "ok");
    s->error = copied(arena, query, c++);
    s->note = copied(arena, query, c++);
    s->bars = db_int(query, c++);
    s->from_ms = db_int(query, c++);
    s->to_ms = db_int(query, c++);
    s->sim.open_position = db_double(query, c++);
    s->sim.pending = (unsigned)db_int(query, c++);
    s->sim.refused = (uint32_t)db_int(query, c++);
    s->sim.unfilled = (uint32_t)db_int(query, c++);
    s->sim.ruined = db_int(query, c++) != 0;
    snprintf(s->sparkline, sizeof s->sparkline, "%s", db_text(query, c++));
    for (int m = 0; m < METRIC_COUNT; m++)
        s->sim.metric[m] = db_double(query, c++);
    return s->symbol && (s->error || db_is_null(query, 2)) && (s->note || db_is_null(query, 3))
               ? STATUS_OK
               : out_of_room(err);
}

static enum status load_symbols(struct results *results, struct arena *arena, const struct run *run,
                                struct run_symbol **symbols, size_t *count, struct error *err)
{
    size_t room = (size_t)run->symbol_count;
    char sql[SQL_BYTES_MAX];
    struct db_query *query;
    enum status status = STATUS_OK;
    enum db_step step;

    *count = 0;
    *symbols = ARENA_ARRAY(arena, struct run_symbol, room ? room : 1);
    if (!*symbols)
        return out_of_room(err);
    symbol_sql(sql, false);
    TRY(db_prepare(&query, results->db, sql, err));
    db_bind_int(query, 1, run->id);
    while (status == STATUS_OK && *count < room && (step = db_step(query, err)) != DB_DONE)
        status = step == DB_FAILED ? err->status
                                   : read_symbol(&(*symbols)[(*count)++], arena, query, err);
    db_finish(query);
    return status;
}

enum status results_load(struct results *results, struct arena *arena, int64_t id, const char *key,
                         struct run *run, struct run_symbol **symbols, size_t *symbol_count,
                         struct error *err)
{
    struct db_query *query;
    enum status status;
    enum db_step step;

    TRY(db_prepare(&query, results->db,
                   id ? "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1"
                      : "SELECT " RUN_COLUMNS " FROM run WHERE key = ?1",
                   err));
    if (id)
        db_bind_int(query, 1, id);
    else
        db_bind_text(query, 1, key);
    step = db_step(query, err);
    if (step == DB_FAILED)
        status = err->status;
    else if (step == DB_DONE)
        status = fail(err, STATUS_MISSING, "no kept run %lld: `harrier runs` lists them",
                      (long long)id);
    else
        status = read_run(run, arena, query, err);
    db_finish(query);
    return status == STATUS_OK ? load_symbols(results, arena, run, symbols, symbol_count, err)
                               : status;
}

enum status results_list(struct results *results, struct arena *arena, size_t limit,
                         struct run **runs, size_t *count, struct error *err)
{
    struct db_query *query;
    enum status status = STATUS_OK;
    enum db_step step;

    *count = 0;
    *runs = ARENA_ARRAY(arena, struct run, limit ? limit : 1);
    if (!*runs)
        return out_of_room(err);
    TRY(db_prepare(&query, results->db, "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT ?1",
                   err));
    db_bind_int(query, 1, (int64_t)limit);
    while (status == STATUS_OK && (step = db_step(query, err)) != DB_DONE)
        status = step == DB_FAILED ? err->status
                                   : read_run(&(*runs)[(*count)++], arena, query, err);
    db_finish(query);
    return status;
}

static enum trade_reason reason_of(const char *name)
{
    for (int r = 0; r < REASON_COUNT; r++)
        if (!strcmp(trade_reason_name(r), name))
            return r;
    return REASON_END;
}

static enum status read_trade(struct kept_trade *kept, struct arena *arena, struct db_query *query,
                              struct error *err)
{
    struct trade *t = &kept->trade;
    int c = 1;

    kept->symbol = copied(arena, query, 0);
    kept->entry_ms = db_int(query, c++);
    kept->exit_ms = db_int(query, c++);
    t->entry_bar = (uint32_t)db_int(query, c++);
    t->exit_bar = (uint32_t)db_int(query, c++);
    t->entry_price = db_double(query, c++);
    t->exit_price = db_double(query, c++);
    t->units = db_double(query, c++);
    t->fees = db_double(query, c++);
    t->profit = db_double(query, c++);
    t->mae = db_double(query, c++);
    t->mfe = db_double(query, c++);
    t->reason = reason_of(db_text(query, c++));
    return kept->symbol ? STATUS_OK : out_of_room(err);
}

static enum status count_trades(struct results *results, int64_t id, size_t *count,
                                struct error *err)
{
    struct db_query *query;
    enum db_step step;

    TRY(db_prepare(&query, results->db, "SELECT count(*) FROM trade WHERE run = ?1", err));
    db_bind_int(query, 1, id);
    step = db_step(query, err);
    *count = step == DB_ROW ? (size_t)db_int(query, 0) : 0;
    db_finish(query);
    return step == DB_FAILED ? err->status : STATUS_OK;
}

enum status results_trades(struct results *results, struct arena *arena, int64_t id,
                           struct kept_trade **trades, size_t *count, struct error *err)
{
    struct db_query *query;
    enum status status = STATUS_OK;
    enum db_step step;
    size_t room;

    TRY(count_trades(results, id, &room, err));
    *count = 0;
    *trades = ARENA_ARRAY(arena, struct kept_trade, room ? room : 1);
    if (!*trades)
        return out_of_room(err);
    TRY(db_prepare(&query, results->db,
                   "SELECT s.symbol, t.entry_ms, t.exit_ms, t.entry_bar, t.exit_bar, t.entry_price,"
                   " t.exit_price, t.units, t.fees, t.profit, t.mae, t.mfe, t.reason FROM trade t"
                   " JOIN run_symbol s ON s.run = t.run AND s.position = t.position"
                   " WHERE t.run = ?1 ORDER BY t.position, t.number",
                   err));
    db_bind_int(query, 1, id);
    while (status == STATUS_OK && *count < room && (step = db_step(query, err)) != DB_DONE)
        status = step == DB_FAILED ? err->status
                                   : read_trade(&(*trades)[(*count)++], arena, query, err);
    db_finish(query);
    return status;
}

static enum status unpack_curve(struct arena *arena, struct db_query *query, double **equity,
                                int64_t **time, size_t *count, struct error *err)
{
    size_t length, half;
    const void *block = db_blob(query, 1, &length);
    unsigned char *planes;

    *count = (size_t)db_int(query, 0);
    half = *count * sizeof(double);
    *time = arena_alloc(arena, half);
    *equity = arena_alloc(arena, half);
    planes = arena_alloc(arena, 2 * half);
    if (!*time || !*equity || !planes)
        return out_of_room(err);
    if (ZSTD_decompress(planes, 2 * half, block, length) != 2 * half)
        return fail(err, STATUS_CORRUPT, "the kept equity curve cannot be read");
    from_planes(planes, *count, true, *time);
    from_planes(planes + half, *count, false, *equity);
    return STATUS_OK;
}

enum status results_equity(struct results *results, struct arena *arena, int64_t id,
                           size_t position, double **equity, int64_t **time, size_t *count,
                           struct error *err)
{
    struct db_query *query;
    enum status status;
    enum db_step step;

    TRY(db_prepare(&query, results->db,
                   "SELECT bars, curve FROM equity WHERE run = ?1 AND position = ?2", err));
    db_bind_int(query, 1, id);
    db_bind_int(query, 2, (int64_t)position);
    step = db_step(query, err);
    if (step == DB_FAILED)
        status = err->status;
    else if (step == DB_DONE)
        status = fail(err, STATUS_MISSING, "run %lld keeps no equity curve there", (long long)id);
    else
        status = unpack_curve(arena, query, equity, time, count, err);
    db_finish(query);
    return status;
}

enum status results_copy(struct results *results, const char *to_dir, int64_t *count,
                         struct error *err)
{
    struct results *copy;
    struct db_query *query;
    char path[4096];
    enum status status;

    snprintf(path, sizeof path, "%s/results.db", to_dir);
    TRY(db_copy(results->db, path, err));
    TRY(results_open(&copy, to_dir, true, err)); /* who wrote puts the log away */
    status = db_prepare(&query, copy->db, "SELECT count(*) FROM run", err);
    if (status == STATUS_OK) {
        status = ask_number(query, count, err);
        db_finish(query);
    }
    results_close(copy);
    return status;
}

enum status results_remove(struct results *results, int64_t id, struct error *err)
{
    struct db_query *query;
    enum status status;

    TRY(db_prepare(&query, results->db, "DELETE FROM run WHERE id = ?1", err));
    db_bind_int(query, 1, id);
    status = step_once(query, err);
    db_finish(query);
    if (status == STATUS_OK && db_changes(results->db) == 0)
        status = fail(err, STATUS_MISSING, "no kept run %lld: `harrier runs` lists them",
                      (long long)id);
    return status;
}
