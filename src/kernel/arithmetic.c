/* Numbers to numbers, bar by bar, without state.  NaN in, NaN out. */
#include "kernel/drive.h"

#define UNARY(id, value)                                  \
    static void id##_run(struct op *op, size_t bar_count) \
    {                                                     \
        struct operand in = op->in[0];                    \
        double *restrict out = op->out[0];                \
                                                          \
        for (size_t bar = 0; bar < bar_count; bar++)      \
            EACH_VECTOR(v) {                              \
                f64x4 a = input4(in, bar, v);             \
                output4(out, bar, v, (value));            \
            }                                             \
    }                                                     \
    KERNEL_DEFINE(id, NULL, NULL, id##_run)

#define BINARY(id, value)                                               \
    static void id##_run(struct op *op, size_t bar_count)               \
    {                                                                   \
        struct operand in0 = op->in[0], in1 = op->in[1];                \
        double *restrict out = op->out[0];                              \
                                                                        \
        for (size_t bar = 0; bar < bar_count; bar++)                    \
            EACH_VECTOR(v) {                                            \
                f64x4 a = input4(in0, bar, v), b = input4(in1, bar, v); \
                output4(out, bar, v, (value));                          \
            }                                                           \
    }                                                                   \
    KERNEL_DEFINE(id, NULL, NULL, id##_run)

/* What only the C library can do, number by number.  Its values are the same on every build here,
 * because the library and not the compiler chooses its instructions. */
#define SCALAR(id, value)                                 \
    static void id##_run(struct op *op, size_t bar_count) \
    {                                                     \
        for (size_t bar = 0; bar < bar_count; bar++)      \
            for (int lane = 0; lane < LANES; lane++)      \
                output(op, 0, bar, lane, (value));        \
    }                                                     \
    KERNEL_DEFINE(id, NULL, NULL, id##_run)

BINARY(ADD, a + b);
BINARY(SUB, a - b);
BINARY(MUL, a *b);
UNARY(NEG, -a);
UNARY(ABS, abs4(a));
UNARY(SQRT, sqrt4(a));

/* A mask of all ones is a NaN: laid over a value it makes it one. */
INLINE f64x4 nan_where(i64x4 mask, f64x4 a)
{
    return (f64x4)((i64x4)a | mask);
}

BINARY(DIV, nan_where(b == splat(0.0), a / b));

INLINE f64x4 sign4(f64x4 a)
{
    i64x4 one = (i64x4)splat(1.0);
    f64x4 sign = (f64x4)(one & (a > splat(0.0))) - (f64x4)(one & (a < splat(0.0)));
    return nan_where(is_nan4(a), sign);
}
UNARY(SIGN, sign4(a));

/* ---- rounding, exact, for machines without an instruction for it too ----------------------------
 * From 2^52 on every double is whole.  Below, adding and taking off 2^52 rounds to the nearest
 * whole. */

INLINE f64x4 with_sign_of(f64x4 magnitude, f64x4 a)
{
    return (f64x4)((i64x4)magnitude | ((i64x4)a & splat_i(INT64_MIN)));
}
INLINE f64x4 floor4(f64x4 a)
{
    f64x4 huge = splat(0x1p52), magnitude = abs4(a);
    f64x4 whole = with_sign_of((magnitude + huge) - huge, a);
    f64x4 floor = whole - (f64x4)((i64x4)splat(1.0) & (whole > a));
    return select4(magnitude < huge, floor, a);
}
INLINE f64x4 round4(f64x4 a)
{
    f64x4 magnitude = abs4(a), whole = floor4(magnitude);
    f64x4 up = (f64x4)((i64x4)splat(1.0) & (magnitude - whole >= splat(0.5)));
    return with_sign_of(whole + up, a);
}
UNARY(FLOOR, floor4(a));
UNARY(CEIL, -floor4(-a));
UNARY(ROUND, round4(a));

/* ---- the C library's ------------------------------------------------------------------------- */

INLINE double log_of(double a)
{
    return a > 0.0 ? log(a) : NAN;
}

/* As division, 0 to a negative power is NaN; and unlike pow(), 1 to NaN and NaN to 0 are. */
INLINE double power_of(double a, double b)
{
    return isnan(a) || isnan(b) || (a == 0.0 && b < 0.0) ? NAN : pow(a, b);
}

SCALAR(LOG, log_of(input(op, 0, bar, lane)));
SCALAR(EXP, exp(input(op, 0, bar, lane)));
SCALAR(POW, power_of(input(op, 0, bar, lane), input(op, 1, bar, lane)));

/* ---- choosing -------------------------------------------------------------------------------- */

/* max4 gives its second where one is NaN: only a NaN in the first is left to see to. */
BINARY(LARGER, select4(is_nan4(a), a, max4(a, b)));
BINARY(SMALLER, select4(is_nan4(a), a, min4(a, b)));
BINARY(NZ, select4(is_nan4(a), b, a));

static void if_run(struct op *op, size_t bar_count)
{
    struct operand in0 = op->in[0], in1 = op->in[1];
    double *restrict out = op->out[0];
    u64x4 words[ROW], bit = splat_word(1);

    EACH_VECTOR(v)
        words[v] = load_words(op->when[0] + v * VECTOR);
    for (size_t bar = 0; bar < bar_count; bar++, bit += bit)
        EACH_VECTOR(v) {
            f64x4 a = input4(in0, bar, v), b = input4(in1, bar, v);
            output4(out, bar, v, select4(has_bit4(words[v], bit), a, b));
        }
}
KERNEL_DEFINE(IF, NULL, NULL, if_run);
