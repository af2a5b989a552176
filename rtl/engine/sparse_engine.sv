// SPDX-License-Identifier: Apache-2.0
//
// The sparse engine: the only top of this folder. Ports, images and timing: docs/reference/engine.md
// (section 9); ports for observation: rtl/README.md.
//
//   load port ─► loader ─┬─► way q: scanner tables, activation values     (q = 0..KWays-1)
//                        ├─► way q, PE p: masks and pointers, weights
//                        └─► drain tables
//   start ─► control ─► ways ─► group ends ─► drain ─► partial sums, output beats
//
// Wiring and the check of the parameters only. PsumBuffer and OutputBuffer lie outside; they are
// parameters so that checkers can compare the complete set.

module sparse_engine #(
  parameter int unsigned Pes              = 16,
  parameter int unsigned KWays            = 4,
  parameter int unsigned RowsPerPe        = 32,
  parameter int unsigned Lanes            = 1,
  parameter int unsigned FifoDepth        = 16,
  parameter int unsigned ScanWidth        = 32,
  parameter int unsigned SkipEmpty        = 1,
  parameter int unsigned DrainWidth       = 16,
  parameter int unsigned LoadWidth        = 16,
  parameter int unsigned WeightWord       = 8,
  parameter int unsigned MaxK             = 4096,
  parameter int unsigned ActBlock         = 64,
  parameter int unsigned WeightBuffer     = 131072,
  parameter int unsigned ActivationBuffer = 16384,
  parameter int unsigned PsumBuffer       = 131072,
  parameter int unsigned OutputBuffer     = 16384,
  localparam int unsigned ObsPeW = lacuna_pkg::obs_pe_width(Lanes),
  localparam int unsigned Values = DrainWidth * Lanes
) (
  input  logic                                    clk_i,
  input  logic                                    rst_ni,
  // Load.
  input  logic                                    ld_cmd_valid_i,
  output logic                                    ld_cmd_ready_o,
  input  logic                                    ld_cmd_kind_i,
  input  logic                                    ld_cmd_half_i,
  input  logic [15:0]                             ld_cmd_windows_i,
  input  logic [15:0]                             ld_cmd_positions_i,
  input  logic [15:0]                             ld_cmd_rows_i,
  input  logic [15:0]                             ld_cmd_groups_i,
  input  logic [1:0]                              ld_cmd_mask_log_i,
  input  logic                                    ld_cmd_in_place_i,
  input  logic                                    ld_cmd_post_i,
  input  logic                                    ld_valid_i,
  output logic                                    ld_ready_o,
  input  logic [8*LoadWidth-1:0]                  ld_data_i,
  output logic [1:0]                              weights_loaded_o,
  output logic [1:0]                              acts_loaded_o,
  input  logic [1:0]                              release_wt_i,
  input  logic [1:0]                              release_act_i,
  // Start.
  input  logic                                    start_valid_i,
  output logic                                    start_ready_o,
  input  logic                                    start_wt_half_i,
  input  logic                                    start_act_half_i,
  input  logic [15:0]                             start_groups_i,
  input  logic [15:0]                             start_tokens_i,
  input  logic [15:0]                             start_channels_i,
  input  logic                                    start_act_signed_i,
  input  logic                                    start_psum_read_i,
  input  logic                                    start_psum_write_i,
  input  logic [15:0]                             start_psum_base_i,
  input  logic signed [8:0]                       start_clamp_lo_i,
  input  logic signed [8:0]                       start_clamp_hi_i,
  input  logic [7:0]                              start_gate_i,
  input  logic                                    start_release_wt_i,
  input  logic                                    start_release_act_i,
  input  logic [31:0]                             start_hold1_i,
  input  logic [31:0]                             start_hold2_i,
  // Partial sums.
  output logic                                    psum_rd_en_o,
  output logic [15:0]                             psum_rd_addr_o,
  input  logic [32*Values-1:0]                    psum_rd_data_i,
  output logic                                    psum_wr_en_o,
  output logic [15:0]                             psum_wr_addr_o,
  output logic [32*Values-1:0]                    psum_wr_data_o,
  // Output.
  output logic                                    out_valid_o,
  output logic [15:0]                             out_group_o,
  output logic [15:0]                             out_beat_o,
  output logic [Values-1:0]                       out_mask_o,
  output logic [8*Values-1:0]                     out_data_o,
  output logic                                    out_block_valid_o,
  output logic [ActBlock*Lanes-1:0]               out_block_mask_o,
  output logic                                    group_done_o,
  output logic                                    pass_done_o,
  output logic                                    drain_done_o,
  // Constants and observation.
  output logic [8*7-1:0]                          latencies_o,
  output logic [32*lacuna_pkg::PARAMETER_WORDS-1:0] parameters_o,
  output logic [lacuna_pkg::OBS_WAY_W*KWays-1:0]  obs_way_o,
  output logic [ObsPeW*Pes*KWays-1:0]             obs_pe_o,
  output logic                                    obs_beat_o
);

  localparam int unsigned SUM_W = lacuna_pkg::SUM_W;
  localparam int unsigned MAX_POSITIONS = MaxK / KWays;
  localparam int unsigned MAX_WINDOWS = lacuna_pkg::max_windows(MaxK, KWays, ScanWidth);
  localparam int unsigned ACT_SLOTS =
      lacuna_pkg::act_slots(ActivationBuffer, KWays, Lanes, ScanWidth);
  localparam int unsigned VALUE_BYTES = WeightBuffer / (Pes * KWays);
  localparam int unsigned ACT_BYTES = ActivationBuffer / KWays;
  localparam int unsigned DRAIN_ROWS = (DrainWidth > Pes) ? DrainWidth / Pes : 1;

  // ---- Illegal parameter sets ----
  if (Pes < 1 || Pes > 256) begin : gen_bad_pes
    $error("Pes must be 1..256");
  end
  if (KWays < 1 || KWays > 16) begin : gen_bad_ways
    $error("KWays must be 1..16");
  end
  if (RowsPerPe < 1 || RowsPerPe > 64) begin : gen_bad_rows
    $error("RowsPerPe must be 1..64");
  end
  if (Lanes < 1 || Lanes > 16 || (Lanes & (Lanes - 1)) != 0) begin : gen_bad_lanes
    $error("Lanes must be a power of two, 1..16");
  end
  if (FifoDepth < 1 || FifoDepth > 256) begin : gen_bad_fifo
    $error("FifoDepth must be 1..256");
  end
  if (ScanWidth < 8 || ScanWidth > 256 || (ScanWidth & (ScanWidth - 1)) != 0) begin : gen_bad_scan
    $error("ScanWidth must be a power of two, 8..256");
  end
  if (SkipEmpty > 1) begin : gen_bad_skip
    $error("SkipEmpty must be 0 or 1");
  end
  if (DrainWidth < 1 || DrainWidth > 256 ||
      ((DrainWidth <= Pes) ? Pes % DrainWidth : DrainWidth % Pes) != 0) begin : gen_bad_drain
    $error("DrainWidth must divide Pes or be a multiple of it, 1..256");
  end
  if (LoadWidth < 8 || LoadWidth > 64 || (LoadWidth & (LoadWidth - 1)) != 0) begin : gen_bad_load
    $error("LoadWidth must be a power of two, 8..64");
  end
  if (WeightWord < 4 || WeightWord > 16 || (WeightWord & (WeightWord - 1)) != 0 ||
      LoadWidth % WeightWord != 0) begin : gen_bad_word
    $error("WeightWord must be a power of two, 4..16, that divides LoadWidth");
  end
  if (LoadWidth % Lanes != 0) begin : gen_bad_load_lanes
    $error("LoadWidth must be a multiple of Lanes");
  end
  if (ActBlock < 8 || ActBlock > 256 || (ActBlock & (ActBlock - 1)) != 0 ||
      ActBlock % DrainWidth != 0) begin : gen_bad_block
    $error("ActBlock must be a power of two, 8..256, and a multiple of DrainWidth");
  end
  if (MAX_POSITIONS < 1 || MAX_POSITIONS > 65535) begin : gen_bad_positions
    $error("MaxK / KWays must be 1..65535");
  end
  if (VALUE_BYTES < WeightWord) begin : gen_bad_weight_buffer
    $error("WeightBuffer / (Pes * KWays) must hold at least one WeightWord");
  end
  if (ACT_BYTES < Lanes) begin : gen_bad_act_buffer
    $error("ActivationBuffer / KWays must hold at least one value of all lanes");
  end

  // ---- Constants ----
  assign latencies_o = {8'(lacuna_pkg::L_LOAD), 8'(lacuna_pkg::L_POST), 8'(lacuna_pkg::L_DRAIN),
                        8'(lacuna_pkg::L_MAC), 8'(lacuna_pkg::L_MASK), 8'(lacuna_pkg::L_ISSUE),
                        8'(lacuna_pkg::L_START)};
  assign parameters_o = {32'(ACT_SLOTS), 32'(MAX_WINDOWS), 32'(OutputBuffer), 32'(PsumBuffer),
                         32'(ActivationBuffer), 32'(WeightBuffer), 32'(ActBlock), 32'(MaxK),
                         32'(WeightWord), 32'(LoadWidth), 32'(DrainWidth), 32'(SkipEmpty),
                         32'(ScanWidth), 32'(FifoDepth), 32'(Lanes), 32'(RowsPerPe), 32'(KWays),
                         32'(Pes)};

  // ---- Control ----
  logic                   loader_idle;
  logic                   load_done;
  logic                   load_kind;
  logic                   load_half;
  logic                   load_start;
  logic [1:0]             load_tables;
  logic                   start;
  logic [15:0]            start_windows;
  logic                   weight_half;
  logic                   in_place;
  logic                   act_signed;
  logic [1:0]             bank_hold;
  logic [2*KWays-1:0]     finished;
  lacuna_pkg::drain_cfg_t cfg;
  logic                   drain_hold;
  logic                   waiting;
  logic [1:0]             waiting_tables;
  logic                   draining;
  logic [1:0]             draining_tables;

  control #(
    .KWays(KWays),
    .Lanes(Lanes)
  ) u_control (
    .clk_i,
    .rst_ni,
    .ld_cmd_valid_i,
    .ld_cmd_ready_o,
    .ld_cmd_kind_i,
    .ld_cmd_half_i,
    .ld_cmd_windows_i,
    .ld_cmd_rows_i,
    .ld_cmd_in_place_i,
    .loader_idle_i    (loader_idle),
    .load_done_i      (load_done),
    .load_kind_i      (load_kind),
    .load_half_i      (load_half),
    .load_start_o     (load_start),
    .load_tables_o    (load_tables),
    .weights_loaded_o,
    .acts_loaded_o,
    .release_wt_i,
    .release_act_i,
    .start_valid_i,
    .start_ready_o,
    .start_wt_half_i,
    .start_act_half_i,
    .start_groups_i,
    .start_tokens_i,
    .start_channels_i,
    .start_act_signed_i,
    .start_psum_read_i,
    .start_psum_write_i,
    .start_psum_base_i,
    .start_clamp_lo_i,
    .start_clamp_hi_i,
    .start_gate_i,
    .start_release_wt_i,
    .start_release_act_i,
    .start_hold1_i,
    .start_hold2_i,
    .start_o          (start),
    .start_windows_o  (start_windows),
    .weight_half_o    (weight_half),
    .in_place_o       (in_place),
    .act_signed_o     (act_signed),
    .bank_hold_o      (bank_hold),
    .finished_i       (finished),
    .group_done_o,
    .pass_done_o,
    .cfg_o            (cfg),
    .drain_hold_o     (drain_hold),
    .waiting_i        (waiting),
    .waiting_tables_i (waiting_tables),
    .draining_i       (draining),
    .draining_tables_i(draining_tables)
  );

  // ---- Loader ----
  localparam int unsigned BEAT_W = 8 * LoadWidth;
  localparam int unsigned PE_W = lacuna_pkg::index_width(Pes);
  localparam int unsigned PTR_W = lacuna_pkg::index_width(VALUE_BYTES + 1);
  localparam int unsigned ACT_W = lacuna_pkg::index_width(ACT_BYTES / Lanes + 1);
  localparam int unsigned MASK_WORD_W = lacuna_pkg::at_least(ScanWidth, BEAT_W);
  localparam int unsigned PER_WORD = MASK_WORD_W / ScanWidth;
  localparam int unsigned SLOT_ADDR_W =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(ACT_SLOTS, PER_WORD));
  localparam int unsigned BASE_ADDR_W =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(2 * MAX_WINDOWS, LoadWidth));
  localparam int unsigned PRES_ADDR_W =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(KWays * MAX_WINDOWS, PER_WORD));
  localparam int unsigned ACT_ADDR_W =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(ACT_BYTES, LoadWidth));
  localparam int unsigned META_ADDR_W =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(MAX_POSITIONS, LoadWidth));
  localparam int unsigned META_W = LoadWidth * (PTR_W + RowsPerPe);
  localparam int unsigned VAL_ADDR_W =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(VALUE_BYTES, LoadWidth));
  localparam int unsigned CHANNEL_W = lacuna_pkg::index_width(
      lacuna_pkg::table_places(Pes, RowsPerPe, LoadWidth, DrainWidth));
  localparam int unsigned WAY_W = lacuna_pkg::index_width(KWays);

  logic [15:0]            load_windows;
  logic                   base_write;
  logic [BASE_ADDR_W-1:0] base_addr;
  logic                   present_write;
  logic [PRES_ADDR_W-1:0] present_addr;
  logic [KWays-1:0]       slot_write;
  logic [SLOT_ADDR_W-1:0] slot_addr;
  logic [ACT_W-1:0]       slot_values;
  logic [MASK_WORD_W-1:0] mask_word;
  logic [KWays-1:0]       act_write;
  logic [ACT_ADDR_W-1:0]  act_addr;
  logic                   order_write;
  logic                   post_write;
  logic                   shift_write;
  logic [CHANNEL_W-1:0]   table_channel;
  logic                   pe_half;
  logic [PE_W-1:0]        pe_index;
  logic [KWays-1:0]       meta_write;
  logic [META_ADDR_W-1:0] meta_addr;
  logic [META_W-1:0]      meta_data;
  logic [KWays-1:0]       value_write;
  logic [VAL_ADDR_W-1:0]  value_addr;
  logic [BEAT_W-1:0]      value_data;

  loader #(
    .Pes         (Pes),
    .KWays       (KWays),
    .RowsPerPe   (RowsPerPe),
    .Lanes       (Lanes),
    .ScanWidth   (ScanWidth),
    .LoadWidth   (LoadWidth),
    .MaxPositions(MAX_POSITIONS),
    .MaxWindows  (MAX_WINDOWS),
    .ActSlots    (ACT_SLOTS),
    .ValueBytes  (VALUE_BYTES),
    .ActBytes    (ACT_BYTES),
    .DrainWidth  (DrainWidth)
  ) u_loader (
    .clk_i,
    .rst_ni,
    .idle_o         (loader_idle),
    .start_i        (load_start),
    .kind_i         (ld_cmd_kind_i),
    .half_i         (ld_cmd_half_i),
    .windows_i      (ld_cmd_windows_i),
    .positions_i    (ld_cmd_positions_i),
    .rows_i         (ld_cmd_rows_i),
    .groups_i       (ld_cmd_groups_i),
    .mask_log_i     (ld_cmd_mask_log_i),
    .in_place_i     (ld_cmd_in_place_i),
    .post_i         (ld_cmd_post_i),
    .valid_i        (ld_valid_i),
    .ready_o        (ld_ready_o),
    .data_i         (ld_data_i),
    .done_o         (load_done),
    .kind_o         (load_kind),
    .half_o         (load_half),
    .windows_o      (load_windows),
    .base_write_o   (base_write),
    .base_addr_o    (base_addr),
    .present_write_o(present_write),
    .present_addr_o (present_addr),
    .slot_write_o   (slot_write),
    .slot_addr_o    (slot_addr),
    .slot_values_o  (slot_values),
    .mask_word_o    (mask_word),
    .act_write_o    (act_write),
    .act_addr_o     (act_addr),
    .order_write_o  (order_write),
    .post_write_o   (post_write),
    .shift_write_o  (shift_write),
    .table_channel_o(table_channel),
    .pe_half_o      (pe_half),
    .pe_index_o     (pe_index),
    .meta_write_o   (meta_write),
    .meta_addr_o    (meta_addr),
    .meta_data_o    (meta_data),
    .value_write_o  (value_write),
    .value_addr_o   (value_addr),
    .value_data_o   (value_data)
  );

  // ---- Ways ----
  localparam int unsigned WAY_ROWS_W = Pes * DRAIN_ROWS * Lanes * SUM_W;

  logic [1:0]                  bank_release;
  logic                        drain_read;
  logic                        drain_bank;
  logic [15:0]                 drain_row;
  logic [KWays*WAY_ROWS_W-1:0] rows;

  for (genvar q = 0; q < KWays; q++) begin : gen_way
    way #(
      .Pes         (Pes),
      .KWays       (KWays),
      .RowsPerPe   (RowsPerPe),
      .Lanes       (Lanes),
      .FifoDepth   (FifoDepth),
      .ScanWidth   (ScanWidth),
      .SkipEmpty   (SkipEmpty),
      .LoadWidth   (LoadWidth),
      .WeightWord  (WeightWord),
      .MaxPositions(MAX_POSITIONS),
      .MaxWindows  (MAX_WINDOWS),
      .ActSlots    (ACT_SLOTS),
      .ValueBytes  (VALUE_BYTES),
      .ActBytes    (ACT_BYTES),
      .DrainRows   (DRAIN_ROWS)
    ) u_way (
      .clk_i,
      .rst_ni,
      .way_i              (WAY_W'(q)),
      .load_half_i        (load_half),
      .load_windows_i     (load_windows),
      .load_clear_i       (base_write),
      .base_write_i       (base_write),
      .base_addr_i        (base_addr),
      .present_write_i    (present_write),
      .present_addr_i     (present_addr),
      .slot_write_i       (slot_write[q]),
      .slot_addr_i        (slot_addr),
      .slot_values_i      (slot_values),
      .mask_word_i        (mask_word),
      .act_write_i        (act_write[q]),
      .act_addr_i         (act_addr),
      .beat_i             (ld_data_i),
      .pe_load_half_i     (pe_half),
      .pe_load_index_i    (pe_index),
      .meta_write_i       (meta_write[q]),
      .meta_addr_i        (meta_addr),
      .meta_data_i        (meta_data),
      .value_write_i      (value_write[q]),
      .value_addr_i       (value_addr),
      .value_data_i       (value_data),
      .start_i            (start),
      .start_weight_half_i(start_wt_half_i),
      .start_act_half_i,
      .start_windows_i    (start_windows),
      .start_groups_i,
      .weight_half_i      (weight_half),
      .in_place_i         (in_place),
      .act_signed_i       (act_signed),
      .hold_i             (bank_hold),
      .release_i          (bank_release),
      .finished_o         (finished[2*q +: 2]),
      .drain_read_i       (drain_read),
      .drain_bank_i       (drain_bank),
      .drain_row_i        (drain_row),
      .drain_data_o       (rows[q*WAY_ROWS_W +: WAY_ROWS_W]),
      .obs_way_o          (obs_way_o[q*lacuna_pkg::OBS_WAY_W +: lacuna_pkg::OBS_WAY_W]),
      .obs_pe_o           (obs_pe_o[q*Pes*ObsPeW +: Pes*ObsPeW])
    );
  end

  // ---- Drain ----
  drain #(
    .Pes       (Pes),
    .KWays     (KWays),
    .RowsPerPe (RowsPerPe),
    .Lanes     (Lanes),
    .LoadWidth (LoadWidth),
    .DrainWidth(DrainWidth),
    .ActBlock  (ActBlock)
  ) u_drain (
    .clk_i,
    .rst_ni,
    .load_tables_i    (load_tables),
    .order_write_i    (order_write),
    .post_write_i     (post_write),
    .shift_write_i    (shift_write),
    .load_channel_i   (table_channel),
    .load_data_i      (ld_data_i),
    .finished_i       (group_done_o),
    .cfg_i            (cfg),
    .hold_i           (drain_hold),
    .release_o        (bank_release),
    .drain_done_o,
    .waiting_o        (waiting),
    .waiting_tables_o (waiting_tables),
    .draining_o       (draining),
    .draining_tables_o(draining_tables),
    .read_o           (drain_read),
    .read_bank_o      (drain_bank),
    .read_row_o       (drain_row),
    .rows_i           (rows),
    .psum_rd_en_o,
    .psum_rd_addr_o,
    .psum_rd_data_i,
    .psum_wr_en_o,
    .psum_wr_addr_o,
    .psum_wr_data_o,
    .out_valid_o,
    .out_group_o,
    .out_beat_o,
    .out_mask_o,
    .out_data_o,
    .out_block_valid_o,
    .out_block_mask_o
  );

  assign obs_beat_o = draining;

endmodule
