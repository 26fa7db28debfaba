/* A few threads that sync files: a sync waits for the disk, not for a processor, and a file system
 * commits several at once. */
#ifndef HARRIER_STORE_CREW_H
#define HARRIER_STORE_CREW_H

#include "store/format.h"

enum { CREW_THREADS_MAX = 16, CREW_FILES = 4 };

struct crew_job {
    struct crew *crew;
    void *thread; /* NULL: none runs */
    size_t count;
    struct row rows[CREW_FILES];
    enum status status;
    struct error err;
};

struct crew {
    struct env *env;
    enum status (*work)(void *context, const struct row *row, struct error *err); /* of one file */
    void *context;
    struct crew_job *jobs; /* CREW_THREADS_MAX of them, in turn */
    size_t current;
    enum status status; /* the first failure */
    struct error err;
};

enum status crew_init(struct crew *crew, struct env *env,
                      enum status (*work)(void *context, const struct row *row, struct error *err),
                      void *context, struct error *err);

/* The work is done at any time until crew_finish. */
void crew_add(struct crew *crew, const struct row *row);

/* Waits for all; the first failure of any.  The crew is then as new. */
enum status crew_finish(struct crew *crew, struct error *err);
void crew_deinit(struct crew *crew); /* waits */

#endif
