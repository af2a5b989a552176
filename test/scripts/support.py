# SPDX-License-Identifier: Apache-2.0
"""What the tests of the scripts share: the import path, and skipping with a reason (exit status 77)."""
import importlib
import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRACES = os.path.join(ROOT, "traces")
sys.path.insert(0, os.path.join(ROOT, "scripts", "trace"))


def need(*packages):
    """Ends the test as skipped if a Python package is missing."""
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            print(f"skipped: Python package {package!r} is not installed ({error})")
            sys.exit(77)


def main():
    program = unittest.main(verbosity=2, exit=False)
    if program.result.testsRun == 0:
        print("no test ran")
        sys.exit(1)
    sys.exit(0 if program.result.wasSuccessful() else 1)
