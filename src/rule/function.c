/* The language's own functions, one row each.  Indicators, `highest`, `lowest` and `sum` among
 * them, are rows of src/indicator/. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

enum { BARS_MAX = 100000, OCCASIONS_MAX = 1000 };

/* clang-format off */
#define VALUE(n) {.name = n, .kind = ARGUMENT_VALUE}
#define COLUMN(n) {.name = n, .kind = ARGUMENT_COLUMN}
#define CONDITION(n) {.name = n, .kind = ARGUMENT_CONDITION}
#define EITHER(n) {.name = n, .kind = ARGUMENT_EITHER}
#define WHOLE(n, words) \
    {.name = n, .aliases = words, .kind = ARGUMENT_WHOLE, .least = 1, .most = BARS_MAX}
#define MATYPE {.name = "matype", .kind = ARGUMENT_MATYPE, .optional = true, .most = 1000}
#define BARS(n) WHOLE(n, "timeperiod period length bars")
/* clang-format on */

/* ---- functions that are made of others ------------------------------- */

static struct value build_change(struct compiler *c, const struct function *function,
                                 const struct bound *bound)
{
    (void)function;
    return binary_value(c, TOKEN_MINUS, bound->value[0],
                        lag_value(c, bound->value[0], bound->value[1], bound->place), bound->place);
}

static struct value build_if(struct compiler *c, const struct function *function,
                             const struct bound *bound)
{
    (void)function;
    return choose_value(c, bound->value[0], bound->value[1], bound->value[2], bound->place);
}

static struct value build_since(struct compiler *c, const struct function *function,
                                const struct bound *bound)
{
    static const struct {
        const char *word;
        enum kernel_id kernel;
    } kinds[] = {{"max", KERNEL_SINCE_MAX}, {"min", KERNEL_SINCE_MIN}, {"sum", KERNEL_SINCE_SUM}};
    struct op_inputs inputs = {.input = {bound->value[1].node}, .when = {bound->value[0].node}};

    (void)function;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (text_is(bound->word[2], kinds[i].word))
            return op_value(c, kinds[i].kernel, &inputs, bound->value[1].unit, bound->place);
    complain(c, bound->place, NULL, "the last argument of `since` is \"max\", \"min\" or \"sum\"");
    return wrong_value();
}

/* The type of average that the last argument names by number or by its indicator's name; NULL:
 * reported. */
static const struct ma_type *find_ma_type(struct compiler *c, const struct function *function,
                                          const struct bound *bound)
{
    int last = function->signature.count - 1;
    const struct ma_type *type = NULL;
    char names[200] = "";
    size_t length = 0;

    if (bound->word[last].length == 0)
        type = ma_type_find(c->graph.nodes[bound->value[last].node].number);
    for (size_t i = 0; i < ma_type_count && length < sizeof names; i++) {
        if (text_is(bound->word[last], ma_types[i].indicator))
            type = &ma_types[i];
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%d %s", i ? ", " : "",
                                   ma_types[i].matype, ma_types[i].indicator);
    }
    if (!type)
        complain(c, bound->place, NULL, "`%s` knows these types of average: %s",
                 function->signature.name, names);
    return type;
}

static struct value build_ma(struct compiler *c, const struct function *function,
                             const struct bound *bound)
{
    const struct ma_type *type = find_ma_type(c, function, bound);
    const struct indicator *average = type ? indicator_find(text_of(type->indicator)) : NULL;
    struct bound inner = {.place = bound->place, .value = {bound->value[0], bound->value[1]}};

    if (!average)
        return wrong_value();
    if (c->graph.nodes[inner.value[1].node].kind == NODE_LITERAL &&
        c->graph.nodes[inner.value[1].node].number == 1)
        return inner.value[0]; /* as TA-Lib: of one bar, whatever the type */
    for (int i = 1; i < average->parameter_count; i++)
        inner.value[1 + i] = number_value(c, average->parameters[i].usual, bound->place);
    return call_indicator(c, average, &inner);
}

static struct value build_ma_lookback(struct compiler *c, const struct function *function,
                                      const struct bound *bound)
{
    const struct ma_type *type = find_ma_type(c, function, bound);

    return type ? read_with_period(c, type->lookback, &bound->value[0], bound->place)
                : wrong_value();
}

/* ---- the table ------------------------------------------------------- */

static const struct function functions[] = {
    {
        .signature = {"change",
                      "x less x of n bars before",
                      {COLUMN("x"),
                       {.name = "n",
                        .aliases = "timeperiod period length bars",
                        .kind = ARGUMENT_WHOLE,
                        .optional = true,
                        .least = 1,
                        .most = RULE_LOOKBACK_MAX,
                        .usual = 1}},
                      2},
        .build = build_change,
    },
    {
        .signature = {"rising", "above all of the n bars before", {COLUMN("x"), BARS("n")}, 2},
        .kernel = KERNEL_RISING,
    },
    {
        .signature = {"falling", "below all of the n bars before", {COLUMN("x"), BARS("n")}, 2},
        .kernel = KERNEL_FALLING,
    },
    {
        .signature = {"count",
                      "on how many of the last n bars the condition holds",
                      {CONDITION("condition"), BARS("n")},
                      2},
        .kernel = KERNEL_COUNT,
    },
    {
        .signature =
            {"barssince", "bars since the condition held last", {CONDITION("condition")}, 1},
        .kernel = KERNEL_BARSSINCE,
    },
    {
        .signature = {"valuewhen",
                      "x on the k-th last bar on which the condition held (0: the last one)",
                      {CONDITION("condition"),
                       COLUMN("x"),
                       {.name = "k",
                        .aliases = "occurrence",
                        .kind = ARGUMENT_WHOLE,
                        .optional = true,
                        .most = OCCASIONS_MAX}},
                      3},
        .kernel = KERNEL_VALUEWHEN,
        .keeps_unit = true,
    },
    {
        .signature = {"since",
                      "the \"max\", \"min\" or \"sum\" of x since the condition held last",
                      {CONDITION("condition"),
                       COLUMN("x"),
                       {.name = "what", .kind = ARGUMENT_WORD}},
                      3},
        .build = build_since,
    },
    {
        .signature =
            {"pivothigh",
             "a high above `left` bars before and `right` after it, known `right` bars later",
             {COLUMN("x"), WHOLE("left", "leftbars"), WHOLE("right", "rightbars")},
             3},
        .kernel = KERNEL_PIVOTHIGH,
        .keeps_unit = true,
    },
    {
        .signature =
            {"pivotlow",
             "a low below `left` bars before and `right` after it, known `right` bars later",
             {COLUMN("x"), WHOLE("left", "leftbars"), WHOLE("right", "rightbars")},
             3},
        .kernel = KERNEL_PIVOTLOW,
        .keeps_unit = true,
    },
    {
        .signature =
            {"crossover", "a > b, and a <= b on the bar before", {VALUE("a"), VALUE("b")}, 2},
        .kernel = KERNEL_CROSSOVER,
    },
    {
        .signature =
            {"crossunder", "a < b, and a >= b on the bar before", {VALUE("a"), VALUE("b")}, 2},
        .kernel = KERNEL_CROSSUNDER,
    },
    {
        .signature = {"abs", "without its sign", {VALUE("x")}, 1},
        .kernel = KERNEL_ABS,
        .keeps_unit = true,
    },
    {
        .signature = {"sign", "-1, 0 or 1", {VALUE("x")}, 1},
        .kernel = KERNEL_SIGN,
    },
    {
        .signature = {"floor", "the whole number below", {VALUE("x")}, 1},
        .kernel = KERNEL_FLOOR,
        .keeps_unit = true,
    },
    {
        .signature = {"ceil", "the whole number above", {VALUE("x")}, 1},
        .kernel = KERNEL_CEIL,
        .keeps_unit = true,
    },
    {
        .signature = {"round", "the nearest whole number, halves away from 0", {VALUE("x")}, 1},
        .kernel = KERNEL_ROUND,
        .keeps_unit = true,
    },
    {
        .signature = {"log", "natural logarithm", {VALUE("x")}, 1},
        .kernel = KERNEL_LOG,
    },
    {
        .signature = {"exp", "e to the power of x", {VALUE("x")}, 1},
        .kernel = KERNEL_EXP,
    },
    {
        .signature = {"sqrt", "square root", {VALUE("x")}, 1},
        .kernel = KERNEL_SQRT,
    },
    {
        .signature = {"pow", "x to the power of y", {VALUE("x"), VALUE("y")}, 2},
        .kernel = KERNEL_POW,
    },
    {
        .signature = {"nz",
                      "x, or v where x is not defined",
                      {VALUE("x"), {.name = "v", .kind = ARGUMENT_VALUE, .optional = true}},
                      2},
        .kernel = KERNEL_NZ,
        .keeps_unit = true,
    },
    {
        .signature = {"isnan", "where x is not defined", {VALUE("x")}, 1},
        .kernel = KERNEL_ISNAN,
    },
    {
        .signature = {"max",
                      "the larger of two values of one bar; the highest of n bars is highest(x, n)",
                      {VALUE("a"), VALUE("b")},
                      2},
        .kernel = KERNEL_LARGER,
        .keeps_unit = true,
    },
    {
        .signature = {"min",
                      "the smaller of two values of one bar; the lowest of n bars is lowest(x, n)",
                      {VALUE("a"), VALUE("b")},
                      2},
        .kernel = KERNEL_SMALLER,
        .keeps_unit = true,
    },
    {
        .signature = {"if",
                      "a where the condition holds, else b",
                      {CONDITION("condition"), EITHER("a"), EITHER("b")},
                      3},
        .build = build_if,
    },
    {
        .signature = {"ma",
                      "moving average of a type: TA-Lib's number or a name in quotes",
                      {COLUMN("price"),
                       {.name = "timeperiod",
                        .aliases = "period length n",
                        .kind = ARGUMENT_WHOLE,
                        .optional = true,
                        .least = 1,
                        .most = BARS_MAX,
                        .usual = 30},
                       MATYPE},
                      3},
        .build = build_ma,
    },
    {
        .signature = {"ma_lookback",
                      "the bars that ma(x, timeperiod, matype) needs before its first value",
                      {WHOLE("timeperiod", "period length n"), MATYPE},
                      2},
        .build = build_ma_lookback,
    },
};

static const struct {
    const char *name, *sentence;
} scanner_functions[] = {
    {"on", "`on` reads another timeframe; it comes with the scanners"},
    {"of", "`of` reads another symbol; it comes with the scanners"},
    {"rank", "`rank` compares symbols with each other; it comes with the scanners"},
    {"zscore", "`zscore` compares symbols with each other; it comes with the scanners"},
    {"breadth", "`breadth` counts over symbols; it comes with the scanners"},
};

const struct function *function_find(struct text name)
{
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++)
        if (text_is(name, functions[i].signature.name))
            return &functions[i];
    return NULL;
}

const char *function_scanner_words(struct text name)
{
    for (size_t i = 0; i < ARRAY_COUNT(scanner_functions); i++)
        if (text_is(name, scanner_functions[i].name))
            return scanner_functions[i].sentence;
    return NULL;
}

size_t function_names(const char **names, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_COUNT(functions) && count < max; i++)
        names[count++] = functions[i].signature.name;
    return count;
}

struct value call_function(struct compiler *c, const struct function *function,
                           const struct bound *bound)
{
    struct op_inputs inputs = {0};
    int values = 0, conditions = 0, parameters = 0;
    enum unit unit = UNIT_PLAIN;

    if (function->build)
        return function->build(c, function, bound);
    for (int i = 0; i < function->signature.count; i++)
        switch (function->signature.formals[i].kind) {
        case ARGUMENT_CONDITION:
            inputs.when[conditions++] = bound->value[i].node;
            break;
        case ARGUMENT_WHOLE:
            inputs.parameter[parameters++] = bound->value[i].node;
            break;
        default:
            if (values == 0)
                unit = bound->value[i].unit;
            else if (unit != bound->value[i].unit)
                unit = unit == UNIT_PRICE || bound->value[i].unit == UNIT_PRICE ? UNIT_PRICE
                                                                                : UNIT_PLAIN;
            inputs.input[values++] = bound->value[i].node;
            break;
        }
    return op_value(c, function->kernel, &inputs, function->keeps_unit ? unit : UNIT_PLAIN,
                    bound->place);
}

/* ---- signatures ------------------------------------------------------ */

void signature_words(const struct signature *signature, char *words, size_t bytes)
{
    size_t length = (size_t)snprintf(words, bytes, "%s(", signature->name);

    for (int i = 0; i < signature->count && length < bytes; i++) {
        const struct formal *formal = &signature->formals[i];
        char usual[DOUBLE_TEXT_BYTES];

        double_to_text(formal->usual, usual);
        length += (size_t)snprintf(words + length, bytes - length, "%s%s%s%s", i ? ", " : "",
                                   formal->name, formal->optional ? " = " : "",
                                   formal->optional ? usual : "");
    }
    if (length < bytes)
        snprintf(words + length, bytes - length, "): %s", signature->title);
}

static struct signature signature_of_indicator(const struct indicator *row)
{
    struct signature signature = {.name = row->name, .title = row->title};

    for (int i = 0; i < row->input_count; i++)
        if (row->inputs[i].kind == INPUT_REAL)
            signature.formals[signature.count++] = (struct formal){.name = row->inputs[i].name,
                                                                   .kind = ARGUMENT_COLUMN};
    for (int i = 0; i < row->parameter_count; i++) {
        const struct indicator_parameter *p = &row->parameters[i];

        signature.formals[signature.count++] = (struct formal){
            .name = p->name,
            .aliases = p->aliases,
            .optional = true,
            .least = p->min,
            .most = p->max,
            .usual = p->usual,
            .kind = p->kind == PARAMETER_WHOLE  ? ARGUMENT_WHOLE
                    : p->kind == PARAMETER_REAL ? ARGUMENT_REAL
                                                : ARGUMENT_MATYPE};
    }
    return signature;
}

bool signature_of(struct text name, struct signature *signature)
{
    const struct function *function = function_find(name);
    const struct indicator *row = function ? NULL : indicator_find(name);

    if (function)
        *signature = function->signature;
    else if (row)
        *signature = signature_of_indicator(row);
    return function || row;
}
