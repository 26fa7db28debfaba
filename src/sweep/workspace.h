/* workspace: the memory of one worker, an arena that starts anew with more when it is full. Address
 * space costs nothing until it is touched: most rules touch 200 KiB, a window of a million bars
 * over sixteen lanes 128 MiB. */
#ifndef HARRIER_SWEEP_WORKSPACE_H
#define HARRIER_SWEEP_WORKSPACE_H

#include "sys/sys.h"

struct workspace {
    struct arena arena;
    void *curves; /* equity curves of a group, and scratch of the metrics */
    size_t curves_bytes;
};

void workspace_deinit(struct workspace *workspace);

/* Drops all that is in the arena and makes it larger; at first, makes it.  Fails at its limit. */
enum status workspace_grow(struct workspace *workspace, struct error *err);

/* Room for curves: workspace->curves has at least so many bytes. */
enum status workspace_curves(struct workspace *workspace, size_t bytes, struct error *err);

#endif
