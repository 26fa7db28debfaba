/* Where the files of --trades, --equity and --surface go. */
#include <string.h>

#include "app/app.h"

static const enum option outputs[] = {OPT_TRADES, OPT_EQUITY, OPT_SURFACE};

/* A stream of ours may be a file as well: another that took its name would not be what is read. */
static FILE *own_stream(const char *path)
{
    FILE *const streams[] = {stdout, stderr};

    for (size_t i = 0; i < ARRAY_COUNT(streams); i++)
        if (path_is_descriptor(path, fileno(streams[i])))
            return streams[i];
    return NULL;
}

/* ---- before the work ------------------------------------------------------------------------- */

/* *replaced: the file that another takes the place of; empty where it is written through. */
static enum status check_place(struct app *app, enum option option, char real[PATH_REAL_BYTES],
                               bool *replaced, struct error *err)
{
    const char *path = conf_text(app->conf, option), *flag = option_rows[option].flag;
    struct error reason;
    struct file_info info;
    enum status status = app->env->calls->path_info(app->env, path, &info, &reason);

    if (status == STATUS_OK && info.is_directory)
        return fail(err, STATUS_USAGE, "--%s %s: that is a directory; a file's name is wanted",
                    flag, path);
    *replaced = (status != STATUS_OK || info.is_regular) && !own_stream(path);
    if (*replaced && path_real(real, path, &reason) != STATUS_OK) {
        const char *slash = strrchr(path, '/');

        if (reason.status != STATUS_MISSING || !slash)
            return fail(err, STATUS_USAGE, "--%s %s", flag, reason.text);
        return fail(err, STATUS_USAGE, "--%s %s: there is no directory %.*s", flag, path,
                    (int)(slash - path), path);
    }
    return STATUS_OK;
}

/* Of the data directory's files: results.db with what SQLite puts beside it, VENUE/TIMEFRAME/… */
static bool is_ours(const char *name)
{
    const char *frame = strchr(name, '/'), *end = frame ? strchr(frame + 1, '/') : NULL;
    enum timeframe parsed;
    struct error ignored;

    if (!frame)
        return !strncmp(name, "results.db", strlen("results.db"));
    return end && timeframe_parse(&parsed, (struct text){frame + 1, (size_t)(end - frame - 1)},
                                  &ignored) == STATUS_OK;
}

static bool is_own_file(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    length -= length > 0 && directory[length - 1] == '/';
    return !strncmp(path, directory, length) && path[length] == '/' && is_ours(path + length + 1);
}

static enum status check_reads(struct app *app, enum option option, const char *path,
                               const char *rule, struct error *err)
{
    const char *flag = option_rows[option].flag;
    char read[PATH_REAL_BYTES];
    struct error ignored;

    if (rule && path_real(read, rule, &ignored) == STATUS_OK && !strcmp(path, read))
        return fail(err, STATUS_USAGE, "--%s %s: that is the rule's own file", flag,
                    conf_text(app->conf, option));
    if (path_real(read, app->data, &ignored) == STATUS_OK && is_own_file(path, read))
        return fail(err, STATUS_USAGE,
                    "--%s %s: there harrier keeps its own files; choose another place", flag,
                    conf_text(app->conf, option));
    return STATUS_OK;
}

enum status output_check(struct app *app, const char *rule, struct error *err)
{
    char real[ARRAY_COUNT(outputs)][PATH_REAL_BYTES];
    bool replaced[ARRAY_COUNT(outputs)] = {false};

    if (rule && (!strcmp(rule, "-") || rule_builtin_find(text_of(rule))))
        rule = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(outputs); i++) {
        if (!conf_is_set(app->conf, outputs[i]))
            continue;
        TRY(check_place(app, outputs[i], real[i], &replaced[i], err));
        if (replaced[i])
            TRY(check_reads(app, outputs[i], real[i], rule, err));
        for (size_t k = 0; k < i; k++)
            if (replaced[i] && replaced[k] && !strcmp(real[i], real[k]))
                return fail(err, STATUS_USAGE,
                            "--%s and --%s name one file, %s: only the latter would stay",
                            option_rows[outputs[k]].flag, option_rows[outputs[i]].flag,
                            conf_text(app->conf, outputs[i]));
    }
    return STATUS_OK;
}

bool output_any(struct app *app)
{
    for (size_t i = 0; i < ARRAY_COUNT(outputs); i++)
        if (conf_is_set(app->conf, outputs[i]))
            return true;
    return false;
}

/* ---- writing --------------------------------------------------------------------------------- */

enum status output_whole(struct app *app, enum option option, struct buffer *text,
                         struct error *err)
{
    const char *path = conf_text(app->conf, option);
    FILE *stream = own_stream(path);
    char real[PATH_REAL_BYTES];
    struct file_info info;
    enum status status;

    if (text->failed)
        status = fail(err, STATUS_MEMORY, "no memory for --%s", option_rows[option].flag);
    else if (stream)
        status = stream_write(stream, text, err);
    else if (app->env->calls->path_info(app->env, path, &info, err) == STATUS_OK &&
             !info.is_regular) /* /proc/self/fd/3 has no path behind it */
        status = file_write_whole(app->env, path, text->at, text->length, err);
    else if ((status = path_real(real, path, err)) == STATUS_OK)
        status = file_write_whole(app->env, real, text->at, text->length, err);
    buffer_deinit(text);
    *text = (struct buffer){0};
    return status;
}

enum status output_open(struct output *output, struct app *app, enum option option,
                        struct error *err)
{
    const char *path = conf_text(app->conf, option);
    struct file_info info;

    *output = (struct output){.env = app->env, .stream = own_stream(path)};
    if (output->stream)
        return STATUS_OK;
    output->through = app->env->calls->path_info(app->env, path, &info, err) == STATUS_OK &&
                      !info.is_regular;
    TRY(app->env->calls->open(app->env, &output->file, path,
                              output->through ? OPEN_THROUGH : OPEN_CREATE, err));
    return output_empty(output, err);
}

enum status output_add(struct output *output, struct buffer *text, struct error *err)
{
    enum status status;

    if (text->failed)
        return fail(err, STATUS_MEMORY, "no memory");
    status = output->stream ? stream_write(output->stream, text, err)
                            : output->env->calls->write(output->env, output->file, text->at,
                                                        text->length, output->bytes, err);
    output->bytes += text->length;
    text->length = 0;
    return status;
}

enum status output_empty(struct output *output, struct error *err)
{
    output->bytes = 0;
    if (!output->file || output->through)
        return STATUS_OK;
    return output->env->calls->truncate(output->env, output->file, 0, err);
}

void output_close(struct output *output)
{
    if (output->file)
        output->env->calls->close(output->env, output->file);
    output->file = NULL;
}
