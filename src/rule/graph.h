/* graph: the nodes of a rule while it is compiled.  Equal nodes are one; arithmetic on literals is
 * done at once; each node knows whether it may have holes.
 *
 * Every call returns the node's index, or NODE_NONE when the limit of nodes or memory is reached
 * (then `failed` says which, and stays set). */
#ifndef HARRIER_RULE_GRAPH_H
#define HARRIER_RULE_GRAPH_H

#include "rule/lexer.h"
#include "rule/rule.h"

/* What the compiler knows of a node beyond what a program needs. */
struct fact {
    bool is_static; /* the same on every bar */
    bool varies;    /* its look-back depends on parameters */
    bool late; /* begins when the bars want it to: since the first time that …; not by its look-back
                */
    double least, most; /* bounds wherever it is defined: more than 0 and how much (0: not known),
                           and of the magnitude (infinity: none) */
    bool can_be_whole;  /* a whole number if the parameters of whole_if (bits) are */
    uint64_t whole_if;
    int limit;     /* the last that was put on it: index + 1 in the compiler's list */
    double number; /* of a static node, under the defaults */
    int lookback;  /* under the defaults */
};

struct graph {
    struct node *nodes;
    struct fact *facts;
    size_t node_capacity, fact_capacity;
    int count;
    int *table; /* hash → node; open addressing, a power of two */
    size_t table_size;
    const struct rule_parameter *parameters;
    enum status failed; /* STATUS_OK, STATUS_LIMIT, STATUS_MEMORY */
};

void graph_deinit(struct graph *graph);

int graph_literal(struct graph *graph, double number, struct place place);
int graph_parameter(struct graph *graph, int index, struct place place);
int graph_column(struct graph *graph, enum rule_column column, struct place place);
int graph_output(struct graph *graph, int op, int index, struct place place);

/* A kernel over inputs: as many as its row has are read. */
struct op_inputs {
    int input[KERNEL_INPUTS_MAX], when[KERNEL_CONDITIONS_MAX], parameter[KERNEL_PARAMETERS_MAX];
    const struct indicator *indicator; /* of a kernel indicator, else NULL */
};
int graph_op(struct graph *graph, enum kernel_id kernel, const struct op_inputs *inputs,
             struct place place);

/* Whether a value may be NaN on some bar, warm-up included. */
bool graph_may_be_nan(const struct graph *graph, int node);

/* ---- what a kernel means to the compiler ----------------------------- */

/* The value of an op of the language that is computed bar by bar from this bar's inputs alone;
 * `when` is the condition of IF, or the two of AND and OR.  Conditions are 0 or 1. */
bool kernel_is_pointwise(enum kernel_id kernel);
double kernel_number(enum kernel_id kernel, const double *in, const double *when);

/* Look-back of an op from those of its inputs and the numbers of its parameters; saturates at
 * RULE_LOOKBACK_MAX + 1.  `of` holds the look-backs of all nodes before it. */
int op_lookback(const struct node *op, const int *of, const double *parameters);

#endif
