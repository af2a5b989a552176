#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real masks of a Transformer (a folder of the Deep Learning Matrix Collection) against drawn ones of the same density: how
over-dispersed are they, and what does the engine make of it?

    scripts/validate/transformer_masks.py --dlmc dlmc/transformer/magnitude_pruning/0.9 --out docs/validation/transformer_masks.md

Each .smtx file is a product of its own (`lacuna gemm`): rows are output channels, columns k. Drawn: at random
("unstructured"), uneven over rows and columns as pruning by magnitude with one threshold is ("magnitude"), equal in each
bank of 32 ("bank"); three seeds each.
"""

import argparse
import pathlib
import statistics
import sys

from resnet50_masks import Lab

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = (1, 2, 3)
PATTERNS = ("unstructured", "magnitude", "bank:32")


def read_smtx(path):
    """(rows, columns, list of the column numbers of each row)."""
    lines = path.read_text(encoding="ascii").split("\n")
    rows, columns, _ = (int(word) for word in lines[0].split(","))
    offsets = [int(word) for word in lines[1].split()]
    indices = [int(word) for word in lines[2].split()]
    return rows, columns, [indices[a:b] for a, b in zip(offsets, offsets[1:])]


def dispersion(path):
    """Standard deviations over those of independent draws: non-zeros per 32 columns of a row, per row, per column."""
    rows, columns, lines = read_smtx(path)
    density = sum(map(len, lines)) / (rows * columns)
    banks, per_column = [], [0] * columns
    for line in lines:
        counts = [0] * (columns // 32)
        for column in line:
            per_column[column] += 1
            if column // 32 < len(counts):
                counts[column // 32] += 1
        banks += counts
    drawn = lambda length: (length * density * (1 - density)) ** 0.5
    return (density, statistics.pstdev(banks) / drawn(32), statistics.pstdev(map(len, lines)) / drawn(columns),
            statistics.pstdev(per_column) / drawn(rows), max(banks))


def figures(report, balance):
    variant = next(v for v in report["variants"] if v["balance"] == balance)
    return variant["engine_cycles"]


def measure(lab, arguments, path):
    """Engine cycles with `greedy` and `none`: of the real masks, and pattern -> mean over seeds; largest distance of seeds."""
    rows, columns, lines = read_smtx(path)
    density = sum(map(len, lines)) / (rows * columns)

    def cycles(weights):
        shape = [] if weights.endswith(".smtx") else ["--n", rows, "--k", columns]
        report = lab.call("gemm", lab.chip, "--weights", weights, "--acts", f"density={arguments.density},seed=9",
                          "--m", arguments.m, *shape, "--balance", "greedy,none")
        return [figures(report, balance) for balance in ("greedy", "none")]
    real, drawn, apart = cycles(str(path)), {}, 0
    for pattern in PATTERNS:
        found = [cycles(f"density={density},pattern={pattern},seed={seed}") for seed in SEEDS]
        drawn[pattern] = [statistics.mean(pair) for pair in zip(*found)]
        if pattern == "unstructured":
            greedy = [pair[0] for pair in found]
            apart = (max(greedy) - min(greedy)) / min(greedy)
    return real, drawn, apart


def page(arguments, results):
    ratio = lambda a, b: f"{(a / b - 1) * 100:+.1f} %"
    lines = [
        "# Transformer: real masks against drawn ones", "",
        f"Made by `scripts/validate/transformer_masks.py --dlmc {'/'.join(arguments.dlmc.resolve().parts[-3:])} --m {arguments.m}`; do "
        f"not edit above \"Why\". Chip `{arguments.chip.relative_to(ROOT)}`. Real: the {len(results)} matrices of that folder of the Deep "
        "Learning Matrix Collection (Gale et al. 2020). Each is a product of "
        f"{arguments.m} tokens whose activations are drawn, {1 - arguments.density:.0%} of them zero. Drawn masks have the same density; means of "
        "three seeds. Cycles are those in passes of the engine, mean over the cores of a warm run.", "",
        "## How uneven they are", "",
        "Standard deviation of the non-zeros over that of independent draws:", "",
        "| matrix | n x k | density | per 32 k of a channel | per channel | per k | most in 32 |",
        "|---|---|---|---|---|---|---|"]
    for path, spread, _ in results:
        rows, columns, _ = read_smtx(path)
        lines.append(f"| {path.stem} | {rows} x {columns} | {spread[0]:.2%} | {spread[1]:.2f} | {spread[2]:.2f} | {spread[3]:.2f} | {spread[4]} |")
    lines += ["", "## What the engine makes of it", "",
              "| matrix | real, cycles | unstructured (seeds apart) | magnitude | bank of 32 | real, no balance | unstructured, no balance | magnitude, no balance |",
              "|---|---|---|---|---|---|---|---|"]
    sums = {"real": [0, 0]} | {pattern: [0, 0] for pattern in PATTERNS}
    for path, _, (real, drawn, apart) in results:
        sums["real"] = [a + b for a, b in zip(sums["real"], real)]
        for pattern in PATTERNS:
            sums[pattern] = [a + b for a, b in zip(sums[pattern], drawn[pattern])]
        lines.append(f"| {path.stem} | {real[0]:,.0f} | {ratio(drawn['unstructured'][0], real[0])} ({apart:.1%}) | "
                     f"{ratio(drawn['magnitude'][0], real[0])} | {ratio(drawn['bank:32'][0], real[0])} | {real[1]:,.0f} | "
                     f"{ratio(drawn['unstructured'][1], real[1])} | {ratio(drawn['magnitude'][1], real[1])} |")
    real = sums["real"]
    lines.append(f"| all | {real[0]:,.0f} | {ratio(sums['unstructured'][0], real[0])} | {ratio(sums['magnitude'][0], real[0])} | "
                 f"{ratio(sums['bank:32'][0], real[0])} | {real[1]:,.0f} | {ratio(sums['unstructured'][1], real[1])} | "
                 f"{ratio(sums['magnitude'][1], real[1])} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dlmc", type=pathlib.Path, required=True)
    parser.add_argument("--lacuna", type=pathlib.Path, default=ROOT / "build" / "bin" / "lacuna")
    parser.add_argument("--chip", type=pathlib.Path, default=ROOT / "configs" / "chips" / "reference.yaml")
    parser.add_argument("--m", type=int, default=196)
    parser.add_argument("--density", type=float, default=0.5, help="of the activations")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    files = sorted(arguments.dlmc.rglob("*.smtx"))
    if not files:
        sys.exit(f"{arguments.dlmc}: no .smtx files")
    lab = Lab(arguments.lacuna, arguments.chip, None)
    results = [(path, dispersion(path), measure(lab, arguments, path)) for path in files]
    tail = ""
    if arguments.out.exists():  # what people wrote below stays
        old = arguments.out.read_text(encoding="utf-8")
        tail = old[old.index("\n## Why"):] if "\n## Why" in old else ""
    arguments.out.write_text(page(arguments, results) + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
