// SPDX-License-Identifier: Apache-2.0
//
// One way: scanner, activation values, broadcast register, PEs (engine.md, sections 3 to 5).
//
//   cycle   I                  I+1                          I+2
//           scanner issues,    values and entry in the      entry is a FIFO head
//           values are read    broadcast register: push
//
// Room is decided by registers only: a PE's entries are those in its FIFO and the one in the
// broadcast register.
//
// The value memory is written by the loader at the end of the beat's cycle and first read one cycle
// after the start. All other loader inputs go to the scanner or the PEs, see there.

module way #(
  parameter int unsigned Pes          = 16,
  parameter int unsigned KWays        = 4,
  parameter int unsigned RowsPerPe    = 32,
  parameter int unsigned Lanes        = 1,
  parameter int unsigned FifoDepth    = 16,
  parameter int unsigned ScanWidth    = 32,
  parameter int unsigned SkipEmpty    = 1,
  parameter int unsigned LoadWidth    = 16,
  parameter int unsigned WeightWord   = 8,
  parameter int unsigned MaxPositions = 1024,
  parameter int unsigned MaxWindows   = 64,
  parameter int unsigned ActSlots     = 256,
  parameter int unsigned ValueBytes   = 2048,
  parameter int unsigned ActBytes     = 4096,
  parameter int unsigned DrainRows    = 1,
  localparam int unsigned ActValues  = ActBytes / Lanes,
  localparam int unsigned ActW       = lacuna_pkg::index_width(ActValues + 1),
  localparam int unsigned BeatW      = 8 * LoadWidth,
  localparam int unsigned WayW       = lacuna_pkg::index_width(KWays),
  localparam int unsigned PeW        = lacuna_pkg::index_width(Pes),
  localparam int unsigned PtrW       = lacuna_pkg::index_width(ValueBytes + 1),
  localparam int unsigned MaskWordW  = lacuna_pkg::at_least(ScanWidth, BeatW),
  localparam int unsigned PerWord    = MaskWordW / ScanWidth,
  localparam int unsigned SlotAddrW  =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(ActSlots, PerWord)),
  localparam int unsigned BaseAddrW  =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(2 * MaxWindows, LoadWidth)),
  localparam int unsigned PresAddrW  =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(KWays * MaxWindows, PerWord)),
  localparam int unsigned ActAddrW   =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(ActBytes, LoadWidth)),
  localparam int unsigned MetaAddrW  =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(MaxPositions, LoadWidth)),
  localparam int unsigned MetaW      = LoadWidth * (PtrW + RowsPerPe),
  localparam int unsigned ValAddrW   =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(ValueBytes, LoadWidth)),
  localparam int unsigned DrainW     = DrainRows * lacuna_pkg::SUM_W * Lanes,
  localparam int unsigned ObsPeW     = lacuna_pkg::obs_pe_width(Lanes)
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  input  logic [WayW-1:0]                  way_i,
  // Loader, tables of the scanner and activation values.
  input  logic                             load_half_i,
  input  logic [15:0]                      load_windows_i,
  input  logic                             load_clear_i,
  input  logic                             base_write_i,
  input  logic [BaseAddrW-1:0]             base_addr_i,
  input  logic                             present_write_i,
  input  logic [PresAddrW-1:0]             present_addr_i,
  input  logic                             slot_write_i,
  input  logic [SlotAddrW-1:0]             slot_addr_i,
  input  logic [ActW-1:0]                  slot_values_i,
  input  logic [MaskWordW-1:0]             mask_word_i,
  input  logic                             act_write_i,
  input  logic [ActAddrW-1:0]              act_addr_i,
  input  logic [BeatW-1:0]                 beat_i,
  // Loader, weights: one cycle later than the beat.
  input  logic                             pe_load_half_i,
  input  logic [PeW-1:0]                   pe_load_index_i,
  input  logic                             meta_write_i,
  input  logic [MetaAddrW-1:0]             meta_addr_i,
  input  logic [MetaW-1:0]                 meta_data_i,
  input  logic                             value_write_i,
  input  logic [ValAddrW-1:0]              value_addr_i,
  input  logic [BeatW-1:0]                 value_data_i,
  // Pass.
  input  logic                             start_i,
  input  logic                             start_weight_half_i,
  input  logic                             start_act_half_i,
  input  logic [15:0]                      start_windows_i,
  input  logic [15:0]                      start_groups_i,
  input  logic                             weight_half_i,
  input  logic                             in_place_i,
  input  logic                             act_signed_i,
  // Banks and drain.
  input  logic [1:0]                       hold_i,
  input  logic [1:0]                       release_i,
  output logic [1:0]                       finished_o,
  input  logic                             drain_read_i,
  input  logic                             drain_bank_i,
  input  logic [15:0]                      drain_row_i,
  output logic [Pes*DrainW-1:0]            drain_data_o,
  // Observation.
  output logic [lacuna_pkg::OBS_WAY_W-1:0] obs_way_o,
  output logic [Pes*ObsPeW-1:0]            obs_pe_o
);

  localparam int unsigned CODE_W = lacuna_pkg::CODE_W;
  localparam int unsigned VALUES_W = CODE_W * Lanes;
  localparam int unsigned POS_W = lacuna_pkg::index_width(MaxPositions);
  localparam int unsigned ADDR_W = lacuna_pkg::index_width(ActValues);
  localparam int unsigned ENTRY_W = 2 + POS_W + VALUES_W;
  localparam int unsigned ACT_ELEMENT_W =
      lacuna_pkg::index_width((LoadWidth / Lanes) << ActAddrW);

  // ---- Scanner ----
  logic             room;
  logic             issue;
  logic             no_k;
  logic             last;
  logic [POS_W-1:0] position;
  logic [ADDR_W-1:0] value_addr;
  logic             act_half;
  logic             obs_visited;
  logic             obs_empty;
  logic             obs_blocked;

  scanner #(
    .KWays       (KWays),
    .ScanWidth   (ScanWidth),
    .LoadWidth   (LoadWidth),
    .MaxPositions(MaxPositions),
    .MaxWindows  (MaxWindows),
    .ActSlots    (ActSlots),
    .ActValues   (ActValues)
  ) u_scanner (
    .clk_i,
    .rst_ni,
    .way_i,
    .load_half_i,
    .load_windows_i,
    .load_clear_i,
    .base_write_i,
    .base_addr_i,
    .base_data_i        (beat_i),
    .present_write_i,
    .present_addr_i,
    .slot_write_i,
    .slot_addr_i,
    .slot_values_i,
    .mask_word_i,
    .start_i,
    .start_weight_half_i,
    .start_act_half_i,
    .start_windows_i,
    .start_groups_i,
    .room_i             (room),
    .issue_o            (issue),
    .no_k_o             (no_k),
    .last_o             (last),
    .position_o         (position),
    .value_addr_o       (value_addr),
    .act_half_o         (act_half),
    .obs_visited_o      (obs_visited),
    .obs_empty_o        (obs_empty),
    .obs_blocked_o      (obs_blocked)
  );

  // ---- Activation values and broadcast register ----
  logic                value_read;
  logic                push_q;
  logic                has_k_q;
  logic                last_q;
  logic [POS_W-1:0]    position_q;
  logic [VALUES_W-1:0] values;
  logic [ENTRY_W-1:0]  entry;

  assign value_read = issue && !no_k;
  assign entry      = {has_k_q, last_q, position_q, values};

  load_ram #(
    .Width  (VALUES_W),
    .PerWord(LoadWidth / Lanes),
    .Words  (lacuna_pkg::ceil_div(ActBytes, LoadWidth))
  ) u_values (
    .clk_i,
    .write_i       (act_write_i),
    .write_half_i  (load_half_i),
    .write_word_i  (act_addr_i),
    .data_i        (beat_i),
    .read_i        (value_read),
    .read_half_i   (act_half),
    .read_element_i(ACT_ELEMENT_W'(value_addr)),
    .data_o        (values)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      push_q <= 1'b0;
    end else begin
      push_q <= issue;
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue) begin
      has_k_q    <= !no_k;
      last_q     <= last;
      position_q <= position;
    end
  end

  // ---- PEs ----
  logic [Pes-1:0]   full;
  logic [Pes-1:0]   almost_full;
  logic [Pes-1:0]   meta_write;
  logic [Pes-1:0]   value_write;
  logic [Pes-1:0]   finished0;
  logic [Pes-1:0]   finished1;

  assign room = (full == '0) && !(push_q && (almost_full != '0));

  always_comb begin
    meta_write  = '0;
    value_write = '0;
    if (meta_write_i) begin
      meta_write[pe_load_index_i] = 1'b1;
    end
    if (value_write_i) begin
      value_write[pe_load_index_i] = 1'b1;
    end
  end

  for (genvar p = 0; p < Pes; p++) begin : gen_pe
    pe #(
      .RowsPerPe   (RowsPerPe),
      .Lanes       (Lanes),
      .FifoDepth   (FifoDepth),
      .SkipEmpty   (SkipEmpty),
      .LoadWidth   (LoadWidth),
      .WeightWord  (WeightWord),
      .MaxPositions(MaxPositions),
      .ValueBytes  (ValueBytes),
      .DrainRows   (DrainRows)
    ) u_pe (
      .clk_i,
      .rst_ni,
      .meta_write_i (meta_write[p]),
      .meta_addr_i,
      .meta_data_i,
      .value_write_i(value_write[p]),
      .value_addr_i,
      .value_data_i,
      .load_half_i  (pe_load_half_i),
      .weight_half_i,
      .in_place_i,
      .act_signed_i,
      .push_i       (push_q),
      .entry_i      (entry),
      .full_o       (full[p]),
      .almost_full_o(almost_full[p]),
      .hold_i,
      .release_i,
      .finished_o   ({finished1[p], finished0[p]}),
      .drain_read_i,
      .drain_bank_i,
      .drain_row_i,
      .drain_data_o (drain_data_o[p*DrainW +: DrainW]),
      .obs_o        (obs_pe_o[p*ObsPeW +: ObsPeW])
    );
  end

  // First of the two L_MAC cycles: all PEs of the way are over with the group.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      finished_o <= '0;
    end else begin
      finished_o <= {&finished1, &finished0};
    end
  end

  // ---- Observation ----
  always_comb begin
    obs_way_o = '0;
    obs_way_o[lacuna_pkg::OBS_WAY_ISSUE]   = issue;
    obs_way_o[lacuna_pkg::OBS_WAY_NO_K]    = issue && no_k;
    obs_way_o[lacuna_pkg::OBS_WAY_VISITED] = obs_visited;
    obs_way_o[lacuna_pkg::OBS_WAY_EMPTY]   = obs_empty;
    obs_way_o[lacuna_pkg::OBS_WAY_BLOCKED] = obs_blocked;
    obs_way_o[lacuna_pkg::OBS_WAY_READ]    = value_read;
    obs_way_o[lacuna_pkg::OBS_WAY_PUSH]    = push_q;
  end

endmodule
