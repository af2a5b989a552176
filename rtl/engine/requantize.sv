// SPDX-License-Identifier: Apache-2.0
//
// From the sum of a beat to codes (numerics.md, engine output): adds the partial sum, then bias,
// multiplies, rounds, shifts, clamps, gates.
//
//   cycle t+1   valid_i, sums, partial sums, bias: total_o = sum + partial sum, product
//   cycle t+2   product in a register: codes_o, valid for the code stage (code_valid_o)
//
// Channels and lanes that do not exist (channels_i, lanes_i) give code 0. total_o is what is written
// as the new partial sum; it is combinational, so that it is written in the cycle in which it is
// known. All vectors are channel-major with lane 0 lowest, except codes_o, which is lane-major as
// the encoder wants it.

module requantize #(
  parameter int unsigned Lanes      = 1,
  parameter int unsigned DrainWidth = 16,
  localparam int unsigned CodeW  = lacuna_pkg::CODE_W,
  localparam int unsigned SumW   = lacuna_pkg::SUM_W,
  localparam int unsigned Values = DrainWidth * Lanes
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     valid_i,
  input  logic [Values*SumW-1:0]   sums_i,
  input  logic                     psum_read_i,
  input  logic [Values*SumW-1:0]   psum_i,
  input  logic                     output_i,
  input  logic [32*DrainWidth-1:0] bias_i,
  input  logic [32*DrainWidth-1:0] multiplier_i,
  input  logic [6*DrainWidth-1:0]  shift_i,
  input  logic signed [8:0]        clamp_lo_i,
  input  logic signed [8:0]        clamp_hi_i,
  input  logic [7:0]               gate_i,
  input  logic [DrainWidth-1:0]    channels_i,
  input  logic [Lanes-1:0]         lanes_i,
  output logic [Values*SumW-1:0]   total_o,
  output logic                     code_valid_o,
  output logic [Values*CodeW-1:0]  codes_o
);

  localparam int unsigned PROD_W = 64;

  logic [Values*PROD_W-1:0] product_q;
  logic                     valid_q;
  logic [6*DrainWidth-1:0]  shift_q;
  logic signed [8:0]        clamp_lo_q;
  logic signed [8:0]        clamp_hi_q;
  logic [7:0]               gate_q;
  logic [DrainWidth-1:0]    channels_q;
  logic [Lanes-1:0]         lanes_q;

  always_comb begin : add_partial_sum
    total_o = '0;
    if (valid_i) begin
      for (int unsigned i = 0; i < Values; i++) begin
        total_o[i*SumW +: SumW] =
            sums_i[i*SumW +: SumW] + (psum_read_i ? psum_i[i*SumW +: SumW] : '0);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
    end else begin
      valid_q <= valid_i && output_i;
    end
  end

  for (genvar c = 0; c < DrainWidth; c++) begin : gen_channel
    logic signed [31:0] multiplier;
    assign multiplier = multiplier_i[32*c +: 32];
    for (genvar v = 0; v < Lanes; v++) begin : gen_lane
      logic signed [SumW-1:0] biased;
      assign biased = total_o[(c*Lanes+v)*SumW +: SumW] + bias_i[32*c +: 32];
      always_ff @(posedge clk_i) begin
        if (valid_i && output_i) begin
          product_q[(c*Lanes+v)*PROD_W +: PROD_W] <= PROD_W'(biased) * PROD_W'(multiplier);
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i && output_i) begin
      shift_q    <= shift_i;
      clamp_lo_q <= clamp_lo_i;
      clamp_hi_q <= clamp_hi_i;
      gate_q     <= gate_i;
      channels_q <= channels_i;
      lanes_q    <= lanes_i;
    end
  end

  assign code_valid_o = valid_q;

  always_comb begin : to_codes
    logic signed [PROD_W-1:0] value;
    logic [5:0]               shift;
    logic signed [8:0]        code;
    logic [8:0]               size;
    codes_o = '0;
    value   = '0;
    shift   = '0;
    code    = '0;
    size    = '0;
    if (valid_q) begin
      for (int unsigned c = 0; c < DrainWidth; c++) begin
        for (int unsigned v = 0; v < Lanes; v++) begin
          shift = shift_q[6*c +: 6];
          value = product_q[(c*Lanes+v)*PROD_W +: PROD_W];
          value = (value + (PROD_W'(1) << (shift - 6'd1))) >>> shift;
          if (value < PROD_W'(clamp_lo_q)) begin
            code = clamp_lo_q;
          end else if (value > PROD_W'(clamp_hi_q)) begin
            code = clamp_hi_q;
          end else begin
            code = value[8:0];
          end
          size = code[8] ? -code : code;
          if ((size <= 9'(gate_q)) || !channels_q[c] || !lanes_q[v]) begin
            code = '0;
          end
          codes_o[(v*DrainWidth+c)*CodeW +: CodeW] = code[CodeW-1:0];
        end
      end
    end
  end

endmodule
