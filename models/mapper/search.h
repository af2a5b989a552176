// SPDX-License-Identifier: Apache-2.0
//
// The search for a layer's split: tile channels (rows of PEs), block rows, K tiles, blocks of a
// task. Everything on a ladder of sizes that keeps the capacity rules is a candidate; what a
// workload fixes (`mapping:`) is not searched. The chosen one has the least predicted cycles or
// energy.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mapper/predict.h"
#include "mapper/split.h"

namespace lacuna::mapper {

struct Candidate {
  Split split;
  Prediction prediction;
};

/// Equal but for the prediction.
[[nodiscard]] bool same_cut(const Split& a, const Split& b);

/// Which sizes are tried: 1, 2, 3, 4, 6, 8, 12 ... and the limit; or powers of two and the limit,
/// for searches that simulate every candidate.
enum class Grid { kFine, kCoarse };

/// Less is better: cycles, then bytes through the SRAM ports; or energy first, where it is known.
[[nodiscard]] bool better(params::Objective objective, const Prediction& a, const Prediction& b);

/// Calls f for every candidate, always in the same order; each with the better order of its tasks
/// and of their K tiles, if they are not fixed.
void for_each_candidate(const SplitProblem& problem, const WeightCounts& counts,
                        const WindowTable& windows, const params::ChipParams& chip,
                        const MappingCosts& costs, Grid grid,
                        const std::function<void(const Candidate&)>& f);

/// The best split. UserError, naming layer and parameter, when not even the smallest tile (one row
/// of PEs, one window) or block (one group) fits in the engine's buffers, or (at the place where
/// the workload says it) what it fixes does not.
[[nodiscard]] Split choose_split(const SplitProblem& problem, const WeightCounts& counts,
                                 const WindowTable& windows, const params::ChipParams& chip,
                                 const MappingCosts& costs = {});

}  // namespace lacuna::mapper
