// SPDX-License-Identifier: Apache-2.0
//
// Runs: one bank goes on with its open row, which is what streams of weights are made of. The
// command that the scheduler would choose is then known without a look at other banks, and several
// are performed at once. Nothing here decides otherwise than channel.cpp; it is only sooner done.
#include <algorithm>
#include <bit>

#include "timing/dram/channel.h"

namespace lacuna::timing::dram {

using enum params::MemoryCommand;

void Channel::know_others() {
  run_.knows_others = true;
  run_.others_tag = ~std::uint64_t{0};
  const Wishes& wishes = wishes_[run_.direction];
  const std::vector<std::uint64_t>& words = wishes.banks(Wishes::kColumn);
  for (std::size_t word = 0; word < words.size(); ++word) {
    for (std::uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
      const int other = static_cast<int>(word) * 64 + static_cast<int>(std::countr_zero(bits));
      if (other != run_.bank) run_.others_tag = std::min(run_.others_tag, wishes.tag(other));
    }
  }
}

Cycle Channel::others_bound(Direction direction) const {
  Cycle bound = refresh_.next_due() - 1;
  for (const Wishes::Kind kind : {Wishes::kPrecharge, Wishes::kActivate}) {
    if (!wishes_[direction].any(kind)) continue;
    const BestWish& known = best_wishes_[direction][kind];
    bound = std::min(bound, known.bank == kUnknown ? kLongAgo : known.time);
  }
  if (refresh_.owed_in_all() > 0) {
    Action row;
    consider_refresh(row);
    bound = std::min(bound, row.time);
  }
  return bound;
}

bool Channel::continue_run(Direction direction) {
  const int bank = run_.bank;
  const Wishes& wishes = wishes_[direction];
  if (run_.direction != direction || run_.length < 2 || wishes.kind(bank) != Wishes::kColumn) {
    return false;
  }
  if (!run_.knows_others) know_others();
  // It is the oldest, and no other can be earlier.
  if (wishes.tag(bank) > run_.others_tag) return false;
  const MemoryCommand command = direction == kReads ? kRD : kWR;
  const Cycle floor = std::max(floor_, ready_.of_bus(command));
  const Cycle* ranks = ready_.of_ranks(command);
  const Cycle least = std::max(floor, *std::min_element(ranks, ranks + table_.ranks()));
  const Cycle time = std::max({floor, ranks[rank_of(bank)], ready_.of_banks(command)[bank]});
  if (time > least) return false;
  // Nor does a row command go before it.
  run_.bound = others_bound(direction);
  if (time > run_.bound) return false;
  chosen_ = {};
  chosen_.time = time;
  chosen_.order = wishes.order(bank);
  chosen_.command = command;
  chosen_.direction = direction;
  chosen_.bank = bank;
  chosen_.position = wishes.position(bank);
  return true;
}

void Channel::advance(Cycle before, BurstLine& reads, BurstLine& writes) {
  while (next_command_time() < before) {
    if (run_.is_chosen && repeat_ > 0 && direction_ == kReads && queues_[kWrites].size() == 0 &&
        writes.empty() && chosen_.position == 0) {
      perform_run(before, reads);
    } else {
      step(before - 1);
    }
    feed(reads, writes, floor_);
  }
}

void Channel::feed(BurstLine& reads, BurstLine& writes, Cycle now) {
  for (BurstLine* line : {&reads, &writes}) {
    while (!line->empty()) {
      const BurstRequest request = line->front();
      if (!can_accept(request)) break;
      enqueue(request, now);
      line->pop();
    }
  }
}

bool Channel::feed_quietly(BurstLine& reads) {
  BankQueues& queue = queues_[kReads];
  while (!reads.empty() && waiting(kReads) < queue.capacity()) {
    const BurstRequest request = reads.front();
    const std::int32_t open_row = bank_state(request.bank).open_row;
    // The first of its bank, the first of the open row, one that joins another: not so quiet.
    if (queue.size(request.bank) == 0 || (queue.hit(request.bank) < 0 && request.row == open_row) ||
        queue.contains(request.bank, request.row, request.column)) {
      return false;
    }
    push(request, queue, open_row);
    reads.pop();
  }
  return true;
}

void Channel::perform_run(Cycle before, BurstLine& reads) {
  BankQueues& queue = queues_[kReads];
  const int bank = chosen_.bank;
  const int rank = rank_of(bank);
  BankState& state = bank_state(bank);
  Cycle time = chosen_.time;
  bool goes_on = true;
  std::int64_t count = 0;
  while (goes_on) {
    const BankQueues::Burst& burst = queue.burst(bank, 0);
    if (observer_ != nullptr) observer_->on_command({time, kRD, bank, burst.row, burst.column});
    settle_queues(time);
    queue.remove(bank, 0, state.open_row);
    --ranks_[static_cast<std::size_t>(rank)].pending;
    ++count;
    count_burst(burst, time);
    floor_ = time;
    if (queue.hit(bank) != 0 || !feed_quietly(reads)) break;
    const Cycle next = time + repeat_;
    goes_on = next < before && next <= run_.bound &&
              Wishes::tag_of(bank, queue.burst(bank, 0).order) < run_.others_tag;
    if (goes_on) time = next;
  }
  stats_.commands[index_of(kRD)] += count;
  ready_.issue(kRD, bank, time);
  state.last_use = time;
  ranks_[static_cast<std::size_t>(rank)].idle_since = time;
  served_in_direction_ += static_cast<int>(count);
  run_.length += count;
  deferrals_ = 0;
  is_chosen_ = false;
  renew_wish(bank, kReads);
}

}  // namespace lacuna::timing::dram
