/* The proof against the future: rules that are honest pass, kernels that peek are found.  Nothing
 * in the language can peek, so the peeking is done by kernels of the test's own, in five ways on
 * four operations. */
#include "rule/prove.h"
#include "support.h"

enum { BARS = 2100, SERIES = SANITIZED ? 1 : 20, PROOF_BYTES = 64 << 20 };

static int64_t times[BARS];
static double columns[BAR_COLUMNS][BARS];

static struct bars random_bars(uint64_t seed)
{
    struct bars bars = {.count = BARS, .time = times};
    struct random random;
    double price = 100;

    random_init(&random, seed, 0);
    for (int t = 0; t < BARS; t++) {
        double open = price,
               wide = t % 220 > 150 ? 0 : 0.01; /* now and then the market stands still */

        if (wide > 0)
            price *= 0.97 + 0.06 * random_unit(&random) + (t % 50 == 7 ? 0.1 : 0) -
                     (t % 50 == 32 ? 0.1 : 0);
        times[t] = 1577836800000 + (int64_t)t * DAY_MS;
        columns[BAR_OPEN][t] = open;
        columns[BAR_CLOSE][t] = price;
        columns[BAR_HIGH][t] = MAX(open, price) * (1 + wide * random_unit(&random));
        columns[BAR_LOW][t] = MIN(open, price) * (1 - wide * random_unit(&random));
        columns[BAR_VOLUME][t] = t % 97 == 5 || t % 220 > 190 ? 0 : 1000 * random_unit(&random);
    }
    for (int c = 0; c < BAR_COLUMNS; c++)
        bars.column[c] = columns[c];
    return bars;
}

static struct proof prove_on(uint64_t series, const struct rule *rule, const double *parameters,
                             const struct kernels *kernels)
{
    struct bars bars = random_bars(series);
    struct arena arena;
    struct proof proof;
    struct error err;
    void *memory = malloc(PROOF_BYTES);

    CHECK(memory != NULL);
    arena_init(&arena, memory, PROOF_BYTES);
    CHECK_OK(rule_prove(&proof, &arena, rule, parameters, kernels, &bars, 0, NULL, &err));
    free(memory);
    return proof;
}

static struct proof prove(const struct rule *rule, const double *parameters,
                          const struct kernels *kernels)
{
    return prove_on(11, rule, parameters, kernels);
}

/* ---- honest rules ---------------------------------------------------- */

static void check_honest(const char *source)
{
    struct compiled c;
    struct proof proof;
    char text[400];

    compile(&c, source);
    proof = prove(c.rule, c.defaults, kernels_select(NULL, LANES_WIDE));
    proof_text(&proof, c.rule, text, sizeof text);
    if (!proof.holds)
        print_error("%s\n", text);
    CHECK(proof.holds);
    CHECK_INT(proof.bars, BARS);
    CHECK_INT(proof.values, rule_operation_count(c.rule));
    CHECK_CONTAINS(text, "none changes with a later bar");
    drop(&c);
}

TEST(the_built_in_rules_hold)
{
    for (size_t i = 0; i < rule_builtin_count; i++) {
        struct compiled c;
        struct proof proof;

        compile(&c, rule_builtins[i].source);
        for (uint64_t series = 0; series < SERIES; series++) {
            proof = prove_on(series, c.rule, c.defaults, kernels_select(NULL, LANES_WIDE));
            CHECK(proof.holds);
        }
        drop(&c);
    }
}

TEST(every_function_of_the_language_holds)
{
    check_honest(
        "r = rsi(close, 5)\nbuy when crossover(r, 30) and rising(close, 3)\nsell when r > 70\n");
    check_honest(
        "buy when close > highest(high, 20)[1]\nsell when close < lowest(low, 150)[100]\n");
    check_honest("buy when count(close > open, 7) > 4\nsell when barssince(volume == 0) > 3\n");
    check_honest("buy when valuewhen(close > open, high, 3) < close\nsell when falling(low, 70)\n");
    check_honest("buy when pivothigh(high, 5, 3) > 0\nsell when nz(pivotlow(low, 3, 70), 0) > 0\n");
    check_honest("buy when since(close > 1.05 * open, high, \"max\") < close\n"
                 "sell when since(close < open, volume, \"sum\") > 900 or since(hour == 0, low, "
                 "\"min\") > 1\n");
    check_honest(
        "x = if(close > open, sma(close, 5), nz(close / volume, 3))\n"
        "buy when x > ema(close, 90)\nsell when isnan(x) or x[65] > x\nstop 2 * atr(14)\n");
    check_honest("buy when weekday == 1 and day < 8 and bar_index > 5\nsell when month != 3 or "
                 "time > 2020-06-01\n");
}

TEST(every_indicator_holds)
{
    for (size_t i = 0; i < indicator_count; i++) {
        const struct indicator *row = indicators[i];
        struct compiled c;
        struct proof proof;
        char text[400];
        size_t length = (size_t)snprintf(text, sizeof text, "%s(", row->name), reals = 0;

        for (int k = 0; k < row->input_count; k++)
            if (row->inputs[k].kind == INPUT_REAL)
                length += (size_t)snprintf(text + length, sizeof text - length,
                                           reals++ ? ", open" : "close / volume");
        snprintf(text + length, sizeof text - length, ")");
        compile_expression(&c, text);
        for (uint64_t series = 0; series < SERIES; series++) {
            proof = prove_on(series, c.rule, c.defaults, kernels_select(NULL, LANES_WIDE));
            proof_text(&proof, c.rule, text, sizeof text);
            if (!proof.holds)
                print_error("%s: %s\n", row->name, text);
            CHECK(proof.holds);
        }
        drop(&c);
    }
}

/* ---- holes ----------------------------------------------------------- */

/* All values of an expression over the bars; lane 0. */
static void run_expression(const struct rule *rule, const struct bars *bars, double (*values)[BARS])
{
    static const double rows[1][LANES_MAX];
    struct program_setup setup = {
        .kernels = kernels_select(NULL, LANES_NARROW), .parameters = rows, .values = true};
    struct program *program;
    struct arena arena;
    struct error err;
    void *memory = malloc(PROOF_BYTES);

    CHECK(memory != NULL);
    arena_init(&arena, memory, PROOF_BYTES);
    CHECK_OK(program_new(&program, &arena, rule, &setup, &err));
    program_start(program);
    for (size_t bar = 0; bar < bars->count; bar++) {
        for (int c = 0; c < BAR_COLUMNS; c++)
            for (int l = 0; l < LANES_NARROW && (program->columns >> c & 1); l++)
                program->column[c][l] = bars->column[c][bar];
        program_block(program, 1);
        for (int v = 0; v < rule->value_count; v++)
            values[v][bar] = program->value[v].at[0];
    }
    free(memory);
}

TEST(an_indicator_has_holes_only_where_its_row_says_so)
{
    static double values[KERNEL_OUTPUTS_MAX][BARS];
    struct bars bars = random_bars(5);

    for (size_t i = 0; i < indicator_count; i++) {
        const struct indicator *row = indicators[i];
        char text[400];
        size_t length = (size_t)snprintf(text, sizeof text, "%s(", row->name), reals = 0;
        int lookbacks[RULE_NODES_MAX];
        struct compiled c;

        for (int k = 0; k < row->input_count; k++)
            if (row->inputs[k].kind == INPUT_REAL)
                length += (size_t)snprintf(text + length, sizeof text - length,
                                           reals++ ? ", open" : "close");
        snprintf(text + length, sizeof text - length, ")");
        compile_expression(&c, text);
        run_expression(c.rule, &bars, values);
        rule_lookbacks(c.rule, c.defaults, lookbacks);
        for (int v = 0; v < c.rule->value_count; v++) {
            int first = 0, lookback = lookbacks[c.rule->values[v].node];
            bool hole = false;

            while (first < BARS && isnan(values[v][first]))
                first++;
            for (int t = first; t < BARS; t++)
                hole |= isnan(values[v][t]);
            if (first != lookback || (hole && !c.rule->nodes[c.rule->values[v].node].holes))
                print_error("%s output %d: from bar %d, look-back %d, holes %d\n", text, v, first,
                            lookback, hole);
            CHECK_INT(first, lookback);
            CHECK(!hole || c.rule->nodes[c.rule->values[v].node].holes);
        }
        drop(&c);
    }
}

/* ---- kernels that peek ----------------------------------------------- */

enum peek { PEEK_NEXT, PEEK_FIFTH, PEEK_OUTPUT, PEEK_LAST_OF_BLOCK, PEEK_CENTERED, PEEKS };

static enum peek peek;
static const struct kernel_functions *honest;

static double *shifted(const struct op *op, size_t bar_count, double *rows)
{
    size_t lanes = op->in[0].step;

    for (size_t t = 0; t < bar_count; t++)
        for (size_t l = 0; l < lanes; l++) {
            size_t from = peek == PEEK_FIFTH           ? t + 5
                          : peek == PEEK_LAST_OF_BLOCK ? bar_count - 1
                                                       : t + 1;
            double ahead = op->in[0].at[MIN(from, bar_count - 1) * lanes + l];

            rows[t * lanes + l] = peek == PEEK_CENTERED ? (op->in[0].at[t * lanes + l] + ahead) / 2
                                                        : ahead;
        }
    return rows;
}

static void run_peeking(struct op *op, size_t bar_count)
{
    static _Alignas(64) double rows[BLOCK_BARS * LANES_MAX];
    struct op copy = *op;

    if (peek == PEEK_OUTPUT) {
        honest->run(op, bar_count);
        for (size_t t = 0; t + 1 < bar_count && op->out[0]; t++)
            memcpy(op->out[0] + t * LANES_WIDE, op->out[0] + (t + 1) * LANES_WIDE,
                   sizeof(double) * LANES_WIDE);
        for (int l = 0; l < LANES_WIDE && op->condition; l++)
            op->condition[l] >>= 1;
        return;
    }
    if (op->in[0].step == 0) {
        honest->run(op, bar_count);
        return;
    }
    copy.in[0].at = shifted(op, bar_count, rows);
    honest->run(&copy, bar_count);
}

TEST(twenty_of_twenty_planted_kernels_that_peek_are_found)
{
    static const struct {
        enum kernel_id kernel;
        int line;
    } planted[] = {{KERNEL_EMA, 2}, {KERNEL_HIGHEST, 3}, {KERNEL_SUB, 4}, {KERNEL_CROSSOVER, 5}};
    const struct kernels *kernels = kernels_select(NULL, LANES_WIDE);
    const struct kernel_functions *functions[KERNELS];
    struct kernel_functions peeking;
    struct compiled c;
    int found = 0;

    compile(&c, "# four operations, a line each\n"
                "slow = ema(close, 10)\n"
                "top = highest(high, 20)\n"
                "gap = close - slow\n"
                "buy when crossover(gap, 0)\n"
                "sell when top > close\n");
    for (size_t k = 0; k < ARRAY_COUNT(planted); k++)
        for (peek = 0; peek < PEEKS; peek++) {
            struct kernels altered = *kernels;
            struct proof proof;
            char text[400], place[40];

            memcpy(functions, kernels->functions, sizeof functions);
            honest = functions[planted[k].kernel];
            peeking = *honest;
            peeking.run = run_peeking;
            functions[planted[k].kernel] = &peeking;
            altered.functions = functions;
            proof = prove(c.rule, c.defaults, &altered);
            CHECK(!proof.holds);
            CHECK_INT(proof.line, planted[k].line);
            proof_text(&proof, c.rule, text, sizeof text);
            snprintf(place, sizeof place, "test.rule:%d:", planted[k].line);
            CHECK_CONTAINS(text, place);
            CHECK_CONTAINS(text, "sees the future");
            found += !proof.holds;
        }
    CHECK_INT(found, 20);
    drop(&c);
}

TEST(a_proof_in_too_little_memory_is_said_to_be)
{
    struct bars bars = random_bars(1);
    struct compiled c;
    struct arena arena;
    struct proof proof;
    struct error err;
    void *memory = malloc(1 << 20);

    CHECK(memory != NULL);
    compile(&c, rule_builtin_find(TEXT("rsi"))->source);
    for (size_t bytes = 0; bytes < 1 << 16; bytes += 997) {
        arena_init(&arena, memory, bytes);
        CHECK_STATUS(rule_prove(&proof, &arena, c.rule, c.defaults,
                                kernels_select(NULL, LANES_WIDE), &bars, 0, NULL, &err),
                     STATUS_MEMORY);
    }
    free(memory);
    drop(&c);
}
