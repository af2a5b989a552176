# SPDX-License-Identifier: Apache-2.0
"""scripts/validate/skip_table.py on one small trace: a page with both tables, and modes in the order of their cost.

    validate_skip_table_test.py LACUNA
"""
import os
import subprocess
import sys
import tempfile
import unittest

import support
support.need("numpy", "yaml")

LACUNA = os.path.abspath(sys.argv.pop(1))
SCRIPT = os.path.join(support.ROOT, "scripts", "validate", "skip_table.py")
NETWORK = """\
schema: lacuna-workload-1
name: small
provenance: {source: statistic, model: two linear layers, accuracy_int8: 0.5}
inputs:
  - {name: x, shape: [64, 256], type: u8, sparsity: 0.5, seed: 3, samples: 1}
layers:
  - {name: a, op: linear, input: x, out_channels: 128, output: {type: u8}, weights: {pattern: unstructured, sparsity: 0.8, seed: 4}}
  - {name: b, op: linear, input: a, out_channels: 8, output: {type: s8}, weights: {pattern: dense, seed: 5}}
"""


class Page(unittest.TestCase):
    def test_small_network(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "small"))
            with open(os.path.join(folder, "small", "workload.yaml"), "w", encoding="utf-8") as file:
                file.write(NETWORK)
            page = os.path.join(folder, "page.md")
            done = subprocess.run([sys.executable, "-B", SCRIPT, "--lacuna", LACUNA, "--traces", folder, "--out", page],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(page, encoding="utf-8") as file:
                rows = [line.split("|")[1:-1] for line in file if line.startswith("| small")]
            self.assertEqual(len(rows), 2)
            for row in rows:
                cells = [cell.strip() for cell in row]
                self.assertEqual(len(cells), 15)
                self.assertEqual(cells[5], "0.5000")
                dense, weights, activations, dual = (int(cell.split()[0]) for cell in cells[6:10])
                self.assertLess(max(weights, activations), dense)
                self.assertLess(dual, dense)

    def test_no_traces(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, "-B", SCRIPT, "--lacuna", LACUNA, "--traces", folder],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no */workload.yaml below", done.stderr)


if __name__ == "__main__":
    support.main()
