/* sample: a market that looks like one, made of integers and + - * / sqrt alone, each of which IEEE
 * 754 rounds in one way only: so the same bytes come out on every machine. */
#include "import/import.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct date last_day = {2025, 1, 1};

/* What makes one symbol different from another. */
struct character {
    double price;      /* the first */
    double tick;       /* prices are whole numbers of 1/tick */
    double volatility; /* of a bar */
    double drift;      /* of a bar */
    double volume;     /* usual, of a bar */
};

static double between(struct random *random, double low, double high)
{
    return low + (high - low) * random_unit(random);
}

/* Nearly normal, mean 0 and variance 1: the sum of four uniform numbers of 16 bits each.  One in 64
 * is three times as far out, since markets have more of those than a bell. */
static double shock(struct random *random)
{
    uint64_t bits = random_next(random);
    uint64_t sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    double z = ((double)sum - 131070.0) / 65536.0 * sqrt(3.0);

    return random_below(random, 64) == 0 ? 3 * z : z;
}

static struct character make_character(struct random *random, enum timeframe frame)
{
    static const double powers[] = {0.1, 1, 10, 100, 1000, 10000, 100000, 1000000};
    int64_t frame_ms = timeframe_ms(frame) ? timeframe_ms(frame) : 30 * (int64_t)DAY_MS;
    double days = (double)frame_ms / (double)DAY_MS, calm = random_unit(random);
    size_t decade = random_below(random, 4); /* 0.1 … 1, 1 … 10, 10 … 100, 100 … 1,000 */
    struct character character = {
        .price = powers[decade] * between(random, 1, 10),
        .tick = powers[6 - decade],
        .volatility = (0.012 + 0.045 * calm * calm) * sqrt(days),
        .drift = between(random, -0.0007, 0.0013) * days,
    };

    /* A random walk of returns sinks by half its variance. */
    character.drift += character.volatility * character.volatility / 2;
    character.volume = powers[3 + random_below(random, 4)] * between(random, 1, 10) /
                       character.price * sqrt(days) * 10;
    return character;
}

static double to_tick(const struct character *character, double price)
{
    double ticks = (double)(int64_t)(price * character->tick + 0.5);

    return (ticks < 1 ? 1 : ticks) / character->tick;
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static void make_times(enum timeframe frame, size_t bars, int64_t *time)
{
    int64_t open = timeframe_floor(frame, date_to_ms(last_day));

    for (size_t i = bars; i-- > 0;) {
        time[i] = open;
        open = timeframe_floor(frame, open - 1);
    }
}

void sample_bars(uint64_t seed, size_t symbol, enum timeframe frame, size_t bars, int64_t *time,
                 double *const column[BAR_COLUMNS])
{
    struct random random;
    struct character self;
    double mood = 1, price; /* mood: volatility comes in spells */

    random_init(&random, seed, symbol);
    self = make_character(&random, frame);
    price = self.price;
    make_times(frame, bars, time);
    for (size_t i = 0; i < bars; i++) {
        double spread, open, close, high, low, z = shock(&random);
        double drift = self.drift;

        mood = 0.94 * mood + 0.06 * between(&random, 0.4, 1.6) +
               (random_below(&random, 128) == 0 ? 1.2 : 0);
        spread = self.volatility * mood;
        /* Bounds far out, so that a long walk neither dies nor leaves the doubles that print well.
         */
        if (price < self.price / 100)
            drift += self.volatility / 3;
        if (price > self.price * 300)
            drift -= self.volatility / 3;
        open = to_tick(&self, price * (1 + clamp(0.2 * spread * shock(&random), -0.3, 0.4)));
        close = to_tick(&self, open * (1 + clamp(drift + spread * z, -0.6, 0.9)));
        high = to_tick(&self,
                       MAX(open, close) * (1 + clamp(0.5 * spread * random_unit(&random), 0, 0.4)));
        low = to_tick(&self,
                      MIN(open, close) * (1 - clamp(0.5 * spread * random_unit(&random), 0, 0.4)));
        column[BAR_OPEN][i] = open;
        column[BAR_HIGH][i] = MAX(high, MAX(open, close));
        column[BAR_LOW][i] = MIN(low, MIN(open, close));
        column[BAR_CLOSE][i] = close;
        column[BAR_VOLUME][i] = (double)(int64_t)(self.volume * (0.3 + 0.5 * mood + 0.2 * z * z) *
                                                      between(&random, 0.5, 1.5) +
                                                  1);
        price = close;
    }
}

static enum status check_sizes(const struct sample_options *options, struct error *err)
{
    int64_t frame_ms = timeframe_ms(options->market.frame) ? timeframe_ms(options->market.frame)
                                                           : 31 * (int64_t)DAY_MS;
    double years = (double)options->bars * (double)frame_ms / (365.25 * (double)DAY_MS);

    if (options->symbols < 1 || options->symbols > SAMPLE_SYMBOLS_MAX)
        return fail(err, STATUS_USAGE, "a sample market has 1 to %d symbols, not %zu",
                    SAMPLE_SYMBOLS_MAX, options->symbols);
    if (options->bars < 1 || options->bars > SAMPLE_BARS_MAX)
        return fail(err, STATUS_USAGE, "a sample market has 1 to %d bars, not %zu", SAMPLE_BARS_MAX,
                    options->bars);
    if (years > 300)
        return fail(err, STATUS_USAGE, "%zu bars of %s would begin before the year 1725",
                    options->bars, timeframe_name(options->market.frame));
    return STATUS_OK;
}

static enum status put_symbol(const struct sample_options *options, struct writer *writer,
                              size_t symbol, double *const column[BAR_COLUMNS], int64_t *time,
                              struct sample_report *report, struct error *err)
{
    struct bars bars = {.count = options->bars, .time = time};
    struct put_result put = {0};
    char name[SYMBOL_BYTES_MAX], market[MARKET_TEXT_BYTES];
    int digits = options->symbols < 1000 ? 3 : options->symbols < 10000 ? 4 : 6;

    snprintf(name, sizeof name, "S%0*zu", digits, symbol + 1);
    sample_bars(options->seed, symbol, options->market.frame, options->bars, time, column);
    for (int c = 0; c < BAR_COLUMNS; c++)
        bars.column[c] = column[c];
    TRY(writer_put(writer, text_of(name), &bars, false, &put, err));
    report->added += put.added;
    report->same += put.same;
    if (put.contradicted == 0)
        return STATUS_OK;
    market_to_text(&options->market, market);
    return fail(
        err, STATUS_REFUSED,
        "%s holds other bars of %s: take another --market, or remove it first (harrier rm %s)",
        market, name, market);
}

static enum status put_all(const struct sample_options *options, struct writer *writer,
                           void *memory, struct sample_report *report, struct error *err)
{
    double *column[BAR_COLUMNS];
    int64_t *time = memory;

    for (int c = 0; c < BAR_COLUMNS; c++)
        column[c] = (double *)memory + options->bars * (size_t)(1 + c);
    for (size_t symbol = 0; symbol < options->symbols; symbol++) {
        if (env_is_stopped(options->env))
            return fail(err, STATUS_INTERRUPTED, "interrupted: nothing was stored");
        TRY(put_symbol(options, writer, symbol, column, time, report, err));
    }
    return writer_commit(writer, err);
}

enum status sample_run(const struct sample_options *options, struct sample_report *report,
                       struct error *err)
{
    struct writer *writer = NULL;
    enum status status;
    void *memory;

    *report = (struct sample_report){0};
    TRY(check_sizes(options, err));
    memory = mem_alloc(options->bars * (1 + BAR_COLUMNS) * sizeof(double));
    if (!memory)
        return fail(err, STATUS_MEMORY, "no memory for %zu bars", options->bars);
    status = writer_open(&writer, options->env, options->data_dir, &options->market,
                         "harrier sample", err);
    if (status == STATUS_OK)
        status = put_all(options, writer, memory, report, err);
    if (writer)
        writer_close(writer);
    mem_free(memory);
    return status;
}
