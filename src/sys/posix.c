/* The real world: the calls of Linux behind the seam.  Every call that the system may interrupt or
 * serve in part is repeated until it is whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/sys.h"

enum {
    DIRECTORY_NAMES_MAX = 1 << 20,
    TRANSFER_BYTES_MAX = 1 << 30, /* of one call: Linux moves at most 2 GiB - 4 KiB */
    STOP_LOOK_MS = 20,            /* how often who waits for a pipe looks whether to end */
    LINKS_MAX = 40,               /* that lead to a file, as in Linux */
};

struct env_file {
    int fd;
    char path[]; /* for sentences */
};

/* ---- clocks, randomness ---------------------------------------------------------------------- */

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t posix_now_ms(struct env *env)
{
    (void)env;
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

static int64_t posix_ticks_ns(struct env *env)
{
    (void)env;
    return clock_ns(CLOCK_MONOTONIC);
}

/* A signal ends the sleep early, so that Ctrl-C is answered at once. */
static void posix_sleep_ms(struct env *env, int64_t ms)
{
    struct timespec length = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)env;
    if (ms > 0)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &length, NULL);
}

static void posix_random_bytes(struct env *env, void *bytes, size_t length)
{
    unsigned char *at = bytes;

    (void)env;
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);

        ASSERT(got > 0 || errno == EINTR); /* since Linux 3.17 it fails in no other way */
        if (got > 0) {
            at += got;
            length -= (size_t)got;
        }
    }
}

/* "1f0c3bd2-…": the hexadecimal digits of 16 bytes with dashes between. */
static void posix_boot_id(struct env *env, unsigned char id[16])
{
    char text[64] = "", digits[33];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC), count = 0;
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < length && count < 32; i++)
        if (text[i] != '-')
            digits[count++] = text[i];
    digits[count] = '\0';
    for (int i = 0; i < 16; i++)
        if (count < 32 || sscanf(digits + 2 * i, "%2hhx", &id[i]) != 1) {
            posix_random_bytes(env, id, 16);
            return;
        }
}

/* ---- files ----------------------------------------------------------------------------------- */

static enum status posix_open(struct env *env, struct env_file **file, const char *path,
                              enum open_mode mode, struct error *err)
{
    static const int flags[] = {
        [OPEN_READ] = O_RDONLY,           [OPEN_WRITE] = O_RDWR,
        [OPEN_CREATE] = O_RDWR | O_CREAT, [OPEN_NEW] = O_RDWR | O_CREAT | O_EXCL,
        [OPEN_THROUGH] = O_WRONLY,
    };
    size_t path_bytes = strlen(path) + 1;
    struct env_file *opened = mem_alloc(sizeof *opened + path_bytes);

    if (!opened)
        return fail(err, STATUS_MEMORY, "%s: no memory to open it", path);
    do /* for a pipe it may be hours until somebody reads it */
        opened->fd = open(path, flags[mode] | O_CLOEXEC | O_NOCTTY, 0666);
    while (opened->fd < 0 && errno == EINTR && !env_is_stopped(env));
    if (opened->fd < 0) {
        enum status status = fail_errno(err, errno, "%s", path);

        mem_free(opened);
        return status;
    }
    memcpy(opened->path, path, path_bytes);
    *file = opened;
    return STATUS_OK;
}

static void posix_close(struct env *env, struct env_file *file)
{
    (void)env;
    close(file->fd); /* what matters was synced; Linux frees the descriptor even on EINTR */
    mem_free(file);
}

/* Who is at the other end may be silent for hours, and a signal may reach another thread. */
static ssize_t read_pipe(const struct env *env, int fd, void *bytes, size_t length)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    int ready = 0;

    while (env->stop && ready == 0) {
        ready = poll(&wanted, 1, STOP_LOOK_MS);
        if (env_is_stopped(env)) {
            errno = EINTR;
            return -1;
        }
    }
    return ready < 0 ? -1 : read(fd, bytes, length);
}

/* A pipe has no places: it is read on in order. */
static ssize_t read_some(const struct env *env, int fd, void *bytes, size_t length, uint64_t at)
{
    ssize_t got = pread(fd, bytes, MIN(length, TRANSFER_BYTES_MAX), (off_t)at);

    if (got < 0 && errno == ESPIPE)
        got = read_pipe(env, fd, bytes, MIN(length, TRANSFER_BYTES_MAX));
    return got;
}

static enum status posix_read(struct env *env, struct env_file *file, void *bytes, size_t length,
                              uint64_t at, size_t *got, struct error *err)
{
    size_t done = 0;

    while (done < length) {
        ssize_t some = read_some(env, file->fd, (char *)bytes + done, length - done, at + done);

        if (some < 0 && errno == EINTR) {
            if (env_is_stopped(env))
                return fail(err, STATUS_INTERRUPTED, "interrupted");
            continue;
        }
        if (some < 0)
            return fail_errno(err, errno, "cannot read %s", file->path);
        if (some == 0)
            break;
        done += (size_t)some;
    }
    *got = done;
    return STATUS_OK;
}

static enum status posix_write(struct env *env, struct env_file *file, const void *bytes,
                               size_t length, uint64_t at, struct error *err)
{
    while (length > 0) {
        ssize_t some = pwrite(file->fd, bytes, MIN(length, TRANSFER_BYTES_MAX), (off_t)at);

        if (some < 0 && errno == ESPIPE)
            some = write(file->fd, bytes, MIN(length, TRANSFER_BYTES_MAX));
        if (some < 0 && errno == EINTR && !env_is_stopped(env))
            continue;
        if (some <= 0)
            return fail_errno(err, some < 0 ? errno : EIO, "cannot write %s", file->path);
        bytes = (const char *)bytes + some;
        length -= (size_t)some;
        at += (uint64_t)some;
    }
    return STATUS_OK;
}

static enum status posix_truncate(struct env *env, struct env_file *file, uint64_t bytes,
                                  struct error *err)
{
    int result;

    (void)env;
    do
        result = ftruncate(file->fd, (off_t)bytes);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK
                       : fail_errno(err, errno, "cannot set the length of %s", file->path);
}

/* Never repeated after a failure other than EINTR: the system has forgotten by then what it could
 * not write. */
static enum status posix_sync(struct env *env, struct env_file *file, struct error *err)
{
    int result;

    (void)env;
    do
        result = fdatasync(file->fd);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK : fail_errno(err, errno, "cannot make %s durable", file->path);
}

/* Since Linux 5.8 it tells of any failure to write since the file was opened. */
static enum status posix_sync_all(struct env *env, struct env_file *file, struct error *err)
{
    (void)env;
    return syncfs(file->fd) == 0
               ? STATUS_OK
               : fail_errno(err, errno, "cannot make durable what was written around %s",
                            file->path);
}

static void info_of_stat(struct file_info *info, const struct stat *stat)
{
    *info = (struct file_info){
        .bytes = (uint64_t)stat->st_size,
        .modified_ns = (int64_t)stat->st_mtim.tv_sec * 1000000000 + stat->st_mtim.tv_nsec,
        .device = stat->st_dev,
        .inode = stat->st_ino,
        .is_directory = S_ISDIR(stat->st_mode),
        .is_regular = S_ISREG(stat->st_mode),
    };
}

static enum status posix_info(struct env *env, struct env_file *file, struct file_info *info,
                              struct error *err)
{
    struct stat stat;

    (void)env;
    if (fstat(file->fd, &stat) != 0)
        return fail_errno(err, errno, "%s", file->path);
    info_of_stat(info, &stat);
    return STATUS_OK;
}

/* Locks of the open file, not of the process, so that two opens in one process exclude each other,
 * too, and closing another one does not release it. */
static enum status posix_lock(struct env *env, struct env_file *file, bool *taken,
                              struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    (void)env;
    *taken = fcntl(file->fd, F_OFD_SETLK, &lock) == 0;
    if (!*taken && errno != EAGAIN && errno != EACCES)
        return fail_errno(err, errno, "cannot lock %s", file->path);
    return STATUS_OK;
}

static enum status posix_map(struct env *env, struct env_file *file, size_t bytes, const void **at,
                             struct error *err)
{
    void *mapped;

    (void)env;
    *at = NULL;
    if (bytes == 0)
        return STATUS_OK;
    mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file->fd, 0);
    if (mapped == MAP_FAILED)
        return fail_errno(err, errno, "cannot map %zu bytes of %s", bytes, file->path);
    *at = mapped;
    return STATUS_OK;
}

static void posix_unmap(struct env *env, const void *at, size_t bytes)
{
    (void)env;
    if (at)
        munmap((void *)at, bytes);
}

/* ---- paths ----------------------------------------------------------------------------------- */

static enum status posix_path_info(struct env *env, const char *path, struct file_info *info,
                                   struct error *err)
{
    struct stat found;

    (void)env;
    if (stat(path, &found) != 0)
        return fail_errno(err, errno, "%s", path);
    info_of_stat(info, &found);
    return STATUS_OK;
}

/* The directory of `path` as realpath says it, and `name` in it. */
static bool beside(char real[PATH_REAL_BYTES], const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_REAL_BYTES];
    size_t length;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    if (!realpath(folder, real))
        return false;
    length = strlen(real);
    errno = ENAMETOOLONG;
    return snprintf(real + length, PATH_REAL_BYTES - length, "/%s", name) <
           (int)(PATH_REAL_BYTES - length);
}

enum status path_real(char real[PATH_REAL_BYTES], const char *path, struct error *err)
{
    char at[PATH_REAL_BYTES], target[PATH_REAL_BYTES];
    bool found = snprintf(at, sizeof at, "%s", path) < (int)sizeof at;

    errno = ENAMETOOLONG;
    for (int links = 0; found && links < LINKS_MAX; links++) {
        const char *slash = strrchr(at, '/');
        ssize_t length;

        if (realpath(at, real))
            return STATUS_OK;
        if (errno != ENOENT)
            break;
        length = readlink(at, target, sizeof target - 1); /* a link to what is not there yet */
        if (length < 0) {
            if (beside(real, at, slash ? slash + 1 : at))
                return STATUS_OK;
            break;
        }
        target[length] = '\0';
        found = target[0] == '/' || beside(real, at, target);
        memcpy(at, target[0] == '/' ? target : real, sizeof at);
    }
    return fail_errno(err, errno, "%s", path);
}

bool path_is_descriptor(const char *path, int descriptor)
{
    struct stat named, open;

    return stat(path, &named) == 0 && fstat(descriptor, &open) == 0 &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

static enum status posix_make_directory(struct env *env, const char *path, struct error *err)
{
    struct stat found;
    int error_number;

    (void)env;
    if (mkdir(path, 0777) == 0)
        return STATUS_OK;
    error_number = errno;
    if (error_number == EEXIST && stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        return STATUS_OK;
    return fail_errno(err, error_number, "cannot make the directory %s", path);
}

static enum status posix_rename(struct env *env, const char *from, const char *to,
                                struct error *err)
{
    (void)env;
    return rename(from, to) == 0 ? STATUS_OK
                                 : fail_errno(err, errno, "cannot rename %s to %s", from, to);
}

static enum status posix_remove(struct env *env, const char *path, struct error *err)
{
    (void)env;
    return remove(path) == 0 ? STATUS_OK : fail_errno(err, errno, "cannot remove %s", path);
}

static enum status posix_sync_directory(struct env *env, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result, error_number;

    (void)env;
    if (fd < 0)
        return fail_errno(err, errno, "%s", path);
    do
        result = fsync(fd);
    while (result != 0 && errno == EINTR);
    error_number = errno;
    close(fd);
    /* EINVAL: a file system (some of FUSE) whose directories need no sync. */
    if (result == 0 || error_number == EINVAL)
        return STATUS_OK;
    return fail_errno(err, error_number, "cannot make the directory %s durable", path);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status collect_names(DIR *directory, const char *path, char ***names, size_t *count,
                                 struct error *err)
{
    size_t capacity = 0;
    struct dirent *entry;

    while ((errno = 0, entry = readdir(directory))) {
        void *items = *names;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (*count >= DIRECTORY_NAMES_MAX)
            return fail(err, STATUS_LIMIT, "%s: more than %d names in one directory", path,
                        DIRECTORY_NAMES_MAX);
        if (mem_grow(&items, &capacity, *count + 1, sizeof **names) != 0)
            return fail(err, STATUS_MEMORY, "%s: no memory to list it", path);
        *names = items;
        (*names)[*count] = mem_copy_text(entry->d_name);
        if (!(*names)[*count])
            return fail(err, STATUS_MEMORY, "%s: no memory to list it", path);
        (*count)++;
    }
    return errno == 0 ? STATUS_OK : fail_errno(err, errno, "cannot list %s", path);
}

static enum status posix_list(struct env *env, const char *path, char ***names, size_t *count,
                              struct error *err)
{
    DIR *directory = opendir(path);
    enum status status;

    (void)env;
    if (!directory)
        return fail_errno(err, errno, "%s", path);
    *names = NULL;
    *count = 0;
    status = collect_names(directory, path, names, count, err);
    closedir(directory);
    if (status != STATUS_OK) {
        while (*count > 0)
            mem_free((*names)[--*count]);
        mem_free(*names);
        *names = NULL;
    } else if (*count > 0) {
        qsort(*names, *count, sizeof **names, compare_names);
    }
    return status;
}

/* ---- threads --------------------------------------------------------------------------------- */

struct posix_thread {
    pthread_t id;
    void (*run)(void *);
    void *context;
};

static void *thread_body(void *argument)
{
    struct posix_thread *thread = argument;

    thread->run(thread->context);
    return NULL;
}

/* Signals go to the first thread alone: it is the one that waits and can tell the others. */
static enum status posix_thread_start(struct env *env, void **thread, void (*run)(void *),
                                      void *context, struct error *err)
{
    struct posix_thread *started = mem_alloc(sizeof *started);
    sigset_t all, before;
    int error_number;

    (void)env;
    if (!started)
        return fail(err, STATUS_MEMORY, "no memory for a thread");
    *started = (struct posix_thread){.run = run, .context = context};
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* is its own thread's: see maps_outlive_cuts */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error_number = pthread_create(&started->id, NULL, thread_body, started);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error_number != 0) {
        mem_free(started);
        return fail_errno(err, error_number, "cannot start a thread");
    }
    *thread = started;
    return STATUS_OK;
}

static void posix_thread_join(struct env *env, void *thread)
{
    struct posix_thread *started = thread;

    (void)env;
    pthread_join(started->id, NULL);
    mem_free(started);
}

struct env *env_posix(void)
{
    static const struct env_calls calls = {
        .now_ms = posix_now_ms,
        .ticks_ns = posix_ticks_ns,
        .sleep_ms = posix_sleep_ms,
        .random_bytes = posix_random_bytes,
        .boot_id = posix_boot_id,
        .open = posix_open,
        .close = posix_close,
        .read = posix_read,
        .write = posix_write,
        .truncate = posix_truncate,
        .sync = posix_sync,
        .sync_all = posix_sync_all,
        .info = posix_info,
        .lock = posix_lock,
        .map = posix_map,
        .unmap = posix_unmap,
        .path_info = posix_path_info,
        .make_directory = posix_make_directory,
        .rename = posix_rename,
        .remove = posix_remove,
        .sync_directory = posix_sync_directory,
        .list = posix_list,
        .thread_start = posix_thread_start,
        .thread_join = posix_thread_join,
    };
    static struct env env = {.calls = &calls}; /* no state: never written */

    return &env;
}
