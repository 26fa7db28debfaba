/* The real sets: every one is imported as it lies there, and what is stored is counted and summed
 * against numbers that other code found (HARRIER_SHARED/reference). */
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "import/import.h"
#include "import/unpack.h"

/* $HARRIER_SHARED, else ../shared seen from the project; skipped where it is not there. */
static const char *shared(const char *name, char path[1024])
{
    const char *root = getenv("HARRIER_SHARED");

    snprintf(path, 1024, "%s/%s", root ? root : IMPORT_TEST_DIRECTORY "/../../../shared", name);
    if (access(path, R_OK) != 0)
        SKIP("the shared data are not here (HARRIER_SHARED)");
    return path;
}

/* ---- tables of the reference: CSV in a .zst ------------------------------------------------ */

struct table_file {
    char *text;
    char *at;
    char *field[24];
    size_t fields;
};

static void table_open(struct table_file *table, const char *path)
{
    struct unpacker *unpacker;
    struct error err;
    atomic_uint_least64_t read = 0;
    const char *name;
    size_t length = 0, capacity = 64 << 20, got = 1;

    table->text = malloc(capacity);
    CHECK_OK(unpack_open(&unpacker, env_posix(), path, true, &read, &err));
    CHECK_OK(unpack_next(unpacker, &name, &err));
    for (; got > 0; length += got)
        CHECK_OK(unpack_read(unpacker, table->text + length, capacity - length - 1, &got, &err));
    unpack_close(unpacker);
    table->text[length] = '\0';
    table->at = strchr(table->text, '\n') + 1;
}

static bool table_next(struct table_file *table)
{
    char *end = strchr(table->at, '\n');

    if (!end)
        return false;
    *end = '\0';
    table->fields = 0;
    for (char *at = table->at; at && table->fields < ARRAY_COUNT(table->field);) {
        char *comma = strchr(at, ',');

        if (comma)
            *comma = '\0';
        table->field[table->fields++] = at;
        at = comma ? comma + 1 : NULL;
    }
    table->at = end + 1;
    return true;
}

/* ---- sets ---------------------------------------------------------------------------------- */

/* Sum without the error of its order (A. Neumaier). */
static double exact_sum(const double *values, size_t count)
{
    double sum = 0, rest = 0;

    for (size_t i = 0; i < count; i++) {
        double next = sum + values[i];

        rest += (sum > values[i] ? sum : values[i]) == sum ? (sum - next) + values[i]
                                                           : (values[i] - next) + sum;
        sum = next;
    }
    return sum + rest;
}

struct set {
    const char *name, *market, *symbol_from, *where, *zone;
    uint64_t rejected, doubled, blank;
    size_t empty;
};

static const struct set sets[] = {
    {"us_stocks_500_2010_2017", "us/1d", "^([^.]+)", NULL, NULL, 18, 0, 0, 0},
    {"us_stocks_full_history", "usfull/1d", "^([^.]+)", NULL, NULL, 0, 0, 0, 3},
    {"nse_daily", "nse/1d", NULL, "Series=EQ", NULL, 1509, 153, 0, 0},
    {"crypto_daily_bybit_perp", "bybit/1d", NULL, NULL, NULL, 1, 152, 0, 0},
    {"crypto_daily_binance_perp", "binance/1d", NULL, NULL, NULL, 0, 0, 0, 0},
    {"crypto_1h_binance_perp", "binance/1h", NULL, NULL, NULL, 0, 0, 0, 0},
    {"crypto_1m_binance_perp_6days", "sixdays/1m", NULL, NULL, "+03:00", 0, 0, 0, 0},
    {"crypto_1m_binance_perp_monthly", "monthly/1m", "^(.*)\\.csv$", NULL, NULL, 0, 0, 0, 0},
    {"crypto_daily_binance_spot", "spot/1d", NULL, NULL, NULL, 0, 0, 0, 0},
    {"crypto_daily_yahoo", "yahoo/1d", NULL, NULL, NULL, 653, 0, 108803, 0},
};

static void import_set(const struct set *set, struct import_report *report,
                       struct market_name *market)
{
    char file[128], path[1024];
    const char *paths[] = {path}, *wheres[] = {set->where};
    struct import_options options = {.env = env_posix(),
                                     .data_dir = test_directory(),
                                     .paths = paths,
                                     .path_count = 1,
                                     .symbol_from = set->symbol_from,
                                     .zone = set->zone,
                                     .wheres = wheres,
                                     .where_count = set->where != NULL};
    struct error err;

    snprintf(file, sizeof file, "data/%s.tar.zst", set->name);
    shared(file, path);
    CHECK_OK(market_parse(&options.market, text_of(set->market), &err));
    CHECK_STATUS(import_run(&options, report, &err), set->rejected ? STATUS_PARTIAL : STATUS_OK);
    *market = options.market;
}

static void check_row(struct snapshot *snapshot, const struct set *set,
                      const struct table_file *row)
{
    char symbol[128], first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
    bool days = strstr(set->market, "/1d") != NULL;
    ptrdiff_t index;
    struct bars bars;
    struct error err;

    snprintf(symbol, sizeof symbol, "%s", row->field[1]);
    *strstr(symbol, strstr(symbol, ".us.txt") ? ".us.txt" : ".csv") = '\0';
    index = snapshot_symbol_find(snapshot, text_of(symbol));
    if (atoll(row->field[3]) == 0) {
        CHECK(index < 0);
        return;
    }
    CHECK(index >= 0);
    CHECK_OK(snapshot_bars(snapshot, (size_t)index, &bars, &err));
    CHECK_INT(bars.count, atoll(row->field[3]));
    time_to_text(bars.time[0], days, first);
    time_to_text(bars.time[bars.count - 1], days, last);
    CHECK_TEXT(first, row->field[6]);
    CHECK_TEXT(last, row->field[7]);
    CHECK_NEAR(exact_sum(bars.column[BAR_CLOSE], bars.count), strtod(row->field[8], NULL), 1e-15);
    CHECK_NEAR(exact_sum(bars.column[BAR_VOLUME], bars.count), strtod(row->field[9], NULL), 1e-15);
}

/* Every symbol of a set that the reference has. */
static void check_set(const char *name)
{
    struct table_file table;
    struct import_report report;
    struct market_name market;
    struct snapshot *snapshot;
    struct error err;
    char path[1024];
    size_t rows = 0;

    shared("reference/bars_used.csv.zst", path);
    for (size_t i = 0; i < ARRAY_COUNT(sets); i++) {
        const struct set *set = &sets[i];

        if (strcmp(set->name, name) != 0)
            continue;
        import_set(set, &report, &market);
        CHECK_INT(report.counts.rejected_all, set->rejected);
        CHECK_INT(report.counts.doubled, set->doubled);
        CHECK_INT(report.counts.blank, set->blank);
        CHECK_INT(report.files_empty, set->empty);
        CHECK_INT(report.files_failed + report.files_not_picked + report.files_skipped, 0);
        CHECK_INT(report.counts.added, report.counts.rows - set->rejected - set->doubled);
        CHECK_OK(snapshot_open(&snapshot, env_posix(), test_directory(), &market, &err));
        table_open(&table, path);
        while (table_next(&table))
            if (strcmp(table.field[0], name) == 0) {
                check_row(snapshot, set, &table);
                rows++;
            }
        CHECK(rows == 0 || rows == report.file_count);
        snapshot_close(snapshot);
        free(table.text);
        import_report_deinit(&report);
    }
}

TEST(us_stocks_500_are_the_bars_of_the_reference)
{
    check_set("us_stocks_500_2010_2017");
}
TEST(us_stocks_of_full_history_are_the_bars_of_the_reference)
{
    check_set("us_stocks_full_history");
}
TEST(nse_daily_is_the_bars_of_the_reference)
{
    check_set("nse_daily");
}
TEST(bybit_daily_is_the_bars_of_the_reference)
{
    check_set("crypto_daily_bybit_perp");
}
TEST(binance_daily_is_the_bars_of_the_reference)
{
    check_set("crypto_daily_binance_perp");
}
TEST(binance_hourly_is_the_bars_of_the_reference)
{
    check_set("crypto_1h_binance_perp");
}
TEST(binance_six_days_of_minutes_are_the_bars_of_the_reference)
{
    check_set("crypto_1m_binance_perp_6days");
}
TEST(binance_months_of_minutes_are_the_bars_of_the_reference)
{
    check_set("crypto_1m_binance_perp_monthly");
}
TEST(binance_spot_with_its_link_and_two_volumes_has_no_bad_row)
{
    check_set("crypto_daily_binance_spot");
}
TEST(yahoo_is_dirty_as_its_page_says)
{
    check_set("crypto_daily_yahoo");
}

/* ---- files of many kinds ------------------------------------------------------------------- */

static void import_some(const char *archive, const char *market, const char *glob,
                        const char *scale, uint64_t bars, double first_close)
{
    char path[1024];
    const char *paths[] = {shared(archive, path)}, *globs[] = {glob};
    struct import_options options = {.env = env_posix(),
                                     .data_dir = test_directory(),
                                     .paths = paths,
                                     .path_count = 1,
                                     .globs = globs,
                                     .glob_count = 1,
                                     .scale = scale};
    struct import_report report;
    struct snapshot *snapshot;
    struct bars view;
    struct error err;

    CHECK_OK(market_parse(&options.market, text_of(market), &err));
    CHECK_OK(import_run(&options, &report, &err));
    CHECK_INT(report.file_count, 1);
    CHECK_INT(report.counts.added, bars);
    CHECK_OK(snapshot_open(&snapshot, options.env, options.data_dir, &options.market, &err));
    CHECK_OK(snapshot_bars(snapshot,
                           (size_t)snapshot_symbol_find(snapshot, text_of(report.files[0].symbol)),
                           &view, &err));
    CHECK_INT(view.count, bars);
    CHECK(view.column[BAR_CLOSE][0] == first_close);
    snapshot_close(snapshot);
    import_report_deinit(&report);
}

TEST(nine_other_layouts_are_read_as_they_are)
{
    static const char archive[] = "data/small_formats.tar.zst";

    import_some(archive, "small/1h", "bt_EURUSD_1h.csv", NULL, 5000, 1.07219);
    import_some(archive, "small/1d", "bt_GOOG_1d.csv", NULL, 2148, 100.34);
    import_some(archive, "small/1d", "backtrader_yhoo-1996-2015.txt", NULL, 4965, 1.375);
    import_some(archive, "small/5m", "backtrader_2006-min-005.txt", NULL, 2142, 3582.99);
    import_some(archive, "small/1m", "backtrader_2006-01-02-volume-min-001.txt", NULL, 30889, 3599);
    import_some(archive, "small/1m", "nautilus_btc-perp-20211231-20220201_1m.csv", NULL, 45031,
                46377);
    import_some(archive, "small/1m", "nautilus_gbpusd-m1-bid-2012.csv", NULL, 30117, 1.57576);
    import_some(archive, "small/1m", "nautilus_usdjpy-m1-bid-2013.csv", NULL, 28761, 91.653);
    import_some(archive, "small/1m", "freqtrade_UNITTEST_BTC-1m.json", NULL, 13681, 0.00162008);
}

TEST(points_of_metatrader_are_scaled_by_their_pair)
{
    static const char archive[] = "data/fx_mt5.tar.zst";

    import_some(archive, "fx/1h", "AUDUSDh1.csv", "0.00001", 57600, 1.0325899999999999);
    import_some(archive, "fx/4h", "EURJPYh4.csv", "0.001", 14400, 106.613);
    import_some(archive, "fx/1d", "XAUUSDd1.csv", "1/100", 2400, 1726.72);
}

TEST(an_exchange_s_list_of_symbols_is_said_to_hold_no_bars)
{
    static const char *const names[] = {"data/binance_exchangeInfo_2022-11-28.json.zst",
                                        "data/binance_exchangeInfo_2023-09-08.json.zst"};

    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char path[1024];
        const char *paths[] = {shared(names[i], path)};
        struct import_options options = {
            .env = env_posix(), .data_dir = test_directory(), .paths = paths, .path_count = 1};
        struct import_report report;
        struct error err;

        CHECK_OK(market_parse(&options.market, TEXT("none/1d"), &err));
        CHECK_STATUS(import_run(&options, &report, &err), STATUS_CORRUPT);
        CHECK_CONTAINS(err.text, "exchangeInfo");
        import_report_deinit(&report);
    }
}

/* ---- resampling ---------------------------------------------------------------------------- */

struct series_place {
    const char *name, *set, *symbol;
    const char *globs[2];
    size_t glob_count;
};

static void resample_series(const struct series_place *place, enum timeframe to,
                            struct snapshot **snapshot, struct bars *bars)
{
    char file[128], path[1024], market[64];
    const char *paths[] = {path};
    struct import_options options = {.env = env_posix(),
                                     .data_dir = test_directory(),
                                     .paths = paths,
                                     .path_count = 1,
                                     .globs = place->globs,
                                     .glob_count = place->glob_count,
                                     .zone = strstr(place->set, "6days") ? "+03:00" : NULL,
                                     .symbol = place->symbol};
    struct resample_options resample = {.env = env_posix(), .data_dir = test_directory(), .to = to};
    struct resample_report made;
    struct import_report report;
    struct error err;

    snprintf(file, sizeof file, "data/%s.tar.zst", place->set);
    snprintf(market, sizeof market, "re-%s/1m", place->name);
    shared(file, path);
    CHECK_OK(market_parse(&options.market, text_of(market), &err));
    CHECK_OK(import_run(&options, &report, &err));
    import_report_deinit(&report);
    resample.from = options.market;
    CHECK_OK(resample_run(&resample, &made, &err));
    CHECK_INT(made.contradicted + made.failed, 0);
    options.market.frame = to;
    CHECK_OK(snapshot_open(snapshot, options.env, options.data_dir, &options.market, &err));
    CHECK_OK(snapshot_bars(*snapshot, 0, bars, &err));
}

static const struct series_place series_places[] = {
    {"btc_6days", "crypto_1m_binance_perp_6days", "BTCUSDT", {"BTCUSDT.csv"}, 1},
    {"celo_6days", "crypto_1m_binance_perp_6days", "CELOUSDT", {"CELOUSDT.csv"}, 1},
    {"fil_june_august_2023",
     "crypto_1m_binance_perp_monthly",
     "FILUSDT",
     {"FILUSDT-1m-2023-06.csv", "FILUSDT-1m-2023-08.csv"},
     2},
};

static void check_resampled_row(const struct bars *bars, const struct table_file *table)
{
    int64_t ms;
    struct error err;
    size_t at;

    CHECK_OK(time_parse(&ms, text_of(table->field[3]), 0, &err));
    at = bars_find(bars, ms);
    CHECK(at < bars->count && bars->time[at] == ms);
    for (int c = 0; c < BAR_VOLUME; c++)
        CHECK(bars->column[c][at] == strtod(table->field[4 + c], NULL));
    CHECK_NEAR(bars->column[BAR_VOLUME][at], strtod(table->field[8], NULL), 1e-12);
}

static const struct series_place *place_of(const char *series)
{
    for (size_t i = 0; i < ARRAY_COUNT(series_places); i++)
        if (strcmp(series, series_places[i].name) == 0)
            return &series_places[i];
    print_error("no series %s\n", series);
    CHECK(false);
    return NULL;
}

TEST(resampled_minutes_are_the_rows_of_the_reference)
{
    struct table_file table;
    struct snapshot *snapshot = NULL;
    struct bars bars = {0};
    struct error err;
    char path[1024], now[128] = "";
    size_t rows = 0;

    table_open(&table, shared("reference/resample_rows.csv.zst", path));
    while (table_next(&table)) {
        char key[128];
        enum timeframe frame;

        snprintf(key, sizeof key, "%s %s", table.field[1], table.field[2]);
        if (strcmp(key, now) != 0) {
            snapshot_close(snapshot);
            snprintf(now, sizeof now, "%s", key);
            CHECK_OK(timeframe_parse(&frame, text_of(table.field[2]), &err));
            resample_series(place_of(table.field[1]), frame, &snapshot, &bars);
        }
        check_resampled_row(&bars, &table);
        rows++;
    }
    CHECK(rows > 500);
    snapshot_close(snapshot);
    free(table.text);
}
