/* Nanoseconds a bar-lane of every kernel: one core, blocks over registers that lie in the
 * first-level cache, the smallest of many short runs.
 *
 *     kernels [isa=v3] [lanes=16] [block=64] [parameter=N] [spread] [holes] [absent] [NAME…]
 *     kernels 'stoch(14, 3, 0, 3, 0)' …      expressions as a rule would call them, whole
 *
 * `parameter` instead of each indicator's defaults; `spread` gives every lane a period of its own,
 * `holes` makes the kernels look for NaN, `absent` makes one lane NaN as well.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rule/program.h"

enum { REPEATS = 300, BARS_A_REPEAT = 2048, REGISTERS = 2 };

struct bench {
    const struct kernels *kernels;
    size_t lanes, block;
    double parameter;
    bool holes, spread, absent;
    double *column[KERNEL_INPUTS_MAX][REGISTERS];
    uint64_t *when[KERNEL_CONDITIONS_MAX][REGISTERS];
    double *out[KERNEL_OUTPUTS_MAX];
    uint64_t *condition;
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *memory(size_t bytes)
{
    void *block = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!block)
        abort();
    return memset(block, 0, bytes);
}

/* Walks that look like open, high, low, close, volume by turns, and conditions true one bar in
 * nine. */
static void bench_fill(struct bench *b)
{
    for (int r = 0; r < REGISTERS; r++) {
        for (int i = 0; i < KERNEL_INPUTS_MAX; i++) {
            b->column[i][r] = memory(register_bytes((int)b->lanes));
            for (size_t l = 0; l < b->lanes; l++)
                for (size_t t = 0; t < BLOCK_BARS; t++) {
                    double bar = (double)(t + (size_t)r * BLOCK_BARS), lane = (double)l;
                    double close = 100 + 9 * sin(bar * (0.21 + lane * 0.013)) +
                                   3 * sin(bar * (1.7 + lane * 0.1));
                    double offset[] = {1.0, -1.0, 0.3 * sin(bar * 5), 900.0, 0.1};
                    b->column[i][r][t * b->lanes + l] = b->absent && l == 3 ? NAN
                                                                            : close + offset[i];
                }
        }
        for (int i = 0; i < KERNEL_CONDITIONS_MAX; i++) {
            b->when[i][r] = memory(sizeof(uint64_t) * LANES_MAX);
            for (size_t l = 0; l < b->lanes; l++)
                b->when[i][r][l] = (UINT64_C(0x8040201008040201) << l | l) >>
                                   (BLOCK_BARS - b->block);
        }
    }
    for (int k = 0; k < KERNEL_OUTPUTS_MAX; k++)
        b->out[k] = memory(register_bytes((int)b->lanes));
    b->condition = memory(sizeof(uint64_t) * LANES_MAX);
}

/* An indicator's own default, a window of 20 for the rest of the language. */
static double bench_parameter(const struct bench *b, enum kernel_id kernel, int k)
{
    for (size_t i = 0; i < indicator_count && !b->parameter; i++)
        if (!indicators[i]->formula && indicators[i]->kernel == kernel)
            return indicators[i]->parameters[k].usual;
    return b->parameter ? b->parameter : 20;
}

static double bench_kernel(const struct bench *b, enum kernel_id kernel)
{
    const struct kernel_functions *functions = b->kernels->functions[kernel];
    const struct kernel_row *row = &kernel_rows[kernel];
    double parameter[KERNEL_PARAMETERS_MAX][LANES_MAX] __attribute__((aligned(64)));
    struct op op = {.kernel = kernel, .holes = b->holes, .condition = b->condition};
    double best = INFINITY;

    for (int k = 0; k < row->parameters; k++) {
        op.parameter[k] = parameter[k];
        for (size_t l = 0; l < LANES_MAX; l++)
            parameter[k][l] = bench_parameter(b, kernel, k) + (b->spread ? (double)l : 0);
    }
    for (int k = 0; k < KERNEL_OUTPUTS_MAX; k++)
        op.out[k] = b->out[k];
    if (functions->state_bytes)
        op.state = memory(functions->state_bytes(&op));
    if (functions->start)
        functions->start(&op);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double begin = now_ns();
        for (size_t bar = 0, r = 0; bar < BARS_A_REPEAT; bar += b->block, r = (r + 1) % REGISTERS) {
            for (int i = 0; i < row->inputs; i++)
                op.in[i] = (struct operand){b->column[i][r], b->lanes};
            for (int i = 0; i < row->conditions; i++)
                op.when[i] = b->when[i][r];
            functions->run(&op, b->block);
        }
        double each = (now_ns() - begin) / (double)(BARS_A_REPEAT * b->lanes);
        if (repeat > 0 && each < best)
            best = each;
    }
    free(op.state);
    return best;
}

static double bench_transpose(const struct bench *b)
{
    const double *from[LANES_MAX];
    size_t apart = BARS_A_REPEAT + 20; /* not a power of two */
    double *columns = memory(sizeof(double) * apart * LANES_MAX), best = INFINITY;

    for (size_t l = 0; l < LANES_MAX; l++)
        from[l] = columns + l * apart;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double begin = now_ns();
        for (size_t bar = 0; bar + b->block <= BARS_A_REPEAT; bar += b->block)
            b->kernels->transpose(b->out[0], from, bar, b->block);
        double each = (now_ns() - begin) / (double)(BARS_A_REPEAT * b->lanes);
        best = each < best ? each : best;
    }
    free(columns);
    return best;
}

/* A whole expression: its kernels, what its formula adds, and the evaluator around them. */
static double bench_expression(const struct bench *b, const char *expression)
{
    static const double parameters[RULE_PARAMETERS_MAX][LANES_MAX];
    static unsigned char space[16 << 20];
    struct program_setup setup = {.kernels = b->kernels, .parameters = parameters, .values = true};
    double best = INFINITY;
    struct program *program;
    const struct rule *rule;
    struct arena arena;
    struct error err;

    arena_init(&arena, space, sizeof space);
    if (rule_compile_expression(&rule, &arena, text_of(expression), &err) != STATUS_OK ||
        program_new(&program, &arena, rule, &setup, &err) != STATUS_OK) {
        fprintf(stderr, "kernels: %s\n", err.text);
        exit(1);
    }
    for (int c = 0; c < BAR_COLUMNS; c++)
        for (size_t i = 0; i < BLOCK_BARS * b->lanes && (program->columns >> c & 1); i++) {
            static const double offset[BAR_COLUMNS] = {0.3, 1, -1, 0, 900};
            double bar = (double)(i / b->lanes), lane = (double)(i % b->lanes);

            program->column[c][i] = 100 + 9 * sin(bar * (0.21 + lane * 0.013)) +
                                    3 * sin(bar * (1.7 + lane * 0.1)) + offset[c] * sin(bar * 5);
            if (c == 1 || c == 2 || c == 4)
                program->column[c][i] += 1.5 * offset[c];
        }
    program_start(program);
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double begin = now_ns();
        for (size_t bar = 0; bar < BARS_A_REPEAT; bar += b->block)
            program_block(program, b->block);
        double each = (now_ns() - begin) / (double)(BARS_A_REPEAT * b->lanes);
        if (repeat > 0 && each < best)
            best = each;
    }
    return best;
}

int main(int argc, char **argv)
{
    struct bench b = {.lanes = LANES_WIDE, .block = BLOCK_BARS};
    const char *isa = NULL, *wanted[64];
    size_t wanted_count = 0;

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "isa=", 4) == 0)
            isa = argv[i] + 4;
        else if (strncmp(argv[i], "lanes=", 6) == 0)
            b.lanes = (size_t)atoi(argv[i] + 6);
        else if (strncmp(argv[i], "block=", 6) == 0)
            b.block = (size_t)atoi(argv[i] + 6);
        else if (strncmp(argv[i], "parameter=", 10) == 0)
            b.parameter = atof(argv[i] + 10);
        else if (strcmp(argv[i], "holes") == 0)
            b.holes = true;
        else if (strcmp(argv[i], "absent") == 0)
            b.holes = b.absent = true;
        else if (strcmp(argv[i], "spread") == 0)
            b.spread = true;
        else if (wanted_count < ARRAY_COUNT(wanted))
            wanted[wanted_count++] = argv[i];
    b.kernels = kernels_select(isa, (int)b.lanes);
    if (!b.kernels || b.block < 1 || b.block > BLOCK_BARS) {
        fprintf(stderr, "kernels: no such build here, or a block that is not 1 to %d\n",
                BLOCK_BARS);
        return 2;
    }
    bench_fill(&b);
    for (size_t i = 0; i < wanted_count; i++)
        if (strchr(wanted[i], '('))
            printf("%-28s %8.3f\n", wanted[i], bench_expression(&b, wanted[i]));
    if (!wanted_count)
        printf("%-20s %8.3f\n", "transpose", bench_transpose(&b));
    for (enum kernel_id kernel = 0; kernel < KERNELS; kernel++) {
        bool want = wanted_count == 0;
        for (size_t i = 0; i < wanted_count; i++)
            want |= strcmp(wanted[i], kernel_rows[kernel].name) == 0;
        if (want && b.kernels->functions[kernel])
            printf("%-20s %8.3f\n", kernel_rows[kernel].name, bench_kernel(&b, kernel));
    }
    return 0;
}
