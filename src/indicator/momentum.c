/* Oscillators: how fast and how far the price has gone. */
#include "indicator/row.h"

const struct indicator indicator_rsi = {
    .name = "rsi",
    .title = "Relative strength index",
    .group = "momentum",
    .definition =
        "100 g / (g + l), Wilder's means of gains and losses over n bars; NaN while nothing moved",
    .source = "Wilder, New Concepts in Technical Trading Systems (1978); " TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_RSI,
    .output_may_be_nan = true,
};

const struct indicator indicator_cutler_rsi = {
    .name = "cutler_rsi",
    .title = "Cutler's relative strength index",
    .group = "momentum",
    .definition =
        "100 g / (g + l), plain means of the gains and losses of n bars; NaN where nothing moved",
    .source = "Cutler's variant of Wilder's RSI",
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_CUTLER_RSI,
    .output_may_be_nan = true,
};

const struct indicator indicator_cmo = {
    .name = "cmo",
    .title = "Chande momentum oscillator",
    .group = "momentum",
    .definition =
        "100 (g - l) / (g + l), Wilder's means of gains and losses; NaN while nothing moved",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_CMO,
    .output_may_be_nan = true,
};

static int macd_lookback(const double *parameters)
{
    return (int)(MAX(parameters[0], parameters[1]) + parameters[2]) - 2;
}

const struct indicator indicator_macd = {
    .name = "macd",
    .title = "Moving average convergence/divergence",
    .group = "momentum",
    .definition = "ema(fast) - ema(slow), its ema, and the difference; both averages are seeded on "
                  "the same bar",
    .source = TALIB,
    INPUTS(PRICE),
    OUTPUTS({"macd", "line"}, {"macdsignal", "signal"}, {"macdhist", "hist histogram"}),
    PARAMETERS(WHOLE("fastperiod", "fast", 2, 12), WHOLE("slowperiod", "slow", 2, 26),
               WHOLE("signalperiod", "signal", 1, 9)),
    .lookback = macd_lookback,
    .kernel = KERNEL_MACD,
};

const struct indicator indicator_macdext = {
    .name = "macdext",
    .title = "MACD with types of average",
    .group = "momentum",
    .definition = "macd with a type for each average; the shorter starts so late that both give "
                  "their first value "
                  "on the same bar",
    .source = TALIB,
    INPUTS(PRICE),
    OUTPUTS({"macd", "line"}, {"macdsignal", "signal"}, {"macdhist", "hist histogram"}),
    PARAMETERS(WHOLE("fastperiod", "fast", 2, 12), MATYPE("fastmatype", "fasttype", 0),
               WHOLE("slowperiod", "slow", 2, 26), MATYPE("slowmatype", "slowtype", 0),
               WHOLE("signalperiod", "signal", 1, 9), MATYPE("signalmatype", "signaltype", 0)),
    .formula =
        "fast_bars = ma_lookback(fastperiod, fastmatype)\n"
        "slow_bars = ma_lookback(slowperiod, slowmatype)\n"
        "fast_line = ma(skip(price, max(slow_bars - fast_bars, 0)), fastperiod, fastmatype)\n"
        "slow_line = ma(skip(price, max(fast_bars - slow_bars, 0)), slowperiod, slowmatype)\n"
        "difference = (fast_line - slow_line) * sign(slowperiod - fastperiod + 0.5)\n"
        "macdsignal = ma(difference, signalperiod, signalmatype)\n"
        "macd = difference + 0 * macdsignal\n"
        "macdhist = difference - macdsignal\n",
};

static int macdfix_lookback(const double *parameters)
{
    return 26 + (int)parameters[0] - 2;
}

const struct indicator indicator_macdfix = {
    .name = "macdfix",
    .title = "MACD 12/26 with the first MACD's shares",
    .group = "momentum",
    .definition = "macd of 12 and 26 bars with the shares 0.15 and 0.075 for 2 / (n + 1)",
    .source = TALIB,
    INPUTS(PRICE),
    OUTPUTS({"macd", "line"}, {"macdsignal", "signal"}, {"macdhist", "hist histogram"}),
    PARAMETERS(WHOLE("signalperiod", "signal", 1, 9)),
    .lookback = macdfix_lookback,
    .kernel = KERNEL_MACDFIX,
};

const struct indicator indicator_apo = {
    .name = "apo",
    .title = "Absolute price oscillator",
    .group = "momentum",
    .definition = "shorter moving average - longer one",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(WHOLE("fastperiod", "fast", 2, 12), WHOLE("slowperiod", "slow", 2, 26),
               MATYPE("matype", "type", 1)),
    .formula = "real = ma(price, min(fastperiod, slowperiod), matype)"
               " - ma(price, max(fastperiod, slowperiod), matype)\n",
};

const struct indicator indicator_ppo = {
    .name = "ppo",
    .title = "Percentage price oscillator",
    .group = "momentum",
    .definition = "100 (shorter moving average - longer one) / longer one",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(WHOLE("fastperiod", "fast", 2, 12), WHOLE("slowperiod", "slow", 2, 26),
               MATYPE("matype", "type", 1)),
    .formula = "longer = ma(price, max(fastperiod, slowperiod), matype)\n"
               "real = 100 * (ma(price, min(fastperiod, slowperiod), matype) - longer) / longer\n",
    .percent_scaled = true,
};

const struct indicator indicator_mom = {
    .name = "mom",
    .title = "Momentum",
    .group = "momentum",
    .definition = "x - x[n]",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 10)),
    .formula = "real = price - previous(price, timeperiod)\n",
};

const struct indicator indicator_roc = {
    .name = "roc",
    .title = "Rate of change, in percent",
    .group = "momentum",
    .definition = "100 (x / x[n] - 1)",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 10)),
    .formula = "real = 100 * (price / previous(price, timeperiod) - 1)\n",
    .percent_scaled = true,
};

const struct indicator indicator_rocp = {
    .name = "rocp",
    .title = "Rate of change, as a share",
    .group = "momentum",
    .definition = "(x - x[n]) / x[n]",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 10)),
    .formula = "before = previous(price, timeperiod)\n"
               "real = (price - before) / before\n",
};

const struct indicator indicator_rocr = {
    .name = "rocr",
    .title = "Rate of change, as a ratio",
    .group = "momentum",
    .definition = "x / x[n]",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 10)),
    .formula = "real = price / previous(price, timeperiod)\n",
};

const struct indicator indicator_rocr100 = {
    .name = "rocr100",
    .title = "Rate of change, as a ratio times 100",
    .group = "momentum",
    .definition = "100 x / x[n]",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 10)),
    .formula = "real = 100 * (price / previous(price, timeperiod))\n",
    .percent_scaled = true,
};

const struct indicator indicator_trix = {
    .name = "trix",
    .title = "Rate of change of a triple exponential average, in percent",
    .group = "momentum",
    .definition = "100 (e / e[1] - 1), e = ema(ema(ema(price)))",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .formula = "e = ema(ema(ema(price, timeperiod), timeperiod), timeperiod)\n"
               "real = 100 * (e / previous(e, 1) - 1)\n",
    .percent_scaled = true,
};

/* Where the range is 0 the raw value goes on as TA-Lib's 0, and NaN is reported.  `+ 0 * smoother`
 * makes all outputs begin together, as TA-Lib's do. */
const struct indicator indicator_stoch = {
    .name = "stoch",
    .title = "Stochastic oscillator",
    .group = "momentum",
    .definition = "k: average of 100 (close - lowest low) / (highest high - lowest low) of n bars; "
                  "d: average of k; "
                  "NaN where the range is 0",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    OUTPUTS({"slowk", "k"}, {"slowd", "d"}),
    PARAMETERS(WHOLE("fastk_period", "k", 1, 5), WHOLE("slowk_period", "smooth", 1, 3),
               MATYPE("slowk_matype", "smooth_type", 0), WHOLE("slowd_period", "d", 1, 3),
               MATYPE("slowd_matype", "d_type", 0)),
    .formula =
        "bottom = lowest(low, fastk_period)\n"
        "width = highest(high, fastk_period) - bottom\n"
        "still = width <= 0\n"
        "smooth = ma(if(still, 0, 100 * (close - bottom) / width), slowk_period, slowk_matype)\n"
        "smoother = ma(smooth, slowd_period, slowd_matype)\n"
        "slowk = if(still, nan, smooth + 0 * smoother)\n"
        "slowd = if(still, nan, smoother)\n",
    .output_may_be_nan = true,
};

const struct indicator indicator_stochf = {
    .name = "stochf",
    .title = "Stochastic oscillator, fast",
    .group = "momentum",
    .definition =
        "k: 100 (close - lowest low) / (highest high - lowest low) of n bars; d: average of k; "
        "NaN where the range is 0",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    OUTPUTS({"fastk", "k"}, {"fastd", "d"}),
    PARAMETERS(WHOLE("fastk_period", "k", 1, 5), WHOLE("fastd_period", "d", 1, 3),
               MATYPE("fastd_matype", "d_type", 0)),
    .formula = "bottom = lowest(low, fastk_period)\n"
               "width = highest(high, fastk_period) - bottom\n"
               "still = width <= 0\n"
               "raw = if(still, 0, 100 * (close - bottom) / width)\n"
               "smooth = ma(raw, fastd_period, fastd_matype)\n"
               "fastk = if(still, nan, raw + 0 * smooth)\n"
               "fastd = if(still, nan, smooth)\n",
    .output_may_be_nan = true,
};

/* A range of the RSI up to 1e-11 is rounding, and counts as TA-Lib's 0.  A price that closes alike
 * a few times in a market that trades makes such a range too; only when nothing has moved for all
 * that k and d see is NaN reported. */
const struct indicator indicator_stochrsi = {
    .name = "stochrsi",
    .title = "Stochastic oscillator of the RSI",
    .group = "momentum",
    .definition =
        "stochf of rsi(price); NaN where the RSI stood still for as many bars as both periods have",
    .source = TALIB,
    INPUTS(PRICE),
    OUTPUTS({"fastk", "k"}, {"fastd", "d"}),
    PARAMETERS(PERIOD(2, 14), WHOLE("fastk_period", "k", 1, 5), WHOLE("fastd_period", "d", 1, 3),
               MATYPE("fastd_matype", "d_type", 0)),
    .formula = "r = rsi_raw(price, timeperiod)\n"
               "bottom = lowest(r, fastk_period)\n"
               "width = highest(r, fastk_period) - bottom\n"
               "raw = if(width <= 1e-11, 0, 100 * (r - bottom) / width)\n"
               "smooth = ma(raw, fastd_period, fastd_matype)\n"
               "seen = fastk_period + fastd_period + 1\n"
               "moved = nz(highest(r, seen) - lowest(r, seen), 1) > 1e-11\n"
               "still = not moved or isnan(rsi(price, timeperiod))\n"
               "fastk = if(still, nan, raw + 0 * smooth)\n"
               "fastd = if(still, nan, smooth)\n",
    .output_may_be_nan = true,
};

const struct indicator indicator_willr = {
    .name = "willr",
    .title = "Williams' %R",
    .group = "momentum",
    .definition = "-100 (highest high - close) / (highest high - lowest low) of n bars; NaN where "
                  "the range is 0",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_before,
    .kernel = KERNEL_WILLR,
    .output_may_be_nan = true,
};

const struct indicator indicator_cci = {
    .name = "cci",
    .title = "Commodity channel index",
    .group = "momentum",
    .definition = "(t - mean t) / (0.015 mean |t - mean t|) of n bars, t = (high + low + close) / "
                  "3; NaN where t "
                  "stood still",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_before,
    .kernel = KERNEL_CCI,
    .output_may_be_nan = true,
};

static int ultosc_lookback(const double *parameters)
{
    return (int)MAX(MAX(parameters[0], parameters[1]), parameters[2]);
}

const struct indicator indicator_ultosc = {
    .name = "ultosc",
    .title = "Ultimate oscillator",
    .group = "momentum",
    .definition = "100 (4 a + 2 b + c) / 7, each Σ (close - true low) / Σ true range, a of the "
                  "shortest period; NaN "
                  "where a range is 0",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(WHOLE("timeperiod1", "short", 1, 7), WHOLE("timeperiod2", "middle", 1, 14),
               WHOLE("timeperiod3", "long", 1, 28)),
    .lookback = ultosc_lookback,
    .kernel = KERNEL_ULTOSC,
    .output_may_be_nan = true,
};

const struct indicator indicator_aroon = {
    .name = "aroon",
    .title = "Aroon",
    .group = "momentum",
    .definition = "100 (n - bars since the lowest low, the highest high) / n, of n + 1 bars; the "
                  "newest of equals",
    .source = TALIB,
    INPUTS(HIGH, LOW),
    OUTPUTS({"aroondown", "down"}, {"aroonup", "up"}),
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_AROON,
};

const struct indicator indicator_aroonosc = {
    .name = "aroonosc",
    .title = "Aroon oscillator",
    .group = "momentum",
    .definition = "aroon up - aroon down",
    .source = TALIB,
    INPUTS(HIGH, LOW),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .formula = "real = aroon(timeperiod).aroonup - aroon(timeperiod).aroondown\n",
};

const struct indicator indicator_bop = {
    .name = "bop",
    .title = "Balance of power",
    .group = "momentum",
    .definition = "(close - open) / (high - low), 0 where the bar has no range",
    .source = TALIB,
    INPUTS(OPEN, HIGH, LOW, CLOSE),
    REAL,
    .formula = "real = if(high > low, (close - open) / (high - low), 0)\n",
};
