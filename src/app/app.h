/* app: the command line.  A command is one row (struct command); main finds it, parses its options,
 * runs it, and turns its status into a sentence on standard error and an exit code.  Results go to
 * standard output. It computes nothing. */
#ifndef HARRIER_APP_H
#define HARRIER_APP_H

#include <stdio.h>

#include "app/json.h"
#include "app/sheet.h"
#include "conf/conf.h"
#include "model/model.h"
#include "rule/rule.h"
#include "store/store.h"
#include "sys/sys.h"

enum { COMMAND_OPTIONS_MAX = 48, PATH_BYTES_MAX = 4096, FOLDED_COLUMNS_MIN = 20 };

struct app {
    struct env *env; /* stopped by SIGINT or SIGTERM: the work ends within 100 ms */
    struct conf *conf;
    const struct command *command;
    const char **operands; /* what is not an option, in order */
    size_t operand_count;
    char data[PATH_BYTES_MAX]; /* the data directory */
    bool json, csv;
    int width;     /* that an answer for people is cut to; 0 where nobody looks at it */
    bool terminal; /* standard error is one: progress may be shown */
    int64_t begin_ns;
};

struct command {
    const char *name;     /* "backtest", "run show" */
    const char *operands; /* "RULE", as in the synopsis */
    size_t least, most;   /* operands */
    bool reads;           /* and changes nothing: where its reader is gone, it ends */
    const char *summary;  /* one line of `harrier --help` */
    const char *help;     /* what it does, and examples */
    enum option options[COMMAND_OPTIONS_MAX]; /* OPT_HELP is the last */
    enum status (*run)(struct app *app, struct error *err);
};

extern const struct command *const commands[];
extern const size_t command_count;

size_t command_option_count(const struct command *command);

/* Writes a buffer to standard output and empties it; STATUS_SYSTEM where that fails (a full disk
 * behind a pipe).  A reader that went away (head) is no error. */
enum status app_write(struct buffer *out, struct error *err);

/* The same, of any stream, and empties nothing. */
enum status stream_write(FILE *stream, const struct buffer *text, struct error *err);

/* The same for people: lines are broken at words to the width of their terminal. */
enum status app_print(const struct app *app, struct buffer *out, struct error *err);

/* Writes the one of two answers that was asked for, --json or text, and drops the other. */
enum status app_answer(const struct app *app, struct json *json, struct buffer *text,
                       struct error *err);

/* Breaks lines of more than `width` columns at their blanks; less than FOLDED_COLUMNS_MIN: none.
 * What goes on stands under the line's second column, if it has one; a command goes on behind a
 * backslash, so that a shell reads it as it did. */
void lines_fold(struct buffer *text, int width);

/* Columns of the terminal behind a descriptor; 0 where there is none. */
int terminal_width(int fd);

/* A note for people on standard error, after the results so far. */
void app_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a signal is answered with at once, from now on: a commit is not broken, and may take longer
 * than a person waits without a word.  Borrowed; NULL: nothing. */
void app_stop_words(const char *words);
#define COMMIT_STOP_WORDS                                                                      \
    "\nharrier: stopping; what is being stored is stored whole or not at all (once more ends " \
    "at once)\n"

/* An arena over reserved memory; app_arena_close gives it back. */
enum { APP_ARENA_BYTES_LOG2 = 36 };
enum status app_arena_open(struct arena *arena, struct error *err);
void app_arena_close(struct arena *arena);

/* ---- progress: on standard error, only on a terminal, only after half a second --------------- */

struct progress {
    struct app *app;
    const char *what; /* "symbols" */
    int64_t begin_ns, shown_ns;
    size_t total; /* 0: unknown */
    bool shown;
};
void progress_begin(struct progress *progress, struct app *app, const char *what, size_t total);
void progress_update(struct progress *progress, size_t done); /* any thread */
void progress_end(struct progress *progress);

/* ---- shared by commands ---------------------------------------------------------------------- */

/* The rule of an operand: a file (a path or a name with a suffix), "-" for standard input, or a
 * built-in. */
enum status app_rule(struct app *app, const char *name, struct arena *arena,
                     const struct rule **rule, struct error *err);

/* "rsi, golden_cross, …" with these words between. */
void app_builtin_names(struct buffer *out, const char *between);

/* The market of --on, or of an operand; STATUS_USAGE where there is none. */
enum status app_market(struct app *app, const char *text, struct market_name *market,
                       struct error *err);

/* Parameter values after --set, and which were `set`; whether they keep every `require` is for the
 * caller to ask. */
enum status app_parameters(struct app *app, const struct rule *rule, double *values, bool *set,
                           struct error *err);

/* The symbols of a snapshot that --symbols names, in order; *chosen from the arena.  A name or
 * pattern that matches none is STATUS_MISSING with the nearest. */
enum status app_symbols(struct app *app, const struct snapshot *snapshot, struct arena *arena,
                        size_t **chosen, size_t *count, struct error *err);

enum status app_no_such_symbol(const struct snapshot *snapshot, const char *name,
                               struct error *err);

/* ---- output: the files of --trades, --equity and --surface ------------------------------------
 *
 * A regular file is replaced whole, behind a link its target; a device or a pipe is written
 * through; /dev/stdout and /dev/stderr go where the program's own words go. */

/* Whether the files that were asked for can be written, before hours of work are put into it: not
 * two into one, not over the rule's file (NULL: there is none), nor into the data directory. */
enum status output_check(struct app *app, const char *rule, struct error *err);

bool output_any(struct app *app); /* whether there is one */

/* Writes the text to the option's file, and empties it. */
enum status output_whole(struct app *app, enum option option, struct buffer *text,
                         struct error *err);

/* A file that is written piece by piece, in its place. */
struct output {
    struct env *env;
    FILE *stream;          /* where it is one of the program's own; else NULL */
    struct env_file *file; /* NULL: closed, or a stream */
    bool through;
    uint64_t bytes;
};
enum status output_open(struct output *output, struct app *app, enum option option,
                        struct error *err);
enum status output_add(struct output *output, struct buffer *text, struct error *err);

/* Nothing stays of what was written, where it can be taken back. */
enum status output_empty(struct output *output, struct error *err);
void output_close(struct output *output);

/* The options of the command line that the answer depends on but for --symbols, as they were given,
 * for the command that is proposed next: " --fill close --set period=21"; and one alone. */
void app_same_option(struct app *app, enum option option, struct buffer *out);
void app_same_options(struct app *app, struct buffer *out);

int app_jobs(struct app *app);
bool app_color(struct app *app);

/* Help of one command, or of all (NULL), as text for people. */
void help_print(struct buffer *out, const struct command *command);

#endif
