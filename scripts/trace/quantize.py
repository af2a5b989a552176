# SPDX-License-Identifier: Apache-2.0
"""A trained float network -> workload layers and INT8 tensors (docs/reference/numerics.md).

Scales: activations per tensor from the largest magnitude on training images (u8 after ReLU and softmax,
s8 else), weights per output channel. Every real factor becomes an integer multiplier and a shift.
"""
import math

import numpy as np

import data
import models

PERCENTILE = 99.995      # of magnitudes; the few beyond saturate


class Quantizer:
    """Collects layers and tensors of one network. `scale[name]` is the real value of code 1."""

    def __init__(self, model, record):
        self.model, self.record = model, record
        self.layers, self.tensors, self.scale, self.type = [], {}, {}, {}
        self.gated = []      # layers whose output feeds the engine: gate by calibration

    def observe(self, name, kind, scale=None):
        """Fixes type and scale of the output of `name`."""
        if scale is None:
            top = np.percentile(np.abs(self.record[name]), PERCENTILE)
            scale = max(float(top), 1e-6) / (255 if kind == "u8" else 127)
        self.scale[name], self.type[name] = scale, kind
        return scale

    def append(self, layer, name, kind, gated, relu=False):
        output = {"type": kind}
        if relu:
            output["clamp"] = [0, 255 if kind == "u8" else 127]
        if gated:
            output["gate"] = 0
            self.gated.append(name)
        layer["output"] = output
        self.layers.append(layer)

    def requantize(self, name, factors, biases):
        """Tensors of y = (acc + bias) * factor; factors and biases (in accumulator units) are vectors."""
        pairs = [multiplier_shift(f) for f in factors]
        self.tensors[f"{name}.bias"] = np.clip(np.rint(biases), -(1 << 31), (1 << 31) - 1).astype(np.int32)
        self.tensors[f"{name}.multiplier"] = np.array([m for m, _ in pairs], dtype=np.int32)
        self.tensors[f"{name}.shift"] = np.array([s for _, s in pairs], dtype=np.uint8)
        return {k: f"{name}.{k}" for k in ("bias", "multiplier", "shift")}

    def weights(self, name, source, output, weight, bias, steps=None):
        """Quantizes `weight` [N, ..., K] and `bias` [N] (real values); returns the weights and requantize
        entries of the layer. `steps`: the real value of code 1 per channel, where it is given."""
        top = np.abs(weight).reshape(weight.shape[0], -1).max(axis=1)
        s_in, s_out = self.scale[source], self.scale[output]
        # A channel without weights still has a bias; its scale only has to represent that.
        step = np.maximum(top / 127, np.maximum(np.abs(bias) / (s_in * (1 << 28)), 1e-9)) if steps is None else steps
        shape = (-1,) + (1,) * (weight.ndim - 1)
        codes = np.clip(np.rint(weight / step.reshape(shape)), -127 if steps is None else -128, 127).astype(np.int8)
        self.tensors[f"{name}.weight"] = codes
        entry = self.requantize(name, s_in * step / s_out, bias / (s_in * step))
        return {"weights": {"tensor": f"{name}.weight"}, "requantize": entry}

    def engine_layer(self, name, source, kind, module=None, gated=True, relu=False):
        """conv2d or linear with the float layer `module` (default: the one of that name)."""
        module = self.model.engine[module or name]
        self.observe(name, kind)
        layer = {"name": name, "op": "linear", "input": source}
        weight = module.weight.detach()
        if weight.dim() == 4:
            layer.update(op="conv2d", kernel=list(module.kernel_size), stride=list(module.stride),
                         padding=list(module.padding))
            weight = weight.permute(0, 2, 3, 1)
        layer["out_channels"] = weight.shape[0]
        layer.update(self.weights(name, source, name, weight.double().numpy(),
                                  module.bias.detach().double().numpy()))
        self.append(layer, name, kind, gated, relu)

    def matmul(self, name, left, right, heads, transpose, factor, gated):
        self.observe(name, "s8")
        real = self.scale[left] * self.scale[right] * factor / self.scale[name]
        layer = {"name": name, "op": "matmul", "input": left, "right": right, "heads": heads,
                 "transpose_right": transpose, "requantize": self.requantize(name, [real], np.zeros(1))}
        self.append(layer, name, "s8", gated)

    def softmax(self, name, source, heads):
        self.observe(name, "u8", 1.0 / 255)
        steps = np.arange(256)
        self.tensors[f"{name}.table"] = np.rint(np.exp(-steps * self.scale[source]) * 32767).astype(np.uint16)
        self.append({"name": name, "op": "softmax", "input": source, "heads": heads,
                     "table": f"{name}.table"}, name, "u8", True)

    def layer_norm(self, name, source):
        module, shift = self.model.norm[name], 20
        out = self.observe(name, "s8")
        gamma, beta = (p.detach().double().numpy() for p in (module.weight, module.bias))
        self.tensors[f"{name}.gamma"] = np.rint(gamma / out * (1 << shift) / 4096).astype(np.int32)
        self.tensors[f"{name}.beta"] = np.rint(beta / out * (1 << shift)).astype(np.int32)
        self.append({"name": name, "op": "layer_norm", "input": source, "gamma": f"{name}.gamma",
                     "beta": f"{name}.beta", "shift": shift}, name, "s8", name != "norm")

    def add(self, name, left, right, kind, gated=False, constant=None):
        """right: an earlier layer, or a constant tensor if `constant` (real values) is given."""
        shift, out = 20, self.observe(name, kind)
        operand, scale = right, self.scale.get(right)
        if constant is not None:
            scale = float(np.abs(constant).max()) / 127
            self.tensors[right] = np.rint(constant / scale).astype(np.int8)
            operand = {"tensor": right}
        multipliers = [int(round(s / out * (1 << shift))) for s in (self.scale[left], scale)]
        self.append({"name": name, "op": "add", "input": left, "right": operand,
                     "multiplier": multipliers, "shift": shift}, name, kind, gated, relu=kind == "u8")

    def lookup(self, name, source, function, kind):
        out, low = self.observe(name, kind), (0 if self.type[source] == "u8" else -128)
        values = np.array([function((low + i) * self.scale[source]) for i in range(256)])
        lo, hi = (0, 255) if kind == "u8" else (-128, 127)
        codes = np.clip(np.rint(values / out), lo, hi)
        self.tensors[f"{name}.table"] = codes.astype(np.uint8 if kind == "u8" else np.int8)
        self.append({"name": name, "op": "lookup", "input": source, "table": f"{name}.table"}, name,
                    kind, True)

    def max_pool(self, name, source, size):
        self.scale[name], self.type[name] = self.scale[source], self.type[source]
        self.layers.append({"name": name, "op": "max_pool", "input": source, "kernel": [size, size],
                            "stride": [size, size]})

    def average_pool(self, name, source, count, kind):
        out = self.observe(name, kind)
        multiplier, shift = multiplier_shift(self.scale[source] / (count * out))
        self.append({"name": name, "op": "average_pool", "input": source, "multiplier": multiplier,
                     "shift": shift}, name, kind, True)


def multiplier_shift(factor):
    """(m, s) with m / 2^s = factor, m in [2^30, 2^31) where s allows it, s in 1..62."""
    _, exponent = math.frexp(factor)
    shift = min(62, max(1, 31 - exponent))
    return min(int(round(factor * 2.0 ** shift)), (1 << 31) - 1), shift


def gelu(x):
    return 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0)))


def quantize_cnn(model, record):
    q = Quantizer(model, record)
    q.observe("image", "u8", data.INPUT_SCALE)
    q.engine_layer("conv1", "image", "u8", relu=True)
    q.engine_layer("conv2", "conv1", "s8", gated=False)
    q.add("residual", "conv1", "conv2", "u8", gated=True)
    q.engine_layer("conv3", "residual", "u8", relu=True)
    q.engine_layer("conv4", "conv3", "u8", relu=True)
    q.engine_layer("conv5", "conv4", "u8", gated=False, relu=True)
    q.max_pool("pool", "conv5", 2)
    q.average_pool("average", "pool", 4, "u8")
    q.engine_layer("logits", "average", "s8", module="classify", gated=False)
    return q, {"name": "image", "shape": [8, 8, 1], "type": "u8", "tensor": "input"}


def quantize_transformer(model, record):
    q = Quantizer(model, record)
    q.observe("patches", "u8", data.INPUT_SCALE)
    q.engine_layer("embed", "patches", "s8", gated=False)
    q.add("position", "embed", "position.embedding", "s8",
          constant=model.position.detach().double().numpy())
    x = "position"
    for b in range(model.blocks):
        n = f"block{b}_"
        q.layer_norm(n + "norm1", x)
        for part in ("query", "key", "value"):
            q.engine_layer(n + part, n + "norm1", "s8")
        q.matmul(n + "scores", n + "query", n + "key", model.heads, True,
                 1.0 / math.sqrt(model.width / model.heads), gated=False)
        q.softmax(n + "softmax", n + "scores", model.heads)
        q.matmul(n + "attend", n + "softmax", n + "value", model.heads, False, 1.0, gated=True)
        q.engine_layer(n + "project", n + "attend", "s8", gated=False)
        q.add(n + "sum1", n + "project", x, "s8")
        q.layer_norm(n + "norm2", n + "sum1")
        q.engine_layer(n + "expand", n + "norm2", "s8", gated=False)
        q.lookup(n + "gelu", n + "expand", gelu, "s8")
        q.engine_layer(n + "reduce", n + "gelu", "s8", gated=False)
        q.add(n + "sum2", n + "reduce", n + "sum1", "s8")
        x = n + "sum2"
    q.layer_norm("norm", x)
    q.average_pool("average", "norm", model.tokens, "s8")
    q.engine_layer("logits", "average", "s8", module="classify", gated=False)
    return q, {"name": "patches", "shape": [16, 4], "type": "u8", "tensor": "input"}


def quantize(model, codes):
    """(Quantizer, input entry): the INT8 network, scales calibrated on `codes`."""
    build = quantize_cnn if isinstance(model, models.Cnn) else quantize_transformer
    return build(model, models.recorded(model, codes))
