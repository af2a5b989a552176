// SPDX-License-Identifier: Apache-2.0
//
// What cores count while they run: where PE-cycles go, engine activity, bytes moved. Plain sums, no
// SystemC; chip/ makes the result of a run from them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/cycles.h"
#include "timing/engine/counters.h"
#include "timing/vector/vector_model.h"

namespace lacuna::tlm {

using base::Cycle;

/// Where PE-cycles go. The first six are inside passes, from the engine's pe_* counters; the others
/// are cycles in which the engine runs no pass, times its PEs.
enum class StackPart {
  kCompute,      ///< pe_mac
  kScheduler,    ///< pe_window + pe_issue
  kSlot,         ///< pe_slot: entries without a weight that took a MAC slot
  kImbalance,    ///< pe_imbalance
  kBank,         ///< pe_bank: waits for a drain
  kEdge,         ///< pe_edge: start and tail of passes
  kLoading,      ///< SRAM to buffer loads
  kDram,         ///< operands that are still on their way from DRAM
  kDependency,   ///< activations that an earlier layer has not stored yet
  kOutputSpace,  ///< output or partial-sum space that is still taken
  kVector,       ///< no pass to run while this core's vector unit works
  kIdle          ///< no task
};
inline constexpr int kStackParts = 12;
/// "compute", "scheduler" ...
[[nodiscard]] std::string_view stack_part_name(StackPart part);

/// PE-cycles by cause.
struct CycleStack {
  std::array<std::int64_t, kStackParts> pe_cycles{};
  [[nodiscard]] std::int64_t& operator[](StackPart part) {
    return pe_cycles[static_cast<std::size_t>(part)];
  }
  [[nodiscard]] std::int64_t operator[](StackPart part) const {
    return pe_cycles[static_cast<std::size_t>(part)];
  }
  [[nodiscard]] std::int64_t total() const;
  CycleStack& operator+=(const CycleStack& other);
  friend bool operator==(const CycleStack&, const CycleStack&) = default;
};

/// Sums of the engine's activity counters (docs/reference/engine.md, section 8).
struct EngineActivity {
  std::int64_t passes = 0;
  std::int64_t pass_cycles = 0;  ///< sum of pass lengths
  std::int64_t windows_visited = 0, windows_empty = 0, broadcasts = 0, entries_without_k = 0;
  std::int64_t activation_reads = 0, fifo_pushes = 0, metadata_reads = 0, weight_words = 0;
  std::int64_t macs = 0, macs_gated = 0, acc_writes = 0, acc_reads = 0;
  std::int64_t psum_reads = 0, psum_writes = 0, drain_beats = 0;
  std::int64_t outputs = 0, outputs_nonzero = 0, blocked_cycles = 0;
  std::int64_t pe_mac = 0, pe_slot = 0, pe_bank = 0, pe_edge = 0;
  std::int64_t pe_imbalance = 0, pe_window = 0, pe_issue = 0;
  EngineActivity& operator+=(const EngineActivity& other);
  /// One pass.
  void add(const timing::engine::Counters& counters, Cycle length);
};

/// Bytes that moved, by what they are and where.
struct Traffic {
  std::int64_t weights = 0;      ///< into weight buffers (tiles, also run-time operands)
  std::int64_t activations = 0;  ///< into activation buffers and vector units
  std::int64_t outputs = 0;      ///< stored by engines and vector units
  /// Of layers whose K is cut over cores: out of psum buffers, and into vector units.
  std::int64_t sums_stored = 0, sums_loaded = 0;
  std::int64_t sram_read = 0, sram_write = 0;
  std::int64_t dram_read = 0, dram_write = 0;
  std::int64_t decoded = 0;      ///< encoded bytes through decoders (`compress`)
  std::int64_t near_memory = 0;  ///< bytes that units beside the DRAM banks read
  std::int64_t link = 0;         ///< bytes between memory dies and chip
  Traffic& operator+=(const Traffic& other);
};

/// Sums of one layer.
struct LayerSums {
  Cycle begin = -1;       ///< first cycle in which a unit works for it; -1: none did
  Cycle end = -1;         ///< first cycle after its last store
  Cycle busy_cycles = 0;  ///< core-cycles in passes and in vector work
  std::int64_t tasks = 0;
  std::int64_t vector_cycles = 0;
  timing::vector::VectorActivity vector;
  std::int64_t transpose_cycles = 0;
  std::int64_t weight_loads = 0;
  std::int64_t weight_loads_saved = 0;  ///< the buffer held the tile already
  /// `layout: row`: rows (k of a tile) that were loaded, and those that no activation asked for.
  std::int64_t weight_rows = 0, weight_rows_skipped = 0;
  std::int64_t block_loads = 0;
  std::int64_t block_loads_saved = 0;
  EngineActivity engine;
  Traffic traffic;
  CycleStack stack;
};

/// Situations that were met: counted, for the statement of a run.
struct Met {
  std::int64_t psum_passes = 0;
  std::int64_t partial_stores = 0;  ///< blocks whose partial sums were stored
  std::int64_t run_time_operands = 0;
  std::int64_t transposed_operands = 0;
  std::int64_t output_space_waits = 0;
  std::int64_t psum_space_waits = 0;
  std::int64_t loading_waits = 0;
  std::int64_t dram_waits = 0;
  std::int64_t dependency_waits = 0;
  std::int64_t vector_waits = 0;
  std::int64_t ring_waits = 0;        ///< a fetch waited for space in the ring
  std::int64_t direct_loads = 0;      ///< weight loads straight from DRAM
  std::int64_t dram_activations = 0;  ///< activation loads or stores in DRAM
  std::int64_t carry_ins = 0;         ///< passes that began while a drain was under way
};

/// Something with a beginning and an end, for the timeline.
struct TimelineEvent {
  enum class Unit { kEngine, kDrain, kWeightLoad, kActivationLoad, kVector, kStore, kFetch };
  int core = -1;  ///< -1: chip DMA
  Unit unit = Unit::kEngine;
  int layer = -1;
  int program = 0;
  Cycle begin = 0;
  Cycle end = 0;
  std::int64_t amount = 0;  ///< bytes, or MACs of a pass
};

/// Receives events when their end is known (not sorted by begin).
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void event(const TimelineEvent& event) = 0;
};

}  // namespace lacuna::tlm
