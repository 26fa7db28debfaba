/* table: the rows of one file, by symbol, until they are judged together.
 *
 * A row that is sane alone is added; table_finish() then sorts each symbol's rows, takes out rows
 * whose time is there already, and those whose time does not fit the timeframe.  What is left is
 * bars. */
#ifndef HARRIER_IMPORT_TABLE_H
#define HARRIER_IMPORT_TABLE_H

#include "import/import.h"
#include "import/zone.h"

struct series {
    char symbol[SYMBOL_BYTES_MAX];
    size_t count, capacity;
    int64_t *time;
    double *column[BAR_COLUMNS];
    uint32_t *line;
};

enum table_order { ORDER_ONE_ROW, ORDER_OLDEST_FIRST, ORDER_NEWEST_FIRST, ORDER_MIXED };

struct table {
    enum timeframe frame;
    size_t rejects_shown;

    struct series *series; /* in order of appearance */
    size_t series_count, series_capacity;
    uint32_t *slots; /* hash of symbols: index + 1 */
    size_t slot_count;
    size_t last; /* series of the row before */

    struct import_counts counts;
    struct import_reject *rejects;
    size_t reject_count, reject_capacity;
    enum table_order order;
    int64_t phase_ms; /* bars begin so long after the timeframe's full period, where all do */
    bool no_memory;
};

void table_init(struct table *table, enum timeframe frame, size_t rejects_shown);
void table_deinit(struct table *table);

/* The rows of a symbol, made where it is new; NULL where the name is no symbol (err says why), or
 * where there is no memory (no_memory is set). */
struct series *table_series(struct table *table, struct text symbol, struct error *err);

/* Room for `count` rows in all. */
bool series_reserve(struct series *series, size_t count);

/* Counts a row under its reason and keeps the first ones. */
void table_reject(struct table *table, uint32_t line, enum import_reason reason, const char *format,
                  ...) __attribute__((format(printf, 4, 5), cold));

static inline bool bar_is_sane(const double value[BAR_COLUMNS])
{
    double open = value[BAR_OPEN], high = value[BAR_HIGH], low = value[BAR_LOW],
           close = value[BAR_CLOSE];

    return (low >= BAR_PRICE_LEAST) & (low <= open) & (open <= high) & (low <= close) &
           (close <= high) & (high <= BAR_PRICE_MOST) & (value[BAR_VOLUME] >= 0) &
           (value[BAR_VOLUME] <= BAR_VOLUME_MOST);
}

/* Says what is wrong with a row that is not sane. */
void table_reject_bar(struct table *table, uint32_t line, const double value[BAR_COLUMNS])
    __attribute__((cold));

static inline bool series_add(struct series *series, uint32_t line, int64_t time,
                              const double value[BAR_COLUMNS])
{
    size_t at = series->count;

    if (at == series->capacity && !series_reserve(series, at + 1))
        return false;
    series->time[at] = time;
    for (int c = 0; c < BAR_COLUMNS; c++)
        series->column[c][at] = value[c];
    series->line[at] = line;
    series->count = at + 1;
    return true;
}

struct bars series_bars(const struct series *series);

/* Sorts, takes out doubles and what does not fit the timeframe. */
void table_finish(struct table *table);

/* Puts the rejects in order of lines, once more where some were added since. */
void table_sort_rejects(struct table *table);

#endif
