// SPDX-License-Identifier: Apache-2.0
//
// Compares passes with the RTL, on the caller's thread or on workers behind a bounded queue. What
// it reports does not depend on the number of workers: passes are independent, sums commute, and of
// several mismatches the one with the lowest pass index is kept.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cosim/plugin.h"
#include "timing/engine/pass.h"

namespace lacuna::cosim {

/// A pass as the model computed it; owns everything a worker needs.
struct CheckJob {
  std::shared_ptr<const timing::engine::Tile> tile;
  std::shared_ptr<const timing::engine::Block> block;
  timing::engine::PassCommand command;
  std::vector<std::int32_t> psum_in;
  timing::engine::PassResult driven;  ///< what drove the simulation, without a trace
  int core = 0;
  std::string layer;
  std::int64_t pass_index = 0;
};

/// Runs one pass on some RTL, traced. Called by one thread at a time.
using RtlRunner = std::function<RtlPassResult(const CheckJob& job)>;
/// Makes a runner for one worker; may be called by several threads at once.
using RtlRunnerFactory = std::function<RtlRunner()>;

/// After so many mismatches, in order of pass index, no later pass is compared: the RTL is broken,
/// and one that hangs costs its cycle limit every time.
inline constexpr std::size_t kMaxMismatches = 20;

/// Up to the pass of the last mismatch, if there were kMaxMismatches.
struct CheckTotals {
  std::int64_t checked = 0;
  std::int64_t cycles = 0;
  std::int64_t mismatches = 0;
  bool gave_up = false;
  std::optional<std::string> first_mismatch;
};

class PassChecker {
 public:
  /// threads <= 1: check() compares before it returns.
  PassChecker(const params::EngineParams& engine, RtlRunnerFactory factory, int threads);
  PassChecker(const PassChecker&) = delete;
  PassChecker& operator=(const PassChecker&) = delete;
  /// Drops what is still queued.
  ~PassChecker();

  /// Compares the pass now, or queues it; waits while the queue is full. Throws what a worker
  /// threw.
  void check(CheckJob job);

  /// Waits for everything queued. Throws what a worker threw.
  [[nodiscard]] CheckTotals finish();

 private:
  void compare(const CheckJob& job, RtlRunner& runner);
  [[nodiscard]] bool is_needless(std::int64_t pass_index) const;
  [[nodiscard]] CheckTotals totals() const;
  void work();
  void rethrow_failure(std::unique_lock<std::mutex>& lock);
  void stop();

  params::EngineParams engine_;
  RtlRunnerFactory factory_;
  std::size_t capacity_ = 0;
  RtlRunner own_runner_;  ///< without workers

  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable filled_;
  std::deque<CheckJob> queue_;
  bool closed_ = false;
  std::exception_ptr failure_;
  struct Checked {
    std::int64_t pass_index;
    base::Cycle cycles;
  };
  std::vector<Checked> checked_;
  /// Sorted, at most kMaxMismatches; a pass behind the last one of a full list is not compared.
  std::vector<std::int64_t> mismatches_;
  std::optional<std::string> first_mismatch_;
  std::vector<std::thread> workers_;
};

/// The whole report on one mismatch.
[[nodiscard]] std::string mismatch_report(const params::EngineParams& engine, const CheckJob& job,
                                          const std::string& first,
                                          const std::vector<std::string>& kinds);

}  // namespace lacuna::cosim
