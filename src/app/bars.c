/* harrier bars: the bars of one symbol, with indicators beside them. */
#include <math.h>
#include <string.h>

#include "app/evaluate.h"
#include "app/question.h"
#include "import/import.h"

enum { BARS_SHOWN = 20, BARS_PIECE_BYTES = 1 << 20 };

static enum status write_piece(const struct app *app, struct buffer *out,
                               const struct snapshot *snapshot, struct error *err)
{
    if (!env_is_stopped(app->env))
        return answer_write(app, out, snapshot, err);
    buffer_deinit(out);
    return fail(err, STATUS_INTERRUPTED, "interrupted: not all bars stand above");
}

static enum status print_csv(const struct app *app, const struct evaluation *e,
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
            TRY(write_piece(app, &out, snapshot, err));
    }
    return answer_write(app, &out, snapshot, err);
}

static enum status print_json(const struct app *app, const struct evaluation *e, bool daily,
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
            TRY(write_piece(app, &json.out, snapshot, err));
    }
    json_end(&json, ']');
    buffer_add_text(&json.out, "}\n");
    return answer_write(app, &json.out, snapshot, err);
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
    return answer_write(app, &out, snapshot, err);
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
        return print_csv(app, &e, market->frame, snapshot, err);
    return app->json ? print_json(app, &e, daily, snapshot, err)
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
    .reads = true,
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
