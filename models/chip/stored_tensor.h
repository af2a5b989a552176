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

  /// `codes` more have been stored in cycle `now`; true if that completes the tensor, whose codes are
  /// then `all`. LACUNA_CHECK: nothing is stored twice.
  bool store(std::int64_t codes, base::Cycle now, std::span<const std::uint8_t> all);

  [[nodiscard]] bool complete() const { return missing_ == 0; }
  /// Cycle of completion, -1 before.
  [[nodiscard]] base::Cycle since() const { return since_; }
  [[nodiscard]] std::int64_t tokens() const { return tokens_; }
  [[nodiscard]] const mapper::SlotLayout& layout() const { return *layout_; }

  /// Bytes that move when channels [begin, end) of a token are read; the tensor is complete.
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
  std::int64_t slots_ = 0;
  std::vector<std::int32_t> prefix_;  ///< [token][slot + 1] traffic of the slots before
};

/// Bytes that move when channels [begin, end) of a token are written, whose codes are `codes`.
[[nodiscard]] std::int64_t store_traffic(const mapper::SlotLayout& layout, std::int64_t begin,
                                         std::int64_t end, std::span<const std::uint8_t> codes);

/// Non-zero bytes.
[[nodiscard]] std::int64_t count_nonzeros(const std::uint8_t* codes, std::int64_t count);

}  // namespace lacuna::chip
