// SPDX-License-Identifier: Apache-2.0
//
// What of a network has to be computed at all. Cycles and traffic depend on where zeros are, not on
// values; so where a statistic says what a layer's output is, or nobody's cycles depend on it, the
// layer only takes its time. What is computed is the same in every engine mode.
#pragma once

#include <vector>

#include "workload/graph.h"

namespace lacuna::workload {

struct Observation {
  /// By layer: its output is computed. It is, unless a statistic draws the output, if it is
  /// compared
  /// (`expect`, `result`), leaves the network, is an operand of an engine layer (its zeros count),
  /// or is read by a vector layer that is computed. Of all others the output counts as if no code
  /// were zero.
  std::vector<bool> computed;
  /// By value: somebody computes with its codes; of others only the zeros count.
  std::vector<bool> used;
};

[[nodiscard]] Observation observe(const Graph& graph);
/// All layers but those whose output is drawn, all values.
[[nodiscard]] Observation everything(const Graph& graph);

}  // namespace lacuna::workload
