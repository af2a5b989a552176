// SPDX-License-Identifier: Apache-2.0
//
// How good a chosen mapping is: one engine layer by itself, simulated with every candidate. Its
// input is made by a vector layer just before, as in a network, in SRAM. Measured, in a warm run,
// is from the last store of that layer to the last store of this one; or, if that is more, how long
// the busiest load port works for the layer: loads ahead of the layer's input hide in a network
// only as far as earlier layers leave the port idle.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/chip_files.h"
#include "mapper/layer_problem.h"
#include "workload/graph.h"

namespace lacuna::cli {

/// What a split took; 0: was not simulated, because it cannot be the best (see simulate_splits).
struct SimulatedSplit {
  std::int64_t cycles = 0;
  std::int64_t passes = 0;
  std::int64_t pass_cycles = 0;
};

/// A network of that layer alone: its operands drawn with `activation_density`, its weights as they
/// are; the last layer but one, the last reads its output. Before it every core works for a layer
/// that fills its weight buffer with something else.
[[nodiscard]] workload::Graph single_layer(const workload::Graph& graph,
                                           const params::ChipParams& chip,
                                           const workload::Layer& layer, double activation_density);

/// Simulates each split, in processes of their own, `parallel` at a time. The first ones, which
/// should be the most promising, without condition; later ones only if the passes' drains and the
/// tiles' beats alone leave them a chance against the best so far.
[[nodiscard]] std::vector<SimulatedSplit> simulate_splits(
    const config::ChipFiles& files, const workload::Graph& graph, int layer,
    const std::vector<mapper::Candidate>& candidates, int batch, int parallel);

}  // namespace lacuna::cli
