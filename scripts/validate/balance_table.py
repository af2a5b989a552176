#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does balancing output channels over PEs gain on real masks? Runs `lacuna gemm` on every .smtx file below a folder
(for example the Deep Learning Matrix Collection: rows are output channels, columns k) with each way of dealing channels,
and prints a Markdown table against the ideal dual-sparse count: products with both operands non-zero / MACs of the chip.

    scripts/validate/balance_table.py DLMC_FOLDER --csv balance.csv --markdown balance.md

M, the rows of the activations, is the number of output pixels of the layer at batch 1 where the name is one of
ResNet-50's groups (3136, 784, 196, 49; 12544 for the first convolution, 1 for the classifier), else --m.
"engine" columns count only cycles in passes (mean over cores): what balancing can change; the other columns have loads,
stores and an uneven split over cores in them. Activations are drawn at one density for all k, so that `activation` would
deal like `greedy`; captured activations are what it is for (`lacuna run --set engine.balance=activation`).
"""

import argparse
import csv
import json
import math
import pathlib
import re
import subprocess
import sys

COLUMNS = ("group", "layer", "m", "k", "n", "weight_density", "activation_density", "ideal_cycles", "balance", "cycles",
           "efficiency", "engine_cycles", "engine_efficiency", "imbalance_share", "energy_j")


def pixels(name, default):
    if name.startswith("initial_conv"):
        return 12544
    if name.startswith("final_dense"):
        return 1
    group = re.search(r"group(\d)", name)
    return {1: 3136, 2: 784, 3: 196, 4: 49}[int(group.group(1))] if group else default


def gemm(arguments, path, m):
    command = [str(arguments.lacuna), "gemm", str(arguments.chip), "--weights", str(path), "--acts",
               f"density={arguments.density},seed={arguments.seed}", "--m", str(m), "--balance",
               ",".join(arguments.balance), "--format", "json", *arguments.extra]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def measure(arguments):
    rows = []
    for path in sorted(arguments.folder.rglob("*.smtx")):
        report = gemm(arguments, path, pixels(path.stem, arguments.m))
        group = path.relative_to(arguments.folder).parts[0]
        for variant in report["variants"]:
            rows.append(dict(zip(COLUMNS, (
                group, path.stem, report["gemm"]["m"], report["gemm"]["k"], report["gemm"]["n"],
                report["gemm"]["weights"]["density"], report["gemm"]["activations"]["density"], report["ideal_cycles"],
                variant["balance"], variant["cycles"], variant["efficiency"], variant["engine_cycles"],
                variant["engine_efficiency"], variant["imbalance_share"], variant["energy_j"]))))
    return rows


def markdown(arguments, rows):
    names = arguments.balance
    lines = ["| layer | M x K x N | weights non-zero | ideal | "
             + " | ".join(f"cycles {name}" for name in names) + " | "
             + " | ".join(f"engine of ideal {name}" for name in names) + " | "
             + " | ".join(f"imbalance {name}" for name in names) + " | engine gain |",
             "|---|---|---|---|" + "---|" * (3 * len(names) + 1)]
    groups = {}
    for at in range(0, len(rows), len(names)):
        variants = rows[at:at + len(names)]
        first, last = variants[0], variants[-1]
        gain = first["engine_cycles"] / last["engine_cycles"]
        groups.setdefault(first["group"], []).append(variants)
        lines.append(
            f"| {first['layer']} | {first['m']} x {first['k']} x {first['n']} | {first['weight_density']:.1%} "
            f"| {first['ideal_cycles']:.0f} | " + " | ".join(f"{v['cycles']:.0f}" for v in variants) + " | "
            + " | ".join(f"{v['engine_efficiency']:.1%}" for v in variants) + " | "
            + " | ".join(f"{v['imbalance_share']:.1%}" for v in variants) + f" | {gain:.3f}x |")
    lines.append("")
    lines.append("| set | layers | " + " | ".join(f"engine of ideal {name}" for name in names)
                 + f" | engine cycles {names[0]} / {names[-1]}: geometric mean, least, most |")
    lines.append("|---|---|" + "---|" * (len(names) + 1))
    sets = list(groups.items())
    if len(sets) > 1:
        sets.append(("all", [variants for group in groups.values() for variants in group]))
    for name, layers in sets:
        gains = [variants[0]["engine_cycles"] / variants[-1]["engine_cycles"] for variants in layers]
        means = [geometric_mean([variants[i]["engine_efficiency"] for variants in layers]) for i in range(len(names))]
        lines.append(f"| {name} | {len(layers)} | " + " | ".join(f"{mean:.1%}" for mean in means)
                     + f" | {geometric_mean(gains):.3f}x, {min(gains):.3f}x, {max(gains):.3f}x |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="folder with .smtx files, at any depth")
    parser.add_argument("--lacuna", default="build/bin/lacuna", type=pathlib.Path)
    parser.add_argument("--chip", default="configs/chips/reference.yaml", type=pathlib.Path)
    parser.add_argument("--balance", default="none,greedy", type=lambda text: text.split(","))
    parser.add_argument("--density", default=0.5, type=float, help="of the activations [0.5]")
    parser.add_argument("--seed", default=2, type=int, help="of the activations [2]")
    parser.add_argument("--m", default=196, type=int, help="rows of the activations of other layers [196]")
    parser.add_argument("--csv", type=pathlib.Path, help="also write all figures here")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table here, not to stdout")
    parser.add_argument("extra", nargs="*", help="further arguments of `lacuna gemm`, after --")
    arguments = parser.parse_args()

    rows = measure(arguments)
    if not rows:
        sys.exit(f"no .smtx file below {arguments.folder}")
    if arguments.csv:
        with arguments.csv.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    text = markdown(arguments, rows)
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
