/* kernel: numeric kernels, one plain C body each, built per instruction set and register width.
 *
 * A LANE is a symbol or a parameter set.  A NUMBER REGISTER is double[64][lanes]: 64 bars, lanes
 * innermost.  A CONDITION REGISTER is uint64_t[lanes]: one word a lane, bit t = bar t of the block;
 * bits at and above the block's bar count are 0.  A block has 1…64 bars.  No value ever crosses a
 * lane, and contraction is off, so every build, width and block size gives the same bits.
 *
 *          lane 0   lane 1  …  lane 15                 lane 0  lane 1  …
 *   bar 0  x[0][0]  x[0][1]    x[0][15]         word   bit t of word[l] is bar t of lane l
 *   bar 1  x[1][0]  …
 *
 * An operand is a pointer and a step a bar: `lanes` for a register, 0 for a row of constants (one
 * per lane), so no kernel has a second variant for constants.
 *
 * Registers, constant rows, parameter rows, condition words and state are aligned to 64 bytes.  A
 * lane that nobody uses should hold numbers (a copy of another lane, say): NaN costs time.  `state`
 * holds pointers into itself: it may not be moved between blocks.
 *
 * An OP is a kernel bound to its operands, parameters and state.  Every op may be run over a block
 * of many bars (history) or of one (live): state carries on with the same bits.
 *
 * NaN.  A bar whose input is NaN in a lane gives NaN in that lane and leaves the lane's state as if
 * the bar were not there (recurrences and windows; plain arithmetic just carries NaN on).  An
 * infinity, and what is beyond KERNEL_NUMBER_MOST, is for them as NaN: a sum that it went through
 * would be NaN for ever.  Leading NaN only delay the lane's start.  An op whose inputs cannot be
 * such after their start has `holes` false and pays no test.  Which NaN it is (sign, payload) is no
 * part of the bits.
 *
 * How a kernel is written (kernel/drive.h): `step` advances ONE lane by ONE bar, with warm-up,
 * seeds and every special case; it is the definition.  `hot` advances all lanes over bars on which
 * every lane is warm and no input is NaN, with vectors and without branches, to the same bits.  The
 * driver cuts a block into the two.  A kernel without `hot` is right, only slow.
 */
#ifndef HARRIER_KERNEL_H
#define HARRIER_KERNEL_H

#include "base/base.h"

enum { BLOCK_BARS = 64, LANES_WIDE = 16, LANES_NARROW = 4, LANES_MAX = 16 };
enum {
    KERNEL_INPUTS_MAX = 5,
    KERNEL_CONDITIONS_MAX = 2,
    KERNEL_OUTPUTS_MAX = 3,
    KERNEL_PARAMETERS_MAX = 8
};

/* Numbers that recurrences and windows take: their fourth powers still add up. */
#define KERNEL_NUMBER_MOST 1e70

/* Bytes of a number register, 64 more than its numbers, so that registers never stand a power of
 * two apart (4 KiB aliasing costs 12x). */
static inline size_t register_bytes(int lanes)
{
    return sizeof(double) * BLOCK_BARS * (size_t)lanes + 64;
}

/* One row a kernel: name, number inputs, condition inputs, number outputs, parameters, condition
 * output. KERNEL_SMA … are the rows of kernel.def and (indicators) kernel_indicators.def. */
enum kernel_id {
#define KERNEL_ROW(id, inputs, conditions, outputs, parameters, gives_condition) KERNEL_##id,
#include "kernel/kernel.def"
#include "kernel/kernel_indicators.def"
#undef KERNEL_ROW
    KERNELS
};

struct kernel_row {
    const char *name;
    int inputs, conditions, outputs, parameters;
    bool gives_condition;
};
extern const struct kernel_row kernel_rows[KERNELS];

struct operand {
    const double *at;
    size_t step; /* doubles from one bar to the next: lanes, or 0 for a row of constants */
};

struct op {
    enum kernel_id kernel; /* its row is read in run(): an op within an op has one, too */
    struct operand in[KERNEL_INPUTS_MAX];
    const uint64_t *when[KERNEL_CONDITIONS_MAX];    /* condition inputs: words of all lanes */
    double *out[KERNEL_OUTPUTS_MAX];                /* never NULL, never an input of the same op */
    uint64_t *condition;                            /* condition output */
    const double *parameter[KERNEL_PARAMETERS_MAX]; /* rows of LANES_MAX constants, one per lane */
    void *state;                                    /* 64-byte aligned; state_bytes() of it */
    bool holes; /* an input may be NaN, or too large, after its first number; set before start() */
};

struct kernel_functions {
    size_t (*state_bytes)(const struct op *op); /* from parameters alone; NULL: no state */
    void (*start)(struct op *op); /* state before the first bar; NULL: nothing to do */
    void (*run)(struct op *op, size_t bar_count);
};

/* One build of all kernels. */
struct kernels {
    const char *isa; /* "base", "v3" (AVX2), "v4" (AVX-512, 256-bit vectors) */
    int lanes;       /* LANES_WIDE or LANES_NARROW */
    const struct kernel_functions *const *functions; /* [KERNELS] */

    /* Columns of `lanes` symbols into a register: out[t][l] = from[l][bar + t]. */
    void (*transpose)(double *out, const double *const *from, size_t bar, size_t bar_count);
};

/* The best build that this processor runs, or the one named (NULL: the best; environment and tests
 * name one).  NULL if the name is unknown or the processor cannot run it. */
const struct kernels *kernels_select(const char *isa, int lanes);
size_t kernels_list(const char *names[], size_t max); /* those that run here */

#endif
