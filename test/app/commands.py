#!/usr/bin/env python3
"""The program as a user meets it: each test is a call of the command line and what it must say.

    python3 test/app/commands.py [WORDS]     only the tests whose names hold WORDS"""
import bz2, csv, glob, gzip, io, json, lzma, os, pty, re, select, shlex, signal, shutil, sqlite3, subprocess, tarfile, time

from program import HARRIER, HOME, STORE, main, market, ok, put, refused, run, test


# ---- help -------------------------------------------------------------------------------------------------

@test
def help_of_every_command_has_examples_and_options():
    listing = ok("--help", data_flag=False)
    commands = [l.split("  ")[1].strip() for l in listing.split("commands:")[1].splitlines() if l.startswith("  ") and l[2].isalpha()]
    assert len(commands) >= 20, commands
    for c in commands:
        text = ok(*c.split(), "--help", data_flag=False)
        assert f"harrier {c}" in text and "options:" in text, c


@test
def help_names_the_built_in_rules_that_there_are():
    for command in ("backtest", "sweep", "check"):
        text = ok(command, "--help", data_flag=False)
        names = re.search(r"built-in rule .*:\n(.*)\.\n", text)[1].split(", ")
        assert "rsi_original" in names and len(names) == 7, names
        for name in names:
            ok("check", name)


@test
def an_unknown_command_suggests_the_nearest():
    refused(2, "bcktest|backtest", "bcktest", data_flag=False)


@test
def an_unknown_option_suggests_the_nearest():
    refused(2, "--cahs|--cash", "backtest", "rsi", "--on", "small/1d", "--cahs", "5")


@test
def a_value_that_is_missing_is_said():
    refused(2, "--cash", "backtest", "rsi", "--on", market(), "--cash")


@test
def completion_is_valid_shell():
    script = put("completion.bash", ok("completion", "bash", data_flag=False))
    subprocess.run(["bash", "-n", script], check=True)
    out = subprocess.run(["bash", "-c", f"source {script}; COMP_WORDS=(harrier backt); COMP_CWORD=1; _harrier; echo ${{COMPREPLY[@]}}"],
                         capture_output=True, text=True, check=True).stdout
    assert out.split() == ["backtest"], out
    refused(2, "bash, zsh and fish", "completion", "tcsh", data_flag=False)


# ---- backtest: what it says ---------------------------------------------------------------------------------

@test
def a_ranking_is_a_table_with_a_summary_and_a_next_step():
    m = market()
    text = ok("backtest", "rsi", "--on", m, "--top", "3", "--no-cache")
    lines = text.splitlines()
    assert lines[0].startswith("rsi (period 14, oversold 30, overbought 70) on small/1d"), lines[0]
    assert "next-open fills, fee 0.1 %, 10,000 each" in lines[1], lines[1]
    assert "4 more: --top 7" in text and "next: harrier backtest rsi" in text and "none failed" in text
    assert "held in equal parts" in text


@test
def the_ranking_is_sorted_as_asked_and_json_csv_and_table_agree():
    m = market()
    j = json.loads(ok("backtest", "rsi", "--on", m, "--sort", "max_drawdown", "--json", "--no-cache"))
    worst = [r["max_drawdown"] for r in j["results"]]
    assert worst == sorted(worst), worst
    c = list(csv.DictReader(io.StringIO(ok("backtest", "rsi", "--on", m, "--sort", "max_drawdown", "--csv", "--no-cache"))))
    assert [r["symbol"] for r in c] == [r["symbol"] for r in j["results"]]
    for a, b in zip(c, j["results"]):
        assert float(a["final_equity"]) == b["final_equity"]
    names = {"final_equity", "total_return", "buy_hold_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "max_drawdown_bars",
             "avg_drawdown", "ulcer", "exposure", "trades", "wins", "win_rate", "best_trade", "worst_trade", "avg_trade", "avg_bars_held", "profit_factor",
             "expectancy", "sqn", "kelly", "fees", "turnover", "alpha", "beta", "equity_peak", "annual_return", "max_drawdown_duration",
             "avg_drawdown_duration", "max_trade_duration", "avg_trade_duration", "var_95", "cvar_95", "open_position", "pending", "refused"}
    assert names <= set(j["results"][0]), names - set(j["results"][0])


@test
def a_sweep_names_only_metrics_that_it_has_computed():
    m = market()
    for rank in ("total_return", "sortino", "ulcer"):
        path = os.path.join(HOME, "computed.csv")
        row = json.loads(ok("sweep", "rsi", "--on", m, "--symbols", "S001", "--grid", "period={5}", "--rank", rank, "--surface", path, "--json"))["best"][0]
        want = json.loads(ok("backtest", "rsi", "--on", m, "--symbols", "S001", "--set", "period=5", "--json", "--no-cache"))["results"][0]
        metrics = {k: v for k, v in row.items() if k not in ("parameters", "symbols")}
        assert all(v == want[k] for k, v in metrics.items()), {k: (v, want[k]) for k, v in metrics.items() if v != want[k]}
        assert ("sortino" in metrics) == (rank != "total_return") and ("ulcer" in metrics) == (rank == "ulcer"), metrics
        surface = list(csv.DictReader(open(path)))[0]
        columns = set(surface) - {"period", "oversold", "overbought", "symbols"}
        assert columns <= set(metrics) and rank in columns and all(float(surface[k] or "nan") == want[k] for k in columns if want[k] is not None)


@test
def the_next_step_of_a_sweep_asks_for_its_best_row():
    m = market()
    for words in (("--grid", "period={5}"), ("--grid", "period=5..5", "--grid", "oversold=10..45:100"), ("--grid", "period=5..9", "--symbols", "S003,*1", "--fee", "0.2%"),
                  ("--grid", "period={5}", "--symbols", "S001", "--set", "overbought=70", "--set", "oversold=25")):
        best = json.loads(ok("sweep", "rsi", "--on", m, *words, "--json"))["best"][0]
        line = [l for l in ok("sweep", "rsi", "--on", m, *words).splitlines() if l.startswith("next: ")][0]
        answer = json.loads(ok(*shlex.split(line)[2:], "--json"))
        assert answer["parameters"] == best["parameters"] and answer["summary"]["symbols"] == best["symbols"], (words, line)
        mean = sum(r["total_return"] for r in answer["results"]) / len(answer["results"])
        assert abs(mean - best["total_return"]) < 1e-9 * (1 + abs(mean)), (words, line)


@test
def one_symbol_is_shown_as_two_columns_in_the_order_people_know():
    text = ok("backtest", "rsi", "--on", market(), "--symbols", "S001", "--no-cache")
    order = ["Start", "End", "Duration", "Exposure Time", "Equity Final", "Return [%]", "Buy & Hold", "Sharpe", "Max. Drawdown", "# Trades", "Win Rate", "SQN", "Kelly"]
    places = [text.index(w) for w in order]
    assert places == sorted(places), places


@test
def trades_and_equity_add_up_to_the_result():
    m = market()
    trades, equity = os.path.join(HOME, "t.csv"), os.path.join(HOME, "e.csv")
    j = json.loads(ok("backtest", "rsi", "--on", m, "--trades", trades, "--equity", equity, "--json"))
    rows, curve = list(csv.DictReader(open(trades))), list(csv.DictReader(open(equity)))
    for r in j["results"]:
        mine = [t for t in rows if t["symbol"] == r["symbol"]]
        assert r["trades"] == sum(t["reason"] != "end" for t in mine)
        line = [float(e["equity"]) for e in curve if e["symbol"] == r["symbol"]]
        assert len(line) == r["bars"] and line[-1] == r["final_equity"]
        profit = sum(float(t["profit"]) for t in mine)
        assert abs(10000 + profit - r["final_equity"]) < 1e-6 * r["final_equity"], (r["symbol"], profit, r["final_equity"])


@test
def the_same_question_is_answered_from_the_kept_run_and_a_changed_one_is_not():
    m = market("cache/1d")
    ask = ["backtest", "rsi", "--on", m, "--json"]
    first, second = json.loads(ok(*ask)), json.loads(ok(*ask))
    assert not first["summary"]["cached"] and second["summary"]["cached"]
    assert first["results"] == second["results"]
    for more in (["--fee", "0.2%"], ["--set", "period=15"], ["--cash", "20000"], ["--from", "2024-06-01"], ["--symbols", "S001"], ["--fill", "close"]):
        assert not json.loads(ok(*ask, *more))["summary"]["cached"], more
    assert json.loads(ok(*ask, "--sort", "sharpe"))["summary"]["cached"]
    bars = ok("bars", m, "S001", "--csv").splitlines()
    put("S001.csv", bars[0] + "\n2031-01-01,10,11,9,10,5\n")
    ok("import", os.path.join(HOME, "S001.csv"), "--as", m)
    assert not json.loads(ok(*ask))["summary"]["cached"], "a new bar must ask the engine"


@test
def a_rule_whose_text_changed_is_asked_anew():
    m = market()
    path = put("mine.rule", "buy when close > sma(close, 10)\nsell when close < sma(close, 10)\n")
    ok("backtest", path, "--on", m)
    put("mine.rule", "buy when close > sma(close, 11)\nsell when close < sma(close, 11)\n")
    assert not json.loads(ok("backtest", path, "--on", m, "--json"))["summary"]["cached"]


@test
def a_rule_may_come_from_standard_input():
    text = ok("check", "-", stdin="buy when close > open\nsell when close < open\n")
    assert "look-back" in text


@test
def sequential_and_parallel_runs_are_the_same_bytes():
    m = market("jobs/1d", 40, 700)
    answers = {json.dumps(json.loads(ok("backtest", "rsi", "--on", m, "--json", "--no-cache", "--jobs", j))["results"]) for j in ("1", "2", "5")}
    assert len(answers) == 1


@test
def every_instruction_set_gives_the_same_bytes():
    m = market("isa/1d", 20, 900)
    path = put("isa.rule", "a = atr(14)\nupper, _, lower = bbands(close, 20)\nbuy when crossunder(close, lower)\nsell when close > upper\nstop 2 * a\ntrail 15%\n")
    answers = {}
    for isa in ("base", "v3", "v4"):
        p = run("backtest", path, "--on", m, "--json", "--no-cache", "--isa", isa)
        if p.returncode and "no instruction set" in p.stderr:
            continue  # of this processor, or of this build
        answers[isa] = json.dumps(json.loads(p.stdout)["results"])
    assert "base" in answers and len(set(answers.values())) == 1, list(answers)


# ---- kept runs ------------------------------------------------------------------------------------------------

@test
def a_misspelt_variable_is_said():
    m = market()
    for words in (("config", "check"), ("config", "show"), ("backtest", "rsi", "--on", m), ("symbols", m)):
        p = run(*words, env={"HARRIER_BACKTEST_FEEE": "1"})
        assert p.returncode == 0 and "HARRIER_BACKTEST_FEEE is no option's; did you mean HARRIER_BACKTEST_FEE?" in p.stderr, (words, p.stderr)
    others = {"HARRIER_SERVICE_HOST": "10.0.0.1", "HARRIER_PORT_7433_TCP": "tcp://10.0.0.1:7433"}
    p = run("symbols", m, env=others | {"HARRIER_SHARED": "x", "HARRIER_TORTURE": "1", "HARRIER_DATA": STORE, "HARRIER_BACKTEST_FEE": "0.2%", "HARRIER_EMPTY": ""})
    assert p.returncode == 0 and not p.stderr, p.stderr
    assert sorted(json.loads(ok("config", "check", "--json", env=others))["unknown_variables"]) == sorted(others)
    text = ok("config", "check", env=others)
    assert all(f"the variable {name} is read by no option" in text for name in others), text


@test
def check_says_that_a_require_refuses_the_parameters():
    rule = put("narrow.rule", "param n = 8 in 2..9\nrequire n > 7\nbuy when close > sma(close, n)\nsell when close < sma(close, n)\n")
    words = "narrow.rule:2: these parameters break `require n > 7`"
    assert "refused" not in ok("check", rule) and json.loads(ok("check", rule, "--json"))["refused"] is None
    assert words in ok("check", rule, "--set", "n=6")
    assert words in json.loads(ok("check", rule, "--set", "n=6", "--json"))["refused"]
    put("narrow.rule", open(rule).read().replace("n = 8", "n = 5"))
    assert words in ok("check", rule) and "refused" not in ok("check", rule, "--set", "n=9")


@test
def what_is_wrong_with_a_configuration_is_said_plainly():
    for text, words in (("{{{{{{", "not a configuration: a name is expected"), ("backtest:\n  jobs: 4\n", ":2: `jobs` stands at the top"), ("cash: 5\n", ":1: `cash` stands under backtest")):
        path = put("wrong.yaml", text)
        refused(2, words, "config", "check", env={"HARRIER_CONFIG": path})
        p = run("config", "check", env={"HARRIER_CONFIG": path})
        assert "Backtrace" not in p.stderr and "in mapping" not in p.stderr and "did you mean" not in p.stderr, p.stderr


@test
def a_directory_in_place_of_kept_runs_is_said():
    data = os.path.join(HOME, "odd")
    os.makedirs(os.path.join(data, "results.db"))
    refused(3, "results.db is a directory", "runs", data=data)


@test
def no_runs_are_an_empty_list_and_no_failure():
    for data in (os.path.join(HOME, "never"), os.path.join(HOME, "emptied")):
        if data.endswith("emptied"):
            ok("sample", "--market", "small/1d", "--symbols", "1", "--bars", "50", data=data)
            ok("backtest", "rsi", "--on", "small/1d", data=data)
            ok("run", "rm", "1", data=data)
        assert ok("runs", data=data) == f"no run is kept in {data}: `harrier backtest` keeps each\n"
        assert json.loads(ok("runs", "--json", data=data)) == {"runs": []}


@test
def kept_runs_are_listed_shown_compared_and_removed():
    m, data = "kept/1d", os.path.join(HOME, "kept-store")
    ok("sample", "--market", m, "--symbols", "3", "--bars", "300", data=data)
    refused(3, "no run is kept", "run", "show", "1", data=data)
    ok("backtest", "rsi", "--on", m, data=data)
    ok("backtest", "rsi", "--on", m, "--set", "period=5", data=data)
    runs = json.loads(ok("runs", "--json", data=data))["runs"]
    assert [r["id"] for r in runs] == [2, 1] and runs[0]["parameters"]["period"] == 5
    shown = json.loads(ok("run", "show", "1", "--json", data=data))
    assert shown["results"] and shown["parameters"]["period"] == 14
    trades = list(csv.DictReader(io.StringIO(ok("run", "show", "1", "--trades-csv", data=data))))
    assert sum(t["reason"] != "end" for t in trades) == sum(r["trades"] for r in shown["results"])
    assert "crossunder" in ok("run", "show", "1", "--source", data=data)
    assert "run 2" in ok("run", "compare", "1", "2", data=data)
    ok("run", "rm", "1", data=data)
    refused(3, "no kept run 1", "run", "show", "1", data=data)
    refused(2, "x", "run", "show", "x", data=data)
    db = sqlite3.connect(os.path.join(data, "results.db"))
    for view in ("crypto_backtest_results", "backtest_executions", "backtest_signals"):
        assert db.execute(f"SELECT count(*) FROM {view}").fetchone()[0] > 0, view
    assert db.execute("SELECT avg(calculation_time_ms) FROM crypto_backtest_results WHERE created_at > datetime('now', '-1 day')").fetchone()[0] > 0
    assert db.execute("SELECT count(*) FROM trade WHERE run = 1").fetchone()[0] == 0


@test
def a_kept_run_is_told_in_the_sentences_of_its_answer():
    m, data = "kept/1d", os.path.join(HOME, "kept-words")
    ok("sample", "--market", m, "--symbols", "3", "--bars", "300", data=data)
    answer = ok("backtest", "rsi", "--on", m, "--fill", "close", "--slippage", "3bps", "--set", "period=5", data=data).splitlines()
    assert answer[0].startswith("rsi (period 5,") and answer[1].startswith("same-close fills, fee 0.1 %, slippage 0.03 %"), answer[:2]
    assert ok("run", "show", "1", data=data).splitlines()[:2] == answer[:2]
    ok("backtest", "rsi", "--on", m, data=data)
    compared = ok("run", "compare", "1", "2", data=data)
    assert answer[0] in compared and answer[1] in compared and "{" not in compared, compared


@test
def a_run_keeps_its_number_and_gives_back_its_trades_and_equity():
    m, data = "kept/1d", os.path.join(HOME, "kept-files")
    ok("sample", "--market", m, "--symbols", "3", "--bars", "300", data=data)
    files = {name: os.path.join(HOME, name) for name in ("t1", "t2", "e1", "e2")}
    fresh = json.loads(ok("backtest", "rsi", "--on", m, "--json", data=data))
    assert fresh["run_id"] is None  # it is kept after it is shown
    assert json.loads(ok("backtest", "rsi", "--on", m, "--json", data=data))["run_id"] == 1
    ok("backtest", "rsi", "--on", m, "--trades", files["t1"], "--equity", files["e1"], "--sort", "sharpe", data=data)
    assert [r["id"] for r in json.loads(ok("runs", "--json", data=data))["runs"]] == [1]
    ok("run", "show", "1", "--trades", files["t2"], "--equity", files["e2"], data=data)
    for a, b in (("t1", "t2"), ("e1", "e2")):
        with open(files[a]) as first, open(files[b]) as second:
            first, second = sorted(first), sorted(second)
        assert len(first) > 1 and first == second, (a, first[:2], second[:2])
    db = sqlite3.connect(os.path.join(data, "results.db"))
    db.execute("DELETE FROM equity")
    db.commit()
    refused(3, "keeps no equity", "run", "show", "1", "--equity", files["e2"], data=data)
    ok("backtest", "rsi", "--on", m, "--equity", files["e1"], data=data)  # adds them
    ok("run", "show", "1", "--equity", files["e2"], data=data)


@test
def results_of_a_newer_harrier_are_left_alone():
    m, data = "kept/1d", os.path.join(HOME, "kept-newer")
    ok("sample", "--market", m, "--symbols", "3", "--bars", "300", data=data)
    ok("backtest", "rsi", "--on", m, data=data)
    db = sqlite3.connect(os.path.join(data, "results.db"))
    db.execute("PRAGMA user_version = 99")
    db.close()
    refused(3, "written by a newer harrier", "runs", data=data)
    p = run("backtest", "rsi", "--on", m, data=data)
    assert p.returncode == 0 and "not kept" in p.stderr and "newer" in p.stderr, p.stderr


@test
def a_year_of_minutes_is_as_long_as_a_year():
    m = "minutes/1m"
    ok("sample", "--market", m, "--symbols", "3", "--bars", "20000")
    assert json.loads(ok("backtest", "rsi", "--on", m, "--json", "--no-cache"))["options"]["year_bars"] == 525600


# ---- bad input ------------------------------------------------------------------------------------------------

@test
def bad_options_are_refused_with_a_sentence():
    m = market()
    for code, words, more in (
        (2, "0.1%|10bps", ["--fee", "0.1"]),
        (2, "fee", ["--fee", "200%"]),
        (2, "cash", ["--cash", "-5"]),
        (2, "cash", ["--cash", "nan"]),
        (2, "cash", ["--cash", "lots"]),
        (2, "jobs", ["--jobs", "0"]),
        (2, "2021-02-30", ["--from", "2021-02-30"]),
        (2, "tomorrow", ["--to", "tomorrow"]),
        (2, "--from", ["--from", "2022-01-01", "--to", "2021-01-01"]),
        (2, "prettiness|harrier metrics", ["--sort", "prettiness"]),
        (2, "sharp|sharpe", ["--sort", "sharp"]),
        (2, "period", ["--set", "period=0"]),
        (2, "period", ["--set", "period=14.5"]),
        (2, "perood|period", ["--set", "perood=5"]),
        (2, "NAME=VALUE", ["--set", "period"]),
        (2, "sideways", ["--fill", "sideways"]),
        (2, "v9", ["--isa", "v9"]),
        (3, "NOSUCH", ["--symbols", "NOSUCH"]),
        (3, "NOSUCH", ["--benchmark", "NOSUCH"]),
    ):
        refused(code, words, "backtest", "rsi", "--on", m, "--no-cache", *more)
    refused(2, "--on", "backtest", "rsi")
    refused(2, "RULE", "backtest", "--on", m)
    refused(2, "7q", "backtest", "rsi", "--on", "small/7q")
    refused(2, "venue", "backtest", "rsi", "--on", "../1d")
    refused(3, "nowhere/1d", "backtest", "rsi", "--on", "nowhere/1d")
    refused(2, "rsii|rsi", "backtest", "rsii", "--on", m)


@test
def bad_rules_are_refused_with_file_line_and_column():
    m = market()
    ask = lambda path: ("backtest", path, "--on", m)
    refused(2, "typo.rule:1:10|rsl|rsi", *ask(put("typo.rule", "buy when rsl(close, 14) < 30\nsell when close > 1\n")))
    refused(2, "two.rule:1|two.rule:2", *ask(put("two.rule", "buy when rsl(close, 14) < 30\nsell when clse > 1\n")))
    refused(2, "future", *ask(put("ahead.rule", "buy when close[-1] > close\nsell when close > 1\n")))
    refused(2, "empty.rule", *ask(put("empty.rule", "")))
    refused(2, "binary.rule", *ask(put("binary.rule", bytes(range(256)) * 40, "wb")))
    refused(2, "large.rule", *ask(put("large.rule", "# " + "x" * 10_000_000 + "\n")))
    refused(2, "directory", *ask(HOME))
    refused(3, "gone.rule", *ask(os.path.join(HOME, "gone.rule")))
    refused(2, "scanners", *ask(put("scan.rule", "select when close > 1\n")))


@test
def a_market_of_short_symbols_is_answered_with_notes():
    m = "short/1d"
    ok("sample", "--market", m, "--symbols", "2", "--bars", "1")
    j = json.loads(ok("backtest", "rsi", "--on", m, "--json", "--no-cache"))
    assert all(r["status"] == "ok" and r["trades"] == 0 and "look-back" in r["note"] for r in j["results"]), j["results"]
    assert all(r["sharpe"] is None and r["win_rate"] is None for r in j["results"])


@test
def nothing_is_left_between_from_and_to():
    j = json.loads(run("backtest", "rsi", "--on", market(), "--from", "2030-01-01", "--json", "--no-cache").stdout)
    assert j["summary"]["failed"] == 7 and all(r["error"] for r in j["results"])


@test
def a_read_only_data_directory_can_be_asked_and_the_answer_says_it_is_not_kept():
    data = os.path.join(HOME, "readonly")
    ok("sample", "--market", "r/1d", "--symbols", "2", "--bars", "200", data=data)
    other = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    if other:
        os.chmod(HOME, 0o755)
    folders = [data] + [f for f, _, _ in os.walk(data)]
    for folder in folders:
        os.chmod(folder, 0o555)
    p = subprocess.run([HARRIER, "backtest", "rsi", "--on", "r/1d", "--data", data], capture_output=True, text=True, cwd="/", env={"HOME": "/", "PATH": os.environ["PATH"]}, **other)
    for folder in folders:
        os.chmod(folder, 0o755)
    assert p.returncode == 0 and "not kept" in p.stderr, p.stderr


@test
def a_full_disk_behind_standard_output_is_an_error():
    with open("/dev/full", "w") as full:
        p = subprocess.run([HARRIER, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert p.returncode in (4, 5) and "cannot write" in p.stderr, (p.returncode, p.stderr)


@test
def two_writers_take_turns():
    m = market("turns/1d", 50, 500)
    jobs = [subprocess.Popen([HARRIER, "sample", "--market", m, "--symbols", "50", "--bars", "500", "--data", STORE], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    assert all(p.wait() == 0 for p in jobs), [p.stderr.read() for p in jobs]


@test
def a_file_cut_in_the_middle_is_one_failed_symbol():
    m = market("torn/1d", 3, 500)
    path = glob.glob(os.path.join(STORE, "torn", "1d", "S002*bars"))[0]
    with open(path, "r+b") as f:
        f.truncate(os.path.getsize(path) // 3)
    p = run("backtest", "rsi", "--on", m, "--json", "--no-cache")
    j = json.loads(p.stdout)
    assert p.returncode == 1 and j["summary"]["failed"] == 1 and j["summary"]["successful"] == 2, p.stdout[:300]
    ask = ("sweep", "rsi", "--on", m, "--grid", "period=5..9")
    p = run(*ask, "--json")
    j = json.loads(p.stdout)
    assert p.returncode == 1 and [f["symbol"] for f in j["failures"]] == ["S002"] and "S002" in j["failures"][0]["error"], p.stdout[:500]
    assert "\nS002 failed: " in run(*ask).stdout
    assert run("verify", m).returncode == 1


@test
def colours_only_on_a_terminal():
    m = market()
    assert "\033[" not in ok("backtest", "rsi", "--on", m)
    master, slave = pty.openpty()
    p = subprocess.Popen([HARRIER, "backtest", "rsi", "--on", m, "--data", STORE], stdout=slave, stderr=slave, env={k: v for k, v in os.environ.items() if k != "NO_COLOR"})
    out = b""
    while p.poll() is None or select.select([master], [], [], 0.1)[0]:
        if select.select([master], [], [], 0.1)[0]:
            out += os.read(master, 65536)
    os.close(slave), os.close(master)
    assert b"\033[3" in out
    assert max(len(l) for l in out.decode().replace("\r", "").splitlines()[:6]) <= 160


@test
def config_is_checked_with_file_and_line():
    good = put("good.yaml", "backtest:\n  cash: 5000\n  fee: 5bps\n")
    text = ok("config", "show", env={"HARRIER_CONFIG": good})
    assert "5000" in text and "good.yaml" in text
    bad = put("bad.yaml", "backtest:\n  cahs: 5000\n")
    refused(2, "bad.yaml|cahs|cash", "config", "check", env={"HARRIER_CONFIG": bad})
    refused(2, "HARRIER_BACKTEST_FEE|0.1%", "config", "check", env={"HARRIER_BACKTEST_FEE": "0.1"})


@test
def sweep_finds_what_backtest_says():
    m = market("grid/1d", 3, 600)
    j = json.loads(ok("sweep", "rsi", "--on", m, "--grid", "period=10..14:2", "--grid", "oversold={25,30}", "--symbols", "S001", "--json"))
    assert j["summary"]["combinations"] == 6 == j["summary"]["evaluated"]
    best = j["best"][0]
    sets = [w for k, v in best["parameters"].items() for w in ("--set", f"{k}={v}")]
    r = json.loads(ok("backtest", "rsi", "--on", m, "--symbols", "S001", *sets, "--json", "--no-cache"))["results"][0]
    assert r["total_return"] == best["total_return"] and r["sharpe"] == best["sharpe"]
    ask = (m, "--symbols", "S00*")
    held = json.loads(ok("backtest", "rsi", "--on", *ask, "--json"))["summary"]["market_return"]
    assert abs(json.loads(ok("sweep", "rsi", "--on", *ask, "--json"))["summary"]["market_return"] / held - 1) < 1e-12
    assert f"the whole market held in equal parts: {held:+,.1f} %" in ok("sweep", "rsi", "--on", *ask)
    refused(2, "perood|period", "sweep", "rsi", "--on", m, "--grid", "perood=1..5")
    refused(2, "period", "sweep", "rsi", "--on", m, "--grid", "period=0..5")


@test
def periods_that_are_too_long_together_are_said_in_the_words_of_the_rule():
    m = market()
    for rule in ("buy when stochrsi(close, 14, 100000, 100000).k > 20\n", "param k = 60000\nbuy when stochrsi(close, 14, k, k).k > 20\n"):
        path = put("long.rule", rule)
        refused(2, "stochrsi|too long together|100000", "check", path)
        assert "highest" not in run("check", path).stderr and "lowest" not in run("check", path).stderr
    path = put("long.rule", "param k = 50\nbuy when stochrsi(close, 14, k, k).k > 20\nsell when close < 1\n")
    p = run("backtest", path, "--on", m, "--set", "k=60000")
    assert p.returncode == 2 and "stochrsi" in p.stderr and "too long together" in p.stderr and "highest" not in p.stderr, p.stderr


@test
def a_column_that_stands_twice_is_refused_and_two_macds_have_names_of_their_own():
    m = market()
    refused(2, "rsi(close, 14)|already", "bars", m, "S001", "--with", "rsi(close, 14)", "--with", "rsi(close, 14)")
    refused(2, "close|already", "bars", m, "S001", "--with", "close")
    text = ok("bars", m, "S001", "--json", "--with", "macd(close)", "--with", "macd(close, 5)")
    bar = json.loads(text, object_pairs_hook=lambda pairs: pairs)[0][1][-1]
    names = [k for k, _ in bar]
    assert len(set(names)) == len(names) == 12 and "macd(close, 5).macdhist" in names, names


@test
def a_rule_that_is_too_long_is_told_its_size():
    refused(2, "10000003|1048576", "check", put("large.rule", "# " + "x" * 10_000_000 + "\n"))
    refused(2, "1048576", "check", "-", stdin="# " + "x" * 2_000_000 + "\n")


@test
def a_grid_is_refused_in_a_short_sentence():
    m = market()
    p = run("sweep", "rsi", "--on", m, "--grid", "period=" + "1" * 300)
    assert p.returncode == 2 and "period" in p.stderr and len(p.stderr) < 250, p.stderr
    refused(4, "65536|larger step", "sweep", "rsi", "--on", m, "--grid", "oversold=1..50:0.0001")
    assert "65,536" in ok("sweep", "--help", data_flag=False)


@test
def a_parameter_is_either_set_or_walked():
    m = market()
    refused(2, "period|--set|--grid", "sweep", "rsi", "--on", m, "--set", "period=5", "--grid", "period=3..9")
    refused(2, "period|twice", "backtest", "rsi", "--on", m, "--set", "period=5", "--set", "period=6")
    j = json.loads(ok("sweep", "rsi", "--on", m, "--set", "period=5", "--json"))
    assert {b["parameters"]["period"] for b in j["best"]} == {5}, "the rule's range was walked over --set"


@test
def a_sweep_says_how_many_combinations_ran():
    m = market()
    text = ok("sweep", "rsi", "--on", m, "--random", "3")
    assert "on small/1d, 3 of 3,136 combinations by chance" in text, text
    assert "on small/1d, 6 combinations, best" in ok("sweep", "rsi", "--on", m, "--grid", "period=5..10")


@test
def top_counts_the_rows_of_every_form_of_answer():
    m = market()
    j = json.loads(ok("backtest", "rsi", "--on", m, "--top", "3", "--json"))
    assert len(j["results"]) == 3 and j["summary"]["symbols"] == 7
    assert len(ok("backtest", "rsi", "--on", m, "--top", "3", "--csv").splitlines()) == 4
    assert len(json.loads(ok("backtest", "rsi", "--on", m, "--json"))["results"]) == 7


@test
def verify_says_what_is_wrong_and_what_stands_after_a_repair():
    m, data = "rot/1d", os.path.join(HOME, "rot-store")
    ok("sample", "--market", m, "--symbols", "4", "--bars", "300", data=data)
    assert ok("verify", data=data).splitlines() == ["rot/1d: 4 symbols, 1,200 bars: all as it was written"]
    path = glob.glob(os.path.join(data, "rot", "1d", "S002*bars"))[0]
    with open(path, "r+b") as f:
        f.truncate(5000)
    p = run("verify", m, data=data)
    assert p.returncode == 1 and p.stdout.splitlines()[-1] == "rot/1d: 4 symbols, 1,200 bars: 1 problem; --repair mends what can be mended", p.stdout
    p = run("verify", m, "--repair", data=data)
    assert p.returncode == 1 and p.stdout.splitlines()[-1] == "rot/1d: 3 symbols, 900 bars: all as it is now written; 300 bars are lost: import them again", p.stdout
    assert ok("verify", m, "--repair", data=data).splitlines() == ["rot/1d: 3 symbols, 900 bars: all as it was written"]
    with open(glob.glob(os.path.join(data, "rot", "1d", "S003*bars"))[0], "r+b") as f:
        f.seek(100), f.write(b"xxxx")
    p = run("verify", m, "--repair", "--json", data=data)
    j = json.loads(p.stdout)["markets"][0]
    assert p.returncode == 0 and (j["symbols"], j["bars"], j["repaired"], j["lost_bars"], len(j["problems"])) == (3, 900, 1, 0, 1), j
    ok("sample", "--market", "well/1d", "--symbols", "1", "--bars", "10", data=data)
    assert [m["market"] for m in json.loads(ok("verify", "--json", data=data))["markets"]] == ["rot/1d", "well/1d"]
    os.remove(os.path.join(data, "rot", "1d", "journal"))
    lines = run("verify", m, "--repair", data=data).stdout.splitlines()
    assert lines[0].startswith("rot/1d: the journal was lost: 3 symbols") and lines[-1] == "rot/1d: 3 symbols, 900 bars: all as it is now written", lines


@test
def resampling_again_completes_its_own_newest_bar_and_leaves_those_of_others():
    header, hour = "time,open,high,low,close,volume\n", "2024-01-{:02}T{:02}:00:00Z,10,{},5,{},1\n"
    def hours(count):
        put("G.csv", header + "".join(hour.format(1 + h // 24, h % 24, 20 + h, 11 + h / 10) for h in range(count)))
        ok("import", os.path.join(HOME, "G.csv"), "--as", "grow/1h")
    hours(30)
    assert "2 new" in ok("resample", "grow/1h", "--to", "1d")
    hours(50)
    again = json.loads(ok("resample", "grow/1h", "--to", "1d", "--json"))
    assert (again["added"], again["replaced"], again["same"], again["contradicted"]) == (1, 1, 1, 0), again
    assert ok("bars", "grow/1d", "G", "--csv").splitlines()[2].startswith("2024-01-02,10,67,5,15.7,24")
    assert json.loads(ok("resample", "grow/1h", "--to", "1d", "--json"))["same"] == 3
    put("G.csv", header + "2024-01-04,10,99,5,11,7\n")
    ok("import", os.path.join(HOME, "G.csv"), "--as", "grow/1d")
    hours(90)
    p = run("resample", "grow/1h", "--to", "1d")
    assert p.returncode == 1 and "--replace" in p.stderr, p.stderr
    assert ok("bars", "grow/1d", "G", "--csv").splitlines()[-1].startswith("2024-01-04,10,99,5,11,7")


@test
def standard_input_may_be_compressed_or_an_archive():
    text = "time,open,high,low,close,volume\n2024-01-01,1,2,1,2,5\n2024-01-02,1,2,1,2,5\n"
    plain = put("P.csv", text)
    archive = os.path.join(HOME, "p.tar")
    with tarfile.open(archive, "w") as t:
        t.add(plain, "P.csv")
    for pack in (lambda b: b, gzip.compress, bz2.compress, lzma.compress):
        for number, path in enumerate((plain, archive)):
            name = os.path.join(HOME, "packed")
            open(name, "wb").write(pack(open(path, "rb").read()))
            for how in ("file", "pipe"):
                data = os.path.join(HOME, "stdin-store")
                shutil.rmtree(data, ignore_errors=True)
                source = open(name, "rb") if how == "file" else subprocess.Popen(["cat", name], stdout=subprocess.PIPE).stdout
                p = subprocess.run([HARRIER, "import", "-", "--as", "in/1d", *([] if number else ["--symbol", "P"]), "--data", data], stdin=source, capture_output=True, text=True)
                assert p.returncode == 0 and "2 bars added to 1 symbol;" in p.stdout, (how, p.stderr, p.stdout)
                assert len(ok("bars", "in/1d", "P", "--csv", data=data).splitlines()) == 3
    packed = open(os.path.join(HOME, "packed"), "rb").read()
    p = subprocess.run([HARRIER, "import", "-", "--as", "in/1d", "--data", data], input=packed[:len(packed) // 2], capture_output=True)
    assert p.returncode == 3 and p.stderr.decode().count("standard input") == 1, p.stderr


@test
def an_import_says_which_files_it_left_out_and_names_a_broken_one_once():
    folder = os.path.join(HOME, "folder")
    os.mkdir(folder)
    for name in ("A.csv", "B.csv"):
        put(os.path.join("folder", name), "time,open,high,low,close,volume\n2024-01-01,1,2,1,2,5\n")
    put("folder/README", "x"), put("folder/x.pdf", "x")
    assert "2 left out, not named like data" in ok("import", folder, "--as", "left/1d")
    assert "3 not picked by --files" in ok("import", folder, "--as", "left/1d", "--files", "A*")
    assert json.loads(ok("import", folder, "--as", "left/1d", "--json"))["files_not_picked"] == 2
    broken = put("broken.csv.gz", gzip.compress(os.urandom(5000))[:1000], "wb")
    p = run("import", broken, "--as", "left/1d")
    assert p.returncode == 3 and all(line.count("broken.csv.gz") == 1 for line in p.stderr.splitlines()), p.stderr


@test
def stopping_an_import_is_answered_at_once_and_nothing_is_half_stored():
    folder, data = os.path.join(HOME, "many"), os.path.join(HOME, "stop-store")
    os.mkdir(folder)
    rows = "time,open,high,low,close,volume\n" + "".join(f"{1990 + d // 336}-{d // 28 % 12 + 1:02}-{d % 28 + 1:02},1{d},2{d},1{d},1{d},5\n" for d in range(3000))
    for i in range(300):
        put(os.path.join("many", f"S{i}.csv"), rows)
    said = 0
    for wait in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3):
        shutil.rmtree(data, ignore_errors=True)
        p = subprocess.Popen([HARRIER, "import", folder, "--as", "stop/1d", "--data", data], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(wait)
        p.send_signal(signal.SIGINT)
        answered = select.select([p.stderr, p.stdout], [], [], 1.0)[0]
        err = p.communicate(timeout=30)[1].decode()
        assert answered and p.returncode in (0, 130, -signal.SIGINT), (wait, p.returncode, err)
        said += "stored whole or not at all" in err
        found = run("symbols", "stop/1d", "--json", data=data)
        if found.returncode == 0:
            assert all(s["bars"] == 3000 for s in json.loads(found.stdout)["symbols"]), wait
            ok("verify", data=data)
    assert said, "no signal came while it was at work"


@test
def wrong_command_lines_say_what_was_expected_and_what_to_do():
    m = market()
    refused(2, "one word too many|--on", "backtest", "rsi", m)
    refused(2, "--json and --csv", "backtest", "rsi", "--on", m, "--json", "--csv")
    refused(2, "NAME=VALUE", "backtest", "rsi", "--on", m, "--set", "=3")
    refused(2, "NAME=VALUE", "backtest", "rsi", "--on", m, "--set", "period=")
    refused(2, "10k|such as", "backtest", "rsi", "--on", m, "--cash", "10k")
    refused(2, "10000|--surface", "sweep", "rsi", "--on", m, "--top", "10001")
    refused(2, "`harrier metrics`", "metrics", "foo")
    assert run("backtest", data_flag=False).stderr.startswith("harrier: backtest needs RULE")


@test
def the_next_step_asks_the_same_question():
    m = market()
    text = ok("backtest", "rsi", "--on", m, "--fill", "close", "--set", "period=9", "--set", "oversold=35", "--fee", "5bps", "--top", "3")
    step = text.splitlines()[-1]
    assert step.startswith("next: harrier backtest rsi --on small/1d --set period=9 --set oversold=35 --fee 5bps --fill close --data "), step
    best = text.splitlines()[4].split()
    words = step.split("     ")[0].split()[2:]
    one = ok(*words, data_flag=False)
    shown = next(l for l in one.splitlines() if l.startswith("Return [%]")).split()[-1]
    assert shown.replace(",", "") == best[2].replace(",", "").lstrip("+"), (shown, best)
    text = ok("sweep", "rsi", "--on", m, "--set", "oversold=35", "--grid", "period=5..9", "--fill", "close")
    assert "--set oversold=35 --fill close" in text.splitlines()[-1] and "--set period=" in text.splitlines()[-1], text


@test
def an_answer_in_json_is_one_document():
    m = market()
    proof = json.loads(ok("check", "rsi", "--on", m, "--json"))["proof"]
    assert proof == {"holds": True, "symbols": 7, "bars": 2800}, proof
    assert ok("check", "rsi", "--on", m, "--source") == ok("check", "rsi", "--source")
    put("U.csv", "time,open,high,low,close,volume\n2024-01-01,1,2,1,2,5\n")
    ok("import", os.path.join(HOME, "U.csv"), "--as", "undo/1d")
    undone = json.loads(ok("import", "--undo", "--as", "undo/1d", "--json"))
    assert (undone["removed"], undone["restored"], undone["changed"]) == (1, 0, 0) and "import" in undone["undone"], undone
    assert json.loads(ok("config", "check", "--json", env={"HARRIER_BACKTEST_FEE": "5bps"}))["not_default"] == 2   # and --json itself


@test
def a_ranking_is_sorted_by_what_is_no_metric_too():
    m = market()
    for field in ("open_position", "refused"):
        rows = [r[field] for r in json.loads(ok("backtest", "rsi", "--on", m, "--sort", field, "--json"))["results"]]
        assert rows == sorted(rows, reverse=True), (field, rows)
    rows = [r["pending"] for r in json.loads(ok("backtest", put("p.rule", "buy when close > open\nsell when close < open\n"), "--on", m, "--sort", "pending", "--json"))["results"]]
    waiting = [r is not None for r in rows]
    assert True in waiting and waiting == sorted(waiting, reverse=True), rows
    refused(2, "--rank|pending|harrier metrics", "sweep", "rsi", "--on", m, "--rank", "pending")


@test
def completions_are_found_by_the_shells_that_load_them():
    assert ok("completion", "zsh", data_flag=False).splitlines()[0] == "#compdef harrier"
    for shell in ("zsh", "fish"):
        if shutil.which(shell):
            subprocess.run([shell, "-n", put("completion." + shell, ok("completion", shell, data_flag=False))], check=True)


@test
def a_backup_is_a_data_directory_that_answers_the_same():
    m, other = market("kept/1d", 5, 300), market("kept/1h", 2, 500)
    data = os.path.join(HOME, "to-keep")
    for name in (m, other):
        ok("sample", "--market", name, "--symbols", "5", "--bars", "300", data=data)
    answer = json.loads(ok("backtest", "rsi", "--on", m, "--json", data=data))
    there = os.path.join(HOME, "backups", "first")
    told = json.loads(ok("backup", there + "/", "--json", data=data))
    assert told["backup"] == there and told["runs"] == 1, told
    assert [(k["market"], k["symbols"], k["bars"], k["problems"]) for k in told["markets"]] == [("kept/1h", 5, 1500, []), ("kept/1d", 5, 1500, [])], told
    assert os.listdir(os.path.dirname(there)) == ["first"]
    again = json.loads(ok("backtest", "rsi", "--on", m, "--json", data=there))
    assert again["summary"]["cached"] and again["results"] == answer["results"]
    assert ok("bars", other, "S003", "--csv", data=there) == ok("bars", other, "S003", "--csv", data=data)
    assert all(not k["problems"] for k in json.loads(ok("verify", "--json", data=there))["markets"])
    os.mkdir(os.path.join(HOME, "empty"))
    ok("backup", os.path.join(HOME, "empty"), data=data)
    ok("backup", "beside", data=data)
    assert os.path.exists(os.path.join(HOME, "beside", "results.db"))


@test
def a_backup_that_cannot_be_made_leaves_nothing():
    m = market("kept/1d", 5, 300)
    there = os.path.join(HOME, "taken")
    os.mkdir(there)
    open(os.path.join(there, "mine"), "w").close()
    before = sorted(os.listdir(HOME))
    refused(4, "taken|not empty", "backup", there)
    refused(4, "mine|no directory", "backup", os.path.join(there, "mine"))
    refused(3, "nothing", "backup", os.path.join(HOME, "new"), data=os.path.join(HOME, "nowhere"))
    refused(2, "DIR", "backup")
    assert sorted(os.listdir(HOME)) == before and os.listdir(there) == ["mine"]
    data = os.path.join(HOME, "damaged")
    ok("sample", "--market", m, "--symbols", "3", "--bars", "300", data=data)
    path = next(os.path.join(data, m, f) for f in os.listdir(os.path.join(data, m)) if f.startswith("S002."))
    with open(path, "r+b") as f:
        f.seek(4096 + 100)
        f.write(b"rot")
    p = run("backup", os.path.join(HOME, "rest"), "--json", data=data)
    told = json.loads(p.stdout)["markets"][0]
    assert p.returncode == 1 and told["symbols"] == 2 and told["problems"][0]["symbol"] == "S002", (p, told)
    with open(os.path.join(data, m, "journal"), "r+b") as f:
        f.seek(4300)
        f.write(b"rot")
    before = sorted(os.listdir(HOME))
    refused(3, m, "backup", os.path.join(HOME, "none"), data=data)
    assert sorted(os.listdir(HOME)) == before


@test
def a_backup_while_an_import_runs_is_the_market_before_or_after_a_commit():
    data = os.path.join(HOME, "busy")
    days = ["2020-%02d-%02d" % (1 + d // 28, 1 + d % 28) for d in range(280)]
    head, rows = "time,open,high,low,close,volume\n", ["%s,1,2,0.5,%s,10\n" % (day, 1 + n % 7 / 8) for n, day in enumerate(days)]
    folder = os.path.join(HOME, "feed")
    os.mkdir(folder)
    def feed(count):
        for i in range(40):
            put("feed/T%02d.csv" % i, head + "".join(rows[:count]))
    feed(100)
    ok("import", folder, "--as", "feed/1d", data=data)
    importing = subprocess.Popen(["sh", "-c", "for n in 120 140 160 180 200 220 240 260 280; do for f in feed/*.csv; do "
                                  "s=${f#feed/}; head -n $((n + 1)) all.csv > $f; done; \"$1\" import feed --as feed/1d --data \"$2\" || exit 1; done",
                                  "sh", HARRIER, data], cwd=HOME, stdout=subprocess.DEVNULL, env=dict(os.environ)) if put("all.csv", head + "".join(rows)) else None
    seen, number = set(), 0
    while importing.poll() is None:
        number += 1
        there = os.path.join(HOME, "busy-%d" % number)
        ok("backup", there, data=data)
        counts = {s["bars"] for s in json.loads(ok("symbols", "feed/1d", "--json", data=there))["symbols"]}
        assert len(counts) == 1, counts
        ok("verify", data=there)
        seen |= counts
        shutil.rmtree(there)
    assert importing.returncode == 0 and number > 1, number
    assert seen <= set(range(100, 281, 20)), seen
    assert {s["bars"] for s in json.loads(ok("symbols", "feed/1d", "--json", data=data))["symbols"]} == {280}


main()
