// SPDX-License-Identifier: Apache-2.0
//
// Bits in a row of bytes: bit i is bit i%8 of byte i/8, the lowest bit of a value first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace lacuna::encoding {

/// Counts what would be written: an encoder's size without its bits.
class BitCounter {
 public:
  void put(std::uint32_t, int bits) { bits_ += bits; }
  [[nodiscard]] std::int64_t bits() const { return bits_; }

 private:
  std::int64_t bits_ = 0;
};

class BitWriter {
 public:
  /// The low `bits` bits of `value`, 0..32.
  void put(std::uint32_t value, int bits) {
    for (int i = 0; i < bits; ++i, ++bits_) {
      if (bits_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | ((value >> i) & 1U) << (bits_ % 8));
    }
  }
  [[nodiscard]] std::int64_t bits() const { return bits_; }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::int64_t bits_ = 0;
};

class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  /// UserError when the bits end before.
  std::uint32_t get(int bits) {
    std::uint32_t value = 0;
    for (int i = 0; i < bits; ++i, ++position_) {
      const auto byte = static_cast<std::size_t>(position_ / 8);
      if (byte >= bytes_.size()) throw base::UserError("the encoded bits end too early");
      value |= static_cast<std::uint32_t>((bytes_[byte] >> (position_ % 8)) & 1U) << i;
    }
    return value;
  }
  [[nodiscard]] std::int64_t position() const { return position_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::int64_t position_ = 0;
};

}  // namespace lacuna::encoding
