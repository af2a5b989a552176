  // Properties of drain_control.sv (engine.md, section 6): every finished group is drained once, in
  // order, with its own description and as many beats as its rows need.
  (* anyseq *) logic f_pick;       // watch the group that finishes now
  logic         f_reset_q = 1'b0;
  logic [1:0]   f_open_q;          // groups finished and not yet released
  logic         f_bank_q;          // bank of the next group to be released
  logic         f_watch_q;         // a group is watched
  logic [1:0]   f_before_q;        // groups to be released before it
  lacuna_pkg::drain_cfg_t f_cfg_q;
  logic [15:0]  f_beats_q;         // beats of the drain at hand so far
  logic         f_release;

  assign f_release = release_o != '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      f_reset_q <= 1'b1;
      f_open_q  <= '0;
      f_bank_q  <= 1'b0;
      f_watch_q <= 1'b0;
      f_beats_q <= '0;
    end else begin
      f_open_q <= f_open_q + 2'(finished_i) - 2'(f_release);
      if (f_release) f_bank_q <= !f_bank_q;
      f_beats_q <= (f_release || !active_q) ? '0 : f_beats_q + 16'd1;
      if (finished_i && f_pick && !f_watch_q) begin
        f_watch_q  <= 1'b1;
        f_cfg_q    <= cfg_i;
        f_before_q <= f_open_q - 2'(f_release);
      end else if (f_watch_q && f_release) begin
        if (f_before_q == '0) f_watch_q <= 1'b0;
        f_before_q <= f_before_q - 2'd1;
      end
    end
  end

  always_comb begin
    // A group finishes at the earliest when the group two before it has left its bank; a held drain
    // holds the bank of the group after it.
    assume (!finished_i || (f_open_q <= 2'd1 && !(waiting_q && !active_q)));
    assume (32'(cfg_i.rows) >= 1 && 32'(cfg_i.rows) <= RowsPerPe);
    if (f_reset_q) begin
      assert (f_open_q == 2'(active_q) + 2'(waiting_q));
      assert (!f_release || active_q);
      if (f_release) assert (release_o == (f_bank_q ? 2'b10 : 2'b01));
      assert (!(decide && active_q));
      // Beats: ceil(P * rows / W).
      if (active_q) begin
        assert (bank_q == f_bank_q && next_bank_q == !f_bank_q);
        assert (beat_o == f_beats_q);
        assert (32'(channel_q) == 32'(f_beats_q) * DrainWidth);
        assert (32'(row_q) * Pes + 32'(part_q) * DrainWidth == 32'(f_beats_q) * DrainWidth);
        assert (32'(part_q) < Parts && row_q < cfg_q.rows && 32'(cfg_q.rows) <= RowsPerPe);
        assert (last_beat == (32'(f_beats_q) + 1 == (Pes * 32'(cfg_q.rows) + DrainWidth - 1) / DrainWidth));
      end else begin
        assert (next_bank_q == f_bank_q && f_beats_q == '0);
      end
      if (waiting_q) assert (32'(waiting_cfg_q.rows) >= 1 && 32'(waiting_cfg_q.rows) <= RowsPerPe);
      // Rows asked for are those of the next cycle's beat.
      if (read_o) assert (decide ? read_row_o == '0 : read_row_o == row_q + 16'(DrainRows));
      // The watched group.
      if (f_watch_q) begin
        assert (f_before_q < f_open_q);
        if (f_before_q == '0 && active_q) assert (cfg_o == f_cfg_q);
        if (f_before_q == 2'(active_q) && waiting_q) assert (waiting_cfg_q == f_cfg_q);
      end
    end
  end
