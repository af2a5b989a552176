# SPDX-License-Identifier: Apache-2.0
"""The whole way from training to a trace, shortened: same bytes twice, and outputs that are right."""
import contextlib
import io
import json
import os
import tempfile
import unittest

import support
support.need("numpy", "yaml", "torch", "sklearn")
import numpy as np
import torch
import capture
import fast_product
import gate
import make_traces
import models
import reference as ref


class Whole(unittest.TestCase):
    def make(self, folder, *names):
        epochs = {cls: (cls.dense_epochs, cls.tune_epochs) for cls in models.MODELS.values()}
        images = gate.CALIBRATION_IMAGES
        gate.CALIBRATION_IMAGES = 64
        for cls in epochs:
            cls.dense_epochs, cls.tune_epochs = 2, 1
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(make_traces.main(["--out", folder, "--images", "4", "--only", *names]), 0)
        finally:
            gate.CALIBRATION_IMAGES = images
            for cls, (dense, tune) in epochs.items():
                cls.dense_epochs, cls.tune_epochs = dense, tune

    def summary(self, folder):
        with open(os.path.join(folder, "summary.json"), encoding="utf-8") as file:
            return [row["name"] for row in json.load(file)["traces"]]

    def test_same_bytes_twice_and_true_contents(self):
        names = ("digits-cnn-bank-90", "digits-transformer-nm-1-8")
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            self.make(one, *names)
            self.make(two, *reversed(names))
            for name in names:
                for file in ("workload.yaml", "tensors.safetensors"):
                    with open(os.path.join(one, name, file), "rb") as a, \
                         open(os.path.join(two, name, file), "rb") as b:
                        self.assertEqual(a.read(), b.read(), f"{name}/{file}")
                workload, tensors = capture.load(os.path.join(one, name))
                entry = workload["inputs"][0]
                env = ref.run(workload, tensors, {entry["name"]: tensors[entry["tensor"]]})
                for layer in workload["layers"]:
                    self.assertTrue((env[layer["name"]] == tensors[layer["expect"]]).all(), layer["name"])
            self.assertEqual(self.summary(one), list(names))


class FastProduct(unittest.TestCase):
    def test_equals_the_reference_and_falls_back_where_float32_is_not_exact(self):
        rng = np.random.default_rng(3)
        for rows, k, n, top in ((64, 40, 24, 127), (33, 1152, 32, 20), (50, 1152, 16, 127), (3, 8, 8, 127)):
            left = rng.integers(0, 256, size=(2, rows, k))
            right = rng.integers(-top, top + 1, size=(k, n))
            self.assertTrue((fast_product.product(left, right) == ref.product(left, right)).all())

    def test_is_only_used_inside_the_block(self):
        plain = ref.product
        with fast_product.in_reference():
            self.assertIs(ref.product, fast_product.product)
        self.assertIs(ref.product, plain)


class Quantized(unittest.TestCase):
    def test_token_linear_is_linear(self):
        torch.manual_seed(1)
        layer, x = models.TokenLinear(8, 5), torch.randn(3, 4, 8)
        plain = torch.nn.functional.linear(x, layer.weight, layer.bias)
        self.assertTrue(torch.allclose(layer(x), plain, atol=1e-5))

    def test_masks_come_back_in_the_layout_of_the_layer(self):
        weight = torch.randn(4, 3, 2, 2)
        mask = (models.matrix(weight).numpy() > 0)
        self.assertTrue(((weight > 0) == models.like(mask, weight)).all())


if __name__ == "__main__":
    support.main()
