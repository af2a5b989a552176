// SPDX-License-Identifier: Apache-2.0
//
// Stand-ins for the memories in proofs: every read gives any value. What is proved with them holds
// for all contents; properties that need contents to stay the same assume so for the words they
// watch.

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
  (* anyseq *) logic [Width-1:0] any;
  assign data_o = read_i ? any : '0;
endmodule

module load_ram #(
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
  (* anyseq *) logic [Width-1:0] any;
  always_ff @(posedge clk_i) begin
    if (read_i) data_o <= any;
  end
endmodule
