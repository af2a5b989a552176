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


BERT = "@ROOT@/configs/workloads/bert-base.yaml"
COUNTS = "schema: lacuna-length-counts-1\nname: mine\nsource: me\nlimit: 96\n"


def lengths(name, text, message, options=(), workload=BERT):
    return Case(f"lengths_{name}", ["lengths", TINY, workload, "--distribution", "d.yaml", *options], message,
                {"d.yaml": text})


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
    network("too_many_k_parts",
            "parameters: {width: 8}\n" + INPUT + "layers: [{name: f, op: linear, input: x, out_channels: 4, output: {type: s8}, "
            "weights: {pattern: unstructured, sparsity: 0.5, seed: 1}, mapping: {k_parts: 2}}]\n",
            "w.yaml:6:156: mapping.k_parts of layer 'f': a part has at least one scanner window (scan_width * k_ways k), "
            "K = 8 has 1, not 2"),
    network("no_k_parts",
            "parameters: {width: 8}\n" + INPUT + "layers: [{name: f, op: linear, input: x, out_channels: 4, output: {type: s8}, "
            "weights: {pattern: unstructured, sparsity: 0.5, seed: 1}, mapping: {k_parts: 0}}]\n",
            "w.yaml:6:156: layers[0].mapping.k_parts: 0 is out of range; expected 1 to 16777216"),
    tokens("no_prompt", ["--prompt", "0"], "--prompt: '0' is not a whole number from 1 to 1048576; see 'lacuna tokens --help'"),
    tokens("own_parameter", ["--param", "context=3"],
           "--param context: lacuna tokens sets this itself, from --prompt, --output and --batch"),
    Case("tokens_no_language_model", ["tokens", TINY, "@ROOT@/configs/workloads/vit-b-16.yaml"],
         "--param: there is no parameter 'decode'; the workload has samples, layers, hidden, heads, feed_forward, seed, "
         "weight_sparsity, activation_sparsity, distinct_blocks, weights and activations"),
    lengths("empty_file", "", "d.yaml: is empty"),
    lengths("no_counts", COUNTS, "d.yaml:1:1: missing key 'counts': length in tokens: how many sequences have it, or their share"),
    lengths("empty_counts", COUNTS + "counts: {}\n", "d.yaml:5:9: there is no sequence: every count is 0"),
    lengths("zeros", COUNTS + "counts: {3: 0}\n", "d.yaml:5:9: there is no sequence: every count is 0"),
    lengths("negative", COUNTS + "counts: {3: 1, 5: -2}\n", "d.yaml:5:19: counts.5: -2 is out of range; expected 0 to 1000000000000000"),
    lengths("nan", COUNTS + "counts: {3: .nan}\n", "d.yaml:5:13: counts.3: '.nan' is not a number; expected a number"),
    lengths("infinite", COUNTS + "counts: {3: .inf}\n", "d.yaml:5:13: counts.3: '.inf' is not a number; expected a number"),
    lengths("no_length", COUNTS + "counts: {short: 1}\n",
            "d.yaml:5:17: 'short' is not a length: a whole number from 1 to 1048576"),
    lengths("length_0", COUNTS + "counts: {0: 1}\n",
            "d.yaml:5:13: '0' is not a length: a whole number from 1 to 1048576"),
    lengths("twice", COUNTS + "counts: {3: 1, 3: 1}\n", "d.yaml:5:16: the key '3' is already given in line 5"),
    lengths("beyond_limit", COUNTS + "counts: {3: 1, 97: 1}\n",
            "d.yaml:5:20: length 97 is beyond the limit of 96"),
    lengths("limit_0", COUNTS.replace("96", "0") + "counts: {1: 1}\n",
            "d.yaml:4:8: limit: 0 is out of range; expected 1 to 1048576"),
    lengths("schema", COUNTS.replace("counts-1", "counts-9") + "counts: {1: 1}\n",
            "d.yaml:1:9: schema 'lacuna-length-counts-9' is not known; this version reads 'lacuna-length-counts-1'"),
    lengths("own_parameter", COUNTS + "counts: {1: 1}\n",
            "--param sequence: lacuna lengths sets this itself, from --distribution and --batch", ["--param", "sequence=3"]),
    lengths("no_such_parameter", COUNTS + "counts: {1: 1}\n",
            "--param: there is no parameter 'length'; the workload has samples, sequence, layers, hidden, heads, feed_forward, "
            "vocabulary, seed, weight_sparsity, activation_sparsity, distinct_blocks, weights and activations", ["--length-parameter", "length"]),
    lengths("out", COUNTS + "counts: {1: 1}\n",
            "--out goes with lacuna run, which simulates one step; see docs/guide/networks.md", ["--out", "o"]),
    lengths("bucket", COUNTS + "counts: {1: 1}\n",
            "--bucket: '0' is not a whole number from 1 to 1048576; see 'lacuna lengths --help'", ["--bucket", "0"]),
    Case("lengths_no_file", ["lengths", TINY, BERT, "--distribution", "none.yaml"],
         "cannot open 'none.yaml': No such file or directory"),
    Case("lengths_no_distribution", ["lengths", TINY, BERT],
         "--distribution is required; see 'lacuna lengths --help'"),
    network("use_of_a_parameter",
            "parameters: {kind: tael, zeros_teal: {sparsity: 0}}\n"
            "inputs: [{name: x, shape: [2, 8], type: s8, use: zeros_$kind, seed: 1, samples: 1}]\nlayers: []\n",
            "w.yaml:5:50: use: there is no map 'zeros_tael' among the parameters (did you mean 'zeros_teal'?)"),
]
