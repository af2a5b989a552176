// SPDX-License-Identifier: Apache-2.0
#include "tlm/core.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "timing/engine/capacity.h"
#include "timing/engine/latencies.h"

namespace lacuna::tlm {

namespace engine_model = timing::engine;

namespace {
// Backends run on the engine thread's stack; a Verilated model needs more than SystemC's default.
constexpr std::size_t kEngineStack = 1 << 20;
constexpr std::size_t kUnitStack = 1 << 17;
}  // namespace

void CoreContext::count_read(Traffic& traffic, std::span<const Transfer> transfers) {
  for (const Transfer& transfer : transfers) {
    const bool near = transfer.crossing >= 0;
    if (mapper::is_dram_address(transfer.address)) {
      traffic.dram_read += transfer.bytes;
      traffic.link += near ? transfer.crossing : transfer.bytes;
      traffic.near_memory += near ? transfer.bytes : 0;
    } else {
      traffic.sram_read += transfer.bytes;
    }
  }
}

void CoreContext::count_write(Traffic& traffic, std::span<const Transfer> transfers) {
  for (const Transfer& transfer : transfers) {
    const bool dram = mapper::is_dram_address(transfer.address);
    (dram ? traffic.dram_write : traffic.sram_write) += transfer.bytes;
    traffic.link += dram ? transfer.bytes : 0;
  }
}

Core::Core(sc_core::sc_module_name name, int index, CoreContext& context, CorePorts ports)
    : sc_module(name), index_(index), context_(context), ports_(ports) {
  const auto spawn = [this](const char* unit, void (Core::*loop)(), std::size_t stack) {
    sc_core::sc_spawn_options options;
    options.set_stack_size(static_cast<int>(stack));
    sc_core::sc_spawn([this, loop] { guarded(loop); }, unit, &options);
  };
  spawn("load", &Core::load_loop, kUnitStack);
  spawn("engine", &Core::engine_loop, kEngineStack);
  spawn("store", &Core::store_loop, kUnitStack);
  spawn("vector_load", &Core::vector_load_loop, kUnitStack);
  spawn("vector", &Core::vector_loop, kUnitStack);
  spawn("vector_store", &Core::vector_store_loop, kUnitStack);
}

void Core::guarded(void (Core::*loop)()) {
  try {
    (this->*loop)();
  } catch (const sc_core::sc_unwind_exception&) {
    throw;  // the kernel ends its threads this way
  } catch (...) {
    context_.fail(std::current_exception());
  }
}

std::int64_t Core::pes() const {
  const params::EngineParams& engine = context_.chip->engine;
  return std::int64_t{engine.pes} * engine.k_ways;
}

int Core::holds(const mapper::Task& task) const {
  if (latest_task_.plan != task.plan || latest_task_.k_tile != task.part) return 0;
  const mapper::Program& program = context_.source->program();
  const bool run_time = program.gemms[static_cast<std::size_t>(task.plan)].run_time;
  const bool same_rows = latest_task_.product == task.product;
  if (latest_task_.n_tile == task.n_tile && (same_rows || !run_time)) return 2;
  return same_rows && latest_task_.block == task.block_begin ? 1 : 0;
}

void Core::give(const mapper::Task& task) {
  LayerSums& layer = sums(task.layer);
  ++layer.tasks;
  if (task.kind != mapper::TaskKind::kGemm) {
    ++vector_tasks_;
    vector_queue_.push_back(&task);
    vector_event_.notify();
    return;
  }
  ++gemm_tasks_;
  const mapper::Program& program = context_.source->program();
  const mapper::GemmPlan& plan = program.gemms[static_cast<std::size_t>(task.plan)];
  const int blocks = task.block_end - task.block_begin;
  auto run = std::make_shared<Running>();
  run->task = &task;
  run->assigned = now();
  run->passes_left = task.k_tiles() * blocks;
  run->psums.resize(static_cast<std::size_t>(task.k_tiles() > 1 || task.partial ? blocks : 0));
  const int number = context_.source->program_index();
  for (int turn = 0; turn < task.k_tiles(); ++turn) {
    const int k = task.k_tile_at(turn);
    WeightRequest weights;
    // Weights are the same in every program; operands made at run time and selected rows are not.
    const bool fixed = !plan.run_time && !task.select_rows;
    weights.contents = {fixed ? -2 - context_.source->program_variant() : number,
                        task.plan,
                        plan.run_time ? task.product : 0,
                        task.n_tile,
                        k,
                        0};
    for (int i = 0; i < blocks; ++i) {
      const int block = task.backwards ? task.block_end - 1 - i : task.block_begin + i;
      auto pass = std::make_shared<Pass>();
      pass->run = run;
      pass->k_tile = k;
      pass->block = block;
      pass->first_of_task = turn == 0 && i == 0;
      pass->first_k = turn == 0;
      pass->last_k = turn + 1 == task.k_tiles();
      pass->sequence = sequence_++;
      weights.passes.push_back(pass);
      block_requests_.push_back({pass, {number, task.plan, task.product, 0, k, block}});
      passes_.push_back(std::move(pass));
    }
    weight_requests_.push_back(std::move(weights));
  }
  latest_task_ = {0, task.plan, task.product, task.n_tile, task.part, task.block_begin};
  load_event_.notify();
  engine_event_.notify();
}

void Core::open(Cycle cycle) {
  gap_begin_ = cycle;
  engine_free_ = std::max(engine_free_, cycle);
}

void Core::close(Cycle cycle) {
  LACUNA_CHECK(passes_.empty() && stores_.empty() && vector_queue_.empty(),
               "core {} is closed in cycle {} with work left", index_, cycle);
  account_waiting(context_.idle, StackPart::kIdle, gap_begin_, cycle);
  gap_begin_ = cycle;
  vector_busy_.clear();
}

void Core::engine_loop() {
  for (;;) {
    while (passes_.empty() || passes_.front()->weight_half < 0 || passes_.front()->act_half < 0) {
      sc_core::wait(engine_event_);
    }
    const std::shared_ptr<Pass> pass = passes_.front();
    context_.clock->wait_until(std::max(engine_free_, pass->loaded));
    wait_for_space(*pass, *pass->tile, *pass->activations);
    passes_.pop_front();
    run_pass(*pass);
  }
}

void Core::wait_for_space(const Pass& pass, const engine_model::Tile& tile,
                          const engine_model::Block& block) {
  const params::EngineParams& engine = context_.chip->engine;
  const mapper::Task& task = *pass.run->task;
  if (task.k_tiles() > 1) {
    // Partial sums of all blocks of the task. Released in run_pass() when the task's last drain is
    // known, or with their store.
    if (pass.first_of_task) {
      wait_for_psums(psum_space(task, tile, task.block_begin, task.block_end), task.layer);
    }
  } else if (task.partial) {
    wait_for_psums(psum_space(task, tile, pass.block, pass.block + 1), task.layer);
  }
  if (pass.last_k && !task.partial) {
    const std::int64_t need = engine_model::output_bytes(engine, block.tokens, tile.channels);
    bool waited = false;
    while (output_used_ + need > engine.output_buffer) {
      waited = true;
      sc_core::wait(space_event_);
      context_.clock->align();
    }
    context_.met.output_space_waits += waited ? 1 : 0;
    output_used_ += need;
  }
}

std::int64_t Core::psum_space(const mapper::Task& task, const engine_model::Tile& tile,
                              int block_begin, int block_end) const {
  const params::EngineParams& engine = context_.chip->engine;
  const mapper::GemmPlan& plan =
      context_.source->program().gemms[static_cast<std::size_t>(task.plan)];
  std::int64_t bytes = 0;
  for (int b = block_begin; b < block_end; ++b) {
    const std::int64_t begin = std::int64_t{b} * plan.split.block_rows;
    const std::int64_t rows = std::min<std::int64_t>(plan.split.block_rows, plan.rows - begin);
    bytes += engine_model::psum_bytes(
        engine, tile.rows, static_cast<int>(base::ceil_div<std::int64_t>(rows, engine.lanes)));
  }
  return bytes;
}

Cycle Core::psum_beats(std::int64_t bytes) const {
  const params::EngineParams& engine = context_.chip->engine;
  return bytes / (mapper::kSumBytes * engine.drain_width * engine.lanes);
}

void Core::wait_for_psums(std::int64_t need, int layer) {
  const std::int64_t size = context_.chip->engine.psum_buffer;
  LACUNA_CHECK(need <= size, "a task of layer {} needs {} bytes of partial sums",
               context_.source->layer_name(layer), need);
  bool waited = false;
  for (;;) {
    while (!psum_releases_.empty() && psum_releases_.front().first <= now()) {
      psum_used_ -= psum_releases_.front().second;
      psum_releases_.pop_front();
    }
    if (psum_used_ + need <= size) break;
    waited = true;
    if (psum_releases_.empty()) {  // only stores give space back
      sc_core::wait(space_event_);
    } else {
      sc_core::wait(context_.clock->at(psum_releases_.front().first) - sc_core::sc_time_stamp(),
                    space_event_);
    }
    context_.clock->align();
  }
  context_.met.psum_space_waits += waited ? 1 : 0;
  psum_used_ += need;
}

void Core::foresee(const Pass& pass) {
  if (pass.weight_half < 0 || pass.act_half < 0) return;
  const mapper::Task& task = *pass.run->task;
  engine_model::PassCommand command = context_.source->command(task, pass.k_tile);
  command.psum_read = !pass.first_k;
  command.psum_write = task.partial || !pass.last_k;
  cosim::PassRequest request{pass.tile, pass.activations, command, {}, index_, {}, 0};
  request.compute = context_.source->computes(task.layer);
  request.ticket = ticket(pass);
  context_.backend->foresee(request);
}

void Core::run_pass(Pass& pass) {
  context_.check_interrupt();
  const params::EngineParams& engine = context_.chip->engine;
  Running& run = *pass.run;
  const mapper::Task& task = *run.task;
  const bool last_k = pass.last_k;
  const Cycle start = now();
  account_gap(pass, gap_begin_, start);

  engine_model::PassCommand command = context_.source->command(task, pass.k_tile);
  command.psum_read = !pass.first_k;
  command.psum_write = task.partial || !last_k;
  if (previous_start_ >= 0) {
    const engine_model::CarryIn carry =
        engine_model::carry_in(previous_, previous_command_, start - previous_start_);
    command.hold1 = carry.hold1;
    command.hold2 = carry.hold2;
    context_.met.carry_ins += carry.hold1 > 0 ? 1 : 0;
  }
  std::span<const std::int32_t> psum_in;
  std::vector<std::int32_t>* psum = nullptr;
  if (!run.psums.empty()) {
    psum = &run.psums[static_cast<std::size_t>(pass.block - task.block_begin)];
    if (command.psum_read) psum_in = *psum;
    ++context_.met.psum_passes;
  }
  cosim::PassRequest request{pass.tile,        pass.activations,
                             command,          psum_in,
                             index_,           context_.source->layer_name(task.layer),
                             context_.passes++};
  request.compute = context_.source->computes(task.layer);
  request.ticket = ticket(pass);
  engine_model::PassResult result = context_.backend->run(request);
  LACUNA_CHECK(result.length > 0 && !result.drain_end.empty(), "a pass of layer {} has no end",
               request.layer);
  if (!command.psum_write && !request.compute) {
    result.counters.outputs_nonzero = context_.source->stated_nonzeros(task, pass.block);
  }
  const Cycle end = start + result.length;
  const Cycle drained = start + result.drain_end.back();
  account_pass(pass, result, start);

  if (last_k) {
    Store store;
    store.task = &task;
    store.block = pass.block;
    store.ready = drained + engine_model::kPostLatency;
    if (task.partial) {
      store.space = psum_space(task, *pass.tile, pass.block, pass.block + 1);
      store.transfers =
          context_.source->partial_sums(task, pass.block, *pass.tile, std::move(result.psum_out));
      *psum = {};
    } else {
      store.space =
          engine_model::output_bytes(engine, pass.activations->tokens, pass.tile->channels);
      store.transfers = context_.source->outputs(task, pass.block, result);
    }
    stores_.push_back(std::move(store));
    store_event_.notify();
  } else {
    *psum = std::move(result.psum_out);
  }
  result.outputs.clear();
  result.psum_out.clear();
  previous_ = std::move(result);
  previous_command_ = command;
  previous_start_ = start;
  gap_begin_ = end;
  engine_free_ = end;

  if (--run.passes_left == 0 && task.k_tiles() > 1 && !task.partial) {
    psum_releases_.emplace_back(drained,
                                psum_space(task, *pass.tile, task.block_begin, task.block_end));
  }
  context_.clock->wait_until(end);
  --weights_[pass.weight_half].uses;
  --acts_[pass.act_half].uses;
  weights_[pass.weight_half].free_at = end + 1;
  acts_[pass.act_half].free_at = end + 1;
  half_event_.notify(context_.clock->period());
  if (run.passes_left == 0) {
    --gemm_tasks_;
    context_.core_has_room(index_);
  }
}

void Core::store_loop() {
  for (;;) {
    while (stores_.empty()) sc_core::wait(store_event_);
    const Store store = std::move(stores_.front());
    context_.clock->wait_until(store.ready);
    while (!context_.source->may_store(*store.task)) {
      sc_core::wait(context_.source->changed());
    }
    context_.clock->align();
    const Cycle begin = now();
    ports_.store->move(store.transfers, true);
    context_.clock->align();
    if (store.task->partial) context_.clock->wait_until(begin + psum_beats(store.space));
    Traffic& traffic = sums(store.task->layer).traffic;
    std::int64_t bytes = 0;
    for (const Transfer& transfer : store.transfers) bytes += transfer.bytes;
    const bool partial = store.task->partial;
    (partial ? traffic.sums_stored : traffic.outputs) += bytes;
    context_.met.partial_stores += partial ? 1 : 0;
    CoreContext::count_write(traffic, store.transfers);
    emit(TimelineEvent::Unit::kStore, store.task->layer, begin, now(), bytes);
    sums(store.task->layer).end = now();
    (partial ? psum_used_ : output_used_) -= store.space;
    stores_.pop_front();
    space_event_.notify();
    context_.source->block_stored(*store.task, store.block);
  }
}

void Core::account_pass(const Pass& pass, const engine_model::PassResult& result, Cycle start) {
  LayerSums& layer = sums(pass.run->task->layer);
  touch(pass.run->task->layer, start);
  layer.busy_cycles += result.length;
  layer.engine.add(result.counters, result.length);
  const engine_model::Counters& counters = result.counters;
  CycleStack inside;
  inside[StackPart::kCompute] = static_cast<std::int64_t>(counters.pe_mac);
  inside[StackPart::kScheduler] = static_cast<std::int64_t>(counters.pe_window + counters.pe_issue);
  inside[StackPart::kSlot] = static_cast<std::int64_t>(counters.pe_slot);
  inside[StackPart::kImbalance] = static_cast<std::int64_t>(counters.pe_imbalance);
  inside[StackPart::kBank] = static_cast<std::int64_t>(counters.pe_bank);
  inside[StackPart::kEdge] = static_cast<std::int64_t>(counters.pe_edge);
  LACUNA_CHECK(inside.total() == pes() * result.length,
               "PE-cycles of a pass of layer {} add up to {}, not {} x {}",
               context_.source->layer_name(pass.run->task->layer), inside.total(), pes(),
               result.length);
  layer.stack += inside;
  emit(TimelineEvent::Unit::kEngine, pass.run->task->layer, start, start + result.length,
       static_cast<std::int64_t>(counters.macs));
  emit(TimelineEvent::Unit::kDrain, pass.run->task->layer, start + result.group_end.front(),
       start + result.drain_end.back(), static_cast<std::int64_t>(counters.drain_beats));
}

void Core::account_gap(const Pass& pass, Cycle begin, Cycle end) {
  CycleStack& stack = sums(pass.run->task->layer).stack;
  Cycle cursor = begin;
  const auto until = [&](Cycle limit, auto&& add) {
    const Cycle stop = std::min(limit, end);
    if (stop > cursor) {
      add(cursor, stop);
      cursor = stop;
      return true;
    }
    return false;
  };
  const auto plain = [&](StackPart part) {
    return [this, &stack, part](Cycle from, Cycle to) { stack[part] += (to - from) * pes(); };
  };
  Met& met = context_.met;
  until(pass.run->assigned,
        [&](Cycle from, Cycle to) { account_waiting(context_.idle, StackPart::kIdle, from, to); });
  met.dependency_waits += until(pass.dependency, [&](Cycle from, Cycle to) {
    account_waiting(stack, StackPart::kDependency, from, to);
  });
  met.dram_waits += until(std::max(pass.from_dram, pass.dram_loaded), plain(StackPart::kDram));
  met.loading_waits += until(pass.loaded, plain(StackPart::kLoading));
  until(end, plain(StackPart::kOutputSpace));
  vector_busy_.clear();
}

void Core::account_waiting(CycleStack& stack, StackPart part, Cycle begin, Cycle end) {
  std::int64_t busy = 0;
  const auto add = [&](Cycle from, Cycle to) {
    busy += std::max<Cycle>(0, std::min(to, end) - std::max(from, begin));
  };
  for (const Interval& interval : vector_busy_) add(interval.begin, interval.end);
  if (vector_active_ > 0) add(vector_since_, end);
  stack[StackPart::kVector] += busy * pes();
  stack[part] += (end - begin - busy) * pes();
  context_.met.vector_waits += busy > 0 ? 1 : 0;
}

void Core::emit(TimelineEvent::Unit unit, int layer, Cycle begin, Cycle end, std::int64_t amount) {
  if (context_.sink == nullptr) return;
  context_.sink->event({index_, unit, layer, context_.source->program_index(), begin, end, amount});
}

void Core::touch(int layer, Cycle begin) {
  Cycle& first = sums(layer).begin;
  if (first < 0 || begin < first) first = begin;
}

}  // namespace lacuna::tlm
