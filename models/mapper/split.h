// SPDX-License-Identifier: Apache-2.0
//
// How one engine layer is cut into tiles, blocks and tasks: every candidate keeps the capacity
// rules of docs/reference/engine.md; the one with the smallest predicted time is taken. The
// prediction is a closed formula over counts (docs/reference/chip.md gives it): how long a pass is
// bound by issue, by the PEs or by the drain, how long its loads take, and the makespan of all
// tasks over the cores. It only ranks candidates; what a layer really takes is what the simulation
// says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapper/program.h"
#include "mapper/weight_counts.h"
#include "params/chip_params.h"
#include "timing/engine/windows.h"

namespace lacuna::mapper {

/// What the choice depends on, besides the chip.
struct SplitProblem {
  std::string layer;      ///< for messages
  std::int64_t rows = 0;  ///< M, whole batch
  std::int64_t n = 0;     ///< per head
  int heads = 1;
  int gathers = 1;  ///< least load-port cycles of a row: its segments
  bool transpose_right = false;
  double activation_density = 0.5;  ///< assumed share of non-zero activations
};

/// Predicted cycles and what bounds them, for one candidate.
struct Prediction {
  double issue = 0;  ///< per pass of a full block, one K tile (mean)
  double pe = 0;
  double drain = 0;
  double pass = 0;  ///< the largest of these, plus start and tail
  double block_load = 0;
  double tile_load = 0;
  double task = 0;    ///< one task in steady state
  double tasks = 0;   ///< how many in all
  double memory = 0;  ///< layer, bound by the SRAM ports alone
  double total = 0;   ///< layer
};

/// Whether blocks of `rows` tokens of these windows keep the capacity rules, all activations
/// non-zero.
[[nodiscard]] bool block_fits(const WindowTable& windows, const params::EngineParams& engine,
                              std::int64_t rows, int begin, int end);

/// Prediction for a split; `split.predicted_cycles` is not read.
[[nodiscard]] Prediction predict(const SplitProblem& problem, const WeightCounts& counts,
                                 const WindowTable& windows, const params::ChipParams& chip,
                                 const Split& split);

/// The best split. UserError, naming layer and parameter, when not even the smallest tile (one row
/// of PEs, one window) or block (one group) fits in the engine's buffers.
[[nodiscard]] Split choose_split(const SplitProblem& problem, const WeightCounts& counts,
                                 const WindowTable& windows, const params::ChipParams& chip);

/// Rules that a split breaks; empty when it is sound. For tests and as a check of what was chosen.
[[nodiscard]] std::vector<std::string> split_violations(const SplitProblem& problem,
                                                        const WeightCounts& counts,
                                                        const WindowTable& windows,
                                                        const params::EngineParams& engine,
                                                        const Split& split);

}  // namespace lacuna::mapper
