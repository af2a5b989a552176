// SPDX-License-Identifier: Apache-2.0
//
// One sample of a tensor as it lies in memory while a program runs: how much of it has been stored,
// since when it can be read, and what reading parts of it moves. The codes themselves are in the
// tensor store; here are only the sizes of their encoded form (mapper/slot_layout.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cycles.h"
#include "mapper/slot_layout.h"

namespace lacuna::chip {

class StoredTensor {
 public:
  /// Not stored yet; `codes` codes are missing.
  StoredTensor(const mapper::SlotLayout& layout, std::int64_t tokens);

  /// `codes` more have been stored in cycle `now`; true if that completes the tensor, whose codes
  /// are then `all` (empty: none of them is zero). LACUNA_CHECK: nothing is stored twice.
  bool store(std::int64_t codes, base::Cycle now, std::span<const std::uint8_t> all);
  /// All codes are known beforehand, but their tokens arrive piece by piece. Before the first
  /// arrive().
  void expect_pieces(std::span<const std::uint8_t> all);
  [[nodiscard]] bool expects_pieces() const { return !token_since_.empty(); }
  /// All of it is there since cycle `now`; measure() it before traffic() is asked.
  void present(base::Cycle now);
  [[nodiscard]] bool measured() const { return !prefix_.empty(); }
  /// `all` empty: no code is zero.
  void measure(std::span<const std::uint8_t> all);
  /// Nobody will ask for traffic() again: gives the memory back, which `= {}` would not.
  void release() { std::vector<std::int32_t>().swap(prefix_); }
  /// Tokens [begin, end) have been stored in cycle `now`.
  void arrive(std::int64_t begin, std::int64_t end, base::Cycle now);

  [[nodiscard]] bool complete() const { return missing_ == 0; }
  [[nodiscard]] bool available(std::int64_t token) const {
    return complete() ||
           (!token_since_.empty() && token_since_[static_cast<std::size_t>(token)] >= 0);
  }
  /// Since when tokens [begin, end) can be read; -1: not all of them yet.
  [[nodiscard]] base::Cycle since(std::int64_t begin, std::int64_t end) const;
  [[nodiscard]] std::int64_t tokens() const { return tokens_; }
  [[nodiscard]] const mapper::SlotLayout& layout() const { return *layout_; }

  /// Bytes that move when channels [begin, end) of a token are read; the token is available.
  /// Neighbouring slots are fetched separately, or as one piece where that is less.
  [[nodiscard]] std::int64_t traffic(std::int64_t token, std::int64_t begin,
                                     std::int64_t end) const;
  /// Offset of the slot of a channel in a token's sample.
  [[nodiscard]] std::int64_t offset(std::int64_t token, std::int64_t channel) const {
    return token * layout_->token_bytes() + layout_->slot_of(channel) * layout_->slot_bytes();
  }

 private:
  const mapper::SlotLayout* layout_;
  std::int64_t tokens_;
  std::int64_t missing_;
  base::Cycle since_ = -1;
  std::vector<base::Cycle> token_since_;  ///< if it comes in pieces
  std::int64_t slots_ = 0;
  std::int64_t slot_bytes_ = 0;
  std::vector<std::int32_t> prefix_;  ///< [token][slot + 1] traffic of the slots before
};

/// Channels [begin, end) of tokens, to be written: where their slots are is found once.
class WrittenSlots {
 public:
  WrittenSlots(const mapper::SlotLayout& layout, std::int64_t begin, std::int64_t end);

  /// Bytes that move when they are written in a token, whose codes are `codes`; empty, for a layout
  /// of bitmasks: none of them is zero.
  [[nodiscard]] std::int64_t traffic(std::span<const std::uint8_t> codes) const;

 private:
  const mapper::SlotLayout* layout_;
  std::vector<std::int64_t> ends_;  ///< of each slot, counted from `begin`
  std::int64_t whole_;              ///< all of the slots' bytes, rounded up
};

/// Non-zero bytes.
[[nodiscard]] std::int64_t count_nonzeros(const std::uint8_t* codes, std::int64_t count);

}  // namespace lacuna::chip
