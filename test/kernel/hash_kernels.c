/* Prints one hash a kernel of everything it gives on fixed data: test/kernel/same_bits.py compares
 * builds.
 *
 *     kernel_hash                     the builds that run here: a line ISA LANES each
 *     kernel_hash ISA LANES BLOCK     a line NAME HASH for each kernel (BLOCK 0: sizes by turns)
 */
#include <stdio.h>

#include "harness.h"

static uint64_t hash_bits(uint64_t hash, uint64_t bits)
{
    return (hash ^ bits) * UINT64_C(0x100000001b3);
}

static uint64_t hash_result(uint64_t hash, const struct kernel_case *c,
                            const struct kernel_result *result)
{
    for (size_t t = 0; t < c->bar_count; t++)
        for (size_t l = 0; l < LANES_MAX; l++) {
            for (int k = 0; k < kernel_rows[c->kernel].outputs; k++) {
                uint64_t bits;
                memcpy(&bits, &result->out[k][t][l], sizeof bits);
                hash = hash_bits(hash, isnan(result->out[k][t][l])
                                           ? 7
                                           : bits); /* one NaN is as good as another */
            }
            hash = hash_bits(hash, result->condition[t][l]);
        }
    return hash_bits(hash, result->stray);
}

static uint64_t hash_kernel(const struct kernels *kernels, enum kernel_id kernel, size_t block)
{
    static struct kernel_case one;
    static struct kernel_result result;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (enum harness_data data = 0; data < DATA_KINDS; data++)
        for (int per_lane = 0; per_lane < 2; per_lane++) {
            uint64_t seed = 17 * data + kernel;
            one = (struct kernel_case){.kernel = kernel, .bar_count = 300};
            harness_fill(&one, data, seed);
            for (int k = 0; k < KERNEL_PARAMETERS_MAX; k++) {
                double shared = 2 + (double)harness_below(&seed, 30);
                for (size_t l = 0; l < LANES_MAX; l++)
                    one.parameter[k][l] = per_lane ? 2 + (double)harness_below(&seed, 30) : shared;
            }
            harness_run(kernels, &one, block, &result);
            hash = hash_result(hash, &one, &result);
        }
    return hash;
}

int main(int argc, char **argv)
{
    const char *names[8];
    size_t count = kernels_list(names, ARRAY_COUNT(names));

    if (argc != 4) {
        for (size_t i = 0; i < count; i++)
            printf("%s %d\n%s %d\n", names[i], LANES_WIDE, names[i], LANES_NARROW);
        return 0;
    }
    const struct kernels *kernels = kernels_select(argv[1], atoi(argv[2]));
    if (!kernels)
        return 1;
    for (enum kernel_id kernel = 0; kernel < KERNELS; kernel++)
        printf("%s %016llx\n", kernel_rows[kernel].name,
               (unsigned long long)hash_kernel(kernels, kernel, (size_t)atoi(argv[3])));
    return 0;
}
