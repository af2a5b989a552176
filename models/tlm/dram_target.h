// SPDX-License-Identifier: Apache-2.0
//
// DRAM with its controllers as a TLM-2.0 target: a thin shell around timing/dram. A transaction may
// have any length; it is split into bursts over the channels and answered when the last data beat
// is there (reads and writes alike). With all slots taken, END_REQ is held back.
//
// Usable in any SystemC platform: bind an approximately-timed initiator to `socket`; addresses
// count from 0 (docs/guide/dram_in_your_platform.md). SystemC's time resolution must be 1 ps.
#pragma once

#include <vector>

#include "params/memory_params.h"
#include "timing/dram/memory_system.h"
#include "tlm/at_target.h"
#include "tlm/cycle_grid.h"

namespace lacuna::tlm {

class DramTarget : public AtTarget {
 public:
  static constexpr int kDefaultSlots = 64;

  /// `slots`: transactions that the target works on at once.
  DramTarget(sc_core::sc_module_name name, const params::MemoryPreset& preset, int channels,
             int slots = kDefaultSlots);

  [[nodiscard]] const timing::dram::MemorySystem& memory() const { return memory_; }
  [[nodiscard]] timing::dram::MemorySystem& memory() { return memory_; }
  [[nodiscard]] const CycleGrid& grid() const { return grid_; }
  /// Counters up to the simulated now.
  [[nodiscard]] timing::dram::MemoryStats stats();

 protected:
  [[nodiscard]] ::tlm::tlm_response_status check(const Payload& payload) const override;
  void begin(int slot, int binding, const Payload& payload) override;
  void advance() override;
  [[nodiscard]] sc_core::sc_time next_event() override;

 private:
  CycleGrid grid_;
  timing::dram::MemorySystem memory_;
  std::vector<timing::dram::TransactionDone> done_;
};

}  // namespace lacuna::tlm
