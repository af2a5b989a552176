// SPDX-License-Identifier: Apache-2.0
//
// Cover points of requantize: each way in which a code comes about. The value of channel 0, lane 0
// stands for all.
`include "points.svh"

module requantize_cover (
  input logic               clk_i,
  input logic               rst_ni,
  input logic               valid_q,
  input logic signed [63:0] product,
  input logic [5:0]         shift,
  input logic signed [8:0]  clamp_lo_q,
  input logic signed [8:0]  clamp_hi_q,
  input logic [7:0]         gate_q,
  input logic               exists,
  input logic [7:0]         code
);
  logic signed [63:0] rounded;
  logic               here;
  assign rounded = (product + (64'sd1 << (shift - 6'd1))) >>> shift;
  assign here    = valid_q && exists;

  `LACUNA_COVER(clamped_low, here && (rounded < 64'(clamp_lo_q)))
  `LACUNA_COVER(clamped_high, here && (rounded > 64'(clamp_hi_q)))
  `LACUNA_COVER(in_range, here && (rounded >= 64'(clamp_lo_q)) && (rounded <= 64'(clamp_hi_q)))
  `LACUNA_COVER(gated, here && (rounded != 0) && (rounded >= 64'(clamp_lo_q)) &&
      (rounded <= 64'(clamp_hi_q)) && (code == '0))
  `LACUNA_COVER(gate_closed, here && (gate_q == 8'd255))
  `LACUNA_COVER(negative_code, here && (clamp_lo_q < 0) && code[7])
  `LACUNA_COVER(unsigned_code, here && (clamp_hi_q > 9'sd127) && code[7])
  `LACUNA_COVER(single_value, here && (clamp_lo_q == clamp_hi_q))
  `LACUNA_COVER(tie, here && ((product & ((64'sd1 << shift) - 64'sd1)) == (64'sd1 << (shift - 6'd1))))
  `LACUNA_COVER(negative_tie, here && (product < 0) &&
      ((product & ((64'sd1 << shift) - 64'sd1)) == (64'sd1 << (shift - 6'd1))))
  `LACUNA_COVER(shortest_shift, here && (shift == 6'd1))
  `LACUNA_COVER(longest_shift, here && (shift == 6'd62))
  `LACUNA_COVER(channel_missing, valid_q && !exists)
endmodule

bind requantize requantize_cover u_cover (
  .clk_i     (clk_i),
  .rst_ni    (rst_ni),
  .valid_q   (valid_q),
  .product   (product_q[63:0]),
  .shift     (shift_q[5:0]),
  .clamp_lo_q(clamp_lo_q),
  .clamp_hi_q(clamp_hi_q),
  .gate_q    (gate_q),
  .exists    (channels_q[0] && lanes_q[0]),
  .code      (codes_o[7:0])
);
