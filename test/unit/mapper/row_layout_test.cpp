// SPDX-License-Identifier: Apache-2.0
//
// Do the selected runs hold exactly the rows that some activation asks for, and does the image have
// the size that its parts add up to?
#include "mapper/row_layout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/cycles.h"
#include "base/rng.h"

namespace lacuna::mapper {
namespace {

namespace engine_model = timing::engine;

struct Drawn {
  params::EngineParams engine;
  engine_model::Segments segments;
  engine_model::WindowRange windows;
  engine_model::Tile tile;
  std::vector<std::uint8_t> codes;  ///< [token][k]
  std::vector<engine_model::Block> blocks;
  std::vector<bool> asked;  ///< by k of the whole K: some token is not zero there
  std::int64_t burst = 32;
};

Drawn draw(std::uint64_t seed) {
  base::Rng rng(seed);
  Drawn drawn;
  params::EngineParams& engine = drawn.engine;
  engine.pes = static_cast<int>(rng.range(1, 8));
  engine.k_ways = static_cast<int>(rng.range(1, 4));
  engine.rows_per_pe = 12;
  engine.lanes = rng.bernoulli(0.5) ? 1 : 2;
  engine.scan_width = rng.bernoulli(0.3) ? 128 : 8;
  engine.drain_width = engine.pes;
  engine.act_block = 16;
  drawn.burst = rng.bernoulli(0.5) ? 32 : 64;
  drawn.segments = {static_cast<int>(rng.range(1, 3)), static_cast<int>(rng.range(1, 70))};
  const engine_model::WindowTable table(engine, drawn.segments);
  const int begin = static_cast<int>(rng.range(0, table.windows() - 1));
  drawn.windows = {begin, static_cast<int>(rng.range(begin + 1, table.windows()))};

  const std::int64_t k = drawn.segments.k();
  const int n = static_cast<int>(rng.range(1, engine.pes * 12));
  std::vector<std::int8_t> weights(static_cast<std::size_t>(k * n));
  for (std::int8_t& code : weights) code = rng.bernoulli(0.4) ? 3 : 0;
  engine_model::TileSource source;
  source.weights = {weights.data(), k, 1};
  source.segments = drawn.segments;
  source.windows = drawn.windows;
  source.channels = n;
  drawn.tile = engine_model::make_tile(engine, source);

  drawn.asked.assign(static_cast<std::size_t>(k), false);
  const double density = rng.uniform();
  for (int b = 0; b < 2; ++b) {
    const int tokens = static_cast<int>(rng.range(1, 5));
    std::vector<std::uint8_t> codes(static_cast<std::size_t>(tokens * k), 0);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (!rng.bernoulli(density * 0.3)) continue;
      codes[i] = 9;
      drawn.asked[i % static_cast<std::size_t>(k)] = true;
    }
    const int first = table.first_segment(drawn.windows);
    const int last = table.last_segment(drawn.windows);
    std::vector<const std::uint8_t*> rows;
    for (int t = 0; t < tokens; ++t) {
      for (int s = first; s < last; ++s) {
        rows.push_back(codes.data() + t * k + std::int64_t{s} * drawn.segments.channels);
      }
    }
    engine_model::BlockSource block;
    block.tokens = tokens;
    block.segments = drawn.segments;
    block.windows = drawn.windows;
    block.rows = rows;
    drawn.blocks.push_back(engine_model::make_block(engine, block));
  }
  return drawn;
}

TEST(RowLayout, SelectsExactlyTheRowsThatAreAskedFor) {
  std::int64_t skipped = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Drawn drawn = draw(seed);
    const engine_model::WindowTable table(drawn.engine, drawn.segments);
    std::vector<const engine_model::Block*> blocks;
    for (const auto& block : drawn.blocks) blocks.push_back(&block);
    const auto wanted = wanted_rows(blocks);
    const RowSelection some =
        select_rows(drawn.engine, table, drawn.windows, drawn.tile, drawn.burst, wanted);
    // By hand: which bytes of the image belong to k that are asked for.
    const auto range = table.k_range(drawn.windows);
    std::int64_t offset = some.header_bytes;
    std::int64_t rows = 0;
    std::vector<ByteRun> expected;
    for (int w = drawn.windows.begin; w < drawn.windows.end; ++w) {
      const auto in_window = table.k_range({w, w + 1});
      for (std::int64_t k = in_window.begin; k < in_window.end; ++k) {
        const auto in_segment = k - in_window.begin;
        const int way = static_cast<int>(in_segment % drawn.engine.k_ways);
        const int position = table.base(w) - table.base(drawn.windows.begin) +
                             static_cast<int>(in_segment / drawn.engine.k_ways);
        std::int64_t values = 0;
        for (int pe = 0; pe < drawn.engine.pes; ++pe) values += drawn.tile.count(way, position, pe);
        const std::int64_t bytes = base::round_up(
            std::int64_t{drawn.engine.pes} * (drawn.tile.mask_bytes + 2) + values, drawn.burst);
        if (drawn.asked[static_cast<std::size_t>(k)]) {
          ++rows;
          if (!expected.empty() && expected.back().offset + expected.back().bytes == offset) {
            expected.back().bytes += bytes;
          } else {
            expected.push_back({offset, bytes});
          }
        }
        offset += bytes;
      }
    }
    EXPECT_EQ(some.runs, expected) << "seed " << seed;
    EXPECT_EQ(some.rows, rows) << "seed " << seed;
    EXPECT_EQ(some.all_rows, range.count()) << "seed " << seed;
    EXPECT_EQ(offset, row_image_bytes(drawn.engine, table, drawn.windows, drawn.tile, drawn.burst));
    skipped += some.all_rows - some.rows;

    const RowSelection all =
        select_rows(drawn.engine, table, drawn.windows, drawn.tile, drawn.burst, {});
    EXPECT_EQ(all.rows, range.count());
    ASSERT_EQ(all.runs.size(), 1U);
    EXPECT_EQ(all.runs.front().offset, all.header_bytes);
    EXPECT_EQ(all.header_bytes + all.runs.front().bytes, offset);
    EXPECT_LE(all.fill_bytes, offset);
    EXPECT_GE(all.beats * drawn.engine.load_width, all.fill_bytes);
    EXPECT_LE(some.beats, all.beats);
  }
  EXPECT_GT(skipped, 1000);
}

}  // namespace
}  // namespace lacuna::mapper
