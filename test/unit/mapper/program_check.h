// SPDX-License-Identifier: Apache-2.0
//
// What tests of the mapper share: a small network, a small chip, and whether a program can be
// executed at all.
#pragma once

#include <string>
#include <vector>

#include "mapper/map.h"
#include "params/chip_params.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// One attention block with a residual: linear layers, scores, softmax, attend, add. Its weights
/// are drawn; query, key and value alike.
[[nodiscard]] workload::Graph attention();

/// Three cores of 2 x 2 PEs with buffers of some hundred bytes.
[[nodiscard]] params::ChipParams small_chip();

/// Every engine layer in up to so many parts of K.
void cut(workload::Graph& graph, const params::ChipParams& chip, int parts);

/// Complaints about a program; none if it can be executed: every output is computed once, what is
/// read comes from somewhere earlier, places that are alive together keep apart, and the fetch list
/// can always go on.
[[nodiscard]] std::vector<std::string> check(const workload::Graph& graph,
                                             const params::ChipParams& chip,
                                             const Program& program);

}  // namespace lacuna::mapper
