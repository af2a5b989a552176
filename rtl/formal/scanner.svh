  // Properties of scanner.sv (engine.md, section 4), for any contents of its tables.
  //
  // Any one hit is watched: bit `f_bit` of window `f_window` in any group that `f_pick` chooses. The
  // tables may hold anything (free_tables.sv), but for the watched slot they keep to f_mask,
  // f_present, f_base and f_values. As the choice is free, what is proved for it holds for every hit
  // of every window of every group.
  logic [WINDOW_W-1:0]  f_window;
  logic [BIT_W-1:0]     f_bit;
  logic [ScanWidth-1:0] f_mask;
  logic [ScanWidth-1:0] f_present;
  logic [PosW-1:0]      f_base;
  logic [ValueW-1:0]    f_values;
  (* anyseq *)   logic                 f_pick;

  logic                f_reset_q = 1'b0;
  logic                f_watch_q;        // the group at hand is the watched one
  logic                f_seen_q;         // its watched hit has been issued
  logic                f_last_q;         // its `last` has been issued
  logic [WINDOW_W-1:0] f_at_q;           // window at hand
  logic                f_any_q;          // something with k was issued in this group: ..
  logic [WINDOW_W-1:0] f_prev_window_q;  // .. window and bit of it
  logic [BIT_W-1:0]    f_prev_bit_q;
  logic [15:0]         f_group_q;        // group at hand, groups and windows of the pass
  logic [15:0]         f_groups_q;
  logic [SLOT_W-1:0]   f_windows_q;
  logic                f_must_stand_q;   // a window or group must stand in this cycle

  logic f_fetch_group;
  logic f_fetch_watched;
  logic f_hit;
  logic f_now;    // the watched hit is issued
  logic f_order;  // the issue is above the one before it
  logic [31:0] f_below;

  assign f_fetch_group   = fetch && (start_i || next_group);
  assign f_fetch_watched = f_fetch_group ? f_pick : f_watch_q;
  assign f_hit           = f_mask[f_bit] && f_present[f_bit];
  assign f_now           = issue_o && !no_k_o && f_watch_q && (f_at_q == f_window) && (bit_index == f_bit);
  assign f_order         = !f_any_q || (f_prev_window_q < f_at_q) ||
                           ((f_prev_window_q == f_at_q) && (f_prev_bit_q < bit_index));

  always_comb begin
    f_below = '0;
    for (int unsigned i = 0; i < ScanWidth; i++) begin
      if (i < 32'(f_bit)) f_below = f_below + 32'(f_mask[i]);
    end
  end

  always_comb begin : environment
    // A pass starts after the one before it, in halves that nobody loads.
    assume (!(start_i && active_q));
    assume (!(present_write_i || slot_write_i || base_write_i || load_clear_i));
    assume (start_groups_i != '0);
    assume (start_windows_i != '0 && 32'(start_windows_i) <= MaxWindows);
    assume (32'(f_window) < MaxWindows);
    // What loading makes true: a window is marked when its mask, its `present` are not empty.
    if (f_fetch_group && f_pick) begin
      assume (candidates[f_window] == ((f_mask != '0) && (f_present != '0)));
    end
    if (fetch && f_fetch_watched && (candidates != '0) && (window == f_window)) begin
      assume (fetch_entry == {f_values, f_mask});
      assume (fetch_present == f_present);
      assume (fetch_base == 16'(f_base));
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) f_reset_q <= 1'b1;
    if (f_fetch_group) begin
      f_watch_q <= f_pick;
      f_seen_q  <= 1'b0;
      f_last_q  <= 1'b0;
      f_any_q   <= 1'b0;
    end else begin
      f_seen_q <= f_seen_q || f_now;
      f_last_q <= f_last_q || (issue_o && last_o);
      if (issue_o && !no_k_o) begin
        f_any_q         <= 1'b1;
        f_prev_window_q <= f_at_q;
        f_prev_bit_q    <= bit_index;
      end
    end
    if (fetch) f_at_q <= window;
    if (start_i) begin
      f_group_q   <= '0;
      f_groups_q  <= start_groups_i;
      f_windows_q <= SLOT_W'(start_windows_i);
    end else if (next_group) begin
      f_group_q <= f_group_q + 16'd1;
    end
    f_must_stand_q <= rst_ni && (start_i || (active_q && !(issue_o && last_o && (f_group_q + 16'd1 == f_groups_q))));
  end

  always_comb begin : properties
    if (f_reset_q) begin
      if (!active_q) assert (!issue_o && !obs_empty_o && !obs_blocked_o && !obs_visited_o);
      // From start to the last group's `last` something stands in every cycle, and nothing after it.
      if (f_must_stand_q) assert (active_q);
      if (active_q) begin
        // Each cycle is exactly one of: issue, empty, blocked. Issue needs room; empty does not.
        assert (32'(issue_o) + 32'(obs_empty_o) + 32'(obs_blocked_o) == 1);
        assert (!issue_o || room_i);
        assert (!obs_blocked_o || !room_i);
        if (obs_empty_o) assert (done && obs_visited_o && hits_q == '0);
        // A hit is issued at most once and only if it is one; before `last` all have been.
        if (f_now) assert (f_hit && !f_seen_q);
        if (f_watch_q && issue_o && last_o) assert (f_seen_q || f_now || !f_hit);
        // With the right position and value.
        if (f_now) assert (position_o == PosW'(32'(f_base) + 32'(f_bit)));
        if (f_now) assert (value_addr_o == AddrW'(32'(f_values) + f_below));
        // Lowest first.
        if (issue_o && !no_k_o) assert (f_order && hits_q[bit_index]);
        // `last` exactly once a group; it alone ends the group; an entry without k carries it.
        assert (!f_last_q);
        assert (next_group == (issue_o && last_o));
        if (issue_o && no_k_o) assert (last_o);
        if (issue_o && no_k_o && f_watch_q && (f_at_q == f_window) && !none_q) assert ((f_mask & f_present) == '0);
        // As many groups as were asked for, their slots one after another.
        assert (f_group_q < f_groups_q);
        assert (groups_q == f_groups_q - f_group_q);
        assert (windows_q == f_windows_q);
        if (next_group && fetch) assert (fetch_slot == SLOT_W'(slot_q + f_windows_q));
        // Why (invariants): what is still to come lies above what stands, hits above what was issued.
        if (none_q) assert (visit_q == '0 && hits_q == '0 && !f_any_q);
        else assert ((visit_q & ~({MaxWindows{1'b1}} << f_at_q << 1)) == '0);
        if (f_any_q) assert (f_prev_window_q <= f_at_q);
        if (f_any_q && (f_prev_window_q == f_at_q)) begin
          assert ((hits_q & ~({ScanWidth{1'b1}} << f_prev_bit_q << 1)) == '0);
        end
        if (f_watch_q && f_seen_q) assert (f_hit);
        if (f_watch_q) begin
          if (!none_q && (f_at_q == f_window)) begin
            assert (mask_q == f_mask && base_q == f_base && values_q == f_values);
            assert ((hits_q & ~(f_mask & f_present)) == '0);
            assert (hits_q[f_bit] == (f_hit && !f_seen_q));
            if (!f_any_q || (f_prev_window_q != f_at_q)) assert (hits_q == (f_mask & f_present));
          end else if (visit_q[f_window]) begin
            assert (!f_seen_q);
          end else begin
            assert (f_seen_q == f_hit);
          end
        end
      end
    end
  end

  // The choices that stay: registers that nothing initializes and nothing changes.
  (* anyseq *) logic f_hold;
  always_comb assume (f_hold);
  always_ff @(posedge clk_i) begin
    f_window <= f_hold ? f_window : '0;
    f_bit <= f_hold ? f_bit : '0;
    f_mask <= f_hold ? f_mask : '0;
    f_present <= f_hold ? f_present : '0;
    f_base <= f_hold ? f_base : '0;
    f_values <= f_hold ? f_values : '0;
  end
