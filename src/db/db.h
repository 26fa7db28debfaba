/* db: one small SQL interface over SQLite.  Nothing else includes sqlite3.h.
 *
 *     struct db_query *query;
 *     TRY(db_prepare(&query, db, "SELECT id FROM runs WHERE key = ?1", err));
 *     db_bind_text(query, 1, key);
 *     while (db_step(query, err) == DB_ROW) …
 *     db_finish(query);
 *
 * A database belongs to one thread at a time.  SQLite reaches its files by itself and not through
 * struct env: simulated disks do not hold them. */
#ifndef HARRIER_DB_H
#define HARRIER_DB_H

#include "base/base.h"

struct db;
struct db_query;

enum db_mode { DB_READ, DB_WRITE /* made where it is not */ };

enum db_step { DB_ROW, DB_DONE, DB_FAILED };

/* Waits up to DB_BUSY_MS for another process's transaction.  DB_WRITE: write-ahead log, a commit is
 * durable when it returns.  DB_READ of a missing file is STATUS_MISSING. */
enum { DB_BUSY_MS = 5000 };
enum status db_open(struct db **db, const char *path, enum db_mode mode, struct error *err);
void db_close(struct db *db);

/* Copies the database, as it is at one moment and whoever writes meanwhile, into a new file, and
 * checks the copy. */
enum status db_copy(struct db *db, const char *path, struct error *err);

/* One or more statements without results. */
enum status db_run(struct db *db, const char *sql, struct error *err);

/* Brings the schema to steps[count - 1], each step once, in one transaction each; the version is
 * kept in the database.  One of a newer harrier is STATUS_NEWER. */
enum status db_migrate(struct db *db, const char *const *steps, int count, struct error *err);
enum status db_version(struct db *db, int *version, struct error *err);
enum status db_newer(struct db *db, int version, int known,
                     struct error *err); /* the sentence of STATUS_NEWER */

enum status db_prepare(struct db_query **query, struct db *db, const char *sql, struct error *err);
void db_bind_int(struct db_query *query, int index, int64_t value);   /* indices from 1 */
void db_bind_double(struct db_query *query, int index, double value); /* NaN and infinity: NULL */
void db_bind_text(struct db_query *query, int index, const char *ended); /* NULL: NULL; copied */
void db_bind_blob(struct db_query *query, int index, const void *bytes,
                  size_t length); /* borrowed until reset */
enum db_step db_step(struct db_query *query, struct error *err);
void db_reset(struct db_query *query); /* to run it again; bindings stay */
void db_finish(struct db_query *query);

int64_t db_int(struct db_query *query, int column);      /* columns from 0 */
double db_double(struct db_query *query, int column);    /* NULL: NaN */
const char *db_text(struct db_query *query, int column); /* "" for NULL; until the next step */
const void *db_blob(struct db_query *query, int column, size_t *length);
bool db_is_null(struct db_query *query, int column);

int64_t db_last_id(struct db *db);
int64_t db_changes(struct db *db);

#endif
