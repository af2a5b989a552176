// SPDX-License-Identifier: Apache-2.0
//
// Test traffic for one DRAM channel: presets loaded from configs/memories, single requests, a
// source that keeps the queue full, random requests with pauses; and the closed forms that channels
// are held against (docs/reference/memory.md).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "config/loader.h"
#include "params/memory_params.h"
#include "timing/dram/address_map.h"
#include "timing/dram/channel.h"

namespace lacuna::timing::dram::test {

inline const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = {"lpddr4x-4266", "lpddr4-3200", "lpddr5-6400",
                                                 "ddr4-3200",    "ddr5-4800",   "hbm2-2000",
                                                 "hbm2e-3200",   "hbm3-6400",   "gddr6-14000"};
  return names;
}

inline params::MemoryPreset load_preset(const std::string& name) {
  return config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) + "/configs/memories/" +
                                            name + ".yaml")
      .value;
}

/// Keeps every command.
class Recorder : public CommandObserver {
 public:
  void on_command(const CommandRecord& record) override { records.push_back(record); }
  std::vector<CommandRecord> records;
};

/// Sends one request at `arrival` and returns when its data ended.
inline Cycle serve_one(Channel& channel, BurstRequest request, Cycle arrival) {
  request.arrival = arrival;
  channel.enqueue(request, arrival);
  while (channel.completions().empty()) channel.advance(channel.next_command_time());
  const Cycle done = channel.completions().front().done;
  channel.completions().clear();
  return done;
}

/// What a preset must reach, from its file alone. Cycles of the memory clock; one rank.
class Formulas {
 public:
  explicit Formulas(const params::MemoryPreset& preset) : preset_(preset) {}

  /// One of two spellings: not every standard tells RCD of reads from that of writes.
  [[nodiscard]] Cycle timing(const char* name, const char* other) const {
    const auto found = preset_.timing.find(name);
    return found != preset_.timing.end() ? found->second : preset_.timing.at(other);
  }
  [[nodiscard]] Cycle row_to_column(bool is_write) const {
    return timing("RCD", is_write ? "RCDWR" : "RCDRD");
  }
  [[nodiscard]] Cycle precharge() const { return timing("RP", "RPpb"); }
  [[nodiscard]] Cycle edges(MemoryCommand command) const {
    return preset_.commands.at(std::string(params::enum_name(command))).cycles;
  }

  /// Isolated requests, from arrival to the end of the data, pipeline included.
  [[nodiscard]] Cycle hit(bool is_write) const {
    return edges(is_write ? MemoryCommand::kWR : MemoryCommand::kRD) - 1 + data(is_write);
  }
  [[nodiscard]] Cycle closed(bool is_write) const {
    return edges(MemoryCommand::kACT) - 1 + row_to_column(is_write) + data(is_write);
  }
  [[nodiscard]] Cycle conflict(bool is_write) const {
    return edges(MemoryCommand::kPRE) - 1 + precharge() + row_to_column(is_write) + data(is_write);
  }

  /// Saturated: cycles per burst of the whole channel.
  [[nodiscard]] double stream() const {
    return static_cast<double>(preset_.organization.burst_cycles()) /
           preset_.organization.pseudo_channels / without_refresh();
  }
  /// tRC; where a standard's tRC is rounded below tRAS + tRP, their sum.
  [[nodiscard]] double same_bank() const {
    return static_cast<double>(std::max(timing("RC", "RC"), timing("RAS", "RAS") + precharge())) /
           without_refresh();
  }
  [[nodiscard]] double random() const {
    const double pseudo = preset_.organization.pseudo_channels;
    const auto bus = [&](MemoryCommand command) {
      return preset_.commands.at(std::string(params::enum_name(command))).bus;
    };
    double command_bus =
        static_cast<double>(edges(MemoryCommand::kACT) + edges(MemoryCommand::kPRE));
    if (bus(MemoryCommand::kACT) == bus(MemoryCommand::kRD)) {
      command_bus += static_cast<double>(edges(MemoryCommand::kRD));
    }
    return std::max({static_cast<double>(timing("FAW", "FAW")) / 4 / pseudo,
                     static_cast<double>(timing("RRD", "RRD_S")) / pseudo, command_bus}) /
           without_refresh();
  }
  /// Share of the time that all-bank refresh leaves.
  [[nodiscard]] double without_refresh() const {
    return 1 - static_cast<double>(timing("RFC", "RFCab")) /
                   static_cast<double>(timing("REFI", "REFI"));
  }

 private:
  [[nodiscard]] Cycle data(bool is_write) const {
    return preset_.cycles(is_write ? preset_.latency.write_latency : preset_.latency.read_latency) +
           preset_.organization.burst_cycles() + preset_.controller.pipeline_cycles;
  }

  const params::MemoryPreset& preset_;
};

/// The steady state of a saturated channel: from the first command after a batch of refreshes of
/// rank 0 to the same after a later batch. What a run does at its ends then plays no part.
class SteadyState : public CommandObserver {
 public:
  explicit SteadyState(const TimingTable& table) : table_(table) {}

  void on_command(const CommandRecord& record) override {
    const bool is_first_rank = table_.place(record.bank).rank == 0;
    if (is_first_rank && record.command == MemoryCommand::kREFab) {
      in_refresh_ = true;
    } else if (is_first_rank && in_refresh_) {
      in_refresh_ = false;
      if (batches_++ == 0) {
        first_time_ = record.time;
        first_columns_ = columns_;
      }
      last_time_ = record.time;
      last_columns_ = columns_;
    }
    if (is_column(record.command)) ++columns_;
  }
  [[nodiscard]] int batches() const { return batches_; }
  /// Needs two batches.
  [[nodiscard]] double cycles_per_burst() const {
    return static_cast<double>(last_time_ - first_time_) /
           static_cast<double>(last_columns_ - first_columns_);
  }

 private:
  const TimingTable& table_;
  bool in_refresh_ = false;
  int batches_ = 0;
  std::int64_t columns_ = 0;
  Cycle first_time_ = 0;
  Cycle last_time_ = 0;
  std::int64_t first_columns_ = 0;
  std::int64_t last_columns_ = 0;
};

struct Saturated {
  Cycle last_done = 0;
  double cycles_per_burst =
      0;  ///< steady if there were batches of refreshes, else of the whole run
};

/// Offers `count` bursts from `next(i)` as fast as the channel takes them.
template <class Next>
Saturated saturate(Channel& channel, const TimingTable& table, std::int64_t count, Next next) {
  SteadyState steady(table);
  channel.set_observer(&steady);
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
  channel.set_observer(nullptr);
  result.cycles_per_burst =
      steady.batches() > 1 ? steady.cycles_per_burst()
                           : static_cast<double>(result.last_done) / static_cast<double>(count);
  return result;
}

/// Random requests with pauses, hot rows and both directions: every command and turnaround occurs.
/// `idle` is the longest pause, `pauses` the share of requests before which there is one. Returns
/// when the last command was sent.
inline Cycle random_traffic(Channel& channel, const params::MemoryPreset& preset,
                            std::int64_t count, std::uint64_t seed, Cycle idle = 100'000,
                            double pauses = 0.001) {
  const AddressMap map(preset.controller.mapping, preset.organization, 1);
  base::Rng rng(seed);
  Cycle now = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    DramAddress at = map.decode(rng.below(map.capacity_bytes()));
    if (rng.bernoulli(0.5)) at.row = static_cast<std::int32_t>(rng.below(2));
    BurstRequest request;
    request.bank = at.bank;
    request.row = at.row;
    request.column = at.column;
    request.is_write = (i / 200) % 3 == 0 ? rng.bernoulli(0.8) : rng.bernoulli(0.2);
    request.id = static_cast<std::uint64_t>(i);
    if (rng.bernoulli(pauses)) {
      now += rng.range(1, idle);
    } else if (rng.bernoulli(0.3)) {
      now += rng.range(1, 60);
    }
    channel.advance(now);
    while (!channel.can_accept(request)) {
      now = std::max(now, channel.next_command_time());
      channel.advance(now);
    }
    request.arrival = now;
    channel.enqueue(request, now);
    channel.completions().clear();
  }
  while (channel.pending() > 0) channel.step(channel.next_command_time());
  return channel.now();
}

}  // namespace lacuna::timing::dram::test
