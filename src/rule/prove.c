/* The proof against the future.  It trusts no kernel: it changes what comes later and looks. */
#include "rule/prove.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct prover {
    const struct rule *rule;
    struct rule all; /* the rule with a named value for each operation */
    const struct bars *bars;
    int64_t zone_offset_ms;
    struct program *whole, *single, *cut;
    size_t cuts[LANES_MAX]; /* first bar that lane l does not see */
    struct proof *proof;
};

static bool is_compared(const struct node *node)
{
    return node->kind == NODE_OUTPUT || (node->kind == NODE_OP && node->slot == NODE_NONE);
}

static bool name_all(struct prover *p, struct arena *arena)
{
    struct rule_value *values;
    int count = 0;

    for (int n = 0; n < p->rule->node_count; n++)
        count += is_compared(&p->rule->nodes[n]);
    values = ARENA_ARRAY(arena, struct rule_value, (size_t)count);
    if (!values)
        return false;
    p->all = *p->rule;
    p->all.values = values;
    p->all.value_count = 0;
    for (int n = 0; n < p->rule->node_count; n++)
        if (is_compared(&p->rule->nodes[n]))
            values[p->all.value_count++].node = n;
    return true;
}

/* ---- feeding --------------------------------------------------------- */

/* Of a bar that nobody may have looked at. */
static double absurd(size_t bar)
{
    static const double values[] = {1e300, NAN, 1e-300};

    return values[bar % ARRAY_COUNT(values)];
}

static double column_of(const struct prover *p, enum rule_column column, size_t bar, bool hidden)
{
    if (hidden)
        return absurd(bar);
    if (column <= COLUMN_VOLUME)
        return p->bars->column[column][bar];
    if (column == COLUMN_BAR_INDEX)
        return (double)bar;
    return rule_column_of_time(column, p->bars->time[bar], p->zone_offset_ms);
}

static void run_block(const struct prover *p, struct program *program, size_t begin, size_t count)
{
    for (int c = 0; c < RULE_COLUMNS; c++)
        for (size_t t = 0; (program->columns >> c & 1) && t < count; t++)
            for (int l = 0; l < program->lanes; l++)
                program->column[c][t * (size_t)program->lanes + (size_t)l] = column_of(
                    p, (enum rule_column)c, begin + t,
                    program == p->cut && begin + t >= p->cuts[l]);
    program_block(program, count);
}

/* ---- comparing ------------------------------------------------------- */

static double value_at(const struct program *program, int value, size_t bar, int lane)
{
    if (program->value[value].at)
        return program->value[value].at[bar * program->value[value].step + (size_t)lane];
    return (double)(program->value_condition[value][lane] >> bar & 1);
}

static bool same(double a, double b)
{
    uint64_t bits_a, bits_b;

    memcpy(&bits_a, &a, sizeof bits_a);
    memcpy(&bits_b, &b, sizeof bits_b);
    return bits_a == bits_b || (isnan(a) && isnan(b));
}

/* Bar `at` of the whole run's block against bar `other_at` of another's. */
static bool compare(struct prover *p, size_t bar, size_t at, const struct program *other,
                    size_t other_at, int lane)
{
    for (int v = 0; v < p->all.value_count; v++) {
        double with = value_at(p->whole, v, at, 0), without = value_at(other, v, other_at, lane);
        const struct node *node = &p->rule->nodes[p->all.values[v].node];

        if (same(with, without))
            continue;
        *p->proof = (struct proof){.way = other == p->cut ? PROOF_CUT : PROOF_BAR_BY_BAR,
                                   .node = p->all.values[v].node,
                                   .line = node->line,
                                   .column = node->column,
                                   .bar = bar,
                                   .with_later = with,
                                   .without = without};
        return false;
    }
    return true;
}

static bool compare_block(struct prover *p, size_t begin, size_t count)
{
    run_block(p, p->whole, begin, count);
    run_block(p, p->cut, begin, count);
    for (size_t t = 0; t < count; t++) {
        run_block(p, p->single, begin + t, 1);
        if (!compare(p, begin + t, t, p->single, 0, 0))
            return false;
        for (int l = 0; l < p->cut->lanes; l++)
            if (begin + t < p->cuts[l] && !compare(p, begin + t, t, p->cut, t, l))
                return false;
    }
    return true;
}

/* Spread over the bars, a different place of the block in each lane. */
static void choose_cuts(struct prover *p)
{
    size_t lanes = (size_t)p->cut->lanes;

    for (size_t l = 0; l < lanes; l++)
        p->cuts[l] = p->bars->count * (l + 1) / (lanes + 1) + (7 * l + 1) % BLOCK_BARS;
}

enum status rule_prove(struct proof *proof, struct arena *arena, const struct rule *rule,
                       const double *parameters, const struct kernels *kernels,
                       const struct bars *bars, int64_t zone_offset_ms, const atomic_bool *stop,
                       struct error *err)
{
    struct prover *p = ARENA_NEW(arena, struct prover);
    double(*lanes)[LANES_MAX] = arena_alloc(arena,
                                            sizeof *lanes * (size_t)MAX(rule->parameter_count, 1));
    struct program_setup setup = {
        .kernels = kernels, .parameters = (const double(*)[LANES_MAX])lanes, .values = true};

    if (p)
        p->rule = rule;
    if (!p || !lanes || !name_all(p, arena))
        return fail(err, STATUS_MEMORY, "no memory for the proof of %s", rule->name);
    for (int i = 0; i < rule->parameter_count; i++)
        for (int l = 0; l < LANES_MAX; l++)
            lanes[i][l] = parameters[i];
    p->bars = bars;
    p->zone_offset_ms = zone_offset_ms;
    p->proof = proof;
    TRY(program_new(&p->whole, arena, &p->all, &setup, err));
    TRY(program_new(&p->single, arena, &p->all, &setup, err));
    TRY(program_new(&p->cut, arena, &p->all, &setup, err));
    choose_cuts(p);
    program_start(p->whole);
    program_start(p->single);
    program_start(p->cut);
    *proof = (struct proof){.node = NODE_NONE};
    for (size_t begin = 0; begin < bars->count; begin += BLOCK_BARS) {
        if (stop && atomic_load_explicit(stop, memory_order_relaxed))
            return fail(err, STATUS_INTERRUPTED, "interrupted after %zu of %zu bars", begin,
                        bars->count);
        if (!compare_block(p, begin, MIN((size_t)BLOCK_BARS, bars->count - begin)))
            return STATUS_OK;
    }
    *proof = (struct proof){
        .holds = true, .bars = bars->count, .values = p->all.value_count, .node = NODE_NONE};
    return STATUS_OK;
}

void proof_text(const struct proof *proof, const struct rule *rule, char *text, size_t bytes)
{
    char with[DOUBLE_TEXT_BYTES], without[DOUBLE_TEXT_BYTES];

    if (proof->holds) {
        snprintf(text, bytes, "%s: %d values on %zu bars: none changes with a later bar",
                 rule->name, proof->values, proof->bars);
        return;
    }
    double_to_text(proof->with_later, with);
    double_to_text(proof->without, without);
    snprintf(text, bytes, "%s:%d:%d: this sees the future: its value on bar %zu is %s, but %s %s",
             rule->name, proof->line, proof->column, proof->bar, with, without,
             proof->way == PROOF_CUT ? "when later bars are others"
                                     : "when later bars are not there yet");
}
