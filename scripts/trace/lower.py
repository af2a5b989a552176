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


class Value:
    """One output of the workload that is to be: storage [rows, cols]; `emit` makes the layer when it is first read.
    `tensor` is the graph's tensor whose real values it holds."""

    def __init__(self, name, tensor, rows, cols, emit, is_map=False, parts=None, kind=None):
        self.name, self.tensor, self.rows, self.cols, self.is_map = name, tensor, rows, cols, is_map
        self.emit, self.parts, self.kind, self.grid, self.done = emit, parts, kind, None, False

    def storage(self):
        return self.rows + self.cols


class Function:
    """real -> real, element by element; compared by identity."""

    def __init__(self, run):
        self.run, self.grid = run, None


class Tensor:
    def __init__(self, value, dims, factor=1.0, function=None):
        self.value, self.dims, self.factor, self.function = value, dims, factor, function

    def real(self, x):
        """What this tensor is where the value is `x`."""
        x = x * self.factor
        return self.function.run(x) if self.function else x

    def seen(self, dims):
        return Tensor(self.value, dims, self.factor, self.function)


class Host:
    """A tensor that is computed before the chip."""


class Engine:
    """Weights [N, r, s, c] or [N, K], bias [N] and where they apply: what later operators may still change."""

    def __init__(self, op, source, weight, bias, window=None, steps=None, cap=None):
        self.op, self.source, self.weight, self.bias = op, source, weight, bias
        self.window, self.steps, self.cap = window or {}, steps, cap

    def changed(self, **new):
        fields = {"op": self.op, "source": self.source, "weight": self.weight, "bias": self.bias,
                  "window": self.window, "steps": self.steps, "cap": self.cap}
        return Engine(**{**fields, **new})


class Lowering(quantize.Quantizer):
    """`ranges`: tensor -> (lowest, highest, largest magnitude without outliers), over the calibration."""

    def __init__(self, graph, sample, ranges):
        super().__init__(None, None)
        self.graph, self.sample, self.ranges = graph, sample, ranges
        self.constant = onnx_eval.constant_tensors(graph)
        self.readers = graph.consumers()
        self.env, self.inputs, self.input_tensors, self.made = {}, [], {}, {}
        self.names, self.host_operators = set(), {}
        self.makers = graph.producers()
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
            if zero == 0 and first == 0 and kind != "s8":
                return self.observe(name, "u8", scale)
            if zero == (first + last + 1) // 2:
                return self.observe(name, "s8", scale)
            top = max(abs(first - zero), abs(last - zero)) * scale   # not symmetric: a coarser grid around 0
        return self.observe(name, kind, max(top, 1e-6) / (255 if kind == "u8" else 127))

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
            self.observe(name, kind, max(float(np.abs(real).max()), 1e-6) / (255 if kind == "u8" else 127))
        kind = self.type[name]
        low, high = (0, 255) if kind == "u8" else (-128, 127)
        table = np.clip(np.rint(real / self.scale[name]), low, high)
        self.tensors[f"{name}.table"] = table.astype(np.uint8 if kind == "u8" else np.int8)
        self.append({"name": name, "op": "lookup", "input": source.name, "table": f"{name}.table"}, name, kind,
                    gated=True)
        value = Value(name, function.tensor, source.rows, source.cols, None, source.is_map)
        value.done = True
        return value

    def value(self, node, rows, cols, emit, **more):
        """A new value for the first output of a node."""
        return Value(self.unique(onnx_graph.layer_name(node)), node.outputs[0], rows, cols, emit, **more)

    def alone(self, node_or_name):
        """Whether a tensor has one reader only (Shape does not count)."""
        readers = [n for n in self.readers.get(node_or_name, []) if n.op not in ("Shape", "Size")]
        return len(readers) == 1 and node_or_name not in self.graph.outputs

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
        value = Value(label, name, rows, cols, emit, is_map=is_map)
        if is_map:
            value.map_shape = tuple(stored)
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

    def on_chip(self, name, node):
        got = self.env[name]
        if isinstance(got, np.ndarray) or got is None:
            node.refuse(f"needs a tensor, but '{name}' is constant")
        return self.as_input(name, node) if isinstance(got, Host) else got

    def shape(self, name):
        return list(self.sample[name].shape)

    # ---- Walk ----------------------------------------------------------------------------------------------

    def run(self):
        for node in self.graph.nodes:
            if all(output in self.constant for output in node.outputs):
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
            if not isinstance(got, Tensor):
                raise onnx_graph.ImportError_(f"output '{name}' is not computed by any layer on the chip")
            self.result = self.read(got, self.makers[name])[0]
            results.append(self.result.value.name)
        return results

    def in_order(self, codes, shape):
        """Codes [samples, ...] of the result, as stored, in the order of the network's output."""
        stored = axes.leaves(self.result.value.storage())
        wanted = [leaf for dim in self.result.dims for leaf in axes.leaves(dim)]
        codes = codes.reshape([len(codes)] + [leaf.size for leaf in stored])
        return codes.transpose([0] + [1 + stored.index(leaf) for leaf in wanted]).reshape(shape)

    # ---- Element by element --------------------------------------------------------------------------------

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
        if cap is not None and tensor.function is None and tensor.factor > 0 and self.alone(node.inputs[0]) \
                and not tensor.value.done and tensor.value.grid is None and tensor.value.parts is not None:
            self.clamp(node, tensor, cap / tensor.factor)
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
        parts = old.parts.changed(cap=cap) if isinstance(old.parts, Engine) else dict(old.parts, cap=cap)
        value = Value(old.name, node.outputs[0], old.rows, old.cols, old.emit, old.is_map, parts, "u8")
        self.env[node.outputs[0]] = Tensor(value, tensor.dims, tensor.factor)

    def binary(self, node):
        one, two = (self.env[n] for n in node.inputs)
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
        value = self.value(node, one.value.rows, one.value.cols, emit, is_map=one.value.is_map)
        self.env[node.outputs[0]] = Tensor(value, one.dims)

    def host_operand(self, node, index):
        """A mask of zeros is as good as none; anything else becomes an input."""
        name = node.inputs[index]
        low, high, _ = self.ranges.get(name, (1, 1, 1))
        if low == 0 and high == 0:
            return np.zeros(1)
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
                or not self.alone(node.inputs[1 if first else 0]) or tensor.factor != 1.0:
            return False
        if node.op not in ("Add", "Sub", "Mul", "Div") or (node.op == "Div" and first):
            return False
        rank = len(tensor.dims)
        shape = [1] * (rank - constant.ndim) + list(constant.shape)
        where = [i for i, n in enumerate(shape) if n > 1]
        cols = axes.leaves(value.cols)
        if len(where) != 1 or axes.leaves(tensor.dims[where[0]]) != cols:
            return False
        vector, parts = constant.reshape(-1).astype(np.float64), value.parts
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
                     old.is_map, parts, old.kind)

    def same_layout(self, node, one, two):
        """Checks that two tensors lie in their values in the same way."""
        if self.shape(node.inputs[0]) != self.shape(node.inputs[1]):
            node.refuse("of two shapes cannot be lowered")
        for a, b in zip(one.dims, two.dims):
            if not axes.refine(a, b):
                node.refuse("of two tensors that are laid out differently cannot be lowered")
        same = (axes.order(one.dims, one.value.storage()) == axes.order(two.dims, two.value.storage())
                and axes.size(one.value.rows) == axes.size(two.value.rows))
        if not same or one.value.is_map != two.value.is_map:
            node.refuse("of two tensors that are laid out differently cannot be lowered")

    def add(self, node, one, two, sign):
        self.same_layout(node, one, two)

        def emit(value):
            (_, left), (_, right) = self.read(one, node), self.read(two, node)
            self.emit_add(value, left, right, self.name_of(right), sign)
        value = self.value(node, one.value.rows, one.value.cols, emit, is_map=one.value.is_map, parts={"cap": None})
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
                           parts={"cap": None})
        self.env[node.outputs[0]] = Tensor(value, tensor.dims)

    def stored_shape(self, value):
        if not value.is_map:
            return [max(1, axes.size(value.rows)), max(1, axes.size(value.cols))]
        return list(value.map_shape) if hasattr(value, "map_shape") else [axes.size([a]) for a in value.rows] + [
            axes.size(value.cols)]

    # ---- Views ---------------------------------------------------------------------------------------------

    def view(self, node, shape):
        tensor = self.on_chip(node.inputs[0], node)
        dims = axes.reshaped(tensor.dims, shape)
        if dims is None:
            node.refuse(f"from {self.shape(node.inputs[0])} to {shape} cuts across an axis")
        self.env[node.outputs[0]] = tensor.seen(dims)

    def op_Reshape(self, node):
        self.view(node, self.shape(node.outputs[0]))

    op_Flatten = op_Squeeze = op_Unsqueeze = op_Reshape

    def op_Cast(self, node):
        if not self.sample[node.outputs[0]].is_floating_point():
            node.refuse("to whole numbers cannot be lowered")
        self.env[node.outputs[0]] = self.on_chip(node.inputs[0], node)

    def op_Transpose(self, node):
        tensor = self.on_chip(node.inputs[0], node)
        perm = node.attributes.get("perm", list(range(len(tensor.dims)))[::-1])
        self.env[node.outputs[0]] = tensor.seen([tensor.dims[p] for p in perm])

    def op_Expand(self, node):
        if self.shape(node.inputs[0]) != self.shape(node.outputs[0]):
            node.refuse("that repeats elements cannot be lowered")
        self.env[node.outputs[0]] = self.on_chip(node.inputs[0], node)

    # ---- Part of the output channels -----------------------------------------------------------------------

    def take(self, node, output, axis, indices, drop):
        """Output `output` holds elements `indices` (an array) of an axis, which must be one of output channels."""
        tensor = self.on_chip(node.inputs[0], node)
        value = tensor.value
        length = self.shape(node.inputs[0])[axis]
        if list(indices) == list(range(length)) and not drop:
            self.env[output] = tensor
            return
        cols, dim = axes.leaves(value.cols), axes.leaves(tensor.dims[axis])
        if dim and dim == axes.leaves(value.rows) and not value.is_map:
            self.take_tokens(node, output, tensor, axis, indices, drop)
            return
        fits = isinstance(value.parts, Engine) and not value.done and not tensor.function and dim \
            and all(leaf in cols for leaf in dim)
        if not fits:
            node.refuse("takes a part of a tensor along an axis that is not one of output channels")
        first = cols.index(dim[0])
        if cols[first:first + len(dim)] != dim:
            node.refuse("takes a part across the axes of the output channels")
        before, after = axes.size(cols[:first]), axes.size(cols[first + len(dim):])
        rows = np.arange(value.parts.weight.shape[0]).reshape(before, length, after)[:, indices, :].reshape(-1)
        parts = value.parts
        parts = parts.changed(weight=parts.weight[rows], bias=parts.bias[rows],
                              steps=None if parts.steps is None else parts.steps[rows])
        kept = [] if drop else axes.axis(len(indices))
        # New axes all around: other parts of the same output have theirs.
        renamed = {leaf: axes.Atom(leaf.size) for leaf in cols if leaf not in dim}
        new_cols = [renamed[l] for l in cols[:first]] + kept + [renamed[l] for l in cols[first + len(dim):]]
        dims = [[renamed.get(leaf, leaf) for leaf in axes.leaves(d)] for d in tensor.dims]
        dims[axis] = kept
        if drop:
            del dims[axis]
        part = Value(self.unique(value.name), output, value.rows, new_cols, value.emit, value.is_map, parts,
                     value.kind)
        self.env[output] = Tensor(part, dims, tensor.factor)

    def take_tokens(self, node, output, tensor, axis, indices, drop):
        """Consecutive tokens of a value."""
        begin, count = int(indices[0]), len(indices)
        if list(indices) != list(range(begin, begin + count)):
            node.refuse("takes tokens that are not consecutive")

        def emit(made):
            held, source = self.read(tensor, node)
            self.scale[made.name], self.type[made.name] = self.scale[source], self.type[source]
            self.layers.append({"name": made.name, "op": "slice", "input": self.name_of(source), "begin": begin,
                                "count": count})
        kept = {leaf: axes.Atom(leaf.size) for leaf in axes.leaves(tensor.value.cols)}
        rows = [] if drop else axes.axis(count)
        made = Value(self.unique(onnx_graph.layer_name(node)), output, rows,
                     [kept[leaf] for leaf in axes.leaves(tensor.value.cols)], emit)
        dims = [rows if i == axis else [kept[leaf] for leaf in axes.leaves(d)] for i, d in enumerate(tensor.dims)]
        if drop:
            del dims[axis]
        self.env[output] = Tensor(made, dims)

    def op_Split(self, node):
        axis = node.attributes.get("axis", 0) % len(self.shape(node.inputs[0]))
        sizes = self.env[node.inputs[1]] if len(node.inputs) > 1 else None
        begin = 0
        for output, count in zip(node.outputs, onnx_eval.split_sizes(node, self.shape(node.inputs[0])[axis], sizes)):
            self.take(node, output, axis, np.arange(begin, begin + count), False)
            begin += count

    def op_Slice(self, node):
        shape = self.shape(node.inputs[0])
        parts = onnx_eval.slices_of(node, len(shape), shape, [self.env[n] for n in node.inputs[1:]])
        parts = [p for p in parts if p[1:] != (0, shape[p[0]], 1)]
        if not parts:
            self.env[node.outputs[0]] = self.on_chip(node.inputs[0], node)
            return
        if len(parts) > 1:
            node.refuse("along several axes at once cannot be lowered")
        axis, begin, stop, step = parts[0]
        self.take(node, node.outputs[0], axis, np.arange(begin, stop, step), False)

    def op_Gather(self, node):
        index = self.env[node.inputs[1]]
        if not isinstance(index, np.ndarray):
            node.refuse("with an index that is not constant cannot be lowered")
        shape = self.shape(node.inputs[0])
        axis = node.attributes.get("axis", 0) % len(shape)
        if index.ndim > 1:
            node.refuse("with an index of several dimensions cannot be lowered")
        self.take(node, node.outputs[0], axis, index.reshape(-1) % shape[axis], index.ndim == 0)

    # ---- Convolution and linear layers ---------------------------------------------------------------------

    def given_steps(self, name, weight):
        """Real value of code 1 per output channel of quantized weights, if they are: from the
        DequantizeLinear that the weights come from, through transpositions."""
        while name in self.makers and self.makers[name].op in ("Transpose", "Identity", "Reshape"):
            name = self.makers[name].inputs[0]
        maker = self.makers.get(name)
        if maker is None or maker.op != "DequantizeLinear":
            return None
        steps = np.asarray(self.env[maker.inputs[1]], dtype=np.float64).reshape(-1)
        if steps.size not in (1, weight.shape[0]):
            return None
        steps = np.broadcast_to(steps, (weight.shape[0],)).copy()
        codes = weight / steps.reshape((-1,) + (1,) * (weight.ndim - 1))
        exact = np.abs(codes - np.rint(codes)).max() < 1e-3 and np.abs(codes).max() <= 128
        return steps if exact else None

    def emit_engine(self, value):
        parts = value.parts
        _, source = self.read(parts.source, self.makers[value.tensor])
        name, kind = value.name, "s8" if parts.cap is None else "u8"
        self.observe_range(name, value.tensor, kind, value.grid)
        layer = {"name": name, "op": parts.op, "input": self.name_of(source)}
        if parts.window.get("flatten"):
            flat = self.unique(name + ".flatten")
            self.layers.append({"name": flat, "op": "flatten", "input": layer["input"]})
            layer["input"] = flat
        layer.update({k: v for k, v in parts.window.items() if k != "flatten"})
        if parts.op != "depthwise_conv2d":
            layer["out_channels"] = parts.weight.shape[0]
        weight = parts.weight[..., 0] if parts.op == "depthwise_conv2d" else parts.weight
        layer.update(self.weights(name, source, name, weight, parts.bias, parts.steps))
        self.append(layer, name, self.type[name], gated=True)
        self.set_clamp(name, parts.cap)

    def op_Conv(self, node):
        if self.patches(node):
            return
        tensor = self.on_chip(node.inputs[0], node)
        weight = self.env[node.inputs[1]]
        if not isinstance(weight, np.ndarray):
            node.refuse("with weights that are not constant cannot be lowered")
        if weight.ndim != 4:
            node.refuse(f"over {weight.ndim - 2} dimensions cannot be lowered")
        if any(d != 1 for d in node.attributes.get("dilations", [1])):
            node.refuse(f"with dilations {node.attributes['dilations']} cannot be lowered")
        pads = onnx_eval.conv_pads(node)
        self.require_map(node, tensor)
        window = {"kernel": list(weight.shape[2:]), "stride": list(node.attributes.get("strides", [1, 1])),
                  "padding": list(pads)}
        weight = weight.astype(np.float64)
        n, groups = weight.shape[0], node.attributes.get("group", 1)
        bias = np.zeros(n) if len(node.inputs) < 3 or not node.inputs[2] else self.env[node.inputs[2]].astype(float)
        op = "conv2d"
        if groups == n == self.shape(node.inputs[0])[1] and groups > 1:
            op = "depthwise_conv2d"
        elif groups > 1:
            window["groups"] = groups
        parts = Engine(op, tensor, weight.transpose(0, 2, 3, 1), bias, window, self.given_steps(node.inputs[1], weight))
        _, _, height, width = self.shape(node.outputs[0])
        self.new_map(node, height, width, n, self.emit_engine, parts)

    def patches(self, node):
        """A convolution that cuts an image of the host into patches and makes tokens of them: a linear layer
        over patches, which the host puts in order."""
        name, kernel = node.inputs[0], node.attributes.get("kernel_shape") or self.shape(node.inputs[1])[2:]
        readers = [n.op for n in self.readers.get(node.outputs[0], []) if n.op != "Shape"]
        fits = isinstance(self.env[name], Host) and readers == ["Reshape"] and len(kernel) == 2 and \
            list(node.attributes.get("strides", [1, 1])) == list(kernel) and not any(node.attributes.get("pads", [])) \
            and node.attributes.get("group", 1) == 1 and isinstance(self.env[node.inputs[1]], np.ndarray)
        if not fits:
            return False
        weight = self.env[node.inputs[1]].astype(np.float64)
        n = weight.shape[0]
        bias = np.zeros(n) if len(node.inputs) < 3 else self.env[node.inputs[2]].astype(float)
        tensor = self.as_patches(name, list(kernel))
        parts = Engine("linear", tensor, weight.transpose(0, 2, 3, 1).reshape(n, -1), bias)
        rows, out = axes.leaves(tensor.value.rows), axes.axis(n)
        new = [axes.Atom(leaf.size) for leaf in rows]
        value = self.value(node, new, out, self.emit_engine, parts=parts)
        height = axes.axis(self.shape(node.outputs[0])[2])
        self.env[node.outputs[0]] = Tensor(value, [[], out, new[:len(height)], new[len(height):]])
        return True

    def new_map(self, node, height, width, channels, emit, parts=None):
        y, x, c = axes.axis(height), axes.axis(width), axes.axis(channels)
        value = self.value(node, y + x, c, emit, is_map=True, parts=parts)
        value.map_shape = (height, width, channels)
        self.env[node.outputs[0]] = Tensor(value, [[], c, y, x])

    def require_map(self, node, tensor):
        value = tensor.value
        leaves = [axes.leaves(d) for d in tensor.dims]
        fits = value.is_map and len(leaves) == 4 and not leaves[0] and leaves[1] == axes.leaves(value.cols) \
            and leaves[2] + leaves[3] == axes.leaves(value.rows)
        if not fits:
            node.refuse("reads a tensor that is not a feature map [1, channels, rows, columns] as it was computed")

    def op_BatchNormalization(self, node):
        tensor = self.on_chip(node.inputs[0], node)
        gamma, beta, mean, variance = (self.env[n].astype(np.float64) for n in node.inputs[1:5])
        factor = gamma / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
        value = tensor.value
        fits = isinstance(value.parts, Engine) and not value.done and tensor.function is None and \
            value.parts.cap is None and self.alone(node.inputs[0]) and \
            axes.leaves(tensor.dims[1]) == axes.leaves(value.cols)
        if not fits:
            # A factor and a summand for each channel: a depthwise convolution of one pixel.
            self.require_map(node, tensor)
            window = {"kernel": [1, 1], "stride": [1, 1], "padding": [0, 0]}
            parts = Engine("depthwise_conv2d", tensor, factor.reshape(-1, 1, 1, 1), beta - mean * factor, window)
            self.new_map(node, *self.shape(node.outputs[0])[2:], len(factor), self.emit_engine, parts)
            return
        parts = value.parts
        weight = parts.weight * factor.reshape((-1,) + (1,) * (parts.weight.ndim - 1))
        parts = parts.changed(weight=weight, bias=(parts.bias - mean) * factor + beta,
                              steps=None if parts.steps is None else parts.steps * np.abs(factor))
        self.env[node.outputs[0]] = Tensor(self.continued(value, node, parts), tensor.dims)

    def op_Gemm(self, node):
        a = node.attributes
        if a.get("transA", 0):
            node.refuse("with transA cannot be lowered")
        weight = self.env[node.inputs[1]]
        bias = self.env[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else None
        if not isinstance(weight, np.ndarray) or not (bias is None or isinstance(bias, np.ndarray)):
            node.refuse("with weights that are not constant cannot be lowered")
        weight = (weight if a.get("transB", 0) else weight.T).astype(np.float64) * a.get("alpha", 1.0)
        self.linear(node, self.on_chip(node.inputs[0], node), weight,
                    None if bias is None else np.broadcast_to(bias, (weight.shape[0],)) * a.get("beta", 1.0))

    def op_MatMul(self, node):
        left, right = (self.env[n] for n in node.inputs)
        if isinstance(left, np.ndarray):
            node.refuse("with a constant left operand cannot be lowered")
        if isinstance(right, np.ndarray):
            if right.ndim != 2:
                node.refuse(f"with a constant of {right.ndim} dimensions cannot be lowered")
            self.linear(node, self.on_chip(node.inputs[0], node), right.T.astype(np.float64), None)
            return
        self.product(node, self.on_chip(node.inputs[0], node), self.on_chip(node.inputs[1], node))

    def linear(self, node, tensor, weight, bias):
        """weight [N, K], K as the last dimension of the tensor has it."""
        value = tensor.value
        dims = [axes.leaves(d) for d in tensor.dims]
        leading, last = sum(dims[:-1], []), dims[-1]
        rows, cols = axes.leaves(value.rows), axes.leaves(value.cols)
        window = {}
        if leading == rows and sorted(map(id, last)) == sorted(map(id, cols)):
            storage = cols
        elif not leading and sorted(map(id, last)) == sorted(map(id, rows + cols)):
            storage, window = rows + cols, {"flatten": True}
        else:
            node.refuse("reads a tensor whose rows and columns are mixed, which cannot be lowered")
        n = weight.shape[0]
        steps = self.given_steps(node.inputs[1], weight)
        weight = weight.reshape([n] + [leaf.size for leaf in last]).transpose(
            [0] + [1 + last.index(leaf) for leaf in storage]).reshape(n, -1)
        parts = Engine("linear", tensor, weight, np.zeros(n) if bias is None else bias.astype(np.float64), window,
                       steps)
        new_rows = [] if window else [axes.Atom(leaf.size) for leaf in rows]
        new = dict(zip(rows, new_rows))
        out = axes.axis(n)
        value = self.value(node, new_rows, out, self.emit_engine, parts=parts)
        self.env[node.outputs[0]] = Tensor(value, [[new[leaf] for leaf in d] for d in dims[:-1]] + [out])

    # ---- Attention, norms, pooling -------------------------------------------------------------------------

    def product(self, node, left, right):
        """Per head: left [rows, K] x right, whose storage says whether it is to be transposed."""
        a, b = ([axes.leaves(d) for d in t.dims] for t in (left, right))
        batch, m, k = sum(a[:-2], []), a[-2], a[-1]
        batch_b, k_b, n = sum(b[:-2], []), b[-2], b[-1]
        rows, cols = axes.leaves(right.value.rows), axes.leaves(right.value.cols)
        heads = axes.size(batch)
        fits = axes.leaves(left.value.rows) == m and axes.leaves(left.value.cols) == batch + k
        fits = fits and axes.size(batch_b) == heads and axes.size(k) == axes.size(k_b)
        if fits and rows == n and cols == batch_b + k_b:
            transpose = True
        elif fits and rows == k_b and cols == batch_b + n:
            transpose = False
        else:
            node.refuse("of two computed tensors that are not laid out as heads side by side cannot be lowered")

        def emit(value):
            _, x = self.read(left, node)
            held, y = self.read(right, node)
            if self.type[y] != "s8":
                y = self.signed(held, node)
            self.observe_range(value.name, value.tensor, "s8", value.grid)
            real = self.scale[x] * self.scale[y] / self.scale[value.name]
            layer = {"name": value.name, "op": "matmul", "input": self.name_of(x), "right": self.name_of(y),
                     "heads": heads, "transpose_right": transpose,
                     "requantize": self.requantize(value.name, [real], np.zeros(1))}
            self.append(layer, value.name, self.type[value.name], gated=True)
        fresh = [[axes.Atom(leaf.size) for leaf in part] for part in (batch, m, n)]
        value = self.value(node, fresh[1], fresh[0] + fresh[2], emit)
        position, dims = 0, []
        for d in a[:-2]:
            dims.append(fresh[0][position:position + len(d)])
            position += len(d)
        self.env[node.outputs[0]] = Tensor(value, dims + [fresh[1], fresh[2]])

    def signed(self, tensor, node):
        """The same numbers in s8: the right operand of a product has to be."""
        key = (tensor.value, "s8", tensor.factor)
        if key not in self.made:
            function = Function(lambda x: x)
            function.name, function.tensor = tensor.value.name + ".signed", None
            name = self.unique(function.name)
            source, scale = tensor.value.name, self.scale[tensor.value.name] * 255 / 127
            self.observe(name, "s8", scale)
            codes = np.clip(np.rint(np.arange(256) * 127 / 255), -128, 127).astype(np.int8)
            self.tensors[f"{name}.table"] = codes
            self.append({"name": name, "op": "lookup", "input": source, "table": f"{name}.table"}, name, "s8", True)
            self.made[key] = name
        name = self.made[key]
        scaled = name if tensor.factor == 1.0 else (name, tensor.factor)
        self.scale[scaled], self.type[scaled] = self.scale[name] * tensor.factor, "s8"
        return scaled

    def op_Softmax(self, node):
        tensor = self.on_chip(node.inputs[0], node)
        dims = [axes.leaves(d) for d in tensor.dims]
        if node.attributes.get("axis", -1) % len(dims) != len(dims) - 1:
            node.refuse("along an axis that is not the last cannot be lowered")
        value = tensor.value
        rows, cols, last = axes.leaves(value.rows), axes.leaves(value.cols), dims[-1]
        if value.is_map or cols[len(cols) - len(last):] != last or \
                sorted(map(id, sum(dims, []))) != sorted(map(id, rows + cols)):
            node.refuse("of a tensor that is not laid out as heads side by side cannot be lowered")
        heads = axes.size(cols[:len(cols) - len(last)])

        def emit(made):
            held, source = self.read(tensor, node)
            if self.type[source] != "s8" and self.type[source] != "u8":
                node.refuse()
            self.observe(made.name, "u8", 1.0 / 255)
            table = np.rint(np.exp(-np.arange(256) * self.scale[source]) * 32767).astype(np.uint16)
            self.tensors[f"{made.name}.table"] = table
            self.append({"name": made.name, "op": "softmax", "input": self.name_of(source), "heads": heads,
                         "table": f"{made.name}.table"}, made.name, "u8", gated=True)
        new = {leaf: axes.Atom(leaf.size) for leaf in rows + cols}
        made = self.value(node, [new[l] for l in rows], [new[l] for l in cols], emit)
        self.env[node.outputs[0]] = Tensor(made, [[new[l] for l in d] for d in dims])

    def op_LayerNormalization(self, node):
        tensor = self.on_chip(node.inputs[0], node)
        dims = [axes.leaves(d) for d in tensor.dims]
        if node.attributes.get("axis", -1) % len(dims) != len(dims) - 1:
            node.refuse("over more than the last axis cannot be lowered")
        value = tensor.value
        rows, cols = axes.leaves(value.rows), axes.leaves(value.cols)
        if value.is_map or sum(dims[:-1], []) != rows or dims[-1] != cols:
            node.refuse("of a tensor that is not a matrix [tokens, channels] as it was computed cannot be lowered")
        gamma = self.env[node.inputs[1]].astype(np.float64)
        beta = self.env[node.inputs[2]].astype(np.float64) if len(node.inputs) > 2 else np.zeros_like(gamma)

        def emit(made):
            _, source = self.read(tensor, node)
            shift = 20
            out = self.observe_range(made.name, made.tensor, "s8", made.grid)
            self.tensors[f"{made.name}.gamma"] = np.rint(gamma / out * (1 << shift) / 4096).astype(np.int32)
            self.tensors[f"{made.name}.beta"] = np.rint(beta / out * (1 << shift)).astype(np.int32)
            self.append({"name": made.name, "op": "layer_norm", "input": self.name_of(source),
                         "gamma": f"{made.name}.gamma", "beta": f"{made.name}.beta", "shift": shift}, made.name,
                        self.type[made.name], gated=True)
        new = {leaf: axes.Atom(leaf.size) for leaf in rows + cols}
        made = self.value(node, [new[l] for l in rows], [new[l] for l in cols], emit)
        self.env[node.outputs[0]] = Tensor(made, [[new[l] for l in d] for d in dims])

    def op_MaxPool(self, node):
        tensor = self.on_chip(node.inputs[0], node)
        self.require_map(node, tensor)
        pads = onnx_eval.conv_pads(node)
        kernel = list(node.attributes["kernel_shape"])
        _, channels, height, width = self.shape(node.outputs[0])
        strides = list(node.attributes.get("strides", [1, 1]))
        floor = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(self.shape(node.inputs[0])[2:], pads, kernel, strides)]
        if [height, width] != floor:
            node.refuse("with ceil_mode cannot be lowered: windows that do not fit are left out")

        def emit(value):
            held, source = self.read(tensor, node)
            self.scale[value.name], self.type[value.name] = self.scale[source], self.type[source]
            layer = {"name": value.name, "op": "max_pool", "input": self.name_of(source), "kernel": kernel,
                     "stride": strides}
            if any(pads):
                layer["padding"] = list(pads)
            self.layers.append(layer)
        self.new_map(node, height, width, channels, emit)

    def whole_average(self, node):
        """Mean over all rows (pixels, tokens) of a value."""
        tensor = self.on_chip(node.inputs[0], node)
        value = tensor.value
        before, after = self.shape(node.inputs[0]), self.shape(node.outputs[0])
        rows, cols = axes.leaves(value.rows), axes.leaves(value.cols)
        left = [axes.leaves(d) for d in tensor.dims]
        gone = sum((d for d in left if all(leaf in rows for leaf in d)), [])
        if sorted(map(id, gone)) != sorted(map(id, rows)) or \
                math.prod(after) * max(1, axes.size(rows)) != math.prod(before):
            node.refuse("over a part of the pixels or tokens cannot be lowered")
        count = max(1, axes.size(rows))

        def emit(made):
            _, source = self.read(tensor, node)
            self.observe_range(made.name, made.tensor, self.type[source], made.grid)
            multiplier, shift = quantize.multiplier_shift(self.scale[source] / (count * self.scale[made.name]))
            self.append({"name": made.name, "op": "average_pool", "input": self.name_of(source),
                         "multiplier": multiplier, "shift": shift}, made.name, self.type[made.name], gated=True)
        new = {leaf: axes.Atom(leaf.size) for leaf in cols}
        made = self.value(node, [], [new[l] for l in cols], emit)
        kept = [[new[l] for l in d if l in new] for d in left]
        if len(after) != len(before):
            kept = [d for d, n in zip(kept, range(len(before))) if n not in self.reduced_axes(node)]
        self.env[node.outputs[0]] = Tensor(made, kept)

    def reduced_axes(self, node):
        listed = node.attributes.get("axes")
        if listed is None and len(node.inputs) > 1:
            listed = self.env[node.inputs[1]].tolist()
        return [a % len(self.shape(node.inputs[0])) for a in listed]

    op_GlobalAveragePool = op_ReduceMean = whole_average

    def op_AveragePool(self, node):
        pads, kernel = onnx_eval.conv_pads(node), list(node.attributes["kernel_shape"])
        if self.shape(node.outputs[0])[2:] == [1, 1] and kernel == self.shape(node.inputs[0])[2:] and not any(pads):
            self.whole_average(node)
            return
        if (any(pads) and not node.attributes.get("count_include_pad", 0)) or node.attributes.get("ceil_mode", 0):
            node.refuse("whose windows do not all have the same size cannot be lowered")
        tensor = self.on_chip(node.inputs[0], node)
        self.require_map(node, tensor)
        channels = self.shape(node.inputs[0])[1]
        window = {"kernel": kernel, "stride": list(node.attributes.get("strides", [1, 1])), "padding": list(pads)}
        weight = np.full((channels, *kernel, 1), 1.0 / math.prod(kernel))
        parts = Engine("depthwise_conv2d", tensor, weight, np.zeros(channels), window)
        self.new_map(node, *self.shape(node.outputs[0])[2:], channels, self.emit_engine, parts)

    # ---- Joining, repeating --------------------------------------------------------------------------------

    def op_Concat(self, node):
        """All operands get one scale, their own layers where nobody else has fixed it."""
        axis = node.attributes["axis"] % len(self.shape(node.outputs[0]))
        tensors = [self.as_input(n, node) if isinstance(self.env[n], np.ndarray) else self.on_chip(n, node)
                   for n in node.inputs]
        first = tensors[0]
        dims = [[axes.leaves(d) for d in t.dims] for t in tensors]
        rest = lambda d: [leaf for i, part in enumerate(d) if i != axis for leaf in part]
        along = "channels"
        for tensor, d in zip(tensors, dims):
            rows, cols = axes.leaves(tensor.value.rows), axes.leaves(tensor.value.cols)
            if d[axis] == cols and rest(d) == rows:
                continue
            if d[axis] == rows and rest(d) == cols and not tensor.value.is_map:
                along = "tokens"
                continue
            node.refuse("of tensors that are laid out differently cannot be lowered")
        if len({t.value.is_map for t in tensors}) > 1:
            node.refuse("of a feature map and a matrix cannot be lowered")
        low, _, top = self.ranges[node.outputs[0]]
        kind = "u8" if low >= 0 and all(self.ranges.get(n, (0,))[0] >= 0 for n in node.inputs) else "s8"
        grid = (max(top, 1e-6) / 255, 0, 0, 255) if kind == "u8" else (max(top, 1e-6) / 127, 0, -128, 127)
        for i, (tensor, name) in enumerate(zip(tensors, node.inputs)):
            value = tensor.value
            free = (isinstance(value.parts, (Engine, dict)) or value.parts is None and value.name in self.labels()) \
                and not value.done and value.grid is None and tensor.function is None and tensor.factor == 1.0
            if free:
                value.grid = grid
            elif not (value.grid == grid and tensor.function is None and tensor.factor == 1.0):
                function = Function(lambda x, t=tensor: t.real(x))
                function.name, function.tensor, function.grid = f"{onnx_graph.layer_name(node)}.scaled", name, grid
                self.ranges.setdefault(name, (low, top, top))
                tensors[i] = Tensor(value, tensor.dims, 1.0, function)

        def emit(made):
            names = []
            for tensor in tensors:
                _, key = self.read(tensor, node)
                if self.type[key] != kind:
                    node.refuse("of codes with and without sign cannot be lowered")
                names.append(self.name_of(key))
                self.scale[made.name], self.type[made.name] = self.scale[key], kind
            self.layers.append({"name": made.name, "op": "concat", "input": names[0], "others": names[1:],
                                "axis": along})
        total = axes.axis(self.shape(node.outputs[0])[axis])
        kept = {leaf: axes.Atom(leaf.size) for leaf in rest(dims[0])}
        rows = [kept[leaf] for leaf in axes.leaves(first.value.rows)] if along == "channels" else total
        cols = total if along == "channels" else [kept[leaf] for leaf in axes.leaves(first.value.cols)]
        made = self.value(node, rows, cols, emit, is_map=first.value.is_map)
        if made.is_map:
            made.map_shape = tuple(self.shape(node.outputs[0])[2:] + [self.shape(node.outputs[0])[1]])
        new = [total if i == axis else [kept[leaf] for leaf in d] for i, d in enumerate(dims[0])]
        self.env[node.outputs[0]] = Tensor(made, new)

    def labels(self):
        """Names of inputs that are not emitted yet."""
        return self.names - {layer["name"] for layer in self.layers} - {e["name"] for e in self.inputs}

    def op_Resize(self, node):
        tensor = self.on_chip(node.inputs[0], node)
        self.require_map(node, tensor)
        before, after = self.shape(node.inputs[0])[2:], self.shape(node.outputs[0])[2:]
        factor = after[0] // before[0]
        if factor < 1 or [n * factor for n in before] != after:
            node.refuse(f"from {before} to {after} is not a whole factor")

        def emit(made):
            _, source = self.read(tensor, node)
            self.scale[made.name], self.type[made.name] = self.scale[source], self.type[source]
            self.layers.append({"name": made.name, "op": "upsample", "input": self.name_of(source), "factor": factor})
        self.new_map(node, *after, self.shape(node.outputs[0])[1], emit)

    op_Upsample = op_Resize

    def op_Pad(self, node):
        self.env[node.outputs[0]] = self.on_chip(node.inputs[0], node)

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


# Operators that run on the chip even when they read what the host computed.
CHIP = {"Conv", "Gemm", "MatMul", "LayerNormalization", "Softmax", "MaxPool", "GlobalAveragePool", "AveragePool",
        "QuantizeLinear", "DequantizeLinear"}
