/* A disk in memory that writes down what is done to it.  Deterministic but for the order in which
 * threads come; a mutex keeps each call whole. */
#include "sys/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct env_file {
    uint32_t inode;
    bool writable;
};

enum { STEP_NS = 1000 }; /* each look at the clock finds it this much later */

#define START_MS INT64_C(1767225600000) /* 2026-01-01 */

static struct power_disk *disk_of(struct env *env)
{
    return ((struct env_power *)env->state)->disk;
}

/* Not from base/mem.h: a test that makes an allocation fail means the program's, not the
 * simulator's. */
static void *must(void *memory)
{
    ASSERT(memory != NULL);
    return memory;
}

static char *copy_name(struct power_disk *disk, const char *name)
{
    return must(arena_copy_text(&disk->arena, name, strcspn(name, "/")));
}

/* ---- the disk -------------------------------------------------------------------------------- */

uint32_t disk_add_inode(struct power_disk *disk, bool is_directory)
{
    struct inode *inode = &disk->inodes[disk->inode_count];

    ASSERT(disk->inode_count < POWER_FILES_MAX);
    *inode = (struct inode){.is_directory = is_directory};
    if (!is_directory)
        inode->bytes = must(memory_reserve(POWER_FILE_BYTES_MAX));
    return disk->inode_count++;
}

void disk_resize(struct power_disk *disk, uint32_t inode, uint64_t size)
{
    struct inode *file = &disk->inodes[inode];

    if (size < file->size)
        memset(file->bytes + size, 0, file->size - size);
    file->size = size;
}

void disk_put(struct power_disk *disk, uint32_t inode, uint64_t at, const unsigned char *bytes,
              uint64_t length)
{
    struct inode *file = &disk->inodes[inode];

    if (length == 0)
        return;
    memcpy(file->bytes + at, bytes, length);
    file->size = MAX(file->size, at + length);
}

static struct entry *find_entry(struct power_disk *disk, uint32_t directory, const char *name,
                                size_t length)
{
    struct inode *inode = &disk->inodes[directory];

    for (size_t i = 0; i < inode->entry_count; i++)
        if (strlen(inode->entries[i].name) == length &&
            memcmp(inode->entries[i].name, name, length) == 0)
            return &inode->entries[i];
    return NULL;
}

void disk_link(struct power_disk *disk, uint32_t directory, const char *name, uint32_t inode)
{
    struct entry *entry = find_entry(disk, directory, name, strlen(name));
    struct inode *in = &disk->inodes[directory];

    if (entry) {
        entry->inode = inode;
        return;
    }
    if (in->entry_count == in->entry_capacity) {
        struct entry *grown = must(
            ARENA_ARRAY(&disk->arena, struct entry, in->entry_capacity * 2 + 8));

        if (in->entry_count > 0)
            memcpy(grown, in->entries, in->entry_count * sizeof *grown);
        in->entries = grown;
        in->entry_capacity = in->entry_capacity * 2 + 8;
    }
    in->entries[in->entry_count++] = (struct entry){copy_name(disk, name), inode};
}

static void drop_entry(struct inode *in, struct entry *entry)
{
    *entry = in->entries[--in->entry_count];
}

void disk_unlink(struct power_disk *disk, uint32_t directory, const char *name)
{
    struct entry *entry = find_entry(disk, directory, name, strlen(name));

    if (entry)
        drop_entry(&disk->inodes[directory], entry);
}

void disk_unlink_everywhere(struct power_disk *disk, uint32_t inode)
{
    for (uint32_t d = 0; d < disk->inode_count; d++)
        for (size_t i = 0; i < disk->inodes[d].entry_count;)
            if (disk->inodes[d].entries[i].inode == inode)
                drop_entry(&disk->inodes[d], &disk->inodes[d].entries[i]);
            else
                i++;
}

size_t disk_trace(struct power_disk *disk, const struct trace *trace)
{
    struct trace *entry = &disk->trace[disk->trace_count];

    ASSERT(disk->trace_count < POWER_TRACE_MAX);
    *entry = *trace;
    if (trace->name)
        entry->name = copy_name(disk, trace->name);
    if (trace->to_name)
        entry->to_name = copy_name(disk, trace->to_name);
    if (trace->bytes) {
        unsigned char *copy = must(arena_alloc(&disk->arena, trace->length));

        entry->bytes = memcpy(copy, trace->bytes, trace->length);
    }
    return disk->trace_count++;
}

/* ---- paths ----------------------------------------------------------------------------------- */

struct place {
    uint32_t directory;
    const char *name;    /* the last name of the path; "" for the root */
    struct entry *entry; /* NULL: not there */
};

/* Walks to the directory of the path's last name. */
static enum status place_find(struct power_disk *disk, const char *path, struct place *place,
                              struct error *err)
{
    const char *at = path;

    *place = (struct place){.name = ""};
    while (*at) {
        size_t length = strcspn(at, "/");

        if (length > 0 && !(length == 1 && at[0] == '.')) {
            if (*place->name) {
                if (!place->entry)
                    return fail_errno(err, ENOENT, "%s", path);
                place->directory = place->entry->inode;
                if (!disk->inodes[place->directory].is_directory)
                    return fail_errno(err, ENOTDIR, "%s", path);
            }
            place->name = at;
            place->entry = find_entry(disk, place->directory, at, length);
        }
        at += length + (at[length] == '/');
    }
    return STATUS_OK;
}

/* The inode that is there: ENOENT otherwise. */
static enum status inode_find(struct power_disk *disk, const char *path, uint32_t *inode,
                              struct error *err)
{
    struct place place;

    TRY(place_find(disk, path, &place, err));
    if (*place.name && !place.entry)
        return fail_errno(err, ENOENT, "%s", path);
    *inode = place.entry ? place.entry->inode : 0;
    return STATUS_OK;
}

static uint32_t create(struct power_disk *disk, const struct place *place, bool is_directory)
{
    char *name = copy_name(disk, place->name);
    uint32_t inode = disk_add_inode(disk, is_directory);

    disk_link(disk, place->directory, name, inode);
    disk_trace(disk,
               &(struct trace){.kind = TRACE_INODE, .inode = inode, .is_directory = is_directory});
    disk_trace(disk, &(struct trace){TRACE_LINK, .inode = inode, .directory = place->directory,
                                     .name = name});
    return inode;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static int64_t power_ticks_ns(struct env *env)
{
    return __atomic_add_fetch(&disk_of(env)->ticks_ns, STEP_NS, __ATOMIC_SEQ_CST);
}

static int64_t power_now_ms(struct env *env)
{
    return START_MS + power_ticks_ns(env) / 1000000;
}

static void power_sleep_ms(struct env *env, int64_t ms)
{
    __atomic_add_fetch(&disk_of(env)->ticks_ns, ms * 1000000, __ATOMIC_SEQ_CST);
}

static void power_random_bytes(struct env *env, void *bytes, size_t length)
{
    struct power_disk *disk = disk_of(env);

    pthread_mutex_lock(&disk->mutex);
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)random_next(&disk->random);
    pthread_mutex_unlock(&disk->mutex);
}

static void power_boot_id(struct env *env, unsigned char id[16])
{
    uint64_t parts[2] = {random_at(1, disk_of(env)->boot, 0), random_at(1, disk_of(env)->boot, 1)};

    memcpy(id, parts, sizeof parts);
}

static enum status open_locked(struct power_disk *disk, uint32_t *inode, const char *path,
                               enum open_mode mode, struct error *err)
{
    struct place place;

    TRY(place_find(disk, path, &place, err));
    if (place.entry || !*place.name) {
        *inode = place.entry ? place.entry->inode : 0;
        if (mode == OPEN_NEW)
            return fail_errno(err, EEXIST, "%s", path);
        if (mode != OPEN_READ && disk->inodes[*inode].is_directory)
            return fail_errno(err, EISDIR, "%s", path);
        return STATUS_OK;
    }
    if (mode == OPEN_READ || mode == OPEN_WRITE || mode == OPEN_THROUGH)
        return fail_errno(err, ENOENT, "%s", path);
    *inode = create(disk, &place, false);
    return STATUS_OK;
}

static enum status power_open(struct env *env, struct env_file **file, const char *path,
                              enum open_mode mode, struct error *err)
{
    struct power_disk *disk = disk_of(env);
    uint32_t inode = 0;
    enum status status;

    pthread_mutex_lock(&disk->mutex);
    status = open_locked(disk, &inode, path, mode, err);
    pthread_mutex_unlock(&disk->mutex);
    if (status != STATUS_OK)
        return status;
    *file = mem_alloc(sizeof **file);
    if (!*file)
        return fail(err, STATUS_MEMORY, "%s: no memory to open it", path);
    **file = (struct env_file){.inode = inode, .writable = mode != OPEN_READ};
    return STATUS_OK;
}

static void power_close(struct env *env, struct env_file *file)
{
    struct power_disk *disk = disk_of(env);

    pthread_mutex_lock(&disk->mutex);
    if (disk->inodes[file->inode].locked_by == file)
        disk->inodes[file->inode].locked_by = NULL;
    pthread_mutex_unlock(&disk->mutex);
    mem_free(file);
}

static enum status power_read(struct env *env, struct env_file *file, void *bytes, size_t length,
                              uint64_t at, size_t *got, struct error *err)
{
    struct power_disk *disk = disk_of(env);
    struct inode *inode = &disk->inodes[file->inode];

    if (inode->is_directory)
        return fail_errno(err, EISDIR, "cannot read a file");
    pthread_mutex_lock(&disk->mutex);
    *got = at >= inode->size ? 0 : MIN(length, inode->size - at);
    memcpy(bytes, inode->bytes + at, *got);
    pthread_mutex_unlock(&disk->mutex);
    return STATUS_OK;
}

static enum status power_write(struct env *env, struct env_file *file, const void *bytes,
                               size_t length, uint64_t at, struct error *err)
{
    struct power_disk *disk = disk_of(env);
    struct inode *inode = &disk->inodes[file->inode];

    if (!file->writable)
        return fail_errno(err, EBADF, "cannot write a file");
    if (at > POWER_FILE_BYTES_MAX || length > POWER_FILE_BYTES_MAX - at)
        return fail_errno(err, ENOSPC, "cannot write a file");
    if (length == 0)
        return STATUS_OK;
    pthread_mutex_lock(&disk->mutex);
    disk_trace(disk,
               &(struct trace){TRACE_WRITE, .inode = file->inode, .bytes = (unsigned char *)bytes,
                               .at = at, .length = length, .size_before = inode->size});
    disk_put(disk, file->inode, at, bytes, length);
    inode->modified_ns = START_MS * 1000000 + disk->ticks_ns;
    pthread_mutex_unlock(&disk->mutex);
    return STATUS_OK;
}

static enum status power_truncate(struct env *env, struct env_file *file, uint64_t bytes,
                                  struct error *err)
{
    struct power_disk *disk = disk_of(env);
    struct inode *inode = &disk->inodes[file->inode];

    if (!file->writable)
        return fail_errno(err, EBADF, "cannot set the length of a file");
    if (bytes > POWER_FILE_BYTES_MAX)
        return fail_errno(err, ENOSPC, "cannot set the length of a file");
    pthread_mutex_lock(&disk->mutex);
    disk_trace(disk, &(struct trace){TRACE_TRUNCATE, .inode = file->inode, .at = bytes,
                                     .size_before = inode->size});
    disk_resize(disk, file->inode, bytes);
    inode->modified_ns = START_MS * 1000000 + disk->ticks_ns;
    pthread_mutex_unlock(&disk->mutex);
    return STATUS_OK;
}

static enum status power_sync(struct env *env, struct env_file *file, struct error *err)
{
    struct power_disk *disk = disk_of(env);
    bool is_directory = disk->inodes[file->inode].is_directory;

    (void)err;
    pthread_mutex_lock(&disk->mutex);
    disk_trace(disk, &(struct trace){.kind = is_directory ? TRACE_SYNC_DIRECTORY : TRACE_SYNC,
                                     .inode = file->inode,
                                     .directory = file->inode});
    pthread_mutex_unlock(&disk->mutex);
    return STATUS_OK;
}

static enum status power_sync_all(struct env *env, struct env_file *file, struct error *err)
{
    struct power_disk *disk = disk_of(env);

    (void)file, (void)err;
    pthread_mutex_lock(&disk->mutex);
    for (uint32_t i = 0; i < disk->inode_count; i++)
        disk_trace(disk, &(struct trace){.kind = disk->inodes[i].is_directory ? TRACE_SYNC_DIRECTORY
                                                                              : TRACE_SYNC,
                                         .inode = i,
                                         .directory = i});
    pthread_mutex_unlock(&disk->mutex);
    return STATUS_OK;
}

static void info_of_inode(struct file_info *info, const struct power_disk *disk, uint32_t index)
{
    const struct inode *inode = &disk->inodes[index];

    *info = (struct file_info){
        .bytes = inode->size,
        .modified_ns = inode->modified_ns,
        .inode = index,
        .is_directory = inode->is_directory,
        .is_regular = !inode->is_directory,
    };
}

static enum status power_info(struct env *env, struct env_file *file, struct file_info *info,
                              struct error *err)
{
    struct power_disk *disk = disk_of(env);

    (void)err;
    pthread_mutex_lock(&disk->mutex);
    info_of_inode(info, disk, file->inode);
    pthread_mutex_unlock(&disk->mutex);
    return STATUS_OK;
}

static enum status power_lock(struct env *env, struct env_file *file, bool *taken,
                              struct error *err)
{
    struct power_disk *disk = disk_of(env);
    struct inode *inode = &disk->inodes[file->inode];

    (void)err;
    pthread_mutex_lock(&disk->mutex);
    if (!inode->locked_by)
        inode->locked_by = file;
    *taken = inode->locked_by == file;
    pthread_mutex_unlock(&disk->mutex);
    return STATUS_OK;
}

static enum status power_map(struct env *env, struct env_file *file, size_t bytes, const void **at,
                             struct error *err)
{
    struct inode *inode = &disk_of(env)->inodes[file->inode];

    if (inode->is_directory || bytes > POWER_FILE_BYTES_MAX)
        return fail_errno(err, EACCES, "cannot map a file");
    *at = bytes ? inode->bytes : NULL;
    return STATUS_OK;
}

static void power_unmap(struct env *env, const void *at, size_t bytes)
{
    (void)env, (void)at, (void)bytes; /* the bytes are the disk's own */
}

static enum status power_path_info(struct env *env, const char *path, struct file_info *info,
                                   struct error *err)
{
    struct power_disk *disk = disk_of(env);
    enum status status;
    uint32_t inode = 0;

    pthread_mutex_lock(&disk->mutex);
    status = inode_find(disk, path, &inode, err);
    if (status == STATUS_OK)
        info_of_inode(info, disk, inode);
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

static enum status power_make_directory(struct env *env, const char *path, struct error *err)
{
    struct power_disk *disk = disk_of(env);
    struct place place;
    enum status status;

    pthread_mutex_lock(&disk->mutex);
    status = place_find(disk, path, &place, err);
    if (status == STATUS_OK && *place.name && !place.entry)
        create(disk, &place, true);
    else if (status == STATUS_OK && place.entry && !disk->inodes[place.entry->inode].is_directory)
        status = fail_errno(err, EEXIST, "cannot make the directory %s", path);
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

static enum status rename_locked(struct power_disk *disk, const char *from, const char *to,
                                 struct error *err)
{
    struct place source, target;
    struct trace trace = {.kind = TRACE_RENAME};

    TRY(place_find(disk, from, &source, err));
    TRY(place_find(disk, to, &target, err));
    if (!source.entry || !*target.name)
        return fail_errno(err, ENOENT, "cannot rename %s to %s", from, to);
    if (target.entry && disk->inodes[target.entry->inode].entry_count > 0)
        return fail_errno(err, ENOTEMPTY, "cannot rename %s to %s", from, to);
    trace.inode = source.entry->inode;
    trace.directory = source.directory;
    trace.to_directory = target.directory;
    trace.name = copy_name(disk, source.entry->name);
    trace.to_name = copy_name(disk, target.name);
    disk_trace(disk, &trace);
    disk_unlink_everywhere(disk, trace.inode);
    disk_link(disk, trace.to_directory, trace.to_name, trace.inode);
    return STATUS_OK;
}

static enum status power_rename(struct env *env, const char *from, const char *to,
                                struct error *err)
{
    struct power_disk *disk = disk_of(env);
    enum status status;

    pthread_mutex_lock(&disk->mutex);
    status = rename_locked(disk, from, to, err);
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

static enum status remove_locked(struct power_disk *disk, const char *path, struct error *err)
{
    struct place place;

    TRY(place_find(disk, path, &place, err));
    if (!place.entry)
        return fail_errno(err, ENOENT, "cannot remove %s", path);
    if (disk->inodes[place.entry->inode].entry_count > 0)
        return fail_errno(err, ENOTEMPTY, "cannot remove %s", path);
    disk_trace(disk, &(struct trace){TRACE_REMOVE, .inode = place.entry->inode,
                                     .directory = place.directory, .name = place.entry->name});
    disk_unlink(disk, place.directory, place.entry->name);
    return STATUS_OK;
}

static enum status power_remove(struct env *env, const char *path, struct error *err)
{
    struct power_disk *disk = disk_of(env);
    enum status status;

    pthread_mutex_lock(&disk->mutex);
    status = remove_locked(disk, path, err);
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

static enum status power_sync_directory(struct env *env, const char *path, struct error *err)
{
    struct power_disk *disk = disk_of(env);
    uint32_t inode = 0;
    enum status status;

    pthread_mutex_lock(&disk->mutex);
    status = inode_find(disk, path, &inode, err);
    if (status == STATUS_OK && !disk->inodes[inode].is_directory)
        status = fail_errno(err, ENOTDIR, "%s", path);
    if (status == STATUS_OK)
        disk_trace(disk, &(struct trace){.kind = TRACE_SYNC_DIRECTORY, .directory = inode});
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status list_locked(struct power_disk *disk, const char *path, char ***names,
                               size_t *count, struct error *err)
{
    struct inode *in;
    uint32_t inode = 0;

    TRY(inode_find(disk, path, &inode, err));
    in = &disk->inodes[inode];
    if (!in->is_directory)
        return fail_errno(err, ENOTDIR, "%s", path);
    *count = 0;
    *names = mem_zero(in->entry_count, sizeof **names);
    for (size_t i = 0; *names && i < in->entry_count; i++) {
        (*names)[i] = mem_copy_text(in->entries[i].name);
        if (!(*names)[i]) {
            while (i > 0)
                mem_free((*names)[--i]);
            mem_free(*names);
            *names = NULL;
        }
    }
    if (!*names)
        return fail(err, STATUS_MEMORY, "%s: no memory to list it", path);
    *count = in->entry_count;
    qsort(*names, *count, sizeof **names, compare_names);
    return STATUS_OK;
}

static enum status power_list(struct env *env, const char *path, char ***names, size_t *count,
                              struct error *err)
{
    struct power_disk *disk = disk_of(env);
    enum status status;

    pthread_mutex_lock(&disk->mutex);
    status = list_locked(disk, path, names, count, err);
    pthread_mutex_unlock(&disk->mutex);
    return status;
}

static enum status power_thread_start(struct env *env, void **thread, void (*run)(void *),
                                      void *context, struct error *err)
{
    (void)env;
    return env_posix()->calls->thread_start(env_posix(), thread, run, context, err);
}

static void power_thread_join(struct env *env, void *thread)
{
    (void)env;
    env_posix()->calls->thread_join(env_posix(), thread);
}

/* ---- life ------------------------------------------------------------------------------------ */

void env_power_init(struct env_power *power, uint64_t seed)
{
    static const struct env_calls calls = {
        .now_ms = power_now_ms,
        .ticks_ns = power_ticks_ns,
        .sleep_ms = power_sleep_ms,
        .random_bytes = power_random_bytes,
        .boot_id = power_boot_id,
        .open = power_open,
        .close = power_close,
        .read = power_read,
        .write = power_write,
        .truncate = power_truncate,
        .sync = power_sync,
        .sync_all = power_sync_all,
        .info = power_info,
        .lock = power_lock,
        .map = power_map,
        .unmap = power_unmap,
        .path_info = power_path_info,
        .make_directory = power_make_directory,
        .rename = power_rename,
        .remove = power_remove,
        .sync_directory = power_sync_directory,
        .list = power_list,
        .thread_start = power_thread_start,
        .thread_join = power_thread_join,
    };
    struct power_disk *disk = must(memory_reserve(sizeof *disk));

    pthread_mutex_init(&disk->mutex, NULL);
    arena_init(&disk->arena, must(memory_reserve(POWER_BYTES_MAX)), POWER_BYTES_MAX);
    random_init(&disk->random, seed, 0);
    disk_add_inode(disk, true);
    *power = (struct env_power){.env = {&calls, power}, .disk = disk};
}

void env_power_deinit(struct env_power *power)
{
    struct power_disk *disk = power->disk;

    for (uint32_t i = 0; i < disk->inode_count; i++)
        memory_release(disk->inodes[i].bytes, POWER_FILE_BYTES_MAX);
    pthread_mutex_destroy(&disk->mutex);
    memory_release(disk->arena.memory, disk->arena.bytes);
    memory_release(disk, sizeof *disk);
    power->disk = NULL;
}

size_t env_power_length(const struct env_power *power)
{
    return power->disk->trace_count;
}

void env_power_note(struct env_power *power, uint64_t number)
{
    pthread_mutex_lock(&power->disk->mutex);
    disk_trace(power->disk, &(struct trace){.kind = TRACE_NOTE, .at = number});
    pthread_mutex_unlock(&power->disk->mutex);
}

uint64_t env_power_noted(const struct env_power *power, size_t cut)
{
    for (size_t i = MIN(cut, power->disk->trace_count); i-- > 0;)
        if (power->disk->trace[i].kind == TRACE_NOTE)
            return power->disk->trace[i].at;
    return 0;
}
