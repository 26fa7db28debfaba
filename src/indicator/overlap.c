/* Averages and bands, on the scale of the price. */
#include "indicator/row.h"

const struct indicator indicator_sma = {
    .name = "sma",
    .title = "Simple moving average",
    .group = "overlap",
    .definition = "mean of the last n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_SMA,
};

const struct indicator indicator_ema = {
    .name = "ema",
    .title = "Exponential moving average",
    .group = "overlap",
    .definition = "y += 2 / (n + 1) * (x - y); begins as the mean of the first n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_EMA,
};

const struct indicator indicator_wma = {
    .name = "wma",
    .title = "Weighted moving average",
    .group = "overlap",
    .definition = "mean of the last n values with weights 1 (oldest) to n (newest)",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_WMA,
};

const struct indicator indicator_dema = {
    .name = "dema",
    .title = "Double exponential moving average",
    .group = "overlap",
    .definition = "2 e - ema(e), e = ema(price)",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .formula = "e = ema(price, timeperiod)\n"
               "real = 2 * e - ema(e, timeperiod)\n",
};

const struct indicator indicator_tema = {
    .name = "tema",
    .title = "Triple exponential moving average",
    .group = "overlap",
    .definition = "3 e - 3 f + ema(f), e = ema(price), f = ema(e)",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .formula = "e = ema(price, timeperiod)\n"
               "f = ema(e, timeperiod)\n"
               "real = 3 * e - 3 * f + ema(f, timeperiod)\n",
};

const struct indicator indicator_trima = {
    .name = "trima",
    .title = "Triangular moving average",
    .group = "overlap",
    .definition = "simple average of a simple average, each over half of the period",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .formula = "real = sma(sma(price, floor((timeperiod + 1) / 2)), floor(timeperiod / 2) + 1)\n",
};

static int kama_lookback(const double *parameters)
{
    return parameters[0] > 1 ? (int)parameters[0] : 0;
}

const struct indicator indicator_kama = {
    .name = "kama",
    .title = "Kaufman's adaptive moving average",
    .group = "overlap",
    .definition = "y += (r (2/3 - 2/31) + 2/31)² (x - y), r = |x - x[n]| / Σ |x - x[1]| of n bars; "
                  "begins as the value before the first reported one",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = kama_lookback,
    .kernel = KERNEL_KAMA,
};

const struct indicator indicator_t3 = {
    .name = "t3",
    .title = "Tillson's T3",
    .group = "overlap",
    .definition = "generalised double exponential average three times over, with volume factor v",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 5), {"vfactor", "volume_factor", PARAMETER_REAL, 0, 1, 0.7}),
    .formula = "v2 = vfactor * vfactor\n"
               "v3 = v2 * vfactor\n"
               "e3 = ema(ema(ema(price, timeperiod), timeperiod), timeperiod)\n"
               "e4 = ema(e3, timeperiod)\n"
               "e5 = ema(e4, timeperiod)\n"
               "e6 = ema(e5, timeperiod)\n"
               "real = -v3 * e6 + 3 * (v2 + v3) * e5 - (6 * v2 + 3 * (vfactor + v3)) * e4"
               " + (1 + 3 * vfactor + v3 + 3 * v2) * e3\n",
};

const struct indicator indicator_rma = {
    .name = "rma",
    .aliases = "wilder smma",
    .title = "Wilder's moving average",
    .group = "overlap",
    .definition = "y += (x - y) / n; begins as the mean of the first n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_RMA,
};

const struct indicator indicator_hma = {
    .name = "hma",
    .title = "Hull moving average",
    .group = "overlap",
    .definition = "wma(2 wma(price, n / 2) - wma(price, n), √n), both rounded down",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 20)),
    .formula = "half = wma(price, max(floor(timeperiod / 2), 1))\n"
               "real = wma(2 * half - wma(price, timeperiod), floor(sqrt(timeperiod)))\n",
};

const struct indicator indicator_zlema = {
    .name = "zlema",
    .title = "Zero-lag exponential moving average",
    .group = "overlap",
    .definition = "ema(2 x - x[g], n), g = (n - 1) / 2 rounded down",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .formula = "real = ema(2 * price - previous(price, floor((timeperiod - 1) / 2)), timeperiod)\n",
};

const struct indicator indicator_vwma = {
    .name = "vwma",
    .title = "Volume-weighted moving average",
    .group = "overlap",
    .definition = "Σ close volume / Σ volume of the last n bars; NaN where nothing was traded",
    .source = TALIB,
    INPUTS(CLOSE, VOLUME),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_VWMA,
    .output_may_be_nan = true,
};

const struct indicator indicator_ma = {
    .name = "ma",
    .title = "Moving average of a type",
    .group = "overlap",
    .definition = "matype 0 sma, 1 ema, 2 wma, 3 dema, 4 tema, 5 trima, 6 kama, 8 t3, 9 hma, 12 "
                  "zlema, 13 rma",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30), MATYPE("matype", "type", 0)),
    .formula = "real = ma(price, timeperiod, matype)\n",
};

const struct indicator indicator_bbands = {
    .name = "bbands",
    .aliases = "bollinger",
    .title = "Bollinger bands",
    .group = "overlap",
    .definition = "moving average ± a number of population standard deviations",
    .source = TALIB,
    INPUTS(PRICE),
    OUTPUTS({"upperband", "upper"}, {"middleband", "middle"}, {"lowerband", "lower"}),
    PARAMETERS(PERIOD(2, 20), FACTOR("nbdevup", "up dev", 2), FACTOR("nbdevdn", "down", 2),
               MATYPE("matype", "type", 0)),
    .formula = "deviation = stddev(price, timeperiod, 1)\n"
               "middleband = ma(price, timeperiod, matype)\n"
               "upperband = middleband + nbdevup * deviation\n"
               "lowerband = middleband - nbdevdn * deviation\n",
};

const struct indicator indicator_kc = {
    .name = "kc",
    .aliases = "keltner",
    .title = "Keltner channel",
    .group = "overlap",
    .definition = "ema of the typical price ± a number of ATRs; both begin on the same bar",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    OUTPUTS({"upperband", "upper"}, {"middleband", "middle"}, {"lowerband", "lower"}),
    PARAMETERS(PERIOD(2, 20), WHOLE("atrperiod", "atr", 1, 10),
               FACTOR("nbdev", "multiplier dev", 2)),
    .formula = "typical = skip((high + low + close) / 3, max(atrperiod - timeperiod + 1, 0))\n"
               "range = rma(skip(trange(), max(timeperiod - 1 - atrperiod, 0)), atrperiod)\n"
               "middleband = ema(typical, timeperiod)\n"
               "upperband = middleband + nbdev * range\n"
               "lowerband = middleband - nbdev * range\n",
};

const struct indicator indicator_donchian = {
    .name = "donchian",
    .title = "Donchian channel",
    .group = "overlap",
    .definition = "highest high and lowest low of the last n bars, and their middle",
    .source = TALIB,
    INPUTS(HIGH, LOW),
    OUTPUTS({"upperband", "upper"}, {"middleband", "middle"}, {"lowerband", "lower"}),
    PARAMETERS(PERIOD(2, 20)),
    .formula = "upperband = highest(high, timeperiod)\n"
               "lowerband = lowest(low, timeperiod)\n"
               "middleband = (upperband + lowerband) / 2\n",
};

const struct indicator indicator_supertrend = {
    .name = "supertrend",
    .title = "Supertrend",
    .group = "overlap",
    .definition = "middle of the bar ± a number of ATRs; each band is kept until it moves towards "
                  "the price or "
                  "the close before passed it; trend 1 (line below) until the close falls through "
                  "it, then -1",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    OUTPUTS({"supertrend", "line"}, {"trend", "direction"}),
    PARAMETERS(PERIOD(2, 10), {"multiplier", "factor", PARAMETER_REAL, 0, FACTOR_MAX, 3}),
    .lookback = lookback_period,
    .kernel = KERNEL_SUPERTREND,
};

const struct indicator indicator_sar = {
    .name = "sar",
    .aliases = "psar",
    .title = "Parabolic stop and reverse",
    .group = "overlap",
    .definition = "a stop that moves towards the trend's extreme by a growing share, and turns "
                  "when it is touched",
    .source = "Wilder, New Concepts in Technical Trading Systems (1978); " TALIB,
    INPUTS(HIGH, LOW),
    REAL,
    PARAMETERS({"acceleration", "step", PARAMETER_REAL, 0, FACTOR_MAX, 0.02},
               {"maximum", "limit", PARAMETER_REAL, 0, FACTOR_MAX, 0.2}),
    .lookback = lookback_one,
    .kernel = KERNEL_SAR,
};

const struct indicator indicator_midpoint = {
    .name = "midpoint",
    .title = "Middle of a value's range",
    .group = "overlap",
    .definition = "(highest + lowest) / 2 of the last n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .formula = "real = (highest(price, timeperiod) + lowest(price, timeperiod)) / 2\n",
};

const struct indicator indicator_midprice = {
    .name = "midprice",
    .title = "Middle of the bars' range",
    .group = "overlap",
    .definition = "(highest high + lowest low) / 2 of the last n bars",
    .source = TALIB,
    INPUTS(HIGH, LOW),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .formula = "real = (highest(high, timeperiod) + lowest(low, timeperiod)) / 2\n",
};
