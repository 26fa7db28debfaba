/* rows: from bytes to judged rows.  The inner loop of an import; it allocates nothing. */
#include "import/rows.h"

#include <math.h>
#include <string.h>

/* What to do with a column, in the fast way. */
enum action {
    ACTION_SKIP,
    ACTION_TIME,
    ACTION_CLOCK,
    ACTION_PRICE,
    ACTION_VOLUME = ACTION_PRICE + 4,
    ACTION_SYMBOL,
    ACTION_WHERE
};

struct row {
    int64_t time_ms;
    enum moment_style style;
    double value[BAR_COLUMNS];
    struct text symbol;
    bool left_out; /* by --where */
};

enum status rows_init(struct rows *rows, const struct layout *layout, const struct zone *zone,
                      struct table *table, struct text symbol, struct error *err)
{
    static const enum action actions[FIELD_COUNT] = {
        [FIELD_TIME] = ACTION_TIME,
        [FIELD_CLOCK] = ACTION_CLOCK,
        [FIELD_OPEN] = ACTION_PRICE + BAR_OPEN,
        [FIELD_HIGH] = ACTION_PRICE + BAR_HIGH,
        [FIELD_LOW] = ACTION_PRICE + BAR_LOW,
        [FIELD_CLOSE] = ACTION_PRICE + BAR_CLOSE,
        [FIELD_VOLUME] = ACTION_VOLUME,
        [FIELD_SYMBOL] = ACTION_SYMBOL,
    };

    *rows = (struct rows){.layout = layout,
                          .zone = zone,
                          .table = table,
                          .line = layout->data_line,
                          .days = timeframe_is_daily_or_longer(table->frame)};
    for (int f = 0; f < FIELD_COUNT; f++) {
        int column = layout->column[f];

        if (column < 0)
            continue;
        rows->slow_only |= rows->action[column] != ACTION_SKIP;
        rows->action[column] = (uint8_t)actions[f];
    }
    for (unsigned i = 0; i < layout->where_count; i++) {
        rows->slow_only |= rows->action[layout->where[i].column] != ACTION_SKIP;
        rows->action[layout->where[i].column] = (uint8_t)(ACTION_WHERE + i);
    }
    rows->slow_only |= layout->price_factor != 1;
    rows->slow_only |= layout->column[FIELD_CLOCK] >= 0 &&
                       layout->column[FIELD_CLOCK] < layout->column[FIELD_TIME];
    if (symbol.length > 0) {
        rows->series = table_series(table, symbol, err);
        if (!rows->series)
            return table->no_memory ? fail(err, STATUS_MEMORY, "no memory for a symbol")
                                    : err->status;
    }
    return STATUS_OK;
}

/* ---- where both ways meet ------------------------------------------------------------------ */

static void note_style(struct rows *rows, enum moment_style style)
{
    if (!(rows->styles >> style & 1)) {
        rows->styles |= 1u << style;
        rows->style_line[style] = rows->line;
    }
}

static struct series *series_of_row(struct rows *rows, struct text symbol)
{
    struct error err;
    struct series *series = rows->series ? rows->series : table_series(rows->table, symbol, &err);

    if (!series && !rows->table->no_memory)
        table_reject(rows->table, rows->line, IMPORT_SYMBOL, "\"%.*s\" is no symbol",
                     (int)MIN(symbol.length, 80), symbol.at);
    return series;
}

static inline void judge(struct rows *rows, const struct row *row)
{
    struct series *series;

    rows->table->counts.rows++;
    if (__builtin_expect(!bar_is_sane(row->value), 0)) {
        table_reject_bar(rows->table, rows->line, row->value);
        return;
    }
    series = __builtin_expect(rows->series != NULL, 1) ? rows->series
                                                       : series_of_row(rows, row->symbol);
    if (!series)
        return;
    if (!(rows->styles >> row->style & 1))
        note_style(rows, row->style);
    if (__builtin_expect(!series_add(series, rows->line, row->time_ms, row->value), 0)) {
        rows->table->no_memory |= series->count < IMPORT_ROWS_MAX;
        rows->full |= series->count >= IMPORT_ROWS_MAX;
    }
}

/* ---- the slow way -------------------------------------------------------------------------- */

static const char *const price_names[BAR_COLUMNS] = {"open", "high", "low", "close", "volume"};

static bool is_nothing(struct text cell)
{
    return cell.length == 0 || text_is(cell, "\\N") || text_is(cell, "null") ||
           text_is(cell, "NULL") || text_is(cell, "None");
}

static struct text field_at(const struct rows *rows, const struct text *fields, enum field field)
{
    int column = rows->layout->column[field];

    return column < 0 ? (struct text){"", 0} : fields[column];
}

/* Prices and volume that are all empty: the day before a coin was listed, or a blank line of a
 * spreadsheet. */
static bool is_blank_row(const struct rows *rows, const struct text *fields, unsigned count)
{
    bool blank = true;

    for (int f = FIELD_OPEN; f <= FIELD_VOLUME && blank; f++) {
        int column = rows->layout->column[f];

        blank = column < 0 || ((unsigned)column < count && is_nothing(fields[column]));
    }
    return blank;
}

static bool is_wanted(const struct rows *rows, const struct text *fields)
{
    const struct layout *layout = rows->layout;

    for (unsigned i = 0; i < layout->where_count; i++)
        if (!text_equal(fields[layout->where[i].column], layout->where[i].value))
            return false;
    return true;
}

static bool read_time(struct rows *rows, const struct text *fields, struct row *row)
{
    struct text text = field_at(rows, fields, FIELD_TIME),
                clock = field_at(rows, fields, FIELD_CLOCK);
    struct table *table = rows->table;
    struct moment moment;
    bool ambiguous;
    int64_t clock_ms;

    if (!moment_parse(text, &rows->layout->rules, &moment, &ambiguous)) {
        table_reject(table, rows->line, IMPORT_TIME, "\"%.*s\" is no time%s",
                     (int)MIN(text.length, 80), text.at,
                     ambiguous ? " without --format dmy or mdy" : "");
        return false;
    }
    if (rows->layout->column[FIELD_CLOCK] >= 0) {
        if (!moment_clock_parse(clock, &clock_ms)) {
            table_reject(table, rows->line, IMPORT_TIME, "\"%.*s\" is no time of day",
                         (int)MIN(clock.length, 80), clock.at);
            return false;
        }
        moment.ms += clock_ms;
        moment.style = moment.style == STYLE_DAY || moment.style == STYLE_DIGITS ? STYLE_LOCAL
                                                                                 : moment.style;
    }
    row->style = moment.style;
    switch (moment_to_utc(&moment, rows->zone, rows->days, &row->time_ms)) {
    case ZONE_ONE:
        return true;
    case ZONE_NONE:
        table_reject(table, rows->line, IMPORT_ZONE_GAP, "%.*s is not on the clocks of %s",
                     (int)MIN(text.length, 80), text.at, rows->zone->name);
        return false;
    case ZONE_TWO:
        table_reject(table, rows->line, IMPORT_ZONE_TWICE, "%.*s is twice on the clocks of %s",
                     (int)MIN(text.length, 80), text.at, rows->zone->name);
        return false;
    }
    return false;
}

/* "1,234.50" without its commas, where they part thousands and cannot be anything else. */
static struct text without_thousands(struct text cell, char plain[NUMBER_TEXT_MAX])
{
    const char *point = memchr(cell.at, '.', cell.length);
    size_t length = 0, whole = point ? (size_t)(point - cell.at) : 0;

    if (!point || !memchr(cell.at, ',', whole) || cell.length > NUMBER_TEXT_MAX)
        return cell;
    for (size_t i = 0; i < cell.length; i++) {
        bool parts = i > 0 && i < whole && (whole - i) % 4 == 0;

        if ((cell.at[i] == ',') != parts)
            return cell;
        if (!parts)
            plain[length++] = cell.at[i];
    }
    return (struct text){plain, length};
}

/* "1.23M": volumes with a letter for thousands, millions, billions. */
static int volume_shift(struct text *cell)
{
    static const char letters[3] = {'K', 'M', 'B'};
    const char *letter = cell->length > 1 ? memchr(letters, cell->at[cell->length - 1], 3) : NULL;

    if (!letter)
        return 0;
    cell->length--;
    return 3 * (int)(letter - letters + 1);
}

/* Straight from the window where the number has the usual form, else in all its forms. */
static bool read_number(const struct layout *layout, struct text cell, enum bar_column column,
                        double *value)
{
    char plain[NUMBER_TEXT_MAX];
    const char *at = cell.at;
    int shift = column == BAR_VOLUME ? 0 : layout->price_shift;

    if (number_read(&at, layout->decimal, shift, value) && at == cell.at + cell.length)
        return true;
    if (layout->decimal == '.')
        cell = without_thousands(cell, plain);
    if (column == BAR_VOLUME)
        shift = volume_shift(&cell);
    return number_parse(cell, layout->decimal, shift, value) != NUMBER_NONE;
}

static bool read_numbers(struct rows *rows, const struct text *fields, struct row *row)
{
    const struct layout *layout = rows->layout;

    for (int c = 0; c < BAR_COLUMNS; c++) {
        int column = layout->column[FIELD_OPEN + c];
        struct text cell;

        row->value[c] = 0;
        if (column < 0)
            continue;
        cell = fields[column];
        if (!read_number(layout, cell, (enum bar_column)c, &row->value[c])) {
            if (is_nothing(cell))
                table_reject(rows->table, rows->line, IMPORT_NUMBER, "%s is empty", price_names[c]);
            else
                table_reject(rows->table, rows->line, IMPORT_NUMBER, "%s \"%.*s\" is no number",
                             price_names[c], (int)MIN(cell.length, 80), cell.at);
            return false;
        }
        if (c != BAR_VOLUME && layout->price_factor != 1)
            row->value[c] *= layout->price_factor;
    }
    return true;
}

/* As many fields as the layout says, or one more that is empty: a delimiter at the end. */
static bool fields_fit(const struct rows *rows, const struct text *fields, unsigned count)
{
    unsigned wanted = rows->layout->fields;

    return count == wanted || (count == wanted + 1 && fields[wanted].length == 0);
}

void rows_read_fields(struct rows *rows, const struct text *fields, unsigned count, bool open_quote)
{
    struct table *table = rows->table;
    struct row row = {.symbol = {"", 0}};
    struct text symbol;

    if (count <= 1 && (count == 0 || fields[0].length == 0)) {
        table->counts.blank++;
        return;
    }
    if (!fields_fit(rows, fields, count)) {
        table->counts.rows++;
        table_reject(table, rows->line, open_quote ? IMPORT_QUOTE : IMPORT_FIELD_COUNT,
                     "%u fields where %u are expected%s", count, rows->layout->fields,
                     open_quote ? ", behind a quote that is not closed" : "");
        return;
    }
    if (open_quote) {
        table->counts.rows++;
        table_reject(table, rows->line, IMPORT_QUOTE, "a quote is not closed");
        return;
    }
    if (!is_wanted(rows, fields)) {
        table->counts.left_out++;
        return;
    }
    if (is_blank_row(rows, fields, count)) {
        table->counts.blank++;
        return;
    }
    if (!read_time(rows, fields, &row) || !read_numbers(rows, fields, &row)) {
        table->counts.rows++;
        return;
    }
    symbol = field_at(rows, fields, FIELD_SYMBOL);
    row.symbol = symbol;
    judge(rows, &row);
}

static const char *read_line_slowly(struct rows *rows, const char *at, const char *end)
{
    struct text fields[IMPORT_COLUMNS_MAX + 1];
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    struct text line = {at, (size_t)((newline ? newline : end) - at)};
    bool open_quote;
    unsigned count;

    if (line.length > 0 && line.at[line.length - 1] == '\r')
        line.length--;
    count = layout_split(line, rows->layout->delimiter, fields, ARRAY_COUNT(fields), &open_quote);
    rows_read_fields(rows, fields, count, open_quote);
    return newline ? newline + 1 : end;
}

/* ---- the fast way -------------------------------------------------------------------------- */

/* The first delimiter, CR or line end from `at` on; there is a line end before the slack. */
static inline const char *field_end(const char *at, uint64_t delimiters)
{
    for (;; at += 8) {
        uint64_t eight = number_load(at);
        uint64_t a = eight ^ delimiters, b = eight ^ 0x0a0a0a0a0a0a0a0au,
                 c = eight ^ 0x0d0d0d0d0d0d0d0du;
        uint64_t found = (((a - 0x0101010101010101u) & ~a) | ((b - 0x0101010101010101u) & ~b) |
                          ((c - 0x0101010101010101u) & ~c)) &
                         0x8080808080808080u;

        if (found)
            return at + (__builtin_ctzll(found) >> 3);
    }
}

/* Thirteen digits: milliseconds of any time from 2001 on. */
static inline bool fast_milliseconds(const char **cursor, char delimiter, struct moment *moment)
{
    const char *at = *cursor;
    uint64_t number, part;

    if (number_digits(at, &number) != 8 || number_digits(at + 8, &part) != 5)
        return false;
    number = number * 100000 + part;
    if (number < UINT64_C(1000000000000) || number >= MOMENT_MS_END || at[13] != delimiter)
        return false;
    *moment = (struct moment){.ms = (int64_t)number, .universal = true, .style = STYLE_MS};
    *cursor = at + 13;
    return true;
}

/* YYYY-MM-DD, perhaps with HH:MM:SS, perhaps with Z. */
static inline bool fast_date(struct moment_cache *cache, const char **cursor, char delimiter,
                             struct moment *moment)
{
    const char *at = *cursor;
    int64_t day_ms, clock_ms;

    if (at[4] != '-' || !moment_day(at, cache, &day_ms))
        return false;
    if (at[10] == delimiter) {
        *moment = (struct moment){.ms = day_ms, .day_only = true, .style = STYLE_DAY};
        *cursor = at + 10;
        return true;
    }
    if ((at[10] != ' ' && at[10] != 'T') || !moment_clock(at + 11, &clock_ms))
        return false;
    *moment = (struct moment){.ms = day_ms + clock_ms, .style = STYLE_LOCAL};
    *cursor = at + 19;
    if (at[19] == delimiter)
        return true;
    moment->style = STYLE_ZONED;
    moment->zoned = true;
    *cursor = at + 20;
    return at[19] == 'Z' && at[20] == delimiter;
}

/* A time in the usual forms, or what the slow reader of times makes of the field. */
static inline bool fast_time(struct rows *rows, const char **cursor, uint64_t delimiters,
                             struct moment *moment)
{
    const char *at = *cursor, *stop;
    char delimiter = rows->layout->delimiter;
    bool ambiguous;

    if (rows->layout->rules.unit == UNIT_BY_SIZE && fast_milliseconds(cursor, delimiter, moment))
        return true;
    if (fast_date(&rows->cache, cursor, delimiter, moment))
        return true;
    stop = field_end(at, delimiters);
    *cursor = stop;
    return moment_parse((struct text){at, (size_t)(stop - at)}, &rows->layout->rules, moment,
                        &ambiguous);
}

static inline bool fast_clock(const char **cursor, uint64_t delimiters, struct moment *moment)
{
    const char *stop = field_end(*cursor, delimiters);
    int64_t ms;

    if (!(stop - *cursor == 8 && moment_clock(*cursor, &ms)) &&
        !moment_clock_parse((struct text){*cursor, (size_t)(stop - *cursor)}, &ms))
        return false;
    *cursor = stop;
    moment->ms += ms;
    moment->style = moment->style == STYLE_DAY || moment->style == STYLE_DIGITS ? STYLE_LOCAL
                                                                                : moment->style;
    return true;
}

static inline bool fast_skip(struct rows *rows, const char **cursor, uint64_t delimiters,
                             unsigned action, struct row *row)
{
    const char *at = *cursor, *stop;

    if (*at == '"')
        return false;
    stop = field_end(at, delimiters);
    *cursor = stop;
    if (action == ACTION_SKIP)
        return true;
    if (*at == ' ' || *at == '\t' || (stop > at && (stop[-1] == ' ' || stop[-1] == '\t')))
        return false;
    if (action == ACTION_SYMBOL)
        row->symbol = (struct text){at, (size_t)(stop - at)};
    else
        row->left_out |= !text_equal((struct text){at, (size_t)(stop - at)},
                                     rows->layout->where[action - ACTION_WHERE].value);
    return true;
}

/* A row in the usual form: the place behind it, NULL where it has another form. */
static inline const char *fast_row(struct rows *rows, const char *at, uint64_t delimiters,
                                   struct row *row)
{
    const struct layout *layout = rows->layout;
    struct moment moment = {0};

    for (unsigned column = 0; column < layout->fields; column++) {
        unsigned action = rows->action[column];

        switch (action) {
        case ACTION_TIME:
            if (!fast_time(rows, &at, delimiters, &moment))
                return NULL;
            break;
        case ACTION_CLOCK:
            if (!fast_clock(&at, delimiters, &moment))
                return NULL;
            break;
        case ACTION_PRICE + BAR_OPEN:
        case ACTION_PRICE + BAR_HIGH:
        case ACTION_PRICE + BAR_LOW:
        case ACTION_PRICE + BAR_CLOSE:
            if (!number_read(&at, layout->decimal, layout->price_shift,
                             &row->value[action - ACTION_PRICE]))
                return NULL;
            break;
        case ACTION_VOLUME:
            if (!number_read(&at, layout->decimal, 0, &row->value[BAR_VOLUME]))
                return NULL;
            break;
        default:
            if (!fast_skip(rows, &at, delimiters, action, row))
                return NULL;
        }
        if (column + 1 < layout->fields && *at++ != layout->delimiter)
            return NULL;
    }
    at += *at == '\r';
    if (*at++ != '\n')
        return NULL;
    row->style = moment.style;
    return moment_to_utc(&moment, rows->zone, rows->days, &row->time_ms) == ZONE_ONE ? at : NULL;
}

void rows_read_lines(struct rows *rows, const char *at, const char *end)
{
    uint64_t delimiters = UINT64_C(0x0101010101010101) * (unsigned char)rows->layout->delimiter;
    struct row row = {.symbol = {"", 0}};

    while (at < end) {
        const char *next;

        rows->line++;
        if (__builtin_expect(*at == '\n', 0)) {
            rows->table->counts.blank++;
            at++;
            continue;
        }
        row.left_out = false;
        next = rows->slow_only ? NULL : fast_row(rows, at, delimiters, &row);
        if (!next) {
            at = read_line_slowly(rows, at, end);
            continue;
        }
        at = next;
        if (__builtin_expect(row.left_out, 0))
            rows->table->counts.left_out++;
        else
            judge(rows, &row);
    }
}
