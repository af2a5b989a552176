// SPDX-License-Identifier: Apache-2.0
//
// How one engine layer is cut into tiles, blocks and tasks, and which rules a cut must keep
// (docs/reference/engine.md, capacity). The choice among sound splits is in search.h, what each is
// expected to take in predict.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cycles.h"
#include "base/error.h"
#include "mapper/program.h"
#include "mapper/weight_counts.h"
#include "params/chip_params.h"
#include "timing/engine/windows.h"

namespace lacuna::mapper {

/// How the non-zeros of a layer's weights lie, as far as the size of a form in memory depends on it
/// (tile_size.h).
struct WeightPattern {
  double run_pairs = 0;   ///< (run of zeros, code) pairs of rle, per code; 0: not counted
  bool holds_nm = false;  ///< every group of nm_m has at most nm_n
  friend bool operator==(const WeightPattern&, const WeightPattern&) = default;
};

/// What the choice depends on, besides the chip.
struct SplitProblem {
  std::string layer;      ///< for messages
  std::int64_t rows = 0;  ///< M, whole batch
  std::int64_t n = 0;     ///< per head
  int heads = 1;          ///< products of this shape
  int gathers = 1;        ///< least load-port cycles of a row: its segments
  bool run_time = false;  ///< the right operand is made at run time
  bool transpose_right = false;
  bool follows_engine = false;  ///< the input is what an engine layer stores
  bool row_layout = false;
  double activation_density = 0.5;  ///< assumed share of non-zero activations
  double present = 1.0;             ///< share of a row's k that are not padding
  /// Weights come from DRAM while the layer runs, so many bytes per cycle; 0: they are in SRAM.
  double stream_bytes_per_cycle = 0.0;
  double dram_bytes_per_cycle = 0.0;      ///< what a first program waits for; 0: not known
  double channels_bytes_per_cycle = 0.0;  ///< the same in front of the link
  std::int64_t burst_bytes = 64;          ///< of the DRAM: rows of `row_layout` are padded to it
  WeightPattern pattern = {};             ///< of the weights, where their form asks for it
  params::Ordering order = params::Ordering::kAuto;  ///< kAuto: searched
  params::KOrder k_order = params::KOrder::kAuto;
  /// What the workload fixes, and where it says so (by key; may be null).
  params::LayerMapping fixed = {};
  const std::map<std::string, base::SourceLocation>* fixed_at = nullptr;
  friend bool operator==(const SplitProblem&, const SplitProblem&) = default;
};

/// Rows of PEs that `channels` output channels take.
[[nodiscard]] inline std::int64_t rows_used(const params::EngineParams& engine,
                                            std::int64_t channels) {
  return base::ceil_div<std::int64_t>(channels, engine.pes);
}

/// Cycles in which a group of `channels` channels drains.
[[nodiscard]] inline std::int64_t drain_beats(const params::EngineParams& engine,
                                              std::int64_t channels) {
  return base::ceil_div<std::int64_t>(engine.pes * rows_used(engine, channels), engine.drain_width);
}

/// Bytes that the outputs of a token take in the output buffer.
[[nodiscard]] inline std::int64_t token_output_bytes(const params::EngineParams& engine,
                                                     std::int64_t channels) {
  return base::ceil_div<std::int64_t>(channels, engine.act_block) *
         (engine.act_block + engine.act_block / 8);
}

/// Bytes of partial sums of a block.
[[nodiscard]] inline std::int64_t block_psum_bytes(const params::EngineParams& engine,
                                                   std::int64_t channels, std::int64_t rows) {
  return 4 * static_cast<std::int64_t>(engine.drain_width) * engine.lanes *
         drain_beats(engine, channels) * base::ceil_div<std::int64_t>(rows, engine.lanes);
}

/// Bytes of partial sums that a task must have room for: of all its blocks, or of the block under
/// way where a part of K is a single tile; 0 if there are none.
[[nodiscard]] std::int64_t psum_bytes(const params::EngineParams& engine, const Split& split);

/// Whether blocks of `rows` tokens of these windows keep the capacity rules, all activations
/// non-zero.
[[nodiscard]] bool block_fits(const WindowTable& windows, const params::EngineParams& engine,
                              std::int64_t rows, int begin, int end);

/// Rules that a split breaks; empty when it is sound. For tests and as a check of what was chosen.
[[nodiscard]] std::vector<std::string> split_violations(const SplitProblem& problem,
                                                        const WeightCounts& counts,
                                                        const WindowTable& windows,
                                                        const params::EngineParams& engine,
                                                        const Split& split);

}  // namespace lacuna::mapper
