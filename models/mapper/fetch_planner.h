// SPDX-License-Identifier: Apache-2.0
//
// The commands of the chip DMA: which pieces of inputs, constants and weight images come to the
// SRAM in which order, and where in the ring images lie.
#pragma once

#include "mapper/memory_planner.h"
#include "mapper/program.h"

namespace lacuna::mapper {

/// Makes the fetch list from the tasks in program order and enters it into the tasks. A fetch waits
/// only for uses by tasks that come before its own first use, so the list cannot wait for itself.
void plan_fetches(const WeightSpace& space, Program& program);

}  // namespace lacuna::mapper
