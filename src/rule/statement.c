/* Statements: one a line, each by a function of its own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

/* ---- names that a file gives ----------------------------------------- */

/* Takes a name that may be given to something, or reports why not. */
static bool take_new_name(struct compiler *c, struct place *place, const char *what)
{
    const struct token *token = &c->token;
    enum word_kind kind = word_kind(token->word);

    *place = token->place;
    if (token->kind != TOKEN_NAME) {
        unexpected(c, what);
        return false;
    }
    if (kind == WORD_IS_STATEMENT)
        complain(c, token->place, NULL,
                 "`%s` begins a statement, so nothing else can have that name",
                 word_text(token->word));
    else if (kind == WORD_IS_OPERATOR)
        complain(c, token->place, NULL,
                 "`%s` is a word of the language, so nothing else can have that name",
                 word_text(token->word));
    else if (kind != WORD_IS_NAME)
        complain(c, token->place, NULL,
                 "`%s` is a column of every bar, so nothing else can have that name",
                 word_text(token->word));
    else if (token->place.text.length >= RULE_NAME_BYTES_MAX)
        complain(c, token->place, NULL, "a name has at most %d letters", RULE_NAME_BYTES_MAX - 1);
    if (kind != WORD_IS_NAME || token->place.text.length >= RULE_NAME_BYTES_MAX) {
        c->panic = true;
        return false;
    }
    advance(c);
    return true;
}

static bool check_unnamed(struct compiler *c, struct place place)
{
    const struct named *before = name_find(c, place.text);

    if (!before)
        return true;
    complain(c, place, NULL, "`%.*s` has been named in line %d; a name is given once",
             TEXT_ARG(place.text), before->place.line);
    return false;
}

static bool give_name(struct compiler *c, struct place place, const struct value *value,
                      int parameter)
{
    struct named named = {
        .name = place.text, .value = *value, .parameter = parameter, .place = place};

    if (c->name_count >= RULE_VALUES_MAX + RULE_PARAMETERS_MAX) {
        complain(c, place, NULL, "a rule names at most %d values", RULE_VALUES_MAX);
        c->stopped = true;
        return false;
    }
    named.value.fresh_comparison = false;
    named.value.indicator = NULL;
    return name_push(c, &named);
}

/* ---- param ----------------------------------------------------------- */

/* A number that is written out: -1, 5%, 2020-01-31. */
static bool read_literal(struct compiler *c, double *number, bool *percent)
{
    bool negative = accept(c, TOKEN_MINUS);

    if (c->token.kind != TOKEN_NUMBER) {
        unexpected(c, "a number");
        return false;
    }
    *number = negative ? -c->token.number : c->token.number;
    advance(c);
    *percent = accept(c, TOKEN_PERCENT);
    if (*percent)
        *number /= 100;
    return true;
}

static bool read_like_default(struct compiler *c, const struct rule_parameter *p, double *number)
{
    struct place place = c->token.place;
    bool percent;

    if (!read_literal(c, number, &percent))
        return false;
    if (percent != p->percent) {
        complain(c, place_to_here(c, place), NULL,
                 p->percent ? "the default is a percent, so this is one too: write `%%` behind it"
                            : "the default is no percent, so this is none either");
        return false;
    }
    return true;
}

static bool read_range(struct compiler *c, struct rule_parameter *p, struct place place)
{
    struct place step_place;

    p->ranged = true;
    if (!read_like_default(c, p, &p->low) ||
        !expect(c, TOKEN_RANGE, "`..` and the end of the range") ||
        !read_like_default(c, p, &p->high))
        return false;
    if (p->low > p->high) {
        complain(c, place_to_here(c, place), NULL, "the range begins above its end");
        return false;
    }
    if (!accept_word(c, "step")) {
        /* Whole numbers are walked one by one; a range of reals is not walked. */
        if (!p->percent && p->low == floor(p->low) && p->high == floor(p->high) &&
            p->value == floor(p->value))
            p->step = 1;
        return true;
    }
    step_place = c->token.place;
    if (!read_like_default(c, p, &p->step))
        return false;
    if (!(p->step > 0))
        complain(c, place_to_here(c, step_place), NULL, "a step is more than 0");
    return p->step > 0;
}

static bool read_list(struct compiler *c, struct rule_parameter *p, struct buffer *listed)
{
    struct place open = c->token.place;
    double number;

    advance(c);
    do {
        struct place place = c->token.place;

        if (!read_like_default(c, p, &number))
            return false;
        for (int i = 0; i < p->listed_count && !listed->failed; i++)
            if (p->listed[i] == number) {
                complain(c, place_to_here(c, place), NULL, "this value is there twice");
                return false;
            }
        if (p->listed_count == RULE_LISTED_MAX) {
            complain(c, open, NULL, "a list has at most %d values; write a range with a step",
                     RULE_LISTED_MAX);
            return false;
        }
        buffer_add(listed, (const char *)&number, sizeof number);
        p->listed_count++;
        p->listed = (const double *)(const void *)listed->at;
    } while (accept(c, TOKEN_COMMA));
    if (listed->failed) {
        c->graph.failed = STATUS_MEMORY;
        check_stop(c, open);
        return false;
    }
    return expect(c, TOKEN_CURLY_CLOSE, "`,` or `}`");
}

static bool default_allowed(const struct rule_parameter *p)
{
    if (p->ranged)
        return p->value >= p->low && p->value <= p->high;
    for (int i = 0; i < p->listed_count; i++)
        if (p->listed[i] == p->value)
            return true;
    return p->listed_count == 0;
}

static void read_param(struct compiler *c)
{
    struct place place, value_place, in_place;
    struct rule_parameter *p = &c->parameters[c->parameter_count];
    bool fine = true;

    if (!take_new_name(c, &place, "the parameter's name") ||
        !expect(c, TOKEN_ASSIGN, "`=` and the default"))
        return;
    if (c->parameter_count == RULE_PARAMETERS_MAX) {
        complain(c, place, NULL, "a rule has at most %d parameters", RULE_PARAMETERS_MAX);
        c->panic = true;
        return;
    }
    *p = (struct rule_parameter){.least = -RULE_PARAMETER_MOST, .most = RULE_PARAMETER_MOST};
    snprintf(p->name, sizeof p->name, "%.*s", TEXT_ARG(place.text));
    value_place = c->token.place;
    p->date = c->token.date;
    if (!read_literal(c, &p->value, &p->percent))
        return;
    value_place = place_to_here(c, value_place);
    in_place = c->token.place;
    if (c->token.word == WORD_IN) {
        advance(c);
        fine = c->token.kind == TOKEN_CURLY_OPEN ? read_list(c, p, &c->listed[c->parameter_count])
                                                 : read_range(c, p, in_place);
    }
    if (!fine || c->panic) { /* it is known all the same, so that its uses are no errors */
        *p = (struct rule_parameter){.least = -RULE_PARAMETER_MOST,
                                     .most = RULE_PARAMETER_MOST,
                                     .value = p->value,
                                     .percent = p->percent,
                                     .date = p->date};
        snprintf(p->name, sizeof p->name, "%.*s", TEXT_ARG(place.text));
    } else if (!default_allowed(p)) {
        complain(c, value_place, NULL, "the default is outside of what `in` allows");
    }
    if (check_unnamed(c, place)) {
        int index = c->parameter_count++;
        struct value value = node_value(c, graph_parameter(&c->graph, index, place),
                                        p->percent ? UNIT_PERCENT : UNIT_PLAIN, place);

        c->parameter_places[index] = place;
        give_name(c, place, &value, index);
    }
    c->panic = c->panic || !fine;
}

/* ---- require, def, NAME = … ------------------------------------------ */

static bool push_int(struct compiler *c, struct growing_ints *list, int number)
{
    if (!grow(c, (void **)&list->at, &list->capacity, list->count, sizeof *list->at))
        return false;
    list->at[list->count++] = number;
    return true;
}

static void read_require(struct compiler *c)
{
    struct value value = read_whole_expression(c);

    if (c->panic || !want_condition(c, &value, "`require`"))
        return;
    if (!c->graph.facts[value.node].is_static) {
        complain(c, value.place, NULL,
                 "`require` speaks of parameters alone; this changes from bar to bar");
        return;
    }
    if (c->graph.facts[value.node].number == 0)
        message_warning(&c->messages, value.place, "the default parameters do not fulfil this");
    if (c->require.count == RULE_VALUES_MAX)
        complain(c, value.place, NULL, "a rule has at most %d `require`s", RULE_VALUES_MAX);
    else
        push_int(c, &c->require, value.node);
}

static bool read_def_head(struct compiler *c, struct def *def)
{
    struct place place;

    if (!take_new_name(c, &def->place, "the function's name") ||
        !expect(c, TOKEN_ROUND_OPEN, "`(`"))
        return false;
    def->name = def->place.text;
    while (c->token.kind != TOKEN_ROUND_CLOSE) {
        if (def->parameter_count == DEF_PARAMETERS_MAX) {
            complain(c, c->token.place, NULL, "a function takes at most %d arguments",
                     DEF_PARAMETERS_MAX);
            c->panic = true;
            return false;
        }
        if (!take_new_name(c, &place, "an argument's name"))
            return false;
        for (int i = 0; i < def->parameter_count; i++)
            if (text_equal(def->parameters[i], place.text))
                complain(c, place, NULL, "`%.*s` stands here twice", TEXT_ARG(place.text));
        def->parameters[def->parameter_count++] = place.text;
        if (c->token.kind != TOKEN_ROUND_CLOSE && !expect(c, TOKEN_COMMA, "`,` or `)`"))
            return false;
    }
    advance(c);
    if (c->token.kind != TOKEN_ASSIGN) {
        unexpected(c, "`=` and an expression");
        return false;
    }
    return true;
}

static void note_hidden(struct compiler *c, const struct def *def)
{
    struct signature signature;

    if (signature_of(def->name, &signature))
        message_note(&c->messages, def->place,
                     "from here on `%.*s` is this function, not the built-in one",
                     TEXT_ARG(def->name));
}

/* The body is checked at once with arguments of which nothing is known, and again at every call. */
static void read_def(struct compiler *c)
{
    struct def def = {0};
    int errors = c->messages.error_count;
    size_t name_count = c->name_count, local_names = c->local_names;

    if (!read_def_head(c, &def))
        return;
    def.body = c->lexer;
    def.visible_names = c->name_count;
    for (size_t i = 0; i < c->def_count; i++)
        if (text_equal(c->defs[i].name, def.name))
            complain(c, def.place, NULL, "the function `%.*s` has been defined in line %d",
                     TEXT_ARG(def.name), c->defs[i].place.line);
    advance(c);
    c->visible_names = c->name_count;
    c->local_names = c->name_count;
    for (int i = 0; i < def.parameter_count; i++)
        if (!name_push(c, &(struct named){.name = def.parameters[i],
                                          .value = wrong_value(),
                                          .parameter = -1,
                                          .place = def.place}))
            return;
    c->defining = def.name;
    read_whole_expression(c);
    c->defining = (struct text){0};
    c->name_count = name_count;
    c->local_names = local_names;
    c->visible_names = 0;
    def.broken = c->messages.error_count > errors;
    note_hidden(c, &def);
    if (c->def_count == RULE_VALUES_MAX) {
        complain(c, def.place, NULL, "a rule defines at most %d functions", RULE_VALUES_MAX);
        c->stopped = true;
    } else if (grow(c, (void **)&c->defs, &c->def_capacity, c->def_count, sizeof *c->defs)) {
        c->defs[c->def_count++] = def;
        c->visible_defs = c->def_count;
    }
}

static void name_outputs(struct compiler *c, struct place *names, int count,
                         const struct value *value)
{
    const struct indicator *row = value->indicator;

    if (value->kind != VALUE_WRONG && (value->kind != VALUE_SEVERAL || row->output_count != count))
        complain(c, names[0], NULL, "%d name%s for %s%s%d value%s", count, count == 1 ? "" : "s",
                 row ? row->name : "", row ? ", which gives " : "",
                 value->kind == VALUE_SEVERAL ? row->output_count : 1,
                 value->kind == VALUE_SEVERAL ? "s; `_` stands for one that is not wanted" : "");
    for (int i = 0; i < count; i++) {
        bool fits = value->kind == VALUE_SEVERAL && row->output_count == count;
        struct value output = fits ? node_value(c, value->outputs[i], value->unit, names[i])
                                   : wrong_value();

        if (!text_is(names[i].text, "_") && check_unnamed(c, names[i]))
            give_name(c, names[i], &output, -1);
    }
}

static void read_assignment(struct compiler *c)
{
    struct place names[8];
    int count = 0;
    struct value value;

    do {
        if (count == ARRAY_COUNT(names)) {
            complain(c, c->token.place, NULL, "no function gives so many values");
            c->panic = true;
            return;
        }
        if (!take_new_name(c, &names[count++], "a name"))
            return;
    } while (accept(c, TOKEN_COMMA));
    if (!expect(c, TOKEN_ASSIGN, "`=`"))
        return;
    value = read_whole_expression(c);
    if (count > 1) {
        name_outputs(c, names, count, &value);
        return;
    }
    if (value.kind == VALUE_SEVERAL) {
        want_single(c, &value, "");
        value = wrong_value();
    }
    if (text_is(names[0].text, "_"))
        complain(c, names[0], NULL, "`_` alone names nothing");
    else if (check_unnamed(c, names[0]))
        give_name(c, names[0], &value, -1);
}

/* ---- what to do when ------------------------------------------------- */

static bool said_twice(struct compiler *c, struct place before, struct place now, const char *what,
                       const char *instead)
{
    if (!before.text.at)
        return false;
    complain(c, now, NULL, "`%s` has been said in line %d; %s", what, before.line, instead);
    return true;
}

static void read_signal(struct compiler *c, enum rule_signal signal, struct place place)
{
    static const char *const names[] = {"buy", "sell", "short", "cover"};
    char who[32];
    struct value value;

    if (said_twice(c, c->signal_places[signal], place, names[signal],
                   "join the conditions with `or`"))
        c->panic = true;
    c->signal_places[signal] = place;
    snprintf(who, sizeof who, "`%s when`", names[signal]);
    if (c->token.word != WORD_WHEN) {
        char expected[32];

        snprintf(expected, sizeof expected, "`when` after `%s`", names[signal]);
        unexpected(c, expected);
        return;
    }
    advance(c);
    value = read_whole_expression(c);
    if (!c->panic && want_condition(c, &value, who))
        c->signal[signal] = value.node;
}

/* A share that is written out, or a default, must make sense. */
static bool share_makes_sense(struct compiler *c, const struct value *value, const char *what,
                              double most)
{
    const struct fact *fact = &c->graph.facts[value->node];

    if (fact->is_static && !(fact->number > 0 && fact->number <= most)) {
        complain(c, value->place, NULL, "%s is more than 0 %% and at most %g %%; this is %g %%",
                 what, most * 100, fact->number * 100);
        return false;
    }
    return true;
}

static void read_level(struct compiler *c, enum rule_level level, struct place place)
{
    static const char *const names[] = {"stop", "target", "trail"};
    struct value value;
    char who[16];

    snprintf(who, sizeof who, "`%s`", names[level]);
    if (said_twice(c, c->level[level].place, place, names[level], "there is one of each"))
        c->panic = true;
    c->level[level].place = place;
    value = read_whole_expression(c);
    if (c->panic || !want_single(c, &value, who))
        return;
    if (value.unit == UNIT_PERCENT &&
        !share_makes_sense(c, &value, who, level == LEVEL_TARGET ? 1000 : 1))
        return;
    if (value.unit != UNIT_PERCENT && value.kind == VALUE_NUMBER &&
        c->graph.facts[value.node].number <= 0) {
        complain(c, value.place, NULL, "%s is a distance in price, more than 0", who);
        return;
    }
    if (value.unit != UNIT_PERCENT && c->graph.nodes[value.node].kind == NODE_LITERAL)
        message_warning(&c->messages, value.place,
                        "this is a distance in price; a share of the price is written `%g%%`",
                        c->graph.nodes[value.node].number);
    c->level[level].kind = value.unit == UNIT_PERCENT ? LEVEL_PERCENT : LEVEL_DISTANCE;
    c->level[level].node = value.node;
}

static void read_exit(struct compiler *c, struct place place)
{
    static const struct limit_words limit = {1, RULE_LOOKBACK_MAX, true, "exit after", "N bars"};
    struct value value;

    if (said_twice(c, c->exit_place, place, "exit after", "there is one"))
        c->panic = true;
    c->exit_place = place;
    if (!accept_word(c, "after")) {
        unexpected(c, "`after N bars`; an exit by a condition is `sell when` or `cover when`");
        return;
    }
    value = read_expression(c);
    if (c->panic)
        return;
    if (!accept_word(c, "bars") && !accept_word(c, "bar")) {
        unexpected(c, "`bars`");
        return;
    }
    if (want_constant(c, &value, &limit))
        c->exit_after = value.node;
}

/* `size risk 2%`: the word, unless a value of that name is meant. */
static bool accept_risk(struct compiler *c)
{
    struct token after = token_after(c);
    bool unit = text_is(after.place.text, "units") || text_is(after.place.text, "cash");

    if (after.kind != TOKEN_NUMBER && after.kind != TOKEN_NAME && after.kind != TOKEN_ROUND_OPEN)
        return false;
    if (unit && name_find(c, TEXT("risk")))
        return false;
    return accept_word(c, "risk");
}

static void read_size(struct compiler *c, struct place place)
{
    bool risk, units = false, cash = false;
    struct value value;

    if (said_twice(c, c->size_place, place, "size", "there is one"))
        c->panic = true;
    c->size_place = place;
    risk = accept_risk(c);
    value = read_expression(c);
    if (c->panic)
        return;
    if (!risk) {
        units = accept_word(c, "units") || accept_word(c, "unit");
        cash = !units && accept_word(c, "cash");
    }
    if (!want_single(c, &value, "`size`"))
        return;
    if (!units && !cash && value.unit != UNIT_PERCENT) {
        complain(c, value.place, NULL,
                 risk ? "`size risk` is a percent of equity, such as `size risk 1%%`"
                      : "`size` needs its unit: `size 50%%` of equity, `size 10 units`, `size 1000 "
                        "cash` or "
                        "`size risk 1%%`");
        return;
    }
    if (units || cash) {
        const struct fact *fact = &c->graph.facts[value.node];

        if (value.unit == UNIT_PERCENT || (fact->is_static && !(fact->number > 0))) {
            complain(c, value.place, NULL, "%s of `size` is a number more than 0",
                     units ? "the number of units" : "the money");
            return;
        }
    } else if (!share_makes_sense(c, &value, "`size`", 1)) {
        return;
    }
    c->size_kind = risk ? SIZE_RISK : units ? SIZE_UNITS : cash ? SIZE_CASH : SIZE_EQUITY;
    c->level[LEVEL_SIZE].kind = value.unit == UNIT_PERCENT ? LEVEL_PERCENT : LEVEL_DISTANCE;
    c->level[LEVEL_SIZE].node = value.node;
}

static void read_say(struct compiler *c, struct place place)
{
    if (said_twice(c, c->say_place, place, "say", "there is one sentence"))
        c->panic = true;
    c->say_place = c->token.place;
    if (!expect(c, TOKEN_TEXT, "a text in double quotes"))
        return;
    c->say = (struct text){c->say_place.text.at + 1, c->say_place.text.length - 2};
}

/* ---- the lines ------------------------------------------------------- */

static void scanners_later(struct compiler *c, struct token word)
{
    complain(c, word.place, NULL, "`%s` is a part of scanners; it comes with the scanners",
             word_text(word.word));
    c->panic = true; /* the rest of the line is not read */
}

static void read_by_word(struct compiler *c, struct token word)
{
    switch (word.word) {
    case WORD_PARAM:
        read_param(c);
        break;
    case WORD_REQUIRE:
        read_require(c);
        break;
    case WORD_DEF:
        read_def(c);
        break;
    case WORD_BUY:
        read_signal(c, SIGNAL_BUY, word.place);
        break;
    case WORD_SELL:
        read_signal(c, SIGNAL_SELL, word.place);
        break;
    case WORD_SHORT:
        read_signal(c, SIGNAL_SHORT, word.place);
        break;
    case WORD_COVER:
        read_signal(c, SIGNAL_COVER, word.place);
        break;
    case WORD_STOP:
        read_level(c, LEVEL_STOP, word.place);
        break;
    case WORD_TARGET:
        read_level(c, LEVEL_TARGET, word.place);
        break;
    case WORD_TRAIL:
        read_level(c, LEVEL_TRAIL, word.place);
        break;
    case WORD_EXIT:
        read_exit(c, word.place);
        break;
    case WORD_SIZE:
        read_size(c, word.place);
        break;
    case WORD_SAY:
        read_say(c, word.place);
        break;
    default:
        scanners_later(c, word);
        break;
    }
}

/* A line that begins with a name gives names, or its first word is misspelt. */
static void read_other(struct compiler *c)
{
    enum token_kind after = token_after(c).kind;
    const char *words[WORD_COLUMN], *nearest;
    size_t count = 0;

    if (c->token.kind != TOKEN_NAME || after == TOKEN_ASSIGN || after == TOKEN_COMMA) {
        if (c->token.kind == TOKEN_NAME)
            read_assignment(c);
        else
            unexpected(c, "a statement");
        return;
    }
    for (int i = 1; i < WORD_COLUMN; i++)
        if (word_kind((enum word)i) == WORD_IS_STATEMENT)
            words[count++] = word_text((enum word)i);
    nearest = text_nearest(c->token.place.text, words, count);
    if (nearest)
        complain(c, c->token.place, NULL, "no statement begins with `%.*s`; did you mean `%s`?",
                 (int)MIN(c->token.place.text.length, 40), c->token.place.text.at, nearest);
    else
        complain(c, c->token.place, NULL,
                 "no statement begins with `%.*s`; write `NAME = …`, `buy when …`, `sell when …`, "
                 "`stop …`",
                 (int)MIN(c->token.place.text.length, 40), c->token.place.text.at);
    c->panic = true;
}

void read_statements(struct compiler *c)
{
    advance(c);
    while (c->token.kind != TOKEN_END && !c->stopped) {
        struct token word = c->token;

        if (accept(c, TOKEN_NEWLINE))
            continue;
        if (word_kind(word.word) == WORD_IS_STATEMENT && token_after(c).kind != TOKEN_ASSIGN) {
            advance(c);
            read_by_word(c, word);
        } else {
            read_other(c);
        }
        if (!c->panic && !at_end_of_statement(c))
            unexpected(c, "the end of the statement");
        while (!at_end_of_statement(c))
            advance(c);
        c->lexer.depth = 0;
        c->panic = c->stopped;
        c->nesting = 0;
    }
}

/* ---- when all is read ------------------------------------------------ */

/* `{NAME}` in the sentence; `{{` is a brace. */
static void check_say(struct compiler *c)
{
    struct text say = c->say;

    for (size_t i = 0; i < say.length; i++) {
        struct place place = c->say_place;
        struct named *named;
        size_t end = i + 1;

        if (say.at[i] != '{')
            continue;
        if (end < say.length && say.at[end] == '{') {
            i++;
            continue;
        }
        while (end < say.length && say.at[end] != '}')
            end++;
        place.text = (struct text){say.at + i, MIN(end + 1, say.length) - i};
        for (const char *at = c->say_place.text.at; at < place.text.at; at++)
            place.column += ((unsigned char)*at & 0xc0) != 0x80;
        named = name_find(c, (struct text){say.at + i + 1, end - i - 1});
        if (end == say.length)
            complain(c, place, NULL, "this `{` is not closed; a brace itself is written `{{`");
        else if (!named)
            complain(c, place, NULL, "`say` knows named values and parameters, and `%.*s` is none",
                     (int)(end - i - 1), say.at + i + 1);
        else
            named->used = true;
        if (named && named->parameter >= 0)
            c->parameter_used[named->parameter] = true;
        i = end;
    }
}

static void warn_unused(struct compiler *c)
{
    for (int i = 0; i < c->parameter_count; i++)
        if (!c->parameter_used[i])
            message_warning(&c->messages, c->parameter_places[i], "the parameter `%s` is not used",
                            c->parameters[i].name);
    for (size_t i = 0; i < c->name_count; i++)
        if (c->names[i].parameter < 0 && !c->names[i].used)
            message_warning(&c->messages, c->names[i].place, "the value `%.*s` is not used",
                            TEXT_ARG(c->names[i].name));
}

static void check_signals(struct compiler *c)
{
    const struct place *at = c->signal_places;
    struct place begin = {{c->messages.source.at, 0}, 1, 1};
    bool leaves = at[SIGNAL_SELL].text.at || at[SIGNAL_COVER].text.at || c->exit_place.text.at ||
                  c->level[LEVEL_STOP].place.text.at || c->level[LEVEL_TARGET].place.text.at ||
                  c->level[LEVEL_TRAIL].place.text.at;

    if (!at[SIGNAL_BUY].text.at && !at[SIGNAL_SHORT].text.at) {
        if (c->messages.error_count == 0)
            complain(c, begin, NULL, "a rule says when to enter: `buy when …` or `short when …`");
        return;
    }
    if (at[SIGNAL_SELL].text.at && !at[SIGNAL_BUY].text.at)
        message_warning(&c->messages, at[SIGNAL_SELL],
                        "nothing is ever bought, so this never sells");
    if (at[SIGNAL_COVER].text.at && !at[SIGNAL_SHORT].text.at)
        message_warning(&c->messages, at[SIGNAL_COVER],
                        "nothing is ever sold short, so this never covers");
    if (!leaves && !(at[SIGNAL_BUY].text.at && at[SIGNAL_SHORT].text.at))
        message_warning(&c->messages, at[SIGNAL_BUY].text.at ? at[SIGNAL_BUY] : at[SIGNAL_SHORT],
                        "what this enters is never left: there is no exit");
}

void finish_statements(struct compiler *c)
{
    if (c->stopped)
        return;
    c->panic = false;
    check_signals(c);
    if (c->size_kind == SIZE_RISK && !c->level[LEVEL_STOP].place.text.at)
        complain(c, c->size_place, NULL,
                 "`size risk` needs a `stop`: it says how much is lost there");
    if (c->say.at)
        check_say(c);
    if (c->messages.error_count == 0)
        warn_unused(c);
}
