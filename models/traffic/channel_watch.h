// SPDX-License-Identifier: Apache-2.0
//
// What a replay sees of the commands of all channels: the busiest stretch of time, the command log,
// and the independent checker.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "params/memory_params.h"
#include "timing/dram/command_log.h"
#include "timing/dram/memory_system.h"
#include "timing/dram/timing_checker.h"
#include "traffic/command_log_csv.h"

namespace lacuna::traffic {

class ChannelWatch {
 public:
  /// The bus is looked at in aligned windows of so many bursts' length.
  static constexpr int kWindowBursts = 256;

  /// Listens to all channels of `memory` until destroyed. `log` may be null.
  ChannelWatch(timing::dram::MemorySystem& memory, CommandLogWriter* log, bool check);
  ChannelWatch(const ChannelWatch&) = delete;
  ChannelWatch& operator=(const ChannelWatch&) = delete;
  ~ChannelWatch();

  /// All column commands before `now` were seen: windows that ended by then are forgotten.
  void settle(timing::dram::Cycle now);
  /// The end of time for the checkers.
  void finish(timing::dram::Cycle end);

  [[nodiscard]] timing::dram::Cycle window_cycles() const { return window_cycles_; }
  /// Bursts whose data began in the busiest window, all channels together.
  [[nodiscard]] std::int64_t busiest_window() const;
  /// By channel; empty without `check`.
  [[nodiscard]] const std::vector<timing::dram::TimingChecker>& checkers() const {
    return checkers_;
  }

 private:
  struct Listener final : timing::dram::CommandObserver {
    ChannelWatch* watch = nullptr;
    int channel = 0;
    void on_command(const timing::dram::CommandRecord& record) override {
      watch->see(channel, record);
    }
  };
  void see(int channel, const timing::dram::CommandRecord& record);

  timing::dram::MemorySystem& memory_;
  CommandLogWriter* log_;
  std::vector<Listener> listeners_;
  std::vector<timing::dram::TimingChecker> checkers_;
  timing::dram::Cycle read_data_ = 0;   ///< start of RD to its first data
  timing::dram::Cycle write_data_ = 0;  ///< start of WR to its first data
  timing::dram::Cycle window_cycles_ = 1;
  std::int64_t first_window_ = 0;  ///< number of windows_.front()
  std::deque<std::int64_t> windows_;
  std::int64_t busiest_ = 0;
};

}  // namespace lacuna::traffic
