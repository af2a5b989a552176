#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does each kind of skipping buy? Runs every trace below a folder with dense, weight-only, activation-only
and dual skipping and prints a Markdown table: cycles per sample (of the whole run, cold start included), speed-up over
dense of the same trace, energy per sample, accuracy of the samples run.

    scripts/validate/skip_table.py --chip configs/chips/reference.yaml traces -- --batch 16
"""

import argparse
import json
import pathlib
import subprocess
import sys

MODES = ("dense", "weights", "activations", "dual")


def run(lacuna, chip, workload, mode, extra):
    command = [str(lacuna), "run", str(chip), str(workload), "--skip", mode, "--format", "json", *extra]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lacuna", default="build/bin/lacuna", type=pathlib.Path)
    parser.add_argument("--chip", default="configs/chips/reference.yaml", type=pathlib.Path)
    parser.add_argument("traces", type=pathlib.Path, help="folder with */workload.yaml")
    parser.add_argument("extra", nargs="*", help="further arguments of `lacuna run`, after --")
    arguments = parser.parse_args()

    workloads = sorted(arguments.traces.glob("*/workload.yaml"))
    if not workloads:
        sys.exit(f"no */workload.yaml below {arguments.traces}")
    print("| trace | weights zero | engine inputs zero | accuracy | dense | weights | activations | dual "
          "| energy dense | energy dual |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for workload in workloads:
        reports = {mode: run(arguments.lacuna, arguments.chip, workload, mode, arguments.extra) for mode in MODES}
        cycles = {mode: reports[mode]["latency"]["total_cycles"] / reports[mode]["workload"]["samples"] for mode in MODES}
        energy = {mode: reports[mode]["energy"]["per_sample_j"] for mode in MODES}
        dual = reports["dual"]
        speedup = {mode: f"{cycles[mode]:.0f} ({cycles['dense'] / cycles[mode]:.2f}x)" for mode in MODES}
        print(f"| {workload.parent.name} | {dual['sparsity']['weights']:.1%} | {dual['sparsity']['activations']:.1%} "
              f"| {dual['accuracy']['correct']}/{dual['accuracy']['samples']} | {cycles['dense']:.0f} "
              f"| {speedup['weights']} | {speedup['activations']} | {speedup['dual']} "
              f"| {energy['dense'] * 1e6:.2f} uJ | {energy['dual'] * 1e6:.2f} uJ |", flush=True)


if __name__ == "__main__":
    main()
