#!/usr/bin/env python3
"""Random rule files: the evaluator against the interpreter of reference.py, over every construct of the language.

    python3 test/rule/random_rules.py [RULES] [SEED]      default: 100 (1,000 under HARRIER_TORTURE=1), 1

Each rule is run over bars full of ties, gaps of volume and markets that stand still: in blocks of 64 bars over 16 lanes, and of
7 and 1 over 4 lanes, of which three have other parameters.  Numbers that no indicator and no function of the C library had a
hand in must have the same bits, others must agree within 1e-9; conditions must agree; block sizes and lanes must agree to the
bit.  Rules in which a decision hangs on less than 1e-9 are left out.  The evaluator is rule_run, built beside the program that
$HARRIER names (default build/harrier)."""
import csv
import io
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import reference

PROGRAM = os.environ.get("HARRIER_RULE_RUN") or str(pathlib.Path(os.environ.get("HARRIER", "build/harrier")).resolve().parent / "test/rule/rule_run")
RULES = 1000 if os.environ.get("HARRIER_TORTURE") == "1" else 100
BARS = 400

# What the checker alone refuses, on purpose: percents beside prices, 0 as a divisor, levels that are none.
REFUSALS = ("puts a percent", "divides by 0", "is a percent already", "is a distance in price", "is more than 0", "a number more than 0",
            "needs values that change", "looks back at what changes", "needs its values first", "can be", "with the default parameters")


def make_bars(rng, count):
    """Prices are 64ths, so that sums are exact; some stand still, some bars have no volume."""
    bars, price, time = [], 6400, 1577836800000
    for t in range(count):
        still = t % 90 in range(40, 55)
        move = 0 if still else rng.choice([-190, -64, -64, -13, 0, 0, 13, 64, 64, 200])
        opened, price = price, max(price + move, 640)
        high = max(opened, price) + (0 if still else rng.choice([0, 0, 13, 64, 100]))
        low = min(opened, price) - (0 if still else rng.choice([0, 0, 13, 64, 100]))
        bars.append(dict(time=time, open=opened / 64, high=high / 64, low=low / 64, close=price / 64,
                         volume=float(0 if t % 31 == 3 else rng.choice([100, 200, 350, 1000]))))
        time += rng.choice([3600000] * 20 + [7 * 3600000, 3 * 86400000])
    return bars


def write_bars(path, bars):
    with open(path, "w") as f:
        f.write("time,open,high,low,close,volume\n")
        f.writelines(",".join(repr(b[k]) for k in ("time", "open", "high", "low", "close", "volume")) + "\n" for b in bars)


class Maker:
    """Expressions by type, never deeper than `depth`."""
    def __init__(self, rng):
        self.rng = rng
        self.parameters, self.columns, self.conditions, self.defs, self.lines = [], [], [], [], []

    def choose(self, *makers):
        return self.rng.choice(makers)()

    def period(self, most=12):
        whole = [n for n, kind in self.parameters if kind == "whole"]
        if whole and self.rng.random() < 0.3:
            return self.rng.choice([self.rng.choice(whole), f"{self.rng.choice(whole)} + 1", f"2 * {self.rng.choice(whole)}"])
        return str(self.rng.randint(1, most))

    def number(self, depth=1):
        r = self.rng
        if depth > 0 and r.random() < 0.25:
            return f"({self.number(depth - 1)} {r.choice('+-*/')} {r.choice(['3', '0.5', '1_000', '2e-1'])})"
        names = [n for n, _ in self.parameters]
        return r.choice([str(r.randint(0, 200)), f"{r.randint(1, 99)}.{r.randint(0, 99):02}", "1_00", "25e-1", "7%"] + names + [f"-{r.randint(1, 9)}"])

    def column(self, depth):
        r = self.rng
        leaves = ["open", "high", "low", "close", "close", "volume", "hl2", "hlc3", "ohlc4", "bar_index", "hour", "minute", "day", "weekday",
                  "month", "year"] + 3 * self.columns
        if depth <= 0 or r.random() < 0.12:
            return r.choice(leaves)
        d, sub, condition = depth - 1, lambda: self.column(depth - 1), lambda: self.condition(depth - 1)
        scalar = lambda: self.column(d) if r.random() < 0.6 else self.number()
        return self.choose(
            lambda: f"({sub()} {r.choice('+-*/')} {scalar()})",
            lambda: f"{scalar()} {r.choice('+-')} {sub()}",
            lambda: f"-{r.choice(leaves)}",
            lambda: f"({sub()})[{r.randint(0, 9)}]",
            lambda: f"{r.choice(leaves)}[{self.period()}]",
            lambda: f"({sub()})%",
            lambda: f"{r.choice(['abs', 'sign', 'floor', 'ceil', 'round', 'sqrt', 'log'])}({sub()})",
            lambda: f"{r.choice(['max', 'min'])}({sub()}, {scalar()})",
            lambda: f"nz({sub()}, {scalar()})", lambda: f"nz({sub()})",
            lambda: f"if({condition()}, {sub()}, {scalar()})",
            lambda: f"{r.choice(['highest', 'lowest'])}({sub()}, {self.period(30)})",
            lambda: f"sum({r.choice(leaves[:9])}, {self.period()})",
            lambda: f"change({sub()}, {self.period()})",
            lambda: f"change({r.choice(leaves)})",
            lambda: f"count({condition()}, {self.period(70)})",
            lambda: f"barssince({condition()})",
            lambda: f"valuewhen({condition()}, {sub()}, {r.randint(0, 3)})",
            lambda: f"since({condition()}, {sub()}, \"{r.choice(['max', 'min', 'sum'])}\")",
            lambda: f"{r.choice(['pivothigh', 'pivotlow'])}({sub()}, {r.randint(1, 4)}, {r.randint(1, 4)})",
            lambda: f"pow({r.choice(leaves)}, {r.choice(['2', '0.5', '-1'])})",
            lambda: r.choice([f"(1e300 * {sub()})", f"({sub()} / 1e-300)", f"exp({r.choice(leaves)} * 30)", f"pow({sub()}, 300)"]),
            lambda: self.indicator(d), lambda: self.indicator(d),
            lambda: self.call(d))

    def indicator(self, depth):
        r = self.rng
        price = self.column(depth) if r.random() < 0.4 else r.choice(["close", "open", "hl2"])
        whole = [name for name, kind in self.parameters if kind == "whole"]
        n, slow = r.randint(2, 20), r.randint(21, 30)
        if whole and r.random() < 0.5:
            n = r.choice(whole)
        return r.choice([f"sma({price}, {n})", f"ema({price}, {n})", f"wma({price}, {n})", f"rsi({price}, {n})", f"atr({n})", f"mom({price}, {n})",
                         f"roc({price}, period = {n})", f"macd({price}, slow = {slow}, fast = {n}).hist", f"bbands({price}, {n}).upperband",
                         f"bbands({price}, {n}, 1.5, 2).lowerband", f"rsi({price})"])

    def call(self, depth):
        if not self.defs:
            return self.column(depth)
        name, count = self.rng.choice(self.defs)
        return f"{name}({', '.join(self.column(depth) for _ in range(count))})"

    def condition(self, depth):
        r = self.rng
        if depth <= 0:
            names = [n for n, _ in self.parameters]
            return r.choice(["close > open", "close[1] <= close", "volume == 0", "low != close", "2 < 3"] + self.conditions + [f"{n} > 5" for n in names])
        d, sub, value = depth - 1, lambda: self.condition(depth - 1), lambda: self.column(depth - 1)
        scalar = lambda: self.column(d) if r.random() < 0.6 else self.number()
        return self.choose(
            lambda: f"{value()} {r.choice(['<', '<=', '>', '>=', '==', '!='])} {scalar()}",
            lambda: f"{scalar()} {r.choice(['<', '>'])} {value()}",
            lambda: f"({sub()} and {sub()})", lambda: f"({sub()} or {sub()})", lambda: f"not ({sub()})",
            lambda: f"({sub()})[{r.randint(1, 70)}]",
            lambda: f"{r.choice(['crossover', 'crossunder'])}({value()}, {scalar()})",
            lambda: f"{r.choice(['rising', 'falling'])}({value()}, {self.period(5)})",
            lambda: f"isnan({value()})",
            lambda: f"if({sub()}, {sub()}, {sub()})",
            lambda: f"{self.number()} < {self.number()}",
            lambda: f"time >= 2020-01-0{r.randint(1, 9)}")

    def rule(self):
        r = self.rng
        for i in range(r.randint(0, 3)):
            name, kind = f"p{i}", r.choice(["whole", "real", "percent"])
            self.lines.append({"whole": f"param {name} = {r.randint(2, 9)} in 2..9", "real": f"param {name} = {r.randint(10, 40)}.5",
                               "percent": f"param {name} = {r.randint(1, 9)}%"}[kind])
            self.parameters.append((name, kind))
        for i in range(r.randint(0, 2)):
            d = Maker(r)
            d.columns = ["a", "b"][:r.randint(1, 2)]
            body, arguments = d.column(2), list(d.columns)
            self.lines.append(f"def f{i}({', '.join(arguments)}) = {body} + {' + '.join(arguments)}")
            self.defs.append((f"f{i}", len(arguments)))
        for i in range(r.randint(1, 5)):
            if r.random() < 0.65:
                self.lines.append(f"v{i} = {self.column(4)}")
                self.columns.append(f"v{i}")
            else:
                self.lines.append(f"c{i} = {self.condition(3)}")
                self.conditions.append(f"c{i}")
        if r.random() < 0.4:
            self.lines.append("line, signal, _ = macd(close, 5, 8, 3)")
            self.columns += ["line", "signal"]
        self.lines.append(f"buy when {self.condition(3)}")
        for word in ("sell", "short", "cover"):
            if r.random() < 0.6:
                self.lines.append(f"{word} when {self.condition(2)}")
        for word in ("stop", "target", "trail"):
            if r.random() < 0.5:
                self.lines.append(f"{word} {r.choice(['5%', '2 * atr(5)', 'abs(' + self.column(2) + ')', '(atr(3) / close)%'])}")
        if r.random() < 0.3:
            self.lines.append(f"exit after {self.period()} bars")
        if r.random() < 0.4:
            self.lines.append(r.choice(["size 50%", "size 10 units", "size 1_000 cash", f"size abs({self.column(1)}) units"]))
        return "".join(self.written(line) for line in self.lines)

    def written(self, line):
        """The same, as people may write it: comments, blanks, lines that go on."""
        r = self.rng
        if r.random() < 0.3:
            line = line.replace(" and ", "\n  and ").replace(" or ", " or\n\n  # why not\n ")
        if r.random() < 0.3:
            line = line.replace(" + ", " +\n      ").replace(", ", ",\n   ").replace(" > ", ">")
        return line + r.choice(["\n", "\n\n", "   # so it is\n", "\t\r\n"])


# ---- comparing ---------------------------------------------------------------------------------------------------------

class Refused(Exception):
    pass


def run(rule, bars, block, lanes):
    p = subprocess.run([PROGRAM, rule, bars, str(block), str(lanes)], capture_output=True, text=True)
    if p.returncode != 0:
        raise Refused(p.stderr)
    facts = {name: (int(holes), int(lookback)) for name, holes, lookback in map(str.split, p.stderr.splitlines())}
    rows = list(csv.reader(io.StringIO(p.stdout)))
    return {name: [float(row[i]) for row in rows[1:]] for i, name in enumerate(rows[0])}, p.stdout, facts


def differs(name, got, wanted, exact):
    scale = max([abs(w) for w in wanted if w == w and not math.isinf(w)] or [1.0])
    for t, (g, w) in enumerate(zip(got, wanted)):
        w = float(w)
        if g != g and w != w or g == w:
            continue
        if not exact and not math.isinf(w) and w == w and g == g and abs(g - w) <= 1e-9 * max(abs(w), scale):
            continue
        return f"{name} of bar {t} is {g!r}, the interpreter says {w!r}{'' if exact else ' (within 1e-9)'}"
    return None


def breaks_promise(name, column, holes, lookback, late):
    """A value without holes is defined from its first defined bar on, and that is known: its look-back, but for a value that
    waits for an event of the market."""
    defined = [t for t, x in enumerate(column) if x == x]
    if holes or not defined or isinstance(column[0], bool):
        return None
    if len(defined) != len(column) - defined[0]:
        return f"{name} has holes that the compiler does not know of"
    if not late and defined[0] > lookback:
        return f"{name} is defined from bar {defined[0]} on, its look-back is {lookback}"
    return None


def check(source, bars, rule_path, bars_path):
    """→ a sentence where they differ, None where they agree; False where the rule is left out"""
    pathlib.Path(rule_path).write_text(source, newline="")
    try:
        wanted = reference.Rule(source).run(bars)
        wanted.late = set(wanted.columns) if re.search("barssince|valuewhen|since", source) else set()
    except RecursionError as e:
        return repr(e)
    got, text, facts = run(rule_path, bars_path, 64, 16)
    for block, lanes in ((7, 4), (1, 4), (1, 16)):
        if run(rule_path, bars_path, block, lanes)[1] != text:
            return f"blocks of {block} over {lanes} lanes give other bits"
    if wanted.near_tie:
        return False
    for name, column in wanted.columns.items():
        sentence = differs(name, got[name], column, wanted.exact[name])
        if not sentence and name in facts:
            sentence = breaks_promise(name, column, *facts[name], name in wanted.late)
        if sentence:
            return sentence
    return None


def main():
    count, seed = int(sys.argv[1]) if len(sys.argv) > 1 else RULES, int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if not os.path.exists(PROGRAM):
        print(f"{PROGRAM} is not built")
        return 77
    rng = random.Random(seed)
    passed = failed = left_out = refused = 0
    with tempfile.TemporaryDirectory(prefix="harrier-rules-") as folder:
        rule_path, bars_path = os.path.join(folder, "random.rule"), os.path.join(folder, "bars.csv")
        while passed + failed < count:
            if (passed + failed) % 20 == 0:
                bars = make_bars(rng, BARS)
                write_bars(bars_path, bars)
            source = Maker(rng).rule()
            try:
                sentence = check(source, bars, rule_path, bars_path)
            except Refused as e:
                if any(k in str(e) for k in REFUSALS):
                    refused += 1
                    continue
                sentence = f"refused: {e}"
            if sentence is False:
                left_out += 1
            elif sentence is None:
                passed += 1
            else:
                failed += 1
                print(f"---- seed {seed}\n{source}---- {sentence}\n", flush=True)
            if left_out + refused > 30 * count:
                print("too many rules are left out")
                return 1
    print(f"# {left_out} left out for a near tie, {refused} refused by the checker")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
