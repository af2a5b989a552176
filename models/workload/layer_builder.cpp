// SPDX-License-Identifier: Apache-2.0
#include "workload/layer_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "workload/tables.h"

namespace lacuna::workload {

namespace {

constexpr std::int64_t kMaxK = 65536;             // numerics.md: sums of more would lose meaning
constexpr std::int64_t kMaxNormChannels = 32768;  // layer_norm: 64 bits hold the sum of squares
constexpr std::int64_t kMaxPoolTokens = 1 << 22;  // average_pool: 64 bits hold sum * multiplier

}  // namespace

using tensor::DType;
using tensor::shape_text;

DType dtype_of(CodeType type) { return type == CodeType::kS8 ? DType::kI8 : DType::kU8; }

std::span<const std::uint8_t> bytes_of(const tensor::TensorView& view) {
  return {reinterpret_cast<const std::uint8_t*>(view.data.data()), view.data.size()};
}

void LayerBuilder::fill(const LayerParams& from, const std::string& key, Layer& layer,
                        Value& output) {
  switch (from.op) {
    case Op::kConv2d:
      fill_conv2d(from, key, layer, output);
      break;
    case Op::kLinear:
      fill_linear(from, key, layer, output);
      break;
    case Op::kMatmul:
      fill_matmul(from, key, layer, output);
      break;
    case Op::kSoftmax:
      fill_softmax(from, key, layer, output);
      break;
    case Op::kLayerNorm:
      fill_layer_norm(from, key, layer, output);
      break;
    case Op::kAdd:
    case Op::kMultiply:
      fill_add(from, key, layer, output);
      break;
    case Op::kRmsNorm:
      fill_layer_norm(from, key, layer, output);
      break;
    case Op::kRotary:
      fill_rotary(from, key, layer, output);
      break;
    case Op::kEmbedding:
      fill_embedding(from, key, layer, output);
      break;
    case Op::kDepthwise:
      fill_depthwise(from, key, layer, output);
      break;
    case Op::kConcat:
      fill_concat(from, key, layer, output);
      break;
    case Op::kSlice:
      fill_slice(from, key, layer, output);
      break;
    case Op::kUpsample:
      require_map(from, key, layer);
      layer.factor = *from.factor;
      output.shape = {input(layer).shape[0] * layer.factor, input(layer).shape[1] * layer.factor,
                      input(layer).channels()};
      break;
    case Op::kLookup:
      fill_lookup(from, key, layer, output);
      break;
    case Op::kMaxPool:
      fill_max_pool(from, key, layer, output);
      break;
    case Op::kAveragePool:
      fill_average_pool(from, key, layer, output);
      break;
    case Op::kFlatten:
      output.shape = {1, input(layer).elements()};
      output.storage = input(layer).storage;
      break;
  }
}

void LayerBuilder::require_map(const LayerParams& from, const std::string& key,
                               const Layer& layer) const {
  if (input(layer).shape.size() != 3) {
    fail(key + ".input",
         fmt::format("{} layer '{}' needs a feature map [height, width, "
                     "channels], but '{}' has shape {}",
                     enum_name(from.op), from.name, from.input, shape_text(input(layer).shape)));
  }
}

void LayerBuilder::require_tokens(const LayerParams& from, const std::string& key,
                                  const std::string& name, const Value& value) const {
  if (value.shape.size() != 2) {
    fail(key, fmt::format("{} layer '{}' needs a token matrix [tokens, channels], but '{}' has "
                          "shape {}",
                          enum_name(from.op), from.name, name, shape_text(value.shape)));
  }
}

void LayerBuilder::check_k(const LayerParams& from, const std::string& key, std::int64_t k) const {
  if (k > kMaxK) {
    fail(key, fmt::format("layer '{}' has K = {}; sums of more than {} products are not supported",
                          from.name, k, kMaxK));
  }
}

/// The weights' channels, from out_channels or (0) from the tensor.
void LayerBuilder::load_weights(const LayerParams& from, const std::string& key, Layer& layer,
                                Shape shape) {
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
std::int64_t LayerBuilder::window_count(const LayerParams& from, const std::string& key,
                                        std::int64_t size, std::int64_t kernel, std::int64_t stride,
                                        std::int64_t padding, const char* what) const {
  if (size + 2 * padding < kernel) {
    fail(key + ".kernel", fmt::format("the kernel of layer '{}' ({} {}) is larger than its input "
                                      "({}, padding {})",
                                      from.name, kernel, what, size, padding));
  }
  return (size + 2 * padding - kernel) / stride + 1;
}

/// Kernel, stride and padding; the output's height and width.
std::pair<std::int64_t, std::int64_t> LayerBuilder::fill_window(const LayerParams& from,
                                                                const std::string& key,
                                                                Layer& layer) const {
  require_map(from, key, layer);
  const Value& in = input(layer);
  Window2d& window = layer.window;
  window.kernel_y = (*from.kernel)[0];
  window.kernel_x = (*from.kernel)[1];
  if (from.stride) {
    window.stride_y = (*from.stride)[0];
    window.stride_x = (*from.stride)[1];
  } else if (from.op == Op::kMaxPool) {
    window.stride_y = window.kernel_y;
    window.stride_x = window.kernel_x;
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
  return {window_count(from, key, in.shape[0], window.kernel_y, window.stride_y, window.padding_y,
                       "rows"),
          window_count(from, key, in.shape[1], window.kernel_x, window.stride_x, window.padding_x,
                       "columns")};
}

namespace {

/// Weights [n][taps][channels / groups] as [n][taps][channels]: zeros where groups do not mix.
void spread_groups(WeightMatrix& weights, std::int64_t taps, std::int64_t groups) {
  weights = weights.with_codes();
  const std::int64_t inner = weights.k / taps;
  const std::int64_t channels = inner * groups;
  auto codes = std::make_shared<std::vector<std::int8_t>>(
      static_cast<std::size_t>(weights.n * taps * channels), std::int8_t{0});
  for (std::int64_t n = 0; n < weights.n; ++n) {
    const std::int64_t group = n / (weights.n / groups);
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      std::copy_n(weights.codes.data() + (n * taps + tap) * inner, inner,
                  codes->data() + (n * taps + tap) * channels + group * inner);
    }
  }
  weights.k = taps * channels;
  weights.codes = *codes;
  weights.owner = std::move(codes);
  weights.drawn_mask = nullptr;
  count_weights(weights);
}

}  // namespace

void LayerBuilder::fill_conv2d(const LayerParams& from, const std::string& key, Layer& layer,
                               Value& output) {
  const auto [height, width] = fill_window(from, key, layer);
  const Window2d& window = layer.window;
  const std::int64_t channels = input(layer).channels();
  const std::int64_t taps = window.kernel_y * window.kernel_x;
  const std::int64_t groups = from.groups.value_or(1);
  if (channels % groups != 0 || from.out_channels.value_or(groups) % groups != 0) {
    fail(key + ".groups",
         fmt::format("the {} input and {} output channels of layer '{}' do not divide into {} "
                     "groups",
                     channels, from.out_channels.value_or(0), from.name, groups));
  }
  check_k(from, key + ".kernel", taps * channels);
  load_weights(from, key, layer, {0, window.kernel_y, window.kernel_x, channels / groups});
  if (groups > 1) {
    if (layer.gemm.n % groups != 0) {
      fail(key + ".groups", fmt::format("the {} output channels of layer '{}' do not divide into "
                                        "{} groups",
                                        layer.gemm.n, from.name, groups));
    }
    spread_groups(layer.weights, taps, groups);
    layer.gemm.groups = static_cast<int>(groups);
    layer.gemm.k = layer.weights.k;
  }
  layer.gemm.m = height * width;
  layer.gemm.im2col = channels < kIm2colChannels && taps > 1;
  layer.gemm.segments = layer.gemm.im2col ? 1 : static_cast<int>(taps);
  layer.gemm.segment_channels = layer.gemm.im2col ? layer.gemm.k : channels;
  output.shape = {height, width, layer.gemm.n};
}

void LayerBuilder::fill_depthwise(const LayerParams& from, const std::string& key, Layer& layer,
                                  Value& output) {
  const auto [height, width] = fill_window(from, key, layer);
  const Window2d& window = layer.window;
  const std::int64_t channels = input(layer).channels();
  layer.weights = loader_
                      .weights(key + ".weights", *from.weights, from.name,
                               {channels, window.kernel_y, window.kernel_x})
                      .with_codes();
  // For the count of products; the vector unit does them.
  layer.gemm.m = height * width;
  layer.gemm.n = channels;
  layer.gemm.k = layer.weights.k;
  if (from.requantize) {
    layer.requantize = loader_.requantize(key, *from.requantize, from.name, channels);
  } else {
    layer.requantize = choose_requantize(channels, mean_sum_squares(layer.weights),
                                         assumed_square(input(layer)), layer.range);
  }
  output.shape = {height, width, channels};
}

void LayerBuilder::fill_linear(const LayerParams& from, const std::string& key, Layer& layer,
                               Value& output) {
  const Value& in = input(layer);
  check_k(from, key + ".input", in.channels());
  load_weights(from, key, layer, {0, in.channels()});
  layer.gemm.m = in.tokens();
  layer.gemm.segment_channels = layer.gemm.k;
  output.shape = {layer.gemm.m, layer.gemm.n};
}

void LayerBuilder::fill_matmul(const LayerParams& from, const std::string& key, Layer& layer,
                               Value& output) {
  const std::string& right_name = std::get<std::string>(*from.right);
  layer.right = values_.find(key + ".right", right_name);
  const Value& left = input(layer);
  const Value& right = graph_.value(layer.right);
  require_tokens(from, key + ".input", from.input, left);
  require_tokens(from, key + ".right", right_name, right);
  if (!right.is_signed()) {
    fail(key + ".right", fmt::format("the right operand of matmul '{}' must be s8, but '{}' is u8",
                                     from.name, right_name));
  }
  const std::int64_t heads = *from.heads;
  const std::int64_t kv_heads = from.kv_heads.value_or(heads);
  if (heads % kv_heads != 0) {
    fail(key + ".kv_heads", fmt::format("the {} heads of matmul '{}' do not divide into {} of the "
                                        "right operand",
                                        heads, from.name, kv_heads));
  }
  const auto split = [&](const char* which, std::int64_t channels, std::int64_t parts) {
    if (channels % parts != 0) {
      fail(key + ".heads", fmt::format("the {} channels of the {} operand of matmul '{}' do not "
                                       "divide into {} heads",
                                       channels, which, from.name, parts));
    }
    return channels / parts;
  };
  if (from.wait_for) {
    for (std::size_t i = 0; i < from.wait_for->size(); ++i) {
      layer.wait_for.push_back(
          values_.find(fmt::format("{}.wait_for[{}]", key, i), (*from.wait_for)[i]));
    }
  }
  layer.heads = static_cast<int>(heads);
  layer.transpose_right = *from.transpose_right;
  const std::int64_t left_width = split("left", left.channels(), heads);
  const std::int64_t right_width = split("right", right.channels(), kv_heads);
  layer.gemm.heads = layer.heads;
  layer.gemm.heads_per_right = static_cast<int>(heads / kv_heads);
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
    if (captured_) {
      fail(key, fmt::format("matmul '{}' needs 'requantize' in a captured workload", from.name));
    }
    layer.requantize = choose_requantize(layer.gemm.n, layer.gemm.k * assumed_square(right),
                                         assumed_square(left), layer.range);
  }
  output.shape = {layer.gemm.m, heads * layer.gemm.n};
}

void LayerBuilder::fill_softmax(const LayerParams& from, const std::string& key, Layer& layer,
                                Value& output) {
  const Value& in = input(layer);
  require_tokens(from, key + ".input", from.input, in);
  if (in.channels() % *from.heads != 0) {
    fail(key + ".heads", fmt::format("the {} channels of softmax '{}' do not divide into {} heads",
                                     in.channels(), from.name, *from.heads));
  }
  layer.heads = static_cast<int>(*from.heads);
  layer.causal = from.causal.value_or(false);
  layer.position = from.position.value_or(0);
  output.shape = in.shape;
  if (!from.table) {
    require_statistic(from, key, "table");
    layer.exp_table = exponential_table();
    return;
  }
  const tensor::TensorView& table =
      loader_.tensor(key + ".table", *from.table, "", fmt::format("table of layer '{}'", from.name),
                     DType::kU16, {256});
  layer.exp_table = table.copy<std::uint16_t>();
  if (layer.exp_table[0] != 32767) {
    fail(key + ".table", fmt::format("tensor '{}' (table of layer '{}') must begin with 32767, "
                                     "not {}",
                                     *from.table, from.name, layer.exp_table[0]));
  }
}

void LayerBuilder::fill_layer_norm(const LayerParams& from, const std::string& key, Layer& layer,
                                   Value& output) {
  const Value& in = input(layer);  // a feature map is a list of pixels
  const std::int64_t channels = in.channels();
  if (channels > kMaxNormChannels) {
    fail(key + ".input", fmt::format("{} '{}' over {} channels; at most {} are supported",
                                     enum_name(from.op), from.name, channels, kMaxNormChannels));
  }
  output.shape = in.shape;
  if (!from.gamma) {
    require_statistic(from, key, "gamma");
    layer.gamma.assign(static_cast<std::size_t>(channels), norm_gamma(output.type));
    layer.beta.assign(static_cast<std::size_t>(channels), 0);
    layer.shift = kNormShift;
    return;
  }
  layer.gamma = loader_.int32_vector(
      key + ".gamma", *from.gamma, fmt::format("gamma of layer '{}'", from.name), channels, false);
  layer.shift = static_cast<int>(*from.shift);
  if (from.op == Op::kRmsNorm) return;
  layer.beta = loader_.int32_vector(key + ".beta", *from.beta,
                                    fmt::format("beta of layer '{}'", from.name), channels, false);
}

/// A captured workload brings its constants along.
void LayerBuilder::require_statistic(const LayerParams& from, const std::string& key,
                                     const char* what) const {
  if (captured_) {
    fail(key, fmt::format("{} '{}' needs '{}' in a captured workload", enum_name(from.op),
                          from.name, what));
  }
}

void LayerBuilder::fill_add(const LayerParams& from, const std::string& key, Layer& layer,
                            Value& output) {
  const Shape shape = input(layer).shape;
  std::string right_name;
  if (const auto* reference = std::get_if<params::TensorRef>(&*from.right)) {
    const std::string tensor_key = key + ".right.tensor";
    const tensor::TensorView& view = loader_.tensor(tensor_key, reference->tensor, reference->file);
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
    layer.right = values_.add(std::move(constant), tensor_key);
  } else {
    right_name = std::get<std::string>(*from.right);
    layer.right = values_.find(key + ".right", right_name);
    const Value& right = graph_.value(layer.right);
    // A factor for each channel: one token, for all of them (squeeze-and-excite).
    const bool for_all =
        from.op == Op::kMultiply && right.tokens() == 1 && right.channels() == shape.back();
    if (right.shape != shape && !for_all) {
      fail(key + ".right",
           fmt::format("{} '{}': the operands have shapes {} and {}", enum_name(from.op), from.name,
                       shape_text(shape), shape_text(graph_.value(layer.right).shape)));
    }
  }
  if (from.op == Op::kMultiply) {
    layer.multiplier_left = std::get<std::int64_t>(*from.multiplier);
  } else {
    const auto& multipliers = std::get<std::vector<std::int64_t>>(*from.multiplier);
    layer.multiplier_left = multipliers[0];
    layer.multiplier_right = multipliers[1];
  }
  layer.shift = static_cast<int>(*from.shift);
  output.shape = shape;
}

void LayerBuilder::fill_lookup(const LayerParams& from, const std::string& key, Layer& layer,
                               Value& output) {
  output.shape = input(layer).shape;
  if (from.function) {
    layer.code_table = function_table(*from.function, input(layer).type, output.type);
    return;
  }
  const tensor::TensorView& table =
      loader_.tensor(key + ".table", *from.table, "", fmt::format("table of layer '{}'", from.name),
                     dtype_of(output.type), {256});
  layer.code_table.reserve(256);
  for (std::int64_t i = 0; i < 256; ++i) {
    layer.code_table.push_back(output.is_signed() ? std::int16_t{table.at<std::int8_t>(i)}
                                                  : std::int16_t{table.at<std::uint8_t>(i)});
  }
}

void LayerBuilder::fill_max_pool(const LayerParams& from, const std::string& key, Layer& layer,
                                 Value& output) {
  const auto [height, width] = fill_window(from, key, layer);
  output.shape = {height, width, input(layer).channels()};
}

void LayerBuilder::fill_rotary(const LayerParams& from, const std::string& key, Layer& layer,
                               Value& output) {
  const Value& in = input(layer);
  require_tokens(from, key + ".input", from.input, in);
  const std::int64_t heads = *from.heads;
  if (in.channels() % heads != 0) {
    fail(key + ".heads", fmt::format("the {} channels of rotary '{}' do not divide into {} heads",
                                     in.channels(), from.name, heads));
  }
  const std::int64_t width = in.channels() / heads;
  const std::int64_t turning = from.rotary_channels.value_or(width);
  if (turning > width || turning % 2 != 0) {
    fail(key + (from.rotary_channels ? ".rotary_channels" : ".heads"),
         fmt::format("rotary '{}' turns {} channels of a head of {}; it must be an even number "
                     "within the head",
                     from.name, turning, width));
  }
  layer.heads = static_cast<int>(heads);
  layer.position = from.position.value_or(0);
  layer.rotary = std::make_shared<const RotaryTable>(
      rotary_table(layer.position, in.tokens(), turning, from.interleaved.value_or(false),
                   from.theta.value_or(10000)));
  output.shape = in.shape;
}

void LayerBuilder::fill_embedding(const LayerParams& from, const std::string& key, Layer& layer,
                                  Value& output) {
  const Value& in = input(layer);
  require_tokens(from, key + ".input", from.input, in);
  constexpr std::int64_t kIdBytes = 4;
  if (in.channels() != kIdBytes || in.type != CodeType::kU8) {
    fail(key + ".input",
         fmt::format("embedding '{}' reads numbers of {} bytes each (u8 [tokens, "
                     "{}], lowest first), but '{}' has shape {}",
                     from.name, kIdBytes, kIdBytes, from.input, shape_text(in.shape)));
  }
  if (output.type != CodeType::kS8) {
    fail(key + ".output", fmt::format("the output of embedding '{}' is s8", from.name));
  }
  layer.vocabulary = *from.vocabulary;
  layer.weights.n = layer.vocabulary;
  layer.weights.k = *from.out_channels;
  if (from.weights->tensor.empty()) {
    layer.table_drawn = mask_spec(*from.weights);
    layer.weights.provenance = {Origin::kStatistic, layer.table_drawn.text()};
  } else {
    layer.weights = loader_.weights(key + ".weights", *from.weights, from.name,
                                    {layer.vocabulary, *from.out_channels});
    layer.table_codes = layer.weights.codes;  // of a tensor: they are there
  }
  output.shape = {in.tokens(), *from.out_channels};
}

void LayerBuilder::fill_concat(const LayerParams& from, const std::string& key, Layer& layer,
                               Value& output) {
  const Value& first = input(layer);
  layer.axis = *from.axis;
  const bool tokens = layer.axis == params::Axis::kTokens;
  // Along tokens a feature map is a list of pixels.
  const auto shape_of = [tokens](const Value& value) {
    return tokens ? Shape{value.tokens(), value.channels()} : value.shape;
  };
  Shape shape = shape_of(first);
  for (std::size_t i = 0; i < from.others->size(); ++i) {
    const std::string place = fmt::format("{}.others[{}]", key, i);
    const std::string& name = (*from.others)[i];
    const int id = values_.find(place, name);
    const Value& other = graph_.value(id);
    Shape rest = shape_of(other);
    Shape mine = shape;
    const std::size_t along = tokens ? 0 : shape.size() - 1;
    if (rest.size() != mine.size()) {
      fail(place, fmt::format("concat '{}': '{}' has shape {}, '{}' has {}", from.name, from.input,
                              shape_text(first.shape), name, shape_text(other.shape)));
    }
    rest[along] = mine[along] = 0;
    if (rest != mine || other.type != first.type) {
      fail(place, fmt::format("concat '{}' along {}: '{}' is {} {}, '{}' is {} {}", from.name,
                              enum_name(layer.axis), from.input, enum_name(first.type),
                              shape_text(first.shape), name, enum_name(other.type),
                              shape_text(other.shape)));
    }
    shape[along] += shape_of(other)[along];
    layer.others.push_back(id);
  }
  output.shape = shape;
}

void LayerBuilder::fill_slice(const LayerParams& from, const std::string& key, Layer& layer,
                              Value& output) {
  const Value& in = input(layer);
  require_tokens(from, key + ".input", from.input, in);
  layer.begin = *from.begin;
  if (layer.begin + *from.count > in.tokens()) {
    fail(key + ".count",
         fmt::format("slice '{}' reads tokens {}..{} of '{}', which has {}", from.name, layer.begin,
                     layer.begin + *from.count - 1, from.input, in.tokens()));
  }
  output.shape = {*from.count, in.channels()};
}

void LayerBuilder::fill_average_pool(const LayerParams& from, const std::string& key, Layer& layer,
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

}  // namespace lacuna::workload
