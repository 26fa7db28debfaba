/* Runs a rule over the bars of a file and prints every named value, signal and level of every bar,
 * for random_rules.py.
 *
 *     rule_run RULE BARS.csv BLOCK LANES [NAME=NUMBER …]
 *
 * BARS.csv: time (UTC ms), open, high, low, close, volume, with a header.  BLOCK bars are evaluated
 * at a time; with 64 the rule is also proved not to see the future.  What is printed is the last
 * lane's; with 4 lanes the others have other parameters.  Numbers read back to the same bits;
 * conditions are 0 and 1.  On standard error, a line a named value: NAME HOLES LOOKBACK. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/prove.h"

enum { BARS_MAX = 20000, ARENA_BYTES = 256 << 20 };

static int64_t times[BARS_MAX];
static double columns[BAR_COLUMNS][BARS_MAX];
static size_t bar_count;

static int give_up(const char *what)
{
    fprintf(stderr, "%s\n", what);
    return 2;
}

static bool read_bars(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[400];

    if (!file || !fgets(line, sizeof line, file))
        return false;
    while (bar_count < BARS_MAX && fgets(line, sizeof line, file)) {
        char *at = line;

        times[bar_count] = strtoll(at, &at, 10);
        for (int c = 0; c < BAR_COLUMNS; c++)
            columns[c][bar_count] = strtod(at + 1, &at);
        bar_count++;
    }
    fclose(file);
    return true;
}

static struct text read_source(const char *path)
{
    static char bytes[RULE_SOURCE_BYTES_MAX + 1];
    FILE *file = fopen(path, "rb");
    struct text text = {bytes, 0};

    if (file) {
        text.length = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
    }
    return text;
}

static void fill(struct program *program, size_t begin, size_t count)
{
    for (int c = 0; c < RULE_COLUMNS; c++)
        for (size_t t = 0; (program->columns >> c & 1) && t < count; t++) {
            size_t bar = begin + t;
            double value = c <= COLUMN_VOLUME ? columns[c][bar]
                           : c == COLUMN_BAR_INDEX
                               ? (double)bar
                               : rule_column_of_time((enum rule_column)c, times[bar], 0);

            for (int l = 0; l < program->lanes; l++)
                program->column[c][t * (size_t)program->lanes + (size_t)l] = value;
        }
}

static void print_number(double number)
{
    char text[DOUBLE_TEXT_BYTES];

    double_to_text(number, text);
    printf(",%s", text);
}

static void print_header(const struct rule *rule)
{
    static const char *const signals[] = {"buy", "sell", "short", "cover"};
    static const char *const levels[] = {"stop", "target", "trail", "size"};

    printf("bar");
    for (int v = 0; v < rule->value_count; v++)
        printf(",%s", rule->values[v].name);
    for (int s = 0; s < SIGNALS; s++)
        if (rule->signal[s] != NODE_NONE)
            printf(",%s", signals[s]);
    for (int i = 0; i < LEVELS; i++)
        if (rule->level[i].kind != LEVEL_NONE)
            printf(",%s", levels[i]);
    printf("\n");
}

/* The last lane: all lanes hold the same bars, so any will do. */
static void print_bar(const struct rule *rule, const struct program *program, size_t begin,
                      size_t t)
{
    size_t lane = (size_t)program->lanes - 1;

    printf("%zu", begin + t);
    for (int v = 0; v < rule->value_count; v++)
        if (program->value[v].at)
            print_number(program->value[v].at[t * program->value[v].step + lane]);
        else
            printf(",%d", (int)(program->value_condition[v][lane] >> t & 1));
    for (int s = 0; s < SIGNALS; s++)
        if (rule->signal[s] != NODE_NONE)
            printf(",%d", (int)(program->signal[s][lane] >> t & 1));
    for (int i = 0; i < LEVELS; i++)
        if (rule->level[i].kind != LEVEL_NONE)
            print_number(program->level[i].at[t * program->level[i].step + lane]);
    printf("\n");
}

static int run(const struct rule *rule, struct arena *arena, size_t block, int lanes,
               double (*rows)[LANES_MAX])
{
    struct program_setup setup = {.kernels = kernels_select(NULL, lanes),
                                  .parameters = (const double(*)[LANES_MAX])rows,
                                  .values = true};
    struct program *program;
    struct error err;

    if (!setup.kernels || program_new(&program, arena, rule, &setup, &err) != STATUS_OK)
        return give_up("no program");
    program_start(program);
    print_header(rule);
    for (size_t begin = 0; begin < bar_count; begin += block) {
        size_t count = MIN(block, bar_count - begin);

        fill(program, begin, count);
        program_block(program, count);
        for (size_t t = 0; t < count; t++)
            print_bar(rule, program, begin, t);
    }
    return 0;
}

/* The values in the last lane; in four lanes, others of each parameter's walk before it. */
static void fill_lanes(const struct rule *rule, const double *values, int lanes,
                       double (*rows)[LANES_MAX])
{
    double others[RULE_PARAMETERS_MAX];

    for (int l = 0; l < LANES_MAX; l++) {
        for (int p = 0; p < rule->parameter_count; p++)
            others[p] = rule_walk_value(
                &rule->parameters[p], (size_t)(3 * l + p) % rule_walk_count(&rule->parameters[p]));
        for (int p = 0; p < rule->parameter_count; p++)
            rows[p][l] = lanes == LANES_NARROW && l < lanes - 1 && rule_allows(rule, others)
                             ? others[p]
                             : values[p];
    }
}

/* Every random rule is an honest rule. */
static bool prove(const struct rule *rule, struct arena *arena, const double *values)
{
    struct bars bars = {.count = bar_count, .time = times};
    size_t mark = arena_mark(arena);
    struct proof proof;
    struct error err;
    char text[1024];

    for (int c = 0; c < BAR_COLUMNS; c++)
        bars.column[c] = columns[c];
    if (rule_prove(&proof, arena, rule, values, kernels_select(NULL, LANES_WIDE), &bars, 0, NULL,
                   &err) != STATUS_OK)
        return give_up(err.text) == 0;
    proof_text(&proof, rule, text, sizeof text);
    arena_reset(arena, mark);
    return proof.holds || give_up(text) == 0;
}

int main(int argc, char **argv)
{
    int lookbacks[RULE_NODES_MAX];
    static double rows[RULE_PARAMETERS_MAX][LANES_MAX], values[RULE_PARAMETERS_MAX];
    struct arena arena;
    const struct rule *rule;
    struct error err;
    void *memory = malloc(ARENA_BYTES);
    size_t block = argc > 3 ? (size_t)atoi(argv[3]) : 0;

    if (argc < 5 || !memory || block < 1 || block > BLOCK_BARS || !read_bars(argv[2]))
        return give_up("usage: rule_run RULE BARS.csv BLOCK LANES [NAME=NUMBER ...]");
    arena_init(&arena, memory, ARENA_BYTES);
    if (rule_compile(&rule, &arena, read_source(argv[1]), argv[1], &err) != STATUS_OK)
        return give_up(err.text);
    for (int p = 0; p < rule->parameter_count; p++)
        values[p] = rule->parameters[p].value;
    for (int i = 5; i < argc; i++) {
        char *sign = strchr(argv[i], '=');
        int p = sign ? rule_parameter_find(rule, (struct text){argv[i], (size_t)(sign - argv[i])},
                                           &err)
                     : -1;

        if (p < 0 || rule_parameter_check(rule, p, strtod(sign + 1, NULL), &err) != STATUS_OK)
            return give_up(err.text);
        values[p] = strtod(sign + 1, NULL);
    }
    if (rule_require_check(rule, values, &err) != STATUS_OK)
        return give_up(err.text);
    fill_lanes(rule, values, atoi(argv[4]), rows);
    if (block == BLOCK_BARS && !prove(rule, &arena, values))
        return 3;
    rule_lookbacks(rule, values, lookbacks);
    for (int v = 0; v < rule->value_count; v++)
        fprintf(stderr, "%s %d %d\n", rule->values[v].name, rule->nodes[rule->values[v].node].holes,
                lookbacks[rule->values[v].node]);
    return run(rule, &arena, block, atoi(argv[4]), rows);
}
