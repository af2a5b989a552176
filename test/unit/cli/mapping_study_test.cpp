// SPDX-License-Identifier: Apache-2.0
//
// Is what a layer takes when it is simulated by itself about what it takes inside a run, whatever
// the batch?
#include "cli/mapping_study.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "chip/chip.h"
#include "cli/child_process.h"
#include "config/chip_files.h"
#include "config/workload_files.h"
#include "cosim/backends.h"
#include "mapper/layer_problem.h"
#include "mapper/map.h"
#include "workload/graph_builder.h"

namespace lacuna::cli {
namespace {

/// Of the convolutional network of the shipped traces: layers that follow each other, in a warm
/// run.
struct Network {
  config::ChipFiles files =
      config::load_chip(std::string(LACUNA_SOURCE_DIR) + "/configs/chips/reference.yaml", {});
  workload::Graph graph;

  Network() {
    const auto loaded = config::load_workload(
        std::string(LACUNA_SOURCE_DIR) + "/traces/digits-cnn-bank-80/workload.yaml", {});
    graph = workload::build_graph(
        loaded.value, [&](const std::string& key) { return loaded.provenance.locate(key); });
    // Reductions of parts of K wait in a run for ports that load weights of the layers behind;
    // alone there are none.
    for (workload::Layer& layer : graph.layers) {
      if (layer.on_engine()) layer.mapping.k_parts = 1;
    }
  }
  /// In a process of its own, as alone().
  [[nodiscard]] double in_a_run(int layer, int batch) const {
    const std::vector<std::function<std::string()>> task{
        [&] { return std::to_string(cycles_of(layer, batch)); }};
    return std::stod(run_in_children(task, 1).at(0));
  }
  [[nodiscard]] base::Cycle cycles_of(int layer, int batch) const {
    LayerClock clock(layer);
    chip::RunOptions options;
    options.samples = 2 * batch;
    options.mapping.batch = batch;
    options.events = &clock;
    const auto backend = cosim::make_backend(files.chip.value.engine, {});
    (void)chip::run_network(files.chip.value, files.effective_memory, graph, *backend, options);
    return clock.cycles();
  }
  [[nodiscard]] double alone(int layer, int batch) const {
    const params::ChipParams& chip = files.chip.value;
    const workload::Layer& of = graph.layers[static_cast<std::size_t>(layer)];
    mapper::MapOptions options;
    options.batch = batch;
    options.burst_bytes = files.effective_memory.organization.burst_bytes();
    options.dram_bytes_per_cycle = chip::dram_bytes_per_cycle(chip, files.effective_memory);
    const mapper::LayerStudy study =
        mapper::study_layer(graph, chip, options, of, mapper::Grid::kFine, 0);
    const workload::Graph single = single_layer(graph, chip, of, study.problem.activation_density);
    return static_cast<double>(simulate_splits(files, single,
                                               static_cast<int>(single.layers.size()) - 2,
                                               study.ranked, batch, 1)
                                   .at(0)
                                   .cycles);
  }
};

/// Layers behind another engine layer; whatever the batch.
TEST(MappingStudy, ALayerAloneTakesWhatItTakesInARun) {
  const Network network;
  for (const int batch : {1, 4, 16}) {
    for (const workload::Layer& layer : network.graph.layers) {
      if (layer.name != "conv2" && layer.name != "conv4" && layer.name != "conv5") continue;
      const double run = network.in_a_run(layer.index, batch);
      EXPECT_NEAR(network.alone(layer.index, batch), run, 0.2 * run)
          << layer.name << ", batch of " << batch;
    }
  }
}

/// Behind vector layers. A batch of one is left out: there reductions wait for the port, which
/// loads weights of the layers behind, and alone there is no such layer.
TEST(MappingStudy, VectorLayersBeforeItBelongToIt) {
  const Network network;
  for (const int batch : {4, 16}) {
    for (const workload::Layer& layer : network.graph.layers) {
      if (layer.name != "conv3" && layer.name != "logits") continue;
      const double run = network.in_a_run(layer.index, batch);
      EXPECT_NEAR(network.alone(layer.index, batch), run, 0.4 * run)
          << layer.name << ", batch of " << batch;
    }
  }
}

/// Of a layer that waits for its batch, no task begins with what a part of the samples has made.
TEST(MappingStudy, TheBatchIsWaitedFor) {
  const Network network;
  mapper::MapOptions options;
  options.batch = 3;
  options.waits_for_batch = 1;
  const mapper::Program program =
      mapper::map_program(network.graph, network.files.chip.value, options);
  int tasks = 0;
  int parts = 0;
  for (const mapper::Task& task : program.tasks) {
    for (const mapper::Dependency& need : task.needs) {
      const bool all = need.sample_begin == 0 && need.sample_end == 3;
      if (task.layer == 1) {
        EXPECT_TRUE(all);
        ++tasks;
      } else {
        parts += all ? 0 : 1;
      }
    }
  }
  EXPECT_GT(tasks, 0);
  EXPECT_GT(parts, 0) << "others go on sample by sample";
}

}  // namespace
}  // namespace lacuna::cli
