/* The SQL interface: values, migrations, and what is told where a database cannot be used. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failing.h"

#include "../../src/db/db.c"

static struct db *db;
static struct error err;

static const char *fresh_path(void)
{
    static char path[256];
    static int number;

    failing_init();
    snprintf(path, sizeof path, "%s/%d.db", test_directory(), number++);
    return path;
}

static void write_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL);
    CHECK_INT(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static int version_now(void)
{
    int version;

    CHECK_OK(db_version(db, &version, &err));
    return version;
}

static int64_t number_of(const char *sql)
{
    struct db_query *query = NULL;

    CHECK_OK(db_prepare(&query, db, sql, &err));
    CHECK_INT(db_step(query, &err), DB_ROW);
    int64_t number = db_int(query, 0);
    db_finish(query);
    return number;
}

TEST(values_come_back_to_the_bit)
{
    static const double numbers[] = {0.1, -0.0, 1e308, 5e-324, 123456789.123456789};
    struct db_query *query = NULL;
    size_t length;

    CHECK_OK(db_open(&db, fresh_path(), DB_WRITE, &err));
    CHECK_OK(db_run(db, "CREATE TABLE t (a, b, c, d)", &err));
    CHECK_OK(db_prepare(&query, db, "INSERT INTO t VALUES (?1, ?2, ?3, ?4)", &err));
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        db_bind_int(query, 1, INT64_MIN + (int64_t)i);
        db_bind_double(query, 2, numbers[i]);
        db_bind_text(query, 3, "naïve 'text'");
        db_bind_blob(query, 4, "\0\1\2", 3);
        CHECK_INT(db_step(query, &err), DB_DONE);
        db_reset(query);
    }
    db_finish(query);
    CHECK_OK(db_prepare(&query, db, "SELECT a, b, c, d FROM t ORDER BY a", &err));
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        double number;

        CHECK_INT(db_step(query, &err), DB_ROW);
        CHECK(db_int(query, 0) == INT64_MIN + (int64_t)i);
        number = db_double(query, 1);
        CHECK(number == numbers[i]);
        CHECK_TEXT(db_text(query, 2), "naïve 'text'");
        CHECK(!memcmp(db_blob(query, 3, &length), "\0\1\2", 3));
        CHECK_INT(length, 3);
    }
    CHECK_INT(db_step(query, &err), DB_DONE);
    db_finish(query);
    db_close(db);
}

TEST(what_is_not_a_number_is_null_and_comes_back_as_nan)
{
    struct db_query *query = NULL;

    CHECK_OK(db_open(&db, fresh_path(), DB_WRITE, &err));
    CHECK_OK(db_prepare(&query, db, "SELECT ?1, ?2, ?3", &err));
    db_bind_double(query, 1, (double)INFINITY);
    db_bind_text(query, 2, NULL);
    CHECK_INT(db_step(query, &err), DB_ROW);
    for (int c = 0; c < 3; c++)
        CHECK(db_is_null(query, c) && isnan(db_double(query, c)));
    CHECK_TEXT(db_text(query, 1), "");
    db_finish(query);
    db_close(db);
}

TEST(wrong_sql_is_a_sentence_with_the_path)
{
    struct db_query *query = NULL;
    const char *path = fresh_path();

    CHECK_OK(db_open(&db, path, DB_WRITE, &err));
    CHECK_STATUS(db_prepare(&query, db, "SELECT 1 FROM nowhere", &err), STATUS_SYSTEM);
    CHECK_CONTAINS(err.text, path);
    CHECK_CONTAINS(err.text, "nowhere");
    db_close(db);
}

/* ---- migrations ------------------------------------------------------------------------------ */

static const char *const steps[] = {"CREATE TABLE a (x); INSERT INTO a VALUES (7)",
                                    "ALTER TABLE a ADD COLUMN y DEFAULT 8"};

TEST(each_step_of_a_schema_is_taken_once)
{
    const char *path = fresh_path();

    CHECK_OK(db_open(&db, path, DB_WRITE, &err));
    CHECK_INT(version_now(), 0);
    CHECK_OK(db_migrate(db, steps, 1, &err));
    CHECK_INT(version_now(), 1);
    db_close(db);
    CHECK_OK(db_open(&db, path, DB_WRITE, &err));
    CHECK_OK(db_migrate(db, steps, 2, &err));
    CHECK_OK(db_migrate(db, steps, 2, &err));
    CHECK_INT(version_now(), 2);
    CHECK_INT(number_of("SELECT count(*) FROM a WHERE x = 7 AND y = 8"), 1);
    db_close(db);
}

TEST(a_step_that_fails_leaves_the_schema_before_it)
{
    static const char *const wrong[] = {"CREATE TABLE a (x)", "CREATE TABLE b (x); nonsense"};

    CHECK_OK(db_open(&db, fresh_path(), DB_WRITE, &err));
    CHECK_STATUS(db_migrate(db, wrong, 2, &err), STATUS_SYSTEM);
    CHECK_CONTAINS(err.text, "nonsense");
    CHECK_INT(version_now(), 1);
    CHECK_INT(number_of("SELECT count(*) FROM sqlite_master WHERE name = 'b'"), 0);
    db_close(db);
}

TEST(a_schema_of_a_newer_harrier_is_told_so)
{
    CHECK_OK(db_open(&db, fresh_path(), DB_WRITE, &err));
    CHECK_OK(db_run(db, "PRAGMA user_version = 9", &err));
    CHECK_STATUS(db_migrate(db, steps, 2, &err), STATUS_NEWER);
    CHECK_CONTAINS(err.text, "newer harrier (schema 9; this one knows 2)");
    db_close(db);
}

/* ---- what cannot be used --------------------------------------------------------------------- */

TEST(a_file_that_is_not_there_is_missing_to_readers)
{
    CHECK_STATUS(db_open(&db, fresh_path(), DB_READ, &err), STATUS_MISSING);
}

TEST(a_file_that_is_no_database_is_corrupt)
{
    const char *path = fresh_path();
    char text[4096];

    memset(text, 'x', sizeof text);
    write_file(path, text, sizeof text);
    CHECK_STATUS(db_open(&db, path, DB_READ, &err), STATUS_CORRUPT);
    CHECK_STATUS(db_open(&db, path, DB_WRITE, &err), STATUS_CORRUPT);
    CHECK_CONTAINS(err.text, path);
}

TEST(a_disk_that_is_full_or_fails_is_not_called_corrupt)
{
    CHECK_OK(db_open(&db, fresh_path(), DB_WRITE, &err));
    CHECK_OK(db_run(db, "CREATE TABLE t (a)", &err));
    fail_at(&failing_disk, 1, true);
    CHECK_STATUS(db_run(db, "INSERT INTO t VALUES (1)", &err), STATUS_FULL);
    failing_code = SQLITE_IOERR_WRITE;
    fail_at(&failing_disk, 1, true);
    CHECK_STATUS(db_run(db, "INSERT INTO t VALUES (1)", &err), STATUS_SYSTEM);
    failing_code = SQLITE_FULL;
    fail_at(&failing_disk, 0, false);
    CHECK_OK(db_run(db, "INSERT INTO t VALUES (1)", &err));
    CHECK_INT(number_of("SELECT count(*) FROM t"), 1);
    db_close(db);
}

/* Root may write everywhere, so the work is done as nobody. */
static void as_nobody(void (*work)(const char *path), const char *path)
{
    int code;
    pid_t child = fork();

    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
            _exit(9);
        work(path);
        _exit(0);
    }
    CHECK(waitpid(child, &code, 0) == child);
    CHECK(WIFEXITED(code));
    CHECK_INT(WEXITSTATUS(code), 0);
}

static void read_but_not_write(const char *path)
{
    if (db_open(&db, path, DB_WRITE, &err) == STATUS_OK)
        _exit(db_run(db, "INSERT INTO t VALUES (2)", &err) == STATUS_REFUSED ? 0 : 1);
    if (err.status != STATUS_REFUSED)
        _exit(2);
    if (db_open(&db, path, DB_READ, &err) != STATUS_OK)
        _exit(3);
    if (number_of("SELECT a FROM t") != 1)
        _exit(4);
    db_close(db);
}

TEST(a_database_in_a_directory_that_may_not_be_written_is_read_as_it_lies)
{
    char folder[256], path[300];

    failing_init();
    snprintf(folder, sizeof folder, "%s/only 100%% read", test_directory());
    snprintf(path, sizeof path, "%s/a?b#.db", folder);
    CHECK_INT(mkdir(folder, 0755), 0);
    CHECK_OK(db_open(&db, path, DB_WRITE, &err));
    CHECK_OK(db_run(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)", &err));
    db_close(db);
    CHECK_INT(chmod(test_directory(), 0755), 0);
    CHECK_INT(chmod(path, 0444), 0);
    CHECK_INT(chmod(folder, 0555), 0);
    as_nobody(read_but_not_write, path);
    CHECK_INT(chmod(folder, 0755), 0);
}
