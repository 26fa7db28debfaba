/* What a rule says, in the words of the ledger. */
#ifndef HARRIER_SWEEP_RULEPLAN_H
#define HARRIER_SWEEP_RULEPLAN_H

#include "rule/rule.h"
#include "sim/sim.h"

static inline struct sim_plan sim_plan_of(const struct rule *rule)
{
    struct sim_plan plan = {.size = (enum sim_size_kind)rule->size_kind,
                            .exit_after = rule->exit_after != NODE_NONE};

    for (int s = 0; s < SIGNALS; s++)
        plan.has[s] = rule->signal[s] != NODE_NONE;
    for (int l = 0; l < LEVELS; l++)
        plan.level[l] = (enum sim_level_kind)rule->level[l].kind;
    return plan;
}

#endif
