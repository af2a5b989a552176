// SPDX-License-Identifier: Apache-2.0
//
// Where the non-zeros of a matrix lie, a bit per element: what the timing of a sparse engine needs
// to know about weights, in an eighth of the memory of their codes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bits.h"

namespace lacuna::tensor {

/// rows x columns bits; bit c of a row lies in word c/64 of it. Bits past the last column are 0.
struct MaskMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;  ///< words of a row
  std::vector<std::uint64_t> words;

  MaskMatrix() = default;
  MaskMatrix(std::int64_t row_count, std::int64_t column_count)
      : rows(row_count),
        columns(column_count),
        stride((column_count + 63) / 64),
        words(static_cast<std::size_t>(row_count * stride), 0) {}

  [[nodiscard]] std::uint64_t* row(std::int64_t index) { return words.data() + index * stride; }
  [[nodiscard]] const std::uint64_t* row(std::int64_t index) const {
    return words.data() + index * stride;
  }
  [[nodiscard]] bool test(std::int64_t index, std::int64_t column) const {
    return (row(index)[column / 64] >> static_cast<unsigned>(column % 64) & 1U) != 0;
  }
  [[nodiscard]] std::int64_t non_zeros() const;
  /// Rows whose bit is set, for each column.
  [[nodiscard]] std::vector<std::int32_t> column_counts() const;
  friend bool operator==(const MaskMatrix&, const MaskMatrix&) = default;
};

/// The mask of row-major codes, rows * columns of them.
[[nodiscard]] MaskMatrix mask_of(const std::uint8_t* codes, std::int64_t rows,
                                 std::int64_t columns);

/// rows * columns bytes, row-major: 1 where a bit is set, else 0.
void copy_as_bytes(const MaskMatrix& mask, std::uint8_t* out);

/// Bit i: byte i of the (at most 64) codes is not zero.
[[nodiscard]] std::uint64_t nonzero_bits(const std::uint8_t* codes, int count);

/// Bits [from, from + count) of a row of `stride` words, lowest first; 1 <= count <= 64.
[[nodiscard]] inline std::uint64_t row_bits(const std::uint64_t* row, std::int64_t from,
                                            int count) {
  const std::int64_t word = from / 64;
  const auto shift = static_cast<unsigned>(from % 64);
  std::uint64_t bits = row[word] >> shift;
  if (shift + static_cast<unsigned>(count) > 64) bits |= row[word + 1] << (64 - shift);
  return bits & base::low_mask(count);
}

/// How many of bits [from, to) of a row are set.
[[nodiscard]] std::int64_t count_row_bits(const std::uint64_t* row, std::int64_t from,
                                          std::int64_t to);

}  // namespace lacuna::tensor
