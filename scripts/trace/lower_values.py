# SPDX-License-Identifier: Apache-2.0
"""What a tensor of the float network becomes while it is lowered (lower.py)."""


HIDDEN = -1e4            # a mask adds at least this much below zero to what must not be seen


class Value:
    """One output of the workload that is to be: storage [rows, cols]; `emit` makes the layer when it is first read.
    `tensor` is the graph's tensor whose real values it holds."""

    def __init__(self, name, tensor, rows, cols, emit, is_map=False, parts=None, kind=None, map_shape=None):
        self.name, self.tensor, self.rows, self.cols, self.is_map = name, tensor, rows, cols, is_map
        self.map_shape = map_shape           # (height, width, channels) of a feature map
        self.emit, self.parts, self.kind, self.grid, self.done = emit, parts, kind, None, False

    def storage(self):
        return self.rows + self.cols


class Function:
    """real -> real, element by element; compared by identity."""

    def __init__(self, run):
        self.run, self.grid = run, None


class Tensor:
    def __init__(self, value, dims, factor=1.0, function=None):
        self.value, self.dims, self.factor, self.function = value, dims, factor, function

    def real(self, x):
        """What this tensor is where the value is `x`."""
        x = x * self.factor
        return self.function.run(x) if self.function else x

    def seen(self, dims):
        return Tensor(self.value, dims, self.factor, self.function)


class Masked:
    """Scores of which a causal mask hides what comes after token `position` + t."""

    def __init__(self, tensor, position):
        self.tensor, self.position = tensor, position


class Host:
    """A tensor that is computed before the chip."""


class Engine:
    """Weights [N, r, s, c] or [N, K], bias [N] and where they apply: what later operators may still change."""

    def __init__(self, op, source, weight, bias, window=None, steps=None, cap=None):
        self.op, self.source, self.weight, self.bias = op, source, weight, bias
        self.window, self.steps, self.cap = window or {}, steps, cap

    def scaled(self, factor):
        """What gives `factor` times the outputs; `factor` is positive."""
        if factor == 1.0:
            return self
        return self.changed(weight=self.weight * factor, bias=self.bias * factor,
                            steps=None if self.steps is None else self.steps * factor)

    def changed(self, **new):
        fields = {"op": self.op, "source": self.source, "weight": self.weight, "bias": self.bias,
                  "window": self.window, "steps": self.steps, "cap": self.cap}
        return Engine(**{**fields, **new})
