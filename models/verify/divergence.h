// SPDX-License-Identifier: Apache-2.0
//
// What an engineer needs to see of a mismatch: the first difference, the events just before it on
// both sides (the entries of the way and PE in question, or the groups, values or counters that
// differ), and what was drawn.
#pragma once

#include <string>

#include "params/chip_params.h"
#include "verify/execute.h"
#include "verify/stimulus.h"

namespace lacuna::verify {

/// Cycles of the pass that show the divergence.
struct CycleWindow {
  base::Cycle first = 0;
  base::Cycle last = 0;
};

/// Several lines. `evidence` is that of the pass that differs.
[[nodiscard]] std::string describe_mismatch(const params::EngineParams& engine, const Case& made,
                                            const Mismatch& mismatch, const PassEvidence& evidence);

/// From `before` cycles before the first difference to a quarter of that after it; the whole pass
/// if the difference has no cycle of its own (outputs, counters: the drain that gave them is shown
/// for outputs).
[[nodiscard]] CycleWindow window_around(const params::EngineParams& engine, const Case& made,
                                        const Mismatch& mismatch, const PassEvidence& evidence,
                                        base::Cycle before);

}  // namespace lacuna::verify
