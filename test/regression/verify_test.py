#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lacuna verify` as a user runs it: verify_test.py CASE --lacuna PROGRAM.

random_passes  some thousand passes on four engines: nothing differs, every kind of case and of stall
               occurs, and the number of threads does not matter
replay         single cases by their seeds; a waveform of one
broken_rtl     a copy of the RTL with bugs that can be switched on: each is seen by the assertion that
               is there for it; for one the replay command finds the same failure again, and the
               waveform holds its cycles

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
SETS = ["small", "lanes", "wide", "one"]
# Empty entries cost a cycle (skip_empty: none), or there is one PE, which has weights at every issue.
EVERY_ENTRY_TAKEN = {"lanes", "one"}
PROGRAM = None


def lacuna(*arguments, status=0, home=None, bug=0):
    """Runs the program; its stdout."""
    environment = dict(os.environ, LACUNA_TEST_BUG=str(bug))
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
        result = json.loads(lacuna("verify", *set_options(SETS[:2]), "--seconds", "2", "--format",
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


# Bugs of the copy of the RTL, of which the environment variable LACUNA_TEST_BUG switches one on:
# number, file, what stands there, what stands there instead, how a mismatch begins (a pattern).
BUGS = [
    (1, "engine/way.sv", "push_q && (almost_full", "(push_q || BUG) && (almost_full",
     "assertion room_is_credits of gen_way"),
    (2, "engine/way.sv", "assign room = (full", "assign room = BUG || (full",
     "assertion room_is_credits of gen_way"),
    (3, "common/fifo.sv", "mem_q[read_q];", "mem_q[BUG ? write_q : read_q];",
     "assertion right_order of gen_way"),
    (4, "engine/scanner.sv", "assign last_o     = last_bit", "assign last_o     = !(BUG && groups_q == 16'd2) && last_bit",
     "assertion .*last_is_last"),
    (5, "engine/scanner.sv", "hits_q <= rest;", "hits_q <= BUG && $countones(rest) == 3 ? '0 : rest;",
     "assertion "),
    (6, "engine/pe.sv", "&& !busy_q[bank_q] &&", "&& (BUG || !busy_q[bank_q]) &&",
     "assertion bank_is_free of gen_way"),
    (7, "engine/pe.sv", "!stage_any && !stage_last_q;", "!stage_any && (BUG || !stage_last_q);",
     "assertion drop_empty of gen_way"),
    (8, "engine/pe.sv", "cur_ptr : cur_ptr + PtrW'(1);", "cur_ptr : cur_ptr + PtrW'(!BUG);",
     "assertion right_address of gen_way"),
    (9, "engine/control.sv", "weights_leave = release_wt_i |", "weights_leave = (BUG ? 2'd0 : release_wt_i) |",
     "assertion loaded_weights of u_control"),
    (10, "engine/control.sv", "if (!tables_used[0]) begin", "if (BUG || !tables_used[0]) begin",
     "assertion own_tables of u_control"),
    (11, "engine/drain_control.sv", "(next_row >= cfg_q.rows);", "(next_row + 16'(BUG) >= cfg_q.rows);",
     "assertion beat_count of u_drain.u_control"),
    (12, "engine/drain_control.sv", "read_bank_o = active_q ?", "read_bank_o = BUG ? 1'b0 : active_q ?",
     "assertion banks_in_turn of u_drain.u_control"),
    (13, "engine/drain.sv", "psum_wr_en_o <= sum_valid_q &&", "psum_wr_en_o <= (BUG ? beat_valid : sum_valid_q) &&",
     "assertion psum_write of u_drain"),
    (14, "engine/drain_control.sv", "(active_q && last_beat) ? {bank_q", "(active_q && (BUG || last_beat)) ? {bank_q",
     "assertion release_with_last of u_drain.u_control"),
    (15, "engine/loader.sv", "beat && (state_q == POST);", "beat && (state_q == POST || (BUG && state_q == SHIFT));",
     "assertion one_memory of u_loader"),
    (16, "engine/loader.sv", "pe_half_o  <= half_q;", "pe_half_o  <= half_q ^ BUG;",
     "assertion no_read_of_write of gen_way"),
]


def broken_copy(folder):
    """The sources that plug-ins are made of, with BUGS that sleep."""
    shutil.copytree(ROOT / "rtl", folder / "rtl")
    shutil.copytree(ROOT / "models/cosim", folder / "models/cosim")
    shutil.copytree(ROOT / "configs/verify", folder / "configs/verify")
    harness = folder / "models/cosim/harness/rtl_harness.cpp"
    harness.write_text(harness.read_text() + """
#ifdef LACUNA_RTL_TOP
extern "C" int lacuna_test_bug() {
  const char* bug = std::getenv("LACUNA_TEST_BUG");
  return bug == nullptr ? 0 : std::atoi(bug);
}
#endif
""")
    for number, name, old, new, _ in BUGS:
        path = folder / "rtl" / name
        text = path.read_text()
        if text.count(old) != 1:
            raise AssertionError(f"bug {number} needs another place in {name}")
        text = text.replace(old, new.replace("BUG", f"(bug_q == {number})"))
        if "lacuna_test_bug" not in text:
            end_of_ports = text.index("\n);\n") + 4
            text = (text[:end_of_ports] + '  import "DPI-C" function int lacuna_test_bug();\n'
                    "  int bug_q;\n  initial bug_q = lacuna_test_bug();\n" + text[end_of_ports:])
        path.write_text(text)


class BrokenRtl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.home = pathlib.Path(cls.folder.name) / "home"
        cls.cache = ["--rtl-cache", str(pathlib.Path(cls.folder.name) / "cache")]
        broken_copy(cls.home)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_broken(self, *arguments, bug, status):
        return lacuna(*arguments, *self.cache, status=status, home=self.home, bug=bug)

    def test_assertions_see_what_they_are_for(self):
        text = self.run_broken("verify", "--set", "small", "--passes", "200", bug=0, status=0)
        self.assertIn("0 of ", text)
        for number, name, _, _, expected in BUGS:
            text = self.run_broken("verify", "--set", "small", "--passes", "400",
                                   "--max-mismatches", "8", "--jobs", "1", "--format", "json",
                                   bug=number, status=1)
            found = [m["first"] for m in json.loads(text)["sets"][0]["first_mismatches"]]
            self.assertTrue(any(re.match(expected, first) for first in found),
                            f"bug {number} in {name}: {found}")

    def test_from_the_failing_run_to_the_waveform(self):
        out = pathlib.Path(self.folder.name) / "out"
        bug = 8
        text = self.run_broken("verify", "--set", "small", "--passes", "400", "--max-mismatches",
                               "5", "--out", str(out), bug=bug, status=1)
        self.assertIn("left early after too many mismatches: small", text)
        result = json.loads((out / "report.json").read_text())
        found = result["sets"][0]["first_mismatches"]
        self.assertEqual(len(found), 5)
        for mismatch in found:
            self.assertRegex(mismatch["first"], r"^assertion right_address of .* in cycle \d+ of pass")
        suite = xml.etree.ElementTree.parse(out / "junit.xml").getroot()
        self.assertEqual(len(list(suite.iter("failure"))), 1)

        # The steps of docs/guide/verify.md: replay, look at the history, write the waveform.
        command = shlex.split(found[0]["replay"])
        self.assertEqual(command[:2], ["lacuna", "verify"])
        wave = out / "wave.fst"
        again = self.run_broken(*command[1:], "--wave", str(wave), bug=bug, status=1)
        self.assertIn(found[0]["first"], again)
        cycle = int(re.search(r" in cycle (\d+) of pass", again)[1])
        shown = re.search(r"cycles (\d+) to (\d+) of pass \d+ .* 2\*\(c \+ (\d+)\)", again)
        first, last, start = (int(group) for group in shown.groups())
        self.assertLessEqual(first, cycle)
        self.assertGreaterEqual(last, cycle)
        self.assertTrue(is_fst(wave))
        self.assertEqual(fst_times(wave)[0], 2 * (start + first))

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
