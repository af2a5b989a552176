// SPDX-License-Identifier: Apache-2.0
#include "verify/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"
#include "cosim/plugin_cache.h"

namespace lacuna::verify {

namespace {

using Json = nlohmann::ordered_json;

std::string engine_text(const params::EngineParams& e) {
  return fmt::format("P{} Q{} R{} V{} D{} S{} W{}{}", e.pes, e.k_ways, e.rows_per_pe, e.lanes,
                     e.fifo_depth, e.scan_width, e.drain_width,
                     e.skip_empty == params::SkipEmpty::kNone ? " none" : "");
}

std::string rate(std::int64_t passes, double seconds) {
  return seconds > 0 ? fmt::format("{:.0f}", static_cast<double>(passes) / seconds) : "-";
}

std::vector<std::string> row(const std::string& name, const std::string& engine, const Work& work,
                             double seconds) {
  return {name,
          engine,
          base::with_thousands(work.passes),
          base::with_thousands(work.entries),
          base::with_thousands(work.cycles),
          base::with_thousands(work.rtl_cycles),
          base::with_thousands(work.mismatches),
          rate(work.passes, seconds)};
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width(rows.front().size(), 0);
  for (const auto& cells : rows) {
    for (std::size_t i = 0; i < cells.size(); ++i) width[i] = std::max(width[i], cells[i].size());
  }
  std::string text;
  for (const auto& cells : rows) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      // Names to the left, numbers to the right.
      line += i < 2 ? fmt::format("{:<{}}  ", cells[i], width[i])
                    : fmt::format("{:>{}}  ", cells[i], width[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string mismatch_text(const SetResult& set, const MismatchReport& mismatch) {
  std::string text = fmt::format("\nmismatch: set {}, case {}: {}", set.set.name, mismatch.index,
                                 mismatch.text.empty() ? mismatch.first + "\n" : mismatch.text);
  return text + "  replay: " + replay_command(set.set, mismatch.replay) + "\n";
}

std::string xml(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? '?' : c;
    }
  }
  return safe;
}

Json work_json(const Work& work) {
  Json kinds = Json::object();
  for (int kind = 0; kind < kCaseKinds; ++kind) {
    kinds[std::string(case_kind_name(static_cast<CaseKind>(kind)))] =
        work.kinds[static_cast<std::size_t>(kind)];
  }
  Json counters = Json::object();
  timing::engine::Counters::visit(work.counters,
                                  [&](std::string_view name, const std::uint64_t& value) {
                                    counters[std::string(name)] = value;
                                  });
  return Json{{"cases", work.cases},           {"kinds", kinds},
              {"passes", work.passes},         {"entries", work.entries},
              {"cycles", work.cycles},         {"rtl_cycles", work.rtl_cycles},
              {"mismatches", work.mismatches}, {"counters", counters}};
}

}  // namespace

std::string text_report(const RunResult& result) {
  std::vector<std::vector<std::string>> rows{
      {"set", "engine", "passes", "entries", "cycles", "RTL clocks", "mismatches", "passes/s"}};
  for (const SetResult& set : result.sets) {
    rows.push_back(
        row(set.set.name, engine_text(set.set.values.engine), set.work, set.cpu_seconds));
  }
  const Work total = result.total();
  if (result.sets.size() > 1) rows.push_back(row("all", "", total, result.cpu_seconds()));
  std::string text = table(rows);
  std::string sets;
  for (const SetResult& set : result.sets) {
    if (set.left_early) sets += (sets.empty() ? "" : ", ") + set.set.name;
    for (const MismatchReport& mismatch : set.mismatches) text += mismatch_text(set, mismatch);
  }
  if (!sets.empty()) text += "\nleft early after too many mismatches: " + sets + "\n";
  text += fmt::format(
      "\n{} of {} cases differ; seed {}, {} passes in {:.1f} s with {} job{} (passes/s are per "
      "core)\n",
      base::with_thousands(total.mismatches), base::with_thousands(total.cases), result.seed,
      base::with_thousands(total.passes), result.seconds, result.jobs, result.jobs == 1 ? "" : "s");
  return text;
}

std::string json_report(const RunResult& result) {
  Json sets = Json::array();
  Json speed = Json::object();
  for (const SetResult& set : result.sets) {
    Json mismatches = Json::array();
    for (const MismatchReport& mismatch : set.mismatches) {
      mismatches.push_back(Json{{"case", mismatch.index},
                                {"seed", fmt::format("{:#x}", mismatch.seed)},
                                {"first", mismatch.first},
                                {"kinds", mismatch.kinds},
                                {"replay", replay_command(set.set, mismatch.replay)},
                                {"report", mismatch.text}});
    }
    Json entry{{"name", set.set.name},
               {"parameters", cosim::rtl_arguments(set.set.values.engine)},
               {"left_early", set.left_early}};
    entry.update(work_json(set.work));
    entry["first_mismatches"] = mismatches;
    sets.push_back(entry);
    speed[set.set.name] =
        Json{{"cpu_seconds", set.cpu_seconds},
             {"passes_per_cpu_second",
              set.cpu_seconds > 0 ? static_cast<double>(set.work.passes) / set.cpu_seconds : 0}};
  }
  const Json json{{"schema", "lacuna-verify-1"},
                  {"seed", result.seed},
                  {"total", work_json(result.total())},
                  {"sets", sets},
                  {"speed", Json{{"seconds", result.seconds},
                                 {"jobs", result.jobs},
                                 {"cpu_seconds", result.cpu_seconds()},
                                 {"sets", speed}}}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string junit_report(const RunResult& result) {
  const auto failures = std::count_if(result.sets.begin(), result.sets.end(),
                                      [](const SetResult& set) { return set.work.mismatches > 0; });
  const std::string head = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{:.3f}\"",
                                       result.sets.size(), failures, result.cpu_seconds());
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + head +
                     ">\n<testsuite name=\"lacuna verify\" " + head + ">\n";
  text += fmt::format("  <properties><property name=\"seed\" value=\"{}\"/></properties>\n",
                      result.seed);
  for (const SetResult& set : result.sets) {
    text += fmt::format("  <testcase classname=\"verify\" name=\"{}\" time=\"{:.3f}\">\n",
                        xml(set.set.name), set.cpu_seconds);
    if (set.work.mismatches > 0) {
      std::string body;
      for (const MismatchReport& mismatch : set.mismatches) body += mismatch_text(set, mismatch);
      text += fmt::format(
          "    <failure type=\"mismatch\" message=\"{} of {} cases differ: {}\">{}"
          "</failure>\n",
          set.work.mismatches, set.work.cases,
          xml(set.mismatches.empty() ? "" : set.mismatches.front().first), xml(body));
    }
    text += fmt::format("    <system-out>{} passes, {} entries, {} cycles</system-out>\n",
                        set.work.passes, set.work.entries, set.work.cycles);
    text += "  </testcase>\n";
  }
  return text + "</testsuite>\n</testsuites>\n";
}

}  // namespace lacuna::verify
