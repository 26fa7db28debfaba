/* SQLite with a memory and a disk that fail at the n-th call, for tests.  Both are switched on by
 * failing_init, before anything is opened; SQLite keeps them for the process, hence the globals. */
#ifndef HARRIER_TEST_DB_FAILING_H
#define HARRIER_TEST_DB_FAILING_H

#include <sqlite3.h>

#include "test.h"

static struct failing {
    long calls, at;  /* fails from call `at` on (1: the next); 0: never */
    bool persistent; /* or that one alone */
} failing_memory, failing_disk;
static int failing_code = SQLITE_FULL;

static bool fails_now(struct failing *f)
{
    f->calls++;
    return f->at && (f->calls == f->at || (f->persistent && f->calls > f->at));
}

static void fail_at(struct failing *f, long at, bool persistent)
{
    *f = (struct failing){.at = at, .persistent = persistent};
}

static sqlite3_mem_methods plain_memory, test_memory;

static void *memory_malloc(int bytes)
{
    return fails_now(&failing_memory) ? NULL : plain_memory.xMalloc(bytes);
}

static void *memory_realloc(void *block, int bytes)
{
    return fails_now(&failing_memory) ? NULL : plain_memory.xRealloc(block, bytes);
}

static const sqlite3_io_methods *plain_io;
static sqlite3_io_methods test_io[2]; /* files that are locked, and those beside them */
static sqlite3_vfs *plain_vfs, test_vfs;

static int disk_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
    return fails_now(&failing_disk) ? failing_code : plain_io->xWrite(file, bytes, length, at);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    return fails_now(&failing_disk) ? SQLITE_IOERR_FSYNC : plain_io->xSync(file, flags);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
    return fails_now(&failing_disk) ? SQLITE_IOERR_TRUNCATE : plain_io->xTruncate(file, bytes);
}

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *got)
{
    (void)vfs;
    int code = plain_vfs->xOpen(plain_vfs, path, file, flags, got);
    if (code == SQLITE_OK && file->pMethods) {
        sqlite3_io_methods *io = &test_io[!(flags & SQLITE_OPEN_MAIN_DB)];

        plain_io = file->pMethods;
        *io = *plain_io;
        io->xWrite = disk_write;
        io->xSync = disk_sync;
        io->xTruncate = disk_truncate;
        file->pMethods = io;
    }
    return code;
}

static void failing_init(void)
{
    if (plain_vfs)
        return;
    CHECK_INT(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain_memory), SQLITE_OK);
    test_memory = plain_memory;
    test_memory.xMalloc = memory_malloc;
    test_memory.xRealloc = memory_realloc;
    CHECK_INT(sqlite3_config(SQLITE_CONFIG_MALLOC, &test_memory), SQLITE_OK);
    plain_vfs = sqlite3_vfs_find(NULL);
    test_vfs = *plain_vfs;
    test_vfs.zName = "failing";
    test_vfs.xOpen = disk_open;
    CHECK_INT(sqlite3_vfs_register(&test_vfs, 1), SQLITE_OK);
}

#endif
