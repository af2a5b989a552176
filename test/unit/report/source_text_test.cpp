// SPDX-License-Identifier: Apache-2.0
#include "report/source_text.h"

#include <gtest/gtest.h>

#include "config/workload_files.h"
#include "report/text_report.h"
#include "workload/graph_builder.h"

namespace lacuna::report {
namespace {

/// Two layers with weights (one more with the same ones), and the product of two activations.
const std::string kNetwork = R"(schema: lacuna-workload-1
name: net
provenance: {source: statistic, model: example, weights: drawn; by hand, activations: some drawn}
inputs: [{name: x, shape: [4, 64], type: s8, sparsity: 0.25, seed: 1, samples: 1}]
layers:
  - {name: a, op: linear, input: x, out_channels: 64, weights: {pattern: unstructured, sparsity: 0.75, seed: 2},
     output: {type: s8, drawn: {sparsity: 0.5, seed: 3, source: table 7}}}
  - {name: b, op: linear, input: a, out_channels: 64, weights: {pattern: dense, seed: 4}, output: {type: s8}}
  - {name: c, op: linear, input: b, out_channels: 64, weights: {pattern: unstructured, sparsity: 0.75, seed: 2}, output: {type: s8}}
  - {name: d, op: matmul, input: c, right: b, heads: 2, transpose_right: true, output: {type: s8}}
)";

workload::Graph example() {
  const auto loaded = config::load_text<params::WorkloadParams>(kNetwork, "net.yaml");
  return workload::build_graph(
      loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
}

TEST(SourceText, CountsOperandsByOrigin) {
  const SourceSummary summary = summarize_sources(example());
  EXPECT_EQ(summary.weights.drawn, 3);
  EXPECT_EQ(summary.weights.computed, 1);
  EXPECT_EQ(summary.weights.captured, 0);
  EXPECT_EQ(summary.weights.distinct, 2);
  EXPECT_DOUBLE_EQ(summary.weights.least, 0);
  EXPECT_DOUBLE_EQ(summary.weights.most, 0.75);
  EXPECT_DOUBLE_EQ(summary.weights.zeros, 0.5);
  EXPECT_EQ(summary.inputs.drawn, 2);
  EXPECT_EQ(summary.inputs.computed, 2);
  EXPECT_DOUBLE_EQ(summary.inputs.zeros, 0.375);
  EXPECT_EQ(summary.inputs.sources, std::set<std::string>{"table 7"});
}

TEST(SourceText, SaysSo) {
  EXPECT_EQ(
      source_text(example()),
      "Source      statistic; example\n"
      "Weights     drawn; by hand\n"
      "            of 4 engine layers: 3 drawn (2 different), 1 computed (products of two "
      "activations); zeros 50.0 %, by layer 0.0 % to 75.0 %\n"
      "Activations some drawn\n"
      "            inputs of engine layers: 2 drawn, 2 computed; zeros of the drawn 37.5 %, by "
      "layer 25.0 % to 50.0 % (table 7)\n");
}

TEST(SourceText, WithoutProvenanceOnlyWhatWasCounted) {
  workload::Graph graph = example();
  graph.provenance.clear();
  const std::string text = source_text(graph);
  EXPECT_TRUE(text.starts_with("Weights     of 4 engine layers: 3 drawn (2 different)")) << text;
}

}  // namespace
}  // namespace lacuna::report
