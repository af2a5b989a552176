# SPDX-License-Identifier: Apache-2.0
"""Evaluates a Graph in float32, one sample at a time: the reference of the import, and where the scales of all
tensors come from. Also tells which tensors are constant whatever the input says, because only shapes (fixed)
and constants go into them."""
import math

import numpy as np
import torch
from torch.nn import functional

_TYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float16, 11: torch.float64,
          2: torch.uint8, 3: torch.int8}


def _axes(node, args, position=1):
    axes = node.attributes.get("axes")
    if axes is None and len(args) > position and args[position] is not None:
        axes = args[position].tolist()
    return axes


def _symmetric(node, pads, dims):
    """Pads of a window as torch wants them."""
    pads = list(pads or [0] * (2 * dims))
    if node.attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID", ""):
        node.refuse(f"auto_pad {node.attributes['auto_pad']} cannot be lowered; export with explicit pads")
    if pads[:dims] != pads[dims:]:
        node.refuse(f"pads {pads} differ between the two sides, which cannot be lowered")
    return pads[:dims]


def conv_pads(node, dims=2):
    return _symmetric(node, node.attributes.get("pads"), dims)


def _filled(node, shape):
    value = np.array(node.attributes.get("value", np.zeros(1, np.float32))).reshape(-1)
    return torch.full(shape.tolist(), value[0].item(), dtype=torch.from_numpy(value).dtype)


def _conv(node, x, w, b=None):
    a = node.attributes
    if w.dim() not in (3, 4):
        node.refuse("only convolutions over one or two dimensions can be evaluated")
    run = functional.conv2d if w.dim() == 4 else functional.conv1d
    dims = w.dim() - 2
    return run(x, w, b, stride=a.get("strides", [1] * dims), padding=conv_pads(node, dims),
               dilation=a.get("dilations", [1] * dims), groups=a.get("group", 1))


def _gemm(node, a, b, c=None):
    at = node.attributes
    a = a.t() if at.get("transA", 0) else a
    b = b.t() if at.get("transB", 0) else b
    y = at.get("alpha", 1.0) * (a @ b)
    return y if c is None else y + at.get("beta", 1.0) * c


def _pool(node, x, run):
    a = node.attributes
    size = a["kernel_shape"]
    if len(size) != 2 or any(d != 1 for d in a.get("dilations", [1])):
        node.refuse("only two-dimensional windows without dilation can be lowered")
    return run(x, size, stride=a.get("strides", [1] * len(size)), padding=conv_pads(node),
               ceil_mode=bool(a.get("ceil_mode", 0)))


def _average(node, x):
    include = bool(node.attributes.get("count_include_pad", 0))
    return _pool(node, x, lambda *p, **k: functional.avg_pool2d(*p, count_include_pad=include, **k))


def _reshape(node, x, shape):
    shape = shape.tolist()
    if not node.attributes.get("allowzero", 0):
        shape = [x.shape[i] if d == 0 else d for i, d in enumerate(shape)]
    return x.reshape(shape)


def _reduce(run):
    def reduce(node, x, *rest):
        axes = _axes(node, (x,) + rest)
        keep = bool(node.attributes.get("keepdims", 1))
        return run(x, list(range(x.dim())) if axes is None else list(axes), keep)
    return reduce


def _squeeze(node, x, *rest):
    axes = _axes(node, (x,) + rest)
    keep = [d for i, d in enumerate(x.shape)
            if not (d == 1 if axes is None else i in [a % x.dim() for a in axes])]
    return x.reshape(keep)


def _unsqueeze(node, x, *rest):
    axes = _axes(node, (x,) + rest)
    rank = x.dim() + len(axes)
    for axis in sorted(a % rank for a in axes):
        x = x.unsqueeze(axis)
    return x


def slices_of(node, rank, shape, args):
    """[(axis, start, end, step)] of a Slice with constant bounds."""
    a = node.attributes
    if "starts" in a:
        starts, ends, axes, steps = a["starts"], a["ends"], a.get("axes"), None
    else:
        lists = [None if p is None else np.asarray(p).reshape(-1).tolist() for p in args]
        starts, ends = lists[0], lists[1]
        axes = lists[2] if len(lists) > 2 else None
        steps = lists[3] if len(lists) > 3 else None
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    result = []
    for start, end, axis, step in zip(starts, ends, axes, steps):
        axis %= rank
        begin, stop, _ = slice(start, end, step).indices(shape[axis])
        result.append((axis, begin, stop, step))
    return result


def _slice(node, x, *args):
    for axis, begin, stop, step in slices_of(node, x.dim(), x.shape, args):
        if step < 0:
            node.refuse("a negative step cannot be lowered")
        index = [slice(None)] * x.dim()
        index[axis] = slice(begin, stop, step)
        x = x[tuple(index)]
    return x


def split_sizes(node, length, sizes):
    sizes = node.attributes.get("split") if sizes is None else sizes
    if sizes is None:
        sizes = [length // len(node.outputs)] * len(node.outputs)
    return [int(s) for s in sizes]


def _split(node, x, sizes=None):
    axis = node.attributes.get("axis", 0)
    return torch.split(x, split_sizes(node, x.shape[axis], None if sizes is None else sizes.tolist()), dim=axis)


def _gather(node, x, index):
    axis = node.attributes.get("axis", 0) % x.dim()
    index = torch.where(index < 0, index + x.shape[axis], index)
    y = torch.index_select(x, axis, index.reshape(-1))
    return y.reshape(x.shape[:axis] + index.shape + x.shape[axis + 1:])


def _quantize(node, x, scale, zero=None):
    zero = torch.zeros((), dtype=torch.uint8) if zero is None else zero
    shape = [1] * x.dim()
    if scale.numel() > 1:
        shape[node.attributes.get("axis", 1)] = -1
    low, high = (0, 255) if zero.dtype == torch.uint8 else (-128, 127)
    y = torch.round(x / scale.reshape(shape)) + zero.reshape(shape)
    return y.clamp(low, high).to(zero.dtype)


def _dequantize(node, x, scale, zero=None):
    shape = [1] * x.dim()
    if scale.numel() > 1:
        shape[node.attributes.get("axis", 1)] = -1
    y = x.to(torch.float32)
    return (y if zero is None else y - zero.reshape(shape).to(torch.float32)) * scale.reshape(shape)


def _batch_norm(node, x, gamma, beta, mean, variance):
    return functional.batch_norm(x, mean, variance, gamma, beta, eps=node.attributes.get("epsilon", 1e-5))


def _layer_norm(node, x, gamma, beta=None):
    axis = node.attributes.get("axis", -1)
    return functional.layer_norm(x, x.shape[axis:], gamma, beta, node.attributes.get("epsilon", 1e-5))


def _rms_norm(node, x, gamma):
    return x / torch.sqrt((x * x).mean(dim=-1, keepdim=True) + node.attributes.get("epsilon", 1e-5)) * gamma


def _clip(node, x, low=None, high=None):
    low = node.attributes.get("min", None if low is None else float(low))
    high = node.attributes.get("max", None if high is None else float(high))
    return torch.clamp(x, low, high) if low is not None or high is not None else x


def _alpha(node, default):
    return node.attributes.get("alpha", default)


def _resize(node, x, roi=None, scales=None, sizes=None):
    a = node.attributes
    if a.get("mode", "nearest") != "nearest" or x.dim() != 4 or a.get("nearest_mode", "round_prefer_floor") != "floor" \
            or a.get("coordinate_transformation_mode", "half_pixel") != "asymmetric":
        node.refuse("other than nearest, asymmetric, floor cannot be lowered")
    target = sizes.tolist()[2:] if sizes is not None else [int(n * f) for n, f in zip(x.shape[2:], scales.tolist()[2:])]
    return functional.interpolate(x, size=target, mode="nearest")


def _pad(node, x, pads=None, value=None):
    pads = node.attributes.get("pads") if pads is None else pads.tolist()
    if any(pads):
        node.refuse("that adds something cannot be lowered; use the padding of the next layer")
    return x


def _trilu(node, x, k=None):
    k = 0 if k is None else int(k.item())
    return torch.triu(x, k) if node.attributes.get("upper", 1) else torch.tril(x, k)


def _arange(node, start, stop, step):
    return torch.arange(start.item(), stop.item(), step.item(), dtype=start.dtype)


def _div(node, x, y):
    if not x.is_floating_point() and not y.is_floating_point():
        return torch.div(x, y, rounding_mode="trunc")
    return x / y


# Element by element: the same function serves tensors here and the tables of look-ups in lower.py.
UNARY = {
    "Relu": lambda node, x: torch.relu(x),
    "Clip": _clip,
    "Sigmoid": lambda node, x: torch.sigmoid(x),
    "Tanh": lambda node, x: torch.tanh(x),
    "Erf": lambda node, x: torch.erf(x),
    "Exp": lambda node, x: torch.exp(x),
    "Log": lambda node, x: torch.log(x),
    "Sqrt": lambda node, x: torch.sqrt(x),
    "Reciprocal": lambda node, x: 1 / x,
    "Neg": lambda node, x: -x,
    "Cos": lambda node, x: torch.cos(x),
    "Sin": lambda node, x: torch.sin(x),
    "Abs": lambda node, x: torch.abs(x),
    "Softplus": lambda node, x: functional.softplus(x),
    "LeakyRelu": lambda node, x: functional.leaky_relu(x, _alpha(node, 0.01)),
    "Elu": lambda node, x: functional.elu(x, _alpha(node, 1.0)),
    "HardSigmoid": lambda node, x: torch.clamp(_alpha(node, 0.2) * x + node.attributes.get("beta", 0.5), 0, 1),
    "HardSwish": lambda node, x: functional.hardswish(x),
    "Gelu": lambda node, x: functional.gelu(x, approximate=node.attributes.get("approximate", "none")),
    "Identity": lambda node, x: x,
    "Dropout": lambda node, x, *rest: x,
}
BINARY = {
    "Add": lambda node, x, y: x + y,
    "Sub": lambda node, x, y: x - y,
    "Mul": lambda node, x, y: x * y,
    "Div": _div,
    "Pow": lambda node, x, y: torch.pow(x, y),
    "Max": lambda node, x, y: torch.maximum(x, y),
    "Min": lambda node, x, y: torch.minimum(x, y),
}
OTHER = {
    "Conv": _conv, "Gemm": _gemm, "MatMul": lambda node, x, y: torch.matmul(x, y),
    "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "Softmax": lambda node, x: torch.softmax(x, dim=node.attributes.get("axis", -1)),
    "MaxPool": lambda node, x: _pool(node, x, functional.max_pool2d),
    "AveragePool": _average,
    "GlobalAveragePool": lambda node, x: x.mean(dim=tuple(range(2, x.dim())), keepdim=True),
    "ReduceMean": _reduce(lambda x, axes, keep: x.mean(dim=axes, keepdim=keep)),
    "ReduceSum": _reduce(lambda x, axes, keep: x.sum(dim=axes, keepdim=keep)),
    "Flatten": lambda node, x: x.reshape(math.prod(x.shape[:node.attributes.get("axis", 1)]), -1),
    "Reshape": _reshape, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Transpose": lambda node, x: x.permute(node.attributes.get("perm", list(range(x.dim()))[::-1])),
    "Concat": lambda node, *x: torch.cat(x, dim=node.attributes["axis"]),
    "Split": _split, "Slice": _slice, "Gather": _gather,
    "Shape": lambda node, x: torch.tensor(x.shape, dtype=torch.int64),
    "Size": lambda node, x: torch.tensor(x.numel(), dtype=torch.int64),
    "Cast": lambda node, x: x.to(_TYPES[node.attributes["to"]]) if node.attributes["to"] in _TYPES
            else node.refuse(f"to type {node.attributes['to']} cannot be lowered"),
    "ConstantOfShape": _filled,
    "Expand": lambda node, x, shape: x * torch.ones(shape.tolist(), dtype=x.dtype) if x.dtype != torch.bool
              else x & torch.ones(shape.tolist(), dtype=torch.bool),
    "Range": _arange, "Trilu": _trilu,
    "Einsum": lambda node, *x: torch.einsum(node.attributes["equation"], *x),
    "Equal": lambda node, x, y: x == y, "Less": lambda node, x, y: x < y,
    "Greater": lambda node, x, y: x > y, "Not": lambda node, x: ~x, "And": lambda node, x, y: x & y,
    "Where": lambda node, c, x, y: torch.where(c, x, y),
    "QuantizeLinear": _quantize, "DequantizeLinear": _dequantize,
    "Resize": _resize, "Pad": _pad,
}


def known(op):
    return op in UNARY or op in BINARY or OTHER.get(op) is not None


def evaluate(node, args):
    """Outputs of a node; `args` are torch tensors or None."""
    run = UNARY.get(node.op) or BINARY.get(node.op) or OTHER.get(node.op)
    if run is None:
        node.refuse()
    try:
        y = run(node, *args)
    except (RuntimeError, TypeError, IndexError, KeyError) as error:
        node.refuse(f"cannot be evaluated: {str(error).splitlines()[0]}")
    return list(y) if isinstance(y, tuple) else [y]


def run(graph, inputs, constants=None):
    """Tensor name -> value for one sample. `inputs`: name -> array with a batch of 1."""
    env = dict(constants if constants is not None else as_tensors(graph))
    env.update({name: torch.as_tensor(value) for name, value in inputs.items()})
    env[""] = None
    with torch.no_grad():
        for node in graph.nodes:
            args = [env[name] for name in node.inputs]
            while args and args[-1] is None:
                args.pop()
            for name, value in zip(node.outputs, evaluate(node, args)):
                env[name] = value
    return env


def as_tensors(graph):
    return {name: torch.from_numpy(np.array(array)) for name, array in graph.constants.items()}


def constant_tensors(graph):
    """Names of the tensors that only depend on constants and shapes."""
    constant = set(graph.constants) | {""}
    for node in graph.nodes:
        if node.op in ("Shape", "Size") or all(name in constant for name in node.inputs):
            constant.update(node.outputs)
    return constant
