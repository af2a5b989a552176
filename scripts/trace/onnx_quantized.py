# SPDX-License-Identifier: Apache-2.0
"""ONNX's operators on codes (QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger with DynamicQuantizeLinear) as the
float operators between QuantizeLinear and DequantizeLinear that they stand for: lower.py keeps codes and scales of those.

Scales that DynamicQuantizeLinear computes at run time are replaced: the chip has fixed ones, from calibration.
"""
import re

import numpy as np

from onnx_graph import Node


class Rewriter:
    def __init__(self, graph):
        self.graph, self.nodes, self.count = graph, [], 0
        self.dynamic = {}      # codes of a DynamicQuantizeLinear -> its float input

    def fresh(self, node, what):
        self.count += 1
        return f"{node.outputs[0]}.{what}{self.count}"

    def add(self, op, like, inputs, outputs, **attributes):
        name = re.sub(rf"(QLinear{op}|{op}Integer)(_\d+)?$", op, like.name)
        self.nodes.append(Node(op, name, inputs, outputs, attributes))
        return outputs[0]

    def constant(self, node, name, what):
        if name not in self.graph.constants:
            node.refuse(f"with {what} that are not constant cannot be lowered")
        return self.graph.constants[name]

    def real(self, node, codes, scale, zero, axis=0):
        """DequantizeLinear of codes; constants may have a scale for each slice along an axis."""
        return self.add("DequantizeLinear", node, [codes, scale, zero], [self.fresh(node, "real")], axis=axis)

    def quantized(self, node, real, scale, zero):
        return self.add("QuantizeLinear", node, [real, scale, zero], [node.outputs[0]])

    def qlinear_conv(self, node):
        x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = node.inputs[:8]
        inputs = [self.real(node, x, x_scale, x_zero), self.real(node, w, w_scale, w_zero)]
        if len(node.inputs) > 8 and node.inputs[8]:
            bias = self.constant(node, node.inputs[8], "biases").astype(np.float64)
            step = self.constant(node, x_scale, "scales") * np.asarray(self.constant(node, w_scale, "scales"))
            inputs.append(self.fresh(node, "bias"))
            self.graph.constants[inputs[-1]] = (bias * step.reshape(-1)).astype(np.float32)
        real = self.add("Conv", node, inputs, [self.fresh(node, "conv")], **node.attributes)
        self.quantized(node, real, y_scale, y_zero)

    def qlinear_matmul(self, node):
        a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = node.inputs
        one, two = self.real(node, a, a_scale, a_zero), self.real(node, b, b_scale, b_zero, axis=1)
        self.quantized(node, self.add("MatMul", node, [one, two], [self.fresh(node, "matmul")]), y_scale, y_zero)

    def dynamic_quantize(self, node):
        codes, scale, _ = node.outputs
        self.dynamic[codes] = node.inputs[0]
        self.graph.constants[scale] = np.float32(1)  # the codes stand for themselves from here on

    def integer(self, node, op):
        """The sums are the real ones in units of the scales, which the next operators multiply by."""
        x, w = node.inputs[:2]
        if x not in self.dynamic:
            node.refuse("of codes that no DynamicQuantizeLinear makes cannot be lowered")
        codes = self.constant(node, w, "weights").astype(np.float32)
        if len(node.inputs) > 3 and node.inputs[3]:
            zero = self.constant(node, node.inputs[3], "zero points").astype(np.float32)
            codes = codes - (zero if zero.size == 1 or op == "MatMul" else zero.reshape(-1, 1, 1, 1))
        weight = self.fresh(node, "codes")
        self.graph.constants[weight] = codes
        self.add(op, node, [self.dynamic[x], weight], [node.outputs[0]], **node.attributes)

    def run(self):
        handlers = {"QLinearConv": self.qlinear_conv, "QLinearMatMul": self.qlinear_matmul,
                    "DynamicQuantizeLinear": self.dynamic_quantize,
                    "MatMulInteger": lambda node: self.integer(node, "MatMul"),
                    "ConvInteger": lambda node: self.integer(node, "Conv")}
        for node in self.graph.nodes:
            handler = handlers.get(node.op)
            if handler is None:
                self.nodes.append(node)
            else:
                handler(node)
        self.graph.nodes = self.nodes


def expand(graph):
    Rewriter(graph).run()
