// SPDX-License-Identifier: Apache-2.0
//
// Adds the accumulators of the ways and brings them into channel order (engine.md, section 6): the
// order is the same in all ways, so one multiplexer per channel follows the adders.
//
// rows_i    what the PEs hold: way-major, then PE, then row of the beat, lane 0 lowest
// order_i   PE of each channel of the beat
// sums_o    register, in the cycle after valid_i: channel-major, lane 0 lowest

module drain_sum #(
  parameter int unsigned Pes        = 16,
  parameter int unsigned KWays      = 4,
  parameter int unsigned Lanes      = 1,
  parameter int unsigned DrainWidth = 16,
  localparam int unsigned DrainRows = (DrainWidth > Pes) ? DrainWidth / Pes : 1,
  localparam int unsigned LaneSumW  = lacuna_pkg::SUM_W * Lanes,
  localparam int unsigned WayW      = Pes * DrainRows * LaneSumW
) (
  input  logic                           clk_i,
  input  logic                           valid_i,
  input  logic [KWays*WayW-1:0]          rows_i,
  input  logic [8*DrainWidth-1:0]        order_i,
  output logic [DrainWidth*LaneSumW-1:0] sums_o
);

  localparam int unsigned SUM_W = lacuna_pkg::SUM_W;
  localparam int unsigned CELLS = Pes * DrainRows;
  localparam int unsigned CELL_W = lacuna_pkg::index_width(CELLS);

  logic [WayW-1:0]                all_ways;
  logic [DrainWidth*LaneSumW-1:0] sums;

  always_comb begin : add_ways
    logic [SUM_W-1:0] sum;
    all_ways = '0;
    sum      = '0;
    if (valid_i) begin
      for (int unsigned c = 0; c < CELLS * Lanes; c++) begin
        sum = '0;
        for (int unsigned q = 0; q < KWays; q++) begin
          sum = sum + rows_i[q*WayW + c*SUM_W +: SUM_W];
        end
        all_ways[c*SUM_W +: SUM_W] = sum;
      end
    end
  end

  always_comb begin : bring_in_order
    logic [CELL_W-1:0] cell_index;
    sums       = '0;
    cell_index = '0;
    if (valid_i) begin
      for (int unsigned j = 0; j < DrainWidth; j++) begin
        cell_index = CELL_W'(32'(order_i[8*j +: 8]) * DrainRows + j / Pes);
        sums[j*LaneSumW +: LaneSumW] = all_ways[cell_index*LaneSumW +: LaneSumW];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      sums_o <= sums;
    end
  end

endmodule
