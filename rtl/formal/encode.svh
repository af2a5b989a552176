  // Properties of encode.sv: mask and packed codes say the same as the codes.
  logic [CodeW-1:0]   f_code;
  logic [CodeW-1:0]   f_packed;
  logic [COUNT_W-1:0] f_rank;
  always_comb begin
    f_code   = '0;
    f_packed = '0;
    f_rank   = '0;
    if (valid_i) begin
      for (int unsigned v = 0; v < Lanes; v++) begin
        f_rank = '0;
        for (int unsigned c = 0; c < DrainWidth; c++) begin
          f_code = codes_i[(v*DrainWidth+c)*CodeW +: CodeW];
          assert (mask[v*DrainWidth+c] == (f_code != '0));
          if (f_code != '0) begin
            f_packed = data[(v*DrainWidth+32'(f_rank))*CodeW +: CodeW];
            assert (f_packed == f_code);
            f_rank = f_rank + COUNT_W'(1);
          end
        end
        for (int unsigned c = 0; c < DrainWidth; c++) begin
          if (c >= 32'(f_rank)) assert (data[(v*DrainWidth+c)*CodeW +: CodeW] == '0);
        end
      end
    end
  end

  // Mask words: block of beat b of a group is b div BEATS; a word has the beats of its block so far.
  logic               f_reset_q = 1'b0;
  logic               f_group_q;     // a group has begun
  logic [15:0]        f_beat_q;      // beats of the group so far
  logic               f_ended_q;
  logic [PLACE_W-1:0] f_place;  // any place in the block, any lane
  logic [3:0]         f_lane;
  logic [DrainWidth-1:0] f_mask_q;   // what that place must hold
  logic [15:0]        f_beat;
  assign f_beat = first_i ? '0 : f_beat_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      f_reset_q <= 1'b1;
      f_ended_q <= 1'b1;
      f_group_q <= 1'b0;
    end else if (valid_i) begin
      f_group_q <= 1'b1;
      f_ended_q <= last_i;
      f_beat_q  <= f_beat + 16'd1;
      if (32'(f_beat) % BEATS == 32'(f_place)) f_mask_q <= mask[f_lane*DrainWidth +: DrainWidth];
      else if (32'(f_beat) % BEATS == 0) f_mask_q <= '0;
    end
  end

  always_comb begin
    assume (32'(f_place) < BEATS && 32'(f_lane) < Lanes);
    if (valid_i && f_reset_q) assume (first_i == f_ended_q);
    if (valid_i) assume (f_beat < 16'd60000);
    if (f_reset_q) assert (f_group_q || f_ended_q);
    if (f_reset_q && f_group_q) begin
      if (!f_ended_q) assert (32'(place_q) == 32'(f_beat_q) % BEATS);
      assert (block_mask_o[f_lane*ActBlock + 32'(f_place)*DrainWidth +: DrainWidth] == f_mask_q);
      assert (block_valid_o == (valid_o && (f_ended_q || 32'(f_beat_q) % BEATS == 0)));
    end
  end

  // The choices that stay: registers that nothing initializes and nothing changes.
  (* anyseq *) logic f_hold;
  always_comb assume (f_hold);
  always_ff @(posedge clk_i) begin
    f_place <= f_hold ? f_place : '0;
    f_lane <= f_hold ? f_lane : '0;
  end
