// SPDX-License-Identifier: Apache-2.0
#include "mapper/row_layout.h"

#include "base/cycles.h"
#include "base/error.h"
#include "encoding/encoding.h"

namespace lacuna::mapper {
namespace {

using base::ceil_div;
using base::round_up;
using timing::engine::Tile;
using timing::engine::WindowRange;
using timing::engine::WindowTable;

constexpr std::int64_t kLengthBytes = 2;  ///< of a row, in the header
constexpr std::int64_t kPlaceBytes = 2;   ///< where a PE's values of the row go

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Header without padding. Sections begin in new beats, as in the tile image.
std::int64_t header_fill(const params::EngineParams& engine, const Tile& tile, std::int64_t k) {
  const auto beats = [&](std::int64_t bytes) {
    return round_up<std::int64_t>(bytes, engine.load_width);
  };
  const std::int64_t places = std::int64_t{tile.pes} * tile.rows;
  std::int64_t bytes = beats(2 * std::int64_t{tile.windows}) +
                       beats(std::int64_t{tile.k_ways} * tile.windows * (tile.scan_width / 8)) +
                       beats(places);
  if (tile.has_post) bytes += beats(8 * places) + beats(places);
  return bytes + beats(kLengthBytes * k);
}

/// Calls f(way, window, bit, position) for every k of the windows, ascending.
template <class Function>
void for_each_row(const WindowTable& table, WindowRange windows, Function&& f) {
  for (int w = windows.begin; w < windows.end; ++w) {
    const int count = static_cast<int>(table.k_range({w, w + 1}).count());
    const int base = table.base(w) - table.base(windows.begin);
    for (int i = 0; i < count; ++i) {
      const int bit = i / table.k_ways();
      f(i % table.k_ways(), w - windows.begin, bit, base + bit);
    }
  }
}

}  // namespace

std::int64_t row_bytes(const Tile& tile, int way, int position) {
  return std::int64_t{tile.pes} * (tile.mask_bytes + kPlaceBytes) +
         tile.count_sum[tile.entry(way, position)];
}

std::int64_t stored_row_bytes(const Tile& tile, const params::CompressParams& compress, int way,
                              int position) {
  if (compress.weights == params::WeightFormat::kImage) return row_bytes(tile, way, position);
  const auto channels = static_cast<std::size_t>(tile.channels);
  std::vector<std::uint8_t> drawn;
  encoding::Grid line;
  if (tile.has_codes()) {
    line = {
        reinterpret_cast<const std::uint8_t*>(tile.codes.data()) + tile.code_index(way, position),
        1, tile.channels, 0, 4};
  } else {  // sizes depend on where the non-zeros are only
    const std::uint8_t* masks =
        tile.masks.data() + tile.entry(way, position) * static_cast<std::size_t>(tile.mask_stride);
    for (std::size_t n = 0; n < channels; ++n) {
      const std::size_t row = n / static_cast<std::size_t>(tile.pes);
      const std::size_t pe = tile.order[n];
      drawn.push_back(
          (masks[pe * static_cast<std::size_t>(tile.mask_bytes) + row / 8] >> (row % 8)) & 1U);
    }
    line = encoding::line_of(drawn);
  }
  return tile.pes * kPlaceBytes + encoding::choose(line, compress, compress.weights).bytes;
}

std::int64_t row_header_bytes(const params::EngineParams& engine, const Tile& tile, std::int64_t k,
                              std::int64_t burst_bytes) {
  return round_up(header_fill(engine, tile, k), burst_bytes);
}

std::int64_t row_image_bytes(const params::EngineParams& engine, const WindowTable& table,
                             WindowRange windows, const Tile& tile, std::int64_t burst_bytes,
                             const params::CompressParams& compress) {
  std::int64_t bytes = row_header_bytes(engine, tile, table.k_range(windows).count(), burst_bytes);
  for_each_row(table, windows, [&](int way, int, int, int position) {
    bytes += round_up(stored_row_bytes(tile, compress, way, position), burst_bytes);
  });
  return bytes;
}

std::vector<std::uint64_t> wanted_rows(std::span<const timing::engine::Block* const> blocks) {
  std::vector<std::uint64_t> wanted;
  for (const timing::engine::Block* block : blocks) {
    const std::size_t words = index(std::int64_t{block->windows} * block->window_words);
    wanted.resize(index(block->k_ways) * words, 0);
    const std::uint64_t* mask = block->masks.data();
    for (std::size_t way = 0; way < index(block->k_ways); ++way) {
      for (int group = 0; group < block->groups; ++group) {
        for (std::size_t i = 0; i < words; ++i) wanted[way * words + i] |= *mask++;
      }
    }
  }
  return wanted;
}

RowSelection select_rows(const params::EngineParams& engine, const WindowTable& table,
                         WindowRange windows, const Tile& tile, std::int64_t burst_bytes,
                         std::span<const std::uint64_t> wanted,
                         const params::CompressParams& compress) {
  const std::int64_t words = std::int64_t{tile.windows} * tile.window_words;
  LACUNA_CHECK(wanted.empty() || wanted.size() == index(tile.k_ways * words),
               "{} mask words for a tile of {} x {}", wanted.size(), tile.k_ways, words);
  RowSelection selection;
  selection.all_rows = table.k_range(windows).count();
  selection.header_bytes = row_header_bytes(engine, tile, selection.all_rows, burst_bytes);
  selection.fill_bytes = header_fill(engine, tile, selection.all_rows);
  selection.header_fill =
      selection.fill_bytes -
      round_up<std::int64_t>(kLengthBytes * selection.all_rows, engine.load_width);
  selection.beats = ceil_div<std::int64_t>(selection.fill_bytes, engine.load_width);
  std::int64_t offset = selection.header_bytes;
  for_each_row(table, windows, [&](int way, int window, int bit, int position) {
    const std::int64_t bytes = row_bytes(tile, way, position);
    const std::int64_t stored = stored_row_bytes(tile, compress, way, position);
    const std::int64_t padded = round_up(stored, burst_bytes);
    const std::int64_t word = way * words + std::int64_t{window} * tile.window_words + bit / 64;
    if (wanted.empty() || (wanted[index(word)] >> (bit % 64) & 1U) != 0) {
      ++selection.rows;
      selection.fill_bytes += bytes;
      selection.beats += ceil_div<std::int64_t>(bytes, engine.load_width);
      if (!selection.runs.empty() &&
          selection.runs.back().offset + selection.runs.back().bytes == offset) {
        selection.runs.back().bytes += padded;
        selection.packed.back() += stored;
        selection.decoded.back() += bytes;
      } else {
        selection.runs.push_back({offset, padded});
        selection.packed.push_back(stored);
        selection.decoded.push_back(bytes);
      }
    }
    offset += padded;
  });
  return selection;
}

}  // namespace lacuna::mapper
