/* The lock of a market: an advisory lock on the file `lock`, which also says who holds it. */
#include "store/lock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LOCK_BYTES = 128, /* always the same, so that a full disk still lets the name be written */
    TOKEN_AT = 104,
    TOKEN_BYTES = 17,
    PAUSE_MS = 10,
};

static void holder_make(char text[LOCK_BYTES], const char *who, const char token[TOKEN_BYTES])
{
    memset(text, 0, LOCK_BYTES);
    snprintf(text, TOKEN_AT, "%ld %s\n", (long)getpid(), who);
    memcpy(text + TOKEN_AT, token, TOKEN_BYTES);
}

static enum status busy(struct env *env, struct env_file *file, const struct place *place,
                        struct error *err)
{
    char text[LOCK_BYTES] = {0}, *space;
    size_t got;
    struct error ignored;

    if (env->calls->read(env, file, text, sizeof text, 0, &got, &ignored) != STATUS_OK)
        text[0] = 0;
    text[TOKEN_AT - 1] = 0;
    text[strcspn(text, "\n")] = 0;
    space = strchr(text, ' ');
    if (!space)
        return fail(err, STATUS_BUSY, "%s is being written by another process; waited %d s",
                    place->market, LOCK_WAIT_MS / 1000);
    *space = 0;
    return fail(err, STATUS_BUSY, "%s is being written by %s (process %s); waited %d s",
                place->market, space + 1, text, LOCK_WAIT_MS / 1000);
}

/* Whoever removed the market meanwhile removed this file too, and the lock on it says nothing. */
static enum status is_still_there(struct env *env, const char *path, const char *token, bool *there,
                                  struct error *err)
{
    char text[LOCK_BYTES] = {0};
    struct env_file *file;
    size_t got = 0;
    enum status status = env->calls->open(env, &file, path, OPEN_READ, err);

    *there = false;
    if (status == STATUS_MISSING)
        return STATUS_OK;
    TRY(status);
    status = env->calls->read(env, file, text, sizeof text, 0, &got, err);
    env->calls->close(env, file);
    *there = status == STATUS_OK && got == sizeof text &&
             memcmp(text + TOKEN_AT, token, TOKEN_BYTES) == 0;
    return status;
}

/* One attempt; `*lock` stays NULL where another has it and there is time left. */
static enum status attempt(struct env_file **lock, const struct place *place, const char *path,
                           const char *who, bool last, struct error *err)
{
    struct env *env = place->env;
    char text[LOCK_BYTES], token[TOKEN_BYTES];
    struct env_file *file;
    bool taken = false, there = false;
    enum status status = env->calls->open(env, &file, path, OPEN_CREATE, err);

    if (status == STATUS_MISSING) {
        TRY(directory_make_all(env, place->path, err));
        status = env->calls->open(env, &file, path, OPEN_CREATE, err);
    }
    TRY(status);
    status = env->calls->lock(env, file, &taken, err);
    if (status == STATUS_OK && taken) {
        env_random_name(env, token);
        holder_make(text, who, token);
        status = env->calls->write(env, file, text, sizeof text, 0, err);
        if (status == STATUS_OK)
            status = is_still_there(env, path, token, &there, err);
        if (there) {
            *lock = file;
            return STATUS_OK;
        }
    } else if (status == STATUS_OK && last) {
        status = busy(env, file, place, err);
    }
    env->calls->close(env, file);
    return status;
}

enum status lock_take(struct env_file **lock, const struct place *place, const char *who,
                      struct error *err)
{
    struct env *env = place->env;
    int64_t until = clock_ticks_ns(env) + LOCK_WAIT_MS * INT64_C(1000000);
    char path[PATH_BYTES_MAX];
    bool last = false;
    enum status status;

    *lock = NULL;
    place_file(place, "lock", path);
    for (;;) {
        status = attempt(lock, place, path, who, last, err);
        if (status != STATUS_OK || *lock)
            break;
        if (env_is_stopped(env))
            return fail(err, STATUS_INTERRUPTED,
                        "interrupted while another process wrote %s: nothing was changed",
                        place->market);
        if (last)
            return fail(err, STATUS_BUSY, "%s is being removed and made again by others",
                        place->market);
        env->calls->sleep_ms(env, PAUSE_MS);
        last = clock_ticks_ns(env) >= until;
    }
    if (status != STATUS_OK && status != STATUS_BUSY)
        error_prefix(err, "%s cannot be written to: ", place->market);
    return status;
}

void lock_give_back(struct env_file *lock, struct env *env)
{
    env->calls->close(env, lock);
}
