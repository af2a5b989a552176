// SPDX-License-Identifier: Apache-2.0
//
// The load port of a core: which load goes next, and how long it takes.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "tlm/core.h"

namespace lacuna::tlm {

void Core::load_loop() {
  // Events of their own: an immediate notification would cancel a timed one.
  const sc_core::sc_event_or_list anything = load_event_ | half_event_ | context_.source->changed();
  for (;;) {
    while (reuse_weights() || reuse_block()) {
    }
    Readiness weights_ready;
    Readiness block_ready;
    const bool block = block_can_load(block_ready);
    const bool weights = weights_can_load(weights_ready) && (block || !prefetch_would_delay());
    if (!weights && !block) {
      sc_core::wait(anything);
      context_.clock->align();
      continue;
    }
    if (now() < port_begin_) {  // one load streams, one is on its way: not more
      context_.clock->wait_until(port_begin_);
      continue;
    }
    // The load that is needed first; weights before activations.
    if (weights && (!block || weight_requests_.front().passes.front()->sequence <=
                                  block_requests_.front().pass->sequence)) {
      load_weights(weights_ready);
    } else {
      load_block(block_ready);
    }
  }
}

bool Core::reuse_weights() {
  if (weight_requests_.empty()) return false;
  const WeightRequest& request = weight_requests_.front();
  const int half = holder(weights_, latest_weights_, request.contents);
  if (half < 0) return false;
  ++sums(request.passes.front()->run->task->layer).weight_loads_saved;
  WeightRequest taken = std::move(weight_requests_.front());
  weight_requests_.pop_front();
  const mapper::Task& task = *taken.passes.front()->run->task;
  const int k_tile = taken.passes.front()->k_tile;
  hand_weights(std::move(taken), half, {-1, false}, false);
  const int fetch = task.fetch_of(k_tile);
  if (fetch != mapper::kNone) context_.source->release_fetch(fetch);
  return true;
}

bool Core::reuse_block() {
  if (block_requests_.empty()) return false;
  const BlockRequest& request = block_requests_.front();
  const int half = holder(acts_, latest_acts_, request.contents);
  if (half < 0) return false;
  ++sums(request.pass->run->task->layer).block_loads_saved;
  const BlockRequest taken = std::move(block_requests_.front());
  block_requests_.pop_front();
  hand_block(taken, half, {-1, false}, false);
  return true;
}

bool Core::weights_can_load(Readiness& ready) const {
  if (weight_requests_.empty()) return false;
  const Half<timing::engine::Tile>& half = weights_[1 - latest_weights_];
  if (half.uses > 0 || now() < half.free_at) return false;
  const Pass& pass = *weight_requests_.front().passes.front();
  const mapper::Task& task = *pass.run->task;
  if (!task.weight_needs.empty()) {
    ready = context_.source->stored(task.weight_needs);
    return ready.at >= 0;
  }
  const int fetch = task.fetch_of(pass.k_tile);
  ready = fetch == mapper::kNone ? Readiness{0, false} : context_.source->fetched(fetch);
  if (ready.at < 0 || !task.select_rows) return ready.at >= 0;
  // Which rows are wanted is known when the activations are.
  const Readiness activations = context_.source->stored(task.needs);
  if (activations.at < 0 || activations.at >= ready.at) ready = activations;
  return ready.at >= 0;
}

bool Core::block_can_load(Readiness& ready) const {
  if (block_requests_.empty()) return false;
  const Half<timing::engine::Block>& half = acts_[1 - latest_acts_];
  if (half.uses > 0 || now() < half.free_at) return false;
  ready = context_.source->stored(block_requests_.front().pass->run->task->needs);
  return ready.at >= 0;
}

/// A load cannot be interrupted: while the activations of a layer are awaited, weights of a later
/// layer do not start. Weights of the same layer do: all its tasks must end before that layer
/// counts.
bool Core::prefetch_would_delay() const {
  if (block_requests_.empty() || acts_[1 - latest_acts_].uses > 0) return false;
  const Pass& block = *block_requests_.front().pass;
  const Pass& weights = *weight_requests_.front().passes.front();
  return block.sequence < weights.sequence && block.run->task->layer != weights.run->task->layer;
}

Cycle Core::through_port(std::span<const Transfer> header, std::span<const Transfer> transfers,
                         Cycle beats) {
  if (!header.empty()) {
    ports_.load->move(header, false);
    context_.clock->align();
  }
  const Cycle issued = now();
  const Cycle begin = std::max(issued + ports_.first_data, port_free_);
  ports_.load->move(transfers, false);
  context_.clock->align();
  port_begin_ = begin;
  port_free_ = std::max(now(), begin + beats);
  return port_free_;
}

void Core::load_weights(const Readiness& ready) {
  WeightRequest request = std::move(weight_requests_.front());
  weight_requests_.pop_front();
  const Pass& first = *request.passes.front();
  const mapper::Task& task = *first.run->task;
  const int k_tile = first.k_tile;
  const int half = 1 - latest_weights_;
  const TileLoad load = context_.source->tile(task, k_tile);
  const Cycle begin = now();
  const Cycle end = through_port(load.header, load.transfers, load.beats);

  LayerSums& layer = sums(task.layer);
  touch(task.layer, begin);
  ++layer.weight_loads;
  layer.weight_rows += load.rows;
  layer.weight_rows_skipped += load.rows_skipped;
  layer.transpose_cycles += load.transpose;
  context_.met.transposed_operands += load.transpose > 0 ? 1 : 0;
  context_.met.run_time_operands += task.weight_needs.empty() ? 0 : 1;
  layer.traffic.weights += load.fill_bytes;
  layer.traffic.decoded += load.decoded;
  CoreContext::count_read(layer.traffic, load.header);
  CoreContext::count_read(layer.traffic, load.transfers);
  emit(TimelineEvent::Unit::kWeightLoad, task.layer, begin, end, load.fill_bytes);

  const auto from_dram = [](std::span<const Transfer> transfers) {
    return !transfers.empty() && mapper::is_dram_address(transfers.front().address);
  };
  const bool dram = from_dram(load.header) || from_dram(load.transfers);
  if (task.weight_needs.empty()) {
    const int fetch = task.fetch_of(k_tile);
    if (fetch != mapper::kNone) {
      context_.source->release_fetch(fetch);
    } else {
      ++context_.met.direct_loads;
    }
  } else if (dram) {
    ++context_.met.dram_activations;
  }
  weights_[half].contents = request.contents;
  weights_[half].ready = end;
  weights_[half].operand = load.tile;
  hand_weights(std::move(request), half, ready, dram);
}

void Core::load_block(const Readiness& ready) {
  const BlockRequest request = std::move(block_requests_.front());
  block_requests_.pop_front();
  const mapper::Task& task = *request.pass->run->task;
  const int half = 1 - latest_acts_;
  const BlockLoad load = context_.source->block(task, request.pass->k_tile, request.pass->block);
  const Cycle begin = now();
  const Cycle end = through_port({}, load.transfers, load.beats);

  LayerSums& layer = sums(task.layer);
  touch(task.layer, begin);
  ++layer.block_loads;
  std::int64_t bytes = 0;
  for (const Transfer& transfer : load.transfers) bytes += transfer.bytes;
  layer.traffic.activations += bytes;
  CoreContext::count_read(layer.traffic, load.transfers);
  emit(TimelineEvent::Unit::kActivationLoad, task.layer, begin, end, bytes);

  const bool dram =
      !load.transfers.empty() && mapper::is_dram_address(load.transfers.front().address);
  context_.met.dram_activations += dram ? 1 : 0;
  acts_[half].contents = request.contents;
  acts_[half].ready = end;
  acts_[half].operand = load.block;
  hand_block(request, half, ready, dram);
}

void Core::hand_weights(WeightRequest request, int half, const Readiness& ready, bool dram) {
  Half<timing::engine::Tile>& held = weights_[half];
  latest_weights_ = half;
  held.uses += static_cast<int>(request.passes.size());
  for (const std::shared_ptr<Pass>& pass : request.passes) {
    pass->tile = held.operand;
    pass->weight_half = half;
    pass->loaded = std::max(pass->loaded, held.ready);
    if (dram) pass->dram_loaded = std::max(pass->dram_loaded, held.ready);
    // Waiting for a run-time operand is a dependency; for a fetch it is DRAM.
    Cycle& since = ready.from_dram ? pass->from_dram : pass->dependency;
    since = std::max(since, ready.at);
    foresee(*pass);
  }
  engine_event_.notify();
}

void Core::hand_block(const BlockRequest& request, int half, const Readiness& ready, bool dram) {
  Half<timing::engine::Block>& held = acts_[half];
  latest_acts_ = half;
  ++held.uses;
  Pass& pass = *request.pass;
  pass.activations = held.operand;
  pass.act_half = half;
  pass.loaded = std::max(pass.loaded, held.ready);
  if (dram) pass.dram_loaded = std::max(pass.dram_loaded, held.ready);
  Cycle& since = ready.from_dram ? pass.from_dram : pass.dependency;
  since = std::max(since, ready.at);
  foresee(pass);
  engine_event_.notify();
}

}  // namespace lacuna::tlm
