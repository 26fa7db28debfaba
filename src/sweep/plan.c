/* Lays parameter tuples out in lanes, drafts the program, and runs it with its ledgers. */
#include "sweep/plan.h"

#include <stdlib.h>
#include <string.h>

#include "rule/program_bind.h"
#include "sweep/lanes.h"
#include "sweep/ruleplan.h"

/* Words and levels that are collected before the ledgers run: a part of a second-level cache. */
enum { STORE_BYTES = 256 * 1024, STORE_BLOCKS_MAX = 64 };

enum { GROUPS_A_COMBINATION = 4 }; /* more groups than that would be nearly empty */

/* How the tuples of one set of parameters lie in lanes. */
struct lane_group {
    uint32_t
        combination[LANES_MAX]; /* one that has the lane's tuple; unused lanes repeat another */
    bool used[LANES_MAX];
};

struct layout {
    uint64_t depends;
    size_t tuples, group_count;
    struct lane_group *groups;
    uint32_t *place; /* [combination]: group * lanes + lane */
};

/* What a ledger's level is. */
enum source { SOURCE_NONE, SOURCE_ROW, SOURCE_KEPT, SOURCE_GATHERED };
struct level {
    enum source source;
    const double *row;
    size_t at;             /* SOURCE_KEPT */
    const size_t *lane_at; /* SOURCE_GATHERED */
};

struct account_group {
    struct ledger *ledger;
    size_t used; /* lanes with an account */
    struct ledger_lane lanes[LANES_MAX];
    uint32_t signal[SIGNALS][LANES_MAX]; /* bytes from the begin of a block's kept area */
    struct level level[LEVELS];
};

struct plan {
    struct plan_setup setup;
    const struct rule *rule;
    size_t count, lanes;
    double (*values)[RULE_PARAMETERS_MAX]; /* [combination] */
    struct sim_plan sim;
    struct program program;
    size_t kept_bytes, store_blocks;
    unsigned char *store; /* [store_blocks][kept_bytes] */
    struct account_group *accounts;
    size_t account_count;
    double *gathered[LEVELS]; /* registers for SOURCE_GATHERED */
    void *edge;
};

/* ---- tuples --------------------------------------------------------------------------------- */

uint64_t grid_tuple(const struct grid *grid, uint64_t combination, uint64_t parameters)
{
    uint64_t tuple = 0, scale = 1;

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

uint64_t plan_shared_parameters(const struct grid *grid)
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

/* ---- layouts -------------------------------------------------------------------------------- */

struct keyed {
    uint64_t key;
    uint32_t combination;
};

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->combination < b->combination ? -1 : a->combination > b->combination;
}

struct place {
    int node;
    size_t group;
};

/* A value spread over other lanes, which later ops may want as well. */
struct kept_spread {
    int node, value;
    uint32_t place[LANES_MAX];
};

/* Everything that making a plan needs and running it does not. */
struct planner {
    struct plan *plan;
    struct arena *arena;
    uint64_t swept;
    struct layout *layouts;
    size_t layout_count;
    int *layout_of;     /* [node] */
    bool *needed;       /* [node] */
    size_t *first;      /* [node]: where its values begin in `value` */
    int *value;         /* [node, group]: value of the draft */
    const double **row; /* [node]: of a number that no swept parameter changes */
    struct draft draft;
    struct place *path;
    size_t path_count;
    struct kept_spread *spreads;
    size_t spread_count, spread_capacity;
    struct keyed *keys;            /* [combination], scratch */
    uint32_t *tuple_of, *group_of; /* scratch */
    bool full;                     /* no memory */
};

static void *take(struct planner *planner, size_t bytes)
{
    void *memory = planner->full ? NULL : arena_alloc(planner->arena, bytes);

    planner->full |= !memory;
    return memory;
}

/* Numbers the distinct tuples in rising order, tuple_of[combination]; how many there are. */
static size_t number_tuples(struct planner *planner, uint64_t parameters)
{
    const struct plan *plan = planner->plan;
    size_t tuples = 0;
    bool sorted = true;

    for (size_t c = 0; c < plan->count; c++) {
        uint64_t key = grid_tuple(plan->setup.grid, plan->setup.combinations[c], parameters);

        planner->keys[c] = (struct keyed){key, (uint32_t)c};
        sorted &= c == 0 || planner->keys[c - 1].key <= key;
    }
    if (!sorted)
        qsort(planner->keys, plan->count, sizeof *planner->keys, compare_keyed);
    for (size_t i = 0; i < plan->count; i++) {
        tuples += i == 0 || planner->keys[i].key != planner->keys[i - 1].key;
        planner->tuple_of[planner->keys[i].combination] = (uint32_t)(tuples - 1);
    }
    return tuples;
}

/* Sixteen tuples to a group, one after the other. */
static size_t pack_dense(struct planner *planner, struct layout *layout)
{
    const struct plan *plan = planner->plan;

    for (size_t c = 0; c < plan->count; c++)
        layout->place[c] = planner->tuple_of[c];
    return (layout->tuples + plan->lanes - 1) / plan->lanes;
}

/* Lanes as in the groups of `base`, a set of groups for each tuple of the other parameters.  0:
 * that would leave more than half of the lanes empty. */
static size_t pack_on(struct planner *planner, struct layout *layout, const struct layout *base)
{
    const struct plan *plan = planner->plan;
    size_t others = number_tuples(planner, layout->depends & ~base->depends), used = 0;
    size_t most = 2 * ((layout->tuples + plan->lanes - 1) / plan->lanes);

    if (others * base->group_count > GROUPS_A_COMBINATION * plan->count)
        return 0;
    for (size_t g = 0; g < others * base->group_count; g++)
        planner->group_of[g] = UINT32_MAX;
    for (size_t c = 0; c < plan->count; c++) {
        size_t group = planner->tuple_of[c] * base->group_count + base->place[c] / plan->lanes;

        if (planner->group_of[group] == UINT32_MAX) {
            if (used == most)
                return 0;
            planner->group_of[group] = (uint32_t)used++;
        }
        layout->place[c] = planner->group_of[group] * (uint32_t)plan->lanes +
                           base->place[c] % (uint32_t)plan->lanes;
    }
    return used;
}

static void fill_groups(struct planner *planner, struct layout *layout)
{
    const struct plan *plan = planner->plan;

    for (size_t c = plan->count; c-- > 0;) {
        struct lane_group *group = &layout->groups[layout->place[c] / plan->lanes];
        size_t lane = layout->place[c] % plan->lanes;

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

static int layout_add(struct planner *planner, uint64_t depends, const struct layout *base)
{
    const struct plan *plan = planner->plan;
    struct layout *layout = &planner->layouts[planner->layout_count];

    layout->depends = depends;
    layout->tuples = number_tuples(planner, depends);
    layout->place = take(planner, plan->count * sizeof *layout->place);
    if (planner->full)
        return 0;
    if (base)
        layout->group_count = pack_on(planner, layout, base);
    if (!layout->group_count) {
        number_tuples(planner, depends);
        layout->group_count = pack_dense(planner, layout);
    }
    layout->groups = take(planner, layout->group_count * sizeof *layout->groups);
    if (!planner->full)
        fill_groups(planner, layout);
    return (int)planner->layout_count++;
}

/* The input whose lanes fit best: it has the most tuples of a part of this node's parameters. */
static const struct layout *best_base(const struct planner *planner, const struct node *node,
                                      uint64_t depends)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    const struct layout *best = NULL;

    for (int i = 0; i < row->inputs + row->conditions; i++) {
        int input = i < row->inputs ? node->input[i] : node->when[i - row->inputs];

        if (planner->layout_of[input] < 0)
            continue;
        const struct layout *layout = &planner->layouts[planner->layout_of[input]];
        if (layout->tuples > 1 && layout->depends != depends &&
            (!best || layout->tuples > best->tuples))
            best = layout;
    }
    return best;
}

static void make_layouts(struct planner *planner)
{
    const struct rule *rule = planner->plan->rule;
    size_t values = 0;

    for (int n = 0; n < rule->node_count && !planner->full; n++) {
        const struct node *node = &rule->nodes[n];
        uint64_t depends = node->depends & planner->swept;
        int found = -1;

        planner->layout_of[n] = -1;
        if (!planner->needed[n] || node->type == TYPE_NUMBER)
            continue;
        for (size_t i = 0; i < planner->layout_count && found < 0; i++)
            if (planner->layouts[i].depends == depends)
                found = (int)i;
        if (found < 0)
            found = layout_add(planner, depends,
                               node->kind == NODE_OP ? best_base(planner, node, depends) : NULL);
        planner->layout_of[n] = found;
        planner->first[n] = values;
        values += planner->layouts[found].group_count;
    }
    planner->value = take(planner, values * sizeof *planner->value);
    for (size_t v = 0; v < values && !planner->full; v++)
        planner->value[v] = VALUE_NONE;
}

/* ---- drafting ------------------------------------------------------------------------------- */

/* Where the lanes of an op find an input. */
struct reach {
    bool straight; /* lane by lane in one group */
    size_t group;
    uint32_t place[LANES_MAX];
};

static struct reach reach(const struct planner *planner, int input, const struct lane_group *group)
{
    const struct layout *layout = &planner->layouts[planner->layout_of[input]];
    size_t lanes = planner->plan->lanes;
    struct reach found = {.straight = true};

    if (layout->tuples == 1)
        return found; /* the same in all lanes */
    for (size_t l = 0; l < lanes; l++)
        if (group->used[l])
            found.group = layout->place[group->combination[l]] / lanes;
    for (size_t l = 0; l < lanes; l++) {
        found.place[l] = layout->place[group->combination[l]];
        found.straight &= !group->used[l] || found.place[l] == found.group * lanes + l;
    }
    return found;
}

static int *value_at(const struct planner *planner, int node, size_t group)
{
    return &planner->value[planner->first[node] + group];
}

static bool missing_input(const struct planner *planner, struct place at, struct place *missing)
{
    const struct node *node = &planner->plan->rule->nodes[at.node];
    const struct kernel_row *row = &kernel_rows[node->kernel];
    const struct lane_group *group =
        &planner->layouts[planner->layout_of[at.node]].groups[at.group];
    size_t lanes = planner->plan->lanes;

    if (node->kind == NODE_OUTPUT) {
        *missing = (struct place){node->input[0], at.group};
        return *value_at(planner, node->input[0], at.group) == VALUE_NONE;
    }
    for (int i = 0; node->kind == NODE_OP && i < row->inputs + row->conditions; i++) {
        int input = i < row->inputs ? node->input[i] : node->when[i - row->inputs];

        if (planner->plan->rule->nodes[input].type == TYPE_NUMBER)
            continue;
        struct reach found = reach(planner, input, group);
        for (size_t l = 0; l < lanes; l++) {
            *missing = (struct place){input, found.straight ? found.group : found.place[l] / lanes};
            if (*value_at(planner, input, missing->group) == VALUE_NONE)
                return true;
        }
    }
    return false;
}

static int spread_value(struct planner *planner, int node, const struct reach *found)
{
    size_t lanes = planner->plan->lanes;
    int from[LANES_MAX] = {0}, lane[LANES_MAX] = {0};

    for (size_t s = 0; s < planner->spread_count; s++)
        if (planner->spreads[s].node == node &&
            !memcmp(planner->spreads[s].place, found->place, lanes * sizeof found->place[0]))
            return planner->spreads[s].value;
    for (size_t l = 0; l < LANES_MAX; l++) {
        from[l] = *value_at(planner, node, found->place[l % lanes] / lanes);
        lane[l] = (int)(found->place[l % lanes] % lanes);
    }
    if (mem_grow((void **)&planner->spreads, &planner->spread_capacity, planner->spread_count + 1,
                 sizeof *planner->spreads)) {
        planner->full = true;
        return 0;
    }
    struct kept_spread *kept = &planner->spreads[planner->spread_count++];
    *kept = (struct kept_spread){.node = node, .value = draft_spread(&planner->draft, from, lane)};
    memcpy(kept->place, found->place, sizeof kept->place);
    return kept->value;
}

/* A number, one a lane. */
static const double *number_row(struct planner *planner, int node,
                                const uint32_t combination[LANES_MAX])
{
    const struct plan *plan = planner->plan;
    bool same = !(plan->rule->nodes[node].depends & planner->swept);
    double *row;

    if (same && planner->row[node])
        return planner->row[node];
    row = take(planner, sizeof *row * LANES_MAX);
    for (size_t l = 0; l < LANES_MAX && row; l++)
        row[l] = same && l ? row[0] : rule_number(plan->rule, node, plan->values[combination[l]]);
    if (same)
        planner->row[node] = row;
    return row;
}

static int draft_op_at(struct planner *planner, const struct node *node,
                       const struct lane_group *group)
{
    const struct rule *rule = planner->plan->rule;
    const struct kernel_row *row = &kernel_rows[node->kernel];
    struct draft_op op = {.kernel = node->kernel};

    for (int i = 0; i < row->inputs + row->conditions; i++) {
        bool number = i < row->inputs;
        int input = number ? node->input[i] : node->when[i - row->inputs], value;

        if (rule->nodes[input].type == TYPE_NUMBER) {
            value = draft_row(&planner->draft, number_row(planner, input, group->combination));
        } else {
            struct reach found = reach(planner, input, group);
            value = found.straight ? *value_at(planner, input, found.group)
                                   : spread_value(planner, input, &found);
        }
        if (number)
            op.in[i] = value;
        else
            op.when[i - row->inputs] = value;
        op.holes |= number && rule->nodes[input].holes;
    }
    for (int i = 0; i < row->parameters; i++)
        op.parameter[i] = number_row(planner, node->parameter[i], group->combination);
    return draft_op(&planner->draft, &op);
}

static int draft_place(struct planner *planner, struct place at)
{
    const struct node *node = &planner->plan->rule->nodes[at.node];
    const struct lane_group *group =
        &planner->layouts[planner->layout_of[at.node]].groups[at.group];

    if (node->kind == NODE_COLUMN)
        return draft_column(&planner->draft, (enum rule_column)node->index);
    if (node->kind == NODE_OUTPUT)
        return draft_output(&planner->draft, *value_at(planner, node->input[0], at.group),
                            node->index);
    return draft_op_at(planner, node, group);
}

/* One group of a node's lanes, behind all that it needs. */
static void draft_root(struct planner *planner, int node, size_t group)
{
    size_t depth = 0;

    if (*value_at(planner, node, group) == VALUE_NONE)
        planner->path[depth++] = (struct place){node, group};
    while (depth > 0 && !planner->full) {
        struct place at = planner->path[depth - 1], missing;

        if (missing_input(planner, at, &missing)) {
            planner->path[depth++] = missing;
            continue;
        }
        *value_at(planner, at.node, at.group) = draft_place(planner, at);
        depth--;
    }
    if (!planner->full)
        draft_keep(&planner->draft, *value_at(planner, node, group));
}

static bool level_is_column(const struct rule *rule, int level)
{
    return rule->level[level].kind != LEVEL_NONE &&
           rule->nodes[rule->level[level].node].type == TYPE_COLUMN;
}

/* The columns of bars are filled anew for each block: a level that is one is kept as a copy. */
static void copy_column(struct planner *planner, int node)
{
    int from[LANES_MAX], lane[LANES_MAX];
    int *value = value_at(planner, node, 0);

    for (int l = 0; l < LANES_MAX; l++) {
        from[l] = *value;
        lane[l] = l % (int)planner->plan->lanes;
    }
    *value = draft_spread(&planner->draft, from, lane);
    draft_keep(&planner->draft, *value);
}

/* Roots group by group and not node by node, so that what several of them read is alive for a short
 * time. */
static void draft_roots(struct planner *planner)
{
    const struct rule *rule = planner->plan->rule;
    int roots[SIGNALS + LEVELS], count = 0;
    size_t groups = 0;

    for (int s = 0; s < SIGNALS; s++)
        if (rule->signal[s] != NODE_NONE)
            roots[count++] = rule->signal[s];
    for (int l = 0; l < LEVELS; l++)
        if (level_is_column(rule, l))
            roots[count++] = rule->level[l].node;
    for (int r = 0; r < count; r++)
        groups = MAX(groups, planner->layouts[planner->layout_of[roots[r]]].group_count);
    for (size_t g = 0; g < groups && !planner->full; g++)
        for (int r = 0; r < count; r++)
            if (g < planner->layouts[planner->layout_of[roots[r]]].group_count)
                draft_root(planner, roots[r], g);
    /* Last: nothing reads the copy but the ledger. */
    for (int l = 0; l < LEVELS && !planner->full; l++)
        if (level_is_column(rule, l) && rule->nodes[rule->level[l].node].kind == NODE_COLUMN)
            copy_column(planner, rule->level[l].node);
}

/* ---- accounts ------------------------------------------------------------------------------- */

static size_t kept_lane(const struct planner *planner, int node, size_t combination)
{
    uint32_t place = planner->layouts[planner->layout_of[node]].place[combination];
    size_t lanes = planner->plan->lanes;

    return draft_kept_at(&planner->draft, *value_at(planner, node, place / lanes)) +
           sizeof(double) * (place % lanes);
}

static void find_level(struct planner *planner, struct level *level, int node,
                       const struct lane_group *group)
{
    const struct rule *rule = planner->plan->rule;
    size_t *lane_at;

    if (rule->nodes[node].type == TYPE_NUMBER) {
        *level = (struct level){.source = SOURCE_ROW,
                                .row = number_row(planner, node, group->combination)};
        return;
    }
    struct reach found = reach(planner, node, group);
    if (found.straight) {
        *level = (struct level){
            .source = SOURCE_KEPT,
            .at = draft_kept_at(&planner->draft, *value_at(planner, node, found.group))};
        return;
    }
    lane_at = take(planner, sizeof *lane_at * LANES_MAX);
    for (size_t l = 0; l < LANES_MAX && lane_at; l++)
        lane_at[l] = kept_lane(planner, node, group->combination[l]);
    *level = (struct level){.source = SOURCE_GATHERED, .lane_at = lane_at};
}

static void make_account_group(struct planner *planner, size_t number)
{
    struct plan *plan = planner->plan;
    const struct rule *rule = plan->rule;
    struct account_group *accounts = &plan->accounts[number];
    struct lane_group group = {0};

    accounts->ledger = take(planner, ledger_bytes());
    accounts->used = MIN(plan->lanes, plan->count - number * plan->lanes);
    for (size_t l = 0; l < LANES_MAX; l++) {
        group.used[l] = l < accounts->used;
        group.combination[l] = (uint32_t)(number * plan->lanes + (group.used[l] ? l : 0));
        if (rule->exit_after != NODE_NONE)
            accounts->lanes[l].exit_after = rule_number(rule, rule->exit_after,
                                                        plan->values[group.combination[l]]);
        for (int s = 0; s < SIGNALS; s++)
            if (rule->signal[s] != NODE_NONE)
                accounts->signal[s][l] = (uint32_t)kept_lane(planner, rule->signal[s],
                                                             group.combination[l]);
    }
    for (int l = 0; l < LEVELS; l++)
        if (rule->level[l].kind != LEVEL_NONE)
            find_level(planner, &accounts->level[l], rule->level[l].node, &group);
}

static void make_accounts(struct planner *planner)
{
    struct plan *plan = planner->plan;

    plan->account_count = (plan->count + plan->lanes - 1) / plan->lanes;
    plan->accounts = take(planner, plan->account_count * sizeof *plan->accounts);
    for (size_t g = 0; g < plan->account_count && !planner->full; g++)
        make_account_group(planner, g);
    for (int l = 0; l < LEVELS; l++)
        if (level_is_column(plan->rule, l))
            plan->gathered[l] = take(planner, register_bytes((int)plan->lanes));
    plan->edge = take(planner, lanes_edge_bytes());
    plan->kept_bytes = program_kept_bytes(&plan->program);
    plan->store_blocks = STORE_BYTES / MAX(plan->kept_bytes, (size_t)1);
    plan->store_blocks = MAX((size_t)1, MIN(plan->store_blocks, (size_t)STORE_BLOCKS_MAX));
    plan->store = take(planner, MAX(plan->store_blocks * plan->kept_bytes, (size_t)64));
}

/* ---- making a plan -------------------------------------------------------------------------- */

static void planner_init(struct planner *planner)
{
    struct plan *plan = planner->plan;
    size_t nodes = (size_t)plan->rule->node_count;

    plan->values = take(planner, plan->count * sizeof *plan->values);
    planner->layouts = take(planner, nodes * sizeof *planner->layouts);
    planner->layout_of = take(planner, nodes * sizeof *planner->layout_of);
    planner->needed = take(planner, nodes * sizeof *planner->needed);
    planner->first = take(planner, nodes * sizeof *planner->first);
    planner->row = take(planner, nodes * sizeof *planner->row);
    planner->path = take(planner, nodes * sizeof *planner->path);
    planner->keys = take(planner, plan->count * sizeof *planner->keys);
    planner->tuple_of = take(planner, plan->count * sizeof *planner->tuple_of);
    planner->group_of = take(planner,
                             GROUPS_A_COMBINATION * plan->count * sizeof *planner->group_of);
    for (size_t c = 0; c < plan->count && !planner->full; c++)
        grid_values(plan->setup.grid, plan->setup.combinations[c], plan->values[c]);
}

static enum status make_plan(struct planner *planner, struct error *err)
{
    planner_init(planner);
    if (!planner->full) {
        find_needed(planner->plan->rule, planner->needed);
        make_layouts(planner);
    }
    if (!planner->full)
        draft_roots(planner);
    if (!planner->full)
        TRY(draft_bind(&planner->draft, &planner->plan->program, planner->arena, err));
    if (!planner->full)
        make_accounts(planner);
    if (planner->full)
        return fail(err, STATUS_MEMORY, "%s: no memory for a plan of %zu combinations",
                    planner->plan->rule->name, planner->plan->count);
    return STATUS_OK;
}

enum status plan_new(struct plan **plan, struct arena *arena, const struct plan_setup *setup,
                     struct error *err)
{
    struct plan *made = ARENA_NEW(arena, struct plan);
    struct planner planner = {.plan = made, .arena = arena, .swept = swept_parameters(setup->grid)};
    enum status status;

    if (!made)
        return fail(err, STATUS_MEMORY, "no memory for a plan of %zu combinations", setup->count);
    made->setup = *setup;
    made->rule = setup->grid->rule;
    made->count = setup->count;
    made->lanes = (size_t)setup->kernels->lanes;
    made->sim = sim_plan_of(made->rule);
    ASSERT(!setup->curves || setup->count <= made->lanes);
    draft_init(&planner.draft, setup->kernels);
    status = make_plan(&planner, err);
    draft_deinit(&planner.draft);
    mem_free(planner.spreads);
    made->setup.combinations = NULL;
    if (status == STATUS_OK)
        *plan = made;
    return status;
}

/* ---- running -------------------------------------------------------------------------------- */

size_t plan_curves_bytes(const struct plan *plan, const struct batch_symbol *symbol)
{
    size_t bars = symbol->end - symbol->begin;

    return (bars * plan->lanes * sizeof(double) + 63) / 64 * 64 +
           metrics_scratch_bytes((int)plan->lanes, bars);
}

/* The words and levels of one block, kept at `kept`. */
static void evaluate(struct plan *plan, const struct lanes *lanes, size_t step, size_t bars,
                     void *kept)
{
    struct program *program = &plan->program;

    program_keep_at(program, kept);
    for (int c = 0; c < RULE_COLUMNS; c++)
        if (program->column[c])
            lanes_column(lanes, plan->setup.kernels, (enum rule_column)c, step, bars,
                         program->column[c]);
    program_block(program, bars);
}

static struct operand level_operand(const struct plan *plan, const struct level *level,
                                    double *gathered, const unsigned char *kept, size_t bars)
{
    const size_t lanes = plan->lanes;

    if (level->source == SOURCE_ROW)
        return (struct operand){level->row, 0};
    if (level->source == SOURCE_KEPT)
        return (struct operand){(const double *)(kept + level->at), lanes};
    for (size_t l = 0; l < lanes; l++) {
        const double *from = (const double *)(kept + level->lane_at[l]);
        for (size_t t = 0; t < bars; t++)
            gathered[t * lanes + l] = from[t * lanes];
    }
    return (struct operand){gathered, lanes};
}

struct span {
    const struct plan_run *run;
    size_t begin, end; /* bars of the symbol */
    double *equity;    /* of bar `begin`, where wanted */
};

/* One group of accounts over the blocks of a span. */
static void trade(const struct plan *plan, const struct account_group *accounts,
                  const struct span *span)
{
    const struct batch_symbol *symbol = span->run->symbol;
    const unsigned char *kept = plan->store;
    struct ledger_block block = {.shared = true};

    for (size_t bar = span->begin; bar < span->end;
         bar += block.bar_count, kept += plan->kept_bytes) {
        block.bar_count = MIN(span->run->block_bars, span->end - bar);
        for (int c = 0; c < BAR_COLUMNS; c++)
            block.price[c] = symbol->bars.column[c] + bar;
        for (int s = 0; s < SIGNALS; s++)
            for (size_t l = 0; l < accounts->used && plan->sim.has[s]; l++)
                block.signal[s][l] = *(const uint64_t *)(kept + accounts->signal[s][l]);
        for (int l = 0; l < LEVELS; l++)
            if (accounts->level[l].source != SOURCE_NONE)
                block.level[l] = level_operand(plan, &accounts->level[l], plan->gathered[l], kept,
                                               block.bar_count);
        if (span->equity)
            block.equity = span->equity + (bar - span->begin) * plan->lanes;
        ledger_run(accounts->ledger, &block);
    }
}

static bool run_spans(struct plan *plan, const struct plan_run *run)
{
    const struct batch_symbol *symbol = run->symbol;
    struct lanes lanes;
    size_t step = 0;

    lanes_init(&lanes, symbol, &(uint32_t){0}, 1, (int)plan->lanes, plan->edge);
    while (step < symbol->end) {
        size_t until = step < symbol->begin ? symbol->begin : symbol->end;
        struct span span = {.run = run, .begin = step};

        if (run->cancel && __atomic_load_n(run->cancel, __ATOMIC_RELAXED))
            return false;
        for (size_t b = 0, bars; b < plan->store_blocks && step < until; b++, step += bars) {
            bars = MIN(run->block_bars, until - step);
            evaluate(plan, &lanes, step, bars, plan->store + b * plan->kept_bytes);
        }
        span.end = step;
        if (span.begin < symbol->begin)
            continue;
        if (plan->setup.curves)
            span.equity = (double *)run->curves + (span.begin - symbol->begin) * plan->lanes;
        for (size_t g = 0; g < plan->account_count; g++)
            trade(plan, &plan->accounts[g], &span);
    }
    return true;
}

static void start_accounts(struct plan *plan, const struct plan_run *run)
{
    const struct batch_symbol *symbol = run->symbol;

    for (size_t g = 0; g < plan->account_count; g++) {
        struct account_group *accounts = &plan->accounts[g];
        struct ledger_setup setup = {.kernels = plan->setup.kernels,
                                     .options = plan->setup.options,
                                     .plan = &plan->sim,
                                     .lanes = accounts->lanes,
                                     .durations = plan->setup.curves,
                                     .downside = plan->setup.curves || plan->setup.downside};

        for (size_t l = 0; l < plan->lanes; l++)
            accounts->lanes[l].bars = l < accounts->used
                                          ? bars_slice(&symbol->bars, symbol->begin, symbol->end)
                                          : (struct bars){0};
        ledger_start(accounts->ledger, &setup);
    }
}

bool plan_run(struct plan *plan, const struct plan_run *run, struct sim_result *results)
{
    program_start(&plan->program);
    start_accounts(plan, run);
    if (!run_spans(plan, run))
        return false;
    for (size_t c = 0; c < plan->count; c++)
        ledger_end(plan->accounts[c / plan->lanes].ledger, (int)(c % plan->lanes), &results[c]);
    if (plan->setup.curves) {
        size_t bars = run->symbol->end - run->symbol->begin;
        struct metrics_curves curves = {.lanes = (int)plan->lanes,
                                        .equity = run->curves,
                                        .lane = plan->accounts[0].lanes,
                                        .benchmark = run->benchmark,
                                        .quantiles = true};
        struct sim_result sims[LANES_MAX];
        void *scratch = (unsigned char *)run->curves +
                        (bars * plan->lanes * sizeof(double) + 63) / 64 * 64;

        memcpy(sims, results, plan->count * sizeof *sims);
        metrics_from_curves(&curves, plan->setup.kernels, plan->setup.options, scratch, sims);
        memcpy(results, sims, plan->count * sizeof *sims);
    }
    return true;
}
