/* Files that another program cuts while they are mapped (T4): nothing that is made of such a map is
 * believed. */
#include <unistd.h>

#include "store/format.h"
#include "workload.h"

/* A world that cuts a file as soon as it was mapped for the n-th time. */
static struct {
    char path[600];
    long at_map, maps;
    off_t length;
} cutter;

static enum status cutting_map(struct env *env, struct env_file *file, size_t bytes,
                               const void **at, struct error *err)
{
    TRY(env_posix()->calls->map(env_posix(), file, bytes, at, err));
    (void)env;
    if (++cutter.maps == cutter.at_map)
        CHECK_INT(truncate(cutter.path, cutter.length), 0);
    return STATUS_OK;
}

static struct env *env_cutting(const char *data, const char *file, long at_map, off_t length)
{
    static struct env_calls calls;
    static struct env env;

    maps_outlive_cuts();
    calls = quick_calls;
    calls.map = cutting_map;
    env = (struct env){.calls = &calls, .state = env_posix()->state};
    snprintf(cutter.path, sizeof cutter.path, "%s/test/1d/%s", data, file);
    cutter.at_map = at_map;
    cutter.maps = 0;
    cutter.length = length;
    return &env;
}

static const char *fresh(void)
{
    static char path[512];
    static int number;
    struct put_result result;
    struct error err;

    snprintf(path, sizeof path, "%s/cut%d", test_directory(), number++);
    CHECK_OK(put_series(env_quick(), path, "A", 1, 20, 1500, false, &result, &err));
    return path;
}

static void check_refused(enum status status, const struct error *err)
{
    CHECK_STATUS(status, STATUS_CORRUPT);
    CHECK_CONTAINS(err->text, "A.1.bars was cut by another program");
    CHECK_CONTAINS(err->text, "harrier verify test/1d --repair");
}

TEST(a_snapshot_knows_that_a_file_was_cut_while_it_was_mapped)
{
    static const off_t lengths[] = {0, 4096, 50000};
    struct snapshot *snapshot;
    struct bars bars;
    struct error err;

    for (size_t i = 0; i <= ARRAY_COUNT(lengths); i++) {
        const char *data = fresh();
        off_t whole = (off_t)column_file_bytes(capacity_for(1480));
        struct env *env = env_cutting(data, "A.1.bars", 0,
                                      i < ARRAY_COUNT(lengths) ? lengths[i] : whole - 1);

        CHECK_OK(snapshot_open(&snapshot, env, data, &market, &err));
        CHECK_OK(snapshot_whole(snapshot, &err)); /* nothing is mapped */
        CHECK_OK(snapshot_bars(snapshot, 0, &bars, &err));
        CHECK_OK(snapshot_whole(snapshot, &err));
        CHECK_INT(truncate(cutter.path, cutter.length), 0);
        check_refused(snapshot_whole(snapshot, &err), &err);
        if (i < 2) {
            CHECK_STATUS(snapshot_check(snapshot, 0, &err), STATUS_CORRUPT);
            /* The bytes are gone: the length alone is not believed. */
            CHECK_INT(truncate(cutter.path, whole), 0);
            check_refused(snapshot_whole(snapshot, &err), &err);
        }
        snapshot_close(snapshot);
    }
}

TEST(a_file_that_is_removed_while_it_is_mapped_stays_whole)
{
    const char *data = fresh();
    struct env *env = env_cutting(data, "A.1.bars", 0, 0);
    struct snapshot *snapshot;
    struct bars bars;
    struct error err;

    CHECK_OK(snapshot_open(&snapshot, env, data, &market, &err));
    CHECK_OK(snapshot_bars(snapshot, 0, &bars, &err));
    CHECK_INT(unlink(cutter.path), 0);
    CHECK_OK(snapshot_whole(snapshot, &err));
    CHECK_OK(snapshot_check(snapshot, 0, &err));
    snapshot_close(snapshot);
}

static void check_not_committed(const char *data)
{
    struct snapshot *snapshot;
    struct error err;

    CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
    CHECK_INT(snapshot_symbol_count(snapshot), 1);
    CHECK_TEXT(snapshot_symbol_name(snapshot, 0), "A");
    CHECK_INT(snapshot_symbol_info(snapshot, 0).bar_count, 1480);
    CHECK_INT(snapshot_number(snapshot), 2);
    snapshot_close(snapshot);
}

/* An operation that makes bars of stored ones, with the file cut when it was mapped for the n-th
 * time; false where it is not mapped as often. */
static bool operate_on_cut(enum operation operation, unsigned step, long n, off_t length)
{
    const char *data = fresh();
    struct env *env = env_cutting(data, "A.1.bars", n, length);
    struct writer *writer;
    struct error err;
    enum status status;

    CHECK_OK(writer_open(&writer, env, data, &market, "test", &err));
    status = fill_batch(writer, operation, step, &err);
    if (status == STATUS_OK)
        status = writer_commit(writer, &err);
    writer_close(writer);
    if (cutter.maps < n) {
        CHECK_OK(status);
        return false;
    }
    CHECK_STATUS(status, STATUS_CORRUPT);
    check_not_committed(data);
    return true;
}

TEST(what_is_made_of_a_file_that_is_cut_is_not_committed)
{
    static const off_t lengths[] = {0, 4096, 30000};
    long refused = 0;

    for (size_t l = 0; l < ARRAY_COUNT(lengths); l++) {
        for (long n = 1; operate_on_cut(IMPORT, 1, n, lengths[l]); n++)
            refused++;
        for (long n = 1; operate_on_cut(REPLACE, 1, n, lengths[l]); n++)
            refused++;
        for (long n = 1; operate_on_cut(RENAME, 1, n, lengths[l]); n++)
            refused++;
        for (long n = 1; operate_on_cut(GROW, 4, n, lengths[l]); n++)
            refused++;
    }
    CHECK(refused >= 12);
}

/* All that a repair keeps was read again from where it is kept. */
TEST(a_repair_of_a_file_that_is_cut_makes_no_bars_up)
{
    for (long n = 1; n <= 4; n++) {
        const char *data = fresh();
        struct verify_report report;
        struct error err;
        struct env *env = env_cutting(data, "A.1.bars", n, 4096);
        enum status status = store_verify(env, data, &market, true, &report, &err);

        if (status == STATUS_OK) {
            CHECK(report.problem_count > 0 || cutter.maps < n);
            verify_report_deinit(&report);
        }
        CHECK_OK(store_verify(env_quick(), data, &market, true, &report, &err));
        verify_report_deinit(&report);
        CHECK_OK(store_verify(env_quick(), data, &market, false, &report, &err));
        CHECK_INT(report.problem_count, 0);
        verify_report_deinit(&report);
    }
}
