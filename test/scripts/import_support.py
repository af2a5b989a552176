# SPDX-License-Identifier: Apache-2.0
"""What the tests of the import of networks share: the importer as a function, ONNX models in a line, a folder for
what it reads and writes, and the simulator if its path is given (LACUNA)."""
import contextlib
import importlib
import io
import os
import subprocess
import sys
import tempfile
import unittest

import support
support.need("numpy", "yaml", "torch", "onnx")
import numpy as np
from onnx import TensorProto, helper, numpy_helper

import capture
import reference

importer = importlib.import_module("import")
LACUNA = sys.argv.pop(1) if len(sys.argv) > 1 and os.path.exists(sys.argv[1]) else None
CHIP = os.path.join(support.ROOT, "configs", "chips", "reference.yaml")
NETWORKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "import_networks.py")


def run(*arguments):
    """(exit status, stdout, stderr) of the importer."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = importer.main(list(arguments))
        except SystemExit as error:
            status = error.code
    return status, out.getvalue(), err.getvalue()


def model(nodes, inputs, outputs, constants, opset=13):
    """Bytes of an ONNX model."""
    value = lambda name, shape, kind=TensorProto.FLOAT: helper.make_tensor_value_info(name, kind, shape)
    graph = helper.make_graph(nodes, "g", [value(*i) for i in inputs], [value(*o) for o in outputs],
                              [numpy_helper.from_array(array, name) for name, array in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]).SerializeToString()


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = holder.name
        self.rng = np.random.default_rng(7)

    def file(self, name, content=None):
        path = os.path.join(self.path, name)
        if isinstance(content, np.ndarray):
            np.save(path, content)
        elif isinstance(content, dict):
            np.savez(path, **content)
        elif content is not None:
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def imported(self, *arguments):
        """(workload, tensors, codes of the reference, provenance) of a good import."""
        out = self.file("out")
        status, _, err = run(*arguments, "--out", out)
        self.assertEqual(status, 0, err)
        workload, tensors = capture.load(out)
        inputs = {entry["name"]: tensors[entry["tensor"]] for entry in workload["inputs"]}
        codes = reference.run(workload, tensors, inputs)
        for layer in workload["layers"]:
            if "expect" in layer:
                self.assertTrue((codes[layer["name"]] == tensors[layer["expect"]]).all(), layer["name"])
        return workload, tensors, codes, workload["provenance"]

    def simulated(self, samples):
        """The simulator computes the same codes: exit status 0."""
        if LACUNA is None:
            return
        done = subprocess.run([LACUNA, "run", CHIP, self.file("out/workload.yaml"), "--samples", str(samples)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(" 0 differ", done.stdout)

    def refused(self, message, *arguments):
        status, out, err = run(*arguments, "--out", self.file("out"))
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(err.count("\n"), 1)
        self.assertIn(message, err)
        self.assertFalse(os.path.exists(self.file("out")))


def torchvision(test):
    """The package; the test is skipped without it."""
    try:
        return importlib.import_module("torchvision")
    except ImportError as error:
        return test.skipTest(f"torchvision is not installed ({error})")
