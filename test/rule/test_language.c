/* Each statement and each operator: what it becomes. */
#include "support.h"

/* A rule that enters, around lines of the test's. */
#define AROUND(lines) lines "buy when close > open\nsell when close < open\n"

static const struct node *node_of(const struct compiled *c, const char *name)
{
    return &c->rule->nodes[value_node(c->rule, name)];
}

static double number_of(const struct compiled *c, const char *name)
{
    const struct node *node = node_of(c, name);

    CHECK_INT(node->type, TYPE_NUMBER);
    return rule_number(c->rule, (int)(node - c->rule->nodes), c->defaults);
}

TEST(the_rule_of_the_contract_compiles_as_it_stands)
{
    struct compiled c;

    compile(&c, "# golden_pullback.rule: buy a pullback in an up-trend, let the winner run\n"
                "param fast = 50  in 20..100 step 10\n"
                "param slow = 200 in 100..300 step 20\n"
                "param dip  = 30  in 20..45  step 2.5\n"
                "require fast < slow\n"
                "\n"
                "trend  = sma(close, fast) > sma(close, slow)\n"
                "r      = rsi(close, 14)\n"
                "line, signal, _ = macd(close)                 # several outputs\n"
                "\n"
                "buy  when trend and crossunder(r, dip)\n"
                "sell when crossover(r, 70) or not trend\n"
                "stop   2 * atr(14)\n"
                "target 15%\n"
                "trail  10%\n"
                "exit after 40 bars\n"
                "size 50%\n"
                "say \"rsi {r} in an up-trend\"\n");
    CHECK_TEXT(c.rule->title, "buy a pullback in an up-trend, let the winner run");
    CHECK_INT(c.rule->parameter_count, 3);
    CHECK_INT(c.rule->require_count, 1);
    CHECK_INT(c.rule->value_count, 4);
    CHECK(c.rule->signal[SIGNAL_BUY] != NODE_NONE);
    CHECK(c.rule->signal[SIGNAL_SELL] != NODE_NONE);
    CHECK_INT(c.rule->signal[SIGNAL_SHORT], NODE_NONE);
    CHECK_INT(c.rule->signal[SIGNAL_COVER], NODE_NONE);
    CHECK_INT(c.rule->level[LEVEL_STOP].kind, LEVEL_DISTANCE);
    CHECK_INT(c.rule->level[LEVEL_TARGET].kind, LEVEL_PERCENT);
    CHECK(rule_number(c.rule, c.rule->level[LEVEL_TARGET].node, c.defaults) == 0.15);
    CHECK(rule_number(c.rule, c.rule->level[LEVEL_TRAIL].node, c.defaults) == 0.1);
    CHECK(rule_number(c.rule, c.rule->exit_after, c.defaults) == 40);
    CHECK_INT(c.rule->size_kind, SIZE_EQUITY);
    CHECK(rule_number(c.rule, c.rule->level[LEVEL_SIZE].node, c.defaults) == 0.5);
    CHECK_TEXT(c.rule->say, "rsi {r} in an up-trend");
    CHECK_INT(rule_lookback(c.rule, c.defaults), 199);
    drop(&c);
}

TEST(numbers_are_read_exactly)
{
    struct compiled c;

    compile(
        &c,
        AROUND("a = 100_000 + close\nb = 1e-4 + close\nn1 = 0.1\nn2 = 1_0.2_5\nn3 = 2020-01-31\n"
               "n4 = 5%\nn5 = 8.0%\nn6 = -3\nn7 = 1E3\nn8 = 7%\n"));
    CHECK(number_of(&c, "n1") == 0.1);
    CHECK(number_of(&c, "n2") == 10.25);
    CHECK(number_of(&c, "n3") == 1580428800000.0);
    CHECK(number_of(&c, "n4") == 0.05);
    CHECK(number_of(&c, "n5") == 0.08);
    CHECK(number_of(&c, "n6") == -3);
    CHECK(number_of(&c, "n7") == 1000);
    CHECK(number_of(&c, "n8") == 0.07);
    drop(&c);
}

TEST(a_number_cannot_be_looked_back_at)
{
    refuse(AROUND("m = 5[1]\n"), "looks back at what changes");
}

TEST(arithmetic_on_literals_is_done_by_the_compiler)
{
    struct compiled c;

    compile(
        &c,
        AROUND(
            "a = 1 + 2 * 3\nb = (1 + 2) * 3\nc = 8 / 4 / 2\nd = 7 - 2 - 1\ne = -2 * 3\nf = 2 * -3\n"
            "g = - - 5\nh = 10 - -5%\ni = 2 + 3 * 4 - 6 / 2\n"
            "j = if(1 < 2 and not 3 < 2 or 1 > 2, 1, 0)\n"
            "k = if(not 1 > 2 and 2 > 3, 1, 0)\n"
            "l = if(1 > 2 or 2 > 1 and 3 > 2, 1, 0)\n"
            "n = max(3, 4) + min(3, 4) + abs(-2) + sign(-7) + floor(-1.5) + ceil(1.2) + "
            "round(2.5)\n"
            "o = nz(log(-1), 9) + sqrt(16) + pow(2, 10) + if(isnan(log(0)), 1, 0)\n"));
    CHECK(number_of(&c, "a") == 7);
    CHECK(number_of(&c, "b") == 9);
    CHECK(number_of(&c, "c") == 1);
    CHECK(number_of(&c, "d") == 4);
    CHECK(number_of(&c, "e") == -6);
    CHECK(number_of(&c, "f") == -6);
    CHECK(number_of(&c, "g") == 5);
    CHECK(number_of(&c, "h") == 10.05);
    CHECK(number_of(&c, "i") == 11);
    CHECK(number_of(&c, "j") == 1);
    CHECK(number_of(&c, "k") == 0);
    CHECK(number_of(&c, "l") == 1);
    CHECK(number_of(&c, "n") == 4 + 3 + 2 - 1 - 2 + 2 + 3);
    CHECK(number_of(&c, "o") == 9 + 4 + 1024 + 1);
    CHECK_INT(node_of(&c, "n")->kind, NODE_LITERAL);
    drop(&c);
}

TEST(equal_expressions_are_one_node)
{
    struct compiled c;

    compile(&c, "a = sma(close, 20)\nb = sma(close, 20)\nc = high + low\nd = low + high\n"
                "e = a > c and c > a\nf = c > a and a > c\ng = hl2\nh = (high + low) / 2\n"
                "buy when e\nsell when f\n");
    CHECK_INT(value_node(c.rule, "a"), value_node(c.rule, "b"));
    CHECK_INT(value_node(c.rule, "c"), value_node(c.rule, "d"));
    CHECK_INT(value_node(c.rule, "e"), value_node(c.rule, "f"));
    CHECK_INT(value_node(c.rule, "g"), value_node(c.rule, "h"));
    CHECK_INT(rule_operation_count(c.rule), 6); /* sma, +, /, two comparisons, and */
    drop(&c);
}

TEST(what_nothing_needs_is_not_in_the_rule)
{
    struct compiled c;

    compile(&c,
            "def unused(x) = highest(x, 99)\n"
            "buy when macd(close).macdhist > 0\nsell when bbands(close, 20).upperband < close\n");
    for (int n = 0; n < c.rule->node_count; n++)
        CHECK(c.rule->nodes[n].kind != NODE_OP || c.rule->nodes[n].kernel != KERNEL_HIGHEST);
    for (int n = 0; n < c.rule->node_count; n++) { /* a node stands behind its inputs */
        for (int i = 0; i < KERNEL_INPUTS_MAX; i++)
            CHECK(c.rule->nodes[n].input[i] < n);
        for (int i = 0; i < KERNEL_CONDITIONS_MAX; i++)
            CHECK(c.rule->nodes[n].when[i] < n);
        for (int i = 0; i < KERNEL_PARAMETERS_MAX; i++)
            CHECK(c.rule->nodes[n].parameter[i] < n);
    }
    drop(&c);
}

TEST(a_line_goes_on_where_the_contract_says)
{
    struct compiled c, flat;

    compile(&c, "x = (close +\n\n  # a comment between\n  open)\n"
                "y = close -\n    open\n"
                "z = max(close,\n  open)\n"
                "a, b,\n  c = macd(close)\n"
                "buy when close > open\n   and x > 5\n\n # between\n   or y > 3 and\n z > 2\n"
                "sell when close <\n open\r\n");
    compile(&flat,
            "x = (close + open)\ny = close - open\nz = max(close, open)\na, b, c = macd(close)\n"
            "buy when close > open and x > 5 or y > 3 and z > 2\nsell when close < open\n");
    CHECK_INT(c.rule->node_count, flat.rule->node_count);
    for (int n = 0; n < c.rule->node_count; n++)
        CHECK_INT(c.rule->nodes[n].kernel, flat.rule->nodes[n].kernel);
    CHECK_INT(c.rule->signal[SIGNAL_BUY], flat.rule->signal[SIGNAL_BUY]);
    drop(&c);
    drop(&flat);
}

TEST(functions_and_values_have_names_of_their_own)
{
    struct compiled c;

    compile(
        &c,
        "atr = atr(14)\nrsi = rsi(close, 14)\nbuy when rsi < 30 and atr > 1\nsell when rsi > 70\n");
    CHECK_INT(node_of(&c, "atr")->kernel, KERNEL_ATR);
    drop(&c);
}

TEST(words_of_the_grammar_are_words_only_in_their_place)
{
    struct compiled c;

    compile(&c,
            "param risk = 5 in 1..9 step 1\nparam units = 3\nbars = close\nstep = open\ncash = 2%\n"
            "after = 3\nby = 1\n"
            "buy when bars > step + units + by\nsell when bars < step\nsize cash\nstop risk%\n"
            "exit after after bars\n");
    CHECK_INT(c.rule->size_kind, SIZE_EQUITY);
    CHECK(rule_number(c.rule, c.rule->exit_after, c.defaults) == 3);
    drop(&c);
}

static void check_size(const char *line, enum size_kind kind, double number)
{
    struct compiled c;
    char source[200];

    snprintf(source, sizeof source,
             "param risk = 5\nbuy when close > open\nsell when close < risk\nstop 5%%\n%s\n", line);
    compile(&c, source);
    CHECK_INT(c.rule->size_kind, kind);
    CHECK(rule_number(c.rule, c.rule->level[LEVEL_SIZE].node, c.defaults) == number);
    drop(&c);
}

TEST(sizes_are_shares_units_cash_and_risk)
{
    check_size("size 50%", SIZE_EQUITY, 0.5);
    check_size("size 10 units", SIZE_UNITS, 10);
    check_size("size 1_000 cash", SIZE_CASH, 1000);
    check_size("size risk 1%", SIZE_RISK, 0.01);
    check_size("size risk%", SIZE_EQUITY, 0.05);
    check_size("size risk units", SIZE_UNITS, 5);
}

TEST(levels_are_percents_or_distances)
{
    struct compiled c;

    compile(&c, "param sl = 8\nparam tp = 15% in 10%..20% step 1%\n"
                "buy when close > open\nstop sl%\ntarget 2 * tp\ntrail (3 * atr(14) / close)%\n");
    CHECK_INT(c.rule->level[LEVEL_STOP].kind, LEVEL_PERCENT);
    CHECK_INT(c.rule->level[LEVEL_TARGET].kind, LEVEL_PERCENT);
    CHECK_INT(c.rule->level[LEVEL_TRAIL].kind, LEVEL_PERCENT);
    CHECK_INT(c.rule->nodes[c.rule->level[LEVEL_TRAIL].node].type, TYPE_COLUMN);
    CHECK(rule_number(c.rule, c.rule->level[LEVEL_STOP].node, c.defaults) == 0.08);
    CHECK(rule_number(c.rule, c.rule->level[LEVEL_TARGET].node, c.defaults) == 0.3);
    CHECK(c.rule->parameters[1].percent);
    CHECK(c.rule->parameters[1].step == 0.01);
    drop(&c);
    compile(&c, "buy when close > open\nstop 5% * close\n");
    CHECK_INT(c.rule->level[LEVEL_STOP].kind, LEVEL_DISTANCE);
    drop(&c);
}

TEST(a_def_is_inlined_with_its_arguments)
{
    struct compiled c;

    compile(
        &c,
        "half = 0.5\n"
        "def middle(x, n) = (highest(x, n) + lowest(x, n)) * half\n"
        "def twice(x) = middle(x, 9) + middle(x, 26)\n"
        "def sma(x, n) = ema(x, n)\n"
        "a = middle(close, 9)\nb = (highest(close, 9) + lowest(close, 9)) * 0.5\n"
        "c = twice(high)\nd = middle(n = 5, x = close)\ne = sma(close, 10)\nf = ema(close, 10)\n"
        "buy when a > d + c + e\nsell when b < f\n");
    CHECK_INT(value_node(c.rule, "a"), value_node(c.rule, "b"));
    CHECK_INT(value_node(c.rule, "e"), value_node(c.rule, "f"));
    CHECK_CONTAINS(rule_warnings(c.rule), "from here on `sma` is this function");
    drop(&c);
}

TEST(a_def_sees_what_stood_above_it)
{
    refuse("def f(x) = x + later\nlater = 5\nbuy when close > f(close)\n", "unknown name `later`");
    refuse("def f(x) = f(x) + 1\nbuy when close > f(close)\n", "`f` calls itself: a def cannot");
    refuse("def f(x) = g(x)\ndef g(x) = x\nbuy when close > f(close)\n", "unknown function `g`");
}

TEST(if_chooses_numbers_columns_and_conditions)
{
    struct compiled c;

    compile(&c, "a = if(close > open, high, low)\nb = if(close > open, 1, 2)\n"
                "c = if(close > open, high > 5, low > 5)\n"
                "buy when c\nsell when a > b\n");
    CHECK_INT(node_of(&c, "a")->type, TYPE_COLUMN);
    CHECK_INT(node_of(&c, "b")->type, TYPE_COLUMN);
    CHECK_INT(node_of(&c, "c")->type, TYPE_CONDITION);
    drop(&c);
}

TEST(arguments_come_by_place_and_by_name)
{
    struct compiled c;

    compile(&c, "a = rsi(close, 5)\nb = rsi(close, timeperiod = 5)\nc = rsi(close, period = 5)\n"
                "d = macd(close, slow = 30).hist\ne = macd(close, 12, 30, 9).macdhist\n"
                "f = highest(close, period = 5)\ng = highest(price = close, length = 5)\n"
                "buy when a < d + f\nsell when b > c + e + g\n");
    CHECK_INT(value_node(c.rule, "a"), value_node(c.rule, "b"));
    CHECK_INT(value_node(c.rule, "a"), value_node(c.rule, "c"));
    CHECK_INT(value_node(c.rule, "d"), value_node(c.rule, "e"));
    CHECK_INT(value_node(c.rule, "f"), value_node(c.rule, "g"));
    drop(&c);
}

TEST(an_average_is_named_by_its_number_or_its_name)
{
    struct compiled c;

    compile(&c,
            "a = ma(close, 10, 1)\nb = ma(close, 10, \"ema\")\nc = ema(close, 10)\n"
            "d = ma(close, 1, 1)\ne = ma(close, 10)\nf = sma(close, 10)\ng = ma(close, 9, \"t3\")\n"
            "h = t3(close, 9)\nbuy when a > b + c + d\nsell when e < f + g + h\n");
    CHECK_INT(value_node(c.rule, "a"), value_node(c.rule, "b"));
    CHECK_INT(value_node(c.rule, "a"), value_node(c.rule, "c"));
    CHECK_INT(node_of(&c, "d")->kind,
              NODE_COLUMN); /* as TA-Lib: of one bar it is the price itself */
    CHECK_INT(value_node(c.rule, "e"), value_node(c.rule, "f"));
    CHECK_INT(value_node(c.rule, "g"), value_node(c.rule, "h"));
    drop(&c);
}

TEST(conditions_on_parameters_are_numbers_of_the_compiler_too)
{
    struct compiled c;

    compile(&c, "param n = 5\nrequire n >= 5 and n <= 5 and n == 5 and not n != 5\n"
                "a = if(n >= 5, exp(0), 7)\nb = if(n == 4, 1, 2 * n)\nc = sma(close, if(n != 5, 3, "
                "n + 1))\n"
                "buy when close > a + b\nsell when close < c\n");
    CHECK(number_of(&c, "a") == 1);
    CHECK(number_of(&c, "b") == 10);
    CHECK(rule_allows(c.rule, c.defaults));
    CHECK(!rule_allows(c.rule, (double[]){4}));
    CHECK_INT(rule_lookback(c.rule, c.defaults), 5);
    drop(&c);
}

TEST(shares_of_shares_are_shares)
{
    struct compiled c;

    compile(&c,
            "param p = 8%\nbuy when close / close[1] - 1 > p / 2\nstop p / 2\ntarget 5% * 3 + p\n"
            "trail max(p, 5%)\n");
    CHECK_INT(c.rule->level[LEVEL_STOP].kind, LEVEL_PERCENT);
    CHECK_INT(c.rule->level[LEVEL_TARGET].kind, LEVEL_PERCENT);
    CHECK_INT(c.rule->level[LEVEL_TRAIL].kind, LEVEL_PERCENT);
    drop(&c);
}

TEST(an_expression_names_its_outputs)
{
    struct compiled c;

    compile_expression(&c, " sma(close, 20) ");
    CHECK_INT(c.rule->value_count, 1);
    CHECK_TEXT(c.rule->values[0].name, "sma(close, 20)");
    drop(&c);
    compile_expression(&c, "bbands(close, 20, 2, 2, 0)");
    CHECK_INT(c.rule->value_count, 3);
    CHECK_TEXT(c.rule->values[0].name, "upperband");
    CHECK_TEXT(c.rule->values[2].name, "lowerband");
    drop(&c);
    compile_expression(&c, "close > sma(close, 20)\n");
    CHECK_INT(c.rule->nodes[c.rule->values[0].node].type, TYPE_CONDITION);
    CHECK_INT(c.rule->signal[SIGNAL_BUY], NODE_NONE);
    drop(&c);
    compile_expression(&c, "low / high");
    drop(&c);
}

TEST(an_expression_is_one)
{
    struct compiled c;

    compiled_init(&c);
    CHECK_STATUS(rule_compile_expression(&c.rule, &c.arena, TEXT("close close"), &c.err),
                 STATUS_RULE);
    CHECK_CONTAINS(c.err.text, "expression:1:7");
    CHECK_STATUS(rule_compile_expression(&c.rule, &c.arena, TEXT(""), &c.err), STATUS_RULE);
    CHECK_STATUS(rule_compile_expression(&c.rule, &c.arena, TEXT("x = 5"), &c.err), STATUS_RULE);
    CHECK_STATUS(rule_compile_expression(&c.rule, &c.arena, TEXT("close\nopen"), &c.err),
                 STATUS_RULE);
    drop(&c);
}

TEST(the_built_in_rules_compile_without_a_warning)
{
    for (size_t i = 0; i < rule_builtin_count; i++) {
        struct compiled c;

        compile(&c, rule_builtins[i].source);
        CHECK_TEXT(rule_warnings(c.rule), "");
        CHECK(rule_allows(c.rule, c.defaults));
        CHECK(c.rule->title[0] != '\0');
        drop(&c);
    }
    CHECK(rule_builtin_find(TEXT("rsi")) == &rule_builtins[0]);
    CHECK(rule_builtin_find(TEXT("rsj")) == NULL);
    CHECK_TEXT(rule_builtin_nearest(TEXT("golden_cros")), "golden_cross");
}

TEST(the_plan_is_explained)
{
    struct compiled c;
    struct buffer out = {0};

    compile(&c, rule_builtin_find(TEXT("rsi"))->source);
    rule_explain(c.rule, c.defaults, &out);
    CHECK_CONTAINS(buffer_text(&out), "3 operations a bar");
    CHECK_CONTAINS(buffer_text(&out), "rsi(close, period)");
    CHECK_CONTAINS(buffer_text(&out), "a lane each: period, oversold");
    CHECK_CONTAINS(buffer_text(&out), "buy when");
    buffer_deinit(&out);
    drop(&c);
}

static int offset_minutes(const char *venue, enum timeframe frame, const char *time)
{
    struct market_name market = {.frame = frame};
    int64_t time_ms;
    struct error err;

    snprintf(market.venue, sizeof market.venue, "%s", venue);
    CHECK_OK(time_parse(&time_ms, text_of(time), 0, &err));
    return (int)(rule_clock_offset_ms(&market, time_ms) / 60000);
}

/* The expected minutes are those of the tz database. */
TEST(venues_have_clocks_with_summer_time)
{
    static const struct {
        const char *venue, *time;
        int minutes;
    } times[] = {
        {"nse", "2024-06-01T00:00:00Z", 330},   {"NSE", "1999-01-01T00:00:00Z", 330},
        {"bybit", "2024-06-01T00:00:00Z", 0},   {"nyse", "2024-01-15T12:00:00Z", -300},
        {"nyse", "2024-03-10T06:59:59Z", -300}, {"nyse", "2024-03-10T07:00:00Z", -240},
        {"nyse", "2024-11-03T05:59:59Z", -240}, {"nyse", "2024-11-03T06:00:00Z", -300},
        {"us", "2006-03-20T12:00:00Z", -300},   {"us", "2006-04-02T07:00:00Z", -240},
        {"us", "2006-10-29T05:59:59Z", -240},   {"us", "2006-10-29T06:00:00Z", -300},
        {"cme", "2007-03-11T07:59:59Z", -360},  {"cme", "2007-03-11T08:00:00Z", -300},
        {"lse", "2021-03-28T00:59:59Z", 0},     {"lse", "2021-03-28T01:00:00Z", 60},
        {"xetra", "2021-10-31T00:59:59Z", 120}, {"xetra", "2021-10-31T01:00:00Z", 60},
        {"xetra", "2020-12-31T23:30:00Z", 60},  {"tse", "2024-07-01T00:00:00Z", 540},
    };

    for (size_t i = 0; i < ARRAY_COUNT(times); i++)
        CHECK_INT(offset_minutes(times[i].venue, TIMEFRAME_1H, times[i].time), times[i].minutes);
    CHECK_INT(offset_minutes("nyse", TIMEFRAME_1D, "2024-06-01T00:00:00Z"), 0);
}

TEST(columns_of_time_are_read_off_the_venues_clock)
{
    int64_t time = 1580475909000; /* 2020-01-31 13:05:09, a Friday */

    CHECK(rule_column_of_time(COLUMN_TIME, time, 0) == 1580475909000.0);
    CHECK(rule_column_of_time(COLUMN_HOUR, time, 0) == 13);
    CHECK(rule_column_of_time(COLUMN_MINUTE, time, 0) == 5);
    CHECK(rule_column_of_time(COLUMN_DAY, time, 0) == 31);
    CHECK(rule_column_of_time(COLUMN_WEEKDAY, time, 0) == 5);
    CHECK(rule_column_of_time(COLUMN_MONTH, time, 0) == 1);
    CHECK(rule_column_of_time(COLUMN_YEAR, time, 0) == 2020);
    CHECK(rule_column_of_time(COLUMN_HOUR, time, 11 * 3600000) == 0);
    CHECK(rule_column_of_time(COLUMN_DAY, time, 11 * 3600000) == 1);
    CHECK(rule_column_of_time(COLUMN_WEEKDAY, time, 11 * 3600000) == 6);
    CHECK(rule_column_of_time(COLUMN_HOUR, -1, 0) == 23);
    CHECK(rule_column_of_time(COLUMN_YEAR, -1, 0) == 1969);
}
