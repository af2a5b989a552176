// SPDX-License-Identifier: Apache-2.0
//
// A dense matrix of 8-bit codes: weights [N][K] or activations [M][K], row-major. Sparse operands
// live in this form too (a zero code is a zero); the engine's masks are derived from it tile by
// tile.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lacuna::tensor {

/// How the bytes are read.
enum class CodeKind { kU8, kS8 };

/// Dense matrices beyond this are refused instead of allocated.
inline constexpr std::int64_t kMaxMatrixBytes = std::int64_t{1} << 30;

struct CodeMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  CodeKind kind = CodeKind::kS8;
  std::vector<std::uint8_t> codes;  ///< rows * columns bytes (s8 as two's complement)

  [[nodiscard]] std::span<const std::uint8_t> row(std::int64_t index) const {
    return {codes.data() + index * columns, static_cast<std::size_t>(columns)};
  }
  [[nodiscard]] int at(std::int64_t row_index, std::int64_t column) const {
    const std::uint8_t code = codes[static_cast<std::size_t>(row_index * columns + column)];
    return kind == CodeKind::kS8 ? static_cast<std::int8_t>(code) : code;
  }
  [[nodiscard]] std::int64_t non_zeros() const;
  friend bool operator==(const CodeMatrix&, const CodeMatrix&) = default;
};

/// UserError naming `source` unless rows and columns are at least 1 and the matrix is within
/// kMaxMatrixBytes.
void check_matrix_size(std::int64_t rows, std::int64_t columns, const std::string& source);

}  // namespace lacuna::tensor
