// SPDX-License-Identifier: Apache-2.0
//
// Batches: chains of layers that take it in groups of samples, where networks are cut, and space in
// DRAM that is used again.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "mapper/lifetimes.h"
#include "mapper/map.h"
#include "mapper/memory_model.h"
#include "mapper/sample_chains.h"
#include "program_check.h"
#include "workload/graph_builder.h"

namespace lacuna::mapper {
namespace {

TEST(Map, CheckNoticesStoresThatDoNotWait) {
  const workload::Graph graph = attention();
  params::ChipParams chip = small_chip();
  MapOptions options;
  options.batch = 4;
  options.chains = std::vector<SampleChain>{{0, 7, 1}};
  const Program good = map_program(graph, chip, options);
  ASSERT_TRUE(check(graph, chip, good).empty());
  int noticed = 0;
  for (std::size_t i = 0; i < good.tasks.size(); ++i) {
    if (good.tasks[i].after == nullptr || good.tasks[i].after->empty()) continue;
    Program hasty = good;
    hasty.tasks[i].after = nullptr;
    noticed += check(graph, chip, hasty).empty() ? 0 : 1;
  }
  EXPECT_GT(noticed, 0);
  Program crowded = good;
  TensorPlan& query = crowded.tensors[static_cast<std::size_t>(graph.layers[0].output)];
  query.places = 1;
  for (std::size_t i = 0; i < good.tasks.size(); ++i) crowded.tasks[i].after = nullptr;
  EXPECT_FALSE(check(graph, chip, crowded).empty());
}

TEST(Map, ChainsHoldOneGroupAtATime) {
  workload::Graph graph = attention();
  const auto layers = static_cast<int>(graph.layers.size());
  int shared = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    base::Rng rng(seed);
    params::ChipParams chip = small_chip();
    chip.cores = static_cast<int>(rng.range(1, 6));
    chip.sram.capacity = std::int64_t{1} << rng.range(9, 16);
    MapOptions options;
    options.batch = static_cast<int>(rng.range(1, 3)) * 2;
    options.dispatch = rng.bernoulli(0.5) ? Dispatch::kDynamic : Dispatch::kStatic;
    options.dram_bytes_per_cycle = rng.bernoulli(0.5) ? 8.0 : 0.0;
    std::vector<SampleChain> chains;
    for (int begin = 0; begin < layers;) {
      const int end = static_cast<int>(rng.range(begin + 1, layers));
      if (rng.bernoulli(0.7)) chains.push_back({begin, end, rng.bernoulli(0.5) ? 1 : 2});
      begin = end;
    }
    options.chains = chains;
    cut(graph, chip, static_cast<int>(rng.range(1, 3)));
    const Program program = map_program(graph, chip, options);
    const auto broken = check(graph, chip, program);
    ASSERT_TRUE(broken.empty()) << "seed " << seed << ": " << broken.front();
    for (std::size_t id = 0; id < program.tensors.size(); ++id) {
      if (!program.tensors[id].stored) continue;
      const int chain = inner_chain(graph, program, static_cast<int>(id));
      const int places =
          chain == kNone ? options.batch : chains[static_cast<std::size_t>(chain)].samples;
      EXPECT_EQ(program.tensors[id].places, places) << graph.values[id].name;
      shared += places < options.batch ? 1 : 0;
    }
    // All layers of a chain for a group, then for the next.
    std::map<int, int> group;  // of a chain
    for (const Task& task : program.tasks) {
      for (std::size_t c = 0; c < chains.size(); ++c) {
        if (!chains[c].has(task.layer)) continue;
        EXPECT_GE(task.group, group[static_cast<int>(c)]);
        group[static_cast<int>(c)] = task.group;
      }
    }
    for (std::size_t c = 0; c < chains.size(); ++c) {
      EXPECT_EQ(group[static_cast<int>(c)], options.batch / chains[c].samples - 1);
    }
  }
  EXPECT_GT(shared, 0);
}

TEST(Map, NetworksAreCutWhereLittleCrosses) {
  const workload::Graph graph = attention();
  params::ChipParams chip = small_chip();
  MapOptions options;
  options.batch = 4;
  const Program program = map_program(graph, chip, options);
  const std::vector<LayerDemand> demands = layer_demands(graph, chip, program);
  // Without weights: scores and attend, which leave nothing but what attend makes.
  const auto small = cut_chains(graph, program, demands, 0, 2);
  EXPECT_EQ(small, (std::vector<SampleChain>{{3, 5, 2}}));
  // With room for all weights nothing need cross.
  const auto large = cut_chains(graph, program, demands, 1 << 20, 1);
  EXPECT_EQ(large, (std::vector<SampleChain>{{0, 7, 1}}));
  EXPECT_EQ(group_sizes(12), (std::vector<int>{1, 2, 3, 4, 6}));
  EXPECT_TRUE(group_sizes(1).empty());
}

TEST(Map, BatchesThatSpillAreTakenInGroups) {
  const workload::Graph graph = attention();
  params::ChipParams chip = small_chip();
  MapOptions options;
  options.dram_bytes_per_cycle = 0.5;
  options.batch = 16;
  chip.sram.capacity = 1 << 13;
  const Program program = map_program(graph, chip, options);
  EXPECT_TRUE(check(graph, chip, program).empty());
  ASSERT_FALSE(program.chains.empty());
  ASSERT_GT(program.memory.groupings.size(), 1U);
  int chosen = 0;
  for (const Grouping& way : program.memory.groupings) {
    if (!way.chosen) continue;
    ++chosen;
    EXPECT_EQ(way.samples, program.chains.front().samples);
    EXPECT_LT(way.expected.next_cycles, program.memory.groupings.front().expected.next_cycles);
  }
  EXPECT_EQ(chosen, 1);
  // Nothing to choose: everything fits, or one sample.
  chip.sram.capacity = 1 << 20;
  EXPECT_TRUE(map_program(graph, chip, options).memory.groupings.empty());
  chip.sram.capacity = 1 << 13;
  options.batch = 1;
  EXPECT_TRUE(map_program(graph, chip, options).chains.empty());
}

TEST(Map, SpilledTensorsShareSpaceInDram) {
  params::WorkloadParams network;
  network.schema = std::string(params::kWorkloadSchema);
  network.name = "deep";
  network.provenance = {{"source", "statistic"},
                        {"model", "test"},
                        {"pattern", "unstructured"},
                        {"target_sparsity", "0.5"}};
  params::InputParams tokens;
  tokens.name = "layer0";
  tokens.shape = {16, 24};
  tokens.sparsity = 0.3;
  tokens.seed = 1;
  tokens.samples = 1;
  network.inputs.push_back(tokens);
  constexpr int kLayers = 12;
  for (int i = 1; i <= kLayers; ++i) {
    params::LayerParams made;
    made.name = "layer" + std::to_string(i);
    made.op = params::Op::kLinear;
    made.input = "layer" + std::to_string(i - 1);
    made.out_channels = 24;
    made.weights = params::WeightParams{};
    made.weights->sparsity = 0.5;
    made.weights->pattern = params::MaskPattern::kUnstructured;
    made.weights->seed = i;
    made.output = params::OutputParams{};
    made.output->type = params::CodeType::kU8;
    network.layers.push_back(made);
  }
  const workload::Graph graph = workload::build_graph(network, [](const std::string& key) {
    return base::SourceLocation{"deep: " + key, 0, 0};
  });
  params::ChipParams chip = small_chip();
  chip.sram.capacity = 256;
  const Program program = map_program(graph, chip);
  EXPECT_TRUE(check(graph, chip, program).empty());
  std::int64_t all = 0;
  for (const workload::Layer& each : graph.layers) {
    const TensorPlan& tensor = program.tensors[static_cast<std::size_t>(each.output)];
    EXPECT_FALSE(tensor.in_sram);
    all += tensor.sample_bytes;
  }
  const std::int64_t one = all / kLayers;
  // What a layer reads and what it makes; the input and the result have places of their own.
  EXPECT_EQ(program.memory.dram_activations, 4 * one);
}

}  // namespace
}  // namespace lacuna::mapper
