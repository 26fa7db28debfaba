/* Questions to a compiled rule: numbers, look-back, parameters. */
#include "rule/rule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/graph.h"

static const char *const column_names[RULE_COLUMNS] = {
#define COLUMN_ROW(id, word, title) [COLUMN_##id] = word,
#include "rule/column.def"
#undef COLUMN_ROW
};

const char *rule_column_name(enum rule_column column)
{
    return column_names[column];
}

const char *rule_warnings(const struct rule *rule)
{
    return rule->warnings;
}

double rule_column_of_time(enum rule_column column, int64_t time_ms, int64_t zone_offset_ms)
{
    int64_t local = time_ms + zone_offset_ms, day = local % DAY_MS;
    int minutes = (int)((day < 0 ? day + DAY_MS : day) / 60000), hour = minutes / 60;

    switch (column) {
    case COLUMN_HOUR:
        return hour;
    case COLUMN_MINUTE:
        return minutes % 60;
    case COLUMN_DAY:
        return date_of_ms(local).day;
    case COLUMN_WEEKDAY:
        return weekday_of_ms(local);
    case COLUMN_MONTH:
        return date_of_ms(local).month;
    case COLUMN_YEAR:
        return date_of_ms(local).year;
    default:
        return (double)time_ms;
    }
}

/* ---- numbers --------------------------------------------------------- */

static double number_of(const struct rule *rule, int node, const double *values,
                        const double *statics)
{
    const struct node *n = &rule->nodes[node];

    return n->kind == NODE_LITERAL     ? n->number
           : n->kind == NODE_PARAMETER ? values[n->index]
                                       : statics[n->slot];
}

/* The first `count` static ops, in the order in which they need each other. */
static void find_statics(const struct rule *rule, const double *values, int count, double *statics)
{
    for (int s = 0; s < count; s++) {
        const struct node *node = &rule->nodes[rule->statics[s]];
        const struct kernel_row *row = &kernel_rows[node->kernel];
        double in[KERNEL_INPUTS_MAX] = {0}, when[KERNEL_CONDITIONS_MAX] = {0};

        for (int i = 0; i < row->inputs; i++)
            in[i] = number_of(rule, node->input[i], values, statics);
        for (int i = 0; i < row->conditions; i++)
            when[i] = number_of(rule, node->when[i], values, statics);
        statics[s] = kernel_number(node->kernel, in, when);
    }
}

double rule_number(const struct rule *rule, int node, const double *values)
{
    double statics[RULE_NODES_MAX];
    int slot = rule->nodes[node].slot;

    find_statics(rule, values, slot + 1, statics);
    return number_of(rule, node, values, statics);
}

/* ---- look-back ------------------------------------------------------- */

void rule_lookbacks(const struct rule *rule, const double *values, int *lookbacks)
{
    double statics[RULE_NODES_MAX], parameters[KERNEL_PARAMETERS_MAX];

    find_statics(rule, values, rule->static_count, statics);
    for (int n = 0; n < rule->node_count; n++) {
        const struct node *node = &rule->nodes[n];

        lookbacks[n] = 0;
        if (node->kind == NODE_OUTPUT)
            lookbacks[n] = lookbacks[node->input[0]];
        if (node->kind != NODE_OP || node->slot != NODE_NONE)
            continue;
        for (int i = 0; i < kernel_rows[node->kernel].parameters; i++)
            parameters[i] = number_of(rule, node->parameter[i], values, statics);
        lookbacks[n] = op_lookback(node, lookbacks, parameters);
    }
}

int rule_lookback(const struct rule *rule, const double *values)
{
    int lookbacks[RULE_NODES_MAX], largest = 0;

    rule_lookbacks(rule, values, lookbacks);
    for (int i = 0; i < SIGNALS; i++)
        if (rule->signal[i] != NODE_NONE)
            largest = MAX(largest, lookbacks[rule->signal[i]]);
    for (int i = 0; i < LEVELS; i++)
        if (rule->level[i].node != NODE_NONE)
            largest = MAX(largest, lookbacks[rule->level[i].node]);
    for (int i = 0; i < rule->value_count; i++)
        largest = MAX(largest, lookbacks[rule->values[i].node]);
    return largest > RULE_LOOKBACK_MAX ? -1 : largest;
}

/* ---- parameters ------------------------------------------------------ */

int rule_parameter_find(const struct rule *rule, struct text name, struct error *err)
{
    const char *names[RULE_PARAMETERS_MAX], *nearest;
    char list[400] = "";
    size_t length = 0;

    for (int i = 0; i < rule->parameter_count; i++) {
        names[i] = rule->parameters[i].name;
        if (text_is(name, names[i]))
            return i;
        if (length < sizeof list)
            length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "",
                                       names[i]);
    }
    nearest = text_nearest(name, names, (size_t)rule->parameter_count);
    if (rule->parameter_count == 0)
        fail(err, STATUS_USAGE, "%s has no parameters, so no `%.*s`", rule->name, TEXT_ARG(name));
    else if (nearest)
        fail(err, STATUS_USAGE, "%s has no parameter `%.*s`; did you mean `%s`?", rule->name,
             TEXT_ARG(name), nearest);
    else
        fail(err, STATUS_USAGE, "%s has no parameter `%.*s`; it has: %s", rule->name,
             TEXT_ARG(name), list);
    return -1;
}

void rule_parameter_text(const struct rule_parameter *p, double value,
                         char text[PARAMETER_TEXT_BYTES])
{
    size_t length;

    if (p->date && fabs(value) < 8e15 && value == floor(value / DAY_MS) * DAY_MS) {
        time_to_text((int64_t)value, true, text);
        return;
    }
    length = double_to_text(p->percent ? round(value * 1e12) / 1e10 : value, text);
    snprintf(text + length, PARAMETER_TEXT_BYTES - length, "%s", p->percent ? "%" : "");
}

enum status rule_parameter_read(const struct rule *rule, int parameter, struct text text,
                                double *value, struct error *err)
{
    struct lexer lexer;
    struct token token;
    double sign = 1;

    lexer_init(&lexer, text);
    lexer_next(&lexer, &token);
    if (token.kind == TOKEN_MINUS) {
        sign = -1;
        lexer_next(&lexer, &token);
    }
    *value = sign * token.number;
    if (token.kind == TOKEN_NUMBER) {
        lexer_next(&lexer, &token);
        if (token.kind == TOKEN_PERCENT) {
            *value /= 100;
            lexer_next(&lexer, &token);
        }
        if (token.kind == TOKEN_END)
            return rule_parameter_check(rule, parameter, *value, err);
    }
    return fail(err, STATUS_USAGE, "`%.*s` is no number for the parameter `%s` of %s",
                (int)MIN(text.length, 100), text.at, rule->parameters[parameter].name, rule->name);
}

static bool is_listed(const struct rule_parameter *p, double value)
{
    for (int i = 0; i < p->listed_count; i++)
        if (p->listed[i] == value)
            return true;
    return p->listed_count == 0;
}

/* "2 to 50", "one of 1, 2, 3", "1 or more". */
static void allowed_text(const struct rule_parameter *p, char *text, size_t bytes)
{
    char low[PARAMETER_TEXT_BYTES], high[PARAMETER_TEXT_BYTES];
    size_t length = 0;

    for (int i = 0; i < p->listed_count && length < bytes; i++) {
        rule_parameter_text(p, p->listed[i], low);
        length += (size_t)snprintf(text + length, bytes - length, "%s%s", i ? ", " : "one of ",
                                   low);
    }
    if (p->listed_count > 0)
        return;
    rule_parameter_text(p, p->ranged ? p->low : p->least, low);
    rule_parameter_text(p, p->ranged ? p->high : p->most, high);
    if (!p->ranged && p->least > -RULE_PARAMETER_MOST && p->most == RULE_PARAMETER_MOST)
        snprintf(text, bytes, "%s or more", low);
    else
        snprintf(text, bytes, "%s to %s", low, high);
}

enum status rule_parameter_check(const struct rule *rule, int parameter, double value,
                                 struct error *err)
{
    const struct rule_parameter *p = &rule->parameters[parameter];
    char allowed[200], is[PARAMETER_TEXT_BYTES];
    bool fits = isfinite(value) && is_listed(p, value) && value >= p->least && value <= p->most &&
                (!p->ranged || (value >= p->low && value <= p->high));

    rule_parameter_text(p, value, is);
    if (fits && p->whole && value != floor(value))
        return fail(err, STATUS_USAGE, "the parameter `%s` of %s is a whole number, and %s is none",
                    p->name, rule->name, is);
    if (fits)
        return STATUS_OK;
    allowed_text(p, allowed, sizeof allowed);
    return fail(err, STATUS_USAGE, "the parameter `%s` of %s is %s, not %s", p->name, rule->name,
                allowed, is);
}

static bool within_limit(const struct rule_limit *limit, double number)
{
    return number >= limit->least && number <= limit->most &&
           (!limit->whole || number == floor(number));
}

/* The first that is broken: 0 … require_count-1, then the limits behind them; -1: none. */
static int first_broken(const struct rule *rule, const double *values)
{
    double statics[RULE_NODES_MAX];

    if (rule->require_count == 0 && rule->limit_count == 0)
        return -1;
    find_statics(rule, values, rule->static_count, statics);
    for (int i = 0; i < rule->require_count; i++)
        if (number_of(rule, rule->require[i], values, statics) == 0)
            return i;
    for (int i = 0; i < rule->limit_count; i++)
        if (!within_limit(&rule->limits[i], number_of(rule, rule->limits[i].node, values, statics)))
            return rule->require_count + i;
    return -1;
}

bool rule_allows(const struct rule *rule, const double *values)
{
    return first_broken(rule, values) < 0;
}

/* The text of a line of the source, cut to what a sentence can hold. */
static struct text source_line(const struct rule *rule, int line)
{
    struct text rest = rule->source;

    for (; line > 1; line--) {
        const char *end = memchr(rest.at, '\n', rest.length);

        if (!end)
            break;
        rest.length -= (size_t)(end + 1 - rest.at);
        rest.at = end + 1;
    }
    for (size_t i = 0; i < rest.length; i++)
        if (rest.at[i] == '\n' || rest.at[i] == '\r' || rest.at[i] == '#')
            rest.length = i;
    rest = text_trim(rest);
    rest.length = MIN(rest.length, 200);
    return rest;
}

enum status rule_require_check(const struct rule *rule, const double *values, struct error *err)
{
    int broken = first_broken(rule, values);
    const struct rule_limit *limit;
    char is[DOUBLE_TEXT_BYTES];

    if (broken < 0)
        return STATUS_OK;
    if (broken < rule->require_count) {
        int line = rule->nodes[rule->require[broken]].line;

        return fail(err, STATUS_USAGE, "%s:%d: these parameters break `%.*s`", rule->name, line,
                    TEXT_ARG(source_line(rule, line)));
    }
    limit = &rule->limits[broken - rule->require_count];
    double_to_text(rule_number(rule, limit->node, values), is);
    if (limit->formula)
        return fail(err, STATUS_USAGE,
                    "%s:%d: with these parameters the periods of `%s` are too long together: a sum "
                    "of them is %s, and the most is %g",
                    rule->name, limit->line, limit->formula->name, is, limit->most);
    return fail(err, STATUS_USAGE,
                "%s:%d: with these parameters `%s` of `%s` is %s; it is %s%g to %g", rule->name,
                limit->line, limit->argument, limit->function, is,
                limit->whole ? "a whole number, " : "", limit->least, limit->most);
}

/* ---- walks ----------------------------------------------------------- */

size_t rule_walk_count(const struct rule_parameter *p)
{
    double steps;

    if (p->listed_count > 0)
        return (size_t)p->listed_count;
    if (!p->ranged || !(p->step > 0))
        return 1;
    /* A thousandth of a step makes up for steps such as 0.1, which no double is. */
    steps = floor((p->high - p->low) / p->step + 0.001);
    return steps < RULE_GRID_MAX ? (size_t)steps + 1 : RULE_GRID_MAX;
}

double rule_walk_value(const struct rule_parameter *p, size_t index)
{
    double value;

    if (p->listed_count > 0)
        return p->listed[index];
    if (!p->ranged || !(p->step > 0))
        return p->value;
    value = p->low + (double)index * p->step;
    /* The double that the decimal itself reads as: 1% + 6 steps of 1% is 7%, not 6.999…%. */
    if (p->step >= 1e-8 && fabs(value) < 1e5)
        value = round(value * 1e10) / 1e10;
    return value > p->high ? p->high : value;
}

double rule_grid_combinations(const struct rule *rule)
{
    double product = 1;

    for (int i = 0; i < rule->parameter_count; i++)
        product *= (double)rule_walk_count(&rule->parameters[i]);
    return product;
}

/* ---- cost ------------------------------------------------------------ */

int rule_operation_count(const struct rule *rule)
{
    int count = 0;

    for (int n = 0; n < rule->node_count; n++)
        count += rule->nodes[n].kind == NODE_OP && rule->nodes[n].slot == NODE_NONE;
    return count;
}

unsigned rule_columns_read(const struct rule *rule)
{
    unsigned columns = 0;

    for (int n = 0; n < rule->node_count; n++)
        if (rule->nodes[n].kind == NODE_COLUMN)
            columns |= 1u << rule->nodes[n].index;
    return columns;
}
