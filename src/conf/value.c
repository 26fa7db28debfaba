/* Text of a value → the value, with the sentences for what is wrong. */
#include "conf/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/model.h"

enum { QUOTED_MAX = 64, CHOICES_MAX = 16, CHOICE_BYTES_MAX = 32 };

/* The number in front of a unit, moved by a power of ten in its text, so that 0.7% is the double
 * nearest to 0.007 (0.7 / 100 is not). */
static bool shifted_number(struct text text, const char *power, double *number)
{
    char shifted[80];
    int length;

    if (text.length == 0 || text.length > 64 || memchr(text.at, 'e', text.length) ||
        memchr(text.at, 'E', text.length))
        return false;
    length = snprintf(shifted, sizeof shifted, "%.*s%s", TEXT_ARG(text), power);
    return text_to_double((struct text){shifted, (size_t)length}, number);
}

enum status rate_parse(double *share, struct text text, const char *what, struct error *err)
{
    struct text number = text_trim(text);
    const char *power = NULL;
    double bare;

    if (number.length > 1 && number.at[number.length - 1] == '%') {
        number.length -= 1;
        power = "e-2";
    } else if (number.length > 3 && memcmp(number.at + number.length - 3, "bps", 3) == 0) {
        number.length -= 3;
        power = "e-4";
    }
    number = text_trim(number);
    if (power && shifted_number(number, power, share))
        return STATUS_OK;
    if (!power && text_to_double(number, &bare)) {
        char as_is[DOUBLE_TEXT_BYTES], hundredfold[DOUBLE_TEXT_BYTES];
        double scaled;

        double_to_text(bare, as_is);
        double_to_text(shifted_number(number, "e2", &scaled) ? scaled : bare * 100, hundredfold);
        return fail(err, STATUS_USAGE,
                    "%s: the rate `%s` has no unit: write `%s%%` or `%sbps`, which are the same "
                    "(or `%s%%` for %s times the value)",
                    what, as_is, as_is, hundredfold, hundredfold, as_is);
    }
    return fail(err, STATUS_USAGE,
                "%s: `%.*s` is not a rate: expected a number with its unit, such as 0.1%% or 10bps",
                what, (int)MIN(text.length, QUOTED_MAX), text.at);
}

/* A bound as the user would write it. */
static void bound_to_text(const struct option_row *row, double bound,
                          char text[DOUBLE_TEXT_BYTES + 1])
{
    size_t length = double_to_text(row->type == OPTION_RATE ? bound * 100 : bound, text);

    if (row->type == OPTION_RATE)
        memcpy(text + length, "%", 2);
}

static enum status check_range(const struct option_row *row, const char *text, double number,
                               const char *origin, struct error *err)
{
    char low[DOUBLE_TEXT_BYTES + 1], high[DOUBLE_TEXT_BYTES + 1];

    if (number >= row->low && number <= row->high)
        return STATUS_OK;
    bound_to_text(row, row->low, low);
    bound_to_text(row, row->high, high);
    return fail(err, STATUS_USAGE, "%s: `%.*s` is out of range: expected %s to %s", origin,
                QUOTED_MAX, text, low, high);
}

static enum status parse_flag(struct value *value, const char *text, const char *origin,
                              struct error *err)
{
    value->flag = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (value->flag || strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
        return STATUS_OK;
    return fail(err, STATUS_USAGE, "%s: `%.*s` is neither true nor false", origin, QUOTED_MAX,
                text);
}

static enum status parse_choice(const struct option_row *row, const char *text, const char *origin,
                                struct error *err)
{
    char words[CHOICES_MAX][CHOICE_BYTES_MAX];
    const char *names[CHOICES_MAX], *nearest, *rest = row->choices;
    size_t count = 0;

    while (*rest) {
        size_t length = strcspn(rest, " ");

        ASSERT(count < CHOICES_MAX && length < CHOICE_BYTES_MAX);
        memcpy(words[count], rest, length);
        words[count][length] = '\0';
        if (strcmp(words[count], text) == 0)
            return STATUS_OK;
        names[count] = words[count];
        count++;
        rest += length + (rest[length] == ' ');
    }
    nearest = text_nearest(text_of(text), names, count);
    return fail(err, STATUS_USAGE, "%s: `%.*s` is not one of: %s%s%s%s", origin, QUOTED_MAX, text,
                row->choices, nearest ? "; did you mean `" : "", nearest ? nearest : "",
                nearest ? "`?" : "");
}

static enum status parse_number(struct value *value, const struct option_row *row, const char *text,
                                const char *origin, struct error *err)
{
    if (row->type == OPTION_WHOLE) {
        if (!text_to_int64(text_of(text), &value->whole))
            return fail(err, STATUS_USAGE, "%s: `%.*s` is not a whole number", origin, QUOTED_MAX,
                        text);
        value->number = (double)value->whole;
    } else if (row->type == OPTION_NUMBER) {
        if (!text_to_double(text_of(text), &value->number))
            return fail(err, STATUS_USAGE,
                        "%s: `%.*s` is not a number: expected one such as 10000 or 0.5", origin,
                        QUOTED_MAX, text);
    } else {
        TRY(rate_parse(&value->number, text_of(text), origin, err));
    }
    return check_range(row, text, value->number, origin, err);
}

static enum status parse_date(struct value *value, const char *text, const char *origin,
                              struct error *err)
{
    enum status status = time_parse(&value->whole, text_of(text), 0, err);

    if (status != STATUS_OK)
        error_prefix(err, "%s: ", origin);
    return status;
}

enum status value_parse(struct value *value, const struct option_row *row, const char *text,
                        const char *origin, struct error *err)
{
    struct value parsed = {.text = text, .origin = origin, .number = NAN};

    switch (row->type) {
    case OPTION_FLAG:
        TRY(parse_flag(&parsed, text, origin, err));
        break;
    case OPTION_WHOLE:
    case OPTION_NUMBER:
    case OPTION_RATE:
        TRY(parse_number(&parsed, row, text, origin, err));
        break;
    case OPTION_DATE:
        TRY(parse_date(&parsed, text, origin, err));
        break;
    case OPTION_CHOICE:
        TRY(parse_choice(row, text, origin, err));
        break;
    case OPTION_TEXT:
    case OPTION_LIST:
        if (!utf8_valid(text, strlen(text)))
            return fail(err, STATUS_USAGE, "%s: the value is not valid UTF-8", origin);
        break;
    }
    *value = parsed;
    return STATUS_OK;
}
