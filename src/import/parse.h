/* parse: one file, from its bytes to judged bars.  Runs on any thread; shares only what it does not
 * change. */
#ifndef HARRIER_IMPORT_PARSE_H
#define HARRIER_IMPORT_PARSE_H

#include "import/layout.h"
#include "import/source.h"
#include "import/table.h"

#include <regex.h>

/* The same for all files of an import. */
struct parse_plan {
    const struct import_options *options;
    struct layout_wish wish;
    struct zone zone;
    regex_t symbol_from;
    bool has_symbol_from;
    atomic_uint_least64_t *bytes_read; /* of plain files */
};

enum status parse_plan_init(struct parse_plan *plan, const struct import_options *options,
                            atomic_uint_least64_t *bytes_read, struct error *err);
void parse_plan_deinit(struct parse_plan *plan);

/* A file and what became of it. */
struct parse_job {
    struct source_file file;
    enum import_file_state state;
    enum status status; /* of a failed file */
    char *text;         /* why it failed or was skipped */
    char *layout;       /* the sentence */
    struct table table;
    uint64_t bytes;
    bool parsed, no_memory;
};

enum { PARSE_BUFFER_BYTES = IMPORT_CHUNK_BYTES + 2 * NUMBER_SLACK_BYTES };

/* Fills in the job; `buffer` of PARSE_BUFFER_BYTES is the thread's own.  `tick` (may be NULL) is
 * called after every chunk. */
void parse_file(const struct parse_plan *plan, struct parse_job *job, char *buffer,
                void (*tick)(void *context), void *context);
void parse_job_deinit(struct parse_job *job);

#endif
