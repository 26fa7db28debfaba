/* Figures of a whole market rather than of one account.  It reads times and closes and keeps
 * nothing. */
#include <math.h>

#include "sim/curves.h"

/* ---- middle and mean ------------------------------------------------------------------------- */

double select_kth(double *values, size_t count, size_t k)
{
    size_t low = 0, high = count - 1;

    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot)
                i++;
            while (pivot < values[j])
                j--;
            if (i >= j)
                break;
            double swapped = values[i];
            values[i++] = values[j];
            values[j--] = swapped;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[k];
}

double median(double *values, size_t count)
{
    size_t numbers = 0;

    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[numbers++] = values[i];
    if (numbers == 0)
        return (double)NAN;

    double upper = select_kth(values, numbers, numbers / 2), lower = -HUGE_VAL;
    if (numbers % 2)
        return upper;
    for (size_t i = 0; i < numbers / 2; i++)
        lower = MAX(lower, values[i]);
    return (lower + upper) / 2;
}

double market_return(const double *buy_hold, size_t count)
{
    double sum = 0;
    size_t numbers = 0;

    for (size_t i = 0; i < count; i++)
        if (!isnan(buy_hold[i])) {
            sum += buy_hold[i];
            numbers++;
        }
    return numbers ? sum / (double)numbers : (double)NAN;
}

/* ---- bars a year ----------------------------------------------------------------------------- */

/* The first bar from `from` on that is not before `time_ms`.  It gallops: a day is short beside the
 * years behind it, and few pages of the times are touched. */
static size_t bars_find_from(const struct bars *bars, size_t from, int64_t time_ms)
{
    size_t step = 1;

    while (from + step < bars->count && bars->time[from + step] < time_ms)
        step *= 2;
    struct bars near = bars_slice(bars, from, MIN(from + step + 1, bars->count));
    return from + bars_find(&near, time_ms);
}

static int64_t day_of(int64_t time_ms)
{
    return timeframe_floor(TIMEFRAME_1D, time_ms) / DAY_MS;
}

/* Days are taken evenly over the whole time, by steps that meet every weekday alike. */
static int64_t days_step(int64_t days)
{
    int64_t step = days / YEAR_DAYS_MAX + 1;

    return step % 7 ? step : step + 1;
}

struct days {
    double bars[YEAR_DAYS_MAX]; /* of each whole day that has any */
    size_t count;
    size_t all, weekend; /* bars */
    double fullest;
};

/* The first and the last day may be cut, and are no whole ones. */
static void count_days(const struct bars *bars, struct days *days)
{
    int64_t first = day_of(bars->time[0]), last = day_of(bars->time[bars->count - 1]);
    int64_t step = days_step(last - first);
    size_t at = 0;

    *days = (struct days){0};
    for (int64_t day = first; day <= last && at < bars->count; day += step) {
        size_t begin = bars_find_from(bars, at, day * DAY_MS);
        size_t end = begin < bars->count ? bars_find_from(bars, begin, (day + 1) * DAY_MS) : begin;
        double count = (double)(end - begin);

        at = end;
        days->all += end - begin;
        days->weekend += weekday_of_ms(day * DAY_MS) >= 6 ? end - begin : 0;
        days->fullest = MAX(days->fullest, count);
        if (count > 0 && day > first && day < last)
            days->bars[days->count++] = count;
    }
}

struct year year_of(enum timeframe frame, const struct bars *samples, size_t count, int given)
{
    struct year year = {.days = given};
    double a_day[YEAR_SYMBOLS_MAX] = {1}, frame_days = (double)timeframe_ms(frame) / DAY_MS;
    size_t all = 0, weekend = 0, used = 0;

    ASSERT(count <= YEAR_SYMBOLS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct days days;

        if (samples[i].count == 0)
            continue;
        count_days(&samples[i], &days);
        a_day[used++] = days.count ? median(days.bars, days.count) : days.fullest;
        all += days.all;
        weekend += days.weekend;
    }
    if (!given)
        year.days = weekend * 20 > all ? 365 : 252;
    if (frame == TIMEFRAME_1MO)
        year.bars = 12;
    else if (frame == TIMEFRAME_1W)
        year.bars = 52;
    else if (timeframe_is_daily_or_longer(frame))
        year.bars = year.days / frame_days;
    else
        year.bars = year.days * median(a_day, MAX(used, (size_t)1));
    return year;
}
