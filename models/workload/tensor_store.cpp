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

/// Bytes of all values that are there at a time, at the worst layer: a value from its producer (or,
/// where it is drawn or loaded, its first reader) to its last reader; what is computed stays.
std::int64_t peak_bytes(const Graph& graph, std::int64_t samples, const Observation& observation) {
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
    if (observation.computed[i]) touch(layer.output, layers - 1);
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
                         Observation observation)
    : graph_(&graph),
      first_sample_(first_sample),
      samples_(samples),
      observation_(std::move(observation)) {
  LACUNA_CHECK(samples >= 1 && first_sample >= 0, "samples {} from {}", samples, first_sample);
  if (peak_bytes(graph, samples, observation_) > kMaxBytes) {
    throw base::UserError(fmt::format(
        "workload '{}' with {} samples at once needs more than {} GiB of activations; run fewer "
        "samples at a time",
        graph.name, samples, kMaxBytes >> 30));
  }
  buffers_.resize(graph.values.size());
}

void TensorStore::fill(const Value& value, std::vector<std::uint8_t>& buffer) const {
  const auto bytes = static_cast<std::size_t>(value.elements());
  const std::size_t all = bytes * static_cast<std::size_t>(stored_samples(value, samples_));
  if (value.kind == ValueKind::kLayer && !value.output_drawn) {
    buffer.assign(all, stated(value.storage) ? 1 : 0);
    return;
  }
  buffer.resize(all);
  if (value.kind == ValueKind::kConstant) {
    LACUNA_CHECK(value.codes.size() == bytes, "{}", value.name);
    std::memcpy(buffer.data(), value.codes.data(), bytes);
    return;
  }
  const bool used = observation_.used[static_cast<std::size_t>(value.storage)];
  for (std::int64_t sample = 0; sample < samples_; ++sample) {
    const std::int64_t source = source_sample(sample);
    std::uint8_t* out = buffer.data() + static_cast<std::size_t>(sample) * bytes;
    if (!value.codes.empty()) {
      std::memcpy(out, value.codes.data() + static_cast<std::size_t>(source) * bytes, bytes);
    } else if (used) {
      std::memcpy(out, draw_sample(value, source).data(), bytes);
    } else {
      tensor::copy_as_bytes(tensor::draw_mask(value.tokens(), value.channels(),
                                              spec_of_sample(value, source), value.name),
                            out);
    }
  }
}

std::vector<std::uint8_t>& TensorStore::buffer(int storage) const {
  std::vector<std::uint8_t>& buffer = buffers_[static_cast<std::size_t>(storage)];
  if (buffer.empty()) fill(graph_->value(storage), buffer);
  return buffer;
}

bool TensorStore::stated(int value) const {
  const Value& stored = graph_->value(graph_->value(value).storage);
  return stored.kind == ValueKind::kLayer && !stored.output_drawn &&
         !observation_.computed[static_cast<std::size_t>(stored.layer)];
}

void TensorStore::release(int value) {
  const int storage = graph_->value(value).storage;
  const Value& stored = graph_->value(storage);
  const bool computed = stored.kind == ValueKind::kLayer &&
                        observation_.computed[static_cast<std::size_t>(stored.layer)];
  if (computed) return;
  std::vector<std::uint8_t>().swap(buffers_[static_cast<std::size_t>(storage)]);
}

std::size_t TensorStore::offset(const Value& value, std::int64_t sample) const {
  LACUNA_CHECK(sample >= 0 && sample < samples_, "sample {} of {}", sample, samples_);
  return value.kind == ValueKind::kConstant
             ? 0
             : static_cast<std::size_t>(sample) * static_cast<std::size_t>(value.elements());
}

std::span<const std::uint8_t> TensorStore::codes(int value, std::int64_t sample) const {
  const int storage = graph_->value(value).storage;
  const Value& stored = graph_->value(storage);
  return {buffer(storage).data() + offset(stored, sample),
          static_cast<std::size_t>(stored.elements())};
}

std::span<std::uint8_t> TensorStore::mutable_codes(int value, std::int64_t sample) {
  const Value& stored = graph_->value(value);
  LACUNA_CHECK(stored.kind == ValueKind::kLayer && stored.storage == value,
               "value {} is not a layer's own output", stored.name);
  return {buffer(value).data() + offset(stored, sample),
          static_cast<std::size_t>(stored.elements())};
}

int TensorStore::at(int value, std::int64_t sample, std::int64_t index) const {
  const std::span<const std::uint8_t> all = codes(value, sample);
  LACUNA_CHECK(index >= 0 && index < static_cast<std::int64_t>(all.size()), "index {}", index);
  const std::uint8_t code = all[static_cast<std::size_t>(index)];
  return graph_->value(value).is_signed() ? static_cast<std::int8_t>(code) : code;
}

std::int64_t TensorStore::size_bytes() const {
  std::int64_t total = 0;
  for (const auto& buffer : buffers_) total += static_cast<std::int64_t>(buffer.size());
  return total;
}

}  // namespace lacuna::workload
