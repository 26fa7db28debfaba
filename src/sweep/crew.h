/* crew: a few threads that wait for rounds of work.  The caller is member 0 and works too.
 *
 * A round of a whole batch lasts 0.2 ms, and waking a sleeping thread costs a tenth of that:
 * members look out for the next round for CREW_ALERT_NS before they sleep. */
#ifndef HARRIER_SWEEP_CREW_H
#define HARRIER_SWEEP_CREW_H

#include "sys/sys.h"

enum { CREW_SIZE_MAX = 1024, CREW_ALERT_NS = 200000 };

struct crew;

/* `size` members at most: as many threads as the system gives, and the caller. */
enum status crew_new(struct crew **crew, struct env *env, int size, struct error *err);
void crew_free(struct crew *crew);
int crew_size(const struct crew *crew);

/* Calls work(context, member) once in every member, and returns when all are back. */
void crew_run(struct crew *crew, void (*work)(void *context, int member), void *context);

#endif
