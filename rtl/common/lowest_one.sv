// SPDX-License-Identifier: Apache-2.0
//
// Finds the lowest set bit of a vector. Combinational.
//
// Width     bits of the vector
// bits_i    the vector
// rest_o    the vector without that bit
// index_o   number of that bit, 0 if there is none

module lowest_one #(
  parameter int unsigned Width = 8,
  localparam int unsigned IndexW = lacuna_pkg::index_width(Width)
) (
  input  logic [Width-1:0]  bits_i,
  output logic [Width-1:0]  rest_o,
  output logic [IndexW-1:0] index_o
);

  // Vector positions whose number has bit b set: index bit b is the OR of them.
  function automatic logic [Width-1:0] positions_with(input int unsigned b);
    for (int unsigned i = 0; i < Width; i++) begin
      positions_with[i] = ((i >> b) & 1) == 1;
    end
  endfunction

  logic [Width-1:0] onehot;

  assign rest_o = bits_i & (bits_i - Width'(1));
  assign onehot = bits_i ^ rest_o;

  for (genvar b = 0; b < IndexW; b++) begin : gen_index
    localparam logic [Width-1:0] POSITIONS = positions_with(b);
    assign index_o[b] = |(onehot & POSITIONS);
  end

endmodule
