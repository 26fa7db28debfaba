#!/usr/bin/env python3
"""The program beside TA-Lib itself: every indicator that TA-Lib has, on bars and parameters that Hypothesis draws.

    python3 test/indicator/talib_live.py [INDICATOR …]

$HARRIER names the program (default build/harrier).  An example is a market of one symbol, imported as a user would,
and one call of `harrier bars` with every indicator as a column.  The tolerance is 1e-9 of the column; a column that
TA-Lib itself computes less exactly near zero has the price's digits.  $HARRIER_TORTURE=1: many more examples."""
import csv, io, json, os, subprocess, sys, tempfile

import numpy
import talib
from hypothesis import HealthCheck, Phase, given, note, settings, strategies as st
from talib import abstract

HARRIER = os.path.abspath(os.environ.get("HARRIER", "build/harrier"))
EXAMPLES = 400 if os.environ.get("HARRIER_TORTURE") == "1" else 30
OURS = {"MAX": "highest", "MIN": "lowest"}  # max and min take two values of one bar
MATYPES = [0, 1, 2, 3, 4, 5, 6, 8, 9, 12, 13]

# Where the market stands still these divide 0 by 0: TA-Lib reports a number, harrier NaN.
ZERO_BY_ZERO = {"RSI", "CMO", "MFI", "STOCH", "STOCHF", "STOCHRSI", "WILLR", "CCI", "ULTOSC", "ADX", "ADXR", "DX", "PLUS_DI",
                "MINUS_DI", "BETA", "CORREL"}
# Differences of large sums, which TA-Lib rounds near zero.
NEAR_ZERO = {"LINEARREG_SLOPE", "LINEARREG_ANGLE", "APO", "MACD", "MACDEXT", "MACDFIX", "PPO", "STDDEV", "BBANDS", "CORREL", "BETA"}
LEAST = {"CCI": 4, "STOCH": 2, "STOCHF": 2, "STOCHRSI": 2, "CORREL": 3, "BETA": 3}  # the range of one bar may be 0 anywhere
STEADY = [0, 2, 5]  # averages that forget; the others carry on what TA-Lib makes of rounding in a still RSI


def known():
    p = subprocess.run([HARRIER, "indicators", "--json"], capture_output=True, text=True, check=True)
    names = {i["name"] for i in json.loads(p.stdout)["indicators"]}
    wanted = {a.upper() for a in sys.argv[1:]}
    return [f for f in talib.get_functions() if OURS.get(f, f.lower()) in names and f != "MAVP" and (not wanted or f in wanted)]


def inputs_of(function):
    """names of columns, and whether a caller must give them"""
    names = abstract.Function(function).input_names
    prices = names.get("prices", names.get("prices0"))
    given_by_caller = [v for k, v in names.items() if k != "prices" and k != "prices0"]
    return given_by_caller + list(prices or []), not prices


@st.composite
def parameters(draw, function):
    out = {}
    for name, usual in abstract.Function(function).parameters.items():
        if name.endswith("matype"):
            out[name] = draw(st.sampled_from(STEADY if function == "STOCHRSI" else MATYPES))
        elif isinstance(usual, float):
            out[name] = draw(st.integers(1, 60)) / 20
        else:
            least = 1 if function in ("SMA", "EMA", "WMA", "RMA", "ATR", "ROC", "MOM") else LEAST.get(function, 2)
            out[name] = draw(st.integers(least, 40))
    if function == "T3":
        out["vfactor"] = min(out["vfactor"], 1.0)
    return out


@st.composite
def examples(draw, functions):
    return {"seed": draw(st.integers(0, 2**32)), "bars": draw(st.integers(2, 500)), "still": draw(st.integers(0, 80)),
            "scale": 10.0 ** draw(st.integers(-5, 5)), "parameters": {f: draw(parameters(f)) for f in functions}}


def market(example):
    """Prices of a random walk with few digits, so that some are equal; `still` bars of it stand still."""
    rng, n = numpy.random.default_rng(example["seed"]), example["bars"]
    close = numpy.round(100 * numpy.exp(numpy.cumsum(rng.normal(size=n) * 0.02)), 2)
    reach = numpy.round(rng.random((2, n)), 2) + 0.01
    open_ = numpy.round(close + (rng.random(n) - 0.5), 2)
    bars = {"open": open_, "high": numpy.maximum(open_, close) + reach[0], "low": numpy.minimum(open_, close) - reach[1],
            "close": close, "volume": numpy.floor(rng.random(n) * 10000) + 1}
    begin = n // 3
    for column in ("open", "high", "low", "close"):
        bars[column][begin:begin + example["still"]] = close[begin]
        bars[column] = numpy.array([float(f"{x * example['scale']:.10g}") for x in bars[column]])
    return bars


def ours(bars, calls, home):
    path = os.path.join(home, "x.csv")
    with open(path, "w") as f:
        f.write("time,open,high,low,close,volume\n")
        for i in range(len(bars["close"])):
            day = numpy.datetime64("2000-01-01") + i
            f.write(f"{day}," + ",".join(repr(float(bars[c][i])) for c in ("open", "high", "low", "close", "volume")) + "\n")
    store, env = os.path.join(home, "store"), {k: v for k, v in os.environ.items() if k != "HARRIER_CONFIG"}
    env["HOME"] = env["XDG_CONFIG_HOME"] = home  # no configuration of whoever runs this
    for words in (["import", path, "--as", "live/1d"], ["bars", "live/1d", "x", "--csv"] + [w for c in calls for w in ("--with", c)]):
        p = subprocess.run([HARRIER, *words, "--data", store], capture_output=True, text=True, env=env)
        assert p.returncode == 0, f"harrier {words[0]}: exit {p.returncode}: {p.stderr[:500]}"
    rows = list(csv.reader(io.StringIO(p.stdout)))[1:]
    return [numpy.array([float(r[k]) if r[k] not in ("", "nan") else numpy.nan for r in rows]) for k in range(6, len(rows[0]))]


def left_out(function, bars, values):
    """Bars whose value TA-Lib makes of rounding."""
    out = numpy.zeros(len(bars["close"]), bool)
    if function == "STOCHRSI" and len(out) > values["timeperiod"]:
        rsi = talib.RSI(bars["close"], values["timeperiod"])
        reach = values["fastk_period"] + 2 * values["fastd_period"] + 2
        for i in range(len(out)):
            windows = [rsi[max(0, k - values["fastk_period"] + 1):k + 1] for k in range(max(0, i - reach), i + 1)]
            out[i] = any(numpy.nanmax(w) - numpy.nanmin(w) < 1e-9 for w in windows if not numpy.isnan(w).all())
    return out


def compare(function, values, bars, got):
    columns, _ = inputs_of(function)
    wanted = getattr(talib, function)(*[bars[c] for c in columns], *values.values())
    wanted = [numpy.asarray(w, float) for w in (wanted if isinstance(wanted, (list, tuple)) else [wanted])]
    still = (bars["high"] == bars["low"]) & (numpy.r_[numpy.nan, bars["close"][:-1]] == bars["close"])
    ignore, price = left_out(function, bars, values), float(bars["high"].max())
    for k, (g, w) in enumerate(zip(got, wanted)):
        if w.dtype != float or function == "SUPERTREND" and k == 1:
            w = numpy.where(numpy.isnan(wanted[0]), numpy.nan, w)
        finite = w[numpy.isfinite(w)]
        scale = max(float(numpy.abs(finite).max()) if len(finite) else 0.0, 1e-6 * price if function not in ("OBV", "AD") else 1e-9)
        room = 1e-9 * scale + (1e-12 * max(price, 1.0) if function in NEAR_ZERO else 0.0)
        with numpy.errstate(invalid="ignore"):
            bad = ~((numpy.isnan(g) & numpy.isnan(w)) | (numpy.abs(g - w) <= room) | ignore)
        if function in ZERO_BY_ZERO:
            bad &= ~(numpy.isnan(g) & still)
        if bad.any():
            i = int(numpy.argmax(bad))
            return f"{function} {values}: output {k} at bar {i} of {len(g)} is {g[i]!r}, TA-Lib's {w[i]!r} ({int(bad.sum())} bars differ)"
    return None


def main():
    functions, failures = known(), []

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=(Phase.generate, Phase.shrink),
              suppress_health_check=list(HealthCheck))
    @given(examples(functions))
    def they_agree(example):
        bars, calls = market(example), []
        for f in functions:
            columns, must_give = inputs_of(f)
            words = (columns if must_give else []) + [repr(v) for v in example["parameters"][f].values()]
            calls.append(f"{OURS.get(f, f.lower())}({', '.join(words)})")
        with tempfile.TemporaryDirectory(prefix="harrier-live-") as home:
            got = ours(bars, calls, home)
        failures.clear()
        for f in functions:
            outputs = len(abstract.Function(f).output_names)
            what = compare(f, example["parameters"][f], bars, got[:outputs])
            got = got[outputs:]
            if what:
                failures.append(what)
                note(what)
        assert not got, "more columns than outputs"
        assert not failures

    bad = 0
    try:
        they_agree()
    except AssertionError as e:
        print(e)
        print("\n".join(failures[:20]))
        bad = max(1, len({f.split()[0] for f in failures}))
    print(f"{len(functions)} functions of TA-Lib {talib.__ta_version__.decode().split()[0]}, {EXAMPLES} examples: "
          f"{len(functions) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
