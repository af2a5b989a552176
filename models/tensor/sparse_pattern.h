// SPDX-License-Identifier: Apache-2.0
//
// The positions of the non-zeros of a matrix, by rows (CSR), and the integer values if the file had
// any. What the .smtx and MatrixMarket readers return.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/code_matrix.h"

namespace lacuna::tensor {

struct SparsePattern {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::int64_t> row_offsets;     ///< rows + 1 entries, not decreasing
  std::vector<std::int32_t> column_indices;  ///< strictly increasing within a row
  /// One int8 code per non-zero, or empty: the file only says where the non-zeros are.
  std::vector<std::int8_t> values;

  [[nodiscard]] std::int64_t non_zeros() const {
    return static_cast<std::int64_t>(column_indices.size());
  }
  /// Share of positions that are set; 0 for an empty matrix.
  [[nodiscard]] double density() const;
};

/// The dense matrix: stored values where there are any, else non-zero codes drawn with `seed`
/// (s8: -127..127, u8: 1..255). Explicit zeros among the values stay zeros. UserError naming
/// `source` when the dense matrix would exceed kMaxMatrixBytes.
[[nodiscard]] CodeMatrix to_codes(const SparsePattern& pattern, CodeKind kind, std::uint64_t seed,
                                  const std::string& source);

}  // namespace lacuna::tensor
