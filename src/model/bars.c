/* Columns of bars, and the words of trades. */
#include "model/model.h"

size_t bars_find(const struct bars *bars, int64_t time_ms)
{
    size_t begin = 0, end = bars->count;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;

        if (bars->time[middle] < time_ms)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

struct bars bars_slice(const struct bars *bars, size_t begin, size_t end)
{
    struct bars slice;

    ASSERT(begin <= end && end <= bars->count);
    slice = (struct bars){.count = end - begin, .time = bars->time + begin, .market = bars->market};
    for (int i = 0; i < BAR_COLUMNS; i++)
        slice.column[i] = bars->column[i] + begin;
    return slice;
}

const char *trade_reason_name(enum trade_reason reason)
{
    static const char *const names[REASON_COUNT] = {
        [REASON_SIGNAL] = "signal", [REASON_STOP] = "stop", [REASON_TARGET] = "target",
        [REASON_TRAIL] = "trail",   [REASON_TIME] = "time", [REASON_REVERSE] = "reverse",
        [REASON_RUINED] = "ruined", [REASON_END] = "end",
    };

    return names[reason];
}
