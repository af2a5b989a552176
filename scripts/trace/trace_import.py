# SPDX-License-Identifier: Apache-2.0
"""From a graph and example inputs to a trace on disk: calibration in float, lowering, the integer reference over
all samples, and the comparison of both."""
import os
import sys

import numpy as np
import torch

import capture
import lower
import onnx_eval
import onnx_graph
import quantize
import reference

sys.setrecursionlimit(20000)


def calibrate(graph, inputs):
    """(values of sample 0, tensor -> (lowest, highest, magnitude without outliers), float outputs [samples, ...],
    tensors that are not the same for all samples)."""
    constants = onnx_eval.as_tensors(graph)
    first, ranges, outputs, varying = None, {}, {name: [] for name in graph.outputs}, set()
    for i in range(len(next(iter(inputs.values())))):
        env = onnx_eval.run(graph, {name: array[i:i + 1] for name, array in inputs.items()}, constants)
        first = first or env
        for name, value in env.items():
            if value is None or name in constants or not value.is_floating_point() or not value.numel():
                continue
            if name not in varying and not torch.equal(value, first[name]):
                varying.add(name)
            real = value.numpy()
            seen = np.abs(real[np.isfinite(real)])       # masks hide with infinities
            top = float(np.percentile(seen, quantize.PERCENTILE)) if seen.size else 0.0
            low, high, known = ranges.get(name, (np.inf, -np.inf, 0.0))
            ranges[name] = (min(low, float(real.min())), max(high, float(real.max())), max(known, top))
        for name in graph.outputs:
            outputs[name].append(env[name].numpy())
    return first, ranges, {name: np.concatenate(parts) for name, parts in outputs.items()}, varying


def sliced(graph, wanted):
    """The graph that computes only the tensors `wanted`."""
    makers, needed, todo = graph.producers(), set(), list(wanted)
    while todo:
        node = makers.get(todo.pop())
        if node is not None and node not in needed:
            needed.add(node)
            todo.extend(node.inputs)
    return onnx_graph.Graph([n for n in graph.nodes if n in needed], graph.constants, graph.inputs, wanted)


def input_codes(graph, lowered, inputs):
    """Input of the workload -> codes [samples, ...]: what the host computes, quantized."""
    if not lowered.input_tensors:
        return {}
    part = sliced(graph, [tensor for tensor, _ in lowered.input_tensors.values()])
    constants, rows = onnx_eval.as_tensors(graph), {name: [] for name in lowered.input_tensors}
    for i in range(len(next(iter(inputs.values())))):
        env = onnx_eval.run(part, {name: array[i:i + 1] for name, array in inputs.items()}, constants)
        for name, (tensor, arrange) in lowered.input_tensors.items():
            real = arrange(env[tensor].numpy().astype(np.float64))
            low, high = reference.RANGES[lowered.type[name]]
            shape = next(e["shape"] for e in lowered.inputs if e["name"] == name)
            codes = np.clip(np.rint(real / lowered.scale[name]), low, high).reshape([1] + shape)
            rows[name].append(codes.astype(capture.STORED[lowered.type[name]]))
    return {name: np.concatenate(parts) for name, parts in rows.items()}


class Codes(dict):
    """Codes in a byte each, handed out as int64."""

    def __getitem__(self, name):
        return dict.__getitem__(self, name).astype(np.int64)


def feeds_engine(layers):
    """Layers whose codes an engine layer reads, views looked through."""
    through = {layer["name"]: [layer["input"]] + layer.get("others", []) for layer in layers
               if layer["op"] in reference.KEEPS_TYPE}
    found, todo = set(), [name for layer in layers if layer["op"] in reference.ENGINE_OPS
                          for name in (layer["input"], layer.get("right")) if name]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(through.get(name, []))
    return found


def execute(workload, tensors, codes, share):
    """Codes of all layers; with `share` the gates of layers that feed the engine are set so that about that
    share of their codes is zero, layer by layer, each on what the layers before it then give."""
    env = Codes(codes)
    gated = feeds_engine(workload["layers"]) if share is not None else ()
    for layer in workload["layers"]:
        name = layer["name"]
        kind = reference.type_of(name, workload["layers"], workload["inputs"])
        y = reference.run_layer(layer, env, workload, tensors)
        if name in gated and "output" in layer:
            gate = int(np.quantile(np.abs(y), share, method="lower")) if share > 0 else 0
            layer["output"]["gate"] = gate
            y = np.where(np.abs(y) <= gate, 0, y)
        dict.__setitem__(env, name, y.astype(capture.STORED[kind]))
    return env


def relative_error(found, wanted):
    """Root mean square of the difference over that of the float outputs."""
    return float(np.sqrt(((found - wanted) ** 2).mean() / max(1e-30, (wanted ** 2).mean())))


def write_trace(graph, inputs, labels, options, data, notes, limit):
    """Writes the trace unless the error is beyond `limit`. Returns {"error": ..., "shown": {...}}."""
    if len(graph.outputs) != 1:
        raise onnx_graph.ImportError_(f"the network has {len(graph.outputs)} outputs ({', '.join(graph.outputs)}); "
                                      "one is supported")
    sample, ranges, outputs, varying = calibrate(graph, inputs)
    lowered = lower.Lowering(graph, sample, ranges, varying)
    result = lowered.run()[0]
    name = options.name or os.path.splitext(os.path.basename(options.source.replace(":", "_")))[0]
    workload = {"schema": "lacuna-workload-1", "name": name, "tensors": "tensors.safetensors", "provenance": {},
                "inputs": lowered.inputs, "layers": lowered.layers}
    codes = input_codes(graph, lowered, inputs)
    env = execute(workload, lowered.tensors, codes, options.activation_sparsity)
    wanted = outputs[graph.outputs[0]]
    found = lowered.in_order(env[result].astype(np.float64), wanted.shape) * lowered.scale[result]
    error = relative_error(found, wanted)
    count = len(wanted)
    agreement = float((found.reshape(count, -1).argmax(1) == wanted.reshape(count, -1).argmax(1)).mean())
    if error > limit:
        return {"error": error}

    single = env[result].reshape(count, -1).shape[1] == env[result].shape[-1]
    shown = {"layers": len(lowered.layers), "relative_error": round(error, 4)}
    stored = {f"{key}.input": value for key, value in codes.items()}
    if single:
        truth = np.asarray(labels[:count] if labels is not None else wanted.reshape(count, -1).argmax(1))
        if truth.min() < 0 or truth.max() >= env[result].shape[-1]:
            raise onnx_graph.ImportError_(f"labels {truth.min()}..{truth.max()} are outside the "
                                          f"{env[result].shape[-1]} classes of the network")
        stored["labels"] = truth.astype(np.int32)
        workload["result"] = {"layer": result}
        shown["agreement_with_float"] = round(agreement, 4)
    workload["provenance"] = provenance_of(workload, lowered, env, options, data, error, agreement, labels, notes)
    shown.update((k, workload["provenance"][k]) for k in ("weight_sparsity", "activation_sparsity", "macs_dense",
                                                          "macs_effective"))
    capture.store(options.out, workload, {**lowered.tensors, **stored}, env, options.expect_bytes,
                  "Made by scripts/trace/import.py")
    return {"error": error, "shown": shown}


def provenance_of(workload, lowered, env, options, data, error, agreement, labels, notes):
    tensors = lowered.tensors
    sparsity, per_layer, _ = capture.weight_sparsity(workload, tensors, lowered.selections)
    work = capture.work(workload, env, tensors)
    zeros, size = (sum(w[k] for w in work.values()) for k in ("input_zeros", "input_size"))
    count = len(next(iter(env.values())))
    given = {"model": options.model or os.path.basename(options.source), "data": options.data or data,
             "method": options.method or "not stated", "pattern": options.pattern or "not stated",
             "target_sparsity": options.target_sparsity or "not stated"}
    provenance = {"source": "captured", **given, "weight_sparsity": round(sparsity, 4),
                  "activation_sparsity": round(zeros / size, 4),
                  "activation_gate": "none" if options.activation_sparsity is None else
                  f"magnitude, {options.activation_sparsity:g} of the inputs of each engine layer",
                  "accuracy_float_dense": options.accuracy or "not stated"}
    if "result" in workload and labels is not None:
        provenance["accuracy_int8"] = round(float(
            (reference.classes(env[workload["result"]["layer"]]) == labels[:count]).mean()), 4)
    else:
        provenance["accuracy_int8"] = "not measured"
    provenance.update(agreement_with_float=round(agreement, 4), relative_error=round(error, 4), images=count,
                      macs_dense=sum(w["macs_dense"] for w in work.values()),
                      macs_effective=sum(w["macs_effective"] for w in work.values()))
    if lowered.host_operators:
        provenance["host_operators"] = ", ".join(f"{op} x {n}" for op, n in lowered.host_operators.items())
    provenance.update(notes, script=f"scripts/trace/import.py {options.kind}")
    return provenance
