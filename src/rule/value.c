/* Values, and what is wanted of them: a number, a condition, a number that is the same on every bar
 * and within the limits of where it stands. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

/* ---- values ---------------------------------------------------------- */

struct value wrong_value(void)
{
    return (struct value){.kind = VALUE_WRONG, .node = NODE_NONE};
}

struct value node_value(struct compiler *c, int node, enum unit unit, struct place place)
{
    static const enum value_kind kinds[] = {[TYPE_NUMBER] = VALUE_NUMBER,
                                            [TYPE_COLUMN] = VALUE_COLUMN,
                                            [TYPE_CONDITION] = VALUE_CONDITION};

    if (node == NODE_NONE) {
        check_stop(c, place);
        return wrong_value();
    }
    return (struct value){
        .kind = kinds[c->graph.nodes[node].type], .node = node, .unit = unit, .place = place};
}

/* A node of a formula stands, for the user, where the formula was called. */
static struct place node_place(const struct compiler *c, struct place place)
{
    return c->formula ? c->call_place : place;
}

struct value number_value(struct compiler *c, double number, struct place place)
{
    return node_value(c, graph_literal(&c->graph, number, node_place(c, place)), UNIT_PLAIN, place);
}

struct value op_value(struct compiler *c, enum kernel_id kernel, const struct op_inputs *inputs,
                      enum unit unit, struct place place)
{
    struct value value = node_value(c, graph_op(&c->graph, kernel, inputs, node_place(c, place)),
                                    unit, place);

    if (value.kind != VALUE_WRONG && !c->graph.facts[value.node].varies &&
        c->graph.facts[value.node].lookback > RULE_LOOKBACK_MAX) {
        complain(c, place, NULL, "this looks back more than %d bars", RULE_LOOKBACK_MAX);
        return wrong_value();
    }
    return value;
}

struct value column_value(struct compiler *c, enum rule_column column, struct place place)
{
    return node_value(c, graph_column(&c->graph, column, node_place(c, place)),
                      column <= COLUMN_CLOSE ? UNIT_PRICE : UNIT_PLAIN, place);
}

const char *value_words(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NUMBER:
        return value->unit == UNIT_PERCENT ? "a percent" : "a number, the same on every bar";
    case VALUE_COLUMN:
        return value->unit == UNIT_PRICE ? "a price" : "a value that changes from bar to bar";
    case VALUE_CONDITION:
        return "a condition";
    case VALUE_SEVERAL:
        return "several values";
    default:
        return "wrong";
    }
}

static void complain_several(struct compiler *c, const struct value *value)
{
    char names[160] = "";
    const struct indicator *row = value->indicator;
    size_t length = 0;

    for (int i = 0; i < row->output_count; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "",
                                   row->outputs[i].name);
    complain(c, value->place, NULL,
             "`%s` gives %d values: %s; take one, as in `%s(…).%s`, or name all of them", row->name,
             row->output_count, names, row->name, row->outputs[0].name);
}

bool want_single(struct compiler *c, const struct value *value, const char *who)
{
    if (value->kind == VALUE_SEVERAL)
        complain_several(c, value);
    else if (value->kind == VALUE_CONDITION)
        complain(c, value->place, NULL,
                 "%s needs a number or a value of each bar, and this is a condition", who);
    return value->kind == VALUE_NUMBER || value->kind == VALUE_COLUMN;
}

bool want_condition(struct compiler *c, const struct value *value, const char *who)
{
    if (value->kind == VALUE_SEVERAL)
        complain_several(c, value);
    else if (value->kind == VALUE_NUMBER || value->kind == VALUE_COLUMN)
        complain(c, value->place, NULL,
                 "%s needs a condition, such as `close > open`, and this is %s", who,
                 value_words(value));
    return value->kind == VALUE_CONDITION;
}

/* ---- numbers that must be the same on every bar ---------------------- */

static void limit_text(const struct limit_words *limit, char *text, size_t bytes)
{
    char least[DOUBLE_TEXT_BYTES], most[DOUBLE_TEXT_BYTES];
    const char *kind = limit->whole ? "a whole number" : "a number";

    double_to_text(limit->least, least);
    double_to_text(limit->most, most);
    if (fabs(limit->least) < 1e30 && fabs(limit->most) < 1e30)
        snprintf(text, bytes, "%s from %s to %s", kind, least, most);
    else if (fabs(limit->least) < 1e30)
        snprintf(text, bytes, "%s, %s or more", kind, least);
    else
        snprintf(text, bytes, "%s", kind);
}

/* "`timeperiod` of `rsi` must be a whole number from 2 to 100000", and why this is none.  Always
 * false. */
static bool refuse_constant(struct compiler *c, const struct value *value,
                            const struct limit_words *limit, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool refuse_constant(struct compiler *c, const struct value *value,
                            const struct limit_words *limit, const char *format, ...)
{
    char wanted[96], why[240];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    limit_text(limit, wanted, sizeof wanted);
    if (c->formula) { /* who called it wrote neither the function nor its argument */
        complain(c, value->place, NULL,
                 "its periods are too long together: a sum of them%s and "
                 "must be %s",
                 why, wanted);
        c->panic = true;
    } else {
        complain(c, value->place, NULL, "`%s` of `%s` must be %s%s", limit->argument,
                 limit->function, wanted, why);
    }
    return false;
}

static bool within(double number, const struct limit_words *limit)
{
    return number >= limit->least && number <= limit->most &&
           (!limit->whole || number == floor(number));
}

/* A parameter itself stands there: its default and its whole range must fit. */
static bool constrain_parameter(struct compiler *c, const struct value *value,
                                const struct limit_words *limit)
{
    int index = c->graph.nodes[value->node].index;
    struct rule_parameter *p = &c->parameters[index];
    char bad[DOUBLE_TEXT_BYTES];
    double worst = p->value;

    if (within(worst, limit) && p->ranged)
        worst = !within(p->low, limit) ? p->low : !within(p->high, limit) ? p->high : worst;
    if (within(worst, limit) && p->ranged && p->step > 0 && limit->whole &&
        p->step != floor(p->step))
        worst = p->low + p->step;
    for (int i = 0; within(worst, limit) && i < p->listed_count; i++)
        worst = p->listed[i];
    if (!within(worst, limit)) {
        double_to_text(worst, bad);
        return refuse_constant(
            c, value, limit, ", but the parameter `%s` (line %d) can be %s%s", p->name,
            c->parameter_places[index].line, bad,
            worst < 0 && limit->least == 0 && limit->whole ? "; rules cannot see the future" : "");
    }
    p->whole = p->whole || limit->whole;
    p->least = MAX(p->least, limit->least);
    p->most = MIN(p->most, limit->most);
    return true;
}

/* Arithmetic on whole numbers is whole where its operators keep it so; its parameters must be,
 * then. */
static bool constrain_to_whole(struct compiler *c, const struct value *value,
                               const struct limit_words *limit)
{
    uint64_t parameters = c->graph.facts[value->node].whole_if;
    struct limit_words whole = {-INFINITY, INFINITY, true, limit->function, limit->argument};

    if (!c->graph.facts[value->node].can_be_whole)
        return refuse_constant(c, value, limit, "; write floor(…) around this");
    for (int i = 0; i < c->parameter_count; i++) {
        struct value parameter;

        if (!(parameters >> i & 1))
            continue;
        parameter = node_value(c, graph_parameter(&c->graph, i, value->place), UNIT_PLAIN,
                               value->place);
        if (parameter.kind != VALUE_NUMBER || !constrain_parameter(c, &parameter, &whole))
            return false;
    }
    return true;
}

static bool add_limit(struct compiler *c, const struct value *value,
                      const struct limit_words *limit)
{
    struct fact *fact = &c->graph.facts[value->node];
    const struct rule_limit *before = fact->limit > 0 ? &c->limits[fact->limit - 1] : NULL;

    if (before && before->function == limit->function && before->argument == limit->argument)
        return true; /* a `def` that is called again */
    if (c->limit_count == RULE_NODES_MAX) {
        complain(c, value->place, NULL, "more than %d arguments are arithmetic on parameters",
                 RULE_NODES_MAX);
        c->stopped = true;
        return false;
    }
    if (!grow(c, (void **)&c->limits, &c->limit_capacity, c->limit_count, sizeof *c->limits))
        return false;
    c->limits[c->limit_count++] = (struct rule_limit){.node = value->node,
                                                      .least = limit->least,
                                                      .most = limit->most,
                                                      .whole = limit->whole,
                                                      .function = limit->function,
                                                      .argument = limit->argument,
                                                      .formula = c->formula,
                                                      .line = value->place.line};
    fact->limit = (int)c->limit_count;
    return true;
}

static bool constrain_arithmetic(struct compiler *c, const struct value *value,
                                 const struct limit_words *limit)
{
    double number = c->graph.facts[value->node].number;
    char is[DOUBLE_TEXT_BYTES];

    if (limit->whole && !constrain_to_whole(c, value, limit))
        return false;
    if (within(number, limit))
        return add_limit(c, value, limit);
    double_to_text(number, is);
    return refuse_constant(c, value, limit,
                           c->formula ? " is %s with the default parameters"
                                      : "; with the default parameters it is %s",
                           is);
}

bool want_constant(struct compiler *c, const struct value *value, const struct limit_words *limit)
{
    char is[DOUBLE_TEXT_BYTES];
    const struct node *node;

    if (value->kind == VALUE_WRONG)
        return false;
    if (value->kind != VALUE_NUMBER)
        return refuse_constant(c, value, limit, ", the same on every bar; this is %s",
                               value_words(value));
    if (value->unit == UNIT_PERCENT && limit->whole)
        return refuse_constant(c, value, limit, ", not a percent");
    node = &c->graph.nodes[value->node];
    if (node->kind == NODE_PARAMETER)
        return constrain_parameter(c, value, limit);
    if (node->kind == NODE_OP)
        return constrain_arithmetic(c, value, limit);
    if (within(node->number, limit))
        return true;
    double_to_text(node->number, is);
    return refuse_constant(c, value, limit, c->formula ? " is %s" : "; this is %s", is);
}
