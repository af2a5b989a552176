// SPDX-License-Identifier: Apache-2.0
//
// A core: load port with double-buffered weight and activation halves, sparse engine, output store,
// vector unit. Decoupled access and execution: each unit is a thread at transaction granularity
// that takes work in task order and waits only for what it needs.
//
//   dispatcher ─► tasks ─► load port ─► halves ─► engine ─► output buffer ─► store
//                      └─► vector load ─► vector unit ─► vector store
//
// Timing contract (docs/reference/chip.md): a pass starts in the first cycle in which its tile and
// block are loaded, the pass before has reached its last F, and space for its outputs or partial
// sums is free. Halves are released in the cycle after F; outputs are stored from E(last) + L_post
// on; their space is free when the store has ended. The load port takes the ready load whose first
// pass comes first, weights before activations; its time is max(memory, beats). Passes themselves
// are the backend's: nothing is clocked here.
//
// Does not model: bank conflicts inside the buffers, the wires between them, a limit on how many
// operands the vector unit holds.
#pragma once

#include <systemc>

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "cosim/backend.h"
#include "params/chip_params.h"
#include "timing/engine/pass.h"
#include "tlm/accounting.h"
#include "tlm/clock.h"
#include "tlm/memory_port.h"
#include "tlm/work_source.h"

namespace lacuna::tlm {

/// What all cores of a chip share. The owner keeps it alive and sets `source` before the first
/// task.
struct CoreContext {
  const params::ChipParams* chip = nullptr;
  const Clock* clock = nullptr;
  cosim::EngineBackend* backend = nullptr;
  WorkSource* source = nullptr;
  EventSink* sink = nullptr;  ///< may be null
  std::vector<LayerSums> layers;
  CycleStack idle;  ///< gaps that belong to no layer
  Met met;
  std::int64_t passes = 0;                      ///< of the run, in start order
  std::function<void(int core)> core_has_room;  ///< a task ended
  std::function<void()> check_interrupt;        ///< called once per pass; may throw
  std::exception_ptr error;  ///< first exception of any unit; it stops the simulation

  void fail(std::exception_ptr exception) {
    if (!error) error = std::move(exception);
    sc_core::sc_stop();
  }
  /// Address decides: SRAM or DRAM.
  static void count_read(Traffic& traffic, std::span<const Transfer> transfers);
  static void count_write(Traffic& traffic, std::span<const Transfer> transfers);
};

/// The three ways in which a core reaches memory. They may share a TLM socket.
struct CorePorts {
  MemoryPort* load = nullptr;
  MemoryPort* store = nullptr;
  MemoryPort* vector_load = nullptr;
  MemoryPort* vector_store = nullptr;
  Cycle first_data = 0;  ///< cycles from the request of a load to its first bytes, at least
};

class Core : public sc_core::sc_module {
 public:
  Core(sc_core::sc_module_name name, int index, CoreContext& context, CorePorts ports);

  [[nodiscard]] int index() const { return index_; }
  /// Unfinished engine (vector) tasks here.
  [[nodiscard]] int gemm_tasks() const { return gemm_tasks_; }
  [[nodiscard]] int vector_tasks() const { return vector_tasks_; }
  /// What of a task its latest one has left in the buffers: 2 its weight tile, 1 its block, 0
  /// nothing.
  [[nodiscard]] int holds(const mapper::Task& task) const;
  void give(const mapper::Task& task);

  /// A program begins: gaps count from here.
  void open(Cycle now);
  /// It has ended: the rest of the time was idle.
  void close(Cycle now);

 private:
  struct Running {
    const mapper::Task* task = nullptr;
    Cycle assigned = 0;
    int passes_left = 0;
    std::vector<std::vector<std::int32_t>> psums;  ///< per block
  };
  /// A pass to be; halves and times are filled in by the load port.
  struct Pass {
    std::shared_ptr<Running> run;
    int k_tile = 0;
    int block = 0;
    bool first_of_task = false;
    bool first_k = false;  ///< of the k tiles in the order of the task
    bool last_k = false;
    std::int64_t sequence = 0;
    int weight_half = -1;
    int act_half = -1;
    Cycle loaded = -1;       ///< both operands: first cycle of a start
    Cycle dependency = -1;   ///< since when activations (and a run-time operand) could be read
    Cycle from_dram = -1;    ///< since when what DRAM had to deliver was there
    Cycle dram_loaded = -1;  ///< when the last load straight from DRAM had ended
    std::shared_ptr<const timing::engine::Tile> tile;
    std::shared_ptr<const timing::engine::Block> activations;
  };
  struct Contents {
    int program = -1, plan = -1, product = -1, n_tile = -1, k_tile = -1, block = -1;
    friend bool operator==(const Contents&, const Contents&) = default;
  };
  template <class Operand>
  struct Half {
    Contents contents;
    int uses = 0;       ///< passes that still need it
    Cycle free_at = 0;  ///< may be loaded again from here on, if nobody needs it
    Cycle ready = -1;
    std::shared_ptr<const Operand> operand;
  };
  /// Which of two halves holds this, the latest loaded first; -1: neither.
  template <class Operand>
  static int holder(const Half<Operand> (&halves)[2], int latest, const Contents& contents) {
    for (const int half : {latest, 1 - latest}) {
      if (halves[half].operand != nullptr && halves[half].contents == contents) return half;
    }
    return -1;
  }
  struct WeightRequest {
    std::vector<std::shared_ptr<Pass>> passes;  ///< of one k tile of a task
    Contents contents;
  };
  struct BlockRequest {
    std::shared_ptr<Pass> pass;
    Contents contents;
  };
  struct Store {
    const mapper::Task* task = nullptr;
    int block = -1;
    Cycle ready = 0;
    std::int64_t space = 0;  ///< in the output buffer; of partial sums in the psum buffer
    std::vector<Transfer> transfers;
  };
  struct VectorJob {
    const mapper::Task* task = nullptr;
    std::vector<Transfer> transfers;
  };
  struct Interval {
    Cycle begin, end;
  };

  void load_loop();
  void engine_loop();
  void store_loop();
  void vector_load_loop();
  void vector_loop();
  void vector_store_loop();
  /// Runs a loop; an exception ends the simulation and is kept for its caller.
  void guarded(void (Core::*loop)());

  // core_load.cpp
  bool reuse_weights();
  bool reuse_block();
  [[nodiscard]] bool weights_can_load(Readiness& ready) const;
  [[nodiscard]] bool block_can_load(Readiness& ready) const;
  [[nodiscard]] bool prefetch_would_delay() const;
  void load_weights(const Readiness& ready);
  void load_block(const Readiness& ready);
  void hand_weights(WeightRequest request, int half, const Readiness& ready, bool dram);
  void hand_block(const BlockRequest& request, int half, const Readiness& ready, bool dram);
  Cycle through_port(std::span<const Transfer> header, std::span<const Transfer> transfers,
                     Cycle beats);

  // core.cpp
  void wait_for_space(const Pass& pass, const timing::engine::Tile& tile,
                      const timing::engine::Block& block);
  void wait_for_psums(std::int64_t need, int layer);
  /// Bytes of partial sums of a block, or of all blocks of a task.
  [[nodiscard]] std::int64_t psum_space(const mapper::Task& task, const timing::engine::Tile& tile,
                                        int block_begin, int block_end) const;
  /// Cycles in which they are read: a word each.
  [[nodiscard]] Cycle psum_beats(std::int64_t bytes) const;
  void run_pass(Pass& pass);
  /// Tells the backend of a pass whose operands are in their halves.
  void foresee(const Pass& pass);
  void account_gap(const Pass& pass, Cycle begin, Cycle end);
  void account_pass(const Pass& pass, const timing::engine::PassResult& result, Cycle start);
  /// Adds [begin, end) to `part`, but to kVector while the vector unit works.
  void account_waiting(CycleStack& stack, StackPart part, Cycle begin, Cycle end);
  void vector_begins();
  void vector_ends();
  void emit(TimelineEvent::Unit unit, int layer, Cycle begin, Cycle end, std::int64_t amount);
  void touch(int layer, Cycle begin);
  /// Unlike that of any other pass of the run.
  [[nodiscard]] std::uint64_t ticket(const Pass& pass) const {
    return static_cast<std::uint64_t>(pass.sequence) << 16U | static_cast<std::uint64_t>(index_);
  }
  LayerSums& sums(int layer) { return context_.layers[static_cast<std::size_t>(layer)]; }
  [[nodiscard]] Cycle now() const { return context_.clock->now(); }
  [[nodiscard]] std::int64_t pes() const;

  int index_;
  CoreContext& context_;
  CorePorts ports_;
  sc_core::sc_event load_event_, half_event_, engine_event_, space_event_, store_event_;
  sc_core::sc_event vector_event_, vector_ready_event_, vector_store_event_;

  int gemm_tasks_ = 0;
  int vector_tasks_ = 0;
  Contents latest_task_;  ///< of the engine: plan, product, n tile, part of K, first block
  std::int64_t sequence_ = 0;

  std::deque<WeightRequest> weight_requests_;
  std::deque<BlockRequest> block_requests_;
  Half<timing::engine::Tile> weights_[2];
  Half<timing::engine::Block> acts_[2];
  int latest_weights_ = 1;
  int latest_acts_ = 1;
  Cycle port_begin_ = 0;  ///< first beat of the latest load
  Cycle port_free_ = 0;

  std::deque<std::shared_ptr<Pass>> passes_;
  Cycle gap_begin_ = 0;  ///< end of the latest pass, or of nothing
  Cycle engine_free_ = 0;
  timing::engine::PassResult previous_;
  timing::engine::PassCommand previous_command_;
  Cycle previous_start_ = -1;

  std::int64_t output_used_ = 0;
  std::int64_t psum_used_ = 0;
  std::deque<std::pair<Cycle, std::int64_t>> psum_releases_;  ///< of tasks that give outputs
  std::deque<Store> stores_;

  std::deque<const mapper::Task*> vector_queue_;
  std::deque<VectorJob> vector_ready_;
  std::deque<VectorJob> vector_stores_;
  int vector_active_ = 0;
  Cycle vector_since_ = 0;
  std::deque<Interval> vector_busy_;  ///< since the latest pass
};

}  // namespace lacuna::tlm
