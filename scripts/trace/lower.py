# SPDX-License-Identifier: Apache-2.0
"""A float network (onnx_graph.Graph) -> layers of a workload and INT8 tensors.

Each tensor of the graph becomes one of
- a constant (only constants and shapes go into it),
- Host: computed before the first operator of the chip (look-ups of token numbers, scaling of pixels); it turns
  into an input of the workload when the chip first reads it,
- Tensor: a value of the workload seen through dimensions (axes.py), perhaps times a factor or through a function of
  one variable. The factor goes into the scales of the reader, the function becomes a `lookup` when it is read.

Layers are emitted when somebody reads them, so that a bias, a batch norm, a ReLU or a split of the output
channels that follows still becomes part of them. What does not fit is refused with the operator's name.
"""
import math

import numpy as np
import torch

import axes
import onnx_eval
import onnx_graph
import quantize
from lower_decoder import DecoderOps
from lower_elements import Elements
from lower_engine import EngineOps
from lower_values import Host, Masked, Tensor, Value
from lower_vector import VectorOps
from lower_views import Views

# Operators that run on the chip even when they read what the host computed.
CHIP = {"Conv", "Gemm", "MatMul", "LayerNormalization", "RMSNormalization", "Softmax", "MaxPool", "GlobalAveragePool", "AveragePool",
        "QuantizeLinear", "DequantizeLinear"}

# Operators whose output is their input, seen another way.
PASS_ON = {"Identity", "Dropout", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Expand", "Pad",
           "QuantizeLinear", "DequantizeLinear"}


class Lowering(Elements, Views, EngineOps, VectorOps, DecoderOps, quantize.Quantizer):
    """`ranges`: tensor -> (lowest, highest, largest magnitude without outliers), over the calibration; `varying`: tensors
    that are not the same for all samples."""

    def __init__(self, graph, sample, ranges, varying):
        super().__init__(None, None)
        self.graph, self.sample, self.ranges, self.varying = graph, sample, ranges, varying
        self.constant = onnx_eval.constant_tensors(graph)
        self.readers = graph.consumers()
        self.env, self.inputs, self.input_tensors, self.made = {}, [], {}, {}
        self.selections = []     # layers whose weights only choose channels
        self.names, self.host_operators, self.free_inputs = set(), {}, set()
        self.makers = graph.producers()
        self.count_readers()
        self.find_rotary()
        for name in self.constant:
            self.env[name] = None if name == "" else sample[name].numpy()
        for name, _, _ in graph.inputs:
            self.env[name] = Host()

    # ---- Names, scales, emission ---------------------------------------------------------------------------

    def unique(self, name):
        candidate, count = name, 1
        while candidate in self.names:
            count += 1
            candidate = f"{name}.{count}"
        self.names.add(candidate)
        return candidate

    def observe_range(self, name, tensor, kind, grid=None):
        """Type and scale of a layer; `grid`: (scale, zero point, lowest, highest) of a QuantizeLinear."""
        low, high, top = self.ranges[tensor]
        if grid is not None:
            scale, zero, first, last = grid
            if zero == 0 and first == 0:                     # below zero nothing is left: the clamp of u8
                return self.observe(name, "u8", scale)
            if zero == (first + last + 1) // 2:
                return self.observe(name, "s8", scale)
            top = max(abs(first - zero), abs(last - zero)) * scale   # not symmetric: a coarser grid around 0
        return self.observe(name, kind, max(top, 1e-12) / (255 if kind == "u8" else 127))

    def read(self, tensor, node):
        """The tensor as a value that exists, without a function: (Tensor, key of its scale)."""
        if isinstance(tensor, Host):
            node.refuse("reads a tensor that is computed before the chip in a way that cannot be lowered")
        value = tensor.value
        if not value.done:
            value.done = True
            value.emit(value)
        if tensor.function is not None:
            key = (value, tensor.function, tensor.factor)
            if key not in self.made:
                self.made[key] = self.look_up(tensor)
            tensor = Tensor(self.made[key], tensor.dims)
            value = tensor.value
        key = value.name if tensor.factor == 1.0 else (value.name, tensor.factor)
        self.scale[key] = self.scale[value.name] * tensor.factor
        self.type[key] = self.type[value.name]
        return tensor, key

    def look_up(self, tensor):
        """A layer that applies the tensor's function to its value."""
        source = tensor.value
        signed = self.type[source.name] == "s8"
        codes = np.arange(-128, 128) if signed else np.arange(256)
        real = tensor.real(torch.from_numpy(codes * self.scale[source.name])).numpy()
        if not np.isfinite(real).all():
            raise onnx_graph.Unsupported("lookup", source.name, "a function is not finite over the whole range")
        function = tensor.function
        name = self.unique(function.name)
        kind = "u8" if real.min() >= 0 else "s8"
        if function.tensor in self.ranges:
            self.observe_range(name, function.tensor, kind, function.grid)
        else:
            self.observe(name, kind, max(float(np.abs(real).max()), 1e-12) / (255 if kind == "u8" else 127))
        kind = self.type[name]
        low, high = (0, 255) if kind == "u8" else (-128, 127)
        table = np.clip(np.rint(real / self.scale[name]), low, high)
        self.tensors[f"{name}.table"] = table.astype(np.uint8 if kind == "u8" else np.int8)
        self.append({"name": name, "op": "lookup", "input": source.name, "table": f"{name}.table"}, name, kind,
                    gated=True)
        value = Value(name, function.tensor, source.rows, source.cols, None, source.is_map, map_shape=source.map_shape)
        value.done = True
        return value

    def value(self, node, rows, cols, emit, **more):
        """A new value for the first output of a node."""
        return Value(self.unique(onnx_graph.layer_name(node)), node.outputs[0], rows, cols, emit, **more)

    def count_readers(self):
        """Tensor -> how many operators read its value, under whatever name it goes on (views, single joins,
        scalar factors); results of the network count, Shape does not."""
        root, count = {}, {}
        for node in self.graph.nodes:
            source = self.passed_on(node)
            if source is not None:
                root[node.outputs[0]] = root.get(source, source)
            elif node.op not in ("Shape", "Size"):
                for name in node.inputs:
                    count[root.get(name, name)] = count.get(root.get(name, name), 0) + 1
        for name in self.graph.outputs:
            count[root.get(name, name)] = count.get(root.get(name, name), 0) + 1
        self.root_of, self.reads = root, count

    def passed_on(self, node):
        """The input whose value a node hands on as it is, or None."""
        if node.op in PASS_ON or (node.op == "Concat" and len(node.inputs) == 1):
            return node.inputs[0]
        if node.op in ("Mul", "Div"):
            for name, other in (node.inputs, node.inputs[::-1]):
                if other in self.constant and self.sample[other].numel() == 1:
                    return name
        return None

    def alone(self, name):
        """Whether the value of a tensor has one reader only."""
        return self.reads.get(self.root_of.get(name, name), 0) == 1

    def as_patches(self, name, kernel):
        """A Host map [1, C, H, W] becomes an input of tokens: patches of `kernel`, in the order (r, s, c)."""
        _, channels, height, width = self.shape(name)
        (kh, kw), tokens = kernel, (height // kernel[0], width // kernel[1])

        def arrange(x):
            x = x[:, :, :tokens[0] * kh, :tokens[1] * kw].reshape(len(x), channels, tokens[0], kh, tokens[1], kw)
            return x.transpose(0, 2, 4, 3, 5, 1).reshape(len(x), tokens[0] * tokens[1], kh * kw * channels)
        stored = [tokens[0] * tokens[1], kh * kw * channels]
        rows, cols = axes.axis(tokens[0]) + axes.axis(tokens[1]), axes.axis(stored[1])
        return Tensor(self.input_value(name + "_patches", name, rows, cols, stored, arrange, False), [[], rows, cols])

    def input_value(self, label, name, rows, cols, stored, arrange, is_map):
        label = self.unique("".join(c if c.isalnum() or c in "_.-" else "_" for c in label).strip("_.") or "input")
        real = self.sample[name]
        low = self.ranges[name][0] if name in self.ranges else float(real.min())
        if name not in self.ranges:
            self.ranges[name] = (low, float(real.max()), float(real.abs().max()))
        kind = "u8" if low >= 0 else "s8"

        def emit(value):
            self.observe_range(label, name, kind, value.grid)
            self.inputs.append({"name": label, "shape": stored, "type": self.type[label], "tensor": f"{label}.input"})
            self.input_tensors[label] = (name, arrange)
        value = Value(label, name, rows, cols, emit, is_map=is_map, map_shape=tuple(stored) if is_map else None)
        self.free_inputs.add(value)
        return value

    def as_input(self, name, node):
        """A Host tensor (or a constant) becomes an input of the workload: [1, C, H, W], [1, T, C] or [1, C]."""
        shape = list(self.sample[name].shape)
        if not self.sample[name].is_floating_point():
            node.refuse(f"reads '{name}', whose numbers are not real; only look-ups may read it")
        if not shape or shape[0] != 1 or len(shape) not in (2, 3, 4):
            node.refuse(f"reads '{name}' of shape {shape}; an input must be [1, channels, rows, columns], "
                        "[1, tokens, channels] or [1, channels]")
        parts = [axes.axis(n) for n in shape]
        rows, cols = (parts[2] + parts[3], parts[1]) if len(shape) == 4 else (sum(parts[1:-1], []), parts[-1])
        is_map = len(shape) == 4
        stored = shape[2:] + [shape[1]] if is_map else [max(1, math.prod(shape[1:-1])), shape[-1]]
        value = self.input_value(name, name, rows, cols, stored,
                                 lambda x: x.transpose(0, 2, 3, 1) if is_map else x, is_map)
        self.env[name] = Tensor(value, parts)
        return self.env[name]

    def on_chip(self, name, node, repeated=False):
        """The tensor of that name; `repeated`: it may have axes along which it only repeats."""
        got = self.env[name]
        if isinstance(got, Masked):
            node.refuse("reads masked scores, which only a softmax may")
        if isinstance(got, Tensor) and not repeated and axes.is_repeated(got.dims):
            node.refuse("reads a tensor whose elements are repeated, which only a product of two tensors may")
        if isinstance(got, np.ndarray) or got is None:
            node.refuse(f"needs a tensor, but '{name}' is constant")
        return self.as_input(name, node) if isinstance(got, Host) else got

    def shape(self, name):
        return list(self.sample[name].shape)

    # ---- Walk ----------------------------------------------------------------------------------------------

    def run(self):
        for node in self.graph.nodes:
            if all(output in self.constant for output in node.outputs) or node in self.inside:
                continue
            if node in self.rotary:
                self.op_rotary(node)
                continue
            if not onnx_eval.known(node.op):
                node.refuse()
            handler = getattr(self, f"op_{node.op}", None)
            operands = [self.env[n] for n in node.inputs if n]
            on_host = all(isinstance(v, (Host, np.ndarray)) for v in operands)
            if on_host and node.op not in CHIP:
                self.host_operators[node.op] = self.host_operators.get(node.op, 0) + 1
                for output in node.outputs:
                    self.env[output] = Host()
            elif handler is not None:
                handler(node)
            elif node.op in onnx_eval.UNARY:
                self.unary(node)
            elif node.op in onnx_eval.BINARY:
                self.binary(node)
            else:
                node.refuse()
        results = []
        for name in self.graph.outputs:
            got = self.env.get(name)
            if not isinstance(got, Tensor) or axes.is_repeated(got.dims):
                raise onnx_graph.ImportError_(f"output '{name}' is not computed by any layer on the chip")
            self.result = self.read(got, self.makers[name])[0]
            results.append(self.result.value.name)
        assert len({layer["name"] for layer in self.layers}) == len(self.layers), "two layers have one name"
        return results

    def in_order(self, codes, shape):
        """Codes [samples, ...] of the result, as stored, in the order of the network's output."""
        stored = axes.leaves(self.result.value.storage())
        wanted = [leaf for dim in self.result.dims for leaf in axes.leaves(dim)]
        codes = codes.reshape([len(codes)] + [leaf.size for leaf in stored])
        return codes.transpose([0] + [1 + stored.index(leaf) for leaf in wanted]).reshape(shape)

    # ---- Quantized exports ---------------------------------------------------------------------------------

    def op_QuantizeLinear(self, node):
        """On activations: says the grid; the codes come with the layer that makes the tensor."""
        tensor = self.on_chip(node.inputs[0], node)
        scale = np.asarray(self.env[node.inputs[1]], dtype=np.float64).reshape(-1)
        zero = self.env[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else np.zeros((), np.uint8)
        if scale.size != 1:
            node.refuse("of an activation with a scale for each channel cannot be lowered")
        low, high = (0, 255) if zero.dtype == np.uint8 else (-128, 127)
        holder = tensor.function or tensor.value
        if holder.grid is None and not (holder is tensor.value and tensor.value.done):
            holder.grid = (float(scale[0]) / (1.0 if tensor.function else tensor.factor), int(zero.reshape(-1)[0]),
                           low, high)
        self.env[node.outputs[0]] = tensor

    def op_DequantizeLinear(self, node):
        self.env[node.outputs[0]] = self.on_chip(node.inputs[0], node)
