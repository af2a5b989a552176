// SPDX-License-Identifier: Apache-2.0
//
// Checks of drain: partial sums are read with the beat and written two cycles after it, outputs come
// three cycles after it.
`include "checks.svh"

module drain_checks (
  input logic                   clk_i,
  input logic                   rst_ni,
  input logic                   beat_valid,
  input logic [15:0]            beat,
  input logic                   last_beat,
  input logic                   read,
  input logic                   write,
  input logic [15:0]            group,
  input logic [15:0]            psum_addr,
  input logic                   psum_rd_en_o,
  input logic                   psum_wr_en_o,
  input logic [15:0]            psum_wr_addr_o,
  input logic                   out_valid_o,
  input logic [15:0]            out_group_o,
  input logic [15:0]            out_beat_o,
  input logic                   out_block_valid_o
);
  // verilator coverage_off

  // The beats of the last cycles: [0] is one cycle old.
  logic [1:0]  writes_q;
  logic [2:0]  outputs_q;
  logic [2:0]  lasts_q;
  logic [15:0] addr0_q;
  logic [15:0] addr1_q;
  logic [15:0] beat0_q;
  logic [15:0] beat1_q;
  logic [15:0] beat2_q;
  logic [15:0] group0_q;
  logic [15:0] group1_q;
  logic [15:0] group2_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      writes_q  <= '0;
      outputs_q <= '0;
    end else begin
      writes_q  <= {writes_q[0], beat_valid && write};
      outputs_q <= {outputs_q[1:0], beat_valid && !write};
    end
    lasts_q  <= {lasts_q[1:0], last_beat};
    addr0_q  <= psum_addr;
    addr1_q  <= addr0_q;
    beat0_q  <= beat;
    beat1_q  <= beat0_q;
    beat2_q  <= beat1_q;
    group0_q <= group;
    group1_q <= group0_q;
    group2_q <= group1_q;
  end

  `LACUNA_CHECK(psum_read, psum_rd_en_o == (beat_valid && read),
      "partial sums are not read with their beat")
  `LACUNA_CHECK(psum_write, psum_wr_en_o == writes_q[1], "partial sums are not written two cycles after their beat")
  `LACUNA_CHECK(psum_write_address, psum_wr_en_o |-> psum_wr_addr_o == addr1_q,
      "partial sums are written elsewhere than they are read")
  `LACUNA_CHECK(output_beat, out_valid_o == outputs_q[2], "an output beat does not come L_post after its drain beat")
  `LACUNA_CHECK(output_place, out_valid_o |-> (out_beat_o == beat2_q) && (out_group_o == group2_q),
      "an output beat names another group or beat")
  `LACUNA_CHECK(block_with_last, out_valid_o && lasts_q[2] |-> out_block_valid_o,
      "the last beat of a group comes without its mask word")
  `LACUNA_CHECK(block_with_beat, out_block_valid_o |-> out_valid_o, "a mask word comes without a beat")

endmodule

bind drain drain_checks u_checks (
  .clk_i            (clk_i),
  .rst_ni           (rst_ni),
  .beat_valid       (beat_valid),
  .beat             (beat),
  .last_beat        (last_beat),
  .read             (cfg.psum_read),
  .write            (cfg.psum_write),
  .group            (cfg.group),
  .psum_addr        (psum_addr),
  .psum_rd_en_o     (psum_rd_en_o),
  .psum_wr_en_o     (psum_wr_en_o),
  .psum_wr_addr_o   (psum_wr_addr_o),
  .out_valid_o      (out_valid_o),
  .out_group_o      (out_group_o),
  .out_beat_o       (out_beat_o),
  .out_block_valid_o(out_block_valid_o)
);
