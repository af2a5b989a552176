// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/refresh_timer.h"

#include <algorithm>

namespace lacuna::timing::dram {

RefreshTimer::RefreshTimer(const TimingTable& table, params::MemoryRefresh mode, int postpone,
                           double phase)
    : mode_(mode),
      interval_(mode == params::MemoryRefresh::kPerBank ? table.refresh_bank_interval()
                                                        : table.refresh_interval()),
      limit_(std::max(1, postpone)),
      banks_per_rank_(table.banks_per_rank()),
      ranks_(static_cast<std::size_t>(table.ranks())) {
  if (mode == params::MemoryRefresh::kNone) return;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const double share = (static_cast<double>(i) + phase) / static_cast<double>(ranks_.size());
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
    rank.next_bank = rank.next_bank + 1 == banks_per_rank_ ? 0 : rank.next_bank + 1;
    // One bank a time is blocked, so there is nothing to win by catching up at once.
    rank.forced = rank.owed >= limit_;
  } else if (rank.owed == 0) {
    rank.forced = false;
  }
}

}  // namespace lacuna::timing::dram
