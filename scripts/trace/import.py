#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns a pruned network of a training framework into a trace. docs/guide/import.md explains.

    scripts/trace/import.py onnx MODEL.onnx --out DIR --inputs X.npy [--labels Y.npy]
    scripts/trace/import.py torch MODULE:FUNCTION --out DIR --inputs X.npy [--state FILE] [--arguments JSON]
    scripts/trace/import.py state FILE.pt --out FILE.safetensors

A network that cannot be lowered is refused with the operator's name (exit status 2); one whose integer version
does not follow the float one is not written (exit status 1).
"""
import argparse
import json
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

MAX_ERROR = 0.5          # relative error of the outputs beyond which the lowering is not believed


class Complaint(Exception):
    """Ends the program with a status and one message."""

    def __init__(self, message, status=2):
        super().__init__(message)
        self.status = status


def load_array(path, what):
    import numpy as np
    try:
        loaded = np.load(path, allow_pickle=False)
    except OSError as error:
        raise Complaint(f"cannot open '{path}': {error.strerror or error}") from error
    except ValueError as error:
        raise Complaint(f"'{path}' ({what}) is not an array of numpy (.npy, .npz): {error}") from error
    return {name: loaded[name] for name in loaded.files} if hasattr(loaded, "files") else loaded


def inputs_of(graph, options):
    """Input name -> array [samples, ...], and what the provenance says about it."""
    import numpy as np
    wanted = graph.inputs
    if options.inputs:
        given = load_array(options.inputs, "--inputs")
        if not isinstance(given, dict):
            if len(wanted) != 1:
                raise Complaint(f"the network has {len(wanted)} inputs ({', '.join(n for n, _, _ in wanted)}); "
                                "--inputs must be an .npz with an array for each")
            given = {wanted[0][0]: given}
        source = f"{os.path.basename(options.inputs)}"
    else:
        generator = np.random.default_rng(options.seed)
        given, source = {}, f"random numbers (normal, seed {options.seed})"
        for name, shape, kind in wanted:
            if None in shape[1:]:
                raise Complaint(f"input '{name}' has no fixed shape {shape}; give --inputs")
            if not np.issubdtype(kind, np.floating):
                raise Complaint(f"input '{name}' holds whole numbers; give --inputs")
            given[name] = generator.standard_normal([options.images] + list(shape[1:]))
    arrays = {}
    for name, shape, kind in wanted:
        if name not in given:
            raise Complaint(f"--inputs has no array '{name}'; it has {', '.join(given) or 'none'}")
        array = np.asarray(given[name])
        fits = array.ndim == len(shape) and all(s is None or s == n for s, n in zip(shape[1:], array.shape[1:]))
        if not fits or array.shape[0] < 1:
            raise Complaint(f"input '{name}' has shape {list(array.shape)}, but the network wants "
                            f"[samples, {', '.join('any' if s is None else str(s) for s in shape[1:])}]")
        if shape and shape[0] not in (None, 1):
            raise Complaint(f"the network was exported for a batch of {shape[0]}; export it with a batch of 1")
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise Complaint(f"input '{name}' holds values that are not finite")
        arrays[name] = array[:options.images].astype(kind)
    if len({len(a) for a in arrays.values()}) != 1:
        raise Complaint("the inputs have different numbers of samples")
    return arrays, source


def graph_of_module(options):
    """(Graph, first input arrays) of a torch.nn.Module, through torch's own exporter."""
    import io
    import unittest.mock
    import warnings

    import torch

    import capture
    import onnx_graph
    module = load_module(options, torch)
    given = load_array(options.inputs, "--inputs")
    arrays = list(given.values()) if isinstance(given, dict) else [given]
    names = list(given) if isinstance(given, dict) else ["input"]
    floats = torch.get_default_dtype()
    args = tuple(torch.as_tensor(a[:1]).to(floats) if torch.as_tensor(a[:1]).is_floating_point()
                 else torch.as_tensor(a[:1]) for a in arrays)
    buffer = io.BytesIO()
    # torch's fused attention, which cannot be exported, steps aside where autocast is on.
    plain = unittest.mock.patch.object(torch, "is_autocast_enabled", lambda: True)
    try:
        with torch.no_grad(), warnings.catch_warnings(), plain:
            warnings.simplefilter("ignore")
            outputs, modules = capture.hooked(module, args)
            torch.onnx.export(module, args, buffer, opset_version=17, input_names=names)
    except Exception as error:
        text = " ".join(str(error).split()).split(" Please feel free")[0]
        raise Complaint(f"'{options.source}' cannot be exported: {text[:300]}") from error
    return onnx_graph.prepared(buffer.getvalue()), outputs, modules


def load_module(options, torch):
    import importlib
    import importlib.util
    place, _, name = options.source.rpartition(":")
    if not place:
        raise Complaint(f"'{options.source}' is not MODULE:FUNCTION or FILE.py:FUNCTION")
    try:
        if place.endswith(".py"):
            spec = importlib.util.spec_from_file_location("network", place)
            found = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(found)
        else:
            found = importlib.import_module(place)
        arguments = json.loads(options.arguments)
        module = getattr(found, name)(**arguments)
    except (ImportError, OSError, AttributeError, TypeError, ValueError) as error:
        raise Complaint(f"'{options.source}' does not give a network: {error}") from error
    if not isinstance(module, torch.nn.Module):
        raise Complaint(f"'{options.source}' gives a {type(module).__name__}, not a torch.nn.Module")
    if options.state:
        state = load_state(options.state, torch)
        try:
            module.load_state_dict(state)
        except RuntimeError as error:
            raise Complaint(f"'{options.state}' does not fit '{options.source}': {str(error).splitlines()[-1].strip()}"
                            ) from error
    return module.eval()


def load_state(path, torch):
    """name -> tensor of a state dict (.pt, .pth, .bin) or a safetensors file; no code in it is run."""
    if path.endswith(".safetensors"):
        import safetensors_io
        try:
            tensors, _ = safetensors_io.read(path)
        except OSError as error:
            raise Complaint(f"cannot open '{path}': {error.strerror}") from error
        except safetensors_io.SafetensorsError as error:
            raise Complaint(str(error)) from error
        return {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise Complaint(f"cannot open '{path}': {error.strerror}") from error
    except Exception as error:
        raise Complaint(f"'{path}' is not a state dict: {' '.join(str(error).split())[:200]}") from error
    for key in ("state_dict", "model", "model_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not any(torch.is_tensor(v) for v in state.values()):
        raise Complaint(f"'{path}' is not a state dict: it holds no tensors by name")
    return {name: value for name, value in state.items() if torch.is_tensor(value)}


def write_state(options):
    import numpy as np
    import torch

    import safetensors_io
    state = load_state(options.source, torch)
    tensors = {}
    for name, value in state.items():
        if value.dtype in (torch.float16, torch.bfloat16, torch.float64):
            value = value.float()
        array = value.detach().contiguous().numpy()
        tensors[name] = array.astype(np.uint8) if array.dtype == bool else array
    safetensors_io.write(options.out, tensors)
    print(f"{len(tensors)} tensors in {options.out}")


def check_same(outputs, graph, inputs):
    """The exported graph computes what the module computes."""
    import numpy as np

    import onnx_eval
    env = onnx_eval.run(graph, {name: array[:1] for name, array in inputs.items()})
    for name, wanted in zip(graph.outputs, outputs):
        wanted, found = np.asarray(wanted), env[name].numpy()
        error = float(np.abs(found - wanted).max() / max(1e-6, np.abs(wanted).max()))
        if found.shape != wanted.shape or error > 1e-3:
            raise Complaint(f"the exported graph differs from the module by {error:.2g} of the largest output")
    return env


def found_modules(env, modules):
    """How many of the modules' outputs (forward hooks) are tensors of the graph."""
    import torch
    by_shape = {}
    for value in env.values():
        if torch.is_tensor(value) and value.is_floating_point():
            by_shape.setdefault(tuple(value.shape), []).append(value)
    return sum(any(torch.allclose(value, output, rtol=1e-3, atol=1e-4 * float(output.abs().max() + 1e-6))
                   for value in by_shape.get(tuple(output.shape), [])) for output in modules.values())


def run_import(options):
    import onnx_graph
    import trace_import
    modules = outputs = None
    if options.kind == "torch":
        if not options.inputs:
            raise Complaint("--inputs is needed: example inputs of the module, [samples, ...]")
        graph, outputs, modules = graph_of_module(options)
    else:
        graph = onnx_graph.prepared(options.source)
    inputs, data = inputs_of(graph, options)
    notes = {}
    if outputs is not None:
        env = check_same(outputs, graph, inputs)
        notes["modules_found"] = f"{found_modules(env, modules)} of {len(modules)}"
    labels = load_array(options.labels, "--labels") if options.labels else None
    if labels is not None:
        count = len(next(iter(inputs.values())))
        if isinstance(labels, dict) or labels.ndim != 1 or len(labels) < count or labels.dtype.kind not in "iu":
            raise Complaint(f"--labels must be one array of whole numbers, at least {count} of them")
    report = trace_import.write_trace(graph, inputs, labels, options, data, notes, MAX_ERROR)
    if report["error"] > MAX_ERROR:
        raise Complaint(f"the integer network does not follow the float one: relative error {report['error']:.3f} "
                        f"of the outputs, more than {MAX_ERROR}; nothing was written (more --inputs may help)", 1)
    print("\n".join(f"{key:<24} {value}" for key, value in report["shown"].items()))
    print(os.path.join(options.out, "workload.yaml"))


def arguments(argv):
    parser = argparse.ArgumentParser(description="Turns a pruned network into a trace (docs/guide/import.md).")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="onnx|torch|state")
    for kind, source, doc in (
            ("onnx", "MODEL.onnx", "a network in ONNX, plain or with QuantizeLinear/DequantizeLinear"),
            ("torch", "MODULE:FUNCTION", "a torch.nn.Module that a function makes"),
            ("state", "FILE", "a state dict (.pt, .pth, .bin) as safetensors, for `lacuna trace import`")):
        sub = kinds.add_parser(kind, help=doc, description=doc)
        sub.add_argument("source", metavar=source)
        sub.add_argument("--out", required=True, metavar="FILE.safetensors" if kind == "state" else "DIR")
        if kind == "state":
            continue
        sub.add_argument("--inputs", metavar="X.npy", help="example inputs [samples, ...]; .npz for several inputs")
        sub.add_argument("--labels", metavar="Y.npy", help="true classes; without them the float network's answers")
        sub.add_argument("--images", type=int, default=64, help="samples used, at most (default 64)")
        sub.add_argument("--seed", type=int, default=0, help="of random inputs, where --inputs is not given")
        sub.add_argument("--activation-sparsity", type=float, default=None, metavar="S",
                         help="gate engine inputs so that this share of each becomes zero")
        sub.add_argument("--expect-bytes", type=int, default=64 << 20, help="limit of stored reference outputs")
        sub.add_argument("--name", help="name of the workload (default: of the file or function)")
        for key in ("model", "data", "method", "pattern", "target-sparsity", "accuracy"):
            sub.add_argument(f"--{key}", help=f"what the provenance says about it"
                             if key != "accuracy" else "of the dense float network, for the provenance")
        if kind == "torch":
            sub.add_argument("--state", metavar="FILE", help="state dict or safetensors to load")
            sub.add_argument("--arguments", default="{}", metavar="JSON", help="keyword arguments of the function")
    options = parser.parse_args(argv)
    if options.kind != "state":
        if options.images < 1:
            parser.error(f"--images {options.images}: at least 1")
        if options.activation_sparsity is not None and not 0 <= options.activation_sparsity < 1:
            parser.error(f"--activation-sparsity {options.activation_sparsity}: 0 to below 1")
    return options


def main(argv=None):
    options = arguments(argv)
    try:
        write_state(options) if options.kind == "state" else run_import(options)
    except Complaint as complaint:
        print(f"import: {complaint}", file=sys.stderr)
        return complaint.status
    except ValueError as error:
        if type(error).__module__ not in ("onnx_graph", "reference", "safetensors_io"):
            raise
        print(f"import: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"import: the Python package {error.name} is missing (scripts/bootstrap --trace installs it for "
              "/usr/bin/python3)", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
