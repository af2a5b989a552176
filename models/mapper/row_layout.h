// SPDX-License-Identifier: Apache-2.0
//
// `layout: row`: a weight tile in memory k by k, so that a loader that knows which activations are
// zero fetches only the rows that it needs.
//
//   header  window bases, present bits, order and requantization as in the tile image (engine.md,
//           section 9), then two bytes per k: the length of its row in bursts
//   rows    ascending k; per PE of the way that owns k its row mask and two bytes of place in the
//           weight memory, then the packed values of all PEs
//
// Header and rows are each padded to whole DRAM bursts. The place of a row in the weight memory is
// that of the complete tile, whichever rows are fetched: what a pass does and counts does not
// depend on it (docs/decisions/0032-rows-keep-their-places.md).
//
// Not here: when rows are fetched (tlm/core_load.cpp), what that costs in DRAM.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "params/chip_params.h"
#include "timing/engine/block.h"
#include "timing/engine/tile.h"
#include "timing/engine/windows.h"

namespace lacuna::mapper {

/// Bytes of the row of entry (way, position), without padding.
[[nodiscard]] std::int64_t row_bytes(const timing::engine::Tile& tile, int way, int position);
/// The same as it lies in memory: with `compress.weights` the places, then the row's codes in that
/// form (a line of its own, docs/reference/formats.md).
[[nodiscard]] std::int64_t stored_row_bytes(const timing::engine::Tile& tile,
                                            const params::CompressParams& compress, int way,
                                            int position);

/// Bytes of the header of a tile that holds `k` k, padded to whole bursts.
[[nodiscard]] std::int64_t row_header_bytes(const params::EngineParams& engine,
                                            const timing::engine::Tile& tile, std::int64_t k,
                                            std::int64_t burst_bytes);

/// Bytes of the whole tile in memory. `windows` are those of the tile in the layer's table.
[[nodiscard]] std::int64_t row_image_bytes(const params::EngineParams& engine,
                                           const timing::engine::WindowTable& table,
                                           timing::engine::WindowRange windows,
                                           const timing::engine::Tile& tile,
                                           std::int64_t burst_bytes,
                                           const params::CompressParams& compress = {});

/// Consecutive bytes of the image: whole bursts.
struct ByteRun {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  friend bool operator==(const ByteRun&, const ByteRun&) = default;
};

/// What a load of some rows moves.
struct RowSelection {
  std::int64_t header_bytes = 0;  ///< [0, header_bytes) of the image, in any case
  std::vector<ByteRun> runs;      ///< of the rows, ascending, neighbours merged
  std::int64_t rows = 0;          ///< selected
  std::int64_t all_rows = 0;
  std::int64_t fill_bytes = 0;  ///< into the weight buffer: header and rows without padding
  std::int64_t beats = 0;       ///< of the load port: each row begins in a new beat
  /// By run, of its rows: as stored without padding, and as the engine takes them.
  std::vector<std::int64_t> packed, decoded;
  std::int64_t header_fill = 0;  ///< what the engine needs of the header
};

/// Bit masks [way][window][window_words] of the k at which any token of the blocks is not zero. The
/// blocks are of one K tile.
[[nodiscard]] std::vector<std::uint64_t> wanted_rows(
    std::span<const timing::engine::Block* const> blocks);

/// The rows whose bit is set in `wanted`; all of them if it is empty.
[[nodiscard]] RowSelection select_rows(const params::EngineParams& engine,
                                       const timing::engine::WindowTable& table,
                                       timing::engine::WindowRange windows,
                                       const timing::engine::Tile& tile, std::int64_t burst_bytes,
                                       std::span<const std::uint64_t> wanted,
                                       const params::CompressParams& compress = {});

}  // namespace lacuna::mapper
