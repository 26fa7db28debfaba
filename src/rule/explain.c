/* The plan of a rule in words. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "rule/rule.h"

static const struct {
    enum kernel_id kernel;
    const char *sign;
} signs[] = {
    {KERNEL_ADD, "+"},    {KERNEL_SUB, "-"}, {KERNEL_MUL, "*"},   {KERNEL_DIV, "/"},
    {KERNEL_GT, ">"},     {KERNEL_GE, ">="}, {KERNEL_LT, "<"},    {KERNEL_LE, "<="},
    {KERNEL_EQ, "=="},    {KERNEL_NE, "!="}, {KERNEL_AND, "and"}, {KERNEL_OR, "or"},
    {KERNEL_NOT, "not "}, {KERNEL_NEG, "-"},
};

static const char *sign_of(enum kernel_id kernel)
{
    for (size_t i = 0; i < ARRAY_COUNT(signs); i++)
        if (signs[i].kernel == kernel)
            return signs[i].sign;
    return NULL;
}

/* A literal, parameter or column by itself, an op by its number. */
static void add_operand(const struct rule *rule, int node, struct buffer *out)
{
    const struct node *n = &rule->nodes[node];

    if (n->kind == NODE_LITERAL)
        buffer_add_double(out, n->number);
    else if (n->kind == NODE_PARAMETER)
        buffer_add_text(out, rule->parameters[n->index].name);
    else if (n->kind == NODE_COLUMN)
        buffer_add_text(out, rule_column_name((enum rule_column)n->index));
    else
        buffer_addf(out, "%%%d", node);
}

static void add_call(const struct rule *rule, const struct node *node, struct buffer *out)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    const char *name = node->indicator ? node->indicator->name : row->name, *between = "";
    int counts[] = {row->conditions, row->inputs, row->parameters};
    const int *lists[] = {node->when, node->input, node->parameter};

    for (; *name; name++)
        buffer_add_char(out, (char)tolower((unsigned char)*name));
    buffer_add_char(out, '(');
    for (size_t list = 0; list < ARRAY_COUNT(lists); list++)
        for (int i = 0; i < counts[list]; i++, between = ", ") {
            buffer_add_text(out, between);
            add_operand(rule, lists[list][i], out);
        }
    buffer_add_char(out, ')');
}

static void add_op(const struct rule *rule, const struct node *node, struct buffer *out)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    const char *sign = sign_of(node->kernel);
    const int *operands = row->inputs > 0 ? node->input : node->when;

    if (node->kind == NODE_OUTPUT) {
        const struct node *op = &rule->nodes[node->input[0]];

        add_operand(rule, node->input[0], out);
        buffer_addf(out, ".%s", op->indicator ? op->indicator->outputs[node->index].name : "?");
    } else if (!sign) {
        add_call(rule, node, out);
    } else if (row->inputs + row->conditions == 1) {
        buffer_add_text(out, sign);
        add_operand(rule, operands[0], out);
    } else {
        add_operand(rule, operands[0], out);
        buffer_addf(out, " %s ", sign);
        add_operand(rule, operands[1], out);
    }
}

/* Which parameters make lanes of a sweep differ in this node. */
static void add_depends(const struct rule *rule, const struct node *node, struct buffer *out)
{
    const char *between = "  a lane each: ";

    for (int p = 0; p < rule->parameter_count; p++)
        if (node->depends >> p & 1) {
            buffer_addf(out, "%s%s", between, rule->parameters[p].name);
            between = ", ";
        }
}

static void add_results(const struct rule *rule, struct buffer *out)
{
    static const char *const signal_names[] = {"buy when", "sell when", "short when", "cover when"};
    static const char *const level_names[] = {"stop", "target", "trail", "size"};

    for (int i = 0; i < SIGNALS; i++)
        if (rule->signal[i] != NODE_NONE) {
            buffer_addf(out, "%-12s", signal_names[i]);
            add_operand(rule, rule->signal[i], out);
            buffer_add_char(out, '\n');
        }
    for (int i = 0; i < LEVELS; i++)
        if (rule->level[i].node != NODE_NONE) {
            buffer_addf(out, "%-12s", level_names[i]);
            add_operand(rule, rule->level[i].node, out);
            buffer_addf(out, "%s\n", rule->level[i].kind == LEVEL_PERCENT ? " (a share)" : "");
        }
    for (int i = 0; i < rule->value_count; i++) {
        buffer_addf(out, "%-12s", rule->values[i].name);
        add_operand(rule, rule->values[i].node, out);
        buffer_add_char(out, '\n');
    }
}

void rule_explain(const struct rule *rule, const double *values, struct buffer *out)
{
    int lookbacks[RULE_NODES_MAX];

    rule_lookbacks(rule, values, lookbacks);
    buffer_addf(out, "%d operations a bar, %d that are the same on every bar, %d stage%s\n",
                rule_operation_count(rule), rule->static_count, rule->stage_count,
                rule->stage_count == 1 ? "" : "s");
    buffer_addf(out, "%5s  %-44s %9s\n", "", "operation", "look-back");
    for (int n = 0; n < rule->node_count; n++) {
        const struct node *node = &rule->nodes[n];
        size_t begin;

        if (node->kind != NODE_OP && node->kind != NODE_OUTPUT)
            continue;
        buffer_addf(out, "%%%-5d ", n);
        begin = out->length;
        add_op(rule, node, out);
        buffer_addf(out, "%*s %9d", (int)MAX(44 - (long)(out->length - begin), 0), "",
                    lookbacks[n]);
        if (node->holes)
            buffer_add_text(out, "  may be undefined later");
        if (node->slot != NODE_NONE)
            buffer_add_text(out, "  the same on every bar");
        add_depends(rule, node, out);
        buffer_add_char(out, '\n');
    }
    add_results(rule, out);
}
