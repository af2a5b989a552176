# SPDX-License-Identifier: Apache-2.0
"""Integer-only reference of docs/reference/numerics.md, executing a workload of docs/reference/workload.md.

Needs numpy only. `layers` are the dicts of the YAML file, `tensors` name -> array. Activations are
int64 arrays [samples, ...] of codes. Matrix products run in float64 because numpy's integer product
does not use BLAS; they are exact: |sum| <= K * 255 * 128 < 2^53 for every K allowed (65536).
"""
import numpy as np

RANGES = {"u8": (0, 255), "s8": (-128, 127)}
ENGINE_OPS = ("conv2d", "linear", "matmul")
KEEPS_TYPE = ("max_pool", "flatten", "concat", "slice", "upsample")      # no `output`: codes go through


class WorkloadError(ValueError):
    """The workload contradicts itself or its tensors."""


def wrap32(x):
    return ((x + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def isqrt(n):
    """floor(sqrt(n)) of an int64 array below 2^52: float square root, then corrected."""
    r = np.sqrt(n.astype(np.float64)).astype(np.int64)
    r -= r * r > n
    r += (r + 1) * (r + 1) <= n
    return r


def output_of(layer):
    """(lo, hi, gate) of a layer's output."""
    output = layer.get("output", {"type": "u8"})
    lo, hi = output.get("clamp", RANGES[output["type"]])
    return lo, hi, output.get("gate", 0)


def finish(y, layer):
    lo, hi, gate = output_of(layer)
    y = np.clip(y, lo, hi)
    return np.where(np.abs(y) <= gate, 0, y)


def scaled(x, multiplier, shift):
    return (x * multiplier + (np.int64(1) << (shift - 1))) >> shift


def product(left, right):
    """Exact integer matrix product [..., M, K] x [..., K, N] -> int64. (fast_product.py replaces this one
    function with a quicker exact one while traces are calibrated; captured values come from here.)"""
    return (left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64)


def requantized(acc, layer, tensors):
    """Engine output: bias, requantize, clamp, gate; channels are the last dimension."""
    names = layer["requantize"]
    bias, multiplier, shift = (tensors[names[k]].astype(np.int64)
                               for k in ("bias", "multiplier", "shift"))
    return finish(scaled(wrap32(wrap32(acc) + bias), multiplier, shift), layer)


def im2col(x, layer):
    """[S, H, W, C] -> [S, OH*OW, R*S*C] in order (r, s, c), and (OH, OW)."""
    (kh, kw), (sy, sx), (py, px) = layer["kernel"], layer.get("stride", (1, 1)), layer.get("padding", (0, 0))
    x = np.pad(x, ((0, 0), (py, py), (px, px), (0, 0)))
    oh, ow = (x.shape[1] - kh) // sy + 1, (x.shape[2] - kw) // sx + 1
    parts = [x[:, r:r + (oh - 1) * sy + 1:sy, c:c + (ow - 1) * sx + 1:sx, :]
             for r in range(kh) for c in range(kw)]
    return np.concatenate(parts, axis=3).reshape(x.shape[0], oh * ow, -1), (oh, ow)


def as_tokens(x):
    """A feature map [S, H, W, C] as token matrix [S, H*W, C]."""
    return x.reshape(x.shape[0], -1, x.shape[-1]) if x.ndim == 4 else x


def split_heads(x, heads):
    s, t, width = x.shape
    return x.reshape(s, t, heads, width // heads).transpose(0, 2, 1, 3)


def merge_heads(x):
    s, heads, t, width = x.shape
    return x.transpose(0, 2, 1, 3).reshape(s, t, heads * width)


def engine_operands(layer, env, tensors):
    """Left [S, heads, M, K] and right [1 or S, heads, K, N] of the products that an engine layer is."""
    x = env[layer["input"]]
    if layer["op"] == "matmul":
        heads = layer["heads"]
        left = split_heads(x, heads)
        shared = layer.get("kv_heads", heads)
        right = split_heads(env[layer["right"]], shared).repeat(heads // shared, axis=1)
        return left, right.transpose(0, 1, 3, 2) if layer["transpose_right"] else right
    if layer["op"] == "conv2d":
        weights = full_weights(layer, tensors, x.shape[-1])
        left = im2col(x, layer)[0]
    else:
        weights, left = tensors[layer["weights"]["tensor"]].astype(np.int64), as_tokens(x)
    return left[:, None], weights.reshape(weights.shape[0], -1).T[None, None]


def full_weights(layer, tensors, channels):
    """[N, R, S, C] of a convolution; with groups, zero where channels do not mix."""
    weights = tensors[layer["weights"]["tensor"]].astype(np.int64)
    groups = layer.get("groups", 1)
    if groups == 1:
        return weights
    n, kh, kw, inner = weights.shape
    full = np.zeros((n, kh, kw, channels), dtype=np.int64)
    for g in range(groups):
        rows = slice(g * n // groups, (g + 1) * n // groups)
        full[rows, :, :, g * inner:(g + 1) * inner] = weights[rows]
    return full


def conv2d(layer, env, tensors):
    x = env[layer["input"]].astype(np.int16)          # codes fit; copies less
    columns, (oh, ow) = im2col(x, layer)
    weights = full_weights(layer, tensors, x.shape[-1])
    y = requantized(product(columns, weights.reshape(weights.shape[0], -1).T), layer, tensors)
    return y.reshape(y.shape[0], oh, ow, -1)


def linear(layer, env, tensors):
    weights = tensors[layer["weights"]["tensor"]].astype(np.int64)
    return requantized(product(as_tokens(env[layer["input"]]), weights.T), layer, tensors)


def matmul(layer, env, tensors):
    left, right = engine_operands(layer, env, tensors)
    return requantized(merge_heads(product(left, right)), layer, tensors)


def softmax(layer, env, tensors):
    x = split_heads(env[layer["input"]], layer["heads"])
    table = tensors[layer["table"]].astype(np.int64)
    seen = np.ones(x.shape[-2:], dtype=bool)
    if layer.get("causal"):
        seen = np.arange(x.shape[-1])[None] <= layer.get("position", 0) + np.arange(x.shape[-2])[:, None]
    top = np.where(seen, x, -256).max(axis=-1, keepdims=True)
    e = np.where(seen, table[np.clip(top - x, 0, 255)], 0)
    total = e.sum(axis=-1, keepdims=True)
    return finish(merge_heads((e * 255 + total // 2) // total), layer)


def layer_norm(layer, env, tensors):
    x = env[layer["input"]]
    channels = x.shape[-1]
    d = channels * x - x.sum(axis=-1, keepdims=True)
    v = (d * d).sum(axis=-1, keepdims=True) // channels
    z = (d << 16) // np.maximum(1, isqrt(v << 8))
    gamma, beta = (tensors[layer[k]].astype(np.int64) for k in ("gamma", "beta"))
    return finish((z * gamma + beta + (1 << (layer["shift"] - 1))) >> layer["shift"], layer)


def rms_norm(layer, env, tensors):
    x = env[layer["input"]]
    r = np.maximum(1, isqrt(((x * x).sum(axis=-1, keepdims=True) << 16) // x.shape[-1]))
    z, shift = (x << 20) // r, layer["shift"]
    return finish((z * tensors[layer["gamma"]].astype(np.int64) + (1 << (shift - 1))) >> shift, layer)


def rotary(layer, env):
    x = split_heads(env[layer["input"]], layer["heads"])
    channels, theta = layer.get("rotary_channels", x.shape[-1]), layer.get("theta", 10000)
    angles = (layer.get("position", 0) + np.arange(x.shape[2]))[:, None] * \
        float(theta) ** (-2.0 * np.arange(channels // 2) / channels)
    c, s = (np.floor(f(angles) * 16384 + 0.5).astype(np.int64) for f in (np.cos, np.sin))
    y = x.copy()
    pairs = (slice(0, channels, 2), slice(1, channels, 2)) if layer.get("interleaved") else \
        (slice(0, channels // 2), slice(channels // 2, channels))
    a, b = (x[..., pair] for pair in pairs)
    y[..., pairs[0]], y[..., pairs[1]] = scaled(a * c - b * s, 1, 14), scaled(a * s + b * c, 1, 14)
    return finish(merge_heads(y), layer)


def add(layer, env, tensors):
    a, right = env[layer["input"]], layer["right"]
    b = tensors[right["tensor"]].astype(np.int64)[None] if isinstance(right, dict) else env[right]
    ma, mb = layer["multiplier"]
    return finish(scaled(a * ma + b * mb, 1, layer["shift"]), layer)


def depthwise_conv2d(layer, env, tensors):
    x, weights = env[layer["input"]], tensors[layer["weights"]["tensor"]].astype(np.int64)
    columns, (oh, ow) = im2col(x, layer)
    taps = columns.reshape(x.shape[0], oh * ow, -1, x.shape[-1])          # [S, pixels, R*S, C]
    acc = np.einsum("sptc,ct->spc", taps, weights.reshape(weights.shape[0], -1))
    return requantized(acc, layer, tensors).reshape(x.shape[0], oh, ow, -1)


def multiply(layer, env):
    x, right = env[layer["input"]], env[layer["right"]]
    if right.shape != x.shape:                       # one token: a factor for each channel
        right = right.reshape([len(x)] + [1] * (x.ndim - 2) + [x.shape[-1]])
    return finish(scaled(x * right, layer["multiplier"], layer["shift"]), layer)


def concat(layer, env):
    parts = [env[name] for name in [layer["input"]] + layer["others"]]
    return np.concatenate(parts, axis=-1 if layer["axis"] == "channels" else 1)


def cut(layer, env):
    return env[layer["input"]][:, layer["begin"]:layer["begin"] + layer["count"]]


def upsample(layer, env):
    return env[layer["input"]].repeat(layer["factor"], axis=1).repeat(layer["factor"], axis=2)


def lookup(layer, env, tensors, signed):
    table = tensors[layer["table"]].astype(np.int64)
    return finish(table[env[layer["input"]] + (128 if signed else 0)], layer)


def max_pool(layer, env):
    x, (kh, kw), (sy, sx) = env[layer["input"]], layer["kernel"], layer.get("stride", layer["kernel"])
    py, px = layer.get("padding", (0, 0))
    if py or px:                                     # padding never wins
        x = np.pad(x, ((0, 0), (py, py), (px, px), (0, 0)), constant_values=-128)
    oh, ow = (x.shape[1] - kh) // sy + 1, (x.shape[2] - kw) // sx + 1
    return np.max([x[:, r:r + (oh - 1) * sy + 1:sy, c:c + (ow - 1) * sx + 1:sx, :]
                   for r in range(kh) for c in range(kw)], axis=0)


def average_pool(layer, env):
    total = as_tokens(env[layer["input"]]).sum(axis=1, keepdims=True)
    return finish(scaled(total, layer["multiplier"], layer["shift"]), layer)


def type_of(name, layers, inputs):
    """u8 or s8: the type of an input or of a layer's output."""
    for entry in inputs:
        if entry["name"] == name:
            return entry["type"]
    for layer in layers:
        if layer["name"] == name:
            if layer["op"] in KEEPS_TYPE:
                return type_of(layer["input"], layers, inputs)
            return layer.get("output", {"type": "u8"})["type"]
    raise WorkloadError(f"nothing is called {name!r}")


def run_layer(layer, env, workload, tensors):
    op = layer["op"]
    if op == "lookup":
        signed = type_of(layer["input"], workload["layers"], workload["inputs"]) == "s8"
        return lookup(layer, env, tensors, signed)
    if op == "max_pool":
        return max_pool(layer, env)
    if op == "average_pool":
        return average_pool(layer, env)
    if op in ("multiply", "rotary", "concat", "slice", "upsample"):
        return {"multiply": multiply, "rotary": rotary, "concat": concat, "slice": cut, "upsample": upsample}[op](layer, env)
    if op == "flatten":
        x = env[layer["input"]]
        return x.reshape(x.shape[0], 1, -1)
    table = {"conv2d": conv2d, "linear": linear, "matmul": matmul, "softmax": softmax,
             "depthwise_conv2d": depthwise_conv2d, "layer_norm": layer_norm, "rms_norm": rms_norm, "add": add}
    if op not in table:
        raise WorkloadError(f"layer {layer['name']!r}: unknown op {op!r}")
    return table[op](layer, env, tensors)


def run(workload, tensors, inputs, known=None):
    """Codes of every input and layer. `inputs`: name -> codes [samples, ...]. Layers that are in
    `known` (name -> codes) are taken from there instead of computed."""
    env = {name: np.asarray(codes).astype(np.int64) for name, codes in inputs.items()}
    for layer in workload["layers"]:
        name = layer["name"]
        env[name] = (known[name] if known and name in known
                     else run_layer(layer, env, workload, tensors))
    return env


def classes(logits):
    """First of equals of the channel argmax."""
    return logits.reshape(logits.shape[0], -1).argmax(axis=1)


def accuracy(workload, env, labels):
    return float((classes(env[workload["result"]["layer"]]) == labels).mean())


def engine_work(layer, env, tensors):
    """Dense and effective (both operands non-zero) MACs of an engine layer, all samples together, and
    the zeros and sizes of its operands. Padding pixels count as dense MACs and as zeros of K columns,
    but not as zeros of the input."""
    left, right = engine_operands(layer, env, tensors)
    samples, heads, m, k = left.shape
    left_k = (left != 0).sum(axis=2, dtype=np.int64)               # [S, heads, K]
    right_k = (right != 0).sum(axis=3, dtype=np.int64)             # [1 or S, heads, K]
    x = env[layer["input"]]
    return {"m": m, "k": k, "n": right.shape[3], "heads": heads,
            "macs_dense": samples * heads * m * k * right.shape[3],
            "macs_effective": int((left_k * right_k).sum()),
            "macs_weight_only": int(right_k.sum()) * m * (samples // right_k.shape[0]),
            "macs_activation_only": int(left_k.sum()) * right.shape[3],
            "input_zeros": int((x == 0).sum()), "input_size": int(x.size),
            "right_zeros": int((right == 0).sum()), "right_size": int(right.size)}
