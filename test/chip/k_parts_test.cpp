// SPDX-License-Identifier: Apache-2.0
//
// K cut over cores: are outputs those of an uncut layer whatever the parts, the dispatch, the
// memory and the order; is every partial sum moved once each way; and does a chip with too little
// of everything still come to an end?
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "config/chip_files.h"
#include "config/loader.h"
#include "mapper/tile_compiler.h"
#include "params/workload_params.h"
#include "support.h"
#include "workload/graph_builder.h"

namespace lacuna::chip {
namespace {

const std::string kRoot = LACUNA_SOURCE_DIR;

/// Every engine layer in so many parts, as far as its K has windows.
void cut(workload::Graph& graph, const params::EngineParams& engine, int parts) {
  for (workload::Layer& each : graph.layers) {
    if (!each.on_engine()) continue;
    const timing::engine::WindowTable windows(engine, mapper::segments_of(each));
    each.mapping.k_parts = std::min(parts, windows.windows());
  }
}

/// Partial sums that a layer must move: 4 bytes for each output and part.
std::int64_t sum_bytes(const workload::Layer& of, std::int64_t samples, int parts) {
  return parts > 1 ? 4 * of.gemm.m * of.gemm.n * of.gemm.heads * samples * parts : 0;
}

void expect_sums(const workload::Graph& graph, const RunResult& result) {
  for (const workload::Layer& of : graph.layers) {
    if (!of.on_engine()) continue;
    const LayerResult& layer = result.layers[static_cast<std::size_t>(of.index)];
    SCOPED_TRACE(of.name);
    EXPECT_EQ(layer.k_parts, of.mapping.k_parts);
    const std::int64_t bytes = sum_bytes(of, result.samples, layer.k_parts);
    EXPECT_EQ(layer.traffic.sums_stored, bytes);
    EXPECT_EQ(layer.traffic.sums_loaded, bytes);
    EXPECT_EQ(layer.vector.codes_read, bytes);
    EXPECT_EQ(layer.vector_cycles > 0, layer.k_parts > 1);
    EXPECT_EQ(layer.engine.outputs > 0, layer.k_parts == 1) << "the vector unit makes them";
  }
}

workload::Graph load_trace(const std::string& name) {
  const auto loaded =
      config::load<params::WorkloadParams>(kRoot + "/traces/" + name + "/workload.yaml");
  return workload::build_graph(
      loaded.value, [&loaded](const std::string& key) { return loaded.provenance.locate(key); });
}

void expect_trace_exact(const std::string& name) {
  const config::ChipFiles files = config::load_chip(kRoot + "/configs/chips/tiny.yaml");
  workload::Graph graph = load_trace(name);
  for (const int parts : {1, 2, 3, 4}) {
    for (const params::Dispatch dispatch :
         {params::Dispatch::kDynamic, params::Dispatch::kStatic}) {
      SCOPED_TRACE(std::to_string(parts) + " parts");
      cut(graph, files.chip.value.engine, parts);
      RunOptions options;
      options.samples = 1;
      options.mapping.dispatch = dispatch;
      fresh_kernel();
      const auto backend = cosim::make_backend(files.chip.value.engine, {});
      const RunResult result =
          run_network(files.chip.value, files.effective_memory, graph, *backend, options);
      EXPECT_EQ(result.expect_mismatches(), 0);
      expect_sums(graph, result);
      EXPECT_EQ(result.met.at("stored_partial_sums") > 0, parts > 1);
    }
  }
}

TEST(KParts, AConvolutionalTraceIsExact) { expect_trace_exact("digits-cnn-unstructured-90"); }

TEST(KParts, ATransformerTraceIsExact) { expect_trace_exact("digits-transformer-nm-2-4"); }

TEST(KParts, OrderBatchAndDramDoNotMatter) {
  for (const std::int64_t sram : {1 << 20, 1 << 13, 1 << 11}) {
    for (const params::Ordering order :
         {params::Ordering::kTileMajor, params::Ordering::kRowMajor}) {
      params::ChipParams chip = tiny_chip();
      chip.sram.capacity = sram;
      chip.mapper.order = order;
      workload::Graph graph = small_network(2);
      cut(graph, chip.engine, 3);
      RunOptions options;
      options.mapping.batch = 2;
      const RunResult result = run_model(chip, graph, options);
      expect_reference(result);
      expect_sums(graph, result);
    }
  }
}

TEST(KParts, SeveralTilesAndBlocksOfATask) {
  params::ChipParams chip = tiny_chip();
  workload::Graph graph = gemm(37, 29, 301, 0.6, 0.5);
  params::LayerMapping& fixed = graph.layers[0].mapping;
  fixed.k_parts = 3;
  fixed.tile_k = 32;
  fixed.tile_m = 4;
  fixed.tile_n = 4;
  fixed.task_blocks = 3;
  const RunResult result = run_model(chip, graph);
  expect_reference(result);
  expect_sums(graph, result);
  EXPECT_GT(result.layers[0].splits_k, result.layers[0].k_parts) << "tiles of a part add up";
  EXPECT_GT(result.engine.psum_reads, 0);
}

TEST(KParts, TightChipsComeToAnEnd) {
  for (const int cores : {1, 3}) {
    for (const params::Dispatch dispatch :
         {params::Dispatch::kDynamic, params::Dispatch::kStatic}) {
      params::ChipParams chip = tiny_chip();
      chip.cores = cores;
      chip.cores_per_port = 1;
      chip.sram.capacity = 2048;     // a ring of few tiles; partial sums in DRAM
      chip.engine.psum_buffer = 64;  // of one block
      workload::Graph graph = gemm(40, 24, 200, 0.5, 0.5);
      graph.layers[0].mapping.k_parts = 5;
      RunOptions options;
      options.mapping.dispatch = dispatch;
      const RunResult result = run_model(chip, graph, options);
      expect_reference(result);
      expect_sums(graph, result);
      EXPECT_GT(result.met.at("psum_space_waits"), 0);
      EXPECT_GT(result.traffic.dram_write, sum_bytes(graph.layers[0], 1, 5));
    }
  }
}

TEST(KParts, RowsOfWeightsAreSelectedInEveryPart) {
  params::ChipParams chip = tiny_chip();
  chip.sram.capacity = 4096;
  chip.mapper.layout = params::WeightLayout::kRow;
  workload::Graph graph = gemm(1, 60, 200, 0.4, 0.2);
  graph.layers[0].mapping.k_parts = 4;
  const RunResult result = run_model(chip, graph);
  expect_reference(result);
  expect_sums(graph, result);
  EXPECT_GT(result.layers[0].weight_rows_skipped, 0);
}

TEST(KParts, MoreCoresWorkWhereThereAreFewTiles) {
  params::ChipParams chip;  // 32 cores; 4 tiles of 16 channels
  workload::Graph graph = gemm(8, 64, 4096, 0.5, 0.5);
  graph.layers[0].mapping.k_parts = 1;
  const RunResult whole = run_model(chip, graph);
  graph.layers[0].mapping.k_parts = 8;
  const RunResult parts = run_model(chip, graph);
  expect_reference(whole);
  expect_reference(parts);
  EXPECT_EQ(parts.result_values, whole.result_values);
  EXPECT_LT(parts.cycles, whole.cycles * 2 / 3);
}

}  // namespace
}  // namespace lacuna::chip
