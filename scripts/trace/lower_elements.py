# SPDX-License-Identifier: Apache-2.0
"""Element-wise operators: functions of one tensor, factors and summands, sums and products of two."""
import math

import numpy as np
import torch

import axes
import onnx_eval
import onnx_graph
import quantize
from lower_values import HIDDEN, Engine, Function, Host, Masked, Tensor, Value


class Elements:
    def function(self, node, run, tensor):
        made = Function(run)
        made.name, made.tensor = onnx_graph.layer_name(node), node.outputs[0]
        self.env[node.outputs[0]] = Tensor(tensor.value, tensor.dims, 1.0, made)
        # The factor is part of `run`, which sees the bare value.

    def unary(self, node):
        tensor = self.on_chip(node.inputs[0], node)
        rest = [self.env[n] for n in node.inputs[1:]]
        if any(not (r is None or isinstance(r, np.ndarray)) for r in rest):
            node.refuse("with bounds that are not constant cannot be lowered")
        if node.op in ("Identity", "Dropout"):
            self.env[node.outputs[0]] = tensor
            return
        rest = [None if r is None else torch.from_numpy(np.array(r)).double() for r in rest]
        cap = self.rectified(node, rest)
        scalable = tensor.factor == 1.0 or (tensor.factor > 0 and isinstance(tensor.value.parts, Engine))
        if cap is not None and tensor.function is None and scalable and self.alone(node.inputs[0]) \
                and not tensor.value.done and tensor.value.grid is None and tensor.value.parts is not None:
            self.clamp(node, tensor, cap)
            return
        self.function(node, lambda x: onnx_eval.evaluate(node, [tensor.real(x)] + rest)[0], tensor)

    @staticmethod
    def rectified(node, rest):
        """Upper bound of what clips at 0 from below (inf for ReLU), else None."""
        if node.op == "Relu":
            return math.inf
        if node.op == "Clip":
            low = node.attributes.get("min", rest[0].item() if rest and rest[0] is not None else -math.inf)
            high = node.attributes.get("max", rest[1].item() if len(rest) > 1 and rest[1] is not None else math.inf)
            if low == 0 and high > 0:
                return high
        return None

    def clamp(self, node, tensor, cap):
        """The value's layer clips at 0 itself."""
        old = tensor.value
        parts = old.parts.scaled(tensor.factor).changed(cap=cap) if isinstance(old.parts, Engine) else dict(old.parts, cap=cap)
        value = Value(old.name, node.outputs[0], old.rows, old.cols, old.emit, old.is_map, parts, "u8", old.map_shape)
        self.env[node.outputs[0]] = Tensor(value, tensor.dims)

    def binary(self, node):
        one, two = (self.on_chip(n, node) if isinstance(self.env[n], (Tensor, Masked)) else self.env[n] for n in node.inputs)
        if isinstance(one, Host):
            one = self.host_operand(node, 0)
        if isinstance(two, Host):
            two = self.host_operand(node, 1)
        if isinstance(one, np.ndarray) or isinstance(two, np.ndarray):
            tensor, constant, first = (two, one, True) if isinstance(one, np.ndarray) else (one, two, False)
            self.with_constant(node, tensor, constant, first)
            return
        same = one.value is two.value and [axes.leaves(d) for d in one.dims] == [axes.leaves(d) for d in two.dims]
        if same and (one.function or two.function or node.op != "Add"):
            self.function(node, lambda x: onnx_eval.evaluate(node, [one.real(x), two.real(x)])[0], one)
        elif node.op in ("Add", "Sub"):
            self.add(node, one, two, -1 if node.op == "Sub" else 1)
        else:
            self.two_tensors(node, one, two)

    def two_tensors(self, node, one, two):
        if node.op != "Mul":
            node.refuse("of two tensors that are both computed cannot be lowered")
        shapes = [self.shape(name) for name in node.inputs]
        if shapes[0] != shapes[1] or one.value.is_map != two.value.is_map:
            if (math.prod(shapes[0]), one.value.is_map) < (math.prod(shapes[1]), two.value.is_map):
                one, two = two, one
            self.channel_factor(node, one, two)
        else:
            self.same_layout(node, one, two)

        def emit(value):
            (_, left), (_, right) = self.read(one, node), self.read(two, node)
            signed = "s8" in (self.type[left], self.type[right])
            self.observe_range(value.name, value.tensor, "s8" if signed else "u8", value.grid)
            multiplier, shift = quantize.multiplier_shift(
                self.scale[left] * self.scale[right] / self.scale[value.name])
            self.append({"name": value.name, "op": "multiply", "input": self.name_of(left),
                         "right": self.name_of(right), "multiplier": multiplier, "shift": shift}, value.name,
                        self.type[value.name], gated=True)
        value = self.value(node, one.value.rows, one.value.cols, emit, is_map=one.value.is_map, map_shape=one.value.map_shape)
        self.env[node.outputs[0]] = Tensor(value, one.dims)

    @staticmethod
    def channel_factor(node, one, two):
        """Checks that `two` holds a factor for each channel of `one` (squeeze-and-excite)."""
        fits = len(one.dims) == len(two.dims) and not axes.leaves(two.value.rows)
        where = [i for i, d in enumerate(two.dims) if axes.leaves(d)]
        fits = fits and len(where) == 1 and axes.refine(one.dims[where[0]], two.dims[where[0]])
        if not fits or axes.leaves(one.dims[where[0]]) != axes.leaves(one.value.cols) or \
                axes.leaves(two.dims[where[0]]) != axes.leaves(two.value.cols):
            node.refuse("of one tensor and another that is no factor for each of its channels cannot be lowered")

    def host_operand(self, node, index):
        """A mask of zeros is as good as none, one that is the same for all samples is a constant; anything else becomes
        an input."""
        name = node.inputs[index]
        low, high, _ = self.ranges.get(name, (1, 1, 1))
        if low == 0 and high == 0:
            return np.zeros(1)
        if low <= HIDDEN:
            if name in self.varying:
                node.refuse("with a mask that differs between the samples cannot be lowered")
            return self.sample[name].numpy()
        return self.on_chip(name, node)

    def with_constant(self, node, tensor, constant, first):
        value = tensor.value
        if node.op in ("Add", "Sub") and not first and not constant.any():
            self.env[node.outputs[0]] = tensor
            return
        if constant.size == 1:
            number = float(constant.reshape(-1)[0])
            scales = node.op == "Mul" or (node.op == "Div" and not first)
            factor = number if node.op == "Mul" else 1 / number if scales and number else 0
            if scales and factor > 0 and tensor.function is None:
                self.env[node.outputs[0]] = Tensor(value, tensor.dims, tensor.factor * factor)
                return
            scalar = torch.tensor(number, dtype=torch.float64)

            def run(x):
                x = tensor.real(x)
                return onnx_eval.evaluate(node, [scalar, x] if first else [x, scalar])[0]
            self.function(node, run, tensor)
            return
        if self.added_mask(node, tensor, constant):
            return
        if self.channel_constant(node, tensor, constant, first):
            return
        if node.op == "Add" and list(np.broadcast_shapes(constant.shape, tuple(self.shape(node.outputs[0])))) \
                == self.shape(node.outputs[0]):
            self.add_constant(node, tensor, constant)
            return
        node.refuse("with a constant of this shape cannot be lowered")

    def channel_constant(self, node, tensor, constant, first):
        """A factor or summand for each output channel of a convolution or linear layer becomes part of it."""
        value = tensor.value
        if not isinstance(value.parts, Engine) or value.done or tensor.function or value.parts.cap is not None \
                or not self.alone(node.inputs[1 if first else 0]):
            return False
        if node.op not in ("Add", "Sub", "Mul", "Div") or (node.op == "Div" and first):
            return False
        rank = len(tensor.dims)
        shape = [1] * (rank - constant.ndim) + list(constant.shape)
        where = [i for i, n in enumerate(shape) if n > 1]
        cols = axes.leaves(value.cols)
        if len(where) != 1 or axes.leaves(tensor.dims[where[0]]) != cols:
            return False
        vector, parts = constant.reshape(-1).astype(np.float64), value.parts.scaled(tensor.factor)
        if node.op in ("Mul", "Div"):
            vector = vector if node.op == "Mul" else 1 / vector
            weight = parts.weight * vector.reshape((-1,) + (1,) * (parts.weight.ndim - 1))
            steps = None if parts.steps is None else parts.steps * np.abs(vector)
            parts = parts.changed(weight=weight, bias=parts.bias * vector, steps=steps)
        else:
            signs = (-1, 1) if node.op == "Sub" and first else (1, -1 if node.op == "Sub" else 1)
            weight = parts.weight * signs[0]
            parts = parts.changed(weight=weight, bias=signs[0] * parts.bias + signs[1] * vector)
        self.env[node.outputs[0]] = Tensor(self.continued(value, node, parts), tensor.dims)
        return True

    def continued(self, old, node, parts, cols=None):
        """`old` with other parts, not yet emitted; it holds the node's output."""
        return Value(old.name, node.outputs[0], old.rows, old.cols if cols is None else cols, old.emit,
                     old.is_map, parts, old.kind, old.map_shape)

    def same_layout(self, node, one, two):
        """Checks that two tensors lie in their values in the same way."""
        if self.shape(node.inputs[0]) != self.shape(node.inputs[1]):
            node.refuse("of two shapes cannot be lowered")
        for a, b in zip(one.dims, two.dims):
            if not axes.refine(a, b):
                node.refuse("of two tensors that are laid out differently cannot be lowered")
        if one.value.is_map != two.value.is_map:
            self.as_pixels(two.value if one.value.is_map else one.value)
        same = (axes.order(one.dims, one.value.storage()) == axes.order(two.dims, two.value.storage())
                and axes.size(one.value.rows) == axes.size(two.value.rows))
        if not same or one.value.is_map != two.value.is_map:
            node.refuse("of two tensors that are laid out differently cannot be lowered")

    def add(self, node, one, two, sign):
        self.same_layout(node, one, two)

        def emit(value):
            (_, left), (_, right) = self.read(one, node), self.read(two, node)
            self.emit_add(value, left, right, self.name_of(right), sign)
        value = self.value(node, one.value.rows, one.value.cols, emit, is_map=one.value.is_map, parts={"cap": None},
                           map_shape=one.value.map_shape)
        self.env[node.outputs[0]] = Tensor(value, one.dims)

    @staticmethod
    def name_of(key):
        return key[0] if isinstance(key, tuple) else key

    def emit_add(self, value, left, right, operand, sign=1):
        cap = value.parts["cap"]
        signed = cap is None and (sign < 0 or "s8" in (self.type[left], self.type[right]))
        self.observe_range(value.name, value.tensor, "s8" if signed else "u8", value.grid)
        kind, out, shift = self.type[value.name], self.scale[value.name], 20
        multipliers = [int(round(s / out * (1 << shift))) for s in (self.scale[left], sign * self.scale[right])]
        self.append({"name": value.name, "op": "add", "input": self.name_of(left), "right": operand,
                     "multiplier": multipliers, "shift": shift}, value.name, kind, gated=True)
        self.set_clamp(value.name, cap)

    def set_clamp(self, name, cap):
        if cap is None:
            return
        top = 255 if self.type[name] == "u8" else 127
        high = top if math.isinf(cap) else max(1, min(top, int(round(cap / self.scale[name]))))
        self.layers[-1]["output"]["clamp"] = [0, high]

    def add_constant(self, node, tensor, constant):
        """A constant of the whole shape (an embedding of positions)."""
        shape = self.shape(node.outputs[0])
        order = axes.order(tensor.dims, tensor.value.storage())
        full = np.broadcast_to(constant, shape).astype(np.float64)
        sizes = [leaf.size for dim in tensor.dims for leaf in axes.leaves(dim)]
        places = [(d, i) for d, dim in enumerate(tensor.dims) for i, _ in enumerate(axes.leaves(dim))]
        if None in order or sorted(order) != sorted(places):
            node.refuse("of a constant to a tensor that is not whole cannot be lowered")
        full = full.reshape(sizes).transpose([places.index(p) for p in order])
        value_shape = self.stored_shape(tensor.value)

        def emit(value):
            _, left = self.read(tensor, node)
            name = f"{value.name}.constant"
            step = max(float(np.abs(full).max()), 1e-9) / 127
            self.tensors[name] = np.rint(full.reshape(value_shape) / step).astype(np.int8)
            self.scale[name], self.type[name] = step, "s8"
            self.emit_add(value, left, name, {"tensor": name})
        value = self.value(node, tensor.value.rows, tensor.value.cols, emit, is_map=tensor.value.is_map,
                           parts={"cap": None}, map_shape=tensor.value.map_shape)
        self.env[node.outputs[0]] = Tensor(value, tensor.dims)

    def stored_shape(self, value):
        if value.is_map:
            return list(value.map_shape)
        return [max(1, axes.size(value.rows)), max(1, axes.size(value.cols))]
