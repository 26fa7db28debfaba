#!/usr/bin/env python3
"""What a person sees on a terminal, through one of a given width.

    python3 test/app/looks.py [WORDS]     only the tests whose names hold WORDS"""
import fcntl, os, pty, re, select, struct, subprocess, termios

from program import HARRIER, STORE, main, market, ok, run, test


def seen(columns, *args, code=0):
    """Standard output and standard error of a call on a terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    p = subprocess.Popen([HARRIER, *args, "--data", STORE], stdout=slave, stderr=slave, env=env)
    out = b""
    while p.poll() is None or select.select([master], [], [], 0.1)[0]:
        if select.select([master], [], [], 0.1)[0]:
            out += os.read(master, 65536)
    os.close(slave), os.close(master)
    assert p.returncode == code, (p.returncode, out)
    return out.decode()


def plain(text):
    return re.sub(r"\033\[[0-9;]*[A-Za-z]", "", text).replace("\r\n", "\n")


def table(text):
    """The head and rows of a ranking."""
    lines = plain(text).split("\n")
    first = next(i for i, l in enumerate(lines) if l.split()[:2] == ["#", "symbol"])
    return lines[first:lines.index("", first)]


@test
def a_table_is_cut_to_the_terminal():
    m = market("wide/1d", 30, 400)
    whole = table(seen(160, "backtest", "rsi", "--on", m))
    assert len(whole[0]) > 80 and "equity" in whole[0], whole[0]
    for columns in (60, 80, 100):
        rows = table(seen(columns, "backtest", "rsi", "--on", m))
        assert max(map(len, rows)) <= columns and len(rows) == len(whole), (columns, rows)
        assert "return %" in rows[0], rows[0]
    assert len(table(seen(60, "backtest", "rsi", "--on", m))[0]) < len(whole[0])


@test
def a_row_ends_with_a_line_of_its_equity():
    rows = table(seen(160, "backtest", "rsi", "--on", market("wide/1d", 30, 400), "--top", "5"))[1:]
    curves = [r.split()[-1] for r in rows if r.split()[0].isdigit()]
    assert len(curves) == 5 and all(set(c) <= set("▁▂▃▄▅▆▇█") and len(c) == 10 for c in curves), curves
    assert "▁" not in ok("backtest", "rsi", "--on", "wide/1d", "--csv")


@test
def long_work_shows_how_far_it_is_and_clears_it():
    m = market("long/1m", 1, 200000)
    text = seen(100, "sweep", "rsi", "--on", m, "--grid", "period=2..40", "--grid", "oversold=10..45:1", "--grid", "overbought=55..75:1")
    lines = re.findall(r"\r( *\d+ %  [\d,]+ of [\d,]+ combinations, [\d,]+/s, \d+ s left) ", text)
    assert lines, text[:500]
    shares = [int(l.split()[0]) for l in lines]
    assert shares == sorted(shares) and shares[-1] <= 100, shares
    assert text.index("\r\033[K") > text.index(lines[-1]), "the line was not cleared"
    assert "s left" not in text.split("\r\033[K")[-1]


def words(text):
    """What a text says: without its line breaks, its widths and what a clock said."""
    return re.sub(r"[\d.]+ (m?s|billion)\b", "a while", " ".join(plain(text).replace(" \\\n", " ").split()))


def below(text):
    """What stands below the table."""
    head = re.search(r"^ *#  ", text, re.M)
    return text[text.index("\n\n", head.start()):] if head else text


@test
def lines_are_broken_between_words():
    m = market("wide/1d", 30, 400)
    backtest = ["backtest", "rsi", "--on", m, "--fill", "close", "--set", "period=12", "--set", "oversold=25", "--set", "overbought=71"]
    for args in (backtest, ["sweep", "rsi", "--on", m, "--grid", "period=5..9", "--fill", "close"], ["backtest", "--help"],
                 ["--help"], ["import", "--help"], ["verify"]):
        whole = ok(*args)
        if args[0] == "backtest":
            whole = ok(*args)   # answered from the kept run, as the others will be
        assert args == ["verify"] or max(map(len, whole.split("\n"))) > 80, args
        for columns in (60, 80, 100):
            text = plain(seen(columns, *args))
            assert max(map(len, text.split("\n"))) <= columns, (columns, [l for l in text.split("\n") if len(l) > columns])
            assert words(below(text)) == words(below(whole)), (columns, args, below(text), below(whole))


@test
def a_proposed_command_on_two_lines_is_still_one_for_a_shell():
    m = market("wide/1d", 30, 400)
    text = plain(seen(60, "sweep", "rsi", "--on", m, "--grid", "period=5..9", "--fill", "close", "--from", "2020-03-01"))
    proposed = text[text.index("next: ") + 6:].strip()
    assert "\n" in proposed, proposed
    split = subprocess.run(["sh", "-c", "harrier() { printf '%s\\n' \"$@\"; }\n" + proposed], capture_output=True, text=True).stdout
    assert split.split()[:5] == ["backtest", "rsi", "--on", m, "--from"] and "2020-03-01" in split, split


@test
def a_sentence_on_standard_error_is_broken_between_words():
    text = plain(seen(60, "backtest", "nosuchrule", "--on", "wide/1d", code=2))
    assert text.count("\n") > 1 and max(map(len, text.split("\n"))) <= 60, text
    assert words(text) == words(run("backtest", "nosuchrule", "--on", "wide/1d").stderr)


@test
def what_programs_read_is_not_broken_on_a_terminal():
    m = market("wide/1d", 30, 400)
    assert max(map(len, plain(seen(60, "backtest", "rsi", "--on", m, "--csv")).split("\n"))) > 400
    assert len(plain(seen(60, "metrics", "--json")).strip().split("\n")) == len(ok("metrics", "--json").strip().split("\n"))
    assert plain(seen(60, "check", "supertrend", "--source")) == ok("check", "supertrend", "--source")


main()
