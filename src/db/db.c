/* SQLite behind db.h.  It never changes what a caller stores. */
#include "db/db.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct db {
    sqlite3 *handle;
    char path[1024];
};

struct db_query {
    sqlite3_stmt *statement;
    struct db *db;
};

static enum status db_fail(struct db *db, int code, struct error *err)
{
    enum status status = STATUS_SYSTEM;

    if (code == SQLITE_IOERR && db->handle)
        code = sqlite3_extended_errcode(db->handle);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        status = STATUS_BUSY;
        break;
    case SQLITE_FULL:
        status = STATUS_FULL;
        break;
    case SQLITE_NOMEM:
        status = STATUS_MEMORY;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        status = STATUS_CORRUPT;
        break;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_NOMEM)
            status = STATUS_MEMORY;
        else if (code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ)
            status = STATUS_CORRUPT; /* a directory in its place, a file that ends too soon */
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        status = STATUS_REFUSED;
        break;
    case SQLITE_CANTOPEN:
        status = STATUS_MISSING;
        break;
    default:
        break;
    }
    return fail(err, status, "%s: %s", db->path,
                db->handle ? sqlite3_errmsg(db->handle) : "no memory");
}

/* A name of a file as SQLite's URIs want it. */
static void uri_of(const char *path, char *uri, size_t bytes)
{
    size_t at = (size_t)snprintf(uri, bytes, "file:");

    for (; *path && at + 16 < bytes; path++)
        at += (size_t)snprintf(uri + at, bytes - at, strchr("%?#", *path) ? "%%%02X" : "%c",
                               (unsigned char)*path);
    snprintf(uri + at, bytes - at, "?immutable=1");
}

/* Reading needs a file beside the write-ahead log, which cannot be made where the directory is
 * read-only; nobody writes there then, so the database is read as it lies. */
static int open_to_read(struct db *db, const char *path)
{
    char uri[3 * 4096 + 64];
    int code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_exec(db->handle, "PRAGMA schema_version", NULL, NULL, NULL);
    if ((code & 0xff) != SQLITE_CANTOPEN && (code & 0xff) != SQLITE_READONLY)
        return code;
    sqlite3_close_v2(db->handle);
    uri_of(path, uri, sizeof uri);
    code = sqlite3_open_v2(uri, &db->handle,
                           SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    return code == SQLITE_OK ? sqlite3_exec(db->handle, "PRAGMA schema_version", NULL, NULL, NULL)
                             : code;
}

static int open_to_write(struct db *db, const char *path)
{
    return sqlite3_open_v2(path, &db->handle,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
}

enum status db_open(struct db **opened, const char *path, enum db_mode mode, struct error *err)
{
    struct db *db = mem_zero(1, sizeof *db);
    enum status status = STATUS_OK;
    int code;

    if (!db)
        return fail(err, STATUS_MEMORY, "no memory to open %s", path);
    snprintf(db->path, sizeof db->path, "%s", path);
    code = mode == DB_READ ? open_to_read(db, path) : open_to_write(db, path);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
        if (mode == DB_WRITE)
            status = db_run(
                db,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
                err);
    } else {
        status = db_fail(db, code, err);
    }
    if (status != STATUS_OK) {
        db_close(db);
        return status;
    }
    *opened = db;
    return STATUS_OK;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    sqlite3_close_v2(db->handle);
    mem_free(db);
}

enum status db_run(struct db *db, const char *sql, struct error *err)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? STATUS_OK : db_fail(db, code, err);
}

static enum status check_integrity(struct db *db, struct error *err)
{
    struct db_query *query = NULL;
    enum status status = STATUS_OK;
    enum db_step step;

    TRY(db_prepare(&query, db, "PRAGMA integrity_check(1)", err));
    step = db_step(query, err);
    if (step == DB_FAILED)
        status = err->status;
    else if (step != DB_ROW || strcmp(db_text(query, 0), "ok") != 0)
        status = fail(err, STATUS_CORRUPT, "%s: %s", db->path,
                      step == DB_ROW ? db_text(query, 0) : "it cannot be checked");
    db_finish(query);
    return status;
}

/* All pages in one step: a reader's view of the write-ahead log keeps no writer waiting. */
static enum status copy_pages(struct db *from, struct db *to, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->handle, "main", from->handle, "main");
    int code, finished;

    if (!backup)
        return db_fail(to, sqlite3_errcode(to->handle), err);
    code = sqlite3_backup_step(backup, -1);
    finished = sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE && finished == SQLITE_OK)
        return STATUS_OK;
    return db_fail(to, finished != SQLITE_OK ? finished : code, err);
}

enum status db_copy(struct db *db, const char *path, struct error *err)
{
    struct db *copy;
    enum status status;

    TRY(db_open(&copy, path, DB_WRITE, err));
    status = copy_pages(db, copy, err);
    if (status == STATUS_OK)
        status = check_integrity(copy, err);
    db_close(copy);
    return status;
}

enum status db_version(struct db *db, int *version, struct error *err)
{
    struct db_query *query = NULL;
    enum db_step step;

    TRY(db_prepare(&query, db, "PRAGMA user_version", err));
    ASSERT(query);
    step = db_step(query, err);
    *version = step == DB_ROW ? (int)db_int(query, 0) : 0;
    db_finish(query);
    return step == DB_FAILED ? err->status : STATUS_OK;
}

enum status db_newer(struct db *db, int version, int known, struct error *err)
{
    return fail(err, STATUS_NEWER,
                "%s: written by a newer harrier (schema %d; this one knows %d): update harrier",
                db->path, version, known);
}

/* Within a transaction: another process may have been faster. */
static enum status take_step(struct db *db, const char *step, int version, struct error *err)
{
    char stamp[64];
    int now;

    TRY(db_version(db, &now, err));
    if (now >= version)
        return db_run(db, "ROLLBACK", err);
    snprintf(stamp, sizeof stamp, "PRAGMA user_version = %d", version);
    TRY(db_run(db, step, err));
    TRY(db_run(db, stamp, err));
    return db_run(db, "COMMIT", err);
}

enum status db_migrate(struct db *db, const char *const *steps, int count, struct error *err)
{
    int version;

    TRY(db_version(db, &version, err));
    if (version > count)
        return db_newer(db, version, count, err);
    for (; version < count; version++) {
        struct error ignored;
        enum status status;

        TRY(db_run(db, "BEGIN IMMEDIATE", err));
        status = take_step(db, steps[version], version + 1, err);
        if (status != STATUS_OK) {
            (void)db_run(db, "ROLLBACK", &ignored);
            return status;
        }
    }
    return STATUS_OK;
}

enum status db_prepare(struct db_query **prepared, struct db *db, const char *sql,
                       struct error *err)
{
    struct db_query *query = mem_zero(1, sizeof *query);
    int code;

    if (!query)
        return fail(err, STATUS_MEMORY, "no memory for a query");
    query->db = db;
    code = sqlite3_prepare_v2(db->handle, sql, -1, &query->statement, NULL);
    if (code != SQLITE_OK) {
        mem_free(query);
        return db_fail(db, code, err);
    }
    *prepared = query;
    return STATUS_OK;
}

void db_bind_int(struct db_query *query, int index, int64_t value)
{
    sqlite3_bind_int64(query->statement, index, value);
}

void db_bind_double(struct db_query *query, int index, double value)
{
    if (isfinite(value))
        sqlite3_bind_double(query->statement, index, value);
    else
        sqlite3_bind_null(query->statement, index);
}

void db_bind_text(struct db_query *query, int index, const char *ended)
{
    sqlite3_bind_text(query->statement, index, ended, -1, SQLITE_TRANSIENT);
}

void db_bind_blob(struct db_query *query, int index, const void *bytes, size_t length)
{
    sqlite3_bind_blob64(query->statement, index, bytes, length, SQLITE_STATIC);
}

enum db_step db_step(struct db_query *query, struct error *err)
{
    int code = sqlite3_step(query->statement);

    if (code == SQLITE_ROW)
        return DB_ROW;
    if (code == SQLITE_DONE)
        return DB_DONE;
    (void)db_fail(query->db, code, err);
    return DB_FAILED;
}

void db_reset(struct db_query *query)
{
    sqlite3_reset(query->statement);
}

void db_finish(struct db_query *query)
{
    if (!query)
        return;
    sqlite3_finalize(query->statement);
    mem_free(query);
}

int64_t db_int(struct db_query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double db_double(struct db_query *query, int column)
{
    return db_is_null(query, column) ? (double)NAN
                                     : sqlite3_column_double(query->statement, column);
}

const char *db_text(struct db_query *query, int column)
{
    const char *text = (const char *)sqlite3_column_text(query->statement, column);

    return text ? text : "";
}

const void *db_blob(struct db_query *query, int column, size_t *length)
{
    const void *bytes = sqlite3_column_blob(query->statement, column);

    *length = (size_t)sqlite3_column_bytes(query->statement, column);
    return bytes;
}

bool db_is_null(struct db_query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

int64_t db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes(db->handle);
}
