// SPDX-License-Identifier: Apache-2.0
//
// Encoder (engine.md, section 6): per lane the mask of the non-zero codes of a beat and these codes
// packed, lowest channel first; the masks of ActBlock channels are collected to a mask word.
//
// One register: a beat given in a cycle stands at the outputs in the next. first_i marks the first
// beat of a group, last_i the last one. codes_i, mask_o and data_o are lane-major. block_valid_o
// comes with the beat that covers the last channel of a block, or the last beat; channels beyond
// it are 0 in the mask word.

module encode #(
  parameter int unsigned Lanes      = 1,
  parameter int unsigned DrainWidth = 16,
  parameter int unsigned ActBlock   = 64,
  localparam int unsigned CodeW  = lacuna_pkg::CODE_W,
  localparam int unsigned Values = DrainWidth * Lanes
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic                      valid_i,
  input  logic                      first_i,
  input  logic                      last_i,
  input  logic [15:0]               group_i,
  input  logic [15:0]               beat_i,
  input  logic [Values*CodeW-1:0]   codes_i,
  output logic                      valid_o,
  output logic [15:0]               group_o,
  output logic [15:0]               beat_o,
  output logic [Values-1:0]         mask_o,
  output logic [Values*CodeW-1:0]   data_o,
  output logic                      block_valid_o,
  output logic [ActBlock*Lanes-1:0] block_mask_o
);

  localparam int unsigned BEATS = ActBlock / DrainWidth;
  localparam int unsigned PLACE_W = lacuna_pkg::index_width(BEATS);
  localparam int unsigned COUNT_W = $clog2(DrainWidth + 1);

  logic [Values-1:0]         mask;
  logic [Values*CodeW-1:0]   data;
  logic [ActBlock*Lanes-1:0] block;
  logic [PLACE_W-1:0]        place_q;  // beat within its block
  logic [PLACE_W-1:0]        place;
  logic                      block_end;

  assign place     = first_i ? '0 : place_q;
  assign block_end = (place == PLACE_W'(BEATS - 1)) || last_i;

  always_comb begin : pack_codes
    logic [COUNT_W-1:0] count;
    logic [CodeW-1:0]   code;
    mask  = '0;
    data  = '0;
    count = '0;
    code  = '0;
    if (valid_i) begin
      for (int unsigned v = 0; v < Lanes; v++) begin
        count = '0;
        for (int unsigned c = 0; c < DrainWidth; c++) begin
          code = codes_i[(v*DrainWidth+c)*CodeW +: CodeW];
          if (code != '0) begin
            mask[v*DrainWidth + c] = 1'b1;
            data[(v*DrainWidth + 32'(count))*CodeW +: CodeW] = code;
            count = count + COUNT_W'(1);
          end
        end
      end
    end
  end

  always_comb begin : collect_masks
    block = '0;
    if (valid_i) begin
      block = (place == '0) ? '0 : block_mask_o;
      for (int unsigned v = 0; v < Lanes; v++) begin
        block[v*ActBlock + 32'(place)*DrainWidth +: DrainWidth] = mask[v*DrainWidth +: DrainWidth];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o       <= 1'b0;
      block_valid_o <= 1'b0;
    end else begin
      valid_o       <= valid_i;
      block_valid_o <= valid_i && block_end;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      group_o      <= group_i;
      beat_o       <= beat_i;
      mask_o       <= mask;
      data_o       <= data;
      block_mask_o <= block;
      place_q      <= block_end ? '0 : place + PLACE_W'(1);
    end
  end

endmodule
