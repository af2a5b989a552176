// SPDX-License-Identifier: Apache-2.0
//
// The byte images that the engine's load port takes (docs/reference/engine.md, section 9), and how
// long loads take in the chip. Bit i of a packed bit sequence is bit i%8 of byte i/8.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cycles.h"
#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/tile.h"

namespace lacuna::timing::engine {

/// image_bytes of tile and block are the sizes of these, multiples of load_width. Tiles of more
/// than 64 rows have no image in the RTL; theirs follows the same rules.
[[nodiscard]] std::vector<std::uint8_t> weight_image(const params::EngineParams& params,
                                                     const Tile& tile);
[[nodiscard]] std::vector<std::uint8_t> block_image(const params::EngineParams& params,
                                                    const Block& block);

/// Beats of the tile's image + L_load - 1: from the first beat to the first cycle of a start.
[[nodiscard]] base::Cycle weight_load_cycles(const params::EngineParams& params, const Tile& tile);

/// Bytes of `channels` codes of which `nonzeros` are not zero in stored (encoded) form: one mask of
/// act_block bits per act_block channels begun, and the packed codes.
[[nodiscard]] std::int64_t stored_bytes(const params::EngineParams& params, int channels,
                                        std::int64_t nonzeros);
/// Size of the slot that a stored row of `channels` codes occupies: dense plus masks.
[[nodiscard]] std::int64_t stored_slot_bytes(const params::EngineParams& params, int channels);

/// Cycles in which the loader in front of the engine merges group `group` of the block into the
/// buffer: max(ceil(bytes/load_width), segments), for V > 1 also at least the longest way's union.
/// `bytes`: encoded bytes of the group's tokens; `segments`: segments of a token in the K tile.
[[nodiscard]] base::Cycle group_load_cycles(const params::EngineParams& params, const Block& block,
                                            int group, std::int64_t bytes, int segments);

}  // namespace lacuna::timing::engine
