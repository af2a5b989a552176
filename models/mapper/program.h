// SPDX-License-Identifier: Apache-2.0
//
// The command program of a chip: what the dispatcher hands to cores and what the chip DMA fetches, in
// one order that every unit follows. Made by map_program() from a layer graph and the chip's
// parameters, then executed once per batch of samples. Plain data: it says what is done with which
// operands and where they lie, not when; the chip decides that.
//
// Sizes are bytes, rows are rows of the left matrix of a layer over all samples of the batch (row =
// sample*tokens + token). Does not hold values: those are in workload/'s tensor store.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace lacuna::mapper {

/// One flat address map: SRAM from 0, DRAM from kDramBase; the crossbar routes by address.
inline constexpr std::uint64_t kDramBase = std::uint64_t{1} << 40;
[[nodiscard]] constexpr bool is_dram_address(std::uint64_t address) {
  return address >= kDramBase;
}

/// Index of a tensor in Program::tensors. A tensor is an input of the network or what a layer makes.
using TensorId = int;
inline constexpr int kNone = -1;

/// What a tensor is called and where its batch lies in memory. Stored row-major as tokens (pixels);
/// a token is ceil(channels/act_block) slots of act_block + act_block/8 bytes, its first slot on a
/// 32-byte boundary. Views have no storage of their own: `storage` is the tensor that is read.
struct TensorPlan {
  std::string name;
  int layer = kNone;            ///< producing layer, or kNone for a network input
  TensorId storage = kNone;     ///< itself, or what this one is a view of
  std::int64_t tokens = 0;      ///< per sample, as stored
  std::int64_t channels = 0;    ///< of a stored token
  std::int64_t token_bytes = 0;
  std::uint64_t address = 0;    ///< of sample 0 of the batch
  std::int64_t sample_bytes = 0;
  bool in_sram = false;
};

/// A range of whole windows of a layer's K.
struct KTile {
  int window_begin = 0;
  int window_end = 0;
  std::int64_t positions = 0;  ///< per way
  std::int64_t k = 0;          ///< how many k exist in it
};

/// How one engine layer is cut. Tiles: n_tiles x k_tiles per head; blocks of `block_rows` rows; a task
/// covers `blocks_per_task` consecutive blocks of one head and n tile, all k tiles.
struct Split {
  int tile_channels = 0;
  int n_tiles = 0;
  std::vector<KTile> k_tiles;
  int block_rows = 0;
  int blocks = 0;
  int blocks_per_task = 0;
  int task_runs = 0;               ///< ceil(blocks / blocks_per_task)
  double predicted_cycles = 0.0;   ///< of the layer, what the choice was minimised over
};

/// Which operand a loader gathers for a row of the left matrix.
enum class Gather {
  kRows,   ///< a token, or channels of it (head of a matmul, flattened maps)
  kPixels, ///< a convolution's window: one segment per kernel position
  kIm2Col  ///< the same gathered by the DMA into one dense segment (few input channels)
};

/// One engine layer.
struct GemmPlan {
  int layer = kNone;               ///< index in the graph
  TensorId left = kNone;           ///< storage read for blocks
  TensorId right = kNone;          ///< run-time right operand, kNone for weights
  TensorId output = kNone;
  std::int64_t rows = 0;           ///< M over the whole batch
  std::int64_t rows_per_sample = 0;
  std::int64_t k = 0;              ///< per head
  std::int64_t n = 0;              ///< per head
  int heads = 1;
  int segments = 1;
  std::int64_t segment_channels = 0;
  Gather gather = Gather::kRows;
  bool transpose_right = false;
  Split split;
  int first_tile = kNone;          ///< of its weight tiles in Program::weight_tiles, [n tile][k tile]
};

/// A layer of the vector unit.
struct VectorPlan {
  int layer = kNone;
  std::vector<TensorId> inputs;    ///< storages that are read
  TensorId output = kNone;
  std::int64_t rows = 0;           ///< output tokens over the whole batch
  std::int64_t rows_per_sample = 0;
  std::int64_t constant_bytes = 0; ///< tables, gamma/beta, constant operands: read with every task
};

/// A weight tile of the network, as it lies in DRAM, and in SRAM when everything fits.
struct WeightTilePlan {
  int gemm = kNone;                ///< index in Program::gemms
  int n_tile = 0;
  int k_tile = 0;
  std::int64_t image_bytes = 0;    ///< a multiple of load_width
  std::uint64_t dram_address = 0;
};

/// What has to be stored before a task may read it: samples of a tensor. Samples count from the first
/// of the batch.
struct Dependency {
  TensorId tensor = kNone;
  int sample_begin = 0;
  int sample_end = 0;
};

enum class TaskKind { kGemm, kVector };

/// What one core does without interruption. Gemm: `for k tile: for block: pass`, the partial sums of
/// all its blocks in the psum buffer. Vector: load, compute, store of a range of output rows.
struct Task {
  TaskKind kind = TaskKind::kGemm;
  int plan = kNone;                ///< in Program::gemms or Program::vectors
  int layer = kNone;
  int head = 0;
  int n_tile = 0;
  int block_begin = 0;             ///< gemm
  int block_end = 0;
  std::int64_t row_begin = 0;      ///< gemm and vector: rows of the layer, whole batch
  std::int64_t row_end = 0;
  int core = kNone;                ///< fixed core when dispatch is static
  std::vector<Dependency> needs;
  std::vector<int> weight_fetch;   ///< per k tile: index in Program::fetches whose result it loads, or
                                   ///< kNone: straight from DRAM; empty for run-time operands
};

/// A command of the chip DMA: DRAM to SRAM, in program order.
struct Fetch {
  int weight_tile = kNone;         ///< in Program::weight_tiles, or kNone:
  TensorId tensor = kNone;         ///< a network input
  int sample = 0;
  std::int64_t bytes = 0;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  int uses = 0;                    ///< loads after which the space is given back (ring)
  /// Fetches [released_begin, released_end) must have had all their uses before this one may
  /// overwrite their space; all lower than this one's index.
  int released_begin = 0;
  int released_end = 0;
};

/// A stored result that leaves the chip: SRAM to DRAM when the last row of the sample is stored.
struct WriteBack {
  TensorId tensor = kNone;
  std::uint64_t to = 0;
  std::int64_t sample_bytes = 0;
};

/// Where the SRAM goes.
struct MemoryPlan {
  std::int64_t sram_activations = 0;   ///< bytes, peak
  std::int64_t sram_weights = 0;       ///< resident images, or the ring
  std::int64_t dram_activations = 0;
  std::int64_t dram_weights = 0;
  bool weights_resident = false;       ///< the next program of the same workload fetches none
  std::uint64_t ring_begin = 0;
  std::int64_t ring_bytes = 0;
};

struct Program {
  int batch = 1;                       ///< samples
  std::vector<TensorPlan> tensors;
  std::vector<GemmPlan> gemms;
  std::vector<VectorPlan> vectors;
  std::vector<WeightTilePlan> weight_tiles;
  std::vector<Task> tasks;             ///< program order
  std::vector<Fetch> fetches;          ///< program order; of a cold run
  std::vector<WriteBack> write_backs;
  MemoryPlan memory;
  /// Per layer of the graph: index of its plan, or kNone. A layer with neither is a view.
  std::vector<int> gemm_of_layer;
  std::vector<int> vector_of_layer;
};

}  // namespace lacuna::mapper
