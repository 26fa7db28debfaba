/* What was traded. */
#include "indicator/row.h"

const struct indicator indicator_obv = {
    .name = "obv",
    .title = "On-balance volume",
    .group = "volume",
    .definition = "volume of bars that close higher minus volume of those that close lower, from "
                  "the first volume on",
    .source = TALIB,
    INPUTS(CLOSE, VOLUME),
    REAL,
    .lookback = lookback_none,
    .kernel = KERNEL_OBV,
};

const struct indicator indicator_ad = {
    .name = "ad",
    .title = "Accumulation/distribution line",
    .group = "volume",
    .definition = "running sum of volume ((close - low) - (high - close)) / (high - low); bars "
                  "without range add nothing",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE, VOLUME),
    REAL,
    .lookback = lookback_none,
    .kernel = KERNEL_AD,
};

static int adosc_lookback(const double *parameters)
{
    return (int)MAX(parameters[0], parameters[1]) - 1;
}

const struct indicator indicator_adosc = {
    .name = "adosc",
    .title = "Chaikin oscillator",
    .group = "volume",
    .definition = "fast minus slow exponential average of ad, both beginning with its first value",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE, VOLUME),
    REAL,
    PARAMETERS(WHOLE("fastperiod", "fast", 2, 3), WHOLE("slowperiod", "slow", 2, 10)),
    .lookback = adosc_lookback,
    .kernel = KERNEL_ADOSC,
};

const struct indicator indicator_mfi = {
    .name = "mfi",
    .title = "Money flow index",
    .group = "volume",
    .definition = "100 p / (p + m), sums over n bars of volume times typical price where that "
                  "rose, fell; NaN where both "
                  "are 0",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE, VOLUME),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_MFI,
    .output_may_be_nan = true,
};

const struct indicator indicator_cmf = {
    .name = "cmf",
    .title = "Chaikin money flow",
    .group = "volume",
    .definition = "Σ volume ((close - low) - (high - close)) / (high - low) over Σ volume of n "
                  "bars; 0 where nothing was "
                  "traded",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE, VOLUME),
    REAL,
    PARAMETERS(PERIOD(2, 20)),
    .lookback = lookback_before,
    .kernel = KERNEL_CMF,
};

const struct indicator indicator_vwap = {
    .name = "vwap",
    .title = "Volume-weighted average price",
    .group = "volume",
    .definition = "Σ volume (high + low + close) / 3 over Σ volume of all bars so far; 0 before "
                  "the first trade",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE, VOLUME),
    REAL,
    .formula = "traded = cumsum(volume)\n"
               "real = if(traded > 0, cumsum((high + low + close) / 3 * volume) / traded, 0)\n",
};
