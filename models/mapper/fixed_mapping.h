// SPDX-License-Identifier: Apache-2.0
//
// What a workload fixes of a layer's mapping, against the layer and the chip: every rule that it
// breaks is a UserError at the place where it stands.
#pragma once

#include "mapper/split.h"

namespace lacuna::mapper {

/// What can be said of each fixed size by itself. UserError.
void check_fixed(const SplitProblem& problem, const WindowTable& windows,
                 const params::EngineParams& engine);

/// No candidate was found: UserError if the fixed sizes are why, taken together with the smallest
/// of everything else; returns if nothing is fixed.
void refuse_fixed(const SplitProblem& problem, const WeightCounts& counts,
                  const WindowTable& windows, const params::EngineParams& engine);

}  // namespace lacuna::mapper
