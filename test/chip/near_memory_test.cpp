// SPDX-License-Identifier: Apache-2.0
//
// The link between memory dies and chip, and the units in front of it: what crosses, and when.
#include <gtest/gtest.h>

#include <string>

#include "config/loader.h"
#include "support.h"

namespace lacuna::chip {
namespace {

/// With the real memory system.
RunResult run_real(const params::ChipParams& chip, const workload::Graph& graph,
                   RunOptions options = {}) {
  fresh_kernel();
  options.check_reference = true;
  options.memory = MemoryKind::kReal;
  const auto memory = config::load<params::MemoryPreset>(std::string(LACUNA_SOURCE_DIR) +
                                                         "/configs/memories/lpddr4x-4266.yaml");
  const auto backend = cosim::make_backend(chip.engine, {});
  return run_network(chip, memory.value, graph, *backend, options);
}

params::ChipParams row_chip(int link_width) {
  params::ChipParams chip = tiny_chip();
  chip.sram.capacity = 4096;
  chip.mapper.layout = params::WeightLayout::kRow;
  chip.dram.link = params::MemoryLinkParams{link_width, 8};
  return chip;
}

params::ChipParams near_chip(int link_width) {
  params::ChipParams chip = row_chip(link_width);
  chip.dram.near_memory = params::NearMemoryParams{true, true, 64, 20};
  return chip;
}

TEST(Link, ANarrowOneBoundsTheRun) {
  const workload::Graph graph = gemm(1, 60, 200, 0.4, 1.0);
  params::ChipParams plain = row_chip(1);
  plain.dram.link.reset();
  const RunResult without = run_real(plain, graph);
  EXPECT_EQ(without.memory.link.peak_bytes_per_s, 0);
  Cycle before = without.cycles;
  for (const int width : {64, 4, 1}) {
    const RunResult with = run_real(row_chip(width), graph);
    EXPECT_EQ(with.layers[0].reference_mismatches, 0);
    EXPECT_EQ(with.memory.link.read_bytes, with.traffic.dram_read);
    EXPECT_EQ(with.memory.link.write_bytes, with.traffic.dram_write);
    EXPECT_EQ(with.traffic.link, with.traffic.dram_read + with.traffic.dram_write);
    EXPECT_GE(with.cycles, before);
    EXPECT_GE(with.cycles, with.memory.link.read_bytes / width);
    before = with.cycles;
  }
}

TEST(NearMemory, OnlyRowsThatAreAskedForCross) {
  for (const double density : {1.0, 0.3, 0.05}) {
    workload::Graph graph = gemm(1, 60, 200, 0.4, density);
    graph.layers[0].mapping.tile_k = 64;  // the same tiles with and without units
    graph.layers[0].mapping.tile_n = 8;
    graph.layers[0].mapping.k_parts = 1;
    const RunResult off = run_real(row_chip(2), graph);
    params::ChipParams chip = near_chip(2);
    chip.dram.near_memory->latency = 0;  // or it would be all that such small tiles show
    const RunResult on = run_real(chip, graph);
    EXPECT_EQ(on.layers[0].reference_mismatches, 0);
    EXPECT_EQ(on.result_values, off.result_values);
    EXPECT_EQ(on.engine.weight_words, off.engine.weight_words);
    EXPECT_EQ(on.layers[0].weight_rows, off.layers[0].weight_rows);
    // The same is read beside the banks; padding, lengths and nothing else stays behind.
    EXPECT_EQ(on.traffic.dram_read, off.traffic.dram_read);
    EXPECT_EQ(on.traffic.near_memory, on.memory.link.near_read_bytes);
    EXPECT_LT(on.memory.link.near_sent_bytes, on.memory.link.near_read_bytes);
    EXPECT_LT(on.memory.link.read_bytes, off.memory.link.read_bytes);
    EXPECT_EQ(on.traffic.link, on.memory.link.read_bytes + on.memory.link.write_bytes);
    // With every row asked for the link is busy either way.
    EXPECT_LT(static_cast<double>(on.cycles), static_cast<double>(off.cycles) * 1.002);
    if (density < 0.5) {
      EXPECT_LT(on.cycles, off.cycles);
    }
  }
}

TEST(NearMemory, DisabledIsAsIfItWereNotThere) {
  const workload::Graph graph = gemm(1, 60, 200, 0.4, 0.2);
  params::ChipParams chip = near_chip(4);
  chip.dram.near_memory->enabled = false;
  const RunResult disabled = run_real(chip, graph);
  const RunResult without = run_real(row_chip(4), graph);
  EXPECT_EQ(disabled.cycles, without.cycles);
  EXPECT_EQ(disabled.memory.link.read_bytes, without.memory.link.read_bytes);
  EXPECT_FALSE(disabled.memory.link.near_memory);
}

TEST(NearMemory, SlowUnitsAndLongWaysTakeTheirTime) {
  const workload::Graph graph = gemm(1, 60, 200, 0.4, 0.5);
  const RunResult fast = run_real(near_chip(16), graph);
  params::ChipParams chip = near_chip(16);
  chip.dram.near_memory->latency = 500;
  EXPECT_GT(run_real(chip, graph).cycles, fast.cycles + 500);
  chip = near_chip(16);
  chip.dram.near_memory->width = 1;
  chip.dram.channels = 1;
  const RunResult slow = run_real(chip, graph);
  EXPECT_GE(slow.cycles, slow.memory.link.near_read_bytes);
  EXPECT_GE(slow.memory.link.near_cycles, slow.memory.link.near_read_bytes);
}

TEST(NearMemory, EncodedRowsAreDecodedOnEitherSideOfTheLink) {
  const workload::Graph graph = gemm(1, 128, 200, 0.1, 0.5);
  params::ChipParams chip = near_chip(2);
  chip.compress.weights = params::WeightFormat::kDense;
  const RunResult before = run_real(chip, graph);
  chip.dram.near_memory->decode = false;
  const RunResult after = run_real(chip, graph);
  EXPECT_EQ(before.result_values, after.result_values);
  EXPECT_EQ(before.memory.link.near_read_bytes, after.memory.link.near_read_bytes);
  EXPECT_NE(before.memory.link.near_sent_bytes, after.memory.link.near_sent_bytes);
}

}  // namespace
}  // namespace lacuna::chip
