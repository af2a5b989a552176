// SPDX-License-Identifier: Apache-2.0
//
// Checks at the ports of sparse_engine (engine.md, section 9). Valid/ready: what waits stays as it
// is until it is taken; these are rules for whoever drives the engine. Ends: a group ends before it
// is drained, at most two are between the two, and a pass is told with its last group.
`include "checks.svh"

module engine_checks #(
  parameter int unsigned LoadWidth = 16
) (
  input logic                   clk_i,
  input logic                   rst_ni,
  input logic                   ld_cmd_valid_i,
  input logic                   ld_cmd_ready_o,
  input logic [69:0]            ld_cmd,
  input logic                   ld_valid_i,
  input logic                   ld_ready_o,
  input logic [8*LoadWidth-1:0] ld_data_i,
  input logic                   start_valid_i,
  input logic                   start_ready_o,
  input logic [160:0]           start_command,
  input logic                   group_done_o,
  input logic                   pass_done_o,
  input logic                   drain_done_o,
  input logic                   obs_beat_o,
  input logic                   psum_rd_en_o
);
  // verilator coverage_off

  logic        ended_q;       // since reset, groups ended less drained
  logic        two_q;
  int unsigned undrained_q;

  assign ended_q = undrained_q != 0;
  assign two_q   = undrained_q >= 2;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      undrained_q <= '0;
    end else begin
      undrained_q <= undrained_q + 32'(group_done_o) - 32'(drain_done_o);
    end
  end

  `LACUNA_CHECK(outside_command_stays, ld_cmd_valid_i && !ld_cmd_ready_o |=>
      ld_cmd_valid_i && $stable(ld_cmd), "a load command changes while it waits")
  `LACUNA_CHECK(outside_start_stays, start_valid_i && !start_ready_o |=>
      start_valid_i && $stable(start_command), "a start changes while it waits")
  `LACUNA_CHECK(outside_beat_stays, ld_valid_i && !ld_ready_o |=>
      ld_valid_i && $stable(ld_data_i), "a load beat changes while it waits")
  `LACUNA_CHECK(ready_in_a_load, ld_cmd_valid_i && ld_cmd_ready_o |=> ld_ready_o && !ld_cmd_ready_o,
      "the load port is not ready after its command")
  `LACUNA_CHECK(drained_after_end, drain_done_o |-> ended_q, "a group is drained that has not ended")
  `LACUNA_CHECK(two_banks, group_done_o && two_q |-> drain_done_o, "a group ends and both banks wait for their drain")
  `LACUNA_CHECK(beat_after_end, obs_beat_o |-> ended_q, "a beat of a group that has not ended")
  `LACUNA_CHECK(pass_with_group, pass_done_o |-> group_done_o, "a pass ends without a group")
  `LACUNA_CHECK(read_with_beat, psum_rd_en_o |-> obs_beat_o, "partial sums are read without a beat")

endmodule

bind sparse_engine engine_checks #(
  .LoadWidth(LoadWidth)
) u_checks (
  .clk_i         (clk_i),
  .rst_ni        (rst_ni),
  .ld_cmd_valid_i(ld_cmd_valid_i),
  .ld_cmd_ready_o(ld_cmd_ready_o),
  .ld_cmd        ({ld_cmd_kind_i, ld_cmd_half_i, ld_cmd_windows_i, ld_cmd_positions_i,
                   ld_cmd_rows_i, ld_cmd_groups_i, ld_cmd_mask_log_i, ld_cmd_in_place_i,
                   ld_cmd_post_i}),
  .ld_valid_i    (ld_valid_i),
  .ld_ready_o    (ld_ready_o),
  .ld_data_i     (ld_data_i),
  .start_valid_i (start_valid_i),
  .start_ready_o (start_ready_o),
  .start_command ({start_wt_half_i, start_act_half_i, start_groups_i, start_tokens_i,
                   start_channels_i, start_act_signed_i, start_psum_read_i, start_psum_write_i,
                   start_psum_base_i, start_clamp_lo_i, start_clamp_hi_i, start_gate_i,
                   start_release_wt_i, start_release_act_i, start_hold1_i, start_hold2_i}),
  .group_done_o  (group_done_o),
  .pass_done_o   (pass_done_o),
  .drain_done_o  (drain_done_o),
  .obs_beat_o    (obs_beat_o),
  .psum_rd_en_o  (psum_rd_en_o)
);
