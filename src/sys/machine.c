/* What the machine gives this process: memory, room on disks, and processors. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sys/sys.h"

enum {
    SMALL_FILE_BYTES = 4096, /* of /proc and /sys, as far as they are read */
    PROCESSORS_MAX = 1 << 16,
    PATH_BYTES_MAX = 4096,
};

void *memory_reserve(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void memory_release(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, bytes);
}

uint64_t disk_free_bytes(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_BYTES_MAX];
    struct rlimit most = {.rlim_cur = RLIM_INFINITY};
    struct statvfs disk;
    struct stat file;

    if (stat(path, &file) == 0 && !S_ISREG(file.st_mode))
        return UINT64_MAX;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    if (statvfs(path, &disk) != 0 && statvfs(folder, &disk) != 0)
        return UINT64_MAX;
    getrlimit(RLIMIT_FSIZE, &most);
    return MIN((uint64_t)disk.f_bavail * disk.f_frsize, (uint64_t)most.rlim_cur);
}

static int processors_by_affinity(void)
{
    for (int processors = 1024; processors <= PROCESSORS_MAX; processors *= 2) {
        size_t bytes = CPU_ALLOC_SIZE(processors);
        cpu_set_t *set = mem_zero(1, bytes);
        int count = 0;

        if (!set)
            return 1;
        if (sched_getaffinity(0, bytes, set) == 0)
            count = CPU_COUNT_S(bytes, set);
        mem_free(set);
        if (count > 0)
            return count;
    }
    return 1;
}

static bool read_small(const char *path, char text[SMALL_FILE_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, SMALL_FILE_BYTES - 1);

    if (fd >= 0)
        close(fd);
    if (length < 0)
        return false;
    text[length] = '\0';
    return true;
}

/* Quota and period in µs → processors, rounded up; PROCESSORS_MAX where there is no limit. */
static int processors_of_quota(long long quota, long long period)
{
    if (quota <= 0 || period <= 0 || quota / period >= PROCESSORS_MAX)
        return PROCESSORS_MAX;
    return (int)((quota + period - 1) / period);
}

/* cpu.max of version 2: "200000 100000" or "max 100000". */
static int quota_of_v2(const char *directory)
{
    char path[PATH_BYTES_MAX + 32], text[SMALL_FILE_BYTES];
    long long quota, period;

    snprintf(path, sizeof path, "%s/cpu.max", directory);
    if (!read_small(path, text) || sscanf(text, "%lld %lld", &quota, &period) != 2)
        return PROCESSORS_MAX;
    return processors_of_quota(quota, period);
}

static int quota_of_v1(const char *directory)
{
    char path[PATH_BYTES_MAX + 32], text[SMALL_FILE_BYTES];
    long long quota;

    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", directory);
    if (!read_small(path, text) || sscanf(text, "%lld", &quota) != 1)
        return PROCESSORS_MAX;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", directory);
    return read_small(path, text) ? processors_of_quota(quota, atoll(text)) : PROCESSORS_MAX;
}

/* The least of a group and of those above it, up to the mount itself; a container that sees only
 * its own part of the tree finds its limit there. */
static int least_quota(const char *mount, const char *group, int (*quota_of)(const char *directory))
{
    char directory[PATH_BYTES_MAX];
    size_t mount_length = strlen(mount);
    int least = PROCESSORS_MAX;

    if (snprintf(directory, sizeof directory, "%s%s", mount, group) >= (int)sizeof directory)
        return PROCESSORS_MAX;
    while (true) {
        int here = quota_of(directory);
        char *slash = strrchr(directory + mount_length, '/');

        least = MIN(least, here);
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* Does `list`, "cpu,cpuacct", name `cpu`? */
static bool names_cpu(const char *list)
{
    size_t length;

    for (; *list; list += length + (list[length] == ',')) {
        length = strcspn(list, ",");
        if (length == 3 && memcmp(list, "cpu", 3) == 0)
            return true;
    }
    return false;
}

/* `text` is /proc/self/cgroup: lines of "number:controllers:path", no controllers in version 2. */
static int processors_by_cgroup(char *text, const char *mount)
{
    int least = PROCESSORS_MAX;
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *controllers = strchr(line, ':'),
             *group = controllers ? strchr(controllers + 1, ':') : NULL;
        char path[PATH_BYTES_MAX];

        if (!group)
            continue;
        *group++ = '\0';
        controllers++;
        if (*controllers == '\0') {
            least = MIN(least, least_quota(mount, group, quota_of_v2));
        } else if (names_cpu(controllers)) {
            snprintf(path, sizeof path, "%s/%s", mount, controllers);
            least = MIN(least, least_quota(path, group, quota_of_v1));
        }
    }
    return least;
}

int processors_usable(void)
{
    char text[SMALL_FILE_BYTES];
    int processors = processors_by_affinity();

    if (read_small("/proc/self/cgroup", text)) {
        int quota = processors_by_cgroup(text, "/sys/fs/cgroup");

        processors = MIN(processors, quota);
    }
    return MAX(processors, 1);
}
