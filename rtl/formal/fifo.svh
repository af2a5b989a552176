  // Properties of fifo.sv: it is a queue. The reference is a shift register, oldest entry lowest.
  logic                   f_reset_q = 1'b0;  // a reset has been
  logic [Depth*Width-1:0] f_queue_q;
  logic [Depth*Width-1:0] f_queue;
  logic [COUNT_W-1:0]     f_count_q;
  logic [COUNT_W-1:0]     f_count;

  always_comb begin
    assume (!push_i || !full_o);
    assume (!pop_i || valid_o);
    f_queue = pop_i ? f_queue_q >> Width : f_queue_q;
    f_count = pop_i ? f_count_q - COUNT_W'(1) : f_count_q;
    for (int unsigned i = 0; i < Depth; i++) begin
      if (push_i && i == 32'(f_count)) f_queue[i*Width +: Width] = data_i;
    end
    f_count = push_i ? f_count + COUNT_W'(1) : f_count;
  end

  always_ff @(posedge clk_i) begin
    f_queue_q <= f_queue;
    f_count_q <= f_count;
    if (!rst_ni) begin
      f_reset_q <= 1'b1;
      f_count_q <= '0;
    end
  end

  always_comb begin
    if (f_reset_q) begin
      // What users may rely on.
      assert (valid_o == (f_count_q != '0));
      assert (full_o == (32'(f_count_q) == Depth));
      assert (almost_full_o == (32'(f_count_q) == Depth - 1));
      if (valid_o) assert (data_o == f_queue_q[Width-1:0]);
      // Why: pointers and contents.
      assert (count_q == f_count_q);
      assert (32'(count_q) <= Depth);
      assert (32'(read_q) < Depth && 32'(write_q) < Depth);
      assert (32'(write_q) == (32'(read_q) + 32'(count_q)) % Depth);
      for (int unsigned i = 0; i < Depth; i++) begin
        if (i < 32'(count_q)) begin
          assert (mem_q[INDEX_W'((32'(read_q) + i) % Depth)] == f_queue_q[i*Width +: Width]);
        end
      end
    end
  end
