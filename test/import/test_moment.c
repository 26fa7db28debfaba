/* Times: every spelling, and wall clocks against the C library's own zones. */
#include "test.h"

#include <stdlib.h>
#include <time.h>

#include "import/moment.c"

static const struct moment_rules plain_rules = {ORDER_UNKNOWN, UNIT_BY_SIZE};

static int64_t read_utc(const char *text, enum moment_order order)
{
    struct moment_rules rules = {order, UNIT_BY_SIZE};
    struct zone utc = {.name = "UTC"};
    struct moment moment;
    bool ambiguous;
    int64_t ms;

    if (!moment_parse(text_of(text), &rules, &moment, &ambiguous)) {
        print_error("\"%s\" was not read\n", text);
        CHECK(false);
    }
    CHECK(moment_to_utc(&moment, &utc, false, &ms) == ZONE_ONE);
    return ms;
}

TEST(every_spelling_of_a_random_time_is_that_time)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct random random;

    random_init(&random, 1, 0);
    for (int i = 0; i < 20000; i++) {
        int64_t s = (int64_t)random_below(&random, UINT64_C(18000000000)) - INT64_C(9000000000);
        int64_t ms = s * 1000, hours = (int64_t)random_below(&random, 24) - 12;
        struct date date = date_of_ms(ms);
        int64_t in_day = ((ms % DAY_MS) + DAY_MS) % DAY_MS / 1000;
        int hour = (int)(in_day / 3600), minute = (int)(in_day / 60 % 60),
            second = (int)(in_day % 60);
        char text[8][96];

        if (date.year < 1700)
            continue;
        snprintf(text[0], 96, "%04d-%02d-%02d %02d:%02d:%02d", date.year, date.month, date.day,
                 hour, minute, second);
        snprintf(text[1], 96, "%04d-%02d-%02dT%02d:%02d:%02d.000Z", date.year, date.month, date.day,
                 hour, minute, second);
        snprintf(text[2], 96, "%04d/%d/%d %02d:%02d:%02d UTC", date.year, date.month, date.day,
                 hour, minute, second);
        snprintf(text[3], 96, "%02d.%02d.%04d %02d:%02d:%02d", date.day, date.month, date.year,
                 hour, minute, second);
        snprintf(text[4], 96, "%d-%s-%04d %02d:%02d:%02d", date.day, months[date.month - 1],
                 date.year, hour, minute, second);
        snprintf(text[5], 96, "%s %d, %04d %d:%02d:%02d %s", months[date.month - 1], date.day,
                 date.year, hour % 12 ? hour % 12 : 12, minute, second, hour < 12 ? "AM" : "pm");
        snprintf(text[6], 96, "%04d%02d%02d %02d%02d%02d", date.year, date.month, date.day, hour,
                 minute, second);
        snprintf(text[7], 96, "%04d%02d%02d%02d%02d%02d", date.year, date.month, date.day, hour,
                 minute, second);
        for (int t = 0; t < (date.year >= 1900 && date.year < 2262 ? 8 : 7); t++)
            CHECK_INT(read_utc(text[t], ORDER_DAY_FIRST), ms);
        if (hours != 0) { /* the wall of a zone is ahead of UTC by its offset */
            char there[96];
            struct date d = date_of_ms(ms + hours * 3600000);

            snprintf(there, 96, "%04d-%02d-%02d %02d:%02d:%02d%+03d:00", d.year, d.month, d.day,
                     (int)(((hour + hours) % 24 + 24) % 24), minute, second, (int)hours);
            CHECK_INT(read_utc(there, ORDER_UNKNOWN), ms);
        }
    }
}

/* Dates that are and dates that are not, in any order of months. */
TEST(the_fast_form_of_a_date_is_the_date_of_the_calendar)
{
    struct moment_cache cache = {0};
    struct random random;
    int fine = 0;

    random_init(&random, 5, 0);
    for (int i = 0; i < 200000; i++) {
        int year = 1670 + (int)random_below(&random, 600), month = (int)random_below(&random, 14);
        int day = (int)random_below(&random, 34);
        struct moment moment;
        char text[64];
        bool ambiguous, read, fast;
        int64_t ms = 0;

        if (i % 3 == 0) { /* many days of one month */
            year = 1900;
            month = 2;
        }
        snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
        read = moment_parse(text_of(text), &plain_rules, &moment, &ambiguous);
        fast = moment_day(text, &cache, &ms);
        if (read != fast)
            print_error("%s\n", text);
        CHECK(read == fast && (!read || ms == moment.ms));
        fine += read;
    }
    CHECK(fine > 100000 && fine < 190000);
}

TEST(a_plain_number_is_seconds_to_nanoseconds_by_its_size)
{
    CHECK_INT(read_utc("1577836800", ORDER_UNKNOWN), 1577836800000);
    CHECK_INT(read_utc("1577836800000", ORDER_UNKNOWN), 1577836800000);
    CHECK_INT(read_utc("1577836800000000", ORDER_UNKNOWN), 1577836800000);
    CHECK_INT(read_utc("1577836800000000000", ORDER_UNKNOWN), 1577836800000);
    CHECK_INT(read_utc("1577836800.0", ORDER_UNKNOWN), 1577836800000);
    CHECK_INT(read_utc("20200101", ORDER_UNKNOWN), 1577836800000);
    CHECK_INT(read_utc("202001010000", ORDER_UNKNOWN), 1577836800000);
}

TEST(what_is_no_time_is_refused)
{
    static const char *const none[] = {"",
                                       "-",
                                       "2020",
                                       "2020-02-30",
                                       "2020-13-01",
                                       "2020-00-01",
                                       "2020-01-00",
                                       "2020-01-01x",
                                       "2020-01-01 ",
                                       "2020-01-01T",
                                       "2020-01-01 24:00:00",
                                       "2020-01-01 00:60:00",
                                       "2020-01-01 00:00:60",
                                       "2020-01-01 00:00:00.",
                                       "2020-01-01 00",
                                       "2020-01-01 00:00:00+",
                                       "2020-01-01 00:00:00+19:00",
                                       "2020-01-01 00:00:00+1:5",
                                       "2020-01-01 0:0",
                                       "20-01-01",
                                       "20200230",
                                       "2020-01/01",
                                       "1 Foo 2020",
                                       "1577836800.",
                                       "99999999999999999999",
                                       "123",
                                       "13:00 PM",
                                       "2020-01-01 13:00 PM",
                                       "2020-01-01 00:30 AM",
                                       "2020-01-01 12:00:00 AMx",
                                       "1e9"};
    struct moment moment;
    bool ambiguous;

    for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
        if (moment_parse(text_of(none[i]), &plain_rules, &moment, &ambiguous))
            print_error("\"%s\" was read\n", none[i]);
        CHECK(!moment_parse(text_of(none[i]), &plain_rules, &moment, &ambiguous));
        CHECK(!ambiguous);
    }
    CHECK(!moment_parse(TEXT("01/02/2020"), &plain_rules, &moment, &ambiguous) && ambiguous);
}

TEST(times_behind_the_year_2261_are_refused)
{
    struct moment moment;
    bool ambiguous;

    CHECK(moment_parse(TEXT("9214646399999"), &plain_rules, &moment, &ambiguous));
    CHECK(!moment_parse(TEXT("9214646400000"), &plain_rules, &moment, &ambiguous));
    CHECK(!moment_parse(TEXT("9214646400"), &plain_rules, &moment, &ambiguous));
    CHECK(moment_parse(TEXT("2261-12-31"), &plain_rules, &moment, &ambiguous));
    CHECK(!moment_parse(TEXT("2262-01-01"), &plain_rules, &moment, &ambiguous));
}

/* ---- zones --------------------------------------------------------------------------------- */

static void check_zone(const char *name)
{
    struct zone zone;
    struct error err;
    struct random random;
    int twice = 0;

    if (zone_open(&zone, env_posix(), text_of(name), &err) != STATUS_OK)
        SKIP("no tzdata");
    setenv("TZ", name, 1);
    tzset();
    random_init(&random, 3, 0);
    for (int i = 0; i < 20000; i++) {
        /* From 1930; every second one within a day of a clock change of the last decades. */
        time_t utc = (time_t)random_below(&random, UINT64_C(4300000000)) - 1262304000;
        int64_t local_ms, ms;
        struct tm tm;

        if (i % 2 && zone.change_count > 0) {
            const struct zone_change *change =
                &zone.changes[random_below(&random, zone.change_count)];

            utc = (time_t)(change->from_ms / 1000 + (int64_t)random_below(&random, 172800) - 86400);
            if (utc > 4000000000 || utc < -1000000000)
                continue;
        }
        CHECK(localtime_r(&utc, &tm) != NULL);
        local_ms = (utc + tm.tm_gmtoff) * INT64_C(1000);
        switch (zone_to_utc(&zone, local_ms, &ms)) {
        case ZONE_ONE:
            CHECK_INT(ms, utc * INT64_C(1000));
            break;
        case ZONE_TWO:
            twice++;
            break;
        case ZONE_NONE:
            print_error("%s: %lld is on the clock\n", name, (long long)utc);
            CHECK(false);
        }
    }
    CHECK(twice > 0 || zone.change_count < 20);
    zone_close(&zone);
    unsetenv("TZ");
    tzset();
}

TEST(wall_clocks_of_many_places_are_what_the_library_says)
{
    static const char *const names[] = {"America/New_York", "Europe/Athens", "Australia/Sydney",
                                        "Asia/Kolkata",     "Europe/London", "America/Sao_Paulo",
                                        "Pacific/Chatham",  "Asia/Tokyo"};

    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        check_zone(names[i]);
}

TEST(fixed_zones_are_read)
{
    static const struct {
        const char *name;
        int minutes;
    } rows[] = {{"+03:00", 180}, {"-0500", -300}, {"+5", 300},  {"+05:30", 330},
                {"UTC", 0},      {"Z", 0},        {"-12", -720}};
    struct zone zone;
    struct error err;
    int64_t ms;

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CHECK_OK(zone_open(&zone, env_posix(), text_of(rows[i].name), &err));
        CHECK(zone_to_utc(&zone, 1000000000000, &ms) == ZONE_ONE);
        CHECK_INT(1000000000000 - ms, rows[i].minutes * INT64_C(60000));
        zone_close(&zone);
    }
    CHECK_STATUS(zone_open(&zone, env_posix(), TEXT("+3:00:00"), &err), STATUS_USAGE);
    CHECK_STATUS(zone_open(&zone, env_posix(), TEXT("+24:00"), &err), STATUS_USAGE);
}
