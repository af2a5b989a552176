// SPDX-License-Identifier: Apache-2.0
//
// A compiled activation block: what one half of the engine's activation memories holds during a
// pass (docs/reference/engine.md, section 2): per way, group of V tokens and window a union mask,
// and the packed V-wide values of its set bits. Immutable once made; shareable between threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "params/chip_params.h"
#include "timing/engine/windows.h"

namespace lacuna::timing::engine {

/// What to compile. A token's codes (raw bytes, u8 or s8: zero is zero in both) are given segment
/// by segment, so that a convolution needs no copy of its windows of the image.
struct BlockSource {
  int tokens = 0;  ///< >= 1
  Segments segments;
  WindowRange windows;  ///< of the layer's WindowTable; the tile's
  /// rows[t*touched + (s - first)] = codes of token t in segment s, beginning with the segment's
  /// channel 0 even if the windows begin later in it; null = all zero (padding pixel). `first` =
  /// WindowTable::first_segment(windows), touched = last_segment - first_segment. For a matrix
  /// product that is rows[t] = row t of the left matrix.
  std::span<const std::uint8_t* const> rows;
  bool skip_activations = true;  ///< false: the bit of every existing k is set
  bool keep_values = true;       ///< false: the block can be timed, but nobody can compute with it
};

struct Block {
  int k_ways = 0;
  int lanes = 0;
  int scan_width = 0;
  int tokens = 0;
  int groups = 0;  ///< ceil(tokens/V)
  int positions = 0;
  int windows = 0;

  int window_words = 1;              ///< 64-bit words of a window's mask: ceil(S/64)
  std::vector<std::uint64_t> masks;  ///< [Q][groups][windows][window_words]
  /// Per way: V bytes per set bit, slot order. May be absent: empty in all ways.
  std::vector<std::vector<std::uint8_t>> values;
  std::vector<std::vector<std::uint32_t>> slot_base;  ///< per way: set bits before each slot, +1
  std::vector<std::uint32_t> set_groups;              ///< [Q][X] groups whose mask has the bit
  std::vector<std::uint32_t> nonzero_lanes;           ///< [Q][X] non-zero values of all tokens
  std::int64_t nonzeros = 0;                          ///< their sum

  std::int64_t image_bytes = 0;  ///< size of block_image(), a multiple of load_width
  std::uint64_t key = 0;         ///< hash of everything above: equal keys, equal blocks

  [[nodiscard]] bool has_values() const;
  /// Set bits of a way in the whole block / in one group.
  [[nodiscard]] std::int64_t set_bits(int way) const {
    return slot_base[static_cast<std::size_t>(way)].back();
  }
  [[nodiscard]] std::int64_t set_bits(int way, int group) const;
};

/// Compiles a block. Contradictions between source and parameters are InternalErrors.
[[nodiscard]] Block make_block(const params::EngineParams& params, const BlockSource& source);

}  // namespace lacuna::timing::engine
