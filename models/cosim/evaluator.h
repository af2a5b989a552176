// SPDX-License-Identifier: Apache-2.0
//
// Evaluates passes on the cycle model, ahead of simulated time where it can. A pass is a pure
// function of tile, block, command and carry-in; only the carry-in is unknown before the pass
// starts. foresee() evaluates it with the largest carry-in to be expected; the result holds for
// every smaller one unless the pass says that the carry-in mattered (PassResult::carry_in_used),
// and then the pass is evaluated again when it starts. Results of passes that nobody computes with
// are remembered when a pass comes the second time (equal tile and block), and found from then on.
//
// What evaluate() returns never depends on what was foreseen, on which thread, or remembered.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cosim/backend.h"
#include "params/chip_params.h"
#include "timing/engine/pass.h"

namespace lacuna::cosim {

class Evaluator {
 public:
  /// threads - 1 workers; with one thread foresee() does nothing.
  Evaluator(const params::EngineParams& engine, int threads);
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;
  ~Evaluator();

  /// `ticket` names the pass until evaluate() is called with it; the request's hold1 and hold2 do
  /// not matter. The caller's thread.
  void foresee(const PassRequest& request, std::uint64_t ticket);

  /// The result; timing, and outputs if request.compute. Throws what a worker threw.
  [[nodiscard]] timing::engine::PassResult evaluate(const PassRequest& request,
                                                    std::uint64_t ticket);

 private:
  struct Job {
    std::shared_ptr<const timing::engine::Tile> tile;
    std::shared_ptr<const timing::engine::Block> block;
    timing::engine::PassCommand command;
    bool functional = false;
    bool started = false;
    std::atomic<bool> done = false;
    timing::engine::PassResult result;
    std::exception_ptr failure;
  };
  struct Memory {
    timing::engine::PassResult result;
    base::Cycle hold1 = 0, hold2 = 0;  ///< it was evaluated with
  };
  void work();
  /// The next job that nobody has begun, which the caller begins; null: none. Holds mutex_.
  [[nodiscard]] std::shared_ptr<Job> begin_next();
  /// The caller evaluates other passes meanwhile.
  void wait_for(const Job& job);
  void perform(Job& job) const;
  [[nodiscard]] std::shared_ptr<Job> take(std::uint64_t ticket);
  [[nodiscard]] const Memory* remembered(std::uint64_t key,
                                         const timing::engine::PassCommand& command) const;

  params::EngineParams engine_;
  std::vector<std::uint64_t> seen_;  ///< keys of earlier passes, by their lowest bits
  std::unordered_map<std::uint64_t, Memory> memory_;
  std::size_t memory_words_ = 0;

  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable finished_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Job>> jobs_;
  std::atomic<int> open_ = 0;  ///< jobs in the queue that nobody has begun
  int sleeping_ = 0;           ///< workers
  bool closed_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace lacuna::cosim
