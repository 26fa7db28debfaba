/* Averages of one price: sma, ema. */
#include "kernel/window.h"

/* ---- sma: the sum of the last n values, kept by adding the new and taking off the old in one step ------ */

struct sma {
    struct drive drive;
    double sum[LANES] ROW_ALIGNED, inverse[LANES] ROW_ALIGNED;
    struct window window;
    int shared; /* the period of all lanes, or 0 */
    int period[LANES], seen[LANES];
    int32_t leaving[LANES]; /* from a lane's row 0 to the value that leaves the sum */
};

static size_t sma_bytes(const struct op *op)
{
    return sizeof(struct sma) + window_bytes((size_t)period_longest(op, 0, 1), 1);
}

static void sma_start(struct op *op)
{
    struct sma *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    window_start(&s->window, s + 1, (size_t)period_longest(op, 0, 1), 1);
    s->shared = period_shared(op, 0, 1);
    for (int l = 0; l < LANES; l++) {
        s->period[l] = period_of(op, 0, l, 1);
        s->inverse[l] = 1.0 / s->period[l];
        s->leaving[l] = l - s->period[l] * LANES;
    }
}

static void sma_push(struct op *op, size_t bar_count)
{
    struct sma *s = op->state;
    window_push(&s->window, op, bar_count, 0, 1);
}

static void sma_skip(struct op *op, size_t bar, int lane)
{
    struct sma *s = op->state;
    window_skip(&s->window, &s->drive, bar, lane);
}

static bool sma_step(struct op *op, size_t bar, int lane)
{
    struct sma *s = op->state;
    const double *row = window_row(&s->window, (ptrdiff_t)bar);

    s->seen[lane] += s->seen[lane] < s->period[lane];
    s->sum[lane] += row[lane] - row[s->leaving[lane]];
    output(op, 0, bar, lane, s->seen[lane] == s->period[lane] ? s->sum[lane] * s->inverse[lane] : NAN);
    return s->seen[lane] == s->period[lane];
}

INLINE void sma_bars(struct op *op, size_t first, size_t end, bool shared)
{
    struct sma *s = op->state;
    double *restrict out = op->out[0];
    const double *row = window_row(&s->window, (ptrdiff_t)first), *old = row - s->shared * LANES;
    f64x4 sum[ROW], inverse[ROW];

    EACH_VECTOR(v) {
        sum[v] = load(s->sum + v * VECTOR);
        inverse[v] = load(s->inverse + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++, row += LANES, old += LANES)
        EACH_VECTOR(v) {
            sum[v] += load(row + v * VECTOR) -
                      (shared ? load(old + v * VECTOR) : gather4(row, s->leaving + v * VECTOR));
            output4(out, bar, v, sum[v] * inverse[v]);
        }
    EACH_VECTOR(v) store(s->sum + v * VECTOR, sum[v]);
}

static void sma_hot(struct op *op, size_t first, size_t end)
{
    const struct sma *s = op->state;

    if (s->shared)
        sma_bars(op, first, end, true);
    else
        sma_bars(op, first, end, false);
}

KERNEL_DRIVEN(SMA, sma_bytes, sma_start, .step = sma_step, .hot = sma_hot, .skip = sma_skip, .push = sma_push);

/* ---- ema: begins as the mean of the first n values ----------------------------------------------------- */

struct ema {
    struct drive drive;
    double value[LANES] ROW_ALIGNED, share[LANES] ROW_ALIGNED; /* value: the sum while it warms up */
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
    EACH_VECTOR(v) store(s->value + v * VECTOR, value[v]);
}

KERNEL_DRIVEN(EMA, ema_bytes, ema_start, .step = ema_step, .hot = ema_hot);
