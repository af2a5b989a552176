// SPDX-License-Identifier: Apache-2.0
//
// Drives a memory with requests in order. Open loop: a request is sent in the cycle in which it is
// scheduled, or as soon after as fewer than `outstanding` are under way; its latency counts from
// the scheduled cycle in any case, so that a memory which cannot keep up shows it (no coordinated
// omission). Closed loop: the next request is sent when there is room, and that is its scheduled
// cycle.
//
// Cycle 0 is the scheduled cycle of the first request.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "timing/dram/memory_system.h"
#include "traffic/channel_watch.h"
#include "traffic/latency_histogram.h"
#include "traffic/request.h"

namespace lacuna::traffic {

struct ReplayOptions {
  std::int64_t outstanding = 64;  ///< requests under way at most
  bool closed_loop = false;
  std::function<void(std::int64_t)> progress = {};  ///< requests done; now and then
};

struct ReplayResult {
  std::int64_t reads = 0;
  std::int64_t writes = 0;
  std::int64_t read_bytes = 0;  ///< as requested
  std::int64_t write_bytes = 0;
  Cycle cycles = 0;       ///< first scheduled cycle to the end of the last request
  Cycle busy_cycles = 0;  ///< of these, with a request under way
  LatencyHistogram read_latency;
  LatencyHistogram write_latency;
  std::int64_t held_back = 0;       ///< open loop: sent later than scheduled
  std::int64_t most_under_way = 0;  ///< requests
  double mean_under_way = 0;        ///< over all cycles
  timing::dram::MemoryStats memory;
  std::vector<timing::dram::ChannelStats> channels;

  [[nodiscard]] std::int64_t requests() const { return reads + writes; }
  [[nodiscard]] std::int64_t bytes() const { return read_bytes + write_bytes; }
};

/// Until the last request is done. UserError from the source; Interrupted after a signal.
[[nodiscard]] ReplayResult replay(RequestSource& source, timing::dram::MemorySystem& memory,
                                  ChannelWatch& watch, const ReplayOptions& options);

}  // namespace lacuna::traffic
