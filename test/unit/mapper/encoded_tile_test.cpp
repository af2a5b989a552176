// SPDX-License-Identifier: Apache-2.0
//
// What a weight tile takes in memory: exactly what an encoder makes of its codes, header added.
#include <gtest/gtest.h>

#include <vector>

#include "base/cycles.h"
#include "base/rng.h"
#include "encoding/encoding.h"
#include "mapper/row_layout.h"
#include "mapper/tile_compiler.h"
#include "tensor/mask_matrix.h"

namespace lacuna::mapper {
namespace {

namespace engine_model = timing::engine;

struct Drawn {
  params::EngineParams engine;
  std::int64_t n = 0, k = 0;
  std::int64_t first = 0;
  int channels = 0;
  std::vector<std::int8_t> codes;  ///< [n][k]
  engine_model::Tile tile;
};

Drawn draw(base::Rng& rng) {
  Drawn drawn;
  params::EngineParams& engine = drawn.engine;
  engine.pes = static_cast<int>(rng.range(1, 8));
  engine.k_ways = static_cast<int>(rng.range(1, 4));
  engine.rows_per_pe = 12;
  engine.scan_width = 8;
  engine.drain_width = engine.pes;
  engine.act_block = 16;
  drawn.k = rng.range(1, 150);
  drawn.channels = static_cast<int>(rng.range(1, engine.pes * 12));
  drawn.first = rng.range(0, 5);
  drawn.n = drawn.first + drawn.channels + rng.range(0, 3);
  drawn.codes.resize(static_cast<std::size_t>(drawn.n * drawn.k));
  const double density = rng.uniform();
  for (std::int8_t& code : drawn.codes) {
    if (rng.bernoulli(density)) code = static_cast<std::int8_t>(rng.range(1, 127));
  }
  engine_model::TileSource source;
  source.weights = {drawn.codes.data(), drawn.k, 1};
  source.segments = {1, static_cast<int>(drawn.k)};
  const engine_model::WindowTable table(engine, source.segments);
  source.windows = {0, table.windows()};
  source.first_channel = drawn.first;
  source.channels = drawn.channels;
  drawn.tile = engine_model::make_tile(engine, source);
  return drawn;
}

params::CompressParams compress_of(base::Rng& rng, params::WeightFormat format) {
  params::CompressParams compress;
  compress.weights = format;
  compress.run_bits = static_cast<int>(rng.range(1, 8));
  compress.index_bits = static_cast<int>(rng.range(2, 10));
  return compress;
}

const std::pair<params::WeightFormat, encoding::Format> kPairs[] = {
    {params::WeightFormat::kDense, encoding::Format::kDense},
    {params::WeightFormat::kBitmask, encoding::Format::kBitmask},
    {params::WeightFormat::kRunLength, encoding::Format::kRunLength},
    {params::WeightFormat::kCoordinate, encoding::Format::kCoordinate}};

TEST(EncodedTile, HasTheBytesOfItsHeaderAndItsEncodedLines) {
  base::Rng rng(21);
  for (int round = 0; round < 100; ++round) {
    const Drawn drawn = draw(rng);
    const tensor::MaskMatrix mask = tensor::mask_of(
        reinterpret_cast<const std::uint8_t*>(drawn.codes.data()), drawn.n, drawn.k);
    const std::int64_t header = 2 * drawn.tile.windows + drawn.tile.pes * drawn.tile.rows;
    for (const auto& [weights, format] : kPairs) {
      const params::CompressParams compress = compress_of(rng, weights);
      const encoding::Grid grid{
          reinterpret_cast<const std::uint8_t*>(drawn.codes.data()) + drawn.first * drawn.k,
          drawn.channels, drawn.k, drawn.k, 1};
      const auto encoded = encoding::encode(grid, format, compress);
      EXPECT_EQ(encoded_tile_bytes(compress, mask, {0, drawn.k}, drawn.first, drawn.tile),
                header + static_cast<std::int64_t>(encoded->bytes.size()));
    }
    EXPECT_EQ(encoded_tile_bytes({}, mask, {0, drawn.k}, drawn.first, drawn.tile),
              drawn.tile.image_bytes);
  }
}

TEST(EncodedTile, RowsAreTheirPlacesAndOneEncodedLine) {
  base::Rng rng(22);
  for (int round = 0; round < 60; ++round) {
    Drawn drawn = draw(rng);
    engine_model::Tile masks_only = drawn.tile;
    masks_only.codes.clear();
    for (const auto& [weights, format] : kPairs) {
      const params::CompressParams compress = compress_of(rng, weights);
      for (std::int64_t k = 0; k < drawn.k; ++k) {
        std::vector<std::uint8_t> line;
        for (int n = 0; n < drawn.channels; ++n) {
          line.push_back(static_cast<std::uint8_t>(
              drawn.codes[static_cast<std::size_t>((drawn.first + n) * drawn.k + k)]));
        }
        const auto encoded = encoding::encode(encoding::line_of(line), format, compress);
        const int way = static_cast<int>(k % drawn.engine.k_ways);
        const int position = static_cast<int>(k / drawn.engine.k_ways);
        const std::int64_t expected =
            2 * drawn.engine.pes + static_cast<std::int64_t>(encoded->bytes.size());
        ASSERT_EQ(stored_row_bytes(drawn.tile, compress, way, position), expected);
        ASSERT_EQ(stored_row_bytes(masks_only, compress, way, position), expected);
      }
    }
    EXPECT_EQ(stored_row_bytes(drawn.tile, {}, 0, 0), row_bytes(drawn.tile, 0, 0));
  }
}

// The bytes that cross a link: of every run the rows without padding, in both forms.
TEST(EncodedTile, PackedAndDecodedBytesOfARunAreThoseOfItsRows) {
  base::Rng rng(23);
  for (int round = 0; round < 40; ++round) {
    const Drawn drawn = draw(rng);
    const params::CompressParams compress = compress_of(rng, params::WeightFormat::kRunLength);
    const engine_model::WindowTable table(drawn.engine, {1, static_cast<int>(drawn.k)});
    const RowSelection all =
        select_rows(drawn.engine, table, {0, table.windows()}, drawn.tile, 32, {}, compress);
    ASSERT_EQ(all.runs.size(), 1U);
    std::int64_t packed = 0;
    std::int64_t decoded = 0;
    for (std::int64_t k = 0; k < drawn.k; ++k) {
      const int way = static_cast<int>(k % drawn.engine.k_ways);
      const int position = static_cast<int>(k / drawn.engine.k_ways);
      packed += stored_row_bytes(drawn.tile, compress, way, position);
      decoded += row_bytes(drawn.tile, way, position);
    }
    EXPECT_EQ(all.packed, std::vector{packed});
    EXPECT_EQ(all.decoded, std::vector{decoded});
    EXPECT_EQ(all.fill_bytes - decoded,
              all.header_fill + base::round_up<std::int64_t>(2 * drawn.k, drawn.engine.load_width));
    EXPECT_EQ(all.header_bytes + all.runs.front().bytes,
              row_image_bytes(drawn.engine, table, {0, table.windows()}, drawn.tile, 32, compress));
  }
}

}  // namespace
}  // namespace lacuna::mapper
