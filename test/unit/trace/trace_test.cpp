// SPDX-License-Identifier: Apache-2.0
//
// Import, generation and inventory on a small network: what was written reads back as the network
// that was meant.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "config/workload_files.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"
#include "trace/generate.h"
#include "trace/import_weights.h"
#include "trace/inventory.h"
#include "workload/check.h"
#include "workload/graph_builder.h"

namespace lacuna::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kNetwork = R"(schema: lacuna-workload-1
name: small
provenance: {source: statistic, model: small}
inputs:
  - {name: x, shape: [4, 4, 3], type: u8, sparsity: 0.5, seed: 3, samples: 2}
layers:
  - {name: conv, op: conv2d, input: x, kernel: [3, 3], padding: [1, 1], out_channels: 5, output: {type: u8, clamp: [0, 255]},
     weights: {pattern: unstructured, sparsity: 0.6, seed: 4}}
  - {name: flat, op: flatten, input: conv}
  - {name: fc, op: linear, input: flat, out_channels: 3, output: {type: s8}, activations: {sparsity: 0.25, seed: 9},
     weights: {pattern: "n:m", n: 1, m: 4, seed: 5}}
)";

constexpr const char* kMoreOps = R"(schema: lacuna-workload-1
name: more
parameters: {channels: 8}
provenance: {source: statistic, model: more}
inputs:
  - {name: x, shape: [6, 6, $channels], type: u8, sparsity: 0.5, seed: 3, samples: 1}
  - {name: ids, shape: [3, 4], type: u8, sparsity: 0, seed: 7, samples: 1}
layers:
  - {name: grouped, op: conv2d, input: x, kernel: [3, 3], groups: 2, out_channels: 6, weights: {pattern: unstructured, sparsity: 0.5, seed: 4},
     output: {type: u8, drawn: {sparsity: 0.25, seed: 11}}}
  - {name: deep, op: depthwise_conv2d, input: grouped, kernel: [2, 2], weights: {pattern: unstructured, sparsity: 0.25, seed: 5},
     output: {type: s8}}
  - {name: words, op: embedding, input: ids, vocabulary: 9, out_channels: 5, weights: {pattern: dense, seed: 6}, output: {type: s8}}
  - {name: norm, op: layer_norm, input: words, output: {type: s8}}
)";

class TraceTest : public ::testing::Test {
 protected:
  workload::Graph load(const std::string& path) {
    const auto loaded = config::load_workload(path);
    return workload::build_graph(
        loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
  }
  std::string network() { return folder_.write("w.yaml", kNetwork); }
  ImportOptions options(const std::string& weights, const std::string& map = "") {
    ImportOptions result;
    result.workload = network();
    result.weights = weights;
    result.map = map;
    result.out = folder_.file("out");
    return result;
  }
  template <class Run>
  std::string error_of(Run&& run) {
    try {
      run();
    } catch (const base::UserError& error) {
      std::string text = error.what();
      const std::string folder = folder_.path() + "/";
      for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
        text.erase(at, folder.size());
      }
      return text;
    }
    return "";
  }

  test::TempDir folder_;
};

std::vector<std::int8_t> codes_of(const workload::Layer& layer) {
  const workload::WeightMatrix weights = layer.weights.with_codes();
  return {weights.codes.begin(), weights.codes.end()};
}

TEST_F(TraceTest, GeneratedTensorsAreWhatARunWouldDraw) {
  GenerateOptions options;
  options.workload = network();
  options.out = folder_.file("out");
  (void)generate_trace(options);
  const workload::Graph before = load(options.workload);
  const workload::Graph after = load(folder_.file("out/workload.yaml"));
  for (const int layer : {0, 2}) {
    EXPECT_EQ(codes_of(before.layers[layer]), codes_of(after.layers[layer]));
    EXPECT_EQ(after.layers[layer].weights.provenance.origin, workload::Origin::kCaptured);
  }
  workload::TensorStore one(before, 0, 2);
  workload::TensorStore two(after, 0, 2);
  for (std::int64_t sample = 0; sample < 2; ++sample) {
    workload::run_dense(one, sample);
    workload::run_dense(two, sample);
    for (const int value : {before.layers[0].output, before.layers[2].output}) {
      const auto a = one.codes(value, sample);
      const auto b = two.codes(value, sample);
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
  }
}

TEST_F(TraceTest, GeneratedTensorsOfGroupsDepthwiseAndEmbeddings) {
  GenerateOptions options;
  options.workload = folder_.write("more.yaml", kMoreOps);
  options.parameters = {"channels=4"};
  options.out = folder_.file("out");
  (void)generate_trace(options);
  const auto loaded = config::load_workload(options.workload, options.parameters);
  const workload::Graph before = workload::build_graph(
      loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
  const workload::Graph after = load(folder_.file("out/workload.yaml"));
  for (const auto& file : after.files) {
    EXPECT_EQ(file->get("grouped.weight").shape, (std::vector<std::int64_t>{6, 3, 3, 2}));
    EXPECT_EQ(file->get("deep.weight").shape, (std::vector<std::int64_t>{6, 2, 2}));
    EXPECT_EQ(file->get("words.weight").shape, (std::vector<std::int64_t>{9, 5}));
  }
  EXPECT_EQ(after.provenance.at("source"), "mixed");  // the norm's constants are chosen
  workload::TensorStore one(before, 0, 1);
  workload::TensorStore two(after, 0, 1);
  workload::run_dense(one, 0);
  workload::run_dense(two, 0);
  for (const workload::Layer& layer : before.layers) {
    const auto a = one.codes(layer.output, 0);
    const auto b = two.codes(layer.output, 0);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << layer.name;
  }
  const Inventory inventory = take_inventory(after);
  EXPECT_EQ(inventory.layers[0].weights->all, 6 * 9 * 2);  // not the zeros between groups
  EXPECT_EQ(inventory.layers[0].weights->zeros, 54);
  EXPECT_EQ(inventory.layers[1].weights->zeros, 6);
  EXPECT_EQ(inventory.macs, 16 * 6 * 18 + 9 * 6 * 4);
}

TEST_F(TraceTest, ImportsDepthwiseWeightsAndTables) {
  test::SafetensorsWriter writer;
  std::vector<float> deep(24, 0.F);
  deep[5] = -1.F;  // channel 1, row 0, column 1
  writer.add<float>("deep.weight", {6, 1, 2, 2}, deep)
      .add<float>("words", {9, 5}, std::vector<float>(45, 0.5F));
  ImportOptions chosen = options(folder_.write("x.safetensors", writer.bytes()));
  chosen.workload = folder_.write("more.yaml", kMoreOps);
  chosen.partial = true;
  EXPECT_THAT(import_weights(chosen).kept, ElementsAre("grouped"));
  const workload::Graph graph = load(folder_.file("out/workload.yaml"));
  EXPECT_EQ(graph.layers[1].weights.at(1, 1), -127);
  EXPECT_EQ(graph.layers[1].weights.non_zeros, 1);
  EXPECT_EQ(graph.layers[2].weights.at(8, 4), 127);
}

TEST_F(TraceTest, MatchKeepsTheCountsOfTheWeights) {
  GenerateOptions options;
  options.workload = network();
  options.out = folder_.file("tensors");
  (void)generate_trace(options);
  options.workload = folder_.file("tensors/workload.yaml");
  options.out = folder_.file("matched");
  options.match = params::MaskPattern::kUnstructured;
  options.statistics_only = true;
  const GenerateReport report = generate_trace(options);
  ASSERT_EQ(report.layers.size(), 2U);
  const workload::Graph before = load(options.workload);
  const workload::Graph after = load(folder_.file("matched/workload.yaml"));
  for (const int layer : {0, 2}) {
    EXPECT_EQ(before.layers[layer].weights.non_zeros, after.layers[layer].weights.non_zeros);
    EXPECT_NE(codes_of(before.layers[layer]), codes_of(after.layers[layer]));
    EXPECT_EQ(after.layers[layer].weights.provenance.origin, workload::Origin::kStatistic);
  }
}

TEST_F(TraceTest, BanksFromOneToThirtyTwoFold) {
  const std::string file = folder_.write(
      "banks.yaml",
      "schema: lacuna-workload-1\nname: b\nprovenance: {source: statistic, model: m}\n"
      "inputs: [{name: x, shape: [4, 96], type: s8, sparsity: 0, seed: 1, samples: 1}]\nlayers:\n"
      "  - {name: y, op: linear, input: x, out_channels: 8, output: {type: s8},\n"
      "     weights: {pattern: dense, seed: 2}}\n");
  for (const int fold : {1, 2, 4, 8, 16, 32}) {
    GenerateOptions options;
    options.workload = file;
    options.out = folder_.file(fmt::format("x{}", fold));
    options.weights = fmt::format("density={},pattern=bank:32", 1.0 / fold);
    (void)generate_trace(options);
    const workload::Graph graph = load(options.out + "/workload.yaml");
    const std::vector<std::int8_t> codes = codes_of(graph.layers[0]);
    ASSERT_EQ(codes.size(), 8U * 96U);
    for (std::size_t bank = 0; bank < codes.size(); bank += 32) {
      int count = 0;
      for (std::size_t i = bank; i < bank + 32; ++i) count += codes[i] != 0 ? 1 : 0;
      EXPECT_EQ(count, 32 / fold);
    }
  }
}

TEST_F(TraceTest, CorrelatedActivationsStayAStatistic) {
  GenerateOptions options;
  options.workload = network();
  options.out = folder_.file("out");
  options.activations = "density=.5,spatial=.25,channel=.75";
  options.statistics_only = true;
  (void)generate_trace(options);
  const workload::Graph graph = load(folder_.file("out/workload.yaml"));
  for (const int layer : {0, 2}) {
    const tensor::MaskSpec& drawn = graph.input_of(graph.layers[layer]).drawn;
    EXPECT_EQ(drawn.kind, tensor::PatternKind::kField);
    EXPECT_EQ(drawn.spatial, 0.25);
    EXPECT_EQ(drawn.channel, 0.75);
  }
}

TEST_F(TraceTest, ImportsMatricesByAMap) {
  // conv: 5 x 27, one non-zero per row; fc: 3 x 80, all in the first column.
  (void)folder_.write("m/a.smtx", "5, 27, 5\n0 1 2 3 4 5\n0 1 2 3 26\n");
  (void)folder_.write(
      "m/b.mtx",
      "%%MatrixMarket matrix coordinate integer general\n3 80 3\n1 1 7\n2 1 -8\n3 1 "
      "9\n");
  const std::string map = folder_.write(
      "map.yaml",
      "schema: lacuna-import-map-1\nprovenance: {method: by hand}\nlayers: {conv: a, fc: b}\n");
  const ImportReport report = import_weights(options(folder_.file("m"), map));
  ASSERT_EQ(report.layers.size(), 2U);
  EXPECT_EQ(report.layers[0].zeros, 5 * 27 - 5);
  const workload::Graph graph = load(folder_.file("out/workload.yaml"));
  EXPECT_EQ(graph.layers[0].weights.non_zeros, 5);
  EXPECT_NE(graph.layers[0].weights.at(4, 26), 0);
  EXPECT_EQ(graph.layers[2].weights.at(0, 0), 7);
  EXPECT_EQ(graph.layers[2].weights.at(1, 0), -8);
  EXPECT_EQ(graph.provenance.at("source"), "mixed");
  EXPECT_EQ(graph.provenance.at("method"), "by hand");
  EXPECT_EQ(graph.provenance.at("weight_sparsity"),
            fmt::format("{:.6f}", 1.0 - 8.0 / (5 * 27 + 3 * 80)));
}

TEST_F(TraceTest, ImportsShardedSafetensors) {
  test::SafetensorsWriter one;
  one.add<float>("conv.weight", {5, 3, 3, 3}, std::vector<float>(135, 1.F));
  test::SafetensorsWriter two;
  std::vector<float> fc(240, 0.F);
  fc[81] = 2.F;
  two.add<float>("fc.weight", {3, 80}, fc).add<float>("other", {1}, {1.F});
  (void)folder_.write("s/one.safetensors", one.bytes());
  (void)folder_.write("s/two.safetensors", two.bytes());
  (void)folder_.write("s/model.safetensors.index.json",
                      R"({"metadata": {}, "weight_map": {"conv.weight": "one.safetensors",
                      "fc.weight": "two.safetensors", "other": "two.safetensors"}})");
  for (const char* source : {"s", "s/model.safetensors.index.json"}) {
    const ImportReport report = import_weights(options(folder_.file(source)));
    EXPECT_THAT(report.unused, ElementsAre("other"));
    const workload::Graph graph = load(folder_.file("out/workload.yaml"));
    EXPECT_EQ(graph.layers[0].weights.at(0, 0), 127);
    EXPECT_EQ(graph.layers[2].weights.non_zeros, 1);
    EXPECT_EQ(graph.layers[2].weights.at(1, 1), 127);
  }
}

TEST_F(TraceTest, SaysWhichLayersAreMissing) {
  (void)folder_.write("m/conv.smtx", "5, 27, 0\n0 0 0 0 0 0\n\n");
  EXPECT_EQ(error_of([&] { (void)import_weights(options(folder_.file("m"))); }),
            "'m' has no weights for 1 of 2 layers: fc; say which is which with --map, or let them "
            "keep theirs with --partial");
  ImportOptions partial = options(folder_.file("m"));
  partial.partial = true;
  EXPECT_THAT(import_weights(partial).kept, ElementsAre("fc"));
  EXPECT_EQ(load(folder_.file("out/workload.yaml")).layers[2].weights.provenance.origin,
            workload::Origin::kStatistic);
}

TEST_F(TraceTest, NothingIsLeftBehindWhenAMatrixIsDamaged) {
  (void)folder_.write("m/conv.smtx", "5, 27, 1\n0 0 0 0 0 1\n99\n");
  (void)folder_.write("m/fc.smtx", "3, 80, 0\n0 0 0 0\n\n");
  EXPECT_THAT(error_of([&] { (void)import_weights(options(folder_.file("m"))); }),
              HasSubstr("m/conv.smtx:3:1: "));
  EXPECT_EQ(folder_.entries(), 2);  // w.yaml, m
}

TEST_F(TraceTest, InventoryCounts) {
  const workload::Graph graph = load(network());
  const Inventory inventory = take_inventory(graph);
  ASSERT_EQ(inventory.layers.size(), 3U);
  EXPECT_EQ(inventory.layers[0].weights->zeros, 81);  // 0.6 of 135
  EXPECT_EQ(inventory.layers[0].activations->zeros, 2 * 24);
  EXPECT_EQ(inventory.layers[2].weights->zeros, 180);
  EXPECT_EQ(inventory.layers[2].activations->zeros, 2 * 20);
  EXPECT_EQ(inventory.macs, 16 * 5 * 27 + 80 * 3);
  // 1 of 4: every bank of 32 has exactly 8.
  EXPECT_EQ(inventory.layers[2].spread->banks, 6);
  EXPECT_DOUBLE_EQ(inventory.layers[2].spread->mean, 8);
  EXPECT_DOUBLE_EQ(inventory.layers[2].spread->deviation, 0);
  EXPECT_EQ(inventory.layers[2].spread->most, 8);
}

TEST_F(TraceTest, RefusesToReplaceItsInput) {
  GenerateOptions options;
  options.workload = folder_.write("t/workload.yaml", kNetwork);
  options.out = folder_.file("t");
  EXPECT_EQ(error_of([&] { (void)generate_trace(options); }),
            "the trace in 't' would replace the workload that it is made from");
}

}  // namespace
}  // namespace lacuna::trace
