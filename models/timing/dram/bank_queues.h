// SPDX-License-Identifier: Apache-2.0
//
// The waiting bursts of one direction (reads or writes) of a channel, sorted by bank, oldest first.
// Rows of a bank's waiting bursts lie side by side, so that "is anything waiting for the open row"
// is a short scan over integers; the first burst that hits the open row is remembered. Also links
// all bursts in order of arrival. Fixed capacity, no allocation after construction.
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
    std::int16_t older = -1;  ///< neighbours in order of arrival
    std::int16_t younger = -1;
    std::int32_t merged = -1;  ///< the owner's: first of the requests that joined this burst
    bool activated = false;    ///< an ACT was issued for this burst
    bool conflicted = false;   ///< a PRE was issued for this burst
  };

  BankQueues(int banks, int capacity)
      : capacity_(static_cast<std::size_t>(capacity)),
        bursts_(capacity_),
        rows_(capacity_ * static_cast<std::size_t>(banks)),
        slots_(capacity_ * static_cast<std::size_t>(banks)),
        banks_(static_cast<std::size_t>(banks)),
        occupied_((static_cast<std::size_t>(banks) + 63) / 64) {
    for (std::size_t slot = capacity_; slot > 0; --slot) {
      free_.push_back(static_cast<std::int16_t>(slot - 1));
    }
  }

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] int capacity() const { return static_cast<int>(capacity_); }
  [[nodiscard]] int size(int bank) const { return banks_[at(bank)].count; }
  /// Bit b of word w: bank 64 w + b has waiting bursts.
  [[nodiscard]] const std::vector<std::uint64_t>& occupied() const { return occupied_; }

  /// Position of the oldest burst of the bank for its open row, or -1.
  [[nodiscard]] int hit(int bank) const { return banks_[at(bank)].hit; }
  [[nodiscard]] Burst& burst(int bank, int position) {
    return bursts_[static_cast<std::size_t>(
        slots_[at(bank) * capacity_ + static_cast<std::size_t>(position)])];
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

  void push(const Burst& burst, std::int32_t open_row) {
    const std::int16_t slot = free_.back();
    free_.pop_back();
    Burst& stored = bursts_[static_cast<std::size_t>(slot)];
    stored = burst;
    stored.older = youngest_;
    stored.younger = -1;
    if (youngest_ >= 0) {
      bursts_[static_cast<std::size_t>(youngest_)].younger = slot;
    } else {
      oldest_ = slot;
    }
    youngest_ = slot;

    Bank& queue = banks_[at(burst.bank)];
    const std::size_t place = at(burst.bank) * capacity_ + static_cast<std::size_t>(queue.count);
    rows_[place] = burst.row;
    slots_[place] = slot;
    if (queue.hit < 0 && burst.row == open_row) queue.hit = queue.count;
    ++queue.count;
    ++size_;
    occupied_[at(burst.bank) / 64] |= std::uint64_t{1} << (at(burst.bank) % 64);
  }

  /// Removes a burst of the open row.
  void remove(int bank, int position, std::int32_t open_row) {
    Bank& queue = banks_[at(bank)];
    const std::size_t base = at(bank) * capacity_;
    const auto place = static_cast<std::size_t>(position);
    const std::int16_t slot = slots_[base + place];
    const Burst& gone = bursts_[static_cast<std::size_t>(slot)];
    if (gone.older >= 0) {
      bursts_[static_cast<std::size_t>(gone.older)].younger = gone.younger;
    } else {
      oldest_ = gone.younger;
    }
    if (gone.younger >= 0) {
      bursts_[static_cast<std::size_t>(gone.younger)].older = gone.older;
    } else {
      youngest_ = gone.older;
    }
    free_.push_back(slot);

    const std::size_t behind = static_cast<std::size_t>(queue.count) - place - 1;
    std::memmove(&rows_[base + place], &rows_[base + place + 1], behind * sizeof(rows_[0]));
    std::memmove(&slots_[base + place], &slots_[base + place + 1], behind * sizeof(slots_[0]));
    --queue.count;
    --size_;
    if (queue.count == 0) {
      occupied_[at(bank) / 64] &= ~(std::uint64_t{1} << (at(bank) % 64));
    }
    queue.hit = find_row(bank, position, open_row);
  }

  /// The bank's open row changed; -1 = closed.
  void set_open_row(int bank, std::int32_t row) {
    banks_[at(bank)].hit = row < 0 ? -1 : find_row(bank, 0, row);
  }

 private:
  struct Bank {
    std::int32_t count = 0;
    std::int32_t hit = -1;
  };

  static std::size_t at(int bank) { return static_cast<std::size_t>(bank); }

  [[nodiscard]] int position_of(int bank, std::int32_t row, std::int32_t column) const {
    const Bank& queue = banks_[at(bank)];
    const std::size_t base = at(bank) * capacity_;
    for (std::size_t i = 0; i < static_cast<std::size_t>(queue.count); ++i) {
      if (rows_[base + i] == row &&
          bursts_[static_cast<std::size_t>(slots_[base + i])].column == column) {
        return static_cast<int>(i);
      }
    }
    return -1;
  }

  [[nodiscard]] int find_row(int bank, int from, std::int32_t row) const {
    const std::int32_t* rows = &rows_[at(bank) * capacity_];
    const int count = banks_[at(bank)].count;
    for (int i = from; i < count; ++i) {
      if (rows[i] == row) return i;
    }
    return -1;
  }

  std::size_t capacity_;
  std::vector<Burst> bursts_;
  std::vector<std::int32_t> rows_;   ///< per bank, capacity_ each, oldest first
  std::vector<std::int16_t> slots_;  ///< beside rows_: index into bursts_
  std::vector<Bank> banks_;
  std::vector<std::uint64_t> occupied_;
  std::vector<std::int16_t> free_;
  std::int16_t oldest_ = -1;
  std::int16_t youngest_ = -1;
  int size_ = 0;
};

}  // namespace lacuna::timing::dram
