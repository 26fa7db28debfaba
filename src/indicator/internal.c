/* What formulas are made of. */
#include "indicator/row.h"

const struct indicator indicator_rsi_raw = {
    .name = "rsi_raw",
    .title = "Relative strength index with 0 for 0 / 0",
    .group = "internal",
    .definition = "rsi, but 0 while nothing moved: what TA-Lib goes on with",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_RSI_RAW,
    .internal = true,
};

const struct indicator indicator_previous = {
    .name = "previous",
    .title = "Value n values before",
    .group = "internal",
    .definition = "x[n], but passing over bars without a value",
    .source = "this engine",
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(0, 1)),
    .lookback = lookback_period,
    .kernel = KERNEL_PREVIOUS,
    .internal = true,
};

const struct indicator indicator_skip = {
    .name = "skip",
    .title = "Later start",
    .group = "internal",
    .definition = "x without its first n values",
    .source = "this engine",
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(0, 1)),
    .lookback = lookback_period,
    .kernel = KERNEL_SKIP,
    .internal = true,
};
