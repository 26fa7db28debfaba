/* Sums and averages of one price: sum, sma, ema, rma. */
#include "kernel/window.h"

/* ---- sum, and sma, its n-th part ----------------------------------------------------------------
 * The new value comes in and the old one goes out in one step, so that the bits do not depend on
 * the block. */

struct sum {
    struct drive drive;
    double sum[LANES] ROW_ALIGNED, share[LANES] ROW_ALIGNED;
    struct warmup warmup;
    struct window window;
    int shared;             /* the period of all lanes, or 0 */
    int32_t leaving[LANES]; /* from the vector of a lane to the value that leaves */
};

static size_t sum_bytes(const struct op *op)
{
    return sizeof(struct sum) + window_bytes((size_t)period_longest(op, 0, 1), 1);
}

static void sum_start(struct op *op)
{
    struct sum *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    window_start(&s->window, s + 1, (size_t)period_longest(op, 0, 1), 1);
    s->shared = period_shared(op, 0, 1);
    for (int l = 0; l < LANES; l++) {
        s->warmup.needed[l] = period_of(op, 0, l, 1);
        s->share[l] = 1.0;
        s->leaving[l] = l % VECTOR - s->warmup.needed[l] * LANES;
    }
}

static void sma_start(struct op *op)
{
    struct sum *s = op->state;

    sum_start(op);
    for (int l = 0; l < LANES; l++)
        s->share[l] = 1.0 / s->warmup.needed[l];
}

WINDOW_FUNCTIONS(sum, sum, 1)

/* Warm from the first value on: before a lane's first value the window holds zeros, and hot() cuts.
 */
static bool sum_step(struct op *op, size_t bar, int lane)
{
    struct sum *s = op->state;
    const double *row = window_row(&s->window, (ptrdiff_t)bar);

    s->sum[lane] += row[lane] - row[lane / VECTOR * VECTOR + s->leaving[lane]];
    output(op, 0, bar, lane, warmup_step(&s->warmup, lane) ? s->sum[lane] * s->share[lane] : NAN);
    return true;
}

INLINE void sum_bars(struct sum *s, double *restrict out, size_t first, size_t end, bool shared)
{
    const double *row = window_row(&s->window, (ptrdiff_t)first), *old = row - s->shared * LANES;
    f64x4 sum[ROW], share[ROW];

    EACH_VECTOR(v) {
        sum[v] = load(s->sum + v * VECTOR);
        share[v] = load(s->share + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++, row += LANES, old += LANES)
        EACH_VECTOR(v) {
            sum[v] += load(row + v * VECTOR) -
                      (shared ? load(old + v * VECTOR)
                              : gather4(row + v * VECTOR, s->leaving + v * VECTOR));
            output4(out, bar, v, sum[v] * share[v]);
        }
    EACH_VECTOR(v)
        store(s->sum + v * VECTOR, sum[v]);
}

static void sum_hot(struct op *op, size_t first, size_t end)
{
    struct sum *s = op->state;

    if (s->shared)
        sum_bars(s, op->out[0], first, end, true);
    else
        sum_bars(s, op->out[0], first, end, false);
    if (!s->warmup.over)
        KERNEL(warmup_cut)(op, &s->warmup, first, end);
}

KERNEL_DRIVEN(SUM, sum_bytes, sum_start, .step = sum_step, .hot = sum_hot, .skip = sum_skip,
              .push = sum_push, .changed = DRIVE_ROWS(struct sum, sum));
KERNEL_DRIVEN(SMA, sum_bytes, sma_start, .step = sum_step, .hot = sum_hot, .skip = sum_skip,
              .push = sum_push, .changed = DRIVE_ROWS(struct sum, sum));

/* ---- ema, and rma, Wilder's: begin as the mean of the first n values ------------------------- */

struct ema {
    struct drive drive;
    double value[LANES] ROW_ALIGNED,
        share[LANES] ROW_ALIGNED; /* value: the sum while it warms up */
    int period[LANES], seen[LANES];
};

static size_t ema_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct ema);
}

static void ema_start(struct op *op)
{
    struct ema *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        s->period[l] = period_of(op, 0, l, 1);
        s->share[l] = 2.0 / (s->period[l] + 1.0);
    }
}

static void rma_start(struct op *op)
{
    struct ema *s = op->state;

    ema_start(op);
    for (int l = 0; l < LANES; l++)
        s->share[l] = 1.0 / s->period[l];
}

static bool ema_step(struct op *op, size_t bar, int lane)
{
    struct ema *s = op->state;
    double x = input(op, 0, bar, lane);
    int period = s->period[lane], seen = s->seen[lane];

    if (seen >= period) {
        s->value[lane] += s->share[lane] * (x - s->value[lane]);
    } else {
        s->seen[lane] = ++seen;
        s->value[lane] += x;
        if (seen == period)
            s->value[lane] /= period;
    }
    output(op, 0, bar, lane, seen >= period ? s->value[lane] : NAN);
    return seen >= period;
}

static void ema_hot(struct op *op, size_t first, size_t end)
{
    struct ema *s = op->state;
    struct operand in = op->in[0];
    double *restrict out = op->out[0];
    f64x4 value[ROW], share[ROW];

    EACH_VECTOR(v) {
        value[v] = load(s->value + v * VECTOR);
        share[v] = load(s->share + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++)
        EACH_VECTOR(v) {
            value[v] += share[v] * (input4(in, bar, v) - value[v]);
            output4(out, bar, v, value[v]);
        }
    EACH_VECTOR(v)
        store(s->value + v * VECTOR, value[v]);
}

KERNEL_DRIVEN(EMA, ema_bytes, ema_start, .step = ema_step, .hot = ema_hot,
              .changed = DRIVE_ROWS(struct ema, value));
KERNEL_DRIVEN(RMA, ema_bytes, rma_start, .step = ema_step, .hot = ema_hot,
              .changed = DRIVE_ROWS(struct ema, value));
