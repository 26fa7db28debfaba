"""The same bits from every build: compilers x optimisation x instruction sets x lanes x block sizes x threads.

    python3 test/kernel/same_bits.py [COMPILER:OPTIMISATION …]

Builds in fresh directories, beside the build that $HARRIER names (default build/harrier), and compares what they print:

    kernel_hash   the hash of every kernel, on each instruction set, of both widths, in blocks of BLOCKS bars
    rule_run      every value of RULES, in blocks of BLOCKS bars, over both widths
    harrier       whole answers as JSON: the built-in rules and RULES over a market, and a sweep, on each instruction
                  set, with one thread and two

Without arguments clang:0 and clang:3, beside the usual gcc -O3; with HARRIER_TORTURE=1 all four."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(os.environ.get("HARRIER", "build/harrier")).resolve()
BLOCKS = ["1", "2", "7", "63", "64"]
PROGRAMS = ["harrier", "test/kernel/kernel_hash", "test/rule/rule_run"]
BUILTIN = ["rsi", "rsi_original", "golden_cross", "macd", "bollinger", "donchian", "supertrend"]
OPTIONS = {"open": [], "close": ["--fill", "close", "--fee-min", "1", "--slippage", "5bps", "--lot", "0.01"]}
RULES = {
    "both_sides": "r = rsi(close, 9)\nbuy when crossover(r, 35)\nsell when r > 70\nshort when crossunder(r, 65)\ncover when r < 30\n"
                  "stop 3 * atr(7)\ntarget 12%\ntrail 7%\nexit after 15 bars\nsize risk 2%\n",
    "levels": "up, _, down = bbands(close, 15)\nbuy when crossunder(close, down)\nshort when crossover(close, up)\n"
              "stop 4%\ntarget abs(up - down)\nsize 40%\nsay \"{up}\"\n",
    "holes": "x = log(close / close[3]) / stddev(close, 10)\ny = exp(x * 40) - exp(x * 40)\nk = stoch(5, 3, 0, 3, 0).slowk\n"
             "buy when ema(x, 4) + sma(y, 3) > 0 or count(close > open, 9) == 9\nsell when k > 80 or cci(12) < -100\nsize 1_000 cash\n",
}
passed = failed = 0


def run(*words, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def build(compiler, optimisation, directory):
    run("meson", "setup", directory, f"-Doptimization={optimisation}", "-Ddebug=false", cwd=ROOT, env=dict(os.environ, CC=compiler))
    run("ninja", "-C", directory, *PROGRAMS)


def hashed(text):
    return hashlib.sha256(text.encode()).hexdigest()


def without_times(text):
    return re.sub(r'"(run_id|cached|\w+_time_ms|jobs|combinations_per_second)": [^,}\n]+', "", text)


def kernels(build):
    """(what, how, hash): how must make no difference, and neither must the build"""
    program = build / "test/kernel/kernel_hash"
    for line in run(program).splitlines():
        for block in BLOCKS:
            for one in run(program, *line.split(), block).splitlines():
                name, value = one.split()
                yield f"kernel {name}", f"{line} lanes, blocks of {block}", value


def values(build, folder):
    for name in RULES:
        for lanes in ("4", "16"):
            for block in BLOCKS:
                if lanes == "16" or block != "64":
                    yield (f"values of {name}", f"{lanes} lanes, blocks of {block}",
                           hashed(run(build / "test/rule/rule_run", folder / f"{name}.rule", folder / "bars.csv", block, lanes)))


def answers(build, folder):
    isas = sorted({line.split()[0] for line in run(build / "test/kernel/kernel_hash").splitlines()})
    for isa in isas:
        for jobs in ("1", "2"):
            how, end = f"{isa}, {jobs} threads", ["--isa", isa, "--jobs", jobs, "--json", "--data", folder / "data"]
            for rule in BUILTIN + [folder / f"{name}.rule" for name in RULES]:
                for fill, options in OPTIONS.items():
                    text = run(build / "harrier", "backtest", rule, "--on", "bits/1d", "--no-cache", *options, *end)
                    json.loads(text)
                    yield f"backtest {pathlib.Path(rule).stem}, fill {fill}", how, hashed(without_times(text))
            text = run(build / "harrier", "sweep", "rsi", "--on", "bits/1d", "--grid", "period=5..14", "--grid", "oversold=20..35:5",
                       "--top", "40", *end)
            json.loads(text)
            yield "sweep rsi", how, hashed(without_times(text))


def make_market(folder):
    data = folder / "data"
    run(HERE, "sample", "--market", "bits/1d", "--symbols", "37", "--bars", "700", "--seed", "11", "--data", data)
    rows = run(HERE, "bars", "bits/1d", "S001", "--csv", "--data", data).splitlines()
    lines = [",".join([str(i * 86400000)] + row.split(",")[1:6]) for i, row in enumerate(rows[1:])]
    (folder / "bars.csv").write_text("\n".join(["time,open,high,low,close,volume"] + lines) + "\n")
    for name, text in RULES.items():
        (folder / f"{name}.rule").write_text(text)


def compare(label, build, folder, first):
    global passed, failed
    differ, runs = set(), 0
    for what, how, value in (*kernels(build), *values(build, folder), *answers(build, folder)):
        runs += 1
        if first.setdefault(what, value) != value and (what not in differ):
            differ.add(what)
            print(f"not the same: {what} of {label}, {how}", flush=True)
    passed, failed = passed + len(first) - len(differ), failed + len(differ)
    print(f"# {label}: {runs} runs of {len(first)} things", flush=True)


def main():
    every = ["clang:0", "clang:3", "gcc:0", "gcc:3"]
    if not HERE.exists() or not (HERE.parent / "build.ninja").exists():
        print(f"{HERE} is not built")
        sys.exit(77)
    first = {}
    with tempfile.TemporaryDirectory(prefix="harrier-same-bits-") as folder:
        folder = pathlib.Path(folder)
        run("ninja", "-C", HERE.parent, *PROGRAMS[1:])
        make_market(folder)
        compare("the build that is here", HERE.parent, folder, first)
        for what in sys.argv[1:] or (every if os.environ.get("HARRIER_TORTURE") == "1" else every[:2]):
            compiler, optimisation = what.split(":")
            if not shutil.which(compiler):
                print(f"# {compiler} is not here: skipped")
                continue
            with tempfile.TemporaryDirectory(prefix="harrier-same-bits-") as directory:
                build(compiler, optimisation, directory)
                compare(f"{compiler} -O{optimisation}", pathlib.Path(directory), folder, first)
    print(f"{passed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
