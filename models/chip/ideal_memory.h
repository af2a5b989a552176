// SPDX-License-Identifier: Apache-2.0
//
// A memory without conflicts: every transfer takes a fixed latency, and a cycle per `width` bytes
// at its own port; SRAM and DRAM alike, ports never wait for each other. For studies ("what if
// memory were not the limit") and tests of everything else.
#pragma once

#include <memory>
#include <vector>

#include "chip/memory_system.h"
#include "params/chip_params.h"
#include "tlm/clock.h"

namespace lacuna::chip {

class IdealMemory : public MemorySystem {
 public:
  IdealMemory(const params::ChipParams& chip, const tlm::Clock& clock, base::Cycle latency = 1,
              std::int64_t width = 1 << 20);
  ~IdealMemory() override;

  [[nodiscard]] tlm::MemoryPort& core_port(int core, CoreUnit unit) override;
  [[nodiscard]] tlm::MemoryPort& dma_port(int engine) override;
  [[nodiscard]] int dma_engines() const override { return kDmaEngines; }
  [[nodiscard]] base::Cycle first_data() const override { return latency_; }
  [[nodiscard]] bool idle() const override { return true; }
  [[nodiscard]] MemoryResult result() override { return result_; }

 private:
  static constexpr int kDmaEngines = 2;
  class Port;
  int cores_;
  base::Cycle latency_;
  MemoryResult result_;
  std::vector<std::unique_ptr<Port>> ports_;
};

}  // namespace lacuna::chip
