/* compile: what the parts of the compiler share.  Reading and checking is one pass: each expression
 * becomes nodes while it is read.  A `def` and a formula indicator are read again, with their
 * arguments bound, where they are called.
 *
 *     statement.c   lines            ─▶ compile.c   the finished rule
 *     expression.c  operators, names
 *     value.c       values, and what is wanted of them
 *     call.c        arguments, indicators, formulas, `def`
 *     function.c    the language's own functions
 *     graph.c       nodes
 */
#ifndef HARRIER_RULE_COMPILE_H
#define HARRIER_RULE_COMPILE_H

#include "rule/graph.h"
#include "rule/message.h"

/* A wrong value has been reported and is silently carried on; so are the arguments of a `def` that
 * is only checked. */
enum value_kind { VALUE_WRONG, VALUE_NUMBER, VALUE_COLUMN, VALUE_CONDITION, VALUE_SEVERAL };

enum unit {
    UNIT_PLAIN,
    UNIT_PERCENT, /* a share that was written as a percent */
    UNIT_PRICE,
    UNIT_SCALED /* a share × 100, as TA-Lib's roc gives it */
};

struct value {
    enum value_kind kind;
    enum unit unit;
    int node;
    bool fresh_comparison;             /* `a < b` itself, not a name of it */
    int outputs[KERNEL_OUTPUTS_MAX];   /* of a call of several outputs */
    const struct indicator *indicator; /* what was called; NULL behind any operator */
    struct place place;
};

struct named {
    struct text name;
    struct value value;
    int parameter; /* index, or -1 */
    bool used;
    struct place place;
};

enum { DEF_PARAMETERS_MAX = 8 };

struct def {
    struct text name;
    struct text parameters[DEF_PARAMETERS_MAX];
    int parameter_count;
    struct lexer body; /* just before the expression */
    size_t visible_names;
    bool broken; /* its errors were reported where it stands */
    struct place place;
};

struct growing_ints {
    int *at;
    size_t count, capacity;
};

struct compiler {
    struct messages messages;
    struct graph graph;
    struct lexer lexer;
    struct token token;    /* the one not yet taken */
    const char *taken_end; /* of the one taken last */
    bool panic;            /* a syntax error: the rest of the statement is skipped, silently */
    bool stopped;          /* out of nodes, steps or memory: nothing more is reported */
    int nesting, steps;

    struct named *names; /* globals, then those of the `def` or formula being read */
    size_t name_count, name_capacity;
    size_t local_names;   /* where the innermost locals begin */
    size_t visible_names; /* globals that are seen */
    struct def *defs;
    size_t def_count, def_capacity;
    size_t visible_defs;
    struct text defining; /* name of the `def` whose body is being read; .at NULL: none */
    const struct indicator *formula; /* the one being read, or NULL */
    struct text inlined;             /* name of the `def` being read; .at NULL: none */
    struct place call_place;         /* of the outermost call that led there */

    struct rule_parameter parameters[RULE_PARAMETERS_MAX];
    struct place parameter_places[RULE_PARAMETERS_MAX];
    bool parameter_used[RULE_PARAMETERS_MAX];
    struct buffer listed[RULE_PARAMETERS_MAX]; /* doubles of `in {…}` */
    int parameter_count;

    struct growing_ints require;
    struct rule_limit *limits;
    size_t limit_count, limit_capacity;

    int signal[SIGNALS];
    struct {
        enum level_kind kind;
        int node;
        struct place place;
    } level[LEVELS];
    enum size_kind size_kind;
    int exit_after;
    struct place signal_places[SIGNALS], size_place, exit_place;
    char nearest[RULE_NAME_BYTES_MAX]; /* see name_nearest */
    struct text say;                   /* without its quotes; .at NULL: none */
    struct place say_place;
};

/* ---- reading --------------------------------------------------------- */

void advance(struct compiler *c);
bool accept(struct compiler *c, enum token_kind kind);
bool accept_word(struct compiler *c, const char *word); /* of the grammar, in its place */
bool at_end_of_statement(const struct compiler *c);

/* The token that comes after the present one. */
struct token token_after(const struct compiler *c);

/* Takes the token, or reports "expected `what`" and panics. */
bool expect(struct compiler *c, enum token_kind kind, const char *what);

/* Says what stands here instead of what was expected, and panics. */
void unexpected(struct compiler *c, const char *expected);

/* From the begin of `place` to the end of what was taken last. */
struct place place_to_here(const struct compiler *c, struct place place);

/* Reports, with "in `f`, called in line 3" where the place is inside a `def`. */
void complain(struct compiler *c, struct place place, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One more level of nesting; false, and reported, beyond RULE_NESTING_MAX. */
bool enter(struct compiler *c, struct place place);

/* Once there is no going on (memory, nodes, steps): reports it once and stops the reading. */
void check_stop(struct compiler *c, struct place place);

/* Room for one more in a growing list; false, and the reading stopped, without memory. */
bool grow(struct compiler *c, void **items, size_t *capacity, size_t count, size_t item_bytes);

/* ---- values ---------------------------------------------------------- */

struct value wrong_value(void);
struct value number_value(struct compiler *c, double number, struct place place);
struct value node_value(struct compiler *c, int node, enum unit unit, struct place place);
struct value op_value(struct compiler *c, enum kernel_id kernel, const struct op_inputs *inputs,
                      enum unit unit, struct place place);
struct value column_value(struct compiler *c, enum rule_column column, struct place place);

/* "a condition", "a price", "a number", "several values" … */
const char *value_words(const struct value *value);

/* False, and reported, where the value is no single number (a number or column), or no condition.
 * `who` needs it: "`+`", "`buy when`". */
bool want_single(struct compiler *c, const struct value *value, const char *who);
bool want_condition(struct compiler *c, const struct value *value, const char *who);

/* The value stands where a number that is the same on every bar must be, within limits. */
struct limit_words {
    double least, most;
    bool whole;
    const char *function, *argument; /* kept in the rule; must outlive it */
};
bool want_constant(struct compiler *c, const struct value *value, const struct limit_words *limit);

struct value read_expression(struct compiler *c);
struct value read_whole_expression(struct compiler *c); /* and the statement ends behind it */

/* Arithmetic and comparisons, as they are read or as functions build them. */
struct value binary_value(struct compiler *c, enum token_kind sign, struct value a, struct value b,
                          struct place place);
struct value lag_value(struct compiler *c, struct value value, struct value bars,
                       struct place place);
struct value choose_value(struct compiler *c, struct value condition, struct value a,
                          struct value b, struct place place);

/* ---- calls ----------------------------------------------------------- */

enum argument_kind {
    ARGUMENT_VALUE, /* number or column */
    ARGUMENT_COLUMN,
    ARGUMENT_CONDITION,
    ARGUMENT_EITHER, /* number, column or condition */
    ARGUMENT_WHOLE,
    ARGUMENT_REAL,   /* the same on every bar */
    ARGUMENT_MATYPE, /* a number that is written out, or a name in quotes */
    ARGUMENT_WORD    /* a text in quotes */
};

struct formal {
    const char *name, *aliases;
    enum argument_kind kind;
    bool optional;
    double least, most, usual;
};

enum { FORMALS_MAX = KERNEL_INPUTS_MAX + KERNEL_PARAMETERS_MAX };

struct signature {
    const char *name, *title;
    struct formal formals[FORMALS_MAX];
    int count;
};

/* Arguments by the order of the formals; what was left out holds the usual number. */
struct bound {
    struct value value[FORMALS_MAX];
    struct text word[FORMALS_MAX];
    bool given[FORMALS_MAX];
    struct place place; /* of the whole call */
};

struct function {
    struct signature signature;
    enum kernel_id kernel; /* where build is NULL: values, conditions, periods go to it in order */
    struct value (*build)(struct compiler *c, const struct function *function,
                          const struct bound *bound);
    bool keeps_unit; /* of its first value */
};

const struct function *function_find(struct text name);
const char *function_scanner_words(
    struct text name); /* rank, on, …: why not yet; NULL for others */
size_t function_names(const char **names, size_t max);

/* "ema(real, timeperiod = 30): exponential moving average"; of any function that a file can call.
 */
void signature_words(const struct signature *signature, char *words, size_t bytes);
bool signature_of(struct text name, struct signature *signature);

struct value read_call(struct compiler *c, struct token name);
struct value call_function(struct compiler *c, const struct function *function,
                           const struct bound *bound);
struct value call_indicator(struct compiler *c, const struct indicator *indicator,
                            const struct bound *bound);

/* The number that a text over `timeperiod` stands for. */
struct value read_with_period(struct compiler *c, const char *text, const struct value *period,
                              struct place place);
struct named *name_find(struct compiler *c, struct text name);
bool name_push(struct compiler *c, const struct named *name);
const char *name_nearest(struct compiler *c, struct text word, bool functions);

/* ---- statements ------------------------------------------------------ */

void read_statements(struct compiler *c);
void finish_statements(struct compiler *c); /* what can be said only when all are read */

#endif
