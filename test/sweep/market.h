/* Markets of made-up bars, rules from text, and results compared bit by bit. */
#ifndef TEST_SWEEP_MARKET_H
#define TEST_SWEEP_MARKET_H

#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "sweep/sweep.h"

enum { MARKET_SYMBOLS_MAX = 64, MARKET_BARS_MAX = 5000 };

struct market {
    struct batch_symbol symbols[MARKET_SYMBOLS_MAX];
    double *column[MARKET_SYMBOLS_MAX][BAR_COLUMNS];
    int64_t *time;
    size_t count;
};

/* Prices of two decimals walk at random, so that equal prices, gaps and flat stretches occur. */
static inline void market_fill(double *column[BAR_COLUMNS], size_t bars, uint64_t seed)
{
    struct random random;
    double price = 100;

    random_init(&random, seed, 0);
    for (size_t t = 0; t < bars; t++) {
        bool still = random_below(&random, 50) == 0;
        double open = round(price * (1 + 0.02 * (random_unit(&random) - 0.5)) * 100) / 100;
        double close = round(price * (1 + 0.10 * (random_unit(&random) - 0.495)) * 100) / 100;

        open = still ? price : MAX(open, 0.05);
        close = still ? price : MAX(close, 0.05);
        column[BAR_OPEN][t] = open;
        column[BAR_CLOSE][t] = close;
        column[BAR_HIGH][t] = MAX(open, close) +
                              (still ? 0 : round(3 * random_unit(&random) * 100) / 100);
        column[BAR_LOW][t] = MIN(open, close) -
                             (still ? 0 : 0.4 * MIN(open, close) * random_unit(&random) * 0.1);
        column[BAR_VOLUME][t] = still ? 0 : (double)random_below(&random, 100000);
        price = close;
    }
}

static inline void market_init(struct market *market, size_t count, const size_t *lengths,
                               uint64_t seed)
{
    static const char *const names[] = {"AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH"};

    memset(market, 0, sizeof *market);
    CHECK(count <= MARKET_SYMBOLS_MAX);
    market->count = count;
    market->time = mem_alloc(MARKET_BARS_MAX * sizeof *market->time);
    for (int64_t t = 0; t < MARKET_BARS_MAX; t++)
        market->time[t] = (t + 10000) * 3 * DAY_MS / 8;
    for (size_t s = 0; s < count; s++) {
        struct batch_symbol *symbol = &market->symbols[s];

        CHECK(lengths[s] <= MARKET_BARS_MAX);
        for (int c = 0; c < BAR_COLUMNS; c++) /* exactly so many: a sanitizer sees who reads on */
            market->column[s][c] = mem_alloc(lengths[s] * sizeof(double));
        market_fill(market->column[s], lengths[s], seed + s);
        symbol->name = names[s % ARRAY_COUNT(names)];
        symbol->bars.count = symbol->end = lengths[s];
        symbol->bars.time = market->time;
        for (int c = 0; c < BAR_COLUMNS; c++)
            symbol->bars.column[c] = market->column[s][c];
    }
}

static inline void market_deinit(struct market *market)
{
    for (size_t s = 0; s < market->count; s++)
        for (int c = 0; c < BAR_COLUMNS; c++)
            mem_free(market->column[s][c]);
    mem_free(market->time);
}

/* Rules live until the end of the test program, in a list. */
static inline const struct rule *rule_of(const char *source)
{
    enum { BYTES = 1 << 20 };
    static struct block {
        struct block *before;
        _Alignas(64) unsigned char memory[];
    } * last;
    struct block *block = aligned_alloc(64, sizeof *block + BYTES);
    struct arena arena;
    struct error err;
    const struct rule *rule;

    block->before = last;
    last = block;
    arena_init(&arena, block->memory, BYTES);
    if (rule_compile(&rule, &arena, text_of(source), "test", &err) != STATUS_OK) {
        print_error("%s\n", err.text);
        CHECK(false);
    }
    return rule;
}

static inline void usual_parameters(const struct rule *rule, double values[RULE_PARAMETERS_MAX])
{
    for (int p = 0; p < rule->parameter_count; p++)
        values[p] = rule->parameters[p].value;
}

static const struct sim_options close_fills = {
    .cash = 10000, .fee = 0.001, .fill = FILL_CLOSE, .year_bars = 365};
static const struct sim_options open_fills = {.cash = 5000,
                                              .fee = 0.002,
                                              .fill = FILL_OPEN,
                                              .slippage = 0.0005,
                                              .borrow = 0.05,
                                              .year_bars = 252};

/* Rules that between them use all parts: levels of both kinds, shorts, sizes, time exits,
 * conditions with state, several outputs, columns of time, number conditions. */
static const char *const test_rules[] = {
    "param period = 5 in 2..50\nparam oversold = 40 in 10..45 step 5\n"
    "r = rsi(close, period)\nbuy when crossunder(r, oversold)\nsell when crossover(r, 60)\n",

    "fast = ema(close, 5)\nslow = ema(close, 12)\nbuy when crossover(fast, slow)\n"
    "sell when crossunder(fast, slow)\nstop 2 * atr(7)\ntarget 20%\ntrail 10%\nexit after 15 "
    "bars\n",

    "buy when close > highest(high, 9)[1]\nshort when close < lowest(low, 9)[1]\n"
    "cover when close > sma(close, 5)\nsell when close < sma(close, 5)\nsize 50%\nstop 5%\n",

    "x = nz(close - close[3], 0)\nup = not (ema(x, 4) < 0)\n"
    "buy when up and count(close > open, 6) > 3 and hour >= 3\nsell when barssince(up) > 2 or "
    "weekday == 5\n",

    "buy when rsi(sma(close, 3), 5) < 40 and volume > sma(volume, 10)\nsell when bar_index / 7 == "
    "round(bar_index / 7)\n",
};

static inline void check_sims(const struct sim_result *a, const struct sim_result *b)
{
    CHECK_SAME_BITS(a->metric, b->metric, METRIC_COUNT);
    CHECK_SAME_BITS(&a->open_position, &b->open_position, 1);
    CHECK_SAME_BITS(&a->fills_value, &b->fills_value, 1);
    CHECK_INT(a->pending, b->pending);
    CHECK_INT(a->refused, b->refused);
    CHECK_INT(a->unfilled, b->unfilled);
    CHECK_INT(a->ruined, b->ruined);
    CHECK(!memcmp(a->reasons, b->reasons, sizeof a->reasons));
}

static inline void check_trades(const struct trade *a, const struct trade *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(a[i].entry_bar, b[i].entry_bar);
        CHECK_INT(a[i].exit_bar, b[i].exit_bar);
        CHECK_INT(a[i].reason, b[i].reason);
        CHECK_SAME_BITS(&a[i].entry_price, &b[i].entry_price, 1);
        CHECK_SAME_BITS(&a[i].exit_price, &b[i].exit_price, 1);
        CHECK_SAME_BITS(&a[i].units, &b[i].units, 1);
        CHECK_SAME_BITS(&a[i].fees, &b[i].fees, 1);
        CHECK_SAME_BITS(&a[i].profit, &b[i].profit, 1);
        CHECK_SAME_BITS(&a[i].mae, &b[i].mae, 1);
        CHECK_SAME_BITS(&a[i].mfe, &b[i].mfe, 1);
    }
}

static inline void check_results(const struct batch_result *a, const struct batch_result *b,
                                 size_t bars)
{
    CHECK_INT(a->status, b->status);
    CHECK(!a->problem == !b->problem && (!a->problem || !strcmp(a->problem, b->problem)));
    CHECK(!a->note == !b->note && (!a->note || !strcmp(a->note, b->note)));
    if (a->status != STATUS_OK)
        return;
    check_sims(&a->sim, &b->sim);
    CHECK_INT(a->trade_count, b->trade_count);
    check_trades(a->trades, b->trades, a->trade_count);
    CHECK(!a->equity == !b->equity);
    if (a->equity)
        CHECK_SAME_BITS(a->equity, b->equity, bars);
}

#endif
