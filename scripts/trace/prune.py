# SPDX-License-Identifier: Apache-2.0
"""Which weights stay: masks over [out_channels, K] matrices, K in the order of the engine (r, s, c).

Every pattern keeps the largest magnitudes inside its unit: the whole network (unstructured), a bank of
consecutive k of one output channel (bank-balanced), m consecutive k of one output channel (N:M).
"""
import numpy as np


class Pattern:
    """kind: dense | unstructured | bank-balanced | n:m; sparsity in 0..1; bank or n, m."""

    def __init__(self, kind, sparsity=0.0, bank=0, n=0, m=0):
        self.kind, self.sparsity, self.bank, self.n, self.m = kind, sparsity, bank, n, m

    def at(self, sparsity):
        """The same pattern, less sparse: a step of gradual pruning. N:M keeps more of m."""
        if self.kind == "n:m":
            n = max(self.n, int(np.ceil(self.m * (1.0 - sparsity))))
            return Pattern("n:m", 1.0 - n / self.m, n=n, m=self.m)
        return Pattern(self.kind, min(sparsity, self.sparsity), bank=self.bank)

    def method(self):
        return {"dense": "none: dense baseline",
                "unstructured": "global magnitude pruning in steps, with fine-tuning",
                "bank-balanced": f"largest magnitudes of each bank of {self.bank} consecutive k per output"
                                 " channel, in steps, with fine-tuning",
                "n:m": f"largest {self.n} of every {self.m} consecutive k per output channel, in steps,"
                       " with fine-tuning"}[self.kind]


def top_per_unit(weights, unit, keep_of):
    """Keeps the keep_of(length) largest magnitudes of every run of `unit` consecutive k in each row; the
    last run may be shorter. Equal magnitudes: the lower k stays."""
    mask = np.zeros(weights.shape, dtype=bool)
    for begin in range(0, weights.shape[1], unit):
        part = np.abs(weights[:, begin:begin + unit])
        keep = keep_of(part.shape[1])
        order = np.argsort(-part, axis=1, kind="stable")[:, :keep]
        np.put_along_axis(mask[:, begin:begin + unit], order, True, axis=1)
    return mask


def bank_count(length, sparsity):
    """Non-zeros of a bank; at least one, so that no channel dies at high sparsity."""
    return max(1, int(round(length * (1.0 - sparsity))))


def masks_of(weights, pattern):
    """name -> bool mask for name -> float [N, K]."""
    if pattern.kind == "dense":
        return {name: np.ones(w.shape, dtype=bool) for name, w in weights.items()}
    if pattern.kind == "unstructured":
        every = np.concatenate([np.abs(w).ravel() for w in weights.values()])
        cut = np.partition(every, int(len(every) * pattern.sparsity))[int(len(every) * pattern.sparsity)]
        return {name: np.abs(w) >= cut for name, w in weights.items()}
    if pattern.kind == "bank-balanced":
        return {name: top_per_unit(w, pattern.bank, lambda length: bank_count(length, pattern.sparsity))
                for name, w in weights.items()}
    if pattern.kind == "n:m":
        return {name: top_per_unit(w, pattern.m, lambda length: min(length, pattern.n))
                for name, w in weights.items()}
    raise ValueError(f"unknown pattern {pattern.kind!r}")


def units_of(nonzero, unit):
    """Non-zeros of every full run of `unit` consecutive k: [N, K // unit]."""
    n, k = nonzero.shape
    full = k // unit * unit
    return nonzero[:, :full].reshape(n, full // unit, unit).sum(axis=2)
