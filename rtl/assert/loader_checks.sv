// SPDX-License-Identifier: Apache-2.0
//
// Checks of loader: a beat goes to one memory, within it, and pointers never leave the PE's values.
`include "checks.svh"

module loader_checks #(
  parameter int unsigned Pes        = 16,
  parameter int unsigned KWays      = 4,
  parameter int unsigned LoadWidth  = 16,
  parameter int unsigned ValueBytes = 2048,
  parameter int unsigned ActBytes   = 4096,
  parameter int unsigned PeW        = 4,
  parameter int unsigned WayW       = 2
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             idle_o,
  input logic             start_i,
  input logic             valid_i,
  input logic             ready_o,
  input logic             done_o,
  input logic             beat,
  input logic             kind_q,
  input logic [31:0]      count_q,
  input logic [31:0]      index_q,
  input logic [31:0]      run_q,
  input logic [WayW-1:0]  way_q,
  input logic [PeW-1:0]   pe_q,
  input logic             value_beat,
  input logic             base_write_o,
  input logic             present_write_o,
  input logic [KWays-1:0] slot_write_o,
  input logic [KWays-1:0] act_write_o,
  input logic             order_write_o,
  input logic             post_write_o,
  input logic             shift_write_o,
  input logic [KWays-1:0] meta_write_o,
  input logic [KWays-1:0] value_write_o
);
  // verilator coverage_off

  logic loading_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      loading_q <= 1'b0;
    end else if (start_i) begin
      loading_q <= 1'b1;
    end else if (done_o) begin
      loading_q <= 1'b0;
    end
  end

  `LACUNA_CHECK(start_when_idle, start_i |-> idle_o && !loading_q, "a load begins during another")
  `LACUNA_CHECK(ready_throughout, ready_o == loading_q && idle_o == !loading_q,
      "the load port is not ready throughout a load")
  `LACUNA_CHECK(done_with_beat, done_o |-> valid_i && ready_o, "a load ends without a beat")
  `LACUNA_CHECK(something_left, loading_q |-> count_q != '0, "a section goes on beyond its end")
  `LACUNA_CHECK(one_memory, $onehot0({base_write_o, present_write_o, |slot_write_o, |act_write_o,
      order_write_o, post_write_o, shift_write_o}) && $onehot0(slot_write_o) &&
      $onehot0(act_write_o) && $onehot0({meta_write_o, value_write_o}),
      "a beat goes to two memories")
  `LACUNA_CHECK(beat_of_kind, beat |-> kind_q ?
      !(base_write_o || present_write_o || order_write_o || post_write_o || shift_write_o) :
      !(|slot_write_o || |act_write_o), "a beat of one kind of load goes to a memory of the other")
  `LACUNA_CHECK(existing_pe, loading_q |-> (32'(pe_q) < Pes) && (32'(way_q) < KWays),
      "a beat is for a PE that is not there")
  `LACUNA_CHECK(pointer_in_buffer, loading_q && !kind_q |-> run_q <= ValueBytes,
      "a pointer leaves the PE's values")
  `LACUNA_CHECK(values_in_buffer, beat |-> !(value_beat && (index_q * LoadWidth >= ValueBytes)) &&
      !(|act_write_o && (index_q * LoadWidth >= ActBytes)), "values exceed their buffer")

endmodule

bind loader loader_checks #(
  .Pes       (Pes),
  .KWays     (KWays),
  .LoadWidth (LoadWidth),
  .ValueBytes(ValueBytes),
  .ActBytes  (ActBytes),
  .PeW       (PeW),
  .WayW      (WAY_W)
) u_checks (
  .clk_i          (clk_i),
  .rst_ni         (rst_ni),
  .idle_o         (idle_o),
  .start_i        (start_i),
  .valid_i        (valid_i),
  .ready_o        (ready_o),
  .done_o         (done_o),
  .beat           (beat),
  .kind_q         (kind_q),
  .count_q        (count_q),
  .index_q        (index_q),
  .run_q          (run_q),
  .way_q          (way_q),
  .pe_q           (pe_q),
  .value_beat     (state_q == VALUE),
  .base_write_o   (base_write_o),
  .present_write_o(present_write_o),
  .slot_write_o   (slot_write_o),
  .act_write_o    (act_write_o),
  .order_write_o  (order_write_o),
  .post_write_o   (post_write_o),
  .shift_write_o  (shift_write_o),
  .meta_write_o   (meta_write_o),
  .value_write_o  (value_write_o)
);
