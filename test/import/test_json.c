/* The scanner of JSON against jansson: both take a text or both refuse it, and the rows are the
 * same. */
#include "test.h"

#include <jansson.h>
#include <stdlib.h>

#include "import/json.c"

#include "support_json.h"

static void check(const char *text, size_t length, size_t window)
{
    const char *difference = json_compare(text, length, window);

    if (difference)
        print_error("%s: %.*s\n", difference, (int)length, text);
    CHECK(difference == NULL);
}

TEST(valid_and_broken_texts_are_taken_and_refused_as_jansson_does)
{
    static const char *const texts[] = {"[]",
                                        "{}",
                                        "[[]]",
                                        "[[1,2,3,4,5]]",
                                        "[[1,2,3,4]]",
                                        " [ [ 1 , \"2\" , 3.5e-2 , null , true ] ] ",
                                        "{\"a\":[[1,2,3,4,5],[6,7,8,9,10]]}",
                                        "[[1,2,3,4,5],[]]",
                                        "[[1,2,3,4,[5]]]",
                                        "[[1,2,3,4,{\"a\":1}]]",
                                        "[",
                                        "]",
                                        "",
                                        " ",
                                        "[1,]",
                                        "[,1]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{a:1}",
                                        "{\"a\":1,}",
                                        "[[1,2,3,4,5],]",
                                        "[[1,2,3,4,5,]]",
                                        "[[01,2,3,4,5]]",
                                        "[[1.,2,3,4,5]]",
                                        "[[.1,2,3,4,5]]",
                                        "[[-,2,3,4,5]]",
                                        "[[+1,2,3,4,5]]",
                                        "[[1e,2,3,4,5]]",
                                        "[[1,2,3,4,tru]]",
                                        "[[1,2,3,4,nul",
                                        "[[\"\\u12\",2,3,4,5]]",
                                        "[[\"\\u1234\\ud800\",2,3,4,5]]",
                                        "[[\"\\ud83d\\ude00\",2,3,4,5]]",
                                        "[[\"\\x\",2,3,4,5]]",
                                        "[[\"a\nb\",2,3,4,5]]",
                                        "[[\"\xff\",2,3,4,5]]",
                                        "[[\"\xc3\xa4\",2,3,4,5]]",
                                        "[1] [2]",
                                        "[[1,2,3,4,5]]x",
                                        "{\"a\":{\"b\":[[1,2,3,4,5]]}}",
                                        "[[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]]",
                                        "[1 2]",
                                        "{\"a\" 1}",
                                        "{\"a\":1 \"b\":2}",
                                        "[[1,2,3,4,5]",
                                        "\"text\"",
                                        "1",
                                        "null"};

    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        for (size_t window = 1; window <= 64; window *= 2)
            check(texts[i], strlen(texts[i]), window);
}

/* Rows with a byte changed, taken out or doubled here and there. */
TEST(mutated_texts_are_taken_and_refused_as_jansson_does)
{
    static const char bytes[] = "[]{},:\"\\ 019.eE+-tfnu\n\t";
    struct random random;

    random_init(&random, 1, 0);
    for (int i = 0; i < 20000; i++) {
        char text[1024];
        size_t length = (size_t)sprintf(text, random_below(&random, 2) ? "[" : "{\"k\": [");
        bool object = text[0] == '{';
        uint64_t rows = random_below(&random, 6);

        for (uint64_t row = 0; row < rows; row++)
            length += (size_t)sprintf(
                text + length, "%s[%llu, \"%.4f\",%g, %d,null%s]", row ? ", " : "",
                1577836800000ULL + row * 60000, random_unit(&random) * 100, random_unit(&random),
                (int)random_below(&random, 1000), random_below(&random, 2) ? ",\"x\"" : "");
        length += (size_t)sprintf(text + length, object ? "], \"t\": {\"a\": [1, 2]}}" : "]");
        for (uint64_t changes = random_below(&random, 4); changes > 0 && length > 1; changes--) {
            size_t at = random_below(&random, length);

            if (random_below(&random, 3) == 0) {
                memmove(text + at, text + at + 1, length - at - 1);
                length--;
            } else {
                text[at] = bytes[random_below(&random, sizeof bytes - 1)];
            }
        }
        check(text, length, 1 + random_below(&random, 200));
    }
}
