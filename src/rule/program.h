/* program: a rule bound to the memory of one group of lanes.
 *
 * Registers are reused as soon as their last reader has run.  One indirect call an operation and
 * block.
 *
 *     program_new(&program, arena, rule, &setup, err);
 *     for each group of symbols:
 *         program_start(program);
 *         for each block:  fill program->column[…];  program_block(program, bars);
 *                          read program->signal[…], program->level[…]
 */
#ifndef HARRIER_RULE_PROGRAM_H
#define HARRIER_RULE_PROGRAM_H

#include "rule/rule.h"

struct program_setup {
    const struct kernels *kernels;
    const double (*parameters)[LANES_MAX]; /* [parameter][lane], of every parameter of the rule */
    bool values; /* the named values are wanted too, not the signals and levels alone */
};

struct program {
    int lanes;
    unsigned columns;             /* bit c: the caller must fill column[c] before each block */
    double *column[RULE_COLUMNS]; /* registers; NULL where not read */

    /* After program_block: words of the block, or NULL where the rule does not say it. */
    const uint64_t *signal[SIGNALS];
    struct operand level[LEVELS];           /* .at NULL too; step 0: a constant a lane */
    const struct operand *value;            /* [rule->value_count]; .at NULL for conditions */
    const uint64_t *const *value_condition; /* [rule->value_count]; NULL for numbers */
    double exit_after[LANES_MAX];           /* bars; 0: none */

    struct program_ops *ops; /* program_bind.c */
};

enum status program_new(struct program **program, struct arena *arena, const struct rule *rule,
                        const struct program_setup *setup, struct error *err);

/* Before the first bar of a group. */
void program_start(struct program *program);

/* Evaluates the next `bar_count` (1…BLOCK_BARS) bars. */
void program_block(struct program *program, size_t bar_count);

#endif
