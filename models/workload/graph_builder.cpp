// SPDX-License-Identifier: Apache-2.0
#include "workload/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "workload/operand_loader.h"

namespace lacuna::workload {

namespace {

using params::LayerParams;
using tensor::DType;
using tensor::shape_text;

constexpr std::int64_t kMaxK = 65536;            // numerics.md: sums of more would lose meaning
constexpr std::int64_t kMaxNormChannels = 32768; // layer_norm: 64 bits hold the sum of squares
constexpr std::int64_t kMaxPoolTokens = 1 << 22; // average_pool: 64 bits hold sum * multiplier

DType dtype_of(CodeType type) { return type == CodeType::kS8 ? DType::kI8 : DType::kU8; }

Shape with_samples(std::int64_t samples, const Shape& shape) {
  Shape result{samples};
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

std::span<const std::uint8_t> bytes_of(const tensor::TensorView& view) {
  return {reinterpret_cast<const std::uint8_t*>(view.data.data()), view.data.size()};
}

class Builder {
 public:
  Builder(const params::WorkloadParams& params, const Locate& locate)
      : params_(params), locate_(locate), loader_(params, locate) {}

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

  int add_value(Value value, const std::string& key) {
    std::int64_t elements = 1;
    for (const std::int64_t dimension : value.shape) {
      if (elements > tensor::kMaxMatrixBytes / dimension) {
        fail(key, fmt::format("'{}' of shape {} has more than the {} elements that are supported",
                              value.name, shape_text(value.shape), tensor::kMaxMatrixBytes));
      }
      elements *= dimension;
    }
    const int id = static_cast<int>(graph_.values.size());
    if (value.storage == kNoValue) value.storage = id;
    graph_.values.push_back(std::move(value));
    return id;
  }

  void claim_name(const std::string& key, const std::string& name, int id) {
    if (!names_.emplace(name, id).second) {
      fail(key, fmt::format("the name '{}' is used twice", name));
    }
  }

  int find_value(const std::string& key, const std::string& name) const {
    const auto found = names_.find(name);
    if (found != names_.end()) return found->second;
    for (const LayerParams& layer : params_.layers) {
      if (layer.name == name) {
        fail(key, fmt::format("layer '{}' stands later in the file; layers can only read inputs "
                              "and earlier layers",
                              name));
      }
    }
    std::vector<std::string> known;
    for (const auto& [known_name, id] : names_) known.push_back(known_name);
    fail(key, fmt::format("there is no input or layer '{}'{}", base::printable(name),
                          base::did_you_mean(name, known)));
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
      value.drawn = activation_spec(*input.sparsity, *input.seed);
      value.provenance = {Origin::kStatistic, value.drawn.text()};
    }
    if (index > 0 && samples != graph_.samples) {
      fail(key, fmt::format("input '{}' has {} samples, but '{}' has {}", input.name, samples,
                            params_.inputs[0].name, graph_.samples));
    }
    graph_.samples = samples;
    const int id = add_value(std::move(value), key + ".shape");
    claim_name(key + ".name", input.name, id);
    graph_.inputs.push_back(id);
  }

  static tensor::MaskSpec activation_spec(double sparsity, std::int64_t seed) {
    tensor::MaskSpec spec;
    spec.kind = tensor::PatternKind::kUnstructured;
    spec.density = 1.0 - sparsity;
    spec.seed = static_cast<std::uint64_t>(seed);
    return spec;
  }

  void add_layer(std::size_t index) {
    const LayerParams& from = params_.layers[index];
    const std::string key = fmt::format("layers[{}]", index);
    Layer layer;
    layer.name = from.name;
    layer.op = from.op;
    layer.index = static_cast<int>(index);
    layer.declared_input = find_value(key + ".input", from.input);
    layer.input = layer.declared_input;
    if (from.activations) {
      Value drawn;
      drawn.name = from.name + ".activations";
      drawn.kind = ValueKind::kDrawn;
      drawn.shape = graph_.value(layer.input).shape;
      drawn.type = graph_.value(layer.input).type;
      drawn.drawn = activation_spec(from.activations->sparsity, from.activations->seed);
      drawn.provenance = {Origin::kStatistic, drawn.drawn.text()};
      layer.input = add_value(std::move(drawn), key + ".activations");
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

    switch (from.op) {
      case Op::kConv2d: fill_conv2d(from, key, layer, output); break;
      case Op::kLinear: fill_linear(from, key, layer, output); break;
      case Op::kMatmul: fill_matmul(from, key, layer, output); break;
      case Op::kSoftmax: fill_softmax(from, key, layer, output); break;
      case Op::kLayerNorm: fill_layer_norm(from, key, layer, output); break;
      case Op::kAdd: fill_add(from, key, layer, output); break;
      case Op::kLookup: fill_lookup(from, key, layer, output); break;
      case Op::kMaxPool: fill_max_pool(from, key, layer, output); break;
      case Op::kAveragePool: fill_average_pool(from, key, layer, output); break;
      case Op::kFlatten:
        output.shape = {1, input(layer).elements()};
        output.storage = input(layer).storage;
        break;
    }
    const Shape shape = output.shape;
    const CodeType type = output.type;
    layer.output = add_value(std::move(output), key);
    claim_name(key + ".name", from.name, layer.output);
    if (from.expect) {
      layer.expect = &loader_.tensor(key + ".expect", *from.expect, "",
                                     fmt::format("expected output of layer '{}'", from.name),
                                     dtype_of(type), with_samples(graph_.samples, shape));
    }
    graph_.layers.push_back(std::move(layer));
  }

  [[nodiscard]] const Value& input(const Layer& layer) const { return graph_.value(layer.input); }

  void require_map(const LayerParams& from, const std::string& key, const Layer& layer) const {
    if (input(layer).shape.size() != 3) {
      fail(key + ".input", fmt::format("{} layer '{}' needs a feature map [height, width, "
                                       "channels], but '{}' has shape {}",
                                       enum_name(from.op), from.name, from.input,
                                       shape_text(input(layer).shape)));
    }
  }

  void require_tokens(const LayerParams& from, const std::string& key, const std::string& name,
                      const Value& value) const {
    if (value.shape.size() != 2) {
      fail(key, fmt::format("{} layer '{}' needs a token matrix [tokens, channels], but '{}' has "
                            "shape {}",
                            enum_name(from.op), from.name, name, shape_text(value.shape)));
    }
  }

  void check_k(const LayerParams& from, const std::string& key, std::int64_t k) const {
    if (k > kMaxK) {
      fail(key, fmt::format("layer '{}' has K = {}; sums of more than {} products are not supported",
                            from.name, k, kMaxK));
    }
  }

  /// The weights' channels, from out_channels or (0) from the tensor.
  void load_weights(const LayerParams& from, const std::string& key, Layer& layer, Shape shape) {
    shape[0] = from.out_channels.value_or(0);
    layer.weights = loader_.weights(key + ".weights", *from.weights, from.name, shape);
    layer.gemm.n = layer.weights.n;
    layer.gemm.k = layer.weights.k;
    if (from.requantize) {
      layer.requantize = loader_.requantize(key, *from.requantize, from.name, layer.gemm.n);
    } else {
      layer.requantize = choose_requantize(layer.gemm.n, mean_sum_squares(layer.weights),
                                           assumed_square(input(layer)), layer.range);
    }
  }

  /// Output size along one dimension, or an error.
  [[nodiscard]] std::int64_t window_count(const LayerParams& from, const std::string& key,
                                          std::int64_t size, std::int64_t kernel,
                                          std::int64_t stride, std::int64_t padding,
                                          const char* what) const {
    if (size + 2 * padding < kernel) {
      fail(key + ".kernel", fmt::format("the kernel of layer '{}' ({} {}) is larger than its input "
                                        "({}, padding {})",
                                        from.name, kernel, what, size, padding));
    }
    return (size + 2 * padding - kernel) / stride + 1;
  }

  void fill_conv2d(const LayerParams& from, const std::string& key, Layer& layer, Value& output) {
    require_map(from, key, layer);
    const Value& in = input(layer);
    Window2d& window = layer.window;
    window.kernel_y = (*from.kernel)[0];
    window.kernel_x = (*from.kernel)[1];
    if (from.stride) {
      window.stride_y = (*from.stride)[0];
      window.stride_x = (*from.stride)[1];
    }
    if (from.padding) {
      window.padding_y = (*from.padding)[0];
      window.padding_x = (*from.padding)[1];
      if (window.padding_y >= window.kernel_y || window.padding_x >= window.kernel_x) {
        fail(key + ".padding",
             fmt::format("padding {} of layer '{}' must be smaller than its kernel {}",
                         shape_text(*from.padding), from.name, shape_text(*from.kernel)));
      }
    }
    const std::int64_t height = window_count(from, key, in.shape[0], window.kernel_y,
                                             window.stride_y, window.padding_y, "rows");
    const std::int64_t width = window_count(from, key, in.shape[1], window.kernel_x,
                                            window.stride_x, window.padding_x, "columns");
    const std::int64_t channels = in.channels();
    const std::int64_t taps = window.kernel_y * window.kernel_x;
    check_k(from, key + ".kernel", taps * channels);
    load_weights(from, key, layer, {0, window.kernel_y, window.kernel_x, channels});
    layer.gemm.m = height * width;
    layer.gemm.im2col = channels < kIm2colChannels && taps > 1;
    layer.gemm.segments = layer.gemm.im2col ? 1 : static_cast<int>(taps);
    layer.gemm.segment_channels = layer.gemm.im2col ? layer.gemm.k : channels;
    output.shape = {height, width, layer.gemm.n};
  }

  void fill_linear(const LayerParams& from, const std::string& key, Layer& layer, Value& output) {
    const Value& in = input(layer);
    check_k(from, key + ".input", in.channels());
    load_weights(from, key, layer, {0, in.channels()});
    layer.gemm.m = in.tokens();
    layer.gemm.segment_channels = layer.gemm.k;
    output.shape = {layer.gemm.m, layer.gemm.n};
  }

  void fill_matmul(const LayerParams& from, const std::string& key, Layer& layer, Value& output) {
    const std::string& right_name = std::get<std::string>(*from.right);
    layer.right = find_value(key + ".right", right_name);
    const Value& left = input(layer);
    const Value& right = graph_.value(layer.right);
    require_tokens(from, key + ".input", from.input, left);
    require_tokens(from, key + ".right", right_name, right);
    if (!right.is_signed()) {
      fail(key + ".right", fmt::format("the right operand of matmul '{}' must be s8, but '{}' is u8",
                                       from.name, right_name));
    }
    const std::int64_t heads = *from.heads;
    const auto split = [&](const char* which, std::int64_t channels) {
      if (channels % heads != 0) {
        fail(key + ".heads", fmt::format("the {} channels of the {} operand of matmul '{}' do not "
                                         "divide into {} heads",
                                         channels, which, from.name, heads));
      }
      return channels / heads;
    };
    layer.heads = static_cast<int>(heads);
    layer.transpose_right = *from.transpose_right;
    const std::int64_t left_width = split("left", left.channels());
    const std::int64_t right_width = split("right", right.channels());
    layer.gemm.heads = layer.heads;
    layer.gemm.m = left.tokens();
    layer.gemm.k = left_width;
    layer.gemm.n = layer.transpose_right ? right.tokens() : right_width;
    const std::int64_t right_k = layer.transpose_right ? right_width : right.tokens();
    if (right_k != left_width) {
      fail(key + ".right",
           fmt::format("matmul '{}': each head of the left operand {} has {} columns, but the right "
                       "operand {} gives K = {}{}",
                       from.name, shape_text(left.shape), left_width, shape_text(right.shape),
                       right_k, layer.transpose_right ? " (transposed)" : ""));
    }
    check_k(from, key + ".input", layer.gemm.k);
    layer.gemm.segment_channels = layer.gemm.k;
    if (from.requantize) {
      layer.requantize = loader_.requantize(key, *from.requantize, from.name, layer.gemm.n);
    } else {
      if (source() == enum_name(params::ProvenanceSource::kCaptured)) {
        fail(key, fmt::format("matmul '{}' needs 'requantize' in a captured workload", from.name));
      }
      layer.requantize = choose_requantize(layer.gemm.n, layer.gemm.k * assumed_square(right),
                                           assumed_square(left), layer.range);
    }
    output.shape = {layer.gemm.m, heads * layer.gemm.n};
  }

  void fill_softmax(const LayerParams& from, const std::string& key, Layer& layer, Value& output) {
    const Value& in = input(layer);
    require_tokens(from, key + ".input", from.input, in);
    if (in.channels() % *from.heads != 0) {
      fail(key + ".heads", fmt::format("the {} channels of softmax '{}' do not divide into {} heads",
                                       in.channels(), from.name, *from.heads));
    }
    layer.heads = static_cast<int>(*from.heads);
    const tensor::TensorView& table =
        loader_.tensor(key + ".table", *from.table, "", fmt::format("table of layer '{}'", from.name),
                       DType::kU16, {256});
    layer.exp_table = table.copy<std::uint16_t>();
    if (layer.exp_table[0] != 32767) {
      fail(key + ".table", fmt::format("tensor '{}' (table of layer '{}') must begin with 32767, "
                                       "not {}",
                                       *from.table, from.name, layer.exp_table[0]));
    }
    output.shape = in.shape;
  }

  void fill_layer_norm(const LayerParams& from, const std::string& key, Layer& layer,
                       Value& output) {
    const Value& in = input(layer);
    require_tokens(from, key + ".input", from.input, in);
    const std::int64_t channels = in.channels();
    if (channels > kMaxNormChannels) {
      fail(key + ".input", fmt::format("layer_norm '{}' over {} channels; at most {} are supported",
                                       from.name, channels, kMaxNormChannels));
    }
    layer.gamma = loader_.int32_vector(key + ".gamma", *from.gamma,
                                       fmt::format("gamma of layer '{}'", from.name), channels,
                                       false);
    layer.beta = loader_.int32_vector(key + ".beta", *from.beta,
                                      fmt::format("beta of layer '{}'", from.name), channels,
                                      false);
    layer.shift = static_cast<int>(*from.shift);
    output.shape = in.shape;
  }

  void fill_add(const LayerParams& from, const std::string& key, Layer& layer, Value& output) {
    const Shape shape = input(layer).shape;
    std::string right_name;
    if (const auto* reference = std::get_if<params::TensorRef>(&*from.right)) {
      const std::string tensor_key = key + ".right.tensor";
      const tensor::TensorView& view =
          loader_.tensor(tensor_key, reference->tensor, reference->file);
      right_name = reference->tensor;
      if (view.dtype != DType::kI8 && view.dtype != DType::kU8) {
        fail(tensor_key, fmt::format("tensor '{}' (constant of layer '{}') is {}, not I8 or U8",
                                     reference->tensor, from.name, dtype_name(view.dtype)));
      }
      Value constant;
      constant.name = reference->tensor;
      constant.kind = ValueKind::kConstant;
      constant.shape = view.shape;
      constant.type = view.dtype == DType::kI8 ? CodeType::kS8 : CodeType::kU8;
      constant.codes = bytes_of(view);
      constant.provenance = {Origin::kCaptured,
                             loader_.tensor_text(reference->tensor, reference->file)};
      if (constant.shape != shape) {
        fail(tensor_key, fmt::format("add '{}': the operands have shapes {} and {}", from.name,
                                     shape_text(shape), shape_text(constant.shape)));
      }
      layer.right = add_value(std::move(constant), tensor_key);
    } else {
      right_name = std::get<std::string>(*from.right);
      layer.right = find_value(key + ".right", right_name);
      if (graph_.value(layer.right).shape != shape) {
        fail(key + ".right",
             fmt::format("add '{}': the operands have shapes {} and {}", from.name,
                         shape_text(shape), shape_text(graph_.value(layer.right).shape)));
      }
    }
    const auto& multipliers = std::get<std::vector<std::int64_t>>(*from.multiplier);
    layer.multiplier_left = multipliers[0];
    layer.multiplier_right = multipliers[1];
    layer.shift = static_cast<int>(*from.shift);
    output.shape = shape;
  }

  void fill_lookup(const LayerParams& from, const std::string& key, Layer& layer, Value& output) {
    const tensor::TensorView& table =
        loader_.tensor(key + ".table", *from.table, "", fmt::format("table of layer '{}'", from.name),
                       dtype_of(output.type), {256});
    layer.code_table.reserve(256);
    for (std::int64_t i = 0; i < 256; ++i) {
      layer.code_table.push_back(output.is_signed() ? std::int16_t{table.at<std::int8_t>(i)}
                                                    : std::int16_t{table.at<std::uint8_t>(i)});
    }
    output.shape = input(layer).shape;
  }

  void fill_max_pool(const LayerParams& from, const std::string& key, Layer& layer, Value& output) {
    require_map(from, key, layer);
    const Value& in = input(layer);
    Window2d& window = layer.window;
    window.kernel_y = (*from.kernel)[0];
    window.kernel_x = (*from.kernel)[1];
    window.stride_y = from.stride ? (*from.stride)[0] : window.kernel_y;
    window.stride_x = from.stride ? (*from.stride)[1] : window.kernel_x;
    output.shape = {
        window_count(from, key, in.shape[0], window.kernel_y, window.stride_y, 0, "rows"),
        window_count(from, key, in.shape[1], window.kernel_x, window.stride_x, 0, "columns"),
        in.channels()};
  }

  void fill_average_pool(const LayerParams& from, const std::string& key, Layer& layer,
                         Value& output) {
    const Value& in = input(layer);
    if (in.tokens() > kMaxPoolTokens) {
      fail(key + ".input", fmt::format("average_pool '{}' over {} tokens; at most {} are supported",
                                       from.name, in.tokens(), kMaxPoolTokens));
    }
    layer.multiplier_left = std::get<std::int64_t>(*from.multiplier);
    layer.shift = static_cast<int>(*from.shift);
    output.shape = {1, in.channels()};
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
    const tensor::TensorView& labels = loader_.tensor("result.labels", from.labels, "", "labels",
                                                      DType::kI32, {graph_.samples});
    result.labels = labels.copy<std::int32_t>();
    for (const std::int32_t label : result.labels) {
      if (label < 0 || label >= output.channels()) {
        fail("result.labels", fmt::format("tensor '{}' (labels): class {} is outside 0..{}",
                                          from.labels, label, output.channels() - 1));
      }
    }
    if (from.expect) {
      result.expect = &loader_.tensor("result.expect", *from.expect, "",
                                      fmt::format("expected output of layer '{}'", from.layer),
                                      dtype_of(output.type),
                                      with_samples(graph_.samples, output.shape));
    }
    graph_.result = std::move(result);
  }

  [[nodiscard]] const std::string& source() const { return params_.provenance.at("source"); }

  /// The report repeats what provenance says, so it must be true of every operand.
  void check_provenance() const {
    const auto check = [&](const std::string& key, const std::string& what, const Provenance& from) {
      const bool captured = from.origin == Origin::kCaptured;
      if (from.origin == Origin::kComputed || source() == "mixed") return;
      if (source() == (captured ? "captured" : "statistic")) return;
      fail(key, fmt::format("provenance says '{}', but {} {} ({}); say 'mixed'", source(), what,
                            captured ? "come from a tensor" : "are drawn from a statistic",
                            from.text));
    };
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const Value& value = graph_.value(graph_.inputs[i]);
      check(fmt::format("inputs[{}]", i), fmt::format("the codes of input '{}'", value.name),
            value.provenance);
    }
    for (const Layer& layer : graph_.layers) {
      const std::string key = fmt::format("layers[{}]", layer.index);
      if (layer.on_engine() && !layer.run_time_weights()) {
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
  OperandLoader loader_;
  Graph graph_;
  std::map<std::string, int> names_;
};

}  // namespace

Graph build_graph(const params::WorkloadParams& params, const Locate& locate) {
  return Builder(params, locate).build();
}

}  // namespace lacuna::workload
