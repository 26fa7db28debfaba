/* What kernels do seldom, once a build for all of them: bars on which a lane is cold or has no
 * value, and the upkeep of windows and folds around them.  Here a kernel is known by its row and by
 * pointers to its functions; the bars that count never come here. */
#include "kernel/fold.h"

enum { DRIVE_ROWS_BYTES_MAX = 24 * 128 };

/* While a lane is cold, this many bars are stepped lane by lane before looking again. */
enum { DRIVE_COLD_BARS = 16 };

/* Lanes with a NaN, or what is as one, among the inputs of a bar. */
INLINE uint32_t drive_absent(const struct op *op, size_t bar, int inputs)
{
    uint32_t absent = 0;

    EACH_VECTOR(v) {
        i64x4 lanes = splat_i(0);
        for (int i = 0; i < inputs; i++)
            lanes |= is_absent4(input4(op->in[i], bar, v));
        absent |= bits4(lanes) << (v * VECTOR);
    }
    return absent;
}

/* The end of the bars from `first` on with just the same lanes absent as there; none, if another
 * lane is cold. */
INLINE size_t drive_stretch(const struct op *op, size_t first, size_t end, int inputs,
                            uint32_t *absent)
{
    const struct drive *drive = op->state;
    size_t bar = first + 1;

    *absent = drive_absent(op, first, inputs);
    if (drive->cold & ~*absent)
        return first;
    if (*absent) {
        while (bar < end && drive_absent(op, bar, inputs) == *absent)
            bar++;
        return bar;
    }
    for (; bar < end; bar++) { /* the same, for the case that counts */
        i64x4 lanes = splat_i(0);
        for (int i = 0; i < inputs; i++)
            EACH_VECTOR(v)
                lanes |= is_absent4(input4(op->in[i], bar, v));
        if (any4(lanes))
            break;
    }
    return bar;
}

/* With their number known to the compiler the inputs stay in registers. */
static size_t drive_look(const struct op *op, size_t first, size_t end, uint32_t *absent)
{
    switch (kernel_rows[op->kernel].inputs) {
    case 1:
        return drive_stretch(op, first, end, 1, absent);
    case 2:
        return drive_stretch(op, first, end, 2, absent);
    case 3:
        return drive_stretch(op, first, end, 3, absent);
    default:
        return drive_stretch(op, first, end, kernel_rows[op->kernel].inputs, absent);
    }
}

/* Bars that do not exist for the lane. */
static void drive_pass(struct op *op, size_t first, size_t end, int lane, struct driven kernel)
{
    for (int k = 0; k < kernel_rows[op->kernel].outputs; k++)
        for (size_t bar = first; bar < end; bar++)
            output(op, k, bar, lane, NAN);
    for (size_t bar = first; kernel.skip && bar < end; bar++)
        kernel.skip(op, bar, lane);
}

/* Lane outside, bar inside: the lane's state stays near. */
static void drive_steps(struct op *op, size_t first, size_t end, struct driven kernel)
{
    struct drive *drive = op->state;
    int inputs = kernel_rows[op->kernel].inputs;

    for (int lane = 0; lane < LANES; lane++)
        for (size_t bar = first; bar < end; bar++) {
            uint32_t bit = 1u << lane;
            bool absent = false;
            for (int i = 0; i < inputs; i++)
                absent |= is_absent(input(op, i, bar, lane));
            if (absent) {
                drive_pass(op, bar, bar + 1, lane, kernel);
                continue;
            }
            if (kernel.step(op, bar, lane))
                drive->cold &= ~bit;
            drive->fresh &= ~bit;
        }
}

/* Absent lanes are afterwards as if they had not been there: their rows as before, NaN, and skipped
 * bars. */
static void drive_hot(struct op *op, size_t first, size_t end, uint32_t absent,
                      struct driven kernel)
{
    struct drive *drive = op->state;
    double *rows = (double *)op->state + DRIVE_ROWS_AT / sizeof(double);
    double before[DRIVE_ROWS_BYTES_MAX / sizeof(double)];
    size_t count = kernel.changed / sizeof(double); /* 0 of DRIVE_NO_ROWS */

    ASSERT(kernel.changed <= sizeof before);
    if (absent)
        memcpy(before, rows, count * sizeof(double));
    drive->absent = absent;
    kernel.hot(op, first, end);
    drive->absent = 0;
    for (; absent; absent &= absent - 1) {
        int lane = __builtin_ctz(absent);
        for (size_t at = (size_t)lane; at < count; at += DRIVE_ROW)
            rows[at] = before[at];
        drive_pass(op, first, end, lane, kernel);
    }
}

void KERNEL(drive_seldom)(struct op *op, size_t bar_count, struct driven kernel)
{
    const struct drive *drive = op->state;

    for (size_t bar = 0, end; bar < bar_count; bar = end) {
        uint32_t absent = 0;

        end = bar_count;
        if (op->holes || drive->cold)
            end = drive_look(op, bar, bar_count, &absent);
        if (kernel.hot && end > bar && (!absent || kernel.changed)) {
            drive_hot(op, bar, end, absent, kernel);
        } else {
            size_t count = !kernel.hot ? bar_count : drive->cold ? DRIVE_COLD_BARS : 1;
            end = bar_count - bar < count ? bar_count : bar + count;
            drive_steps(op, bar, end, kernel);
        }
    }
}

/* ---- windows and folds ------------------------------------------------------------------------
 */

void *KERNEL(window_start_with)(struct window *w, void *memory, size_t keep, int series,
                                double empty)
{
    *w = (struct window){
        .rows = memory,
        .width = (size_t)series * LANES,
        .keep = keep,
        .capacity = window_capacity(keep),
        .block = keep,
        .next = keep,
        .empty = empty,
    };
    for (size_t i = 0; i < keep * w->width; i++)
        w->rows[i] = empty;
    return (char *)memory + window_bytes(keep, series);
}

void KERNEL(window_skip)(struct window *w, const struct drive *drive, size_t bar, int lane)
{
    bool fresh = drive->fresh >> lane & 1;

    for (size_t series = 0; series < w->width; series += LANES) {
        double *at = window_row(w, (ptrdiff_t)bar) + series + lane;
        for (size_t k = 0; k < w->keep && !fresh; k++, at -= w->width)
            *at = *(at - w->width);
        if (fresh)
            *at = w->empty;
    }
}

void KERNEL(warmup_cut)(struct op *op, struct warmup *w, size_t first, size_t end)
{
    const struct drive *drive = op->state;

    w->over = true;
    for (int l = 0; l < LANES; l++) {
        bool absent = drive->absent >> l & 1;
        for (size_t bar = first; bar < end && !absent && !warmup_step(w, l); bar++)
            for (int k = 0; k < kernel_rows[op->kernel].outputs; k++)
                output(op, k, bar, l, NAN);
        w->over &= w->seen[l] == w->needed[l];
    }
}

void KERNEL(fold_start)(struct fold *f, const struct op *op, int more, void *memory, int series)
{
    f->rows = memory;
    f->width = (size_t)series * LANES;
    f->ring = period_longest(op, 0, 1) + more;
    f->block = f->next = 0;
    f->shared = period_shared(op, 0, 1);
    f->shared += f->shared ? more : 0;
    for (int l = 0; l < LANES; l++) {
        f->warmup.needed[l] = period_of(op, 0, l, 1) + more;
        f->newest[l] = f->warmup.needed[l] - 1;
    }
    f->empty = f->rows + f->width * (size_t)f->ring;
    memset(memory, 0, fold_bytes(f->ring, series));
}

void KERNEL(fold_skip)(struct fold *f, const struct drive *drive, int lane)
{
    if (drive->fresh >> lane & 1)
        return;
    for (size_t series = (size_t)lane; series < f->width; series += LANES) {
        double *column = f->rows + series, first = column[(size_t)(f->ring - 1) * f->width];
        for (int row = f->ring - 1; row > 0; row--)
            column[(size_t)row * f->width] = column[(size_t)(row - 1) * f->width];
        column[0] = first;
    }
}

void KERNEL(fold_vectors)(struct op *op, size_t first, size_t end,
                          void (*vectors)(struct op *op, size_t first, size_t end, int lane,
                                          const i64x4 *mask))
{
    const struct drive *drive = op->state;
    i64x4 mask[ROW];

    for (int l = 0; l < LANES; l++)
        mask[l / VECTOR][l % VECTOR] = drive->absent >> l & 1 ? 0 : -1;
    for (int v = 0; v < ROW; v += FOLD_MASKED)
        vectors(op, first, end, v * VECTOR, mask + v);
}
