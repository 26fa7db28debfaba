/* rows: reads the rows of one file into a table, by its layout.
 *
 * Two ways that must agree: a fast one that walks over the bytes once and knows only the usual
 * form, and a slow one over the row's fields that knows every form and says what is wrong.  The
 * fast one gives up at the first byte that it does not expect. */
#ifndef HARRIER_IMPORT_ROWS_H
#define HARRIER_IMPORT_ROWS_H

#include "import/layout.h"
#include "import/table.h"

struct rows {
    const struct layout *layout;
    const struct zone *zone;
    struct table *table;
    struct series *series; /* of a file with one symbol; NULL: a column says */
    bool days;             /* daily bars and longer */
    bool slow_only;        /* a column is two things at once */
    uint8_t action[IMPORT_COLUMNS_MAX + 1];
    struct moment_cache cache;
    uint32_t line;                    /* lines (of JSON: rows) so far */
    unsigned styles;                  /* bit a moment_style */
    uint32_t style_line[STYLE_COUNT]; /* where each was first */
    bool full;                        /* too many rows */
};

/* `symbol` where the file has one; length 0 where the layout's column says. */
enum status rows_init(struct rows *rows, const struct layout *layout, const struct zone *zone,
                      struct table *table, struct text symbol, struct error *err);

/* Whole lines, each with its end; NUMBER_SLACK_BYTES behind `end` must be readable. */
void rows_read_lines(struct rows *rows, const char *at, const char *end);

/* One row as fields: the slow way.  NUMBER_SLACK_BYTES behind each field must be readable. */
void rows_read_fields(struct rows *rows, const struct text *fields, unsigned count,
                      bool open_quote);

#endif
