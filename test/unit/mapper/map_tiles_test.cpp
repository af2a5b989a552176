// SPDX-License-Identifier: Apache-2.0
//
// Layers with equal weights: what they share, and what they do not.
#include <gtest/gtest.h>

#include <utility>

#include "mapper/map.h"
#include "mapper/search.h"
#include "mapper/tile_compiler.h"
#include "program_check.h"

namespace lacuna::mapper {
namespace {

/// The plan's tiles are those that its own layer, compiled alone, would have.
void expect_own_tiles(const workload::Graph& graph, const params::ChipParams& chip,
                      const Program& program, const GemmPlan& plan) {
  const workload::Layer& of = graph.layers[static_cast<std::size_t>(plan.layer)];
  const auto mask = of.weights.mask();
  const workload::WeightMatrix weights = of.weights.with_codes();
  const auto k_tiles = static_cast<int>(plan.split.k_tiles.size());
  for (int i = 0; i < plan.split.n_tiles * k_tiles; ++i) {
    const WeightTilePlan& tile =
        program.weight_tiles[static_cast<std::size_t>(plan.first_tile + i)];
    ASSERT_NE(tile.tile, nullptr);
    const bool codes = tile.tile->has_codes();
    const TileOperand operand{{weights.codes.data(), weights.k, 1}, mask.get(), codes};
    const auto alone = compile_tile(chip.engine, of, plan, operand, i / k_tiles, i % k_tiles);
    EXPECT_EQ(tile.tile->key, alone->key) << of.name << ", tile " << i;
    EXPECT_EQ(program.gemms[static_cast<std::size_t>(tile.gemm)].layer, plan.layer);
  }
}

// Query, key and value of attention() are drawn alike.
TEST(Map, LayersWithEqualWeightsShareTilesButNotPlaces) {
  const workload::Graph graph = attention();
  const Program program = map_program(graph, small_chip());
  const GemmPlan& query = program.gemms[0];
  const GemmPlan& key = program.gemms[1];
  ASSERT_EQ(graph.layers[0].weights.identity(), graph.layers[1].weights.identity());
  const auto tiles = query.split.n_tiles * static_cast<int>(query.split.k_tiles.size());
  ASSERT_GT(tiles, 1);
  for (int i = 0; i < tiles; ++i) {
    const WeightTilePlan& a = program.weight_tiles[static_cast<std::size_t>(query.first_tile + i)];
    const WeightTilePlan& b = program.weight_tiles[static_cast<std::size_t>(key.first_tile + i)];
    EXPECT_EQ(a.tile, b.tile);
    EXPECT_NE(a.dram_address, b.dram_address);
    EXPECT_EQ(a.memory_bytes, b.memory_bytes);
    EXPECT_EQ(std::pair(a.n_tile, a.k_tile), std::pair(b.n_tile, b.k_tile));
  }
  for (const int plan : {0, 1, 2}) {
    expect_own_tiles(graph, small_chip(), program, program.gemms[static_cast<std::size_t>(plan)]);
  }
}

TEST(Map, EqualWeightsRequantizedOtherwiseHaveTilesOfTheirOwn) {
  workload::Graph graph = attention();
  graph.layers[1].requantize.bias[3] += 1;
  const Program program = map_program(graph, small_chip());
  EXPECT_NE(program.weight_tiles[static_cast<std::size_t>(program.gemms[0].first_tile)].tile,
            program.weight_tiles[static_cast<std::size_t>(program.gemms[1].first_tile)].tile);
  for (const int plan : {0, 1, 2}) {
    expect_own_tiles(graph, small_chip(), program, program.gemms[static_cast<std::size_t>(plan)]);
  }
}

TEST(Map, EqualWeightsWithAnotherSearchHaveASplitOfTheirOwn) {
  workload::Graph graph = attention();
  graph.layers[1].mapping.tile_n = 4;
  graph.layers[2].mapping.layout = WeightLayout::kRow;
  const Program program = map_program(graph, small_chip());
  ASSERT_NE(program.gemms[0].split.tile_channels, 4);
  EXPECT_EQ(program.gemms[1].split.tile_channels, 4);
  EXPECT_FALSE(program.gemms[0].row_layout);
  EXPECT_TRUE(program.gemms[2].row_layout);
  MapOptions options;
  options.splits[0] = program.gemms[1].split;
  const Program given = map_program(graph, small_chip(), options);
  EXPECT_TRUE(same_cut(given.gemms[0].split, program.gemms[1].split));
  graph.layers[1].mapping.tile_n.reset();
  const Program searched = map_program(graph, small_chip(), options);
  EXPECT_TRUE(same_cut(searched.gemms[1].split, program.gemms[0].split));  // not the given one
  for (const int plan : {0, 1, 2}) {
    expect_own_tiles(graph, small_chip(), program, program.gemms[static_cast<std::size_t>(plan)]);
    expect_own_tiles(graph, small_chip(), given, given.gemms[static_cast<std::size_t>(plan)]);
  }
}

}  // namespace
}  // namespace lacuna::mapper
