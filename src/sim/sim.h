/* sim: what a backtest does with a signal: fills, costs, levels, ledger, metrics.  The contract is
 * doc/simulation.md.
 *
 * A LEDGER holds the accounts of one group of lanes, an account a lane.  It takes blocks of at most
 * 64 bars and goes over each twice:
 *
 *     walk   finds the fills, lane by lane: signals by their bits, touched levels by vectors;
 *            a fill is scalar code, and that code is the definition (fill.c)
 *     mark   marks equity at every close, with vectors, from one fill to the next
 *
 * All lanes of a ledger begin with the block that is run first.  Nothing crosses a lane: the same
 * bits come out for any size of blocks, any number of lanes and any build. */
#ifndef HARRIER_SIM_H
#define HARRIER_SIM_H

#include "kernel/kernel.h"
#include "model/model.h"

enum fill_mode { FILL_OPEN, FILL_CLOSE };
enum fee_mode { FEE_ADD, FEE_DEDUCT };

struct sim_options {
    double cash;
    double fee, fee_min; /* share of the value; money */
    double slippage;     /* share */
    enum fill_mode fill;
    enum fee_mode fee_mode;
    double lot;          /* 0: fractional */
    double min_notional; /* 0: none */
    double borrow;       /* share a year on the value of a short */
    bool require_volume;
    double year_bars; /* bars a year (A of the metrics): 365, 252, or those × bars a day */
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

/* One account: its symbol's own bars from the first bar of the account on.  Lanes without an
 * account have bars.count 0.  Borrowed until the lane's ledger_end. */
struct ledger_lane {
    struct bars bars;  /* time may be NULL unless durations are wanted; volume unless required */
    double exit_after; /* bars, rounded down; below 1: none */
};

struct trade_sink {
    void (*add)(void *context, int lane, const struct trade *trade); /* in order of exits, a lane */
    void *context;
};

struct ledger_setup {
    const struct kernels *kernels;
    const struct sim_options *options; /* borrowed until the ledger's end, like all of these */
    const struct sim_plan *plan;
    const struct ledger_lane *lanes; /* [kernels->lanes] */
    const struct trade_sink *sink;   /* NULL: trades are only counted */
    bool durations;                  /* durations of trades too: reads the times of every fill */
    bool downside;                   /* Sortino's ratio too: one more sum a bar */
};

struct ledger_block {
    size_t bar_count; /* 1…BLOCK_BARS */
    bool shared;      /* one symbol for all lanes: price[c][t]; else price[c][t * lanes + l] */
    const double
        *price[BAR_COLUMNS]; /* those of ledger_columns(); any finite number after a lane's end */
    uint64_t signal[SIM_SIGNALS]
                   [LANES_MAX]; /* only those that the plan has; cut at each lane's last bar */
    struct operand level[SIM_LEVELS]; /* only those that the plan has: values at the signal bar */
    double *equity; /* out, a register [t][l]: equity at each close; NULL: not wanted */
};

struct ledger;

/* Which columns the blocks must hold: bit of enum bar_column (fills read the lanes' own bars). */
unsigned ledger_columns(const struct sim_plan *plan);

/* A ledger is this much memory of the caller's, aligned to 64 bytes. */
size_t ledger_bytes(void);
void ledger_start(struct ledger *ledger, const struct ledger_setup *setup);
void ledger_run(struct ledger *ledger, const struct ledger_block *block);

/* ---- metrics --------------------------------------------------------------------------------- */

/* Money, percent and ratios are numbers; counts and bars are whole; durations are milliseconds. */
enum metric_unit { UNIT_MONEY, UNIT_PERCENT, UNIT_RATIO, UNIT_COUNT, UNIT_BARS, UNIT_DURATION };

enum metric {
#define METRIC(id, ...) METRIC_##id,
#include "sim/metric.def"
#undef METRIC
    METRIC_COUNT
};

struct metric_row {
    const char *name, *title; /* "total_return", "Return [%]" */
    enum metric_unit unit;
    int better;          /* +1: more is better, -1: less, 0: neither */
    bool ranking;        /* comes out of the ledger's own sums, without the equity curve */
    const char *formula; /* one line, with its source */
};
extern const struct metric_row metric_rows[METRIC_COUNT];
int metric_find(struct text name); /* -1 */

struct sim_result {
    double metric[METRIC_COUNT]; /* NaN where not defined or not asked for */
    double open_position;        /* units; negative: short */
    double fills_value;          /* money moved by all fills */
    unsigned pending;            /* orders decided on the last bar: bits 1 << SIM_… */
    uint32_t refused,
        unfilled; /* entries not made: no level, too small; orders that met no volume */
    uint32_t reasons[REASON_COUNT];
    bool ruined;
};

/* Closes the books of one lane, once: marks what is open, gives the row of an open position to the
 * sink, and fills the result with the ranking metrics (Sortino and the durations of trades where
 * they were asked for). */
void ledger_end(struct ledger *ledger, int lane, struct sim_result *result);

/* All other metrics, from the equity curves of a group: equity[bar * lanes + lane], into
 * results[lane] that ledger_end has filled.  `quantiles` asks for VaR and CVaR, which cost as much
 * as all others together. */
struct metrics_curves {
    int lanes;
    const double *equity;           /* aligned to 64 bytes; bars_max rows */
    const struct ledger_lane *lane; /* [lanes]; bars.count 0: no account */
    const struct bars *benchmark;   /* for alpha and beta, by time; NULL: the symbol's own closes */
    bool quantiles;
};
size_t metrics_scratch_bytes(size_t bars_max);
void metrics_from_curves(const struct metrics_curves *curves, const struct kernels *kernels,
                         const struct sim_options *options, void *scratch,
                         struct sim_result results[]);

/* ---- of a whole market ----------------------------------------------------------------------- */

/* The middle of the numbers among `values` (of an even count the mean of the two middle ones),
 * which it reorders; NaN where there is none. */
double median(double *values, size_t count);

/* The line that a rule must beat: every symbol bought in equal parts at its first bar and held.
 * From each one's buy_hold_return; those without one (NaN) are left out; NaN where none has. */
double market_return(const double *buy_hold, size_t count);

/* How long a year is, for what is told by the year.  `samples` are some symbols of the market.
 *
 *     days  `given`, or where that is 0: 365 where more than 5 % of the bars are on weekends, else
 *           252
 *     bars  of daily bars as many, of longer ones in proportion (weeks 52, months 12), of shorter
 *           ones times the bars of a day: the median of a symbol's days, and of those the median.
 *           Days are UTC days with bars, at most YEAR_DAYS_MAX of them taken evenly; the first and
 *           last of a symbol may be cut and count only where it has no other, the fuller one then.
 */
enum { YEAR_SYMBOLS_MAX = 16, YEAR_DAYS_MAX = 500 };
struct year {
    int days;
    double bars;
};
struct year year_of(enum timeframe frame, const struct bars *samples, size_t count, int given);

enum { PENDING_TEXT_BYTES = 32 };
/* "buy", "sell", "sell+short", "cover+buy" …: exits first; "" for none. */
const char *pending_text(unsigned pending, char text[PENDING_TEXT_BYTES]);

#endif
