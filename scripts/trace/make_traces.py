#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains, prunes, gates, quantizes and captures the traces. docs/guide/traces.md explains; --help lists.

    scripts/trace/make_traces.py --out DIR [--only NAME ...] [--images 64] [--shipped] [--list]

The same packages on the same kind of machine give the same bytes: one thread, fixed seeds.
"""
import os
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import copy
import json
import platform
import sys
import time

import numpy

import capture
import data
import prune
import reference

BANK = 32
SEED = 7
BANK_SPARSITIES = (0.5, 0.7, 0.8, 0.9)
RATIOS = ((2, 4), (1, 4), (1, 8))
# What the repository carries in traces/, and the bytes of expected outputs each may have.
SHIPPED = ("unstructured-90", "bank-80", "nm-2-4")
SHIPPED_EXPECT_BYTES = 768 << 10


def patterns():
    """Variant name -> Pattern."""
    table = {"dense": prune.Pattern("dense")}
    for sparsity in BANK_SPARSITIES:
        table[f"unstructured-{round(sparsity * 100)}"] = prune.Pattern("unstructured", sparsity)
    for sparsity in BANK_SPARSITIES:
        table[f"bank-{round(sparsity * 100)}"] = prune.Pattern("bank-balanced", sparsity, bank=BANK)
    for n, m in RATIOS:
        table[f"nm-{n}-{m}"] = prune.Pattern("n:m", 1.0 - n / m, n=n, m=m)
    return table


NETWORKS = ("digits-cnn", "digits-transformer")


def variants():
    """Trace name -> (network, Pattern)."""
    return {f"{network}-{name}": (network, pattern)
            for network in NETWORKS for name, pattern in patterns().items()}


def steps_to(pattern):
    """Gradual pruning: intermediate patterns, the wanted one last."""
    sparsities = [s for s in (0.5, 0.75) if s < pattern.sparsity - 0.05]
    return [pattern.at(s) for s in sparsities] + [pattern]


class Maker:
    """Holds the data and the dense networks, which every variant starts from."""

    def __init__(self, images, log):
        import torch
        import fast_product
        import models
        import quantize
        import gate
        self.fast_product = fast_product
        self.models, self.quantize, self.gate, self.torch = models, quantize, gate, torch
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        self.data, self.images, self.log, self.dense = data.Digits(), images, log, {}

    def dense_network(self, network):
        """(trained model, test accuracy)."""
        if network not in self.dense:
            self.torch.manual_seed(SEED)
            model = self.models.MODELS[network]()
            self.models.train(model, self.data.train, self.data.train_labels,
                              model.dense_epochs, model.rate, SEED)
            accuracy = self.models.float_accuracy(model, model.codes(self.data.test), self.data.test_labels)
            self.dense[network] = (model, accuracy)
            self.log(f"{network}: trained, float accuracy {accuracy:.4f}")
        return self.dense[network]

    def pruned(self, network, pattern):
        """A copy of the dense network, pruned and fine-tuned, and its masks."""
        model = copy.deepcopy(self.dense_network(network)[0])
        if pattern.kind == "dense":
            return model, {}
        steps = steps_to(pattern)
        for i, step in enumerate(steps):
            masks = prune.masks_of(self.models.prunable(model), step)
            last = i == len(steps) - 1
            self.models.train(model, self.data.train, self.data.train_labels,
                              model.tune_epochs if last else max(1, model.tune_epochs // 3), model.rate,
                              SEED + 1 + i, masks)
        return model, masks

    def make(self, name, directory, budget):
        """Writes one trace; returns its row of the summary."""
        network, pattern = variants()[name]
        model, masks = self.pruned(network, pattern)
        train, test = model.codes(self.data.train), model.codes(self.data.test)
        labels = self.data.test_labels
        float_pruned = self.models.float_accuracy(model, test, labels)
        q, entry = self.quantize.quantize(model, train)
        workload = {"schema": "lacuna-workload-1", "name": name, "tensors": "tensors.safetensors",
                    "provenance": {}, "inputs": [entry], "layers": q.layers, "result": {"layer": "logits"}}
        source = entry["name"]
        with self.fast_product.in_reference():
            ungated = reference.accuracy(workload, reference.run(workload, q.tensors, {source: test}), labels)
            perturbed = model.codes(data.perturbed(self.data.train, numpy.random.default_rng(SEED)))
            gates = self.gate.calibrate(q, workload, q.tensors, perturbed, self.data.train_labels)
        env = reference.run(workload, q.tensors, {source: test})
        accuracy = reference.accuracy(workload, env, labels)
        captured = {key: codes[:self.images] for key, codes in env.items()}

        pruned_sparsity, per_layer, all_sparsity = capture.weight_sparsity(workload, q.tensors, model.dense_layers)
        work = capture.work(workload, captured, q.tensors)
        zeros, size = (sum(w[k] for w in work.values()) for k in ("input_zeros", "input_size"))
        macs, effective = (sum(w[k] for w in work.values()) for k in ("macs_dense", "macs_effective"))
        workload["provenance"] = provenance = {
            "source": "captured", "model": f"{model.title}, about {parameters(model)} weights",
            "data": data.DESCRIPTION, "method": pattern.method(), "pattern": pattern.kind}
        if pattern.bank:
            provenance["bank"] = pattern.bank
        if pattern.m:
            provenance.update(n=pattern.n, m=pattern.m)
        provenance.update({
            "target_sparsity": pattern.sparsity, "weight_sparsity": round(pruned_sparsity, 4),
            "weight_sparsity_all_layers": round(all_sparsity, 4),
            "dense_layers": ", ".join(model.dense_layers),
            "activation_gate": self.gate.DESCRIPTION, "activation_sparsity": round(zeros / size, 4),
            "accuracy_float_dense": round(self.dense_network(network)[1], 4),
            "accuracy_float_pruned": round(float_pruned, 4),
            "accuracy_int8_without_gates": round(ungated, 4), "accuracy_int8": round(accuracy, 4),
            "images": self.images,
            "accuracy_int8_captured": round(reference.accuracy(workload, captured, labels[:self.images]), 4),
            "macs_dense": macs, "macs_effective": effective, "seed": SEED, "split_seed": data.SPLIT_SEED,
            "script": f"scripts/trace/make_traces.py --only {name} --images {self.images}"
                      + (" --shipped" if budget is not None else ""),
            "packages": versions()})
        written = capture.write(os.path.join(directory, name), workload, q.tensors, captured,
                                test[:self.images], labels[:self.images], budget)
        row = {"name": name, "network": network}
        row.update({k: v for k, v in provenance.items() if k not in (
            "source", "model", "data", "method", "dense_layers", "activation_gate", "script", "packages")})
        row.update(gates=gates, weight_sparsity_by_layer={n: round(s, 4) for n, s in per_layer.items()},
                   layers=work, **written)
        return row


def parameters(model):
    return sum(m.weight.numel() for m in model.engine.values())


def versions():
    import sklearn
    import torch
    return (f"python {platform.python_version()}, torch {torch.__version__}, scikit-learn"
            f" {sklearn.__version__}, numpy {numpy.__version__}")


HEADER = ("| trace | target | weight sparsity | activation sparsity | MACs left | float dense | float pruned"
          " | INT8 | INT8 gated |\n|---|---|---|---|---|---|---|---|---|\n")


def table(rows):
    """Markdown; MACs left = both operands non-zero / dense, over the captured images."""
    return HEADER + "".join(
        f"| {r['name']} | {r['target_sparsity']:.3g} | {r['weight_sparsity']:.4f}"
        f" | {r['activation_sparsity']:.4f} | {r['macs_effective'] / r['macs_dense']:.4f}"
        f" | {r['accuracy_float_dense']:.4f} | {r['accuracy_float_pruned']:.4f}"
        f" | {r['accuracy_int8_without_gates']:.4f} | {r['accuracy_int8']:.4f} |\n" for r in rows)


def write_summary(directory, rows):
    """summary.json and table.md over this run and what an earlier one left, in the order of variants()."""
    path = os.path.join(directory, "summary.json")
    known = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            known = {r["name"]: r for r in json.load(file)["traces"]}
    known.update({r["name"]: r for r in rows})
    ordered = [known[n] for n in variants() if n in known]
    for file_name, text in (
            ("summary.json", json.dumps({"schema": "lacuna-traces-1", "traces": ordered}, indent=1) + "\n"),
            ("table.md", table(ordered))):
        partial = os.path.join(directory, file_name + ".partial")
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(partial, os.path.join(directory, file_name))
    return ordered


def arguments(argv):
    parser = argparse.ArgumentParser(
        description="Trains, prunes and captures the traces (docs/guide/traces.md).")
    parser.add_argument("--out", metavar="DIR", help="directory that gets one directory per trace")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="these traces (default: all)")
    parser.add_argument("--images", type=int, default=64, help="captured test images, 1..450 (default 64)")
    parser.add_argument("--shipped", action="store_true",
                        help="the selection of traces/, with a limit on the bytes of expected outputs")
    parser.add_argument("--list", action="store_true", help="print the names of all traces and stop")
    options = parser.parse_args(argv)
    names = list(variants())
    if options.list:
        return options
    if not options.out:
        parser.error("--out DIR is needed (or --list)")
    if not 1 <= options.images <= data.TEST_IMAGES:
        parser.error(f"--images {options.images}: must be 1..{data.TEST_IMAGES}")
    if not options.only:
        options.only = [n for n in names if not options.shipped or n.endswith(SHIPPED)]
    for name in options.only:
        if name not in names:
            parser.error(f"--only {name}: no such trace; --list shows all")
    return options


def main(argv=None):
    options = arguments(argv)
    if options.list:
        print("\n".join(variants()))
        return 0

    def log(text):
        print(text, file=sys.stderr, flush=True)

    os.makedirs(options.out, exist_ok=True)
    begin, rows = time.perf_counter(), []
    maker = Maker(options.images, log)
    for name in options.only:
        start = time.perf_counter()
        row = maker.make(name, options.out, SHIPPED_EXPECT_BYTES if options.shipped else None)
        rows.append(row)
        log(f"{name}: weights {row['weight_sparsity']:.4f} activations {row['activation_sparsity']:.4f}"
            f" float {row['accuracy_float_pruned']:.4f} int8 {row['accuracy_int8']:.4f}"
            f" ({time.perf_counter() - start:.1f} s)")
    print(table(write_summary(options.out, rows)), end="")
    log(f"{len(rows)} traces in {time.perf_counter() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
