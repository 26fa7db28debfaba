/* A program shares registers between values that do not live at the same time.  The reference gives
 * every node of the graph a register of its own and runs the same kernels in the order of the
 * graph. */
#include "market.h"

#include "rule/program.h"

enum { BARS = 300, ARENA_BYTES = 64 << 20 };

/* ---- the reference -------------------------------------------------------------------------- */

struct plain {
    const struct rule *rule;
    const struct kernels *kernels;
    double (*out)[KERNEL_OUTPUTS_MAX][BLOCK_BARS * LANES_MAX]; /* [node] */
    uint64_t (*words)[LANES_MAX];
    double (*row)[LANES_MAX];
    struct op *ops;
};

static void plain_init(struct plain *plain, struct arena *arena, const struct rule *rule,
                       const struct kernels *kernels, const double (*parameters)[LANES_MAX])
{
    size_t count = (size_t)rule->node_count;

    plain->rule = rule;
    plain->kernels = kernels;
    plain->out = arena_alloc(arena, count * sizeof *plain->out);
    plain->words = arena_alloc(arena, count * sizeof *plain->words);
    plain->row = arena_alloc(arena, count * sizeof *plain->row);
    plain->ops = arena_alloc(arena, count * sizeof *plain->ops);
    CHECK(plain->ops != NULL);
    for (int n = 0; n < rule->node_count; n++)
        for (int l = 0; l < LANES_MAX && rule->nodes[n].type == TYPE_NUMBER; l++) {
            double values[RULE_PARAMETERS_MAX];
            for (int p = 0; p < rule->parameter_count; p++)
                values[p] = parameters[p][l];
            plain->row[n][l] = rule_number(rule, n, values);
        }
    for (int n = 0; n < rule->node_count; n++) {
        const struct node *node = &rule->nodes[n];
        const struct kernel_row *row = &kernel_rows[node->kernel];
        struct op *op = &plain->ops[n];

        if (node->kind != NODE_OP || node->type == TYPE_NUMBER)
            continue;
        op->kernel = node->kernel;
        for (int i = 0; i < row->inputs; i++) {
            const struct node *input = &rule->nodes[node->input[i]];
            int from = input->kind == NODE_OUTPUT ? input->input[0] : node->input[i];
            int output = input->kind == NODE_OUTPUT ? input->index : 0;

            op->in[i] = input->type == TYPE_NUMBER
                            ? (struct operand){plain->row[node->input[i]], 0}
                            : (struct operand){plain->out[from][output], (size_t)kernels->lanes};
            op->holes |= input->holes;
        }
        for (int i = 0; i < row->conditions; i++)
            op->when[i] = plain->words[node->when[i]];
        for (int i = 0; i < row->parameters; i++)
            op->parameter[i] = plain->row[node->parameter[i]];
        for (int i = 0; i < row->outputs; i++)
            op->out[i] = plain->out[n][i];
        op->condition = plain->words[n];
        size_t bytes = kernels->functions[op->kernel]->state_bytes
                           ? kernels->functions[op->kernel]->state_bytes(op)
                           : 0;
        op->state = bytes ? arena_alloc(arena, MAX(bytes, (size_t)64)) : NULL;
        if (kernels->functions[op->kernel]->start)
            kernels->functions[op->kernel]->start(op);
    }
}

static void plain_block(struct plain *plain, size_t bars)
{
    for (int n = 0; n < plain->rule->node_count; n++)
        if (plain->rule->nodes[n].kind == NODE_OP && plain->rule->nodes[n].type != TYPE_NUMBER)
            plain->kernels->functions[plain->ops[n].kernel]->run(&plain->ops[n], bars);
}

/* ---- random rules --------------------------------------------------------------------------- */

static void random_number(struct random *random, struct buffer *out, int depth)
{
    static const char *const leaves[] = {"close", "open", "high", "low",     "volume",
                                         "v0",    "v1",   "v2",   "close[2]"};
    static const char *const calls[] = {"ema(", "sma(", "rsi(", "highest(", "lowest(", "sum("};
    static const char *const signs[] = {" + ", " - ", " * ", " / "};
    uint64_t choice = random_below(random, depth > 0 ? 12 : 3);

    if (choice < 3) {
        buffer_add_text(out, leaves[random_below(random, ARRAY_COUNT(leaves))]);
    } else if (choice < 6) {
        buffer_add_text(out, calls[random_below(random, ARRAY_COUNT(calls))]);
        random_number(random, out, depth - 1);
        if (random_below(random, 3))
            buffer_addf(out, ", %d)", (int)(2 + random_below(random, 12)));
        else
            buffer_add_text(out, ", p)");
    } else if (choice < 7) {
        buffer_add_text(out, "macd(");
        random_number(random, out, depth - 1);
        buffer_addf(out, ", 3, 7, 4).%s", random_below(random, 2) ? "macdhist" : "macdsignal");
    } else if (choice < 8) {
        buffer_addf(out, "atr(%d)", (int)(2 + random_below(random, 9)));
    } else if (choice < 9) {
        buffer_add_text(out, "nz(");
        random_number(random, out, depth - 1);
        buffer_add_text(out, ", 1)");
    } else {
        buffer_add_char(out, '(');
        random_number(random, out, depth - 1);
        buffer_add_text(out, signs[random_below(random, ARRAY_COUNT(signs))]);
        random_number(random, out, depth - 1);
        buffer_add_char(out, ')');
    }
}

static void random_condition(struct random *random, struct buffer *out, int depth)
{
    uint64_t choice = random_below(random, depth > 0 ? 8 : 4);

    if (choice < 4) {
        random_number(random, out, 3);
        buffer_add_text(out, choice < 2 ? " > " : choice < 3 ? " <= " : " < ");
        random_number(random, out, 2);
    } else if (choice < 5) {
        buffer_add_text(out, "crossover(");
        random_number(random, out, 2);
        buffer_add_text(out, ", ");
        random_number(random, out, 2);
        buffer_add_char(out, ')');
    } else if (choice < 6) {
        buffer_add_text(out, "count(");
        random_condition(random, out, depth - 1);
        buffer_add_text(out, ", 5) > q / 2");
    } else {
        buffer_add_text(out, choice < 7 ? "(not (" : "((");
        random_condition(random, out, depth - 1);
        buffer_add_text(out, choice < 7 ? ") or (" : ") and (");
        random_condition(random, out, depth - 1);
        buffer_add_text(out, "))");
    }
}

static const struct rule *random_rule(uint64_t seed)
{
    struct buffer text = {0};
    struct random random;

    random_init(&random, seed, 7);
    buffer_add_text(&text, "param p = 4 in 2..20\nparam q = 5\nv0 = (high + low) / 2\nv1 = "
                           "ema(close, p)\nv2 = close - v1\n");
    buffer_add_text(&text, "v3 = ");
    random_number(&random, &text, 5);
    buffer_add_text(&text, "\nc0 = ");
    random_condition(&random, &text, 2);
    buffer_add_text(&text, "\nbuy when v3 > 0 or ");
    random_condition(&random, &text, 2);
    buffer_add_text(&text, "\nsell when c0\nstop ");
    random_number(&random, &text, 3);
    buffer_add_text(&text, "\n");
    const struct rule *rule = rule_of(buffer_text(&text));
    buffer_deinit(&text);
    return rule;
}

/* ---- tests ---------------------------------------------------------------------------------- */

struct bench {
    struct arena arena;
    struct market market;
    double parameters[RULE_PARAMETERS_MAX][LANES_MAX];
};

static void bench_init(struct bench *bench)
{
    static unsigned char memory[ARENA_BYTES];
    size_t lengths[LANES_MAX];

    arena_init(&bench->arena, memory, sizeof memory);
    for (size_t l = 0; l < LANES_MAX; l++)
        lengths[l] = BARS;
    market_init(&bench->market, LANES_MAX, lengths, 100);
}

static void set_parameters(struct bench *bench, const struct rule *rule)
{
    for (int p = 0; p < rule->parameter_count; p++)
        for (int l = 0; l < LANES_MAX; l++)
            bench->parameters[p][l] = rule->parameters[p].value + l % 3;
}

static void fill(const struct bench *bench, struct program *program, size_t bar, size_t bars)
{
    for (int c = 0; c < RULE_COLUMNS; c++)
        for (size_t t = 0; t < bars && program->column[c]; t++)
            for (int l = 0; l < program->lanes; l++)
                program->column[c][t * (size_t)program->lanes + (size_t)l] =
                    bench->market.column[l][c][bar + t];
}

static double value_of(struct operand operand, size_t t, int lane)
{
    return operand.at[t * operand.step + (size_t)lane];
}

static void check_block(const struct program *program, const struct plain *plain, size_t bars)
{
    const struct rule *rule = plain->rule;

    for (int s = 0; s < SIGNALS; s++)
        for (int l = 0; l < program->lanes && rule->signal[s] != NODE_NONE; l++)
            CHECK(program->signal[s][l] == plain->words[rule->signal[s]][l]);
    for (int level = 0; level < LEVELS; level++) {
        int node = rule->level[level].node;
        const struct node *at = rule->level[level].kind == LEVEL_NONE ? NULL : &rule->nodes[node];

        for (size_t t = 0; t < bars && at; t++)
            for (int l = 0; l < program->lanes; l++) {
                double value = value_of(program->level[level], t, l);
                const double *expected =
                    at->type == TYPE_NUMBER ? &plain->row[node][l]
                    : at->kind == NODE_OUTPUT
                        ? &plain->out[at->input[0]][at->index]
                                     [t * (size_t)program->lanes + (size_t)l]
                        : &plain->out[node][0][t * (size_t)program->lanes + (size_t)l];
                CHECK_SAME_BITS(&value, expected, 1);
            }
    }
}

static void compare_with_plain(struct bench *bench, const struct rule *rule, int lanes,
                               size_t block)
{
    const struct kernels *kernels = kernels_select(NULL, lanes);
    struct program_setup setup = {.kernels = kernels,
                                  .parameters = (const double(*)[LANES_MAX])bench->parameters};
    struct program *program;
    struct plain plain;
    struct error err;

    arena_reset(&bench->arena, 0);
    set_parameters(bench, rule);
    CHECK_OK(program_new(&program, &bench->arena, rule, &setup, &err));
    plain_init(&plain, &bench->arena, rule, kernels, setup.parameters);
    program_start(program);
    for (size_t bar = 0, bars; bar < BARS; bar += bars) {
        bars = MIN(block, BARS - bar);
        fill(bench, program, bar, bars);
        for (int n = 0; n < rule->node_count; n++)
            if (rule->nodes[n].kind == NODE_COLUMN && program->column[rule->nodes[n].index])
                memcpy(plain.out[n][0], program->column[rule->nodes[n].index],
                       bars * (size_t)lanes * sizeof(double));
        program_block(program, bars);
        plain_block(&plain, bars);
        check_block(program, &plain, bars);
    }
}

TEST(shared_registers_change_no_value_of_random_rules)
{
    struct bench bench;

    bench_init(&bench);
    for (uint64_t seed = 0; seed < 300; seed++)
        compare_with_plain(&bench, random_rule(seed), seed % 2 ? LANES_WIDE : LANES_NARROW,
                           seed % 3 ? 64 : 1 + seed % 64);
    market_deinit(&bench.market);
}

TEST(a_long_chain_of_values_takes_few_registers)
{
    struct bench bench;
    struct buffer text = {0};
    struct error err;
    struct program *program;

    bench_init(&bench);
    buffer_add_text(&text, "a0 = close\n");
    for (int i = 1; i < 200; i++)
        buffer_addf(&text, "a%d = (a%d + high) * %d\n", i, i - 1, i);
    buffer_add_text(&text, "buy when a199 > 0\nsell when a199 < 0\n");
    const struct rule *rule = rule_of(buffer_text(&text));
    struct program_setup setup = {.kernels = kernels_select(NULL, LANES_WIDE),
                                  .parameters = (const double(*)[LANES_MAX])bench.parameters};
    CHECK_OK(program_new(&program, &bench.arena, rule, &setup, &err));
    /* two columns, two or three registers, the steps, a row a number */
    CHECK(bench.arena.used < 8 * register_bytes(LANES_WIDE) + 400 * 600 + 200 * 256);
    buffer_deinit(&text);
    market_deinit(&bench.market);
}

TEST(named_values_are_what_they_are_without_being_kept)
{
    struct bench bench;

    bench_init(&bench);
    for (uint64_t seed = 1000; seed < 1060; seed++) {
        const struct rule *rule = random_rule(seed);
        struct program_setup setup = {.kernels = kernels_select(NULL, LANES_WIDE),
                                      .values = true,
                                      .parameters = (const double(*)[LANES_MAX])bench.parameters};
        struct program *kept, *single, *bare;
        struct error err;

        arena_reset(&bench.arena, 0);
        set_parameters(&bench, rule);
        CHECK_OK(program_new(&kept, &bench.arena, rule, &setup, &err));
        CHECK_OK(program_new(&single, &bench.arena, rule, &setup, &err));
        setup.values = false;
        CHECK_OK(program_new(&bare, &bench.arena, rule, &setup, &err));
        program_start(kept);
        program_start(single);
        program_start(bare);
        for (size_t bar = 0; bar < 256; bar += BLOCK_BARS) {
            fill(&bench, kept, bar, BLOCK_BARS);
            fill(&bench, bare, bar, BLOCK_BARS);
            program_block(kept, BLOCK_BARS);
            program_block(bare, BLOCK_BARS);
            for (int s = 0; s < SIGNALS; s++)
                for (int l = 0; l < LANES_WIDE && kept->signal[s]; l++)
                    CHECK(kept->signal[s][l] == bare->signal[s][l]);
            for (size_t t = 0; t < BLOCK_BARS; t++) { /* live: one bar at a time */
                fill(&bench, single, bar + t, 1);
                program_block(single, 1);
                for (int v = 0; v < rule->value_count; v++)
                    for (int l = 0; l < LANES_WIDE; l++)
                        if (rule->nodes[rule->values[v].node].type == TYPE_CONDITION) {
                            CHECK((kept->value_condition[v][l] >> t & 1) ==
                                  single->value_condition[v][l]);
                        } else {
                            double a = value_of(kept->value[v], t, l),
                                   b = value_of(single->value[v], 0, l);
                            CHECK_SAME_BITS(&a, &b, 1);
                        }
            }
        }
    }
    market_deinit(&bench.market);
}

TEST(a_program_that_does_not_fit_its_arena_says_so)
{
    const struct rule *rule = random_rule(5);
    static const double parameters[RULE_PARAMETERS_MAX][LANES_MAX];
    struct program_setup setup = {.kernels = kernels_select(NULL, LANES_WIDE),
                                  .parameters = parameters};
    enum status status = STATUS_MEMORY;
    unsigned char *memory = mem_alloc_aligned(64, 4 << 20);

    for (size_t bytes = 0; status != STATUS_OK; bytes += 1000) {
        struct program *program;
        struct arena arena;
        struct error err;

        CHECK(bytes < 4 << 20);
        arena_init(&arena, memory, bytes);
        status = program_new(&program, &arena, rule, &setup, &err);
        CHECK(status == STATUS_OK || status == STATUS_MEMORY);
    }
    status = STATUS_MEMORY;
    for (long nth = 1; status != STATUS_OK; nth++) {
        struct program *program;
        struct arena arena;
        struct error err;

        CHECK(nth < 1000);
        arena_init(&arena, memory, 4 << 20);
        mem_fail_at(nth, 0);
        status = program_new(&program, &arena, rule, &setup, &err);
        mem_fail_at(0, 0);
        CHECK(status == STATUS_OK || status == STATUS_MEMORY);
    }
    mem_free(memory);
}
