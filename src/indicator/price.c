/* One price of a bar's four. */
#include "indicator/row.h"

const struct indicator indicator_avgprice = {
    .name = "avgprice",
    .title = "Average price",
    .group = "price",
    .definition = "(open + high + low + close) / 4",
    .source = TALIB,
    INPUTS(OPEN, HIGH, LOW, CLOSE),
    REAL,
    .formula = "real = (open + high + low + close) / 4\n",
};

const struct indicator indicator_medprice = {
    .name = "medprice",
    .title = "Median price",
    .group = "price",
    .definition = "(high + low) / 2",
    .source = TALIB,
    INPUTS(HIGH, LOW),
    REAL,
    .formula = "real = (high + low) / 2\n",
};

const struct indicator indicator_typprice = {
    .name = "typprice",
    .title = "Typical price",
    .group = "price",
    .definition = "(high + low + close) / 3",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    .formula = "real = (high + low + close) / 3\n",
};

const struct indicator indicator_wclprice = {
    .name = "wclprice",
    .title = "Weighted close",
    .group = "price",
    .definition = "(high + low + 2 close) / 4",
    .source = TALIB,
    INPUTS(HIGH, LOW, CLOSE),
    REAL,
    .formula = "real = (high + low + 2 * close) / 4\n",
};
