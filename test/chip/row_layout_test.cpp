// SPDX-License-Identifier: Apache-2.0
//
// Weights that lie k by k: are outputs and passes those of tile images, and is what activations do
// not ask for left in DRAM?
#include <gtest/gtest.h>

#include "support.h"

namespace lacuna::chip {
namespace {

/// Weights do not fit in SRAM.
params::ChipParams small_sram(params::WeightLayout layout) {
  params::ChipParams chip = tiny_chip();
  chip.sram.capacity = 4096;
  chip.mapper.layout = layout;
  return chip;
}

TEST(RowLayout, OutputsAndPassesAreThoseOfTileImages) {
  for (const std::int64_t m : {1, 3, 40}) {
    workload::Graph graph = gemm(m, 60, 200, 0.4, 0.2);
    graph.layers[0].mapping.tile_k = 64;  // the same tiles in both layouts
    graph.layers[0].mapping.tile_n = 8;
    graph.layers[0].mapping.tile_m = 1;
    graph.layers[0].mapping.k_parts = 1;
    const RunResult tile = run_model(small_sram(params::WeightLayout::kTile), graph);
    const RunResult row = run_model(small_sram(params::WeightLayout::kRow), graph);
    EXPECT_EQ(tile.layers[0].reference_mismatches, 0);
    EXPECT_EQ(row.layers[0].reference_mismatches, 0);
    EXPECT_EQ(row.result_values, tile.result_values);
    EXPECT_EQ(row.engine.passes, tile.engine.passes);
    EXPECT_EQ(row.engine.weight_words, tile.engine.weight_words);
    EXPECT_EQ(row.engine.macs, tile.engine.macs);
    EXPECT_EQ(tile.layers[0].weight_rows, 0);
    EXPECT_GT(row.layers[0].weight_rows, 0);
  }
}

TEST(RowLayout, RowsThatNoActivationAsksForStayInDram) {
  std::int64_t before = -1;
  for (const double density : {1.0, 0.5, 0.1}) {
    const RunResult row =
        run_model(small_sram(params::WeightLayout::kRow), gemm(1, 60, 200, 0.4, density));
    const LayerResult& layer = row.layers[0];
    EXPECT_EQ(layer.reference_mismatches, 0);
    EXPECT_GT(row.met.at("direct_weight_loads"), 0);
    const double share = static_cast<double>(layer.weight_rows) /
                         static_cast<double>(layer.weight_rows + layer.weight_rows_skipped);
    EXPECT_NEAR(share, density, 0.05);
    if (before >= 0) {
      EXPECT_LT(layer.traffic.dram_read, before);
    }
    before = layer.traffic.dram_read;
  }
}

TEST(RowLayout, ADenseEngineReadsAllRows) {
  params::ChipParams chip = small_sram(params::WeightLayout::kRow);
  chip.engine.skip_activations = false;
  const RunResult result = run_model(chip, gemm(1, 60, 200, 0.4, 0.1));
  EXPECT_EQ(result.layers[0].reference_mismatches, 0);
  EXPECT_EQ(result.layers[0].weight_rows_skipped, 0);
}

TEST(RowLayout, ATileWithSeveralTasksIsFetchedWhole) {
  // 300 rows are more than one task's: the ring brings every row once, all tasks share them.
  const RunResult result =
      run_model(small_sram(params::WeightLayout::kRow), gemm(300, 16, 60, 0.4, 0.05));
  EXPECT_EQ(result.layers[0].reference_mismatches, 0);
  EXPECT_EQ(result.layers[0].weight_rows_skipped, 0);
  EXPECT_GT(result.layers[0].weight_rows, 0);
}

TEST(RowLayout, WholeNetworksInSramAndThroughTheRing) {
  for (const std::int64_t capacity :
       {std::int64_t{1} << 20, std::int64_t{4096}, std::int64_t{256}}) {
    params::ChipParams chip = tiny_chip();
    chip.mapper.layout = params::WeightLayout::kRow;
    chip.sram.capacity = capacity;
    RunOptions options;
    options.mapping.batch = 2;
    const RunResult result = run_model(chip, small_network(3), options);
    for (const LayerResult& layer : result.layers) EXPECT_EQ(layer.reference_mismatches, 0);
  }
}

}  // namespace
}  // namespace lacuna::chip
