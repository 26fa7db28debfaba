/* Every call of the system and every allocation fails once, and from then on for good (T3, S1.6):
 * nothing crashes, readers see one of the two states, what was acknowledged is durable, and when
 * the trouble is over writing goes on where it was. */
#include <errno.h>

#include "workload.h"

/* A disk to begin with: in the same boot as it was written, or found after the machine started
 * anew. */
static void prepare(struct env_power *disk, const enum operation *operations, size_t count,
                    bool anew)
{
    struct env_power first;
    struct error err;

    env_power_init(&first, 5);
    for (size_t i = 0; i < count; i++)
        CHECK_OK(operate(&first.env, operations[i], (unsigned)i, &err));
    if (anew)
        env_power_image(disk, &first, env_power_length(&first), 0);
    else
        env_power_killed(disk, &first, env_power_length(&first));
    env_power_deinit(&first);
}

struct count {
    unsigned long runs, failed, ignored;
};

static void complain(const char *what, enum operation operation, long nth, bool persistent,
                     const char *call, const struct digest *found)
{
    print_error("operation %c, call %ld (%s)%s: %s; %zu symbols%s%s %s\n",
                operation_letters[operation], nth, call, persistent ? " and all later" : "", what,
                found->count, found->missing ? ", missing" : "", found->corrupt ? ", corrupt" : "",
                found->text);
    _fail(__FILE__, __LINE__);
}

/* After a run that was disturbed at one place. */
static void check_after(struct env_power *disk, enum status status, const struct digest *before,
                        const struct digest *after, enum operation operation, long nth,
                        bool persistent, const char *call)
{
    struct digest found;
    struct env_power cut;
    struct verify_report report;
    struct error err;

    digest_take(&found, &disk->env);
    if (status == STATUS_OK
            ? !digests_are_equal(&found, after)
            : !digests_are_equal(&found, before) && !digests_are_equal(&found, after))
        complain("readers see neither state", operation, nth, persistent, call, &found);
    if (status == STATUS_OK) {
        /* What was acknowledged is there though every write that was not synced is gone. */
        env_power_image(&cut, disk, env_power_length(disk), 0);
        digest_take(&found, &cut.env);
        if (!digests_are_equal(&found, after))
            complain("acknowledged and not durable", operation, nth, persistent, call, &found);
        env_power_deinit(&cut);
    }
    /* A slot that was written in part is the one that does not count; the next checkpoint mends it.
     */
    status = operate(&disk->env, APPEND, 14, &err);
    if (status == STATUS_OK)
        status = operate(&disk->env, CHECKPOINT, 14, &err);
    if (status != STATUS_OK) {
        snprintf(found.text, sizeof found.text, "%.200s", err.text);
        complain("nothing can be written afterwards", operation, nth, persistent, call, &found);
    }
    CHECK_OK(store_verify(&disk->env, "data", &market, false, &report, &err));
    if (report.problem_count) {
        snprintf(found.text, sizeof found.text, "%.200s", report.problems[0].text);
        complain("verify finds damage afterwards", operation, nth, persistent, call, &found);
    }
    verify_report_deinit(&report);
}

/* One operation with its n-th call failing; false when it has fewer calls. */
static bool disturb(const struct env_power *from, enum operation operation, long nth,
                    bool persistent, int error_number, const struct digest *before,
                    const struct digest *after, struct count *count)
{
    struct env_power disk;
    struct env_fault fault;
    struct error err;
    enum status status;
    bool reached;

    env_power_killed(&disk, from, env_power_length(from));
    env_fault_init(&fault, &disk.env);
    env_fault_arm(&fault, nth, persistent, error_number);
    status = operate(&fault.env, operation, 3, &err);
    reached = fault.failed > 0;
    count->runs++;
    count->failed += status != STATUS_OK;
    count->ignored += reached && status == STATUS_OK;
    if (status != STATUS_OK)
        CHECK(err.text[0] != 0 && err.status == status);
    check_after(&disk, status, before, after, operation, nth, persistent,
                fault.last_failed ? fault.last_failed : "none");
    env_power_deinit(&disk);
    return reached;
}

/* The same with the n-th allocation. */
static bool starve(const struct env_power *from, enum operation operation, long nth,
                   bool persistent, const struct digest *before, const struct digest *after,
                   struct count *count)
{
    struct env_power disk;
    struct error err;
    enum status status;
    long made;

    env_power_killed(&disk, from, env_power_length(from));
    mem_fail_at(nth, persistent);
    status = operate(&disk.env, operation, 3, &err);
    made = mem_fail_at(0, 0);
    count->runs++;
    count->failed += status != STATUS_OK;
    count->ignored += made >= nth && status == STATUS_OK;
    check_after(&disk, status, before, after, operation, nth, persistent, "an allocation");
    env_power_deinit(&disk);
    return made >= nth;
}

/* Every operation, on a disk of this boot and on one that needs recovery. */
static void for_each_operation(void (*run)(const struct env_power *from, enum operation operation,
                                           const struct digest *before, const struct digest *after,
                                           struct count *count),
                               struct count *count)
{
    static const enum operation history[] = {IMPORT, IMPORT, APPEND, APPEND};

    for (int anew = 0; anew < 2; anew++)
        for (int operation = 0; operation < OPERATION_COUNT; operation++)
            for (size_t length = 0; length <= ARRAY_COUNT(history); length += 2) {
                struct env_power from, done;
                struct digest before, after;
                struct error err;

                prepare(&from, history, length, anew != 0);
                env_power_killed(&done, &from, env_power_length(&from));
                digest_take(&before, &from.env);
                CHECK_OK(operate(&done.env, (enum operation)operation, 3, &err));
                digest_take(&after, &done.env);
                run(&from, (enum operation)operation, &before, &after, count);
                env_power_deinit(&done);
                env_power_deinit(&from);
            }
}

static void fail_each_call(const struct env_power *from, enum operation operation,
                           const struct digest *before, const struct digest *after,
                           struct count *count)
{
    static const int errors[] = {EIO, ENOSPC};

    for (size_t e = 0; e < ARRAY_COUNT(errors); e++)
        for (int persistent = 0; persistent < 2; persistent++)
            for (long nth = 1;
                 disturb(from, operation, nth, persistent != 0, errors[e], before, after, count);
                 nth++)
                ;
}

static void fail_each_allocation(const struct env_power *from, enum operation operation,
                                 const struct digest *before, const struct digest *after,
                                 struct count *count)
{
    for (int persistent = 0; persistent < 2; persistent++)
        for (long nth = 1; starve(from, operation, nth, persistent != 0, before, after, count);
             nth++)
            ;
}

TEST(every_call_may_fail_once_or_for_good)
{
    struct count count = {0};

    for_each_operation(fail_each_call, &count);
    print_message("%lu runs, %lu refused, %lu went on without\n", count.runs, count.failed,
                  count.ignored);
    CHECK(count.failed > 1000);
}

TEST(every_allocation_may_fail_once_or_for_good)
{
    struct count count = {0};

    for_each_operation(fail_each_allocation, &count);
    print_message("%lu runs, %lu refused, %lu went on without\n", count.runs, count.failed,
                  count.ignored);
    CHECK(count.failed > 300);
}

/* Reading and verifying: a failure is told, and a digest without one is right. */
TEST(a_reader_tells_every_failure)
{
    static const enum operation history[] = {IMPORT, IMPORT, APPEND, GROW, APPEND};
    unsigned long runs = 0;

    for (int anew = 0; anew < 2; anew++) {
        struct env_power disk;
        struct digest right, found;
        struct verify_report report;
        struct error err;
        bool reached = true;

        prepare(&disk, history, ARRAY_COUNT(history), anew != 0);
        digest_take(&right, &disk.env);
        CHECK(!right.corrupt && right.count == 2);
        for (long nth = 1; reached; nth++, runs++) {
            struct env_fault fault;
            enum status status;

            env_fault_init(&fault, &disk.env);
            env_fault_arm(&fault, nth, true, EIO);
            digest_take(&found, &fault.env);
            reached = fault.failed > 0;
            CHECK(found.corrupt || digests_are_equal(&found, &right));
            CHECK(reached == found.corrupt);
            mem_fail_at(nth, 1);
            digest_take(&found, &disk.env);
            reached |= mem_fail_at(0, 0) >= nth;
            CHECK(found.corrupt || digests_are_equal(&found, &right));
            mem_fail_at(nth, 0);
            status = store_verify(&disk.env, "data", &market, false, &report, &err);
            reached |= mem_fail_at(0, 0) >= nth;
            CHECK(status == STATUS_MEMORY || (status == STATUS_OK && report.problem_count == 0));
            if (status == STATUS_OK)
                verify_report_deinit(&report);
        }
        env_power_deinit(&disk);
    }
    print_message("%lu places\n", runs);
}

TEST(a_writer_refuses_everything_after_a_failed_sync)
{
    struct env_power disk;
    struct env_fault fault;
    struct digest before, after;
    struct writer *writer;
    struct error err;
    bool seen = false;

    for (long nth = 1; !seen; nth++) {
        enum status status;

        env_power_init(&disk, 1);
        CHECK_OK(operate(&disk.env, IMPORT, 1, &err));
        digest_take(&before, &disk.env);
        env_fault_init(&fault, &disk.env);
        CHECK_OK(writer_open(&writer, &fault.env, "data", &market, "test", &err));
        CHECK_OK(put_next(writer, "A", 9, 2, &err));
        env_fault_arm(&fault, nth, false, EIO);
        status = writer_commit(writer, &err);
        seen = fault.last_failed && strcmp(fault.last_failed, "sync") == 0;
        if (seen) {
            CHECK_STATUS(status, STATUS_SYSTEM);
            CHECK_STATUS(writer_commit(writer, &err), STATUS_SYSTEM);
            CHECK_CONTAINS(err.text, "nothing more is written after a failure");
            CHECK_STATUS(put_next(writer, "A", 9, 2, &err), STATUS_SYSTEM);
            CHECK_STATUS(writer_checkpoint(writer, &err), STATUS_SYSTEM);
            digest_take(&after, &disk.env);
            CHECK(digests_are_equal(&before, &after));
        }
        writer_close(writer);
        env_power_deinit(&disk);
    }
}

/* Lists the markets and renames one; the n-th call or allocation fails.  False where there are
 * fewer. */
static bool disturb_markets(long nth, bool allocation)
{
    const struct market_name other = {.venue = "other", .frame = TIMEFRAME_1D};
    struct put_result result;
    struct market_name *names;
    struct env_power disk;
    struct env_fault fault;
    struct error err;
    size_t count;
    enum status status;
    bool reached;
    long made;

    env_power_init(&disk, 1);
    CHECK_OK(put_series(&disk.env, "data", "A", 1, 0, 10, false, &result, &err));
    env_fault_init(&fault, &disk.env);
    env_fault_arm(&fault, allocation ? 0 : nth, false, EIO);
    mem_fail_at(allocation ? nth : 0, 0);
    status = store_markets(&fault.env, "data", &names, &count, &err);
    if (status == STATUS_OK) {
        mem_free(names);
        status = store_market_rename(&fault.env, "data", &market, &other, &err);
    }
    made = mem_fail_at(0, 0);
    reached = allocation ? made >= nth : fault.failed > 0;
    if (!reached)
        CHECK_OK(status);
    CHECK_OK(store_markets(&disk.env, "data", &names, &count, &err));
    CHECK_INT(count, 1); /* under the one name or the other */
    mem_free(names);
    env_power_deinit(&disk);
    return reached;
}

TEST(a_market_that_cannot_be_renamed_is_not_lost)
{
    long calls = 1, allocations = 1;

    while (disturb_markets(calls, false))
        calls++;
    while (disturb_markets(allocations, true))
        allocations++;
    CHECK(calls > 10 && allocations > 5);
}
