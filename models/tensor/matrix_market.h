// SPDX-License-Identifier: Apache-2.0
//
// Reader of MatrixMarket files (Boisvert, Pozo, Remington, NISTIR 5935, 1996): `coordinate` and
// `array`; `pattern`, `integer` and `real`; `general`, `symmetric` and `skew-symmetric`.
//   integer  values are int8 codes (-128..127), others are refused
//   real     only where the value is not zero counts; the codes are drawn by seed, as for pattern
// `complex` and `hermitian` are refused with a message. Duplicate coordinates are an error. Every
// claim is checked against the size of the file before anything is allocated. Errors: UserError
// with file:line:column.
#pragma once

#include <string>
#include <string_view>

#include "tensor/sparse_pattern.h"

namespace lacuna::tensor {

[[nodiscard]] SparsePattern read_matrix_market(const std::string& path);
/// The same from text; `name` stands in messages.
[[nodiscard]] SparsePattern parse_matrix_market(std::string_view text, const std::string& name);

}  // namespace lacuna::tensor
