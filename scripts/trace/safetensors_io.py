# SPDX-License-Identifier: Apache-2.0
"""Reader and writer of the safetensors format, by hand, because the format is small.

A file is: 8 bytes little-endian length L of the header, L bytes of JSON
{"name": {"dtype": "I8", "shape": [...], "data_offsets": [begin, end]}, ..., "__metadata__": {...}},
then the data; offsets count from the end of the header. We write tensors by falling element size and
then by name, without gaps, so every tensor is aligned for its type and the same tensors give the same
bytes. The reader checks everything it relies on and raises SafetensorsError with one sentence.
"""
import json
import os
import struct

import numpy as np

DTYPES = {
    "I8": np.dtype("i1"), "U8": np.dtype("u1"), "I16": np.dtype("<i2"), "U16": np.dtype("<u2"),
    "I32": np.dtype("<i4"), "U32": np.dtype("<u4"), "I64": np.dtype("<i8"), "F32": np.dtype("<f4"),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_MAX_HEADER = 100 << 20


class SafetensorsError(ValueError):
    """The file is not what the format promises."""


def encode(tensors, metadata=None):
    """The bytes of a file that holds `tensors` (name -> array) and string `metadata`."""
    header, chunks, offset = {}, [], 0
    if metadata:
        header["__metadata__"] = {str(k): str(v) for k, v in sorted(metadata.items())}
    for name in sorted(tensors, key=lambda n: (-tensors[n].dtype.itemsize, n)):
        array = np.ascontiguousarray(tensors[name])
        dtype = array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype
        if dtype not in _NAMES:
            raise SafetensorsError(f"tensor {name!r}: type {array.dtype} is not supported")
        data = array.astype(dtype, copy=False).tobytes()
        header[name] = {"dtype": _NAMES[dtype], "shape": list(tensors[name].shape),
                        "data_offsets": [offset, offset + len(data)]}
        chunks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(chunks)


def write(path, tensors, metadata=None):
    """Writes through a temporary name, so a file under `path` is always whole."""
    partial = f"{path}.partial"
    with open(partial, "wb") as file:
        file.write(encode(tensors, metadata))
    os.replace(partial, path)


def decode(data, what="safetensors"):
    """(tensors, metadata) of the bytes of a file."""
    if len(data) < 8:
        raise SafetensorsError(f"{what}: {len(data)} bytes are too few for a header")
    (length,) = struct.unpack_from("<Q", data)
    if length > min(len(data) - 8, _MAX_HEADER):
        raise SafetensorsError(f"{what}: the header claims {length} bytes, the file has {len(data)}")
    try:
        header = json.loads(data[8:8 + length].decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise SafetensorsError(f"{what}: the header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise SafetensorsError(f"{what}: the header is not a JSON object")
    metadata = header.pop("__metadata__", {})
    body, tensors, spans = memoryview(data)[8 + length:], {}, []
    for name, entry in header.items():
        try:
            dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
            begin, end = entry["data_offsets"]
        except (KeyError, TypeError, ValueError) as error:
            raise SafetensorsError(f"{what}: tensor {name!r}: bad entry ({error!r})") from error
        if not (isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
                and type(begin) is int and type(end) is int):
            raise SafetensorsError(f"{what}: tensor {name!r}: shape or offsets are not integers")
        count = 1
        for extent in shape:
            count *= extent
        if not 0 <= begin <= end <= len(body) or end - begin != count * dtype.itemsize:
            raise SafetensorsError(f"{what}: tensor {name!r}: offsets {begin}..{end} do not fit shape"
                                   f" {shape} and {len(body)} bytes of data")
        tensors[name] = np.frombuffer(body[begin:end], dtype=dtype).reshape(shape)
        spans.append((begin, end))
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise SafetensorsError(f"{what}: gap or overlap at byte {position} of the data")
        position = end
    if position != len(body):
        raise SafetensorsError(f"{what}: {len(body) - position} bytes after the last tensor")
    return tensors, metadata


def read(path):
    with open(path, "rb") as file:
        return decode(file.read(), os.path.basename(path))
