/* Parts of rows that many rows share.  For the files of rows alone. */
#ifndef HARRIER_INDICATOR_ROW_H
#define HARRIER_INDICATOR_ROW_H

#include "indicator/indicator.h"

#define INDICATOR(name) extern const struct indicator indicator_##name;
#include "indicator/indicator.def"
#undef INDICATOR

/* TA-Lib's limits of periods and factors. */
#define PERIOD_MAX 100000
#define FACTOR_MAX 3e37

#define INPUTS(...)                                                                           \
    .inputs = {__VA_ARGS__}, .input_count = sizeof((struct indicator_input[]){__VA_ARGS__}) / \
                                            sizeof(struct indicator_input)
#define OUTPUTS(...)                                                                             \
    .outputs = {__VA_ARGS__}, .output_count = sizeof((struct indicator_output[]){__VA_ARGS__}) / \
                                              sizeof(struct indicator_output)
#define PARAMETERS(...)                                                      \
    .parameters = {__VA_ARGS__},                                             \
    .parameter_count = sizeof((struct indicator_parameter[]){__VA_ARGS__}) / \
                       sizeof(struct indicator_parameter)

/* clang-format takes a brace in a macro for a block. */
/* clang-format off */
#define PRICE  {"price", INPUT_REAL}
#define PRICES {"price0", INPUT_REAL}, {"price1", INPUT_REAL}
#define OPEN   {"open", INPUT_OPEN}
#define HIGH   {"high", INPUT_HIGH}
#define LOW    {"low", INPUT_LOW}
#define CLOSE  {"close", INPUT_CLOSE}
#define VOLUME {"volume", INPUT_VOLUME}

#define REAL OUTPUTS({"real", NULL})

#define WHOLE(name, aliases, least, usual) \
    {name, aliases, PARAMETER_WHOLE, least, PERIOD_MAX, usual}
#define PERIOD(least, usual) WHOLE("timeperiod", "period length", least, usual)
#define FACTOR(name, aliases, usual) {name, aliases, PARAMETER_REAL, -FACTOR_MAX, FACTOR_MAX, usual}
#define MATYPE(name, aliases, usual) {name, aliases, PARAMETER_MATYPE, 0, 13, usual}
/* clang-format on */

#define TALIB "TA-Lib 0.8"

/* Look-backs of one period. */
static inline int lookback_none(const double *parameters __attribute__((unused)))
{
    return 0;
}
static inline int lookback_one(const double *parameters __attribute__((unused)))
{
    return 1;
}
static inline int lookback_before(const double *parameters)
{
    return (int)parameters[0] - 1;
}
static inline int lookback_period(const double *parameters)
{
    return (int)parameters[0];
}

#endif
