// SPDX-License-Identifier: Apache-2.0
//
// Scanner of one way (engine.md, section 4): walks the windows of each group that have both a
// non-zero activation and a weight, and issues one hit a cycle while every FIFO has room.
//
// What stands in a cycle is decided by registers: the hits of the window at hand that are still to
// be issued (`hits_q`) and the windows of the group that are still to be visited (`visit_q`). In the
// cycle in which a window is done the next one is fetched, so that it stands in the following cycle.
// start_i fetches the first window of the first group (L_START = 1).
//
// issue_o, no_k_o, last_o, position_o and value_addr_o describe the issue of this cycle;
// value_addr_o counts values of V bytes. room_i must not depend on issue_o.
//
// Tables, each in two halves, written by the loader at the end of the cycle of the beat:
//   bases      position of the first bit of each window, a beat per word
//   present    which positions of a window have a weight in this way; the loader's sequence runs
//              through all ways, a word is kept by every way that it belongs to
//   slots      activation mask and address of its first value, per (group, window)
//   act_any    one bit per slot: mask is not 0
// A start may come in the cycle after the last beat.

module scanner #(
  parameter int unsigned KWays        = 4,
  parameter int unsigned ScanWidth    = 32,
  parameter int unsigned LoadWidth    = 16,
  parameter int unsigned MaxPositions = 1024,
  parameter int unsigned MaxWindows   = 64,
  parameter int unsigned ActSlots     = 256,
  parameter int unsigned ActValues    = 4096,
  localparam int unsigned PosW       = lacuna_pkg::index_width(MaxPositions),
  localparam int unsigned WayW       = lacuna_pkg::index_width(KWays),
  localparam int unsigned ValueW     = lacuna_pkg::index_width(ActValues + 1),
  localparam int unsigned AddrW      = lacuna_pkg::index_width(ActValues),
  localparam int unsigned BeatW      = 8 * LoadWidth,
  // A mask word holds one or several whole masks.
  localparam int unsigned MaskWordW  = lacuna_pkg::at_least(ScanWidth, BeatW),
  localparam int unsigned PerWord    = MaskWordW / ScanWidth,
  localparam int unsigned SlotWords  = lacuna_pkg::ceil_div(ActSlots, PerWord),
  localparam int unsigned SlotAddrW  = lacuna_pkg::index_width(SlotWords),
  localparam int unsigned BaseWords  = lacuna_pkg::ceil_div(2 * MaxWindows, LoadWidth),
  localparam int unsigned BaseAddrW  = lacuna_pkg::index_width(BaseWords),
  localparam int unsigned PresWords  = lacuna_pkg::ceil_div(KWays * MaxWindows, PerWord),
  localparam int unsigned PresAddrW  = lacuna_pkg::index_width(PresWords)
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic [WayW-1:0]      way_i,
  // Loader; the payload is the beat or the mask word of this cycle.
  input  logic                 load_half_i,
  input  logic [15:0]          load_windows_i,
  input  logic                 load_clear_i,
  input  logic                 base_write_i,
  input  logic [BaseAddrW-1:0] base_addr_i,
  input  logic [BeatW-1:0]     base_data_i,
  input  logic                 present_write_i,
  input  logic [PresAddrW-1:0] present_addr_i,
  input  logic                 slot_write_i,
  input  logic [SlotAddrW-1:0] slot_addr_i,
  input  logic [ValueW-1:0]    slot_values_i,
  input  logic [MaskWordW-1:0] mask_word_i,
  // Pass: with start_i the halves, windows of the tile and groups of the pass.
  input  logic                 start_i,
  input  logic                 start_weight_half_i,
  input  logic                 start_act_half_i,
  input  logic [15:0]          start_windows_i,
  input  logic [15:0]          start_groups_i,
  input  logic                 room_i,
  output logic                 issue_o,
  output logic                 no_k_o,
  output logic                 last_o,
  output logic [PosW-1:0]      position_o,
  output logic [AddrW-1:0]     value_addr_o,
  output logic                 act_half_o,
  // Observation, per cycle.
  output logic                 obs_visited_o,
  output logic                 obs_empty_o,
  output logic                 obs_blocked_o
);

  localparam int unsigned PER_LOG = $clog2(PerWord);
  localparam int unsigned WINDOW_W = lacuna_pkg::index_width(MaxWindows);
  localparam int unsigned BIT_W = lacuna_pkg::index_width(ScanWidth);
  localparam int unsigned SLOT_W =
      lacuna_pkg::at_least(16, lacuna_pkg::index_width(ActSlots + 1));
  // Words of a way in the sequence of all ways, which may begin within a word.
  localparam int unsigned OWN_WORDS = lacuna_pkg::ceil_div(MaxWindows, PerWord) + 1;
  localparam int unsigned OWN_ADDR_W = lacuna_pkg::index_width(OWN_WORDS);
  localparam int unsigned BASE_ELEMENT_W =
      lacuna_pkg::index_width((LoadWidth / 2) << BaseAddrW);
  localparam int unsigned OWN_ELEMENT_W = lacuna_pkg::index_width(PerWord << OWN_ADDR_W);
  localparam int unsigned SLOT_ELEMENT_W = lacuna_pkg::index_width(PerWord << SlotAddrW);
  localparam int unsigned SLOT_ENTRY_W = ValueW + ScanWidth;
  // act_any words hold at least a group, so that a group lies in two neighbouring ones.
  localparam int unsigned ANY_LOG = lacuna_pkg::at_least(6, $clog2(MaxWindows));
  localparam int unsigned ANY_W = 1 << ANY_LOG;
  localparam int unsigned ANY_WORDS = lacuna_pkg::ceil_div(ActSlots, ANY_W) + 1;
  localparam int unsigned ANY_ADDR_W = lacuna_pkg::index_width(ANY_WORDS);
  localparam int unsigned FLAT_W = 32;

  // ---- Tables ----
  logic [ANY_W-1:0]      any_mem_q [2 << ANY_ADDR_W];
  // Windows with a weight in this way.
  logic [MaxWindows-1:0] rows0_q;
  logic [MaxWindows-1:0] rows1_q;
  // Number of this way's first window within its first word.
  logic [FLAT_W-1:0]     offset0_q;
  logic [FLAT_W-1:0]     offset1_q;

  // Loader side: where this way's windows begin in the sequence, which words are its own.
  logic [FLAT_W-1:0]         own_first;
  logic [FLAT_W-1:0]         own_end;
  logic [FLAT_W-1:0]         own_offset;
  logic [FLAT_W-1:0]         own_word;
  logic                      own_write;
  logic [PerWord-1:0]        mask_any;
  logic [MaxWindows+PerWord-1:0] own_rows;
  logic [MaxWindows-1:0]     own_windows;
  logic [PerWord*SLOT_ENTRY_W-1:0] slot_word;
  logic [FLAT_W-1:0]         slot_first;
  logic [ANY_W-1:0]          any_old;
  logic [ANY_W-1:0]          any_new;

  always_comb begin
    own_first   = '0;
    own_end     = '0;
    own_offset  = '0;
    own_word    = '0;
    own_write   = 1'b0;
    own_rows    = '0;
    own_windows = '0;
    mask_any    = '0;
    if (present_write_i || slot_write_i) begin
      for (int unsigned i = 0; i < PerWord; i++) begin
        mask_any[i] = mask_word_i[i*ScanWidth +: ScanWidth] != '0;
      end
    end
    if (present_write_i) begin
      own_first   = FLAT_W'(way_i) * FLAT_W'(load_windows_i);
      own_end     = own_first + FLAT_W'(load_windows_i);
      own_offset  = own_first & FLAT_W'(PerWord - 1);
      own_word    = FLAT_W'(present_addr_i) - (own_first >> PER_LOG);
      own_write   = ((own_first >> PER_LOG) <= FLAT_W'(present_addr_i)) &&
                    ((FLAT_W'(present_addr_i) << PER_LOG) < own_end);
      own_rows    = (MaxWindows + PerWord)'(mask_any) << (own_word << PER_LOG);
      own_windows = ~({MaxWindows{1'b1}} << load_windows_i);
    end
  end

  always_comb begin : slots
    logic [ValueW-1:0] values;
    slot_word  = '0;
    slot_first = '0;
    values     = slot_values_i;
    if (slot_write_i) begin
      slot_first = FLAT_W'(slot_addr_i) << PER_LOG;
      for (int unsigned i = 0; i < PerWord; i++) begin
        slot_word[i*SLOT_ENTRY_W +: SLOT_ENTRY_W] =
            {values, mask_word_i[i*ScanWidth +: ScanWidth]};
        values = values + ValueW'($countones(mask_word_i[i*ScanWidth +: ScanWidth]));
      end
    end
  end

  assign any_new = ANY_W'(mask_any) << (slot_first & FLAT_W'(ANY_W - 1));

  always_ff @(posedge clk_i) begin
    if (load_clear_i) begin
      if (load_half_i) begin
        rows1_q <= '0;
      end else begin
        rows0_q <= '0;
      end
    end else if (own_write) begin
      if (load_half_i) begin
        rows1_q   <= rows1_q | (MaxWindows'(own_rows >> own_offset) & own_windows);
        offset1_q <= own_offset;
      end else begin
        rows0_q   <= rows0_q | (MaxWindows'(own_rows >> own_offset) & own_windows);
        offset0_q <= own_offset;
      end
    end
  end

  // The word of act_any that is being filled is collected in a register and written with each mask
  // word, whole.
  logic [ANY_W-1:0] any_fill_q;
  assign any_old = ((slot_first & FLAT_W'(ANY_W - 1)) == '0) ? '0 : any_fill_q;

  always_ff @(posedge clk_i) begin
    if (slot_write_i) begin
      any_fill_q <= any_old | any_new;
      any_mem_q[{load_half_i, slot_first[ANY_LOG +: ANY_ADDR_W]}] <= any_old | any_new;
    end
  end

  // ---- What stands in this cycle ----
  logic                  active_q;
  logic                  none_q;         // the group has no visited window
  logic [MaxWindows-1:0] visit_q;        // windows of the group still to be visited
  logic [ScanWidth-1:0]  hits_q;
  logic [ScanWidth-1:0]  mask_q;
  logic [PosW-1:0]       base_q;
  logic [ValueW-1:0]     values_q;
  logic [15:0]           groups_q;       // groups left, this one included
  logic [SLOT_W-1:0]     windows_q;
  logic [SLOT_W-1:0]     slot_q;         // slot of the group's first window
  logic                  weight_half_q;
  logic                  act_half_q;

  logic [ScanWidth-1:0] rest;
  logic [BIT_W-1:0]     bit_index;
  logic [ScanWidth-1:0] mask_below;
  logic                 has_hits;
  logic                 last_window;
  logic                 last_bit;
  logic                 wanted;
  logic                 done;

  lowest_one #(
    .Width(ScanWidth)
  ) u_hit (
    .bits_i (hits_q),
    .rest_o (rest),
    .index_o(bit_index)
  );

  assign has_hits    = hits_q != '0;
  assign last_window = visit_q == '0;
  assign last_bit    = rest == '0;
  assign wanted      = active_q && (has_hits || last_window);
  assign done        = active_q && last_bit && (issue_o || !wanted);

  assign issue_o    = wanted && room_i;
  assign no_k_o     = !has_hits;
  assign last_o     = last_bit && last_window;
  assign position_o = PosW'(FLAT_W'(base_q) + FLAT_W'(bit_index));
  assign act_half_o = act_half_q;

  // Values below the issued bit: the activation mask below it. hits_q ^ rest is the bit alone. (A
  // signal of its own: yosys 0.23 takes $countones of an expression with a cast in it for 0.)
  assign mask_below   = mask_q & ((hits_q ^ rest) - ScanWidth'(1));
  assign value_addr_o = AddrW'(values_q + ValueW'($countones(mask_below)));

  assign obs_visited_o = done && !none_q;
  assign obs_empty_o   = active_q && !wanted;
  assign obs_blocked_o = wanted && !room_i;

  // ---- Fetch of the next window ----
  logic                    fetch;
  logic                    next_group;
  logic                    fetch_weight_half;
  logic                    fetch_act_half;
  logic [SLOT_W-1:0]       fetch_slot;
  logic [MaxWindows-1:0]   candidates;
  logic [MaxWindows-1:0]   candidates_rest;
  logic [WINDOW_W-1:0]     window;
  logic [MaxWindows-1:0]   group_any;
  logic [2*ANY_W-1:0]      any_pair;
  logic [ANY_ADDR_W-1:0]   any_word;

  assign next_group        = done && last_window;
  assign fetch             = start_i || (done && !(last_window && (groups_q == 16'd1)));
  assign fetch_weight_half = start_i ? start_weight_half_i : weight_half_q;
  assign fetch_act_half    = start_i ? start_act_half_i : act_half_q;

  always_comb begin
    fetch_slot = slot_q;
    group_any  = '0;
    any_pair   = '0;
    any_word   = '0;
    candidates = visit_q;
    if (start_i || next_group) begin
      fetch_slot = start_i ? '0 : slot_q + windows_q;
      any_word   = ANY_ADDR_W'(fetch_slot >> ANY_LOG);
      any_pair   = {any_mem_q[{fetch_act_half, any_word + ANY_ADDR_W'(1)}],
                    any_mem_q[{fetch_act_half, any_word}]};
      group_any  = MaxWindows'(any_pair >> ANY_LOG'(fetch_slot));
      candidates = group_any & (fetch_weight_half ? rows1_q : rows0_q);
    end
  end

  lowest_one #(
    .Width(MaxWindows)
  ) u_window (
    .bits_i (candidates),
    .rest_o (candidates_rest),
    .index_o(window)
  );

  logic [ScanWidth-1:0]    fetch_present;
  logic [SLOT_ENTRY_W-1:0] fetch_entry;
  logic [15:0]             fetch_base;

  load_table #(
    .Width  (16),
    .PerWord(LoadWidth / 2),
    .Words  (BaseWords)
  ) u_bases (
    .clk_i,
    .write_i       (base_write_i),
    .write_half_i  (load_half_i),
    .write_word_i  (base_addr_i),
    .data_i        (base_data_i),
    .read_i        (fetch),
    .read_half_i   (fetch_weight_half),
    .read_element_i(BASE_ELEMENT_W'(window)),
    .data_o        (fetch_base)
  );

  load_table #(
    .Width  (ScanWidth),
    .PerWord(PerWord),
    .Words  (OWN_WORDS)
  ) u_present (
    .clk_i,
    .write_i       (own_write),
    .write_half_i  (load_half_i),
    .write_word_i  (OWN_ADDR_W'(own_word)),
    .data_i        (mask_word_i),
    .read_i        (fetch),
    .read_half_i   (fetch_weight_half),
    .read_element_i(OWN_ELEMENT_W'(FLAT_W'(window) +
                                   (fetch_weight_half ? offset1_q : offset0_q))),
    .data_o        (fetch_present)
  );

  load_table #(
    .Width  (SLOT_ENTRY_W),
    .PerWord(PerWord),
    .Words  (SlotWords)
  ) u_slots (
    .clk_i,
    .write_i       (slot_write_i),
    .write_half_i  (load_half_i),
    .write_word_i  (slot_addr_i),
    .data_i        (slot_word),
    .read_i        (fetch),
    .read_half_i   (fetch_act_half),
    .read_element_i(SLOT_ELEMENT_W'(FLAT_W'(window) + FLAT_W'(fetch_slot))),
    .data_o        (fetch_entry)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
    end else if (fetch) begin
      active_q <= 1'b1;
    end else if (done) begin
      active_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (fetch) begin
      none_q   <= candidates == '0;
      visit_q  <= candidates_rest;
      mask_q   <= fetch_entry[ScanWidth-1:0];
      hits_q   <= (candidates == '0) ? '0 : fetch_entry[ScanWidth-1:0] & fetch_present;
      values_q <= fetch_entry[SLOT_ENTRY_W-1:ScanWidth];
      base_q   <= PosW'(fetch_base);
      slot_q   <= fetch_slot;
    end else if (issue_o) begin
      hits_q <= rest;
    end
    if (start_i) begin
      groups_q      <= start_groups_i;
      windows_q     <= SLOT_W'(start_windows_i);
      weight_half_q <= start_weight_half_i;
      act_half_q    <= start_act_half_i;
    end else if (next_group) begin
      groups_q <= groups_q - 16'd1;
    end
  end

endmodule
