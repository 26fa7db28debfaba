/* Timeframes: the periods that bars stand for. */
#include "model/model.h"

static const struct {
    const char *name;
    int64_t ms;
} rows[TIMEFRAME_COUNT] = {
#define TIMEFRAME(id, name, seconds) {name, (int64_t)(seconds)*1000},
#include "model/timeframe.def"
#undef TIMEFRAME
};

enum { MONDAY_MS = -3 * DAY_MS }; /* 1969-12-29, the Monday before the epoch */

const char *timeframe_name(enum timeframe frame)
{
    return rows[frame].name;
}

int64_t timeframe_ms(enum timeframe frame)
{
    return rows[frame].ms;
}

bool timeframe_is_daily_or_longer(enum timeframe frame)
{
    return rows[frame].ms == 0 || rows[frame].ms >= DAY_MS;
}

enum status timeframe_parse(enum timeframe *frame, struct text text, struct error *err)
{
    static const char names[] =
#define TIMEFRAME(id, name, seconds) " " name
#include "model/timeframe.def"
#undef TIMEFRAME
        ;

    for (int i = 0; i < TIMEFRAME_COUNT; i++)
        if (text_is(text, rows[i].name)) {
            *frame = (enum timeframe)i;
            return STATUS_OK;
        }
    return fail(err, STATUS_USAGE,
                "`%.*s` is not a timeframe: expected one of%s (m: minutes, M: months)",
                (int)MIN(text.length, 64), text.at, names);
}

int64_t timeframe_floor(enum timeframe frame, int64_t time_ms)
{
    int64_t ms = rows[frame].ms, origin = frame == TIMEFRAME_1W ? MONDAY_MS : 0, over;

    if (ms == 0) {
        struct date date = date_of_ms(time_ms);

        date.day = 1;
        return date_to_ms(date);
    }
    over = (time_ms - origin) % ms;
    return time_ms - over - (over < 0 ? ms : 0);
}

int64_t timeframe_next(enum timeframe frame, int64_t open_ms)
{
    struct date date;

    if (rows[frame].ms != 0)
        return open_ms + rows[frame].ms;
    date = date_of_ms(open_ms);
    if (++date.month > 12) {
        date.month = 1;
        date.year++;
    }
    return date_to_ms(date);
}
