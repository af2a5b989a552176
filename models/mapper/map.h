// SPDX-License-Identifier: Apache-2.0
//
// From a layer graph to a chip's program: splits, tiles, tasks in order, dependencies, places in
// memory and fetch commands. A pure function; the same inputs give the same program.
#pragma once

#include "mapper/policies.h"
#include "mapper/program.h"
#include "params/chip_params.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// UserError when a layer does not fit the chip's buffers (the message names layer and parameter).
[[nodiscard]] Program map_program(const workload::Graph& graph, const params::ChipParams& chip,
                                  const MapOptions& options = {});

}  // namespace lacuna::mapper
