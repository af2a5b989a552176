// SPDX-License-Identifier: Apache-2.0
//
// Checks of encode: a lane has as many packed codes as mask bits, and none of them is zero.
`include "checks.svh"

module encode_checks #(
  parameter int unsigned Lanes      = 1,
  parameter int unsigned DrainWidth = 16
) (
  input logic                          clk_i,
  input logic                          rst_ni,
  input logic                          valid_o,
  input logic [Lanes*DrainWidth-1:0]   mask_o,
  input logic [8*Lanes*DrainWidth-1:0] data_o
);
  // verilator coverage_off

  logic [Lanes-1:0] packed_right;

  always_comb begin
    packed_right = '1;
    for (int unsigned v = 0; v < Lanes; v++) begin
      for (int unsigned c = 0; c < DrainWidth; c++) begin
        if ((data_o[(v*DrainWidth+c)*8 +: 8] != '0) !=
            (c < $countones(mask_o[v*DrainWidth +: DrainWidth]))) begin
          packed_right[v] = 1'b0;
        end
      end
    end
  end

  `LACUNA_CHECK(codes_and_mask, valid_o |-> &packed_right, "packed codes and mask bits are not as many")

endmodule

bind encode encode_checks #(
  .Lanes     (Lanes),
  .DrainWidth(DrainWidth)
) u_checks (
  .clk_i  (clk_i),
  .rst_ni (rst_ni),
  .valid_o(valid_o),
  .mask_o (mask_o),
  .data_o (data_o)
);
