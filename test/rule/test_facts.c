/* What a compiled rule knows: look-back, holes, parameters. */
#include "support.h"

/* ---- look-back ------------------------------------------------------- */

static const struct {
    const char *expression;
    int lookback;
} lookbacks[] = {
    {"close", 0},
    {"close[3]", 3},
    {"close[3][4]", 7},
    {"sma(close, 20)", 19},
    {"sma(sma(close, 20), 10)", 28},
    {"sma(close, 20)[5]", 24},
    {"highest(high, 20)[1]", 20},
    {"lowest(sma(close, 5), 20)", 23},
    {"sum(close, 1)", 0},
    {"change(close)", 1},
    {"change(close, 10)", 10},
    {"rising(close, 3)", 3},
    {"falling(sma(close, 5), 3)", 7},
    {"crossover(close, sma(close, 20))", 20},
    {"crossunder(rsi(close, 14), 30)", 15},
    {"close > sma(close, 20) and close > sma(close, 50)", 49},
    {"(close > sma(close, 20))[2]", 21},
    {"not close > sma(close, 20)", 19},
    {"count(close > sma(close, 20), 10)", 28},
    {"barssince(close > sma(close, 20))", 19},
    {"valuewhen(close > open, sma(close, 20))", 19},
    {"since(close > sma(close, 30), high, \"max\")", 29},
    {"pivothigh(high, 5, 3)", 8},
    {"if(close > open, sma(close, 10), sma(close, 20))", 19},
    {"isnan(sma(close, 20))", 0},
    {"nz(sma(close, 20), close)", 0},
    {"nz(sma(close, 20), sma(close, 5))", 4},
    {"nz(sma(close, 20)) + sma(close, 3)", 2},
    {"macd(close).macdhist", 33},
    {"atr(14)", 14},
    {"hl2 / ohlc4", 0},
    {"max(sma(close, 3), sma(close, 9))", 8},
};

TEST(the_look_back_of_every_form_is_exact)
{
    for (size_t i = 0; i < ARRAY_COUNT(lookbacks); i++) {
        struct compiled c;
        int got;

        compile_expression(&c, lookbacks[i].expression);
        got = rule_lookback(c.rule, c.defaults);
        if (got != lookbacks[i].lookback)
            print_error("%s: look-back %d, expected %d\n", lookbacks[i].expression, got,
                        lookbacks[i].lookback);
        CHECK_INT(got, lookbacks[i].lookback);
        drop(&c);
    }
}

TEST(the_look_back_of_a_rule_is_the_largest_of_all_it_says)
{
    int of[RULE_NODES_MAX];
    struct compiled c;

    compile(
        &c,
        "param n = 5 in 2..50\n"
        "buy when close > sma(close, 2 * n)\nsell when close < highest(low, 3)\nstop atr(n + 20)\n"
        "size (sma(close, 30) / 1000) units\nv = sma(close, 12)\nw = v[n]\n");
    CHECK_INT(rule_lookback(c.rule, c.defaults), 29);
    CHECK_INT(rule_lookback(c.rule, (double[]){50}), 99);
    rule_lookbacks(c.rule, (double[]){50}, of);
    CHECK_INT(of[value_node(c.rule, "w")], 61);
    drop(&c);
}

/* `name(close, …, p = 14)`: every parameter by its own name, with its usual value. */
static void call_text(const struct indicator *row, char *text, size_t bytes)
{
    const char *between = "";
    size_t length = (size_t)snprintf(text, bytes, "%s(", row->name);

    for (int i = 0; i < row->input_count; i++)
        if (row->inputs[i].kind == INPUT_REAL) {
            length += (size_t)snprintf(text + length, bytes - length, "%sclose", between);
            between = ", ";
        }
    for (int i = 0; i < row->parameter_count; i++) {
        char usual[DOUBLE_TEXT_BYTES];

        double_to_text(row->parameters[i].usual, usual);
        length += (size_t)snprintf(text + length, bytes - length, "%s%s = %s", between,
                                   row->parameters[i].name, usual);
        between = ", ";
    }
    snprintf(text + length, bytes - length, ")");
}

TEST(every_indicator_compiles_and_knows_its_look_back)
{
    for (size_t i = 0; i < indicator_count; i++) {
        const struct indicator *row = indicators[i];
        double usual[KERNEL_PARAMETERS_MAX];
        char text[400];
        struct compiled c;

        call_text(row, text, sizeof text);
        compile_expression(&c, text);
        CHECK_INT(c.rule->value_count, row->output_count);
        for (int p = 0; p < row->parameter_count; p++)
            usual[p] = row->parameters[p].usual;
        if (row->lookback)
            CHECK_INT(rule_lookback(c.rule, c.defaults), row->lookback(usual));
        drop(&c);
    }
}

/* ---- holes ----------------------------------------------------------- */

static const struct {
    const char *expression;
    bool holes;
} holes[] = {
    {"close", false},
    {"sma(close, 20)", false},
    {"rsi(close, 14)", true}, /* 0/0 in a market that stands still */
    {"ema(rsi(close, 14), 5)", true},
    {"close / open", false},
    {"close / (high - low)", true},
    {"close / highest(high, 20)", false},
    {"close / hl2", false},
    {"close / ohlc4", false},
    {"close / 2", false},
    {"volume / sma(volume, 20)", true},
    {"close / volume", true},
    {"close / ema(close, 20)", false},
    {"close / sma(close, 20)", true}, /* a running sum may end at 0 */
    {"roc(close, 10)", false},
    {"ppo(close)", false},
    {"trix(close)", false},
    {"log(close)", false},
    {"log(close / open)", true},
    {"sqrt(close)", false},
    {"sqrt(high - low)", true},
    {"pow(close, 2)", false},
    {"pow(close - open, 0.5)", true},
    {"pow(close - open, 3)", false},
    {"pow(close - open, -1)", true},
    {"pow(close, -1)", false},
    {"close[5]", false},
    {"rsi(close, 14)[5]", true},
    {"nz(rsi(close, 14), 50)", false},
    {"nz(close / volume, open)",
     true}, /* not if both begin together; the parts are not looked into */
    {"nz(sma(close, 20), sma(close, 5))", false},
    {"if(close > open, high, low)", false},
    {"if(close > open, sma(close, 5), sma(close, 20))", true},
    {"if(close > open, sma(close, 5), sma(open, 5))", false},
    {"if(close > open, 1, 2)", false},
    {"if(close > open, barssince(volume == 0), 5)", true}, /* it begins when volume is 0 first */
    {"if(close > open, abs(valuewhen(close > open, high)), low)", true},
    {"valuewhen(close > open, high)", false},
    {"valuewhen(close > open, rsi(close, 14))", true},
    {"barssince(close > open)", false},
    {"count(close > open, 5)", false},
    {"pivothigh(high, 2, 2)", true},
    {"since(close > open, high, \"max\")", false},
    {"max(close, rsi(close, 14))", true},
    {"abs(close - open) + 1", false},
    /* what may be infinite, or so large that sums pass it over */
    {"exp(close)", true},
    {"exp(close * 11) - exp(close * 11)", true},
    {"max(0 * exp(close), 1)", true},
    {"log(exp(close))", true},
    {"exp(log(close))", true},
    {"close * 1e300", true},
    {"1e300 + close", true},
    {"pow(close, 300)", true},
    {"pow(close, -300)", true},
    {"close / 1e-300", true},
    {"(close / open) * (high / low)", false},
    {"close * close * volume", false},
    {"volume * volume * close", true},
    {"(close / ema(close, 20) - 1) * 100", false},
    {"close * volume / hl2 / 1_000", false},
    {"wma(2 * wma(close, 8) - wma(close, 16), 4)", false},
    {"close + 2.5 * atr(14)", false},
    {"sma(exp(close), 5)", true},
    {"count(exp(close) > 5, 5)", false},
};

TEST(holes_are_where_a_value_can_be_undefined_again)
{
    for (size_t i = 0; i < ARRAY_COUNT(holes); i++) {
        struct compiled c;
        bool got;

        compile_expression(&c, holes[i].expression);
        got = c.rule->nodes[c.rule->values[0].node].holes;
        if (got != holes[i].holes)
            print_error("%s: holes %d, expected %d\n", holes[i].expression, got, holes[i].holes);
        CHECK(got == holes[i].holes);
        drop(&c);
    }
}

TEST(columns_that_are_read_are_known)
{
    struct compiled c;

    compile_expression(&c, "if(hour > 9 and weekday < 6, hl2, volume)");
    CHECK_INT(rule_columns_read(c.rule), 1 << COLUMN_HIGH | 1 << COLUMN_LOW | 1 << COLUMN_VOLUME |
                                             1 << COLUMN_HOUR | 1 << COLUMN_WEEKDAY);
    CHECK_TEXT(rule_column_name(COLUMN_BAR_INDEX), "bar_index");
    drop(&c);
}

/* ---- parameters ------------------------------------------------------ */

static const char parameters_rule[] =
    "param n = 14 in 2..50\n"
    "param x = 30 in 20..45 step 2.5\n"
    "param y = 0.5 in 0..1\n"
    "param z = 5\n"
    "param l = 3 in {1, 3, 7}\n"
    "param p = 5% in 1%..10% step 1%\n"
    "param d = 2020-01-01\n"
    "require n + l < 40\n"
    "r = rsi(close, n)\n"
    "buy when r < x and close > y and time > d\n"
    "sell when close > sma(close, z) and sma(close, 2 * l - 1) > open\n"
    "stop p\n";

TEST(parameters_know_what_they_are)
{
    struct compiled c;
    const struct rule_parameter *p;

    compile(&c, parameters_rule);
    p = c.rule->parameters;
    CHECK(p[0].whole && p[0].ranged && p[0].low == 2 && p[0].high == 50 && p[0].step == 1);
    CHECK(!p[1].whole && p[1].step == 2.5);
    CHECK(!p[2].whole && p[2].step == 0);
    CHECK(p[3].whole && !p[3].ranged && p[3].least == 1);
    CHECK(p[4].whole && p[4].listed_count == 3 && p[4].listed[2] == 7);
    CHECK(p[5].percent && p[5].value == 0.05 && p[5].low == 0.01 && p[5].high == 0.1);
    CHECK(!p[6].whole && p[6].value == 1577836800000.0);
    drop(&c);
}

static void check_parameter(const struct compiled *c, const char *name, double value,
                            const char *words)
{
    struct error err = {0};
    int index = rule_parameter_find(c->rule, text_of(name), &err);

    CHECK(index >= 0);
    if (!words) {
        CHECK_OK(rule_parameter_check(c->rule, index, value, &err));
        return;
    }
    CHECK_STATUS(rule_parameter_check(c->rule, index, value, &err), STATUS_USAGE);
    CHECK_CONTAINS(err.text, words);
    CHECK_CONTAINS(err.text, name);
}

TEST(parameters_say_what_they_allow)
{
    struct compiled c;
    struct error err;

    compile(&c, parameters_rule);
    check_parameter(&c, "n", 2, NULL);
    check_parameter(&c, "n", 0, "2 to 50");
    check_parameter(&c, "n", 51, "2 to 50");
    check_parameter(&c, "n", 2.5, "whole number");
    check_parameter(&c, "x", 21.3, NULL);
    check_parameter(&c, "x", NAN, "20 to 45");
    check_parameter(&c, "z", 1, NULL);
    check_parameter(&c, "z", 0, "1 to 100000");
    check_parameter(&c, "l", 7, NULL);
    check_parameter(&c, "l", 5, "one of 1, 3, 7");
    check_parameter(&c, "p", 0.03, NULL);
    check_parameter(&c, "p", 3, "1% to 10%");
    check_parameter(&c, "d", -1e30, NULL);
    check_parameter(&c, "d", 1e31, "-1e30 to 1e30");
    check_parameter(&c, "d", INFINITY, "-1e30 to 1e30");
    CHECK_INT(rule_parameter_find(c.rule, TEXT("perood"), &err), -1);
    CHECK_CONTAINS(err.text, "n, x, y, z, l, p, d");
    drop(&c);
    compile(&c, rule_builtin_find(TEXT("rsi"))->source);
    CHECK_INT(rule_parameter_find(c.rule, TEXT("perood"), &err), -1);
    CHECK_CONTAINS(err.text, "did you mean `period`?");
    CHECK_INT(rule_parameter_find(c.rule, TEXT("overbought"), &err), 2);
    drop(&c);
}

static void check_reading(const struct compiled *c, const char *name, const char *text,
                          double value, const char *shown)
{
    struct error err = {0};
    int index = rule_parameter_find(c->rule, text_of(name), &err);
    char is[PARAMETER_TEXT_BYTES];
    double got;

    if (!shown) {
        CHECK_STATUS(rule_parameter_read(c->rule, index, text_of(text), &got, &err), STATUS_USAGE);
        CHECK_CONTAINS(err.text, name);
        return;
    }
    CHECK_OK(rule_parameter_read(c->rule, index, text_of(text), &got, &err));
    CHECK(got == value);
    rule_parameter_text(&c->rule->parameters[index], got, is);
    CHECK_TEXT(is, shown);
}

TEST(parameters_are_read_as_a_file_writes_them)
{
    struct compiled c;

    compile(&c, parameters_rule);
    check_reading(&c, "n", "14", 14, "14");
    check_reading(&c, "n", "1_4", 14, "14");
    check_reading(&c, "n", "fourteen", 0, NULL);
    check_reading(&c, "n", "14 15", 0, NULL);
    check_reading(&c, "n", "", 0, NULL);
    check_reading(&c, "n", "99", 0, NULL);
    check_reading(&c, "y", "2e-1", 0.2, "0.2");
    check_reading(&c, "y", "-1", 0, NULL);
    check_reading(&c, "p", "7%", 0.07, "7%");
    check_reading(&c, "p", "0.07", 0.07, "7%");
    check_reading(&c, "p", "7", 0, NULL);
    check_reading(&c, "d", "2021-02-28", 1614470400000, "2021-02-28");
    check_reading(&c, "d", "2021-02-30", 0, NULL);
    check_reading(&c, "d", "-5", -5, "-5");
    drop(&c);
}

TEST(combinations_that_break_a_require_or_a_period_are_not_allowed)
{
    struct compiled c;
    struct error err;

    compile(&c, "param a = 5\nparam b = 10\nrequire a < b   # as it should\n"
                "buy when sma(close, a) > sma(close, b - a)\nsell when close < open\n");
    CHECK(rule_allows(c.rule, (double[]){5, 10}));
    CHECK_OK(rule_require_check(c.rule, (double[]){5, 10}, &err));
    CHECK(!rule_allows(c.rule, (double[]){10, 5}));
    CHECK_STATUS(rule_require_check(c.rule, (double[]){10, 5}, &err), STATUS_USAGE);
    CHECK_CONTAINS(err.text, "test.rule:3: these parameters break `require a < b`");
    CHECK(!rule_allows(c.rule, (double[]){1, 200000}));
    CHECK_STATUS(rule_require_check(c.rule, (double[]){1, 200000}, &err), STATUS_USAGE);
    CHECK_CONTAINS(err.text, "`timeperiod` of `sma` is 199999");
    drop(&c);
}

TEST(a_look_back_over_the_limit_is_told)
{
    struct compiled c;

    compile(&c, "param n = 5\nbuy when close > close[n][n][n][n]\nsell when close < open\n");
    CHECK_INT(rule_lookback(c.rule, (double[]){250000}), 1000000);
    CHECK_INT(rule_lookback(c.rule, (double[]){250001}), -1);
    drop(&c);
}

TEST(walks_go_through_ranges_and_lists)
{
    struct compiled c;
    const struct rule_parameter *p;

    compile(&c, parameters_rule);
    p = c.rule->parameters;
    CHECK_INT(rule_walk_count(&p[0]), 49);
    CHECK(rule_walk_value(&p[0], 48) == 50);
    CHECK_INT(rule_walk_count(&p[1]), 11);
    CHECK(rule_walk_value(&p[1], 10) == 45);
    CHECK_INT(rule_walk_count(&p[2]), 1); /* reals without a step are not walked */
    CHECK(rule_walk_value(&p[2], 0) == 0.5);
    CHECK_INT(rule_walk_count(&p[3]), 1);
    CHECK_INT(rule_walk_count(&p[4]), 3);
    CHECK(rule_walk_value(&p[4], 2) == 7);
    CHECK_INT(rule_walk_count(&p[5]), 10);
    CHECK(rule_walk_value(&p[5], 9) == 0.1);
    CHECK(rule_grid_combinations(c.rule) == 49.0 * 11 * 3 * 10);
    drop(&c);
}

TEST(a_node_knows_which_parameters_it_depends_on)
{
    struct compiled c;

    compile(&c, "param a = 5\nparam b = 10\nx = sma(close, a)\ny = x > b\nbuy when y\nsell when "
                "close < open\n");
    CHECK_INT(c.rule->nodes[value_node(c.rule, "x")].depends, 1);
    CHECK_INT(c.rule->nodes[value_node(c.rule, "y")].depends, 3);
    CHECK_INT(c.rule->nodes[c.rule->signal[SIGNAL_SELL]].depends, 0);
    drop(&c);
}
