#!/usr/bin/env python3
"""Where the program's words and files go: files of options, devices, pipes, what is closed or full.

    python3 test/app/outputs.py [WORDS]     only the tests whose names hold WORDS"""
import json, os, shlex, stat, subprocess, threading, time

from program import HARRIER, HOME, STORE, main, market, ok, put, refused, run, test

ENV = {k: v for k, v in os.environ.items() if not k.startswith("HARRIER_")} | {"XDG_CONFIG_HOME": os.path.join(HOME, "config")}


def shell(line):
    """`harrier` in the line is the program"""
    line = line.replace("harrier ", shlex.quote(HARRIER) + " ", 1) + ""
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=ENV | {"HARRIER_DATA": STORE}, cwd=HOME, timeout=60)


def where(name):
    return os.path.join(HOME, name)


ASK = ("backtest", "rsi", "--on", "small/1d", "--no-cache")


# ---- files of options ---------------------------------------------------------------------------------------

@test
def a_device_is_written_through_and_stays_a_device():
    market()
    full = where("full")
    try:
        os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        open(full).close()
    except OSError as e:
        return f"no device can be made here: {e}"
    for option in ("--trades", "--equity"):
        p = run(*ASK, option, full)
        assert p.returncode == 4 and "No space" in p.stderr, (p.returncode, p.stderr)
    p = run("sweep", "rsi", "--on", "small/1d", "--grid", "period=5..9", "--surface", full)
    assert p.returncode == 4 and "No space" in p.stderr, (p.returncode, p.stderr)
    assert stat.S_ISCHR(os.lstat(full).st_mode)


@test
def trades_into_a_pipe_reach_its_reader():
    market()
    fifo, got = where("fifo"), []
    os.mkfifo(fifo)
    for words in (ASK + ("--trades",), ("sweep", "rsi", "--on", "small/1d", "--grid", "period=5..9", "--surface")):
        reader = threading.Thread(target=lambda: got.append(subprocess.run(["cat", fifo], capture_output=True, text=True, timeout=30).stdout))
        reader.start()
        ok(*words, fifo)
        reader.join()
        assert stat.S_ISFIFO(os.lstat(fifo).st_mode)
    assert got[0].startswith("symbol,") and got[0].count("\n") > 5 and got[1].count("\n") == 6, got


@test
def trades_into_standard_output_stand_behind_the_answer():
    market()
    os.symlink("/proc/self/fd/1", where("stdout"))  # what /dev/stdout is, where a failure does no harm
    p = shell("harrier backtest rsi --on small/1d --no-cache --trades stdout | tail -n 3")
    assert p.stdout.count(",") > 20, p.stdout
    shell("harrier backtest rsi --on small/1d --no-cache --trades stdout > both.txt")
    both = open(where("both.txt")).read()
    assert both.startswith("rsi (period 14") and "symbol,side,entry_time" in both, both[:300]
    assert os.path.islink(where("stdout"))


@test
def the_file_behind_a_link_is_replaced_and_the_link_stays():
    market()
    ok(*ASK, "--trades", "plain.csv")
    want = open(where("plain.csv")).read()
    os.makedirs(where("deep"), exist_ok=True)
    put("deep/old.csv", "old")
    os.symlink("old.csv", where("deep/link.csv"))
    os.symlink("deep/link.csv", where("link.csv"))
    os.symlink("deep/new.csv", where("ahead.csv"))
    for link, target in (("link.csv", "deep/old.csv"), ("ahead.csv", "deep/new.csv")):
        ok(*ASK, "--trades", link)
        assert os.path.islink(where(link)) and open(where(target)).read() == want, link
    assert os.path.islink(where("deep/link.csv"))
    os.symlink("nowhere/x", where("lost.csv"))
    refused(2, "--trades|No such file", *ASK, "--trades", "lost.csv")
    os.symlink("round.csv", where("round.csv"))
    refused(2, "--trades|round.csv", *ASK, "--trades", "round.csv")


@test
def a_file_of_an_option_overwrites_neither_the_rule_nor_the_store_nor_another():
    market()
    source = ok("check", "rsi", "--source")
    rule = put("own.rule", source)
    os.symlink("own.rule", where("alias.csv"))
    for name in ("own.rule", "./own.rule", "alias.csv"):
        for option in ("--trades", "--equity"):
            refused(2, option + "|rule's own file", "backtest", rule, "--on", "small/1d", option, name)
        refused(2, "--surface|rule's own file", "sweep", rule, "--on", "small/1d", "--surface", name)
    assert open(rule).read() == source
    refused(2, "--trades and --equity|one file", *ASK, "--trades", "same.csv", "--equity", "./same.csv")
    assert not os.path.exists(where("same.csv"))
    ok(*ASK[:4])
    before = open(os.path.join(STORE, "results.db"), "rb").read()
    refused(2, "its own files", *ASK, "--trades", "store/results.db")
    refused(2, "its own files", *ASK, "--equity", "store/small/1d/x.csv")
    refused(2, "its own files", "run", "show", "1", "--trades", "store/results.db")
    ok(*ASK, "--trades", "store/trades.csv", "--equity", "store/small/equity.csv")
    refused(2, "one file", "run", "show", "1", "--trades", "a.csv", "--equity", "a.csv")
    assert open(os.path.join(STORE, "results.db"), "rb").read() == before
    ok(*ASK, "--trades", "rsi")  # the rule of this name is no file


@test
def the_size_of_a_surface_is_said_before_it_is_written_and_refused_without_room():
    market("little/1d", 1, 50)
    put("room.csv", "kept")
    grid = "--grid period=2..50 --grid oversold=10..45:0.1 --grid overbought=55..90:0.1"
    p = shell(f"ulimit -f 100000; harrier sweep rsi --on little/1d {grid} --surface room.csv")
    assert p.returncode == 4 and "would take about" in p.stderr and "room for 0.1 GB" in p.stderr, (p.returncode, p.stderr)
    assert open(where("room.csv")).read() == "kept"
    p = subprocess.Popen([HARRIER, "sweep", "rsi", "--on", "little/1d", *grid.split(), "--surface", where("room.csv"), "--data", STORE], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    first = p.stderr.readline()
    p.terminate()
    p.communicate(timeout=60)
    assert "6,036,849 combinations will take about 1." in first, first
    assert shell("harrier sweep rsi --on little/1d --surface small.csv").stderr == ""


# ---- closed, full ---------------------------------------------------------------------------------------------

@test
def an_answer_into_a_closed_standard_output_is_a_failure():
    market()
    rule = ok("check", "rsi", "--source")
    for words in ("backtest rsi --on small/1d --no-cache", "check rsi", "symbols small/1d --json", "--version", "--help", "verify", "runs", "metrics", "sweep rsi --on small/1d"):
        p = shell(f"harrier {words} >&-")
        assert p.returncode == 4 and "standard output is closed" in p.stderr, (words, p.returncode, p.stderr)
    p = shell("harrier backtest rsi --on small/1d --no-cache --trades closed.csv 2>&-")
    assert p.returncode == 0 and p.stdout.count("\n") > 8
    p = shell("harrier check - <&-")
    assert p.returncode == 2 and "standard input is closed" in p.stderr, (p.returncode, p.stderr)
    p = shell("harrier import - --as closed/1d <&-")
    assert p.returncode != 0 and p.stderr, (p.returncode, p.stderr)


@test
def verify_into_a_full_disk_says_so_once():
    market()
    market("other/1d")
    for words in ("verify", "verify small/1d", "verify --json"):
        p = shell(f"harrier {words} >/dev/full")
        assert p.returncode == 4 and p.stderr.count("No space") == 1, (words, p.returncode, p.stderr)


main()
