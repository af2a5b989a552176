// SPDX-License-Identifier: Apache-2.0
//
// One case on both sides: the fast kernel of the model against the tracing one, and that against
// the RTL, everything compared (cosim/compare.h). On a live engine the carry-in of each pass
// follows from the pass before, and a start must not come before the last F of that pass.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cosim/compare.h"
#include "cosim/plugin.h"
#include "params/chip_params.h"
#include "timing/engine/counters.h"
#include "timing/engine/pass.h"
#include "verify/stimulus.h"

namespace lacuna::verify {

/// What was executed, summed up.
struct Work {
  std::int64_t cases = 0;
  std::int64_t passes = 0;  ///< compared
  std::array<std::int64_t, kCaseKinds> kinds{};
  std::int64_t cycles = 0;      ///< of passes, by the model
  std::int64_t rtl_cycles = 0;  ///< clocked, loads and drains included
  std::int64_t entries = 0;     ///< issues compared
  std::int64_t mismatches = 0;  ///< cases that differ
  timing::engine::Counters counters;

  Work& operator+=(const Work& other);
};

/// A case in which the two sides differ.
struct Mismatch {
  int pass = 0;  ///< of the case
  cosim::Difference difference;
};

struct CaseOutcome {
  Work work;
  std::optional<Mismatch> mismatch;
};

/// Both sides of a pass, for a closer look.
struct PassEvidence {
  timing::engine::PassCommand command;  ///< with the carry-in that it had
  timing::engine::PassResult model;     ///< traced
  cosim::RtlPassResult rtl;
  base::Cycle start = 0;  ///< of the pass, counted from the first start of its sequence
  int sequence = 0;       ///< 1 for passes after a reset
};

/// Runs a case on an engine that is idle. With `evidence`, both sides of every executed pass are
/// kept; of a sequence that the RTL did not finish only the pass that was started last.
[[nodiscard]] CaseOutcome execute(const params::EngineParams& engine, cosim::RtlInstance& rtl,
                                  const Case& made, std::vector<PassEvidence>* evidence = nullptr);

}  // namespace lacuna::verify
