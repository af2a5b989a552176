// SPDX-License-Identifier: Apache-2.0
//
// Checks of load_ram and load_table: nobody reads a word while the loader writes it, which is what
// allows their blocking writes.
`include "checks.svh"

module memory_checks #(
  parameter int unsigned WordW    = 4,
  parameter int unsigned ElementW = 6,
  parameter int unsigned PerLog   = 2
) (
  input logic                clk_i,
  input logic                write_i,
  input logic                write_half_i,
  input logic [WordW-1:0]    write_word_i,
  input logic                read_i,
  input logic                read_half_i,
  input logic [ElementW-1:0] read_element_i
);
  // verilator coverage_off

  // These memories have no reset; what is driven during one is harmless and true.
  logic rst_ni;
  assign rst_ni = 1'b1;

  `LACUNA_CHECK(no_read_of_write, write_i && read_i |->
      !((write_half_i == read_half_i) && (WordW'(read_element_i >> PerLog) == write_word_i)),
      "a word is read while it is written")

endmodule

bind load_ram memory_checks #(
  .WordW   (WordW),
  .ElementW(ElementW),
  .PerLog  (PER_LOG)
) u_checks (
  .clk_i         (clk_i),
  .write_i       (write_i),
  .write_half_i  (write_half_i),
  .write_word_i  (write_word_i),
  .read_i        (read_i),
  .read_half_i   (read_half_i),
  .read_element_i(read_element_i)
);

bind load_table memory_checks #(
  .WordW   (WordW),
  .ElementW(ElementW),
  .PerLog  (PER_LOG)
) u_checks (
  .clk_i         (clk_i),
  .write_i       (write_i),
  .write_half_i  (write_half_i),
  .write_word_i  (write_word_i),
  .read_i        (read_i),
  .read_half_i   (read_half_i),
  .read_element_i(read_element_i)
);
