/* How far the bars reach. */
#include "indicator/row.h"

#define WILDER "Wilder, New Concepts in Technical Trading Systems (1978); " TALIB

const struct indicator indicator_trange = {
    .name = "trange",
    .aliases = "tr",
    .title = "True range",
    .group = "volatility",
    .definition = "largest of high - low, |high - close before|, |low - close before|",
    .source = WILDER,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    .lookback = lookback_one,
    .kernel = KERNEL_TRANGE,
};

const struct indicator indicator_atr = {
    .name = "atr",
    .title = "Average true range",
    .group = "volatility",
    .definition = "Wilder's mean of the true range",
    .source = WILDER,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(1, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_ATR,
};

const struct indicator indicator_natr = {
    .name = "natr",
    .title = "Average true range, in percent of the close",
    .group = "volatility",
    .definition =
        "100 atr / close (for a period of 1 TA-Lib gives the true range itself, and so does this)",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(1, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_NATR,
    .percent_scaled = true,
};
