# SPDX-License-Identifier: Apache-2.0
"""Activation gates: per layer a threshold t, calibrated on perturbed training images with the integer
network.

Layers in falling order of the products they feed; for each the largest threshold of a few is taken with
which the loss over CALIBRATION_IMAGES training images stays under a budget that grows evenly to
(1 + LOSS_SHARE) x the loss without gates + LOSS_EXTRA, and the accuracy does not fall by more than
ACCURACY_LOSS. Then all training images must agree that the accuracy falls by no more than ACCURACY_LOSS; if
not, the search is repeated with half and a quarter of the budget, and at last every threshold is lowered in
steps of 5 %.
"""
import numpy as np

import reference

CALIBRATION_IMAGES = 384
FRACTIONS = (0.7, 0.5, 0.35, 0.2, 0.1)       # of the non-zero activations
LOSS_SHARE, LOSS_EXTRA = 0.2, 0.02
BUDGETS = (1.0, 0.5, 0.25)
ACCURACY_LOSS = 0.01
DESCRIPTION = (f"per-layer threshold calibrated on {CALIBRATION_IMAGES} perturbed training images, accuracy"
               f" loss on all of them at most {ACCURACY_LOSS}")


def loss_of(codes, scale, labels):
    """Mean cross entropy of the dequantized logits."""
    logits = codes.reshape(codes.shape[0], -1) * scale
    logits = logits - logits.max(axis=1, keepdims=True)
    chosen = logits[np.arange(len(labels)), labels]
    return float((np.log(np.exp(logits).sum(axis=1)) - chosen).mean())


def candidates(codes):
    """Thresholds, largest first."""
    magnitudes = np.abs(codes[codes != 0])
    if not magnitudes.size:
        return []
    return sorted({int(np.quantile(magnitudes, f)) for f in FRACTIONS} - {0}, reverse=True)


class Calibration:
    """The integer network, the images and the labels that judge thresholds."""

    def __init__(self, quantizer, workload, tensors, codes, labels):
        self.workload, self.tensors, self.labels = workload, tensors, labels
        self.name, self.result = workload["inputs"][0]["name"], workload["result"]["layer"]
        self.every, self.some = {self.name: codes}, {self.name: codes[:CALIBRATION_IMAGES]}
        self.scale = quantizer.scale[self.result]
        self.outputs = {layer["name"]: layer["output"] for layer in workload["layers"]
                        if layer["name"] in quantizer.gated}
        self.set({name: 0 for name in self.outputs})
        self.plain = self.run(self.some)
        self.base_loss, self.base_accuracy = self.judged(self.plain)
        self.wanted = self.accuracy_of_all() - ACCURACY_LOSS

    def set(self, gates):
        for name, threshold in gates.items():
            self.outputs[name]["gate"] = threshold

    def run(self, inputs, known=None):
        return reference.run(self.workload, self.tensors, inputs, known)

    def judged(self, env):
        labels = self.labels[:CALIBRATION_IMAGES]
        return loss_of(env[self.result], self.scale, labels), reference.accuracy(self.workload, env, labels)

    def accuracy_of_all(self):
        return reference.accuracy(self.workload, self.run(self.every), self.labels)

    def order(self):
        """Gated layers, those whose zeros the most products depend on first; equal ones as executed."""
        one = {name: codes[:1] for name, codes in self.plain.items()}
        products = dict.fromkeys(self.outputs, 0)
        for layer in self.workload["layers"]:
            if layer["op"] in reference.ENGINE_OPS:
                count = reference.engine_work(layer, one, self.tensors)["macs_dense"]
                for source in (layer["input"], layer.get("right")):
                    if source in products:
                        products[source] += count
        return sorted(products, key=lambda name: -products[name])

    def search(self, extra):
        """Thresholds, layer by layer, with the loss at most `extra` above that without gates."""
        gates, env = dict.fromkeys(self.outputs, 0), self.plain
        self.set(gates)
        for i, name in enumerate(self.order()):
            budget = self.base_loss + extra * (i + 1) / len(gates)
            for threshold in candidates(env[name]):
                self.set({name: threshold})
                trial = self.run(self.some)
                loss, accuracy = self.judged(trial)
                if loss <= budget and accuracy >= self.base_accuracy - ACCURACY_LOSS:
                    gates[name], env = threshold, trial
                    break
            self.set(gates)
        return gates


def calibrate(quantizer, workload, tensors, codes, labels):
    """Sets `gate` of every layer in quantizer.gated and returns the thresholds."""
    judge = Calibration(quantizer, workload, tensors, codes, labels)
    for share in BUDGETS:
        gates = judge.search(share * (LOSS_SHARE * judge.base_loss + LOSS_EXTRA))
        judge.set(gates)
        if judge.accuracy_of_all() >= judge.wanted:
            return gates
    for percent in range(95, -1, -5):
        lower = {name: threshold * percent // 100 for name, threshold in gates.items()}
        judge.set(lower)
        if judge.accuracy_of_all() >= judge.wanted:
            break
    return lower
