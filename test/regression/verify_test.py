#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lacuna verify` as a user runs it: verify_test.py CASE --lacuna PROGRAM.

random_passes  some thousand passes on three engines: nothing differs, every kind of case and of stall
               occurs, and the number of threads does not matter
replay         single cases by their seeds; a waveform of one
broken_rtl     a copy of the RTL in which a FIFO's room is lost for a cycle: the run fails, the replay
               command finds the same difference again, and the waveform holds its cycles

Status 77: no Verilator here, nothing was tested.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETS = ["small", "lanes", "wide"]
EVERY_ENTRY_TAKEN = {"lanes"}  # skip_empty: none
PROGRAM = None


def lacuna(*arguments, status=0, home=None):
    """Runs the program; its stdout."""
    environment = dict(os.environ)
    if home is not None:
        environment["LACUNA_HOME"] = str(home)
    done = subprocess.run(
        [str(PROGRAM), *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode != status:
        raise AssertionError(
            f"lacuna {shlex.join(arguments)}: status {done.returncode}, not {status}\n"
            f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done.stdout


def set_options(names):
    return [word for name in names for word in ("--set", name)]


def is_fst(path):
    """A GTKWave FST file starts with a header block: type 0, length 329."""
    data = path.read_bytes()
    return len(data) > 400 and data[0] == 0 and int.from_bytes(data[1:9], "big") == 329


def fst_times(path):
    """First and last time of the file, from its header."""
    data = path.read_bytes()
    return int.from_bytes(data[9:17], "big"), int.from_bytes(data[17:25], "big")


class RandomPasses(unittest.TestCase):
    def test_run(self):
        with tempfile.TemporaryDirectory() as name:
            out = pathlib.Path(name)
            # A seed of one's own is as good as any.
            text = lacuna("verify", *set_options(SETS), "--passes", "1200", "--seed", "20",
                          "--out", str(out / "run"), "--junit", str(out / "junit.xml"))
            self.assertIn("0 of ", text)
            self.assertEqual(text, (out / "run/report.txt").read_text())
            result = json.loads((out / "run/report.json").read_text())
            self.assertEqual(result["schema"], "lacuna-verify-1")
            self.assertEqual([s["name"] for s in result["sets"]], SETS)
            for one in result["sets"]:
                self.assertGreaterEqual(one["passes"], 1200)
                self.assertEqual(one["mismatches"], 0)
                for kind, count in one["kinds"].items():
                    self.assertGreater(count, 10, kind)
                for name, count in one["counters"].items():
                    # Where every entry takes a slot on every PE, no PE waits for one of its own.
                    if name == "pe_issue" and one["name"] in EVERY_ENTRY_TAKEN:
                        self.assertEqual(count, 0)
                        continue
                    self.assertGreater(count, 0, f"{one['name']}: {name}")
            suite = xml.etree.ElementTree.parse(out / "junit.xml").getroot()
            self.assertEqual([c.get("name") for c in suite.iter("testcase")], SETS)
            self.assertEqual(list(suite.iter("failure")), [])

    def test_threads_do_not_matter(self):
        results = []
        for jobs in ("1", "3"):
            result = json.loads(lacuna("verify", *set_options(SETS[:2]), "--passes", "150",
                                       "--seed", "9", "--jobs", jobs, "--format", "json"))
            self.assertEqual(result.pop("speed")["jobs"], int(jobs))
            results.append(result)
        self.assertEqual(results[0], results[1])

    def test_a_time_limit_ends_a_run(self):
        result = json.loads(lacuna("verify", *set_options(SETS), "--seconds", "0.5", "--format",
                                   "json"))
        for one in result["sets"]:
            self.assertGreater(one["passes"], 0, one["name"])
            self.assertEqual(one["mismatches"], 0)


class ReplayCases(unittest.TestCase):
    def test_seeds(self):
        first = lacuna("verify", "--set", "small", "--replay", "0x1234")
        self.assertTrue(first.startswith("equal: set small, case 0x1234: "), first)
        self.assertEqual(first, lacuna("verify", "--set", "small", "--replay", str(0x1234)))
        after = lacuna("verify", "--set", "small", "--replay", "7,8,0x1234")
        self.assertEqual(first, after)
        self.assertNotEqual(first, lacuna("verify", "--set", "small", "--replay", "0x1235"))

    def test_waveform_of_some_cycles(self):
        with tempfile.TemporaryDirectory() as name:
            wave = pathlib.Path(name) / "wave.fst"
            text = lacuna("verify", "--set", "small", "--replay", "0x1234", "--wave", str(wave),
                          "--wave-cycles", "3:12")
            start = int(re.search(r"cycles 3 to 12 of pass 0 .* 2\*\(c \+ (\d+)\)", text)[1])
            self.assertTrue(is_fst(wave))
            self.assertEqual(fst_times(wave), (2 * (start + 3), 2 * (start + 12) + 1))
            self.assertEqual([p.name for p in wave.parent.iterdir()], ["wave.fst"])


class BrokenRtl(unittest.TestCase):
    OLD = "push_q && (almost_full"
    NEW = "(almost_full"

    def broken_copy(self, folder):
        """The sources that plug-ins are made of, with one bug: room is lost one entry early."""
        shutil.copytree(ROOT / "rtl", folder / "rtl")
        shutil.copytree(ROOT / "models/cosim", folder / "models/cosim")
        shutil.copytree(ROOT / "configs/verify", folder / "configs/verify")
        way = folder / "rtl/engine/way.sv"
        text = way.read_text()
        self.assertEqual(text.count(self.OLD), 1, "the bug needs another place in the RTL")
        way.write_text(text.replace(self.OLD, self.NEW))

    def test_from_the_failing_run_to_the_waveform(self):
        with tempfile.TemporaryDirectory() as name:
            home = pathlib.Path(name) / "home"
            out = pathlib.Path(name) / "out"
            cache = ["--rtl-cache", str(pathlib.Path(name) / "cache")]
            self.broken_copy(home)
            text = lacuna("verify", "--set", "small", "--passes", "400", "--max-mismatches", "5",
                          "--out", str(out), *cache, status=1, home=home)
            self.assertIn("left early after too many mismatches: small", text)
            result = json.loads((out / "report.json").read_text())
            found = result["sets"][0]["first_mismatches"]
            self.assertEqual(len(found), 5)
            for mismatch in found:
                self.assertRegex(mismatch["first"], r"^(issue|mask_stage|mac_stage|group_end) ")
            suite = xml.etree.ElementTree.parse(out / "junit.xml").getroot()
            self.assertEqual(len(list(suite.iter("failure"))), 1)

            # The steps of docs/guide/verify.md: replay, look at the history, write the waveform.
            command = shlex.split(found[0]["replay"])
            self.assertEqual(command[:2], ["lacuna", "verify"])
            wave = out / "wave.fst"
            again = lacuna(*command[1:], "--wave", str(wave), *cache, status=1, home=home)
            self.assertIn(found[0]["first"], again)
            self.assertIn("model|RTL", again)
            place = re.search(r": model (\d+), RTL (\d+)\n", again)
            shown = re.search(r"cycles (\d+) to (\d+) of pass \d+ .* 2\*\(c \+ (\d+)\)", again)
            first, last, start = (int(group) for group in shown.groups())
            cycle = min(int(place[1]), int(place[2]))
            self.assertLessEqual(first, cycle)
            self.assertGreaterEqual(last, cycle)
            self.assertTrue(is_fst(wave))
            self.assertEqual(fst_times(wave), (2 * (start + first), 2 * (start + last) + 1))

            # The same cases on the RTL as it is.
            self.assertTrue(lacuna(*command[1:]).startswith("equal: "))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=["random_passes", "replay", "broken_rtl"])
    parser.add_argument("--lacuna", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    if shutil.which("verilator") is None:
        print("skipped: verilator is not in PATH")
        return 77
    global PROGRAM
    PROGRAM = arguments.lacuna.resolve()
    classes = {"random_passes": RandomPasses, "replay": ReplayCases, "broken_rtl": BrokenRtl}
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(classes[arguments.case])
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
