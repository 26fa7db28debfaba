/* Tables for people: columns aligned, cut to the width of the terminal (the rightmost columns that
 * are marked so go first), and the small drawings that stand in them. */
#ifndef HARRIER_APP_SHEET_H
#define HARRIER_APP_SHEET_H

#include "base/base.h"

enum { SHEET_COLUMNS_MAX = 24, SHEET_CELL_BYTES = 64 };

struct sheet_column {
    const char *title;
    bool left;    /* text stands left, numbers right */
    int optional; /* dropped where the width does not do, highest first; 0: always there */
    bool tinted;  /* green where it begins with +, red where with -, if the table has colours */
};

struct sheet {
    const struct sheet_column *columns;
    int column_count;
    char (*cells)[SHEET_CELL_BYTES];
    size_t row_count, capacity;
    bool color, failed;
};

/* `columns` is borrowed. */
void sheet_init(struct sheet *table, const struct sheet_column *columns, int column_count);
void sheet_deinit(struct sheet *table);

/* A cell of the next row, in order; a row is whole after column_count cells.  Text that does not
 * fit is cut. */
void sheet_add(struct sheet *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sheet_print(const struct sheet *table, struct buffer *out, int width /* 0: any */);

/* "385,708"; "+1,234.56"; "--" for NaN. */
enum { NUMBER_TEXT_BYTES = 48 };
const char *with_commas(double number, int decimals, bool sign, char text[NUMBER_TEXT_BYTES]);

/* ▁▂▃▄▅▆▇█ of `points` samples of a curve (the last value always among them). */
void sparkline(const double *values, size_t count, int points, char *text, size_t bytes);

/* "3 days 04:00:00", "412 days", from milliseconds. */
const char *duration_words(double ms, char text[NUMBER_TEXT_BYTES]);

#endif
