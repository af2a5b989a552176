// SPDX-License-Identifier: Apache-2.0
//
// Drives one Verilated engine: loads images, starts passes, clocks, and collects what comes out.
// One cycle is: inputs set, clock low, evaluated; outputs read; clock high, evaluated. Trusts
// neither side: whatever does not fit the capacity rules is refused, and whatever does not come
// within the cycle limit is an error, after which the engine is reset.
//
// Passes are jobs in start order. A job's weight tile and block go to the halves that the job
// before it does not use, unless a half holds them already (equal non-zero keys). A single pass is
// one job; tests give several (rtl_test_abi.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cosim/harness/messages.h"
#include "cosim/harness/observer.h"
#include "cosim/harness/ports.h"
#include "cosim/harness/rtl_test_abi.h"
#include "verilated.h"

namespace lacuna::cosim::harness {

/// What one pass produced; lacuna_rtl_result points into it.
struct PassRecord {
  std::vector<std::uint64_t> group_end, drain_end;
  std::vector<std::uint32_t> issue, mask, mac;
  std::vector<std::uint64_t> issue_offset, mask_offset, mac_offset;
  std::vector<std::uint8_t> outputs;
  std::vector<std::int32_t> psum_out;
  std::uint64_t length = 0;
  std::uint64_t start = 0;  // absolute
  std::uint64_t load_weights = 0, load_block = 0;
  std::uint64_t cycles = 0;
  lacuna_rtl_counters counters{};
};

/// Where a call failed: in which cycle of the pass that was started last.
struct FailurePlace {
  bool known = false;
  std::uint64_t pass = 0;   // of the call
  std::uint64_t start = 0;  // of the pass, counted from the first
  std::uint64_t cycle = 0;  // of the pass
};

/// A call that failed because nothing came, not because of what came: no cycle is to blame.
class Hang : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Model is the Verilated top.
template <typename Model, typename Context>
class Driver {
 public:
  Driver() : context_(std::make_unique<Context>()) {
    context_->randReset(0);
#if VM_TRACE
    // Before the first evaluation, so that a waveform may begin at any time.
    context_->traceEverOn(true);
#endif
    use_context();
    model_ = std::make_unique<Model>(context_.get(), "engine");
    model_->eval();
    read_parameters();
    way_bytes_.resize(std::max<std::size_t>(parameters_.k_ways, 8));
    values_ = static_cast<std::size_t>(parameters_.drain_width) * parameters_.lanes;
    mask_bytes_.resize(std::max<std::size_t>((values_ + 7) / 8, 8));
    data_bytes_.resize(std::max<std::size_t>(values_, 8));
    block_bytes_.resize(std::max<std::size_t>(
        static_cast<std::size_t>(parameters_.act_block) * parameters_.lanes / 8, 8));
    reset();
  }
  ~Driver() {
    use_context();
    model_->final();
    model_.reset();
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  [[nodiscard]] const lacuna_rtl_parameters& parameters() const { return parameters_; }
  /// Cycles since construction.
  [[nodiscard]] std::uint64_t now() const { return now_; }
  Model& model() { return *model_; }
  Context& context() { return *context_; }

  /// Called after each evaluation with the clock level, for traces.
  void (*on_eval)(void* user, std::uint64_t time) = nullptr;
  void* on_eval_user = nullptr;

  /// Runs the jobs; records as many. After an exception the engine is reset and holds nothing.
  void run(const lacuna_rtl_job* jobs, std::size_t count, std::vector<PassRecord>& records) {
    use_context();
    failure_ = {};
    started_ = 0;
    messages().clear();
    try {
      run_jobs(jobs, count, records);
    } catch (const Hang&) {
      reset();
      throw;
    } catch (...) {
      if (started_ > 0 && started_ <= records.size()) {
        const std::uint64_t start = records[started_ - 1].start;
        failure_ = {true, started_ - 1, start - records[0].start, now_ - start};
      }
      reset();
      throw;
    }
  }

  [[nodiscard]] const FailurePlace& failure() const { return failure_; }

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  static constexpr std::size_t kPsumWords = 65536;  // addresses of the psum memory

  struct Half {
    bool loaded = false;
    std::uint64_t key = 0;
  };
  struct Job {
    const lacuna_rtl_job* in = nullptr;
    PassRecord* out = nullptr;
    std::unique_ptr<Observer> observer;
    unsigned weight_half = 0, act_half = 0;
    std::uint64_t beats = 0;  // drain beats of a group
    std::uint64_t tile_rows = 0;
  };
  /// Position in the stream of beats (or groups) of all jobs: drains follow the order of starts.
  struct Cursor {
    std::size_t job = 0;
    std::uint64_t index = 0;  // beat within the job
  };

  [[noreturn]] static void fail(const std::string& message) { throw std::runtime_error(message); }

  /// Verilator's scopes look up the context of the thread, not of their model: with several
  /// instances, or on another thread, it would be a wrong or dead one.
  void use_context() { Verilated::threadContextp(context_.get()); }

  // ---- Clock ----
  void settle() {
    model_->clk_i = 0;
    model_->eval();
    if (on_eval != nullptr) on_eval(on_eval_user, 2 * now_);
  }
  void edge(bool checked = true) {
    model_->clk_i = 1;
    model_->eval();
    if (on_eval != nullptr) on_eval(on_eval_user, 2 * now_ + 1);
    if (messages().stops != 0) {
      if (checked) fail_assertion();
      messages().clear();
    }
    ++now_;
  }

  /// An assertion of rtl/assert failed in this cycle.
  [[noreturn]] void fail_assertion() {
    const FailedAssertion found = first_assertion(messages().text);
    messages().clear();
    std::string where = "before the first start";
    if (pass_start_ != kNever) {
      where = "in cycle " + std::to_string(now_ - pass_start_) + " of pass " +
              std::to_string(started_ - 1);
    }
    fail("assertion " + found.name + " of " + found.instance + " " + where + ": " + found.text +
         " (" + found.file + ")" +
         (found.others.empty() ? "" : "; in the same cycle: " + found.others));
  }

  void reset() {
    Model& m = *model_;
    m.ld_cmd_valid_i = 0;
    m.ld_valid_i = 0;
    m.start_valid_i = 0;
    m.release_wt_i = 0;
    m.release_act_i = 0;
    m.rst_ni = 0;
    for (int i = 0; i < 2; ++i) {
      settle();
      edge(false);
    }
    m.rst_ni = 1;
    weights_ = {};
    acts_ = {};
    last_weight_half_ = 1;
    last_act_half_ = 1;
  }

  void read_parameters() {
    std::array<std::uint32_t, 18> words{};
    get_bytes(model_->parameters_o, words.data(), sizeof(words));
    std::uint64_t latencies = 0;
    get_bytes(model_->latencies_o, &latencies, sizeof(latencies));
    lacuna_rtl_parameters& p = parameters_;
    p.abi_version = LACUNA_RTL_ABI_VERSION;
    std::uint32_t* const fields[] = {&p.pes,           &p.k_ways,
                                     &p.rows_per_pe,   &p.lanes,
                                     &p.fifo_depth,    &p.scan_width,
                                     &p.skip_empty,    &p.drain_width,
                                     &p.load_width,    &p.weight_word,
                                     &p.max_k,         &p.act_block,
                                     &p.weight_buffer, &p.activation_buffer,
                                     &p.psum_buffer,   &p.output_buffer,
                                     &p.max_windows,   &p.act_slots};
    for (std::size_t i = 0; i < words.size(); ++i) *fields[i] = words[i];
    std::uint32_t* const lags[] = {&p.l_start, &p.l_issue, &p.l_mask, &p.l_mac,
                                   &p.l_drain, &p.l_post,  &p.l_load};
    for (std::size_t i = 0; i < 7; ++i)
      *lags[i] = static_cast<std::uint32_t>((latencies >> (8 * i)) & 0xff);
  }

  // ---- Loads ----
  void check_load(const lacuna_rtl_load& load, std::uint32_t kind) const {
    const lacuna_rtl_parameters& p = parameters_;
    if (load.kind != kind) fail("load of the wrong kind");
    if (load.image == nullptr || load.image_bytes == 0 || load.image_bytes % p.load_width != 0) {
      fail("the image is not a positive number of load beats");
    }
    if (load.windows < 1 || load.windows > p.max_windows) fail("windows exceed MAX_WINDOWS");
    if (kind == 0) {
      if (load.positions < 1 || load.positions > p.max_k / p.k_ways) {
        fail("positions exceed MAX_POSITIONS");
      }
      if (load.rows < 1 || load.rows > p.rows_per_pe) fail("rows exceed RowsPerPe");
      if (load.mask_log > 3 || (8U << load.mask_log) < load.rows) {
        fail("the masks of the image do not hold the rows");
      }
      check_order(load);
    } else {
      if (load.groups < 1 || std::uint64_t{load.groups} * load.windows > p.act_slots ||
          load.groups > 0xffff) {
        fail("groups x windows exceed ACT_SLOTS");
      }
    }
  }

  /// An order entry beyond the PEs would select nothing in the drain.
  void check_order(const lacuna_rtl_load& load) const {
    const lacuna_rtl_parameters& p = parameters_;
    const auto beats = [&](std::uint64_t bits) {
      return (bits + 8 * p.load_width - 1) / (8 * p.load_width);
    };
    const std::uint64_t first = (beats(16ULL * load.windows) +
                                 beats(std::uint64_t{p.k_ways} * load.windows * p.scan_width)) *
                                p.load_width;
    const std::uint64_t entries = std::uint64_t{p.pes} * load.rows;
    if (first + entries > load.image_bytes) fail("the image ends within its tables");
    for (std::uint64_t i = 0; i < entries; ++i) {
      if (load.image[first + i] >= p.pes)
        fail("the image's channel order names a PE that is not there");
    }
  }

  /// One load under way at a time, driven cycle by cycle beside the passes.
  struct Load {
    const lacuna_rtl_load* in = nullptr;
    Half* half = nullptr;
    std::uint64_t* measured = nullptr;
    unsigned half_index = 0;
    std::size_t sent = 0;
    std::uint64_t first_beat = kNever;
    std::uint64_t gaps = 0;  // cycles without a beat since the first
    std::uint32_t wait = 0;  // cycles that the command is still held back
    bool commanded = false;
    std::size_t job = 0;
    const lacuna_rtl_job* schedule = nullptr;
  };

  void begin_load(const lacuna_rtl_load& load, unsigned half_index, std::uint64_t* measured,
                  std::size_t job_index, const lacuna_rtl_job& job, bool released) {
    Load request;
    request.in = &load;
    request.half = load.kind == 0 ? &weights_[half_index] : &acts_[half_index];
    request.half_index = half_index;
    request.measured = measured;
    request.wait = job.load_wait;
    request.job = job_index;
    request.schedule = &job;
    // Known from now on, since later jobs choose their halves while the load is under way; 0 if it
    // will be released, so that none of them counts on it.
    request.half->key = released ? 0 : load.key;
    loads_.push_back(request);
  }

  /// Whether this cycle of a load carries no beat (xorshift: the same in every run).
  bool gap(const Load& load) {
    if (load.schedule->load_gaps == 0) return false;
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return (random_ >> 32) % 256 < load.schedule->load_gaps;
  }

  void drive_command(const Load& load) {
    Model& m = *model_;
    const lacuna_rtl_load& in = *load.in;
    m.ld_cmd_valid_i = 1;
    set(m.ld_cmd_kind_i, in.kind, 1);
    set(m.ld_cmd_half_i, load.half_index, 1);
    set(m.ld_cmd_windows_i, in.windows, 16);
    set(m.ld_cmd_positions_i, in.positions, 16);
    set(m.ld_cmd_rows_i, in.rows, 16);
    set(m.ld_cmd_groups_i, in.groups, 16);
    set(m.ld_cmd_mask_log_i, in.mask_log, 2);
    set(m.ld_cmd_in_place_i, in.in_place != 0, 1);
    set(m.ld_cmd_post_i, in.post != 0, 1);
  }

  /// Inputs of the load port for this cycle. Halves to be loaded anew are released first.
  void drive_load() {
    Model& m = *model_;
    m.release_wt_i = 0;
    m.release_act_i = 0;
    m.ld_cmd_valid_i = 0;
    m.ld_valid_i = 0;
    if (loads_.empty()) return;
    unsigned released_weights = 0, released_acts = 0;
    for (Load& waiting : loads_) {
      if (!waiting.half->loaded) continue;
      (waiting.in->kind == 0 ? released_weights : released_acts) |= 1U << waiting.half_index;
      waiting.half->loaded = false;
    }
    set(m.release_wt_i, released_weights, 2);
    set(m.release_act_i, released_acts, 2);
    if (released_weights != 0 || released_acts != 0) return;
    Load& load = loads_.front();
    const lacuna_rtl_load& in = *load.in;
    // With early starts also the command of the next load waits at the port.
    if (load.commanded && loads_.size() > 1 && loads_[1].wait == 0 && !loads_[1].commanded &&
        loads_[1].schedule->start_early != 0) {
      drive_command(loads_[1]);
    }
    if (load.wait > 0) {
      --load.wait;
    } else if (!load.commanded) {
      drive_command(load);
    } else if (load.sent < in.image_bytes && gap(load)) {
      if (load.first_beat != kNever) ++load.gaps;
    } else if (load.sent < in.image_bytes) {
      m.ld_valid_i = 1;
      set_bytes(m.ld_data_i, in.image + load.sent, parameters_.load_width);
    }
  }

  /// What the load port did in this cycle.
  void observe_load() {
    if (loads_.empty()) return;
    Model& m = *model_;
    Load& load = loads_.front();
    if (m.ld_cmd_valid_i != 0 && m.ld_cmd_ready_o != 0) {
      if (!load.commanded) {
        load.commanded = true;
        return;
      }
      loads_[1].commanded = true;
    }
    if (!load.commanded) return;
    const unsigned flags = load.in->kind == 0 ? m.weights_loaded_o : m.acts_loaded_o;
    if (((flags >> load.half_index) & 1U) != 0) {
      if (load.sent != load.in->image_bytes) fail("the image is longer than its load command says");
      load.half->loaded = true;
      *load.measured = now_ - load.first_beat - load.gaps;
      loads_.erase(loads_.begin());
      return;
    }
    if (m.ld_valid_i != 0) {
      if (m.ld_ready_o == 0) fail("the load port is not ready during a load");
      if (load.first_beat == kNever) load.first_beat = now_;
      load.sent += parameters_.load_width;
    } else if (load.sent == load.in->image_bytes) {
      fail("the image is shorter than its load command says");
    }
  }

  void finish_loads() {
    while (!loads_.empty() && now_ < reset_at_) {
      drive_load();
      settle();
      observe_load();
      edge();
    }
    drive_load();
  }

  /// A half for this operand: one that holds it, else the one that the job before does not use.
  static unsigned choose_half(const std::array<Half, 2>& halves, const lacuna_rtl_load& load,
                              unsigned last_half, bool& kept) {
    for (unsigned half = 0; half < 2; ++half) {
      if (load.key != 0 && halves[half].key == load.key) {
        kept = true;
        return half;
      }
    }
    kept = false;
    return last_half ^ 1U;
  }

  /// Assigns halves to the job and queues the loads it needs.
  void prepare(Job& job, std::size_t index) {
    const lacuna_rtl_job& in = *job.in;
    bool kept = false;
    job.weight_half = choose_half(weights_, *job.in->weights, last_weight_half_, kept);
    if (!kept) {
      begin_load(*in.weights, job.weight_half, &job.out->load_weights, index, in,
                 in.release_weights != 0);
    } else if (in.release_weights != 0) {
      weights_[job.weight_half].key = 0;
    }
    job.act_half = choose_half(acts_, *job.in->block, last_act_half_, kept);
    if (!kept) {
      begin_load(*in.block, job.act_half, &job.out->load_block, index, in, in.release_block != 0);
    } else if (in.release_block != 0) {
      acts_[job.act_half].key = 0;
    }
    last_weight_half_ = job.weight_half;
    last_act_half_ = job.act_half;
  }

  // ---- Passes ----
  void check_pass(const Job& job) const {
    const lacuna_rtl_pass& pass = *job.in->pass;
    const lacuna_rtl_parameters& p = parameters_;
    if (pass.groups < 1 || pass.groups != job.in->block->groups) {
      fail("the pass has another number of groups than its block");
    }
    if (job.in->weights->windows != job.in->block->windows) {
      fail("tile and block have different windows");
    }
    if (pass.tokens < 1 || pass.tokens > 0xffff ||
        (pass.tokens + p.lanes - 1) / p.lanes != pass.groups) {
      fail("tokens do not fit the groups");
    }
    if (pass.channels < 1 ||
        (pass.channels + p.pes - 1) / p.pes != std::uint64_t{job.in->weights->rows}) {
      fail("channels do not fit the rows of the tile");
    }
    if (pass.clamp_lo < -128 || pass.clamp_hi > 255 || pass.clamp_lo > pass.clamp_hi ||
        pass.gate > 255) {
      fail("clamp or gate out of range");
    }
    if (pass.psum_write == 0 && job.in->weights->post == 0) {
      fail("a pass with outputs needs a tile with bias, multiplier and shift");
    }
    if (pass.psum_read != 0 && pass.psum_in == nullptr && job.in->chain == 0) {
      fail("a pass that reads partial sums got none");
    }
    if ((pass.psum_read != 0 || pass.psum_write != 0) &&
        job.in->psum_base + pass.groups * job.beats > kPsumWords) {
      fail("partial sums exceed the address of the psum memory");
    }
    if (pass.hold2 > pass.hold1) fail("hold2 exceeds hold1");
    if (pass.cycle_limit == 0) fail("the cycle limit is 0");
    if (job.in->load_gaps > 250) fail("a load with too many gaps");
  }

  void drive_start(const Job& job) {
    Model& m = *model_;
    const lacuna_rtl_pass& pass = *job.in->pass;
    m.start_valid_i = 1;
    set(m.start_wt_half_i, job.weight_half, 1);
    set(m.start_act_half_i, job.act_half, 1);
    set(m.start_groups_i, pass.groups, 16);
    set(m.start_tokens_i, pass.tokens, 16);
    set(m.start_channels_i, pass.channels, 16);
    set(m.start_act_signed_i, pass.act_signed != 0, 1);
    set(m.start_psum_read_i, pass.psum_read != 0, 1);
    set(m.start_psum_write_i, pass.psum_write != 0, 1);
    set(m.start_psum_base_i, job.in->psum_base, 16);
    set(m.start_clamp_lo_i, static_cast<std::uint32_t>(pass.clamp_lo), 9);
    set(m.start_clamp_hi_i, static_cast<std::uint32_t>(pass.clamp_hi), 9);
    set(m.start_gate_i, pass.gate, 8);
    set(m.start_release_wt_i, job.in->release_weights != 0, 1);
    set(m.start_release_act_i, job.in->release_block != 0, 1);
    set(m.start_hold1_i, pass.hold1, 32);
    set(m.start_hold2_i, pass.hold2, 32);
  }

  /// Whether the next job's start is offered in this cycle; `over`: no pass ran in the last one.
  bool offers_start(const std::vector<Job>& jobs, std::size_t prepared, bool over) {
    if (started_ >= prepared) return false;
    const bool loaded = loads_.empty() || loads_.front().job > started_;
    const lacuna_rtl_job& job = *jobs[started_].in;
    if (start_waited_ < job.start_wait) {
      if (loaded && over) ++start_waited_;
      return false;
    }
    // A half that is being released still counts as loaded, with its old contents.
    const bool releasing = model_->release_wt_i != 0 || model_->release_act_i != 0;
    return loaded || (job.start_early != 0 && !releasing);
  }

  /// start_ready_o while a start waits: `over`: the pass before has reached its last F.
  void check_ready(const Job& job, bool over) {
    const bool loaded = ((model_->weights_loaded_o >> job.weight_half) & 1U) != 0 &&
                        ((model_->acts_loaded_o >> job.act_half) & 1U) != 0;
    if ((model_->start_ready_o != 0) != (over && loaded)) {
      fail("the start of pass " + std::to_string(started_) +
           (over && loaded ? " is not taken though its halves are loaded" : " is taken too early"));
    }
  }

  void begin_pass(Job& job) {
    const lacuna_rtl_pass& pass = *job.in->pass;
    job.out->start = now_;
    pass_start_ = now_;
    job.observer = std::make_unique<Observer>(parameters_, pass.want_trace != 0);
    if (pass.psum_read != 0 && job.in->chain == 0) {
      const std::size_t words = pass.groups * job.beats * values_;
      std::copy(pass.psum_in, pass.psum_in + words,
                psum_.begin() + static_cast<std::ptrdiff_t>(job.in->psum_base * values_));
    }
    if (pass.psum_write != 0) {
      job.out->psum_out.assign(pass.groups * job.beats * values_, 0);
    } else {
      job.out->outputs.assign(static_cast<std::size_t>(pass.tokens) * pass.channels, 0);
    }
  }

  Job& at(std::vector<Job>& jobs, const Cursor& cursor) {
    if (cursor.job >= started_) fail("the RTL shows an event of a pass that was not started");
    return jobs[cursor.job];
  }
  static void advance(Cursor& cursor, std::uint64_t length) {
    if (++cursor.index == length) {
      cursor.index = 0;
      ++cursor.job;
    }
  }

  void observe_drain(std::vector<Job>& jobs) {
    Model& m = *model_;
    if (m.obs_beat_o != 0) {
      Job& job = at(jobs, beat_);
      ++job.out->counters.drain_beats;
      advance(beat_, job.beats * job.in->pass->groups);
    }
    if (m.drain_done_o != 0) {
      Job& job = at(jobs, drained_);
      job.out->drain_end.push_back(now_ - job.out->start);
      advance(drained_, job.in->pass->groups);
    }
    while (write_.job < started_ && jobs[write_.job].in->pass->psum_write == 0) ++write_.job;
    if (m.psum_wr_en_o != 0) {
      Job& job = at(jobs, write_);
      const std::uint64_t expected = job.in->psum_base + write_.index;
      if (m.psum_wr_addr_o != expected) fail("a partial sum is written to a wrong address");
      get_bytes(m.psum_wr_data_o, psum_.data() + expected * values_, 4 * values_);
      std::copy_n(psum_.begin() + static_cast<std::ptrdiff_t>(expected * values_), values_,
                  job.out->psum_out.begin() + static_cast<std::ptrdiff_t>(write_.index * values_));
      job.out->counters.psum_writes += values_;
      advance(write_, job.beats * job.in->pass->groups);
    }
    while (output_.job < started_ && jobs[output_.job].in->pass->psum_write != 0) ++output_.job;
    if (m.out_valid_o != 0) {
      Job& job = at(jobs, output_);
      store_output(job, output_.index);
      advance(output_, job.beats * job.in->pass->groups);
    }
  }

  /// The psum memory answers a read in the next cycle.
  void observe_psum_read(std::vector<Job>& jobs) {
    Model& m = *model_;
    if (m.psum_rd_en_o == 0) return;
    while (read_.job < started_ && jobs[read_.job].in->pass->psum_read == 0) ++read_.job;
    Job& job = at(jobs, read_);
    const std::uint64_t expected = job.in->psum_base + read_.index;
    if (m.psum_rd_addr_o != expected) fail("a partial sum is read at a wrong address");
    psum_answer_ = psum_.data() + expected * values_;
    job.out->counters.psum_reads += values_;
    advance(read_, job.beats * job.in->pass->groups);
  }

  /// Decodes an output beat: masks and packed codes to [token][channel]; the mask words of blocks
  /// must say the same as the masks of their beats.
  void store_output(Job& job, std::uint64_t index) {
    Model& m = *model_;
    const lacuna_rtl_pass& pass = *job.in->pass;
    const std::uint64_t group = index / job.beats;
    const std::uint64_t beat = index % job.beats;
    if (m.out_group_o != group || m.out_beat_o != beat) fail("an output beat is out of order");
    get_bytes(m.out_mask_o, mask_bytes_.data(), (values_ + 7) / 8);
    get_bytes(m.out_data_o, data_bytes_.data(), values_);
    const std::uint64_t width = parameters_.drain_width;
    const std::uint64_t per_block = parameters_.act_block / width;
    const bool block_end = beat % per_block == per_block - 1 || beat == job.beats - 1;
    if ((m.out_block_valid_o != 0) != block_end) fail("a mask word comes with the wrong beat");
    if (block_end) get_bytes(m.out_block_mask_o, block_bytes_.data(), block_bytes_.size());
    for (std::uint64_t lane = 0; lane < parameters_.lanes; ++lane) {
      const std::uint64_t token = group * parameters_.lanes + lane;
      std::uint64_t place = lane * width;
      for (std::uint64_t c = 0; c < width; ++c) {
        const std::uint64_t channel = beat * width + c;
        const bool exists = token < pass.tokens && channel < pass.channels;
        const bool set = test_bit(mask_bytes_.data(), lane * width + c);
        std::uint8_t code = 0;
        if (set) {
          code = data_bytes_[place++];
          if (code == 0) fail("the encoder calls a zero non-zero");
          if (!exists) fail("an output that does not exist is not zero");
          ++job.out->counters.outputs_nonzero;
        }
        if (exists) job.out->outputs[token * pass.channels + channel] = code;
      }
      for (; place < (lane + 1) * width; ++place) {
        if (data_bytes_[place] != 0) fail("packed output codes are followed by something");
      }
      if (block_end) {
        const std::uint64_t first = beat / per_block * per_block * width;
        for (std::uint64_t c = 0; c < parameters_.act_block; ++c) {
          const bool exists = token < pass.tokens && first + c < pass.channels;
          const bool expected = exists && job.out->outputs[token * pass.channels + first + c] != 0;
          if (test_bit(block_bytes_.data(), lane * parameters_.act_block + c) != expected) {
            fail("a mask word differs from the masks of its beats");
          }
        }
      }
    }
  }

  void run_jobs(const lacuna_rtl_job* in, std::size_t count, std::vector<PassRecord>& records) {
    Model& m = *model_;
    records.assign(count, PassRecord{});
    std::vector<Job> jobs(count);
    for (std::size_t i = 0; i < count; ++i) {
      jobs[i].in = &in[i];
      jobs[i].out = &records[i];
      check_load(*in[i].weights, 0);
      check_load(*in[i].block, 1);
      jobs[i].tile_rows = in[i].weights->rows;
      jobs[i].beats = (parameters_.pes * jobs[i].tile_rows + parameters_.drain_width - 1) /
                      parameters_.drain_width;
      check_pass(jobs[i]);
      // The psum memory never moves while passes run: a read is answered from it a cycle later.
      if (in[i].pass->psum_read != 0 || in[i].pass->psum_write != 0) {
        psum_.resize(std::max<std::size_t>(
            psum_.size(), (in[i].psum_base + in[i].pass->groups * jobs[i].beats) * values_));
      }
    }
    loads_.clear();
    started_ = 0;
    pass_start_ = kNever;
    beat_ = drained_ = write_ = read_ = output_ = ended_ = Cursor{};
    psum_answer_ = nullptr;
    const std::uint64_t begin = now_;
    reset_at_ = in[0].reset_after == 0 ? kNever : begin + in[0].reset_after;
    random_ = 0x9e3779b97f4a7c15ULL;
    start_waited_ = 0;
    std::size_t prepared = 0;
    for (; prepared < std::min<std::size_t>(count, 2); ++prepared) {
      if (prepared == 1 && in[1].load_wait != 0) break;
      prepare(jobs[prepared], prepared);
    }
    if (in[0].start_early == 0) finish_loads();

    std::uint64_t deadline = now_ + in[0].pass->cycle_limit + pending_load_beats();
    // The last job that runs or has run; its observer sees the PEs.
    Job* running = nullptr;
    for (;;) {
      if (now_ >= reset_at_) {
        cut_off(jobs, begin);
        return;
      }
      // Halves of the job before the running one are free again.
      if (prepared < count && prepared <= started_) {
        prepare(jobs[prepared], prepared);
        ++prepared;
        deadline += pending_load_beats();
      }
      if (!loads_.empty() || m.ld_valid_i != 0 || m.release_wt_i != 0 || m.release_act_i != 0) {
        drive_load();
      }
      if (offers_start(jobs, prepared, running == nullptr)) {
        drive_start(jobs[started_]);
      } else {
        m.start_valid_i = 0;
      }
      if (psum_answer_ != nullptr) {
        set_bytes(m.psum_rd_data_i, psum_answer_, 4 * values_);
        psum_answer_ = nullptr;
      }
      settle();

      // The end of a pass comes before the start of the next in the same cycle.
      if (m.group_done_o != 0) {
        Job& job = at(jobs, ended_);
        const std::uint64_t t = now_ - job.out->start;
        job.out->group_end.push_back(t);
        const bool last = job.out->group_end.size() == job.in->pass->groups;
        if ((m.pass_done_o != 0) != last) fail("pass_done_o comes with the wrong group");
        advance(ended_, job.in->pass->groups);
        if (last) {
          job.out->length = t;
          running = nullptr;
          if (job.in->release_weights != 0) weights_[job.weight_half].loaded = false;
          if (job.in->release_block != 0) acts_[job.act_half].loaded = false;
        }
      }
      if (running != nullptr) {
        get_bytes(m.obs_pe_o, running->observer->pe_words(), running->observer->pe_bytes());
        get_bytes(m.obs_way_o, way_bytes_.data(), parameters_.k_ways);
        running->observer->cycle(now_ - running->out->start, way_bytes_.data());
      }
      observe_drain(jobs);
      observe_psum_read(jobs);
      if (!loads_.empty()) observe_load();
      if (m.start_valid_i != 0) check_ready(jobs[started_], running == nullptr);
      if (m.start_valid_i != 0 && m.start_ready_o != 0) {
        running = &jobs[started_];
        begin_pass(*running);
        deadline = now_ + running->in->pass->cycle_limit + pending_load_beats();
        ++started_;
        start_waited_ = 0;
      }
      edge();

      if (started_ == count && drained_.job == count && all_out(jobs)) break;
      if (now_ > deadline) {
        throw Hang("no end within the cycle limit of " +
                   std::to_string(in[started_ == 0 ? 0 : started_ - 1].pass->cycle_limit) +
                   " cycles: " + whereabouts(jobs));
      }
    }
    m.start_valid_i = 0;
    for (Job& job : jobs) finish(job, begin);
  }

  /// What has not come yet, for an engine that hangs.
  [[nodiscard]] std::string whereabouts(const std::vector<Job>& jobs) const {
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    if (!loads_.empty()) {
      const Load& load = loads_.front();
      return "the load of the " + std::string(load.in->kind == 0 ? "tile" : "block") + " of pass " +
             number(load.job) + " is at byte " + number(load.sent) + " of " +
             number(load.in->image_bytes);
    }
    if (ended_.job < started_) {
      return "pass " + number(ended_.job) + " has ended " + number(ended_.index) + " of " +
             number(jobs[ended_.job].in->pass->groups) + " groups";
    }
    if (started_ < jobs.size()) return "pass " + number(started_) + " has not started";
    if (drained_.job < started_) {
      return "pass " + number(drained_.job) + " has drained " + number(drained_.index) + " of " +
             number(jobs[drained_.job].in->pass->groups) + " groups";
    }
    return "output beats or partial sums are missing";
  }

  /// Resets the engine in the middle; only jobs whose last beat is out keep their records.
  void cut_off(std::vector<Job>& jobs, std::uint64_t begin) {
    (void)all_out(jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (drained_.job > i && write_.job > i && output_.job > i) {
        finish(jobs[i], begin);
      } else {
        *jobs[i].out = PassRecord{};
      }
    }
    loads_.clear();
    psum_answer_ = nullptr;
    reset();
  }

  /// Beats of loads that the deadline has to wait for.
  [[nodiscard]] std::uint64_t pending_load_beats() const {
    std::uint64_t beats = 0;
    for (const Load& load : loads_) beats += load.in->image_bytes / parameters_.load_width + 4;
    return beats;
  }

  /// Partial sums and output beats of the last drains have left the pipeline.
  [[nodiscard]] bool all_out(const std::vector<Job>& jobs) {
    while (write_.job < jobs.size() && jobs[write_.job].in->pass->psum_write == 0) ++write_.job;
    while (output_.job < jobs.size() && jobs[output_.job].in->pass->psum_write != 0) ++output_.job;
    return write_.job == jobs.size() && output_.job == jobs.size();
  }

  void finish(Job& job, std::uint64_t begin) {
    PassRecord& out = *job.out;
    const lacuna_rtl_pass& pass = *job.in->pass;
    job.observer->finish(out.length);
    lacuna_rtl_counters seen = job.observer->counters();
    seen.drain_beats = out.counters.drain_beats;
    seen.psum_reads = out.counters.psum_reads;
    seen.psum_writes = out.counters.psum_writes;
    seen.outputs_nonzero = out.counters.outputs_nonzero;
    seen.outputs = pass.psum_write != 0 ? 0 : std::uint64_t{pass.channels} * pass.tokens;
    out.counters = seen;
    if (pass.want_trace != 0) {
      job.observer->append_trace(out.issue, out.issue_offset, out.mask, out.mask_offset, out.mac,
                                 out.mac_offset);
    }
    out.cycles = now_ - begin;
  }

  std::unique_ptr<Context> context_;
  std::unique_ptr<Model> model_;
  lacuna_rtl_parameters parameters_{};
  std::uint64_t now_ = 0;   // cycles since construction
  std::size_t values_ = 0;  // channels x lanes of a beat
  std::array<Half, 2> weights_{}, acts_{};
  unsigned last_weight_half_ = 1, last_act_half_ = 1;
  std::vector<Load> loads_;
  std::vector<std::int32_t> psum_;
  const std::int32_t* psum_answer_ = nullptr;
  std::vector<std::uint8_t> way_bytes_, mask_bytes_, data_bytes_, block_bytes_;
  std::size_t started_ = 0;
  std::uint64_t pass_start_ = kNever;  // cycle in which the last pass of this call started
  FailurePlace failure_;
  std::uint32_t start_waited_ = 0;   // cycles that the next start has been held back
  std::uint64_t reset_at_ = kNever;  // cycle in which a reset is due
  std::uint64_t random_ = 0;         // for gaps in loads
  Cursor beat_, drained_, write_, read_, output_, ended_;
};

}  // namespace lacuna::cosim::harness
