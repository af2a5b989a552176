// SPDX-License-Identifier: Apache-2.0
//
// How dense the activations are that a layer will read, as far as the workload tells beforehand:
// from captured inputs, drawn values, or the reference outputs of the layer before (what a compiler
// knows from calibration). Steers the choice of splits and `balance: activation`; never changes a
// result.
#pragma once

#include <vector>

#include "workload/graph.h"

namespace lacuna::mapper {

struct ActivationStatistics {
  double density = 0.5;          ///< share of non-zero codes; 0.5 where nothing is known
  std::vector<float> k_density;  ///< per k of the layer; empty where nothing is known
  friend bool operator==(const ActivationStatistics&, const ActivationStatistics&) = default;
};

/// Looks at up to `samples` samples.
[[nodiscard]] ActivationStatistics activation_statistics(const workload::Graph& graph,
                                                         const workload::Layer& layer,
                                                         int samples = 4);

}  // namespace lacuna::mapper
