/* Grids: reading axes, and counting. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sweep/sweep.h"

void grid_init(struct grid *grid, const struct rule *rule, const double *values)
{
    *grid = (struct grid){.rule = rule, .combinations = 1};
    memcpy(grid->fixed, values, (size_t)rule->parameter_count * sizeof *values);
}

void grid_values(const struct grid *grid, uint64_t combination, double values[RULE_PARAMETERS_MAX])
{
    for (int p = grid->rule->parameter_count - 1; p >= 0; p--) {
        const struct grid_axis *axis = &grid->axes[p];

        values[p] = axis->count ? axis->values[combination % axis->count] : grid->fixed[p];
        combination /= MAX(axis->count, (size_t)1);
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

/* What a user wrote, as far as a sentence can hold it. */
enum { SHOWN_BYTES = 60 };

struct shown {
    char text[SHOWN_BYTES + sizeof "…"];
};

static struct shown show(struct text text)
{
    struct shown shown;
    size_t length = MIN(text.length, (size_t)SHOWN_BYTES);

    while (length < text.length && length > 0 && (text.at[length] & 0xC0) == 0x80)
        length--; /* no half of a character */
    snprintf(shown.text, sizeof shown.text, "%.*s%s", (int)length, text.at,
             length < text.length ? "…" : "");
    return shown;
}

struct reading {
    const struct rule_parameter *parameter;
    struct shown source; /* the whole axis, for messages */
    struct error *err;
};

/* A number as a user writes it: percent parameters with their sign.  5% is 5 for now. */
static enum status read_number(const struct reading *reading, struct text text, double *number)
{
    const struct rule_parameter *parameter = reading->parameter;

    text = text_trim(text);
    bool percent = text.length > 0 && text.at[text.length - 1] == '%';
    text.length -= percent;
    if (percent != parameter->percent)
        return fail(reading->err, STATUS_USAGE,
                    parameter->percent ? "grid \"%s\": %s is a percent; write for example 5%%"
                                       : "grid \"%s\": %s is no percent; write for example 5",
                    reading->source.text, parameter->name);
    if (!text_to_double(text, number))
        return fail(reading->err, STATUS_USAGE, "grid \"%s\": \"%s\" is not a number",
                    reading->source.text, show(text).text);
    return STATUS_OK;
}

/* The number that a person would have typed: 0.07, where 0.01 + 6 * 0.01 is 0.069999999999999993.
 * Percent become shares last, as in the rule language. */
static double axis_value(const struct reading *reading, double number)
{
    char text[DOUBLE_TEXT_BYTES];
    double clean = number;

    snprintf(text, sizeof text, "%.12g", number);
    text_to_double(text_of(text), &clean);
    return reading->parameter->percent ? clean / 100 : clean;
}

static bool cut_at(struct text text, const char *mark, struct text *before, struct text *after)
{
    size_t length = strlen(mark);

    for (size_t i = 0; i + length <= text.length; i++)
        if (!memcmp(text.at + i, mark, length)) {
            *before = (struct text){text.at, i};
            *after = (struct text){text.at + i + length, text.length - i - length};
            return true;
        }
    return false;
}

static enum status axis_of_list(const struct reading *reading, struct arena *arena,
                                struct text list, struct grid_axis *axis)
{
    size_t count = 1;
    struct text item, rest = list;
    double *values;

    for (size_t i = 0; i < list.length; i++)
        count += list.at[i] == ',';
    if (count > RULE_LISTED_MAX)
        return fail(reading->err, STATUS_LIMIT, "grid of %s: a list of %zu values; the limit is %d",
                    reading->parameter->name, count, RULE_LISTED_MAX);
    values = ARENA_ARRAY(arena, double, count);
    if (!values)
        return fail(reading->err, STATUS_MEMORY, "no memory for a grid of %zu values", count);
    for (size_t i = 0; i < count; i++) {
        double number;

        if (!cut_at(rest, ",", &item, &rest))
            item = rest;
        TRY(read_number(reading, item, &number));
        values[i] = reading->parameter->percent ? number / 100 : number;
        for (size_t j = 0; j < i; j++)
            if (values[j] == values[i])
                return fail(reading->err, STATUS_USAGE, "grid \"%s\": \"%s\" is there twice",
                            reading->source.text, show(text_trim(item)).text);
    }
    axis->values = values;
    axis->count = count;
    return STATUS_OK;
}

static enum status axis_of_range(const struct reading *reading, struct arena *arena,
                                 struct text range, struct grid_axis *axis)
{
    const struct rule_parameter *parameter = reading->parameter;
    struct text low_text, high_text, step_text;
    double low, high, step = parameter->step * (parameter->percent ? 100 : 1);
    double *values;

    if (!cut_at(range, "..", &low_text, &high_text))
        return fail(reading->err, STATUS_USAGE,
                    "grid \"%s\": expected %s=LOW..HIGH, %s=LOW..HIGH:STEP or %s={A, B, …}",
                    reading->source.text, parameter->name, parameter->name, parameter->name);
    if (cut_at(high_text, ":", &high_text, &step_text))
        TRY(read_number(reading, step_text, &step));
    else if (step == 0 && parameter->whole)
        step = 1;
    TRY(read_number(reading, low_text, &low));
    TRY(read_number(reading, high_text, &high));
    if (!(step > 0))
        return fail(reading->err, STATUS_USAGE,
                    "grid \"%s\": which step?  Write %s=LOW..HIGH:STEP with a step above 0",
                    reading->source.text, parameter->name);
    if (!(low <= high))
        return fail(reading->err, STATUS_USAGE, "grid \"%s\": it begins above its end",
                    reading->source.text);
    double count = floor((high - low) / step + 1e-9) + 1;
    if (!(count <= GRID_AXIS_VALUES_MAX))
        return fail(reading->err, STATUS_LIMIT,
                    "grid \"%s\": %.6g values; a parameter has at most %d: take a larger step",
                    reading->source.text, count, GRID_AXIS_VALUES_MAX);
    values = ARENA_ARRAY(arena, double, (size_t)count);
    if (!values)
        return fail(reading->err, STATUS_MEMORY, "no memory for a grid of %.0f values", count);
    for (size_t i = 0; i < (size_t)count; i++)
        values[i] = axis_value(reading, low + (double)i * step);
    axis->values = values;
    axis->count = (size_t)count;
    return STATUS_OK;
}

/* ---- adding --------------------------------------------------------------------------------- */

static enum status axis_add(struct grid *grid, const struct grid_axis *axis, struct error *err)
{
    ASSERT(axis->count > 0);
    for (size_t i = 0; i < axis->count; i++)
        TRY(rule_parameter_check(grid->rule, axis->parameter, axis->values[i], err));
    if (grid->combinations > RULE_GRID_MAX / axis->count)
        return fail(err, STATUS_LIMIT, "the grid has more than %d combinations; take a larger step",
                    RULE_GRID_MAX);
    grid->combinations *= axis->count;
    grid->axes[axis->parameter] = *axis;
    return STATUS_OK;
}

enum status grid_add(struct grid *grid, struct arena *arena, struct text source, struct error *err)
{
    struct text name, range;
    struct grid_axis axis = {0};

    if (!cut_at(source, "=", &name, &range))
        return fail(err, STATUS_USAGE,
                    "grid \"%s\": expected NAME=LOW..HIGH[:STEP] or NAME={A, B, …}",
                    show(source).text);
    range = text_trim(range);
    axis.parameter = rule_parameter_find(grid->rule, text_trim(name), err);
    if (axis.parameter < 0)
        return STATUS_USAGE;

    struct reading reading = {&grid->rule->parameters[axis.parameter], show(source), err};
    bool list = range.length >= 2 && range.at[0] == '{' && range.at[range.length - 1] == '}';

    if (grid->axes[axis.parameter].count)
        return fail(err, STATUS_USAGE, "grid \"%s\": %s is there twice", show(source).text,
                    reading.parameter->name);
    if (list)
        TRY(axis_of_list(&reading, arena, (struct text){range.at + 1, range.length - 2}, &axis));
    else
        TRY(axis_of_range(&reading, arena, range, &axis));
    return axis_add(grid, &axis, err);
}

enum status grid_add_ranges(struct grid *grid, struct arena *arena, const bool *set,
                            struct error *err)
{
    for (int p = 0; p < grid->rule->parameter_count; p++) {
        const struct rule_parameter *parameter = &grid->rule->parameters[p];
        struct grid_axis axis = {.parameter = p, .count = rule_walk_count(parameter)};
        double *values;

        if (axis.count < 2 || grid->axes[p].count || (set && set[p]))
            continue;
        if (axis.count > GRID_AXIS_VALUES_MAX)
            return fail(err, STATUS_LIMIT,
                        "%s: its range has %zu values; a parameter has at most %d: give --grid "
                        "with a larger step",
                        parameter->name, axis.count, GRID_AXIS_VALUES_MAX);
        axis.values = values = ARENA_ARRAY(arena, double, axis.count);
        if (!values)
            return fail(err, STATUS_MEMORY, "no memory for a grid of %zu values", axis.count);
        for (size_t i = 0; i < axis.count; i++)
            values[i] = rule_walk_value(parameter, i);
        TRY(axis_add(grid, &axis, err));
    }
    return STATUS_OK;
}
