// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/channel.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace lacuna::timing::dram {

using enum params::MemoryCommand;

namespace {

// What this policy ever sends.
ReadyTimes::Commands commands_of(const params::MemoryControllerParams& policy) {
  ReadyTimes::Commands used{};
  for (const MemoryCommand command : {kACT, kRD, kWR, kPRE, kPREA}) used[index_of(command)] = true;
  const bool closed = policy.page_policy == params::MemoryPagePolicy::kClosed;
  used[index_of(kRDA)] = used[index_of(kWRA)] = closed;
  used[index_of(kREFab)] = policy.refresh == params::MemoryRefresh::kAllBank;
  used[index_of(kREFpb)] = policy.refresh == params::MemoryRefresh::kPerBank;
  // On the way to self-refresh a rank may come from power-down.
  used[index_of(kPDE)] = used[index_of(kPDX)] = policy.power_down > 0;
  used[index_of(kSRE)] = used[index_of(kSRX)] = policy.self_refresh > 0;
  return used;
}

}  // namespace

Channel::Channel(const TimingTable& table, const params::MemoryControllerParams& policy,
                 double refresh_phase)
    : table_(table),
      policy_(policy),
      ready_(table, commands_of(policy)),
      states_(table),
      refresh_(table, policy.refresh, policy.refresh_postpone, refresh_phase),
      banks_(static_cast<std::size_t>(table.banks())),
      ranks_(static_cast<std::size_t>(table.ranks())),
      may_sleep_(policy.power_down > 0 || policy.self_refresh > 0),
      may_run_(!may_sleep_ && policy.page_policy == params::MemoryPagePolicy::kOpen &&
               policy.scheduler == params::MemoryScheduler::kFrFcfs),
      queues_{BankQueues(table.banks(), policy.read_queue),
              BankQueues(table.banks(), policy.write_queue)},
      wishes_{Wishes(table.banks()), Wishes(table.banks())},
      blocked_((static_cast<std::size_t>(table.banks()) + 63) / 64),
      least_key_(table.banks_per_rank() % kScanStep == 0 ? pick_least_key() : nullptr),
      rank_shift_(std::countr_zero(static_cast<unsigned>(table.banks_per_rank()))),
      least_latency_(std::min(table.read_done(), table.write_done()) + policy.pipeline_cycles) {
  LACUNA_CHECK(table.banks() <= kMaxBanks && table.ranks() <= kMaxRanks);
  if (may_run_ && table.ranks() == 1) repeat_ = ready_.repeat_after(kRD);
}

bool Channel::can_accept(const BurstRequest& request) const {
  const Direction direction = request.is_write ? kWrites : kReads;
  if (waiting(direction) >= queues_[direction].capacity()) return false;
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
  if (!request.is_write && queues_[kWrites].contains(request.bank, request.row, request.column)) {
    ++stats_.forwarded_reads;
    finish(burst, false, now + 1 + policy_.pipeline_cycles);
    return;
  }
  const Direction direction = request.is_write ? kWrites : kReads;
  BankQueues& queue = queues_[direction];
  BankQueues::Burst* same = queue.find(request.bank, request.row, request.column);
  if (same != nullptr) {
    ++order_;
    ++(request.is_write ? stats_.merged_writes : stats_.merged_reads);
    settle_queues(now);
    merge(*same, request);
    note_largest_queue(direction);
    return;
  }
  if (!is_busy_) {
    is_busy_ = true;
    // Data of earlier bursts may still be on its way: that time is counted already.
    busy_since_ = std::max(now, last_data_);
  }
  settle_queues(now);
  const int hit = queue.size(request.bank) == 0 ? kNone : queue.hit(request.bank);
  push(request, queue, bank_state(request.bank).open_row);
  // Behind others that want the same it changes nothing.
  if (queue.hit(request.bank) != hit) renew_wish(request.bank, direction);
  is_chosen_ = false;
}

void Channel::push(const BurstRequest& request, BankQueues& queue, std::int32_t open_row) {
  BankQueues::Burst& burst = queue.push(request.bank, request.row, request.column, open_row);
  burst.id = request.id;
  burst.arrival = request.arrival;
  burst.order = ++order_;
  note_largest_queue(request.is_write ? kWrites : kReads);
  ++ranks_[static_cast<std::size_t>(rank_of(request.bank))].pending;
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

void Channel::note_largest_queue(Direction direction) {
  std::int64_t& largest =
      direction == kWrites ? stats_.write_queue_largest : stats_.read_queue_largest;
  largest = std::max<std::int64_t>(largest, waiting(direction));
}

void Channel::settle_queues(Cycle time) {
  const Cycle passed = time - queues_since_;
  if (passed == 0) return;
  queues_since_ = time;
  stats_.read_queue_cycles += passed * waiting(kReads);
  stats_.write_queue_cycles += passed * waiting(kWrites);
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

namespace {

// Waits are compared up to so many cycles, longer than any rule of any standard; the time of the
// one that is chosen is exact in any case.
constexpr Cycle kLongestWait = (1 << 15) - 1;

MemoryCommand command_of(Wishes::Kind kind, bool is_write) {
  switch (kind) {
    case Wishes::kActivate:
      return kACT;
    case Wishes::kPrecharge:
      return kPRE;
    case Wishes::kColumn:
    case Wishes::kNothing:
      break;
  }
  return is_write ? kWR : kRD;
}

}  // namespace

void Channel::renew_wish(int bank, Direction direction) {
  BankQueues& queue = queues_[direction];
  Wishes& wishes = wishes_[direction];
  if (queue.size(bank) == 0) {
    if (wishes.kind(bank) != Wishes::kNothing) wishes.set(bank, Wishes::kNothing, 0, 0);
    return;
  }
  const BankState& state = bank_state(bank);
  Wishes::Kind kind = Wishes::kActivate;
  int position = 0;
  if (state.open_row >= 0) {
    const int hit = queue.hit(bank);
    const bool may_hit = hit == 0 || (hit > 0 && state.passed < policy_.row_hit_cap &&
                                      policy_.scheduler == params::MemoryScheduler::kFrFcfs);
    kind = may_hit ? Wishes::kColumn : Wishes::kPrecharge;
    position = may_hit ? hit : 0;
  }
  wishes.set(bank, kind, position, queue.burst(bank, position).order);
  const std::uint64_t tag = wishes.tags(kind)[static_cast<std::size_t>(bank)];
  if (kind == Wishes::kColumn && bank != run_.bank) {
    run_.others_tag = std::min(run_.others_tag, tag);
  }
  BestWish& best = best_wishes_[direction][kind];
  if (best.bank == kUnknown || is_blocked(bank)) return;
  if (best.bank == bank) {  // what was known of it is old
    best.bank = kOnlyTime;
    best.tag = 0;
  }
  const MemoryCommand command = command_of(kind, direction == kWrites);
  const Cycle time =
      std::max({ready_.of_banks(command)[bank], ready_.of_ranks(command)[rank_of(bank)],
                ready_.of_bus(command), floor_});
  if (time < best.time || (time == best.time && tag < best.tag)) best = {bank, time, tag};
}

// Inlined for each kind: three of them are considered for every command.
template <Wishes::Kind kKind>
inline __attribute__((always_inline)) void Channel::consider(Direction direction, Cycle latest,
                                                             Action& best) {
  const Wishes& wishes = wishes_[direction];
  if (!wishes.any(kKind)) return;
  latest = std::min(latest, best.time);
  BestWish& known = best_wishes_[direction][kKind];
  // Times can only grow.
  if (known.bank != kUnknown && known.time > latest) return;
  const MemoryCommand command = command_of(kKind, direction == kWrites);
  const Cycle floor = std::max(floor_, ready_.of_bus(command));
  const bool is_known =
      known.bank >= 0 && wishes.tags(kKind)[static_cast<std::size_t>(known.bank)] == known.tag &&
      known.time == std::max({ready_.of_banks(command)[known.bank],
                              ready_.of_ranks(command)[rank_of(known.bank)], floor});
  BestWish found = known;
  if (!is_known) {
    found = find_best_wish(kKind, direction, floor, latest);
    known = found.time - floor < kLongestWait ? found : BestWish{};
    if (found.bank < 0) return;
  }
  const std::uint64_t order = found.tag >> Wishes::kBankBits;
  if (found.time > best.time || (found.time == best.time && order > best.order)) return;
  best.time = found.time;
  best.order = order;
  best.command = command;
  best.bank = found.bank;
  best.position = wishes.position(found.bank);
  best.direction = direction;
}

Channel::BestWish Channel::find_best_wish(Wishes::Kind kind, Direction direction, Cycle floor,
                                          Cycle latest) const {
  const Wishes& wishes = wishes_[direction];
  const MemoryCommand command = command_of(kind, direction == kWrites);
  const Cycle* ranks = ready_.of_ranks(command);
  const Cycle least = std::max(floor, *std::min_element(ranks, ranks + table_.ranks()));
  if (least > latest) return {kOnlyTime, least, 0};

  // The smallest key is the earliest command, the older request if two are equally early: one
  // number and no branches.
  std::uint64_t best_key = kNoWish;
  const Cycle* ready = ready_.of_banks(command);
  const std::vector<std::uint64_t>& words = wishes.banks(kind);
  const bool scans = least_key_ != nullptr && !any_blocked_;
  if (scans) {
    best_key = least_key_({ready, wishes.tags(kind).data(), ranks, table_.ranks(),
                           table_.banks_per_rank(), floor, kLongestWait});
  }
  for (std::size_t word = 0; word < words.size() && !scans; ++word) {
    for (std::uint64_t bits = words[word] & ~blocked_[word]; bits != 0; bits &= bits - 1) {
      const int bank = static_cast<int>(word) * 64 + static_cast<int>(std::countr_zero(bits));
      const Cycle time = std::max({ready[bank], ranks[rank_of(bank)], floor});
      const auto wait = static_cast<std::uint64_t>(std::min(time - floor, kLongestWait));
      best_key = std::min(best_key, wait << kTagBits | wishes.tag(bank));
    }
  }
  if (best_key == kNoWish) return {};
  const int bank = Wishes::bank_of(best_key);
  return {bank, std::max({ready[bank], ranks[rank_of(bank)], floor}),
          wishes.tags(kind)[static_cast<std::size_t>(bank)]};
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

void Channel::consider_closing(Action& column) {
  if (column.time == kNever) return;
  const std::int32_t row = bank_state(column.bank).open_row;
  const Direction other = column.direction == kReads ? kWrites : kReads;
  if (queues_[column.direction].wants_row(column.bank, row, column.position) ||
      queues_[other].wants_row(column.bank, row)) {
    return;
  }
  column.command = column.command == kRD ? kRDA : kWRA;
  column.time = std::max(column.time, ready_.earliest(column.command, column.bank));
}

void Channel::choose() {
  is_chosen_ = true;
  const Direction direction = next_direction();
  run_.is_chosen = run_.bank >= 0 && continue_run(direction);
  if (run_.is_chosen) return;
  Action column;
  Action row;
  if (policy_.scheduler == params::MemoryScheduler::kFcfs) {
    consider_oldest(direction, column, row);
  } else {
    consider<Wishes::kColumn>(direction, kNever, column);
    // A row command goes only before the column command.
    consider<Wishes::kPrecharge>(direction, column.time - 1, row);
    consider<Wishes::kActivate>(direction, column.time - 1, row);
  }
  if (policy_.page_policy == params::MemoryPagePolicy::kClosed) consider_closing(column);
  if (refresh_.owed_in_all() > 0) consider_refresh(row);
  if (policy_.page_policy == params::MemoryPagePolicy::kTimeout) consider_timeout(row);
  if (may_sleep_) consider_sleep(row);

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
  // Upkeep takes no side.
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
  if (action.position >= 0) {
    perform_row(action);
  } else {
    perform_upkeep(action);
  }
}

void Channel::perform_row(const Action& action) {
  BankQueues::Burst& burst = queues_[direction_].burst(action.bank, action.position);
  if (action.command == kACT) {
    burst.activated = true;
    issue(kACT, action.bank, action.time, burst.row, -1);
    open_row(action.bank, burst.row, action.time);
  } else {
    burst.conflicted = true;
    issue(kPRE, action.bank, action.time, -1, -1);
    close_bank(action.bank);
    states_.banks_closed(rank_of(action.bank), 1, action.time);
  }
}

void Channel::perform_column(const Action& action) {
  BankQueues& queue = queues_[direction_];
  const BankQueues::Burst& burst = queue.burst(action.bank, action.position);
  BankState& state = bank_state(action.bank);
  const bool closes = action.command == kRDA || action.command == kWRA;
  const Cycle precharge = closes ? std::max(ready_.of_banks(kPRE)[action.bank],
                                            action.time + table_.precharge_after(action.command))
                                 : 0;
  issue(action.command, action.bank, action.time, burst.row, burst.column);
  const bool passes = action.position > 0;
  if (passes) ++state.passed;
  settle_queues(action.time);
  state.last_use = action.time;
  queue.remove(action.bank, action.position, state.open_row);
  const int rank = rank_of(action.bank);
  if (closes) {
    close_bank(action.bank);
    states_.bank_closes_itself(rank, action.time, precharge);
  } else {
    renew_wish(action.bank, direction_);
    if (passes) renew_wish(action.bank, direction_ == kReads ? kWrites : kReads);
  }
  --ranks_[static_cast<std::size_t>(rank)].pending;
  ranks_[static_cast<std::size_t>(rank)].idle_since = action.time;
  ++served_in_direction_;
  if (may_run_) {
    if (action.bank != run_.bank || direction_ != run_.direction) {
      run_ = {action.bank, direction_, 0, false, 0};
    }
    ++run_.length;
  }

  count_burst(burst, action.time);
}

void Channel::count_burst(const BankQueues::Burst& burst, Cycle time) {
  const bool is_write = direction_ == kWrites;
  if (burst.conflicted) {
    ++stats_.row_conflicts;
  } else if (burst.activated) {
    ++stats_.row_misses;
  } else {
    ++stats_.row_hits;
  }
  (is_write ? stats_.write_bytes : stats_.read_bytes) += table_.burst_bytes();
  stats_.data_bus_cycles += table_.burst_cycles();
  const Cycle data_end = time + (is_write ? table_.write_done() : table_.read_done());
  last_data_ = std::max(last_data_, data_end);
  if (pending() == 0) {
    is_busy_ = false;
    stats_.busy_cycles += std::max<Cycle>(last_data_ - busy_since_, 0);
  }
  finish(burst, is_write, data_end + policy_.pipeline_cycles);
}

void Channel::finish(const BankQueues::Burst& burst, bool is_write, Cycle done) {
  complete(burst.id, burst.arrival, is_write, done);
  for (std::int32_t at = burst.merged; at >= 0;) {
    --joined_[is_write ? kWrites : kReads];
    Merged& joined = merged_[static_cast<std::size_t>(at)];
    complete(joined.id, joined.arrival, is_write, done);
    const std::int32_t next = joined.next;
    joined.next = free_merged_;
    free_merged_ = at;
    at = next;
  }
}

void Channel::complete(std::uint64_t id, Cycle arrival, bool is_write, Cycle done) {
  const Cycle latency = done - arrival;
  if (is_write) {
    stats_.write_latency_sum += latency;
    stats_.write_latency_largest = std::max(stats_.write_latency_largest, latency);
  } else {
    stats_.read_latency_sum += latency;
    stats_.read_latency_largest = std::max(stats_.read_latency_largest, latency);
  }
  completions_.push_back({id, done});
}

void Channel::merge(BankQueues::Burst& burst, const BurstRequest& request) {
  std::int32_t at = free_merged_;
  if (at >= 0) {
    free_merged_ = merged_[static_cast<std::size_t>(at)].next;
  } else {
    at = static_cast<std::int32_t>(merged_.size());
    merged_.emplace_back();
  }
  ++joined_[request.is_write ? kWrites : kReads];
  merged_[static_cast<std::size_t>(at)] = {request.id, request.arrival, burst.merged};
  burst.merged = at;
}

void Channel::issue(MemoryCommand command, int bank, Cycle time, int row, int column) {
  ready_.issue(command, bank, time);
  ++stats_.commands[index_of(command)];
  if (observer_ != nullptr) observer_->on_command({time, command, bank, row, column});
}

void Channel::open_row(int bank, std::int32_t row, Cycle time) {
  bank_state(bank) = {row, 0, time};
  for (BankQueues& queue : queues_) queue.set_open_row(bank, row);
  renew_wishes(bank);
  states_.bank_opened(rank_of(bank), time);
}

void Channel::close_bank(int bank) {
  bank_state(bank) = {};
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
