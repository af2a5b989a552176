#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does each kind of skipping buy? Runs every variant of both digits networks (scripts/trace/make_traces.py) with
dense, weight-only, activation-only and dual skipping, on the whole chip and on one core of it, and writes a page with
cycles, energy and accuracy side by side.

    scripts/validate/skip_table.py --work build/traces --out docs/validation/skipping.md

Traces that are not in the work folder are made first (all 24: about 10 minutes on one core of a quiet machine).
Other traces: --traces FOLDER. Exit status 1 if a run does not reproduce the reference outputs bit for bit.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODES = ("dense", "weights", "activations", "dual")
ONE_CORE = ["--set", "chip.cores=1", "--set", "chip.cores_per_port=1"]
# What one core is for: the whole chip hides skipping behind work that does not skip.
CHIPS = (("The whole chip", []), ("One core", ONE_CORE))
CORRECT = "accuracy_int8"

HEAD = """\
# Dense, weight-only, activation-only and dual skipping

Made by `{command}`; do not edit. Chip `{chip}`, {samples} captured images in batches of {batch}, engine model, memory system
included; every output of every layer equalled the reference bit for bit in all {runs} runs (skipping must not change what is
computed). Cycles and energy are per image over the whole run, cold start included. [traces](../guide/traces.md) says how the
networks were trained and pruned.

Accuracies are over the 450 test images (one is 0.22 %): `float` before pruning and after it, `INT8` integer-only with gated
activations, which is what the chip computes. "Ideal" is dense MACs over those with both operands non-zero.

"""

NOTES = """\
## How to read it

- Both networks are tiny (7 and 1.6 million MACs). On the whole chip of 2048 MACs an image takes some hundred cycles, and softmax, norms,
  sums, loads and the start of passes, none of which skips, take a large share: hence the second table, one core with its own
  port, where the engine is what is waited for.
- Weight-only skipping fetches and stores compressed weights, so it also saves DRAM and SRAM energy; activation-only
  skipping saves MACs, but fetches all weights.
- The engine issues, per way and cycle, one k to all PEs of the way: with few non-zeros left per k and PE, dual skipping approaches the
  rate of the scan and of the issue, not the ideal.
- "zero inputs" are the zeros as they enter the engine, convolution padding included; the traces' own figure (`activation_sparsity`) leaves padding out.
- N:M and bank-balanced masks have equal rows by construction, unstructured ones do not: at equal sparsity compare the dual
  columns of `bank-90` and `unstructured-90`, and their accuracy.
"""


def run(lacuna, chip, workload, mode, extra):
    command = [str(lacuna), "run", str(chip), str(workload), "--skip", mode, "--format", "json", *extra]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def provenance(workload):
    with open(workload, encoding="utf-8") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["provenance"]


def make_traces(work):
    """All variants below `work`; returns their workload files in the order of the networks."""
    maker = [sys.executable, "-B", str(ROOT / "scripts" / "trace" / "make_traces.py")]
    names = subprocess.run([*maker, "--list"], capture_output=True, text=True, check=True).stdout.split()
    missing = [name for name in names if not (work / name / "workload.yaml").exists()]
    if missing:
        print(f"making {len(missing)} of {len(names)} traces in {work}", file=sys.stderr)
        if subprocess.run([*maker, "--out", str(work), "--only", *missing], stdout=subprocess.DEVNULL,
                          check=False).returncode != 0:
            sys.exit("the traces could not be made")
    return [work / name / "workload.yaml" for name in names]


def number(value):
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def table(title, lacuna, chip, workloads, extra):
    lines = [f"## {title}", "",
             "| trace | zero weights | zero inputs | float | pruned | INT8 | dense | weights | activations | dual | ideal "
             "| energy dense | weights | activations | dual |", "|" + "---|" * 15]
    for workload in workloads:
        reports = {mode: run(lacuna, chip, workload, mode, extra) for mode in MODES}
        cycles = {mode: r["latency"]["total_cycles"] / r["workload"]["samples"] for mode, r in reports.items()}
        energy = {mode: r["energy"]["per_sample_j"] * 1e6 for mode, r in reports.items()}
        dual, known = reports["dual"], provenance(workload)
        ideal = dual["macs"]["dense"] / max(1, dual["macs"]["effective"])
        cells = [workload.parent.name, f"{dual['sparsity']['weights']:.1%}", f"{dual['sparsity']['activations']:.1%}",
                 *(number(known.get(k, "")) for k in ("accuracy_float_dense", "accuracy_float_pruned", CORRECT)),
                 f"{cycles['dense']:.0f}",
                 *(f"{cycles[mode]:.0f} ({cycles['dense'] / cycles[mode]:.2f}x)" for mode in MODES[1:]),
                 f"{ideal:.1f}x", *(f"{energy[mode]:.2f}" for mode in MODES)]
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n\nEnergy in uJ per image.\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lacuna", default=ROOT / "build/bin/lacuna", type=pathlib.Path)
    parser.add_argument("--chip", default="configs/chips/reference.yaml")
    parser.add_argument("--traces", type=pathlib.Path, help="a folder with */workload.yaml in place of the 24 variants")
    parser.add_argument("--work", default=pathlib.Path("build/traces"), type=pathlib.Path,
                        help="where the 24 variants are, or are made [build/traces]")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--out", type=pathlib.Path, help="the page; without it, standard output")
    arguments = parser.parse_args()

    workloads = sorted(arguments.traces.glob("*/workload.yaml")) if arguments.traces else make_traces(arguments.work)
    if not workloads:
        sys.exit(f"no */workload.yaml below {arguments.traces}")
    chip = ROOT / arguments.chip if not os.path.exists(arguments.chip) else arguments.chip
    batch = ["--batch", str(arguments.batch)]
    tables = [table(title, arguments.lacuna, chip, workloads, batch + extra) for title, extra in CHIPS]
    page = HEAD.format(command="scripts/validate/skip_table.py", chip=arguments.chip, batch=arguments.batch,
                       samples=provenance(workloads[0]).get("images", "all"),
                       runs=len(workloads) * len(CHIPS) * len(MODES)) + "\n".join(tables) + "\n" + NOTES
    if arguments.out is None:
        print(page, end="")
        return
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    partial = arguments.out.with_suffix(".partial")
    partial.write_text(page, encoding="utf-8")
    os.replace(partial, arguments.out)


if __name__ == "__main__":
    main()
