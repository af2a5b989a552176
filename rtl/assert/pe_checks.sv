// SPDX-License-Identifier: Apache-2.0
//
// Checks of pe: the mask stage holds an entry until the MAC stage takes it, an entry has exactly as
// many slots as weights (one for a `last` without), lowest row first, at rising addresses within the
// buffer; and the accumulator banks: never written while they are drained or wait for it, only a
// finished bank is released, a released one begins empty.
`include "checks.svh"

module pe_checks #(
  parameter int unsigned RowsPerPe  = 32,
  parameter int unsigned SkipEmpty  = 1,
  parameter int unsigned ValueBytes = 2048,
  parameter int unsigned ValuesW    = 8,
  parameter int unsigned PtrW       = 12,
  parameter int unsigned RowW       = 5
) (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic                 in_place_i,
  input logic                 pop,
  input logic                 stage_valid_q,
  input logic                 stage_has_k_q,
  input logic                 stage_last_q,
  input logic [ValuesW-1:0]   stage_values_q,
  input logic [RowsPerPe-1:0] stage_mask,
  input logic [PtrW-1:0]      stage_ptr,
  input logic                 drop,
  input logic                 take,
  input logic                 slot,
  input logic                 slot_mac,
  input logic [RowW-1:0]      cur_row,
  input logic [PtrW-1:0]      weight_addr,
  input logic                 bank_q,
  input logic                 cur_bank,
  input logic [1:0]           hold_i,
  input logic [1:0]           release_i,
  input logic [1:0]           finished_o,
  input logic                 add_valid_q,
  input logic                 add_bank_q,
  input logic [RowW-1:0]      add_row_q,
  input logic                 mul_valid_q,
  input logic [RowsPerPe-1:0] written0_q,
  input logic [RowsPerPe-1:0] written1_q,
  input logic                 drain_read_i,
  input logic                 drain_bank_i
);
  // verilator coverage_off

  // ---- Slots of the entry at hand ----
  logic [RowsPerPe-1:0] left_q;     // rows that are still to be multiplied, after this cycle
  logic [RowsPerPe-1:0] rows;       // rows to be multiplied in this cycle or later
  logic [RowsPerPe-1:0] row_bit;
  logic [PtrW-1:0]      pointer_q;  // of the entry's next packed value, or of its row 0
  logic [PtrW-1:0]      pointer;
  logic                 group_bank_q;

  assign rows    = take ? stage_mask : left_q;
  assign pointer = take ? stage_ptr : pointer_q;
  assign row_bit = RowsPerPe'(1) << cur_row;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q       <= '0;
      group_bank_q <= 1'b0;
    end else begin
      if (take || slot_mac) begin
        left_q <= slot_mac ? rows & ~row_bit : '0;
      end
      if (take && stage_last_q) begin
        group_bank_q <= !group_bank_q;
      end
    end
    if (take || slot_mac) begin
      pointer_q <= in_place_i ? pointer : pointer + PtrW'(slot_mac);
    end
  end

  // ---- Banks ----
  logic [1:0] ended_q;     // the group's last entry has been taken and the bank not released since
  logic [1:0] draining_q;  // rows of the bank have been read since it was released

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ended_q    <= '0;
      draining_q <= '0;
    end else begin
      for (int unsigned b = 0; b < 2; b++) begin
        if (take && stage_last_q && (32'(bank_q) == b)) begin
          ended_q[b] <= 1'b1;
        end else if (release_i[b]) begin
          ended_q[b] <= 1'b0;
        end
        if (release_i[b]) begin
          draining_q[b] <= 1'b0;
        end else if (drain_read_i && (32'(drain_bank_i) == b)) begin
          draining_q[b] <= 1'b1;
        end
      end
    end
  end

  `LACUNA_CHECK(stage_holds, stage_valid_q && !drop && !take |=>
      stage_valid_q && $stable(stage_has_k_q) && $stable(stage_last_q) &&
      $stable(stage_values_q) && $stable(stage_mask) && $stable(stage_ptr),
      "the mask stage loses or changes an entry that was not taken")
  `LACUNA_CHECK(pop_when_free, pop && stage_valid_q |-> drop || take,
      "an entry is popped onto another one")
  `LACUNA_CHECK(drop_empty, drop |-> (SkipEmpty != 0) && (stage_mask == '0) && !stage_last_q && !take,
      "an entry is dropped that has weights or ends its group")
  `LACUNA_CHECK(take_when_over, take |-> left_q == '0, "an entry is taken before the last one is over")
  `LACUNA_CHECK(all_slots, slot_mac == (rows != '0) && slot == (take || left_q != '0),
      "slots are not as many as weights, or not in a row")
  `LACUNA_CHECK(lowest_row, slot_mac |-> ((rows & row_bit) != '0) &&
      ((rows & (row_bit - RowsPerPe'(1))) == '0), "a slot is not the lowest row that is left")
  `LACUNA_CHECK(right_address, slot_mac |->
      weight_addr == (in_place_i ? pointer + PtrW'(cur_row) : pointer) &&
      (32'(weight_addr) < ValueBytes), "a weight is read at a wrong address")
  `LACUNA_CHECK(bank_of_group, take |-> bank_q == group_bank_q && cur_bank == bank_q,
      "an entry goes to the other group's bank")
  `LACUNA_CHECK(bank_is_free, take |-> !ended_q[bank_q] && !hold_i[bank_q],
      "an entry is taken for a bank that is not drained")
  `LACUNA_CHECK(written_while_drained, add_valid_q |->
      !draining_q[add_bank_q] && !(drain_read_i && drain_bank_i == add_bank_q),
      "an accumulator is written while its bank is drained")
  `LACUNA_CHECK(row_exists, add_valid_q |-> 32'(add_row_q) < RowsPerPe, "a row is written that is not there")
  `LACUNA_CHECK(drained_when_finished, drain_read_i |-> finished_o[drain_bank_i],
      "a bank is drained before its group is over")
  `LACUNA_CHECK(final_when_drained, drain_read_i && ended_q[drain_bank_i] && !ended_q[!drain_bank_i] |->
      !(mul_valid_q && !add_valid_q && left_q != '0 && group_bank_q == drain_bank_i),
      "sums are under way to a bank that is drained")
  `LACUNA_CHECK(release_finished, release_i != '0 |->
      ((release_i & ~finished_o) == '0) && $onehot0(release_i), "a bank is released that is not finished")
  `LACUNA_CHECK(released_is_empty0, release_i[0] |=> written0_q == '0 && !finished_o[0],
      "a released bank keeps rows")
  `LACUNA_CHECK(released_is_empty1, release_i[1] |=> written1_q == '0 && !finished_o[1],
      "a released bank keeps rows")

endmodule

bind pe pe_checks #(
  .RowsPerPe (RowsPerPe),
  .SkipEmpty (SkipEmpty),
  .ValueBytes(ValueBytes),
  .ValuesW   (VALUES_W),
  .PtrW      (PtrW),
  .RowW      (RowW)
) u_checks (
  .clk_i         (clk_i),
  .rst_ni        (rst_ni),
  .in_place_i    (in_place_i),
  .pop           (pop),
  .stage_valid_q (stage_valid_q),
  .stage_has_k_q (stage_has_k_q),
  .stage_last_q  (stage_last_q),
  .stage_values_q(stage_values_q),
  .stage_mask    (stage_mask),
  .stage_ptr     (stage_ptr),
  .drop          (drop),
  .take          (take),
  .slot          (slot),
  .slot_mac      (slot_mac),
  .cur_row       (cur_row),
  .weight_addr   (weight_addr),
  .bank_q        (bank_q),
  .cur_bank      (cur_bank),
  .hold_i        (hold_i),
  .release_i     (release_i),
  .finished_o    (finished_o),
  .add_valid_q   (add_valid_q),
  .add_bank_q    (add_bank_q),
  .add_row_q     (add_row_q),
  .mul_valid_q   (mul_valid_q),
  .written0_q    (written0_q),
  .written1_q    (written1_q),
  .drain_read_i  (drain_read_i),
  .drain_bank_i  (drain_bank_i)
);
