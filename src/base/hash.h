/* Hashes, by xxHash (XXH3).  Not for secrets. */
#ifndef HARRIER_BASE_HASH_H
#define HARRIER_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);

struct hash128 {
    uint64_t low, high;
};

struct hash128 hash128_bytes(const void *bytes, size_t length);

enum { HASH128_TEXT_BYTES = 33 };
/* 32 hexadecimal digits. */
void hash128_to_text(struct hash128 hash, char text[HASH128_TEXT_BYTES]);

#endif
