/* The values of all options: defaults < file < environment < command line. */
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/value.h"
#include "conf/yaml.h"

#define PREFIX "HARRIER_"

enum {
    CONF_BYTES_MAX = 16 << 20, /* reserved, not used: the file, texts of values */
    CONF_FILE_BYTES_MAX = 1 << 20,
    PATH_BYTES_MAX = 4096,
    LIST_ITEMS_MAX = 4096, /* of one option */
};

const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION_ROW(id, name, flag, letter, type, usual, low, high, choices, value_name, help) \
    [OPT_##id] = {name, flag, letter, type, usual, low, high, choices, value_name, help},
#include "conf/option.def"
#undef OPTION_ROW
};

struct list {
    const char **items;
    size_t count;
};

struct conf {
    struct value values[OPTION_COUNT];
    struct list lists[OPTION_COUNT];
    const char *file;
    struct arena arena;
};

bool option_variable(const struct option_row *row, char variable[VARIABLE_BYTES])
{
    int length = snprintf(variable, VARIABLE_BYTES, PREFIX "%s", row->name);

    ASSERT(length < VARIABLE_BYTES);
    for (int i = 0; i < length; i++) {
        if (variable[i] >= 'a' && variable[i] <= 'z')
            variable[i] = (char)(variable[i] - 'a' + 'A');
        else if (variable[i] == '.')
            variable[i] = '_';
    }
    return row->name[0] != '-';
}

static enum status too_much(struct error *err)
{
    return fail(err, STATUS_LIMIT, "the values of all options are longer than %d MiB",
                CONF_BYTES_MAX >> 20);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static enum status list_add(struct conf *conf, enum option option, const char *item, size_t length,
                            struct error *err)
{
    struct list *list = &conf->lists[option];

    if (!list->items)
        list->items = ARENA_ARRAY(&conf->arena, const char *, LIST_ITEMS_MAX);
    if (!list->items)
        return too_much(err);
    if (list->count == LIST_ITEMS_MAX)
        return fail(err, STATUS_LIMIT, "--%s is given more than %d times", option_rows[option].flag,
                    LIST_ITEMS_MAX);
    list->items[list->count] = arena_copy_text(&conf->arena, item, length);
    return list->items[list->count++] ? STATUS_OK : too_much(err);
}

/* Commas part only where the row shows it by its value's name, GLOB,…: others may hold them. */
static enum status list_take(struct conf *conf, enum option option, const char *text,
                             struct error *err)
{
    bool commas = strstr(option_rows[option].value_name, ",...") != NULL;

    while (commas && strchr(text, ',')) {
        size_t length = strcspn(text, ",");

        TRY(list_add(conf, option, text, length, err));
        text += length + 1;
    }
    return list_add(conf, option, text, strlen(text), err);
}

/* ---- one value ------------------------------------------------------------------------------- */

/* A value of a higher source replaces one of a lower; items of a list that come from one source add
 * up. */
static enum status take(struct conf *conf, enum option option, const char *text, const char *origin,
                        enum option_source source, struct error *err)
{
    const struct option_row *row = &option_rows[option];
    struct value value = {0};

    TRY(value_parse(&value, row, text, origin, err));
    value.source = source;
    if (row->type == OPTION_LIST) {
        if (conf->values[option].source != source)
            conf->lists[option].count = 0;
        TRY(list_take(conf, option, text, err));
    }
    conf->values[option] = value;
    return STATUS_OK;
}

static enum status take_defaults(struct conf *conf, struct error *err)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        conf->values[i] = (struct value){.origin = "default", .number = __builtin_nan("")};
        if (option_rows[i].usual)
            TRY(take(conf, (enum option)i, option_rows[i].usual, "default", FROM_DEFAULT, err));
    }
    return STATUS_OK;
}

/* ---- file ------------------------------------------------------------------------------------ */

static const char *variable_of(const char *name)
{
    const char *text = getenv(name);

    return text && text[0] ? text : NULL;
}

/* Where the file is; *named where the user said so, and it must be there. */
static enum status find_file(struct conf *conf, bool *named, struct error *err)
{
    const char *path = variable_of("HARRIER_CONFIG"), *base = variable_of("XDG_CONFIG_HOME");
    char built[PATH_BYTES_MAX];
    int length = 0;

    *named = path != NULL;
    if (!path && base)
        length = snprintf(built, sizeof built, "%s/harrier/config.yaml", base);
    else if (!path && (base = variable_of("HOME")))
        length = snprintf(built, sizeof built, "%s/.config/harrier/config.yaml", base);
    else if (!path)
        return STATUS_OK;
    if (!path && length >= (int)sizeof built)
        return fail(err, STATUS_LIMIT, "the path of the configuration is longer than %d bytes",
                    PATH_BYTES_MAX);
    if (!path)
        path = built;
    conf->file = arena_copy_text(&conf->arena, path, strlen(path));
    return conf->file ? STATUS_OK : too_much(err);
}

static enum status take_yaml(struct conf *conf, struct text content, struct error *err)
{
    struct yaml_value values[OPTION_COUNT];
    char origin[PATH_BYTES_MAX + 64];

    TRY(yaml_read(values, &conf->arena, conf->file, content, err));
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const char *kept;
        int length;

        if (!values[i].text)
            continue;
        length = values[i].line
                     ? snprintf(origin, sizeof origin, "%s:%u", conf->file, values[i].line)
                     : snprintf(origin, sizeof origin, "%s", conf->file);
        kept = arena_copy_text(&conf->arena, origin, (size_t)MIN(length, (int)sizeof origin - 1));
        if (!kept)
            return too_much(err);
        snprintf(origin, sizeof origin, "%s: %s", kept, option_rows[i].name);
        TRY(take(conf, (enum option)i, values[i].text, origin, FROM_FILE, err));
        conf->values[i].origin = kept;
    }
    return STATUS_OK;
}

static enum status take_file(struct conf *conf, struct env *env, struct error *err)
{
    struct error reason;
    enum status status;
    size_t length;
    char *bytes;
    bool named;

    TRY(find_file(conf, &named, err));
    if (!conf->file)
        return STATUS_OK;
    status = file_read_whole(env, conf->file, CONF_FILE_BYTES_MAX, &bytes, &length, &reason);
    if (status == STATUS_MISSING && !named) {
        conf->file = NULL;
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return fail(err, status, "the configuration cannot be read: %s", reason.text);
    status = take_yaml(conf, (struct text){bytes, length}, err);
    mem_free(bytes);
    return status;
}

/* ---- environment ----------------------------------------------------------------------------- */

static enum status take_environment(struct conf *conf, struct error *err)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        char variable[VARIABLE_BYTES];
        const char *text, *origin;

        if (!option_variable(&option_rows[i], variable))
            continue;
        text = variable_of(variable);
        if (!text)
            continue;
        origin = arena_copy_text(&conf->arena, variable, strlen(variable));
        if (!origin)
            return too_much(err);
        TRY(take(conf, (enum option)i, text, origin, FROM_ENVIRONMENT, err));
    }
    return STATUS_OK;
}

/* Those that are no option's: of the file, and of the tests and tools. */
static const char *const own_variables[] = {PREFIX "CONFIG", PREFIX "SHARED", PREFIX "TORTURE",
                                            PREFIX "BUILD"};

bool conf_unknown_variable(struct unknown_variable *unknown, size_t *at)
{
    char variables[OPTION_COUNT][VARIABLE_BYTES];
    const char *names[OPTION_COUNT + ARRAY_COUNT(own_variables)];
    size_t count = 0, known;

    for (size_t i = 0; i < ARRAY_COUNT(own_variables); i++)
        names[count++] = own_variables[i] + strlen(PREFIX);
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (option_variable(&option_rows[i], variables[i]))
            names[count++] = variables[i] + strlen(PREFIX);
    for (const char *entry; environ && (entry = environ[*at]); (*at)++) {
        size_t length = strcspn(entry, "=");
        struct text name = {entry + strlen(PREFIX), length - strlen(PREFIX)};
        const char *nearest;

        if (strncmp(entry, PREFIX, strlen(PREFIX)) || !entry[length] || !entry[length + 1])
            continue;
        for (known = 0; known < count && !text_is(name, names[known]);)
            known++;
        if (known < count)
            continue;
        nearest = text_nearest(name, names, count);
        unknown->name = (struct text){entry, length};
        snprintf(unknown->nearest, sizeof unknown->nearest, "%s%s", nearest ? PREFIX : "",
                 nearest ? nearest : "");
        (*at)++;
        return true;
    }
    return false;
}

/* ---- command line ---------------------------------------------------------------------------- */

struct words {
    struct conf *conf;
    int argc;
    char **argv;
    int at;
    const enum option *allowed;
    size_t allowed_count;
};

static const struct option_row *find_flag(const struct words *words, struct text flag, char letter,
                                          enum option *found)
{
    for (size_t i = 0; i < words->allowed_count; i++) {
        const struct option_row *row = &option_rows[words->allowed[i]];

        if (row->flag && (letter ? row->letter == letter : text_is(flag, row->flag))) {
            *found = words->allowed[i];
            return row;
        }
    }
    return NULL;
}

static enum status unknown_flag(const struct words *words, struct text flag, struct error *err)
{
    const char *names[OPTION_COUNT], *nearest;
    size_t count = 0;

    for (size_t i = 0; i < words->allowed_count; i++)
        if (option_rows[words->allowed[i]].flag)
            names[count++] = option_rows[words->allowed[i]].flag;
    nearest = text_nearest(flag, names, count);
    if (nearest)
        return fail(err, STATUS_USAGE, "unknown option --%.*s; did you mean --%s?",
                    (int)MIN(flag.length, 64), flag.at, nearest);
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (option_rows[i].flag && text_is(flag, option_rows[i].flag))
            return fail(err, STATUS_USAGE,
                        "--%s is not an option of this command; --help shows those that are",
                        option_rows[i].flag);
    return fail(err, STATUS_USAGE, "unknown option --%.*s; --help shows those that there are",
                (int)MIN(flag.length, 64), flag.at);
}

/* `given` is the value that came in the same word, or NULL: then the next word is the value. */
static enum status take_flag(struct words *words, enum option option, const char *given,
                             struct error *err)
{
    const struct option_row *row = &option_rows[option];
    char *origin = arena_alloc(&words->conf->arena, strlen(row->flag) + 3);

    if (!origin)
        return too_much(err);
    sprintf(origin, "--%s", row->flag);
    if (row->type == OPTION_FLAG) {
        if (given)
            return fail(err, STATUS_USAGE, "--%s takes no value", row->flag);
        given = "true";
    } else if (!given) {
        if (words->at + 1 >= words->argc || strncmp(words->argv[words->at + 1], "--", 2) == 0)
            return fail(err, STATUS_USAGE, "--%s needs a value: --%s %s", row->flag, row->flag,
                        row->value_name);
        given = words->argv[++words->at];
    }
    return take(words->conf, option, given, origin, FROM_COMMAND_LINE, err);
}

static enum status take_long(struct words *words, const char *word, struct error *err)
{
    struct text flag = {word, strcspn(word, "=")};
    enum option option;

    if (!find_flag(words, flag, 0, &option))
        return unknown_flag(words, flag, err);
    return take_flag(words, option, word[flag.length] == '=' ? word + flag.length + 1 : NULL, err);
}

static enum status take_short(struct words *words, const char *word, struct error *err)
{
    enum option option;

    if (!find_flag(words, (struct text){0}, word[0], &option))
        return fail(err, STATUS_USAGE, "unknown option -%.64s; --help shows those that there are",
                    word);
    return take_flag(words, option, word[1] ? word + 1 : NULL, err);
}

enum status conf_parse(struct conf *conf, int argc, char **argv, const enum option *allowed,
                       size_t allowed_count, const char **operands, size_t *operand_count,
                       struct error *err)
{
    struct words words = {.conf = conf,
                          .argc = argc,
                          .argv = argv,
                          .allowed = allowed,
                          .allowed_count = allowed_count};
    bool ended = false;

    *operand_count = 0;
    for (; words.at < argc; words.at++) {
        const char *word = argv[words.at];

        if (ended || word[0] != '-' || word[1] == '\0')
            operands[(*operand_count)++] = word;
        else if (strcmp(word, "--") == 0)
            ended = true;
        else if (word[1] == '-')
            TRY(take_long(&words, word + 2, err));
        else
            TRY(take_short(&words, word + 1, err));
    }
    return STATUS_OK;
}

/* ---- life, and what is asked ----------------------------------------------------------------- */

enum status conf_open(struct conf **conf, struct env *env, struct error *err)
{
    unsigned char *memory = memory_reserve(CONF_BYTES_MAX);
    struct conf *opened;
    struct arena arena;
    enum status status;

    if (!memory)
        return fail(err, STATUS_MEMORY, "no memory for the options");
    arena_init(&arena, memory, CONF_BYTES_MAX);
    opened = ARENA_NEW(&arena, struct conf);
    ASSERT(opened != NULL);
    opened->arena = arena;
    status = take_defaults(opened, err);
    if (status == STATUS_OK)
        status = take_file(opened, env, err);
    if (status == STATUS_OK)
        status = take_environment(opened, err);
    if (status != STATUS_OK)
        memory_release(memory, CONF_BYTES_MAX);
    else
        *conf = opened;
    return status;
}

void conf_close(struct conf *conf)
{
    if (conf)
        memory_release(conf->arena.memory, CONF_BYTES_MAX);
}

const char *conf_file(const struct conf *conf)
{
    return conf->file;
}

bool conf_is_set(const struct conf *conf, enum option option)
{
    return conf->values[option].text != NULL;
}

enum option_source conf_source(const struct conf *conf, enum option option)
{
    return conf->values[option].source;
}

const char *conf_origin(const struct conf *conf, enum option option)
{
    return conf->values[option].origin;
}

bool conf_flag(const struct conf *conf, enum option option)
{
    return conf->values[option].flag;
}

const char *conf_text(const struct conf *conf, enum option option)
{
    return conf->values[option].text;
}

int64_t conf_whole(const struct conf *conf, enum option option)
{
    return conf->values[option].whole;
}

double conf_number(const struct conf *conf, enum option option)
{
    return conf->values[option].number;
}

int64_t conf_date(const struct conf *conf, enum option option)
{
    return conf->values[option].whole;
}

size_t conf_list_count(const struct conf *conf, enum option option)
{
    return conf->lists[option].count;
}

const char *conf_list(const struct conf *conf, enum option option, size_t index)
{
    ASSERT(index < conf->lists[option].count);
    return conf->lists[option].items[index];
}
