// SPDX-License-Identifier: Apache-2.0
//
// Weight tiles of a layer, compiled as the engine reads them. Used by the mapper for weights and,
// during a run, by the loader for operands made at run time.
#pragma once

#include <memory>

#include "mapper/program.h"
#include "params/chip_params.h"
#include "timing/engine/tile.h"
#include "timing/engine/windows.h"
#include "workload/graph.h"

namespace lacuna::mapper {

/// K of a layer as the engine sees it.
[[nodiscard]] timing::engine::Segments segments_of(const workload::Layer& layer);

/// A run-time operand of one head, in the stored right value (one sample) of `right_channels`
/// channels.
[[nodiscard]] timing::engine::WeightView run_time_weights(const workload::Layer& layer,
                                                          const std::uint8_t* right,
                                                          std::int64_t right_channels, int head);

/// The weights of a tile: codes, a mask, or both (TileSource).
struct TileOperand {
  timing::engine::WeightView weights;
  const tensor::MaskMatrix* mask = nullptr;
  bool keep_codes = true;  ///< in the tile; needs `weights`
};

/// Tile (n_tile, k_tile) of a plan. The last K tile, of a plan that alternates also the first,
/// carries the requantization, unless the vector unit requantizes (`split.k_parts` > 1).
/// LACUNA_CHECK: the tile keeps the capacity rules.
[[nodiscard]] std::shared_ptr<const timing::engine::Tile> compile_tile(
    const params::EngineParams& engine, const workload::Layer& layer, const GemmPlan& plan,
    const TileOperand& operand, int n_tile, int k_tile);

/// Bytes of a tile in memory, not in row layout: its image, or with `compress.weights` the header
/// (window bases, order, requantization) and a line of k for each channel, in that form
/// (docs/reference/formats.md). `mask`: of the whole layer, a row per channel; sizes depend on
/// nothing else.
[[nodiscard]] std::int64_t encoded_tile_bytes(const params::CompressParams& compress,
                                              const tensor::MaskMatrix& mask,
                                              const timing::engine::KRange& k,
                                              std::int64_t first_channel,
                                              const timing::engine::Tile& tile);

}  // namespace lacuna::mapper
