/* The sentence that there is no such market. */
#ifndef HARRIER_STORE_MARKET_H
#define HARRIER_STORE_MARKET_H

#include "store/store.h"

/* STATUS_MISSING, with a list of those there are. */
enum status market_missing(struct env *env, const char *data_dir, const struct market_name *market,
                           struct error *err);

#endif
