# SPDX-License-Identifier: Apache-2.0
"""Writes a trace directory (workload.yaml, tensors.safetensors) and measures what is in it."""
import os

import numpy as np
import yaml

import reference
import safetensors_io

STORED = {"u8": np.uint8, "s8": np.int8}
TITLE = ("# SPDX-License-Identifier: Apache-2.0\n"
         "# {}; format: docs/reference/workload.md\n")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    pass


def flow(value):
    """One line of YAML in flow style."""
    text = yaml.dump(value, default_flow_style=True, sort_keys=False, width=1 << 20, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("...").rstrip("\n")


def yaml_text(workload, maker="Made by scripts/trace/make_traces.py"):
    lines = [TITLE.format(maker) + f"schema: {workload['schema']}", f"name: {workload['name']}",
             f"tensors: {workload['tensors']}", "provenance:"]
    lines += [f"  {key}: {flow(value)}" for key, value in workload["provenance"].items()]
    for section in ("inputs", "layers"):
        lines.append(f"{section}:")
        lines += [f"  - {flow(entry)}" for entry in workload[section]]
    if "result" in workload:
        lines.append(f"result: {flow(workload['result'])}")
    return "\n".join(lines) + "\n"


def expect_sizes(workload, env):
    """Layer -> bytes of its output for all samples."""
    return {layer["name"]: env[layer["name"]].size for layer in workload["layers"]}


def choose_expects(workload, env, budget):
    """Layers whose outputs are stored: all if they fit into `budget` bytes (None: no limit), else the
    largest go first, of equal ones the earliest; the result always stays."""
    sizes = expect_sizes(workload, env)
    result = workload.get("result", {"layer": workload["layers"][-1]["name"]})["layer"]
    kept = list(sizes)
    if budget is not None:
        for name in sorted(sizes, key=lambda n: -sizes[n]):
            if sum(sizes[n] for n in kept) <= budget:
                break
            if name != result:
                kept.remove(name)
    return kept


def weight_sparsity(workload, tensors, dense_layers):
    """(zeros / weights over the layers that are pruned, per layer, zeros / weights over all layers)."""
    per_layer, zeros, size, all_zeros, all_size = {}, 0, 0, 0, 0
    for layer in workload["layers"]:
        if "weights" not in layer:
            continue
        weight = tensors[layer["weights"]["tensor"]]
        nil = int((weight == 0).sum())
        per_layer[layer["name"]] = nil / weight.size
        all_zeros, all_size = all_zeros + nil, all_size + weight.size
        if layer["name"] not in dense_layers:
            zeros, size = zeros + nil, size + weight.size
    return zeros / size, per_layer, all_zeros / all_size


def work(workload, env, tensors):
    """Per engine layer: shapes, MACs dense and effective, sparsities (reference.engine_work)."""
    return {layer["name"]: reference.engine_work(layer, env, tensors)
            for layer in workload["layers"] if layer["op"] in reference.ENGINE_OPS}


def write(directory, workload, tensors, env, codes, labels, budget=None):
    """`env`: codes of all layers over `codes`. Returns {file: bytes, "expects": [...]}."""
    stored = dict(tensors, input=codes.astype(np.uint8), labels=labels.astype(np.int32))
    return store(directory, workload, stored, env, budget)


def store(directory, workload, tensors, env, budget=None, maker="Made by scripts/trace/make_traces.py"):
    """Writes both files. `tensors`: everything that the workload names except reference outputs, which are
    taken from `env`; "labels" among them if the workload has a result."""
    stored = dict(tensors)
    layers = [dict(layer) for layer in workload["layers"]]
    kept = choose_expects(workload, env, budget)
    for layer in layers:
        name = layer["name"]
        if name in kept:
            kind = reference.type_of(name, layers, workload["inputs"])
            layer["expect"] = f"{name}.output"
            stored[f"{name}.output"] = env[name].astype(STORED[kind])
            assert (stored[f"{name}.output"] == env[name]).all()
    complete = dict(workload, layers=layers)
    if "result" in workload:
        complete["result"] = dict(workload["result"], labels="labels",
                                  expect=f"{workload['result']['layer']}.output")
    os.makedirs(directory, exist_ok=True)
    safetensors_io.write(os.path.join(directory, "tensors.safetensors"), stored,
                         {"workload": workload["name"], "schema": workload["schema"]})
    text = yaml_text(complete, maker)
    if yaml.load(text, Loader=_Loader) != complete:
        raise AssertionError(f"{workload['name']}: the YAML text does not read back as it was")
    partial = os.path.join(directory, "workload.yaml.partial")
    with open(partial, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(partial, os.path.join(directory, "workload.yaml"))
    return {"expects": kept, "yaml_bytes": len(text),
            "safetensors_bytes": os.path.getsize(os.path.join(directory, "tensors.safetensors"))}


def hooked(module, args):
    """Runs a torch.nn.Module once. Returns (its outputs as a list, name -> output of every module without
    children, seen by forward hooks)."""
    import torch
    seen, handles = {}, []
    for name, child in module.named_modules():
        if name and not list(child.children()):
            def hook(_, __, output, name=name):
                if torch.is_tensor(output) and output.is_floating_point():
                    seen[name] = output.detach()
            handles.append(child.register_forward_hook(hook))
    try:
        with torch.no_grad():
            outputs = module(*args)
    finally:
        for handle in handles:
            handle.remove()
    return list(outputs) if isinstance(outputs, (tuple, list)) else [outputs], seen


def load(directory):
    """(workload, tensors) of a trace directory."""
    with open(os.path.join(directory, "workload.yaml"), encoding="utf-8") as file:
        workload = yaml.load(file, Loader=_Loader)
    tensors, _ = safetensors_io.read(os.path.join(directory, workload["tensors"]))
    return workload, tensors
