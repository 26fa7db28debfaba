/* A world in which the n-th call fails.  Everything else goes to the world inside. */
#include <string.h>

#include "sys/simulated.h"

static struct env_fault *fault_of(struct env *env)
{
    return env->state;
}

static struct env *inner_of(struct env *env)
{
    return fault_of(env)->inner;
}

/* Counted over all threads, so that no call is missed; which of them is the n-th is then theirs to
 * race for. */
static bool refused(struct env *env, const char *call)
{
    struct env_fault *fault = fault_of(env);
    long nth = __atomic_add_fetch(&fault->calls, 1, __ATOMIC_SEQ_CST);

    if (fault->fail_at == 0 || nth < fault->fail_at || (nth > fault->fail_at && !fault->persistent))
        return false;
    __atomic_add_fetch(&fault->failed, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&fault->last_failed, call, __ATOMIC_SEQ_CST);
    return true;
}

static enum status injected(struct env *env, const char *call, const char *path, struct error *err)
{
    return fail_errno(err, fault_of(env)->error_number, "cannot %s %s (injected)", call, path);
}

/* Returns the injected failure out of the function that it stands in. */
#define MAY_FAIL(env, call, path, err)                     \
    do {                                                   \
        if (refused((env), (call)))                        \
            return injected((env), (call), (path), (err)); \
    } while (0)

static int64_t fault_now_ms(struct env *env)
{
    return clock_now_ms(inner_of(env));
}

static int64_t fault_ticks_ns(struct env *env)
{
    return clock_ticks_ns(inner_of(env));
}

static void fault_sleep_ms(struct env *env, int64_t ms)
{
    inner_of(env)->calls->sleep_ms(inner_of(env), ms);
}

static void fault_random_bytes(struct env *env, void *bytes, size_t length)
{
    inner_of(env)->calls->random_bytes(inner_of(env), bytes, length);
}

static void fault_boot_id(struct env *env, unsigned char id[16])
{
    inner_of(env)->calls->boot_id(inner_of(env), id);
}

static enum status fault_open(struct env *env, struct env_file **file, const char *path,
                              enum open_mode mode, struct error *err)
{
    MAY_FAIL(env, "open", path, err);
    return inner_of(env)->calls->open(inner_of(env), file, path, mode, err);
}

static void fault_close(struct env *env, struct env_file *file)
{
    inner_of(env)->calls->close(inner_of(env), file);
}

static enum status fault_read(struct env *env, struct env_file *file, void *bytes, size_t length,
                              uint64_t at, size_t *got, struct error *err)
{
    MAY_FAIL(env, "read", "a file", err);
    return inner_of(env)->calls->read(inner_of(env), file, bytes, length, at, got, err);
}

static enum status fault_write(struct env *env, struct env_file *file, const void *bytes,
                               size_t length, uint64_t at, struct error *err)
{
    struct env *inner = inner_of(env);

    if (refused(env, "write")) {
        TRY(inner->calls->write(inner, file, bytes, length / 2, at, err));
        return injected(env, "write", "a file", err);
    }
    return inner->calls->write(inner, file, bytes, length, at, err);
}

static enum status fault_truncate(struct env *env, struct env_file *file, uint64_t bytes,
                                  struct error *err)
{
    MAY_FAIL(env, "set the length of", "a file", err);
    return inner_of(env)->calls->truncate(inner_of(env), file, bytes, err);
}

static enum status fault_sync(struct env *env, struct env_file *file, struct error *err)
{
    MAY_FAIL(env, "sync", "a file", err);
    return inner_of(env)->calls->sync(inner_of(env), file, err);
}

static enum status fault_sync_all(struct env *env, struct env_file *file, struct error *err)
{
    MAY_FAIL(env, "sync", "everything", err);
    return inner_of(env)->calls->sync_all(inner_of(env), file, err);
}

static enum status fault_info(struct env *env, struct env_file *file, struct file_info *info,
                              struct error *err)
{
    MAY_FAIL(env, "look at", "a file", err);
    return inner_of(env)->calls->info(inner_of(env), file, info, err);
}

static enum status fault_lock(struct env *env, struct env_file *file, bool *taken,
                              struct error *err)
{
    MAY_FAIL(env, "lock", "a file", err);
    return inner_of(env)->calls->lock(inner_of(env), file, taken, err);
}

static enum status fault_map(struct env *env, struct env_file *file, size_t bytes, const void **at,
                             struct error *err)
{
    MAY_FAIL(env, "map", "a file", err);
    return inner_of(env)->calls->map(inner_of(env), file, bytes, at, err);
}

static void fault_unmap(struct env *env, const void *at, size_t bytes)
{
    inner_of(env)->calls->unmap(inner_of(env), at, bytes);
}

static enum status fault_path_info(struct env *env, const char *path, struct file_info *info,
                                   struct error *err)
{
    MAY_FAIL(env, "look at", path, err);
    return inner_of(env)->calls->path_info(inner_of(env), path, info, err);
}

static enum status fault_make_directory(struct env *env, const char *path, struct error *err)
{
    MAY_FAIL(env, "make the directory", path, err);
    return inner_of(env)->calls->make_directory(inner_of(env), path, err);
}

static enum status fault_rename(struct env *env, const char *from, const char *to,
                                struct error *err)
{
    MAY_FAIL(env, "rename", from, err);
    return inner_of(env)->calls->rename(inner_of(env), from, to, err);
}

static enum status fault_remove(struct env *env, const char *path, struct error *err)
{
    MAY_FAIL(env, "remove", path, err);
    return inner_of(env)->calls->remove(inner_of(env), path, err);
}

static enum status fault_sync_directory(struct env *env, const char *path, struct error *err)
{
    MAY_FAIL(env, "sync the directory", path, err);
    return inner_of(env)->calls->sync_directory(inner_of(env), path, err);
}

static enum status fault_list(struct env *env, const char *path, char ***names, size_t *count,
                              struct error *err)
{
    MAY_FAIL(env, "list", path, err);
    return inner_of(env)->calls->list(inner_of(env), path, names, count, err);
}

static enum status fault_thread_start(struct env *env, void **thread, void (*run)(void *),
                                      void *context, struct error *err)
{
    MAY_FAIL(env, "start", "a thread", err);
    return inner_of(env)->calls->thread_start(inner_of(env), thread, run, context, err);
}

static void fault_thread_join(struct env *env, void *thread)
{
    inner_of(env)->calls->thread_join(inner_of(env), thread);
}

void env_fault_init(struct env_fault *fault, struct env *inner)
{
    static const struct env_calls calls = {
        .now_ms = fault_now_ms,
        .ticks_ns = fault_ticks_ns,
        .sleep_ms = fault_sleep_ms,
        .random_bytes = fault_random_bytes,
        .boot_id = fault_boot_id,
        .open = fault_open,
        .close = fault_close,
        .read = fault_read,
        .write = fault_write,
        .truncate = fault_truncate,
        .sync = fault_sync,
        .sync_all = fault_sync_all,
        .info = fault_info,
        .lock = fault_lock,
        .map = fault_map,
        .unmap = fault_unmap,
        .path_info = fault_path_info,
        .make_directory = fault_make_directory,
        .rename = fault_rename,
        .remove = fault_remove,
        .sync_directory = fault_sync_directory,
        .list = fault_list,
        .thread_start = fault_thread_start,
        .thread_join = fault_thread_join,
    };

    *fault = (struct env_fault){.env = {&calls, fault}, .inner = inner};
}

long env_fault_arm(struct env_fault *fault, long nth, bool persistent, int error_number)
{
    long calls = fault->calls;

    fault->calls = 0;
    fault->failed = 0;
    fault->fail_at = nth;
    fault->persistent = persistent;
    fault->error_number = error_number;
    fault->last_failed = NULL;
    return calls;
}
