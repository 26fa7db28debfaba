/* Views of text, a growing buffer, and numbers as text.  Never depends on the locale. */
#include "base/text.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    WORD_MAX = 64,          /* longest word that text_distance compares letter by letter */
    NUMBER_TEXT_MAX = 1024, /* longest text that is read as a number */
    EXACT_POWER_MAX = 22,   /* 10^22 is the last power of ten that a double holds exactly */
    EXACT_DIGITS = 15,      /* any decimal of so many digits survives the way through a double */
};

static const double powers_of_ten[EXACT_POWER_MAX + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

struct text text_of(const char *ended)
{
    return (struct text){ended, strlen(ended)};
}

bool text_equal(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

bool text_is(struct text view, const char *ended)
{
    return text_equal(view, text_of(ended));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct text text_trim(struct text view)
{
    while (view.length > 0 && is_blank(view.at[0]))
        view.at++, view.length--;
    while (view.length > 0 && is_blank(view.at[view.length - 1]))
        view.length--;
    return view;
}

/* Linear but for the way back to the last star, so no pattern is slow beyond length × length. */
bool text_matches_glob(struct text view, const char *glob)
{
    const char *star = NULL;
    size_t at = 0, star_at = 0;

    while (at < view.length) {
        if (*glob == '*') {
            star = ++glob;
            star_at = at;
        } else if (*glob == '?' || (*glob && *glob == view.at[at])) {
            glob++;
            at++;
        } else if (star) {
            glob = star;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

/* Optimal string alignment: three rows of the table of edits are enough for a swap. */
unsigned text_distance(struct text a, struct text b)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];

    if (a.length > WORD_MAX || b.length > WORD_MAX)
        return (unsigned)(a.length > b.length ? a.length : b.length);
    for (unsigned j = 0; j <= b.length; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.length; i++) {
        unsigned *free_row = before;

        before = above, above = row, row = free_row;
        row[0] = i;
        for (unsigned j = 1; j <= b.length; j++) {
            unsigned edits = above[j - 1] + (a.at[i - 1] != b.at[j - 1]);

            if (above[j] + 1 < edits)
                edits = above[j] + 1;
            if (row[j - 1] + 1 < edits)
                edits = row[j - 1] + 1;
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1] &&
                before[j - 2] + 1 < edits)
                edits = before[j - 2] + 1;
            row[j] = edits;
        }
    }
    return row[b.length];
}

const char *text_nearest(struct text word, const char *const *names, size_t count)
{
    unsigned limit = (unsigned)(word.length / 3);
    const char *nearest = NULL;

    limit = limit < 1 ? 1 : limit > 3 ? 3 : limit;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = text_distance(word, text_of(names[i]));

        /* Only strictly nearer from here on: among equals the first row wins. */
        if (distance <= limit) {
            nearest = names[i];
            if (distance == 0)
                break;
            limit = distance - 1;
        }
    }
    return nearest;
}

/* ---- numbers --------------------------------------------------------------------------------- */

struct decimal {
    uint64_t digits; /* the first 19 significant ones */
    int64_t exponent;
    bool negative, exact; /* exact: no digit was left out */
};

static const char *read_exponent(const char *at, const char *end, int64_t *exponent)
{
    bool negative = false;
    int64_t value = 0;

    at++;
    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end || !is_digit(*at))
        return NULL;
    for (; at < end && is_digit(*at); at++)
        if (value < 1000000)
            value = value * 10 + (*at - '0');
    *exponent += negative ? -value : value;
    return at;
}

/* The grammar of strtod without its words: [+-] digits [. digits] [e [+-] digits]. */
static bool decimal_read(struct decimal *decimal, const char *at, const char *end)
{
    uint64_t digits = 0;
    int64_t exponent = 0;
    int significant = 0, seen = 0;
    bool point = false;

    *decimal = (struct decimal){.exact = true};
    if (at < end && (*at == '+' || *at == '-'))
        decimal->negative = *at++ == '-';
    for (; at < end; at++) {
        if (*at == '.' && !point) {
            point = true;
        } else if (is_digit(*at)) {
            seen = 1;
            if (significant < 19) {
                digits = digits * 10 + (uint64_t)(*at - '0');
                significant += digits != 0;
                exponent -= point;
            } else {
                decimal->exact &= *at == '0';
                exponent += !point;
            }
        } else {
            break;
        }
    }
    if (!seen)
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at = read_exponent(at, end, &exponent);
        if (!at)
            return false;
    }
    decimal->digits = digits;
    decimal->exponent = exponent;
    return at == end;
}

/* The library's own conversion, for the few numbers that the short way cannot round exactly. */
static bool read_by_library(struct text view, double *number)
{
    char copy[NUMBER_TEXT_MAX];
    locale_t locale = newlocale(LC_ALL_MASK, "C", NULL); /* a constant of the library */

    memcpy(copy, view.at, view.length);
    copy[view.length] = '\0';
    *number = locale ? strtod_l(copy, NULL, locale) : strtod(copy, NULL);
    if (locale)
        freelocale(locale);
    return isfinite(*number);
}

/* W. D. Clinger, "How to read floating point numbers accurately", 1990: where digits and power of
 * ten are both exact doubles, one multiplication or division rounds once and so rounds right. */
bool text_to_double(struct text view, double *number)
{
    struct decimal decimal;
    double value;

    if (view.length >= NUMBER_TEXT_MAX || !decimal_read(&decimal, view.at, view.at + view.length))
        return false;
    value = (double)decimal.digits;
    if (!decimal.exact || decimal.digits > (uint64_t)1 << 53 ||
        decimal.exponent < -EXACT_POWER_MAX || decimal.exponent > EXACT_POWER_MAX) {
        if (decimal.digits != 0)
            return read_by_library(view, number);
    } else if (decimal.exponent < 0) {
        value /= powers_of_ten[-decimal.exponent];
    } else {
        value *= powers_of_ten[decimal.exponent];
    }
    *number = decimal.negative ? -value : value;
    return true;
}

bool text_to_int64(struct text view, int64_t *number)
{
    bool negative = view.length > 0 && view.at[0] == '-';
    size_t at = negative || (view.length > 0 && view.at[0] == '+');
    int64_t value = 0;

    if (at == view.length)
        return false;
    for (; at < view.length; at++) {
        int digit = view.at[at] - '0';

        /* Counted downwards, since the lowest number has no positive twin. */
        if (!is_digit(view.at[at]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *number = negative ? value : -value;
    return true;
}

/* Writes digits × 10^exponent, where digits has no zero at its end, as people write it: 0.00001,
 * 10000, and with an exponent below 10^-6 and from 10^21 on. */
static size_t place_digits(char *text, const char *digits, int count, int exponent)
{
    int point = count + exponent; /* digits in front of the decimal point */
    char *at = text;

    if (point < -5 || point > 21) {
        *at++ = digits[0];
        if (count > 1) {
            *at++ = '.';
            memcpy(at, digits + 1, (size_t)count - 1);
            at += count - 1;
        }
        return (size_t)(at - text) + (size_t)sprintf(at, "e%d", point - 1);
    }
    if (point <= 0) {
        *at++ = '0';
        *at++ = '.';
        memset(at, '0', (size_t)-point);
        at += -point;
    } else {
        int whole = point < count ? point : count;

        memcpy(at, digits, (size_t)whole);
        memset(at + whole, '0', (size_t)(point - whole));
        at += point;
        if (whole < count)
            *at++ = '.';
        digits += whole;
        count -= whole;
    }
    memcpy(at, digits, (size_t)count);
    at[count] = '\0';
    return (size_t)(at - text) + (size_t)count;
}

/* The short way for numbers that people wrote: the fewest decimal places that read back. */
static int short_decimal(double number, uint64_t *digits)
{
    for (int places = 0; places <= 12; places++) {
        double scaled = number * powers_of_ten[places];
        double whole;

        if (!(scaled < powers_of_ten[EXACT_DIGITS]))
            return -1;
        whole = nearbyint(scaled);
        if (whole / powers_of_ten[places] == number) {
            *digits = (uint64_t)whole;
            return places;
        }
    }
    return -1;
}

static bool reads_back(const char *digits, int count, int exponent, double number)
{
    char text[DOUBLE_TEXT_BYTES];
    double back;
    int length = snprintf(text, sizeof text, "%.*se%d", count, digits, exponent);

    return text_to_double((struct text){text, (size_t)length}, &back) && back == number;
}

/* Any double: as few digits as give it back.  Returns their count and their power of ten. */
static int shortest_digits(double number, char digits[DOUBLE_TEXT_BYTES], int *exponent)
{
    for (int count = number < 0x1p-1022 ? 1 : EXACT_DIGITS;; count++) {
        char text[DOUBLE_TEXT_BYTES];
        int power;

        snprintf(text, sizeof text, "%.*e", count - 1, number);
        digits[0] = text[0];
        memcpy(digits + 1, text + 2, (size_t)count - 1);
        power = (int)strtol(text + (count == 1 ? 2 : count + 2), NULL, 10) - count + 1;
        *exponent = power;
        if (count == 17 || reads_back(digits, count, power, number))
            return count;

        /* Below a power of two the doubles lie closer: the next decimal upwards may read back where
         * the nearest one, downwards, does not. */
        if (digits[count - 1] < '9') {
            digits[count - 1]++;
            if (reads_back(digits, count, power, number))
                return count;
        }
    }
}

size_t double_to_text(double number, char text[DOUBLE_TEXT_BYTES])
{
    char digits[DOUBLE_TEXT_BYTES];
    uint64_t whole;
    size_t sign = signbit(number) && !isnan(number) ? 1 : 0;
    int count, places, exponent;

    text[0] = '-';
    if (!isfinite(number)) {
        strcpy(text + sign, isnan(number) ? "nan" : "inf");
        return sign + 3;
    }
    number = fabs(number);
    places = short_decimal(number, &whole);
    if (places >= 0) {
        count = 0;
        for (uint64_t rest = whole; rest > 0 || count == 0; rest /= 10)
            count++;
        for (int i = count; i-- > 0; whole /= 10)
            digits[i] = (char)('0' + whole % 10);
        exponent = -places;
    } else {
        count = shortest_digits(number, digits, &exponent);
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
        exponent++;
    }
    return sign + place_digits(text + sign, digits, count, exponent);
}

/* ---- buffer ---------------------------------------------------------------------------------- */

void buffer_deinit(struct buffer *buffer)
{
    mem_free(buffer->at);
    *buffer = (struct buffer){0};
}

/* Room for `more` bytes and the zero behind them. */
static bool buffer_room(struct buffer *buffer, size_t more)
{
    void *at = buffer->at;

    if (buffer->failed || more >= SIZE_MAX / 4 - buffer->length ||
        mem_grow(&at, &buffer->capacity, buffer->length + more + 1, 1) != 0)
        buffer->failed = true;
    else
        buffer->at = at;
    return !buffer->failed;
}

void buffer_add(struct buffer *buffer, const char *bytes, size_t length)
{
    if (length == 0 || !buffer_room(buffer, length))
        return;
    memcpy(buffer->at + buffer->length, bytes, length);
    buffer->length += length;
}

void buffer_add_text(struct buffer *buffer, const char *ended)
{
    buffer_add(buffer, ended, strlen(ended));
}

void buffer_add_char(struct buffer *buffer, char c)
{
    buffer_add(buffer, &c, 1);
}

void buffer_add_double(struct buffer *buffer, double number)
{
    if (buffer_room(buffer, DOUBLE_TEXT_BYTES))
        buffer->length += double_to_text(number, buffer->at + buffer->length);
}

void buffer_addf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !buffer_room(buffer, (size_t)length))
        return;
    va_start(args, format);
    vsnprintf(buffer->at + buffer->length, (size_t)length + 1, format, args);
    va_end(args);
    buffer->length += (size_t)length;
}

const char *buffer_text(struct buffer *buffer)
{
    if (!buffer_room(buffer, 0))
        return "";
    buffer->at[buffer->length] = '\0';
    return buffer->at;
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

size_t utf8_columns(const char *ended)
{
    size_t columns = 0;

    for (; *ended; ended++)
        columns += ((unsigned char)*ended & 0xC0) != 0x80; /* every byte but those that continue */
    return columns;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_valid(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;

    while (at < end) {
        unsigned lowest = 0x80, highest = 0xBF, more;

        if (*at < 0x80) {
            at++;
            continue;
        }
        if (*at < 0xC2 || *at > 0xF4)
            return false;
        more = *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : 3;
        if ((size_t)(end - at) <= more)
            return false;
        if (*at == 0xE0)
            lowest = 0xA0;
        else if (*at == 0xED)
            highest = 0x9F;
        else if (*at == 0xF0)
            lowest = 0x90;
        else if (*at == 0xF4)
            highest = 0x8F;
        for (unsigned i = 1; i <= more; i++, lowest = 0x80, highest = 0xBF)
            if (at[i] < lowest || at[i] > highest)
                return false;
        at += more + 1;
    }
    return true;
}
