/* The worked examples of doc/simulation.md, and the same bars as other engines were asked about:
 * entry at bar 3's open of 100, stop 95, target 105; the trail rows have a trail alone. */
#include "small.h"

struct example {
    const char *what;
    int side;
    double bar3[4], bar4[4], bar5[4], bar6[4]; /* open high low close; 0: does not matter */
    bool trail;
    int exit_bar;
    double exit_price; /* 0: stays open */
    enum trade_reason reason;
};

#define USUAL             \
    {                     \
        100, 101, 99, 100 \
    }

static const struct example examples[] = {
    {"gap through the stop",
     1,
     USUAL,
     {90, 92, 88, 91},
     .exit_bar = 4,
     .exit_price = 90,
     .reason = REASON_STOP},
    {"gap, trades back",
     1,
     USUAL,
     {90, 96, 88, 91},
     .exit_bar = 4,
     .exit_price = 90,
     .reason = REASON_STOP},
    {"gap through the target",
     1,
     USUAL,
     {108, 109, 107, 108},
     .exit_bar = 4,
     .exit_price = 108,
     .reason = REASON_TARGET},
    {"gap, falls back",
     1,
     USUAL,
     {108, 109, 104, 104},
     .exit_bar = 4,
     .exit_price = 108,
     .reason = REASON_TARGET},
    {"low exactly at the stop",
     1,
     USUAL,
     {100, 101, 95, 100},
     .exit_bar = 4,
     .exit_price = 95,
     .reason = REASON_STOP},
    {"high exactly at the target",
     1,
     USUAL,
     {100, 105, 99, 100},
     .exit_bar = 4,
     .exit_price = 105,
     .reason = REASON_TARGET},
    {"low just above the stop", 1, USUAL, {100, 101, 95.0001, 100}},
    {"both, opens in the middle",
     1,
     USUAL,
     {100, 106, 94, 101},
     .exit_bar = 4,
     .exit_price = 95,
     .reason = REASON_STOP},
    {"both, opens near the high",
     1,
     USUAL,
     {104, 106, 94, 95.5},
     .exit_bar = 4,
     .exit_price = 95,
     .reason = REASON_STOP},
    {"both, opens near the low",
     1,
     USUAL,
     {96, 106, 94, 104.5},
     .exit_bar = 4,
     .exit_price = 95,
     .reason = REASON_STOP},
    {"opens beyond the target, falls below the stop",
     1,
     USUAL,
     {107, 108, 94, 101},
     .exit_bar = 4,
     .exit_price = 107,
     .reason = REASON_TARGET},
    {"entry bar touches the stop",
     1,
     {100, 101, 94, 100},
     .exit_bar = 3,
     .exit_price = 95,
     .reason = REASON_STOP},
    {"entry bar touches the target",
     1,
     {100, 106, 99, 100},
     .exit_bar = 3,
     .exit_price = 105,
     .reason = REASON_TARGET},
    {"entry bar touches both",
     1,
     {100, 106, 94, 100},
     .exit_bar = 3,
     .exit_price = 95,
     .reason = REASON_STOP},
    {"trail, a new high and a fall in one bar",
     1,
     USUAL,
     {104, 110, 103, 104},
     {105, 106, 104.6, 105},
     {105, 105, 104, 104.2},
     .trail = true,
     .exit_bar = 6,
     .exit_price = 104.5,
     .reason = REASON_TRAIL},
    {"trail, the entry bar's high counts",
     1,
     {100, 110, 99, 103},
     {103.5, 104, 103, 103},
     .trail = true,
     .exit_bar = 4,
     .exit_price = 103.5,
     .reason = REASON_TRAIL},
    {"trail, acts on the entry bar",
     1,
     {100, 101, 94, 100},
     .trail = true,
     .exit_bar = 3,
     .exit_price = 95,
     .reason = REASON_TRAIL},
    {"short, gap through the stop",
     -1,
     USUAL,
     {110, 112, 104, 111},
     .exit_bar = 4,
     .exit_price = 110,
     .reason = REASON_STOP},
    {"short, both",
     -1,
     USUAL,
     {100, 106, 94, 100},
     .exit_bar = 4,
     .exit_price = 105,
     .reason = REASON_STOP},
    {"short, gap through the target",
     -1,
     USUAL,
     {92, 93, 91, 92},
     .exit_bar = 4,
     .exit_price = 92,
     .reason = REASON_TARGET},
    {"short, high exactly at the stop",
     -1,
     USUAL,
     {100, 105, 99, 100},
     .exit_bar = 4,
     .exit_price = 105,
     .reason = REASON_STOP},
    {"short, low exactly at the target",
     -1,
     USUAL,
     {100, 101, 95, 100},
     .exit_bar = 4,
     .exit_price = 95,
     .reason = REASON_TARGET},
    {"short, trail",
     -1,
     USUAL,
     {96, 97, 90, 96},
     {95, 95.5, 94, 94.4},
     .trail = true,
     .exit_bar = 5,
     .exit_price = 95,
     .reason = REASON_TRAIL},
};

static void put_bar(size_t bar, const double ohlc[4])
{
    if (ohlc[0] > 0)
        small_bar(bar, ohlc[0], ohlc[1], ohlc[2], ohlc[3]);
}

TEST(worked_examples_of_levels_fill_where_the_manual_says)
{
    for (size_t i = 0; i < ARRAY_COUNT(examples); i++) {
        const struct example *e = &examples[i];
        small_start(9);
        small_signal(e->side > 0 ? SIM_BUY : SIM_SHORT, 2);
        put_bar(3, e->bar3);
        put_bar(4, e->bar4);
        put_bar(5, e->bar5);
        put_bar(6, e->bar6);
        if (e->trail) {
            small_level(SIM_TRAIL, SIM_LEVEL_PERCENT, 0.05);
        } else {
            small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
            small_level(SIM_TARGET, SIM_LEVEL_PERCENT, 0.05);
        }
        small_go();
        print_message("%s\n", e->what);
        CHECK_INT(small.trades, 1);
        CHECK_INT(small.trade[0].entry_bar, 3);
        CHECK(small.trade[0].entry_price == 100);
        if (e->exit_price == 0) {
            CHECK_INT(small.trade[0].reason, REASON_END);
            continue;
        }
        CHECK_INT(small.trade[0].exit_bar, (uint32_t)e->exit_bar);
        CHECK_NEAR(small.trade[0].exit_price, e->exit_price, 1e-15);
        CHECK_INT(small.trade[0].reason, e->reason);
    }
}

/* One unit, fee 1 %. */
static double profit_of_one_unit(double low, double high)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_bar(4, 100, high, low, 100);
    small_level(SIM_STOP, SIM_LEVEL_DISTANCE, 5);
    small_level(SIM_TARGET, SIM_LEVEL_DISTANCE, 5);
    small_level(SIM_SIZE, SIM_LEVEL_DISTANCE, 1);
    small.plan.size = SIM_SIZE_UNITS;
    small.options.fee = 0.01;
    small_go();
    CHECK_INT(small.result->reasons[REASON_STOP] + small.result->reasons[REASON_TARGET], 1);
    return small.trade[0].profit;
}

TEST(a_fee_of_one_percent_leaves_2_95_at_the_target_and_takes_6_95_at_the_stop)
{
    CHECK_NEAR(profit_of_one_unit(99, 105), 2.95, 1e-12);
    CHECK_NEAR(profit_of_one_unit(95, 101), -6.95, 1e-12);
}

static double units_at(double open, double share)
{
    small_start(9);
    small_signal(SIM_BUY, 2);
    small_bar(3, open, open, open, open);
    small.options.fee = 0.01;
    if (share > 0)
        small_level(SIM_SIZE, SIM_LEVEL_PERCENT, share);
    small_go();
    return small.trade[0].units;
}

TEST(all_in_of_1000_at_a_fee_of_one_percent_is_sized_at_the_fill)
{
    CHECK_NEAR(units_at(100, 0), 9.90099010, 1e-9);
    CHECK_NEAR(units_at(110, 0), 9.00090009, 1e-9);
    CHECK_NEAR(units_at(100, 0.5), 4.95049505, 1e-9);
}
