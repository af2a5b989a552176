// SPDX-License-Identifier: Apache-2.0
//
// The waiting bursts of one direction (reads or writes) of a channel, sorted by bank, oldest first.
// Rows of a bank's waiting bursts lie side by side, so that "is anything waiting for the open row"
// is a short scan over integers; the first burst that hits the open row is remembered. Bursts are
// also counted by a hash of their place: "is this one waiting already" mostly ends there. Links all
// bursts in order of arrival. Fixed capacity, no allocation after construction.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "timing/dram/timing_table.h"

namespace lacuna::timing::dram {

class BankQueues {
 public:
  struct Burst {
    std::uint64_t id = 0;
    Cycle arrival = 0;        ///< for latency statistics; may lie before the time of enqueueing
    std::uint64_t order = 0;  ///< grows with every burst of the channel
    std::int32_t bank = 0;
    std::int32_t row = 0;
    std::int32_t column = 0;
    std::int32_t merged = -1;  ///< the owner's: first of the requests that joined this burst
    bool activated = false;    ///< an ACT was issued for this burst
    bool conflicted = false;   ///< a PRE was issued for this burst
  };

  BankQueues(int banks, int capacity)
      : capacity_(static_cast<std::size_t>(capacity)),
        room_(2 * capacity_),
        bursts_(capacity_),
        links_(capacity_),
        rows_(room_ * static_cast<std::size_t>(banks)),
        slots_(room_ * static_cast<std::size_t>(banks)),
        banks_(static_cast<std::size_t>(banks)),
        places_(kPlaces) {
    for (std::size_t slot = capacity_; slot > 0; --slot) {
      free_.push_back(static_cast<std::int16_t>(slot - 1));
    }
  }

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] int capacity() const { return static_cast<int>(capacity_); }
  [[nodiscard]] int size(int bank) const { return banks_[at(bank)].count; }
  /// Position of the oldest burst of the bank for its open row, or -1.
  [[nodiscard]] int hit(int bank) const { return banks_[at(bank)].hit; }
  [[nodiscard]] Burst& burst(int bank, int position) {
    return bursts_[static_cast<std::size_t>(
        slots_[front(bank) + static_cast<std::size_t>(position)])];
  }
  /// The oldest burst of all, which is the first of its bank; the queue must not be empty.
  [[nodiscard]] const Burst& oldest() const { return bursts_[static_cast<std::size_t>(oldest_)]; }

  /// The burst for exactly this place, if one waits.
  [[nodiscard]] Burst* find(int bank, std::int32_t row, std::int32_t column) {
    const int position = position_of(bank, row, column);
    return position < 0 ? nullptr : &burst(bank, position);
  }
  [[nodiscard]] bool contains(int bank, std::int32_t row, std::int32_t column) const {
    return position_of(bank, row, column) >= 0;
  }
  /// Whether a burst behind this position wants the row.
  [[nodiscard]] bool wants_row(int bank, std::int32_t row, int behind = -1) const {
    return find_row(bank, behind + 1, row) >= 0;
  }

  /// Room for a burst at this place, behind all others; the caller fills in the rest.
  Burst& push(int bank, std::int32_t row, std::int32_t column, std::int32_t open_row) {
    const std::int16_t slot = free_.back();
    free_.pop_back();
    Burst& stored = bursts_[static_cast<std::size_t>(slot)];
    stored.bank = bank;
    stored.row = row;
    stored.column = column;
    stored.merged = -1;
    stored.activated = stored.conflicted = false;
    links_[static_cast<std::size_t>(slot)] = {youngest_, -1};
    if (youngest_ >= 0) {
      links_[static_cast<std::size_t>(youngest_)].younger = slot;
    } else {
      oldest_ = slot;
    }
    youngest_ = slot;

    Bank& queue = banks_[at(bank)];
    if (queue.head + queue.count == static_cast<std::int32_t>(room_)) to_the_beginning(bank);
    const std::size_t place = front(bank) + static_cast<std::size_t>(queue.count);
    rows_[place] = row;
    slots_[place] = slot;
    if (queue.hit < 0 && row == open_row) queue.hit = queue.count;
    ++queue.count;
    ++size_;
    ++places_[place_of(bank, row, column)];
    return stored;
  }

  /// Removes a burst of the open row. What burst() gave stays readable until the next push().
  void remove(int bank, int position, std::int32_t open_row) {
    Bank& queue = banks_[at(bank)];
    const std::size_t base = front(bank);
    const auto place = static_cast<std::size_t>(position);
    const std::int16_t slot = slots_[base + place];
    const Burst& gone = bursts_[static_cast<std::size_t>(slot)];
    const Links links = links_[static_cast<std::size_t>(slot)];
    if (links.older >= 0) {
      links_[static_cast<std::size_t>(links.older)].younger = links.younger;
    } else {
      oldest_ = links.younger;
    }
    if (links.younger >= 0) {
      links_[static_cast<std::size_t>(links.younger)].older = links.older;
    } else {
      youngest_ = links.older;
    }
    free_.push_back(slot);
    --places_[place_of(bank, gone.row, gone.column)];

    if (place > 0) {  // those before it move up
      std::memmove(&rows_[base + 1], &rows_[base], place * sizeof(rows_[0]));
      std::memmove(&slots_[base + 1], &slots_[base], place * sizeof(slots_[0]));
    }
    ++queue.head;
    --queue.count;
    --size_;
    if (queue.count == 0) queue.head = 0;
    queue.hit = find_row(bank, position, open_row);
  }

  /// The bank's open row changed; -1 = closed.
  void set_open_row(int bank, std::int32_t row) {
    banks_[at(bank)].hit = row < 0 ? -1 : find_row(bank, 0, row);
  }

 private:
  struct Bank {
    std::int32_t head = 0;  ///< of its part of rows_ and slots_
    std::int32_t count = 0;
    std::int32_t hit = -1;
  };
  struct Links {
    std::int16_t older = -1;  ///< neighbours in order of arrival
    std::int16_t younger = -1;
  };
  static constexpr std::size_t kPlaces = 512;

  static std::size_t at(int bank) { return static_cast<std::size_t>(bank); }
  static std::size_t place_of(int bank, std::int32_t row, std::int32_t column) {
    const std::uint32_t mixed = static_cast<std::uint32_t>(column) +
                                static_cast<std::uint32_t>(row) * 0x9E37'79B1U +
                                static_cast<std::uint32_t>(bank) * 0x85EB'CA77U;
    return mixed % kPlaces;
  }
  /// Where a bank's oldest burst stands in rows_ and slots_.
  [[nodiscard]] std::size_t front(int bank) const {
    return at(bank) * room_ + static_cast<std::size_t>(banks_[at(bank)].head);
  }
  void to_the_beginning(int bank) {
    const std::size_t from = front(bank);
    const std::size_t to = at(bank) * room_;
    const auto count = static_cast<std::size_t>(banks_[at(bank)].count);
    std::memmove(&rows_[to], &rows_[from], count * sizeof(rows_[0]));
    std::memmove(&slots_[to], &slots_[from], count * sizeof(slots_[0]));
    banks_[at(bank)].head = 0;
  }

  [[nodiscard]] int position_of(int bank, std::int32_t row, std::int32_t column) const {
    if (places_[place_of(bank, row, column)] == 0) return -1;
    const std::size_t base = front(bank);
    const auto count = static_cast<std::size_t>(size(bank));
    for (std::size_t i = 0; i < count; ++i) {
      if (rows_[base + i] == row &&
          bursts_[static_cast<std::size_t>(slots_[base + i])].column == column) {
        return static_cast<int>(i);
      }
    }
    return -1;
  }

  [[nodiscard]] int find_row(int bank, int from, std::int32_t row) const {
    const std::int32_t* rows = &rows_[front(bank)];
    const int count = size(bank);
    for (int i = from; i < count; ++i) {
      if (rows[i] == row) return i;
    }
    return -1;
  }

  std::size_t capacity_;
  std::size_t room_;  ///< of a bank in rows_ and slots_: its bursts move on through it
  std::vector<Burst> bursts_;
  std::vector<Links> links_;
  std::vector<std::int32_t> rows_;   ///< per bank, room_ each, oldest first from its head on
  std::vector<std::int16_t> slots_;  ///< beside rows_: index into bursts_
  std::vector<Bank> banks_;
  std::vector<std::uint16_t> places_;  ///< bursts by place_of()
  std::vector<std::int16_t> free_;
  std::int16_t oldest_ = -1;
  std::int16_t youngest_ = -1;
  int size_ = 0;
};

}  // namespace lacuna::timing::dram
