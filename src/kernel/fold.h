/* fold: an associative value (a maximum, a sum, a regression's sums) of each lane's last n values
 * in constant time, without taking anything off again.
 *
 * A running sum keeps the rounding of values that left long ago: over a market that stands still it
 * is not 0 but 1e-17, and 0 / 0 goes unseen.  So a lane's values are cut into segments of n, and a
 * window is the end of the last segment and the beginning of this one:
 *
 *      … │ a0 a1 a2 a3 a4 │ b0 b1 b2 …                n = 5, at = 2: window a3 a4 b0 b1 b2
 *                  ╰───┬──╯ ╰──┬───╯
 *           row of a3: tail   head: folded value by value
 *
 * The last values stand in a ring of rows.  When a segment begins, the rows of the last one are
 * folded in place from back to front (`turn`), so that each then stands for itself and those behind
 * it: the tail of a window is the row of its oldest value, n - 1 bars back, whatever the lane's
 * place in its segment.  The tail of a full segment is `empty`.  A lane whose input is NaN on a bar
 * has its column of the ring turned by one (fold_skip), so that rows are bars for all lanes.
 *
 * A lane's place, `at`, is a row of the kernel's state that hot() changes, so that lanes may begin
 * apart, have holes, or periods of their own.  Where all stand at the same place, which is the
 * rule, the body knows it as one number (`same`). */
#ifndef HARRIER_KERNEL_FOLD_H
#define HARRIER_KERNEL_FOLD_H

#include "kernel/window.h" /* for struct warmup */

struct fold {
    struct warmup warmup;
    double *rows;                     /* [ring][series][LANES] */
    double *empty;                    /* [series][LANES]: the tail without values */
    size_t width;                     /* doubles a row */
    int ring;                         /* rows: the longest window */
    int block;                        /* row of the block's first bar */
    int next;                         /* and of the next block's */
    int shared;                       /* the window of all lanes, or 0 */
    double newest[LANES] ROW_ALIGNED; /* n - 1 */
};

INLINE size_t fold_bytes(int longest, int series)
{
    return sizeof(double) * LANES * (size_t)series * ((size_t)longest + 1);
}

/* Windows of the op's first parameter and `more` bars, in `memory`, aligned to 64; the empty tail
 * is 0. */
void KERNEL(fold_start)(struct fold *f, const struct op *op, int more, void *memory, int series);

INLINE void fold_push(struct fold *f, size_t bar_count)
{
    f->block = f->next;
    f->next = (int)((f->next + bar_count) % (size_t)f->ring);
}

INLINE int fold_row(const struct fold *f, size_t bar)
{
    return (int)(((size_t)f->block + bar) % (size_t)f->ring);
}

/* The row `back` bars before row `row`, 0 … ring. */
INLINE double *fold_back(const struct fold *f, int row, int back)
{
    int at = row - back;
    return f->rows + (size_t)(at < 0 ? at + f->ring : at) * f->width;
}

/* The lane has no value on this bar: what it had moves up. */
void KERNEL(fold_skip)(struct fold *f, const struct drive *drive, int lane);

/* ---- vectors and lanes --------------------------------------------------------------------------
 * A kernel of this kind has one body over `count` vectors from `lane` on, with a mask for each that
 * says which lanes there are, or NULL, which the compiler folds away: hot has all lanes (but for
 * those that are absent), step has one. */

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
INLINE void keep4(double *at, f64x4 value, const i64x4 *mask)
{
    store(at, mask ? select4(*mask, value, load(at)) : value);
}

#define MASK(mask, v) ((mask) ? (mask) + (v) : NULL)

/* a / b, and `empty` where b is 0. */
INLINE f64x4 divide4(f64x4 a, f64x4 b, f64x4 empty)
{
    return select4(b == splat(0.0), empty, a / b);
}

/* ---- a bar --------------------------------------------------------------------------------------
 */

enum fold_way {
    FOLD_SAME,   /* all lanes have one period and one place */
    FOLD_SHARED, /* one period */
    FOLD_OWN
};

/* The places of all lanes of a body, bar by bar. */
struct fold_places {
    f64x4 at[ROW];
    int same;           /* FOLD_SAME */
    int row;            /* of the ring */
    double *here;       /* it */
    const double *tail; /* the row behind it, which is the oldest, or the empty tail */
};

INLINE void fold_find(const struct fold *f, struct fold_places *places, enum fold_way way)
{
    int oldest = places->row + 1 == f->ring ? 0 : places->row + 1;

    places->here = f->rows + (size_t)places->row * f->width;
    places->tail = f->rows + (size_t)oldest * f->width;
    if (way == FOLD_SAME && places->same == f->shared - 1)
        places->tail = f->empty;
}

INLINE struct fold_places fold_load(const struct fold *f, const double *at, enum fold_way way,
                                    size_t bar, int count)
{
    struct fold_places places = {
        .same = way == FOLD_SAME ? (int)at[0] : 0,
        .row = fold_row(f, bar),
    };

    EACH(v, count)
        places.at[v] = load(at + v * VECTOR);
    fold_find(f, &places, way);
    return places;
}

/* FOLD_SAME: whether the body's first bar begins a segment, which all its bars are in. */
INLINE bool fold_opens(const struct fold_places *places, enum fold_way way)
{
    return way == FOLD_SAME && places->same == 0;
}

INLINE void fold_store(double *at, const struct fold_places *places, enum fold_way way, int count,
                       const i64x4 *mask)
{
    EACH(v, count)
        if (way == FOLD_SAME)
            store(at + v * VECTOR, splat(places->same));
        else
            keep4(at + v * VECTOR, places->at[v], MASK(mask, v));
}

/* One vector on one bar: where its values go, and where it stands. */
struct fold_bar {
    double *row;
    const double *tail, *empty;
    int32_t oldest[VECTOR]; /* FOLD_OWN: from the ring to the oldest values */
    f64x4 at, older;        /* values before this one in the segment; of the tail */
    i64x4 begins, ends;     /* the first and the last bar of a segment */
    bool begin;             /* of some lane, but for FOLD_SAME: see fold_opens */
};

INLINE struct fold_bar fold_bar(const struct fold *f, enum fold_way way, int lane,
                                const struct fold_places *places, int v)
{
    struct fold_bar b = {
        .row = places->here + lane,
        .tail = places->tail + lane,
        .empty = f->empty + lane,
    };

    if (way == FOLD_SAME) {
        b.at = splat(places->same);
        b.older = splat(f->shared - 1 - places->same);
        return b;
    }
    b.at = places->at[v];
    b.older = load(f->newest + lane) - b.at;
    b.begins = b.at == splat(0.0);
    b.ends = b.older == splat(0.0);
    b.begin = any4(b.begins);
    for (int k = 0; way == FOLD_OWN && k < VECTOR; k++)
        b.oldest[k] = (int32_t)(fold_back(f, places->row, f->warmup.needed[lane + k] - 1) -
                                f->rows) +
                      lane + k;
    return b;
}

/* Behind a bar of the vector, and of all. */
INLINE void fold_next(struct fold_places *places, const struct fold_bar *b, enum fold_way way,
                      int v)
{
    if (way != FOLD_SAME)
        places->at[v] = select4(b->ends, splat(0.0), b->at + splat(1.0));
}
INLINE void fold_next_bar(const struct fold *f, struct fold_places *places, enum fold_way way)
{
    places->same = places->same + 1 == f->shared ? 0 : places->same + 1;
    places->here += f->width;
    places->tail += f->width;
    if (++places->row == f->ring) {
        places->row = 0;
        places->here = f->rows;
    }
    if (places->row + 1 == f->ring)
        places->tail = f->rows;
    if (way == FOLD_SAME && places->same == f->shared - 1)
        places->tail = f->empty;
}

/* A series of the tail. */
INLINE f64x4 fold_tail(const struct fold *f, const struct fold_bar *b, enum fold_way way,
                       int series)
{
    f64x4 tail;

    if (way == FOLD_SAME)
        return load(b->tail + series * LANES);
    if (way == FOLD_SHARED)
        tail = load(b->tail + series * LANES);
    else
        tail = gather4(f->rows + series * LANES, b->oldest);
    return select4(b->ends, load(b->empty + series * LANES), tail);
}

/* Folds the last segment's rows, those before row `row`: of the lanes of `mask` that begin a new
 * one. */
INLINE void fold_turn(struct op *op, const struct fold *f, const struct fold_bar *b,
                      enum fold_way way, int row, int lane, const i64x4 *mask,
                      void (*turn)(struct op *op, int row, int n, int lane, const i64x4 *mask))
{
    i64x4 lanes = b->begins;

    if (mask)
        lanes &= *mask;
    if (way == FOLD_SHARED) {
        turn(op, row, f->shared, lane, &lanes);
    } else {
        for (unsigned left = bits4(lanes); left; left &= left - 1) {
            int k = __builtin_ctz(left);
            i64x4 one = lane_mask(k);
            turn(op, row, f->warmup.needed[lane + k], lane, &one);
        }
    }
}

/* ---- hot and step -------------------------------------------------------------------------------
 */

/* `at`: the row of places in the kernel's state. */
INLINE enum fold_way fold_way(const struct fold *f, const double *at)
{
    if (!f->shared)
        return FOLD_OWN;
    for (int l = 1; l < LANES; l++)
        if (at[l] != at[0])
            return FOLD_SHARED;
    return FOLD_SAME;
}

/* The end of the bars from `bar` on that are in one segment. */
INLINE size_t fold_segment(const struct fold *f, double at, size_t bar, size_t end)
{
    size_t left = (size_t)f->shared - (size_t)at;
    return end - bar < left ? end : bar + left;
}

/* Calls `vectors` for FOLD_MASKED after FOLD_MASKED, with masks of the lanes that are not absent.
 */
void KERNEL(fold_vectors)(struct op *op, size_t first, size_t end,
                          void (*vectors)(struct op *op, size_t first, size_t end, int lane,
                                          const i64x4 *mask));

/* Vectors that a body goes over at once: what fits the registers; and with masks.  Vectors of two
 * elements (processors of before 2013) take those one by one: it is a tenth of the code. */
enum { FOLD_VECTORS = ROW < 4 ? ROW : 4, FOLD_MASKED = VECTOR < 4 ? 1 : FOLD_VECTORS };

/* A kernel with a fold, `s->fold`, and a row of places, `s->at`:
 * bars(op, way, first, end, lane, count, mask). */
#define FOLD_KERNEL(id, type, bytes, start, turn, bars, last_changed, fresh_step)                \
    static void id##_push(struct op *op, size_t bar_count)                                       \
    {                                                                                            \
        fold_push(&((struct type *)op->state)->fold, bar_count);                                 \
    }                                                                                            \
    static void id##_skip(struct op *op, size_t bar, int lane)                                   \
    {                                                                                            \
        struct type *s = op->state;                                                              \
        (void)bar;                                                                               \
        KERNEL(fold_skip)(&s->fold, &s->drive, lane);                                            \
    }                                                                                            \
    OUTLINE void id##_shared(struct op *op, size_t first, size_t end, int lane,                  \
                             const i64x4 *masks)                                                 \
    {                                                                                            \
        i64x4 mask[FOLD_MASKED];                                                                 \
        EACH(v, FOLD_MASKED)                                                                     \
            mask[v] = masks[v];                                                                  \
        bars(op, FOLD_SHARED, first, end, lane, FOLD_MASKED, mask);                              \
    }                                                                                            \
    OUTLINE void id##_own(struct op *op, size_t first, size_t end, int lane, const i64x4 *masks) \
    {                                                                                            \
        i64x4 mask[FOLD_MASKED];                                                                 \
        EACH(v, FOLD_MASKED)                                                                     \
            mask[v] = masks[v];                                                                  \
        bars(op, FOLD_OWN, first, end, lane, FOLD_MASKED, mask);                                 \
    }                                                                                            \
    OUTLINE void id##_one(struct op *op, size_t bar, int lane)                                   \
    {                                                                                            \
        i64x4 mask = lane_mask(lane);                                                            \
        bars(op, FOLD_OWN, bar, bar + 1, lane_vector(lane), 1, &mask);                           \
    }                                                                                            \
    static bool id##_step(struct op *op, size_t bar, int lane)                                   \
    {                                                                                            \
        struct type *s = op->state;                                                              \
        i64x4 mask = lane_mask(lane);                                                            \
        if (fresh_step(op, bar, lane))                                                           \
            return true;                                                                         \
        if (FOLD_MASKED == 1)                                                                    \
            id##_own(op, bar, bar + 1, lane_vector(lane), &mask);                                \
        else                                                                                     \
            id##_one(op, bar, lane);                                                             \
        if (!warmup_step(&s->fold.warmup, lane))                                                 \
            for (int k = 0; k < kernel_rows[op->kernel].outputs; k++)                            \
                output(op, k, bar, lane, NAN);                                                   \
        return true;                                                                             \
    }                                                                                            \
    static void id##_hot(struct op *op, size_t first, size_t end)                                \
    {                                                                                            \
        struct type *s = op->state;                                                              \
        if (fold_way(&s->fold, s->at) == FOLD_SAME && !s->drive.absent) {                        \
            for (size_t bar = first, to; bar < end; bar = to) {                                  \
                to = fold_segment(&s->fold, s->at[0], bar, end);                                 \
                for (int l = 0; s->at[0] == 0 && l < LANES; l += VECTOR)                         \
                    turn(op, fold_row(&s->fold, bar), s->fold.shared, l, NULL);                  \
                for (int l = 0; l < LANES; l += FOLD_VECTORS * VECTOR)                           \
                    bars(op, FOLD_SAME, bar, to, l, FOLD_VECTORS, NULL);                         \
            }                                                                                    \
        } else {                                                                                 \
            KERNEL(fold_vectors)(op, first, end, s->fold.shared ? id##_shared : id##_own);       \
        }                                                                                        \
        if (!s->fold.warmup.over)                                                                \
            KERNEL(warmup_cut)(op, &s->fold.warmup, first, end);                                 \
    }                                                                                            \
    KERNEL_DRIVEN(id, bytes, start, .step = id##_step, .hot = id##_hot, .push = id##_push,       \
                  .skip = id##_skip, .changed = DRIVE_ROWS(struct type, last_changed))

/* Most kernels know no special first bar. */
INLINE bool fold_no_fresh(struct op *op, size_t bar, int lane)
{
    (void)op, (void)bar, (void)lane;
    return false;
}

#endif
