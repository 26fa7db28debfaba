/* UTC milliseconds and the calendar. */
#include <stdio.h>

#include "model/model.h"

enum {
    YEAR_MIN = 1678,
    YEAR_MAX = 2261
}; /* what 64-bit nanoseconds hold, so that other programs can read it */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* H. Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that the leap
 * day comes last and a month's first day is a straight line. */
int64_t date_to_ms(struct date date)
{
    int64_t year = (int64_t)date.year - (date.month <= 2);
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (era * 146097 + day_of_era - 719468) * DAY_MS;
}

struct date date_of_ms(int64_t time_ms)
{
    int64_t days = floor_divide(time_ms, DAY_MS) + 719468;
    int64_t era = floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);

    return (struct date){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1),
    };
}

int weekday_of_ms(int64_t time_ms)
{
    int64_t days = floor_divide(time_ms, DAY_MS) + 3; /* 1970-01-01 was a Thursday */

    return (int)(days - floor_divide(days, 7) * 7) + 1;
}

/* Exactly `count` digits, cut from the front of the text. */
static bool take_digits(struct text *text, int count, int *number)
{
    int value = 0;

    if (text->length < (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        if (text->at[i] < '0' || text->at[i] > '9')
            return false;
        value = value * 10 + (text->at[i] - '0');
    }
    text->at += count;
    text->length -= (size_t)count;
    *number = value;
    return true;
}

static bool take_char(struct text *text, char c)
{
    if (text->length == 0 || text->at[0] != c)
        return false;
    text->at++;
    text->length--;
    return true;
}

static bool take_date(struct text *text, struct date *date)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap;

    if (!take_digits(text, 4, &date->year) || !take_char(text, '-') ||
        !take_digits(text, 2, &date->month) || !take_char(text, '-') ||
        !take_digits(text, 2, &date->day))
        return false;
    if (date->year < YEAR_MIN || date->year > YEAR_MAX || date->month < 1 || date->month > 12 ||
        date->day < 1)
        return false;
    leap = (date->year % 4 == 0 && date->year % 100 != 0) || date->year % 400 == 0;
    return date->day <= month_days[date->month - 1] + (leap && date->month == 2);
}

/* hh:mm[:ss[.fraction]]; what is below a millisecond is cut off. */
static bool take_clock(struct text *text, int64_t *ms)
{
    int hour, minute, second = 0, digit, unit = 100, fraction = 0;

    if (!take_digits(text, 2, &hour) || !take_char(text, ':') || !take_digits(text, 2, &minute))
        return false;
    if (take_char(text, ':')) {
        if (!take_digits(text, 2, &second))
            return false;
        if (take_char(text, '.')) {
            if (!take_digits(text, 1, &digit))
                return false;
            do {
                fraction += digit * unit;
                unit /= 10;
            } while (take_digits(text, 1, &digit));
        }
    }
    *ms = ((hour * 60 + minute) * 60 + second) * (int64_t)1000 + fraction;
    return hour < 24 && minute < 60 && second < 60;
}

/* Z, ±hh, ±hhmm or ±hh:mm; nothing leaves the caller's offset. */
static bool take_zone(struct text *text, int64_t *offset_ms)
{
    bool negative;
    int hour, minute = 0;

    if (text->length == 0)
        return true;
    if (take_char(text, 'Z')) {
        *offset_ms = 0;
        return true;
    }
    negative = take_char(text, '-');
    if ((!negative && !take_char(text, '+')) || !take_digits(text, 2, &hour))
        return false;
    if (text->length > 0) {
        take_char(text, ':');
        if (!take_digits(text, 2, &minute))
            return false;
    }
    *offset_ms = (hour * 60 + minute) * (int64_t)60000 * (negative ? -1 : 1);
    return hour < 24 && minute < 60;
}

enum status time_parse(int64_t *time_ms, struct text text, int64_t zone_offset_ms,
                       struct error *err)
{
    struct text rest = text;
    struct date date;
    int64_t clock_ms = 0;
    bool right = take_date(&rest, &date);

    if (right && rest.length > 0)
        right = (take_char(&rest, 'T') || take_char(&rest, ' ')) && take_clock(&rest, &clock_ms) &&
                take_zone(&rest, &zone_offset_ms);
    if (!right || rest.length > 0)
        return fail(
            err, STATUS_USAGE,
            "`%.*s` is not a time: expected ISO 8601 of a day that exists, such as 2020-01-31 or "
            "2020-01-31T15:04:05Z, years %d to %d",
            (int)MIN(text.length, 64), text.at, YEAR_MIN, YEAR_MAX);
    *time_ms = date_to_ms(date) + clock_ms - zone_offset_ms;
    return STATUS_OK;
}

size_t time_to_text(int64_t time_ms, bool day_only, char text[TIME_TEXT_BYTES])
{
    struct date date = date_of_ms(time_ms);
    int64_t in_day = time_ms - floor_divide(time_ms, DAY_MS) * DAY_MS;
    int second = (int)(in_day / 1000), ms = (int)(in_day % 1000), length;

    length = snprintf(text, TIME_TEXT_BYTES, "%04d-%02d-%02d", date.year, date.month, date.day);
    if (day_only)
        return (size_t)length;
    length += snprintf(text + length, TIME_TEXT_BYTES - (size_t)length, "T%02d:%02d:%02d",
                       second / 3600, second / 60 % 60, second % 60);
    length += snprintf(text + length, TIME_TEXT_BYTES - (size_t)length, ms ? ".%03dZ" : "Z", ms);
    return (size_t)length;
}
