#!/usr/bin/env python3
"""Another program cuts a file of bars while harrier has it mapped: the process does not die of it, says which file it was and
what to do, and shows and keeps nothing that was made of zeros.

    python3 test/store/cut.py [WORDS]     only the tests whose names hold WORDS

$HARRIER names the program (default build/harrier).  Needs nothing but Python."""
import glob, os, random, shutil, signal, subprocess, sys, tempfile, time

HARRIER = os.path.abspath(os.environ.get("HARRIER", "build/harrier"))
HOME = tempfile.mkdtemp(prefix="harrier-cut-")
DATA, OUT = os.path.join(HOME, "data"), os.path.join(HOME, "out")
SYMBOLS, BARS = 12, 60000
PARTIAL, CORRUPT = 1, 3
TESTS = []
environment = {k: v for k, v in os.environ.items() if not k.startswith("HARRIER_")} | {"XDG_CONFIG_HOME": HOME}


def test(f):
    TESTS.append(f)
    return f


def start(*words):
    return subprocess.Popen([HARRIER, *words, "--data", DATA], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=HOME,
                            env=environment)


def end(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err.decode()


def run(*words):
    return end(start(*words))


def files():
    return sorted(glob.glob(os.path.join(DATA, "cut/1h/*.bars")))


def mapped(process):
    try:
        with open(f"/proc/{process.pid}/maps") as maps:
            return {line.split()[-1] for line in maps if line.rstrip().endswith(".bars")}
    except (FileNotFoundError, ProcessLookupError):
        return set()


class Cut:
    """One file, and its bytes to be put back."""
    def __init__(self, path, length):
        with open(path, "rb") as f:
            self.bytes = f.read()
        self.path = path
        os.truncate(path, length(len(self.bytes)))

    def mend(self):
        with open(self.path, "r+b") as f:
            f.write(self.bytes)


def stopped_at(count, *words):
    """The command, stopped as soon as it has so many files mapped; None where it was faster than we are"""
    process = start(*words)
    while process.poll() is None:
        if len(mapped(process)) >= count:
            process.send_signal(signal.SIGSTOP)
            return process
    process.communicate()
    return None


def cut_while(count, *words, path=-1, length=lambda whole: 0):
    """→ (code, out, err) of a command whose file was cut when it had `count` mapped and had just begun"""
    for _ in range(50):
        process = stopped_at(count, *words)
        if process is None:
            continue
        cut = Cut(files()[path], length)
        process.send_signal(signal.SIGCONT)
        try:
            return end(process)
        finally:
            cut.mend()
    raise AssertionError(f"harrier {' '.join(words)} was never seen with {count} files mapped")


def refused(result):
    code, out, err = result
    text = f"exit {code}, {len(out)} bytes out: {err[:400]}"
    assert code == CORRUPT, text
    assert not out, text
    for word in ("cut/1h/S0", ".bars was cut by another program", "harrier verify cut/1h --repair"):
        assert word in err, text


BACKTEST = ("backtest", "rsi", "--on", "cut/1h", "--jobs", "2")


@test
def a_backtest_of_a_cut_file_is_refused_and_not_kept():
    for length in (lambda whole: 0, lambda whole: whole // 2, lambda whole: whole - 1):
        refused(cut_while(SYMBOLS, *BACKTEST, length=length))
    code, out, err = run("run", "list")
    assert b"rsi" not in out, out
    before = run(*BACKTEST, "--csv", "--no-cache")
    assert before[0] == 0 and before == run(*BACKTEST, "--csv", "--no-cache"), "mended, it is as it was"


@test
def files_of_a_backtest_of_a_cut_file_are_not_written():
    refused(cut_while(SYMBOLS, *BACKTEST, "--trades", OUT))
    assert not os.path.exists(OUT) or os.path.getsize(OUT) == 0


@test
def a_sweep_of_a_cut_file_is_refused_and_leaves_no_surface():
    refused(cut_while(SYMBOLS, "sweep", "rsi", "--on", "cut/1h", "--grid", "period=5..24", "--surface", OUT, "--jobs", "2"))
    assert os.path.getsize(OUT) == 0


@test
def bars_of_a_cut_file_are_never_shown_as_zeros():
    for form in ("--csv", "--json", None):
        words = ("bars", "cut/1h", "S001", *([form] if form else []), *(w for n in range(2, 22) for w in ("--with", f"rsi(close, {n})")))
        refused(cut_while(1, *words, path=0))


@test
def bars_of_a_file_cut_in_the_midst_of_their_printing_end_before_it():
    process = start("bars", "cut/1h", "S001", "--csv")
    head = process.stdout.read(1 << 16)
    cut = Cut(files()[0], lambda whole: 4096)
    rest = process.stdout.read()
    code, _, err = end(process)
    cut.mend()
    whole = run("bars", "cut/1h", "S001", "--csv")[1]
    assert whole.startswith(head + rest), "what was printed are bars"
    assert code == 0 and head + rest == whole or code == CORRUPT and "was cut by another program" in err, (code, err)


@test
def what_is_derived_from_a_cut_file_is_not_stored():
    refused(cut_while(SYMBOLS // 2, "resample", "cut/1h", "--to", "1d", path=0))
    assert not glob.glob(os.path.join(DATA, "cut/1d/*.bars"))


@test
def no_command_dies_of_a_cut_at_any_time():
    dice = random.Random(4)
    commands = [BACKTEST + ("--no-cache", "--csv"), ("bars", "cut/1h", "S005", "--csv"), ("verify", "cut/1h"),
                ("check", "rsi", "--on", "cut/1h"), ("symbols", "cut/1h"),
                ("sweep", "rsi", "--on", "cut/1h", "--grid", "period=5..8", "--jobs", "2")]
    for words in commands:
        begin = time.monotonic()
        right = run(*words)
        seconds = time.monotonic() - begin
        assert right[0] == 0, right
        for _ in range(6):
            process = start(*words)
            time.sleep(dice.random() * seconds)
            cuts = [Cut(path, lambda whole: dice.choice([0, 4096, whole // 2, whole - 1])) for path in files()]
            code, out, err = end(process)
            for cut in cuts:
                cut.mend()
            assert code in (0, PARTIAL, CORRUPT), f"harrier {' '.join(words)}: exit {code}: {err[:400]}"
            if words[0] not in ("verify", "sweep") and code == 0:
                assert out == right[1], f"harrier {' '.join(words)}: exit 0 with another answer"


@test
def another_bus_error_ends_the_process():
    process = stopped_at(1, *BACKTEST)
    if process:
        process.send_signal(signal.SIGBUS)
        process.send_signal(signal.SIGCONT)
        assert end(process)[0] == -signal.SIGBUS


def main():
    failed = passed = 0
    code, _, err = run("sample", "--market", "cut/1h", "--symbols", str(SYMBOLS), "--bars", str(BARS))
    assert code == 0, err
    for t in TESTS:
        if not all(w in t.__name__ for w in sys.argv[1:]):
            continue
        begin = time.monotonic()
        try:
            t()
            passed += 1
            print(f"ok      {t.__name__.replace('_', ' ')} ({time.monotonic() - begin:.1f} s)", flush=True)
        except AssertionError as e:
            failed += 1
            print(f"FAILED  {t.__name__.replace('_', ' ')}: {e}", flush=True)
    shutil.rmtree(HOME, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return bool(failed)


sys.exit(main())
