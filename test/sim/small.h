/* A small market by hand: a few bars, signals by bar number, one account. */
#ifndef TEST_SIM_SMALL_H
#define TEST_SIM_SMALL_H

#include "group.h"

enum { SMALL_BARS_MAX = 200 };

struct small {
    size_t count;
    double column[BAR_COLUMNS][SMALL_BARS_MAX];
    int64_t time[SMALL_BARS_MAX];
    bool signal[SIM_SIGNALS][SMALL_BARS_MAX];
    double level[SIM_LEVELS][SMALL_BARS_MAX];
    struct sim_options options;
    struct sim_plan plan;
    int exit_after;

    struct group_run run;
    const struct sim_result *result; /* of the account */
    const struct trade *trade;
    int trades;
};

static struct small small;

/* `flat` bars of 100 with volume 1, cash 1,000, no costs, next open. */
static void small_start(size_t flat)
{
    group_run_deinit(&small.run);
    memset(&small, 0, sizeof small);
    small.options = (struct sim_options){.cash = 1000, .year_bars = 252};
    small.count = flat;
    for (size_t t = 0; t < SMALL_BARS_MAX; t++) {
        for (int c = 0; c < BAR_COLUMNS; c++)
            small.column[c][t] = c == BAR_VOLUME ? 1 : 100;
        small.time[t] = (int64_t)t * DAY_MS;
    }
}

static void small_bar(size_t bar, double open, double high, double low, double close)
{
    small.column[BAR_OPEN][bar] = open;
    small.column[BAR_HIGH][bar] = high;
    small.column[BAR_LOW][bar] = low;
    small.column[BAR_CLOSE][bar] = close;
    small.count = MAX(small.count, bar + 1);
}

static void small_signal(int signal, size_t bar)
{
    small.plan.has[signal] = true;
    small.signal[signal][bar] = true;
}

static void small_level(int level, enum sim_level_kind kind, double value)
{
    small.plan.level[level] = kind;
    for (size_t t = 0; t < SMALL_BARS_MAX; t++)
        small.level[level][t] = value;
}

/* Every build must give the same trades; the last one's are kept. */
static void small_go(void)
{
    struct naive_input lane[LANES_MAX] = {{.options = &small.options, .plan = &small.plan}};
    const char *names[8];
    size_t builds = kernels_list(names, ARRAY_COUNT(names));
    double first = 0;

    for (int l = 0; l < LANES_MAX; l++)
        lane[l] = lane[0];
    lane[1].bars = (struct bars){.count = small.count, .time = small.time};
    lane[1].exit_after = small.exit_after;
    for (int c = 0; c < BAR_COLUMNS; c++)
        lane[1].bars.column[c] = small.column[c];
    for (int s = 0; s < SIM_SIGNALS; s++)
        lane[1].signal[s] = small.signal[s];
    for (int i = 0; i < SIM_LEVELS; i++)
        lane[1].level[i] = small.level[i];
    if (!small.run.ledger)
        group_run_init(&small.run, SMALL_BARS_MAX);
    for (size_t b = 0; b < 2 * builds; b++) {
        struct group group = {
            .kernels = kernels_select(names[b / 2], b % 2 ? LANES_WIDE : LANES_NARROW),
            .lane = lane,
            .block_bars = b % 3 ? 3 : BLOCK_BARS};
        group_go(&group, &small.run);
        small.result = &small.run.result[1];
        if (b == 0)
            first = small.result->metric[METRIC_FINAL_EQUITY];
        CHECK_SAME_BITS(&small.result->metric[METRIC_FINAL_EQUITY], &first, 1);
    }
    small.trade = small.run.trade[1];
    small.trades = small.run.trades[1];
}

/* Equity at the close of a bar. */
__attribute__((unused)) static double small_equity(size_t bar)
{
    return small.run.equity[bar * LANES_WIDE + 1];
}

#endif
