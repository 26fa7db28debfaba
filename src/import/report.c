/* report: sums and the first rejects of each reason. */
#include "import/report.h"

#include <string.h>

static void add_counts(struct import_counts *to, const struct import_counts *from)
{
    to->rows += from->rows;
    to->blank += from->blank;
    to->left_out += from->left_out;
    to->dropped += from->dropped;
    to->doubled += from->doubled;
    to->added += from->added;
    to->same += from->same;
    to->replaced += from->replaced;
    for (int reason = 0; reason < IMPORT_REASON_COUNT; reason++)
        to->rejected[reason] += from->rejected[reason];
    to->rejected_all += from->rejected_all;
}

/* Files of one import are mostly alike, so the layout of the file before is looked at first. */
static size_t find_layout(const struct report_builder *builder, const char *text)
{
    const struct import_report *report = builder->report;

    if (builder->last_layout < report->layout_count &&
        strcmp(report->layouts[builder->last_layout].text, text) == 0)
        return builder->last_layout;
    for (size_t i = 0; i < report->layout_count; i++)
        if (strcmp(report->layouts[i].text, text) == 0)
            return i;
    return SIZE_MAX;
}

static bool add_layout(struct report_builder *builder, struct parse_job *job,
                       struct import_file *file)
{
    struct import_report *report = builder->report;

    file->layout = SIZE_MAX;
    if (!job->layout)
        return true;
    file->layout = find_layout(builder, job->layout);
    if (file->layout == SIZE_MAX) {
        if (mem_grow((void **)&report->layouts, &builder->layout_capacity, report->layout_count + 1,
                     sizeof *report->layouts) != 0)
            return false;
        file->layout = report->layout_count++;
        report->layouts[file->layout] = (struct import_layout){job->layout, 0,
                                                               report->file_count - 1};
        job->layout = NULL;
    }
    report->layouts[file->layout].files++;
    builder->last_layout = file->layout;
    return true;
}

static bool add_rejects(struct report_builder *builder, struct parse_job *job, const char *name)
{
    struct import_report *report = builder->report;
    size_t shown[IMPORT_REASON_COUNT] = {0};

    table_sort_rejects(&job->table); /* storing has added those that contradict */
    for (size_t i = 0; i < report->reject_count; i++)
        shown[report->rejects[i].reason]++;
    for (size_t i = 0; i < job->table.reject_count; i++) {
        const struct import_reject *reject = &job->table.rejects[i];

        if (shown[reject->reason]++ >= builder->rejects_shown)
            continue;
        if (mem_grow((void **)&report->rejects, &builder->reject_capacity, report->reject_count + 1,
                     sizeof *report->rejects) != 0)
            return false;
        report->rejects[report->reject_count] = *reject;
        report->rejects[report->reject_count++].file = name;
    }
    return true;
}

static void count_file(struct import_report *report, const struct import_file *file)
{
    report->files_read += file->state == IMPORT_FILE_READ;
    report->files_empty += file->state == IMPORT_FILE_EMPTY;
    report->files_skipped += file->state == IMPORT_FILE_SKIPPED;
    report->files_failed += file->state == IMPORT_FILE_FAILED;
    report->bytes += file->bytes;
    add_counts(&report->counts, &file->counts);
}

bool report_add(struct report_builder *builder, struct parse_job *job)
{
    struct import_report *report = builder->report;
    struct import_file *file;

    if (mem_grow((void **)&report->files, &builder->file_capacity, report->file_count + 1,
                 sizeof *report->files) != 0)
        return false;
    file = &report->files[report->file_count];
    *file = (struct import_file){.name = job->file.name,
                                 .state = job->state,
                                 .symbols = job->table.series_count,
                                 .bytes = job->bytes,
                                 .counts = job->table.counts,
                                 .text = job->text};
    job->file.name = job->text = NULL;
    if (file->symbols == 1)
        memcpy(file->symbol, job->table.series[0].symbol, sizeof file->symbol);
    report->file_count++;
    count_file(report, file);
    return add_layout(builder, job, file) && add_rejects(builder, job, file->name);
}

void import_report_deinit(struct import_report *report)
{
    for (size_t i = 0; i < report->file_count; i++) {
        mem_free(report->files[i].name);
        mem_free(report->files[i].text);
    }
    for (size_t i = 0; i < report->layout_count; i++)
        mem_free(report->layouts[i].text);
    mem_free(report->files);
    mem_free(report->layouts);
    mem_free(report->rejects);
    *report = (struct import_report){0};
}
