/* Puts a question together from the options. */
#include "app/question.h"

#include <stdlib.h>
#include <string.h>

/* ---- options --------------------------------------------------------------------------------- */

static void read_options(struct question *q, struct app *app)
{
    struct conf *conf = app->conf;

    q->options = (struct sim_options){
        .cash = conf_number(conf, OPT_CASH),
        .fee = conf_number(conf, OPT_FEE),
        .fee_min = conf_number(conf, OPT_FEE_MIN),
        .slippage = conf_number(conf, OPT_SLIPPAGE),
        .fill = strcmp(conf_text(conf, OPT_FILL), "close") ? FILL_OPEN : FILL_CLOSE,
        .fee_mode = strcmp(conf_text(conf, OPT_FEE_MODE), "deduct") ? FEE_ADD : FEE_DEDUCT,
        .lot = conf_number(conf, OPT_LOT),
        .min_notional = conf_number(conf, OPT_MIN_NOTIONAL),
        .borrow = conf_number(conf, OPT_BORROW),
        .require_volume = conf_flag(conf, OPT_REQUIRE_VOLUME),
    };
    q->from_ms = conf_is_set(conf, OPT_FROM) ? conf_date(conf, OPT_FROM) : INT64_MIN;
    q->to_ms = conf_is_set(conf, OPT_TO) ? conf_date(conf, OPT_TO) : INT64_MAX;
    q->cold = conf_flag(conf, OPT_COLD);
    q->jobs = app_jobs(app);
    q->benchmark = conf_text(conf, OPT_BENCHMARK);
}

static char *kept(struct arena *arena, struct json *json)
{
    char *text = json->out.failed ? NULL : arena_copy_text(arena, json->out.at, json->out.length);

    buffer_deinit(&json->out);
    return text;
}

static void describe_parameters(struct question *q)
{
    struct json json = {0};

    json_begin(&json, NULL, '{');
    for (int p = 0; p < q->rule->parameter_count; p++)
        json_number(&json, q->rule->parameters[p].name, q->parameters[p]);
    buffer_add_char(&json.out, '}');
    q->parameters_json = kept(&q->arena, &json);
    q->parameters_hash = hash128_bytes(q->parameters,
                                       sizeof *q->parameters * (size_t)q->rule->parameter_count);
}

static void describe_date(struct json *json, const char *key, int64_t time_ms)
{
    char text[TIME_TEXT_BYTES];

    if (time_ms == INT64_MIN || time_ms == INT64_MAX) {
        json_null(json, key);
        return;
    }
    time_to_text(time_ms, time_ms % DAY_MS == 0, text);
    json_text(json, key, text);
}

static void describe_options(struct question *q)
{
    const struct sim_options *o = &q->options;
    struct json json = {0};

    json_begin(&json, NULL, '{');
    json_number(&json, "cash", o->cash);
    json_number(&json, "fee", o->fee);
    json_number(&json, "fee_min", o->fee_min);
    json_text(&json, "fee_mode", o->fee_mode == FEE_ADD ? "add" : "deduct");
    json_number(&json, "slippage", o->slippage);
    json_text(&json, "fill", o->fill == FILL_OPEN ? "open" : "close");
    json_number(&json, "lot", o->lot);
    json_number(&json, "min_notional", o->min_notional);
    json_number(&json, "borrow", o->borrow);
    json_bool(&json, "require_volume", o->require_volume);
    json_int(&json, "year", q->year_days);
    json_number(&json, "year_bars", o->year_bars);
    json_text(&json, "benchmark", q->benchmark);
    describe_date(&json, "from", q->from_ms);
    describe_date(&json, "to", q->to_ms);
    json_bool(&json, "cold", q->cold);
    buffer_add_char(&json.out, '}');
    q->options_json = kept(&q->arena, &json);
}

/* Of the market and not of the chosen symbols, so that one symbol alone is judged as among all. */
static void find_year(struct question *q, int given)
{
    size_t count = snapshot_symbol_count(q->snapshot), step = count / YEAR_SYMBOLS_MAX + 1;
    struct bars samples[YEAR_SYMBOLS_MAX];
    struct error ignored;
    size_t sampled = 0;
    struct year year;

    for (size_t i = 0; i < count; i += step)
        sampled += snapshot_bars(q->snapshot, i, &samples[sampled], &ignored) == STATUS_OK;
    year = year_of(q->market.frame, samples, sampled, given);
    q->year_days = year.days;
    q->options.year_bars = year.bars;
}

static enum status open_market(struct question *q, struct app *app, struct error *err)
{
    const char *year = conf_text(app->conf, OPT_YEAR);

    TRY(app_market(app, conf_text(app->conf, OPT_ON), &q->market, err));
    market_to_text(&q->market, q->market_text);
    TRY(snapshot_open(&q->snapshot, app->env, app->data, &q->market, err));
    if (snapshot_symbol_count(q->snapshot) == 0)
        return fail(err, STATUS_MISSING, "%s is empty: `harrier import FILES --as %s` fills it",
                    q->market_text, q->market_text);
    TRY(app_symbols(app, q->snapshot, &q->arena, &q->chosen, &q->symbol_count, err));
    find_year(q, year ? atoi(year) : 0);
    return STATUS_OK;
}

static enum status fill(struct question *q, struct app *app, struct error *err)
{
    TRY(app_arena_open(&q->arena, err));
    read_options(q, app);
    if (q->from_ms >= q->to_ms)
        return fail(err, STATUS_USAGE, "--from is not before --to: no bars are left");
    TRY(app_rule(app, app->operands[0], &q->arena, &q->rule, err));
    TRY(app_parameters(app, q->rule, q->parameters, q->set, err));
    TRY(open_market(q, app, err));
    describe_parameters(q);
    describe_options(q);
    if (!q->parameters_json || !q->options_json)
        return fail(err, STATUS_MEMORY, "no memory");
    return STATUS_OK;
}

enum status question_open(struct question *q, struct app *app, struct error *err)
{
    enum status status;

    *q = (struct question){0};
    status = fill(q, app, err);
    if (status != STATUS_OK)
        question_close(q);
    return status;
}

void question_close(struct question *q)
{
    if (q->snapshot)
        snapshot_close(q->snapshot);
    q->snapshot = NULL;
    app_arena_close(&q->arena);
}

/* ---- bars ------------------------------------------------------------------------------------ */

/* The part of the bars that may trade, and what may warm up before it. */
static void cut(const struct question *q, struct batch_symbol *symbol)
{
    symbol->begin = q->from_ms == INT64_MIN ? 0 : bars_find(&symbol->bars, q->from_ms);
    symbol->end = q->to_ms == INT64_MAX ? symbol->bars.count : bars_find(&symbol->bars, q->to_ms);
    if (q->cold) {
        symbol->bars = bars_slice(&symbol->bars, symbol->begin, symbol->end);
        symbol->end -= symbol->begin;
        symbol->begin = 0;
    }
}

enum status question_symbols(struct question *q, struct batch_symbol **symbols,
                             const char ***problems, struct error *err)
{
    *symbols = ARENA_ARRAY(&q->arena, struct batch_symbol, q->symbol_count + 1);
    *problems = ARENA_ARRAY(&q->arena, const char *, q->symbol_count + 1);
    if (!*symbols || !*problems)
        return fail(err, STATUS_MEMORY, "no memory for %zu symbols", q->symbol_count);
    for (size_t i = 0; i < q->symbol_count; i++) {
        struct batch_symbol *symbol = &(*symbols)[i];
        struct error problem;

        symbol->name = snapshot_symbol_name(q->snapshot, q->chosen[i]);
        if (snapshot_bars(q->snapshot, q->chosen[i], &symbol->bars, &problem) == STATUS_OK) {
            symbol->bars.market = &q->market;
            cut(q, symbol);
        } else {
            (*problems)[i] = arena_copy_text(&q->arena, problem.text, strlen(problem.text));
        }
    }
    return STATUS_OK;
}

enum status question_benchmark(struct question *q, const struct bars **bars, struct error *err)
{
    struct bars *found;
    ptrdiff_t index;

    *bars = NULL;
    if (!q->benchmark)
        return STATUS_OK;
    index = snapshot_symbol_find(q->snapshot, text_of(q->benchmark));
    if (index < 0)
        return fail(err, STATUS_MISSING, "no symbol `%s` in %s for --benchmark", q->benchmark,
                    q->market_text);
    found = ARENA_NEW(&q->arena, struct bars);
    if (!found)
        return fail(err, STATUS_MEMORY, "no memory");
    TRY(snapshot_bars(q->snapshot, (size_t)index, found, err));
    *bars = found;
    return STATUS_OK;
}

enum status question_bars_hash(struct question *q, struct hash128 *hash, struct error *err)
{
    struct hash128 *all = ARENA_ARRAY(&q->arena, struct hash128, 2 * (q->symbol_count + 1));
    size_t count = 0;
    ptrdiff_t benchmark = q->benchmark ? snapshot_symbol_find(q->snapshot, text_of(q->benchmark))
                                       : -1;

    if (!all)
        return fail(err, STATUS_MEMORY, "no memory");
    for (size_t i = 0; i < q->symbol_count; i++) {
        const char *name = snapshot_symbol_name(q->snapshot, q->chosen[i]);
        struct error ignored;
        struct bars bars;

        /* Mapped too: what is kept must not stand for a file that is gone or cut. */
        all[count++] = hash128_bytes(name, strlen(name));
        all[count++] = snapshot_bars(q->snapshot, q->chosen[i], &bars, &ignored) == STATUS_OK
                           ? snapshot_symbol_info(q->snapshot, q->chosen[i]).hash
                           : hash128_bytes("corrupt", 7);
    }
    if (benchmark >= 0)
        all[count++] = snapshot_symbol_info(q->snapshot, (size_t)benchmark).hash;
    *hash = hash128_bytes(all, count * sizeof *all);
    return STATUS_OK;
}

enum status answer_write(const struct app *app, struct buffer *out, const struct snapshot *snapshot,
                         struct error *err)
{
    enum status status = snapshot_whole(snapshot, err);

    if (status == STATUS_OK)
        return app_print(app, out, err);
    buffer_deinit(out);
    return status;
}
