/* indicator: what a rule can call, as rows: name, inputs, outputs, parameters, look-back, and what
 * computes it.  Parser, `harrier indicators`, documentation and tests read these rows.
 *
 * An indicator is either a KERNEL (src/kernel/) or a FORMULA: text in the rule language over its
 * own inputs and parameters and other indicators, expanded by the rule compiler, which shares
 * common parts:
 *
 *     .formula = "h = highest(high, timeperiod)\n"
 *                "l = lowest(low, timeperiod)\n"
 *                "upperband = h\n" "middleband = (h + l) / 2\n" "lowerband = l\n"
 *
 * A formula's outputs are the names of its `outputs`.  It may use, besides every function of the
 * language:
 *   - the bar columns that are its implied inputs, and its inputs of kind INPUT_REAL by their names
 *     (`price`, `price0`, …; never the name of an output),
 *   - its parameters; arithmetic on parameters alone gives a parameter, which may stand where a
 *     period is wanted: `floor(timeperiod / 2) + 1`, `max(fastperiod, slowperiod)`,
 *   - `nan`,
 *   - `ma(x, period, matype)`: the indicator that ma_types names for the type, with its other
 *     parameters as usual,
 *   - `ma_lookback(period, matype)`: its look-back, a number: the `lookback` text of ma_types with
 *     `timeperiod` for the period.
 * A type without a row in ma_types is an error of the caller's.  A bar whose input is NaN must be
 * as if it were not there, so formulas say previous(x, n), which passes over NaN, and not x[n].
 *
 * Names, order, defaults, ranges, seeding, look-back: TA-Lib 0.8's, in lower case, with short
 * aliases.
 */
#ifndef HARRIER_INDICATOR_H
#define HARRIER_INDICATOR_H

#include "kernel/kernel.h"

enum input_kind {
    INPUT_REAL, /* any expression; the caller must give it */
    INPUT_OPEN,
    INPUT_HIGH,
    INPUT_LOW,
    INPUT_CLOSE,
    INPUT_VOLUME /* implied: the symbol's own column */
};

enum parameter_kind { PARAMETER_WHOLE, PARAMETER_REAL, PARAMETER_MATYPE };

struct indicator_parameter {
    const char *name;    /* TA-Lib's: "timeperiod" */
    const char *aliases; /* blank-separated: "period length"; NULL if none */
    enum parameter_kind kind;
    double min, max, usual;
};

struct indicator_input {
    const char *name;
    enum input_kind kind;
};

struct indicator_output {
    const char *name;    /* TA-Lib's: "macdhist" */
    const char *aliases; /* "hist histogram" */
};

struct indicator {
    const char *name, *aliases, *title;
    const char *group;      /* "overlap", "momentum", "volume", "volatility", … */
    const char *definition; /* the formula in words and signs, one line, for people */
    const char *source;     /* where the definition comes from */
    struct indicator_input inputs[KERNEL_INPUTS_MAX];
    int input_count;
    struct indicator_output outputs[KERNEL_OUTPUTS_MAX];
    int output_count;
    struct indicator_parameter parameters[KERNEL_PARAMETERS_MAX];
    int parameter_count;

    /* Bars before the first defined value of the first output, given defined inputs from the first
     * bar on; NULL for a formula (the compiler adds up its parts). */
    int (*lookback)(const double *parameters);

    enum kernel_id kernel; /* where formula is NULL */
    const char *formula;

    bool output_may_be_nan; /* after the look-back, with inputs that are not (0/0) */
    bool internal;          /* for formulas; not listed, but callable */
    bool percent_scaled;    /* 5 for 5 %, as TA-Lib's roc: comparing with `5%` is an error */
};

extern const struct indicator *const indicators[];
extern const size_t indicator_count;

/* What ma(x, timeperiod, matype) stands for. */
struct ma_type {
    int matype;            /* TA-Lib's number */
    const char *indicator; /* its first parameter is the period */
    const char *lookback;  /* expression over `timeperiod` */
};

extern const struct ma_type ma_types[];
extern const size_t ma_type_count;

const struct ma_type *ma_type_find(double matype); /* NULL if there is no such type */

/* By name or alias; NULL. */
const struct indicator *indicator_find(struct text name);

/* Index of an output or parameter by name or alias; -1. */
int indicator_output_find(const struct indicator *indicator, struct text name);
int indicator_parameter_find(const struct indicator *indicator, struct text name);

#endif
