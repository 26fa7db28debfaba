/* number: decimal text to double, exactly rounded, at the speed of memory.
 *
 * Eight bytes are looked at in one step (after D. Lemire and W. Muła): which are digits, and their
 * value. At most 19 digits make an integer m, and m · 10^e is rounded once: by one division where m
 * < 2^53 and |e| ≤ 22 (W. D. Clinger, 1990), else over 128 bits, where m · 5^e and m / 5^-e are
 * exact up to |e| = 27 and only the remainder matters.  What is left (longer, larger, smaller) goes
 * to base/text. */
#ifndef HARRIER_IMPORT_NUMBER_H
#define HARRIER_IMPORT_NUMBER_H

#include "base/base.h"

#include <string.h>

enum {
    NUMBER_SLACK_BYTES = 32, /* must be readable behind a text that number_read() walks over */
    NUMBER_DIGITS_MAX = 19,
    NUMBER_TEXT_MAX = 400 /* of a number that is not in the fast form */
};

extern const double number_power10[23];

/* m · 10^exponent for the cases that one division cannot decide; false where |exponent| > 27. */
bool number_round(uint64_t m, int exponent, double *number);

static inline uint64_t number_load(const char *at)
{
    uint64_t eight;

    memcpy(&eight, at, sizeof eight);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    eight = __builtin_bswap64(eight);
#endif
    return eight;
}

/* A byte that is no digit after the xor has its highest bit set.  A carry can only come out of a
 * byte that is itself no digit, so the first one is found right (and the next, where that one is a
 * sign like `.` or `,` of less than 0x8a). */
static inline uint64_t number_others(uint64_t digits)
{
    return ((digits + 0x7676767676767676u) | digits) & 0x8080808080808080u;
}

/* Eight bytes of value 0 to 9, the first the highest. */
static inline uint64_t number_of_bytes(uint64_t digits)
{
    digits = digits * 10 + (digits >> 8);
    return (((digits & 0x000000ff000000ffu) * 0x000f424000000064u) +
            (((digits >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u)) >>
           32;
}

/* How many of the next eight bytes are digits, counted from the first, and the value of those. */
static inline unsigned number_digits(const char *at, uint64_t *value)
{
    uint64_t digits = number_load(at) ^ 0x3030303030303030u;
    uint64_t others = number_others(digits);
    unsigned count = others ? (unsigned)__builtin_ctzll(others) >> 3 : 8;

    if (count == 0) {
        *value = 0;
        return 0;
    }
    *value = number_of_bytes(digits << (64 - 8 * count)); /* zeros in front */
    return count;
}

static inline bool number_scaled(uint64_t m, int exponent, double *number)
{
    if (m <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        *number = exponent < 0 ? (double)m / number_power10[-exponent]
                               : (double)m * number_power10[exponent];
        return true;
    }
    return number_round(m, exponent, number);
}

/* A number that ends within eight bytes, its point included: one step for all its digits. */
static inline bool number_short(const char **cursor, char decimal, int shift, double *number)
{
    const char *at = *cursor;
    uint64_t digits = number_load(at) ^ 0x3030303030303030u;
    uint64_t others = number_others(digits), behind = others & (others - 1);
    unsigned point, end;

    if (others == 0)
        return false;
    point = end = (unsigned)__builtin_ctzll(others) >> 3;
    if (at[point] == decimal) {
        uint64_t whole = ((uint64_t)1 << 8 * point) - 1;

        if (behind == 0)
            return false;
        end = (unsigned)__builtin_ctzll(behind) >> 3;
        digits = ((digits & whole) | (digits >> 8 & ~whole)) << 8; /* the point taken out */
        shift -= (int)(end - point - 1);
    }
    if (end < 2 || (at[end] | 32) == 'e' ||
        !number_scaled(number_of_bytes(digits << (64 - 8 * end)), shift, number))
        return false;
    *cursor = at + end;
    return true;
}

/* Reads an unsigned decimal number at *cursor times 10^shift and moves the cursor behind it.  False
 * (and the cursor where it was) where there is none, or none in the fast form. */
static inline bool number_read(const char **cursor, char decimal, int shift, double *number)
{
    static const uint32_t power[9] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    const char *at = *cursor;
    uint64_t m, part;
    unsigned count, digits;
    int exponent = shift;

    if (number_short(cursor, decimal, shift, number))
        return true;
    count = digits = number_digits(at, &m);

    at += count;
    while (__builtin_expect(count == 8, 0)) {
        count = number_digits(at, &part);
        m = m * power[count] + part;
        digits += count;
        at += count;
        if (digits > NUMBER_DIGITS_MAX)
            return false;
    }
    if (*at == decimal) {
        at++;
        do {
            count = number_digits(at, &part);
            m = m * power[count] + part;
            digits += count;
            exponent -= (int)count;
            at += count;
            if (digits > NUMBER_DIGITS_MAX)
                return false;
        } while (count == 8);
    }
    if (digits == 0)
        return false;
    if (__builtin_expect((*at | 32) == 'e', 0)) {
        bool minus = at[1] == '-';

        at += 1 + (minus || at[1] == '+');
        count = number_digits(at, &part);
        if (count == 0 || count > 3)
            return false;
        at += count;
        exponent += minus ? -(int)part : (int)part;
    }
    if (!number_scaled(m, exponent, number))
        return false;
    *cursor = at;
    return true;
}

enum number_kind {
    NUMBER_READ,
    NUMBER_WORD, /* nan, inf, infinity: *number is NaN or infinite */
    NUMBER_NONE  /* no number */
};

/* The whole text as a number, with a sign, of any length up to NUMBER_TEXT_MAX. */
enum number_kind number_parse(struct text text, char decimal, int shift, double *number);

/* "0.00001", "1/100000", "100": as a power of ten (factor 1), or as a factor (shift 0).  False
 * where it is not a number above 0. */
bool number_scale_parse(struct text text, int *shift, double *factor);

#endif
