/* The configuration file, by libcyaml.  The schema is made from the rows: a name is a key, "a.b"
 * the key b under a; every value is read as text and then by the row, as a value of any other
 * source is. */
#include "conf/yaml.h"

#include <cyaml/cyaml.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTIONS_MAX = 16, KEY_BYTES_MAX = 64, MESSAGE_BYTES = 256 };

/* Either a top-level value or a section of values. */
struct key {
    char section[KEY_BYTES_MAX]; /* "" at the top */
    char name[KEY_BYTES_MAX];
};

struct schema {
    cyaml_schema_field_t top[OPTION_COUNT + SECTIONS_MAX + 1];
    cyaml_schema_field_t section[SECTIONS_MAX][OPTION_COUNT + 1];
    const char *section_name[SECTIONS_MAX];
    unsigned section_count;
    struct key keys[OPTION_COUNT];
};

struct complaint {
    char text[MESSAGE_BYTES]; /* the library's first one */
    unsigned line;            /* of the innermost place in its backtrace */
};

struct library {
    void *handle;
    cyaml_err_t (*load_data)(const uint8_t *, size_t, const cyaml_config_t *,
                             const cyaml_schema_value_t *, cyaml_data_t **, unsigned *);
    cyaml_err_t (*free)(const cyaml_config_t *, const cyaml_schema_value_t *, cyaml_data_t *,
                        unsigned);
    const char *(*strerror)(cyaml_err_t);
};

static bool in_file(const struct option_row *row)
{
    return row->name[0] != '-';
}

static struct key key_of(const struct option_row *row)
{
    const char *dot = strchr(row->name, '.');
    struct key key = {.section = ""};

    ASSERT(strlen(row->name) < KEY_BYTES_MAX);
    if (dot)
        memcpy(key.section, row->name, (size_t)(dot - row->name));
    snprintf(key.name, sizeof key.name, "%s", dot ? dot + 1 : row->name);
    return key;
}

/* A text at the row's place in an array of OPTION_COUNT pointers, wherever it stands. */
static cyaml_schema_field_t field_of(const char *key, unsigned option)
{
    return (cyaml_schema_field_t){
        .key = key,
        .data_offset = (uint32_t)(option * sizeof(char *)),
        .value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, char, 0,
                                     CYAML_UNLIMITED)},
    };
}

static unsigned section_of(struct schema *schema, const char *name)
{
    unsigned i = 0;

    while (i < schema->section_count && strcmp(schema->section_name[i], name) != 0)
        i++;
    if (i == schema->section_count) {
        ASSERT(schema->section_count < SECTIONS_MAX);
        schema->section_name[schema->section_count++] = name;
    }
    return i;
}

static void schema_init(struct schema *schema)
{
    unsigned top_count = 0, counts[SECTIONS_MAX] = {0};

    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        struct key *key = &schema->keys[i];

        if (!in_file(&option_rows[i]))
            continue;
        *key = key_of(&option_rows[i]);
        if (key->section[0]) {
            unsigned section = section_of(schema, key->section);

            schema->section[section][counts[section]++] = field_of(key->name, i);
        } else {
            schema->top[top_count++] = field_of(key->name, i);
        }
    }
    for (unsigned i = 0; i < schema->section_count; i++)
        schema->top[top_count++] = (cyaml_schema_field_t){
            .key = schema->section_name[i],
            .value = {.type = CYAML_MAPPING,
                      .flags = CYAML_FLAG_OPTIONAL,
                      .data_size = OPTION_COUNT * sizeof(char *),
                      .mapping = {.fields = schema->section[i]}},
        };
}

/* The library's own memory, by base/mem. */
static void *yaml_memory(void *context, void *block, size_t bytes)
{
    (void)context;
    if (bytes > 0)
        return mem_resize(block, bytes);
    mem_free(block);
    return NULL;
}

/* The first message says what, the first place of the backtrace behind it where. */
static void yaml_log(cyaml_log_t level, void *context, const char *format, va_list args)
{
    struct complaint *complaint = context;
    char text[MESSAGE_BYTES];
    const char *line, *at;

    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    line = strstr(text, "(line: ");
    if (line && complaint->line == 0)
        complaint->line = (unsigned)strtoul(line + strlen("(line: "), NULL, 10);
    at = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    if (complaint->text[0] == '\0' && *at != ' ' && strncmp(at, "Backtrace", 9) != 0)
        snprintf(complaint->text, sizeof complaint->text, "%s", at);
}

/* Without a handle where the library, or what we call of it, is not there. */
static struct library library_open(void)
{
    struct library library = {.handle = dlopen("libcyaml.so.1", RTLD_NOW | RTLD_LOCAL)};

    if (!library.handle)
        return library;
    *(void **)&library.load_data = dlsym(library.handle, "cyaml_load_data");
    *(void **)&library.free = dlsym(library.handle, "cyaml_free");
    *(void **)&library.strerror = dlsym(library.handle, "cyaml_strerror");
    if (library.load_data && library.free && library.strerror)
        return library;
    dlclose(library.handle);
    return (struct library){0};
}

static unsigned indent_of(struct text line)
{
    unsigned indent = 0;

    while (indent < line.length && line.at[indent] == ' ')
        indent++;
    return indent;
}

static bool has_key(struct text line, unsigned indent, const char *key)
{
    size_t length = strlen(key);

    return line.length > indent + length && memcmp(line.at + indent, key, length) == 0 &&
           line.at[indent + length] == ':';
}

/* The line of a key in block style, which libcyaml does not tell; 0 where it is written in another
 * way. `section` is NULL where the key may stand anywhere. */
static unsigned line_of(struct text content, const char *section, const char *name)
{
    const char *at = content.at, *end = at + content.length;
    bool inside = !section || !section[0];

    for (unsigned number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct text line = {at, (size_t)((newline ? newline : end) - at)};
        unsigned indent = indent_of(line);

        if (section && section[0] && indent == 0 && line.length > 0 && line.at[0] != '#')
            inside = has_key(line, 0, section);
        else if (inside && (!section || (indent > 0) == (section[0] != '\0')) &&
                 has_key(line, indent, name))
            return number;
        at = newline ? newline + 1 : end;
    }
    return 0;
}

static const char *nearest_key(const struct schema *schema, const char *word)
{
    const char *names[OPTION_COUNT + SECTIONS_MAX];
    size_t count = 0;

    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (schema->keys[i].name[0])
            names[count++] = schema->keys[i].name;
    for (unsigned i = 0; i < schema->section_count; i++)
        names[count++] = schema->section_name[i];
    return text_nearest(text_of(word), names, count);
}

/* A key that there is, but in another section. */
static const struct key *misplaced_key(const struct schema *schema, const char *word)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (!strcmp(schema->keys[i].name, word))
            return &schema->keys[i];
    return NULL;
}

static enum status complain(const struct schema *schema, const struct complaint *complaint,
                            const char *reason, const char *path, struct text content,
                            struct error *err)
{
    static const char unexpected[] = "Unexpected key: ";
    const char *key = complaint->text + strlen(unexpected), *nearest;
    unsigned line = complaint->line;

    if (strncmp(complaint->text, unexpected, strlen(unexpected)) == 0) {
        const struct key *misplaced = misplaced_key(schema, key);

        nearest = nearest_key(schema, key);
        line = line_of(content, NULL, key) ? line_of(content, NULL, key) : line;
        if (misplaced)
            return fail(err, STATUS_USAGE, "%s:%u: `%s` stands %s%s, and not here", path, line, key,
                        misplaced->section[0] ? "under " : "at the top, in no section",
                        misplaced->section);
        return fail(err, STATUS_USAGE,
                    "%s:%u: unknown option `%s`%s%s%s (`harrier config show` lists them all)", path,
                    line, key, nearest ? "; did you mean `" : "", nearest ? nearest : "",
                    nearest ? "`?" : "");
    }
    if (strcmp(reason, "Internal error") == 0) /* the library's, where a mapping is a key */
        reason = "a name is expected, then a colon and a value";
    return fail(err, STATUS_USAGE,
                line ? "%s: not a configuration: %s, line %u" : "%s: not a configuration: %s", path,
                complaint->text[0] ? complaint->text : reason, line);
}

static enum status take_texts(struct yaml_value values[OPTION_COUNT], const struct schema *schema,
                              char *const texts[OPTION_COUNT], struct arena *arena,
                              struct text content, const char *path, struct error *err)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (!texts[i])
            continue;
        values[i].text = arena_copy_text(arena, texts[i], strlen(texts[i]));
        values[i].line = line_of(content, schema->keys[i].section, schema->keys[i].name);
        if (!values[i].text)
            return fail(err, STATUS_LIMIT, "%s: the configuration is too long", path);
    }
    return STATUS_OK;
}

/* A file of blanks and comments has no document in it, which the library takes for a mistake. */
static bool is_empty(struct text content)
{
    bool comment = false;

    for (size_t i = 0; i < content.length; i++) {
        char c = content.at[i];

        if (c == '\n')
            comment = false;
        else if (c == '#')
            comment = true;
        else if (!comment && c != ' ' && c != '\t' && c != '\r')
            return false;
    }
    return true;
}

enum status yaml_read(struct yaml_value values[OPTION_COUNT], struct arena *arena, const char *path,
                      struct text content, struct error *err)
{
    struct complaint complaint = {.text = ""};
    cyaml_config_t config = {.log_fn = yaml_log,
                             .log_ctx = &complaint,
                             .mem_fn = yaml_memory,
                             .log_level = CYAML_LOG_ERROR,
                             .flags = CYAML_CFG_NO_ALIAS};
    struct schema *schema = ARENA_NEW(arena, struct schema);
    cyaml_schema_value_t root = {.type = CYAML_MAPPING,
                                 .flags = CYAML_FLAG_POINTER,
                                 .data_size = OPTION_COUNT * sizeof(char *)};
    struct library library;
    cyaml_data_t *data = NULL;
    cyaml_err_t result;
    enum status status;

    memset(values, 0, OPTION_COUNT * sizeof *values);
    if (is_empty(content))
        return STATUS_OK;
    if (!schema)
        return fail(err, STATUS_MEMORY, "%s: no memory to read it", path);
    schema_init(schema);
    root.mapping.fields = schema->top;
    library = library_open();
    if (!library.handle)
        return fail(err, STATUS_SYSTEM,
                    "%s: the library that reads YAML, libcyaml, is not there (Debian, Ubuntu: apt "
                    "install libcyaml1)",
                    path);
    result = library.load_data((const uint8_t *)content.at, content.length, &config, &root, &data,
                               NULL);
    if (result == CYAML_ERR_OOM)
        status = fail(err, STATUS_MEMORY, "%s: no memory to read it", path);
    else if (result != CYAML_OK)
        status = complain(schema, &complaint, library.strerror(result), path, content, err);
    else
        status = data ? take_texts(values, schema, data, arena, content, path, err) : STATUS_OK;
    if (result == CYAML_OK)
        library.free(&config, &root, data, 0);
    dlclose(library.handle);
    return status;
}
