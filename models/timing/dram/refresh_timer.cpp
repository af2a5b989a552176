// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/refresh_timer.h"

#include <algorithm>

namespace lacuna::timing::dram {

RefreshTimer::RefreshTimer(const TimingTable& table, params::MemoryRefresh mode, int postpone,
                           double phase)
    : mode_(mode),
      interval_(mode == params::MemoryRefresh::kPerBank ? table.refresh_bank_interval()
                                                        : table.refresh_interval()),
      limit_(std::max(
          1, postpone * (mode == params::MemoryRefresh::kPerBank ? table.refresh_sets() : 1))),
      sets_(table.refresh_sets()),
      ranks_(static_cast<std::size_t>(table.ranks())) {
  if (mode == params::MemoryRefresh::kNone) return;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const auto ranks = static_cast<std::size_t>(table.ranks_per_pseudo_channel());
    const double share = (static_cast<double>(i % ranks) + phase) / static_cast<double>(ranks);
    const auto shift = static_cast<Cycle>(share * static_cast<double>(interval_));
    ranks_[i].next_due = interval_ - shift % interval_;
    next_due_ = std::min(next_due_, ranks_[i].next_due);
  }
}

void RefreshTimer::become_due() {
  const Cycle now = next_due_;
  next_due_ = kNever;
  for (Rank& rank : ranks_) {
    if (rank.next_due == now) {
      rank.next_due += interval_;
      ++rank.owed;
      ++owed_in_all_;
      if (rank.owed >= limit_) rank.forced = true;
    }
    next_due_ = std::min(next_due_, rank.next_due);
  }
}

void RefreshTimer::refreshed(int number) {
  Rank& rank = ranks_[static_cast<std::size_t>(number)];
  --rank.owed;
  --owed_in_all_;
  if (mode_ == params::MemoryRefresh::kPerBank) {
    rank.next_set = rank.next_set + 1 == sets_ ? 0 : rank.next_set + 1;
    // One bank a time is blocked, so there is nothing to win by catching up at once.
    rank.forced = rank.owed >= limit_;
  } else if (rank.owed == 0) {
    rank.forced = false;
  }
}

void RefreshTimer::suspend(int number) {
  ranks_[static_cast<std::size_t>(number)].next_due = kNever;
  find_next_due();
}

void RefreshTimer::resume(int number, Cycle time) {
  if (mode_ == params::MemoryRefresh::kNone) return;
  Rank& rank = ranks_[static_cast<std::size_t>(number)];
  rank.next_due = time + interval_;
  ++rank.owed;
  ++owed_in_all_;
  rank.forced = rank.owed >= limit_;
  find_next_due();
}

void RefreshTimer::find_next_due() {
  next_due_ = kNever;
  for (const Rank& rank : ranks_) next_due_ = std::min(next_due_, rank.next_due);
}

}  // namespace lacuna::timing::dram
