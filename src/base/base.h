/* base: what every other folder stands on.  It makes no system call but for memory, keeps no global
 * state and knows nothing of markets. */
#ifndef HARRIER_BASE_H
#define HARRIER_BASE_H

#include "base/status.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/histogram.h"

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
