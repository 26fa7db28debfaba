/* wish: what the user said on --format, --column, --where, --scale, read once. */
#include "import/layout.h"

#include <string.h>

static enum status format_word(struct layout_wish *wish, struct text word, struct error *err)
{
    static const struct {
        const char *word;
        enum moment_unit unit;
        enum moment_order order;
    } words[] = {
        {"s", UNIT_S, ORDER_UNKNOWN},           {"ms", UNIT_MS, ORDER_UNKNOWN},
        {"us", UNIT_US, ORDER_UNKNOWN},         {"ns", UNIT_NS, ORDER_UNKNOWN},
        {"dmy", UNIT_BY_SIZE, ORDER_DAY_FIRST}, {"mdy", UNIT_BY_SIZE, ORDER_MONTH_FIRST},
    };

    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (text_is(word, words[i].word)) {
            if (words[i].unit != UNIT_BY_SIZE)
                wish->rules.unit = words[i].unit;
            else
                wish->rules.order = words[i].order;
            return STATUS_OK;
        }
    if (text_is(word, "csv"))
        wish->csv = true;
    else if (text_is(word, "json"))
        wish->json = true;
    else if (text_is(word, "klines"))
        wish->klines = true;
    else if (text_is(word, "comma"))
        wish->decimal_comma = true;
    else
        return fail(
            err, STATUS_USAGE,
            "--format: unknown word `%.*s`: there are csv json klines, dmy mdy, s ms us ns, "
            "comma",
            TEXT_ARG(word));
    return STATUS_OK;
}

static enum status read_format(struct layout_wish *wish, const char *format, struct error *err)
{
    struct text rest = text_of(format);

    while (rest.length > 0) {
        const char *comma = memchr(rest.at, ',', rest.length);
        struct text word = {rest.at, comma ? (size_t)(comma - rest.at) : rest.length};

        TRY(format_word(wish, text_trim(word), err));
        rest.at += word.length + (comma != NULL);
        rest.length -= word.length + (comma != NULL);
    }
    if ((wish->csv || wish->klines) && wish->json)
        return fail(err, STATUS_USAGE, "--format %s: a file is either CSV or JSON", format);
    return STATUS_OK;
}

/* "FIELD=NAME": the parts around the first `=`. */
static bool split_at_equals(const char *given, struct text *before, struct text *after)
{
    const char *equals = strchr(given, '=');

    if (!equals || equals == given || !equals[1])
        return false;
    *before = text_trim((struct text){given, (size_t)(equals - given)});
    *after = text_trim(text_of(equals + 1));
    return before->length > 0 && after->length > 0;
}

static enum status column_number(struct text name, const char *option, unsigned *number,
                                 struct error *err)
{
    int64_t value;

    *number = 0;
    if (!text_to_int64(name, &value))
        return STATUS_OK;
    if (value < 1 || value > IMPORT_COLUMNS_MAX)
        return fail(err, STATUS_USAGE, "%s: columns are counted from 1 to %d, not %.*s", option,
                    IMPORT_COLUMNS_MAX, TEXT_ARG(name));
    *number = (unsigned)value;
    return STATUS_OK;
}

static enum status read_column(struct layout_wish *wish, const char *given, struct error *err)
{
    const char *const *names = import_field_names();
    const char *nearest;
    struct text field, name;

    if (!split_at_equals(given, &field, &name))
        return fail(
            err, STATUS_USAGE,
            "--column %s: expected FIELD=NAME or FIELD=NUMBER, such as volume=\"Volume USDT\" "
            "or time=1",
            given);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (text_is(field, names[f])) {
            wish->column[f].name = name;
            return column_number(name, "--column", &wish->column[f].number, err);
        }
    nearest = text_nearest(field, names, FIELD_COUNT);
    return fail(err, STATUS_USAGE,
                "--column %s: unknown field `%.*s`%s%s%s; there are time clock open high low close "
                "volume symbol",
                given, TEXT_ARG(field), nearest ? "; did you mean `" : "", nearest ? nearest : "",
                nearest ? "`?" : "");
}

enum status layout_wish_init(struct layout_wish *wish, const struct import_options *options,
                             struct error *err)
{
    *wish = (struct layout_wish){.price_factor = 1,
                                 .symbol_elsewhere = options->symbol != NULL ||
                                                     options->symbol_from != NULL};
    if (options->format)
        TRY(read_format(wish, options->format, err));
    for (size_t i = 0; i < options->column_count; i++)
        TRY(read_column(wish, options->columns[i], err));
    if (options->where_count > IMPORT_WHERES_MAX)
        return fail(err, STATUS_USAGE, "--where: at most %d of them", IMPORT_WHERES_MAX);
    for (size_t i = 0; i < options->where_count; i++) {
        if (!split_at_equals(options->wheres[i], &wish->where[i].name, &wish->where[i].value))
            return fail(err, STATUS_USAGE, "--where %s: expected COLUMN=VALUE, such as Series=EQ",
                        options->wheres[i]);
        TRY(column_number(wish->where[i].name, "--where", &wish->where[i].number, err));
        wish->where_count++;
    }
    if (options->scale &&
        !number_scale_parse(text_of(options->scale), &wish->price_shift, &wish->price_factor))
        return fail(err, STATUS_USAGE,
                    "--scale %s: expected a number above 0 that prices are multiplied by, such as "
                    "0.00001 or 1/100000",
                    options->scale);
    return STATUS_OK;
}
