/* fold: an associative value (a maximum, a sum, a regression's sums) of each lane's last n values
 * in constant time, without taking anything off again.
 *
 * A running sum keeps the rounding of values that left long ago: over a market that stands still it
 * is not 0 but 1e-17, and 0 / 0 goes unseen.  So a lane's values are cut into segments of n, and a
 * window is the end of the last segment and the beginning of this one:
 *
 *      … │ a0 a1 a2 a3 a4 │ b0 b1 b2 …                n = 5, at = 2: window a3 a4 b0 b1 b2
 *                  ╰───┬──╯ ╰──┬───╯
 *              row at + 1      head: folded value by value
 *              of the tail
 *
 * Rows 0…n-1 take this segment's values as they come.  When it is full they are folded in place
 * from back to front (`turn`), so that row k then stands for values k…n-1: the tail of the windows
 * that follow.  Row at + 1 is read before row `at` is written.  Row n is the empty tail.
 *
 * Bars whose input is NaN do not move a lane, so nothing has to be skipped. */
#ifndef HARRIER_KERNEL_FOLD_H
#define HARRIER_KERNEL_FOLD_H

#include "kernel/drive.h"

struct fold {
    double *rows; /* [n + 1][series][LANES] */
    size_t width; /* doubles a row */
    int shared;   /* the window of all lanes, or 0 */
    int window[LANES], at[LANES],
        seen[LANES]; /* at: row of the next value; seen: values, up to window */
};

INLINE size_t fold_bytes(int longest, int series)
{
    return sizeof(double) * LANES * (size_t)series * ((size_t)longest + 1);
}

/* In `memory` (zeroed by the kernel's start, aligned to 64); returns what is behind. */
INLINE void *fold_start(struct fold *f, void *memory, const int *window, int series)
{
    int longest = 0, shared = window[0];

    f->rows = memory;
    f->width = (size_t)series * LANES;
    for (int l = 0; l < LANES; l++) {
        f->window[l] = window[l];
        f->at[l] = f->seen[l] = 0;
        longest = window[l] > longest ? window[l] : longest;
        shared = window[l] == shared ? shared : 0;
    }
    f->shared = shared;
    memset(memory, 0, fold_bytes(longest, series));
    return (char *)memory + fold_bytes(longest, series);
}

INLINE double *fold_row(const struct fold *f, int row)
{
    return f->rows + (size_t)row * f->width;
}

/* Moves one lane behind its value; whether its window is full. */
INLINE bool fold_next(struct fold *f, int lane)
{
    int window = f->window[lane];

    f->at[lane] = f->at[lane] + 1 == window ? 0 : f->at[lane] + 1;
    f->seen[lane] += f->seen[lane] < window;
    return f->seen[lane] == window;
}

/* The row of the next value where all lanes have the same, or -1. */
INLINE int fold_shared_at(const struct fold *f)
{
    int at = f->at[0];
    bool same = f->shared != 0;

    for (int l = 1; l < LANES; l++)
        same &= f->at[l] == at;
    return same ? at : -1;
}

/* ---- one body for step and hot ------------------------------------------------------------------
 * A kernel of this kind has one body over `count` vectors from `lane` on.  hot runs it over all
 * lanes with mask NULL, which the compiler folds away; step runs it over the lane's vector with
 * the lane's mask. */

INLINE i64x4 lane_mask(int lane)
{
    i64x4 mask = splat_i(0);
    mask[lane % VECTOR] = -1;
    return mask;
}
INLINE int lane_vector(int lane)
{
    return lane - lane % VECTOR;
}

/* a / b, and `empty` where b is 0. */
INLINE f64x4 divide4(f64x4 a, f64x4 b, f64x4 empty)
{
    return select4(b == splat(0.0), empty, a / b);
}
INLINE void keep4(double *at, f64x4 value, const i64x4 *mask)
{
    store(at, mask ? select4(*mask, value, load(at)) : value);
}

/* What a kernel gives: turn folds the rows of a full segment for the vector from `lane` on; bars
 * does bars first…end-1, whose values go to rows at…, for all lanes, within one segment. */
struct folded {
    void (*turn)(struct op *op, int lane, const i64x4 *mask);
    void (*bars)(struct op *op, size_t first, size_t end, int at);
    bool (*step)(struct op *op, size_t bar, int lane);
};

/* The kernel's hot function: segment by segment, or, where lanes stand at different rows (periods
 * of their own, or holes), lane by lane. */
INLINE void fold_hot(struct op *op, struct fold *f, size_t first, size_t end, struct folded kernel)
{
    int at = fold_shared_at(f);

    if (at < 0) {
        for (int lane = 0; lane < LANES; lane++)
            for (size_t bar = first; bar < end; bar++)
                kernel.step(op, bar, lane);
        return;
    }
    for (size_t bar = first; bar < end;) {
        size_t left = (size_t)(f->shared - at), count = end - bar < left ? end - bar : left;
        if (at == 0)
            EACH_VECTOR(v)
                kernel.turn(op, v * VECTOR, NULL);
        kernel.bars(op, bar, bar + count, at);
        bar += count;
        at = at + (int)count == f->shared ? 0 : at + (int)count;
    }
    for (int l = 0; l < LANES; l++)
        f->at[l] = at;
}

#endif
