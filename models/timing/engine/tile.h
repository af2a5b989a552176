// SPDX-License-Identifier: Apache-2.0
//
// A compiled weight tile: what one half of the engine's weight memories holds during a pass, in the
// form in which the timing model reads it (docs/reference/engine.md, section 2). A tile is a value:
// immutable once made, independent of the source it was made from, safe to share between threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "params/chip_params.h"
#include "tensor/mask_matrix.h"
#include "timing/engine/windows.h"

namespace lacuna::timing::engine {

/// Weights of a whole layer in memory: code of channel n at k is data[n*n_stride + k*k_stride].
struct WeightView {
  const std::int8_t* data = nullptr;
  std::int64_t n_stride = 0;
  std::int64_t k_stride = 1;
  std::int64_t first = 0;  ///< channel of the layer that `data` begins with

  [[nodiscard]] const std::int8_t* from(std::int64_t n, std::int64_t k) const {
    return data + (n - first) * n_stride + k * k_stride;
  }
  [[nodiscard]] std::int8_t at(std::int64_t n, std::int64_t k) const { return *from(n, k); }
};

/// What to compile: `weights`, or `mask`, or both (which then agree). With a mask alone the tile
/// has no codes: it can be timed, but nobody can compute with it. `weights`, `mask` (a row per
/// channel) and the requantize vectors are indexed with the layer's channels and k; the tile is
/// channels [first_channel, first_channel + channels) of the windows `windows` of the layer's
/// WindowTable.
struct TileSource {
  WeightView weights;
  const tensor::MaskMatrix* mask = nullptr;
  bool keep_codes = true;
  Segments segments;
  WindowRange windows;
  std::int64_t first_channel = 0;
  int channels = 0;          ///< N of the tile, 1 .. pes*rows_per_pe
  bool skip_weights = true;  ///< false: every existing (k, n) has its mask bit set
  bool in_place = false;     ///< values lie at dense places (operand made at run time)
  /// PE of place i of row r at [r*P + i], R_used*P long; empty: PE i. See balance.h.
  std::vector<std::uint8_t> order;
  /// Requantization of the tile's channels (index 0 = first_channel); all three or none.
  std::span<const std::int32_t> bias;
  std::span<const std::int32_t> multiplier;
  std::span<const std::uint8_t> shift;
};

/// P, Q, X, R_used below are pes, k_ways, positions, rows. "Entry (q, x)" is position x of way q.
struct Tile {
  int pes = 0;
  int k_ways = 0;
  int scan_width = 0;
  int weight_word = 0;
  int channels = 0;   ///< N
  int rows = 0;       ///< R_used = ceil(N/P)
  int positions = 0;  ///< X, per way
  int windows = 0;    ///< per way
  int mask_bytes =
      0;  ///< of one R-bit mask in image and buffer: smallest power of two that holds it
  bool in_place = false;
  bool has_post = false;  ///< bias, multiplier and shift are there

  std::vector<int> base;                 ///< [windows+1] first position of each window
  std::vector<std::uint8_t> order;       ///< [R_used*P] PE of place i of row r
  std::vector<std::int32_t> bias;        ///< [N] or empty
  std::vector<std::int32_t> multiplier;  ///< [N] or empty
  std::vector<std::uint8_t> shift;       ///< [N] or empty
  int window_words = 1;                  ///< 64-bit words of a window's mask: ceil(S/64)
  std::vector<std::uint64_t> present;    ///< [Q][windows][window_words]
  int mask_stride = 0;              ///< bytes of an entry's masks: P*mask_bytes, rounded up to 32
  std::vector<std::uint8_t> masks;  ///< [Q][X][mask_stride]: of PE p at p*mask_bytes, bit r: row r
  /// [Q][ceil(X/4)][N][4] weight codes: four positions of a channel side by side, as sums of
  /// products want them; 0 where a way has no position left. May be absent.
  std::vector<std::int8_t> codes;
  int count_stride = 0;      ///< P rounded up to a multiple of 16
  bool wide_counts = false;  ///< counts16 instead of counts8 (R_used > 255)
  /// Weights of PE p, [Q][2X+3][count_stride], in the form that the recurrence reads. Row
  /// x: position x. X: none. X+1+x: position x, but at least 1 (padding too). 2X+1: ones. 2X+2:
  /// none.
  std::vector<std::uint8_t> counts8;
  std::vector<std::uint16_t> counts16;
  std::vector<std::uint32_t> count_sum;  ///< [Q][X] weights of all PEs
  std::vector<std::uint32_t> word_sum;   ///< [Q][X] value memory words read by all PEs
  std::vector<std::uint32_t> zero_pes;   ///< [Q][X] PEs without a weight
  std::vector<std::uint8_t> any_masks;   ///< [Q][mask_stride] OR of the masks over x
  std::vector<std::uint32_t> pe_values;  ///< [Q][P] value bytes in the value memory
  std::int64_t weights = 0;              ///< mask bits set in all

  std::int64_t image_bytes = 0;  ///< size of weight_image(), a multiple of load_width
  std::uint64_t key = 0;         ///< hash of everything above: equal keys, equal tiles

  [[nodiscard]] bool has_codes() const { return !codes.empty(); }
  /// Quads of positions, per way.
  [[nodiscard]] int quads() const { return (positions + 3) / 4; }
  /// Index in `codes` of channel 0 at a position; channel n follows 4 n later.
  [[nodiscard]] std::size_t code_index(int way, int position) const {
    const std::int64_t quad = std::int64_t{way} * quads() + position / 4;
    return static_cast<std::size_t>(quad * channels * 4 + position % 4);
  }
  /// log2(mask_bytes), the load command's field.
  [[nodiscard]] int mask_log() const;
  [[nodiscard]] std::size_t entry(int way, int position) const {
    return static_cast<std::size_t>(way) * static_cast<std::size_t>(positions) +
           static_cast<std::size_t>(position);
  }
  /// Index in counts8 or counts16 of a row of a way.
  [[nodiscard]] std::size_t count_row(int way, int row) const {
    return (static_cast<std::size_t>(way) * (2 * static_cast<std::size_t>(positions) + 3) +
            static_cast<std::size_t>(row)) *
           static_cast<std::size_t>(count_stride);
  }
  [[nodiscard]] int count(int way, int position, int pe) const {
    const std::size_t at = count_row(way, position) + static_cast<std::size_t>(pe);
    return wide_counts ? counts16[at] : counts8[at];
  }
};

/// Compiles a tile. A source that contradicts itself or the parameters (shapes, order not a
/// permutation, shift outside 1..62) is an InternalError: check capacity first (capacity.h).
[[nodiscard]] Tile make_tile(const params::EngineParams& params, const TileSource& source);

}  // namespace lacuna::timing::engine
