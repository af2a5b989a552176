// SPDX-License-Identifier: Apache-2.0
//
// Does what the mapper expects of tiles in memory agree with the tiles that are then compiled: in
// every form, whole and as rows of which some are wanted?
#include "mapper/tile_size.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"
#include "encoding/encoding.h"
#include "mapper/row_layout.h"
#include "mapper/tile_compiler.h"

namespace lacuna::mapper {
namespace {

namespace engine_model = timing::engine;
using params::WeightFormat;

constexpr int kK = 512;

struct Drawn {
  params::ChipParams chip;
  int channels = 0;
  tensor::MaskMatrix mask;
  engine_model::Tile tile;
  engine_model::WindowTable windows;

  Drawn(int channel_count, double density, std::uint64_t seed)
      : channels(channel_count), mask(channel_count, kK), windows(chip.engine, {1, kK}) {
    base::Rng rng(seed);
    for (std::int64_t n = 0; n < channels; ++n) {
      for (std::int64_t k = 0; k < kK; ++k) {
        if (rng.bernoulli(density)) mask.row(n)[k / 64] |= std::uint64_t{1} << (k % 64);
      }
    }
    engine_model::TileSource source;
    source.mask = &mask;
    source.segments = {1, kK};
    source.windows = {0, windows.windows()};
    source.channels = channels;
    tile = engine_model::make_tile(chip.engine, source);
  }
  [[nodiscard]] MeanTile mean(double density, double wanted) const {
    return {tile.rows,
            static_cast<double>(channels),
            kK,
            static_cast<double>(tile.positions),
            static_cast<double>(tile.windows),
            density,
            0.0,
            wanted};
  }
  [[nodiscard]] TileSize expected(const SplitProblem& problem, double density,
                                  double wanted = 1) const {
    return tile_size(chip, problem, mean(density, wanted), false);
  }
};

TEST(TileSize, TilesTakeWhatIsExpectedInEveryForm) {
  for (const double density : {0.05, 0.3, 0.7}) {
    for (const int channels : {16, 200}) {
      Drawn drawn(channels, density, 51);
      for (const auto& [format, name] : enum_names(WeightFormat{})) {
        drawn.chip.compress.weights = format;
        SplitProblem problem;
        problem.pattern = weight_pattern(drawn.mask, drawn.chip.compress);
        const auto stored = static_cast<double>(
            encoded_tile_bytes(drawn.chip.compress, drawn.mask, {0, kK}, 0, drawn.tile));
        const TileSize expected = drawn.expected(problem, density);
        // Values of a PE are not rounded up to beats together but one by one: images differ more.
        const double share = format == WeightFormat::kImage ? 0.15 : 0.05;
        EXPECT_NEAR(expected.stored, stored, share * stored) << name << ", density " << density;
        EXPECT_EQ(expected.moved, expected.stored);
        const auto beats = static_cast<double>(drawn.tile.image_bytes / 16);
        EXPECT_NEAR(expected.beats, beats, 0.15 * beats) << "the port takes images in any form";
      }
    }
  }
}

TEST(TileSize, RowsTakeWhatIsExpectedInEveryForm) {
  constexpr double kWanted = 0.3;
  constexpr std::int64_t kBurst = 64;
  for (const double density : {0.1, 0.5}) {
    for (const int channels : {48, 256}) {
      Drawn drawn(channels, density, 52);
      base::Rng rng(53);
      std::vector<std::uint64_t> wanted(static_cast<std::size_t>(
          drawn.tile.k_ways * drawn.tile.windows * drawn.tile.window_words));
      for (std::uint64_t& word : wanted) {
        for (int bit = 0; bit < 64; ++bit) {
          if (rng.bernoulli(kWanted)) word |= std::uint64_t{1} << bit;
        }
      }
      for (const auto& [format, name] : enum_names(WeightFormat{})) {
        drawn.chip.compress.weights = format;
        SplitProblem problem;
        problem.row_layout = true;
        problem.burst_bytes = kBurst;
        const RowSelection rows =
            select_rows(drawn.chip.engine, drawn.windows, {0, drawn.windows.windows()}, drawn.tile,
                        kBurst, wanted, drawn.chip.compress);
        const double share = static_cast<double>(rows.rows) / kK;
        auto moved = static_cast<double>(rows.header_bytes);
        double packed = static_cast<double>(rows.header_fill);
        double decoded = packed;
        for (std::size_t i = 0; i < rows.runs.size(); ++i) {
          moved += static_cast<double>(rows.runs[i].bytes);
          packed += static_cast<double>(rows.packed[i]);
          decoded += static_cast<double>(rows.decoded[i]);
        }
        const auto stored = static_cast<double>(
            row_image_bytes(drawn.chip.engine, drawn.windows, {0, drawn.windows.windows()},
                            drawn.tile, kBurst, drawn.chip.compress));
        drawn.chip.dram.near_memory.reset();
        const TileSize plain = drawn.expected(problem, density, share);
        EXPECT_NEAR(plain.stored, stored, 0.06 * stored) << name;
        EXPECT_NEAR(plain.moved, moved, 0.06 * moved) << name;
        EXPECT_EQ(plain.crossing, plain.moved) << name << ": nothing stays behind";
        EXPECT_NEAR(plain.beats, static_cast<double>(rows.beats), 0.06 * plain.beats) << name;
        const double run = moved / static_cast<double>(rows.runs.size());
        EXPECT_NEAR(plain.piece, run, 0.2 * run) << name;
        for (const bool decode : {true, false}) {
          drawn.chip.dram.near_memory = params::NearMemoryParams{true, decode, 64, 20};
          const TileSize near = drawn.expected(problem, density, share);
          const double crossing = decode ? decoded : packed;
          EXPECT_NEAR(near.crossing, crossing, 0.06 * crossing) << name;
          EXPECT_EQ(near.moved, plain.moved) << name << ": the same is read";
        }
      }
    }
  }
}

TEST(TileSize, PatternsAreCountedAsTheEncoderCountsThem) {
  base::Rng rng(54);
  params::CompressParams compress;
  compress.weights = WeightFormat::kAuto;
  compress.run_bits = 2;
  for (const std::int64_t columns : {1, 63, 64, 200}) {
    tensor::MaskMatrix mask(7, columns);
    for (std::int64_t n = 0; n < mask.rows; ++n) {
      for (std::int64_t k = 0; k < columns; ++k) {
        if (rng.bernoulli(0.15)) mask.row(n)[k / 64] |= std::uint64_t{1} << (k % 64);
      }
    }
    std::vector<std::uint8_t> codes(static_cast<std::size_t>(mask.rows * columns));
    tensor::copy_as_bytes(mask, codes.data());
    const encoding::Grid grid{codes.data(), mask.rows, columns, columns, 1};
    const WeightPattern pattern = weight_pattern(mask, compress);
    const auto bits = encoding::encoded_bits(grid, encoding::Format::kRunLength, compress);
    EXPECT_NEAR(pattern.run_pairs * static_cast<double>(codes.size()),
                static_cast<double>(*bits) / (8 + compress.run_bits), 1e-6);
    EXPECT_EQ(pattern.holds_nm,
              encoding::encoded_bits(grid, encoding::Format::kNm, compress).has_value());
  }
  tensor::MaskMatrix regular(3, 130);
  for (std::int64_t n = 0; n < 3; ++n) {
    for (std::int64_t k = 0; k < 130; k += 2)
      regular.row(n)[k / 64] |= std::uint64_t{1} << (k % 64);
  }
  EXPECT_TRUE(weight_pattern(regular, compress).holds_nm) << "two of four";
  regular.row(2)[2] |= 2;
  EXPECT_TRUE(weight_pattern(regular, compress).holds_nm) << "the last group has two codes";
  regular.row(1)[1] |= 2;
  EXPECT_FALSE(weight_pattern(regular, compress).holds_nm) << "three of four";
  compress.weights = WeightFormat::kImage;
  EXPECT_EQ(weight_pattern(regular, compress), WeightPattern{}) << "nobody asks";
}

TEST(TileSize, ALayersBytesFollowItsForm) {
  params::ChipParams chip;
  const auto bytes = [&](WeightFormat format, bool rows = false) {
    chip.compress.weights = format;
    return layer_bytes(chip, 1024, 2048, 1024 * 2048 / 5, rows, 64);
  };
  EXPECT_NEAR(bytes(WeightFormat::kDense), 1024 * 2048, 1);
  EXPECT_NEAR(bytes(WeightFormat::kBitmask), 1024 * 2048 * (0.2 + 0.125), 1000);
  EXPECT_LT(bytes(WeightFormat::kBitmask), bytes(WeightFormat::kImage) * 1.2);
  EXPECT_GT(bytes(WeightFormat::kImage, true), bytes(WeightFormat::kImage))
      << "rows have places and padding";
}

}  // namespace
}  // namespace lacuna::mapper
