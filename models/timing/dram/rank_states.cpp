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
  if (rank.open_banks > 0) {
    rank.active += time - rank.since;
  } else {
    const Cycle in_refresh = std::clamp<Cycle>(rank.refresh_until, rank.since, time) - rank.since;
    rank.refreshing += in_refresh;
    rank.precharged += time - rank.since - in_refresh;
  }
  rank.since = time;
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
    rank.active = rank.precharged = rank.refreshing = 0;
  }
}

}  // namespace lacuna::timing::dram
