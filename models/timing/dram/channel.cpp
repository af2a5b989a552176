// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/channel.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace lacuna::timing::dram {

using params::MemoryRefresh;
using enum params::MemoryCommand;

Channel::Channel(const TimingTable& table, const params::MemoryControllerParams& policy,
                 double refresh_phase)
    : table_(table),
      policy_(policy),
      ready_(table),
      states_(table),
      refresh_(table, policy.refresh, policy.refresh_postpone, refresh_phase),
      banks_(static_cast<std::size_t>(table.banks())),
      rank_pending_(static_cast<std::size_t>(table.ranks()), 0),
      queues_{BankQueues(table.banks(), policy.read_queue),
              BankQueues(table.banks(), policy.write_queue)},
      wishes_{Wishes(table.banks()), Wishes(table.banks())},
      blocked_((static_cast<std::size_t>(table.banks()) + 63) / 64),
      rank_shift_(std::countr_zero(static_cast<unsigned>(table.banks_per_rank()))),
      least_latency_(std::min(table.read_done(), table.write_done()) + policy.pipeline_cycles) {
  LACUNA_CHECK(table.banks() <= kMaxBanks && table.ranks() <= kMaxRanks);
}

bool Channel::can_accept(const BurstRequest& request) const {
  if (queues_[request.is_write ? kWrites : kReads].full()) return false;
  return !request.is_write || !queues_[kReads].contains(request.bank, request.row, request.column);
}

void Channel::enqueue(const BurstRequest& request, Cycle now) {
  // Commands of the past come first: refreshes of an idle channel, or what a late caller missed.
  if (now > floor_ && (!is_chosen_ || chosen_.time < now)) advance(now - 1);
  floor_ = std::max(floor_, now);
  BankQueues::Burst burst;
  burst.id = request.id;
  burst.arrival = request.arrival;
  burst.order = ++order_;
  burst.bank = request.bank;
  burst.row = request.row;
  burst.column = request.column;
  if (!request.is_write && queues_[kWrites].size(request.bank) > 0 &&
      queues_[kWrites].contains(request.bank, request.row, request.column)) {
    ++stats_.forwarded_reads;
    finish(burst, false, now + 1 + policy_.pipeline_cycles);
    return;
  }
  if (!is_busy_) {
    is_busy_ = true;
    // Data of earlier bursts may still be on its way: that time is counted already.
    busy_since_ = std::max(now, last_data_);
  }
  const Direction direction = request.is_write ? kWrites : kReads;
  settle_queues(now);
  queues_[direction].push(burst, bank_state(request.bank).open_row);
  std::int64_t& largest = request.is_write ? stats_.write_queue_largest : stats_.read_queue_largest;
  largest = std::max<std::int64_t>(largest, queues_[direction].size());
  renew_wish(request.bank, direction);
  ++rank_pending_[static_cast<std::size_t>(table_.place(request.bank).rank)];
  is_chosen_ = false;
}

bool Channel::step(Cycle now) {
  if (!is_chosen_) choose();
  if (chosen_.time > now) return false;
  const Action action = chosen_;
  is_chosen_ = false;
  floor_ = std::max(floor_, action.time);
  perform(action);
  return true;
}

const ChannelStats& Channel::stats(Cycle now) {
  if (pending() == 0) advance(now);
  states_.settle(now, stats_);
  settle_queues(now);
  return stats_;
}

void Channel::settle_queues(Cycle time) {
  const Cycle passed = time - queues_since_;
  queues_since_ = time;
  stats_.read_queue_cycles += passed * queues_[kReads].size();
  stats_.write_queue_cycles += passed * queues_[kWrites].size();
}

// ---- what to do next ----

Channel::Direction Channel::next_direction() const {
  const int reads = queues_[kReads].size();
  const int writes = queues_[kWrites].size();
  const bool batch_done = served_in_direction_ >= policy_.min_batch;
  if (direction_ == kReads) {
    if (writes == 0) return kReads;
    const bool turn =
        reads == 0 ||
        (batch_done && (writes >= policy_.write_high ||
                        floor_ - queues_[kWrites].oldest().arrival > policy_.write_age));
    return turn ? kWrites : kReads;
  }
  if (reads == 0) return kWrites;
  // A full queue's worth of writes ends the drain even if new ones keep coming.
  const bool turn =
      writes == 0 ||
      (batch_done && (writes <= policy_.write_low || served_in_direction_ >= policy_.write_queue));
  return turn ? kReads : kWrites;
}

void Channel::renew_blocked() {
  std::fill(blocked_.begin(), blocked_.end(), 0);
  for (int rank = 0; rank < refresh_.ranks(); ++rank) {
    const RefreshTimer::Rank& state = refresh_.rank(rank);
    if (!state.forced) continue;
    int first = rank * table_.banks_per_rank();
    int last = first + table_.banks_per_rank();
    if (refresh_.mode() == MemoryRefresh::kPerBank) {
      first += state.next_bank;
      last = first + 1;
    }
    for (int bank = first; bank < last; ++bank) {
      blocked_[static_cast<std::size_t>(bank) / 64] |= std::uint64_t{1} << (bank % 64);
    }
  }
}

void Channel::renew_wish(int bank, Direction direction) {
  BankQueues& queue = queues_[direction];
  Wishes& wishes = wishes_[direction];
  if (queue.size(bank) == 0) {
    wishes.set(bank, Wishes::kNothing, 0, 0);
    return;
  }
  const BankState& state = bank_state(bank);
  const int hit = queue.hit(bank);
  const bool may_hit = hit == 0 || (hit > 0 && state.passed < policy_.row_hit_cap &&
                                    policy_.scheduler == params::MemoryScheduler::kFrFcfs);
  if (state.open_row < 0) {
    wishes.set(bank, Wishes::kActivate, 0, queue.burst(bank, 0).order);
  } else if (may_hit) {
    wishes.set(bank, Wishes::kColumn, hit, queue.burst(bank, hit).order);
  } else {
    wishes.set(bank, Wishes::kPrecharge, 0, queue.burst(bank, 0).order);
  }
}

void Channel::consider(Wishes::Kind kind, Direction direction, Cycle latest, Action& best) const {
  const Wishes& wishes = wishes_[direction];
  const MemoryCommand command = kind == Wishes::kActivate    ? kACT
                                : kind == Wishes::kPrecharge ? kPRE
                                : direction == kReads        ? kRD
                                                             : kWR;
  const Cycle floor = std::max(floor_, ready_.of_bus(command));
  Cycle rank_floors[kMaxRanks];
  Cycle least = kNever;
  for (int rank = 0; rank < table_.ranks(); ++rank) {
    rank_floors[rank] = std::max(floor, ready_.of_ranks(command)[rank]);
    least = std::min(least, rank_floors[rank]);
  }
  if (least > std::min(latest, best.time)) return;

  // The smallest key is the earliest command, the older request if two are equally early: one
  // number and no branches. Waits are cut at 2^16 cycles, longer than any rule of any standard; the
  // time of the one that is chosen is exact in any case.
  constexpr Cycle kLongestWait = (1 << 16) - 1;
  std::uint64_t best_key = ~std::uint64_t{0};
  const Cycle* ready = ready_.of_banks(command);
  const std::vector<std::uint64_t>& words = wishes.banks(kind);
  for (std::size_t word = 0; word < words.size(); ++word) {
    for (std::uint64_t bits = words[word] & ~blocked_[word]; bits != 0; bits &= bits - 1) {
      const int bank = static_cast<int>(word) * 64 + static_cast<int>(std::countr_zero(bits));
      const Cycle time = std::max(ready[bank], rank_floors[bank >> rank_shift_]);
      const auto wait = static_cast<std::uint64_t>(std::min(time - floor, kLongestWait));
      best_key = std::min(best_key, wait << Wishes::kTagBits | wishes.tag(bank));
    }
  }
  if (best_key == ~std::uint64_t{0}) return;
  const int best_bank = Wishes::bank_of(best_key);
  const Cycle best_time = std::max(ready[best_bank], rank_floors[best_bank >> rank_shift_]);
  const std::uint64_t best_order = wishes.order(best_bank);
  if (best_time > best.time || (best_time == best.time && best_order > best.order)) return;
  best.time = best_time;
  best.order = best_order;
  best.command = command;
  best.bank = best_bank;
  best.position = wishes.position(best_bank);
  best.direction = direction;
}

void Channel::consider_oldest(Direction direction, Action& column, Action& row) const {
  const BankQueues& queue = queues_[direction];
  if (queue.size() == 0) return;
  const BankQueues::Burst& oldest = queue.oldest();
  if (is_blocked(oldest.bank)) return;
  Action action;
  action.bank = oldest.bank;
  action.position = 0;
  action.direction = direction;
  action.order = oldest.order;
  const Wishes::Kind kind = wishes_[direction].kind(oldest.bank);
  action.command = kind == Wishes::kActivate    ? kACT
                   : kind == Wishes::kPrecharge ? kPRE
                   : direction == kReads        ? kRD
                                                : kWR;
  action.time = std::max(ready_.earliest(action.command, action.bank), floor_);
  (kind == Wishes::kColumn ? column : row) = action;
}

void Channel::consider_refresh(Action& row) const {
  for (int rank = 0; rank < refresh_.ranks(); ++rank) {
    const RefreshTimer::Rank& state = refresh_.rank(rank);
    if (state.owed == 0) continue;
    const int first_bank = rank * table_.banks_per_rank();
    Action action;
    if (refresh_.mode() == MemoryRefresh::kAllBank) {
      if (!state.forced && rank_pending_[static_cast<std::size_t>(rank)] > 0) continue;
      action.bank = first_bank;
      const int open = states_.open_banks(rank);
      action.command = open == 0 ? kREFab : kPREA;
      if (open == 1) {
        action.command = kPRE;
        while (bank_state(action.bank).open_row < 0) ++action.bank;
        action.time = ready_.earliest(kPRE, action.bank);
      } else {
        action.time = ready_.earliest_rank(action.command, rank);
      }
    } else {
      action.bank = first_bank + state.next_bank;
      const bool wanted =
          queues_[kReads].size(action.bank) + queues_[kWrites].size(action.bank) > 0;
      if (!state.forced && wanted) continue;
      action.command = bank_state(action.bank).open_row >= 0 ? kPRE : kREFpb;
      action.time = ready_.earliest(action.command, action.bank);
    }
    action.time = std::max(action.time, floor_);
    keep_better(row, action);
  }
}

void Channel::choose() {
  is_chosen_ = true;
  const Direction direction = next_direction();
  Action column;
  Action row;
  if (policy_.scheduler == params::MemoryScheduler::kFcfs) {
    consider_oldest(direction, column, row);
  } else {
    consider(Wishes::kColumn, direction, kNever, column);
    // A row command goes only before the column command.
    consider(Wishes::kPrecharge, direction, column.time - 1, row);
    consider(Wishes::kActivate, direction, column.time - 1, row);
  }
  if (refresh_.owed_in_all() > 0) consider_refresh(row);

  chosen_ = column;
  if (row.time < column.time) {
    const bool would_delay = column.time != kNever &&
                             table_.bus(row.command) == table_.bus(column.command) &&
                             row.time + table_.cycles(row.command) > column.time;
    if (!would_delay || deferrals_ >= kMaxDeferrals) {
      chosen_ = row;
    } else {
      chosen_.defers_row = true;
    }
  }
  if (refresh_.next_due() <= chosen_.time) {
    chosen_ = Action{};
    chosen_.time = refresh_.next_due();
    chosen_.is_due_time = true;
  }
}

// ---- doing it ----

void Channel::perform(const Action& action) {
  if (action.is_due_time) {
    refresh_.become_due();
    renew_blocked();
    return;
  }
  // A refresh takes no side; position < 0.
  if (action.position >= 0 && action.direction != direction_) {
    direction_ = action.direction;
    served_in_direction_ = 0;
    ++stats_.direction_switches;
  }
  deferrals_ = action.defers_row ? deferrals_ + 1 : 0;
  if (is_column(action.command)) {
    perform_column(action);
    return;
  }
  const int rank = table_.place(action.bank).rank;
  switch (action.command) {
    case kACT: {
      BankQueues::Burst& burst = queues_[direction_].burst(action.bank, action.position);
      burst.activated = true;
      issue(kACT, action.bank, action.time, burst.row, -1);
      open_row(action.bank, burst.row, action.time);
      break;
    }
    case kPRE:
      if (action.position >= 0) {
        queues_[direction_].burst(action.bank, action.position).conflicted = true;
      }
      issue(kPRE, action.bank, action.time, -1, -1);
      close_bank(action.bank);
      states_.banks_closed(rank, 1, action.time);
      break;
    case kPREA:
      issue(kPREA, action.bank, action.time, -1, -1);
      close_rank(rank, action.time);
      break;
    case kREFab:
      issue(kREFab, action.bank, action.time, -1, -1);
      states_.refresh_started(rank, action.time);
      refresh_.refreshed(rank);
      renew_blocked();
      break;
    case kREFpb:
      issue(kREFpb, action.bank, action.time, -1, -1);
      refresh_.refreshed(rank);
      renew_blocked();
      break;
    case kRD:
    case kRDA:
    case kWR:
    case kWRA:
      break;
  }
}

void Channel::perform_column(const Action& action) {
  BankQueues& queue = queues_[direction_];
  const BankQueues::Burst burst = queue.burst(action.bank, action.position);
  BankState& state = bank_state(action.bank);
  const bool is_write = direction_ == kWrites;
  issue(action.command, action.bank, action.time, burst.row, burst.column);
  if (action.position > 0) ++state.passed;
  settle_queues(action.time);
  queue.remove(action.bank, action.position, state.open_row);
  renew_wishes(action.bank);
  --rank_pending_[static_cast<std::size_t>(table_.place(action.bank).rank)];
  ++served_in_direction_;

  if (burst.conflicted) {
    ++stats_.row_conflicts;
  } else if (burst.activated) {
    ++stats_.row_misses;
  } else {
    ++stats_.row_hits;
  }
  (is_write ? stats_.write_bytes : stats_.read_bytes) += table_.burst_bytes();
  stats_.data_bus_cycles += table_.burst_cycles();
  const Cycle data_end = action.time + (is_write ? table_.write_done() : table_.read_done());
  last_data_ = std::max(last_data_, data_end);
  if (pending() == 0) {
    is_busy_ = false;
    stats_.busy_cycles += std::max<Cycle>(last_data_ - busy_since_, 0);
  }
  finish(burst, is_write, data_end + policy_.pipeline_cycles);
}

void Channel::finish(const BankQueues::Burst& burst, bool is_write, Cycle done) {
  const Cycle latency = done - burst.arrival;
  if (is_write) {
    stats_.write_latency_sum += latency;
    stats_.write_latency_largest = std::max(stats_.write_latency_largest, latency);
  } else {
    stats_.read_latency_sum += latency;
    stats_.read_latency_largest = std::max(stats_.read_latency_largest, latency);
  }
  completions_.push_back({burst.id, done});
}

void Channel::issue(MemoryCommand command, int bank, Cycle time, int row, int column) {
  ready_.issue(command, bank, time);
  ++stats_.commands[index_of(command)];
  if (observer_ != nullptr) observer_->on_command({time, command, bank, row, column});
}

void Channel::open_row(int bank, std::int32_t row, Cycle time) {
  bank_state(bank) = {row, 0};
  for (BankQueues& queue : queues_) queue.set_open_row(bank, row);
  renew_wishes(bank);
  states_.bank_opened(table_.place(bank).rank, time);
}

void Channel::close_bank(int bank) {
  bank_state(bank) = {-1, 0};
  for (BankQueues& queue : queues_) queue.set_open_row(bank, -1);
  renew_wishes(bank);
}

void Channel::close_rank(int rank, Cycle time) {
  const int first = rank * table_.banks_per_rank();
  for (int bank = first; bank < first + table_.banks_per_rank(); ++bank) {
    if (bank_state(bank).open_row >= 0) close_bank(bank);
  }
  states_.banks_closed(rank, states_.open_banks(rank), time);
}

}  // namespace lacuna::timing::dram
