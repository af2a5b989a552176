// SPDX-License-Identifier: Apache-2.0
#include "mapper/layer_problem.h"

#include <algorithm>

#include "mapper/tile_compiler.h"
#include "mapper/tile_size.h"

namespace lacuna::mapper {
namespace {

/// Part of the SRAM that weights may take if all are to stay there.
constexpr double kWeightShare = 0.75;

bool lies_in_rows(const params::ChipParams& chip, const workload::Layer& layer) {
  return !layer.run_time_weights() &&
         layer.mapping.layout.value_or(chip.mapper.layout) == WeightLayout::kRow;
}

/// Whether the network's weights are too many to stay in SRAM.
bool weights_stream(const workload::Graph& graph, const params::ChipParams& chip,
                    const MapOptions& options) {
  double bytes = 0;
  for (const workload::Layer& layer : graph.layers) {
    if (!layer.on_engine() || layer.run_time_weights()) continue;
    bytes += layer_bytes(chip, layer.gemm.n, layer.gemm.k, layer.weights.non_zeros,
                         lies_in_rows(chip, layer), options.burst_bytes);
  }
  return bytes > kWeightShare * static_cast<double>(chip.sram.capacity);
}

/// Of the k of all rows, those that are not padding: padding has no stored data.
double share_present(const workload::Graph& graph, const workload::Layer& layer) {
  if (layer.op != params::Op::kConv2d) return 1.0;
  const auto along = [](std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                        std::int64_t padding) {
    std::int64_t inside = 0;
    for (std::int64_t i = 0; i < out; ++i) {
      const std::int64_t begin = i * stride - padding;
      inside += std::max<std::int64_t>(
          0, std::min(begin + kernel, in) - std::max<std::int64_t>(begin, 0));
    }
    return static_cast<double>(inside) / static_cast<double>(out * kernel);
  };
  const workload::Window2d& window = layer.window;
  const std::vector<std::int64_t>& in = graph.value(layer.input).shape;
  const std::vector<std::int64_t>& out = graph.output_of(layer).shape;
  if (in.size() != 3 || out.size() != 3) return 1.0;
  return along(in[0], out[0], window.kernel_y, window.stride_y, window.padding_y) *
         along(in[1], out[1], window.kernel_x, window.stride_x, window.padding_x);
}

/// Whether an engine layer makes what the layer reads.
bool follows_engine(const workload::Graph& graph, const workload::Layer& layer) {
  const workload::Value& made = graph.value(graph.value(layer.declared_input).storage);
  return made.kind == workload::ValueKind::kLayer &&
         graph.layers[static_cast<std::size_t>(made.layer)].on_engine();
}

}  // namespace

LayerQuestion layer_question(const workload::Graph& graph, const params::ChipParams& chip,
                             const MapOptions& options, const workload::Layer& layer) {
  const bool run_time = layer.run_time_weights();
  const workload::GemmShape& shape = layer.gemm;
  LayerQuestion question{activation_statistics(graph, layer), {}};
  SplitProblem& problem = question.problem;
  problem.layer = layer.name;
  problem.rows = run_time ? shape.m : shape.m * options.batch;
  problem.n = shape.n;
  problem.heads = run_time ? options.batch * shape.heads : 1;
  problem.gathers = static_cast<int>(layer.window.kernel_y * layer.window.kernel_x);
  problem.present = share_present(graph, layer);
  problem.run_time = run_time;
  problem.transpose_right = run_time && layer.transpose_right;
  problem.follows_engine = follows_engine(graph, layer);
  problem.row_layout = lies_in_rows(chip, layer);
  problem.activation_density = question.statistics.density;
  problem.burst_bytes = options.burst_bytes;
  problem.channels_bytes_per_cycle = options.dram_bytes_per_cycle;
  problem.dram_bytes_per_cycle = arriving_bytes_per_cycle(chip, options);
  if (weights_stream(graph, chip, options)) {
    problem.stream_bytes_per_cycle = problem.dram_bytes_per_cycle;
  }
  problem.order = layer.mapping.order.value_or(params::Ordering::kAuto);
  if (problem.order == params::Ordering::kAuto) problem.order = options.ordering;
  if (problem.order == params::Ordering::kAuto) problem.order = chip.mapper.order;
  problem.k_order = layer.mapping.k_order.value_or(params::KOrder::kAuto);
  if (problem.k_order == params::KOrder::kAuto) problem.k_order = chip.mapper.k_order;
  problem.fixed = layer.mapping;
  problem.fixed_at = &layer.mapping_at;
  return question;
}

bool same_search(const workload::Layer& a, const LayerQuestion& question_a,
                 const workload::Layer& b, const LayerQuestion& question_b) {
  const auto for_messages_only = [](SplitProblem problem) {
    problem.layer.clear();
    problem.fixed_at = nullptr;
    return problem;
  };
  return a.weights.identity() == b.weights.identity() && a.gemm.n == b.gemm.n &&
         a.gemm.k == b.gemm.k && a.gemm.segments == b.gemm.segments &&
         a.gemm.segment_channels == b.gemm.segment_channels &&
         question_a.statistics == question_b.statistics &&
         for_messages_only(question_a.problem) == for_messages_only(question_b.problem);
}

LayerProblem layer_problem(const params::ChipParams& chip, const workload::Layer& layer,
                           LayerQuestion question) {
  const bool run_time = layer.run_time_weights();
  WindowTable windows(chip.engine, segments_of(layer));
  auto mask = run_time ? nullptr : layer.weights.mask();
  WeightCounts counts = run_time ? WeightCounts(layer.gemm.n, windows, chip.engine)
                                 : WeightCounts(*mask, windows, chip.engine);
  if (!run_time) question.problem.pattern = weight_pattern(*mask, chip.compress);
  return {std::move(question.statistics), std::move(mask), windows, std::move(counts),
          std::move(question.problem)};
}

LayerProblem layer_problem(const workload::Graph& graph, const params::ChipParams& chip,
                           const MapOptions& options, const workload::Layer& layer) {
  return layer_problem(chip, layer, layer_question(graph, chip, options, layer));
}

LayerStudy study_layer(const workload::Graph& graph, const params::ChipParams& chip,
                       const MapOptions& options, const workload::Layer& layer, Grid grid,
                       std::size_t keep) {
  const LayerProblem made = layer_problem(graph, chip, options, layer);
  LayerStudy study;
  study.layer = layer.index;
  study.problem = made.problem;
  study.weight_density = made.counts.density();
  const Split choice = choose_split(made.problem, made.counts, made.windows, chip, options.costs);
  study.ranked.push_back(
      {choice, predict(made.problem, made.counts, made.windows, chip, options.costs, choice)});
  std::vector<Candidate> others;
  const auto by_prediction = [&](const Candidate& a, const Candidate& b) {
    return better(chip.mapper.objective, a.prediction, b.prediction);
  };
  for_each_candidate(made.problem, made.counts, made.windows, chip, options.costs, grid,
                     [&](const Candidate& candidate) {
                       ++study.considered;
                       if (same_cut(candidate.split, choice)) return;
                       for (const Candidate& known : others) {
                         if (same_cut(known.split, candidate.split)) return;
                       }
                       others.push_back(candidate);
                       if (others.size() < 2 * keep) return;
                       std::stable_sort(others.begin(), others.end(), by_prediction);
                       others.resize(keep);
                     });
  std::stable_sort(others.begin(), others.end(), by_prediction);
  if (others.size() > keep) others.resize(keep);
  study.ranked.insert(study.ranked.end(), others.begin(), others.end());
  return study;
}

}  // namespace lacuna::mapper
