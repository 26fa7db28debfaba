/* The reference trades (20 symbols, 17 cases) and metrics (10 curves) of the shared background
 * material, made by slow independent code and by well-known libraries.  reference.py prints them as
 * text. */
#include <stdlib.h>

#include "group.h"
#include "source.h"

enum { RULE_CASES_MAX = 400 };

static FILE *in;
static double column[BAR_COLUMNS][NAIVE_BARS_MAX], atr[NAIVE_BARS_MAX],
    level[SIM_LEVELS][NAIVE_BARS_MAX];
static int64_t bar_time[NAIVE_BARS_MAX];
static bool signals[SIM_SIGNALS][NAIVE_BARS_MAX];
static size_t bars;
static double year;
static struct group_run run;
static struct sim_options options;
static struct sim_plan plan;
static struct naive_input input;
static int cases_read, trades_read, metrics_read;

static void read_word(char word[64])
{
    CHECK_INT(fscanf(in, "%63s", word), 1);
}

static double read_number(void)
{
    double number = 0;

    CHECK_INT(fscanf(in, "%lf", &number), 1);
    return number;
}

static void read_symbol(void)
{
    char name[64];

    read_word(name);
    bars = (size_t)read_number();
    year = read_number();
    CHECK(bars < NAIVE_BARS_MAX);
    for (size_t t = 0; t < bars; t++) {
        bar_time[t] = (int64_t)read_number();
        for (int c = 0; c < BAR_COLUMNS; c++)
            column[c][t] = read_number();
        atr[t] = read_number();
    }
}

static void read_level(int which)
{
    int kind = (int)read_number();
    double value = read_number();

    plan.level[which] = (enum sim_level_kind)kind;
    for (size_t t = 0; t < bars; t++)
        level[which][t] = kind == SIM_LEVEL_DISTANCE ? value * atr[t] : value;
}

/* Options and signals of a case, and the ledger's answer: the symbol in the first lane, the others
 * empty. */
static void read_case(void)
{
    static struct naive_input lanes[LANES_MAX];
    char name[64], fill[64];

    read_word(name);
    read_word(fill);
    options = (struct sim_options){.cash = 10000, .year_bars = year};
    plan = (struct sim_plan){0};
    options.fill = strcmp(fill, "close") == 0 ? FILL_CLOSE : FILL_OPEN;
    options.fee = read_number();
    options.slippage = read_number();
    double size = read_number();
    plan.level[SIM_SIZE] = size > 0 ? SIM_LEVEL_PERCENT : SIM_LEVEL_NONE;
    for (size_t t = 0; t < bars; t++)
        level[SIM_SIZE][t] = size;
    input = (struct naive_input){
        .bars = {.count = bars, .time = bar_time}, .options = &options, .plan = &plan};
    input.exit_after = (int)read_number();
    plan.exit_after = input.exit_after > 0;
    read_level(SIM_STOP);
    read_level(SIM_TARGET);
    read_level(SIM_TRAIL);
    memset(signals, 0, sizeof signals);
    for (int s = 0; s < SIM_SIGNALS; s++) {
        int count = (int)read_number();
        plan.has[s] = count > 0;
        while (count-- > 0)
            signals[s][(size_t)read_number()] = true;
        input.signal[s] = signals[s];
    }
    for (int c = 0; c < BAR_COLUMNS; c++)
        input.bars.column[c] = column[c];
    for (int i = 0; i < SIM_LEVELS; i++)
        input.level[i] = level[i];

    struct group group = {
        .kernels = kernels_select(NULL, LANES_NARROW), .lane = lanes, .block_bars = BLOCK_BARS};
    for (int l = 0; l < LANES_NARROW; l++)
        lanes[l] = (struct naive_input){.options = &options, .plan = &plan};
    lanes[0] = input;
    group_go(&group, &run);
    cases_read++;
}

static void check_trade(const struct trade *trade)
{
    char side[64], reason[64];

    read_word(side);
    CHECK_INT(trade->units > 0, side[0] == 'l');
    CHECK_INT(trade->entry_bar, (uint32_t)read_number());
    CHECK_NEAR(trade->entry_price, read_number(), 1e-12);
    CHECK_INT(trade->exit_bar, (uint32_t)read_number());
    CHECK_NEAR(trade->exit_price, read_number(), 1e-9);
    CHECK_NEAR(fabs(trade->units), read_number(), 1e-9);
    CHECK_NEAR(trade->fees, read_number(), 1e-9);
    double profit = read_number(), return_ = read_number();
    double value = fabs(trade->units) * trade->entry_price;
    CHECK(fabs(trade->profit - profit) <= 1e-9 * value);
    CHECK(fabs(trade->profit / value * 100 - return_) <= 1e-7);
    read_word(reason);
    CHECK_TEXT(trade_reason_name(trade->reason), reason);
    trades_read++;
}

static void check_outcome(void)
{
    const struct sim_result *got = &run.result[0];
    char pending[64], text[PENDING_TEXT_BYTES];
    double sum = 0;

    CHECK_INT((int)got->metric[METRIC_TRADES], (int)read_number());
    CHECK_INT((int)got->metric[METRIC_WINS], (int)read_number());
    CHECK_NEAR(got->metric[METRIC_FEES], read_number(), 1e-9);
    CHECK_NEAR(got->metric[METRIC_FINAL_EQUITY], read_number(), 1e-9);
    CHECK_NEAR(got->metric[METRIC_MAX_DRAWDOWN], read_number(), 1e-9);
    for (size_t t = 0; t < bars; t++)
        sum += run.equity[t * LANES_NARROW];
    CHECK_NEAR(sum, read_number(), 1e-9);
    CHECK_NEAR(run.equity[bars / 3 * LANES_NARROW], read_number(), 1e-9);
    CHECK_NEAR(run.equity[2 * bars / 3 * LANES_NARROW], read_number(), 1e-9);
    read_word(pending);
    CHECK_TEXT(got->pending ? pending_text(got->pending, text) : "-", pending);
    (void)read_number(); /* near ties: decided alike, since the arithmetic of levels is the
                            reference's */
    CHECK_INT(run.trades[0], (int)read_number());
    for (int i = 0; i < run.trades[0]; i++)
        check_trade(&run.trade[0][i]);
}

static void check_metrics(void)
{
    struct ledger_lane lanes[LANES_NARROW] = {{.bars = input.bars}};
    struct metrics_curves curves = {
        .lanes = LANES_NARROW, .equity = run.equity, .lane = lanes, .quantiles = true};
    void *scratch = mem_alloc_aligned(64, metrics_scratch_bytes(bars));
    struct sim_result *got = &run.result[0];

    metrics_from_curves(&curves, kernels_select(NULL, LANES_NARROW), &options, scratch, run.result);
    for (int count = (int)read_number(); count > 0; count--) {
        char name[64];
        read_word(name);
        int metric = metric_find(text_of(name));
        CHECK(metric >= 0);
        double expected = read_number();
        test_check_near(got->metric[metric], expected, 1e-9, name, __FILE__, __LINE__);
        metrics_read++;
    }
    mem_free(scratch);
}

static bool open_reference(void)
{
    const char *shared = getenv("HARRIER_SHARED");
    char command[2 * SOURCE_PATH_BYTES], path[SOURCE_PATH_BYTES];

    shared = shared ? shared : "../shared";
    snprintf(path, sizeof path, "%s/reference/fills_trades.csv.zst", shared);
    if (access(path, R_OK) != 0)
        return false;
    snprintf(command, sizeof command, "python3 %s %s", source_path(path, "test/sim/reference.py"),
             shared);
    in = popen(command, "r");
    return in != NULL;
}

TEST(trades_and_metrics_agree_with_the_references)
{
    char word[64];

    if (!open_reference())
        SKIP("no reference data (HARRIER_SHARED)");
    group_run_init(&run, NAIVE_BARS_MAX);
    for (read_word(word); strcmp(word, "end") != 0; read_word(word)) {
        if (strcmp(word, "symbol") == 0)
            read_symbol();
        else if (strcmp(word, "case") == 0)
            read_case();
        else if (strcmp(word, "expect") == 0)
            check_outcome();
        else
            check_metrics();
    }
    group_run_deinit(&run);
    CHECK_INT(pclose(in), 0);
    print_message("%d runs, %d trades, %d metrics agree\n", cases_read, trades_read, metrics_read);
    CHECK_INT(cases_read, 350);
}
