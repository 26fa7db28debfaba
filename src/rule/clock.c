/* The clocks of venues: what hour and weekday a bar opens on.  Summer time by the rules that have
 * been law since 2007 (United States, Canada) and 1996 (European Union, United Kingdom), and the
 * United States' of 1987 to 2006; before that the winter's clock. */
#include <strings.h>

#include "rule/rule.h"

enum { HOUR_MS = 3600000, MINUTE_MS = 60000 };
enum summer { SUMMER_NONE, SUMMER_US, SUMMER_EU };

static const struct {
    const char *name;
    int minutes;
    enum summer summer;
} venues[] = {
#define VENUE(name, minutes, summer) {name, minutes, SUMMER_##summer},
#include "rule/venue.def"
#undef VENUE
};

/* Midnight UTC of the n-th Sunday of a month from 1, or of its last one (n 0). */
static int64_t sunday_ms(int year, int month, int n)
{
    int64_t from, day;

    if (n == 0) {
        int next = month % 12 + 1;

        from = date_to_ms((struct date){year + (next == 1), next, 1}) - (int64_t)7 * DAY_MS;
        n = 1;
    } else {
        from = date_to_ms((struct date){year, month, 1});
    }
    day = from + (int64_t)((7 - weekday_of_ms(from)) % 7) * DAY_MS;
    return day + (int64_t)(n - 1) * 7 * DAY_MS;
}

static bool is_summer(enum summer summer, int64_t time_ms, int64_t offset_ms)
{
    int year = date_of_ms(time_ms + offset_ms).year;
    int64_t begin, end;

    if (summer == SUMMER_EU && year >= 1996) { /* at 01:00 UTC everywhere */
        begin = sunday_ms(year, 3, 0) + HOUR_MS;
        end = sunday_ms(year, 10, 0) + HOUR_MS;
    } else if (summer == SUMMER_US && year >= 1987) { /* at 02:00 by the clock that is left */
        begin = (year >= 2007 ? sunday_ms(year, 3, 2) : sunday_ms(year, 4, 1)) + 2 * HOUR_MS -
                offset_ms;
        end = (year >= 2007 ? sunday_ms(year, 11, 1) : sunday_ms(year, 10, 0)) + HOUR_MS -
              offset_ms;
    } else {
        return false;
    }
    return time_ms >= begin && time_ms < end;
}

int64_t rule_clock_offset_ms(const struct market_name *market, int64_t time_ms)
{
    if (timeframe_is_daily_or_longer(market->frame))
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(venues); i++)
        if (strcasecmp(market->venue, venues[i].name) == 0) {
            int64_t offset_ms = (int64_t)venues[i].minutes * MINUTE_MS;

            return offset_ms + (is_summer(venues[i].summer, time_ms, offset_ms) ? HOUR_MS : 0);
        }
    return 0;
}
