// SPDX-License-Identifier: Apache-2.0
//
// The shipped traces on the shipped chips: does the simulated chip compute what the Python
// reference computed, code by code?
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "config/chip_files.h"
#include "config/loader.h"
#include "params/workload_params.h"
#include "support.h"
#include "workload/graph_builder.h"

namespace lacuna::chip {
namespace {

const std::string kRoot = LACUNA_SOURCE_DIR;

workload::Graph load_trace(const std::string& name) {
  const auto loaded =
      config::load<params::WorkloadParams>(kRoot + "/traces/" + name + "/workload.yaml");
  return workload::build_graph(
      loaded.value, [&loaded](const std::string& key) { return loaded.provenance.locate(key); });
}

RunResult run_trace(const std::string& chip_name, const std::string& trace, RunOptions options,
                    std::optional<std::int64_t> ring = {}) {
  config::ChipFiles files = config::load_chip(kRoot + "/configs/chips/" + chip_name + ".yaml");
  files.chip.value.mapper.ring = ring;
  const workload::Graph graph = load_trace(trace);
  fresh_kernel();
  const auto backend = cosim::make_backend(files.chip.value.engine, {});
  return run_network(files.chip.value, files.effective_memory, graph, *backend, options);
}

void expect_exact(const RunResult& result) {
  std::int64_t compared = 0;
  for (const LayerResult& layer : result.layers) {
    EXPECT_EQ(layer.expect_mismatches, 0) << layer.first_mismatch;
    compared += layer.expect_values;
  }
  EXPECT_GT(compared, 0);
}

std::set<std::string> all_traces() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/traces")) {
    if (std::filesystem::exists(entry.path() / "workload.yaml")) {
      names.insert(entry.path().filename().string());
    }
  }
  return names;
}

TEST(Trace, EveryTraceIsExactOnTheReferenceChip) {
  const std::set<std::string> names = all_traces();
  ASSERT_GE(names.size(), 2U);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    RunOptions options;
    options.samples = 8;
    expect_exact(run_trace("reference", name, options));
  }
}

TEST(Trace, EveryTraceIsExactOnTheTinyChip) {
  for (const std::string& name : all_traces()) {
    SCOPED_TRACE(name);
    RunOptions options;
    options.samples = 2;
    // A ring that leaves activations too little room, and weights too.
    const RunResult result = run_trace("tiny", name, options, 4096);
    expect_exact(result);
    for (const char* what :
         {"k_split", "n_split", "m_split", "partial_sums", "entries_without_k", "blocked_cycles",
          "imbalance", "bank_busy", "carry_ins", "output_space_waits", "psum_space_waits",
          "loading_waits", "dram_waits", "dependency_waits", "ring_waits", "dram_activations"}) {
      EXPECT_GT(result.met.at(what), 0) << what;
    }
  }
}

TEST(Trace, TransformersNeedRunTimeOperands) {
  int transformers = 0;
  for (const std::string& name : all_traces()) {
    if (name.find("transformer") == std::string::npos) continue;
    RunOptions options;
    options.samples = 1;
    const RunResult result = run_trace("tiny", name, options);
    EXPECT_GT(result.met.at("run_time_operands"), 0) << name;
    EXPECT_GT(result.met.at("transposed_operands"), 0) << name;
    ++transformers;
  }
  EXPECT_GT(transformers, 0);
}

TEST(Trace, BatchesGiveTheSameOutputs) {
  RunOptions options;
  options.samples = 7;
  options.mapping.batch = 3;  // two of three, one of one
  const RunResult result = run_trace("reference", "digits-cnn-unstructured-90", options);
  expect_exact(result);
  ASSERT_EQ(result.programs.size(), 3U);
  EXPECT_EQ(result.programs[2].samples, 1);
}

}  // namespace
}  // namespace lacuna::chip
