// SPDX-License-Identifier: Apache-2.0
#include "tensor/matrix_market.h"

#include <algorithm>
#include <cctype>

#include "base/file.h"
#include "tensor/text_scanner.h"

namespace lacuna::tensor {

namespace {

constexpr std::int64_t kMaxDimension = std::numeric_limits<std::int32_t>::max();

enum class Values { kPattern, kInteger, kReal };
enum class Symmetry { kGeneral, kSymmetric, kSkew };

struct Banner {
  bool coordinate = true;
  Values values = Values::kPattern;
  Symmetry symmetry = Symmetry::kGeneral;
};

struct Triplet {
  std::int32_t row;
  std::int32_t column;
  std::int8_t value;
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

Banner parse_banner(TextScanner& scanner) {
  std::vector<std::string> words;
  for (const std::string& part : base::split(lower(scanner.line()), ' ')) {
    if (const std::string_view word = base::trim(part); !word.empty()) words.emplace_back(word);
  }
  if (words.empty() || words[0] != "%%matrixmarket") {
    scanner.fail("not a MatrixMarket file: the first line must begin with %%MatrixMarket");
  }
  if (words.size() != 5 || words[1] != "matrix") {
    scanner.fail("the first line must be '%%MatrixMarket matrix FORMAT VALUES SYMMETRY'");
  }
  Banner banner;
  if (words[2] != "coordinate" && words[2] != "array") {
    scanner.fail(
        fmt::format("format '{}' is not coordinate or array", base::printable(words[2], 40)));
  }
  banner.coordinate = words[2] == "coordinate";
  if (words[3] == "pattern") {
    banner.values = Values::kPattern;
  } else if (words[3] == "integer") {
    banner.values = Values::kInteger;
  } else if (words[3] == "real" || words[3] == "double") {
    banner.values = Values::kReal;
  } else {
    scanner.fail(fmt::format("values '{}' are not supported (supported: pattern, integer, real)",
                             base::printable(words[3], 40)));
  }
  if (words[4] == "general") {
    banner.symmetry = Symmetry::kGeneral;
  } else if (words[4] == "symmetric") {
    banner.symmetry = Symmetry::kSymmetric;
  } else if (words[4] == "skew-symmetric") {
    banner.symmetry = Symmetry::kSkew;
  } else {
    scanner.fail(fmt::format(
        "symmetry '{}' is not supported (supported: general, symmetric, skew-symmetric)",
        base::printable(words[4], 40)));
  }
  if (!banner.coordinate && banner.values == Values::kPattern) {
    scanner.fail("an array of pattern values does not exist; use coordinate");
  }
  if (banner.symmetry == Symmetry::kSkew && banner.values == Values::kPattern) {
    scanner.fail("a skew-symmetric pattern does not exist");
  }
  return banner;
}

/// 1 for pattern and real values that are not zero.
std::int8_t read_value(TextScanner& scanner, const Banner& banner) {
  switch (banner.values) {
    case Values::kPattern:
      return 1;
    case Values::kInteger: {
      const std::int64_t low = banner.symmetry == Symmetry::kSkew ? -127 : -128;
      return static_cast<std::int8_t>(scanner.integer("an integer value (an int8 code)", low, 127));
    }
    case Values::kReal:
      return scanner.real("a value") != 0 ? 1 : 0;
  }
  return 0;
}

class Collector {
 public:
  Collector(const Banner& banner, std::int64_t rows, std::int64_t columns)
      : banner_(banner), rows_(rows), columns_(columns) {}

  void reserve(std::uint64_t entries) { triplets_.reserve(static_cast<std::size_t>(entries)); }

  /// 0-based. Mirrors entries of symmetric matrices.
  void add(std::int64_t row, std::int64_t column, std::int8_t value) {
    push(row, column, value);
    if (banner_.symmetry != Symmetry::kGeneral && row != column) {
      push(column, row,
           banner_.symmetry == Symmetry::kSkew ? static_cast<std::int8_t>(-value) : value);
    }
  }

  SparsePattern finish(const TextScanner& scanner) {
    std::sort(triplets_.begin(), triplets_.end(), [](const Triplet& a, const Triplet& b) {
      return a.row != b.row ? a.row < b.row : a.column < b.column;
    });
    SparsePattern pattern;
    pattern.rows = rows_;
    pattern.columns = columns_;
    pattern.row_offsets.assign(static_cast<std::size_t>(rows_) + 1, 0);
    const bool with_values = banner_.values == Values::kInteger;
    for (std::size_t i = 0; i < triplets_.size(); ++i) {
      const Triplet& entry = triplets_[i];
      if (i > 0 && triplets_[i - 1].row == entry.row && triplets_[i - 1].column == entry.column) {
        throw base::UserError(fmt::format("{}: entry ({}, {}) appears twice", scanner.name(),
                                          entry.row + 1, entry.column + 1));
      }
      if (entry.value == 0) continue;
      ++pattern.row_offsets[static_cast<std::size_t>(entry.row) + 1];
      pattern.column_indices.push_back(entry.column);
      if (with_values) pattern.values.push_back(entry.value);
    }
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows_); ++row) {
      pattern.row_offsets[row + 1] += pattern.row_offsets[row];
    }
    return pattern;
  }

 private:
  void push(std::int64_t row, std::int64_t column, std::int8_t value) {
    triplets_.push_back({static_cast<std::int32_t>(row), static_cast<std::int32_t>(column), value});
  }

  Banner banner_;
  std::int64_t rows_;
  std::int64_t columns_;
  std::vector<Triplet> triplets_;
};

}  // namespace

SparsePattern parse_matrix_market(std::string_view text, const std::string& name) {
  TextScanner scanner(text, name);
  const Banner banner = parse_banner(scanner);
  while (scanner.skip() && scanner.peek() == '%') (void)scanner.line();

  const std::int64_t rows = scanner.integer("the number of rows", 1, kMaxDimension);
  const std::int64_t columns = scanner.integer("the number of columns", 1, kMaxDimension);
  if (banner.symmetry != Symmetry::kGeneral && rows != columns) {
    scanner.fail(fmt::format("a symmetric matrix must be square, not {} x {}", rows, columns));
  }
  const std::uint64_t numbers_possible_after = scanner.remaining() / 2 + 1;
  // The array of rows is the only thing whose size the entries do not pay for.
  if (static_cast<std::uint64_t>(rows) > (std::uint64_t{1} << 26)) {
    scanner.fail(fmt::format("{} rows are more than the {} that are supported", rows, 1 << 26));
  }
  Collector collector(banner, rows, columns);
  if (banner.coordinate) {
    const std::int64_t entries =
        scanner.integer("the number of entries", 0, std::numeric_limits<std::int64_t>::max());
    const std::uint64_t numbers_each = banner.values == Values::kPattern ? 2 : 3;
    if (static_cast<std::uint64_t>(entries) > numbers_possible_after / numbers_each) {
      scanner.fail(
          fmt::format("the header claims {} entries, but the file is too short for that: "
                      "truncated?",
                      entries));
    }
    collector.reserve(static_cast<std::uint64_t>(entries) *
                      (banner.symmetry == Symmetry::kGeneral ? 1 : 2));
    for (std::int64_t i = 0; i < entries; ++i) {
      const std::int64_t row = scanner.integer("a row index", 1, rows);
      const std::int64_t column = scanner.integer("a column index", 1, columns);
      if (banner.symmetry != Symmetry::kGeneral && column > row) {
        scanner.fail(
            fmt::format("entry ({}, {}) lies above the diagonal, but the matrix is "
                        "symmetric: only the lower triangle is stored",
                        row, column));
      }
      if (banner.symmetry == Symmetry::kSkew && column == row) {
        scanner.fail(
            fmt::format("entry ({}, {}): the diagonal of a skew-symmetric matrix is not "
                        "stored",
                        row, column));
      }
      collector.add(row - 1, column - 1, read_value(scanner, banner));
    }
  } else {
    // Column by column; symmetric ones from the diagonal down, skew-symmetric below it.
    const auto wide_rows = static_cast<std::uint64_t>(rows);
    const auto wide_columns = static_cast<std::uint64_t>(columns);
    const std::uint64_t all = wide_rows * wide_columns;
    const std::uint64_t wanted = banner.symmetry == Symmetry::kGeneral ? all
                                 : banner.symmetry == Symmetry::kSymmetric
                                     ? wide_rows * (wide_rows + 1) / 2
                                     : wide_rows * (wide_rows - 1) / 2;
    if (wanted > numbers_possible_after) {
      scanner.fail(
          fmt::format("an array of {} x {} needs {} values, but the file is too short for "
                      "that: truncated?",
                      rows, columns, wanted));
    }
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t first = banner.symmetry == Symmetry::kGeneral     ? 0
                                 : banner.symmetry == Symmetry::kSymmetric ? column
                                                                           : column + 1;
      for (std::int64_t row = first; row < rows; ++row) {
        const std::int8_t value = read_value(scanner, banner);
        if (value != 0) collector.add(row, column, value);
      }
    }
  }
  if (scanner.skip()) {
    (void)scanner.token("the end of the file");
    scanner.fail("there is more in the file than the header says");
  }
  return collector.finish(scanner);
}

SparsePattern read_matrix_market(const std::string& path) {
  const base::MappedFile file(path);
  return parse_matrix_market(file.text(), path);
}

}  // namespace lacuna::tensor
