// SPDX-License-Identifier: Apache-2.0
//
// The chip's memory: a crossbar with one port per `cores_per_port` cores and one for the DMA, the
// banked SRAM behind it, and DRAM with its controllers behind that. All traffic goes through
// TLM-2.0 sockets; every core has one initiator, shared by its units, and the DMA one for all its
// engines.
#pragma once

#include <memory>
#include <vector>

#include "chip/memory_system.h"
#include "params/chip_params.h"
#include "params/memory_params.h"
#include "tlm/clock.h"
#include "tlm/dram_target.h"
#include "tlm/interconnect.h"
#include "tlm/memory_initiator.h"

namespace lacuna::chip {

class TlmMemory : public MemorySystem {
 public:
  TlmMemory(const params::ChipParams& chip, const params::MemoryPreset& preset,
            const tlm::Clock& clock);

  [[nodiscard]] tlm::MemoryPort& core_port(int core, CoreUnit unit) override;
  [[nodiscard]] tlm::MemoryPort& dma_port(int engine) override;
  [[nodiscard]] int dma_engines() const override { return kDmaEngines; }
  [[nodiscard]] base::Cycle first_data() const override;
  [[nodiscard]] bool idle() const override;
  [[nodiscard]] MemoryResult result() override;
  /// Bytes of DRAM.
  [[nodiscard]] std::int64_t capacity() const;

 private:
  static constexpr int kDmaEngines = 8;
  static constexpr int kUnits = 4;

  params::ChipParams chip_;
  std::unique_ptr<tlm::Interconnect> interconnect_;
  std::unique_ptr<tlm::DramTarget> dram_;
  std::vector<std::unique_ptr<tlm::MemoryInitiator>> initiators_;  ///< cores, then the DMA
  std::vector<std::unique_ptr<tlm::InitiatorPort>> ports_;
};

}  // namespace lacuna::chip
