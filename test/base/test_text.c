/* Text, and numbers as text. */
#include <math.h>

#include "test.h"

#include "base/text.c"

static double number_of(const char *text)
{
    double number = -12345;

    assert_true(text_to_double(text_of(text), &number));
    return number;
}

static bool is_number(const char *text)
{
    double number;

    return text_to_double(text_of(text), &number);
}

static double double_of_bits(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

TEST(numbers_are_read_as_the_library_reads_them)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1",
                                        "+1",
                                        "10000",
                                        "0.1",
                                        ".5",
                                        "5.",
                                        "1e5",
                                        "1E-5",
                                        "1e+5",
                                        "123456789.123456789",
                                        "9007199254740993",
                                        "9007199254740992",
                                        "9007199254740993.0000000000000000000000001",
                                        "12345678901234567890123",
                                        "0.000000000000000000000000000000123456789",
                                        "1.7976931348623157e308",
                                        "4.9e-324",
                                        "2.2250738585072014e-308",
                                        "2.2250738585072011e-308",
                                        "1e-400",
                                        "1e22",
                                        "1e23",
                                        "1e-22",
                                        "8.5e22",
                                        "3.14159265358979323846264338327950288",
                                        "1448997445238699",
                                        "100000000000000000000000e-23",
                                        "0e999999999999",
                                        "0.00000000000000000000000000000000000000000000001e47",
                                        "6.02214076e23",
                                        "179769313486231570000000000000000000000",
                                        "7.2057594037927933e16",
                                        "9214843084008499"};

    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        double expected = strtod(texts[i], NULL), number = number_of(texts[i]);

        CHECK_SAME_BITS(&number, &expected, 1);
        CHECK_INT(signbit(number) != 0, signbit(expected) != 0);
    }
}

TEST(random_decimals_are_read_as_the_library_reads_them)
{
    struct random random;

    random_init(&random, 7, 0);
    for (int i = 0; i < 200000; i++) {
        char text[64];
        double expected, number;
        int digits = (int)random_below(&random, 21);

        snprintf(text, sizeof text, "%llu.%0*llue%d",
                 (unsigned long long)random_below(&random, 1u << 30), digits,
                 (unsigned long long)random_below(&random, UINT64_MAX >> random_below(&random, 63)),
                 (int)random_below(&random, 60) - 30);
        expected = strtod(text, NULL);
        number = number_of(text);
        CHECK_SAME_BITS(&number, &expected, 1);
    }
}

TEST(what_is_not_a_plain_decimal_is_not_a_number)
{
    static const char *const texts[] = {
        "",    " 1",  "1 ",    "inf",   "nan",   "0x10", "1e",     "1e+", ".",   "+",    "-",
        "1,5", "--1", "1.2.3", "1e5.0", "1e999", "e5",   "-1e999", "1\n", "NaN", "-inf", "1f"};

    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (is_number(texts[i]))
            FAIL("`%s` was read as a number", texts[i]);
}

TEST(a_number_of_more_than_a_thousand_digits_is_refused_and_one_below_is_exact)
{
    char text[2000];
    double number, expected;

    memset(text, '7', sizeof text);
    text[1] = '.';
    CHECK(!text_to_double((struct text){text, 1024}, &number));
    CHECK(text_to_double((struct text){text, 1023}, &number));
    text[1023] = '\0';
    expected = strtod(text, NULL);
    CHECK_SAME_BITS(&number, &expected, 1);
}

TEST(whole_numbers_are_read_up_to_their_limits)
{
    int64_t number;

    CHECK(text_to_int64(TEXT("-9223372036854775808"), &number) && number == INT64_MIN);
    CHECK(text_to_int64(TEXT("9223372036854775807"), &number) && number == INT64_MAX);
    CHECK(text_to_int64(TEXT("+5"), &number) && number == 5);
    CHECK(text_to_int64(TEXT("-0"), &number) && number == 0);
    CHECK(!text_to_int64(TEXT("9223372036854775808"), &number));
    CHECK(!text_to_int64(TEXT("-9223372036854775809"), &number));
    CHECK(!text_to_int64(TEXT(""), &number));
    CHECK(!text_to_int64(TEXT("-"), &number));
    CHECK(!text_to_int64(TEXT("1.0"), &number));
    CHECK(!text_to_int64(TEXT(" 1"), &number));
}

TEST(numbers_are_written_as_people_write_them)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {{0, "0"},
                {-0.0, "-0"},
                {1, "1"},
                {-1.5, "-1.5"},
                {10000, "10000"},
                {0.1, "0.1"},
                {0.001, "0.001"},
                {100.25, "100.25"},
                {1e20, "100000000000000000000"},
                {1e21, "1e21"},
                {1.5e22, "1.5e22"},
                {0.000001, "0.000001"},
                {1e-7, "1e-7"},
                {1.25e-7, "1.25e-7"},
                {1.0 / 3, "0.3333333333333333"},
                {0.1 + 0.2, "0.30000000000000004"},
                {5e-324, "5e-324"},
                {1.7976931348623157e308, "1.7976931348623157e308"},
                {123456789012345680.0, "123456789012345680"},
                {9007199254740992.0, "9007199254740992"},
                {0x1p-44, "5.684341886080802e-14"},
                {INFINITY, "inf"},
                {-INFINITY, "-inf"},
                {NAN, "nan"},
                {-NAN, "nan"},
                {2.2250738585072014e-308, "2.2250738585072014e-308"},
                {999999999999999, "999999999999999"},
                {0.00001234, "0.00001234"}};

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[DOUBLE_TEXT_BYTES];
        size_t length = double_to_text(rows[i].number, text);

        CHECK_TEXT(text, rows[i].text);
        CHECK_INT(length, strlen(text));
    }
}

TEST(every_number_reads_back_to_its_own_bits)
{
    struct random random;

    random_init(&random, 1, 0);
    for (int i = 0; i < 300000; i++) {
        double number = i % 3 == 0   ? (double)random_below(&random, 100000000) / 1000
                        : i % 3 == 1 ? double_of_bits(random_next(&random))
                                     : random_unit(&random) * 1000;
        char text[DOUBLE_TEXT_BYTES];
        double back;
        size_t length;

        if (!isfinite(number))
            continue;
        length = double_to_text(number, text);
        CHECK_INT(length, strlen(text));
        CHECK(length < DOUBLE_TEXT_BYTES);
        CHECK(text_to_double(text_of(text), &back));
        CHECK_SAME_BITS(&back, &number, 1);
    }
}

TEST(no_shorter_decimal_would_read_back)
{
    struct random random;

    random_init(&random, 2, 0);
    for (int i = 0; i < 30000; i++) {
        double number = fabs(double_of_bits(random_next(&random)));
        char digits[DOUBLE_TEXT_BYTES], shorter[64];
        int exponent, count;

        if (!isfinite(number) || number == 0)
            continue;
        count = shortest_digits(number, digits, &exponent);
        while (count > 1 && digits[count - 1] == '0')
            count--;
        if (count == 1)
            continue;
        snprintf(shorter, sizeof shorter, "%.*e", count - 2, number);
        CHECK(strtod(shorter, NULL) != number);
    }
}

TEST(globs_match_the_whole_word)
{
    CHECK(text_matches_glob(TEXT("BTCUSDT"), "BTC*"));
    CHECK(text_matches_glob(TEXT("BTCUSDT"), "*USDT"));
    CHECK(text_matches_glob(TEXT("BTCUSDT"), "*C*S*T"));
    CHECK(text_matches_glob(TEXT("BTCUSDT"), "BTC????"));
    CHECK(text_matches_glob(TEXT(""), "*"));
    CHECK(text_matches_glob(TEXT(""), ""));
    CHECK(!text_matches_glob(TEXT("BTCUSDT"), "BTC"));
    CHECK(!text_matches_glob(TEXT("BTCUSDT"), "btc*"));
    CHECK(!text_matches_glob(TEXT("BTCUSDT"), "BTC???"));
    CHECK(!text_matches_glob(TEXT("a"), ""));
    CHECK(!text_matches_glob(TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                             "*a*a*a*a*a*a*a*a*b"));
}

TEST(the_nearest_word_is_the_one_of_fewest_edits)
{
    static const char *const names[] = {"rsi", "sma", "ema", "crossover", "crossunder"};

    CHECK_INT(text_distance(TEXT("rsl"), TEXT("rsi")), 1);
    CHECK_INT(text_distance(TEXT("ris"), TEXT("rsi")), 1);
    CHECK_INT(text_distance(TEXT(""), TEXT("rsi")), 3);
    CHECK_INT(text_distance(TEXT("kitten"), TEXT("sitting")), 3);
    CHECK_TEXT(text_nearest(TEXT("rsl"), names, 5), "rsi");
    CHECK_TEXT(text_nearest(TEXT("crosover"), names, 5), "crossover");
    CHECK_TEXT(text_nearest(TEXT("crossundre"), names, 5), "crossunder");
    CHECK(!text_nearest(TEXT("supertrend"), names, 5));
    CHECK(!text_nearest(TEXT("x"), names, 5));
}

TEST(a_buffer_grows_and_remembers_that_it_failed)
{
    struct buffer buffer = {0};

    CHECK_TEXT(buffer_text(&buffer), "");
    for (int i = 0; i < 1000; i++)
        buffer_addf(&buffer, "%d,", i % 10);
    buffer_add_double(&buffer, 0.5);
    buffer_add_char(&buffer, ';');
    CHECK_INT(buffer.length, 2004);
    CHECK_TEXT(buffer_text(&buffer) + 1998, "9,0.5;");
    buffer_deinit(&buffer);

    mem_fail_at(1, 0);
    buffer_add_text(&buffer, "lost");
    mem_fail_at(0, 0);
    buffer_add_text(&buffer, "and what comes after, too");
    CHECK(buffer.failed);
    CHECK_TEXT(buffer_text(&buffer), "");
    buffer_deinit(&buffer);
}

TEST(only_well_formed_utf8_is_valid)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xC3\xA9",
                                       "\xE2\x82\xAC",
                                       "\xF0\x9F\x98\x80",
                                       "\xED\x9F\xBF",
                                       "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {"\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xC3",
                                      "\xE2\x82",
                                      "\xFF",
                                      "\xC3(",
                                      "\xE2\x82("};

    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK(utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK(!utf8_valid(bad[i], strlen(bad[i])));
    CHECK_INT(utf8_columns("\xE2\x96\x81\xE2\x96\x88 x"), 4);
}

TEST(blanks_are_trimmed_at_both_ends)
{
    CHECK(text_is(text_trim(TEXT(" \ta b\t ")), "a b"));
    CHECK(text_is(text_trim(TEXT(" \t ")), ""));
}
