/* Files that are cut while they are mapped. */
#include <sys/wait.h>

#include "test.h"

#include "sys/cut.c"

enum { FILE_BYTES = 5 * 4096 + 100 };

/* A file of ones, mapped. */
static const unsigned char *map_ones(const char *name, char path[512], struct env_file **file)
{
    unsigned char ones[FILE_BYTES];
    struct env *env = env_posix();
    const void *at = NULL;
    struct error err;

    memset(ones, 1, sizeof ones);
    snprintf(path, 512, "%s/%s", test_directory(), name);
    CHECK_OK(env->calls->open(env, file, path, OPEN_CREATE, &err));
    CHECK_OK(env->calls->write(env, *file, ones, sizeof ones, 0, &err));
    CHECK_OK(env->calls->map(env, *file, sizeof ones, &at, &err));
    return at;
}

static bool all_are(const unsigned char *at, unsigned char value)
{
    for (size_t i = 0; i < FILE_BYTES; i++)
        if (at[i] != value)
            return false;
    return true;
}

TEST(a_map_whose_file_is_cut_is_zeros_and_the_others_stay)
{
    struct env *env = env_posix();
    struct env_file *cut, *other;
    char path[512], other_path[512];
    const unsigned char *at = map_ones("cut", path, &cut);
    const unsigned char *stays = map_ones("other", other_path, &other);
    const unsigned char *again = NULL;

    maps_outlive_cuts();
    CHECK(all_are(at, 1) && all_are(stays, 1));
    CHECK_INT(truncate(path, 2 * 4096), 0);
    CHECK_INT(at[4096], 1); /* what is there is there, until what is not is looked at */
    CHECK_INT(at[2 * 4096], 0);
    CHECK(all_are(at, 0));
    CHECK(all_are(stays, 1));
    CHECK_OK(env->calls->map(env, other, FILE_BYTES, (const void **)&again, &(struct error){0}));
    env->calls->unmap(env, at, FILE_BYTES);
    CHECK(all_are(stays, 1) && all_are(again, 1));
    env->calls->unmap(env, stays, FILE_BYTES);
    env->calls->unmap(env, again, FILE_BYTES);
    env->calls->close(env, cut);
    env->calls->close(env, other);
}

enum { LOOKERS = 8 };

static void look(void *context)
{
    const unsigned char *at = context;

    for (size_t i = FILE_BYTES; i-- > 0;)
        ASSERT(at[i] <= 1);
}

TEST(many_threads_may_meet_the_same_cut)
{
    struct env *env = env_posix();
    void *threads[LOOKERS];
    struct error err;

    maps_outlive_cuts();
    for (int round = 0; round < 50; round++) {
        struct env_file *file;
        char path[512];
        const unsigned char *at = map_ones("met", path, &file);

        CHECK_INT(truncate(path, 0), 0);
        for (int i = 0; i < LOOKERS; i++)
            CHECK_OK(env->calls->thread_start(env, &threads[i], look, (void *)at, &err));
        for (int i = 0; i < LOOKERS; i++)
            env->calls->thread_join(env, threads[i]);
        CHECK(all_are(at, 0));
        env->calls->unmap(env, at, FILE_BYTES);
        env->calls->close(env, file);
    }
}

/* The signal that ends a child, or 0. */
static int end_of(void (*run)(const char *path), const char *path)
{
    int state = 0;
    pid_t child = fork();

    if (child == 0) {
        maps_outlive_cuts();
        run(path);
        _exit(0);
    }
    CHECK_INT(waitpid(child, &state, 0), child);
    return WIFSIGNALED(state) ? WTERMSIG(state) : 0;
}

static void look_at_a_map_of_another_kind(const char *path)
{
    int fd = open(path, O_RDWR);
    volatile char *at = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (ftruncate(fd, 0) == 0)
        (void)at[0];
}

static void send_the_signal(const char *path)
{
    (void)path;
    kill(getpid(), SIGBUS);
}

static void look_without_the_list_of_maps(const char *path)
{
    struct env *env = env_posix();
    struct env_file *file;
    const void *at = NULL;
    struct error err;

    if (env->calls->open(env, &file, path, OPEN_WRITE, &err) != STATUS_OK ||
        env->calls->map(env, file, FILE_BYTES, &at, &err) != STATUS_OK || truncate(path, 0) != 0)
        return;
    while (open("/dev/null", O_RDONLY) >= 0) /* until no descriptor is left */
        ;
    (void)*(const volatile char *)at;
}

TEST(every_other_bus_error_ends_the_process)
{
    struct env_file *file;
    char path[512];
    const void *at = map_ones("kind", path, &file);

    CHECK_INT(end_of(send_the_signal, path), SIGBUS);
    CHECK_INT(end_of(look_at_a_map_of_another_kind, path), SIGBUS);
    CHECK_INT(end_of(look_without_the_list_of_maps, path), SIGBUS);
    env_posix()->calls->unmap(env_posix(), at, FILE_BYTES);
    env_posix()->calls->close(env_posix(), file);
}

TEST(the_list_of_maps_is_read_to_its_end)
{
    struct line line = line_of((uintptr_t)&line);

    CHECK(memcmp(line.rights, "rw-p", 4) == 0 && !line.has_file);
    CHECK(line.span[0] <= (uintptr_t)&line && (uintptr_t)&line < line.span[1]);
    line = line_of(16); /* nothing is mapped there */
    CHECK(line.span[1] == 0);
}
