// SPDX-License-Identifier: Apache-2.0
//
// The capacity rules at the end of section 9 of docs/reference/engine.md: what must hold before a
// tile, a block or a pass may be made. The mapper plans with the size functions and checks with
// the violations; a violation is the mapper's error, its text says which rule and by how much.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/tile.h"

namespace lacuna::timing::engine {

/// Bytes of an R-bit mask: the smallest power of two of bytes that holds `rows` bits.
[[nodiscard]] int mask_bytes_for(int rows);

/// MAX_POSITIONS: positions per way of a tile.
[[nodiscard]] int max_positions(const params::EngineParams& params);

/// Bytes of one PE's share of the weight buffer half, and what masks, pointers and `values` value
/// bytes of a tile take of it.
[[nodiscard]] std::int64_t pe_weight_capacity(const params::EngineParams& params);
[[nodiscard]] std::int64_t pe_weight_bytes(const params::EngineParams& params, int positions,
                                           int rows, std::int64_t values);

/// Bytes of partial sums and (worst case) of outputs that a pass reserves.
[[nodiscard]] std::int64_t psum_bytes(const params::EngineParams& params, int rows, int groups);
[[nodiscard]] std::int64_t output_bytes(const params::EngineParams& params, int tokens,
                                        int channels);

/// Empty when the tile fits / the block fits / the pass's partial sums and outputs fit.
[[nodiscard]] std::vector<std::string> capacity_violations(const params::EngineParams& params,
                                                           const Tile& tile);
[[nodiscard]] std::vector<std::string> capacity_violations(const params::EngineParams& params,
                                                           const Block& block);
[[nodiscard]] std::vector<std::string> capacity_violations(const params::EngineParams& params,
                                                           const Tile& tile, const Block& block,
                                                           bool psum, bool outputs);

}  // namespace lacuna::timing::engine
