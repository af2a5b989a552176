// SPDX-License-Identifier: Apache-2.0
#include "params/workload_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lacuna::params {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 3> kConvRequired{"kernel", "weights", "output"};
constexpr std::array<std::string_view, 8> kConvAllowed{"stride",       "padding",     "groups",
                                                       "out_channels", "activations", "requantize",
                                                       "expect",       "mapping"};
constexpr std::array<std::string_view, 4> kDepthwiseAllowed{"stride", "padding", "requantize",
                                                            "expect"};
constexpr std::array<std::string_view, 2> kLinearRequired{"weights", "output"};
constexpr std::array<std::string_view, 5> kLinearAllowed{"out_channels", "activations",
                                                         "requantize", "expect", "mapping"};
constexpr std::array<std::string_view, 4> kMatmulRequired{"right", "heads", "transpose_right",
                                                          "output"};
constexpr std::array<std::string_view, 6> kMatmulAllowed{"activations", "requantize", "expect",
                                                         "kv_heads",    "wait_for",   "mapping"};
constexpr std::array<std::string_view, 1> kSoftmaxRequired{"heads"};
constexpr std::array<std::string_view, 5> kSoftmaxAllowed{"output", "expect", "table", "causal",
                                                          "position"};
constexpr std::array<std::string_view, 1> kOutputRequired{"output"};
constexpr std::array<std::string_view, 4> kNormAllowed{"gamma", "beta", "shift", "expect"};
constexpr std::array<std::string_view, 3> kRmsNormAllowed{"gamma", "shift", "expect"};
constexpr std::array<std::string_view, 4> kAddRequired{"right", "multiplier", "shift", "output"};
constexpr std::array<std::string_view, 3> kLookupAllowed{"table", "function", "expect"};
constexpr std::array<std::string_view, 1> kMaxPoolRequired{"kernel"};
constexpr std::array<std::string_view, 3> kMaxPoolAllowed{"stride", "padding", "expect"};
constexpr std::array<std::string_view, 3> kAverageRequired{"multiplier", "shift", "output"};
constexpr std::array<std::string_view, 2> kRotaryRequired{"heads", "output"};
constexpr std::array<std::string_view, 5> kRotaryAllowed{"position", "rotary_channels",
                                                         "interleaved", "theta", "expect"};
constexpr std::array<std::string_view, 4> kEmbeddingRequired{"vocabulary", "out_channels",
                                                             "weights", "output"};
constexpr std::array<std::string_view, 2> kConcatRequired{"others", "axis"};
constexpr std::array<std::string_view, 2> kSliceRequired{"begin", "count"};
constexpr std::array<std::string_view, 1> kUpsampleRequired{"factor"};
constexpr std::array<std::string_view, 1> kExpectAllowed{"expect"};

/// The members that are present, apart from name, op and input, in the order of visit().
std::vector<std::string_view> present_keys(const LayerParams& layer) {
  std::vector<std::string_view> found;
  const auto note = [&](bool present, std::string_view name) {
    if (present) found.push_back(name);
  };
  note(layer.right.has_value(), "right");
  note(layer.kernel.has_value(), "kernel");
  note(layer.stride.has_value(), "stride");
  note(layer.padding.has_value(), "padding");
  note(layer.groups.has_value(), "groups");
  note(layer.out_channels.has_value(), "out_channels");
  note(layer.heads.has_value(), "heads");
  note(layer.kv_heads.has_value(), "kv_heads");
  note(layer.transpose_right.has_value(), "transpose_right");
  note(layer.causal.has_value(), "causal");
  note(layer.position.has_value(), "position");
  note(layer.wait_for.has_value(), "wait_for");
  note(layer.others.has_value(), "others");
  note(layer.axis.has_value(), "axis");
  note(layer.begin.has_value(), "begin");
  note(layer.count.has_value(), "count");
  note(layer.factor.has_value(), "factor");
  note(layer.vocabulary.has_value(), "vocabulary");
  note(layer.rotary_channels.has_value(), "rotary_channels");
  note(layer.interleaved.has_value(), "interleaved");
  note(layer.theta.has_value(), "theta");
  note(layer.function.has_value(), "function");
  note(layer.weights.has_value(), "weights");
  note(layer.activations.has_value(), "activations");
  note(layer.requantize.has_value(), "requantize");
  note(layer.table.has_value(), "table");
  note(layer.gamma.has_value(), "gamma");
  note(layer.beta.has_value(), "beta");
  note(layer.multiplier.has_value(), "multiplier");
  note(layer.shift.has_value(), "shift");
  note(layer.output.has_value(), "output");
  note(layer.expect.has_value(), "expect");
  note(layer.mapping.has_value(), "mapping");
  return found;
}

bool contains(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void require_length(std::vector<Violation>& found, const char* key,
                    const std::optional<std::vector<std::int64_t>>& list, std::size_t length,
                    const char* meaning) {
  if (list && list->size() != length) {
    found.push_back(
        {{key}, fmt::format("'{}' must be {}, not a list of {}", key, meaning, list->size())});
  }
}

}  // namespace

LayerKeys layer_keys(Op op) {
  switch (op) {
    case Op::kConv2d:
      return {kConvRequired, kConvAllowed};
    case Op::kLinear:
      return {kLinearRequired, kLinearAllowed};
    case Op::kMatmul:
      return {kMatmulRequired, kMatmulAllowed};
    case Op::kSoftmax:
      return {kSoftmaxRequired, kSoftmaxAllowed};
    case Op::kLayerNorm:
      return {kOutputRequired, kNormAllowed};
    case Op::kRmsNorm:
      return {kOutputRequired, kRmsNormAllowed};
    case Op::kAdd:
    case Op::kMultiply:
      return {kAddRequired, kExpectAllowed};
    case Op::kLookup:
      return {kOutputRequired, kLookupAllowed};
    case Op::kMaxPool:
      return {kMaxPoolRequired, kMaxPoolAllowed};
    case Op::kAveragePool:
      return {kAverageRequired, kExpectAllowed};
    case Op::kFlatten:
      return {{}, kExpectAllowed};
    case Op::kRotary:
      return {kRotaryRequired, kRotaryAllowed};
    case Op::kEmbedding:
      return {kEmbeddingRequired, kExpectAllowed};
    case Op::kDepthwise:
      return {kConvRequired, kDepthwiseAllowed};
    case Op::kConcat:
      return {kConcatRequired, kExpectAllowed};
    case Op::kSlice:
      return {kSliceRequired, kExpectAllowed};
    case Op::kUpsample:
      return {kUpsampleRequired, kExpectAllowed};
  }
  return {};
}

std::vector<Violation> WeightParams::validate() const {
  std::vector<Violation> found;
  const bool is_tensor = !tensor.empty();
  const bool is_statistic = sparsity || pattern || n || m || bank || block || seed || row_spread ||
                            column_spread || source;
  if (is_tensor && is_statistic) {
    found.push_back({{"tensor"},
                     "weights are either a tensor or a statistic (sparsity, pattern, seed), "
                     "not both"});
    return found;
  }
  if (is_tensor) return found;
  if (!is_statistic) {
    found.push_back({{}, "weights need either 'tensor' or a statistic (sparsity, pattern, seed)"});
    return found;
  }
  if (!file.empty()) found.push_back({{"file"}, "'file' has no meaning without 'tensor'"});
  if (!pattern) {
    found.push_back({{},
                     "a weight statistic needs 'pattern' (dense, unstructured, n:m, bank, block "
                     "or magnitude)"});
    return found;
  }
  const auto only_for = [&](bool present, const char* key, MaskPattern owner) {
    if (present && *pattern != owner) {
      found.push_back(
          {{key, "pattern"},
           fmt::format("'{}' has no meaning for pattern '{}'", key, enum_name(*pattern))});
    }
  };
  const auto need = [&](bool present, const char* key, MaskPattern owner) {
    if (!present && *pattern == owner) {
      found.push_back({{"pattern"}, fmt::format("pattern '{}' needs '{}'", enum_name(owner), key)});
    }
    only_for(present, key, owner);
  };
  need(n.has_value(), "n", MaskPattern::kNOfM);
  need(m.has_value(), "m", MaskPattern::kNOfM);
  need(bank.has_value(), "bank", MaskPattern::kBank);
  need(block.has_value(), "block", MaskPattern::kBlock);
  only_for(row_spread.has_value(), "row_spread", MaskPattern::kMagnitude);
  only_for(column_spread.has_value(), "column_spread", MaskPattern::kMagnitude);
  require_length(found, "block", block, 2, "[along k, along output channels]");
  if (n && m && *n > *m) {
    found.push_back({{"n", "m"}, fmt::format("n ({}) must be at most m ({})", *n, *m)});
  }
  if (*pattern == MaskPattern::kNOfM) {
    if (n && m && sparsity &&
        std::abs(*sparsity - (1.0 - static_cast<double>(*n) / static_cast<double>(*m))) > 1e-9) {
      found.push_back(
          {{"sparsity", "n", "m"},
           fmt::format("{}:{} is a sparsity of {:g}, not {:g}; leave 'sparsity' out", *n, *m,
                       1.0 - static_cast<double>(*n) / static_cast<double>(*m), *sparsity)});
    }
  } else if (*pattern == MaskPattern::kDense) {
    if (sparsity && *sparsity != 0) {
      found.push_back({{"sparsity", "pattern"},
                       fmt::format("pattern 'dense' has sparsity 0, not {:g}", *sparsity)});
    }
  } else if (!sparsity) {
    found.push_back(
        {{"pattern"}, fmt::format("pattern '{}' needs 'sparsity'", enum_name(*pattern))});
  }
  if (!seed) found.push_back({{}, "a weight statistic needs 'seed'"});
  return found;
}

std::vector<Violation> OutputParams::validate() const {
  std::vector<Violation> found;
  require_length(found, "clamp", clamp, 2, "[lowest, highest]");
  if (clamp && clamp->size() == 2) {
    const std::int64_t low = (*clamp)[0];
    const std::int64_t high = (*clamp)[1];
    if (low > high) {
      found.push_back({{"clamp"}, fmt::format("clamp [{}, {}] is empty", low, high)});
    } else if (low < lowest_code(type) || high > highest_code(type)) {
      found.push_back({{"clamp", "type"},
                       fmt::format("clamp [{}, {}] leaves the range of {}, [{}, {}]", low, high,
                                   enum_name(type), lowest_code(type), highest_code(type))});
    }
  }
  return found;
}

std::vector<Violation> InputParams::validate() const {
  std::vector<Violation> found;
  if (name.empty()) found.push_back({{"name"}, "the name of an input must not be empty"});
  if (shape.size() != 2 && shape.size() != 3) {
    found.push_back({{"shape"},
                     fmt::format("'shape' must be [height, width, channels] or [tokens, channels], "
                                 "not {} numbers",
                                 shape.size())});
  }
  const bool is_statistic = sparsity || seed || samples;
  if (!tensor.empty() && is_statistic) {
    found.push_back({{"tensor"},
                     "an input is either a tensor or a statistic (sparsity, seed, samples), not "
                     "both"});
  } else if (tensor.empty() && !is_statistic) {
    found.push_back({{}, "an input needs either 'tensor' or 'sparsity', 'seed' and 'samples'"});
  } else if (tensor.empty() && !(sparsity && seed && samples)) {
    found.push_back({{}, "an input statistic needs 'sparsity', 'seed' and 'samples'"});
  } else if (tensor.empty() && !file.empty()) {
    found.push_back({{"file"}, "'file' has no meaning without 'tensor'"});
  }
  return found;
}

std::vector<Violation> LayerParams::validate() const {
  std::vector<Violation> found;
  if (name.empty()) found.push_back({{"name"}, "the name of a layer must not be empty"});
  const LayerKeys keys = layer_keys(op);
  const std::vector<std::string_view> present = present_keys(*this);
  for (const std::string_view key : keys.required) {
    if (!contains(present, key)) {
      found.push_back({{"op"}, fmt::format("{} layer '{}' needs '{}'", enum_name(op), name, key)});
    }
  }
  for (const std::string_view key : present) {
    if (!contains(keys.required, key) && !contains(keys.allowed, key)) {
      found.push_back(
          {{std::string(key), "op"},
           fmt::format("'{}' has no meaning for op '{}' (layer '{}')", key, enum_name(op), name)});
    }
  }
  require_length(found, "kernel", kernel, 2, "[rows, columns]");
  require_length(found, "stride", stride, 2, "[y, x]");
  require_length(found, "padding", padding, 2, "[y, x]");
  if (op == Op::kMatmul && right && !std::holds_alternative<std::string>(*right)) {
    found.push_back({{"right"}, "the right operand of matmul must be an earlier layer or input"});
  }
  if (op == Op::kAdd && multiplier) {
    const auto* list = std::get_if<std::vector<std::int64_t>>(&*multiplier);
    if (list == nullptr || list->size() != 2) {
      found.push_back({{"multiplier"}, "'multiplier' of add must be [left, right]"});
    }
  }
  if ((op == Op::kAveragePool || op == Op::kMultiply) && multiplier &&
      !std::holds_alternative<std::int64_t>(*multiplier)) {
    found.push_back(
        {{"multiplier"}, fmt::format("'multiplier' of {} must be one number", enum_name(op))});
  }
  if (op == Op::kMultiply && right && !std::holds_alternative<std::string>(*right)) {
    found.push_back({{"right"}, "the right operand of multiply must be an earlier layer or input"});
  }
  if (op == Op::kLookup && table.has_value() == function.has_value()) {
    found.push_back(
        {{table ? "table" : "op"},
         fmt::format("lookup layer '{}' needs 'table' or 'function', one of them", name)});
  }
  if (op == Op::kLayerNorm && !(gamma && beta && shift) && (gamma || beta || shift)) {
    found.push_back({{"op"},
                     fmt::format("layer_norm layer '{}' needs 'gamma', 'beta' and 'shift', or none "
                                 "of them",
                                 name)});
  }
  if (op == Op::kRmsNorm && gamma.has_value() != shift.has_value()) {
    found.push_back(
        {{"op"}, fmt::format("rms_norm layer '{}' needs 'gamma' and 'shift', or neither", name)});
  }
  if (op == Op::kConcat && others && others->empty()) {
    found.push_back({{"others"}, "'others' of concat must name at least one layer"});
  }
  if (op == Op::kSoftmax && output && output->type != CodeType::kU8) {
    found.push_back({{"output"}, "the output of softmax is u8"});
  }
  const bool drawn_weights = weights && weights->tensor.empty();
  const bool has_weights = op == Op::kConv2d || op == Op::kLinear || op == Op::kDepthwise;
  if (has_weights && weights && !drawn_weights && !requantize) {
    found.push_back({{"weights"},
                     fmt::format("layer '{}' needs 'requantize': only weights from a statistic can "
                                 "do without",
                                 name)});
  }
  if ((op == Op::kConv2d || op == Op::kLinear) && drawn_weights && !out_channels) {
    found.push_back(
        {{"weights"},
         fmt::format("layer '{}' needs 'out_channels': a statistic has no shape", name)});
  }
  return found;
}

std::vector<Violation> WorkloadParams::validate() const {
  std::vector<Violation> found;
  if (schema != kWorkloadSchema) {
    found.push_back({{"schema"},
                     fmt::format("schema '{}' is not known; this version reads '{}'", schema,
                                 kWorkloadSchema)});
  }
  if (name.empty()) found.push_back({{"name"}, "the name of a workload must not be empty"});
  if (inputs.empty()) found.push_back({{"inputs"}, "a workload needs at least one input"});
  if (layers.empty()) found.push_back({{"layers"}, "a workload needs at least one layer"});

  const auto source = provenance.find("source");
  if (source == provenance.end()) {
    found.push_back({{"provenance"}, "provenance needs 'source': captured, statistic or mixed"});
    return found;
  }
  const auto spellings = enum_spellings<ProvenanceSource>();
  if (std::find(spellings.begin(), spellings.end(), source->second) == spellings.end()) {
    found.push_back({{"provenance.source"},
                     fmt::format("provenance source '{}' is not captured, statistic or mixed",
                                 source->second)});
    return found;
  }
  std::vector<std::string_view> required{"model"};
  if (source->second != enum_name(ProvenanceSource::kStatistic)) {
    for (const std::string_view key :
         {"data", "method", "pattern", "target_sparsity", "weight_sparsity", "accuracy_float_dense",
          "accuracy_int8"}) {
      required.push_back(key);
    }
  }
  for (const std::string_view key : required) {
    if (!provenance.contains(std::string(key))) {
      found.push_back({{"provenance"},
                       fmt::format("provenance of source '{}' needs '{}'", source->second, key)});
    }
  }
  return found;
}

}  // namespace lacuna::params
