# SPDX-License-Identifier: Apache-2.0
"""What the import refuses, with one line that names it.

    trace_import_refused_test.py [LACUNA]     with the program, traces are also run
"""
import os

from import_support import Folder, importer, model, run  # first: it skips where a package is missing
import numpy as np
import support
from onnx import helper

import onnx_graph


class BadModels(Folder):
    """Refused with one line, the operator's name in it."""

    def setUp(self):
        super().setUp()
        self.x = self.file("x.npy", self.rng.standard_normal((1, 4, 6, 6)).astype(np.float32))
        self.w = self.rng.standard_normal((4, 4, 3, 3)).astype(np.float32)

    def refused_model(self, message, nodes, constants=None, shape=(1, 4, 6, 6), inputs=None):
        data = model(nodes, [("x", list(shape))], [("y", None)], {"w": self.w} | (constants or {}))
        self.refused(message, "onnx", self.file("m.onnx", data), "--inputs", inputs or self.x)

    def test_operators(self):
        node = helper.make_node
        conv = node("Conv", ["x", "w"], ["c"])
        self.refused_model("operator CumSum ('y')", [conv, node("CumSum", ["c", "a"], ["y"])],
                           {"a": np.array(1, np.int64)})
        self.refused_model("with dilations [2, 2]", [node("Conv", ["x", "w"], ["y"], dilations=[2, 2])])
        self.refused_model("differ between the two sides", [node("Conv", ["x", "w"], ["y"], pads=[0, 0, 1, 1])])
        self.refused_model("auto_pad SAME_UPPER", [node("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER")])
        self.refused_model("with ceil_mode", [conv, node("MaxPool", ["c"], ["y"], kernel_shape=[3, 3],
                                                         strides=[2, 2], ceil_mode=1)])
        self.refused_model("along an axis that is not the last", [conv, node("Softmax", ["c"], ["y"], axis=1)])
        self.refused_model("cuts across an axis",
                           [conv, node("Reshape", ["c", "s"], ["r"]), node("Relu", ["r"], ["y"])],
                           {"s": np.array([1, 4, 12], np.int64), "w": self.w[:3]})
        self.refused_model("operator custom::Thing", [node("Thing", ["x"], ["y"], domain="custom")])

    def test_every_other_operator_by_its_name(self):
        """Whatever the chip has nothing for; behind a convolution, so that the host does not do it."""
        node = helper.make_node
        conv = node("Conv", ["x", "w"], ["c"])
        index, one = np.array([0], np.int64), np.ones(1, np.float32)
        for op, inputs, attributes in (
                ("ConvTranspose", ["c", "w"], {}), ("InstanceNormalization", ["c", "b", "b"], {}), ("LSTM", ["c", "w", "w"], {}),
                ("GRU", ["c", "w", "w"], {}), ("TopK", ["c", "i"], {}), ("ArgMax", ["c"], {"axis": 1}), ("NonZero", ["c"], {}),
                ("ScatterND", ["c", "i", "c"], {}), ("GatherElements", ["c", "i"], {}), ("DepthToSpace", ["c"], {"blocksize": 2}),
                ("LpNormalization", ["c"], {}), ("LRN", ["c"], {"size": 3}), ("GlobalMaxPool", ["c"], {}), ("Round", ["c"], {}),
                ("RoiAlign", ["c", "b", "i"], {}), ("GridSample", ["c", "c"], {}), ("ReduceSum", ["c"], {}), ("Trilu", ["c"], {}),
                ("Einsum", ["c"], {"equation": "abcd->adcb"}), ("Mod", ["c", "o"], {}),
                ("RotaryEmbedding", ["c", "c", "c"], {}), ("Attention", ["c", "c", "c"], {}), ("QLinearAdd", ["c"], {})):
            self.refused_model(f"operator {op} ('", [conv, node(op, inputs, ["y"], **attributes)],
                               {"i": index, "o": one, "b": np.ones(4, np.float32)})
        loop = helper.make_graph([node("Relu", ["z"], ["r"])], "body", [], [])
        self.refused_model("operator If ('y'): has a subgraph", [conv, node("If", ["t"], ["y"], then_branch=loop, else_branch=loop)],
                           {"t": np.array(True)})

    def test_an_output_that_is_seen_through_a_view(self):
        node = helper.make_node
        data = model([node("Conv", ["x", "w"], ["c"]), node("Reshape", ["c", "s"], ["r"]), node("Relu", ["r"], ["y"])],
                     [("x", [1, 4, 6, 6])], [("y", None)], {"w": self.w, "s": np.array([1, 2, 32], np.int64)})
        _, _, _, provenance = self.imported("onnx", self.file("m.onnx", data), "--inputs", self.x)
        self.assertLess(provenance["relative_error"], 0.05)

    def test_files_and_inputs(self):
        node = helper.make_node
        good = model([node("Conv", ["x", "w"], ["y"])], [("x", [1, 4, 6, 6])], [("y", None)], {"w": self.w})
        path = self.file("m.onnx", good)
        self.refused("cannot open", "onnx", self.file("none.onnx"), "--inputs", self.x)
        self.refused("is not an ONNX model", "onnx", self.file("bad.onnx", b"\x00not onnx"), "--inputs", self.x)
        self.refused("is not an ONNX model", "onnx", self.file("empty.onnx", b""), "--inputs", self.x)
        self.refused("cannot open", "onnx", path, "--inputs", self.file("none.npy"))
        self.refused("is not an array of numpy", "onnx", path, "--inputs", self.file("t.npy", "text"))
        self.refused("has shape [1, 3], but the network wants [samples, 4, 6, 6]", "onnx", path, "--inputs",
                     self.file("s.npy", np.zeros((1, 3), np.float32)))
        self.refused("not finite", "onnx", path, "--inputs", self.file("n.npy", np.full((1, 4, 6, 6), np.nan)))
        self.refused("has no array 'x'", "onnx", path, "--inputs", self.file("n.npz", {"y": np.zeros(1)}))
        self.refused("--labels must be one array", "onnx", path, "--inputs", self.x, "--labels",
                     self.file("l.npy", np.zeros(3)))
        self.refused("is not a state dict", "state", self.file("s.pt", "text"))
        self.refused("is not MODULE:FUNCTION", "torch", "nothing", "--inputs", self.x)

    def test_what_does_not_follow_is_not_written(self):
        # One channel is a thousand times another: eight bits for both cannot hold it.
        node = helper.make_node
        w = np.zeros((2, 4, 1, 1), np.float32)
        w[0], w[1] = 1000, 1
        data = model([node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "f"], ["y"])], [("x", [1, 4, 6, 6])],
                     [("y", None)], {"w": w, "f": np.array(1e-3, np.float32)})
        graph = onnx_graph.prepared(data)
        self.assertEqual([n.op for n in graph.nodes], ["Conv", "Mul"])
        original = importer.MAX_ERROR
        importer.MAX_ERROR = 1e-9
        self.addCleanup(setattr, importer, "MAX_ERROR", original)
        status, out, err = run("onnx", self.file("m.onnx", data), "--inputs", self.x, "--out", self.file("out"))
        self.assertEqual(status, 1)
        self.assertIn("does not follow the float one", err)
        self.assertFalse(os.path.exists(self.file("out")))


if __name__ == "__main__":
    support.main()
