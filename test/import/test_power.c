/* Power cuts during imports and resampling: whatever the disk looks like afterwards, the markets
 * are as they were after the last command that had ended, or after the one that was running.  And
 * the same command once more completes it. */
#include "test.h"

#include "import/import.h"
#include "sys/simulated.h"

enum { STEPS = 4, IMAGES_A_CUT = 60 };

static const char data_dir[] = "store";

static void write_text(struct env *env, const char *path, const char *text)
{
    struct env_file *file;
    struct error err;

    CHECK_OK(env->calls->open(env, &file, path, OPEN_CREATE, &err));
    CHECK_OK(env->calls->write(env, file, text, strlen(text), 0, &err));
    CHECK_OK(env->calls->sync(env, file, &err));
    env->calls->close(env, file);
    CHECK_OK(env->calls->sync_directory(env, "/", &err));
}

/* Days of five symbols: rows of `count` days from `first` on, closes of `close`. */
static void write_days(struct env *env, const char *path, int first, int count, double close)
{
    struct buffer text = {0};

    buffer_add_text(&text, "symbol,time,open,high,low,close,volume\n");
    for (int symbol = 0; symbol < 5; symbol++)
        for (int day = first; day < first + count; day++) {
            char date[TIME_TEXT_BYTES];

            time_to_text(date_to_ms((struct date){2020, 1, 1}) + day * (int64_t)DAY_MS, true, date);
            buffer_addf(&text, "S%d,%s,1,3,0.5,%g,10\n", symbol, date, close);
        }
    write_text(env, path, buffer_text(&text));
    buffer_deinit(&text);
}

static enum status import_file(struct env *env, const char *path, bool replace, struct error *err)
{
    const char *paths[] = {path};
    struct import_options options = {.env = env,
                                     .data_dir = data_dir,
                                     .paths = paths,
                                     .path_count = 1,
                                     .replace = replace,
                                     .threads = 1};
    struct import_report report;
    enum status status;

    CHECK_OK(market_parse(&options.market, TEXT("x/1d"), err));
    status = import_run(&options, &report, err);
    import_report_deinit(&report);
    return status;
}

/* The commands of the workload, in order. */
static enum status run_step(struct env *env, int step, struct error *err)
{
    struct resample_options resample = {
        .env = env, .data_dir = data_dir, .to = TIMEFRAME_1W, .replace = true};
    struct resample_report report;

    switch (step) {
    case 0:
        return import_file(env, "a.csv", false, err);
    case 1: /* appended */
        return import_file(env, "b.csv", false, err);
    case 2: /* rewritten */
        return import_file(env, "c.csv", true, err);
    default:
        CHECK_OK(market_parse(&resample.from, TEXT("x/1d"), err));
        return resample_run(&resample, &report, err);
    }
}

static void add_market(struct env *env, const char *market, struct buffer *out)
{
    struct market_name name;
    struct snapshot *snapshot;
    struct error err;

    CHECK_OK(market_parse(&name, text_of(market), &err));
    if (snapshot_open(&snapshot, env, data_dir, &name, &err) != STATUS_OK)
        return;
    for (size_t s = 0; s < snapshot_symbol_count(snapshot); s++) {
        struct bars bars;

        if (snapshot_bars(snapshot, s, &bars, &err) != STATUS_OK) {
            buffer_addf(out, "%s\n", err.text);
            continue;
        }
        for (size_t i = 0; i < bars.count; i++) {
            buffer_addf(out, "%s %s ", market, snapshot_symbol_name(snapshot, s));
            bars_csv_row(out, &bars, i, TIMEFRAME_1D);
            buffer_add_char(out, '\n');
        }
    }
    snapshot_close(snapshot);
}

static void take_state(struct env *env, struct buffer *out)
{
    add_market(env, "x/1d", out);
    add_market(env, "x/1w", out);
}

struct trial {
    struct env_power disk;
    struct buffer after[STEPS + 1];
};

static void check_image(const struct trial *trial, size_t cut, uint64_t index)
{
    uint64_t noted = env_power_noted(&trial->disk, cut);
    struct buffer found = {0}, again = {0};
    struct env_power image;
    struct error err;
    bool fine;

    env_power_image(&image, &trial->disk, cut, index);
    take_state(&image.env, &found);
    fine = strcmp(buffer_text(&found), trial->after[noted].length ? trial->after[noted].at : "") ==
               0 ||
           (noted < STEPS && strcmp(buffer_text(&found), trial->after[noted + 1].at) == 0);
    if (!fine)
        print_error("cut %zu, image %llu, after step %llu:\n%s", cut, (unsigned long long)index,
                    (unsigned long long)noted, buffer_text(&found));
    CHECK(fine);
    if (noted < STEPS) {
        CHECK_OK(run_step(&image.env, (int)noted, &err));
        take_state(&image.env, &again);
        CHECK_TEXT(buffer_text(&again), trial->after[noted + 1].at);
    }
    buffer_deinit(&found);
    buffer_deinit(&again);
    env_power_deinit(&image);
}

TEST(a_power_cut_leaves_an_import_whole_or_undone)
{
    static struct trial trial;
    struct error err;
    uint64_t images = 0;
    size_t before;

    env_power_init(&trial.disk, 1);
    write_days(&trial.disk.env, "a.csv", 0, 20, 1.5);
    write_days(&trial.disk.env, "b.csv", 15, 20, 1.5);
    write_days(&trial.disk.env, "c.csv", 10, 15, 2.5);
    before = env_power_length(&trial.disk);
    for (int step = 0; step < STEPS; step++) {
        CHECK_OK(run_step(&trial.disk.env, step, &err));
        env_power_note(&trial.disk, (uint64_t)step + 1);
        take_state(&trial.disk.env, &trial.after[step + 1]);
        CHECK(strlen(buffer_text(&trial.after[step + 1])) >
              1000); /* ended by a zero from here on */
    }
    for (size_t cut = before; env_power_next_cut(&trial.disk, &cut); cut++) {
        uint64_t count = env_power_image_count(&trial.disk, cut);

        for (uint64_t i = 0; i < MIN(count, IMAGES_A_CUT); i++, images++)
            check_image(&trial, cut, count <= IMAGES_A_CUT ? i : POWER_DRAWN | (cut * 1000 + i));
    }
    print_message("%llu images\n", (unsigned long long)images);
    CHECK(images > 500);
    for (int step = 0; step <= STEPS; step++)
        buffer_deinit(&trial.after[step]);
    env_power_deinit(&trial.disk);
}
