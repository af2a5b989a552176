// SPDX-License-Identifier: Apache-2.0
//
// What a split is expected to take: closed formulas over counts (docs/reference/chip.md gives them)
// for a pass, its loads, and the pipeline of both on the busiest core. They only rank candidates;
// what a layer really takes is what the simulation says.
#pragma once

#include <string_view>

#include "mapper/split.h"

namespace lacuna::mapper {

/// Joules of what a split can change, for `mapper.objective: energy`. All 0: energy is not known.
struct MappingCosts {
  double weight_byte = 0;      ///< from SRAM into a weight buffer, crossbar included
  double activation_byte = 0;  ///< from SRAM into an activation buffer
  double dram_byte = 0;
  double psum_word = 0;   ///< a 32-bit partial sum written and read again
  double chip_cycle = 0;  ///< static power of the whole chip
  friend bool operator==(const MappingCosts&, const MappingCosts&) = default;
};

/// What bounds a layer.
enum class Bound { kIssue, kPe, kDrain, kLoad, kMemory, kDram };
[[nodiscard]] std::string_view bound_name(Bound bound);

/// Predicted cycles, for one candidate.
struct Prediction {
  // A pass of a full block, mean K tile: the largest of three, plus start and tail.
  double issue = 0;
  double pe = 0;
  double drain = 0;
  double pass = 0;
  double block_load = 0;
  double tile_load = 0;
  // The busiest core.
  double tasks = 0;    ///< of the whole layer
  double rounds = 0;   ///< tasks of the core
  double compute = 0;  ///< its passes
  double load = 0;     ///< its load port
  double start = 0;    ///< first load, before anything overlaps
  double tail = 0;     ///< last drain and store
  // All cores together.
  double memory = 0;  ///< SRAM ports
  double dram = 0;    ///< weights that come while the layer runs
  double total = 0;   ///< the layer
  double first = 0;   ///< cycles that weights from DRAM add in a first program, at most
  double energy = 0;  ///< joules; 0 if costs are not known
  Expected expected;  ///< for the planner of memory
  Bound bound = Bound::kIssue;
};

/// From a request to DRAM to its first bytes: what a load waits longer than for SRAM, about 80 ns
/// at the usual clocks. A link's latency comes to it.
inline constexpr double kDramLatency = 80;

/// Bytes of the ring of weights from DRAM with which splits are predicted, and which images that
/// stay leave it.
[[nodiscard]] inline std::int64_t least_ring(const params::ChipParams& chip) {
  return chip.sram.capacity / 4;
}

/// Prediction for a split; `split.predicted_cycles` is not read.
[[nodiscard]] Prediction predict(const SplitProblem& problem, const WeightCounts& counts,
                                 const WindowTable& windows, const params::ChipParams& chip,
                                 const MappingCosts& costs, const Split& split);

/// Rows of a task that reduces partial sums (`split.k_parts` > 1) of products of `rows` rows: those
/// of blocks that are stored at about the same time are to be done soonest, and all of them without
/// loading the constants of their channels too often.
[[nodiscard]] std::int64_t reduction_rows(const params::ChipParams& chip, const Split& split,
                                          std::int64_t rows, std::int64_t products);

/// Bytes that move when a stored token's `channels` channels are read, of units of `unit_channels`,
/// in the form of compress.activations.
[[nodiscard]] double token_traffic(const params::ChipParams& chip, double channels,
                                   double unit_channels, double density);

}  // namespace lacuna::mapper
