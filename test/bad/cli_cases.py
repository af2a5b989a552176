# SPDX-License-Identifier: Apache-2.0
"""Command lines that are wrong before any file is read."""

from bad_case import Case

CASES = [
    Case("no_command", [], "no command given; see 'lacuna --help'"),
    Case("unknown_command", ["descibe"], "unknown command 'descibe' (did you mean 'describe'?); see 'lacuna --help'"),
    Case("unknown_option", ["describe", "chip.yaml", "--formt", "json"],
         "unknown option '--formt' (did you mean '--format'?); see 'lacuna describe --help'"),
    Case("unknown_option_before_the_command", ["--fast", "describe", "chip.yaml"],
         "unknown option '--fast'; see 'lacuna describe --help'"),
    Case("missing_chip", ["describe"], "CHIP is required; see 'lacuna describe --help'"),
    Case("extra_argument", ["describe", "chip.yaml", "again.yaml"],
         "unexpected argument 'again.yaml'; see 'lacuna describe --help'"),
    Case("unknown_format", ["describe", "chip.yaml", "--format", "xml"],
         "--format: 'xml' is not one of text or json; see 'lacuna describe --help'"),
    Case("option_without_value", ["describe", "chip.yaml", "--format"],
         "--format: 1 required text|json missing; see 'lacuna describe --help'"),
    Case("unknown_schema", ["schema", "chp"],
         "'chp' is not one of chip, memory, energy, workload, import or lengths (did you mean 'chip'?)"),
]
