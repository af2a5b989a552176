// SPDX-License-Identifier: Apache-2.0
//
// The form in which weights and activations lie in memory: it changes what moves, never what is
// computed.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "config/loader.h"
#include "mapper/map.h"
#include "support.h"

namespace lacuna::chip {
namespace {

using params::ActivationFormat;
using params::WeightFormat;

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

params::ChipParams streaming_chip() {
  params::ChipParams chip = tiny_chip();
  chip.sram.capacity = 4096;
  chip.mapper.pinned = 0;  // all of them stream
  return chip;
}

TEST(Compress, OutputsAndPassesDoNotDependOnTheFormOfWeights) {
  const workload::Graph graph = gemm(40, 60, 200, 0.15, 0.4);
  RunOptions options;  // the mapper would choose another split for another form
  options.mapping.splits[0] = mapper::map_program(graph, streaming_chip()).gemms[0].split;
  const RunResult image = run_real(streaming_chip(), graph, options);
  std::map<WeightFormat, std::int64_t> dram;
  for (const auto& [format, name] : enum_names(WeightFormat{})) {
    params::ChipParams chip = streaming_chip();
    chip.compress.weights = format;
    const RunResult result = run_real(chip, graph, options);
    EXPECT_EQ(result.layers[0].reference_mismatches, 0) << name;
    EXPECT_EQ(result.result_values, image.result_values) << name;
    EXPECT_EQ(result.engine.passes, image.engine.passes) << name;
    EXPECT_EQ(result.engine.weight_words, image.engine.weight_words) << name;
    EXPECT_EQ(result.traffic.weights, image.traffic.weights) << name;  // into the buffers
    EXPECT_EQ(result.traffic.decoded > 0, format != WeightFormat::kImage) << name;
    dram[format] = result.traffic.dram_read;
  }
  // 15 % of 8-bit codes: about 8, 2.2, 2 and 2.4 bits a code.
  EXPECT_LT(dram[WeightFormat::kBitmask], dram[WeightFormat::kDense]);
  EXPECT_LT(dram[WeightFormat::kRunLength], dram[WeightFormat::kCoordinate]);
  EXPECT_LT(dram[WeightFormat::kBitmask], dram[WeightFormat::kImage]);
  for (const auto format : {WeightFormat::kDense, WeightFormat::kBitmask, WeightFormat::kRunLength,
                            WeightFormat::kCoordinate, WeightFormat::kNm}) {
    // A tag a tile, rounded up to bursts.
    EXPECT_LE(dram[WeightFormat::kAuto], dram[format] + dram[format] / 20);
  }
}

TEST(Compress, FewerBytesFromDramAreFewerCycles) {
  const workload::Graph graph = gemm(1, 256, 256, 0.1, 1.0);
  params::ChipParams chip = streaming_chip();
  chip.dram.channels = 1;
  chip.compress.weights = WeightFormat::kDense;
  const RunResult dense = run_real(chip, graph);
  chip.compress.weights = WeightFormat::kAuto;
  const RunResult least = run_real(chip, graph);
  EXPECT_LT(least.memory.dram_read_bytes, dense.memory.dram_read_bytes / 2);
  EXPECT_LT(least.cycles, dense.cycles);
}

TEST(Compress, OutputsDoNotDependOnTheFormOfActivations) {
  std::map<ActivationFormat, RunResult> results;
  for (const auto& [format, name] : enum_names(ActivationFormat{})) {
    params::ChipParams chip = tiny_chip();
    chip.engine.act_block = 64;
    chip.engine.activation_buffer = 1024;
    chip.engine.output_buffer = 4096;
    chip.compress.activations = format;
    RunOptions options;
    options.mapping.batch = 2;
    results[format] = run_real(chip, small_network(5), options);
    for (const LayerResult& layer : results[format].layers) {
      EXPECT_EQ(layer.reference_mismatches, 0) << name << " " << layer.name;
    }
    EXPECT_EQ(results[format].result_values, results[ActivationFormat::kBitmask].result_values)
        << name;
    EXPECT_EQ(results[format].traffic.decoded > 0, format != ActivationFormat::kBitmask);
  }
}

TEST(Compress, RowsOfRowLayoutAreEncodedOneByOne) {
  const workload::Graph graph = gemm(1, 128, 200, 0.1, 0.3);
  params::ChipParams chip = streaming_chip();
  chip.mapper.layout = params::WeightLayout::kRow;
  const RunResult image = run_real(chip, graph);
  chip.compress.weights = WeightFormat::kDense;
  const RunResult dense = run_real(chip, graph);
  EXPECT_EQ(dense.result_values, image.result_values);
  EXPECT_EQ(dense.layers[0].weight_rows, image.layers[0].weight_rows);
  EXPECT_GT(dense.traffic.decoded, 0);
}

}  // namespace
}  // namespace lacuna::chip
