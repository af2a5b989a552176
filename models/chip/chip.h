// SPDX-License-Identifier: Apache-2.0
//
// A whole chip: cores, dispatcher, DMA and memory from ChipParams, and a run of a network on it.
// The samples are executed in batches, one program after the other in one elaboration: the first
// one cold, the others with what stays on chip.
//
// SystemC elaborates once per process, so run_network() can be called once per process.
#pragma once

#include <cstdint>
#include <functional>

#include "chip/result.h"
#include "cosim/backend.h"
#include "mapper/policies.h"
#include "params/chip_params.h"
#include "params/memory_params.h"
#include "workload/graph.h"

namespace lacuna::chip {

enum class MemoryKind {
  kReal,  ///< SRAM and DRAM behind the crossbar
  kIdeal  ///< no conflicts, hardly any latency: what a run would take if memory were free
};

struct RunOptions {
  std::int64_t first_sample = 0;
  std::int64_t samples = 0;    ///< 0: all that the workload has
  mapper::MapOptions mapping;  ///< with the batch: samples per program
  MemoryKind memory = MemoryKind::kReal;
  /// The backend needs the codes of all operands, also where no output is looked at: it runs RTL.
  bool all_codes = false;
  /// Also compute every layer the plain way and compare (slow): LayerResult::reference_mismatches.
  bool check_reference = false;
  EventSink* events = nullptr;                         ///< timeline; may be null
  std::function<void(std::int64_t samples)> progress;  ///< after each program; may be empty
};

/// What streams of weights from the chip's DRAM reach, about: refresh and turnarounds taken off.
[[nodiscard]] double dram_bytes_per_cycle(const params::ChipParams& chip,
                                          const params::MemoryPreset& memory);

/// `memory` is the preset that chip.dram names, already adjusted to chip.dram (channel width).
/// UserError when the network does not fit the chip; base::Interrupted on Ctrl-C; exceptions of the
/// backend pass through. Mismatches against `expect` or between model and RTL are results, not
/// errors.
[[nodiscard]] RunResult run_network(const params::ChipParams& chip,
                                    const params::MemoryPreset& memory,
                                    const workload::Graph& graph, cosim::EngineBackend& backend,
                                    const RunOptions& options = {});

}  // namespace lacuna::chip
