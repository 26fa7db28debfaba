/* sim: what a backtest does with a signal: fills, costs, levels, ledger, metrics.  The contract is
 * doc/simulation.md.
 *
 * A LEDGER holds the accounts of one group of lanes: an account a lane.  It takes blocks of at most 64 bars,
 * marks equity with vectors from one event to the next, and does fills one by one in scalar code, which is
 * the definition.  All lanes of a ledger begin with the block that is run first. */
#ifndef HARRIER_SIM_H
#define HARRIER_SIM_H

#include "kernel/kernel.h"
#include "model/model.h"

enum fill_mode { FILL_OPEN, FILL_CLOSE };
enum fee_mode { FEE_ADD, FEE_DEDUCT };

struct sim_options {
    double cash;
    double fee, fee_min;      /* share of the value; money */
    double slippage;          /* share */
    enum fill_mode fill;
    enum fee_mode fee_mode;
    double lot;               /* 0: fractional */
    double min_notional;      /* 0: none */
    double borrow;            /* share a year on the value of a short */
    bool require_volume;
    double year_bars;         /* bars a year (A of the metrics): 365, 252, or those × bars a day */
};

/* What the rule says, as the ledger needs it; the same numbering as rule/rule.h. */
enum { SIM_BUY, SIM_SELL, SIM_SHORT, SIM_COVER, SIM_SIGNALS };
enum { SIM_STOP, SIM_TARGET, SIM_TRAIL, SIM_SIZE, SIM_LEVELS };
enum sim_level_kind { SIM_LEVEL_NONE, SIM_LEVEL_PERCENT, SIM_LEVEL_DISTANCE };
enum sim_size_kind { SIM_SIZE_EQUITY, SIM_SIZE_UNITS, SIM_SIZE_CASH, SIM_SIZE_RISK };

struct sim_plan {
    bool has[SIM_SIGNALS];
    enum sim_level_kind level[SIM_LEVELS]; /* SIM_SIZE: NONE means 100 % of equity */
    enum sim_size_kind size;
    bool exit_after;
};

/* One account: its symbol's own bars from the first bar of the account on.  Lanes without an account have
 * bars.count 0.  Borrowed until ledger_end. */
struct ledger_lane {
    struct bars bars;
    double exit_after;      /* bars; 0: none */
};

struct ledger_block {
    size_t bar_count;
    bool shared;             /* one symbol for all lanes: price[c][t]; else price[c][t * lanes + l] */
    const double *price[BAR_COLUMNS]; /* those of ledger_columns(); padded with the last bar's after a lane's end */
    uint64_t signal[SIM_SIGNALS][LANES_MAX]; /* cut at each lane's last bar */
    struct operand level[SIM_LEVELS];        /* values at the signal bar */
    double *equity;          /* out, a register [t][l]: equity at each close; NULL: not wanted */
};

struct ledger;
struct trade_sink {
    void (*add)(void *context, int lane, const struct trade *trade); /* in order of exits, a lane */
    void *context;
};

/* Which columns the blocks must hold: bit of enum bar_column (fills read the lanes' own bars). */
unsigned ledger_columns(const struct sim_options *options, const struct sim_plan *plan);
size_t ledger_bytes(int lanes);

void ledger_start(struct ledger *ledger, const struct kernels *kernels, const struct sim_options *options,
                  const struct sim_plan *plan, const struct ledger_lane *lanes,
                  const struct trade_sink *sink /* NULL: trades are only counted */);
void ledger_run(struct ledger *ledger, const struct ledger_block *block);

/* ---- metrics ---------------------------------------------------------------------------------------- */

enum metric_unit { UNIT_MONEY, UNIT_PERCENT, UNIT_RATIO, UNIT_COUNT, UNIT_BARS, UNIT_DURATION };

enum metric {
#define METRIC(id, ...) METRIC_##id,
#include "sim/metric.def"
#undef METRIC
    METRIC_COUNT
};

struct metric_row {
    const char *name, *title;  /* "total_return", "Return [%]" */
    enum metric_unit unit;
    int better;                /* +1: more is better, -1: less, 0: neither */
    bool ranking;              /* comes out of the ledger's own sums, without the equity curve */
    const char *formula;       /* one line, with its source */
};
extern const struct metric_row metric_rows[METRIC_COUNT];
int metric_find(struct text name); /* -1 */

struct sim_result {
    double metric[METRIC_COUNT];   /* NaN where not defined or not asked for */
    double open_position;          /* units */
    unsigned pending;              /* orders decided on the last bar: bits of SIM_… */
    uint32_t refused, unfilled, reasons[REASON_COUNT];
    bool ruined;
};

/* Closes the books of one lane: marks what is open, gives the row of an open position to the sink, and
 * fills the ranking metrics. */
void ledger_end(struct ledger *ledger, int lane, struct sim_result *result);

/* All other metrics, from the equity curves of a group: equity[bar * lanes + lane].  `quantiles` asks for
 * VaR and CVaR, which cost as much as all others together. */
struct metrics_curves {
    int lanes;
    const double *equity;
    const struct ledger_lane *lane;    /* [lanes]; bars.count 0: no account */
    const struct bars *benchmark;      /* for alpha and beta; NULL: the symbol's own closes */
    bool quantiles;
};
size_t metrics_scratch_bytes(int lanes, size_t bars_max);
void metrics_from_curves(const struct metrics_curves *curves, const struct kernels *kernels,
                         const struct sim_options *options, void *scratch, struct sim_result results[]);

const char *pending_text(unsigned pending, char text[32]); /* "buy", "sell", "sell+short"; "" for none */

#endif
