# SPDX-License-Identifier: Apache-2.0
"""Operators that move nothing: reshapes, transpositions, and parts of tensors."""
import numpy as np

import axes
import onnx_eval
import onnx_graph
from lower_values import Engine, Tensor, Value


class Views:
    def view(self, node, shape):
        tensor = self.on_chip(node.inputs[0], node, True)
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
        self.env[node.outputs[0]] = self.on_chip(node.inputs[0], node, True)

    def op_Transpose(self, node):
        tensor = self.on_chip(node.inputs[0], node, True)
        perm = node.attributes.get("perm", list(range(len(tensor.dims)))[::-1])
        self.env[node.outputs[0]] = tensor.seen([tensor.dims[p] for p in perm])

    def op_Expand(self, node):
        tensor = self.on_chip(node.inputs[0], node, True)
        before, after = self.shape(node.inputs[0]), self.shape(node.outputs[0])
        if len(before) != len(after):
            node.refuse("that adds axes cannot be lowered")
        self.env[node.outputs[0]] = tensor.seen([[axes.Repeat(m)] if n != m else dim
                                                 for dim, n, m in zip(tensor.dims, before, after)])

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
            order = None if drop else self.channels_of(tensor, axis)
            if order is None:
                node.refuse("takes a part of a tensor along an axis that is not one of output channels")
            self.env[output] = self.selected(node, output, tensor, axis, order[np.asarray(indices)])
            return
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

    def channels_of(self, tensor, axis):
        """The channel that each element along an axis is, in the order of storage; None if the axis is not all channels
        or the other ones are not all rows."""
        dims = [axes.leaves(d) for d in tensor.dims]
        rows, cols = axes.leaves(tensor.value.rows), axes.leaves(tensor.value.cols)
        rest = [leaf for i, d in enumerate(dims) if i != axis for leaf in d]
        if not cols or rest != rows or sorted(map(id, dims[axis])) != sorted(map(id, cols)):
            return None
        stored = np.arange(axes.size(cols)).reshape([leaf.size for leaf in cols])
        return stored.transpose([cols.index(leaf) for leaf in dims[axis]]).reshape(-1)

    def selected(self, node, output, tensor, axis, channels):
        """Some channels of a tensor, in any order: a 1x1 convolution (or linear layer) with one weight for each of them,
        which hands the codes on unchanged."""
        value, count = tensor.value, len(channels)

        def emit(made):
            _, source = self.read(tensor, node)
            self.scale[made.name], self.type[made.name] = self.scale[source], self.type[source]
            weight = np.zeros((count, axes.size(value.cols)), np.int8)
            weight[np.arange(count), channels] = 1
            layer = {"name": made.name, "op": "linear", "input": self.name_of(source), "out_channels": count}
            if value.is_map:
                layer.update(op="conv2d", kernel=[1, 1], stride=[1, 1], padding=[0, 0])
                weight = weight[:, None, None, :]
            self.tensors[f"{made.name}.weight"] = weight
            layer.update(weights={"tensor": f"{made.name}.weight"},
                         requantize=self.requantize(made.name, [1.0], np.zeros(1)))
            self.append(layer, made.name, self.type[made.name], gated=False)
            self.selections.append(made.name)
        new = {leaf: axes.Atom(leaf.size) for leaf in axes.leaves(value.rows)}
        out = axes.axis(count)
        made = Value(self.unique(onnx_graph.layer_name(node) + ".channels"), output, list(new.values()), out, emit,
                     value.is_map, map_shape=None if not value.is_map else (*value.map_shape[:2], count))
        return Tensor(made, [out if i == axis else [new[leaf] for leaf in axes.leaves(d)] for i, d in enumerate(tensor.dims)])

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
