// SPDX-License-Identifier: Apache-2.0
//
// Cover points of drain: partial sums and outputs, channels and lanes that do not exist.
`include "points.svh"

module drain_cover #(
  parameter int unsigned Lanes      = 1,
  parameter int unsigned DrainWidth = 16
) (
  input logic                  clk_i,
  input logic                  rst_ni,
  input logic                  sum_valid_q,
  input logic                  sum_first_q,
  input logic                  sum_last_q,
  input logic                  sum_read_q,
  input logic                  sum_write_q,
  input logic [DrainWidth-1:0] sum_channels_q,
  input logic [Lanes-1:0]      sum_lanes_q,
  input logic                  beat_valid,
  input logic                  psum_wr_en_o,
  input logic                  out_valid_o,
  input logic                  out_block_valid_o
);
  `LACUNA_COVER(output_only, sum_valid_q && !sum_read_q && !sum_write_q)
  `LACUNA_COVER(psum_first, sum_valid_q && !sum_read_q && sum_write_q)
  `LACUNA_COVER(psum_middle, sum_valid_q && sum_read_q && sum_write_q)
  `LACUNA_COVER(psum_last, sum_valid_q && sum_read_q && !sum_write_q)
  `LACUNA_COVER(one_beat, sum_valid_q && sum_first_q && sum_last_q)
  `LACUNA_COVER(channels_missing, sum_valid_q && !(&sum_channels_q))
  `LACUNA_COVER(channels_all, sum_valid_q && (&sum_channels_q))
  `LACUNA_COVER(channels_none, sum_valid_q && (sum_channels_q == '0))
  `LACUNA_COVER(lanes_missing, sum_valid_q && !(&sum_lanes_q))
  `LACUNA_COVER(write_beside_beat, psum_wr_en_o && beat_valid)
  `LACUNA_COVER(output_without_word, out_valid_o && !out_block_valid_o)
  `LACUNA_COVER(output_with_word, out_valid_o && out_block_valid_o)
endmodule

bind drain drain_cover #(
  .Lanes     (Lanes),
  .DrainWidth(DrainWidth)
) u_cover (
  .clk_i            (clk_i),
  .rst_ni           (rst_ni),
  .sum_valid_q      (sum_valid_q),
  .sum_first_q      (sum_first_q),
  .sum_last_q       (sum_last_q),
  .sum_read_q       (sum_read_q),
  .sum_write_q      (sum_write_q),
  .sum_channels_q   (sum_channels_q),
  .sum_lanes_q      (sum_lanes_q),
  .beat_valid       (beat_valid),
  .psum_wr_en_o     (psum_wr_en_o),
  .out_valid_o      (out_valid_o),
  .out_block_valid_o(out_block_valid_o)
);
