/* The table of all rows, and finding in it. */
#include <string.h>

#include "indicator/row.h"

const struct indicator *const indicators[] = {
#define INDICATOR(name) &indicator_##name,
#include "indicator/indicator.def"
#undef INDICATOR
};
const size_t indicator_count = ARRAY_COUNT(indicators);

const struct ma_type ma_types[] = {
    {0, "sma", "timeperiod - 1"},
    {1, "ema", "timeperiod - 1"},
    {2, "wma", "timeperiod - 1"},
    {3, "dema", "2 * (timeperiod - 1)"},
    {4, "tema", "3 * (timeperiod - 1)"},
    {5, "trima", "timeperiod - 1"},
    {6, "kama", "timeperiod - floor(1 / timeperiod)"}, /* a period of 1 smooths nothing */
    {8, "t3", "6 * (timeperiod - 1)"},
    {9, "hma", "timeperiod + floor(sqrt(timeperiod)) - 2"},
    {11, "sma", "timeperiod - 1"}, /* TA-Lib's "default" */
    {12, "zlema", "timeperiod - 1 + floor((timeperiod - 1) / 2)"},
    {13, "rma", "timeperiod - 1"},
};
const size_t ma_type_count = ARRAY_COUNT(ma_types);

const struct ma_type *ma_type_find(double matype)
{
    for (size_t i = 0; i < ma_type_count; i++)
        if (ma_types[i].matype == matype)
            return &ma_types[i];
    return NULL;
}

/* Whether `word` is one of blank-separated `words`, which may be NULL. */
static bool one_of(struct text word, const char *words)
{
    while (words && *words) {
        size_t length = strcspn(words, " ");
        if (text_equal(word, (struct text){words, length}))
            return true;
        words += length + (words[length] == ' ');
    }
    return false;
}

static bool named(struct text word, const char *name, const char *aliases)
{
    return text_is(word, name) || one_of(word, aliases);
}

const struct indicator *indicator_find(struct text name)
{
    for (size_t i = 0; i < indicator_count; i++)
        if (named(name, indicators[i]->name, indicators[i]->aliases))
            return indicators[i];
    return NULL;
}

int indicator_output_find(const struct indicator *indicator, struct text name)
{
    for (int i = 0; i < indicator->output_count; i++)
        if (named(name, indicator->outputs[i].name, indicator->outputs[i].aliases))
            return i;
    return -1;
}

int indicator_parameter_find(const struct indicator *indicator, struct text name)
{
    for (int i = 0; i < indicator->parameter_count; i++)
        if (named(name, indicator->parameters[i].name, indicator->parameters[i].aliases))
            return i;
    return -1;
}
