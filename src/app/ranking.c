/* How a backtest's answer looks. */
#include "app/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOP_USUAL = 20, FAILURES_SHOWN = 5 };

/* ---- order ----------------------------------------------------------------------------------- */

struct order {
    int key, better;
};

static const char *const field_names[] = {"open_position", "pending", "refused"};

static double sort_value(const struct run_symbol *s, int key)
{
    switch (key) {
    case SORT_OPEN_POSITION:
        return s->sim.open_position;
    case SORT_PENDING:
        return (double)s->sim.pending;
    case SORT_REFUSED:
        return (double)s->sim.refused;
    default:
        return s->sim.metric[key];
    }
}

/* Undefined stands behind defined, failed behind both. */
static int compare(const void *left, const void *right, void *context)
{
    const struct run_symbol *a = left, *b = right;
    const struct order *order = context;
    double x = sort_value(a, order->key), y = sort_value(b, order->key);

    if (a->ok != b->ok)
        return a->ok ? -1 : 1;
    if (a->ok && isnan(x) != isnan(y))
        return isnan(x) ? 1 : -1;
    if (a->ok && x != y && !isnan(x))
        return (x > y) == (order->better >= 0) ? -1 : 1;
    return strcmp(a->symbol, b->symbol);
}

void ranking_sort(struct run_symbol *symbols, size_t count, int key)
{
    struct order order = {key, key < METRIC_COUNT ? metric_rows[key].better : 1};

    qsort_r(symbols, count, sizeof *symbols, compare, &order);
}

enum status ranking_metric(const struct app *app, enum option option, int count, int *key,
                           struct error *err)
{
    const char *name = conf_text(app->conf, option), *names[SORT_COUNT], *nearest;

    *key = metric_find(text_of(name));
    for (int k = 0; k < count; k++) {
        names[k] = k < METRIC_COUNT ? metric_rows[k].name : field_names[k - METRIC_COUNT];
        if (*key < 0 && !strcmp(names[k], name))
            *key = k;
    }
    if (*key >= 0)
        return STATUS_OK;
    nearest = text_nearest(text_of(name), names, (size_t)count);
    return fail(err, STATUS_USAGE,
                "unknown metric `%s` in --%s%s%s%s: `harrier metrics` lists them", name,
                option_rows[option].flag, nearest ? "; did you mean `" : "", nearest ? nearest : "",
                nearest ? "`?" : "");
}

/* ---- words ----------------------------------------------------------------------------------- */

const char *metric_words(int metric, double value, bool sign, char text[NUMBER_TEXT_BYTES])
{
    switch (metric_rows[metric].unit) {
    case UNIT_MONEY:
        return with_commas(value, 2, false, text);
    case UNIT_PERCENT:
        return with_commas(value, 2, sign, text);
    case UNIT_RATIO:
        return with_commas(value, 2, false, text);
    case UNIT_COUNT:
        return with_commas(value, 0, false, text);
    case UNIT_BARS:
        return with_commas(value, value == floor(value) ? 0 : 1, false, text);
    case UNIT_DURATION:
        return duration_words(value, text);
    }
    return with_commas(value, 2, false, text);
}

double metric_median(const struct run_symbol *symbols, size_t count, int metric)
{
    double *values = mem_alloc((count + 1) * sizeof *values), middle = (double)NAN;
    size_t ok = 0;

    for (size_t i = 0; values && i < count; i++)
        if (symbols[i].ok)
            values[ok++] = symbols[i].sim.metric[metric];
    if (values)
        middle = median(values, ok);
    mem_free(values);
    return middle;
}

static void milliseconds(double ms, char text[NUMBER_TEXT_BYTES])
{
    if (ms < 10)
        snprintf(text, NUMBER_TEXT_BYTES, "%.2g ms", ms);
    else if (ms < 10000)
        snprintf(text, NUMBER_TEXT_BYTES, "%.0f ms", ms);
    else
        snprintf(text, NUMBER_TEXT_BYTES, "%.1f s", ms / 1000);
}

/* Symbols that were not reached before a signal. */
static int64_t interrupted_count(const struct run *run)
{
    return run->symbol_count - run->successful - run->failed;
}

static void summary_line(const struct ranking *r, struct buffer *out)
{
    char symbols[NUMBER_TEXT_BYTES], bars[NUMBER_TEXT_BYTES], calculating[NUMBER_TEXT_BYTES],
        all[NUMBER_TEXT_BYTES];

    milliseconds(r->run->calculation_ms, calculating);
    milliseconds(r->run->total_ms, all);
    buffer_addf(out, "%s symbol%s, %s bars: ", with_commas((double)r->count, 0, false, symbols),
                r->count == 1 ? "" : "s", with_commas((double)r->run->bars, 0, false, bars));
    if (r->cached)
        buffer_addf(out, "from the results kept as run %lld, %s in all", (long long)r->run->id,
                    all);
    else
        buffer_addf(out, "%s calculating, %s in all, %d thread%s", calculating, all, r->jobs,
                    r->jobs == 1 ? "" : "s");
    if (r->run->failed)
        buffer_addf(out, ", %lld failed", (long long)r->run->failed);
    else
        buffer_addf(out, ", none failed");
    if (interrupted_count(r->run))
        buffer_addf(out, "; interrupted, %lld symbols were not reached",
                    (long long)interrupted_count(r->run));
    buffer_add_char(out, '\n');
}

void failure_line(struct buffer *out, size_t *count, const char *symbol, const char *error)
{
    if ((*count)++ < FAILURES_SHOWN)
        buffer_addf(out, "%s failed: %s\n", symbol, error);
}

void failures_end(struct buffer *out, size_t count)
{
    if (count > FAILURES_SHOWN)
        buffer_addf(out, "… and %zu more failed: --json lists them\n", count - FAILURES_SHOWN);
}

static void failure_lines(const struct ranking *r, struct buffer *out)
{
    size_t count = 0;

    for (size_t i = 0; i < r->count; i++)
        if (!r->symbols[i].ok)
            failure_line(out, &count, r->symbols[i].symbol, r->symbols[i].error);
    failures_end(out, count);
}

/* ---- the ranked table ------------------------------------------------------------------------ */

static const struct sheet_column ranking_columns[] = {
    {"#", false, 0, false},      {"symbol", true, 0, false},    {"return %", false, 0, true},
    {"hold %", false, 3, false}, {"max dd %", false, 2, false}, {"sharpe", false, 4, false},
    {"trades", false, 5, false}, {"win %", false, 6, false},    {"exposure %", false, 8, false},
    {"equity", true, 7, false},
};

static void add_row(struct sheet *table, size_t place, const struct run_symbol *s)
{
    const double *m = s->sim.metric;
    char text[NUMBER_TEXT_BYTES];

    sheet_add(table, "%zu", place);
    sheet_add(table, "%s", s->symbol);
    sheet_add(table, "%s", with_commas(m[METRIC_TOTAL_RETURN], 2, true, text));
    sheet_add(table, "%s", with_commas(m[METRIC_BUY_HOLD_RETURN], 1, true, text));
    sheet_add(table, "%s", with_commas(m[METRIC_MAX_DRAWDOWN], 1, false, text));
    sheet_add(table, "%s", with_commas(m[METRIC_SHARPE], 2, false, text));
    sheet_add(table, "%s", with_commas(m[METRIC_TRADES], 0, false, text));
    sheet_add(table, "%s", with_commas(m[METRIC_WIN_RATE], 0, false, text));
    sheet_add(table, "%s", with_commas(m[METRIC_EXPOSURE], 0, false, text));
    sheet_add(table, "%s", s->sparkline);
}

static void below_table(const struct ranking *r, size_t shown, size_t ranked, struct buffer *out)
{
    char number[NUMBER_TEXT_BYTES], extra[NUMBER_TEXT_BYTES];
    double middle = metric_median(r->symbols, r->count, METRIC_TOTAL_RETURN);
    size_t up = 0;

    for (size_t i = 0; i < r->count; i++)
        up += r->symbols[i].ok && r->symbols[i].sim.metric[METRIC_TOTAL_RETURN] > 0;

    if (ranked > shown)
        buffer_addf(out, " ...  %s more: --top %zu, --csv or --json\n",
                    with_commas((double)(ranked - shown), 0, false, extra), ranked);
    buffer_addf(out, "\nmedian %s %%, %zu of %zu up", with_commas(middle, 1, true, number), up,
                ranked);
    if (!isnan(r->run->market_return))
        buffer_addf(out, "; the whole market held in equal parts: %s %%",
                    with_commas(r->run->market_return, 1, true, number));
    buffer_addf(out, "\n");
}

static size_t ranked_count(const struct ranking *r)
{
    size_t ranked = 0;

    while (ranked < r->count && r->symbols[ranked].ok)
        ranked++;
    return ranked;
}

void ranking_table(const struct ranking *r, struct buffer *out)
{
    size_t ranked = ranked_count(r), shown = MIN(r->top ? r->top : TOP_USUAL, ranked);
    struct sheet table;

    buffer_addf(out, "%s\n%s\n\n", r->headline, r->fills);
    sheet_init(&table, ranking_columns, ARRAY_COUNT(ranking_columns));
    table.color = r->color;
    for (size_t i = 0; i < shown; i++)
        add_row(&table, i + 1, &r->symbols[i]);
    if (shown)
        sheet_print(&table, out, r->app->width);
    out->failed |= table.failed;
    sheet_deinit(&table);
    below_table(r, shown, ranked, out);
    failure_lines(r, out);
    summary_line(r, out);
}

/* ---- the statistics of one symbol ------------------------------------------------------------ */

enum { STATISTIC_TITLE_COLUMNS = 26 };

static void statistic(struct buffer *out, const char *title, const char *value)
{
    buffer_addf(out, "%-*s %22s\n", STATISTIC_TITLE_COLUMNS, title, value);
}

static void pending_line(const struct run_symbol *s, struct buffer *out)
{
    char text[32];

    if (s->sim.pending)
        buffer_addf(out, "\na signal on the last bar waits for the next open: %s\n",
                    pending_text(s->sim.pending, text));
    if (s->sim.refused)
        buffer_addf(
            out,
            "\n%u entries refused (a distance or size that is not defined, or too small a trade)\n",
            s->sim.refused);
    if (s->sim.ruined)
        buffer_addf(out, "\nruined: equity fell to 0 or below, and the symbol trades no more\n");
    if (s->note)
        buffer_addf(out, "\nnote: %s\n", s->note);
}

void ranking_statistics(const struct ranking *r, const struct run_symbol *s, struct buffer *out)
{
    char text[NUMBER_TEXT_BYTES], from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];

    buffer_addf(out, "%s, %s\n%s\n\n", s->symbol, r->headline, r->fills);
    if (!s->ok) {
        failure_lines(r, out);
        return;
    }
    time_to_text(s->from_ms, r->daily, from);
    time_to_text(s->to_ms, r->daily, to);
    statistic(out, "Start", from);
    statistic(out, "End", to);
    statistic(out, "Duration", duration_words((double)(s->to_ms - s->from_ms), text));
    for (int m = 0; m < METRIC_COUNT; m++) {
        double value = s->sim.metric[m];

        if (metric_rows[m].unit == UNIT_MONEY && value == 0 && m == METRIC_FEES)
            continue; /* commissions appear only where there are some */
        statistic(out, metric_rows[m].title, metric_words(m, value, false, text));
    }
    buffer_addf(out, "\nequity  %s\n", s->sparkline);
    pending_line(s, out);
    buffer_addf(out, "\n");
    summary_line(r, out);
}

/* ---- JSON and CSV ---------------------------------------------------------------------------- */

static void symbol_json(struct json *json, const struct ranking *r, const struct run_symbol *s)
{
    char text[TIME_TEXT_BYTES > 32 ? TIME_TEXT_BYTES : 32];

    json_begin(json, NULL, '{');
    json_text(json, "symbol", s->symbol);
    json_text(json, "status", s->ok ? "ok" : "failed");
    json_int(json, "bars", s->bars);
    if (s->bars) {
        time_to_text(s->from_ms, r->daily, text);
        json_text(json, "from", text);
        time_to_text(s->to_ms, r->daily, text);
        json_text(json, "to", text);
    }
    if (s->error)
        json_text(json, "error", s->error);
    for (int m = 0; m < METRIC_COUNT; m++)
        json_number(json, metric_rows[m].name, s->ok ? s->sim.metric[m] : (double)NAN);
    if (s->ok) {
        json_number(json, "open_position", s->sim.open_position);
        json_text(json, "pending", s->sim.pending ? pending_text(s->sim.pending, text) : NULL);
        json_int(json, "refused", s->sim.refused);
        json_int(json, "unfilled", s->sim.unfilled);
        json_bool(json, "ruined", s->sim.ruined);
        json_text(json, "equity_sparkline", s->sparkline);
    }
    if (s->note)
        json_text(json, "note", s->note);
    json_end(json, '}');
}

/* Of a program's answer: all, unless --top says how many. */
static size_t listed(const struct ranking *r)
{
    return r->top ? MIN(r->top, r->count) : r->count;
}

void ranking_json(const struct ranking *r, struct buffer *out)
{
    struct json json = {.out = *out};
    const struct run *run = r->run;

    json_begin(&json, NULL, '{');
    json_text(&json, "engine", run->engine);
    if (r->cached)
        json_int(&json, "run_id", run->id);
    else
        json_null(&json, "run_id"); /* it is kept after it is shown */
    json_text(&json, "rule", run->rule);
    json_text(&json, "rule_hash", run->rule_hash);
    json_raw(&json, "parameters", run->parameters);
    json_text(&json, "parameters_hash", run->parameters_hash);
    json_text(&json, "market", run->market);
    json_raw(&json, "options", run->options);
    json_begin(&json, "summary", '{');
    json_int(&json, "symbols", run->symbol_count);
    json_int(&json, "successful", run->successful);
    json_int(&json, "failed", run->failed);
    json_int(&json, "interrupted", interrupted_count(run));
    json_int(&json, "bars", run->bars);
    json_number(&json, "market_return", run->market_return);
    json_bool(&json, "cached", r->cached);
    json_number(&json, "calculation_time_ms", run->calculation_ms);
    json_number(&json, "total_time_ms", run->total_ms);
    json_end(&json, '}');
    json_begin(&json, "results", '[');
    for (size_t i = 0; i < listed(r); i++) {
        symbol_json(&json, r, &r->symbols[i]);
        buffer_add_char(&json.out, '\n');
    }
    json_end(&json, ']');
    buffer_add_text(&json.out, "}\n");
    *out = json.out;
}

static void csv_number(struct buffer *out, double value)
{
    buffer_add_char(out, ',');
    if (isfinite(value))
        buffer_add_double(out, value);
}

void ranking_csv(const struct ranking *r, struct buffer *out)
{
    char text[TIME_TEXT_BYTES > 32 ? TIME_TEXT_BYTES : 32];

    buffer_add_text(out, "symbol,status,bars,from,to");
    for (int m = 0; m < METRIC_COUNT; m++)
        buffer_addf(out, ",%s", metric_rows[m].name);
    buffer_add_text(out, ",open_position,pending,refused,unfilled\n");
    for (size_t i = 0; i < listed(r); i++) {
        const struct run_symbol *s = &r->symbols[i];

        buffer_addf(out, "%s,%s,%lld,", s->symbol, s->ok ? "ok" : "failed", (long long)s->bars);
        buffer_add_text(out, s->bars ? (time_to_text(s->from_ms, r->daily, text), text) : "");
        buffer_add_char(out, ',');
        buffer_add_text(out, s->bars ? (time_to_text(s->to_ms, r->daily, text), text) : "");
        for (int m = 0; m < METRIC_COUNT; m++)
            csv_number(out, s->ok ? s->sim.metric[m] : (double)NAN);
        csv_number(out, s->ok ? s->sim.open_position : (double)NAN);
        buffer_addf(out, ",%s,%u,%u\n", s->ok ? pending_text(s->sim.pending, text) : "",
                    s->sim.refused, s->sim.unfilled);
    }
}

void equity_csv(struct buffer *out, const char *symbol, const double *equity, const int64_t *time,
                size_t count, bool daily)
{
    char text[TIME_TEXT_BYTES];

    for (size_t t = 0; t < count; t++) {
        time_to_text(time[t], daily, text);
        buffer_addf(out, "%s,%s,", symbol, text);
        buffer_add_double(out, equity[t]);
        buffer_add_char(out, '\n');
    }
}

void trade_csv(struct buffer *out, const char *symbol, const struct trade *t, int64_t entry_ms,
               int64_t exit_ms, bool daily)
{
    char text[TIME_TEXT_BYTES];
    double units = fabs(t->units);
    const double numbers[] = {t->exit_price,
                              units,
                              t->fees,
                              t->profit,
                              t->profit / (units * t->entry_price) * 100,
                              (double)(t->exit_bar - t->entry_bar),
                              t->mae * 100,
                              t->mfe * 100};

    time_to_text(entry_ms, daily, text);
    buffer_addf(out, "%s,%s,%s,", symbol, t->units > 0 ? "long" : "short", text);
    buffer_add_double(out, t->entry_price);
    time_to_text(exit_ms, daily, text);
    buffer_addf(out, ",%s", text);
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        csv_number(out, numbers[i]);
    buffer_addf(out, ",%s\n", trade_reason_name(t->reason));
}
