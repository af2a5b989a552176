// SPDX-License-Identifier: Apache-2.0
//
// Checks of control: halves are loaded by loads and left by releases only, a start takes loaded
// halves of an engine that is free, a pass ends with its last group, groups alternate banks, and the
// tables of a load are nobody else's. The first ones are rules for whoever drives the engine.
`include "checks.svh"

module control_checks (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        ld_cmd_kind_i,
  input logic        ld_cmd_half_i,
  input logic        loader_idle_i,
  input logic        load_done_i,
  input logic        load_kind_i,
  input logic        load_half_i,
  input logic        load_start_o,
  input logic [1:0]  weights_loaded_o,
  input logic [1:0]  acts_loaded_o,
  input logic [1:0]  release_wt_i,
  input logic [1:0]  release_act_i,
  input logic        start,
  input logic        start_wt_half_i,
  input logic        start_act_half_i,
  input logic [15:0] start_groups_i,
  input logic [31:0] start_hold1_i,
  input logic [31:0] start_hold2_i,
  input logic        running_q,
  input logic        weight_half_q,
  input logic        act_half_q,
  input logic        release_wt_q,
  input logic        release_act_q,
  input logic [15:0] groups_left_q,
  input logic        group_done_o,
  input logic        pass_done_o,
  input logic [1:0]  finished_q,
  input logic [1:0]  finished_before_q,
  input logic        bank_q,
  input logic [1:0]  free_tables,
  input logic [1:0]  tables0_q,
  input logic [1:0]  tables1_q,
  input logic [1:0]  running_tables,
  input logic        waiting_i,
  input logic [1:0]  waiting_tables_i,
  input logic        draining_i,
  input logic [1:0]  draining_tables_i
);
  // verilator coverage_off

  // What the halves must say, from the handshakes alone.
  logic [1:0]  weights_q;
  logic [1:0]  acts_q;
  logic [1:0]  weights_leave;
  logic [1:0]  acts_leave;
  logic        loading_q;
  logic        loading_kind_q;
  logic        loading_half_q;
  logic        over_q;         // no pass runs
  int unsigned groups_q;       // ended groups of the running pass
  int unsigned groups_of_pass_q;
  logic        group_bank_q;   // bank of the next group to end

  assign weights_leave = release_wt_i |
      ((pass_done_o && release_wt_q) ? (weight_half_q ? 2'b10 : 2'b01) : 2'b00);
  assign acts_leave = release_act_i |
      ((pass_done_o && release_act_q) ? (act_half_q ? 2'b10 : 2'b01) : 2'b00);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      weights_q    <= '0;
      acts_q       <= '0;
      loading_q    <= 1'b0;
      over_q       <= 1'b1;
      groups_q     <= '0;
      group_bank_q <= 1'b0;
    end else begin
      for (int unsigned h = 0; h < 2; h++) begin
        if (load_done_i && !load_kind_i && (32'(load_half_i) == h)) begin
          weights_q[h] <= 1'b1;
        end else if (weights_leave[h]) begin
          weights_q[h] <= 1'b0;
        end
        if (load_done_i && load_kind_i && (32'(load_half_i) == h)) begin
          acts_q[h] <= 1'b1;
        end else if (acts_leave[h]) begin
          acts_q[h] <= 1'b0;
        end
      end
      if (load_start_o) begin
        loading_q <= 1'b1;
      end else if (load_done_i) begin
        loading_q <= 1'b0;
      end
      if (start) begin
        over_q <= 1'b0;
      end else if (pass_done_o) begin
        over_q <= 1'b1;
      end
      if (start) begin
        groups_q <= '0;
      end else if (group_done_o) begin
        groups_q <= groups_q + 1;
      end
      if (group_done_o) begin
        group_bank_q <= !group_bank_q;
      end
    end
    if (load_start_o) begin
      loading_kind_q <= ld_cmd_kind_i;
      loading_half_q <= ld_cmd_half_i;
    end
    if (start) begin
      groups_of_pass_q <= 32'(start_groups_i);
    end
  end

  // ---- Rules for the outside ----
  `LACUNA_CHECK(outside_groups, start |-> start_groups_i != '0, "a pass of no groups was started")
  `LACUNA_CHECK(outside_holds, start |-> start_hold2_i <= start_hold1_i, "hold2 exceeds hold1")
  `LACUNA_CHECK(outside_release_wt, running_q && !pass_done_o |-> !release_wt_i[weight_half_q],
      "the weights of the running pass are released")
  `LACUNA_CHECK(outside_release_act, running_q && !pass_done_o |-> !release_act_i[act_half_q],
      "the activations of the running pass are released")
  `LACUNA_CHECK(outside_release_loading, loading_q |->
      !(loading_kind_q ? release_act_i[loading_half_q] : release_wt_i[loading_half_q]),
      "a half is released while it is loaded")

  // ---- Halves ----
  `LACUNA_CHECK(loaded_weights, weights_loaded_o == weights_q,
      "a weight half is not loaded by its load, or not left by its release")
  `LACUNA_CHECK(loaded_acts, acts_loaded_o == acts_q,
      "an activation half is not loaded by its load, or not left by its release")
  `LACUNA_CHECK(load_free_half, load_start_o |-> loader_idle_i && !loading_q &&
      !(ld_cmd_kind_i ? acts_q[ld_cmd_half_i] : weights_q[ld_cmd_half_i]),
      "a load is taken for a loaded half, or during another")
  `LACUNA_CHECK(load_ends, load_done_i |-> loading_q && (load_kind_i == loading_kind_q) &&
      (load_half_i == loading_half_q), "a load ends that was not begun")

  // ---- Passes ----
  `LACUNA_CHECK(start_loaded, start |->
      weights_q[start_wt_half_i] && !weights_leave[start_wt_half_i] &&
      acts_q[start_act_half_i] && !acts_leave[start_act_half_i],
      "a pass starts with a half that is not loaded")
  `LACUNA_CHECK(start_free, start |-> over_q || pass_done_o, "a pass starts before the last one is over")
  `LACUNA_CHECK(done_while_running, group_done_o |-> !over_q && running_q && (groups_left_q != '0),
      "a group ends and no pass runs")
  `LACUNA_CHECK(done_with_last, group_done_o |-> pass_done_o == (groups_q + 1 == groups_of_pass_q),
      "a pass does not end with its last group")
  `LACUNA_CHECK(done_alone, !pass_done_o || group_done_o, "a pass ends without a group")
  `LACUNA_CHECK(banks_in_turn, group_done_o |-> (bank_q == group_bank_q) &&
      ((finished_q & ~finished_before_q) == (group_bank_q ? 2'b10 : 2'b01)),
      "groups do not end in turn in the two banks")

  // ---- Tables ----
  `LACUNA_CHECK(own_tables, load_start_o && !ld_cmd_kind_i |->
      !(weights_q[!ld_cmd_half_i] && free_tables == (ld_cmd_half_i ? tables0_q : tables1_q)) &&
      !(running_q && !pass_done_o && free_tables == running_tables) &&
      !(waiting_i && free_tables == waiting_tables_i) &&
      !(draining_i && free_tables == draining_tables_i),
      "a load gets tables that are in use")

endmodule

bind control control_checks u_checks (
  .clk_i            (clk_i),
  .rst_ni           (rst_ni),
  .ld_cmd_kind_i    (ld_cmd_kind_i),
  .ld_cmd_half_i    (ld_cmd_half_i),
  .loader_idle_i    (loader_idle_i),
  .load_done_i      (load_done_i),
  .load_kind_i      (load_kind_i),
  .load_half_i      (load_half_i),
  .load_start_o     (load_start_o),
  .weights_loaded_o (weights_loaded_o),
  .acts_loaded_o    (acts_loaded_o),
  .release_wt_i     (release_wt_i),
  .release_act_i    (release_act_i),
  .start            (start),
  .start_wt_half_i  (start_wt_half_i),
  .start_act_half_i (start_act_half_i),
  .start_groups_i   (start_groups_i),
  .start_hold1_i    (start_hold1_i),
  .start_hold2_i    (start_hold2_i),
  .running_q        (running_q),
  .weight_half_q    (weight_half_q),
  .act_half_q       (act_half_q),
  .release_wt_q     (release_wt_q),
  .release_act_q    (release_act_q),
  .groups_left_q    (groups_left_q),
  .group_done_o     (group_done_o),
  .pass_done_o      (pass_done_o),
  .finished_q       (finished_q),
  .finished_before_q(finished_before_q),
  .bank_q           (bank_q),
  .free_tables      (free_tables),
  .tables0_q        (tables0_q),
  .tables1_q        (tables1_q),
  .running_tables   (cfg_q.tables),
  .waiting_i        (waiting_i),
  .waiting_tables_i (waiting_tables_i),
  .draining_i       (draining_i),
  .draining_tables_i(draining_tables_i)
);
