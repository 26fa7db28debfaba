/* Vectors of doubles in GNU C, for the numeric sources alone.
 *
 * Arithmetic, comparisons and masks are plain operators, which gcc and clang compile for every
 * machine. C has no ?: on vectors, so maximum, minimum, select and "any" are helpers.  A vector has
 * VECTOR elements: four, as the names say, where the machine has them, and two where it has not
 * (wider ones than the machine's are right everywhere, but gcc takes them apart lane by lane: ten
 * times slower).  LANES in a row and KERNEL(name), which adds the build's name, come from the build
 * (meson.build); ROW is the number of vectors in a row.  No other file holds an intrinsic or an #if
 * on the instruction set. */
#ifndef HARRIER_KERNEL_VECTOR_H
#define HARRIER_KERNEL_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

#ifdef __AVX__
#include <immintrin.h>
enum { VECTOR = 4 };
#else
enum { VECTOR = 2 };
#endif

#ifndef LANES /* an editor, or clang-tidy */
#define LANES 16
#define KERNEL_BUILD base_16
#define KERNEL_ISA "base"
#endif

#define KERNEL_PASTE2(name, build) name##_##build
#define KERNEL_PASTE(name, build) KERNEL_PASTE2(name, build)
#define KERNEL(name) KERNEL_PASTE(name, KERNEL_BUILD)

enum { ROW = LANES / VECTOR };

#define VECTOR_BYTES (8 * VECTOR)
typedef double f64x4 __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int64_t i64x4 __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint64_t u64x4 __attribute__((vector_size(VECTOR_BYTES), may_alias)); /* condition words */
typedef double f64x4_unaligned __attribute__((vector_size(VECTOR_BYTES), may_alias, aligned(8)));

#define ROW_ALIGNED __attribute__((aligned(64))) /* arrays of LANES */
#define INLINE static inline __attribute__((always_inline, unused))
#define OUTLINE static __attribute__((noinline))
/* Always unrolled, or arrays of vectors stand in memory.  clang does not know gcc's word for it. */
#ifdef __clang__
#define EACH(v, count) _Pragma("clang loop unroll(full)") for (int v = 0; v < (count); v++)
#else
#define EACH(v, count) _Pragma("GCC unroll 8") for (int v = 0; v < (count); v++)
#endif
#define EACH_VECTOR(v) EACH(v, ROW)
/* gcc 11 does not know clang's word for it. */
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (i64x4){__VA_ARGS__})
#endif

INLINE f64x4 load(const double *at)
{
    return *(const f64x4 *)at;
}
INLINE f64x4 load_unaligned(const double *at)
{
    return *(const f64x4_unaligned *)at;
}
INLINE void store(double *at, f64x4 value)
{
    *(f64x4 *)at = value;
}
INLINE u64x4 load_words(const uint64_t *at)
{
    return *(const u64x4 *)at;
}
INLINE void store_words(uint64_t *at, u64x4 words)
{
    *(u64x4 *)at = words;
}
INLINE f64x4 splat(double x)
{
    return x - (f64x4){0};
}
INLINE i64x4 splat_i(int64_t x)
{
    return x - (i64x4){0};
}
INLINE u64x4 splat_word(uint64_t x)
{
    return x - (u64x4){0};
}

/* Each element from a place of its own. */
INLINE f64x4 gather4(const double *row, const int32_t *offset)
{
#ifdef __AVX__
    return (f64x4){row[offset[0]], row[offset[1]], row[offset[2]], row[offset[3]]};
#else
    return (f64x4){row[offset[0]], row[offset[1]]};
#endif
}

/* VECTOR bars of VECTOR columns into rows that stand `step` apart. */
INLINE void transpose4(double *out, size_t step, const double *const *from, size_t bar)
{
    f64x4 a = load_unaligned(from[0] + bar), b = load_unaligned(from[1] + bar);
#ifdef __AVX__
    f64x4 c = load_unaligned(from[2] + bar), d = load_unaligned(from[3] + bar);
    f64x4 ab_even = SHUFFLE(a, b, 0, 4, 2, 6);
    f64x4 ab_odd = SHUFFLE(a, b, 1, 5, 3, 7);
    f64x4 cd_even = SHUFFLE(c, d, 0, 4, 2, 6);
    f64x4 cd_odd = SHUFFLE(c, d, 1, 5, 3, 7);
    store(out + 0 * step, SHUFFLE(ab_even, cd_even, 0, 1, 4, 5));
    store(out + 1 * step, SHUFFLE(ab_odd, cd_odd, 0, 1, 4, 5));
    store(out + 2 * step, SHUFFLE(ab_even, cd_even, 2, 3, 6, 7));
    store(out + 3 * step, SHUFFLE(ab_odd, cd_odd, 2, 3, 6, 7));
#else
    store(out + 0 * step, SHUFFLE(a, b, 0, 2));
    store(out + 1 * step, SHUFFLE(a, b, 1, 3));
#endif
}

/* A function of the C library, element by element. */
INLINE f64x4 map4(double (*function)(double), f64x4 a)
{
    for (int i = 0; i < VECTOR; i++)
        a[i] = function(a[i]);
    return a;
}

/* mask ? a : b, mask all ones or all zeros a lane */
INLINE f64x4 select4(i64x4 mask, f64x4 a, f64x4 b)
{
#ifdef __AVX__
    return (f64x4)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)mask);
#else
    return (f64x4)(((i64x4)a & mask) | ((i64x4)b & ~mask));
#endif
}

/* Exactly a > b ? a : b, and a < b ? a : b: the second wins where one is NaN, and among zeros. */
INLINE f64x4 max4(f64x4 a, f64x4 b)
{
#ifdef __AVX__
    return (f64x4)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
    return select4(a > b, a, b);
#endif
}
INLINE f64x4 min4(f64x4 a, f64x4 b)
{
#ifdef __AVX__
    return (f64x4)_mm256_min_pd((__m256d)a, (__m256d)b);
#else
    return select4(a < b, a, b);
#endif
}
INLINE f64x4 abs4(f64x4 a)
{
    return (f64x4)((i64x4)a & splat_i(INT64_MAX));
}
INLINE f64x4 sqrt4(f64x4 a)
{
#ifdef __AVX__
    return (f64x4)_mm256_sqrt_pd((__m256d)a);
#else
    return (f64x4){sqrt(a[0]), sqrt(a[1])};
#endif
}
INLINE int any4(i64x4 mask)
{
#ifdef __AVX__
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
    return (mask[0] | mask[1]) != 0;
#endif
}
/* Bit v is set where the mask of element v is. */
INLINE unsigned bits4(i64x4 mask)
{
#ifdef __AVX__
    return (unsigned)_mm256_movemask_pd((__m256d)mask);
#else
    return (unsigned)((mask[0] & 1) | (mask[1] & 2));
#endif
}
INLINE i64x4 is_nan4(f64x4 a)
{
    return a != a;
}
/* Not there for recurrences and windows: NaN, or too large. */
INLINE i64x4 is_absent4(f64x4 a)
{
    return ~(abs4(a) <= splat(KERNEL_NUMBER_MOST));
}
INLINE bool is_absent(double a)
{
    return !(fabs(a) <= KERNEL_NUMBER_MOST);
}

/* Where the condition words have the bit (a word with one bit set in every lane). */
INLINE i64x4 has_bit4(u64x4 words, u64x4 bit)
{
    return (words & bit) == bit;
}

/* The scalar twins, with the same order of operands. */
INLINE double max_of(double a, double b)
{
    return a > b ? a : b;
}
INLINE double min_of(double a, double b)
{
    return a < b ? a : b;
}

#endif
