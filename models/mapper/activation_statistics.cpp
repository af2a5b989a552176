// SPDX-License-Identifier: Apache-2.0
#include "mapper/activation_statistics.h"

#include <algorithm>
#include <cmath>

#include "tensor/safetensors.h"
#include "workload/tensor_store.h"

namespace lacuna::mapper {
namespace {

/// Reference codes of a value for one sample, empty if the workload has none.
std::span<const std::byte> known_codes(const workload::Graph& graph, int value_id, int sample) {
  const workload::Value& value = graph.value(graph.value(value_id).storage);
  std::span<const std::byte> known = std::as_bytes(value.codes);
  if (value.kind == workload::ValueKind::kLayer) {
    const auto* expect = graph.layers[static_cast<std::size_t>(value.layer)].expect;
    if (expect != nullptr) known = expect->data;
  }
  if (known.empty()) return {};
  const auto elements = static_cast<std::size_t>(value.elements());
  const std::size_t begin = static_cast<std::size_t>(sample) * elements;
  if (begin + elements > known.size()) return {};
  return known.subspan(begin, elements);
}

/// Of codes on both sides of zero that no rectifier cut: those that round to zero.
constexpr double kSigned = 0.95;

/// Share of non-zero codes of a value that nobody has seen, by how it is made; `unknown` where that
/// says nothing.
double made_density(const workload::Graph& graph, int value_id, double unknown) {
  using params::Op;
  const workload::Value& value = graph.value(value_id);
  if (value.kind == workload::ValueKind::kDrawn || value.output_drawn ||
      (value.kind == workload::ValueKind::kInput && value.codes.empty())) {
    return value.drawn.expected_density();
  }
  if (value.kind != workload::ValueKind::kLayer) return unknown;
  const workload::Layer& maker = graph.layers[static_cast<std::size_t>(value.layer)];
  const auto of_input = [&] { return made_density(graph, maker.input, unknown); };
  const auto any_of = [&](double codes) { return 1.0 - std::pow(1.0 - of_input(), codes); };
  switch (maker.op) {
    case Op::kConv2d:
    case Op::kLinear:
    case Op::kDepthwise:
    case Op::kAdd:
    case Op::kLayerNorm:
    case Op::kRmsNorm:
      return maker.range.low < 0 && maker.range.gate == 0 ? kSigned : unknown;
    case Op::kMaxPool:
      return any_of(static_cast<double>(maker.window.kernel_y * maker.window.kernel_x));
    case Op::kAveragePool: {  // of all pixels
      const workload::Value& input = graph.value(maker.input);
      const std::int64_t pixels = input.elements() / input.channels();
      return any_of(static_cast<double>(pixels));
    }
    case Op::kFlatten:
    case Op::kRotary:
    case Op::kSlice:
    case Op::kUpsample:
      return of_input();
    default:
      return unknown;
  }
}

}  // namespace

ActivationStatistics activation_statistics(const workload::Graph& graph,
                                           const workload::Layer& layer, int samples) {
  ActivationStatistics result;
  const workload::GemmShape& shape = layer.gemm;
  const workload::Value& value = graph.value(layer.input);
  if (value.kind == workload::ValueKind::kDrawn ||
      (value.kind == workload::ValueKind::kInput && value.codes.empty()) || value.output_drawn) {
    result.density = value.drawn.expected_density();
    return result;
  }
  // Channels of the value that each k reads: k runs over kernel positions, then channels; a
  // matmul's heads are slices of the channels and counted together.
  std::int64_t nonzeros = 0;
  std::int64_t seen = 0;
  const std::int64_t channels = value.channels();
  const bool per_head = layer.run_time_weights();
  std::vector<std::int64_t> by_channel(static_cast<std::size_t>(channels), 0);
  std::int64_t tokens = 0;
  const int count = static_cast<int>(std::min<std::int64_t>(samples, graph.samples));
  for (int sample = 0; sample < count; ++sample) {
    const auto codes = known_codes(graph, layer.input, sample);
    if (codes.empty()) {
      result.density = made_density(graph, layer.input, result.density);
      return result;
    }
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] == std::byte{0}) continue;
      ++nonzeros;
      ++by_channel[i % static_cast<std::size_t>(channels)];
    }
    seen += static_cast<std::int64_t>(codes.size());
    tokens += static_cast<std::int64_t>(codes.size()) / channels;
  }
  if (seen == 0) return result;
  result.density = static_cast<double>(nonzeros) / static_cast<double>(seen);
  if (per_head || shape.k % channels != 0) return result;
  result.k_density.resize(static_cast<std::size_t>(shape.k));
  for (std::size_t k = 0; k < result.k_density.size(); ++k) {
    result.k_density[k] = static_cast<float>(by_channel[k % static_cast<std::size_t>(channels)]) /
                          static_cast<float>(tokens);
  }
  return result;
}

}  // namespace lacuna::mapper
