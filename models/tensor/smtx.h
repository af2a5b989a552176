// SPDX-License-Identifier: Apache-2.0
//
// Reader of the .smtx files of the Deep Learning Matrix Collection (Gale et al., "Sparse GPU
// kernels for deep learning", 2020): line 1 "rows, columns, non-zeros", line 2 rows+1 row offsets,
// line 3 the column index of every non-zero. No values. Column indices may be in any order within a
// row; the result has them sorted. Every claim is checked against the size of the file before
// anything is allocated. Errors: UserError with file:line:column.
#pragma once

#include <string>
#include <string_view>

#include "tensor/sparse_pattern.h"

namespace lacuna::tensor {

[[nodiscard]] SparsePattern read_smtx(const std::string& path);
/// The same from text; `name` stands in messages.
[[nodiscard]] SparsePattern parse_smtx(std::string_view text, const std::string& name);

}  // namespace lacuna::tensor
