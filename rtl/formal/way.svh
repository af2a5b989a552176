  // Property of way.sv: credits. Nothing is pushed into a full FIFO, whatever scanner and PEs do.
  logic f_reset_q = 1'b0;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) f_reset_q <= 1'b1;
  end
  always_comb begin
    if (f_reset_q) begin
      assert (!push_q || (full == '0));
    end
  end
