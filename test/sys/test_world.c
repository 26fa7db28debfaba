/* What every world must do: the real one and the simulated one pass the same tests. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "sys/simulated.h"

#include "sys/file.c"
#include "sys/posix.c"

struct world {
    struct env *env;
    const char *root;
};

static void both(void (*check)(struct world *))
{
    struct world real = {env_posix(), test_directory()}, simulated = {.root = "/"};
    struct env_power power;

    check(&real);
    env_power_init(&power, 1);
    simulated.env = &power.env;
    check(&simulated);
    env_power_deinit(&power);
}

static const char *in(struct world *world, const char *name)
{
    static _Thread_local char paths[4][512];
    static _Thread_local int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", world->root, name);
    return path;
}

static struct env_file *opened(struct world *world, const char *name, enum open_mode mode)
{
    struct env_file *file = NULL;
    struct error err;
    enum status status = world->env->calls->open(world->env, &file, in(world, name), mode, &err);

    if (status != STATUS_OK)
        FAIL("%s", err.text);
    return file;
}

static enum status open_status(struct world *world, const char *name, enum open_mode mode)
{
    struct env_file *file;
    struct error err;
    enum status status = world->env->calls->open(world->env, &file, in(world, name), mode, &err);

    if (status == STATUS_OK)
        world->env->calls->close(world->env, file);
    else
        CHECK_CONTAINS(err.text, name);
    return status;
}

static void check_open_modes(struct world *world)
{
    CHECK_STATUS(open_status(world, "modes", OPEN_READ), STATUS_MISSING);
    CHECK_STATUS(open_status(world, "modes", OPEN_WRITE), STATUS_MISSING);
    CHECK_OK(open_status(world, "modes", OPEN_CREATE));
    CHECK_OK(open_status(world, "modes", OPEN_CREATE));
    CHECK_STATUS(open_status(world, "modes", OPEN_NEW), STATUS_SYSTEM);
    CHECK_OK(open_status(world, "modes", OPEN_WRITE));
    CHECK_STATUS(open_status(world, "no/modes", OPEN_CREATE), STATUS_MISSING);
    CHECK_STATUS(open_status(world, "modes/modes", OPEN_CREATE), STATUS_MISSING);
}

TEST(a_file_opens_as_its_mode_says)
{
    both(check_open_modes);
}

static void check_read_write(struct world *world)
{
    struct env *env = world->env;
    struct env_file *file = opened(world, "data", OPEN_NEW), *reader;
    char bytes[32] = "";
    const void *map;
    struct file_info info;
    struct error err;
    size_t got;

    CHECK_OK(env->calls->write(env, file, "hello", 5, 0, &err));
    CHECK_OK(env->calls->write(env, file, "!", 1, 9, &err));
    CHECK_OK(env->calls->sync(env, file, &err));
    reader = opened(world, "data", OPEN_READ);
    CHECK_OK(env->calls->read(env, reader, bytes, sizeof bytes, 0, &got, &err));
    CHECK_INT(got, 10);
    assert_memory_equal(bytes, "hello\0\0\0\0!", 10);
    CHECK_OK(env->calls->read(env, reader, bytes, 3, 8, &got, &err));
    CHECK_INT(got, 2);
    CHECK_OK(env->calls->read(env, reader, bytes, 3, 100, &got, &err));
    CHECK_INT(got, 0);
    CHECK(env->calls->write(env, reader, "x", 1, 0, &err) != STATUS_OK);

    CHECK_OK(env->calls->map(env, reader, 10, &map, &err));
    CHECK_OK(env->calls->write(env, file, "J", 1, 0, &err));
    assert_memory_equal(map, "Jello", 5); /* maps are shared: they show what is written after */
    env->calls->unmap(env, map, 10);
    CHECK_OK(env->calls->map(env, reader, 0, &map, &err));
    env->calls->unmap(env, map, 0);

    CHECK_OK(env->calls->truncate(env, file, 3, &err));
    CHECK_OK(env->calls->truncate(env, file, 6, &err));
    CHECK_OK(env->calls->read(env, reader, bytes, sizeof bytes, 0, &got, &err));
    CHECK_INT(got, 6);
    assert_memory_equal(bytes, "Jel\0\0\0", 6);
    CHECK_OK(env->calls->info(env, reader, &info, &err));
    CHECK(info.bytes == 6 && info.is_regular && !info.is_directory);
    CHECK(info.modified_ns > INT64_C(1700000000) * 1000000000);
    env->calls->close(env, reader);
    env->calls->close(env, file);
}

TEST(bytes_come_back_from_where_they_were_written)
{
    both(check_read_write);
}

static void check_names(struct world *world)
{
    struct env *env = world->env;
    struct error err;
    struct file_info info;
    char **names;
    size_t count;

    CHECK_OK(env->calls->make_directory(env, in(world, "names"), &err));
    CHECK_OK(env->calls->make_directory(env, in(world, "names"), &err));
    CHECK_OK(open_status(world, "names/b", OPEN_NEW));
    CHECK_OK(open_status(world, "names/a", OPEN_NEW));
    CHECK_OK(open_status(world, "names/Z", OPEN_NEW));
    CHECK_OK(env->calls->list(env, in(world, "names"), &names, &count, &err));
    CHECK_INT(count, 3);
    CHECK_TEXT(names[0], "Z");
    CHECK_TEXT(names[1], "a");
    CHECK_TEXT(names[2], "b");
    for (size_t i = 0; i < count; i++)
        mem_free(names[i]);
    mem_free(names);

    CHECK(env->calls->make_directory(env, in(world, "names/a"), &err) != STATUS_OK);
    CHECK_OK(env->calls->rename(env, in(world, "names/a"), in(world, "names/b"), &err));
    CHECK_STATUS(env->calls->path_info(env, in(world, "names/a"), &info, &err), STATUS_MISSING);
    CHECK_STATUS(env->calls->rename(env, in(world, "names/a"), in(world, "names/b"), &err),
                 STATUS_MISSING);
    CHECK_OK(env->calls->sync_directory(env, in(world, "names"), &err));
    CHECK_STATUS(env->calls->sync_directory(env, in(world, "nowhere"), &err), STATUS_MISSING);
    CHECK(env->calls->remove(env, in(world, "names"), &err) != STATUS_OK);
    CHECK_OK(env->calls->remove(env, in(world, "names/b"), &err));
    CHECK_OK(env->calls->remove(env, in(world, "names/Z"), &err));
    CHECK_STATUS(env->calls->remove(env, in(world, "names/Z"), &err), STATUS_MISSING);
    CHECK_OK(env->calls->list(env, in(world, "names"), &names, &count, &err));
    CHECK_INT(count, 0);
    mem_free(names);
    CHECK_OK(env->calls->path_info(env, in(world, "names"), &info, &err));
    CHECK(info.is_directory && !info.is_regular);
    CHECK_OK(env->calls->remove(env, in(world, "names"), &err));
    CHECK_STATUS(env->calls->list(env, in(world, "names"), &names, &count, &err), STATUS_MISSING);
}

TEST(names_are_made_listed_renamed_and_removed)
{
    both(check_names);
}

static void check_locks(struct world *world)
{
    struct env *env = world->env;
    struct env_file *first = opened(world, "lock", OPEN_CREATE),
                    *second = opened(world, "lock", OPEN_WRITE);
    struct error err;
    bool taken;

    CHECK_OK(env->calls->lock(env, first, &taken, &err));
    CHECK(taken);
    CHECK_OK(env->calls->lock(env, second, &taken, &err));
    CHECK(!taken);
    env->calls->close(env, first);
    CHECK_OK(env->calls->lock(env, second, &taken, &err));
    CHECK(taken);
    env->calls->close(env, second);
}

TEST(two_opens_of_one_process_exclude_each_other)
{
    both(check_locks);
}

static void add_one(void *context)
{
    __atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
}

static void check_clock_and_threads(struct world *world)
{
    struct env *env = world->env;
    int64_t ticks = clock_ticks_ns(env), now = clock_now_ms(env);
    unsigned char id[2][16], random[2][16];
    char name[17];
    void *threads[4];
    struct error err;
    int sum = 0;

    env->calls->sleep_ms(env, 2);
    CHECK(clock_ticks_ns(env) - ticks >= 2000000);
    CHECK(clock_now_ms(env) >= now);
    CHECK(now > INT64_C(1700000000000));
    env->calls->boot_id(env, id[0]);
    env->calls->boot_id(env, id[1]);
    assert_memory_equal(id[0], id[1], 16);
    env->calls->random_bytes(env, random[0], 16);
    env->calls->random_bytes(env, random[1], 16);
    assert_memory_not_equal(random[0], random[1], 16);
    env_random_name(env, name);
    CHECK_INT(strspn(name, "0123456789abcdef"), 16);
    for (int i = 0; i < 4; i++)
        CHECK_OK(env->calls->thread_start(env, &threads[i], add_one, &sum, &err));
    for (int i = 0; i < 4; i++)
        env->calls->thread_join(env, threads[i]);
    CHECK_INT(sum, 4);
}

TEST(clocks_go_on_and_threads_run)
{
    both(check_clock_and_threads);
}

static void check_whole_files(struct world *world)
{
    struct env *env = world->env;
    struct error err;
    char *bytes, long_path[5000];
    size_t length, count;
    char **names;

    CHECK_OK(directory_make_all(env, in(world, "x/y//z/"), &err));
    CHECK_OK(directory_make_all(env, in(world, "x/y/z"), &err));
    CHECK_OK(file_write_whole(env, in(world, "x/y/z/file"), "first", 5, &err));
    CHECK_OK(file_write_whole(env, in(world, "x/y/z/file"), "second", 6, &err));
    CHECK_OK(file_read_whole(env, in(world, "x/y/z/file"), 6, &bytes, &length, &err));
    CHECK_INT(length, 6);
    CHECK_TEXT(bytes, "second");
    mem_free(bytes);
    CHECK_OK(env->calls->list(env, in(world, "x/y/z"), &names, &count, &err));
    CHECK_INT(count, 1); /* no temporary file is left */
    mem_free(names[0]);
    mem_free(names);
    CHECK_STATUS(file_read_whole(env, in(world, "x/y/z/file"), 5, &bytes, &length, &err),
                 STATUS_LIMIT);
    CHECK(!bytes);
    CHECK_STATUS(file_read_whole(env, in(world, "x/y"), 100, &bytes, &length, &err), STATUS_USAGE);
    CHECK_CONTAINS(err.text, "is a directory");
    CHECK_STATUS(file_read_whole(env, in(world, "nothing"), 100, &bytes, &length, &err),
                 STATUS_MISSING);
    CHECK_STATUS(file_write_whole(env, in(world, "nowhere/file"), "x", 1, &err), STATUS_MISSING);
    CHECK_STATUS(directory_make_all(env, in(world, "x/y/z/file/more"), &err), STATUS_REFUSED);
    CHECK_OK(file_write_whole(env, in(world, "empty"), "", 0, &err));
    CHECK_OK(file_read_whole(env, in(world, "empty"), SIZE_MAX, &bytes, &length, &err));
    CHECK_INT(length, 0);
    mem_free(bytes);
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    CHECK_STATUS(file_write_whole(env, long_path, "x", 1, &err), STATUS_LIMIT);
    CHECK(directory_make_all(env, long_path, &err) != STATUS_OK);
    CHECK(directory_make_all(env, "", &err) != STATUS_OK);
}

TEST(whole_files_are_there_or_not_at_all)
{
    both(check_whole_files);
}

TEST(a_long_file_is_read_whole_and_a_device_is_refused)
{
    static char content[300000];
    struct world world = {env_posix(), test_directory()};
    struct error err;
    char *bytes;
    size_t length;

    memset(content, 'y', sizeof content);
    CHECK_OK(file_write_whole(world.env, in(&world, "long"), content, sizeof content, &err));
    CHECK_OK(file_read_whole(world.env, in(&world, "long"), sizeof content, &bytes, &length, &err));
    CHECK_INT(length, sizeof content);
    assert_memory_equal(bytes, content, length);
    mem_free(bytes);
    CHECK_STATUS(file_read_whole(world.env, "/dev/zero", 100, &bytes, &length, &err), STATUS_USAGE);
    CHECK_OK(file_read_whole(world.env, "/proc/self/status", 1 << 20, &bytes, &length, &err));
    CHECK(length > 100); /* the system says 0 bytes of it */
    mem_free(bytes);
}

TEST(a_pipe_is_read_on_in_order)
{
    struct env *env = env_posix();
    struct env_file *file;
    struct error err;
    int ends[2];
    char path[64], bytes[16];
    size_t got;

    CHECK_INT(pipe(ends), 0);
    CHECK_INT(write(ends[1], "abcdef", 6), 6);
    close(ends[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    CHECK_OK(env->calls->open(env, &file, path, OPEN_READ, &err));
    CHECK_OK(env->calls->read(env, file, bytes, 4, 0, &got, &err));
    CHECK_INT(got, 4);
    CHECK_OK(env->calls->read(env, file, bytes, 4, 4, &got, &err));
    CHECK_INT(got, 2);
    assert_memory_equal(bytes, "ef", 2);
    env->calls->close(env, file);
    close(ends[0]);
}

/* Each call of a workload fails once, then for good: nothing is half done, nothing is lost, nothing
 * hangs. */
static void check_faults(struct world *world)
{
    struct env_fault fault;
    struct error err, later;
    char *bytes;
    size_t length;
    long calls;

    env_fault_init(&fault, world->env);
    CHECK_OK(file_write_whole(world->env, in(world, "kept"), "before", 6, &err));
    CHECK_OK(file_write_whole(&fault.env, in(world, "kept"), "before", 6, &err));
    calls = env_fault_arm(&fault, 0, false, 0);
    CHECK_INT(calls, 6);
    for (int persistent = 0; persistent < 2; persistent++)
        for (long nth = 1; nth <= calls; nth++) {
            enum status status;

            env_fault_arm(&fault, nth, persistent, persistent ? ENOSPC : EIO);
            status = file_write_whole(&fault.env, in(world, "kept"), "after!", 6, &err);
            CHECK_STATUS(status, persistent ? STATUS_FULL : STATUS_SYSTEM);
            CHECK_CONTAINS(err.text, "injected");
            CHECK(fault.failed >= 1 && fault.last_failed);
            CHECK_OK(file_read_whole(world->env, in(world, "kept"), 6, &bytes, &length, &later));
            CHECK_TEXT(bytes, nth < calls ? "before" : "after!");
            mem_free(bytes);
            CHECK_OK(file_write_whole(world->env, in(world, "kept"), "before", 6, &later));
        }
    for (long nth = 1; nth < 20; nth++) {
        env_fault_arm(&fault, nth, false, EIO);
        if (file_read_whole(&fault.env, in(world, "kept"), 6, &bytes, &length, &err) == STATUS_OK)
            break;
        CHECK(!bytes);
    }
    CHECK_INT(fault.failed, 0);
    mem_free(bytes);
}

TEST(every_call_can_be_made_to_fail)
{
    both(check_faults);
}

TEST(every_allocation_of_a_call_can_be_made_to_fail)
{
    struct world world = {env_posix(), test_directory()};
    struct error err;
    char *bytes;
    size_t length;
    long nth;

    CHECK_OK(file_write_whole(world.env, in(&world, "memory"), "x", 1, &err));
    for (nth = 1; nth < 20; nth++) {
        enum status status;

        mem_fail_at(nth, 0);
        status = file_read_whole(world.env, in(&world, "memory"), 6, &bytes, &length, &err);
        mem_fail_at(0, 0);
        if (status == STATUS_OK)
            break;
        CHECK_STATUS(status, STATUS_MEMORY);
    }
    CHECK(nth > 1 && nth < 20);
    mem_free(bytes);
    for (nth = 1; nth < 100; nth++) {
        char **names = NULL;
        size_t count = 0;
        enum status status;

        mem_fail_at(nth, 0);
        status = world.env->calls->list(world.env, test_directory(), &names, &count, &err);
        mem_fail_at(0, 0);
        for (size_t i = 0; i < count; i++)
            mem_free(names[i]);
        mem_free(names);
        if (status == STATUS_OK)
            break;
        CHECK_STATUS(status, STATUS_MEMORY);
    }
    CHECK(nth > 1 && nth < 100);
}
