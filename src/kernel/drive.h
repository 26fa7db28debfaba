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

/* Counts of the rows, as constants for the compiler: INPUTS_EMA, OUTPUTS_EMA. */
enum {
#define KERNEL_ROW(id, inputs, conditions, outputs, parameters, gives_condition) \
    INPUTS_##id = (inputs), OUTPUTS_##id = (outputs),
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

#define KERNEL_DRIVEN(id, bytes_of, start_of, ...)                                     \
    static void id##_run(struct op *op, size_t bar_count)                              \
    {                                                                                  \
        drive(op, bar_count, INPUTS_##id, OUTPUTS_##id, (struct driven){__VA_ARGS__}); \
    }                                                                                  \
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
enum { DRIVE_ROWS_AT = 64, DRIVE_ROWS_BYTES_MAX = 24 * 128 };
#define DRIVE_ROWS(type, last) (offsetof(type, last) + sizeof(((type *)NULL)->last) - DRIVE_ROWS_AT)
enum { DRIVE_NO_ROWS = 1 }; /* hot() changes none, but what skip() sees to */

/* While a lane is cold, this many bars are stepped lane by lane before looking again. */
enum { DRIVE_COLD_BARS = 16 };

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

/* ---- the driver ------------------------------------------------------------------------------ */

INLINE bool drive_lane_is_absent(const struct op *op, size_t bar, int lane, int inputs)
{
    bool absent = false;
    for (int i = 0; i < inputs; i++)
        absent |= is_absent(input(op, i, bar, lane));
    return absent;
}

/* Lanes with a NaN, or what is as one, among the inputs of a bar. */
INLINE uint32_t drive_absent(const struct op *op, size_t bar, int inputs)
{
    uint32_t absent = 0;

    EACH_VECTOR(v) {
        i64x4 lanes = splat_i(0);
        for (int i = 0; i < inputs; i++)
            lanes |= is_absent4(input4(op->in[i], bar, v));
        absent |= bits4(lanes) << (v * VECTOR);
    }
    return absent;
}

/* The end of the bars from `first` on with just these lanes absent. */
INLINE size_t drive_stretch(const struct op *op, size_t first, size_t end, int inputs,
                            uint32_t absent)
{
    size_t bar = first;

    if (absent) {
        while (bar < end && drive_absent(op, bar, inputs) == absent)
            bar++;
        return bar;
    }
    for (; bar < end; bar++) { /* the same, for the case that counts */
        i64x4 lanes = splat_i(0);
        for (int i = 0; i < inputs; i++)
            EACH_VECTOR(v)
                lanes |= is_absent4(input4(op->in[i], bar, v));
        if (any4(lanes))
            break;
    }
    return bar;
}

/* Lane outside, bar inside: the lane's state stays near. */
INLINE void drive_steps(struct op *op, size_t first, size_t end, int inputs, int outputs,
                        struct driven kernel)
{
    struct drive *drive = op->state;

    for (int lane = 0; lane < LANES; lane++)
        for (size_t bar = first; bar < end; bar++) {
            uint32_t bit = 1u << lane;
            if (drive_lane_is_absent(op, bar, lane, inputs)) {
                for (int k = 0; k < outputs; k++)
                    output(op, k, bar, lane, NAN);
                if (kernel.skip)
                    kernel.skip(op, bar, lane);
                continue;
            }
            if (kernel.step(op, bar, lane))
                drive->cold &= ~bit;
            drive->fresh &= ~bit;
        }
}

/* As if the lanes had not been there: their rows as before, NaN, and skipped bars. */
INLINE void drive_put_back(struct op *op, size_t first, size_t end, int outputs, uint32_t absent,
                           const double *before, struct driven kernel)
{
    double *rows = (double *)op->state + DRIVE_ROWS_AT / sizeof(double);

    for (; absent; absent &= absent - 1) {
        int lane = __builtin_ctz(absent);
        for (size_t at = (size_t)lane; at < kernel.changed / sizeof(double); at += DRIVE_ROW)
            rows[at] = before[at];
        for (size_t bar = first; bar < end; bar++) {
            for (int k = 0; k < outputs; k++)
                output(op, k, bar, lane, NAN);
            if (kernel.skip)
                kernel.skip(op, bar, lane);
        }
    }
}

INLINE void drive_hot(struct op *op, size_t first, size_t end, int outputs, uint32_t absent,
                      struct driven kernel)
{
    struct drive *drive = op->state;
    double before[DRIVE_ROWS_BYTES_MAX / sizeof(double)];

    if (kernel.changed && absent) {
        memcpy(before, (char *)op->state + DRIVE_ROWS_AT, kernel.changed);
        drive->absent = absent;
    }
    kernel.hot(op, first, end);
    if (kernel.changed && absent) {
        drive->absent = 0;
        drive_put_back(op, first, end, outputs, absent, before, kernel);
    }
}

INLINE void drive(struct op *op, size_t bar_count, int inputs, int outputs, struct driven kernel)
{
    const struct drive *drive = op->state;
    size_t bar = 0;

    if (kernel.push)
        kernel.push(op, bar_count);
    while (bar < bar_count) {
        bool looks = op->holes || drive->cold;
        uint32_t absent = looks && kernel.hot ? drive_absent(op, bar, inputs) : 0;
        size_t end = bar;

        if (kernel.hot && !(drive->cold & ~absent) && (!absent || kernel.changed))
            end = looks ? drive_stretch(op, bar, bar_count, inputs, absent) : bar_count;
        if (kernel.hot && end > bar) {
            drive_hot(op, bar, end, outputs, absent, kernel);
        } else {
            size_t count = !kernel.hot ? bar_count : drive->cold ? DRIVE_COLD_BARS : 1;
            end = bar_count - bar < count ? bar_count : bar + count;
            drive_steps(op, bar, end, inputs, outputs, kernel);
        }
        bar = end;
    }
}

#endif
