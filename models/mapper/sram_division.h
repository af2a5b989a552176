// SPDX-License-Identifier: Apache-2.0
//
// The SRAM divided between values that live in it, weights that stay and the ring, where not all
// fits: divisions are tried, memory_split.h says what each would lead to.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/lifetimes.h"
#include "mapper/policies.h"
#include "mapper/program.h"
#include "params/chip_params.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// Values in SRAM, and how it is divided.
struct Division {
  std::vector<Allocation> placed;
  MemorySplit split;
};

/// The best division that is found, with all that were considered behind it (without places).
/// `space`: bytes to be divided. UserError: chip or workload ask for more than that.
[[nodiscard]] Division divide(const workload::Graph& graph, const params::ChipParams& chip,
                              const MapOptions& options, const Program& program,
                              std::vector<Lifetime> wanted, std::int64_t space,
                              std::vector<MemorySplit>& considered);

}  // namespace lacuna::mapper
