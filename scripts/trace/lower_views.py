# SPDX-License-Identifier: Apache-2.0
"""Operators that move nothing: reshapes, transpositions, and parts of tensors."""
import numpy as np

import axes
import onnx_eval
import onnx_graph
from lower_values import Engine, Tensor, Value


class Views:
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
