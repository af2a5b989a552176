// SPDX-License-Identifier: Apache-2.0
//
// What the layers of a program want of the memory, taken from their plans: for predict_memory(),
// and to see which values are worth a place.
#pragma once

#include <vector>

#include "mapper/memory_split.h"
#include "mapper/policies.h"
#include "mapper/program.h"
#include "params/chip_params.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// One demand for each layer, all groups of samples together. Values are numbered as place_id().
[[nodiscard]] std::vector<LayerDemand> layer_demands(const workload::Graph& graph,
                                                     const params::ChipParams& chip,
                                                     const Program& program);

/// The same with what the groups of a chain want together: images that the ring does not hold until
/// the next group comes are fetched for each of them.
[[nodiscard]] MemoryModel memory_model(const workload::Graph& graph, const params::ChipParams& chip,
                                       const MapOptions& options, const Program& program);

}  // namespace lacuna::mapper
