"""Every kernel gives the same bits in every build: compilers x optimisation x instruction sets x lanes x block
sizes.  Builds the test program kernel_hash in fresh directories and compares what it prints.

    python3 test/kernel/same_bits.py [COMPILER:OPTIMISATION …]

Without arguments gcc:0 and clang:3, which are furthest apart; with HARRIER_TORTURE=1 all four.  (gcc:3 is compared
with the references, to the bit, by test_kernels.c.)"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCKS = ["1", "2", "7", "63", "64", "0"]


def build(compiler, optimisation, directory):
    environment = dict(os.environ, CC=compiler)
    for command in (["meson", "setup", directory, f"-Doptimization={optimisation}", "-Ddebug=false"],
                    ["ninja", "-C", directory, "test/kernel/kernel_hash"]):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return pathlib.Path(directory, "test/kernel/kernel_hash")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main():
    every = ["gcc:0", "clang:3", "gcc:3", "clang:0"]
    wanted = sys.argv[1:] or (every if os.environ.get("HARRIER_TORTURE") == "1" else every[:2])
    first, runs, failures = None, 0, set()
    for what in wanted:
        compiler, optimisation = what.split(":")
        if not shutil.which(compiler):
            print(f"# {compiler} is not here: skipped")
            continue
        with tempfile.TemporaryDirectory(prefix="harrier-same-bits-") as directory:
            program = build(compiler, optimisation, directory)
            for line in output(program):
                for block in BLOCKS:
                    hashes = output(program, *line.split(), block)
                    first = first or hashes
                    runs += 1
                    for here, there in zip(hashes, first):
                        if here != there:
                            failures.add(here.split()[0])
                            print(f"not the same: {here.split()[0]} of {compiler} -O{optimisation}, {line} lanes, "
                                  f"blocks of {block}")
    if not runs:
        print("no compiler is here")
        sys.exit(77)
    print(f"# {len(first)} kernels, {runs} runs each")
    print(f"{len(first) - len(failures)} passed, {len(failures)} failed")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
