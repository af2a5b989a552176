# SPDX-License-Identifier: Apache-2.0
"""YAML files of chips that are wrong in every way that config/ can see."""

from bad_case import Case

TINY = "extends: @ROOT@/configs/chips/tiny.yaml\n"


def describe(name, text, message, extra=None, options=()):
    """`lacuna describe chip.yaml` on a text."""
    return Case(name, ["describe", "chip.yaml", *options], message, {"chip.yaml": text} | (extra or {}))


def tiny(name, text, message, **more):
    """A change on top of the tiny chip; the text starts in line 2."""
    return describe(name, TINY + text, message, **more)


CASES = [
    # Files
    Case("missing_file", ["describe", "none.yaml"], "cannot open 'none.yaml': No such file or directory"),
    Case("folder", ["describe", "."], "cannot read '.': Is a directory"),
    Case("device", ["describe", "/dev/zero"], "cannot read '/dev/zero': it is not a regular file"),
    describe("empty_file", "", "chip.yaml: is empty"),
    describe("only_a_comment", "# nothing\n", "chip.yaml: is empty"),
    describe("binary_file", "a: \0b\n", "chip.yaml: is not a text file (it contains a NUL byte)"),
    describe("huge_file", "#" * ((16 << 20) + 1),
             "cannot read 'chip.yaml': it has 16777217 bytes, more than the 16777216 allowed here"),
    # YAML
    describe("a_list_at_the_top", "- 1\n", "chip.yaml:1:1: expected a map of keys at the top, found a list"),
    describe("a_word_at_the_top", "chip\n",
             "chip.yaml:1:1: expected a map of keys at the top, found the value 'chip'"),
    describe("not_yaml", "chip: {name: x\n", "chip.yaml:2:1: not valid YAML: end of map flow not found"),
    describe("tab_indentation", "engine:\n\tpes: 4\n",
             "chip.yaml:2:1: not valid YAML: indented with a tab; use blanks"),
    describe("two_documents", "chip: 1\n---\nchip: 2\n",
             "chip.yaml:3:1: more than one YAML document in a file"),
    describe("duplicate_key", "engine: {pes: 2, pes: 4}\n",
             "chip.yaml:1:18: the key 'pes' is already given in line 1"),
    describe("tag", "engine: !!python/object:os.system {pes: 2}\n",
             "chip.yaml:1:9: the tag 'tag:yaml.org,2002:python/object:os.system' is not supported; "
             "write plain values"),
    describe("key_that_is_a_list", "? [a, b]\n: 1\n",
             "chip.yaml:1:3: a key must be a word, not a list or a map"),
    describe("alias_bomb",
             "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
             + "".join(f"{n}: &{n} [{', '.join(['*' + p] * 10)}]\n" for p, n in zip("abcdefgh", "bcdefghi")),
             "chip.yaml:5:4: more than 500000 values (aliases count each time)"),
    describe("alias_of_itself", "a: &a [*a]\n", "chip.yaml:1:8: an alias must not stand inside its own anchor"),
    describe("deep_nesting", "a: " + "[" * 5000 + "]" * 5000 + "\n", "chip.yaml:1:67: nested deeper than 64 levels"),
    describe("many_keys", "".join(f"k{i}: 1\n" for i in range(20000)),
             "chip.yaml:10001:1: more than 10000 keys in a map"),
    # extends
    describe("extends_missing_file", "extends: none.yaml\n",
             "chip.yaml:1:10: extends: cannot open 'none.yaml': No such file or directory"),
    describe("extends_itself", "extends: chip.yaml\n", "chip.yaml:1:10: extends: 'chip.yaml' extends itself"),
    describe("extends_in_a_circle", "extends: b.yaml\n", "b.yaml:1:10: extends: './chip.yaml' extends itself",
             extra={"b.yaml": "extends: ./chip.yaml\n"}),
    describe("extends_a_list", "extends: [a.yaml]\n",
             "chip.yaml:1:10: extends: expected the path of a file, found a list"),
    describe("extends_too_long", "extends: c1.yaml\n", "c16.yaml:1:10: extends: more than 16 files in a chain",
             extra={f"c{i}.yaml": f"extends: c{i + 1}.yaml\n" for i in range(1, 30)}),
    describe("error_in_the_base", "extends: base.yaml\n",
             "base.yaml:1:1: not valid YAML: end of map flow not found", extra={"base.yaml": "chip: {"}),
    # Keys
    tiny("unknown_key", "engine: {pess: 4}\n",
         "chip.yaml:2:10: unknown key 'pess' in engine (did you mean 'pes'?)"),
    tiny("unknown_section", "engin: {pes: 4}\n", "chip.yaml:2:1: unknown key 'engin' (did you mean 'engine'?)"),
    tiny("unknown_key_far_from_all", "vector: {bananas: 4}\n",
         "chip.yaml:2:10: unknown key 'bananas' in vector; known keys: lanes"),
    describe("missing_keys",
             "extends: @ROOT@/configs/chips/base.yaml\nchip: {name: x, clock: 1 GHz, cores: 1, cores_per_port: 1}\n"
             "engine: {pes: 2, k_ways: 2, rows_per_pe: 4, fifo_depth: 2, drain_width: 2, weight_buffer: 512 B,\n"
             "         activation_buffer: 256 B, psum_buffer: 512 B, output_buffer: 256 B, load_width: 8 B, weight_word: 4 B}\n",
             "chip.yaml:1:1: missing key 'vector': the vector unit of every core\n"
             "chip.yaml:1:1: missing key 'sram': the shared on-chip SRAM\n"
             "chip.yaml:1:1: missing key 'dram': the DRAM controllers and devices\n"
             "chip.yaml:3:9: missing key 'scan_width' in engine: mask bits in a scanner window\n"
             "chip.yaml:3:9: missing key 'max_k' in engine: longest K of a tile"),
    tiny("no_value", "engine: {pes: }\n", "chip.yaml:2:15: engine.pes: has no value; expected a whole number"),
    tiny("section_that_is_a_value", "engine: 4\n", "chip.yaml:2:9: engine: expected a map, found the value '4'"),
    tiny("value_that_is_a_map", "engine: {pes: {a: 1}}\n",
         "chip.yaml:2:15: engine.pes: expected a whole number, found a map"),
    # Values
    tiny("bare_size", "engine: {weight_buffer: 512}\n",
         "chip.yaml:2:25: engine.weight_buffer: '512' has no unit; expected a size such as '16 KiB' "
         "(units: B, KiB, MiB, GiB, kB, MB, GB)"),
    tiny("wrong_unit", "chip: {clock: 1 KiB}\n",
         "chip.yaml:2:15: chip.clock: '1 KiB' has the unit 'KiB', which does not fit; expected a frequency such as "
         "'1 GHz' (units: Hz, kHz, MHz, GHz)"),
    tiny("not_a_number", "engine: {pes: many}\n",
         "chip.yaml:2:15: engine.pes: 'many' is not a number; expected a number"),
    tiny("fraction", "engine: {pes: 2.5}\n", "chip.yaml:2:15: engine.pes: 2.5 is not a whole number"),
    tiny("fraction_of_a_byte", "engine: {load_width: 8.5 B}\n",
         "chip.yaml:2:22: engine.load_width: 8.5 B is not a whole number of bytes"),
    tiny("negative", "engine: {pes: -2}\n", "chip.yaml:2:15: engine.pes: -2 is out of range; expected 1 to 256"),
    tiny("zero_cores", "chip: {cores: 0}\n", "chip.yaml:2:15: chip.cores: 0 is out of range; expected 1 to 1024"),
    tiny("huge_number", "engine: {pes: 99999999999999999999999}\n",
         "chip.yaml:2:15: engine.pes: 99999999999999999999999 is out of range; expected 1 to 256"),
    tiny("infinite", "engine: {pes: 1e999}\n",
         "chip.yaml:2:15: engine.pes: '1e999' is too large; expected a number"),
    tiny("not_a_power_of_two", "engine: {scan_width: 12}\n",
         "chip.yaml:2:22: engine.scan_width: 12 is not a power of two; expected 8 to 256, a power of two"),
    tiny("unknown_name", "engine: {skip_empty: decupled}\n",
         "chip.yaml:2:22: engine.skip_empty: 'decupled' is not one of none or decoupled (did you mean 'decoupled'?)"),
    tiny("not_a_boolean", "engine: {skip: {weights: yes}}\n",
         "chip.yaml:2:26: engine.skip.weights: 'yes' is not true or false"),
    # Rules between values
    tiny("drain_width_against_pes", "engine: {pes: 3, weight_buffer: 480 B}\n",
         "chip.yaml:2:15: engine: drain_width (2) must divide pes (3) or be a multiple of it"),
    tiny("load_width_against_weight_word", "engine: {weight_word: 16 B}\n",
         "chip.yaml:2:23: engine: load_width (8 B) must be a multiple of weight_word (16 B)"),
    tiny("lanes_against_load_width", "engine: {lanes: 16}\n",
         "chip.yaml:2:17: engine: load_width (8 B) must be a multiple of lanes (16)"),
    tiny("max_k_against_ways", "engine: {max_k: 255}\n",
         "chip.yaml:2:17: engine: max_k (255) must be a multiple of k_ways (2)"),
    tiny("weight_buffer_not_whole_words", "engine: {weight_buffer: 500 B}\n",
         "chip.yaml:2:25: engine: weight_buffer (500 B) must be a multiple of pes * k_ways * weight_word = 16 B, "
         "a word of every PE"),
    tiny("activation_buffer_not_whole_words", "engine: {activation_buffer: 100 B}\n",
         "chip.yaml:2:29: engine: activation_buffer (100 B) must be a multiple of k_ways * load_width = 16 B, "
         "a word of every way"),
    tiny("cores_against_ports", "chip: {cores: 3}\n",
         "chip.yaml:2:15: cores (3) must be a multiple of cores_per_port (2)"),
    tiny("sram_not_whole_rows", "sram: {capacity: 1025 B}\n",
         "chip.yaml:2:18: sram: capacity (1025 B) must be a multiple of banks * width = 64 B"),
    tiny("channel_width_of_another_memory", "dram: {channel_width: 32}\n",
         "chip.yaml:2:23: dram: channel_width (32 bits) is not that of the memory 'lpddr4x-4266', 16 bits"),
    tiny("controller_marks", "dram: {controller: {write_low: 30}}\n",
         "chip.yaml:2:32: dram: write_low (30) must be below write_high (24)"),
    # Several at once, in the order of the text
    tiny("all_at_once",
         "chip: {clock: fast, cores: 0}\n"
         "engine: {pes: 2.5, skipp: {}, balance: greed, load_width: 8}\n"
         "sram: {banks: 3}\n",
         "chip.yaml:2:15: chip.clock: 'fast' is not a number; expected a frequency such as '1 GHz' (units: Hz, kHz, MHz, GHz)\n"
         "chip.yaml:2:28: chip.cores: 0 is out of range; expected 1 to 1024\n"
         "chip.yaml:3:15: engine.pes: 2.5 is not a whole number\n"
         "chip.yaml:3:20: unknown key 'skipp' in engine (did you mean 'skip'?)\n"
         "chip.yaml:3:40: engine.balance: 'greed' is not one of none, greedy or activation (did you mean 'greedy'?)\n"
         "chip.yaml:3:59: engine.load_width: '8' has no unit; expected a size such as '16 KiB' (units: B, KiB, MiB, GiB, kB, MB, GB)\n"
         "chip.yaml:4:15: sram.banks: 3 is not a power of two; expected 1 to 1024, a power of two"),
    tiny("compress_unknown_format", "compress: {weights: bitmsk}\n",
         "chip.yaml:2:21: compress.weights: 'bitmsk' is not one of image, dense, bitmask, rle, csc, nm or auto (did you "
         "mean 'bitmask'?)"),
    tiny("compress_activations_have_no_nm", "compress: {activations: nm}\n",
         "chip.yaml:2:25: compress.activations: 'nm' is not one of dense, bitmask, rle, csc or auto"),
    tiny("compress_run_bits", "compress: {run_bits: 17}\n",
         "chip.yaml:2:22: compress.run_bits: 17 is out of range; expected 1 to 16"),
    tiny("compress_nm", "compress: {nm_n: 4, nm_m: 4}\n", "chip.yaml:2:18: compress: nm_n must be less than nm_m"),
    tiny("link_without_width", "dram: {link: {latency: 4}}\n",
         "chip.yaml:2:14: missing key 'width' in dram.link: bytes per chip cycle, each way"),
    tiny("near_memory_width_0", "dram: {near_memory: {width: 0 B, latency: 4}}\n",
         "chip.yaml:2:29: dram.near_memory.width: 0 B is out of range; expected 1 B to 64 KiB"),
    tiny("bank_ports", "sram: {bank_ports: 5}\n", "chip.yaml:2:20: sram.bank_ports: 5 is out of range; expected 1 to 4"),
    # Files that the chip names
    Case("unknown_preset", ["describe", "chips/chip.yaml"],
         "chips/chip.yaml:2:16: dram.preset: cannot open 'memories/lpddr4x-4267.yaml': No such file or directory "
         "(did you mean 'lpddr4x-4266'?)",
         {"chips/chip.yaml": TINY + "dram: {preset: lpddr4x-4267}\n", "memories/lpddr4x-4266.yaml": "",
          "memories/hbm2.yaml": ""}),
    tiny("missing_energy_table", "energy: {table: none.yaml}\n",
         "chip.yaml:2:17: energy.table: cannot open 'none.yaml': No such file or directory"),
    tiny("energy_table_that_is_something_else", "energy: {table: other.yaml}\n",
         "other.yaml:1:1: missing key 'name': what reports call this table\n"
         "other.yaml:1:1: missing key 'actions': energy of one action\n"
         "other.yaml:1:1: missing key 'sram_byte': SRAM arrays by size, smallest first\n"
         "other.yaml:1:1: missing key 'dram': by family: the part of the memory preset's name before the first '-'\n"
         "other.yaml:1:1: missing key 'static': leakage, clocks and background\n"
         "other.yaml:1:1: unknown key 'pes'; known keys: name, actions, sram_byte, dram, static",
         extra={"other.yaml": "pes: 4\n"}),
    # --set
    Case("set_without_value", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "engine.pes"],
         "--set: 'engine.pes' has no '='; expected key=value"),
    Case("set_empty_key", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "=4"],
         "--set: '' is not a key; expected words with dots between, such as engine.pes or layers[2].weights"),
    Case("set_unknown_key", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "engine.pess=4"],
         "--set: unknown key 'pess' in engine (did you mean 'pes'?)"),
    Case("set_out_of_range", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "engine.pes=0"],
         "--set: engine.pes: 0 is out of range; expected 1 to 256"),
    Case("set_part_of_a_value", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "engine.pes.x=0"],
         "--set: 'engine.pes' has no parts, so 'engine.pes.x' cannot be set"),
    Case("set_element_of_no_list", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "engine[0]=0"],
         "--set: 'engine' is not a list"),
    Case("set_not_yaml", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "engine={pes: 4"],
         "--set:1:1: a key must be a word, not a list or a map (in 'engine={pes: 4')"),
    Case("set_breaks_a_rule", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "chip.cores=3"],
         "--set: cores (3) must be a multiple of cores_per_port (2)"),
    Case("set_extends", ["describe", "@ROOT@/configs/chips/tiny.yaml", "--set", "extends=x.yaml"],
         "--set: 'extends' cannot be set on the command line"),
]
