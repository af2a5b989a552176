// SPDX-License-Identifier: Apache-2.0
//
// Single cases again: by their seeds, on a fresh engine, with everything kept for a closer look,
// and with a waveform of the cycles around the first difference.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cosim/plugin.h"
#include "verify/divergence.h"
#include "verify/execute.h"
#include "verify/parameter_set.h"
#include "verify/stimulus.h"

namespace lacuna::verify {

/// The last of the replayed cases; those before it only prepare the engine.
struct Replay {
  Case made;
  CaseOutcome outcome;
  std::vector<PassEvidence> evidence;  ///< of the executed passes

  /// Of the pass that differs, or of the last one.
  [[nodiscard]] PassEvidence shown() const;
  /// describe_mismatch(), or what each pass was if both sides agree.
  [[nodiscard]] std::string text(const params::EngineParams& engine) const;
};

/// Runs the cases in this order on `rtl`, which is fresh. At least one.
[[nodiscard]] Replay replay(const ParameterSet& set, cosim::RtlInstance& rtl,
                            std::span<const std::uint64_t> seeds);

struct WaveOptions {
  std::string file;
  base::Cycle before = 64;            ///< cycles shown before the first difference
  std::optional<CycleWindow> window;  ///< cycles of the pass, instead
};

/// Where the waveform lies in time.
struct Wave {
  CycleWindow pass_cycles;  ///< cycles of the pass
  base::Cycle start = 0;  ///< of the pass, in cycles of the waveform: its time is 2*(start + cycle)
  int pass = 0;           ///< of the case
};

/// Replays twice on RTL with tracing: to find the cycles, and to write them. UserError: no RTL, or
/// the file cannot be written.
[[nodiscard]] Wave write_wave(const ParameterSet& set,
                              const std::shared_ptr<const cosim::RtlPlugin>& traced,
                              std::span<const std::uint64_t> seeds, const WaveOptions& options);

}  // namespace lacuna::verify
