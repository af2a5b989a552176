// SPDX-License-Identifier: Apache-2.0
//
// The worked example at the end of docs/reference/engine.md, computed by hand: the model and the
// RTL must give every number of it.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "cosim/compare.h"
#include "equivalence.h"
#include "timing/engine/pass.h"

namespace lacuna::test {
namespace {

using Json = nlohmann::json;
using Cycles = std::vector<base::Cycle>;

struct Example {
  Json json;
  params::EngineParams engine;
  timing::engine::Tile tile;
  timing::engine::Block block;
  timing::engine::PassCommand command;
};

params::EngineParams engine_of(const Json& json) {
  params::EngineParams engine;
  engine.pes = json.at("pes");
  engine.k_ways = json.at("k_ways");
  engine.rows_per_pe = json.at("rows_per_pe");
  engine.lanes = json.at("lanes");
  engine.fifo_depth = json.at("fifo_depth");
  engine.scan_width = json.at("scan_width");
  engine.skip_empty =
      json.at("skip_empty") == "none" ? params::SkipEmpty::kNone : params::SkipEmpty::kDecoupled;
  engine.drain_width = json.at("drain_width");
  engine.weight_buffer = json.at("weight_buffer");
  engine.activation_buffer = json.at("activation_buffer");
  engine.psum_buffer = json.at("psum_buffer");
  engine.output_buffer = json.at("output_buffer");
  engine.load_width = json.at("load_width");
  engine.weight_word = json.at("weight_word");
  engine.max_k = json.at("max_k");
  engine.act_block = json.at("act_block");
  return engine;
}

Example load_example() {
  Example example;
  const std::string path = std::string(LACUNA_SOURCE_DIR) + "/test/support/worked_example.json";
  example.json = Json::parse(base::read_text_file(path, 1 << 20));
  const Json& json = example.json;
  example.engine = engine_of(json.at("parameters"));
  const timing::engine::Segments segments{json.at("segments").at("count"),
                                          json.at("segments").at("channels")};
  const timing::engine::WindowTable table(example.engine, segments);

  std::vector<std::int8_t> weights;
  for (const Json& row : json.at("weights")) {
    for (const Json& weight : row) weights.push_back(weight.get<std::int8_t>());
  }
  const std::vector<std::int32_t> bias = json.at("bias");
  const std::vector<std::int32_t> multiplier = json.at("multiplier");
  const std::vector<std::uint8_t> shift = json.at("shift");
  timing::engine::TileSource tile;
  tile.weights = {weights.data(), segments.k(), 1};
  tile.segments = segments;
  tile.windows = table.all();
  tile.channels = static_cast<int>(json.at("weights").size());
  for (const Json& row : json.at("order")) {
    for (const Json& pe : row) tile.order.push_back(pe.get<std::uint8_t>());
  }
  tile.bias = bias;
  tile.multiplier = multiplier;
  tile.shift = shift;
  example.tile = timing::engine::make_tile(example.engine, tile);

  std::vector<std::uint8_t> codes;
  for (const Json& token : json.at("activations")) {
    for (const Json& code : token) codes.push_back(code.get<std::uint8_t>());
  }
  timing::engine::BlockSource block;
  block.tokens = static_cast<int>(json.at("activations").size());
  block.segments = segments;
  block.windows = table.all();
  std::vector<const std::uint8_t*> rows;
  for (std::size_t at = 0; at < codes.size(); at += static_cast<std::size_t>(segments.channels)) {
    rows.push_back(codes.data() + at);
  }
  block.rows = rows;
  example.block = timing::engine::make_block(example.engine, block);

  example.command.act_signed = json.at("act_signed");
  example.command.clamp_lo = json.at("clamp").at(0);
  example.command.clamp_hi = json.at("clamp").at(1);
  example.command.gate = json.at("gate");
  return example;
}

void expect_example(const Json& json, const timing::engine::PassResult& result) {
  EXPECT_EQ(result.trace.issue, json.at("issue").get<std::vector<Cycles>>());
  std::vector<Cycles> mask_stage;
  std::vector<Cycles> mac_stage;
  for (const Json& way : json.at("mask_stage")) {
    for (const Json& pe : way) mask_stage.push_back(pe.get<Cycles>());
  }
  for (const Json& way : json.at("mac_stage")) {
    for (const Json& pe : way) mac_stage.push_back(pe.get<Cycles>());
  }
  EXPECT_EQ(result.trace.mask_stage, mask_stage);
  EXPECT_EQ(result.trace.mac_stage, mac_stage);
  EXPECT_EQ(result.group_end, json.at("group_end").get<Cycles>());
  EXPECT_EQ(result.drain_end, json.at("drain_end").get<Cycles>());
  EXPECT_EQ(result.length, json.at("length").get<base::Cycle>());
  std::vector<int> outputs;
  for (const Json& token : json.at("outputs")) {
    for (const Json& code : token) outputs.push_back(code.get<int>());
  }
  ASSERT_EQ(result.outputs.size(), outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(int{static_cast<std::int8_t>(result.outputs[i])}, outputs[i]) << i;
  }
  std::map<std::string, std::uint64_t> counters;
  timing::engine::Counters::visit(result.counters,
                                  [&](std::string_view name, const std::uint64_t& value) {
                                    counters[std::string(name)] = value;
                                  });
  EXPECT_EQ(counters, (json.at("counters").get<std::map<std::string, std::uint64_t>>()));
}

TEST(WorkedExample, Model) {
  const Example example = load_example();
  timing::engine::EvaluateOptions options;
  options.trace = true;
  expect_example(example.json, timing::engine::evaluate(example.engine, example.tile, example.block,
                                                        example.command, {}, options));
}

TEST(WorkedExample, Rtl) {
  const Example example = load_example();
  const auto plugin = rtl_or_skip(example.engine);
  if (!plugin) return;
  const auto rtl = plugin->create();
  const cosim::RtlPassResult result =
      rtl->run(example.tile, example.block, example.command, {}, true);
  ASSERT_EQ(result.error, "");
  expect_example(example.json, result.result);
}

}  // namespace
}  // namespace lacuna::test
