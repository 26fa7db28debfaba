/* prove: that no value of a rule knows a later bar.
 *
 * The rule is run over the bars in whole blocks, and beside it twice more:
 *   - one bar at a time, when later bars are not even in memory,
 *   - with the bars behind a cut, another one in each lane, replaced by absurd ones.
 * Every operation of the graph, not the signals alone, must have the same bits each time. */
#ifndef HARRIER_RULE_PROVE_H
#define HARRIER_RULE_PROVE_H

#include <stdatomic.h>

#include "rule/program.h"

enum proof_way { PROOF_BAR_BY_BAR, PROOF_CUT };

struct proof {
    bool holds;
    size_t bars; /* compared */
    int values;  /* operations compared on each */

    /* Where not: the first bar with a difference, and the first operation there, where it was
     * written. */
    enum proof_way way;
    int node, line, column;
    size_t bar;
    double with_later, without; /* of a condition 0 or 1 */
};

/* Everything it needs is in `arena` and may be dropped afterwards.  STATUS_INTERRUPTED soon after
 * `stop` is set; NULL: never. */
enum status rule_prove(struct proof *proof, struct arena *arena, const struct rule *rule,
                       const double *parameters, const struct kernels *kernels,
                       const struct bars *bars, int64_t zone_offset_ms, const atomic_bool *stop,
                       struct error *err);

/* "mine.rule:3:8: the value on bar 17 changes with bars after it: 5 with them, 4 without them". */
void proof_text(const struct proof *proof, const struct rule *rule, char *text, size_t bytes);

#endif
