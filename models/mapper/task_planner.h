// SPDX-License-Identifier: Apache-2.0
//
// The tasks of a program, in program order: layer by layer, of a chain all its layers for one group
// of samples after the other; what each needs, and what must be stored before it may store.
#pragma once

#include "mapper/policies.h"
#include "mapper/program.h"
#include "params/chip_params.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// Makes the tasks. Needs: plans of all layers, chains, and places of tensors and partial sums. The
/// earliest task that has not ended never waits for a later one.
void plan_tasks(const workload::Graph& graph, const params::ChipParams& chip,
                const MapOptions& options, Program& program);

}  // namespace lacuna::mapper
