// SPDX-License-Identifier: Apache-2.0
//
// Test traffic for one DRAM channel: presets loaded from configs/memories, single requests, and a
// source that keeps the queue full.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/loader.h"
#include "params/memory_params.h"
#include "timing/dram/channel.h"

namespace lacuna::timing::dram::test {

inline const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = {"lpddr4x-4266", "lpddr4-3200", "ddr4-3200",
                                                 "hbm2-2000"};
  return names;
}

inline params::MemoryPreset load_preset(const std::string& name) {
  return config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) + "/configs/memories/" +
                                            name + ".yaml")
      .value;
}

/// Sends one request at `arrival` and returns when its data ended.
inline Cycle serve_one(Channel& channel, BurstRequest request, Cycle arrival) {
  request.arrival = arrival;
  channel.enqueue(request, arrival);
  while (channel.completions().empty()) channel.advance(channel.next_command_time());
  const Cycle done = channel.completions().front().done;
  channel.completions().clear();
  return done;
}

struct Saturated {
  Cycle last_done = 0;
  double cycles_per_burst = 0;
};

/// Offers `count` bursts from `next(i)` as fast as the channel takes them.
template <class Next>
Saturated saturate(Channel& channel, std::int64_t count, Next next) {
  Saturated result;
  std::int64_t sent = 0;
  BurstRequest waiting = next(sent);
  const auto fill = [&](Cycle now) {
    while (sent < count && channel.can_accept(waiting)) {
      waiting.arrival = now;
      channel.enqueue(waiting, now);
      if (++sent < count) waiting = next(sent);
    }
  };
  fill(0);
  while (channel.pending() > 0 || sent < count) {
    channel.step(channel.next_command_time());
    fill(channel.now());
    for (const BurstDone& done : channel.completions()) {
      result.last_done = std::max(result.last_done, done.done);
    }
    channel.completions().clear();
  }
  result.cycles_per_burst = static_cast<double>(result.last_done) / static_cast<double>(count);
  return result;
}

}  // namespace lacuna::timing::dram::test
