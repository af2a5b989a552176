// SPDX-License-Identifier: Apache-2.0
//
// Cover points of drain_control: when a drain begins, what it waits for, which shapes it has.
`include "points.svh"

module drain_control_cover #(
  parameter int unsigned Pes        = 16,
  parameter int unsigned DrainWidth = 16
) (
  input logic                   clk_i,
  input logic                   rst_ni,
  input logic                   finished_i,
  input logic                   hold_i,
  input logic                   decide,
  input logic                   active_q,
  input logic                   waiting_q,
  input logic                   bank_q,
  input logic                   read_o,
  input logic [15:0]            beat_o,
  input logic                   last_beat,
  input logic                   part_end,
  input logic                   drain_done_o,
  input logic [15:0]            rows
);
  `LACUNA_COVER(decide_at_once, decide && finished_i && !waiting_q)
  `LACUNA_COVER(decide_after_wait, decide && waiting_q)
  `LACUNA_COVER(decide_as_last_is_done, decide && drain_done_o)
  `LACUNA_COVER(waits_for_drain, finished_i && active_q)
  `LACUNA_COVER(waits_for_hold, finished_i && hold_i)
  `LACUNA_COVER(finished_with_last_beat, finished_i && active_q && last_beat)
  `LACUNA_COVER(one_beat, active_q && (beat_o == '0) && last_beat)
  `LACUNA_COVER(many_beats, active_q && (beat_o >= 16'd2))
  `LACUNA_COVER(part_of_row, active_q && !part_end)
  `LACUNA_COVER(rows_of_beat, active_q && read_o && (DrainWidth > Pes))
  `LACUNA_COVER(row_after_row, active_q && read_o)
  `LACUNA_COVER(last_rows_beyond, active_q && last_beat && (DrainWidth > Pes) &&
      (32'(rows) % (DrainWidth > Pes ? DrainWidth / Pes : 1) != 0))
  `LACUNA_COVER(bank_0, active_q && !bank_q)
  `LACUNA_COVER(bank_1, active_q && bank_q)
endmodule

bind drain_control drain_control_cover #(
  .Pes       (Pes),
  .DrainWidth(DrainWidth)
) u_cover (
  .clk_i       (clk_i),
  .rst_ni      (rst_ni),
  .finished_i  (finished_i),
  .hold_i      (hold_i),
  .decide      (decide),
  .active_q    (active_q),
  .waiting_q   (waiting_q),
  .bank_q      (bank_q),
  .read_o      (read_o),
  .beat_o      (beat_o),
  .last_beat   (last_beat),
  .part_end    (part_end),
  .drain_done_o(drain_done_o),
  .rows        (cfg_q.rows)
);
