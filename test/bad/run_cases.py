# SPDX-License-Identifier: Apache-2.0
"""Options of `lacuna run` and `lacuna gemm`, energy tables, and output folders."""

from bad_case import Case

TINY = "@ROOT@/configs/chips/tiny.yaml"
NET = "@ROOT@/traces/digits-cnn-unstructured-90/workload.yaml"


def run(name, options, message, files=None):
    return Case(name, ["run", TINY, NET, *options], message, files or {})


def gemm(name, options, message, files=None):
    return Case(name, ["gemm", TINY, *options], message, files or {})


def run_help(name, options, message):
    return run(name, options, message + "; see 'lacuna run --help'")


def gemm_help(name, options, message):
    return gemm(name, options, message + "; see 'lacuna gemm --help'")


def energy(name, change, message):
    """The shipped table with one text replaced by another."""
    old, new = change
    return Case(f"energy_{name}", ["run", "chip.yaml", NET], message,
                {"chip.yaml": f"extends: {TINY}\nenergy: {{table: e.yaml}}\n", "e.yaml": TABLE.replace(old, new)})


ACTION = '{energy: 1 pJ, basis: judged, source: "round"}'
POWER = '{power: 1 mW, basis: judged, source: "round"}'
TABLE = f"""\
name: round
actions:
  mac_int8: {ACTION}
  mac_gated: {ACTION}
  accumulator_byte: {ACTION}
  fifo_byte: {ACTION}
  broadcast_bit: {ACTION}
  int32_add: {ACTION}
  requantize: {ACTION}
  crossbar_bit: {ACTION}
  vector_element: {ACTION}
sram_byte:
  - {{capacity: 8 KiB, energy: 1 pJ, basis: judged, source: "round"}}
  - {{capacity: 1 MiB, energy: 2 pJ, basis: judged, source: "round"}}
dram:
  lpddr4x: {{bit: {ACTION}, activate: {ACTION}, background: {POWER}}}
static:
  core: {POWER}
  sram_mib: {POWER}
  uncore: {POWER}
"""

CASES = [
    Case("energy_without_decoders", ["run", "chip.yaml", NET],
         "the energy table 'round' has no action decode_byte, which compress needs",
         {"chip.yaml": f"extends: {TINY}\nenergy: {{table: e.yaml}}\ncompress: {{weights: auto}}\n", "e.yaml": TABLE}),
    Case("energy_without_link", ["run", "chip.yaml", NET],
         "the energy table 'round' has no action link_bit, which dram.link needs",
         {"chip.yaml": f"extends: {TINY}\nenergy: {{table: e.yaml}}\ndram: {{link: {{width: 8 B, latency: 1}}}}\n",
          "e.yaml": TABLE}),
    Case("energy_without_near_memory", ["run", "chip.yaml", NET],
         "the energy table 'round' has no action near_memory_byte, which dram.near_memory needs",
         {"chip.yaml": f"extends: {TINY}\nenergy: {{table: e.yaml}}\n"
          "dram: {near_memory: {width: 8 B, latency: 1}}\n", "e.yaml": TABLE}),
    Case("no_arguments", ["run"], "CHIP is required; see 'lacuna run --help'"),
    Case("no_workload", ["run", TINY], "WORKLOAD is required; see 'lacuna run --help'"),
    Case("mapping_of_an_unknown_layer", ["describe", TINY, "--mapping", NET, "--layers", "conv9"],
         "--layers: 'digits-cnn-unstructured-90' has no engine layer 'conv9' (did you mean 'conv1'?)"),
    Case("ring_larger_than_the_sram", ["run", "chip.yaml", NET],
         "mapper.ring asks for 1048576 bytes of SRAM, there are 65536",
         {"chip.yaml": f"extends: {TINY}\nsram: {{capacity: 64 KiB}}\nmapper: {{ring: 1 MiB}}\n"}),
    Case("pinned_and_ring_larger_than_the_sram", ["run", "chip.yaml", NET],
         "mapper.pinned asks for 49152 bytes of SRAM, there are 32768",
         {"chip.yaml": f"extends: {TINY}\nsram: {{capacity: 64 KiB}}\nmapper: {{ring: 32 KiB, pinned: 48 KiB}}\n"}),
    Case("no_task_ahead", ["run", TINY, NET, "--set", "mapper.tasks_ahead=0"],
         "--set: mapper.tasks_ahead: 0 is out of range; expected 1 to 64"),
    Case("unknown_order_of_k", ["run", TINY, NET, "--set", "mapper.k_order=serpentine"],
         "--set: mapper.k_order: 'serpentine' is not one of auto, forward or alternate"),
    Case("layers_without_mapping", ["describe", TINY, "--layers", "conv1"],
         "--layers requires --mapping; see 'lacuna describe --help'"),
    run_help("extra_argument", ["more"], "unexpected argument 'more'"),
    run_help("unknown_engine", ["--engine", "fast"], "--engine: 'fast' is not one of model, rtl or lockstep"),
    run_help("engine_with_a_typo", ["--engine", "lockstp"],
             "--engine: 'lockstp' is not one of model, rtl or lockstep (did you mean 'lockstep'?)"),
    run_help("shadow_above_one", ["--shadow", "2"], "--shadow: '2' is not a number from 0 to 1"),
    run_help("shadow_negative", ["--shadow", "-0.5"], "--shadow: '-0.5' is not a number from 0 to 1"),
    run_help("shadow_is_not_a_number", ["--shadow", "nan"], "--shadow: 'nan' is not a number from 0 to 1"),
    run("shadow_with_lockstep", ["--shadow", "0.5", "--engine", "lockstep"],
        "--shadow goes with --engine model only, not with lockstep"),
    run_help("no_samples", ["--samples", "0"], "--samples: '0' is not a whole number from 1 to 1000000"),
    run_help("too_many_samples", ["--samples", "99999999999999999999"],
             "--samples: '99999999999999999999' is not a whole number from 1 to 1000000"),
    run_help("samples_is_a_word", ["--samples", "all"], "--samples: 'all' is not a whole number from 1 to 1000000"),
    run_help("no_batch", ["--batch", "0"], "--batch: '0' is not a whole number from 1 to 65536"),
    run_help("no_threads", ["--threads", "0"], "--threads: '0' is not a whole number from 1 to 256"),
    run_help("negative_seed", ["--seed", "-1"], "--seed: '-1' is not a whole number from 0 to 4611686018427387904"),
    run_help("unknown_skip", ["--skip", "weigths"],
             "--skip: 'weigths' is not one of dense, weights, activations or dual (did you mean 'weights'?)"),
    run_help("unknown_memory", ["--memory", "perfect"], "--memory: 'perfect' is not one of real or ideal"),
    run("rtl_of_too_many_rows", ["--engine", "rtl", "--set", "engine.rows_per_pe=65"],
        "--set: engine: the RTL holds at most 64 rows per PE, not 65"),
    run("rtl_cache_is_a_file", ["--engine", "rtl", "--rtl-cache", "file"],
        "cannot create the folder 'file': Not a directory", {"file": ""}),
    run("out_is_a_file", ["--out", "file"], "cannot create the folder 'file': Not a directory", {"file": ""}),
    run("out_below_a_file", ["--out", "file/out"], "cannot create the folder 'file/out': Not a directory",
        {"file": ""}),
    run("out_cannot_be_written", ["--out", "/proc/none"],
        "cannot create the folder '/proc/none': No such file or directory"),
    # gemm
    gemm_help("gemm_without_operands", [], "--weights is required"),
    gemm_help("gemm_without_activations", ["--weights", "density=.5"], "--acts is required"),
    gemm_help("gemm_no_rows", ["--weights", "density=.5", "--acts", "density=.5", "--m", "0"],
              "--m: '0' is not a whole number from 1 to 2147483648"),
    gemm_help("gemm_no_runs", ["--weights", "density=.5", "--acts", "density=.5", "--runs", "0"],
              "--runs: '0' is not a whole number from 1 to 1000"),
    gemm_help("gemm_unknown_balance",
              ["--weights", "density=.5", "--acts", "density=.5", "--balance", "none,gredy"],
              "--balance: 'gredy' is not one of none, greedy or activation (did you mean 'greedy'?)"),
    # Energy tables
    energy("missing_action", (f"  mac_gated: {ACTION}\n", ""),
           "e.yaml:3:3: missing key 'mac_gated' in actions: the same with a zero operand: nothing but the clock "
           "switches"),
    energy("unknown_action", ("mac_gated", "mac_gatd"),
           "e.yaml:3:3: missing key 'mac_gated' in actions: the same with a zero operand: nothing but the clock "
           "switches\n"
           "e.yaml:4:3: unknown key 'mac_gatd' in actions (did you mean 'mac_gated'?)"),
    energy("wrong_unit", ("mac_int8: {energy: 1 pJ", "mac_int8: {energy: 1 pF"),
           "e.yaml:3:22: actions.mac_int8.energy: '1 pF' has the unit 'pF', which does not fit; expected an energy "
           "such as '0.9 pJ' (units: fJ, pJ, nJ, uJ, mJ, J)"),
    energy("negative", ("mac_int8: {energy: 1 pJ", "mac_int8: {energy: -1 pJ"),
           "e.yaml:3:22: actions.mac_int8.energy: -1 pJ is out of range; expected 0 J to 1 mJ"),
    energy("no_source", (f"mac_int8: {ACTION}", "mac_int8: {energy: 1 pJ, basis: judged}"),
           "e.yaml:3:13: missing key 'source' in actions.mac_int8: publication, or why this number was chosen"),
    energy("unknown_basis", ("mac_int8: {energy: 1 pJ, basis: judged", "mac_int8: {energy: 1 pJ, basis: guessed"),
           "e.yaml:3:35: actions.mac_int8.basis: 'guessed' is not one of published or judged"),
    energy("sizes_fall", ("capacity: 1 MiB", "capacity: 1 KiB"),
           "e.yaml:13:3: sizes must grow from entry to entry; entry 2 does not"),
    energy("one_size", ('  - {capacity: 1 MiB, energy: 2 pJ, basis: judged, source: "round"}\n', ""),
           "e.yaml:13:3: at least two sizes are needed to interpolate between"),
    energy("free_sram", ("8 KiB, energy: 1 pJ", "8 KiB, energy: 0 pJ"),
           "e.yaml:13:3: the energy of entry 1 must be greater than 0"),
    energy("other_dram", ("lpddr4x:", "gddr6:"),
           "the energy table 'round' has no DRAM family 'lpddr4x' (of dram.preset "
           "'@ROOT@/configs/memories/lpddr4x-4266.yaml'); it knows gddr6"),
]
