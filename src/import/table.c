/* table: the rows of one file.  Owns the judgement that needs more than one row: order, doubles,
 * spacing. */
#include "import/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MONTH_MS_MIN (28 * (int64_t)DAY_MS)

enum { SERIES_ROWS_MIN = 256, SLOTS_MIN = 64, HOUR_MS = 3600000 };

const char *import_reason_words(enum import_reason reason)
{
    static const char *const words[IMPORT_REASON_COUNT] = {
#define REASON(id, words) [IMPORT_##id] = words,
#include "import/reason.def"
#undef REASON
    };
    return words[reason];
}

void table_init(struct table *table, enum timeframe frame, size_t rejects_shown)
{
    *table = (struct table){.frame = frame, .rejects_shown = rejects_shown};
}

void table_deinit(struct table *table)
{
    for (size_t i = 0; i < table->series_count; i++) {
        mem_free(table->series[i].time);
        for (int c = 0; c < BAR_COLUMNS; c++)
            mem_free(table->series[i].column[c]);
        mem_free(table->series[i].line);
    }
    mem_free(table->series);
    mem_free(table->slots);
    mem_free(table->rejects);
    *table = (struct table){0};
}

/* ---- symbols ------------------------------------------------------------------------------- */

static size_t slot_of(const struct table *table, struct text symbol)
{
    size_t at = hash_bytes(symbol.at, symbol.length, 0) & (table->slot_count - 1);

    while (table->slots[at] && !text_is(symbol, table->series[table->slots[at] - 1].symbol))
        at = (at + 1) & (table->slot_count - 1);
    return at;
}

static bool grow_slots(struct table *table)
{
    size_t count = table->slot_count ? table->slot_count * 2 : SLOTS_MIN;
    uint32_t *slots = mem_zero(count, sizeof *slots);

    if (!slots)
        return false;
    mem_free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    for (size_t i = 0; i < table->series_count; i++)
        slots[slot_of(table, text_of(table->series[i].symbol))] = (uint32_t)i + 1;
    return true;
}

struct series *table_series(struct table *table, struct text symbol, struct error *err)
{
    size_t slot;
    struct series *series;

    if (table->last < table->series_count && text_is(symbol, table->series[table->last].symbol))
        return &table->series[table->last];
    if (table->series_count * 2 >= table->slot_count && !grow_slots(table)) {
        table->no_memory = true;
        return NULL;
    }
    slot = slot_of(table, symbol);
    if (!table->slots[slot]) {
        if (symbol_check(symbol, err) != STATUS_OK)
            return NULL;
        if (mem_grow((void **)&table->series, &table->series_capacity, table->series_count + 1,
                     sizeof *table->series) != 0) {
            table->no_memory = true;
            return NULL;
        }
        series = &table->series[table->series_count++];
        *series = (struct series){.count = 0};
        memcpy(series->symbol, symbol.at, symbol.length);
        table->slots[slot] = (uint32_t)table->series_count;
    }
    table->last = table->slots[slot] - 1;
    return &table->series[table->last];
}

static bool resize(void **array, size_t count, size_t bytes)
{
    void *grown = mem_resize(*array, count * bytes);

    if (grown)
        *array = grown;
    return grown != NULL;
}

bool series_reserve(struct series *series, size_t count)
{
    size_t capacity = series->capacity ? series->capacity : SERIES_ROWS_MIN;

    if (count <= series->capacity)
        return true;
    if (count > IMPORT_ROWS_MAX)
        return false;
    while (capacity < count)
        capacity += capacity / 2;
    if (!resize((void **)&series->time, capacity, sizeof *series->time) ||
        !resize((void **)&series->line, capacity, sizeof *series->line))
        return false;
    for (int c = 0; c < BAR_COLUMNS; c++)
        if (!resize((void **)&series->column[c], capacity, sizeof *series->column[c]))
            return false;
    series->capacity = capacity;
    return true;
}

struct bars series_bars(const struct series *series)
{
    struct bars bars = {.count = series->count, .time = series->time};

    for (int c = 0; c < BAR_COLUMNS; c++)
        bars.column[c] = series->column[c];
    return bars;
}

/* ---- rejects ------------------------------------------------------------------------------- */

static void reject_rows(struct table *table, uint64_t rows, uint32_t line,
                        enum import_reason reason, const char *format, va_list args)
{
    struct import_reject *reject;
    bool shown = table->counts.rejected[reason] < table->rejects_shown;

    table->counts.rejected[reason] += rows;
    table->counts.rejected_all += rows;
    if (!shown)
        return;
    if (mem_grow((void **)&table->rejects, &table->reject_capacity, table->reject_count + 1,
                 sizeof *table->rejects) != 0) {
        table->no_memory = true;
        return;
    }
    reject = &table->rejects[table->reject_count++];
    *reject = (struct import_reject){.line = line, .reason = reason};
    vsnprintf(reject->text, sizeof reject->text, format, args);
}

void table_reject(struct table *table, uint32_t line, enum import_reason reason, const char *format,
                  ...)
{
    va_list args;

    va_start(args, format);
    reject_rows(table, 1, line, reason, format, args);
    va_end(args);
}

static void table_reject_series(struct table *table, struct series *series, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void table_reject_series(struct table *table, struct series *series, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    reject_rows(table, series->count, series->line[0], IMPORT_SPACING, format, args);
    va_end(args);
    series->count = 0;
}

void table_reject_bar(struct table *table, uint32_t line, const double value[BAR_COLUMNS])
{
    static const char *const names[BAR_COLUMNS] = {"open", "high", "low", "close", "volume"};
    char a[DOUBLE_TEXT_BYTES], low[DOUBLE_TEXT_BYTES], high[DOUBLE_TEXT_BYTES];

    for (int c = 0; c < BAR_COLUMNS; c++)
        if (!isfinite(value[c])) {
            double_to_text(value[c], a);
            table_reject(table, line, IMPORT_NOT_FINITE, "%s is %s", names[c], a);
            return;
        }
    for (int c = 0; c < BAR_VOLUME; c++)
        if (value[c] <= 0) {
            double_to_text(value[c], a);
            table_reject(table, line, IMPORT_NOT_POSITIVE, "%s is %s", names[c], a);
            return;
        }
    double_to_text(value[BAR_VOLUME], a);
    if (value[BAR_VOLUME] < 0) {
        table_reject(table, line, IMPORT_NEGATIVE, "volume is %s", a);
        return;
    }
    for (int c = 0; c < BAR_COLUMNS; c++) {
        double least = c == BAR_VOLUME ? 0 : BAR_PRICE_LEAST;
        double most = c == BAR_VOLUME ? BAR_VOLUME_MOST : BAR_PRICE_MOST;

        if (value[c] < least || value[c] > most) {
            double_to_text(value[c], a);
            table_reject(table, line, IMPORT_RANGE, "%s %s is not from %g to %g", names[c], a,
                         least, most);
            return;
        }
    }
    double_to_text(value[BAR_LOW], low);
    double_to_text(value[BAR_HIGH], high);
    if (value[BAR_HIGH] < value[BAR_LOW]) {
        table_reject(table, line, IMPORT_HIGH_LOW, "high %s is below low %s", high, low);
        return;
    }
    for (int c = BAR_OPEN; c <= BAR_CLOSE; c += BAR_CLOSE - BAR_OPEN)
        if (value[c] < value[BAR_LOW] || value[c] > value[BAR_HIGH]) {
            double_to_text(value[c], a);
            table_reject(table, line, IMPORT_OUTSIDE, "%s %s is outside low %s to high %s",
                         names[c], a, low, high);
            return;
        }
}

/* ---- order --------------------------------------------------------------------------------- */

/* `*strict`: rising, and no time twice. */
static enum table_order order_of(const int64_t *time, size_t count, bool *strict)
{
    size_t rising = 0, falling = 0;

    for (size_t i = 1; i < count; i++) {
        rising += time[i] > time[i - 1];
        falling += time[i] < time[i - 1];
    }
    *strict = false;
    if (rising + falling == 0)
        return ORDER_ONE_ROW;
    *strict = rising + 1 == count;
    return falling == 0 ? ORDER_OLDEST_FIRST : rising == 0 ? ORDER_NEWEST_FIRST : ORDER_MIXED;
}

/* Merge sort of the places by time, so that rows of one time stay in the order of the file. */
static void sort_places(const int64_t *time, uint32_t *place, uint32_t *spare, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        uint32_t *swap = place;

        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = MIN(begin + width, count), end = MIN(begin + 2 * width, count);
            size_t a = begin, b = middle;

            for (size_t i = begin; i < end; i++)
                spare[i] = a < middle && (b == end || time[place[a]] <= time[place[b]])
                               ? place[a++]
                               : place[b++];
        }
        place = spare;
        spare = swap;
    }
}

static size_t merge_passes(size_t count)
{
    size_t passes = 0;

    for (size_t width = 1; width < count; width *= 2)
        passes++;
    return passes;
}

static void gather8(void *column, void *spare, const uint32_t *place, size_t count)
{
    uint64_t *to = spare, *from = column;

    for (size_t i = 0; i < count; i++)
        to[i] = from[place[i]];
    memcpy(from, to, count * sizeof *to);
}

static bool series_sort(struct series *series)
{
    size_t count = series->count;
    uint32_t *places = mem_alloc(2 * count * sizeof *places), *sorted;
    uint64_t *spare = mem_alloc(count * sizeof *spare);
    bool fine = places && spare;

    if (fine) {
        for (size_t i = 0; i < count; i++)
            places[i] = (uint32_t)i;
        sort_places(series->time, places, places + count, count);
        sorted = merge_passes(count) % 2 ? places + count : places;
        gather8(series->time, spare, sorted, count);
        for (int c = 0; c < BAR_COLUMNS; c++)
            gather8(series->column[c], spare, sorted, count);
        for (size_t i = 0; i < count; i++)
            ((uint32_t *)spare)[i] = series->line[sorted[i]];
        memcpy(series->line, spare, count * sizeof *series->line);
    }
    mem_free(places);
    mem_free(spare);
    return fine;
}

/* ---- doubles ------------------------------------------------------------------------------- */

static void move_row(struct series *series, size_t to, size_t from)
{
    series->time[to] = series->time[from];
    for (int c = 0; c < BAR_COLUMNS; c++)
        series->column[c][to] = series->column[c][from];
    series->line[to] = series->line[from];
}

/* The column in which two rows differ, -1 where they say the same. */
static int column_that_differs(const struct series *series, size_t a, size_t b)
{
    for (int c = 0; c < BAR_COLUMNS; c++)
        if (series->column[c][a] != series->column[c][b])
            return c;
    return -1;
}

static void take_out_doubles(struct table *table, struct series *series)
{
    static const char *const names[BAR_COLUMNS] = {"open", "high", "low", "close", "volume"};
    size_t kept = 1;

    for (size_t i = 1; i < series->count; i++) {
        int c;

        if (series->time[i] != series->time[kept - 1]) {
            if (kept != i)
                move_row(series, kept, i);
            kept++;
            continue;
        }
        c = column_that_differs(series, kept - 1, i);
        if (c < 0) {
            table->counts.doubled++;
        } else {
            char time[TIME_TEXT_BYTES], first[DOUBLE_TEXT_BYTES], second[DOUBLE_TEXT_BYTES];

            time_to_text(series->time[i], timeframe_is_daily_or_longer(table->frame), time);
            double_to_text(series->column[c][kept - 1], first);
            double_to_text(series->column[c][i], second);
            table_reject(table, series->line[i], IMPORT_DIFFERS,
                         "%s is in line %u with %s %s, here %s: the first stays", time,
                         series->line[kept - 1], names[c], first, second);
        }
    }
    series->count = kept;
}

/* ---- spacing ------------------------------------------------------------------------------- */

/* "5 minutes", "1 hour", "1 day" */
static void duration_words(int64_t ms, char words[48])
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {
        {DAY_MS, "day"}, {HOUR_MS, "hour"}, {60000, "minute"}, {1000, "second"}, {1, "ms"}};
    size_t u = 0;

    if (ms >= MONTH_MS_MIN && ms <= 31 * (int64_t)DAY_MS) {
        snprintf(words, 48, "1 month");
        return;
    }
    while (ms % units[u].ms != 0)
        u++;
    snprintf(words, 48, "%lld %s%s", (long long)(ms / units[u].ms), units[u].name,
             ms / units[u].ms == 1 || units[u].ms == 1 ? "" : "s");
}

/* Finer than this no two bars may be: a clock change takes an hour from bars that follow the clock.
 */
static int64_t least_distance(enum timeframe frame)
{
    int64_t ms = timeframe_ms(frame);

    if (ms == 0)
        return MONTH_MS_MIN;
    return ms > HOUR_MS && ms < DAY_MS ? ms / 2 : ms;
}

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Vote of R. S. Boyer and J. S. Moore: the distance that most rows have, where most have one. */
static int64_t usual_distance(const struct series *series)
{
    int64_t usual = 0;
    size_t votes = 0;

    for (size_t i = 1; i < series->count; i++) {
        int64_t distance = series->time[i] - series->time[i - 1];

        if (votes == 0)
            usual = distance;
        votes += distance == usual ? 1 : -(size_t)1;
    }
    return usual;
}

static bool is_too_fine(const struct series *series, enum timeframe frame)
{
    int64_t least = least_distance(frame);
    size_t near = 0;

    for (size_t i = 1; i < series->count; i++)
        near += series->time[i] - series->time[i - 1] < least;
    return near * 2 > series->count - 1;
}

/* Rows that are all whole multiples of something longer apart are bars of that.  Chance could do it
 * too: with `ratio` times the distance and n gaps in 1 of ratio^n cases, and 1 of 256 is where it
 * is no longer believed. */
static int64_t coarser_distance(const struct series *series, enum timeframe frame)
{
    int64_t divisor = 0, least = INT64_MAX, ratio;
    int64_t unit = timeframe_ms(frame) ? timeframe_ms(frame) : 31 * (int64_t)DAY_MS;
    double gaps = (double)(series->count - 1);

    for (size_t i = 1; i < series->count; i++) {
        int64_t distance = series->time[i] - series->time[i - 1];

        divisor = greatest_divisor(divisor, distance);
        least = MIN(least, distance);
        if (divisor == unit && least < MONTH_MS_MIN)
            return 0; /* as nearly every series is, and at once */
    }
    ratio = divisor / unit;
    if (timeframe_ms(frame) && ratio > 1 && gaps * log2((double)ratio) >= 8)
        return divisor;
    if (frame == TIMEFRAME_1D && least >= MONTH_MS_MIN && gaps >= 3)
        return least; /* months have no divisor but a day */
    if (frame == TIMEFRAME_1MO && least > unit && gaps >= 3)
        return least;
    return 0;
}

/* The grid that rows must share: full periods for days and longer, full hours for 2h to 12h (whose
 * bars may follow a clock that changes), the same part of the period for what is finer: sessions
 * begin at 09:15. */
static int64_t phase_of(enum timeframe frame, int64_t time_ms)
{
    int64_t period = MIN(timeframe_ms(frame), HOUR_MS), over;

    if (timeframe_is_daily_or_longer(frame))
        return time_ms - timeframe_floor(frame, time_ms);
    over = time_ms % period;
    return over < 0 ? over + period : over;
}

static int64_t usual_phase(const struct series *series, enum timeframe frame)
{
    int64_t usual = 0;
    size_t votes = 0;

    if (timeframe_is_daily_or_longer(frame))
        return 0;
    for (size_t i = 0; i < series->count; i++) {
        int64_t phase = phase_of(frame, series->time[i]);

        if (votes == 0)
            usual = phase;
        votes += phase == usual ? 1 : -(size_t)1;
    }
    return usual;
}

static void refuse_grid(struct table *table, struct series *series)
{
    char first[TIME_TEXT_BYTES];
    const char *frame = timeframe_name(table->frame);

    time_to_text(series->time[0], false, first);
    if (timeframe_is_daily_or_longer(table->frame))
        table_reject_series(table, series,
                            "times like %s are not where bars of %s begin (%s00:00 UTC)", first,
                            frame,
                            table->frame == TIMEFRAME_1W    ? "Monday "
                            : table->frame == TIMEFRAME_1MO ? "the first, "
                                                            : "");
    else
        table_reject_series(table, series, "times like %s fall on no common grid of %s", first,
                            frame);
}

/* Takes out the rows whose time does not fit; all of them where most do not. */
static void judge_grid(struct table *table, struct series *series)
{
    int64_t phase = usual_phase(series, table->frame), least = least_distance(table->frame);
    size_t off = 0, kept = 0;

    for (size_t i = 0; i < series->count; i++)
        off += phase_of(table->frame, series->time[i]) != phase;
    if (off * 2 >= series->count) {
        refuse_grid(table, series);
        return;
    }
    table->phase_ms = phase;
    for (size_t i = 0; i < series->count; i++) {
        char time[TIME_TEXT_BYTES], words[48];

        time_to_text(series->time[i], false, time);
        if (phase_of(table->frame, series->time[i]) != phase) {
            table_reject(table, series->line[i], IMPORT_OFF_GRID,
                         "%s is not where a bar of %s begins", time, timeframe_name(table->frame));
        } else if (kept > 0 && series->time[i] - series->time[kept - 1] < least) {
            duration_words(series->time[i] - series->time[kept - 1], words);
            table_reject(table, series->line[i], IMPORT_OFF_GRID,
                         "%s is only %s after the bar before", time, words);
        } else {
            if (kept != i)
                move_row(series, kept, i);
            kept++;
        }
    }
    series->count = kept;
}

/* Nothing to say of most files: one pass without a branch that is taken. */
static bool is_on_grid(const struct series *series, enum timeframe frame)
{
    int64_t ms = timeframe_ms(frame), least = least_distance(frame);
    int64_t first = frame == TIMEFRAME_1W ? timeframe_floor(frame, series->time[0]) : 0;
    size_t off = 0;

    if (ms == 0 || (series->time[0] - first) % ms != 0)
        return false;
    for (size_t i = 1; i < series->count; i++) {
        int64_t distance = series->time[i] - series->time[i - 1];

        off += distance != ms && (distance < least || distance % ms != 0);
    }
    return off == 0;
}

static void judge_spacing(struct table *table, struct series *series)
{
    const char *frame = timeframe_name(table->frame);
    char words[48];
    int64_t coarser;

    if (series->count > 2 && is_too_fine(series, table->frame)) {
        duration_words(usual_distance(series), words);
        table_reject_series(
            table, series,
            "rows are %s apart, too close for %s: import them under their own timeframe "
            "and use `harrier resample`",
            words, frame);
        return;
    }
    if (!is_on_grid(series, table->frame))
        judge_grid(table, series);
    if (series->count > 2 && (coarser = coarser_distance(series, table->frame)) != 0) {
        duration_words(coarser, words);
        table_reject_series(
            table, series,
            "rows are %s apart, too far for %s: import them under their own timeframe", words,
            frame);
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

static int by_line_and_reason(const void *a, const void *b)
{
    const struct import_reject *x = a, *y = b;

    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->reason < y->reason ? -1 : x->reason > y->reason;
}

void table_sort_rejects(struct table *table)
{
    if (table->reject_count > 0)
        qsort(table->rejects, table->reject_count, sizeof *table->rejects, by_line_and_reason);
}

void table_finish(struct table *table)
{
    for (size_t i = 0; i < table->series_count && !table->no_memory; i++) {
        struct series *series = &table->series[i];
        bool strict;
        enum table_order order = order_of(series->time, series->count, &strict);

        if (series->count == 0)
            continue;
        if (order != ORDER_ONE_ROW)
            table->order = table->order == ORDER_ONE_ROW || table->order == order ? order
                                                                                  : ORDER_MIXED;
        if ((order == ORDER_NEWEST_FIRST || order == ORDER_MIXED) && !series_sort(series)) {
            table->no_memory = true;
            break;
        }
        if (!strict)
            take_out_doubles(table, series);
        judge_spacing(table, series);
    }
    table_sort_rejects(table);
}
