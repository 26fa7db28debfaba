/* What the indicators' kernels have to give, by the words of their definitions: one lane, whole
 * history, each window anew.  Sums are long double, so that these are right to the last digits. */
#ifndef HARRIER_TEST_INDICATOR_SLOW_H
#define HARRIER_TEST_INDICATOR_SLOW_H

#include "kernel/reference.h"

enum { SLOW_MAX = CASE_BARS_MAX };

struct slow {
    size_t count; /* values of the lane */
    double out[KERNEL_OUTPUTS_MAX][SLOW_MAX];
};

static inline long double slow_sum(const double *x, size_t n)
{
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static inline double slow_extreme(const double *x, size_t n, double sign)
{
    double extreme = x[0];
    for (size_t i = 1; i < n; i++)
        if (sign * x[i] > sign * extreme)
            extreme = x[i];
    return extreme;
}

/* Seeded with the mean of x[begin…begin+n-1], then y += share (x - y). */
static inline void slow_mean(double *y, const double *x, size_t count, size_t begin, size_t n,
                             double share)
{
    for (size_t i = 0; i < count; i++)
        if (i + 1 < begin + n)
            y[i] = NAN;
        else if (i + 1 == begin + n)
            y[i] = (double)(slow_sum(x + begin, n) / n);
        else
            y[i] = y[i - 1] + share * (x[i] - y[i - 1]);
}

static inline double slow_range(const struct lane *lane, size_t i)
{
    const double *high = lane->value[0], *low = lane->value[1], *close = lane->value[2];
    return fmax(high[i] - low[i], fmax(fabs(high[i] - close[i - 1]), fabs(low[i] - close[i - 1])));
}

/* ---- averages -------------------------------------------------------------------------------- */

static inline void slow_kama(struct slow *s, const double *x, size_t n)
{
    for (size_t i = 0; i < s->count; i++) {
        long double way = 0;
        for (size_t k = i + 1 - n; i >= n && k <= i; k++)
            way += fabs(x[k] - x[k - 1]);
        double move = i >= n ? fabs(x[i] - x[i - n]) : 0,
               ratio = way <= move ? 1 : (double)(move / way);
        double rate = pow(ratio * (2.0 / 3 - 2.0 / 31) + 2.0 / 31, 2);
        double before = i == n ? x[i - 1] : i > n ? s->out[0][i - 1] : 0;
        s->out[0][i] = n == 1 ? x[i] : i < n ? NAN : before + rate * (x[i] - before);
    }
}

static inline void slow_macd(struct slow *s, const double *x, size_t fast, size_t slow,
                             size_t signal, const double share[2])
{
    static double a[SLOW_MAX], b[SLOW_MAX], line[SLOW_MAX], mean[SLOW_MAX];

    slow_mean(a, x, s->count, slow - fast, fast, share[0]);
    slow_mean(b, x, s->count, 0, slow, share[1]);
    for (size_t i = 0; i < s->count; i++)
        line[i] = a[i] - b[i];
    slow_mean(mean, line, s->count, slow - 1, signal, 2.0 / ((double)signal + 1));
    for (size_t i = 0; i < s->count; i++) {
        s->out[0][i] = isnan(mean[i]) ? NAN : line[i];
        s->out[1][i] = mean[i];
        s->out[2][i] = line[i] - mean[i];
    }
}

/* ---- statistics of a window ------------------------------------------------------------------ */

static inline double slow_line(enum kernel_id kernel, const double *x, size_t n)
{
    long double mean = slow_sum(x, n) / n, centre = (n - 1) / 2.0L, both = 0, own = 0, weighted = 0;

    for (size_t i = 0; i < n; i++) {
        both += (i - centre) * (x[i] - mean);
        own += (i - centre) * (i - centre);
        weighted += (i + 1) * (long double)x[i];
    }
    long double slope = own > 0 ? both / own : 0;
    switch (kernel) {
    case KERNEL_WMA:
        return (double)(weighted / (n * (n + 1) / 2));
    case KERNEL_LINEARREG:
        return (double)(mean + slope * centre);
    case KERNEL_LINEARREG_INTERCEPT:
        return (double)(mean - slope * centre);
    case KERNEL_LINEARREG_ANGLE:
        return atan((double)slope) * 180 / acos(-1);
    case KERNEL_TSF:
        return (double)(mean + slope * (centre + 1));
    default:
        return (double)slope;
    }
}

static inline double slow_variance(const double *x, size_t n)
{
    long double mean = slow_sum(x, n) / n, sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return (double)(sum / n);
}

static inline double slow_pair(bool beta, const double *x, const double *y, size_t n,
                               bool at_one_price)
{
    long double mx = slow_sum(x, n) / n, my = slow_sum(y, n) / n, xx = 0, yy = 0, xy = 0;
    bool x_stands = slow_extreme(x, n, 1) == slow_extreme(x, n, -1);
    bool y_stands = slow_extreme(y, n, 1) == slow_extreme(y, n, -1);

    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    if (x_stands || (y_stands && !beta))
        return x_stands && y_stands && at_one_price ? NAN : 0;
    return (double)(beta ? xy / xx : xy / sqrtl(xx * yy));
}

/* ---- ratios of sums -------------------------------------------------------------------------- */

static inline double slow_ratio(enum kernel_id kernel, const struct lane *lane, size_t i, size_t n)
{
    const double *a = lane->value[0], *b = lane->value[1], *c = lane->value[2], *v = lane->value[3];
    long double above = 0, below = 0;

    for (size_t k = i + 1 - n; k <= i; k++) {
        double typical = (a[k] + b[k] + c[k]) / 3,
               before = k ? (a[k - 1] + b[k - 1] + c[k - 1]) / 3 : 0;
        double change = kernel == KERNEL_MFI ? typical - before : k ? a[k] - a[k - 1] : 0;
        double size = kernel == KERNEL_MFI ? typical * v[k] : fabs(change);
        if (kernel == KERNEL_VWMA) {
            above += (long double)a[k] * b[k];
            below += b[k];
        } else if (kernel == KERNEL_CMF) {
            above += a[k] > b[k] ? ((c[k] - b[k]) - (a[k] - c[k])) / (a[k] - b[k]) * v[k] : 0;
            below += v[k];
        } else if (kernel != KERNEL_MFI || fabs(change) > 1e-14 * fabs(typical)) {
            above += change > 0 ? size : 0;
            below += change < 0 ? size : 0;
        }
    }
    if (kernel == KERNEL_VWMA)
        return below == 0 ? NAN : (double)(above / below);
    if (kernel == KERNEL_CMF)
        return below == 0 ? 0 : (double)(above / below);
    return above + below == 0 ? NAN : (double)(100 * above / (above + below));
}

static inline double slow_cci(const struct lane *lane, size_t i, size_t n)
{
    long double mean = 0, away = 0;

    for (size_t k = i + 1 - n; k <= i; k++)
        mean += ((long double)lane->value[0][k] + lane->value[1][k] + lane->value[2][k]) / 3 / n;
    for (size_t k = i + 1 - n; k <= i; k++)
        away += fabsl(((long double)lane->value[0][k] + lane->value[1][k] + lane->value[2][k]) / 3 -
                      mean) /
                n;
    long double now = ((long double)lane->value[0][i] + lane->value[1][i] + lane->value[2][i]) / 3;
    return away <= 1e-14L * fabsl(mean) ? NAN : (double)((now - mean) / (0.015L * away));
}

static inline double slow_ultosc(const struct lane *lane, size_t i, const size_t n[3])
{
    double total = 0, weight[3] = {4, 2, 1};

    for (int k = 0; k < 3; k++) {
        long double pressure = 0, range = 0;
        for (size_t j = i + 1 - n[k]; j <= i; j++) {
            pressure += lane->value[2][j] - fmin(lane->value[1][j], lane->value[2][j - 1]);
            range += slow_range(lane, j);
        }
        total += range == 0 ? NAN : weight[k] * (double)(pressure / range);
    }
    return 100 * total / 7;
}

/* ---- directional movement -------------------------------------------------------------------- */

/* Wilder's sums at bar i of n bars: up, down, range. */
static inline void slow_wilder(const struct lane *lane, bool ranged, size_t i, double n,
                               double sum[3])
{
    const double *high = lane->value[0], *low = lane->value[1];

    sum[0] = sum[1] = sum[2] = 0;
    for (size_t k = 1; k <= i; k++) {
        double rise = high[k] - high[k - 1], fall = low[k - 1] - low[k], add[3];
        add[0] = rise > 0 && rise > fall ? rise : 0;
        add[1] = fall > 0 && fall > rise ? fall : 0;
        add[2] = ranged ? slow_range(lane, k) : 0;
        for (int j = 0; j < 3; j++)
            sum[j] = (k < n ? sum[j] : sum[j] * ((n - 1) / n)) + add[j];
    }
}

static inline void slow_direction(struct slow *s, enum kernel_id kernel, const struct lane *lane,
                                  size_t n)
{
    static double dx[SLOW_MAX], adx[SLOW_MAX];
    bool moved_only = kernel == KERNEL_PLUS_DM || kernel == KERNEL_MINUS_DM, still[SLOW_MAX];

    for (size_t i = 0; i < s->count; i++) {
        double sum[3], percent = n == 1 ? 1 : 100;
        slow_wilder(lane, !moved_only, i, (double)n, sum);
        still[i] = sum[0] + sum[1] == 0;
        dx[i] = i < n ? 0 : still[i] ? 0 : 100 * fabs(sum[0] - sum[1]) / (sum[0] + sum[1]);
        if (moved_only)
            s->out[0][i] = i + (n > 1) < (n > 1 ? n : 1) ? NAN : sum[kernel == KERNEL_MINUS_DM];
        else if (kernel == KERNEL_PLUS_DI || kernel == KERNEL_MINUS_DI)
            s->out[0][i] = i < n || sum[2] == 0 ? NAN
                                                : percent * sum[kernel == KERNEL_MINUS_DI] / sum[2];
        else
            s->out[0][i] = i < n || still[i] ? NAN : dx[i];
    }
    slow_mean(adx, dx, s->count, n, n, 1.0 / (double)n);
    for (size_t i = 0; i < s->count; i++)
        if (kernel == KERNEL_ADX)
            s->out[0][i] = still[i] ? NAN : adx[i];
        else if (kernel == KERNEL_ADXR)
            s->out[0][i] = still[i] || i < n - 1 ? NAN : (adx[i] + adx[i - (n - 1)]) / 2;
}

/* ---- stops ----------------------------------------------------------------------------------- */

static inline void slow_sar(struct slow *s, const double *h, const double *l, double step,
                            double limit)
{
    double stop = 0, best = 0, factor = 0, first = fmin(step, limit);
    bool rises = true;

    for (size_t i = 0; i < s->count; i++) {
        size_t before = i > 1 ? i - 1 : i;
        s->out[0][i] = NAN;
        if (i == 0)
            continue;
        if (i == 1) {
            rises = !(l[0] - l[1] > 0 && l[0] - l[1] > h[1] - h[0]);
            best = rises ? h[1] : l[1];
            stop = rises ? l[0] : h[0];
            factor = first;
        }
        if (rises ? l[i] <= stop : h[i] >= stop) {
            stop = rises ? fmax(best, fmax(h[before], h[i])) : fmin(best, fmin(l[before], l[i]));
            rises = !rises;
            best = rises ? h[i] : l[i];
            s->out[0][i] = stop;
            factor = first;
        } else {
            s->out[0][i] = stop;
            if (rises ? h[i] > best : l[i] < best) {
                best = rises ? h[i] : l[i];
                factor = fmin(factor + first, limit);
            }
        }
        stop += factor * (best - stop);
        stop = rises ? fmin(stop, fmin(l[before], l[i])) : fmax(stop, fmax(h[before], h[i]));
    }
}

static inline void slow_supertrend(struct slow *s, const struct lane *lane, size_t n,
                                   double multiplier)
{
    static double range[SLOW_MAX], atr[SLOW_MAX];
    const double *close = lane->value[2];
    double upper = 0, lower = 0, trend = 1;

    for (size_t i = 0; i < s->count; i++)
        range[i] = i ? slow_range(lane, i) : 0;
    slow_mean(atr, range, s->count, 1, n, 1.0 / (double)n);
    for (size_t i = 0; i < s->count; i++) {
        double middle = (lane->value[0][i] + lane->value[1][i]) / 2;
        double top = middle + multiplier * atr[i], bottom = middle - multiplier * atr[i];
        s->out[0][i] = s->out[1][i] = NAN;
        if (i < n)
            continue;
        if (i == n || top < upper || close[i - 1] > upper)
            upper = top;
        if (i == n || bottom > lower || close[i - 1] < lower)
            lower = bottom;
        if (i > n)
            trend = trend < 0 && close[i] > upper ? 1 : trend > 0 && close[i] < lower ? -1 : trend;
        s->out[0][i] = trend > 0 ? lower : upper;
        s->out[1][i] = trend;
    }
}

/* ---- one value at a time --------------------------------------------------------------------- */

static inline double slow_aroon(const double *x, size_t i, size_t n, double sign)
{
    size_t age = 0;
    for (size_t k = 1; k <= n; k++)
        if (sign * x[i - k] > sign * x[i - age])
            age = k;
    return 100 * (double)(n - age) / (double)n;
}

static inline double slow_willr(const struct lane *lane, size_t i, size_t n)
{
    double high = slow_extreme(lane->value[0] + i + 1 - n, n, 1),
           low = slow_extreme(lane->value[1] + i + 1 - n, n, -1);
    return high == low ? NAN : -100 * (high - lane->value[2][i]) / (high - low);
}

static inline double slow_rsi(enum kernel_id kernel, const double *x, size_t i, double n)
{
    double gain = 0, loss = 0;

    for (size_t k = 1; k <= i; k++) {
        double change = x[k] - x[k - 1], kept = k > n ? (n - 1) / n : 1;
        gain = gain * kept + (change > 0 ? change : 0);
        loss = loss * kept + (change < 0 ? -change : 0);
    }
    if (gain + loss == 0)
        return kernel == KERNEL_RSI_RAW ? 0 : NAN;
    return 100 * (kernel == KERNEL_CMO ? gain - loss : gain) / (gain + loss);
}

static inline void slow_volume(struct slow *s, enum kernel_id kernel, const struct lane *lane)
{
    const double *a = lane->value[0], *b = lane->value[1], *c = lane->value[2], *v = lane->value[3];
    double total = 0, mean[2] = {0, 0};

    for (size_t i = 0; i < s->count; i++) {
        if (kernel == KERNEL_OBV)
            total += i == 0 || a[i] > a[i - 1] ? b[i] : a[i] < a[i - 1] ? -b[i] : 0;
        else if (a[i] > b[i])
            total += ((c[i] - b[i]) - (a[i] - c[i])) / (a[i] - b[i]) * v[i];
        for (int k = 0; k < 2; k++)
            mean[k] = i ? mean[k] + 2 / (lane->parameter[k] + 1) * (total - mean[k]) : total;
        bool shown = kernel != KERNEL_ADOSC ||
                     (double)i + 1 >= fmax(lane->parameter[0], lane->parameter[1]);
        s->out[0][i] = !shown ? NAN : kernel == KERNEL_ADOSC ? mean[0] - mean[1] : total;
    }
}

static inline double slow_value(enum kernel_id kernel, const struct lane *lane, size_t i, int k)
{
    const double *x = lane->value[0];
    size_t n = (size_t)lane->parameter[0], full = i + 1 >= n, from = full ? i + 1 - n : 0;
    size_t periods[3] = {n, (size_t)lane->parameter[1], (size_t)lane->parameter[2]};

    switch (kernel) {
    case KERNEL_PREVIOUS:
        return i >= n ? x[i - n] : NAN;
    case KERNEL_SKIP:
        return i >= n ? x[i] : NAN;
    case KERNEL_CUMSUM:
        return (double)slow_sum(x, i + 1);
    case KERNEL_TRANGE:
        return i ? slow_range(lane, i) : NAN;
    case KERNEL_RSI_RAW:
    case KERNEL_CMO:
        return i >= n ? slow_rsi(kernel, x, i, (double)n) : NAN;
    case KERNEL_CUTLER_RSI:
    case KERNEL_MFI:
        return i >= n ? slow_ratio(kernel, lane, i, n) : NAN;
    case KERNEL_CMF:
    case KERNEL_VWMA:
        return full ? slow_ratio(kernel, lane, i, n) : NAN;
    case KERNEL_WILLR:
        return full ? slow_willr(lane, i, n) : NAN;
    case KERNEL_AROON:
        return i >= n ? slow_aroon(lane->value[k == 0], i, n, k ? 1 : -1) : NAN;
    case KERNEL_CCI:
        return full ? slow_cci(lane, i, n) : NAN;
    case KERNEL_ULTOSC:
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++)
                if (periods[b] > periods[b + 1]) {
                    size_t swap = periods[b];
                    periods[b] = periods[b + 1];
                    periods[b + 1] = swap;
                }
        return i >= periods[2] ? slow_ultosc(lane, i, periods) : NAN;
    case KERNEL_VAR:
        return full ? slow_variance(x + from, n) : NAN;
    case KERNEL_STDDEV:
        return full ? lane->parameter[1] * sqrt(slow_variance(x + from, n)) : NAN;
    case KERNEL_CORREL:
        return full
                   ? slow_pair(false, x + from, lane->value[1] + from, n, x[i] == lane->value[1][i])
                   : NAN;
    default:
        return full ? slow_line(kernel, x + from, n) : NAN;
    }
}

static inline void slow_natr(struct slow *s, const struct lane *lane, size_t n)
{
    static double range[SLOW_MAX];

    for (size_t i = 0; i < s->count; i++)
        range[i] = i ? slow_range(lane, i) : 0;
    slow_mean(s->out[0], range, s->count, 1, n, 1.0 / (double)n);
    for (size_t i = s->count; i-- > 0;)
        s->out[0][i] = n == 1 ? (i ? range[i] : NAN) : 100 * s->out[0][i] / lane->value[2][i];
}

static inline void slow_beta(struct slow *s, const struct lane *lane, size_t n)
{
    static double change[2][SLOW_MAX];

    for (size_t i = 0; i < s->count; i++) {
        for (int k = 0; k < 2; k++)
            change[k][i] = i ? (lane->value[k][i] - lane->value[k][i - 1]) / lane->value[k][i - 1]
                             : 0;
        bool at_one_price = lane->value[0][i] == lane->value[1][i];
        s->out[0][i] = i < n ? NAN
                             : slow_pair(true, change[0] + i + 1 - n, change[1] + i + 1 - n, n,
                                         at_one_price);
    }
}

static inline void slow_run(enum kernel_id kernel, const struct lane *lane, struct slow *s)
{
    const double *x = lane->value[0], *p = lane->parameter;
    double share[2] = {2 / (fmin(p[0], p[1]) + 1), 2 / (fmax(p[0], p[1]) + 1)},
           fixed[2] = {0.15, 0.075};

    s->count = lane->count;
    switch (kernel) {
    case KERNEL_RMA:
        slow_mean(s->out[0], x, s->count, 0, (size_t)p[0], 1 / p[0]);
        return;
    case KERNEL_KAMA:
        slow_kama(s, x, (size_t)p[0]);
        return;
    case KERNEL_MACD:
        slow_macd(s, x, (size_t)fmin(p[0], p[1]), (size_t)fmax(p[0], p[1]), (size_t)p[2], share);
        return;
    case KERNEL_MACDFIX:
        slow_macd(s, x, 12, 26, (size_t)p[0], fixed);
        return;
    case KERNEL_SAR:
        slow_sar(s, x, lane->value[1], p[0], p[1]);
        return;
    case KERNEL_SUPERTREND:
        slow_supertrend(s, lane, (size_t)p[0], p[1]);
        return;
    case KERNEL_PLUS_DM:
    case KERNEL_MINUS_DM:
    case KERNEL_PLUS_DI:
    case KERNEL_MINUS_DI:
    case KERNEL_DX:
    case KERNEL_ADX:
    case KERNEL_ADXR:
        slow_direction(s, kernel, lane, (size_t)p[0]);
        return;
    case KERNEL_NATR:
        slow_natr(s, lane, (size_t)p[0]);
        return;
    case KERNEL_OBV:
    case KERNEL_AD:
    case KERNEL_ADOSC:
        slow_volume(s, kernel, lane);
        return;
    case KERNEL_BETA:
        slow_beta(s, lane, (size_t)p[0]);
        return;
    default:
        break;
    }
    for (size_t i = 0; i < s->count; i++)
        for (int k = 0; k < kernel_rows[kernel].outputs; k++)
            s->out[k][i] = slow_value(kernel, lane, i, k);
}

#endif
