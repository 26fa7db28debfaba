/* report: what an import tells its user, gathered file by file. */
#ifndef HARRIER_IMPORT_REPORT_H
#define HARRIER_IMPORT_REPORT_H

#include "import/parse.h"

struct report_builder {
    struct import_report *report;
    size_t file_capacity, layout_capacity, reject_capacity, rejects_shown;
    size_t last_layout;
};

/* Takes over the job's name and text.  False where there is no memory. */
bool report_add(struct report_builder *builder, struct parse_job *job);

#endif
