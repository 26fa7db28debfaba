/* moment: spellings of times.  Reads a text once from the left; a text with anything left over is
 * no time. */
#include "import/moment.h"

#include <strings.h>

const char *moment_style_words(enum moment_style style)
{
    static const char *const words[STYLE_COUNT] = {
        [STYLE_S] = "in seconds",
        [STYLE_MS] = "in milliseconds",
        [STYLE_US] = "in microseconds",
        [STYLE_NS] = "in nanoseconds",
        [STYLE_DAY] = "as dates",
        [STYLE_LOCAL] = "as text without a zone",
        [STYLE_ZONED] = "as text with a zone",
        [STYLE_DIGITS] = "as YYYYMMDD digits",
    };
    return words[style];
}

enum { YEAR_MIN = 1678, YEAR_MAX = 2261 };

static unsigned days_of_month(int year, int month)
{
    static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month] + (month == 2 && leap);
}

static bool day_to_ms(int year, int month, int day, int64_t *ms)
{
    if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
        day > (int)days_of_month(year, month))
        return false;
    *ms = date_to_ms((struct date){year, month, day});
    return true;
}

bool moment_month_read(const char *at, struct moment_cache *cache)
{
    static const uint8_t place[6] = {0, 1, 2, 3, 5, 6};
    int d[6], year, month;

    *cache = (struct moment_cache){0};
    for (int i = 0; i < 6; i++) {
        d[i] = at[place[i]] - '0';
        if (d[i] < 0 || d[i] > 9)
            return false;
    }
    year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3];
    month = d[4] * 10 + d[5];
    if (at[4] != '-' || at[7] != '-' || !day_to_ms(year, month, 1, &cache->month_ms))
        return false;
    memcpy(&cache->year_month, at, sizeof cache->year_month);
    cache->days = days_of_month(year, month);
    return true;
}

/* ---- plain numbers ------------------------------------------------------------------------- */

static bool calendar_of_digits(uint64_t number, unsigned digits, struct moment *moment)
{
    uint64_t clock = digits == 8 ? 0 : digits == 12 ? number % 10000 * 100 : number % 1000000;
    uint64_t date = digits == 8 ? number : digits == 12 ? number / 10000 : number / 1000000;
    unsigned hour = (unsigned)(clock / 10000), minute = (unsigned)(clock / 100 % 100);
    unsigned second = (unsigned)(clock % 100);

    if (hour > 23 || minute > 59 || second > 59 ||
        !day_to_ms((int)(date / 10000), (int)(date / 100 % 100), (int)(date % 100), &moment->ms))
        return false;
    moment->ms += ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
    moment->day_only = digits == 8;
    moment->style = STYLE_DIGITS;
    return true;
}

bool moment_of_integer(uint64_t number, unsigned digits, enum moment_unit unit,
                       struct moment *moment)
{
    static const struct {
        uint64_t above, below; /* 1973 to 2261, but for the seconds' own upper end */
        int64_t multiply, divide;
    } units[] = {
        [UNIT_S] = {UINT64_C(100000000), UINT64_C(100000000000), 1000, 1},
        [UNIT_MS] = {UINT64_C(100000000000), UINT64_C(100000000000000), 1, 1},
        [UNIT_US] = {UINT64_C(100000000000000), UINT64_C(100000000000000000), 1, 1000},
        [UNIT_NS] = {UINT64_C(100000000000000000), UINT64_C(9200000000000000000), 1, 1000000},
    };

    *moment = (struct moment){0};
    if (unit == UNIT_BY_SIZE && (digits == 8 || digits == 12 || digits == 14) &&
        calendar_of_digits(number, digits, moment))
        return true;
    for (int u = UNIT_S; u <= UNIT_NS; u++) {
        if (unit != UNIT_BY_SIZE ? (int)unit != u
                                 : number < units[u].above || number >= units[u].below)
            continue;
        if (number > (uint64_t)INT64_MAX / 1000)
            moment->ms = units[u].divide == 1 ? MOMENT_MS_END
                                              : (int64_t)(number / (uint64_t)units[u].divide);
        else
            moment->ms = (int64_t)number * units[u].multiply / units[u].divide;
        moment->universal = true;
        moment->style = (enum moment_style)(STYLE_S + (u - UNIT_S));
        return moment->ms < MOMENT_MS_END;
    }
    return false;
}

/* ---- a text from the left ------------------------------------------------------------------ */

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

static char peek(const struct cursor *cursor)
{
    return cursor->at < cursor->end ? *cursor->at : '\0';
}

/* Up to `most` digits; how many there were. */
static unsigned take_digits(struct cursor *cursor, unsigned most, uint64_t *value)
{
    unsigned count = 0;

    *value = 0;
    while (count < most && peek(cursor) >= '0' && peek(cursor) <= '9') {
        *value = *value * 10 + (uint64_t)(*cursor->at++ - '0');
        count++;
    }
    return count;
}

static bool take_blanks(struct cursor *cursor)
{
    bool any = false;

    while (take(cursor, ' '))
        any = true;
    return any;
}

static int take_month_name(struct cursor *cursor)
{
    static const char names[12][10] = {"january",   "february", "march",    "april",
                                       "may",       "june",     "july",     "august",
                                       "september", "october",  "november", "december"};
    size_t length = 0;

    while (cursor->at + length < cursor->end &&
           ((cursor->at[length] | 32) >= 'a' && (cursor->at[length] | 32) <= 'z'))
        length++;
    if (length < 3)
        return 0;
    for (int month = 0; month < 12; month++)
        if (length <= strlen(names[month]) && strncasecmp(cursor->at, names[month], length) == 0) {
            cursor->at += length;
            take(cursor, '.');
            return month + 1;
        }
    return 0;
}

struct day_parts {
    uint64_t part[3]; /* as they stand */
    unsigned digits[3];
    int month_name; /* index of the part that is a name of a month, -1: none */
};

/* Three parts with one kind of separator: 2020-01-31, 31.01.2020, 31-Jan-2020, "Jan 31, 2020". */
static bool take_day_parts(struct cursor *cursor, struct day_parts *day)
{
    static const char separators[3] = {'-', '/', '.'};
    char separator = '\0';

    day->month_name = -1;
    for (int i = 0; i < 3; i++) {
        int month = day->month_name < 0 ? take_month_name(cursor) : 0;

        if (month) {
            day->month_name = i;
            day->part[i] = (uint64_t)month;
            day->digits[i] = 0;
        } else {
            day->digits[i] = take_digits(cursor, 5, &day->part[i]);
            if (day->digits[i] == 0 || day->digits[i] == 5)
                return false;
        }
        if (i == 2)
            break;
        if (i == 0)
            separator = peek(cursor);
        if (separator == ' ' || (i == 1 && peek(cursor) == ',')) {
            take(cursor, ',');
            if (!take_blanks(cursor))
                return false;
        } else if (!memchr(separators, separator, sizeof separators) || !take(cursor, separator)) {
            return false;
        }
    }
    return true;
}

static bool is_year(const struct day_parts *day, int i)
{
    return day->digits[i] == 4;
}

/* Which part is year, month, day; false where it cannot be said. */
static bool place_parts(const struct day_parts *day, enum moment_order order, int place[3],
                        bool *ambiguous)
{
    bool day_first;

    if (is_year(day, 0) && day->month_name <= 1 && day->month_name != 0) {
        place[0] = 0, place[1] = 1, place[2] = 2;
        return true;
    }
    if (!is_year(day, 2) || day->month_name == 2)
        return false;
    if (day->month_name >= 0)
        day_first = day->month_name == 1;
    else if (order != ORDER_UNKNOWN)
        day_first = order == ORDER_DAY_FIRST;
    else if (day->part[0] > 12 || day->part[1] > 12)
        day_first = day->part[0] > 12;
    else {
        *ambiguous = true;
        return false;
    }
    place[0] = 2, place[1] = day_first ? 1 : 0, place[2] = day_first ? 0 : 1;
    return true;
}

static bool take_day(struct cursor *cursor, enum moment_order order, int64_t *ms, bool *ambiguous)
{
    struct cursor begin = *cursor;
    struct day_parts day;
    uint64_t number;
    int place[3];

    if (take_digits(cursor, 9, &number) == 8)
        return day_to_ms((int)(number / 10000), (int)(number / 100 % 100), (int)(number % 100), ms);
    *cursor = begin;
    if (!take_day_parts(cursor, &day) || !place_parts(&day, order, place, ambiguous))
        return false;
    for (int i = 1; i < 3; i++)
        if (day.digits[place[i]] > 2)
            return false;
    return day_to_ms((int)day.part[place[0]], (int)day.part[place[1]], (int)day.part[place[2]], ms);
}

static bool take_clock(struct cursor *cursor, int64_t *ms)
{
    uint64_t hour, minute = 0, second = 0, fraction = 0;
    unsigned digits = take_digits(cursor, 7, &hour);

    if (digits == 6 || digits == 4) {
        second = digits == 6 ? hour % 100 : 0;
        hour /= digits == 6 ? 100 : 1;
        minute = hour % 100;
        hour /= 100;
    } else {
        if (digits < 1 || digits > 2 || !take(cursor, ':') || take_digits(cursor, 2, &minute) != 2)
            return false;
        if (take(cursor, ':') && take_digits(cursor, 2, &second) != 2)
            return false;
    }
    if (take(cursor, '.')) {
        digits = take_digits(cursor, 9, &fraction);
        if (digits == 0)
            return false;
        for (; digits < 3; digits++)
            fraction *= 10;
        for (; digits > 3; digits--)
            fraction /= 10;
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ms = (int64_t)(((hour * 60 + minute) * 60 + second) * 1000 + fraction);
    return true;
}

static bool take_half_of_day(struct cursor *cursor, int64_t *ms)
{
    struct cursor begin = *cursor;
    char half;

    take_blanks(cursor);
    half = (char)(peek(cursor) | 32);
    if ((half != 'a' && half != 'p') || cursor->end - cursor->at < 2 ||
        (cursor->at[1] | 32) != 'm') {
        *cursor = begin;
        return true;
    }
    cursor->at += 2;
    if (*ms < 3600000 || *ms >= 13 * INT64_C(3600000))
        return false;
    *ms = *ms % (12 * INT64_C(3600000)) + (half == 'p' ? 12 * INT64_C(3600000) : 0);
    return true;
}

static bool take_zone(struct cursor *cursor, struct moment *moment)
{
    uint64_t hour, minute = 0;
    unsigned digits;
    bool west;

    take_blanks(cursor);
    if (cursor->at == cursor->end)
        return true;
    moment->zoned = true;
    if (take(cursor, 'Z') || take(cursor, 'z'))
        return true;
    if (cursor->end - cursor->at >= 3 &&
        (strncasecmp(cursor->at, "UTC", 3) == 0 || strncasecmp(cursor->at, "GMT", 3) == 0)) {
        cursor->at += 3;
        return true;
    }
    west = peek(cursor) == '-';
    if (!west && peek(cursor) != '+')
        return false;
    cursor->at++;
    digits = take_digits(cursor, 4, &hour);
    if (digits == 4) {
        minute = hour % 100;
        hour /= 100;
    } else if (digits < 1 || digits > 2 ||
               (take(cursor, ':') && take_digits(cursor, 2, &minute) != 2)) {
        return false;
    }
    if (hour > 18 || minute > 59)
        return false;
    moment->zone_ms = (int64_t)(hour * 60 + minute) * 60000 * (west ? -1 : 1);
    return true;
}

/* Digits alone, or with a fraction of a second that pandas adds ("1577836800.0"). */
static bool parse_number(struct text text, enum moment_unit unit, struct moment *moment,
                         bool *is_number)
{
    struct cursor cursor = {text.at, text.at + text.length};
    uint64_t number, fraction;
    unsigned digits = take_digits(&cursor, NUMBER_DIGITS_MAX, &number);

    *is_number = false;
    if (digits == 0)
        return false;
    if (take(&cursor, '.')) {
        if (take_digits(&cursor, NUMBER_DIGITS_MAX, &fraction) == 0 || digits <= 8)
            return false;
    } else {
        fraction = 0;
    }
    if (cursor.at != cursor.end)
        return false;
    *is_number = true;
    if (!moment_of_integer(number, digits, unit, moment))
        return false;
    return fraction == 0 || moment->universal;
}

bool moment_parse(struct text text, const struct moment_rules *rules, struct moment *moment,
                  bool *ambiguous)
{
    struct cursor cursor = {text.at, text.at + text.length};
    int64_t clock_ms;
    bool is_number;

    *ambiguous = false;
    if (parse_number(text, rules->unit, moment, &is_number))
        return true;
    *moment = (struct moment){.style = STYLE_DAY, .day_only = true};
    if (is_number || !take_day(&cursor, rules->order, &moment->ms, ambiguous))
        return false;
    if (cursor.at == cursor.end)
        return true;
    if (!take(&cursor, 'T') && !take_blanks(&cursor))
        return false;
    if (!take_clock(&cursor, &clock_ms) || !take_half_of_day(&cursor, &clock_ms) ||
        !take_zone(&cursor, moment))
        return false;
    moment->ms += clock_ms;
    moment->day_only = false;
    moment->style = moment->zoned ? STYLE_ZONED : STYLE_LOCAL;
    return cursor.at == cursor.end;
}

bool moment_clock_parse(struct text text, int64_t *ms)
{
    struct cursor cursor = {text.at, text.at + text.length};

    return take_clock(&cursor, ms) && take_half_of_day(&cursor, ms) && cursor.at == cursor.end;
}

enum moment_order moment_order_of(struct text text, bool *is_ordered_date)
{
    struct cursor cursor = {text.at, text.at + text.length};
    struct day_parts day;

    *is_ordered_date = take_day_parts(&cursor, &day) && is_year(&day, 2) && day.month_name < 0;
    if (!*is_ordered_date || (day.part[0] <= 12 && day.part[1] <= 12))
        return ORDER_UNKNOWN;
    return day.part[0] > 12 ? ORDER_DAY_FIRST : ORDER_MONTH_FIRST;
}

enum zone_result moment_to_utc(const struct moment *moment, const struct zone *zone, bool days,
                               int64_t *ms)
{
    *ms = moment->ms;
    if (moment->universal || (days && moment->ms % DAY_MS == 0))
        return ZONE_ONE;
    if (moment->zoned) {
        *ms = moment->ms - moment->zone_ms;
        return ZONE_ONE;
    }
    return zone_to_utc(zone, moment->ms, ms);
}
