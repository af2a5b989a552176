# SPDX-License-Identifier: Apache-2.0
"""Import of networks: graphs of ONNX and of torch modules become traces whose integer outputs follow the float
ones, and which the simulator reproduces bit for bit; what cannot be lowered is refused with its name.

    trace_import_test.py [LACUNA]     with the program, traces are also run
"""
import contextlib
import importlib
import io
import os
import subprocess
import sys
import tempfile
import unittest

import support
support.need("numpy", "yaml", "torch", "onnx")
import numpy as np
import onnx
import torch
import torch.nn.utils.prune
from onnx import TensorProto, helper, numpy_helper

import axes
import capture
import models
import onnx_graph
import reference

importer = importlib.import_module("import")
LACUNA = sys.argv.pop(1) if len(sys.argv) > 1 and os.path.exists(sys.argv[1]) else None
CHIP = os.path.join(support.ROOT, "configs", "chips", "reference.yaml")


def run(*arguments):
    """(exit status, stdout, stderr) of the importer."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = importer.main(list(arguments))
        except SystemExit as error:
            status = error.code
    return status, out.getvalue(), err.getvalue()


def model(nodes, inputs, outputs, constants, opset=13):
    """Bytes of an ONNX model."""
    value = lambda name, shape, kind=TensorProto.FLOAT: helper.make_tensor_value_info(name, kind, shape)
    graph = helper.make_graph(nodes, "g", [value(*i) for i in inputs], [value(*o) for o in outputs],
                              [numpy_helper.from_array(array, name) for name, array in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]).SerializeToString()


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = holder.name
        self.rng = np.random.default_rng(7)

    def file(self, name, content=None):
        path = os.path.join(self.path, name)
        if isinstance(content, np.ndarray):
            np.save(path, content)
        elif isinstance(content, dict):
            np.savez(path, **content)
        elif content is not None:
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def imported(self, *arguments):
        """(workload, tensors, codes of the reference, provenance) of a good import."""
        out = self.file("out")
        status, _, err = run(*arguments, "--out", out)
        self.assertEqual(status, 0, err)
        workload, tensors = capture.load(out)
        inputs = {entry["name"]: tensors[entry["tensor"]] for entry in workload["inputs"]}
        codes = reference.run(workload, tensors, inputs)
        for layer in workload["layers"]:
            if "expect" in layer:
                self.assertTrue((codes[layer["name"]] == tensors[layer["expect"]]).all(), layer["name"])
        return workload, tensors, codes, workload["provenance"]

    def simulated(self, samples):
        """The simulator computes the same codes: exit status 0."""
        if LACUNA is None:
            return
        done = subprocess.run([LACUNA, "run", CHIP, self.file("out/workload.yaml"), "--samples", str(samples)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(" 0 differ", done.stdout)

    def refused(self, message, *arguments):
        status, out, err = run(*arguments, "--out", self.file("out"))
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(err.count("\n"), 1)
        self.assertIn(message, err)
        self.assertFalse(os.path.exists(self.file("out")))


class Axes(unittest.TestCase):
    def test_reshape_splits_and_joins(self):
        tokens, channels = axes.axis(6), axes.axis(12)
        heads = axes.reshaped([[], tokens, channels], [1, 6, 3, 4])
        self.assertEqual([axes.size(d) for d in heads], [1, 6, 3, 4])
        self.assertEqual(axes.leaves(channels), axes.leaves(heads[2]) + axes.leaves(heads[3]))
        back = axes.reshaped(heads, [6, 12])
        self.assertEqual(axes.leaves(back[1]), axes.leaves(channels))

    def test_reshape_across_an_axis_is_none(self):
        self.assertIsNone(axes.reshaped([axes.axis(4), axes.axis(6)], [6, 4]))
        self.assertIsNone(axes.reshaped([axes.axis(4)], [5]))

    def test_refine_finds_common_sizes(self):
        one, two = axes.axis(12), axes.axis(3) + axes.axis(4)
        self.assertTrue(axes.refine(one, two))
        self.assertEqual([leaf.size for leaf in axes.leaves(one)], [3, 4])
        self.assertFalse(axes.refine(axes.axis(6), axes.axis(4) + axes.axis(2)))


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


NETWORKS = """
import torch
import torch.nn.utils.prune
from torch import nn

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.embed = nn.Linear(6, 24)
        self.qkv, self.out, self.norm = nn.Linear(24, 72), nn.Linear(24, 24), nn.LayerNorm(24)
        self.up, self.down, self.head = nn.Linear(24, 40), nn.Linear(40, 24), nn.Linear(24, 5)
    def forward(self, x):
        x = self.embed(x)
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, t, 3, 2, 12).permute(2, 0, 3, 1, 4)
        share = (q @ k.transpose(-2, -1) / 12 ** 0.5).softmax(-1)
        x = x + self.out((share @ v).transpose(1, 2).reshape(b, t, c))
        x = x + self.down(nn.functional.silu(self.up(x)))
        return self.head(x.mean(1))

class Encoder(nn.Module):
    def __init__(self, before=True):
        super().__init__()
        torch.manual_seed(4)
        layer = nn.TransformerEncoderLayer(24, 3, 32, batch_first=True, norm_first=before, activation="gelu")
        self.embed, self.encoder, self.head = nn.Linear(6, 24), nn.TransformerEncoder(layer, 1), nn.Linear(24, 5)
        self.position = nn.Parameter(torch.randn(1, 7, 24) * 0.2)
    def forward(self, x):
        return self.head(self.encoder(self.embed(x) + self.position).mean(1))

class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.a, self.b = nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8)
        self.c = nn.Conv2d(8, 8, 3, 2, 1)
        self.d, self.e = nn.Conv2d(8, 8, 1, 2), nn.BatchNorm2d(8)
        self.f = nn.Linear(8 * 4 * 4, 5)
        with torch.no_grad():
            self.b.running_var.uniform_(0.5, 2), self.b.running_mean.uniform_(-1, 1)
            self.e.running_var.uniform_(0.5, 2), self.e.weight.uniform_(-1, 1)
    def forward(self, x):
        x = nn.functional.relu6(self.b(self.a(x)))
        x = torch.relu(self.c(x) - self.e(self.d(x)))
        return self.f(x.flatten(1))

class Mixed(nn.Module):
    # Groups, depthwise, concatenation, repeated pixels, windows of averages, gating, a batch norm of its own.
    def __init__(self):
        super().__init__()
        torch.manual_seed(8)
        self.a, self.b = nn.Conv2d(3, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 2, 1, groups=8)
        self.c, self.d, self.g = nn.Conv2d(8, 16, 3, 1, 1, groups=4), nn.Conv2d(8, 32, 1), nn.Conv2d(24, 8, 1)
        self.n, self.e, self.f = nn.BatchNorm2d(32), nn.Conv2d(32, 12, 1), nn.Linear(12, 5)
        with torch.no_grad():
            self.n.running_var.uniform_(0.5, 2), self.n.running_mean.uniform_(-1, 1)
    def forward(self, x):
        x = torch.relu(self.a(x))
        y = torch.relu(self.b(x))
        y = torch.cat([torch.relu(self.c(y)), y], 1)
        y = torch.cat([nn.functional.max_pool2d(y, 3, 1, 1), self.g(y)], 1)     # without and with sign
        y = torch.cat([y], 1)
        z = nn.functional.interpolate(nn.functional.max_pool2d(torch.relu(self.d(x)), 3, 2, 1), scale_factor=2)
        z = nn.functional.avg_pool2d(z, 2, 2)
        x = torch.relu(self.n(y + z)) * torch.sigmoid(y)
        return self.f(torch.relu(self.e(x)).mean((2, 3)))

class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(9)
        self.patch, self.token = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.randn(1, 1, 16))
        self.norm, self.mix, self.head = nn.LayerNorm(16), nn.MultiheadAttention(16, 2, batch_first=True), nn.Linear(16, 5)
    def forward(self, x):
        x = self.patch(x).reshape(x.shape[0], 16, 4).permute(0, 2, 1)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        y = self.norm(x)
        x = x + self.mix(y, y, y, need_weights=False)[0]
        return self.head(x[:, 0])

class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(width) + 0.5)
    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))

def turned(x):
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)

class Llama(nn.Module):
    # A block as Hugging Face writes it: RMS norm, rotary embedding, grouped-query attention, causal mask, SwiGLU; pruned.
    def __init__(self, theta=10000.0, bad=""):
        super().__init__()
        torch.manual_seed(11)
        self.embed, self.n1, self.n2, self.n3 = nn.Linear(6, 32), RmsNorm(32), RmsNorm(32), RmsNorm(32)
        self.q, self.k, self.v = nn.Linear(32, 32, False), nn.Linear(32, 16, False), nn.Linear(32, 16, False)
        self.o, self.gate, self.up = nn.Linear(32, 32, False), nn.Linear(32, 64, False), nn.Linear(32, 64, False)
        self.down, self.head, self.theta, self.bad = nn.Linear(64, 32, False), nn.Linear(32, 5, False), theta, bad
        for module in (self.q, self.k, self.v, self.o, self.gate, self.up, self.down):
            nn.utils.prune.l1_unstructured(module, "weight", 0.6)
            nn.utils.prune.remove(module, "weight")
    def forward(self, x):
        x = self.embed(x)
        b, t, c = x.shape
        frequency = 1.0 / self.theta ** (torch.arange(0, 8, 2).float() / 8)
        if self.bad == "angles":
            frequency = frequency * torch.tensor([1.0, 0.7, 1.0, 1.0])
        angles = torch.outer(torch.arange(t).float(), frequency)
        cos, sin = torch.cat((angles, angles), -1).cos()[None, None], torch.cat((angles, angles), -1).sin()[None, None]
        y = self.n1(x)
        q, k, v = (f(y).view(b, t, -1, 8).transpose(1, 2) for f in (self.q, self.k, self.v))
        q, k = q * cos + turned(q) * sin, k * cos + turned(k) * sin
        k, v = (z[:, :, None].expand(b, 2, 2, t, 8).reshape(b, 4, t, 8) for z in (k, v))
        scores = q @ k.transpose(2, 3) / 8 ** 0.5
        mask = torch.full((t, t), torch.finfo(torch.float32).min).triu(2 if self.bad == "mask" else 1)
        if self.bad == "unused":
            return (scores + mask)[:, 0, :, 0]
        share = (scores + mask).softmax(-1)
        x = x + self.o((share @ v).transpose(1, 2).reshape(b, t, 32))
        y = self.n2(x)
        x = x + self.down(nn.functional.silu(self.gate(y)) * self.up(y))
        if self.bad == "repeated":
            return k.mean((1, 3))
        return self.head(self.n3(x)[:, -1])

class Hidden(nn.Module):
    # A causal mask by masked_fill, and an RMS norm as a division without factors.
    def __init__(self):
        super().__init__()
        torch.manual_seed(12)
        self.embed, self.qkv, self.head = nn.Linear(6, 24), nn.Linear(24, 72), nn.Linear(24, 5)
    def forward(self, x):
        x = self.embed(x)
        b, t, c = x.shape
        x = x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5)
        q, k, v = self.qkv(x).reshape(b, t, 3, 2, 12).permute(2, 0, 3, 1, 4)
        later = torch.ones(t, t).triu(1).bool()
        share = (q @ k.transpose(-2, -1) / 12 ** 0.5).masked_fill(later, float("-inf")).softmax(-1)
        return self.head((share @ v).transpose(1, 2).reshape(b, t, c)[:, -1])

class MaskInput(nn.Module):
    # As Hugging Face masks: the tokens that are there come as an input, joined with the causal mask.
    def __init__(self):
        super().__init__()
        torch.manual_seed(15)
        self.embed, self.qkv, self.head = nn.Linear(6, 24), nn.Linear(24, 72), nn.Linear(24, 5)
    def forward(self, x, there):
        x = self.embed(x)
        b, t, c = x.shape
        lowest = torch.finfo(torch.float32).min
        mask = torch.full((t, t), lowest).triu(1) + (1.0 - there[:, None, None, :]) * lowest
        q, k, v = self.qkv(x).reshape(b, t, 3, 2, 12).permute(2, 0, 3, 1, 4)
        share = (q @ k.transpose(-2, -1) / 12 ** 0.5 + mask).softmax(-1)
        return self.head((share @ v).transpose(1, 2).reshape(b, t, c)[:, -1])

class Squeezed(nn.Module):
    # Squeeze-and-excite as MobileNetV3 has it, and with linear layers; hard swish; pruned.
    def __init__(self, wrong=False):
        super().__init__()
        torch.manual_seed(13)
        self.a, self.b, self.head, self.wrong = nn.Conv2d(3, 16, 3, 1, 1), nn.Conv2d(16, 16, 3, 1, 1), nn.Linear(16, 5), wrong
        self.fc1, self.fc2 = nn.Conv2d(16, 8, 1), nn.Conv2d(8, 16, 1)
        self.fc3, self.fc4 = nn.Linear(16, 4), nn.Linear(4, 16)
        for module in (self.a, self.b, self.fc1, self.fc3):
            nn.utils.prune.random_unstructured(module, "weight", 0.5)
            nn.utils.prune.remove(module, "weight")
    def forward(self, x):
        x = nn.functional.hardswish(self.a(x))
        if self.wrong:                                       # a factor for each pixel
            return self.head((x * torch.sigmoid(x[:, :1])).mean((2, 3)))
        s = self.fc2(torch.relu(self.fc1(nn.functional.adaptive_avg_pool2d(x, 1))))
        x = nn.functional.hardswish(self.b(nn.functional.hardsigmoid(s) * x))
        s = torch.sigmoid(self.fc4(torch.relu(self.fc3(x.mean((2, 3))))))
        return self.head((x * s[:, :, None, None]).mean((2, 3)))

class Pixels(nn.Module):
    # A block of ConvNeXt: layer norms over the channels of each pixel, linear layers over them, a factor for each channel.
    def __init__(self):
        super().__init__()
        torch.manual_seed(16)
        self.stem, self.n1, self.deep = nn.Conv2d(3, 16, 2, 2), nn.LayerNorm(16), nn.Conv2d(16, 16, 3, 1, 1, groups=16)
        self.n2, self.up, self.down = nn.LayerNorm(16), nn.Linear(16, 40), nn.Linear(40, 16)
        self.scale, self.n3, self.last = nn.Parameter(torch.rand(16, 1, 1) + 0.5), nn.LayerNorm(16), nn.Conv2d(16, 24, 2, 2)
        self.n4, self.head = nn.LayerNorm(24), nn.Linear(24, 5)
        for module in (self.up, self.down):
            nn.utils.prune.l1_unstructured(module, "weight", 0.5)
            nn.utils.prune.remove(module, "weight")
    def forward(self, x):
        pixels = lambda norm, x: norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x = pixels(self.n1, self.stem(x))
        y = self.n2(self.deep(x).permute(0, 2, 3, 1))
        y = self.down(nn.functional.gelu(self.up(y))).permute(0, 3, 1, 2)
        x = self.last(pixels(self.n3, x + self.scale * y))
        return self.head(pixels(self.n4, x.mean((2, 3), keepdim=True)).flatten(1))

class Shuffled(nn.Module):
    # Two blocks of ShuffleNetV2: halves of the channels, joined and shuffled.
    def __init__(self):
        super().__init__()
        torch.manual_seed(14)
        self.a, self.head = nn.Conv2d(3, 16, 3, 1, 1), nn.Linear(16, 5)
        self.blocks = nn.ModuleList(nn.Sequential(
            nn.Conv2d(8, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Conv2d(8, 8, 1), nn.ReLU()) for _ in range(2))
        for block in self.blocks:
            nn.utils.prune.l1_unstructured(block[0], "weight", 0.5)
            nn.utils.prune.remove(block[0], "weight")
    def forward(self, x):
        x = torch.relu(self.a(x))
        for block in self.blocks:
            one, two = x.chunk(2, dim=1)
            x = torch.cat((one, block(two)), dim=1)
            b, c, h, w = x.shape
            x = x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)
        return self.head(nn.functional.max_pool2d(x, 2).mean((2, 3)))

class Split(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 1)

def pruned(name, **arguments):
    import torchvision
    torch.manual_seed(6)
    net = getattr(torchvision.models, name)(num_classes=10, **arguments)
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            weight = module.weight.data
            weight *= (torch.rand(weight.shape) < 0.2) * 2.2
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1), module.running_var.uniform_(0.5, 2)
    return net
"""


class Modules(Folder):
    def setUp(self):
        super().setUp()
        self.nets = self.file("nets.py", NETWORKS)

    def lowered(self, name, shape, *more, samples=3, error=0.08):
        x = self.rng.standard_normal((samples,) + shape).astype(np.float32)
        result = self.imported("torch", f"{self.nets}:{name}", "--inputs", self.file("x.npy", x), *more)
        self.assertLess(result[3]["relative_error"], error)
        self.simulated(samples)
        return result

    def test_attention_written_out(self):
        workload, _, _, _ = self.lowered("Attention", (7, 6))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual(sorted(ops), sorted(["linear"] * 8 + ["layer_norm", "softmax", "lookup", "average_pool"]
                                             + ["matmul"] * 2 + ["add"] * 2))
        product = [layer for layer in workload["layers"] if layer["op"] == "matmul"]
        self.assertEqual([(p["heads"], p["transpose_right"]) for p in product], [(2, True), (2, False)])

    def test_multihead_attention_before_and_after_the_norm(self):
        for before in ("true", "false"):
            self.lowered("Encoder", (7, 6), "--arguments", f'{{"before": {before}}}')

    def test_batch_norm_relu6_difference_and_flatten(self):
        workload, _, codes, _ = self.lowered("Residual", (3, 8, 8))
        clamped = [layer["output"]["clamp"] for layer in workload["layers"] if "clamp" in layer.get("output", {})]
        self.assertEqual(len(clamped), 2)
        self.assertIn("flatten", [layer["op"] for layer in workload["layers"]])

    def test_groups_depthwise_concat_and_the_rest(self):
        workload, _, _, _ = self.lowered("Mixed", (3, 8, 8))
        ops = [layer["op"] for layer in workload["layers"]]
        for op, count in (("depthwise_conv2d", 3), ("concat", 2), ("upsample", 1), ("multiply", 1), ("max_pool", 2)):
            self.assertEqual(ops.count(op), count, op)
        self.assertEqual([layer["groups"] for layer in workload["layers"] if "groups" in layer], [4])
        self.assertEqual([layer["padding"] for layer in workload["layers"] if layer["op"] == "max_pool"], [[1, 1]] * 2)

    def test_patches_and_a_class_token(self):
        workload, _, _, _ = self.lowered("Vit", (3, 8, 8))
        self.assertEqual(sorted(tuple(entry["shape"]) for entry in workload["inputs"]), [(1, 16), (4, 48)])
        joined = next(layer for layer in workload["layers"] if layer["op"] == "concat")
        self.assertEqual(joined["axis"], "tokens")
        self.assertIn("slice", [layer["op"] for layer in workload["layers"]])

    def test_block_of_a_language_model(self):
        workload, _, _, _ = self.lowered("Llama", (7, 6))
        ops = [layer["op"] for layer in workload["layers"]]
        for op, count in (("rms_norm", 3), ("rotary", 2), ("softmax", 1), ("multiply", 1), ("matmul", 2), ("lookup", 1)):
            self.assertEqual(ops.count(op), count, op)
        for layer in workload["layers"]:
            if layer["op"] == "rotary":
                self.assertEqual((layer["position"], layer["theta"]), (0, 10000))
            if layer["op"] == "softmax":
                self.assertEqual((layer["causal"], layer["position"]), (True, 0))
            if layer["op"] == "matmul":
                self.assertEqual((layer["heads"], layer["kv_heads"]), (4, 2))
        self.assertEqual({l["heads"] for l in workload["layers"] if l["op"] == "rotary"}, {4, 2})
        workload, _, _, _ = self.lowered("Llama", (7, 6), "--arguments", '{"theta": 500000.0}')
        self.assertEqual({l["theta"] for l in workload["layers"] if l["op"] == "rotary"}, {500000})

    def test_what_language_models_may_not_have(self):
        x = self.file("x.npy", self.rng.standard_normal((2, 7, 6)).astype(np.float32))
        for bad, message in (("angles", "whose angles are not position * theta^(-2i / channels)"),
                             ("mask", "with a mask that is not causal"), ("unused", "reads masked scores"),
                             ("repeated", "whose elements are repeated")):
            self.refused(message, "torch", f"{self.nets}:Llama", "--arguments", f'{{"bad": "{bad}"}}', "--inputs", x)

    def test_hidden_scores_and_a_bare_rms_norm(self):
        workload, tensors, _, _ = self.lowered("Hidden", (6, 6))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual((ops.count("rms_norm"), ops.count("softmax")), (1, 1))
        norm = next(layer for layer in workload["layers"] if layer["op"] == "rms_norm")
        self.assertEqual(len(set(tensors[norm["gamma"]].tolist())), 1)

    def test_mask_of_an_input(self):
        x = self.rng.standard_normal((3, 6, 6)).astype(np.float32)
        there = np.ones((3, 6), np.float32)
        there[2, 0] = 0
        self.refused("with a mask that differs between the samples", "torch", f"{self.nets}:MaskInput", "--inputs",
                     self.file("x.npz", {"x": x, "there": there}))
        there[:, 0] = 0
        self.refused("with a mask that is not causal", "torch", f"{self.nets}:MaskInput", "--inputs",
                     self.file("x.npz", {"x": x, "there": there}))
        there[:] = 1
        workload, _, _, provenance = self.imported("torch", f"{self.nets}:MaskInput", "--inputs",
                                                   self.file("x.npz", {"x": x, "there": there}))
        self.assertEqual([l.get("causal") for l in workload["layers"] if l["op"] == "softmax"], [True])
        self.assertLess(provenance["relative_error"], 0.08)
        self.simulated(3)

    def test_squeeze_and_excite(self):
        x = self.file("x.npy", self.rng.standard_normal((2, 3, 8, 8)).astype(np.float32))
        self.refused("is no factor for each of its channels", "torch", f"{self.nets}:Squeezed", "--arguments",
                     '{"wrong": true}', "--inputs", x)
        workload, _, _, _ = self.lowered("Squeezed", (3, 8, 8))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual((ops.count("multiply"), ops.count("average_pool"), ops.count("linear")), (2, 3, 5))

    def test_norms_and_linear_layers_over_pixels(self):
        workload, _, _, _ = self.lowered("Pixels", (3, 8, 8))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual((ops.count("layer_norm"), ops.count("conv2d"), ops.count("linear"), ops.count("add")), (4, 4, 1, 1))

    def test_channel_shuffle(self):
        workload, tensors, codes, _ = self.lowered("Shuffled", (3, 8, 8))
        chosen = [layer for layer in workload["layers"] if "channels" in layer["name"]]
        self.assertEqual([layer["op"] for layer in chosen], ["conv2d"] * len(chosen))
        self.assertGreaterEqual(len(chosen), 3)
        for layer in chosen:                                 # codes go through unchanged
            weight = tensors[layer["weights"]["tensor"]][:, 0, 0, :]
            self.assertTrue((weight.sum(axis=1) == 1).all())
            self.assertTrue((codes[layer["name"]] == codes[layer["input"]][..., weight.argmax(axis=1)]).all())

    def test_gates_make_the_share_of_zeros(self):
        workload, _, codes, provenance = self.lowered("Attention", (7, 6), "--activation-sparsity", "0.3", error=0.4)
        self.assertGreaterEqual(provenance["activation_sparsity"], 0.25)

    def test_state_dict_replaces_the_weights(self):
        state = self.file("state.pt")
        found = importlib.import_module("types").ModuleType("nets")
        exec(NETWORKS, found.__dict__)
        net = found.Attention()
        with torch.no_grad():
            net.head.weight.zero_()
            net.head.weight[2, 3] = 1
        torch.save({"state_dict": net.state_dict()}, state)
        _, tensors, _, _ = self.lowered("Attention", (7, 6), "--state", state)
        self.assertEqual(int((tensors["head.weight"] != 0).sum()), 1)
        self.assertEqual(tensors["head.weight"][2, 3], 127)
        status, out, _ = run("state", state, "--out", self.file("state.safetensors"))
        self.assertEqual(status, 0)
        import safetensors_io
        stored, _ = safetensors_io.read(self.file("state.safetensors"))
        self.assertTrue((stored["head.weight"] == net.head.weight.detach().numpy()).all())

    def test_refused_with_the_name(self):
        x = self.file("x.npy", self.rng.standard_normal((2, 3, 8, 8)).astype(np.float32))
        self.refused("operator CumSum", "torch", f"{self.nets}:Split", "--inputs", x)
        self.refused("'nets_missing:x' does not give a network", "torch", "nets_missing:x", "--inputs", x)
        self.refused("--inputs is needed", "torch", f"{self.nets}:Residual")
        self.refused("cannot be exported", "torch", f"{self.nets}:Attention", "--inputs", x)


class ResNet18(Folder):
    def setUp(self):
        super().setUp()
        try:
            import torchvision  # noqa: F401
        except ImportError as error:
            self.skipTest(f"torchvision is not installed ({error})")

    def test_structure_of_torchvision(self):
        nets = self.file("nets.py", NETWORKS)
        x = self.rng.standard_normal((1, 3, 32, 32)).astype(np.float32)
        workload, _, _, provenance = self.imported(
            "torch", f"{nets}:pruned", "--arguments", '{"name": "resnet18"}', "--inputs", self.file("x.npy", x))
        ops = [layer["op"] for layer in workload["layers"]]
        self.assertEqual((ops.count("conv2d"), ops.count("add"), ops.count("linear")), (20, 8, 1))
        self.assertAlmostEqual(provenance["weight_sparsity"], 0.8, places=2)
        self.assertLess(provenance["relative_error"], 0.1)
        self.simulated(1)

    def test_mobile_networks_of_torchvision(self):
        """Squeeze-and-excite, hard swish, channel shuffles: real networks, pruned at random."""
        nets = self.file("nets.py", NETWORKS)
        for name, op, count in (("mobilenet_v3_small", "multiply", 9), ("shufflenet_v2_x0_5", "concat", 16)):
            x = self.rng.standard_normal((1, 3, 32, 32)).astype(np.float32)
            workload, _, _, provenance = self.imported(
                "torch", f"{nets}:pruned", "--arguments", f'{{"name": "{name}"}}', "--inputs", self.file("x.npy", x))
            self.assertEqual([layer["op"] for layer in workload["layers"]].count(op), count, name)
            self.assertAlmostEqual(provenance["weight_sparsity"], 0.8, places=1)
            self.assertLess(provenance["relative_error"], 0.1)
            self.simulated(1)


@unittest.skipIf(LACUNA is None, "without the program")
class Maps(Folder):
    """configs/imports: weights with the names of Hugging Face and torchvision land in the layers of our networks."""

    def landed(self, workload, parameters, name, tensors, expected):
        """`expected`: layer -> matrix [n, k] whose zeros its weights must have."""
        import safetensors_io
        safetensors_io.write(self.file("w.safetensors"), tensors)
        out = self.file(f"out-{name}")
        configs = os.path.join(support.ROOT, "configs")
        done = subprocess.run([LACUNA, "trace", "import", os.path.join(configs, "workloads", workload), "--weights",
                               self.file("w.safetensors"), "--map", os.path.join(configs, "imports", f"{name}.yaml"), "--out", out,
                               *(part for p in parameters for part in ("--param", p))],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        written, found = capture.load(out)
        layers = {layer["name"]: layer for layer in written["layers"] if "weights" in layer}
        self.assertEqual(set(expected), set(layers))
        for layer, matrix in expected.items():
            codes = found[layers[layer]["weights"]["tensor"]]
            self.assertTrue(((codes.reshape(matrix.shape) != 0) <= (matrix != 0)).all(), layer)
            self.assertGreater((codes != 0).sum(), 0.9 * (matrix != 0).sum(), layer)

    def pruned(self, *shape):
        return (self.rng.standard_normal(shape) * (self.rng.random(shape) < 0.3)).astype(np.float32)

    def test_llama_mistral_and_gptj(self):
        shared = ["layers=2", "hidden=64", "heads=4", "feed_forward=96", "vocabulary=40", "decode=0", "tokens=2"]
        parts = {"query0": ("q", 64), "key0": ("k", 32), "value": ("v", 32), "project": ("o", 64)}
        for file in ("llama-2-7b.yaml", "llama-3-8b.yaml", "mistral-7b.yaml", "llama-2-13b.yaml"):
            tensors = {"model.embed_tokens.weight": self.pruned(40, 64), "lm_head.weight": self.pruned(40, 64)}
            expected = {"block0.in": tensors["model.embed_tokens.weight"], "logits": tensors["lm_head.weight"]}
            for i in range(2):
                at = f"model.layers.{i}."
                for layer, (letter, n) in parts.items():
                    expected[f"block{i}.{layer}"] = tensors[f"{at}self_attn.{letter}_proj.weight"] = self.pruned(n, 64)
                for layer, shape in (("gate", (96, 64)), ("up", (96, 64)), ("down", (64, 96))):
                    expected[f"block{i}.{layer}"] = tensors[f"{at}mlp.{layer}_proj.weight"] = self.pruned(*shape)
            self.landed(file, shared + ["kv_heads=2"], "hf-llama", tensors, expected)
        tensors = {"transformer.wte.weight": self.pruned(40, 64), "lm_head.weight": self.pruned(40, 64)}
        expected = {"block0.in": tensors["transformer.wte.weight"], "logits": tensors["lm_head.weight"]}
        for i in range(2):
            at = f"transformer.h.{i}."
            for layer, name, shape in (("query0", "attn.q_proj", (64, 64)), ("key0", "attn.k_proj", (64, 64)),
                                       ("value", "attn.v_proj", (64, 64)), ("project", "attn.out_proj", (64, 64)),
                                       ("expand", "mlp.fc_in", (96, 64)), ("reduce", "mlp.fc_out", (64, 96))):
                expected[f"block{i}.{layer}"] = tensors[f"{at}{name}.weight"] = self.pruned(*shape)
        self.landed("gpt-j-6b.yaml", shared + ["rotary_channels=8"], "hf-gptj", tensors, expected)

    def test_bert_and_gpt2(self):
        names = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
                 "project": "attention.output.dense", "expand": "intermediate.dense", "reduce": "output.dense"}
        tensors = {"bert.embeddings.word_embeddings.weight": self.pruned(40, 64), "qa_outputs.weight": self.pruned(2, 64)}
        expected = {"words": tensors["bert.embeddings.word_embeddings.weight"], "answer": tensors["qa_outputs.weight"]}
        for i in range(2):
            for layer, name in names.items():
                shape = {"expand": (96, 64), "reduce": (64, 96)}.get(layer, (64, 64))
                expected[f"block{i}.{layer}"] = tensors[f"bert.encoder.layer.{i}.{name}.weight"] = self.pruned(*shape)
        self.landed("bert-base.yaml", ["layers=2", "hidden=64", "heads=4", "feed_forward=96", "vocabulary=40", "sequence=2"],
                    "hf-bert", tensors, expected)
        table, fused = self.pruned(40, 768), self.pruned(768, 2304)
        tensors = {"wte.weight": table, "h.0.attn.c_attn.weight": fused, "h.0.attn.c_proj.weight": self.pruned(768, 768),
                   "h.0.mlp.c_fc.weight": self.pruned(768, 96), "h.0.mlp.c_proj.weight": self.pruned(96, 768)}
        expected = {"embedded": table, "logits": table, "block0.query": fused[:, :768].T, "block0.key": fused[:, 768:1536].T,
                    "block0.value": fused[:, 1536:].T, "block0.project": tensors["h.0.attn.c_proj.weight"].T,
                    "block0.expand": tensors["h.0.mlp.c_fc.weight"].T, "block0.reduce": tensors["h.0.mlp.c_proj.weight"].T}
        self.landed("gpt-2.yaml", ["layers=1", "feed_forward=96", "vocabulary=40", "decode=0", "tokens=2"], "hf-gpt2", tensors,
                    expected)

    def test_mobilenet_of_torchvision(self):
        try:
            import torchvision
        except ImportError as error:
            self.skipTest(f"torchvision is not installed ({error})")
        torch.manual_seed(1)
        net = torchvision.models.mobilenet_v2()
        for module in net.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
                torch.nn.utils.prune.random_unstructured(module, "weight", 0.6)
                torch.nn.utils.prune.remove(module, "weight")
        state = {name: value.numpy() for name, value in net.state_dict().items() if value.dtype == torch.float32}
        to_ours = lambda w: w.transpose(0, 2, 3, 1).reshape(len(w), -1) if w.ndim == 4 else w
        at = {"conv0": "features.0.0", "block1.depthwise": "features.1.conv.0.0", "block1.project": "features.1.conv.1",
              "conv_last": "features.18.0", "classifier": "classifier.1"}
        for i in range(2, 18):
            at.update({f"block{i}.expand": f"features.{i}.conv.0.0", f"block{i}.depthwise": f"features.{i}.conv.1.0",
                       f"block{i}.project": f"features.{i}.conv.2"})
        expected = {layer: to_ours(state[f"{name}.weight"]) for layer, name in at.items()}
        self.landed("mobilenet-v2.yaml", ["size=32"], "torchvision-mobilenet-v2", state, expected)


class BadModels(Folder):
    """Refused with one line, the operator's name in it."""

    def setUp(self):
        super().setUp()
        self.x = self.file("x.npy", self.rng.standard_normal((1, 4, 6, 6)).astype(np.float32))
        self.w = self.rng.standard_normal((4, 4, 3, 3)).astype(np.float32)

    def refused_model(self, message, nodes, constants=None, shape=(1, 4, 6, 6), inputs=None):
        data = model(nodes, [("x", list(shape))], [("y", None)], {"w": self.w} | (constants or {}))
        self.refused(message, "onnx", self.file("m.onnx", data), "--inputs", inputs or self.x)

    def test_operators(self):
        node = helper.make_node
        conv = node("Conv", ["x", "w"], ["c"])
        self.refused_model("operator CumSum ('y')", [conv, node("CumSum", ["c", "a"], ["y"])],
                           {"a": np.array(1, np.int64)})
        self.refused_model("with dilations [2, 2]", [node("Conv", ["x", "w"], ["y"], dilations=[2, 2])])
        self.refused_model("differ between the two sides", [node("Conv", ["x", "w"], ["y"], pads=[0, 0, 1, 1])])
        self.refused_model("auto_pad SAME_UPPER", [node("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER")])
        self.refused_model("with ceil_mode", [conv, node("MaxPool", ["c"], ["y"], kernel_shape=[3, 3],
                                                         strides=[2, 2], ceil_mode=1)])
        self.refused_model("along an axis that is not the last", [conv, node("Softmax", ["c"], ["y"], axis=1)])
        self.refused_model("cuts across an axis",
                           [conv, node("Reshape", ["c", "s"], ["r"]), node("Relu", ["r"], ["y"])],
                           {"s": np.array([1, 4, 12], np.int64), "w": self.w[:3]})
        self.refused_model("operator custom::Thing", [node("Thing", ["x"], ["y"], domain="custom")])

    def test_every_other_operator_by_its_name(self):
        """Whatever the chip has nothing for; behind a convolution, so that the host does not do it."""
        node = helper.make_node
        conv = node("Conv", ["x", "w"], ["c"])
        index, one = np.array([0], np.int64), np.ones(1, np.float32)
        for op, inputs, attributes in (
                ("ConvTranspose", ["c", "w"], {}), ("InstanceNormalization", ["c", "b", "b"], {}), ("LSTM", ["c", "w", "w"], {}),
                ("GRU", ["c", "w", "w"], {}), ("TopK", ["c", "i"], {}), ("ArgMax", ["c"], {"axis": 1}), ("NonZero", ["c"], {}),
                ("ScatterND", ["c", "i", "c"], {}), ("GatherElements", ["c", "i"], {}), ("DepthToSpace", ["c"], {"blocksize": 2}),
                ("LpNormalization", ["c"], {}), ("LRN", ["c"], {"size": 3}), ("GlobalMaxPool", ["c"], {}), ("Round", ["c"], {}),
                ("RoiAlign", ["c", "b", "i"], {}), ("GridSample", ["c", "c"], {}), ("ReduceSum", ["c"], {}), ("Trilu", ["c"], {}),
                ("Einsum", ["c"], {"equation": "abcd->adcb"}), ("Mod", ["c", "o"], {}),
                ("RotaryEmbedding", ["c", "c", "c"], {}), ("Attention", ["c", "c", "c"], {}), ("QLinearAdd", ["c"], {})):
            self.refused_model(f"operator {op} ('", [conv, node(op, inputs, ["y"], **attributes)],
                               {"i": index, "o": one, "b": np.ones(4, np.float32)})
        loop = helper.make_graph([node("Relu", ["z"], ["r"])], "body", [], [])
        self.refused_model("operator If ('y'): has a subgraph", [conv, node("If", ["t"], ["y"], then_branch=loop, else_branch=loop)],
                           {"t": np.array(True)})

    def test_an_output_that_is_seen_through_a_view(self):
        node = helper.make_node
        data = model([node("Conv", ["x", "w"], ["c"]), node("Reshape", ["c", "s"], ["r"]), node("Relu", ["r"], ["y"])],
                     [("x", [1, 4, 6, 6])], [("y", None)], {"w": self.w, "s": np.array([1, 2, 32], np.int64)})
        _, _, _, provenance = self.imported("onnx", self.file("m.onnx", data), "--inputs", self.x)
        self.assertLess(provenance["relative_error"], 0.05)

    def test_files_and_inputs(self):
        node = helper.make_node
        good = model([node("Conv", ["x", "w"], ["y"])], [("x", [1, 4, 6, 6])], [("y", None)], {"w": self.w})
        path = self.file("m.onnx", good)
        self.refused("cannot open", "onnx", self.file("none.onnx"), "--inputs", self.x)
        self.refused("is not an ONNX model", "onnx", self.file("bad.onnx", b"\x00not onnx"), "--inputs", self.x)
        self.refused("is not an ONNX model", "onnx", self.file("empty.onnx", b""), "--inputs", self.x)
        self.refused("cannot open", "onnx", path, "--inputs", self.file("none.npy"))
        self.refused("is not an array of numpy", "onnx", path, "--inputs", self.file("t.npy", "text"))
        self.refused("has shape [1, 3], but the network wants [samples, 4, 6, 6]", "onnx", path, "--inputs",
                     self.file("s.npy", np.zeros((1, 3), np.float32)))
        self.refused("not finite", "onnx", path, "--inputs", self.file("n.npy", np.full((1, 4, 6, 6), np.nan)))
        self.refused("has no array 'x'", "onnx", path, "--inputs", self.file("n.npz", {"y": np.zeros(1)}))
        self.refused("--labels must be one array", "onnx", path, "--inputs", self.x, "--labels",
                     self.file("l.npy", np.zeros(3)))
        self.refused("is not a state dict", "state", self.file("s.pt", "text"))
        self.refused("is not MODULE:FUNCTION", "torch", "nothing", "--inputs", self.x)

    def test_what_does_not_follow_is_not_written(self):
        # One channel is a thousand times another: eight bits for both cannot hold it.
        node = helper.make_node
        w = np.zeros((2, 4, 1, 1), np.float32)
        w[0], w[1] = 1000, 1
        data = model([node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "f"], ["y"])], [("x", [1, 4, 6, 6])],
                     [("y", None)], {"w": w, "f": np.array(1e-3, np.float32)})
        graph = onnx_graph.prepared(data)
        self.assertEqual([n.op for n in graph.nodes], ["Conv", "Mul"])
        original = importer.MAX_ERROR
        importer.MAX_ERROR = 1e-9
        self.addCleanup(setattr, importer, "MAX_ERROR", original)
        status, out, err = run("onnx", self.file("m.onnx", data), "--inputs", self.x, "--out", self.file("out"))
        self.assertEqual(status, 1)
        self.assertIn("does not follow the float one", err)
        self.assertFalse(os.path.exists(self.file("out")))


if __name__ == "__main__":
    support.main()
