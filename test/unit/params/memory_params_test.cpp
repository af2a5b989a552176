// SPDX-License-Identifier: Apache-2.0
#include "params/memory_params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "params/timing_expression.h"

namespace lacuna::params {
namespace {

using ::testing::HasSubstr;

const std::map<std::string, std::int64_t>& names() {
  static const std::map<std::string, std::int64_t> values = {
      {"RL", 36}, {"WL", 18}, {"BURST", 8}, {"RTP", 17}, {"huge", 999'999'999'999}};
  return values;
}

TEST(TimingExpression, Evaluates) {
  const auto value = [](const char* text) { return evaluate_timing(text, names()).cycles; };
  EXPECT_EQ(value("0"), 0);
  EXPECT_EQ(value("RL"), 36);
  EXPECT_EQ(value("RL + BURST - WL"), 26);
  EXPECT_EQ(value(" RTP+BURST - 8 "), 17);
  EXPECT_EQ(value("2 * (RL - WL) + 1"), 37);
  EXPECT_EQ(value("RL - WL - 1"), 17);
  EXPECT_EQ(value("-WL + RL"), 18);
  EXPECT_EQ(value("max(RTP, BURST, 3) + min(RL, WL)"), 35);
}

struct BadExpression {
  const char* text;
  const char* message;
};
class TimingExpressionError : public testing::TestWithParam<BadExpression> {};
TEST_P(TimingExpressionError, IsExplained) {
  const TimingValue value = evaluate_timing(GetParam().text, names());
  EXPECT_FALSE(value.cycles.has_value());
  EXPECT_THAT(value.error, HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(All, TimingExpressionError,
                         testing::Values(BadExpression{"", "missing at the end"},
                                         BadExpression{"RL +", "missing at the end"},
                                         BadExpression{"BURTS", "did you mean 'BURST'?"},
                                         BadExpression{"RL WL", "'W' was not expected"},
                                         BadExpression{"(RL", "')' is missing"},
                                         BadExpression{"RL)", "')' was not expected"},
                                         BadExpression{"max RL", "max and min need parentheses"},
                                         BadExpression{"max(RL; 3)", "')' is missing"},
                                         BadExpression{"1.5", "'.' was not expected"},
                                         BadExpression{"99999999999999999999999", "beyond 1e12"},
                                         BadExpression{"huge * huge", "beyond 1e12"},
                                         BadExpression{"huge + huge", "beyond 1e12"}));

TEST(TimingExpression, DeepNestingIsAnErrorNotACrash) {
  std::string text(100'000, '(');
  text += "RL";
  const std::string error = evaluate_timing(text, names()).error;
  EXPECT_THAT(error, HasSubstr("too many nested parentheses"));
  EXPECT_LT(error.size(), 200U);
}

// The smallest description that makes sense.
MemoryPreset minimal() {
  MemoryPreset preset;
  preset.name = "minimal";
  preset.timing = {{"RL", 10}, {"REFI", 1000}};
  preset.latency = {"RL", "RL", "REFI", "0"};
  for (const char* command : {"ACT", "RD", "WR", "PRE", "PREA", "REFab"}) {
    preset.commands[command] = {};
  }
  preset.constraints = {
      {MemoryLevel::kBank, {MemoryCommand::kACT}, {MemoryCommand::kRD}, "RL", 1, false}};
  preset.controller.mapping = "row_bank_column";
  return preset;
}

std::string first_violation(const MemoryPreset& preset) {
  const std::vector<Violation> found = preset.validate();
  return found.empty() ? "" : found.front().message;
}

TEST(MemoryPreset, TheMinimalOneIsFine) { EXPECT_EQ(first_violation(minimal()), ""); }

TEST(MemoryPreset, SizesFollowFromTheOrganization) {
  const MemoryPreset preset = minimal();
  EXPECT_EQ(preset.organization.burst_bytes(), 32);
  EXPECT_EQ(preset.organization.burst_cycles(), 8);
  EXPECT_EQ(preset.organization.bursts_per_row(), 64);
  EXPECT_EQ(preset.organization.channel_bytes(), 1LL << 30);
  EXPECT_EQ(preset.clock_fs(), 1'000'000);
  EXPECT_DOUBLE_EQ(preset.peak_bytes_per_second(), 4e9);
}

TEST(MemoryPreset, MistakesAreNamed) {
  MemoryPreset preset = minimal();
  preset.commands["ATC"] = {};
  EXPECT_THAT(first_violation(preset), HasSubstr("'ATC' is not a DRAM command"));
  preset = minimal();
  preset.commands.erase("PREA");
  EXPECT_THAT(first_violation(preset), HasSubstr("the command PREA is missing"));
  preset = minimal();
  preset.constraints[0].latency = "RLL";
  EXPECT_THAT(first_violation(preset), HasSubstr("there is no timing value 'RLL'"));
  preset = minimal();
  preset.constraints[0].to = {MemoryCommand::kREFpb};
  EXPECT_THAT(first_violation(preset), HasSubstr("REFpb is not among 'commands'"));
  preset = minimal();
  preset.constraints[0].from.clear();
  EXPECT_THAT(first_violation(preset), HasSubstr("each need a command"));
  preset = minimal();
  preset.constraints[0].window = 4;
  EXPECT_THAT(first_violation(preset), HasSubstr("a window needs the same commands"));
  preset = minimal();
  preset.constraints[0].level = MemoryLevel::kChannel;
  preset.constraints[0].sibling = true;
  EXPECT_THAT(first_violation(preset), HasSubstr("a channel has no siblings"));
  preset = minimal();
  preset.latency.refresh_interval = "REFI - 1000";
  EXPECT_THAT(first_violation(preset), HasSubstr("is 0 clock cycles"));
  preset = minimal();
  preset.controller.refresh = MemoryRefresh::kPerBank;
  EXPECT_THAT(first_violation(preset), HasSubstr("per-bank refresh needs"));
  preset = minimal();
  preset.power.rails["vdd"] = {};
  EXPECT_THAT(first_violation(preset), HasSubstr("supply currents need tras, trc and trfc"));
  preset = minimal();
  preset.organization.columns = 8;
  EXPECT_THAT(first_violation(preset), HasSubstr("columns (8) must be a multiple"));
  preset = minimal();
  preset.organization.bank_groups = 8;
  preset.organization.banks = 32;
  preset.organization.ranks = 8;
  EXPECT_THAT(first_violation(preset), HasSubstr("2048 banks in all"));
  preset = minimal();
  preset.organization.refresh_banks = 16;
  EXPECT_THAT(first_violation(preset), HasSubstr("refresh_banks (16) is more than the 8 banks"));
  preset = minimal();
  preset.commands["PDE"] = {};
  EXPECT_THAT(first_violation(preset), HasSubstr("power-down needs both commands"));
  preset = minimal();
  preset.commands["SRX"] = {};
  EXPECT_THAT(first_violation(preset), HasSubstr("self-refresh needs both commands"));
  preset = minimal();
  preset.controller.power_down = 10;
  EXPECT_THAT(first_violation(preset), HasSubstr("the device has no power-down"));
  preset = minimal();
  preset.controller.self_refresh = 10;
  EXPECT_THAT(first_violation(preset), HasSubstr("the device has no self-refresh"));
  preset = minimal();
  preset.controller.page_policy = MemoryPagePolicy::kClosed;
  EXPECT_THAT(first_violation(preset), HasSubstr("closed pages need the commands RDA and WRA"));
  preset = minimal();
  preset.controller.mapping = "row bank";
  EXPECT_THAT(first_violation(preset), HasSubstr("bits of 'column' are missing"));
}

TEST(MemoryControllerParams, WatermarksMustFit) {
  MemoryControllerParams policy;
  EXPECT_TRUE(policy.validate().empty());
  policy.write_high = 33;
  EXPECT_THAT(policy.validate().at(0).message, HasSubstr("more than write_queue (32) holds"));
  policy.write_high = 8;
  EXPECT_THAT(policy.validate().at(0).message, HasSubstr("must be below write_high"));
  policy = {};
  policy.power_down = 100;
  policy.self_refresh = 100;
  EXPECT_THAT(policy.validate().at(0).message, HasSubstr("must come before self_refresh (100)"));
}

}  // namespace
}  // namespace lacuna::params
