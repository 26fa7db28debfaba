/* Markets as a whole: which there are, removing, renaming, taking the last batch back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/market.h"
#include "store/writer.h"

/* ---- which there are ------------------------------------------------------------------------- */

static bool holds_bars(struct env *env, const char *path)
{
    struct error ignored;
    bool found = false;
    size_t count = 0;
    char **names;

    if (env->calls->list(env, path, &names, &count, &ignored) != STATUS_OK)
        return false;
    for (size_t i = 0; i < count; i++)
        found |= text_matches_glob(text_of(names[i]), "*.bars");
    names_free(names, count);
    return found;
}

/* Nothing was ever committed where the journal is whole and has no batch, whatever files a writer
 * that was killed left beside it; files of bars without a journal, or with one that cannot be read,
 * are a damaged market, which `verify` must see. */
static enum status market_is_there(struct env *env, const char *data_dir,
                                   const struct market_name *market, bool *there, struct error *err)
{
    struct journal journal;
    struct place place;
    enum status status;

    *there = false;
    TRY(place_init(&place, env, data_dir, market, err));
    status = journal_load(&journal, &place, FOR_READING, err);
    if (status == STATUS_MEMORY)
        return status;
    if (status == STATUS_OK) {
        *there = journal.state.number > 0;
        journal_deinit(&journal);
    } else {
        *there = status != STATUS_MISSING || holds_bars(env, place.path);
    }
    return STATUS_OK;
}

struct market_list {
    struct market_name *names;
    size_t count, capacity;
};

static enum status add_market(struct market_list *list, const struct market_name *name,
                              struct error *err)
{
    void *grown = list->names;

    if (mem_grow(&grown, &list->capacity, list->count + 1, sizeof *list->names) != 0)
        return fail(err, STATUS_MEMORY, "no memory for the names of the markets");
    list->names = grown;
    list->names[list->count++] = *name;
    return STATUS_OK;
}

static enum status add_markets_of(struct market_list *list, struct env *env, const char *data_dir,
                                  const char *venue, struct error *err)
{
    /* In order of length, as a person would list them, and not of the directory's names. */
    for (int frame = 0; frame < TIMEFRAME_COUNT; frame++) {
        char text[VENUE_BYTES_MAX + 32];
        struct market_name name;
        struct error ignored;
        bool there;

        if (strlen(venue) >= VENUE_BYTES_MAX)
            return STATUS_OK;
        snprintf(text, sizeof text, "%s/%s", venue, timeframe_name((enum timeframe)frame));
        if (market_parse(&name, text_of(text), &ignored) != STATUS_OK)
            continue;
        TRY(market_is_there(env, data_dir, &name, &there, err));
        if (there)
            TRY(add_market(list, &name, err));
    }
    return STATUS_OK;
}

enum status store_markets(struct env *env, const char *data_dir, struct market_name **markets,
                          size_t *count, struct error *err)
{
    struct market_list list = {0};
    char **venues;
    size_t venue_count;
    enum status status = env->calls->list(env, data_dir, &venues, &venue_count, err);

    *markets = NULL;
    *count = 0;
    if (status == STATUS_MISSING)
        return STATUS_OK; /* nothing was imported yet */
    TRY(status);
    for (size_t i = 0; i < venue_count && status == STATUS_OK; i++)
        status = add_markets_of(&list, env, data_dir, venues[i], err);
    names_free(venues, venue_count);
    if (status != STATUS_OK) {
        mem_free(list.names);
        return status;
    }
    *markets = list.names;
    *count = list.count;
    return STATUS_OK;
}

/* ---- removing and renaming ------------------------------------------------------------------- */

#define REMOVED_PREFIX ".removed-"

/* The directory of the venue. */
static void venue_path(const struct place *place, char path[PATH_BYTES_MAX])
{
    snprintf(path, PATH_BYTES_MAX, "%s", place->path);
    *strrchr(path, '/') = 0;
}

static void remove_directory(struct env *env, const char *path)
{
    char **names, name[PATH_BYTES_MAX];
    size_t count;
    struct error ignored;

    if (env->calls->list(env, path, &names, &count, &ignored) != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++)
        if (snprintf(name, sizeof name, "%s/%s", path, names[i]) < (int)sizeof name)
            env->calls->remove(env, name, &ignored);
    names_free(names, count);
    env->calls->remove(env, path, &ignored);
}

/* Removes what removals that were cut short left behind, this one's among them. */
static void clear_removed(struct env *env, const char *venue)
{
    char **names, path[PATH_BYTES_MAX];
    size_t count;
    struct error ignored;

    if (env->calls->list(env, venue, &names, &count, &ignored) != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++)
        if (strncmp(names[i], REMOVED_PREFIX, strlen(REMOVED_PREFIX)) == 0 &&
            snprintf(path, sizeof path, "%s/%s", venue, names[i]) < (int)sizeof path)
            remove_directory(env, path);
    names_free(names, count);
}

enum status market_missing(struct env *env, const char *data_dir, const struct market_name *market,
                           struct error *err)
{
    struct market_name *names;
    char text[MARKET_TEXT_BYTES];
    size_t count, length;

    TRY(store_markets(env, data_dir, &names, &count, err));
    market_to_text(market, text);
    fail(err, STATUS_MISSING, "there is no market %s in %s; ", text, data_dir);
    length = strlen(err->text);
    if (count == 0)
        snprintf(err->text + length, sizeof err->text - length, "there is none yet: import one");
    else
        length += (size_t)snprintf(err->text + length, sizeof err->text - length, "there %s",
                                   count == 1 ? "is" : "are");
    for (size_t i = 0; i < count && length + MARKET_TEXT_BYTES + 2 < sizeof err->text; i++) {
        market_to_text(&names[i], text);
        length += (size_t)sprintf(err->text + length, "%s %s", i ? "," : "", text);
    }
    mem_free(names);
    return STATUS_MISSING;
}

static enum status expect_market(struct env *env, const char *data_dir,
                                 const struct market_name *market, struct error *err)
{
    bool there;

    TRY(market_is_there(env, data_dir, market, &there, err));
    return there ? STATUS_OK : market_missing(env, data_dir, market, err);
}

/* Takes the lock of a market that is there. */
static enum status lock_market(struct env_file **lock, struct place *place, struct env *env,
                               const char *data_dir, const struct market_name *market,
                               const char *who, struct error *err)
{
    TRY(place_init(place, env, data_dir, market, err));
    TRY(expect_market(env, data_dir, market, err));
    return lock_take(lock, place, who, err);
}

enum status store_market_remove(struct env *env, const char *data_dir,
                                const struct market_name *market, struct error *err)
{
    struct place place;
    struct env_file *lock;
    char venue[PATH_BYTES_MAX], name[32], random[17], gone[PATH_BYTES_MAX + 32];
    struct error ignored;
    enum status status;

    TRY(lock_market(&lock, &place, env, data_dir, market, "harrier rm", err));
    venue_path(&place, venue);
    env_random_name(env, random);
    snprintf(name, sizeof name, REMOVED_PREFIX "%s", random);
    snprintf(gone, sizeof gone, "%s/%s", venue, name);
    /* One rename, and the market is gone; then its files. */
    status = env->calls->rename(env, place.path, gone, err);
    if (status == STATUS_OK)
        status = env->calls->sync_directory(env, venue, err);
    if (status == STATUS_OK)
        clear_removed(env, venue);
    lock_give_back(lock, env);
    if (status == STATUS_OK)
        env->calls->remove(env, venue, &ignored); /* where this was its last market */
    return status;
}

/* Both venues' directories, after a name went from one to the other. */
static enum status sync_venues(const struct place *from, const struct place *to, struct error *err)
{
    char path[PATH_BYTES_MAX];

    venue_path(to, path);
    TRY(to->env->calls->sync_directory(to->env, path, err));
    venue_path(from, path);
    TRY(from->env->calls->sync_directory(from->env, path, err));
    from->env->calls->remove(from->env, path, &(struct error){0}); /* where it is empty now */
    return STATUS_OK;
}

/* Both are locked. */
static enum status move_market(const struct place *from, const struct place *to, bool to_is_there,
                               struct error *err)
{
    if (to_is_there)
        return fail(err, STATUS_REFUSED, "there is a market %s already", to->market);
    /* An import that never came to its end may have left a market without anything in it. */
    remove_directory(to->env, to->path);
    TRY(to->env->calls->rename(to->env, from->path, to->path, err));
    return sync_venues(from, to, err);
}

static enum status rename_market(const struct place *from, const struct place *to,
                                 const char *data_dir, const struct market_name *name,
                                 struct error *err)
{
    struct env *env = from->env;
    char path[PATH_BYTES_MAX];
    struct env_file *lock;
    enum status status;
    bool there;

    venue_path(to, path);
    TRY(directory_make_all(env, path, err));
    TRY(lock_take(&lock, to, "harrier rename", err));
    /* Asked under its lock: an import may have made it while we waited. */
    status = market_is_there(env, data_dir, name, &there, err);
    if (status == STATUS_OK)
        status = move_market(from, to, there, err);
    lock_give_back(lock, env);
    return status;
}

enum status store_market_rename(struct env *env, const char *data_dir,
                                const struct market_name *from, const struct market_name *to,
                                struct error *err)
{
    struct place from_place, to_place;
    struct env_file *lock;
    enum status status;

    if (from->frame != to->frame)
        return fail(err, STATUS_USAGE,
                    "bars of %s cannot be called %s; harrier resample makes those",
                    timeframe_name(from->frame), timeframe_name(to->frame));
    TRY(place_init(&to_place, env, data_dir, to, err));
    TRY(lock_market(&lock, &from_place, env, data_dir, from, "harrier rename", err));
    if (strcmp(from_place.path, to_place.path) == 0) /* whose lock is ours */
        status = fail(err, STATUS_REFUSED, "%s is its name already", to_place.market);
    else
        status = rename_market(&from_place, &to_place, data_dir, to, err);
    lock_give_back(lock, env);
    return status;
}

/* ---- taking the last batch back -------------------------------------------------------------- */

static enum status take_back(struct writer *writer, struct undo_report *report, struct error *err)
{
    const struct state *state = &writer->journal.state;

    for (size_t i = 0; i < state->undo_count; i++) {
        const struct row *undo = &state->undo[i];
        struct change *change;

        TRY(change_add(writer, &change, undo->name, err));
        report->removed += undo->number == 0;
        report->restored += undo->number != 0 && change->row.number == 0;
        report->changed += undo->number != 0 && change->row.number != 0;
        change->row = *undo;
    }
    memcpy(report->who, state->who, sizeof report->who);
    report->time_ms = state->time_ms;
    return batch_commit(writer, RECORD_UNDO, err);
}

enum status store_undo(struct env *env, const char *data_dir, const struct market_name *market,
                       const char *who, struct undo_report *report, struct error *err)
{
    struct writer *writer;
    enum status status;

    *report = (struct undo_report){0};
    TRY(expect_market(env, data_dir, market, err));
    TRY(writer_open(&writer, env, data_dir, market, who, err));
    if (writer->journal.state.undo_count == 0)
        status = fail(err, STATUS_MISSING, "%s: there is no batch to take back",
                      writer->place.market);
    else
        status = take_back(writer, report, err);
    writer_close(writer);
    return status;
}
