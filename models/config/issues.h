// SPDX-License-Identifier: Apache-2.0
//
// Collects everything that is wrong with a file, to report it all at once.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"

namespace lacuna::config {

inline constexpr std::size_t kMaxReported = 50;

class Issues {
 public:
  /// `path`: the dotted key whose value cannot be used; rules that involve it are not checked.
  void add(const base::SourceLocation& where, const std::string& path, std::string message);

  /// A rule between values that could all be read.
  void add(const base::SourceLocation& where, std::string message);

  /// Whether the value of `path`, or of something inside or around it, could not be read.
  [[nodiscard]] bool touches(const std::string& path) const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  /// Throws a UserError with one line per issue, in the order of the text; the first kMaxReported,
  /// then how many more.
  void throw_if_any() const;

 private:
  struct Entry {
    base::SourceLocation where;
    std::string message;
  };
  std::vector<Entry> entries_;
  std::set<std::string> paths_;
  std::size_t dropped_ = 0;
};

}  // namespace lacuna::config
