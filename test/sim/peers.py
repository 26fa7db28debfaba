"""harrier's trades against two independent engines, on a random market of its own:

  backtesting.py  FractionalBacktest: next open, stop and target inside the bar, long with fee and money, long and short
                  by bars and prices; trade by trade
  vectorbt        from_signals: given signals filled at the same close, fee; trade by trade and every metric both know
"""
import collections, csv, io, json, math, os, subprocess, sys, tempfile, warnings

warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd
import backtesting
from backtesting.backtesting import Order, _Broker
from backtesting.lib import FractionalBacktest
import vectorbt as vbt

HARRIER = os.environ.get("HARRIER", "build/harrier")
SYMBOLS, BARS, FEE, STOP, TARGET = 30, 1828, 0.001, 0.05, 0.08
UNIT = 1e-8  # FractionalBacktest trades multiples of this, by scaling the prices that a strategy sees
passed = failed = 0


def check(good, what):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAILED", what)


def harrier(data, *words):
    return subprocess.run([HARRIER, *words, "--data", data], stdout=subprocess.PIPE, check=True).stdout.decode()


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def market(data):
    """{symbol: frame}"""
    harrier(data, "sample", "--market", "peers/1d", "--symbols", str(SYMBOLS), "--bars", str(BARS), "--seed", "20261121")
    frames = {}
    for s in json.loads(harrier(data, "symbols", "peers/1d", "--json"))["symbols"]:
        f = pd.read_csv(io.StringIO(harrier(data, "bars", "peers/1d", s["symbol"], "--csv")), index_col="time", parse_dates=True)
        frames[s["symbol"]] = f.rename(columns=str.capitalize)
    return frames


def wilder(closes, n=14):
    out, gain, loss = np.full(len(closes), np.nan), 0.0, 0.0
    for t in range(1, len(closes)):
        move = closes[t] - closes[t - 1]
        if t <= n:
            gain, loss = gain + max(move, 0) / n, loss + max(-move, 0) / n
        else:
            gain, loss = (gain * (n - 1) + max(move, 0)) / n, (loss * (n - 1) + max(-move, 0)) / n
        if t >= n:
            out[t] = 100 * gain / (gain + loss)
    return out


def backtest(data, rule, *options):
    """→ ({symbol: result}, {symbol: [trade]})"""
    path, trades = os.path.join(data, "peers.rule"), os.path.join(data, "trades.csv")
    open(path, "w").write(rule)
    out = json.loads(harrier(data, "backtest", path, "--on", "peers/1d", "--no-cache", "--json", "--trades", trades, "--fee", "0.1%",
                             "--year", "365", *options))
    rows = collections.defaultdict(list)
    for r in table(open(trades).read()):
        if r["reason"] != "end":
            rows[r["symbol"]].append(r)
    return {r["symbol"]: r for r in out["results"]}, rows


def near(a, b, relative=1e-6):
    return math.isclose(a, b, rel_tol=relative, abs_tol=1e-9)


# ---- backtesting.py -------------------------------------------------------------------------------------------------

def new_order(self, size, limit=None, stop=None, sl=None, tp=None, tag=None, *, trade=None):
    """As the original, without the check of sl and tp against the last close: ours are levels around the next open."""
    order = Order(self, float(size), limit, stop, sl, tp, trade, tag)
    (self.orders.insert(0, order) if trade else self.orders.append(order))
    return order


def peer_trades(frame, shorts):
    opens, r = frame.Open.to_numpy(), wilder(frame.Close.to_numpy())

    class Rule(backtesting.Strategy):
        def init(self):
            pass

        def next(self):
            t = len(self.data) - 1
            if t + 1 == len(opens):
                return
            low, high, side = r[t] < 30, r[t] > 70, self.position.size
            if (side > 0 and high) or (side < 0 and low):
                self.position.close()
            p = opens[t + 1] * UNIT
            if low and side <= 0:
                self.buy(size=1 - 1e-9, sl=p - p * STOP, tp=p + p * TARGET)
            elif high and shorts and side >= 0:
                self.sell(size=1 - 1e-9, sl=p + p * STOP, tp=p - p * TARGET)

    _Broker.new_order = new_order
    backtesting.backtesting._tqdm = lambda x, **k: x
    stats = FractionalBacktest(frame, Rule, fractional_unit=UNIT, cash=10000, commission=FEE, finalize_trades=False).run()
    trades = sorted((x.EntryTime, x.ExitTime, x.Size > 0, x.EntryPrice, x.ExitPrice, x.PnL) for x in stats["_trades"].itertuples())
    return trades, stats["Equity Final [$]"]


def opens_beyond_the_target_and_touches_the_stop(frame, trade):
    """There the peer takes the stop without regard to the open, which is an impossible path."""
    _, exit_time, long, entry_price, _, _ = trade
    bar, s = frame.loc[exit_time], 1 if long else -1
    touches = bar.Low <= entry_price * (1 - STOP) if long else bar.High >= entry_price * (1 + STOP)
    return (bar.Open - entry_price * (1 + s * TARGET)) * s >= 0 and touches


def against_backtesting(data, frames, shorts):
    rule = "r = rsi(close, 14)\nbuy when r < 30\n" + ("short when r > 70\n" if shorts else "sell when r > 70\n")
    results, rows = backtest(data, rule + f"stop {STOP * 100:g}%\ntarget {TARGET * 100:g}%\n")
    total = 0
    for symbol, frame in frames.items():
        want, equity = peer_trades(frame, shorts)
        got = sorted((pd.Timestamp(x["entry_time"]), pd.Timestamp(x["exit_time"]), x["side"] == "long", float(x["entry_price"]),
                      float(x["exit_price"]), float(x["profit"])) for x in rows[symbol])
        name = f"backtesting.py {symbol} shorts {shorts}"
        differ = next((i for i, (a, b) in enumerate(zip(want, got)) if a[:3] != b[:3] or not near(a[4], b[4], 1e-9)), None)
        if differ is not None and opens_beyond_the_target_and_touches_the_stop(frame, want[differ]):
            want, got, equity = want[:differ], got[:differ], None
        same = len(want) == len(got) and all(
            a[:3] == b[:3] and near(a[3], b[3], 1e-9) and near(a[4], b[4], 1e-9) and (shorts or near(a[5], b[5], 1e-5)) for a, b in zip(want, got))
        check(same, f"{name}: {differ} of {len(want)} and {len(got)}: {want[differ or 0:][:1]} {got[differ or 0:][:1]}")
        if equity is not None and not shorts:  # it sizes an all-in short by another price
            check(near(equity, results[symbol]["final_equity"]), f"{name}: equity {equity} {results[symbol]['final_equity']}")
        total += len(want)
    print(f"backtesting.py, shorts {shorts}: {len(frames)} symbols, {total} trades")


# ---- vectorbt -------------------------------------------------------------------------------------------------------

def against_vectorbt(data, frames):
    results, rows = backtest(data, "r = rsi(close, 14)\nbuy when r < 35\nsell when r > 65\n", "--fill", "close")
    close = pd.DataFrame({s: f.Close for s, f in frames.items()})
    r = pd.DataFrame({s: wilder(close[s].to_numpy()) for s in close}, index=close.index)
    pf = vbt.Portfolio.from_signals(close, entries=r < 35, exits=r > 65, fees=FEE, init_cash=10000, freq="1D")
    records, total = pf.trades.records, 0
    for column, symbol in enumerate(close):
        want = records[(records["col"] == column) & (records["status"] == 1)].sort_values("exit_idx")
        got, index, mine = rows[symbol], close.index, results[symbol]
        same = len(want) == len(got) and all(
            index[w.entry_idx] == pd.Timestamp(g["entry_time"]) and index[w.exit_idx] == pd.Timestamp(g["exit_time"])
            and near(w.entry_price, float(g["entry_price"]), 1e-12) and near(w.exit_price, float(g["exit_price"]), 1e-12)
            and near(w.size, float(g["units"]), 1e-9) and near(w.pnl, float(g["profit"]), 1e-9)
            and near(w.entry_fees + w.exit_fees, float(g["fees"]), 1e-9) for w, g in zip(want.itertuples(), got))
        check(same, f"vectorbt {symbol}: {len(want)} trades for {len(got)}")
        trades = pf[symbol].trades.closed
        for name, value in (("final_equity", pf[symbol].final_value()), ("total_return", pf[symbol].total_return() * 100),
                            ("max_drawdown", -pf[symbol].max_drawdown() * 100), ("trades", trades.count()), ("win_rate", trades.win_rate() * 100),
                            ("profit_factor", trades.profit_factor()), ("sqn", trades.sqn()), ("best_trade", trades.returns.max() * 100),
                            ("worst_trade", trades.returns.min() * 100), ("max_drawdown_bars", pf[symbol].drawdowns.duration.max())):
            value, ours = float(value), math.nan if mine[name] is None else mine[name]
            undefined = math.isnan(ours) and not math.isfinite(value)
            check(undefined or near(ours, value, 1e-9), f"vectorbt {symbol} {name}: {ours} for {value}")
        total += len(want)
    print(f"vectorbt: {len(frames)} symbols, {total} trades")


def main():
    with tempfile.TemporaryDirectory() as data:
        frames = market(data)
        against_backtesting(data, frames, False)
        against_backtesting(data, frames, True)
        against_vectorbt(data, frames)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
