# SPDX-License-Identifier: Apache-2.0
"""Workload files with parameters, and `lacuna tokens`."""

from bad_case import Case

TINY = "@ROOT@/configs/chips/tiny.yaml"
GPT = "@ROOT@/configs/workloads/gpt-2.yaml"
HEAD = "schema: lacuna-workload-1\nname: w\nprovenance: {source: statistic, model: m}\n"


def network(name, text, message, options=()):
    return Case(f"network_{name}", ["run", TINY, "w.yaml", *options], message, {"w.yaml": HEAD + text})


def tokens(name, options, message):
    return Case(f"tokens_{name}", ["tokens", TINY, GPT, *options], message)


INPUT = "inputs: [{name: x, shape: [2, $width], type: s8, sparsity: 0, seed: 1, samples: 1}]\n"

CASES = [
    network("unknown_parameter", "parameters: {width: 8}\ninputs: [{name: x, shape: [2, $widht]}]\n",
            "w.yaml:5:31: there is no parameter 'widht' (did you mean 'width'?)"),
    network("expression", "parameters: {width: 8}\ninputs: [{name: x, shape: [2, $(width / 0)]}]\n",
            "w.yaml:5:31: 'width / 0': division by 0"),
    network("no_such_param", "parameters: {width: 8}\n" + INPUT + "layers: []\n",
            "--param: there is no parameter 'depth'; the workload has width", ["--param", "depth=3"]),
    network("param_without_parameters", "inputs: []\nlayers: []\n",
            "--param: the workload has no parameters, so 'width' cannot be set", ["--param", "width=3"]),
    network("param_without_value", "parameters: {width: 8}\n" + INPUT + "layers: []\n",
            "--param: 'width' has no '='; expected name=value", ["--param", "width"]),
    network("param_out_of_range", "parameters: {width: 8}\n" + INPUT + "layers: [{name: f, op: flatten, input: x}]\n",
            "w.yaml:5:31: inputs[0].shape[1]: 0 is out of range; expected 1 to 16777216", ["--param", "width=0"]),
    network("endless_repeat",
            "parameters: {width: 8}\n" + INPUT + "layers: [{repeat: 999999999, index: i, items: []}]\n",
            "w.yaml:6:19: repeat: 999999999 is outside 0..200000"),
    network("spread_without_magnitude",
            "parameters: {width: 8}\n" + INPUT + "layers: [{name: f, op: linear, input: x, out_channels: 4, output: {type: s8}, "
            "weights: {pattern: unstructured, sparsity: 0.5, row_spread: 1, seed: 1}}]\n",
            "w.yaml:6:139: layers[0].weights: 'row_spread' has no meaning for pattern 'unstructured'"),
    tokens("no_prompt", ["--prompt", "0"], "--prompt: '0' is not a whole number from 1 to 1048576; see 'lacuna tokens --help'"),
    tokens("own_parameter", ["--param", "context=3"],
           "--param context: lacuna tokens sets this itself, from --prompt, --output and --batch"),
    Case("tokens_no_language_model", ["tokens", TINY, "@ROOT@/configs/workloads/vit-b-16.yaml"],
         "--param: there is no parameter 'decode'; the workload has samples, layers, hidden, heads, feed_forward, seed, "
         "weight_sparsity, activation_sparsity, distinct_blocks, weights and activations"),
]
