/* Volume and where the price closed: obv, ad, adosc. */
#include "kernel/drive.h"

/* ---- obv: volume of rises minus volume of falls, beginning with the first volume ------------- */

struct obv {
    struct drive drive;
    double total[LANES] ROW_ALIGNED, last[LANES] ROW_ALIGNED;
};

static size_t obv_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct obv);
}

static void obv_start(struct op *op)
{
    struct obv *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
}

static bool obv_step(struct op *op, size_t bar, int lane)
{
    struct obv *s = op->state;
    double close = input(op, 0, bar, lane), volume = input(op, 1, bar, lane);

    if (s->drive.fresh >> lane & 1)
        s->total[lane] = volume;
    else
        s->total[lane] += close > s->last[lane] ? volume : close < s->last[lane] ? -volume : 0.0;
    s->last[lane] = close;
    output(op, 0, bar, lane, s->total[lane]);
    return true;
}

static void obv_hot(struct op *op, size_t first, size_t end)
{
    struct obv *s = op->state;
    struct operand closes = op->in[0], volumes = op->in[1];
    double *restrict out = op->out[0];
    f64x4 total[ROW], last[ROW];

    EACH_VECTOR(v) {
        total[v] = load(s->total + v * VECTOR);
        last[v] = load(s->last + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++)
        EACH_VECTOR(v) {
            f64x4 close = input4(closes, bar, v), volume = input4(volumes, bar, v),
                  zero = splat(0.0);
            total[v] += select4(close > last[v], volume, select4(close < last[v], -volume, zero));
            last[v] = close;
            output4(out, bar, v, total[v]);
        }
    EACH_VECTOR(v) {
        store(s->total + v * VECTOR, total[v]);
        store(s->last + v * VECTOR, last[v]);
    }
}

KERNEL_DRIVEN(OBV, obv_bytes, obv_start, .step = obv_step, .hot = obv_hot,
              .changed = DRIVE_ROWS(struct obv, last));

/* ---- ad: volume by where the bar closed in its range; adosc: two means of it ----------------- */

struct ad {
    struct drive drive;
    double total[LANES] ROW_ALIGNED;
    double fast[LANES] ROW_ALIGNED,
        slow[LANES] ROW_ALIGNED; /* adosc: both begin as the first total */
    double fast_share[LANES] ROW_ALIGNED, slow_share[LANES] ROW_ALIGNED;
    int left[LANES]; /* bars not yet shown */
};

static size_t ad_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct ad);
}

static void ad_start(struct op *op)
{
    struct ad *s = op->state;

    memset(s, 0, sizeof *s);
    drive_start(&s->drive);
}

static void adosc_start(struct op *op)
{
    struct ad *s = op->state;

    ad_start(op);
    for (int l = 0; l < LANES; l++) {
        int fast = period_of(op, 0, l, 1), slow = period_of(op, 1, l, 1);
        s->fast_share[l] = 2.0 / (fast + 1.0);
        s->slow_share[l] = 2.0 / (slow + 1.0);
        s->left[l] = (fast > slow ? fast : slow) - 1;
    }
}

INLINE void ad_add(struct op *op, size_t bar, int lane)
{
    struct ad *s = op->state;
    double high = input(op, 0, bar, lane), low = input(op, 1, bar, lane),
           close = input(op, 2, bar, lane);

    if (high > low)
        s->total[lane] += ((close - low) - (high - close)) / (high - low) * input(op, 3, bar, lane);
}

static bool ad_step(struct op *op, size_t bar, int lane)
{
    const struct ad *s = op->state;

    ad_add(op, bar, lane);
    output(op, 0, bar, lane, s->total[lane]);
    return true;
}

static bool adosc_step(struct op *op, size_t bar, int lane)
{
    struct ad *s = op->state;
    bool fresh = s->drive.fresh >> lane & 1, warm = s->left[lane] == 0;

    ad_add(op, bar, lane);
    double total = s->total[lane];
    s->fast[lane] = fresh ? total : s->fast[lane] + s->fast_share[lane] * (total - s->fast[lane]);
    s->slow[lane] = fresh ? total : s->slow[lane] + s->slow_share[lane] * (total - s->slow[lane]);
    s->left[lane] -= !warm;
    output(op, 0, bar, lane, warm ? s->fast[lane] - s->slow[lane] : NAN);
    return warm && !fresh;
}

INLINE void ad_bars(struct op *op, size_t first, size_t end, bool oscillator)
{
    struct ad *s = op->state;
    struct operand highs = op->in[0], lows = op->in[1], closes = op->in[2], volumes = op->in[3];
    double *restrict out = op->out[0];
    f64x4 total[ROW], fast[ROW], slow[ROW];

    EACH_VECTOR(v) {
        total[v] = load(s->total + v * VECTOR);
        fast[v] = load(s->fast + v * VECTOR);
        slow[v] = load(s->slow + v * VECTOR);
    }
    for (size_t bar = first; bar < end; bar++)
        EACH_VECTOR(v) {
            f64x4 high = input4(highs, bar, v), low = input4(lows, bar, v),
                  close = input4(closes, bar, v);
            f64x4 flow = ((close - low) - (high - close)) / (high - low) * input4(volumes, bar, v),
                  value;

            value = total[v] = select4(high > low, total[v] + flow, total[v]);
            if (oscillator) {
                fast[v] += load(s->fast_share + v * VECTOR) * (total[v] - fast[v]);
                slow[v] += load(s->slow_share + v * VECTOR) * (total[v] - slow[v]);
                value = fast[v] - slow[v];
            }
            output4(out, bar, v, value);
        }
    EACH_VECTOR(v) {
        store(s->total + v * VECTOR, total[v]);
        store(s->fast + v * VECTOR, fast[v]);
        store(s->slow + v * VECTOR, slow[v]);
    }
}

static void ad_hot(struct op *op, size_t first, size_t end)
{
    ad_bars(op, first, end, false);
}

static void adosc_hot(struct op *op, size_t first, size_t end)
{
    ad_bars(op, first, end, true);
}

KERNEL_DRIVEN(AD, ad_bytes, ad_start, .step = ad_step, .hot = ad_hot,
              .changed = DRIVE_ROWS(struct ad, slow));
KERNEL_DRIVEN(ADOSC, ad_bytes, adosc_start, .step = adosc_step, .hot = adosc_hot,
              .changed = DRIVE_ROWS(struct ad, slow));
