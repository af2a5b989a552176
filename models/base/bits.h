// SPDX-License-Identifier: Apache-2.0
//
// Bit masks: the form in which the whole simulator keeps sparsity. Bit i of a mask lives in word
// i/64, bit i%64 (little bit order), as in the hardware's mask memories.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lacuna::base {

[[nodiscard]] inline int popcount(std::uint64_t word) { return std::popcount(word); }

/// Index of the lowest set bit; word != 0.
[[nodiscard]] inline int lowest_bit(std::uint64_t word) { return std::countr_zero(word); }

/// A word with the lowest `bits` bits set; 0 <= bits <= 64.
[[nodiscard]] inline std::uint64_t low_mask(int bits) {
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

/// A fixed number of bits. Bits past size() in the last word are always zero. Indices are the
/// caller's responsibility (not checked: this is the innermost data structure of the model).
class BitVector {
 public:
  BitVector() = default;
  explicit BitVector(std::size_t bits) : size_(bits), words_((bits + 63) / 64, 0) {}

  [[nodiscard]] bool test(std::size_t index) const {
    return ((words_[index / 64] >> (index % 64)) & 1U) != 0;
  }
  void set(std::size_t index, bool value = true) {
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    if (value) {
      words_[index / 64] |= bit;
    } else {
      words_[index / 64] &= ~bit;
    }
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t count() const {
    std::size_t total = 0;
    for (const std::uint64_t word : words_) total += static_cast<std::size_t>(popcount(word));
    return total;
  }
  [[nodiscard]] bool any() const {
    for (const std::uint64_t word : words_) {
      if (word != 0) return true;
    }
    return false;
  }
  [[nodiscard]] std::span<const std::uint64_t> words() const { return words_; }
  /// Writers must leave the bits past size() zero.
  [[nodiscard]] std::span<std::uint64_t> words() { return words_; }
  void reset() { words_.assign(words_.size(), 0); }
  void set_all() {
    words_.assign(words_.size(), ~std::uint64_t{0});
    if (size_ % 64 != 0) words_.back() = low_mask(static_cast<int>(size_ % 64));
  }

  /// Both operands have the same size.
  BitVector& operator|=(const BitVector& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  BitVector& operator&=(const BitVector& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  friend bool operator==(const BitVector&, const BitVector&) = default;

 private:
  std::size_t size_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace lacuna::base
