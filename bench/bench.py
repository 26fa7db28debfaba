#!/usr/bin/env python3
"""make bench: every figure that harrier promises, beside its peer's or its limit, in one run.

    python3 bench/bench.py [--only WORDS] [--quick] [--build DIR]

A line: met or MISSED, the work, harrier's figure (least of at least 7 runs, median in brackets), the
goal, and the peers' figures of the same run with the ratio.  The same goes to DIR/bench.json.
--only: only the lines or parts (engine indicators process memory store import) that hold one of the
words, comma between, and the peers that these need.

All runs on one core, by taskset, but what says "two cores".  Peers come from PyPI into
DIR/bench-venv, pinned by bench/requirements.txt; prototypes, data and peers' scripts are read from
$HARRIER_SHARED/yardstick (default ../shared).  What is not there is said and left out.  --quick runs
each a few times and no peers: a smoke test, not a measurement.  Machines are noisy: the ratios of
one run are what counts."""
import argparse
import array
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.environ.get("HARRIER_SHARED", os.path.join(ROOT, "..", "shared"))
YARD = os.path.join(SHARED, "yardstick")
PEERS = os.path.join(ROOT, "bench", "peers.py")
CORE = "0"  # proto_batch takes this one too
BATCH_BARS, SWEEP_WORK = 211 * 1828, 100000 * 1000

# figure of build/engine, the line's words, unit, goal
ENGINE = [
    ("batch", "batch: 211 x 1,828 bars, rsi, ranking metrics", "ms", "<= 0.60"),
    ("batch_all", "batch, every metric without quantiles", "ms", "<= 2.5"),
    ("batch_quantiles", "batch, every metric and VaR, CVaR", "ms", None),
    ("batch_stop", "batch, stop, target, trail, next open", "ms", "<= 1.4"),
    ("batch_rule12", "batch, a rule of 12 operations", "ms", "<= 2.5"),
    ("batch_one_symbol", "one symbol x 1,000,000 bars, rsi, ranking metrics", "ns/bar", "<= 8"),
    ("sweep_rate", "sweep: 100,000 bars x 1,000 combinations", "G/s", ">= 1.3"),
    ("live", "one bar: 396 tickers x 6 rules", "us", "<= 15"),
]
TWO_CORES = [
    ("batch", "batch, two cores against one"),
    ("sweep", "sweep, two cores against one"),
]

# Expression, TA-Lib's function of the same work, the fastest peer of peers/vector.md section 8 or the
# issue's own number where that is less (ns a bar-lane), and whether half of TA-Lib is asked as well.
INDICATORS = [
    ("sma(close,20)", "SMA", 0.35, False),
    ("ema(close,20)", "EMA", 0.28, False),
    ("wma(close,20)", "WMA", 1.14, False),
    ("kama(close,30)", "KAMA", 2.08, False),
    ("rsi(close,14)", "RSI", 0.5, False),
    ("macd(close,12,26,9)", "MACD", 0.9, False),
    ("bbands(close,20,2,2,0)", "BBANDS", 2.99, False),
    ("atr(14)", "ATR", 0.5, False),
    ("adx(14)", "ADX", 2.98, True),
    ("stoch(14,3,0,3,0)", "STOCH", 5.7, True),
    ("cci(20)", "CCI", 7.0, True),
    ("mfi(14)", "MFI", 4.4, True),
    ("obv()", "OBV", 1.02, True),
    ("sar(0.02,0.2)", "SAR", 1.63, True),
    ("willr(14)", "WILLR", 2.85, True),
    ("aroon(14)", "AROON", 9.7, True),
    ("ultosc(7,14,28)", "ULTOSC", 5.3, False),
    ("lowest(close,30)", "MIN", 0.84, False),
    ("highest(close,30)", "MAX", 0.84, False),
    ("linearreg(close,14)", "LINEARREG", 2.59, False),
    ("roc(close,10)", "ROC", 1.24, False),
    ("stddev(close,20,1)", "STDDEV", 3.05, False),
    ("correl(close,open,30)", "CORREL", 5.1, False),
]


def say(text):
    print(text, flush=True)


def run(words, pinned=True, seconds=1200, env=None):
    if pinned and shutil.which("taskset"):
        words = ["taskset", "-c", CORE, *words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds,
                          env=dict(os.environ, **(env or {})))
    if done.returncode:
        raise RuntimeError(f"{words[:5]}: exit {done.returncode}: {done.stderr[-400:]}")
    return done.stdout


def figures(text):
    """{name: (least, median)} of lines `name value [unit] [median value]`"""
    line = re.compile(r"^(\S+) +([0-9.]+)(?: +[A-Za-z/]+)?(?: +median +([0-9.]+))?$", re.M)
    return {m[1]: (float(m[2]), float(m[3]) if m[3] else None) for m in line.finditer(text)}


def number(pattern, text):
    found = re.search(pattern, text, re.M)
    return float(found[1]) if found else None


def scaled(value, factor):
    return None if value is None else value * factor


def least_and_median(taken):
    taken = sorted(taken)
    return taken[0], taken[len(taken) // 2]


class Bench:
    def __init__(self, args):
        self.build, self.quick = os.path.abspath(args.build), args.quick
        self.words = [w for w in args.only.split(",") if w]
        self.harrier = os.path.join(self.build, "harrier")
        self.work = tempfile.mkdtemp(prefix="harrier-bench-", dir=self.build)
        self.repeats = 7 if args.quick else 25
        self.rows, self.part = [], ""

    def wanted(self, work):
        return not self.words or any(w in work or w == self.part for w in self.words)

    def add(self, work, figure, unit, goal=None, beside=None, wrong=None):
        """A line; figure: (least, median).  wrong: why the figure counts as missed whatever it is."""
        value, median = figure
        met = None
        if goal:
            sign, limit = goal.split()
            met = value <= float(limit) if sign == "<=" else value >= float(limit)
        if wrong:
            met = False
        beside = {k: v for k, v in (beside or {}).items() if v is not None}
        self.rows.append({"work": work, "value": value, "unit": unit, "goal": goal, "met": met,
                          "median": median, "beside": beside})
        shown = f"{value:.4g} {unit}" + (f" [{median:.4g}]" if median is not None else "")
        state = {None: "", True: "met", False: "MISSED"}[met]
        peers = "; ".join(f"{k} {v:.4g} ({v / value:.3g}x)" for k, v in beside.items())
        say(f"{state:7s}{work:58s} {shown:26s} {'goal ' + goal if goal else '':16s} {peers}"
            + (f"  {wrong}" if wrong else ""))

    # ---- set-up --------------------------------------------------------------------------------

    @functools.cached_property
    def data(self):
        """A folder with the standard data: the yardstick's, or harrier's own sample of that shape."""
        folder = os.path.join(self.work, "data")
        os.makedirs(folder)
        if os.path.isdir(YARD):
            run([self.yardstick("gen_data"), folder])
            return folder
        say(f"the yardsticks are not there ({YARD}): other data, and no prototypes and C peers")
        store = os.path.join(self.work, "sample-store")
        for name, symbols, bars in (("batch", 211, 1828), ("sweep", 1, 100000), ("big", 1, 1000000)):
            market = name + ("/1d" if name == "batch" else "/1m")
            self.sample(store, market, symbols, bars)
            columns = {c: array.array("d") for c in "ohlcv"}
            for symbol in range(1, symbols + 1):
                for line in self.csv(store, market, symbol).splitlines()[1:]:
                    for column, value in zip(columns.values(), line.split(",")[1:6]):
                        column.append(float(value))
            for c, column in columns.items():
                with open(os.path.join(folder, f"{name}_{c}.f64"), "wb") as file:
                    column.tofile(file)
        return folder

    def sample(self, store, market, symbols, bars):
        run([self.harrier, "sample", "--market", market, "--symbols", str(symbols), "--bars",
             str(bars), "--data", store], pinned=False)

    def csv(self, store, market, symbol):
        return run([self.harrier, "bars", market, f"S{symbol:03d}", "--csv", "--data", store],
                   pinned=False)

    @functools.lru_cache
    def yardstick(self, name, *link):
        """Compiles a yardstick; its path."""
        program = os.path.join(self.work, name)
        machine = "-mavx2" if name == "proto_eval" else "-march=native"
        run(["gcc", "-w", "-O3", "-ffp-contract=off", machine, "-pthread",
             os.path.join(YARD, name + ".c"), "-o", program, *link, "-lm"], pinned=False)
        return program

    @functools.cached_property
    def python(self):
        """A Python that has the peers, or None."""
        venv = os.path.join(self.build, "bench-venv")
        python, stamp = os.path.join(venv, "bin", "python"), os.path.join(venv, "requirements.txt")
        wanted = os.path.join(ROOT, "bench", "requirements.txt")
        if self.quick:
            return None
        if os.path.exists(stamp) and open(stamp).read() == open(wanted).read():
            return python
        try:
            say("installing the peers, once ...")
            run([sys.executable, "-m", "venv", venv], pinned=False)
            run([python, "-m", "pip", "-q", "install", "-r", wanted], pinned=False)
            shutil.copy(wanted, stamp)
            return python
        except (RuntimeError, subprocess.SubprocessError, OSError) as error:
            say(f"peers cannot be installed ({str(error)[:80]}): they are left out")
            return None

    @functools.lru_cache
    def peer(self, script, *args):
        """What a peer's script prints; "" where it cannot run."""
        path = script if os.path.isabs(script) else os.path.join(YARD, script)
        if not self.python or not os.path.exists(path):
            return ""
        try:
            return run([self.python, path, *args], seconds=600, env={
                "RAYON_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "RAPTORBT_NO_VERSION_CHECK": "1"})
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            say(f"peer {os.path.basename(script)} {' '.join(args)} failed: {str(error)[-200:]}")
            return ""

    @functools.cached_property
    def talib_library(self):
        code = ("import glob, os, talib; print(glob.glob(os.path.join(os.path.dirname("
                "os.path.dirname(talib.__file__)), 'ta_lib.libs', 'libta-lib*'))[0])")
        return run([self.python, "-c", code]).strip() if self.python else None

    # ---- the engine ----------------------------------------------------------------------------

    def prototype(self, mode):
        """proto_eval's line of a mode, "" without the yardsticks"""
        if self.quick or not os.path.isdir(YARD):
            return ""
        repeats = "9" if mode == "sweep" else "101"
        return run([self.yardstick("proto_eval"), self.data, mode, "64", repeats], seconds=120)

    @functools.cached_property
    def fused(self):
        """ms of the hand-written kernel of this one rule, with the transposing that it needs to read
        columns: form u has none of its own, so that of form t with and without is added."""
        if self.quick or not os.path.isdir(YARD):
            return None
        # Not pinned: it pins itself, and its part on two cores would spin for ever on one.
        text = run([self.yardstick("proto_batch"), self.data, "51"], pinned=False, seconds=120)
        u, without, with_it = (number(rf"^{form}.*?min +([0-9.]+)", text) for form in (
            r"u  AVX2 x1, all metrics", r"t  AVX2 tuned x1, r by divide",
            r"t  x1 \+ transpose from symbol-major"))
        return (u + max(with_it - without, 0)) / 1000

    def engine_peers(self, figure):
        proto = lambda mode, unit: scaled(number(r"min +([0-9.]+) us", self.prototype(mode)), unit)
        numba = functools.partial(self.peer, "peer_numba_shared.py", self.data)
        raptor = functools.partial(self.peer, "peer_raptor.py", self.data, "20")
        if figure in ("batch", "batch_one_symbol"):
            unit = 1 if figure == "batch" else 1e6 / BATCH_BARS  # ms of all, or ns a bar
            peers = {"numba": scaled(number(r"batch 211x1828: min ([0-9.]+)", numba()), unit),
                     "raptorbt": scaled(number(r"^batch: 211 x \(rsi.*?min +([0-9.]+)", raptor()), unit)}
        if figure == "batch":
            vectorbt = self.peer("peer_vbt12.py", self.data, "numba", "batch")
            return {"proto_eval": proto("batch", 1e-3), "proto_batch u + transposing": self.fused,
                    **peers,
                    "vectorbt": number(r"RSI \+ from_signals \+ 5 metrics +min +([0-9.]+)", vectorbt),
                    "backtesting.py": number(r"^backtesting ([0-9.]+)",
                                             self.peer(PEERS, "batch", self.data))}
        if figure == "batch_one_symbol":
            return peers
        if figure in ("batch_stop", "batch_rule12"):
            return {"proto_eval": proto(figure.removeprefix("batch_"), 1e-3)}
        if figure == "sweep_rate":
            rate = lambda us: SWEEP_WORK / (us * 1e3) if us else None
            each = number(r"^sweep: \d+ combos.*?([0-9.]+) ns/bar", raptor())
            return {"proto_eval": rate(proto("sweep", 1)),
                    "numba": rate(scaled(number(r"sweep, shared RSI: min ([0-9.]+)", numba()), 1e3)),
                    "raptorbt": 1 / each if each else None}
        if figure == "live":
            return {"proto_eval": proto("live", 1), "TA-Lib handles from C": self.talib_live()}
        return {}

    def talib_live(self):
        if not self.talib_library or not os.path.isdir(YARD):
            return None
        where = os.path.dirname(self.talib_library)
        program = self.yardstick("peer_talib_c", self.talib_library, f"-Wl,-rpath,{where}")
        return number(r"live scan, one new bar.*?min ([0-9.]+)", run([program, self.data]))

    def engine_runs(self, names, pinned=True):
        """Of several processes: which pages the bars fall on is drawn anew for each."""
        program = [os.path.join(self.build, "engine"), self.data, "7" if self.quick else "101"]
        return [figures(run([*program, *names], pinned)) for _ in range(1 if self.quick else 3)]

    def engine(self):
        wanted = [row for row in ENGINE if self.wanted(row[1])]
        if wanted:
            names = ["sweep" if row[0] == "sweep_rate" else row[0] for row in wanted]
            runs = self.engine_runs(names)
        for figure, work, unit, goal in wanted:
            best = max if goal and goal.startswith(">=") else min
            got = best(r[figure] for r in runs)
            wrong = None
            if figure == "batch":  # a figure of another answer would be worth nothing
                expected = number(r"trades (\d+)", self.prototype("batch"))
                found = runs[0]["batch_trades"][0]
                if expected not in (None, found):
                    wrong = f"{found:.0f} trades where the prototype has {expected:.0f}"
            self.add(work, got, unit, goal, self.engine_peers(figure), wrong)
            if figure == "batch" and self.fused:
                self.add("batch against proto_batch u + transposing",
                         tuple(v / self.fused for v in got), "x", "<= 2.0")
        for name, work in TWO_CORES:
            if self.wanted(work):
                runs = self.engine_runs([name, name + "_two"], pinned=False)
                one, two = (min(r[figure] for r in runs) for figure in (name, name + "_two"))
                self.add(work, tuple(a / b for a, b in zip(one, two)), "x", ">= 1.85")

    # ---- indicators ----------------------------------------------------------------------------

    def indicators(self):
        wanted = [row for row in INDICATORS if self.wanted("indicator " + row[0])]
        if not wanted:
            return
        ours = figures(run([os.path.join(self.build, "kernels"), *(row[0] for row in wanted)]))
        talib = figures(self.peer(PEERS, "talib", self.talib_library) if self.talib_library else "")
        for expression, name, limit, half in wanted:
            peer = talib.get(name, (None, None))[0]
            if half and peer:
                limit = min(limit, peer / 2)
            self.add("indicator " + expression, ours[expression], "ns", f"<= {limit:.3g}",
                     {"TA-Lib from C": peer})

    # ---- whole processes -----------------------------------------------------------------------

    def timed(self, words, repeats=None, until_output=False):
        """ms of the whole process, least and median; or until its last output, where what it does
        behind that is not waited for"""
        if shutil.which("taskset"):
            words = ["taskset", "-c", CORE, *words]
        taken = []
        for _ in range((repeats or self.repeats) + 1):
            begin = seen = time.perf_counter()
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            while os.read(process.stdout.fileno(), 1 << 16):
                seen = time.perf_counter()
            process.stdout.close()
            if process.wait() != 0:
                raise RuntimeError(f"{words}: exit {process.returncode}")
            taken.append(((seen if until_output else time.perf_counter()) - begin) * 1e3)
        return least_and_median(taken[1:])

    def resident(self, words):
        """MiB that a process had at most"""
        return figures(run([os.path.join(self.build, "resident"), *words]))["resident"][0]

    def processes(self):
        store = os.path.join(self.work, "store")
        ask = [self.harrier, "backtest", "rsi", "--on", "sample/1d", "--data", store]
        run([self.harrier, "sample", "--data", store])
        work = "harrier backtest rsi, whole process, 211 x 1,828"
        if self.wanted(work):
            beside = {}
            for peer in ("vectorbt", "backtesting") if self.python else ():
                words = [self.python, PEERS, "whole", peer, self.data]
                of = ", one symbol" if peer == "backtesting" else ""
                beside[peer + of] = self.timed(words, 2)[0]
            self.add(work, self.timed([*ask, "--no-cache"], None, True), "ms", "<= 30", beside)
        work = "harrier backtest rsi, answered from the kept results"
        if self.wanted(work):
            run(ask)
            self.add(work, self.timed(ask), "ms", "<= 12")
        if self.wanted("harrier --help"):
            self.add("harrier --help", self.timed([self.harrier, "--help"]), "ms", "<= 5")
        if self.wanted("harrier --help, resident memory"):
            taken = [self.resident([self.harrier, "--help"]) for _ in range(7)]
            self.add("harrier --help, resident memory", least_and_median(taken), "MiB", "<= 5")
        if self.wanted("binary, stripped"):
            stripped = os.path.join(self.work, "stripped")
            run(["strip", "-o", stripped, self.harrier])
            self.add("binary, stripped", (os.path.getsize(stripped) / 2**20, None), "MiB", "<= 3")

    def sweep_memory(self):
        """What a sweep has resident beyond the bars that it maps and what any command has."""
        store, bars = os.path.join(self.work, "memory-store"), 20000 if self.quick else 100000
        grids = {"1,000": ("period=5..24", "oversold=15..37.5:2.5", "overbought=60..80:5"),
                 "974,169": ("period=2..50", "oversold=10..45:0.25", "overbought=55..90:0.25")}
        if self.quick:
            del grids["974,169"]
        for count, grid in grids.items():
            work = f"sweep of {count} combinations, memory beyond the bars"
            if not self.wanted(work):
                continue
            self.sample(store, "m/1m", 1, bars)
            words = [self.harrier, "sweep", "rsi", "--on", "m/1m", "--jobs", "1", "--data", store]
            for parameter in grid:
                words += ["--grid", parameter]
            mapped = bars * 48 / 2**20 + self.resident([self.harrier, "--help"])
            repeats = 7 if count == "1,000" else 1  # a minute each, and memory does not wander
            taken = [self.resident(words) - mapped for _ in range(repeats)]
            self.add(work, least_and_median(taken), "MiB", "<= 32")

    # ---- store ---------------------------------------------------------------------------------

    def store(self):
        lines = [("verify", "verify, warm", "GB/s", ">= 2"),
                 ("append_syncs", "one new bar for each of 400 symbols, syncs", "syncs", "<= 2"),
                 ("append", "one new bar for each of 400 symbols", "ms", None),
                 ("open", "open a market of 211 symbols and map all", "ms", None)]
        wanted = [line for line in lines if self.wanted(line[1])]
        if wanted:
            got = figures(run([os.path.join(self.build, "store"), self.work]))
            for figure, work, unit, goal in wanted:
                sync = {"one fdatasync of 4 KiB": got["fdatasync"][0]} if figure == "append" else {}
                self.add(work, got[figure], unit, goal, sync)

    def write_columns(self, folder, symbols, bars):
        """What of an import is the disk's: its columns written as plain files, and one syncfs."""
        bytes_each = os.urandom(bars * 48)
        begin = time.perf_counter()
        os.makedirs(folder)
        for symbol in range(symbols):
            with open(os.path.join(folder, str(symbol)), "wb", buffering=0) as file:
                file.write(bytes_each)
        run(["sync", "-f", folder])
        return time.perf_counter() - begin

    def import_files(self):
        """500 files of daily bars, as the US stocks are"""
        work, symbols = "import of 500 files, durable, one commit, one thread", 50 if self.quick else 500
        if not self.wanted(work):
            return
        store, folder = os.path.join(self.work, "import-store"), os.path.join(self.work, "csv")
        self.sample(store, "i/1d", symbols, 1980)
        os.makedirs(folder)
        size = 0
        for symbol in range(1, symbols + 1):
            with open(os.path.join(folder, f"S{symbol:03d}.csv"), "w") as file:
                size += file.write(self.csv(store, "i/1d", symbol))
        taken, written = [], []
        # Nothing is removed meanwhile: ext4 searches long for an inode that was not freed just now.
        for repeat in range(3 if self.quick else 7):
            fresh = os.path.join(self.work, f"import-fresh-{repeat}")
            written.append(self.write_columns(fresh + "-plain", symbols, 1980))
            begin = time.perf_counter()
            run([self.harrier, "import", folder, "--as", "i/1d", "--data", fresh, "--jobs", "1"])
            taken.append(time.perf_counter() - begin)
        self.add(work, tuple(size / t / 1e6 for t in least_and_median(taken)), "MB/s", ">= 200",
                 {"its columns as plain files, one syncfs": size / min(written) / 1e6})

    def parse(self):
        """One file of 80 MB, read, parsed and judged, against what polars makes of it."""
        if not self.wanted("parse and validate CSV, one thread"):
            return
        store, file = os.path.join(self.work, "parse-store"), os.path.join(self.work, "LARGE.csv")
        self.sample(store, "l/1m", 1, 200000 if self.quick else 1300000)
        with open(file, "w") as out:
            out.write(self.csv(store, "l/1m", 1))
        megabytes = os.path.getsize(file) / 1e6
        got = figures(run([os.path.join(self.build, "parse"), file, "9"]))
        seconds = figures(self.peer(PEERS, "polars", file)).get("polars", (None, None))[0]
        polars = megabytes / seconds if seconds else None
        self.add(f"parse and validate {megabytes:.0f} MB of CSV, one thread", got["parse"], "MB/s",
                 f">= {polars or 542:.0f}", {"polars read_csv": polars})

    # ---- all -----------------------------------------------------------------------------------

    def all(self):
        for self.part, work in (("engine", self.engine), ("indicators", self.indicators),
                                ("process", self.processes), ("memory", self.sweep_memory),
                                ("store", self.store), ("import", self.import_files),
                                ("import", self.parse)):
            try:
                work()
            except (RuntimeError, subprocess.SubprocessError, OSError, KeyError) as error:
                self.rows.append({"work": self.part, "value": None, "unit": "", "goal": None,
                                  "met": False, "median": None, "beside": {}})
                say(f"FAILED {self.part}: {type(error).__name__}: {str(error)[:400]}")

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)
        path = os.path.join(self.build, "bench.json")
        with open(path, "w") as file:
            json.dump(self.rows, file, indent=1)
        met = sum(row["met"] is True for row in self.rows)
        missed = [row["work"] for row in self.rows if row["met"] is False]
        say(f"\n{met} goals met, {len(missed)} missed" + (": " if missed else "") + "; ".join(missed)
            + f"; all figures in {os.path.relpath(path, ROOT)}")
        return any(row["value"] is None for row in self.rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="words of lines or parts, comma between")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    bench = Bench(parser.parse_args())
    failed = True
    try:
        bench.all()
    finally:
        failed = bench.close()
    sys.exit(failed)  # a missed goal is a figure, what could not be measured is a failure


main()
