# SPDX-License-Identifier: Apache-2.0
"""Every trace in traces/: the reference computes the shipped outputs, and provenance is true."""
import os
import unittest

import support
support.need("numpy", "yaml")
import numpy as np
import capture
import prune
import reference as ref

REQUIRED = ("source", "model", "data", "method", "pattern", "target_sparsity", "weight_sparsity",
            "activation_gate", "accuracy_float_dense", "accuracy_int8", "script")


def pruned_weights(workload, tensors):
    """Layer -> non-zero matrix [N, K] of the layers that were pruned."""
    dense = workload["provenance"]["dense_layers"].split(", ")
    return {layer["name"]: (w := tensors[layer["weights"]["tensor"]]).reshape(w.shape[0], -1) != 0
            for layer in workload["layers"] if "weights" in layer and layer["name"] not in dense}


class Shipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folders = sorted(entry.path for entry in os.scandir(support.TRACES) if entry.is_dir())
        cls.traces = {os.path.basename(path): capture.load(path) for path in folders}

    def each(self):
        for name, (workload, tensors) in self.traces.items():
            with self.subTest(trace=name):
                yield name, workload, tensors

    def test_both_networks_are_there(self):
        for network in ("digits-cnn-", "digits-transformer-"):
            self.assertTrue([n for n in self.traces if n.startswith(network)], network)

    def test_provenance_is_complete(self):
        for name, workload, _ in self.each():
            self.assertEqual(workload["schema"], "lacuna-workload-1")
            self.assertEqual(workload["name"], name)
            self.assertEqual([k for k in REQUIRED if k not in workload["provenance"]], [])

    def test_reference_computes_the_shipped_outputs(self):
        for name, workload, tensors in self.each():
            entry = workload["inputs"][0]
            env = ref.run(workload, tensors, {entry["name"]: tensors[entry["tensor"]]})
            compared = 0
            for layer in workload["layers"]:
                if "expect" not in layer:
                    continue
                want = tensors[layer["expect"]]
                self.assertEqual(want.shape, env[layer["name"]].shape)
                self.assertEqual(int((want != env[layer["name"]]).sum()), 0, layer["name"])
                self.assertGreater(len(np.unique(want)), 1, layer["name"])
                compared += 1
            self.assertGreaterEqual(compared, 6)
            labels = tensors[workload["result"]["labels"]]
            self.assertGreaterEqual(len(labels), 64)
            self.assertAlmostEqual(ref.accuracy(workload, env, labels),
                                   workload["provenance"]["accuracy_int8_captured"], places=4)

    def test_a_broken_copy_is_caught(self):
        workload, tensors = next(iter(self.traces.values()))
        broken = {k: v.copy() for k, v in tensors.items()}
        weight = broken[workload["layers"][-1]["weights"]["tensor"]]
        weight[weight > 0] -= 1
        entry = workload["inputs"][0]
        env = ref.run(workload, broken, {entry["name"]: tensors[entry["tensor"]]})
        layer = workload["result"]["layer"]
        self.assertTrue((env[layer] != tensors[workload["result"]["expect"]]).any())

    def test_stated_sparsity_is_that_of_the_tensors(self):
        for name, workload, tensors in self.each():
            weights = pruned_weights(workload, tensors).values()
            zeros, size = sum(int((~w).sum()) for w in weights), sum(w.size for w in weights)
            provenance = workload["provenance"]
            self.assertAlmostEqual(zeros / size, provenance["weight_sparsity"], places=4)
            self.assertGreater(zeros / size, provenance["target_sparsity"] - 0.02)

    def test_patterns_hold_in_the_quantized_weights(self):
        # Quantization turns some small weights into zeros: a unit may hold fewer, never more.
        checked = 0
        for name, workload, tensors in self.each():
            provenance = workload["provenance"]
            if provenance["pattern"] == "n:m":
                unit, count = provenance["m"], provenance["n"]
            elif provenance["pattern"] == "bank-balanced":
                unit = provenance["bank"]
                count = prune.bank_count(unit, provenance["target_sparsity"])
            else:
                continue
            checked += 1
            for layer, nonzero in pruned_weights(workload, tensors).items():
                counts = prune.units_of(nonzero, unit)
                self.assertLessEqual(int(counts.max()), count, layer)
                self.assertGreater(float((counts == count).mean()), 0.75, layer)
        self.assertGreaterEqual(checked, 2)

    def test_a_big_layer_is_there(self):
        shapes = [w.shape for _, workload, tensors in self.each()
                  for w in pruned_weights(workload, tensors).values()]
        self.assertTrue(any(n >= 256 and k >= 1152 for n, k in shapes))

    def test_gates_leave_nothing_small(self):
        for name, workload, tensors in self.each():
            for layer in workload["layers"]:
                gate = layer.get("output", {}).get("gate", 0)
                if gate and "expect" in layer:
                    y = np.abs(tensors[layer["expect"]].astype(np.int64))
                    self.assertFalse(((y > 0) & (y <= gate)).any(), layer["name"])


if __name__ == "__main__":
    support.main()
