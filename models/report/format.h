// SPDX-License-Identifier: Apache-2.0
//
// How figures look in a text report: four significant digits, prefixes, aligned tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lacuna::report {

/// 12345678, "B/s" -> "12.35 MB/s"; 4e-12, "J" -> "4 pJ"; 0 -> "0 J". Decimal prefixes.
[[nodiscard]] std::string si(double value, const std::string& unit);

/// 0.1234 -> "12.3 %"; small but not zero: "<0.1 %".
[[nodiscard]] std::string percent(double ratio);

/// Left-aligned first column, the others aligned as `right` says.
class Table {
 public:
  explicit Table(std::vector<bool> right) : right_(std::move(right)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// Every line begins with `indent` blanks; no blanks at line ends.
  [[nodiscard]] std::string text(int indent) const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

/// A bar of at most `width` characters for a share of 0..1.
[[nodiscard]] std::string bar(double share, int width);

/// ANSI emphasis, or the text as it is.
[[nodiscard]] std::string bold(const std::string& text, bool colour);
[[nodiscard]] std::string red(const std::string& text, bool colour);

}  // namespace lacuna::report
