// SPDX-License-Identifier: Apache-2.0
//
// The vector unit of a core: operands in, rows computed, codes out; one task in each stage.
#include <algorithm>
#include <utility>

#include "tlm/core.h"

namespace lacuna::tlm {

void Core::vector_begins() {
  if (vector_active_++ > 0) return;
  vector_since_ = now();
}

void Core::vector_ends() {
  if (--vector_active_ > 0) return;
  if (now() > vector_since_) vector_busy_.push_back({vector_since_, now()});
}

void Core::vector_load_loop() {
  for (;;) {
    // One task's operands wait while another one is computed.
    while (vector_queue_.empty() || !vector_ready_.empty()) sc_core::wait(vector_event_);
    const mapper::Task& task = *vector_queue_.front();
    const mapper::VectorPlan& plan =
        context_.source->program().vectors[static_cast<std::size_t>(task.plan)];
    const auto ready = [&] {
      if (context_.source->stored(task.needs).at < 0) return false;
      if (task.kind == mapper::TaskKind::kReduce && !context_.source->summands_stored(task)) {
        return false;
      }
      return plan.constant_fetch == mapper::kNone ||
             context_.source->fetched(plan.constant_fetch).at >= 0;
    };
    while (!ready()) sc_core::wait(context_.source->changed());
    context_.clock->align();
    const Cycle begin = now();
    vector_begins();
    touch(task.layer, begin);
    const VectorLoad load = context_.source->vector_operands(task);
    ports_.vector_load->move(load.transfers, false);
    context_.clock->align();
    Traffic& traffic = sums(task.layer).traffic;
    std::int64_t bytes = 0;
    for (const Transfer& transfer : load.transfers) bytes += transfer.bytes;
    traffic.activations += bytes - load.sums;
    traffic.sums_loaded += load.sums;
    CoreContext::count_read(traffic, load.transfers);
    vector_queue_.pop_front();
    vector_ready_.push_back({&task, {}});
    vector_ready_event_.notify();
  }
}

void Core::vector_loop() {
  for (;;) {
    while (vector_ready_.empty()) sc_core::wait(vector_ready_event_);
    const mapper::Task& task = *vector_ready_.front().task;
    vector_ready_.pop_front();
    vector_event_.notify();
    context_.check_interrupt();
    const Cycle begin = now();
    const timing::vector::VectorTime time = context_.source->vector_time(task);
    VectorJob job{&task, context_.source->vector_outputs(task)};
    context_.clock->wait_until(begin + time.cycles);
    LayerSums& layer = sums(task.layer);
    layer.busy_cycles += time.cycles;
    layer.vector_cycles += time.cycles;
    layer.vector += time.activity;
    emit(TimelineEvent::Unit::kVector, task.layer, begin, now(), time.activity.codes_written);
    vector_ends();
    vector_stores_.push_back(std::move(job));
    vector_store_event_.notify();
    --vector_tasks_;
    context_.core_has_room(index_);
  }
}

void Core::vector_store_loop() {
  for (;;) {
    while (vector_stores_.empty()) sc_core::wait(vector_store_event_);
    const VectorJob job = std::move(vector_stores_.front());
    while (!context_.source->may_store(*job.task)) {
      sc_core::wait(context_.source->changed());
    }
    context_.clock->align();
    const Cycle begin = now();
    ports_.vector_store->move(job.transfers, true);
    context_.clock->align();
    Traffic& traffic = sums(job.task->layer).traffic;
    std::int64_t bytes = 0;
    for (const Transfer& transfer : job.transfers) bytes += transfer.bytes;
    traffic.outputs += bytes;
    CoreContext::count_write(traffic, job.transfers);
    emit(TimelineEvent::Unit::kStore, job.task->layer, begin, now(), bytes);
    sums(job.task->layer).end = now();
    vector_stores_.pop_front();
    context_.source->vector_stored(*job.task);
  }
}

}  // namespace lacuna::tlm
