// SPDX-License-Identifier: Apache-2.0
#include "params/chip_params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace lacuna::params {
namespace {

TEST(EngineParams, DefaultsAreConsistent) {
  EXPECT_TRUE(EngineParams{}.validate().empty());
  EXPECT_TRUE(EngineParams{}.rtl_limits().empty());
  EXPECT_TRUE(ChipParams{}.validate().empty());
  EXPECT_TRUE(SramParams{}.validate().empty());
}

TEST(EngineParams, DerivedSizesOfTheReference) {
  const EngineParams engine;
  EXPECT_EQ(engine.max_windows(), 64);  // 2 * 4096 / (4 * 32)
  EXPECT_EQ(engine.act_slots(), 256);   // 2 * 16384 / (4 * 1 * 32)
  EXPECT_EQ(engine.macs_per_cycle(), 64);
  EXPECT_EQ(engine.max_channels(), 512);
}

TEST(EngineParams, DerivedSizesHaveFloors) {
  EngineParams engine;
  engine.max_k = 64;
  engine.activation_buffer = 256;
  EXPECT_EQ(engine.max_windows(), 16);
  EXPECT_EQ(engine.act_slots(), 64);
}

TEST(EngineParams, MaxWindowsRoundsUp) {
  EngineParams engine;
  engine.max_k = 128 * 16 + 4;  // 16.03 windows a way
  EXPECT_EQ(engine.max_windows(), 34);
}

TEST(EngineParams, EachRuleIsReportedOnItsKey) {
  const std::vector<std::pair<std::string, std::function<void(EngineParams&)>>> broken{
      {"drain_width", [](EngineParams& e) { e.drain_width = 12; }},
      {"drain_width", [](EngineParams& e) { e.drain_width = 1024; }},
      {"load_width", [](EngineParams& e) { e.load_width = 12; }},
      {"lanes", [](EngineParams& e) { e.lanes = 3; }},
      {"max_k", [](EngineParams& e) { e.max_k = 4097; }},
      {"act_block", [](EngineParams& e) { e.act_block = 8; }},
      {"weight_buffer", [](EngineParams& e) { e.weight_buffer = 1000; }},
      {"activation_buffer", [](EngineParams& e) { e.activation_buffer = 1000; }},
  };
  for (const auto& [key, breaks] : broken) {
    EngineParams engine;
    breaks(engine);
    std::vector<std::string> keys;
    for (const Violation& violation : engine.validate()) keys.push_back(violation.keys.front());
    EXPECT_THAT(keys, testing::Contains(key));
  }
}

TEST(EngineParams, NonsenseIsReportedAndNotDividedBy) {
  EngineParams engine;
  engine.pes = engine.k_ways = engine.lanes = engine.drain_width = engine.weight_word = 0;
  EXPECT_FALSE(engine.validate().empty());
}

TEST(EngineParams, TheRtlHoldsAtMost64Rows) {
  EngineParams engine;
  engine.rows_per_pe = 64;
  EXPECT_TRUE(engine.rtl_limits().empty());
  engine.rows_per_pe = 65;
  EXPECT_EQ(engine.rtl_limits().size(), 1U);
  EXPECT_TRUE(engine.validate().empty());
}

TEST(ChipParams, CoresFillTheirPorts) {
  ChipParams chip;
  chip.cores = 30;
  ASSERT_EQ(chip.validate().size(), 1U);
  EXPECT_EQ(chip.validate()[0].keys.front(), "chip.cores");
}

TEST(DramParams, OverridesReplaceOnlyWhatTheyName) {
  MemoryPreset memory;
  DramParams dram;
  dram.controller.read_queue = 7;
  dram.controller.scheduler = MemoryScheduler::kFcfs;
  const MemoryPreset effective = dram.applied_to(memory);
  EXPECT_EQ(effective.controller.read_queue, 7);
  EXPECT_EQ(effective.controller.scheduler, MemoryScheduler::kFcfs);
  EXPECT_EQ(effective.controller.write_queue, memory.controller.write_queue);
  EXPECT_EQ(effective.controller.mapping, memory.controller.mapping);
}

TEST(EnumNames, GoBothWays) {
  EXPECT_EQ(enum_name(Balance::kActivation), "activation");
  EXPECT_EQ(enum_spellings<SkipEmpty>(), (std::vector<std::string>{"none", "decoupled"}));
}

}  // namespace
}  // namespace lacuna::params
