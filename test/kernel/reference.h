/* What each kernel has to give: one lane, whole history, by the words of its definition and slowly.
 */
#ifndef HARRIER_TEST_KERNEL_REFERENCE_H
#define HARRIER_TEST_KERNEL_REFERENCE_H

#include "harness.h"

struct reference {
    double out[KERNEL_OUTPUTS_MAX][CASE_BARS_MAX];
    bool condition[CASE_BARS_MAX];
};

/* One lane of a case; `values` are inputs on bars where none is NaN, at bar[0…count-1]. */
struct lane {
    size_t bar_count, count;
    size_t bar[CASE_BARS_MAX];
    double value[KERNEL_INPUTS_MAX][CASE_BARS_MAX];
    double in[KERNEL_INPUTS_MAX][CASE_BARS_MAX];
    bool when[KERNEL_CONDITIONS_MAX][CASE_BARS_MAX];
    double parameter[KERNEL_PARAMETERS_MAX];
};

static inline void reference_lane(const struct kernel_case *c, size_t l, struct lane *lane)
{
    const struct kernel_row *row = &kernel_rows[c->kernel];

    memset(lane, 0, sizeof *lane);
    lane->bar_count = c->bar_count;
    for (int k = 0; k < row->parameters; k++)
        lane->parameter[k] = c->parameter[k][l];
    for (size_t t = 0; t < c->bar_count; t++) {
        bool nan = false;
        for (int i = 0; i < row->conditions; i++)
            lane->when[i][t] = c->when[i][t][l];
        for (int i = 0; i < row->inputs; i++) {
            lane->in[i][t] = c->in[i][c->constant[i] ? 0 : t][l];
            lane->value[i][lane->count] = lane->in[i][t];
            nan |= !(fabs(lane->in[i][t]) <= KERNEL_NUMBER_MOST);
        }
        lane->bar[lane->count] = t;
        lane->count += !nan;
    }
}

/* ---- bar by bar ------------------------------------------------------------------------------ */

static inline double reference_number(enum kernel_id kernel, double a, double b, bool when)
{
    bool nan = isnan(a) || isnan(b);

    switch (kernel) {
    case KERNEL_ADD:
        return a + b;
    case KERNEL_SUB:
        return a - b;
    case KERNEL_MUL:
        return a * b;
    case KERNEL_DIV:
        return b == 0 ? NAN : a / b;
    case KERNEL_NEG:
        return -a;
    case KERNEL_ABS:
        return fabs(a);
    case KERNEL_SIGN:
        return isnan(a) ? NAN : a > 0 ? 1 : a < 0 ? -1 : 0;
    case KERNEL_FLOOR:
        return floor(a);
    case KERNEL_CEIL:
        return ceil(a);
    case KERNEL_ROUND:
        return round(a);
    case KERNEL_LOG:
        return a > 0 ? log(a) : NAN;
    case KERNEL_EXP:
        return exp(a);
    case KERNEL_SQRT:
        return sqrt(a);
    case KERNEL_POW:
        return nan || (a == 0 && b < 0) ? NAN : pow(a, b);
    case KERNEL_LARGER:
        return nan ? NAN : a > b ? a : b;
    case KERNEL_SMALLER:
        return nan ? NAN : a < b ? a : b;
    case KERNEL_NZ:
        return isnan(a) ? b : a;
    case KERNEL_IF:
        return when ? a : b;
    default:
        abort();
    }
}

static inline bool reference_condition(enum kernel_id kernel, const struct lane *lane, size_t t)
{
    double a = lane->in[0][t], b = lane->in[1][t];
    double a1 = t ? lane->in[0][t - 1] : NAN, b1 = t ? lane->in[1][t - 1] : NAN;
    size_t n = (size_t)lane->parameter[0];

    switch (kernel) {
    case KERNEL_GT:
        return a > b;
    case KERNEL_GE:
        return a >= b;
    case KERNEL_LT:
        return a < b;
    case KERNEL_LE:
        return a <= b;
    case KERNEL_EQ:
        return a == b;
    case KERNEL_NE:
        return !isnan(a) && !isnan(b) && a != b;
    case KERNEL_ISNAN:
        return isnan(a);
    case KERNEL_CROSSOVER:
        return a > b && a1 <= b1;
    case KERNEL_CROSSUNDER:
        return a < b && a1 >= b1;
    case KERNEL_AND:
        return lane->when[0][t] && lane->when[1][t];
    case KERNEL_OR:
        return lane->when[0][t] || lane->when[1][t];
    case KERNEL_NOT:
        return !lane->when[0][t];
    case KERNEL_LAG_CONDITION:
        return t >= n && lane->when[0][t - n];
    default:
        abort();
    }
}

/* ---- with a memory of bars ------------------------------------------------------------------- */

/* The bar of the k-th last event up to t, or -1. */
static inline long reference_event(const struct lane *lane, size_t t, size_t k)
{
    for (long bar = (long)t; bar >= 0; bar--)
        if (lane->when[0][bar] && k-- == 0)
            return bar;
    return -1;
}

static inline double reference_since(enum kernel_id kernel, const struct lane *lane, size_t t)
{
    long event = reference_event(lane, t, 0);
    double value = NAN;

    if (event < 0 || !(fabs(lane->in[0][t]) <= KERNEL_NUMBER_MOST))
        return NAN;
    for (size_t bar = (size_t)event; bar <= t; bar++) {
        double x = lane->in[0][bar];
        if (!(fabs(x) <= KERNEL_NUMBER_MOST))
            continue;
        if (bar == (size_t)event || isnan(value))
            value = x;
        else if (kernel == KERNEL_SINCE_SUM)
            value += x;
        else if (kernel == KERNEL_SINCE_MAX)
            value = x > value ? x : value;
        else
            value = x < value ? x : value;
    }
    return value;
}

static inline double reference_bars(enum kernel_id kernel, const struct lane *lane, size_t t)
{
    size_t n = (size_t)lane->parameter[0];
    long event;
    int count = 0;

    switch (kernel) {
    case KERNEL_LAG:
        return t < n ? NAN : lane->in[0][t - n];
    case KERNEL_COUNT:
        for (size_t bar = 0; bar <= t; bar++)
            count += bar + n > t && lane->when[0][bar];
        return t + 1 < n ? NAN : count;
    case KERNEL_BARSSINCE:
        event = reference_event(lane, t, 0);
        return event < 0 ? NAN : (double)((long)t - event);
    case KERNEL_VALUEWHEN:
        event = reference_event(lane, t, n);
        return event < 0 ? NAN : lane->in[0][event];
    default:
        return reference_since(kernel, lane, t);
    }
}

/* ---- over a lane's values -------------------------------------------------------------------- */

static inline double reference_extreme(const double *x, size_t n, bool high)
{
    double extreme = x[0];
    for (size_t i = 1; i < n; i++)
        extreme = (high ? extreme > x[i] : extreme < x[i]) ? extreme : x[i];
    return extreme;
}

static inline double reference_pivot(const double *x, size_t i, size_t left, size_t right,
                                     bool high)
{
    if (i < left + right)
        return NAN;
    for (size_t k = 0; k <= left + right; k++) {
        double candidate = x[i - right], other = x[i - k];
        if (k != right && !(high ? candidate > other : candidate < other))
            return NAN;
    }
    return x[i - right];
}

static inline double reference_rsi(const double *x, size_t i, double n)
{
    double gain = 0, loss = 0;

    if (i < n)
        return NAN;
    for (size_t k = 1; k <= i; k++) {
        double change = x[k] - x[k - 1], up = change > 0 ? change : 0.0;
        if (k > n) {
            gain *= (n - 1) / n;
            loss *= (n - 1) / n;
        }
        gain += up;
        loss += up - change;
    }
    return 100.0 * (gain / (gain + loss));
}

static inline double reference_atr(const struct lane *lane, size_t i, double n)
{
    double mean = 0;

    if (i < n)
        return NAN;
    for (size_t k = 1; k <= i; k++) {
        double high = lane->value[0][k], low = lane->value[1][k], close = lane->value[2][k - 1];
        double range = fabs(low - close);
        range = range > fabs(high - close) ? range : fabs(high - close);
        range = range > high - low ? range : high - low;
        if (k <= n)
            mean += range;
        if (k == n)
            mean *= 1 / n;
        if (k > n)
            mean = mean * ((n - 1) / n) + range * (1 / n);
    }
    return mean;
}

static inline double reference_average(enum kernel_id kernel, const double *x, size_t i, size_t n)
{
    double value = 0;

    if (i + 1 < n)
        return NAN;
    for (size_t k = 0; k <= i; k++)
        if (kernel != KERNEL_EMA)
            value += x[k] - (k >= n ? x[k - n] : 0.0);
        else if (k < n)
            value = k + 1 == n ? (value + x[k]) / (double)n : value + x[k];
        else
            value += 2.0 / ((double)n + 1.0) * (x[k] - value);
    return kernel == KERNEL_SMA ? value * (1.0 / (double)n) : value;
}

static inline double reference_value(enum kernel_id kernel, const struct lane *lane, size_t i)
{
    const double *x = lane->value[0];
    size_t n = (size_t)lane->parameter[0], n2 = (size_t)lane->parameter[1];

    switch (kernel) {
    case KERNEL_SUM:
    case KERNEL_SMA:
    case KERNEL_EMA:
        return reference_average(kernel, x, i, n);
    case KERNEL_RSI:
        return reference_rsi(x, i, (double)n);
    case KERNEL_ATR:
        return reference_atr(lane, i, (double)n);
    case KERNEL_HIGHEST:
        return i + 1 < n ? NAN : reference_extreme(x + i + 1 - n, n, true);
    case KERNEL_LOWEST:
        return i + 1 < n ? NAN : reference_extreme(x + i + 1 - n, n, false);
    case KERNEL_PIVOTHIGH:
        return reference_pivot(x, i, n, n2, true);
    case KERNEL_PIVOTLOW:
        return reference_pivot(x, i, n, n2, false);
    case KERNEL_RISING:
        return i >= n && x[i] > reference_extreme(x + i - n, n, true);
    case KERNEL_FALLING:
        return i >= n && x[i] < reference_extreme(x + i - n, n, false);
    default:
        abort();
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

enum reference_kind {
    REFERENCE_NONE,
    REFERENCE_NUMBER,
    REFERENCE_CONDITION,
    REFERENCE_BARS,
    REFERENCE_VALUES
};

static inline enum reference_kind reference_kind(enum kernel_id kernel)
{
    switch (kernel) {
    case KERNEL_LAG:
    case KERNEL_COUNT:
    case KERNEL_BARSSINCE:
    case KERNEL_VALUEWHEN:
    case KERNEL_SINCE_MAX:
    case KERNEL_SINCE_MIN:
    case KERNEL_SINCE_SUM:
        return REFERENCE_BARS;
    case KERNEL_SUM:
    case KERNEL_SMA:
    case KERNEL_EMA:
    case KERNEL_RSI:
    case KERNEL_ATR:
    case KERNEL_HIGHEST:
    case KERNEL_LOWEST:
    case KERNEL_PIVOTHIGH:
    case KERNEL_PIVOTLOW:
    case KERNEL_RISING:
    case KERNEL_FALLING:
        return REFERENCE_VALUES;
    default:
        if (kernel <= KERNEL_IF)
            return REFERENCE_NUMBER;
        return kernel <= KERNEL_LAG_CONDITION ? REFERENCE_CONDITION : REFERENCE_NONE;
    }
}

/* False where the kernel has its reference elsewhere (indicators: test/indicator). */
static inline bool reference_run(const struct kernel_case *c, size_t l, struct reference *r)
{
    static struct lane lane;
    enum reference_kind kind = reference_kind(c->kernel);
    bool gives_condition = kernel_rows[c->kernel].gives_condition;

    reference_lane(c, l, &lane);
    memset(r, 0, sizeof *r);
    for (size_t t = 0; t < c->bar_count; t++)
        if (kind == REFERENCE_NUMBER)
            r->out[0][t] = reference_number(c->kernel, lane.in[0][t], lane.in[1][t],
                                            lane.when[0][t]);
        else if (kind == REFERENCE_CONDITION)
            r->condition[t] = reference_condition(c->kernel, &lane, t);
        else if (kind == REFERENCE_BARS)
            r->out[0][t] = reference_bars(c->kernel, &lane, t);
        else
            r->out[0][t] = NAN;
    for (size_t i = 0; kind == REFERENCE_VALUES && i < lane.count; i++) {
        double value = reference_value(c->kernel, &lane, i);
        if (gives_condition)
            r->condition[lane.bar[i]] = value != 0;
        else
            r->out[0][lane.bar[i]] = value;
    }
    return kind != REFERENCE_NONE;
}

#endif
