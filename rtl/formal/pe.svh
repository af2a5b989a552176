  // Properties of pe.sv (engine.md, section 5), for any contents of its memories.
  logic                       f_reset_q = 1'b0;
  logic [$clog2(RowsPerPe+1)-1:0] f_done_q;  // slots of the entry before this cycle's
  logic [$clog2(RowsPerPe+1)-1:0] f_count_q; // weights of the entry
  logic [$clog2(RowsPerPe+1)-1:0] f_place;
  logic [RowW-1:0]            f_row_q;       // row of the slot before
  logic [PtrW-1:0]            f_ptr_q;       // pointer of the entry
  logic                       f_last_q;
  logic                       f_bank_q;      // bank of the group that entries are taken for

  assign f_place = take ? '0 : f_done_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      f_reset_q <= 1'b1;
      f_bank_q  <= 1'b0;
    end else if (take && stage_last_q) begin
      f_bank_q <= !f_bank_q;
    end
    if (slot) begin
      f_done_q <= f_place + 1'b1;
      f_row_q  <= cur_row;
    end
    if (take) begin
      f_count_q <= $countones(stage_mask);
      f_ptr_q   <= stage_ptr;
      f_last_q  <= stage_last_q;
    end
  end

  always_comb begin
    // A bank is drained when its group is over.
    assume ((release_i & ~finished_o) == '0);
    // The way has credits (way.svh).
    assume (!push_i || !full_o);
    if (f_reset_q) begin
      // Take: an entry that needs the stage, when the stage and the bank of its group are free.
      if (take) assert (stage_valid_q && !mac_busy && !busy_q[f_bank_q] && !hold_i[f_bank_q]);
      if (take) assert (stage_any || stage_last_q || SkipEmpty == 0);
      if (drop) assert (SkipEmpty != 0 && !stage_any && !stage_last_q && !take);
      assert (bank_q == f_bank_q);
      // Slots: as many as weights, at least one; lowest row first; packed or dense address.
      if (mac_busy) begin
        assert (f_done_q != '0 && f_done_q < f_count_q);
        assert (32'($countones(rest_q)) == 32'(f_count_q) - 32'(f_done_q));
        assert ((rest_q & ~({RowsPerPe{1'b1}} << f_row_q << 1)) == '0);
        assert (mac_ptr_q == (in_place_i ? f_ptr_q : PtrW'(32'(f_ptr_q) + 32'(f_done_q))));
        assert (mac_last_q == f_last_q);
        assert (cur_row > f_row_q);
      end
      if (slot_mac) begin
        assert (cur_mask[cur_row]);
        assert (weight_addr == PtrW'(32'(take ? stage_ptr : f_ptr_q) + (in_place_i ? 32'(cur_row) : 32'(f_place))));
      end
      // Banks: over only if its `last` was taken; over with the last slot, not before.
      assert ((finished_o & ~busy_q) == '0);
      if (finished_set[0] || finished_set[1]) assert (cur_last && cur_rest == '0);
      if (mac_busy && mac_last_q) assert (busy_q[mac_bank_q] && !finished_o[mac_bank_q] && mac_bank_q != bank_q);
      if (mac_busy && !mac_last_q) assert (mac_bank_q == bank_q);
      assert (busy_q == (finished_o | ((mac_busy && mac_last_q) ? {mac_bank_q, !mac_bank_q} : 2'b00)));
    end
  end

  // The mode does not change while an entry is worked on.
  logic f_in_place_q;
  always_ff @(posedge clk_i) f_in_place_q <= in_place_i;
  always_comb if (mac_busy) assume (in_place_i == f_in_place_q);
