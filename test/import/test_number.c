/* Numbers against strtod, which is exactly rounded in glibc, and scales. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "import/number.c"

static void check_text(const char *text, int shift)
{
    char shifted[NUMBER_TEXT_MAX + 32];
    double actual = 0, expected;

    snprintf(shifted, sizeof shifted, "%s%s%d", text, strpbrk(text, "eE") ? "" : "e", shift);
    if (strpbrk(text, "eE")) { /* move the exponent that is there */
        const char *e = strpbrk(text, "eE");

        snprintf(shifted, sizeof shifted, "%.*se%d", (int)(e - text), text, atoi(e + 1) + shift);
    }
    expected = strtod(shifted, NULL);
    if (number_parse(text_of(text), '.', shift, &actual) == NUMBER_NONE) {
        CHECK(isinf(expected)); /* too large to be a double */
        return;
    }
    if (memcmp(&actual, &expected, sizeof actual) != 0)
        print_error("%s times 10^%d\n", text, shift);
    CHECK_SAME_BITS(&actual, &expected, 1);
}

TEST(random_decimals_are_what_strtod_says)
{
    struct random random;
    char text[64];

    random_init(&random, 1, 0);
    for (int i = 0; i < 300000; i++) {
        size_t digits = 1 + random_below(&random, 22), point = random_below(&random, digits + 1),
               length = 0;

        if (random_below(&random, 8) == 0)
            text[length++] = '-';
        for (size_t d = 0; d < digits; d++) {
            if (d == point && d > 0)
                text[length++] = '.';
            text[length++] = (char)('0' + random_below(&random, 10));
        }
        text[length] = '\0';
        if (random_below(&random, 4) == 0)
            snprintf(text + length, sizeof text - length, "e%d",
                     (int)random_below(&random, 80) - 40);
        check_text(text, random_below(&random, 3) ? 0 : (int)random_below(&random, 20) - 10);
    }
}

/* Just between two doubles, and one unit of the last digit beside it. */
TEST(ties_go_to_the_even_neighbour)
{
    struct random random;
    char text[64];

    random_init(&random, 2, 0);
    for (int i = 0; i < 100000; i++) {
        uint64_t m = ((uint64_t)1 << 53) + random_below(&random, (uint64_t)1 << 53);
        uint64_t middle = m * 2 + 1 +
                          (random_below(&random, 3) - 1); /* 55 bits: doubles are 4 apart */

        snprintf(text, sizeof text, "%llu", (unsigned long long)middle * 2);
        check_text(text, 0);
        snprintf(text, sizeof text, "%llu.%llu", (unsigned long long)m,
                 (unsigned long long)random_below(&random, 3) * 5);
        check_text(text, 0);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)m,
                 (int)random_below(&random, 55) - 27);
        check_text(text, 0);
    }
}

TEST(every_way_of_writing_a_number_is_read)
{
    static const char *const fine[] = {"0",
                                       "-0",
                                       "+1",
                                       "1.",
                                       ".5",
                                       "007",
                                       "1e5",
                                       "1E+5",
                                       "1e-5",
                                       "0.00000000000000000001",
                                       "123456789012345678901234567890",
                                       "1e308",
                                       "4.9e-324",
                                       "2.2250738585072011e-308",
                                       "104838.00000000001",
                                       "130583.99999999999",
                                       "18446744073709551615",
                                       "9223372036854775808.5",
                                       "1.7976931348623157e308",
                                       "00000000000000000000000001.5"};
    static const char *const none[] = {"",      ".",          "-",    "e5",  "1e",  "1e+",
                                       "1.2.3", "1 2",        "0x1",  "1,5", "--1", "1e1.5",
                                       "1-",    "1e99999999", "nanx", "in",  "1f"};
    double number;

    for (size_t i = 0; i < ARRAY_COUNT(fine); i++)
        check_text(fine[i], 0);
    for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
        if (number_parse(text_of(none[i]), '.', 0, &number) != NUMBER_NONE)
            print_error("\"%s\" was read as a number\n", none[i]);
        CHECK(number_parse(text_of(none[i]), '.', 0, &number) == NUMBER_NONE);
    }
    CHECK(number_parse(TEXT("NaN"), '.', 0, &number) == NUMBER_WORD && isnan(number));
    CHECK(number_parse(TEXT("-Infinity"), '.', 0, &number) == NUMBER_WORD && number == -INFINITY);
    CHECK(number_parse(TEXT("1,5"), ',', 0, &number) == NUMBER_READ && number == 1.5);
    CHECK(number_parse(TEXT("1234567,89012345678901234567"), ',', 0, &number) == NUMBER_READ);
    CHECK(number == 1234567.89012345678901234567);
}

/* The walk over a line: behind the number where there is one, else where it was. */
TEST(the_cursor_moves_behind_a_number_and_stays_before_anything_else)
{
    static const struct {
        const char *text;
        int moved; /* 0: no number in the fast form */
    } rows[] = {{"1,", 1},
                {"12.5,", 4},
                {"1234567,", 7},
                {"12345678,", 8},
                {"123456.7,", 8},
                {"1234.567,", 8},
                {".5;", 2},
                {"5.\n", 2},
                {"1e5,", 3},
                {"1.5e-3,", 6},
                {"12.5.5", 4},
                {"", 0},
                {".", 0},
                {",", 0},
                {"-1", 0},
                {"e5", 0},
                {"1e", 0},
                {"1e400", 0},
                {"12345678901234567890,", 0},
                {"1.5E", 0}};

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[64 + NUMBER_SLACK_BYTES] = {0};
        const char *cursor = text;
        double number, expected;
        bool read;

        strcpy(text, rows[i].text);
        read = number_read(&cursor, '.', 0, &number);
        if (read != (rows[i].moved > 0) || cursor - text != rows[i].moved)
            print_error("\"%s\": %d\n", rows[i].text, (int)(cursor - text));
        CHECK(read == (rows[i].moved > 0) && cursor - text == rows[i].moved);
        expected = strtod(rows[i].text, NULL);
        CHECK(!read || number == expected);
    }
}

TEST(a_scale_is_a_power_of_ten_where_it_can_be)
{
    int shift;
    double factor;

    CHECK(number_scale_parse(TEXT("0.00001"), &shift, &factor) && shift == -5 && factor == 1);
    CHECK(number_scale_parse(TEXT("1/100000"), &shift, &factor) && shift == -5 && factor == 1);
    CHECK(number_scale_parse(TEXT("1e-3"), &shift, &factor) && shift == -3 && factor == 1);
    CHECK(number_scale_parse(TEXT("100"), &shift, &factor) && shift == 2 && factor == 1);
    CHECK(number_scale_parse(TEXT("1/4"), &shift, &factor) && shift == 0 && factor == 0.25);
    CHECK(!number_scale_parse(TEXT("0"), &shift, &factor));
    CHECK(!number_scale_parse(TEXT("-1"), &shift, &factor));
    CHECK(!number_scale_parse(TEXT("1/0"), &shift, &factor));
    CHECK(!number_scale_parse(TEXT("1/"), &shift, &factor));
    CHECK(!number_scale_parse(TEXT("nan"), &shift, &factor));
}

TEST(points_of_metatrader_scale_to_the_price_itself)
{
    double number;

    CHECK(number_parse(TEXT("130584"), '.', -5, &number) == NUMBER_READ && number == 1.30584);
    CHECK(number_parse(TEXT("130584.0"), '.', -5, &number) == NUMBER_READ && number == 1.30584);
    CHECK(number_parse(TEXT("81121"), '.', -3, &number) == NUMBER_READ && number == 81.121);
}
