/* Chooses one build of the kernels.  Knows the processor; no numbers here. */
#include "kernel/kernel.h"

const struct kernel_row kernel_rows[KERNELS] = {
#define KERNEL_ROW(id, inputs_, conditions_, outputs_, parameters_, gives_condition_) \
    [KERNEL_##id] = {                                                                 \
        .name = #id,                                                                  \
        .inputs = inputs_,                                                            \
        .conditions = conditions_,                                                    \
        .outputs = outputs_,                                                          \
        .parameters = parameters_,                                                    \
        .gives_condition = gives_condition_,                                          \
    },
#include "kernel/kernel.def"
#include "kernel/kernel_indicators.def"
#undef KERNEL_ROW
};

extern const struct kernels kernels_base_16, kernels_base_4;

static bool runs_always(void)
{
    return true;
}

#ifdef KERNEL_X86_64
extern const struct kernels kernels_v3_16, kernels_v3_4;

/* Every processor with these has the rest of x86-64-v3 (lzcnt, movbe, f16c), which clang 14 cannot
 * ask for. */
static bool runs_v3(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma");
}
#endif

#ifdef KERNEL_X86_64_V4
extern const struct kernels kernels_v4_16, kernels_v4_4;

static bool runs_v4(void)
{
    return runs_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

/* Best first. */
static const struct build {
    const struct kernels *wide, *narrow;
    bool (*runs)(void);
} builds[] = {
#ifdef KERNEL_X86_64_V4
    {&kernels_v4_16, &kernels_v4_4, runs_v4},
#endif
#ifdef KERNEL_X86_64
    {&kernels_v3_16, &kernels_v3_4, runs_v3},
#endif
    {&kernels_base_16, &kernels_base_4, runs_always},
};

const struct kernels *kernels_select(const char *isa, int lanes)
{
    for (size_t i = 0; i < ARRAY_COUNT(builds); i++) {
        const struct kernels *found = lanes == LANES_WIDE ? builds[i].wide : builds[i].narrow;
        if (found->lanes == lanes && builds[i].runs() &&
            (!isa || text_is(text_of(found->isa), isa)))
            return found;
    }
    return NULL;
}

size_t kernels_list(const char *names[], size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_COUNT(builds); i++)
        if (builds[i].runs() && count < max)
            names[count++] = builds[i].wide->isa;
    return count;
}
