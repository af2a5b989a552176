// SPDX-License-Identifier: Apache-2.0
//
// A memory preset compiled for the controller: node numbers, and for every command the list of
// "after this, that command at this level not before +n". Latencies are start to start: the
// standard counts from last clock edge to last clock edge, so a rule between commands of c1 and c2
// cycles gets (c1 - 1) - (c2 - 1) added. Immutable; shared by all channels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cycles.h"
#include "params/memory_params.h"

namespace lacuna::timing::dram {

using base::Cycle;
using params::MemoryCommand;

inline constexpr int kCommands = params::kMemoryCommands;
/// Later than any real time, with room to add latencies.
inline constexpr Cycle kNever = std::int64_t{1} << 60;
/// Earlier than any real time, with room to subtract.
inline constexpr Cycle kLongAgo = -(std::int64_t{1} << 60);

[[nodiscard]] constexpr std::size_t index_of(MemoryCommand command) {
  return static_cast<std::size_t>(command);
}
[[nodiscard]] constexpr bool is_read(MemoryCommand command) {
  return command == MemoryCommand::kRD || command == MemoryCommand::kRDA;
}
[[nodiscard]] constexpr bool is_write(MemoryCommand command) {
  return command == MemoryCommand::kWR || command == MemoryCommand::kWRA;
}
[[nodiscard]] constexpr bool is_column(MemoryCommand command) {
  return is_read(command) || is_write(command);
}

/// Commands that address all banks of a rank.
[[nodiscard]] constexpr bool is_whole_rank(MemoryCommand command) {
  return command == MemoryCommand::kPREA || command == MemoryCommand::kREFab ||
         command >= MemoryCommand::kPDE;
}

/// After the command that owns the rule, `next` may start at its start + latency or later.
struct TimingRule {
  enum class Scope : std::uint8_t {
    kBank,
    kGroup,
    kRank,
    kRanks,          ///< all ranks from the owner's first to last of the pseudo-channel or channel
    kOtherBanks,     ///< siblings in the group
    kOtherGroups,    ///< siblings in the rank
    kOtherRanks,     ///< siblings in the pseudo-channel
    kOtherChannels,  ///< ranks of the other pseudo-channels
  };
  Scope scope = Scope::kBank;
  MemoryCommand next = MemoryCommand::kACT;
  bool whole_channel = false;  ///< kRanks: all ranks of the channel
  bool records = false;        ///< with a window: the first rule that sees the command stores it
  std::int16_t window = -1;    ///< index into windows(), or -1; latency then counts from last edges
  std::int32_t latency = 0;
};

/// Remembers the last edges of the latest `depth` commands per node: tFAW.
struct TimingWindow {
  params::MemoryLevel level = params::MemoryLevel::kRank;
  int depth = 4;
};

/// Where a bank sits; all numbers count within the channel.
struct BankPlace {
  std::int16_t group = 0;
  std::int16_t rank = 0;
  std::int16_t pseudo_channel = 0;
};

class TimingTable {
 public:
  /// The preset must be valid (validate() found nothing).
  explicit TimingTable(const params::MemoryPreset& preset);

  [[nodiscard]] int banks() const { return static_cast<int>(places_.size()); }
  [[nodiscard]] int banks_per_group() const { return banks_per_group_; }
  [[nodiscard]] int banks_per_rank() const { return banks_per_rank_; }
  [[nodiscard]] int groups() const { return groups_; }
  [[nodiscard]] int groups_per_rank() const { return groups_per_rank_; }
  /// REFpb commands that refresh a rank. Set s is the banks s, s + refresh_sets(), ... of the rank.
  [[nodiscard]] int refresh_sets() const { return refresh_sets_; }
  /// Ranks of the channel, those of all pseudo-channels together.
  [[nodiscard]] int ranks() const { return ranks_; }
  [[nodiscard]] int ranks_per_pseudo_channel() const { return ranks_per_pseudo_channel_; }
  [[nodiscard]] int pseudo_channels() const { return ranks_ / ranks_per_pseudo_channel_; }
  [[nodiscard]] const BankPlace& place(int bank) const {
    return places_[static_cast<std::size_t>(bank)];
  }

  [[nodiscard]] const std::vector<TimingRule>& rules(MemoryCommand command) const {
    return rules_[index_of(command)];
  }
  [[nodiscard]] const std::vector<TimingWindow>& windows() const { return windows_; }

  [[nodiscard]] bool has(MemoryCommand command) const { return has_[index_of(command)]; }
  [[nodiscard]] int cycles(MemoryCommand command) const { return cycles_[index_of(command)]; }
  [[nodiscard]] int bus(MemoryCommand command) const { return bus_[index_of(command)]; }
  [[nodiscard]] int buses() const { return buses_; }

  /// From the start of RD (WR) to the cycle after its last data beat.
  [[nodiscard]] int read_done() const { return read_done_; }
  [[nodiscard]] int write_done() const { return write_done_; }
  /// From the start of RD (WR) to the precharge that RDA (WRA) does by itself, at the earliest.
  [[nodiscard]] int precharge_after(MemoryCommand column) const {
    return is_read(column) ? precharge_after_read_ : precharge_after_write_;
  }
  [[nodiscard]] int burst_cycles() const { return burst_cycles_; }
  [[nodiscard]] int burst_bytes() const { return burst_bytes_; }
  [[nodiscard]] Cycle refresh_interval() const { return refresh_interval_; }
  [[nodiscard]] Cycle refresh_bank_interval() const { return refresh_bank_interval_; }

 private:
  void add_rules(const params::MemoryPreset& preset);

  int banks_per_group_ = 1;
  int banks_per_rank_ = 1;
  int refresh_sets_ = 1;
  int groups_ = 1;
  int groups_per_rank_ = 1;
  int ranks_ = 1;
  int ranks_per_pseudo_channel_ = 1;
  std::vector<BankPlace> places_;
  std::array<std::vector<TimingRule>, kCommands> rules_;
  std::vector<TimingWindow> windows_;
  std::array<bool, kCommands> has_{};
  std::array<int, kCommands> cycles_{};
  std::array<int, kCommands> bus_{};
  int buses_ = 1;
  int read_done_ = 0;
  int write_done_ = 0;
  int precharge_after_read_ = 0;
  int precharge_after_write_ = 0;
  int burst_cycles_ = 0;
  int burst_bytes_ = 0;
  Cycle refresh_interval_ = 0;
  Cycle refresh_bank_interval_ = 0;
};

}  // namespace lacuna::timing::dram
