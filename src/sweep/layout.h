/* layout: how the parameter tuples of a rule's nodes lie in lanes.
 *
 * A node is evaluated once for each TUPLE of the parameters that it depends on.  All nodes that
 * depend on the same parameters have the same layout: groups of lanes, a tuple a lane. */
#ifndef HARRIER_SWEEP_LAYOUT_H
#define HARRIER_SWEEP_LAYOUT_H

#include "sweep/sweep.h"

struct lane_group {
    uint32_t combination[LANES_MAX]; /* one with the lane's tuple; unused lanes repeat another */
    bool used[LANES_MAX];
};

struct layout {
    uint64_t depends; /* bit p: on parameter p */
    size_t tuples, group_count;
    struct lane_group *groups;
    uint32_t *place; /* [combination]: group * lanes + lane */
};

struct layouts {
    const struct grid *grid;
    const uint64_t *combinations; /* [count] */
    size_t count, lanes;
    uint64_t swept; /* parameters that have an axis of several values */
    struct layout *list;
    size_t list_count;
    int *of; /* [node]: which of the list; -1: a number, or a node that nobody needs */
    struct arena *arena;
    struct keyed_tuple *keys; /* [count], scratch */
    uint32_t *tuple_of, *group_of;
};

/* In `arena`; false where that is full.  grid, combinations, count, lanes and arena are set. */
bool layouts_make(struct layouts *layouts);

static inline const struct layout *layout_of(const struct layouts *layouts, int node)
{
    return &layouts->list[layouts->of[node]];
}

/* A number for the values that a combination has for some parameters: equal where they are. */
uint64_t grid_tuple(const struct grid *grid, uint64_t combination, uint64_t parameters);

/* The parameters that the narrowest indicators of a rule depend on: combinations with equal values
 * of them share the most work. */
uint64_t grid_shared_parameters(const struct grid *grid);

#endif
