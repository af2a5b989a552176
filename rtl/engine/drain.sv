// SPDX-License-Identifier: Apache-2.0
//
// Drain and post-processing (engine.md, section 6).
//
//   cycle  t                       t+1                       t+2                    t+3
//          beat: rows of the PEs,  sums + partial sums       product, codes,        output beat
//          ways added, ordered;    multiplied; new partial   encoded
//          psum read request       sums into a register      partial sum write
//
// Descriptions of the beat travel with it, so the next beat may belong to another pass.

module drain #(
  parameter int unsigned Pes        = 16,
  parameter int unsigned KWays      = 4,
  parameter int unsigned RowsPerPe  = 32,
  parameter int unsigned Lanes      = 1,
  parameter int unsigned LoadWidth  = 16,
  parameter int unsigned DrainWidth = 16,
  parameter int unsigned ActBlock   = 64,
  localparam int unsigned BeatW     = 8 * LoadWidth,
  localparam int unsigned DrainRows = (DrainWidth > Pes) ? DrainWidth / Pes : 1,
  localparam int unsigned Values    = DrainWidth * Lanes,
  localparam int unsigned RowsW     = KWays * Pes * DrainRows * Lanes * lacuna_pkg::SUM_W,
  localparam int unsigned ChannelW  = lacuna_pkg::index_width(
      lacuna_pkg::table_places(Pes, RowsPerPe, LoadWidth, DrainWidth))
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  // Loader.
  input  logic [1:0]                 load_tables_i,
  input  logic                       order_write_i,
  input  logic                       post_write_i,
  input  logic                       shift_write_i,
  input  logic [ChannelW-1:0]        load_channel_i,
  input  logic [BeatW-1:0]           load_data_i,
  // Groups.
  input  logic                       finished_i,
  input  lacuna_pkg::drain_cfg_t     cfg_i,
  input  logic                       hold_i,
  output logic [1:0]                 release_o,
  output logic                       drain_done_o,
  output logic                       waiting_o,
  output logic [1:0]                 waiting_tables_o,
  output logic                       draining_o,
  output logic [1:0]                 draining_tables_o,
  // PEs.
  output logic                       read_o,
  output logic                       read_bank_o,
  output logic [15:0]                read_row_o,
  input  logic [RowsW-1:0]           rows_i,
  // Partial sums.
  output logic                       psum_rd_en_o,
  output logic [15:0]                psum_rd_addr_o,
  input  logic [32*Values-1:0]       psum_rd_data_i,
  output logic                       psum_wr_en_o,
  output logic [15:0]                psum_wr_addr_o,
  output logic [32*Values-1:0]       psum_wr_data_o,
  // Output.
  output logic                       out_valid_o,
  output logic [15:0]                out_group_o,
  output logic [15:0]                out_beat_o,
  output logic [Values-1:0]          out_mask_o,
  output logic [8*Values-1:0]        out_data_o,
  output logic                       out_block_valid_o,
  output logic [ActBlock*Lanes-1:0]  out_block_mask_o
);

  // ---- t: the beat ----
  logic                   beat_valid;
  logic [15:0]            beat;
  logic                   last_beat;
  logic [ChannelW-1:0]    channel;
  lacuna_pkg::drain_cfg_t cfg;
  logic [15:0]            psum_addr;
  logic [8*DrainWidth-1:0]  order;
  logic [32*DrainWidth-1:0] bias;
  logic [32*DrainWidth-1:0] multiplier;
  logic [6*DrainWidth-1:0]  shift;
  logic [32*Values-1:0]     sums;

  drain_control #(
    .Pes       (Pes),
    .RowsPerPe (RowsPerPe),
    .LoadWidth (LoadWidth),
    .DrainWidth(DrainWidth)
  ) u_control (
    .clk_i,
    .rst_ni,
    .finished_i,
    .cfg_i,
    .hold_i,
    .read_o,
    .read_bank_o,
    .read_row_o,
    .beat_valid_o    (beat_valid),
    .beat_o          (beat),
    .last_beat_o     (last_beat),
    .channel_o       (channel),
    .cfg_o           (cfg),
    .psum_addr_o     (psum_addr),
    .release_o,
    .drain_done_o,
    .waiting_o,
    .waiting_tables_o
  );

  assign draining_o        = beat_valid;
  assign draining_tables_o = cfg.tables;
  assign psum_rd_en_o      = beat_valid && cfg.psum_read;
  assign psum_rd_addr_o    = psum_addr;

  drain_tables #(
    .Pes       (Pes),
    .RowsPerPe (RowsPerPe),
    .LoadWidth (LoadWidth),
    .DrainWidth(DrainWidth)
  ) u_tables (
    .clk_i,
    .load_tables_i,
    .order_write_i,
    .post_write_i,
    .shift_write_i,
    .load_channel_i,
    .load_data_i,
    .read_i       (beat_valid),
    .read_tables_i(cfg.tables),
    .channel_i    (channel),
    .order_o      (order),
    .bias_o       (bias),
    .multiplier_o (multiplier),
    .shift_o      (shift)
  );

  drain_sum #(
    .Pes       (Pes),
    .KWays     (KWays),
    .Lanes     (Lanes),
    .DrainWidth(DrainWidth)
  ) u_sum (
    .clk_i,
    .valid_i(beat_valid),
    .rows_i,
    .order_i(order),
    .sums_o (sums)
  );

  // ---- t+1: partial sums, product ----
  logic                   sum_valid_q;
  logic [15:0]            sum_beat_q;
  logic                   sum_first_q;
  logic                   sum_last_q;
  logic [15:0]            sum_group_q;
  logic [15:0]            sum_addr_q;
  logic                   sum_read_q;
  logic                   sum_write_q;
  logic signed [8:0]      sum_lo_q;
  logic signed [8:0]      sum_hi_q;
  logic [7:0]             sum_gate_q;
  logic [DrainWidth-1:0]  sum_channels_q;
  logic [Lanes-1:0]       sum_lanes_q;
  logic [32*Values-1:0]   total;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      sum_valid_q <= 1'b0;
    end else begin
      sum_valid_q <= beat_valid;
    end
  end

  always_ff @(posedge clk_i) begin
    if (beat_valid) begin
      sum_beat_q  <= beat;
      sum_first_q <= beat == '0;
      sum_last_q  <= last_beat;
      sum_group_q <= cfg.group;
      sum_addr_q  <= psum_addr;
      sum_read_q  <= cfg.psum_read;
      sum_write_q <= cfg.psum_write;
      sum_lo_q    <= cfg.clamp_lo;
      sum_hi_q    <= cfg.clamp_hi;
      sum_gate_q  <= cfg.gate;
      for (int unsigned c = 0; c < DrainWidth; c++) begin
        sum_channels_q[c] <= 32'(channel) + c < 32'(cfg.channels);
      end
      for (int unsigned v = 0; v < Lanes; v++) begin
        sum_lanes_q[v] <= v < 32'(cfg.tokens);
      end
    end
  end

  logic                code_valid;
  logic [8*Values-1:0] codes;

  requantize #(
    .Lanes     (Lanes),
    .DrainWidth(DrainWidth)
  ) u_requantize (
    .clk_i,
    .rst_ni,
    .valid_i     (sum_valid_q),
    .sums_i      (sums),
    .psum_read_i (sum_read_q),
    .psum_i      (psum_rd_data_i),
    .output_i    (!sum_write_q),
    .bias_i      (bias),
    .multiplier_i(multiplier),
    .shift_i     (shift),
    .clamp_lo_i  (sum_lo_q),
    .clamp_hi_i  (sum_hi_q),
    .gate_i      (sum_gate_q),
    .channels_i  (sum_channels_q),
    .lanes_i     (sum_lanes_q),
    .total_o     (total),
    .code_valid_o(code_valid),
    .codes_o     (codes)
  );

  // ---- t+2: partial sum write, codes ----
  logic [15:0] code_beat_q;
  logic        code_first_q;
  logic        code_last_q;
  logic [15:0] code_group_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      psum_wr_en_o <= 1'b0;
    end else begin
      psum_wr_en_o <= sum_valid_q && sum_write_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (sum_valid_q && sum_write_q) begin
      psum_wr_addr_o <= sum_addr_q;
      psum_wr_data_o <= total;
    end
    if (sum_valid_q) begin
      code_beat_q  <= sum_beat_q;
      code_first_q <= sum_first_q;
      code_last_q  <= sum_last_q;
      code_group_q <= sum_group_q;
    end
  end

  encode #(
    .Lanes     (Lanes),
    .DrainWidth(DrainWidth),
    .ActBlock  (ActBlock)
  ) u_encode (
    .clk_i,
    .rst_ni,
    .valid_i      (code_valid),
    .first_i      (code_first_q),
    .last_i       (code_last_q),
    .group_i      (code_group_q),
    .beat_i       (code_beat_q),
    .codes_i      (codes),
    .valid_o      (out_valid_o),
    .group_o      (out_group_o),
    .beat_o       (out_beat_o),
    .mask_o       (out_mask_o),
    .data_o       (out_data_o),
    .block_valid_o(out_block_valid_o),
    .block_mask_o (out_block_mask_o)
  );

endmodule
