/* conf: every option of every command, one row each (conf/option.def).  Command line,
 * configuration file, environment, `--help`, `config show`, completion, man pages and documentation
 * read the row.
 *
 *     defaults  <  file  <  environment  <  command line
 *
 * The file is YAML: $HARRIER_CONFIG, else $XDG_CONFIG_HOME/harrier/config.yaml, else
 * ~/.config/harrier/config.yaml; its keys are the rows' names ("backtest.cash" is cash under
 * backtest).  The variable of a row is HARRIER_ and the name in capitals, dots as underscores
 * (HARRIER_BACKTEST_CASH; HARRIER_DATA for `data`).  A name that begins with '-' is for the command
 * line alone. */
#ifndef HARRIER_CONF_H
#define HARRIER_CONF_H

#include "base/base.h"
#include "sys/sys.h"

enum option_type {
    OPTION_FLAG, /* --json; true or false in the file */
    OPTION_TEXT,
    OPTION_LIST,  /* text, may be given several times; commas part, too, where the row says so */
    OPTION_WHOLE, /* a whole number */
    OPTION_NUMBER,
    OPTION_RATE,  /* needs its unit: 0.1% or 10bps; kept as a share (0.001) */
    OPTION_DATE,  /* ISO 8601, kept as UTC ms */
    OPTION_CHOICE /* one of `choices` */
};

struct option_row {
    const char *name; /* "backtest.cash", or "-json": on the command line alone */
    const char *flag; /* "cash": --cash; NULL: file and environment alone */
    char letter;      /* 'j': -j; 0 */
    enum option_type type;
    const char *usual;      /* default as a user would write it; NULL: not set */
    double low, high;       /* of numbers and rates (as shares) */
    const char *choices;    /* blank-separated, of OPTION_CHOICE */
    const char *value_name; /* "MONEY" in `--cash MONEY` */
    const char *help;       /* one sentence */
};

/* OPTION_ROW(id, …) in option.def gives OPT_CASH … */
enum option {
#define OPTION_ROW(id, ...) OPT_##id,
#include "conf/option.def"
#undef OPTION_ROW
    OPTION_COUNT
};
extern const struct option_row option_rows[OPTION_COUNT];

enum option_source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND_LINE };

struct conf; /* the values of one process */

/* Reads file and environment.  Errors name the file and line, or the variable.  The file is looked
 * for through `env`; libcyaml is loaded only where there is one. */
enum status conf_open(struct conf **conf, struct env *env, struct error *err);
void conf_close(struct conf *conf);

/* The file that was read; NULL where there was none. */
const char *conf_file(const struct conf *conf);

/* Name of the row's environment variable; false for rows that are flags alone. */
enum { VARIABLE_BYTES = 64 };
bool option_variable(const struct option_row *row, char variable[VARIABLE_BYTES]);

/* The next variable of the environment that begins with HARRIER_ and is read by nobody; false
 * behind the last.  *at is 0 at first.  It may be misspelt, or another program's (Kubernetes makes
 * HARRIER_PORT for a service of this name). */
struct unknown_variable {
    struct text name;
    char nearest[VARIABLE_BYTES]; /* that there is; "" where none is near */
};
bool conf_unknown_variable(struct unknown_variable *unknown, size_t *at);

/* Parses a command's words: `allowed[]` are the options that it takes, the rest are its operands,
 * which stay in order in operands[] (room for argc).  "--" ends options, "-" is an operand,
 * --flag=value and --flag value, -j2 and -j 2.  An unknown flag is STATUS_USAGE with the nearest
 * allowed one.  `argv` must outlive `conf`. */
enum status conf_parse(struct conf *conf, int argc, char **argv, const enum option *allowed,
                       size_t allowed_count, const char **operands, size_t *operand_count,
                       struct error *err);

/* Given somewhere, or has a default. */
bool conf_is_set(const struct conf *conf, enum option option);
enum option_source conf_source(const struct conf *conf, enum option option);

/* "default", "PATH:3", "HARRIER_BACKTEST_FEE", "--fee". */
const char *conf_origin(const struct conf *conf, enum option option);

/* As written; NULL: not set. */
const char *conf_text(const struct conf *conf, enum option option);
bool conf_flag(const struct conf *conf, enum option option);
int64_t conf_whole(const struct conf *conf, enum option option);

/* Numbers and rates; NaN: not set. */
double conf_number(const struct conf *conf, enum option option);
int64_t conf_date(const struct conf *conf, enum option option);
size_t conf_list_count(const struct conf *conf, enum option option);
const char *conf_list(const struct conf *conf, enum option option, size_t index);

/* A rate as text ("0.1%", "10bps"): STATUS_USAGE with both spellings for a bare number. */
enum status rate_parse(double *share, struct text text, const char *what, struct error *err);

#endif
