// SPDX-License-Identifier: Apache-2.0
//
// Load port: takes a weight tile or an activation block, one beat a cycle without a break, and
// steers each beat to its memory (engine.md, section 9: the images; each section begins in a new
// beat, so a beat has one destination).
//
//   IDLE ─ weights ─► BASE ► PRESENT ► ORDER ► [POST ► SHIFT] ► (MASK ► [VALUE]) per way and PE
//        └ block ───► (SLOT ► [ACT]) per way
//
// Pointers are made here: `run_q` counts the set mask bits before the beat. Tables of scanners and
// drain and activation values are written at the end of the cycle of the beat. Words for the PEs
// (LoadWidth elements {pointer, mask}, or LoadWidth values) go through a register first; a PE reads
// its masks in the third cycle after a start at the earliest, so they are there in time. An element
// word is written again with each beat that adds to it; elements beyond those received so far are
// meaningless and never read.
//
// done_o is high in the cycle of the last beat. Sizes are trusted: the capacity rules are the
// mapper's. Zero windows, positions, rows or groups are not allowed.

module loader #(
  parameter int unsigned Pes          = 16,
  parameter int unsigned KWays        = 4,
  parameter int unsigned RowsPerPe    = 32,
  parameter int unsigned Lanes        = 1,
  parameter int unsigned ScanWidth    = 32,
  parameter int unsigned LoadWidth    = 16,
  parameter int unsigned MaxPositions = 1024,
  parameter int unsigned MaxWindows   = 64,
  parameter int unsigned ActSlots     = 256,
  parameter int unsigned ValueBytes   = 2048,
  parameter int unsigned ActBytes     = 4096,
  parameter int unsigned DrainWidth   = 16,
  localparam int unsigned ActValues  = ActBytes / Lanes,
  localparam int unsigned ActW       = lacuna_pkg::index_width(ActValues + 1),
  localparam int unsigned BeatW      = 8 * LoadWidth,
  localparam int unsigned PeW        = lacuna_pkg::index_width(Pes),
  localparam int unsigned PtrW       = lacuna_pkg::index_width(ValueBytes + 1),
  localparam int unsigned MaskWordW  = lacuna_pkg::at_least(ScanWidth, BeatW),
  localparam int unsigned PerWord    = MaskWordW / ScanWidth,
  localparam int unsigned SlotAddrW  =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(ActSlots, PerWord)),
  localparam int unsigned BaseAddrW  =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(2 * MaxWindows, LoadWidth)),
  localparam int unsigned PresAddrW  =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(KWays * MaxWindows, PerWord)),
  localparam int unsigned ActAddrW   =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(ActBytes, LoadWidth)),
  localparam int unsigned MetaAddrW  =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(MaxPositions, LoadWidth)),
  localparam int unsigned ChannelW   = lacuna_pkg::index_width(
      lacuna_pkg::table_places(Pes, RowsPerPe, LoadWidth, DrainWidth)),
  localparam int unsigned ElementW   = PtrW + RowsPerPe,
  localparam int unsigned MetaW      = LoadWidth * ElementW,
  localparam int unsigned ValAddrW   =
      lacuna_pkg::index_width(lacuna_pkg::ceil_div(ValueBytes, LoadWidth))
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  // Command; taken when start_i is high, which must only be while idle_o is.
  output logic                 idle_o,
  input  logic                 start_i,
  input  logic                 kind_i,
  input  logic                 half_i,
  input  logic [15:0]          windows_i,
  input  logic [15:0]          positions_i,
  input  logic [15:0]          rows_i,
  input  logic [15:0]          groups_i,
  input  logic [1:0]           mask_log_i,
  input  logic                 in_place_i,
  input  logic                 post_i,
  // Beats.
  input  logic                 valid_i,
  output logic                 ready_o,
  input  logic [BeatW-1:0]     data_i,
  output logic                 done_o,
  // What is being loaded.
  output logic                 kind_o,
  output logic                 half_o,
  output logic [15:0]          windows_o,
  // Scanner tables, activation values: with the beat. One write bit per way.
  output logic                 base_write_o,
  output logic [BaseAddrW-1:0] base_addr_o,
  output logic                 present_write_o,
  output logic [PresAddrW-1:0] present_addr_o,
  output logic [KWays-1:0]     slot_write_o,
  output logic [SlotAddrW-1:0] slot_addr_o,
  output logic [ActW-1:0]      slot_values_o,
  output logic [MaskWordW-1:0] mask_word_o,
  output logic [KWays-1:0]     act_write_o,
  output logic [ActAddrW-1:0]  act_addr_o,
  // Tables of the drain: with the beat; table_channel_o is the first channel in it.
  output logic                 order_write_o,
  output logic                 post_write_o,
  output logic                 shift_write_o,
  output logic [ChannelW-1:0]  table_channel_o,
  // PEs: in the cycle after the beat.
  output logic                 pe_half_o,
  output logic [PeW-1:0]       pe_index_o,
  output logic [KWays-1:0]     meta_write_o,
  output logic [MetaAddrW-1:0] meta_addr_o,
  output logic [MetaW-1:0]     meta_data_o,
  output logic [KWays-1:0]     value_write_o,
  output logic [ValAddrW-1:0]  value_addr_o,
  output logic [BeatW-1:0]     value_data_o
);

  localparam int unsigned COUNT_W = 32;
  localparam int unsigned LOAD_LOG = $clog2(LoadWidth);
  localparam int unsigned PARTS = MaskWordW / BeatW;
  localparam int unsigned PART_W = lacuna_pkg::index_width(PARTS);
  localparam int unsigned WAY_W = lacuna_pkg::index_width(KWays);
  // Bits of a mask byte group that exist, for the four sizes of masks in the image.
  localparam int unsigned MASK0_W = (RowsPerPe < 8) ? RowsPerPe : 8;
  localparam int unsigned MASK1_W = (RowsPerPe < 16) ? RowsPerPe : 16;
  localparam int unsigned MASK2_W = (RowsPerPe < 32) ? RowsPerPe : 32;
  localparam int unsigned MASK3_W = (RowsPerPe < 64) ? RowsPerPe : 64;

  typedef enum logic [3:0] {
    IDLE, BASE, PRESENT, ORDER, POST, SHIFT, MASK, VALUE, SLOT, ACT
  } state_e;

  state_e             state_q;
  logic [COUNT_W-1:0] count_q;     // elements of the section still to come, this beat's included
  logic [COUNT_W-1:0] index_q;     // words of the section so far
  logic [COUNT_W-1:0] run_q;       // set mask bits (values) of this PE or way so far
  logic [PART_W-1:0]  part_q;      // beat within a mask word
  logic [WAY_W-1:0]   way_q;
  logic [PeW-1:0]     pe_q;

  logic               half_q;
  logic               kind_q;
  logic [15:0]        windows_q;
  logic [15:0]        positions_q;
  logic [15:0]        rows_q;
  logic [1:0]         mask_log_q;
  logic               in_place_q;
  logic               post_q;
  logic [COUNT_W-1:0] channels_q;  // P * rows
  logic [COUNT_W-1:0] masks_q;     // Q * windows
  logic [COUNT_W-1:0] slots_q;     // groups * windows
  logic [COUNT_W-1:0] dense_q;     // positions * rows

  logic               beat;
  logic               whole;       // this beat completes a word
  logic [COUNT_W-1:0] step;        // elements of a word
  logic               section_end;
  logic               last_pe;
  logic               last_way;
  logic [COUNT_W-1:0] beat_ones;
  logic [COUNT_W-1:0] total;       // values of this PE or way
  logic               pe_over;     // the beat is the last of a PE
  logic               way_over;    // the beat is the last of a way of a block

  assign idle_o    = state_q == IDLE;
  assign ready_o   = state_q != IDLE;
  assign beat      = valid_i && ready_o;
  assign kind_o    = kind_q;
  assign half_o    = half_q;
  assign windows_o = windows_q;

  assign whole = ((state_q != PRESENT) && (state_q != SLOT)) || (part_q == PART_W'(PARTS - 1));

  always_comb begin
    unique case (state_q)
      BASE:          step = COUNT_W'(LoadWidth / 2);
      PRESENT, SLOT: step = COUNT_W'(PerWord);
      POST:          step = COUNT_W'(LoadWidth / 8);
      MASK:          step = COUNT_W'(LoadWidth) >> mask_log_q;
      ACT:           step = COUNT_W'(LoadWidth / Lanes);
      default:       step = COUNT_W'(LoadWidth);
    endcase
  end

  assign section_end = beat && whole && (count_q <= step);
  assign last_pe     = pe_q == PeW'(Pes - 1);
  assign last_way    = way_q == WAY_W'(KWays - 1);

  always_comb begin
    beat_ones = '0;
    if (beat && ((state_q == MASK) || (state_q == SLOT))) begin
      beat_ones = COUNT_W'($countones(data_i));
    end
  end

  assign total    = (in_place_q && (state_q == MASK)) ? dense_q : run_q + beat_ones;
  assign pe_over  = section_end &&
                    ((state_q == VALUE) || ((state_q == MASK) && (total == '0)));
  assign way_over = section_end && ((state_q == ACT) || ((state_q == SLOT) && (total == '0)));
  assign done_o   = (pe_over && last_pe && last_way) || (way_over && last_way);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= IDLE;
    end else if (start_i) begin
      state_q <= kind_i ? SLOT : BASE;
    end else if (done_o) begin
      state_q <= IDLE;
    end else if (section_end) begin
      unique case (state_q)
        BASE:    state_q <= PRESENT;
        PRESENT: state_q <= ORDER;
        ORDER:   state_q <= post_q ? POST : MASK;
        POST:    state_q <= SHIFT;
        SHIFT:   state_q <= MASK;
        MASK:    state_q <= (total == '0) ? MASK : VALUE;
        VALUE:   state_q <= MASK;
        SLOT:    state_q <= (total == '0) ? SLOT : ACT;
        default: state_q <= SLOT;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      kind_q      <= kind_i;
      half_q      <= half_i;
      windows_q   <= windows_i;
      positions_q <= positions_i;
      rows_q      <= rows_i;
      mask_log_q  <= mask_log_i;
      in_place_q  <= in_place_i;
      post_q      <= post_i;
      channels_q  <= COUNT_W'(Pes) * COUNT_W'(rows_i);
      masks_q     <= COUNT_W'(KWays) * COUNT_W'(windows_i);
      slots_q     <= COUNT_W'(groups_i) * COUNT_W'(windows_i);
      dense_q     <= COUNT_W'(positions_i) * COUNT_W'(rows_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      count_q <= kind_i ? COUNT_W'(groups_i) * COUNT_W'(windows_i) : COUNT_W'(windows_i);
      index_q <= '0;
      run_q   <= '0;
      part_q  <= '0;
      way_q   <= '0;
      pe_q    <= '0;
    end else if (beat) begin
      part_q <= whole ? '0 : part_q + PART_W'(1);
      if (whole) begin
        count_q <= count_q - step;
        index_q <= index_q + COUNT_W'(1);
      end
      if ((state_q == MASK) && in_place_q) begin
        run_q <= run_q + (COUNT_W'(rows_q) << (LOAD_LOG - 32'(mask_log_q)));
      end else begin
        run_q <= run_q + beat_ones;
      end
      if (section_end) begin
        index_q <= '0;
        unique case (state_q)
          BASE:                count_q <= masks_q;
          PRESENT, POST:       count_q <= channels_q;
          ORDER:               count_q <= post_q ? channels_q : COUNT_W'(positions_q);
          SHIFT, VALUE:        count_q <= COUNT_W'(positions_q);
          MASK:                count_q <= (total == '0) ? COUNT_W'(positions_q) : total;
          SLOT:                count_q <= (total == '0) ? slots_q : total;
          default:             count_q <= slots_q;
        endcase
      end
      if (pe_over) begin
        run_q <= '0;
        pe_q  <= last_pe ? '0 : pe_q + PeW'(1);
        if (last_pe) begin
          way_q <= way_q + WAY_W'(1);
        end
      end
      if (way_over) begin
        run_q <= '0;
        way_q <= way_q + WAY_W'(1);
      end
    end
  end

  // ---- Mask words: a beat, or several beats ----
  if (PARTS > 1) begin : gen_parts
    logic [MaskWordW-BeatW-1:0] parts_q;
    logic [COUNT_W-1:0]         word_run_q;
    always_ff @(posedge clk_i) begin
      if (beat) begin
        parts_q <= mask_word_o[MaskWordW-1:BeatW];
        if (part_q == '0) begin
          word_run_q <= run_q;
        end
      end
    end
    assign mask_word_o   = {data_i, parts_q};
    assign slot_values_o = ActW'((part_q == '0) ? run_q : word_run_q);
  end else begin : gen_one_part
    assign mask_word_o   = data_i;
    assign slot_values_o = ActW'(run_q);
  end

  // ---- With the beat ----
  assign base_write_o    = beat && (state_q == BASE);
  assign base_addr_o     = BaseAddrW'(index_q);
  assign present_write_o = beat && (state_q == PRESENT) && whole;
  assign present_addr_o  = PresAddrW'(index_q);
  assign slot_addr_o     = SlotAddrW'(index_q);
  assign act_addr_o      = ActAddrW'(index_q);
  assign order_write_o   = beat && (state_q == ORDER);
  assign post_write_o    = beat && (state_q == POST);
  assign shift_write_o   = beat && (state_q == SHIFT);
  assign table_channel_o =
      ChannelW'((state_q == POST) ? index_q << (LOAD_LOG - 3) : index_q << LOAD_LOG);

  always_comb begin
    slot_write_o = '0;
    act_write_o  = '0;
    if (beat && (state_q == SLOT)) begin
      slot_write_o[way_q] = whole;
    end
    if (beat && (state_q == ACT)) begin
      act_write_o[way_q] = 1'b1;
    end
  end

  // ---- Elements {pointer, mask} of a beat of masks ----
  logic               mask_beat;
  logic [MetaW-1:0]   elements;
  logic [COUNT_W-1:0] first_element;  // place of the beat's first element in its word

  assign mask_beat     = beat && (state_q == MASK);
  assign first_element =
      (index_q << (LOAD_LOG - 32'(mask_log_q))) & COUNT_W'(LoadWidth - 1);

  always_comb begin : make_elements
    logic [PtrW-1:0]      pointer;
    logic [RowsPerPe-1:0] mask;
    elements = '0;
    pointer  = PtrW'(run_q);
    mask     = '0;
    if (mask_beat) begin
      for (int unsigned e = 0; e < LoadWidth; e++) begin
        mask = '0;
        unique case (mask_log_q)
          2'd0: begin
            mask[MASK0_W-1:0] = data_i[8*e +: MASK0_W];
          end
          2'd1: begin
            if (e < LoadWidth / 2) mask[MASK1_W-1:0] = data_i[16*(e % (LoadWidth/2)) +: MASK1_W];
          end
          2'd2: begin
            if (e < LoadWidth / 4) mask[MASK2_W-1:0] = data_i[32*(e % (LoadWidth/4)) +: MASK2_W];
          end
          default: begin
            if (e < LoadWidth / 8) mask[MASK3_W-1:0] = data_i[64*(e % (LoadWidth/8)) +: MASK3_W];
          end
        endcase
        elements[e*ElementW +: ElementW] = {pointer, mask};
        pointer = pointer + (in_place_q ? PtrW'(rows_q) : PtrW'($countones(mask)));
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (mask_beat) begin
      meta_data_o <= (meta_data_o & ~({MetaW{1'b1}} << (first_element * ElementW))) |
                     (elements << (first_element * ElementW));
      meta_addr_o <= MetaAddrW'((index_q << (LOAD_LOG - 32'(mask_log_q))) >> LOAD_LOG);
    end
    if (beat && (state_q == VALUE)) begin
      value_data_o <= data_i;
      value_addr_o <= ValAddrW'(index_q);
    end
    if (beat) begin
      pe_half_o  <= half_q;
      pe_index_o <= pe_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      meta_write_o  <= '0;
      value_write_o <= '0;
    end else begin
      meta_write_o  <= mask_beat ? KWays'(1) << way_q : '0;
      value_write_o <= (beat && (state_q == VALUE)) ? KWays'(1) << way_q : '0;
    end
  end

endmodule
