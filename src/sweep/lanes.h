/* lanes: the bars of up to 16 symbols side by side on one time line of blocks.
 *
 *                     begin of all accounts
 *     lane 0  ·  ·  w  w  w │ x  x  x  x  x  x     w  bars that only warm up
 *     lane 1  w  w  w  w  w │ x  x  x  c  c  c     x  bars of the account
 *     lane 2  ·  ·  ·  ·  · │ x  x  x  x  c  c     ·  NaN: the lane has not begun
 *             └── history ──┘                      c  its last bar again; signals are cut there
 *
 * Step v of the time line is bar v - late of a lane.  All accounts begin with step `history`. */
#ifndef HARRIER_SWEEP_LANES_H
#define HARRIER_SWEEP_LANES_H

#include "rule/program.h"
#include "sweep/sweep.h"

struct lanes {
    int width, used; /* lanes of the kernels; those with a symbol */
    size_t history, steps;
    size_t whole_from, whole_to; /* steps in which every lane has a bar of its own */
    struct bars bars[LANES_MAX]; /* cut at the account's end; unused lanes repeat the last one's */
    size_t late[LANES_MAX], end[LANES_MAX]; /* steps of the lane's first bar and behind its last */
    double (*edge)[BLOCK_BARS];             /* [LANES_MAX], scratch for blocks that are not whole */
};

size_t lanes_edge_bytes(void);

/* symbols[order[0…used-1]], with begin < end <= bars.count. */
void lanes_init(struct lanes *lanes, const struct batch_symbol *symbols, const uint32_t *order,
                int used, int width, void *edge);

/* One column of a block into a register. */
void lanes_column(const struct lanes *lanes, const struct kernels *kernels, enum rule_column column,
                  size_t step, size_t bar_count, double *out);

/* Which bits of the block's words a lane may keep. */
void lanes_cut(const struct lanes *lanes, size_t step, uint64_t cut[LANES_MAX]);

/* Whether lanes that begin late have the values of lanes that do not: NaN in front leaves no mark
 * in the state of any op.  `nz(x, 0)`, `not c`, `count(c, n)` into an average do leave one; then
 * only lanes that begin together may share a group. */
bool rule_may_begin_late(const struct rule *rule, const struct kernels *kernels);

#endif
