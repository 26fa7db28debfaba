/* resample: bars of a finer timeframe to bars of a coarser one. */
#include "import/import.h"

#include <stdio.h>
#include <string.h>

enum { WEEK_MS = 7 * DAY_MS };

bool resample_divides(enum timeframe from, enum timeframe to)
{
    int64_t short_ms = timeframe_ms(from), long_ms = timeframe_ms(to);

    if (short_ms == 0)
        return false; /* nothing is longer than a month */
    if (long_ms == 0)
        return DAY_MS % short_ms == 0; /* a month is made of days, and of nothing longer */
    return long_ms > short_ms && long_ms % short_ms == 0 &&
           (long_ms != WEEK_MS || DAY_MS % short_ms == 0);
}

static void fold(double *const column[BAR_COLUMNS], size_t at, const struct bars *bars, size_t i)
{
    const double *const *from = bars->column;

    column[BAR_HIGH][at] = MAX(column[BAR_HIGH][at], from[BAR_HIGH][i]);
    column[BAR_LOW][at] = MIN(column[BAR_LOW][at], from[BAR_LOW][i]);
    column[BAR_CLOSE][at] = from[BAR_CLOSE][i];
    column[BAR_VOLUME][at] += from[BAR_VOLUME][i];
}

size_t resample_bars(const struct bars *bars, enum timeframe to, int64_t *time,
                     double *const column[BAR_COLUMNS])
{
    int64_t end_ms = INT64_MIN;
    size_t count = 0;

    for (size_t i = 0; i < bars->count; i++) {
        if (bars->time[i] >= end_ms) {
            time[count] = timeframe_floor(to, bars->time[i]);
            end_ms = timeframe_next(to, time[count]);
            for (int c = 0; c < BAR_COLUMNS; c++)
                column[c][count] = bars->column[c][i];
            count++;
        } else {
            fold(column, count - 1, bars, i);
        }
    }
    return count;
}

struct resample {
    const struct resample_options *options;
    struct resample_report *report;
    struct snapshot *snapshot;
    struct writer *writer;
    int64_t market_end_ms; /* of the market's newest bar: periods that end by then are complete */
    void *memory;          /* columns of one symbol */
    size_t memory_bytes;
};

static enum status open_columns(struct resample *resample, size_t rows, int64_t **time,
                                double *column[BAR_COLUMNS], struct error *err)
{
    size_t bytes = rows * sizeof(double);

    if (bytes * (1 + BAR_COLUMNS) > resample->memory_bytes) {
        mem_free(resample->memory);
        resample->memory_bytes = 0;
        resample->memory = mem_alloc(bytes * (1 + BAR_COLUMNS));
        if (!resample->memory)
            return fail(err, STATUS_MEMORY, "no memory to resample %zu bars", rows);
        resample->memory_bytes = bytes * (1 + BAR_COLUMNS);
    }
    *time = resample->memory;
    for (int c = 0; c < BAR_COLUMNS; c++)
        column[c] = (double *)resample->memory + rows * (size_t)(1 + c);
    return STATUS_OK;
}

static void note_failed(struct resample *resample, size_t symbol, const char *text)
{
    struct resample_report *report = resample->report;

    if (report->first_failure[0] == '\0')
        snprintf(report->first_failure, sizeof report->first_failure, "%s: %.400s",
                 snapshot_symbol_name(resample->snapshot, symbol), text);
}

/* A corrupt file is its symbol's failure: the others go on. */
static enum status bars_of(struct resample *resample, size_t symbol, struct bars *bars,
                           bool *failed, struct error *err)
{
    enum status status = snapshot_bars(resample->snapshot, symbol, bars, err);

    *failed = status == STATUS_CORRUPT;
    if (!*failed)
        return status;
    note_failed(resample, symbol, err->text);
    return STATUS_OK;
}

/* So is a period whose volumes add up to more than a bar may hold. */
static bool volumes_fit(struct resample *resample, size_t symbol, const struct bars *made)
{
    char time[TIME_TEXT_BYTES];
    struct error err;

    for (size_t i = 0; i < made->count; i++)
        if (made->column[BAR_VOLUME][i] > BAR_VOLUME_MOST) {
            time_to_text(made->time[i], timeframe_is_daily_or_longer(resample->options->to), time);
            fail(&err, STATUS_LIMIT, "%s: the volumes add up to more than %g", time,
                 BAR_VOLUME_MOST);
            note_failed(resample, symbol, err.text);
            return false;
        }
    return true;
}

static void note_contradicted(struct resample *resample, const char *name, int64_t time_ms)
{
    char text[TIME_TEXT_BYTES];

    if (resample->report->first_contradicted[0] != '\0')
        return;
    time_to_text(time_ms, timeframe_is_daily_or_longer(resample->options->to), text);
    snprintf(resample->report->first_contradicted, sizeof resample->report->first_contradicted,
             "%s %s: the stored bar differs", name, text);
}

static bool same_bar(const double *const a[BAR_COLUMNS], size_t i, const struct bars *b, size_t j)
{
    for (int c = 0; c < BAR_COLUMNS; c++)
        if (a[c][i] != b->column[c][j])
            return false;
    return true;
}

/* Whether a stored bar is what the first bars of its period make: then it was made here, when the
 * others had not come yet. */
static bool is_early(const struct bars *stored, size_t at, const struct bars *from,
                     enum timeframe to)
{
    int64_t end_ms = timeframe_next(to, stored->time[at]);
    size_t first = bars_find(from, stored->time[at]);
    double value[BAR_COLUMNS], *column[BAR_COLUMNS];
    const double *made[BAR_COLUMNS];

    for (int c = 0; c < BAR_COLUMNS; c++) {
        made[c] = column[c] = &value[c];
        value[c] = first < from->count ? from->column[c][first] : 0;
    }
    for (size_t i = first; i < from->count && from->time[i] < end_ms; i++) {
        if (i > first)
            fold(column, 0, from, i);
        if (same_bar(made, 0, stored, at))
            return true;
    }
    return false;
}

/* The newest stored bar may be the last resample's, of a period that has grown since: it is
 * replaced.  Whatever else differs came from elsewhere, or its source was changed. */
static enum status replace_early(struct resample *resample, struct text name,
                                 const struct bars *from, const struct bars *made,
                                 struct error *err)
{
    enum timeframe to = resample->options->to;
    struct put_result put = {0};
    struct bars stored, grown;
    enum status status = writer_bars(resample->writer, name, &stored, err);
    size_t last, at;

    if (status == STATUS_MISSING)
        return STATUS_OK;
    TRY(status);
    last = stored.count - 1;
    at = bars_find(made, stored.time[last]);
    if (at == made->count || made->time[at] != stored.time[last] ||
        same_bar(made->column, at, &stored, last) || !is_early(&stored, last, from, to))
        return STATUS_OK;
    grown = bars_slice(made, at, at + 1);
    TRY(writer_put(resample->writer, name, &grown, true, &put, err));
    resample->report->replaced += put.replaced;
    resample->report->same -= put.replaced; /* as which the put of all counts it */
    return STATUS_OK;
}

static enum status resample_symbol(struct resample *resample, size_t symbol, struct error *err)
{
    const struct resample_options *options = resample->options;
    struct resample_report *report = resample->report;
    const char *name = snapshot_symbol_name(resample->snapshot, symbol);
    double *column[BAR_COLUMNS] = {NULL};
    struct put_result put = {0};
    struct bars bars, made = {0};
    int64_t *time = NULL;
    bool failed;

    TRY(bars_of(resample, symbol, &bars, &failed, err));
    report->symbols++;
    report->failed += failed;
    if (failed || bars.count == 0)
        return STATUS_OK;
    TRY(open_columns(resample, bars.count, &time, column, err));
    ASSERT(time != NULL);
    made.count = resample_bars(&bars, options->to, time, column);
    made.time = time;
    for (int c = 0; c < BAR_COLUMNS; c++)
        made.column[c] = column[c];
    if (!volumes_fit(resample, symbol, &made)) {
        report->failed++;
        return STATUS_OK;
    }
    if (options->closed &&
        timeframe_next(options->to, time[made.count - 1]) > resample->market_end_ms) {
        made.count--;
        report->not_closed++;
    }
    report->bars_from += bars.count;
    report->bars_to += made.count;
    if (made.count == 0)
        return STATUS_OK;
    TRY(replace_early(resample, text_of(name), &bars, &made, err));
    TRY(writer_put(resample->writer, text_of(name), &made, options->replace, &put, err));
    report->added += put.added;
    report->same += put.same;
    report->replaced += put.replaced;
    report->contradicted += put.contradicted;
    if (put.contradicted > 0)
        note_contradicted(resample, name, time[put.first_contradicted]);
    return STATUS_OK;
}

static enum status find_market_end(struct resample *resample, struct error *err)
{
    resample->market_end_ms = INT64_MIN;
    for (size_t i = 0; i < snapshot_symbol_count(resample->snapshot) && resample->options->closed;
         i++) {
        struct bars bars;
        bool failed;

        TRY(bars_of(resample, i, &bars, &failed, err));
        if (!failed && bars.count > 0)
            resample->market_end_ms = MAX(
                resample->market_end_ms,
                timeframe_next(resample->options->from.frame, bars.time[bars.count - 1]));
    }
    return STATUS_OK;
}

static enum status resample_symbols(struct resample *resample, struct error *err)
{
    const struct resample_options *options = resample->options;
    size_t count = snapshot_symbol_count(resample->snapshot);

    TRY(find_market_end(resample, err));
    for (size_t i = 0; i < count; i++) {
        if (env_is_stopped(options->env))
            return fail(err, STATUS_INTERRUPTED, "interrupted: nothing was stored");
        TRY(resample_symbol(resample, i, err));
        if (options->progress)
            options->progress(options->progress_context, i + 1, count);
    }
    return STATUS_OK;
}

static enum status resample_all(struct resample *resample, struct error *err)
{
    const struct resample_options *options = resample->options;
    struct market_name to = options->from;
    enum status status;

    TRY(snapshot_open(&resample->snapshot, options->env, options->data_dir, &options->from, err));
    to.frame = options->to;
    TRY(writer_open(&resample->writer, options->env, options->data_dir, &to, "harrier resample",
                    err));
    status = resample_symbols(resample, err);
    TRY(snapshot_whole(resample->snapshot, err)); /* whatever else a cut file led to */
    TRY(status);
    return writer_commit(resample->writer, err);
}

enum status resample_run(const struct resample_options *options, struct resample_report *report,
                         struct error *err)
{
    struct resample resample = {.options = options, .report = report};
    enum status status;

    *report = (struct resample_report){0};
    if (!resample_divides(options->from.frame, options->to))
        return fail(err, STATUS_USAGE,
                    "%s cannot be made of %s: its periods are not whole numbers of them",
                    timeframe_name(options->to), timeframe_name(options->from.frame));
    status = resample_all(&resample, err);
    if (resample.writer)
        writer_close(resample.writer);
    snapshot_close(resample.snapshot);
    mem_free(resample.memory);
    if (status != STATUS_OK)
        return status;
    if (report->failed > 0)
        return fail(err, STATUS_PARTIAL, "%zu of %zu symbols failed: %s", report->failed,
                    report->symbols, report->first_failure);
    if (report->contradicted > 0)
        return fail(
            err, STATUS_PARTIAL,
            "%llu bars differ from stored ones, which stay (--replace takes the new ones): %s",
            (unsigned long long)report->contradicted, report->first_contradicted);
    return STATUS_OK;
}
