// SPDX-License-Identifier: Apache-2.0
//
// Checks of way: room is exactly what the credits say (issued less popped, per PE, as registered at
// the start of the cycle), and every issue is pushed in the next cycle, as it was issued.
`include "checks.svh"

module way_checks #(
  parameter int unsigned Pes       = 16,
  parameter int unsigned FifoDepth = 16,
  parameter int unsigned PosW      = 10,
  parameter int unsigned ObsPeW    = 8
) (
  input logic            clk_i,
  input logic            rst_ni,
  input logic            issue,
  input logic            no_k,
  input logic            last,
  input logic [PosW-1:0] position,
  input logic            room,
  input logic            push_q,
  input logic            has_k_q,
  input logic            last_q,
  input logic [PosW-1:0] position_q,
  input logic [Pes*ObsPeW-1:0] obs_pe_o
);
  // verilator coverage_off

  int unsigned    credits_q [Pes];
  logic [Pes-1:0] pops;
  logic [Pes-1:0] has_room;
  logic [Pes-1:0] in_bounds;

  for (genvar p = 0; p < Pes; p++) begin : gen_credits
    assign pops[p]      = obs_pe_o[p*ObsPeW + lacuna_pkg::OBS_PE_POP];
    assign has_room[p]  = credits_q[p] < FifoDepth;
    assign in_bounds[p] = (credits_q[p] <= FifoDepth) && !(pops[p] && credits_q[p] == 0);
    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        credits_q[p] <= '0;
      end else begin
        credits_q[p] <= credits_q[p] + 32'(issue) - 32'(pops[p]);
      end
    end
  end

  logic            issue_q;
  logic            sent_no_k_q;
  logic            sent_last_q;
  logic [PosW-1:0] sent_position_q;

  always_ff @(posedge clk_i) begin
    issue_q         <= rst_ni && issue;
    sent_no_k_q     <= no_k;
    sent_last_q     <= last;
    sent_position_q <= position;
  end

  `LACUNA_CHECK(credits_in_bounds, &in_bounds, "more entries under way than the FIFO holds, or a pop of none")
  `LACUNA_CHECK(room_is_credits, room == &has_room, "room is not what the credits say")
  `LACUNA_CHECK(push_after_issue, push_q == issue_q, "an issue is not pushed in the next cycle")
  `LACUNA_CHECK(push_as_issued, push_q |-> (has_k_q == !sent_no_k_q) && (last_q == sent_last_q) &&
      (sent_no_k_q || position_q == sent_position_q), "the broadcast entry is not the issued one")

endmodule

bind way way_checks #(
  .Pes      (Pes),
  .FifoDepth(FifoDepth),
  .PosW     (POS_W),
  .ObsPeW   (ObsPeW)
) u_checks (
  .clk_i     (clk_i),
  .rst_ni    (rst_ni),
  .issue     (issue),
  .no_k      (no_k),
  .last      (last),
  .position  (position),
  .room      (room),
  .push_q    (push_q),
  .has_k_q   (has_k_q),
  .last_q    (last_q),
  .position_q(position_q),
  .obs_pe_o  (obs_pe_o)
);
