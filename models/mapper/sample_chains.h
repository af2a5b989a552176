// SPDX-License-Identifier: Apache-2.0
//
// Which layers a batch goes through in groups of samples (SampleChain), so that what lies between
// them stays on the chip: the network is cut where little crosses. Larger chains keep more on the
// chip, but the ring must hold the weights of all their layers, or each group fetches them again.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/memory_split.h"
#include "mapper/program.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// Runs of two layers and more with at most `weight_bytes` of weights, such that the values that
/// are made in one and read in another would move the fewest bytes from and to DRAM. `demands`: by
/// layer, of the batch layer by layer. 0 bytes: layers without weights only.
[[nodiscard]] std::vector<SampleChain> cut_chains(const workload::Graph& graph,
                                                  const Program& program,
                                                  const std::vector<LayerDemand>& demands,
                                                  std::int64_t weight_bytes, int samples);

/// Sizes of groups that are tried: all divisors of the batch but itself.
[[nodiscard]] std::vector<int> group_sizes(int batch);

}  // namespace lacuna::mapper
