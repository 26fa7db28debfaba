/* Power cuts (T2) and kills at every point (T1): whatever the disk looks like afterwards, a market
 * is as it was after the last batch that was acknowledged, or after the one that was being
 * committed, and never between. */
#include "workload.h"

/* ---- cutting the power
 * ---------------------------------------------------------------------------------- */

struct trial {
    struct env_power disk;
    struct digest after[OPERATIONS_MAX + 1]; /* each operation; [0] before the first */
    char workload[OPERATIONS_MAX + 1];
    uint64_t images, exhaustive_cuts, cuts;
};

static void run_workload(struct trial *trial, const enum operation *operations, size_t count)
{
    struct error err;

    env_power_init(&trial->disk, 1);
    digest_take(&trial->after[0], &trial->disk.env);
    for (size_t i = 0; i < count; i++) {
        trial->workload[i] = operation_letters[operations[i]];
        CHECK_OK(operate(&trial->disk.env, operations[i], (unsigned)i, &err));
        env_power_note(&trial->disk, i + 1);
        digest_take(&trial->after[i + 1], &trial->disk.env);
        if (trial->after[i + 1].corrupt)
            print_error("%s: %s\n", trial->workload, trial->after[i + 1].text);
        CHECK(!trial->after[i + 1].corrupt);
    }
    trial->workload[count] = 0;
}

static void complain(const struct trial *trial, const struct digest *found, size_t cut,
                     uint64_t index, const char *where)
{
    struct buffer text = {0};

    env_power_describe(&trial->disk, cut, index, &text);
    print_error("workload %s, cut %zu, image %llu, %s: %zu symbols%s%s %s\n%s", trial->workload,
                cut, (unsigned long long)index, where, found->count,
                found->missing ? ", missing" : "", found->corrupt ? ", corrupt" : "", found->text,
                buffer_text(&text));
    buffer_deinit(&text);
    _fail(__FILE__, __LINE__);
}

/* The market in the image is in one of the two states; returns which. */
static uint64_t check_state(const struct trial *trial, struct env *env, size_t cut, uint64_t index,
                            const char *where)
{
    uint64_t noted = env_power_noted(&trial->disk, cut);
    struct digest found;

    digest_take(&found, env);
    if (digests_are_equal(&found, &trial->after[noted]))
        return noted;
    if (trial->workload[noted] && digests_are_equal(&found, &trial->after[noted + 1]))
        return noted + 1;
    complain(trial, &found, cut, index, where);
    return noted;
}

/* Writing goes on where it was, and the power may go again while it does. */
static void check_recovery(const struct trial *trial, struct env_power *image, size_t cut,
                           uint64_t index, uint64_t draw)
{
    uint64_t noted = env_power_noted(&trial->disk, cut);
    size_t begin = env_power_length(image);
    struct digest before, after, found;
    struct verify_report report;
    struct env_power again;
    struct error err;

    check_state(trial, &image->env, cut, index, "before recovery");
    digest_take(&before, &image->env);
    CHECK_OK(operate(&image->env, APPEND, 15, &err));
    digest_take(&after, &image->env);
    if (after.corrupt || after.count < before.count || after.missing)
        complain(trial, &after, cut, index, "after recovery");
    CHECK_OK(store_verify(&image->env, "data", &market, false, &report, &err));
    if (report.problem_count) {
        snprintf(after.text, sizeof after.text, "%.200s", report.problems[0].text);
        complain(trial, &after, cut, index, "verify after recovery");
    }
    verify_report_deinit(&report);
    for (int i = 0; i < 3; i++) {
        size_t second = begin + (size_t)random_at(draw, 7, (uint64_t)i) %
                                    (env_power_length(image) - begin + 1);

        env_power_image(&again, image, second, POWER_DRAWN | random_at(draw, 8, (uint64_t)i) >> 1);
        digest_take(&found, &again.env);
        /* A record that was not yet seen may be found by the writer, and then it is there for good.
         */
        if (!digests_are_equal(&found, &trial->after[noted]) &&
            !digests_are_equal(&found, &after) &&
            !(trial->workload[noted] && digests_are_equal(&found, &trial->after[noted + 1])))
            complain(trial, &found, cut, index, "power lost in recovery");
        env_power_deinit(&again);
    }
}

static void cut_everywhere(struct trial *trial, uint64_t limit, unsigned recover_every)
{
    struct env_power image;

    for (size_t cut = 0; env_power_next_cut(&trial->disk, &cut); cut++) {
        uint64_t count = env_power_image_count(&trial->disk, cut);

        trial->cuts++;
        trial->exhaustive_cuts += count <= limit;
        for (uint64_t i = 0; i < MIN(count, limit); i++) {
            uint64_t index = count <= limit ? i : POWER_DRAWN | random_at(count, cut, i) >> 1;

            env_power_image(&image, &trial->disk, cut, index);
            if (recover_every && trial->images % recover_every == 0)
                check_recovery(trial, &image, cut, index, trial->images);
            else
                check_state(trial, &image.env, cut, index, "opened");
            env_power_deinit(&image);
            trial->images++;
        }
    }
}

static void cut_workload(struct trial *trial, const enum operation *operations, size_t count,
                         uint64_t limit, unsigned recover_every)
{
    run_workload(trial, operations, count);
    cut_everywhere(trial, limit, recover_every);
    env_power_deinit(&trial->disk);
}

TEST(every_workload_of_up_to_three_operations_survives_every_power_cut)
{
    static const enum operation base[] = {IMPORT, APPEND, GROW, REMOVE, REPLACE};
    enum { KINDS = ARRAY_COUNT(base) };
    struct trial *trial = calloc(1, sizeof *trial);
    uint64_t limit = torture() ? 2048 : 24;
    unsigned workloads = 0;

    for (size_t length = 1; length <= 3; length++)
        for (size_t code = 0; code < (length == 1   ? KINDS
                                      : length == 2 ? KINDS * KINDS
                                                    : KINDS * KINDS * KINDS);
             code++) {
            enum operation operations[3] = {base[code % KINDS], base[code / KINDS % KINDS],
                                            base[code / KINDS / KINDS % KINDS]};

            cut_workload(trial, operations, length, limit, 11);
            workloads++;
        }
    print_message("%u workloads, %llu cuts (%llu with every image), %llu images\n", workloads,
                  (unsigned long long)trial->cuts, (unsigned long long)trial->exhaustive_cuts,
                  (unsigned long long)trial->images);
    free(trial);
}

TEST(random_workloads_survive_random_power_cuts)
{
    struct trial *trial = calloc(1, sizeof *trial);
    unsigned workloads = torture() ? 2000 : 60;

    for (unsigned w = 0; w < workloads; w++) {
        enum operation operations[OPERATIONS_MAX];
        size_t length = 4 + (size_t)random_at(w, 1, 0) % 9;

        for (size_t i = 0; i < length; i++)
            operations[i] = (enum operation)(random_at(w, 2, i) % OPERATION_COUNT);
        cut_workload(trial, operations, length, torture() ? 64 : 6, 3);
    }
    print_message("%u workloads, %llu cuts, %llu images\n", workloads,
                  (unsigned long long)trial->cuts, (unsigned long long)trial->images);
    free(trial);
}

TEST(a_writer_killed_at_any_call_leaves_one_state_and_no_leftovers)
{
    static const enum operation operations[] = {IMPORT, APPEND,     GROW,    IMPORT, APPEND,
                                                UNDO,   APPEND,     REPLACE, REMOVE, RENAME,
                                                UNDO,   CHECKPOINT, GROW,    APPEND};
    struct trial *trial = calloc(1, sizeof *trial);
    uint64_t kills = 0;

    run_workload(trial, operations, ARRAY_COUNT(operations));
    for (size_t cut = 0; cut <= env_power_length(&trial->disk); cut++) {
        struct env_power image;

        env_power_killed(&image, &trial->disk, cut);
        check_recovery(trial, &image, cut, 0, cut);
        env_power_deinit(&image);
        kills++;
    }
    print_message("%llu kills, one at each change of the disk\n", (unsigned long long)kills);
    CHECK(kills >= 200);
    env_power_deinit(&trial->disk);
    free(trial);
}
