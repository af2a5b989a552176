  // Properties of lowest_one.sv, bit by bit.
  logic f_found;
  always_comb begin
    f_found = 1'b0;
    for (int unsigned i = 0; i < Width; i++) begin
      if (bits_i[i] && !f_found) begin
        f_found = 1'b1;
        assert (32'(index_o) == i);
        assert (!rest_o[i]);
      end else begin
        assert (rest_o[i] == bits_i[i]);
      end
    end
    if (!f_found) assert (index_o == '0);
  end
