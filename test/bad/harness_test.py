#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves the harness with programs that misbehave in one way each: all must be caught, and one that
behaves must pass."""

import pathlib
import stat
import tempfile
import unittest

from bad_case import Case
from run_case import run

CASE = Case("sample", ["go"], "wrong", files={"in.txt": "x"}, seconds=2.0)


class Harness(unittest.TestCase):
    def problems(self, script):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "program"
            program.write_text("#!/bin/sh\n" + script)
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            return "\n".join(run(CASE, program))

    def test_one_message_and_status_2_passes(self):
        self.assertEqual(self.problems("echo 'lacuna: wrong' >&2; exit 2"), "")

    def test_misbehaviour_is_caught(self):
        broken = {
            "echo 'lacuna: wrong' >&2; exit 0": "status 0 instead of 2",
            "echo 'lacuna: wrong' >&2; kill -SEGV $$": "status -11 instead of 2",
            "echo 'lacuna: wrong!' >&2; exit 2": "expected the message",
            "echo 'wrong' >&2; exit 2": "expected the message",
            "exit 2": "expected the message",
            "echo 'lacuna: wrong' >&2; echo 1; exit 2": "wrote to stdout",
            "echo 'lacuna: wrong' >&2; echo 1 > half; exit 2": "file half",
            "echo 'lacuna: wrong' >&2; echo 1 > in.txt; exit 2": "file in.txt",
            "exec sleep 20": "did not end within",
        }
        for script, expected in broken.items():
            with self.subTest(script):
                self.assertIn(expected, self.problems(script))


if __name__ == "__main__":
    unittest.main()
