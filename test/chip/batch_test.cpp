// SPDX-License-Identifier: Apache-2.0
//
// A batch that goes through chains of layers in groups of samples: are outputs those of each sample
// alone, whatever the groups, the dispatch and the room; does everything come to an end where the
// SRAM holds next to nothing; does less move from and to DRAM than layer by layer?
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "mapper/tile_compiler.h"
#include "support.h"

namespace lacuna::chip {
namespace {

/// A small attention block: query, key, value, scores, softmax, attend, project, sum.
workload::Graph attention(std::int64_t samples) {
  params::WorkloadParams network;
  network.schema = std::string(params::kWorkloadSchema);
  network.name = "attention";
  network.provenance = {{"source", "statistic"},
                        {"model", "test"},
                        {"pattern", "unstructured"},
                        {"target_sparsity", "0.5"}};
  params::InputParams tokens;
  tokens.name = "tokens";
  tokens.shape = {10, 24};
  tokens.sparsity = 0.3;
  tokens.seed = 1;
  tokens.samples = samples;
  network.inputs.push_back(tokens);
  const auto linear = [&](const std::string& name, const std::string& input, std::int64_t seed) {
    params::LayerParams made = layer(name, params::Op::kLinear, input);
    made.out_channels = 24;
    made.weights = pruned(0.5, seed);
    made.output->type = params::CodeType::kS8;
    network.layers.push_back(made);
  };
  linear("query", "tokens", 2);
  linear("key", "tokens", 3);
  linear("value", "tokens", 4);
  params::LayerParams scores = layer("scores", params::Op::kMatmul, "query");
  scores.right = std::string("key");
  scores.heads = 2;
  scores.transpose_right = true;
  scores.output->type = params::CodeType::kS8;
  network.layers.push_back(scores);
  params::LayerParams softmax = layer("softmax", params::Op::kSoftmax, "scores");
  softmax.heads = 2;
  softmax.output.reset();
  network.layers.push_back(softmax);
  params::LayerParams attend = layer("attend", params::Op::kMatmul, "softmax");
  attend.right = std::string("value");
  attend.heads = 2;
  attend.transpose_right = false;
  attend.output->type = params::CodeType::kS8;
  network.layers.push_back(attend);
  linear("project", "attend", 5);
  params::LayerParams sum = layer("sum", params::Op::kAdd, "project");
  sum.right = std::string("query");
  sum.multiplier = std::vector<std::int64_t>{1, 1};
  sum.shift = 1;
  sum.output->type = params::CodeType::kS8;
  network.layers.push_back(sum);
  return workload::build_graph(network, [](const std::string& key) {
    return base::SourceLocation{"attention: " + key, 0, 0};
  });
}

RunOptions in_chains(std::vector<mapper::SampleChain> chains, int batch) {
  RunOptions options;
  options.samples = batch;
  options.mapping.batch = batch;
  options.mapping.chains = std::move(chains);
  return options;
}

void expect_right(const workload::Graph& graph, const RunResult& result) {
  for (const workload::Layer& of : graph.layers) {
    EXPECT_EQ(result.layers[static_cast<std::size_t>(of.index)].reference_mismatches, 0) << of.name;
  }
}

TEST(Batch, ChainsComputeWhatLayersCompute) {
  constexpr int kBatch = 4;
  const workload::Graph graph = attention(kBatch);
  const auto layers = static_cast<int>(graph.layers.size());
  using Chains = std::vector<mapper::SampleChain>;
  for (const std::int64_t sram : {1 << 20, 1 << 13, 1 << 11}) {
    for (const Chains& chains :
         {Chains{}, Chains{{3, 6, 1}}, Chains{{3, 6, 2}}, Chains{{0, layers, 1}},
          Chains{{0, 3, 2}, {3, 6, 1}, {6, layers, 2}}, Chains{{1, layers, 2}}}) {
      for (const params::Dispatch dispatch :
           {params::Dispatch::kDynamic, params::Dispatch::kStatic}) {
        params::ChipParams chip = tiny_chip();
        chip.sram.capacity = sram;
        RunOptions options = in_chains(chains, kBatch);
        options.mapping.dispatch = dispatch;
        options.mapping.dram_bytes_per_cycle = 1.0;
        expect_right(graph, run_model(chip, graph, options));
      }
    }
  }
}

TEST(Batch, ChainsOfPartsOfKComputeWhatLayersCompute) {
  workload::Graph graph = attention(4);
  for (workload::Layer& each : graph.layers) {
    if (!each.on_engine()) continue;
    const timing::engine::WindowTable windows(tiny_chip().engine, mapper::segments_of(each));
    each.mapping.k_parts = std::min(2, windows.windows());
  }
  for (const std::int64_t sram : {1 << 20, 1 << 11}) {
    params::ChipParams chip = tiny_chip();
    chip.sram.capacity = sram;
    const RunResult result = run_model(chip, graph, in_chains({{0, 8, 2}}, 4));
    expect_right(graph, result);
    EXPECT_GT(result.met.at("stored_partial_sums"), 0);
  }
}

TEST(Batch, GroupsMoveLessThanTheWholeBatch) {
  constexpr int kBatch = 16;
  const workload::Graph graph = attention(kBatch);
  params::ChipParams chip = tiny_chip();
  chip.sram.capacity = 8 << 10;
  const RunResult whole = run_model(chip, graph, in_chains({}, kBatch));
  const RunResult groups = run_model(chip, graph, in_chains({{0, 8, 1}}, kBatch));
  EXPECT_GT(whole.memory_plan.spilled, 0);
  const auto moved = [](const RunResult& result) {
    return result.traffic.dram_read + result.traffic.dram_write;
  };
  EXPECT_LT(moved(groups), moved(whole));
}

}  // namespace
}  // namespace lacuna::chip
