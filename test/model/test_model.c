/* Time, timeframes, names, bars. */
#include "test.h"

#include "model/bars.c"
#include "model/market.c"
#include "model/time.c"
#include "model/timeframe.c"

static int64_t ms_of(const char *text)
{
    struct error err;
    int64_t time_ms = -1;

    CHECK_OK(time_parse(&time_ms, text_of(text), 0, &err));
    return time_ms;
}

static enum status time_status(const char *text)
{
    struct error err;
    int64_t time_ms;

    return time_parse(&time_ms, text_of(text), 0, &err);
}

TEST(every_day_of_six_centuries_follows_the_one_before)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t time_ms = date_to_ms((struct date){1678, 1, 1});
    int weekday = 6; /* 1678-01-01 was a Saturday */

    for (int year = 1678; year <= 2261; year++)
        for (int month = 1; month <= 12; month++) {
            int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

            for (int day = 1; day <= days[month - 1] + (leap && month == 2); day++) {
                struct date date = date_of_ms(time_ms + 12345);

                CHECK(date_to_ms((struct date){year, month, day}) == time_ms);
                CHECK(date.year == year && date.month == month && date.day == day);
                CHECK_INT(weekday_of_ms(time_ms), weekday);
                weekday = weekday % 7 + 1;
                time_ms += DAY_MS;
            }
        }
    CHECK(date_to_ms((struct date){1970, 1, 1}) == 0);
}

TEST(times_are_read_with_and_without_clock_and_zone)
{
    CHECK_INT(ms_of("1970-01-01"), 0);
    CHECK_INT(ms_of("2020-01-31"), 1580428800000);
    CHECK_INT(ms_of("2020-01-31T15:04:05Z"), 1580483045000);
    CHECK_INT(ms_of("2020-01-31 15:04"), 1580483040000);
    CHECK_INT(ms_of("2020-01-31 15:04:05.123456"), 1580483045123);
    CHECK_INT(ms_of("2020-01-31T15:04:05.5+03:00"), 1580483045500 - 3 * 3600000);
    CHECK_INT(ms_of("2020-01-31 15:04:05-0530"), 1580483045000 + 19800000);
    CHECK_INT(ms_of("2020-01-31 15:04:05+00"), 1580483045000);
    CHECK_INT(ms_of("1969-12-31T23:59:59.999Z"), -1);
    CHECK_INT(ms_of("2020-02-29"), ms_of("2020-03-01") - DAY_MS);
}

TEST(a_time_without_a_zone_is_in_the_callers)
{
    struct error err;
    int64_t time_ms;

    CHECK_OK(time_parse(&time_ms, TEXT("2020-01-31 03:00"), 3 * 3600000, &err));
    CHECK_INT(time_ms, ms_of("2020-01-31"));
    CHECK_OK(time_parse(&time_ms, TEXT("2020-01-31T03:00Z"), 3 * 3600000, &err));
    CHECK_INT(time_ms, ms_of("2020-01-31T03:00"));
}

TEST(days_and_hours_that_do_not_exist_are_refused)
{
    static const char *const texts[] = {"",
                                        "2021-02-30",
                                        "2021-02-29",
                                        "1900-02-29",
                                        "2020-13-01",
                                        "2020-00-10",
                                        "2020-01-00",
                                        "2020-1-1",
                                        "2020-01-01T24:00",
                                        "2020-01-01T12:60",
                                        "2020-01-01T12:00:60",
                                        "2020-01-01T",
                                        "1677-12-31",
                                        "2262-01-01",
                                        "2020-01-01x",
                                        "2020-01-01T12",
                                        "2020-01-01T12:00:00.",
                                        "20200101",
                                        "2020-01-01 12:00+3",
                                        "2020-01-01 12:00+03:",
                                        "2020-01-01 12:00+24:00",
                                        "2020-01-01Z",
                                        "not a date",
                                        "2020-01-01 12:00Zx",
                                        "+020-01-01"};

    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (time_status(texts[i]) != STATUS_USAGE)
            FAIL("`%s` was read as a time", texts[i]);
}

TEST(times_are_written_with_milliseconds_only_where_there_are_any)
{
    char text[TIME_TEXT_BYTES];

    CHECK_INT(time_to_text(1580483045000, false, text), 20);
    CHECK_TEXT(text, "2020-01-31T15:04:05Z");
    time_to_text(1580483045007, false, text);
    CHECK_TEXT(text, "2020-01-31T15:04:05.007Z");
    time_to_text(-1, true, text);
    CHECK_TEXT(text, "1969-12-31");
    CHECK(time_to_text(INT64_MIN / 2, false, text) < TIME_TEXT_BYTES);
    CHECK(time_to_text(INT64_MAX / 2, false, text) < TIME_TEXT_BYTES);
}

TEST(every_timeframe_is_read_by_its_own_name_alone)
{
    enum timeframe frame;
    struct error err;

    for (int i = 0; i < TIMEFRAME_COUNT; i++) {
        CHECK_OK(timeframe_parse(&frame, text_of(timeframe_name((enum timeframe)i)), &err));
        CHECK_INT(frame, i);
    }
    CHECK_STATUS(timeframe_parse(&frame, TEXT("1D"), &err), STATUS_USAGE);
    CHECK_CONTAINS(err.text, " 4h ");
    CHECK(!timeframe_is_daily_or_longer(TIMEFRAME_12H));
    CHECK(timeframe_is_daily_or_longer(TIMEFRAME_1D));
    CHECK(timeframe_is_daily_or_longer(TIMEFRAME_1MO));
}

TEST(periods_begin_where_the_calendar_says)
{
    CHECK_INT(timeframe_floor(TIMEFRAME_1H, ms_of("2020-01-31T15:04:05Z")),
              ms_of("2020-01-31T15:00"));
    CHECK_INT(timeframe_floor(TIMEFRAME_1D, ms_of("1969-12-31T23:00")), ms_of("1969-12-31"));
    CHECK_INT(timeframe_floor(TIMEFRAME_1W, ms_of("2026-11-21T09:00")), ms_of("2026-11-16"));
    CHECK_INT(timeframe_floor(TIMEFRAME_1W, ms_of("2026-11-16")), ms_of("2026-11-16"));
    CHECK_INT(timeframe_floor(TIMEFRAME_1W, ms_of("1969-12-28")), ms_of("1969-12-22"));
    CHECK_INT(timeframe_floor(TIMEFRAME_1MO, ms_of("2024-02-29T23:59")), ms_of("2024-02-01"));
    CHECK_INT(timeframe_floor(TIMEFRAME_3D, 0), 0);
    CHECK_INT(timeframe_floor(TIMEFRAME_3D, 3 * (int64_t)DAY_MS - 1), 0);
    CHECK_INT(timeframe_next(TIMEFRAME_1MO, ms_of("2023-12-01")), ms_of("2024-01-01"));
    CHECK_INT(timeframe_next(TIMEFRAME_1MO, ms_of("2024-02-01")), ms_of("2024-03-01"));
    CHECK_INT(timeframe_next(TIMEFRAME_1W, ms_of("2026-11-16")), ms_of("2026-11-23"));
}

TEST(periods_follow_each_other_without_a_hole)
{
    for (int i = 0; i < TIMEFRAME_COUNT; i++) {
        enum timeframe frame = (enum timeframe)i;
        int64_t open = timeframe_floor(frame, ms_of("1999-12-28T13:14:15"));

        for (int n = 0; n < 200; n++) {
            int64_t next = timeframe_next(frame, open);

            CHECK(next > open);
            CHECK(timeframe_floor(frame, open) == open);
            CHECK(timeframe_floor(frame, next - 1) == open);
            CHECK(timeframe_floor(frame, next) == next);
            open = next;
        }
    }
}

TEST(a_market_is_a_venue_and_a_timeframe)
{
    static const char *const wrong[] = {"",          "bybit",        "bybit/",  "/1d",
                                        "bybit/1x",  "a/b/1d",       "../1d",   ".hidden/1d",
                                        "by bit/1d", "b\xC3\xA9/1d", "bybit/1D"};
    struct market_name name;
    struct error err;
    char text[MARKET_TEXT_BYTES], long_name[200];

    CHECK_OK(market_parse(&name, TEXT("bybit-perp_2.x/1M"), &err));
    CHECK_TEXT(name.venue, "bybit-perp_2.x");
    CHECK_INT(name.frame, TIMEFRAME_1MO);
    market_to_text(&name, text);
    CHECK_TEXT(text, "bybit-perp_2.x/1M");
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_STATUS(market_parse(&name, text_of(wrong[i]), &err), STATUS_USAGE);
    snprintf(long_name, sizeof long_name, "%063d/1d", 0);
    CHECK_OK(market_parse(&name, text_of(long_name), &err));
    market_to_text(&name, text);
    CHECK_TEXT(text, long_name);
    snprintf(long_name, sizeof long_name, "%064d/1d", 0);
    CHECK_STATUS(market_parse(&name, text_of(long_name), &err), STATUS_USAGE);
}

TEST(a_symbol_is_printable_and_needs_no_quotes)
{
    static const char *const right[] = {"BTCUSDT", "BTC/USDT:USDT", "M&M.NS",
                                        "^GSPC",   "BRK-B",         "EUR=X"};
    static const char *const wrong[] = {"",      "A B", "A,B", "A*",       "A?",
                                        "\"A\"", "A'",  "A\n", "\xC3\xA9", "A\x7F"};
    struct error err;
    char name[100];

    for (size_t i = 0; i < ARRAY_COUNT(right); i++)
        CHECK_OK(symbol_check(text_of(right[i]), &err));
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        CHECK_STATUS(symbol_check(text_of(wrong[i]), &err), STATUS_USAGE);
    memset(name, 'X', sizeof name);
    CHECK_OK(symbol_check((struct text){name, 63}, &err));
    CHECK_STATUS(symbol_check((struct text){name, 64}, &err), STATUS_USAGE);
}

TEST(bars_are_found_by_time_and_cut_by_index)
{
    const int64_t time[] = {10, 20, 30, 40};
    const double price[] = {1, 2, 3, 4};
    struct bars bars = {4, time, {price, price, price, price, price}}, part;

    CHECK_INT(bars_find(&bars, 5), 0);
    CHECK_INT(bars_find(&bars, 10), 0);
    CHECK_INT(bars_find(&bars, 11), 1);
    CHECK_INT(bars_find(&bars, 40), 3);
    CHECK_INT(bars_find(&bars, 41), 4);
    part = bars_slice(&bars, 1, 3);
    CHECK_INT(part.count, 2);
    CHECK_INT(part.time[0], 20);
    CHECK(part.column[BAR_VOLUME][1] == 3);
    CHECK_INT(bars_slice(&bars, 4, 4).count, 0);
}

TEST(every_reason_of_a_trade_has_a_word)
{
    for (int i = 0; i < REASON_COUNT; i++)
        CHECK(trade_reason_name((enum trade_reason)i)[0] >= 'a');
}
