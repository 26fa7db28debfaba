/* Bars as CSV. */
#include "test.h"

#include "import/write.c"

TEST(times_are_written_as_time_to_text_writes_them)
{
    struct random random;

    random_init(&random, 1, 0);
    for (int i = 0; i < 100000; i++) {
        int64_t ms = (int64_t)random_below(&random, UINT64_C(18000000000000)) -
                     INT64_C(9000000000000);
        char expected[TIME_TEXT_BYTES], actual[TIME_TEXT_BYTES];
        size_t length;

        if (i % 2)
            ms = ms / 1000 * 1000;
        for (int day_only = 0; day_only < 2; day_only++) {
            time_to_text(ms, day_only, expected);
            length = put_time(actual, ms, day_only);
            actual[length] = '\0';
            CHECK_TEXT(actual, expected);
        }
    }
}

TEST(a_row_has_the_shortest_numbers_and_an_empty_field_is_not_a_number)
{
    int64_t time[] = {1577836800000};
    double column[BAR_COLUMNS][1] = {{0.1}, {1e22}, {5e-324}, {100}, {0}};
    struct bars bars = {1, time, {column[0], column[1], column[2], column[3], column[4]}};
    struct buffer out = {0};

    bars_csv_header(&out);
    buffer_add_char(&out, '\n');
    bars_csv_row(&out, &bars, 0, TIMEFRAME_1D);
    buffer_add_char(&out, ',');
    bars_csv_number(&out, NAN);
    buffer_add_char(&out, ',');
    bars_csv_number(&out, 1.5);
    buffer_add_char(&out, '\n');
    bars_csv_row(&out, &bars, 0, TIMEFRAME_1H);
    CHECK_TEXT(buffer_text(&out), "time,open,high,low,close,volume\n"
                                  "2020-01-01,0.1,1e22,5e-324,100,0,,1.5\n"
                                  "2020-01-01T00:00:00Z,0.1,1e22,5e-324,100,0");
    buffer_deinit(&out);
}

static enum status refuse(void *context, const char *bytes, size_t length, struct error *err)
{
    (void)bytes;
    *(size_t *)context += length;
    return fail(err, STATUS_FULL, "no space");
}

TEST(a_write_that_fails_ends_the_export)
{
    static int64_t time[20000];
    static double values[20000];
    struct bars bars = {20000, time, {values, values, values, values, values}};
    struct error err;
    size_t written = 0;

    CHECK_STATUS(bars_write_csv(&bars, TIMEFRAME_1D, refuse, &written, &err), STATUS_FULL);
    CHECK(written > 100000 && written < 300000);
}
