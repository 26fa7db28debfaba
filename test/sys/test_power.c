/* The disk that loses power: each state it may leave, and none that it may not. */
#include "test.h"

#include "sys/image.c"
#include "sys/power.c"

static struct env_file *opened(struct env_power *power, const char *path, enum open_mode mode)
{
    struct env_file *file = NULL;
    struct error err;

    CHECK_OK(power->env.calls->open(&power->env, &file, path, mode, &err));
    return file;
}

static void written(struct env_power *power, struct env_file *file, const void *bytes,
                    size_t length, uint64_t at)
{
    struct error err;

    CHECK_OK(power->env.calls->write(&power->env, file, bytes, length, at, &err));
}

static void synced(struct env_power *power, struct env_file *file)
{
    struct error err;

    CHECK_OK(power->env.calls->sync(&power->env, file, &err));
}

static void directory_synced(struct env_power *power)
{
    struct error err;

    CHECK_OK(power->env.calls->sync_directory(&power->env, "/", &err));
}

/* The file's bytes, or "(none)". */
static const char *content(struct env_power *power, const char *path)
{
    static char text[8192];
    struct env_file *file;
    struct error err;
    size_t got;

    if (power->env.calls->open(&power->env, &file, path, OPEN_READ, &err) != STATUS_OK)
        return "(none)";
    memset(text, 0, sizeof text);
    CHECK_OK(power->env.calls->read(&power->env, file, text, sizeof text - 1, 0, &got, &err));
    power->env.calls->close(&power->env, file);
    return text;
}

/* How many images after the last cut show each of the contents that are expected; any other fails.
 */
static void count_contents(struct env_power *power, const char *path, const char *const *expected,
                           size_t count, unsigned *seen)
{
    size_t cut = env_power_length(power);
    uint64_t images = env_power_image_count(power, cut);

    memset(seen, 0, count * sizeof *seen);
    for (uint64_t i = 0; i < images; i++) {
        struct env_power image;
        const char *found;
        size_t which = 0;

        env_power_image(&image, power, cut, i);
        found = content(&image, path);
        while (which < count && strcmp(found, expected[which]) != 0)
            which++;
        if (which == count)
            FAIL("image %d has %s", (int)i, found);
        seen[which]++;
        env_power_deinit(&image);
    }
}

TEST(nothing_is_durable_before_a_sync_of_file_and_directory)
{
    static const char *const expected[] = {"(none)", "", "abc"};
    struct env_power power;
    struct env_file *file;
    unsigned seen[3];

    env_power_init(&power, 1);
    file = opened(&power, "/f", OPEN_NEW);
    written(&power, file, "abc", 3, 0);
    synced(&power, file);
    count_contents(&power, "/f", expected, 3, seen);
    CHECK(seen[0] == 1 && seen[1] == 0 && seen[2] == 1); /* the name alone is open */
    directory_synced(&power);
    count_contents(&power, "/f", expected, 3, seen);
    CHECK(seen[0] == 0 && seen[1] == 0 && seen[2] == 1);
    power.env.calls->close(&power.env, file);
    env_power_deinit(&power);
}

TEST(unsynced_writes_are_dropped_in_any_combination)
{
    static const char *const expected[] = {"1234", "A234", "12B4", "A2B4"};
    struct env_power power;
    struct env_file *file;
    unsigned seen[4];

    env_power_init(&power, 1);
    file = opened(&power, "f", OPEN_NEW);
    written(&power, file, "1234", 4, 0);
    synced(&power, file);
    directory_synced(&power);
    written(&power, file, "A", 1, 0);
    written(&power, file, "B", 1, 2);
    count_contents(&power, "f", expected, 4, seen);
    for (int i = 0; i < 4; i++)
        CHECK_INT(seen[i], 1);
    synced(&power, file);
    count_contents(&power, "f", expected, 4, seen);
    CHECK(seen[3] == 1 && seen[0] + seen[1] + seen[2] == 0);
    power.env.calls->close(&power.env, file);
    env_power_deinit(&power);
}

TEST(a_write_that_lengthens_may_leave_zeros_or_garbage)
{
    struct env_power power;
    struct env_file *file;
    bool dropped = false, whole = false, zeros = false, garbage = false;
    uint64_t count;

    env_power_init(&power, 1);
    file = opened(&power, "f", OPEN_NEW);
    written(&power, file, "12", 2, 0);
    synced(&power, file);
    directory_synced(&power);
    written(&power, file, "ABCD", 4, 1); /* replaces one byte and adds three */
    count = env_power_image_count(&power, env_power_length(&power));
    CHECK_INT(count, 4);
    for (uint64_t i = 0; i < count; i++) {
        struct env_power image;
        const char *found;

        env_power_image(&image, &power, env_power_length(&power), i);
        found = content(&image, "f");
        CHECK(image.disk->inodes[1].size == 2 || image.disk->inodes[1].size == 5);
        CHECK_INT(found[0], '1');
        if (image.disk->inodes[1].size == 2)
            dropped = strcmp(found, "12") == 0;
        else if (strcmp(found, "1ABCD") == 0)
            whole = true;
        else if (memcmp(found, "12\0\0\0", 5) == 0)
            zeros = true;
        else
            garbage = found[1] == '2' && memcmp(found + 2, "BCD", 3) != 0;
        env_power_deinit(&image);
    }
    CHECK(dropped && whole && zeros && garbage);
    power.env.calls->close(&power.env, file);
    env_power_deinit(&power);
}

TEST(a_write_is_torn_at_sectors_and_a_long_one_at_pages)
{
    uint64_t tears[TEARS_MAX];
    struct trace op = {.kind = TRACE_WRITE, .at = 100, .length = 1000, .size_before = 5000};

    CHECK_INT(tears_of(&op, tears), 2);
    CHECK(tears[0] == 512 && tears[1] == 1024);
    CHECK_INT(fate_count(&op), 2 + 2 * 2);
    op.size_before = 0;
    CHECK_INT(fate_count(&op), 4 + 3 * 2);
    op = (struct trace){.kind = TRACE_WRITE, .at = 512, .length = 512, .size_before = 5000};
    CHECK_INT(tears_of(&op, tears), 0);
    op = (struct trace){.kind = TRACE_WRITE, .at = 0, .length = 3 * 4096 + 1};
    CHECK_INT(tears_of(&op, tears), 3);
    CHECK(tears[0] == 4096 && tears[2] == 3 * 4096);
    op = (struct trace){.kind = TRACE_WRITE, .at = 0, .length = 100 * 4096};
    CHECK_INT(tears_of(&op, tears), TEARS_MAX);
    CHECK(tears[0] == 4096 && tears[3] == 4 * 4096 && tears[4] == 96 * 4096 &&
          tears[7] == 99 * 4096);
}

TEST(both_sides_of_a_tear_may_survive)
{
    static char old[1025], new[1025], front[1025], back[1025];
    const char *const expected[] = {old, new, front, back};
    struct env_power power;
    struct env_file *file;
    unsigned seen[4];

    memset(old, 'o', 1024);
    memset(new, 'n', 1024);
    memcpy(front, old, 1024);
    memset(front, 'n', 512);
    memcpy(back, old, 1024);
    memset(back + 512, 'n', 512);
    env_power_init(&power, 1);
    file = opened(&power, "f", OPEN_NEW);
    written(&power, file, old, 1024, 0);
    synced(&power, file);
    directory_synced(&power);
    written(&power, file, new, 1024, 0);
    count_contents(&power, "f", expected, 4, seen);
    for (int i = 0; i < 4; i++)
        CHECK_INT(seen[i], 1);
    power.env.calls->close(&power.env, file);
    env_power_deinit(&power);
}

TEST(a_rename_is_whole_or_not_at_all)
{
    struct env_power power;
    struct error err;
    size_t cut;
    int old = 0, new = 0;

    env_power_init(&power, 1);
    CHECK_OK(file_write_whole(&power.env, "f", "old", 3, &err));
    env_power_note(&power, 1);
    CHECK_OK(file_write_whole(&power.env, "f", "new", 3, &err));
    env_power_note(&power, 2);
    for (cut = 0; env_power_next_cut(&power, &cut); cut++)
        for (uint64_t i = 0; i < env_power_image_count(&power, cut); i++) {
            struct env_power image;
            const char *found;

            env_power_image(&image, &power, cut, i);
            found = content(&image, "f");
            if (env_power_noted(&power, cut) == 0)
                CHECK(strcmp(found, "(none)") == 0 || strcmp(found, "old") == 0);
            else if (env_power_noted(&power, cut) == 1)
                CHECK(strcmp(found, "old") == 0 || strcmp(found, "new") == 0);
            else
                CHECK_TEXT(found, "new");
            old += strcmp(found, "old") == 0;
            new += strcmp(found, "new") == 0;
            env_power_deinit(&image);
        }
    CHECK(old > 1 && new > 1);
    env_power_deinit(&power);
}

/* A wrong order (rename before the sync of what is renamed) is found: this is what the simulator is
 * for. */
TEST(a_forgotten_sync_shows)
{
    struct env_power power;
    struct env_file *file;
    struct error err;
    size_t cut;
    int violations = 0;

    env_power_init(&power, 1);
    CHECK_OK(file_write_whole(&power.env, "f", "old", 3, &err));
    file = opened(&power, "t", OPEN_NEW);
    written(&power, file, "new", 3, 0);
    CHECK_OK(power.env.calls->rename(&power.env, "t", "f", &err));
    directory_synced(&power);
    cut = env_power_length(&power);
    for (uint64_t i = 0; i < env_power_image_count(&power, cut); i++) {
        struct env_power image;
        const char *found;

        env_power_image(&image, &power, cut, i);
        found = content(&image, "f");
        violations += strcmp(found, "old") != 0 && strcmp(found, "new") != 0;
        env_power_deinit(&image);
    }
    CHECK(violations > 0);
    power.env.calls->close(&power.env, file);
    env_power_deinit(&power);
}

TEST(an_image_is_a_disk_that_can_lose_power_again)
{
    struct env_power power, image, again;
    struct env_file *file;
    unsigned char before[16], after[16];
    size_t begin;

    env_power_init(&power, 1);
    file = opened(&power, "f", OPEN_NEW);
    written(&power, file, "12", 2, 5000);
    synced(&power, file);
    directory_synced(&power);
    power.env.calls->close(&power.env, file);
    env_power_image(&image, &power, env_power_length(&power), 0);
    power.env.calls->boot_id(&power.env, before);
    image.env.calls->boot_id(&image.env, after);
    assert_memory_not_equal(before, after, 16);
    CHECK(clock_now_ms(&image.env) > clock_now_ms(&power.env));

    begin = env_power_length(&image);
    CHECK_INT(env_power_image_count(&image, begin), 1);
    file = opened(&image, "f", OPEN_WRITE);
    written(&image, file, "x", 1, 0);
    CHECK_INT(env_power_image_count(&image, env_power_length(&image)), 2);
    env_power_image(&again, &image, env_power_length(&image), 0);
    CHECK_INT(again.disk->inodes[1].size, 5002);
    CHECK_INT(again.disk->inodes[1].bytes[0], 0);
    assert_memory_equal(again.disk->inodes[1].bytes + 5000, "12", 2);
    env_power_deinit(&again);
    env_power_image(&again, &image, env_power_length(&image), 1);
    CHECK_INT(again.disk->inodes[1].bytes[0], 'x');
    env_power_deinit(&again);
    image.env.calls->close(&image.env, file);
    env_power_deinit(&image);
    env_power_deinit(&power);
}

TEST(a_killed_process_leaves_everything_it_called)
{
    struct env_power power, image;
    struct env_file *file;
    unsigned char before[16], after[16];

    env_power_init(&power, 1);
    file = opened(&power, "f", OPEN_NEW);
    written(&power, file, "abc", 3, 0);
    written(&power, file, "d", 1, 3);
    env_power_killed(&image, &power, env_power_length(&power));
    CHECK_TEXT(content(&image, "f"), "abcd");
    power.env.calls->boot_id(&power.env, before);
    image.env.calls->boot_id(&image.env, after);
    assert_memory_equal(before, after, 16);
    CHECK(env_power_image_count(&image, env_power_length(&image)) >
          1); /* and it is no more durable than it was */
    env_power_deinit(&image);
    env_power_killed(&image, &power, env_power_length(&power) - 1);
    CHECK_TEXT(content(&image, "f"), "abc");
    env_power_deinit(&image);
    power.env.calls->close(&power.env, file);
    env_power_deinit(&power);
}

TEST(drawn_images_are_the_same_for_the_same_seed_and_differ_for_others)
{
    struct env_power power;
    struct env_file *file;
    char first[8192];
    struct buffer text = {0};
    int different = 0;

    env_power_init(&power, 1);
    file = opened(&power, "f", OPEN_NEW);
    synced(&power, file);
    directory_synced(&power);
    for (int i = 0; i < 40; i++)
        written(&power, file, "xyz", 3, (uint64_t)i * 3);
    CHECK(env_power_image_count(&power, env_power_length(&power)) == POWER_DRAWN - 1);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct env_power image;

        env_power_image(&image, &power, env_power_length(&power), POWER_DRAWN | seed);
        memcpy(first, content(&image, "f"), sizeof first);
        env_power_deinit(&image);
        env_power_image(&image, &power, env_power_length(&power), POWER_DRAWN | seed);
        CHECK(memcmp(first, content(&image, "f"), sizeof first) == 0);
        env_power_deinit(&image);
        env_power_image(&image, &power, env_power_length(&power), POWER_DRAWN | (seed + 1));
        different += memcmp(first, content(&image, "f"), sizeof first) != 0;
        env_power_deinit(&image);
    }
    CHECK(different > 25);
    env_power_describe(&power, env_power_length(&power), POWER_DRAWN | 3, &text);
    CHECK_CONTAINS(buffer_text(&text), "write 1 at 0, 3 bytes — ");
    buffer_deinit(&text);
    power.env.calls->close(&power.env, file);
    env_power_deinit(&power);
}
