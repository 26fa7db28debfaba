/* Vectors of four doubles in GNU C, for the numeric sources alone.
 *
 * Arithmetic, comparisons and masks are plain operators, which gcc and clang compile for every machine.
 * C has no ?: on vectors, so maximum, minimum, select and "any" are helpers.  ROW is the number of vectors
 * in a row of lanes (4: 16 lanes, 1: 4 lanes), KERNEL(name) adds the build's name; both come from the
 * build (meson.build).  No other file holds an intrinsic or an #if on the instruction set. */
#ifndef HARRIER_KERNEL_VECTOR_H
#define HARRIER_KERNEL_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __AVX__
#include <immintrin.h>
#endif

#ifndef ROW /* an editor, or clang-tidy */
#define ROW 4
#define KERNEL_BUILD base_16
#define KERNEL_ISA "base"
#endif

#define KERNEL_PASTE2(name, build) name##_##build
#define KERNEL_PASTE(name, build) KERNEL_PASTE2(name, build)
#define KERNEL(name) KERNEL_PASTE(name, KERNEL_BUILD)

enum { VECTOR = 4, LANES = ROW * VECTOR };

typedef double f64x4 __attribute__((vector_size(32), may_alias));
typedef int64_t i64x4 __attribute__((vector_size(32), may_alias));
typedef uint64_t u64x4 __attribute__((vector_size(32), may_alias)); /* condition words */
typedef double f64x4_unaligned __attribute__((vector_size(32), may_alias, aligned(8)));

#define INLINE static inline __attribute__((always_inline, unused))
#define EACH(v, count) _Pragma("GCC unroll 4") for (int v = 0; v < (count); v++)
#define EACH_VECTOR(v) EACH(v, ROW)

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
    return (f64x4){x, x, x, x};
}
INLINE i64x4 splat_i(int64_t x)
{
    return (i64x4){x, x, x, x};
}
INLINE u64x4 splat_word(uint64_t x)
{
    return (u64x4){x, x, x, x};
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
    return (f64x4){sqrt(a[0]), sqrt(a[1]), sqrt(a[2]), sqrt(a[3])};
#endif
}
INLINE int any4(i64x4 mask)
{
#ifdef __AVX__
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
    return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}
/* Bit v is set where the mask of element v is. */
INLINE unsigned bits4(i64x4 mask)
{
#ifdef __AVX__
    return (unsigned)_mm256_movemask_pd((__m256d)mask);
#else
    return (unsigned)((mask[0] & 1) | (mask[1] & 2) | (mask[2] & 4) | (mask[3] & 8));
#endif
}
INLINE i64x4 is_nan4(f64x4 a)
{
    return a != a;
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
