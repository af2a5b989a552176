// SPDX-License-Identifier: Apache-2.0
//
// Constrained-random stimulus. One 64-bit seed and one parameter set make one case, the same on
// every machine: either one pass on an engine of its own, with the drains of passes before it as
// carry-in; or several passes on one live engine, back to back, with loads and starts that come
// late; or such a sequence that is cut off by a reset, and passes after it. Every pass keeps the
// capacity rules of docs/reference/engine.md, section 9.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/pass.h"
#include "timing/engine/tile.h"
#include "verify/parameter_set.h"

namespace lacuna::verify {

enum class CaseKind { kAlone, kLive, kReset };
inline constexpr int kCaseKinds = 3;

/// "alone", "live", "reset".
[[nodiscard]] std::string_view case_kind_name(CaseKind kind);

/// When the outside lets things happen to a pass of a live sequence. All 0: as early as possible.
struct Schedule {
  int load_wait = 0;         ///< cycles that each load of this pass is held back
  int load_gaps = 0;         ///< of 256 cycles of a load, how many carry no beat (drawn per cycle)
  int start_wait = 0;        ///< cycles that the start is held back: output space granted late
  bool start_early = false;  ///< the start waits at the port while its halves are being loaded
  bool release_weights = false;  ///< the pass releases its halves with its last F
  bool release_block = false;
};

struct Stimulus {
  std::shared_ptr<const timing::engine::Tile> tile;
  std::shared_ptr<const timing::engine::Block> block;
  timing::engine::PassCommand command;  ///< hold1, hold2: alone only
  std::vector<std::int32_t>
      psum_in;         ///< if it reads partial sums, and not those of the pass before
  bool chain = false;  ///< reads the partial sums that the pass before wrote
  Schedule schedule;
  std::string text;  ///< what was drawn, for people
};

struct Case {
  std::uint64_t seed = 0;
  CaseKind kind = CaseKind::kAlone;
  std::vector<Stimulus> passes;
  /// kReset: passes [0, cut) run until the reset, so many cycles after the first load command; the
  /// others after it.
  int cut = 0;
  int reset_after = 0;
};

/// Kind and number of passes of a case: cheap, for planning.
struct CasePlan {
  CaseKind kind = CaseKind::kAlone;
  int passes = 1;  ///< that run to their end whatever happens
};
[[nodiscard]] CasePlan plan_case(std::uint64_t seed);

[[nodiscard]] Case make_case(const ParameterSet& set, std::uint64_t seed);

/// Rules that the case breaks (capacity rules, shapes of chains), each a sentence; empty for every
/// case that make_case() returns.
[[nodiscard]] std::vector<std::string> broken_rules(const params::EngineParams& engine,
                                                    const Case& random_case);

/// The seed of the case with this index in a run with seed `run_seed`.
[[nodiscard]] std::uint64_t case_seed(std::uint64_t run_seed, std::string_view set,
                                      std::int64_t index);

}  // namespace lacuna::verify
