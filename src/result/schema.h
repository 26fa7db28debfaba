/* The schema of results.db, step by step; a step that was published never changes.  The columns of
 * metrics are added from metric_rows when a database is opened for writing. */
#ifndef HARRIER_RESULT_SCHEMA_H
#define HARRIER_RESULT_SCHEMA_H

static const char *const schema_steps[] = {
    "CREATE TABLE run ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, created_ms INTEGER NOT NULL, key TEXT NOT NULL UNIQUE,"
    " engine TEXT NOT NULL, rule TEXT NOT NULL, rule_source TEXT NOT NULL, rule_hash TEXT NOT NULL,"
    " parameters TEXT NOT NULL, parameters_hash TEXT NOT NULL, market TEXT NOT NULL, options TEXT "
    "NOT NULL,"
    " bars_hash TEXT NOT NULL, calculation_time_ms REAL NOT NULL, total_time_ms REAL NOT NULL,"
    " symbols INTEGER NOT NULL, successful INTEGER NOT NULL, failed INTEGER NOT NULL, bars INTEGER "
    "NOT NULL,"
    " market_return REAL);"
    "CREATE TABLE run_symbol ("
    " run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, position INTEGER NOT NULL,"
    " symbol TEXT NOT NULL, status TEXT NOT NULL, error TEXT, note TEXT, bars INTEGER, from_ms "
    "INTEGER,"
    " to_ms INTEGER, open_position REAL, pending INTEGER, refused INTEGER, unfilled INTEGER, "
    "ruined INTEGER,"
    " sparkline TEXT, PRIMARY KEY (run, position)) WITHOUT ROWID;"
    "CREATE TABLE trade ("
    " run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, position INTEGER NOT NULL,"
    " number INTEGER NOT NULL, entry_ms INTEGER, exit_ms INTEGER, entry_bar INTEGER, exit_bar "
    "INTEGER,"
    " entry_price REAL, exit_price REAL, units REAL, fees REAL, profit REAL, mae REAL, mfe REAL, "
    "reason TEXT,"
    " PRIMARY KEY (run, position, number)) WITHOUT ROWID;"
    "CREATE TABLE equity ("
    " run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, position INTEGER NOT NULL,"
    " bars INTEGER NOT NULL, curve BLOB NOT NULL /* zstd: bars times, bars values, 8 bytes each */,"
    " PRIMARY KEY (run, position)) WITHOUT ROWID;",

    /* The sentences of the answer; curves packed otherwise (result.c), of which none was ever read
     * before. */
    "ALTER TABLE run ADD COLUMN headline TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE run ADD COLUMN fills TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX run_symbol_name ON run_symbol (run, symbol);"
    "DELETE FROM equity;",
};

/* The tables of the original batch backtester, as views for its queries; made again at each change
 * of the metrics' columns. */
static const char schema_views[] =
    "DROP VIEW IF EXISTS crypto_backtest_results;"
    "DROP VIEW IF EXISTS backtest_executions;"
    "DROP VIEW IF EXISTS backtest_signals;"
    "CREATE VIEW crypto_backtest_results AS SELECT r.id AS run_id, r.rule AS strategy, s.symbol AS "
    "symbol,"
    " r.parameters, r.parameters_hash, s.status, s.error, s.total_return, s.final_equity, "
    "s.max_drawdown,"
    " s.sharpe AS sharpe_ratio, s.trades AS total_trades, s.win_rate, s.bars,"
    " r.calculation_time_ms / max(r.symbols, 1) AS calculation_time_ms,"
    " strftime('%Y-%m-%d %H:%M:%f', r.created_ms / 1000.0, 'unixepoch') AS created_at"
    " FROM run r JOIN run_symbol s ON s.run = r.id;"
    "CREATE VIEW backtest_executions AS SELECT r.id AS run_id, r.rule AS strategy, r.market, "
    "r.parameters_hash,"
    " r.symbols, r.successful, r.failed, r.calculation_time_ms, r.total_time_ms,"
    " strftime('%Y-%m-%d %H:%M:%f', r.created_ms / 1000.0, 'unixepoch') AS created_at FROM run r;"
    "CREATE VIEW backtest_signals AS SELECT t.run AS run_id, s.symbol,"
    " CASE WHEN t.units > 0 THEN 'BUY' ELSE 'SHORT' END AS signal, t.entry_price AS price, "
    "abs(t.units) AS units,"
    " strftime('%Y-%m-%dT%H:%M:%SZ', t.entry_ms / 1000, 'unixepoch') AS time, 'entry' AS reason"
    " FROM trade t JOIN run_symbol s ON s.run = t.run AND s.position = t.position"
    " UNION ALL SELECT t.run, s.symbol, CASE WHEN t.units > 0 THEN 'SELL' ELSE 'COVER' END, "
    "t.exit_price,"
    " abs(t.units), strftime('%Y-%m-%dT%H:%M:%SZ', t.exit_ms / 1000, 'unixepoch'), t.reason"
    " FROM trade t JOIN run_symbol s ON s.run = t.run AND s.position = t.position WHERE t.reason "
    "<> 'end';";

#endif
