/* Chooses the ledger's build: the one of the kernels. */
#include <string.h>

#include "sim/ledger.h"

extern const struct sim_kernels sim_kernels_base_16, sim_kernels_base_4;
#ifdef KERNEL_X86_64
extern const struct sim_kernels sim_kernels_v3_16, sim_kernels_v3_4;
#endif
#ifdef KERNEL_X86_64_V4
extern const struct sim_kernels sim_kernels_v4_16, sim_kernels_v4_4;
#endif

static const struct sim_kernels *const builds[] = {
    &sim_kernels_base_16, &sim_kernels_base_4,
#ifdef KERNEL_X86_64
    &sim_kernels_v3_16,   &sim_kernels_v3_4,
#endif
#ifdef KERNEL_X86_64_V4
    &sim_kernels_v4_16,   &sim_kernels_v4_4,
#endif
};

const struct sim_kernels *sim_kernels_of(const struct kernels *kernels)
{
    for (size_t i = 0; i < ARRAY_COUNT(builds); i++)
        if (builds[i]->lanes == kernels->lanes && strcmp(builds[i]->isa, kernels->isa) == 0)
            return builds[i];
    assert_failed("a build of the ledger for every build of the kernels", __FILE__, __LINE__);
}
