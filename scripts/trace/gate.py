# SPDX-License-Identifier: Apache-2.0
"""Activation gates: per layer a threshold t, calibrated on training images with the integer network.

Layers in order of execution; for each the largest threshold of a few is taken with which the loss over
CALIBRATION_IMAGES training images stays under a budget that grows evenly to (1 + LOSS_SHARE) x the loss
without gates + LOSS_EXTRA, and the accuracy does not fall by more than ACCURACY_LOSS. Then all training
images must agree: while their accuracy has fallen by more than ACCURACY_LOSS, every threshold is lowered.
"""
import numpy as np

import reference

CALIBRATION_IMAGES = 256
FRACTIONS = (0.7, 0.5, 0.35, 0.2, 0.1)       # of the non-zero activations
LOSS_SHARE, LOSS_EXTRA = 0.25, 0.02
ACCURACY_LOSS = 0.005
DESCRIPTION = (f"per-layer threshold calibrated on {CALIBRATION_IMAGES} training images, accuracy loss on"
               f" training images at most {ACCURACY_LOSS}")


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


def calibrate(quantizer, workload, tensors, codes, labels):
    """Sets `gate` of every layer in quantizer.gated."""
    result, name = workload["result"]["layer"], workload["inputs"][0]["name"]
    scale, layers = quantizer.scale[result], {layer["name"]: layer for layer in workload["layers"]}
    some, known = {name: codes[:CALIBRATION_IMAGES]}, {}
    some_labels = labels[:CALIBRATION_IMAGES]

    def judged(env):
        return loss_of(env[result], scale, some_labels), reference.accuracy(workload, env, some_labels)

    env = reference.run(workload, tensors, some)
    base_loss, base_accuracy = judged(env)
    extra = LOSS_SHARE * base_loss + LOSS_EXTRA
    todo = set(quantizer.gated)
    for layer in workload["layers"]:
        if layer["name"] not in todo:
            known[layer["name"]] = env[layer["name"]]
            continue
        budget = base_loss + extra * (len(quantizer.gated) - len(todo) + 1) / len(quantizer.gated)
        todo.remove(layer["name"])
        ungated = env[layer["name"]]
        for threshold in candidates(ungated):
            known[layer["name"]] = np.where(np.abs(ungated) <= threshold, 0, ungated)
            trial = reference.run(workload, tensors, some, known)
            loss, accuracy = judged(trial)
            if loss <= budget and accuracy >= base_accuracy - ACCURACY_LOSS:
                layer["output"]["gate"], env = threshold, trial
                break
        known[layer["name"]] = env[layer["name"]]

    every = {name: codes}
    gates = {n: layers[n]["output"]["gate"] for n in quantizer.gated}
    for n in gates:
        layers[n]["output"]["gate"] = 0
    want = reference.accuracy(workload, reference.run(workload, tensors, every), labels) - ACCURACY_LOSS
    while True:
        for n, threshold in gates.items():
            layers[n]["output"]["gate"] = threshold
        if reference.accuracy(workload, reference.run(workload, tensors, every), labels) >= want:
            return gates
        gates = {n: max(0, threshold - 1) for n, threshold in gates.items()}
