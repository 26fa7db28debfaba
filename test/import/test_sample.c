/* The sample market: the same bytes everywhere, and sane. */
#include "test.h"

#include <stdlib.h>

#include "import/sample.c"
#include "import/table.h"

static void make(uint64_t seed, size_t symbol, enum timeframe frame, size_t bars, struct bars *view)
{
    int64_t *time = malloc(bars * sizeof *time);
    double *column[BAR_COLUMNS];

    for (int c = 0; c < BAR_COLUMNS; c++)
        column[c] = malloc(bars * sizeof(double));
    sample_bars(seed, symbol, frame, bars, time, column);
    *view = (struct bars){.count = bars, .time = time};
    for (int c = 0; c < BAR_COLUMNS; c++)
        view->column[c] = column[c];
}

static void unmake(struct bars *view)
{
    free((void *)(uintptr_t)view->time);
    for (int c = 0; c < BAR_COLUMNS; c++)
        free((void *)(uintptr_t)view->column[c]);
}

static uint64_t hash_of(const struct bars *bars)
{
    uint64_t hash = hash_bytes(bars->time, bars->count * 8, 0);

    for (int c = 0; c < BAR_COLUMNS; c++)
        hash = hash_bytes(bars->column[c], bars->count * 8, hash);
    return hash;
}

/* These numbers may never change: they are what "the same bytes on every machine" means. */
TEST(the_bytes_of_the_sample_market_are_these)
{
    static const struct {
        uint64_t seed;
        size_t symbol;
        enum timeframe frame;
        size_t bars;
        uint64_t hash;
    } rows[] = {
        {1, 0, TIMEFRAME_1D, 1828, UINT64_C(0x3dbf96aabd007f21)},
        {1, 210, TIMEFRAME_1D, 1828, UINT64_C(0xc252dba52b77ee57)},
        {1, 0, TIMEFRAME_1M, 100000, UINT64_C(0x44625160d7ca9045)},
        {2, 0, TIMEFRAME_1MO, 300, UINT64_C(0xe337837e0f2fe85d)},
    };

    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct bars bars;

        make(rows[i].seed, rows[i].symbol, rows[i].frame, rows[i].bars, &bars);
        if (hash_of(&bars) != rows[i].hash)
            print_error("row %zu: %#llx\n", i, (unsigned long long)hash_of(&bars));
        CHECK(hash_of(&bars) == rows[i].hash);
        unmake(&bars);
    }
}

TEST(every_bar_of_many_sample_markets_is_sane_and_in_its_place)
{
    static const enum timeframe frames[] = {TIMEFRAME_1M, TIMEFRAME_1H, TIMEFRAME_1D, TIMEFRAME_1W,
                                            TIMEFRAME_1MO};

    for (size_t i = 0; i < 200; i++) {
        enum timeframe frame = frames[i % ARRAY_COUNT(frames)];
        struct bars bars;

        make(i, i * 7, frame, 2000, &bars);
        CHECK_INT(bars.time[1999], timeframe_floor(frame, date_to_ms((struct date){2025, 1, 1})));
        for (size_t b = 0; b < bars.count; b++) {
            double value[BAR_COLUMNS];

            for (int c = 0; c < BAR_COLUMNS; c++)
                value[c] = bars.column[c][b];
            CHECK(bar_is_sane(value));
            CHECK(b == 0 || bars.time[b] == timeframe_next(frame, bars.time[b - 1]));
        }
        unmake(&bars);
    }
}

/* The user's first strategy should find something in it: prices that move both ways, and not all
 * alike. */
TEST(sample_symbols_rise_and_fall_and_differ)
{
    size_t risen = 0, calm = 0, wild = 0;

    for (size_t i = 0; i < SAMPLE_SYMBOLS; i++) {
        struct bars bars;
        double sum = 0, first, last;

        make(1, i, TIMEFRAME_1D, SAMPLE_BARS, &bars);
        for (size_t b = 1; b < bars.count; b++) {
            double r = bars.column[BAR_CLOSE][b] / bars.column[BAR_CLOSE][b - 1] - 1;

            sum += r * r;
        }
        sum = sqrt(sum / SAMPLE_BARS);
        first = bars.column[BAR_CLOSE][0];
        last = bars.column[BAR_CLOSE][SAMPLE_BARS - 1];
        risen += last > first;
        calm += sum < 0.02;
        wild += sum > 0.04;
        CHECK(last > first / 1000 && last < first * 10000 && sum < 0.12);
        unmake(&bars);
    }
    CHECK(risen > SAMPLE_SYMBOLS / 4 && risen < SAMPLE_SYMBOLS * 9 / 10);
    CHECK(calm > 20 && wild > 20);
}
