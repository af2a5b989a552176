// SPDX-License-Identifier: Apache-2.0
//
// Is what a workload fixes kept, is what cannot be kept refused at its place and for its reason,
// and does the objective steer the choice?
#include "mapper/search.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "base/error.h"
#include "base/rng.h"

namespace lacuna::mapper {
namespace {

constexpr std::int64_t kK = 1152;
constexpr std::int64_t kN = 256;

struct Fixture {
  params::ChipParams chip;
  WindowTable windows;
  WeightCounts counts;
  SplitProblem problem;
  std::map<std::string, base::SourceLocation> places;

  explicit Fixture(double density = 0.3)
      : windows(chip.engine, {1, kK}),
        counts(draw(density), kN, windows, chip.engine),
        problem{.layer = "fc", .rows = 64, .n = kN} {
    int line = 10;
    for (const char* key :
         {"tile_m", "tile_n", "tile_k", "task_blocks", "order", "layout", "k_parts"}) {
      places[key] = {"net.yaml", line++, 5};
    }
    problem.fixed_at = &places;
  }
  static std::vector<std::int8_t> draw(double density) {
    base::Rng rng(3);
    std::vector<std::int8_t> codes(kK * kN);
    for (std::int8_t& code : codes) code = rng.bernoulli(density) ? 1 : 0;
    return codes;
  }
  [[nodiscard]] Split choose(const MappingCosts& costs = {}) const {
    return choose_split(problem, counts, windows, chip, costs);
  }
  [[nodiscard]] std::string refusal() const {
    try {
      (void)choose();
    } catch (const base::UserError& error) {
      return error.what();
    }
    return "";
  }
};

TEST(Search, KeepsWhatIsFixed) {
  Fixture fixture;
  fixture.problem.fixed.tile_n = 64;
  fixture.problem.fixed.tile_m = 5;
  fixture.problem.fixed.tile_k = 300;
  fixture.problem.fixed.task_blocks = 3;
  const Split split = fixture.choose();
  EXPECT_EQ(split.tile_channels, 64);
  EXPECT_EQ(split.block_rows, 5);
  EXPECT_EQ(split.blocks_per_task, 3);
  for (const KTile& tile : split.k_tiles) EXPECT_LE(tile.k, 300);
  EXPECT_EQ(split.k_tiles.front().k, 256) << "whole windows of 128 k";
  EXPECT_TRUE(
      split_violations(fixture.problem, fixture.counts, fixture.windows, fixture.chip.engine, split)
          .empty());
}

TEST(Search, EachFixedSizeAloneLeavesTheRestToTheSearch) {
  const auto only = [](auto&& set) {
    Fixture fixture;
    set(fixture.problem.fixed);
    return fixture.choose();
  };
  EXPECT_EQ(only([](auto& fixed) { fixed.tile_n = 16; }).tile_channels, 16);
  EXPECT_EQ(only([](auto& fixed) { fixed.tile_m = 7; }).block_rows, 7);
  EXPECT_EQ(only([](auto& fixed) { fixed.tile_k = 128; }).k_tiles.size(), 9U);
  EXPECT_EQ(only([](auto& fixed) { fixed.task_blocks = 1; }).blocks_per_task, 1);
  const Split parts = only([](auto& fixed) { fixed.k_parts = 3; });
  EXPECT_EQ(parts.k_parts, 3);
  EXPECT_EQ(parts.k_tiles.size() % 3, 0U);
  EXPECT_EQ(parts.first_k_tile(0), 0);
  EXPECT_EQ(parts.first_k_tile(1) * 3, static_cast<int>(parts.k_tiles.size()));
  EXPECT_EQ(parts.first_k_tile(3), static_cast<int>(parts.k_tiles.size()));
}

TEST(Search, RefusesWhatCannotBeKeptWhereItStands) {
  const auto refusal = [](auto&& set) {
    Fixture fixture;
    set(fixture);
    return fixture.refusal();
  };
  EXPECT_EQ(
      refusal([](Fixture& f) { f.problem.fixed.tile_n = 20; }),
      "net.yaml:11:5: mapping.tile_n of layer 'fc': 20 is no multiple of engine.pes (16); only "
      "a tile of all 256 output channels may be");
  EXPECT_EQ(
      refusal([](Fixture& f) { f.problem.fixed.tile_n = 512; }),
      "net.yaml:11:5: mapping.tile_n of layer 'fc': the layer has 256 output channels, not 512");
  EXPECT_EQ(
      refusal([](Fixture& f) { f.problem.fixed.tile_m = 65; }),
      "net.yaml:10:5: mapping.tile_m of layer 'fc': the layer has 64 rows (all samples of the "
      "batch), not 65");
  EXPECT_EQ(refusal([](Fixture& f) {
              f.problem.fixed.tile_n = 256;
              f.problem.fixed.tile_m = 64;
            }),
            "net.yaml:10:5: mapping.tile_m of layer 'fc': the outputs of 64 rows and 256 channels "
            "take 18432 bytes, engine.output_buffer has 16384");
  EXPECT_EQ(
      refusal([](Fixture& f) { f.problem.fixed.tile_k = 100; }),
      "net.yaml:12:5: mapping.tile_k of layer 'fc': a weight tile holds whole scanner windows "
      "(scan_width * k_ways k), here of 128 k; 100 is less");
  EXPECT_EQ(refusal([](Fixture& f) {
              f.problem.fixed.tile_m = 32;
              f.problem.fixed.task_blocks = 3;
            }),
            "net.yaml:13:5: mapping.task_blocks of layer 'fc': the layer has 2 blocks of 32 rows, "
            "not 3");
  EXPECT_NE(
      refusal([](Fixture& f) {
        f.chip.engine.psum_buffer = 1024;
        f.problem.fixed.tile_n = 64;
        f.problem.fixed.tile_k = 128;
        f.problem.fixed.tile_m = 32;
      })
          .find("net.yaml:10:5: mapping.tile_m of layer 'fc': the partial sums of a block of 32 "
                "rows and 64 channels take 8192 bytes, engine.psum_buffer has 1024"),
      std::string::npos);
  EXPECT_EQ(refusal([](Fixture& f) {
              f.problem.run_time = true;
              f.problem.fixed.layout = params::WeightLayout::kRow;
            }),
            "net.yaml:15:5: mapping.layout of layer 'fc': the right operand is made at run time; "
            "only weights can lie k by k");
  EXPECT_EQ(refusal([](Fixture& f) { f.problem.fixed.k_parts = 10; }),
            "net.yaml:16:5: mapping.k_parts of layer 'fc': a part has at least one scanner window "
            "(scan_width * k_ways k), K = 1152 has 9, not 10");
  EXPECT_EQ(refusal([](Fixture& f) {
              f.chip.engine.psum_buffer = 32;
              f.problem.fixed.k_parts = 2;
            }),
            "net.yaml:16:5: mapping.k_parts of layer 'fc': no block of 1 rows and 16 channels "
            "leaves partial sums that fit in engine.psum_buffer (32 bytes), or no equal K tiles "
            "fit");
}

TEST(Search, EnergyIsChosenOnRequest) {
  Fixture fixture;
  // Only bytes into weight buffers cost anything: the fewest loads of tiles win.
  const MappingCosts costs{.weight_byte = 1e-12};
  const Split fast = fixture.choose(costs);
  fixture.chip.mapper.objective = params::Objective::kEnergy;
  const Split frugal = fixture.choose(costs);
  const auto expected = [&](const Split& split) {
    return predict(fixture.problem, fixture.counts, fixture.windows, fixture.chip, costs, split);
  };
  EXPECT_LT(expected(frugal).energy, expected(fast).energy);
  EXPECT_GT(expected(frugal).total, expected(fast).total);
  // Without costs there is nothing to choose by but time.
  EXPECT_EQ(fixture.choose().predicted_cycles, expected(fast).total);
}

TEST(Search, CandidatesAreSoundAndTheChosenIsTheBest) {
  for (const Grid grid : {Grid::kFine, Grid::kCoarse}) {
    const Fixture fixture;
    double best = 0;
    int count = 0;
    for_each_candidate(
        fixture.problem, fixture.counts, fixture.windows, fixture.chip, {}, grid,
        [&](const Candidate& candidate) {
          ++count;
          EXPECT_TRUE(split_violations(fixture.problem, fixture.counts, fixture.windows,
                                       fixture.chip.engine, candidate.split)
                          .empty());
          if (best == 0 || candidate.prediction.total < best) {
            best = candidate.prediction.total;
          }
        });
    EXPECT_GT(count, 100);
    if (grid == Grid::kFine) {
      EXPECT_EQ(best, fixture.choose().predicted_cycles);
    } else {
      EXPECT_LE(fixture.choose().predicted_cycles, best);
    }
  }
}

TEST(Search, KIsCutWhereCoresHaveNothingElseToDo) {
  Fixture fixture;
  fixture.problem.rows = 1;
  fixture.problem.n = 32;
  fixture.counts = WeightCounts(Fixture::draw(0.9), kN, fixture.windows, fixture.chip.engine);
  const auto parts = [&] { return fixture.choose().k_parts; };
  EXPECT_GT(parts(), 1) << "32 cores, two tiles of 16 channels";
  EXPECT_LE(parts(), fixture.windows.windows());
  fixture.problem.fixed.k_parts = 1;
  EXPECT_EQ(parts(), 1);
  fixture.problem.fixed = {};
  fixture.chip.cores = 1;
  EXPECT_EQ(parts(), 1) << "a core alone gains nothing";
  fixture.chip.cores = 32;
  fixture.problem.rows = 4096;
  EXPECT_EQ(parts(), 1) << "rows keep all cores busy";
}

TEST(Predict, ALongTileIsNotLoadedBehindTheShortOneBeforeIt) {
  Fixture fixture;
  fixture.chip.cores = 4;
  const auto total = [&](int first_windows) {
    Split split;
    for (const auto& [begin, end] : {std::pair{0, first_windows}, std::pair{first_windows, 9}}) {
      split.k_tiles.push_back({begin, end, fixture.windows.positions({begin, end}),
                               fixture.windows.k_range({begin, end}).count()});
    }
    split.tile_channels = 64;
    split.n_tiles = 4;
    split.block_rows = 8;
    split.blocks = 8;
    split.blocks_per_task = 1;
    split.task_runs = 8;
    split.order = params::Ordering::kRowMajor;
    return predict(fixture.problem, fixture.counts, fixture.windows, fixture.chip, {}, split).total;
  };
  EXPECT_EQ(fixture.windows.windows(), 9);
  EXPECT_GT(total(8), 1.1 * total(5));
  EXPECT_GT(total(7), total(5));
}

TEST(Predict, BehindAnEngineLayerLessIsLoadedBeforeALayerBegins) {
  Fixture fixture;
  const Split split = fixture.choose();
  const auto start = [&] {
    return predict(fixture.problem, fixture.counts, fixture.windows, fixture.chip, {}, split).start;
  };
  const double after_vector_units = start();
  fixture.problem.follows_engine = true;
  EXPECT_GE(start(), after_vector_units);
  fixture.chip.cores = 1;  // many tasks, each of several K tiles
  const double after_engine = start();
  fixture.problem.follows_engine = false;
  EXPECT_GT(after_engine, start());
}

TEST(Predict, StreamsOfWeightsBoundALayer) {
  Fixture fixture;
  const Split split = fixture.choose();
  const auto total = [&](double bytes_per_cycle) {
    fixture.problem.stream_bytes_per_cycle = bytes_per_cycle;
    return predict(fixture.problem, fixture.counts, fixture.windows, fixture.chip, {}, split);
  };
  EXPECT_EQ(total(0).dram, 0);
  EXPECT_EQ(total(1).bound, Bound::kDram);
  EXPECT_NEAR(total(1).dram, 2 * total(2).dram, 1e-6);
  EXPECT_GE(total(1).total, total(1).dram) << "far more than the layer's own work";
  EXPECT_LT(total(1e6).dram, total(1e6).total);
}

TEST(Predict, FormsOfWeightsTakeTheirBytes) {
  Fixture fixture;
  fixture.problem.stream_bytes_per_cycle = 1;
  const Split split = fixture.choose();
  const auto predicted = [&](params::WeightFormat format) {
    fixture.chip.compress.weights = format;
    return predict(fixture.problem, fixture.counts, fixture.windows, fixture.chip, {}, split);
  };
  const Prediction dense = predicted(params::WeightFormat::kDense);
  const Prediction mask = predicted(params::WeightFormat::kBitmask);
  EXPECT_NEAR(dense.dram, kK * kN, 0.05 * kK * kN);
  EXPECT_NEAR(mask.dram, kK * kN * (0.3 + 0.125), 0.05 * kK * kN);
  EXPECT_EQ(dense.compute, mask.compute);
  EXPECT_GE(dense.memory, mask.memory);
}

TEST(Predict, FormsOfActivationsTakeTheirBytes) {
  params::ChipParams chip;
  const auto traffic = [&](params::ActivationFormat format, double density) {
    chip.compress.activations = format;
    return token_traffic(chip, 256, 256, density);
  };
  using params::ActivationFormat;
  EXPECT_EQ(traffic(ActivationFormat::kDense, 0.1), 256);
  EXPECT_EQ(traffic(ActivationFormat::kBitmask, 0.1), 128);
  EXPECT_EQ(traffic(ActivationFormat::kBitmask, 1.0), 288) << "as one piece";
  EXPECT_NEAR(traffic(ActivationFormat::kCoordinate, 0.05), 128, 1);
  EXPECT_GT(traffic(ActivationFormat::kCoordinate, 0.9), 400);
}

TEST(Predict, RowsOfDramWaitForTheActivationsAndCrossTheLink) {
  Fixture fixture;
  fixture.problem.rows = 1;
  fixture.problem.row_layout = true;
  fixture.problem.activation_density = 0.2;
  fixture.problem.stream_bytes_per_cycle = fixture.problem.dram_bytes_per_cycle = 8;
  fixture.problem.channels_bytes_per_cycle = 100;
  const Split split = fixture.choose();
  ASSERT_EQ(split.task_runs, 1);
  const auto predicted = [&] {
    return predict(fixture.problem, fixture.counts, fixture.windows, fixture.chip, {}, split);
  };
  const Prediction plain = predicted();
  EXPECT_GT(plain.total, plain.dram) << "nothing hides it";
  EXPECT_GT(plain.expected.selected_bytes, 0);
  // Padding and lengths stay behind with units, and the rows are asked for from there.
  fixture.chip.dram.near_memory = params::NearMemoryParams{true, true, 64, 20};
  const Prediction near = predicted();
  EXPECT_LT(near.dram, 0.95 * plain.dram);
  EXPECT_LT(near.total, plain.total);
  EXPECT_EQ(near.expected.selected_bytes, plain.expected.selected_bytes);
  // Units that are slower than the link are what counts.
  fixture.chip.dram.near_memory->width = 1;
  fixture.chip.dram.channels = 1;
  EXPECT_NEAR(predicted().dram, near.expected.selected_bytes, 1e-6);
  // Rows that nobody asks for do not move.
  fixture.problem.activation_density = 0.05;
  EXPECT_LT(predicted().dram, 0.6 * near.expected.selected_bytes);
}

}  // namespace
}  // namespace lacuna::mapper
