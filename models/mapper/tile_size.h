// SPDX-License-Identifier: Apache-2.0
//
// What a layer's weights take in memory and on their way, as far as it is known before they are cut
// into tiles: by form (compress.weights), layout, and which rows the activations ask for. Mean
// tiles, from counts; the sizes of real ones are in tile_compiler.h and row_layout.h.
#pragma once

#include <cstdint>

#include "mapper/split.h"
#include "tensor/mask_matrix.h"

namespace lacuna::mapper {

/// How the non-zeros of a layer lie, of which the size of a form depends: lines of k.
[[nodiscard]] WeightPattern weight_pattern(const tensor::MaskMatrix& mask,
                                           const params::CompressParams& compress);

/// A mean tile of a split.
struct MeanTile {
  int rows = 0;  ///< of PEs
  double channels = 0;
  double k = 0;
  double positions = 0;  ///< per way
  double windows = 0;
  double density = 1;     ///< of its weights
  double post_share = 0;  ///< of tiles that carry bias, multiplier and shift
  double wanted = 1;      ///< share of the k that activations ask for, if rows are selected
};

/// Bytes and beats of a tile and of a load of it, on average.
struct TileSize {
  double stored = 0;    ///< in memory
  double moved = 0;     ///< from memory, for a load
  double crossing = 0;  ///< of that, what comes to the chip if near-memory units select rows
  double beats = 0;     ///< of the load port
  double piece = 0;     ///< bytes of a request: a run of rows, or all
};

/// Whether a load takes only rows that activations ask for: a task alone has the tile.
[[nodiscard]] bool selects_rows(const SplitProblem& problem, const params::EngineParams& engine,
                                const Split& split);

/// Beats of a weight tile's image (engine.md, section 9): sections and PEs begin in new beats.
/// `in_place`: values of a run-time operand, at dense places.
[[nodiscard]] double image_beats(const params::EngineParams& engine, const MeanTile& tile,
                                 bool in_place);

[[nodiscard]] TileSize tile_size(const params::ChipParams& chip, const SplitProblem& problem,
                                 const MeanTile& tile, bool in_place);

/// Bytes of all of a layer's n x k weights in memory, before they are cut: of tiles with as many
/// channels as the engine takes.
[[nodiscard]] double layer_bytes(const params::ChipParams& chip, std::int64_t n, std::int64_t k,
                                 std::int64_t nonzeros, bool row_layout, std::int64_t burst_bytes);

}  // namespace lacuna::mapper
