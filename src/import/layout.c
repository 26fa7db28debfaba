/* layout: recognises what a file's columns are.  Where two readings are possible it fails and names
 * the option that decides; it never takes the likelier one. */
#include "import/layout.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import/field.h"

enum {
    SAMPLE_ROWS = 64,
    PREAMBLE_LINES_MAX = 16, /* a URL, a title, notes */
    FIELDS_MIN = 5,          /* time, open, high, low, close */
    KLINE_FIELDS = 12
};

/* The first rows of a file, as fields. */
struct sample {
    struct text *fields; /* `width` places a row */
    unsigned counts[SAMPLE_ROWS];
    unsigned rows, width;
    struct text *names; /* of the columns; NULL without a header */
    unsigned name_count;
    unsigned preamble; /* lines in front of the table */
};

/* ---- fields of a line ---------------------------------------------------------------------- */

unsigned layout_split(struct text line, char delimiter, struct text *fields, unsigned most,
                      bool *open_quote)
{
    const char *at = line.at, *end = line.at + line.length;
    unsigned count = 0;

    *open_quote = false;
    for (;;) {
        struct text field;

        while (at < end && (*at == ' ' || (*at == '\t' && delimiter != '\t')))
            at++;
        if (at < end && *at == '"') {
            const char *begin = ++at;

            while (at < end && (*at != '"' || (at + 1 < end && at[1] == '"')))
                at += *at == '"' ? 2 : 1;
            *open_quote |= at >= end;
            field = (struct text){begin, (size_t)(at < end ? at - begin : end - begin)};
            at = at < end ? at + 1 : end;
            while (at < end && *at != delimiter)
                at++;
        } else {
            const char *stop = memchr(at, delimiter, (size_t)(end - at));

            stop = stop ? stop : end;
            field = (struct text){at, (size_t)(stop - at)};
            while (field.length > 0 &&
                   (field.at[field.length - 1] == ' ' || field.at[field.length - 1] == '\t'))
                field.length--;
            at = stop;
        }
        if (count < most)
            fields[count] = field;
        count++;
        if (at >= end)
            return count;
        at++;
    }
}

/* The next line of a text without its end; false behind the last. */
static bool next_line(struct text *rest, struct text *line)
{
    const char *newline;

    if (rest->length == 0)
        return false;
    newline = memchr(rest->at, '\n', rest->length);
    *line = (struct text){rest->at, newline ? (size_t)(newline - rest->at) : rest->length};
    rest->at += line->length + (newline != NULL);
    rest->length -= line->length + (newline != NULL);
    if (line->length > 0 && line->at[line->length - 1] == '\r')
        line->length--;
    return true;
}

static bool is_blank_line(struct text line)
{
    return text_trim(line).length == 0;
}

/* ---- delimiter and where the table begins -------------------------------------------------- */

/* The number of fields, of a table, that most of the first lines have; 0 where not even a third has
 * one. */
static unsigned usual_fields(struct text head, char delimiter)
{
    unsigned counts[SAMPLE_ROWS], lines = 0, best = 0, best_votes = 0;
    struct text line, none[1];
    bool open_quote;

    while (lines < SAMPLE_ROWS && next_line(&head, &line))
        if (!is_blank_line(line))
            counts[lines++] = layout_split(line, delimiter, none, 0, &open_quote);
    for (unsigned i = 0; i < lines; i++) {
        unsigned votes = 0;

        for (unsigned j = 0; j < lines; j++)
            votes += counts[j] == counts[i];
        if (votes > best_votes && counts[i] >= FIELDS_MIN) {
            best_votes = votes;
            best = counts[i];
        }
    }
    return best_votes * 3 >= lines ? best : 0;
}

/* A comma is looked for last: the others may have it as the decimal sign. */
static enum status find_delimiter(struct layout *layout, struct text head, struct error *err)
{
    static const char candidates[] = "\t;|,";

    for (const char *c = candidates; *c; c++) {
        unsigned fields = usual_fields(head, *c);

        if (fields > IMPORT_COLUMNS_MAX)
            return fail(err, STATUS_LIMIT, "%u columns, and at most %d are read", fields,
                        IMPORT_COLUMNS_MAX);
        if (fields >= FIELDS_MIN) {
            layout->delimiter = *c;
            layout->fields = fields;
            return STATUS_OK;
        }
    }
    return fail(err, STATUS_CORRUPT,
                "no table of bars: most lines have fewer than five fields (time, open, high, low, "
                "close), whether they are parted by commas, semicolons, tabs or |");
}

static bool is_number(struct text cell, char decimal)
{
    double number;

    return cell.length > 0 && number_parse(cell, decimal, 0, &number) != NUMBER_NONE;
}

static bool is_time(struct text cell, const struct moment_rules *rules)
{
    struct moment moment;
    bool ambiguous;

    return cell.length > 0 && (moment_parse(cell, rules, &moment, &ambiguous) || ambiguous);
}

static bool is_clock(struct text cell)
{
    int64_t ms;

    return cell.length > 0 && memchr(cell.at, ':', cell.length) && moment_clock_parse(cell, &ms);
}

static bool is_header(const struct text *fields, unsigned count, const struct layout *layout)
{
    unsigned names = 0;

    for (unsigned i = 0; i < count; i++) {
        if (fields[i].length == 0)
            continue;
        if (is_number(fields[i], layout->decimal) || is_number(fields[i], ',') ||
            is_time(fields[i], &layout->rules))
            return false;
        names++;
    }
    return names >= FIELDS_MIN - 1;
}

/* yfinance writes two more lines below its header: "Ticker,AAPL,AAPL,…" and "Date,,,…", the name of
 * the first column. */
static bool is_more_header(struct sample *sample, const struct text *fields, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        if (fields[i].length > 0 && !text_is(fields[0], "Ticker"))
            return false;
    if (text_is(fields[0], "Date") || text_is(fields[0], "Datetime")) {
        sample->names[0] = fields[0];
        return true;
    }
    return text_is(fields[0], "Ticker");
}

/* Reads what stands before the rows, and the first rows. */
static enum status take_sample(struct layout *layout, struct sample *sample, struct text head,
                               struct error *err)
{
    struct text rest = head, line;
    uint32_t lines = 0;
    bool open_quote;

    sample->width = layout->fields + 1;
    while (sample->rows < SAMPLE_ROWS && next_line(&rest, &line)) {
        struct text *fields = sample->fields + (size_t)sample->rows * sample->width;
        unsigned count = layout_split(line, layout->delimiter, fields, sample->width, &open_quote);
        bool first = sample->rows == 0 && !layout->header;

        lines++;
        if (is_blank_line(line))
            continue;
        if (first && (count + 1 < layout->fields || count > layout->fields + 1)) {
            if (++sample->preamble > PREAMBLE_LINES_MAX)
                return fail(err, STATUS_CORRUPT,
                            "no table of bars: more than %d lines in front of it",
                            PREAMBLE_LINES_MAX);
        } else if (first && count <= sample->width && is_header(fields, count, layout)) {
            layout->header = true;
            memcpy(sample->names, fields, count * sizeof *fields);
            sample->name_count = count;
        } else if (sample->rows > 0 || !layout->header || count > sample->name_count ||
                   !is_more_header(sample, fields, count)) {
            sample->counts[sample->rows++] = MIN(count, sample->width);
            continue;
        }
        layout->data_at = (size_t)(rest.at - head.at);
        layout->data_line = lines;
    }
    return STATUS_OK;
}

/* ---- content of columns -------------------------------------------------------------------- */

static struct text cell_of(const struct sample *sample, unsigned row, int column)
{
    if ((unsigned)column >= sample->counts[row])
        return (struct text){"", 0};
    return sample->fields[(size_t)row * sample->width + (unsigned)column];
}

enum content { CONTENT_EMPTY, CONTENT_TIME, CONTENT_CLOCK, CONTENT_NUMBER, CONTENT_TEXT };

/* What a column's cells are; times and clocks where at least one is and the others are blank or
 * wrong in a minority. */
static enum content content_of(const struct sample *sample, const struct layout *layout, int column)
{
    unsigned times = 0, clocks = 0, numbers = 0, filled = 0;

    for (unsigned row = 0; row < sample->rows; row++) {
        struct text cell = cell_of(sample, row, column);

        if (cell.length == 0 || text_is(cell, "\\N") || text_is(cell, "null") ||
            text_is(cell, "NULL"))
            continue;
        filled++;
        if (is_time(cell, &layout->rules))
            times++;
        else if (is_clock(cell))
            clocks++;
        if (is_number(cell, layout->decimal))
            numbers++;
    }
    if (filled == 0)
        return CONTENT_EMPTY;
    if (times * 2 >= filled)
        return CONTENT_TIME;
    if (clocks * 2 >= filled)
        return CONTENT_CLOCK;
    return numbers * 2 >= filled ? CONTENT_NUMBER : CONTENT_TEXT;
}

/* For a column that is called so, one is enough: the others are rows to reject. */
static bool has_time(const struct sample *sample, const struct layout *layout, int column)
{
    bool any = false;

    for (unsigned row = 0; row < sample->rows && !any; row++)
        any = is_time(cell_of(sample, row, column), &layout->rules);
    return any;
}

/* For a column that is called time: 093000 too. */
static bool has_clock(const struct sample *sample, int column)
{
    unsigned clocks = 0, filled = 0;

    for (unsigned row = 0; row < sample->rows; row++) {
        struct text cell = cell_of(sample, row, column);
        int64_t ms;

        filled += cell.length > 0;
        clocks += cell.length > 0 && moment_clock_parse(cell, &ms);
    }
    return clocks > 0 && clocks * 2 >= filled;
}

/* Whether a time of day can be added to what stands in a column: dates, or midnights. */
static bool has_dates_alone(const struct sample *sample, const struct layout *layout, int column)
{
    for (unsigned row = 0; row < sample->rows; row++) {
        struct moment moment;
        bool ambiguous;

        if (moment_parse(cell_of(sample, row, column), &layout->rules, &moment, &ambiguous) &&
            (moment.universal || moment.ms % DAY_MS != 0))
            return false;
    }
    return true;
}

/* Decimal commas: cells with one comma, digits around it, and no point. */
static enum status find_decimal(struct layout *layout, const struct layout_wish *wish,
                                const struct sample *sample, struct error *err)
{
    unsigned points = 0, commas = 0, sure = 0;
    struct text example = {"", 0};

    layout->decimal = wish->decimal_comma ? ',' : '.';
    if (layout->delimiter == ',' || wish->decimal_comma)
        return STATUS_OK;
    for (unsigned row = 0; row < sample->rows; row++)
        for (unsigned column = 0; column < sample->counts[row]; column++) {
            struct text cell = cell_of(sample, row, (int)column);
            const char *comma = memchr(cell.at, ',', cell.length);

            points += !comma && memchr(cell.at, '.', cell.length) && is_number(cell, '.');
            if (comma && is_number(cell, ',')) {
                commas++;
                sure += cell.at + cell.length - comma != 4 || *cell.at == '0';
                example = cell;
            }
        }
    if (commas == 0 || points > 0)
        return STATUS_OK;
    if (sure == 0)
        return fail(
            err, STATUS_USAGE,
            "is `%.*s` with a decimal comma or thousands? Say --format comma, or write it without "
            "the comma",
            TEXT_ARG(example));
    layout->decimal = ',';
    return STATUS_OK;
}

/* ---- names to columns ---------------------------------------------------------------------- */

static struct text name_of(const struct sample *sample, int column)
{
    if (!sample->names || column < 0 || (unsigned)column >= sample->name_count)
        return (struct text){"", 0};
    return sample->names[column];
}

static void list_names(const struct sample *sample, char text[512])
{
    size_t length = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < sample->name_count && length < 480; i++)
        length += (size_t)snprintf(text + length, 512 - length, "%s%.*s", i ? ", " : "",
                                   (int)MIN(sample->names[i].length, 40), sample->names[i].at);
}

/* The column of a name that the user gave: as it stands, then without regard to case, then by its
 * letters. */
static enum status find_named(const struct sample *sample, unsigned fields, struct text name,
                              unsigned number, const char *option, int *column, struct error *err)
{
    char wanted[LAYOUT_NAME_MAX], plain[LAYOUT_NAME_MAX], names[512];

    *column = (int)number - 1;
    if (number > fields)
        return fail(err, STATUS_USAGE, "%s: there is no column %u, rows have %u fields", option,
                    number, fields);
    if (number > 0)
        return STATUS_OK;
    if (!sample->names)
        return fail(err, STATUS_USAGE,
                    "%s: there is no header with a name `%.*s`; say the number of the column",
                    option, TEXT_ARG(name));
    for (unsigned i = 0; i < sample->name_count; i++)
        if (text_equal(sample->names[i], name)) {
            *column = (int)i;
            return STATUS_OK;
        }
    field_plain_name(name, wanted);
    for (unsigned i = 0; i < sample->name_count; i++) {
        field_plain_name(sample->names[i], plain);
        if (*wanted && strcmp(plain, wanted) == 0) {
            *column = (int)i;
            return STATUS_OK;
        }
    }
    list_names(sample, names);
    return fail(err, STATUS_USAGE, "%s: no column `%.*s`; there are %s", option, TEXT_ARG(name),
                names);
}

static enum status columns_of_wish(struct layout *layout, const struct layout_wish *wish,
                                   const struct sample *sample, struct error *err)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        if (wish->column[f].name.length > 0)
            TRY(find_named(sample, layout->fields, wish->column[f].name, wish->column[f].number,
                           "--column", &layout->column[f], err));
    for (unsigned i = 0; i < wish->where_count; i++) {
        TRY(find_named(sample, layout->fields, wish->where[i].name, wish->where[i].number,
                       "--where", &layout->where[i].column, err));
        layout->where[i].value = wish->where[i].value;
    }
    layout->where_count = wish->where_count;
    return STATUS_OK;
}

/* "Volume BTC" of BTCUSDT is the volume in the coin itself. */
static bool is_base_volume(const struct layout *layout, const struct sample *sample,
                           const char *unit)
{
    struct text symbol = {"", 0};

    if (layout->column[FIELD_SYMBOL] >= 0 && sample->rows > 0)
        symbol = cell_of(sample, 0, layout->column[FIELD_SYMBOL]);
    return *unit && symbol.length > strlen(unit) && strncasecmp(symbol.at, unit, strlen(unit)) == 0;
}

/* A volume that is 0 in every row is one that the venue does not have (MetaTrader's <VOL>). */
static bool is_all_zero(const struct layout *layout, const struct sample *sample, int column)
{
    double number;

    for (unsigned row = 0; row < sample->rows; row++)
        if (number_parse(cell_of(sample, row, column), layout->decimal, 0, &number) ==
                NUMBER_READ &&
            number != 0)
            return false;
    return true;
}

enum { RANK_LAST = 1000 };

/* The best column for a field by its name and content; `*tied` where another is as good. */
static int column_by_name(const struct layout *layout, const struct sample *sample,
                          enum field field, int *tied)
{
    unsigned best = 0;
    int column = -1;

    *tied = -1;
    for (unsigned i = 0; i < sample->name_count && i < layout->fields; i++) {
        char plain[LAYOUT_NAME_MAX];
        unsigned rank;

        field_plain_name(sample->names[i], plain);
        rank = field_rank(field, plain);
        if (rank > 0 && field == FIELD_VOLUME && is_all_zero(layout, sample, (int)i))
            rank += RANK_LAST;
        if (rank == 0 || (column >= 0 && rank > best))
            continue;
        if ((field == FIELD_TIME && !has_time(sample, layout, (int)i)) ||
            (field == FIELD_CLOCK && !has_clock(sample, (int)i)))
            continue;
        if (column >= 0 && rank == best) {
            *tied = (int)i;
            if (field != FIELD_VOLUME || !is_base_volume(layout, sample, field_volume_unit(plain)))
                continue;
            *tied = column;
        } else {
            *tied = -1;
        }
        column = (int)i;
        best = rank;
    }
    return column;
}

/* pandas and R leave the name of the first column out where it is the index. */
static bool is_nameless(struct text name)
{
    return name.length == 0 || text_is(name, "Unnamed: 0");
}

static enum status find_time(struct layout *layout, const struct sample *sample, struct error *err)
{
    char names[512];
    int tied;

    if (layout->column[FIELD_TIME] < 0)
        layout->column[FIELD_TIME] = column_by_name(layout, sample, FIELD_TIME, &tied);
    if (layout->column[FIELD_TIME] < 0 && sample->name_count > 0 && is_nameless(sample->names[0]) &&
        content_of(sample, layout, 0) == CONTENT_TIME)
        layout->column[FIELD_TIME] = 0;
    if (layout->column[FIELD_TIME] >= 0)
        return STATUS_OK;
    for (unsigned i = 0; i < sample->name_count; i++) {
        char plain[LAYOUT_NAME_MAX];

        field_plain_name(sample->names[i], plain);
        if (field_rank(FIELD_TIME, plain) && cell_of(sample, 0, (int)i).length > 0)
            return fail(
                err, STATUS_CORRUPT,
                "column `%.*s`: \"%.*s\" is no time that is read (2020-01-31, with 15:04:05, a "
                "zone, or since 1970 in s, ms, us, ns)",
                TEXT_ARG(sample->names[i]), (int)MIN(cell_of(sample, 0, (int)i).length, 40),
                cell_of(sample, 0, (int)i).at);
    }
    list_names(sample, names);
    return fail(err, STATUS_USAGE, "no column is the time: there are %s; say --column time=NAME",
                names);
}

static enum status columns_of_header(struct layout *layout, const struct layout_wish *wish,
                                     const struct sample *sample, struct error *err)
{
    const char *const *fields = import_field_names();
    char names[512];
    int tied;

    TRY(find_time(layout, sample, err));
    if (!wish->symbol_elsewhere && layout->column[FIELD_SYMBOL] < 0)
        layout->column[FIELD_SYMBOL] = column_by_name(layout, sample, FIELD_SYMBOL, &tied);
    for (enum field f = FIELD_CLOCK; f <= FIELD_VOLUME; f++) {
        if (layout->column[f] >= 0)
            continue;
        layout->column[f] = column_by_name(layout, sample, f, &tied);
        if (f == FIELD_CLOCK && (layout->column[f] == layout->column[FIELD_TIME] ||
                                 !has_dates_alone(sample, layout, layout->column[FIELD_TIME])))
            layout->column[f] = -1;
        if (tied >= 0 && f >= FIELD_OPEN && f <= FIELD_CLOSE)
            return fail(err, STATUS_USAGE,
                        "columns %d and %d are both named `%.*s`: say --column %s=NUMBER",
                        MIN(tied, layout->column[f]) + 1, MAX(tied, layout->column[f]) + 1,
                        TEXT_ARG(name_of(sample, layout->column[f])), fields[f]);
        if (layout->column[f] < 0 && f >= FIELD_OPEN && f <= FIELD_CLOSE) {
            list_names(sample, names);
            return fail(err, STATUS_USAGE,
                        "no column is the %s: there are %s; say --column %s=NAME", fields[f], names,
                        fields[f]);
        }
    }
    return STATUS_OK;
}

/* ---- without names ------------------------------------------------------------------------- */

/* Whether columns from `open` on are open, high, low, close: so in three rows of four that say
 * anything (bars that stand still fit every order). */
static bool is_ohlc(const struct sample *sample, const struct layout *layout, int open)
{
    unsigned fits = 0, moving = 0, filled = 0;

    for (unsigned row = 0; row < sample->rows; row++) {
        double price[4];
        int c = 0;

        while (c < 4 && number_parse(cell_of(sample, row, open + c), layout->decimal, 0,
                                     &price[c]) == NUMBER_READ)
            c++;
        if (c < 4)
            continue;
        filled++;
        if (price[0] == price[1] && price[0] == price[2] && price[0] == price[3])
            continue;
        moving++;
        fits += price[1] >= price[0] && price[1] >= price[3] && price[2] <= price[0] &&
                price[2] <= price[3];
    }
    return filled > 0 && fits * 4 >= moving * 3;
}

static enum status refuse_nameless(struct error *err)
{
    return fail(
        err, STATUS_USAGE,
        "no header, and the columns are not time, open, high, low, close: say which are, by "
        "their numbers: --column time=1 --column open=2 --column high=3 --column low=4 --column "
        "close=5 "
        "--column volume=6");
}

static enum status columns_by_content(struct layout *layout, const struct layout_wish *wish,
                                      const struct sample *sample, struct error *err)
{
    int time = layout->column[FIELD_TIME], open = -1, texts = 0, symbol = -1;
    unsigned f;

    for (f = 0; f < layout->fields && time < 0; f++)
        if (content_of(sample, layout, (int)f) == CONTENT_TIME)
            time = (int)f;
    if (time < 0)
        return refuse_nameless(err);
    layout->column[FIELD_TIME] = time;
    if (layout->column[FIELD_CLOCK] < 0 && content_of(sample, layout, time + 1) == CONTENT_CLOCK)
        layout->column[FIELD_CLOCK] = time + 1;
    for (f = 0; f < layout->fields; f++)
        if (content_of(sample, layout, (int)f) == CONTENT_TEXT) {
            texts++;
            symbol = (int)f;
        }
    if (layout->column[FIELD_SYMBOL] < 0 && !wish->symbol_elsewhere && texts == 1)
        layout->column[FIELD_SYMBOL] = symbol;
    if (layout->column[FIELD_OPEN] >= 0 && layout->column[FIELD_HIGH] >= 0 &&
        layout->column[FIELD_LOW] >= 0 && layout->column[FIELD_CLOSE] >= 0)
        return STATUS_OK;
    for (f = (unsigned)time + 1; f + 3 < layout->fields && open < 0; f++)
        if (content_of(sample, layout, (int)f) == CONTENT_NUMBER)
            open = (int)f;
    if (open < 0 || !is_ohlc(sample, layout, open))
        return refuse_nameless(err);
    for (int c = 0; c < 4; c++)
        if (layout->column[FIELD_OPEN + c] < 0)
            layout->column[FIELD_OPEN + c] = open + c;
    if (layout->column[FIELD_VOLUME] < 0 && (unsigned)open + 4 < layout->fields &&
        content_of(sample, layout, open + 4) != CONTENT_TEXT &&
        content_of(sample, layout, open + 4) != CONTENT_CLOCK)
        layout->column[FIELD_VOLUME] = open + 4;
    return STATUS_OK;
}

static enum status columns_of_klines(struct layout *layout, struct error *err)
{
    if (layout->fields < 6)
        return fail(err, STATUS_USAGE, "--format klines: rows have %u fields, and klines twelve",
                    layout->fields);
    layout->column[FIELD_TIME] = 0;
    for (int f = FIELD_OPEN; f <= FIELD_VOLUME; f++)
        layout->column[f] = f - FIELD_OPEN + 1;
    return STATUS_OK;
}

/* ---- more fields than names ---------------------------------------------------------------- */

/* Puts a nameless column in front of column `at`. */
static void insert_name(struct sample *sample, unsigned at)
{
    memmove(sample->names + at + 1, sample->names + at,
            (sample->name_count - at) * sizeof *sample->names);
    sample->names[at] = (struct text){"", 0};
    sample->name_count++;
}

static bool all_empty(const struct sample *sample, int column)
{
    for (unsigned row = 0; row < sample->rows; row++)
        if (cell_of(sample, row, column).length > 0)
            return false;
    return true;
}

static enum status fit_names(struct layout *layout, struct sample *sample, struct buffer *notes,
                             struct error *err)
{
    unsigned fields = layout->fields, names = sample->name_count;

    ASSERT(sample->names != NULL);
    if (names == fields)
        return STATUS_OK;
    if (names + 1 == fields && all_empty(sample, (int)names)) {
        buffer_add_text(notes, "; a delimiter behind the last field");
        insert_name(sample, names);
        return STATUS_OK;
    }
    if (names + 1 == fields && content_of(sample, layout, 0) == CONTENT_TIME &&
        content_of(sample, layout, 1) == CONTENT_CLOCK) {
        buffer_add_text(notes, "; the header has no name for the time of day in column 2");
        insert_name(sample, 1);
        layout->column[FIELD_CLOCK] = 1;
        return STATUS_OK;
    }
    if (names + 1 == fields && content_of(sample, layout, 0) == CONTENT_TIME) {
        buffer_add_text(notes, "; the header has no name for column 1");
        insert_name(sample, 0);
        return STATUS_OK;
    }
    if (names == fields + 1 && sample->names[names - 1].length == 0) {
        buffer_add_text(notes, "; a delimiter behind the last name");
        sample->name_count--;
        return STATUS_OK;
    }
    return fail(err, STATUS_CORRUPT, "the header has %u names and rows have %u fields", names,
                fields);
}

/* ---- day and month ------------------------------------------------------------------------- */

static bool has_ordered_dates(const struct sample *sample, int column)
{
    bool any = false, is_ordered;

    for (unsigned row = 0; row < sample->rows && !any; row++) {
        moment_order_of(cell_of(sample, row, column), &is_ordered);
        any = is_ordered;
    }
    return any;
}

/* The first rows seldom prove it, so the whole head is looked at. */
static enum status find_order(struct layout *layout, const struct sample *sample, struct text head,
                              struct buffer *notes, struct error *err)
{
    struct text fields[IMPORT_COLUMNS_MAX], line, example = {"", 0};
    struct text rest = {head.at + layout->data_at, head.length - layout->data_at};
    unsigned seen[3] = {0}, time = (unsigned)layout->column[FIELD_TIME];
    bool open_quote, is_ordered;

    if (layout->rules.order != ORDER_UNKNOWN ||
        !has_ordered_dates(sample, layout->column[FIELD_TIME]))
        return STATUS_OK;
    while (next_line(&rest, &line))
        if (layout_split(line, layout->delimiter, fields, IMPORT_COLUMNS_MAX, &open_quote) > time) {
            enum moment_order order = moment_order_of(fields[time], &is_ordered);

            if (is_ordered) {
                seen[order]++;
                example = example.length ? example : fields[time];
            }
        }
    if ((seen[ORDER_DAY_FIRST] > 0) == (seen[ORDER_MONTH_FIRST] > 0))
        return fail(err, STATUS_USAGE,
                    "does \"%.*s\" begin with the day or with the month%s? Say --format dmy or "
                    "--format mdy",
                    TEXT_ARG(example),
                    seen[ORDER_DAY_FIRST] ? " (the file has dates that prove both)" : "");
    layout->rules.order = seen[ORDER_DAY_FIRST] ? ORDER_DAY_FIRST : ORDER_MONTH_FIRST;
    buffer_addf(notes, "; dates with the %s first, as its rows prove",
                layout->rules.order == ORDER_DAY_FIRST ? "day" : "month");
    return STATUS_OK;
}

/* ---- the sentence -------------------------------------------------------------------------- */

static void describe_columns(const struct layout *layout, const struct sample *sample,
                             struct buffer *text)
{
    const char *const *fields = import_field_names();
    const char *separator = " ";

    for (int f = 0; f < FIELD_COUNT; f++) {
        struct text name = name_of(sample, layout->column[f]);
        char plain[LAYOUT_NAME_MAX];

        if (layout->column[f] < 0)
            continue;
        field_plain_name(name, plain);
        if (name.length == 0)
            buffer_addf(text, "%s%s=%d", separator, fields[f], layout->column[f] + 1);
        else if (f == FIELD_VOLUME && is_base_volume(layout, sample, field_volume_unit(plain)))
            buffer_addf(text, "%s%s=\"Volume COIN\"", separator,
                        fields[f]); /* one sentence for all coins */
        else
            buffer_addf(text, "%s%s=%.*s", separator, fields[f], (int)MIN(name.length, 40),
                        name.at);
        separator = ", ";
    }
}

/* Columns that somebody might have meant. */
static void describe_unused(const struct layout *layout, const struct sample *sample,
                            struct buffer *text)
{
    bool any = false;

    for (unsigned i = 0; i < sample->name_count; i++) {
        char plain[LAYOUT_NAME_MAX];
        bool used = false;

        for (int f = 0; f < FIELD_COUNT; f++)
            used |= layout->column[f] == (int)i;
        field_plain_name(sample->names[i], plain);
        if (used || (strcmp(plain, "adjclose") != 0 && strcmp(plain, "adjustedclose") != 0 &&
                     field_rank(FIELD_VOLUME, plain) == 0 && strcmp(plain, "turnover") != 0 &&
                     strcmp(plain, "quotevolume") != 0 && field_rank(FIELD_CLOSE, plain) == 0))
            continue;
        buffer_addf(text, "%s%.*s", any ? ", " : "; not used: ", TEXT_ARG(sample->names[i]));
        any = true;
    }
    if (layout->column[FIELD_VOLUME] < 0)
        buffer_add_text(text, "; no column of volume: it is 0");
}

static enum status describe(struct layout *layout, const struct layout_wish *wish,
                            const struct sample *sample, struct buffer *notes, struct error *err)
{
    const char *delimiter = layout->delimiter == '\t'  ? "tab"
                            : layout->delimiter == ';' ? "semicolon"
                            : layout->delimiter == '|' ? "|"
                                                       : "comma";
    struct buffer text = {0};

    if (layout->json)
        buffer_add_text(&text, "JSON, a list of lists;");
    else if (layout->header)
        buffer_addf(&text, "%s, header in line %u;", delimiter, (unsigned)layout->data_line);
    else
        buffer_addf(&text, "%s, no header;", delimiter);
    describe_columns(layout, sample, &text);
    describe_unused(layout, sample, &text);
    if (layout->decimal == ',')
        buffer_add_text(&text, "; decimal comma");
    if (wish->price_shift || wish->price_factor != 1) {
        buffer_add_text(&text, "; prices times ");
        buffer_add_double(&text, wish->price_factor * (wish->price_shift < 0
                                                           ? 1 / number_power10[-wish->price_shift]
                                                           : number_power10[wish->price_shift]));
    }
    if (notes->length)
        buffer_add(&text, notes->at, notes->length);
    snprintf(layout->text, sizeof layout->text, "%s", buffer_text(&text));
    buffer_deinit(&text);
    return text.failed || notes->failed ? fail(err, STATUS_MEMORY, "no memory for the description")
                                        : STATUS_OK;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void layout_init(struct layout *layout, const struct layout_wish *wish)
{
    *layout = (struct layout){.decimal = '.',
                              .rules = wish->rules,
                              .price_shift = wish->price_shift,
                              .price_factor = wish->price_factor};
    for (int f = 0; f < FIELD_COUNT; f++)
        layout->column[f] = -1;
}

static bool is_klines(const struct layout *layout, const struct sample *sample)
{
    return layout->fields == KLINE_FIELDS && content_of(sample, layout, 0) == CONTENT_TIME &&
           content_of(sample, layout, 6) == CONTENT_TIME && is_ohlc(sample, layout, 1);
}

static enum status find_columns(struct layout *layout, const struct layout_wish *wish,
                                struct sample *sample, struct buffer *notes, struct error *err)
{
    TRY(find_decimal(layout, wish, sample, err));
    if (layout->header)
        TRY(fit_names(layout, sample, notes, err));
    TRY(columns_of_wish(layout, wish, sample, err));
    if (wish->klines || (!layout->header && is_klines(layout, sample))) {
        buffer_add_text(notes, "; klines as Binance writes them");
        return columns_of_klines(layout, err);
    }
    return layout->header ? columns_of_header(layout, wish, sample, err)
                          : columns_by_content(layout, wish, sample, err);
}

static enum status recognise_csv(struct layout *layout, const struct layout_wish *wish,
                                 struct sample *sample, struct text head, struct buffer *notes,
                                 struct error *err)
{
    TRY(take_sample(layout, sample, head, err));
    if (!layout->header)
        sample->names = NULL;
    if (sample->rows == 0)
        return STATUS_OK;
    if (sample->preamble > 0)
        buffer_addf(notes, "; %u line%s in front of it left out", sample->preamble,
                    sample->preamble == 1 ? "" : "s");
    TRY(find_columns(layout, wish, sample, notes, err));
    TRY(find_order(layout, sample, head, notes, err));
    return describe(layout, wish, sample, notes, err);
}

enum status layout_of_csv(struct layout *layout, const struct layout_wish *wish, struct text head,
                          struct error *err)
{
    struct sample sample = {0};
    struct buffer notes = {0};
    struct text *names;
    enum status status;

    layout_init(layout, wish);
    TRY(find_delimiter(layout, head, err));
    sample.fields = mem_alloc((size_t)(SAMPLE_ROWS + 1) * (layout->fields + 1) *
                              sizeof *sample.fields);
    names = mem_alloc((layout->fields + 2) * sizeof *names);
    sample.names = names;
    if (sample.fields && names)
        status = recognise_csv(layout, wish, &sample, head, &notes, err);
    else
        status = fail(err, STATUS_MEMORY, "no memory for the first rows");
    mem_free(sample.fields);
    mem_free(names);
    buffer_deinit(&notes);
    return status;
}

enum status layout_of_json(struct layout *layout, const struct layout_wish *wish,
                           const struct text *fields, const unsigned *counts, unsigned rows,
                           struct error *err)
{
    struct sample sample = {.rows = MIN(rows, SAMPLE_ROWS)};
    struct buffer notes = {0};
    enum status status;

    layout_init(layout, wish);
    layout->json = true;
    for (unsigned row = 0; row < sample.rows; row++)
        sample.width = MAX(sample.width, counts[row]);
    sample.fields = mem_zero((size_t)sample.rows * sample.width, sizeof *sample.fields);
    if (!sample.fields)
        return fail(err, STATUS_MEMORY, "no memory for the first rows");
    for (unsigned row = 0; row < sample.rows; row++) {
        memcpy(sample.fields + (size_t)row * sample.width, fields, counts[row] * sizeof *fields);
        sample.counts[row] = counts[row];
        fields += counts[row];
    }
    layout->fields = counts[0];
    layout->delimiter = ','; /* numbers of JSON have a point */
    status = find_columns(layout, wish, &sample, &notes, err);
    if (status == STATUS_OK)
        status = describe(layout, wish, &sample, &notes, err);
    mem_free(sample.fields);
    buffer_deinit(&notes);
    return status;
}
