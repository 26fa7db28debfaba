#!/usr/bin/env python3
"""make bench: every figure that harrier promises, beside its peer's or its limit, in one run.

    python3 bench/bench.py [--only WORDS] [--quick] [--build DIR]

Each line: the work, harrier's figure (the least of at least 7 runs, median in brackets), the goal, and the peers' figures of the
same run with the ratio.  The same goes to DIR/bench.json: [{"work", "value", "unit", "goal", "met", "median", "beside": {name: value}}].
Peers come from PyPI into DIR/bench-venv, pinned by bench/requirements.txt; the prototypes, the data and peers' scripts are read from
$HARRIER_SHARED/yardstick (default ../shared).  What is not there is said and left out.  --quick runs each a few times: a smoke test,
not a measurement.  Machines are noisy: the ratios of one run are what counts."""
import argparse, json, os, re, resource, shutil, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.environ.get("HARRIER_SHARED", os.path.join(ROOT, "..", "shared"))
YARD = os.path.join(SHARED, "yardstick")
ROWS = []


def say(text):
    print(text, flush=True)


def add(work, value, unit, goal=None, met=None, median=None, beside=None, note=""):
    """goal: ("<=", number) or (">=", number), or None for a figure that is only shown"""
    if met is None and goal and value is not None:
        met = value <= goal[1] if goal[0] == "<=" else value >= goal[1]
    beside = {k: v for k, v in (beside or {}).items() if v is not None}
    ROWS.append({"work": work, "value": value, "unit": unit, "goal": f"{goal[0]} {goal[1]}" if goal else None, "met": met, "median": median, "beside": beside})
    shown = "not measured" if value is None else f"{value:.4g} {unit}" + (f" [{median:.4g}]" if median is not None else "")
    peers = "; ".join(f"{k} {v:.4g} ({v / value:.3g}x)" if value else f"{k} {v:.4g}" for k, v in beside.items())
    state = "      " if met is None else "met   " if met else "MISSED"
    say(f"{state} {work:58s} {shown:28s} {('goal ' + ROWS[-1]['goal']) if goal else '':16s} {peers}{'  ' + note if note else ''}")


def run(words, core=None, timeout=1200, env=None):
    if core is not None and shutil.which("taskset"):
        words = ["taskset", "-c", str(core), *words]
    p = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=dict(os.environ, **(env or {})))
    if p.returncode:
        raise RuntimeError(f"{words[:4]}: exit {p.returncode}: {p.stderr[-400:]}")
    return p.stdout


def figures(text):
    """name → (least, median) from lines `name value unit [median value]`"""
    found = {}
    for m in re.finditer(r"^([a-z_0-9A-Z]+) +([0-9.]+)(?: +\S+)?(?: +median +([0-9.]+))?", text, re.M):
        found[m[1]] = (float(m[2]), float(m[3]) if m[3] else None)
    return found


class Bench:
    def __init__(self, args):
        self.build, self.quick, self.only = os.path.abspath(args.build), args.quick, args.only
        self.harrier = os.path.join(self.build, "harrier")
        self.work = tempfile.mkdtemp(prefix="harrier-bench-")
        self.data = os.path.join(self.work, "data")
        self.python, self.talib, self.proto = None, {}, {}
        os.makedirs(self.data)

    # ---- set-up ------------------------------------------------------------------------------------------

    def compile_yardsticks(self):
        if not os.path.isdir(YARD):
            say(f"yardsticks are not there ({YARD}): prototypes and C peers are left out")
            return False
        for name, flags in (("gen_data", ["-march=native"]), ("proto_batch", ["-march=native"]), ("proto_sweep", ["-march=native"]), ("proto_eval", ["-mavx2"])):
            run(["gcc", "-w", "-O3", "-ffp-contract=off", *flags, "-pthread", os.path.join(YARD, name + ".c"), "-o", os.path.join(self.work, name), "-lm"])
        run([os.path.join(self.work, "gen_data"), self.data])
        return True

    def make_data(self):
        """without the yardsticks the same shapes from harrier's own sample"""
        import array
        store = os.path.join(self.work, "sample-store")
        for market, n, bars, name in (("b/1d", 211, 1828, "batch"), ("s/1m", 1, 100000, "sweep"), ("g/1m", 1, 1000000, "big")):
            run([self.harrier, "sample", "--market", market, "--symbols", str(n), "--bars", str(bars), "--data", store])
            columns = [array.array("d") for _ in "ohlcv"]
            for i in range(n):
                for line in run([self.harrier, "bars", market, f"S{i + 1:03d}", "--csv", "--data", store]).splitlines()[1:]:
                    for c, v in zip(columns, line.split(",")[1:6]):
                        c.append(float(v))
            for c, k in zip(columns, "ohlcv"):
                with open(os.path.join(self.data, f"{name}_{k}.f64"), "wb") as f:
                    c.tofile(f)

    def peers_environment(self):
        venv = os.path.join(self.build, "bench-venv")
        python = os.path.join(venv, "bin", "python")
        if not os.path.exists(python) or subprocess.run([python, "-c", "import talib, numba, raptorbt, polars"], capture_output=True).returncode:
            try:
                subprocess.run([sys.executable, "-m", "venv", venv], check=True, capture_output=True)
                subprocess.run([python, "-m", "pip", "-q", "install", "-r", os.path.join(ROOT, "bench", "requirements.txt")], check=True, capture_output=True, timeout=900)
            except (subprocess.SubprocessError, OSError) as e:
                say(f"peers cannot be installed ({str(e)[:80]}): they are left out")
                return
        self.python = python

    def wanted(self, work):
        return not self.only or any(w in work for w in self.only.split(","))

    def pinned_python(self, script, *args, env=None):
        if not self.python or not os.path.exists(os.path.join(YARD, script)) or self.quick:
            return ""
        try:
            return run([self.python, os.path.join(YARD, script), self.data, *args], core=0, env=dict(env or {}, RAYON_NUM_THREADS="1", RAPTORBT_NO_VERSION_CHECK="1"))
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            say(f"peer {script} failed: {str(e)[:160]}")
            return ""

    def prototype(self, program, *args, core=0):
        path = os.path.join(self.work, program)
        return run([path, self.data, *args], core=core) if os.path.exists(path) else ""

    # ---- the engine ----------------------------------------------------------------------------------------

    def engine(self):
        repeats = "7" if self.quick else "101"
        one = figures(run([os.path.join(self.build, "engine"), self.data, repeats], core=None if self.quick else None))
        get = lambda name: one.get(name, (None, None))
        proto = {}
        if not self.quick:
            for mode in ("batch", "stop", "rule12", "sweep", "live"):
                m = re.search(r"min +([0-9.]+) us", self.prototype("proto_eval", mode, "64", "101" if mode != "sweep" else "9"))
                proto[mode] = float(m[1]) / 1000 if m else None
        u = re.search(r"^u +AVX2 x1, all metrics.*?min +([0-9.]+)", self.prototype("proto_batch", "51") if not self.quick else "", re.M)
        numba = self.pinned_python("peer_numba_shared.py")
        raptor = self.pinned_python("peer_raptor.py", "20")
        nb_batch = re.search(r"batch 211x1828: min ([0-9.]+)", numba)
        nb_sweep = re.search(r"sweep, shared RSI: min ([0-9.]+)", numba)
        rb_batch = re.search(r"batch: 211 x \(rsi.*?min +([0-9.]+)", raptor)
        rb_sweep = re.search(r"sweep: \d+ combos.*?([0-9.]+) ns/bar", raptor)
        f = lambda m, k=1.0: float(m[1]) * k if m else None
        fused = f(u, 1e-3) + 0.07 if u else None
        v, med = get("batch")
        add("batch: 211 x 1,828 bars, rsi, ranking metrics", v, "ms", ("<=", 0.60), median=med, beside={"proto_eval": proto.get("batch"), "proto_batch u + transposing": fused, "numba": f(nb_batch), "raptorbt": f(rb_batch)})
        if fused and v:
            add("batch against proto_batch u + transposing", v / fused, "x", ("<=", 2.0))
        for name, work, goal, peer in (("batch_all", "batch, every metric without quantiles", ("<=", 2.5), None), ("batch_quantiles", "batch, every metric and VaR, CVaR", None, None),
                                       ("batch_stop", "batch, stop, target, trail, next open", ("<=", 1.4), "stop"), ("batch_rule12", "batch, a rule of 12 operations", ("<=", 2.5), "rule12")):
            v, med = get(name)
            add(work, v, "ms", goal, median=med, beside={"proto_eval": proto.get(peer)} if peer else {})
        add("batch, two cores against one", get("batch_two_speedup")[0], "x", (">=", 1.85))
        v, med = get("batch_one_symbol")
        add("one symbol x 1,000,000 bars, rsi, ranking metrics", v, "ns/bar", ("<=", 8), median=med, beside={"numba": f(nb_batch, 1e6 / 385708), "raptorbt": f(rb_batch, 1e6 / 385708)})
        add("sweep: 100,000 bars x 1,000 combinations", get("sweep_rate")[0], "G/s", (">=", 1.3),
            beside={"proto_eval": 1e8 / (proto["sweep"] * 1e6) if proto.get("sweep") else None, "numba": 1e8 / (f(nb_sweep) * 1e6) if nb_sweep else None, "raptorbt": 1 / f(rb_sweep) if rb_sweep else None})
        add("sweep, two cores against one", get("sweep_two_speedup")[0], "x", (">=", 1.85))
        v, med = get("live")
        talib = re.search(r"live scan, one new bar.*?min ([0-9.]+)", self.talib_text)
        add("one bar: 396 tickers x 6 rules", v, "us", ("<=", 15), median=med, beside={"proto_eval": proto["live"] * 1000 if proto.get("live") else None, "TA-Lib handles from C": f(talib)})

    def talib_c(self):
        """TA-Lib's C library out of its wheel, called from C"""
        self.talib_text = ""
        source = os.path.join(YARD, "peer_talib_c.c")
        if not self.python or not os.path.exists(source) or self.quick:
            return
        lib = run([self.python, "-c", "import glob, os, talib; print(glob.glob(os.path.join(os.path.dirname(os.path.dirname(talib.__file__)), 'ta_lib.libs', 'libta-lib*'))[0])"]).strip()
        run(["gcc", "-w", "-O3", "-march=native", source, lib, f"-Wl,-rpath,{os.path.dirname(lib)}", "-lm", "-o", os.path.join(self.work, "talib_c")])
        self.talib_text = run([os.path.join(self.work, "talib_c"), self.data], core=0)
        self.talib = {m[1]: float(m[2]) for m in re.finditer(r"^([A-Z_]+) +211x1828 min +([0-9.]+)", self.talib_text, re.M)}

    def indicators(self):
        # work, goal, where the goal is from
        goals = {"SMA": 0.35, "EMA": 0.35, "RSI": 0.5, "ATR": 0.5, "MACD": 0.9, "HIGHEST": 0.9, "LOWEST": 0.9, "WMA": 1.14, "BBANDS": 2.99, "KAMA": 2.08, "ROC": 1.24, "STDDEV": 3.05, "LINEARREG": 2.59, "ULTOSC": 5.3}
        half = {"ADX": 11.6, "STOCH": 11.1, "CCI": 25.8, "MFI": 11.1, "AROON": 11.7, "WILLR": 2.85, "OBV": 5.19, "SAR": 6.1}
        best = {"ADX": 2.98, "STOCH": 5.69, "CCI": 6.98, "MFI": 4.47, "AROON": 9.7, "WILLR": 2.85, "OBV": 1.02, "SAR": 1.63}
        text = run([os.path.join(self.build, "kernels")], core=0)
        ours = {m[1]: float(m[2]) for m in re.finditer(r"^([A-Za-z_0-9]+) +([0-9.]+)", text, re.M)}
        for name, value in sorted(ours.items()):
            upper = name.upper()
            if upper in goals:
                add(f"indicator {name.lower()}", value, "ns", ("<=", goals[upper]), beside={"TA-Lib C": self.talib.get({"HIGHEST": "MIN", "LOWEST": "MIN"}.get(upper, upper))})
            elif upper in half:
                add(f"indicator {name.lower()}", value, "ns", ("<=", min(self.talib.get(upper, half[upper]) / 2, best[upper])), beside={"TA-Lib C": self.talib.get(upper, None)})
            else:
                add(f"kernel {name.lower()}", value, "ns")

    # ---- whole processes -------------------------------------------------------------------------------------

    def timed(self, words, runs, until_output=False):
        """seconds of the whole process, or until its last output where what follows is not waited for"""
        taken = []
        for r in range(runs + 1):
            begin = time.perf_counter()
            p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            seen = begin
            while True:
                got = os.read(p.stdout.fileno(), 1 << 16)
                if not got:
                    break
                seen = time.perf_counter()
            p.wait()
            end = time.perf_counter()
            if p.returncode not in (0, 1):
                raise RuntimeError(f"{words}: exit {p.returncode}")
            if r:
                taken.append((seen if until_output else end) - begin)
        taken.sort()
        return taken[0], taken[len(taken) // 2]

    def processes(self):
        store = os.path.join(self.work, "store")
        h = [self.harrier]
        runs = 7 if self.quick else 25
        run([*h, "sample", "--data", store])
        ask = [*h, "backtest", "rsi", "--on", "sample/1d", "--data", store]
        least, median = self.timed([*ask, "--no-cache"], runs, True)
        add("harrier backtest rsi, whole process, 211 x 1,828", least * 1e3, "ms", ("<=", 30), median=median * 1e3)
        run(ask)
        least, median = self.timed(ask, runs)
        add("the same, answered from the kept results", least * 1e3, "ms", ("<=", 12), median=median * 1e3)
        least, median = self.timed([*h, "--help"], runs)
        add("harrier --help", least * 1e3, "ms", ("<=", 5), median=median * 1e3)
        add("harrier --help, resident memory", self.resident([*h, "--help"]), "MiB", ("<=", 5))
        least, median = self.timed([*h, "verify", "sample/1d", "--data", store], runs)
        stripped = os.path.join(self.work, "stripped")
        shutil.copy(self.harrier, stripped)
        run(["strip", stripped])
        add("binary, stripped", os.path.getsize(stripped) / 2**20, "MiB", ("<=", 3))

    def resident(self, words):
        pid = os.posix_spawn(words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
        _, _, usage = os.wait4(pid, 0)
        return usage.ru_maxrss / 1024

    def sweep_memory(self):
        store = os.path.join(self.work, "memory-store")
        bars = 20000 if self.quick else 100000
        run([self.harrier, "sample", "--market", "m/1m", "--symbols", "1", "--bars", str(bars), "--data", store])
        base = [self.harrier, "sweep", "rsi", "--on", "m/1m", "--jobs", "1", "--data", store]
        mapped = bars * 48 / 2**20
        none = self.resident([self.harrier, "--help"])
        small = self.resident([*base, "--grid", "period=5..24", "--grid", "oversold=15..37.5:2.5", "--grid", "overbought=60..80:5"])
        add("sweep of 1,000 combinations, memory beyond the bars", small - mapped - none, "MiB", ("<=", 32))
        if not self.quick:
            large = self.resident([*base, "--to", "1970-01-01" if False else "2100-01-01", "--grid", "period=2..50", "--grid", "oversold=10..45:0.25", "--grid", "overbought=55..90:0.25"])
            add("sweep of 974,169 combinations, memory beyond the bars", large - mapped - none, "MiB", ("<=", 32))

    # ---- store ---------------------------------------------------------------------------------------------

    def store(self):
        program = os.path.join(self.build, "store")
        if os.path.exists(program):
            got = figures(run([program, self.work]))
            v = got.get("verify", (None, None))
            add("verify, warm", v[0], "GB/s", (">=", 2))
            add("one new bar for each of 400 symbols, syncs", got.get("append_syncs", (None, None))[0], "syncs", ("<=", 2))
            add("one new bar for each of 400 symbols", got.get("append", (None, None))[0], "ms", beside={"one fdatasync of 4 KiB": got.get("fdatasync", (None, None))[0]})
            add("open a market of 211 symbols and map all", got.get("open", (None, None))[0], "ms")

    def imports(self):
        """500 files like the US stocks' (the same rows where they are there), and one of 80 MB"""
        store, folder = os.path.join(self.work, "import-store"), os.path.join(self.work, "csv")
        run([self.harrier, "sample", "--market", "i/1d", "--symbols", "50" if self.quick else "500", "--bars", "1980", "--data", store])
        os.makedirs(folder)
        total = 0
        for i in range(50 if self.quick else 500):
            text = run([self.harrier, "bars", "i/1d", f"S{i + 1:03d}", "--csv", "--data", store])
            with open(os.path.join(folder, f"S{i + 1:03d}.csv"), "w") as f:
                f.write(text)
            total += len(text)
        best = 1e9
        for r in range(3 if self.quick else 7):
            shutil.rmtree(store + str(r), ignore_errors=True)
            begin = time.perf_counter()
            run([self.harrier, "import", folder, "--as", "i/1d", "--data", store + str(r), "--jobs", "2"])
            best = min(best, time.perf_counter() - begin)
            shutil.rmtree(store + str(r), ignore_errors=True)
        add("import of 500 files, durable, one commit", total / best / 1e6, "MB/s", (">=", 200), beside={"polars (parse alone, 2026-11-21)": None})
        large, row = os.path.join(self.work, "LARGE.csv"), None
        with open(large, "w") as f:
            f.write("time,open,high,low,close,volume\n")
            run([self.harrier, "sample", "--market", "l/1m", "--symbols", "1", "--bars", "200000" if self.quick else "1300000", "--data", store])
            f.write(run([self.harrier, "bars", "l/1m", "S001", "--csv", "--data", store]).split("\n", 1)[1])
        size = os.path.getsize(large)
        program = os.path.join(self.build, "parse")
        ours = figures(run([program, large], core=0)).get("parse", (None, None))[0] if os.path.exists(program) else None
        polars = None
        if self.python and not self.quick:
            code = f"import polars as pl, time; best = 9e9\nfor i in range(7):\n  a = time.perf_counter(); pl.read_csv({large!r}); best = min(best, time.perf_counter() - a)\nprint(best)"
            polars = size / float(run([self.python, "-c", code], core=0, env={"POLARS_MAX_THREADS": "1"})) / 1e6
        add(f"parse and validate {size / 1e6:.0f} MB of CSV, one thread", ours, "MB/s", (">=", polars or 542), beside={"polars read_csv": polars})

    def close(self):
        with open(os.path.join(self.build, "bench.json"), "w") as f:
            json.dump(ROWS, f, indent=1)
        shutil.rmtree(self.work, ignore_errors=True)
        missed = [r["work"] for r in ROWS if r["met"] is False]
        say(f"\n{sum(r['met'] is True for r in ROWS)} goals met, {len(missed)} missed" + (": " + "; ".join(missed) if missed else "") + f"; all figures in {os.path.relpath(os.path.join(self.build, 'bench.json'), ROOT)}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="", help="parts: engine,indicators,processes,memory,store,imports")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--build", default=os.path.join(ROOT, "build"))
    b = Bench(p.parse_args())
    if not b.compile_yardsticks():
        b.make_data()
    if not b.quick:
        b.peers_environment()
    try:
        b.talib_c()
        for name, part in (("engine", b.engine), ("indicators", b.indicators), ("processes", b.processes), ("memory", b.sweep_memory), ("store", b.store), ("imports", b.imports)):
            if b.wanted(name):
                try:
                    part()
                except (RuntimeError, subprocess.SubprocessError, OSError) as e:
                    add(name, None, "", met=False, note=str(e)[:300])
    finally:
        b.close()
    sys.exit(0)


main()
