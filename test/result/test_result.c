/* Kept runs: what is put in comes back to the bit, whatever fails on the way. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../db/failing.h"

#include "../../src/result/result.c"

enum { SYMBOLS = 4, BARS = 40, TRADES = 3, ARENA_BYTES = 1 << 20 };

static struct error err;
static struct results *results;
static int64_t times[BARS];
static double equity[SYMBOLS][BARS];
static struct trade trades[SYMBOLS][TRADES];
static struct run_symbol symbols[SYMBOLS];
static char names[SYMBOLS][8];
static unsigned char arena_memory[ARENA_BYTES] __attribute__((aligned(64)));
static struct arena arena;

/* A data directory with nothing in it. */
static const char *fresh_data(void)
{
    static char path[256];
    static int number;

    failing_init();
    snprintf(path, sizeof path, "%s/data%d", test_directory(), number++);
    CHECK_INT(mkdir(path, 0755), 0);
    arena_init(&arena, arena_memory, sizeof arena_memory);
    return path;
}

/* The last symbol has failed; equity of the second stands still. */
static void make_symbols(void)
{
    struct random random;

    random_init(&random, 3, 4);
    for (size_t s = 0; s < SYMBOLS; s++) {
        snprintf(names[s], sizeof names[s], "S%zu", s);
        symbols[s] = (struct run_symbol){.symbol = names[s], .ok = s + 1 < SYMBOLS};
        if (!symbols[s].ok) {
            symbols[s].error = "its file is corrupt";
            continue;
        }
        for (int m = 0; m < METRIC_COUNT; m++)
            symbols[s].sim.metric[m] = m % 5 ? (random_unit(&random) - 0.5) * 1e6 : (double)NAN;
        for (size_t t = 0; t < BARS; t++) {
            times[t] = (int64_t)(17000 + t + t / 5 * 2) * DAY_MS;
            equity[s][t] = s == 1 ? 10000 : 10000 * (1 + random_unit(&random));
        }
        for (uint32_t n = 0; n < TRADES; n++)
            trades[s][n] = (struct trade){.entry_bar = 3 * n,
                                          .exit_bar = 3 * n + 2,
                                          .entry_price = random_unit(&random),
                                          .exit_price = random_unit(&random),
                                          .units = s == 2 ? -1.5 : 2.5,
                                          .fees = 0.1,
                                          .profit = -random_unit(&random),
                                          .mae = -0.1,
                                          .mfe = 0.2,
                                          .reason = (enum trade_reason)n};
        symbols[s].note = s == 0 ? "fewer bars than the look-back" : NULL;
        symbols[s].bars = BARS;
        symbols[s].from_ms = times[0];
        symbols[s].to_ms = times[BARS - 1];
        symbols[s].sim.pending = 5;
        symbols[s].sim.refused = 6;
        symbols[s].sim.open_position = -0.5;
        snprintf(symbols[s].sparkline, sizeof symbols[s].sparkline, "▁▂█");
        symbols[s].trades = trades[s];
        symbols[s].trade_count = TRADES;
        symbols[s].time = symbols[s].trade_time = times;
        symbols[s].equity = equity[s];
    }
}

static struct run make_run(const char *key)
{
    struct run run = {.created_ms = 1700000000123,
                      .engine = "harrier 9",
                      .rule = "mine",
                      .rule_source = "buy when close > open\n",
                      .rule_hash = "ab",
                      .parameters = "{\"n\":1}",
                      .parameters_hash = "cd",
                      .market = "test/1d",
                      .options = "{}",
                      .bars_hash = "ef",
                      .headline = "mine (n 1) on test/1d",
                      .fills = "next-open fills, fee 0.1 %",
                      .calculation_ms = 1.25,
                      .total_ms = 2.5,
                      .symbol_count = SYMBOLS,
                      .successful = SYMBOLS - 1,
                      .failed = 1,
                      .bars = BARS * (SYMBOLS - 1),
                      .market_return = (double)NAN};

    snprintf(run.key, sizeof run.key, "%s", key);
    make_symbols();
    return run;
}

static void drop_curves(void)
{
    for (size_t s = 0; s < SYMBOLS; s++)
        symbols[s].equity = NULL;
}

static void check_symbols(const struct run_symbol *found, size_t count)
{
    CHECK_INT(count, SYMBOLS);
    for (size_t s = 0; s < SYMBOLS; s++) {
        CHECK_TEXT(found[s].symbol, symbols[s].symbol);
        CHECK_INT(found[s].ok, symbols[s].ok);
        CHECK_INT(found[s].bars, symbols[s].bars);
        CHECK(!found[s].error == !symbols[s].error && !found[s].note == !symbols[s].note);
        CHECK_TEXT(found[s].sparkline, symbols[s].sparkline);
        if (symbols[s].ok)
            CHECK_SAME_BITS(found[s].sim.metric, symbols[s].sim.metric, METRIC_COUNT);
    }
}

/* The run of a key, with its trades, and its curves where there are any. */
static void check_kept(const char *key, bool curves)
{
    struct run_symbol *found;
    struct kept_trade *kept;
    struct run run;
    size_t count;

    arena_reset(&arena, 0);
    make_symbols();
    CHECK_OK(results_load(results, &arena, 0, key, &run, &found, &count, &err));
    CHECK_TEXT(run.rule_source, "buy when close > open\n");
    CHECK_TEXT(run.headline, "mine (n 1) on test/1d");
    CHECK_TEXT(run.fills, "next-open fills, fee 0.1 %");
    CHECK(run.created_ms == 1700000000123 && run.total_ms == 2.5 && isnan(run.market_return));
    check_symbols(found, count);
    CHECK_OK(results_trades(results, &arena, run.id, &kept, &count, &err));
    CHECK_INT(count, TRADES * (SYMBOLS - 1));
    for (size_t i = 0; i < count; i++) {
        CHECK_TEXT(kept[i].symbol, names[i / TRADES]);
        CHECK(kept[i].trade.profit == trades[i / TRADES][i % TRADES].profit);
        CHECK(kept[i].exit_ms == times[kept[i].trade.exit_bar]);
        CHECK_INT(kept[i].trade.reason, (int)(i % TRADES));
    }
    for (size_t s = 0; s < SYMBOLS; s++) {
        int64_t *time;
        double *values;
        enum status status = results_equity(results, &arena, run.id, s, &values, &time, &count,
                                            &err);

        CHECK_INT(status, curves && symbols[s].ok ? STATUS_OK : STATUS_MISSING);
        if (status != STATUS_OK)
            continue;
        CHECK_INT(count, BARS);
        CHECK_SAME_BITS(values, equity[s], BARS);
        CHECK(!memcmp(time, times, sizeof times));
    }
}

static int64_t save_one(const char *key)
{
    struct run run = make_run(key);

    CHECK_OK(results_save(results, &run, symbols, SYMBOLS, &err));
    return run.id;
}

TEST(a_run_comes_back_to_the_bit)
{
    CHECK_OK(results_open(&results, fresh_data(), true, &err));
    CHECK(save_one("k") > 0);
    check_kept("k", true);
    results_close(results);
}

TEST(what_was_kept_before_keeps_its_number_and_gets_what_is_new)
{
    struct run run;
    struct run *all;
    int64_t first;
    size_t count;

    CHECK_OK(results_open(&results, fresh_data(), true, &err));
    run = make_run("k");
    drop_curves();
    CHECK_OK(results_save(results, &run, symbols, SYMBOLS, &err));
    first = run.id;
    check_kept("k", false);
    run = make_run("k"); /* now with curves, and in another order */
    struct run_symbol swapped = symbols[0];
    symbols[0] = symbols[2];
    symbols[2] = swapped;
    CHECK_OK(results_save(results, &run, symbols, SYMBOLS, &err));
    CHECK(run.id == first);
    check_kept("k", true);
    CHECK(save_one("k") == first);
    CHECK(save_one("other") > first);
    CHECK_OK(results_list(results, &arena, 10, &all, &count, &err));
    CHECK_INT(count, 2);
    results_close(results);
}

TEST(curves_that_stand_still_or_are_odd_come_back)
{
    static const double odd[BARS] = {0.0, -0.0, 1e308, -1e308, 5e-324, (double)INFINITY, 1, 1, 1};
    unsigned char planes[8 * BARS];
    int64_t wild[BARS], back[BARS];
    double values[BARS];

    to_planes(odd, BARS, false, planes);
    from_planes(planes, BARS, false, values);
    CHECK(!memcmp(values, odd, sizeof odd));
    for (int i = 0; i < BARS; i++)
        wild[i] = i % 3 ? INT64_MIN + i : INT64_MAX - (int64_t)i * i;
    to_planes(wild, BARS, true, planes);
    from_planes(planes, BARS, true, back);
    CHECK(!memcmp(back, wild, sizeof wild));
}

TEST(a_run_that_was_removed_is_gone_with_all_it_had)
{
    struct kept_trade *kept;
    int64_t id;
    size_t count;

    CHECK_OK(results_open(&results, fresh_data(), true, &err));
    id = save_one("k");
    CHECK_OK(results_remove(results, id, &err));
    CHECK_STATUS(results_remove(results, id, &err), STATUS_MISSING);
    CHECK_OK(results_trades(results, &arena, id, &kept, &count, &err));
    CHECK_INT(count, 0);
    CHECK(save_one("k") > id); /* a number is given once */
    results_close(results);
}

/* ---- versions -------------------------------------------------------------------------------- */

/* A results.db as the first schema left it, with a run. */
static void make_old(const char *data)
{
    const char *const insert =
        "INSERT INTO run VALUES (7,1,'k','harrier 0','r','s','h','{}','p','test/1d','{}','b',1,1,1,"
        "1,0,0,NULL); INSERT INTO run_symbol (run, position, symbol, status) VALUES (7,0,'A','ok');"
        "INSERT INTO equity VALUES (7,0,1,x'00')";
    char path[300];
    struct db *db;

    snprintf(path, sizeof path, "%s/results.db", data);
    CHECK_OK(db_open(&db, path, DB_WRITE, &err));
    CHECK_OK(db_migrate(db, schema_steps, 1, &err));
    CHECK_OK(db_run(db, insert, &err));
    db_close(db);
}

TEST(what_an_older_harrier_kept_is_brought_up_to_date)
{
    for (int write = 0; write < 2; write++) {
        const char *data = fresh_data();
        struct run_symbol *found;
        struct run run;
        size_t count;
        int version;

        make_old(data);
        CHECK_OK(results_open(&results, data, write != 0, &err));
        CHECK_OK(db_version(results->db, &version, &err));
        CHECK_INT(version, (int)ARRAY_COUNT(schema_steps));
        CHECK_OK(results_load(results, &arena, 7, NULL, &run, &found, &count, &err));
        CHECK_TEXT(run.headline, "");
        CHECK_TEXT(found[0].symbol, "A");
        CHECK(isnan(found[0].sim.metric[METRIC_SHARPE]));
        results_close(results);
    }
}

TEST(what_a_newer_harrier_kept_is_told_so_and_left_alone)
{
    const char *data = fresh_data();

    CHECK_OK(results_open(&results, data, true, &err));
    CHECK_OK(db_run(results->db, "PRAGMA user_version = 99", &err));
    results_close(results);
    for (int write = 0; write < 2; write++) {
        CHECK_STATUS(results_open(&results, data, write != 0, &err), STATUS_NEWER);
        CHECK_CONTAINS(err.text, "results.db: written by a newer harrier (schema 99; this one "
                                 "knows 2): update harrier");
    }
}

TEST(where_nothing_was_kept_is_missing)
{
    CHECK_STATUS(results_open(&results, fresh_data(), false, &err), STATUS_MISSING);
}

TEST(a_copy_holds_every_run_to_the_bit_and_is_one_file)
{
    char copy[256], path[300];
    int64_t count;

    snprintf(copy, sizeof copy, "%s", fresh_data());
    CHECK_OK(results_open(&results, fresh_data(), true, &err));
    (void)save_one("k");
    (void)save_one("l");
    CHECK_OK(results_copy(results, copy, &count, &err));
    CHECK_INT(count, 2);
    results_close(results);
    snprintf(path, sizeof path, "%s/results.db-wal", copy);
    CHECK(access(path, F_OK) != 0);
    CHECK_OK(results_open(&results, copy, false, &err));
    check_kept("k", true);
    check_kept("l", true);
    results_close(results);
    CHECK_OK(results_open(&results, copy, true, &err));
    CHECK(results_copy(results, "/proc/none", &count, &err) != STATUS_OK);
    results_close(results);
}

/* ---- what fails ------------------------------------------------------------------------------ */

static enum status save_and_close(const char *data, const char *key)
{
    struct run run = make_run(key);
    enum status status;

    status = results_open(&results, data, true, &err);
    if (status != STATUS_OK)
        return status;
    status = results_save(results, &run, symbols, SYMBOLS, &err);
    CHECK(status == STATUS_OK ? run.id > 0 : run.id == 0);
    results_close(results);
    return status;
}

/* After trouble: the run that was there before is whole, the disturbed one is whole or not there.
 */
static void check_after(const char *data, enum status status)
{
    struct run_symbol *found;
    struct run run;
    size_t count;

    if (status != STATUS_OK)
        CHECK(err.status == status && err.text[0]);
    CHECK_OK(results_open(&results, data, true, &err));
    check_kept("before", true);
    if (results_load(results, &arena, 0, "k", &run, &found, &count, &err) == STATUS_OK)
        check_kept("k", true);
    else
        CHECK(status != STATUS_OK && err.status == STATUS_MISSING);
    results_close(results);
}

static void save_with_trouble(struct failing *trouble)
{
    for (int persistent = 0; persistent < 2; persistent++) {
        long nth = 0, calls;

        do {
            const char *data = fresh_data();
            enum status status;

            nth += 1 + nth / 10; /* SQLite allocates a thousand times: later ones by samples */
            CHECK_OK(save_and_close(data, "before"));
            fail_at(trouble, nth, persistent != 0);
            status = save_and_close(data, "k");
            calls = trouble->calls;
            fail_at(trouble, 0, false);
            check_after(data, status);
        } while (calls >= nth);
        CHECK(nth > 3);
    }
}

TEST(writes_and_syncs_that_fail_one_by_one_lose_no_kept_run)
{
    save_with_trouble(&failing_disk);
}

TEST(memory_of_sqlite_that_fails_loses_no_kept_run)
{
    save_with_trouble(&failing_memory);
}

TEST(allocations_that_fail_one_by_one_lose_no_kept_run)
{
    for (int persistent = 0; persistent < 2; persistent++)
        for (long nth = 1, made = nth; made >= nth; nth++) {
            const char *data = fresh_data();
            enum status status;

            CHECK_OK(save_and_close(data, "before"));
            mem_fail_at(nth, persistent);
            status = save_and_close(data, "k");
            made = mem_fail_at(0, 0);
            CHECK(status == (made >= nth ? STATUS_MEMORY : STATUS_OK));
            check_after(data, status);
        }
}

/* Opens to read, loads, closes. */
static enum status load_all(const char *data)
{
    struct run_symbol *found;
    struct kept_trade *kept;
    struct run run;
    double *values;
    int64_t *time;
    size_t count;
    enum status status;

    arena_reset(&arena, 0);
    status = results_open(&results, data, false, &err);
    if (status != STATUS_OK)
        return status;
    status = results_load(results, &arena, 0, "k", &run, &found, &count, &err);
    if (status == STATUS_OK)
        check_symbols(found, count);
    if (status == STATUS_OK)
        status = results_trades(results, &arena, run.id, &kept, &count, &err);
    if (status == STATUS_OK)
        status = results_equity(results, &arena, run.id, 0, &values, &time, &count, &err);
    results_close(results);
    return status;
}

TEST(memory_that_fails_while_reading_is_called_that)
{
    const char *data = fresh_data();
    long made, nth = 1;
    enum status status;

    CHECK_OK(save_and_close(data, "k"));
    do {
        mem_fail_at(nth, 0);
        status = load_all(data);
        made = mem_fail_at(0, 0);
        CHECK(status == (made >= nth ? STATUS_MEMORY : STATUS_OK));
    } while (made >= nth++);
    nth = 1;
    do {
        fail_at(&failing_memory, nth, true);
        status = load_all(data);
        made = failing_memory.calls;
        fail_at(&failing_memory, 0, false);
        if (status != STATUS_MEMORY && status != STATUS_OK)
            FAIL("allocation %ld: %s: %s", nth, status_text(status), err.text);
    } while (made >= nth++);
    CHECK(nth > 100);
}

TEST(an_arena_that_is_too_small_is_told_at_every_size)
{
    bool enough = false;

    CHECK_OK(results_open(&results, fresh_data(), true, &err));
    save_one("k");
    for (size_t bytes = 0; !enough; bytes += 16) {
        struct run_symbol *found;
        struct run run;
        size_t count;
        enum status status;

        arena_init(&arena, arena_memory, bytes);
        status = results_load(results, &arena, 0, "k", &run, &found, &count, &err);
        enough = status == STATUS_OK;
        CHECK(enough || status == STATUS_MEMORY);
        if (enough)
            check_symbols(found, count);
    }
    results_close(results);
}

/* ---- others ---------------------------------------------------------------------------------- */

enum { PROCESSES = 3, RUNS_EACH = 6 };

TEST(processes_that_keep_runs_at_once_keep_them_all)
{
    const char *data = fresh_data();
    pid_t child[PROCESSES];
    struct run *all;
    size_t count;
    int code;

    for (int p = 0; p < PROCESSES; p++) {
        child[p] = fork();
        if (child[p])
            continue;
        for (int r = 0; r < RUNS_EACH; r++) {
            char key[32]; /* every second one is the same for all */

            snprintf(key, sizeof key, "%d/%d", r % 2 ? 0 : p, r);
            if (save_and_close(data, key) != STATUS_OK)
                _exit(1);
        }
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        CHECK(waitpid(child[p], &code, 0) == child[p]);
        CHECK(WIFEXITED(code) && WEXITSTATUS(code) == 0);
    }
    CHECK_OK(results_open(&results, data, true, &err));
    CHECK_OK(results_list(results, &arena, 100, &all, &count, &err));
    CHECK_INT(count, PROCESSES * RUNS_EACH / 2 + RUNS_EACH / 2);
    check_kept("0/1", true);
    results_close(results);
}
