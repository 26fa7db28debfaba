/* From source to finished rule: reads, drops what nothing needs, copies the rest into the caller's
 * arena. */
#include "rule/compile.h"

#include <stdio.h>
#include <string.h>

/* ---- is it text at all ----------------------------------------------- */

static bool is_text_byte(char c)
{
    return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static enum status check_text(struct text source, const char *name, struct error *err)
{
    size_t line_begin = 0;
    int line = 1;

    if (source.length > RULE_SOURCE_BYTES_MAX)
        return fail(err, STATUS_RULE, "%s: a rule has at most %d bytes, this has %zu", name,
                    RULE_SOURCE_BYTES_MAX, source.length);
    for (size_t i = 0; i <= source.length; i++) {
        if (i < source.length && !is_text_byte(source.at[i]))
            return fail(err, STATUS_RULE,
                        "%s:%d: error: this is no text file: it holds the byte 0x%02x", name, line,
                        (unsigned char)source.at[i]);
        if (i < source.length && source.at[i] != '\n')
            continue;
        if (!utf8_valid(source.at + line_begin, i - line_begin))
            return fail(err, STATUS_RULE, "%s:%d: error: this is no text in UTF-8", name, line);
        line_begin = i + 1;
        line++;
    }
    return STATUS_OK;
}

/* ---- what is needed -------------------------------------------------- */

struct finish {
    struct compiler *c;
    int *number; /* of each node in the rule, or NODE_NONE */
    int kept;
};

static void need(struct finish *f, int node)
{
    if (node != NODE_NONE)
        f->number[node] = 0;
}

/* From the results back to the columns; a node stands behind its inputs, so one way is enough. */
static bool find_needed(struct finish *f)
{
    struct compiler *c = f->c;

    f->number = mem_alloc(sizeof(int) * (size_t)MAX(c->graph.count, 1));
    if (!f->number)
        return false;
    for (int n = 0; n < c->graph.count; n++)
        f->number[n] = NODE_NONE;
    for (int i = 0; i < SIGNALS; i++)
        need(f, c->signal[i]);
    for (int i = 0; i < LEVELS; i++)
        need(f, c->level[i].node);
    need(f, c->exit_after);
    for (size_t i = 0; i < c->require.count; i++)
        need(f, c->require.at[i]);
    for (size_t i = 0; i < c->limit_count; i++)
        need(f, c->limits[i].node);
    for (size_t i = 0; i < c->name_count; i++)
        if (c->names[i].parameter < 0)
            need(f, c->names[i].value.node);
    for (int n = c->graph.count - 1; n >= 0; n--) {
        if (f->number[n] == NODE_NONE)
            continue;
        for (int i = 0; i < KERNEL_INPUTS_MAX; i++)
            need(f, c->graph.nodes[n].input[i]);
        for (int i = 0; i < KERNEL_CONDITIONS_MAX; i++)
            need(f, c->graph.nodes[n].when[i]);
        for (int i = 0; i < KERNEL_PARAMETERS_MAX; i++)
            need(f, c->graph.nodes[n].parameter[i]);
    }
    for (int n = 0; n < c->graph.count; n++)
        if (f->number[n] != NODE_NONE)
            f->number[n] = f->kept++;
    return true;
}

static int renumbered(const struct finish *f, int node)
{
    return node == NODE_NONE ? NODE_NONE : f->number[node];
}

/* ---- copying --------------------------------------------------------- */

static bool copy_nodes(struct finish *f, struct rule *rule, struct arena *arena)
{
    struct graph *graph = &f->c->graph;
    struct node *nodes = ARENA_ARRAY(arena, struct node, (size_t)f->kept);
    int *statics, static_count = 0;

    for (int n = 0; n < graph->count; n++)
        static_count += f->number[n] != NODE_NONE && graph->nodes[n].kind == NODE_OP &&
                        graph->facts[n].is_static;
    statics = ARENA_ARRAY(arena, int, (size_t)static_count);
    if (!nodes || !statics)
        return false;
    for (int n = 0; n < graph->count; n++) {
        struct node *node = f->number[n] == NODE_NONE ? NULL : &nodes[f->number[n]];

        if (!node)
            continue;
        *node = graph->nodes[n];
        for (int i = 0; i < KERNEL_INPUTS_MAX; i++)
            node->input[i] = renumbered(f, node->input[i]);
        for (int i = 0; i < KERNEL_CONDITIONS_MAX; i++)
            node->when[i] = renumbered(f, node->when[i]);
        for (int i = 0; i < KERNEL_PARAMETERS_MAX; i++)
            node->parameter[i] = renumbered(f, node->parameter[i]);
        if (node->kind == NODE_OP && graph->facts[n].is_static) {
            node->slot = rule->static_count;
            statics[rule->static_count++] = f->number[n];
        }
    }
    rule->nodes = nodes;
    rule->node_count = f->kept;
    rule->statics = statics;
    rule->stage_count = 1;
    return true;
}

static bool copy_parameters(struct compiler *c, struct rule *rule, struct arena *arena)
{
    rule->parameter_count = c->parameter_count;
    memcpy(rule->parameters, c->parameters, sizeof rule->parameters);
    for (int i = 0; i < c->parameter_count; i++) {
        struct rule_parameter *p = &rule->parameters[i];
        double *listed = ARENA_ARRAY(arena, double, (size_t)p->listed_count);

        if (!listed)
            return false;
        if (p->listed_count > 0)
            memcpy(listed, p->listed, sizeof *listed * (size_t)p->listed_count);
        p->listed = p->listed_count > 0 ? listed : NULL;
    }
    return true;
}

static bool copy_lists(struct finish *f, struct rule *rule, struct arena *arena)
{
    struct compiler *c = f->c;
    int *require = ARENA_ARRAY(arena, int, c->require.count);
    struct rule_limit *limits = ARENA_ARRAY(arena, struct rule_limit, c->limit_count);
    struct rule_value *values = ARENA_ARRAY(arena, struct rule_value, c->name_count);

    if (!require || !limits || !values)
        return false;
    for (size_t i = 0; i < c->require.count; i++)
        require[i] = renumbered(f, c->require.at[i]);
    for (size_t i = 0; i < c->limit_count; i++) {
        limits[i] = c->limits[i];
        limits[i].node = renumbered(f, limits[i].node);
    }
    for (size_t i = 0; i < c->name_count; i++) {
        struct rule_value *value = &values[rule->value_count];

        if (c->names[i].parameter >= 0)
            continue;
        snprintf(value->name, sizeof value->name, "%.*s", TEXT_ARG(c->names[i].name));
        value->node = renumbered(f, c->names[i].value.node);
        rule->value_count++;
    }
    rule->require = require;
    rule->require_count = (int)c->require.count;
    rule->limits = limits;
    rule->limit_count = (int)c->limit_count;
    rule->values = values;
    return true;
}

/* The first comment, without the file's name in front of it. */
static void copy_title(struct rule *rule)
{
    struct text source = text_trim(rule->source), title;
    size_t end = 0, name = 0;

    if (source.length == 0 || source.at[0] != '#')
        return;
    while (end < source.length && source.at[end] != '\n' && source.at[end] != '\r')
        end++;
    title = text_trim((struct text){source.at + 1, end - 1});
    while (name < title.length && title.at[name] != ' ' && title.at[name] != ':')
        name++;
    if (name + 1 < title.length && title.at[name] == ':') {
        title.at += name + 1;
        title.length -= name + 1;
        title = text_trim(title);
    }
    if (title.length >= sizeof rule->title) { /* cut between characters */
        title.length = sizeof rule->title - 1;
        while (title.length > 0 && ((unsigned char)title.at[title.length] & 0xc0) == 0x80)
            title.length--;
    }
    snprintf(rule->title, sizeof rule->title, "%.*s", TEXT_ARG(title));
}

static bool copy_texts(struct compiler *c, struct rule *rule, struct arena *arena,
                       struct text source)
{
    char *text = arena_copy_text(arena, source.at, source.length);
    char *warnings = arena_copy_text(arena, buffer_text(&c->messages.warnings),
                                     c->messages.warnings.length);

    if (!text || !warnings || c->messages.warnings.failed)
        return false;
    if (c->say.at && !(rule->say = arena_copy_text(arena, c->say.at, c->say.length)))
        return false;
    rule->source = (struct text){text, source.length};
    rule->warnings = warnings;
    rule->hash = hash128_bytes(source.at, source.length);
    copy_title(rule);
    return true;
}

static struct rule *finish_rule(struct compiler *c, struct arena *arena, struct text source)
{
    struct finish f = {.c = c};
    struct rule *rule = ARENA_NEW(arena, struct rule);
    bool fine = rule && find_needed(&f) && copy_nodes(&f, rule, arena) &&
                copy_parameters(c, rule, arena) && copy_lists(&f, rule, arena) &&
                copy_texts(c, rule, arena, source);

    if (fine) {
        for (int i = 0; i < SIGNALS; i++)
            rule->signal[i] = renumbered(&f, c->signal[i]);
        for (int i = 0; i < LEVELS; i++) {
            rule->level[i].kind = c->level[i].kind;
            rule->level[i].node = renumbered(&f, c->level[i].node);
        }
        rule->size_kind = c->size_kind;
        rule->exit_after = renumbered(&f, c->exit_after);
        snprintf(rule->name, sizeof rule->name, "%s", c->messages.file);
    }
    mem_free(f.number);
    return fine ? rule : NULL;
}

/* ---- the calls ------------------------------------------------------- */

static struct compiler *compiler_new(struct text source, const char *name)
{
    struct compiler *c = mem_zero(1, sizeof *c);

    if (!c)
        return NULL;
    c->messages.file = name;
    c->messages.source = source;
    c->graph.parameters = c->parameters;
    c->exit_after = NODE_NONE;
    for (int i = 0; i < SIGNALS; i++)
        c->signal[i] = NODE_NONE;
    for (int i = 0; i < LEVELS; i++)
        c->level[i].node = NODE_NONE;
    lexer_init(&c->lexer, source);
    return c;
}

static void compiler_free(struct compiler *c)
{
    messages_deinit(&c->messages);
    graph_deinit(&c->graph);
    for (int i = 0; i < RULE_PARAMETERS_MAX; i++)
        buffer_deinit(&c->listed[i]);
    mem_free(c->names);
    mem_free(c->defs);
    mem_free(c->require.at);
    mem_free(c->limits);
    mem_free(c);
}

/* The rule's own look-back, with the default parameters, must be one that bars can have. */
static enum status check_lookback(const struct rule *rule, struct error *err)
{
    double values[RULE_PARAMETERS_MAX];

    for (int i = 0; i < rule->parameter_count; i++)
        values[i] = rule->parameters[i].value;
    if (rule_lookback(rule, values) >= 0)
        return STATUS_OK;
    return fail(err, STATUS_RULE, "%s: error: the rule looks back more than %d bars", rule->name,
                RULE_LOOKBACK_MAX);
}

static enum status compile_end(const struct rule **rule, struct compiler *c, struct arena *arena,
                               struct text source, struct error *err)
{
    struct rule *made;

    if (c->graph.failed == STATUS_MEMORY)
        return fail(err, STATUS_MEMORY, "no memory to compile %s", c->messages.file);
    if (c->messages.error_count > 0)
        return messages_fail(&c->messages, err);
    made = finish_rule(c, arena, source);
    if (!made)
        return fail(err, STATUS_MEMORY, "no memory for the compiled rule %s", c->messages.file);
    TRY(check_lookback(made, err));
    *rule = made;
    return STATUS_OK;
}

enum status rule_compile(const struct rule **rule, struct arena *arena, struct text source,
                         const char *name, struct error *err)
{
    char shown[sizeof(*rule)->name];
    struct compiler *c;
    enum status status;

    snprintf(shown, sizeof shown, "%s", name);
    TRY(check_text(source, shown, err));
    c = compiler_new(source, shown);
    if (!c)
        return fail(err, STATUS_MEMORY, "no memory to compile %s", shown);
    read_statements(c);
    finish_statements(c);
    status = compile_end(rule, c, arena, source, err);
    compiler_free(c);
    return status;
}

/* Names the outputs of an expression as columns: by their own names where there are several. */
static void name_expression(struct compiler *c, const struct value *value, struct text source)
{
    struct named named = {.name = source, .value = *value, .parameter = -1, .place = value->place};

    if (value->kind != VALUE_SEVERAL) {
        if (value->kind != VALUE_WRONG)
            name_push(c, &named);
        return;
    }
    for (int i = 0; i < value->indicator->output_count; i++) {
        named.name = text_of(value->indicator->outputs[i].name);
        named.value.node = value->outputs[i];
        if (!name_push(c, &named))
            return;
    }
}

enum status rule_compile_expression(const struct rule **rule, struct arena *arena,
                                    struct text source, struct error *err)
{
    struct compiler *c;
    struct value value;
    enum status status;

    TRY(check_text(source, "expression", err));
    c = compiler_new(source, "expression");
    if (!c)
        return fail(err, STATUS_MEMORY, "no memory to compile an expression");
    advance(c);
    while (accept(c, TOKEN_NEWLINE))
        continue;
    value = read_expression(c);
    while (!c->panic && accept(c, TOKEN_NEWLINE))
        continue;
    if (!c->panic && c->token.kind != TOKEN_END)
        unexpected(c, "the end of the expression");
    name_expression(c, &value, text_trim(source));
    status = compile_end(rule, c, arena, source, err);
    compiler_free(c);
    return status;
}
