// SPDX-License-Identifier: Apache-2.0
//
// The command program of a chip: what the dispatcher hands to cores and what the chip DMA fetches,
// in one order that every unit follows. Made by map_program() from a layer graph and the chip's
// parameters, then executed once per batch of samples. It says what is done with which operands and
// where they lie, not when; the chip decides that. Tensors are named by their value id in the
// graph.
//
// Sizes are bytes. Rows are rows of the left matrix of a layer (or output tokens of a vector layer)
// over all samples of the batch: row = sample*rows_per_sample + row in the sample.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mapper/slot_layout.h"
#include "params/mapping_params.h"
#include "timing/engine/tile.h"

namespace lacuna::mapper {

/// One flat address map: SRAM from 0, DRAM from kDramBase; the crossbar routes by address.
inline constexpr std::uint64_t kDramBase = std::uint64_t{1} << 40;
[[nodiscard]] constexpr bool is_dram_address(std::uint64_t address) { return address >= kDramBase; }

inline constexpr int kNone = -1;
inline constexpr std::int64_t kSumBytes = 4;         ///< a partial sum
inline constexpr std::int64_t kRequantizeBytes = 9;  ///< of a channel: bias, multiplier, shift

/// Layers [layer_begin, layer_end) that the batch goes through in groups of `samples`, one group
/// after the other: all of them for the first group, then for the next. What only they read holds
/// one group at a time.
struct SampleChain {
  int layer_begin = 0;
  int layer_end = 0;
  int samples = 1;  ///< divides the batch

  [[nodiscard]] bool has(int layer) const { return layer_begin <= layer && layer < layer_end; }
  friend bool operator==(const SampleChain&, const SampleChain&) = default;
};

/// A layer that made or read what lay in a place before, and must be done with it before something
/// else is stored there.
struct EarlierUser {
  /// Of the batch, or (in a chain) of the group that is to be stored, of the group before it, of
  /// the samples that lay in the very same places.
  enum class Samples { kAll, kGroup, kGroupBefore, kPlaceBefore };
  int layer = kNone;
  Samples samples = Samples::kAll;
  friend auto operator<=>(const EarlierUser&, const EarlierUser&) = default;
};

/// Samples [sample_begin, sample_end) of a layer: stored completely.
struct Milestone {
  int layer = kNone;
  int sample_begin = 0;
  int sample_end = 0;
};

/// Where the batch of a value lies, encoded (slot_layout.h). Views have no place of their own.
struct TensorPlan {
  bool stored = false;  ///< false: a view, or nobody reads it
  SlotLayout layout;
  std::int64_t tokens = 0;        ///< per sample
  std::uint64_t address = 0;      ///< of sample 0 of the batch
  int places = 1;                 ///< samples that lie there at a time: the batch, or a group
  std::int64_t sample_bytes = 0;  ///< 0 for constants: one copy for all samples is constant_bytes
  bool in_sram = false;
  bool fetched = false;            ///< comes from DRAM by Fetch commands (inputs, drawn values)
  std::uint64_t home = 0;          ///< its address in DRAM, if fetched
  std::vector<EarlierUser> after;  ///< of its space

  [[nodiscard]] std::uint64_t sample_address(int sample) const {
    return address + static_cast<std::uint64_t>(sample_bytes * (sample % places));
  }
};

/// A range of whole windows of a layer's K.
struct KTile {
  int window_begin = 0;
  int window_end = 0;
  std::int64_t positions = 0;  ///< per way
  std::int64_t k = 0;          ///< how many k exist in it
};

/// What the planner of memory reckons with for a layer, all predicted.
struct Expected {
  double cycles = 0;           ///< with everything in SRAM
  double left_bytes = 0;       ///< moved when its tasks load their activations
  double right_bytes = 0;      ///< and an operand made at run time
  double left_loads = 0;       ///< loads of activations of a core, one after the other
  double selected_bytes = 0;   ///< of rows that come straight from DRAM because they are wanted
  double selected_cycles = 0;  ///< in which DRAM, link or near-memory units do nothing else
};

/// How one engine layer is cut: n_tiles x k_tiles, blocks of `block_rows` rows; a task covers up to
/// `blocks_per_task` consecutive blocks of one n tile and one of `k_parts` runs of k tiles. With
/// several parts every task leaves partial sums, and reductions make outputs of them.
struct Split {
  int tile_channels = 0;
  int n_tiles = 0;
  std::vector<KTile> k_tiles;
  int block_rows = 0;
  int blocks = 0;
  int blocks_per_task = 0;
  int task_runs = 0;                                      ///< ceil(blocks / blocks_per_task)
  int k_parts = 1;                                        ///< at most one per k tile
  params::Ordering order = params::Ordering::kTileMajor;  ///< of the tasks; never kAuto
  bool alternate = false;  ///< every other task of a core goes through its K tiles backwards
  Expected expected;
  double predicted_cycles = 0.0;  ///< of the whole layer: what the choice was minimised over

  /// First k tile of a part; of part `k_parts`: the end.
  [[nodiscard]] int first_k_tile(int part) const {
    return static_cast<int>(static_cast<std::int64_t>(k_tiles.size()) * part / k_parts);
  }
};

/// Where the partial sums of a layer lie that is cut into parts of K: a plane of `rows` x
/// `channels` sums of 4 bytes, row-major, for each (product, part, n tile), in this order.
struct PartialSums {
  int products = 1;  ///< that lie there at a time: all, or those of a group of samples
  std::uint64_t address = 0;
  std::int64_t plane_bytes = 0;
  std::int64_t bytes = 0;  ///< of all planes; 0: the layer has none
  bool in_sram = false;
  std::vector<EarlierUser> after;  ///< of the space
};

/// One engine layer. With weights it is one product of the rows of all samples, or, in a chain, one
/// of those of each group of samples; with a run-time operand one of the rows of a sample per
/// sample and head.
struct GemmPlan {
  int layer = kNone;      ///< index in the graph
  int products = 1;       ///< groups, or batch * heads: product = sample*heads + head
  std::int64_t rows = 0;  ///< of a product
  int samples = 1;        ///< of a group: of a product, if the layer has weights
  bool run_time = false;
  /// Tiles lie in memory k by k (row_layout.h), and if each tile has one task, that task's blocks
  /// say which rows are loaded.
  bool row_layout = false;
  bool select_rows = false;
  Split split;
  int first_tile = kNone;        ///< of its tiles in weight_tiles: [n tile][k tile]
  std::vector<float> k_density;  ///< how often the activation at k is non-zero; may be empty
  PartialSums partial_sums;      ///< split.k_parts > 1
  int reduction = kNone;         ///< in Program::vectors: reads bias, multiplier and shift
};

/// A layer of the vector unit, or the reduction of an engine layer's partial sums.
struct VectorPlan {
  int layer = kNone;
  std::int64_t rows_per_sample = 0;  ///< of a reduction: rows of an engine task, at most
  std::int64_t task_rows = 0;        ///< rows of a task
  double expected_cycles = 0;        ///< of the layer, predicted
  std::int64_t constant_bytes = 0;   ///< tables, gamma/beta, constant operand: read by every task
  std::uint64_t constant_address = 0;
  int constant_fetch = kNone;    ///< in Program::fetches; kNone: read from DRAM
  std::int64_t table_bytes = 0;  ///< embedding: stays in DRAM, tasks read the rows that they need
  std::uint64_t table_address = 0;
};

/// A weight tile of the network. `tile` is null where so many are compiled already that this one is
/// compiled when it is loaded (map.cpp, kTileMemory).
struct WeightTilePlan {
  int gemm = kNone;
  int n_tile = 0;
  int k_tile = 0;
  std::shared_ptr<const timing::engine::Tile> tile;
  std::uint64_t dram_address = 0;
  std::int64_t memory_bytes = 0;  ///< what it takes in memory: its image, or that of its rows
};

/// What must be stored before a task may read it: samples [sample_begin, sample_end) of a value. Of
/// a value that is fetched, tokens [token_begin, token_end) of each of them are enough; what a
/// layer makes is awaited sample by sample.
struct Dependency {
  int value = kNone;
  int sample_begin = 0;
  int sample_end = 0;
  std::int64_t token_begin = 0;
  std::int64_t token_end = 0;
};

enum class TaskKind { kGemm, kVector, kReduce };

/// What one core does without interruption. Gemm: `for k tile: for block: pass`, the partial sums
/// of all its blocks in the psum buffer; of a part of K they are stored. Vector: load, compute,
/// store of some output rows. Reduce: a vector task that adds the parts' partial sums of some rows
/// of an n tile and makes codes of them.
struct Task {
  TaskKind kind = TaskKind::kGemm;
  int plan = kNone;  ///< in Program::gemms or Program::vectors
  int layer = kNone;
  int product = 0;  ///< gemm, reduce
  int n_tile = 0;   ///< gemm, reduce
  int part = 0;     ///< gemm: of K
  int k_begin = 0;  ///< gemm: its k tiles
  int k_end = 0;
  bool partial = false;  ///< gemm: leaves partial sums, no outputs
  int block_begin = 0;   ///< gemm; reduce: the blocks of its rows
  int block_end = 0;
  std::int64_t row_begin = 0;  ///< of the product; of the sample for vector tasks
  std::int64_t row_end = 0;
  int sample = 0;                        ///< vector; gemm, reduce: of a run-time operand
  int group = 0;                         ///< of samples, if the layer is in a chain
  int core = kNone;                      ///< static dispatch only
  std::vector<Dependency> needs;         ///< to load activations
  std::vector<Dependency> weight_needs;  ///< to load a run-time right operand
  /// To be reached before its first store. Tasks of a layer and group that wait for the same share
  /// it; null: nothing.
  std::shared_ptr<const std::vector<Milestone>> after;
  /// Per k tile of the task: the fetch that brings its weights to SRAM, or kNone: straight from
  /// DRAM. Empty for run-time operands.
  std::vector<int> weight_fetch;
  bool select_rows = false;  ///< weights are loaded when `needs` are stored: only wanted rows
  /// Begins with the last K tile and the last block: with what the task before it on the core,
  /// which went forwards, has left in the buffers.
  bool backwards = false;

  [[nodiscard]] int k_tiles() const { return k_end - k_begin; }
  /// The K tile whose turn it is.
  [[nodiscard]] int k_tile_at(int turn) const {
    return backwards ? k_end - 1 - turn : k_begin + turn;
  }
  /// kNone also for run-time operands.
  [[nodiscard]] int fetch_of(int k_tile) const {
    return weight_fetch.empty() ? kNone : weight_fetch[static_cast<std::size_t>(k_tile - k_begin)];
  }
};

/// A command of the chip DMA: DRAM to SRAM.
struct Fetch {
  enum class Kind { kWeights, kTensor, kConstants } kind = Kind::kWeights;
  int index = kNone;  ///< weight tile, value id, or vector plan
  int sample = 0;     ///< kTensor: tokens [token_begin, token_end) of it
  std::int64_t token_begin = 0;
  std::int64_t token_end = 0;
  std::int64_t bytes = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  bool resident = false;  ///< stays for the next program
  int uses = 0;           ///< loads after which a ring space is given back
  /// All uses of these earlier fetches, whose ring space it takes, must be over first.
  std::vector<int> overwrites;
  std::vector<Milestone> after;  ///< to be reached first (space reuse)
};

/// A way to divide the SRAM, with what it is expected to lead to.
struct MemorySplit {
  std::int64_t activations = 0;  ///< bytes that they may take
  std::int64_t pinned = 0;       ///< for weights that stay for the next program
  std::int64_t ring = 0;         ///< for weights on their way
  double first_cycles = 0;       ///< predicted, of a first program
  double next_cycles = 0;        ///< of one after it
  double dram_bytes = 0;         ///< of both together
};

/// A way to take a batch through the network: groups of `samples` through so many chains, or (no
/// chains) all of it through each layer.
struct Grouping {
  int samples = 1;
  int chains = 0;
  int layers = 0;  ///< of all chains
  MemorySplit expected;
  bool chosen = false;
};

/// Where memory goes.
struct MemoryPlan {
  std::int64_t sram_activations = 0;  ///< bytes, peak; with partial sums
  std::int64_t sram_constants = 0;
  std::int64_t sram_weights = 0;      ///< resident images, or the ring
  std::int64_t dram_activations = 0;  ///< that did not fit, with results
  std::int64_t dram_weights = 0;
  std::int64_t dram_bytes = 0;  ///< all of DRAM that is used
  bool weights_resident = false;
  std::int64_t sram_pinned = 0;     ///< part of sram_weights: images that stay
  std::int64_t spilled = 0;         ///< part of dram_activations: tensors that found no room
  std::vector<MemorySplit> splits;  ///< what was considered, the chosen one first; empty: resident
  std::vector<Grouping> groupings;  ///< what was considered; empty: there was nothing to choose
};

struct Program {
  int batch = 1;
  std::int64_t burst_bytes = 64;    ///< of the DRAM
  std::vector<TensorPlan> tensors;  ///< by value id
  std::vector<GemmPlan> gemms;
  std::vector<VectorPlan> vectors;
  std::vector<WeightTilePlan> weight_tiles;
  std::vector<Task> tasks;     ///< program order
  std::vector<Fetch> fetches;  ///< program order
  MemoryPlan memory;
  std::vector<int> gemm_of_layer;    ///< by layer: index in gemms or kNone
  std::vector<int> vector_of_layer;  ///< a layer with neither is a view
  std::vector<SampleChain> chains;   ///< ascending

  /// Samples that layer `layer` takes at a time: the batch, or those of a group of its chain.
  [[nodiscard]] int group_samples(int layer) const {
    for (const SampleChain& chain : chains) {
      if (chain.has(layer)) return chain.samples;
    }
    return batch;
  }
};

}  // namespace lacuna::mapper
