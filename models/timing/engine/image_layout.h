// SPDX-License-Identifier: Apache-2.0
//
// Sizes of the load images, shared by those who announce them (tile, block) and those who write
// them (image). Internal to the engine model.
#pragma once

#include <cstdint>

#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/tile.h"

namespace lacuna::timing::engine {

/// `bytes` rounded up to whole load beats.
[[nodiscard]] inline std::int64_t to_beats(const params::EngineParams& params, std::int64_t bytes) {
  return (bytes + params.load_width - 1) / params.load_width * params.load_width;
}

[[nodiscard]] std::int64_t weight_image_bytes(const params::EngineParams& params, const Tile& tile);
[[nodiscard]] std::int64_t block_image_bytes(const params::EngineParams& params,
                                             const Block& block);

}  // namespace lacuna::timing::engine
