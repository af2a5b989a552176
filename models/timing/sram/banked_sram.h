// SPDX-License-Identifier: Apache-2.0
//
// SRAM banks of one or more ports, words interleaved: bank = word address mod banks. A burst of n
// words that starts in cycle s uses bank b in s, b + 1 in s + 1, ... ("rotating"). So bank minus
// cycle, mod banks, stays the same for the whole burst, and two bursts can only meet in a bank if
// this number, their lane, is equal. Reserving a burst is therefore: find the first cycle whose
// lane is free, and mark that lane taken until the burst ends; with p ports a lane holds p bursts.
// O(1) for any length; exact, no per-beat arbitration.
//
// Contract: reservations are made in order of their start (the caller reserves when the requester
// is ready, not ahead of time); a lane is taken from its reservation on, gaps before a later start
// are not given to others. A word per port and cycle, read or write; data `latency` cycles after
// the bank's cycle.
//
// Does not model: ports for one direction only, bank groups with different latency, ECC, power
// gating.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cycles.h"
#include "params/chip_params.h"

namespace lacuna::timing::sram {

using base::Cycle;

struct SramStats {
  std::int64_t read_words = 0;
  std::int64_t write_words = 0;
  std::int64_t bursts = 0;
  std::int64_t conflicts = 0;        ///< bursts that found their bank taken
  std::int64_t conflict_cycles = 0;  ///< cycles that they waited for it
};

class BankedSram {
 public:
  explicit BankedSram(const params::SramParams& params);

  [[nodiscard]] int banks() const { return static_cast<int>(bank_mask_) + 1; }
  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int latency() const { return latency_; }
  [[nodiscard]] std::int64_t capacity() const { return capacity_; }

  /// Words that `bytes` from `address` on touch; bytes above 0.
  [[nodiscard]] std::int64_t words(std::uint64_t address, std::int64_t bytes) const {
    const std::uint64_t last = address + static_cast<std::uint64_t>(bytes) - 1;
    return static_cast<std::int64_t>((last >> width_shift_) - (address >> width_shift_) + 1);
  }

  /// Reserves `words` consecutive words from the one of `address` on, not before `earliest`.
  /// Returns the cycle of the first word.
  Cycle reserve(std::uint64_t address, std::int64_t words, bool is_write, Cycle earliest);

  [[nodiscard]] const SramStats& stats() const { return stats_; }

 private:
  /// The port of the lane that is free first.
  Cycle* first_free(std::uint64_t lane);

  std::int64_t capacity_;
  int width_;
  int width_shift_;
  int latency_;
  std::uint64_t bank_mask_;
  std::size_t ports_;
  std::vector<Cycle> free_at_;  ///< per lane, ports_ each
  SramStats stats_;
};

}  // namespace lacuna::timing::sram
