// SPDX-License-Identifier: Apache-2.0
//
// First-in first-out queue of registers.
//
// Width, Depth      bits and number of entries; Depth need not be a power of two
// push_i, data_i    writes an entry at the end of the cycle; must not come while full
// pop_i             removes the head at the end of the cycle; must not come while empty
// valid_o, data_o   the head; an entry pushed in cycle t is visible from t+1 on
// full_o            Depth entries are stored
// almost_full_o     Depth - 1 entries are stored
//
// A push into a full FIFO is not possible even together with a pop: whoever pushes works with
// credits, and full and almost full of the cycle before decide.

module fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 4
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             push_i,
  input  logic [Width-1:0] data_i,
  input  logic             pop_i,
  output logic             valid_o,
  output logic [Width-1:0] data_o,
  output logic             full_o,
  output logic             almost_full_o
);

  localparam int unsigned INDEX_W = lacuna_pkg::index_width(Depth);
  localparam int unsigned COUNT_W = $clog2(Depth + 1);

  logic [Width-1:0]   mem_q [Depth];
  logic [INDEX_W-1:0] read_q;
  logic [INDEX_W-1:0] write_q;
  logic [COUNT_W-1:0] count_q;

  assign valid_o       = count_q != '0;
  assign full_o        = count_q == COUNT_W'(Depth);
  assign almost_full_o = count_q == COUNT_W'(Depth - 1);
  assign data_o        = mem_q[read_q];

  always_ff @(posedge clk_i) begin
    if (push_i) begin
      mem_q[write_q] <= data_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q  <= '0;
      write_q <= '0;
      count_q <= '0;
    end else begin
      if (push_i) begin
        write_q <= (write_q == INDEX_W'(Depth - 1)) ? '0 : write_q + INDEX_W'(1);
      end
      if (pop_i) begin
        read_q <= (read_q == INDEX_W'(Depth - 1)) ? '0 : read_q + INDEX_W'(1);
      end
      if (push_i && !pop_i) begin
        count_q <= count_q + COUNT_W'(1);
      end else if (pop_i && !push_i) begin
        count_q <= count_q - COUNT_W'(1);
      end
    end
  end

endmodule
