/* Recurrences over one price: kama, macd, macdfix; and what formulas need: previous, skip, cumsum.
 */
#include "kernel/fold.h"
#include "kernel/window.h"

/* ---- windows that formulas need: previous(x, n), skip(x, n) ---------------------------------- */

struct back {
    struct drive drive;
    int shared; /* the distance of all lanes, or -1 */
    int distance[LANES], seen[LANES];
    int32_t offset[LANES]; /* from the vector of a lane to its value that far back */
    struct window window ROW_ALIGNED;
};

static size_t back_bytes(const struct op *op)
{
    return sizeof(struct back) + window_bytes((size_t)period_longest(op, 0, 1), 1);
}

static void back_start(struct op *op)
{
    struct back *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    window_start(&s->window, s + 1, (size_t)period_longest(op, 0, 1), 1);
    s->shared = period_of(op, 0, 0, 0);
    for (int l = 0; l < LANES; l++) {
        s->distance[l] = period_of(op, 0, l, 0);
        s->offset[l] = l % VECTOR - s->distance[l] * LANES;
        s->shared = s->distance[l] == s->shared ? s->shared : -1;
    }
}

WINDOW_FUNCTIONS(back, back, 1)

static bool back_step(struct op *op, size_t bar, int lane)
{
    struct back *s = op->state;
    const double *row = window_row(&s->window, (ptrdiff_t)bar) + lane_vector(lane);
    bool warm = s->seen[lane] >= s->distance[lane];

    s->seen[lane] += !warm;
    output(op, 0, bar, lane, warm ? row[s->offset[lane]] : NAN);
    return warm;
}

static void back_hot(struct op *op, size_t first, size_t end)
{
    const struct back *s = op->state;
    double *restrict out = op->out[0];
    const double *row = window_row(&s->window, (ptrdiff_t)first), *from = row - s->shared * LANES;

    for (size_t bar = first; bar < end; bar++, row += LANES, from += LANES)
        if (s->shared >= 0)
            EACH_VECTOR(v)
                output4(out, bar, v, load(from + v * VECTOR));
        else
            EACH_VECTOR(v)
                output4(out, bar, v, gather4(row + v * VECTOR, s->offset + v * VECTOR));
}

KERNEL_DRIVEN(PREVIOUS, back_bytes, back_start, .step = back_step, .hot = back_hot,
              .skip = back_skip, .push = back_push, .changed = DRIVE_NO_ROWS);

struct skip {
    struct drive drive;
    int left[LANES];
};

static size_t skip_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct skip);
}

static void skip_start(struct op *op)
{
    struct skip *s = op->state;

    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++)
        s->left[l] = period_of(op, 0, l, 0);
}

static bool skip_step(struct op *op, size_t bar, int lane)
{
    struct skip *s = op->state;
    bool over = s->left[lane] == 0;

    s->left[lane] -= !over;
    output(op, 0, bar, lane, over ? input(op, 0, bar, lane) : NAN);
    return over;
}

static void skip_hot(struct op *op, size_t first, size_t end)
{
    struct operand in = op->in[0];
    double *restrict out = op->out[0];

    for (size_t bar = first; bar < end; bar++)
        EACH_VECTOR(v)
            output4(out, bar, v, input4(in, bar, v));
}

KERNEL_DRIVEN(SKIP, skip_bytes, skip_start, .step = skip_step, .hot = skip_hot,
              .changed = DRIVE_NO_ROWS);

/* ---- cumsum: the sum of all values ----------------------------------------------------------- */

struct cumsum {
    struct drive drive;
    double total[LANES] ROW_ALIGNED;
};

static size_t cumsum_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct cumsum);
}

static void cumsum_start(struct op *op)
{
    struct cumsum *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
}

static bool cumsum_step(struct op *op, size_t bar, int lane)
{
    struct cumsum *s = op->state;

    s->total[lane] += input(op, 0, bar, lane);
    output(op, 0, bar, lane, s->total[lane]);
    return true;
}

static void cumsum_hot(struct op *op, size_t first, size_t end)
{
    struct cumsum *s = op->state;
    struct operand in = op->in[0];
    double *restrict out = op->out[0];
    f64x4 total[ROW];

    EACH_VECTOR(v)
        total[v] = load(s->total + v * VECTOR);
    for (size_t bar = first; bar < end; bar++)
        EACH_VECTOR(v) {
            total[v] += input4(in, bar, v);
            output4(out, bar, v, total[v]);
        }
    EACH_VECTOR(v)
        store(s->total + v * VECTOR, total[v]);
}

KERNEL_DRIVEN(CUMSUM, cumsum_bytes, cumsum_start, .step = cumsum_step, .hot = cumsum_hot,
              .changed = DRIVE_ROWS(struct cumsum, total));

/* ---- kama: Kaufman's adaptive mean --------------------------------------------------------------
 * The way of the last n bars is a running sum; when no bar of them moved it is 0, whatever
 * rounding left. */

struct kama {
    struct drive drive;
    double value[LANES] ROW_ALIGNED, way[LANES] ROW_ALIGNED;
    double still[LANES] ROW_ALIGNED,
        period[LANES] ROW_ALIGNED; /* still: bars since the last move */
    int shared;                    /* the period of all lanes, or 0 */
    int seen[LANES];
    int32_t offset[LANES]; /* from the vector of a lane to its value n bars back */
    struct window window ROW_ALIGNED;
};

static const double KAMA_SLOW = 2.0 / 31.0, KAMA_RANGE = 2.0 / 3.0 - 2.0 / 31.0;

static size_t kama_bytes(const struct op *op)
{
    return sizeof(struct kama) + window_bytes((size_t)period_longest(op, 0, 1) + 1, 1);
}

static void kama_start(struct op *op)
{
    struct kama *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    window_start(&s->window, s + 1, (size_t)period_longest(op, 0, 1) + 1, 1);
    s->shared = period_shared(op, 0, 1);
    for (int l = 0; l < LANES; l++) {
        s->period[l] = period_of(op, 0, l, 1);
        s->offset[l] = l % VECTOR - (int)s->period[l] * LANES;
    }
}

WINDOW_FUNCTIONS(kama, kama, 1)

/* A period of 1 is no smoothing: TA-Lib gives the price, from its first bar on. */
static bool kama_step(struct op *op, size_t bar, int lane)
{
    struct kama *s = op->state;
    const double *row = window_row(&s->window, (ptrdiff_t)bar) + lane_vector(lane);
    const double *old = row + s->offset[lane];
    double x = input(op, 0, bar, lane),
           change = fabs(x - window_row(&s->window, (ptrdiff_t)bar - 1)[lane]);
    int period = (int)s->period[lane], seen = s->seen[lane];

    if (period == 1) {
        output(op, 0, bar, lane, x);
        return false;
    }
    if (seen == 0)
        change = 0;
    s->way[lane] += change - (seen > period ? fabs(*old - *(old - LANES)) : 0.0);
    s->still[lane] = change == 0 ? s->still[lane] + 1 : 0;
    if (s->still[lane] >= period)
        s->way[lane] = 0;
    if (seen >= period) {
        double move = fabs(x - *old), ratio = s->way[lane] <= move ? 1.0 : move / s->way[lane];
        double rate = ratio * KAMA_RANGE + KAMA_SLOW;
        s->value[lane] += rate * rate * (x - s->value[lane]);
    } else if (seen == period - 1) {
        s->value[lane] = x;
    }
    output(op, 0, bar, lane, seen >= period ? s->value[lane] : NAN);
    s->seen[lane] += seen <= period;
    return seen >= period;
}

INLINE void kama_bars(struct kama *s, double *restrict out, size_t first, size_t end, bool shared)
{
    const double *row = window_row(&s->window, (ptrdiff_t)first);
    f64x4 value[ROW], way[ROW], still[ROW];

    EACH_VECTOR(v) {
        value[v] = load(s->value + v * VECTOR);
        way[v] = load(s->way + v * VECTOR);
        still[v] = load(s->still + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++, row += LANES)
        EACH_VECTOR(v) {
            const double *at = row + v * VECTOR;
            f64x4 x = load(at), change = abs4(x - load(at - LANES));
            f64x4 old = shared ? load(at - s->shared * LANES) : gather4(at, s->offset + v * VECTOR);
            f64x4 older = shared ? load(at - s->shared * LANES - LANES)
                                 : gather4(at - LANES, s->offset + v * VECTOR);
            f64x4 move = abs4(x - old), rate;

            way[v] += change - abs4(old - older);
            still[v] = select4(change == splat(0.0), still[v] + splat(1.0), splat(0.0));
            way[v] = select4(still[v] >= load(s->period + v * VECTOR), splat(0.0), way[v]);
            rate = select4(way[v] <= move, splat(1.0), move / way[v]) * splat(KAMA_RANGE) +
                   splat(KAMA_SLOW);
            value[v] += rate * rate * (x - value[v]);
            output4(out, bar, v, value[v]);
        }
    EACH_VECTOR(v) {
        store(s->value + v * VECTOR, value[v]);
        store(s->way + v * VECTOR, way[v]);
        store(s->still + v * VECTOR, still[v]);
    }
}

static void kama_hot(struct op *op, size_t first, size_t end)
{
    struct kama *s = op->state;

    if (s->shared)
        kama_bars(s, op->out[0], first, end, true);
    else
        kama_bars(s, op->out[0], first, end, false);
}

KERNEL_DRIVEN(KAMA, kama_bytes, kama_start, .step = kama_step, .hot = kama_hot, .skip = kama_skip,
              .push = kama_push, .changed = DRIVE_ROWS(struct kama, still));

/* ---- macd: the difference of two exponential means, and its own mean ----------------------------
 * The fast mean begins so late that both are seeded on the same bar.  macdfix is the first
 * MACD's: 12 and 26 bars to seed, but shares of 0.15 and 0.075. */

struct macd {
    struct drive drive;
    double fast[LANES] ROW_ALIGNED, slow[LANES] ROW_ALIGNED,
        signal[LANES] ROW_ALIGNED; /* first sums */
    double fast_share[LANES] ROW_ALIGNED, slow_share[LANES] ROW_ALIGNED,
        signal_share[LANES] ROW_ALIGNED;
    int fast_period[LANES], slow_period[LANES], signal_period[LANES];
    int seen[LANES], lines[LANES]; /* values, and values of the line, until warm */
};

static size_t macd_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct macd);
}

static void macd_start(struct op *op)
{
    struct macd *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        int a = period_of(op, 0, l, 1), b = period_of(op, 1, l, 1);
        s->fast_period[l] = a < b ? a : b;
        s->slow_period[l] = a < b ? b : a;
        s->signal_period[l] = period_of(op, 2, l, 1);
        s->fast_share[l] = 2.0 / (s->fast_period[l] + 1.0);
        s->slow_share[l] = 2.0 / (s->slow_period[l] + 1.0);
        s->signal_share[l] = 2.0 / (s->signal_period[l] + 1.0);
    }
}

static void macdfix_start(struct op *op)
{
    struct macd *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
    for (int l = 0; l < LANES; l++) {
        s->fast_period[l] = 12;
        s->slow_period[l] = 26;
        s->signal_period[l] = period_of(op, 0, l, 1);
        s->fast_share[l] = 0.15;
        s->slow_share[l] = 0.075;
        s->signal_share[l] = 2.0 / (s->signal_period[l] + 1.0);
    }
}

/* One value into a mean that begins as the mean of its first `period` values. */
INLINE void macd_mean(double *mean, double x, double share, int seen, int period)
{
    if (seen > period)
        *mean += share * (x - *mean);
    else
        *mean += x;
    if (seen == period)
        *mean /= period;
}

static bool macd_step(struct op *op, size_t bar, int lane)
{
    struct macd *s = op->state;
    double x = input(op, 0, bar, lane), line = NAN;
    int late = s->slow_period[lane] - s->fast_period[lane], seen = s->seen[lane] + 1,
        lines = s->lines[lane];

    macd_mean(&s->slow[lane], x, s->slow_share[lane], seen, s->slow_period[lane]);
    if (seen > late)
        macd_mean(&s->fast[lane], x, s->fast_share[lane], seen - late, s->fast_period[lane]);
    if (seen >= s->slow_period[lane]) {
        line = s->fast[lane] - s->slow[lane];
        macd_mean(&s->signal[lane], line, s->signal_share[lane], ++lines, s->signal_period[lane]);
    }
    bool warm = lines >= s->signal_period[lane];
    s->seen[lane] = seen > s->slow_period[lane] ? seen - 1 : seen; /* stays behind the seed */
    s->lines[lane] = lines > s->signal_period[lane] ? lines - 1 : lines;
    output(op, 0, bar, lane, warm ? line : NAN);
    output(op, 1, bar, lane, warm ? s->signal[lane] : NAN);
    output(op, 2, bar, lane, warm ? line - s->signal[lane] : NAN);
    return warm;
}

static void macd_hot(struct op *op, size_t first, size_t end)
{
    struct macd *s = op->state;
    struct operand in = op->in[0];
    double *restrict lines = op->out[0], *restrict signals = op->out[1],
                     *restrict histograms = op->out[2];
    f64x4 fast[ROW], slow[ROW], signal[ROW];

    EACH_VECTOR(v) {
        fast[v] = load(s->fast + v * VECTOR);
        slow[v] = load(s->slow + v * VECTOR);
        signal[v] = load(s->signal + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++)
        EACH_VECTOR(v) {
            f64x4 x = input4(in, bar, v), line;
            fast[v] += load(s->fast_share + v * VECTOR) * (x - fast[v]);
            slow[v] += load(s->slow_share + v * VECTOR) * (x - slow[v]);
            line = fast[v] - slow[v];
            signal[v] += load(s->signal_share + v * VECTOR) * (line - signal[v]);
            output4(lines, bar, v, line);
            output4(signals, bar, v, signal[v]);
            output4(histograms, bar, v, line - signal[v]);
        }
    EACH_VECTOR(v) {
        store(s->fast + v * VECTOR, fast[v]);
        store(s->slow + v * VECTOR, slow[v]);
        store(s->signal + v * VECTOR, signal[v]);
    }
}

KERNEL_DRIVEN(MACD, macd_bytes, macd_start, .step = macd_step, .hot = macd_hot,
              .changed = DRIVE_ROWS(struct macd, signal));
KERNEL_DRIVEN(MACDFIX, macd_bytes, macdfix_start, .step = macd_step, .hot = macd_hot,
              .changed = DRIVE_ROWS(struct macd, signal));
