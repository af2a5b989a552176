// SPDX-License-Identifier: Apache-2.0
//
// Constants, derived sizes and types of the sparse engine (docs/reference/engine.md, sections 1
// and 9). Everything that depends on module parameters is a function here, so that every module
// derives the same width from the same scalars.
//
// Latencies are properties of the pipeline, not knobs: changing a number here without changing the
// registers it counts is an error that the tests of the whole engine catch.

package lacuna_pkg;

  // From the start handshake to the first cycle in which a scanner may issue.
  localparam int unsigned L_START = 1;
  // From an issue to the first cycle in which the entry may leave a FIFO.
  localparam int unsigned L_ISSUE = 2;
  // From a pop to the first cycle in which the MAC stage may take the entry.
  localparam int unsigned L_MASK = 1;
  // From the cycle after an entry's last slot to the cycle in which its sums are final.
  localparam int unsigned L_MAC = 2;
  // From the drain decision to its first beat.
  localparam int unsigned L_DRAIN = 1;
  // From a drain beat to its output beat.
  localparam int unsigned L_POST = 3;
  // From the last load beat to the first cycle in which a start may use the half.
  localparam int unsigned L_LOAD = 1;

  // Bits of an accumulator and of a partial sum.
  localparam int unsigned SUM_W = 32;
  // Bits of a weight, an activation and an output code.
  localparam int unsigned CODE_W = 8;
  // Copies of the tables that the drain reads. Up to three tiles are in use at a time: one being
  // drained, one waiting for its drain, one loaded or running; the fourth is being loaded.
  localparam int unsigned TABLE_SETS = 4;

  // Elaborated parameters on parameters_o, 32 bits each, in the order of the table in engine.md,
  // then MAX_WINDOWS and ACT_SLOTS.
  localparam int unsigned PARAMETER_WORDS = 18;

  // One observation byte per way.
  localparam int unsigned OBS_WAY_W = 8;
  localparam int unsigned OBS_WAY_ISSUE = 0;
  localparam int unsigned OBS_WAY_NO_K = 1;
  localparam int unsigned OBS_WAY_VISITED = 2;
  localparam int unsigned OBS_WAY_EMPTY = 3;
  localparam int unsigned OBS_WAY_BLOCKED = 4;
  localparam int unsigned OBS_WAY_READ = 5;
  localparam int unsigned OBS_WAY_PUSH = 6;

  // Observation bits per PE: these, then one bit per lane that does not switch.
  localparam int unsigned OBS_PE_POP = 0;
  localparam int unsigned OBS_PE_TAKE = 1;
  localparam int unsigned OBS_PE_MAC = 2;
  localparam int unsigned OBS_PE_SLOT = 3;
  localparam int unsigned OBS_PE_WORD = 4;
  localparam int unsigned OBS_PE_FIRST = 5;
  localparam int unsigned OBS_PE_META = 6;
  localparam int unsigned OBS_PE_GATED = 7;

  // What a drain needs to know about the pass its group belongs to.
  typedef struct packed {
    logic [1:0] tables;
    logic [15:0] rows;
    logic [15:0] channels;
    logic psum_read;
    logic psum_write;
    logic [15:0] psum_base;
    logic signed [8:0] clamp_lo;
    logic signed [8:0] clamp_hi;
    logic [7:0] gate;
    logic [15:0] group;
    // Tokens of the pass from this group on.
    logic [15:0] tokens;
  } drain_cfg_t;

  // Bits that number n things, at least one.
  function automatic int unsigned index_width(input int unsigned n);
    index_width = (n <= 2) ? 1 : $clog2(n);
  endfunction

  function automatic int unsigned ceil_div(input int unsigned a, input int unsigned b);
    ceil_div = (a + b - 1) / b;
  endfunction

  function automatic int unsigned at_least(input int unsigned a, input int unsigned b);
    at_least = (a > b) ? a : b;
  endfunction

  function automatic int unsigned max_windows(input int unsigned max_k, input int unsigned ways,
                                              input int unsigned scan_width);
    max_windows = at_least(16, 2 * ceil_div(max_k, ways * scan_width));
  endfunction

  function automatic int unsigned act_slots(input int unsigned buffer, input int unsigned ways,
                                            input int unsigned lanes,
                                            input int unsigned scan_width);
    act_slots = at_least(64, (2 * buffer) / (ways * lanes * scan_width));
  endfunction

  // Places of a drain table: the channels, and room for a last beat of loads or drains that reaches
  // beyond them.
  function automatic int unsigned table_places(input int unsigned pes, input int unsigned rows,
                                               input int unsigned load_width,
                                               input int unsigned drain_width);
    table_places = pes * rows + at_least(load_width, drain_width);
  endfunction

  // Observation bits per PE, a power of two so that checkers can pick them by bytes.
  function automatic int unsigned obs_pe_width(input int unsigned lanes);
    obs_pe_width = (lanes <= 1) ? 8 : ((lanes <= 8) ? 16 : 32);
  endfunction

endpackage
