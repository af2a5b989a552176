// SPDX-License-Identifier: Apache-2.0
//
// Processing element (engine.md, section 5): FIFO, mask stage, MAC stage, two accumulator banks.
//
//   cycle   I+1      M            M+1 .. S          S+i              S+i+1     S+i+2
//           push     pop, read    mask known,       slot i: read     multiply  accumulate
//           (way)    mask, ptr    dropped or taken  weight i
//
// A slot is the cycle in which a weight is selected and its word requested; its sum can be read
// from the second cycle after the next one on (L_MAC). The value word stays in the output register
// of the value memory, so that consecutive weights in the same word cost one read.
//
// Banks: entries up to and including one that carries `last` belong to a group and go to one bank,
// the next group to the other. A bank that has seen its `last` is busy until release_i. Whether a
// row has been written in its bank is a valid bit, so banks need not be cleared.
//
// drain_read_i fetches the rows drain_row_i .. of a bank; drain_data_o holds them from the next
// cycle on, row-major, lane 0 lowest; rows that were never written or do not exist are 0.
//
// The loader writes one word a cycle: LoadWidth elements {pointer, mask} or LoadWidth bytes of
// values. A word written at the end of cycle t may be used from t+1 on. The half being written is
// never the one being read.

module pe #(
  parameter int unsigned RowsPerPe    = 32,
  parameter int unsigned Lanes        = 1,
  parameter int unsigned FifoDepth    = 16,
  parameter int unsigned SkipEmpty    = 1,
  parameter int unsigned LoadWidth    = 16,
  parameter int unsigned WeightWord   = 8,
  parameter int unsigned MaxPositions = 1024,
  parameter int unsigned ValueBytes   = 2048,
  parameter int unsigned DrainRows    = 1,
  localparam int unsigned PosW      = lacuna_pkg::index_width(MaxPositions),
  localparam int unsigned RowW      = lacuna_pkg::index_width(RowsPerPe),
  localparam int unsigned PtrW      = lacuna_pkg::index_width(ValueBytes + 1),
  localparam int unsigned EntryW    = 2 + PosW + lacuna_pkg::CODE_W * Lanes,
  localparam int unsigned ElementW  = PtrW + RowsPerPe,
  localparam int unsigned MetaWords = lacuna_pkg::ceil_div(MaxPositions, LoadWidth),
  localparam int unsigned MetaAddrW = lacuna_pkg::index_width(MetaWords),
  localparam int unsigned ValWords  = lacuna_pkg::ceil_div(ValueBytes, LoadWidth),
  localparam int unsigned ValAddrW  = lacuna_pkg::index_width(ValWords),
  localparam int unsigned LaneSumW  = lacuna_pkg::SUM_W * Lanes,
  localparam int unsigned ObsW      = lacuna_pkg::obs_pe_width(Lanes)
) (
  input  logic                           clk_i,
  input  logic                           rst_ni,
  // Loader.
  input  logic                           meta_write_i /* verilator public_flat_rd */,
  input  logic [MetaAddrW-1:0]           meta_addr_i,
  input  logic [LoadWidth*ElementW-1:0]  meta_data_i,
  input  logic                           value_write_i /* verilator public_flat_rd */,
  input  logic [ValAddrW-1:0]            value_addr_i,
  input  logic [8*LoadWidth-1:0]         value_data_i,
  input  logic                           load_half_i,
  // The running pass.
  input  logic                           weight_half_i,
  input  logic                           in_place_i,
  input  logic                           act_signed_i,
  // Broadcast: {has_k, last, position, values}.
  input  logic                           push_i /* verilator public_flat_rd */,
  input  logic [EntryW-1:0]              entry_i /* verilator public_flat_rd */,
  output logic                           full_o,
  output logic                           almost_full_o,
  // Banks: finished_o says that all slots of the bank's group are over.
  input  logic [1:0]                     hold_i,
  input  logic [1:0]                     release_i,
  output logic [1:0]                     finished_o,
  input  logic                           drain_read_i,
  input  logic                           drain_bank_i,
  input  logic [15:0]                    drain_row_i,
  output logic [DrainRows*LaneSumW-1:0]  drain_data_o,
  output logic [ObsW-1:0]                obs_o
);
  // For speed of the Verilated model only: one function for all PEs instead of one each. It needs
  // the inputs above that differ between PEs to remain signals (public_flat_rd).
  /* verilator no_inline_module */

  localparam int unsigned CODE_W = lacuna_pkg::CODE_W;
  localparam int unsigned SUM_W = lacuna_pkg::SUM_W;
  localparam int unsigned VALUES_W = CODE_W * Lanes;
  localparam int unsigned WORD_LOG = $clog2(WeightWord);
  localparam int unsigned META_ELEMENT_W = lacuna_pkg::index_width(LoadWidth << MetaAddrW);
  localparam int unsigned VAL_ELEMENT_W =
      lacuna_pkg::index_width((LoadWidth / WeightWord) << ValAddrW);
  localparam int unsigned PROD_W = 2 * CODE_W + 1;
  // Pointers extended so that a word number of at least one bit remains above the byte number.
  localparam int unsigned ADDR_W = lacuna_pkg::at_least(PtrW, WORD_LOG + 1);

  // ---- FIFO ----
  logic              head_valid;
  logic [EntryW-1:0] head;
  logic              pop;

  fifo #(
    .Width(EntryW),
    .Depth(FifoDepth)
  ) u_fifo (
    .clk_i,
    .rst_ni,
    .push_i,
    .data_i       (entry_i),
    .pop_i        (pop),
    .valid_o      (head_valid),
    .data_o       (head),
    .full_o,
    .almost_full_o
  );

  logic            head_has_k;
  logic [PosW-1:0] head_pos;

  assign head_has_k = head[EntryW-1];
  assign head_pos   = head[VALUES_W +: PosW];

  // ---- Mask stage ----
  logic                 stage_valid_q;
  logic                 stage_has_k_q;
  logic                 stage_last_q;
  logic [VALUES_W-1:0]  stage_values_q;
  logic [ElementW-1:0]  stage_meta;
  logic [RowsPerPe-1:0] stage_mask;
  logic [PtrW-1:0]      stage_ptr;
  logic                 stage_any;
  logic                 drop;
  logic                 take;

  load_ram #(
    .Width  (ElementW),
    .PerWord(LoadWidth),
    .Words  (MetaWords)
  ) u_meta (
    .clk_i,
    .write_i       (meta_write_i),
    .write_half_i  (load_half_i),
    .write_word_i  (meta_addr_i),
    .data_i        (meta_data_i),
    .read_i        (pop && head_has_k),
    .read_half_i   (weight_half_i),
    .read_element_i(META_ELEMENT_W'(head_pos)),
    .data_o        (stage_meta)
  );

  assign stage_mask = stage_has_k_q ? stage_meta[RowsPerPe-1:0] : '0;
  assign stage_ptr  = stage_meta[ElementW-1:RowsPerPe];
  assign stage_any  = stage_mask != '0;
  assign drop       = (SkipEmpty != 0) && stage_valid_q && !stage_any && !stage_last_q;
  assign pop        = head_valid && (!stage_valid_q || drop || take);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      stage_valid_q <= 1'b0;
    end else if (pop) begin
      stage_valid_q <= 1'b1;
    end else if (drop || take) begin
      stage_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (pop) begin
      stage_has_k_q  <= head_has_k;
      stage_last_q   <= head[EntryW-2];
      stage_values_q <= head[VALUES_W-1:0];
    end
  end

  // ---- MAC stage: slots ----
  logic [RowsPerPe-1:0] rest_q;
  logic                 mac_last_q;
  logic                 mac_bank_q;
  logic [VALUES_W-1:0]  mac_values_q;
  logic [PtrW-1:0]      mac_ptr_q;
  logic                 bank_q;
  logic [1:0]           busy_q;
  logic [1:0]           busy_set;
  logic [1:0]           finished_set;
  logic                 group_over;
  logic                 mac_busy;
  logic                 slot;
  logic                 slot_mac;
  logic [RowsPerPe-1:0] cur_mask;
  logic [RowsPerPe-1:0] cur_rest;
  logic [RowW-1:0]      cur_row;
  logic [PtrW-1:0]      cur_ptr;
  logic [PtrW-1:0]      weight_addr;
  logic                 cur_last;
  logic                 cur_bank;

  assign mac_busy = rest_q != '0;
  assign take     = stage_valid_q && !drop && !mac_busy && !busy_q[bank_q] && !hold_i[bank_q];
  assign slot     = take || mac_busy;
  assign cur_mask = take ? stage_mask : rest_q;
  assign cur_ptr  = take ? stage_ptr : mac_ptr_q;
  assign cur_last = take ? stage_last_q : mac_last_q;
  assign cur_bank = take ? bank_q : mac_bank_q;
  assign slot_mac = mac_busy || (take && stage_any);

  lowest_one #(
    .Width(RowsPerPe)
  ) u_row (
    .bits_i (cur_mask),
    .rest_o (cur_rest),
    .index_o(cur_row)
  );

  assign busy_set     = {take && stage_last_q && bank_q, take && stage_last_q && !bank_q};
  assign group_over   = slot && cur_last && (cur_rest == '0);
  assign finished_set = {group_over && cur_bank, group_over && !cur_bank};

  assign weight_addr = in_place_i ? cur_ptr + PtrW'(cur_row) : cur_ptr;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      rest_q     <= '0;
      bank_q     <= 1'b0;
      busy_q     <= '0;
      finished_o <= '0;
    end else begin
      if (slot) begin
        rest_q <= cur_rest;
      end
      if (take && stage_last_q) begin
        bank_q <= !bank_q;
      end
      busy_q     <= (busy_q & ~release_i) | busy_set;
      finished_o <= (finished_o & ~release_i) | finished_set;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      mac_last_q   <= stage_last_q;
      mac_bank_q   <= bank_q;
      mac_values_q <= stage_values_q;
    end
    if (slot) begin
      mac_ptr_q <= in_place_i ? cur_ptr : cur_ptr + PtrW'(1);
    end
  end

  // ---- Weight read: the word in the cycle after the slot ----
  logic [ADDR_W-1:0]          weight_addr_wide;
  logic [ADDR_W-WORD_LOG-1:0] word_addr;
  logic [ADDR_W-WORD_LOG-1:0] word_addr_q;
  logic                       word_read;
  logic [8*WeightWord-1:0]    word;
  logic [WORD_LOG-1:0]        byte_q;
  logic                       mul_valid_q;
  logic                       mul_bank_q;
  logic [RowW-1:0]            mul_row_q;

  assign weight_addr_wide = ADDR_W'(weight_addr);
  assign word_addr        = weight_addr_wide[ADDR_W-1:WORD_LOG];
  assign word_read        = slot_mac && (take || (word_addr != word_addr_q));

  load_ram #(
    .Width  (8 * WeightWord),
    .PerWord(LoadWidth / WeightWord),
    .Words  (ValWords)
  ) u_values (
    .clk_i,
    .write_i       (value_write_i),
    .write_half_i  (load_half_i),
    .write_word_i  (value_addr_i),
    .data_i        (value_data_i),
    .read_i        (word_read),
    .read_half_i   (weight_half_i),
    .read_element_i(VAL_ELEMENT_W'(word_addr)),
    .data_o        (word)
  );

  always_ff @(posedge clk_i) begin
    if (slot_mac) begin
      word_addr_q <= word_addr;
      byte_q      <= weight_addr_wide[WORD_LOG-1:0];
      mul_row_q   <= cur_row;
      mul_bank_q  <= cur_bank;
    end
  end

  // ---- Multiply, accumulate ----
  logic signed [CODE_W-1:0]   weight;
  logic [Lanes-1:0]           gated;
  logic                       add_valid_q;
  logic                       add_bank_q;
  logic [RowW-1:0]            add_row_q;
  logic [RowsPerPe-1:0]       written0_q;
  logic [RowsPerPe-1:0]       written1_q;
  logic                       written;
  logic                       first_write;
  logic [LaneSumW-1:0]        acc_q [2 << RowW];
  logic [LaneSumW-1:0]        acc_next;

  assign weight      = word[byte_q*CODE_W +: CODE_W];
  assign written     = add_bank_q ? written1_q[add_row_q] : written0_q[add_row_q];
  assign first_write = add_valid_q && !written;

  for (genvar v = 0; v < Lanes; v++) begin : gen_lane
    logic signed [CODE_W:0]   value;
    logic signed [PROD_W-1:0] product_q;
    logic [SUM_W-1:0]         sum_old;
    assign value = {act_signed_i & mac_values_q[v*CODE_W + CODE_W-1],
                    mac_values_q[v*CODE_W +: CODE_W]};
    assign gated[v] = mul_valid_q && (value == '0);
    always_ff @(posedge clk_i) begin
      if (mul_valid_q) begin
        product_q <= PROD_W'(weight) * PROD_W'(value);
      end
    end
    assign sum_old = written ? acc_q[{add_bank_q, add_row_q}][v*SUM_W +: SUM_W] : '0;
    assign acc_next[v*SUM_W +: SUM_W] = sum_old + SUM_W'(product_q);
  end

  always_ff @(posedge clk_i) begin
    if (add_valid_q) begin
      acc_q[{add_bank_q, add_row_q}] <= acc_next;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      mul_valid_q <= 1'b0;
      add_valid_q <= 1'b0;
      written0_q  <= '0;
      written1_q  <= '0;
    end else begin
      mul_valid_q <= slot_mac;
      add_valid_q <= mul_valid_q;
      if (first_write) begin
        if (add_bank_q) begin
          written1_q[add_row_q] <= 1'b1;
        end else begin
          written0_q[add_row_q] <= 1'b1;
        end
      end
      if (release_i[0]) begin
        written0_q <= '0;
      end
      if (release_i[1]) begin
        written1_q <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (mul_valid_q) begin
      add_row_q  <= mul_row_q;
      add_bank_q <= mul_bank_q;
    end
  end

  // ---- Drain read ----
  for (genvar i = 0; i < DrainRows; i++) begin : gen_drain_row
    logic [15:0]          row;
    logic [RowsPerPe-1:0] rows_written;
    logic                 present;
    assign row          = drain_row_i + 16'(i);
    assign rows_written = drain_bank_i ? written1_q : written0_q;
    assign present      = (row < 16'(RowsPerPe)) && rows_written[row[RowW-1:0]];
    always_ff @(posedge clk_i) begin
      if (drain_read_i) begin
        drain_data_o[i*LaneSumW +: LaneSumW] <=
            present ? acc_q[{drain_bank_i, row[RowW-1:0]}] : '0;
      end
    end
  end

  // ---- Observation ----
  always_comb begin
    obs_o = '0;
    obs_o[lacuna_pkg::OBS_PE_POP]   = pop;
    obs_o[lacuna_pkg::OBS_PE_TAKE]  = take;
    obs_o[lacuna_pkg::OBS_PE_MAC]   = slot_mac;
    obs_o[lacuna_pkg::OBS_PE_SLOT]  = slot && !slot_mac;
    obs_o[lacuna_pkg::OBS_PE_WORD]  = word_read;
    obs_o[lacuna_pkg::OBS_PE_FIRST] = first_write;
    obs_o[lacuna_pkg::OBS_PE_META]  = pop && head_has_k;
    obs_o[lacuna_pkg::OBS_PE_GATED +: Lanes] = gated;
  end

endmodule
