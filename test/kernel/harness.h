/* Runs one kernel over 16 lanes of test data, on any build, width and block size. */
#ifndef HARRIER_TEST_KERNEL_HARNESS_H
#define HARRIER_TEST_KERNEL_HARNESS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"

enum { CASE_BARS_MAX = 400 };

/* Bar-major, like registers: [bar][lane]. */
struct kernel_case {
    enum kernel_id kernel;
    size_t bar_count;
    bool holes;
    bool constant[KERNEL_INPUTS_MAX]; /* the input is a row of constants: its bar 0 */
    double in[KERNEL_INPUTS_MAX][CASE_BARS_MAX][LANES_MAX];
    bool when[KERNEL_CONDITIONS_MAX][CASE_BARS_MAX][LANES_MAX];
    double parameter[KERNEL_PARAMETERS_MAX][LANES_MAX];
};

struct kernel_result {
    double out[KERNEL_OUTPUTS_MAX][CASE_BARS_MAX][LANES_MAX];
    bool condition[CASE_BARS_MAX][LANES_MAX];
    bool stray; /* a condition bit was set behind a block, or memory behind the outputs was touched
                 */
};

static inline void *harness_memory(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!memory)
        abort();
    return memset(memory, 0xa5, bytes); /* what a kernel does not set up shows as 0xa5 */
}

/* One group of kernels->lanes lanes, from `first` on.  Block sizes: `block`, or 1…64 by turns if it
 * is 0. */
static inline void harness_group(const struct kernels *kernels, const struct kernel_case *c,
                                 int first, size_t block, struct kernel_result *result)
{
    const struct kernel_row *row = &kernel_rows[c->kernel];
    const struct kernel_functions *functions = kernels->functions[c->kernel];
    size_t lanes = (size_t)kernels->lanes, register_doubles = BLOCK_BARS * lanes;
    double *parameter[KERNEL_PARAMETERS_MAX] = {0}, *in[KERNEL_INPUTS_MAX] = {0},
           *out[KERNEL_OUTPUTS_MAX] = {0};
    uint64_t *when[KERNEL_CONDITIONS_MAX] = {0};
    struct op op = {
        .kernel = c->kernel, .holes = c->holes, .condition = harness_memory(8 * LANES_MAX)};

    for (int k = 0; k < row->parameters; k++) {
        op.parameter[k] = parameter[k] = harness_memory(sizeof(double) * LANES_MAX);
        for (size_t l = 0; l < lanes; l++)
            parameter[k][l] = c->parameter[k][(size_t)first + l];
    }
    for (int i = 0; i < row->inputs; i++) {
        in[i] = harness_memory(sizeof(double) * register_doubles);
        op.in[i] = (struct operand){in[i], c->constant[i] ? 0 : lanes};
    }
    for (int i = 0; i < row->conditions; i++)
        op.when[i] = when[i] = harness_memory(8 * LANES_MAX);
    for (int k = 0; k < row->outputs; k++)
        op.out[k] = out[k] = harness_memory(sizeof(double) * (register_doubles + 1));
    if (functions->state_bytes)
        op.state = harness_memory(functions->state_bytes(&op));
    if (functions->start)
        functions->start(&op);

    size_t turn = 0;
    for (size_t bar = 0; bar < c->bar_count;) {
        size_t count = block ? block : 1 + (turn++ * 37 + 5) % BLOCK_BARS;
        if (count > c->bar_count - bar)
            count = c->bar_count - bar;
        for (int i = 0; i < row->inputs; i++)
            for (size_t t = 0; t < (c->constant[i] ? 1 : count); t++)
                memcpy(&in[i][t * lanes], &c->in[i][c->constant[i] ? 0 : bar + t][first],
                       sizeof(double) * lanes);
        for (int i = 0; i < row->conditions; i++)
            for (size_t l = 0; l < lanes; l++) {
                when[i][l] = 0;
                for (size_t t = 0; t < count; t++)
                    when[i][l] |= (uint64_t)c->when[i][bar + t][(size_t)first + l] << t;
            }
        for (int k = 0; k < row->outputs; k++)
            out[k][count * lanes] = 42;
        functions->run(&op, count);
        for (int k = 0; k < row->outputs; k++) {
            result->stray |= out[k][count * lanes] != 42;
            for (size_t t = 0; t < count; t++)
                memcpy(&result->out[k][bar + t][first], &out[k][t * lanes], sizeof(double) * lanes);
        }
        for (size_t l = 0; row->gives_condition && l < lanes; l++) {
            result->stray |= count < 64 && op.condition[l] >> count != 0;
            for (size_t t = 0; t < count; t++)
                result->condition[bar + t][(size_t)first + l] = op.condition[l] >> t & 1;
        }
        bar += count;
    }
    for (int k = 0; k < row->parameters; k++)
        free(parameter[k]);
    for (int i = 0; i < row->inputs; i++)
        free(in[i]);
    for (int i = 0; i < row->conditions; i++)
        free(when[i]);
    for (int k = 0; k < row->outputs; k++)
        free(out[k]);
    free(op.state);
    free(op.condition);
}

static inline void harness_run(const struct kernels *kernels, const struct kernel_case *c,
                               size_t block, struct kernel_result *result)
{
    memset(result, 0, sizeof *result);
    for (int first = 0; first < LANES_MAX; first += kernels->lanes)
        harness_group(kernels, c, first, block, result);
}

/* ---- data ------------------------------------------------------------------------------------ */

static inline uint64_t harness_next(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = (*seed ^ *seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}
static inline size_t harness_below(uint64_t *seed, size_t limit)
{
    return (size_t)(harness_next(seed) % limit);
}

enum harness_data {
    DATA_PRICES,  /* walks of prices */
    DATA_LEADING, /* the same, beginning at a bar of each lane's own */
    DATA_HOLES,   /* and with holes */
    DATA_GAPS,    /* and lanes that are absent for long */
    DATA_STEPS,   /* few values with many ties, both zeros, standstill */
    DATA_EXTREME, /* infinities, huge, tiny, zeros, and holes */
    DATA_KINDS
};

static inline double harness_value(enum harness_data data, uint64_t *seed, double last)
{
    static const double extreme[] = {INFINITY,
                                     -INFINITY,
                                     1e308,
                                     -1e308,
                                     5e-324,
                                     -5e-324,
                                     0.0,
                                     -0.0,
                                     1.0,
                                     0.5,
                                     -0.5,
                                     1.5,
                                     -2.5,
                                     0x1p52,
                                     -0x1p53,
                                     0x1.fffffffffffffp-2,
                                     4503599627370495.5};
    static const double steps[] = {0.0, -0.0, 1.0, 1.0, 2.0, -1.0, 1.5};

    if (data == DATA_EXTREME)
        return extreme[harness_below(seed, sizeof extreme / sizeof extreme[0])];
    if (data == DATA_STEPS)
        return harness_below(seed, 3) ? last
                                      : steps[harness_below(seed, sizeof steps / sizeof steps[0])];
    return last * (1.0 + ((double)harness_below(seed, 2001) - 1000.0) / 20000.0);
}

static inline bool harness_has_holes(enum harness_data data)
{
    return data == DATA_HOLES || data == DATA_GAPS || data == DATA_EXTREME;
}

/* Whether a bar of a lane is without a number. */
static inline bool harness_hole(enum harness_data data, size_t t, size_t l, uint64_t *seed)
{
    if (data == DATA_GAPS)
        return l == 9 || (t + 31 * l) % 170 < 10 * (l % 5);
    return harness_has_holes(data) && harness_below(seed, l % 4 ? 40 : 5) == 0;
}

/* Fills inputs and conditions.  Of three inputs or more the first three are high, low and close. */
static inline void harness_fill(struct kernel_case *c, enum harness_data data, uint64_t seed)
{
    c->holes = harness_has_holes(data);
    for (int i = 0; i < KERNEL_INPUTS_MAX; i++)
        for (size_t l = 0; l < LANES_MAX; l++) {
            size_t leading = data == DATA_PRICES || data == DATA_STEPS ? 0
                                                                       : harness_below(&seed, 60);
            double value = data == DATA_STEPS ? 1.0
                                              : 1.0 + (double)harness_below(&seed, 1000) / 7.0;
            for (size_t t = 0; t < c->bar_count; t++) {
                value = harness_value(data, &seed, value);
                bool hole = t < leading || harness_hole(data, t, l, &seed);
                c->in[i][t][l] = hole ? NAN : value;
            }
        }
    for (size_t t = 0;
         data != DATA_EXTREME && kernel_rows[c->kernel].inputs >= 3 && t < c->bar_count; t++)
        for (size_t l = 0; l < LANES_MAX; l++) {
            double close = c->in[2][t][l];
            c->in[0][t][l] = close + fabs(c->in[0][t][l]) * 0.01;
            c->in[1][t][l] = close - fabs(c->in[1][t][l]) * 0.01;
        }
    for (int i = 0; i < KERNEL_CONDITIONS_MAX; i++)
        for (size_t l = 0; l < LANES_MAX; l++)
            for (size_t t = 0; t < c->bar_count; t++)
                c->when[i][t][l] = harness_below(&seed, l % 5 ? 9 : 2) == 0 && l != 7;
}

#endif
