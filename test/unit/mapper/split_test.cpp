// SPDX-License-Identifier: Apache-2.0
//
// Does every split keep the capacity rules, does it cover the layer, and does the prediction rank
// as it should?
#include "mapper/search.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"

namespace lacuna::mapper {
namespace {

struct Case {
  params::ChipParams chip;
  SplitProblem problem;
  int segments = 1;
  int channels = 1;
  std::vector<std::int8_t> codes;
};

std::int64_t power(base::Rng& rng, int low, int high) {
  return std::int64_t{1} << rng.range(low, high);
}

Case draw(base::Rng& rng) {
  Case drawn;
  params::EngineParams& engine = drawn.chip.engine;
  engine.pes = static_cast<int>(rng.range(1, 16));
  engine.k_ways = static_cast<int>(rng.range(1, 5));
  engine.rows_per_pe = static_cast<int>(rng.range(1, 40));
  engine.lanes = static_cast<int>(power(rng, 0, 2));
  engine.scan_width = static_cast<int>(power(rng, 3, 6));
  engine.drain_width = engine.pes;
  engine.act_block = 16;
  engine.weight_buffer = rng.range(1, 4096) * engine.pes * engine.k_ways;
  engine.activation_buffer = power(rng, 6, 14);
  engine.psum_buffer = power(rng, 8, 16);
  engine.output_buffer = power(rng, 6, 14);
  engine.max_k = static_cast<int>(power(rng, 5, 12));
  engine.skip_weights = rng.bernoulli(0.8);
  drawn.chip.cores = static_cast<int>(rng.range(1, 8));
  drawn.segments = static_cast<int>(rng.range(1, 9));
  drawn.channels = static_cast<int>(rng.range(1, 200));
  drawn.problem.layer = "random";
  drawn.problem.rows = rng.range(1, 300);
  drawn.problem.n = rng.range(1, 150);
  drawn.problem.gathers = drawn.segments;
  drawn.problem.activation_density = rng.uniform();
  const double density = rng.uniform();
  drawn.codes.resize(static_cast<std::size_t>(drawn.segments * drawn.channels * drawn.problem.n));
  for (std::int8_t& code : drawn.codes) {
    code = rng.bernoulli(density) ? static_cast<std::int8_t>(rng.range(1, 127)) : std::int8_t{0};
  }
  return drawn;
}

TEST(Split, KeepsEveryCapacityRuleForRandomEnginesAndShapes) {
  int made = 0;
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    base::Rng rng(seed);
    const Case drawn = draw(rng);
    const params::EngineParams& engine = drawn.chip.engine;
    const WindowTable windows(engine, {drawn.segments, drawn.channels});
    const WeightCounts counts(drawn.codes, drawn.problem.n, windows, engine);
    try {
      const Split split = choose_split(drawn.problem, counts, windows, drawn.chip);
      const auto broken = split_violations(drawn.problem, counts, windows, engine, split);
      EXPECT_TRUE(broken.empty()) << "seed " << seed << ": " << broken.front();
      ++made;
    } catch (const base::UserError&) {
      // Refused only if the smallest tile and block really do not fit.
      const bool smallest =
          block_fits(windows, engine, std::min<std::int64_t>(engine.lanes, drawn.problem.rows), 0,
                     1) &&
          tile_fits(counts, windows, engine, 0, std::min<std::int64_t>(engine.pes, drawn.problem.n),
                    0, 1);
      const bool everything_small =
          smallest && drawn.segments == 1 && windows.windows() == 1 &&
          drawn.problem.n <= engine.pes &&
          engine.lanes * ((drawn.problem.n + 15) / 16) * 18 <= engine.output_buffer;
      EXPECT_FALSE(everything_small) << "seed " << seed;
      ++refused;
    }
  }
  EXPECT_GT(made, 150);
  EXPECT_GT(refused, 10);
}

TEST(Split, ViolationsAreNoticed) {
  base::Rng rng(7);
  params::ChipParams chip;
  SplitProblem problem{.layer = "x", .rows = 64, .n = 256};
  const WindowTable windows(chip.engine, {1, 1152});
  std::vector<std::int8_t> codes(1152 * 256, 1);
  const WeightCounts counts(codes, 256, windows, chip.engine);
  const Split good = choose_split(problem, counts, windows, chip);
  ASSERT_TRUE(split_violations(problem, counts, windows, chip.engine, good).empty());

  Split larger_block = good;
  larger_block.block_rows = 4096;
  EXPECT_FALSE(split_violations(problem, counts, windows, chip.engine, larger_block).empty());
  Split one_k_tile = good;
  one_k_tile.k_tiles = {{0, windows.windows(), windows.positions({0, windows.windows()}), 1152}};
  one_k_tile.tile_channels = 256;
  one_k_tile.n_tiles = 1;
  EXPECT_FALSE(split_violations(problem, counts, windows, chip.engine, one_k_tile).empty())
      << "dense, 288 positions of 16 rows do not fit 2 KiB per PE";
  Split gap = good;
  gap.k_tiles.pop_back();
  EXPECT_FALSE(split_violations(problem, counts, windows, chip.engine, gap).empty());
  Split few_blocks = good;
  --few_blocks.blocks;
  EXPECT_FALSE(split_violations(problem, counts, windows, chip.engine, few_blocks).empty());
}

TEST(Split, SparserWeightsAllowLargerTiles) {
  params::ChipParams chip;
  const WindowTable windows(chip.engine, {1, 4096});
  std::vector<int> longest;
  for (const double density : {1.0, 0.5, 0.1}) {
    base::Rng rng(3);
    std::vector<std::int8_t> codes(4096 * 512);
    for (std::int8_t& code : codes) code = rng.bernoulli(density) ? 1 : 0;
    const WeightCounts counts(codes, 512, windows, chip.engine);
    int end = 0;
    while (end < windows.windows() && tile_fits(counts, windows, chip.engine, 0, 512, 0, end + 1)) {
      ++end;
    }
    longest.push_back(end);
  }
  // Dense: 2048 bytes per PE / (4 + 2 + 32 bytes per position) = 53 positions, one window of 32.
  EXPECT_EQ(longest[0], 1);
  EXPECT_GT(longest[1], longest[0]);
  EXPECT_GT(longest[2], longest[1]);
}

TEST(Split, MoreKTilesThanNeededHideTheirLoads) {
  // One core, few rows: the load of the weights is all that counts. In one tile nothing overlaps.
  params::ChipParams chip;
  chip.cores = 16;
  const WindowTable windows(chip.engine, {1, 1152});
  base::Rng rng(3);
  std::vector<std::int8_t> codes(1152 * 256);
  for (std::int8_t& code : codes) code = rng.bernoulli(0.1) ? 1 : 0;
  const WeightCounts counts(codes, 256, windows, chip.engine);
  const SplitProblem problem{.layer = "x", .rows = 16, .n = 256, .activation_density = 0.3};
  const Split split = choose_split(problem, counts, windows, chip);
  Split whole = split;
  whole.k_tiles = {{0, windows.windows(), windows.positions({0, windows.windows()}), 1152}};
  EXPECT_LE(split.predicted_cycles, predict(problem, counts, windows, chip, {}, whole).total);
}

TEST(Split, ThereIsWorkForEveryCore) {
  params::ChipParams chip;
  const WindowTable windows(chip.engine, {9, 128});
  std::vector<std::int8_t> codes(1152 * 256, 1);
  const WeightCounts counts(codes, 256, windows, chip.engine);
  SplitProblem problem{.layer = "x", .rows = 64, .n = 256, .gathers = 9};
  for (const int cores : {1, 4, 16, 32}) {
    chip.cores = cores;
    const Split split = choose_split(problem, counts, windows, chip);
    EXPECT_GE(split.task_runs * split.n_tiles * split.k_parts, std::min(cores, 16))
        << cores << " cores";
  }
}

TEST(Predict, NamesWhatBoundsAPass) {
  params::ChipParams chip;
  params::EngineParams& engine = chip.engine;
  chip.cores = 1;
  const WindowTable windows(engine, {1, 1024});
  Split split;
  split.tile_channels = 512;
  split.n_tiles = 1;
  split.k_tiles = {{0, windows.windows(), 256, 1024}};
  split.block_rows = 8;
  split.blocks = 1;
  split.blocks_per_task = 1;
  split.task_runs = 1;
  SplitProblem problem{.layer = "x", .rows = 8, .n = 512, .activation_density = 1.0};
  const std::vector<std::int8_t> dense(1024 * 512, 1);
  const WeightCounts full(dense, 512, windows, engine);
  // Dense: 32 rows per PE at each of 256 positions.
  const Prediction bound_by_pes = predict(problem, full, windows, chip, {}, split);
  EXPECT_DOUBLE_EQ(bound_by_pes.pe, 8.0 * 256 * 32);
  EXPECT_DOUBLE_EQ(bound_by_pes.issue, 8.0 * 256);
  EXPECT_DOUBLE_EQ(bound_by_pes.drain, 8.0 * (1 + 32));
  EXPECT_GT(bound_by_pes.pass, bound_by_pes.pe);

  // One weight in 512: PEs starve behind the scanner.
  base::Rng rng(5);
  std::vector<std::int8_t> thin(1024 * 512, 0);
  for (int k = 0; k < 1024; ++k) thin[static_cast<std::size_t>(rng.below(512)) * 1024 + k] = 1;
  const WeightCounts sparse(thin, 512, windows, engine);
  const Prediction bound_by_issue = predict(problem, sparse, windows, chip, {}, split);
  EXPECT_GT(bound_by_issue.issue, bound_by_issue.pe);
  EXPECT_LT(bound_by_issue.total, bound_by_pes.total);

  // Few activations: the drain is what is left.
  problem.activation_density = 0.001;
  const Prediction bound_by_drain = predict(problem, sparse, windows, chip, {}, split);
  EXPECT_GT(bound_by_drain.drain, bound_by_drain.issue);
  EXPECT_GE(bound_by_drain.pass, bound_by_drain.drain);
}

TEST(Predict, AnotherCoreNeverMakesALayerSlower) {
  params::ChipParams chip;
  const WindowTable windows(chip.engine, {1, 512});
  const std::vector<std::int8_t> codes(512 * 256, 1);
  const WeightCounts counts(codes, 256, windows, chip.engine);
  SplitProblem problem{.layer = "x", .rows = 200, .n = 256};
  double previous = 0.0;
  for (int cores = 1; cores <= 64; cores *= 2) {
    chip.cores = cores;
    const double cycles = choose_split(problem, counts, windows, chip).predicted_cycles;
    if (previous > 0.0) {
      EXPECT_LE(cycles, previous) << cores << " cores";
    }
    previous = cycles;
  }
}

TEST(Split, SaysWhichLayerDoesNotFit) {
  params::ChipParams chip;
  chip.engine.weight_buffer = 64;
  const WindowTable windows(chip.engine, {1, 128});
  const std::vector<std::int8_t> codes(128 * 16, 1);
  const WeightCounts counts(codes, 16, windows, chip.engine);
  SplitProblem problem{.layer = "fc", .rows = 4, .n = 16};
  try {
    (void)choose_split(problem, counts, windows, chip);
    FAIL() << "a tile in 64 bytes";
  } catch (const base::UserError& error) {
    EXPECT_NE(std::string(error.what()).find("layer 'fc'"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("weight_buffer"), std::string::npos);
  }
}

TEST(WeightCounts, WorstValuesBoundEveryPermutationInsideRows) {
  base::Rng rng(11);
  params::EngineParams engine;
  engine.pes = 4;
  engine.k_ways = 2;
  engine.scan_width = 8;
  const WindowTable windows(engine, {2, 21});
  const std::int64_t n = 10;
  std::vector<std::int8_t> codes(static_cast<std::size_t>(n * windows.segments().k()));
  for (std::int8_t& code : codes) code = rng.bernoulli(0.4) ? 1 : 0;
  const WeightCounts counts(codes, n, windows, engine);
  for (int begin = 0; begin < windows.windows(); ++begin) {
    for (int end = begin + 1; end <= windows.windows(); ++end) {
      // Any dealing gives some PE at least the mean, and this dealing (in order) at most the bound.
      std::vector<std::int64_t> values(8, 0);
      for (std::int64_t channel = 0; channel < n; ++channel) {
        for (int window = begin; window < end; ++window) {
          const auto range = windows.k_range({window, window + 1});
          for (std::int64_t k = range.begin; k < range.end; ++k) {
            if (codes[static_cast<std::size_t>(channel * 42 + k)] != 0) {
              ++values[static_cast<std::size_t>((k % 21 % 2) * 4 + channel % 4)];
            }
          }
        }
      }
      std::int64_t all = 0;
      for (const std::int64_t value : values) {
        EXPECT_LE(value, counts.worst_values(0, n, begin, end));
        all += value;
      }
      EXPECT_EQ(all, counts.values(0, n, begin, end));
    }
  }
}

}  // namespace
}  // namespace lacuna::mapper
