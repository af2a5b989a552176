# SPDX-License-Identifier: Apache-2.0
"""A quicker exact integer matrix product for calibration, where numpy's BLAS may be a slow one.

oneDNN multiplies in float32. That is exact as long as no partial sum can leave 2^24, in whatever order it
adds; max|left| * max over channels of sum_k |right| bounds every partial sum. Beyond that bound, and for
run-time operands, the reference's own product is used.
"""
import contextlib

import numpy as np
import torch
from torch.nn import functional

import reference

_EXACT = 1 << 24
_GROUP = 16
_plain_product = reference.product


def product(left, right):
    rows = left.size // max(1, left.shape[-1])
    if right.ndim != 2 or rows <= _GROUP:
        return _plain_product(left, right)
    bound = int(np.abs(left).max()) * int(np.abs(right).sum(axis=0).max())
    if bound >= _EXACT:
        return _plain_product(left, right)
    # A 1x1 convolution on channel-last data [groups, channels, rows of a group, 1].
    x = np.zeros((-(-rows // _GROUP), _GROUP, 1, left.shape[-1]), dtype=np.float32)
    x.reshape(-1, left.shape[-1])[:rows] = left.reshape(rows, -1)
    w = np.ascontiguousarray(right.T, dtype=np.float32)[:, :, None, None]
    with torch.no_grad():
        y = functional.conv2d(torch.from_numpy(x).permute(0, 3, 1, 2), torch.from_numpy(w))
    y = y.permute(0, 2, 3, 1).reshape(-1, right.shape[1])[:rows]
    return y.numpy().astype(np.int64).reshape(left.shape[:-1] + (right.shape[1],))


@contextlib.contextmanager
def in_reference():
    """Within this block the reference uses the quick product."""
    reference.product = product
    try:
        yield
    finally:
        reference.product = _plain_product
