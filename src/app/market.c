/* Commands on whole markets: sample, symbols, rm, rename. */
#include "app/app.h"
#include "app/question.h"
#include "import/import.h"

/* ---- sample ---------------------------------------------------------------------------------- */

static enum status sample_command(struct app *app, struct error *err)
{
    char text[NUMBER_TEXT_BYTES], market[MARKET_TEXT_BYTES];
    struct buffer out = {0};
    struct json json = {0};
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
    json_begin(&json, NULL, '{');
    json_text(&json, "market", market);
    json_int(&json, "symbols", (int64_t)options.symbols);
    json_int(&json, "bars", (int64_t)options.bars);
    json_int(&json, "added", (int64_t)report.added);
    json_int(&json, "same", (int64_t)report.same);
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    buffer_addf(&out, "%s: %zu symbol%s, %s bars each%s\nnext: harrier backtest rsi --on %s\n",
                market, options.symbols, options.symbols == 1 ? "" : "s",
                with_commas((double)options.bars, 0, false, text),
                report.added ? "" : " (all there already)", market);
    return app_answer(app, &json, &out, err);
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
    struct json json = {0};
    size_t count;

    TRY(store_markets(app->env, app->data, &markets, &count, err));
    json_begin(&json, NULL, '{');
    json_begin(&json, "markets", '[');
    for (size_t i = 0; i < count; i++) {
        char text[MARKET_TEXT_BYTES];

        market_to_text(&markets[i], text);
        json_text(&json, NULL, text);
        buffer_addf(&out, "%s\n", text);
    }
    json_end(&json, ']');
    json_end(&json, '}');
    buffer_add_char(&json.out, '\n');
    if (!app->json && !count)
        app_note("no market yet in %s: `harrier sample` makes one, `harrier import` reads yours",
                 app->data);
    mem_free(markets);
    return app_answer(app, &json, &out, err);
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
        return answer_write(list->app, &list->json.out, snapshot, err);
    }
    if (!list->app->csv) {
        sheet_print(&list->table, &list->out, list->app->width);
        buffer_addf(&list->out, "\n%zu symbols, %s bars in %s\n", count,
                    with_commas((double)list->bars, 0, false, text), market);
    }
    list->out.failed |= list->table.failed;
    return answer_write(list->app, &list->out, snapshot, err);
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
