/* Threads for syncs.  A job is its thread's alone from its start until it is joined. */
#include "store/crew.h"

#include <string.h>

enum status crew_init(struct crew *crew, struct env *env,
                      enum status (*work)(void *context, const struct row *row, struct error *err),
                      void *context, struct error *err)
{
    memset(crew, 0, sizeof *crew);
    crew->env = env;
    crew->work = work;
    crew->context = context;
    crew->jobs = mem_zero(CREW_THREADS_MAX, sizeof *crew->jobs);
    if (!crew->jobs)
        return fail(err, STATUS_MEMORY, "no memory for the threads that sync");
    for (int i = 0; i < CREW_THREADS_MAX; i++)
        crew->jobs[i].crew = crew;
    return STATUS_OK;
}

static void job_run(void *argument)
{
    struct crew_job *job = argument;

    for (size_t i = 0; i < job->count && job->status == STATUS_OK; i++)
        job->status = job->crew->work(job->crew->context, &job->rows[i], &job->err);
}

static void job_end(struct crew_job *job)
{
    struct crew *crew = job->crew;

    if (job->thread)
        crew->env->calls->thread_join(crew->env, job->thread);
    job->thread = NULL;
    if (job->status != STATUS_OK && crew->status == STATUS_OK) {
        crew->status = job->status;
        crew->err = job->err;
    }
    job->status = STATUS_OK;
    job->count = 0;
}

void crew_add(struct crew *crew, const struct row *row)
{
    struct crew_job *job = &crew->jobs[crew->current];

    job->rows[job->count++] = *row;
    if (job->count < CREW_FILES)
        return;
    /* Where no thread can be had the work is done here. */
    if (crew->env->calls->thread_start(crew->env, &job->thread, job_run, job, &(struct error){0}) !=
        STATUS_OK) {
        job->thread = NULL;
        job_run(job);
    }
    crew->current = (crew->current + 1) % CREW_THREADS_MAX;
    job_end(&crew->jobs[crew->current]); /* that of a turn ago */
}

static void finish(struct crew *crew)
{
    if (!crew->jobs)
        return;
    job_run(&crew->jobs[crew->current]);
    for (int i = 0; i < CREW_THREADS_MAX; i++)
        job_end(&crew->jobs[i]);
}

enum status crew_finish(struct crew *crew, struct error *err)
{
    enum status status;

    finish(crew);
    status = crew->status;
    if (status != STATUS_OK)
        *err = crew->err;
    crew->status = STATUS_OK;
    return status;
}

void crew_deinit(struct crew *crew)
{
    finish(crew);
    mem_free(crew->jobs);
    crew->jobs = NULL;
}
