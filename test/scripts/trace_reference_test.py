# SPDX-License-Identifier: Apache-2.0
"""The vectorised integer reference against docs/reference/numerics.md written out with Python integers."""
import math
import unittest

import support
support.need("numpy")
import numpy as np
import reference as ref

RNG_SEED = 11


def sat(x, lo, hi):
    return max(lo, min(hi, x))


def gated(y, t):
    return 0 if abs(y) <= t else y


def wrap(x):
    x &= 0xFFFFFFFF
    return x - (1 << 32) if x >= 1 << 31 else x


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.rng = np.random.default_rng(RNG_SEED)

    def codes(self, kind, *shape):
        lo, hi = ref.RANGES[kind]
        return self.rng.integers(lo, hi + 1, size=shape)

    def run_one(self, layer, tensors, **inputs):
        kinds = layer.pop("kinds", {})
        workload = {"inputs": [{"name": n, "type": kinds.get(n, "s8")} for n in inputs],
                    "layers": [dict(layer, name="y")]}
        return ref.run(workload, tensors, inputs)["y"]

    def requantize(self, channels):
        tensors = {"b": self.rng.integers(-(1 << 31), 1 << 31, size=channels).astype(np.int32),
                   "m": self.rng.integers(-(1 << 31), 1 << 31, size=channels).astype(np.int32),
                   "s": self.rng.integers(1, 63, size=channels).astype(np.uint8)}
        tensors["b"][: channels // 2] //= 1 << 16
        tensors["s"][::2] = 42
        return tensors, {"bias": "b", "multiplier": "m", "shift": "s"}

    def expected(self, acc, n, tensors, lo, hi, gate):
        b, m, s = (int(tensors[k][n if len(tensors[k]) > 1 else 0]) for k in "bms")
        a = wrap(wrap(acc) + b)
        return gated(sat((a * m + (1 << (s - 1))) >> s, lo, hi), gate)

    def test_linear_with_every_corner_of_requantize(self):
        x, w = self.codes("s8", 3, 5, 40), self.codes("s8", 32, 40).astype(np.int8)
        tensors, names = self.requantize(32)
        y = self.run_one({"op": "linear", "input": "x", "weights": {"tensor": "w"}, "requantize": names,
                          "output": {"type": "s8", "clamp": [-100, 90], "gate": 3}}, dict(tensors, w=w), x=x)
        self.assertEqual(y.shape, (3, 5, 32))
        seen = set()
        for i, t, n in np.ndindex(y.shape):
            acc = sum(int(a) * int(b) for a, b in zip(x[i, t], w[n]))
            want = self.expected(acc, n, tensors, -100, 90, 3)
            self.assertEqual(y[i, t, n], want)
            seen.add(want)
        self.assertGreater(len(seen), 20)
        self.assertTrue({-100, 0, 90} <= seen and not {-3, -2, -1, 1, 2, 3} & seen)

    def test_accumulators_wrap_at_32_bits(self):
        self.assertEqual([int(v) for v in ref.wrap32(np.array([1 << 31, -(1 << 31) - 1, (1 << 32) + 5, -7]))],
                         [-(1 << 31), (1 << 31) - 1, 5, -7])

    def test_convolution_with_padding_and_stride(self):
        x, w = self.codes("u8", 2, 5, 7, 3), self.codes("s8", 4, 3, 2, 3).astype(np.int8)
        tensors, names = self.requantize(4)
        for stride in ([1, 1], [2, 3]):
            y = self.run_one({"op": "conv2d", "input": "x", "kernel": [3, 2], "stride": stride,
                              "padding": [1, 2], "weights": {"tensor": "w"}, "requantize": names,
                              "output": {"type": "u8"}}, dict(tensors, w=w), x=x)
            self.assertEqual(y.shape[1:3], ((5 + 2 - 3) // stride[0] + 1, (7 + 4 - 2) // stride[1] + 1))
            for i, p, q, n in np.ndindex(y.shape):
                acc = 0
                for r, s, c in np.ndindex(3, 2, 3):
                    h, v = p * stride[0] + r - 1, q * stride[1] + s - 2
                    if 0 <= h < 5 and 0 <= v < 7:
                        acc += int(x[i, h, v, c]) * int(w[n, r, s, c])
                self.assertEqual(y[i, p, q, n], self.expected(acc, n, tensors, 0, 255, 0))

    def test_matmul_both_ways(self):
        tensors = {"b": np.array([5], np.int32), "m": np.array([1 << 30], np.int32),
                   "s": np.array([40], np.uint8)}
        names = {"bias": "b", "multiplier": "m", "shift": "s"}
        layer = {"op": "matmul", "input": "l", "right": "r", "heads": 2, "requantize": names,
                 "output": {"type": "s8", "gate": 1}}
        left, right = self.codes("s8", 2, 3, 8), self.codes("s8", 2, 5, 8)
        y = self.run_one(dict(layer, transpose_right=True), tensors, l=left, r=right)
        self.assertEqual(y.shape, (2, 3, 10))
        for i, t, h, u in np.ndindex(2, 3, 2, 5):
            acc = sum(int(left[i, t, h * 4 + d]) * int(right[i, u, h * 4 + d]) for d in range(4))
            self.assertEqual(y[i, t, h * 5 + u], self.expected(acc, 0, tensors, -128, 127, 1))
        share, value = self.codes("u8", 2, 3, 10), self.codes("s8", 2, 5, 8)
        y = self.run_one(dict(layer, transpose_right=False), tensors, l=share, r=value)
        self.assertEqual(y.shape, (2, 3, 8))
        for i, t, h, d in np.ndindex(2, 3, 2, 4):
            acc = sum(int(share[i, t, h * 5 + u]) * int(value[i, u, h * 4 + d]) for u in range(5))
            self.assertEqual(y[i, t, h * 4 + d], self.expected(acc, 0, tensors, -128, 127, 1))

    def test_softmax(self):
        table = np.rint(np.exp(-np.arange(256) * 0.07) * 32767).astype(np.uint16)
        x = self.codes("s8", 2, 3, 12)
        y = self.run_one({"op": "softmax", "input": "x", "heads": 3, "table": "t",
                          "output": {"type": "u8", "gate": 4}}, {"t": table}, x=x)
        for i, t, h in np.ndindex(2, 3, 3):
            row = [int(v) for v in x[i, t, h * 4:h * 4 + 4]]
            e = [int(table[max(row) - v]) for v in row]
            want = [gated((v * 255 + sum(e) // 2) // sum(e), 4) for v in e]
            self.assertEqual(list(y[i, t, h * 4:h * 4 + 4]), want)

    def test_layer_norm(self):
        gamma = self.rng.integers(-20000, 20000, size=9).astype(np.int32)
        beta = self.rng.integers(-(1 << 25), 1 << 25, size=9).astype(np.int32)
        x = self.codes("s8", 4, 6, 9)
        x[0, 0] = 5                                   # no variance: r is 1
        x[0, 1] = [-128, 127] * 4 + [-128]
        y = self.run_one({"op": "layer_norm", "input": "x", "gamma": "g", "beta": "b", "shift": 20,
                          "output": {"type": "s8", "gate": 2}}, {"g": gamma, "b": beta}, x=x)
        for i, t in np.ndindex(4, 6):
            row = [int(v) for v in x[i, t]]
            d = [9 * v - sum(row) for v in row]
            r = max(1, math.isqrt((sum(v * v for v in d) // 9) << 8))
            for c in range(9):
                z = (d[c] << 16) // r
                want = (z * int(gamma[c]) + int(beta[c]) + (1 << 19)) >> 20
                self.assertEqual(y[i, t, c], gated(sat(want, -128, 127), 2))

    def test_integer_square_root(self):
        roots = np.concatenate([np.arange(1000), self.rng.integers(0, 1 << 25, size=2000)])
        squares = roots * roots
        values = np.unique(np.concatenate([squares, np.maximum(0, squares - 1), squares + 1]))
        self.assertEqual([int(v) for v in ref.isqrt(values)], [math.isqrt(int(v)) for v in values])

    def test_add_lookup_and_pools(self):
        a, b = self.codes("u8", 2, 4, 4, 3), self.codes("s8", 2, 4, 4, 3)
        y = self.run_one({"op": "add", "input": "a", "right": "b", "multiplier": [700, -900], "shift": 10,
                          "output": {"type": "s8", "gate": 2}}, {}, a=a, b=b)
        table = self.codes("s8", 256).astype(np.int8)
        layer = {"op": "lookup", "input": "x", "table": "t", "output": {"type": "s8", "gate": 5}}
        signed = self.run_one(dict(layer), {"t": table}, x=b)
        plain = self.run_one(dict(layer, kinds={"x": "u8"}), {"t": table}, x=a)
        for at in np.ndindex(a.shape):
            u, v = int(a[at]), int(b[at])
            self.assertEqual(y[at], gated(sat((u * 700 - v * 900 + 512) >> 10, -128, 127), 2))
            self.assertEqual(signed[at], gated(int(table[v + 128]), 5))
            self.assertEqual(plain[at], gated(int(table[u]), 5))
        largest = self.run_one({"op": "max_pool", "input": "x", "kernel": [2, 2], "stride": [2, 1]}, {}, x=b)
        self.assertEqual(largest.shape, (2, 2, 3, 3))
        for i, p, q, c in np.ndindex(largest.shape):
            self.assertEqual(largest[i, p, q, c], b[i, 2 * p:2 * p + 2, q:q + 2, c].max())
        mean = self.run_one({"op": "average_pool", "input": "x", "multiplier": 1234567, "shift": 24,
                             "output": {"type": "s8"}}, {}, x=b)
        for i, c in np.ndindex(2, 3):
            total = sum(int(v) for v in b[i, :, :, c].ravel())
            self.assertEqual(mean[i, 0, c], sat((total * 1234567 + (1 << 23)) >> 24, -128, 127))

    def test_constant_operand_of_add_serves_every_sample(self):
        x, constant = self.codes("s8", 3, 2, 4), self.codes("s8", 2, 4).astype(np.int8)
        y = self.run_one({"op": "add", "input": "x", "right": {"tensor": "c"}, "multiplier": [2, 2],
                          "shift": 1, "output": {"type": "s8"}}, {"c": constant}, x=x)
        self.assertTrue((y == np.clip(x + constant, -128, 127)).all())

    def test_work_counts_products_of_two_non_zeros(self):
        x, w = self.codes("s8", 2, 3, 6), self.codes("s8", 4, 6).astype(np.int8)
        x[self.rng.random(x.shape) < 0.5] = 0
        w[self.rng.random(w.shape) < 0.5] = 0
        work = ref.engine_work({"op": "linear", "input": "x", "weights": {"tensor": "w"}}, {"x": x}, {"w": w})
        count = sum(1 for i, t, n, k in np.ndindex(2, 3, 4, 6) if x[i, t, k] and w[n, k])
        self.assertEqual((work["macs_dense"], work["macs_effective"]), (2 * 3 * 4 * 6, count))
        self.assertEqual(work["macs_weight_only"], 2 * 3 * int((w != 0).sum()))
        self.assertEqual(work["macs_activation_only"], 4 * int((x != 0).sum()))


if __name__ == "__main__":
    support.main()
