/* moment: a time as files write it.
 *
 * Plain numbers are seconds, milli-, micro- or nanoseconds since 1970 by their size (no two of the
 * units can mean a time between 1973 and 2261 by the same number), or YYYYMMDD[HHMM[SS]].  Text is
 * a date in one of many spellings, perhaps a time of day, perhaps a zone.  A date whose day and
 * month can be swapped (01/02/2020) is read only where `order` says how. */
#ifndef HARRIER_IMPORT_MOMENT_H
#define HARRIER_IMPORT_MOMENT_H

#include "import/number.h"
#include "import/zone.h"
#include "model/model.h"

enum moment_order { ORDER_UNKNOWN, ORDER_DAY_FIRST, ORDER_MONTH_FIRST };
enum moment_unit { UNIT_BY_SIZE, UNIT_S, UNIT_MS, UNIT_US, UNIT_NS };

/* How a time was written; a file's rows may differ, and that is said. */
enum moment_style {
    STYLE_S,
    STYLE_MS,
    STYLE_US,
    STYLE_NS,
    STYLE_DAY,    /* 2020-01-31 and other dates without a time of day */
    STYLE_LOCAL,  /* date and time of day, no zone */
    STYLE_ZONED,  /* with a zone */
    STYLE_DIGITS, /* YYYYMMDD, with HHMM or HHMMSS perhaps */
    STYLE_COUNT
};
const char *moment_style_words(enum moment_style style);

struct moment {
    int64_t ms;      /* since 1970 on the wall of its zone; UTC where `universal` */
    int64_t zone_ms; /* east of UTC, where the text says so */
    bool universal;  /* a plain number: already UTC */
    bool zoned;
    bool day_only;
    enum moment_style style;
};

struct moment_rules {
    enum moment_order order;
    enum moment_unit unit;
};

/* The whole text.  False where it is no time; `*ambiguous` is set where only the order was missing.
 */
bool moment_parse(struct text text, const struct moment_rules *rules, struct moment *moment,
                  bool *ambiguous);

/* "09:30", "09:30:00.000", "093000": a time of day alone, in ms. */
bool moment_clock_parse(struct text text, int64_t *ms);

/* For a date with day and month: which order it proves (13/01/2020: day first). */
enum moment_order moment_order_of(struct text text, bool *is_ordered_date);

/* 2262-01-01, the first time that is too late. */
#define MOMENT_MS_END INT64_C(9214646400000)

/* Plain number as a time; false where it can be none. */
bool moment_of_integer(uint64_t number, unsigned digits, enum moment_unit unit,
                       struct moment *moment);

/* ---- the fast form: YYYY-MM-DD[ T]HH:MM:SS ------------------------------------------------- */

/* The month of the last date: dates within a month are a count of days. */
struct moment_cache {
    uint64_t year_month; /* the eight bytes "YYYY-MM-" */
    int64_t month_ms;
    unsigned days;
};

/* Ten bytes that begin with YYYY-MM- of the calendar. */
bool moment_month_read(const char *at, struct moment_cache *cache);

/* Ten bytes YYYY-MM-DD that are a date of the calendar. */
static inline bool moment_day(const char *at, struct moment_cache *cache, int64_t *ms)
{
    unsigned tens = (unsigned)(at[8] - '0'), ones = (unsigned)(at[9] - '0');
    unsigned day = tens * 10 + ones;
    uint64_t year_month;

    memcpy(&year_month, at, sizeof year_month);
    if (year_month != cache->year_month && !moment_month_read(at, cache))
        return false;
    if (tens > 9 || ones > 9 || day < 1 || day > cache->days)
        return false;
    *ms = cache->month_ms + (int64_t)(day - 1) * DAY_MS;
    return true;
}

/* Eight bytes HH:MM:SS. */
static inline bool moment_clock(const char *at, int64_t *ms)
{
    unsigned d[6] = {at[0] - '0', at[1] - '0', at[3] - '0', at[4] - '0', at[6] - '0', at[7] - '0'};
    unsigned hour = d[0] * 10 + d[1], minute = d[2] * 10 + d[3], second = d[4] * 10 + d[5];

    if (d[0] > 9 || d[1] > 9 || d[2] > 9 || d[3] > 9 || d[4] > 9 || d[5] > 9 || at[2] != ':' ||
        at[5] != ':' || hour > 23 || minute > 59 || second > 59)
        return false;
    *ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
    return true;
}

/* ---- to UTC -------------------------------------------------------------------------------- */

/* UTC milliseconds.  Of daily and longer bars a midnight on the wall of its own zone is that day,
 * whatever the zone: an exchange's day is a date. */
enum zone_result moment_to_utc(const struct moment *moment, const struct zone *zone, bool days,
                               int64_t *ms);

#endif
