# SPDX-License-Identifier: Apache-2.0
"""Operators that are matrix products: convolutions, linear layers, products of two tensors."""
import numpy as np

import axes
import onnx_eval
from lower_values import Engine, Function, Host, Tensor


class EngineOps:
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
        if self.squeezed(node, tensor, weight):
            return
        tensor = self.as_map(node, tensor)
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

    def squeezed(self, node, tensor, weight):
        """A 1x1 convolution of averages [1, channels, 1, 1]: a linear layer."""
        dims = [axes.leaves(d) for d in tensor.dims]
        value = tensor.value
        if value.is_map or list(weight.shape[2:]) != [1, 1] or node.attributes.get("group", 1) != 1 or \
                axes.leaves(value.rows) or len(dims) != 4 or dims[0] or dims[2] or dims[3]:
            return False
        bias = None if len(node.inputs) < 3 or not node.inputs[2] else self.env[node.inputs[2]]
        self.linear(node, tensor.seen([[], tensor.dims[1]]), weight[:, :, 0, 0].astype(np.float64), bias)
        made = self.env[node.outputs[0]]
        self.env[node.outputs[0]] = made.seen([[], made.dims[1], [], []])
        return True

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
        value = self.value(node, y + x, c, emit, is_map=True, parts=parts, map_shape=(height, width, channels))
        self.env[node.outputs[0]] = Tensor(value, [[], c, y, x])

    def as_pixels(self, value):
        """Whether a value is a feature map, or a linear layer over the pixels of one, which then becomes a 1x1
        convolution: the same numbers, seen as a map."""
        parts = value.parts
        if value.is_map or value.done or not isinstance(parts, Engine) or parts.op != "linear" or parts.window:
            return value.is_map
        source = parts.source.value
        if not self.as_pixels(source) or axes.size(source.rows) != axes.size(value.rows):
            return False
        value.parts = parts.changed(op="conv2d", weight=parts.weight[:, None, None, :],
                                    window={"kernel": [1, 1], "stride": [1, 1], "padding": [0, 0]})
        value.is_map, value.map_shape = True, (*source.map_shape[:2], parts.weight.shape[0])
        return True

    def as_map(self, node, tensor):
        """The feature map that a tensor is; shuffled channels are put in order."""
        if tensor.value.is_map and len(tensor.dims) == 4:
            order = self.channels_of(tensor, 1)
            if order is not None and list(order) != list(range(len(order))):
                tensor = self.selected(node, node.inputs[0], tensor, 1, order)
        self.require_map(node, tensor)
        return tensor

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
            tensor = self.as_map(node, tensor)
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
        self.product(node, self.on_chip(node.inputs[0], node), self.on_chip(node.inputs[1], node, True))

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

    def product(self, node, left, right):
        """Per head: left [rows, K] x right, whose storage says whether it is to be transposed."""
        a, b = ([axes.leaves(d) for d in t.dims] for t in (left, right))
        batch, m, k = sum(a[:-2], []), a[-2], a[-1]
        batch_b, k_b, n = sum(b[:-2], []), b[-2], b[-1]
        rows, cols = axes.leaves(right.value.rows), axes.leaves(right.value.cols)
        heads = axes.size(batch)
        # Repeated heads come last: head i reads head i // (heads / kv_heads).
        kept = [leaf for leaf in batch_b if not isinstance(leaf, axes.Repeat)]
        whole = batch_b[:len(kept)] == kept and axes.size(batch_b) == heads
        kv_heads, batch_b = axes.size(kept), kept
        fits = whole and axes.leaves(left.value.rows) == m and axes.leaves(left.value.cols) == batch + k
        fits = fits and axes.size(k) == axes.size(k_b)
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
            if kv_heads != heads:
                layer["kv_heads"] = kv_heads
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
