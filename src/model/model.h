/* model: the nouns that every part speaks of: time, timeframe, market, bars, trade.  No behaviour
 * beyond reading and writing them. */
#ifndef HARRIER_MODEL_H
#define HARRIER_MODEL_H

#include "base/base.h"

/* ---- time: UTC milliseconds since 1970 ------------------------------------------------------- */

enum { DAY_MS = 86400000 };

struct date {
    int year, month, day; /* month 1…12, day 1…31; proleptic Gregorian */
};

int64_t date_to_ms(struct date date);
struct date date_of_ms(int64_t time_ms);
int weekday_of_ms(int64_t time_ms); /* 1 = Monday … 7 = Sunday */

/* "2020-01-31", "2020-01-31T15:04:05Z", "2020-01-31 15:04[:05[.123456]][Z|±hh[:mm]]": ISO 8601 by
 * the calendar (no 2021-02-30), years 1678…2261; what is below a millisecond is cut off.  A text
 * without zone is read as UTC + zone_offset_ms. */
enum status time_parse(int64_t *time_ms, struct text text, int64_t zone_offset_ms,
                       struct error *err);

/* "YYYY-MM-DD" where `day_only`, else "YYYY-MM-DDTHH:MM:SSZ" (".mmm" only if there are any). */
enum { TIME_TEXT_BYTES = 32 };
size_t time_to_text(int64_t time_ms, bool day_only, char text[TIME_TEXT_BYTES]);

/* ---- timeframe ------------------------------------------------------------------------------- */

enum timeframe {
#define TIMEFRAME(id, name, seconds) TIMEFRAME_##id,
#include "model/timeframe.def"
#undef TIMEFRAME
    TIMEFRAME_COUNT
};

const char *timeframe_name(enum timeframe frame);
int64_t timeframe_ms(enum timeframe frame); /* 0 for months */
bool timeframe_is_daily_or_longer(enum timeframe frame);
enum status timeframe_parse(enum timeframe *frame, struct text text, struct error *err);

/* Open time of the period that holds `time_ms`.  Days are UTC days, weeks begin on Monday, 3d
 * periods are counted from 1970-01-01, months are calendar months. */
int64_t timeframe_floor(enum timeframe frame, int64_t time_ms);
int64_t timeframe_next(enum timeframe frame, int64_t open_ms); /* open time of the period after */

/* ---- market: "venue/timeframe" --------------------------------------------------------------- */

enum { VENUE_BYTES_MAX = 64, SYMBOL_BYTES_MAX = 64 };

struct market_name {
    char venue[VENUE_BYTES_MAX]; /* a-z A-Z 0-9 . _ - ; does not begin with a dot */
    enum timeframe frame;
};

enum { MARKET_TEXT_BYTES = VENUE_BYTES_MAX + 8 };
enum status market_parse(struct market_name *name, struct text text, struct error *err);
void market_to_text(const struct market_name *name, char text[MARKET_TEXT_BYTES]);

/* A symbol: 1…63 printable ASCII bytes without blanks, quotes, commas, `*` and `?`.  It may hold
 * `/` and `&`. */
enum status symbol_check(struct text symbol, struct error *err);

/* ---- bars ------------------------------------------------------------------------------------ */

enum bar_column { BAR_OPEN, BAR_HIGH, BAR_LOW, BAR_CLOSE, BAR_VOLUME, BAR_COLUMNS };

/* What a bar may hold: no market comes near, and a rule's windows still add up the fourth powers of
 * prices.  The importers reject what is beyond, and rules rely on it. */
#define BAR_PRICE_LEAST 1e-17
#define BAR_PRICE_MOST 1e17
#define BAR_VOLUME_MOST 1e30

/* Columns of one symbol, oldest first, times strictly rising.  Borrowed: whoever hands it out says
 * until when.  Prices are finite and > 0, volume finite and ≥ 0, low ≤ open, close ≤ high. */
struct bars {
    size_t count;
    const int64_t *time; /* open time, UTC ms */
    const double *column[BAR_COLUMNS];
    const struct market_name *market; /* whose clock `hour` and `weekday` read; NULL: UTC */
};

/* Index of the first bar at or after `time_ms`; `count` where there is none. */
size_t bars_find(const struct bars *bars, int64_t time_ms);
struct bars bars_slice(const struct bars *bars, size_t begin, size_t end);

/* ---- trade ----------------------------------------------------------------------------------- */

enum trade_reason {
    REASON_SIGNAL,
    REASON_STOP,
    REASON_TARGET,
    REASON_TRAIL,
    REASON_TIME,
    REASON_REVERSE,
    REASON_RUINED,
    REASON_END, /* still open: marked at the last close */
    REASON_COUNT
};
const char *trade_reason_name(enum trade_reason reason);

struct trade {
    uint32_t entry_bar, exit_bar; /* indices into the symbol's bars */
    double entry_price, exit_price;
    double units; /* negative: short */
    double fees;  /* of both fills; of an open position the entry's alone */
    double profit;
    double mae, mfe; /* worst and best excursion, share of the entry price, mae ≤ 0 ≤ mfe */
    enum trade_reason reason;
};

#endif
