// SPDX-License-Identifier: Apache-2.0
//
// Small networks and chips for tests of a whole chip.
#pragma once

#include <gtest/gtest.h>

#include <systemc>

#include <string>
#include <vector>

#include "chip/chip.h"
#include "cosim/backends.h"
#include "params/chip_params.h"
#include "workload/gemm_source.h"
#include "workload/graph.h"
#include "workload/graph_builder.h"

namespace lacuna::chip {

/// Two cores of 2 x 2 PEs with small buffers: splits in every direction.
inline params::ChipParams tiny_chip() {
  params::ChipParams chip;
  chip.name = "tiny";
  chip.cores = 2;
  chip.cores_per_port = 2;
  params::EngineParams& engine = chip.engine;
  engine.pes = 2;
  engine.k_ways = 2;
  engine.rows_per_pe = 4;
  engine.fifo_depth = 2;
  engine.scan_width = 8;
  engine.drain_width = 2;
  engine.weight_buffer = 512;
  engine.activation_buffer = 256;
  engine.psum_buffer = 512;
  engine.output_buffer = 256;
  engine.load_width = 8;
  engine.weight_word = 4;
  engine.max_k = 256;
  engine.act_block = 8;
  engine.transpose_width = 4;
  chip.vector.lanes = 2;
  chip.sram = {1 << 20, 4, 16, 2};
  return chip;
}

/// Several runs in one test: each elaborates in a kernel of its own.
inline void fresh_kernel() {
  sc_core::sc_curr_simcontext = new sc_core::sc_simcontext;
  sc_core::sc_default_global_context = sc_core::sc_curr_simcontext;
}

/// Keeps all events.
class Recorder : public EventSink {
 public:
  void event(const TimelineEvent& event) override { events.push_back(event); }
  [[nodiscard]] std::vector<TimelineEvent> of(TimelineEvent::Unit unit, int layer = -1) const {
    std::vector<TimelineEvent> found;
    for (const TimelineEvent& each : events) {
      if (each.unit == unit && (layer < 0 || each.layer == layer)) found.push_back(each);
    }
    return found;
  }
  std::vector<TimelineEvent> events;
};

inline RunResult run_model(const params::ChipParams& chip, const workload::Graph& graph,
                           RunOptions options = {}) {
  fresh_kernel();
  options.check_reference = true;
  options.memory = MemoryKind::kIdeal;  // trace_test.cpp and memory_test.cpp have the real one
  const auto backend = cosim::make_backend(chip.engine, {});
  return run_network(chip, params::MemoryPreset{}, graph, *backend, options);
}

inline workload::Graph gemm(std::int64_t m, std::int64_t n, std::int64_t k, double weights,
                            double activations) {
  workload::GemmOptions options;
  options.weights = "density=" + std::to_string(weights) + ",seed=1";
  options.activations = "density=" + std::to_string(activations) + ",seed=2";
  options.m = m;
  options.n = n;
  options.k = k;
  return workload::build_gemm(options);
}

inline params::LayerParams layer(const std::string& name, params::Op op, const std::string& input) {
  params::LayerParams made;
  made.name = name;
  made.op = op;
  made.input = input;
  made.output = params::OutputParams{};
  return made;
}

inline params::WeightParams pruned(double sparsity, std::int64_t seed) {
  params::WeightParams weights;
  weights.sparsity = sparsity;
  weights.pattern = params::MaskPattern::kUnstructured;
  weights.seed = seed;
  return weights;
}

/// Three channels in, two convolutions (the first gathered, the second with stride and padding), a
/// pool, a flattened linear layer. Weights and inputs from statistics.
inline workload::Graph small_network(std::int64_t samples = 2) {
  params::WorkloadParams network;
  network.schema = std::string(params::kWorkloadSchema);
  network.name = "small";
  network.provenance = {{"source", "statistic"},
                        {"model", "test"},
                        {"pattern", "unstructured"},
                        {"target_sparsity", "0.6"}};
  params::InputParams image;
  image.name = "image";
  image.shape = {9, 7, 3};
  image.sparsity = 0.4;
  image.seed = 5;
  image.samples = samples;
  network.inputs.push_back(image);
  params::LayerParams first = layer("first", params::Op::kConv2d, "image");
  first.kernel = {3, 3};
  first.stride = {1, 1};
  first.padding = {1, 1};
  first.out_channels = 20;
  first.weights = pruned(0.5, 1);
  network.layers.push_back(first);
  params::LayerParams second = layer("second", params::Op::kConv2d, "first");
  second.kernel = {3, 2};
  second.stride = {2, 1};
  second.padding = {1, 0};
  second.out_channels = 37;
  second.weights = pruned(0.7, 2);
  network.layers.push_back(second);
  params::LayerParams pool = layer("pool", params::Op::kMaxPool, "second");
  pool.output.reset();
  pool.kernel = {2, 2};
  pool.stride = {2, 2};
  network.layers.push_back(pool);
  params::LayerParams flat = layer("flat", params::Op::kFlatten, "pool");
  flat.output.reset();
  network.layers.push_back(flat);
  params::LayerParams last = layer("last", params::Op::kLinear, "flat");
  last.out_channels = 11;
  last.weights = pruned(0.6, 3);
  network.layers.push_back(last);
  return workload::build_graph(network, [](const std::string& key) {
    return base::SourceLocation{"small_network: " + key, 0, 0};
  });
}

inline void expect_reference(const RunResult& result) {
  for (const LayerResult& layer : result.layers) {
    if (layer.reference_mismatches != 0) {
      ADD_FAILURE() << "layer " << layer.name << ": " << layer.reference_mismatches
                    << " codes differ from the plain execution";
    }
  }
}

}  // namespace lacuna::chip
