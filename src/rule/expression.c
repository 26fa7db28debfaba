/* Expressions: operators and names, from the loosest to the tightest.
 *
 *     or  <  and  <  not  <  comparison  <  + -  <  * /  <  unary -  <  postfix [n] .output %
 *
 * Every loop goes along the text, and only brackets, `-` and `not` go deeper: the nesting is
 * limited. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule/compile.h"

/* ---- reading --------------------------------------------------------- */

void advance(struct compiler *c)
{
    c->taken_end = c->token.place.text.at + c->token.place.text.length;
    lexer_next(&c->lexer, &c->token);
}

bool accept(struct compiler *c, enum token_kind kind)
{
    if (c->token.kind != kind)
        return false;
    advance(c);
    return true;
}

bool accept_word(struct compiler *c, const char *word)
{
    if (c->token.kind != TOKEN_NAME || !text_is(c->token.place.text, word))
        return false;
    advance(c);
    return true;
}

bool at_end_of_statement(const struct compiler *c)
{
    return c->token.kind == TOKEN_NEWLINE || c->token.kind == TOKEN_END;
}

struct token token_after(const struct compiler *c)
{
    struct lexer lexer = c->lexer;
    struct token token;

    lexer_next(&lexer, &token);
    return token;
}

struct place place_to_here(const struct compiler *c, struct place place)
{
    if (c->taken_end > place.text.at)
        place.text.length = (size_t)(c->taken_end - place.text.at);
    return place;
}

void complain(struct compiler *c, struct place place, const char *hint, const char *format, ...)
{
    char sentence[800];
    va_list args;

    if (c->panic || c->stopped)
        return;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (c->formula)
        message_error(&c->messages, c->call_place, hint, "in the formula of `%s`: %s",
                      c->formula->name, sentence);
    else if (c->inlined.at && c->call_place.text.at)
        message_error(&c->messages, place, hint, "%s (in `%.*s`, called in line %d)", sentence,
                      TEXT_ARG(c->inlined), c->call_place.line);
    else
        message_error(&c->messages, place, hint, "%s", sentence);
}

void unexpected(struct compiler *c, const char *expected)
{
    const struct token *token = &c->token;

    if (token->kind == TOKEN_WRONG)
        complain(c, token->place, NULL, "%s", token->wrong);
    else if (at_end_of_statement(c))
        complain(c, token->place, NULL, "expected %s, but the line ends", expected);
    else if (token->kind == TOKEN_ASSIGN)
        complain(c, token->place, NULL,
                 "expected %s, found `=`; `=` names a value, to compare write `==`", expected);
    else if (word_kind(token->word) == WORD_IS_STATEMENT)
        complain(c, token->place, NULL, "expected %s, found `%s`, which begins a statement",
                 expected, word_text(token->word));
    else
        complain(c, token->place, NULL, "expected %s, found `%.*s`", expected,
                 (int)MIN(token->place.text.length, 40), token->place.text.at);
    c->panic = true;
}

bool expect(struct compiler *c, enum token_kind kind, const char *what)
{
    if (accept(c, kind))
        return true;
    unexpected(c, what);
    return false;
}

void check_stop(struct compiler *c, struct place place)
{
    if (c->stopped)
        return;
    if (c->graph.failed == STATUS_LIMIT)
        complain(c, place, NULL, "the rule has more than %d operations and values", RULE_NODES_MAX);
    else if (c->steps > RULE_STEPS_MAX)
        complain(c, place, NULL,
                 "the rule is too large: over %d operands when every `def` is written out",
                 RULE_STEPS_MAX);
    else if (c->graph.failed == STATUS_OK && c->messages.error_count < RULE_ERRORS_MAX)
        return;
    c->stopped = true;
    c->panic = true;
}

bool grow(struct compiler *c, void **items, size_t *capacity, size_t count, size_t item_bytes)
{
    if (mem_grow(items, capacity, count + 1, item_bytes) == 0)
        return true;
    c->graph.failed = STATUS_MEMORY;
    check_stop(c, c->token.place);
    return false;
}

bool enter(struct compiler *c, struct place place)
{
    if (c->nesting == RULE_NESTING_MAX) {
        complain(c, place, NULL, "nested more than %d deep", RULE_NESTING_MAX);
        c->panic = true;
        return false;
    }
    c->nesting++;
    return true;
}

/* ---- operators ------------------------------------------------------- */

static const struct {
    enum kernel_id kernel;
    const char *name;
} operators[] = {
    [TOKEN_PLUS] = {KERNEL_ADD, "`+`"},   [TOKEN_MINUS] = {KERNEL_SUB, "`-`"},
    [TOKEN_TIMES] = {KERNEL_MUL, "`*`"},  [TOKEN_DIVIDE] = {KERNEL_DIV, "`/`"},
    [TOKEN_LESS] = {KERNEL_LT, "`<`"},    [TOKEN_LESS_EQUAL] = {KERNEL_LE, "`<=`"},
    [TOKEN_GREATER] = {KERNEL_GT, "`>`"}, [TOKEN_GREATER_EQUAL] = {KERNEL_GE, "`>=`"},
    [TOKEN_EQUAL] = {KERNEL_EQ, "`==`"},  [TOKEN_UNEQUAL] = {KERNEL_NE, "`!=`"},
};

static bool is_comparison(enum token_kind sign)
{
    return sign >= TOKEN_LESS && sign <= TOKEN_UNEQUAL;
}

static enum unit unit_of_sum(enum unit a, enum unit b)
{
    if (a == b)
        return a;
    if (a == UNIT_PRICE || b == UNIT_PRICE)
        return UNIT_PRICE;
    return a == UNIT_SCALED || b == UNIT_SCALED ? UNIT_SCALED : UNIT_PLAIN;
}

static enum unit unit_of_product(const struct value *a, const struct value *b)
{
    if (a->unit == UNIT_PERCENT && (b->unit == UNIT_PERCENT || b->kind == VALUE_NUMBER))
        return UNIT_PERCENT;
    if (b->unit == UNIT_PERCENT && a->kind == VALUE_NUMBER)
        return UNIT_PERCENT;
    if (a->unit == UNIT_PRICE)
        return b->unit == UNIT_PRICE ? UNIT_PLAIN : UNIT_PRICE;
    return b->unit == UNIT_PRICE ? UNIT_PRICE : UNIT_PLAIN;
}

static enum unit unit_of_quotient(const struct value *a, const struct value *b)
{
    if (a->unit == UNIT_PERCENT)
        return b->unit != UNIT_PERCENT && b->kind == VALUE_NUMBER ? UNIT_PERCENT : UNIT_PLAIN;
    return a->unit == UNIT_PRICE && b->unit == UNIT_PLAIN ? UNIT_PRICE : UNIT_PLAIN;
}

/* A percent beside a price, or beside a value that is a percent × 100, is never what was meant. */
static bool units_fit(struct compiler *c, enum token_kind sign, const struct value *a,
                      const struct value *b)
{
    const struct value *percent = a->unit == UNIT_PERCENT ? a : b, *other = percent == a ? b : a;
    double share;

    if (percent->unit != UNIT_PERCENT || (other->unit != UNIT_PRICE && other->unit != UNIT_SCALED))
        return true;
    share = percent->kind == VALUE_NUMBER ? c->graph.facts[percent->node].number : NAN;
    if (other->unit == UNIT_PRICE)
        complain(c, percent->place, NULL,
                 "%s puts a percent beside a price; a percent is a share (%g), so say of what: "
                 "`%g * close` is that share of the price",
                 operators[sign].name, isnan(share) ? 0.05 : share, isnan(share) ? 0.05 : share);
    else
        complain(c, percent->place, NULL,
                 "%s puts a percent, a share (%g), beside a value that is already a percent (%g "
                 "stands for "
                 "%g %%); write %g without `%%`",
                 operators[sign].name, isnan(share) ? 0.05 : share, isnan(share) ? 5 : share * 100,
                 isnan(share) ? 5 : share * 100, isnan(share) ? 5 : share * 100);
    return false;
}

struct value binary_value(struct compiler *c, enum token_kind sign, struct value a, struct value b,
                          struct place place)
{
    struct op_inputs inputs = {.input = {a.node, b.node}};
    struct value value;
    bool fine_a = want_single(c, &a, operators[sign].name),
         fine_b = want_single(c, &b, operators[sign].name);
    enum unit unit = UNIT_PLAIN;

    if (!fine_a || !fine_b)
        return wrong_value();
    if (sign != TOKEN_TIMES && sign != TOKEN_DIVIDE && !units_fit(c, sign, &a, &b))
        return wrong_value();
    if (sign == TOKEN_DIVIDE && c->graph.nodes[b.node].kind == NODE_LITERAL &&
        c->graph.nodes[b.node].number == 0) {
        complain(c, b.place, NULL, "this divides by 0");
        return wrong_value();
    }
    if (sign == TOKEN_PLUS || sign == TOKEN_MINUS)
        unit = unit_of_sum(a.unit, b.unit);
    else if (sign == TOKEN_TIMES)
        unit = unit_of_product(&a, &b);
    else if (sign == TOKEN_DIVIDE)
        unit = unit_of_quotient(&a, &b);
    value = op_value(c, operators[sign].kernel, &inputs, unit, place);
    value.fresh_comparison = is_comparison(sign);
    return value;
}

static struct value logic_value(struct compiler *c, enum kernel_id kernel, struct value a,
                                struct value b, struct place place)
{
    const char *who = kernel == KERNEL_AND ? "`and`" : "`or`";
    bool fine_a = want_condition(c, &a, who), fine_b = want_condition(c, &b, who);

    if (!fine_a || !fine_b)
        return wrong_value();
    if (a.node == b.node)
        return a;
    return op_value(c, kernel, &(struct op_inputs){.when = {a.node, b.node}}, UNIT_PLAIN, place);
}

/* `not x < 30` is true where x is not defined, and that is seldom meant. */
static void warn_of_not(struct compiler *c, const struct value *a, struct place place)
{
    static const struct {
        enum kernel_id kernel;
        const char *sign, *opposite;
    } opposites[] = {{KERNEL_LT, "<", ">="}, {KERNEL_LE, "<=", ">"},  {KERNEL_GT, ">", "<="},
                     {KERNEL_GE, ">=", "<"}, {KERNEL_EQ, "==", "!="}, {KERNEL_NE, "!=", "=="}};
    const struct node *node = &c->graph.nodes[a->node];

    if (!a->fresh_comparison || c->panic || c->formula ||
        (!graph_may_be_nan(&c->graph, node->input[0]) &&
         !graph_may_be_nan(&c->graph, node->input[1])))
        return;
    for (size_t i = 0; i < ARRAY_COUNT(opposites); i++)
        if (opposites[i].kernel == node->kernel)
            message_warning(
                &c->messages, place,
                "this is true where a value is not defined yet; `a %s b` is false there, and says "
                "the same elsewhere as `not a %s b`",
                opposites[i].opposite, opposites[i].sign);
}

static struct value not_value(struct compiler *c, struct value a, struct place place)
{
    if (!want_condition(c, &a, "`not`"))
        return wrong_value();
    warn_of_not(c, &a, place);
    return op_value(c, KERNEL_NOT, &(struct op_inputs){.when = {a.node}}, UNIT_PLAIN, place);
}

struct value choose_value(struct compiler *c, struct value condition, struct value a,
                          struct value b, struct place place)
{
    struct op_inputs inputs = {.input = {a.node, b.node}, .when = {condition.node}};

    if (!want_condition(c, &condition, "`if`") || a.kind == VALUE_WRONG || b.kind == VALUE_WRONG)
        return wrong_value();
    if (a.kind == VALUE_CONDITION && b.kind == VALUE_CONDITION) {
        struct value otherwise = op_value(
            c, KERNEL_NOT, &(struct op_inputs){.when = {condition.node}}, UNIT_PLAIN, place);

        return logic_value(c, KERNEL_OR, logic_value(c, KERNEL_AND, condition, a, place),
                           logic_value(c, KERNEL_AND, otherwise, b, place), place);
    }
    if (!want_single(c, &a, "`if` with a number on the other side") ||
        !want_single(c, &b, "`if` with a number on the other side"))
        return wrong_value();
    return op_value(c, KERNEL_IF, &inputs, a.unit == b.unit ? a.unit : UNIT_PLAIN, place);
}

static bool want_bars_back(struct compiler *c, const struct value *bars)
{
    static const struct limit_words limit = {0, RULE_LOOKBACK_MAX, true, "[n]", "n"};

    if (bars->kind == VALUE_NUMBER && bars->unit != UNIT_PERCENT &&
        c->graph.nodes[bars->node].kind == NODE_LITERAL && c->graph.nodes[bars->node].number < 0) {
        complain(c, bars->place, "[1] is the bar before",
                 "rules cannot see the future: [%g] would be a later bar",
                 c->graph.nodes[bars->node].number);
        return false;
    }
    return want_constant(c, bars, &limit);
}

struct value lag_value(struct compiler *c, struct value value, struct value bars,
                       struct place place)
{
    struct op_inputs inputs = {
        .input = {value.node}, .when = {value.node}, .parameter = {bars.node}};
    bool condition = value.kind == VALUE_CONDITION;

    if (!want_bars_back(c, &bars) || value.kind == VALUE_WRONG)
        return wrong_value();
    if (value.kind == VALUE_NUMBER) {
        complain(c, value.place, NULL, "[n] looks back at what changes from bar to bar; this is %s",
                 value_words(&value));
        return wrong_value();
    }
    if (!condition && !want_single(c, &value, "[n]"))
        return wrong_value();
    if (c->graph.nodes[bars.node].kind == NODE_LITERAL && c->graph.nodes[bars.node].number == 0)
        return value;
    return op_value(c, condition ? KERNEL_LAG_CONDITION : KERNEL_LAG, &inputs, value.unit, place);
}

static struct value percent_value(struct compiler *c, struct value a, struct place place)
{
    struct value hundred = number_value(c, 100, place);

    if (!want_single(c, &a, "`%`"))
        return wrong_value();
    if (a.unit == UNIT_PERCENT) {
        complain(c, a.place, NULL, "this is a percent already; leave out `%%`");
        return wrong_value();
    }
    return op_value(c, KERNEL_DIV, &(struct op_inputs){.input = {a.node, hundred.node}},
                    UNIT_PERCENT, place);
}

static struct value output_value(struct compiler *c, struct value a, struct token name)
{
    int index;

    if (a.kind == VALUE_WRONG)
        return a;
    if (!a.indicator) {
        complain(c, name.place, NULL,
                 "`.%.*s` takes an output of a call, as in `macd(close).macdhist`",
                 TEXT_ARG(name.place.text));
        return wrong_value();
    }
    index = indicator_output_find(a.indicator, name.place.text);
    if (index < 0) {
        const char *names[KERNEL_OUTPUTS_MAX], *nearest;

        for (int i = 0; i < a.indicator->output_count; i++)
            names[i] = a.indicator->outputs[i].name;
        nearest = text_nearest(name.place.text, names, (size_t)a.indicator->output_count);
        complain(c, name.place, NULL, "`%s` has no output `%.*s`; %s `%s`%s", a.indicator->name,
                 TEXT_ARG(name.place.text), nearest ? "did you mean" : "its first is",
                 nearest ? nearest : names[0], nearest ? "?" : "");
        return wrong_value();
    }
    return node_value(c, a.outputs[index], a.unit, place_to_here(c, a.place));
}

/* ---- operands -------------------------------------------------------- */

static struct value price_value(struct compiler *c, enum word word, struct place place)
{
    static const enum rule_column parts[][4] = {
        {COLUMN_HIGH, COLUMN_LOW},
        {COLUMN_HIGH, COLUMN_LOW, COLUMN_CLOSE},
        {COLUMN_OPEN, COLUMN_HIGH, COLUMN_LOW, COLUMN_CLOSE}};
    int which = word == WORD_HL2 ? 0 : word == WORD_HLC3 ? 1 : 2;
    struct value sum = column_value(c, parts[which][0], place);

    for (int i = 1; i < which + 2; i++)
        sum = binary_value(c, TOKEN_PLUS, sum, column_value(c, parts[which][i], place), place);
    return binary_value(c, TOKEN_DIVIDE, sum, number_value(c, which + 2, place), place);
}

static struct value unknown_name(struct compiler *c, struct token name)
{
    char hint[300] = "";
    const char *nearest = name_nearest(c, name.place.text, false);
    struct signature signature;

    if (signature_of(name.place.text, &signature)) {
        signature_words(&signature, hint, sizeof hint);
        complain(c, name.place, hint, "`%.*s` is a function; it is called with brackets",
                 TEXT_ARG(name.place.text));
    } else if (c->token.kind == TOKEN_DOT) {
        complain(c, name.place, NULL,
                 "unknown name `%.*s`; functions stand alone here, as in `rsi(close, 14)`",
                 TEXT_ARG(name.place.text));
        c->panic = true;
    } else if (nearest) {
        complain(c, name.place, NULL, "unknown name `%.*s`; did you mean `%s`?",
                 TEXT_ARG(name.place.text), nearest);
    } else {
        complain(c, name.place, NULL, "unknown name `%.*s`", TEXT_ARG(name.place.text));
    }
    return wrong_value();
}

static struct value read_name(struct compiler *c)
{
    struct token name = c->token;
    struct named *named;
    struct value value;

    advance(c);
    if (name.word >= WORD_COLUMN)
        return column_value(c, (enum rule_column)(name.word - WORD_COLUMN), name.place);
    if (word_kind(name.word) == WORD_IS_PRICE)
        return price_value(c, name.word, name.place);
    if (c->token.kind == TOKEN_ROUND_OPEN)
        return read_call(c, name);
    if (c->formula && text_is(name.place.text, "nan"))
        return number_value(c, NAN, name.place);
    named = name_find(c, name.place.text);
    if (!named)
        return unknown_name(c, name);
    named->used = true;
    if (named->parameter >= 0)
        c->parameter_used[named->parameter] = true;
    value = named->value;
    value.place = name.place;
    return value;
}

static struct value read_brackets(struct compiler *c)
{
    struct place open = c->token.place;
    struct value value;

    advance(c);
    value = read_expression(c);
    if (c->panic)
        return value;
    if (c->token.kind != TOKEN_ROUND_CLOSE) {
        char expected[80];

        snprintf(expected, sizeof expected, "`)` for the `(` of line %d, column %d", open.line,
                 open.column);
        unexpected(c, expected);
        return wrong_value();
    }
    advance(c);
    value.place = place_to_here(c, open);
    return value;
}

static struct value read_primary(struct compiler *c)
{
    struct token token = c->token;

    c->steps++;
    check_stop(c, token.place);
    if (c->panic)
        return wrong_value();
    switch (token.kind) {
    case TOKEN_NUMBER:
        advance(c);
        return number_value(c, token.number, token.place);
    case TOKEN_ROUND_OPEN:
        return read_brackets(c);
    case TOKEN_NAME:
        if (token.word == WORD_IF && token_after(c).kind == TOKEN_ROUND_OPEN) {
            advance(c);
            return read_call(c, token);
        }
        if (word_kind(token.word) != WORD_IS_OPERATOR && word_kind(token.word) != WORD_IS_STATEMENT)
            return read_name(c);
        break;
    case TOKEN_TEXT:
        complain(c, token.place, NULL, "a text has no place here");
        c->panic = true;
        return wrong_value();
    default:
        break;
    }
    unexpected(c, "a value");
    return wrong_value();
}

static struct value read_postfix(struct compiler *c)
{
    struct value value = read_primary(c);

    while (!c->panic) {
        if (accept(c, TOKEN_SQUARE_OPEN)) {
            struct value bars = read_expression(c);

            if (c->panic || !expect(c, TOKEN_SQUARE_CLOSE, "`]`"))
                break;
            value = lag_value(c, value, bars, place_to_here(c, value.place));
        } else if (accept(c, TOKEN_PERCENT)) {
            value = percent_value(c, value, place_to_here(c, value.place));
        } else if (c->token.kind == TOKEN_DOT) {
            struct token name;

            advance(c);
            name = c->token;
            if (!expect(c, TOKEN_NAME, "the name of an output"))
                break;
            value = output_value(c, value, name);
        } else {
            return value;
        }
    }
    return wrong_value();
}

static struct value read_unary(struct compiler *c)
{
    struct place place = c->token.place;
    struct value value;

    if (c->token.kind != TOKEN_MINUS)
        return read_postfix(c);
    advance(c);
    if (!enter(c, place))
        return wrong_value();
    value = read_unary(c);
    c->nesting--;
    if (c->panic || !want_single(c, &value, "`-`"))
        return wrong_value();
    return op_value(c, KERNEL_NEG, &(struct op_inputs){.input = {value.node}}, value.unit,
                    place_to_here(c, place));
}

static struct value read_product(struct compiler *c)
{
    struct value left = read_unary(c);

    while (!c->panic && (c->token.kind == TOKEN_TIMES || c->token.kind == TOKEN_DIVIDE)) {
        enum token_kind sign = c->token.kind;
        struct value right;

        advance(c);
        right = read_unary(c);
        left = binary_value(c, sign, left, right, place_to_here(c, left.place));
    }
    return left;
}

static struct value read_sum(struct compiler *c)
{
    struct value left = read_product(c);

    while (!c->panic && (c->token.kind == TOKEN_PLUS || c->token.kind == TOKEN_MINUS)) {
        enum token_kind sign = c->token.kind;
        struct value right;

        advance(c);
        right = read_product(c);
        left = binary_value(c, sign, left, right, place_to_here(c, left.place));
    }
    return left;
}

/* What stands there, unless it is long: then a letter in its place. */
static const char *shown_operand(const struct value *value, const char *letter, char text[32])
{
    bool fits = value->place.text.at && value->place.text.length < 32 &&
                !memchr(value->place.text.at, '\n', value->place.text.length);

    snprintf(text, 32, "%.*s", fits ? (int)value->place.text.length : 0, value->place.text.at);
    return fits ? text : letter;
}

/* `a < b < c`: says how it is written. */
static void complain_chain(struct compiler *c, const struct value *a, const struct value *b,
                           struct token sign)
{
    struct token again = c->token;
    struct value third;
    char texts[3][32];

    advance(c);
    third = read_sum(c);
    complain(c, again.place, NULL, "comparisons do not chain; write `%s %.*s %s and %s %.*s %s`",
             shown_operand(a, "a", texts[0]), TEXT_ARG(sign.place.text),
             shown_operand(b, "b", texts[1]), shown_operand(b, "b", texts[1]),
             TEXT_ARG(again.place.text), shown_operand(&third, "c", texts[2]));
    c->panic = true;
}

static struct value read_comparison(struct compiler *c)
{
    struct value left = read_sum(c), right, result;
    struct token sign = c->token;

    if (c->panic || !is_comparison(sign.kind))
        return left;
    advance(c);
    right = read_sum(c);
    result = binary_value(c, sign.kind, left, right, place_to_here(c, left.place));
    if (!c->panic && is_comparison(c->token.kind))
        complain_chain(c, &left, &right, sign);
    return result;
}

static struct value read_not(struct compiler *c)
{
    struct place place = c->token.place;
    struct value value;

    if (c->token.word != WORD_NOT)
        return read_comparison(c);
    advance(c);
    if (!enter(c, place))
        return wrong_value();
    value = read_not(c);
    c->nesting--;
    return c->panic ? wrong_value() : not_value(c, value, place_to_here(c, place));
}

static struct value read_and(struct compiler *c)
{
    struct value left = read_not(c);

    while (!c->panic && c->token.word == WORD_AND) {
        struct value right;

        advance(c);
        right = read_not(c);
        left = logic_value(c, KERNEL_AND, left, right, place_to_here(c, left.place));
    }
    return left;
}

struct value read_whole_expression(struct compiler *c)
{
    struct value value = read_expression(c);

    if (c->panic || at_end_of_statement(c))
        return value;
    unexpected(c, "the end of the statement");
    return wrong_value();
}

struct value read_expression(struct compiler *c)
{
    struct value left;

    if (!enter(c, c->token.place))
        return wrong_value();
    left = read_and(c);
    while (!c->panic && c->token.word == WORD_OR) {
        struct value right;

        advance(c);
        right = read_and(c);
        left = logic_value(c, KERNEL_OR, left, right, place_to_here(c, left.place));
    }
    c->nesting--;
    return c->panic ? wrong_value() : left;
}
