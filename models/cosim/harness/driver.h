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
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cosim/harness/capacity_checks.h"
#include "cosim/harness/load_port.h"
#include "cosim/harness/messages.h"
#include "cosim/harness/observer.h"
#include "cosim/harness/output_decoder.h"
#include "cosim/harness/ports.h"
#include "cosim/harness/records.h"
#include "cosim/harness/rtl_test_abi.h"
#include "verilated.h"

namespace lacuna::cosim::harness {

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
    loads_.emplace(*model_, parameters_);
    decoder_.emplace(*model_, parameters_);
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
  struct Job {
    const lacuna_rtl_job* in = nullptr;
    PassRecord* out = nullptr;
    std::unique_ptr<Observer> observer;
    Halves halves;
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
    loads_->forget();
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

  /// Clocks until nothing waits to be loaded, or a reset is due. Hang if the engine takes nothing
  /// for `limit` cycles.
  void finish_loads(std::uint64_t limit) {
    while (!loads_->idle() && now_ < reset_at_) {
      loads_->drive();
      settle();
      loads_->observe(now_);
      edge();
      if (loads_->waited() > limit) {
        throw Hang("no load within the cycle limit of " + std::to_string(limit) +
                   " cycles: " + loads_->whereabouts());
      }
    }
    loads_->drive();
  }

  // ---- Passes ----
  void drive_start(const Job& job) {
    Model& m = *model_;
    const lacuna_rtl_pass& pass = *job.in->pass;
    m.start_valid_i = 1;
    set(m.start_wt_half_i, job.halves.weights, 1);
    set(m.start_act_half_i, job.halves.acts, 1);
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
    const bool loaded = loads_->ready_for(started_);
    const lacuna_rtl_job& job = *jobs[started_].in;
    if (start_waited_ < job.start_wait) {
      if (loaded && over) ++start_waited_;
      return false;
    }
    return loaded || (job.start_early != 0 && !loads_->releasing());
  }

  /// start_ready_o while a start waits: `over`: the pass before has reached its last F.
  void check_ready(const Job& job, bool over) {
    const bool loaded = ((model_->weights_loaded_o >> job.halves.weights) & 1U) != 0 &&
                        ((model_->acts_loaded_o >> job.halves.acts) & 1U) != 0;
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
      decoder_->decode(*job.in->pass, job.beats, output_.index, *job.out);
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

  void run_jobs(const lacuna_rtl_job* in, std::size_t count, std::vector<PassRecord>& records) {
    Model& m = *model_;
    records.assign(count, PassRecord{});
    std::vector<Job> jobs(count);
    for (std::size_t i = 0; i < count; ++i) {
      jobs[i].in = &in[i];
      jobs[i].out = &records[i];
      check_load(parameters_, *in[i].weights, 0);
      check_load(parameters_, *in[i].block, 1);
      jobs[i].tile_rows = in[i].weights->rows;
      jobs[i].beats = (parameters_.pes * jobs[i].tile_rows + parameters_.drain_width - 1) /
                      parameters_.drain_width;
      check_pass(parameters_, in[i], jobs[i].beats);
      // The psum memory never moves while passes run: a read is answered from it a cycle later.
      if (in[i].pass->psum_read != 0 || in[i].pass->psum_write != 0) {
        psum_.resize(std::max<std::size_t>(
            psum_.size(), (in[i].psum_base + in[i].pass->groups * jobs[i].beats) * values_));
      }
    }
    loads_->abandon();
    started_ = 0;
    pass_start_ = kNever;
    beat_ = drained_ = write_ = read_ = output_ = ended_ = Cursor{};
    psum_answer_ = nullptr;
    const std::uint64_t begin = now_;
    reset_at_ = in[0].reset_after == 0 ? kNever : begin + in[0].reset_after;
    start_waited_ = 0;
    std::size_t prepared = 0;
    for (; prepared < std::min<std::size_t>(count, 2); ++prepared) {
      if (prepared == 1 && in[1].load_wait != 0) break;
      jobs[prepared].halves = loads_->place(in[prepared], prepared, records[prepared]);
    }
    if (in[0].start_early == 0) finish_loads(in[0].pass->cycle_limit);

    std::uint64_t deadline = now_ + in[0].pass->cycle_limit + loads_->pending_beats();
    // The last job that runs or has run; its observer sees the PEs.
    Job* running = nullptr;
    for (;;) {
      if (now_ >= reset_at_) {
        cut_off(jobs, begin);
        return;
      }
      // Halves of the job before the running one are free again.
      if (prepared < count && prepared <= started_) {
        jobs[prepared].halves = loads_->place(in[prepared], prepared, records[prepared]);
        ++prepared;
        deadline += loads_->pending_beats();
      }
      if (loads_->active()) loads_->drive();
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
          if (job.in->release_weights != 0) loads_->released_weights(job.halves.weights);
          if (job.in->release_block != 0) loads_->released_acts(job.halves.acts);
        }
      }
      if (running != nullptr) {
        get_bytes(m.obs_pe_o, running->observer->pe_words(), running->observer->pe_bytes());
        get_bytes(m.obs_way_o, way_bytes_.data(), parameters_.k_ways);
        running->observer->cycle(now_ - running->out->start, way_bytes_.data());
      }
      observe_drain(jobs);
      observe_psum_read(jobs);
      loads_->observe(now_);
      if (m.start_valid_i != 0) check_ready(jobs[started_], running == nullptr);
      if (m.start_valid_i != 0 && m.start_ready_o != 0) {
        running = &jobs[started_];
        begin_pass(*running);
        deadline = now_ + running->in->pass->cycle_limit + loads_->pending_beats();
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
    if (!loads_->idle()) return loads_->whereabouts();
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
    psum_answer_ = nullptr;
    reset();
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
  std::optional<LoadPort<Model>> loads_;
  std::optional<OutputDecoder<Model>> decoder_;
  std::vector<std::int32_t> psum_;
  const std::int32_t* psum_answer_ = nullptr;
  std::vector<std::uint8_t> way_bytes_;
  std::size_t started_ = 0;
  std::uint64_t pass_start_ = kNever;  // cycle in which the last pass of this call started
  FailurePlace failure_;
  std::uint32_t start_waited_ = 0;   // cycles that the next start has been held back
  std::uint64_t reset_at_ = kNever;  // cycle in which a reset is due
  Cursor beat_, drained_, write_, read_, output_, ended_;
};

}  // namespace lacuna::cosim::harness
