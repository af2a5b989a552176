# SPDX-License-Identifier: Apache-2.0
"""Safetensors files that are damaged or lie, as the operand of a matrix product."""

import json
import struct

from bad_case import Case

TENSOR = {"dtype": "I8", "shape": [2, 4], "data_offsets": [0, 8]}
DATA = bytes([1, 0, 2, 0, 0, 3, 0, 4])


def raw(header, data=b"", length=None):
    """A file with this header text, whatever it is."""
    header = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def packed(entries, data=b""):
    return raw(json.dumps(entries), data)


def changed(**fields):
    """A file with one tensor 'w' that differs in these fields."""
    return packed({"w": TENSOR | fields}, DATA)


def weights(name, content, message, tensor="w"):
    return Case(
        name,
        ["gemm", "@ROOT@/configs/chips/tiny.yaml", "--weights", f"w.safetensors:{tensor}",
         "--acts", "density=.5,seed=1", "--m", "4"],
        message,
        {"w.safetensors": content},
    )


CASES = [
    Case("missing_file",
         ["gemm", "@ROOT@/configs/chips/tiny.yaml", "--weights", "none.safetensors:w",
          "--acts", "density=.5", "--m", "4"],
         "cannot open 'none.safetensors': No such file or directory"),
    weights("empty_file", b"",
            "w.safetensors: not a safetensors file: 0 bytes, but the length of the header alone takes 8"),
    weights("only_a_length", struct.pack("<Q", 0),
            "w.safetensors: not a safetensors file: the header must be a JSON object that begins with '{'"),
    weights("huge_header_length", raw("{}", length=2**63),
            "w.safetensors: header length 9223372036854775808 is more than the 100000000 bytes that are "
            "allowed (is this a safetensors file?)"),
    weights("header_past_the_end", raw("{}", length=1000),
            "w.safetensors: header length 1000 goes past the end of the file (10 bytes): truncated?"),
    weights("some_other_file", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "w.safetensors: header length 727905341920923785 is more than the 100000000 bytes that are "
            "allowed (is this a safetensors file?)"),
    weights("header_is_a_list", raw("[]"),
            "w.safetensors: not a safetensors file: the header must be a JSON object that begins with '{'"),
    weights("header_cut_off", raw('{"w": {"dtype": "I8"'),
            "w.safetensors: tensor 'w': the header is not valid JSON (near byte 21 of the header)"),
    weights("header_not_utf8", raw(b'{"\xff": {}}'),
            "w.safetensors: the header is not valid JSON (near byte 3 of the header)"),
    weights("deep_header", raw('{"w": {"shape": ' + "[" * 1_000_000),
            "w.safetensors: tensor 'w': 'shape' must be a list of non-negative integers, not a list"),
    weights("duplicate_tensor",
            raw('{"w": %s, "w": %s}' % (json.dumps(TENSOR), json.dumps(TENSOR)), DATA),
            "w.safetensors: 'w' appears twice in the header"),
    weights("duplicate_key", raw('{"w": {"dtype": "I8", "dtype": "U8"}}'),
            "w.safetensors: tensor 'w': key 'dtype' appears twice"),
    weights("unknown_key", changed(stride=[4, 1]),
            "w.safetensors: tensor 'w': unknown key 'stride' (known: dtype, shape, data_offsets)"),
    weights("missing_key", packed({"w": {"dtype": "I8", "shape": [8]}}, DATA),
            "w.safetensors: tensor 'w': 'data_offsets' is missing"),
    weights("unknown_dtype", changed(dtype="INT8"), "w.safetensors: tensor 'w': dtype 'INT8' is not known"),
    weights("negative_dimension", changed(shape=[-2, 4]),
            "w.safetensors: tensor 'w': dimension -2 of 'shape' is negative"),
    weights("fractional_dimension", changed(shape=[2.5, 4]),
            "w.safetensors: tensor 'w': 'shape' must be a list of non-negative integers, not the number 2.5"),
    weights("overflowing_shape", changed(shape=[2**62, 8]),
            "w.safetensors: tensor 'w': shape [4611686018427387904, 8] overflows"),
    weights("huge_shape", changed(shape=[10**12], data_offsets=[0, 10**12]),
            "w.safetensors: tensor 'w': data_offsets [0, 1000000000000] go past the end of the data "
            "(8 bytes): truncated?"),
    weights("offsets_and_shape_differ", changed(data_offsets=[0, 4]),
            "w.safetensors: tensor 'w': data_offsets [0, 4] hold 4 bytes, but I8 [2, 4] takes 8"),
    weights("offsets_backwards", changed(data_offsets=[8, 0]),
            "w.safetensors: tensor 'w': data_offsets [8, 0] end before they begin"),
    weights("offsets_overlap",
            packed({"a": {"dtype": "I8", "shape": [8], "data_offsets": [0, 8]},
                    "w": {"dtype": "I8", "shape": [2, 4], "data_offsets": [4, 12]}}, DATA + DATA[:4]),
            "w.safetensors: tensor 'w': data_offsets [4, 12] overlap the tensor before, which ends at 8"),
    weights("hole_in_the_data",
            packed({"a": {"dtype": "I8", "shape": [2], "data_offsets": [0, 2]},
                    "w": {"dtype": "I8", "shape": [2, 4], "data_offsets": [4, 12]}}, DATA + DATA[:4]),
            "w.safetensors: tensor 'w': data_offsets [4, 12] leave a hole after byte 2"),
    weights("trailing_bytes", packed({"w": TENSOR}, DATA + b"rest"),
            "w.safetensors: 4 bytes after the last tensor belong to none"),
    weights("metadata_not_strings", packed({"__metadata__": {"epochs": 3}, "w": TENSOR}, DATA),
            "w.safetensors: tensor '__metadata__': metadata values must be strings, not the number 3"),
    weights("terminal_codes_in_a_name", raw('{"\\u001b[2J": 1}'),
            "w.safetensors: tensor '\\x1b[2J': an object with dtype, shape and data_offsets belongs here, "
            "not the number 1"),
    weights("unknown_tensor", packed({"w": TENSOR}, DATA), "w.safetensors has no tensor 'v'", tensor="v"),
    weights("near_miss", packed({"conv1.weight": TENSOR}, DATA),
            "w.safetensors has no tensor 'conv1.wieght' (did you mean 'conv1.weight'?)",
            tensor="conv1.wieght"),
    weights("float_weights", packed({"w": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}}, DATA),
            "--weights: tensor 'w' of w.safetensors is F32, not I8: values must be quantized codes"),
    weights("a_vector", packed({"w": {"dtype": "I8", "shape": [8], "data_offsets": [0, 8]}}, DATA),
            "--weights: tensor 'w' of w.safetensors has shape [8]; a matrix needs two dimensions or more, "
            "none of them 0"),
    weights("an_empty_matrix", packed({"w": {"dtype": "I8", "shape": [0, 8], "data_offsets": [0, 0]}}),
            "--weights: tensor 'w' of w.safetensors has shape [0, 8]; a matrix needs two dimensions or more, "
            "none of them 0"),
]
