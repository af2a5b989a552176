#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ResNet-50 with the real masks of a Deep Learning Matrix Collection folder against the same network whose masks are drawn
with the same count of non-zeros in every layer. How far apart are they, and why?

    scripts/validate/resnet50_masks.py --dlmc dlmc/rn50/magnitude_pruning/0.9 --out docs/validation/resnet50_masks.md

Everything is made with `lacuna trace` in a work folder: `import` of the collection's folder (all 54 layers), `generate --match` for the
drawn networks (three seeds, and one with equal banks), `info` for the spread of the non-zeros. Same activations in all.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = (1, 2, 3)
WHY = ("compute", "slot", "imbalance", "bank", "scheduler", "edge", "loading", "dram", "dependency", "output_space",
       "vector", "idle")


class Lab:
    """Runs the program; keeps what it has been asked for."""

    def __init__(self, program, chip, work):
        self.program, self.chip, self.work = program, chip, work

    def call(self, *arguments):
        command = [str(self.program), *map(str, arguments), "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)

    def network(self, name, *arguments):
        """Makes a trace below the work folder."""
        folder = self.work / name
        self.call("trace", *arguments, "--out", folder)
        return folder / "workload.yaml"

    def simulate(self, workload, *settings):
        return self.call("run", self.chip, workload, *(part for s in settings for part in ("--set", s)))


def engine_layers(report):
    return {layer["name"]: layer for layer in report["layers"]
            if layer["unit"] == "engine" and layer["engine"]["passes"] > 0}


def correlation(xs, ys):
    mx, my = statistics.mean(xs), statistics.mean(ys)
    over = sum((x - mx) * (y - my) for x, y in zip(xs, ys))
    return over / (sum((x - mx) ** 2 for x in xs) * sum((y - my) ** 2 for y in ys)) ** 0.5


def stack_shares(report):
    stack = report["cycle_stack"]
    return {name: stack.get(name, 0) / stack["total"] for name in WHY}


def columns_of(report):
    layers = engine_layers(report).values()
    return {"cycles": report["latency"]["total_cycles"],
            "pass_cycles": sum(layer["engine"]["pass_cycles"] for layer in layers),
            "imbalance": sum(layer["engine"]["pe_imbalance"] for layer in layers),
            "cycles_per_mac": round(1000 * sum(layer["engine"]["pass_cycles"] for layer in layers)
                                    / report["macs"]["effective"], 2),
            "broadcasts": sum(layer["engine"]["broadcasts"] for layer in layers),
            "macs": report["macs"]["effective"],
            "dram": report["bandwidth"]["dram"]["read_bytes"] + report["bandwidth"]["dram"]["write_bytes"],
            "energy": report["energy"]["total_j"]}


def shape_of_masks(workload):
    """Layer -> (standard deviation of the non-zeros of an output channel over that of independent draws, share of k
    without any non-zero, the same for independent draws)."""
    sys.path.insert(0, str(ROOT / "scripts" / "trace"))
    import capture
    network, tensors = capture.load(workload.parent)
    result = {}
    for layer in network["layers"]:
        if "weights" not in layer:
            continue
        mask = tensors[layer["weights"]["tensor"]]
        mask = mask.reshape(mask.shape[0], -1) != 0
        n, k = mask.shape
        density = mask.mean()
        result[layer["name"]] = (mask.sum(axis=1).std() / (k * density * (1 - density)) ** 0.5,
                                 (mask.sum(axis=0) == 0).mean(), (1 - density) ** n)
    return result


def own_times(report):
    """Layer -> cycles from the end of all layers before it to its own end."""
    result, before = {}, 0
    for layer in report["layers"]:
        result[layer["name"]] = layer["end_cycle"] - before
        before = max(before, layer["end_cycle"])
    return result


def page(arguments, real, randoms, magnitude, bank, unbalanced, info, masks):
    one, base = columns_of(real), columns_of(randoms[0])
    equal, uneven = columns_of(bank), columns_of(magnitude)
    others = [columns_of(r) for r in randoms]
    ratio = lambda a, b: f"{(a / b - 1) * 100:+.2f} %"
    rows = [("latency, cycles", "cycles"), ("engine, cycles of passes over all cores", "pass_cycles"),
            ("the same for 1000 MACs with both operands non-zero", "cycles_per_mac"),
            ("PE-cycles lost to imbalance of the PEs", "imbalance"), ("positions of k issued to the PEs", "broadcasts"),
            ("MACs with both operands non-zero", "macs"), ("DRAM bytes", "dram")]
    lines = [
        "# ResNet-50: real masks against drawn ones",
        "",
        f"Made by `scripts/validate/resnet50_masks.py --dlmc {'/'.join(arguments.dlmc.resolve().parts[-4:])}`; do not edit. "
        f"Chip `{arguments.chip}`, network `{arguments.workload}`, one image, memory system included. The real masks are those of the "
        "Deep Learning Matrix Collection (Gale et al. 2020), all 54 layers; the drawn networks have the same count of non-zeros in every layer, "
        "at random (`lacuna trace generate --match unstructured`, seeds 1 to 3), uneven over rows and columns as magnitude pruning is "
        "(`--match magnitude`), or equal in each bank of 32 (`--match bank`; 3.2 non-zeros become 3). "
        "Activations are the same drawn ones in all.", "",
        f"Zero weights: {info['weights']['sparsity']:.2%} of {info['weights']['all']:,}.", "",
        "| | real | drawn | real against drawn | seeds apart | magnitude against drawn | equal banks against drawn |",
        "|---|---|---|---|---|---|---|"]
    for title, key in rows:
        spread = (max(o[key] for o in others) - min(o[key] for o in others)) / base[key] if base[key] else 0
        lines.append(f"| {title} | {one[key]:,} | {base[key]:,} | {ratio(one[key], base[key])} | {spread:.2%} "
                     f"| {ratio(uneven[key], base[key])} | {ratio(equal[key], base[key])} |")
    lines.append(f"| energy, mJ | {one['energy'] * 1e3:.3f} | {base['energy'] * 1e3:.3f} | {ratio(one['energy'], base['energy'])} "
                 f"| | {ratio(uneven['energy'], base['energy'])} | {ratio(equal['energy'], base['energy'])} |")

    plain = [columns_of(r)["pass_cycles"] for r in unbalanced]
    lines += ["", "With channels dealt to the PEs in their own order (`engine.balance=none`) in place of by their non-zeros, the engine takes "
              f"{plain[0]:,} cycles with the real masks and {plain[1]:,} with the drawn ones: {ratio(plain[0], plain[1])}."]
    mine, theirs = own_times(real), own_times(randoms[0])
    apart = sorted(mine, key=lambda name: -abs(mine[name] - theirs[name]))[:6]
    lines += ["", "Layers whose share of the latency differs most (cycles, real minus drawn): "
              + ", ".join(f"{name} {mine[name] - theirs[name]:+,}" for name in apart) + "."]
    lines += ["", "## Where the PE-cycles go", "", "| share of all PE-cycles | real | drawn | equal banks |", "|---|---|---|---|"]
    shares = [stack_shares(r) for r in (real, randoms[0], bank)]
    lines += [f"| {name} | {shares[0][name]:.2%} | {shares[1][name]:.2%} | {shares[2][name]:.2%} |" for name in WHY]

    spreads = {layer["name"]: layer["weights"]["spread"] for layer in info["layers"]
               if layer.get("weights", {}).get("spread")}
    pairs = []
    for name, layer in engine_layers(real).items():
        if name in spreads:
            drawn = statistics.mean(engine_layers(r)[name]["engine"]["pass_cycles"] for r in randoms)
            pairs.append((name, layer["engine"]["pass_cycles"], drawn, layer["engine"]["pass_cycles"] / drawn,
                          spreads[name]["deviation"] / spreads[name]["binomial_deviation"], *masks[name]))
    pairs.sort(key=lambda p: -p[3])
    ratios = [p[3] for p in pairs]
    lines += ["", "## By layer", "",
              f"Engine cycles, real over drawn: median {statistics.median(ratios):.3f}, from {min(ratios):.3f} to {max(ratios):.3f} "
              f"over {len(pairs)} layers. Their correlation with how the real mask differs from independent draws:", "",
              "| property of the real mask | median over layers | correlation with the ratio |", "|---|---|---|",
              *(f"| {title} | {statistics.median(p[i] for p in pairs):.3f} | {correlation(ratios, [p[i] for p in pairs]):+.2f} |"
                for title, i in (("non-zeros per 32 consecutive k: deviation over binomial", 4),
                                 ("non-zeros per output channel: deviation over binomial", 5),
                                 ("share of k without any weight", 6))), "",
              "| layer | real | drawn | ratio | per 32 k | per channel | k without weight | drawn |",
              "|---|---|---|---|---|---|---|---|"]
    shown = pairs if len(pairs) <= 16 else pairs[:8] + pairs[-8:]
    lines += [f"| {n} | {r:,} | {d:,.0f} | {q:.3f} | {s:.2f} | {c:.2f} | {e:.1%} | {f:.1%} |"
              for n, r, d, q, s, c, e, f in shown]
    if len(pairs) > 16:
        lines.append("")
        lines.append("The eight layers at each end.")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dlmc", required=True, type=pathlib.Path, help="folder with the 54 .smtx files")
    parser.add_argument("--lacuna", default=ROOT / "build/bin/lacuna", type=pathlib.Path)
    parser.add_argument("--chip", default="configs/chips/reference.yaml")
    parser.add_argument("--workload", default="configs/workloads/resnet-50-uniform.yaml")
    parser.add_argument("--map", default="configs/imports/dlmc-resnet-50.yaml")
    parser.add_argument("--work", default=pathlib.Path("build/resnet50_masks"), type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, help="the page; without it, standard output")
    arguments = parser.parse_args()

    lab = Lab(arguments.lacuna, ROOT / arguments.chip, arguments.work)
    real = lab.network("real", "import", ROOT / arguments.workload, "--weights", arguments.dlmc, "--map",
                       ROOT / arguments.map, "--seed", 1)
    info = lab.call("trace", "info", real)
    drawn = [lab.network(f"drawn{seed}", "generate", real, "--match", "unstructured", "--statistics-only", "--seed", seed)
             for seed in SEEDS]
    magnitude = lab.network("magnitude", "generate", real, "--match", "magnitude", "--statistics-only", "--seed", 1)
    bank = lab.network("bank", "generate", real, "--match", "bank", "--statistics-only", "--seed", 1)
    unbalanced = [lab.simulate(w, "engine.balance=none") for w in (real, drawn[0])]
    text = page(arguments, lab.simulate(real), [lab.simulate(w) for w in drawn], lab.simulate(magnitude),
                lab.simulate(bank), unbalanced, info,
                shape_of_masks(real))
    if arguments.out is None:
        print(text, end="")
        return
    # What people wrote below the figures stays.
    mark, kept = "\n## Why\n", ""
    if arguments.out.exists():
        old = arguments.out.read_text(encoding="utf-8")
        kept = old[old.index(mark):] if mark in old else ""
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    partial = arguments.out.with_suffix(".partial")
    partial.write_text(text + kept, encoding="utf-8")
    os.replace(partial, arguments.out)


if __name__ == "__main__":
    main()
