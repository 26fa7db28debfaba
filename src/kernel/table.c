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

/* VECTOR bars of VECTOR symbols at a time; single loads and stores cost 3 to 4 times as much. */
static void transpose(double *out, const double *const *from, size_t bar, size_t bar_count)
{
    size_t t = 0;

    for (; t + VECTOR <= bar_count; t += VECTOR)
        EACH_VECTOR(v)
            transpose4(out + t * LANES + v * VECTOR, LANES, from + v * VECTOR, bar + t);
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
