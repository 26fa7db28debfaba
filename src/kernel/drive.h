/* drive: runs a kernel that is written lane by lane, with vectors where it can.
 *
 * HOW TO ADD A KERNEL
 *
 * 1. A row in kernel_indicators.def: KERNEL_ROW(EMA, 1, 0, 1, 1, false).
 *
 * 2. A state: first struct drive, then rows of lanes, and of these first those that hot() changes:
 *
 *        struct ema {
 *            struct drive drive;
 *            double value[LANES] ROW_ALIGNED, share[LANES] ROW_ALIGNED;
 *            int seen[LANES], period[LANES];
 *        };
 *
 *    start() clears it (memset), calls drive_start() and reads the parameters: period_of(op, k, …).
 *
 * 3. step(op, bar, lane): the definition.  One lane takes one bar; no input is NaN.  It reads
 *    input(op, i, bar, lane), writes every output(op, k, bar, lane, x), NAN in the warm-up, and
 *    returns whether the lane is warm, so that hot() may take the next bar.
 *
 * 4. hot(op, first, end), optional: the bars first…end-1 for all lanes, each warm and without NaN,
 *    to the same bits as step.  State into local arrays of ROW vectors, one loop over bars, state
 *    back:
 *
 *        f64x4 value[ROW];
 *        EACH_VECTOR(v)
 *            value[v] = load(s->value + v * VECTOR);
 *        for (size_t bar = first; bar < end; bar++)
 *            EACH_VECTOR(v) {
 *                value[v] += share[v] * (input4(in, bar, v) - value[v]);
 *                output4(out, bar, v, value[v]);
 *            }
 *        EACH_VECTOR(v)
 *            store(s->value + v * VECTOR, value[v]);
 *
 *    `in` and `out` are local copies: struct operand in = op->in[0]; double *restrict out = ….
 *    With many state rows (AVX2 has 16 registers) go over the lanes in chunks of two vectors, as
 *    rsi does.  A maximum is max4(new, old) and max_of(new, old) alike: the order of operands
 *    decides NaN and -0.
 *
 * 5. Inputs of earlier bars: window.h; then push() and skip() as well.
 *
 * 6. KERNEL_DRIVEN(EMA, ema_bytes, ema_start, .step = ema_step, .hot = ema_hot,
 *                  .changed = DRIVE_ROWS(struct ema, value));
 *
 *    `changed` says that the rows of lanes up to `value` are all that hot() changes of a lane
 *    (DRIVE_NO_ROWS: nothing; windows do not count).  Then hot() also serves while some lanes are
 *    absent: the driver puts those lanes' rows back.
 *
 * 7. The source's name in meson.build, a reference in a test.
 *
 * The driver gives NaN for a bar with a NaN (or what is beyond KERNEL_NUMBER_MOST) among the lane's
 * inputs and passes the lane over, with skip() if there is one: the lane is absent.  It looks only
 * where op->holes is set or a lane is not warm. */
#ifndef HARRIER_KERNEL_DRIVE_H
#define HARRIER_KERNEL_DRIVE_H

#include <string.h>

#include "kernel/kernel.h"
#include "kernel/vector.h"

/* Numbers of inputs of the rows, as constants for the compiler: INPUTS_EMA. */
enum {
#define KERNEL_ROW(id, inputs, conditions, outputs, parameters, gives_condition) \
    INPUTS_##id = (inputs),
#include "kernel/kernel.def"
#include "kernel/kernel_indicators.def"
#undef KERNEL_ROW
};

/* Makes the functions of a kernel known to table.c. */
#define KERNEL_DEFINE(id, bytes_of, start_of, run_of)     \
    const struct kernel_functions KERNEL(kernel_##id) = { \
        .state_bytes = (bytes_of),                        \
        .start = (start_of),                              \
        .run = (run_of),                                  \
    }

#define KERNEL_DRIVEN(id, bytes_of, start_of, ...)          \
    static void id##_run(struct op *op, size_t bar_count)   \
    {                                                       \
        drive(op, bar_count, (struct driven){__VA_ARGS__}); \
    }                                                       \
    KERNEL_DEFINE(id, bytes_of, start_of, id##_run)

/* First member of a driven kernel's state.  Bit l is lane l. */
struct drive {
    uint32_t cold;   /* not warm */
    uint32_t fresh;  /* has had no bar yet */
    uint32_t absent; /* within hot(): NaN on all its bars */
};

struct driven {
    bool (*step)(struct op *op, size_t bar, int lane);
    void (*hot)(struct op *op, size_t first, size_t end);
    void (*skip)(struct op *op, size_t bar, int lane); /* the bar does not exist for this lane */
    void (*push)(struct op *op, size_t bar_count);     /* before a block: windows take its inputs */
    size_t changed; /* bytes of state that hot() changes: DRIVE_ROWS, DRIVE_NO_ROWS; 0: unknown */
};

/* Rows of lanes begin behind struct drive, each on a line of its own: DRIVE_ROW doubles apart. */
enum { DRIVE_ROW = LANES < 8 ? 8 : LANES };
enum { DRIVE_ROWS_AT = 64 };
#define DRIVE_ROWS(type, last) (offsetof(type, last) + sizeof(((type *)NULL)->last) - DRIVE_ROWS_AT)
enum { DRIVE_NO_ROWS = 1 }; /* hot() changes none, but what skip() sees to */

INLINE void drive_start(struct drive *drive)
{
    drive->cold = drive->fresh = (1u << LANES) - 1;
}

/* ---- operands -------------------------------------------------------------------------------- */

INLINE double input(const struct op *op, int i, size_t bar, int lane)
{
    return op->in[i].at[bar * op->in[i].step + (size_t)lane];
}
INLINE void output(const struct op *op, int k, size_t bar, int lane, double value)
{
    op->out[k][bar * LANES + (size_t)lane] = value;
}
INLINE f64x4 input4(struct operand in, size_t bar, int v)
{
    return load(in.at + bar * in.step + v * VECTOR);
}
INLINE void output4(double *out, size_t bar, int v, f64x4 value)
{
    store(out + bar * LANES + v * VECTOR, value);
}

/* ---- parameters ------------------------------------------------------------------------------ */

INLINE double parameter(const struct op *op, int k, int lane)
{
    return op->parameter[k][lane];
}

/* A count of bars; what is no number or below `least` is `least`. */
INLINE int period_of(const struct op *op, int k, int lane, int least)
{
    double value = op->parameter[k][lane];
    return value > least ? (int)value : least;
}
INLINE int period_longest(const struct op *op, int k, int least)
{
    int longest = least;
    for (int l = 0; l < LANES; l++)
        longest = period_of(op, k, l, least) > longest ? period_of(op, k, l, least) : longest;
    return longest;
}

/* The period that all lanes share, or 0. */
INLINE int period_shared(const struct op *op, int k, int least)
{
    for (int l = 1; l < LANES; l++)
        if (period_of(op, k, l, least) != period_of(op, k, 0, least))
            return 0;
    return period_of(op, k, 0, least);
}

/* ---- the driver ------------------------------------------------------------------------------
 * The case that counts stands in the kernel.  All others (lanes that are cold, NaN) are in drive.c,
 * once a build, where they call the kernel through pointers. */

void KERNEL(drive_seldom)(struct op *op, size_t bar_count, struct driven kernel);

INLINE void drive(struct op *op, size_t bar_count, struct driven kernel)
{
    const struct drive *drive = op->state;

    if (kernel.push)
        kernel.push(op, bar_count);
    if (kernel.hot && !drive->cold && !op->holes)
        kernel.hot(op, 0, bar_count);
    else
        KERNEL(drive_seldom)(op, bar_count, kernel);
}

#endif
