// SPDX-License-Identifier: Apache-2.0
#include "mapper/tile_size.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/bits.h"
#include "base/cycles.h"
#include "encoding/expected_size.h"
#include "tensor/mask_matrix.h"

namespace lacuna::mapper {
namespace {

using encoding::ExpectedLine;
using params::WeightFormat;

constexpr double kPlaceBytes = 2;   ///< of a row and PE (row_layout.h)
constexpr double kLengthBytes = 2;  ///< of a row, in the header

/// Bytes of image weights per non-zero one, roughly: a byte, and masks.
constexpr double kImageBytesPerWeight = 1.4;

/// (run, code) pairs of the lines of k of a mask, per code.
double run_pairs(const tensor::MaskMatrix& mask, int run_bits) {
  const std::int64_t longest = (std::int64_t{1} << run_bits) - 1;
  std::int64_t pairs = 0;
  for (std::int64_t row = 0; row < mask.rows; ++row) {
    std::int64_t next = 0;  // the first code that no pair has yet
    for (std::int64_t word = 0; word < mask.stride; ++word) {
      for (std::uint64_t bits = mask.row(row)[word]; bits != 0; bits &= bits - 1) {
        const std::int64_t at = word * 64 + std::countr_zero(bits);
        pairs += (at - next) / (longest + 1) + 1;
        next = at + 1;
      }
    }
    pairs += base::ceil_div(mask.columns - next, longest + 1);
  }
  return static_cast<double>(pairs) /
         static_cast<double>(std::max<std::int64_t>(1, mask.rows * mask.columns));
}

bool holds_nm(const tensor::MaskMatrix& mask, int n, int m) {
  for (std::int64_t row = 0; row < mask.rows; ++row) {
    for (std::int64_t k = 0; k < mask.columns; k += m) {
      const auto count = static_cast<int>(std::min<std::int64_t>(m, mask.columns - k));
      if (base::popcount(tensor::row_bits(mask.row(row), k, count)) > n) return false;
    }
  }
  return true;
}

/// Mean bytes of a tile's lines of k.
double encoded_bytes(const params::CompressParams& compress, const WeightPattern& pattern,
                     const MeanTile& tile) {
  using encoding::Format;
  const ExpectedLine line{tile.k, tile.density};
  const auto bytes = [&](Format format) {
    const bool counted = format == Format::kRunLength && pattern.run_pairs > 0;
    const double bits = counted ? pattern.run_pairs * tile.k * (compress.run_bits + 8)
                                : encoding::expected_bits(line, format, compress);
    return tile.channels * bits / 8;
  };
  if (const auto fixed = encoding::fixed_format(compress.weights)) return bytes(*fixed);
  if (compress.weights == WeightFormat::kNm) {
    return encoding::kTagBytes + bytes(pattern.holds_nm ? Format::kNm : Format::kBitmask);
  }
  double least = bytes(Format::kDense);
  for (const Format format : encoding::kFormats) {
    if (format == Format::kNm && !pattern.holds_nm) continue;
    least = std::min(least, bytes(format));
  }
  return encoding::kTagBytes + least;
}

double round_up(double bytes, double unit) { return std::ceil(bytes / unit) * unit; }

/// Bytes of the rows of a tile (row_layout.h), each on average.
struct MeanRow {
  double taken = 0;   ///< by the engine
  double packed = 0;  ///< as stored
  double padded = 0;  ///< to whole bursts
  double beats = 0;
};

MeanRow mean_row(const params::ChipParams& chip, const MeanTile& tile, std::int64_t burst_bytes) {
  const params::EngineParams& engine = chip.engine;
  const double places = engine.pes * kPlaceBytes;
  const double masks = static_cast<double>(engine.pes * mask_bytes(tile.rows));
  const double values = tile.channels * tile.density;
  const encoding::ExpectedBytes taken{places + masks + values,
                                      std::sqrt(values * (1 - tile.density))};
  const auto burst = static_cast<int>(burst_bytes);
  MeanRow row{taken.mean, taken.mean, encoding::expected_rounded(taken, burst),
              encoding::expected_rounded(taken, engine.load_width) / engine.load_width};
  if (chip.compress.weights != WeightFormat::kImage) {
    const params::CompressParams& compress = chip.compress;
    const ExpectedLine line{tile.channels, tile.density};
    row.packed = places + encoding::expected_bytes(line, compress, compress.weights).mean;
    row.padded = encoding::expected_rounded(line, compress, compress.weights, places, burst);
  }
  return row;
}

/// Of a tile's rows in memory and of a load of those that are wanted.
TileSize rows_size(const params::ChipParams& chip, const MeanTile& tile, std::int64_t burst_bytes) {
  const params::EngineParams& engine = chip.engine;
  const double width = engine.load_width;
  const double places = static_cast<double>(engine.pes) * tile.rows;
  const double lengths = round_up(kLengthBytes * tile.k, width);
  const double header = round_up(2 * tile.windows, width) +
                        round_up(engine.k_ways * tile.windows * engine.scan_width / 8, width) +
                        round_up(places, width) +
                        tile.post_share * (round_up(8 * places, width) + round_up(places, width));
  const auto burst = static_cast<double>(burst_bytes);
  const MeanRow row = mean_row(chip, tile, burst_bytes);
  const double rows = tile.wanted * tile.k;
  TileSize size;
  const double stored_header = round_up(header + lengths, burst);
  size.stored = stored_header + tile.k * row.padded;
  size.moved = stored_header + rows * row.padded;
  size.crossing = size.moved;
  if (chip.dram.has_near_memory()) {
    size.crossing = header + rows * (chip.dram.near_memory->decode ? row.taken : row.packed);
  }
  size.beats = (header + lengths) / width + rows * row.beats;
  const double run = tile.wanted < 1 ? std::min(tile.k, 1 / (1 - tile.wanted)) : tile.k;
  size.piece = run * row.padded;
  return size;
}

}  // namespace

WeightPattern weight_pattern(const tensor::MaskMatrix& mask,
                             const params::CompressParams& compress) {
  WeightPattern pattern;
  const bool any = compress.weights == WeightFormat::kAuto;
  if (any || compress.weights == WeightFormat::kRunLength) {
    pattern.run_pairs = run_pairs(mask, compress.run_bits);
  }
  if (any || compress.weights == WeightFormat::kNm) {
    pattern.holds_nm = holds_nm(mask, compress.nm_n, compress.nm_m);
  }
  return pattern;
}

bool selects_rows(const SplitProblem& problem, const params::EngineParams& engine,
                  const Split& split) {
  return problem.row_layout && engine.skip_activations && split.task_runs == 1;
}

double image_beats(const params::EngineParams& engine, const MeanTile& tile, bool in_place) {
  const double width = engine.load_width;
  const double pes = static_cast<double>(engine.pes) * engine.k_ways;
  const double places = static_cast<double>(tile.rows) * engine.pes;
  const double values_per_pe = tile.k * tile.channels * tile.density / pes;
  const double masks =
      std::ceil(tile.positions * static_cast<double>(mask_bytes(tile.rows)) / width);
  const double values = std::ceil((in_place ? tile.positions * tile.rows : values_per_pe) / width);
  return std::ceil(tile.windows * 2 / width) +
         std::ceil(engine.k_ways * tile.windows * engine.scan_width / (8 * width)) +
         std::ceil(places / width) +
         tile.post_share * (std::ceil(places * 8 / width) + std::ceil(places / width)) +
         pes * (masks + values);
}

TileSize tile_size(const params::ChipParams& chip, const SplitProblem& problem,
                   const MeanTile& tile, bool in_place) {
  if (problem.row_layout) return rows_size(chip, tile, problem.burst_bytes);
  TileSize size;
  size.beats = image_beats(chip.engine, tile, in_place);
  if (chip.compress.weights == WeightFormat::kImage || problem.run_time) {
    size.stored = size.beats * chip.engine.load_width;
  } else {
    const double places = static_cast<double>(chip.engine.pes) * tile.rows;
    size.stored = 2 * tile.windows + places + tile.post_share * kRequantizeBytes * places +
                  encoded_bytes(chip.compress, problem.pattern, tile);
  }
  size.moved = size.crossing = size.piece = size.stored;
  return size;
}

double layer_bytes(const params::ChipParams& chip, std::int64_t n, std::int64_t k,
                   std::int64_t nonzeros, bool row_layout, std::int64_t burst_bytes) {
  if (!row_layout && chip.compress.weights == WeightFormat::kImage) {
    return kImageBytesPerWeight * static_cast<double>(nonzeros);
  }
  const std::int64_t channels = std::min<std::int64_t>(n, chip.engine.max_channels());
  MeanTile tile;
  tile.rows = static_cast<int>(rows_used(chip.engine, channels));
  tile.channels = static_cast<double>(channels);
  tile.k = static_cast<double>(k);
  tile.density = static_cast<double>(nonzeros) / static_cast<double>(n * k);
  const double tiles = static_cast<double>(n) / tile.channels;
  return tiles * (row_layout ? tile.k * mean_row(chip, tile, burst_bytes).padded
                             : encoded_bytes(chip.compress, {}, tile));
}

}  // namespace lacuna::mapper
