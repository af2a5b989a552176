#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves scripts/ci/check_floors with deliberately broken trees: each must be caught, and a good one
must pass."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECKER = pathlib.Path(__file__).parents[2] / "scripts" / "ci" / "check_floors"
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


def check(files):
    """Runs the checker on a tree of {path below models/: text}; (status, output)."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder) / "models" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(LICENCE + text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(CHECKER), folder], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout


class CheckFloors(unittest.TestCase):
    def assert_caught(self, files, message):
        status, output = check(files)
        self.assertEqual(status, 1, output)
        self.assertIn(message, output)

    def test_lower_floors_and_the_own_folder_are_fine(self):
        status, output = check(
            {
                "base/error.h": "#include <string>\n",
                "timing/engine/tile.h": '#include "base/error.h"\n',
                "timing/engine/tile.cpp": '#include "timing/engine/tile.h"\n',
                "tlm/dram.h": '#include <systemc>\n#include "timing/engine/tile.h"\n',
                "config/yaml.cpp": "#include <yaml-cpp/parser.h>\n",
                "cli/main.cpp": "#include <CLI/App.hpp>\nint main() { std::cout << 1; exit(0); }\n",
            }
        )
        self.assertEqual(status, 0, output)

    def test_a_higher_floor(self):
        self.assert_caught(
            {"base/a.h": '#include "chip/chip.h"\n'},
            "models/base/a.h:2: base/ (floor 0) must not include chip/ (floor 5)",
        )

    def test_the_same_floor(self):
        self.assert_caught(
            {"energy/a.cpp": '#include <vector>\n\n  #  include "mapper/split.h"\n'},
            "models/energy/a.cpp:4: energy/ (floor 3) must not include mapper/ (floor 3)",
        )

    def test_rooms_of_timing_do_not_know_each_other(self):
        self.assert_caught(
            {"timing/engine/a.h": '#include "timing/dram/controller.h"\n'},
            "timing/engine/ (floor 2) must not include timing/dram/ (floor 2)",
        )

    def test_the_crossbar_knows_the_banks_but_not_the_reverse(self):
        status, output = check({"timing/noc/a.h": '#include "timing/sram/banks.h"\n'})
        self.assertEqual(status, 0, output)
        self.assert_caught(
            {"timing/sram/a.h": '#include "timing/noc/crossbar.h"\n'},
            "timing/sram/ (floor 2) must not include timing/noc/ (floor 2)",
        )

    def test_verilated_headers_outside_cosim(self):
        self.assertEqual(check({"cosim/a.cpp": '#include "verilated.h"\n'})[0], 0)
        self.assert_caught({"chip/a.cpp": '#include "verilated.h"\n'}, "must not include Verilator")

    def test_systemc_below_tlm(self):
        for header in ("systemc", "systemc.h", "tlm", "tlm_utils/simple_target_socket.h"):
            self.assert_caught(
                {"timing/dram/a.cpp": f"#include <{header}>\n"},
                f"timing/dram/ must not include SystemC ({header})",
            )

    def test_yaml_cpp_outside_config(self):
        self.assert_caught(
            {"workload/a.cpp": "#include <yaml-cpp/yaml.h>\n"}, "must not include yaml-cpp"
        )

    def test_an_include_that_is_not_rooted_at_models(self):
        self.assert_caught(
            {"base/a.cpp": '#include "error.h"\n'}, "'error.h' is not rooted at models/"
        )

    def test_an_unknown_folder(self):
        self.assert_caught({"misc/a.h": ""}, "models/misc/a.h:1: is in no known folder")

    def test_libraries_that_print_or_exit(self):
        for line in ("std::cerr << 1;", "exit(2);", "std::abort();", "  ::_exit(1);"):
            self.assert_caught({"report/a.cpp": f"void f() {{ {line} }}\n"}, "must not use")

    def test_comments_strings_and_members_are_not_calls(self):
        status, output = check(
            {
                "report/a.cpp": "// std::cout and exit(1)\n/* abort() */\n"
                'const char* text = "exit(1)";\nvoid f() { worker.exit(); on_exit(1); }\n'
            }
        )
        self.assertEqual(status, 0, output)

    def test_a_missing_licence(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "models" / "base" / "a.h"
            path.parent.mkdir(parents=True)
            path.write_text("#pragma once\n", encoding="utf-8")
            done = subprocess.run(
                [sys.executable, str(CHECKER), folder], capture_output=True, text=True, check=False
            )
        self.assertEqual(done.returncode, 1)
        self.assertIn("must start with", done.stdout)

    def test_an_empty_tree_is_an_error(self):
        self.assertEqual(check({})[0], 2)


if __name__ == "__main__":
    unittest.main()
