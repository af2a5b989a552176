# SPDX-License-Identifier: Apache-2.0
"""What the decoders of language models add: RMS norm, rotary embedding, causal masks."""
import math

import numpy as np

import axes
from lower_values import HIDDEN, Masked, Tensor


def causal_position(allowed):
    """p such that row t of a mask [..., T, U] allows columns 0 .. p + t and nothing else; None if there is none."""
    flat = allowed.reshape(-1, *allowed.shape[-2:])
    rows, columns = flat.shape[1:]
    position = columns - rows
    wanted = np.arange(columns)[None] <= position + np.arange(rows)[:, None]
    return position if position >= 0 and (flat == wanted).all() else None


def rotary_of(cosine, sine):
    """(position, theta) of tables [tokens, channels], both halves of the channels alike; None if they are no such."""
    tokens, channels = cosine.shape
    half = channels // 2
    if channels % 2 or np.abs(cosine[:, :half] - cosine[:, half:]).max() > 1e-6 or \
            np.abs(sine[:, :half] - sine[:, half:]).max() > 1e-6:
        return None
    angles = np.unwrap(np.arctan2(sine[:, :half], cosine[:, :half]), axis=0)
    if half == 1:
        theta = 10000                                    # the only pair turns by the position, whatever theta is
    elif tokens > 1 and (angles[-1] - angles[0])[-1] > 0:
        last = (angles[-1] - angles[0])[-1] / (tokens - 1)
        theta = round(last ** (-channels / (channels - 2)))
    else:
        return None
    frequency = float(theta) ** (-2 * np.arange(half) / channels)
    position = max(0, round(float(angles[0, -1] / frequency[-1])))
    exact = (position + np.arange(tokens))[:, None] * frequency
    near = max(np.abs(np.cos(exact) - cosine[:, :half]).max(), np.abs(np.sin(exact) - sine[:, :half]).max())
    return (position, theta) if near < 2e-3 and theta >= 2 else None


class DecoderOps:
    def fresh_matrix(self, node, value, dims, emit, output=None):
        """A new value with the rows and columns of another; its tensor has the dimensions `dims` (lists of leaves)."""
        rows, cols = axes.leaves(value.rows), axes.leaves(value.cols)
        new = {leaf: axes.Atom(leaf.size) for leaf in rows + cols}
        made = self.value(node, [new[l] for l in rows], [new[l] for l in cols], emit, is_map=value.is_map,
                          map_shape=value.map_shape)
        self.env[output or node.outputs[0]] = Tensor(made, [[new[l] for l in d] for d in dims])

    def op_RMSNormalization(self, node):
        tensor = self.on_chip(node.inputs[0], node)
        dims = [axes.leaves(d) for d in tensor.dims]
        value = tensor.value
        self.check_norm(node, dims, value)
        channels = axes.size(value.cols)
        gamma = np.broadcast_to(self.env[node.inputs[1]].astype(np.float64), (channels,))

        def emit(made):
            _, source = self.read(tensor, node)
            shift = 20
            out = self.observe_range(made.name, made.tensor, "s8", made.grid)
            self.tensors[f"{made.name}.gamma"] = np.rint(gamma / out * (1 << shift) / 4096).astype(np.int32)
            self.append({"name": made.name, "op": "rms_norm", "input": self.name_of(source),
                         "gamma": f"{made.name}.gamma", "shift": shift}, made.name, self.type[made.name], gated=True)
        self.fresh_matrix(node, value, dims, emit)

    # ---- Rotary embedding: x * cos + cat(-x[half:], x[:half]) * sin -----------------------------------------

    def find_rotary(self):
        """Add that ends a rotary embedding -> (x, cos, sin); and the operators inside that nobody else reads."""
        self.rotary, self.inside = {}, set()
        for node in self.graph.nodes:
            if node.op != "Add" or node.outputs[0] in self.constant:
                continue
            for one, two in (node.inputs, node.inputs[::-1]):
                found = self.rotary_at(self.makers.get(one), self.makers.get(two))
                if found is not None:
                    x, cosine, sine, parts = found
                    self.rotary[node] = (x, cosine, sine)
                    self.leave_out(parts + [node])
                    break

    def rotary_at(self, straight, turned):
        if straight is None or turned is None or straight.op != "Mul" or turned.op != "Mul":
            return None
        split = lambda n: next(((a, b) for a, b in (n.inputs, n.inputs[::-1]) if b in self.constant), None)
        one, two = split(straight), split(turned)
        join = self.makers.get(two[0]) if one and two else None
        if join is None or join.op != "Concat" or len(join.inputs) != 2:
            return None
        x, parts = one[0], [straight, turned, join]
        for name in join.inputs:
            while name != x:
                node = self.makers.get(name)
                if node is None or node.op not in ("Neg", "Slice", "Split", "Gather", "Identity"):
                    return None
                parts.append(node)
                name = node.inputs[0]
        real = self.sample[x].numpy()
        half = real.shape[-1] // 2
        turned_half = np.concatenate([-real[..., half:], real[..., :half]], axis=-1)
        if self.sample[join.outputs[0]].shape != real.shape or not (self.sample[join.outputs[0]].numpy() == turned_half).all():
            return None
        return x, one[1], two[1], parts

    def leave_out(self, parts):
        """Parts whose results only other parts read need no layer."""
        known = set(parts)
        for part in parts[:-1]:
            if all(reader in known for name in part.outputs for reader in self.readers.get(name, [])):
                self.inside.add(part)

    def op_rotary(self, node):
        x, cosine, sine = self.rotary[node]
        tensor = self.on_chip(x, node)
        shape = self.shape(x)
        dims = [axes.leaves(d) for d in tensor.dims]
        value, last = tensor.value, dims[-1]
        rows, cols = axes.leaves(value.rows), axes.leaves(value.cols)
        token = next((i for i, d in enumerate(dims[:-1]) if d == rows and rows), None)
        if value.is_map or token is None or cols[len(cols) - len(last):] != last or \
                sorted(map(id, sum(dims, []))) != sorted(map(id, rows + cols)):
            node.refuse("is a rotary embedding of a tensor that is not laid out as heads side by side, which cannot be lowered")
        index = tuple(slice(None) if i in (token, len(shape) - 1) else 0 for i in range(len(shape)))
        tables = [np.broadcast_to(self.env[name].astype(np.float64), shape) for name in (cosine, sine)]
        found = rotary_of(*(table[index] for table in tables))
        if found is None or any((table != np.expand_dims(table[index], [i for i in range(len(shape)) if i not in (token, len(shape) - 1)])).any()
                                for table in tables):
            node.refuse("is a rotary embedding whose angles are not position * theta^(-2i / channels), which cannot be lowered")
        position, theta = found
        heads = axes.size(cols) // max(1, axes.size(last))

        def emit(made):
            held, source = self.read(tensor, node)
            if self.type[source] != "s8":
                source = self.signed(held, node)
            self.observe(made.name, "s8", self.scale[source])
            self.append({"name": made.name, "op": "rotary", "input": self.name_of(source), "heads": heads,
                         "position": position, "theta": theta}, made.name, "s8", gated=True)
        self.fresh_matrix(node, value, dims, emit)

    # ---- Causal masks ---------------------------------------------------------------------------------------

    def masked(self, node, tensor, allowed):
        """Scores of which a mask hides some: only a softmax may read them."""
        position = causal_position(allowed)
        if position is None:
            node.refuse("with a mask that is not causal cannot be lowered")
        self.env[node.outputs[0]] = Masked(tensor, position)

    def added_mask(self, node, tensor, constant):
        """Whether `constant` hides a part of the scores."""
        shape = self.shape(node.outputs[0])
        if node.op != "Add" or len(shape) < 2 or constant.size == 1 or not constant.size or \
                constant.min() > HIDDEN or not ((constant == 0) | (constant <= HIDDEN)).all():
            return False
        self.masked(node, tensor, np.broadcast_to(constant, shape) == 0)
        return True

    def op_Where(self, node):
        condition, one, two = (self.env[name] for name in node.inputs)
        shape = self.shape(node.outputs[0])
        for tensor, other, kept in ((one, two, True), (two, one, False)):
            if isinstance(condition, np.ndarray) and isinstance(other, np.ndarray) and isinstance(tensor, Tensor) and \
                    other.max() <= HIDDEN and len(shape) >= 2 and self.shape(node.inputs[1 if kept else 2]) == shape:
                self.masked(node, tensor, np.broadcast_to(condition.astype(bool) == kept, shape))
                return
        node.refuse("that is not a causal mask of scores cannot be lowered")
