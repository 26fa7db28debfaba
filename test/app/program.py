"""How the tests of the program call it: a directory of their own, calls, and what they must say.

$HARRIER names the program (default build/harrier).  Needs nothing but Python."""
import os, shutil, subprocess, sys, tempfile

HARRIER = os.path.abspath(os.environ.get("HARRIER", "build/harrier"))
HOME = tempfile.mkdtemp(prefix="harrier-commands-")
STORE = os.path.join(HOME, "store")
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def run(*args, data=STORE, stdin=None, env=None, cwd=HOME, data_flag=True):
    full = {k: v for k, v in os.environ.items() if not k.startswith("HARRIER_")}
    full.update({"XDG_CONFIG_HOME": os.path.join(HOME, "config"), **(env or {})})
    words = [HARRIER, *args] + (["--data", data] if data_flag else [])
    return subprocess.run(words, capture_output=True, text=True, input=stdin, env=full, cwd=cwd, timeout=120)


def ok(*args, **more):
    p = run(*args, **more)
    assert p.returncode == 0, f"harrier {' '.join(args)}: exit {p.returncode}: {p.stderr[:500]}"
    return p.stdout


def refused(code, words, *args, **more):
    """exit code, words that the sentence on standard error holds, call"""
    p = run(*args, **more)
    text = p.stderr
    assert p.returncode == code, f"harrier {' '.join(args)}: exit {p.returncode}, expected {code}: {text[:400]}"
    for w in words.split("|"):
        assert w in text, f"harrier {' '.join(args)}: `{w}` is not in: {text[:400]}"
    assert not p.stdout.strip() or code == 1, f"a failure printed results: {p.stdout[:200]}"


def put(name, text, mode="w"):
    path = os.path.join(HOME, name)
    with open(path, mode) as f:
        f.write(text)
    return path


def market(name="small/1d", symbols=7, bars=400):
    ok("sample", "--market", name, "--symbols", str(symbols), "--bars", str(bars))
    return name


def main():
    words = sys.argv[1] if len(sys.argv) > 1 else ""
    passed = failed = skipped = 0
    for t in TESTS:
        if words not in t.__name__:
            continue
        try:
            why = t()
            if why:
                skipped += 1
                print(f"skipped {t.__name__}: {why}")
            else:
                passed += 1
        except Exception as e:
            failed += 1
            print(f"FAILED  {t.__name__}: {type(e).__name__}: {str(e)[:1500]}")
    shutil.rmtree(HOME, ignore_errors=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)
