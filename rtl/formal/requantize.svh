  // Properties of requantize.sv, one channel and lane. The product of two s32 lies in
  // -(2^62 - 2^31) .. 2^62 (assumed; multipliers are beyond SMT solvers, simulation covers them).
  // For every such product, all clamps with lo <= hi and all gates, at the shift F_SHIFT of the proof:
  //   r = floor((product + 2^(shift-1)) / 2^shift), stated without shifting right:
  //   r * 2^shift <= product + 2^(shift-1) < (r + 1) * 2^shift, in 128 bits, so nothing overflows
  //   code = clamp(r), 0 if |code| <= gate
  logic signed [127:0] f_product;
  logic signed [127:0] f_rounded;
  logic signed [127:0] f_lo;
  logic signed [127:0] f_hi;
  (* anyseq *) logic signed [127:0] f_r;
  logic signed [127:0] f_code;
  logic signed [127:0] f_size;

  assign f_product = $signed(product_q);
  assign f_rounded = f_product + (128'sd1 <<< (`F_SHIFT - 1));
  assign f_lo      = clamp_lo_q;
  assign f_hi      = clamp_hi_q;

  always_comb begin
    assume (f_product <= (128'sd1 <<< 62) && f_product >= -(128'sd1 <<< 62) + (128'sd1 <<< 31));
    assume (shift_q == 6'd`F_SHIFT);
    assume (f_lo <= f_hi && f_lo >= -128'sd128 && f_hi <= 128'sd255);
    // f_r is the one number with these properties.
    assume (f_r <= (128'sd1 <<< 63) && f_r >= -(128'sd1 <<< 63));
    assume ((f_r <<< `F_SHIFT) <= f_rounded);
    assume (f_rounded < ((f_r + 128'sd1) <<< `F_SHIFT));
    f_code = f_r < f_lo ? f_lo : (f_r > f_hi ? f_hi : f_r);
    f_size = f_code < 0 ? -f_code : f_code;
    if (f_size <= $signed({120'd0, gate_q})) f_code = '0;
    if (!channels_q[0] || !lanes_q[0]) f_code = '0;
    if (valid_q) assert (codes_o == f_code[7:0]);
    if (!valid_q) assert (codes_o == '0);
    if (valid_i) assert (total_o == (psum_read_i ? sums_i + psum_i : sums_i));
  end
