"""harrier's trades against two independent engines:

  backtesting.py  FractionalBacktest on 30 symbols of a market of our own: next open, stop and target inside the bar, fee;
                  trade by trade, and the money of those that are only long
  vectorbt        from_signals on markets, signals and fees that Hypothesis draws: filled at the same close; trade by trade
                  and every metric both know

$HARRIER names the program (default build/harrier); $HARRIER_TORTURE=1: ten times the examples."""
import collections, csv, io, json, math, os, subprocess, sys, tempfile, warnings

warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd
import backtesting
from backtesting.backtesting import Order, _Broker
from backtesting.lib import FractionalBacktest
from hypothesis import HealthCheck, Phase, given, note, settings, strategies as st
import vectorbt as vbt

HARRIER = os.environ.get("HARRIER", "build/harrier")
SYMBOLS, BARS, FEE, STOP, TARGET = 30, 1828, 0.001, 0.05, 0.08
EXAMPLES = 300 if os.environ.get("HARRIER_TORTURE") == "1" else 30
IMPOSSIBLE = {False: 0, True: 2}  # trades of the sample that backtesting.py fills at a price that was passed; by shorts
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


def backtest(data, market, rule, *options):
    """→ ({symbol: result}, {symbol: [trade]})"""
    path, trades = os.path.join(data, "peers.rule"), os.path.join(data, "trades.csv")
    open(path, "w").write(rule)
    out = json.loads(harrier(data, "backtest", path, "--on", market, "--no-cache", "--json", "--trades", trades, "--year", "365", *options))
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
    trades = sorted((x.EntryTime, x.ExitTime, x.Size > 0, x.EntryPrice, x.ExitPrice, x.PnL / abs(x.Size)) for x in stats["_trades"].itertuples())
    return trades, stats["Equity Final [$]"]


def opens_beyond_the_target_and_touches_the_stop(frame, trade):
    """There the peer takes the stop without regard to the open, which is an impossible path."""
    _, exit_time, long, entry_price, _, _ = trade
    bar, s = frame.loc[exit_time], 1 if long else -1
    touches = bar.Low <= entry_price * (1 - STOP) if long else bar.High >= entry_price * (1 + STOP)
    return (bar.Open - entry_price * (1 + s * TARGET)) * s >= 0 and touches


def same_trade(a, b, shorts):
    """Times, side, prices; the profit of a unit where it is only long: an all-in short pays its fees from another sum."""
    return a[:3] == b[:3] and near(a[3], b[3], 1e-9) and near(a[4], b[4], 1e-9) and (shorts or near(a[5], b[5], 1e-5))


def without_impossible(frame, want, got, shorts):
    """→ both lists without the trades that the peer fills at a price that was passed, up to the next entry they share; how many"""
    at, cut = 0, 0
    while at < min(len(want), len(got)):
        if not same_trade(want[at], got[at], shorts):
            if want[at][0] != got[at][0] or not opens_beyond_the_target_and_touches_the_stop(frame, want[at]):
                break
            begin = sorted({w[0] for w in want[at + 1:]} & {g[0] for g in got[at + 1:]})[:1]
            want, got = ([t for i, t in enumerate(trades) if i < at or begin and i > at and t[0] >= begin[0]] for trades in (want, got))
            cut += 1
            continue
        at += 1
    return want, got, cut


def against_backtesting(data, frames, shorts):
    rule = "r = rsi(close, 14)\nbuy when r < 30\n" + ("short when r > 70\n" if shorts else "sell when r > 70\n")
    results, rows = backtest(data, "peers/1d", rule + f"stop {STOP * 100:g}%\ntarget {TARGET * 100:g}%\n", "--fee", "0.1%")
    total = cut = compared = 0
    for symbol, frame in frames.items():
        want, equity = peer_trades(frame, shorts)
        got = sorted((pd.Timestamp(x["entry_time"]), pd.Timestamp(x["exit_time"]), x["side"] == "long", float(x["entry_price"]),
                      float(x["exit_price"]), float(x["profit"]) / float(x["units"])) for x in rows[symbol])
        total += len(want)
        want, got, impossible = without_impossible(frame, want, got, shorts)
        differ = next((i for i, (a, b) in enumerate(zip(want, got)) if not same_trade(a, b, shorts)), min(len(want), len(got)))
        check(len(want) == len(got) == differ, f"backtesting.py {symbol} shorts {shorts}: {differ} of {len(want)} and {len(got)}: "
              f"{want[differ:differ + 1]} {got[differ:differ + 1]}")
        if not impossible and not shorts:
            check(near(equity, results[symbol]["final_equity"]), f"backtesting.py {symbol}: equity {equity} {results[symbol]['final_equity']}")
        cut, compared = cut + impossible, compared + len(want)
    check(cut == IMPOSSIBLE[shorts], f"backtesting.py, shorts {shorts}: {cut} trades are impossible, not {IMPOSSIBLE[shorts]}")
    check(compared >= total - 2 * cut, f"backtesting.py, shorts {shorts}: only {compared} of {total} trades are compared")
    print(f"backtesting.py, shorts {shorts}: {len(frames)} symbols, {compared} trades, {cut} left out")


# ---- vectorbt -------------------------------------------------------------------------------------------------------

@st.composite
def examples(draw):
    return {"seed": draw(st.integers(0, 2**32)), "bars": draw(st.integers(2, 400)), "move": draw(st.sampled_from([0.001, 0.02, 0.2])),
            "digits": draw(st.integers(0, 6)), "often": draw(st.sampled_from([0.02, 0.2, 0.45])), "fee_bps": draw(st.integers(0, 300)),
            "cash": draw(st.sampled_from([50.0, 10000.0, 123456.78]))}


def drawn_market(example, symbols=4):
    """{symbol: frame}: random closes with few digits; the volume says what the rule does: 1 buys, 2 sells, 0 neither."""
    rng, n, frames = np.random.default_rng(example["seed"]), example["bars"], {}
    days = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.arange(n), unit="D")
    for i in range(symbols):
        close = np.maximum(np.round(100 * np.exp(np.cumsum(rng.normal(size=n) * example["move"])), example["digits"]), 10.0 ** -example["digits"])
        said = rng.random(n)
        said[0] = 0.5  # vectorbt's drawdown begins at the first close, so that it does not see a fee that is paid there
        frames[f"S{i}"] = pd.DataFrame({"Close": close, "Volume": np.where(said < example["often"], 1.0, np.where(said > 1 - example["often"], 2.0, 0.0))}, index=days)
    return frames


def harrier_on(frames, example):
    with tempfile.TemporaryDirectory(prefix="harrier-peers-") as data:
        folder = os.path.join(data, "csv")
        os.mkdir(folder)
        for symbol, frame in frames.items():
            with open(os.path.join(folder, symbol + ".csv"), "w") as f:
                f.write("time,open,high,low,close,volume\n")
                f.writelines(f"{day:%Y-%m-%d},{c!r},{c!r},{c!r},{c!r},{v!r}\n" for day, c, v in
                             zip(frame.index, frame.Close.tolist(), frame.Volume.tolist()))
        harrier(data, "import", folder, "--as", "drawn/1d")
        return backtest(data, "drawn/1d", "buy when volume == 1\nsell when volume == 2\n", "--fill", "close", "--fee",
                        f"{example['fee_bps'] / 100:g}%", "--cash", repr(example["cash"]))


def differences(frames, example):
    """→ sentences, and how many trades and metrics were compared"""
    results, rows = harrier_on(frames, example)
    close, said = (pd.DataFrame({s: f[c] for s, f in frames.items()}) for c in ("Close", "Volume"))
    pf = vbt.Portfolio.from_signals(close, entries=said == 1, exits=said == 2, fees=example["fee_bps"] / 10000, init_cash=example["cash"], freq="1D")
    records, found, count = pf.trades.records, [], 0
    for column, symbol in enumerate(close):
        want = records[(records["col"] == column) & (records["status"] == 1)].sort_values("exit_idx")
        got, index, mine = rows[symbol], close.index, results[symbol]
        same = len(want) == len(got) and all(
            index[w.entry_idx] == pd.Timestamp(g["entry_time"]) and index[w.exit_idx] == pd.Timestamp(g["exit_time"])
            and near(w.entry_price, float(g["entry_price"]), 1e-12) and near(w.exit_price, float(g["exit_price"]), 1e-12)
            and near(w.size, float(g["units"]), 1e-9) and near(w.pnl, float(g["profit"]), 1e-9)
            and near(w.entry_fees + w.exit_fees, float(g["fees"]), 1e-9) for w, g in zip(want.itertuples(), got))
        if not same:
            found.append(f"vectorbt {symbol}: {len(want)} trades for {len(got)}")
        trades, metrics = pf[symbol].trades.closed, 0
        for name, value in (("final_equity", pf[symbol].final_value()), ("total_return", pf[symbol].total_return() * 100),
                            ("max_drawdown", -pf[symbol].max_drawdown() * 100), ("trades", trades.count()), ("win_rate", trades.win_rate() * 100),
                            ("profit_factor", trades.profit_factor()), ("sqn", trades.sqn()), ("best_trade", trades.returns.max() * 100),
                            ("worst_trade", trades.returns.min() * 100), ("max_drawdown_bars", pf[symbol].drawdowns.duration.max())):
            value, ours = float(value), math.nan if mine[name] is None else mine[name]
            undefined = math.isnan(value) and ours == 0 if name == "max_drawdown_bars" else math.isnan(ours) and not math.isfinite(value)
            if not (undefined or near(ours, value, 1e-9)):
                found.append(f"vectorbt {symbol} {name}: {ours} for {value}")
        count += len(want)
    return found, count


def against_vectorbt():
    seen = []

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=(Phase.generate, Phase.shrink),
              suppress_health_check=list(HealthCheck))
    @given(examples())
    def they_agree(example):
        found, count = differences(drawn_market(example), example)
        seen.append(count)
        for sentence in found:
            note(sentence)
        assert not found, "\n".join(found)

    try:
        they_agree()
        check(sum(seen) > 20 * EXAMPLES, f"vectorbt: {sum(seen)} trades are few")
    except AssertionError as e:
        check(False, f"{e}\n" + "\n".join(getattr(e, "__notes__", [])))
    print(f"vectorbt: {len(seen)} examples of 4 symbols, {sum(seen)} trades")


def main():
    with tempfile.TemporaryDirectory() as data:
        frames = market(data)
        against_backtesting(data, frames, False)
        against_backtesting(data, frames, True)
    against_vectorbt()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
