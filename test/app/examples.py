#!/usr/bin/env python3
"""The examples of the README, the quick start and the migrating guide, run as they are written.

    python3 test/app/examples.py

Shell lines (indented, or fenced as sh) run in a scratch directory with $HARRIER (default
build/harrier) first in PATH, the demo's two markets, and a folder my-bars/ of CSV.  A rule is
written to the file that the words before it name, or checked as it stands; SQL is asked of the
results that the runs before left.  Each must end with 0 and say something."""
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HARRIER = pathlib.Path(os.environ.get("HARRIER", ROOT / "build" / "harrier")).resolve()
GUIDES = ("README.md", "doc/quick-start.md", "doc/migrating.md")
EXAMPLES_MIN = 20  # a change of the extraction or of the guides must not leave nothing to run
counts = {"passed": 0, "failed": 0, "skipped": 0}


def blocks(text):
    """(kind, text, the words before) of every piece of code; kind: sh, rule, sql, or another fence's"""
    lines, begin, seen = text.splitlines() + [""], None, []
    fence = None
    for index, line in enumerate(lines):
        if line.startswith("```"):
            if fence is None:
                fence, begin = line[3:].strip(), index + 1
            else:
                code = "\n".join(lines[begin:index])
                rule = re.match(r"(param|buy|\w+ *=) ?", code)
                yield fence or ("rule" if rule else "text"), code, "\n".join(seen)
                fence = begin = None
        elif fence is None and line.startswith("    "):
            begin = index if begin is None else begin
        elif fence is None:
            if begin is not None:
                code = "\n".join(part[4:] for part in lines[begin:index])
                yield "rule" if code.startswith("param") else "sh", code, "\n".join(seen)
                begin = None
            seen.append(line)


def count(result, what, why=""):
    counts[result] += 1
    if result != "passed":
        print(f"  {result.upper()}  {what}{': ' + why if why else ''}", flush=True)


def shell(guide, line, scratch, env):
    words = line.split("#")[0].strip()
    if words.startswith("./run"):
        return count("skipped", f"{guide}: {words}", "it may install packages; the demo's markets are made here")
    done = subprocess.run(["sh", "-ec", line], cwd=scratch, env=env, capture_output=True, text=True, timeout=300)
    made = re.search(r"> *(\S+)$", words)
    silent = not done.stdout.strip() and not words.startswith("export")
    if made:
        silent = not (scratch / made[1]).read_text().strip()
    count("failed" if done.returncode or silent else "passed", f"{guide}: {words}",
          f"exit {done.returncode}: {(done.stderr or 'prints nothing')[-600:]}")


def prepare(scratch):
    """The directory of a reader who has run the demo, and has bars of their own."""
    (scratch / "bin").mkdir()
    (scratch / "bin" / "harrier").symlink_to(HARRIER)
    env = {k: v for k, v in os.environ.items() if not k.startswith("HARRIER_")}
    env.update(PATH=f"{scratch / 'bin'}:{env['PATH']}", HARRIER_DATA=str(scratch / "data"),
               XDG_CONFIG_HOME=str(scratch / "config"))

    def harrier(*words):
        return subprocess.run(["harrier", *words], env=env, cwd=scratch, check=True, capture_output=True, text=True).stdout

    harrier("sample", "--market", "sample/1d", "--symbols", "211", "--bars", "1828")
    harrier("sample", "--market", "sample/1m", "--symbols", "1", "--bars", "100000")
    (scratch / "my-bars").mkdir()
    for name in ("S001", "S002", "S003"):
        (scratch / "my-bars" / f"{name}.csv").write_text(harrier("bars", "sample/1d", name, "--csv"))
    return env


def sql(guide, statement, database):
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            rows = connection.execute(statement).fetchall()
        count("passed" if rows else "failed", f"{guide}: {statement}", "" if rows else "no rows")
    except sqlite3.Error as error:
        count("failed", f"{guide}: {statement}", str(error))


def inline(text):
    """Calls within the words and tables, but those with a placeholder for what only a reader has."""
    for line in re.findall(r"`(harrier [a-z][^`]*)`", text):
        line = line.replace("MARKET", "sample/1d")
        if " --" in line and not re.search(r"…|\bRULE\b|\bN\b|\.\.\.", line):
            yield line


def run_guide(guide, scratch, env):
    text = (ROOT / guide).read_text()
    found = list(blocks(text))
    for kind, code, before in found:  # a rule may stand below the line that uses it
        named = re.findall(r"`([\w-]+\.rule)`", before)
        if kind == "rule":
            path = scratch / (named[-1] if named else "unnamed.rule")
            path.write_text(code + "\n")
            shell(guide, f"harrier check {path.name}", scratch, env)
    for kind, code, _ in found:
        for line in code.splitlines() if kind == "sh" else ():
            shell(guide, line, scratch, env)
    for line in inline(text):
        shell(guide, line, scratch, env)
    for kind, code, _ in found:
        for statement in code.split(";") if kind == "sql" else ():
            if statement.strip():
                sql(guide, statement.strip(), scratch / "data" / "results.db")


def main():
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="harrier-examples-"))
    try:
        env = prepare(scratch)
        for guide in GUIDES:
            run_guide(guide, scratch, env)
        if sum(counts.values()) < EXAMPLES_MIN:
            count("failed", "the examples", f"only {sum(counts.values())} were found")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return bool(counts["failed"])


if __name__ == "__main__":
    sys.exit(main())
