/* program_bind: gives the steps of a program their memory.
 *
 * A DRAFT lists what is to be evaluated, in order: columns and rows of constants that are there,
 * steps that compute values from values before them.  Binding walks it once and decides where each
 * value lives:
 *
 *     columns   a register each, which the caller fills before a block
 *     kept      the values that somebody reads after the block, side by side in one area that the
 *               caller may move from block to block (program_keep_at): sweeps collect by that
 *     others    registers taken from and given back to a stack: those in the cache are used again
 *
 * program.c drafts one step a node.  A sweep drafts one a node and group of parameter tuples. */
#ifndef HARRIER_RULE_PROGRAM_BIND_H
#define HARRIER_RULE_PROGRAM_BIND_H

#include "rule/program.h"

struct draft_value;
struct draft_step;

struct draft {
    const struct kernels *kernels;
    struct draft_value *values;
    struct draft_step *steps;
    size_t value_count, value_capacity, step_count, step_capacity;
    int column[RULE_COLUMNS]; /* value of a column; VALUE_NONE: not read yet */
    bool no_memory;           /* sticky: the numbers of values are meaningless, draft_bind fails */
};

enum { VALUE_NONE = -1 };

struct draft_op {
    enum kernel_id kernel;
    bool holes;
    int in[KERNEL_INPUTS_MAX], when[KERNEL_CONDITIONS_MAX]; /* values */
    const double *parameter[KERNEL_PARAMETERS_MAX];         /* rows; must outlive the program */
};

void draft_init(struct draft *draft, const struct kernels *kernels);
void draft_deinit(struct draft *draft);

/* Each returns the number of the new value. */
int draft_column(struct draft *draft, enum rule_column column);
int draft_row(struct draft *draft, const double row[LANES_MAX] /* must outlive the program */);
int draft_op(struct draft *draft, const struct draft_op *op);    /* output 0, or the condition */
int draft_output(const struct draft *draft, int op, int output); /* another output of the same op */

/* A value whose lane l is lane lane[l] of value from[l]; all numbers, or all conditions. */
int draft_spread(struct draft *draft, const int from[LANES_MAX], const int lane[LANES_MAX]);

/* Somebody reads this value after the block.  Columns and rows are there anyway. */
void draft_keep(struct draft *draft, int value);

/* Allocates all of it and fills program->ops, ->columns and ->column. */
enum status draft_bind(struct draft *draft, struct program *program, struct arena *arena,
                       struct error *err);

/* Where a kept value, a column or a row lies; kept ones where the area is before it is moved. */
struct operand draft_operand(const struct draft *draft, const struct program *program, int value);
const uint64_t *draft_words(const struct draft *draft, const struct program *program, int value);
size_t draft_kept_at(const struct draft *draft, int value); /* bytes from the area's begin */

/* The area of kept values: its size a block (a multiple of 64), and moving it before a block. */
size_t program_kept_bytes(const struct program *program);
void program_keep_at(struct program *program, void *area);

#endif
