/* What is told of a whole market: middles, its own return, and how long its year is. */
#include <math.h>
#include <stdlib.h>

#include "test.h"

#include "sim/sim.h"

/* ---- the middle ------------------------------------------------------------------------------ */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

TEST(the_median_is_that_of_the_sorted_numbers)
{
    double values[40], sorted[40];
    struct random random;

    random_init(&random, 1, 2);
    for (size_t count = 1; count <= 40; count++)
        for (int round = 0; round < 50; round++) {
            for (size_t i = 0; i < count; i++)
                values[i] = sorted[i] = (double)random_below(&random, 12) - 5;
            qsort(sorted, count, sizeof *sorted, compare);
            double expected = count % 2 ? sorted[count / 2]
                                        : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
            CHECK(median(values, count) == expected);
        }
}

TEST(the_median_leaves_out_what_is_not_defined)
{
    double values[] = {(double)NAN, 3, (double)NAN, 1, 7, (double)NAN}, none[] = {(double)NAN};

    CHECK(median(values, 6) == 3);
    CHECK(isnan(median(none, 1)));
    CHECK(isnan(median(none, 0)));
}

TEST(the_market_held_in_equal_parts_is_the_mean_of_what_holding_each_made)
{
    double returns[] = {100, (double)NAN, -50, 10}, none[] = {(double)NAN, (double)NAN};

    CHECK(market_return(returns, 4) == 20);
    CHECK(isnan(market_return(none, 2)));
    CHECK(isnan(market_return(none, 0)));
}

/* ---- bars a year ----------------------------------------------------------------------------- */

enum { TIMES_MAX = 2000000, MINUTE_MS = 60000, HOUR_MS = 3600000 };

static int64_t *times;
static size_t time_count;

static struct bars begin_bars(void)
{
    if (!times)
        times = malloc(TIMES_MAX * sizeof *times);
    CHECK(times != NULL);
    time_count = 0;
    return (struct bars){.time = times};
}

/* Bars from `from_ms` on, `count` of them. */
static void add_bars(int64_t from_ms, int64_t step_ms, int count)
{
    for (int i = 0; i < count; i++) {
        CHECK(time_count < TIMES_MAX);
        times[time_count++] = from_ms + i * step_ms;
    }
}

static struct year year_of_one(enum timeframe frame, struct bars *bars, int given)
{
    bars->count = time_count;
    return year_of(frame, bars, 1, given);
}

TEST(a_year_of_minutes_around_the_clock_has_525600_of_them)
{
    struct bars bars = begin_bars();

    /* Both ends are cut: the mean over the days that are touched would be less. */
    add_bars(18000 * (int64_t)DAY_MS + 11 * HOUR_MS, MINUTE_MS, 20000);
    CHECK(year_of_one(TIMEFRAME_1M, &bars, 0).bars == 525600);
}

TEST(a_year_of_hours_around_the_clock_has_8760_of_them)
{
    struct bars bars = begin_bars();

    add_bars(18000 * (int64_t)DAY_MS + 23 * HOUR_MS, HOUR_MS, 24 * 900 + 3);
    CHECK(year_of_one(TIMEFRAME_1H, &bars, 0).bars == 8760);
    CHECK(year_of_one(TIMEFRAME_1H, &bars, 252).bars == 252 * 24);
}

TEST(a_year_of_seconds_is_found_behind_hours_of_them)
{
    struct bars bars = begin_bars();

    add_bars(18000 * (int64_t)DAY_MS + 9 * HOUR_MS, 1000, 4 * 86400);
    CHECK(year_of_one(TIMEFRAME_1S, &bars, 0).bars == 365.0 * 86400);
}

/* Monday to Friday, 390 minutes from 14:30, every eighth day 210. */
static void add_sessions(int days, int first_day_bars)
{
    for (int day = 0, sessions = 0; day < days; day++) {
        int64_t midnight = (18000 + day) * (int64_t)DAY_MS;

        if (weekday_of_ms(midnight) >= 6)
            continue;
        add_bars(midnight + 14 * HOUR_MS + 30 * MINUTE_MS, MINUTE_MS,
                 sessions == 0       ? first_day_bars
                 : sessions % 8 == 7 ? 210
                                     : 390);
        sessions++;
    }
}

TEST(minutes_of_stocks_with_half_days_are_252_times_390)
{
    struct bars bars = begin_bars();

    add_sessions(400, 17);
    CHECK(year_of_one(TIMEFRAME_1M, &bars, 0).days == 252);
    CHECK(year_of_one(TIMEFRAME_1M, &bars, 0).bars == 98280);
}

TEST(years_of_minutes_are_asked_by_some_of_their_days)
{
    struct bars bars = begin_bars();

    add_sessions(4000, 390); /* eight times YEAR_DAYS_MAX */
    CHECK(year_of_one(TIMEFRAME_1M, &bars, 0).bars == 98280);
    CHECK(year_of_one(TIMEFRAME_1M, &bars, 0).days == 252);
}

TEST(where_no_day_is_whole_the_fullest_counts)
{
    struct bars bars = begin_bars();

    add_bars(18000 * (int64_t)DAY_MS + 20 * HOUR_MS, HOUR_MS,
             4 + 9); /* 4 on one day, 9 on the next */
    CHECK(year_of_one(TIMEFRAME_1H, &bars, 365).bars == 365 * 9);
    bars.count = 0;
    CHECK(year_of(TIMEFRAME_1H, &bars, 1, 365).bars == 365);
    CHECK(year_of(TIMEFRAME_1H, &bars, 0, 0).days == 252);
}

TEST(bars_before_1970_are_on_days_too)
{
    struct bars bars = begin_bars();

    add_bars(-900 * (int64_t)DAY_MS + 5 * HOUR_MS, HOUR_MS, 24 * 1800);
    CHECK(year_of_one(TIMEFRAME_1H, &bars, 0).bars == 8760);
}

TEST(over_symbols_the_median_counts)
{
    struct bars bars[3] = {begin_bars(), begin_bars(), begin_bars()};
    size_t begin = 0;

    for (int i = 0; i < 3; i++) { /* the third has the hours of the day alone */
        for (int day = 0; day < 30; day++)
            add_bars((18000 + day) * (int64_t)DAY_MS, HOUR_MS, i == 2 ? 9 : 24);
        bars[i].time = times + begin;
        bars[i].count = time_count - begin;
        begin = time_count;
    }
    CHECK(year_of(TIMEFRAME_1H, bars, 3, 0).bars == 8760);
}

TEST(daily_and_longer_bars_have_a_year_by_their_length)
{
    struct bars bars = begin_bars();

    add_bars(18000 * (int64_t)DAY_MS, DAY_MS, 1828);
    CHECK(year_of_one(TIMEFRAME_1D, &bars, 0).days == 365);
    CHECK(year_of_one(TIMEFRAME_1D, &bars, 0).bars == 365);
    CHECK(year_of_one(TIMEFRAME_1D, &bars, 252).bars == 252);
    CHECK(year_of_one(TIMEFRAME_3D, &bars, 252).bars == 84);
    CHECK(year_of_one(TIMEFRAME_1W, &bars, 252).bars == 52);
    CHECK(year_of_one(TIMEFRAME_1MO, &bars, 252).bars == 12);
}
