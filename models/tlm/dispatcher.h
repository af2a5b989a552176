// SPDX-License-Identifier: Apache-2.0
//
// Hands the tasks of a program to cores, engine tasks and vector tasks each in program order.
// Dynamic: to the core with the fewest tasks, among these to one whose latest task used the same
// weight tile, then the lowest number. Static: to the core that the mapper fixed, each core in its
// own order. A core has at most Core::kTasksAhead tasks of a kind. Takes no simulated time.
#pragma once

#include <deque>
#include <vector>

#include "mapper/program.h"
#include "tlm/core.h"

namespace lacuna::tlm {

class Dispatcher {
 public:
  explicit Dispatcher(std::vector<Core*> cores);

  /// The program must stay alive until all its tasks have ended.
  void begin(const mapper::Program& program);
  /// Hands out what cores have room for. Called when a program begins and whenever a task ends.
  void poke();

 private:
  struct Stream {
    std::deque<const mapper::Task*> any;                 ///< dynamic
    std::vector<std::deque<const mapper::Task*>> fixed;  ///< static, by core
  };
  void poke(Stream& stream, int (Core::*count)() const);

  std::vector<Core*> cores_;
  Stream gemm_;
  Stream vector_;
};

}  // namespace lacuna::tlm
