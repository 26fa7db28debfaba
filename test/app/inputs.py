#!/usr/bin/env python3
"""What is wrong with the world around the program: each a sentence and the right exit code.

    python3 test/app/inputs.py [WORDS]     only the tests whose names hold WORDS"""
import fcntl, json, os, resource, signal, sqlite3, subprocess, time

from program import HARRIER, HOME, STORE, main, market, ok, put, refused, run, test

BARS = "time,open,high,low,close,volume\n2024-01-01,1,2,1,2,5\n2024-01-02,1,2,1,2,5\n"


def limited(bytes_max, *args, data):
    """A call that may write no file beyond so many bytes, as on a full disk."""
    return subprocess.run([HARRIER, *args, "--data", data], capture_output=True, text=True, restore_signals=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max)))


@test
def an_empty_market_is_said():
    m = market("empty/1d", 1, 50)
    ok("rm", m, "S001")
    for command in ("backtest", "sweep", "check"):
        refused(3, "empty", command, "rsi", "--on", m)
    refused(3, "S001", "bars", m, "S001")
    assert json.loads(ok("symbols", m, "--json")) == {"symbols": []}
    ok("verify", m)


@test
def a_full_data_directory_stores_nothing_and_loses_nothing():
    data = os.path.join(HOME, "full")
    for bytes_max in (0, 4096, 40000, 200000):
        p = limited(bytes_max, "sample", "--market", "f/1d", "--symbols", "3", "--bars", "9000", data=data)
        assert p.returncode in (4, 5) and "cannot" in p.stderr and "f/1d" in p.stderr, (bytes_max, p.returncode, p.stderr)
        refused(3, "f/1d", "symbols", "f/1d", data=data)
    ok("sample", "--market", "f/1d", "--symbols", "3", "--bars", "300", data=data)
    p = limited(4096, "import", put("F.csv", BARS), "--as", "f/1d", data=data)
    assert p.returncode in (0, 4, 5), (p.returncode, p.stderr)
    assert len(json.loads(ok("symbols", "f/1d", "--json", data=data))["symbols"]) == (4 if p.returncode == 0 else 3)
    ok("verify", "f/1d", data=data)
    days = [time.strftime("%Y-%m-%d,1,2,1,2,3\n", time.gmtime(86400 * d)) for d in range(9000)]
    files = [put(f"{name}.csv", BARS.splitlines()[0] + "\n" + "".join(days[:count])) for name, count in (("A", 10), ("B", 9000))]
    p = limited(200000, "import", *files, "--as", "g/1d", "--json", data=data)  # room for A, not for B
    assert p.returncode in (4, 5) and json.loads(p.stdout)["added"] == 0, (p.returncode, p.stdout, p.stderr)
    p = limited(4096, "backtest", "rsi", "--on", "f/1d", data=data)
    assert p.returncode == 0 and "not kept" in p.stderr and "3 symbols" in p.stdout, (p.returncode, p.stderr)


@test
def a_read_only_data_directory_takes_no_import():
    data, other = os.path.join(HOME, "locked"), {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    os.mkdir(data, 0o555)
    os.chmod(HOME, 0o755)
    p = subprocess.run([HARRIER, "import", put("R.csv", BARS), "--as", "r/1d", "--data", data], capture_output=True, text=True, cwd="/", env={"HOME": "/", "PATH": os.environ["PATH"]}, **other)
    assert p.returncode in (4, 5) and "ermission denied" in p.stderr and data in p.stderr, (p.returncode, p.stderr)
    assert not os.listdir(data)


def held(m):
    """The lock of a market, as a writer holds it."""
    lock = open(os.path.join(STORE, m, "lock"), "r+b")
    fcntl.lockf(lock, fcntl.LOCK_EX)
    lock.write(b"4711 harrier import\n\0"), lock.flush()
    return lock


@test
def a_second_writer_waits_and_then_is_told_who_writes():
    m = market("held/1d", 2, 50)
    with held(m):
        p = run("import", put("H.csv", BARS), "--as", m)
    assert p.returncode == 4 and "harrier import" in p.stderr and "4711" in p.stderr, (p.returncode, p.stderr)


@test
def a_writer_that_waits_can_be_stopped():
    m = market("held/1d", 2, 50)
    with held(m):
        for words in (["import", put("H.csv", BARS), "--as", m], ["sample", "--market", m], ["rm", m], ["rm", m, "S001"], ["rename", m, "other/1d"]):
            p = subprocess.Popen([HARRIER, *words, "--data", STORE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(0.3)
            asked = time.monotonic()
            p.send_signal(signal.SIGINT)
            err = p.communicate(timeout=30)[1]
            assert p.returncode == 130 and time.monotonic() - asked < 1, (words, p.returncode, err)
    assert len(json.loads(ok("symbols", m, "--json"))["symbols"]) == 2


@test
def results_of_a_newer_version_are_left_alone():
    data = os.path.join(HOME, "newer")
    ok("sample", "--market", "n/1d", "--symbols", "2", "--bars", "100", data=data)
    ok("backtest", "rsi", "--on", "n/1d", data=data)
    db = sqlite3.connect(os.path.join(data, "results.db"))
    db.execute("PRAGMA user_version = 99"), db.commit(), db.close()
    refused(3, "newer harrier|99", "runs", data=data)
    refused(3, "newer harrier|99", "run", "show", "1", data=data)
    p = run("backtest", "rsi", "--on", "n/1d", data=data)
    assert p.returncode == 0 and "not kept" in p.stderr and "newer harrier" in p.stderr and "2 symbols" in p.stdout, (p.returncode, p.stderr)


@test
def options_out_of_range_are_refused_by_every_command_that_has_them():
    m = market()
    for command in ("backtest", "sweep"):
        for words, more in (("--jobs", ["--jobs", "0"]), ("--fee|200%", ["--fee", "200%"]), ("--cash", ["--cash", "-1"]), ("--slippage", ["--slippage", "100%"])):
            refused(2, words, command, "rsi", "--on", m, *more)
    refused(2, "--jobs", "import", put("J.csv", BARS), "--as", "j/1d", "--jobs", "0")
    for command in (["check"], ["backtest", "--on", m], ["sweep", "--on", m]):
        refused(2, "directory", *command, HOME)
        refused(2, "binary.rule", *command, put("binary.rule", bytes(range(256)) * 40, "wb"))


main()
