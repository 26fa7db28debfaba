/* Power cuts (T2) and kills at every point (T1): whatever the disk looks like afterwards, a market
 * is as it was after the last batch that was acknowledged, or after the one that was being
 * committed, and never between. */
#include <errno.h>

#include "workload.h"

/* ---- cutting the power ----------------------------------------------------------------------- */

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
    uint64_t limit = torture() ? 2048 : SANITIZED ? 8 : 72;
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
    CHECK(SANITIZED || trial->images >= 100000); /* what T2 promises */
    free(trial);
}

TEST(random_workloads_survive_random_power_cuts)
{
    struct trial *trial = calloc(1, sizeof *trial);
    unsigned workloads = torture() ? 2000 : SANITIZED ? 12 : 60;

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

/* A has so little room left that a checkpoint gives it a larger file, and undo, which is of B, does
 * not need the old one. */
static void fill_for_checkpoint(struct env_power *disk)
{
    struct put_result result;
    struct error err;

    env_power_init(disk, 1);
    for (int64_t i = 0; i < 5; i++)
        CHECK_OK(
            put_series(&disk->env, "data", "A", 1, i * 600, i * 600 + 600, false, &result, &err));
    CHECK_OK(put_series(&disk->env, "data", "B", 2, 0, 5, false, &result, &err));
}

/* An operation whose process ends at its n-th call; false where it has fewer. */
static bool operate_to(struct env_power *disk, enum operation operation, long n)
{
    struct env_fault fault;
    struct error err;

    env_fault_init(&fault, &disk->env);
    env_fault_arm(&fault, n, true, EIO);
    (void)operate(&fault.env, operation, 0, &err);
    return fault.failed > 0;
}

/* What a writer that was killed did not sync may yet be lost, though the next one sees it: it must
 * neither remove files for it nor promise anything upon it. */
static uint64_t kill_and_cut(enum operation operation, bool filled, long n, bool *ended)
{
    uint64_t images = 0, limit = torture() ? 4096 : 24;
    struct env_power disk, image;
    struct digest before, after, found;
    struct error err;
    size_t cut;

    if (filled) {
        fill_for_checkpoint(&disk);
    } else {
        env_power_init(&disk, 1);
        CHECK_OK(directory_make_all(&disk.env, "data", &err));
    }
    digest_take(&before, &disk.env);
    *ended = operate_to(&disk, operation, n);
    cut = env_power_length(&disk);
    CHECK_OK(operate(&disk.env, APPEND, 0, &err));
    env_power_note(&disk, 1);
    digest_take(&after, &disk.env);
    for (; env_power_next_cut(&disk, &cut); cut++) {
        uint64_t count = env_power_image_count(&disk, cut);

        for (uint64_t i = 0; i < MIN(count, limit); i++, images++) {
            env_power_image(&image, &disk, cut,
                            count <= limit ? i : POWER_DRAWN | random_at(cut, 5, i) >> 1);
            digest_take(&found, &image.env);
            if (!digests_are_equal(&found, &after) &&
                (found.corrupt || env_power_noted(&disk, cut) == 1 || found.count < before.count))
                FAIL("ended at call %ld, power cut at %zu: %s", n, cut,
                     found.corrupt ? found.text : "a batch is lost");
            env_power_deinit(&image);
        }
    }
    env_power_deinit(&disk);
    return images;
}

TEST(a_kill_and_a_power_cut_under_the_next_writer_lose_nothing)
{
    uint64_t images = 0;
    bool ended = true;

    for (long n = 1; ended; n++)
        images += kill_and_cut(CHECKPOINT, true, n, &ended);
    for (long n = ended = 1; ended; n++)
        images += kill_and_cut(IMPORT, false, n, &ended);
    print_message("%llu images\n", (unsigned long long)images);
}

/* So many files that they are synced all at once, and a checkpoint of as many. */
static enum status write_many(struct env *env, int64_t day, bool checkpoint, struct error *err)
{
    struct writer *writer;
    enum status status;

    TRY(writer_open(&writer, env, "data", &market, "test", err));
    status = STATUS_OK;
    for (int s = 0; s < 70 && status == STATUS_OK; s++) {
        char name[8];

        snprintf(name, sizeof name, "S%02d", s);
        status = put_here(writer, name, (uint64_t)s, day, day + 1, err);
    }
    if (status == STATUS_OK)
        status = writer_commit(writer, err);
    if (status == STATUS_OK && checkpoint)
        status = writer_checkpoint(writer, err);
    writer_close(writer);
    return status;
}

/* Days of every symbol, the same for all; 0 where there is no market. */
static size_t days_of_many(struct env *env)
{
    struct snapshot *snapshot;
    struct error err;
    size_t days;

    if (snapshot_open(&snapshot, env, "data", &market, &err) != STATUS_OK) {
        CHECK_INT(err.status, STATUS_MISSING);
        return 0;
    }
    CHECK_INT(snapshot_symbol_count(snapshot), 70);
    days = snapshot_symbol_info(snapshot, 0).bar_count;
    for (size_t i = 0; i < 70; i++) {
        CHECK_INT(snapshot_symbol_info(snapshot, i).bar_count, days);
        CHECK_OK(snapshot_check(snapshot, i, &err));
    }
    snapshot_close(snapshot);
    return days;
}

TEST(batches_of_many_files_survive_power_cuts)
{
    struct env_power disk, image;
    struct error err;
    unsigned long images = 0;

    env_power_init(&disk, 3);
    for (int64_t day = 0; day < 4; day++) {
        CHECK_OK(write_many(&disk.env, day, day == 2, &err));
        env_power_note(&disk, (uint64_t)day + 1);
    }
    for (size_t cut = 0; env_power_next_cut(&disk, &cut); cut += torture() ? 1 : 5) {
        uint64_t noted = env_power_noted(&disk, cut);

        for (uint64_t i = 0; i < 4; i++, images++) {
            size_t days;

            env_power_image(&image, &disk, cut, i ? POWER_DRAWN | random_at(cut, 4, i) >> 1 : 0);
            days = days_of_many(&image.env);
            CHECK(days == noted || days == noted + 1);
            env_power_deinit(&image);
        }
    }
    print_message("%lu images\n", images);
    env_power_deinit(&disk);
}

/* What is left of an older record behind the end of a shorter one must not be taken for its
 * successor. */
TEST(a_record_of_another_chain_behind_the_end_does_not_count)
{
    struct env_power disk;
    struct put_result result;
    struct error err;
    struct env_file *file;
    struct file_info info;
    static char bytes[1 << 16];
    size_t ends[4], got;

    env_power_init(&disk, 1);
    for (int batch = 0; batch < 4; batch++) {
        CHECK_OK(
            put_series(&disk.env, "data", "A", 1, batch * 3, batch * 3 + 3, false, &result, &err));
        CHECK_OK(disk.env.calls->path_info(&disk.env, "data/test/1d/journal", &info, &err));
        ends[batch] = (size_t)info.bytes;
    }
    /* The last record stands where the one before it stood, which is whole in itself but for the
     * chain. */
    CHECK_OK(disk.env.calls->open(&disk.env, &file, "data/test/1d/journal", OPEN_WRITE, &err));
    CHECK_OK(disk.env.calls->read(&disk.env, file, bytes, ends[3], 0, &got, &err));
    CHECK_OK(
        disk.env.calls->write(&disk.env, file, bytes + ends[2], ends[3] - ends[2], ends[1], &err));
    CHECK_OK(disk.env.calls->truncate(&disk.env, file, ends[1] + ends[3] - ends[2], &err));
    memset(bytes + STAMP_AT, 0, 64); /* as after another boot, before any stamp reached the disk */
    CHECK_OK(disk.env.calls->write(&disk.env, file, bytes + STAMP_AT, 64, STAMP_AT, &err));
    disk.env.calls->close(&disk.env, file);
    CHECK(symbol_is(&disk.env, "data", "A", 1, 0, 6));
    CHECK_OK(put_series(&disk.env, "data", "A", 1, 6, 8, false, &result, &err));
    CHECK(symbol_is(&disk.env, "data", "A", 1, 0, 8));
    env_power_deinit(&disk);
}
