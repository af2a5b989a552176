# SPDX-License-Identifier: Apache-2.0
"""Operators of the vector unit: softmax, norms, pooling, joining and repeating."""
import math

import numpy as np

import axes
import onnx_eval
import onnx_graph
import quantize
from lower_values import Engine, Function, Masked, Tensor


class VectorOps:
    def op_Softmax(self, node):
        got = self.env[node.inputs[0]]
        causal = {"causal": True, "position": got.position} if isinstance(got, Masked) else {}
        tensor = got.tensor if causal else self.on_chip(node.inputs[0], node)
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
                         "table": f"{made.name}.table", **causal}, made.name, "u8", gated=True)
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
        self.check_norm(node, dims, value)
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
        self.fresh_matrix(node, value, dims, emit)

    @staticmethod
    def check_norm(node, dims, value):
        """The last axis must be all channels, the others all rows (tokens, pixels)."""
        if sum(dims[:-1], []) != axes.leaves(value.rows) or dims[-1] != axes.leaves(value.cols):
            node.refuse("of a tensor that is not a matrix [tokens, channels] as it was computed cannot be lowered")

    def op_MaxPool(self, node):
        tensor = self.as_map(node, self.on_chip(node.inputs[0], node))
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
        tensor = self.as_map(node, self.on_chip(node.inputs[0], node))
        channels = self.shape(node.inputs[0])[1]
        window = {"kernel": kernel, "stride": list(node.attributes.get("strides", [1, 1])), "padding": list(pads)}
        weight = np.full((channels, *kernel, 1), 1.0 / math.prod(kernel))
        parts = Engine("depthwise_conv2d", tensor, weight, np.zeros(channels), window)
        self.new_map(node, *self.shape(node.outputs[0])[2:], channels, self.emit_engine, parts)

    def op_Concat(self, node):
        """All operands get one scale, their own layers where nobody else has fixed it."""
        if len(node.inputs) == 1:
            self.env[node.outputs[0]] = self.on_chip(node.inputs[0], node)
            return
        axis = node.attributes["axis"] % len(self.shape(node.outputs[0]))
        tensors = [self.as_input(n, node) if isinstance(self.env[n], np.ndarray) else self.on_chip(n, node)
                   for n in node.inputs]
        shuffled = lambda t: t.value.is_map and self.channels_of(t, axis) is not None
        tensors = [self.selected(node, n, t, axis, self.channels_of(t, axis))
                   if shuffled(t) and axes.leaves(t.dims[axis]) != axes.leaves(t.value.cols) else t
                   for n, t in zip(node.inputs, tensors)]
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
        grid = (max(top, 1e-12) / 255, 0, 0, 255) if kind == "u8" else (max(top, 1e-12) / 127, 0, -128, 127)
        for i, (tensor, name) in enumerate(zip(tensors, node.inputs)):
            value = tensor.value
            free = (isinstance(value.parts, (Engine, dict)) or value in self.free_inputs) \
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
        shape = self.shape(node.outputs[0])
        made = self.value(node, rows, cols, emit, is_map=first.value.is_map,
                          map_shape=tuple(shape[2:] + [shape[1]]) if first.value.is_map else None)
        new = [total if i == axis else [kept[leaf] for leaf in d] for i, d in enumerate(dims[0])]
        self.env[node.outputs[0]] = Tensor(made, new)

    def op_Resize(self, node):
        tensor = self.as_map(node, self.on_chip(node.inputs[0], node))
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
