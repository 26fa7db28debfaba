/* Random numbers by counter: the n-th number of a seed is a function of (seed, n) alone, so any
 * part of a series can be made anywhere, in any order, with the same bits.  Philox 4x32-10 (Salmon
 * et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). */
#ifndef HARRIER_BASE_RANDOM_H
#define HARRIER_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t seed, stream, counter;
};

/* `stream` parts independent series of one seed (a symbol, a worker). */
void random_init(struct random *random, uint64_t seed, uint64_t stream);
uint64_t random_next(struct random *random);
double random_unit(struct random *random); /* [0, 1), 53 bits */

/* 0 … limit-1, without bias; limit ≥ 1. */
uint64_t random_below(struct random *random, uint64_t limit);

/* The number at a place, without a state. */
uint64_t random_at(uint64_t seed, uint64_t stream, uint64_t counter);

#endif
