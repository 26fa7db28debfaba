/* Finds a file of the source tree, whether the test runs in the tree's root or in a build
 * directory. */
#ifndef TEST_SIM_SOURCE_H
#define TEST_SIM_SOURCE_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SOURCE_PATH_BYTES = 512 };

static const char *source_path(char path[SOURCE_PATH_BYTES], const char *file)
{
    int folder = (int)(strstr(__FILE__, "test/sim/") - __FILE__);

    snprintf(path, SOURCE_PATH_BYTES, "%s", file);
    if (access(path, R_OK) != 0)
        snprintf(path, SOURCE_PATH_BYTES, "%.*s%s", folder, __FILE__, file);
    return path;
}

#endif
