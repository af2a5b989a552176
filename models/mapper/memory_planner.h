// SPDX-License-Identifier: Apache-2.0
//
// Places in memory. Activations live in SRAM from the layer that makes them to the last one that
// reads them; space is used again, and whoever overwrites it waits for the earlier readers. If
// everything fits, weights and constants stay in SRAM too and later programs fetch none; else
// some weights stay and the others go through a ring, first in, first out, and tensors that find no
// room live in DRAM.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/policies.h"
#include "mapper/program.h"
#include "params/chip_params.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// The ring's (or the resident weights') first address and size.
struct WeightSpace {
  std::uint64_t begin = 0;
  std::int64_t bytes = 0;
  bool resident = false;
  /// By weight tile: where it stays although not all do; -1: it does not. Empty: none stays.
  std::vector<std::int64_t> pinned;
};

/// Fills tensors' places, constant addresses, weight images' DRAM addresses and `memory`. Needs:
/// batch, tensors' layouts and sizes, gemms, vectors, weight_tiles. How the SRAM is divided where
/// not all fits is searched (memory_split.h) as far as chip and layers leave it open. UserError:
/// what they ask for is more than there is.
[[nodiscard]] WeightSpace plan_places(const workload::Graph& graph, const params::ChipParams& chip,
                                      const MapOptions& options, Program& program);

}  // namespace lacuna::mapper
