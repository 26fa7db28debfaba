/* The graph under construction. */
#include "rule/graph.h"

#include <math.h>
#include <string.h>

void graph_deinit(struct graph *graph)
{
    mem_free(graph->nodes);
    mem_free(graph->facts);
    mem_free(graph->table);
}

/* ---- equal nodes are one --------------------------------------------- */

/* What makes two nodes equal; everything else follows from it. */
struct identity {
    uint64_t number;
    int kind, index, kernel;
    int input[KERNEL_INPUTS_MAX], when[KERNEL_CONDITIONS_MAX], parameter[KERNEL_PARAMETERS_MAX];
};

static struct identity identity_of(const struct node *node)
{
    struct identity id;

    memset(&id, 0, sizeof id);
    memcpy(&id.number, &node->number, sizeof id.number);
    id.kind = (int)node->kind;
    id.index = node->index;
    id.kernel = (int)node->kernel;
    memcpy(id.input, node->input, sizeof id.input);
    memcpy(id.when, node->when, sizeof id.when);
    memcpy(id.parameter, node->parameter, sizeof id.parameter);
    return id;
}

static size_t table_slot(const struct graph *graph, const struct identity *id)
{
    size_t slot = hash_bytes(id, sizeof *id, 0) & (graph->table_size - 1);

    while (graph->table[slot] != NODE_NONE) {
        struct identity other = identity_of(&graph->nodes[graph->table[slot]]);

        if (memcmp(&other, id, sizeof other) == 0)
            break;
        slot = (slot + 1) & (graph->table_size - 1);
    }
    return slot;
}

static bool table_grow(struct graph *graph)
{
    size_t size = graph->table_size ? graph->table_size * 2 : 256;
    int *table = mem_alloc(size * sizeof *table);

    if (!table)
        return false;
    mem_free(graph->table);
    graph->table = table;
    graph->table_size = size;
    for (size_t i = 0; i < size; i++)
        table[i] = NODE_NONE;
    for (int n = 0; n < graph->count; n++) {
        struct identity id = identity_of(&graph->nodes[n]);

        table[table_slot(graph, &id)] = n;
    }
    return true;
}

static bool make_room(struct graph *graph)
{
    size_t needed = (size_t)graph->count + 1;

    if (graph->count >= RULE_NODES_MAX) {
        graph->failed = STATUS_LIMIT;
        return false;
    }
    if (mem_grow((void **)&graph->nodes, &graph->node_capacity, needed, sizeof *graph->nodes) !=
            0 ||
        mem_grow((void **)&graph->facts, &graph->fact_capacity, needed, sizeof *graph->facts) !=
            0 ||
        (needed * 2 > graph->table_size && !table_grow(graph))) {
        graph->failed = STATUS_MEMORY;
        return false;
    }
    return true;
}

/* ---- facts ----------------------------------------------------------- */

static bool all_inputs(const struct graph *graph, const struct node *node,
                       bool fact_wanted(const struct fact *))
{
    const struct kernel_row *row = &kernel_rows[node->kernel];

    for (int i = 0; i < row->inputs; i++)
        if (!fact_wanted(&graph->facts[node->input[i]]))
            return false;
    for (int i = 0; i < row->conditions; i++)
        if (!fact_wanted(&graph->facts[node->when[i]]))
            return false;
    return true;
}

static bool is_static(const struct fact *fact)
{
    return fact->is_static;
}

static bool is_fixed(const struct fact *fact)
{
    return !fact->varies;
}

static bool is_on_time(const struct fact *fact)
{
    return !fact->late;
}

static bool waits_for_event(enum kernel_id kernel)
{
    return kernel == KERNEL_BARSSINCE || kernel == KERNEL_VALUEWHEN || kernel == KERNEL_SINCE_MAX ||
           kernel == KERNEL_SINCE_MIN || kernel == KERNEL_SINCE_SUM;
}

/* Under the defaults. */
static double static_number(const struct graph *graph, const struct node *node)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    double in[KERNEL_INPUTS_MAX] = {0}, when[KERNEL_CONDITIONS_MAX] = {0};

    for (int i = 0; i < row->inputs; i++)
        in[i] = graph->facts[node->input[i]].number;
    for (int i = 0; i < row->conditions; i++)
        when[i] = graph->facts[node->when[i]].number;
    return kernel_number(node->kernel, in, when);
}

#define BARS_EVER 1e12

static bool is_literal(const struct graph *graph, int node)
{
    return graph->nodes[node].kind == NODE_LITERAL;
}

/* Halves and thirds of a price: exact or rounded, never 0. */
static bool is_price_average(const struct graph *graph, const struct node *node)
{
    double divisor = graph->nodes[node->input[1]].number;

    return node->kernel == KERNEL_DIV && is_literal(graph, node->input[1]) && divisor >= 1 &&
           divisor <= 4 && graph->nodes[node->input[0]].kernel == KERNEL_ADD;
}

/* More than 0, and how much more, wherever it is defined; 0 where that is not known.  Products are
 * left out: they may underflow; so are plain averages, whose running sums may leave a rest that is
 * not.  An EMA moves by 2 / (n + 1) of the way to a price: of one bar that is all the way, where
 * rounding may end at 0, of two bars it never does. */
static double op_least(const struct graph *graph, const struct node *node)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    double a = graph->facts[node->input[0]].least;
    double b = row->inputs > 1 ? graph->facts[node->input[1]].least : 0;

    switch (node->kernel) {
    case KERNEL_HIGHEST:
    case KERNEL_LOWEST:
    case KERNEL_LAG:
    case KERNEL_ABS:
    case KERNEL_VALUEWHEN:
    case KERNEL_SINCE_MAX:
    case KERNEL_SINCE_MIN:
    case KERNEL_PREVIOUS:
    case KERNEL_SKIP:
        return a;
    case KERNEL_SQRT:
        return MIN(a, 1);
    case KERNEL_RMA:
        return a / 2;
    case KERNEL_EMA:
        return is_literal(graph, node->parameter[0]) && graph->nodes[node->parameter[0]].number >= 2
                   ? a / 2
                   : 0;
    case KERNEL_ADD:
        return a > 0 && b > 0 ? a + b : 0;
    case KERNEL_SMALLER:
    case KERNEL_IF:
    case KERNEL_NZ:
        return MIN(a, b);
    case KERNEL_LARGER:
        return MAX(a, b);
    case KERNEL_DIV:
        return is_price_average(graph, node) ? a / 4 : 0;
    default:
        return 0;
    }
}

/* The least magnitude of a divisor. */
static double divisor_least(const struct graph *graph, int node)
{
    return is_literal(graph, node) ? fabs(graph->nodes[node].number) : graph->facts[node].least;
}

/* What the magnitude never exceeds: beyond KERNEL_NUMBER_MOST a value is not counted by windows and
 * averages, and inf - inf, 0 * inf are not far.  NaN (0 * inf): no bound. */
static double op_most(const struct graph *graph, const struct node *node)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    double a = row->inputs > 0 ? graph->facts[node->input[0]].most : 0;
    double b = row->inputs > 1 ? graph->facts[node->input[1]].most : 0, most = MAX(a, b);

    switch (node->kernel) {
    case KERNEL_ADD:
    case KERNEL_SUB:
        return a + b;
    case KERNEL_MUL:
        return a * b;
    case KERNEL_DIV:
        return a / divisor_least(graph, node->input[1]);
    case KERNEL_EXP:
        return exp(a);
    case KERNEL_POW: /* a power of something below 1 is largest where that is least */
        b = graph->nodes[node->input[1]].number;
        return is_literal(graph, node->input[1])
                   ? pow(b < 0 ? graph->facts[node->input[0]].least : a, b)
                   : INFINITY;
    case KERNEL_LOG: /* of the least double -745 */
    case KERNEL_SIGN:
        return 1000;
    case KERNEL_FLOOR:
    case KERNEL_CEIL:
    case KERNEL_ROUND:
    case KERNEL_SQRT:
        return a + 1;
    case KERNEL_NEG:
    case KERNEL_ABS:
    case KERNEL_LARGER:
    case KERNEL_SMALLER:
    case KERNEL_NZ:
    case KERNEL_IF:
    case KERNEL_LAG:
    case KERNEL_VALUEWHEN:
        return most;
    default:
        break;
    }
    for (int i = 2; i < row->inputs; i++)
        most = MAX(most, graph->facts[node->input[i]].most);
    most = most <= KERNEL_NUMBER_MOST ? most : KERNEL_NUMBER_MOST; /* others are not counted */
    switch (node->kernel) {
    case KERNEL_HIGHEST:
    case KERNEL_LOWEST:
    case KERNEL_SMA:
    case KERNEL_EMA:
    case KERNEL_RMA:
    case KERNEL_WMA:
        return most;
    case KERNEL_VAR:
        return most * most;
    case KERNEL_BETA: /* of what may be next to nothing */
        return INFINITY;
    default: /* sums and counts of bars at the most */
        return MAX(most, 1) * BARS_EVER;
    }
}

/* IF takes now one, now the other: where they begin on different bars, the later leaves holes. */
static bool begin_together(const struct graph *graph, int a, int b)
{
    const struct fact *x = &graph->facts[a], *y = &graph->facts[b];

    return !x->varies && !y->varies && !x->late && !y->late && x->lookback == y->lookback;
}

static bool is_whole_power(const struct graph *graph, int node)
{
    double number = graph->nodes[node].number;

    return graph->nodes[node].kind == NODE_LITERAL && number >= 0 && number == floor(number);
}

static bool op_holes(const struct graph *graph, const struct node *node)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    bool any = false, first = row->inputs > 0 && graph->nodes[node->input[0]].holes;
    bool second = row->inputs > 1 && graph->nodes[node->input[1]].holes;

    for (int i = 0; i < row->inputs; i++)
        any = any || graph->nodes[node->input[i]].holes;
    switch (node->kernel) {
    case KERNEL_DIV:
        return any || divisor_least(graph, node->input[1]) == 0;
    case KERNEL_LOG:
    case KERNEL_SQRT:
        return any || graph->facts[node->input[0]].least == 0;
    case KERNEL_POW:
        return any ||
               !(graph->facts[node->input[0]].least > 0 || is_whole_power(graph, node->input[1]));
    case KERNEL_PIVOTHIGH:
    case KERNEL_PIVOTLOW:
        return true;
    case KERNEL_NZ: /* a hole is where both are NaN */
        return first ? second || !(graph->facts[node->input[1]].is_static) : second;
    case KERNEL_IF:
        return any || !begin_together(graph, node->input[0], node->input[1]);
    default:
        return any || (node->indicator && node->indicator->output_may_be_nan);
    }
}

/* Which arithmetic on whole numbers is whole again. */
static void keep_whole(const struct graph *graph, const struct node *node, struct fact *fact)
{
    const struct fact *input;

    switch (node->kernel) {
    case KERNEL_FLOOR:
    case KERNEL_CEIL:
    case KERNEL_ROUND:
    case KERNEL_SIGN:
        fact->can_be_whole = true;
        break;
    case KERNEL_ADD:
    case KERNEL_SUB:
    case KERNEL_MUL:
    case KERNEL_NEG:
    case KERNEL_ABS:
    case KERNEL_LARGER:
    case KERNEL_SMALLER:
    case KERNEL_IF:
    case KERNEL_NZ:
        fact->can_be_whole = true;
        for (int i = 0; i < kernel_rows[node->kernel].inputs; i++) {
            input = &graph->facts[node->input[i]];
            fact->can_be_whole = fact->can_be_whole && input->can_be_whole;
            fact->whole_if |= input->whole_if;
        }
        break;
    default:
        break;
    }
}

static struct fact op_fact(const struct graph *graph, const struct node *node)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    struct fact fact = {.is_static = kernel_is_pointwise(node->kernel) &&
                                     all_inputs(graph, node, is_static),
                        .least = row->inputs > 0 ? op_least(graph, node) : 0,
                        .most = row->gives_condition ? 1 : op_most(graph, node)};
    int of[KERNEL_INPUTS_MAX + KERNEL_CONDITIONS_MAX];
    struct node local = *node;
    double parameters[KERNEL_PARAMETERS_MAX] = {0};

    fact.most = isnan(fact.most) ? INFINITY : fact.most;
    fact.varies = !all_inputs(graph, node, is_fixed);
    fact.late = waits_for_event(node->kernel) ||
                (!row->gives_condition && !all_inputs(graph, node, is_on_time));
    for (int i = 0; i < row->parameters; i++) {
        parameters[i] = graph->facts[node->parameter[i]].number;
        fact.varies = fact.varies || graph->nodes[node->parameter[i]].kind != NODE_LITERAL;
    }
    if (fact.is_static) {
        fact.number = static_number(graph, node);
        fact.varies = false;
        keep_whole(graph, node, &fact);
        return fact;
    }
    for (int i = 0; i < row->inputs; i++) {
        of[i] = graph->facts[node->input[i]].lookback;
        local.input[i] = i;
    }
    for (int i = 0; i < row->conditions; i++) {
        of[KERNEL_INPUTS_MAX + i] = graph->facts[node->when[i]].lookback;
        local.when[i] = KERNEL_INPUTS_MAX + i;
    }
    fact.lookback = op_lookback(&local, of, parameters);
    return fact;
}

bool graph_may_be_nan(const struct graph *graph, int node)
{
    const struct fact *fact = &graph->facts[node];

    return fact->is_static
               ? isnan(fact->number)
               : graph->nodes[node].holes || fact->varies || fact->late || fact->lookback > 0;
}

/* ---- nodes ----------------------------------------------------------- */

static int add_node(struct graph *graph, struct node *node, const struct fact *fact,
                    struct place place)
{
    struct identity id = identity_of(node);
    size_t slot;

    if (graph->failed != STATUS_OK || (graph->table_size == 0 && !make_room(graph)))
        return NODE_NONE;
    slot = table_slot(graph, &id);
    if (graph->table[slot] != NODE_NONE)
        return graph->table[slot];
    if (!make_room(graph))
        return NODE_NONE;
    slot = table_slot(graph, &id); /* the table may have grown */
    node->line = place.line;
    node->column = place.column;
    node->slot = NODE_NONE;
    graph->nodes[graph->count] = *node;
    graph->facts[graph->count] = *fact;
    graph->table[slot] = graph->count;
    return graph->count++;
}

static struct node blank_node(enum node_kind kind, enum value_type type)
{
    struct node node = {.kind = kind, .type = type, .slot = NODE_NONE};

    for (int i = 0; i < KERNEL_INPUTS_MAX; i++)
        node.input[i] = NODE_NONE;
    for (int i = 0; i < KERNEL_CONDITIONS_MAX; i++)
        node.when[i] = NODE_NONE;
    for (int i = 0; i < KERNEL_PARAMETERS_MAX; i++)
        node.parameter[i] = NODE_NONE;
    return node;
}

int graph_literal(struct graph *graph, double number, struct place place)
{
    struct node node = blank_node(NODE_LITERAL, TYPE_NUMBER);
    struct fact fact = {.is_static = true,
                        .number = number,
                        .least = number > 0 ? number : 0,
                        .most = isnan(number) ? 0 : fabs(number),
                        .can_be_whole = number == floor(number)};

    node.number = isnan(number) ? NAN : number; /* one NaN, whatever its sign */
    node.holes = !(fabs(number) <= KERNEL_NUMBER_MOST);
    return add_node(graph, &node, &fact, place);
}

int graph_parameter(struct graph *graph, int index, struct place place)
{
    struct node node = blank_node(NODE_PARAMETER, TYPE_NUMBER);
    const struct rule_parameter *p = &graph->parameters[index];
    struct fact fact = {.is_static = true,
                        .number = p->value,
                        .most = MAX(fabs(p->value), p->ranged ? MAX(fabs(p->low), fabs(p->high))
                                                              : RULE_PARAMETER_MOST),
                        .can_be_whole = true,
                        .whole_if = UINT64_C(1) << index};

    for (int i = 0; i < p->listed_count; i++)
        fact.most = MAX(fact.most, fabs(p->listed[i]));
    node.index = index;
    node.depends = UINT64_C(1) << index;
    return add_node(graph, &node, &fact, place);
}

int graph_column(struct graph *graph, enum rule_column column, struct place place)
{
    struct node node = blank_node(NODE_COLUMN, TYPE_COLUMN);
    /* Times are far below the largest price.  Products of three columns, or of two quotients of
     * prices, are still numbers that a window takes. */
    struct fact fact = {.least = column <= COLUMN_CLOSE ? BAR_PRICE_LEAST : 0,
                        .most = column == COLUMN_VOLUME ? BAR_VOLUME_MOST : BAR_PRICE_MOST};

    node.index = (int)column;
    return add_node(graph, &node, &fact, place);
}

int graph_output(struct graph *graph, int op, int index, struct place place)
{
    struct node node;
    struct fact fact;

    if (op == NODE_NONE || index == 0)
        return op;
    node = blank_node(NODE_OUTPUT, TYPE_COLUMN);
    fact = graph->facts[op];
    node.index = index;
    node.input[0] = op;
    node.depends = graph->nodes[op].depends;
    node.holes = graph->nodes[op].holes;
    node.stage = graph->nodes[op].stage;
    return add_node(graph, &node, &fact, place);
}

static bool is_commutative(enum kernel_id kernel)
{
    return kernel == KERNEL_ADD || kernel == KERNEL_MUL || kernel == KERNEL_EQ ||
           kernel == KERNEL_NE;
}

static void order_inputs(int pair[2])
{
    if (pair[0] > pair[1]) {
        int first = pair[0];

        pair[0] = pair[1];
        pair[1] = first;
    }
}

int graph_op(struct graph *graph, enum kernel_id kernel, const struct op_inputs *inputs,
             struct place place)
{
    const struct kernel_row *row = &kernel_rows[kernel];
    struct node node = blank_node(NODE_OP, row->gives_condition ? TYPE_CONDITION : TYPE_COLUMN);
    struct fact fact;

    node.kernel = kernel;
    node.indicator = inputs->indicator;
    memcpy(node.input, inputs->input, sizeof(int) * (size_t)row->inputs);
    memcpy(node.when, inputs->when, sizeof(int) * (size_t)row->conditions);
    memcpy(node.parameter, inputs->parameter, sizeof(int) * (size_t)row->parameters);
    for (int i = 0; i < row->inputs + row->conditions + row->parameters; i++) {
        int from = i < row->inputs ? node.input[i]
                   : i < row->inputs + row->conditions
                       ? node.when[i - row->inputs]
                       : node.parameter[i - row->inputs - row->conditions];

        if (from == NODE_NONE || graph->failed != STATUS_OK)
            return NODE_NONE;
        node.depends |= graph->nodes[from].depends;
        node.stage = MAX(node.stage, graph->nodes[from].stage);
    }
    if (is_commutative(kernel))
        order_inputs(node.input);
    if (kernel == KERNEL_AND || kernel == KERNEL_OR)
        order_inputs(node.when);
    fact = op_fact(graph, &node);
    if (fact.is_static && !row->gives_condition) {
        if (node.depends == 0)
            return graph_literal(graph, fact.number, place);
        node.type = TYPE_NUMBER;
    }
    node.holes = !row->gives_condition &&
                 (op_holes(graph, &node) || !(fact.most <= KERNEL_NUMBER_MOST));
    return add_node(graph, &node, &fact, place);
}
