// SPDX-License-Identifier: Apache-2.0
//
// Bursts of one direction in front of a channel's queue, in the order in which their transactions
// came. Kept small, eight bytes a burst and the rest once per transaction: megabytes of weights may
// wait here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "timing/dram/timing_table.h"

namespace lacuna::timing::dram {

struct BurstRequest {
  std::uint64_t id = 0;
  std::int32_t bank = 0;  ///< in the channel
  std::int32_t row = 0;
  std::int32_t column = 0;  ///< in bursts
  bool is_write = false;
  Cycle arrival = 0;  ///< where latency counts from; at most the time of enqueueing
};

class BurstLine {
 public:
  static constexpr std::int32_t kMaxColumns = 1 << 16;  ///< bursts of a row

  explicit BurstLine(bool is_write) : is_write_(is_write) {}

  [[nodiscard]] bool empty() const { return head_ == places_.size(); }
  /// The line must not be empty.
  [[nodiscard]] BurstRequest front() const {
    const Place& place = places_[head_];
    const Part& part = parts_[part_head_];
    return {part.id, place.bank, place.row, place.column, is_write_, part.arrival};
  }
  /// What is pushed from now on belongs to this transaction.
  void begin(std::uint64_t id, Cycle arrival) { parts_.push_back({id, arrival, 0}); }
  void push(std::int32_t bank, std::int32_t row, std::int32_t column) {
    places_.push_back({row, static_cast<std::uint16_t>(bank), static_cast<std::uint16_t>(column)});
    ++parts_.back().bursts;
  }
  void pop() {
    ++head_;
    if (--parts_[part_head_].bursts == 0) ++part_head_;
    if (empty()) {
      places_.clear();
      parts_.clear();
      head_ = part_head_ = 0;
    } else if (head_ >= 4096 && head_ * 2 >= places_.size()) {
      places_.erase(places_.begin(), places_.begin() + static_cast<std::ptrdiff_t>(head_));
      parts_.erase(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(part_head_));
      head_ = part_head_ = 0;
    }
  }

 private:
  struct Place {
    std::int32_t row = 0;
    std::uint16_t bank = 0;
    std::uint16_t column = 0;
  };
  struct Part {
    std::uint64_t id = 0;
    Cycle arrival = 0;
    std::int64_t bursts = 0;  ///< of the transaction, that wait
  };

  bool is_write_;
  std::vector<Place> places_;
  std::vector<Part> parts_;
  std::size_t head_ = 0;
  std::size_t part_head_ = 0;
};

}  // namespace lacuna::timing::dram
