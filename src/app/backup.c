/* harrier backup: all markets and kept runs into a directory that is there whole or not at all. */
#include <errno.h>
#include <string.h>

#include "app/app.h"
#include "result/result.h"

enum { PARTIAL_SUFFIX_BYTES = 32 };

struct backup {
    struct app *app;
    char to[PATH_BYTES_MAX];                             /* as it was given, without a / behind */
    char partial[PATH_BYTES_MAX + PARTIAL_SUFFIX_BYTES]; /* its name until it is whole */
    struct json json;
    struct buffer text;
    size_t market_count, symbols, bars, problems;
    int64_t runs;
};

/* A directory with anything in it is left alone. */
static enum status check_place(struct backup *b, struct error *err)
{
    struct env *env = b->app->env;
    size_t length = strlen(b->app->operands[0]), count;
    struct file_info info;
    char **names;
    enum status status;

    while (length > 1 && b->app->operands[0][length - 1] == '/')
        length--;
    if (!length || length >= sizeof b->to)
        return fail(err, STATUS_USAGE, "backup needs the name of a directory");
    memcpy(b->to, b->app->operands[0], length);
    status = env->calls->path_info(env, b->to, &info, err);
    if (status == STATUS_MISSING)
        return STATUS_OK;
    TRY(status);
    if (!info.is_directory)
        return fail(err, STATUS_REFUSED, "%s is there, and no directory: a backup needs a new one",
                    b->to);
    TRY(env->calls->list(env, b->to, &names, &count, err));
    names_free(names, count);
    return count == 0 ? STATUS_OK
                      : fail(err, STATUS_REFUSED,
                             "%s is not empty: a backup needs a new or an empty directory", b->to);
}

static enum status make_partial(struct backup *b, struct error *err)
{
    char random[17];

    env_random_name(b->app->env, random);
    snprintf(b->partial, sizeof b->partial, "%s.partial-%s", b->to, random);
    return directory_make_all(b->app->env, b->partial, err);
}

/* What a backup that failed has made. */
static void remove_partial(struct backup *b)
{
    static const char *const files[] = {"results.db", "results.db-wal", "results.db-shm"};
    struct env *env = b->app->env;
    char path[sizeof b->partial + 16];
    struct market_name *markets;
    struct error ignored;
    size_t count;

    if (store_markets(env, b->partial, &markets, &count, &ignored) == STATUS_OK) {
        for (size_t i = 0; i < count; i++)
            (void)store_market_remove(env, b->partial, &markets[i], &ignored);
        mem_free(markets);
    }
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", b->partial, files[i]);
        (void)env->calls->remove(env, path, &ignored);
    }
    (void)env->calls->remove(env, b->partial, &ignored);
}

static void add_market(struct backup *b, const char *name, const struct verify_report *report)
{
    char bars[NUMBER_TEXT_BYTES];

    json_begin(&b->json, NULL, '{');
    json_text(&b->json, "market", name);
    json_int(&b->json, "symbols", (int64_t)report->symbols);
    json_int(&b->json, "bars", (int64_t)report->bars);
    json_int(&b->json, "bytes", (int64_t)report->bytes);
    json_begin(&b->json, "problems", '[');
    for (size_t i = 0; i < report->problem_count; i++) {
        json_begin(&b->json, NULL, '{');
        json_text(&b->json, "symbol", report->problems[i].symbol);
        json_text(&b->json, "text", report->problems[i].text);
        json_end(&b->json, '}');
        buffer_addf(&b->text, "%s %s is left out: %s\n", name, report->problems[i].symbol,
                    report->problems[i].text);
    }
    json_end(&b->json, ']');
    json_end(&b->json, '}');
    buffer_addf(&b->text, "%s: %zu symbols, %s bars\n", name, report->symbols,
                with_commas((double)report->bars, 0, false, bars));
    b->problems += report->problem_count;
    b->market_count++;
}

static enum status copy_markets(struct backup *b, struct error *err)
{
    struct app *app = b->app;
    struct market_name *markets;
    enum status status = STATUS_OK;
    size_t count;

    TRY(store_markets(app->env, app->data, &markets, &count, err));
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct verify_report report = {0};
        char name[MARKET_TEXT_BYTES];

        market_to_text(&markets[i], name);
        status = store_copy(app->env, app->data, &markets[i], b->partial, &report, err);
        if (status == STATUS_OK)
            add_market(b, name, &report);
        else
            error_prefix(err, "%s: ", name);
        verify_report_deinit(&report);
    }
    mem_free(markets);
    return status;
}

static enum status copy_runs(struct backup *b, struct error *err)
{
    struct results *results;
    char path[PATH_BYTES_MAX + 16];
    struct file_info info;
    enum status status;

    snprintf(path, sizeof path, "%s/results.db", b->app->data);
    status = b->app->env->calls->path_info(b->app->env, path, &info, err);
    if (status == STATUS_MISSING)
        return STATUS_OK; /* none was ever kept */
    TRY(status);
    TRY(results_open(&results, b->app->data, false, err));
    status = results_copy(results, b->partial, &b->runs, err);
    results_close(results);
    return status;
}

/* One rename, and the backup is there. */
static enum status finish(struct backup *b, struct error *err)
{
    struct env *env = b->app->env;
    char above[PATH_BYTES_MAX], *slash;

    if (env_is_stopped(env))
        return fail(err, STATUS_INTERRUPTED, "interrupted");
    TRY(env->calls->sync_directory(env, b->partial, err));
    TRY(env->calls->rename(env, b->partial, b->to, err));
    snprintf(above, sizeof above, "%s", b->to);
    slash = strrchr(above, '/');
    if (slash)
        slash[slash == above] = '\0';
    return env->calls->sync_directory(env, slash ? above : ".", err);
}

static enum status copy_all(struct backup *b, struct error *err)
{
    TRY(copy_markets(b, err));
    TRY(copy_runs(b, err));
    if (!b->market_count && !b->runs)
        return fail(err, STATUS_MISSING, "nothing is kept in %s: there is nothing to back up",
                    b->app->data);
    return finish(b, err);
}

static enum status backup(struct backup *b, struct error *err)
{
    enum status status;

    TRY(check_place(b, err));
    TRY(make_partial(b, err));
    json_begin(&b->json, NULL, '{');
    json_text(&b->json, "backup", b->to);
    json_begin(&b->json, "markets", '[');
    status = copy_all(b, err);
    if (status != STATUS_OK) {
        remove_partial(b);
        return status;
    }
    json_end(&b->json, ']');
    json_int(&b->json, "runs", b->runs);
    json_end(&b->json, '}');
    buffer_add_char(&b->json.out, '\n');
    buffer_addf(&b->text, "%s: %zu market%s and %lld kept run%s, read back and compared\n", b->to,
                b->market_count, b->market_count == 1 ? "" : "s", (long long)b->runs,
                b->runs == 1 ? "" : "s");
    TRY(app_answer(b->app, &b->json, &b->text, err));
    return b->problems
               ? fail(err, STATUS_PARTIAL, "%zu damaged symbols are not in the backup", b->problems)
               : STATUS_OK;
}

static enum status backup_command(struct app *app, struct error *err)
{
    struct backup b = {.app = app};
    enum status status = backup(&b, err);

    buffer_deinit(&b.json.out);
    buffer_deinit(&b.text);
    return status;
}

const struct command command_backup = {
    .name = "backup",
    .operands = "DIR",
    .least = 1,
    .most = 1,
    .summary = "copy all markets and kept runs into a new directory",
    .help = "Each market as it is at one moment, whoever imports meanwhile; the copy is read back "
            "and compared, and DIR is\n"
            "there whole or not at all. It is a data directory: --data DIR asks it, and copying it "
            "back restores it.\n"
            "\n"
            "  harrier backup /backup/2026-11-21\n"
            "  harrier verify --data /backup/2026-11-21\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = backup_command,
};
