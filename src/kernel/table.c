/* The table of one build: all kernels of this instruction set and width, and its transposition. */
#include "kernel/drive.h"

#define KERNEL_ROW(id, inputs, conditions, outputs, parameters, gives_condition) \
    extern const struct kernel_functions KERNEL(kernel_##id);
#include "kernel/kernel.def"
#include "kernel/kernel_indicators.def"
#undef KERNEL_ROW

static const struct kernel_functions *const functions[KERNELS] = {
#define KERNEL_ROW(id, inputs, conditions, outputs, parameters, gives_condition) \
    [KERNEL_##id] = &KERNEL(kernel_##id),
#include "kernel/kernel.def"
#include "kernel/kernel_indicators.def"
#undef KERNEL_ROW
};

/* Four bars of four symbols at a time; single loads and stores cost 3 to 4 times as much. */
INLINE void transpose4(double *out, const double *const *from, size_t bar)
{
    f64x4 a = load_unaligned(from[0] + bar), b = load_unaligned(from[1] + bar);
    f64x4 c = load_unaligned(from[2] + bar), d = load_unaligned(from[3] + bar);
    f64x4 ab_even = __builtin_shufflevector(a, b, 0, 4, 2, 6);
    f64x4 ab_odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    f64x4 cd_even = __builtin_shufflevector(c, d, 0, 4, 2, 6);
    f64x4 cd_odd = __builtin_shufflevector(c, d, 1, 5, 3, 7);

    store(out + 0 * LANES, __builtin_shufflevector(ab_even, cd_even, 0, 1, 4, 5));
    store(out + 1 * LANES, __builtin_shufflevector(ab_odd, cd_odd, 0, 1, 4, 5));
    store(out + 2 * LANES, __builtin_shufflevector(ab_even, cd_even, 2, 3, 6, 7));
    store(out + 3 * LANES, __builtin_shufflevector(ab_odd, cd_odd, 2, 3, 6, 7));
}

static void transpose(double *out, const double *const *from, size_t bar, size_t bar_count)
{
    size_t t = 0;

    for (; t + VECTOR <= bar_count; t += VECTOR)
        EACH_VECTOR(v) transpose4(out + t * LANES + v * VECTOR, from + v * VECTOR, bar + t);
    for (; t < bar_count; t++)
        for (int l = 0; l < LANES; l++)
            out[t * LANES + (size_t)l] = from[l][bar + t];
}

extern const struct kernels KERNEL(kernels);
const struct kernels KERNEL(kernels) = {
    .isa = KERNEL_ISA,
    .lanes = LANES,
    .functions = functions,
    .transpose = transpose,
};
