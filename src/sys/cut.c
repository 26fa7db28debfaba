/* Files that another program cuts while they are mapped.  What stands in a signal handler may use
 * no memory of the heap and no lock, and has no register of the maps: the system has one. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/sys.h"

enum { PIECE_BYTES = 4096 }; /* of the list of maps: a stack may be small */

/* A line of /proc/self/maps: "7f12a000-7f12c000 r--s 00000000 08:01 1234   /data/A.1.bars". */
struct line {
    int field;
    uintptr_t span[2]; /* begin, end */
    char rights[4];
    int right_count;
    bool has_file;
};

static void line_take(struct line *line, char c)
{
    enum { SPAN, RIGHTS, OFFSET, DEVICE, INODE };

    if (c == ' ') {
        line->field++;
    } else if (line->field == SPAN && c == '-') {
        line->span[0] = line->span[1];
        line->span[1] = 0;
    } else if (line->field == SPAN) {
        line->span[1] = line->span[1] * 16 + (uintptr_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    } else if (line->field == RIGHTS && line->right_count < (int)sizeof line->rights) {
        line->rights[line->right_count++] = c;
    } else if (line->field == INODE) {
        line->has_file |= c != '0';
    }
}

/* The line of the map that `at` lies in; all zero where there is none. */
static struct line line_of(uintptr_t at)
{
    char piece[PIECE_BYTES];
    struct line line = {0};
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    bool found = false;
    ssize_t got;

    while (fd >= 0 && !found && (got = read(fd, piece, sizeof piece)) > 0)
        for (ssize_t i = 0; i < got && !found; i++)
            if (piece[i] != '\n')
                line_take(&line, piece[i]);
            else if (line.span[0] <= at && at < line.span[1])
                found = true;
            else
                line = (struct line){0};
    if (fd >= 0)
        close(fd);
    return found ? line : (struct line){0};
}

/* Shared and read-only: so maps posix_map, and nothing else in the program.  The map of no file is
 * one that another thread has just exchanged. */
static bool exchange(uintptr_t at)
{
    struct line line = line_of(at);
    size_t bytes = line.span[1] - line.span[0];

    if (bytes > 0 && !line.has_file)
        return true;
    return memcmp(line.rights, "r--s", sizeof line.rights) == 0 &&
           /* NOLINTNEXTLINE(performance-no-int-to-ptr): read from /proc/self/maps as a number */
           mmap((void *)line.span[0], bytes, PROT_READ,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    int error_number = errno;

    (void)context;
    if (info->si_code != BUS_ADRERR || !exchange((uintptr_t)info->si_addr)) {
        signal(number, SIG_DFL);
        raise(number); /* it waits until the handler is left */
    }
    errno = error_number;
}

void maps_outlive_cuts(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

    sigaction(SIGBUS, &action, NULL);
}
