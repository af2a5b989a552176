// SPDX-License-Identifier: Apache-2.0
//
// How long each rank had a bank open, was all precharged, refreshed, was powered down or refreshed
// itself: what background power is made of. A state changes with the command that causes it; a
// refresh lasts as long as it blocks ACT; a bank that RDA or WRA closes counts as open until its
// precharge begins.
#pragma once

#include <algorithm>
#include <vector>

#include "timing/dram/channel_stats.h"
#include "timing/dram/timing_table.h"

namespace lacuna::timing::dram {

class RankStates {
 public:
  enum class Sleep { kAwake, kPowerDown, kSelfRefresh };

  explicit RankStates(const TimingTable& table);

  [[nodiscard]] int open_banks(int rank) const {
    return ranks_[static_cast<std::size_t>(rank)].open_banks;
  }
  [[nodiscard]] Sleep sleep(int rank) const { return ranks_[static_cast<std::size_t>(rank)].sleep; }

  void bank_opened(int rank, Cycle time) { change(rank, time, +1); }
  void banks_closed(int rank, int count, Cycle time) { change(rank, time, -count); }
  /// A column command at `time` closes its bank; the precharge begins at `precharge`.
  void bank_closes_itself(int rank, Cycle time, Cycle precharge);
  void refresh_started(int rank, Cycle time);
  void set_sleep(int rank, Cycle time, Sleep sleep);

  /// Adds what happened up to `time` to the counters. Later calls go on from there.
  void settle(Cycle time, ChannelStats& stats);

 private:
  struct Rank {
    int open_banks = 0;
    Sleep sleep = Sleep::kAwake;
    Cycle since = 0;  ///< counted up to here
    Cycle active_until = 0;
    Cycle refresh_until = 0;
    Cycle active = 0;
    Cycle precharged = 0;
    Cycle refreshing = 0;
    Cycle active_power_down = 0;
    Cycle precharge_power_down = 0;
    Cycle self_refresh = 0;
  };
  static void count_up_to(Rank& rank, Cycle time);
  void change(int rank, Cycle time, int difference);

  std::vector<Rank> ranks_;
  Cycle refresh_length_ = 0;
};

}  // namespace lacuna::timing::dram
