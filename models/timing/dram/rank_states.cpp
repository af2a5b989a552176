// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/rank_states.h"

#include "base/error.h"

namespace lacuna::timing::dram {

RankStates::RankStates(const TimingTable& table) : ranks_(static_cast<std::size_t>(table.ranks())) {
  for (const TimingRule& rule : table.rules(MemoryCommand::kREFab)) {
    if (rule.next == MemoryCommand::kACT) {
      refresh_length_ = std::max<Cycle>(refresh_length_, rule.latency);
    }
  }
}

void RankStates::count_up_to(Rank& rank, Cycle time) {
  if (time <= rank.since) return;
  const Cycle active_until =
      rank.open_banks > 0 ? time : std::clamp<Cycle>(rank.active_until, rank.since, time);
  const Cycle refresh_until = std::clamp<Cycle>(rank.refresh_until, active_until, time);
  (rank.sleep == Sleep::kAwake ? rank.active : rank.active_power_down) += active_until - rank.since;
  rank.refreshing += refresh_until - active_until;
  switch (rank.sleep) {
    case Sleep::kAwake:
      rank.precharged += time - refresh_until;
      break;
    case Sleep::kPowerDown:
      rank.precharge_power_down += time - refresh_until;
      break;
    case Sleep::kSelfRefresh:
      rank.self_refresh += time - refresh_until;
      break;
  }
  rank.since = time;
}

void RankStates::bank_closes_itself(int rank, Cycle time, Cycle precharge) {
  change(rank, time, -1);
  Rank& changed = ranks_[static_cast<std::size_t>(rank)];
  changed.active_until = std::max(changed.active_until, precharge);
}

void RankStates::set_sleep(int rank, Cycle time, Sleep sleep) {
  Rank& changed = ranks_[static_cast<std::size_t>(rank)];
  count_up_to(changed, time);
  changed.sleep = sleep;
}

void RankStates::change(int rank, Cycle time, int difference) {
  Rank& changed = ranks_[static_cast<std::size_t>(rank)];
  count_up_to(changed, time);
  changed.open_banks += difference;
  LACUNA_CHECK(changed.open_banks >= 0, "rank {} at memory cycle {}", rank, time);
}

void RankStates::refresh_started(int rank, Cycle time) {
  Rank& changed = ranks_[static_cast<std::size_t>(rank)];
  count_up_to(changed, time);
  changed.refresh_until = time + refresh_length_;
}

void RankStates::settle(Cycle time, ChannelStats& stats) {
  for (Rank& rank : ranks_) {
    count_up_to(rank, time);
    stats.active_cycles += rank.active;
    stats.precharged_cycles += rank.precharged;
    stats.refreshing_cycles += rank.refreshing;
    stats.active_power_down_cycles += rank.active_power_down;
    stats.precharge_power_down_cycles += rank.precharge_power_down;
    stats.self_refresh_cycles += rank.self_refresh;
    rank.active = rank.precharged = rank.refreshing = 0;
    rank.active_power_down = rank.precharge_power_down = rank.self_refresh = 0;
  }
}

}  // namespace lacuna::timing::dram
