/* Tables and small drawings. */
#include "app/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GAP = 3 };

void sheet_init(struct sheet *table, const struct sheet_column *columns, int column_count)
{
    ASSERT(column_count <= SHEET_COLUMNS_MAX);
    *table = (struct sheet){.columns = columns, .column_count = column_count};
}

void sheet_deinit(struct sheet *table)
{
    mem_free(table->cells);
}

void sheet_add(struct sheet *table, const char *format, ...)
{
    va_list args;

    if (table->failed || mem_grow((void **)&table->cells, &table->capacity, table->row_count + 1,
                                  sizeof *table->cells)) {
        table->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(table->cells[table->row_count++], SHEET_CELL_BYTES, format, args);
    va_end(args);
}

static void measure(const struct sheet *table, int widths[])
{
    for (int c = 0; c < table->column_count; c++)
        widths[c] = (int)utf8_columns(table->columns[c].title);
    for (size_t i = 0; i < table->row_count; i++) {
        int c = (int)(i % (size_t)table->column_count);

        widths[c] = MAX(widths[c], (int)utf8_columns(table->cells[i]));
    }
}

/* Drops optional columns (width -1) until the rest fits. */
static void drop_columns(const struct sheet *table, int widths[], int width)
{
    for (;;) {
        int total = 0, worst = -1;

        for (int c = 0; c < table->column_count; c++)
            if (widths[c] >= 0) {
                total += widths[c] + (total ? GAP : 0);
                if (table->columns[c].optional &&
                    (worst < 0 || table->columns[c].optional >= table->columns[worst].optional))
                    worst = c;
            }
        if (!width || total <= width || worst < 0)
            return;
        widths[worst] = -1;
    }
}

static void add_blanks(struct buffer *out, int count)
{
    for (int i = 0; i < count; i++)
        buffer_add_char(out, ' ');
}

static void print_cell(const struct sheet *table, struct buffer *out, const char *text, int column,
                       int width, bool last)
{
    int blanks = MAX(0, width - (int)utf8_columns(text));
    bool left = table->columns[column].left;
    const char *tint = !table->color || !table->columns[column].tinted ? NULL
                       : text[0] == '+'                                ? "\033[32m"
                       : text[0] == '-' && text[1] != '-'              ? "\033[31m"
                                                                       : NULL;

    if (!left)
        add_blanks(out, blanks);
    if (tint)
        buffer_add_text(out, tint);
    buffer_add_text(out, text);
    if (tint)
        buffer_add_text(out, "\033[0m");
    if (left && !last)
        add_blanks(out, blanks);
}

static void print_row(const struct sheet *table, struct buffer *out, const int widths[],
                      const size_t *row)
{
    int last = table->column_count - 1;
    bool any = false;

    while (last > 0 && widths[last] < 0)
        last--;
    for (int c = 0; c <= last; c++) {
        if (widths[c] < 0)
            continue;
        if (any)
            add_blanks(out, GAP);
        any = true;
        print_cell(table, out,
                   row ? table->cells[*row * (size_t)table->column_count + (size_t)c]
                       : table->columns[c].title,
                   c, widths[c], c == last);
    }
    buffer_add_char(out, '\n');
}

void sheet_print(const struct sheet *table, struct buffer *out, int width)
{
    int widths[SHEET_COLUMNS_MAX] = {0};

    measure(table, widths);
    drop_columns(table, widths, width);
    print_row(table, out, widths, NULL);
    for (size_t row = 0; row < table->row_count / (size_t)table->column_count; row++)
        print_row(table, out, widths, &row);
}

const char *with_commas(double number, int decimals, bool sign, char text[NUMBER_TEXT_BYTES])
{
    char plain[NUMBER_TEXT_BYTES];
    int at = 0, digits;
    const char *p;

    if (isnan(number))
        return strcpy(text, "--");
    if (!isfinite(number) || fabs(number) >= 1e18) {
        snprintf(text, NUMBER_TEXT_BYTES, "%g", number);
        return text;
    }
    snprintf(plain, sizeof plain, "%.*f", decimals, fabs(number));
    if (number < 0 && strspn(plain, "0.") < strlen(plain))
        text[at++] = '-';
    else if (sign)
        text[at++] = '+';
    digits = (int)strcspn(plain, ".");
    for (p = plain; *p; p++, digits--) {
        text[at++] = *p;
        if (digits > 1 && digits % 3 == 1)
            text[at++] = ',';
    }
    text[at] = '\0';
    return text;
}

void sparkline(const double *values, size_t count, int points, char *text, size_t bytes)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double low = INFINITY, high = -INFINITY;
    size_t at = 0;

    text[0] = '\0';
    if (!count)
        return;
    for (int p = 0; p < points; p++) {
        double v = values[(count - 1) * (size_t)(p + 1) / (size_t)points];

        low = fmin(low, v);
        high = fmax(high, v);
    }
    for (int p = 0; p < points && at + 4 < bytes; p++) {
        double v = values[(count - 1) * (size_t)(p + 1) / (size_t)points];
        int level = high > low ? (int)((v - low) / (high - low) * 7.999) : 3;

        at += (size_t)snprintf(text + at, bytes - at, "%s",
                               bars[level < 0   ? 0
                                    : level > 7 ? 7
                                                : level]);
    }
}

const char *duration_words(double ms, char text[NUMBER_TEXT_BYTES])
{
    long long seconds, days;

    if (isnan(ms))
        return strcpy(text, "--");
    seconds = (long long)(ms / 1000);
    days = seconds / 86400;
    seconds %= 86400;
    if (seconds && days)
        snprintf(text, NUMBER_TEXT_BYTES, "%lld days %02lld:%02lld:%02lld", days, seconds / 3600,
                 seconds / 60 % 60, seconds % 60);
    else if (days || !seconds)
        snprintf(text, NUMBER_TEXT_BYTES, "%lld days", days);
    else
        snprintf(text, NUMBER_TEXT_BYTES, "%02lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    return text;
}
