#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far is the mapper's choice from the best of an exhaustive search? Runs `lacuna describe CHIP --mapping WORKLOAD
--simulate` (every candidate of a coarse grid, each layer by itself) on layers of the shipped traces, ResNet-50, MobileNetV2,
BERT and ViT, and prints a Markdown table: predicted and simulated cycles of the choice, the best simulated, and their
ratio.

    scripts/validate/mapper_quality.py --only digits,resnet-50
    scripts/validate/mapper_quality.py --save results.json      # and later: --load results.json
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys

CNN = "conv1,conv2,conv3,conv4,conv5,logits"
TRANSFORMER = "embed,block0_query,block0_scores,block0_attend,block0_project,block0_expand,block0_reduce,logits"
RESNET = ("fc,layer4.1.conv1,layer4.1.conv3,layer3.1.conv3,layer3.1.conv1,layer2.1.conv3,layer2.1.conv1,layer4.1.conv2,"
          "layer3.1.conv2,layer4.2.conv3,layer3.0.downsample")
MOBILENET = "classifier,block6.expand,block8.project,block11.expand,block13.project,block15.expand,block16.expand"
BERT = "block0.scores,block0.attend,block0.query,block0.expand,block0.reduce,answer"
SETS = (
    ("digits-cnn-unstructured-90", "traces/digits-cnn-unstructured-90/workload.yaml", CNN, ()),
    ("digits-cnn-nm-2-4", "traces/digits-cnn-nm-2-4/workload.yaml", CNN, ()),
    ("digits-transformer-unstructured-90", "traces/digits-transformer-unstructured-90/workload.yaml", TRANSFORMER, ()),
    ("digits-transformer-nm-2-4", "traces/digits-transformer-nm-2-4/workload.yaml", TRANSFORMER, ()),
    ("resnet-50", "configs/workloads/resnet-50.yaml", RESNET, ()),
    ("mobilenet-v2", "configs/workloads/mobilenet-v2.yaml", MOBILENET, ()),
    ("alexnet", "configs/workloads/alexnet.yaml", "fc8,conv5", ()),
    ("bert-base, 64 tokens", "configs/workloads/bert-base.yaml", BERT, ("--param", "sequence=64")),
    ("vit-b-16", "configs/workloads/vit-b-16.yaml", "head,block2.scores", ()),
)


def study(arguments, name, workload, layers, extra):
    rows = []
    for layer in layers.split(","):
        command = [str(arguments.lacuna), "describe", str(arguments.chip), "--mapping", workload, "--layers", layer,
                   "--simulate", "--threads", str(arguments.threads), "--format", "json", *extra]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
        found = json.loads(done.stdout)["layers"][0]
        chosen = found["candidates"][0]
        rows.append({"set": name, "layer": layer, "m": found["m"], "k": found["k"], "n": found["n"],
                     "products": found["products"], "weights": found["weight_density"],
                     "activations": found["activation_density"], "simulated": found["simulated"]["candidates"],
                     "predicted": chosen["predicted"]["cycles"], "chosen": found["simulated"]["chosen"],
                     "best": found["simulated"]["best"], "bound": chosen["predicted"]["bound"]})
        print(f"{name} {layer}: {rows[-1]['chosen'] / rows[-1]['best']:.3f}", file=sys.stderr, flush=True)
    return rows


def mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def table(rows):
    print("| network | layer | M x K x N | non-zero weights, activations | candidates | bound | predicted | chosen | best "
          "| chosen / best |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        products = f" x {row['products']}" if row["products"] > 1 else ""
        print(f"| {row['set']} | {row['layer']} | {row['m']} x {row['k']} x {row['n']}{products} "
              f"| {row['weights']:.1%}, {row['activations']:.1%} | {row['simulated']} | {row['bound']} "
              f"| {row['predicted']:.0f} | {row['chosen']} | {row['best']} | {row['chosen'] / row['best']:.3f} |")
    ratios = [row["chosen"] / row["best"] for row in rows]
    errors = [max(row["predicted"] / row["chosen"], row["chosen"] / row["predicted"]) for row in rows]
    print(f"\n{len(rows)} layers: chosen / best geometric mean {mean(ratios):.3f}, worst {max(ratios):.3f}; "
          f"predicted against simulated within a factor of {mean(errors):.3f} (geometric mean), worst {max(errors):.2f}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lacuna", default="build/bin/lacuna", type=pathlib.Path)
    parser.add_argument("--chip", default="configs/chips/reference.yaml", type=pathlib.Path)
    parser.add_argument("--only", default="", help="sets whose name begins with one of these")
    parser.add_argument("--threads", default=2, type=int)
    parser.add_argument("--save", type=pathlib.Path, help="also write the measurements here")
    parser.add_argument("--load", type=pathlib.Path, help="print the table of saved measurements")
    arguments = parser.parse_args()
    if arguments.load:
        table(json.loads(arguments.load.read_text(encoding="utf-8")))
        return
    rows = []
    wanted = tuple(arguments.only.split(","))
    for name, workload, layers, extra in SETS:
        if not name.startswith(wanted):
            continue
        rows += study(arguments, name, workload, layers, extra)
        if arguments.save:
            arguments.save.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if not rows:
        sys.exit("nothing to measure")
    table(rows)


if __name__ == "__main__":
    main()
