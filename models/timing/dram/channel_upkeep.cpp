// SPDX-License-Identifier: Apache-2.0
//
// What a channel does beside serving requests: refresh, closing rows that nobody wants, power-down
// and self-refresh.
#include <algorithm>

#include "base/error.h"
#include "timing/dram/channel.h"

namespace lacuna::timing::dram {

using params::MemoryRefresh;
using enum params::MemoryCommand;

void Channel::renew_blocked() {
  std::fill(blocked_.begin(), blocked_.end(), 0);
  for (auto& of_direction : best_wishes_) {
    for (BestWish& known : of_direction) known.bank = kUnknown;
  }
  run_ = {};
  any_blocked_ = false;
  for (int rank = 0; rank < refresh_.ranks(); ++rank) {
    const RefreshTimer::Rank& state = refresh_.rank(rank);
    const int first = rank * table_.banks_per_rank();
    const int end = first + table_.banks_per_rank();
    if (!is_awake(rank) || (state.forced && refresh_.mode() == MemoryRefresh::kAllBank)) {
      for (int bank = first; bank < end; ++bank) block(bank);
    } else if (state.forced) {
      for (int bank = first + state.next_set; bank < end; bank += table_.refresh_sets()) {
        block(bank);
      }
    }
  }
}

Channel::Action Channel::closing_of_rank(int rank) const {
  Action action;
  action.bank = rank * table_.banks_per_rank();
  if (states_.open_banks(rank) == 1) {
    action.command = kPRE;
    while (bank_state(action.bank).open_row < 0) ++action.bank;
    action.time = ready_.earliest(kPRE, action.bank);
  } else {
    action.command = kPREA;
    action.time = ready_.earliest_rank(kPREA, rank);
  }
  return action;
}

// ---- refresh ----

void Channel::consider_refresh(Action& row) const {
  for (int rank = 0; rank < refresh_.ranks(); ++rank) {
    const RefreshTimer::Rank& state = refresh_.rank(rank);
    if (state.owed == 0 || !is_awake(rank)) continue;
    if (refresh_.mode() == MemoryRefresh::kAllBank) {
      if (!state.forced && ranks_[static_cast<std::size_t>(rank)].pending > 0) continue;
      consider_refresh_of_rank(rank, row);
    } else {
      consider_refresh_of_set(rank, row);
    }
  }
}

void Channel::consider_refresh_of_rank(int rank, Action& row) const {
  Action action;
  if (states_.open_banks(rank) > 0) {
    action = closing_of_rank(rank);
  } else {
    action.bank = rank * table_.banks_per_rank();
    action.command = kREFab;
    action.time = ready_.earliest_rank(kREFab, rank);
  }
  action.time = std::max(action.time, floor_);
  keep_better(row, action);
}

void Channel::consider_refresh_of_set(int rank, Action& row) const {
  const RefreshTimer::Rank& state = refresh_.rank(rank);
  const int first = rank * table_.banks_per_rank() + state.next_set;
  const int end = (rank + 1) * table_.banks_per_rank();
  Action action;
  action.bank = first;
  action.command = kREFpb;
  for (int bank = first; bank < end; bank += table_.refresh_sets()) {
    if (!state.forced && queues_[kReads].size(bank) + queues_[kWrites].size(bank) > 0) return;
    if (bank_state(bank).open_row < 0) continue;
    const Cycle time = ready_.earliest(kPRE, bank);
    if (action.command == kREFpb || time < action.time) {
      action.command = kPRE;
      action.bank = bank;
      action.time = time;
    }
  }
  if (action.command == kREFpb) action.time = ready_.earliest_set(first);
  action.time = std::max(action.time, floor_);
  keep_better(row, action);
}

// ---- rows that nobody wants ----

void Channel::consider_timeout(Action& row) const {
  Action best;
  best.order = kAfterAll;
  best.command = kPRE;
  for (int bank = 0; bank < table_.banks(); ++bank) {
    const BankState& state = bank_state(bank);
    if (state.open_row < 0 || queues_[kReads].size(bank) + queues_[kWrites].size(bank) > 0 ||
        !is_awake(rank_of(bank))) {
      continue;
    }
    const Cycle time =
        std::max({state.last_use + policy_.page_timeout, ready_.earliest(kPRE, bank), floor_});
    if (time < best.time) {
      best.time = time;
      best.bank = bank;
    }
  }
  keep_better(row, best);
}

// ---- power-down and self-refresh ----

void Channel::consider_sleep(Action& row) const {
  for (int rank = 0; rank < table_.ranks(); ++rank) consider_sleep_of_rank(rank, row);
}

void Channel::consider_sleep_of_rank(int rank, Action& row) const {
  const RankState& state = ranks_[static_cast<std::size_t>(rank)];
  const bool is_wanted = state.pending > 0 || refresh_.rank(rank).owed > 0;
  const Cycle refresh_itself =
      policy_.self_refresh > 0 ? state.idle_since + policy_.self_refresh : kNever;
  Action action;
  action.bank = rank * table_.banks_per_rank();
  Cycle not_before = floor_;
  switch (states_.sleep(rank)) {
    case RankStates::Sleep::kSelfRefresh:
      if (!is_wanted) return;
      action.command = kSRX;
      break;
    case RankStates::Sleep::kPowerDown:
      // Also on the way to self-refresh, which begins with all banks closed and the clock on.
      if (!is_wanted) not_before = std::max(floor_, refresh_itself);
      action.command = kPDX;
      break;
    case RankStates::Sleep::kAwake:
      if (is_wanted) return;
      action.order = kAfterAll;
      if (policy_.power_down > 0 && floor_ < refresh_itself) {
        action.command = kPDE;
        not_before = std::max(floor_, state.idle_since + policy_.power_down);
      } else if (states_.open_banks(rank) > 0) {
        action = closing_of_rank(rank);
        action.order = kAfterAll;
        not_before = std::max(floor_, refresh_itself);
      } else {
        action.command = kSRE;
        not_before = std::max(floor_, refresh_itself);
      }
      break;
  }
  if (not_before >= kNever) return;
  action.time =
      std::max(not_before, action.command == kPRE ? ready_.earliest(kPRE, action.bank)
                                                  : ready_.earliest_rank(action.command, rank));
  keep_better(row, action);
}

// ---- doing it ----

void Channel::perform_upkeep(const Action& action) {
  const int rank = rank_of(action.bank);
  issue(action.command, action.bank, action.time, -1, -1);
  switch (action.command) {
    case kPRE:
      close_bank(action.bank);
      states_.banks_closed(rank, 1, action.time);
      return;
    case kPREA:
      close_rank(rank, action.time);
      return;
    case kREFab:
      states_.refresh_started(rank, action.time);
      refresh_.refreshed(rank);
      break;
    case kREFpb:
      refresh_.refreshed(rank);
      break;
    case kPDE:
      states_.set_sleep(rank, action.time, RankStates::Sleep::kPowerDown);
      break;
    case kSRE:
      states_.set_sleep(rank, action.time, RankStates::Sleep::kSelfRefresh);
      refresh_.suspend(rank);
      break;
    case kPDX:
      states_.set_sleep(rank, action.time, RankStates::Sleep::kAwake);
      break;
    case kSRX:
      states_.set_sleep(rank, action.time, RankStates::Sleep::kAwake);
      refresh_.resume(rank, action.time);
      break;
    case kACT:
    case kRD:
    case kRDA:
    case kWR:
    case kWRA:
      LACUNA_CHECK(false, "a command for a request without one, bank {}", action.bank);
  }
  renew_blocked();
}

}  // namespace lacuna::timing::dram
