// SPDX-License-Identifier: Apache-2.0
#include "timing/dram/memory_system.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace lacuna::timing::dram {

MemorySystem::MemorySystem(const params::MemoryPreset& preset, int channels)
    : preset_(preset),
      table_(preset_),
      map_(preset_.controller.mapping, preset_.organization, channels) {
  LACUNA_CHECK(channels <= kMaxChannels &&
               preset.organization.bursts_per_row() <= BurstLine::kMaxColumns);
  for (int i = 0; i < channels; ++i) {
    ChannelFront front;
    front.controller =
        std::make_unique<Channel>(table_, preset_.controller, static_cast<double>(i) / channels);
    channels_.push_back(std::move(front));
  }
}

void MemorySystem::submit(const Transaction& transaction, Cycle now) {
  LACUNA_CHECK(contains(transaction.address, transaction.bytes),
               "DRAM transaction of {} bytes at {:#x}", transaction.bytes, transaction.address);
  // The past first: room that became free before `now` belongs to bursts that waited then.
  for (ChannelFront& front : channels_) advance_channel(front, now);
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  const int shift = map_.burst_shift();
  const std::uint64_t first = transaction.address >> shift;
  const std::uint64_t last =
      (transaction.address + static_cast<std::uint64_t>(transaction.bytes) - 1) >> shift;
  slots_[slot] = {transaction.id, static_cast<std::int64_t>(last - first + 1), 0};
  ++transactions_under_way_;
  ++stats_.transactions;
  (transaction.is_write ? stats_.requested_write_bytes : stats_.requested_read_bytes) +=
      transaction.bytes;

  std::uint64_t touched = 0;  // channels; at most 64
  map_.for_each_burst(first, last, [&](const DramAddress& at) {
    ChannelFront& front = channels_[static_cast<std::size_t>(at.channel)];
    BurstLine& line = transaction.is_write ? front.writes : front.reads;
    const std::uint64_t bit = std::uint64_t{1} << at.channel;
    if ((touched & bit) == 0) line.begin(slot, now);
    touched |= bit;
    line.push(at.bank, at.row, at.column);
  });
  for (; touched != 0; touched &= touched - 1) {
    ChannelFront& front = channels_[static_cast<std::size_t>(std::countr_zero(touched))];
    front.controller->feed(front.reads, front.writes, now);
    collect(*front.controller);
  }
}

void MemorySystem::advance_channel(ChannelFront& front, Cycle before) {
  front.controller->advance(before, front.reads, front.writes);
  collect(*front.controller);
}

void MemorySystem::collect(Channel& channel) {
  for (const BurstDone& burst : channel.completions()) {
    UnderWay& transaction = slots_[burst.id];
    transaction.done = std::max(transaction.done, burst.done);
    if (--transaction.bursts_left == 0) {
      finished_.push_back({transaction.id, transaction.done});
      free_slots_.push_back(static_cast<std::uint32_t>(burst.id));
      --transactions_under_way_;
    }
  }
  channel.completions().clear();
}

void MemorySystem::advance(Cycle now, std::vector<TransactionDone>& done) {
  for (ChannelFront& front : channels_) advance_channel(front, now);
  done.insert(done.end(), finished_.begin(), finished_.end());
  finished_.clear();
}

Cycle MemorySystem::next_event_time() {
  Cycle next = kNever;
  for (const TransactionDone& finished : finished_) next = std::min(next, finished.done);
  for (ChannelFront& front : channels_) {
    next = std::min(next, front.controller->completion_bound());
  }
  return next;
}

MemoryStats MemorySystem::stats(Cycle now) {
  MemoryStats sum = stats_;
  for (ChannelFront& front : channels_) sum.channels += front.controller->stats(now);
  return sum;
}

}  // namespace lacuna::timing::dram
