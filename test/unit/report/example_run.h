// SPDX-License-Identifier: Apache-2.0
//
// A run's result with round numbers, made by hand: two engine layers, a vector layer and a view;
// three batches of two samples.
#pragma once

#include "chip/result.h"
#include "energy/energy_model.h"
#include "report/summary.h"
#include "workload/graph.h"

namespace lacuna::report {

inline params::EnergyParams example_table() {
  params::EnergyParams table;
  table.name = "example";
  const params::ActionEnergy one{1e-12, params::Basis::kJudged, "example"};
  table.mac_int8 = {2e-12, params::Basis::kPublished, "example"};
  table.mac_gated = table.accumulator_byte = table.fifo_byte = table.broadcast_bit = one;
  table.int32_add = table.requantize = table.crossbar_bit = table.vector_element = one;
  table.sram_byte = {{1024, 1e-12, params::Basis::kJudged, "example"},
                     {2048, 1e-12, params::Basis::kJudged, "example"}};
  params::DramEnergy dram;
  dram.bit = one;
  dram.activate = {1e-9, params::Basis::kJudged, "example"};
  dram.background = {0.5, params::Basis::kJudged, "example"};
  table.dram["lpddr4x"] = dram;
  table.core = {0.5, params::Basis::kJudged, "example"};
  table.uncore = {1, params::Basis::kJudged, "example"};
  return table;
}

inline params::ChipParams example_chip() {
  params::ChipParams chip;
  chip.name = "example";
  chip.clock_hz = 1e9;
  chip.cores = 2;
  chip.engine.pes = 4;
  chip.engine.k_ways = 2;
  chip.engine.lanes = 1;
  chip.dram.preset = "lpddr4x-4266";
  chip.dram.channels = 1;
  return chip;
}

inline workload::Graph example_graph() {
  workload::Graph graph;
  graph.name = "net";
  graph.provenance = {
      {"source", "captured"}, {"model", "example, net"}, {"accuracy_int8", "0.875"}};
  graph.samples = 6;
  workload::Value image;
  image.name = "image";
  image.kind = workload::ValueKind::kInput;
  image.provenance = {workload::Origin::kCaptured, "t.safetensors:image"};
  workload::Value inner;
  inner.name = "conv1";
  inner.provenance = {workload::Origin::kStatistic, "unstructured, density 0.5, seed 8 (table 1)"};
  inner.drawn.source = "table 1";
  graph.values = {image, inner};
  workload::Layer conv;
  conv.name = "conv1";
  conv.op = params::Op::kConv2d;
  conv.input = 0;
  conv.weights.n = 10;
  conv.weights.k = 10;
  conv.weights.non_zeros = 30;
  conv.weights.provenance = {workload::Origin::kCaptured, "t.safetensors:conv1.weight"};
  workload::Layer fc;
  fc.name = "fc, \"last\"";
  fc.op = params::Op::kLinear;
  fc.input = 1;
  fc.weights.n = 10;
  fc.weights.k = 10;
  fc.weights.non_zeros = 20;
  fc.weights.provenance = {workload::Origin::kStatistic, "unstructured, density 0.2, seed 7"};
  graph.layers = {conv, fc};
  return graph;
}

inline chip::RunResult example_result() {
  chip::RunResult result;
  result.chip = "example";
  result.workload = "net";
  result.clock_hz = 1e9;
  result.cores = 2;
  result.pes_per_core = 8;
  result.cycles = 1000;
  result.samples = 6;
  result.programs = {{0, 2, 0, 500}, {2, 2, 500, 700}, {4, 2, 700, 1000}};

  chip::LayerResult conv;
  conv.name = "conv1";
  conv.op = "conv2d";
  conv.on_engine = true;
  conv.end = 300;
  conv.busy_cycles = 900;
  conv.macs_dense = 10000;
  conv.macs_effective = 2000;
  conv.engine.passes = 12;
  conv.engine.pass_cycles = 500;
  conv.engine.macs = 2000;
  conv.traffic.weights = 64;
  conv.has_expect = true;
  conv.expect_values = 600;
  chip::LayerResult fc;
  fc.name = "fc, \"last\"";
  fc.op = "linear";
  fc.on_engine = true;
  fc.begin = 300;
  fc.end = 450;
  fc.macs_dense = 4000;
  fc.macs_effective = 1000;
  fc.engine.pass_cycles = 300;
  fc.engine.macs = 1000;
  fc.has_expect = true;
  fc.expect_values = 60;
  fc.expect_mismatches = 2;
  fc.reference_mismatches = 0;
  fc.first_mismatch = "sample 3: 2 of 10 codes differ";
  chip::LayerResult pool;
  pool.name = "pool";
  pool.op = "max_pool";
  pool.vector_cycles = 40;
  pool.vector_elements = 160;
  chip::LayerResult view;
  view.name = "flat";
  view.op = "flatten";
  view.view = true;
  result.layers = {conv, fc, pool, view};

  for (int i = 0; i < chip::kStackParts; ++i) result.stack.pe_cycles[i] = 1000;
  result.stack[chip::StackPart::kIdle] = 16000 - 11000;
  result.engine = conv.engine;
  result.engine += fc.engine;
  result.traffic.weights = 64;
  result.memory_plan.sram_activations = 4096;
  result.memory_plan.sram_weights = 12288;
  result.memory_plan.sram_pinned = 8192;
  result.memory_plan.dram_weights = 65536;
  result.memory_plan.splits = {{4096, 8192, 4096, 1000.0, 900.0, 122880.0}};
  result.memory_plan.groupings = {{2, 0, 0, result.memory_plan.splits.front(), true}};
  result.memory.dram_read_bytes = 3000;
  result.memory.dram_write_bytes = 1000;
  result.memory.dram_peak_bytes_per_s = 16e9;
  result.memory.sram_read_bytes = 8000;
  result.memory.sram_peak_bytes_per_s = 64e9;
  result.memory.noc_bytes = 8000;
  result.memory.dram_commands = {{"ACT", 5}, {"RD", 60}};
  result.memory.dram_statistics = {{"row_hits", 75}};
  result.memory.sram_statistics = {{"conflicts", 3}};
  result.memory.requesters = {{"core 0", 0, 10, 2, 4000, 500, 3, 70, 20},
                              {"core 1", 0, 9, 1, 3000, 200, 0, 50, 5},
                              {"dma", 1, 4, 4, 150, 150, 0, 8, 0}};
  result.memory.ports = {{110, 12, 30}, {3, 3, 0}};
  result.memory.link = {1500, 100, 24, 2, 6, 64e9, true, 2900, 1500, 46};
  result.verification.engine = cosim::EngineKind::kLockstep;
  result.verification.passes = 24;
  result.verification.shadowed = 24;
  result.verification.mismatches = 1;
  result.verification.first_mismatch = "layer conv1, core 0, pass 3: model and RTL differ";
  result.met = {{"k_split", 3}, {"blocked", 0}};
  result.has_labels = true;
  result.correct = 5;
  return result;
}

/// Owns what a ReportInput refers to.
struct ExampleRun {
  params::ChipParams chip = example_chip();
  workload::Graph graph = example_graph();
  chip::RunResult result = example_result();
  energy::EnergyModel energy{example_table(), chip};
  cosim::MacCounts activation_macs{{"conv1", 5000}, {"fc, \"last\"", 2000}};
  RunSettings settings{
      "chip.yaml", "net.yaml", {"engine.pes=4"}, {"chip.yaml", "net.yaml"}, "lockstep", 0, 6,
      2,           "dual"};
  [[nodiscard]] ReportInput input() const {
    return {settings, result, chip, graph, energy, activation_macs};
  }
};

}  // namespace lacuna::report
