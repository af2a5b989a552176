#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figures of the shipped traces on the shipped chips, against those of the last change that meant to
move them: golden_test.py --lacuna PROGRAM [--update].

A difference is no bug by itself: a better mapper moves cycles. Then run scripts/update_goldens, and say
in the commit why the numbers moved.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDENS = pathlib.Path(__file__).resolve().with_name("goldens.json")
CHIPS = ("reference", "tiny")
SAMPLES = 2


def figures(report):
    """What a reader would quote from a report; integers stay exact, joules have nine digits."""
    return {
        "cycles": report["latency"]["total_cycles"],
        "passes": report["verification"]["passes"],
        "macs": report["macs"]["effective"],
        "dram_bytes": report["bandwidth"]["dram"]["read_bytes"] + report["bandwidth"]["dram"]["write_bytes"],
        "sram_bytes": report["bandwidth"]["sram"]["read_bytes"] + report["bandwidth"]["sram"]["write_bytes"],
        "energy_j": float(f"{report['energy']['total_j']:.9g}"),
        "correct": report["accuracy"]["correct"],
        "differing_outputs": report["outputs"]["mismatches"],
    }


def measure(lacuna):
    measured = {}
    for chip in CHIPS:
        for workload in sorted(ROOT.glob("traces/*/workload.yaml")):
            command = [lacuna, "run", f"configs/chips/{chip}.yaml", str(workload.relative_to(ROOT)),
                       "--samples", str(SAMPLES), "--format", "json"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
            measured[f"{chip}/{workload.parent.name}"] = figures(json.loads(done.stdout))
    return measured


def differences(golden, measured):
    for run in sorted(golden.keys() | measured.keys()):
        if run not in measured or run not in golden:
            yield f"{run}: only in {'the goldens' if run in golden else 'this measurement'}"
            continue
        for key in sorted(golden[run].keys() | measured[run].keys()):
            was, now = golden[run].get(key), measured[run].get(key)
            if was != now:
                yield f"{run}: {key}: was {was}, is {now}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lacuna", required=True)
    parser.add_argument("--update", action="store_true", help="take today's figures as the new goldens")
    arguments = parser.parse_args()
    golden = json.loads(GOLDENS.read_text()) if GOLDENS.exists() else {}
    measured = measure(arguments.lacuna)
    moved = list(differences(golden, measured))
    print("\n".join(moved) or f"{len(measured)} runs as in {GOLDENS.name}")
    if arguments.update:
        temporary = GOLDENS.with_suffix(".new")
        temporary.write_text(json.dumps(measured, indent=1) + "\n")
        os.replace(temporary, GOLDENS)
        return 0
    return 1 if moved else 0


if __name__ == "__main__":
    sys.exit(main())
