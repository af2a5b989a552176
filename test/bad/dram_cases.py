# SPDX-License-Identifier: Apache-2.0
"""`lacuna dram`: presets, traces, made-up traffic, command logs."""

import gzip

from bad_case import Case

HELP = "; see 'lacuna dram --help'"
HEAD = "cycle,channel,command,pseudo_channel,rank,bank_group,bank,row,column\n"


def dram(name, message, options=(), files=None, preset="lpddr4x-4266"):
    return Case(f"{name}", ["dram", preset, *options], message, files or {})


def trace(name, content, message, options=(), file="t.trc"):
    return dram(f"trace_{name}", message, ["--trace", file, *options], {file: content})


def traffic(name, spec, message, options=()):
    return dram(f"traffic_{name}", message, ["--traffic", spec, *options])


def log(name, content, message):
    return dram(f"log_{name}", message, ["--check-log", "l.csv"], {"l.csv": content})


CASES = [
    dram("no_source", "give one of --trace, --traffic and --check-log; see 'lacuna dram --help'"),
    dram("two_sources", "give only one of --trace, --traffic and --check-log; see 'lacuna dram --help'",
         ["--trace", "a", "--traffic", "stream"]),
    dram("both_loops", "--open-loop does not go with --closed-loop",
         ["--trace", "a", "--open-loop", "--closed-loop"]),
    dram("closed_loop_and_rate", "--closed-loop does not go with --rate",
         ["--traffic", "stream", "--closed-loop", "--rate", "1 GB/s"]),
    dram("open_loop_without_time",
         "--open-loop without --rate does not go with --traffic: made-up requests have no time of their own",
         ["--traffic", "stream", "--open-loop"]),
    dram("wrap_without_trace", "--wrap does not go with anything but --trace", ["--traffic", "stream", "--wrap"]),
    dram("channels_3", "--channels 3 is not a power of two", ["--traffic", "stream", "--channels", "3"]),
    dram("request_bytes_0", "--request-bytes: '0 B' is not a whole number of 1 B to 16 MiB",
         ["--traffic", "stream", "--request-bytes", "0"]),
    dram("request_bytes_unit", "--request-bytes: '64 K' has the unit 'K', which does not fit; expected a size such as "
         "'16 KiB' (units: B, KiB, MiB, GiB, kB, MB, GB)", ["--traffic", "stream", "--request-bytes", "64 K"]),
    dram("request_bytes_huge", "--request-bytes: '1 GiB' is not a whole number of 1 B to 16 MiB",
         ["--traffic", "stream", "--request-bytes", "1 GiB"]),
    dram("rate_0", "--rate: '0 %' is not above 0", ["--traffic", "stream", "--rate", "0 %"]),
    dram("rate_unit", "--rate: '3 kg' has the unit 'kg', which does not fit; expected a ratio such as '0.05' "
         "(optional units: %)", ["--traffic", "stream", "--rate", "3 kg"]),
    dram("set_unknown_key", "--set: unknown key 'read_que' in controller (did you mean 'read_queue'?)", ["--traffic", "stream", "--set", "controller.read_que=3"]),
    dram("mapping_unknown_field", "--set: 'foo' is not an address field; the fields are column, bank, bank_group, rank, "
         "pseudo_channel, channel and row", ["--traffic", "stream", "--mapping", "foo"]),
    dram("preset_file_missing", "cannot open 'none.yaml': No such file or directory", ["--traffic", "stream"],
         preset="none.yaml"),
    # made-up traffic
    traffic("unknown", "strem", "--traffic: 'strem' is not one of stream, random, conflict or mixed (did you mean "
            "'stream'?)"),
    traffic("unknown_key", "stream,request=3", "--traffic: 'request=3' is not a key=value with one of requests, seed, "
            "writes or span (did you mean 'requests'?)"),
    traffic("half_a_request", "stream,requests=1.5", "--traffic: requests: '1.5' is not a whole number from 1 to 1000G, "
            "such as 1M"),
    traffic("twice", "stream,seed=1,seed=2", "--traffic: 'seed' is given twice"),
    traffic("writes", "stream,writes=2", "--traffic: writes: '2' is not a share from 0 to 1"),
    traffic("span_too_small", "random,span=16B", "a request of 32 bytes does not fit into 16 bytes"),
    traffic("conflict_of_many_bursts", "conflict", "conflict traffic has one burst of 32 bytes a request, not 64: leave "
            "--request-bytes out", ["--request-bytes", "64 B"]),
    # traces
    dram("trace_missing", "cannot read none.trc: No such file or directory", ["--trace", "none.trc"]),
    dram("trace_is_a_folder", "cannot read .: it is a folder", ["--trace", "."]),
    trace("empty", "", "t.trc: the trace holds no request"),
    trace("only_comments", "# nothing\n\n", "t.trc: the trace holds no request"),
    trace("prose", "hello world\n", "t.trc:1:1: 'hello': a request is '0xADDRESS READ|WRITE CYCLE' or "
          "'CYCLE: read|write 0xADDRESS'"),
    trace("unknown_kind", "0x0 READ 1\n0x20 REED 2\n", "t.trc:2:6: 'REED' is neither READ nor WRITE (did you mean "
          "'READ'?)"),
    trace("no_cycle", "0x0 READ\n", "t.trc:1:9: the line ends where the cycle is expected"),
    trace("negative_cycle", "0x0 READ -4\n", "t.trc:1:10: '-4' is not a cycle: a whole number"),
    trace("backwards", "0x0 READ 5\n0x0 READ 4\n", "t.trc:2:10: cycle 4 comes after cycle 5 of an earlier line: a trace "
          "is in order of time"),
    trace("far_future", "0x0 READ 18446744073709551615\n", "t.trc:1:10: cycle 18446744073709551615 is too far away: the "
          "limit is 4503599627370496 memory cycles"),
    trace("outside", "0x0 READ 5\n0x80000000 READ 6\n", "t.trc:2:1: 32 bytes at 0x80000000 are not inside the memory of "
          "0x80000000 bytes; more --channels, or --wrap"),
    trace("address_of_65_bits", "0x10000000000000000 READ 5\n", "t.trc:1:1: '0x10000000000000000' is not a hexadecimal "
          "address of 64 bits"),
    trace("more_on_the_line", "0x0 READ 5 6\n", "t.trc:1:12: '6' follows a complete request"),
    trace("stl_length", "5: (0) read 0x0\n", "t.trc:1:4: '(0)' is not a length '(BYTES)' from 1 to 16777216"),
    trace("stl_data", "5: write 0x0 0xzz\n", "t.trc:1:14: '0xzz' follows a complete request and is no hexadecimal data"),
    trace("formats_mixed", "5: read 0x0\n0x0 READ 5\n", "t.trc:2:1: '0x0' is not 'CYCLE:' with a whole number"),
    trace("binary", bytes(range(1, 10)) * 1000, "t.trc:1:4097: the line is longer than 4096 bytes: this is no text file "
          "of requests or commands"),
    trace("gz_cut_off", gzip.compress(b"0x0 READ 5\n" * 100000, mtime=0)[:200],
          "t.trc: cannot be read on from here: the compressed data end too early"),
    trace("clock", "0x0 READ 5\n", "--trace-clock: '0 GHz' is not a whole number of 1 kHz to 1000 GHz",
          ["--trace-clock", "0 GHz"]),
    # command logs
    log("empty", "", "l.csv: the command log is empty: not even a header"),
    log("no_header", "0,0,ACT,0,0,0,0,256,\n", "l.csv:1:1: '0' is no column of a command log (cycle,channel,command,"
        "pseudo_channel,rank,bank_group,bank,row,column)"),
    log("missing_column", "cycle,command,row\n", "l.csv:1:1: the header has no column bank"),
    log("unknown_command", HEAD + "0,0,ACTT,0,0,0,0,256,\n", "l.csv:2:5: 'ACTT' is no command (did you mean 'ACT'?)"),
    log("no_such_bank", HEAD + "0,0,ACT,0,0,0,8,256,\n", "l.csv:2:15: bank 8 is not in 0..7"),
    log("short_line", HEAD + "0,0,ACT\n", "l.csv:2:5: the line has 3 cells, the header 9"),
]
