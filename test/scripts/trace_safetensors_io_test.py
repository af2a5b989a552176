# SPDX-License-Identifier: Apache-2.0
"""The hand-written safetensors reader and writer: round trip, layout, and what the reader refuses."""
import json
import os
import struct
import tempfile
import unittest

import support
support.need("numpy")
import numpy as np
import safetensors_io as st

SAMPLE = {"bytes": np.arange(5, dtype=np.uint8), "matrix": np.arange(-6, 6, dtype=np.int32).reshape(3, 4),
          "codes": np.array([[-128], [127]], dtype=np.int8),
          "table": np.array([32767, 65535], dtype=np.uint16),
          "scalar": np.array(7, dtype=np.int32), "empty": np.zeros((0, 3), dtype=np.int8)}


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class RoundTrip(unittest.TestCase):
    def test_values_types_and_shapes_come_back(self):
        tensors, metadata = st.decode(st.encode(SAMPLE, {"a": "b"}))
        self.assertEqual(set(tensors), set(SAMPLE))
        self.assertEqual(metadata, {"a": "b"})
        for name, array in SAMPLE.items():
            self.assertEqual(tensors[name].dtype, array.dtype, name)
            self.assertEqual(tensors[name].shape, array.shape, name)
            self.assertTrue((tensors[name] == array).all(), name)

    def test_same_tensors_in_another_order_give_the_same_bytes(self):
        self.assertEqual(st.encode(SAMPLE), st.encode(dict(reversed(list(SAMPLE.items())))))

    def test_every_tensor_is_aligned_for_its_type(self):
        data = st.encode(SAMPLE)
        (length,) = struct.unpack_from("<Q", data)
        self.assertEqual(length % 8, 0)
        for name, entry in json.loads(data[8:8 + length]).items():
            self.assertEqual(entry["data_offsets"][0] % st.DTYPES[entry["dtype"]].itemsize, 0, name)

    def test_arrays_that_are_not_contiguous_are_written_in_row_order(self):
        array = np.arange(12, dtype=np.int8).reshape(3, 4).T
        self.assertTrue((st.decode(st.encode({"t": array}))[0]["t"] == array).all())

    def test_write_leaves_only_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            st.write(os.path.join(folder, "x.safetensors"), SAMPLE)
            self.assertEqual(os.listdir(folder), ["x.safetensors"])
            self.assertEqual(set(st.read(os.path.join(folder, "x.safetensors"))[0]), set(SAMPLE))


class Refused(unittest.TestCase):
    def refuse(self, data, message):
        with self.assertRaisesRegex(st.SafetensorsError, message):
            st.decode(data)

    def test_bad_files(self):
        entry = {"dtype": "I8", "shape": [2], "data_offsets": [0, 2]}
        self.refuse(b"1234", "too few")
        self.refuse(struct.pack("<Q", 1 << 60) + b"{}", "header claims")
        self.refuse(file_of(b"{nonsense"), "not JSON")
        self.refuse(file_of(b"[1]"), "not a JSON object")
        self.refuse(file_of({"t": dict(entry, dtype="F8")}, b"ab"), "bad entry")
        self.refuse(file_of({"t": dict(entry, shape=[-2])}, b"ab"), "not integers")
        self.refuse(file_of({"t": dict(entry, shape=[3])}, b"ab"), "do not fit")
        self.refuse(file_of({"t": dict(entry, shape=[1 << 62, 1 << 62])}, b"ab"), "do not fit")
        self.refuse(file_of({"t": entry}, b"a"), "do not fit")
        self.refuse(file_of({"t": entry}, b"abc"), "after the last")
        self.refuse(file_of({"t": dict(entry, data_offsets=[1, 3])}, b"abc"), "gap or overlap")
        self.refuse(file_of({"t": entry, "u": entry}, b"ab"), "gap or overlap")

    def test_every_cut_of_a_good_file_is_refused(self):
        data = st.encode({"t": np.arange(9, dtype=np.int8)})
        for length in range(len(data)):
            with self.assertRaises(st.SafetensorsError):
                st.decode(data[:length])

    def test_unknown_types_are_not_written(self):
        with self.assertRaises(st.SafetensorsError):
            st.encode({"t": np.zeros(2, dtype=np.complex64)})


if __name__ == "__main__":
    support.main()
