// SPDX-License-Identifier: Apache-2.0
//
// When each rank owes a refresh, and when it can no longer be put off. A refresh becomes due every
// interval; it is done as soon as nothing waits for the rank (the bank), or when as many are owed
// as may be postponed (JEDEC: 8 all-bank refreshes), then all at once, because closing and
// reopening the rows costs the same for one as for eight. Per bank as many whole rounds may be
// owed. Nothing is pulled in before it is due. A rank in self-refresh owes nothing; when it leaves,
// it owes one at once, which JEDEC asks for before the next entry.
#pragma once

#include <vector>

#include "timing/dram/timing_table.h"

namespace lacuna::timing::dram {

class RefreshTimer {
 public:
  struct Rank {
    Cycle next_due = kNever;
    int owed = 0;
    bool forced = false;  ///< nothing else may start in the rank (per bank: in the bank)
    int next_set = 0;     ///< per-bank: number of the next set of banks (TimingTable)
  };

  /// `phase`, 0 <= phase < 1, moves all due times of the channel by that share of an interval, so
  /// that channels do not refresh at the same time. Ranks, which share a data bus, are spread over
  /// the interval; pseudo-channels, which do not but are loaded alike, refresh at the same time.
  RefreshTimer(const TimingTable& table, params::MemoryRefresh mode, int postpone, double phase);

  [[nodiscard]] params::MemoryRefresh mode() const { return mode_; }
  [[nodiscard]] Cycle next_due() const { return next_due_; }
  [[nodiscard]] int owed_in_all() const { return owed_in_all_; }
  [[nodiscard]] const Rank& rank(int number) const {
    return ranks_[static_cast<std::size_t>(number)];
  }
  [[nodiscard]] int ranks() const { return static_cast<int>(ranks_.size()); }

  /// The time next_due() has come.
  void become_due();
  /// A REFab or REFpb was issued for the rank.
  void refreshed(int rank);
  /// The rank, which owes nothing, enters self-refresh.
  void suspend(int rank);
  /// It leaves at `time`.
  void resume(int rank, Cycle time);

 private:
  void find_next_due();

  params::MemoryRefresh mode_;
  Cycle interval_ = 0;
  int limit_ = 1;
  int sets_ = 1;
  std::vector<Rank> ranks_;
  Cycle next_due_ = kNever;
  int owed_in_all_ = 0;
};

}  // namespace lacuna::timing::dram
