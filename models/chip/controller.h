// SPDX-License-Identifier: Apache-2.0
//
// The host's side of a run: begins one program after the other, waits for its end, and keeps what
// must be kept before the next one reuses the tensor store. A thread of the simulation.
#pragma once

#include <systemc>

#include <functional>
#include <memory>
#include <vector>

#include "chip/memory_system.h"
#include "chip/program_run.h"
#include "chip/result.h"
#include "mapper/program.h"
#include "tlm/chip_dma.h"
#include "tlm/core.h"
#include "tlm/dispatcher.h"

namespace lacuna::chip {

/// A program to be executed with some samples.
struct Launch {
  const mapper::Program* program = nullptr;
  int variant = 0;  ///< equal for equal programs
  std::int64_t first_sample = 0;
};

class Controller : public sc_core::sc_module {
 public:
  struct Parts {
    tlm::CoreContext* context = nullptr;
    ProgramRun* run = nullptr;
    tlm::ChipDma* dma = nullptr;
    tlm::Dispatcher* dispatcher = nullptr;
    std::vector<tlm::Core*> cores;
    MemorySystem* memory = nullptr;
  };
  /// Fills programs, per-layer expectations and result values of `result`.
  Controller(sc_core::sc_module_name name, const Parts& parts, const workload::Graph& graph,
             std::vector<Launch> launches, RunResult& result,
             std::function<void(std::int64_t)> progress, bool check_reference,
             bool count_effective);

  [[nodiscard]] bool finished() const { return finished_; }
  /// Changes whenever anything goes on.
  [[nodiscard]] std::int64_t heartbeat() const;

 private:
  void loop();
  void main();
  void collect(const Launch& launch);
  void compare_with_reference(const Launch& launch);

  Parts parts_;
  const workload::Graph& graph_;
  std::vector<Launch> launches_;
  RunResult& result_;
  std::function<void(std::int64_t)> progress_;
  bool check_reference_;
  bool count_effective_;  ///< the engine's own counts do not tell effective MACs
  bool finished_ = false;
};

}  // namespace lacuna::chip
