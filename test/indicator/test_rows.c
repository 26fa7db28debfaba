/* The rows: that each is whole, that names are found, that look-backs are TA-Lib's and true, and
 * that formulas do what they say. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "rule/program.h"

enum { BARS = 400, EXPRESSION_BYTES = 32 << 20 };

/* ---- expressions over made-up bars ----------------------------------------------------------- */

struct expression {
    void *memory;
    const struct rule *rule;
    struct program *program;
    double values[RULE_PARAMETERS_MAX];
    double out[KERNEL_OUTPUTS_MAX][BARS];
};

static double bars[RULE_COLUMNS][BARS];

/* Prices of two decimals; from bar `still` on, 60 bars of a market that stands still. */
static void make_bars(uint64_t seed, size_t still)
{
    struct random random;
    double price = 100;

    random_init(&random, seed, 0);
    for (size_t t = 0; t < BARS; t++) {
        bool flat = t >= still && t < still + 60;
        double open = price,
               close = flat ? price : round(price * (95 + 10.1 * random_unit(&random))) / 100;
        bars[COLUMN_OPEN][t] = open;
        bars[COLUMN_CLOSE][t] = price = close;
        bars[COLUMN_HIGH][t] = MAX(open, close) +
                               (flat ? 0 : round(100 * random_unit(&random)) / 100);
        bars[COLUMN_LOW][t] = MIN(open, close) -
                              (flat ? 0 : round(100 * random_unit(&random)) / 100);
        bars[COLUMN_VOLUME][t] = flat ? 0 : (double)random_below(&random, 10000) + 1;
    }
}

static void expression_open(struct expression *e, const char *source)
{
    static double rows[RULE_PARAMETERS_MAX][LANES_MAX];
    struct arena arena;
    struct error err = {.text = ""};
    struct program_setup setup = {
        .kernels = kernels_select(NULL, LANES_WIDE),
        .parameters = (const double(*)[LANES_MAX])rows,
        .values = true,
    };

    e->memory = malloc(EXPRESSION_BYTES);
    CHECK(e->memory != NULL);
    arena_init(&arena, e->memory, EXPRESSION_BYTES);
    if (rule_compile_expression(&e->rule, &arena, text_of(source), &err) != STATUS_OK)
        print_error("%s\n", err.text);
    CHECK_INT(err.status, STATUS_OK);
    CHECK_OK(program_new(&e->program, &arena, e->rule, &setup, &err));
}

/* The bars first…first+count-1 as the whole history, in blocks. */
static void expression_run(struct expression *e, size_t first, size_t count, size_t block)
{
    struct program *program = e->program;

    program_start(program);
    for (size_t bar = 0; bar < count; bar += block) {
        size_t now = MIN(block, count - bar);
        for (int c = 0; c < RULE_COLUMNS; c++)
            for (size_t t = 0; program->columns >> c & 1 && t < now; t++)
                for (int l = 0; l < program->lanes; l++)
                    program->column[c][t * (size_t)program->lanes + (size_t)l] =
                        bars[c][first + bar + t];
        program_block(program, now);
        for (int k = 0; k < e->rule->value_count; k++)
            for (size_t t = 0; t < now; t++)
                e->out[k][bar + t] = program->value[k].at[t * program->value[k].step];
    }
}

static int expression_lookback(const struct expression *e, int output)
{
    int lookbacks[RULE_NODES_MAX];

    rule_lookbacks(e->rule, e->values, lookbacks);
    return lookbacks[e->rule->values[output].node];
}

static void expression_close(struct expression *e)
{
    free(e->memory);
}

/* A call of the row with its parameters as usual, or drawn (seed not 0); the range of one bar may
 * be 0. */
static void write_call_of(char *call, size_t bytes, const struct indicator *row, const char *price,
                          double *values, uint64_t seed)
{
    struct random random;
    size_t length = (size_t)snprintf(call, bytes, "%s(", row->name);
    const char *comma = "";

    random_init(&random, seed, 1);
    for (int i = 0; i < row->input_count; i++)
        if (row->inputs[i].kind == INPUT_REAL) {
            length += (size_t)snprintf(call + length, bytes - length, "%s%s", comma,
                                       i ? "low" : price);
            comma = ", ";
        }
    for (int p = 0; p < row->parameter_count; p++) {
        const struct indicator_parameter *parameter = &row->parameters[p];
        values[p] = parameter->usual;
        if (seed && parameter->kind == PARAMETER_WHOLE)
            values[p] = MAX(parameter->min, 2) + (double)random_below(&random, 20);
        if (seed && parameter->kind == PARAMETER_MATYPE)
            values[p] = ma_types[random_below(&random, ma_type_count)].matype;
        length += (size_t)snprintf(call + length, bytes - length, "%s%.15g", comma, values[p]);
        comma = ", ";
    }
    snprintf(call + length, bytes - length, ")");
}

static void write_call(char *call, size_t bytes, const struct indicator *row, double *values,
                       uint64_t seed)
{
    write_call_of(call, bytes, row, "close", values, seed);
}

/* ---- rows ------------------------------------------------------------------------------------ */

TEST(every_row_is_whole)
{
    for (size_t i = 0; i < indicator_count; i++) {
        const struct indicator *row = indicators[i];
        CHECK(row->name && row->title && row->group && row->definition && row->source);
        CHECK(row->input_count > 0 && row->output_count > 0);
        CHECK((row->formula != NULL) != (row->lookback != NULL));
        for (int p = 0; p < row->parameter_count; p++) {
            const struct indicator_parameter *parameter = &row->parameters[p];
            CHECK(parameter->name && parameter->min <= parameter->usual &&
                  parameter->usual <= parameter->max);
            CHECK_INT(indicator_parameter_find(row, text_of(parameter->name)), p);
        }
        for (int k = 0; k < row->output_count; k++)
            CHECK_INT(indicator_output_find(row, text_of(row->outputs[k].name)), k);
        if (row->formula)
            continue;
        const struct kernel_row *kernel = &kernel_rows[row->kernel];
        CHECK_INT(row->input_count, kernel->inputs);
        CHECK_INT(row->output_count, kernel->outputs);
        CHECK_INT(row->parameter_count, kernel->parameters);
        CHECK(!kernel->gives_condition && kernel->conditions == 0);
    }
}

TEST(every_indicator_kernel_has_a_row)
{
    for (enum kernel_id kernel = KERNEL_SMA; kernel < KERNELS; kernel++) {
        size_t rows = 0;
        for (size_t i = 0; i < indicator_count; i++)
            rows += !indicators[i]->formula && indicators[i]->kernel == kernel;
        CHECK_INT(rows, 1);
    }
}

/* Each word of blank-separated words, in turn. */
static bool next_word(const char **words, struct text *word)
{
    if (!*words || !**words)
        return false;
    *word = (struct text){*words, strcspn(*words, " ")};
    *words += word->length + ((*words)[word->length] == ' ');
    return true;
}

TEST(names_and_aliases_find_their_own_row)
{
    for (size_t i = 0; i < indicator_count; i++) {
        const struct indicator *row = indicators[i];
        const char *words = row->aliases;
        struct text word;

        CHECK(indicator_find(text_of(row->name)) == row);
        while (next_word(&words, &word))
            CHECK(indicator_find(word) == row);
        for (int p = 0; p < row->parameter_count; p++)
            for (words = row->parameters[p].aliases; next_word(&words, &word);)
                CHECK_INT(indicator_parameter_find(row, word), p);
        for (int k = 0; k < row->output_count; k++)
            for (words = row->outputs[k].aliases; next_word(&words, &word);)
                CHECK_INT(indicator_output_find(row, word), k);
    }
    CHECK(indicator_find(TEXT("smaa")) == NULL);
    CHECK(indicator_find(TEXT("sm")) == NULL);
    CHECK(indicator_find(TEXT("")) == NULL);
    CHECK_INT(indicator_parameter_find(indicator_find(TEXT("rsi")), TEXT("perio")), -1);
    CHECK_INT(indicator_output_find(indicator_find(TEXT("macd")), TEXT("hist histogram")), -1);
}

/* ---- look-backs ------------------------------------------------------------------------------ */

TEST(lookbacks_are_those_of_ta_lib)
{
    static const struct {
        const char *call;
        int lookback;
    } cases[] = {
#define LOOKBACK(call, lookback) {call, lookback},
#include "lookback.def"
#undef LOOKBACK
    };

    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        static struct expression e;
        expression_open(&e, cases[i].call);
        for (int k = 0; k < e.rule->value_count; k++) {
            if (expression_lookback(&e, k) != cases[i].lookback)
                print_error("%s, output %d\n", cases[i].call, k);
            CHECK_INT(expression_lookback(&e, k), cases[i].lookback);
        }
        expression_close(&e);
    }
}

TEST(the_first_value_stands_at_the_lookback)
{
    make_bars(3, BARS);
    for (size_t i = 0; i < indicator_count; i++)
        for (uint64_t seed = 0; seed < 12; seed++) {
            static struct expression e;
            double values[KERNEL_PARAMETERS_MAX];
            char call[256];

            write_call(call, sizeof call, indicators[i], values, seed);
            expression_open(&e, call);
            expression_run(&e, 0, BARS, BLOCK_BARS);
            for (int k = 0; k < e.rule->value_count; k++) {
                size_t first = 0;
                while (first < BARS && isnan(e.out[k][first]))
                    first++;
                if (expression_lookback(&e, k) != (int)first)
                    print_error("%s, output %d\n", call, k);
                CHECK_INT(expression_lookback(&e, k), first);
            }
            if (indicators[i]->lookback)
                CHECK_INT(indicators[i]->lookback(values), expression_lookback(&e, 0));
            expression_close(&e);
        }
}

/* ---- formulas -------------------------------------------------------------------------------- */

TEST(blocks_and_prefixes_give_the_same_bits)
{
    static const size_t blocks[] = {1, 2, 7};
    static double whole[KERNEL_OUTPUTS_MAX][BARS];

    make_bars(5, 200);
    for (size_t i = 0; i < indicator_count; i++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            static struct expression e;
            double values[KERNEL_PARAMETERS_MAX];
            char call[256];

            write_call(call, sizeof call, indicators[i], values, seed);
            expression_open(&e, call);
            expression_run(&e, 0, BARS, BLOCK_BARS);
            memcpy(whole, e.out, sizeof whole);
            for (size_t b = 0; b < ARRAY_COUNT(blocks); b++) {
                expression_run(&e, 0, BARS, blocks[b]);
                for (int k = 0; k < e.rule->value_count; k++)
                    CHECK_SAME_BITS(e.out[k], whole[k], BARS);
            }
            for (size_t count = 1; count < BARS; count += 1 + count / 4) {
                expression_run(&e, 0, count, BLOCK_BARS);
                for (int k = 0; k < e.rule->value_count; k++)
                    CHECK_SAME_BITS(e.out[k], whole[k], count);
            }
            expression_close(&e);
        }
}

static bool takes_prices_alone(const struct indicator *row)
{
    for (int i = 0; i < row->input_count; i++)
        if (row->inputs[i].kind != INPUT_REAL)
            return false;
    return true;
}

/* A price that is missing on some bars gives what the bars without those give, to the bit. */
TEST(a_missing_price_leaves_no_trace)
{
    static double kept[RULE_COLUMNS][BARS], whole[KERNEL_OUTPUTS_MAX][BARS];

    for (size_t i = 0; i < indicator_count; i++)
        for (uint64_t seed = 0; seed < 6 && takes_prices_alone(indicators[i]); seed++) {
            static struct expression e;
            double values[KERNEL_PARAMETERS_MAX];
            char call[256];
            size_t count = 0;

            make_bars(20 + seed, BARS);
            for (size_t t = 0; t < BARS; t++)
                if ((t * 7 + seed) % 11 == 3 || (t > 200 && t < 210))
                    bars[COLUMN_VOLUME][t] = 0;
            write_call_of(call, sizeof call, indicators[i], "if(volume > 0, close, close / volume)",
                          values, seed);
            expression_open(&e, call);
            expression_run(&e, 0, BARS, BLOCK_BARS);
            memcpy(whole, e.out, sizeof whole);
            memcpy(kept, bars, sizeof kept);
            for (size_t t = 0; t < BARS; t++) {
                for (int c = 0; c < RULE_COLUMNS; c++)
                    bars[c][count] = kept[c][t];
                for (int k = 0; k < e.rule->value_count; k++) {
                    CHECK(kept[COLUMN_VOLUME][t] > 0 || isnan(whole[k][t]));
                    whole[k][count] = whole[k][t];
                }
                count += kept[COLUMN_VOLUME][t] > 0;
            }
            expression_run(&e, 0, count, BLOCK_BARS);
            for (int k = 0; k < e.rule->value_count; k++) {
                CHECK_SAME_BITS(e.out[k], whole[k], count);
            }
            expression_close(&e);
        }
}

/* Whoever divides 0 by 0 says NaN: no rule may buy because a contract is dead. */
TEST(a_dead_market_has_no_oscillators)
{
    static const char *const calls[] = {"rsi(close, 5)",
                                        "cutler_rsi(close, 5)",
                                        "cmo(close, 5)",
                                        "stoch(5, 3, 0, 3, 0)",
                                        "stochf(5, 3, 0)",
                                        "stochrsi(close, 5, 4, 3, 0)",
                                        "willr(5)",
                                        "cci(5)",
                                        "ultosc(2, 3, 5)",
                                        "mfi(5)",
                                        "plus_di(5)",
                                        "minus_di(5)",
                                        "dx(5)",
                                        "adx(5)",
                                        "adxr(5)",
                                        "correl(high, low, 5)",
                                        "beta(high, low, 5)",
                                        "vwma(5)"};

    make_bars(7, 0);
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        static struct expression e;
        expression_open(&e, calls[i]);
        expression_run(&e, 0, 60, BLOCK_BARS);
        for (int k = 0; k < e.rule->value_count; k++)
            for (size_t t = 0; t < 60; t++) {
                if (!isnan(e.out[k][t]))
                    print_error("%s is %g at bar %zu\n", calls[i], e.out[k][t], t);
                CHECK(isnan(e.out[k][t]));
            }
        expression_close(&e);
    }
}

/* What is kept as TA-Lib has it. */
TEST(lines_and_bands_of_a_dead_market_stand_still)
{
    static const struct {
        const char *call;
        double wanted;
    } cases[] = {{"ad()", 0},
                 {"adosc(3, 5)", 0},
                 {"kama(close, 5)", 100},
                 {"bop()", 0},
                 {"obv()", 0},
                 {"vwap()", 0},
                 {"cmf(5)", 0},
                 {"sar(0.02, 0.2)", 100},
                 {"stddev(close, 5, 1)", 0},
                 {"atr(5)", 0},
                 {"natr(5)", 0},
                 {"roc(close, 5)", 0}};

    make_bars(7, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        static struct expression e;
        expression_open(&e, cases[i].call);
        expression_run(&e, 0, 60, BLOCK_BARS);
        for (size_t t = 10; t < 60; t++)
            CHECK_NEAR(e.out[0][t], cases[i].wanted, 0);
        expression_close(&e);
    }
}

/* While the market stands still nothing is reported, but what comes after goes on from TA-Lib's
 * number. */
TEST(smoothing_goes_on_through_a_standstill)
{
    static struct expression reported, smooth, raw;

    make_bars(9, 150);
    expression_open(&reported, "stoch(5, 3, 0, 3, 0).slowk");
    expression_open(&smooth,
                    "sma(if(highest(high, 5) <= lowest(low, 5), 0, "
                    "100 * (close - lowest(low, 5)) / (highest(high, 5) - lowest(low, 5))), 3)");
    expression_open(&raw, "stochf(5, 1, 0).fastk");
    expression_run(&reported, 0, BARS, BLOCK_BARS);
    expression_run(&smooth, 0, BARS, BLOCK_BARS);
    expression_run(&raw, 0, BARS, BLOCK_BARS);
    for (size_t t = 8; t < BARS; t++) {
        CHECK(isnan(reported.out[0][t]) == (t >= 154 && t < 210));
        CHECK(isnan(raw.out[0][t]) == (t >= 154 && t < 210));
        if (!isnan(reported.out[0][t]))
            CHECK_NEAR(reported.out[0][t], smooth.out[0][t], 1e-12);
    }
    expression_close(&reported);
    expression_close(&smooth);
    expression_close(&raw);
}

TEST(a_type_of_average_is_the_indicator_it_names)
{
    static double wanted[BARS];

    make_bars(11, BARS);
    for (size_t i = 0; i < ma_type_count; i++) {
        static struct expression e;
        char call[128];

        CHECK(ma_type_find(ma_types[i].matype) == &ma_types[i]);
        snprintf(call, sizeof call, "%s(close, 7)", ma_types[i].indicator);
        expression_open(&e, call);
        expression_run(&e, 0, BARS, BLOCK_BARS);
        memcpy(wanted, e.out[0], sizeof wanted);
        expression_close(&e);
        snprintf(call, sizeof call, "ma(close, 7, %d)", ma_types[i].matype);
        expression_open(&e, call);
        expression_run(&e, 0, BARS, BLOCK_BARS);
        CHECK_SAME_BITS(e.out[0], wanted, BARS);
        expression_close(&e);
    }
    CHECK(ma_type_find(7) == NULL);
    CHECK(ma_type_find(0.5) == NULL);
}
