/* Checking one file to its last byte, and what repair needs to save it. */
#ifndef HARRIER_STORE_VERIFY_H
#define HARRIER_STORE_VERIFY_H

#include "store/journal.h"

/* Everything that `row` says of its file, everything the file's header says of itself, and every
 * bar. CORRUPT or MISSING with a sentence; anything else could not be checked. */
enum status file_verify(const struct place *place, const struct journal *journal,
                        const struct row *row, struct error *err);

enum status report_problem(struct verify_report *report, const char *symbol, const char *text,
                           struct error *err);

/* Repairs what file_verify finds, and a journal that cannot be read; adds what it did to the
 * report. */
enum status market_repair(struct env *env, const char *data_dir, const struct market_name *market,
                          struct verify_report *report, struct error *err);

#endif
