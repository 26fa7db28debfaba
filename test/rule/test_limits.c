/* No input crashes the compiler, hangs it or takes more than its limits. */
#include <time.h>

#include "fuzz_rule.c"
#include "support.h"

struct source {
    char *at;
    size_t length;
};

static struct source source_new(void)
{
    struct source s = {malloc(8 << 20), 0};

    CHECK(s.at != NULL);
    return s;
}

static void add(struct source *s, const char *text, int times)
{
    size_t length = strlen(text);

    for (int i = 0; i < times; i++) {
        memcpy(s->at + s->length, text, length);
        s->length += length;
    }
}

/* Compiles and drops it within a second; a message with the words, or NULL: it must compile. */
static void within_limits(struct source *s, const char *words)
{
    struct compiled c;
    clock_t begin = clock();

    compile_bytes(&c, s->at, s->length);
    if (clock() - begin > 5 * CLOCKS_PER_SEC)
        print_error("took %.1f s\n", (double)(clock() - begin) / CLOCKS_PER_SEC);
    CHECK(clock() - begin <= 5 * CLOCKS_PER_SEC);
    if (c.status != (words ? STATUS_RULE : STATUS_OK))
        print_error("%s\n", c.err.text);
    CHECK_INT(c.status, words ? STATUS_RULE : STATUS_OK);
    if (words)
        CHECK_CONTAINS(c.err.text, words);
    drop(&c);
    free(s->at);
}

TEST(a_source_has_at_most_a_mebibyte)
{
    struct source s = source_new();

    add(&s, "buy when close > open\nexit after 5 bars\n#", 1);
    add(&s, "x", RULE_SOURCE_BYTES_MAX - (int)s.length);
    within_limits(&s, NULL);
    s = source_new();
    add(&s, "#", RULE_SOURCE_BYTES_MAX + 1);
    within_limits(&s, "at most 1048576 bytes");
}

TEST(a_rule_has_at_most_ten_thousand_nodes)
{
    struct source s = source_new();
    char term[40];

    add(&s, "x = 1", 1);
    for (int i = 0; i < 12000; i++) {
        snprintf(term, sizeof term, " + close * %d", i + 2);
        add(&s, term, 1);
    }
    add(&s, "\nbuy when close > x\n", 1);
    within_limits(&s, "more than 10000 operations");
}

TEST(a_long_chain_is_not_deep)
{
    struct source s = source_new();

    add(&s, "buy when close > 1", 1);
    add(&s, " and close > open", 4000);
    add(&s, "\nexit after 3 bars\nx = close", 1);
    add(&s, " - open", 4000);
    add(&s, "\nsay \"{x}\"\n", 1);
    within_limits(&s, NULL);
}

static void nested(const char *before, int depth, const char *inside, const char *after,
                   const char *words)
{
    struct source s = source_new();

    add(&s, "buy when close > ", 1);
    add(&s, before, depth);
    add(&s, inside, 1);
    add(&s, after, depth);
    add(&s, "\nexit after 3 bars\n", 1);
    within_limits(&s, words);
}

TEST(nesting_ends_at_two_hundred)
{
    nested("(", 199, "open", ")", NULL);
    nested("(", 200, "open", ")", "nested more than 200 deep");
    nested("(", 400000, "open", ")", "nested more than 200 deep");
    nested("-", 199, "open", "", NULL);
    nested("-", 400000, "open", "", "nested more than 200 deep");
    nested("abs(", 400000 / 2, "open", ")", "nested more than 200 deep");
    nested("if(not ", 100000, "open", ")", "nested more than 200 deep");
    nested("close[", 100000, "1", "]", "nested more than 200 deep");
    nested("sma(", 100000, "close", ", 2)", "nested more than 200 deep");
    nested("(", 400000, "", "", "nested more than 200 deep");
}

TEST(defs_that_double_are_stopped)
{
    struct source s = source_new();
    char line[80];

    add(&s, "def f0(x) = x * 1.5 + x\n", 1);
    for (int i = 1; i < 60; i++) {
        snprintf(line, sizeof line, "def f%d(x) = f%d(x) + f%d(x)\n", i, i - 1, i - 1);
        add(&s, line, 1);
    }
    add(&s, "buy when f59(close) > 1\n", 1);
    within_limits(&s, "too large");
}

TEST(calls_that_double_are_stopped)
{
    struct source s = source_new();
    char line[160];

    add(&s, "param n = 5\ndef f0(x) = max(sma(x, n + 1), bbands(x, 2 * n).upperband)\n", 1);
    for (int i = 1; i < 60; i++) {
        snprintf(line, sizeof line, "def f%d(x) = max(f%d(x), rsi(f%d(x), n))\n", i, i - 1, i - 1);
        add(&s, line, 1);
    }
    add(&s, "buy when f59(close) > 1\n", 1);
    within_limits(&s, "too large");
}

TEST(defs_that_call_each_other_are_nested)
{
    struct source s = source_new();
    char line[80];

    add(&s, "def f0(x) = x\n", 1);
    for (int i = 1; i < 900; i++) {
        snprintf(line, sizeof line, "def f%d(x) = f%d(x)\n", i, i - 1);
        add(&s, line, 1);
    }
    add(&s, "buy when f899(close) > 1\n", 1);
    within_limits(&s, "nested more than 200 deep");
}

TEST(there_are_at_most_so_many_names_and_parameters)
{
    struct source s = source_new();
    char line[80];

    for (int i = 0; i < 20000; i++) {
        snprintf(line, sizeof line, "v%d = close\n", i);
        add(&s, line, 1);
    }
    within_limits(&s, "at most 1000 values");
    s = source_new();
    for (int i = 0; i < 65; i++) {
        snprintf(line, sizeof line, "param p%d = 1\n", i);
        add(&s, line, 1);
    }
    within_limits(&s, "at most 64 parameters");
    s = source_new();
    for (int i = 0; i < 1001; i++) {
        snprintf(line, sizeof line, "def f%d(x) = x\n", i);
        add(&s, line, 1);
    }
    within_limits(&s, "at most 1000 functions");
    s = source_new();
    add(&s, "param p = 1 in {1", 1);
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, ", %d", i + 2);
        add(&s, line, 1);
    }
    add(&s, "}\n", 1);
    within_limits(&s, "at most 1000 values");
    s = source_new();
    add(&s, "param p = 1\n", 1);
    add(&s, "require p > 0\n", 1001);
    within_limits(&s, "at most 1000 `require`s");
}

TEST(a_look_back_ends_at_a_million_bars)
{
    struct source s = source_new();

    add(&s, "buy when close > close[1000000]\nexit after 1 bars\n", 1);
    within_limits(&s, NULL);
    s = source_new();
    add(&s, "buy when close > close[1000001]\n", 1);
    within_limits(&s, "0 to 1000000");
    s = source_new();
    add(&s, "buy when close > sma(close[999000], 1500)\n", 1);
    within_limits(&s, "looks back more than 1000000 bars");
    s = source_new();
    add(&s, "param n = 600000\nbuy when close > close[n][n]\nexit after 1 bars\n", 1);
    within_limits(&s, "looks back more than 1000000 bars");
}

TEST(formulas_share_their_parts_and_their_limits)
{
    struct source s = source_new();

    add(&s, "buy when close > ", 1);
    add(&s, "bbands(", 150);
    add(&s, "close", 1);
    add(&s, ", 5).upperband", 150);
    add(&s, "\nexit after 1 bars\n", 1);
    within_limits(&s, NULL);
}

/* ---- memory ---------------------------------------------------------- */

static const char whole_language[] =
    "# All of it.\n"
    "param n = 14 in 2..50\nparam l = 3 in {1, 3, 7}\nparam p = 5% in 1%..10% step 1%\nrequire n > "
    "l\n"
    "def f(x, k) = x + sma(x, 2 * k)\n"
    "a, _, b = bbands(close, n)\nc = f(close, l)\nd = valuewhen(close > open, high, 2)\n"
    "buy when a > b and close > c\nsell when not (close < c) or d > high\nshort when close < c[3]\n"
    "cover when since(close > open, low, \"min\") > 3\nstop p\ntarget 2 * atr(14)\ntrail 10%\n"
    "exit after 2 * n bars\nsize risk 1%\nsay \"{a} and {n}\"\n";

TEST(an_arena_of_any_size_is_enough_or_is_said_not_to_be)
{
    struct compiled c;
    size_t need;

    compile(&c, whole_language);
    need = c.arena.used;
    for (size_t bytes = 0; bytes <= need; bytes += bytes + 64 < need ? 61 : 1) {
        struct error err;
        const struct rule *rule = NULL;

        arena_init(&c.arena, c.memory, bytes);
        enum status status = rule_compile(&rule, &c.arena, text_of(whole_language), "test.rule",
                                          &err);

        if (bytes == need) {
            CHECK_INT(status, STATUS_OK);
        } else {
            CHECK_INT(status, STATUS_MEMORY);
            CHECK_CONTAINS(err.text, "test.rule");
        }
    }
    drop(&c);
}

static void fail_each_allocation(const char *source, enum status without)
{
    struct compiled c;
    enum status status = STATUS_MEMORY;

    for (int persistent = 0; persistent < 2; persistent++)
        for (long n = 1; n < 10000; n++) {
            compiled_init(&c);
            mem_fail_at(n, persistent);
            status = rule_compile(&c.rule, &c.arena, text_of(source), "test.rule", &c.err);
            long made = mem_fail_at(0, 0);

            drop(&c);
            if (made < n) {
                CHECK(n > 3);
                break;
            }
            CHECK(status == STATUS_MEMORY ||
                  status == without); /* messages may be cut for want of memory */
        }
    CHECK_INT(status, without);
}

TEST(every_allocation_may_fail)
{
    fail_each_allocation(whole_language, STATUS_OK);
    fail_each_allocation("x = rsl(close)\ny = z\nbuy when close > 5%\n", STATUS_RULE);
}

/* ---- mutations ------------------------------------------------------- */

static const char *const words[] = {
    "(",           ")",
    "[",           "]",
    "{",           "}",
    ",",           ".",
    "..",          "=",
    "==",          "<",
    ">=",          "%",
    "+",           "-",
    "*",           "/",
    "#",           "\"",
    "\n",          "and",
    "or",          "not",
    "if",          "in",
    "step",        "when",
    "buy",         "sell",
    "stop",        "size",
    "risk",        "param",
    "def",         "close",
    "macd(close)", "rsi(close, 14)",
    "1e308",       "0",
    "-1",          "5%",
    "2020-01-31",  "x",
    "f(",          "_",
    "nan",         "\xc3\xa9",
    "\xff",        "ma(close, 5, 3)",
    "highest(",    "after",
    "bars",        ".upperband",
};

static size_t mutate(struct random *random, char *bytes, size_t length, size_t capacity)
{
    size_t at = random_below(random, length + 1), count = random_below(random, 40) + 1;
    const char *word = words[random_below(random, ARRAY_COUNT(words))];

    switch (random_below(random, 5)) {
    case 0: /* a byte */
        if (at < length)
            bytes[at] = (char)random_below(random, 256);
        return length;
    case 1: /* cut out */
        count = MIN(count, length - at);
        memmove(bytes + at, bytes + at + count, length - at - count);
        return length - count;
    case 2: /* doubled */
        count = MIN(MIN(count, length - at), capacity - length);
        memmove(bytes + at + count, bytes + at, length - at);
        return length + count;
    default: /* a word */
        count = MIN(strlen(word), capacity - length);
        memmove(bytes + at + count, bytes + at, length - at);
        memcpy(bytes + at, word, count);
        return length + count;
    }
}

TEST(mutated_rules_compile_or_are_refused)
{
    enum { MUTANTS = 8000 };
    struct random random;
    char bytes[2048];

    random_init(&random, 3, 0);
    for (int i = 0; i < MUTANTS; i++) {
        const char *seed = i % 3 == 0 ? whole_language
                           : i % 3 == 1
                               ? rule_builtins[random_below(&random, rule_builtin_count)].source
                               : "x = nz(rsi(close, 5), 3) > 2 or close[1] > open\nbuy when x\n";
        size_t length = strlen(seed);

        memcpy(bytes, seed, length);
        for (size_t k = random_below(&random, 6) + 1; k > 0; k--)
            length = mutate(&random, bytes, length, sizeof bytes);
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
    }
}

TEST(bytes_that_are_no_text_are_refused)
{
    refuse("buy when close > open\n\x01\n",
           "test.rule:2: error: this is no text file: it holds the byte 0x01");
    refuse("\xff\xfe", "no text in UTF-8");
    refuse("buy when close > open # \xc3\n", "test.rule:1: error: this is no text in UTF-8");
}
