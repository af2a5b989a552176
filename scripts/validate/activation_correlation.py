#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How are the zeros of real activations correlated, and what would it matter to drawn ones?

    scripts/validate/activation_correlation.py --out docs/validation/activation_correlation.md [--traces traces]

Real: the inputs of the engine layers of captured traces (reference.py computes them). Drawn activations with `spatial` s and
`channel` c are non-zero where sqrt(s) F(position) + sqrt(1 - s) N > threshold(channel): F a field common to all channels,
thresholds with a standard deviation of c. Both are estimated from real masks: c from the spread of the channels' densities,
s from the covariance of pairs of channels at one position. Then networks run with no correlation, each and both.
"""

import argparse
import pathlib
import statistics
import sys

from resnet50_masks import Lab

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "trace"))
import capture
import numpy as np
import reference

NORMAL = statistics.NormalDist()
SEEDS = (1, 101, 201)
NETWORKS = (("resnet-50", "resnet-50.yaml", "correlation={{{}}}", (), "cnn"),
            ("bert-base, 2 blocks, 128 tokens", "bert-base.yaml", "activations={{sparsity: 0.5, {}}}",
             ("layers=2", "sequence=128"), "transformer"))


def correlation_of(masks):
    """masks [samples, positions, channels] -> (zeros, channel, spatial, correlation of F between neighbours), or None."""
    density = masks.mean(axis=(0, 1))
    alive = (density > 0.02) & (density < 0.98)
    if alive.sum() < 8 or masks.shape[1] < 4:
        return None
    p = density[alive]
    z = np.array([NORMAL.inv_cdf(1 - x) for x in p])
    # What counting alone spreads the thresholds by.
    slope = np.array([NORMAL.pdf(x) for x in z])
    noise = (p * (1 - p) / (masks.shape[0] * masks.shape[1]) / slope ** 2).mean()
    channel = max(0.0, z.var() - noise) ** 0.5
    centred = masks[:, :, alive] - p
    total, own = centred.sum(axis=2), (centred ** 2).sum(axis=2)
    pairs = (total ** 2 - own).mean()                     # sum over pairs of the covariance at one position
    shape = slope.sum() ** 2 - (slope ** 2).sum()
    spatial = float(np.clip(pairs / shape, 0, 0.99))
    near = (total[:, 1:] * total[:, :-1]).mean() - (centred[:, 1:] * centred[:, :-1]).sum(axis=2).mean()
    return 1 - masks.mean(), channel, spatial, float(near / pairs) if pairs > 0 else 0.0


def real_layers(folder):
    """(layer, figures) of the engine layers of a trace."""
    workload, tensors = capture.load(folder)
    codes = reference.run(workload, tensors, {e["name"]: tensors[e["tensor"]] for e in workload["inputs"]})
    for layer in workload["layers"]:
        if layer["op"] not in ("conv2d", "linear"):
            continue
        x = codes[layer["input"]]
        figures = correlation_of((x != 0).reshape(len(x), -1, x.shape[-1]))
        if figures is not None:
            yield layer["name"], figures


def run(lab, file, parameter, settings, what, seed):
    parameters = [parameter.format(what), *settings, f"seed={seed}"]
    report = lab.call("run", lab.chip, ROOT / "configs" / "workloads" / file,
                      *(part for p in parameters for part in ("--param", p)))
    passes = sum(layer["engine"]["pass_cycles"] for layer in report["layers"] if layer["unit"] == "engine")
    zeros = report["sparsity"]["activations"]
    return report["latency"]["cycles"], passes, report["energy"]["total_j"], zeros, report["macs"]["effective"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=pathlib.Path, default=ROOT / "traces")
    parser.add_argument("--lacuna", type=pathlib.Path, default=ROOT / "build" / "bin" / "lacuna")
    parser.add_argument("--chip", type=pathlib.Path, default=ROOT / "configs" / "chips" / "reference.yaml")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    lines = ["# Correlated activations", "",
             "Made by `scripts/validate/activation_correlation.py`; do not edit above \"Why\". `spatial` and `channel` are the keys of "
             "[activation statistics](../reference/workload.md).", "",
             "## In real activations", "",
             "Inputs of the engine layers of the shipped traces, as captured (64 images). Neighbours: correlation of the common field "
             "between neighbouring positions (rows of the map, tokens).", "",
             "| trace | layer | zeros | `channel` | `spatial` | neighbours |", "|---|---|---|---|---|---|"]
    found = {}
    for folder in sorted(p for p in arguments.traces.iterdir() if (p / "workload.yaml").exists()):
        for name, (zeros, channel, spatial, near) in real_layers(folder):
            found.setdefault("transformer" if "transformer" in folder.name else "cnn", []).append((channel, spatial))
            near = f"{near:+.2f}" if spatial >= 0.01 else "-"
            lines.append(f"| {folder.name} | {name} | {zeros:.1%} | {channel:.2f} | {spatial:.2f} | {near} |")
    median = {kind: [statistics.median(f[i] for f in figures) for i in (0, 1)] for kind, figures in found.items()}
    lines += ["", "Medians: " + "; ".join(f"{kind}, {len(found[kind])} layers: `channel` {c:.2f}, `spatial` {x:.2f}"
                                          for kind, (c, x) in median.items()) + ".", "",
              "## What it makes of drawn ones", "",
              "On the reference chip, means of three seeds, against independent zeros of the same count: the medians above, and strong "
              "correlation, to see where it would end.", "",
              "| network | correlation | zeros that the engine saw | latency, cycles | cycles of passes | per 1000 effective products | energy |",
              "|---|---|---|---|---|---|---|"]
    lab = Lab(arguments.lacuna, arguments.chip, None)
    for title, file, parameter, settings, like in NETWORKS:
        channel, spatial = median[like]
        measured = f"spatial: {spatial:.2f}, channel: {channel:.2f}"
        kinds = (("none", ""), (f"as measured ({measured})", measured), ("spatial: 0.3", "spatial: 0.3"),
                 ("channel: 0.8", "channel: 0.8"), ("spatial: 0.3, channel: 0.8", "spatial: 0.3, channel: 0.8"))
        base, apart = None, 0
        for kind, what in kinds:
            runs = [run(lab, file, parameter, settings, what, seed) for seed in SEEDS]
            mean = [statistics.mean(column) for column in zip(*runs)]
            per = mean[1] / mean[4] * 1000
            if base is None:
                base, own = mean, per
                apart = [(max(c) - min(c)) / statistics.mean(c) for c in zip(*runs)]
                lines.append(f"| {title} | none (seeds apart) | {mean[3]:.2%} | {mean[0]:,.0f} ({apart[0]:.1%}) | {mean[1]:,.0f} ({apart[1]:.1%}) | "
                             f"{per:.2f} | {mean[2] * 1e3:.3f} mJ |")
                continue
            change = lambda i: f"{(mean[i] / base[i] - 1) * 100:+.2f} %"
            lines.append(f"| | {kind} | {mean[3]:.2%} | {change(0)} | {change(1)} | {(per / own - 1) * 100:+.2f} % | {change(2)} |")
    tail = ""
    if arguments.out.exists():
        old = arguments.out.read_text(encoding="utf-8")
        tail = old[old.index("\n## Why"):] if "\n## Why" in old else ""
    arguments.out.write_text("\n".join(lines) + "\n" + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
