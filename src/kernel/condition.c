/* Conditions: one word a lane, bit t = bar t of the block.  Bits behind the block stay 0. */
#include "kernel/drive.h"

/* The block's bars as bits. */
INLINE uint64_t block_mask(size_t bar_count)
{
    return ~UINT64_C(0) >> (BLOCK_BARS - bar_count);
}

/* ---- numbers to conditions ----------------------------------------------------------------------
 * The words are stored one by one: copying the whole array would keep it in memory (half as fast
 * again). */

#define COMPARE(id, relation)                                           \
    static void id##_run(struct op *op, size_t bar_count)               \
    {                                                                   \
        struct operand in0 = op->in[0], in1 = op->in[INPUTS_##id - 1];  \
        u64x4 words[ROW], bit = splat_word(1);                          \
                                                                        \
        EACH_VECTOR(v)                                                  \
            words[v] = splat_word(0);                                   \
        for (size_t bar = 0; bar < bar_count; bar++, bit += bit)        \
            EACH_VECTOR(v) {                                            \
                f64x4 a = input4(in0, bar, v), b = input4(in1, bar, v); \
                words[v] |= bit & (u64x4)(relation);                    \
            }                                                           \
        EACH_VECTOR(v)                                                  \
            store_words(op->condition + v * VECTOR, words[v]);          \
    }                                                                   \
    KERNEL_DEFINE(id, NULL, NULL, id##_run)

COMPARE(GT, a > b);
COMPARE(GE, a >= b);
COMPARE(LT, a < b);
COMPARE(LE, a <= b);
COMPARE(EQ, a == b);
COMPARE(NE, (a < b) | (a > b));
COMPARE(ISNAN, a != b); /* b is a */

/* ---- crossings ----------------------------------------------------------------------------------
 * Crossing up is "above now" and "below or equal a bar ago".  A word shifted by one is a bar ago;
 * the bit that falls off the block is carried.  In a block without NaN "below or equal" is "not
 * above", which spares the second compare: a sum of all inputs tells, on a port that compares do
 * not use.  Where it is not finite both are compared (rsi crossing 30 and 70: 50 us of a batch). */

struct crossing {
    uint64_t before[LANES] ROW_ALIGNED; /* bit 0: below or equal on the last bar */
};

static size_t crossing_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct crossing);
}

static void crossing_start(struct op *op)
{
    memset(op->state, 0, sizeof(struct crossing));
}

/* Both compares, where an input may be NaN. */
INLINE void cross_both(const struct op *op, size_t bar_count, bool over, u64x4 beyond[],
                       u64x4 within[])
{
    struct operand in0 = op->in[0], in1 = op->in[1];
    u64x4 bit = splat_word(1);

    EACH_VECTOR(v)
        beyond[v] = within[v] = splat_word(0);
    for (size_t bar = 0; bar < bar_count; bar++, bit += bit)
        EACH_VECTOR(v) {
            f64x4 a = input4(in0, bar, v), b = input4(in1, bar, v);
            beyond[v] |= bit & (u64x4)(over ? a > b : a < b);
            within[v] |= bit & (u64x4)(over ? a <= b : a >= b);
        }
}

/* One compare, and a sum that is finite only if no input was NaN: false where it is not.  With a
 * level that is the same on every bar only one input is read. */
INLINE bool cross_sums(const struct op *op, size_t bar_count, bool over, bool level, u64x4 beyond[])
{
    struct operand in0 = op->in[0], in1 = op->in[1];
    u64x4 bit = splat_word(1);
    f64x4 sum[ROW], at[ROW];

    EACH_VECTOR(v) {
        beyond[v] = splat_word(0);
        at[v] = input4(in1, 0, v);
        sum[v] = at[v] - at[v];
    }
    for (size_t bar = 0; bar < bar_count; bar++, bit += bit)
        EACH_VECTOR(v) {
            f64x4 a = input4(in0, bar, v), b = level ? at[v] : input4(in1, bar, v);
            beyond[v] |= bit & (u64x4)(over ? a > b : a < b);
            sum[v] += a;
            if (!level)
                sum[v] += b;
        }
    f64x4 all = splat(0);
    EACH_VECTOR(v)
        all += sum[v] - sum[v];
    return !any4((i64x4)(all != all));
}

INLINE void crossing_run(struct op *op, size_t bar_count, bool over)
{
    struct crossing *s = op->state;
    u64x4 beyond[ROW], within[ROW];
    bool level = op->in[1].step == 0;
    bool whole = level ? cross_sums(op, bar_count, over, true, beyond)
                       : cross_sums(op, bar_count, over, false, beyond);

    if (whole)
        EACH_VECTOR(v)
            within[v] = ~beyond[v];
    else
        cross_both(op, bar_count, over, beyond, within);
    EACH_VECTOR(v) {
        u64x4 before = load_words(s->before + v * VECTOR);
        store_words(op->condition + v * VECTOR, beyond[v] & (within[v] << 1 | before));
        store_words(s->before + v * VECTOR, within[v] >> (bar_count - 1) & 1);
    }
}

static void crossover_run(struct op *op, size_t bar_count)
{
    crossing_run(op, bar_count, true);
}
static void crossunder_run(struct op *op, size_t bar_count)
{
    crossing_run(op, bar_count, false);
}
KERNEL_DEFINE(CROSSOVER, crossing_bytes, crossing_start, crossover_run);
KERNEL_DEFINE(CROSSUNDER, crossing_bytes, crossing_start, crossunder_run);

/* ---- conditions to conditions ---------------------------------------------------------------- */

static void and_run(struct op *op, size_t bar_count)
{
    (void)bar_count;
    EACH_VECTOR(v)
        store_words(op->condition + v * VECTOR,
                    load_words(op->when[0] + v * VECTOR) & load_words(op->when[1] + v * VECTOR));
}
static void or_run(struct op *op, size_t bar_count)
{
    (void)bar_count;
    EACH_VECTOR(v)
        store_words(op->condition + v * VECTOR,
                    load_words(op->when[0] + v * VECTOR) | load_words(op->when[1] + v * VECTOR));
}
static void not_run(struct op *op, size_t bar_count)
{
    u64x4 mask = splat_word(block_mask(bar_count));
    EACH_VECTOR(v)
        store_words(op->condition + v * VECTOR, ~load_words(op->when[0] + v * VECTOR) & mask);
}
KERNEL_DEFINE(AND, NULL, NULL, and_run);
KERNEL_DEFINE(OR, NULL, NULL, or_run);
KERNEL_DEFINE(NOT, NULL, NULL, not_run);

/* ---- conditions n bars ago ----------------------------------------------------------------------
 * Up to 63 bars back the last 64 bits of each lane, the newest on top, are enough and the lanes may
 * differ. Beyond, the bits of each lane are one stream in a ring of words. */

struct delay {
    uint64_t last[LANES] ROW_ALIGNED, bars[LANES] ROW_ALIGNED;
    bool near;       /* every lane within 63 bars */
    size_t words;    /* of the ring, a lane */
    size_t position; /* bit of the stream that comes next */
    uint64_t ring[][LANES];
};

static size_t delay_words(const struct op *op)
{
    return (size_t)period_longest(op, 0, 0) / 64 + 3;
}

static size_t delay_bytes(const struct op *op)
{
    return sizeof(struct delay) + delay_words(op) * sizeof(uint64_t[LANES]);
}

static void delay_start(struct delay *d, const struct op *op)
{
    memset(d, 0, delay_bytes(op));
    d->near = period_longest(op, 0, 0) < 64;
    d->words = delay_words(op);
    d->position = 64 * d->words; /* the stream began with as many zeros */
    for (int l = 0; l < LANES; l++)
        d->bars[l] = (uint64_t)period_of(op, 0, l, 0);
}

static uint64_t delay_far(struct delay *d, uint64_t word, size_t bar_count, int lane)
{
    size_t at = d->position / 64 % d->words, shift = d->position % 64;

    d->ring[at][lane] = (shift ? d->ring[at][lane] : 0) | word << shift;
    if (shift + bar_count > 64)
        d->ring[(at + 1) % d->words][lane] = word >> (64 - shift);

    size_t from = d->position - d->bars[lane];
    at = from / 64 % d->words, shift = from % 64;
    word = d->ring[at][lane] >> shift;
    if (shift)
        word |= d->ring[(at + 1) % d->words][lane] << (64 - shift);
    return word & block_mask(bar_count);
}

static void delay_run(struct delay *d, const uint64_t *in, uint64_t *out, size_t bar_count)
{
    if (!d->near) {
        for (int l = 0; l < LANES; l++)
            out[l] = delay_far(d, in[l], bar_count, l);
        d->position += bar_count;
        return;
    }
    EACH_VECTOR(v) {
        u64x4 word = load_words(in + v * VECTOR), last = load_words(d->last + v * VECTOR);
        u64x4 bars = load_words(d->bars + v * VECTOR);
        /* By 64 - bars, in two steps, for a shift by 64 is undefined. */
        u64x4 ago = word << bars | last >> 1 >> (63 - bars);
        store_words(out + v * VECTOR, ago & block_mask(bar_count));
        if (bar_count < BLOCK_BARS)
            word = last >> bar_count | word << (BLOCK_BARS - bar_count);
        store_words(d->last + v * VECTOR, word);
    }
}

static void lag_condition_start(struct op *op)
{
    delay_start(op->state, op);
}
static void lag_condition_run(struct op *op, size_t bar_count)
{
    delay_run(op->state, op->when[0], op->condition, bar_count);
}
KERNEL_DEFINE(LAG_CONDITION, delay_bytes, lag_condition_start, lag_condition_run);

/* ---- count: a bit comes in, the bit of n bars ago goes out ----------------------------------- */

struct count {
    double count[LANES] ROW_ALIGNED;
    int needed[LANES]; /* bars until the lane's first value */
    bool warm;
    struct delay delay; /* last: it grows */
};

static size_t count_bytes(const struct op *op)
{
    return sizeof(struct count) + delay_bytes(op);
}

static void count_start(struct op *op)
{
    struct count *s = op->state;

    memset(s, 0, sizeof *s);
    delay_start(&s->delay, op);
    for (int l = 0; l < LANES; l++) {
        s->needed[l] = period_of(op, 0, l, 1);
        s->delay.bars[l] = (uint64_t)s->needed[l];
    }
}

/* NaN on the bars before bar n-1. */
static void count_cut(struct count *s, double *out, size_t bar_count)
{
    s->warm = true;
    for (int l = 0; l < LANES; l++) {
        for (size_t bar = 0; bar < bar_count && s->needed[l] > 1; bar++, s->needed[l]--)
            out[bar * LANES + (size_t)l] = NAN;
        s->warm &= s->needed[l] == 1;
    }
}

static void count_run(struct op *op, size_t bar_count)
{
    struct count *s = op->state;
    double *restrict out = op->out[0];
    uint64_t gone[LANES] ROW_ALIGNED;
    u64x4 come[ROW], go[ROW], bit = splat_word(1);
    f64x4 count[ROW];
    i64x4 one = (i64x4)splat(1.0);

    delay_run(&s->delay, op->when[0], gone, bar_count);
    EACH_VECTOR(v) {
        come[v] = load_words(op->when[0] + v * VECTOR);
        go[v] = load_words(gone + v * VECTOR);
        count[v] = load(s->count + v * VECTOR);
    }
    for (size_t bar = 0; bar < bar_count; bar++, bit += bit)
        EACH_VECTOR(v) {
            count[v] += (f64x4)(one & has_bit4(come[v], bit));
            count[v] -= (f64x4)(one & has_bit4(go[v], bit));
            output4(out, bar, v, count[v]);
        }
    EACH_VECTOR(v)
        store(s->count + v * VECTOR, count[v]);
    if (!s->warm)
        count_cut(s, out, bar_count);
}
KERNEL_DEFINE(COUNT, count_bytes, count_start, count_run);
