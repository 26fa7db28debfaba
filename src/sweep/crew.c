/* Rounds are counted: a member works when the count is another one than it has seen. */
#include "sweep/crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct member {
    struct crew *crew;
    int number;
    void *thread;
};

struct crew {
    struct env *env;
    int size;
    struct member *members; /* [size]; 0 is the caller */
    void (*work)(void *context, int member);
    void *context;
    atomic_uint round;
    atomic_int working;
    bool leave;

    pthread_mutex_t lock; /* for those who sleep */
    pthread_cond_t begun, finished;
};

/* Waits for a round that `seen` is not, awake at first. */
static void wait_for_round(struct crew *crew, unsigned seen)
{
    int64_t until = clock_ticks_ns(crew->env) + CREW_ALERT_NS;

    while (atomic_load_explicit(&crew->round, memory_order_acquire) == seen) {
        if (clock_ticks_ns(crew->env) < until) {
            sched_yield(); /* somebody may need this core more */
            continue;
        }
        pthread_mutex_lock(&crew->lock);
        while (atomic_load(&crew->round) == seen)
            pthread_cond_wait(&crew->begun, &crew->lock);
        pthread_mutex_unlock(&crew->lock);
    }
}

static void run_member(void *context)
{
    struct member *member = context;
    struct crew *crew = member->crew;

    for (unsigned seen = 0;; seen++) {
        wait_for_round(crew, seen);
        if (crew->leave)
            return;
        crew->work(crew->context, member->number);
        if (atomic_fetch_sub(&crew->working, 1) == 1) {
            pthread_mutex_lock(&crew->lock);
            pthread_cond_signal(&crew->finished);
            pthread_mutex_unlock(&crew->lock);
        }
    }
}

static void begin_round(struct crew *crew)
{
    atomic_store(&crew->working, crew->size - 1);
    pthread_mutex_lock(&crew->lock);
    atomic_fetch_add(&crew->round, 1);
    pthread_cond_broadcast(&crew->begun);
    pthread_mutex_unlock(&crew->lock);
}

static void wait_for_members(struct crew *crew)
{
    int64_t until = clock_ticks_ns(crew->env) + CREW_ALERT_NS;

    while (atomic_load_explicit(&crew->working, memory_order_acquire) > 0) {
        if (clock_ticks_ns(crew->env) < until) {
            sched_yield();
            continue;
        }
        pthread_mutex_lock(&crew->lock);
        while (atomic_load(&crew->working) > 0)
            pthread_cond_wait(&crew->finished, &crew->lock);
        pthread_mutex_unlock(&crew->lock);
    }
}

void crew_run(struct crew *crew, void (*work)(void *context, int member), void *context)
{
    if (crew->size == 1) {
        work(context, 0);
        return;
    }
    crew->work = work;
    crew->context = context;
    begin_round(crew);
    work(context, 0);
    wait_for_members(crew);
}

int crew_size(const struct crew *crew)
{
    return crew->size;
}

enum status crew_new(struct crew **crew, struct env *env, int size, struct error *err)
{
    struct crew *made = mem_zero(1, sizeof *made);

    size = MAX(1, MIN(size, CREW_SIZE_MAX));
    if (made)
        made->members = mem_zero((size_t)size, sizeof *made->members);
    if (!made || !made->members) {
        mem_free(made);
        return fail(err, STATUS_MEMORY, "no memory for %d threads", size);
    }
    made->env = env;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->begun, NULL);
    pthread_cond_init(&made->finished, NULL);
    for (made->size = 1; made->size < size; made->size++) {
        struct member *member = &made->members[made->size];
        struct error refused; /* fewer threads do the same work */

        *member = (struct member){.crew = made, .number = made->size};
        if (env->calls->thread_start(env, &member->thread, run_member, member, &refused) !=
            STATUS_OK)
            break;
    }
    *crew = made;
    return STATUS_OK;
}

void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    crew->leave = true;
    if (crew->size > 1)
        begin_round(crew);
    for (int m = 1; m < crew->size; m++)
        crew->env->calls->thread_join(crew->env, crew->members[m].thread);
    pthread_cond_destroy(&crew->finished);
    pthread_cond_destroy(&crew->begun);
    pthread_mutex_destroy(&crew->lock);
    mem_free(crew->members);
    mem_free(crew);
}
