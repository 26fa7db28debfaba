/* What the tests of rules share: a rule compiled from text, into memory that is dropped with it. */
#ifndef HARRIER_TEST_RULE_SUPPORT_H
#define HARRIER_TEST_RULE_SUPPORT_H

#include <math.h>
#include <stdlib.h>

#include "rule/rule.h"
#include "test.h"

struct compiled {
    void *memory;
    struct arena arena;
    const struct rule *rule;
    struct error err;
    enum status status;
    double defaults[RULE_PARAMETERS_MAX];
};

enum { COMPILED_BYTES = 8 << 20 };

static inline void compiled_init(struct compiled *c)
{
    c->memory = malloc(COMPILED_BYTES);
    CHECK(c->memory != NULL);
    arena_init(&c->arena, c->memory, COMPILED_BYTES);
    c->rule = NULL;
    c->err.text[0] = '\0';
}

static inline void compiled_end(struct compiled *c)
{
    for (int i = 0; c->rule && i < c->rule->parameter_count; i++)
        c->defaults[i] = c->rule->parameters[i].value;
}

static inline void compile_bytes(struct compiled *c, const char *source, size_t length)
{
    compiled_init(c);
    c->status = rule_compile(&c->rule, &c->arena, (struct text){source, length}, "test.rule",
                             &c->err);
    compiled_end(c);
}

static inline void compile(struct compiled *c, const char *source)
{
    compile_bytes(c, source, strlen(source));
    if (c->status != STATUS_OK)
        print_error("%s\n", c->err.text);
    CHECK_INT(c->status, STATUS_OK);
}

static inline void compile_expression(struct compiled *c, const char *source)
{
    compiled_init(c);
    c->status = rule_compile_expression(&c->rule, &c->arena, text_of(source), &c->err);
    compiled_end(c);
    if (c->status != STATUS_OK)
        print_error("%s\n", c->err.text);
    CHECK_INT(c->status, STATUS_OK);
}

/* The source must fail, and its messages must hold the words. */
static inline void refuse(const char *source, const char *words)
{
    struct compiled c;

    compile_bytes(&c, source, strlen(source));
    if (c.status == STATUS_OK)
        print_error("this compiles: %s\n", source);
    CHECK_INT(c.status, STATUS_RULE);
    CHECK_CONTAINS(c.err.text, words);
    free(c.memory);
}

static inline void drop(struct compiled *c)
{
    free(c->memory);
}

static inline int value_node(const struct rule *rule, const char *name)
{
    for (int i = 0; i < rule->value_count; i++)
        if (strcmp(rule->values[i].name, name) == 0)
            return rule->values[i].node;
    print_error("there is no value %s\n", name);
    CHECK(false);
    return 0;
}

#endif
