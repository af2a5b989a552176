// SPDX-License-Identifier: Apache-2.0
#include "tensor/sparse_pattern.h"

#include "base/error.h"
#include "base/rng.h"
#include "tensor/code_draw.h"

namespace lacuna::tensor {

double SparsePattern::density() const {
  const double all = static_cast<double>(rows) * static_cast<double>(columns);
  return all > 0 ? static_cast<double>(non_zeros()) / all : 0.0;
}

CodeMatrix to_codes(const SparsePattern& pattern, CodeKind kind, std::uint64_t seed,
                    const std::string& source) {
  check_matrix_size(pattern.rows, pattern.columns, source);
  CodeMatrix matrix;
  matrix.rows = pattern.rows;
  matrix.columns = pattern.columns;
  matrix.kind = kind;
  matrix.codes.assign(static_cast<std::size_t>(pattern.rows * pattern.columns), 0);
  base::Rng values = value_rng(seed);
  for (std::int64_t row = 0; row < pattern.rows; ++row) {
    for (std::int64_t i = pattern.row_offsets[row]; i < pattern.row_offsets[row + 1]; ++i) {
      std::uint8_t& code =
          matrix.codes[static_cast<std::size_t>(row * pattern.columns + pattern.column_indices[i])];
      if (pattern.values.empty()) {
        code = draw_code(values, kind);
      } else {
        const std::int8_t value = pattern.values[static_cast<std::size_t>(i)];
        if (kind == CodeKind::kU8 && value < 0) {
          throw base::UserError(
              fmt::format("{}: value {} in row {} is negative, but the operand is "
                          "u8",
                          source, value, row + 1));
        }
        code = static_cast<std::uint8_t>(value);
      }
    }
  }
  return matrix;
}

}  // namespace lacuna::tensor
