/* Who writes a market holds its lock file, with a name in it for those who wait. */
#ifndef HARRIER_STORE_LOCK_H
#define HARRIER_STORE_LOCK_H

#include "store/column.h"

enum { LOCK_WAIT_MS = 5000 };

/* Makes the market's directory where it is not.  Waits up to LOCK_WAIT_MS, then STATUS_BUSY. */
enum status lock_take(struct env_file **lock, const struct place *place, const char *who,
                      struct error *err);
void lock_give_back(struct env_file *lock, struct env *env);

#endif
