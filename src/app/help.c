/* Help, completion and the list of commands, all from the rows. */
#include <string.h>

#include "app/app.h"

extern const struct command command_sample, command_import, command_symbols, command_bars,
    command_verify, command_resample, command_check, command_indicators, command_metrics,
    command_backtest, command_sweep, command_runs, command_run_show, command_run_compare,
    command_run_rm, command_rm, command_rename, command_config_show, command_config_check,
    command_completion, command_man, command_backup;

const struct command *const commands[] = {
    &command_sample,      &command_import, &command_symbols,     &command_bars,
    &command_verify,      &command_backup, &command_resample,    &command_rm,
    &command_rename,      &command_check,  &command_indicators,  &command_metrics,
    &command_backtest,    &command_sweep,  &command_runs,        &command_run_show,
    &command_run_compare, &command_run_rm, &command_config_show, &command_config_check,
    &command_completion,  &command_man,
};
const size_t command_count = ARRAY_COUNT(commands);

size_t command_option_count(const struct command *command)
{
    size_t count = 1;

    while (command->options[count - 1] != OPT_HELP)
        ASSERT(++count <= COMMAND_OPTIONS_MAX);
    return count;
}

static void option_words(struct buffer *out, const struct option_row *row)
{
    if (row->letter)
        buffer_addf(out, "-%c, ", row->letter);
    buffer_addf(out, "--%s", row->flag);
    if (row->type == OPTION_CHOICE) {
        buffer_add_char(out, ' ');
        for (const char *c = row->choices; *c; c++)
            buffer_add_char(out, *c == ' ' ? '|' : *c);
    } else if (row->type != OPTION_FLAG) {
        buffer_addf(out, " %s", row->value_name ? row->value_name : "VALUE");
    }
}

static void option_help(struct buffer *out, const struct option_row *row)
{
    struct buffer words = {0};

    option_words(&words, row);
    buffer_addf(out, "  %-26s %s", buffer_text(&words), row->help);
    if (row->usual && row->type != OPTION_FLAG && !strstr(row->help, "default"))
        buffer_addf(out, " (default %s)", row->usual);
    buffer_add_char(out, '\n');
    buffer_deinit(&words);
}

/* What the words behind a command's name mean. */
static void operand_help(struct buffer *out, const struct command *command)
{
    if (!command->operands || strcmp(command->operands, "RULE") != 0)
        return;
    buffer_add_text(out, "RULE is a file, - for standard input, or a built-in rule (`harrier check "
                         "NAME --source` prints it):\n");
    app_builtin_names(out, ", ");
    buffer_add_text(out, ".\n\n");
}

static void command_help(struct buffer *out, const struct command *command)
{
    buffer_addf(out, "harrier %s%s%s [options]: %s\n\n", command->name,
                command->operands ? " " : "", command->operands ? command->operands : "",
                command->summary);
    operand_help(out, command);
    buffer_addf(out, "%s\noptions:\n", command->help);
    for (size_t i = 0; i < command_option_count(command); i++)
        option_help(out, &option_rows[command->options[i]]);
}

void help_print(struct buffer *out, const struct command *command)
{
    if (command) {
        command_help(out, command);
        return;
    }
    buffer_add_text(
        out, "harrier holds a whole market's bars and backtests any rule over all of it in "
             "milliseconds.\n"
             "\n"
             "  harrier sample                          a random market to try things on\n"
             "  harrier backtest rsi --on sample/1d     one strategy over every symbol, ranked\n"
             "\ncommands:\n");
    for (size_t i = 0; i < command_count; i++)
        buffer_addf(out, "  %-14s %s\n", commands[i]->name, commands[i]->summary);
    buffer_add_text(
        out,
        "\n`harrier COMMAND --help` shows options and examples; every command takes --data DIR.\n"
        "exit codes: 0 done; 1 done, but something in it failed; 2 wrong usage or rule; 3 data "
        "missing\n"
        "or corrupt; 4 refused or busy; 5 a bug or a failure of the system; 130 interrupted\n");
}

/* ---- completion ------------------------------------------------------------------------------ */

static void all_flags(struct buffer *out, const struct command *command)
{
    for (size_t i = 0; i < command_option_count(command); i++)
        buffer_addf(out, "%s--%s", i ? " " : "", option_rows[command->options[i]].flag);
}

/* First words: "run" of "run show" once. */
static void first_words(struct buffer *out)
{
    for (size_t i = 0; i < command_count; i++) {
        const char *name = commands[i]->name;
        size_t length = strcspn(name, " ");

        if (i && !strncmp(commands[i - 1]->name, name, length) &&
            commands[i - 1]->name[length] == ' ')
            continue;
        buffer_addf(out, "%s%.*s", i ? " " : "", (int)length, name);
    }
}

static void second_words(struct buffer *out, const char *first)
{
    size_t length = strlen(first);

    for (size_t i = 0; i < command_count; i++)
        if (!strncmp(commands[i]->name, first, length) && commands[i]->name[length] == ' ')
            buffer_addf(out, "%s ", commands[i]->name + length + 1);
}

static void completion_bash(struct buffer *out)
{
    buffer_add_text(out,
                    "# bash completion of harrier: source <(harrier completion bash)\n"
                    "_harrier()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]} "
                    "prev=${COMP_WORDS[COMP_CWORD-1]} flags=\n"
                    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '");
    first_words(out);
    buffer_add_text(out, "' -- \"$cur\")); return\n    fi\n"
                         "    case $prev in\n"
                         "    --on|--as|--market) COMPREPLY=($(compgen -W \"$(harrier symbols "
                         "2>/dev/null)\" -- \"$cur\")); return;;\n");
    for (int o = 0; o < OPTION_COUNT; o++)
        if (option_rows[o].flag && option_rows[o].type == OPTION_CHOICE)
            buffer_addf(out, "    --%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return;;\n",
                        option_rows[o].flag, option_rows[o].choices);
    buffer_add_text(out, "    esac\n    case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n");
    for (size_t i = 0; i < command_count; i++) {
        buffer_addf(out, "    '%s'%s) flags='", commands[i]->name,
                    strchr(commands[i]->name, ' ') ? "" : "\\ *");
        all_flags(out, commands[i]);
        buffer_add_text(out, "';;\n");
    }
    buffer_add_text(out, "    'run '*) flags='");
    second_words(out, "run");
    buffer_add_text(out, "';;\n    'config '*) flags='");
    second_words(out, "config");
    buffer_add_text(
        out,
        "';;\n    esac\n    if [ \"$COMP_CWORD\" -eq 2 ]; then\n        case ${COMP_WORDS[1]} in\n"
        "        backtest|sweep|check) flags=\"$flags ");
    app_builtin_names(out, " ");
    buffer_add_text(out,
                    "\";;\n        symbols|bars|verify|resample|rm|rename) flags=\"$flags "
                    "$(harrier symbols 2>/dev/null)\";;\n"
                    "        completion) flags='bash zsh fish';;\n        esac\n    fi\n"
                    "    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
                    "    [ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
                    "complete -F _harrier harrier\n");
}

static void completion_fish(struct buffer *out)
{
    buffer_add_text(out, "# fish completion of harrier: harrier completion fish | source\n");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = commands[i];
        int length = (int)strcspn(c->name, " ");

        if (c->name[length])
            buffer_addf(
                out,
                "complete -c harrier -n '__fish_seen_subcommand_from %.*s' -a '%s' -d \"%s\"\n",
                length, c->name, c->name + length + 1, c->summary);
        buffer_addf(out, "complete -c harrier -n __fish_use_subcommand -a '%.*s' -d \"%s\"\n",
                    length, c->name, c->summary);
        for (size_t o = 0; o < command_option_count(c); o++) {
            const struct option_row *row = &option_rows[c->options[o]];

            buffer_addf(out, "complete -c harrier -n '__fish_seen_subcommand_from %.*s' -l %s",
                        length, c->name, row->flag);
            if (row->type == OPTION_CHOICE)
                buffer_addf(out, " -x -a '%s'", row->choices);
            else if (row->type != OPTION_FLAG)
                buffer_add_text(out, " -r");
            buffer_addf(out, " -d \"%s\"\n", row->help);
        }
    }
}

/* zsh runs bash's completions through bashcompinit.  The first line is for a zsh that finds this in
 * its path of functions. */
static void completion_zsh(struct buffer *out)
{
    buffer_add_text(
        out, "#compdef harrier\n# zsh completion of harrier: source <(harrier completion zsh)\n"
             "autoload -U +X compinit bashcompinit && compinit -u && bashcompinit\n");
    completion_bash(out);
}

static enum status completion_command(struct app *app, struct error *err)
{
    const char *shell = app->operands[0];
    struct buffer out = {0};

    if (!strcmp(shell, "bash"))
        completion_bash(&out);
    else if (!strcmp(shell, "zsh"))
        completion_zsh(&out);
    else if (!strcmp(shell, "fish"))
        completion_fish(&out);
    else
        return fail(err, STATUS_USAGE, "no completion for `%s`: there are bash, zsh and fish",
                    shell);
    return app_write(&out, err);
}

const struct command command_completion = {
    .name = "completion",
    .operands = "SHELL",
    .least = 1,
    .most = 1,
    .summary = "completion for bash, zsh or fish",
    .help = "  source <(harrier completion bash)\n"
            "  harrier completion fish > ~/.config/fish/completions/harrier.fish\n",
    .options = {OPT_DATA, OPT_HELP},
    .run = completion_command,
};

/* ---- manual pages, as scdoc reads them ------------------------------------------------------- */

/* scdoc takes _ * \ and leading blanks as signs of its own. */
static void escaped(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("_*\\<>[]#~`|", *text))
            buffer_add_char(out, '\\');
        buffer_add_char(out, *text);
    }
}

static void man_options(struct buffer *out, const struct command *command)
{
    for (size_t i = 0; i < command_option_count(command); i++) {
        const struct option_row *row = &option_rows[command->options[i]];
        struct buffer words = {0};

        option_words(&words, row);
        buffer_add_text(out, "*");
        escaped(out, buffer_text(&words));
        buffer_add_text(out, "*\n\t");
        escaped(out, row->help);
        buffer_add_text(out, "\n\n");
        buffer_deinit(&words);
    }
}

static void man_command(struct buffer *out, const struct command *command)
{
    buffer_addf(out, "## harrier %s ", command->name);
    escaped(out, command->operands ? command->operands : "");
    buffer_add_text(out, "\n\n");
    escaped(out, command->summary);
    buffer_add_text(out, ".\n\n```\n");
    operand_help(out, command);
    buffer_add_text(out, command->help);
    buffer_add_text(out, "```\n\n");
    man_options(out, command);
}

static enum status man_page(struct app *app, struct error *err)
{
    struct buffer out = {0};

    (void)app;
    buffer_add_text(
        &out, "harrier(1)\n\n# NAME\n\nharrier - backtests any trading rule over a whole market\n\n"
              "# SYNOPSIS\n\n*harrier* COMMAND [options]\n\n# DESCRIPTION\n\n"
              "Harrier holds a whole market's bars and backtests any rule over all of it in "
              "milliseconds.\n\n"
              "# COMMANDS\n\n");
    for (size_t i = 0; i < command_count; i++)
        man_command(&out, commands[i]);
    buffer_add_text(&out,
                    "# ENVIRONMENT\n\n*HARRIER\\_DATA*\n\tthe data "
                    "directory\n\n*HARRIER\\_CONFIG*\n\tthe configuration file\n\n"
                    "*NO\\_COLOR*\n\tno colours\n\n# EXIT STATUS\n\n"
                    "0 done; 1 done, but something in it failed; 2 wrong usage or rule; 3 data "
                    "missing or corrupt; "
                    "4 refused or busy; 5 a bug or a failure of the system; 130 interrupted\n");
    return app_write(&out, err);
}

const struct command command_man = {
    .name = "man",
    .summary = "the manual page, as scdoc reads it",
    .help = "  harrier man | scdoc > harrier.1\n",
    .options = {OPT_DATA, OPT_HELP},
    .run = man_page,
};
