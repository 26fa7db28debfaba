/* Runs one group of accounts through the ledger as the evaluator does: transposed prices, condition
 * words, level registers, blocks of any size. */
#ifndef TEST_SIM_GROUP_H
#define TEST_SIM_GROUP_H

#include "test.h"

#include "naive.h"
#include "sim/sim.h"

struct group_run {
    struct ledger *ledger;
    double *equity; /* [bar * lanes + lane] */
    size_t bars_max;
    struct sim_result result[LANES_MAX];
    struct trade trade[LANES_MAX][NAIVE_TRADES_MAX];
    int trades[LANES_MAX];
};

static void group_add(void *context, int lane, const struct trade *trade)
{
    struct group_run *run = context;

    CHECK(run->trades[lane] < NAIVE_TRADES_MAX);
    run->trade[lane][run->trades[lane]++] = *trade;
}

struct group {
    const struct kernels *kernels;
    const struct naive_input *lane; /* [kernels->lanes]; bars.count 0: none */
    size_t block_bars;
    bool shared; /* all lanes have the same bars */
    bool no_equity, no_downside;
};

static double group_price(const struct naive_input *in, int column, size_t bar)
{
    return in->bars.count ? in->bars.column[column][bar < in->bars.count ? bar : in->bars.count - 1]
                          : 1;
}

static void group_block(const struct group *group, size_t first, struct ledger_block *block,
                        double *prices[BAR_COLUMNS], double *levels[SIM_LEVELS])
{
    int lanes = group->kernels->lanes;

    memset(block->signal, 0, sizeof block->signal);
    for (size_t t = 0; t < block->bar_count; t++)
        for (int l = 0; l < lanes; l++) {
            const struct naive_input *in = &group->lane[l];
            size_t bar = first + t;
            for (int c = 0; c < BAR_COLUMNS; c++)
                prices[c][group->shared ? t : t * (size_t)lanes + (size_t)l] = group_price(in, c,
                                                                                           bar);
            for (int i = 0; i < SIM_LEVELS; i++)
                levels[i][t * (size_t)lanes + (size_t)l] = in->level[i] && bar < in->bars.count
                                                               ? in->level[i][bar]
                                                               : (double)NAN;
            for (int s = 0; s < SIM_SIGNALS; s++)
                if (in->signal[s] && bar < in->bars.count && in->signal[s][bar])
                    block->signal[s][l] |= (uint64_t)1 << t;
        }
}

static void group_run_init(struct group_run *run, size_t bars_max)
{
    run->ledger = mem_alloc_aligned(64, ledger_bytes());
    run->equity = mem_alloc_aligned(64, sizeof(double) * LANES_MAX * (bars_max + BLOCK_BARS));
    run->bars_max = bars_max;
}

static void group_run_deinit(struct group_run *run)
{
    mem_free(run->ledger);
    mem_free(run->equity);
}

static void group_go(const struct group *group, struct group_run *run)
{
    static _Alignas(64) double price[BAR_COLUMNS][BLOCK_BARS * LANES_MAX];
    static _Alignas(64) double level[SIM_LEVELS][BLOCK_BARS * LANES_MAX];
    struct trade_sink sink = {group_add, run};
    struct ledger_lane lanes[LANES_MAX] = {0};
    size_t longest = 0, width = (size_t)group->kernels->lanes;

    for (size_t l = 0; l < width; l++) {
        lanes[l] = (struct ledger_lane){.bars = group->lane[l].bars,
                                        .exit_after = group->lane[l].exit_after};
        longest = MAX(longest, group->lane[l].bars.count);
    }
    struct ledger_setup setup = {
        .kernels = group->kernels,
        .options = group->lane[0].options,
        .plan = group->lane[0].plan,
        .lanes = lanes,
        .sink = &sink,
        .durations = lanes[0].bars.time != NULL,
        .downside = !group->no_downside,
    };
    memset(run->trades, 0, sizeof run->trades);
    ledger_start(run->ledger, &setup);
    for (size_t first = 0; first < longest;) {
        struct ledger_block block = {.bar_count = MIN(group->block_bars, longest - first),
                                     .shared = group->shared};
        double *prices[BAR_COLUMNS], *levels[SIM_LEVELS];
        for (int c = 0; c < BAR_COLUMNS; c++)
            block.price[c] = prices[c] = price[c];
        for (int i = 0; i < SIM_LEVELS; i++) {
            levels[i] = level[i];
            block.level[i] = (struct operand){level[i], width};
        }
        group_block(group, first, &block, prices, levels);
        block.equity = group->no_equity ? NULL : run->equity + first * width;
        ledger_run(run->ledger, &block);
        first += block.bar_count;
    }
    for (size_t l = 0; l < width; l++)
        ledger_end(run->ledger, (int)l, &run->result[l]);
}

#endif
