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

/// The outputs, the accuracy and the number of products that provenance states.
TEST(Reference, EveryExpectedOutputIsReproduced) {
  for (const std::string& path : shipped_traces()) {
    SCOPED_TRACE(path);
    const Graph graph = load(path);
    EXPECT_GE(graph.samples, 64);
    TensorStore store(graph, 0, graph.samples);
    std::int64_t products = 0;
    for (std::int64_t sample = 0; sample < graph.samples; ++sample) {
      run_dense(store, sample);
      for (const Layer& layer : graph.layers) {
        if (layer.on_engine()) products += effective_macs(layer, store, sample);
      }
    }
    const ExpectResult result = check_expected(store);
    EXPECT_GE(result.compared, graph.samples);
    for (std::size_t i = 0; i < std::min<std::size_t>(3, result.mismatches.size()); ++i) {
      ADD_FAILURE() << describe(graph, result.mismatches[i]);
    }
    EXPECT_TRUE(result.mismatches.empty()) << result.mismatches.size() << " mismatches";

    const auto stated = [&](const char* key) {
      const auto found = graph.provenance.find(key);
      return found == graph.provenance.end() ? -1.0 : std::stod(found->second);
    };
    ASSERT_TRUE(graph.result.has_value());
    const Accuracy score = accuracy(store);
    EXPECT_EQ(score.samples, graph.samples);
    EXPECT_NEAR(static_cast<double>(score.correct) / static_cast<double>(score.samples),
                stated("accuracy_int8_captured"), 5e-5);
    EXPECT_EQ(static_cast<double>(graph.dense_macs() * graph.samples), stated("macs_dense"));
    EXPECT_EQ(static_cast<double>(products), stated("macs_effective"));
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
