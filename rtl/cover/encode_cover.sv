// SPDX-License-Identifier: Apache-2.0
//
// Cover points of encode: masks and mask words.
`include "points.svh"

module encode_cover #(
  parameter int unsigned Values = 16
) (
  input logic              clk_i,
  input logic              rst_ni,
  input logic              valid_i,
  input logic              last_i,
  input logic              block_end,
  input logic              first_of_block,
  input logic [Values-1:0] mask
);
  `LACUNA_COVER(nothing, valid_i && (mask == '0))
  `LACUNA_COVER(everything, valid_i && (mask == '1))
  `LACUNA_COVER(something, valid_i && (mask != '0) && (mask != '1))
  `LACUNA_COVER(block_full, valid_i && block_end && !last_i)
  `LACUNA_COVER(block_cut, valid_i && last_i)
  `LACUNA_COVER(block_goes_on, valid_i && !first_of_block)
endmodule

bind encode encode_cover #(
  .Values(Values)
) u_cover (
  .clk_i         (clk_i),
  .rst_ni        (rst_ni),
  .valid_i       (valid_i),
  .last_i        (last_i),
  .block_end     (block_end),
  .first_of_block(place == '0),
  .mask          (mask)
);
