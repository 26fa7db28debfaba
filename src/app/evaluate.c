/* Runs expressions over one symbol with the narrow kernels; all lanes hold the same bars. */
#include "app/evaluate.h"

#include <string.h>

#include "rule/program.h"

enum { EVALUATED_COLUMNS_MAX = 256 };

static double column_value(const struct evaluation *e, enum rule_column column, size_t bar)
{
    if ((int)column < BAR_COLUMNS)
        return e->bars.column[column][bar];
    if (column == COLUMN_BAR_INDEX)
        return (double)(bar - e->begin);
    return rule_column_of_time(column, e->bars.time[bar],
                               rule_clock_offset_ms(e->bars.market, e->bars.time[bar]));
}

static void fill_block(const struct evaluation *e, struct program *program, size_t begin,
                       size_t count)
{
    for (int c = 0; c < RULE_COLUMNS; c++) {
        if (!(program->columns >> c & 1))
            continue;
        for (size_t t = 0; t < count; t++) {
            double value = column_value(e, c, begin + t);

            for (int l = 0; l < program->lanes; l++)
                program->column[c][t * (size_t)program->lanes + (size_t)l] = value;
        }
    }
}

static void take_block(const struct program *program, int value_count, double *const *values,
                       size_t begin, size_t count)
{
    for (int v = 0; v < value_count; v++)
        for (size_t t = 0; t < count; t++)
            values[v][begin + t] = program->value_condition[v]
                                       ? (double)(program->value_condition[v][0] >> t & 1)
                                       : program->value[v].at[t * program->value[v].step];
}

static bool is_taken(const struct evaluation *e, const char *name)
{
    static const char *const taken[] = {"time", "open", "high", "low", "close", "volume"};

    for (size_t i = 0; i < ARRAY_COUNT(taken); i++)
        if (!strcmp(taken[i], name))
            return true;
    for (size_t c = 0; c < e->column_count; c++)
        if (!strcmp(e->columns[c].name, name))
            return true;
    return false;
}

/* A name that stands twice would be one key of JSON, and one column of pandas, for two things: the
 * outputs of a second macd are called `macd(close, 5).macd`. */
static enum status name_column(struct evaluation *e, struct arena *arena, const char *expression,
                               const char *name, struct error *err)
{
    struct buffer full = {0};

    if (is_taken(e, name)) {
        buffer_addf(&full, "%s.%s", expression, name);
        name = strcmp(expression, name) ? arena_copy_text(arena, full.at, full.length) : name;
        buffer_deinit(&full);
        if (!name)
            return fail(err, STATUS_MEMORY, "no memory");
        if (is_taken(e, name))
            return fail(err, STATUS_USAGE,
                        "--with %s: there is a column of this name already; give it once",
                        expression);
    }
    e->columns[e->column_count++].name = name;
    return STATUS_OK;
}

static enum status run(const struct env *env, struct evaluation *e, struct arena *arena,
                       const char *expression, const struct rule *rule,
                       const struct kernels *kernels, struct error *err)
{
    struct program_setup setup = {.kernels = kernels, .parameters = NULL, .values = true};
    double **values = ARENA_ARRAY(arena, double *, (size_t)rule->value_count + 1);
    struct program *program;

    if (!values)
        return fail(err, STATUS_MEMORY, "no memory");
    for (int v = 0; v < rule->value_count; v++) {
        struct evaluated_column *column = &e->columns[e->column_count];

        TRY(name_column(e, arena, expression, rule->values[v].name, err));
        column->values = values[v] = ARENA_ARRAY(arena, double, e->bars.count + 1);
        if (!column->values)
            return fail(err, STATUS_MEMORY, "no memory for a column of %zu bars", e->bars.count);
    }
    TRY(program_new(&program, arena, rule, &setup, err));
    program_start(program);
    for (size_t bar = e->begin; bar < e->end; bar += BLOCK_BARS) {
        size_t count = MIN((size_t)BLOCK_BARS, e->end - bar);

        if (env_is_stopped(env))
            return fail(err, STATUS_INTERRUPTED, "interrupted");
        fill_block(e, program, bar, count);
        program_block(program, count);
        take_block(program, rule->value_count, values, bar, count);
    }
    return STATUS_OK;
}

enum status evaluate_expressions(struct app *app, struct evaluation *e, struct arena *arena,
                                 struct error *err)
{
    const char *isa = conf_text(app->conf, OPT_ISA);
    const struct kernels *kernels = kernels_select(isa, LANES_NARROW);

    if (!kernels)
        return fail(err, STATUS_USAGE, "--isa %s: this processor does not run it; base always does",
                    isa);
    e->columns = ARENA_ARRAY(arena, struct evaluated_column, EVALUATED_COLUMNS_MAX);
    if (!e->columns)
        return fail(err, STATUS_MEMORY, "no memory");
    for (size_t i = 0; i < conf_list_count(app->conf, OPT_WITH); i++) {
        const char *expression = conf_list(app->conf, OPT_WITH, i);
        const struct rule *rule;

        TRY(rule_compile_expression(&rule, arena, text_of(expression), err));
        if (e->column_count + (size_t)rule->value_count > EVALUATED_COLUMNS_MAX)
            return fail(err, STATUS_LIMIT, "--with: more than %d columns", EVALUATED_COLUMNS_MAX);
        TRY(run(app->env, e, arena, expression, rule, kernels, err));
    }
    return STATUS_OK;
}
