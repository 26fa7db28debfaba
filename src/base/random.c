/* Philox 4x32-10: ten rounds of two 32-bit multiplications that mix a 128-bit counter with a key.
 */
#include "base/random.h"

enum { PHILOX_ROUNDS = 10 };

static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t a = (uint64_t)c0 * 0xD2511F53u;
        uint64_t b = (uint64_t)c2 * 0xCD9E8D57u;

        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

uint64_t random_at(uint64_t seed, uint64_t stream, uint64_t counter)
{
    uint64_t block = counter / 2; /* one block of 128 bits is two numbers */
    uint32_t place[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                         (uint32_t)(stream >> 32)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t out[4];
    unsigned half = counter % 2 * 2;

    philox(place, key, out);
    return (uint64_t)out[half + 1] << 32 | out[half];
}

void random_init(struct random *random, uint64_t seed, uint64_t stream)
{
    *random = (struct random){.seed = seed, .stream = stream};
}

uint64_t random_next(struct random *random)
{
    return random_at(random->seed, random->stream, random->counter++);
}

/* D. Lemire, "Fast random integer generation in an interval", 2019: a division only where it could
 * matter. */
uint64_t random_below(struct random *random, uint64_t limit)
{
    unsigned __int128 product = (unsigned __int128)random_next(random) * limit;

    if ((uint64_t)product < limit) {
        uint64_t refused = -limit % limit;

        while ((uint64_t)product < refused)
            product = (unsigned __int128)random_next(random) * limit;
    }
    return (uint64_t)(product >> 64);
}

double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}
