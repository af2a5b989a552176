// SPDX-License-Identifier: Apache-2.0
//
// Checks of drain_control: groups are drained one after the other as they finished, each in
// ceil(P*R_used/W) beats in a row, one bank after the other; the bank is released with the last.
`include "checks.svh"

module drain_control_checks #(
  parameter int unsigned Pes        = 16,
  parameter int unsigned DrainWidth = 16,
  parameter int unsigned ChannelW   = 10
) (
  input logic                   clk_i,
  input logic                   rst_ni,
  input logic                   finished_i,
  input lacuna_pkg::drain_cfg_t cfg_i,
  input logic                   hold_i,
  input logic                   decide,
  input logic                   read_o,
  input logic                   read_bank_o,
  input logic                   beat_valid_o,
  input logic [15:0]            beat_o,
  input logic                   last_beat_o,
  input logic [ChannelW-1:0]    channel_o,
  input lacuna_pkg::drain_cfg_t cfg_o,
  input logic [15:0]            psum_addr_o,
  input logic [1:0]             release_o,
  input logic                   drain_done_o,
  input logic                   waiting_o
);
  // verilator coverage_off

  int unsigned            finished_q;  // groups finished and drained since reset
  int unsigned            drained_q;
  int unsigned            beats_q;     // beats of the group at hand before this one
  int unsigned            beats_of_group;
  logic                   bank_q;      // bank of the group at hand, or of the next
  logic                   decided_q;
  logic                   last_q;
  lacuna_pkg::drain_cfg_t cfgs_q [4];  // of the groups, as they finished
  lacuna_pkg::drain_cfg_t expected;

  assign expected       = cfgs_q[drained_q[1:0]];
  assign beats_of_group = (Pes * 32'(cfg_o.rows) + DrainWidth - 1) / DrainWidth;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      finished_q <= '0;
      drained_q  <= '0;
      beats_q    <= '0;
      bank_q     <= 1'b0;
      decided_q  <= 1'b0;
      last_q     <= 1'b0;
    end else begin
      if (finished_i) begin
        cfgs_q[finished_q[1:0]] <= cfg_i;
        finished_q <= finished_q + 1;
      end
      if (beat_valid_o && last_beat_o) begin
        drained_q <= drained_q + 1;
        bank_q    <= !bank_q;
      end
      beats_q   <= (beat_valid_o && !last_beat_o) ? beats_q + 1 : '0;
      decided_q <= decide;
      last_q    <= beat_valid_o && last_beat_o;
    end
  end

  `LACUNA_CHECK(decide_when_free, decide |-> !beat_valid_o && !hold_i, "a drain begins during another")
  `LACUNA_CHECK(decide_a_group, decide |-> finished_q + 32'(finished_i) > drained_q,
      "a drain begins and no group is finished")
  `LACUNA_CHECK(decide_at_once, !beat_valid_o && !hold_i && (finished_q != drained_q) |-> decide,
      "a finished group waits though nothing is drained")
  `LACUNA_CHECK(one_waits, finished_i |-> finished_q - drained_q <= 1,
      "a third group finishes before the first is drained")
  `LACUNA_CHECK(waiting_known, waiting_o |-> finished_q - drained_q - 32'(beat_valid_o) == 1,
      "a group waits that is not there")
  `LACUNA_CHECK(first_beat, decided_q |-> beat_valid_o && (beats_q == 0),
      "the first beat is not one cycle after the decision")
  `LACUNA_CHECK(no_gap, (beats_q != 0) |-> beat_valid_o, "beats of a group have a gap")
  `LACUNA_CHECK(beat_numbers, beat_valid_o |-> (32'(beat_o) == beats_q) &&
      (32'(channel_o) == beats_q * DrainWidth), "a beat is of other channels than its number says")
  `LACUNA_CHECK(beat_count, beat_valid_o |-> last_beat_o == (beats_q + 1 == beats_of_group),
      "a group has too few or too many beats")
  `LACUNA_CHECK(right_group, beat_valid_o |-> cfg_o == expected,
      "a beat is of another pass or group than the one that finished")
  `LACUNA_CHECK(psum_address, beat_valid_o |-> psum_addr_o ==
      16'(32'(cfg_o.psum_base) + 32'(cfg_o.group) * beats_of_group + beats_q),
      "a partial sum has a wrong address")
  `LACUNA_CHECK(banks_in_turn, read_o |-> read_bank_o == bank_q, "rows of the other bank are read")
  `LACUNA_CHECK(release_with_last, release_o ==
      ((beat_valid_o && last_beat_o) ? (bank_q ? 2'b10 : 2'b01) : 2'b00),
      "a bank is not released with its last beat")
  `LACUNA_CHECK(done_after_last, drain_done_o == last_q, "the end of a drain is not told after its last beat")

endmodule

bind drain_control drain_control_checks #(
  .Pes       (Pes),
  .DrainWidth(DrainWidth),
  .ChannelW  (ChannelW)
) u_checks (
  .clk_i       (clk_i),
  .rst_ni      (rst_ni),
  .finished_i  (finished_i),
  .cfg_i       (cfg_i),
  .hold_i      (hold_i),
  .decide      (decide),
  .read_o      (read_o),
  .read_bank_o (read_bank_o),
  .beat_valid_o(beat_valid_o),
  .beat_o      (beat_o),
  .last_beat_o (last_beat_o),
  .channel_o   (channel_o),
  .cfg_o       (cfg_o),
  .psum_addr_o (psum_addr_o),
  .release_o   (release_o),
  .drain_done_o(drain_done_o),
  .waiting_o   (waiting_o)
);
