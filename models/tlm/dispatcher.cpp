// SPDX-License-Identifier: Apache-2.0
#include "tlm/dispatcher.h"

#include <utility>

#include "base/cycles.h"
#include "base/error.h"

namespace lacuna::tlm {

Dispatcher::Dispatcher(std::vector<Core*> cores, int tasks_ahead) : cores_(std::move(cores)) {
  gemm_.ahead = tasks_ahead;
  gemm_.of_next_layer = 1;
  LACUNA_CHECK(!cores_.empty(), "a chip without cores");
  gemm_.fixed.resize(cores_.size());
  vector_.fixed.resize(cores_.size());
}

void Dispatcher::begin(const mapper::Program& program) {
  for (Stream* stream : {&gemm_, &vector_}) {
    stream->taken.assign(cores_.size(), {});
    stream->tasks.assign(program.gemm_of_layer.size(), {});
  }
  for (const mapper::Task& task : program.tasks) {
    Stream& stream = task.kind == mapper::TaskKind::kGemm ? gemm_ : vector_;
    std::vector<std::int64_t>& tasks = stream.tasks[static_cast<std::size_t>(task.layer)];
    const auto group = static_cast<std::size_t>(task.group);
    if (tasks.size() <= group) tasks.resize(group + 1, 0);
    ++tasks[group];
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
    while (!own.empty() && (cores_[i]->*count)() < stream.ahead) {
      const mapper::Task& task = *own.front();
      own.pop_front();
      cores_[i]->give(task);
    }
  }
  while (!stream.any.empty()) {
    const mapper::Task& task = *stream.any.front();
    Core* best = nullptr;
    std::size_t number = 0;
    for (std::size_t i = 0; i < cores_.size(); ++i) {
      Core* core = cores_[i];
      const int tasks = (core->*count)();
      const bool begins = stream.taken[i].layer != task.layer;
      if (tasks >= stream.ahead + (begins ? stream.of_next_layer : 0)) continue;
      if (tasks > 0 && has_its_share(stream, i, task)) continue;
      if (best == nullptr || tasks < (best->*count)() ||
          (tasks == (best->*count)() && core->holds(task) > best->holds(task))) {
        best = core;
        number = i;
      }
    }
    if (best == nullptr) return;
    stream.any.pop_front();
    Stream::Taken& taken = stream.taken[number];
    if (taken.layer != task.layer || taken.group != task.group) {
      taken = {task.layer, task.group, 0};
    }
    ++taken.tasks;
    best->give(task);
  }
}

bool Dispatcher::has_its_share(const Stream& stream, std::size_t core,
                               const mapper::Task& task) const {
  const Stream::Taken& taken = stream.taken[core];
  const std::int64_t tasks =
      stream.tasks[static_cast<std::size_t>(task.layer)][static_cast<std::size_t>(task.group)];
  return taken.layer == task.layer && taken.group == task.group &&
         taken.tasks >=
             base::ceil_div<std::int64_t>(tasks, static_cast<std::int64_t>(cores_.size()));
}

}  // namespace lacuna::tlm
