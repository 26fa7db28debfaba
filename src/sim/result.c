/* Metrics as rows, and those that a ledger's own sums give. */
#include <math.h>
#include <string.h>

#include "sim/ledger.h"

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(id, name_, title_, unit_, better_, ranking_, formula_) \
    [METRIC_##id] = {                                                 \
        .name = name_,                                                \
        .title = title_,                                              \
        .unit = UNIT_##unit_,                                         \
        .better = better_,                                            \
        .ranking = ranking_,                                          \
        .formula = formula_,                                          \
    },
#include "sim/metric.def"
#undef METRIC
};

int metric_find(struct text name)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (text_is(name, metric_rows[i].name))
            return i;
    return -1;
}

const char *pending_text(unsigned pending, char text[PENDING_TEXT_BYTES])
{
    static const struct {
        int signal;
        const char *name;
    } parts[] = {{SIM_SELL, "sell"}, {SIM_COVER, "cover"}, {SIM_BUY, "buy"}, {SIM_SHORT, "short"}};

    text[0] = '\0';
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        if (pending >> parts[i].signal & 1) {
            strcat(text, text[0] ? "+" : "");
            strcat(text, parts[i].name);
        }
    return text;
}

/* ---- the ledger's metrics -------------------------------------------------------------------- */

static void metrics_of_trades(const struct account *account, bool durations, double metric[])
{
    double trades = account->trades, losses = account->trades - account->wins;

    metric[METRIC_TRADES] = trades;
    metric[METRIC_WINS] = account->wins;
    metric[METRIC_FEES] = account->fees;
    if (account->trades == 0)
        return;

    double win_rate = account->wins / trades;
    metric[METRIC_WIN_RATE] = win_rate * 100;
    metric[METRIC_BEST_TRADE] = account->return_best * 100;
    metric[METRIC_WORST_TRADE] = account->return_worst * 100;
    metric[METRIC_EXPECTANCY] = account->return_sum / trades * 100;
    metric[METRIC_AVG_BARS_HELD] = (double)account->bars_held / trades;
    if (account->return_worst > -1) {
        double mean = pow(account->growth, 1 / trades) *
                      exp2((double)account->growth_exponent / trades);
        metric[METRIC_AVG_TRADE] = (mean - 1) * 100;
    }
    if (account->loss < 0)
        metric[METRIC_PROFIT_FACTOR] = account->gain / -account->loss;
    if (account->trades > 1 && account->profit_squares > 0)
        metric[METRIC_SQN] = sqrt(trades) * account->profit_mean /
                             sqrt(account->profit_squares / (trades - 1));
    if (account->wins && account->loss < 0)
        metric[METRIC_KELLY] = win_rate - (1 - win_rate) / (account->gain / account->wins /
                                                            (-account->loss / losses));
    if (durations) {
        metric[METRIC_MAX_TRADE_DURATION] = account->duration_max;
        metric[METRIC_AVG_TRADE_DURATION] = account->duration_sum / trades;
    }
}

/* `returns` is n - 1, and so is `years` in bars. */
static void metrics_of_returns(const struct ledger *ledger, int lane, double returns,
                               double metric[])
{
    const struct marks *marks = &ledger->marks;
    double sum = marks->sum[lane], squares = marks->sum_squares[lane], down = marks->sum_down[lane];
    double year = ledger->options->year_bars, root = sqrt(year), equity = marks->equity[lane];

    if (returns >= 1 && equity > 0) {
        metric[METRIC_CAGR] = (pow(equity / ledger->options->cash, year / returns) - 1) * 100;
        metric[METRIC_ANNUAL_RETURN] =
            ledger->first_equity[lane] == ledger->options->cash
                ? metric[METRIC_CAGR]
                : (pow(equity / ledger->first_equity[lane], year / returns) - 1) * 100;
        if (metric[METRIC_MAX_DRAWDOWN] > 0)
            metric[METRIC_CALMAR] = metric[METRIC_CAGR] / metric[METRIC_MAX_DRAWDOWN];
    }
    if (returns >= 2) {
        double mean = sum / returns, variance = (squares - sum * mean) / (returns - 1);
        double deviation = sqrt(MAX(variance, 0.0));
        metric[METRIC_VOLATILITY] = deviation * root * 100;
        if (deviation > 0)
            metric[METRIC_SHARPE] = mean / deviation * root;
        if (down > 0)
            metric[METRIC_SORTINO] = mean / sqrt(down / returns) * root;
    }
}

/* The drawdown since the last peak is not over, and not among the others yet. */
static double max_drawdown(const struct marks *marks, int lane)
{
    double worst = marks->worst[lane], peak = marks->worst_peak[lane];

    if (marks->low[lane] * peak < worst * marks->peak[lane]) {
        worst = marks->low[lane];
        peak = marks->peak[lane];
    }
    return (peak - worst) / peak;
}

static void metrics_of_ledger(const struct ledger *ledger, int lane, double metric[])
{
    const struct account *account = &ledger->account[lane];
    const struct marks *marks = &ledger->marks;
    const double *close = account->bars.column[BAR_CLOSE];
    double bars = (double)account->bars.count;

    metric[METRIC_FINAL_EQUITY] = marks->equity[lane];
    metric[METRIC_EQUITY_PEAK] = marks->peak[lane];
    metric[METRIC_TOTAL_RETURN] = (marks->equity[lane] / ledger->options->cash - 1) * 100;
    metric[METRIC_BUY_HOLD_RETURN] = (close[account->bars.count - 1] / close[0] - 1) * 100;
    metric[METRIC_MAX_DRAWDOWN] = max_drawdown(marks, lane) * 100;
    metric[METRIC_EXPOSURE] = (double)account->bars_exposed / bars * 100;
    metrics_of_trades(account, ledger->durations, metric);
    metrics_of_returns(ledger, lane, bars - 1, metric);
}

/* A lane whose last bar was the last that was run: its signals there become pending now. */
static void finish(struct ledger *ledger, int lane)
{
    struct account *account = &ledger->account[lane];
    struct moment moment = {.ledger = ledger, .lane = lane, .bar = account->bars.count};

    for (int s = 0; s < SIM_SIGNALS; s++)
        moment.signals |= (unsigned)ledger->carry[s][lane] << s;
    for (int i = 0; i < SIM_LEVELS; i++)
        moment.level[i] = ledger->carried[i][lane];
    if (ledger->shorts)
        account->cash = ledger->levels.cash[lane];
    account_finish(&moment);
}

void ledger_end(struct ledger *ledger, int lane, struct sim_result *result)
{
    struct account *account = &ledger->account[lane];

    *result = (struct sim_result){0};
    for (int i = 0; i < METRIC_COUNT; i++)
        result->metric[i] = (double)NAN;
    if (account->bars.count == 0)
        return;
    ASSERT(ledger->bar >= account->bars.count);
    if (account->stance != DONE)
        finish(ledger, lane);

    account_close_books(ledger, lane);
    metrics_of_ledger(ledger, lane, result->metric);
    result->open_position = account->units;
    result->fills_value = account->fills_value;
    result->pending = account->pending;
    result->refused = account->refused;
    result->unfilled = account->unfilled;
    result->ruined = account->ruined;
    memcpy(result->reasons, account->reasons, sizeof result->reasons);
}
