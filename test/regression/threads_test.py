#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same bytes out whatever the number of threads: threads_test.py --lacuna PROGRAM.

Runs a captured network and drawn matrix products with 1, 2 and 5 threads; every file of --out and
what is printed must be equal.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNS = {
    "network on the reference chip": ["run", "configs/chips/reference.yaml",
                                      "traces/digits-transformer-bank-80/workload.yaml", "--samples", "3"],
    "network on the tiny chip": ["run", "configs/chips/tiny.yaml",
                                 "traces/digits-cnn-unstructured-90/workload.yaml", "--samples", "2"],
    "product of statistics": ["gemm", "configs/chips/reference.yaml", "--weights",
                              "density=0.3,pattern=bank:32,seed=1", "--acts", "density=0.5,seed=2",
                              "--m", "192", "--n", "512", "--k", "1024"],
}


def outcome(lacuna, arguments, threads):
    """Everything that the run leaves: name of a file, or "stdout", to its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        command = [lacuna, *arguments, "--threads", str(threads), "--format", "json"]
        if arguments[0] == "run":
            command += ["--out", str(out)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr.decode()}")
        files = {path.name: path.read_bytes() for path in sorted(out.glob("*"))} if out.exists() else {}
        return {"stdout": done.stdout, **files}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lacuna", required=True)
    arguments = parser.parse_args()
    failures = []
    for name, run in RUNS.items():
        one = outcome(arguments.lacuna, run, 1)
        if run[0] == "run" and len(one) < 5:
            failures.append(f"{name}: only {sorted(one)} written")
        for threads in (2, 5):
            many = outcome(arguments.lacuna, run, threads)
            if one.keys() != many.keys():
                failures.append(f"{name}: files {sorted(one)} with 1 thread, {sorted(many)} with {threads}")
            failures += [f"{name}: {file} differs between 1 and {threads} threads"
                         for file in one.keys() & many.keys() if one[file] != many[file]]
    print("\n".join(failures) or "equal")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
