/* number: the rare ways.  Exactly rounded; never asks the locale. */
#include "import/number.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

__extension__ typedef unsigned __int128 u128; /* GNU C's; no struct hides behind it */

const double number_power10[23] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

enum { POWER5_MAX = 27 }; /* 5^27 < 2^63 */

static uint64_t power5(int exponent)
{
    uint64_t power = 1;

    while (exponent-- > 0)
        power *= 5;
    return power;
}

static double power2(int exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double power;

    memcpy(&power, &bits, sizeof power);
    return power;
}

/* (value, and a little more where `more`) · 2^exponent, to the nearest double, ties to even.  What
 * comes in is far from the smallest and the largest double. */
static double round_to_53(u128 value, bool more, int exponent)
{
    uint64_t high = (uint64_t)(value >> 64), kept;
    int bits = high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)value);
    int shift = bits - 53;
    u128 rest, half;

    if (shift <= 0)
        return (double)(uint64_t)value * power2(exponent);
    kept = (uint64_t)(value >> shift);
    rest = value & (((u128)1 << shift) - 1);
    half = (u128)1 << (shift - 1);
    if (rest > half || (rest == half && (more || (kept & 1))))
        kept++;
    return (double)kept * power2(shift + exponent);
}

bool number_round(uint64_t m, int exponent, double *number)
{
    if (m == 0) {
        *number = 0;
        return true;
    }
    if (exponent < -POWER5_MAX || exponent > POWER5_MAX)
        return false;
    if (exponent >= 0) {
        *number = round_to_53((u128)m * power5(exponent), false, exponent);
    } else {
        int zeros = __builtin_clzll(m);
        u128 numerator = (u128)(m << zeros) << 63;
        uint64_t divisor = power5(-exponent);

        *number = round_to_53(numerator / divisor, numerator % divisor != 0, exponent - 63 - zeros);
    }
    return true;
}

static bool is_word(struct text text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.at, word, text.length) == 0;
}

/* Any length, any exponent: through the general reader, with '.' for the decimal sign and the
 * exponent moved. */
static enum number_kind parse_long(struct text text, char decimal, int shift, double *number)
{
    char plain[NUMBER_TEXT_MAX + 16];
    struct text exponent_text = {NULL, 0};
    int64_t exponent = 0;
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];

        if ((c | 32) == 'e') {
            exponent_text = (struct text){text.at + i + 1, text.length - i - 1};
            break;
        }
        if (c != decimal && (c < '0' || c > '9'))
            return NUMBER_NONE;
        plain[length++] = c == decimal ? '.' : c;
    }
    if (exponent_text.at) {
        if (exponent_text.length > 1 && exponent_text.at[0] == '+') {
            exponent_text.at++;
            exponent_text.length--;
        }
        if (exponent_text.length > 6 || !text_to_int64(exponent_text, &exponent))
            return NUMBER_NONE;
    }
    if (length > NUMBER_TEXT_MAX)
        return NUMBER_NONE;
    length += (size_t)snprintf(plain + length, sizeof plain - length, "e%d", (int)exponent + shift);
    return text_to_double((struct text){plain, length}, number) ? NUMBER_READ : NUMBER_NONE;
}

enum number_kind number_parse(struct text text, char decimal, int shift, double *number)
{
    char padded[64 + NUMBER_SLACK_BYTES] = {0};
    const char *at = padded;
    bool minus = text.length > 0 && text.at[0] == '-';
    enum number_kind kind;

    if (text.length > 0 && (minus || text.at[0] == '+')) {
        text.at++;
        text.length--;
    }
    if (text.length == 0 || text.length > NUMBER_TEXT_MAX)
        return NUMBER_NONE;
    if (text.length < 64) {
        memcpy(padded, text.at, text.length);
        if (number_read(&at, decimal, shift, number) && at == padded + text.length) {
            *number = minus ? -*number : *number;
            return NUMBER_READ;
        }
    }
    if (is_word(text, "nan")) {
        *number = NAN;
        return NUMBER_WORD;
    }
    if (is_word(text, "inf") || is_word(text, "infinity")) {
        *number = minus ? -INFINITY : INFINITY;
        return NUMBER_WORD;
    }
    kind = parse_long(text, decimal, shift, number);
    if (kind == NUMBER_READ && minus)
        *number = -*number;
    return kind;
}

bool number_scale_parse(struct text text, int *shift, double *factor)
{
    const char *slash = memchr(text.at, '/', text.length);
    size_t length = slash ? (size_t)(slash - text.at) : text.length;
    double above, below = 1;

    if (number_parse((struct text){text.at, length}, '.', 0, &above) != NUMBER_READ)
        return false;
    if (slash && number_parse((struct text){slash + 1, text.length - length - 1}, '.', 0, &below) !=
                     NUMBER_READ)
        return false;
    if (!(above > 0) || !(below > 0) || !isfinite(above / below) || above / below == 0)
        return false;
    for (int exponent = -22; exponent <= 22; exponent++) {
        double power = exponent < 0 ? 1 / number_power10[-exponent] : number_power10[exponent];

        if (above / below == power) {
            *shift = exponent;
            *factor = 1;
            return true;
        }
    }
    *shift = 0;
    *factor = above / below;
    return true;
}
