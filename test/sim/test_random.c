/* Random scenarios over every option: the ledger, in every build, width and size of blocks, against
 * the naive account, bit for bit. */
#include "group.h"

enum { BARS_MAX = 400, SCENARIOS = 1500 };

static struct random random_;

static double unit(void)
{
    return random_unit(&random_);
}

static int below(int limit)
{
    return (int)random_below(&random_, (uint64_t)limit);
}

static bool chance(double p)
{
    return unit() < p;
}

struct series {
    int64_t time[BARS_MAX];
    double column[BAR_COLUMNS][BARS_MAX];
    bool signal[SIM_SIGNALS][BARS_MAX];
    double level[SIM_LEVELS][BARS_MAX];
};

/* Prices on a coarse grid touch levels exactly; now and then they jump, and now and then nobody
 * trades. */
static void fill_prices(struct series *s, size_t count)
{
    double grid = chance(0.5) ? 1 : 0, wild = chance(0.1) ? 0.6 : 0.04, close = 100;

    for (size_t t = 0; t < count; t++) {
        double open = close * (1 + (chance(0.1) ? wild : 0.01) * (unit() - 0.5));
        double low, high;
        close = open * (1 + wild * (unit() - 0.5));
        if (chance(0.02))
            close *= chance(0.5) ? 3 : 0.3;
        if (grid > 0) {
            open = fmax(1, rint(open));
            close = fmax(1, rint(close));
        }
        close = fmin(fmax(close, 0.01), 1e6);
        low = fmin(open, close) * (1 - wild * 0.5 * unit());
        high = fmax(open, close) * (1 + wild * 0.5 * unit());
        if (grid > 0) {
            low = fmin(fmin(open, close), fmax(0.5, floor(low)));
            high = ceil(high);
        }
        s->column[BAR_OPEN][t] = open;
        s->column[BAR_HIGH][t] = fmax(high, fmax(open, close));
        s->column[BAR_LOW][t] = low;
        s->column[BAR_CLOSE][t] = close;
        s->column[BAR_VOLUME][t] = chance(0.3) ? 0 : 1000 * unit();
        s->time[t] = (int64_t)t * DAY_MS + (t > 20 ? 3 * DAY_MS : 0);
    }
}

static void fill_orders(struct series *s, const struct sim_plan *plan, size_t count)
{
    static const double densities[] = {0.003, 0.01, 0.03, 0.1, 0.3, 1};
    double density[SIM_SIGNALS], percent[SIM_LEVELS];

    for (int i = 0; i < SIM_SIGNALS; i++)
        density[i] = densities[below(ARRAY_COUNT(densities))];
    for (int i = 0; i < SIM_LEVELS; i++)
        percent[i] = chance(0.3) ? (1 + below(8)) / 50.0 : 0.3 * unit();
    for (size_t t = 0; t < count; t++) {
        for (int i = 0; i < SIM_SIGNALS; i++)
            s->signal[i][t] = chance(density[i]);
        for (int i = 0; i < SIM_LEVELS; i++) {
            bool money = plan->level[i] == SIM_LEVEL_DISTANCE ||
                         (i == SIM_SIZE && plan->size == SIM_SIZE_UNITS);
            s->level[i][t] = money ? 20 * unit() : percent[i];
            if (i == SIM_SIZE && plan->size == SIM_SIZE_CASH)
                s->level[i][t] = 12000 * unit();
            if (chance(0.05))
                s->level[i][t] = chance(0.5) ? (double)NAN : -unit();
        }
    }
}

static void choose_options(struct sim_options *o, struct sim_plan *plan)
{
    static const double shares[] = {0, 0, 0.001, 0.01, 0.1};

    *o = (struct sim_options){
        .cash = chance(0.8) ? 10000 : 50,
        .fee = shares[below(5)],
        .fee_min = chance(0.2) ? 3 * unit() : 0,
        .slippage = shares[below(4)],
        .fill = chance(0.5) ? FILL_OPEN : FILL_CLOSE,
        .fee_mode = chance(0.3) ? FEE_DEDUCT : FEE_ADD,
        .lot = chance(0.2) ? (chance(0.5) ? 1 : 0.1) : 0,
        .min_notional = chance(0.2) ? 100 : 0,
        .borrow = chance(0.4) ? 0.2 : 0,
        .require_volume = chance(0.3),
        .year_bars = 252,
    };
    *plan = (struct sim_plan){.size = (enum sim_size_kind)below(4), .exit_after = chance(0.3)};
    for (int i = 0; i < SIM_SIGNALS; i++)
        plan->has[i] = chance(0.7);
    if (chance(0.7))
        for (int i = 0; i < SIM_LEVELS; i++)
            plan->level[i] = (enum sim_level_kind)below(3);
    if (plan->size == SIM_SIZE_RISK && plan->level[SIM_STOP] == SIM_LEVEL_NONE)
        plan->level[SIM_STOP] = SIM_LEVEL_PERCENT;
}

static void check_result(const struct sim_result *got, const struct naive_output *want, size_t bars,
                         bool downside)
{
    int closed = want->trades -
                 (want->trades && want->trade[want->trades - 1].reason == REASON_END);

    CHECK_SAME_BITS(&got->metric[METRIC_FINAL_EQUITY], &want->equity[bars - 1], 1);
    CHECK_SAME_BITS(&got->metric[METRIC_MAX_DRAWDOWN], &want->max_drawdown, 1);
    CHECK_SAME_BITS(&got->metric[METRIC_FEES], &want->fees, 1);
    CHECK_SAME_BITS(&got->fills_value, &want->value, 1);
    CHECK_SAME_BITS(&got->open_position, &want->units, 1);
    CHECK(got->metric[METRIC_TRADES] == closed);
    CHECK_NEAR(got->metric[METRIC_EXPOSURE], 100.0 * want->exposed / (double)bars, 1e-12);
    CHECK_INT(got->pending, want->pending);
    CHECK_INT(got->refused, want->refused);
    CHECK_INT(got->unfilled, want->unfilled);
    CHECK_INT(got->ruined, want->ruined);

    double returns = (double)bars - 1, mean = want->sum / returns;
    double deviation = sqrt(fmax((want->squares - want->sum * mean) / (returns - 1), 0));
    if (bars >= 3) {
        double volatility = deviation * sqrt(252) * 100, sharpe = mean / deviation * sqrt(252);
        double sortino = downside && want->down > 0 ? mean / sqrt(want->down / returns) * sqrt(252)
                                                    : (double)NAN;
        CHECK_SAME_BITS(&got->metric[METRIC_VOLATILITY], &volatility, 1);
        if (deviation > 0)
            CHECK_SAME_BITS(&got->metric[METRIC_SHARPE], &sharpe, 1);
        CHECK_SAME_BITS(&got->metric[METRIC_SORTINO], &sortino, 1);
    }
}

static void check_trades(const struct trade *got, int count, const struct naive_output *want)
{
    CHECK_INT(count, want->trades);
    for (int i = 0; i < count; i++) {
        const struct trade *a = &got[i], *b = &want->trade[i];
        CHECK_INT(a->entry_bar, b->entry_bar);
        CHECK_INT(a->exit_bar, b->exit_bar);
        CHECK_INT(a->reason, b->reason);
        double x[] = {a->entry_price, a->exit_price, a->units, a->fees, a->profit, a->mae, a->mfe};
        double y[] = {b->entry_price, b->exit_price, b->units, b->fees, b->profit, b->mae, b->mfe};
        CHECK_SAME_BITS(x, y, ARRAY_COUNT(x));
    }
}

static void check_group(const struct group *group, struct group_run *run,
                        const struct naive_output *want)
{
    static double curve[BARS_MAX];
    int lanes = group->kernels->lanes;

    group_go(group, run);
    for (int l = 0; l < lanes; l++) {
        size_t bars = group->lane[l].bars.count;
        if (bars == 0)
            continue;
        check_trades(run->trade[l], run->trades[l], &want[l]);
        check_result(&run->result[l], &want[l], bars, !group->no_downside);
        if (group->no_equity)
            continue;
        for (size_t t = 0; t < bars; t++)
            curve[t] = run->equity[t * (size_t)lanes + (size_t)l];
        CHECK_SAME_BITS(curve, want[l].equity, bars);
    }
}

/* FNV-1a over the bits of what no library function touched. */
static void add_to_hash(uint64_t *hash, const struct sim_result *result)
{
    static const enum metric exact[] = {METRIC_FINAL_EQUITY, METRIC_MAX_DRAWDOWN, METRIC_FEES,
                                        METRIC_EXPOSURE,     METRIC_SHARPE,       METRIC_SQN,
                                        METRIC_EXPECTANCY,   METRIC_PROFIT_FACTOR};

    for (size_t i = 0; i < ARRAY_COUNT(exact); i++) {
        double number = result->metric[exact[i]];
        uint64_t bits = 0;
        if (!isnan(number))
            memcpy(&bits, &number, sizeof bits);
        *hash = (*hash ^ bits) * 1099511628211u;
    }
}

static struct series series[LANES_MAX];
static struct naive_output want[LANES_MAX];
static struct group_run run;

static void scenario(const struct kernels *kernels, uint64_t number, uint64_t *hash)
{
    static const size_t blocks[] = {1, 2, 7, 63, 64};
    struct sim_options options;
    struct sim_plan plan;
    struct naive_input lane[LANES_MAX] = {0};

    random_init(&random_, 20261121, number);
    size_t longest = (size_t)(3 + below(BARS_MAX - 3));
    bool shared = chance(0.3);
    choose_options(&options, &plan);
    for (int l = 0; l < kernels->lanes; l++) {
        size_t count = shared || chance(0.5) ? longest
                       : chance(0.2)         ? 0
                                             : (size_t)(1 + below((int)longest));
        if (shared && l > 0)
            memcpy(&series[l], &series[0], sizeof series[l]);
        else
            fill_prices(&series[l], longest);
        fill_orders(&series[l], &plan, longest);
        lane[l] = (struct naive_input){.bars = {.count = count, .time = series[l].time},
                                       .exit_after = plan.exit_after ? 1 + below(30) : 0,
                                       .options = &options,
                                       .plan = &plan};
        for (int c = 0; c < BAR_COLUMNS; c++)
            lane[l].bars.column[c] = series[l].column[c];
        for (int i = 0; i < SIM_SIGNALS; i++)
            lane[l].signal[i] = plan.has[i] ? series[l].signal[i] : NULL;
        for (int i = 0; i < SIM_LEVELS; i++)
            lane[l].level[i] = plan.level[i] ? series[l].level[i] : NULL;
        if (count)
            naive_run(&lane[l], &want[l]);
    }
    struct group group = {.kernels = kernels,
                          .lane = lane,
                          .shared = shared,
                          .no_equity = chance(0.2),
                          .no_downside = chance(0.5),
                          .block_bars = chance(0.2) ? (size_t)(1 + below(64)) : blocks[below(5)]};
    check_group(&group, &run, want);
    for (int l = 0; l < kernels->lanes; l++)
        add_to_hash(hash, &run.result[l]);
}

/* The hash is the same for every compiler, optimisation and machine. */
static void scenarios(int lanes, uint64_t expected)
{
    const char *names[8];
    size_t builds = kernels_list(names, ARRAY_COUNT(names));
    uint64_t hash = 14695981039346656037u;

    group_run_init(&run, BARS_MAX);
    for (uint64_t n = 0; n < SCENARIOS; n++) {
        uint64_t first = hash;
        for (size_t b = 0; b < builds; b++)
            if (b == n % builds || n % 10 == 0) {
                hash = first;
                scenario(kernels_select(names[b], lanes), n, &hash);
            }
    }
    group_run_deinit(&run);
    if (hash != expected)
        print_error("hash %#llx\n", (unsigned long long)hash);
    CHECK(hash == expected);
}

TEST(a_wide_ledger_is_the_naive_account_to_the_bit_over_all_options)
{
    scenarios(LANES_WIDE, 0xd1f48f65a30b3db9);
}

TEST(a_narrow_ledger_is_the_naive_account_to_the_bit_over_all_options)
{
    scenarios(LANES_NARROW, 0xfafe9114bdfc374c);
}
