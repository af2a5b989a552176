// SPDX-License-Identifier: Apache-2.0
#include "trace/generate.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "config/workload_files.h"
#include "trace/trace_writer.h"
#include "workload/gemm_source.h"
#include "workload/graph_builder.h"
#include "workload/operand_loader.h"
#include "workload/tensor_store.h"
#include "workload/vector_ops.h"

namespace lacuna::trace {

namespace {

using base::UserError;
using params::MaskPattern;

constexpr std::int64_t kMatchBank = 32;

std::int64_t layer_seed(std::uint64_t seed, std::size_t layer, std::uint64_t operand) {
  const std::uint64_t mixed = base::hash_combine(base::hash_combine(seed + 1, layer), operand);
  return static_cast<std::int64_t>(mixed >> 12U);  // readable, exact in every reader of YAML
}

tensor::MaskSpec parse_statistic(const std::string& text, const char* option) {
  const workload::GemmSource source = workload::parse_gemm_source(text, option);
  if (const auto* spec = std::get_if<tensor::MaskSpec>(&source)) return *spec;
  throw UserError(
      fmt::format("{}: '{}' is a file; only a statistic (density=...) serves here", option, text));
}

params::WeightParams statistic(const tensor::MaskSpec& spec, std::int64_t seed) {
  params::WeightParams result;
  result.seed = seed;
  switch (spec.kind) {
    case tensor::PatternKind::kDense:
      result.pattern = MaskPattern::kDense;
      return result;
    case tensor::PatternKind::kNOfM:
      result.pattern = MaskPattern::kNOfM;
      result.n = spec.n;
      result.m = spec.m;
      return result;
    case tensor::PatternKind::kUnstructured:
      result.pattern = MaskPattern::kUnstructured;
      break;
    case tensor::PatternKind::kBank:
      result.pattern = MaskPattern::kBank;
      result.bank = spec.bank;
      break;
    case tensor::PatternKind::kBlock:
      result.pattern = MaskPattern::kBlock;
      result.block = std::vector<std::int64_t>{spec.block_k, spec.block_n};
      break;
    case tensor::PatternKind::kMagnitude:
      result.pattern = MaskPattern::kMagnitude;
      result.row_spread = spec.row_spread;
      result.column_spread = spec.column_spread;
      break;
    case tensor::PatternKind::kField:
      LACUNA_CHECK(false, "weights have no spatial statistic");
  }
  result.sparsity = 1.0 - spec.density;
  return result;
}

/// The codes of a layer's weights as its tensor holds them.
void draw_weights(const workload::Layer& layer, const tensor::MaskSpec& spec,
                  const tensor::ByteSink& sink) {
  const workload::WeightMatrix& weights = layer.weights;
  if (layer.op == params::Op::kEmbedding) {
    for (std::int64_t row = 0; row < weights.n; ++row) {
      const std::vector<std::int8_t> codes = workload::embedding_row(layer, row);
      sink(std::as_bytes(std::span<const std::int8_t>(codes)));
    }
  } else if (layer.gemm.groups > 1) {  // the graph has the zeros between groups, the tensor not
    sink(std::as_bytes(
        std::span<const std::uint8_t>(tensor::draw_codes(weights.n, weights.k / layer.gemm.groups,
                                                         tensor::CodeKind::kS8, spec, layer.name)
                                          .codes)));
  } else {
    sink(std::as_bytes(weights.with_codes().codes));
  }
}

class Generator {
 public:
  explicit Generator(const GenerateOptions& options)
      : options_(options),
        loaded_(config::load_workload(options.workload, options.parameters)),
        before_(build(loaded_.value)),
        params_(loaded_.value) {}

  GenerateReport run() {
    check_output_folder(options_.out, options_.workload);
    report_.name = params_.name;
    std::set<std::string> without = change_operands();
    if (changed_) without.merge(drop_expected(params_));
    std::vector<tensor::TensorToWrite> tensors = copied_tensors(before_, params_, without);
    for (const tensor::TensorToWrite& tensor : tensors) taken_.insert(tensor.name);
    if (!options_.statistics_only) {
      // Shapes and what is chosen for statistics come from the changed network.
      params::WorkloadParams changed = params_;
      complete_provenance(changed);
      const workload::Graph graph = build(changed);
      for (std::size_t i = 0; i < params_.inputs.size(); ++i) draw_input(graph, i, tensors);
      for (std::size_t i = 0; i < params_.layers.size(); ++i) draw_layer(graph, i, tensors);
      finish(std::move(tensors));  // while the graph lives
    } else {
      finish(std::move(tensors));
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] workload::Graph build(const params::WorkloadParams& params) const {
    return workload::build_graph(
        params, [this](const std::string& key) { return loaded_.provenance.locate(key); });
  }

  /// Puts the wanted statistics in place; returns the tensors that nobody needs any more.
  std::set<std::string> change_operands() {
    std::set<std::string> dropped;
    std::optional<tensor::MaskSpec> weights;
    std::optional<tensor::MaskSpec> activations;
    if (!options_.weights.empty()) weights = parse_statistic(options_.weights, "--weights");
    if (!options_.activations.empty()) {
      activations = parse_statistic(options_.activations, "--acts");
      if (activations->kind != tensor::PatternKind::kUnstructured &&
          activations->kind != tensor::PatternKind::kField) {
        throw UserError(
            "--acts: activations are unstructured; give density=D, and spatial=X and channel=X if "
            "they are correlated");
      }
    }
    for (std::size_t i = 0; i < params_.layers.size(); ++i) {
      params::LayerParams& layer = params_.layers[i];
      const workload::Layer& built = before_.layers[i];
      if (activations && built.on_engine()) {
        params::ActivationParams drawn;
        drawn.sparsity = 1.0 - activations->density;
        drawn.seed = layer_seed(options_.seed, i, 1);
        if (activations->kind == tensor::PatternKind::kField) {
          drawn.spatial = activations->spatial;
          drawn.channel = activations->channel;
        }
        layer.activations = drawn;
        changed_ = true;
      }
      if (!layer.weights) continue;
      if (weights) {
        replace(i, statistic(*weights, layer_seed(options_.seed, i, 0)), dropped);
      } else if (options_.match && !layer.weights->tensor.empty()) {
        replace(i, matching(built), dropped);
      }
    }
    return dropped;
  }

  /// The statistic with the density that a layer's weights have.
  [[nodiscard]] params::WeightParams matching(const workload::Layer& layer) const {
    params::WeightParams result;
    result.pattern = *options_.match;
    if (result.pattern == MaskPattern::kBank) result.bank = kMatchBank;
    result.seed = layer_seed(options_.seed, static_cast<std::size_t>(layer.index), 0);
    result.sparsity = 1.0 - static_cast<double>(layer.weights.non_zeros) / weight_count(layer);
    return result;
  }

  static double weight_count(const workload::Layer& layer) {
    const std::int64_t weights = layer.weights.n * layer.weights.k / layer.gemm.groups;
    return static_cast<double>(weights);
  }

  void replace(std::size_t index, params::WeightParams with, std::set<std::string>& dropped) {
    params::LayerParams& layer = params_.layers[index];
    if (!layer.weights->tensor.empty()) dropped.insert(layer.weights->tensor);
    if (layer.requantize) {
      dropped.insert(
          {layer.requantize->bias, layer.requantize->multiplier, layer.requantize->shift});
      layer.requantize.reset();
    }
    layer.weights = std::move(with);
    if (layer.op == params::Op::kConv2d || layer.op == params::Op::kLinear) {
      layer.out_channels = before_.layers[index].weights.n;
    }
    changed_ = true;
  }

  std::string unique(std::string name) {
    while (!taken_.insert(name).second) name += ".drawn";
    return name;
  }

  void draw_input(const workload::Graph& graph, std::size_t index,
                  std::vector<tensor::TensorToWrite>& tensors) {
    params::InputParams& input = params_.inputs[index];
    if (!input.tensor.empty()) return;
    const workload::Value& value = graph.value(graph.inputs[index]);
    input.tensor = unique(input.name);
    std::vector<std::int64_t> shape{graph.samples};
    shape.insert(shape.end(), value.shape.begin(), value.shape.end());
    const tensor::DType type =
        input.type == params::CodeType::kS8 ? tensor::DType::kI8 : tensor::DType::kU8;
    tensors.push_back({input.tensor, type, shape,
                       [&value, samples = graph.samples](const tensor::ByteSink& sink) {
                         for (std::int64_t sample = 0; sample < samples; ++sample) {
                           base::throw_if_interrupted();
                           sink(std::as_bytes(std::span<const std::uint8_t>(
                               workload::draw_sample(value, sample))));
                         }
                       }});
    input.sparsity.reset();
    input.seed.reset();
    input.samples.reset();
  }

  void draw_layer(const workload::Graph& graph, std::size_t index,
                  std::vector<tensor::TensorToWrite>& tensors) {
    params::LayerParams& layer = params_.layers[index];
    const workload::Layer& built = graph.layers[index];
    const bool drawn = layer.weights && layer.weights->tensor.empty();
    if (drawn) {
      const workload::WeightMatrix& weights = built.weights;
      const tensor::MaskSpec spec = workload::mask_spec(*layer.weights);
      const bool counted = layer.op != params::Op::kEmbedding;  // its rows are drawn when read
      report_.layers.push_back(
          {layer.name, spec.text(),
           1.0 - (counted ? static_cast<double>(weights.non_zeros) / weight_count(built)
                          : spec.density)});
      layer.weights = params::WeightParams{};
      layer.weights->tensor = unique(layer.name + ".weight");
      tensors.push_back({layer.weights->tensor, tensor::DType::kI8, weight_tensor_shape(built),
                         [&built, spec](const tensor::ByteSink& sink) {
                           base::throw_if_interrupted();
                           draw_weights(built, spec, sink);
                         }});
    }
    if (built.requantize.chosen && !layer.requantize) {
      params::RequantizeParams names{unique(layer.name + ".bias"),
                                     unique(layer.name + ".multiplier"),
                                     unique(layer.name + ".shift")};
      const auto channels = static_cast<std::int64_t>(built.requantize.bias.size());
      tensors.push_back(tensor::tensor_of(names.bias, {channels}, built.requantize.bias));
      tensors.push_back(
          tensor::tensor_of(names.multiplier, {channels}, built.requantize.multiplier));
      tensors.push_back(tensor::tensor_of(names.shift, {channels}, built.requantize.shift));
      layer.requantize = std::move(names);
    }
  }

  void finish(std::vector<tensor::TensorToWrite> tensors) {
    if (options_.statistics_only) {
      for (const params::LayerParams& layer : params_.layers) {
        if (!layer.weights || !layer.weights->tensor.empty()) continue;
        const tensor::MaskSpec spec = workload::mask_spec(*layer.weights);
        report_.layers.push_back({layer.name, spec.text(), 1.0 - spec.density});
      }
    }
    if (changed_) {
      // What was measured on the network before does not hold any more.
      params_.provenance = {{"model", params_.provenance["model"]},
                            {"made_from", params_.name},
                            {"method", "operands drawn from statistics"},
                            {"seed", fmt::format("{}", options_.seed)},
                            {"script", "lacuna trace generate"}};
    }
    complete_provenance(params_);
    write_trace(options_.out, params_, std::move(tensors));
  }

  const GenerateOptions& options_;
  config::Loaded<params::WorkloadParams> loaded_;
  workload::Graph before_;
  params::WorkloadParams params_;
  std::set<std::string> taken_;
  bool changed_ = false;
  GenerateReport report_;
};

}  // namespace

GenerateReport generate_trace(const GenerateOptions& options) { return Generator(options).run(); }

}  // namespace lacuna::trace
