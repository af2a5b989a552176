// SPDX-License-Identifier: Apache-2.0
//
// Cover points of loader: pauses, empty sections, and the forms of images.
`include "points.svh"

module loader_cover (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        valid_i,
  input logic        ready_o,
  input logic        beat,
  input logic        whole,
  input logic        section_end,
  input logic        mask_state,
  input logic        slot_state,
  input logic [31:0] total,
  input logic        last_pe,
  input logic        last_way,
  input logic        done_o,
  input logic        kind_q,
  input logic        in_place_q,
  input logic        post_q,
  input logic [1:0]  mask_log_q
);
  logic gap_before_q;
  always_ff @(posedge clk_i) begin
    gap_before_q <= ready_o && !valid_i;
  end

  `LACUNA_COVER(pause, ready_o && !valid_i)
  `LACUNA_COVER(pause_over, beat && gap_before_q)
  `LACUNA_COVER(mask_of_several_beats, beat && !whole)
  `LACUNA_COVER(pe_without_values, section_end && mask_state && (total == '0))
  `LACUNA_COVER(pe_without_values_last, section_end && mask_state && (total == '0) && last_pe && last_way)
  `LACUNA_COVER(pe_with_values, section_end && mask_state && (total != '0))
  `LACUNA_COVER(way_without_values, section_end && slot_state && (total == '0))
  `LACUNA_COVER(way_with_values, section_end && slot_state && (total != '0))
  `LACUNA_COVER(way_after_way, section_end && slot_state && !last_way)
  `LACUNA_COVER(in_place, beat && mask_state && in_place_q)
  `LACUNA_COVER(with_post, done_o && !kind_q && post_q)
  `LACUNA_COVER(without_post, done_o && !kind_q && !post_q)
  `LACUNA_COVER(masks_of_1_byte, beat && mask_state && (mask_log_q == 2'd0))
  `LACUNA_COVER(masks_of_2_bytes, beat && mask_state && (mask_log_q == 2'd1))
  `LACUNA_COVER(masks_of_4_bytes, beat && mask_state && (mask_log_q == 2'd2))
  `LACUNA_COVER(masks_of_8_bytes, beat && mask_state && (mask_log_q == 2'd3))
  `LACUNA_COVER(block_loaded, done_o && kind_q)
endmodule

bind loader loader_cover u_cover (
  .clk_i      (clk_i),
  .rst_ni     (rst_ni),
  .valid_i    (valid_i),
  .ready_o    (ready_o),
  .beat       (beat),
  .whole      (whole),
  .section_end(section_end),
  .mask_state (state_q == MASK),
  .slot_state (state_q == SLOT),
  .total      (total),
  .last_pe    (last_pe),
  .last_way   (last_way),
  .done_o     (done_o),
  .kind_q     (kind_q),
  .in_place_q (in_place_q),
  .post_q     (post_q),
  .mask_log_q (mask_log_q)
);
