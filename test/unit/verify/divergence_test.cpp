// SPDX-License-Identifier: Apache-2.0
//
// What is said about a mismatch: the model plays both sides, one of them changed by hand.
#include "verify/divergence.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "verify/parameter_set.h"

namespace lacuna::verify {
namespace {

class DivergenceTest : public testing::Test {
 protected:
  DivergenceTest() {
    // A case of one pass with several groups, entries that some PE drops, and outputs.
    for (std::uint64_t seed = 1;; ++seed) {
      made_ = make_case(set_, seed);
      const Stimulus& pass = made_.passes.front();
      if (made_.kind != CaseKind::kAlone || pass.command.psum_read || pass.command.psum_write ||
          pass.block->groups < 4) {
        continue;
      }
      evidence_.command = pass.command;
      timing::engine::EvaluateOptions options;
      options.trace = true;
      evidence_.model =
          timing::engine::evaluate(set_.engine, *pass.tile, *pass.block, pass.command, {}, options);
      const auto& issue = evidence_.model.trace.issue;
      const auto& mac = evidence_.model.trace.mac_stage;
      if (issue[1].size() > 20 && mac[2].size() > 6 && mac[2].size() + 4 < issue[1].size() &&
          evidence_.model.counters.outputs_nonzero > 3) {
        break;
      }
    }
    evidence_.rtl.result = evidence_.model;
  }

  Mismatch mismatch() const {
    const Stimulus& pass = made_.passes.front();
    const auto difference =
        cosim::compare_pass(set_.engine, *pass.tile, *pass.block, evidence_.model, evidence_.rtl);
    EXPECT_TRUE(difference.has_value());
    return {0, difference.value_or(cosim::Difference{})};
  }
  std::string text() const { return describe_mismatch(set_.engine, made_, mismatch(), evidence_); }
  bool says(const std::string& what) const { return text().find(what) != std::string::npos; }

  ParameterSet set_ = load_set(set_folder(LACUNA_SOURCE_DIR), "small").values;
  Case made_;
  PassEvidence evidence_;
};

TEST_F(DivergenceTest, AnIssueShowsItsWay) {
  const base::Cycle cycle = evidence_.model.trace.issue[1][10];
  evidence_.rtl.result.trace.issue[1][10] = cycle + 1;
  EXPECT_TRUE(says("issue of way 1, entry 10")) << text();
  EXPECT_TRUE(says("way 1, PE ")) << text();
  EXPECT_TRUE(says(std::to_string(cycle) + "|" + std::to_string(cycle + 1))) << text();
  EXPECT_TRUE(says("differs in: issue\n")) << text();
  EXPECT_TRUE(says("drawn: ")) << text();
  const CycleWindow window = window_around(set_.engine, made_, mismatch(), evidence_, 8);
  EXPECT_EQ(window.first, std::max<base::Cycle>(0, cycle - 8));
  EXPECT_EQ(window.last, cycle + 2);
}

TEST_F(DivergenceTest, AMacStageCycleIsShownWithItsEntry) {
  // List 2 is way 1, PE 0; entries that were dropped before it shift the numbers.
  const base::Cycle cycle = evidence_.model.trace.mac_stage[2][5];
  evidence_.rtl.result.trace.mac_stage[2][5] = cycle + 7;
  EXPECT_TRUE(says("mac_stage of way 1, PE 0, taken entry 5")) << text();
  const std::string shown = text();
  const std::size_t row = shown.find("\n    >");
  ASSERT_NE(row, std::string::npos) << shown;
  const std::string line = shown.substr(row + 1, shown.find('\n', row + 1) - row - 1);
  EXPECT_NE(line.find(std::to_string(cycle) + "|" + std::to_string(cycle + 7)), std::string::npos)
      << shown;
}

TEST_F(DivergenceTest, AMissingEntryIsShown) {
  evidence_.rtl.result.trace.issue[0].pop_back();
  EXPECT_TRUE(says("issue, entries after way 0")) << text();
  EXPECT_TRUE(says("|-")) << text();
}

TEST_F(DivergenceTest, AGroupEndShowsGroups) {
  evidence_.rtl.result.group_end[2] += 3;
  EXPECT_TRUE(says("group_end of group 2")) << text();
  EXPECT_TRUE(says("groups: end (F), end of the drain (E)")) << text();
}

TEST_F(DivergenceTest, OutputsAreListedAndTheirDrainIsTheWindow) {
  auto& outputs = evidence_.rtl.result.outputs;
  const std::size_t per_group = outputs.size() / evidence_.model.group_end.size();
  outputs[per_group] ^= 0x55;  // the first of the second group
  EXPECT_TRUE(says(" of " + std::to_string(outputs.size()) + " outputs differ")) << text();
  EXPECT_TRUE(says("token 1, channel 0")) << text();
  const CycleWindow window = window_around(set_.engine, made_, mismatch(), evidence_, 40);
  EXPECT_EQ(window.last, evidence_.model.drain_end[1] + 10);
}

TEST_F(DivergenceTest, CountersAreListed) {
  evidence_.rtl.result.counters.pe_bank += 2;
  evidence_.rtl.result.counters.macs += 1;
  EXPECT_TRUE(says("counters that differ")) << text();
  EXPECT_TRUE(says("    pe_bank: ")) << text();
  EXPECT_TRUE(says("    macs: ")) << text();
  const CycleWindow window = window_around(set_.engine, made_, mismatch(), evidence_, 40);
  EXPECT_EQ(window.first, 0);
  EXPECT_GE(window.last, evidence_.model.drain_end.back());
}

TEST_F(DivergenceTest, ARtlThatDoesNotEnd) {
  evidence_.rtl = {};
  evidence_.rtl.error = "no end within the cycle limit of 99 cycles";
  EXPECT_TRUE(says("RTL none: no end within the cycle limit of 99 cycles")) << text();
}

}  // namespace
}  // namespace lacuna::verify
