/* All parameter sets over all symbols.  Combinations are taken in WAVES of a thousand.  With many
 * symbols the members of a crew each take a part of them; with few, all work on one pass together.
 * The caller adds up in the order of the symbols, so that sums do not depend on who did what. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/crew.h"
#include "sweep/layout.h"
#include "sweep/plan.h"
#include "sweep/workspace.h"

enum {
    WAVE_COMBINATIONS = 1024, /* combinations × CHUNKS_MAX at work: 7 MiB of sums */
    CHUNKS_MAX = 16,
    TASKS_A_MEMBER = 3, /* with fewer, some would wait for others at the end */
    DRAW_ROUNDS = 4
};

/* Sums over the symbols of a chunk. */
struct sums {
    double sum[METRIC_COUNT];
    uint32_t count[METRIC_COUNT];
};

struct worker {
    struct workspace workspace;
    struct plan *plan; /* of `slice`, NULL: none yet */
    size_t slice;
    struct sim_result *results; /* [wave_room] */
    enum status status;
    struct error error;
};

/* Which combinations come next. */
struct walk {
    uint64_t next, found, skipped; /* next: numbers or draws looked at so far */
};

struct job {
    const struct sweep *sweep;
    const struct batch_symbol *symbols; /* those that have bars */
    size_t symbol_count, failed;
    const struct kernels *wide, *narrow;
    bool curves;
    uint64_t shared; /* parameters in which neighbours of a ledger differ */
    struct crew *crew;
    struct worker *workers;
    struct walk walk;

    size_t wave_room, chunk_count;
    uint64_t *wave; /* combinations, rising */
    size_t wave_count;
    uint64_t *sliced; /* the same, slice by slice */
    uint32_t *place;  /* place in the wave of each of them */
    size_t slice_count, slice_room;
    struct keyed *keys;
    struct sums *sums; /* [chunk][place in the wave] */
    struct sweep_row *rows;
    atomic_size_t next_task, tasks_done;
    atomic_bool stop;
};

/* ---- which combinations --------------------------------------------------------------------- */

/* A permutation of 0 … count-1 by a seed: a Feistel network over the next power of four, walked
 * until it falls into the range.  Draws need no memory of what was drawn before. */
static uint64_t permuted(uint64_t number, uint64_t count, uint64_t seed)
{
    unsigned half = 1;

    while (half < 32 && (uint64_t)1 << 2 * half < count)
        half++;
    uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = number >> half, right = number & mask;

        for (unsigned round = 0; round < DRAW_ROUNDS; round++) {
            uint64_t mixed = left ^ (random_at(seed, round, right) & mask);

            left = right;
            right = mixed;
        }
        number = left << half | right;
    } while (number >= count);
    return number;
}

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

static bool cancelled(const struct sweep *sweep)
{
    return env_is_stopped(sweep->env);
}

/* Fills the next wave with combinations that the rule allows.  There may be none among millions. */
static void next_wave(struct job *job)
{
    const struct sweep *sweep = job->sweep;
    const struct grid *grid = sweep->grid;
    struct walk *walk = &job->walk;
    uint64_t wanted = sweep->random ? sweep->random : UINT64_MAX;
    double values[RULE_PARAMETERS_MAX];

    job->wave_count = 0;
    while (job->wave_count < job->wave_room && walk->next < grid->combinations &&
           walk->found < wanted && !cancelled(sweep)) {
        uint64_t number = walk->next++;

        if (sweep->random)
            number = permuted(number, grid->combinations, sweep->seed);
        grid_values(grid, number, values);
        if (rule_allows(grid->rule, values)) {
            job->wave[job->wave_count++] = number;
            walk->found++;
        } else {
            walk->skipped++;
        }
    }
    if (sweep->random && job->wave_count > 0)
        qsort(job->wave, job->wave_count, sizeof *job->wave, compare_numbers);
}

/* ---- slices --------------------------------------------------------------------------------- */

/* Neighbours, whose accounts lie in one ledger, differ in the period of an indicator and not in a
 * threshold: they are in the market at the same times, and a ledger whose accounts are all flat has
 * nothing to do (3 % of a sweep). */
struct keyed {
    uint64_t others, shared; /* numbers of the values of the other and the shared parameters */
    uint32_t place;          /* in the wave */
};

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;

    if (a->others != b->others)
        return a->others < b->others ? -1 : 1;
    return a->shared < b->shared ? -1 : a->shared > b->shared;
}

/* A slice has one plan: the whole wave, or as many as have curves at a time. */
static void cut_slices(struct job *job)
{
    const struct grid *grid = job->sweep->grid;
    size_t count = job->wave_count;

    job->slice_room = job->curves ? LANES_WIDE : count;
    job->slice_count = (count + job->slice_room - 1) / job->slice_room;
    for (size_t i = 0; i < count; i++)
        job->keys[i] = (struct keyed){grid_tuple(grid, job->wave[i], ~job->shared),
                                      grid_tuple(grid, job->wave[i], job->shared), (uint32_t)i};
    qsort(job->keys, count, sizeof *job->keys, compare_keyed);
    for (size_t i = 0; i < count; i++) {
        job->place[i] = job->keys[i].place;
        job->sliced[i] = job->wave[job->keys[i].place];
    }
}

/* Combinations of a slice: sliced[begin…begin + count). */
struct slice {
    size_t begin, count;
};

static struct slice slice_at(const struct job *job, size_t number)
{
    size_t begin = number * job->slice_room;

    return (struct slice){begin, MIN(job->slice_room, job->wave_count - begin)};
}

/* ---- plans and passes ----------------------------------------------------------------------- */

static enum status worker_plan(struct job *job, struct worker *worker, size_t number)
{
    struct slice slice = slice_at(job, number);
    struct plan_setup setup = {.grid = job->sweep->grid,
                               .kernels = slice.count <= LANES_NARROW ? job->narrow : job->wide,
                               .combinations = job->sliced + slice.begin,
                               .count = slice.count,
                               .options = &job->sweep->options,
                               .curves = job->curves,
                               .downside = job->sweep->rank == METRIC_SORTINO};
    enum status status = STATUS_MEMORY;

    if (worker->plan && worker->slice == number)
        return STATUS_OK;
    worker->plan = NULL;
    worker->slice = number;
    arena_reset(&worker->workspace.arena, 0);
    while (status == STATUS_MEMORY) {
        if (worker->workspace.arena.memory)
            status = plan_new(&worker->plan, &worker->workspace.arena, &setup, &worker->error);
        if (status == STATUS_MEMORY)
            TRY(workspace_grow(&worker->workspace, &worker->error));
    }
    return status;
}

static struct pass pass_over(const struct job *job, const struct worker *worker, size_t symbol)
{
    const struct sweep *sweep = job->sweep;
    size_t bars = sweep->block_bars ? sweep->block_bars : BLOCK_BARS;

    return (struct pass){.plan = worker->plan,
                         .symbol = &job->symbols[symbol],
                         .benchmark = sweep->benchmark,
                         .block_bars = MIN(bars, (size_t)BLOCK_BARS),
                         .env = sweep->env,
                         .curves = worker->workspace.curves,
                         .results = worker->results};
}

static size_t chunk_begin(const struct job *job, size_t chunk)
{
    return chunk * job->symbol_count / job->chunk_count;
}

static void add_results(struct job *job, const struct worker *worker, size_t number, size_t chunk)
{
    struct slice slice = slice_at(job, number);
    struct sums *sums = job->sums + chunk * job->wave_room;

    for (size_t i = 0; i < slice.count; i++) {
        struct sums *sum = &sums[job->place[slice.begin + i]];
        const double *metric = worker->results[i].metric;

        for (int m = 0; m < METRIC_COUNT; m++) {
            bool defined = metric[m] == metric[m];

            sum->sum[m] += defined ? metric[m] : 0;
            sum->count[m] += defined;
        }
    }
}

/* `share` of the wave is done. */
static void report(const struct job *job, double share)
{
    const struct sweep *sweep = job->sweep;
    uint64_t all = sweep->grid->combinations, before = job->walk.found - job->wave_count;

    if (sweep->random)
        all = MIN(all, sweep->random);
    else
        all -= job->walk.skipped;
    if (sweep->progress)
        sweep->progress(sweep->progress_context,
                        before + (uint64_t)(share * (double)job->wave_count), all);
}

/* ---- many symbols: each member takes a slice over a chunk of them --------------------------- */

/* STATUS_INTERRUPTED where it was cancelled on the way. */
static enum status run_task(struct job *job, struct worker *worker, size_t task)
{
    size_t slice = task / job->chunk_count, chunk = task % job->chunk_count;

    TRY(worker_plan(job, worker, slice));
    for (size_t s = chunk_begin(job, chunk); s < chunk_begin(job, chunk + 1); s++) {
        if (job->curves)
            TRY(workspace_curves(&worker->workspace,
                                 plan_curves_bytes(worker->plan, &job->symbols[s]),
                                 &worker->error));
        struct pass pass = pass_over(job, worker, s);

        pass_begin(&pass);
        pass_work(&pass);
        if (!pass_end(&pass))
            return STATUS_INTERRUPTED;
        add_results(job, worker, slice, chunk);
    }
    return STATUS_OK;
}

static void work_apart(void *context, int member)
{
    struct job *job = context;
    struct worker *worker = &job->workers[member];
    size_t tasks = job->slice_count * job->chunk_count, task;

    worker->status = STATUS_OK;
    worker->plan = NULL;
    while (!atomic_load_explicit(&job->stop, memory_order_relaxed) &&
           (task = atomic_fetch_add(&job->next_task, 1)) < tasks) {
        worker->status = run_task(job, worker, task);
        if (worker->status != STATUS_OK) {
            atomic_store(&job->stop, true);
            return;
        }
        size_t done = atomic_fetch_add(&job->tasks_done, 1) + 1;
        if (member == 0)
            report(job, (double)done / (double)tasks);
    }
}

static enum status run_apart(struct job *job, struct error *err)
{
    atomic_store(&job->next_task, 0);
    atomic_store(&job->tasks_done, 0);
    crew_run(job->crew, work_apart, job);
    for (int m = 0; m < crew_size(job->crew); m++) {
        const struct worker *worker = &job->workers[m];

        if (worker->status == STATUS_INTERRUPTED)
            return STATUS_INTERRUPTED;
        if (worker->status != STATUS_OK) {
            *err = worker->error;
            return worker->status;
        }
    }
    return STATUS_OK;
}

/* ---- few symbols: all members work on one pass ---------------------------------------------- */

static void work_together(void *context, int member)
{
    (void)member;
    pass_work(context);
}

static enum status run_together(struct job *job, struct error *err)
{
    struct worker *worker = &job->workers[0];
    enum status status;

    worker->plan = NULL;
    status = worker_plan(job, worker, 0);
    if (status != STATUS_OK) {
        *err = worker->error;
        return status;
    }
    for (size_t chunk = 0; chunk < job->chunk_count; chunk++)
        for (size_t s = chunk_begin(job, chunk); s < chunk_begin(job, chunk + 1); s++) {
            struct pass pass = pass_over(job, worker, s);

            pass_begin(&pass);
            crew_run(job->crew, work_together, &pass);
            if (!pass_end(&pass))
                return STATUS_INTERRUPTED;
            add_results(job, worker, 0, chunk);
            report(job, (double)(s + 1) / (double)job->symbol_count);
        }
    return STATUS_OK;
}

/* ---- rows, and the best of them ------------------------------------------------------------- */

bool sweep_row_before(const struct sweep_row *a, const struct sweep_row *b, enum metric rank)
{
    double x = a->metric[rank], y = b->metric[rank];

    if (isnan(x) || isnan(y))
        return isnan(x) == isnan(y) ? a->combination < b->combination : isnan(y);
    if (x != y)
        return metric_rows[rank].better < 0 ? x < y : x > y;
    return a->combination < b->combination;
}

/* The rows kept are a heap with the worst on top. */
static void sift(struct sweep_row *rows, size_t count, size_t at, enum metric rank)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && sweep_row_before(&rows[child], &rows[child + 1], rank))
            child++;
        if (!sweep_row_before(&rows[at], &rows[child], rank))
            return;
        struct sweep_row row = rows[at];
        rows[at] = rows[child];
        rows[child] = row;
    }
}

static void keep_row(const struct sweep *sweep, struct sweep_result *result,
                     const struct sweep_row *row)
{
    if (result->best_count < sweep->keep) {
        result->best[result->best_count++] = *row;
        if (result->best_count == sweep->keep)
            for (size_t at = result->best_count / 2; at-- > 0;)
                sift(result->best, result->best_count, at, sweep->rank);
    } else if (sweep_row_before(row, &result->best[0], sweep->rank)) {
        result->best[0] = *row;
        sift(result->best, result->best_count, 0, sweep->rank);
    }
}

static void sort_rows(struct sweep_row *rows, size_t count, enum metric rank)
{
    for (size_t at = count / 2; at-- > 0;)
        sift(rows, count, at, rank);
    for (size_t end = count; end-- > 1;) {
        struct sweep_row worst = rows[0];

        rows[0] = rows[end];
        rows[end] = worst;
        sift(rows, end, 0, rank);
    }
}

static struct sweep_row make_row(const struct job *job, size_t place)
{
    struct sweep_row row = {.combination = job->wave[place]};

    for (int m = 0; m < METRIC_COUNT; m++) {
        double sum = 0;
        uint64_t count = 0;

        for (size_t c = 0; c < job->chunk_count; c++) {
            const struct sums *sums = &job->sums[c * job->wave_room + place];

            sum += sums->sum[m];
            count += sums->count[m];
        }
        row.metric[m] = count ? sum / (double)count : (double)NAN;
        if (m == (int)job->sweep->rank)
            row.symbols = count;
    }
    return row;
}

static enum status finish_wave(struct job *job, struct sweep_result *result, struct error *err)
{
    const struct sweep *sweep = job->sweep;

    for (size_t i = 0; i < job->wave_count; i++) {
        job->rows[i] = make_row(job, i);
        keep_row(sweep, result, &job->rows[i]);
    }
    result->evaluated += job->wave_count;
    return sweep->surface ? sweep->surface(sweep->surface_context, job->rows, job->wave_count, err)
                          : STATUS_OK;
}

/* ---- the sweep ------------------------------------------------------------------------------ */

static enum status run_wave(struct job *job, struct sweep_result *result, struct error *err)
{
    size_t jobs = (size_t)crew_size(job->crew);
    bool together = !job->curves && (jobs == 1 || job->chunk_count < TASKS_A_MEMBER * jobs);
    enum status status;

    cut_slices(job);
    for (size_t c = 0; c < job->chunk_count; c++)
        memset(job->sums + c * job->wave_room, 0, job->wave_count * sizeof *job->sums);
    status = together ? run_together(job, err) : run_apart(job, err);
    if (status == STATUS_INTERRUPTED)
        return fail(err, status, "interrupted after %llu combinations",
                    (unsigned long long)result->evaluated);
    return status == STATUS_OK ? finish_wave(job, result, err) : status;
}

static enum status allocate(struct job *job, struct sweep_result *result, struct error *err)
{
    const struct sweep *sweep = job->sweep;
    size_t room = job->wave_room, jobs = (size_t)crew_size(job->crew);

    job->workers = mem_zero(jobs, sizeof *job->workers);
    job->wave = mem_alloc(room * sizeof *job->wave);
    job->sliced = mem_alloc(room * sizeof *job->sliced);
    job->place = mem_alloc(room * sizeof *job->place);
    job->keys = mem_alloc(room * sizeof *job->keys);
    job->sums = mem_alloc(room * job->chunk_count * sizeof *job->sums);
    job->rows = mem_alloc(room * sizeof *job->rows);
    result->best = mem_alloc(sweep->keep * sizeof *result->best);
    bool failed = !job->workers || !job->wave || !job->sliced || !job->place || !job->keys ||
                  !job->sums || !job->rows || !result->best;
    for (size_t m = 0; m < jobs && !failed; m++) {
        job->workers[m].results = mem_alloc(room * sizeof *job->workers[m].results);
        failed = !job->workers[m].results;
    }
    return failed ? fail(err, STATUS_MEMORY, "no memory for a sweep") : STATUS_OK;
}

static void release(struct job *job)
{
    for (int m = 0; job->workers && m < crew_size(job->crew); m++) {
        workspace_deinit(&job->workers[m].workspace);
        mem_free(job->workers[m].results);
    }
    crew_free(job->crew);
    mem_free(job->workers);
    mem_free(job->wave);
    mem_free(job->sliced);
    mem_free(job->place);
    mem_free(job->keys);
    mem_free(job->sums);
    mem_free(job->rows);
    mem_free((void *)job->symbols);
}

/* The symbols that can be run, in their order. */
static enum status choose_symbols(struct job *job, struct error *err)
{
    const struct sweep *sweep = job->sweep;
    struct batch_symbol *chosen = mem_alloc(sweep->symbol_count * sizeof *chosen);

    if (!chosen)
        return fail(err, STATUS_MEMORY, "no memory for %zu symbols", sweep->symbol_count);
    job->symbols = chosen;
    for (size_t s = 0; s < sweep->symbol_count; s++) {
        const struct batch_symbol *symbol = &sweep->symbols[s];

        ASSERT(symbol->end <= symbol->bars.count);
        if (symbol->begin < symbol->end)
            chosen[job->symbol_count++] = *symbol;
    }
    job->failed = sweep->symbol_count - job->symbol_count;
    if (job->symbol_count == 0)
        return fail(err, STATUS_MISSING, "no symbol has bars in the time asked for");
    return STATUS_OK;
}

static enum status job_init(struct job *job, struct sweep_result *result, struct error *err)
{
    const struct sweep *sweep = job->sweep;

    if (sweep->keep < 1 || sweep->keep > SWEEP_KEEP_MAX)
        return fail(err, STATUS_USAGE, "a sweep keeps 1 to %d combinations, not %zu",
                    SWEEP_KEEP_MAX, sweep->keep);
    job->wide = kernels_select(sweep->isa, LANES_WIDE);
    job->narrow = kernels_select(sweep->isa, LANES_NARROW);
    if (!job->wide || !job->narrow)
        return fail(err, STATUS_USAGE, "this processor has no instruction set called \"%s\"",
                    sweep->isa ? sweep->isa : "");
    job->curves = !metric_rows[sweep->rank].ranking;
    job->shared = grid_shared_parameters(sweep->grid);
    TRY(choose_symbols(job, err));
    TRY(crew_new(&job->crew, sweep->env, sweep->jobs, err));
    job->chunk_count = MIN(job->symbol_count, (size_t)CHUNKS_MAX);
    job->wave_room = sweep->wave ? sweep->wave : WAVE_COMBINATIONS;
    job->wave_room = MIN(job->wave_room, sweep->grid->combinations);
    return allocate(job, result, err);
}

enum status sweep_run(const struct sweep *sweep, struct sweep_result *result, struct error *err)
{
    struct job job = {.sweep = sweep};
    enum status status;

    *result = (struct sweep_result){0};
    status = job_init(&job, result, err);
    while (status == STATUS_OK) {
        next_wave(&job);
        if (cancelled(sweep))
            status = fail(err, STATUS_INTERRUPTED, "interrupted after %llu combinations",
                          (unsigned long long)result->evaluated);
        else if (job.wave_count == 0)
            break;
        else
            status = run_wave(&job, result, err);
    }
    if (result->best)
        sort_rows(result->best, result->best_count, sweep->rank);
    result->skipped = job.walk.skipped;
    result->failed = job.failed;
    release(&job);
    return status;
}

void sweep_result_deinit(struct sweep_result *result)
{
    mem_free(result->best);
    *result = (struct sweep_result){0};
}
