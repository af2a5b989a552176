// SPDX-License-Identifier: Apache-2.0
//
// Decides when a finished group is drained and walks its beats (engine.md, section 6).
//
//   cycle   F             B                    B+1 ..           B+n_b      E = B+1+n_b
//           finished_i    decision, rows are   beats, the last  release_o  drain_done_o
//                         requested            in B+n_b                    next decision
//
// The PEs deliver requested rows in the next cycle and hold them, so a row is requested in the
// decision or in the last beat that uses the rows before it. A beat covers DrainWidth channels: a
// part of one row, or DrainRows whole rows.
//
// A group finishes at the earliest when the group two before it has left its bank, so at most one
// finished group waits. Its description is kept here, because the next pass may have begun.
// hold_i keeps the first drain of a replayed pass back until the drains before it would be over.

module drain_control #(
  parameter int unsigned Pes        = 16,
  parameter int unsigned RowsPerPe  = 32,
  parameter int unsigned LoadWidth  = 16,
  parameter int unsigned DrainWidth = 16,
  localparam int unsigned DrainRows = (DrainWidth > Pes) ? DrainWidth / Pes : 1,
  localparam int unsigned Parts     = (DrainWidth < Pes) ? Pes / DrainWidth : 1,
  localparam int unsigned PartW     = lacuna_pkg::index_width(Parts),
  localparam int unsigned ChannelW  = lacuna_pkg::index_width(
      lacuna_pkg::table_places(Pes, RowsPerPe, LoadWidth, DrainWidth))
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   finished_i,
  input  lacuna_pkg::drain_cfg_t cfg_i,
  input  logic                   hold_i,
  // Row requests.
  output logic                   read_o,
  output logic                   read_bank_o,
  output logic [15:0]            read_row_o,
  // The beat of this cycle.
  output logic                   beat_valid_o,
  output logic [15:0]            beat_o,
  output logic                   last_beat_o,
  output logic [ChannelW-1:0]    channel_o,
  output lacuna_pkg::drain_cfg_t cfg_o,
  output logic [15:0]            psum_addr_o,
  // Banks.
  output logic [1:0]             release_o,
  output logic                   drain_done_o,
  // Tables that must not be overwritten.
  output logic                   waiting_o,
  output logic [1:0]             waiting_tables_o
);

  logic                   active_q;
  logic                   bank_q;
  logic                   next_bank_q;
  logic [15:0]            beat_q;
  logic [15:0]            row_q;
  logic [PartW-1:0]       part_q;
  logic [ChannelW-1:0]    channel_q;
  logic [15:0]            psum_q;
  lacuna_pkg::drain_cfg_t cfg_q;
  logic                   waiting_q;
  lacuna_pkg::drain_cfg_t waiting_cfg_q;

  logic                   decide;
  logic                   part_end;
  logic [15:0]            next_row;
  logic                   last_beat;

  assign decide    = !active_q && !hold_i && (waiting_q || finished_i);
  assign part_end  = part_q == PartW'(Parts - 1);
  assign next_row  = row_q + 16'(DrainRows);
  assign last_beat = part_end && (next_row >= cfg_q.rows);

  assign read_o      = decide || (active_q && part_end && !last_beat);
  assign read_bank_o = active_q ? bank_q : next_bank_q;
  assign read_row_o  = active_q ? next_row : '0;

  assign beat_valid_o     = active_q;
  assign beat_o           = beat_q;
  assign last_beat_o      = last_beat;
  assign channel_o        = channel_q;
  assign cfg_o            = cfg_q;
  assign psum_addr_o      = psum_q;
  assign release_o        = (active_q && last_beat) ? {bank_q, !bank_q} : '0;
  assign waiting_o        = waiting_q;
  assign waiting_tables_o = waiting_cfg_q.tables;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      active_q     <= 1'b0;
      waiting_q    <= 1'b0;
      next_bank_q  <= 1'b0;
      drain_done_o <= 1'b0;
    end else begin
      if (decide) begin
        active_q    <= 1'b1;
        next_bank_q <= !next_bank_q;
      end else if (last_beat) begin
        active_q <= 1'b0;
      end
      // A group that finishes while it cannot be decided at once waits.
      if (finished_i && (!decide || waiting_q)) begin
        waiting_q <= 1'b1;
      end else if (decide) begin
        waiting_q <= 1'b0;
      end
      drain_done_o <= active_q && last_beat;
    end
  end

  always_ff @(posedge clk_i) begin
    if (finished_i) begin
      waiting_cfg_q <= cfg_i;
    end
    if (decide) begin
      cfg_q     <= waiting_q ? waiting_cfg_q : cfg_i;
      bank_q    <= next_bank_q;
      beat_q    <= '0;
      row_q     <= '0;
      part_q    <= '0;
      channel_q <= '0;
      if ((waiting_q ? waiting_cfg_q.group : cfg_i.group) == '0) begin
        psum_q <= waiting_q ? waiting_cfg_q.psum_base : cfg_i.psum_base;
      end
    end else if (active_q) begin
      beat_q    <= beat_q + 16'd1;
      channel_q <= channel_q + ChannelW'(DrainWidth);
      psum_q    <= psum_q + 16'd1;
      part_q    <= part_end ? '0 : part_q + PartW'(1);
      if (part_end) begin
        row_q <= next_row;
      end
    end
  end

endmodule
