/* Bars that are made of their place, and markets that are compared with what they must hold. */
#ifndef HARRIER_TEST_STORE_FIXTURE_H
#define HARRIER_TEST_STORE_FIXTURE_H

#include <stdlib.h>

#include "store/store.h"
#include "test.h"

enum { FIXTURE_BARS_MAX = 20000 };

/* The real world without its wait for the disk; it counts what would have been waited for.
 * Everything else is real: files, maps, locks, threads. */
struct quick_counts {
    unsigned long syncs, directory_syncs, syncs_of_all;
};
static struct quick_counts quick_counts;

static inline enum status quick_sync(struct env *env, struct env_file *file, struct error *err)
{
    (void)env, (void)file, (void)err;
    __atomic_add_fetch(&quick_counts.syncs, 1, __ATOMIC_RELAXED);
    return STATUS_OK;
}

static inline enum status quick_sync_directory(struct env *env, const char *path, struct error *err)
{
    (void)env, (void)path, (void)err;
    __atomic_add_fetch(&quick_counts.directory_syncs, 1, __ATOMIC_RELAXED);
    return STATUS_OK;
}

static inline enum status quick_sync_all(struct env *env, struct env_file *file, struct error *err)
{
    (void)env, (void)file, (void)err;
    __atomic_add_fetch(&quick_counts.syncs_of_all, 1, __ATOMIC_RELAXED);
    return STATUS_OK;
}

static inline void quick_sleep_ms(struct env *env, int64_t ms)
{
    if (ms > 2)
        env_posix()->calls->sleep_ms(env, ms);
}

static struct env_calls quick_calls;
static struct env quick_env;

/* Before any thread can ask. */
__attribute__((constructor)) static void quick_init(void)
{
    quick_calls = *env_posix()->calls;
    quick_calls.sync = quick_sync;
    quick_calls.sync_all = quick_sync_all;
    quick_calls.sync_directory = quick_sync_directory;
    quick_calls.sleep_ms = quick_sleep_ms;
    quick_env = (struct env){.calls = &quick_calls, .state = env_posix()->state};
}

static inline struct env *env_quick(void)
{
    return &quick_env;
}

/* Bars in memory of the test's. */
struct fixture {
    size_t count;
    int64_t time[FIXTURE_BARS_MAX];
    double column[BAR_COLUMNS][FIXTURE_BARS_MAX];
};

static inline struct bars fixture_bars(const struct fixture *fixture)
{
    struct bars bars = {.count = fixture->count, .time = fixture->time};

    for (int c = 0; c < BAR_COLUMNS; c++)
        bars.column[c] = fixture->column[c];
    return bars;
}

/* Bars `from` … `to`-1 of a series; `flavour` parts series, and versions of one. */
static inline void fixture_add(struct fixture *fixture, uint64_t flavour, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        size_t at = fixture->count++;
        uint64_t dice = random_at(flavour, 0, (uint64_t)i);
        double low = 1.0 + (double)(dice % 100000) / 8,
               span = 1.0 + (double)((dice >> 20) % 1000) / 16;

        ASSERT(at < FIXTURE_BARS_MAX);
        fixture->time[at] = INT64_C(1577836800000) + i * DAY_MS;
        fixture->column[BAR_LOW][at] = low;
        fixture->column[BAR_HIGH][at] = low + span;
        fixture->column[BAR_OPEN][at] = low + span * (double)((dice >> 30) % 17) / 16;
        fixture->column[BAR_CLOSE][at] = low + span * (double)((dice >> 40) % 17) / 16;
        fixture->column[BAR_VOLUME][at] = (double)(dice >> 50);
    }
}

static inline struct fixture *fixture_new(uint64_t flavour, int64_t from, int64_t to)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    ASSERT(fixture);
    fixture_add(fixture, flavour, from, to);
    return fixture;
}

static inline bool bars_same(const struct bars *a, const struct bars *b)
{
    if (a->count != b->count || memcmp(a->time, b->time, a->count * sizeof *a->time))
        return false;
    for (int c = 0; c < BAR_COLUMNS; c++)
        if (memcmp(a->column[c], b->column[c], a->count * sizeof(double)))
            return false;
    return true;
}

static const struct market_name market = {.venue = "test", .frame = TIMEFRAME_1D};

/* Puts and commits bars from … to of one symbol. */
static inline enum status put_series(struct env *env, const char *data, const char *symbol,
                                     uint64_t flavour, int64_t from, int64_t to, bool replace,
                                     struct put_result *result, struct error *err)
{
    struct fixture *fixture = fixture_new(flavour, from, to);
    struct bars bars = fixture_bars(fixture);
    struct writer *writer;
    enum status status = writer_open(&writer, env, data, &market, "test", err);

    if (status == STATUS_OK) {
        status = writer_put(writer, text_of(symbol), &bars, replace, result, err);
        if (status == STATUS_OK)
            status = writer_commit(writer, err);
        writer_close(writer);
    }
    free(fixture);
    return status;
}

/* Whether the market holds exactly these bars under this name. */
static inline bool symbol_is(struct env *env, const char *data, const char *symbol,
                             uint64_t flavour, int64_t from, int64_t to)
{
    struct fixture *fixture = fixture_new(flavour, from, to);
    struct bars wanted = fixture_bars(fixture), bars;
    struct snapshot *snapshot;
    struct error err;
    ptrdiff_t at;
    bool same = false;

    if (snapshot_open(&snapshot, env, data, &market, &err) == STATUS_OK) {
        at = snapshot_symbol_find(snapshot, text_of(symbol));
        same = at >= 0 && snapshot_bars(snapshot, (size_t)at, &bars, &err) == STATUS_OK &&
               bars_same(&bars, &wanted) && snapshot_check(snapshot, (size_t)at, &err) == STATUS_OK;
        snapshot_close(snapshot);
    }
    free(fixture);
    return same;
}

#endif
