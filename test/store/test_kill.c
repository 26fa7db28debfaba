/* Processes that are killed while they write (T1), and readers beside a writer: no acknowledged
 * batch is lost, none is there twice, and nobody ever sees half of one. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

enum { SYMBOL_COUNT = 5 };

static const char *symbol_name(int symbol)
{
    static const char *const names[SYMBOL_COUNT] = {"AAA", "B/B", "C", "DD", "E.E"};

    return names[symbol];
}

/* Batch `day`: one bar more for every symbol; and now and then one of them is written anew. */
static enum status write_day(struct env *env, const char *data, int64_t day, struct error *err)
{
    struct writer *writer;
    struct put_result result;
    enum status status;

    TRY(writer_open(&writer, env, data, &market, "test", err));
    status = STATUS_OK;
    for (int s = 0; s < SYMBOL_COUNT && status == STATUS_OK; s++) {
        struct fixture *fixture = fixture_new((uint64_t)s, day, day + 1);
        struct bars bars = fixture_bars(fixture);

        /* The file of one symbol in every seventh batch is made anew. */
        if (day % 7 == 6 && s == day / 7 % SYMBOL_COUNT) {
            status = writer_remove(writer, text_of(symbol_name(s)), err);
            fixture->count = 0;
            fixture_add(fixture, (uint64_t)s, 0, day + 1);
            bars = fixture_bars(fixture);
        }
        if (status == STATUS_OK)
            status = writer_put(writer, text_of(symbol_name(s)), &bars, false, &result, err);
        free(fixture);
    }
    if (status == STATUS_OK)
        status = writer_commit(writer, err);
    if (status == STATUS_OK && day % 20 == 19)
        status = writer_checkpoint(writer, err);
    writer_close(writer);
    return status;
}

/* How many days are there; all symbols must have as many, and the right last bar. -1 where there is
 * no market. */
static int64_t count_days(struct env *env, const char *data, bool check_all)
{
    struct snapshot *snapshot;
    struct bars bars;
    struct error err;
    enum status status = snapshot_open(&snapshot, env, data, &market, &err);
    int64_t days = 0;

    if (status == STATUS_MISSING)
        return -1;
    if (status != STATUS_OK)
        print_error("%s\n", err.text);
    CHECK(status == STATUS_OK);
    CHECK_INT(snapshot_symbol_count(snapshot), SYMBOL_COUNT);
    for (int s = 0; s < SYMBOL_COUNT; s++) {
        ptrdiff_t at = snapshot_symbol_find(snapshot, text_of(symbol_name(s)));
        struct fixture *last;
        struct bars wanted, tail;

        CHECK(at >= 0);
        status = snapshot_bars(snapshot, (size_t)at, &bars, &err);
        if (status == STATUS_BUSY) { /* written anew twice between two lines of this function */
            snapshot_close(snapshot);
            return -2;
        }
        if (status != STATUS_OK)
            print_error("%s\n", err.text);
        CHECK(status == STATUS_OK);
        if (s == 0)
            days = (int64_t)bars.count;
        CHECK_INT(bars.count, days);
        last = fixture_new((uint64_t)s, days - 1, days);
        wanted = fixture_bars(last);
        tail = bars_slice(&bars, bars.count - 1, bars.count);
        CHECK(bars_same(&tail, &wanted));
        free(last);
        if (check_all)
            CHECK_OK(snapshot_check(snapshot, (size_t)at, &err));
    }
    snapshot_close(snapshot);
    return days;
}

/* Writes days without end, and says in shared memory which it was told are committed. */
static _Noreturn void write_for_ever(const char *data, _Atomic int64_t *acknowledged)
{
    struct error err;

    for (int64_t day = MAX(count_days(env_quick(), data, false), 0);; day++) {
        if (write_day(env_quick(), data, day, &err) != STATUS_OK) {
            fprintf(stderr, "%s\n", err.text);
            _exit(1);
        }
        atomic_store(acknowledged, day + 1);
    }
}

TEST(a_process_killed_at_random_loses_nothing_that_was_acknowledged)
{
    _Atomic int64_t *acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int kills = torture() ? 1000 : 200;
    char data[256];
    int64_t days = 0, slowest_us = 0;

    CHECK(acknowledged != MAP_FAILED);
    snprintf(data, sizeof data, "%s/killed", test_directory());
    for (int kill_number = 0; kill_number < kills; kill_number++) {
        int64_t wait_us = (int64_t)(random_at(1, 1, (uint64_t)kill_number) % 12000), before;
        struct verify_report report;
        struct error err;
        int how;
        pid_t child = fork();

        if (child == 0)
            write_for_ever(data, acknowledged);
        /* Every second time at any moment, even before the first call; else while it is at work. */
        for (int i = 0; i < 20000 && kill_number % 2 && atomic_load(acknowledged) <= MAX(days, 0);
             i++)
            usleep(100);
        usleep((useconds_t)wait_us);
        CHECK_INT(kill(child, SIGKILL), 0);
        CHECK_INT(waitpid(child, &how, 0), child);
        CHECK(WIFSIGNALED(how)); /* it was writing, and had not failed */
        before = clock_ticks_ns(env_posix());
        days = count_days(env_quick(), data, kill_number % 20 == 0);
        slowest_us = MAX(slowest_us, (clock_ticks_ns(env_posix()) - before) / 1000);
        CHECK(MAX(days, 0) == atomic_load(acknowledged) || days == atomic_load(acknowledged) + 1);
        if (days > 0 && kill_number % 10 == 0) {
            CHECK_OK(store_verify(env_quick(), data, &market, false, &report, &err));
            if (report.problem_count)
                print_error("%s\n", report.problems[0].text);
            CHECK_INT(report.problem_count, 0);
            verify_report_deinit(&report);
        }
        atomic_store(acknowledged, MAX(days, 0));
    }
    print_message("%d kills, %lld batches, %d opens, the slowest %lld us\n", kills, (long long)days,
                  kills, (long long)slowest_us);
    CHECK(days > 50);
    munmap((void *)acknowledged, 4096);
}

/* ---- readers beside a writer ----------------------------------------------------------------- */

struct beside {
    char data[256];
    _Atomic int64_t committed;
    _Atomic bool stop;
    _Atomic unsigned long looks, retries;
};

static void *read_on(void *argument)
{
    struct beside *beside = argument;
    int64_t seen = -1;

    while (!atomic_load(&beside->stop)) {
        int64_t known = atomic_load(&beside->committed),
                days = count_days(env_quick(), beside->data, false);

        if (days == -2) {
            atomic_fetch_add(&beside->retries, 1);
            continue;
        }
        CHECK(days >= seen);          /* never back */
        CHECK(MAX(days, 0) >= known); /* at once: what was committed before the look is in it */
        seen = days;
        atomic_fetch_add(&beside->looks, 1);
    }
    return NULL;
}

TEST(readers_beside_a_writer_see_whole_batches_at_once)
{
    struct beside beside = {.stop = false};
    int64_t days = torture() ? 3000 : 400;
    pthread_t readers[2];
    struct error err;

    snprintf(beside.data, sizeof beside.data, "%s/beside", test_directory());
    for (size_t i = 0; i < ARRAY_COUNT(readers); i++)
        CHECK_INT(pthread_create(&readers[i], NULL, read_on, &beside), 0);
    for (int64_t day = 0; day < days; day++) {
        enum status status = write_day(env_quick(), beside.data, day, &err);

        if (status != STATUS_OK)
            print_error("%s\n", err.text);
        CHECK(status == STATUS_OK);
        atomic_store(&beside.committed, day + 1);
    }
    atomic_store(&beside.stop, true);
    for (size_t i = 0; i < ARRAY_COUNT(readers); i++)
        CHECK_INT(pthread_join(readers[i], NULL), 0);
    print_message("%lld batches, %lu looks, %lu of them repeated\n", (long long)days,
                  atomic_load(&beside.looks), atomic_load(&beside.retries));
    CHECK(atomic_load(&beside.looks) > 50);
}

/* One snapshot for many threads: each symbol is mapped once, whoever asks first. */
static void *map_all(void *argument)
{
    struct snapshot *snapshot = argument;
    struct bars bars;
    struct error err;

    for (size_t i = 0; i < snapshot_symbol_count(snapshot); i++) {
        CHECK_OK(snapshot_bars(snapshot, i, &bars, &err));
        CHECK_INT(bars.count, 3);
    }
    return NULL;
}

TEST(threads_share_a_snapshot)
{
    char data[256];
    struct error err;

    snprintf(data, sizeof data, "%s/shared", test_directory());
    for (int64_t day = 0; day < 3; day++)
        CHECK_OK(write_day(env_quick(), data, day, &err));
    for (int round = 0; round < 50; round++) {
        pthread_t threads[4];
        struct snapshot *snapshot;

        CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
        for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
            CHECK_INT(pthread_create(&threads[i], NULL, map_all, snapshot), 0);
        for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
            CHECK_INT(pthread_join(threads[i], NULL), 0);
        snapshot_close(snapshot);
    }
}
