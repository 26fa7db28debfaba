/* import: files to bars in the store.  Files are parsed by all threads in windows; the caller's
 * thread merges the window before into the store meanwhile, in the order of files, so that the
 * result does not depend on the number of threads.  One commit at the end. */
#include "import/import.h"

#include <stdio.h>
#include <string.h>

#include "import/parse.h"
#include "import/report.h"
#include "import/source.h"

enum {
    WINDOW_FILES = 64,
    WINDOW_BYTES = 64 << 20, /* of files in memory and on disk */
    THREADS_MAX = 16
};

/* Some files that are parsed at the same time. */
struct window {
    struct parse_job jobs[WINDOW_FILES];
    size_t count;
    atomic_size_t next; /* the job that nobody has taken yet */
    const struct parse_plan *plan;
};

struct worker {
    struct window *window;
    void *thread;
    char *buffer;
};

struct import {
    const struct import_options *options;
    struct parse_plan plan;
    struct source source;
    struct report_builder builder;
    struct window windows[2];
    struct worker workers[THREADS_MAX];
    int threads;           /* besides the caller's */
    char *buffer;          /* the caller's */
    struct writer *writer; /* NULL until there is something to write */
    struct table seen;     /* every symbol; with --drop-last its newest bar so far, held back */
    bool source_ended;
    bool cut; /* a file was left out because of the stop */
    bool committed;
    enum status first_failure;
    size_t first_failed; /* file of the report */
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_MEMORY, "no memory for the import");
}

static bool is_stopped(const struct import *import)
{
    return env_is_stopped(import->options->env);
}

static void tick(void *context)
{
    struct import *import = context;
    const struct import_report *report = import->builder.report;
    struct import_progress progress = {
        .bytes_done = atomic_load_explicit(&import->source.bytes_read, memory_order_relaxed),
        .bytes_total = import->source.bytes_total,
        .rows = report->counts.rows,
        .files = report->file_count,
    };

    if (import->options->progress)
        import->options->progress(import->options->progress_context, &progress);
}

/* ---- parsing ------------------------------------------------------------------------------- */

static void parse_jobs(struct window *window, char *buffer, struct import *import)
{
    for (;;) {
        size_t job = atomic_fetch_add_explicit(&window->next, 1, memory_order_relaxed);

        if (job >= window->count)
            return;
        if (!window->jobs[job].parsed)
            parse_file(window->plan, &window->jobs[job], buffer, import ? tick : NULL, import);
    }
}

static void run_worker(void *context)
{
    struct worker *worker = context;

    parse_jobs(worker->window, worker->buffer, NULL);
}

/* Threads that cannot be had are not needed: the caller's does their work. */
static void start_workers(struct import *import, struct window *window)
{
    struct env *env = import->options->env;
    struct error err;

    atomic_store_explicit(&window->next, 0, memory_order_relaxed);
    for (int i = 0; i < import->threads; i++) {
        struct worker *worker = &import->workers[i];

        worker->window = window;
        worker->thread = NULL;
        if (window->count > (size_t)i + 1 && worker->buffer &&
            env->calls->thread_start(env, &worker->thread, run_worker, worker, &err) != STATUS_OK)
            worker->thread = NULL;
    }
}

static void join_workers(struct import *import)
{
    for (int i = 0; i < import->threads; i++)
        if (import->workers[i].thread) {
            import->options->env->calls->thread_join(import->options->env,
                                                     import->workers[i].thread);
            import->workers[i].thread = NULL;
        }
}

/* Takes files until the window is full.  A file that must be read as it comes out of an archive is
 * parsed at once, and ends the window. */
static enum status fill_window(struct import *import, struct window *window, struct error *err)
{
    uint64_t bytes = 0;

    window->count = 0;
    while (!import->source_ended && window->count < WINDOW_FILES && bytes < WINDOW_BYTES &&
           !is_stopped(import)) {
        struct parse_job *job = &window->jobs[window->count];
        bool out_of_memory;

        *job = (struct parse_job){.status = STATUS_OK};
        import->source_ended = !source_next(&import->source, &job->file, &out_of_memory);
        if (out_of_memory) {
            source_file_deinit(&job->file);
            return no_memory(err);
        }
        if (import->source_ended)
            break;
        window->count++;
        bytes += job->file.length + job->file.disk_bytes;
        if (job->file.kind == SOURCE_STREAM) {
            parse_file(&import->plan, job, import->buffer, tick, import);
            job->file.kind = SOURCE_MEMORY;
            job->file.archive = NULL;
            job->parsed = true;
        }
        tick(import);
    }
    return STATUS_OK;
}

/* ---- storing ------------------------------------------------------------------------------- */

static void reject_contradicted(struct import *import, struct parse_job *job,
                                const struct series *series, const struct put_result *put)
{
    static const char *const names[BAR_COLUMNS] = {"open", "high", "low", "close", "volume"};
    size_t row = put->first_contradicted;
    char time[TIME_TEXT_BYTES], stored[DOUBLE_TEXT_BYTES], here[DOUBLE_TEXT_BYTES];
    struct error err;
    struct bars bars;
    size_t at;
    int c = 0;

    time_to_text(series->time[row], timeframe_is_daily_or_longer(job->table.frame), time);
    if (writer_bars(import->writer, text_of(series->symbol), &bars, &err) != STATUS_OK ||
        (at = bars_find(&bars, series->time[row])) == bars.count)
        return;
    while (c < BAR_COLUMNS - 1 && bars.column[c][at] == series->column[c][row])
        c++;
    double_to_text(bars.column[c][at], stored);
    double_to_text(series->column[c][row], here);
    table_reject(&job->table, series->line[row], IMPORT_CONTRADICTS,
                 "%s: stored %s %s, here %s: the stored bar stays "
                 "(--replace takes this one)",
                 time, names[c], stored, here);
    job->table.counts.rejected[IMPORT_CONTRADICTS] += put->contradicted - 1;
    job->table.counts.rejected_all += put->contradicted - 1;
}

static enum status put_series(struct import *import, struct parse_job *job,
                              const struct series *series, const struct bars *bars,
                              struct error *err)
{
    const struct import_options *options = import->options;
    struct put_result put = {0};

    if (bars->count == 0)
        return STATUS_OK;
    if (!import->writer)
        TRY(writer_open(&import->writer, options->env, options->data_dir, &options->market,
                        "harrier import", err));
    TRY(writer_put(import->writer, text_of(series->symbol), bars, options->replace, &put, err));
    if (job) {
        job->table.counts.added += put.added;
        job->table.counts.same += put.same;
        job->table.counts.replaced += put.replaced;
        if (put.contradicted > 0)
            reject_contradicted(import, job, series, &put);
    }
    return STATUS_OK;
}

/* --drop-last: keeps back the newest bar of the symbol so far, and lets go of the one that was
 * before. */
static enum status hold_newest(struct import *import, struct parse_job *job,
                               const struct series *series, struct bars *bars, struct series *held,
                               struct error *err)
{
    size_t newest = bars->count - 1;
    double value[BAR_COLUMNS];
    struct bars before;

    if (held->count > 0 && held->time[0] > bars->time[newest])
        return STATUS_OK;
    if (held->count > 0 && held->time[0] < bars->time[newest]) {
        before = series_bars(held);
        TRY(put_series(import, job, series, &before, err));
    }
    for (int c = 0; c < BAR_COLUMNS; c++)
        value[c] = bars->column[c][newest];
    held->count = 0;
    if (!series_add(held, series->line[newest], bars->time[newest], value))
        return no_memory(err);
    bars->count = newest;
    return STATUS_OK;
}

static enum status put_table(struct import *import, struct parse_job *job, struct error *err)
{
    for (size_t i = 0; i < job->table.series_count; i++) {
        const struct series *series = &job->table.series[i];
        struct bars bars = series_bars(series);
        struct series *seen;

        if (bars.count == 0)
            continue;
        seen = table_series(&import->seen, text_of(series->symbol), err);
        if (!seen)
            return no_memory(err);
        if (import->options->drop_last)
            TRY(hold_newest(import, job, series, &bars, seen, err));
        TRY(put_series(import, job, series, &bars, err));
    }
    return STATUS_OK;
}

/* What a file's rows cannot get around is that file's failure: the others go on. */
static enum status store_job(struct import *import, struct parse_job *job, struct error *err)
{
    struct error file_err;
    enum status status = put_table(import, job, &file_err);

    if (status == STATUS_CORRUPT) {
        mem_free(job->text);
        job->text = mem_copy_text(file_err.text);
        job->state = IMPORT_FILE_FAILED;
        job->status = status;
    } else if (status != STATUS_OK) {
        *err = file_err;
        return status;
    }
    return STATUS_OK;
}

static enum status store_window(struct import *import, struct window *window, struct error *err)
{
    struct import_report *report = import->builder.report;
    enum status status = STATUS_OK;
    int64_t begun = clock_ticks_ns(import->options->env);

    for (size_t i = 0; i < window->count; i++) {
        struct parse_job *job = &window->jobs[i];

        if (is_stopped(import)) { /* what was not stored by now is left for the next time */
            import->cut = true;
            parse_job_deinit(job);
            continue;
        }
        if (status == STATUS_OK)
            status = job->no_memory ? no_memory(err) : store_job(import, job, err);
        if (import->first_failure == STATUS_OK && job->state == IMPORT_FILE_FAILED) {
            import->first_failure = job->status;
            import->first_failed = report->file_count;
        }
        if (status == STATUS_OK && !report_add(&import->builder, job))
            status = no_memory(err);
        parse_job_deinit(job);
        tick(import);
    }
    window->count = 0;
    report->store_ns += clock_ticks_ns(import->options->env) - begun;
    return status;
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* While the others parse one window, the caller stores the one before, fills the next, and then
 * parses too. */
static enum status run_windows(struct import *import, struct error *err)
{
    struct window *now = &import->windows[0], *other = &import->windows[1];
    enum status status = fill_window(import, now, err);

    while (status == STATUS_OK && now->count > 0) {
        struct window *swap = now;

        start_workers(import, now);
        status = store_window(import, other, err);
        if (status == STATUS_OK)
            status = fill_window(import, other, err);
        if (status != STATUS_OK)
            atomic_store_explicit(&now->next, now->count, memory_order_relaxed);
        parse_jobs(now, import->buffer, import);
        join_workers(import);
        if (status != STATUS_OK)
            break;
        /* `other` is full but not parsed, `now` is parsed: it is stored while `other` is parsed. */
        now = other;
        other = swap;
    }
    if (status == STATUS_OK)
        status = store_window(import, other, err);
    return status;
}

/* Counts what --drop-last kept back for good. */
static void count_dropped(struct import *import)
{
    for (size_t i = 0; i < import->seen.series_count; i++)
        import->builder.report->counts.dropped += import->seen.series[i].count;
}

/* Nothing was read: why. */
static enum status explain_nothing(const struct import *import, struct error *err)
{
    const struct import_options *options = import->options;
    const struct import_report *report = import->builder.report;

    if (import->first_failure != STATUS_OK)
        return fail(err, import->first_failure, "%s: %s", report->files[import->first_failed].name,
                    report->files[import->first_failed].text);
    if (report->files_skipped > 0 && report->files_empty == 0)
        return fail(err, STATUS_USAGE, "--symbol-from %s matches none of %zu files",
                    options->symbol_from, report->files_skipped);
    if (report->file_count == 0)
        return fail(err, STATUS_MISSING, "%s: no file to import (%zu others%s)", options->paths[0],
                    report->files_not_picked,
                    options->glob_count ? ", not picked by --files"
                                        : "; --files '*' takes every file");
    return fail(err, STATUS_MISSING, "%s: no bars in it: it is empty", report->files[0].name);
}

/* What was merged when the stop came is kept, and the same import once more does the rest. */
static enum status explain_cut(const struct import *import, struct error *err)
{
    if (!import->writer)
        return fail(err, STATUS_INTERRUPTED, "interrupted: nothing was stored");
    return fail(err, STATUS_INTERRUPTED,
                "interrupted: %zu files are stored; the same import once more "
                "does the rest, --undo takes them back",
                import->builder.report->files_read);
}

static enum status explain_part(const struct import_report *report, struct error *err)
{
    struct buffer text = {0};

    if (report->counts.rejected_all > 0)
        buffer_addf(&text, "%llu of %llu rows were rejected",
                    (unsigned long long)report->counts.rejected_all,
                    (unsigned long long)report->counts.rows);
    if (report->files_failed > 0)
        buffer_addf(&text, "%s%zu of %zu files failed", text.length ? ", " : "",
                    report->files_failed, report->file_count);
    fail(err, STATUS_PARTIAL, "%s", buffer_text(&text));
    buffer_deinit(&text);
    return STATUS_PARTIAL;
}

static enum status finish(struct import *import, struct error *err)
{
    struct import_report *report = import->builder.report;
    int64_t begun = clock_ticks_ns(import->options->env);

    count_dropped(import);
    report->symbols = import->seen.series_count;
    if (import->writer)
        TRY(writer_commit(import->writer, err));
    import->committed = true;
    report->store_ns += clock_ticks_ns(import->options->env) - begun;
    if (import->cut || !import->source_ended)
        return explain_cut(import, err);
    if (report->files_read == 0)
        return explain_nothing(import, err);
    if (report->files_failed == 0 && report->counts.rejected_all == 0)
        return STATUS_OK;
    return explain_part(report, err);
}

static enum status open_import(struct import *import, const struct import_options *options,
                               struct error *err)
{
    int threads = options->threads > 0 ? options->threads : processors_usable();

    TRY(parse_plan_init(&import->plan, options, &import->source.bytes_read, err));
    TRY(source_init(&import->source, options->env, options, err));
    import->windows[0].plan = import->windows[1].plan = &import->plan;
    import->threads = MIN(threads, THREADS_MAX) - 1;
    import->buffer = mem_alloc(PARSE_BUFFER_BYTES);
    for (int i = 0; i < import->threads && import->source.count > 1; i++)
        import->workers[i].buffer = mem_alloc(PARSE_BUFFER_BYTES); /* without: one thread fewer */
    table_init(&import->seen, options->market.frame, 0);
    return import->buffer ? STATUS_OK : no_memory(err);
}

static void close_import(struct import *import)
{
    if (import->writer)
        writer_close(import->writer);
    for (int w = 0; w < 2; w++)
        for (size_t i = 0; i < import->windows[w].count; i++)
            parse_job_deinit(&import->windows[w].jobs[i]);
    for (int i = 0; i < THREADS_MAX; i++)
        mem_free(import->workers[i].buffer);
    mem_free(import->buffer);
    table_deinit(&import->seen);
    source_deinit(&import->source);
    parse_plan_deinit(&import->plan);
    mem_free(import);
}

enum status import_run(const struct import_options *options, struct import_report *report,
                       struct error *err)
{
    struct import *import = mem_zero(1, sizeof *import);
    int64_t begun = clock_ticks_ns(options->env);
    enum status status;

    *report = (struct import_report){0};
    if (!import)
        return no_memory(err);
    import->options = options;
    import->builder = (struct report_builder){
        .report = report,
        .rejects_shown = options->rejects_shown ? options->rejects_shown : IMPORT_REJECTS_SHOWN};
    status = open_import(import, options, err);
    if (status == STATUS_OK)
        status = run_windows(import, err);
    report->files_not_picked = import->source.not_picked;
    report->links_back = import->source.links_back;
    if (status == STATUS_OK)
        status = finish(import, err);
    if (!import->committed) /* what the writer took in went with it */
        report->counts.added = report->counts.replaced = 0;
    report->read_ns = clock_ticks_ns(options->env) - begun - report->store_ns;
    close_import(import);
    return status;
}
