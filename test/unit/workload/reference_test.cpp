// SPDX-License-Identifier: Apache-2.0
//
// Every shipped trace, executed by the plain dense reference in C++, against the outputs that the
// Python reference stored: two independent readings of docs/reference/numerics.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "config/loader.h"
#include "params/workload_params.h"
#include "workload/check.h"
#include "workload/graph_builder.h"
#include "workload/lowering.h"

namespace lacuna::workload {
namespace {

std::vector<std::string> shipped_traces() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(LACUNA_SOURCE_DIR "/traces")) {
    const std::filesystem::path file = entry.path() / "workload.yaml";
    if (std::filesystem::exists(file)) found.push_back(file.string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

Graph load(const std::string& path) {
  const auto loaded = config::load<params::WorkloadParams>(path);
  return build_graph(loaded.value,
                     [&](const std::string& key) { return loaded.provenance.locate(key); });
}

TEST(Reference, TracesAreShipped) { EXPECT_GE(shipped_traces().size(), 2U); }

TEST(Reference, EveryExpectedOutputIsReproduced) {
  for (const std::string& path : shipped_traces()) {
    SCOPED_TRACE(path);
    const Graph graph = load(path);
    EXPECT_GE(graph.samples, 64);
    TensorStore store(graph, 0, graph.samples);
    for (std::int64_t sample = 0; sample < graph.samples; ++sample) run_dense(store, sample);
    const ExpectResult result = check_expected(store);
    EXPECT_GE(result.compared, graph.samples);
    for (std::size_t i = 0; i < std::min<std::size_t>(3, result.mismatches.size()); ++i) {
      ADD_FAILURE() << describe(graph, result.mismatches[i]);
    }
    EXPECT_TRUE(result.mismatches.empty()) << result.mismatches.size() << " mismatches";
    ASSERT_TRUE(graph.result.has_value());
    const Accuracy score = accuracy(store);
    EXPECT_EQ(score.samples, graph.samples);
    const auto stated = graph.provenance.find("accuracy_int8_captured");
    ASSERT_NE(stated, graph.provenance.end());
    EXPECT_NEAR(static_cast<double>(score.correct) / static_cast<double>(score.samples),
                std::stod(stated->second), 5e-5);
  }
}

/// Provenance states how many products have two operands that are not zero; so do the masks.
TEST(Reference, StatedMacsAreCounted) {
  for (const std::string& path : shipped_traces()) {
    SCOPED_TRACE(path);
    const Graph graph = load(path);
    const auto dense = graph.provenance.find("macs_dense");
    const auto effective = graph.provenance.find("macs_effective");
    ASSERT_NE(dense, graph.provenance.end());
    ASSERT_NE(effective, graph.provenance.end());
    EXPECT_EQ(graph.dense_macs() * graph.samples, std::stoll(dense->second));
    TensorStore store(graph, 0, graph.samples);
    std::int64_t counted = 0;
    for (std::int64_t sample = 0; sample < graph.samples; ++sample) {
      run_dense(store, sample);
      for (const Layer& layer : graph.layers) {
        if (layer.on_engine()) counted += effective_macs(layer, store, sample);
      }
    }
    EXPECT_EQ(counted, std::stoll(effective->second));
  }
}

/// The comparison itself must be able to fail.
TEST(Reference, AChangedWeightIsNoticed) {
  Graph graph = load(shipped_traces().front());
  Layer& layer = graph.layers.front();
  ASSERT_TRUE(layer.on_engine());
  std::vector<std::int8_t> changed(layer.weights.codes.begin(), layer.weights.codes.end());
  for (std::int8_t& code : changed) code = static_cast<std::int8_t>(code == 0 ? 0 : -code);
  layer.weights.codes = changed;
  TensorStore store(graph, 0, 2);
  for (std::int64_t sample = 0; sample < 2; ++sample) run_dense(store, sample);
  EXPECT_FALSE(check_expected(store).mismatches.empty());
}

}  // namespace
}  // namespace lacuna::workload
