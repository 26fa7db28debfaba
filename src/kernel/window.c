/* Windows of one price: lag, highest, lowest, rising, falling, pivots. */
#include "kernel/window.h"

/* ---- lag: n bars back, whatever stands there; NaN before the first bar ----------------------- */

struct lag {
    struct window window;
    int shared; /* the distance of all lanes, or -1 */
    int32_t offset[LANES];
};

static size_t lag_bytes(const struct op *op)
{
    return ((sizeof(struct lag) + 63) & ~(size_t)63) +
           window_bytes((size_t)period_longest(op, 0, 0), 1);
}

static void lag_start(struct op *op)
{
    struct lag *s = op->state;
    char *behind = (char *)op->state + ((sizeof *s + 63) & ~(size_t)63);

    KERNEL(window_start_with)(&s->window, behind, (size_t)period_longest(op, 0, 0), 1, NAN);
    s->shared = period_of(op, 0, 0, 0);
    for (int l = 0; l < LANES; l++) {
        s->offset[l] = l % VECTOR - period_of(op, 0, l, 0) * LANES;
        if (period_of(op, 0, l, 0) != s->shared)
            s->shared = -1;
    }
}

static void lag_run(struct op *op, size_t bar_count)
{
    struct lag *s = op->state;
    double *restrict out = op->out[0];

    window_push(&s->window, op, bar_count, 0, 1);
    const double *row = window_row(&s->window, 0), *from = row - s->shared * LANES;
    for (size_t bar = 0; bar < bar_count; bar++, row += LANES, from += LANES)
        if (s->shared >= 0)
            EACH_VECTOR(v)
                output4(out, bar, v, load(from + v * VECTOR));
        else
            EACH_VECTOR(v)
                output4(out, bar, v, gather4(row + v * VECTOR, s->offset + v * VECTOR));
}
KERNEL_DEFINE(LAG, lag_bytes, lag_start, lag_run);

/* ---- the largest or smallest of the last n values -----------------------------------------------
 *
 * Two ways, to the same bits: among equals (+0 and -0) the newest wins, always fold(older, newer).
 *
 * BLOCKS (van Herk 1992, Gil and Werman 1993), where all lanes share the period and no NaN can come
 * after the first value: bars are counted off in blocks of n.  A window is a suffix of the last
 * block and a prefix of this one; the prefixes' extreme runs along, the suffixes' are made when a
 * block is full.  Three folds a bar, whatever n.  Position i of the buffer holds a suffix until bar
 * i comes, then the bar's value:
 *
 *        last block   . . . . [ s u f f i x ]
 *        this block   [ p r e f i x ] . . . .            one row behind stays the empty suffix
 *
 * LEVELS, for all else: the extreme of the last 1, 2, 4 … values, each made from the one before.  A
 * window of n is two overlapping ones of the largest power of two within n.  Each lane has its own
 * n, and each level is a window that passes over NaN by itself. */

/* Shorter blocks are closed too often. */
enum { EXTREME_BLOCKS_LEAST = 6 };

struct extreme {
    struct drive drive;
    double prefix[LANES] ROW_ALIGNED; /* blocks */
    struct warmup warmup;
    int shared;  /* the period of all lanes, or 0 */
    bool blocks; /* and not levels */

    /* blocks */
    int phase;    /* bars of this block */
    double *rows; /* [shared + 1][LANES] */

    /* levels */
    int level_count;
    int level[LANES], offset[LANES]; /* which level, and where the older of its two stands */
    struct window *levels;           /* [level_count]: extremes of the last 1 << level */
};

INLINE double extreme_empty(bool highest)
{
    return highest ? -INFINITY : INFINITY;
}
INLINE f64x4 extreme_fold4(f64x4 older, f64x4 newer, bool highest)
{
    return highest ? max4(older, newer) : min4(older, newer);
}
INLINE double extreme_fold(double older, double newer, bool highest)
{
    return highest ? max_of(older, newer) : min_of(older, newer);
}

/* floor(log2(period)) */
INLINE int extreme_level(int period)
{
    return 31 - __builtin_clz((unsigned)period);
}

INLINE size_t whole_lines(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

/* The levels' windows, which are more than the rows of the blocks. */
static size_t extreme_bytes(const struct op *op)
{
    int levels = extreme_level(period_longest(op, 0, 1)) + 1;
    size_t bytes = whole_lines(sizeof(struct extreme)) +
                   whole_lines(sizeof(struct window) * (size_t)levels);

    for (int level = 0; level < levels; level++)
        bytes += window_bytes((size_t)1 << level, 1);
    return bytes;
}

static void extreme_start(struct extreme *s, const struct op *op, bool highest)
{
    char *behind = (char *)s + whole_lines(sizeof *s);
    double empty = extreme_empty(highest);

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    s->shared = period_shared(op, 0, 1);
    s->blocks = s->shared >= EXTREME_BLOCKS_LEAST && !op->holes;
    for (int l = 0; l < LANES; l++)
        s->warmup.needed[l] = period_of(op, 0, l, 1);

    if (s->blocks) {
        s->rows = (double *)behind;
        for (int i = 0; i < (s->shared + 1) * LANES; i++)
            s->rows[i] = empty;
        EACH_VECTOR(v)
            store(s->prefix + v * VECTOR, splat(empty));
        return;
    }
    s->level_count = extreme_level(period_longest(op, 0, 1)) + 1;
    s->levels = (struct window *)behind;
    behind += whole_lines(sizeof(struct window) * (size_t)s->level_count);
    for (int level = 0; level < s->level_count; level++)
        behind = KERNEL(window_start_with)(&s->levels[level], behind, (size_t)1 << level, 1, empty);
    for (int l = 0; l < LANES; l++) {
        s->level[l] = extreme_level(s->warmup.needed[l]);
        s->offset[l] = ((1 << s->level[l]) - s->warmup.needed[l]) * LANES;
    }
}

/* -- blocks -- */

/* Makes the suffixes of a full block of its values. */
INLINE void extreme_close_block(struct extreme *s, bool highest)
{
    f64x4 suffix[ROW];

    EACH_VECTOR(v)
        suffix[v] = splat(extreme_empty(highest));
    for (double *row = s->rows + (s->shared - 1) * LANES; row >= s->rows; row -= LANES)
        EACH_VECTOR(v) {
            suffix[v] = extreme_fold4(load(row + v * VECTOR), suffix[v], highest);
            store(row + v * VECTOR, suffix[v]);
        }
    EACH_VECTOR(v)
        store(s->prefix + v * VECTOR, splat(extreme_empty(highest)));
    s->phase = 0;
}

/* Bars within one block; a leading NaN counts as nothing. */
INLINE void extreme_stretch(struct extreme *s, struct operand in, double *restrict out,
                            size_t first, size_t end, bool highest)
{
    double *restrict row = s->rows + s->phase * LANES;
    f64x4 prefix[ROW], empty = splat(extreme_empty(highest));
    bool leading = !s->warmup.over;

    EACH_VECTOR(v)
        prefix[v] = load(s->prefix + v * VECTOR);
    for (size_t bar = first; bar < end; bar++, row += LANES)
        EACH_VECTOR(v) {
            f64x4 x = input4(in, bar, v);
            if (leading)
                x = select4(is_absent4(x), empty, x);
            prefix[v] = extreme_fold4(prefix[v], x, highest);
            output4(out, bar, v, extreme_fold4(load(row + LANES + v * VECTOR), prefix[v], highest));
            store(row + v * VECTOR, x);
        }
    EACH_VECTOR(v)
        store(s->prefix + v * VECTOR, prefix[v]);
    s->phase += (int)(end - first);
}

/* NaN until a lane has had its n values; the leading NaN do not count. */
static void extreme_cut(struct extreme *s, struct operand in, double *out, size_t bar_count)
{
    struct warmup *w = &s->warmup;

    w->over = true;
    for (int l = 0; l < LANES; l++) {
        for (size_t bar = 0; bar < bar_count && w->seen[l] < w->needed[l]; bar++)
            if (is_absent(in.at[bar * in.step + (size_t)l]) || !warmup_step(w, l))
                out[bar * LANES + (size_t)l] = NAN;
        w->over &= w->seen[l] == w->needed[l];
    }
}

INLINE void extreme_blocks_run(struct extreme *s, const struct op *op, double *out,
                               size_t bar_count, bool highest)
{
    for (size_t bar = 0; bar < bar_count;) {
        size_t rest = (size_t)(s->shared - s->phase);
        size_t end = bar_count - bar < rest ? bar_count : bar + rest;
        extreme_stretch(s, op->in[0], out, bar, end, highest);
        if (s->phase == s->shared)
            extreme_close_block(s, highest);
        bar = end;
    }
    if (!s->warmup.over)
        extreme_cut(s, op->in[0], out, bar_count);
}

/* -- levels -- */

static void extreme_push(struct op *op, size_t bar_count)
{
    struct extreme *s = op->state;

    for (int level = 0; level < s->level_count; level++)
        window_open(&s->levels[level], bar_count);
}

static void extreme_skip(struct op *op, size_t bar, int lane)
{
    struct extreme *s = op->state;

    for (int level = 0; level < s->level_count; level++)
        KERNEL(window_skip)(&s->levels[level], &s->drive, bar, lane);
}

INLINE bool extreme_step(struct op *op, size_t bar, int lane, bool highest)
{
    struct extreme *s = op->state;
    double extreme = input(op, 0, bar, lane);

    for (int level = 0; level < s->level_count; level++) {
        double *row = window_row(&s->levels[level], (ptrdiff_t)bar) + lane;
        *row = extreme;
        extreme = extreme_fold(*(row - ((ptrdiff_t)LANES << level)), extreme, highest);
    }
    const double *row = window_row(&s->levels[s->level[lane]], (ptrdiff_t)bar) + lane;
    bool warm = warmup_step(&s->warmup, lane);
    output(op, 0, bar, lane, warm ? extreme_fold(row[s->offset[lane]], *row, highest) : NAN);
    return true;
}

INLINE void extreme_hot(struct op *op, size_t first, size_t end, bool highest)
{
    struct extreme *s = op->state;
    struct operand in = op->in[0];
    double *restrict out = op->out[0];

    double *row = window_row(&s->levels[0], (ptrdiff_t)first);
    for (size_t bar = first; bar < end; bar++, row += LANES)
        EACH_VECTOR(v)
            store(row + v * VECTOR, input4(in, bar, v));
    for (int level = 1; level < s->level_count; level++) {
        const double *newer = window_row(&s->levels[level - 1], (ptrdiff_t)first);
        const double *older = newer - ((ptrdiff_t)LANES << (level - 1));
        row = window_row(&s->levels[level], (ptrdiff_t)first);
        for (size_t i = 0; i < (end - first) * LANES; i += VECTOR)
            store(row + i, extreme_fold4(load(older + i), load(newer + i), highest));
    }
    if (s->shared) {
        const double *newer = window_row(&s->levels[s->level_count - 1], (ptrdiff_t)first);
        const double *older = newer + s->offset[0];
        for (size_t i = 0; i < (end - first) * LANES; i += VECTOR)
            store(out + first * LANES + i,
                  extreme_fold4(load(older + i), load(newer + i), highest));
    } else {
        const double *newer[LANES];
        for (int l = 0; l < LANES; l++)
            newer[l] = window_row(&s->levels[s->level[l]], 0) + l;
        for (size_t bar = first; bar < end; bar++)
            for (int l = 0; l < LANES; l++) {
                const double *at = newer[l] + bar * LANES;
                out[bar * LANES + (size_t)l] = extreme_fold(at[s->offset[l]], *at, highest);
            }
    }
    if (!s->warmup.over)
        KERNEL(warmup_cut)(op, &s->warmup, first, end);
}

static bool highest_step(struct op *op, size_t bar, int lane)
{
    return extreme_step(op, bar, lane, true);
}
static bool lowest_step(struct op *op, size_t bar, int lane)
{
    return extreme_step(op, bar, lane, false);
}
static void highest_hot(struct op *op, size_t first, size_t end)
{
    extreme_hot(op, first, end, true);
}
static void lowest_hot(struct op *op, size_t first, size_t end)
{
    extreme_hot(op, first, end, false);
}

/* -- the kernels -- */

static void highest_start(struct op *op)
{
    extreme_start(op->state, op, true);
}
static void lowest_start(struct op *op)
{
    extreme_start(op->state, op, false);
}

static void highest_run(struct op *op, size_t bar_count)
{
    struct extreme *s = op->state;
    struct driven levels = {
        .step = highest_step,
        .hot = highest_hot,
        .skip = extreme_skip,
        .push = extreme_push,
        .changed = DRIVE_NO_ROWS,
    };

    if (s->blocks)
        extreme_blocks_run(s, op, op->out[0], bar_count, true);
    else
        drive(op, bar_count, levels);
}
static void lowest_run(struct op *op, size_t bar_count)
{
    struct extreme *s = op->state;
    struct driven levels = {
        .step = lowest_step,
        .hot = lowest_hot,
        .skip = extreme_skip,
        .push = extreme_push,
        .changed = DRIVE_NO_ROWS,
    };

    if (s->blocks)
        extreme_blocks_run(s, op, op->out[0], bar_count, false);
    else
        drive(op, bar_count, levels);
}
KERNEL_DEFINE(HIGHEST, extreme_bytes, highest_start, highest_run);
KERNEL_DEFINE(LOWEST, extreme_bytes, lowest_start, lowest_run);

/* ---- rising, falling: beyond the extreme of the n values before ------------------------------ */

struct trend {
    double
        before[LANES] ROW_ALIGNED; /* the extreme as of the lane's last value; NaN in the warm-up */
    double extreme[BLOCK_BARS * LANES] ROW_ALIGNED;
};

static size_t trend_bytes(const struct op *op)
{
    return sizeof(struct trend) + extreme_bytes(op);
}

static void trend_start(struct op *op, bool highest)
{
    struct trend *s = op->state;

    EACH_VECTOR(v)
        store(s->before + v * VECTOR, splat(NAN));
    extreme_start((struct extreme *)(s + 1), op, highest);
}
static void rising_start(struct op *op)
{
    trend_start(op, true);
}
static void falling_start(struct op *op)
{
    trend_start(op, false);
}

INLINE void trend_run(struct op *op, size_t bar_count, bool rising)
{
    struct trend *s = op->state;
    struct operand in = op->in[0];
    struct op inner = {
        .kernel = rising ? KERNEL_HIGHEST : KERNEL_LOWEST,
        .in = {in},
        .out = {s->extreme},
        .state = s + 1,
        .holes = op->holes,
    };
    u64x4 words[ROW], bit = splat_word(1);
    f64x4 before[ROW];

    if (rising)
        highest_run(&inner, bar_count);
    else
        lowest_run(&inner, bar_count);
    EACH_VECTOR(v) {
        words[v] = splat_word(0);
        before[v] = load(s->before + v * VECTOR);
    }
    for (size_t bar = 0; bar < bar_count; bar++, bit += bit)
        EACH_VECTOR(v) {
            f64x4 x = input4(in, bar, v), extreme = load(s->extreme + bar * LANES + v * VECTOR);
            words[v] |= bit & (u64x4)((rising ? x > before[v] : x < before[v]) & ~is_absent4(x));
            before[v] = select4(is_nan4(extreme), before[v], extreme);
        }
    EACH_VECTOR(v) {
        store_words(op->condition + v * VECTOR, words[v]);
        store(s->before + v * VECTOR, before[v]);
    }
}

static void rising_run(struct op *op, size_t bar_count)
{
    trend_run(op, bar_count, true);
}
static void falling_run(struct op *op, size_t bar_count)
{
    trend_run(op, bar_count, false);
}
KERNEL_DEFINE(RISING, trend_bytes, rising_start, rising_run);
KERNEL_DEFINE(FALLING, trend_bytes, falling_start, falling_run);

/* ---- pivots: beyond the `left` values before and the `right` ones after, `right` bars late --- */

struct pivot {
    struct drive drive;
    struct warmup warmup;
    struct window window;
    bool shared;
    int left[LANES], right[LANES];
};

static size_t pivot_keep(const struct op *op)
{
    return (size_t)period_longest(op, 0, 0) + (size_t)period_longest(op, 1, 0);
}

static size_t pivot_bytes(const struct op *op)
{
    return whole_lines(sizeof(struct pivot)) + window_bytes(pivot_keep(op), 1);
}

static void pivot_start(struct op *op)
{
    struct pivot *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    window_start(&s->window, (char *)s + whole_lines(sizeof *s), pivot_keep(op), 1);
    s->shared = true;
    for (int l = 0; l < LANES; l++) {
        s->left[l] = period_of(op, 0, l, 0);
        s->right[l] = period_of(op, 1, l, 0);
        s->warmup.needed[l] = s->left[l] + s->right[l] + 1;
        s->shared &= s->left[l] == s->left[0] && s->right[l] == s->right[0];
    }
}

static void pivot_push(struct op *op, size_t bar_count)
{
    struct pivot *s = op->state;
    window_push(&s->window, op, bar_count, 0, 1);
}

static void pivot_skip(struct op *op, size_t bar, int lane)
{
    struct pivot *s = op->state;
    KERNEL(window_skip)(&s->window, &s->drive, bar, lane);
}

INLINE bool pivot_step(struct op *op, size_t bar, int lane, bool high)
{
    struct pivot *s = op->state;
    const double *row = window_row(&s->window, (ptrdiff_t)bar) + lane;
    double candidate = row[-s->right[lane] * LANES];
    bool pivot = warmup_step(&s->warmup, lane);

    for (int k = 0; pivot && k <= s->left[lane] + s->right[lane]; k++)
        if (k != s->right[lane])
            pivot = high ? candidate > row[-k * LANES] : candidate < row[-k * LANES];
    output(op, 0, bar, lane, pivot ? candidate : NAN);
    return true;
}

/* The candidates of a vector against one row of others. */
INLINE i64x4 pivot_beyond(const double *candidates, const double *others, bool high)
{
    f64x4 candidate = load(candidates), other = load(others);
    return high ? candidate > other : candidate < other;
}

/* From the nearest neighbours outwards: most candidates fall at the first, so that looking one by
 * one is quicker than any tree. */
INLINE void pivot_row(const double *at, double *out, ptrdiff_t left, ptrdiff_t right, bool high)
{
    i64x4 pivot[ROW], any = splat_i(-1);

    EACH_VECTOR(v)
        pivot[v] = any;
    for (ptrdiff_t k = 1; (k <= left || k <= right) && any4(any); k++) {
        const double *before = at - (k <= left ? k : -k) * LANES;
        const double *after = at + (k <= right ? k : -k) * LANES;
        any = splat_i(0);
        EACH_VECTOR(v) {
            pivot[v] &= pivot_beyond(at + v * VECTOR, before + v * VECTOR, high) &
                        pivot_beyond(at + v * VECTOR, after + v * VECTOR, high);
            any |= pivot[v];
        }
    }
    EACH_VECTOR(v)
        store(out + v * VECTOR, select4(pivot[v], load(at + v * VECTOR), splat(NAN)));
}

INLINE void pivot_hot(struct op *op, size_t first, size_t end, bool high)
{
    struct pivot *s = op->state;
    double *out = op->out[0];

    if (!s->shared) {
        for (int l = 0; l < LANES; l++)
            for (size_t bar = first; bar < end && !(s->drive.absent >> l & 1); bar++)
                pivot_step(op, bar, l, high);
        return;
    }
    for (size_t bar = first; bar < end; bar++) {
        const double *at = window_row(&s->window, (ptrdiff_t)bar) - s->right[0] * LANES;
        pivot_row(at, out + bar * LANES, s->left[0], s->right[0], high);
    }
    if (!s->warmup.over)
        KERNEL(warmup_cut)(op, &s->warmup, first, end);
}

static bool pivothigh_step(struct op *op, size_t bar, int lane)
{
    return pivot_step(op, bar, lane, true);
}
static bool pivotlow_step(struct op *op, size_t bar, int lane)
{
    return pivot_step(op, bar, lane, false);
}
static void pivothigh_hot(struct op *op, size_t first, size_t end)
{
    pivot_hot(op, first, end, true);
}
static void pivotlow_hot(struct op *op, size_t first, size_t end)
{
    pivot_hot(op, first, end, false);
}
KERNEL_DRIVEN(PIVOTHIGH, pivot_bytes, pivot_start, .step = pivothigh_step, .hot = pivothigh_hot,
              .skip = pivot_skip, .push = pivot_push, .changed = DRIVE_NO_ROWS);
KERNEL_DRIVEN(PIVOTLOW, pivot_bytes, pivot_start, .step = pivotlow_step, .hot = pivotlow_hot,
              .skip = pivot_skip, .push = pivot_push, .changed = DRIVE_NO_ROWS);
