// SPDX-License-Identifier: Apache-2.0
#include "workload/tensor_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/hash.h"

namespace lacuna::workload {

namespace {

/// A constant is stored once, everything else once per sample.
std::int64_t stored_samples(const Value& value, std::int64_t samples) {
  return value.kind == ValueKind::kConstant ? 1 : samples;
}

}  // namespace

namespace {

tensor::MaskSpec spec_of_sample(const Value& value, std::int64_t sample) {
  tensor::MaskSpec spec = value.drawn;
  spec.seed = base::hash_combine(spec.seed, static_cast<std::uint64_t>(sample));
  return spec;
}

}  // namespace

std::vector<std::uint8_t> draw_sample(const Value& value, std::int64_t sample) {
  const auto kind = value.is_signed() ? tensor::CodeKind::kS8 : tensor::CodeKind::kU8;
  return tensor::draw_codes(value.tokens(), value.channels(), kind, spec_of_sample(value, sample),
                            value.name)
      .codes;
}

namespace {

/// By value: does not go when its last reader is done.
std::vector<bool> kept_values(const Graph& graph, const Observation& observation, Keep keep) {
  std::vector<bool> kept(graph.values.size(), false);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    const bool compared =
        layer.expect != nullptr ||
        (graph.result.has_value() && static_cast<std::size_t>(graph.result->layer) == i);
    if (compared || (keep == Keep::kComputed && observation.computed[i])) {
      kept[static_cast<std::size_t>(graph.output_of(layer).storage)] = true;
    }
  }
  return kept;
}

/// Bytes of all values that are there at a time, at the worst layer: a value from its producer (or,
/// where it is drawn or loaded, its first reader) to its last reader; what is kept stays.
std::int64_t peak_bytes(const Graph& graph, std::int64_t samples, const std::vector<bool>& kept) {
  const auto layers = graph.layers.size();
  std::vector<std::size_t> first(graph.values.size(), layers);
  std::vector<std::size_t> last(graph.values.size(), 0);
  const auto touch = [&](int value, std::size_t layer) {
    if (value == kNoValue) return;
    const auto id = static_cast<std::size_t>(graph.value(value).storage);
    first[id] = std::min(first[id], layer);
    last[id] = std::max(last[id], layer);
  };
  for (std::size_t i = 0; i < layers; ++i) {
    const Layer& layer = graph.layers[i];
    touch(layer.input, i);
    touch(layer.right, i);
    for (const int other : layer.others) touch(other, i);
    touch(layer.output, i);
    if (kept[static_cast<std::size_t>(graph.output_of(layer).storage)]) {
      touch(layer.output, layers - 1);
    }
  }
  std::vector<std::int64_t> change(layers + 1, 0);
  for (std::size_t id = 0; id < graph.values.size(); ++id) {
    const Value& value = graph.values[id];
    if (value.storage != static_cast<int>(id) || first[id] == layers) continue;
    const std::int64_t bytes = value.elements() * stored_samples(value, samples);
    change[first[id]] += bytes;
    change[last[id] + 1] -= bytes;
  }
  std::int64_t now = 0;
  std::int64_t most = 0;
  for (const std::int64_t bytes : change) most = std::max(most, now += bytes);
  return most;
}

}  // namespace

TensorStore::TensorStore(const Graph& graph, std::int64_t first_sample, std::int64_t samples)
    : TensorStore(graph, first_sample, samples, everything(graph)) {}

TensorStore::TensorStore(const Graph& graph, std::int64_t first_sample, std::int64_t samples,
                         Observation observation, Keep keep)
    : graph_(&graph),
      first_sample_(first_sample),
      samples_(samples),
      observation_(std::move(observation)),
      kept_(kept_values(graph, observation_, keep)) {
  LACUNA_CHECK(samples >= 1 && first_sample >= 0, "samples {} from {}", samples, first_sample);
  if (peak_bytes(graph, samples, kept_) > kMaxBytes) {
    throw base::UserError(fmt::format(
        "workload '{}' with {} samples at once needs more than {} GiB of activations; run fewer "
        "samples at a time",
        graph.name, samples, kMaxBytes >> 30));
  }
  buffers_.resize(graph.values.size());
  for (const Value& value : graph.values) {
    buffers_[static_cast<std::size_t>(&value - graph.values.data())].resize(
        static_cast<std::size_t>(stored_samples(value, samples)));
  }
  gone_.assign(graph.values.size(), std::vector<bool>(static_cast<std::size_t>(samples), false));
}

TensorStore::Codes TensorStore::make(const Value& value, std::int64_t sample) const {
  const auto bytes = static_cast<std::size_t>(value.elements());
  if (value.kind == ValueKind::kLayer && !value.output_drawn) {
    return Codes(bytes, stated(value.storage) ? 1 : 0);
  }
  if (value.kind == ValueKind::kConstant) {
    LACUNA_CHECK(value.codes.size() == bytes, "{}", value.name);
    return {value.codes.begin(), value.codes.end()};
  }
  const std::int64_t source = source_sample(sample);
  if (!value.codes.empty()) {
    const auto begin = value.codes.begin() + source * static_cast<std::int64_t>(bytes);
    return {begin, begin + static_cast<std::int64_t>(bytes)};
  }
  if (observation_.used[static_cast<std::size_t>(value.storage)]) {
    return draw_sample(value, source);
  }
  Codes codes(bytes);
  tensor::copy_as_bytes(tensor::draw_mask(value.tokens(), value.channels(),
                                          spec_of_sample(value, source), value.name),
                        codes.data());
  return codes;
}

TensorStore::Codes& TensorStore::buffer(int storage, std::int64_t sample) const {
  LACUNA_CHECK(sample >= 0 && sample < samples_, "sample {} of {}", sample, samples_);
  std::vector<Codes>& buffers = buffers_[static_cast<std::size_t>(storage)];
  const Value& value = graph_->value(storage);
  LACUNA_CHECK(!gone_[static_cast<std::size_t>(storage)][static_cast<std::size_t>(sample)],
               "sample {} of value {} is wanted after its last reader", sample, value.name);
  Codes& found = buffers[value.kind == ValueKind::kConstant ? 0 : static_cast<std::size_t>(sample)];
  if (found.empty()) found = make(value, sample);
  return found;
}

bool TensorStore::stated(int value) const {
  const Value& stored = graph_->value(graph_->value(value).storage);
  return stored.kind == ValueKind::kLayer && !stored.output_drawn &&
         !observation_.computed[static_cast<std::size_t>(stored.layer)];
}

void TensorStore::release(int value, std::int64_t sample) {
  const int storage = graph_->value(value).storage;
  if (graph_->value(storage).kind == ValueKind::kConstant) return;
  if (kept_[static_cast<std::size_t>(storage)]) return;
  const Value& stored = graph_->value(storage);
  gone_[static_cast<std::size_t>(storage)][static_cast<std::size_t>(sample)] =
      stored.kind == ValueKind::kLayer &&
      observation_.computed[static_cast<std::size_t>(stored.layer)];
  Codes().swap(buffers_[static_cast<std::size_t>(storage)][static_cast<std::size_t>(sample)]);
}

std::span<const std::uint8_t> TensorStore::codes(int value, std::int64_t sample) const {
  return buffer(graph_->value(value).storage, sample);
}

std::span<std::uint8_t> TensorStore::mutable_codes(int value, std::int64_t sample) {
  const Value& stored = graph_->value(value);
  LACUNA_CHECK(stored.kind == ValueKind::kLayer && stored.storage == value,
               "value {} is not a layer's own output", stored.name);
  return buffer(value, sample);
}

int TensorStore::at(int value, std::int64_t sample, std::int64_t index) const {
  const std::span<const std::uint8_t> all = codes(value, sample);
  LACUNA_CHECK(index >= 0 && index < static_cast<std::int64_t>(all.size()), "index {}", index);
  const std::uint8_t code = all[static_cast<std::size_t>(index)];
  return graph_->value(value).is_signed() ? static_cast<std::int8_t>(code) : code;
}

std::int64_t TensorStore::size_bytes() const {
  std::int64_t total = 0;
  for (const std::vector<Codes>& samples : buffers_) {
    for (const Codes& codes : samples) total += static_cast<std::int64_t>(codes.size());
  }
  return total;
}

}  // namespace lacuna::workload
