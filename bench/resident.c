/* resident: the most memory that a program had, MiB:
 *
 *     resident PROGRAM [ARGUMENT...]
 *
 * A process of its own, because the kernel counts what the parent had at the fork to the child, and
 * a Python has more than `harrier --help`. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    pid_t child = argc > 1 ? fork() : -1;

    if (child == 0) {
        if (freopen("/dev/null", "w", stdout))
            execv(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) {
        fprintf(stderr, "resident: it did not end well\n");
        return 1;
    }
    printf("resident %.3f MiB\n", (double)usage.ru_maxrss / 1024);
    return 0;
}
