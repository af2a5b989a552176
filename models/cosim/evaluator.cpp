// SPDX-License-Identifier: Apache-2.0
#include "cosim/evaluator.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "timing/engine/block.h"
#include "timing/engine/latencies.h"
#include "timing/engine/tile.h"

namespace lacuna::cosim {
namespace {

using timing::engine::Block;
using timing::engine::EvaluateOptions;
using timing::engine::PassCommand;
using timing::engine::PassResult;
using timing::engine::Tile;

/// Remembered results are dropped, all at once, when they take about this many bytes.
constexpr std::size_t kMemoryWords = (std::size_t{64} << 20U) / 8;
/// Waking a thread costs the one that does it about a pass: not for less than this many of them.
/// What nobody has begun the caller evaluates itself.
constexpr int kWorthWaking = 3;
/// How often a waiting thread lets others run before it sleeps.
constexpr int kYields = 60;
constexpr std::size_t kSeenKeys = std::size_t{1} << 18U;

/// A result that was evaluated with `assumed` is that of `command` too.
bool holds_for(const PassResult& result, base::Cycle hold1, base::Cycle hold2,
               const PassCommand& command) {
  if (hold1 == command.hold1 && hold2 == command.hold2) return true;
  return !result.carry_in_used && command.hold1 <= hold1 && command.hold2 <= hold2;
}

/// The carry-in of a pass that follows one like it without a gap: its last drain has just begun.
/// The drain before that one is over before the pass can use its bank.
PassCommand expected(const params::EngineParams& engine, const Tile& tile, PassCommand command) {
  command.hold1 = timing::engine::kDrainLatency + timing::engine::drain_beats(engine, tile.rows);
  command.hold2 = std::min<base::Cycle>(command.hold1, timing::engine::kFillLatency);
  return command;
}

/// Of everything that the cycles and counters of a pass depend on but the carry-in.
std::uint64_t timing_key(const PassRequest& request) {
  const PassCommand& command = request.command;
  const std::uint64_t bits = (command.act_signed ? 1U : 0U) | (command.psum_read ? 2U : 0U) |
                             (command.psum_write ? 4U : 0U);
  return base::hash_combine(base::hash_combine(request.tile->key, request.block->key), bits);
}

}  // namespace

Evaluator::Evaluator(const params::EngineParams& engine, int threads)
    : engine_(engine), seen_(kSeenKeys, 0) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
}

Evaluator::~Evaluator() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    queue_.clear();
  }
  filled_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Evaluator::perform(Job& job) const {
  try {
    EvaluateOptions options;
    options.functional = job.functional;
    options.own_sums = job.command.psum_read;  // others are known when the pass before is computed
    job.result = timing::engine::evaluate(engine_, *job.tile, *job.block, job.command, {}, options);
  } catch (...) {
    job.failure = std::current_exception();
  }
}

void Evaluator::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (open_ == 0) {
      lock.unlock();
      for (int i = 0; i < kYields && open_ == 0; ++i) std::this_thread::yield();
      lock.lock();
    }
    ++sleeping_;
    filled_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    --sleeping_;
    if (closed_) return;
    const std::shared_ptr<Job> job = begin_next();
    if (job == nullptr) continue;
    lock.unlock();
    perform(*job);
    job->done = true;
    lock.lock();
    finished_.notify_all();
  }
}

std::shared_ptr<Evaluator::Job> Evaluator::begin_next() {
  while (!queue_.empty()) {
    std::shared_ptr<Job> job = std::move(queue_.front());
    queue_.pop_front();
    if (job->started) continue;
    job->started = true;
    --open_;
    return job;
  }
  return nullptr;
}

void Evaluator::wait_for(const Job& job) {
  // Rather than nothing, what is next.
  while (!job.done && open_ > 0) {
    std::shared_ptr<Job> next;
    {
      const std::lock_guard lock(mutex_);
      next = begin_next();
    }
    if (next == nullptr) break;
    perform(*next);
    next->done = true;
  }
  for (int i = 0; i < kYields && !job.done; ++i) std::this_thread::yield();
  if (job.done) return;
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [&job] { return job.done.load(); });
}

void Evaluator::foresee(const PassRequest& request, std::uint64_t ticket) {
  if (workers_.empty()) return;
  const PassCommand command = expected(engine_, *request.tile, request.command);
  if (!request.compute && remembered(timing_key(request), command) != nullptr) return;
  auto job = std::make_shared<Job>();
  job->tile = request.tile;
  job->block = request.block;
  job->command = command;
  job->functional = request.compute;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    jobs_[ticket] = job;
    queue_.push_back(std::move(job));
    wake = ++open_ >= kWorthWaking && sleeping_ > 0;
  }
  if (wake) filled_.notify_one();
}

std::shared_ptr<Evaluator::Job> Evaluator::take(std::uint64_t ticket) {
  std::shared_ptr<Job> job;
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(ticket);
    if (found == jobs_.end()) return nullptr;
    job = std::move(found->second);
    jobs_.erase(found);
    if (!job->started) {  // nobody has begun: the caller knows the true carry-in
      job->started = true;
      --open_;
      return nullptr;
    }
  }
  wait_for(*job);
  return job;
}

const Evaluator::Memory* Evaluator::remembered(std::uint64_t key,
                                               const PassCommand& command) const {
  const auto found = memory_.find(key);
  if (found == memory_.end()) return nullptr;
  const Memory& memory = found->second;
  return holds_for(memory.result, memory.hold1, memory.hold2, command) ? &memory : nullptr;
}

PassResult Evaluator::evaluate(const PassRequest& request, std::uint64_t ticket) {
  const std::shared_ptr<Job> job = workers_.empty() ? nullptr : take(ticket);
  const std::uint64_t key = request.compute ? 0 : timing_key(request);
  if (!request.compute) {
    if (const Memory* memory = remembered(key, request.command)) return memory->result;
  }
  PassResult result;
  PassCommand command = request.command;
  EvaluateOptions options;
  options.functional = request.compute;
  if (job != nullptr) {
    if (job->failure) std::rethrow_exception(job->failure);
    result = std::move(job->result);
    options.timing = !holds_for(result, job->command.hold1, job->command.hold2, command);
    options.functional = request.compute && !job->functional;
    if (!options.timing) command = job->command;
  }
  if (options.timing || options.functional) {
    PassResult rest = timing::engine::evaluate(engine_, *request.tile, *request.block,
                                               request.command, request.psum_in, options);
    if (!options.timing || !options.functional) {  // the worker has done the other part
      PassResult& function = options.functional ? rest : result;
      PassResult& timing = options.timing ? rest : result;
      timing.outputs = std::move(function.outputs);
      timing.psum_out = std::move(function.psum_out);
      timing.counters.outputs_nonzero = function.counters.outputs_nonzero;
      if (options.timing) result = std::move(rest);
    } else {
      result = std::move(rest);
    }
  }
  if (job != nullptr && job->functional && request.command.psum_read) {
    timing::engine::add_partial_sums(engine_, *request.tile, *request.block, request.command,
                                     request.psum_in, result);
  }
  if (!request.compute && std::exchange(seen_[key % kSeenKeys], key) == key) {
    memory_words_ += 64 + 2 * result.group_end.size();
    if (memory_words_ > kMemoryWords) {
      memory_.clear();
      memory_words_ = 64 + 2 * result.group_end.size();
    }
    memory_[key] = {result, command.hold1, command.hold2};
  }
  return result;
}

}  // namespace lacuna::cosim
