// SPDX-License-Identifier: Apache-2.0
//
// Where a program's weights and tensors lie: what stays, what goes through the ring, what is in
// DRAM.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "mapper/map.h"
#include "program_check.h"
#include "workload/gemm_source.h"

namespace lacuna::mapper {
namespace {

TEST(Map, ResidentWeightsAreFetchedOnceAndStay) {
  const workload::Graph graph = attention();
  params::ChipParams chip;
  const Program program = map_program(graph, chip);
  EXPECT_TRUE(program.memory.weights_resident);
  std::set<int> tiles;
  for (const Fetch& fetch : program.fetches) {
    if (fetch.kind != Fetch::Kind::kWeights) continue;
    EXPECT_TRUE(fetch.resident);
    EXPECT_TRUE(fetch.overwrites.empty());
    EXPECT_TRUE(tiles.insert(fetch.index).second) << "tile " << fetch.index << " twice";
  }
  EXPECT_EQ(tiles.size(), program.weight_tiles.size());
}

/// Where weights lie, by whether they stay.
std::map<bool, std::pair<std::uint64_t, std::uint64_t>> weight_ranges(const Program& program) {
  std::map<bool, std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const Fetch& fetch : program.fetches) {
    if (fetch.kind != Fetch::Kind::kWeights) continue;
    const std::uint64_t end = fetch.to + static_cast<std::uint64_t>(fetch.bytes);
    auto [range, made] = ranges.emplace(fetch.resident, std::pair{fetch.to, end});
    if (made) continue;
    range->second.first = std::min(range->second.first, fetch.to);
    range->second.second = std::max(range->second.second, end);
  }
  return ranges;
}

TEST(Map, SomeWeightsStayWhereNotAllFit) {
  workload::GemmOptions product;
  product.weights = "density=0.5,seed=1";
  product.activations = "density=0.5,seed=2";
  product.m = 8;
  product.n = 256;
  product.k = 256;
  const workload::Graph graph = workload::build_gemm(product);
  params::ChipParams chip = small_chip();
  chip.sram.capacity = 1 << 15;
  MapOptions options;
  options.dram_bytes_per_cycle = 2.0;
  const Program searched = map_program(graph, chip, options);
  ASSERT_FALSE(searched.memory.weights_resident);
  EXPECT_TRUE(check(graph, chip, searched).empty());
  EXPECT_GT(searched.memory.sram_pinned, 0);
  ASSERT_GT(searched.memory.splits.size(), 1U);
  EXPECT_LT(searched.memory.splits.front().next_cycles,
            searched.memory.splits.front().first_cycles);
  const auto ranges = weight_ranges(searched);
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_LE(ranges.at(true).second, ranges.at(false).first) << "the ring would overwrite them";

  // As the chip says.
  chip.mapper.pinned = 0;
  EXPECT_EQ(weight_ranges(map_program(graph, chip, options)).count(true), 0U);
  chip.mapper.pinned = 8192;
  chip.mapper.ring = 4096;
  const Program given = map_program(graph, chip, options);
  EXPECT_TRUE(check(graph, chip, given).empty());
  EXPECT_LE(given.memory.sram_pinned, 8192);
  EXPECT_GT(given.memory.sram_pinned, 4096);
  EXPECT_GE(given.memory.splits.front().ring, 4096);
  chip.mapper.pinned = 1 << 15;
  EXPECT_THROW((void)map_program(graph, chip, options), base::UserError);
}

TEST(Map, OutputsLiveWhereTheWorkloadSays) {
  workload::Graph graph = attention();
  params::ChipParams chip = small_chip();
  const auto output = static_cast<std::size_t>(graph.layers[0].output);
  ASSERT_TRUE(map_program(graph, chip).tensors[output].in_sram);
  graph.layers[0].mapping.output = params::Place::kDram;
  const Program program = map_program(graph, chip);
  EXPECT_FALSE(program.tensors[output].in_sram);
  EXPECT_TRUE(check(graph, chip, program).empty());
  EXPECT_GT(program.memory.spilled, 0);

  graph.layers[0].mapping.output = params::Place::kSram;
  graph.layers[0].mapping_at["output"] = {"network.yaml", 7, 3};
  chip.sram.capacity = 1 << 10;
  chip.mapper.ring = 1 << 10;
  try {
    (void)map_program(graph, chip);
    FAIL() << "there is no room for it";
  } catch (const base::UserError& error) {
    EXPECT_NE(std::string(error.what()).find("network.yaml:7:3"), std::string::npos)
        << error.what();
  }
}

TEST(Map, TheResultGoesToDram) {
  const workload::Graph graph = attention();
  const Program program = map_program(graph, params::ChipParams{});
  const TensorPlan& result = program.tensors[static_cast<std::size_t>(graph.layers.back().output)];
  EXPECT_TRUE(result.stored);
  EXPECT_TRUE(is_dram_address(result.address));
}

}  // namespace
}  // namespace lacuna::mapper
