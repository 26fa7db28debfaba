#!/usr/bin/env python3
"""Every command answers SIGINT within 100 ms, and says what it did until then.

    python3 test/app/stopping.py [WORDS]     only the tests whose names hold WORDS"""
import json, os, re, signal, subprocess, time

from program import HARRIER, HOME, STORE, main, market, ok, put, run, test

ANSWER_S = 0.25   # 0.1 is promised; a busy machine needs some of its own
ATTEMPTS = 4      # and may be busy once


def stopped(*args, after=0.3, stdin=None):
    """The answer to SIGINT `after` seconds, where one of ATTEMPTS is fast enough."""
    for attempt in range(ATTEMPTS):
        p = subprocess.Popen([HARRIER, *args, "--data", STORE], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(after)
        assert p.poll() is None or p.returncode == 0, (p.returncode, p.stderr.read())
        finished = p.poll() is not None
        asked = time.monotonic()
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=60)
        seconds = time.monotonic() - asked
        assert not finished, f"harrier {' '.join(args)}: done in {after} s, nothing was stopped"
        if seconds < ANSWER_S:
            return p.returncode, out, err
    raise AssertionError(f"harrier {' '.join(args)}: answered after {seconds:.2f} s, exit {p.returncode}")


def large():
    return market("large/1m", 1, 3000000)


def many():
    return market("many/1h", 400, 20000)


def answers(*args, **more):
    code, out, err = stopped(*args, **more)
    assert code == 130 and "interrupted" in err, (args, code, err)
    return out


@test
def a_proof_is_stopped():
    answers("check", "rsi", "--on", large())


@test
def a_command_whose_reader_is_gone_ends_quietly():
    m = large()
    surface = os.path.join(HOME, "whole.csv")
    for words in (("sweep", "rsi", "--on", m, "--grid", "period=5..34", "--grid", "oversold=10..45"), ("check", "rsi", "--on", m), ("bars", m, "S001", "--csv", "--with", "linearreg(close, 500)"), ("bars", m, "S001", "--json")):
        for attempt in range(ATTEMPTS):
            p = subprocess.Popen([HARRIER, *words, "--data", STORE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(0.1)
            assert p.poll() is None, words
            p.stdout.close()
            gone = time.monotonic()
            err = p.stderr.read()
            code, seconds = p.wait(timeout=60), time.monotonic() - gone
            assert code == 0 and err == "", (words, code, err)
            if seconds < ANSWER_S:
                break
        else:
            raise AssertionError(f"harrier {' '.join(words)}: went on for {seconds:.2f} s")
    p = subprocess.Popen([HARRIER, "sweep", "rsi", "--on", m, "--grid", "period=5..24", "--surface", surface, "--data", STORE], stdout=subprocess.PIPE)
    p.stdout.close()  # the file was asked for, and is whole
    assert p.wait(timeout=60) == 0 and open(surface).read().count("\n") == 21


@test
def bars_are_stopped():
    m = large()
    answers("bars", m, "S001", "--csv", after=0.2)
    answers("bars", m, "S001", "--json", after=0.2)
    answers("bars", m, "S001", "--csv", "--with", "linearreg(close, 500)", "--with", "cci(300)", "--with", "aroon(200)", after=0.1)


@test
def verify_is_stopped():
    many()
    answers("verify", after=0.03)
    answers("verify", "many/1h", after=0.03)


@test
def an_import_from_a_silent_pipe_is_stopped():
    for begun in ("", "time,open,high,low,close,volume\n2024-01-01,1,2,1,2,5\n"):
        read, write = os.pipe()
        os.write(write, begun.encode())
        answers("import", "-", "--as", "pipe/1d", "--symbol", "A", stdin=read)
        os.close(read), os.close(write)
        assert run("symbols", "pipe/1d").returncode == 3, "something was stored"


@test
def a_rule_from_a_silent_pipe_is_stopped():
    read, write = os.pipe()
    answers("check", "-", stdin=read)
    os.close(read), os.close(write)


@test
def resampling_one_symbol_is_stopped():
    code, out, err = stopped("resample", large(), "--to", "3m", after=0.03)
    assert code in (0, 130), (code, err)   # what is being stored is stored whole
    ok("verify", "large/1m")


@test
def a_backtest_ranks_what_was_done_and_keeps_it_for_no_question():
    m, ask = many(), ["backtest", "rsi", "--on", "many/1h", "--jobs", "1"]
    def done(*more):
        for after in (0.05, 0.08, 0.12, 0.2, 0.3):   # between the first group of symbols and the last
            code, out, err = stopped(*ask, *more, after=after)
            if code == 130 and "before the first" not in err:
                return out, err
        raise AssertionError((code, err))
    out, err = done("--json", "--no-cache")
    j = json.loads(out)
    s = j["summary"]
    assert s["symbols"] == 400 and s["successful"] == len(j["results"]) < 400 and s["failed"] == 0 and s["market_return"] is None, s
    assert s["interrupted"] == 400 - s["successful"] and "not kept" in err, (s, err)
    assert all(r["final_equity"] > 0 for r in j["results"])
    out, err = done()
    number = re.search(r"(\d+) of 400 symbols were done and are kept as run (\d+)", err)
    assert number and f"; interrupted, {400 - int(number[1])} symbols were not reached" in out, (err, out)
    kept = json.loads(ok("run", "show", number[2], "--json"))
    assert len(kept["results"]) == int(number[1]) and kept["summary"]["interrupted"] == 400 - int(number[1])
    again = json.loads(ok(*ask, "--json"))
    assert not again["summary"]["cached"] and again["summary"]["successful"] == 400 and again["summary"]["interrupted"] == 0


@test
def a_sweep_says_what_it_is_the_best_of():
    m = large()
    code, out, err = stopped("sweep", "rsi", "--on", m, after=0.15)   # less than a wave
    assert code == 130 and "before the first combinations" in err and not out, (err, out)
    m = market("long/1m", 1, 200000)
    ask = ["sweep", "rsi", "--on", m, "--grid", "period=2..50", "--grid", "oversold=10..45:1", "--grid", "overbought=55..90:1"]
    for after in (0.5, 1, 2, 4):   # until a wave was done
        code, out, err = stopped(*ask, "--json", after=after)
        s = json.loads(out)["summary"]
        if s["evaluated"]:
            break
    assert code == 130 and s["interrupted"] and 0 < s["evaluated"] < s["combinations"], (err, s)
    assert f"the best of {s['evaluated']} combinations" in err, err


main()
