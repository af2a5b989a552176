// SPDX-License-Identifier: Apache-2.0
#include "trace/inventory.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>

#include "base/interrupt.h"
#include "tensor/mask_matrix.h"
#include "workload/tensor_store.h"

namespace lacuna::trace {

namespace {

using workload::Value;
using workload::ValueKind;

std::int64_t zeros_in(std::span<const std::uint8_t> codes) {
  return std::count(codes.begin(), codes.end(), std::uint8_t{0});
}
std::int64_t zeros_in(std::span<const std::byte> codes) {
  return std::count(codes.begin(), codes.end(), std::byte{0});
}

/// Zeros of a value over all samples, if the trace can tell.
std::optional<ZeroCount> zeros_of(const workload::Graph& graph, const Value& value) {
  const Value& stored = graph.value(value.storage);
  if (!stored.codes.empty()) {
    return ZeroCount{zeros_in(stored.codes), static_cast<std::int64_t>(stored.codes.size())};
  }
  if (stored.kind == ValueKind::kLayer && !stored.output_drawn) {
    const auto& layer = graph.layers[static_cast<std::size_t>(stored.layer)];
    if (layer.expect == nullptr) return std::nullopt;
    return ZeroCount{zeros_in(layer.expect->data),
                     static_cast<std::int64_t>(layer.expect->data.size())};
  }
  ZeroCount count;
  for (std::int64_t sample = 0; sample < graph.samples; ++sample) {
    base::throw_if_interrupted();
    const std::vector<std::uint8_t> codes = workload::draw_sample(stored, sample);
    count.zeros += zeros_in(std::span<const std::uint8_t>(codes));
    count.all += static_cast<std::int64_t>(codes.size());
  }
  return count;
}

void add(ZeroCount& total, const ZeroCount& part) {
  total.zeros += part.zeros;
  total.all += part.all;
}

}  // namespace

BankSpread bank_spread(const workload::WeightMatrix& weights) {
  BankSpread spread;
  std::int64_t sum = 0;
  std::int64_t squares = 0;
  const std::shared_ptr<const tensor::MaskMatrix> mask = weights.mask();
  for (std::int64_t n = 0; n < weights.n; ++n) {
    for (std::int64_t k = 0; k + kBank <= weights.k; k += kBank) {
      const int found = std::popcount(tensor::row_bits(mask->row(n), k, kBank));
      ++spread.banks;
      sum += found;
      squares += std::int64_t{found} * found;
      spread.most = std::max<std::int64_t>(spread.most, found);
    }
  }
  if (spread.banks == 0) return spread;
  const auto banks = static_cast<double>(spread.banks);
  spread.mean = static_cast<double>(sum) / banks;
  spread.deviation =
      std::sqrt(std::max(0.0, static_cast<double>(squares) / banks - spread.mean * spread.mean));
  spread.binomial_deviation =
      std::sqrt(spread.mean * (1.0 - spread.mean / static_cast<double>(kBank)));
  return spread;
}

Inventory take_inventory(const workload::Graph& graph) {
  Inventory result;
  result.name = graph.name;
  result.provenance = graph.provenance;
  result.samples = graph.samples;
  for (const auto& file : graph.files) {
    result.files.push_back(std::filesystem::path(file->path()).filename().string());
    for (const auto& view : file->tensors()) {
      result.file_bytes += static_cast<std::int64_t>(view.data.size());
    }
  }
  for (const workload::Layer& layer : graph.layers) {
    base::throw_if_interrupted();
    LayerInventory entry;
    entry.name = layer.name;
    entry.op = params::enum_name(layer.op);
    entry.input = graph.input_of(layer).shape;
    entry.output = graph.output_of(layer).shape;
    entry.expected = layer.expect != nullptr;
    if (layer.on_engine()) {
      entry.gemm = layer.gemm;
      const Value& input = graph.input_of(layer);
      entry.activations = zeros_of(graph, input);
      entry.activations_origin = workload::origin_name(input.provenance.origin);
      if (entry.activations) add(result.activations, *entry.activations);
    }
    entry.macs = layer.dense_macs();
    if (layer.weights.n > 0) {
      entry.weights_origin = workload::origin_name(layer.weights.provenance.origin);
      entry.weights_text = layer.weights.provenance.text;
      // The rows of a drawn embedding table only exist when they are read.
      if (!layer.weights.codes.empty() || layer.weights.drawn_mask != nullptr) {
        const std::int64_t all = layer.weights.n * layer.weights.k / layer.gemm.groups;
        entry.weights = ZeroCount{all - layer.weights.non_zeros, all};
        if (layer.gemm.groups == 1) entry.spread = bank_spread(layer.weights);
        add(result.weights, *entry.weights);
      }
    }
    result.macs += entry.macs;
    result.layers.push_back(std::move(entry));
  }
  return result;
}

}  // namespace lacuna::trace
