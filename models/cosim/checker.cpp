// SPDX-License-Identifier: Apache-2.0
#include "cosim/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "cosim/compare.h"

namespace lacuna::cosim {

namespace {

/// Passes waiting per worker: enough to keep it busy, few enough that their blocks fit in caches.
constexpr std::size_t kQueuedPerWorker = 4;

}  // namespace

std::string mismatch_report(const params::EngineParams& engine, const CheckJob& job,
                            const std::string& first, const std::vector<std::string>& kinds) {
  return fmt::format("layer {}, core {}, pass {}: {}\n  differs in: {}\n  {}\n  parameters: {}",
                     job.layer, job.core, job.pass_index, first, base::join(kinds, ", "),
                     describe_pass(*job.tile, *job.block, job.command),
                     base::join(rtl_arguments(engine), " "));
}

PassChecker::PassChecker(const params::EngineParams& engine, RtlRunnerFactory factory, int threads)
    : engine_(engine), factory_(std::move(factory)) {
  if (threads <= 1) return;
  capacity_ = kQueuedPerWorker * static_cast<std::size_t>(threads);
  try {
    for (int i = 0; i < threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (...) {
    stop();
    throw;
  }
}

PassChecker::~PassChecker() { stop(); }

void PassChecker::stop() {
  {
    const std::lock_guard lock(mutex_);
    queue_.clear();
    closed_ = true;
  }
  filled_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void PassChecker::rethrow_failure(std::unique_lock<std::mutex>& lock) {
  if (!failure_) return;
  const std::exception_ptr failure = failure_;
  lock.unlock();
  std::rethrow_exception(failure);
}

void PassChecker::check(CheckJob job) {
  if (workers_.empty()) {
    if (!own_runner_) own_runner_ = factory_();
    compare(job, own_runner_);
    return;
  }
  std::unique_lock lock(mutex_);
  room_.wait(lock, [&] { return queue_.size() < capacity_ || failure_; });
  rethrow_failure(lock);
  queue_.push_back(std::move(job));
  lock.unlock();
  filled_.notify_one();
}

CheckTotals PassChecker::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  filled_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  std::unique_lock lock(mutex_);
  rethrow_failure(lock);
  return totals();
}

void PassChecker::work() {
  try {
    RtlRunner runner;
    for (;;) {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, [&] { return !queue_.empty() || closed_; });
      if (queue_.empty() || failure_) return;
      const CheckJob job = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      room_.notify_one();
      if (!runner) runner = factory_();
      compare(job, runner);
    }
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
    room_.notify_all();
  }
}

void PassChecker::compare(const CheckJob& job, RtlRunner& runner) {
  {
    const std::lock_guard lock(mutex_);
    if (is_needless(job.pass_index)) return;
  }
  const RtlPassResult rtl = runner(job);
  // The kernel that traces is another one than the fast one that drove the simulation: first the
  // two against each other, then the traced one against the RTL.
  timing::engine::EvaluateOptions options;
  options.trace = true;
  const timing::engine::PassResult traced =
      timing::engine::evaluate(engine_, *job.tile, *job.block, job.command, job.psum_in, options);
  std::optional<Difference> difference = compare_untraced(engine_, *job.tile, job.driven, traced);
  if (!difference) difference = compare_pass(engine_, *job.tile, *job.block, traced, rtl);

  const std::lock_guard lock(mutex_);
  checked_.push_back({job.pass_index, job.driven.length});
  if (!difference) return;
  const auto at = std::lower_bound(mismatches_.begin(), mismatches_.end(), job.pass_index);
  if (at == mismatches_.begin()) {
    first_mismatch_ = mismatch_report(engine_, job, difference->first, difference->kinds);
  }
  mismatches_.insert(at, job.pass_index);
  if (mismatches_.size() > kMaxMismatches) mismatches_.pop_back();
}

bool PassChecker::is_needless(std::int64_t pass_index) const {
  return mismatches_.size() == kMaxMismatches && pass_index > mismatches_.back();
}

CheckTotals PassChecker::totals() const {
  // Passes come in order of their index, so all up to the last mismatch that counts were compared.
  CheckTotals totals;
  totals.gave_up = mismatches_.size() == kMaxMismatches;
  totals.mismatches = static_cast<std::int64_t>(mismatches_.size());
  totals.first_mismatch = first_mismatch_;
  for (const Checked& pass : checked_) {
    if (is_needless(pass.pass_index)) continue;
    ++totals.checked;
    totals.cycles += pass.cycles;
  }
  return totals;
}

}  // namespace lacuna::cosim
