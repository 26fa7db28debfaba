/* window: the last values of each lane.
 *
 * A window is a buffer of rows that slides: behind `keep` rows of history stand the rows of the
 * block, and only when the buffer is full, once in 64 bars or more, history moves to its front.  A
 * block of one bar costs one row.
 *
 *      ┌─────────────────────────┬────────────────────┬───────────────┐
 *      │ keep rows of history    │ rows of this block │ free          │
 *      └─────────────────────────┴────────────────────┴───────────────┘
 *        window_row(w, -keep) …    window_row(w, 0) …
 *
 * A lane whose input is NaN on a bar has its history moved up by one row (window_skip), so that the
 * rows before and at a bar always are the lane's last values.  Before its first value they are
 * `empty`. */
#ifndef HARRIER_KERNEL_WINDOW_H
#define HARRIER_KERNEL_WINDOW_H

#include "kernel/drive.h"

struct window {
    double *rows; /* [capacity][width], in the op's state */
    size_t width; /* doubles a row: LANES for each of its series */
    size_t keep;  /* rows of history */
    size_t capacity;
    size_t block; /* row of the block's first bar */
    size_t next;  /* row behind the block */
    double empty; /* what stands before a lane's first value */
};

INLINE size_t window_capacity(size_t keep)
{
    return keep + (keep > BLOCK_BARS ? keep : BLOCK_BARS);
}

/* Bytes that a window needs behind the state's struct; a multiple of 64. */
INLINE size_t window_bytes(size_t keep, int series)
{
    return (sizeof(double) * window_capacity(keep) * (size_t)series * LANES + 63) & ~(size_t)63;
}

/* Sets up an empty window in `memory` (aligned to 64) and returns what is behind it. */
void *KERNEL(window_start_with)(struct window *w, void *memory, size_t keep, int series,
                                double empty);
INLINE void *window_start(struct window *w, void *memory, size_t keep, int series)
{
    return KERNEL(window_start_with)(w, memory, keep, series, 0.0);
}

/* The row of a bar of this block; negative bars are history. */
INLINE double *window_row(const struct window *w, ptrdiff_t bar)
{
    return w->rows + ((ptrdiff_t)w->block + bar) * (ptrdiff_t)w->width;
}

/* Makes room for a block; its rows are the kernel's to fill. */
INLINE void window_open(struct window *w, size_t bar_count)
{
    if (w->next + bar_count > w->capacity) {
        memmove(w->rows, w->rows + (w->next - w->keep) * w->width,
                sizeof(double) * w->keep * w->width);
        w->next = w->keep;
    }
    w->block = w->next;
    w->next += bar_count;
}

/* Takes the block's inputs first…first+series-1. */
INLINE void window_push(struct window *w, const struct op *op, size_t bar_count, int first,
                        int series)
{
    window_open(w, bar_count);
    for (int i = 0; i < series; i++) {
        struct operand in = op->in[first + i];
        double *row = window_row(w, 0) + i * LANES;
        for (size_t bar = 0; bar < bar_count; bar++)
            EACH_VECTOR(v)
                store(row + bar * w->width + v * VECTOR, input4(in, bar, v));
    }
}

/* The lane has no value on this bar: what it had moves up. */
void KERNEL(window_skip)(struct window *w, const struct drive *drive, size_t bar, int lane);

/* push() and skip() of a kernel whose state has a `window`: of its first `taken` inputs, or (0) of
 * what the kernel puts there. */
#define WINDOW_FUNCTIONS(name, type, taken)                      \
    static void name##_push(struct op *op, size_t bar_count)     \
    {                                                            \
        struct type *s = op->state;                              \
        window_push(&s->window, op, bar_count, 0, taken);        \
    }                                                            \
    static void name##_skip(struct op *op, size_t bar, int lane) \
    {                                                            \
        struct type *s = op->state;                              \
        KERNEL(window_skip)(&s->window, &s->drive, bar, lane);   \
    }

/* ---- warm-up of kernels that reckon in it as later, only do not show the values yet ---------- */

struct warmup {
    int needed[LANES], seen[LANES]; /* values */
    bool over;                      /* for all lanes */
};

/* A bar of one lane; whether it is shown. */
INLINE bool warmup_step(struct warmup *w, int lane)
{
    w->seen[lane] += w->seen[lane] < w->needed[lane];
    return w->seen[lane] == w->needed[lane];
}

/* Bars of the lanes that hot() reckoned: NaN where not yet shown. */
void KERNEL(warmup_cut)(struct op *op, struct warmup *w, size_t first, size_t end);

#endif
