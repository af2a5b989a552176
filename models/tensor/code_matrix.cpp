// SPDX-License-Identifier: Apache-2.0
#include "tensor/code_matrix.h"

#include <algorithm>

#include "base/error.h"

namespace lacuna::tensor {

std::int64_t CodeMatrix::non_zeros() const {
  return static_cast<std::int64_t>(codes.size()) -
         std::count(codes.begin(), codes.end(), std::uint8_t{0});
}

void check_matrix_size(std::int64_t rows, std::int64_t columns, const std::string& source) {
  if (rows < 1 || columns < 1) {
    throw base::UserError(
        fmt::format("{}: a matrix of {} x {} has no elements", source, rows, columns));
  }
  if (rows > kMaxMatrixBytes / columns) {
    throw base::UserError(
        fmt::format("{}: a dense matrix of {} x {} is more than the {} elements that are supported",
                    source, rows, columns, kMaxMatrixBytes));
  }
}

}  // namespace lacuna::tensor
