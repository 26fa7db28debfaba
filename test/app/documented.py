#!/usr/bin/env python3
"""doc/json.md names every field that --json prints, and no other.

    python3 test/app/documented.py            compares
    python3 test/app/documented.py --write    writes its table anew from what the program prints"""
import json, os, pathlib, re, sys

from program import HOME, main, ok, put, run, test

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "doc" / "json.md"
NAMED_BY_USERS = {"parameters", "medians", "options"}  # objects whose keys a rule, a metric or an option names


def paths(value, metrics, before="", inside=None):
    """Every field of an answer, as `results[].symbol`."""
    if isinstance(value, list):
        for item in value:
            yield from paths(item, metrics, before + "[]")
    elif not isinstance(value, dict):
        yield before
    elif inside in NAMED_BY_USERS:
        yield before + ".…"
    else:
        for key, item in value.items():
            yield from paths(item, metrics, f"{before}.{key}".lstrip(".") if key not in metrics else f"{before}.METRICS".lstrip("."), key)


def answers():
    """(command, its answers): each in every shape that has fields of its own"""
    def told(*args, data=None):
        p = run(*args, "--json", **({"data": data} if data else {}))
        assert p.returncode in (0, 1), (args, p.stderr)
        return json.loads(p.stdout)

    rows = "time,open,high,low,close,volume\n2024-01-01,1,2,1,2,1\n2024-01-02,1,0,1,2,1\n2024-01-03,1,2,1,2,1\n"
    put("a.csv", rows)
    market = "seen/1d"
    yield "sample", [told("sample", "--market", market, "--symbols", "4", "--bars", "600")]
    yield "import", [told("import", os.path.join(HOME, "a.csv"), "--as", "mine/1d")]
    yield "import --undo", [told("import", "--undo", "--as", "mine/1d")]
    yield "symbols", [told("symbols"), told("symbols", market)]
    yield "bars", [told("bars", market, "S001", "--with", "rsi(close, 14)")]
    yield "resample", [told("resample", market, "--to", "1w")]
    yield "indicators", [told("indicators")]
    yield "metrics", [told("metrics")]
    yield "check", [told("check", "rsi", "--on", market)]
    whole = told("backtest", "rsi", "--on", market)
    told("sample", "--market", "short/1d", "--symbols", "1", "--bars", "5")
    path = next(pathlib.Path(HOME, "store", market).glob("S002.*"))
    with open(path, "r+b") as f:
        f.write(b"rot")
    yield "backtest", [whole, told("backtest", "rsi", "--on", market), told("backtest", "rsi", "--on", "short/1d")]
    yield "sweep", [told("sweep", "rsi", "--on", market, "--grid", "period=5..9")]
    yield "runs", [told("runs")]
    yield "run show", [told("run", "show", "1")]
    yield "run compare", [told("run", "compare", "1", "2")]
    yield "run rm", [told("run", "rm", "2")]
    yield "backup", [told("backup", os.path.join(HOME, "copy"))]
    yield "verify", [told("verify")]
    yield "config show", [told("config", "show")]
    yield "config check", [told("config", "check")]


def table():
    metrics = {m["name"] for m in json.loads(ok("metrics", "--json"))["metrics"]}
    lines = ["| command | fields |", "|---|---|"]
    for command, told in answers():
        fields = list(dict.fromkeys(p for answer in told for p in paths(answer, metrics)))
        lines.append(f"| `{command}` | {' '.join(f'`{f}`' for f in fields)} |")
    return "\n".join(lines)


def documented():
    return re.search(r"^\| command \|.*?(?=\n\n)", DOCUMENT.read_text(), re.M | re.S)


if "--write" in sys.argv:
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(text.replace(documented()[0], table()))
    sys.exit(0)


@test
def every_field_of_json_is_documented_and_no_other():
    for there, printed in zip(documented()[0].split("\n"), table().split("\n"), strict=True):
        assert there == printed, f"\n  doc/json.md says {there}\n  it prints       {printed}\n  python3 {__file__} --write mends it"


main()
