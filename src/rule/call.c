/* Calls: arguments by place and by name, indicators, formula indicators and `def`, which are read
 * again with their arguments bound to names. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

/* ---- names ----------------------------------------------------------- */

struct named *name_find(struct compiler *c, struct text name)
{
    for (size_t i = c->name_count; i > c->local_names; i--)
        if (text_equal(c->names[i - 1].name, name))
            return &c->names[i - 1];
    for (size_t i = 0; i < MIN(c->visible_names, c->local_names); i++)
        if (text_equal(c->names[i].name, name))
            return &c->names[i];
    return NULL;
}

bool name_push(struct compiler *c, const struct named *name)
{
    if (!grow(c, (void **)&c->names, &c->name_capacity, c->name_count, sizeof *c->names))
        return false;
    c->names[c->name_count++] = *name;
    return true;
}

/* The nearest of a list that grows one by one: text_nearest over pairs would lose the best. */
struct nearest {
    struct text word;
    const char *best;
    unsigned distance;
};

static void consider(struct nearest *nearest, const char *name)
{
    unsigned distance;

    if (nearest->word.length < 2 || !text_nearest(nearest->word, &name, 1))
        return; /* every letter is near to every other */
    distance = text_distance(nearest->word, text_of(name));
    if (!nearest->best || distance < nearest->distance) {
        nearest->best = name;
        nearest->distance = distance;
    }
}

static void consider_text(struct nearest *nearest, struct text name,
                          char buffer[RULE_NAME_BYTES_MAX])
{
    char copy[RULE_NAME_BYTES_MAX];
    const char *before = nearest->best;

    snprintf(copy, sizeof copy, "%.*s", TEXT_ARG(name));
    consider(nearest, copy);
    if (nearest->best != before) {
        memcpy(buffer, copy, sizeof copy);
        nearest->best = buffer;
    }
}

/* Lives in `c->nearest` until the next search. */
const char *name_nearest(struct compiler *c, struct text word, bool want_functions)
{
    struct nearest nearest = {.word = word};
    const char *names[64];
    size_t count = function_names(names, ARRAY_COUNT(names));

    if (want_functions) {
        for (size_t i = 0; i < MIN(c->def_count, c->visible_defs); i++)
            consider_text(&nearest, c->defs[i].name, c->nearest);
        for (size_t i = 0; i < indicator_count; i++)
            if (!indicators[i]->internal)
                consider(&nearest, indicators[i]->name);
        for (size_t i = 0; i < count; i++)
            consider(&nearest, names[i]);
        return nearest.best;
    }
    for (size_t i = 0; i < c->name_count; i++)
        if (i >= c->local_names || i < c->visible_names)
            consider_text(&nearest, c->names[i].name, c->nearest);
    for (int i = 0; i < RULE_COLUMNS; i++)
        consider(&nearest, rule_column_name((enum rule_column)i));
    consider(&nearest, "hl2");
    consider(&nearest, "hlc3");
    consider(&nearest, "ohlc4");
    return nearest.best;
}

/* ---- reading arguments ----------------------------------------------- */

struct argument {
    struct text name; /* .at NULL: by place */
    struct place name_place;
    struct value value;
    struct text word; /* a text, without its quotes */
    struct place place;
};

struct arguments {
    struct argument at[FORMALS_MAX];
    int count;
    struct place place; /* of the call: its name, then to its bracket */
};

static bool read_argument(struct compiler *c, struct argument *argument)
{
    *argument = (struct argument){.place = c->token.place};
    if (c->token.kind == TOKEN_NAME && token_after(c).kind == TOKEN_ASSIGN) {
        argument->name = c->token.place.text;
        argument->name_place = c->token.place;
        advance(c);
        advance(c);
    }
    if (c->token.kind == TOKEN_TEXT) {
        struct text text = c->token.place.text;

        argument->place = c->token.place;
        argument->word = (struct text){text.at + 1, text.length - 2};
        advance(c);
    } else {
        argument->value = read_expression(c);
        argument->place = argument->value.place.text.at ? argument->value.place : argument->place;
    }
    return !c->panic;
}

static bool read_arguments(struct compiler *c, struct arguments *arguments)
{
    struct place open = c->token.place;
    char expected[96];

    advance(c);
    while (c->token.kind != TOKEN_ROUND_CLOSE) {
        if (arguments->count == FORMALS_MAX) {
            complain(c, c->token.place, NULL, "no function takes more than %d arguments",
                     FORMALS_MAX);
            c->panic = true;
            return false;
        }
        if (!read_argument(c, &arguments->at[arguments->count++]))
            return false;
        if (c->token.kind != TOKEN_ROUND_CLOSE && !accept(c, TOKEN_COMMA)) {
            snprintf(expected, sizeof expected, "`,` or `)` for the `(` of line %d, column %d",
                     open.line, open.column);
            unexpected(c, expected);
            return false;
        }
    }
    advance(c);
    arguments->place = place_to_here(c, arguments->place);
    return true;
}

/* ---- binding --------------------------------------------------------- */

static bool is_one_of(struct text name, const char *words)
{
    while (words && *words) {
        size_t length = strcspn(words, " ");

        if (text_equal(name, (struct text){words, length}))
            return true;
        words += length + (words[length] == ' ');
    }
    return false;
}

static int formal_find(const struct signature *signature, struct text name)
{
    for (int i = 0; i < signature->count; i++)
        if (text_is(name, signature->formals[i].name) ||
            is_one_of(name, signature->formals[i].aliases))
            return i;
    return -1;
}

/* Reports with the signature behind the caret.  Always false. */
static bool refuse_call(struct compiler *c, struct place place, const struct signature *signature,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

static bool refuse_call(struct compiler *c, struct place place, const struct signature *signature,
                        const char *format, ...)
{
    char sentence[400], hint[400];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    signature_words(signature, hint, sizeof hint);
    complain(c, place, hint, "%s", sentence);
    return false;
}

static bool takes_word(enum argument_kind kind)
{
    return kind == ARGUMENT_WORD || kind == ARGUMENT_MATYPE;
}

static bool check_constant(struct compiler *c, const struct signature *signature,
                           const struct formal *formal, const struct argument *argument)
{
    struct limit_words limit = {formal->least, formal->most, formal->kind != ARGUMENT_REAL,
                                signature->name, formal->name};
    const struct value *value = &argument->value;

    if (formal->kind == ARGUMENT_MATYPE && value->kind == VALUE_NUMBER &&
        c->graph.nodes[value->node].kind != NODE_LITERAL)
        return refuse_call(c, argument->place, signature,
                           "`%s` of `%s` is written out: another type is another rule",
                           formal->name, signature->name);
    return want_constant(c, value, &limit);
}

/* What is wrong with an argument of the wrong type. */
static bool refuse_type(struct compiler *c, const struct signature *signature,
                        const struct formal *formal, const struct argument *argument)
{
    char who[96];

    snprintf(who, sizeof who, "`%s` of `%s`", formal->name, signature->name);
    if (formal->kind == ARGUMENT_CONDITION)
        return want_condition(c, &argument->value, who);
    if (formal->kind == ARGUMENT_COLUMN && argument->value.kind == VALUE_NUMBER)
        return refuse_call(
            c, argument->place, signature,
            "`%s` needs values that change from bar to bar, such as a price, and this "
            "is %s",
            signature->name, value_words(&argument->value));
    want_single(c, &argument->value, who);
    return false;
}

static bool check_argument(struct compiler *c, const struct signature *signature, int index,
                           const struct argument *argument)
{
    const struct formal *formal = &signature->formals[index];
    enum value_kind kind = argument->value.kind;
    bool fits;

    if (argument->word.at && !takes_word(formal->kind))
        return refuse_call(c, argument->place, signature, "`%s` of `%s` is no text", formal->name,
                           signature->name);
    if (!argument->word.at && formal->kind == ARGUMENT_WORD)
        return refuse_call(c, argument->place, signature, "`%s` of `%s` is a text in quotes",
                           formal->name, signature->name);
    if (argument->word.at)
        return true;
    switch (formal->kind) {
    case ARGUMENT_VALUE:
        fits = kind == VALUE_NUMBER || kind == VALUE_COLUMN;
        break;
    case ARGUMENT_COLUMN:
        fits = kind == VALUE_COLUMN;
        break;
    case ARGUMENT_CONDITION:
        fits = kind == VALUE_CONDITION;
        break;
    case ARGUMENT_EITHER:
        fits = kind == VALUE_NUMBER || kind == VALUE_COLUMN || kind == VALUE_CONDITION;
        break;
    default:
        return check_constant(c, signature, formal, argument);
    }
    return fits || refuse_type(c, signature, formal, argument);
}

static bool bind_one(struct compiler *c, const struct signature *signature,
                     const struct argument *argument, int index, struct bound *bound)
{
    if (index < 0)
        return refuse_call(c, argument->name_place, signature, "`%s` has no argument `%.*s`",
                           signature->name, TEXT_ARG(argument->name));
    if (bound->given[index])
        return refuse_call(c, argument->place, signature, "`%s` of `%s` is given twice",
                           signature->formals[index].name, signature->name);
    bound->given[index] = true;
    bound->value[index] = argument->value;
    bound->word[index] = argument->word;
    return check_argument(c, signature, index, argument);
}

static bool bind_missing(struct compiler *c, const struct signature *signature, struct bound *bound)
{
    for (int i = 0; i < signature->count; i++) {
        const struct formal *formal = &signature->formals[i];

        if (bound->given[i])
            continue;
        if (!formal->optional)
            return refuse_call(c, bound->place, signature, "`%s` needs `%s`", signature->name,
                               formal->name);
        bound->value[i] = number_value(c, formal->usual, bound->place);
    }
    return true;
}

/* `rsi(14)`: the price was left out. */
static bool forgot_price(const struct signature *signature, const struct arguments *arguments)
{
    return arguments->count > 0 && signature->count > 1 && !arguments->at[0].name.at &&
           signature->formals[0].kind == ARGUMENT_COLUMN &&
           arguments->at[0].value.kind == VALUE_NUMBER;
}

static bool bind(struct compiler *c, const struct signature *signature,
                 const struct arguments *arguments, struct bound *bound)
{
    bool fine = true, named = false;

    *bound = (struct bound){.place = arguments->place};
    if (forgot_price(signature, arguments))
        return refuse_call(c, arguments->at[0].place, signature,
                           "`%s` needs its values first, as in `%s(close, …)`", signature->name,
                           signature->name);
    for (int i = 0; i < arguments->count; i++) {
        const struct argument *argument = &arguments->at[i];
        int index = argument->name.at ? formal_find(signature, argument->name) : i;

        if (!argument->name.at && named)
            return refuse_call(c, argument->place, signature,
                               "an argument without a name comes after one with a name");
        if (!argument->name.at && i >= signature->count)
            return refuse_call(c, argument->place, signature, "`%s` takes %d argument%s",
                               signature->name, signature->count, signature->count == 1 ? "" : "s");
        named = named || argument->name.at;
        fine = bind_one(c, signature, argument, index, bound) && fine;
    }
    return fine && bind_missing(c, signature, bound);
}

/* ---- reading again, with names bound --------------------------------- */

/* What a `def` or a formula sees, and what comes back after it. */
struct scope {
    struct lexer lexer;
    struct token token;
    const char *taken_end;
    size_t name_count, local_names, visible_names, visible_defs;
    const struct indicator *formula;
    struct text inlined;
    struct place call_place;
};

static void scope_enter(struct compiler *c, struct scope *outer, struct lexer body,
                        struct place call)
{
    *outer = (struct scope){c->lexer,       c->token,         c->taken_end,    c->name_count,
                            c->local_names, c->visible_names, c->visible_defs, c->formula,
                            c->inlined,     c->call_place};
    if (!c->inlined.at && !c->formula)
        c->call_place = call;
    c->local_names = c->name_count;
    c->lexer = body;
    lexer_next(&c->lexer, &c->token);
}

static void scope_leave(struct compiler *c, const struct scope *outer)
{
    c->lexer = outer->lexer;
    c->token = outer->token;
    c->taken_end = outer->taken_end;
    c->name_count = outer->name_count;
    c->local_names = outer->local_names;
    c->visible_names = outer->visible_names;
    c->visible_defs = outer->visible_defs;
    c->formula = outer->formula;
    c->inlined = outer->inlined;
    c->call_place = outer->call_place;
}

static bool bind_name(struct compiler *c, const char *name, const struct value *value)
{
    struct named named = {.name = text_of(name), .value = *value, .parameter = -1, .used = true};

    return name_push(c, &named);
}

static enum unit unit_of_output(const struct indicator *row, const struct bound *bound)
{
    bool has_real = row->input_count > 0 && row->inputs[0].kind == INPUT_REAL;
    bool of_window = !row->formula &&
                     (row->kernel == KERNEL_HIGHEST || row->kernel == KERNEL_LOWEST);

    if (row->percent_scaled)
        return UNIT_SCALED;
    if (!of_window && !text_is(text_of(row->group), "overlap"))
        return UNIT_PLAIN;
    return has_real ? bound->value[0].unit : UNIT_PRICE;
}

static struct value indicator_value(struct compiler *c, const struct indicator *row,
                                    const int outputs[KERNEL_OUTPUTS_MAX],
                                    const struct bound *bound)
{
    struct value value = node_value(c, outputs[0], unit_of_output(row, bound), bound->place);

    for (int i = 0; i < row->output_count; i++)
        if (outputs[i] == NODE_NONE)
            return wrong_value();
    memcpy(value.outputs, outputs, sizeof value.outputs);
    value.indicator = row;
    if (row->output_count > 1)
        value.kind = VALUE_SEVERAL;
    return value;
}

/* `NAME = EXPRESSION` lines. */
static void read_formula_lines(struct compiler *c)
{
    while (!c->panic && c->token.kind != TOKEN_END) {
        struct named named = {
            .name = c->token.place.text, .parameter = -1, .used = true, .place = c->token.place};

        if (accept(c, TOKEN_NEWLINE))
            continue;
        if (!expect(c, TOKEN_NAME, "a name") || !expect(c, TOKEN_ASSIGN, "`=`"))
            return;
        named.value = read_expression(c);
        if (!c->panic && !at_end_of_statement(c))
            unexpected(c, "the end of the line");
        if (c->panic || !name_push(c, &named))
            return;
    }
}

static struct value expand_formula(struct compiler *c, const struct indicator *row,
                                   const struct bound *bound)
{
    struct scope outer;
    struct lexer body;
    int outputs[KERNEL_OUTPUTS_MAX] = {NODE_NONE, NODE_NONE, NODE_NONE}, argument = 0;
    bool fine = true;

    if (!enter(c, bound->place))
        return wrong_value();
    lexer_init(&body, text_of(row->formula));
    scope_enter(c, &outer, body, bound->place);
    c->formula = row;
    c->visible_names = c->visible_defs = 0;
    for (int i = 0; i < row->input_count; i++)
        if (row->inputs[i].kind == INPUT_REAL)
            fine = fine && bind_name(c, row->inputs[i].name, &bound->value[argument++]);
    for (int i = 0; i < row->parameter_count; i++)
        fine = fine && bind_name(c, row->parameters[i].name, &bound->value[argument++]);
    if (fine)
        read_formula_lines(c);
    for (int i = 0; i < row->output_count && !c->panic; i++) {
        struct named *output = name_find(c, text_of(row->outputs[i].name));

        if (!output)
            complain(c, bound->place, NULL, "the formula does not say `%s`", row->outputs[i].name);
        else if (want_single(c, &output->value, row->outputs[i].name))
            outputs[i] = output->value.node;
    }
    scope_leave(c, &outer);
    c->nesting--;
    return c->panic ? wrong_value() : indicator_value(c, row, outputs, bound);
}

struct value call_indicator(struct compiler *c, const struct indicator *row,
                            const struct bound *bound)
{
    static const enum rule_column columns[] = {[INPUT_OPEN] = COLUMN_OPEN,
                                               [INPUT_HIGH] = COLUMN_HIGH,
                                               [INPUT_LOW] = COLUMN_LOW,
                                               [INPUT_CLOSE] = COLUMN_CLOSE,
                                               [INPUT_VOLUME] = COLUMN_VOLUME};
    struct op_inputs inputs = {.indicator = row};
    int outputs[KERNEL_OUTPUTS_MAX] = {NODE_NONE, NODE_NONE, NODE_NONE}, argument = 0;

    if (row->formula)
        return expand_formula(c, row, bound);
    for (int i = 0; i < row->input_count; i++)
        inputs.input[i] = row->inputs[i].kind == INPUT_REAL
                              ? bound->value[argument++].node
                              : column_value(c, columns[row->inputs[i].kind], bound->place).node;
    for (int i = 0; i < row->parameter_count; i++)
        inputs.parameter[i] = bound->value[argument++].node;
    outputs[0] = op_value(c, row->kernel, &inputs, UNIT_PLAIN, bound->place).node;
    for (int i = 1; i < row->output_count; i++)
        outputs[i] = graph_output(&c->graph, outputs[0], i, bound->place);
    return indicator_value(c, row, outputs, bound);
}

struct value read_with_period(struct compiler *c, const char *text, const struct value *period,
                              struct place place)
{
    struct scope outer;
    struct lexer body;
    struct value value = wrong_value();

    if (!enter(c, place))
        return value;
    lexer_init(&body, text_of(text));
    scope_enter(c, &outer, body, place);
    c->visible_names = c->visible_defs = 0;
    if (bind_name(c, "timeperiod", period))
        value = read_expression(c);
    scope_leave(c, &outer);
    c->nesting--;
    value.place = place;
    return value;
}

/* ---- `def` ----------------------------------------------------------- */

static const struct def *def_find(const struct compiler *c, struct text name)
{
    for (size_t i = MIN(c->visible_defs, c->def_count); i > 0; i--)
        if (text_equal(c->defs[i - 1].name, name))
            return &c->defs[i - 1];
    return NULL;
}

static bool def_arguments_fit(struct compiler *c, const struct def *def,
                              const struct arguments *arguments)
{
    if (arguments->count != def->parameter_count) {
        complain(c, arguments->place, NULL, "`%.*s` (line %d) takes %d argument%s, not %d",
                 TEXT_ARG(def->name), def->place.line, def->parameter_count,
                 def->parameter_count == 1 ? "" : "s", arguments->count);
        return false;
    }
    for (int i = 0; i < arguments->count; i++) {
        bool known = !arguments->at[i].name.at;

        for (int k = 0; k < def->parameter_count; k++)
            known = known || text_equal(arguments->at[i].name, def->parameters[k]);
        if (!known || arguments->at[i].word.at) {
            complain(c, arguments->at[i].place, NULL,
                     known ? "`%.*s` takes no text" : "`%.*s` has no such argument",
                     TEXT_ARG(def->name));
            return false;
        }
    }
    return true;
}

/* The value of each parameter: those with a name first, the others in order. */
static bool def_bind(struct compiler *c, const struct def *def, const struct arguments *arguments)
{
    for (int k = 0; k < def->parameter_count; k++) {
        const struct argument *found = NULL;
        struct named named = {.name = def->parameters[k], .parameter = -1, .used = true};

        for (int i = 0; i < arguments->count; i++) {
            const struct argument *a = &arguments->at[i];

            if (a->name.at ? text_equal(a->name, def->parameters[k]) : i == k)
                found = found ? NULL : a;
        }
        if (!found) {
            complain(c, arguments->place, NULL, "`%.*s` needs `%.*s` once", TEXT_ARG(def->name),
                     TEXT_ARG(def->parameters[k]));
            return false;
        }
        named.value = found->value;
        named.place = found->place;
        if (!name_push(c, &named))
            return false;
    }
    return true;
}

static struct value call_def(struct compiler *c, const struct def *found,
                             const struct arguments *arguments)
{
    struct def def = *found; /* the list may move */
    struct scope outer;
    struct value value = wrong_value();

    if (def.broken || !def_arguments_fit(c, &def, arguments) || !enter(c, arguments->place))
        return value;
    scope_enter(c, &outer, def.body, arguments->place);
    if (def_bind(c, &def, arguments)) {
        c->inlined = def.name;
        c->visible_names = def.visible_names;
        c->visible_defs = (size_t)(found - c->defs);
        value = read_expression(c);
    }
    scope_leave(c, &outer);
    c->nesting--;
    value.place = arguments->place;
    value.fresh_comparison = false;
    return value;
}

/* ---- which function it is -------------------------------------------- */

static void unknown_function(struct compiler *c, struct token name)
{
    struct text text = name.place.text;
    const char *nearest = name_nearest(c, text, true), *scanner = function_scanner_words(text);
    struct signature signature;
    char hint[400] = "";

    if (scanner) {
        complain(c, name.place, NULL, "%s", scanner);
        return;
    }
    if (c->defining.at && text_equal(text, c->defining)) {
        complain(c, name.place, NULL, "the function `%.*s` calls itself: a def cannot",
                 TEXT_ARG(text));
        return;
    }
    if (nearest && signature_of(text_of(nearest), &signature))
        signature_words(&signature, hint, sizeof hint);
    if (nearest)
        complain(c, name.place, hint, "unknown %s `%.*s`; did you mean `%s`?",
                 !def_find(c, text_of(nearest)) && indicator_find(text_of(nearest)) ? "indicator"
                                                                                    : "function",
                 TEXT_ARG(text), nearest);
    else if (name_find(c, text))
        complain(c, name.place, NULL, "`%.*s` is a value, not a function; `[1]` looks one bar back",
                 TEXT_ARG(text));
    else
        complain(c, name.place, NULL, "unknown function `%.*s`", TEXT_ARG(text));
}

struct value read_call(struct compiler *c, struct token name)
{
    struct arguments arguments = {.place = name.place};
    const struct def *def = def_find(c, name.place.text);
    const struct function *function = def ? NULL : function_find(name.place.text);
    const struct indicator *row = def || function ? NULL : indicator_find(name.place.text);
    struct signature signature;
    struct bound bound;

    if (!def && !function && !row)
        unknown_function(c, name);
    if (!read_arguments(c, &arguments))
        return wrong_value();
    if (def)
        return call_def(c, def, &arguments);
    if (!function && !row)
        return wrong_value();
    signature_of(name.place.text, &signature);
    if (!bind(c, &signature, &arguments, &bound))
        return wrong_value();
    return function ? call_function(c, function, &bound) : call_indicator(c, row, &bound);
}
