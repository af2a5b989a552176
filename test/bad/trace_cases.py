# SPDX-License-Identifier: Apache-2.0
"""`lacuna trace`: wrong command lines, maps, sources of weights."""

import json

from bad_case import Case
from workload_cases import tensors

NETWORK = """\
schema: lacuna-workload-1
name: small
provenance: {source: statistic, model: small}
inputs:
  - {name: x, shape: [4, 4, 3], type: u8, sparsity: 0.5, seed: 3, samples: 1}
layers:
  - {name: conv, op: conv2d, input: x, kernel: [3, 3], out_channels: 5, output: {type: u8}, weights: {pattern: dense, seed: 4}}
  - {name: fc, op: linear, input: conv, out_channels: 2, output: {type: s8}, weights: {pattern: dense, seed: 5}}
"""
MAP = "schema: lacuna-import-map-1\nlayers:\n"
GOOD = {"m/conv.smtx": "5, 27, 1\n0 1 1 1 1 1\n0\n", "m/fc.smtx": "2, 5, 0\n0 0 0\n\n"}


def imported(name, source, message, files=None, map_text=None, options=()):
    """`lacuna trace import w.yaml --weights SOURCE`."""
    command = ["trace", "import", "w.yaml", "--weights", source, "--out", "out", *options]
    given = {"w.yaml": NETWORK} | (files or {})
    if map_text is not None:
        command += ["--map", "map.yaml"]
        given["map.yaml"] = map_text
    return Case(name, command, message, given)


def mapped(name, lines, message, files=None):
    """A map whose layers stand from line 3 on; matrices conv and fc in folder m."""
    return imported(name, "m", message, files or GOOD, MAP + lines)


def index(name, content, message):
    return imported(name, "i.safetensors.index.json", message,
                    {"i.safetensors.index.json": content if isinstance(content, str) else json.dumps(content)})


def generated(name, options, message):
    return Case(name, ["trace", "generate", "w.yaml", *options], message, {"w.yaml": NETWORK})


INDEX = "i.safetensors.index.json"
NO_INDEX = f"{INDEX}: is not the index of a sharded model (a JSON object with 'weight_map')"

CASES = [
    Case("no_action", ["trace"], "A subcommand is required; see 'lacuna trace --help'"),
    Case("unknown_action", ["trace", "show"], "unexpected argument 'show'; see 'lacuna trace --help'"),
    Case("info_without_trace", ["trace", "info"], "TRACE is required; see 'lacuna trace info --help'"),
    Case("info_unknown_option", ["trace", "info", "x", "--fromat", "json"],
         "unknown option '--fromat' (did you mean '--format'?); see 'lacuna trace info --help'"),
    Case("info_missing", ["trace", "info", "none.yaml"], "cannot open 'none.yaml': No such file or directory"),
    Case("info_empty_folder", ["trace", "info", "."], "cannot open './workload.yaml': No such file or directory"),
    Case("info_missing_tensors", ["trace", "info", "w.yaml"],
         "w.yaml:8:96: a tensor is named, but the workload has no 'tensors:' file",
         {"w.yaml": NETWORK.replace("weights: {pattern: dense, seed: 5}",
                                    "weights: {tensor: w}, requantize: {bias: b, multiplier: m, shift: s}")}),
    # Import: sources
    imported("weights_missing", "none", "'none' is no folder, .smtx, .mtx, .safetensors or .safetensors.index.json"),
    imported("weights_missing_file", "none.safetensors", "cannot open 'none.safetensors': No such file or directory"),
    imported("weights_folder_without_matrices", "e", "'e' holds no .smtx, .mtx or .safetensors file", {"e/x.txt": ""}),
    imported("weights_onnx", "x.onnx", "'x.onnx' is a network of its own, not weights for one: /usr/bin/python3 "
             "scripts/trace/import.py onnx x.onnx --out DIR", {"x.onnx": ""}),
    imported("weights_pytorch", "x.pt", "'x.pt' needs PyTorch: /usr/bin/python3 scripts/trace/import.py state x.pt "
             "--out FILE.safetensors", {"x.pt": ""}),
    imported("weights_two_kinds", "m", "'m' holds matrices and safetensors; name one of them",
             GOOD | {"m/a.safetensors": tensors(w=("F32", [1]))}),
    imported("weights_same_stem", "m", "'m' has two matrices 'conv' (.mtx and .smtx)", GOOD | {"m/conv.mtx": ""}),
    imported("weights_twice_in_shards", "s", "'s/a.safetensors' and 's/b.safetensors' both hold a tensor 'w'",
             {"s/a.safetensors": tensors(w=("F32", [1])), "s/b.safetensors": tensors(w=("F32", [1]))}),
    imported("weights_damaged", "m",
             "m/conv.smtx:2:11: the last row offset is 1, not the number of non-zeros, 2",
             GOOD | {"m/conv.smtx": "5, 27, 2\n0 1 1 1 1 1\n0 1\n"}),
    imported("weights_of_another_type", "x.safetensors",
             "w.yaml:7:5: layer 'conv': x.safetensors: tensor 'conv' is I32; weights are I8, F16, BF16, F32 or F64",
             {"x.safetensors": tensors(conv=("I32", [5, 3, 3, 3]), fc=("F32", [2, 5]))}),
    imported("weights_not_finite", "x.safetensors",
             "w.yaml:8:5: layer 'fc': x.safetensors:fc: element 3 is inf, not a number that a weight can have",
             {"x.safetensors": tensors(conv=("F32", [5, 3, 3, 3]),
                                       fc=("F32", [2, 5], bytes(12) + b"\0\0\x80\x7f" + bytes(24)))}),
    imported("weights_of_another_shape", "x.safetensors",
             "w.yaml:7:5: layer 'conv': x.safetensors:conv has shape [5, 3, 3, 2], but the layer needs 5 output "
             "channels and K = 27 (3 x 3 x 3 channels; oihw for 4-D tensors)",
             {"x.safetensors": tensors(conv=("F32", [5, 3, 3, 2]), fc=("F32", [2, 5]))}),
    index("index_not_json", "{", NO_INDEX),
    index("index_without_map", {"weights": 1}, NO_INDEX),
    index("index_empty", {"weight_map": {}}, NO_INDEX),
    index("index_leaves_the_folder", {"weight_map": {"conv": "../x.safetensors"}},
          f"{INDEX}: the file of tensor 'conv' is not the name of a file beside it"),
    index("index_with_missing_shard", {"weight_map": {"conv": "x.safetensors", "fc": "x.safetensors"}},
          "w.yaml:7:5: layer 'conv': cannot open 'x.safetensors': No such file or directory"),
    # Import: which is which
    imported("layers_without_weights", "m",
             "'m' has no weights for 1 of 2 layers: fc; say which is which with --map, or let them keep theirs with "
             "--partial", {"m/conv.smtx": GOOD["m/conv.smtx"]}),
    mapped("map_without_a_layer", "  conv: conv\n",
           "'m' has no weights for 1 of 2 layers: fc; add them to the map, or let them keep theirs with --partial"),
    mapped("map_names_nothing", "  conv: cnov\n  fc: fc\n",
           "map.yaml:3:9: 'm' has no weights 'cnov' for layer 'conv' (did you mean 'conv'?)"),
    mapped("map_fits_no_shape", "  conv: fc\n  fc: conv\n",
           "map.yaml:3:9: layer 'conv': fc.smtx has shape [2, 5], but the layer needs 5 output channels and K = 27 "
           "(3 x 3 x 3 channels; oihw for 4-D tensors)"),
    mapped("map_rows_beyond", "  conv: conv\n  fc: {name: fc, rows: [1, 3]}\n",
           "map.yaml:4:7: layer 'fc': fc.smtx has shape [2, 5] (rows [1, 3]), but the layer needs 2 output channels "
           "and K = 5"),
    mapped("map_unknown_word", "  conv: \"c{i}\"\n",
           "map.yaml:3:9: the name 'c{i}' uses {i}, which the key 'conv' does not have"),
    imported("map_unknown_schema", "m", "map.yaml:1:9: schema 'x' is not known; this version reads "
             "'lacuna-import-map-1'", GOOD, "schema: x\nlayers: {conv: conv}\n"),
    imported("map_unknown_layout", "m", "map.yaml:2:9: layout: 'nchw' is not one of oihw, ohwi or hwio",
             GOOD, "schema: lacuna-import-map-1\nlayout: nchw\nlayers: {conv: conv}\n"),
    imported("map_missing", "m", "cannot open 'none.yaml': No such file or directory", GOOD,
             options=["--map", "none.yaml"]),
    Case("out_is_a_file", ["trace", "import", "w.yaml", "--weights", "m", "--out", "w.yaml"],
         "cannot create the folder 'w.yaml': Not a directory", {"w.yaml": NETWORK} | GOOD),
    imported("seed_not_a_number", "m",
             "--seed: 'x' is not a whole number from 0 to 4503599627370496; see 'lacuna trace import --help'",
             GOOD, options=["--seed", "x"]),
    # Generate
    generated("generate_without_out", [], "--out is required; see 'lacuna trace generate --help'"),
    generated("generate_from_a_file", ["--weights", "x.smtx", "--out", "out"],
              "--weights: 'x.smtx' is a file; only a statistic (density=...) serves here"),
    generated("generate_density", ["--weights", "density=2", "--out", "out"],
              "--weights 'density=2': density '2' is not a number between 0 and 1"),
    generated("generate_acts_pattern", ["--acts", "density=0.5,pattern=2:4", "--out", "out"],
              "--acts: activations are unstructured; give density=D, and spatial=X and channel=X if they are correlated"),
    generated("generate_match", ["--match", "bnak", "--out", "out"],
              "--match: 'bnak' is not one of unstructured, magnitude or bank; see 'lacuna trace generate --help'"),
    generated("generate_match_and_weights", ["--match", "bank", "--weights", "density=0.5", "--out", "out"],
              "--match and --weights both say what the weights are; give one"),
    Case("generate_over_its_input", ["trace", "generate", "t", "--out", "t"],
         "the trace in 't' would replace the workload that it is made from", {"t/workload.yaml": NETWORK}),
]
