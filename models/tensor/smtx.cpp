// SPDX-License-Identifier: Apache-2.0
#include "tensor/smtx.h"

#include <algorithm>

#include "base/file.h"
#include "tensor/text_scanner.h"

namespace lacuna::tensor {

namespace {
constexpr std::int64_t kMaxDimension = std::numeric_limits<std::int32_t>::max();
}

SparsePattern parse_smtx(std::string_view text, const std::string& name) {
  TextScanner scanner(text, name);
  SparsePattern pattern;
  pattern.rows = scanner.integer("the number of rows", 1, kMaxDimension, ',');
  pattern.columns = scanner.integer("the number of columns", 1, kMaxDimension, ',');
  const std::int64_t non_zeros =
      scanner.integer("the number of non-zeros", 0, std::numeric_limits<std::int64_t>::max(), ',');
  // Every number takes a character and a separator, so a wild claim is refused before anything is
  // allocated for it.
  const std::uint64_t numbers_possible = scanner.remaining() / 2 + 1;
  const std::uint64_t numbers_claimed =
      static_cast<std::uint64_t>(pattern.rows) + 1 + static_cast<std::uint64_t>(non_zeros);
  if (numbers_claimed > numbers_possible) {
    scanner.fail(
        fmt::format("the header claims {} rows and {} non-zeros, but the file is too "
                    "short for that: truncated?",
                    pattern.rows, non_zeros));
  }
  pattern.row_offsets.reserve(static_cast<std::size_t>(pattern.rows) + 1);
  std::int64_t previous = 0;
  for (std::int64_t row = 0; row <= pattern.rows; ++row) {
    const std::int64_t offset = scanner.integer("a row offset", 0, non_zeros);
    if (row == 0 && offset != 0) scanner.fail("the first row offset must be 0");
    if (offset < previous) {
      scanner.fail(fmt::format("row offset {} is less than the one before, {}", offset, previous));
    }
    if (offset - previous > pattern.columns) {
      scanner.fail(fmt::format("row {} has {} non-zeros, more than the {} columns", row - 1,
                               offset - previous, pattern.columns));
    }
    pattern.row_offsets.push_back(offset);
    previous = offset;
  }
  if (previous != non_zeros) {
    scanner.fail(fmt::format("the last row offset is {}, not the number of non-zeros, {}", previous,
                             non_zeros));
  }
  pattern.column_indices.reserve(static_cast<std::size_t>(non_zeros));
  for (std::int64_t row = 0; row < pattern.rows; ++row) {
    const auto first = static_cast<std::ptrdiff_t>(pattern.row_offsets[row]);
    const std::int64_t count = pattern.row_offsets[row + 1] - pattern.row_offsets[row];
    for (std::int64_t i = 0; i < count; ++i) {
      pattern.column_indices.push_back(
          static_cast<std::int32_t>(scanner.integer("a column index", 0, pattern.columns - 1)));
    }
    const auto begin = pattern.column_indices.begin() + first;
    std::sort(begin, pattern.column_indices.end());
    const auto twice = std::adjacent_find(begin, pattern.column_indices.end());
    if (twice != pattern.column_indices.end()) {
      scanner.fail(fmt::format("column {} appears twice in row {}", *twice, row));
    }
  }
  if (scanner.skip()) {
    (void)scanner.token("the end of the file");
    scanner.fail("there is more in the file than the header says");
  }
  return pattern;
}

SparsePattern read_smtx(const std::string& path) {
  const base::MappedFile file(path);
  return parse_smtx(file.text(), path);
}

}  // namespace lacuna::tensor
