#!/usr/bin/env python3
"""Random rules through the whole program: `harrier bars --with` and `harrier backtest --trades` against reference.py.

    python3 test/rule/random_program.py [RULES] [SEED]      default: 40 (400 under HARRIER_TORTURE=1), 1

Half of them are expressions, which must give the interpreter's values; the other half are rules that buy and sell at the close,
whose trades must be those that a plain walk over the interpreter's signals makes.  $HARRIER names the program (default
build/harrier)."""
import csv
import datetime
import io
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import random_rules
import reference

HARRIER = os.path.abspath(os.environ.get("HARRIER", "build/harrier"))
RULES = 400 if os.environ.get("HARRIER_TORTURE") == "1" else 40
BARS = 300
MARKET = "random/1h"


def harrier(*words, data):
    return subprocess.run([HARRIER, *words, "--data", data], capture_output=True, text=True, env=dict(os.environ, HARRIER_CONFIG=os.path.join(data, "none.yaml")))


def clock(bar):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=bar["time"])).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_expression(maker, bars, data):
    expression = maker.column(4) if maker.rng.random() < 0.7 else maker.condition(4)
    if expression in bars[0]:  # a column that stands there anyway
        return None, expression
    result = reference.Rule(f"x = {expression}\n").run(bars)
    if result.near_tie:  # two right programs may differ
        return None, expression
    p = harrier("bars", MARKET, "RND", "--with", expression, "--csv", data=data)
    if p.returncode != 0:
        return None if any(k in p.stderr for k in random_rules.REFUSALS) else f"refused: {p.stderr}", expression
    rows = list(csv.reader(io.StringIO(p.stdout)))[1:]
    got = [float(row[6]) if row[6] else float("nan") for row in rows]
    if len(got) != len(bars):
        return f"{len(got)} bars instead of {len(bars)}", expression
    return random_rules.differs("x", got, result.columns["x"], result.exact["x"]) or "", expression


def walk(bars, buy, sell):
    """[(entry time, exit time, reason)] of who buys and sells at the close."""
    trades, entry = [], None
    for t, bar in enumerate(bars):
        if entry is None and buy[t]:
            entry = clock(bar)
        elif entry is not None and sell[t]:
            trades.append((entry, clock(bar), "signal"))
            entry = None
    return trades + ([(entry, clock(bars[-1]), "end")] if entry else [])


def check_rule(maker, bars, data):
    source = f"buy when {maker.condition(4)}\nsell when {maker.condition(4)}\n"
    result = reference.Rule(source).run(bars)
    if result.near_tie:  # two right programs may differ
        return None, source
    rule, trades = os.path.join(data, "random.rule"), os.path.join(data, "trades.csv")
    pathlib.Path(rule).write_text(source)
    p = harrier("backtest", rule, "--on", MARKET, "--fill", "close", "--fee", "0%", "--no-cache", "--trades", trades, data=data)
    if p.returncode != 0:
        return None if any(k in p.stderr for k in random_rules.REFUSALS) else f"refused: {p.stderr}", source
    with open(trades) as f:
        got = [(r["entry_time"], r["exit_time"], r["reason"]) for r in csv.DictReader(f)]
    wanted = walk(bars, result.columns["buy"], result.columns["sell"])
    if got == wanted:
        return "", source
    first = next((i for i, (g, w) in enumerate(zip(got, wanted)) if g != w), min(len(got), len(wanted)))
    return f"{len(got)} trades for {len(wanted)}; number {first}: {got[first:first + 1]} for {wanted[first:first + 1]}", source


def main():
    count, seed = int(sys.argv[1]) if len(sys.argv) > 1 else RULES, int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if not os.path.exists(HARRIER):
        print(f"{HARRIER} is not built")
        return 77
    rng = random.Random(seed)
    bars = random_rules.make_bars(rng, BARS)
    passed = failed = left_out = 0
    with tempfile.TemporaryDirectory(prefix="harrier-random-") as data:
        pathlib.Path(data, "none.yaml").touch()
        path = os.path.join(data, "RND.csv")
        random_rules.write_bars(path, bars)
        p = harrier("import", path, "--as", MARKET, data=data)
        if p.returncode != 0:
            print(p.stderr)
            return 1
        while passed + failed < count:
            check = check_expression if (passed + failed) % 2 else check_rule
            sentence, source = check(random_rules.Maker(rng), bars, data)
            if sentence is None:
                left_out += 1
            elif sentence == "":
                passed += 1
            else:
                failed += 1
                print(f"---- seed {seed}\n{source}\n---- {sentence}\n", flush=True)
            if left_out > 30 * count:
                print("too many rules are left out")
                return 1
    print(f"# {left_out} left out")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
