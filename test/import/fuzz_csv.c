/* Any bytes as a file: recognised or refused, read or rejected, and what is left is sane bars in
 * order.  The fast way and the slow way agree.  Built with -fsanitize=fuzzer. */
#include <stdlib.h>
#include <string.h>

#include "import/parse.h"
#include "import/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_bars(const struct bars *bars)
{
    for (size_t i = 0; i < bars->count; i++) {
        double value[BAR_COLUMNS];

        for (int c = 0; c < BAR_COLUMNS; c++)
            value[c] = bars->column[c][i];
        require(bar_is_sane(value));
        require(i == 0 || bars->time[i] > bars->time[i - 1]);
    }
}

/* The file as the importer reads it. */
static void parse_whole(const struct import_options *options, const char *text, size_t length,
                        char *buffer)
{
    static const char name[] = "fuzz.csv";
    atomic_uint_least64_t bytes_read = 0;
    struct parse_plan plan;
    struct parse_job job = {.file = {.kind = SOURCE_MEMORY, .base_length = 4}};
    struct error err;

    require(parse_plan_init(&plan, options, &bytes_read, &err) == STATUS_OK);
    job.file.name = mem_copy_text(name);
    job.file.bytes = mem_alloc(length);
    job.file.length = length;
    require(job.file.name && job.file.bytes);
    memcpy(job.file.bytes, text, length);
    parse_file(&plan, &job, buffer, NULL, NULL);
    for (size_t i = 0; i < job.table.series_count; i++) {
        struct bars bars = series_bars(&job.table.series[i]);

        check_bars(&bars);
    }
    parse_job_deinit(&job);
    parse_plan_deinit(&plan);
}

static void read_rows(struct table *table, const struct layout *layout, const char *text,
                      size_t length, bool slow)
{
    static const struct zone utc = {.name = "UTC"};
    struct rows rows;
    struct error err;

    table_init(table, TIMEFRAME_1M, 100);
    require(rows_init(&rows, layout, &utc, table, TEXT("A"), &err) == STATUS_OK);
    rows.slow_only |= slow;
    rows_read_lines(&rows, text, text + length);
}

static void compare_ways(const struct import_options *options, char *text, size_t length)
{
    struct layout_wish wish;
    struct layout layout;
    struct error err;
    struct table fast, slow;

    require(layout_wish_init(&wish, options, &err) == STATUS_OK);
    if (length == 0 || text[length - 1] != '\n' ||
        layout_of_csv(&layout, &wish, (struct text){text, length}, &err) ||
        layout.column[FIELD_TIME] < 0)
        return;
    layout.column[FIELD_SYMBOL] = -1;
    read_rows(&fast, &layout, text + layout.data_at, length - layout.data_at, false);
    read_rows(&slow, &layout, text + layout.data_at, length - layout.data_at, true);
    require(memcmp(&fast.counts, &slow.counts, sizeof fast.counts) == 0);
    require(fast.series_count == 1 && slow.series_count == 1 &&
            fast.series[0].count == slow.series[0].count);
    for (size_t i = 0; i < fast.series[0].count; i++) {
        require(fast.series[0].time[i] == slow.series[0].time[i]);
        for (int c = 0; c < BAR_COLUMNS; c++)
            require(fast.series[0].column[c][i] == slow.series[0].column[c][i]);
    }
    table_deinit(&fast);
    table_deinit(&slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct import_options options = {.env = env_posix(), .market = {"x", TIMEFRAME_1M}};
    char *buffer = malloc(PARSE_BUFFER_BYTES), *text = calloc(1, length + NUMBER_SLACK_BYTES);

    require(buffer && text);
    options.market.frame = length % 3 ? TIMEFRAME_1M : TIMEFRAME_1D;
    memcpy(text, bytes, length);
    parse_whole(&options, text, length, buffer);
    compare_ways(&options, text, length);
    free(buffer);
    free(text);
    return 0;
}
