/* Numbers tuples and packs them into groups of lanes. */
#include "sweep/layout.h"

#include <stdlib.h>

enum { GROUPS_A_COMBINATION = 4 }; /* more groups than that would be nearly empty */

/* ---- parameters of nodes -------------------------------------------------------------------- */

uint64_t grid_tuple(const struct grid *grid, uint64_t combination, uint64_t parameters)
{
    uint64_t tuple = 0, scale = 1;

    ASSERT(grid->rule->parameter_count >= 0);
    for (int p = grid->rule->parameter_count - 1; p >= 0; p--) {
        size_t count = MAX(grid->axes[p].count, (size_t)1);

        if (parameters >> p & 1) {
            tuple += combination % count * scale;
            scale *= count;
        }
        combination /= count;
    }
    return tuple;
}

static uint64_t swept_parameters(const struct grid *grid)
{
    uint64_t swept = 0;

    for (int p = 0; p < grid->rule->parameter_count; p++)
        swept |= (uint64_t)(grid->axes[p].count > 1) << p;
    return swept;
}

static void mark(bool *needed, int node)
{
    if (node != NODE_NONE)
        needed[node] = true;
}

/* Nodes that signals and levels stand on. */
static void find_needed(const struct rule *rule, bool *needed)
{
    for (int s = 0; s < SIGNALS; s++)
        mark(needed, rule->signal[s]);
    for (int l = 0; l < LEVELS; l++)
        if (rule->level[l].kind != LEVEL_NONE)
            mark(needed, rule->level[l].node);
    for (int n = rule->node_count - 1; n >= 0; n--) {
        const struct node *node = &rule->nodes[n];

        if (!needed[n] || node->type == TYPE_NUMBER)
            continue;
        if (node->kind == NODE_OUTPUT)
            mark(needed, node->input[0]);
        for (int i = 0; node->kind == NODE_OP && i < kernel_rows[node->kernel].inputs; i++)
            mark(needed, node->input[i]);
        for (int i = 0; node->kind == NODE_OP && i < kernel_rows[node->kernel].conditions; i++)
            mark(needed, node->when[i]);
    }
}

uint64_t grid_shared_parameters(const struct grid *grid)
{
    const struct rule *rule = grid->rule;
    uint64_t swept = swept_parameters(grid), best = 0;
    double best_tuples = 0;
    bool *needed = mem_zero((size_t)rule->node_count, sizeof *needed);

    if (!needed)
        return 0; /* slower, not wrong */
    find_needed(rule, needed);
    for (int n = 0; n < rule->node_count; n++) {
        uint64_t depends = rule->nodes[n].depends & swept;
        double tuples = 1;

        if (!needed[n] || rule->nodes[n].kind != NODE_OP || rule->nodes[n].type == TYPE_NUMBER ||
            !depends)
            continue;
        for (int p = 0; p < rule->parameter_count; p++)
            tuples *= depends >> p & 1 ? (double)grid->axes[p].count : 1;
        int more = best ? __builtin_popcountll(depends) - __builtin_popcountll(best) : -1;
        if (more < 0 || (more == 0 && tuples > best_tuples)) {
            best = depends;
            best_tuples = tuples;
        }
    }
    mem_free(needed);
    return best;
}

/* ---- packing -------------------------------------------------------------------------------- */

struct keyed_tuple {
    uint64_t key;
    uint32_t combination;
};

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed_tuple *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->combination < b->combination ? -1 : a->combination > b->combination;
}

/* Numbers the distinct tuples in rising order, tuple_of[combination]; how many there are. */
static size_t number_tuples(struct layouts *layouts, uint64_t parameters)
{
    size_t tuples = 0;
    bool sorted = true;

    for (size_t c = 0; c < layouts->count; c++) {
        uint64_t key = grid_tuple(layouts->grid, layouts->combinations[c], parameters);

        layouts->keys[c] = (struct keyed_tuple){key, (uint32_t)c};
        sorted &= c == 0 || layouts->keys[c - 1].key <= key;
    }
    if (!sorted)
        qsort(layouts->keys, layouts->count, sizeof *layouts->keys, compare_keyed);
    for (size_t i = 0; i < layouts->count; i++) {
        tuples += i == 0 || layouts->keys[i].key != layouts->keys[i - 1].key;
        layouts->tuple_of[layouts->keys[i].combination] = (uint32_t)(tuples - 1);
    }
    return tuples;
}

/* Sixteen tuples to a group, one after the other. */
static size_t pack_dense(struct layouts *layouts, struct layout *layout)
{
    for (size_t c = 0; c < layouts->count; c++)
        layout->place[c] = layouts->tuple_of[c];
    return (layout->tuples + layouts->lanes - 1) / layouts->lanes;
}

/* Lanes as in the groups of `base`, a set of groups for each tuple of the other parameters.  0:
 * that would leave more than half of the lanes empty. */
static size_t pack_on(struct layouts *layouts, struct layout *layout, const struct layout *base)
{
    size_t others = number_tuples(layouts, layout->depends & ~base->depends), used = 0;
    size_t most = 2 * ((layout->tuples + layouts->lanes - 1) / layouts->lanes);

    if (others * base->group_count > GROUPS_A_COMBINATION * layouts->count)
        return 0;
    for (size_t g = 0; g < others * base->group_count; g++)
        layouts->group_of[g] = UINT32_MAX;
    for (size_t c = 0; c < layouts->count; c++) {
        size_t group = layouts->tuple_of[c] * base->group_count + base->place[c] / layouts->lanes;

        if (layouts->group_of[group] == UINT32_MAX) {
            if (used == most)
                return 0;
            layouts->group_of[group] = (uint32_t)used++;
        }
        layout->place[c] = layouts->group_of[group] * (uint32_t)layouts->lanes +
                           base->place[c] % (uint32_t)layouts->lanes;
    }
    return used;
}

static void fill_groups(struct layouts *layouts, struct layout *layout)
{
    for (size_t c = layouts->count; c-- > 0;) {
        struct lane_group *group = &layout->groups[layout->place[c] / layouts->lanes];
        size_t lane = layout->place[c] % layouts->lanes;

        group->combination[lane] = (uint32_t)c;
        group->used[lane] = true;
    }
    for (size_t g = 0; g < layout->group_count; g++) {
        struct lane_group *group = &layout->groups[g];
        uint32_t some = 0;

        for (size_t l = 0; l < LANES_MAX; l++)
            if (group->used[l])
                some = group->combination[l];
        for (size_t l = 0; l < LANES_MAX; l++)
            if (!group->used[l])
                group->combination[l] = some;
    }
}

/* Number of the new layout; -1: the arena is full. */
static int layout_add(struct layouts *layouts, uint64_t depends, const struct layout *base)
{
    struct layout *layout = &layouts->list[layouts->list_count];

    layout->depends = depends;
    layout->tuples = number_tuples(layouts, depends);
    layout->place = ARENA_ARRAY(layouts->arena, uint32_t, layouts->count);
    if (!layout->place)
        return -1;
    if (base)
        layout->group_count = pack_on(layouts, layout, base);
    if (!layout->group_count) {
        number_tuples(layouts, depends);
        layout->group_count = pack_dense(layouts, layout);
    }
    layout->groups = ARENA_ARRAY(layouts->arena, struct lane_group, layout->group_count);
    if (!layout->groups)
        return -1;
    fill_groups(layouts, layout);
    return (int)layouts->list_count++;
}

/* The input whose lanes fit best: it has the most tuples of a part of this node's parameters. */
static const struct layout *best_base(const struct layouts *layouts, const struct node *node,
                                      uint64_t depends)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    const struct layout *best = NULL;

    for (int i = 0; i < row->inputs + row->conditions; i++) {
        int input = i < row->inputs ? node->input[i] : node->when[i - row->inputs];

        if (layouts->of[input] < 0)
            continue;
        const struct layout *layout = &layouts->list[layouts->of[input]];
        if (layout->tuples > 1 && layout->depends != depends &&
            (!best || layout->tuples > best->tuples))
            best = layout;
    }
    return best;
}

static int layout_find(struct layouts *layouts, const struct node *node)
{
    uint64_t depends = node->depends & layouts->swept;

    for (size_t i = 0; i < layouts->list_count; i++)
        if (layouts->list[i].depends == depends)
            return (int)i;
    return layout_add(layouts, depends,
                      node->kind == NODE_OP ? best_base(layouts, node, depends) : NULL);
}

static bool allocate(struct layouts *layouts, bool **needed)
{
    struct arena *arena = layouts->arena;
    size_t nodes = (size_t)layouts->grid->rule->node_count, count = layouts->count;

    *needed = ARENA_ARRAY(arena, bool, nodes);
    layouts->list = ARENA_ARRAY(arena, struct layout, nodes);
    layouts->of = ARENA_ARRAY(arena, int, nodes);
    layouts->keys = ARENA_ARRAY(arena, struct keyed_tuple, count);
    layouts->tuple_of = ARENA_ARRAY(arena, uint32_t, count);
    layouts->group_of = ARENA_ARRAY(arena, uint32_t, GROUPS_A_COMBINATION * count);
    return *needed && layouts->list && layouts->of && layouts->keys && layouts->tuple_of &&
           layouts->group_of;
}

bool layouts_make(struct layouts *layouts)
{
    const struct rule *rule = layouts->grid->rule;
    bool *needed;

    layouts->swept = swept_parameters(layouts->grid);
    if (!allocate(layouts, &needed))
        return false;
    find_needed(rule, needed);
    for (int n = 0; n < rule->node_count; n++) {
        layouts->of[n] = -1;
        if (!needed[n] || rule->nodes[n].type == TYPE_NUMBER)
            continue;
        layouts->of[n] = layout_find(layouts, &rule->nodes[n]);
        if (layouts->of[n] < 0)
            return false;
    }
    return true;
}
