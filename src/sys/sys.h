/* sys: the outside world: clock, randomness, files, mapping, threads.  Thin, over the system.
 *
 * ONE SEAM: every module reaches the outside through `struct env`, which is handed in.  Production
 * (env_posix), a simulated disk that can lose power, and one that fails the n-th call are three of
 * them (sys/simulated.h).  Nothing outside sys/ calls open, read, write, fsync, rename, mmap,
 * clock_gettime, getrandom or pthread_create. */
#ifndef HARRIER_SYS_H
#define HARRIER_SYS_H

#include <stdatomic.h>

#include "base/base.h"

struct env;
struct env_file; /* an open file or directory */

enum open_mode {
    OPEN_READ,
    OPEN_WRITE,  /* read and write, must exist */
    OPEN_CREATE, /* read and write, made where it is not */
    OPEN_NEW,    /* must not exist */
    OPEN_THROUGH /* write, a device or a pipe that is there */
};

struct file_info {
    uint64_t bytes;
    int64_t modified_ns;
    uint64_t device, inode; /* two names of one file have the same */
    bool is_directory, is_regular;
};

struct env_calls {
    int64_t (*now_ms)(struct env *);            /* wall clock, UTC */
    int64_t (*ticks_ns)(struct env *);          /* monotonic */
    void (*sleep_ms)(struct env *, int64_t ms); /* a signal may end it early */
    void (*random_bytes)(struct env *, void *bytes, size_t length);

    /* Changes when the machine starts anew (Linux: /proc/sys/kernel/random/boot_id): what was
     * written without a sync is still there as long as it is the same.  Random bytes where the
     * system has none; a simulated power cut changes it. */
    void (*boot_id)(struct env *, unsigned char id[16]);

    enum status (*open)(struct env *, struct env_file **, const char *path, enum open_mode,
                        struct error *);
    void (*close)(struct env *, struct env_file *);

    /* Whole, but for the end of the file.  A pipe is read on in order, wherever `at` is, until the
     * env is stopped: STATUS_INTERRUPTED. */
    enum status (*read)(struct env *, struct env_file *, void *bytes, size_t length, uint64_t at,
                        size_t *got, struct error *);

    /* Whole.  A pipe takes it in order, wherever `at` is. */
    enum status (*write)(struct env *, struct env_file *, const void *bytes, size_t length,
                         uint64_t at, struct error *);
    enum status (*truncate)(struct env *, struct env_file *, uint64_t bytes, struct error *);

    /* Data and what is needed to read it. */
    enum status (*sync)(struct env *, struct env_file *, struct error *);

    /* The same for everything that was written to the file system since the file was opened, names
     * of files too: one wait where there would be hundreds.  It waits for what other processes have
     * written as well. */
    enum status (*sync_all)(struct env *, struct env_file *, struct error *);
    enum status (*info)(struct env *, struct env_file *, struct file_info *, struct error *);

    /* Exclusive, does not wait; held until close. */
    enum status (*lock)(struct env *, struct env_file *, bool *taken, struct error *);

    /* Read-only, shared; `bytes` may be over the file's end only inside its last page.  unmap ends
     * it; NULL of 0 bytes.  See maps_outlive_cuts. */
    enum status (*map)(struct env *, struct env_file *, size_t bytes, const void **at,
                       struct error *);
    void (*unmap)(struct env *, const void *at, size_t bytes);

    enum status (*path_info)(struct env *, const char *path, struct file_info *, struct error *);

    /* Fine where it exists. */
    enum status (*make_directory)(struct env *, const char *path, struct error *);
    enum status (*rename)(struct env *, const char *from, const char *to, struct error *);

    /* A file or an empty directory. */
    enum status (*remove)(struct env *, const char *path, struct error *);
    enum status (*sync_directory)(struct env *, const char *path, struct error *);

    /* Names in a directory in order of bytes, without "." and ".."; names_free them. */
    enum status (*list)(struct env *, const char *path, char ***names, size_t *count,
                        struct error *);

    enum status (*thread_start)(struct env *, void **thread, void (*run)(void *), void *context,
                                struct error *);
    void (*thread_join)(struct env *, void *thread);
};

struct env {
    const struct env_calls *calls;
    void *state;
    const atomic_bool *stop; /* set, maybe by a signal handler: end soon.  NULL: never */
};

/* Whether the work is to end: STATUS_INTERRUPTED.  Long work asks it once a block or a file. */
static inline bool env_is_stopped(const struct env *env)
{
    return env->stop && atomic_load_explicit(env->stop, memory_order_relaxed);
}

/* The real world. */
struct env *env_posix(void);

/* Short names for what is asked often. */
static inline int64_t clock_now_ms(struct env *env)
{
    return env->calls->now_ms(env);
}

static inline int64_t clock_ticks_ns(struct env *env)
{
    return env->calls->ticks_ns(env);
}

/* What `list` gave. */
void names_free(char **names, size_t count);

/* A random name part: 16 hexadecimal digits. */
void env_random_name(struct env *env, char name[17]);

/* A large piece of memory that costs nothing until it is touched, for arenas; NULL if refused. */
void *memory_reserve(size_t bytes);
void memory_release(void *memory, size_t bytes);

/* To be called once, by the program.  Where another program cuts a file that is mapped here, and
 * what is missing is looked at, the whole map is zeros from then on; without this call it is the
 * process's end (SIGBUS).  So a file that is to be mapped begins with something that is not zero,
 * and who has worked with its bytes looks at that last.  Every other SIGBUS ends the process. */
void maps_outlive_cuts(void);

/* How many bytes this process may write to a file that is there or could be made: what is free and
 * what its limit (ulimit -f) allows.  UINT64_MAX where nobody knows: a device, a pipe. */
uint64_t disk_free_bytes(const char *path);

/* How many processors this process may use: the smaller of the affinity mask and the cgroup's
 * quota, rounded up, at least 1. */
int processors_usable(void);

/* Reads a whole file of at most `limit` bytes; mem_free(*bytes), behind which stands a zero.  A
 * directory, a device or more than the limit is refused with a sentence. */
enum status file_read_whole(struct env *env, const char *path, size_t limit, char **bytes,
                            size_t *length, struct error *err);

/* Writes a file so that it is there whole or not at all (temporary name, sync, rename, sync); a
 * link is replaced (path_real).  A device or a pipe is written through. */
enum status file_write_whole(struct env *env, const char *path, const void *bytes, size_t length,
                             struct error *err);

/* The absolute path behind every link, of a file that is there or could be made. */
enum { PATH_REAL_BYTES = 4096 };
enum status path_real(char real[PATH_REAL_BYTES], const char *path, struct error *err);

/* Whether the path names what the descriptor has open: /dev/stdout, or the file behind it. */
bool path_is_descriptor(const char *path, int descriptor);

/* Makes a directory and those above it, durably. */
enum status directory_make_all(struct env *env, const char *path, struct error *err);

#endif
