/* Whole files and directories, over the seam alone: what holds in one world holds in every one. */
#include <stdio.h>
#include <string.h>

#include "sys/sys.h"

enum { PATH_BYTES_MAX = 4096, READ_STEP_BYTES = 64 << 10 };

void names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(names[i]);
    mem_free(names);
}

void env_random_name(struct env *env, char name[17])
{
    uint64_t number;

    env->calls->random_bytes(env, &number, sizeof number);
    snprintf(name, 17, "%016llx", (unsigned long long)number);
}

/* The length that the system says is only a first guess: files of /proc say 0, others may grow
 * meanwhile. */
static enum status read_all(struct env *env, struct env_file *file, const char *path, size_t limit,
                            char **bytes, size_t *length, struct error *err)
{
    size_t capacity = 0, done = 0, got;

    do {
        void *grown = *bytes;
        /* One byte more than allowed shows what is too much. */
        size_t wanted = limit - done < READ_STEP_BYTES ? limit - done + 1 : READ_STEP_BYTES;

        if (mem_grow(&grown, &capacity, done + wanted + 1, 1) != 0)
            return fail(err, STATUS_MEMORY, "%s: no memory to read it", path);
        *bytes = grown;
        TRY(env->calls->read(env, file, *bytes + done, wanted, done, &got, err));
        done += got;
        if (done > limit)
            return fail(err, STATUS_LIMIT, "%s: more than %zu bytes, which is too long", path,
                        limit);
        if (got < wanted)
            break;
    } while (true);
    (*bytes)[done] = '\0'; /* not counted; spares callers a copy */
    *length = done;
    return STATUS_OK;
}

enum status file_read_whole(struct env *env, const char *path, size_t limit, char **bytes,
                            size_t *length, struct error *err)
{
    struct env_file *file;
    struct file_info info;
    enum status status;

    *bytes = NULL;
    *length = 0;
    TRY(env->calls->path_info(env, path, &info, err));
    if (info.is_directory)
        return fail(err, STATUS_USAGE, "%s is a directory: expected a file", path);
    if (!info.is_regular)
        return fail(err, STATUS_USAGE, "%s is a device or a pipe: expected a file", path);
    if (info.bytes > limit)
        return fail(err, STATUS_LIMIT, "%s: %llu bytes, at most %zu are allowed", path,
                    (unsigned long long)info.bytes, limit);
    TRY(env->calls->open(env, &file, path, OPEN_READ, err));
    status = read_all(env, file, path, limit, bytes, length, err);
    env->calls->close(env, file);
    if (status != STATUS_OK) {
        mem_free(*bytes);
        *bytes = NULL;
    }
    return status;
}

/* The directory that holds the path's last name: "a/b" → "a", "b" → ".", "/b" → "/". */
static enum status directory_of(char directory[PATH_BYTES_MAX], const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 1;

    if (strlen(path) >= PATH_BYTES_MAX - 32) /* room for the temporary name's random part */
        return fail(err, STATUS_LIMIT, "%.64s…: a path of more than %d bytes", path,
                    PATH_BYTES_MAX - 33);
    if (slash && length == 0)
        length = 1;
    memcpy(directory, slash ? path : ".", length);
    directory[length] = '\0';
    return STATUS_OK;
}

static enum status write_new(struct env *env, const char *path, const void *bytes, size_t length,
                             struct error *err)
{
    struct env_file *file;
    enum status status;

    TRY(env->calls->open(env, &file, path, OPEN_NEW, err));
    status = env->calls->write(env, file, bytes, length, 0, err);
    if (status == STATUS_OK)
        status = env->calls->sync(env, file, err);
    env->calls->close(env, file);
    if (status != STATUS_OK) {
        struct error ignored;

        env->calls->remove(env, path, &ignored);
    }
    return status;
}

/* No file can take the place of a device, and nobody would read it there. */
static enum status write_through(struct env *env, const char *path, const void *bytes,
                                 size_t length, struct error *err)
{
    struct env_file *file;
    enum status status;

    TRY(env->calls->open(env, &file, path, OPEN_THROUGH, err));
    status = env->calls->write(env, file, bytes, length, 0, err);
    env->calls->close(env, file);
    return status;
}

enum status file_write_whole(struct env *env, const char *path, const void *bytes, size_t length,
                             struct error *err)
{
    char directory[PATH_BYTES_MAX], temporary[PATH_BYTES_MAX], random[17];
    struct file_info info;
    enum status status;

    TRY(directory_of(directory, path, err));
    status = env->calls->path_info(env, path, &info, err);
    if (status == STATUS_OK && !info.is_regular && !info.is_directory)
        return write_through(env, path, bytes, length, err);
    if (status != STATUS_OK && status != STATUS_MISSING)
        return status;
    env_random_name(env, random);
    snprintf(temporary, sizeof temporary, "%s.%s", path, random);
    TRY(write_new(env, temporary, bytes, length, err));
    status = env->calls->rename(env, temporary, path, err);
    if (status != STATUS_OK) {
        struct error ignored;

        env->calls->remove(env, temporary, &ignored);
        return status;
    }
    return env->calls->sync_directory(env, directory, err);
}

/* Makes one directory whose parent is there, and makes its name durable. */
static enum status make_one(struct env *env, const char *path, struct error *err)
{
    char parent[PATH_BYTES_MAX];
    struct file_info info;
    struct error missing;
    enum status status = env->calls->path_info(env, path, &info, &missing);

    if (status == STATUS_OK && info.is_directory)
        return STATUS_OK;
    if (status == STATUS_OK)
        return fail(err, STATUS_REFUSED, "%s is there and is no directory", path);
    TRY(directory_of(parent, path, err));
    TRY(env->calls->make_directory(env, path, err));
    return env->calls->sync_directory(env, parent, err);
}

enum status directory_make_all(struct env *env, const char *path, struct error *err)
{
    char part[PATH_BYTES_MAX];
    size_t length = strlen(path);
    struct file_info info;

    if (length == 0 || length >= PATH_BYTES_MAX - 32)
        return fail(err, STATUS_USAGE, "`%.64s` cannot be the path of a directory", path);
    if (env->calls->path_info(env, path, &info, err) == STATUS_OK && info.is_directory)
        return STATUS_OK;
    for (size_t i = 1; i <= length; i++)
        if ((path[i] == '/' && path[i - 1] != '/') || (path[i] == '\0' && path[i - 1] != '/')) {
            memcpy(part, path, i);
            part[i] = '\0';
            TRY(make_one(env, part, err));
        }
    return STATUS_OK;
}
