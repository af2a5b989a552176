// SPDX-License-Identifier: Apache-2.0
#include "cli/mapping_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "chip/chip.h"
#include "cli/child_process.h"
#include "cosim/backends.h"
#include "mapper/activation_statistics.h"

namespace lacuna::cli {

namespace {

using workload::Graph;
using workload::Layer;
using workload::Value;

constexpr std::uint64_t kSeed = 1;
/// Candidates that are simulated before any is left out.
constexpr std::size_t kFirst = 12;

/// A vector layer that copies a value; returns what it makes.
int add_copy(Graph& graph, int value) {
  const Value& like = graph.value(value);
  Layer copy;
  copy.name = fmt::format("copy_{}", graph.layers.size());
  copy.op = params::Op::kLookup;
  copy.index = static_cast<int>(graph.layers.size());
  copy.input = copy.declared_input = value;
  copy.output = static_cast<int>(graph.values.size());
  copy.range = {params::lowest_code(like.type), params::highest_code(like.type), 0};
  for (int i = 0; i < 256; ++i) {
    copy.code_table.push_back(static_cast<std::int16_t>(like.is_signed() ? i - 128 : i));
  }
  Value made;
  made.name = copy.name;
  made.kind = workload::ValueKind::kLayer;
  made.shape = like.shape;
  made.type = like.type;
  made.layer = copy.index;
  made.storage = copy.output;
  graph.values.push_back(std::move(made));
  graph.layers.push_back(std::move(copy));
  return graph.layers.back().output;
}

/// A drawn pattern of independent non-zeros.
void draw(Graph& graph, Value& value, double density) {
  value.drawn.kind = tensor::PatternKind::kUnstructured;
  value.drawn.density = density;
  value.drawn.seed = kSeed + graph.values.size();
}

/// A drawn input, copied into SRAM by a vector layer; returns the stored value.
int add_operand(Graph& graph, const Value& like, double density) {
  Value input;
  input.name = fmt::format("drawn_{}", graph.values.size());
  input.kind = workload::ValueKind::kInput;
  input.shape = like.shape;
  input.type = like.type;
  input.storage = static_cast<int>(graph.values.size());
  draw(graph, input, density);
  graph.inputs.push_back(input.storage);
  graph.values.push_back(std::move(input));
  return add_copy(graph, static_cast<int>(graph.values.size()) - 1);
}

/// The layers that make an operand in the network, back to the last engine layer, so that cores and
/// load ports are as busy before the layer as there; what they make is drawn all the same. Where no
/// engine layer is near, a copy. Returns the value.
class Producers {
 public:
  Producers(const Graph& graph, Graph& made) : graph_(graph), made_(made) {}

  int add(int value, double density) {
    const Value& like = graph_.value(value);
    return engine_near(like, kFarthest) ? add_layer(producer(like), density)
                                        : add_operand(made_, like, density);
  }

 private:
  static constexpr int kFarthest = 3;  ///< vector layers between

  [[nodiscard]] const Layer& producer(const Value& value) const {
    return graph_.layers[static_cast<std::size_t>(value.layer)];
  }

  [[nodiscard]] bool engine_near(const Value& value, int layers) const {
    if (value.kind != workload::ValueKind::kLayer) return false;
    const Layer& of = producer(value);
    if (of.on_engine()) return !of.run_time_weights();
    return layers > 0 && engine_near(graph_.value(of.input), layers - 1);
  }

  int add_layer(const Layer& layer, double density) {
    Layer copy = layer;
    const double input_density = mapper::activation_statistics(graph_, layer).density;
    copy.input = copy.declared_input =
        layer.on_engine() ? add_operand(made_, graph_.value(layer.input), input_density)
                          : add(layer.input, layer.is_view() ? density : input_density);
    if (copy.right != workload::kNoValue) copy.right = add_other(layer.right, input_density);
    for (int& other : copy.others) other = add_other(other, input_density);
    copy.wait_for.clear();
    copy.index = static_cast<int>(made_.layers.size());
    copy.output = static_cast<int>(made_.values.size());
    copy.expect = nullptr;
    Value output = graph_.output_of(layer);
    output.layer = copy.index;
    output.storage = layer.is_view() ? made_.value(copy.input).storage : copy.output;
    output.output_drawn = !layer.is_view();
    if (output.output_drawn) draw(made_, output, density);
    made_.values.push_back(std::move(output));
    made_.layers.push_back(std::move(copy));
    return made_.layers.back().output;
  }

  int add_other(int value, double density) {
    const Value& like = graph_.value(value);
    if (like.kind != workload::ValueKind::kConstant) return add_operand(made_, like, density);
    made_.values.push_back(like);
    made_.values.back().storage = static_cast<int>(made_.values.size()) - 1;
    return made_.values.back().storage;
  }

  const Graph& graph_;
  Graph& made_;
};

/// A small layer that gives every core two other tiles to hold: else the weights of the run before
/// would still lie in its buffer, which they do in no network.
void add_flush(Graph& graph, const params::ChipParams& chip) {
  constexpr std::int64_t kChannels = 16;
  Value input;
  input.name = "flush_input";
  input.kind = workload::ValueKind::kInput;
  input.shape = {1, kChannels};
  input.storage = static_cast<int>(graph.values.size());
  input.drawn.kind = tensor::PatternKind::kDense;
  graph.inputs.push_back(input.storage);
  Layer flush;
  flush.name = "flush";
  flush.op = params::Op::kLinear;
  flush.index = static_cast<int>(graph.layers.size());
  flush.input = flush.declared_input = input.storage;
  flush.output = input.storage + 1;
  flush.gemm.m = 1;
  flush.gemm.k = flush.gemm.segment_channels = kChannels;
  flush.gemm.n = 2 * std::int64_t{chip.engine.pes} * chip.cores;
  flush.mapping.tile_n = chip.engine.pes;
  flush.mapping.k_parts = 1;
  const auto n = static_cast<std::size_t>(flush.gemm.n);
  auto codes = std::make_shared<std::vector<std::int8_t>>(n * kChannels, std::int8_t{1});
  std::fill(codes->begin() + codes->size() / 2, codes->end(), std::int8_t{2});  // equal to no other
  flush.weights.n = flush.gemm.n;
  flush.weights.k = flush.gemm.k;
  flush.weights.codes = *codes;
  flush.weights.non_zeros = flush.gemm.n * flush.gemm.k;
  flush.weights.column_non_zeros = std::make_shared<std::vector<std::int32_t>>(
      kChannels, static_cast<std::int32_t>(flush.gemm.n));
  flush.weights.owner = std::move(codes);
  flush.requantize.bias.assign(n, 0);
  flush.requantize.multiplier.assign(n, 1);
  flush.requantize.shift.assign(n, 1);
  Value output = input;
  output.name = flush.name;
  output.kind = workload::ValueKind::kLayer;
  output.layer = flush.index;
  output.shape = {1, flush.gemm.n};
  output.storage = flush.output;
  graph.values.push_back(std::move(input));
  graph.values.push_back(std::move(output));
  graph.layers.push_back(std::move(flush));
  add_copy(graph, graph.layers.back().output);  // what nobody reads would go to DRAM
}

SimulatedSplit simulate_split(const config::ChipFiles& files, const Graph& graph, int layer,
                              const mapper::Split& split, int batch) {
  LayerClock clock(layer);
  chip::RunOptions options;
  options.samples = 2 * batch;
  options.mapping.batch = batch;
  options.mapping.splits[layer] = split;
  options.mapping.waits_for_batch = layer;
  options.events = &clock;
  const auto backend = cosim::make_backend(files.chip.value.engine, {});
  const chip::RunResult result =
      chip::run_network(files.chip.value, files.effective_memory, graph, *backend, options);
  const chip::LayerResult& figures = result.layers[static_cast<std::size_t>(layer)];
  return {clock.cycles(), figures.engine.passes / 2, figures.engine.pass_cycles / 2};
}

/// Cycles that a candidate takes at least on its busiest core: drains, or tiles through the port.
double least_cycles(const params::ChipParams& chip, const mapper::Candidate& candidate) {
  const mapper::Split& split = candidate.split;
  const mapper::Prediction& expected = candidate.prediction;
  const double steps = expected.rounds *
                       std::floor(static_cast<double>(split.k_tiles.size()) / split.k_parts) *
                       split.blocks_per_task;
  const double whole_rounds =
      std::max(1.0, std::floor(expected.tasks / chip.cores)) / std::max(1.0, expected.rounds);
  return 0.9 * whole_rounds * steps * expected.drain;
}

}  // namespace

void LayerClock::event(const chip::TimelineEvent& event) {
  using Unit = chip::TimelineEvent::Unit;
  if (event.program != 1) return;
  if (event.unit == Unit::kStore) {
    if (event.layer > layer_) return;
    base::Cycle& end = event.layer == layer_ ? end_ : begin_;
    end = std::max(end, event.end);
  } else if (event.layer == layer_ &&
             (event.unit == Unit::kWeightLoad || event.unit == Unit::kActivationLoad)) {
    Port& port = ports_[event.core];
    port.busy += std::max<base::Cycle>(0, event.end - std::max(event.begin, port.until));
    port.until = std::max(port.until, event.end);
  }
}

base::Cycle LayerClock::cycles() const {
  base::Cycle busiest = 0;
  for (const auto& [core, port] : ports_) busiest = std::max(busiest, port.busy);
  return std::max(end_ - begin_, busiest);
}

Graph single_layer(const Graph& graph, const params::ChipParams& chip, const Layer& layer,
                   double activation_density) {
  Graph made;
  made.name = layer.name;
  made.provenance = graph.provenance;
  made.samples = 1;
  made.files = graph.files;
  add_flush(made, chip);
  Layer copy = layer;
  copy.input = copy.declared_input = Producers(graph, made).add(layer.input, activation_density);
  if (layer.run_time_weights()) {
    copy.right = add_operand(made, graph.value(layer.right), activation_density);
  }
  copy.wait_for.clear();
  copy.index = static_cast<int>(made.layers.size());
  copy.output = static_cast<int>(made.values.size());
  copy.expect = nullptr;
  Value output = graph.output_of(layer);
  output.layer = copy.index;
  output.storage = copy.output;
  made.values.push_back(std::move(output));
  made.layers.push_back(std::move(copy));
  add_copy(made, made.layers.back().output);  // what nobody reads would go to DRAM
  return made;
}

std::vector<SimulatedSplit> simulate_splits(const config::ChipFiles& files, const Graph& graph,
                                            int layer,
                                            const std::vector<mapper::Candidate>& candidates,
                                            int batch, int parallel) {
  std::vector<SimulatedSplit> results(candidates.size());
  std::int64_t best = 0;
  for (std::size_t next = 0; next < candidates.size();) {
    std::vector<std::size_t> chunk;
    for (; next < candidates.size() && chunk.size() < kFirst; ++next) {
      const double least = least_cycles(files.chip.value, candidates[next]);
      if (best == 0 || least < static_cast<double>(best)) chunk.push_back(next);
    }
    std::vector<std::function<std::string()>> tasks;
    for (const std::size_t i : chunk) {
      tasks.emplace_back([&, i] {
        const SimulatedSplit one = simulate_split(files, graph, layer, candidates[i].split, batch);
        return fmt::format("{} {} {}", one.cycles, one.passes, one.pass_cycles);
      });
    }
    const std::vector<std::string> answers = run_in_children(tasks, parallel);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const std::vector<std::string> words = base::split(answers[i], ' ');
      SimulatedSplit& result = results[chunk[i]];
      result = {std::stoll(words.at(0)), std::stoll(words.at(1)), std::stoll(words.at(2))};
      LACUNA_CHECK(result.cycles > 0, "layer {} took {} cycles", layer, result.cycles);
      if (best == 0 || result.cycles < best) best = result.cycles;
    }
  }
  return results;
}

}  // namespace lacuna::cli
