// SPDX-License-Identifier: Apache-2.0
//
// What a chip must and must not do in time: prefetch, warm programs, dependencies, halves, and that
// nothing about time ever changes an output.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/rng.h"
#include "support.h"

namespace lacuna::chip {
namespace {

using Unit = TimelineEvent::Unit;

TEST(Behaviour, ComputesASmallNetworkOnEveryChip) {
  const workload::Graph graph = small_network();
  for (const bool tiny : {true, false}) {
    const RunResult result = run_model(tiny ? tiny_chip() : params::ChipParams{}, graph);
    expect_reference(result);
    EXPECT_EQ(result.samples, 2);
    EXPECT_TRUE(result.layers[3].view);
    EXPECT_EQ(result.layers[3].engine.passes, 0);
  }
}

TEST(Behaviour, SkippingChangesCyclesAndNeverOutputs) {
  const workload::Graph graph = small_network();
  std::map<std::pair<bool, bool>, Cycle> cycles;
  for (const bool weights : {false, true}) {
    for (const bool activations : {false, true}) {
      params::ChipParams chip = tiny_chip();
      chip.engine.weight_buffer = 4096;  // the same splits with and without skipping
      chip.engine.skip_weights = weights;
      chip.engine.skip_activations = activations;
      const RunResult result = run_model(chip, graph);
      expect_reference(result);
      cycles[{weights, activations}] = result.cycles;
    }
  }
  EXPECT_LT((cycles[{true, false}]), (cycles[{false, false}]));
  EXPECT_LT((cycles[{false, true}]), (cycles[{false, false}]));
  EXPECT_LT((cycles[{true, true}]), (cycles[{true, false}]));
  EXPECT_LT((cycles[{true, true}]), (cycles[{false, true}]));
}

TEST(Behaviour, ADenseChipMultipliesEverything) {
  params::ChipParams chip = tiny_chip();
  chip.engine.skip_weights = false;
  chip.engine.skip_activations = false;
  const RunResult result = run_model(chip, gemm(8, 8, 64, 0.3, 0.3));
  EXPECT_EQ(result.engine.macs + result.engine.macs_gated, 8 * 8 * 64);
  EXPECT_EQ(result.layers[0].macs_dense, 8 * 8 * 64);
}

TEST(Behaviour, DualSkippingMultipliesWhatIsEffective) {
  const RunResult result = run_model(tiny_chip(), gemm(24, 24, 200, 0.3, 0.4));
  EXPECT_EQ(result.engine.macs, result.layers[0].macs_effective);
  EXPECT_EQ(result.engine.macs_gated, 0);
  EXPECT_LT(result.layers[0].macs_effective, result.layers[0].macs_dense / 4);
}

TEST(Behaviour, TheNextTileLoadsWhileThisOneComputes) {
  params::ChipParams chip = tiny_chip();
  chip.cores = 1;
  Recorder recorder;
  RunOptions options;
  options.events = &recorder;
  const RunResult result = run_model(chip, gemm(40, 24, 128, 0.9, 0.9), options);
  expect_reference(result);
  const auto passes = recorder.of(Unit::kEngine);
  const auto loads = recorder.of(Unit::kWeightLoad);
  ASSERT_GE(loads.size(), 2U);
  Cycle engine = 0;
  Cycle loading = 0;
  for (const TimelineEvent& pass : passes) engine += pass.end - pass.begin;
  for (const Unit unit : {Unit::kWeightLoad, Unit::kActivationLoad}) {
    for (const TimelineEvent& load : recorder.of(unit)) loading += load.end - load.begin;
  }
  EXPECT_LT(result.cycles, engine + loading) << "loads and passes overlap";
  // Every weight load but the first overlaps a pass.
  for (std::size_t i = 1; i < loads.size(); ++i) {
    const bool hidden = std::any_of(passes.begin(), passes.end(), [&](const TimelineEvent& pass) {
      return pass.begin < loads[i].end && loads[i].begin < pass.end;
    });
    EXPECT_TRUE(hidden || loads[i].begin < passes.front().begin) << "load " << i;
  }
}

TEST(Behaviour, PassesOfACoreFollowEachOtherAndWaitForTheirLoads) {
  Recorder recorder;
  RunOptions options;
  options.events = &recorder;
  params::ChipParams chip = tiny_chip();
  const RunResult result = run_model(chip, gemm(37, 29, 301, 0.6, 0.5), options);
  expect_reference(result);
  std::map<int, Cycle> free;
  for (const TimelineEvent& pass : recorder.of(Unit::kEngine)) {
    EXPECT_GE(pass.begin, free[pass.core]);
    EXPECT_GT(pass.end, pass.begin);
    free[pass.core] = pass.end;
  }
  for (int core = 0; core < chip.cores; ++core) {
    Cycle first_load = -1;
    Cycle first_block = -1;
    Cycle first_pass = -1;
    for (const TimelineEvent& event : recorder.events) {
      if (event.core != core) continue;
      if (event.unit == Unit::kWeightLoad && first_load < 0) first_load = event.end;
      if (event.unit == Unit::kActivationLoad && first_block < 0) first_block = event.end;
      if (event.unit == Unit::kEngine && first_pass < 0) first_pass = event.begin;
    }
    EXPECT_EQ(first_pass, std::max(first_load, first_block)) << "core " << core;
  }
}

TEST(Behaviour, NoLayerReadsBeforeItsInputIsStored) {
  const workload::Graph graph = small_network(3);
  Recorder recorder;
  RunOptions options;
  options.events = &recorder;
  const RunResult result = run_model(tiny_chip(), graph, options);
  expect_reference(result);
  for (int program = 0; program < 3; ++program) {
    for (const workload::Layer& layer : graph.layers) {
      const int producer = graph.value(graph.value(layer.input).storage).layer;
      if (producer < 0 || layer.is_view()) continue;
      Cycle stored = -1;
      Cycle read = -1;
      for (const TimelineEvent& event : recorder.events) {
        if (event.program != program) continue;
        if (event.layer == producer && event.unit == Unit::kStore) {
          stored = std::max(stored, event.end);
        }
        if (event.layer == layer.index &&
            (event.unit == Unit::kActivationLoad || event.unit == Unit::kVector)) {
          read = read < 0 ? event.begin : std::min(read, event.begin);
        }
      }
      ASSERT_GE(stored, 0);
      EXPECT_GE(read, stored) << layer.name << " in program " << program;
    }
  }
}

TEST(Behaviour, WarmProgramsFetchNoWeights) {
  const workload::Graph graph = small_network(1);
  Recorder recorder;
  RunOptions options;
  options.events = &recorder;
  options.samples = 4;  // the same one each time
  const RunResult result = run_model(params::ChipParams{}, graph, options);
  ASSERT_EQ(result.programs.size(), 4U);
  std::map<int, int> weight_fetches;
  std::int64_t input = 0;  // bytes: the last program fetches nothing else
  for (const TimelineEvent& fetch : recorder.of(Unit::kFetch)) {
    if (fetch.program == 3) input = fetch.amount;
  }
  EXPECT_GT(input, 0);
  for (const TimelineEvent& fetch : recorder.of(Unit::kFetch)) {
    if (fetch.layer != 0 || fetch.amount != input) ++weight_fetches[fetch.program];
  }
  EXPECT_GT(weight_fetches[0], 0);
  EXPECT_EQ(weight_fetches[1] + weight_fetches[2] + weight_fetches[3], 0);
  const auto cycles = [&](std::size_t i) {
    return result.programs[i].end - result.programs[i].start;
  };
  EXPECT_LT(cycles(1), cycles(0));
}

TEST(Behaviour, WeightsThatDoNotFitGoThroughTheRing) {
  params::ChipParams chip = tiny_chip();
  chip.sram.capacity = 8 * 1024;
  chip.mapper.ring = 1024;
  const workload::Graph graph = small_network(2);
  const RunResult result = run_model(chip, graph);
  expect_reference(result);
  EXPECT_GT(result.met.at("ring_waits"), 0);
  // Fetched again by the second program.
  EXPECT_GE(result.traffic.dram_read, 2 * graph.layers[1].weights.non_zeros);
}

TEST(Behaviour, WhatFindsNoRoomInSramLivesInDram) {
  params::ChipParams chip = tiny_chip();
  chip.sram.capacity = 256;
  const RunResult result = run_model(chip, small_network(2));
  expect_reference(result);
  EXPECT_GT(result.met.at("dram_activations"), 0);
  EXPECT_GT(result.met.at("direct_weight_loads"), 0);
}

TEST(Behaviour, PoliciesChangeTimeAndNeverOutputs) {
  const workload::Graph graph = small_network(3);
  for (const mapper::Dispatch dispatch : {mapper::Dispatch::kDynamic, mapper::Dispatch::kStatic}) {
    for (const mapper::Ordering ordering :
         {mapper::Ordering::kAuto, mapper::Ordering::kTileMajor, mapper::Ordering::kRowMajor}) {
      for (const params::Balance balance :
           {params::Balance::kNone, params::Balance::kGreedy, params::Balance::kActivation}) {
        params::ChipParams chip = tiny_chip();
        chip.engine.balance = balance;
        RunOptions options;
        options.mapping.dispatch = dispatch;
        options.mapping.ordering = ordering;
        options.mapping.batch = 2;
        expect_reference(run_model(chip, graph, options));
      }
    }
  }
}

// Two tasks of a core share their rows or their tile: the one that goes backwards begins with what
// the other has left.
TEST(Behaviour, TasksThatGoBackwardsLoadLess) {
  const workload::Graph graph = gemm(200, 8, 256, 0.9, 0.5);
  RunResult results[2];
  for (const bool alternate : {false, true}) {
    params::ChipParams chip = tiny_chip();
    chip.mapper.order = params::Ordering::kTileMajor;
    chip.mapper.k_order = alternate ? params::KOrder::kAlternate : params::KOrder::kForward;
    RunResult& result = results[alternate ? 1 : 0];
    result = run_model(chip, graph);
    expect_reference(result);
    ASSERT_GT(result.layers[0].splits_k, 2);
    ASSERT_GT(result.layers[0].tasks, 2 * chip.cores);
  }
  EXPECT_GT(results[1].layers[0].weight_loads_saved, results[0].layers[0].weight_loads_saved);
}

TEST(Behaviour, BothHalvesKeepWhatTheyHold) {
  // Two K tiles: the halves hold both, and every task of the core finds them.
  params::ChipParams chip = tiny_chip();
  chip.cores = 1;
  chip.cores_per_port = 1;
  const workload::Graph graph = gemm(40, 4, 128, 0.9, 0.5);
  const RunResult result = run_model(chip, graph);
  expect_reference(result);
  const LayerResult& layer = result.layers[0];
  if (layer.splits_k == 2 && layer.splits_n == 1) {
    EXPECT_EQ(layer.weight_loads, 2);
  }
  EXPECT_EQ(layer.weight_loads + layer.weight_loads_saved, layer.tasks * layer.splits_k);
}

TEST(Behaviour, MoreTasksAheadHideMoreAndChangeNoOutput) {
  const workload::Graph graph = gemm(64, 32, 128, 0.5, 0.5);
  std::vector<Cycle> cycles;
  for (const std::int64_t ahead : {1, 2, 4}) {
    params::ChipParams chip = tiny_chip();
    chip.mapper.tasks_ahead = ahead;
    const RunResult result = run_model(chip, graph);
    expect_reference(result);
    cycles.push_back(result.cycles);
  }
  EXPECT_GT(cycles[0], cycles[1]) << "nothing is loaded before the task before has ended";
}

TEST(Behaviour, WeightsOfTheNextLayerComeBehindTheLastTaskOfThisOne) {
  params::ChipParams chip = tiny_chip();
  chip.mapper.tasks_ahead = 1;  // within a layer nothing is loaded ahead
  Recorder recorder;
  RunOptions options;
  options.events = &recorder;
  const RunResult result = run_model(chip, small_network(), options);
  expect_reference(result);
  int ahead = 0;
  for (const TimelineEvent& load : recorder.of(Unit::kWeightLoad)) {
    for (const TimelineEvent& pass : recorder.of(Unit::kEngine)) {
      if (pass.core != load.core || pass.program != load.program) continue;
      const bool meanwhile = load.begin < pass.end && pass.begin <= load.begin;
      if (meanwhile && pass.layer < load.layer) ++ahead;
    }
  }
  EXPECT_GT(ahead, 0);
}

TEST(Behaviour, TheSameRunGivesTheSameResult) {
  const workload::Graph graph = small_network(2);
  std::vector<std::tuple<int, int, Cycle, Cycle, std::int64_t>> first;
  for (int run = 0; run < 2; ++run) {
    Recorder recorder;
    RunOptions options;
    options.events = &recorder;
    (void)run_model(tiny_chip(), graph, options);
    std::vector<std::tuple<int, int, Cycle, Cycle, std::int64_t>> events;
    for (const TimelineEvent& event : recorder.events) {
      events.emplace_back(event.core, static_cast<int>(event.unit), event.begin, event.end,
                          event.amount);
    }
    if (run == 0) {
      first = events;
    } else {
      EXPECT_EQ(first, events);
    }
  }
}

TEST(Behaviour, RandomProductsOnRandomChips) {
  int runs = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    base::Rng rng(seed);
    params::ChipParams chip = tiny_chip();
    params::EngineParams& engine = chip.engine;
    chip.cores = static_cast<int>(rng.range(1, 5));
    if (rng.bernoulli(0.3)) chip.mapper.layout = params::WeightLayout::kRow;
    engine.pes = static_cast<int>(rng.range(1, 6));
    engine.k_ways = static_cast<int>(rng.range(1, 4));
    engine.rows_per_pe = static_cast<int>(rng.range(1, 12));
    engine.lanes = 1 << rng.range(0, 2);
    engine.scan_width = 8 << rng.range(0, 3);
    engine.fifo_depth = static_cast<int>(rng.range(1, 9));
    engine.drain_width = engine.pes;
    engine.act_block = 8;
    while (engine.act_block % engine.drain_width != 0) --engine.drain_width;
    while (engine.pes % engine.drain_width != 0) --engine.drain_width;
    engine.weight_buffer = 1024 << rng.range(0, 4);
    engine.activation_buffer = 512 << rng.range(0, 3);
    engine.psum_buffer = 4096;
    engine.output_buffer = 512 << rng.range(0, 2);
    engine.skip_empty =
        rng.bernoulli(0.5) ? params::SkipEmpty::kNone : params::SkipEmpty::kDecoupled;
    engine.skip_weights = rng.bernoulli(0.8);
    engine.skip_activations = rng.bernoulli(0.8);
    chip.sram.capacity = 2048 << rng.range(0, 8);
    const workload::Graph graph =
        gemm(rng.range(1, 60), rng.range(1, 60), rng.range(1, 300), rng.uniform(), rng.uniform());
    try {
      expect_reference(run_model(chip, graph));
      ++runs;
    } catch (const base::UserError&) {
      // The product does not fit these buffers; unit.mapper.split asks when that is right.
    }
    if (HasFailure()) FAIL() << "seed " << seed;
  }
  EXPECT_GT(runs, 40);
}

}  // namespace
}  // namespace lacuna::chip
