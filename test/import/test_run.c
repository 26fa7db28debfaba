/* Whole imports into a store: there and back, threads, archives, interruption, failures of memory
 * and disk. */
#include "test.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "import/import.h"
#include "sys/simulated.h"

enum { ROWS = 3000 };

static const char *path_of(const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/%s", test_directory(), name);
    return path;
}

static void write_text(const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");

    CHECK(file && fwrite(text, 1, length, file) == length && fclose(file) == 0);
}

static struct import_options options_of(const char *store, const char *market,
                                        const char *const *paths, size_t count)
{
    struct import_options options = {
        .env = env_posix(), .data_dir = store, .paths = paths, .path_count = count, .threads = 1};
    struct error err;

    CHECK_OK(market_parse(&options.market, text_of(market), &err));
    return options;
}

/* ---- there and back ------------------------------------------------------------------------ */

/* Any price that is taken, all exponents alike. */
static double any_price(struct random *random)
{
    double price = pow(10, random_unit(random) * 34 - 17);

    return price >= BAR_PRICE_LEAST && price <= BAR_PRICE_MOST ? price : 1.5;
}

static void random_bars(struct bars *bars, int64_t *time, double *column[BAR_COLUMNS], size_t count,
                        enum timeframe frame, uint64_t seed)
{
    struct random random;
    int64_t at = date_to_ms((struct date){1980, 1, 1});

    random_init(&random, seed, 0);
    for (size_t i = 0; i < count; i++) {
        double price[4];

        at += timeframe_ms(frame) *
              (1 + (int64_t)random_below(&random, 3) * (random_below(&random, 9) == 0));
        time[i] = at;
        for (int p = 0; p < 4; p++)
            price[p] = random_below(&random, 2) ? any_price(&random)
                                                : floor(random_unit(&random) * 1e6 + 1) / 1e4;
        column[BAR_HIGH][i] = fmax(fmax(price[0], price[1]), fmax(price[2], price[3]));
        column[BAR_LOW][i] = fmin(fmin(price[0], price[1]), fmin(price[2], price[3]));
        column[BAR_OPEN][i] = price[0];
        column[BAR_CLOSE][i] = price[1];
        column[BAR_VOLUME][i] = random_below(&random, 4) ? any_price(&random) : 0;
    }
    bars->count = count;
    bars->time = time;
    for (int c = 0; c < BAR_COLUMNS; c++)
        bars->column[c] = column[c];
}

static enum status append(void *context, const char *bytes, size_t length, struct error *err)
{
    (void)err;
    buffer_add(context, bytes, length);
    return STATUS_OK;
}

static void check_back(enum timeframe frame, uint64_t seed)
{
    static int64_t time[ROWS];
    static double values[BAR_COLUMNS][ROWS];
    double *column[BAR_COLUMNS] = {values[0], values[1], values[2], values[3], values[4]};
    char store[1024], file[1024], market[64];
    const char *paths[] = {file};
    struct buffer text = {0};
    struct bars bars, back;
    struct import_options options;
    struct import_report report;
    struct snapshot *snapshot;
    struct error err;

    random_bars(&bars, time, column, ROWS, frame, seed);
    CHECK_OK(bars_write_csv(&bars, frame, append, &text, &err));
    path_of("back.csv", file);
    write_text(file, text.at, text.length);
    buffer_deinit(&text);
    snprintf(market, sizeof market, "back%d/%s", (int)seed, timeframe_name(frame));
    options = options_of(path_of("back-store", store), market, paths, 1);
    CHECK_OK(import_run(&options, &report, &err));
    CHECK_INT(report.counts.added, ROWS);
    import_report_deinit(&report);
    CHECK_OK(snapshot_open(&snapshot, options.env, store, &options.market, &err));
    CHECK_OK(snapshot_bars(snapshot, 0, &back, &err));
    CHECK_INT(back.count, ROWS);
    CHECK(memcmp(back.time, time, sizeof time) == 0);
    for (int c = 0; c < BAR_COLUMNS; c++)
        CHECK_SAME_BITS(back.column[c], column[c], ROWS);
    snapshot_close(snapshot);
}

TEST(what_is_exported_and_imported_again_has_the_same_bits)
{
    check_back(TIMEFRAME_1D, 1);
    check_back(TIMEFRAME_1M, 2);
    check_back(TIMEFRAME_1H, 3);
    check_back(TIMEFRAME_1S, 4);
}

/* ---- many files ---------------------------------------------------------------------------- */

enum { FILES = 150 };

/* Files of three symbols in turn, each with rows of its own, some dirty and some like those of
 * others. */
static void write_files(const char *folder)
{
    CHECK(mkdir(folder, 0777) == 0 || errno == EEXIST);
    for (int file = 0; file < FILES; file++) {
        struct buffer text = {0};
        char path[1200];
        struct random random;

        random_init(&random, 7, (uint64_t)file);
        buffer_add_text(&text, file % 7 ? "time,open,high,low,close,volume\n"
                                        : "Date;Open;High;Low;Close;Volume\n");
        for (int row = 0; row < 40; row++) {
            char day[TIME_TEXT_BYTES];
            int64_t ms = date_to_ms((struct date){2000, 1, 1}) +
                         (file / 3 * 30 + row) * (int64_t)DAY_MS;
            int close = row % 13 == 5 ? 99 : 2 + (int)random_below(&random, 2);
            char d = file % 7 ? ',' : ';';

            time_to_text(ms, true, day);
            buffer_addf(&text, "%s%c2%c3%c1%c%d%c%d\n", day, d, d, d, d, close, d,
                        (int)random_below(&random, 3));
        }
        if (file % 50 == 49) {
            text.length = 0;
            buffer_add_text(&text, "not a table\n");
        }
        snprintf(path, sizeof path, "%s/S%d-%03d.csv", folder, file % 3, file);
        write_text(path, text.at, text.length);
        buffer_deinit(&text);
    }
}

static size_t stored_bars(const struct import_options *options)
{
    struct snapshot *snapshot;
    struct error err;
    size_t bars = 0;
    enum status status = snapshot_open(&snapshot, env_posix(), options->data_dir, &options->market,
                                       &err);

    if (status != STATUS_OK)
        return 0;
    for (size_t s = 0; s < snapshot_symbol_count(snapshot); s++) {
        struct bars view;

        CHECK_OK(snapshot_bars(snapshot, s, &view, &err));
        bars += view.count;
    }
    snapshot_close(snapshot);
    return bars;
}

static void add_stored(const struct import_options *options, struct buffer *out)
{
    struct snapshot *snapshot;
    struct error err;

    CHECK_OK(snapshot_open(&snapshot, options->env, options->data_dir, &options->market, &err));
    for (size_t s = 0; s < snapshot_symbol_count(snapshot); s++) {
        struct bars bars;

        CHECK_OK(snapshot_bars(snapshot, s, &bars, &err));
        CHECK_OK(bars_write_csv(&bars, TIMEFRAME_1D, append, out, &err));
    }
    snapshot_close(snapshot);
}

/* All that a user sees of a report, and all bars. */
static void describe(const struct import_options *options, struct buffer *out)
{
    struct import_report report;
    struct error err;

    CHECK_STATUS(import_run(options, &report, &err), STATUS_PARTIAL);
    buffer_addf(out, "%s\n", err.text);
    for (size_t i = 0; i < report.file_count; i++)
        buffer_addf(out, "%s %d %s %llu %llu %s\n", report.files[i].name, report.files[i].state,
                    report.files[i].symbol, (unsigned long long)report.files[i].counts.added,
                    (unsigned long long)report.files[i].counts.rejected_all,
                    report.files[i].text ? report.files[i].text : "");
    for (size_t i = 0; i < report.layout_count; i++)
        buffer_addf(out, "%zu %s\n", report.layouts[i].files, report.layouts[i].text);
    for (size_t i = 0; i < report.reject_count; i++)
        buffer_addf(out, "%s:%u: %s\n", report.rejects[i].file, report.rejects[i].line,
                    report.rejects[i].text);
    import_report_deinit(&report);
    add_stored(options, out);
}

TEST(any_number_of_threads_makes_the_same_report_and_the_same_bars)
{
    static const int threads[] = {1, 2, 3, 8};
    struct buffer first = {0}, other = {0};
    char folder[1024], store[1024];
    const char *paths[] = {path_of("many", folder)};

    write_files(folder);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        struct import_options options;
        char name[32];

        snprintf(name, sizeof name, "many-store-%d", threads[i]);
        options = options_of(path_of(name, store), "many/1d", paths, 1);
        options.threads = threads[i];
        options.symbol_from = "^(S[0-9])-";
        describe(&options, i == 0 ? &first : &other);
        if (i > 0)
            CHECK_TEXT(buffer_text(&other), buffer_text(&first));
        other.length = 0;
    }
    CHECK(first.length > 50000);
    CHECK_CONTAINS(buffer_text(&first), "the stored bar stays");
    buffer_deinit(&first);
    buffer_deinit(&other);
}

TEST(an_import_that_is_stopped_before_its_first_file_stores_nothing)
{
    char folder[1024], store[1024];
    const char *paths[] = {path_of("many", folder)};
    struct import_options options = options_of(path_of("stopped", store), "many/1d", paths, 1);
    struct import_report report;
    struct snapshot *snapshot;
    struct error err;
    atomic_bool stop = true;
    struct env env = {.calls = options.env->calls, .state = options.env->state, .stop = &stop};

    write_files(folder);
    options.env = &env;
    CHECK_STATUS(import_run(&options, &report, &err), STATUS_INTERRUPTED);
    import_report_deinit(&report);
    CHECK_STATUS(snapshot_open(&snapshot, options.env, store, &options.market, &err),
                 STATUS_MISSING);
}

static void stop_at_file(void *context, const struct import_progress *progress)
{
    if (progress->files >= 70)
        atomic_store((atomic_bool *)context, true);
}

TEST(an_interrupted_import_keeps_whole_files_and_goes_on_the_next_time)
{
    char folder[1024], store[1024], whole[1024];
    const char *paths[] = {path_of("many", folder)};
    struct import_options options = options_of(path_of("cut", store), "many/1d", paths, 1);
    struct buffer again = {0}, once = {0};
    struct import_report report;
    struct error err;
    atomic_bool stop = false;
    struct env *env = options.env,
               stopping = {.calls = env->calls, .state = env->state, .stop = &stop};

    write_files(folder);
    options.symbol_from = "^(S[0-9])-";
    options.progress = stop_at_file;
    options.progress_context = &stop;
    options.env = &stopping;
    CHECK_STATUS(import_run(&options, &report, &err), STATUS_INTERRUPTED);
    CHECK(report.file_count >= 70 && report.file_count < FILES);
    CHECK_INT(stored_bars(&options), report.counts.added);
    CHECK_CONTAINS(err.text, "once more");
    import_report_deinit(&report);
    options.env = env;
    CHECK_STATUS(import_run(&options, &report, &err), STATUS_PARTIAL);
    import_report_deinit(&report);
    add_stored(&options, &again);
    options.data_dir = path_of("not-cut", whole);
    CHECK_STATUS(import_run(&options, &report, &err), STATUS_PARTIAL);
    import_report_deinit(&report);
    add_stored(&options, &once);
    CHECK_TEXT(buffer_text(&again), buffer_text(&once));
    buffer_deinit(&again);
    buffer_deinit(&once);
}

/* ---- archives ------------------------------------------------------------------------------ */

static const char small_csv[] =
    "time,open,high,low,close,volume\n2020-01-01,1,2,0.5,1.5,10\n2020-01-02,1,2,0.5,1.5,10\n";

static void write_archive(const char *path, bool zip, int filter, const char *const *names,
                          size_t count)
{
    struct archive *archive = archive_write_new();

    CHECK(archive_write_add_filter(archive, filter) == ARCHIVE_OK);
    CHECK((zip ? archive_write_set_format_zip(archive)
               : archive_write_set_format_pax_restricted(archive)) == ARCHIVE_OK);
    CHECK(archive_write_open_filename(archive, path) == ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();

        archive_entry_set_pathname(entry, names[i]);
        archive_entry_set_size(entry, sizeof small_csv - 1);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        CHECK(archive_write_header(archive, entry) == ARCHIVE_OK);
        CHECK(archive_write_data(archive, small_csv, sizeof small_csv - 1) ==
              (la_ssize_t)sizeof small_csv - 1);
        archive_entry_free(entry);
    }
    CHECK(archive_write_free(archive) == ARCHIVE_OK);
}

static void write_compressed(const char *path, int filter)
{
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();

    CHECK(archive_write_add_filter(archive, filter) == ARCHIVE_OK &&
          archive_write_set_format_raw(archive) == ARCHIVE_OK);
    CHECK(archive_write_open_filename(archive, path) == ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    CHECK(archive_write_header(archive, entry) == ARCHIVE_OK);
    CHECK(archive_write_data(archive, small_csv, sizeof small_csv - 1) ==
          (la_ssize_t)sizeof small_csv - 1);
    archive_entry_free(entry);
    CHECK(archive_write_free(archive) == ARCHIVE_OK);
}

static void import_archive(const char *file, const char *market, size_t symbols, size_t not_picked,
                           const char *first)
{
    char path[1024], store[1024];
    const char *paths[] = {path_of(file, path)};
    struct import_options options = options_of(path_of("archives", store), market, paths, 1);
    struct import_report report;
    struct error err;

    CHECK_OK(import_run(&options, &report, &err));
    CHECK_INT(report.symbols, symbols);
    CHECK_INT(report.counts.added, 2 * symbols);
    CHECK_INT(report.files_not_picked, not_picked);
    CHECK_TEXT(report.files[0].symbol, first);
    import_report_deinit(&report);
}

TEST(archives_and_compressed_files_are_read_as_they_are)
{
    static const char *const names[] = {"set/AAA.csv", "set/README.md", "set/BBB.us.txt",
                                        "set/.hidden.csv", "set/sub/CCC.csv"};
    char path[1024];

    write_archive(path_of("set.tar", path), false, ARCHIVE_FILTER_NONE, names, ARRAY_COUNT(names));
    import_archive("set.tar", "tar/1d", 3, 2, "AAA");
    write_archive(path_of("set.tar.gz", path), false, ARCHIVE_FILTER_GZIP, names,
                  ARRAY_COUNT(names));
    import_archive("set.tar.gz", "targz/1d", 3, 2, "AAA");
    write_archive(path_of("set.tar.zst", path), false, ARCHIVE_FILTER_ZSTD, names,
                  ARRAY_COUNT(names));
    import_archive("set.tar.zst", "tarzst/1d", 3, 2, "AAA");
    write_archive(path_of("set.zip", path), true, ARCHIVE_FILTER_NONE, names, 1);
    import_archive("set.zip", "zip/1d", 1, 0, "AAA");
    write_compressed(path_of("DDD.csv.gz", path), ARCHIVE_FILTER_GZIP);
    import_archive("DDD.csv.gz", "gz/1d", 1, 0, "DDD");
    write_compressed(path_of("EEE.csv.zst", path), ARCHIVE_FILTER_ZSTD);
    import_archive("EEE.csv.zst", "zst/1d", 1, 0, "EEE");
}

TEST(only_picked_files_of_an_archive_are_read)
{
    static const char *const names[] = {"set/EURUSDd1.csv", "set/EURUSDh1.csv", "set/GBPUSDd1.csv"};
    static const char *const globs[] = {"*d1.csv"};
    char path[1024], store[1024];
    const char *paths[] = {path_of("picked.tar", path)};
    struct import_options options = options_of(path_of("archives", store), "picked/1d", paths, 1);
    struct import_report report;
    struct error err;

    write_archive(path, false, ARCHIVE_FILTER_NONE, names, ARRAY_COUNT(names));
    options.globs = globs;
    options.glob_count = 1;
    options.symbol_from = "^([A-Z]{6})";
    CHECK_OK(import_run(&options, &report, &err));
    CHECK_INT(report.file_count, 2);
    CHECK_INT(report.files_not_picked, 1);
    CHECK_TEXT(report.files[1].symbol, "GBPUSD");
    import_report_deinit(&report);
}

TEST(an_archive_cut_in_the_middle_fails_with_its_name_and_keeps_what_was_before)
{
    static const char *const names[] = {"AAA.csv", "BBB.csv", "CCC.csv"};
    char path[1024], cut[1024], store[1024], *bytes;
    const char *paths[] = {path_of("cut.tar", cut)};
    struct import_options options = options_of(path_of("archives", store), "cut/1d", paths, 1);
    struct import_report report;
    struct error err;
    size_t length;

    write_archive(path_of("whole.tar", path), false, ARCHIVE_FILTER_NONE, names,
                  ARRAY_COUNT(names));
    CHECK_OK(file_read_whole(env_posix(), path, 1 << 20, &bytes, &length, &err));
    write_text(cut, bytes, 1024 + 512 + 30); /* in the middle of the second file */
    mem_free(bytes);
    CHECK_STATUS(import_run(&options, &report, &err), STATUS_PARTIAL);
    CHECK_INT(report.files_failed, 1);
    CHECK_INT(report.counts.added, 2);
    CHECK_CONTAINS(report.files[1].name, "cut.tar");
    CHECK(!strstr(report.files[1].text, "cut.tar")); /* it would stand there twice */
    import_report_deinit(&report);
    write_text(cut, "\x1f\x8b and no more", 15);
    CHECK_STATUS(import_run(&options, &report, &err), STATUS_CORRUPT);
    CHECK_CONTAINS(err.text, "cut.tar");
    CHECK(!strstr(strstr(err.text, "cut.tar") + 1, "cut.tar"));
    import_report_deinit(&report);
}

/* What an import of these bytes as `file` says, and how many bars it stores; a market each. */
static size_t import_bytes(const char *file, const void *bytes, size_t length, char text[512])
{
    static int imports;
    char path[1024], store[1024], market[32];
    const char *paths[] = {path_of(file, path)};
    struct import_options options;
    struct import_report report;
    struct error err;
    enum status status;
    size_t added;

    snprintf(market, sizeof market, "bytes%d/1d", imports++);
    options = options_of(path_of("archives", store), market, paths, 1);
    write_text(path, bytes, length);
    status = import_run(&options, &report, &err);
    CHECK(status == STATUS_OK || status == STATUS_PARTIAL || status == STATUS_CORRUPT);
    text[0] = '\0';
    if (status == STATUS_CORRUPT)
        snprintf(text, 512, "%.500s", err.text);
    for (size_t i = 0; i < report.file_count && status == STATUS_PARTIAL; i++)
        if (report.files[i].text)
            snprintf(text, 512, "%.250s: %.250s", report.files[i].name, report.files[i].text);
    added = report.counts.added;
    import_report_deinit(&report);
    return added;
}

static unsigned char *read_archive(const char *path, size_t *length)
{
    struct error err;
    char *bytes;

    CHECK_OK(file_read_whole(env_posix(), path, 1 << 20, &bytes, length, &err));
    return (unsigned char *)bytes;
}

TEST(gzip_is_compared_with_its_checksum_and_its_length)
{
    char path[1024], text[512];
    unsigned char *bytes;
    size_t length;

    write_compressed(path_of("GGG.csv.gz", path), ARCHIVE_FILTER_GZIP);
    bytes = read_archive(path, &length);
    CHECK_INT(import_bytes("GGG.csv.gz", bytes, length, text), 2);
    for (size_t behind = 1; behind <= 8; behind++) { /* the CRC is before the length */
        bytes[length - behind] ^= 4;
        CHECK_INT(import_bytes("GGG.csv.gz", bytes, length, text), 0);
        CHECK_CONTAINS(text, "GGG.csv.gz: the archive cannot be read: gzip: incorrect");
        CHECK_CONTAINS(text, behind > 4 ? "data check" : "length check");
        bytes[length - behind] ^= 4;
        CHECK_INT(import_bytes("GGG.csv.gz", bytes, length - behind, text), 0);
        CHECK_CONTAINS(text, "it is cut");
    }
    mem_free(bytes);
}

TEST(no_bit_of_gzip_flips_without_a_word)
{
    char path[1024], text[512];
    unsigned char *bytes;
    size_t length;

    write_compressed(path_of("GGG.csv.gz", path), ARCHIVE_FILTER_GZIP);
    bytes = read_archive(path, &length);
    for (size_t bit = 10 * 8; bit < length * 8; bit += 5) { /* behind the header: time, system */
        if (bit / 8 == length - 9) /* what fills the last byte up stands for nothing */
            continue;
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        CHECK_INT(import_bytes("GGG.csv.gz", bytes, length, text), 0);
        CHECK_CONTAINS(text, "gzip");
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    mem_free(bytes);
}

TEST(gzip_of_several_members_is_read_and_every_one_compared)
{
    char path[1024], text[512];
    unsigned char *bytes, twice[4096] = {0};
    size_t length;

    write_compressed(path_of("GGG.csv.gz", path), ARCHIVE_FILTER_GZIP);
    bytes = read_archive(path, &length);
    memcpy(twice, bytes, length);
    memcpy(twice + length, bytes, length);
    /* The header in the middle is a row that is rejected, the bars are said twice. */
    CHECK_INT(import_bytes("GGG.csv.gz", twice, 2 * length, text), 2);
    CHECK_INT(import_bytes("GGG.csv.gz", twice, 2 * length + 512, text), 2); /* zeros behind */
    twice[length - 6] ^= 1;
    CHECK_INT(import_bytes("GGG.csv.gz", twice, 2 * length, text), 0);
    CHECK_CONTAINS(text, "data check");
    twice[length - 6] ^= 1;
    memcpy(twice + length, "something else", 15);
    CHECK_INT(import_bytes("GGG.csv.gz", twice, length + 15, text), 0);
    CHECK_CONTAINS(text, "header check");
    mem_free(bytes);
}

TEST(a_tar_without_its_end_is_said_to_be_cut)
{
    static const char *const names[] = {"AAA.csv", "BBB.csv", "CCC.csv"};
    enum { FILE_BYTES = 1024, ALL_BYTES = 3 * FILE_BYTES };
    char path[1024], text[512];
    unsigned char *bytes, twice[2 * (ALL_BYTES + 1024)] = {0};
    size_t length;

    write_archive(path_of("whole.tar", path), false, ARCHIVE_FILTER_NONE, names,
                  ARRAY_COUNT(names));
    bytes = read_archive(path, &length);
    for (size_t files = 1; files <= 3; files++) {
        CHECK_INT(import_bytes("ended.tar", bytes, files * FILE_BYTES, text), 2 * files);
        CHECK_CONTAINS(text, "ended.tar: the archive cannot be read to its end");
    }
    CHECK_INT(import_bytes("ended.tar", bytes, ALL_BYTES + 512, text), 6); /* one block will do */
    CHECK_TEXT(text, "");
    for (size_t half = 0; half < 2; half++)
        memcpy(twice + half * (sizeof twice / 2), bytes, ALL_BYTES);
    memcpy(twice + sizeof twice / 2, "DDD", 3); /* in the name: its checksum is wrong */
    CHECK_INT(import_bytes("ended.tar", twice, sizeof twice, text), 6);
    CHECK_CONTAINS(text, "ended.tar: the archive cannot be read");
    bytes[FILE_BYTES] ^= 1; /* the same of a file in the middle */
    CHECK_INT(import_bytes("ended.tar", bytes, length, text), 2);
    CHECK_CONTAINS(text, "ended.tar: the archive cannot be read: Damaged");
    mem_free(bytes);
}

/* The checksum stands behind all files of the tar: what was read of them by then is stored. */
TEST(a_packed_tar_is_read_to_its_checksum)
{
    static const char *const names[] = {"AAA.csv", "BBB.csv"};
    static const struct {
        const char *name;
        int filter, behind;
    } packed[] = {{"sum.tar.gz", ARCHIVE_FILTER_GZIP, 6}, {"sum.tar.zst", ARCHIVE_FILTER_ZSTD, 2}};

    for (size_t i = 0; i < ARRAY_COUNT(packed); i++) {
        char path[1024], text[512];
        unsigned char *bytes;
        size_t length;

        write_archive(path_of(packed[i].name, path), false, packed[i].filter, names, 2);
        bytes = read_archive(path, &length);
        CHECK_INT(import_bytes(packed[i].name, bytes, length, text), 4);
        CHECK_TEXT(text, "");
        bytes[length - (size_t)packed[i].behind] ^= 1;
        import_bytes(packed[i].name, bytes, length, text);
        CHECK_CONTAINS(text, "the archive cannot be read");
        mem_free(bytes);
    }
}

/* A zip of three files; the name of the second is set, and said to be UTF-8. */
static void import_named(const char name[static 7], struct import_report *report, struct error *err)
{
    static const char *const names[] = {"AAA.csv", "xxx.csv", "CCC.csv"};
    static int imports;
    char path[1024], store[1024], market[32];
    const char *paths[] = {path_of("names.zip", path)};
    struct import_options options;
    unsigned char *bytes, *at;
    size_t length;

    write_archive(path, true, ARCHIVE_FILTER_NONE, names, ARRAY_COUNT(names));
    bytes = read_archive(path, &length);
    while ((at = memmem(bytes, length, names[1], 7)) != NULL) {
        bool central = at - bytes >= 46 && memcmp(at - 46, "PK\1\2", 4) == 0;

        memcpy(at, name, 7);
        at[central ? -46 + 9 : -30 + 7] |= 8; /* bit 11 of the flags */
    }
    write_text(path, (const char *)bytes, length);
    mem_free(bytes);
    snprintf(market, sizeof market, "names%d/1d", imports++);
    options = options_of(path_of("archives", store), market, paths, 1);
    options.symbol_from = "([A-Z])[.]csv$";
    import_run(&options, report, err);
}

TEST(names_beyond_ascii_are_read_and_what_has_no_name_is_told)
{
    struct import_report report;
    struct error err;

    import_named("\xc3\xbcX.csv", &report, &err);
    CHECK_INT(report.file_count, 3);
    CHECK_INT(report.counts.added, 6);
    CHECK_CONTAINS(report.files[1].name, "names.zip:\xc3\xbcX.csv");
    import_report_deinit(&report);
    import_named("\xc3\xc3X.csv", &report, &err);
    CHECK_INT(report.file_count, 3);
    CHECK_INT(report.counts.added, 4);
    CHECK_INT(report.files_failed, 1);
    CHECK_CONTAINS(report.files[1].text, "neither ASCII nor UTF-8");
    import_report_deinit(&report);
}

/* ---- folders ------------------------------------------------------------------------------- */

TEST(a_link_back_is_left_out_and_counted_and_any_other_is_followed)
{
    char folder[1024], other[1024], path[1024], store[1024];
    const char *paths[] = {path_of("linked", folder)};
    struct import_options options = options_of(path_of("links", store), "links/1d", paths, 1);
    struct import_report report;
    struct error err;

    CHECK(mkdir(folder, 0777) == 0 && mkdir(path_of("aside", other), 0777) == 0);
    CHECK(mkdir(path_of("linked/sub", path), 0777) == 0);
    write_text(path_of("linked/AAA.csv", path), small_csv, sizeof small_csv - 1);
    write_text(path_of("aside/BBB.csv", path), small_csv, sizeof small_csv - 1);
    CHECK(symlink(".", path_of("linked/loop", path)) == 0);
    CHECK(symlink("..", path_of("linked/sub/back", path)) == 0);
    CHECK(symlink("../aside", path_of("linked/more", path)) == 0);
    CHECK_OK(import_run(&options, &report, &err));
    CHECK_INT(report.file_count, 2);
    CHECK_INT(report.counts.added, 4);
    CHECK_INT(report.links_back, 2);
    import_report_deinit(&report);
}

TEST(a_link_to_nowhere_fails_alone)
{
    char folder[1024], path[1024], store[1024];
    const char *paths[] = {path_of("nowhere", folder)};
    struct import_options options = options_of(path_of("links", store), "nowhere/1d", paths, 1);
    struct import_report report;
    struct error err;

    CHECK(mkdir(folder, 0777) == 0);
    write_text(path_of("nowhere/AAA.csv", path), small_csv, sizeof small_csv - 1);
    CHECK(symlink("not there", path_of("nowhere/BBB.csv", path)) == 0);
    CHECK(symlink("not there", path_of("nowhere/notes", path)) == 0);
    CHECK_STATUS(import_run(&options, &report, &err), STATUS_PARTIAL);
    CHECK_INT(report.counts.added, 2);
    CHECK_INT(report.files_failed, 1);
    CHECK_INT(report.files_not_picked, 1);
    CHECK_CONTAINS(report.files[1].name, "nowhere/BBB.csv");
    CHECK(!strstr(report.files[1].text, "BBB")); /* it would stand there twice */
    import_report_deinit(&report);
}

/* ---- failures ------------------------------------------------------------------------------ */

/* What must hold after an import that was made to fail somewhere: all of it is stored, or none. */
static void check_outcome(const struct import_options *options, enum status status,
                          const struct import_report *report, const struct error *err)
{
    size_t bars = stored_bars(options);

    if (status == STATUS_OK || status == STATUS_PARTIAL)
        CHECK_INT(bars, report->counts.added);
    else
        CHECK(err->text[0] != '\0' && (bars == 0 || bars == 4));
}

static void write_two_files(char path[2][1024])
{
    write_text(path_of("FAA.csv", path[0]), small_csv, sizeof small_csv - 1);
    write_text(path_of("FBB.csv", path[1]), small_csv, sizeof small_csv - 1);
}

TEST(every_allocation_that_fails_leaves_all_or_nothing)
{
    char path[2][1024], store[1024];
    const char *paths[] = {path[0], path[1]};
    long allocations = LONG_MAX;

    write_two_files(path);
    for (long nth = 1; nth <= allocations; nth++) {
        char name[64];
        struct import_options options;
        struct import_report report;
        struct error err = {.text = ""};
        enum status status;

        snprintf(name, sizeof name, "memory-store-%ld", nth);
        options = options_of(path_of(name, store), "f/1d", paths, 2);
        mem_fail_at(nth, nth % 2);
        status = import_run(&options, &report, &err);
        if (mem_fail_at(0, 0) < nth)
            allocations = 0; /* it was not reached: the last round */
        check_outcome(&options, status, &report, &err);
        import_report_deinit(&report);
        CHECK(nth < 5000);
    }
}

TEST(every_call_of_the_system_that_fails_leaves_all_or_nothing)
{
    char path[2][1024], store[1024];
    const char *paths[] = {path[0], path[1]};
    long calls = LONG_MAX;

    write_two_files(path);
    for (long nth = 1; nth <= calls; nth++) {
        char name[64];
        struct import_options options;
        struct import_report report;
        struct error err = {.text = ""};
        struct env_fault fault;
        enum status status;

        env_fault_init(&fault, env_posix());
        snprintf(name, sizeof name, "call-store-%ld", nth);
        options = options_of(path_of(name, store), "f/1d", paths, 2);
        options.env = &fault.env;
        env_fault_arm(&fault, nth, nth % 2, nth % 3 ? EIO : ENOSPC);
        status = import_run(&options, &report, &err);
        if (env_fault_arm(&fault, 0, false, 0) < nth)
            calls = 0;
        check_outcome(&options, status, &report, &err);
        import_report_deinit(&report);
        CHECK(nth < 5000);
    }
}
