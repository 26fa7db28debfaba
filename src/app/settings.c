/* Commands on options: config show, config check. */
#include <string.h>

#include "app/app.h"

static const struct sheet_column setting_columns[] = {{"option", true, 0, false},
                                                      {"value", true, 0, false},
                                                      {"from", true, 1, false},
                                                      {"meaning", true, 2, false}};

static bool is_setting(const struct option_row *row)
{
    return row->name[0] != '-';
}

static const char *value_of(struct app *app, enum option option)
{
    const char *text = conf_text(app->conf, option);

    if (option_rows[option].type == OPTION_FLAG)
        return conf_flag(app->conf, option) ? "true" : "false";
    return text ? text : "";
}

static enum status show_command(struct app *app, struct error *err)
{
    struct buffer out = {0};
    struct json json = {0};
    struct sheet table;

    sheet_init(&table, setting_columns, ARRAY_COUNT(setting_columns));
    json_begin(&json, NULL, '{');
    json_begin(&json, "options", '[');
    for (int o = 0; o < OPTION_COUNT; o++) {
        if (!is_setting(&option_rows[o]))
            continue;
        sheet_add(&table, "%s", option_rows[o].name);
        sheet_add(&table, "%s", value_of(app, o));
        sheet_add(&table, "%s", conf_origin(app->conf, o));
        sheet_add(&table, "%s", option_rows[o].help);
        json_begin(&json, NULL, '{');
        json_text(&json, "name", option_rows[o].name);
        json_text(&json, "value", value_of(app, o));
        json_text(&json, "from", conf_origin(app->conf, o));
        json_end(&json, '}');
    }
    json_end(&json, ']');
    buffer_add_text(&json.out, "}\n");
    if (!app->json)
        sheet_print(&table, &out, app->width);
    out.failed |= table.failed;
    sheet_deinit(&table);
    return app_answer(app, &json, &out, err);
}

const struct command command_config_show = {
    .name = "config show",
    .summary = "every option with its value and where it came from",
    .help = "Defaults, then the file ($HARRIER_CONFIG, else ~/.config/harrier/config.yaml), then "
            "the environment, then the\n"
            "command line: the last one that says something counts.\n"
            "\n"
            "  harrier config show\n"
            "  HARRIER_BACKTEST_FEE=5bps harrier config show\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = show_command,
};

/* Whoever comes here has a file and an environment that were read without an error. */
static enum status check_command(struct app *app, struct error *err)
{
    struct buffer out = {0}, name = {0};
    struct unknown_variable unknown;
    struct json json = {0};
    int set = 0;

    for (int o = 0; o < OPTION_COUNT; o++)
        set += is_setting(&option_rows[o]) && conf_source(app->conf, o) != FROM_DEFAULT;
    buffer_addf(&out, "the configuration is right; %d option%s not as by default\n", set,
                set == 1 ? " is" : "s are");
    json_begin(&json, NULL, '{');
    json_int(&json, "not_default", set);
    json_begin(&json, "unknown_variables", '[');
    for (size_t at = 0; conf_unknown_variable(&unknown, &at);) {
        buffer_addf(&name, "%.*s", (int)unknown.name.length, unknown.name.at);
        json_text(&json, NULL, buffer_text(&name));
        buffer_addf(&out,
                    "the variable %s is read by no option; `harrier config show` lists them\n",
                    buffer_text(&name));
        name.length = 0;
    }
    json_end(&json, ']');
    buffer_deinit(&name);
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    return app_answer(app, &json, &out, err);
}

const struct command command_config_check = {
    .name = "config check",
    .summary = "read the configuration file and the environment, and say what is wrong",
    .help = "  harrier config check\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = check_command,
};
