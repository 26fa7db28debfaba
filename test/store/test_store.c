/* The store as its users see it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "store/format.h"
#include "store/writer.h"

/* A data directory of its own for every test. */
static const char *fresh(void)
{
    static char path[512];
    static int number;

    snprintf(path, sizeof path, "%s/store%d", test_directory(), number++);
    return path;
}

static void check_sound(const char *data)
{
    struct verify_report report;
    struct error err;

    CHECK_OK(store_verify(env_quick(), data, &market, false, &report, &err));
    if (report.problem_count)
        print_error("%s: %s\n", report.problems[0].symbol, report.problems[0].text);
    CHECK_INT(report.problem_count, 0);
    verify_report_deinit(&report);
}

static size_t count_files(const char *data, const char *ending)
{
    char path[600], **names;
    size_t count, found = 0;
    struct error err;

    snprintf(path, sizeof path, "%s/test/1d", data);
    CHECK_OK(env_quick()->calls->list(env_quick(), path, &names, &count, &err));
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);

        found += length > strlen(ending) && strcmp(names[i] + length - strlen(ending), ending) == 0;
        mem_free(names[i]);
    }
    mem_free(names);
    return found;
}

TEST(what_was_committed_is_read_back_to_the_bit)
{
    const char *data = fresh();
    struct put_result result;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "BTCUSDT", 1, 0, 1828, false, &result, &err));
    CHECK_INT(result.added, 1828);
    CHECK(symbol_is(env_quick(), data, "BTCUSDT", 1, 0, 1828));
    check_sound(data);
}

TEST(any_symbol_can_be_a_file)
{
    static const char *const names[] = {
        "BTC/USDT",
        "M&M",
        ".hidden",
        "..",
        "a",
        "%41",
        "A",
        "BRK.B",
        "BRK.B.2",
        "^GSPC",
        "=X",
        "$",
        "aux.1",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ/",
        "///////////////////////////////////////////////////////////////"};
    const char *data = fresh();
    struct put_result result;
    struct error err;
    struct snapshot *snapshot;

    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        CHECK_OK(
            put_series(env_quick(), data, names[i], i, 0, 3 + (int64_t)i, false, &result, &err));
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        CHECK(symbol_is(env_quick(), data, names[i], i, 0, 3 + (int64_t)i));
    CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
    CHECK_INT(snapshot_symbol_count(snapshot), ARRAY_COUNT(names));
    for (size_t i = 1; i < ARRAY_COUNT(names); i++)
        CHECK(strcmp(snapshot_symbol_name(snapshot, i - 1), snapshot_symbol_name(snapshot, i)) < 0);
    CHECK(snapshot_symbol_find(snapshot, TEXT("nobody")) == -1);
    snapshot_close(snapshot);
    check_sound(data);
}

TEST(a_file_name_reads_back_and_only_ours_do)
{
    static const char *const others[] = {
        "journal",     "lock",       ".bars",       "A.bars",
        "A.0.bars",    "A.01.bars",  "A.+1.bars",   "A.1.bars.corrupt",
        ".1.bars",     "A%2.1.bars", "A%2f.1.bars", "A/B.1.bars",
        "A%41.1.bars", "A.-1.bars",  "A.1x.bars"};
    char name[FILE_NAME_BYTES_MAX], symbol[SYMBOL_BYTES_MAX];
    uint64_t number;

    file_name_make(name, "BTC/USDT", 17);
    CHECK_TEXT(name, "BTC%2FUSDT.17.bars");
    CHECK(file_name_parse(name, symbol, &number));
    CHECK_TEXT(symbol, "BTC/USDT");
    CHECK_INT(number, 17);
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        CHECK(!file_name_parse(others[i], symbol, &number));
}

TEST(the_same_rows_twice_change_nothing)
{
    const char *data = fresh();
    struct put_result result;
    struct error err;
    struct snapshot *before, *after;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 100, false, &result, &err));
    CHECK_OK(snapshot_open(&before, env_quick(), data, &market, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 100, false, &result, &err));
    CHECK_INT(result.same, 100);
    CHECK_INT(result.added, 0);
    CHECK_OK(snapshot_open(&after, env_quick(), data, &market, &err));
    CHECK(snapshot_number(before) == snapshot_number(after));
    snapshot_close(before);
    snapshot_close(after);
    CHECK_INT(count_files(data, ".bars"), 1);
}

TEST(rows_behind_between_and_before_are_merged)
{
    const char *data = fresh();
    struct put_result result;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 10, 20, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, 30, 40, false, &result, &err));
    CHECK_INT(result.added, 10);
    CHECK_INT(count_files(data, ".bars"), 1); /* behind: into the same file */
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 15, false, &result, &err));
    CHECK_INT(result.added, 10);
    CHECK_INT(result.same, 5);
    CHECK_OK(put_series(env_quick(), data, "A", 1, 15, 50, false, &result, &err));
    CHECK_INT(result.added, 20);
    CHECK_INT(result.same, 15);
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 50));
    check_sound(data);
}

TEST(a_row_that_contradicts_is_left_unless_it_may_replace)
{
    const char *data = fresh();
    struct put_result result;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 20, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 2, 5, 10, false, &result, &err));
    CHECK_INT(result.contradicted, 5);
    CHECK_INT(result.first_contradicted, 0);
    CHECK_INT(result.replaced, 0);
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 20));
    CHECK_OK(put_series(env_quick(), data, "A", 2, 0, 20, true, &result, &err));
    CHECK_INT(result.replaced, 20);
    CHECK_INT(result.contradicted, 0);
    CHECK(symbol_is(env_quick(), data, "A", 2, 0, 20));
    check_sound(data);
}

TEST(a_row_that_is_no_bar_is_refused)
{
    const char *data = fresh();
    struct fixture *fixture = fixture_new(1, 0, 2000);
    struct bars bars = fixture_bars(fixture);
    struct put_result result;
    struct writer *writer;
    struct error err;
    double kept = fixture->column[BAR_HIGH][1500];

    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    fixture->column[BAR_HIGH][1500] = 0.5;
    CHECK_STATUS(writer_put(writer, TEXT("A"), &bars, false, &result, &err), STATUS_REFUSED);
    CHECK_CONTAINS(err.text, "A: bar 1501 of 2000 cannot be stored: its high is below its low");
    fixture->column[BAR_HIGH][1500] = 0.0 / 0.0;
    CHECK_STATUS(writer_put(writer, TEXT("A"), &bars, false, &result, &err), STATUS_REFUSED);
    fixture->column[BAR_HIGH][1500] = kept;
    fixture->column[BAR_VOLUME][1999] = -1;
    CHECK_STATUS(writer_put(writer, TEXT("A"), &bars, false, &result, &err), STATUS_REFUSED);
    fixture->column[BAR_VOLUME][1999] = 1.0 / 0.0;
    CHECK_STATUS(writer_put(writer, TEXT("A"), &bars, false, &result, &err), STATUS_REFUSED);
    fixture->column[BAR_VOLUME][1999] = 0;
    fixture->time[1024] = fixture->time[1023];
    CHECK_STATUS(writer_put(writer, TEXT("A"), &bars, false, &result, &err), STATUS_REFUSED);
    CHECK_CONTAINS(err.text, "bar 1025 of 2000");
    CHECK_STATUS(writer_put(writer, TEXT("A B"), &bars, false, &result, &err), STATUS_USAGE);
    writer_close(writer);
    free(fixture);
}

TEST(a_path_that_is_too_long_is_refused)
{
    static char data[5000];
    struct snapshot *snapshot;
    struct error err;

    memset(data, 'x', sizeof data - 1);
    CHECK_STATUS(snapshot_open(&snapshot, env_quick(), data, &market, &err), STATUS_LIMIT);
}

TEST(a_batch_is_seen_as_a_whole_and_only_after_its_commit)
{
    const char *data = fresh();
    struct fixture *a = fixture_new(1, 0, 50), *b = fixture_new(2, 0, 60);
    struct bars a_bars = fixture_bars(a), b_bars = fixture_bars(b), seen;
    struct put_result result;
    struct writer *writer;
    struct snapshot *snapshot;
    struct error err;

    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    CHECK_OK(writer_put(writer, TEXT("A"), &a_bars, false, &result, &err));
    CHECK_OK(writer_put(writer, TEXT("B"), &b_bars, false, &result, &err));
    CHECK_STATUS(snapshot_open(&snapshot, env_quick(), data, &market, &err), STATUS_MISSING);
    CHECK_OK(writer_bars(writer, TEXT("B"), &seen, &err));
    CHECK(bars_same(&seen, &b_bars));
    CHECK_OK(writer_commit(writer, &err));
    CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
    CHECK_INT(snapshot_symbol_count(snapshot), 2);
    snapshot_close(snapshot);
    writer_close(writer);
    free(a);
    free(b);
}

TEST(a_snapshot_stays_as_it_was_while_the_market_changes)
{
    const char *data = fresh();
    struct fixture *was = fixture_new(1, 0, 100);
    struct bars wanted = fixture_bars(was), bars;
    struct put_result result;
    struct snapshot *snapshot, *lazy;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 100, false, &result, &err));
    CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
    CHECK_OK(snapshot_open(&lazy, env_quick(), data, &market, &err));
    CHECK_OK(snapshot_bars(snapshot, 0, &bars, &err));
    for (int64_t i = 100; i < 3000; i += 100) /* grows the file, too */
        CHECK_OK(put_series(env_quick(), data, "A", 1, i, i + 100, false, &result, &err));
    CHECK(bars_same(&bars, &wanted));
    /* Its file is gone by now, and the one that grew from it begins with the same bars. */
    CHECK_OK(snapshot_bars(lazy, 0, &bars, &err));
    CHECK(bars_same(&bars, &wanted));
    snapshot_close(lazy);
    CHECK_OK(snapshot_open(&lazy, env_quick(), data, &market, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 2, 0, 3000, true, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 3, 0, 3000, true, &result, &err));
    CHECK_STATUS(snapshot_bars(lazy, 0, &bars, &err), STATUS_BUSY);
    CHECK_CONTAINS(err.text, "test/1d/A was written anew");
    snapshot_close(lazy);
    snapshot_close(snapshot);
    CHECK(symbol_is(env_quick(), data, "A", 3, 0, 3000));
    free(was);
    check_sound(data);
}

TEST(many_puts_of_one_symbol_make_one_batch)
{
    const char *data = fresh();
    struct put_result result;
    struct writer *writer;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "B", 2, 0, 10, false, &result, &err));
    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    for (int64_t i = 0; i < 60; i++) {
        struct fixture *fixture = fixture_new(1, i * 100, i * 100 + 100);
        struct bars bars = fixture_bars(fixture), seen;

        CHECK_OK(writer_put(writer, TEXT("A"), &bars, false, &result, &err));
        CHECK_OK(writer_bars(writer, TEXT("A"), &seen, &err));
        CHECK_INT(seen.count, i * 100 + 100);
        free(fixture);
        fixture = fixture_new(2, 10 + i * 7, 17 + i * 7);
        bars = fixture_bars(fixture);
        CHECK_OK(writer_put(writer, TEXT("B"), &bars, false, &result, &err));
        free(fixture);
    }
    CHECK_OK(writer_commit(writer, &err));
    writer_close(writer);
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 6000));
    CHECK(symbol_is(env_quick(), data, "B", 2, 0, 430));
    CHECK_INT(count_files(data, ".bars"), 2);
    check_sound(data);
}

TEST(a_dropped_batch_leaves_nothing)
{
    const char *data = fresh();
    struct fixture *fixture = fixture_new(1, 0, 100);
    struct bars bars = fixture_bars(fixture);
    struct put_result result;
    struct writer *writer;
    struct file_info info;
    struct error err;

    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    CHECK_OK(writer_put(writer, TEXT("A"), &bars, false, &result, &err));
    writer_close(writer);
    CHECK_STATUS(env_quick()->calls->path_info(env_quick(), data, &info, &err), STATUS_OK);
    CHECK_INT(rmdir(data), 0); /* nothing is in it */
    CHECK_OK(put_series(env_quick(), data, "B", 1, 0, 10, false, &result, &err));
    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    CHECK_OK(writer_put(writer, TEXT("A"), &bars, false, &result, &err));
    CHECK_OK(writer_put(writer, TEXT("B"), &bars, false, &result, &err));
    writer_close(writer);
    CHECK_INT(count_files(data, ".bars"), 1);
    CHECK(symbol_is(env_quick(), data, "B", 1, 0, 10));
    check_sound(data);
    free(fixture);
}

TEST(symbols_can_be_removed_and_renamed)
{
    const char *data = fresh();
    struct put_result result;
    struct writer *writer;
    struct snapshot *snapshot;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "B", 2, 0, 10, false, &result, &err));
    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    CHECK_STATUS(writer_remove(writer, TEXT("C"), &err), STATUS_MISSING);
    CHECK_CONTAINS(err.text, "there is no symbol C in test/1d");
    CHECK_STATUS(writer_rename(writer, TEXT("A"), TEXT("B"), &err), STATUS_REFUSED);
    CHECK_OK(writer_rename(writer, TEXT("A"), TEXT("C/1"), &err));
    CHECK_OK(writer_remove(writer, TEXT("B"), &err));
    CHECK_STATUS(writer_remove(writer, TEXT("B"), &err), STATUS_MISSING);
    CHECK_OK(writer_commit(writer, &err));
    writer_close(writer);
    CHECK(symbol_is(env_quick(), data, "C/1", 1, 0, 10));
    CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
    CHECK_INT(snapshot_symbol_count(snapshot), 1);
    snapshot_close(snapshot);
    check_sound(data);
}

TEST(the_last_batch_can_be_taken_back_and_given_again)
{
    const char *data = fresh();
    struct put_result result;
    struct undo_report undo;
    struct error err;

    CHECK_STATUS(store_undo(env_quick(), data, &market, "test", &undo, &err), STATUS_MISSING);
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    CHECK_OK(
        put_series(env_quick(), data, "A", 1, 10, 15, false, &result, &err)); /* in the same file */
    CHECK_OK(store_undo(env_quick(), data, &market, "test", &undo, &err));
    CHECK_INT(undo.changed, 1);
    CHECK_TEXT(undo.who, "test");
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 10));
    CHECK_OK(store_undo(env_quick(), data, &market, "test", &undo, &err));
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 15));
    CHECK_OK(store_undo(env_quick(), data, &market, "test", &undo, &err));
    /* What a reader was shown is not written over: other bars go to another file. */
    CHECK_OK(put_series(env_quick(), data, "A", 2, 10, 12, false, &result, &err));
    CHECK_OK(
        put_series(env_quick(), data, "A", 3, 0, 15, true, &result, &err)); /* in another file */
    CHECK(symbol_is(env_quick(), data, "A", 3, 0, 15));
    CHECK_OK(store_undo(env_quick(), data, &market, "test", &undo, &err));
    CHECK_OK(put_series(env_quick(), data, "B", 3, 0, 15, true, &result, &err));
    CHECK_OK(store_undo(env_quick(), data, &market, "test", &undo, &err));
    CHECK_INT(undo.removed, 1);
    CHECK(!symbol_is(env_quick(), data, "B", 3, 0, 15));
    CHECK_OK(store_undo(env_quick(), data, &market, "test", &undo, &err));
    CHECK_INT(undo.restored, 1);
    CHECK(symbol_is(env_quick(), data, "B", 3, 0, 15));
    check_sound(data);
}

TEST(bars_shown_before_an_undo_are_never_written_over)
{
    const char *data = fresh();
    struct fixture *was = fixture_new(1, 0, 15);
    struct bars wanted = fixture_bars(was), bars;
    struct put_result result;
    struct undo_report undo;
    struct snapshot *snapshot;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, 10, 15, false, &result, &err));
    CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
    CHECK_OK(snapshot_bars(snapshot, 0, &bars, &err));
    CHECK_OK(store_undo(env_quick(), data, &market, "test", &undo, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 7, 10, 15, false, &result, &err));
    CHECK(bars_same(&bars, &wanted));
    snapshot_close(snapshot);
    free(was);
}

TEST(markets_are_listed_removed_and_renamed)
{
    const char *data = fresh();
    struct market_name other = {.venue = "other", .frame = TIMEFRAME_1D},
                       hours = {.venue = "other", .frame = TIMEFRAME_1H};
    struct market_name *names;
    struct put_result result;
    struct snapshot *snapshot;
    struct error err;
    size_t count;

    CHECK_OK(store_markets(env_quick(), data, &names, &count, &err));
    CHECK_INT(count, 0);
    CHECK_STATUS(snapshot_open(&snapshot, env_quick(), data, &market, &err), STATUS_MISSING);
    CHECK_CONTAINS(err.text, "there is none yet: import one");
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    CHECK_STATUS(store_market_rename(env_quick(), data, &market, &market, &err), STATUS_REFUSED);
    CHECK_STATUS(store_market_rename(env_quick(), data, &market, &hours, &err), STATUS_USAGE);
    CHECK_OK(store_market_rename(env_quick(), data, &market, &other, &err));
    CHECK_STATUS(snapshot_open(&snapshot, env_quick(), data, &market, &err), STATUS_MISSING);
    CHECK_CONTAINS(err.text, "there is no market test/1d in");
    CHECK_CONTAINS(err.text, "there is other/1d");
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    CHECK_STATUS(store_market_rename(env_quick(), data, &market, &other, &err), STATUS_REFUSED);
    CHECK_OK(store_markets(env_quick(), data, &names, &count, &err));
    CHECK_INT(count, 2);
    CHECK_TEXT(names[0].venue, "other");
    CHECK_TEXT(names[1].venue, "test");
    mem_free(names);
    CHECK_OK(store_market_remove(env_quick(), data, &other, &err));
    CHECK_STATUS(store_market_remove(env_quick(), data, &other, &err), STATUS_MISSING);
    CHECK_OK(store_market_remove(env_quick(), data, &market, &err));
    CHECK_INT(rmdir(data), 0);
}

TEST(a_second_writer_waits_and_is_told_who_holds_the_market)
{
    const char *data = fresh();
    struct writer *first, *second;
    struct error err;
    int64_t before, waited_ms;

    CHECK_OK(writer_open(&first, env_quick(), data, &market, "harrier import", &err));
    before = clock_ticks_ns(env_quick());
    CHECK_STATUS(writer_open(&second, env_quick(), data, &market, "harrier rm", &err), STATUS_BUSY);
    waited_ms = (clock_ticks_ns(env_quick()) - before) / 1000000;
    CHECK(waited_ms >= LOCK_WAIT_MS && waited_ms < LOCK_WAIT_MS + 2000);
    CHECK_INT(status_exit_code(STATUS_BUSY), 4);
    CHECK_CONTAINS(err.text, "test/1d is being written by harrier import (process ");
    writer_close(first);
    CHECK_OK(writer_open(&second, env_quick(), data, &market, "harrier rm", &err));
    writer_close(second);
}

TEST(a_store_of_a_newer_version_is_refused_with_a_sentence)
{
    const char *data = fresh();
    char path[600];
    struct put_result result;
    struct snapshot *snapshot;
    struct writer *writer;
    struct guard guard;
    struct error err;
    int fd;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    snprintf(path, sizeof path, "%s/test/1d/journal", data);
    fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    CHECK_INT(pread(fd, &guard, sizeof guard, 0), sizeof guard);
    guard.version = 2;
    guard.check = (uint32_t)hash_bytes(&guard, offsetof(struct guard, check), 0x68617272);
    CHECK_INT(pwrite(fd, &guard, sizeof guard, 0), sizeof guard);
    close(fd);
    CHECK_STATUS(snapshot_open(&snapshot, env_quick(), data, &market, &err), STATUS_NEWER);
    CHECK_CONTAINS(err.text, "written by a newer harrier (store format 2, this one knows 1)");
    CHECK_STATUS(writer_open(&writer, env_quick(), data, &market, "test", &err), STATUS_NEWER);
}

TEST(checkpoints_keep_everything_and_grow_files_before_they_are_full)
{
    const char *data = fresh();
    struct put_result result;
    struct undo_report undo;
    struct writer *writer;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 100, false, &result, &err));
    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    for (int64_t i = 100; i < 100 + 2500; i++) {
        struct fixture *fixture = fixture_new(1, i, i + 1);
        struct bars bars = fixture_bars(fixture);

        CHECK_OK(writer_put(writer, TEXT("A"), &bars, false, &result, &err));
        CHECK_OK(writer_commit(writer, &err));
        CHECK(!writer->made_files);
        if (i % 500 == 0)
            CHECK_OK(writer_checkpoint(writer, &err));
        free(fixture);
    }
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 2600));
    CHECK_OK(writer_checkpoint(writer, &err));
    writer_close(writer);
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 2600));
    check_sound(data);
    CHECK_OK(store_undo(env_quick(), data, &market, "test", &undo, &err));
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 2599));
    check_sound(data);
}

TEST(rows_go_into_gaps)
{
    const char *data = fresh();
    struct put_result result;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, 20, 30, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, 40, 50, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, 10, 45, false, &result, &err));
    CHECK_INT(result.added, 20);
    CHECK_INT(result.same, 15);
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 50));
    check_sound(data);
}

TEST(rows_that_meet_old_ones_here_and_there_are_compared_one_by_one)
{
    const char *data = fresh();
    struct fixture *some = fixture_new(1, 0, 1);
    struct bars bars;
    struct put_result result;
    struct writer *writer;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 100, false, &result, &err));
    for (int64_t day = 10; day < 100; day += 10)
        fixture_add(some, day == 50 ? 2 : 1, day, day + 1);
    bars = fixture_bars(some);
    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    CHECK_OK(writer_put(writer, TEXT("A"), &bars, false, &result, &err));
    CHECK_INT(result.same, 9);
    CHECK_INT(result.contradicted, 1);
    CHECK_INT(result.first_contradicted, 5);
    bars.count = 0;
    CHECK_OK(writer_put(writer, TEXT("A"), &bars, false, &result, &err));
    CHECK_INT(result.same, 0);
    CHECK_STATUS(writer_checkpoint(writer, &err), STATUS_USAGE);
    CHECK_OK(writer_commit(writer, &err));
    CHECK_OK(writer_checkpoint(writer, &err));
    writer_close(writer);
    free(some);
}

TEST(a_journal_that_has_grown_is_begun_anew_when_the_writer_closes)
{
    const char *data = fresh();
    char path[600];
    struct put_result result;
    struct writer *writer;
    struct file_info info;
    struct error err;

    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    for (int64_t day = 0; day < JOURNAL_RECORDS_USUAL + 10; day++) {
        struct fixture *fixture = fixture_new(1, day, day + 1);
        struct bars bars = fixture_bars(fixture);

        CHECK_OK(writer_put(writer, TEXT("A"), &bars, false, &result, &err));
        CHECK_OK(writer_commit(writer, &err));
        free(fixture);
    }
    writer_close(writer);
    snprintf(path, sizeof path, "%s/test/1d/journal", data);
    CHECK_OK(env_quick()->calls->path_info(env_quick(), path, &info, &err));
    CHECK(info.bytes < 8192);
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, JOURNAL_RECORDS_USUAL + 10));
    check_sound(data);
}

TEST(a_hash_stands_for_the_bars_and_their_order)
{
    struct fixture *a = fixture_new(1, 0, 10);
    struct bars bars = fixture_bars(a), first = bars_slice(&bars, 0, 4),
                rest = bars_slice(&bars, 4, 10);
    struct hash128 whole = bars_hash((struct hash128){0}, &bars, 0);
    struct hash128 parts = bars_hash(bars_hash((struct hash128){0}, &first, 0), &rest, 4);
    double kept = a->column[BAR_CLOSE][3];

    CHECK(hash128_equal(whole, parts));
    a->column[BAR_CLOSE][3] = a->column[BAR_CLOSE][4];
    a->column[BAR_CLOSE][4] = kept;
    CHECK(!hash128_equal(whole, bars_hash((struct hash128){0}, &bars, 0)));
    free(a);
}

TEST(equal_bars_have_equal_hashes_however_they_came)
{
    const char *one = fresh();
    char other[512];
    struct put_result result;
    struct snapshot *a, *b;
    struct error err;

    strcpy(other, one);
    one = fresh();
    CHECK_OK(put_series(env_quick(), one, "A", 1, 0, 1000, false, &result, &err));
    CHECK_OK(put_series(env_quick(), other, "A", 1, 500, 600, false, &result, &err));
    CHECK_OK(put_series(env_quick(), other, "A", 2, 550, 620, true, &result, &err));
    CHECK_OK(put_series(env_quick(), other, "A", 1, 0, 700, true, &result, &err));
    CHECK_OK(put_series(env_quick(), other, "A", 1, 700, 1000, true, &result, &err));
    CHECK_OK(snapshot_open(&a, env_quick(), one, &market, &err));
    CHECK_OK(snapshot_open(&b, env_quick(), other, &market, &err));
    CHECK(hash128_equal(snapshot_symbol_info(a, 0).hash, snapshot_symbol_info(b, 0).hash));
    snapshot_close(a);
    snapshot_close(b);
}

TEST(every_kind_of_wrong_bar_is_told_apart)
{
    static const struct {
        int column;
        double value;
        const char *words;
    } wrong[] = {
        {BAR_OPEN, 1e9, "its open is outside"},  {BAR_CLOSE, 1e9, "its close is outside"},
        {BAR_LOW, 0, "a price is not a number"}, {BAR_HIGH, 1.0 / 0.0, "a price is not a number"},
        {BAR_VOLUME, -1, "its volume is not"},   {BAR_CLOSE, 0.0 / 0.0, "a price is not a number"}};

    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        for (size_t count = 5; count < 9; count++) { /* in pairs of bars, and at the odd end */
            struct fixture *fixture = fixture_new(1, 0, (int64_t)count);
            struct bars bars = fixture_bars(fixture);
            const char *fault;
            size_t at = 99;

            CHECK(!bars_fault(&bars, &at));
            fixture->column[wrong[i].column][count - 2] = wrong[i].value;
            fault = bars_fault(&bars, &at);
            CHECK(fault != NULL);
            CHECK_CONTAINS(fault, wrong[i].words);
            CHECK_INT(at, count - 2);
            free(fixture);
        }
}

/* A disk that can be read and not written. */
static enum status read_only_open(struct env *env, struct env_file **file, const char *path,
                                  enum open_mode mode, struct error *err)
{
    if (mode != OPEN_READ)
        return fail_errno(err, EROFS, "%s", path);
    return env_posix()->calls->open(env, file, path, mode, err);
}

TEST(a_read_only_directory_can_be_read_and_not_written)
{
    const char *data = fresh();
    struct env_calls calls = *env_posix()->calls;
    struct env env = {.calls = &calls};
    struct put_result result;
    struct writer *writer;
    struct verify_report report;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    calls.open = read_only_open;
    CHECK(symbol_is(&env, data, "A", 1, 0, 10));
    CHECK_OK(store_verify(&env, data, &market, false, &report, &err));
    CHECK_INT(report.problem_count, 0);
    verify_report_deinit(&report);
    CHECK_STATUS(writer_open(&writer, &env, data, &market, "test", &err), STATUS_REFUSED);
    CHECK_CONTAINS(err.text, "test/1d cannot be written to: ");
}

/* ---- how many syncs -------------------------------------------------------------------------- */

/* A batch of one bar for each of many symbols. */
static void put_one_bar_each(struct writer *writer, int symbols, int64_t day)
{
    struct put_result result;
    struct error err;
    char name[16];

    for (int s = 0; s < symbols; s++) {
        struct fixture *fixture = fixture_new((uint64_t)s, day, day + 1);
        struct bars bars = fixture_bars(fixture);

        snprintf(name, sizeof name, "S%03d", s);
        CHECK_OK(writer_put(writer, text_of(name), &bars, false, &result, &err));
        free(fixture);
    }
    CHECK_OK(writer_commit(writer, &err));
}

TEST(a_new_bar_for_each_of_400_symbols_is_durable_after_one_sync)
{
    const char *data = fresh();
    struct writer *writer;
    struct error err;

    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    put_one_bar_each(writer, 400, 0); /* makes the files */
    writer_close(writer);
    for (int64_t day = 1; day <= 12; day++) {
        quick_counts = (struct quick_counts){0};
        CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
        put_one_bar_each(writer, 400, day);
        CHECK_INT(quick_counts.syncs, 1);
        CHECK_INT(quick_counts.directory_syncs, 0);
        writer_close(writer);
        CHECK_INT(quick_counts.syncs, 1);
    }
    for (int s = 0; s < 400; s += 57) {
        char name[16];

        snprintf(name, sizeof name, "S%03d", s);
        CHECK(symbol_is(env_quick(), data, name, (uint64_t)s, 0, 13));
    }
    check_sound(data);
}

TEST(an_import_of_many_files_is_one_sync_of_all_and_one_of_the_journal)
{
    const char *data = fresh();
    struct writer *writer;
    struct error err;

    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    quick_counts = (struct quick_counts){0};
    put_one_bar_each(writer, 500, 0);
    CHECK_INT(quick_counts.syncs, 1);
    CHECK_INT(quick_counts.syncs_of_all, 1);
    CHECK_INT(quick_counts.directory_syncs, 0);
    writer_close(writer);
}

TEST(an_import_of_few_files_is_one_sync_a_file_and_two_for_the_commit)
{
    const char *data = fresh();
    struct writer *writer;
    struct error err;

    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    quick_counts = (struct quick_counts){0};
    put_one_bar_each(writer, 40, 0);
    CHECK_INT(quick_counts.syncs, 40 + 1);
    CHECK_INT(quick_counts.syncs_of_all, 0);
    CHECK_INT(quick_counts.directory_syncs, 1);
    writer_close(writer);
}

TEST(a_snapshot_says_why_a_file_is_gone)
{
    const char *data = fresh();
    char path[600], long_name[2 * SYMBOL_BYTES_MAX];
    struct put_result result;
    struct snapshot *snapshot;
    struct bars bars;
    struct error err;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
    memset(long_name, 'A', sizeof long_name);
    CHECK_INT(snapshot_symbol_find(snapshot, (struct text){long_name, sizeof long_name}), -1);
    snprintf(path, sizeof path, "%s/test/1d/A.1.bars", data);
    CHECK_INT(unlink(path), 0);
    CHECK_STATUS(snapshot_bars(snapshot, 0, &bars, &err), STATUS_CORRUPT);
    CHECK_CONTAINS(err.text, "its file 1 is gone; harrier verify --repair");
    CHECK_OK(store_market_remove(env_quick(), data, &market, &err));
    CHECK_STATUS(snapshot_bars(snapshot, 0, &bars, &err), STATUS_BUSY);
    snapshot_close(snapshot);
}

TEST(a_directory_that_can_be_no_venue_is_no_market)
{
    const char *data = fresh();
    char path[700], long_name[129];
    struct market_name *names;
    struct put_result result;
    struct error err;
    size_t count;

    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    memset(long_name, 'v', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    snprintf(path, sizeof path, "%s/%s", data, long_name);
    CHECK_OK(directory_make_all(env_quick(), path, &err));
    snprintf(path, sizeof path, "%s/no venue", data);
    CHECK_OK(directory_make_all(env_quick(), path, &err));
    CHECK_OK(store_markets(env_quick(), data, &names, &count, &err));
    CHECK_INT(count, 1);
    CHECK_TEXT(names[0].venue, "test");
    mem_free(names);
}

/* What `symbols` lists, every other command opens. */
TEST(a_market_whose_first_writer_was_killed_is_not_there)
{
    const char *data = fresh();
    struct put_result result;
    struct market_name *names;
    struct snapshot *snapshot;
    struct error err;
    size_t count;
    pid_t child = fork();

    if (child == 0) {
        struct fixture *fixture = fixture_new(1, 0, 3000);
        struct bars bars = fixture_bars(fixture);
        struct writer *writer;

        if (writer_open(&writer, env_quick(), data, &market, "test", &err) == STATUS_OK &&
            writer_put(writer, TEXT("A"), &bars, false, &result, &err) == STATUS_OK)
            raise(SIGKILL);
        _exit(1);
    }
    CHECK_INT(waitpid(child, &(int){0}, 0), child);
    CHECK_STATUS(snapshot_open(&snapshot, env_quick(), data, &market, &err), STATUS_MISSING);
    CHECK_CONTAINS(err.text, "there is none yet");
    CHECK_OK(store_markets(env_quick(), data, &names, &count, &err));
    CHECK_INT(count, 0);
    mem_free(names);
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 10, false, &result, &err));
    CHECK_OK(store_markets(env_quick(), data, &names, &count, &err));
    CHECK_INT(count, 1);
    mem_free(names);
}

TEST(a_copy_holds_what_a_snapshot_shows_and_leaves_damaged_symbols_out)
{
    char data[512], copy[512], path[600];
    struct verify_report report;
    struct put_result result;
    struct error err;
    int fd;

    snprintf(data, sizeof data, "%s", fresh());
    snprintf(copy, sizeof copy, "%s", fresh());
    CHECK_OK(put_series(env_quick(), data, "ROTTEN", 3, 0, 900, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "BTC/USDT", 1, 0, 1828, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "ETHUSDT", 2, 5, 900, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "ETHUSDT", 2, 900, 903, false, &result, &err));
    CHECK_OK(store_copy(env_quick(), data, &market, copy, &report, &err));
    CHECK_INT(report.symbols, 3);
    CHECK_INT(report.bars, 1828 + 898 + 900);
    CHECK_INT(report.problem_count, 0);
    verify_report_deinit(&report);
    CHECK(symbol_is(env_quick(), copy, "BTC/USDT", 1, 0, 1828));
    CHECK(symbol_is(env_quick(), copy, "ETHUSDT", 2, 5, 903));
    check_sound(copy);

    snprintf(path, sizeof path, "%s/test/1d/ROTTEN.1.bars", data);
    fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    CHECK_INT(pwrite(fd, "rot", 3, 4096 + 80), 3);
    close(fd);
    snprintf(copy, sizeof copy, "%s", fresh());
    CHECK_OK(store_copy(env_quick(), data, &market, copy, &report, &err));
    CHECK_INT(report.symbols, 2);
    CHECK_INT(report.problem_count, 1);
    CHECK(!strcmp(report.problems[0].symbol, "ROTTEN"));
    verify_report_deinit(&report);
    CHECK(symbol_is(env_quick(), copy, "BTC/USDT", 1, 0, 1828));
    CHECK(!symbol_is(env_quick(), copy, "ROTTEN", 3, 0, 900));
    check_sound(copy);
}
