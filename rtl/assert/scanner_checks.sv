// SPDX-License-Identifier: Apache-2.0
//
// Checks of scanner: what it fetched is kept here, and every issue is judged by that. A window gives
// each of its hits once, in rising order; a group gives `last` once, as its very end; nothing is
// issued without room; a window without hits costs one cycle.
`include "checks.svh"

module scanner_checks #(
  parameter int unsigned ScanWidth  = 32,
  parameter int unsigned MaxWindows = 64,
  parameter int unsigned PosW       = 10,
  parameter int unsigned AddrW      = 12,
  parameter int unsigned ValueW     = 13,
  parameter int unsigned SlotW      = 16
) (
  input logic                  clk_i,
  input logic                  rst_ni,
  input logic                  start_i,
  input logic [15:0]           start_windows_i,
  input logic [15:0]           start_groups_i,
  input logic                  room_i,
  input logic                  issue_o,
  input logic                  no_k_o,
  input logic                  last_o,
  input logic [PosW-1:0]       position_o,
  input logic [AddrW-1:0]      value_addr_o,
  input logic                  obs_visited_o,
  input logic                  obs_empty_o,
  input logic                  obs_blocked_o,
  input logic                  active_q,
  input logic                  done,
  input logic [15:0]           groups_q,
  // The fetch: of which windows, and what was read for the lowest of them.
  input logic                  fetch,
  input logic                  next_group,
  input logic [SlotW-1:0]      fetch_slot,
  input logic [MaxWindows-1:0] candidates,
  input logic [15:0]           fetch_base,
  input logic [ScanWidth-1:0]  fetch_present,
  input logic [ScanWidth-1:0]  fetch_mask,
  input logic [ValueW-1:0]     fetch_values
);
  // verilator coverage_off

  // ---- The window at hand, as it was fetched ----
  logic [ScanWidth-1:0]  mask_q;
  logic [ScanWidth-1:0]  left_q;     // hits that are still to be issued
  logic [15:0]           base_q;
  logic [ValueW-1:0]     values_q;
  logic [MaxWindows-1:0] windows_q;  // windows of the group that come after this one
  logic                  some_q;     // the group has a window at all
  int unsigned           lasts_q;    // entries with `last` since the start
  int unsigned           groups_of_pass_q;
  int unsigned           windows_of_pass_q;

  int unsigned           index;
  logic [ScanWidth-1:0]  below;
  logic [ScanWidth-1:0]  bit_at;

  assign index  = 32'(position_o) - 32'(base_q);
  assign bit_at = (index < ScanWidth) ? ScanWidth'(1) << index : '0;
  assign below  = bit_at - ScanWidth'(1);

  always_ff @(posedge clk_i) begin
    if (fetch) begin
      mask_q    <= fetch_mask;
      left_q    <= (candidates == '0) ? '0 : fetch_mask & fetch_present;
      base_q    <= fetch_base;
      values_q  <= fetch_values;
      windows_q <= candidates & (candidates - MaxWindows'(1));
      some_q    <= candidates != '0;
    end else if (issue_o && !no_k_o) begin
      left_q <= left_q & ~bit_at;
    end
    if (start_i) begin
      lasts_q           <= '0;
      groups_of_pass_q  <= 32'(start_groups_i);
      windows_of_pass_q <= 32'(start_windows_i);
    end else if (issue_o && last_o) begin
      lasts_q <= lasts_q + 1;
    end
  end

  `LACUNA_CHECK(start_when_idle, start_i |-> !active_q, "started while a pass is being scanned")
  `LACUNA_CHECK(issue_with_room, issue_o |-> active_q && room_i, "issued without room")
  `LACUNA_CHECK(only_hits, issue_o && !no_k_o |-> (left_q & bit_at) != '0,
      "issued a position that is no hit, or twice")
  `LACUNA_CHECK(lowest_first, issue_o && !no_k_o |-> (left_q & below) == '0,
      "passed over a lower hit")
  `LACUNA_CHECK(value_address, issue_o && !no_k_o |->
      value_addr_o == AddrW'(32'(values_q) + $countones(mask_q & below)),
      "the value address is not the number of values before")
  `LACUNA_CHECK(without_k, issue_o && no_k_o |-> last_o && (left_q == '0) && (windows_q == '0),
      "an entry without k is not the end of its group")
  `LACUNA_CHECK(last_is_last, issue_o |->
      last_o == ((windows_q == '0) && ((left_q & ~bit_at) == '0 || no_k_o)),
      "last is not with the last entry of the group")
  `LACUNA_CHECK(window_complete, done |-> (left_q & ~(issue_o && !no_k_o ? bit_at : '0)) == '0,
      "left a window that has hits")
  `LACUNA_CHECK(empty_once, obs_empty_o |-> done && (left_q == '0) && (windows_q != '0),
      "an empty cycle that is none, or not the only one of its window")
  `LACUNA_CHECK(visited_once, obs_visited_o == (done && some_q), "a visited window is miscounted")
  `LACUNA_CHECK(blocked_waits, obs_blocked_o |->
      active_q && !room_i && !issue_o && !done, "a blocked cycle that does something")
  `LACUNA_CHECK(blocked_holds, obs_blocked_o |=> $stable(position_o) && $stable(last_o) &&
      $stable(no_k_o) && $stable(value_addr_o), "an entry changes while it waits for room")
  `LACUNA_CHECK(works_or_waits, active_q |-> issue_o || obs_empty_o || obs_blocked_o,
      "a window stands for a cycle without reason")
  `LACUNA_CHECK(group_after_last, next_group |-> issue_o && last_o,
      "a group is left without its last")
  `LACUNA_CHECK(next_slots, next_group && fetch && !start_i |->
      32'(fetch_slot) == (lasts_q + 1) * windows_of_pass_q, "the next group's slots are not its own")
  `LACUNA_CHECK(lasts_and_groups, active_q |-> lasts_q + 32'(groups_q) == groups_of_pass_q,
      "groups left and lasts issued do not add up")
  `LACUNA_CHECK(one_last_a_group, done && !fetch |-> lasts_q + 1 == groups_of_pass_q,
      "not as many lasts as groups")

endmodule

bind scanner scanner_checks #(
  .ScanWidth (ScanWidth),
  .MaxWindows(MaxWindows),
  .PosW      (PosW),
  .AddrW     (AddrW),
  .ValueW    (ValueW),
  .SlotW     (SLOT_W)
) u_checks (
  .clk_i          (clk_i),
  .rst_ni         (rst_ni),
  .start_i        (start_i),
  .start_windows_i(start_windows_i),
  .start_groups_i (start_groups_i),
  .room_i         (room_i),
  .issue_o        (issue_o),
  .no_k_o         (no_k_o),
  .last_o         (last_o),
  .position_o     (position_o),
  .value_addr_o   (value_addr_o),
  .obs_visited_o  (obs_visited_o),
  .obs_empty_o    (obs_empty_o),
  .obs_blocked_o  (obs_blocked_o),
  .active_q       (active_q),
  .done           (done),
  .groups_q       (groups_q),
  .fetch          (fetch),
  .next_group     (next_group),
  .fetch_slot     (fetch_slot),
  .candidates     (candidates),
  .fetch_base     (fetch_base),
  .fetch_present  (fetch_present),
  .fetch_mask     (fetch_entry[ScanWidth-1:0]),
  .fetch_values   (fetch_entry[SLOT_ENTRY_W-1:ScanWidth])
);
