# SPDX-License-Identifier: Apache-2.0
"""Workload files that are wrong in themselves or do not fit their tensors."""

import json
import struct

from bad_case import Case

CHIP = "@ROOT@/configs/chips/tiny.yaml"
SIZES = {"I8": 1, "U8": 1, "U16": 2, "I32": 4, "F32": 4}


def tensors(**shapes):
    """A safetensors file of zeros: name=("I8", [2, 3]) or name=("I8", [2, 3], bytes)."""
    header, data = {}, b""
    for name, (dtype, shape, *content) in shapes.items():
        size = SIZES[dtype]
        for dimension in shape:
            size *= dimension
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + size]}
        data += content[0] if content else bytes(size)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


FILE = tensors(
    x=("U8", [2, 4, 4, 3]), t=("I8", [2, 5, 8]), u=("U8", [2, 5, 8]), w=("I8", [6, 3, 3, 3]), lw=("I8", [4, 8]),
    b6=("I32", [6]), b4=("I32", [4]), s6=("U8", [6], bytes([20] * 6)), s4=("U8", [4], bytes([20] * 4)),
    s0=("U8", [4], bytes([1, 62, 0, 5])), real=("F32", [4, 8]), exp=("U16", [256]), labels=("I32", [3]),
)

HEAD = """\
schema: lacuna-workload-1
name: bad
tensors: t.safetensors
provenance: {source: mixed, model: m, data: d, method: m, pattern: dense, target_sparsity: 0, weight_sparsity: 0, accuracy_float_dense: 1, accuracy_int8: 1}
inputs:
  - {name: x, shape: [4, 4, 3], type: u8, tensor: x}
  - {name: t, shape: [5, 8], type: s8, tensor: t}
  - {name: u, shape: [5, 8], type: u8, tensor: u}
layers:
"""
R6 = "requantize: {bias: b6, multiplier: b6, shift: s6}"
R4 = "requantize: {bias: b4, multiplier: b4, shift: s4}"


def workload(name, text, message, content=FILE):
    return Case(name, ["run", CHIP, "w.yaml"], message, {"w.yaml": text, "t.safetensors": content})


def layers(name, lines, message, rest=""):
    """The layers stand from line 10 on, their first key in column 6."""
    text = HEAD + "".join(f"  - {{{line}}}\n" for line in ([lines] if isinstance(lines, str) else lines))
    return workload(name, text + rest, message)


def conv(more="", kernel="[3, 3]"):
    return f"name: c, op: conv2d, input: x, kernel: {kernel}, weights: {{tensor: w}}, {R6}, output: {{type: u8}}{more}"


def linear(weights="{tensor: lw}", requantize=R4, more=""):
    return f"name: l, op: linear, input: t, weights: {weights}, {requantize}, output: {{type: s8}}{more}"


CASES = [
    Case("missing_file", ["run", CHIP, "none.yaml"], "cannot open 'none.yaml': No such file or directory"),
    workload("empty_file", "", "w.yaml: is empty"),
    workload("a_chip_instead", "chip: {name: x}\n", """\
w.yaml:1:1: missing key 'schema': version of this format: lacuna-workload-1
w.yaml:1:1: missing key 'name': name of the workload
w.yaml:1:1: missing key 'provenance': where weights and activations come from
w.yaml:1:1: missing key 'inputs': inputs of the network
w.yaml:1:1: missing key 'layers': layers in an order in which they can be executed
w.yaml:1:1: unknown key 'chip'; known keys: schema, name, tensors, provenance, inputs, layers, result
"""),
    workload("unknown_schema", HEAD.replace("workload-1", "workload-2") + "  - {name: f, op: flatten, input: x}\n",
             "w.yaml:1:9: schema 'lacuna-workload-2' is not known; this version reads 'lacuna-workload-1'"),
    workload("no_layers", HEAD.replace("layers:\n", "layers: []\n"),
             "w.yaml:9:9: a workload needs at least one layer"),
    workload("provenance_incomplete",
             HEAD.replace(", method: m", "") + "  - {name: f, op: flatten, input: x}\n",
             "w.yaml:4:13: provenance of source 'mixed' needs 'method'"),
    workload("provenance_source", HEAD.replace("mixed", "guessed") + "  - {name: f, op: flatten, input: x}\n",
             "w.yaml:4:22: provenance source 'guessed' is not captured, statistic or mixed"),
    workload("provenance_untrue", HEAD.replace("mixed", "captured") + "  - {" + linear(
        more=", activations: {sparsity: 0.5, seed: 1}") + "}\n",
             "w.yaml:10:144: provenance says 'captured', but the activations of layer 'l' are drawn from a "
             "statistic (unstructured, density 0.5, seed 1); say 'mixed'"),
    # Graph
    layers("unknown_op", "name: d, op: deconv, input: x",
           "w.yaml:10:19: layers[0].op: 'deconv' is not one of conv2d, linear, matmul, softmax, layer_norm, "
           "add, lookup, max_pool, average_pool, flatten, multiply, rms_norm, rotary, embedding, depthwise_conv2d, "
           "concat, slice or upsample"),
    layers("unknown_input", "name: f, op: flatten, input: imgae", "w.yaml:10:35: there is no input or layer 'imgae'"),
    layers("nearest_layer", ["name: conv1, op: flatten, input: x", "name: f, op: flatten, input: conv2"],
           "w.yaml:11:35: there is no input or layer 'conv2' (did you mean 'conv1'?)"),
    layers("later_layer", ["name: a, op: flatten, input: b", "name: b, op: flatten, input: x"],
           "w.yaml:10:35: layer 'b' stands later in the file; layers can only read inputs and earlier layers"),
    layers("own_output", "name: a, op: flatten, input: a",
           "w.yaml:10:35: layer 'a' stands later in the file; layers can only read inputs and earlier layers"),
    layers("name_twice", "name: x, op: flatten, input: x", "w.yaml:10:12: the name 'x' is used twice"),
    layers("key_of_another_op", "name: f, op: flatten, input: x, kernel: [1, 1]",
           "w.yaml:10:46: layers[0]: 'kernel' has no meaning for op 'flatten' (layer 'f')"),
    layers("key_missing", "name: m, op: max_pool, input: x",
           "w.yaml:10:19: layers[0]: max_pool layer 'm' needs 'kernel'"),
    layers("unknown_key", "name: f, op: flatten, input: x, kernle: [1, 1]",
           "w.yaml:10:38: unknown key 'kernle' in layers[0] (did you mean 'kernel'?)"),
    # Shapes and types
    layers("weights_of_another_shape", conv(kernel="[2, 2]"),
           "w.yaml:10:71: tensor 'w' (weights of layer 'c') has shape [6, 3, 3, 3], not [6, 2, 2, 3]"),
    layers("float_weights", linear("{tensor: real}"),
           "w.yaml:10:55: tensor 'real' (weights of layer 'l') is F32, not I8"),
    layers("unknown_tensor", linear("{tensor: lww}"),
           "w.yaml:10:55: t.safetensors has no tensor 'lww' (did you mean 'lw'?)"),
    layers("kernel_larger_than_input", conv(kernel="[9, 9]"),
           "w.yaml:10:45: the kernel of layer 'c' (9 rows) is larger than its input (4, padding 0)"),
    layers("huge_kernel", conv(kernel="[99999, 3]"),
           "w.yaml:10:46: layers[0].kernel[0]: 99999 is out of range; expected 1 to 4096"),
    layers("conv_of_tokens", conv().replace("input: x", "input: t"),
           "w.yaml:10:34: conv2d layer 'c' needs a feature map [height, width, channels], but 't' has shape [5, 8]"),
    layers("bias_of_another_length", linear(requantize=R4.replace("b4", "b6", 1)),
           "w.yaml:10:79: tensor 'b6' (bias of layer 'l') has shape [6], not [4] or [1]"),
    layers("shift_out_of_range", linear(requantize=R4.replace("s4", "s0")),
           "w.yaml:10:106: tensor 's0' (shift of layer 'l'): entry 2 is 0, outside 1..62"),
    layers("clamp_out_of_range", linear().replace("{type: s8}", "{type: s8, clamp: [0, 255]}"),
           "w.yaml:10:137: layers[0].output: clamp [0, 255] leaves the range of s8, [-128, 127]"),
    layers("expected_output_of_another_shape", linear(more=", expect: t"),
           "w.yaml:10:139: tensor 't' (expected output of layer 'l') has shape [2, 5, 8], not [2, 5, 4]"),
    layers("unsigned_right_operand",
           f"name: m, op: matmul, input: t, right: u, heads: 2, transpose_right: true, {R4}, output: {{type: s8}}",
           "w.yaml:10:44: the right operand of matmul 'm' must be s8, but 'u' is u8"),
    layers("heads_do_not_divide",
           f"name: m, op: matmul, input: u, right: t, heads: 3, transpose_right: true, {R4}, output: {{type: s8}}",
           "w.yaml:10:54: the 8 channels of the left operand of matmul 'm' do not divide into 3 heads"),
    layers("operands_of_add_differ",
           "name: a, op: add, input: x, right: t, multiplier: [1, 1], shift: 1, output: {type: s8}",
           "w.yaml:10:41: add 'a': the operands have shapes [4, 4, 3] and [5, 8]"),
    layers("softmax_table", "name: s, op: softmax, input: t, heads: 2, table: exp",
           "w.yaml:10:55: tensor 'exp' (table of layer 's') must begin with 32767, not 0"),
    layers("result_of_many_tokens", linear(),
           "w.yaml:11:17: the result layer 'l' has shape [5, 4]; the class is read from a single token",
           rest="result: {layer: l, labels: labels}\n"),
    layers("labels_of_another_length", ["name: a, op: flatten, input: t"],
           "w.yaml:11:28: tensor 'labels' (labels) has shape [3], not [2]",
           rest="result: {layer: a, labels: labels}\n"),
    # Statistics
    layers("statistic_without_pattern", linear("{sparsity: 0.5, seed: 1}", more=", out_channels: 4"),
           "w.yaml:10:46: layers[0].weights: a weight statistic needs 'pattern' (dense, unstructured, n:m, bank, block or magnitude)"),
    layers("statistic_n_of_m", linear("{pattern: 'n:m', n: 5, m: 4, seed: 1}", more=", out_channels: 4"),
           "w.yaml:10:66: layers[0].weights: n (5) must be at most m (4)"),
    layers("sparsity_above_1", linear("{pattern: unstructured, sparsity: 1.5, seed: 1}", more=", out_channels: 4"),
           "w.yaml:10:80: layers[0].weights.sparsity: 1.5 is out of range; expected 0 to 1"),
    workload("statistic_too_large",
             HEAD.replace("  - {name: t, shape: [5, 8], type: s8, tensor: t}",
                          "  - {name: t, shape: [1, 65536], type: s8, sparsity: 0, seed: 1, samples: 2}")
             + "  - {" + linear("{pattern: dense, seed: 1}", more=", out_channels: 16777216") + "}\n",
             "w.yaml:10:46: weights of layer 'l': a dense matrix of 16777216 x 65536 is more than the 1073741824 "
             "elements that are supported"),
    # Tensor files
    workload("damaged_tensors", HEAD + "  - {name: f, op: flatten, input: x}\n",
             "w.yaml:6:51: t.safetensors: header length 2338328219631577204 is more than the 100000000 bytes "
             "that are allowed (is this a safetensors file?)",
             content=b"this is not a safetensors file"),
    Case("missing_tensors", ["run", CHIP, "w.yaml"],
         "w.yaml:6:51: cannot open 't.safetensors': No such file or directory",
         {"w.yaml": HEAD + "  - {name: f, op: flatten, input: x}\n"}),
    workload("samples_differ",
             HEAD.replace("  - {name: u, shape: [5, 8], type: u8, tensor: u}",
                          "  - {name: u, shape: [5, 8], type: u8, sparsity: 0, seed: 1, samples: 3}")
             + "  - {name: f, op: flatten, input: x}\n",
             "w.yaml:8:5: input 'u' has 3 samples, but 'x' has 2"),
    workload("huge_input",
             HEAD.replace("  - {name: u, shape: [5, 8], type: u8, tensor: u}",
                          "  - {name: u, shape: [16777216, 16777216], type: u8, sparsity: 0, seed: 1, samples: 2}")
             + "  - {name: f, op: flatten, input: x}\n",
             "w.yaml:8:22: 'u' of shape [16777216, 16777216] has more than the 1073741824 elements that are "
             "supported"),
]
