// SPDX-License-Identifier: Apache-2.0
//
// The comparison of model and RTL must catch a change of every single quantity it is given.
#include "cosim/compare.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace lacuna::cosim {
namespace {

using timing::engine::Block;
using timing::engine::Counters;
using timing::engine::PassResult;
using timing::engine::Tile;

// Two ways of two PEs, one lane, one channel per beat.
params::EngineParams small_engine() {
  params::EngineParams engine;
  engine.pes = 2;
  engine.k_ways = 2;
  engine.rows_per_pe = 2;
  engine.lanes = 1;
  engine.drain_width = 1;
  engine.load_width = 8;
  return engine;
}

class ComparePass : public testing::Test {
 protected:
  ComparePass() {
    tile_.channels = 3;
    tile_.rows = 2;
    tile_.image_bytes = 80;
    block_.tokens = 2;
    block_.groups = 2;
    block_.image_bytes = 24;
    model_.length = 20;
    model_.group_end = {12, 20};
    model_.drain_end = {17, 25};
    model_.outputs = {1, 0, 2, 0, 0, 7};
    model_.psum_out = {5, 6, 7, 8, 9, 10, 11, 12};
    std::uint64_t value = 100;
    Counters::visit(model_.counters,
                    [&](std::string_view, std::uint64_t& counter) { counter = ++value; });
    model_.trace.issue = {{1, 2, 4}, {1, 3}};
    model_.trace.position = {{0, 3, -1}, {1, 2}};
    model_.trace.group = {{0, 0, 1}, {0, 1}};
    model_.trace.mask_stage = {{3, 4, 6}, {3, 5, 7}, {3, 5}, {4, 5}};
    model_.trace.mac_stage = {{4, 7}, {4}, {4, 6}, {5, 8}};
    rtl_.result = model_;
    rtl_.result.trace.position.clear();
    rtl_.result.trace.group.clear();
    rtl_.weight_load_cycles = 10;
    rtl_.block_load_cycles = 3;
  }

  std::optional<Difference> compare() const {
    return compare_pass(engine_, tile_, block_, model_, rtl_);
  }

  params::EngineParams engine_ = small_engine();
  Tile tile_;
  Block block_;
  PassResult model_;
  RtlPassResult rtl_;
};

TEST_F(ComparePass, EqualResultsHaveNoDifference) { EXPECT_FALSE(compare().has_value()); }

TEST_F(ComparePass, KeptHalvesNeedNoLoad) {
  rtl_.weight_load_cycles = 0;
  rtl_.block_load_cycles = 0;
  EXPECT_FALSE(compare().has_value());
}

struct Change {
  const char* name;
  std::function<void(RtlPassResult&)> apply;
  const char* first;
  std::vector<std::string> kinds;
};

TEST_F(ComparePass, EveryChangedFieldIsNamedWithBothValues) {
  const std::vector<Change> changes = {
      {"issue",
       [](RtlPassResult& r) { r.result.trace.issue[0][1] = 3; },
       "issue of way 0, entry 1 (position 3, group 0): model 2, RTL 3",
       {"issue"}},
      {"issue without k",
       [](RtlPassResult& r) { r.result.trace.issue[0][2] = 9; },
       "issue of way 0, entry 2 (no k, group 1): model 4, RTL 9",
       {"issue"}},
      {"missing issue",
       [](RtlPassResult& r) { r.result.trace.issue[1].pop_back(); },
       "issue, entries after way 1, entry 1 (position 2, group 1): model 2, RTL 1",
       {"issue"}},
      {"extra issue",
       [](RtlPassResult& r) { r.result.trace.issue[1].push_back(9); },
       "issue, entries after way 1, entry 2: model 2, RTL 3",
       {"issue"}},
      {"missing way",
       [](RtlPassResult& r) { r.result.trace.issue.pop_back(); },
       "issue, number of lists: model 2, RTL 1",
       {"issue"}},
      {"mask stage",
       [](RtlPassResult& r) { r.result.trace.mask_stage[3][0] = 3; },
       "mask_stage of way 1, PE 1, entry 0: model 4, RTL 3",
       {"mask_stage"}},
      {"MAC stage",
       [](RtlPassResult& r) { r.result.trace.mac_stage[1][0] = 5; },
       "mac_stage of way 0, PE 1, taken entry 0: model 4, RTL 5",
       {"mac_stage"}},
      {"dropped MAC entry",
       [](RtlPassResult& r) { r.result.trace.mac_stage[3].pop_back(); },
       "mac_stage, entries after way 1, PE 1, taken entry 1: model 2, RTL 1",
       {"mac_stage"}},
      {"group end",
       [](RtlPassResult& r) { r.result.group_end[1] = 21; },
       "group_end of group 1: model 20, RTL 21",
       {"group_end"}},
      {"missing group",
       [](RtlPassResult& r) { r.result.group_end.pop_back(); },
       "group_end, entries after group 1: model 2, RTL 1",
       {"group_end"}},
      {"drain end",
       [](RtlPassResult& r) { r.result.drain_end[0] = 16; },
       "drain_end of group 0: model 17, RTL 16",
       {"drain_end"}},
      {"length",
       [](RtlPassResult& r) { r.result.length = 19; },
       "pass length: model 20, RTL 19",
       {"length"}},
      {"output",
       [](RtlPassResult& r) { r.result.outputs[5] = 8; },
       "output code of token 1, channel 2: model 7, RTL 8",
       {"outputs"}},
      {"no outputs",
       [](RtlPassResult& r) { r.result.outputs.clear(); },
       "number of outputs: model 6, RTL 0",
       {"outputs"}},
      {"partial sum",
       [](RtlPassResult& r) { r.result.psum_out[6] = -1; },
       "partial sum of group 1, beat 2, channel 0 of the beat, lane 0: model 11, RTL -1",
       {"psums"}},
      {"no partial sums",
       [](RtlPassResult& r) { r.result.psum_out.clear(); },
       "number of partial sums: model 8, RTL 0",
       {"psums"}},
      {"tile load",
       [](RtlPassResult& r) { r.weight_load_cycles = 11; },
       "load of the tile cycles: model 10, RTL 11",
       {"load of the tile"}},
      {"block load",
       [](RtlPassResult& r) { r.block_load_cycles = 4; },
       "load of the block cycles: model 3, RTL 4",
       {"load of the block"}},
      {"error",
       [](RtlPassResult& r) { r.error = "no end within 99 cycles"; },
       "end of the pass: model cycle 20, RTL none: no end within 99 cycles",
       {"end"}},
  };
  const RtlPassResult untouched = rtl_;
  for (const Change& change : changes) {
    SCOPED_TRACE(change.name);
    rtl_ = untouched;
    change.apply(rtl_);
    const auto difference = compare();
    ASSERT_TRUE(difference.has_value());
    EXPECT_EQ(difference->first, change.first);
    EXPECT_EQ(difference->kinds, change.kinds);
  }
}

TEST_F(ComparePass, EveryCounterIsCompared) {
  int counters = 0;
  Counters::visit(rtl_.result.counters, [&](std::string_view name, std::uint64_t& counter) {
    ++counters;
    const std::uint64_t right = counter;
    counter += 1;
    const auto difference = compare();
    counter = right;
    ASSERT_TRUE(difference.has_value()) << name;
    EXPECT_EQ(difference->first, "counter " + std::string(name) + ": model " +
                                     std::to_string(right) + ", RTL " + std::to_string(right + 1));
  });
  EXPECT_EQ(counters, 25);
}

TEST_F(ComparePass, TheEarliestEventComesFirst) {
  rtl_.result.counters.macs += 1;
  rtl_.result.length = 99;
  rtl_.result.group_end[1] = 99;
  rtl_.result.trace.mac_stage[2][1] = 9;   // model 6
  rtl_.result.trace.mask_stage[2][1] = 8;  // model 5
  rtl_.result.trace.issue[1][1] = 7;       // model 3
  const auto difference = compare();
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->first, "issue of way 1, entry 1 (position 2, group 1): model 3, RTL 7");
  EXPECT_EQ(difference->kinds, (std::vector<std::string>{"issue", "mask_stage", "mac_stage",
                                                         "group_end", "length", "counter macs"}));
}

TEST_F(ComparePass, AnUntracedModelResultIsOurBug) {
  model_.trace = {};
  EXPECT_THROW((void)compare(), base::InternalError);
}

TEST_F(ComparePass, UntracedComparisonSeesValuesAndCounters) {
  PassResult other = model_;
  other.trace = {};
  EXPECT_FALSE(compare_untraced(engine_, tile_, model_, other).has_value());
  other.drain_end[1] = 26;
  EXPECT_EQ(compare_untraced(engine_, tile_, model_, other)->first,
            "drain_end of group 1: fast kernel 25, plain kernel 26");
}

TEST(ParameterDifferences, EveryFieldIsCompared) {
  const params::EngineParams engine;
  lacuna_rtl_parameters rtl{};
  rtl.abi_version = LACUNA_RTL_ABI_VERSION;
  rtl.pes = 16, rtl.k_ways = 4, rtl.rows_per_pe = 32, rtl.lanes = 1, rtl.fifo_depth = 16;
  rtl.scan_width = 32, rtl.skip_empty = 1, rtl.drain_width = 16, rtl.load_width = 16;
  rtl.weight_word = 8, rtl.max_k = 4096, rtl.act_block = 64;
  rtl.weight_buffer = 128 * 1024, rtl.activation_buffer = 16 * 1024;
  rtl.psum_buffer = 128 * 1024, rtl.output_buffer = 16 * 1024;
  rtl.max_windows = 64, rtl.act_slots = 256;
  rtl.l_start = 1, rtl.l_issue = 2, rtl.l_mask = 1, rtl.l_mac = 2, rtl.l_drain = 1;
  rtl.l_post = 3, rtl.l_load = 1;
  EXPECT_EQ(parameter_differences(rtl, engine), "");

  // All members are uint32_t; all but the ABI version, which has its own check.
  auto* fields = reinterpret_cast<std::uint32_t*>(&rtl);
  for (std::size_t i = 1; i < sizeof(rtl) / sizeof(std::uint32_t); ++i) {
    fields[i] += 1;
    EXPECT_NE(parameter_differences(rtl, engine), "") << "field " << i;
    fields[i] -= 1;
  }
  rtl.l_mac = 3;
  rtl.pes = 8;
  EXPECT_EQ(parameter_differences(rtl, engine),
            "pes is 8 in the RTL, 16 in the model; L_mac is 3 in the RTL, 2 in the model");
}

}  // namespace
}  // namespace lacuna::cosim
