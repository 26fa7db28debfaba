/* Runs the tests that registered themselves. */
#include "test.h"

#include <ftw.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static struct test_entry *first, **last = &first;
static char directory[] = "/tmp/harrier-test-XXXXXX";
static int directory_made;

void test_register(struct test_entry *entry)
{
    *last = entry;
    last = &entry->next;
}

void test_check_status(enum status actual, enum status expected, const char *call, const char *file,
                       int line)
{
    if (actual == expected)
        return;
    print_error("%s: got \"%s\", expected \"%s\"\n", call, status_text(actual),
                status_text(expected));
    _fail(file, line);
}

void test_check_contains(const char *text, const char *part, const char *file, int line)
{
    if (strstr(text, part))
        return;
    print_error("\"%s\" does not contain \"%s\"\n", text, part);
    _fail(file, line);
}

void test_check_near(double actual, double expected, double relative, const char *what,
                     const char *file, int line)
{
    double scale = fmax(1e-300, fmax(fabs(actual), fabs(expected)));

    if (actual == expected || (isnan(actual) && isnan(expected)) ||
        fabs(actual - expected) <= relative * scale)
        return;
    print_error("%s is %.17g, expected %.17g within %g\n", what, actual, expected, relative);
    _fail(file, line);
}

void test_check_bits(const double *a, const double *b, size_t count, const char *what,
                     const char *file, int line)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&a[i], &b[i], sizeof a[i]) && !(isnan(a[i]) && isnan(b[i]))) {
            print_error("%s: %zu: %.17g (%a) and %.17g (%a) differ\n", what, i, a[i], a[i], b[i],
                        b[i]);
            _fail(file, line);
        }
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

static void remove_directory(void)
{
    if (directory_made)
        nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_directory(void)
{
    if (!directory_made) {
        if (!mkdtemp(directory))
            abort();
        directory_made = 1;
        atexit(remove_directory);
    }
    return directory;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    struct CMUnitTest *tests;

    for (struct test_entry *e = first; e; e = e->next)
        count++;
    tests = calloc(count ? count : 1, sizeof *tests);
    count = 0;
    for (struct test_entry *e = first; e; e = e->next)
        if (argc < 2 || strstr(e->name, argv[1]))
            tests[count++] = (struct CMUnitTest){.name = e->name, .test_func = e->run};
    return _cmocka_run_group_tests(argv[0], tests, count, NULL, NULL) != 0;
}
