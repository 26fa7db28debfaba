"""Prints the reference trades and metrics of the shared background material as one text that test_reference.c
reads: bars, signals, options, expected results.  Plain Python; its indicators are textbook loops.

usage: reference.py SHARED_DIRECTORY
"""
import collections, csv, io, json, math, os, subprocess, sys

SHARED = sys.argv[1]
REFERENCE = os.path.join(SHARED, "reference")
sys.path.insert(0, os.path.join(REFERENCE, "scripts"))
import refcommon

METRICS = {  # harrier's metric: the reference's metric and source
    "cagr": ("cagr_pct", "qs"), "volatility": ("volatility_pct", "qs"), "sharpe": ("sharpe", "qs"), "sortino": ("sortino", "qs"),
    "calmar": ("calmar", "qs"), "max_drawdown": ("max_drawdown_pct", "bt"), "win_rate": ("win_rate_pct", "bt"), "sqn": ("sqn", "bt"),
    "kelly": ("kelly", "bt"), "profit_factor": ("profit_factor", "vbt"), "cvar_95": ("cvar_95_pct", "qs_historical"),
    "beta": ("beta", "qs"), "alpha": ("alpha_pct", "qs"), "avg_drawdown": ("avg_drawdown_pct", "bt"),
    "max_drawdown_bars": ("max_drawdown_bars", "vbt"), "ulcer": ("ulcer", "qs"), "avg_trade": ("avg_trade_pct", "bt"),
    "expectancy": ("expectancy_pct", "bt"), "buy_hold_return": ("buy_hold_return_pct", "bt"),
    "annual_return": ("annual_return_geometric_pct", "bt"), "best_trade": ("best_trade_pct", "bt"),
    "worst_trade": ("worst_trade_pct", "bt"), "total_return": ("total_return_pct", "bt"),
    "max_drawdown_duration": ("max_drawdown_days", "bt"),
}


def table(name):
    path = os.path.join(REFERENCE, name)
    if path.endswith(".zst"):
        raw = subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    else:
        raw = open(path).read()
    return list(csv.DictReader(io.StringIO(raw)))


def atr(bars, n=14):
    """Wilder's, seeded with the plain mean of the first n true ranges (from the second bar on)."""
    ranges = [math.nan] + [max(h - l, abs(h - before[4]), abs(l - before[4])) for before, (_, _, h, l, _, _) in zip(bars, bars[1:])]
    out = [math.nan] * len(bars)
    out[n] = sum(ranges[1:n + 1]) / n
    for t in range(n + 1, len(bars)):
        out[t] = (out[t - 1] * (n - 1) + ranges[t]) / n
    return out


def rsi_cross(closes, n=14, low=30, high=70):
    r, gain, loss = [math.nan] * len(closes), 0.0, 0.0
    for t in range(1, len(closes)):
        move = closes[t] - closes[t - 1]
        up, down = max(move, 0.0), max(-move, 0.0)
        if t <= n:
            gain, loss = gain + up / n, loss + down / n
        else:
            gain, loss = (gain * (n - 1) + up) / n, (loss * (n - 1) + down) / n
        if t >= n:
            r[t] = 100 * gain / (gain + loss)
    buy = [t for t in range(1, len(r)) if r[t] < low and r[t - 1] >= low]
    sell = [t for t in range(1, len(r)) if r[t] > high and r[t - 1] <= high]
    return {"buy": buy, "sell": sell}


def level(case, name):
    kind, value = (case.get(name) or ("none", 0))[:2]
    return f"{ {'none': 0, 'pct': 1, 'best': 1, 'atr': 2}[kind] } {value!r}"


def print_case(case, signals):
    print("case", case["name"], case.get("fill", "open"), repr(case.get("fee", 0.001)), repr(case.get("slippage_bps", 0) / 1e4),
          repr(case.get("size", 0)), case.get("after", 0), level(case, "stop"), level(case, "target"), level(case, "trail"))
    for kind in ("buy", "sell", "short", "cover"):
        bars = signals.get(kind, [])
        print(len(bars), *bars)


def main():
    plan = json.load(open(os.path.join(REFERENCE, "scripts", "plan.json")))
    cases = {c["name"]: c for c in plan["fills"]["cases"]}
    summary = {(r["case"], r["symbol"]): r for r in table("fills_summary.csv.zst")}
    trades, signals = collections.defaultdict(list), collections.defaultdict(dict)
    for r in table("fills_trades.csv.zst"):
        trades[r["case"], r["symbol"]].append(r)
    for r in table("fills_signals.csv.zst"):
        signals[r["rule"], r["symbol"]][r["signal"]] = r["dates"].split()
    values = {(r["curve"], r["metric"], r["source"]): r["oracle"] for r in table("metrics.csv")}
    runs = collections.defaultdict(list)
    for dataset, symbol in plan["fills"]["symbols"]:
        runs[dataset, symbol]
    for m in plan["metrics"]:
        runs[m["dataset"], m["symbol"]].append(m)

    for (dataset, symbol), metrics in runs.items():
        bars = refcommon.bars_of(os.path.join(SHARED, "data"), dataset, symbol)
        day = {refcommon.iso(b[0]): t for t, b in enumerate(bars)}
        given = {rule: {k: [day[d] for d in dates] for k, dates in kinds.items()} for (rule, s), kinds in signals.items() if s == symbol}
        print("symbol", symbol, len(bars), 365 if dataset.startswith("crypto") else 252)
        for b, a in zip(bars, atr(bars)):
            print(*(repr(x) for x in b), repr(a))
        for name, case in cases.items():
            if (name, symbol) not in summary:
                continue
            print_case(case, given.get(case["rule"], {}))
            s = summary[name, symbol]
            rows = trades[name, symbol]
            print("expect", s["trades_closed"], s["wins"], s["fees"], s["final_equity"], s["max_drawdown_pct"], s["sum_equity"],
                  s["equity_at_third"], s["equity_at_two_thirds"], s["pending"] or "-", s["near_ties"], len(rows))
            for r in rows:
                print(r["side"], day[r["entry_time"]], r["entry_price"], day[r["exit_time"]], r["exit_price"], r["units"], r["fees"], r["profit"],
                      r["return_pct"], r["reason"])
        for m in metrics:
            case = dict(cases[m["case"]]) if m["case"] in cases else {"fill": "close"}
            case["name"] = m["name"]
            print_case(case, given[case["rule"]] if "rule" in case else rsi_cross([b[4] for b in bars]))
            wanted = [(k, values[m["name"], *v]) for k, v in METRICS.items() if values.get((m["name"], *v)) not in (None, "")]
            print("metrics", len(wanted))
            for name, value in wanted:
                print(name, repr(float(value) * 86400000) if name == "max_drawdown_duration" else value)
    print("end")


main()
