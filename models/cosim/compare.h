// SPDX-License-Identifier: Apache-2.0
//
// Model against RTL, one pass: everything both report must be equal. If not, the event that differs
// first in time is the one to look at; it is named with both values, then what else differs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cosim/plugin.h"
#include "timing/engine/pass.h"

namespace lacuna::cosim {

/// Where the first difference lies, as far as that applies to its kind.
struct DifferencePlace {
  std::string kind;         ///< one of Difference::kinds
  base::Cycle cycle = -1;   ///< of the pass, the earlier of both; -1: no cycle of its own
  int way = -1;             ///< issue, mask_stage, mac_stage
  int pe = -1;              ///< of the way: mask_stage, mac_stage
  std::int64_t entry = -1;  ///< index in the event list: entry, entry taken, group
};

struct Difference {
  /// "issue of way 1, entry 5 (position 3, group 2): model 14, RTL 15".
  std::string first;
  /// Every kind of quantity that differs: "issue", "mac_stage", "outputs", "counter macs" ...,
  /// "assertion" if one of the RTL failed, "end" if the RTL did not finish; then nothing else.
  std::vector<std::string> kinds;
  DifferencePlace place;
};

/// Compares a traced result of the model with a traced result of the RTL. Empty: all equal.
/// Checked: every issue, mask-stage and MAC-stage cycle, group ends, drain ends, length, load
/// cycles (where the RTL loaded), outputs, partial sums, all counters.
[[nodiscard]] std::optional<Difference> compare_pass(const params::EngineParams& engine,
                                                     const timing::engine::Tile& tile,
                                                     const timing::engine::Block& block,
                                                     const timing::engine::PassResult& model,
                                                     const RtlPassResult& rtl);

/// Compares two results of the model (say, a fast kernel and the tracing one) without traces.
[[nodiscard]] std::optional<Difference> compare_untraced(const params::EngineParams& engine,
                                                         const timing::engine::Tile& tile,
                                                         const timing::engine::PassResult& first,
                                                         const timing::engine::PassResult& second);

/// "16 channels, 2 rows, ..., act_signed 0, hold1 5": what is needed to find the pass again.
[[nodiscard]] std::string describe_pass(const timing::engine::Tile& tile,
                                        const timing::engine::Block& block,
                                        const timing::engine::PassCommand& command);

}  // namespace lacuna::cosim
