/* Commands on what a rule can say: check, indicators, metrics. */
#include <math.h>
#include <string.h>

#include "app/app.h"
#include "rule/prove.h"
#include "sim/sim.h"

/* ---- check ----------------------------------------------------------------------------------- */

static void print_number(struct buffer *out, double value, bool percent)
{
    if (percent)
        buffer_addf(out, "%.6g%%", value * 100);
    else
        buffer_add_double(out, value);
}

static void print_parameter(struct buffer *out, const struct rule_parameter *p)
{
    buffer_addf(out, "  %-16s ", p->name);
    print_number(out, p->value, p->percent);
    if (p->listed) {
        buffer_add_text(out, " in {");
        for (int i = 0; i < p->listed_count; i++) {
            buffer_add_text(out, i ? ", " : "");
            print_number(out, p->listed[i], p->percent);
        }
        buffer_add_char(out, '}');
    } else if (p->ranged) {
        buffer_add_text(out, " in ");
        print_number(out, p->low, p->percent);
        buffer_add_text(out, "..");
        print_number(out, p->high, p->percent);
        if (p->step > 0) {
            buffer_add_text(out, " step ");
            print_number(out, p->step, p->percent);
        }
    }
    buffer_addf(out, "%s, %zu value%s in a sweep\n", p->whole ? ", whole" : "", rule_walk_count(p),
                rule_walk_count(p) == 1 ? "" : "s");
}

static void print_inputs(struct buffer *out, const struct rule *rule)
{
    unsigned columns = rule_columns_read(rule);
    bool any = false;

    buffer_add_text(out, "inputs:     ");
    for (int c = 0; c < RULE_COLUMNS; c++)
        if (columns >> c & 1) {
            buffer_addf(out, "%s%s", any ? ", " : "", rule_column_name(c));
            any = true;
        }
    buffer_add_text(out, any ? "\n" : "none\n");
}

/* What --on has shown. */
struct proved {
    bool holds;
    size_t symbols, bars;
};

static void check_text(struct app *app, const struct rule *rule, const double *values,
                       const struct proved *proved, struct buffer *out)
{
    static const char *const signals[] = {"buy", "sell", "short", "cover"};
    char combinations[NUMBER_TEXT_BYTES];
    struct error broken;

    buffer_addf(out, "%s: %s\n", rule->name, rule->title[0] ? rule->title : "no errors");
    buffer_addf(out, "look-back:  %d bars\n", rule_lookback(rule, values));
    print_inputs(out, rule);
    buffer_add_text(out, "signals:    ");
    for (int s = 0; s < SIGNALS; s++)
        if (rule->signal[s] != NODE_NONE)
            buffer_addf(out, "%s ", signals[s]);
    buffer_addf(out, "\ncost:       %d operations a bar\n", rule_operation_count(rule));
    if (rule->parameter_count) {
        buffer_addf(out, "parameters: %s combinations in a sweep\n",
                    with_commas(rule_grid_combinations(rule), 0, false, combinations));
        for (int p = 0; p < rule->parameter_count; p++)
            print_parameter(out, &rule->parameters[p]);
    }
    if (rule_require_check(rule, values, &broken) != STATUS_OK)
        buffer_addf(out, "refused:    nothing runs with the parameters so: %s\n", broken.text);
    if (conf_flag(app->conf, OPT_EXPLAIN)) {
        buffer_add_char(out, '\n');
        rule_explain(rule, values, out);
    }
    if (proved)
        buffer_addf(out,
                    "proof:      no value of the rule knows a later bar (%zu symbols, %s bars)\n",
                    proved->symbols, with_commas((double)proved->bars, 0, false, combinations));
}

static void check_json(const struct rule *rule, const double *values, const struct proved *proved,
                       struct buffer *out)
{
    struct json json = {.out = *out};
    unsigned columns = rule_columns_read(rule);
    struct error broken;

    json_begin(&json, NULL, '{');
    json_text(&json, "rule", rule->name);
    json_int(&json, "lookback", rule_lookback(rule, values));
    json_int(&json, "operations", rule_operation_count(rule));
    json_begin(&json, "inputs", '[');
    for (int c = 0; c < RULE_COLUMNS; c++)
        if (columns >> c & 1)
            json_text(&json, NULL, rule_column_name(c));
    json_end(&json, ']');
    json_begin(&json, "parameters", '[');
    for (int p = 0; p < rule->parameter_count; p++) {
        const struct rule_parameter *q = &rule->parameters[p];

        json_begin(&json, NULL, '{');
        json_text(&json, "name", q->name);
        json_number(&json, "value", q->value);
        json_number(&json, "low", q->ranged ? q->low : (double)NAN);
        json_number(&json, "high", q->ranged ? q->high : (double)NAN);
        json_number(&json, "step", q->step > 0 ? q->step : (double)NAN);
        json_bool(&json, "whole", q->whole);
        json_bool(&json, "percent", q->percent);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_number(&json, "combinations", rule_grid_combinations(rule));
    json_text(&json, "warnings", rule_warnings(rule));
    if (rule_require_check(rule, values, &broken) != STATUS_OK)
        json_text(&json, "refused", broken.text);
    else
        json_null(&json, "refused");
    if (proved) {
        json_begin(&json, "proof", '{');
        json_bool(&json, "holds", proved->holds);
        json_int(&json, "symbols", (int64_t)proved->symbols);
        json_int(&json, "bars", (int64_t)proved->bars);
        json_end(&json, '}');
    }
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    *out = json.out;
}

/* Keeps the first difference of one symbol in the error. */
static enum status prove_symbol(const struct rule *rule, const double *values,
                                const struct kernels *kernels, struct snapshot *snapshot,
                                size_t symbol, struct arena *arena, const atomic_bool *stop,
                                size_t *bars_proved, struct error *err)
{
    struct proof proof = {0};
    struct bars bars;
    char text[1024];

    TRY(snapshot_bars(snapshot, symbol, &bars, err));
    TRY(rule_prove(&proof, arena, rule, values, kernels, &bars, 0, stop, err));
    *bars_proved += proof.bars;
    if (proof.holds)
        return STATUS_OK;
    proof_text(&proof, rule, text, sizeof text);
    return fail(err, STATUS_PARTIAL, "%s", text);
}

/* The proof against the future, over the symbols of a market. */
static enum status prove(struct app *app, const struct rule *rule, const double *values,
                         struct arena *arena, struct proved *proved, struct error *err)
{
    const struct kernels *kernels = kernels_select(conf_text(app->conf, OPT_ISA), LANES_WIDE);
    struct progress progress;
    struct snapshot *snapshot;
    struct market_name market;
    size_t *chosen, count;
    struct error cut;
    enum status status;

    if (!kernels)
        return fail(err, STATUS_USAGE, "--isa: this processor does not run it; base always does");
    TRY(rule_require_check(rule, values, err));
    TRY(app_market(app, conf_text(app->conf, OPT_ON), &market, err));
    TRY(snapshot_open(&snapshot, app->env, app->data, &market, err));
    status = app_symbols(app, snapshot, arena, &chosen, &count, err);
    if (status == STATUS_OK && count == 0)
        status = fail(err, STATUS_MISSING,
                      "the market is empty: there is nothing to prove the rule on");
    progress_begin(&progress, app, "symbols", status == STATUS_OK ? count : 0);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        size_t mark = arena_mark(arena);

        if (env_is_stopped(app->env)) {
            status = fail(err, STATUS_INTERRUPTED, "interrupted after %zu of %zu symbols", i,
                          count);
            break;
        }
        status = prove_symbol(rule, values, kernels, snapshot, chosen[i], arena, app->env->stop,
                              &proved->bars, err);
        if (status != STATUS_OK)
            error_prefix(err, "%s: ", snapshot_symbol_name(snapshot, chosen[i]));
        arena_reset(arena, mark);
        progress_update(&progress, i);
    }
    progress_end(&progress);
    if (snapshot_whole(snapshot, &cut) != STATUS_OK) { /* whatever else it led to */
        *err = cut;
        status = cut.status;
    }
    proved->holds = status == STATUS_OK;
    proved->symbols = count;
    snapshot_close(snapshot);
    return status;
}

static enum status check_rule(struct app *app, struct arena *arena, struct error *err)
{
    double values[RULE_PARAMETERS_MAX];
    bool set[RULE_PARAMETERS_MAX];
    const struct rule *rule;
    struct proved proved = {0}, *asked = conf_is_set(app->conf, OPT_ON) ? &proved : NULL;
    struct buffer out = {0};
    enum status status = STATUS_OK;

    TRY(app_rule(app, app->operands[0], arena, &rule, err));
    TRY(app_parameters(app, rule, values, set, err));
    if (rule_warnings(rule)[0])
        app_note("%s", rule_warnings(rule));
    if (asked)
        status = prove(app, rule, values, arena, asked, err);
    if (status != STATUS_OK && !(status == STATUS_PARTIAL && app->json))
        return status; /* a proof that failed is an answer to a program */
    if (conf_flag(app->conf, OPT_SOURCE)) {
        buffer_add(&out, rule->source.at, rule->source.length);
        TRY(app_write(&out, err));
        return status;
    }
    if (app->json)
        check_json(rule, values, asked, &out);
    else
        check_text(app, rule, values, asked, &out);
    TRY(app_print(app, &out, err));
    return status;
}

static enum status check_command(struct app *app, struct error *err)
{
    struct arena arena;
    enum status status;

    TRY(app_arena_open(&arena, err));
    status = check_rule(app, &arena, err);
    app_arena_close(&arena);
    return status;
}

const struct command command_check = {
    .name = "check",
    .operands = "RULE",
    .least = 1,
    .most = 1,
    .reads = true,
    .summary = "compile a rule: errors, look-back, parameters, cost, proof",
    .help = "All errors of the file are reported at once. With --on, the rule runs on truncated "
            "histories and one bar\n"
            "at a time, and every value is compared with the full run: any difference would be a "
            "look into the future.\n"
            "\n"
            "  harrier check mine.rule\n"
            "  harrier check rsi --source > mine.rule\n"
            "  harrier check mine.rule --explain\n"
            "  harrier check mine.rule --on sample/1d --symbols S001\n",
    .options = {OPT_ON, OPT_SYMBOLS, OPT_SET, OPT_EXPLAIN, OPT_SOURCE, OPT_ISA, OPT_JSON, OPT_DATA,
                OPT_HELP},
    .run = check_command,
};

/* ---- indicators ------------------------------------------------------------------------------ */

static void signature(const struct indicator *indicator, struct buffer *out)
{
    int count = 0;

    buffer_addf(out, "%s(", indicator->name);
    for (int i = 0; i < indicator->input_count; i++)
        if (indicator->inputs[i].kind == INPUT_REAL)
            buffer_addf(out, "%s%s", count++ ? ", " : "", indicator->inputs[i].name);
    for (int p = 0; p < indicator->parameter_count; p++)
        buffer_addf(out, "%s%s = %g", count++ ? ", " : "", indicator->parameters[p].name,
                    indicator->parameters[p].usual);
    buffer_add_char(out, ')');
}

static void describe_indicator(const struct indicator *indicator, struct buffer *out)
{
    signature(indicator, out);
    buffer_addf(out, "\n%s (%s)\n\n  %s\n", indicator->title, indicator->group,
                indicator->definition);
    for (int p = 0; p < indicator->parameter_count; p++) {
        const struct indicator_parameter *q = &indicator->parameters[p];

        buffer_addf(out, "  %-16s %g in %g..%g%s%s\n", q->name, q->usual, q->min, q->max,
                    q->aliases ? ", also called " : "", q->aliases ? q->aliases : "");
    }
    buffer_add_text(out, "  outputs         ");
    for (int o = 0; o < indicator->output_count; o++)
        buffer_addf(out, "%s%s%s%s%s", o ? ", " : " ", indicator->outputs[o].name,
                    indicator->outputs[o].aliases ? " (" : "",
                    indicator->outputs[o].aliases ? indicator->outputs[o].aliases : "",
                    indicator->outputs[o].aliases ? ")" : "");
    if (indicator->aliases)
        buffer_addf(out, "\n  also called      %s", indicator->aliases);
    if (indicator->formula)
        buffer_addf(out, "\n  in the language:\n%s", indicator->formula);
    buffer_addf(out, "\n  source           %s\n", indicator->source);
}

static void indicator_json(struct json *json, const struct indicator *indicator)
{
    json_begin(json, NULL, '{');
    json_text(json, "name", indicator->name);
    json_text(json, "title", indicator->title);
    json_text(json, "group", indicator->group);
    json_text(json, "definition", indicator->definition);
    json_begin(json, "inputs", '[');
    for (int i = 0; i < indicator->input_count; i++)
        json_text(json, NULL, indicator->inputs[i].name);
    json_end(json, ']');
    json_begin(json, "outputs", '[');
    for (int o = 0; o < indicator->output_count; o++)
        json_text(json, NULL, indicator->outputs[o].name);
    json_end(json, ']');
    json_begin(json, "parameters", '[');
    for (int p = 0; p < indicator->parameter_count; p++) {
        json_begin(json, NULL, '{');
        json_text(json, "name", indicator->parameters[p].name);
        json_number(json, "default", indicator->parameters[p].usual);
        json_number(json, "min", indicator->parameters[p].min);
        json_number(json, "max", indicator->parameters[p].max);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_end(json, '}');
}

static const struct sheet_column indicator_columns[] = {
    {"indicator", true, 0, false}, {"title", true, 0, false}, {"group", true, 1, false}};

static enum status list_indicators(struct app *app, struct error *err)
{
    struct json json = {0};
    struct buffer out = {0};
    struct sheet table;

    sheet_init(&table, indicator_columns, ARRAY_COUNT(indicator_columns));
    json_begin(&json, NULL, '{');
    json_begin(&json, "indicators", '[');
    for (size_t i = 0; i < indicator_count; i++) {
        struct buffer words = {0};

        if (indicators[i]->internal)
            continue;
        indicator_json(&json, indicators[i]);
        signature(indicators[i], &words);
        sheet_add(&table, "%s", buffer_text(&words));
        sheet_add(&table, "%s", indicators[i]->title);
        sheet_add(&table, "%s", indicators[i]->group);
        buffer_deinit(&words);
    }
    json_end(&json, ']');
    buffer_add_text(&json.out, "}\n");
    if (!app->json)
        sheet_print(&table, &out, app->width);
    out.failed |= table.failed;
    sheet_deinit(&table);
    return app_answer(app, &json, &out, err);
}

static enum status indicators_command(struct app *app, struct error *err)
{
    const struct indicator *indicator;
    struct buffer out = {0};
    const char *names[1024], *nearest;
    size_t count = 0;

    if (!app->operand_count)
        return list_indicators(app, err);
    indicator = indicator_find(text_of(app->operands[0]));
    if (indicator) {
        describe_indicator(indicator, &out);
        return app_print(app, &out, err);
    }
    for (size_t i = 0; i < indicator_count && count < ARRAY_COUNT(names); i++)
        names[count++] = indicators[i]->name;
    nearest = text_nearest(text_of(app->operands[0]), names, count);
    return fail(err, STATUS_USAGE, "unknown indicator `%s`%s%s%s: `harrier indicators` lists them",
                app->operands[0], nearest ? "; did you mean `" : "", nearest ? nearest : "",
                nearest ? "`?" : "");
}

const struct command command_indicators = {
    .name = "indicators",
    .operands = "[NAME]",
    .most = 1,
    .summary = "the indicators of the rule language",
    .help = "  harrier indicators\n"
            "  harrier indicators macd\n"
            "  harrier indicators --json\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = indicators_command,
};

/* ---- metrics --------------------------------------------------------------------------------- */

static const char *better_words(int better)
{
    return better > 0 ? "more" : better < 0 ? "less" : "";
}

static enum status metrics_command(struct app *app, struct error *err)
{
    struct json json = {0};
    struct buffer out = {0};

    json_begin(&json, NULL, '{');
    json_begin(&json, "metrics", '[');
    for (int m = 0; m < METRIC_COUNT; m++) {
        json_begin(&json, NULL, '{');
        json_text(&json, "name", metric_rows[m].name);
        json_text(&json, "title", metric_rows[m].title);
        json_text(&json, "better", better_words(metric_rows[m].better));
        json_text(&json, "formula", metric_rows[m].formula);
        json_end(&json, '}');
        buffer_addf(&out, "%-22s %-26s %s\n", metric_rows[m].name, metric_rows[m].title,
                    metric_rows[m].formula);
    }
    json_end(&json, ']');
    buffer_add_text(&json.out, "}\n");
    return app_answer(app, &json, &out, err);
}

const struct command command_metrics = {
    .name = "metrics",
    .summary = "the metrics of a backtest, with their formulas",
    .help = "E equity at the closes, C closes, A bars a year, r returns of equity, P profits of "
            "closed trades after fees,\n"
            "R the same as a share of their value at entry.\n"
            "\n"
            "  harrier metrics\n"
            "  harrier backtest rsi --on sample/1d --sort sharpe\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = metrics_command,
};
