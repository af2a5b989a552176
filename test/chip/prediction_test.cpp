// SPDX-License-Identifier: Apache-2.0
//
// What the mapper expects of chips whose weights have another form in memory, or whose DRAM is
// behind a link, with or without near-memory units: is it about what the simulation takes, and are
// its choices better than those of a mapper that does not know?
#include <gtest/gtest.h>

#include <string>

#include "config/loader.h"
#include "mapper/map.h"
#include "support.h"

namespace lacuna::chip {
namespace {

using params::WeightFormat;

params::MemoryPreset memory() {
  return config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) +
                                            "/configs/memories/nearbank-2000.yaml")
      .value;
}

/// 32 cores that stream weights, DRAM of 8 wide channels behind a link.
params::ChipParams linked_chip(int width, params::WeightLayout layout) {
  params::ChipParams chip;
  chip.sram.capacity = 1 << 20;
  chip.dram.channels = 8;
  chip.dram.link = params::MemoryLinkParams{width, 12};
  chip.mapper.layout = layout;
  return chip;
}

struct Result {
  double cycles = 0;
  double predicted = 0;
};

Result simulated(const params::ChipParams& chip, const workload::Graph& graph,
                 const RunOptions& options = {}) {
  fresh_kernel();
  const auto backend = cosim::make_backend(chip.engine, {});
  const RunResult result = run_network(chip, memory(), graph, *backend, options);
  return {static_cast<double>(result.cycles), result.layers.at(0).predicted_cycles};
}

void expect_near(const Result& result, double factor, const std::string& what) {
  EXPECT_LT(result.predicted, factor * result.cycles) << what;
  EXPECT_GT(result.predicted, result.cycles / factor) << what;
}

TEST(Prediction, KnowsTheFormOfWeights) {
  const workload::Graph graph = gemm(4, 2048, 2048, 0.25, 0.5);
  for (const auto format : {WeightFormat::kImage, WeightFormat::kDense, WeightFormat::kBitmask,
                            WeightFormat::kCoordinate, WeightFormat::kAuto}) {
    params::ChipParams chip = linked_chip(32, params::WeightLayout::kTile);
    chip.compress.weights = format;
    chip.mapper.order = params::Ordering::kTileMajor;
    // Streams of weights are expected to have begun while an earlier layer runs: here is none.
    expect_near(simulated(chip, graph), 1.7, std::string(params::enum_name(format)));
  }
}

TEST(Prediction, KnowsTheLinkAndTheUnits) {
  const workload::Graph graph = gemm(1, 2048, 2048, 0.3, 0.15);
  for (const int width : {16, 64}) {
    for (const bool near : {false, true}) {
      for (const auto format : {WeightFormat::kImage, WeightFormat::kDense}) {
        params::ChipParams chip = linked_chip(width, params::WeightLayout::kRow);
        chip.compress.weights = format;
        if (near) chip.dram.near_memory = params::NearMemoryParams{true, true, 32, 24};
        expect_near(simulated(chip, graph), 1.35,
                    fmt::format("link of {}, {}, {}", width, near ? "units" : "no units",
                                params::enum_name(format)));
      }
    }
  }
}

/// The splits that a mapper chooses that knows nothing of link and units.
RunOptions blind_options(params::ChipParams chip, const workload::Graph& graph) {
  chip.dram.link.reset();
  chip.dram.near_memory.reset();
  mapper::MapOptions options;
  options.dram_bytes_per_cycle = dram_bytes_per_cycle(chip, memory());
  options.burst_bytes = memory().organization.burst_bytes();
  const mapper::Program program = mapper::map_program(graph, chip, options);
  RunOptions run;
  run.mapping.splits[0] = program.gemms[0].split;
  return run;
}

TEST(Prediction, ChoosesBetterForALink) {
  const workload::Graph graph = gemm(1, 2048, 1024, 0.5, 0.3);
  for (const bool near : {false, true}) {
    params::ChipParams chip = linked_chip(64, params::WeightLayout::kRow);
    if (near) chip.dram.near_memory = params::NearMemoryParams{true, true, 32, 24};
    const double blind = simulated(chip, graph, blind_options(chip, graph)).cycles;
    EXPECT_LT(simulated(chip, graph).cycles, 0.97 * blind) << (near ? "units" : "no units");
  }
}

}  // namespace
}  // namespace lacuna::chip
