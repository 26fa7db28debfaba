/* Rot, cuts and zeroed pages (T4): all of it is found by verify, readers are told or see the right
 * bars, and a repair never makes bars up. */
#include <fcntl.h>
#include <unistd.h>

#include "store/format.h"
#include "store/journal.h"
#include "workload.h"

enum { SYMBOLS = 3, BARS = 700 };

/* A market of three symbols in this boot, with batches in its journal, and one file to be damaged.
 */
struct victim {
    char data[256], path[512];
    struct digest right;
    unsigned char *bytes;
    size_t length;
    int fd;
};

static void make_market(char data[256])
{
    static int number;
    struct put_result result;
    struct error err;

    snprintf(data, 256, "%s/damage%d", test_directory(), number++);
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, BARS, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "B", 2, 0, BARS, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "C", 3, 0, BARS, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, BARS, BARS + 3, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "B", 2, BARS, BARS + 3, false, &result, &err));
}

static void take(struct digest *digest, const char *data, bool check_bars)
{
    struct snapshot *snapshot;
    struct bars bars;
    struct error err;
    enum status status = snapshot_open(&snapshot, env_quick(), data, &market, &err);

    memset(digest, 0, sizeof *digest);
    digest->corrupt = status != STATUS_OK;
    if (status != STATUS_OK)
        return;
    digest->count = snapshot_symbol_count(snapshot);
    for (size_t i = 0; i < MIN(digest->count, SYMBOLS_MAX); i++) {
        strcpy(digest->symbols[i].name, snapshot_symbol_name(snapshot, i));
        digest->symbols[i].info = snapshot_symbol_info(snapshot, i);
        digest->corrupt |= (check_bars ? snapshot_check(snapshot, i, &err)
                                       : snapshot_bars(snapshot, i, &bars, &err)) != STATUS_OK;
    }
    snapshot_close(snapshot);
}

static void victim_open(struct victim *victim, const char *file)
{
    make_market(victim->data);
    take(&victim->right, victim->data, true);
    CHECK(!victim->right.corrupt && victim->right.count == SYMBOLS);
    snprintf(victim->path, sizeof victim->path, "%s/test/1d/%s", victim->data, file);
    victim->fd = open(victim->path, O_RDWR);
    CHECK(victim->fd >= 0);
    victim->length = (size_t)lseek(victim->fd, 0, SEEK_END);
    victim->bytes = malloc(victim->length);
    CHECK_INT(pread(victim->fd, victim->bytes, victim->length, 0), victim->length);
}

static void victim_close(struct victim *victim)
{
    close(victim->fd);
    free(victim->bytes);
}

static void damage(const struct victim *victim, size_t at, const void *bytes, size_t length)
{
    CHECK_INT(pwrite(victim->fd, bytes, length, (off_t)at), length);
}

static void heal(const struct victim *victim, size_t at, size_t length)
{
    damage(victim, at, victim->bytes + at, length);
}

static size_t problems(const char *data)
{
    struct verify_report report;
    struct error err;
    size_t count;

    if (store_verify(env_quick(), data, &market, false, &report, &err) != STATUS_OK)
        return 1;
    count = report.problem_count;
    verify_report_deinit(&report);
    return count;
}

/* Readers fail or have the right state; with the bars' checksum they never have wrong bars.  Verify
 * finds it. */
static void check_detected(const struct victim *victim, const char *what, size_t at)
{
    struct digest found;

    take(&found, victim->data, true);
    if (!found.corrupt && memcmp(found.symbols, victim->right.symbols, sizeof found.symbols) != 0) {
        print_error("%s at %zu of %s: wrong bars are served\n", what, at, victim->path);
        _fail(__FILE__, __LINE__);
    }
    if (problems(victim->data) == 0) {
        print_error("%s at %zu of %s is not found\n", what, at, victim->path);
        _fail(__FILE__, __LINE__);
    }
}

static void check_healed(const struct victim *victim)
{
    struct digest found;

    take(&found, victim->data, true);
    CHECK(digests_are_equal(&found, &victim->right));
    CHECK_INT(problems(victim->data), 0);
}

/* Whether anything that was committed stands at this byte of A's file. */
static bool is_committed(const struct victim *victim, size_t at)
{
    const struct column_head *head = (const void *)victim->bytes;

    return at < HEADER_BYTES || (at - HEADER_BYTES) / sizeof(double) % head->capacity < BARS + 3;
}

TEST(every_flipped_byte_of_a_file_header_is_found)
{
    struct victim victim;

    victim_open(&victim, "A.1.bars");
    for (size_t at = 0; at < HEADER_BYTES; at++) {
        unsigned char flipped = victim.bytes[at] ^
                                (at % 2 ? 0xff : (unsigned char)(1u << at / 2 % 8));

        damage(&victim, at, &flipped, 1);
        check_detected(&victim, "a flipped byte", at);
        heal(&victim, at, 1);
    }
    check_healed(&victim);
    victim_close(&victim);
}

TEST(every_flipped_byte_of_the_journal_is_found)
{
    struct victim victim;

    victim_open(&victim, "journal");
    for (size_t at = 0; at < victim.length; at++) {
        unsigned char flipped = victim.bytes[at] ^
                                (at % 2 ? 0xff : (unsigned char)(1u << at / 2 % 8));

        damage(&victim, at, &flipped, 1);
        check_detected(&victim, "a flipped byte", at);
        heal(&victim, at, 1);
    }
    check_healed(&victim);
    victim_close(&victim);
}

TEST(every_flipped_bit_of_the_bars_is_found)
{
    struct victim victim;
    unsigned long flips = torture() ? 100000 : 5000;

    victim_open(&victim, "A.1.bars");
    for (unsigned long i = 0; i < flips; i++) {
        size_t at = (size_t)(random_at(1, 2, i) % victim.length);
        unsigned char flipped;

        while (!is_committed(&victim, at))
            at = (at + 4099) % victim.length;
        flipped = victim.bytes[at] ^ (unsigned char)(1u << random_at(1, 3, i) % 8);
        damage(&victim, at, &flipped, 1);
        check_detected(&victim, "a flipped bit", at);
        heal(&victim, at, 1);
    }
    check_healed(&victim);
    victim_close(&victim);
}

TEST(every_length_that_a_file_is_cut_to_is_found)
{
    static const char *const files[] = {"A.1.bars", "journal"};
    struct victim victim;

    for (size_t f = 0; f < ARRAY_COUNT(files); f++) {
        size_t step;

        victim_open(&victim, files[f]);
        step = victim.length / 1500 + 1;
        for (size_t length = 0; length < victim.length; length += step) {
            CHECK_INT(ftruncate(victim.fd, (off_t)length), 0);
            check_detected(&victim, "a cut", length);
            CHECK_INT(ftruncate(victim.fd, (off_t)victim.length), 0);
            heal(&victim, 0, victim.length);
        }
        for (size_t less = 1; less <= 64; less++) { /* inside the last page */
            CHECK_INT(ftruncate(victim.fd, (off_t)(victim.length - less)), 0);
            check_detected(&victim, "a cut", victim.length - less);
            CHECK_INT(ftruncate(victim.fd, (off_t)victim.length), 0);
            heal(&victim, 0, victim.length);
        }
        check_healed(&victim);
        victim_close(&victim);
    }
}

TEST(every_zeroed_page_is_found_though_it_is_mapped)
{
    static const char *const files[] = {"A.1.bars", "journal"};
    static const unsigned char zero[HEADER_BYTES];
    struct victim victim;

    for (size_t f = 0; f < ARRAY_COUNT(files); f++) {
        struct snapshot *snapshot;
        struct bars bars;
        struct error err;

        victim_open(&victim, files[f]);
        CHECK_OK(snapshot_open(&snapshot, env_quick(), victim.data, &market, &err));
        CHECK_OK(snapshot_bars(snapshot, 0, &bars, &err));
        for (size_t at = 0; at < victim.length; at += HEADER_BYTES) {
            size_t length = MIN(HEADER_BYTES, victim.length - at);

            if (bytes_are_zero(victim.bytes + at, length))
                continue;
            damage(&victim, at, zero, length);
            CHECK(bars.time[bars.count - 1] >= 0); /* reading on does not kill */
            check_detected(&victim, "a zeroed page", at);
            heal(&victim, at, length);
        }
        snapshot_close(snapshot);
        check_healed(&victim);
        victim_close(&victim);
    }
}

TEST(a_file_that_is_gone_or_another_ones_is_told)
{
    struct victim victim;
    char other[600];

    victim_open(&victim, "A.1.bars");
    snprintf(other, sizeof other, "%s/test/1d/B.3.bars", victim.data);
    CHECK_INT(unlink(victim.path), 0);
    check_detected(&victim, "removal", 0);
    CHECK_INT(link(other, victim.path), 0);
    check_detected(&victim, "another symbol's file", 0);
    victim_close(&victim);
}

/* ---- repair ---------------------------------------------------------------------------------- */

/* After a repair: no problem is left, untouched symbols are as they were, and what is left of the
 * damaged one is the begin of its series. */
static void check_repair(const struct victim *victim, const char *what, size_t at, bool may_lose_a)
{
    struct verify_report report;
    struct digest found;
    struct error err;
    enum status status = store_verify(env_quick(), victim->data, &market, true, &report, &err);
    bool a_is_whole = symbol_is(env_quick(), victim->data, "A", 1, 0, BARS + 3);

    if (status != STATUS_OK || report.repaired != report.problem_count ||
        report.problem_count == 0 || problems(victim->data) > 0) {
        print_error("%s at %zu of %s is not repaired: %s\n", what, at, victim->path,
                    status == STATUS_OK && report.problem_count ? report.problems[0].text
                                                                : err.text);
        _fail(__FILE__, __LINE__);
    }
    verify_report_deinit(&report);
    CHECK(symbol_is(env_quick(), victim->data, "B", 2, 0, BARS + 3));
    CHECK(symbol_is(env_quick(), victim->data, "C", 3, 0, BARS));
    CHECK(a_is_whole || may_lose_a);
    take(&found, victim->data, true);
    CHECK(!found.corrupt);
    if (found.count == SYMBOLS && !a_is_whole)
        CHECK(symbol_is(env_quick(), victim->data, "A", 1, 0,
                        (int64_t)found.symbols[0].info.bar_count));
}

TEST(repair_saves_all_bars_where_only_a_header_is_damaged)
{
    for (size_t at = 0; at < HEADER_BYTES; at += at < SLOT_A_AT ? 13 : 97) {
        unsigned char flipped;
        struct victim victim;

        victim_open(&victim, "A.1.bars");
        flipped = victim.bytes[at] ^ 0x55;
        damage(&victim, at, &flipped, 1);
        check_repair(&victim, "a flipped byte", at, false);
        victim_close(&victim);
    }
}

TEST(repair_puts_a_market_together_whose_journal_is_damaged_or_gone)
{
    for (size_t at = 0; at < 6000; at += at < 4096 ? 251 : 53) {
        unsigned char flipped;
        struct victim victim;

        victim_open(&victim, "journal");
        flipped = victim.bytes[MIN(at, victim.length - 1)] ^ 0x55;
        if (at == 0)
            CHECK_INT(unlink(victim.path), 0);
        else
            damage(&victim, MIN(at, victim.length - 1), &flipped, 1);
        check_repair(&victim, "a flipped byte", at, false);
        victim_close(&victim);
    }
}

TEST(repair_keeps_what_a_hash_vouches_for_and_sets_the_rest_aside)
{
    unsigned long kept = 0, lost = 0;

    for (unsigned i = 0; i < 60; i++) {
        unsigned char flipped;
        struct victim victim;
        struct digest found;
        size_t at;

        victim_open(&victim, "A.1.bars");
        /* Every third time one of the last three bars, which the journal has, too. */
        at = (size_t)column_at(((const struct column_head *)(const void *)victim.bytes)->capacity,
                               i % COLUMN_COUNT,
                               i % 3 ? random_at(1, 1, i) % BARS : BARS + i % 9 / 3);
        flipped = victim.bytes[at] ^ 0x10;
        damage(&victim, at, &flipped, 1);
        check_repair(&victim, "a flipped bit", at, i % 3 != 0);
        take(&found, victim.data, true);
        kept += found.count == SYMBOLS;
        lost += found.count != SYMBOLS;
        victim_close(&victim);
    }
    CHECK(kept >= 20 && lost > 0);
}

/* One flipped bit in row `row` of the lows of a file. */
static void flip_row(const char *data, const char *file, size_t row)
{
    struct column_head head;
    char path[600];
    unsigned char byte;
    off_t at;
    int fd;

    snprintf(path, sizeof path, "%s/test/1d/%s", data, file);
    fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    CHECK_INT(pread(fd, &head, sizeof head, 0), sizeof head);
    at = (off_t)column_at(head.capacity, 3, row);
    CHECK_INT(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    CHECK_INT(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Repairs, and expects these words of what was done to A. */
static void repair_says(const char *data, const char *words)
{
    struct verify_report report;
    struct error err;

    CHECK_OK(store_verify(env_quick(), data, &market, true, &report, &err));
    CHECK_INT(report.problem_count, 1);
    CHECK_INT(report.repaired, 1);
    CHECK_TEXT(report.problems[0].symbol, "A");
    CHECK_CONTAINS(report.problems[0].text, words);
    verify_report_deinit(&report);
    CHECK_INT(problems(data), 0);
}

TEST(repair_takes_the_older_slot_where_the_newer_is_of_damaged_bars)
{
    struct put_result result;
    struct writer *writer;
    char data[256];
    struct error err;

    snprintf(data, sizeof data, "%s/older", test_directory());
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 700, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, 700, 1000, false, &result, &err));
    CHECK_OK(writer_open(&writer, env_quick(), data, &market, "test", &err));
    CHECK_OK(writer_checkpoint(writer, &err));
    writer_close(writer);
    flip_row(data, "A.1.bars", 900);
    repair_says(data, "the first 700 of 1000 bars were saved; the file was set aside");
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 700));
}

TEST(repair_takes_the_file_before_the_last_batch)
{
    struct put_result result;
    char data[256];
    struct error err;

    snprintf(data, sizeof data, "%s/before", test_directory());
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 50, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 2, 0, 60, true, &result, &err));
    flip_row(data, "A.3.bars", 20);
    repair_says(data, "it has the 50 bars from before the last batch again");
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 50));
}

TEST(repair_says_what_is_lost)
{
    struct put_result result;
    char data[256], path[600];
    struct error err;

    snprintf(data, sizeof data, "%s/lost", test_directory());
    CHECK_OK(put_series(env_quick(), data, "B", 2, 0, 50, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 50, false, &result, &err));
    snprintf(path, sizeof path, "%s/test/1d/A.3.bars", data);
    CHECK_INT(truncate(path, 5000), 0);
    repair_says(data, "50 bars are lost; the file was set aside");
    CHECK(symbol_is(env_quick(), data, "B", 2, 0, 50));
    snprintf(path, sizeof path, "%s/test/1d/A.3.bars.corrupt", data);
    CHECK_INT(access(path, R_OK), 0);
}

TEST(what_only_undo_needs_is_verified_and_mended_too)
{
    struct put_result result;
    struct verify_report report;
    struct undo_report undo;
    char data[256];
    struct error err;

    snprintf(data, sizeof data, "%s/undo", test_directory());
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 50, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "A", 2, 0, 60, true, &result, &err));
    flip_row(data, "A.1.bars", 20);
    CHECK_INT(problems(data), 1);
    CHECK_OK(store_verify(env_quick(), data, &market, true, &report, &err));
    CHECK_INT(report.repaired, report.problem_count);
    verify_report_deinit(&report);
    CHECK_INT(problems(data), 0);
    CHECK(symbol_is(env_quick(), data, "A", 2, 0, 60));
    CHECK_STATUS(store_undo(env_quick(), data, &market, "test", &undo, &err), STATUS_MISSING);
}

TEST(a_market_without_its_journal_is_not_written_over)
{
    struct put_result result;
    struct verify_report report;
    struct writer *writer;
    char data[256], path[600];
    struct error err;

    snprintf(data, sizeof data, "%s/without", test_directory());
    CHECK_STATUS(store_verify(env_quick(), data, &market, true, &report, &err), STATUS_MISSING);
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 50, false, &result, &err));
    snprintf(path, sizeof path, "%s/test/1d/journal", data);
    CHECK_INT(unlink(path), 0);
    CHECK_STATUS(writer_open(&writer, env_quick(), data, &market, "test", &err), STATUS_CORRUPT);
    CHECK_CONTAINS(err.text,
                   "1 files of bars and no journal; harrier verify --repair puts them together");
    CHECK_INT(problems(data), 1);
    CHECK_OK(store_verify(env_quick(), data, &market, true, &report, &err));
    verify_report_deinit(&report);
    CHECK(symbol_is(env_quick(), data, "A", 1, 0, 50));
}

TEST(files_that_hold_nothing_for_certain_are_set_aside_when_a_journal_is_made_anew)
{
    struct put_result result;
    struct verify_report report;
    struct snapshot *snapshot;
    char data[256], path[600];
    struct error err;

    snprintf(data, sizeof data, "%s/aside", test_directory());
    CHECK_OK(put_series(env_quick(), data, "A", 1, 0, 50, false, &result, &err));
    CHECK_OK(put_series(env_quick(), data, "B", 2, 0, 50, false, &result, &err));
    snprintf(path, sizeof path, "%s/test/1d/journal", data);
    CHECK_INT(unlink(path), 0);
    flip_row(data, "A.1.bars", 20);
    CHECK_OK(store_verify(env_quick(), data, &market, true, &report, &err));
    verify_report_deinit(&report);
    CHECK_OK(snapshot_open(&snapshot, env_quick(), data, &market, &err));
    CHECK_INT(snapshot_symbol_count(snapshot), 1);
    snapshot_close(snapshot);
    snprintf(path, sizeof path, "%s/test/1d/A.1.bars.corrupt", data);
    CHECK_INT(access(path, R_OK), 0);
}
