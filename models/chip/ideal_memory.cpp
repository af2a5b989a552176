// SPDX-License-Identifier: Apache-2.0
#include "chip/ideal_memory.h"

#include "base/cycles.h"
#include "mapper/program.h"

namespace lacuna::chip {

class IdealMemory::Port : public tlm::MemoryPort {
 public:
  Port(const tlm::Clock& clock, MemoryResult& result, base::Cycle latency, std::int64_t width)
      : clock_(clock), result_(result), latency_(latency), width_(width) {}

  void move(std::span<const tlm::Transfer> transfers, bool write) override {
    std::int64_t bytes = 0;
    for (const tlm::Transfer& transfer : transfers) {
      bytes += transfer.bytes;
      if (mapper::is_dram_address(transfer.address)) {
        (write ? result_.dram_write_bytes : result_.dram_read_bytes) += transfer.bytes;
      } else {
        (write ? result_.sram_write_bytes : result_.sram_read_bytes) += transfer.bytes;
      }
    }
    clock_.wait_until(clock_.now() + latency_ + base::ceil_div(bytes, width_));
  }

 private:
  const tlm::Clock& clock_;
  MemoryResult& result_;
  base::Cycle latency_;
  std::int64_t width_;
};

IdealMemory::IdealMemory(const params::ChipParams& chip, const tlm::Clock& clock,
                         base::Cycle latency, std::int64_t width)
    : cores_(chip.cores), latency_(latency) {
  for (int i = 0; i < cores_ * 4 + kDmaEngines; ++i) {
    ports_.push_back(std::make_unique<Port>(clock, result_, latency, width));
  }
}

IdealMemory::~IdealMemory() = default;

tlm::MemoryPort& IdealMemory::core_port(int core, CoreUnit unit) {
  return *ports_[static_cast<std::size_t>(core) * 4 + static_cast<std::size_t>(unit)];
}

tlm::MemoryPort& IdealMemory::dma_port(int engine) {
  return *ports_[static_cast<std::size_t>(cores_ * 4 + engine)];
}

}  // namespace lacuna::chip
