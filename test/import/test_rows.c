/* The fast way through a line and the slow one must say the same of every line. */
#include "test.h"

#include <stdlib.h>

#include "import/rows.c"

enum { LINES = 400, TEXT_MAX = 1 << 16 };

static void add_price(struct random *random, char *line, size_t *length, double price)
{
    static const char *const forms[] = {"%.2f", "%.5f",  "%.0f",  "%.8f",
                                        "%g",   "%.12f", "%.17g", "%e"};

    *length += (size_t)sprintf(line + *length, forms[random_below(random, ARRAY_COUNT(forms))],
                               price);
}

static void add_time(struct random *random, char *line, size_t *length, int row, int kind)
{
    int64_t ms = date_to_ms((struct date){2020, 1, 1}) + row * INT64_C(60000);
    char text[TIME_TEXT_BYTES];

    time_to_text(ms, false, text);
    switch (kind) {
    case 0:
        *length += (size_t)sprintf(line + *length, "%lld", (long long)ms);
        return;
    case 1:
        *length += (size_t)sprintf(line + *length, "%lld", (long long)ms / 1000);
        return;
    case 2:
        text[10] = random_below(random, 2) ? ' ' : 'T';
        *length += (size_t)sprintf(line + *length, "%.19s", text);
        return;
    case 3:
        *length += (size_t)sprintf(line + *length, "%.19s+00:00", text);
        return;
    default:
        *length += (size_t)sprintf(line + *length, "%lld000", (long long)ms);
    }
}

/* A table that is mostly fine; one line in eight is then broken somewhere. */
static size_t make_table(struct random *random, char *text, char delimiter)
{
    static const char broken[] = ",;\t|\"' .-+eEnN0159x\\N\r:TZ";
    size_t length = 0;
    int kind = (int)random_below(random, 5);

    for (int row = 0; row < LINES; row++) {
        char line[512];
        size_t at = 0;
        double base = 1 + 1000 * random_unit(random), spread = base * 0.01;

        add_time(random, line, &at, row,
                 random_below(random, 16) ? kind : (int)random_below(random, 5));
        for (int c = 0; c < 5; c++) {
            double price = c == 1   ? base + spread
                           : c == 2 ? base - spread
                           : c == 4 ? base * 100
                                    : base;

            line[at++] = delimiter;
            add_price(random, line, &at, price);
        }
        at += (size_t)sprintf(line + at, "%c%s%cAB%d", delimiter,
                              random_below(random, 4) ? "x" : "y y", delimiter,
                              (int)random_below(random, 3));
        while (random_below(random, 8) == 0 && at > 1) {
            size_t place = random_below(random, at);

            if (random_below(random, 2))
                line[place] = broken[random_below(random, sizeof broken - 1)];
            else
                at = place;
        }
        memcpy(text + length, line, at);
        length += at;
        if (random_below(random, 5) == 0)
            text[length++] = '\r';
        text[length++] = '\n';
    }
    memset(text + length, 0, NUMBER_SLACK_BYTES);
    return length;
}

static void read_table(struct table *table, const char *text, size_t length,
                       const struct layout *layout, bool slow)
{
    static const struct zone zone = {.name = "+01:00", .offset_ms = 3600000};
    struct rows rows;
    struct error err;

    table_init(table, TIMEFRAME_1M, 1000);
    CHECK_OK(rows_init(&rows, layout, &zone, table, (struct text){"", 0}, &err));
    rows.slow_only |= slow;
    rows_read_lines(&rows, text, text + length);
    CHECK(!table->no_memory && !rows.full);
}

static void check_same_series(const struct series *a, const struct series *b)
{
    CHECK_TEXT(a->symbol, b->symbol);
    CHECK_INT(a->count, b->count);
    CHECK(memcmp(a->time, b->time, a->count * sizeof *a->time) == 0);
    CHECK(memcmp(a->line, b->line, a->count * sizeof *a->line) == 0);
    for (int c = 0; c < BAR_COLUMNS; c++)
        CHECK_SAME_BITS(a->column[c], b->column[c], a->count);
}

TEST(the_fast_way_reads_what_the_slow_way_reads)
{
    static const char delimiters[] = ",;\t|";
    char *text = malloc(TEXT_MAX * 4);
    uint64_t bars = 0, rejected = 0;

    for (uint64_t seed = 0; seed < 300; seed++) {
        struct random random;
        struct table fast, slow;
        struct layout layout = {.delimiter = delimiters[seed % 4],
                                .decimal = '.',
                                .fields = 8,
                                .price_factor = 1,
                                .price_shift = seed % 3 == 0 ? -3 : 0};
        size_t length;

        for (int f = 0; f < FIELD_COUNT; f++)
            layout.column[f] = f == FIELD_CLOCK    ? -1
                               : f == FIELD_TIME   ? 0
                               : f == FIELD_SYMBOL ? 7
                                                   : f - FIELD_OPEN + 1;
        if (seed % 5 == 0) {
            layout.where_count = 1;
            layout.where[0].column = 6;
            layout.where[0].value = TEXT("x");
        }
        random_init(&random, seed, 0);
        length = make_table(&random, text, layout.delimiter);
        read_table(&fast, text, length, &layout, false);
        read_table(&slow, text, length, &layout, true);
        CHECK_INT(fast.series_count, slow.series_count);
        for (size_t i = 0; i < fast.series_count; i++) {
            check_same_series(&fast.series[i], &slow.series[i]);
            bars += fast.series[i].count;
        }
        CHECK(memcmp(&fast.counts, &slow.counts, sizeof fast.counts) == 0);
        CHECK_INT(fast.reject_count, slow.reject_count);
        for (size_t i = 0; i < fast.reject_count; i++) {
            CHECK_INT(fast.rejects[i].line, slow.rejects[i].line);
            CHECK_TEXT(fast.rejects[i].text, slow.rejects[i].text);
        }
        rejected += fast.counts.rejected_all;
        table_deinit(&fast);
        table_deinit(&slow);
    }
    CHECK(bars > 50000 && rejected > 5000); /* both kinds were there */
    free(text);
}
