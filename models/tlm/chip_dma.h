// SPDX-License-Identifier: Apache-2.0
//
// The chip's DMA: carries out a program's fetch commands in order, DRAM to SRAM, ahead of the
// cores. Several engines work on consecutive chunks of kChunkBytes, so that DRAM latency is hidden;
// a fetch is over when its last chunk has been written. A fetch whose place is still in use (ring
// space, an activation tensor's space used again) holds up those behind it.
//
// Does not model: the command stream's own memory traffic, interrupts of the host.
#pragma once

#include <systemc>

#include <vector>

#include "mapper/program.h"
#include "tlm/core.h"
#include "tlm/memory_port.h"

namespace lacuna::tlm {

class ChipDma : public sc_core::sc_module {
 public:
  static constexpr std::int64_t kChunkBytes = 4096;

  /// One engine per port.
  ChipDma(sc_core::sc_module_name name, CoreContext& context, std::vector<MemoryPort*> ports);

  /// Begins a program. `warm`: resident fetches have been carried out by an earlier run of this
  /// very program and are skipped.
  void begin(const mapper::Program& program, bool warm);
  /// All fetches are over.
  [[nodiscard]] bool idle() const { return open_ == 0; }

  [[nodiscard]] Readiness fetched(int fetch) const {
    return {states_[static_cast<std::size_t>(fetch)].done, true};
  }
  void release(int fetch);

 private:
  struct State {
    std::int64_t chunks_left = 0;
    Cycle begin = -1;
    Cycle done = -1;
    int uses_left = 0;
  };
  void engine(MemoryPort& port);
  void transfer_loop(MemoryPort& port);
  [[nodiscard]] bool is_free(const mapper::Fetch& fetch) const;
  void finish(int fetch);

  CoreContext& context_;
  const mapper::Program* program_ = nullptr;
  std::vector<State> states_;
  int next_fetch_ = 0;
  std::int64_t next_chunk_ = 0;
  int open_ = 0;
  sc_core::sc_event work_, released_;
};

}  // namespace lacuna::tlm
