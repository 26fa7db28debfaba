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

/* VECTOR bars of VECTOR symbols at a time; single loads and stores cost 3 to 4 times as much.  All
 * bars of VECTOR symbols before the next ones: columns of a mapped store begin at page borders, and
 * more of them at a time would push each other out of the cache's sets. */
static void transpose(double *out, const double *const *from, size_t bar, size_t bar_count)
{
    size_t whole = bar_count - bar_count % VECTOR;

    EACH_VECTOR(v)
        for (size_t t = 0; t < whole; t += VECTOR)
            transpose4(out + t * LANES + v * VECTOR, LANES, from + v * VECTOR, bar + t);
    for (size_t t = whole; t < bar_count; t++)
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
