// SPDX-License-Identifier: Apache-2.0
#include "verify/execute.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace lacuna::verify {

namespace engine = timing::engine;

namespace {

class Execution {
 public:
  Execution(const params::EngineParams& params, cosim::RtlInstance& rtl, const Case& made,
            std::vector<PassEvidence>* evidence)
      : params_(params), rtl_(rtl), made_(made), evidence_(evidence) {}

  CaseOutcome run() {
    outcome_.work.cases = 1;
    outcome_.work.kinds[static_cast<std::size_t>(made_.kind)] = 1;
    const int all = static_cast<int>(made_.passes.size());
    switch (made_.kind) {
      case CaseKind::kAlone:
        alone();
        break;
      case CaseKind::kLive:
        sequence(0, all, 0, 0);
        break;
      case CaseKind::kReset:
        sequence(0, made_.cut, made_.reset_after, 0);
        if (!outcome_.mismatch) sequence(made_.cut, all, 0, 1);
        break;
    }
    outcome_.work.mismatches = outcome_.mismatch ? 1 : 0;
    return std::move(outcome_);
  }

 private:
  void alone() {
    const Stimulus& pass = made_.passes.front();
    PassEvidence seen;
    seen.command = pass.command;
    seen.rtl = rtl_.run(*pass.tile, *pass.block, pass.command, pass.psum_in, true);
    compare(0, pass.psum_in, std::move(seen));
  }

  void sequence(int begin, int end, int reset_after, int number) {
    std::vector<cosim::RtlJob> jobs;
    std::uint32_t base = 0;
    for (int i = begin; i < end; ++i) {
      const Stimulus& pass = made_.passes[static_cast<std::size_t>(i)];
      const bool sums = pass.command.psum_read || pass.command.psum_write;
      // Passes of a chain share their place in the partial-sum memory, others have their own.
      if (i > begin && sums && !pass.chain) base = next_base_;
      cosim::RtlJob job;
      job.tile = pass.tile.get();
      job.block = pass.block.get();
      job.command = pass.command;
      job.psum_in = pass.psum_in;
      job.psum_base = sums ? base : 0;
      job.chain = pass.chain;
      const Schedule& from = pass.schedule;
      job.schedule = {static_cast<std::uint32_t>(from.load_wait),
                      static_cast<std::uint32_t>(from.load_gaps),
                      static_cast<std::uint32_t>(from.start_wait),
                      from.start_early,
                      from.release_weights,
                      from.release_block};
      jobs.push_back(job);
      if (sums) {
        next_base_ = base + static_cast<std::uint32_t>(
                                pass.block->groups * engine::drain_beats(params_, pass.tile->rows));
      }
    }
    next_base_ = 0;
    cosim::RtlSequenceResult result = rtl_.run_sequence(jobs, reset_after, true);
    if (!result.error.empty()) {
      // The pass that was started last, if the failure has a cycle.
      const int index = begin + std::max(0, result.error_pass);
      const Stimulus& pass = made_.passes[static_cast<std::size_t>(index)];
      PassEvidence seen;
      seen.command = pass.command;
      seen.rtl.error = std::move(result.error);
      seen.rtl.error_cycle = result.error_cycle;
      seen.start = result.error_start;
      seen.sequence = number;
      // What a pass before left is not known; the model runs only to tell what was to come.
      std::vector<std::int32_t> sums = pass.psum_in;
      if (pass.chain) {
        sums.assign(static_cast<std::size_t>(
                        engine::psum_words(params_, pass.tile->rows, pass.block->groups)),
                    0);
      }
      compare(index, sums, std::move(seen));
      return;
    }
    compare_sequence(begin, number, std::move(result));
  }

  void compare_sequence(int begin, int number, cosim::RtlSequenceResult result) {
    engine::PassResult before;
    engine::PassCommand before_command;
    for (std::size_t n = 0; n < result.passes.size() && !outcome_.mismatch; ++n) {
      const int index = begin + static_cast<int>(n);
      const Stimulus& pass = made_.passes[static_cast<std::size_t>(index)];
      PassEvidence seen;
      seen.command = pass.command;
      seen.rtl = std::move(result.passes[n]);
      // Each pass tells the cycles of the whole call.
      if (n + 1 < result.passes.size()) seen.rtl.rtl_cycles = 0;
      seen.start = result.starts[n];
      seen.sequence = number;
      if (n > 0) {
        const base::Cycle apart = result.starts[n] - result.starts[n - 1];
        if (apart < before.length) {
          differs(index,
                  {fmt::format("start of the pass: RTL {} cycles after the one before, whose "
                               "last F in the model is {}",
                               apart, before.length),
                   {"start"},
                   {"start", 0}});
          return;
        }
        const engine::CarryIn carry = engine::carry_in(before, before_command, apart);
        seen.command.hold1 = carry.hold1;
        seen.command.hold2 = carry.hold2;
      }
      const std::vector<std::int32_t> left = std::move(before.psum_out);
      before_command = seen.command;
      before = compare(index, pass.chain ? left : pass.psum_in, std::move(seen));
    }
  }

  /// Evaluates the pass in both kernels and compares; returns the model's result without a trace.
  engine::PassResult compare(int index, std::span<const std::int32_t> psum_in, PassEvidence seen) {
    const Stimulus& pass = made_.passes[static_cast<std::size_t>(index)];
    engine::EvaluateOptions options;
    options.trace = true;
    engine::PassResult traced =
        engine::evaluate(params_, *pass.tile, *pass.block, seen.command, psum_in, options);
    engine::PassResult fast =
        engine::evaluate(params_, *pass.tile, *pass.block, seen.command, psum_in);
    auto difference = cosim::compare_untraced(params_, *pass.tile, fast, traced);
    if (!difference) {
      difference = cosim::compare_pass(params_, *pass.tile, *pass.block, traced, seen.rtl);
    }
    if (difference) differs(index, std::move(*difference));

    Work& work = outcome_.work;
    ++work.passes;
    work.cycles += fast.length;
    work.rtl_cycles += static_cast<std::int64_t>(seen.rtl.rtl_cycles);
    work.entries += static_cast<std::int64_t>(fast.counters.broadcasts);
    work.counters += fast.counters;
    if (evidence_ != nullptr) {
      seen.model = std::move(traced);
      evidence_->push_back(std::move(seen));
    }
    return fast;
  }

  void differs(int pass, cosim::Difference difference) {
    outcome_.mismatch = Mismatch{pass, std::move(difference)};
  }

  const params::EngineParams& params_;
  cosim::RtlInstance& rtl_;
  const Case& made_;
  std::vector<PassEvidence>* evidence_;
  CaseOutcome outcome_;
  std::uint32_t next_base_ = 0;
};

}  // namespace

Work& Work::operator+=(const Work& other) {
  cases += other.cases;
  passes += other.passes;
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) kinds[kind] += other.kinds[kind];
  cycles += other.cycles;
  rtl_cycles += other.rtl_cycles;
  entries += other.entries;
  mismatches += other.mismatches;
  counters += other.counters;
  return *this;
}

CaseOutcome execute(const params::EngineParams& params, cosim::RtlInstance& rtl, const Case& made,
                    std::vector<PassEvidence>* evidence) {
  return Execution(params, rtl, made, evidence).run();
}

}  // namespace lacuna::verify
