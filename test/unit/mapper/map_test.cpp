// SPDX-License-Identifier: Apache-2.0
//
// Programs: can they be executed on any chip, with K in parts, in any order, and does the check
// notice when they cannot?
#include "mapper/map.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "program_check.h"
#include "workload/gemm_source.h"

namespace lacuna::mapper {
namespace {

TEST(Map, AttentionOnSmallAndReferenceChips) {
  const workload::Graph graph = attention();
  for (const int batch : {1, 3}) {
    for (const std::int64_t sram : {1 << 20, 1 << 14, 1 << 12, 1 << 10}) {
      for (const bool small : {true, false}) {
        params::ChipParams chip = small ? small_chip() : params::ChipParams{};
        chip.sram.capacity = sram;
        for (const double rate : {0.0, 4.0}) {
          MapOptions options;
          options.batch = batch;
          options.dram_bytes_per_cycle = rate;
          const Program program = map_program(graph, chip, options);
          const auto broken = check(graph, chip, program);
          EXPECT_TRUE(broken.empty()) << broken.front() << " (batch " << batch << ", SRAM " << sram
                                      << (small ? ", small" : "") << ")";
        }
      }
    }
  }
}

TEST(Map, PartsOfKComeTogetherAgain) {
  workload::Graph graph = attention();
  for (const int parts : {2, 3}) {
    for (const std::int64_t sram : {1 << 20, 1 << 13, 1 << 10}) {
      params::ChipParams chip = small_chip();
      chip.sram.capacity = sram;
      cut(graph, chip, parts);
      MapOptions options;
      options.batch = 2;
      options.dispatch = sram == 1 << 13 ? Dispatch::kStatic : Dispatch::kDynamic;
      const Program program = map_program(graph, chip, options);
      const auto broken = check(graph, chip, program);
      EXPECT_TRUE(broken.empty()) << broken.front() << " (SRAM " << sram << ")";
      int reductions = 0;
      for (const Task& task : program.tasks) reductions += task.kind == TaskKind::kReduce;
      EXPECT_GT(reductions, 0);
      for (const WeightTilePlan& tile : program.weight_tiles) {
        const GemmPlan& plan = program.gemms[static_cast<std::size_t>(tile.gemm)];
        EXPECT_EQ(tile.tile->has_post, plan.split.k_parts == 1) << "requantization has one place";
      }
      // A reduction before its parts is noticed.
      Program early = program;
      for (auto task = early.tasks.begin(); task != early.tasks.end(); ++task) {
        if (task->kind != TaskKind::kReduce) continue;
        std::rotate(early.tasks.begin(), task, task + 1);
        break;
      }
      EXPECT_FALSE(check(graph, chip, early).empty());
    }
  }
}

TEST(Map, CheckNoticesBrokenPrograms) {
  const workload::Graph graph = attention();
  params::ChipParams chip = small_chip();
  const Program good = map_program(graph, chip);
  ASSERT_TRUE(check(graph, chip, good).empty());
  Program missing = good;
  missing.tasks.pop_back();
  EXPECT_FALSE(check(graph, chip, missing).empty());
  Program twice = good;
  twice.tasks.push_back(twice.tasks.back());
  EXPECT_FALSE(check(graph, chip, twice).empty());
  Program early = good;
  std::rotate(early.tasks.begin(), early.tasks.end() - 1, early.tasks.end());
  EXPECT_FALSE(check(graph, chip, early).empty());
  Program overlap = good;
  const int query = graph.layers[0].output;
  const int key = graph.layers[1].output;
  overlap.tensors[static_cast<std::size_t>(key)].address =
      overlap.tensors[static_cast<std::size_t>(query)].address;
  EXPECT_FALSE(check(graph, chip, overlap).empty());
}

TEST(Map, RandomProductsKeepTheRules) {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    base::Rng rng(seed);
    workload::GemmOptions product;
    product.weights = "density=" + std::to_string(rng.uniform()) + ",seed=1";
    product.activations = "density=0.5,seed=2";
    product.m = rng.range(1, 200);
    product.n = rng.range(1, 100);
    product.k = rng.range(1, 400);
    workload::Graph graph = workload::build_gemm(product);
    params::ChipParams chip = small_chip();
    chip.cores = static_cast<int>(rng.range(1, 6));
    chip.sram.capacity = std::int64_t{1} << rng.range(8, 18);
    MapOptions options;
    if (rng.bernoulli(0.5)) cut(graph, chip, static_cast<int>(rng.range(1, 5)));
    options.ordering = rng.bernoulli(0.5) ? Ordering::kTileMajor : Ordering::kRowMajor;
    options.dispatch = rng.bernoulli(0.5) ? Dispatch::kDynamic : Dispatch::kStatic;
    options.dram_bytes_per_cycle = rng.bernoulli(0.5) ? 8.0 : 0.0;
    chip.mapper.k_order =
        rng.bernoulli(0.5) ? params::KOrder::kAlternate : params::KOrder::kForward;
    const Program program = map_program(graph, chip, options);
    const auto broken = check(graph, chip, program);
    ASSERT_TRUE(broken.empty()) << "seed " << seed << ": " << broken.front();
    for (const Task& task : program.tasks) {
      EXPECT_EQ(task.core != kNone, options.dispatch == Dispatch::kStatic);
      EXPECT_LT(task.core, chip.cores);
    }
  }
}

TEST(Map, EveryOtherTaskOfACoreGoesBackwards) {
  workload::GemmOptions product;
  product.weights = "density=0.9,seed=1";
  product.activations = "density=0.5,seed=2";
  product.m = 64;
  product.n = 8;
  product.k = 256;
  const workload::Graph graph = workload::build_gemm(product);
  params::ChipParams chip = small_chip();
  chip.mapper.k_order = params::KOrder::kAlternate;
  const Program program = map_program(graph, chip);
  const Split& split = program.gemms[0].split;
  ASSERT_GT(split.k_tiles.size(), 1U);
  EXPECT_TRUE(split.alternate);
  int number = 0;
  for (const Task& task : program.tasks) {
    if (task.kind == TaskKind::kGemm) {
      EXPECT_EQ(task.backwards, number++ / chip.cores % 2 == 1);
    }
  }
  // Both ends may come last, and have what makes outputs of sums.
  EXPECT_TRUE(program.weight_tiles.front().tile->has_post);
  EXPECT_TRUE(program.weight_tiles[split.k_tiles.size() - 1].tile->has_post);
}

}  // namespace
}  // namespace lacuna::mapper
