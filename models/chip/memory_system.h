// SPDX-License-Identifier: Apache-2.0
//
// The memory system of a chip as cores and DMA see it: a port each, and what it did in the end. The
// chip's own is SRAM and DRAM behind a crossbar (tlm_memory.h); an ideal one tells how much of a
// run's time memory costs.
#pragma once

#include "chip/result.h"
#include "tlm/memory_port.h"

namespace lacuna::chip {

class MemorySystem {
 public:
  virtual ~MemorySystem() = default;
  enum class CoreUnit { kLoad, kStore, kVectorLoad, kVectorStore };
  [[nodiscard]] virtual tlm::MemoryPort& core_port(int core, CoreUnit unit) = 0;
  [[nodiscard]] virtual tlm::MemoryPort& dma_port(int engine) = 0;
  [[nodiscard]] virtual int dma_engines() const = 0;
  /// Cycles from the request of an SRAM read to its first bytes, when nothing is in the way.
  [[nodiscard]] virtual base::Cycle first_data() const = 0;
  /// Nothing is under way any more (posted writes).
  [[nodiscard]] virtual bool idle() const = 0;
  /// What it did up to the simulated now.
  [[nodiscard]] virtual MemoryResult result() = 0;
};

}  // namespace lacuna::chip
