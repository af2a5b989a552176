// SPDX-License-Identifier: Apache-2.0
//
// Cover points of control: what a start or a load waits for, what meets in the cycle of an end, and
// the tables that loads get.
`include "points.svh"

module control_cover (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        ld_cmd_valid_i,
  input logic        ld_cmd_ready_o,
  input logic        ld_cmd_kind_i,
  input logic        loader_idle_i,
  input logic        load_start_o,
  input logic        load_done_i,
  input logic [1:0]  release_wt_i,
  input logic [1:0]  release_act_i,
  input logic        start_valid_i,
  input logic        start_ready_o,
  input logic        start,
  input logic        start_loaded,
  input logic [15:0] start_groups_i,
  input logic [31:0] start_hold1_i,
  input logic [31:0] start_hold2_i,
  input logic        start_psum_read_i,
  input logic        start_psum_write_i,
  input logic        running_q,
  input logic        release_wt_q,
  input logic        release_act_q,
  input logic        group_done_o,
  input logic        pass_done_o,
  input logic        drain_hold_o,
  input logic        waiting_i,
  input logic        draining_i,
  input logic [1:0]  free_tables
);
  logic load_weights;
  assign load_weights = load_start_o && !ld_cmd_kind_i;

  // Starts.
  `LACUNA_COVER(start_of_idle, start && !running_q)
  `LACUNA_COVER(start_at_end, start && pass_done_o)
  `LACUNA_COVER(start_waits_for_pass, start_valid_i && running_q && !pass_done_o && start_loaded)
  `LACUNA_COVER(start_waits_for_load, start_valid_i && !start_ready_o && !running_q)
  `LACUNA_COVER(start_beside_drain, start && draining_i)
  `LACUNA_COVER(start_beside_drain_and_wait, start && draining_i && waiting_i)
  `LACUNA_COVER(start_of_one_group, start && (start_groups_i == 16'd1))
  `LACUNA_COVER(start_of_many_groups, start && (start_groups_i > 16'd2))
  `LACUNA_COVER(start_output, start && !start_psum_read_i && !start_psum_write_i)
  `LACUNA_COVER(start_psum_first, start && !start_psum_read_i && start_psum_write_i)
  `LACUNA_COVER(start_psum_middle, start && start_psum_read_i && start_psum_write_i)
  `LACUNA_COVER(start_psum_last, start && start_psum_read_i && !start_psum_write_i)
  // Carry-in.
  `LACUNA_COVER(hold_none, start && (start_hold1_i == '0))
  `LACUNA_COVER(hold_one, start && (start_hold1_i != '0) && (start_hold2_i == '0))
  `LACUNA_COVER(hold_two, start && (start_hold2_i != '0) && (start_hold2_i < start_hold1_i))
  `LACUNA_COVER(hold_equal, start && (start_hold2_i != '0) && (start_hold2_i == start_hold1_i))
  `LACUNA_COVER(hold_keeps_drain, group_done_o && drain_hold_o)
  // Loads.
  `LACUNA_COVER(load_waits_for_load, ld_cmd_valid_i && !ld_cmd_ready_o && !loader_idle_i)
  `LACUNA_COVER(load_beside_pass, load_start_o && running_q)
  `LACUNA_COVER(load_done_beside_pass, load_done_i && running_q)
  `LACUNA_COVER(load_beside_drain, load_weights && draining_i)
  `LACUNA_COVER(load_beside_waiting, load_weights && waiting_i)
  `LACUNA_COVER(tables_0, load_weights && (free_tables == 2'd0))
  `LACUNA_COVER(tables_1, load_weights && (free_tables == 2'd1))
  `LACUNA_COVER(tables_2, load_weights && (free_tables == 2'd2))
  `LACUNA_COVER(tables_3, load_weights && (free_tables == 2'd3))
  // Ends.
  `LACUNA_COVER(group_not_last, group_done_o && !pass_done_o)
  `LACUNA_COVER(release_weights, pass_done_o && release_wt_q)
  `LACUNA_COVER(release_acts, pass_done_o && release_act_q)
  `LACUNA_COVER(release_both, pass_done_o && release_wt_q && release_act_q)
  `LACUNA_COVER(release_nothing, pass_done_o && !release_wt_q && !release_act_q)
  `LACUNA_COVER(release_and_start, pass_done_o && release_wt_q && start)
  `LACUNA_COVER(release_weights_outside, release_wt_i != '0)
  `LACUNA_COVER(release_acts_outside, release_act_i != '0)
endmodule

bind control control_cover u_cover (
  .clk_i             (clk_i),
  .rst_ni            (rst_ni),
  .ld_cmd_valid_i    (ld_cmd_valid_i),
  .ld_cmd_ready_o    (ld_cmd_ready_o),
  .ld_cmd_kind_i     (ld_cmd_kind_i),
  .loader_idle_i     (loader_idle_i),
  .load_start_o      (load_start_o),
  .load_done_i       (load_done_i),
  .release_wt_i      (release_wt_i),
  .release_act_i     (release_act_i),
  .start_valid_i     (start_valid_i),
  .start_ready_o     (start_ready_o),
  .start             (start),
  .start_loaded      (weights_loaded_q[start_wt_half_i] && acts_loaded_q[start_act_half_i]),
  .start_groups_i    (start_groups_i),
  .start_hold1_i     (start_hold1_i),
  .start_hold2_i     (start_hold2_i),
  .start_psum_read_i (start_psum_read_i),
  .start_psum_write_i(start_psum_write_i),
  .running_q         (running_q),
  .release_wt_q      (release_wt_q),
  .release_act_q     (release_act_q),
  .group_done_o      (group_done_o),
  .pass_done_o       (pass_done_o),
  .drain_hold_o      (drain_hold_o),
  .waiting_i         (waiting_i),
  .draining_i        (draining_i),
  .free_tables       (free_tables)
);
