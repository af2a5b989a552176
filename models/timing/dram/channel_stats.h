// SPDX-License-Identifier: Apache-2.0
//
// What a channel counts. Everything that energy and reports need; sums over channels are meaningful
// member by member, except where the comment says "largest".
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "timing/dram/timing_table.h"

namespace lacuna::timing::dram {

struct ChannelStats {
  std::array<std::int64_t, kCommands> commands{};  ///< by MemoryCommand

  // Bursts, by what they found when their turn came.
  std::int64_t row_hits = 0;
  std::int64_t row_misses = 0;       ///< bank closed: needed ACT
  std::int64_t row_conflicts = 0;    ///< another row open: needed PRE and ACT
  std::int64_t forwarded_reads = 0;  ///< answered from the write queue, no command
  std::int64_t merged_reads = 0;     ///< joined a waiting read of the same burst, no command
  std::int64_t merged_writes = 0;    ///< joined a waiting write of the same burst, no command
  std::int64_t direction_switches = 0;

  // Bytes on the data bus, whole bursts.
  std::int64_t read_bytes = 0;
  std::int64_t write_bytes = 0;

  // Cycles of the memory clock.
  std::int64_t data_bus_cycles = 0;  ///< data on the bus, all pseudo-channels added
  std::int64_t busy_cycles = 0;      ///< from the arrival at an empty channel to its last data
  // Rank-cycles: every rank is in exactly one of the six states.
  std::int64_t active_cycles = 0;      ///< at least one bank open
  std::int64_t precharged_cycles = 0;  ///< all banks closed
  std::int64_t refreshing_cycles = 0;  ///< all-bank refresh
  std::int64_t active_power_down_cycles = 0;
  std::int64_t precharge_power_down_cycles = 0;
  std::int64_t self_refresh_cycles = 0;

  // Bursts waiting for their column command, summed over cycles: occupancy of the queues.
  std::int64_t read_queue_cycles = 0;
  std::int64_t write_queue_cycles = 0;
  std::int64_t read_queue_largest = 0;
  std::int64_t write_queue_largest = 0;

  // From arrival to the end of the last data beat, pipeline included.
  std::int64_t read_latency_sum = 0;
  std::int64_t read_latency_largest = 0;
  std::int64_t write_latency_sum = 0;
  std::int64_t write_latency_largest = 0;

  [[nodiscard]] std::int64_t count(MemoryCommand command) const {
    return commands[index_of(command)];
  }
  [[nodiscard]] std::int64_t reads() const {
    return count(MemoryCommand::kRD) + count(MemoryCommand::kRDA);
  }
  [[nodiscard]] std::int64_t writes() const {
    return count(MemoryCommand::kWR) + count(MemoryCommand::kWRA);
  }
  /// Requests answered, those without a command of their own included: what latencies add up over.
  [[nodiscard]] std::int64_t reads_done() const { return reads() + forwarded_reads + merged_reads; }
  [[nodiscard]] std::int64_t writes_done() const { return writes() + merged_writes; }

  ChannelStats& operator+=(const ChannelStats& other);
};

inline ChannelStats& ChannelStats::operator+=(const ChannelStats& other) {
  for (std::size_t i = 0; i < commands.size(); ++i) commands[i] += other.commands[i];
  row_hits += other.row_hits;
  row_misses += other.row_misses;
  row_conflicts += other.row_conflicts;
  forwarded_reads += other.forwarded_reads;
  merged_reads += other.merged_reads;
  merged_writes += other.merged_writes;
  direction_switches += other.direction_switches;
  read_bytes += other.read_bytes;
  write_bytes += other.write_bytes;
  data_bus_cycles += other.data_bus_cycles;
  busy_cycles += other.busy_cycles;
  active_cycles += other.active_cycles;
  precharged_cycles += other.precharged_cycles;
  refreshing_cycles += other.refreshing_cycles;
  read_queue_cycles += other.read_queue_cycles;
  write_queue_cycles += other.write_queue_cycles;
  read_queue_largest = std::max(read_queue_largest, other.read_queue_largest);
  write_queue_largest = std::max(write_queue_largest, other.write_queue_largest);
  active_power_down_cycles += other.active_power_down_cycles;
  precharge_power_down_cycles += other.precharge_power_down_cycles;
  self_refresh_cycles += other.self_refresh_cycles;
  read_latency_sum += other.read_latency_sum;
  read_latency_largest = std::max(read_latency_largest, other.read_latency_largest);
  write_latency_sum += other.write_latency_sum;
  write_latency_largest = std::max(write_latency_largest, other.write_latency_largest);
  return *this;
}

}  // namespace lacuna::timing::dram
