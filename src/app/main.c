/* Finds the command, parses its options, runs it, says how it ended.  Nothing else. */
#include "app/app.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one mutable global state: a signal handler has no other way to speak, and the thread that
 * waits for the reader's end outlives main. */
static atomic_bool stopped, reader_gone;
static _Atomic(const char *) stop_words;

void app_stop_words(const char *words)
{
    atomic_store_explicit(&stop_words, words, memory_order_relaxed);
}

/* The first signal asks to stop; the default action of a second one ends the process. */
static void on_signal(int number)
{
    const char *words = atomic_load_explicit(&stop_words, memory_order_relaxed);
    int kept = errno;

    if (words)
        (void)!write(STDERR_FILENO, words, strlen(words));
    errno = kept;
    atomic_store_explicit(&stopped, true, memory_order_relaxed);
    signal(number, SIG_DFL);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* `harrier … | head` ends by the failed write, without a message */
}

/* Descriptors 0, 1 and 2 must be open, or files would take their place and be written into.  What
 * was closed fails when it is used, or an answer would be lost without a word. */
static void open_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
}

/* "run show 3" is the command "run show" with one operand. */
static const struct command *command_find(int argc, char **argv, int *words)
{
    char two[64];

    if (argc > 2) {
        snprintf(two, sizeof two, "%s %s", argv[1], argv[2]);
        for (size_t i = 0; i < command_count; i++)
            if (!strcmp(commands[i]->name, two)) {
                *words = 2;
                return commands[i];
            }
    }
    for (size_t i = 0; i < command_count; i++)
        if (!strcmp(commands[i]->name, argv[1])) {
            *words = 1;
            return commands[i];
        }
    return NULL;
}

/* "run" alone: what may stand behind it. */
static bool second_words(const char *name, struct buffer *words)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < command_count; i++)
        if (!strncmp(commands[i]->name, name, length) && commands[i]->name[length] == ' ')
            buffer_addf(words, "%s%s", words->length ? ", " : "", commands[i]->name + length + 1);
    return words->length > 0;
}

static enum status unknown_command(const char *name, struct error *err)
{
    struct buffer words = {0};
    const char *names[128];
    const char *nearest;

    if (second_words(name, &words)) {
        fail(err, STATUS_USAGE, "%s needs a second word: %s", name, buffer_text(&words));
        buffer_deinit(&words);
        return err->status;
    }

    for (size_t i = 0; i < command_count; i++)
        names[i] = commands[i]->name;
    nearest = text_nearest(text_of(name), names, command_count);
    if (nearest)
        return fail(err, STATUS_USAGE,
                    "unknown command `%s`; did you mean `%s`? `harrier --help` lists all", name,
                    nearest);
    return fail(err, STATUS_USAGE, "unknown command `%s`: `harrier --help` lists all", name);
}

static enum status data_directory(struct app *app, struct error *err)
{
    const char *named = conf_text(app->conf, OPT_DATA), *xdg = getenv("XDG_DATA_HOME"),
               *home = getenv("HOME");
    int length;

    if (named && !*named)
        return fail(err, STATUS_USAGE, "%s: an empty name is no data directory",
                    conf_origin(app->conf, OPT_DATA));
    if (named)
        length = snprintf(app->data, sizeof app->data, "%s", named);
    else if (xdg && *xdg)
        length = snprintf(app->data, sizeof app->data, "%s/harrier", xdg);
    else if (home && *home)
        length = snprintf(app->data, sizeof app->data, "%s/.local/share/harrier", home);
    else
        return fail(err, STATUS_USAGE,
                    "no data directory: give --data DIR, or set HARRIER_DATA or HOME");
    if (length >= (int)sizeof app->data)
        return fail(err, STATUS_USAGE, "the data directory's name is longer than %zu bytes",
                    sizeof app->data - 1);
    return STATUS_OK;
}

static bool takes_market(const struct command *command)
{
    for (size_t i = 0; i < command_option_count(command); i++)
        if (command->options[i] == OPT_ON)
            return true;
    return false;
}

static enum status check_operands(const struct app *app, struct error *err)
{
    const struct command *c = app->command;

    if (app->operand_count < c->least)
        return fail(err, STATUS_USAGE, "%s needs %s: `harrier %s --help` shows examples", c->name,
                    c->operands, c->name);
    if (app->operand_count > c->most)
        return fail(
            err, STATUS_USAGE, "`%s` is one word too many for `harrier %s%s%s`%s",
            app->operands[c->most], c->name, c->operands ? " " : "", c->operands ? c->operands : "",
            takes_market(c) && strchr(app->operands[c->most], '/') ? "; a market stands behind --on"
                                                                   : "");
    if (app->json && app->csv)
        return fail(err, STATUS_USAGE, "--json and --csv: an answer has one form; leave one out");
    return STATUS_OK;
}

static void await_end_of_reader(void *unused)
{
    struct pollfd out = {.fd = STDOUT_FILENO}; /* no events: errors alone end it */

    (void)unused;
    while (poll(&out, 1, -1) < 0 && errno == EINTR) {
    }
    if (out.revents & POLLERR) {
        atomic_store_explicit(&reader_gone, true, memory_order_relaxed);
        atomic_store_explicit(&stopped, true, memory_order_relaxed);
    }
}

/* `harrier … | head -1`: whose answer nobody reads any more need not finish it.  Files that were
 * asked for, and changes, are finished. */
static void watch_reader(struct app *app)
{
    struct error ignored;
    void *thread;

    if (app->command->reads && !output_any(app) && !conf_flag(app->conf, OPT_REPAIR) &&
        lseek(STDOUT_FILENO, 0, SEEK_CUR) < 0 && errno == ESPIPE)
        (void)app->env->calls->thread_start(app->env, &thread, await_end_of_reader, NULL, &ignored);
}

/* Help comes before the configuration is read: it may be what is wrong. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    return false;
}

/* What is near to an option's variable; `config check` tells of others, too. */
static void warn_of_variables(void)
{
    struct unknown_variable unknown;

    for (size_t at = 0; conf_unknown_variable(&unknown, &at);)
        if (unknown.nearest[0])
            app_note("harrier: the variable %.*s is no option's; did you mean %s?",
                     (int)MIN(unknown.name.length, VARIABLE_BYTES), unknown.name.at,
                     unknown.nearest);
}

static enum status run_command(struct app *app, int argc, char **argv, struct error *err)
{
    struct buffer help = {0};

    if (asks_for_help(argc, argv)) {
        help_print(&help, app->command);
        return app_print(app, &help, err);
    }
    TRY(conf_open(&app->conf, app->env, err));
    warn_of_variables();
    TRY(conf_parse(app->conf, argc, argv, app->command->options, command_option_count(app->command),
                   app->operands, &app->operand_count, err));
    app->json = conf_flag(app->conf, OPT_JSON);
    app->csv = conf_flag(app->conf, OPT_CSV);
    if (app->json || app->csv)
        app->width = 0; /* programs read it, on a terminal too */
    TRY(check_operands(app, err));
    TRY(data_directory(app, err));
    watch_reader(app);
    return app->command->run(app, err);
}

static enum status dispatch(struct app *app, int argc, char **argv, struct error *err)
{
    struct buffer out = {0};
    enum status status;
    int words = 0;

    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        app->command = argc > 2 ? command_find(argc - 1, argv + 1, &words) : NULL;
        help_print(&out, app->command);
        return app_print(app, &out, err);
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        buffer_add_text(&out, "harrier " HARRIER_VERSION "\n");
        return app_write(&out, err);
    }
    app->command = command_find(argc, argv, &words);
    if (!app->command)
        return unknown_command(argv[1], err);
    app->operands = mem_zero((size_t)argc + 1, sizeof *app->operands);
    if (!app->operands)
        return fail(err, STATUS_MEMORY, "no memory");
    status = run_command(app, argc - words - 1, argv + words + 1, err);
    conf_close(app->conf);
    mem_free(app->operands);
    return status;
}

int main(int argc, char **argv)
{
    struct env env = {.calls = env_posix()->calls, .stop = &stopped};
    struct app app = {.env = &env};
    struct error err = {0};
    enum status status;

    open_standard_files();
    catch_signals();
    maps_outlive_cuts();
    app.begin_ns = clock_ticks_ns(app.env);
    app.width = terminal_width(STDOUT_FILENO);
    app.terminal = isatty(STDERR_FILENO);
    status = dispatch(&app, argc, argv, &err);
    if (status == STATUS_INTERRUPTED && atomic_load_explicit(&reader_gone, memory_order_relaxed))
        return status_exit_code(STATUS_OK);
    if (status != STATUS_OK && err.text[0]) {
        /* Messages of the rule compiler stand for themselves, line by line. */
        if (status == STATUS_RULE)
            fprintf(stderr, "%s\n", err.text);
        else
            app_note("harrier: %s", err.text);
    }
    return status_exit_code(status);
}
