# SPDX-License-Identifier: Apache-2.0
"""scripts/workloads/lengths.py counts a tokenized task; `lacuna lengths` runs over what it writes.

    workloads_lengths_test.py [LACUNA]
"""
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import support
sys.path.insert(0, os.path.join(support.ROOT, "scripts", "workloads"))
import lengths

LACUNA = sys.argv.pop(1) if len(sys.argv) > 1 and os.path.exists(sys.argv[1]) else None
TINY = os.path.join(support.ROOT, "configs", "chips", "tiny.yaml")
BERT = os.path.join(support.ROOT, "configs", "workloads", "bert-base.yaml")
SMALL = ["--param", "layers=1", "--param", "hidden=64", "--param", "heads=2", "--param", "feed_forward=64", "--param",
         "vocabulary=100"]


class Folder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.path = holder.name

    def file(self, name, text=None):
        path = os.path.join(self.path, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def run_script(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = lengths.main(list(arguments))
        return status, out.getvalue(), err.getvalue()


class Script(Folder):
    def counted(self, text, *more):
        status, out, err = self.run_script(self.file("t.txt", text), "--limit", "4", "--out", self.file("d.yaml"), *more)
        self.assertEqual((status, err), (0, ""))
        with open(self.file("d.yaml"), encoding="utf-8") as file:
            return file.read(), out

    def test_three_kinds_of_lines(self):
        text, out = self.counted('[5, 6]\n{"input_ids": [1, 2, 3], "label": 0}\n\n7 8\n1 2 3 4 5 6\n')
        self.assertEqual(text, 'schema: lacuna-length-counts-1\nname: "t"\n'
                               'source: "counted in t.txt; 1 longer ones count as 4"\nlimit: 4\n'
                               "counts:\n  2: 2\n  3: 1\n  4: 1\n")
        self.assertIn("4 sequences of 2 to 4 tokens, mean 2.75", out)

    def test_names_and_keys(self):
        text, _ = self.counted('{"ids": [1]}\n', "--key", "ids", "--name", "a: b", "--source", 'x "y"')
        self.assertIn('name: "a: b"\nsource: "x \\"y\\""\n', text)

    def test_bad_input_is_one_line_and_writes_nothing(self):
        for text, message in (("", "t.txt: has no sequences"), ("\n\n", "has no sequences"),
                              ("1 2\nword\n", "t.txt:2: expected token numbers, found 'word'"),
                              ("1 -2\n", "t.txt:1: expected token numbers"), ("[1,\n", "t.txt:1:4: is not JSON"),
                              ("[]\n", "t.txt:1: the sequence is empty"), ('["a"]\n', "expected a list of token numbers"),
                              ("[true]\n", "expected a list of token numbers"),
                              ('{"ids": [1]}\n', "t.txt:1: has no 'input_ids'; it has ids")):
            status, out, err = self.run_script(self.file("t.txt", text), "--limit", "4", "--out", self.file("d.yaml"))
            self.assertEqual((status, out, err.count("\n")), (2, "", 1), text)
            self.assertIn(message, err)
            self.assertFalse(os.path.exists(self.file("d.yaml")))
        status, _, err = self.run_script(self.file("none"), "--limit", "4", "--out", self.file("d.yaml"))
        self.assertEqual((status, "cannot open" in err), (2, True))
        status, _, err = self.run_script(self.file("t.txt", "1\n"), "--limit", "0", "--out", self.file("d.yaml"))
        self.assertEqual((status, "--limit: 0" in err), (2, True))
        status, _, err = self.run_script(self.file("t.txt", "1\n"), "--limit", "4", "--out", self.file("no/d.yaml"))
        self.assertEqual((status, "cannot write" in err), (2, True))


@unittest.skipIf(LACUNA is None, "without the program")
class Command(Folder):
    def setUp(self):
        super().setUp()
        self.counts = {5: 3, 8: 2, 17: 4, 24: 1}
        lines = "".join(" ".join(["1"] * length) + "\n" for length, n in self.counts.items() for _ in range(n))
        status, _, err = self.run_script(self.file("t.txt", lines), "--limit", "24", "--out", self.file("d.yaml"))
        self.assertEqual(status, 0, err)

    def lacuna(self, *arguments):
        done = subprocess.run([LACUNA, *arguments, "--format", "json"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def over(self, *more):
        return self.lacuna("lengths", TINY, BERT, *SMALL, "--distribution", self.file("d.yaml"), *more)

    def test_every_length_is_what_a_run_gives(self):
        found = self.over()
        seconds, energy = {}, {}
        for length in self.counts:
            report = self.lacuna("run", TINY, BERT, *SMALL, "--param", f"sequence={length}")
            seconds[length], energy[length] = report["latency"]["seconds"], report["energy"]["total_j"]
        for step in found["steps"]:
            self.assertEqual(step["seconds"], seconds[step["length"]])
        mean = sum(n * seconds[length] for length, n in self.counts.items()) / 10
        own, padded = found["servings"]
        self.assertAlmostEqual(own["mean_s"], mean, delta=1e-12 * mean)
        self.assertAlmostEqual(own["energy_per_sequence_j"], sum(n * energy[l] for l, n in self.counts.items()) / 10,
                               delta=1e-12)
        self.assertEqual((own["mean_length"], own["padding"]), (12.3, 0))
        self.assertEqual(padded["p50_s"], seconds[24])
        self.assertAlmostEqual(padded["mean_s"], seconds[24], delta=1e-12 * seconds[24])
        self.assertEqual(found["lengths"]["simulated"], 4)
        self.assertEqual(found["source"]["workload"]["source"], "statistic")

    def test_buckets_batches_and_threads(self):
        one = self.over("--bucket", "8", "--batch", "3", "--threads", "1")
        two = self.over("--bucket", "8", "--batch", "3", "--threads", "2")
        self.assertEqual(one, two)
        self.assertEqual([step["length"] for step in one["steps"]], [8, 24])
        own = one["servings"][0]
        self.assertAlmostEqual(own["sequences_per_s"] * own["mean_s"], 3)
        report = self.lacuna("run", TINY, BERT, *SMALL, "--param", "sequence=8", "--param", "samples=3", "--batch", "3")
        self.assertEqual(one["steps"][0]["seconds"], report["latency"]["seconds"])

    def test_interpolated_lengths_say_so(self):
        found = self.over("--points", "2")
        self.assertEqual([step["length"] for step in found["steps"]], [5, 24])
        self.assertEqual(found["lengths"], {"all": 4, "simulated": 2, "left_out_error": 0})
        done = subprocess.run([LACUNA, "lengths", TINY, BERT, *SMALL, "--distribution", self.file("d.yaml"), "--points",
                               "3"], capture_output=True, text=True, check=False)
        self.assertIn("of 4 lengths, the others interpolated", done.stdout)
        self.assertIn("counted in t.txt", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_interrupted(self):
        program = subprocess.Popen([LACUNA, "lengths", TINY, BERT, "--distribution", self.file("d.yaml")],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        children = f"/proc/{program.pid}/task/{program.pid}/children"
        for _ in range(600):                                 # until it simulates
            with open(children, encoding="ascii") as file:
                if file.read().strip():
                    break
            time.sleep(0.05)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=30)
        self.assertEqual((program.returncode, out), (130, ""))
        self.assertEqual(err, "lacuna: stopped by signal 2\n")


if __name__ == "__main__":
    support.main()
