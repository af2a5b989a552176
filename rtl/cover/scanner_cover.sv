// SPDX-License-Identifier: Apache-2.0
//
// Cover points of scanner: every kind of cycle it can have, and every boundary of a window, group
// and pass that it crosses.
`include "points.svh"

module scanner_cover #(
  parameter int unsigned ScanWidth  = 32,
  parameter int unsigned MaxWindows = 64,
  parameter int unsigned SlotW      = 16,
  parameter int unsigned AnyLog     = 6,
  parameter int unsigned BitW       = 5
) (
  input logic                  clk_i,
  input logic                  rst_ni,
  input logic                  start_i,
  input logic                  room_i,
  input logic                  issue_o,
  input logic                  no_k_o,
  input logic                  last_o,
  input logic                  obs_empty_o,
  input logic                  obs_blocked_o,
  input logic                  active_q,
  input logic                  none_q,
  input logic                  done,
  input logic                  fetch,
  input logic                  next_group,
  input logic                  last_window,
  input logic                  has_hits,
  input logic [ScanWidth-1:0]  hits_q,
  input logic [ScanWidth-1:0]  mask_q,
  input logic [BitW-1:0]       bit_index,
  input logic [MaxWindows-1:0] visit_q,
  input logic [MaxWindows-1:0] candidates,
  input logic [MaxWindows-1:0] group_any,
  input logic [SlotW-1:0]      fetch_slot,
  input logic [SlotW-1:0]      slot_q
);
  logic empty_before_q;  // the cycle before was an empty one of the same group
  logic blocked_before_q;
  logic fresh_q;                   // the window stands for the first time
  logic [MaxWindows-1:0] lowest;   // the window that is fetched
  logic [MaxWindows-1:0] at_q;     // the window at hand

  assign lowest = candidates & ~(candidates - MaxWindows'(1));

  always_ff @(posedge clk_i) begin
    empty_before_q   <= obs_empty_o;
    blocked_before_q <= obs_blocked_o;
    fresh_q          <= fetch;
    if (fetch) begin
      at_q <= lowest;
    end
  end

  // Kinds of cycles.
  `LACUNA_COVER(issue, issue_o && !no_k_o)
  `LACUNA_COVER(empty_window, obs_empty_o)
  `LACUNA_COVER(empty_windows_in_a_row, obs_empty_o && empty_before_q)
  `LACUNA_COVER(empty_window_without_room, obs_empty_o && !room_i)
  `LACUNA_COVER(blocked, obs_blocked_o && !no_k_o)
  `LACUNA_COVER(blocked_then_issue, blocked_before_q && issue_o)
  `LACUNA_COVER(idle, !active_q)
  // Entries without k: the last window has no hits, or there is no window.
  `LACUNA_COVER(without_k_last_window, issue_o && no_k_o && !none_q)
  `LACUNA_COVER(without_k_no_window, issue_o && no_k_o && none_q)
  `LACUNA_COVER(without_k_blocked, obs_blocked_o && no_k_o && !none_q)
  `LACUNA_COVER(without_k_no_window_blocked, obs_blocked_o && none_q)
  // Windows.
  `LACUNA_COVER(first_bit, issue_o && has_hits && bit_index == '0)
  `LACUNA_COVER(last_bit, issue_o && has_hits && 32'(bit_index) == ScanWidth - 1)
  `LACUNA_COVER(full_window, fresh_q && active_q && (hits_q == '1))
  `LACUNA_COVER(single_hit, fresh_q && active_q && $onehot(hits_q))
  `LACUNA_COVER(activation_without_weight, active_q && has_hits && (mask_q & ~hits_q) != '0)
  `LACUNA_COVER(next_window_after_issue, done && issue_o && fetch && !next_group)
  `LACUNA_COVER(next_window_after_empty, obs_empty_o && fetch)
  `LACUNA_COVER(window_passed_over, fetch && !start_i && !next_group && lowest != (at_q << 1))
  `LACUNA_COVER(window_without_weight, fetch && (start_i || next_group) &&
      (group_any & ~candidates) != '0)
  `LACUNA_COVER(window_last_of_all, fetch && candidates[MaxWindows-1])
  // Groups and passes.
  `LACUNA_COVER(group_of_one_window, next_group && !none_q && visit_q == '0)
  `LACUNA_COVER(next_group_at_once, next_group && fetch)
  `LACUNA_COVER(next_group_without_window, next_group && fetch && candidates == '0)
  `LACUNA_COVER(next_group_in_next_word, next_group && fetch &&
      (fetch_slot >> AnyLog) != (slot_q >> AnyLog))
  `LACUNA_COVER(pass_over, done && !fetch)
  `LACUNA_COVER(start, start_i)
  `LACUNA_COVER(start_without_window, start_i && candidates == '0)
  // Crossings: last with each kind of cycle.
  `LACUNA_COVER(last_with_k, issue_o && last_o && !no_k_o)
  `LACUNA_COVER(last_blocked, obs_blocked_o && last_o && has_hits)
  `LACUNA_COVER(last_after_empty, issue_o && last_o && empty_before_q)
  `LACUNA_COVER(last_window_not_last_bit, issue_o && last_window && !last_o)
endmodule

bind scanner scanner_cover #(
  .ScanWidth (ScanWidth),
  .MaxWindows(MaxWindows),
  .SlotW     (SLOT_W),
  .AnyLog    (ANY_LOG),
  .BitW      (BIT_W)
) u_cover (
  .clk_i        (clk_i),
  .rst_ni       (rst_ni),
  .start_i      (start_i),
  .room_i       (room_i),
  .issue_o      (issue_o),
  .no_k_o       (no_k_o),
  .last_o       (last_o),
  .obs_empty_o  (obs_empty_o),
  .obs_blocked_o(obs_blocked_o),
  .active_q     (active_q),
  .none_q       (none_q),
  .done         (done),
  .fetch        (fetch),
  .next_group   (next_group),
  .last_window  (last_window),
  .has_hits     (has_hits),
  .hits_q       (hits_q),
  .mask_q       (mask_q),
  .bit_index    (bit_index),
  .visit_q      (visit_q),
  .candidates   (candidates),
  .group_any    (group_any),
  .fetch_slot   (fetch_slot),
  .slot_q       (slot_q)
);
