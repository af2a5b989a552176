#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`mapper.objective: energy` costs less energy: objective_test.py --lacuna PROGRAM.

Runs captured networks both ways. Energy must go down, the outputs must be the captured ones, and time must be the
better objective's as well.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACES = ("digits-cnn-unstructured-90", "digits-transformer-nm-2-4")


def run(lacuna, trace, objective):
    command = [lacuna, "run", "configs/chips/reference.yaml", f"traces/{trace}/workload.yaml", "--samples", "16",
               "--batch", "8", "--set", f"mapper.objective={objective}", "--format", "json", "-q"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
    report = json.loads(done.stdout)
    if report["outputs"]["values"] == 0 or report["outputs"]["mismatches"] != 0:
        sys.exit(f"{trace}, {objective}: {report['outputs']}")
    return report["latency"]["total_cycles"], report["energy"]["total_j"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lacuna", required=True)
    arguments = parser.parse_args()
    failed = False
    for trace in TRACES:
        cycles, joules = run(arguments.lacuna, trace, "time")
        energy_cycles, energy_joules = run(arguments.lacuna, trace, "energy")
        print(f"{trace}: time {cycles} cycles, {joules:.3e} J; energy {energy_cycles} cycles, {energy_joules:.3e} J")
        failed = failed or not (energy_joules < joules and cycles < energy_cycles)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
