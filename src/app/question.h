/* A question: one rule, its parameters and options, over the symbols of one market.  What backtest,
 * sweep and check ask of the engine, put together from the options. */
#ifndef HARRIER_APP_QUESTION_H
#define HARRIER_APP_QUESTION_H

#include "app/app.h"
#include "sweep/sweep.h"

struct question {
    struct arena arena; /* everything below lives here, but for the snapshot */
    const struct rule *rule;
    double parameters[RULE_PARAMETERS_MAX];
    bool set[RULE_PARAMETERS_MAX]; /* by --set */
    struct sim_options options;
    struct market_name market;
    char market_text[MARKET_TEXT_BYTES];
    struct snapshot *snapshot;
    size_t *chosen; /* indices into the snapshot */
    size_t symbol_count;
    int64_t from_ms, to_ms; /* INT64_MIN, INT64_MAX where not given */
    bool cold;
    int year_days; /* 365 or 252 */
    int jobs;
    const char *benchmark; /* NULL: each symbol's own closes */
    char *parameters_json, *options_json;
    struct hash128 parameters_hash;
};

/* Reads options, rule and market; maps nothing but what the year needs. */
enum status question_open(struct question *question, struct app *app, struct error *err);
void question_close(struct question *question);

/* Symbols for the engine: names and bars; one whose file is corrupt has problems[i] set and no
 * bars. */
enum status question_symbols(struct question *question, struct batch_symbol **symbols,
                             const char ***problems, struct error *err);

/* The bars of --benchmark, in question->arena; NULL where there is none. */
enum status question_benchmark(struct question *question, const struct bars **bars,
                               struct error *err);

/* Hash of all bars that the question reads, from the store's headers. */
enum status question_bars_hash(struct question *question, struct hash128 *hash, struct error *err);

/* Writes what was made of a market's bars and empties it; nothing but a sentence where a file was
 * cut while it was read (snapshot_whole). */
enum status answer_write(const struct app *app, struct buffer *out, const struct snapshot *snapshot,
                         struct error *err);

#endif
