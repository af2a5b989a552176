// SPDX-License-Identifier: Apache-2.0
//
// Small networks and chips for tests of a whole chip.
#pragma once

#include <string>

#include "chip/chip.h"
#include "cosim/backends.h"
#include "params/chip_params.h"
#include "workload/gemm_source.h"
#include "workload/graph.h"

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

inline RunResult run_model(const params::ChipParams& chip, const workload::Graph& graph,
                           RunOptions options = {}) {
  options.check_reference = true;
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

}  // namespace lacuna::chip
