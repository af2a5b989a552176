# SPDX-License-Identifier: Apache-2.0
"""Command lines of `lacuna verify` and `lacuna rtl`, and parameter sets, that are wrong."""

from bad_case import Case

SMALL = "extends: @ROOT@/configs/verify/small.yaml\n"


def verify(name, options, message, files=None):
    return Case(name, ["verify", *options], message, files or {})


def verify_help(name, options, message):
    return verify(name, options, message + "; see 'lacuna verify --help'")


def set_file(name, text, message):
    """A parameter set on top of a shipped one; the text starts in line 2."""
    return verify(name, ["--set", "mine.yaml"], message, {"mine.yaml": SMALL + text})


CASES = [
    verify("unknown_set", ["--set", "smal"],
           "no parameter set 'smal' (did you mean 'small'?); there are block256, deep, drain_fast, drain_slow, "
           "lanes, lanes16, lanes8, load64, long_k, odd, odd_none, one, one_pe, one_row, pes32, reference, "
           "rows64, scan256, shallow, shallow_none, small, tight, tokens, twelve, ways16, wide"),
    verify("set_twice", ["--set", "small", "--set", "lanes", "--set", "small"], "--set small is given twice"),
    verify("missing_set_file", ["--set", "none.yaml"],
           "cannot open 'none.yaml': No such file or directory"),
    verify_help("passes_zero", ["--passes", "0"], "--passes: '0' is not a whole number from 1 to 1000000000"),
    verify_help("passes_word", ["--passes", "many"],
                "--passes: 'many' is not a whole number from 1 to 1000000000"),
    verify_help("seconds_negative", ["--seconds", "-1"], "--seconds: '-1' is not a positive number of seconds"),
    verify_help("seconds_infinite", ["--seconds", "inf"], "--seconds: 'inf' is not a positive number of seconds"),
    verify_help("seed_too_long", ["--seed", "0x10000000000000000"],
                "--seed: '0x10000000000000000' is not a 64-bit number, decimal or 0x..."),
    verify_help("jobs_zero", ["--jobs", "0"], "--jobs: '0' is not a whole number from 1 to 256"),
    verify("replay_without_set", ["--replay", "1"],
           "--replay needs exactly one --set: a seed is a case of one set"),
    verify("replay_of_two_sets", ["--replay", "1", "--set", "small", "--set", "wide"],
           "--replay needs exactly one --set: a seed is a case of one set"),
    verify_help("replay_no_seed", ["--replay", "1,,2", "--set", "small"],
                "--replay: '' is not a 64-bit number, decimal or 0x..."),
    verify("replay_of_too_many", ["--replay", ",".join(["1"] * 65), "--set", "small"],
           "--replay takes at most 64 seeds"),
    verify("replay_with_passes", ["--replay", "1", "--set", "small", "--passes", "3"],
           "--replay does not go with --passes"),
    verify("replay_with_junit", ["--replay", "1", "--set", "small", "--junit", "j.xml"],
           "--replay does not go with --junit"),
    verify("replay_with_coverage", ["--replay", "1", "--set", "small", "--coverage", "c"],
           "--replay does not go with --coverage"),
    verify("coverage_is_a_file", ["--set", "small", "--passes", "1", "--coverage", "file"],
           "cannot create the folder 'file': Not a directory", {"file": ""}),
    verify_help("wave_cycles_backwards", ["--wave-cycles", "5:4"],
                "--wave-cycles: '5:4' is not FROM:TO in cycles of the pass"),
    verify("wave_cycles_without_wave", ["--wave-cycles", "4:5"], "--wave-cycles needs --wave FILE"),
    verify("out_is_a_file", ["--set", "small", "--passes", "1", "--out", "file"],
           "cannot create the folder 'file': Not a directory", {"file": ""}),
    verify("rtl_cache_is_a_file", ["--set", "small", "--passes", "1", "--rtl-cache", "file"],
           "cannot create the folder 'file': Not a directory", {"file": ""}),
    set_file("set_unknown_key", "engine: {fifo: 3}\n",
             "mine.yaml:2:10: unknown key 'fifo' in engine (did you mean 'fifo_depth'?)"),
    set_file("set_not_for_the_rtl", "engine: {rows_per_pe: 65, weight_buffer: 8 KiB}\n",
             "mine.yaml:2:23: the RTL holds at most 64 rows per PE, not 65"),
    set_file("set_without_room", "engine: {output_buffer: 1 B}\n",
             "mine.yaml:2:25: output_buffer (1 B) must hold one group of all channels: 9 B"),
    set_file("set_breaks_a_rule", "engine: {drain_width: 3}\n",
             "mine.yaml:2:23: engine: drain_width (3) must divide pes (2) or be a multiple of it\n"
             "mine.yaml:2:23: engine: act_block (8) must be a multiple of drain_width (3)"),
    Case("rtl_without_action", ["rtl"], "ACTION is required; see 'lacuna rtl --help'"),
    Case("rtl_unknown_action", ["rtl", "lst"],
         "ACTION: 'lst' is not one of list, build or clean (did you mean 'list'?); see 'lacuna rtl --help'"),
    Case("rtl_list_of_a_set", ["rtl", "list", "--set", "small"], "--set goes with 'lacuna rtl build' only"),
    Case("rtl_clean_coverage", ["rtl", "clean", "--coverage"], "--coverage goes with 'lacuna rtl build' only"),
    Case("rtl_list_all", ["rtl", "list", "--all"],
         "--all goes with 'lacuna rtl build' and 'lacuna rtl clean' only"),
    Case("rtl_build_nothing", ["rtl", "build"], "say what to build: --set NAME, --chip FILE or --all"),
    Case("rtl_build_missing_chip", ["rtl", "build", "--chip", "none.yaml"],
         "cannot open 'none.yaml': No such file or directory"),
]
