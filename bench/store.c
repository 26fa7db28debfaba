/* store: the store's own figures, one line each:  name  value  unit
 *
 *     store DIR      works in DIR/store-bench, which should be on the disk that is meant
 *
 *     verify         GB/s, warm, of 500 symbols x 20,000 bars
 *     open           ms to open a market of 211 symbols x 1,828 bars and map every one
 *     append         ms until one new bar for each of 400 symbols is durable and visible
 *     append_syncs   syncs of that, of files and directories
 *     fdatasync      ms of one sync of 4 KiB, to compare */
#include <string.h>

#include "bench.h"
#include "import/import.h"
#include "store/store.h"

enum { REPEATS = 15, APPEND_SYMBOLS = 400 };

static void die(const struct error *err)
{
    fprintf(stderr, "store: %s\n", err->text);
    exit(1);
}

#define MUST(call)               \
    do {                         \
        if ((call) != STATUS_OK) \
            die(&err);           \
    } while (0)

/* The real world, with its syncs counted. */
static int syncs;

static enum status counted_sync(struct env *env, struct env_file *file, struct error *err)
{
    syncs++;
    return env_posix()->calls->sync(env, file, err);
}

static enum status counted_sync_directory(struct env *env, const char *path, struct error *err)
{
    syncs++;
    return env_posix()->calls->sync_directory(env, path, err);
}

static void make(struct env *env, const char *dir, const char *market, size_t symbols, size_t bars)
{
    struct sample_options options = {
        .env = env, .data_dir = dir, .symbols = symbols, .bars = bars, .seed = 1};
    struct sample_report report;
    struct error err;

    MUST(market_parse(&options.market, text_of(market), &err));
    MUST(sample_run(&options, &report, &err));
}

static double since(struct env *env, int64_t begin)
{
    return (double)(clock_ticks_ns(env) - begin);
}

static void bench_verify(struct env *env, const char *dir)
{
    struct market_name market;
    struct error err;
    double taken[REPEATS], bytes = 0;

    make(env, dir, "verify/1m", 500, 20000);
    MUST(market_parse(&market, TEXT("verify/1m"), &err));
    for (int r = 0; r < REPEATS; r++) {
        struct verify_report report = {0};
        int64_t begin = clock_ticks_ns(env);

        MUST(store_verify(env, dir, &market, false, &report, &err));
        taken[r] = since(env, begin);
        bytes = (double)report.bytes;
        verify_report_deinit(&report);
    }
    figure_rate("verify", taken, REPEATS, bytes, "GB/s");
    MUST(store_market_remove(env, dir, &market, &err));
}

static void bench_open(struct env *env, const char *dir)
{
    struct market_name market;
    struct error err;
    double taken[REPEATS];

    make(env, dir, "open/1d", 211, 1828);
    MUST(market_parse(&market, TEXT("open/1d"), &err));
    for (int r = 0; r < REPEATS; r++) {
        int64_t begin = clock_ticks_ns(env);
        struct snapshot *snapshot;

        MUST(snapshot_open(&snapshot, env, dir, &market, &err));
        for (size_t s = 0; s < snapshot_symbol_count(snapshot); s++) {
            struct bars bars;

            MUST(snapshot_bars(snapshot, s, &bars, &err));
        }
        taken[r] = since(env, begin);
        snapshot_close(snapshot);
    }
    figure("open", taken, REPEATS, 1e6, "ms");
    MUST(store_market_remove(env, dir, &market, &err));
}

static void append_one(struct env *env, const char *dir, const struct market_name *market,
                       int64_t time)
{
    static const double prices[BAR_COLUMNS] = {1, 1, 1, 1, 1};
    struct bars row = {.count = 1, .time = &time};
    struct put_result result;
    struct writer *writer;
    struct error err;

    for (int c = 0; c < BAR_COLUMNS; c++)
        row.column[c] = &prices[c];
    MUST(writer_open(&writer, env, dir, market, "bench", &err));
    for (int s = 0; s < APPEND_SYMBOLS; s++) {
        char name[16];

        snprintf(name, sizeof name, "S%03d", s + 1);
        MUST(writer_put(writer, text_of(name), &row, false, &result, &err));
    }
    MUST(writer_commit(writer, &err));
    writer_close(writer);
}

static void bench_append(struct env *env, const char *dir)
{
    struct env_calls calls = *env->calls;
    struct env counting = {&calls, env->state};
    struct market_name market;
    struct error err;
    double taken[REPEATS];
    int most = 0;
    int64_t time;

    calls.sync = counted_sync;
    calls.sync_directory = counted_sync_directory;
    make(env, dir, "append/1d", APPEND_SYMBOLS, 1000);
    MUST(market_parse(&market, TEXT("append/1d"), &err));
    MUST(time_parse(&time, TEXT("2030-01-01"), 0, &err));
    for (int r = 0; r < REPEATS; r++, time += DAY_MS) {
        int64_t begin = clock_ticks_ns(env);

        syncs = 0;
        append_one(&counting, dir, &market, time);
        taken[r] = since(env, begin);
        most = r && syncs > most ? syncs : most; /* the first may settle what came before */
    }
    figure("append", taken, REPEATS, 1e6, "ms");
    printf("%-28s %10d  syncs\n", "append_syncs", most);
    MUST(store_market_remove(env, dir, &market, &err));
}

static void bench_sync(struct env *env, const char *dir)
{
    char path[4096], page[4096] = {0};
    struct env_file *file;
    struct error err;
    double taken[REPEATS];

    snprintf(path, sizeof path, "%s/sync", dir);
    MUST(env->calls->open(env, &file, path, OPEN_CREATE, &err));
    for (int r = 0; r < REPEATS; r++) {
        int64_t begin = clock_ticks_ns(env);

        MUST(env->calls->write(env, file, page, sizeof page, (uint64_t)r * sizeof page, &err));
        MUST(env->calls->sync(env, file, &err));
        taken[r] = since(env, begin);
    }
    env->calls->close(env, file);
    figure("fdatasync", taken, REPEATS, 1e6, "ms");
}

int main(int argc, char **argv)
{
    struct env *env = env_posix();
    struct error err;
    char dir[3000];

    if (argc != 2) {
        fprintf(stderr, "usage: store DIR\n");
        return 2;
    }
    snprintf(dir, sizeof dir, "%s/store-bench", argv[1]);
    MUST(directory_make_all(env, dir, &err));
    bench_verify(env, dir);
    bench_open(env, dir);
    bench_append(env, dir);
    bench_sync(env, dir);
    return 0;
}
