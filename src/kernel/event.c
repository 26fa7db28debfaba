/* Numbers since a condition was last true. */
#include "kernel/drive.h"

/* ---- barssince: NaN + 1 is NaN until the first ----------------------------------------------- */

static size_t barssince_bytes(const struct op *op)
{
    (void)op;
    return sizeof(double[LANES]);
}

static void barssince_start(struct op *op)
{
    double *since = op->state;
    EACH_VECTOR(v)
        store(since + v * VECTOR, splat(NAN));
}

static void barssince_run(struct op *op, size_t bar_count)
{
    double *state = op->state, *restrict out = op->out[0];
    u64x4 words[ROW], bit = splat_word(1);
    f64x4 since[ROW];

    EACH_VECTOR(v) {
        words[v] = load_words(op->when[0] + v * VECTOR);
        since[v] = load(state + v * VECTOR);
    }
    for (size_t bar = 0; bar < bar_count; bar++, bit += bit)
        EACH_VECTOR(v) {
            since[v] = select4(has_bit4(words[v], bit), splat(0.0), since[v] + splat(1.0));
            output4(out, bar, v, since[v]);
        }
    EACH_VECTOR(v)
        store(state + v * VECTOR, since[v]);
}
KERNEL_DEFINE(BARSSINCE, barssince_bytes, barssince_start, barssince_run);

/* ---- valuewhen: a ring of the last values a lane --------------------------------------------- */

struct valuewhen {
    double value[LANES] ROW_ALIGNED; /* of the k-th last event: what is shown */
    int count[LANES], next[LANES];   /* of the lane's ring */
    bool last_only;                  /* every lane wants the last event */
    size_t longest;
    double ring[]; /* [LANES][longest] */
};

static size_t valuewhen_longest(const struct op *op)
{
    return (size_t)period_longest(op, 0, 0) + 1;
}

static size_t valuewhen_bytes(const struct op *op)
{
    return sizeof(struct valuewhen) + valuewhen_longest(op) * sizeof(double[LANES]);
}

static void valuewhen_start(struct op *op)
{
    struct valuewhen *s = op->state;

    memset(s, 0, sizeof *s);
    s->longest = valuewhen_longest(op);
    s->last_only = s->longest == 1;
    for (int l = 0; l < LANES; l++) {
        s->count[l] = period_of(op, 0, l, 0) + 1;
        s->value[l] = NAN;
    }
    for (size_t i = 0; i < s->longest * LANES; i++)
        s->ring[i] = NAN;
}

/* The value of k events ago stands where the next event will write. */
static void valuewhen_lane(struct op *op, struct valuewhen *s, size_t bar_count, int lane)
{
    double *ring = s->ring + (size_t)lane * s->longest, value = s->value[lane];
    uint64_t word = op->when[0][lane];

    for (size_t bar = 0; bar < bar_count; bar++) {
        if (word >> bar & 1) {
            ring[s->next[lane]] = input(op, 0, bar, lane);
            s->next[lane] = s->next[lane] + 1 == s->count[lane] ? 0 : s->next[lane] + 1;
            value = ring[s->next[lane]];
        }
        output(op, 0, bar, lane, value);
    }
    s->value[lane] = value;
}

static void valuewhen_run(struct op *op, size_t bar_count)
{
    struct valuewhen *s = op->state;
    struct operand in = op->in[0];
    double *restrict out = op->out[0];
    u64x4 words[ROW], bit = splat_word(1);
    f64x4 value[ROW];

    if (!s->last_only) {
        for (int lane = 0; lane < LANES; lane++)
            valuewhen_lane(op, s, bar_count, lane);
        return;
    }
    EACH_VECTOR(v) {
        words[v] = load_words(op->when[0] + v * VECTOR);
        value[v] = load(s->value + v * VECTOR);
    }
    for (size_t bar = 0; bar < bar_count; bar++, bit += bit)
        EACH_VECTOR(v) {
            value[v] = select4(has_bit4(words[v], bit), input4(in, bar, v), value[v]);
            output4(out, bar, v, value[v]);
        }
    EACH_VECTOR(v)
        store(s->value + v * VECTOR, value[v]);
}
KERNEL_DEFINE(VALUEWHEN, valuewhen_bytes, valuewhen_start, valuewhen_run);

/* ---- since: maximum, minimum, sum of the values since the last bar with the condition -------- */

struct since {
    double value[LANES] ROW_ALIGNED;
    int64_t begun[LANES] ROW_ALIGNED;  /* mask: the condition has been true */
    int64_t filled[LANES] ROW_ALIGNED; /* mask: there was a number since */
};

static size_t since_bytes(const struct op *op)
{
    (void)op;
    return sizeof(struct since);
}

static void since_start(struct op *op)
{
    memset(op->state, 0, sizeof(struct since));
}

enum since_kind { SINCE_IS_MAX, SINCE_IS_MIN, SINCE_IS_SUM };

INLINE f64x4 since_fold(f64x4 old, f64x4 new, enum since_kind kind)
{
    if (kind == SINCE_IS_MAX)
        return max4(new, old);
    if (kind == SINCE_IS_MIN)
        return min4(new, old);
    return old + new;
}

INLINE void since_run(struct op *op, size_t bar_count, enum since_kind kind)
{
    struct since *s = op->state;
    struct operand in = op->in[0];
    double *restrict out = op->out[0];

    EACH_VECTOR(v) {
        u64x4 words = load_words(op->when[0] + v * VECTOR), bit = splat_word(1);
        f64x4 value = load(s->value + v * VECTOR);
        i64x4 begun = (i64x4)load((double *)s->begun + v * VECTOR);
        i64x4 filled = (i64x4)load((double *)s->filled + v * VECTOR);

        for (size_t bar = 0; bar < bar_count; bar++, bit += bit) {
            f64x4 x = input4(in, bar, v);
            i64x4 now = has_bit4(words, bit), number = ~is_absent4(x);
            begun |= now;
            filled &= ~now;
            value = select4(begun & number, select4(filled, since_fold(value, x, kind), x), value);
            filled |= begun & number;
            output4(out, bar, v, select4(filled & number, value, splat(NAN)));
        }
        store(s->value + v * VECTOR, value);
        store((double *)s->begun + v * VECTOR, (f64x4)begun);
        store((double *)s->filled + v * VECTOR, (f64x4)filled);
    }
}

static void since_max_run(struct op *op, size_t bar_count)
{
    since_run(op, bar_count, SINCE_IS_MAX);
}
static void since_min_run(struct op *op, size_t bar_count)
{
    since_run(op, bar_count, SINCE_IS_MIN);
}
static void since_sum_run(struct op *op, size_t bar_count)
{
    since_run(op, bar_count, SINCE_IS_SUM);
}
KERNEL_DEFINE(SINCE_MAX, since_bytes, since_start, since_max_run);
KERNEL_DEFINE(SINCE_MIN, since_bytes, since_start, since_min_run);
KERNEL_DEFINE(SINCE_SUM, since_bytes, since_start, since_sum_run);
