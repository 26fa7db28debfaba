/* Drafts a rule's graph as steps: one a node that somebody needs, in the order of a walk from what
 * the rule says down to the columns, so that a value is computed shortly before it is read and few
 * are alive. */
#include "rule/program.h"

#include <string.h>

#include "rule/program_bind.h"

struct builder {
    const struct rule *rule;
    const struct program_setup *setup;
    struct arena *arena;
    struct draft draft;
    int *value; /* [node_count]: value of a node, VALUE_NONE where not drafted */
    int *path;  /* [node_count]: the way from a root to the node at work */
    bool same;  /* all lanes have the same parameters */
    bool full;  /* the arena */
};

static const double *row_new(struct builder *builder, int node)
{
    double *row = ARENA_ARRAY(builder->arena, double, LANES_MAX);
    double values[RULE_PARAMETERS_MAX];

    if (!row) {
        builder->full = true;
        return NULL;
    }
    for (int l = 0; l < LANES_MAX; l++) {
        for (int p = 0; p < builder->rule->parameter_count; p++)
            values[p] = builder->setup->parameters[p][l];
        row[l] = builder->same && l ? row[0] : rule_number(builder->rule, node, values);
    }
    return row;
}

static bool lanes_are_same(const struct rule *rule, const struct program_setup *setup)
{
    bool same = true;

    for (int p = 0; p < rule->parameter_count; p++)
        for (int l = 1; l < setup->kernels->lanes; l++)
            same &= setup->parameters[p][l] == setup->parameters[p][0];
    return same;
}

/* An input that is not drafted yet, or NODE_NONE. */
static int missing_input(const struct builder *builder, const struct node *node)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];

    if (node->type == TYPE_NUMBER || (node->kind != NODE_OP && node->kind != NODE_OUTPUT))
        return NODE_NONE;
    if (node->kind == NODE_OUTPUT)
        return builder->value[node->input[0]] == VALUE_NONE ? node->input[0] : NODE_NONE;
    for (int i = 0; i < row->inputs; i++)
        if (builder->value[node->input[i]] == VALUE_NONE)
            return node->input[i];
    for (int i = 0; i < row->conditions; i++)
        if (builder->value[node->when[i]] == VALUE_NONE)
            return node->when[i];
    return NODE_NONE;
}

static int draft_node_op(struct builder *builder, const struct node *node)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    struct draft_op op = {.kernel = node->kernel};

    for (int i = 0; i < row->inputs; i++) {
        op.in[i] = builder->value[node->input[i]];
        op.holes |= builder->rule->nodes[node->input[i]].holes;
    }
    for (int i = 0; i < row->conditions; i++)
        op.when[i] = builder->value[node->when[i]];
    for (int i = 0; i < row->parameters; i++)
        op.parameter[i] = row_new(builder, node->parameter[i]);
    return draft_op(&builder->draft, &op);
}

static int draft_node(struct builder *builder, int index)
{
    const struct node *node = &builder->rule->nodes[index];

    if (node->type == TYPE_NUMBER)
        return draft_row(&builder->draft, row_new(builder, index));
    if (node->kind == NODE_COLUMN)
        return draft_column(&builder->draft, (enum rule_column)node->index);
    if (node->kind == NODE_OUTPUT)
        return draft_output(&builder->draft, builder->value[node->input[0]], node->index);
    return draft_node_op(builder, node);
}

/* Drafts a node behind all that it needs, and keeps it for the end of the block. */
static void draft_root(struct builder *builder, int root)
{
    int depth = 0;

    if (root == NODE_NONE)
        return;
    if (builder->value[root] == VALUE_NONE)
        builder->path[depth++] = root;
    while (depth > 0) {
        int index = builder->path[depth - 1];
        int input = missing_input(builder, &builder->rule->nodes[index]);

        if (input != NODE_NONE) {
            builder->path[depth++] = input;
            continue;
        }
        builder->value[index] = draft_node(builder, index);
        depth--;
    }
    draft_keep(&builder->draft, builder->value[root]);
}

static void draft_roots(struct builder *builder)
{
    const struct rule *rule = builder->rule;

    for (int s = 0; s < SIGNALS; s++)
        draft_root(builder, rule->signal[s]);
    for (int l = 0; l < LEVELS; l++)
        if (rule->level[l].kind != LEVEL_NONE)
            draft_root(builder, rule->level[l].node);
    for (int v = 0; v < rule->value_count && builder->setup->values; v++)
        draft_root(builder, rule->values[v].node);
}

static bool is_condition(const struct rule *rule, int node)
{
    return rule->nodes[node].type == TYPE_CONDITION;
}

static void read_values(const struct builder *builder, struct program *program,
                        struct operand *value, const uint64_t **value_condition)
{
    const struct rule *rule = builder->rule;

    for (int v = 0; v < rule->value_count; v++) {
        int node = rule->values[v].node;

        if (is_condition(rule, node))
            value_condition[v] = draft_words(&builder->draft, program, builder->value[node]);
        else
            value[v] = draft_operand(&builder->draft, program, builder->value[node]);
    }
    program->value = value;
    program->value_condition = value_condition;
}

/* Fills what callers read after a block. */
static void read_roots(struct builder *builder, struct program *program)
{
    const struct rule *rule = builder->rule;
    double values[RULE_PARAMETERS_MAX];

    for (int s = 0; s < SIGNALS; s++)
        if (rule->signal[s] != NODE_NONE)
            program->signal[s] = draft_words(&builder->draft, program,
                                             builder->value[rule->signal[s]]);
    for (int l = 0; l < LEVELS; l++)
        if (rule->level[l].kind != LEVEL_NONE)
            program->level[l] = draft_operand(&builder->draft, program,
                                              builder->value[rule->level[l].node]);
    for (int l = 0; l < LANES_MAX && rule->exit_after != NODE_NONE; l++) {
        for (int p = 0; p < rule->parameter_count; p++)
            values[p] = builder->setup->parameters[p][l];
        program->exit_after[l] = rule_number(rule, rule->exit_after, values);
    }
}

static enum status build(struct builder *builder, struct program *program, struct error *err)
{
    const struct rule *rule = builder->rule;

    draft_roots(builder);
    if (builder->full)
        return fail(err, STATUS_MEMORY, "%s: no memory for the parameters of a program",
                    rule->name);
    TRY(draft_bind(&builder->draft, program, builder->arena, err));
    read_roots(builder, program);
    if (!builder->setup->values || rule->value_count == 0)
        return STATUS_OK;

    struct operand *value = ARENA_ARRAY(builder->arena, struct operand, (size_t)rule->value_count);
    const uint64_t **condition = arena_alloc(builder->arena,
                                             sizeof *condition * (size_t)rule->value_count);

    if (!value || !condition)
        return fail(err, STATUS_MEMORY, "%s: no memory for its named values", rule->name);
    read_values(builder, program, value, condition);
    return STATUS_OK;
}

enum status program_new(struct program **program, struct arena *arena, const struct rule *rule,
                        const struct program_setup *setup, struct error *err)
{
    struct builder builder = {.rule = rule, .setup = setup, .arena = arena};
    struct program *made = ARENA_NEW(arena, struct program);
    size_t count = (size_t)rule->node_count;
    enum status status;

    builder.same = lanes_are_same(rule, setup);
    draft_init(&builder.draft, setup->kernels);
    builder.value = mem_alloc(2 * count * sizeof(int));
    if (!made || !builder.value) {
        mem_free(builder.value);
        return fail(err, STATUS_MEMORY, "%s: no memory for a program", rule->name);
    }
    builder.path = builder.value + count;
    for (size_t n = 0; n < count; n++)
        builder.value[n] = VALUE_NONE;
    status = build(&builder, made, err);
    mem_free(builder.value);
    draft_deinit(&builder.draft);
    if (status == STATUS_OK)
        *program = made;
    return status;
}
