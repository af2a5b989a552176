// SPDX-License-Identifier: Apache-2.0
#include "tlm/dispatcher.h"

#include <utility>

#include "base/error.h"

namespace lacuna::tlm {

Dispatcher::Dispatcher(std::vector<Core*> cores) : cores_(std::move(cores)) {
  LACUNA_CHECK(!cores_.empty(), "a chip without cores");
  gemm_.fixed.resize(cores_.size());
  vector_.fixed.resize(cores_.size());
}

void Dispatcher::begin(const mapper::Program& program) {
  for (const mapper::Task& task : program.tasks) {
    Stream& stream = task.kind == mapper::TaskKind::kGemm ? gemm_ : vector_;
    if (task.core == mapper::kNone) {
      stream.any.push_back(&task);
    } else {
      stream.fixed[static_cast<std::size_t>(task.core)].push_back(&task);
    }
  }
  poke();
}

void Dispatcher::poke() {
  poke(gemm_, &Core::gemm_tasks);
  poke(vector_, &Core::vector_tasks);
}

void Dispatcher::poke(Stream& stream, int (Core::*count)() const) {
  for (std::size_t i = 0; i < cores_.size(); ++i) {
    std::deque<const mapper::Task*>& own = stream.fixed[i];
    while (!own.empty() && (cores_[i]->*count)() < Core::kTasksAhead) {
      const mapper::Task& task = *own.front();
      own.pop_front();
      cores_[i]->give(task);
    }
  }
  while (!stream.any.empty()) {
    const mapper::Task& task = *stream.any.front();
    Core* best = nullptr;
    for (Core* core : cores_) {
      const int tasks = (core->*count)();
      if (tasks >= Core::kTasksAhead) continue;
      if (best == nullptr || tasks < (best->*count)() ||
          (tasks == (best->*count)() && core->holds(task) && !best->holds(task))) {
        best = core;
      }
    }
    if (best == nullptr) return;
    stream.any.pop_front();
    best->give(task);
  }
}

}  // namespace lacuna::tlm
