/* Drafts the program of a plan, and binds accounts to what it keeps. */
#include "sweep/plan.h"

#include <string.h>

#include "rule/program_bind.h"
#include "sweep/layout.h"
#include "sweep/ruleplan.h"

/* Words and levels of a span: a part of a core's second-level cache. */
static const size_t SPAN_BYTES = 256 * 1024, SPAN_BLOCKS_MAX = 64;

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
    struct layouts layouts;
    double (*values)[RULE_PARAMETERS_MAX]; /* [combination] */
    size_t *first;                         /* [node]: where its values begin in `value` */
    int *value;                            /* [node, group]: value of the draft */
    const double **row;                    /* [node]: of a number that no swept parameter changes */
    struct draft draft;
    struct place *path; /* [node]: from a root to the value at work */
    struct kept_spread *spreads;
    size_t spread_count, spread_capacity;
    bool full; /* no memory */
};

static void *take(struct planner *planner, size_t bytes)
{
    void *memory = planner->full ? NULL : arena_alloc(planner->arena, bytes);

    planner->full |= !memory;
    return memory;
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
    const struct layout *layout = layout_of(&planner->layouts, input);
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
    const struct lane_group *group = &layout_of(&planner->layouts, at.node)->groups[at.group];
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
    bool same = !(plan->rule->nodes[node].depends & planner->layouts.swept);
    double *row;

    if (same && planner->row[node])
        return planner->row[node];
    row = take(planner, sizeof *row * LANES_MAX);
    for (size_t l = 0; l < LANES_MAX && row; l++)
        row[l] = same && l ? row[0]
                           : rule_number(plan->rule, node, planner->values[combination[l]]);
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
    const struct lane_group *group = &layout_of(&planner->layouts, at.node)->groups[at.group];

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
        groups = MAX(groups, layout_of(&planner->layouts, roots[r])->group_count);
    for (size_t g = 0; g < groups && !planner->full; g++)
        for (int r = 0; r < count; r++)
            if (g < layout_of(&planner->layouts, roots[r])->group_count)
                draft_root(planner, roots[r], g);
    /* Last: nothing reads the copy but the ledger. */
    for (int l = 0; l < LEVELS && !planner->full; l++)
        if (level_is_column(rule, l) && rule->nodes[rule->level[l].node].kind == NODE_COLUMN)
            copy_column(planner, rule->level[l].node);
}

/* ---- accounts ------------------------------------------------------------------------------- */

static size_t kept_lane(const struct planner *planner, int node, size_t combination)
{
    uint32_t place = layout_of(&planner->layouts, node)->place[combination];
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
                                                        planner->values[group.combination[l]]);
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
    size_t kept = program_kept_bytes(&plan->program);

    plan->account_count = (plan->count + plan->lanes - 1) / plan->lanes;
    plan->accounts = take(planner, plan->account_count * sizeof *plan->accounts);
    for (size_t g = 0; g < plan->account_count && !planner->full; g++)
        make_account_group(planner, g);
    plan->edge = take(planner, lanes_edge_bytes());
    plan->kept_bytes = kept;
    plan->span_blocks = MAX((size_t)1, MIN(SPAN_BYTES / MAX(kept, (size_t)1), SPAN_BLOCKS_MAX));
    for (int s = 0; s < PLAN_STORES; s++)
        plan->store[s] = take(planner, MAX(plan->span_blocks * kept, (size_t)64));
}

/* ---- making a plan -------------------------------------------------------------------------- */

/* A place for the value of every node in every group of its lanes. */
static void number_values(struct planner *planner)
{
    size_t values = 0;

    for (int n = 0; n < planner->plan->rule->node_count; n++) {
        planner->first[n] = values;
        if (planner->layouts.of[n] >= 0)
            values += layout_of(&planner->layouts, n)->group_count;
    }
    planner->value = take(planner, values * sizeof *planner->value);
    for (size_t v = 0; v < values && !planner->full; v++)
        planner->value[v] = VALUE_NONE;
}

static void planner_init(struct planner *planner)
{
    const struct plan *plan = planner->plan;
    size_t nodes = (size_t)plan->rule->node_count;

    planner->layouts = (struct layouts){.grid = plan->setup.grid,
                                        .combinations = plan->setup.combinations,
                                        .count = plan->count,
                                        .lanes = plan->lanes,
                                        .arena = planner->arena};
    planner->values = take(planner, plan->count * sizeof *planner->values);
    planner->first = take(planner, nodes * sizeof *planner->first);
    planner->row = take(planner, nodes * sizeof *planner->row);
    planner->path = take(planner, nodes * sizeof *planner->path);
    if (planner->full || !layouts_make(&planner->layouts)) {
        planner->full = true;
        return;
    }
    for (size_t c = 0; c < plan->count; c++)
        grid_values(plan->setup.grid, plan->setup.combinations[c], planner->values[c]);
    number_values(planner);
}

static enum status make_plan(struct planner *planner, struct error *err)
{
    planner_init(planner);
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
    struct planner planner = {.plan = made, .arena = arena};
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
