/* Statistics of the last n values. */
#include "indicator/row.h"

const struct indicator indicator_var = {
    .name = "var",
    .aliases = "variance",
    .title = "Variance",
    .group = "statistic",
    .definition = "population variance of the last n values (nbdev is not used, as in TA-Lib)",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 5), FACTOR("nbdev", "dev", 1)),
    .lookback = lookback_before,
    .kernel = KERNEL_VAR,
};

const struct indicator indicator_stddev = {
    .name = "stddev",
    .aliases = "stdev",
    .title = "Standard deviation",
    .group = "statistic",
    .definition = "nbdev times the population standard deviation of the last n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 5), FACTOR("nbdev", "dev", 1)),
    .lookback = lookback_before,
    .kernel = KERNEL_STDDEV,
};

const struct indicator indicator_linearreg = {
    .name = "linearreg",
    .aliases = "linreg",
    .title = "Linear regression",
    .group = "statistic",
    .definition = "value at the newest bar of the least-squares line through the last n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_before,
    .kernel = KERNEL_LINEARREG,
};

const struct indicator indicator_linearreg_slope = {
    .name = "linearreg_slope",
    .aliases = "slope",
    .title = "Linear regression, slope",
    .group = "statistic",
    .definition = "rise a bar of the least-squares line through the last n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_before,
    .kernel = KERNEL_LINEARREG_SLOPE,
};

const struct indicator indicator_linearreg_intercept = {
    .name = "linearreg_intercept",
    .title = "Linear regression, intercept",
    .group = "statistic",
    .definition = "value at the oldest bar of the least-squares line through the last n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_before,
    .kernel = KERNEL_LINEARREG_INTERCEPT,
};

const struct indicator indicator_linearreg_angle = {
    .name = "linearreg_angle",
    .title = "Linear regression, angle",
    .group = "statistic",
    .definition = "arc tangent of the slope, in degrees",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_before,
    .kernel = KERNEL_LINEARREG_ANGLE,
};

const struct indicator indicator_tsf = {
    .name = "tsf",
    .title = "Time series forecast",
    .group = "statistic",
    .definition = "value at the next bar of the least-squares line through the last n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_before,
    .kernel = KERNEL_TSF,
};

const struct indicator indicator_correl = {
    .name = "correl",
    .aliases = "correlation",
    .title = "Correlation",
    .group = "statistic",
    .definition = "Pearson's correlation of the last n values of two; 0 where one of them stood "
                  "still, NaN where "
                  "both did at one price",
    .source = TALIB,
    INPUTS(PRICES),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_CORREL,
    .output_may_be_nan = true,
};

const struct indicator indicator_beta = {
    .name = "beta",
    .title = "Beta",
    .group = "statistic",
    .definition = "slope of the second's last n relative changes over the first's; 0 where the "
                  "first changed alike, "
                  "NaN where both did at one price",
    .source = TALIB,
    INPUTS(PRICES),
    REAL,
    PARAMETERS(PERIOD(1, 5)),
    .lookback = lookback_period,
    .kernel = KERNEL_BETA,
    .output_may_be_nan = true,
};

const struct indicator indicator_highest = {
    .name = "highest",
    .title = "Highest value",
    .group = "statistic",
    .definition = "largest of the last n values (TA-Lib's MAX)",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_HIGHEST,
};

const struct indicator indicator_lowest = {
    .name = "lowest",
    .title = "Lowest value",
    .group = "statistic",
    .definition = "smallest of the last n values (TA-Lib's MIN)",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_LOWEST,
};

const struct indicator indicator_sum = {
    .name = "sum",
    .title = "Sum",
    .group = "statistic",
    .definition = "sum of the last n values",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    PARAMETERS(PERIOD(1, 30)),
    .lookback = lookback_before,
    .kernel = KERNEL_SUM,
};

const struct indicator indicator_cumsum = {
    .name = "cumsum",
    .title = "Cumulative sum",
    .group = "statistic",
    .definition = "sum of all values so far",
    .source = TALIB,
    INPUTS(PRICE),
    REAL,
    .lookback = lookback_none,
    .kernel = KERNEL_CUMSUM,
};
