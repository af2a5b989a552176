// SPDX-License-Identifier: Apache-2.0
//
// Cover points of pe: why the MAC stage waits or works, boundaries of entries, groups, banks and
// value words, and what meets in a cycle.
`include "points.svh"

module pe_cover #(
  parameter int unsigned RowsPerPe = 32
) (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic                 push_i,
  input logic                 full_o,
  input logic                 head_valid,
  input logic                 pop,
  input logic                 stage_valid_q,
  input logic                 stage_has_k_q,
  input logic                 stage_last_q,
  input logic                 stage_any,
  input logic [RowsPerPe-1:0] stage_mask,
  input logic                 drop,
  input logic                 take,
  input logic                 mac_busy,
  input logic                 slot,
  input logic                 slot_mac,
  input logic                 cur_last,
  input logic [RowsPerPe-1:0] cur_rest,
  input logic                 word_read,
  input logic                 in_place_i,
  input logic                 act_signed_i,
  input logic                 bank_q,
  input logic [1:0]           busy_q,
  input logic [1:0]           hold_i,
  input logic [1:0]           release_i,
  input logic                 first_write,
  input logic                 add_valid_q,
  input logic                 add_bank_q,
  input logic                 any_gated,
  input logic                 drain_read_i,
  input logic                 drain_bank_i
);
  logic slot_before_q;
  logic waits;
  assign waits = stage_valid_q && !drop && !take;

  always_ff @(posedge clk_i) begin
    slot_before_q <= slot;
  end

  // Why the MAC stage does nothing, or makes others wait.
  `LACUNA_COVER(starved, !slot && !stage_valid_q && !head_valid)
  `LACUNA_COVER(starved_by_drops, !slot && drop)
  `LACUNA_COVER(waits_for_slots, waits && mac_busy)
  `LACUNA_COVER(waits_for_bank, waits && !mac_busy && busy_q[bank_q])
  `LACUNA_COVER(waits_for_hold, waits && !mac_busy && !busy_q[bank_q] && hold_i[bank_q])
  `LACUNA_COVER(waits_for_bank_of_last, waits && !mac_busy && busy_q[bank_q] && stage_last_q)
  `LACUNA_COVER(both_banks_busy, busy_q == 2'b11)
  `LACUNA_COVER(head_waits, head_valid && !pop)
  `LACUNA_COVER(full_while_waiting, full_o && waits)
  // Entries.
  `LACUNA_COVER(take_one_row, take && stage_any && (cur_rest == '0))
  `LACUNA_COVER(take_several_rows, take && (cur_rest != '0))
  `LACUNA_COVER(take_all_rows, take && (stage_mask == '1) && (RowsPerPe > 1))
  `LACUNA_COVER(take_last_with_weights, take && stage_last_q && stage_any)
  `LACUNA_COVER(take_last_without_weights, take && stage_last_q && !stage_any && stage_has_k_q)
  `LACUNA_COVER(take_last_without_k, take && stage_last_q && !stage_has_k_q)
  `LACUNA_COVER(take_without_weights, take && !stage_any && !stage_last_q)
  `LACUNA_COVER(take_in_place, take && in_place_i)
  `LACUNA_COVER(take_after_slot, take && slot_before_q)
  `LACUNA_COVER(take_after_gap, take && !slot_before_q)
  `LACUNA_COVER(drop_empty, drop)
  `LACUNA_COVER(drop_and_pop, drop && pop)
  `LACUNA_COVER(pop_into_empty_stage, pop && !stage_valid_q)
  `LACUNA_COVER(pop_as_taken, pop && take)
  `LACUNA_COVER(push_and_pop, push_i && pop)
  `LACUNA_COVER(push_into_empty, push_i && !head_valid)
  `LACUNA_COVER(pop_from_full, pop && full_o)
  // Value words.
  `LACUNA_COVER(word_kept, slot_mac && !word_read)
  `LACUNA_COVER(word_crossed, slot_mac && !take && word_read)
  `LACUNA_COVER(word_crossed_in_place, slot_mac && !take && word_read && in_place_i)
  `LACUNA_COVER(lane_gated, any_gated)
  `LACUNA_COVER(signed_slot, slot_mac && act_signed_i)
  `LACUNA_COVER(unsigned_slot, slot_mac && !act_signed_i)
  // Banks.
  `LACUNA_COVER(first_of_row, first_write)
  `LACUNA_COVER(added_to_row, add_valid_q && !first_write)
  `LACUNA_COVER(group_ends_bank0, slot && cur_last && (cur_rest == '0) && !bank_q)
  `LACUNA_COVER(group_ends_bank1, slot && cur_last && (cur_rest == '0) && bank_q)
  `LACUNA_COVER(next_group_at_once, take && slot_before_q && busy_q[!bank_q])
  `LACUNA_COVER(release_and_take, (release_i != '0) && take)
  `LACUNA_COVER(release_while_bank_awaited, (release_i[bank_q]) && waits && !mac_busy)
  `LACUNA_COVER(drain_beside_adds, drain_read_i && add_valid_q && (add_bank_q != drain_bank_i))
endmodule

bind pe pe_cover #(
  .RowsPerPe(RowsPerPe)
) u_cover (
  .clk_i        (clk_i),
  .rst_ni       (rst_ni),
  .push_i       (push_i),
  .full_o       (full_o),
  .head_valid   (head_valid),
  .pop          (pop),
  .stage_valid_q(stage_valid_q),
  .stage_has_k_q(stage_has_k_q),
  .stage_last_q (stage_last_q),
  .stage_any    (stage_any),
  .stage_mask   (stage_mask),
  .drop         (drop),
  .take         (take),
  .mac_busy     (mac_busy),
  .slot         (slot),
  .slot_mac     (slot_mac),
  .cur_last     (cur_last),
  .cur_rest     (cur_rest),
  .word_read    (word_read),
  .in_place_i   (in_place_i),
  .act_signed_i (act_signed_i),
  .bank_q       (bank_q),
  .busy_q       (busy_q),
  .hold_i       (hold_i),
  .release_i    (release_i),
  .first_write  (first_write),
  .add_valid_q  (add_valid_q),
  .add_bank_q   (add_bank_q),
  .any_gated    (|gated),
  .drain_read_i (drain_read_i),
  .drain_bank_i (drain_bank_i)
);
