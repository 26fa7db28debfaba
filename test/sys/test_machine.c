/* Memory and processors. */
#include <sys/stat.h>

#include "test.h"

#include "sys/machine.c"

static void put(const char *directory, const char *name, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "w");
    CHECK(file != NULL);
    fputs(text, file);
    fclose(file);
}

static void make(const char *directory, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    mkdir(path, 0777);
}

static int limit_of(const char *cgroup, const char *mount)
{
    char text[256];

    snprintf(text, sizeof text, "%s", cgroup);
    return processors_by_cgroup(text, mount);
}

TEST(the_least_quota_of_a_group_and_those_above_counts)
{
    const char *root = test_directory();

    make(root, "a");
    make(root, "a/b");
    put(root, "a/cpu.max", "150000 100000\n");
    put(root, "a/b/cpu.max", "max 100000\n");
    CHECK_INT(limit_of("0::/a/b\n", root), 2);
    CHECK_INT(limit_of("0::/a\n", root), 2);
    CHECK_INT(limit_of("0::/\n", root), PROCESSORS_MAX);
    put(root, "a/b/cpu.max", "50000 100000\n");
    CHECK_INT(limit_of("0::/a/b\n", root), 1);
    CHECK_INT(limit_of("0::/elsewhere/a\n", root), PROCESSORS_MAX);
    put(root, "cpu.max", "400000 100000\n");
    CHECK_INT(limit_of("0::/elsewhere/a\n", root), 4);
}

TEST(version_1_of_cgroups_counts_too)
{
    const char *root = test_directory();

    make(root, "cpu,cpuacct");
    make(root, "cpu,cpuacct/job");
    put(root, "cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
    put(root, "cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
    put(root, "cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    put(root, "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    CHECK_INT(limit_of("5:memory:/job\n4:cpu,cpuacct:/job\n", root), 3);
    CHECK_INT(limit_of("4:cpu,cpuacct:/\n", root), PROCESSORS_MAX);
    CHECK_INT(limit_of("4:cpuset:/job\nnonsense\n", root), PROCESSORS_MAX);
}

TEST(this_machine_has_a_processor)
{
    int usable = processors_usable();

    CHECK(usable >= 1 && usable <= sysconf(_SC_NPROCESSORS_CONF));
}

TEST(reserved_memory_costs_nothing_until_it_is_touched)
{
    size_t bytes = (size_t)1 << 36;
    unsigned char *memory = memory_reserve(bytes);

    CHECK(memory != NULL);
    CHECK_INT(memory[0] | memory[bytes - 1], 0);
    memory[bytes / 2] = 1;
    CHECK_INT(memory[bytes / 2], 1);
    memory_release(memory, bytes);
    memory_release(NULL, bytes);
    CHECK(!memory_reserve(SIZE_MAX / 2));
}
