// SPDX-License-Identifier: Apache-2.0
#include "report/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lacuna::report {

std::string si(double value, const std::string& unit) {
  struct Prefix {
    double factor;
    const char* name;
  };
  constexpr std::array<Prefix, 9> kPrefixes{{{1e12, "T"},
                                             {1e9, "G"},
                                             {1e6, "M"},
                                             {1e3, "k"},
                                             {1, ""},
                                             {1e-3, "m"},
                                             {1e-6, "u"},
                                             {1e-9, "n"},
                                             {1e-12, "p"}}};
  if (value == 0) return "0 " + unit;
  // 999.96 would print as 1000: compare what will be shown.
  const double shown = std::stod(fmt::format("{:.3e}", std::abs(value)));
  const Prefix* chosen = &kPrefixes.back();
  for (const Prefix& prefix : kPrefixes) {
    if (shown >= prefix.factor) {
      chosen = &prefix;
      break;
    }
  }
  return fmt::format("{:.4g} {}{}", value / chosen->factor, chosen->name, unit);
}

std::string percent(double ratio) {
  if (ratio > 0 && ratio < 0.0005) return "<0.1 %";
  return fmt::format("{:.1f} %", 100 * ratio);
}

std::string Table::text(int indent) const {
  std::vector<std::size_t> widths(right_.size(), 0);
  for (const auto& cells : rows_) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], cells[i].size());
    }
  }
  std::string text;
  for (const auto& cells : rows_) {
    std::string line(static_cast<std::size_t>(indent), ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line += "  ";
      line += right_[i] ? fmt::format("{:>{}}", cells[i], widths[i])
                        : fmt::format("{:<{}}", cells[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string bar(double share, int width) {
  const auto length = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * width));
  return std::string(length, '#');
}

std::string bold(const std::string& text, bool colour) {
  return colour ? "\x1b[1m" + text + "\x1b[0m" : text;
}

std::string red(const std::string& text, bool colour) {
  return colour ? "\x1b[31m" + text + "\x1b[0m" : text;
}

}  // namespace lacuna::report
