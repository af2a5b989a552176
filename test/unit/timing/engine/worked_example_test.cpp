// SPDX-License-Identifier: Apache-2.0
//
// The worked example of docs/reference/engine.md, section 10, calculated by hand: every I, M, S, F,
// E, every counter, accumulators and outputs, from the model and from the clocked engine.
#include <fstream>
#include <nlohmann/json.hpp>

#include "compare.h"
#include "support/clocked_engine.h"
#include "support/random_pass.h"
#include "timing/engine/capacity.h"

namespace lacuna::timing::engine {
namespace {

using nlohmann::json;

json read_example() {
  std::ifstream file(LACUNA_SOURCE_DIR "/test/support/worked_example.json");
  return json::parse(file);
}

test::RawPass example_pass(const json& example) {
  test::RawPass pass;
  const json& p = example.at("parameters");
  pass.params.pes = p.at("pes");
  pass.params.k_ways = p.at("k_ways");
  pass.params.rows_per_pe = p.at("rows_per_pe");
  pass.params.lanes = p.at("lanes");
  pass.params.fifo_depth = p.at("fifo_depth");
  pass.params.scan_width = p.at("scan_width");
  EXPECT_EQ(p.at("skip_empty"), "decoupled");
  pass.params.skip_empty = params::SkipEmpty::kDecoupled;
  pass.params.drain_width = p.at("drain_width");
  pass.params.weight_buffer = p.at("weight_buffer");
  pass.params.activation_buffer = p.at("activation_buffer");
  pass.params.psum_buffer = p.at("psum_buffer");
  pass.params.output_buffer = p.at("output_buffer");
  pass.params.load_width = p.at("load_width");
  pass.params.weight_word = p.at("weight_word");
  pass.params.max_k = p.at("max_k");
  pass.params.act_block = p.at("act_block");
  pass.segments = {example.at("segments").at("count"), example.at("segments").at("channels")};
  pass.windows = WindowTable(pass.params, pass.segments).all();
  for (const auto& row : example.at("weights")) {
    for (const auto& code : row) pass.weights.push_back(code);
    ++pass.channels;
  }
  for (const auto& row : example.at("activations")) {
    for (const auto& code : row) pass.activations.push_back(code);
    ++pass.tokens;
  }
  for (const auto& row : example.at("order")) {
    for (const auto& pe : row) pass.order.push_back(pe);
  }
  pass.bias = example.at("bias").get<std::vector<std::int32_t>>();
  pass.multiplier = example.at("multiplier").get<std::vector<std::int32_t>>();
  pass.shift = example.at("shift").get<std::vector<std::uint8_t>>();
  pass.command.act_signed = example.at("act_signed");
  pass.command.clamp_lo = example.at("clamp").at(0);
  pass.command.clamp_hi = example.at("clamp").at(1);
  pass.command.gate = example.at("gate");
  return pass;
}

using Cycles = std::vector<std::vector<base::Cycle>>;

/// [way][pe][entry] -> [way*P + pe][entry].
Cycles flat(const json& ways) {
  Cycles result;
  for (const auto& way : ways) {
    for (const auto& pe : way) result.push_back(pe.get<std::vector<base::Cycle>>());
  }
  return result;
}

template <class Result>
void expect_example(const Result& result, const Cycles& issue,
                    const std::vector<std::vector<int>>& position, const Cycles& mask_stage,
                    const Cycles& mac_stage, const json& example) {
  EXPECT_EQ(issue, example.at("issue").get<Cycles>());
  std::vector<std::vector<int>> expected_position;
  for (const auto& way : example.at("position")) {
    auto& row = expected_position.emplace_back();
    for (const auto& x : way) row.push_back(x.is_null() ? -1 : x.get<int>());
  }
  EXPECT_EQ(position, expected_position);
  EXPECT_EQ(mask_stage, flat(example.at("mask_stage")));
  EXPECT_EQ(mac_stage, flat(example.at("mac_stage")));
  EXPECT_EQ(result.group_end, example.at("group_end").get<std::vector<base::Cycle>>());
  EXPECT_EQ(result.drain_end, example.at("drain_end").get<std::vector<base::Cycle>>());
  EXPECT_EQ(result.length, example.at("length").get<base::Cycle>());
  const auto counters = test::counter_map(result.counters);
  const std::map<std::string, std::uint64_t> expected_counters = example.at("counters");
  EXPECT_EQ(counters, expected_counters);
  std::vector<std::uint8_t> outputs;
  for (const auto& token : example.at("outputs")) {
    for (const auto& code : token) {
      outputs.push_back(static_cast<std::uint8_t>(code.get<int>()));
    }
  }
  EXPECT_EQ(result.outputs, outputs);
}

TEST(WorkedExample, TheModelAgrees) {
  const json example = read_example();
  const test::RawPass pass = example_pass(example);
  const Tile tile = pass.tile();
  const Block block = pass.block();
  EXPECT_TRUE(capacity_violations(pass.params, tile).empty());
  EXPECT_TRUE(capacity_violations(pass.params, block).empty());
  EXPECT_TRUE(capacity_violations(pass.params, tile, block, false, true).empty());
  EvaluateOptions options;
  options.trace = true;
  const PassResult result = evaluate(pass.params, tile, block, pass.command, {}, options);
  EXPECT_EQ(result.trace.group, example.at("group").get<std::vector<std::vector<int>>>());
  expect_example(result, result.trace.issue, result.trace.position, result.trace.mask_stage,
                 result.trace.mac_stage, example);
  const PassResult fast = evaluate(pass.params, tile, block, pass.command);
  test::expect_same_counters(fast.counters, result.counters);
  EXPECT_EQ(fast.group_end, result.group_end);
}

TEST(WorkedExample, TheClockedEngineAgrees) {
  const json example = read_example();
  const test::ClockedResult result = test::run_clocked(example_pass(example));
  expect_example(result, result.issue, result.position, result.mask_stage, result.mac_stage,
                 example);
  EXPECT_EQ(result.accumulators,
            example.at("accumulators").get<std::vector<std::vector<std::int32_t>>>());
}

// The example claims to contain each of these.
TEST(WorkedExample, MeetsEveryCause) {
  const json counters = read_example().at("counters");
  for (const char* name : {"windows_empty", "entries_without_k", "blocked_cycles", "pe_bank",
                           "pe_imbalance", "pe_window", "pe_issue", "pe_slot"}) {
    EXPECT_GT(counters.at(name).get<int>(), 0) << name;
  }
}

}  // namespace
}  // namespace lacuna::timing::engine
