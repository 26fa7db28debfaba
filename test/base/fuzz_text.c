/* Numbers against the C library's, globs against fnmatch, UTF-8 against nothing but its end. */
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { TEXT_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_number(const char *ended, size_t length)
{
    char text[DOUBLE_TEXT_BYTES], *end;
    double number, back, expected = strtod(ended, &end);
    bool plain = strspn(ended, "0123456789+-.eE") == length && length > 0;

    if (text_to_double((struct text){ended, length}, &number)) {
        ASSERT(plain && *end == '\0' && memcmp(&number, &expected, sizeof number) == 0);
        ASSERT(double_to_text(number, text) < sizeof text);
        ASSERT(text_to_double(text_of(text), &back) && memcmp(&back, &number, sizeof back) == 0);
    } else {
        ASSERT(!plain || *end != '\0' || isinf(expected));
    }
}

/* fnmatch knows brackets and escapes, too: those patterns are left out. */
static void check_glob(char *ended)
{
    char *bar = strchr(ended, '|');

    if (!bar || strpbrk(ended, "[]\\"))
        return;
    *bar = '\0';
    ASSERT(text_matches_glob(text_of(bar + 1), ended) == (fnmatch(ended, bar + 1, 0) == 0));
    *bar = '|';
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char ended[TEXT_MAX + 1];
    int64_t whole;

    if (length > TEXT_MAX || memchr(bytes, 0, length))
        return 0;
    memcpy(ended, bytes, length);
    ended[length] = '\0';
    check_number(ended, length);
    if (utf8_valid(ended, length))
        ASSERT(utf8_columns(ended) <= length);
    if (text_to_int64(text_of(ended), &whole))
        ASSERT(whole == strtoll(ended, NULL, 10));
    check_glob(ended);
    text_distance(text_of(ended), TEXT("crossover"));
    return 0;
}
