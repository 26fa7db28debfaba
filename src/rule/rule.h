/* rule: the rule language.  A rule file becomes a checked graph of values, immutable and shared by
 * all threads:
 *
 *     source text ─▶ statements ─▶ checked graph ─▶ program: operations that are bound to
 *                                  (struct rule)    the memory of one group of lanes
 *                                                   (rule/program.h)
 *
 * The graph is hash-consed: equal sub-expressions are one node.  A node stands behind its inputs.
 * Formula indicators are expanded into it.  A node of TYPE_NUMBER is the same on every bar:
 * literals, parameters and arithmetic on them; everything else is the output of a kernel over other
 * nodes, or a bar column. */
#ifndef HARRIER_RULE_H
#define HARRIER_RULE_H

#include "indicator/indicator.h"
#include "model/model.h"

enum {
    RULE_SOURCE_BYTES_MAX = 1 << 20,
    RULE_NODES_MAX = 10000,
    RULE_NESTING_MAX = 200,
    RULE_LOOKBACK_MAX = 1000000,
    RULE_GRID_MAX = 100000000,
    RULE_ERRORS_MAX = 20,
    RULE_PARAMETERS_MAX = 64,
    RULE_VALUES_MAX = 1000,   /* named values; as many `def`s and `require`s */
    RULE_LISTED_MAX = 1000,   /* values of `in {a, b, c}` */
    RULE_STEPS_MAX = 1000000, /* operands read after every `def` and formula is inlined */
    RULE_NAME_BYTES_MAX = 64
};

#define RULE_PARAMETER_MOST 1e30 /* the magnitude of a parameter without a range */

/* ---- the graph ------------------------------------------------------- */

enum value_type { TYPE_NUMBER, TYPE_COLUMN, TYPE_CONDITION };

enum node_kind {
    NODE_LITERAL,   /* number */
    NODE_PARAMETER, /* index: which */
    NODE_COLUMN,    /* index: enum rule_column */
    NODE_OP,        /* kernel over inputs; its value is output 0 */
    NODE_OUTPUT     /* input[0] is a NODE_OP; index: which of its outputs (1…) */
};

/* The first five are enum bar_column. */
#define COLUMN_ROW(id, word, title) COLUMN_##id,
enum rule_column {
#include "rule/column.def"
    RULE_COLUMNS
};
#undef COLUMN_ROW

enum { NODE_NONE = -1 };

/* STAGES.  Ops of stage 0 work on one symbol's own bars.  An op across symbols begins the next
 * stage, behind a barrier at which all symbols have reached the bar (it comes with the scanners).
 */
struct node {
    enum node_kind kind;
    enum value_type type;
    double number;                        /* NODE_LITERAL */
    int index;                            /* NODE_PARAMETER, NODE_COLUMN, NODE_OUTPUT */
    enum kernel_id kernel;                /* NODE_OP */
    int input[KERNEL_INPUTS_MAX];         /* number inputs, node indices */
    int when[KERNEL_CONDITIONS_MAX];      /* condition inputs */
    int parameter[KERNEL_PARAMETERS_MAX]; /* nodes of TYPE_NUMBER */
    uint64_t depends;                     /* bit p: on parameter p, directly or through inputs */
    bool holes;                           /* may be NaN after its first defined bar, or so large
                                             that windows and averages take it for NaN */
    int stage;                            /* 0; see above */
    int slot;                             /* place in rule->statics, or NODE_NONE */
    int line, column;                     /* where it was first written, for messages (1-based) */
    const struct indicator *indicator;    /* whose kernel an op is; NULL: the language's own */
};

/* ---- the rule -------------------------------------------------------- */

struct rule_parameter {
    char name[RULE_NAME_BYTES_MAX];
    double value;           /* default */
    bool ranged;            /* low…high given */
    double low, high, step; /* step 0: none */
    const double *listed;   /* `in {a, b, c}`; NULL if not */
    int listed_count;
    bool whole; /* follows from its use */
    bool percent;
    bool date;          /* was written as one: UTC milliseconds */
    double least, most; /* what its use allows: a period is 1 or more; ±RULE_PARAMETER_MOST */
};

/* Arithmetic on parameters that stands where only some numbers may (`sma(close, 2 * n)`). */
struct rule_limit {
    int node;
    double least, most;
    bool whole;
    const char *function, *argument;
    const struct indicator *formula; /* in whose formula it stands, or NULL */
    int line;
};

enum rule_signal { SIGNAL_BUY, SIGNAL_SELL, SIGNAL_SHORT, SIGNAL_COVER, SIGNALS };
enum rule_level { LEVEL_STOP, LEVEL_TARGET, LEVEL_TRAIL, LEVEL_SIZE, LEVELS };
enum level_kind { LEVEL_NONE, LEVEL_PERCENT /* a share: 0.05 */, LEVEL_DISTANCE /* in price */ };
enum size_kind {
    SIZE_EQUITY /* share */,
    SIZE_UNITS,
    SIZE_CASH,
    SIZE_RISK /* share lost at stop */
};

struct rule_value {
    char name[RULE_NAME_BYTES_MAX];
    int node;
};

struct rule {
    char name[256]; /* as the user wrote it: path or built-in name */
    char title[RULE_NAME_BYTES_MAX];
    struct text source;
    struct hash128 hash; /* of the source */

    const struct node *nodes;
    int node_count;

    struct rule_parameter parameters[RULE_PARAMETERS_MAX];
    int parameter_count;
    const int *require; /* condition nodes of TYPE_NUMBER inputs alone: see rule_allows */
    int require_count;
    const struct rule_limit *limits;
    int limit_count;
    const int
        *statics; /* ops that are the same on every bar, in order: numbers, conditions on them */
    int static_count;
    int stage_count; /* 1 */

    int signal[SIGNALS]; /* condition nodes, NODE_NONE where not said */
    struct {
        enum level_kind kind; /* LEVEL_SIZE: LEVEL_NONE means 100 % of equity */
        int node;             /* TYPE_NUMBER or TYPE_COLUMN */
    } level[LEVELS];
    enum size_kind size_kind;
    int exit_after; /* node of TYPE_NUMBER, bars; NODE_NONE */

    const struct rule_value *values; /* named values in order, for `say` and reports */
    int value_count;
    const char *say;      /* template, or NULL; every {NAME} is a value or a parameter */
    const char *warnings; /* see rule_warnings */
};

/* Reads and checks a rule.  Everything lives in `arena`.  On failure err->text holds all messages
 * (up to RULE_ERRORS_MAX) in the shape that rules.md asks, each with file, line, column, the line
 * and a caret. */
enum status rule_compile(const struct rule **rule, struct arena *arena, struct text source,
                         const char *name, struct error *err);

/* Warnings of the last compile that are no errors (`not` of a comparison with NaN …), as lines; ""
 * if none. */
const char *rule_warnings(const struct rule *rule);

/* An expression for `bars --with`: `source` is one expression; values[] are its outputs, named. */
enum status rule_compile_expression(const struct rule **rule, struct arena *arena,
                                    struct text source, struct error *err);

/* Built-in rules: rsi, rsi_original, golden_cross, macd, bollinger, donchian, supertrend. */
struct rule_builtin {
    const char *name, *title, *source;
};
extern const struct rule_builtin rule_builtins[];
extern const size_t rule_builtin_count;
const struct rule_builtin *rule_builtin_find(struct text name); /* NULL */
const char *rule_builtin_nearest(struct text name);             /* "did you mean"; NULL */

/* Index of a parameter, or -1 and a sentence that suggests the nearest. */
int rule_parameter_find(const struct rule *rule, struct text name, struct error *err);

/* The value that a text gives a parameter, as a file would write it (-1, 1_000, 0.5, 5%,
 * 2020-01-31), and rule_parameter_check on it; and the text of a value (8%, a date). */
enum status rule_parameter_read(const struct rule *rule, int parameter, struct text text,
                                double *value, struct error *err);
enum { PARAMETER_TEXT_BYTES = 48 };
void rule_parameter_text(const struct rule_parameter *parameter, double value,
                         char text[PARAMETER_TEXT_BYTES]);

/* Whether one value of a parameter is allowed (range, list, whole); the sentence says what is. */
enum status rule_parameter_check(const struct rule *rule, int parameter, double value,
                                 struct error *err);

/* Whether the values (one a parameter) keep every `require` and every limit; the sentence names the
 * first that is broken.  Values that rule_allows refuses must not reach a program: its kernels
 * trust periods. */
bool rule_allows(const struct rule *rule, const double *values);
enum status rule_require_check(const struct rule *rule, const double *values, struct error *err);

/* The default walk of a sweep: the values of `in {…}`, or low, low + step, … ≤ high.  One value,
 * the default, where the file gives no range, or a range of reals without a step. */
size_t rule_walk_count(const struct rule_parameter *parameter);
double rule_walk_value(const struct rule_parameter *parameter, size_t index);
double rule_grid_combinations(
    const struct rule *rule); /* product of all walks; compare RULE_GRID_MAX */

/* The value of a node of TYPE_NUMBER under parameter values; of a condition on such: 0 or 1. */
double rule_number(const struct rule *rule, int node, const double *values);

/* Bars before every signal, level and named value is defined, under parameter values; -1: over the
 * limit. A value is defined from the bar on which everything is that it is made of; `isnan(x)`
 * always is, and `nz(a, b)` where one of the two is. */
int rule_lookback(const struct rule *rule, const double *values);

/* Look-backs of all nodes at once: lookbacks[rule->node_count]; RULE_LOOKBACK_MAX + 1 where over
 * it. */
void rule_lookbacks(const struct rule *rule, const double *values, int *lookbacks);

/* Operations a bar (ops of the graph that are not the same on every bar), and which rule_columns
 * are read: bit c. */
int rule_operation_count(const struct rule *rule);
unsigned rule_columns_read(const struct rule *rule);
const char *rule_column_name(enum rule_column column);

/* The value of a column that comes from the open time alone: COLUMN_TIME is `time_ms` (UTC), the
 * others are read off a clock that is `zone_offset_ms` ahead of UTC; weekday 1 = Monday … 7 =
 * Sunday. */
double rule_column_of_time(enum rule_column column, int64_t time_ms, int64_t zone_offset_ms);

/* How far the clock of a market's venue is ahead of UTC at a time, summer time included: the table
 * is venue.def, and 0 where it has no row.  0 also for daily and longer bars, whose open time is a
 * date. */
int64_t rule_clock_offset_ms(const struct market_name *market, int64_t time_ms);

/* The plan in words: one line an operation with its inputs, look-back and what it costs. */
void rule_explain(const struct rule *rule, const double *values, struct buffer *out);

#endif
