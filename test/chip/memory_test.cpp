// SPDX-License-Identifier: Apache-2.0
//
// Chips with their real memory system: does what cores and DMA ask for arrive, and is it counted
// alike on both sides?
#include <gtest/gtest.h>

#include <string>

#include "config/chip_files.h"
#include "support.h"

namespace lacuna::chip {
namespace {

struct Runs {
  RunResult real;
  RunResult ideal;
};

Runs run_both(const workload::Graph& graph, const std::vector<std::string>& sets,
              const std::string& name) {
  const config::ChipFiles files = config::load_chip(
      std::string(LACUNA_SOURCE_DIR) + "/configs/chips/" + name + ".yaml", {.sets = sets});
  const auto run = [&](MemoryKind kind) {
    fresh_kernel();
    RunOptions options;
    options.check_reference = true;
    options.memory = kind;
    const auto backend = cosim::make_backend(files.chip.value.engine, {});
    return run_network(files.chip.value, files.effective_memory, graph, *backend, options);
  };
  return {run(MemoryKind::kReal), run(MemoryKind::kIdeal)};
}

TEST(Memory, RealMemoryComputesTheSameAndTakesLonger) {
  const workload::Graph graph = small_network(2);
  for (const std::string chip : {"tiny", "reference"}) {
    const Runs runs = run_both(graph, {}, chip);
    expect_reference(runs.real);
    expect_reference(runs.ideal);
    EXPECT_GT(runs.real.cycles, runs.ideal.cycles) << chip;
    EXPECT_EQ(runs.real.engine.macs, runs.ideal.engine.macs) << chip;
  }
}

TEST(Memory, EveryByteIsAccountedToALayer) {
  const workload::Graph graph = small_network(2);
  for (const std::string chip : {"tiny", "reference"}) {
    const RunResult result = run_both(graph, {}, chip).real;
    EXPECT_EQ(static_cast<double>(result.traffic.dram_read),
              result.memory.dram_statistics.at("requested_read_bytes"))
        << chip;
    EXPECT_EQ(static_cast<double>(result.traffic.dram_write),
              result.memory.dram_statistics.at("requested_write_bytes"))
        << chip;
    // Whole bursts and whole SRAM words move.
    EXPECT_GE(result.memory.dram_read_bytes, result.traffic.dram_read) << chip;
    EXPECT_GE(result.memory.sram_write_bytes, result.traffic.sram_write) << chip;
    EXPECT_EQ(result.memory.noc_bytes, result.traffic.sram_read + result.traffic.sram_write +
                                           result.traffic.dram_read + result.traffic.dram_write)
        << chip;
  }
}

TEST(Memory, SlowerMemoryNeverMakesARunMuchFaster) {
  const workload::Graph graph = small_network(2);
  const Runs wide = run_both(graph, {}, "tiny");
  const Runs narrow = run_both(graph, {"sram.width=8 B", "sram.latency=20"}, "tiny");
  expect_reference(narrow.real);
  EXPECT_GT(narrow.real.cycles, wide.real.cycles);
  EXPECT_GT(narrow.real.stack[StackPart::kLoading], wide.real.stack[StackPart::kLoading]);
}

}  // namespace
}  // namespace lacuna::chip
