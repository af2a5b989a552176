// SPDX-License-Identifier: Apache-2.0
//
// What a run of the chip leaves behind: plain data, all cycles of the chip clock, all sizes bytes.
// A run executes a program once per batch of samples, the first one cold (nothing on chip), the
// others warm. The cycle stack accounts for every PE of every core in every cycle, in PE-cycles,
// and adds up exactly.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cycles.h"
#include "cosim/backend.h"
#include "mapper/program.h"
#include "tlm/accounting.h"

namespace lacuna::chip {

using base::Cycle;
using tlm::CycleStack;
using tlm::EngineActivity;
using tlm::EventSink;
using tlm::kStackParts;
using tlm::stack_part_name;
using tlm::StackPart;
using tlm::TimelineEvent;
using tlm::Traffic;

/// One layer, summed over the programs of a run unless said otherwise.
struct LayerResult {
  std::string name;
  std::string op;
  bool on_engine = false;
  std::int64_t weight_loads = 0,
               weight_loads_saved = 0;  ///< tile loads, and those the buffer made needless
  std::int64_t weight_rows = 0, weight_rows_skipped = 0;  ///< `layout: row` only
  std::int64_t block_loads = 0, block_loads_saved = 0;
  bool view = false;
  Cycle begin = 0;                  ///< first program: first cycle in which a unit works for it,
  Cycle end = 0;                    ///< and the first cycle after its last store
  Cycle busy_cycles = 0;            ///< core-cycles in passes or vector work
  std::int64_t macs_dense = 0;      ///< M*K*N
  std::int64_t macs_effective = 0;  ///< both operands non-zero
  int tile_m = 0, tile_k = 0, tile_n = 0;  ///< rows, k and channels of a full tile
  int splits_m = 0, splits_k = 0, splits_n = 0;
  int k_parts = 0;  ///< runs of k tiles that are tasks of their own
  std::int64_t tasks = 0;
  std::int64_t vector_cycles = 0;
  std::int64_t vector_elements = 0;  ///< lane operations
  timing::vector::VectorActivity vector;
  std::int64_t transpose_cycles = 0;
  double predicted_cycles = 0.0;  ///< of the mapper, per program
  EngineActivity engine;
  Traffic traffic;
  CycleStack stack;
  /// Compared with `expect`: values compared and how many differ.
  bool has_expect = false;
  std::int64_t expect_values = 0;
  std::int64_t expect_mismatches = 0;
  std::string first_mismatch;  ///< empty when there is none
  /// Compared with a plain dense execution (RunOptions::check_reference); -1: was not.
  std::int64_t reference_mismatches = -1;
};

/// One program: one batch of samples.
struct ProgramResult {
  int first_sample = 0;
  int samples = 0;
  Cycle start = 0;
  Cycle end = 0;
};

/// What one requester of the crossbar did: a core with all its units, or the chip DMA. Bytes are
/// those asked for.
struct RequesterResult {
  std::string name;  ///< "core 0" ..., "dma"
  int port = 0;
  std::int64_t reads = 0, writes = 0;
  std::int64_t read_bytes = 0, write_bytes = 0;
  std::int64_t joined_reads = 0;  ///< served by another requester's read
  std::int64_t wait_cycles = 0;   ///< of its requests, from arrival at the port to the first word
  std::int64_t conflict_cycles = 0;  ///< of these, because the bank was taken
};

/// A port of the crossbar: one word per cycle and direction.
struct PortResult {
  std::int64_t read_cycles = 0, write_cycles = 0;  ///< words moved
  std::int64_t multicast_words = 0;                ///< that nobody had to read again
};

/// The interface between memory dies and chip, and the units in front of it.
struct LinkResult {
  std::int64_t read_bytes = 0, write_bytes = 0;
  std::int64_t read_cycles = 0, write_cycles = 0;  ///< in which it was busy
  std::int64_t wait_cycles = 0;                    ///< of transactions
  double peak_bytes_per_s = 0;                     ///< each way; 0: the channels end at the chip
  bool near_memory = false;
  std::int64_t near_read_bytes = 0;  ///< read beside the banks
  std::int64_t near_sent_bytes = 0;  ///< and sent on
  std::int64_t near_cycles = 0;
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
  std::map<std::string, double> sram_statistics;  ///< SRAM and crossbar
  std::vector<RequesterResult> requesters;
  std::vector<PortResult> ports;
  LinkResult link;
};

/// Situations that a run met: name -> how often. Every name is present, with 0 if it never
/// occurred.
using Met = std::map<std::string, std::int64_t>;

struct RunResult {
  std::string chip;
  std::string workload;
  double clock_hz = 1e9;
  int cores = 0;
  std::int64_t pes_per_core = 0;  ///< Q*P
  Cycle cycles = 0;               ///< from 0 to the end of the last program
  std::int64_t samples = 0;
  std::vector<ProgramResult> programs;
  std::vector<LayerResult> layers;
  CycleStack stack;  ///< total() == cores * pes_per_core * cycles
  EngineActivity engine;
  Traffic traffic;
  MemoryResult memory;
  mapper::MemoryPlan memory_plan;  ///< of the first program
  cosim::VerificationSummary verification;
  Met met;
  /// Result layer: per sample, its values and their argmax (first of equals).
  std::vector<std::vector<int>> result_values;
  std::vector<int> result_class;
  bool has_labels = false;
  std::int64_t correct = 0;  ///< samples whose class is the label
  [[nodiscard]] std::int64_t expect_mismatches() const;
  [[nodiscard]] double accuracy() const {
    return samples > 0 ? static_cast<double>(correct) / static_cast<double>(samples) : 0.0;
  }
};

}  // namespace lacuna::chip
