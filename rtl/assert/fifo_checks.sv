// SPDX-License-Identifier: Apache-2.0
//
// Checks of fifo: nothing is lost, invented or overtaken. Entries are numbered as they come and go
// and kept in a ring of the checker's own, which is larger than the FIFO.
`include "checks.svh"

module fifo_checks #(
  parameter int unsigned Width  = 8,
  parameter int unsigned Depth  = 4,
  parameter int unsigned IndexW = 2,
  parameter int unsigned CountW = 3
) (
  input logic              clk_i,
  input logic              rst_ni,
  input logic              push_i,
  input logic [Width-1:0]  data_i,
  input logic              pop_i,
  input logic              valid_o,
  input logic [Width-1:0]  data_o,
  input logic              full_o,
  input logic              almost_full_o,
  input logic [IndexW-1:0] read_q,
  input logic [IndexW-1:0] write_q,
  input logic [CountW-1:0] count_q
);
  // verilator coverage_off

  localparam int unsigned RING_W = $clog2(Depth) + 1;

  logic [Width-1:0] ring_q [1 << RING_W];
  int unsigned      pushed_q;
  int unsigned      popped_q;
  int unsigned      stored;
  logic [Width-1:0] oldest;

  assign stored = pushed_q - popped_q;
  assign oldest = ring_q[popped_q[RING_W-1:0]];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      pushed_q <= '0;
      popped_q <= '0;
    end else begin
      if (push_i) begin
        ring_q[pushed_q[RING_W-1:0]] <= data_i;
        pushed_q <= pushed_q + 1;
      end
      if (pop_i) begin
        popped_q <= popped_q + 1;
      end
    end
  end

  `LACUNA_CHECK(no_overflow, push_i |-> stored < Depth, "push into a full FIFO")
  `LACUNA_CHECK(no_underflow, pop_i |-> stored != 0, "pop from an empty FIFO")
  `LACUNA_CHECK(right_count, 32'(count_q) == stored, "the count is not pushes less pops")
  `LACUNA_CHECK(right_flags,
      (valid_o == (stored != 0)) && (full_o == (stored == Depth)) &&
      (almost_full_o == (stored == Depth - 1)),
      "valid, full or almost full is wrong")
  `LACUNA_CHECK(right_order, valid_o |-> data_o == oldest,
      "the head is not the oldest entry")
  `LACUNA_CHECK(right_pointers, (32'(read_q) < Depth) && (32'(write_q) < Depth) &&
      ((32'(read_q) + stored) % Depth == 32'(write_q)),
      "the pointers do not enclose the stored entries")

endmodule

bind fifo fifo_checks #(
  .Width (Width),
  .Depth (Depth),
  .IndexW(INDEX_W),
  .CountW(COUNT_W)
) u_checks (
  .clk_i        (clk_i),
  .rst_ni       (rst_ni),
  .push_i       (push_i),
  .data_i       (data_i),
  .pop_i        (pop_i),
  .valid_o      (valid_o),
  .data_o       (data_o),
  .full_o       (full_o),
  .almost_full_o(almost_full_o),
  .read_q       (read_q),
  .write_q      (write_q),
  .count_q      (count_q)
);
