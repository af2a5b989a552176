// SPDX-License-Identifier: Apache-2.0
//
// Tables of a tile that the drain reads, by channel: order (which PE holds it), bias, multiplier,
// shift. They exist TABLE_SETS times: drains of a pass may still run when its half is loaded again.
//
// The loader writes LoadWidth bytes a cycle, channels ascending. A read covers DrainWidth channels
// from channel_i on: order in the same cycle, the others in a register in the next. Reads and
// writes run through consecutive channels, so the table can be cut into banks of one port each.

module drain_tables #(
  parameter int unsigned Pes        = 16,
  parameter int unsigned RowsPerPe  = 32,
  parameter int unsigned LoadWidth  = 16,
  parameter int unsigned DrainWidth = 16,
  localparam int unsigned BeatW     = 8 * LoadWidth,
  localparam int unsigned ChannelW  = lacuna_pkg::index_width(
      lacuna_pkg::table_places(Pes, RowsPerPe, LoadWidth, DrainWidth))
) (
  input  logic                     clk_i,
  input  logic [1:0]               load_tables_i,
  input  logic                     order_write_i,
  input  logic                     post_write_i,
  input  logic                     shift_write_i,
  input  logic [ChannelW-1:0]      load_channel_i,
  input  logic [BeatW-1:0]         load_data_i,
  input  logic                     read_i,
  input  logic [1:0]               read_tables_i,
  input  logic [ChannelW-1:0]      channel_i,
  output logic [8*DrainWidth-1:0]  order_o,
  output logic [32*DrainWidth-1:0] bias_o,
  output logic [32*DrainWidth-1:0] multiplier_o,
  output logic [6*DrainWidth-1:0]  shift_o
);

  logic [7:0]  order_mem_q [lacuna_pkg::TABLE_SETS << ChannelW];
  logic [63:0] post_mem_q [lacuna_pkg::TABLE_SETS << ChannelW];
  logic [5:0]  shift_mem_q [lacuna_pkg::TABLE_SETS << ChannelW];

  always_ff @(posedge clk_i) begin
    if (order_write_i) begin
      for (int unsigned i = 0; i < LoadWidth; i++) begin
        order_mem_q[{load_tables_i, load_channel_i + ChannelW'(i)}] <= load_data_i[8*i +: 8];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (post_write_i) begin
      for (int unsigned i = 0; i < LoadWidth / 8; i++) begin
        post_mem_q[{load_tables_i, load_channel_i + ChannelW'(i)}] <= load_data_i[64*i +: 64];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (shift_write_i) begin
      for (int unsigned i = 0; i < LoadWidth; i++) begin
        shift_mem_q[{load_tables_i, load_channel_i + ChannelW'(i)}] <= load_data_i[8*i +: 6];
      end
    end
  end

  always_comb begin
    order_o = '0;
    if (read_i) begin
      for (int unsigned j = 0; j < DrainWidth; j++) begin
        order_o[8*j +: 8] = order_mem_q[{read_tables_i, channel_i + ChannelW'(j)}];
      end
    end
  end

  for (genvar j = 0; j < DrainWidth; j++) begin : gen_read
    always_ff @(posedge clk_i) begin
      if (read_i) begin
        {multiplier_o[32*j +: 32], bias_o[32*j +: 32]} <=
            post_mem_q[{read_tables_i, channel_i + ChannelW'(j)}];
        shift_o[6*j +: 6] <= shift_mem_q[{read_tables_i, channel_i + ChannelW'(j)}];
      end
    end
  end

endmodule
