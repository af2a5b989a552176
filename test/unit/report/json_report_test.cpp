// SPDX-License-Identifier: Apache-2.0
#include "report/json_report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "example_run.h"

namespace lacuna::report {
namespace {

using Json = nlohmann::ordered_json;

Json example() {
  const ExampleRun run;
  return run_json(run.input(), summarize(run.input()));
}

/// Dotted paths of all values; elements of lists as [].
void collect(const Json& json, const std::string& path, std::set<std::string>& paths) {
  if (json.is_object() && !json.empty()) {
    for (const auto& [key, value] : json.items()) {
      collect(value, path.empty() ? key : path + "." + key, paths);
    }
  } else if (json.is_array() && !json.empty()) {
    for (const Json& value : json) collect(value, path + "[]", paths);
  } else {
    paths.insert(path);
  }
}

std::set<std::string> documented() {
  std::ifstream in(std::string(LACUNA_SOURCE_DIR) + "/docs/reference/report.md");
  std::stringstream text;
  text << in.rdbuf();
  std::string rest = text.str();
  rest = rest.substr(rest.find("## JSON"));
  std::set<std::string> keys;
  std::istringstream lines(rest);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    const std::string cell = line.substr(2, line.find(" |", 2) - 2);
    for (std::size_t open = cell.find('`'); open != std::string::npos;) {
      const std::size_t close = cell.find('`', open + 1);
      if (close == std::string::npos) break;
      keys.insert(cell.substr(open + 1, close - open - 1));
      open = cell.find('`', close + 1);
    }
  }
  return keys;
}

std::string parent(const std::string& path) { return path.substr(0, path.rfind('.')); }

TEST(JsonReport, EveryKeyIsDocumented) {
  std::set<std::string> paths;
  collect(example(), "", paths);
  const std::set<std::string> keys = documented();
  ASSERT_GT(keys.size(), 100u);
  for (const std::string& path : paths) {
    EXPECT_TRUE(keys.contains(path) || keys.contains(parent(path) + ".<name>")) << path;
  }
}

TEST(JsonReport, EveryDocumentedKeyIsThere) {
  std::set<std::string> paths;
  collect(example(), "", paths);
  std::set<std::string> present = paths;
  for (const std::string& path : paths) present.insert(parent(path) + ".<name>");
  for (const std::string& key : documented()) {
    // Described as a whole beside their members.
    if (key == "accuracy" || key == "latency.warm") continue;
    if (key == "bandwidth.link" || key == "bandwidth.link.near_memory") continue;
    EXPECT_TRUE(present.contains(key)) << key;
  }
}

TEST(JsonReport, StackAndEnergyAddUp) {
  const Json json = example();
  std::int64_t parts = 0;
  for (const auto& [name, value] : json["cycle_stack"].items()) {
    if (name != "total") parts += value.get<std::int64_t>();
  }
  EXPECT_EQ(parts, json["cycle_stack"]["total"].get<std::int64_t>());
  EXPECT_EQ(parts, 2 * 8 * 1000);
  double components = 0;
  for (const auto& [name, value] : json["energy"]["components"].items()) {
    components += value.get<double>();
  }
  double actions = 0;
  for (const Json& action : json["energy"]["actions"]) actions += action["energy_j"].get<double>();
  const double total = json["energy"]["total_j"];
  EXPECT_NEAR(components / total, 1, 1e-12);
  EXPECT_NEAR(actions / total, 1, 1e-12);
  EXPECT_NEAR(
      (json["energy"]["published_j"].get<double>() + json["energy"]["judged_j"].get<double>()) /
          total,
      1, 1e-12);
}

TEST(JsonReport, RequestersAndPortsOfTheExample) {
  const Json json = example();
  const Json& sram = json["bandwidth"]["sram"];
  ASSERT_EQ(sram["requesters"].size(), 3U);
  EXPECT_EQ(sram["requesters"][0]["name"], "core 0");
  EXPECT_EQ(sram["requesters"][0]["wait_cycles"], 70);
  EXPECT_EQ(sram["requesters"][1]["conflict_cycles"], 5);
  EXPECT_EQ(sram["requesters"][2]["port"], 1);
  // 1000 cycles of 1 GHz.
  EXPECT_NEAR(sram["requesters"][0]["gb_per_s"].get<double>(), 4.5, 1e-9);
  EXPECT_NEAR(sram["ports"][0]["read_utilization"].get<double>(), 0.11, 1e-9);
  EXPECT_EQ(json["bandwidth"]["link"]["near_memory"]["sent_bytes"], 1500);
}

TEST(JsonReport, ValuesOfTheExample) {
  const Json json = example();
  EXPECT_EQ(json["schema"], "lacuna-run-1");
  EXPECT_EQ(json["latency"]["warm"]["mean_cycles"], 250.0);
  EXPECT_EQ(json["latency"]["cycles"], 250.0);
  EXPECT_EQ(json["accuracy"]["correct"], 5);
  EXPECT_EQ(json["accuracy"]["reference"], 0.875);
  EXPECT_EQ(json["outputs"]["mismatches"], 2);
  EXPECT_EQ(json["verification"]["mismatches"], 1);
  EXPECT_EQ(json["verification"]["engine"], "lockstep");
  EXPECT_EQ(json["layers"][0]["weights"]["origin"], "captured");
  EXPECT_EQ(json["layers"][1]["weights"]["from"], "unstructured, density 0.2, seed 7");
  EXPECT_EQ(json["layers"][1]["expect"]["first_mismatch"], "sample 3: 2 of 10 codes differ");
  EXPECT_EQ(json["layers"][2]["unit"], "vector");
  EXPECT_EQ(json["layers"][3]["unit"], "view");
  EXPECT_EQ(json["provenance"]["workload"]["accuracy_int8"], 0.875);
  EXPECT_EQ(json["provenance"]["workload"]["model"], "example, net");
  EXPECT_EQ(json["provenance"]["weights"]["statistic"], 1);
  EXPECT_EQ(json["met"]["blocked"], 0);
}

TEST(JsonReport, OneBatchAndNoLabels) {
  ExampleRun run;
  run.result.programs.resize(1);
  run.result.has_labels = false;
  const Json json = run_json(run.input(), summarize(run.input()));
  EXPECT_TRUE(json["latency"]["warm"].is_null());
  EXPECT_EQ(json["latency"]["cycles"], 500);
  EXPECT_TRUE(json["accuracy"].is_null());
}

TEST(JsonReport, BytesThatAreNotTextDoNotBreakIt) {
  ExampleRun run;
  run.result.workload = "a\xff\"b";
  const std::string text = json_text(run_json(run.input(), summarize(run.input())));
  EXPECT_EQ(text.back(), '\n');
  EXPECT_NE(Json::parse(text)["workload"]["name"].get<std::string>().find("\"b"),
            std::string::npos);
}

}  // namespace
}  // namespace lacuna::report
