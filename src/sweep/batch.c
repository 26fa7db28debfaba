/* One rule over a whole market.  Symbols are sorted by length and cut into groups of lanes; the
 * members of a crew take groups from one counter.  A group's results depend on its symbols alone,
 * and a symbol's on nothing but its own bars, so it does not matter who takes which, or how they
 * were cut. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/crew.h"
#include "sweep/lanes.h"
#include "sweep/ruleplan.h"
#include "sweep/workspace.h"

enum { WIDE, NARROW, WIDTHS };

struct group {
    uint32_t first, count; /* of batch_runner.order */
    int width;             /* WIDE or NARROW */
};

struct lane_trades {
    struct trade *items;
    size_t count, capacity, begin;
    bool no_memory;
};

/* What evaluates groups of one width. */
struct engine {
    struct program *program;
    struct ledger *ledger;
    double *price[BAR_COLUMNS]; /* where the ledger reads a block's prices; NULL: it does not */
    void *edge;
};

struct worker {
    struct workspace workspace;
    struct engine engine[WIDTHS]; /* in the workspace; without a program where not made yet */
    struct lane_trades trades[LANES_MAX];
    enum status status;
    struct error error;
};

struct batch_runner {
    struct env *env;
    struct crew *crew;
    struct worker *workers; /* [crew_size] */
    uint32_t *order;
    struct group *groups;
    size_t order_capacity, group_capacity;
};

struct job {
    const struct batch *batch;
    struct batch_runner *runner;
    struct batch_result *results;
    struct sim_plan plan;
    const struct kernels *kernels[WIDTHS];
    unsigned ledger_columns;
    size_t group_count, block_bars;
    atomic_size_t next_group, symbols_done;
    atomic_bool stop; /* cancelled, or a worker failed */
};

/* ---- groups --------------------------------------------------------------------------------- */

struct sort_key {
    size_t begin, length; /* begin: 0 where lanes may begin late */
    uint32_t symbol;
};

static int compare_keys(const void *left, const void *right)
{
    const struct sort_key *a = left, *b = right;

    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if (a->length != b->length)
        return a->length > b->length ? -1 : 1;
    return a->symbol < b->symbol ? -1 : a->symbol > b->symbol;
}

/* Order of the symbols that have bars: the longest first, so that the last groups to be taken are
 * short and the lanes of a group end together. */
static enum status order_symbols(const struct job *job, bool begin_late, struct sort_key **keys,
                                 size_t *count, struct error *err)
{
    const struct batch *batch = job->batch;
    bool sorted = true;

    *count = 0;
    *keys = mem_alloc(batch->symbol_count * sizeof **keys);
    if (!*keys)
        return fail(err, STATUS_MEMORY, "no memory for %zu symbols", batch->symbol_count);
    for (size_t s = 0; s < batch->symbol_count; s++) {
        const struct batch_symbol *symbol = &batch->symbols[s];
        struct sort_key key = {begin_late ? 0 : symbol->begin, symbol->end - symbol->begin,
                               (uint32_t)s};

        if (job->results[s].status != STATUS_INTERRUPTED)
            continue; /* failed already */
        (*keys)[*count] = key;
        sorted &= *count == 0 || compare_keys(&(*keys)[*count - 1], &key) < 0;
        ++*count;
    }
    if (!sorted)
        qsort(*keys, *count, sizeof **keys, compare_keys);
    return STATUS_OK;
}

/* How many of the next symbols make a group, and how wide.  Four lanes take a quarter of the time
 * of sixteen, so what would leave lanes empty is cut into fours, and so is the last round of
 * groups, that all threads end together. */
static struct group next_group(const struct job *job, size_t left, size_t jobs)
{
    int lanes = job->batch->lanes;
    bool narrow = left <= LANES_WIDE - LANES_NARROW || (jobs > 1 && left < LANES_WIDE * jobs);

    if (lanes)
        narrow = lanes == LANES_NARROW;
    return narrow
               ? (struct group){.count = (uint32_t)MIN(left, (size_t)LANES_NARROW), .width = NARROW}
               : (struct group){.count = (uint32_t)MIN(left, (size_t)LANES_WIDE), .width = WIDE};
}

static enum status cut_groups(struct job *job, const struct sort_key *keys, size_t count,
                              struct error *err)
{
    struct batch_runner *runner = job->runner;
    size_t jobs = (size_t)crew_size(runner->crew);

    if (mem_grow((void **)&runner->order, &runner->order_capacity, count, sizeof *runner->order) ||
        mem_grow((void **)&runner->groups, &runner->group_capacity, count, sizeof *runner->groups))
        return fail(err, STATUS_MEMORY, "no memory for %zu symbols", count);
    for (size_t s = 0; s < count; s++)
        runner->order[s] = keys[s].symbol;
    for (size_t first = 0, alike; first < count;
         first += runner->groups[job->group_count++].count) {
        for (alike = 1; first + alike < count && keys[first + alike].begin == keys[first].begin;)
            alike++;
        runner->groups[job->group_count] = next_group(job, alike, jobs);
        runner->groups[job->group_count].first = (uint32_t)first;
    }
    return STATUS_OK;
}

static enum status make_groups(struct job *job, struct error *err)
{
    bool begin_late = rule_may_begin_late(job->batch->rule, job->kernels[WIDE]);
    struct sort_key *keys;
    size_t count;

    TRY(order_symbols(job, begin_late, &keys, &count, err));
    enum status status = cut_groups(job, keys, count, err);
    mem_free(keys);
    return status;
}

/* ---- a worker's memory ---------------------------------------------------------------------- */

static enum status engine_new(const struct job *job, struct worker *worker, int width,
                              struct error *err)
{
    struct engine *engine = &worker->engine[width];
    const struct batch *batch = job->batch;
    double parameters[RULE_PARAMETERS_MAX][LANES_MAX];
    struct program_setup setup = {.kernels = job->kernels[width], .parameters = parameters};
    int lanes = setup.kernels->lanes;
    bool full = false;

    for (int p = 0; p < batch->rule->parameter_count; p++)
        for (int l = 0; l < LANES_MAX; l++)
            parameters[p][l] = batch->parameters[p];
    TRY(program_new(&engine->program, &worker->workspace.arena, batch->rule, &setup, err));
    engine->ledger = arena_alloc(&worker->workspace.arena, ledger_bytes());
    engine->edge = arena_alloc(&worker->workspace.arena, lanes_edge_bytes());
    for (int c = 0; c < BAR_COLUMNS; c++) {
        engine->price[c] = NULL;
        if (!(job->ledger_columns >> c & 1))
            continue;
        engine->price[c] = engine->program->column[c]
                               ? engine->program->column[c]
                               : arena_alloc(&worker->workspace.arena, register_bytes(lanes));
        full |= !engine->price[c];
    }
    if (full || !engine->ledger || !engine->edge)
        return fail(err, STATUS_MEMORY, "no memory for the ledger of a group");
    return STATUS_OK;
}

/* The engine of a width, with more memory at each try. */
static enum status worker_engine(const struct job *job, struct worker *worker, int width)
{
    enum status status = STATUS_OK;

    while (!worker->engine[width].program) {
        status = worker->workspace.arena.memory ? engine_new(job, worker, width, &worker->error)
                                                : STATUS_MEMORY;
        if (status == STATUS_OK)
            break;
        worker->engine[width].program = NULL;
        if (status != STATUS_MEMORY)
            return status;
        memset(worker->engine, 0, sizeof worker->engine);
        TRY(workspace_grow(&worker->workspace, &worker->error));
    }
    return STATUS_OK;
}

/* ---- one group ------------------------------------------------------------------------------ */

struct run {
    const struct job *job;
    struct worker *worker;
    const struct group *group;
    const struct kernels *kernels;
    struct engine *engine;
    struct lanes lanes;
    struct ledger_lane accounts[LANES_MAX];
    struct ledger_block block;
    uint64_t cut[LANES_MAX]; /* bits of the block that are the lane's */
    double *curves;          /* equity[bar of the account][lane]; NULL: not wanted */
    void *scratch;
};

static void trade_add(void *context, int lane, const struct trade *trade)
{
    struct lane_trades *trades = &((struct worker *)context)->trades[lane];

    if (mem_grow((void **)&trades->items, &trades->capacity, trades->count + 1, sizeof *trade)) {
        trades->no_memory = true;
        return;
    }
    struct trade *row = &trades->items[trades->count++];
    *row = *trade;
    row->entry_bar += (uint32_t)trades->begin;
    row->exit_bar += (uint32_t)trades->begin;
}

static enum status run_init(struct run *run)
{
    const struct job *job = run->job;
    const struct batch *batch = job->batch;
    struct worker *worker = run->worker;
    const uint32_t *order = job->runner->order + run->group->first;
    size_t bars, curve_bytes, scratch_bytes = 0;

    lanes_init(&run->lanes, batch->symbols, order, (int)run->group->count, run->kernels->lanes,
               run->engine->edge);
    lanes_cut(&run->lanes, 0, run->cut);
    for (int c = 0; c < BAR_COLUMNS; c++)
        run->block.price[c] = run->engine->price[c];
    for (int l = 0; l < LEVELS; l++)
        run->block.level[l] = run->engine->program->level[l];
    for (int l = 0; l < run->lanes.used; l++) {
        const struct batch_symbol *symbol = &batch->symbols[order[l]];

        run->accounts[l].bars = bars_slice(&symbol->bars, symbol->begin, symbol->end);
        run->accounts[l].exit_after = run->engine->program->exit_after[l];
        worker->trades[l] = (struct lane_trades){.begin = symbol->begin};
    }
    if (!(batch->want & (WANT_ALL_METRICS | WANT_QUANTILES | WANT_EQUITY)))
        return STATUS_OK;
    bars = run->lanes.steps - run->lanes.history;
    curve_bytes = (sizeof(double) * bars * (size_t)run->lanes.width + 63) / 64 * 64;
    if (batch->want & (WANT_ALL_METRICS | WANT_QUANTILES))
        scratch_bytes = metrics_scratch_bytes(bars);
    TRY(workspace_curves(&worker->workspace, curve_bytes + scratch_bytes, &worker->error));
    run->curves = worker->workspace.curves;
    run->scratch = (unsigned char *)worker->workspace.curves + curve_bytes;
    return STATUS_OK;
}

/* What the ledger is told of a block: signals cut at each lane's last bar, levels, prices. */
static void trade_block(struct run *run, size_t step, size_t bar_count)
{
    const struct program *program = run->engine->program;
    struct ledger_block *block = &run->block;
    int width = run->lanes.width;

    block->bar_count = bar_count;
    if (step + bar_count > run->lanes.whole_to)
        lanes_cut(&run->lanes, step, run->cut);
    for (int s = 0; s < SIGNALS; s++) {
        const uint64_t *words = program->signal[s];
        for (int l = 0; words && l < width; l++)
            block->signal[s][l] = words[l] & run->cut[l];
    }
    if (run->curves)
        block->equity = run->curves + (step - run->lanes.history) * (size_t)width;
    ledger_run(run->engine->ledger, block);
}

static void run_block(struct run *run, size_t step, size_t bar_count)
{
    const struct engine *engine = run->engine;
    const struct program *program = engine->program;
    bool trades = step >= run->lanes.history;

    for (int c = 0; c < RULE_COLUMNS; c++) {
        double *out = program->column[c];

        if (!out && trades && c < BAR_COLUMNS)
            out = engine->price[c];
        if (out)
            lanes_column(&run->lanes, run->kernels, (enum rule_column)c, step, bar_count, out);
    }
    program_block(engine->program, bar_count);
    if (trades)
        trade_block(run, step, bar_count);
}

/* All steps of a group; false where it was cancelled on the way. */
static bool run_steps(struct run *run)
{
    const struct lanes *lanes = &run->lanes;

    for (size_t step = 0, bars; step < lanes->steps; step += bars) {
        size_t until = step < lanes->history ? lanes->history : lanes->steps;

        if (env_is_stopped(run->job->runner->env))
            return false;
        bars = MIN(run->job->block_bars, until - step);
        run_block(run, step, bars);
    }
    return true;
}

static void keep_equity(const struct run *run, int lane, struct batch_result *result)
{
    size_t bars = run->accounts[lane].bars.count, width = (size_t)run->lanes.width;

    result->equity = mem_alloc(bars * sizeof(double));
    for (size_t t = 0; t < bars && result->equity; t++)
        result->equity[t] = run->curves[t * width + (size_t)lane];
    if (!result->equity)
        result->status = STATUS_MEMORY;
}

static void run_finish(struct run *run)
{
    const struct batch *batch = run->job->batch;
    struct sim_result sims[LANES_MAX];

    for (int l = 0; l < run->lanes.used; l++)
        ledger_end(run->engine->ledger, l, &sims[l]);
    if (batch->want & (WANT_ALL_METRICS | WANT_QUANTILES)) {
        struct metrics_curves curves = {.lanes = run->lanes.width,
                                        .equity = run->curves,
                                        .lane = run->accounts,
                                        .benchmark = batch->benchmark,
                                        .quantiles = batch->want & WANT_QUANTILES};
        metrics_from_curves(&curves, run->kernels, &batch->options, run->scratch, sims);
    }
    for (int l = 0; l < run->lanes.used; l++) {
        struct batch_result *result =
            &run->job->results[run->job->runner->order[run->group->first + (uint32_t)l]];
        struct lane_trades *trades = &run->worker->trades[l];

        result->status = trades->no_memory ? STATUS_MEMORY : STATUS_OK;
        result->sim = sims[l];
        result->trades = trades->items;
        result->trade_count = trades->count;
        *trades = (struct lane_trades){0};
        if (batch->want & WANT_EQUITY)
            keep_equity(run, l, result);
        if (result->status != STATUS_OK)
            result->problem = mem_copy_text("no memory for its trades or equity");
    }
}

static void run_drop(struct run *run)
{
    for (int l = 0; l < run->lanes.used; l++) {
        mem_free(run->worker->trades[l].items);
        run->worker->trades[l] = (struct lane_trades){0};
    }
}

/* STATUS_INTERRUPTED where it was cancelled on the way. */
static enum status run_group(struct job *job, struct worker *worker, const struct group *group)
{
    struct run run = {
        .job = job, .worker = worker, .group = group, .kernels = job->kernels[group->width]};
    unsigned want = job->batch->want;
    struct trade_sink sink = {trade_add, worker};
    struct ledger_setup setup = {.kernels = run.kernels,
                                 .options = &job->batch->options,
                                 .plan = &job->plan,
                                 .lanes = run.accounts,
                                 .sink = want & WANT_TRADES ? &sink : NULL,
                                 .durations = want & WANT_ALL_METRICS,
                                 .downside = want & (WANT_ALL_METRICS | WANT_SORTINO)};

    TRY(worker_engine(job, worker, group->width));
    run.engine = &worker->engine[group->width];
    TRY(run_init(&run));
    program_start(run.engine->program);
    ledger_start(run.engine->ledger, &setup);
    if (!run_steps(&run)) {
        run_drop(&run);
        return STATUS_INTERRUPTED;
    }
    run_finish(&run);
    return STATUS_OK;
}

/* ---- the batch ------------------------------------------------------------------------------ */

static void work(void *context, int member)
{
    struct job *job = context;
    const struct batch *batch = job->batch;
    struct worker *worker = &job->runner->workers[member];
    size_t number;

    worker->status = STATUS_OK;
    arena_reset(&worker->workspace.arena, 0);
    memset(worker->engine, 0, sizeof worker->engine);
    while (!atomic_load_explicit(&job->stop, memory_order_relaxed) &&
           (number = atomic_fetch_add(&job->next_group, 1)) < job->group_count) {
        const struct group *group = &job->runner->groups[number];

        worker->status = run_group(job, worker, group);
        if (worker->status != STATUS_OK) {
            atomic_store(&job->stop, true);
            return;
        }
        size_t done = atomic_fetch_add(&job->symbols_done, group->count) + group->count;
        if (batch->progress)
            batch->progress(batch->progress_context, done);
    }
}

static void result_fail(struct batch_result *result, enum status status, const char *sentence)
{
    result->status = status;
    result->problem = mem_copy_text(sentence);
}

/* Results of symbols that cannot be run, and notes; all others wait as interrupted. */
static void prepare_results(const struct job *job, int lookback)
{
    for (size_t s = 0; s < job->batch->symbol_count; s++) {
        const struct batch_symbol *symbol = &job->batch->symbols[s];
        struct batch_result *result = &job->results[s];
        char note[160];

        *result = (struct batch_result){.status = STATUS_INTERRUPTED};
        ASSERT(symbol->end <= symbol->bars.count);
        if (symbol->bars.count == 0)
            result_fail(result, STATUS_MISSING, "it has no bars");
        else if (symbol->begin >= symbol->end)
            result_fail(result, STATUS_MISSING, "it has no bars in the time asked for");
        if (result->status != STATUS_INTERRUPTED || symbol->end > (size_t)lookback)
            continue;
        snprintf(note, sizeof note,
                 "no more bars (%zu) than the look-back (%d): the rule is never defined",
                 symbol->end, lookback);
        result->note = mem_copy_text(note);
    }
}

static enum status job_init(struct job *job, struct error *err)
{
    const struct batch *batch = job->batch;

    TRY(rule_require_check(batch->rule, batch->parameters, err));
    int lookback = rule_lookback(batch->rule, batch->parameters);
    if (lookback < 0)
        return fail(err, STATUS_LIMIT,
                    "%s: it looks back further than %d bars with these parameters",
                    batch->rule->name, RULE_LOOKBACK_MAX);
    job->kernels[WIDE] = kernels_select(batch->isa, LANES_WIDE);
    job->kernels[NARROW] = kernels_select(batch->isa, LANES_NARROW);
    if (!job->kernels[WIDE] || !job->kernels[NARROW])
        return fail(err, STATUS_USAGE, "this processor has no instruction set called \"%s\"",
                    batch->isa ? batch->isa : "");
    job->plan = sim_plan_of(batch->rule);
    job->ledger_columns = ledger_columns(&job->plan);
    job->block_bars = batch->block_bars ? MIN(batch->block_bars, (size_t)BLOCK_BARS) : BLOCK_BARS;
    prepare_results(job, lookback);
    return make_groups(job, err);
}

enum status batch_runner_run(struct batch_runner *runner, const struct batch *batch,
                             struct batch_result *results, struct error *err)
{
    struct job job = {.batch = batch, .runner = runner, .results = results};
    enum status status = STATUS_OK;

    memset(results, 0, batch->symbol_count * sizeof *results);
    TRY(job_init(&job, err));
    crew_run(runner->crew, work, &job);
    for (int m = 0; m < crew_size(runner->crew) && status == STATUS_OK; m++) {
        status = runner->workers[m].status;
        if (status == STATUS_INTERRUPTED)
            fail(err, status, "interrupted after %zu of %zu symbols",
                 atomic_load(&job.symbols_done), batch->symbol_count);
        else if (status != STATUS_OK)
            *err = runner->workers[m].error;
    }
    return status;
}

enum status batch_runner_new(struct batch_runner **runner, struct env *env, int jobs,
                             struct error *err)
{
    struct batch_runner *made = mem_zero(1, sizeof *made);
    enum status status;

    if (!made)
        return fail(err, STATUS_MEMORY, "no memory for a batch");
    made->env = env;
    status = crew_new(&made->crew, env, jobs, err);
    if (status == STATUS_OK) {
        made->workers = mem_zero((size_t)crew_size(made->crew), sizeof *made->workers);
        if (!made->workers)
            status = fail(err, STATUS_MEMORY, "no memory for %d threads", crew_size(made->crew));
    }
    if (status == STATUS_OK)
        *runner = made;
    else
        batch_runner_free(made);
    return status;
}

void batch_runner_free(struct batch_runner *runner)
{
    if (!runner)
        return;
    for (int m = 0; runner->workers && m < crew_size(runner->crew); m++)
        workspace_deinit(&runner->workers[m].workspace);
    crew_free(runner->crew);
    mem_free(runner->workers);
    mem_free(runner->order);
    mem_free(runner->groups);
    mem_free(runner);
}

enum status batch_run(const struct batch *batch, struct batch_result *results, struct error *err)
{
    struct batch_runner *runner;
    enum status status;

    TRY(batch_runner_new(&runner, batch->env, batch->jobs, err));
    status = batch_runner_run(runner, batch, results, err);
    batch_runner_free(runner);
    return status;
}

void batch_results_deinit(struct batch_result *results, size_t count)
{
    for (size_t r = 0; r < count; r++) {
        mem_free(results[r].problem);
        mem_free(results[r].note);
        mem_free(results[r].trades);
        mem_free(results[r].equity);
    }
    memset(results, 0, count * sizeof *results);
}
