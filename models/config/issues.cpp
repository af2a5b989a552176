// SPDX-License-Identifier: Apache-2.0
#include "config/issues.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace lacuna::config {

namespace {

/// Whether `inner` is `outer` or a part of it: "a.b" and "a[1]" are parts of "a", "ab" is not.
bool is_part_of(const std::string& inner, const std::string& outer) {
  if (outer.empty()) return true;
  if (!inner.starts_with(outer)) return false;
  return inner.size() == outer.size() || inner[outer.size()] == '.' || inner[outer.size()] == '[';
}

}  // namespace

void Issues::add(const base::SourceLocation& where, const std::string& path, std::string message) {
  paths_.insert(path);
  add(where, std::move(message));
}

void Issues::add(const base::SourceLocation& where, std::string message) {
  // Far more than will be shown are kept, so that sorting still shows the first ones of the text.
  if (entries_.size() >= kMaxReported * 20) {
    ++dropped_;
    return;
  }
  entries_.push_back({where, std::move(message)});
}

bool Issues::touches(const std::string& path) const {
  return std::any_of(paths_.begin(), paths_.end(), [&](const std::string& broken) {
    return is_part_of(broken, path) || is_part_of(path, broken);
  });
}

void Issues::throw_if_any() const {
  if (entries_.empty()) return;
  std::vector<Entry> sorted = entries_;
  // Files keep the order in which they were first mentioned; lines go up within a file.
  std::vector<std::string> files;
  for (const Entry& entry : sorted) {
    if (std::find(files.begin(), files.end(), entry.where.file) == files.end()) {
      files.push_back(entry.where.file);
    }
  }
  const auto rank = [&](const Entry& entry) {
    return std::tuple(std::find(files.begin(), files.end(), entry.where.file) - files.begin(),
                      entry.where.line, entry.where.column);
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Entry& a, const Entry& b) { return rank(a) < rank(b); });
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), kMaxReported); ++i) {
    if (i > 0) text += '\n';
    const std::string place = sorted[i].where.text();
    text += place.empty() ? sorted[i].message : place + ": " + sorted[i].message;
  }
  if (sorted.size() + dropped_ > kMaxReported) {
    text += fmt::format("\n... and {} more", sorted.size() + dropped_ - kMaxReported);
  }
  throw base::UserError(text);
}

}  // namespace lacuna::config
