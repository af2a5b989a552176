// SPDX-License-Identifier: Apache-2.0
#include "workload/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "workload/layer_builder.h"
#include "workload/operand_loader.h"
#include "workload/value_table.h"

namespace lacuna::workload {

namespace {

using params::LayerParams;
using tensor::DType;
using tensor::shape_text;

Shape with_samples(std::int64_t samples, const Shape& shape) {
  Shape result{samples};
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

class Builder {
 public:
  Builder(const params::WorkloadParams& params, const Locate& locate)
      : params_(params),
        locate_(locate),
        loader_(params, locate),
        values_(params, graph_, loader_),
        layers_(graph_, loader_, values_,
                source() == enum_name(params::ProvenanceSource::kCaptured)) {}

  Graph build() {
    check_rules();
    graph_.name = params_.name;
    graph_.provenance = params_.provenance;
    for (std::size_t i = 0; i < params_.inputs.size(); ++i) add_input(i);
    for (std::size_t i = 0; i < params_.layers.size(); ++i) add_layer(i);
    add_result();
    check_provenance();
    graph_.files = loader_.files();
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    loader_.fail(key, message);
  }

  /// config/ has reported these, all at once; a caller that made the params itself gets the first.
  void check_rules() const {
    const auto report = [&](const std::string& prefix,
                            const std::vector<params::Violation>& found) {
      if (found.empty()) return;
      const std::string key = found.front().keys.empty() ? "" : found.front().keys.front();
      const std::string separator = prefix.empty() || key.empty() ? "" : ".";
      fail(prefix + separator + key, found.front().message);
    };
    report("", params_.validate());
    for (std::size_t i = 0; i < params_.inputs.size(); ++i) {
      report(fmt::format("inputs[{}]", i), params_.inputs[i].validate());
    }
    for (std::size_t i = 0; i < params_.layers.size(); ++i) {
      const LayerParams& layer = params_.layers[i];
      const std::string key = fmt::format("layers[{}]", i);
      report(key, layer.validate());
      if (layer.weights) report(key + ".weights", layer.weights->validate());
      if (layer.output) report(key + ".output", layer.output->validate());
    }
  }

  void add_input(std::size_t index) {
    const params::InputParams& input = params_.inputs[index];
    const std::string key = fmt::format("inputs[{}]", index);
    Value value;
    value.name = input.name;
    value.kind = ValueKind::kInput;
    value.shape = input.shape;
    value.type = input.type;
    std::int64_t samples = 0;
    if (!input.tensor.empty()) {
      const std::string tensor_key = key + ".tensor";
      const tensor::TensorView& view = loader_.tensor(tensor_key, input.tensor, input.file);
      samples = view.shape.empty() ? 0 : view.shape[0];
      (void)loader_.tensor(tensor_key, input.tensor, input.file,
                           fmt::format("input '{}'", input.name), dtype_of(input.type),
                           with_samples(samples, input.shape));
      if (samples < 1) fail(tensor_key, fmt::format("tensor '{}' has no samples", input.tensor));
      value.codes = bytes_of(view);
      value.provenance = {Origin::kCaptured, loader_.tensor_text(input.tensor, input.file)};
    } else {
      samples = *input.samples;
      params::ActivationParams statistic;
      statistic.sparsity = *input.sparsity;
      statistic.seed = *input.seed;
      value.drawn = mask_spec(statistic, value.shape);
      value.provenance = {Origin::kStatistic, value.drawn.text()};
    }
    if (index > 0 && samples != graph_.samples) {
      fail(key, fmt::format("input '{}' has {} samples, but '{}' has {}", input.name, samples,
                            params_.inputs[0].name, graph_.samples));
    }
    graph_.samples = samples;
    const int id = values_.add(std::move(value), key + ".shape");
    values_.claim(key + ".name", input.name, id);
    graph_.inputs.push_back(id);
  }

  void add_layer(std::size_t index) {
    const LayerParams& from = params_.layers[index];
    const std::string key = fmt::format("layers[{}]", index);
    Layer layer;
    layer.name = from.name;
    layer.op = from.op;
    layer.index = static_cast<int>(index);
    layer.declared_input = values_.find(key + ".input", from.input);
    layer.input = layer.declared_input;
    if (from.activations) {
      Value drawn;
      drawn.name = from.name + ".activations";
      drawn.kind = ValueKind::kDrawn;
      drawn.shape = graph_.value(layer.input).shape;
      drawn.type = graph_.value(layer.input).type;
      drawn.drawn = mask_spec(*from.activations, drawn.shape);
      drawn.provenance = {Origin::kStatistic, drawn.drawn.text()};
      layer.input = values_.add(std::move(drawn), key + ".activations");
    }

    Value output;
    output.name = from.name;
    output.kind = ValueKind::kLayer;
    output.layer = layer.index;
    output.type = from.output ? from.output->type : graph_.value(layer.input).type;
    if (from.op == Op::kSoftmax) output.type = CodeType::kU8;
    layer.range = {params::lowest_code(output.type), params::highest_code(output.type), 0};
    if (from.output) {
      layer.range.gate = from.output->gate;
      if (from.output->clamp) {
        layer.range.low = (*from.output->clamp)[0];
        layer.range.high = (*from.output->clamp)[1];
      }
    }

    layers_.fill(from, key, layer, output);
    const Shape shape = output.shape;
    const CodeType type = output.type;
    if (from.output && from.output->drawn) {
      output.output_drawn = true;
      output.drawn = mask_spec(*from.output->drawn, shape);
      output.provenance = {Origin::kStatistic, output.drawn.text()};
    }
    layer.output = values_.add(std::move(output), key);
    values_.claim(key + ".name", from.name, layer.output);
    if (from.expect) {
      layer.expect = &loader_.tensor(key + ".expect", *from.expect, "",
                                     fmt::format("expected output of layer '{}'", from.name),
                                     dtype_of(type), with_samples(graph_.samples, shape));
    }
    if (from.mapping) {
      layer.mapping = *from.mapping;
      for (const char* part :
           {"tile_m", "tile_n", "tile_k", "task_blocks", "k_parts", "order", "layout"}) {
        layer.mapping_at[part] = locate_(key + ".mapping." + part);
      }
    }
    graph_.layers.push_back(std::move(layer));
  }

  void add_result() {
    if (!params_.result) return;
    const params::ResultParams& from = *params_.result;
    const auto found = std::find_if(graph_.layers.begin(), graph_.layers.end(),
                                    [&](const Layer& layer) { return layer.name == from.layer; });
    if (found == graph_.layers.end()) {
      std::vector<std::string> known;
      for (const Layer& layer : graph_.layers) known.push_back(layer.name);
      fail("result.layer", fmt::format("there is no layer '{}'{}", base::printable(from.layer),
                                       base::did_you_mean(from.layer, known)));
    }
    const Value& output = graph_.output_of(*found);
    if (output.tokens() != 1) {
      fail("result.layer", fmt::format("the result layer '{}' has shape {}; the class is read from "
                                       "a single token",
                                       from.layer, shape_text(output.shape)));
    }
    Result result;
    result.layer = found->index;
    const tensor::TensorView& labels =
        loader_.tensor("result.labels", from.labels, "", "labels", DType::kI32, {graph_.samples});
    result.labels = labels.copy<std::int32_t>();
    for (const std::int32_t label : result.labels) {
      if (label < 0 || label >= output.channels()) {
        fail("result.labels", fmt::format("tensor '{}' (labels): class {} is outside 0..{}",
                                          from.labels, label, output.channels() - 1));
      }
    }
    if (from.expect) {
      result.expect =
          &loader_.tensor("result.expect", *from.expect, "",
                          fmt::format("expected output of layer '{}'", from.layer),
                          dtype_of(output.type), with_samples(graph_.samples, output.shape));
    }
    graph_.result = std::move(result);
  }

  /// Empty when it is missing, which check_rules() reports.
  [[nodiscard]] std::string source() const {
    const auto found = params_.provenance.find("source");
    return found == params_.provenance.end() ? std::string{} : found->second;
  }

  /// The report repeats what provenance says, so it must be true of every operand.
  void check_provenance() const {
    const auto check = [&](const std::string& key, const std::string& what,
                           const Provenance& from) {
      const bool captured = from.origin == Origin::kCaptured;
      if (from.origin == Origin::kComputed || source() == "mixed") return;
      if (source() == (captured ? "captured" : "statistic")) return;
      fail(key,
           fmt::format("provenance says '{}', but {} {} ({}); say 'mixed'", source(), what,
                       captured ? "come from a tensor" : "are drawn from a statistic", from.text));
    };
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const Value& value = graph_.value(graph_.inputs[i]);
      check(fmt::format("inputs[{}]", i), fmt::format("the codes of input '{}'", value.name),
            value.provenance);
    }
    for (const Layer& layer : graph_.layers) {
      const std::string key = fmt::format("layers[{}]", layer.index);
      const Value& output = graph_.output_of(layer);
      if (output.output_drawn) {
        check(key + ".output.drawn", fmt::format("the outputs of layer '{}'", layer.name),
              output.provenance);
      }
      if (layer.weights.n > 0) {
        check(key + ".weights", fmt::format("the weights of layer '{}'", layer.name),
              layer.weights.provenance);
      }
      if (layer.input != layer.declared_input) {
        check(key + ".activations", fmt::format("the activations of layer '{}'", layer.name),
              graph_.input_of(layer).provenance);
      }
    }
  }

  const params::WorkloadParams& params_;
  const Locate& locate_;
  Graph graph_;
  OperandLoader loader_;
  ValueTable values_;
  LayerBuilder layers_;
};

}  // namespace

Graph build_graph(const params::WorkloadParams& params, const Locate& locate) {
  return Builder(params, locate).build();
}

}  // namespace lacuna::workload
