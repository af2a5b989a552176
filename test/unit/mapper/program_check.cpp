// SPDX-License-Identifier: Apache-2.0
#include "program_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "mapper/tile_compiler.h"
#include "place_check.h"
#include "timing/engine/windows.h"
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

class ProgramCheck {
 public:
  ProgramCheck(const workload::Graph& graph, const params::ChipParams& chip, const Program& program)
      : graph_(graph), chip_(chip), program_(program), uses_(program.fetches.size(), 0) {}

  std::vector<std::string> complaints() {
    inputs();
    tasks();
    fetches();
    const std::vector<std::string> places = check_places(graph_, chip_, program_);
    broken_.insert(broken_.end(), places.begin(), places.end());
    return std::move(broken_);
  }

 private:
  void rule(bool holds, const std::string& text) {
    if (!holds) broken_.push_back(text);
  }

  /// Inputs come whole, every token once; or lie in DRAM from the beginning.
  void inputs() {
    for (const Fetch& fetch : program_.fetches) {
      if (fetch.kind == Fetch::Kind::kTensor) known_.emplace(fetch.index, fetch.sample);
    }
    for (const auto& [value, sample] : known_) {
      std::vector<int> times(
          static_cast<std::size_t>(program_.tensors[static_cast<std::size_t>(value)].tokens));
      for (const Fetch& fetch : program_.fetches) {
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
    for (std::size_t id = 0; id < program_.tensors.size(); ++id) {
      const TensorPlan& plan = program_.tensors[id];
      if (!plan.stored || graph_.values[id].kind == workload::ValueKind::kLayer || plan.fetched) {
        continue;
      }
      for (int s = 0; s < program_.batch; ++s) known_.emplace(static_cast<int>(id), s);
    }
  }

  /// Every output code once; tasks only need what earlier tasks or fetches make.
  void tasks() {
    for (const workload::Layer& each : graph_.layers) {
      if (each.is_view()) continue;
      for (int s = 0; s < program_.batch; ++s) {
        left_[{each.output, s}] = graph_.output_of(each).elements();
      }
    }
    for (const Task& task : program_.tasks) {
      reads(task);
      loads(task);
      if (task.kind != TaskKind::kVector) parts_of(task);
      if (!task.partial) outputs(task);
    }
    for (const auto& [key, rest] : left_) {
      rule(rest == 0, graph_.value(key.first).name + " is not computed completely");
    }
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      rule(uses_[i] == program_.fetches[i].uses, "a fetch knows how often it is used");
    }
  }

  void reads(const Task& task) {
    const workload::Layer& of = graph_.layers[static_cast<std::size_t>(task.layer)];
    for (const auto* needs : {&task.needs, &task.weight_needs}) {
      for (const Dependency& need : *needs) {
        for (int s = need.sample_begin; s < need.sample_end; ++s) {
          rule(known_.contains({need.value, s}), of.name + " reads what is not made yet");
        }
      }
    }
    rule(!task.needs.empty() || task.kind == TaskKind::kReduce, of.name + " reads nothing");
  }

  void loads(const Task& task) {
    const workload::Layer& of = graph_.layers[static_cast<std::size_t>(task.layer)];
    // In the order in which the task loads them.
    for (int turn = 0; turn < static_cast<int>(task.weight_fetch.size()); ++turn) {
      const int fetch = task.fetch_of(task.k_tile_at(turn));
      if (fetch == kNone) continue;
      ++uses_[static_cast<std::size_t>(fetch)];
      // A fetch waits for the uses of those it overwrites: all before its own first use.
      for (const int other : program_.fetches[static_cast<std::size_t>(fetch)].overwrites) {
        rule(uses_[static_cast<std::size_t>(other)] ==
                 program_.fetches[static_cast<std::size_t>(other)].uses,
             of.name + " waits for a fetch that waits for a later task");
      }
    }
  }

  /// All parts of K come before what adds them up.
  void parts_of(const Task& task) {
    const workload::Layer& of = graph_.layers[static_cast<std::size_t>(task.layer)];
    const int plan = program_.gemm_of_layer[static_cast<std::size_t>(task.layer)];
    const GemmPlan& gemm = program_.gemms[static_cast<std::size_t>(plan)];
    rule(task.partial == (task.kind == TaskKind::kGemm && gemm.split.k_parts > 1),
         of.name + " leaves partial sums where it should not");
    for (int block = task.block_begin; block < task.block_end; ++block) {
      std::set<int>& stored = parts_[{plan, task.product, task.n_tile, block}];
      if (task.partial) {
        rule(stored.insert(task.part).second, of.name + " computes a part twice");
        rule(task.k_begin < task.k_end && task.k_begin == gemm.split.first_k_tile(task.part) &&
                 task.k_end == gemm.split.first_k_tile(task.part + 1),
             of.name + " has a part without k tiles");
      } else if (task.kind == TaskKind::kReduce) {
        rule(static_cast<int>(stored.size()) == gemm.split.k_parts,
             of.name + " is reduced before all parts are there");
      }
    }
  }

  void outputs(const Task& task) {
    const workload::Layer& of = graph_.layers[static_cast<std::size_t>(task.layer)];
    const auto produce = [&](int sample, std::int64_t codes) {
      std::int64_t& rest = left_[{of.output, sample}];
      rest -= codes;
      rule(rest >= 0, of.name + " is computed twice");
      if (rest == 0) known_.emplace(of.output, sample);
    };
    if (task.kind == TaskKind::kVector) {
      produce(task.sample, (task.row_end - task.row_begin) * graph_.output_of(of).channels());
    } else {
      const int index = program_.gemm_of_layer[static_cast<std::size_t>(task.layer)];
      const GemmPlan& plan = program_.gemms[static_cast<std::size_t>(index)];
      const std::int64_t first = std::int64_t{task.n_tile} * plan.split.tile_channels;
      const std::int64_t channels =
          std::min<std::int64_t>(plan.split.tile_channels, of.gemm.n - first);
      for (std::int64_t row = task.row_begin; row < task.row_end; ++row) {
        produce(plan.run_time ? task.sample
                              : task.product * plan.samples + static_cast<int>(row / of.gemm.m),
                channels);
      }
    }
  }

  void fetches() {
    for (const Fetch& fetch : program_.fetches) {
      rule(is_dram_address(fetch.from) && !is_dram_address(fetch.to),
           "fetches go from DRAM to SRAM");
      rule(fetch.to + static_cast<std::uint64_t>(fetch.bytes) <=
               static_cast<std::uint64_t>(chip_.sram.capacity),
           "fetches end inside the SRAM");
    }
  }

  const workload::Graph& graph_;
  const params::ChipParams& chip_;
  const Program& program_;
  std::vector<std::string> broken_;
  std::set<std::pair<int, int>> known_;                            ///< (value, sample) that is made
  std::map<std::pair<int, int>, std::int64_t> left_;               ///< codes of it that are not
  std::vector<int> uses_;                                          ///< by fetch
  std::map<std::tuple<int, int, int, int>, std::set<int>> parts_;  ///< plan, product, n tile, block
};

}  // namespace

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

void cut(workload::Graph& graph, const params::ChipParams& chip, int parts) {
  for (workload::Layer& each : graph.layers) {
    if (!each.on_engine()) continue;
    const WindowTable windows(chip.engine, segments_of(each));
    each.mapping.k_parts = std::min(parts, windows.windows());
  }
}

std::vector<std::string> check(const workload::Graph& graph, const params::ChipParams& chip,
                               const Program& program) {
  return ProgramCheck(graph, chip, program).complaints();
}

}  // namespace lacuna::mapper
