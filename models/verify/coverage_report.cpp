// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "verify/coverage.h"

namespace lacuna::verify {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<CoverageKind, kCoverageKinds> kKinds{CoverageKind::kLine, CoverageKind::kPoint,
                                                          CoverageKind::kToggle};

std::set<std::string> files_of(const CoverageResult& result) {
  std::set<std::string> files;
  for (const CoverageItem& item : result.items) files.insert(item.file);
  return files;
}

/// "96.31 %", never rounded up to 100.
std::string percent(const CoverageTotals& totals) {
  if (totals.missed() == 0) return "100 %";
  return fmt::format("{:.2f} %", std::min(totals.percent(), 99.99));
}

std::string cell(const CoverageTotals& totals) {
  if (totals.items == 0) return "-";
  std::string text = fmt::format("{}/{}", totals.hit, totals.items - totals.excluded);
  if (totals.excluded > 0) text += fmt::format(" ({} excluded)", totals.excluded);
  return text;
}

/// Bits of a signal together: "count_q[3..5]" for neighbours that were all missed.
std::vector<std::string> missed_names(const std::vector<const CoverageItem*>& items) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<int>> bits;
  std::vector<std::string> order;
  for (const CoverageItem* item : items) {
    const std::size_t open = item->name.rfind('[');
    const bool vector =
        item->kind == CoverageKind::kToggle && open != std::string::npos &&
        item->name.back() == ']' &&
        item->name.find_first_not_of("0123456789", open + 1) == item->name.size() - 1;
    if (!vector) {
      names.push_back(item->name);
      continue;
    }
    const std::string base = item->name.substr(0, open);
    if (bits.find(base) == bits.end()) order.push_back(base);
    bits[base].push_back(std::stoi(item->name.substr(open + 1)));
  }
  for (const std::string& base : order) {
    std::vector<int>& list = bits[base];
    std::sort(list.begin(), list.end());
    for (std::size_t i = 0; i < list.size();) {
      std::size_t end = i;
      while (end + 1 < list.size() && list[end + 1] == list[end] + 1) ++end;
      names.push_back(end == i ? fmt::format("{}[{}]", base, list[i])
                               : fmt::format("{}[{}..{}]", base, list[i], list[end]));
      i = end + 1;
    }
  }
  return names;
}

}  // namespace

std::string coverage_summary(const CoverageResult& result) {
  std::string text = fmt::format("coverage of the RTL by {} passes on {} parameter set{}\n",
                                 base::with_thousands(result.passes), result.sets.size(),
                                 result.sets.size() == 1 ? "" : "s");
  for (const CoverageKind kind : kKinds) {
    const CoverageTotals totals = result.totals(kind);
    text +=
        fmt::format("  {:<7}{:>8}  {} of {}, {} excluded, {} missed\n", coverage_kind_name(kind),
                    percent(totals), base::with_thousands(totals.hit),
                    base::with_thousands(totals.items - totals.excluded),
                    base::with_thousands(totals.excluded), base::with_thousands(totals.missed()));
  }
  return text;
}

std::string coverage_text(const CoverageResult& result) {
  std::string text = coverage_summary(result);
  text += "sets: " + base::join(result.sets, ", ") + "\n";
  text += fmt::format("\n{:<32}{:>24}{:>20}{:>28}\n", "file", "line", "point", "toggle");
  for (const std::string& file : files_of(result)) {
    text += fmt::format("{:<32}{:>24}{:>20}{:>28}\n", file,
                        cell(result.totals(CoverageKind::kLine, file)),
                        cell(result.totals(CoverageKind::kPoint, file)),
                        cell(result.totals(CoverageKind::kToggle, file)));
  }
  for (const CoverageKind kind : kKinds) {
    std::map<std::pair<std::string, int>, std::vector<const CoverageItem*>> missed;
    for (const CoverageItem& item : result.items) {
      if (item.kind == kind && item.count == 0 && item.excluded.empty()) {
        missed[{item.file, item.line}].push_back(&item);
      }
    }
    if (missed.empty()) continue;
    text += fmt::format("\nmissed, {}:\n", coverage_kind_name(kind));
    for (const auto& [place, items] : missed) {
      text += fmt::format("  {}:{}: {}\n", place.first, place.second,
                          base::join(missed_names(items), ", "));
    }
  }
  std::map<std::string, std::int64_t> reasons;
  for (const CoverageItem& item : result.items) {
    if (!item.excluded.empty()) {
      ++reasons[fmt::format("{}: {}", coverage_kind_name(item.kind), item.excluded)];
    }
  }
  if (!reasons.empty()) text += "\nexcluded:\n";
  for (const auto& [reason, count] : reasons) text += fmt::format("  {:>6}  {}\n", count, reason);
  if (!result.unused.empty()) text += "\nexclusions that exclude nothing here:\n";
  for (const CoverageExclusion& rule : result.unused) {
    text += fmt::format("  line {}: {} {} {}\n", rule.line, rule.kind, rule.file, rule.name);
  }
  return text;
}

std::string coverage_json(const CoverageResult& result) {
  const auto totals_json = [](const CoverageTotals& totals) {
    return Json{{"items", totals.items},
                {"hit", totals.hit},
                {"excluded", totals.excluded},
                {"missed", totals.missed()},
                {"percent", totals.percent()}};
  };
  Json totals = Json::object();
  for (const CoverageKind kind : kKinds) {
    totals[std::string(coverage_kind_name(kind))] = totals_json(result.totals(kind));
  }
  Json files = Json::array();
  for (const std::string& file : files_of(result)) {
    Json entry{{"file", file}};
    for (const CoverageKind kind : kKinds) {
      const CoverageTotals of_file = result.totals(kind, file);
      if (of_file.items > 0) entry[std::string(coverage_kind_name(kind))] = totals_json(of_file);
    }
    files.push_back(entry);
  }
  Json points = Json::array();
  Json missed = Json::array();
  Json excluded = Json::array();
  for (const CoverageItem& item : result.items) {
    Json entry{{"kind", coverage_kind_name(item.kind)},
               {"file", item.file},
               {"line", item.line},
               {"name", item.name}};
    if (item.count == 0 && item.excluded.empty()) missed.push_back(entry);
    if (!item.excluded.empty()) {
      entry["reason"] = item.excluded;
      excluded.push_back(entry);
    }
    if (item.kind == CoverageKind::kPoint) {
      points.push_back(
          {{"file", item.file}, {"line", item.line}, {"name", item.name}, {"count", item.count}});
    }
  }
  const Json json{{"schema", "lacuna-coverage-1"},
                  {"sets", result.sets},
                  {"passes", result.passes},
                  {"totals", totals},
                  {"files", files},
                  {"points", points},
                  {"missed", missed},
                  {"excluded", excluded}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lacuna::verify
