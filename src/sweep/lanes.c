/* Puts symbols of different lengths on one time line. */
#include "sweep/lanes.h"

#include <math.h>
#include <string.h>

size_t lanes_edge_bytes(void)
{
    return sizeof(double) * LANES_MAX * BLOCK_BARS;
}

void lanes_init(struct lanes *lanes, const struct batch_symbol *symbols, const uint32_t *order,
                int used, int width, void *edge)
{
    *lanes = (struct lanes){.width = width, .used = used, .edge = edge};
    for (int l = 0; l < used; l++)
        lanes->history = MAX(lanes->history, symbols[order[l]].begin);
    lanes->whole_to = SIZE_MAX;
    for (int l = 0; l < width; l++) {
        const struct batch_symbol *symbol = &symbols[order[MIN(l, used - 1)]];

        lanes->bars[l] = symbol->bars;
        lanes->bars[l].count = symbol->end;
        lanes->late[l] = lanes->history - symbol->begin;
        lanes->end[l] = lanes->late[l] + symbol->end;
        lanes->steps = MAX(lanes->steps, lanes->end[l]);
        lanes->whole_from = MAX(lanes->whole_from, lanes->late[l]);
        lanes->whole_to = MIN(lanes->whole_to, lanes->end[l]);
    }
}

void lanes_cut(const struct lanes *lanes, size_t step, uint64_t cut[LANES_MAX])
{
    for (int l = 0; l < lanes->width; l++) {
        size_t left = lanes->end[l] > step ? lanes->end[l] - step : 0;

        cut[l] = l >= lanes->used ? 0 : left >= BLOCK_BARS ? UINT64_MAX : ((uint64_t)1 << left) - 1;
    }
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* The same step of every lane is a bar of its own. */
static void fill_whole(const struct lanes *lanes, const struct kernels *kernels,
                       enum bar_column column, size_t step, size_t bar_count, double *out)
{
    const double *from[LANES_MAX];

    for (int l = 0; l < lanes->width; l++)
        from[l] = lanes->bars[l].column[column] + (step - lanes->late[l]);
    kernels->transpose(out, from, 0, bar_count);
}

static int64_t clock_offset(const struct bars *bars, size_t bar)
{
    return bars->market ? rule_clock_offset_ms(bars->market, bars->time[bar]) : 0;
}

static double bar_column(const struct bars *bars, enum rule_column column, size_t bar)
{
    if ((int)column < BAR_COLUMNS)
        return bars->column[column][bar];
    return column == COLUMN_BAR_INDEX
               ? (double)bar
               : rule_column_of_time(column, bars->time[bar], clock_offset(bars, bar));
}

static void fill_edge(const struct lanes *lanes, enum rule_column column, int lane, size_t step,
                      size_t bar_count)
{
    const struct bars *bars = &lanes->bars[lane];

    for (size_t t = 0; t < bar_count; t++) {
        size_t at = step + t;

        lanes->edge[lane][t] = at < lanes->late[lane]
                                   ? (double)NAN
                                   : bar_column(bars, column,
                                                MIN(at - lanes->late[lane], bars->count - 1));
    }
}

void lanes_column(const struct lanes *lanes, const struct kernels *kernels, enum rule_column column,
                  size_t step, size_t bar_count, double *out)
{
    const double *from[LANES_MAX];
    bool stored = (int)column < BAR_COLUMNS;

    if (stored && step >= lanes->whole_from && step + bar_count <= lanes->whole_to) {
        fill_whole(lanes, kernels, (enum bar_column)column, step, bar_count, out);
        return;
    }
    for (int l = 0; l < lanes->width; l++) {
        bool own = stored && step >= lanes->late[l] && step + bar_count <= lanes->end[l];

        if (l >= lanes->used) {
            from[l] = from[lanes->used - 1];
            continue;
        }
        from[l] = own ? lanes->bars[l].column[column] + (step - lanes->late[l]) : lanes->edge[l];
        if (!own)
            fill_edge(lanes, column, l, step, bar_count);
    }
    kernels->transpose(out, from, 0, bar_count);
}

/* ---- late lanes ----------------------------------------------------------------------------- */

/* A node is EARLY if it may be defined, or true, on a bar on which all columns are NaN.  Only what
 * keeps state can carry such a bar's mark into the lane's own bars. */
static bool op_is_early(const struct rule *rule, const struct node *node, const bool *early)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    bool all = true, any = false;

    for (int i = 0; i < row->inputs; i++)
        all &= rule->nodes[node->input[i]].type == TYPE_NUMBER || early[node->input[i]];
    for (int i = 0; i < row->conditions; i++)
        any |= early[node->when[i]];
    switch (node->kernel) {
    case KERNEL_NZ:
    case KERNEL_IF:
    case KERNEL_ISNAN:
    case KERNEL_NOT:
    case KERNEL_COUNT:
        return true;
    default:
        return row->inputs ? all || any : any;
    }
}

static bool op_minds(const struct rule *rule, const struct node *node, const bool *early,
                     const struct kernels *kernels)
{
    const struct kernel_row *row = &kernel_rows[node->kernel];
    bool minds = node->kernel == KERNEL_COUNT; /* counts the bars that there were */

    if (!kernels->functions[node->kernel]->state_bytes)
        return false;
    for (int i = 0; i < row->inputs; i++)
        minds |= rule->nodes[node->input[i]].type == TYPE_NUMBER || early[node->input[i]];
    for (int i = 0; i < row->conditions; i++)
        minds |= early[node->when[i]];
    /* crossover(x, 30): the level is a constant, and the other side NaN. */
    if ((node->kernel == KERNEL_CROSSOVER || node->kernel == KERNEL_CROSSUNDER) &&
        !(early[node->input[0]] && early[node->input[1]]))
        minds = false;
    return minds;
}

bool rule_may_begin_late(const struct rule *rule, const struct kernels *kernels)
{
    bool *early = mem_zero((size_t)rule->node_count, sizeof *early);
    bool may = early != NULL;

    for (int n = 0; n < rule->node_count && may; n++) {
        const struct node *node = &rule->nodes[n];

        if (node->type == TYPE_NUMBER) {
            early[n] = true;
        } else if (node->kind == NODE_OUTPUT) {
            early[n] = early[node->input[0]];
        } else if (node->kind == NODE_OP) {
            early[n] = op_is_early(rule, node, early);
            may = !op_minds(rule, node, early, kernels);
        }
    }
    mem_free(early);
    return may;
}
