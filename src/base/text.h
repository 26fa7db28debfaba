/* Views of text, a growing buffer, and numbers as text. */
#ifndef HARRIER_BASE_TEXT_H
#define HARRIER_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of somebody else's, not ended by a zero. */
struct text {
    const char *at;
    size_t length;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})
#define TEXT_ARG(view) (int)(view).length, (view).at /* for "%.*s" */

struct text text_of(const char *ended);
bool text_equal(struct text a, struct text b);
bool text_is(struct text view, const char *ended);
struct text text_trim(struct text view); /* without blanks and tabs at both ends */

/* A name that begins or ends `view` is case-sensitive.  Shell patterns `*` and `?`, whole match. */
bool text_matches_glob(struct text view, const char *glob);

/* How many edits (insert, delete, replace, swap of neighbours) part two words: "did you mean". */
unsigned text_distance(struct text a, struct text b);

/* The nearest of `count` names, at most a third of the word's length away (1 to 3), or NULL. */
const char *text_nearest(struct text word, const char *const *names, size_t count);

/* The whole view as a number: decimal text as strtod reads it in the C locale, exactly rounded, but
 * without "inf", "nan", hexadecimal or surrounding blanks.  False if it is not one, if a double
 * cannot hold it, and above 1,023 characters. */
bool text_to_double(struct text view, double *number);
bool text_to_int64(struct text view, int64_t *number);

/* The shortest decimal text that reads back to the same bits, as people write it: 10000, 0.001, and
 * with an exponent only below 10^-6 and from 10^21 on.  "nan", "inf" and "-inf" where so. */
enum { DOUBLE_TEXT_BYTES = 32 };
size_t double_to_text(double number, char text[DOUBLE_TEXT_BYTES]);

/* Text that grows.  `failed` stays set once there was no memory: one check at the end is enough. */
struct buffer {
    char *at;
    size_t length, capacity;
    bool failed;
};

void buffer_deinit(struct buffer *buffer);
void buffer_add(struct buffer *buffer, const char *bytes, size_t length);
void buffer_add_text(struct buffer *buffer, const char *ended);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_add_double(struct buffer *buffer, double number);
void buffer_addf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *buffer_text(struct buffer *buffer); /* ended by a zero; "" when empty or failed */

/* Bytes of a UTF-8 text, and how many columns a terminal gives it (no wide characters are used). */
size_t utf8_columns(const char *ended);
bool utf8_valid(const char *bytes, size_t length);

#endif
