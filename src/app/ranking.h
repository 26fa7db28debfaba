/* A ranking: what a backtest answers, as table, statistics, JSON or CSV. */
#ifndef HARRIER_APP_RANKING_H
#define HARRIER_APP_RANKING_H

#include "app/question.h"
#include "result/result.h"

struct ranking {
    const struct app *app;
    const struct rule *rule; /* NULL for a kept run */
    struct run *run;
    struct run_symbol *symbols;
    size_t count;
    size_t top; /* rows; 0: as many as a table shows, and all for a program */
    bool cached, color;
    int jobs;
    bool daily;           /* times are dates */
    const char *headline; /* "rsi (period 14, …) on sample/1d" */
    const char *fills;    /* "same-close fills, fee 0.1 %, 10,000 each" */
};

/* Best first by the metric's better direction, failures last, ties by symbol. */
void ranking_sort(struct run_symbol *symbols, size_t count, int key);

/* What a ranking is sorted by: a metric, or one of the fields behind them, the most first. */
enum { SORT_OPEN_POSITION = METRIC_COUNT, SORT_PENDING, SORT_REFUSED, SORT_COUNT };

/* The one of the first `count` that an option names; STATUS_USAGE with the nearest. */
enum status ranking_metric(const struct app *app, enum option option, int count, int *key,
                           struct error *err);

void ranking_table(const struct ranking *ranking, struct buffer *out);
void ranking_statistics(const struct ranking *ranking, const struct run_symbol *symbol,
                        struct buffer *out);
void ranking_json(const struct ranking *ranking, struct buffer *out);
void ranking_csv(const struct ranking *ranking, struct buffer *out);

/* A line for a symbol that failed, the first few of them; *count of all so far.  failures_end says
 * how many more there were. */
void failure_line(struct buffer *out, size_t *count, const char *symbol, const char *error);
void failures_end(struct buffer *out, size_t count);

/* A trade as a line of CSV, under TRADE_CSV_HEADER. */
#define TRADE_CSV_HEADER                                                                          \
    "symbol,side,entry_time,entry_price,exit_time,exit_price,units,fees,profit,return,bars_held," \
    "mae,mfe,reason\n"
void trade_csv(struct buffer *out, const char *symbol, const struct trade *trade, int64_t entry_ms,
               int64_t exit_ms, bool daily);

/* An equity curve as lines of CSV, under EQUITY_CSV_HEADER. */
#define EQUITY_CSV_HEADER "symbol,time,equity\n"
void equity_csv(struct buffer *out, const char *symbol, const double *equity, const int64_t *time,
                size_t count, bool daily);

/* Of a metric over the symbols that have it; NaN where none has. */
double metric_median(const struct run_symbol *symbols, size_t count, int metric);

/* One metric as people read it: "+812.31", "14", "41 days". */
const char *metric_words(int metric, double value, bool sign, char text[NUMBER_TEXT_BYTES]);

#endif
