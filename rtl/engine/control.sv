// SPDX-License-Identifier: Apache-2.0
//
// Which halves are loaded, start of passes, group and pass ends, carry-in (engine.md, sections 6, 7
// and 9).
//
// A half is loaded from the cycle after its last beat until the cycle after the end of a pass that
// releases it, or after release_*_i. A pass may start in the very cycle in which the pass before it
// ends, but not with a half that this pass releases.
//
// finished_i says per way and bank that all PEs are over with the bank's group, one cycle after the
// last of them knows; the register here is the second cycle of L_MAC, so its rising edge stands in
// cycle F(g).
//
// Carry-in: hold1 and hold2 count down from the start; while they are not over, the drain (and the
// bank of the second group), and the bank of the first group, are kept back.

module control #(
  parameter int unsigned KWays = 4,
  parameter int unsigned Lanes = 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  // Load command and its end.
  input  logic                   ld_cmd_valid_i,
  output logic                   ld_cmd_ready_o,
  input  logic                   ld_cmd_kind_i,
  input  logic                   ld_cmd_half_i,
  input  logic [15:0]            ld_cmd_windows_i,
  input  logic [15:0]            ld_cmd_rows_i,
  input  logic                   ld_cmd_in_place_i,
  input  logic                   loader_idle_i,
  input  logic                   load_done_i,
  input  logic                   load_kind_i,
  input  logic                   load_half_i,
  output logic                   load_start_o,
  output logic [1:0]             load_tables_o,
  output logic [1:0]             weights_loaded_o,
  output logic [1:0]             acts_loaded_o,
  input  logic [1:0]             release_wt_i,
  input  logic [1:0]             release_act_i,
  // Start.
  input  logic                   start_valid_i,
  output logic                   start_ready_o,
  input  logic                   start_wt_half_i,
  input  logic                   start_act_half_i,
  input  logic [15:0]            start_groups_i,
  input  logic [15:0]            start_tokens_i,
  input  logic [15:0]            start_channels_i,
  input  logic                   start_act_signed_i,
  input  logic                   start_psum_read_i,
  input  logic                   start_psum_write_i,
  input  logic [15:0]            start_psum_base_i,
  input  logic signed [8:0]      start_clamp_lo_i,
  input  logic signed [8:0]      start_clamp_hi_i,
  input  logic [7:0]             start_gate_i,
  input  logic                   start_release_wt_i,
  input  logic                   start_release_act_i,
  input  logic [31:0]            start_hold1_i,
  input  logic [31:0]            start_hold2_i,
  // To the scanners, with the start.
  output logic                   start_o,
  output logic [15:0]            start_windows_o,
  // To the PEs, from the cycle after the start.
  output logic                   weight_half_o,
  output logic                   in_place_o,
  output logic                   act_signed_o,
  output logic [1:0]             bank_hold_o,
  // Ends.
  input  logic [2*KWays-1:0]     finished_i,
  output logic                   group_done_o,
  output logic                   pass_done_o,
  // To the drain.
  output lacuna_pkg::drain_cfg_t cfg_o,
  output logic                   drain_hold_o,
  input  logic                   waiting_i,
  input  logic [1:0]             waiting_tables_i,
  input  logic                   draining_i,
  input  logic [1:0]             draining_tables_i
);

  // ---- Halves ----
  logic [1:0]  weights_loaded_q;
  logic [1:0]  acts_loaded_q;
  logic [15:0] windows0_q;
  logic [15:0] windows1_q;
  logic [15:0] rows0_q;
  logic [15:0] rows1_q;
  logic        in_place0_q;
  logic        in_place1_q;
  logic [1:0]  tables0_q;
  logic [1:0]  tables1_q;
  logic [1:0]  free_tables;
  logic [1:0]  weights_leave;
  logic [1:0]  acts_leave;

  assign weights_loaded_o = weights_loaded_q;
  assign acts_loaded_o    = acts_loaded_q;
  assign ld_cmd_ready_o   = loader_idle_i && !(ld_cmd_kind_i ? acts_loaded_q[ld_cmd_half_i]
                                                             : weights_loaded_q[ld_cmd_half_i]);
  assign load_start_o     = ld_cmd_valid_i && ld_cmd_ready_o;

  // The lowest set of tables that neither the other half nor a drain uses.
  function automatic logic [2:0] tables_bit(input logic [1:0] tables);
    tables_bit = 3'd1 << tables;
  endfunction

  logic [2:0] tables_used;
  assign tables_used = tables_bit(ld_cmd_half_i ? tables0_q : tables1_q) |
                       (waiting_i ? tables_bit(waiting_tables_i) : 3'd0) |
                       (draining_i ? tables_bit(draining_tables_i) : 3'd0);

  always_comb begin
    if (!tables_used[0]) begin
      free_tables = 2'd0;
    end else if (!tables_used[1]) begin
      free_tables = 2'd1;
    end else if (!tables_used[2]) begin
      free_tables = 2'd2;
    end else begin
      free_tables = 2'd3;
    end
  end

  assign load_tables_o = load_half_i ? tables1_q : tables0_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      tables0_q <= 2'd0;
      tables1_q <= 2'd0;
    end else if (load_start_o && !ld_cmd_kind_i) begin
      if (ld_cmd_half_i) begin
        tables1_q <= free_tables;
      end else begin
        tables0_q <= free_tables;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (load_start_o && !ld_cmd_kind_i) begin
      if (ld_cmd_half_i) begin
        windows1_q  <= ld_cmd_windows_i;
        rows1_q     <= ld_cmd_rows_i;
        in_place1_q <= ld_cmd_in_place_i;
      end else begin
        windows0_q  <= ld_cmd_windows_i;
        rows0_q     <= ld_cmd_rows_i;
        in_place0_q <= ld_cmd_in_place_i;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      weights_loaded_q <= '0;
      acts_loaded_q    <= '0;
    end else begin
      weights_loaded_q <= (weights_loaded_q & ~weights_leave) |
                          ((load_done_i && !load_kind_i) ? {load_half_i, !load_half_i} : 2'd0);
      acts_loaded_q    <= (acts_loaded_q & ~acts_leave) |
                          ((load_done_i && load_kind_i) ? {load_half_i, !load_half_i} : 2'd0);
    end
  end

  // ---- The running pass ----
  logic                   running_q;
  logic                   start;
  logic                   weight_half_q;
  logic                   act_half_q;
  logic                   in_place_q;
  logic                   act_signed_q;
  logic                   release_wt_q;
  logic                   release_act_q;
  logic [15:0]            groups_left_q;
  lacuna_pkg::drain_cfg_t cfg_q;

  assign weights_leave = release_wt_i |
      ((pass_done_o && release_wt_q) ? {weight_half_q, !weight_half_q} : 2'd0);
  assign acts_leave = release_act_i |
      ((pass_done_o && release_act_q) ? {act_half_q, !act_half_q} : 2'd0);

  assign start_ready_o = weights_loaded_q[start_wt_half_i] && !weights_leave[start_wt_half_i] &&
                         acts_loaded_q[start_act_half_i] && !acts_leave[start_act_half_i] &&
                         (!running_q || pass_done_o);
  assign start         = start_valid_i && start_ready_o;
  assign start_o       = start;
  assign start_windows_o = start_wt_half_i ? windows1_q : windows0_q;

  assign weight_half_o = weight_half_q;
  assign in_place_o    = in_place_q;
  assign act_signed_o  = act_signed_q;
  assign cfg_o         = cfg_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      running_q <= 1'b0;
    end else if (start) begin
      running_q <= 1'b1;
    end else if (pass_done_o) begin
      running_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start) begin
      weight_half_q    <= start_wt_half_i;
      act_half_q       <= start_act_half_i;
      in_place_q       <= start_wt_half_i ? in_place1_q : in_place0_q;
      act_signed_q     <= start_act_signed_i;
      release_wt_q     <= start_release_wt_i;
      release_act_q    <= start_release_act_i;
      groups_left_q    <= start_groups_i;
      cfg_q.tables     <= start_wt_half_i ? tables1_q : tables0_q;
      cfg_q.rows       <= start_wt_half_i ? rows1_q : rows0_q;
      cfg_q.channels   <= start_channels_i;
      cfg_q.psum_read  <= start_psum_read_i;
      cfg_q.psum_write <= start_psum_write_i;
      cfg_q.psum_base  <= start_psum_base_i;
      cfg_q.clamp_lo   <= start_clamp_lo_i;
      cfg_q.clamp_hi   <= start_clamp_hi_i;
      cfg_q.gate       <= start_gate_i;
      cfg_q.group      <= '0;
      cfg_q.tokens     <= start_tokens_i;
    end else if (group_done_o) begin
      groups_left_q <= groups_left_q - 16'd1;
      cfg_q.group   <= cfg_q.group + 16'd1;
      cfg_q.tokens  <= cfg_q.tokens - 16'(Lanes);
    end
  end

  // ---- Group and pass ends ----
  logic [1:0] all_finished;
  logic [1:0] finished_q;
  logic [1:0] finished_before_q;

  always_comb begin
    all_finished = 2'b11;
    for (int unsigned q = 0; q < KWays; q++) begin
      all_finished = all_finished & finished_i[2*q +: 2];
    end
  end

  assign group_done_o = (finished_q & ~finished_before_q) != '0;
  assign pass_done_o  = group_done_o && (groups_left_q == 16'd1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      finished_q        <= '0;
      finished_before_q <= '0;
    end else begin
      finished_q        <= all_finished;
      finished_before_q <= finished_q;
    end
  end

  // ---- Carry-in ----
  logic [31:0] hold1_q;
  logic [31:0] hold2_q;
  logic        bank_q;        // bank of the next group to finish
  logic        first_bank_q;  // bank of the pass's first group

  assign drain_hold_o = hold1_q != '0;
  assign bank_hold_o  = {first_bank_q ? hold2_q != '0 : hold1_q != '0,
                         first_bank_q ? hold1_q != '0 : hold2_q != '0};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      hold1_q      <= '0;
      hold2_q      <= '0;
      bank_q       <= 1'b0;
      first_bank_q <= 1'b0;
    end else begin
      if (group_done_o) begin
        bank_q <= !bank_q;
      end
      if (start) begin
        hold1_q      <= (start_hold1_i == '0) ? '0 : start_hold1_i - 32'd1;
        hold2_q      <= (start_hold2_i == '0) ? '0 : start_hold2_i - 32'd1;
        first_bank_q <= bank_q ^ group_done_o;
      end else begin
        if (hold1_q != '0) begin
          hold1_q <= hold1_q - 32'd1;
        end
        if (hold2_q != '0) begin
          hold2_q <= hold2_q - 32'd1;
        end
      end
    end
  end

endmodule
