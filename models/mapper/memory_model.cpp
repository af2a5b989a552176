// SPDX-License-Identifier: Apache-2.0
#include "mapper/memory_model.h"

#include <algorithm>
#include <utility>

#include "mapper/lifetimes.h"

namespace lacuna::mapper {
namespace {

/// A layer with weights, or with an operand made at run time.
void add_gemm(const Program& program, int gemm, int cores, LayerDemand& demand) {
  const GemmPlan& plan = program.gemms[static_cast<std::size_t>(gemm)];
  const double groups = static_cast<double>(program.batch) / plan.samples;
  demand.cycles = plan.split.expected.cycles * groups;
  demand.selected_bytes = plan.split.expected.selected_bytes * groups;
  demand.selected_cycles = plan.split.expected.selected_cycles * groups;
  for (auto id = static_cast<std::size_t>(std::max(0, plan.first_tile));
       !plan.run_time && !plan.select_rows && id < program.weight_tiles.size(); ++id) {
    const WeightTilePlan& tile = program.weight_tiles[id];
    if (tile.gemm != gemm) break;
    const std::int64_t bytes = aligned(tile.memory_bytes);
    demand.weights += bytes;
    demand.largest_image = std::max(demand.largest_image, bytes);
  }
  // Cores that work on a tile want it at different times: each fetches its image.
  demand.image_users = std::min(plan.split.task_runs, cores);
  if (plan.split.order == params::Ordering::kRowMajor) demand.rounds = plan.split.task_runs;
}

}  // namespace

std::vector<LayerDemand> layer_demands(const workload::Graph& graph, const params::ChipParams& chip,
                                       const Program& program) {
  std::vector<LayerDemand> demands;
  for (const workload::Layer& layer : graph.layers) {
    const int gemm = program.gemm_of_layer[static_cast<std::size_t>(layer.index)];
    const int vector = program.vector_of_layer[static_cast<std::size_t>(layer.index)];
    LayerDemand demand;
    const auto access = [&](int value, double bytes, double loads) {
      if (value == workload::kNoValue) return;
      const int storage = graph.value(value).storage;
      if (!program.tensors[static_cast<std::size_t>(storage)].stored) return;
      demand.accesses.push_back({storage, bytes, loads});
    };
    const auto whole = [&](int value) {
      if (value == workload::kNoValue) return;
      const TensorPlan& plan =
          program.tensors[static_cast<std::size_t>(graph.value(value).storage)];
      access(value, static_cast<double>(plan.sample_bytes * program.batch), 0);
    };
    if (gemm != kNone) {
      const GemmPlan& plan = program.gemms[static_cast<std::size_t>(gemm)];
      const Expected& expected = plan.split.expected;
      const double groups = static_cast<double>(program.batch) / plan.samples;
      add_gemm(program, gemm, chip.cores, demand);
      access(layer.input, expected.left_bytes * groups, expected.left_loads * groups);
      if (plan.run_time) access(layer.right, expected.right_bytes * groups, 0);
      if (plan.partial_sums.bytes > 0) {  // written once, read once
        demand.accesses.push_back({static_cast<int>(graph.values.size()) + gemm,
                                   2.0 * groups * static_cast<double>(plan.partial_sums.bytes), 0});
      }
    } else if (vector != kNone) {
      // Of several samples all but one are computed while the engine is busy with others.
      const double samples = program.group_samples(layer.index);
      demand.cycles = program.vectors[static_cast<std::size_t>(vector)].expected_cycles *
                      program.batch / (samples * samples);
      whole(layer.input);
      whole(layer.right);
      for (const int other : layer.others) whole(other);
    }
    whole(layer.output);
    demands.push_back(std::move(demand));
  }
  return demands;
}

MemoryModel memory_model(const workload::Graph& graph, const params::ChipParams& chip,
                         const MapOptions& options, const Program& program) {
  MemoryModel model;
  model.bytes_per_cycle = arriving_bytes_per_cycle(chip, options);
  if (chip.dram.link) model.latency += chip.dram.link->latency;
  model.layers = layer_demands(graph, chip, program);
  for (const SampleChain& chain : program.chains) {
    const auto begin = model.layers.begin() + chain.layer_begin;
    const auto end = model.layers.begin() + chain.layer_end;
    std::int64_t together = 0;
    for (auto layer = begin; layer != end; ++layer) together += layer->weights;
    for (auto layer = begin; layer != end; ++layer) {
      layer->groups = static_cast<double>(program.batch) / chain.samples;
      layer->together = together;
    }
  }
  return model;
}

}  // namespace lacuna::mapper
