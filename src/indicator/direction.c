/* Wilder's directional movement.  Sums begin as the plain sum of the first n - 1, then s - s / n +
 * x. */
#include "indicator/row.h"

#define WILDER "Wilder, New Concepts in Technical Trading Systems (1978); " TALIB

static int movement_lookback(const double *parameters)
{
    return parameters[0] > 1 ? (int)parameters[0] - 1 : 1;
}

const struct indicator indicator_plus_dm = {
    .name = "plus_dm",
    .title = "Plus directional movement",
    .group = "momentum",
    .definition = "Wilder's sum of the rises of the high that are larger than the falls of the low",
    .source = WILDER,
    INPUTS(HIGH, LOW),
    REAL,
    PARAMETERS(PERIOD(1, 14)),
    .lookback = movement_lookback,
    .kernel = KERNEL_PLUS_DM,
};

const struct indicator indicator_minus_dm = {
    .name = "minus_dm",
    .title = "Minus directional movement",
    .group = "momentum",
    .definition = "Wilder's sum of the falls of the low that are larger than the rises of the high",
    .source = WILDER,
    INPUTS(HIGH, LOW),
    REAL,
    PARAMETERS(PERIOD(1, 14)),
    .lookback = movement_lookback,
    .kernel = KERNEL_MINUS_DM,
};

const struct indicator indicator_plus_di = {
    .name = "plus_di",
    .title = "Plus directional indicator",
    .group = "momentum",
    .definition = "100 plus_dm / Wilder's sum of the true range (not times 100 for a period of 1); "
                  "NaN while that is 0",
    .source = WILDER,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(1, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_PLUS_DI,
    .output_may_be_nan = true,
};

const struct indicator indicator_minus_di = {
    .name = "minus_di",
    .title = "Minus directional indicator",
    .group = "momentum",
    .definition = "100 minus_dm / Wilder's sum of the true range (not times 100 for a period of "
                  "1); NaN while that is 0",
    .source = WILDER,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(1, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_MINUS_DI,
    .output_may_be_nan = true,
};

const struct indicator indicator_dx = {
    .name = "dx",
    .title = "Directional movement index",
    .group = "momentum",
    .definition = "100 |plus_di - minus_di| / (plus_di + minus_di); NaN while nothing moved",
    .source = WILDER,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = lookback_period,
    .kernel = KERNEL_DX,
    .output_may_be_nan = true,
};

static int adx_lookback(const double *parameters)
{
    return 2 * (int)parameters[0] - 1;
}

const struct indicator indicator_adx = {
    .name = "adx",
    .title = "Average directional movement index",
    .group = "momentum",
    .definition = "Wilder's mean of dx; NaN while nothing moved",
    .source = WILDER,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = adx_lookback,
    .kernel = KERNEL_ADX,
    .output_may_be_nan = true,
};

static int adxr_lookback(const double *parameters)
{
    return 3 * (int)parameters[0] - 2;
}

const struct indicator indicator_adxr = {
    .name = "adxr",
    .title = "Average directional movement index rating",
    .group = "momentum",
    .definition = "(adx + adx n - 1 bars before) / 2; NaN while nothing moved",
    .source = WILDER,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    PARAMETERS(PERIOD(2, 14)),
    .lookback = adxr_lookback,
    .kernel = KERNEL_ADXR,
    .output_may_be_nan = true,
};
