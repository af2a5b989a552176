// SPDX-License-Identifier: Apache-2.0
#include "verify/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace lacuna::verify {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 31U;
constexpr std::string_view kHead = "# SystemC::Coverage-3";

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A value of a record: "\1key\2value\1key\2value".
std::string_view field(std::string_view record, std::string_view key) {
  const std::string mark = '\1' + std::string(key) + '\2';
  const std::size_t at = record.find(mark);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + mark.size();
  return record.substr(begin, record.find('\1', begin) - begin);
}

/// "…/rtl/common/fifo.sv" -> "common/fifo.sv".
std::string below_rtl(std::string_view path) {
  const std::size_t at = path.rfind("/rtl/");
  return std::string(at == std::string_view::npos ? path : path.substr(at + 5));
}

bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (matches(pattern.substr(1), text.substr(skip))) return true;
    }
    return false;
  }
  if (text.empty() || (pattern.front() != '?' && pattern.front() != text.front())) return false;
  return matches(pattern.substr(1), text.substr(1));
}

/// "count_q[3]" -> "count_q", 3; -1 if the name does not end in a bit.
std::pair<std::string_view, int> bit_of(std::string_view name) {
  const std::size_t open = name.rfind('[');
  if (open == std::string_view::npos || name.back() != ']') return {name, -1};
  const auto bit = number(name.substr(open + 1, name.size() - open - 2));
  if (!bit) return {name, -1};
  return {name.substr(0, open), static_cast<int>(*bit)};
}

bool excludes(const CoverageExclusion& rule, const CoverageItem& item) {
  if (rule.kind != coverage_kind_name(item.kind) || !matches(rule.file, item.file)) return false;
  if (rule.first_bit < 0) return matches(rule.name, item.name);
  auto [name, bit] = bit_of(item.name);
  if (bit < 0 || !matches(rule.name, name)) return false;
  if (rule.of_bits > 0) bit %= rule.of_bits;
  return bit >= rule.first_bit && bit <= rule.last_bit;
}

/// Takes a range of bits off the end of a rule's name; false if it is none that makes sense.
bool take_range(CoverageExclusion& rule) {
  const std::size_t open = rule.name.rfind('[');
  if (open == std::string::npos || rule.name.find("..", open) == std::string::npos) return true;
  if (rule.name.back() != ']') return false;
  const std::string_view range =
      std::string_view(rule.name).substr(open + 1, rule.name.size() - open - 2);
  const std::size_t middle = range.find("..");
  const std::size_t slash = std::min(range.find('/'), range.size());
  if (slash < middle) return false;
  const auto first = number(range.substr(0, middle));
  const auto last = number(range.substr(middle + 2, slash - middle - 2));
  const auto modulo =
      slash == range.size() ? std::optional<std::uint64_t>(0) : number(range.substr(slash + 1));
  if (!first || !last || !modulo || *first > *last || *last > 65535 || *modulo > 65535) {
    return false;
  }
  rule.first_bit = static_cast<int>(*first);
  rule.last_bit = static_cast<int>(*last);
  rule.of_bits = static_cast<int>(*modulo);
  rule.name.resize(open);
  return true;
}

/// The item of a record, without its count; nothing for code that does not count.
std::optional<CoverageItem> item_of(std::string_view record) {
  CoverageItem item;
  item.file = below_rtl(field(record, "f"));
  if (item.file.starts_with("assert/")) return std::nullopt;
  const std::string_view page = field(record, "page");
  const bool point = page.starts_with("v_user");
  if (item.file.starts_with("cover/") != point) return std::nullopt;
  item.kind = point                          ? CoverageKind::kPoint
              : page.starts_with("v_toggle") ? CoverageKind::kToggle
                                             : CoverageKind::kLine;
  item.line = static_cast<int>(number(field(record, "l")).value_or(0));
  item.column = static_cast<int>(number(field(record, "n")).value_or(0));
  item.name = std::string(field(record, "o"));
  if (point) {
    // The label of the point is the end of the instance's path.
    const std::string_view path = field(record, "h");
    item.name = std::string(path.substr(path.rfind('.') + 1));
  }
  return item;
}

}  // namespace

std::string_view coverage_kind_name(CoverageKind kind) {
  constexpr std::array<std::string_view, kCoverageKinds> kNames{"line", "toggle", "point"};
  return kNames[static_cast<std::size_t>(kind)];
}

void CoverageDatabase::add_file(const std::string& path) {
  const std::string text = base::read_text_file(path, kMaxBytes);
  std::size_t line_number = 0;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    const auto wrong = [&](const char* why) {
      throw base::UserError(fmt::format("{}:{}: {}", base::printable(path), line_number, why));
    };
    if (line_number == 1 && line != kHead) wrong("not a coverage file of Verilator");
    if (line.empty() || line.front() == '#') continue;
    // C 'record' count
    const std::size_t quote = line.rfind('\'');
    if (!line.starts_with("C '") || quote < 3) wrong("not a coverage record");
    const auto count = number(base::trim(std::string(line.substr(quote + 1))));
    if (!count) wrong("a record without a count");
    counts_[std::string(line.substr(3, quote - 3))] += *count;
  }
  if (line_number == 0) {
    throw base::UserError(fmt::format("{}: an empty coverage file", base::printable(path)));
  }
}

void CoverageDatabase::add(const CoverageDatabase& other) {
  for (const auto& [record, count] : other.counts_) counts_[record] += count;
}

void CoverageDatabase::write(const std::string& path) const {
  std::vector<const std::pair<const std::string, std::uint64_t>*> sorted;
  sorted.reserve(counts_.size());
  for (const auto& entry : counts_) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  std::string text = std::string(kHead) + "\n";
  for (const auto* entry : sorted) {
    text += "C '" + entry->first + "' " + std::to_string(entry->second) + "\n";
  }
  base::write_file_atomically(path, text);
}

std::vector<CoverageExclusion> parse_exclusions(const std::string& text, const std::string& file) {
  std::vector<CoverageExclusion> rules;
  int line = 0;
  for (const std::string& raw : base::split(text, '\n')) {
    ++line;
    const std::string rule = std::string(base::trim(raw));
    if (rule.empty() || rule.front() == '#') continue;
    const std::size_t colon = rule.find(": ");
    std::vector<std::string> words;
    for (const std::string& word : base::split(rule.substr(0, colon), ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    const auto known = [&] {
      for (int kind = 0; kind < kCoverageKinds; ++kind) {
        if (words[0] == coverage_kind_name(static_cast<CoverageKind>(kind))) return true;
      }
      return false;
    };
    CoverageExclusion parsed;
    parsed.line = line;
    const bool complete = colon != std::string::npos && words.size() == 3 && known();
    if (complete) {
      parsed.kind = words[0];
      parsed.file = words[1];
      parsed.name = words[2];
      parsed.reason = std::string(base::trim(rule.substr(colon + 2)));
    }
    if (!complete || parsed.reason.empty() || !take_range(parsed)) {
      throw base::UserError(
          fmt::format("{}:{}: not an exclusion: expected 'line|toggle|point FILE NAME: reason'",
                      base::printable(file), line));
    }
    rules.push_back(std::move(parsed));
  }
  return rules;
}

double CoverageTotals::percent() const {
  const std::int64_t possible = items - excluded;
  return possible == 0 ? 100 : 100 * static_cast<double>(hit) / static_cast<double>(possible);
}

CoverageTotals CoverageResult::totals(CoverageKind kind) const { return totals(kind, ""); }

CoverageTotals CoverageResult::totals(CoverageKind kind, const std::string& file) const {
  CoverageTotals totals;
  for (const CoverageItem& item : items) {
    if (item.kind != kind || (!file.empty() && item.file != file)) continue;
    ++totals.items;
    if (item.count > 0) {
      ++totals.hit;
    } else if (!item.excluded.empty()) {
      ++totals.excluded;
    }
  }
  return totals;
}

CoverageResult fold_coverage(const CoverageDatabase& database,
                             const std::vector<CoverageExclusion>& exclusions) {
  std::map<std::tuple<std::string, int, CoverageKind, std::string, int>, CoverageItem> folded;
  for (const auto& [record, count] : database.counts()) {
    std::optional<CoverageItem> item = item_of(record);
    if (!item) continue;
    const auto key = std::make_tuple(item->file, item->line, item->kind, item->name, item->column);
    folded.try_emplace(key, std::move(*item)).first->second.count += count;
  }
  CoverageResult result;
  std::vector<bool> used(exclusions.size(), false);
  for (auto& [key, item] : folded) {
    if (item.count == 0) {
      for (std::size_t i = 0; i < exclusions.size(); ++i) {
        if (excludes(exclusions[i], item)) {
          item.excluded = exclusions[i].reason;
          used[i] = true;
          break;
        }
      }
    }
    result.items.push_back(std::move(item));
  }
  for (std::size_t i = 0; i < exclusions.size(); ++i) {
    if (!used[i]) result.unused.push_back(exclusions[i]);
  }
  return result;
}

}  // namespace lacuna::verify
