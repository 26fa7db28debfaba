/* Commands on markets: sample, symbols, bars, resample, rm, rename. */
#include <math.h>
#include <string.h>

#include "app/app.h"
#include "app/evaluate.h"
#include "app/question.h"
#include "import/import.h"

/* ---- sample ---------------------------------------------------------------------------------- */

static enum status sample_command(struct app *app, struct error *err)
{
    char text[NUMBER_TEXT_BYTES], market[MARKET_TEXT_BYTES];
    struct buffer out = {0};
    struct sample_report report;
    struct sample_options options = {
        .env = app->env,
        .data_dir = app->data,
        .symbols = (size_t)conf_whole(app->conf, OPT_SYMBOL_COUNT),
        .bars = (size_t)conf_whole(app->conf, OPT_BAR_COUNT),
        .seed = (uint64_t)conf_whole(app->conf, OPT_SEED),
    };

    TRY(market_parse(&options.market, text_of(conf_text(app->conf, OPT_MARKET)), err));
    app_stop_words(COMMIT_STOP_WORDS);
    TRY(sample_run(&options, &report, err));
    app_stop_words(NULL);
    market_to_text(&options.market, market);
    if (app->json)
        buffer_addf(&out,
                    "{\"market\": \"%s\", \"symbols\": %zu, \"bars\": %zu, \"added\": %llu, "
                    "\"same\": %llu}\n",
                    market, options.symbols, options.bars, (unsigned long long)report.added,
                    (unsigned long long)report.same);
    else
        buffer_addf(&out, "%s: %zu symbol%s, %s bars each%s\nnext: harrier backtest rsi --on %s\n",
                    market, options.symbols, options.symbols == 1 ? "" : "s",
                    with_commas((double)options.bars, 0, false, text),
                    report.added ? "" : " (all there already)", market);
    return app_write(&out, err);
}

const struct command command_sample = {
    .name = "sample",
    .summary = "make a deterministic random market, to try things on",
    .help = "The same seed makes the same bytes on every machine. Symbols are S001, S002, …\n"
            "\n"
            "  harrier sample\n"
            "  harrier sample --market sample/1m --symbols 1 --bars 100000\n"
            "  harrier sample --market mine/1h --symbols 20 --bars 5000 --seed 7\n",
    .options = {OPT_MARKET, OPT_SYMBOL_COUNT, OPT_BAR_COUNT, OPT_SEED, OPT_JSON, OPT_DATA,
                OPT_HELP},
    .run = sample_command,
};

/* ---- symbols --------------------------------------------------------------------------------- */

static enum status list_markets(struct app *app, struct error *err)
{
    struct market_name *markets;
    struct buffer out = {0};
    size_t count;

    TRY(store_markets(app->env, app->data, &markets, &count, err));
    if (app->json)
        buffer_add_text(&out, "{\"markets\": [");
    for (size_t i = 0; i < count; i++) {
        char text[MARKET_TEXT_BYTES];

        market_to_text(&markets[i], text);
        buffer_addf(&out, app->json ? "%s\"%s\"" : "%s%s\n", app->json && i ? ", " : "", text);
    }
    if (app->json)
        buffer_add_text(&out, "]}\n");
    else if (!count)
        app_note("no market yet in %s: `harrier sample` makes one, `harrier import` reads yours",
                 app->data);
    mem_free(markets);
    return app_write(&out, err);
}

struct listing {
    struct app *app;
    struct buffer out;
    struct json json;
    struct sheet table;
    bool daily, failed;
    size_t bars;
};

static void list_symbol(struct listing *list, const char *name, const struct bars *bars)
{
    char from[TIME_TEXT_BYTES] = "", to[TIME_TEXT_BYTES] = "", text[NUMBER_TEXT_BYTES];

    if (bars->count) {
        time_to_text(bars->time[0], list->daily, from);
        time_to_text(bars->time[bars->count - 1], list->daily, to);
    }
    list->bars += bars->count;
    if (list->app->json) {
        json_begin(&list->json, NULL, '{');
        json_text(&list->json, "symbol", name);
        json_int(&list->json, "bars", (int64_t)bars->count);
        json_text(&list->json, "from", from);
        json_text(&list->json, "to", to);
        json_end(&list->json, '}');
    } else if (list->app->csv) {
        buffer_addf(&list->out, "%s,%zu,%s,%s\n", name, bars->count, from, to);
    } else {
        sheet_add(&list->table, "%s", name);
        sheet_add(&list->table, "%s", with_commas((double)bars->count, 0, false, text));
        sheet_add(&list->table, "%s", from);
        sheet_add(&list->table, "%s", to);
    }
}

static enum status finish_listing(struct listing *list, size_t count, const char *market,
                                  const struct snapshot *snapshot, struct error *err)
{
    char text[NUMBER_TEXT_BYTES];

    if (list->app->json) {
        json_end(&list->json, ']');
        buffer_add_text(&list->json.out, "}\n");
        return answer_write(&list->json.out, snapshot, err);
    }
    if (!list->app->csv) {
        sheet_print(&list->table, &list->out, list->app->width);
        buffer_addf(&list->out, "\n%zu symbols, %s bars in %s\n", count,
                    with_commas((double)list->bars, 0, false, text), market);
    }
    list->out.failed |= list->table.failed;
    return answer_write(&list->out, snapshot, err);
}

static const struct sheet_column symbol_columns[] = {{"symbol", true, 0, false},
                                                     {"bars", false, 0, false},
                                                     {"from", true, 0, false},
                                                     {"to", true, 0, false}};

static enum status list_symbols(struct app *app, struct snapshot *snapshot,
                                const struct market_name *market, struct arena *arena,
                                struct error *err)
{
    struct listing list = {.app = app, .daily = timeframe_is_daily_or_longer(market->frame)};
    char market_text[MARKET_TEXT_BYTES];
    size_t *chosen, count;
    enum status status;

    TRY(app_symbols(app, snapshot, arena, &chosen, &count, err));
    market_to_text(market, market_text);
    sheet_init(&list.table, symbol_columns, ARRAY_COUNT(symbol_columns));
    if (app->json) {
        json_begin(&list.json, NULL, '{');
        json_begin(&list.json, "symbols", '[');
    } else if (app->csv) {
        buffer_add_text(&list.out, "symbol,bars,from,to\n");
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = snapshot_symbol_name(snapshot, chosen[i]);
        struct bars bars;
        struct error problem;

        if (snapshot_bars(snapshot, chosen[i], &bars, &problem) == STATUS_OK) {
            list_symbol(&list, name, &bars);
        } else {
            list.failed = true;
            app_note("harrier: %s: %s", name, problem.text);
        }
    }
    status = finish_listing(&list, count, market_text, snapshot, err);
    sheet_deinit(&list.table);
    return status != STATUS_OK ? status : list.failed ? STATUS_PARTIAL : STATUS_OK;
}

static enum status symbols_command(struct app *app, struct error *err)
{
    struct market_name market;
    struct snapshot *snapshot;
    struct arena arena;
    enum status status;

    if (!app->operand_count)
        return list_markets(app, err);
    TRY(app_market(app, app->operands[0], &market, err));
    TRY(snapshot_open(&snapshot, app->env, app->data, &market, err));
    status = app_arena_open(&arena, err);
    if (status == STATUS_OK) {
        status = list_symbols(app, snapshot, &market, &arena, err);
        app_arena_close(&arena);
    }
    snapshot_close(snapshot);
    return status;
}

const struct command command_symbols = {
    .name = "symbols",
    .operands = "[MARKET]",
    .most = 1,
    .summary = "the symbols of a market, or the markets there are",
    .help = "  harrier symbols\n"
            "  harrier symbols bybit/1d\n"
            "  harrier symbols bybit/1d --symbols 'BTC*,ETH*' --json\n",
    .options = {OPT_SYMBOLS, OPT_JSON, OPT_CSV, OPT_DATA, OPT_HELP},
    .run = symbols_command,
};

/* ---- bars ------------------------------------------------------------------------------------ */

enum { BARS_SHOWN = 20, BARS_PIECE_BYTES = 1 << 20 };

static enum status write_piece(const struct env *env, struct buffer *out,
                               const struct snapshot *snapshot, struct error *err)
{
    if (!env_is_stopped(env))
        return answer_write(out, snapshot, err);
    buffer_deinit(out);
    return fail(err, STATUS_INTERRUPTED, "interrupted: not all bars stand above");
}

static enum status print_csv(const struct env *env, const struct evaluation *e,
                             enum timeframe frame, const struct snapshot *snapshot,
                             struct error *err)
{
    struct buffer out = {0};

    bars_csv_header(&out);
    for (size_t c = 0; c < e->column_count; c++)
        buffer_addf(&out, strpbrk(e->columns[c].name, ",\"") ? ",\"%s\"" : ",%s",
                    e->columns[c].name);
    buffer_add_char(&out, '\n');
    for (size_t i = e->begin; i < e->end; i++) {
        bars_csv_row(&out, &e->bars, i, frame);
        for (size_t c = 0; c < e->column_count; c++) {
            buffer_add_char(&out, ',');
            bars_csv_number(&out, e->columns[c].values[i]);
        }
        buffer_add_char(&out, '\n');
        if (out.length > BARS_PIECE_BYTES)
            TRY(write_piece(env, &out, snapshot, err));
    }
    return answer_write(&out, snapshot, err);
}

static enum status print_json(const struct env *env, const struct evaluation *e, bool daily,
                              const struct snapshot *snapshot, struct error *err)
{
    static const char *const names[] = {"open", "high", "low", "close", "volume"};
    struct json json = {0};

    json_begin(&json, NULL, '{');
    json_begin(&json, "bars", '[');
    for (size_t i = e->begin; i < e->end; i++) {
        char time[TIME_TEXT_BYTES];

        time_to_text(e->bars.time[i], daily, time);
        json_begin(&json, NULL, '{');
        json_text(&json, "time", time);
        for (int c = 0; c < BAR_COLUMNS; c++)
            json_number(&json, names[c], e->bars.column[c][i]);
        for (size_t c = 0; c < e->column_count; c++)
            json_number(&json, e->columns[c].name, e->columns[c].values[i]);
        json_end(&json, '}');
        if (json.out.length > BARS_PIECE_BYTES)
            TRY(write_piece(env, &json.out, snapshot, err));
    }
    json_end(&json, ']');
    buffer_add_text(&json.out, "}\n");
    return answer_write(&json.out, snapshot, err);
}

static void number_cell(struct sheet *table, double value)
{
    char text[DOUBLE_TEXT_BYTES];

    if (isnan(value)) {
        sheet_add(table, "--");
    } else if (fabs(value) >= 1e-4 && fabs(value) < 1e15) {
        sheet_add(table, "%.8g", value);
    } else {
        double_to_text(value, text);
        sheet_add(table, "%s", text);
    }
}

/* The newest bars, as many as a screen holds. */
static enum status print_table(struct app *app, const struct evaluation *e, bool daily,
                               const struct snapshot *snapshot, struct error *err)
{
    struct sheet_column columns[SHEET_COLUMNS_MAX] = {
        {"time", true, 0, false}, {"open", false, 0, false},  {"high", false, 0, false},
        {"low", false, 0, false}, {"close", false, 0, false}, {"volume", false, 0, false}};
    size_t extra = MIN(e->column_count, (size_t)SHEET_COLUMNS_MAX - 6);
    size_t first = e->end - e->begin > BARS_SHOWN ? e->end - BARS_SHOWN : e->begin;
    struct buffer out = {0};
    struct sheet table;

    for (size_t c = 0; c < extra; c++)
        columns[6 + c] = (struct sheet_column){e->columns[c].name, false, 0, false};
    sheet_init(&table, columns, 6 + (int)extra);
    for (size_t i = first; i < e->end; i++) {
        char time[TIME_TEXT_BYTES];

        time_to_text(e->bars.time[i], daily, time);
        sheet_add(&table, "%s", time);
        for (int c = 0; c < BAR_COLUMNS; c++)
            number_cell(&table, e->bars.column[c][i]);
        for (size_t c = 0; c < extra; c++)
            number_cell(&table, e->columns[c].values[i]);
    }
    sheet_print(&table, &out, app->width);
    out.failed |= table.failed;
    sheet_deinit(&table);
    buffer_addf(&out, "\n%zu bars", e->end - e->begin);
    buffer_addf(&out, first > e->begin ? ", the newest %d shown: --csv gives all\n" : "\n",
                BARS_SHOWN);
    return answer_write(&out, snapshot, err);
}

static enum status bars_of(struct app *app, struct snapshot *snapshot,
                           const struct market_name *market, struct arena *arena, struct error *err)
{
    bool daily = timeframe_is_daily_or_longer(market->frame);
    ptrdiff_t index = snapshot_symbol_find(snapshot, text_of(app->operands[1]));
    struct evaluation e = {0};

    if (index < 0)
        return app_no_such_symbol(snapshot, app->operands[1], err);
    TRY(snapshot_bars(snapshot, (size_t)index, &e.bars, err));
    e.bars.market = market;
    e.begin = conf_is_set(app->conf, OPT_FROM) ? bars_find(&e.bars, conf_date(app->conf, OPT_FROM))
                                               : 0;
    e.end = conf_is_set(app->conf, OPT_TO) ? bars_find(&e.bars, conf_date(app->conf, OPT_TO))
                                           : e.bars.count;
    e.end = MAX(e.begin, e.end);
    TRY(evaluate_expressions(app, &e, arena, err));
    if (app->csv)
        return print_csv(app->env, &e, market->frame, snapshot, err);
    return app->json ? print_json(app->env, &e, daily, snapshot, err)
                     : print_table(app, &e, daily, snapshot, err);
}

static enum status bars_command(struct app *app, struct error *err)
{
    struct market_name market;
    struct snapshot *snapshot;
    struct arena arena;
    enum status status;

    TRY(app_market(app, app->operands[0], &market, err));
    TRY(snapshot_open(&snapshot, app->env, app->data, &market, err));
    status = app_arena_open(&arena, err);
    if (status == STATUS_OK) {
        status = bars_of(app, snapshot, &market, &arena, err);
        app_arena_close(&arena);
    }
    snapshot_close(snapshot);
    return status;
}

const struct command command_bars = {
    .name = "bars",
    .operands = "MARKET SYMBOL",
    .least = 2,
    .most = 2,
    .summary = "the bars of one symbol, with indicators beside them",
    .help = "--with adds a column for each output of an expression of the rule language. CSV is "
            "read by pandas\n"
            "without options: pd.read_csv(FILE, index_col=0, parse_dates=True).\n"
            "Indicators see the bars from --from on, and nothing before.\n"
            "\n"
            "  harrier bars sample/1d S001\n"
            "  harrier bars sample/1d S001 --with 'rsi(close, 14)' --with 'bbands(close, 20)'\n"
            "  harrier bars bybit/1d BTCUSDT --from 2024-01-01 --to 2025-01-01 --csv > btc.csv\n",
    .options = {OPT_FROM, OPT_TO, OPT_WITH, OPT_CSV, OPT_JSON, OPT_ISA, OPT_DATA, OPT_HELP},
    .run = bars_command,
};

/* ---- resample -------------------------------------------------------------------------------- */

static void resample_progress(void *context, size_t done, size_t symbols)
{
    struct progress *progress = context;

    progress->total = symbols;
    progress_update(progress, done);
}

static void resample_line(const struct resample_options *options,
                          const struct resample_report *report, const char *from,
                          struct buffer *out)
{
    char a[NUMBER_TEXT_BYTES], b[NUMBER_TEXT_BYTES];

    buffer_addf(out, "%s to %s/%s: %zu symbols, %s bars into %s; %llu new, %llu there already",
                from, options->from.venue, timeframe_name(options->to), report->symbols,
                with_commas((double)report->bars_from, 0, false, a),
                with_commas((double)report->bars_to, 0, false, b),
                (unsigned long long)report->added, (unsigned long long)report->same);
    if (report->replaced)
        buffer_addf(out, ", %llu replaced", (unsigned long long)report->replaced);
    buffer_add_char(out, '\n');
}

static void resample_json(const struct resample_options *options,
                          const struct resample_report *report, const char *from,
                          struct buffer *out)
{
    struct json json = {.out = *out};

    json_begin(&json, NULL, '{');
    json_text(&json, "from", from);
    json_text(&json, "to", timeframe_name(options->to));
    json_int(&json, "symbols", (int64_t)report->symbols);
    json_int(&json, "failed", (int64_t)report->failed);
    json_int(&json, "bars", (int64_t)report->bars_to);
    json_int(&json, "added", (int64_t)report->added);
    json_int(&json, "same", (int64_t)report->same);
    json_int(&json, "replaced", (int64_t)report->replaced);
    json_int(&json, "contradicted", (int64_t)report->contradicted);
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    *out = json.out;
}

static enum status resample_command(struct app *app, struct error *err)
{
    struct resample_options options = {.env = app->env, .data_dir = app->data};
    struct resample_report report = {0};
    struct progress progress;
    struct buffer out = {0};
    char from[MARKET_TEXT_BYTES];
    enum status status;

    TRY(app_market(app, app->operands[0], &options.from, err));
    if (!conf_text(app->conf, OPT_TARGET))
        return fail(err, STATUS_USAGE, "resample needs --to TIMEFRAME, such as --to 1h");
    TRY(timeframe_parse(&options.to, text_of(conf_text(app->conf, OPT_TARGET)), err));
    options.closed = conf_flag(app->conf, OPT_CLOSED);
    options.replace = conf_flag(app->conf, OPT_REPLACE);
    options.progress = resample_progress;
    options.progress_context = &progress;
    progress_begin(&progress, app, "symbols", 0);
    app_stop_words(COMMIT_STOP_WORDS);
    status = resample_run(&options, &report, err);
    app_stop_words(NULL);
    progress_end(&progress);
    if (status != STATUS_OK && status != STATUS_PARTIAL)
        return status;
    market_to_text(&options.from, from);
    (app->json ? resample_json : resample_line)(&options, &report, from, &out);
    if (report.failed)
        app_note("harrier: %zu symbols failed: %s", report.failed, report.first_failure);
    if (report.contradicted)
        app_note("harrier: %llu stored bars differ and were left (--replace replaces them): %s",
                 (unsigned long long)report.contradicted, report.first_contradicted);
    TRY(app_write(&out, err));
    return status;
}

const struct command command_resample = {
    .name = "resample",
    .operands = "MARKET",
    .least = 1,
    .most = 1,
    .summary = "derive a coarser timeframe of the same venue, exactly",
    .help = "Every period with at least one bar; weeks begin on Monday, months are calendar "
            "months, days are UTC days.\n"
            "Once more after new bars: the newest period is completed, the new ones are added.\n"
            "\n"
            "  harrier resample binance/1h --to 1d\n"
            "  harrier resample binance/1m --to 1w --closed\n",
    .options = {OPT_TARGET, OPT_CLOSED, OPT_REPLACE, OPT_JSON, OPT_DATA, OPT_HELP},
    .run = resample_command,
};

/* ---- rm, rename ------------------------------------------------------------------------------ */

static enum status remove_symbols(struct app *app, const struct market_name *market,
                                  struct error *err)
{
    struct writer *writer;
    enum status status = STATUS_OK;

    TRY(writer_open(&writer, app->env, app->data, market, "harrier rm", err));
    for (size_t i = 1; i < app->operand_count && status == STATUS_OK; i++)
        status = writer_remove(writer, text_of(app->operands[i]), err);
    if (status == STATUS_OK)
        status = writer_commit(writer, err);
    writer_close(writer);
    return status;
}

/* What a person sees of a change that went well is nothing; a program gets the words it gave. */
static enum status changed(struct app *app, const char *what, struct error *err)
{
    struct json json = {0};

    if (!app->json)
        return STATUS_OK;
    json_begin(&json, NULL, '{');
    json_begin(&json, what, '[');
    for (size_t i = 0; i < app->operand_count; i++)
        json_text(&json, NULL, app->operands[i]);
    json_end(&json, ']');
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    return app_write(&json.out, err);
}

static enum status rm_command(struct app *app, struct error *err)
{
    struct market_name market;

    TRY(app_market(app, app->operands[0], &market, err));
    if (app->operand_count > 1)
        TRY(remove_symbols(app, &market, err));
    else
        TRY(store_market_remove(app->env, app->data, &market, err));
    return changed(app, "removed", err);
}

const struct command command_rm = {
    .name = "rm",
    .operands = "MARKET [SYMBOL…]",
    .least = 1,
    .most = 100000,
    .summary = "remove symbols, or a whole market",
    .help = "  harrier rm sample/1d S001 S002\n"
            "  harrier rm sample/1d\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = rm_command,
};

static enum status rename_symbol(struct app *app, const struct market_name *market,
                                 struct error *err)
{
    struct writer *writer;
    enum status status;

    TRY(writer_open(&writer, app->env, app->data, market, "harrier rename", err));
    status = writer_rename(writer, text_of(app->operands[1]), text_of(app->operands[2]), err);
    if (status == STATUS_OK)
        status = writer_commit(writer, err);
    writer_close(writer);
    return status;
}

static enum status rename_command(struct app *app, struct error *err)
{
    struct market_name from, to;

    TRY(app_market(app, app->operands[0], &from, err));
    if (app->operand_count == 2) {
        TRY(app_market(app, app->operands[1], &to, err));
        TRY(store_market_rename(app->env, app->data, &from, &to, err));
    } else {
        TRY(rename_symbol(app, &from, err));
    }
    return changed(app, "renamed", err);
}

const struct command command_rename = {
    .name = "rename",
    .operands = "MARKET [SYMBOL] NEW",
    .least = 2,
    .most = 3,
    .summary = "rename a symbol, or a market",
    .help = "  harrier rename bybit/1d MATICUSDT POLUSDT\n"
            "  harrier rename old/1d new/1d\n",
    .options = {OPT_JSON, OPT_DATA, OPT_HELP},
    .run = rename_command,
};
