// SPDX-License-Identifier: Apache-2.0
#include "cli/chip_description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lacuna::cli {
namespace {

using testing::HasSubstr;

config::ChipFiles load(std::vector<std::string> sets = {}) {
  return config::load_chip(std::string(LACUNA_SOURCE_DIR) + "/configs/chips/reference.yaml",
                           {.sets = std::move(sets)});
}

double fact(const config::ChipFiles& files, const std::string& key) {
  const auto facts = derive_facts(files.chip.value, files.effective_memory);
  const auto found =
      std::find_if(facts.begin(), facts.end(), [&](const DerivedFact& f) { return f.key == key; });
  return found == facts.end() ? -1 : found->value;
}

// By hand: 32 cores x 16 x 4 MACs at 1 GHz; 8 channels x 2 bytes x 2 transfers a clock of 0.46875
// ns.
TEST(DerivedFacts, OfTheReferenceChip) {
  const auto files = load();
  EXPECT_EQ(fact(files, "int8_macs"), 2048);
  EXPECT_DOUBLE_EQ(fact(files, "peak_dense_tops"), 4.096);
  EXPECT_NEAR(fact(files, "dram_peak_bytes_per_s"), 8 * 2 * 4.2667e9, 1e7);
  EXPECT_DOUBLE_EQ(fact(files, "sram_peak_bytes_per_s"), 32.0 * 64 * 1e9);
  EXPECT_EQ(fact(files, "core_buffers_bytes"), (2 * 128 + 2 * 16 + 128 + 16) * 1024);
  EXPECT_EQ(fact(files, "sram_ports"), 8);
}

TEST(DerivedFacts, FollowTheParameters) {
  const auto files = load({"chip.clock=500 MHz", "engine.lanes=2", "dram.channels=4"});
  EXPECT_EQ(fact(files, "int8_macs"), 4096);
  EXPECT_DOUBLE_EQ(fact(files, "peak_dense_tops"), 4.096);
  EXPECT_NEAR(fact(files, "dram_peak_bytes_per_s"), 4 * 2 * 4.2667e9, 1e7);
}

TEST(Description, SaysWhereValuesComeFrom) {
  const std::string text = describe_as_text(load({"engine.fifo_depth=4"}));
  EXPECT_THAT(text, testing::ContainsRegex("engine.fifo_depth +4 +--set"));
  EXPECT_THAT(text, testing::ContainsRegex("engine.pes +16 +.*reference.yaml:[0-9]+:[0-9]+"));
  EXPECT_THAT(text, testing::ContainsRegex("engine.transpose_width +16 +.*base.yaml:"));
  EXPECT_THAT(text, testing::ContainsRegex("dram.controller.scheduler +fr_fcfs +.*memories/"));
}

TEST(Description, JsonHasTheSameFacts) {
  const auto files = load();
  const auto json = nlohmann::json::parse(describe_as_json(files));
  EXPECT_EQ(json["schema"], "lacuna-describe-1");
  EXPECT_EQ(json["chip"], "reference");
  EXPECT_EQ(json["derived"]["int8_macs"], 2048);
  EXPECT_EQ(json["files"].size(), files.files().size());
}

TEST(Description, NotesWhatTheRtlCannotDo) {
  EXPECT_TRUE(describe_notes(load().chip.value).empty());
  const auto files = load({"engine.rows_per_pe=128", "engine.skip.weights=false"});
  EXPECT_THAT(describe_as_text(files), HasSubstr("note: model only: the RTL holds at most 64"));
  EXPECT_THAT(describe_as_text(files), HasSubstr("note: skipping is off for weights"));
}

}  // namespace
}  // namespace lacuna::cli
