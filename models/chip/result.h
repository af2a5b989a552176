// SPDX-License-Identifier: Apache-2.0
//
// What a run of the chip leaves behind: plain data, all cycles of the chip clock, all sizes bytes.
// A run executes a program once per batch of samples, the first one cold (nothing on chip), the
// others warm. The cycle stack accounts for every PE of every core in every cycle, in PE-cycles, and
// adds up exactly.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/cycles.h"
#include "cosim/backend.h"

namespace lacuna::chip {

using base::Cycle;

/// Where PE-cycles go. The first seven are inside passes, from the engine's pe_* counters; the others
/// are cycles in which the engine runs no pass, times its PEs.
enum class StackPart {
  kCompute,      ///< pe_mac
  kScheduler,    ///< pe_window + pe_issue
  kSlot,         ///< pe_slot: entries without a weight that took a MAC slot
  kImbalance,    ///< pe_imbalance
  kBank,         ///< pe_bank: waits for a drain
  kEdge,         ///< pe_edge: start and tail of passes
  kLoading,      ///< SRAM to buffer loads
  kDram,         ///< weights or inputs that are still on their way from DRAM
  kDependency,   ///< activations that an earlier layer has not stored yet
  kOutputSpace,  ///< output or partial-sum space that is still taken
  kVector,       ///< no pass while this core's vector unit works
  kIdle          ///< no task
};
inline constexpr int kStackParts = 12;
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
};

/// Bytes that moved, by what they are and where.
struct Traffic {
  std::int64_t weights = 0;       ///< into weight buffers (tiles, also run-time operands)
  std::int64_t activations = 0;   ///< into activation buffers and vector units
  std::int64_t outputs = 0;       ///< stored by engines and vector units
  std::int64_t sram_read = 0, sram_write = 0;
  std::int64_t dram_read = 0, dram_write = 0;
  Traffic& operator+=(const Traffic& other);
};

/// One layer, summed over the programs of a run unless said otherwise.
struct LayerResult {
  std::string name;
  std::string op;
  bool on_engine = false;
  bool view = false;
  Cycle begin = 0;                ///< first program: first cycle in which a unit works for it,
  Cycle end = 0;                  ///< and the first cycle after its last store
  Cycle busy_cycles = 0;          ///< core-cycles in passes or vector work
  std::int64_t macs_dense = 0;    ///< M*K*N
  std::int64_t macs_effective = 0;  ///< both operands non-zero
  int tile_m = 0, tile_k = 0, tile_n = 0;     ///< rows, k and channels of a full tile
  int splits_m = 0, splits_k = 0, splits_n = 0;
  std::int64_t tasks = 0;
  std::int64_t vector_cycles = 0;
  std::int64_t vector_elements = 0;
  std::int64_t transpose_cycles = 0;
  double predicted_cycles = 0.0;  ///< of the mapper, per program
  EngineActivity engine;
  Traffic traffic;
  CycleStack stack;
  /// Compared with `expect`: values compared and how many differ.
  bool has_expect = false;
  std::int64_t expect_values = 0;
  std::int64_t expect_mismatches = 0;
  std::string first_mismatch;     ///< empty when there is none
};

/// One program: one batch of samples.
struct ProgramResult {
  int first_sample = 0;
  int samples = 0;
  Cycle start = 0;
  Cycle end = 0;
};

/// Memory activity of the whole run.
struct MemoryResult {
  std::int64_t dram_read_bytes = 0, dram_write_bytes = 0;
  std::int64_t sram_read_bytes = 0, sram_write_bytes = 0;
  std::int64_t noc_bytes = 0;
  double dram_peak_bytes_per_s = 0.0;
  double sram_peak_bytes_per_s = 0.0;
  /// DRAM commands by name ("activate", "read" ...), for energy, and controller statistics.
  std::map<std::string, std::int64_t> dram_commands;
  std::map<std::string, double> dram_statistics;
};

/// Situations that a run met: name -> how often. Every name is present, with 0 if it never occurred.
using Met = std::map<std::string, std::int64_t>;

struct RunResult {
  std::string chip;
  std::string workload;
  double clock_hz = 1e9;
  int cores = 0;
  std::int64_t pes_per_core = 0;        ///< Q*P
  Cycle cycles = 0;                     ///< from 0 to the end of the last program
  std::int64_t samples = 0;
  std::vector<ProgramResult> programs;
  std::vector<LayerResult> layers;
  CycleStack stack;                     ///< total() == cores * pes_per_core * cycles
  EngineActivity engine;
  Traffic traffic;
  MemoryResult memory;
  cosim::VerificationSummary verification;
  Met met;
  /// Result layer: per sample, its values and their argmax (first of equals).
  std::vector<std::vector<int>> result_values;
  std::vector<int> result_class;
  bool has_labels = false;
  std::int64_t correct = 0;             ///< samples whose class is the label
  [[nodiscard]] std::int64_t expect_mismatches() const;
  [[nodiscard]] double accuracy() const {
    return samples > 0 ? static_cast<double>(correct) / static_cast<double>(samples) : 0.0;
  }
};

/// Something with a beginning and an end, for the timeline. `track` is "core 3 engine", "dma" ….
struct TimelineEvent {
  int core = -1;                        ///< -1: chip DMA
  enum class Unit { kEngine, kDrain, kWeightLoad, kActivationLoad, kVector, kStore, kFetch } unit = Unit::kEngine;
  int layer = -1;
  int program = 0;
  Cycle begin = 0;
  Cycle end = 0;
  std::int64_t amount = 0;              ///< bytes, or MACs of a pass
};

/// Receives events as they end (not sorted by begin). The run keeps none.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void event(const TimelineEvent& event) = 0;
};

}  // namespace lacuna::chip
