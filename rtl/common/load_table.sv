// SPDX-License-Identifier: Apache-2.0
//
// Memory with a wide write port and a narrow combinational read port: what a load beat fills and a
// unit then looks up one element at a time.
//
// Width             bits of an element
// PerWord           elements of a written word, a power of two
// Words             words of a half; there are two halves
// write_i, write_half_i, write_word_i, data_i
//                   writes a word at the end of the cycle; it can be read from the next cycle on
// read_i, read_half_i, read_element_i
//                   asks for an element of a half
// data_o            the element asked for, in the same cycle; 0 when none is
//
// Reading an element while its word is being written is not allowed (users write one half and read
// the other). That is why the blocking assignments below are harmless: nobody looks at a word in
// the clock edge that changes it. They make the word one write of PerWord elements; non-blocking
// ones would cost a simulator a pending write per element in every cycle.

module load_table #(
  parameter int unsigned Width   = 8,
  parameter int unsigned PerWord = 4,
  parameter int unsigned Words   = 16,
  localparam int unsigned WordW    = lacuna_pkg::index_width(Words),
  localparam int unsigned ElementW = lacuna_pkg::index_width(PerWord << WordW)
) (
  input  logic                     clk_i,
  input  logic                     write_i,
  input  logic                     write_half_i,
  input  logic [WordW-1:0]         write_word_i,
  input  logic [PerWord*Width-1:0] data_i,
  input  logic                     read_i,
  input  logic                     read_half_i,
  input  logic [ElementW-1:0]      read_element_i,
  output logic [Width-1:0]         data_o
);

  localparam int unsigned PER_LOG = $clog2(PerWord);

  logic [Width-1:0] mem_q [2 << ElementW];

  always_ff @(posedge clk_i) begin
    if (write_i) begin
      for (int unsigned e = 0; e < PerWord; e++) begin
        mem_q[{write_half_i, (ElementW'(write_word_i) << PER_LOG) | ElementW'(e)}] =
            data_i[e*Width +: Width];
      end
    end
  end

  assign data_o = read_i ? mem_q[{read_half_i, read_element_i}] : '0;

endmodule
