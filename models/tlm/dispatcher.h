// SPDX-License-Identifier: Apache-2.0
//
// Hands the tasks of a program to cores, engine tasks and vector tasks each in program order.
// Dynamic: to the core with the fewest tasks, among these to one whose latest task used the same
// weight tile, or else the same rows, then the lowest number; but while a core has a task, it takes
// at most its share of a layer (or a group of samples of it: tasks / cores, rounded up), so that no
// core has two tasks ahead and another none. Static: to the core that the mapper fixed, each core
// in its own order. A core has at most mapper.tasks_ahead engine tasks, and (dynamic) one more that
// is its first of the next layer, whose weights it can load; and two vector tasks. Takes no
// simulated time.
#pragma once

#include <deque>
#include <vector>

#include "mapper/program.h"
#include "tlm/core.h"

namespace lacuna::tlm {

class Dispatcher {
 public:
  /// `tasks_ahead`: engine tasks that a core has at once, but for its first one of the next layer.
  Dispatcher(std::vector<Core*> cores, int tasks_ahead);

  /// The program must stay alive until all its tasks have ended.
  void begin(const mapper::Program& program);
  /// Hands out what cores have room for. Called when a program begins and whenever a task ends.
  void poke();

 private:
  struct Stream {
    std::deque<const mapper::Task*> any;                 ///< dynamic
    std::vector<std::deque<const mapper::Task*>> fixed;  ///< static, by core
    /// By core: the layer (and group of samples) of its latest task, and how many of these it got.
    struct Taken {
      int layer = -1;
      int group = 0;
      std::int64_t tasks = 0;
    };
    std::vector<Taken> taken;
    std::vector<std::vector<std::int64_t>> tasks;  ///< of a layer's groups of samples
    int ahead = 2;          ///< tasks that a core has at once: one under way, the others ahead
    int of_next_layer = 0;  ///< on top, if its latest task is of another layer
  };
  [[nodiscard]] bool has_its_share(const Stream& stream, std::size_t core,
                                   const mapper::Task& task) const;
  void poke(Stream& stream, int (Core::*count)() const);

  std::vector<Core*> cores_;
  Stream gemm_;
  Stream vector_;
};

}  // namespace lacuna::tlm
