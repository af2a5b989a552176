// SPDX-License-Identifier: Apache-2.0
//
// Programs: is every output computed exactly once, does everything that is read come from somewhere
// earlier, do places in memory that are alive together keep apart, and can the fetch list always go
// on?
#include "mapper/map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/rng.h"
#include "mapper/search.h"
#include "mapper/tile_compiler.h"
#include "workload/gemm_source.h"
#include "workload/graph_builder.h"

namespace lacuna::mapper {
namespace {

params::LayerParams layer(const std::string& name, params::Op op, const std::string& input) {
  params::LayerParams made;
  made.name = name;
  made.op = op;
  made.input = input;
  made.output = params::OutputParams{};
  return made;
}

params::LayerParams linear(const std::string& name, const std::string& input, std::int64_t channels,
                           params::CodeType type = params::CodeType::kU8) {
  params::LayerParams made = layer(name, params::Op::kLinear, input);
  made.out_channels = channels;
  params::WeightParams weights;
  weights.sparsity = 0.5;
  weights.pattern = params::MaskPattern::kUnstructured;
  weights.seed = channels;
  made.weights = weights;
  made.output->type = type;
  return made;
}

/// One attention block with a residual: linear layers, scores, softmax, attend, add.
workload::Graph attention() {
  params::WorkloadParams network;
  network.schema = std::string(params::kWorkloadSchema);
  network.name = "attention";
  network.provenance = {{"source", "statistic"},
                        {"model", "test"},
                        {"pattern", "unstructured"},
                        {"target_sparsity", "0.5"}};
  params::InputParams tokens;
  tokens.name = "tokens";
  tokens.shape = {6, 20};
  tokens.sparsity = 0.3;
  tokens.seed = 1;
  tokens.samples = 4;
  network.inputs.push_back(tokens);
  network.layers.push_back(linear("query", "tokens", 24, params::CodeType::kS8));
  network.layers.push_back(linear("key", "tokens", 24, params::CodeType::kS8));
  network.layers.push_back(linear("value", "tokens", 24, params::CodeType::kS8));
  params::LayerParams scores = layer("scores", params::Op::kMatmul, "query");
  scores.right = std::string("key");
  scores.heads = 2;
  scores.transpose_right = true;
  scores.output->type = params::CodeType::kS8;
  network.layers.push_back(scores);
  params::LayerParams attend = layer("attend", params::Op::kMatmul, "scores");
  attend.right = std::string("value");
  attend.heads = 2;
  attend.transpose_right = false;
  network.layers.push_back(attend);
  network.layers.push_back(linear("project", "attend", 20));
  params::LayerParams sum = layer("sum", params::Op::kAdd, "project");
  sum.right = std::string("tokens");
  sum.multiplier = std::vector<std::int64_t>{1, 1};
  sum.shift = 1;
  network.layers.push_back(sum);
  return workload::build_graph(network, [](const std::string& key) {
    return base::SourceLocation{"attention: " + key, 0, 0};
  });
}

params::ChipParams small_chip() {
  params::ChipParams chip;
  chip.cores = 3;
  chip.engine.pes = 2;
  chip.engine.k_ways = 2;
  chip.engine.rows_per_pe = 4;
  chip.engine.scan_width = 8;
  chip.engine.drain_width = 2;
  chip.engine.weight_buffer = 512;
  chip.engine.activation_buffer = 256;
  chip.engine.psum_buffer = 512;
  chip.engine.output_buffer = 256;
  chip.engine.load_width = 8;
  chip.engine.weight_word = 4;
  chip.engine.max_k = 256;
  chip.engine.act_block = 8;
  chip.sram.capacity = 1 << 16;
  return chip;
}

/// Complaints about a program; none if it can be executed.
std::vector<std::string> check(const workload::Graph& graph, const params::ChipParams& chip,
                               const Program& program) {
  std::vector<std::string> broken;
  const auto rule = [&](bool holds, const std::string& text) {
    if (!holds) broken.push_back(text);
  };
  // Every output code once; tasks only need what earlier tasks or fetches make.
  std::map<int, std::int64_t> made;     // value -> codes of the batch
  std::set<std::pair<int, int>> known;  // (value, sample)
  std::vector<int> uses(program.fetches.size(), 0);
  for (const Fetch& fetch : program.fetches) {
    if (fetch.kind == Fetch::Kind::kTensor) known.emplace(fetch.index, fetch.sample);
  }
  // Inputs come whole, every token once.
  for (const auto& [value, sample] : known) {
    std::vector<int> times(
        static_cast<std::size_t>(program.tensors[static_cast<std::size_t>(value)].tokens));
    for (const Fetch& fetch : program.fetches) {
      if (fetch.kind != Fetch::Kind::kTensor || fetch.index != value || fetch.sample != sample) {
        continue;
      }
      for (std::int64_t token = fetch.token_begin; token < fetch.token_end; ++token) {
        ++times[static_cast<std::size_t>(token)];
      }
    }
    rule(std::all_of(times.begin(), times.end(), [](int count) { return count == 1; }),
         "an input is fetched completely, once");
  }
  for (std::size_t id = 0; id < program.tensors.size(); ++id) {
    const TensorPlan& plan = program.tensors[id];
    if (!plan.stored || graph.values[id].kind == workload::ValueKind::kLayer || plan.fetched) {
      continue;
    }
    for (int s = 0; s < program.batch; ++s) known.emplace(static_cast<int>(id), s);
  }
  std::map<std::pair<int, int>, std::int64_t> left;
  for (const workload::Layer& each : graph.layers) {
    if (each.is_view()) continue;
    for (int s = 0; s < program.batch; ++s) {
      left[{each.output, s}] = graph.output_of(each).elements();
    }
  }
  int last_fetch = -1;
  std::map<std::tuple<int, int, int, int>, std::set<int>> parts;  // plan, product, n tile, block
  for (const Task& task : program.tasks) {
    const workload::Layer& of = graph.layers[static_cast<std::size_t>(task.layer)];
    for (const auto* needs : {&task.needs, &task.weight_needs}) {
      for (const Dependency& need : *needs) {
        for (int s = need.sample_begin; s < need.sample_end; ++s) {
          rule(known.contains({need.value, s}), of.name + " reads what is not made yet");
        }
      }
    }
    rule(!task.needs.empty() || task.kind == TaskKind::kReduce, of.name + " reads nothing");
    // In the order in which the task loads them.
    for (int turn = 0; turn < static_cast<int>(task.weight_fetch.size()); ++turn) {
      const int fetch = task.fetch_of(task.k_tile_at(turn));
      if (fetch == kNone) continue;
      ++uses[static_cast<std::size_t>(fetch)];
      // A fetch waits for the uses of those it overwrites: all before its own first use.
      for (const int other : program.fetches[static_cast<std::size_t>(fetch)].overwrites) {
        rule(uses[static_cast<std::size_t>(other)] ==
                 program.fetches[static_cast<std::size_t>(other)].uses,
             of.name + " waits for a fetch that waits for a later task");
      }
      last_fetch = std::max(last_fetch, fetch);
    }
    const auto produce = [&](int sample, std::int64_t codes) {
      std::int64_t& rest = left[{of.output, sample}];
      rest -= codes;
      rule(rest >= 0, of.name + " is computed twice");
      if (rest == 0) known.emplace(of.output, sample);
    };
    const GemmPlan* gemm = nullptr;
    if (task.kind != TaskKind::kVector) {
      const int plan = program.gemm_of_layer[static_cast<std::size_t>(task.layer)];
      gemm = &program.gemms[static_cast<std::size_t>(plan)];
      rule(task.partial == (task.kind == TaskKind::kGemm && gemm->split.k_parts > 1),
           of.name + " leaves partial sums where it should not");
      for (int block = task.block_begin; block < task.block_end; ++block) {
        std::set<int>& stored = parts[{plan, task.product, task.n_tile, block}];
        if (task.partial) {
          rule(stored.insert(task.part).second, of.name + " computes a part twice");
          rule(task.k_begin < task.k_end && task.k_begin == gemm->split.first_k_tile(task.part) &&
                   task.k_end == gemm->split.first_k_tile(task.part + 1),
               of.name + " has a part without k tiles");
        } else if (task.kind == TaskKind::kReduce) {
          rule(static_cast<int>(stored.size()) == gemm->split.k_parts,
               of.name + " is reduced before all parts are there");
        }
      }
    }
    if (gemm != nullptr && task.partial) {
      continue;
    }
    if (task.kind == TaskKind::kVector) {
      produce(task.sample, (task.row_end - task.row_begin) * graph.output_of(of).channels());
    } else {
      const GemmPlan& plan = *gemm;
      const std::int64_t first = std::int64_t{task.n_tile} * plan.split.tile_channels;
      const std::int64_t channels =
          std::min<std::int64_t>(plan.split.tile_channels, of.gemm.n - first);
      for (std::int64_t row = task.row_begin; row < task.row_end; ++row) {
        produce(plan.run_time ? task.sample : static_cast<int>(row / of.gemm.m), channels);
      }
    }
  }
  for (const auto& [key, rest] : left) {
    rule(rest == 0, graph.value(key.first).name + " is not computed completely");
  }
  for (std::size_t i = 0; i < uses.size(); ++i) {
    rule(uses[i] == program.fetches[i].uses, "a fetch knows how often it is used");
  }
  // Places.
  struct Place {
    int value, birth, death;
    std::uint64_t begin, end;
  };
  std::vector<Place> places;
  for (std::size_t id = 0; id < program.tensors.size(); ++id) {
    const TensorPlan& plan = program.tensors[id];
    if (!plan.stored) continue;
    const auto value = static_cast<int>(id);
    const std::uint64_t end =
        plan.address + static_cast<std::uint64_t>(plan.sample_bytes * program.batch);
    rule(plan.in_sram != is_dram_address(plan.address), "a tensor is where it says");
    if (!plan.in_sram) continue;
    rule(end <= static_cast<std::uint64_t>(chip.sram.capacity), "tensors lie inside the SRAM");
    const std::vector<int> readers = graph.readers(value);
    places.push_back({value, graph.value(value).layer, readers.empty() ? 1000 : readers.back(),
                      plan.address, end});
  }
  // Partial sums share space with nothing that is alive while their layer is under way.
  for (const GemmPlan& plan : program.gemms) {
    const PartialSums& sums = plan.partial_sums;
    rule((sums.bytes > 0) == (plan.split.k_parts > 1), "partial sums have room");
    if (sums.bytes == 0) continue;
    rule(sums.in_sram != is_dram_address(sums.address), "partial sums are where they say");
    const std::uint64_t end = sums.address + static_cast<std::uint64_t>(sums.bytes);
    if (!sums.in_sram) continue;
    rule(end <= static_cast<std::uint64_t>(chip.sram.capacity), "partial sums lie in the SRAM");
    for (const Place& place : places) {
      if (place.end <= sums.address || end <= place.begin) continue;
      rule(place.death < plan.layer || plan.layer < place.birth, "partial sums overwrite a tensor");
      const bool before = place.death < plan.layer;
      const std::vector<int>& after =
          before ? sums.after : program.tensors[static_cast<std::size_t>(place.value)].after;
      const std::vector<int> users = before ? graph.readers(place.value) : std::vector{plan.layer};
      for (const int user : users) {
        rule(std::find(after.begin(), after.end(), user) != after.end(),
             "nobody waits for a user of shared space");
      }
    }
    for (const Fetch& fetch : program.fetches) {
      if (fetch.kind == Fetch::Kind::kTensor) continue;
      rule(fetch.to >= end || fetch.to + static_cast<std::uint64_t>(fetch.bytes) <= sums.address,
           "weights and partial sums keep apart");
    }
  }
  for (const Place& a : places) {
    for (const Place& b : places) {
      if (a.value >= b.value || a.end <= b.begin || b.end <= a.begin) continue;
      // They share space: the later one must wait for all readers of the earlier one.
      const Place& early = a.birth <= b.birth ? a : b;
      const Place& late = a.birth <= b.birth ? b : a;
      rule(early.death < late.birth, graph.value(late.value).name + " overwrites a live tensor");
      const std::vector<int>& after = program.tensors[static_cast<std::size_t>(late.value)].after;
      for (const int reader : graph.readers(early.value)) {
        rule(std::find(after.begin(), after.end(), reader) != after.end(),
             graph.value(late.value).name + " does not wait for a reader");
      }
    }
  }
  for (const Fetch& fetch : program.fetches) {
    rule(is_dram_address(fetch.from) && !is_dram_address(fetch.to), "fetches go from DRAM to SRAM");
    rule(fetch.to + static_cast<std::uint64_t>(fetch.bytes) <=
             static_cast<std::uint64_t>(chip.sram.capacity),
         "fetches end inside the SRAM");
    if (fetch.kind == Fetch::Kind::kTensor) continue;
    for (const Place& place : places) {
      rule(fetch.to >= place.end ||
               fetch.to + static_cast<std::uint64_t>(fetch.bytes) <= place.begin,
           "weights and activations keep apart");
    }
  }
  return broken;
}

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

/// Every engine layer in up to so many parts of K.
void cut(workload::Graph& graph, const params::ChipParams& chip, int parts) {
  for (workload::Layer& each : graph.layers) {
    if (!each.on_engine()) continue;
    const WindowTable windows(chip.engine, segments_of(each));
    each.mapping.k_parts = std::min(parts, windows.windows());
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

TEST(Map, ResidentWeightsAreFetchedOnceAndStay) {
  const workload::Graph graph = attention();
  params::ChipParams chip;
  const Program program = map_program(graph, chip);
  EXPECT_TRUE(program.memory.weights_resident);
  std::set<int> tiles;
  for (const Fetch& fetch : program.fetches) {
    if (fetch.kind != Fetch::Kind::kWeights) continue;
    EXPECT_TRUE(fetch.resident);
    EXPECT_TRUE(fetch.overwrites.empty());
    EXPECT_TRUE(tiles.insert(fetch.index).second) << "tile " << fetch.index << " twice";
  }
  EXPECT_EQ(tiles.size(), program.weight_tiles.size());
}

/// Where weights lie, by whether they stay.
std::map<bool, std::pair<std::uint64_t, std::uint64_t>> weight_ranges(const Program& program) {
  std::map<bool, std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const Fetch& fetch : program.fetches) {
    if (fetch.kind != Fetch::Kind::kWeights) continue;
    const std::uint64_t end = fetch.to + static_cast<std::uint64_t>(fetch.bytes);
    auto [range, made] = ranges.emplace(fetch.resident, std::pair{fetch.to, end});
    if (made) continue;
    range->second.first = std::min(range->second.first, fetch.to);
    range->second.second = std::max(range->second.second, end);
  }
  return ranges;
}

TEST(Map, SomeWeightsStayWhereNotAllFit) {
  workload::GemmOptions product;
  product.weights = "density=0.5,seed=1";
  product.activations = "density=0.5,seed=2";
  product.m = 8;
  product.n = 256;
  product.k = 256;
  const workload::Graph graph = workload::build_gemm(product);
  params::ChipParams chip = small_chip();
  chip.sram.capacity = 1 << 15;
  MapOptions options;
  options.dram_bytes_per_cycle = 2.0;
  const Program searched = map_program(graph, chip, options);
  ASSERT_FALSE(searched.memory.weights_resident);
  EXPECT_TRUE(check(graph, chip, searched).empty());
  EXPECT_GT(searched.memory.sram_pinned, 0);
  ASSERT_GT(searched.memory.splits.size(), 1U);
  EXPECT_LT(searched.memory.splits.front().next_cycles,
            searched.memory.splits.front().first_cycles);
  const auto ranges = weight_ranges(searched);
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_LE(ranges.at(true).second, ranges.at(false).first) << "the ring would overwrite them";

  // As the chip says.
  chip.mapper.pinned = 0;
  EXPECT_EQ(weight_ranges(map_program(graph, chip, options)).count(true), 0U);
  chip.mapper.pinned = 8192;
  chip.mapper.ring = 4096;
  const Program given = map_program(graph, chip, options);
  EXPECT_TRUE(check(graph, chip, given).empty());
  EXPECT_LE(given.memory.sram_pinned, 8192);
  EXPECT_GT(given.memory.sram_pinned, 4096);
  EXPECT_GE(given.memory.splits.front().ring, 4096);
  chip.mapper.pinned = 1 << 15;
  EXPECT_THROW((void)map_program(graph, chip, options), base::UserError);
}

TEST(Map, OutputsLiveWhereTheWorkloadSays) {
  workload::Graph graph = attention();
  params::ChipParams chip = small_chip();
  const auto output = static_cast<std::size_t>(graph.layers[0].output);
  ASSERT_TRUE(map_program(graph, chip).tensors[output].in_sram);
  graph.layers[0].mapping.output = params::Place::kDram;
  const Program program = map_program(graph, chip);
  EXPECT_FALSE(program.tensors[output].in_sram);
  EXPECT_TRUE(check(graph, chip, program).empty());
  EXPECT_GT(program.memory.spilled, 0);

  graph.layers[0].mapping.output = params::Place::kSram;
  graph.layers[0].mapping_at["output"] = {"network.yaml", 7, 3};
  chip.sram.capacity = 1 << 10;
  chip.mapper.ring = 1 << 10;
  try {
    (void)map_program(graph, chip);
    FAIL() << "there is no room for it";
  } catch (const base::UserError& error) {
    EXPECT_NE(std::string(error.what()).find("network.yaml:7:3"), std::string::npos)
        << error.what();
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

/// The plan's tiles are those that its own layer, compiled alone, would have.
void expect_own_tiles(const workload::Graph& graph, const params::ChipParams& chip,
                      const Program& program, const GemmPlan& plan) {
  const workload::Layer& of = graph.layers[static_cast<std::size_t>(plan.layer)];
  const auto mask = of.weights.mask();
  const workload::WeightMatrix weights = of.weights.with_codes();
  const auto k_tiles = static_cast<int>(plan.split.k_tiles.size());
  for (int i = 0; i < plan.split.n_tiles * k_tiles; ++i) {
    const WeightTilePlan& tile =
        program.weight_tiles[static_cast<std::size_t>(plan.first_tile + i)];
    ASSERT_NE(tile.tile, nullptr);
    const bool codes = tile.tile->has_codes();
    const TileOperand operand{{weights.codes.data(), weights.k, 1}, mask.get(), codes};
    const auto alone = compile_tile(chip.engine, of, plan, operand, i / k_tiles, i % k_tiles);
    EXPECT_EQ(tile.tile->key, alone->key) << of.name << ", tile " << i;
    EXPECT_EQ(program.gemms[static_cast<std::size_t>(tile.gemm)].layer, plan.layer);
  }
}

// Query, key and value of attention() are drawn alike.
TEST(Map, LayersWithEqualWeightsShareTilesButNotPlaces) {
  const workload::Graph graph = attention();
  const Program program = map_program(graph, small_chip());
  const GemmPlan& query = program.gemms[0];
  const GemmPlan& key = program.gemms[1];
  ASSERT_EQ(graph.layers[0].weights.identity(), graph.layers[1].weights.identity());
  const auto tiles = query.split.n_tiles * static_cast<int>(query.split.k_tiles.size());
  ASSERT_GT(tiles, 1);
  for (int i = 0; i < tiles; ++i) {
    const WeightTilePlan& a = program.weight_tiles[static_cast<std::size_t>(query.first_tile + i)];
    const WeightTilePlan& b = program.weight_tiles[static_cast<std::size_t>(key.first_tile + i)];
    EXPECT_EQ(a.tile, b.tile);
    EXPECT_NE(a.dram_address, b.dram_address);
    EXPECT_EQ(a.memory_bytes, b.memory_bytes);
    EXPECT_EQ(std::pair(a.n_tile, a.k_tile), std::pair(b.n_tile, b.k_tile));
  }
  for (const int plan : {0, 1, 2}) {
    expect_own_tiles(graph, small_chip(), program, program.gemms[static_cast<std::size_t>(plan)]);
  }
}

TEST(Map, EqualWeightsRequantizedOtherwiseHaveTilesOfTheirOwn) {
  workload::Graph graph = attention();
  graph.layers[1].requantize.bias[3] += 1;
  const Program program = map_program(graph, small_chip());
  EXPECT_NE(program.weight_tiles[static_cast<std::size_t>(program.gemms[0].first_tile)].tile,
            program.weight_tiles[static_cast<std::size_t>(program.gemms[1].first_tile)].tile);
  for (const int plan : {0, 1, 2}) {
    expect_own_tiles(graph, small_chip(), program, program.gemms[static_cast<std::size_t>(plan)]);
  }
}

TEST(Map, EqualWeightsWithAnotherSearchHaveASplitOfTheirOwn) {
  workload::Graph graph = attention();
  graph.layers[1].mapping.tile_n = 4;
  graph.layers[2].mapping.layout = WeightLayout::kRow;
  const Program program = map_program(graph, small_chip());
  ASSERT_NE(program.gemms[0].split.tile_channels, 4);
  EXPECT_EQ(program.gemms[1].split.tile_channels, 4);
  EXPECT_FALSE(program.gemms[0].row_layout);
  EXPECT_TRUE(program.gemms[2].row_layout);
  MapOptions options;
  options.splits[0] = program.gemms[1].split;
  const Program given = map_program(graph, small_chip(), options);
  EXPECT_TRUE(same_cut(given.gemms[0].split, program.gemms[1].split));
  graph.layers[1].mapping.tile_n.reset();
  const Program searched = map_program(graph, small_chip(), options);
  EXPECT_TRUE(same_cut(searched.gemms[1].split, program.gemms[0].split));  // not the given one
  for (const int plan : {0, 1, 2}) {
    expect_own_tiles(graph, small_chip(), program, program.gemms[static_cast<std::size_t>(plan)]);
    expect_own_tiles(graph, small_chip(), given, given.gemms[static_cast<std::size_t>(plan)]);
  }
}

TEST(Map, TheResultGoesToDram) {
  const workload::Graph graph = attention();
  const Program program = map_program(graph, params::ChipParams{});
  const TensorPlan& result = program.tensors[static_cast<std::size_t>(graph.layers.back().output)];
  EXPECT_TRUE(result.stored);
  EXPECT_TRUE(is_dram_address(result.address));
}

TEST(SlotLayout, SlotsOfUnitsAndHeads) {
  // 2 heads of 20 channels, tiles of 8, slots of 8: 8 + 8 + 4 channels a head.
  const SlotLayout layout{40, 20, 8, 8};
  EXPECT_EQ(layout.slots_per_head(), 3);
  EXPECT_EQ(layout.slots(), 6);
  EXPECT_EQ(layout.slot_of(0), 0);
  EXPECT_EQ(layout.slot_of(7), 0);
  EXPECT_EQ(layout.slot_of(8), 1);
  EXPECT_EQ(layout.slot_of(19), 2);
  EXPECT_EQ(layout.slot_of(20), 3);
  EXPECT_EQ(layout.slot_end(16), 20);
  EXPECT_EQ(layout.slot_end(20), 28);
  EXPECT_EQ(layout.slot_bytes(), 9);
  EXPECT_EQ(layout.token_bytes(), 64);
  EXPECT_EQ(layout.slot_traffic(0), 32);
  // Units smaller than act_block have smaller slots: 16 codes and 2 mask bytes.
  const SlotLayout narrow{128, 128, 16, 64};
  EXPECT_EQ(narrow.slots(), 8);
  EXPECT_EQ(narrow.slot_bytes(), 18);
  EXPECT_EQ(narrow.slot_of(17), 1);
  EXPECT_EQ(narrow.token_bytes(), 160);
  // Units larger than a slot: tiles of 12 in slots of 8, the last unit has 8.
  const SlotLayout wide{20, 20, 12, 8};
  EXPECT_EQ(wide.slots(), 3);
  EXPECT_EQ(wide.slot_of(11), 1);
  EXPECT_EQ(wide.slot_end(8), 12);
  EXPECT_EQ(wide.slot_of(12), 2);
  EXPECT_EQ(wide.slot_end(12), 20);
}

}  // namespace
}  // namespace lacuna::mapper
