# SPDX-License-Identifier: Apache-2.0
"""An ONNX model as a plain list of nodes, with what exporters decompose put together again.

A Node has op, name, inputs, outputs (names of tensors) and attributes (python values, numpy arrays). Tensors
have names; initializers are numpy arrays. Only what later steps need of the format is read; anything else is
refused with the operator's name (Unsupported).
"""
import os
import re
import warnings

import numpy as np


class Unsupported(ValueError):
    """The network has something that cannot be lowered; the text is the whole message."""

    def __init__(self, op, name, reason="cannot be lowered"):
        super().__init__(f"operator {op} ('{name}'): {reason}")
        self.op = op


class ImportError_(ValueError):
    """The input is not what it has to be; the text is the whole message."""


class Node:
    """One operator."""

    def __init__(self, op, name, inputs, outputs, attributes):
        self.op, self.name, self.inputs, self.outputs, self.attributes = op, name, inputs, outputs, attributes

    def __repr__(self):
        return f"{self.op}({', '.join(self.inputs)}) -> {', '.join(self.outputs)}"

    def refuse(self, reason="cannot be lowered"):
        raise Unsupported(self.op, self.name, reason)


class Graph:
    """nodes in execution order; constants: name -> array; inputs: [(name, shape, dtype)]; outputs: [name]."""

    def __init__(self, nodes, constants, inputs, outputs):
        self.nodes, self.constants, self.inputs, self.outputs = nodes, constants, inputs, outputs

    def consumers(self):
        """Tensor -> nodes that read it (a node that reads it twice stands twice)."""
        table = {}
        for node in self.nodes:
            for name in node.inputs:
                table.setdefault(name, []).append(node)
        return table

    def producers(self):
        return {output: node for node in self.nodes for output in node.outputs}


def read(path_or_bytes):
    """Graph of an ONNX file or of the bytes of one. The batch size is 1 where the model leaves it open."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise ImportError_("reading ONNX needs the Python package onnx (Debian: python3-onnx, "
                           "scripts/bootstrap --trace)") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")           # the library only warns of bytes that it cannot read
            if isinstance(path_or_bytes, bytes):
                model = onnx.load_model_from_string(path_or_bytes)
            else:
                model = onnx.load(path_or_bytes)
    except OSError as error:
        raise ImportError_(f"cannot open '{path_or_bytes}': {os.strerror(error.errno)}"
                           if error.errno else str(error)) from error
    except Exception as error:                       # the protobuf library has exceptions of its own
        text = " ".join(str(error).split()) or type(error).__name__
        raise ImportError_(f"'{path_or_bytes}' is not an ONNX model: {text[:200]}") from error
    if not model.graph.node:
        raise ImportError_(f"'{path_or_bytes}' is not an ONNX model: it has no operators")

    def value(attribute):
        got = onnx.helper.get_attribute_value(attribute)
        if isinstance(got, onnx.TensorProto):
            return numpy_helper.to_array(got)
        if isinstance(got, bytes):
            return got.decode(errors="replace")
        if isinstance(got, onnx.GraphProto):
            raise Unsupported(node.op_type, name, "has a subgraph; control flow cannot be lowered")
        return got

    nodes = []
    for node in model.graph.node:
        name = node.name or (node.output[0] if node.output else node.op_type)
        if node.domain not in ("", "ai.onnx", "com.microsoft"):
            raise Unsupported(f"{node.domain}::{node.op_type}", name)
        nodes.append(Node(node.op_type, name, list(node.input), list(node.output),
                          {a.name: value(a) for a in node.attribute}))
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    inputs = []
    for entry in model.graph.input:
        if entry.name in constants:
            continue
        tensor = entry.type.tensor_type
        shape = [d.dim_value if d.dim_value > 0 else None for d in tensor.shape.dim]
        inputs.append((entry.name, shape, onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[tensor.elem_type]))
    return Graph(nodes, constants, inputs, [output.name for output in model.graph.output])


def layer_name(node):
    """A name for people: 'layer1.0.conv1' of '/layer1/layer1.0/conv1/Conv', else the tensor's."""
    text = node.name or node.outputs[0]
    parts = [p for p in text.split("/") if p]
    if len(parts) > 1 and re.fullmatch(rf"{node.op}(_\d+)?", parts[-1]):
        parts.pop()
    kept = []
    for part in parts:
        while kept and part.startswith(kept[-1] + "."):
            kept.pop()                               # a Sequential repeats the name around it
        kept.append(part)
    return re.sub(r"[^A-Za-z0-9_.-]", "_", ".".join(kept)) or node.op


# ---- Patterns that exporters decompose ---------------------------------------------------------------------

def _scalar(graph, name):
    array = graph.constants.get(name)
    return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None


def _last_axis(graph, node):
    axes = node.attributes.get("axes")
    if axes is None and len(node.inputs) > 1 and node.inputs[1] in graph.constants:
        axes = graph.constants[node.inputs[1]].tolist()
    return axes is not None and list(axes) == [-1] and node.attributes.get("keepdims", 1) == 1


def join_layer_norms(graph):
    """x - mean, its square's mean, + epsilon, square root, division, and the factor and summand of each
    channel become one LayerNormalization."""
    producers, consumers = graph.producers(), graph.consumers()

    def made_by(name, *ops):
        node = producers.get(name)
        return node if node is not None and node.op in ops else None

    gone, joined = set(), {}
    for division in graph.nodes:
        if division.op != "Div":
            continue
        difference, root = made_by(division.inputs[0], "Sub"), made_by(division.inputs[1], "Sqrt")
        plus = root and made_by(root.inputs[0], "Add")
        if not (difference and plus):
            continue
        variance = made_by(plus.inputs[0], "ReduceMean") or made_by(plus.inputs[1], "ReduceMean")
        square = variance and made_by(variance.inputs[0], "Pow", "Mul")
        mean = made_by(difference.inputs[1], "ReduceMean")
        if not (square and mean and _last_axis(graph, mean) and _last_axis(graph, variance)):
            continue
        if mean.inputs[0] != difference.inputs[0]:
            continue
        squares = square.op == "Mul" and square.inputs[0] == square.inputs[1] or (
            square.op == "Pow" and _scalar(graph, square.inputs[1]) == 2)
        centred = made_by(square.inputs[0], "Sub", "Cast")
        if centred is not None and centred.op == "Cast":
            centred = made_by(centred.inputs[0], "Sub")
        if not squares or centred is None or centred.inputs != difference.inputs:
            continue
        factor = summand = None
        last = division
        for op in ("Mul", "Add"):
            readers = consumers.get(last.outputs[0], [])
            if len(readers) != 1 or readers[0].op != op:
                break
            other = [n for n in readers[0].inputs if n != last.outputs[0]]
            if len(other) != 1 or other[0] not in graph.constants or graph.constants[other[0]].ndim != 1:
                break
            last = readers[0]
            gone.add(last)
            factor, summand = (other[0], summand) if op == "Mul" else (factor, other[0])
        gone.update((difference, root, plus, variance, square, mean, division))
        if factor is None:
            division.refuse("is a layer norm without a factor for each channel, which cannot be lowered")
        if summand is None:
            summand = factor + ".zero"
            graph.constants[summand] = np.zeros_like(graph.constants[factor])
        epsilon = next(e for e in (_scalar(graph, n) for n in plus.inputs) if e is not None)
        joined[last] = Node("LayerNormalization", division.name, [difference.inputs[0], factor, summand],
                            [last.outputs[0]], {"axis": -1, "epsilon": epsilon})
    nodes = [joined.get(node, node) for node in graph.nodes if node not in gone or node in joined]
    graph.nodes = nodes


def join_rms_norms(graph):
    """x / sqrt(mean of x squared + epsilon), and the factor of each channel, become one RMSNormalization."""
    makers, consumers = graph.producers(), graph.consumers()

    def made_by(name, *ops):
        node = makers.get(name)
        while node is not None and node.op == "Cast":    # Hugging Face computes norms in float32
            node = makers.get(node.inputs[0])
        return node if node is not None and node.op in ops else None

    def root_of(name):
        """(x, epsilon, nodes) where `name` is sqrt(mean(x^2) + epsilon)."""
        root = made_by(name, "Sqrt")
        plus = root and made_by(root.inputs[0], "Add")
        if not plus:
            return None
        mean = made_by(plus.inputs[0], "ReduceMean") or made_by(plus.inputs[1], "ReduceMean")
        epsilon = next((e for e in (_scalar(graph, n) for n in plus.inputs) if e is not None), None)
        square = mean and made_by(mean.inputs[0], "Pow", "Mul")
        if not square or epsilon is None or not _last_axis(graph, mean):
            return None
        squares = square.op == "Mul" and square.inputs[0] == square.inputs[1] or (
            square.op == "Pow" and _scalar(graph, square.inputs[1]) == 2)
        return (square.inputs[0], epsilon, [root, plus, mean, square]) if squares else None

    def divided(node):
        """(x, epsilon, nodes) where a node is x / sqrt(...), in any spelling."""
        if node.op == "Div":
            found = root_of(node.inputs[1])
            return found if found and found[0] == node.inputs[0] else None
        for x, factor in (node.inputs, node.inputs[::-1]):
            inverse = made_by(factor, "Reciprocal", "Div")
            if inverse is None or (inverse.op == "Div" and _scalar(graph, inverse.inputs[0]) != 1):
                continue
            found = root_of(inverse.inputs[-1])
            if found and found[0] == x:
                return found[0], found[1], found[2] + [inverse]
        return None

    gone, joined = set(), {}
    for node in graph.nodes:
        found = divided(node) if node.op in ("Mul", "Div") and len(node.inputs) == 2 else None
        if found is None:
            continue
        x, epsilon, parts = found
        last, factor = node, None
        readers = consumers.get(last.outputs[0], [])
        while len(readers) == 1 and readers[0].op == "Cast":
            last = readers[0]
            parts.append(last)
            readers = consumers.get(last.outputs[0], [])
        if len(readers) == 1 and readers[0].op == "Mul":
            other = [n for n in readers[0].inputs if n != last.outputs[0]]
            if len(other) == 1 and other[0] in graph.constants and graph.constants[other[0]].ndim == 1:
                last, factor = readers[0], other[0]
        if factor is None:
            factor = node.outputs[0] + ".one"
            graph.constants[factor] = np.ones(1, np.float32)
            last = node
        gone.update([node, last] + [part for part in parts if part is not last])
        joined[last] = Node("RMSNormalization", node.name, [x, factor], [last.outputs[0]],
                            {"axis": -1, "epsilon": epsilon})
    # A part that somebody else reads too stays.
    wanted = {name for node in graph.nodes if node not in gone for name in node.inputs} | set(graph.outputs)
    wanted |= {name for node in joined.values() for name in node.inputs}
    nodes = []
    for node in reversed(graph.nodes):
        if node in joined:
            nodes.append(joined[node])
        elif node not in gone:
            nodes.append(node)
        elif any(name in wanted for name in node.outputs):
            nodes.append(node)
            wanted.update(node.inputs)
    graph.nodes = nodes[::-1]


def fold_constants_of(graph):
    """Constant nodes become constants."""
    rest = []
    for node in graph.nodes:
        if node.op == "Constant":
            key = next(iter(node.attributes))
            value = node.attributes[key]
            graph.constants[node.outputs[0]] = np.asarray(
                value, dtype={"value_float": np.float32, "value_int": np.int64, "value_floats": np.float32,
                              "value_ints": np.int64}.get(key))
        else:
            rest.append(node)
    graph.nodes = rest


def prepared(path_or_bytes):
    """read(), with constants folded, operators on codes expanded and norms joined."""
    import onnx_quantized                            # which needs Node
    graph = read(path_or_bytes)
    fold_constants_of(graph)
    onnx_quantized.expand(graph)
    join_layer_norms(graph)
    join_rms_norms(graph)
    return graph
