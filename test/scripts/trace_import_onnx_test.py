# SPDX-License-Identifier: Apache-2.0
"""Import of ONNX graphs: floats become codes whose outputs follow theirs, and codes that a graph already has are kept;
the simulator reproduces the trace bit for bit.

    trace_import_onnx_test.py [LACUNA]     with the program, traces are also run
"""
import io
import os

from import_support import Folder, model  # first: it skips where a package is missing
import numpy as np
import support
import torch
from onnx import TensorProto, helper

import capture
import models


class DigitsCnn(Folder):
    """The convolutional network of the shipped traces, with the weights of one of them, through ONNX."""

    def float_network(self, workload, tensors):
        net, scale = models.Cnn(), {"classify": "logits"}
        with torch.no_grad():
            for name, module in net.engine.items():
                codes = torch.from_numpy(tensors[f"{scale.get(name, name)}.weight"].astype(np.float32))
                codes = codes.permute(0, 3, 1, 2) if codes.dim() == 4 else codes
                module.weight.copy_(codes / 127 * 0.5)
                module.bias.uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(1))
        return net.eval()

    def test_weights_survive_and_outputs_agree(self):
        trace = os.path.join(support.TRACES, "digits-cnn-bank-80")
        shipped, tensors = capture.load(trace)
        net = self.float_network(shipped, tensors)
        images = tensors["input"][:6].transpose(0, 3, 1, 2).astype(np.float32) / 16
        buffer = io.BytesIO()
        torch.onnx.export(net, torch.from_numpy(images[:1]), buffer, opset_version=13)
        workload, found, _, provenance = self.imported(
            "onnx", self.file("cnn.onnx", buffer.getvalue()), "--inputs", self.file("x.npy", images))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual(ops, [layer["op"] for layer in shipped["layers"]])
        weights = [layer["weights"]["tensor"] for layer in workload["layers"] if "weights" in layer]
        for name, original in zip(weights, ("conv1", "conv2", "conv3", "conv4", "conv5", "logits")):
            wanted = tensors[f"{original}.weight"].astype(np.int64)
            top = np.abs(wanted).reshape(len(wanted), -1).max(axis=1)
            exact = top == 127                       # else the channel gets a finer scale
            self.assertGreater(exact.sum(), 0)
            self.assertTrue((found[name][exact] == wanted[exact]).all(), name)
            self.assertTrue(((found[name] == 0) == (wanted == 0)).all(), name)
        self.assertLess(provenance["relative_error"], 0.05)
        self.simulated(6)


class Quantized(Folder):
    """QuantizeLinear and DequantizeLinear say codes and scales; they are taken as they are."""

    def network(self, zero, kind):
        w = self.rng.integers(-127, 128, (8, 3, 3, 3)).astype(np.int8)
        w[self.rng.random(w.shape) < 0.5] = 0
        steps = self.rng.uniform(0.01, 0.02, 8).astype(np.float32)
        fc = self.rng.integers(-127, 128, (8, 4)).astype(np.int8)
        constants = {
            "w": w, "ws": steps, "w0": np.zeros(8, np.int8), "fc": fc, "fs": np.float32(0.01), "f0": np.int8(0),
            "xs": np.float32(0.02), "x0": np.array(zero, kind), "ys": np.float32(0.05), "y0": np.array(0, np.uint8),
            "shape": np.array([1, -1], np.int64)}
        node = helper.make_node
        nodes = [
            node("QuantizeLinear", ["x", "xs", "x0"], ["xq"]), node("DequantizeLinear", ["xq", "xs", "x0"], ["xd"]),
            node("DequantizeLinear", ["w", "ws", "w0"], ["wd"], axis=0),
            node("Conv", ["xd", "wd"], ["c"], name="/conv/Conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            node("Relu", ["c"], ["r"]),
            node("QuantizeLinear", ["r", "ys", "y0"], ["rq"]), node("DequantizeLinear", ["rq", "ys", "y0"], ["rd"]),
            node("GlobalAveragePool", ["rd"], ["p"]), node("Reshape", ["p", "shape"], ["f"]),
            node("DequantizeLinear", ["fc", "fs", "f0"], ["fd"]), node("MatMul", ["f", "fd"], ["y"])]
        return model(nodes, [("x", [1, 3, 6, 6])], [("y", [1, 4])], constants), w, steps, fc

    def test_codes_and_scales_are_kept(self):
        data, w, steps, fc = self.network(0, np.int8)
        x = self.rng.uniform(-2, 2, (5, 3, 6, 6)).astype(np.float32)
        workload, tensors, codes, provenance = self.imported(
            "onnx", self.file("q.onnx", data), "--inputs", self.file("x.npy", x))
        self.assertTrue((tensors["conv.weight"] == w.transpose(0, 2, 3, 1)).all())
        linear = workload["layers"][-1]["weights"]["tensor"]
        self.assertTrue((tensors[linear] == fc.T).all())
        self.assertTrue((tensors[workload["inputs"][0]["tensor"]] ==
                         np.rint(x / 0.02).clip(-128, 127).transpose(0, 2, 3, 1)).all())
        # y = acc * step * 0.02 / 0.05: the codes of the graph itself, where rounding is not a tie.
        acc = np.zeros((5, 6, 6, 8))
        padded = np.pad(codes[workload["inputs"][0]["name"]], ((0, 0), (1, 1), (1, 1), (0, 0)))
        for r in range(3):
            for s in range(3):
                acc += padded[:, r:r + 6, s:s + 6, :] @ w[:, :, r, s].T.astype(np.int64)
        exact = acc * steps.astype(np.float64) * 0.02 / 0.05
        wanted = np.rint(exact).clip(0, 255)
        clear = np.abs(exact - np.floor(exact) - 0.5) > 1e-4
        self.assertTrue((codes["conv"] == wanted)[clear].all())
        self.assertLess(provenance["relative_error"], 0.02)
        self.simulated(5)

    def test_middle_zero_point_is_signed(self):
        data, _, _, _ = self.network(128, np.uint8)
        x = self.rng.uniform(-2, 2, (2, 3, 6, 6)).astype(np.float32)
        workload, tensors, _, _ = self.imported("onnx", self.file("q.onnx", data), "--inputs", self.file("x.npy", x))
        self.assertEqual(workload["inputs"][0]["type"], "s8")
        self.assertTrue((tensors[workload["inputs"][0]["tensor"]] ==
                         np.rint(x / 0.02).clip(-128, 127).transpose(0, 2, 3, 1)).all())


class OperatorsOnCodes(Folder):
    """QLinearConv and its like: codes and scales of the graph, to the bit where rounding is not a tie."""

    def test_qlinear_conv_and_matmul(self):
        node = helper.make_node
        w = self.rng.integers(-127, 128, (8, 3, 3, 3)).astype(np.int8)
        w[self.rng.random(w.shape) < 0.6] = 0
        bias = self.rng.integers(-500, 500, 8).astype(np.int32)
        steps = self.rng.uniform(0.01, 0.02, 8).astype(np.float32)
        fc, fs = self.rng.integers(-127, 128, (8, 4)).astype(np.int8), self.rng.uniform(0.01, 0.03, 4).astype(np.float32)
        f32, i8, u8 = np.float32, np.int8, np.uint8
        constants = {"w": w, "ws": steps, "w0": np.zeros(8, i8), "b": bias, "fc": fc, "fs": fs, "f0": np.zeros(4, i8),
                     "xs": f32(0.02), "x0": i8(0), "ys": f32(0.08), "y0": u8(0), "ps": f32(0.08), "zs": f32(0.5), "z0": i8(0),
                     "shape": np.array([1, -1], np.int64)}
        nodes = [node("QuantizeLinear", ["x", "xs", "x0"], ["xq"]),
                 node("QLinearConv", ["xq", "xs", "x0", "w", "ws", "w0", "ys", "y0", "b"], ["cq"], name="/conv/QLinearConv",
                      kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                 node("DequantizeLinear", ["cq", "ys", "y0"], ["c"]), node("GlobalAveragePool", ["c"], ["p"]),
                 node("Reshape", ["p", "shape"], ["f"]), node("QuantizeLinear", ["f", "ps", "y0"], ["fq"]),
                 node("QLinearMatMul", ["fq", "ps", "y0", "fc", "fs", "f0", "zs", "z0"], ["zq"]),
                 node("DequantizeLinear", ["zq", "zs", "z0"], ["y"])]
        data = model(nodes, [("x", [1, 3, 6, 6])], [("y", [1, 4])], constants)
        x = self.rng.uniform(-2, 2, (4, 3, 6, 6)).astype(np.float32)
        workload, tensors, codes, provenance = self.imported(
            "onnx", self.file("q.onnx", data), "--inputs", self.file("x.npy", x))
        self.assertTrue((tensors["conv.weight"] == w.transpose(0, 2, 3, 1)).all())
        first = codes[workload["inputs"][0]["name"]]
        self.assertTrue((first == np.rint(x / np.float32(0.02)).clip(-128, 127).transpose(0, 2, 3, 1)).all())
        padded, acc = np.pad(first, ((0, 0), (1, 1), (1, 1), (0, 0))), np.zeros((4, 6, 6, 8))
        for r in range(3):
            for s in range(3):
                acc += padded[:, r:r + 6, s:s + 6, :] @ w[:, :, r, s].T.astype(np.int64)
        exact = (acc + bias) * steps.astype(np.float64) * 0.02 / 0.08
        clear = np.abs(exact - np.floor(exact) - 0.5) > 1e-3
        self.assertTrue((codes["conv"] == np.rint(exact).clip(0, 255))[clear].all())
        last = workload["layers"][-1]
        self.assertTrue((tensors[last["weights"]["tensor"]] == fc.T).all())
        exact = (codes[last["input"]].reshape(4, -1) @ fc.astype(np.int64)) * fs.astype(np.float64) * 0.08 / 0.5
        clear = np.abs(exact - np.floor(exact) - 0.5) > 1e-3
        self.assertTrue((codes[last["name"]].reshape(4, -1) == np.rint(exact).clip(-128, 127))[clear].all())
        self.assertLess(provenance["relative_error"], 0.04)
        self.simulated(4)

    def test_dynamic_quantization_becomes_static(self):
        node = helper.make_node
        w, step = self.rng.integers(-127, 128, (16, 8)).astype(np.int8), np.float32(0.01)
        w[self.rng.random(w.shape) < 0.6] = 0
        bias = self.rng.standard_normal(8).astype(np.float32)
        nodes = [node("DynamicQuantizeLinear", ["x"], ["q", "qs", "q0"]),
                 node("MatMulInteger", ["q", "w", "q0", "w0"], ["i"]), node("Cast", ["i"], ["c"], to=TensorProto.FLOAT),
                 node("Mul", ["qs", "ws"], ["s"]), node("Mul", ["c", "s"], ["m"]), node("Add", ["m", "b"], ["y"])]
        data = model(nodes, [("x", [1, 5, 16])], [("y", [1, 5, 8])], {"w": w, "w0": np.int8(0), "ws": step, "b": bias})
        x = self.rng.standard_normal((3, 5, 16)).astype(np.float32)
        workload, tensors, _, provenance = self.imported(
            "onnx", self.file("d.onnx", data), "--inputs", self.file("x.npy", x))
        self.assertEqual([layer["op"] for layer in workload["layers"]], ["linear"])
        weight = tensors[workload["layers"][0]["weights"]["tensor"]]
        self.assertTrue(((weight == 0) == (w.T == 0)).all())
        self.assertLess(provenance["relative_error"], 0.03)
        self.simulated(3)

    def test_conv_integer_with_a_zero_point(self):
        node = helper.make_node
        w = self.rng.integers(0, 255, (4, 3, 3, 3)).astype(np.uint8)
        nodes = [node("DynamicQuantizeLinear", ["x"], ["q", "qs", "q0"]),
                 node("ConvInteger", ["q", "w", "q0", "w0"], ["i"], name="/c/ConvInteger", pads=[1, 1, 1, 1]),
                 node("Cast", ["i"], ["c"], to=TensorProto.FLOAT), node("Mul", ["qs", "ws"], ["s"]),
                 node("Mul", ["c", "s"], ["m"]), node("Relu", ["m"], ["y"])]
        data = model(nodes, [("x", [1, 3, 6, 6])], [("y", [1, 4, 6, 6])],
                     {"w": w, "w0": np.uint8(128), "ws": np.float32(0.01)})
        x = self.rng.standard_normal((2, 3, 6, 6)).astype(np.float32)
        workload, tensors, _, provenance = self.imported(
            "onnx", self.file("c.onnx", data), "--inputs", self.file("x.npy", x))
        self.assertEqual([layer["op"] for layer in workload["layers"]], ["conv2d"])
        wanted = (w.astype(np.int64) - 128).transpose(0, 2, 3, 1)
        self.assertTrue((np.sign(tensors["c.weight"]) == np.sign(wanted))[np.abs(wanted) > 1].all())
        self.assertLess(provenance["relative_error"], 0.03)
        self.simulated(2)

    def test_refused(self):
        node = helper.make_node
        x = self.file("x.npy", self.rng.integers(0, 9, (1, 4)).astype(np.uint8))
        data = model([node("MatMulInteger", ["x", "w"], ["i"]), node("Cast", ["i"], ["y"], to=TensorProto.FLOAT)],
                     [("x", [1, 4], TensorProto.UINT8)], [("y", [1, 2])], {"w": np.ones((4, 2), np.int8)})
        self.refused("operator MatMulInteger ('i'): of codes that no DynamicQuantizeLinear makes", "onnx",
                     self.file("m.onnx", data), "--inputs", x)
        data = model([node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), node("MatMulInteger", ["q", "q"], ["i"]),
                      node("Cast", ["i"], ["y"], to=TensorProto.FLOAT)], [("x", [4, 4])], [("y", [4, 4])], {})
        self.refused("operator MatMulInteger ('i'): with weights that are not constant", "onnx",
                     self.file("m.onnx", data), "--inputs", self.file("f.npy", np.ones((4, 4), np.float32)))


if __name__ == "__main__":
    support.main()
